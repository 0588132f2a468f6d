/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vmsas2.c - what the bits of Armv8 stage 2 tables allow, and their editor. */
#include "table/vmsas2.h"

#include <errno.h>

static struct radix_format radix_of(const struct vmsas2_format *format)
{
	return vmsa_radix(format->levels, format->input_bits, format->output_bits);
}

static bool manages_dirty(const struct vmsas2_format *format, uint64_t entry)
{
	return format->access && format->dirty && (entry & VMSA_DBM) != 0;
}

static uint8_t granted(const struct vmsas2_format *format, uint64_t leaf)
{
	return (uint8_t)(((leaf & VMSAS2_READ) != 0 ? IOPF_READ : 0) |
			 ((leaf & VMSAS2_WRITE) != 0 || manages_dirty(format, leaf) ?
				  IOPF_WRITE :
				  0) |
			 ((leaf & VMSAS2_NO_EXEC) == 0 ? IOPF_EXEC : 0));
}

static bool walk_once(const struct table_space *space, const struct vmsas2_format *format,
		      uint64_t addr, uint8_t perm, struct radix_path *path,
		      struct table_result *result)
{
	struct radix_format radix = radix_of(format);
	uint64_t leaf;

	if (!radix_walk(space, &radix, format->root, addr, path, result))
		return false;
	leaf = path->step[path->level].entry;
	if ((leaf & VMSA_ACCESSED) == 0 && !format->access && !format->access_off) {
		result->fault = TABLE_ACCESS;
		return false;
	}
	result->perm = granted(format, leaf);
	result->missing = perm & (uint8_t)~result->perm & (uint8_t)~IOPF_PRIV;
	if (result->missing == 0)
		return true;
	result->fault = TABLE_PERMISSION;
	return false;
}

static struct radix_marks marks_of(const struct vmsas2_format *format, uint64_t entry,
				   uint8_t perm)
{
	bool dirty = (perm & IOPF_WRITE) != 0 && manages_dirty(format, entry);

	return (struct radix_marks){ .leaf = (format->access ? VMSA_ACCESSED : 0) |
					     (dirty ? VMSAS2_WRITE : 0) };
}

bool vmsas2_walk(const struct table_space *space, const struct vmsas2_format *format,
		 uint64_t addr, uint8_t perm, bool update, struct table_result *result)
{
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		struct radix_marks marks;

		if (!walk_once(space, format, addr, perm, &path, result))
			return false;
		if (!update)
			return true;
		marks = marks_of(format, path.step[path.level].entry, perm);
		marked = radix_mark(space, &path, path.level, &marks, result);
	}
	return radix_marks_end(marked, result);
}

/* ---- Editor ------------------------------------------------------------------------- */

static struct radix_editor editor_of(const struct vmsas2_table *table)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format),
				      .root = table->format.root };
}

int vmsas2_create(struct vmsas2_table *table, const struct iopf_memory *memory,
		  const struct table_pages *pages, const struct vmsas2_format *format)
{
	struct vmsas2_table made = { .memory = memory,
				     .pages = *pages,
				     .format = *format };
	struct radix_format radix;
	int error;

	if (!vmsas2_start_fits(format->levels, format->input_bits))
		return -EINVAL;
	radix = radix_of(format);
	/* Hardware takes the root's address as a multiple of its size. */
	error = table_take_aligned(memory, pages, radix_pages(&radix, radix.levels),
				   &made.format.root);
	if (error == 0)
		*table = made;
	return error;
}

void vmsas2_destroy(const struct vmsas2_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_destroy(&editor);
}

void vmsas2_tidy(const struct vmsas2_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_tidy(&editor);
}

static uint64_t rights_of(uint8_t perm)
{
	return ((perm & IOPF_READ) != 0 ? VMSAS2_READ : 0) |
	       ((perm & IOPF_WRITE) != 0 ? VMSAS2_WRITE : 0) |
	       ((perm & IOPF_EXEC) != 0 ? 0 : VMSAS2_NO_EXEC);
}

int vmsas2_map(const struct vmsas2_table *table, uint64_t addr, uint64_t out,
	       uint64_t size_bytes, uint8_t perm, uint64_t marks)
{
	uint64_t bits = VMSA_VALID | VMSAS2_NORMAL | VMSA_INNER | rights_of(perm);
	struct radix_editor editor = editor_of(table);

	bits |= marks & VMSA_ACCESSED;
	if ((marks & VMSA_DBM) != 0 && (perm & IOPF_WRITE) != 0)
		bits = (bits | VMSA_DBM) & ~VMSAS2_WRITE;
	return radix_map(&editor, addr, out, size_bytes, bits);
}

int vmsas2_unmap(const struct vmsas2_table *table, uint64_t addr, uint64_t size_bytes)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, UINT64_MAX, 0);
}

int vmsas2_protect(const struct vmsas2_table *table, uint64_t addr, uint64_t size_bytes,
		   uint8_t perm)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes,
			    VMSAS2_READ | VMSAS2_WRITE | VMSAS2_NO_EXEC | VMSA_DBM,
			    rights_of(perm));
}
