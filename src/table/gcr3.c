/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/gcr3.c - GCR3 tables as radix tables: a PASID is the page of an address, and its
 * guest table what that page is mapped to.
 */
#include "table/gcr3.h"

RECORD_COMPLETE(GCR3, 1);

static const struct record_word words[] = {
	RECORD_UNIT(GCR3_ADDR, 12, "a table of the next level, or the guest table"),
	RECORD_END,
};
const struct iopf_layout gcr3_layout =
	RECORD_LAYOUT("amd_gcr3", GCR3, sizeof(uint64_t), words, NULL);

static struct radix_format format_of(const struct gcr3 *table)
{
	return (struct radix_format){
		.present = FIELD_MASK(GCR3_V),
		.address = FIELD_MASK(GCR3_ADDR),
		.reserved = FIELD_MASK(GCR3_RSVD1),
		.table_bits = FIELD_MASK(GCR3_V),
		.levels = table->levels,
		.leaf_levels = 1 << 1,
		.input_bits = (uint8_t)RADIX_SHIFT(table->levels + 1),
		.fault_reserved = TABLE_RESERVED,
		.fault_leaf = TABLE_RESERVED,
	};
}

static struct radix_editor editor_of(const struct iopf_memory *memory,
				     const struct table_pages *pages,
				     const struct gcr3 *table)
{
	return (struct radix_editor){ .memory = memory,
				      .pages = pages,
				      .format = format_of(table),
				      .root = table->root };
}

static uint64_t page_of(uint32_t pasid)
{
	return (uint64_t)pasid * TABLE_PAGE_BYTES;
}

enum table_fault gcr3_find(const struct iopf_memory *memory, const struct gcr3 *table,
			   uint32_t pasid, uint64_t *cr3, uint32_t *last)
{
	const struct table_space space = { .memory = memory };
	const struct radix_format format = format_of(table);
	struct table_result result;
	struct radix_path path;

	if (radix_walk(&space, &format, table->root, page_of(pasid), &path, &result)) {
		*cr3 = result.addr;
		return TABLE_OK;
	}
	*last = pasid;
	if (result.level > 0)
		*last |= (uint32_t)(RADIX_SPAN(result.level) / TABLE_PAGE_BYTES - 1);
	return result.fault;
}

int gcr3_clear(const struct iopf_memory *memory, const struct gcr3 *table, uint32_t pasid,
	       uint32_t count)
{
	static const struct table_pages none;
	const struct radix_editor editor = editor_of(memory, &none, table);

	if (table->levels == 0)
		return 0;
	return radix_change(&editor, page_of(pasid), page_of(count), UINT64_MAX, 0);
}

int gcr3_put(const struct iopf_memory *memory, const struct table_pages *pages,
	     const struct gcr3 *table, uint32_t pasid, uint64_t cr3)
{
	const struct radix_editor editor = editor_of(memory, pages, table);
	int error = gcr3_clear(memory, table, pasid, 1);

	return error < 0 ? error :
			   radix_map(&editor, page_of(pasid), cr3, TABLE_PAGE_BYTES,
				     FIELD_MASK(GCR3_V));
}

bool gcr3_empty(const struct iopf_memory *memory, const struct gcr3 *table)
{
	uint64_t count = UINT64_C(1) << GCR3_LEVEL_BITS * table->levels, cr3;
	uint32_t last = 0;

	for (uint64_t pasid = 0; table->levels != 0 && pasid < count;
	     pasid = (uint64_t)last + 1)
		if (gcr3_find(memory, table, (uint32_t)pasid, &cr3, &last) == TABLE_OK)
			return false;
	return true;
}

void gcr3_tidy(const struct iopf_memory *memory, const struct table_pages *pages,
	       const struct gcr3 *table)
{
	const struct radix_editor editor = editor_of(memory, pages, table);

	if (table->levels != 0)
		radix_tidy(&editor);
}
