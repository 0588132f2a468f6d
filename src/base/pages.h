/* SPDX-License-Identifier: BSD-3-Clause */
/* base/pages.h - pages out of a region that belongs to us alone, and back. */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include "iopf/iopf.h"

/* Pages that came back singly are linked through their first words. */
struct pages {
	const struct iopf_memory *memory;
	uint64_t next, end; /* never used so far */
	uint64_t free_first; /* 0: none */
	uint32_t used_count;
};

void pages_create(struct pages *pages, const struct iopf_memory *memory, uint64_t base,
		  uint64_t size_bytes);

/* @context: the struct pages. A run is aligned to its size, rounded up to a power of two
 * pages. Returns: 0, -ENOSPC. */
int pages_take(void *context, uint32_t page_count, uint64_t *addr);
void pages_give(void *context, uint64_t addr, uint32_t page_count);

#endif
