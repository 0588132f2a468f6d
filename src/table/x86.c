/* SPDX-License-Identifier: BSD-3-Clause */
/* table/x86.c - what the bits of x86-64 tables allow, and their editor. */
#include "table/x86.h"

/* A large bit above level 3 needs no mask: no such level maps a page, so it is reserved. */
static struct radix_format radix_of(const struct x86_format *format)
{
	uint64_t in_entry = UINT64_C(0x000ffffffffff000);
	uint64_t address = in_entry & UINT64_MAX >> (64 - format->address_bits);

	return (struct radix_format){
		.present = X86_PRESENT,
		.address = address,
		.reserved = in_entry & ~address,
		.kind = X86_LARGE,
		.kind_page = X86_LARGE,
		.large_pat = X86_LARGE_PAT,
		.table_bits = X86_PRESENT | X86_WRITE | X86_USER,
		.levels = format->levels,
		.leaf_levels = format->pages_1g ? 0xe : 0x6,
		.input_bits = (uint8_t)RADIX_SHIFT(format->levels + 1),
		.fault_reserved = TABLE_RESERVED,
		.fault_leaf = TABLE_RESERVED,
		.sign_extended = true,
	};
}

/* The rights that a path gives to an access of this privilege. */
static uint8_t granted(const struct x86_format *format, const struct radix_path *path,
		       bool privileged)
{
	bool writable = (path->all & X86_WRITE) != 0;
	uint8_t perm = IOPF_READ;

	if (privileged ? !format->supervisor : (path->all & X86_USER) == 0)
		return 0;
	if (writable || (privileged && !format->write_protect))
		perm |= IOPF_WRITE;
	if (!format->exec || (path->any & X86_NO_EXEC) == 0)
		perm |= IOPF_EXEC;
	return privileged ? perm | IOPF_PRIV : perm;
}

bool x86_walk_path(const struct table_space *space, const struct x86_format *format,
		   uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		   struct table_result *result)
{
	struct radix_format radix = radix_of(format);
	bool privileged = (perm & IOPF_PRIV) != 0;

	if (!radix_walk(space, &radix, root, addr, path, result))
		return false;
	result->perm = granted(format, path, privileged);
	if (result->perm == 0)
		result->missing = IOPF_PRIV;
	else
		result->missing = perm & (uint8_t)~result->perm;
	if (result->missing == 0)
		return true;
	result->fault = TABLE_PERMISSION;
	return false;
}

uint64_t x86_marks(const struct x86_format *format, uint8_t perm, bool leaf)
{
	return X86_ACCESSED | (format->extended ? X86_EXTENDED : 0) |
	       (leaf && (perm & IOPF_WRITE) != 0 ? X86_DIRTY : 0);
}

bool x86_walk(const struct table_space *space, const struct x86_format *format,
	      uint64_t root, uint64_t addr, uint8_t perm, bool update,
	      struct table_result *result)
{
	const struct radix_marks marks = { .table = x86_marks(format, perm, false),
					   .leaf = x86_marks(format, perm, true) };
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		if (!x86_walk_path(space, format, root, addr, perm, &path, result))
			return false;
		if (!update)
			return true;
		marked = radix_mark(space, &path, format->levels, &marks, result);
	}
	return radix_marks_end(marked, result);
}

/* Hardware writes accessed and dirty bits where they are not set, once the whole walk is
 * allowed. */
bool x86_needs(const struct table_space *space, const struct x86_format *format,
	       uint64_t root, uint64_t addr, uint8_t perm, table_need *need, void *context,
	       struct table_result *result)
{
	struct radix_path path;
	bool found = x86_walk_path(space, format, root, addr, perm, &path, result);

	for (unsigned level = format->levels; level >= path.level && level > 0; level--) {
		const struct radix_step *step = &path.step[level];
		uint64_t marks = found ? x86_marks(format, perm, level == path.level) : 0;
		bool marked = (step->entry & marks) == marks;

		need(context, step->addr, marked ? IOPF_READ : IOPF_READ | IOPF_WRITE);
	}
	if (found)
		need(context, result->addr, perm);
	return found;
}

int x86_create(struct x86_table *table, const struct iopf_memory *memory,
	       const struct table_pages *pages, const struct x86_format *format)
{
	struct x86_table made = { .memory = memory, .pages = *pages, .format = *format };
	int error = table_take_zeroed(memory, pages, 1, &made.root);

	if (error == 0)
		*table = made;
	return error;
}

static struct radix_editor editor_of(const struct x86_table *table)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format),
				      .root = table->root };
}

void x86_destroy(const struct x86_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_destroy(&editor);
}

void x86_tidy(const struct x86_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_tidy(&editor);
}

static uint64_t bits_of(uint8_t perm)
{
	return X86_PRESENT | ((perm & IOPF_WRITE) != 0 ? X86_WRITE : 0) |
	       ((perm & IOPF_PRIV) != 0 ? 0 : X86_USER) |
	       ((perm & IOPF_EXEC) != 0 ? 0 : X86_NO_EXEC);
}

int x86_map(const struct x86_table *table, uint64_t addr, uint64_t out,
	    uint64_t size_bytes, uint8_t perm, uint64_t marks)
{
	struct radix_editor editor = editor_of(table);

	marks &= X86_ACCESSED | X86_DIRTY;
	return radix_map(&editor, addr, out, size_bytes, bits_of(perm) | marks);
}

int x86_unmap(const struct x86_table *table, uint64_t addr, uint64_t size_bytes)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, UINT64_MAX, 0);
}

int x86_protect(const struct x86_table *table, uint64_t addr, uint64_t size_bytes,
		uint8_t perm)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, X86_WRITE | X86_USER | X86_NO_EXEC,
			    bits_of(perm));
}
