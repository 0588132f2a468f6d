/* SPDX-License-Identifier: BSD-3-Clause */
/* table_naive.h - pages of arbitrary entries, and what a walker of the test's own, written
 * straight from the rules, says of them. */
#ifndef TESTS_TABLE_NAIVE_H
#define TESTS_TABLE_NAIVE_H

#include "table_world.h"

enum { NAIVE_PAGES = 16, NAIVE_WORDS = NAIVE_PAGES * 512, NAIVE_STEPS = 6 };

/* What the walk should find. */
struct naive {
	uint64_t addr, size_bytes;
	uint8_t fault, level, perm, missing;
	uint64_t used[NAIVE_STEPS]; /* entries, the leaf last */
	unsigned count;
};

/* False: there is no memory. */
static inline bool naive_load(const struct world *world, struct naive *naive, uint64_t at,
			      uint64_t *value)
{
	naive->used[naive->count++] = at;
	return memory_load64(&world->memory, at, value);
}

static inline struct naive naive_fault(struct naive naive, uint8_t fault)
{
	naive.fault = fault;
	return naive;
}

static inline void naive_compare(const struct naive *naive,
				 const struct table_result *result, bool walked)
{
	CHECK_EQ(walked, naive->fault == TABLE_OK);
	CHECK_EQ(result->fault, naive->fault);
	CHECK_EQ(result->level, naive->level);
	CHECK_EQ(result->entry_addr,
		 naive->count > 0 ? naive->used[naive->count - 1] : 0);
	CHECK_EQ(result->addr, naive->addr);
	CHECK_EQ(result->size_bytes, naive->size_bytes);
	CHECK_EQ(result->perm, naive->perm);
	CHECK_EQ(result->missing, naive->missing);
}

static inline uint64_t naive_word(const struct world *world, unsigned i)
{
	return world_load(world, world->base + sizeof(uint64_t) * i);
}

static inline void naive_copy(const struct world *world, uint64_t *words)
{
	for (unsigned i = 0; i < NAIVE_WORDS; i++)
		words[i] = naive_word(world, i);
}

/* In the pages that were @words the entries that @naive used have marks now, and nothing
 * else changed. */
static inline void naive_check_marks(const struct world *world, const struct naive *naive,
				     uint64_t *words, uint64_t table, uint64_t leaf)
{
	for (unsigned i = 0; i < naive->count; i++) {
		uint64_t word = (naive->used[i] - world->base) / sizeof(uint64_t);

		words[word] |= i + 1 == naive->count ? leaf : table;
	}
	for (unsigned i = 0; i < NAIVE_WORDS; i++)
		CHECK_EQ(naive_word(world, i), words[i]);
}

#endif
