/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/layout.c - what lies where in a guest's memory. */
#include "cli/layout.h"

/* Pages of tables for an address space that maps the file twice: one for 512 pages, and
 * those above them, which are shared only by chance. */
static uint64_t table_pages(uint64_t page_count)
{
	return 2 * (page_count / 512 + 2) + 8;
}

struct layout layout_of(uint64_t file_bytes)
{
	/* Root, context and PASID tables, queues. */
	enum { STRUCTURE_PAGES = 64 };
	struct layout layout = {
		.file_bytes = file_bytes,
		.page_count = (file_bytes + LAYOUT_PAGE - 1) / LAYOUT_PAGE,
	};
	uint64_t copy_bytes;

	if (layout.page_count < LAYOUT_PAGES_MIN)
		layout.page_count = LAYOUT_PAGES_MIN;
	copy_bytes = layout.page_count * LAYOUT_PAGE;
	layout.region_bytes =
		LAYOUT_PAGE * (STRUCTURE_PAGES +
			       LAYOUT_SPACE_MAX * table_pages(layout.page_count));
	layout.source = LAYOUT_BASE + layout.region_bytes;
	layout.destination = layout.source + copy_bytes;
	layout.size_bytes = layout.region_bytes + 2 * copy_bytes;
	return layout;
}
