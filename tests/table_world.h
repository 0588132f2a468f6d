/* SPDX-License-Identifier: BSD-3-Clause */
/* table_world.h - memory for table tests: one segment, pages taken from its start. */
#ifndef TESTS_TABLE_WORLD_H
#define TESTS_TABLE_WORLD_H

#include <errno.h>

#include "table/table.h"

#include "test.h"

enum { WORLD_PAGES = 4096 };

/* Pages given back are taken again first, with what was left in them. */
struct world {
	uint64_t base;
	uint32_t used, free_count, limit;
	uint64_t free[WORLD_PAGES];
	struct iopf_segment segment;
	struct iopf_memory memory;
	struct table_pages pages;
	struct table_space space;
};

static inline int world_take(void *context, uint32_t page_count, uint64_t *addr)
{
	struct world *world = context;

	if (page_count == 1 && world->free_count > 0) {
		*addr = world->free[--world->free_count];
		return 0;
	}
	if (world->used + page_count > world->limit)
		return -ENOMEM;
	*addr = world->base + world->used * TABLE_PAGE_BYTES;
	world->used += page_count;
	return 0;
}

static inline void world_give(void *context, uint64_t addr, uint32_t page_count)
{
	struct world *world = context;

	for (uint32_t i = 0; i < page_count; i++)
		world->free[world->free_count++] = addr + i * TABLE_PAGE_BYTES;
}

static inline uint32_t world_taken(const struct world *world)
{
	return world->used - world->free_count;
}

static inline void world_create(struct world *world, uint64_t base)
{
	static uint64_t pool[4][WORLD_PAGES * 512] __attribute__((aligned(4096)));
	static unsigned next;
	uint64_t *memory = pool[next++ % 4];

	memset(memory, 0, sizeof(pool[0]));
	*world = (struct world){ .base = base, .limit = WORLD_PAGES };
	world->segment = (struct iopf_segment){ .base = base,
						.size_bytes = sizeof(pool[0]),
						.memory = memory };
	world->memory = (struct iopf_memory){ .segments = &world->segment, .count = 1 };
	world->pages = (struct table_pages){ .take = world_take,
					     .give = world_give,
					     .context = world };
	world->space = (struct table_space){ .memory = &world->memory };
}

static inline uint64_t world_load(const struct world *world, uint64_t addr)
{
	uint64_t value = 0;

	CHECK(memory_load64(&world->memory, addr, &value));
	return value;
}

static inline void world_store(const struct world *world, uint64_t addr, uint64_t value)
{
	CHECK(memory_store64(&world->memory, addr, value));
}

#endif
