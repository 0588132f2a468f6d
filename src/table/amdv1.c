/* SPDX-License-Identifier: BSD-3-Clause */
/* table/amdv1.c - what the bits of AMD host tables allow, and their editor. */
#include "table/amdv1.h"

#include <errno.h>

/* Bits 58..52 are reserved, 63, 8..7 and 4..1 ignored. */
#define AMDV1_RESERVED (UINT64_C(0x7f) << 52)

static struct radix_format radix_of(const struct amdv1_format *format)
{
	uint64_t in_entry = UINT64_C(0x000ffffffffff000);
	uint64_t address = in_entry & UINT64_MAX >> (64 - format->address_bits);

	return (struct radix_format){
		.present = AMDV1_PRESENT,
		.address = address,
		.reserved = AMDV1_RESERVED | (in_entry & ~address),
		.next_level = AMDV1_LEVEL,
		.table_bits = AMDV1_PRESENT | AMDV1_READ | AMDV1_WRITE,
		.sized = AMDV1_LEVEL,
		.sized_page = AMDV1_PAGE_SIZED,
		.sized_ones = true,
		.sized_levels = 0x3e,
		.sized_counts = 0x1ff,
		.levels = format->levels,
		.leaf_levels = 0x3e, /* the sixth leads to tables alone */
		.input_bits =
			(uint8_t)(format->levels < 6 ? RADIX_SHIFT(format->levels + 1) :
						       64),
		.fault_reserved = TABLE_RESERVED,
		.fault_leaf = TABLE_RESERVED,
	};
}

/* The rights of every level and of the device table entry, ANDed. */
static uint8_t granted(const struct amdv1_format *format, const struct radix_path *path)
{
	uint8_t perm = 0;

	if ((path->all & AMDV1_READ) != 0 && !format->no_read)
		perm |= IOPF_READ | IOPF_EXEC;
	if ((path->all & AMDV1_WRITE) != 0 && !format->no_write)
		perm |= IOPF_WRITE;
	return perm;
}

bool amdv1_walk_path(const struct table_space *space, const struct amdv1_format *format,
		     uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		     struct table_result *result)
{
	struct radix_format radix = radix_of(format);

	if (!radix_walk(space, &radix, root, addr, path, result))
		return false;
	result->perm = granted(format, path);
	result->missing = perm & (uint8_t)~result->perm & (uint8_t)~IOPF_PRIV;
	if (result->missing == 0)
		return true;
	result->fault = TABLE_PERMISSION;
	return false;
}

struct radix_marks amdv1_marks(const struct amdv1_format *format, uint8_t perm)
{
	uint64_t accessed = format->accessed ? AMDV1_ACCESSED : 0;
	bool dirty = format->accessed && format->dirty && (perm & IOPF_WRITE) != 0;

	return (struct radix_marks){ .table = accessed,
				     .leaf = accessed | (dirty ? AMDV1_DIRTY : 0) };
}

bool amdv1_walk(const struct table_space *space, const struct amdv1_format *format,
		uint64_t root, uint64_t addr, uint8_t perm, bool update,
		struct table_result *result)
{
	const struct radix_marks marks = amdv1_marks(format, perm);
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		if (!amdv1_walk_path(space, format, root, addr, perm, &path, result))
			return false;
		if (!update)
			return true;
		marked = radix_mark(space, &path, format->levels, &marks, result);
	}
	return radix_marks_end(marked, result);
}

/* ---- Editor ------------------------------------------------------------------------- */

int amdv1_create(struct amdv1_table *table, const struct iopf_memory *memory,
		 const struct table_pages *pages, const struct amdv1_format *format)
{
	struct amdv1_table made = { .memory = memory,
				    .pages = *pages,
				    .format = *format };
	int error;

	if (format->levels < 1 || format->levels > 6 || format->address_bits < 32 ||
	    format->address_bits > 52)
		return -EINVAL;
	error = table_take_zeroed(memory, pages, 1, &made.root);
	if (error == 0)
		*table = made;
	return error;
}

static struct radix_editor editor_of(const struct amdv1_table *table)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format),
				      .root = table->root };
}

void amdv1_destroy(const struct amdv1_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_destroy(&editor);
}

void amdv1_tidy(const struct amdv1_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_tidy(&editor);
}

static uint64_t rights_of(uint8_t perm)
{
	return ((perm & IOPF_READ) != 0 ? AMDV1_READ : 0) |
	       ((perm & IOPF_WRITE) != 0 ? AMDV1_WRITE : 0);
}

int amdv1_map(const struct amdv1_table *table, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint8_t perm, uint64_t marks)
{
	struct radix_editor editor = editor_of(table);

	marks &= AMDV1_ACCESSED | AMDV1_DIRTY;
	return radix_map(&editor, addr, out, size_bytes,
			 AMDV1_PRESENT | rights_of(perm) | marks);
}

int amdv1_unmap(const struct amdv1_table *table, uint64_t addr, uint64_t size_bytes)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, UINT64_MAX, 0);
}

int amdv1_protect(const struct amdv1_table *table, uint64_t addr, uint64_t size_bytes,
		  uint8_t perm)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, AMDV1_READ | AMDV1_WRITE,
			    rights_of(perm));
}
