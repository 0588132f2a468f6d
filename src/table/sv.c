/* SPDX-License-Identifier: BSD-3-Clause */
/* table/sv.c - what the bits of RISC-V tables allow, and their editor. */
#include "table/sv.h"

#include <errno.h>

#define SV_ADDRESS  (UINT64_C(0xfffffffffff) << 10) /* PPN, of 44 bits */
#define SV_SOFTWARE (UINT64_C(3) << 59)             /* with Svrsw60t59b */
#define SV_RIGHTS   (SV_READ | SV_WRITE | SV_EXEC)

/* Widths of addresses are the walker's business: what a table's entry says beyond them is
 * no memory, not a malformed entry. */
static struct radix_format radix_of(const struct sv_format *format)
{
	return (struct radix_format){
		.present = SV_VALID,
		.address = SV_ADDRESS,
		.reserved = UINT64_C(0x1f) << 54 |
			    (format->software_bits ? 0 : SV_SOFTWARE) |
			    (format->pbmt ? 0 : SV_PBMT(3)),
		.reserved_table =
			SV_ACCESSED | SV_DIRTY | SV_USER | SV_PBMT(3) | SV_NAPOT,
		.kind = SV_RIGHTS,
		.table_bits = SV_VALID,
		.sized = SV_NAPOT,
		.sized_page = SV_NAPOT,
		.sized_levels = 1 << 1,
		.sized_counts = 1 << 4,
		.address_shift = 2,
		.levels = format->levels,
		.leaf_levels = 0x3e,
		.input_bits = sv_input_bits(format),
		.fault_reserved = TABLE_RESERVED,
		.fault_leaf = TABLE_RESERVED,
		.sign_extended = !format->second,
	};
}

/* What bits alone do not tell: at the last level nothing leads on, nothing is written
 * that cannot be read, and one memory type is reserved. */
static bool leaf_is_malformed(uint64_t leaf)
{
	uint64_t rights = leaf & SV_RIGHTS;

	return rights == 0 || (rights & (SV_READ | SV_WRITE)) == SV_WRITE ||
	       (leaf & SV_PBMT(3)) == SV_PBMT(3);
}

/* The rights that @leaf gives to an access of this privilege. */
static uint8_t granted(const struct sv_format *format, uint64_t leaf, bool privileged)
{
	bool user = (leaf & SV_USER) != 0;
	uint8_t perm = 0;

	if (privileged ? !format->supervisor || (user && !format->sum) : !user)
		return 0;
	if ((leaf & SV_READ) != 0)
		perm |= IOPF_READ;
	if ((leaf & SV_WRITE) != 0)
		perm |= IOPF_WRITE;
	if ((leaf & SV_EXEC) != 0 && !(privileged && user))
		perm |= IOPF_EXEC;
	return privileged && perm != 0 ? perm | IOPF_PRIV : perm;
}

/* The first of entry, permission, accessed and dirty that stands against @perm. */
static enum table_fault judge(const struct sv_format *format, uint64_t leaf, uint8_t perm,
			      struct table_result *result)
{
	bool dirty = (leaf & SV_DIRTY) != 0, write = (perm & IOPF_WRITE) != 0;

	if (leaf_is_malformed(leaf))
		return TABLE_RESERVED;
	if (result->addr >> format->address_bits != 0)
		return TABLE_SIZE;
	result->perm = granted(format, leaf, (perm & IOPF_PRIV) != 0);
	result->missing = result->perm == 0 ? IOPF_PRIV : perm & (uint8_t)~result->perm;
	if (result->missing != 0)
		return TABLE_PERMISSION;
	if (!dirty && !(write && format->update))
		result->perm &= (uint8_t)~IOPF_WRITE;
	if (!format->update && ((leaf & SV_ACCESSED) == 0 || (write && !dirty)))
		return TABLE_ACCESS;
	return TABLE_OK;
}

bool sv_walk_path(const struct table_space *space, const struct sv_format *format,
		  uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		  struct table_result *result)
{
	struct radix_format radix = radix_of(format);
	enum table_fault fault;

	if (!radix_walk(space, &radix, root, addr, path, result))
		return false;
	if (format->second) /* each access there is a user's */
		perm &= (uint8_t)~IOPF_PRIV;
	fault = judge(format, path->step[path->level].entry, perm, result);
	result->fault = (uint8_t)fault;
	if (fault == TABLE_RESERVED || fault == TABLE_SIZE) {
		result->addr = 0;
		result->size_bytes = 0;
	}
	return fault == TABLE_OK;
}

struct radix_marks sv_marks(const struct sv_format *format, uint8_t perm)
{
	uint64_t leaf = (perm & IOPF_WRITE) != 0 ? SV_ACCESSED | SV_DIRTY : SV_ACCESSED;

	return (struct radix_marks){ .leaf = format->update ? leaf : 0 };
}

bool sv_walk(const struct table_space *space, const struct sv_format *format,
	     uint64_t root, uint64_t addr, uint8_t perm, bool update,
	     struct table_result *result)
{
	const struct radix_marks marks = sv_marks(format, perm);
	enum radix_marked marked = RADIX_CHANGED;
	struct radix_path path;

	for (unsigned i = 0; marked == RADIX_CHANGED && i < RADIX_ATTEMPTS; i++) {
		if (!sv_walk_path(space, format, root, addr, perm, &path, result))
			return false;
		if (!update)
			return true;
		marked = radix_mark(space, &path, path.level, &marks, result);
	}
	return radix_marks_end(marked, result);
}

/* ---- Editor ------------------------------------------------------------------------- */

int sv_create(struct sv_table *table, const struct iopf_memory *memory,
	      const struct table_pages *pages, const struct sv_format *format)
{
	struct sv_table made = { .memory = memory, .pages = *pages, .format = *format };
	int error;

	if (format->levels < 3 || format->levels > 5 || format->address_bits < 32 ||
	    format->address_bits > 56)
		return -EINVAL;
	error = table_take_aligned(memory, pages, format->second ? 4 : 1, &made.root);
	if (error == 0)
		*table = made;
	return error;
}

int sv_identity(const struct iopf_memory *memory, const struct table_pages *pages,
		const struct sv_format *format, uint64_t *root)
{
	const uint64_t all = SV_VALID | SV_RIGHTS | SV_USER | SV_ACCESSED | SV_DIRTY;
	struct sv_table table;
	int error = sv_create(&table, memory, pages, format);
	uint64_t entries = UINT64_C(1) << (sv_input_bits(format) - RADIX_SHIFT(format->levels));

	/* An address stands two bits lower in an entry. */
	for (uint64_t i = 0; error == 0 && i < entries; i++)
		if (!table_publish64(memory, table.root + sizeof(uint64_t) * i,
				     i * RADIX_SPAN(format->levels) >> 2 | all))
			error = -EFAULT;
	if (error == 0)
		*root = table.root;
	return error;
}

static struct radix_editor editor_of(const struct sv_table *table)
{
	return (struct radix_editor){ .memory = table->memory,
				      .pages = &table->pages,
				      .format = radix_of(&table->format),
				      .root = table->root };
}

void sv_destroy(const struct sv_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_destroy(&editor);
}

void sv_tidy(const struct sv_table *table)
{
	struct radix_editor editor = editor_of(table);

	radix_tidy(&editor);
}

/* 0: cannot be said. */
static uint64_t rights_of(const struct sv_format *format, uint8_t perm)
{
	uint64_t rights = 0;

	if ((perm & (IOPF_READ | IOPF_WRITE)) != 0)
		rights |= SV_READ;
	if ((perm & IOPF_WRITE) != 0)
		rights |= SV_WRITE;
	if ((perm & IOPF_EXEC) != 0)
		rights |= SV_EXEC;
	if (rights != 0 && (format->second || (perm & IOPF_PRIV) == 0))
		rights |= SV_USER;
	return rights;
}

int sv_map(const struct sv_table *table, uint64_t addr, uint64_t out, uint64_t size_bytes,
	   uint8_t perm, uint64_t marks)
{
	uint64_t rights = rights_of(&table->format, perm);
	struct radix_editor editor = editor_of(table);

	if (rights == 0 || out >> table->format.address_bits != 0)
		return -EINVAL;
	marks &= SV_ACCESSED | SV_DIRTY | SV_GLOBAL;
	return radix_map(&editor, addr, out, size_bytes, SV_VALID | rights | marks);
}

int sv_unmap(const struct sv_table *table, uint64_t addr, uint64_t size_bytes)
{
	struct radix_editor editor = editor_of(table);

	return radix_change(&editor, addr, size_bytes, UINT64_MAX, 0);
}

int sv_protect(const struct sv_table *table, uint64_t addr, uint64_t size_bytes,
	       uint8_t perm)
{
	uint64_t rights = rights_of(&table->format, perm);
	struct radix_editor editor = editor_of(table);

	if (rights == 0)
		return -EINVAL;
	return radix_change(&editor, addr, size_bytes, SV_RIGHTS | SV_USER, rights);
}
