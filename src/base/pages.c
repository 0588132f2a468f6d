/* SPDX-License-Identifier: BSD-3-Clause */
/* base/pages.c - runs come from the end of what is used, single pages from what came back. */
#include "base/pages.h"

#include <errno.h>

#include "base/memory.h"

enum { PAGE_BYTES = 4096 };

void pages_create(struct pages *pages, const struct iopf_memory *memory, uint64_t base,
		  uint64_t size_bytes)
{
	*pages = (struct pages){ .memory = memory, .next = base, .end = base + size_bytes };
}

/* A run begins where its size does: hardware that is told a base and a size asks for it. */
static uint64_t aligned(uint64_t addr, uint32_t page_count)
{
	uint64_t size_bytes = PAGE_BYTES;

	while (size_bytes < (uint64_t)page_count * PAGE_BYTES)
		size_bytes *= 2;
	return (addr + size_bytes - 1) & ~(size_bytes - 1);
}

/* Single pages up to @addr, for those who take one. */
static void skip_to(struct pages *pages, uint64_t addr)
{
	for (; pages->next < addr; pages->next += PAGE_BYTES) {
		memory_store64(pages->memory, pages->next, pages->free_first);
		pages->free_first = pages->next;
	}
}

int pages_take(void *context, uint32_t page_count, uint64_t *addr)
{
	struct pages *pages = context;
	uint64_t size_bytes = (uint64_t)page_count * PAGE_BYTES, next;
	uint64_t first = aligned(pages->next, page_count);

	if (page_count == 1 && pages->free_first != 0 &&
	    memory_load64(pages->memory, pages->free_first, &next)) {
		*addr = pages->free_first;
		pages->free_first = next;
	} else if (first <= pages->end && size_bytes <= pages->end - first) {
		skip_to(pages, first);
		*addr = first;
		pages->next += size_bytes;
	} else {
		return -ENOSPC;
	}
	pages->used_count += page_count;
	return 0;
}

void pages_give(void *context, uint64_t addr, uint32_t page_count)
{
	struct pages *pages = context;

	for (uint32_t i = 0; i < page_count; i++, addr += PAGE_BYTES) {
		memory_store64(pages->memory, addr, pages->free_first);
		pages->free_first = addr;
	}
	pages->used_count -= page_count;
}
