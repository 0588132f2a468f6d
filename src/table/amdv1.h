/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/amdv1.h - AMD host page tables ("v1"): 1 to 6 levels, up to 64 bits of input.
 * Each entry says the level of what it leads to: a table, not always of the next level,
 * or a page, whose address can hold its size. (AMD I/O Virtualization Technology (IOMMU)
 * Specification, 48882, "I/O Page Tables for Host Translations".)
 */
#ifndef TABLE_AMDV1_H
#define TABLE_AMDV1_H

#include "table/radix.h"

#define AMDV1_PRESENT  (UINT64_C(1) << 0)
#define AMDV1_ACCESSED (UINT64_C(1) << 5)
#define AMDV1_DIRTY    (UINT64_C(1) << 6)
/* NextLevel: 1..6 a table of that level; 0 a page of the entry's own size; 7 a page
 * whose size its address says: the first bit from 12 up that is 0 is half of it. */
#define AMDV1_LEVEL        (UINT64_C(7) << 9)
#define AMDV1_PAGE_SIZED   AMDV1_LEVEL
#define AMDV1_UNTRANSLATED (UINT64_C(1) << 59) /* U: what ATS says of a page */
#define AMDV1_COHERENT     (UINT64_C(1) << 60) /* FC: the same */
#define AMDV1_READ         (UINT64_C(1) << 61) /* IR */
#define AMDV1_WRITE        (UINT64_C(1) << 62) /* IW */

/* What of the format a device table entry and its IOMMU have. */
struct amdv1_format {
	uint8_t levels;       /* Mode: 1..6 */
	uint8_t address_bits; /* 32..52: the width of an address in an entry */
	bool no_read;         /* IR, IW of the device table entry are 0: nothing below */
	bool no_write;        /* lets read, or write */
	bool accessed, dirty; /* HAD: a walk that updates sets them; the second only
			       * together with the first */
};

/*
 * As x86_walk(): privilege does not exist here, and what may be read may be executed.
 * TABLE_ADDRESS: the input is too wide, or has bits that a skipped level would take.
 * @update sets marks only where the format has them on.
 */
bool amdv1_walk(const struct table_space *space, const struct amdv1_format *format,
		uint64_t root, uint64_t addr, uint8_t perm, bool update,
		struct table_result *result);

/* The same without update; @path tells the entries that were used. */
bool amdv1_walk_path(const struct table_space *space, const struct amdv1_format *format,
		     uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		     struct table_result *result);

/* What an access of @perm leaves in the entries that it used. */
struct radix_marks amdv1_marks(const struct amdv1_format *format, uint8_t perm);

/* Tables for the one thread that edits them. */
struct amdv1_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct amdv1_format format;
	uint64_t root;
};

/* An empty root. Returns: 0, -EINVAL (levels, address_bits), or as table_take_zeroed(). */
int amdv1_create(struct amdv1_table *table, const struct iopf_memory *memory,
		 const struct table_pages *pages, const struct amdv1_format *format);
/* As radix_destroy() and radix_tidy(). */
void amdv1_destroy(const struct amdv1_table *table);
void amdv1_tidy(const struct amdv1_table *table);

/* @perm: IOPF_READ, IOPF_WRITE, both or neither. @marks: AMDV1_ACCESSED, AMDV1_DIRTY, set
 * beforehand. @size_bytes: any power of two from 4096 to 2^53 that
 * is smaller than what the table spans, if the address width can say it.
 * Returns: as radix_map(). */
int amdv1_map(const struct amdv1_table *table, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint8_t perm, uint64_t marks);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int amdv1_unmap(const struct amdv1_table *table, uint64_t addr, uint64_t size_bytes);
int amdv1_protect(const struct amdv1_table *table, uint64_t addr, uint64_t size_bytes,
		  uint8_t perm);

#endif
