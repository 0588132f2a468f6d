/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vmsa.c - what the bits of Armv8 stage 1 tables allow, and their editor. */
#include "table/vmsa.h"

#include <errno.h>

/* Bits 47..12; 50..48 mean nothing without 52-bit addresses. */
#define VMSA_ADDRESS UINT64_C(0x0000fffffffff000)

struct radix_format vmsa_radix(uint8_t levels, uint8_t input_bits, uint8_t output_bits)
{
	uint64_t address = VMSA_ADDRESS & UINT64_MAX >> (64 - output_bits);

	return (struct radix_format){
		.present = VMSA_VALID,
		.address = address,
		.reserved = VMSA_ADDRESS & ~address,
		.kind = VMSA_TABLE,
		.kind_table = VMSA_TABLE,
		.last = VMSA_TABLE,
		.large_ignored = RADIX_SPAN(3) - TABLE_PAGE_BYTES,
		.table_bits = VMSA_VALID | VMSA_TABLE,
		.levels = levels,
		.leaf_levels = 0xe,
		.input_bits = input_bits,
		.fault_reserved = TABLE_SIZE,
		.fault_leaf = TABLE_NOT_PRESENT,
	};
}

static struct radix_format radix_of(const struct vmsa_format *format,
				    const struct vmsa_half *half)
{
	return vmsa_radix(vmsa_levels(half->input_bits), half->input_bits,
			  format->output_bits);
}

/* Whose half an address is. False: none's. *@low is what its tables are indexed by. */
static bool half_of(const struct vmsa_format *format, uint64_t addr,
		    const struct vmsa_half **half, uint64_t *low)
{
	unsigned index = addr >> 55 & 1;
	const struct vmsa_half *it = &format->half[index];
	unsigned top = it->top_ignored ? 8 : 0;
	uint64_t above = (addr << top) >> top >> it->input_bits;

	*half = it;
	*low = addr & UINT64_MAX >> (64 - it->input_bits);
	return above == (index == 0 ? 0 : UINT64_MAX >> top >> it->input_bits);
}

/* Table entries above the leaf. */
static uint64_t above_leaf(const struct radix_path *path, unsigned levels)
{
	uint64_t any = 0;

	for (unsigned level = path->level + 1u; level <= levels; level++)
		any |= path->step[level].entry;
	return any;
}

static bool manages_dirty(const struct vmsa_format *format, uint64_t entry)
{
	return format->access && format->dirty && (entry & VMSA_DBM) != 0;
}

/* The rights that a leaf below tables of these rights gives. */
static uint8_t granted(const struct vmsa_format *format, uint64_t leaf, uint64_t tables,
		       bool privileged)
{
	bool user = (leaf & VMSA_USER) != 0 && (tables & VMSA_TABLE_NO_USER) == 0;
	bool write = ((leaf & VMSA_READ_ONLY) == 0 || manages_dirty(format, leaf)) &&
		     (tables & VMSA_TABLE_READ_ONLY) == 0;
	bool exec = privileged ?
			    (leaf & VMSA_PXN) == 0 && (tables & VMSA_TABLE_PXN) == 0 :
			    (leaf & VMSA_UXN) == 0 && (tables & VMSA_TABLE_UXN) == 0;
	bool data = privileged ? !(user && format->private_users) : user;
	bool writable = write && (privileged || user);
	uint8_t perm = 0;

	/* What users may write is never executed by the privileged. */
	if ((privileged && user && write) || (writable && format->write_no_exec))
		exec = false;
	if (data)
		perm |= (uint8_t)(IOPF_READ | (write ? IOPF_WRITE : 0));
	if (exec)
		perm |= IOPF_EXEC;
	return privileged && perm != 0 ? perm | IOPF_PRIV : perm;
}

/* The first of address, translation, access flag and permission that stands against it. */
static enum table_fault find(const struct table_space *space,
			     const struct vmsa_format *format, uint64_t addr,
			     uint8_t perm, struct radix_path *path,
			     struct table_result *result)
{
	const struct vmsa_half *half;
	struct radix_format radix;
	uint64_t low, leaf;

	*result = (struct table_result){ 0 };
	*path = (struct radix_path){ 0 };
	if (!half_of(format, addr, &half, &low))
		return half->disabled ? TABLE_NOT_PRESENT : TABLE_ADDRESS;
	if (half->disabled)
		return TABLE_NOT_PRESENT;
	radix = radix_of(format, half);
	if (!radix_walk(space, &radix, half->root, low, path, result))
		return (enum table_fault)result->fault;
	leaf = path->step[path->level].entry;
	if ((leaf & VMSA_ACCESSED) == 0 && !format->access && !format->access_off)
		return TABLE_ACCESS;
	result->perm =
		granted(format, leaf, half->flat ? 0 : above_leaf(path, radix.levels),
			(perm & IOPF_PRIV) != 0);
	result->missing = result->perm == 0 ? IOPF_PRIV : perm & (uint8_t)~result->perm;
	return result->missing == 0 ? TABLE_OK : TABLE_PERMISSION;
}

bool vmsa_walk_path(const struct table_space *space, const struct vmsa_format *format,
		    uint64_t addr, uint8_t perm, struct radix_path *path,
		    struct table_result *result)
{
	result->fault = (uint8_t)find(space, format, addr, perm, path, result);
	return result->fault == TABLE_OK;
}

struct radix_marks vmsa_marks(const struct vmsa_format *format, uint64_t entry,
			      uint8_t perm)
{
	bool dirty = (perm & IOPF_WRITE) != 0 && manages_dirty(format, entry);

	return (struct radix_marks){ .leaf = format->access ? VMSA_ACCESSED : 0,
				     .clear = dirty ? VMSA_READ_ONLY : 0 };
}

bool vmsa_walk(const struct table_space *space, const struct vmsa_format *format,
	       uint64_t addr, uint8_t perm, bool update, struct table_result *result)
{
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		struct radix_marks marks;

		if (!vmsa_walk_path(space, format, addr, perm, &path, result))
			return false;
		if (!update)
			return true;
		marks = vmsa_marks(format, path.step[path.level].entry, perm);
		marked = radix_mark(space, &path, path.level, &marks, result);
	}
	return radix_marks_end(marked, result);
}

/* ---- Editor ------------------------------------------------------------------------- */

static struct radix_editor editor_of(const struct vmsa_table *table,
				     const struct vmsa_half *half)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format, half),
				      .root = half->root };
}

/* The half that has all of a range. *@low is where it begins there. */
static bool half_of_range(const struct vmsa_table *table, uint64_t addr,
			  uint64_t size_bytes, const struct vmsa_half **half,
			  uint64_t *low)
{
	uint64_t last = addr + size_bytes - 1, ignored;
	const struct vmsa_half *other;

	return size_bytes != 0 && last >= addr &&
	       half_of(&table->format, last, &other, &ignored) &&
	       half_of(&table->format, addr, half, low) && *half == other &&
	       !other->disabled;
}

int vmsa_create(struct vmsa_table *table, const struct iopf_memory *memory,
		const struct table_pages *pages, const struct vmsa_format *format)
{
	struct vmsa_table made = { .memory = memory, .pages = *pages, .format = *format };

	for (unsigned i = 0; i < 2; i++) {
		struct vmsa_half *half = &made.format.half[i];
		int error = half->disabled ?
				    0 :
				    table_take_zeroed(memory, pages, 1, &half->root);

		if (error == 0)
			continue;
		if (i == 1 && !made.format.half[0].disabled && pages->give != NULL)
			pages->give(pages->context, made.format.half[0].root, 1);
		return error;
	}
	*table = made;
	return 0;
}

void vmsa_destroy(const struct vmsa_table *table)
{
	for (unsigned i = 0; i < 2; i++) {
		struct radix_editor editor = editor_of(table, &table->format.half[i]);

		if (!table->format.half[i].disabled)
			radix_destroy(&editor);
	}
}

void vmsa_tidy(const struct vmsa_table *table)
{
	for (unsigned i = 0; i < 2; i++) {
		struct radix_editor editor = editor_of(table, &table->format.half[i]);

		if (!table->format.half[i].disabled)
			radix_tidy(&editor);
	}
}

/* AP and XN of @perm. */
static uint64_t rights_of(uint8_t perm)
{
	bool privileged = (perm & IOPF_PRIV) != 0, exec = (perm & IOPF_EXEC) != 0;

	return ((perm & IOPF_WRITE) != 0 ? 0 : VMSA_READ_ONLY) |
	       (privileged ? 0 : VMSA_USER) | (exec && privileged ? 0 : VMSA_PXN) |
	       (exec && !privileged ? 0 : VMSA_UXN);
}

int vmsa_map(const struct vmsa_table *table, uint64_t addr, uint64_t out,
	     uint64_t size_bytes, uint8_t perm, uint64_t marks)
{
	uint64_t bits = VMSA_VALID | VMSA_INNER | VMSA_NOT_GLOBAL | rights_of(perm);
	const struct vmsa_half *half;
	struct radix_editor editor;
	uint64_t low;

	if (!half_of_range(table, addr, size_bytes, &half, &low))
		return -EINVAL;
	bits |= marks & VMSA_ACCESSED;
	if ((marks & VMSA_DBM) != 0 && (perm & IOPF_WRITE) != 0)
		bits |= VMSA_DBM | VMSA_READ_ONLY;
	editor = editor_of(table, half);
	return radix_map(&editor, low, out, size_bytes, bits);
}

static int change(const struct vmsa_table *table, uint64_t addr, uint64_t size_bytes,
		  uint64_t clear, uint64_t set)
{
	const struct vmsa_half *half;
	struct radix_editor editor;
	uint64_t low;

	if (!half_of_range(table, addr, size_bytes, &half, &low))
		return -EINVAL;
	editor = editor_of(table, half);
	return radix_change(&editor, low, size_bytes, clear, set);
}

int vmsa_unmap(const struct vmsa_table *table, uint64_t addr, uint64_t size_bytes)
{
	return change(table, addr, size_bytes, UINT64_MAX, 0);
}

int vmsa_protect(const struct vmsa_table *table, uint64_t addr, uint64_t size_bytes,
		 uint8_t perm)
{
	return change(table, addr, size_bytes,
		      VMSA_READ_ONLY | VMSA_USER | VMSA_PXN | VMSA_UXN | VMSA_DBM,
		      rights_of(perm));
}
