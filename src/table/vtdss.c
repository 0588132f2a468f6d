/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vtdss.c - what the bits of VT-d second-level tables allow, and their editor. */
#include "table/vtdss.h"

#include <errno.h>

static struct radix_format radix_of(const struct vtdss_format *format)
{
	uint64_t in_entry = UINT64_C(0x000ffffffffff000);
	uint64_t address = in_entry & UINT64_MAX >> (64 - format->address_bits);

	return (struct radix_format){
		.present = VTDSS_READ | VTDSS_WRITE,
		.address = address,
		.reserved = in_entry & ~address,
		.reserved_table = VTDSS_SNOOP,
		.kind = VTDSS_LARGE,
		.kind_page = VTDSS_LARGE,
		.table_bits = VTDSS_READ | VTDSS_WRITE,
		.levels = format->levels,
		.leaf_levels = (uint8_t)(0x2 | (format->pages_2m ? 0x4 : 0) |
					 (format->pages_1g ? 0x8 : 0)),
		.input_bits = (uint8_t)RADIX_SHIFT(format->levels + 1),
		.fault_reserved = TABLE_RESERVED,
		.fault_leaf = TABLE_RESERVED,
	};
}

static bool walk_once(const struct table_space *space, const struct vtdss_format *format,
		      uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		      struct table_result *result)
{
	struct radix_format radix = radix_of(format);

	if (!radix_walk(space, &radix, root, addr, path, result))
		return false;
	if ((path->all & VTDSS_READ) != 0)
		result->perm |= IOPF_READ | IOPF_EXEC;
	if ((path->all & VTDSS_WRITE) != 0)
		result->perm |= IOPF_WRITE;
	result->missing = perm & (uint8_t)~result->perm & (uint8_t)~IOPF_PRIV;
	if (result->missing == 0)
		return true;
	result->fault = TABLE_PERMISSION;
	return false;
}

bool vtdss_walk(const struct table_space *space, const struct vtdss_format *format,
		uint64_t root, uint64_t addr, uint8_t perm, bool update,
		struct table_result *result)
{
	uint64_t dirty = (perm & IOPF_WRITE) != 0 ? VTDSS_DIRTY : 0;
	const struct radix_marks marks = { .table = VTDSS_ACCESSED,
					   .leaf = VTDSS_ACCESSED | dirty };
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		if (!walk_once(space, format, root, addr, perm, &path, result))
			return false;
		if (!update || !format->accessed_dirty)
			return true;
		marked = radix_mark(space, &path, format->levels, &marks, result);
	}
	return radix_marks_end(marked, result);
}

int vtdss_create(struct vtdss_table *table, const struct iopf_memory *memory,
		 const struct table_pages *pages, const struct vtdss_format *format)
{
	struct vtdss_table made = { .memory = memory, .pages = *pages, .format = *format };
	int error = table_take_zeroed(memory, pages, 1, &made.root);

	if (error == 0)
		*table = made;
	return error;
}

static struct radix_editor editor_of(const struct vtdss_table *table)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format),
				      .root = table->root };
}

void vtdss_destroy(const struct vtdss_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_destroy(&editor);
}

void vtdss_tidy(const struct vtdss_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_tidy(&editor);
}

static uint64_t bits_of(uint8_t perm)
{
	return ((perm & IOPF_READ) != 0 ? VTDSS_READ : 0) |
	       ((perm & IOPF_WRITE) != 0 ? VTDSS_WRITE : 0);
}

int vtdss_map(const struct vtdss_table *table, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint8_t perm)
{
	struct radix_editor editor = editor_of(table);

	return radix_map(&editor, addr, out, size_bytes, bits_of(perm));
}

int vtdss_unmap(const struct vtdss_table *table, uint64_t addr, uint64_t size_bytes)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, UINT64_MAX, 0);
}

int vtdss_protect(const struct vtdss_table *table, uint64_t addr, uint64_t size_bytes,
		  uint8_t perm)
{
	struct radix_editor editor = editor_of(table);

	if (bits_of(perm) == 0)
		return -EINVAL;
	return radix_change(&editor, addr, size_bytes, VTDSS_READ | VTDSS_WRITE,
			    bits_of(perm));
}
