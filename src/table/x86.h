/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/x86.h - x86-64 page tables as an IOMMU walks them: VT-d first level, 4 and 5
 * levels. (Intel VT-d specification, "First-Stage Paging Entries"; the bits are those of
 * the processor's own tables.)
 */
#ifndef TABLE_X86_H
#define TABLE_X86_H

#include "table/radix.h"

#define X86_PRESENT   (UINT64_C(1) << 0)
#define X86_WRITE     (UINT64_C(1) << 1)
#define X86_USER      (UINT64_C(1) << 2)
#define X86_ACCESSED  (UINT64_C(1) << 5)
#define X86_DIRTY     (UINT64_C(1) << 6)
#define X86_LARGE     RADIX_LARGE
#define X86_EXTENDED  (UINT64_C(1) << 10) /* extended accessed, where EAFE is on */
#define X86_LARGE_PAT (UINT64_C(1) << 12)
#define X86_NO_EXEC   (UINT64_C(1) << 63)

/* What of the format a walker's IOMMU and context have. */
struct x86_format {
	uint8_t levels;       /* 4 or 5 */
	uint8_t address_bits; /* 32..52: the width of an address in an entry */
	bool pages_1g;        /* FL1GP: a level 3 entry may map 1 GiB */
	bool supervisor;      /* SRE: privileged accesses are allowed at all */
	bool write_protect;   /* WPE: a privileged write respects R/W */
	bool exec;            /* ERE: bit 63 means something */
	bool extended;        /* EAFE: extended accessed is set with accessed */
};

/*
 * Walk the tables at @root for an access of @perm (enum iopf_perm) to @addr. With @update
 * the accessed bit of every entry used is set, and the dirty bit of the leaf if it is a
 * write: when the access is allowed, and by compare-and-swap of what was checked.
 * Without, nothing is written.
 *
 * Returns: true, or false: the fault is in @result (TABLE_PERMISSION leaves the output
 *          address, size and rights there as well).
 */
bool x86_walk(const struct table_space *space, const struct x86_format *format,
	      uint64_t root, uint64_t addr, uint8_t perm, bool update,
	      struct table_result *result);

/* The same without update; @path tells the entries that were used. */
bool x86_walk_path(const struct table_space *space, const struct x86_format *format,
		   uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		   struct table_result *result);

/* The marks that an access of @perm leaves in an entry: the leaf, or one above. */
uint64_t x86_marks(const struct x86_format *format, uint8_t perm, bool leaf);

/*
 * Every page that an access needs in the stage below: each table that the walk uses, as far
 * down as it comes, for writing too where hardware sets a mark; then the page itself.
 *
 * Returns: as x86_walk().
 */
bool x86_needs(const struct table_space *space, const struct x86_format *format,
	       uint64_t root, uint64_t addr, uint8_t perm, table_need *need, void *context,
	       struct table_result *result);

/* Tables for the one thread that edits them. */
struct x86_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct x86_format format;
	uint64_t root;
};

/* An empty root. Returns: 0, or as table_take_zeroed(). */
int x86_create(struct x86_table *table, const struct iopf_memory *memory,
	       const struct table_pages *pages, const struct x86_format *format);
/* As radix_destroy() and radix_tidy(). */
void x86_destroy(const struct x86_table *table);
void x86_tidy(const struct x86_table *table);

/*
 * @perm: enum iopf_perm; reading is always allowed, IOPF_PRIV makes the page the
 * supervisor's. @marks: X86_ACCESSED, X86_DIRTY, set beforehand.
 *
 * Returns: as radix_map().
 */
int x86_map(const struct x86_table *table, uint64_t addr, uint64_t out,
	    uint64_t size_bytes, uint8_t perm, uint64_t marks);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int x86_unmap(const struct x86_table *table, uint64_t addr, uint64_t size_bytes);
int x86_protect(const struct x86_table *table, uint64_t addr, uint64_t size_bytes,
		uint8_t perm);

#endif
