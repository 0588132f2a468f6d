/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/vtdss.h - VT-d second-level page tables: 3, 4 and 5 levels (39, 48 and 57 bits).
 * There is no present bit: an entry is present if it lets read or write. (Intel VT-d
 * specification, "Second-Stage Paging Entries".)
 */
#ifndef TABLE_VTDSS_H
#define TABLE_VTDSS_H

#include "table/radix.h"

#define VTDSS_READ     (UINT64_C(1) << 0)
#define VTDSS_WRITE    (UINT64_C(1) << 1)
#define VTDSS_LARGE    RADIX_LARGE
#define VTDSS_ACCESSED (UINT64_C(1) << 8)
#define VTDSS_DIRTY    (UINT64_C(1) << 9)
#define VTDSS_SNOOP    (UINT64_C(1) << 11)

struct vtdss_format {
	uint8_t levels;       /* 3, 4 or 5 */
	uint8_t address_bits; /* 32..52: the width of an address in an entry */
	bool pages_2m;        /* SLLPS */
	bool pages_1g;
	bool accessed_dirty;  /* SLADS and SLADE: a walk that updates sets them */
};

/*
 * As x86_walk(): privilege does not exist here, and what may be read may be executed.
 * @update sets marks only where the format has them on.
 */
bool vtdss_walk(const struct table_space *space, const struct vtdss_format *format,
		uint64_t root, uint64_t addr, uint8_t perm, bool update,
		struct table_result *result);

/* Tables for the one thread that edits them. */
struct vtdss_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct vtdss_format format;
	uint64_t root;
};

/* An empty root. Returns: 0, or as table_take_zeroed(). */
int vtdss_create(struct vtdss_table *table, const struct iopf_memory *memory,
		 const struct table_pages *pages, const struct vtdss_format *format);
/* As radix_destroy() and radix_tidy(). */
void vtdss_destroy(const struct vtdss_table *table);
void vtdss_tidy(const struct vtdss_table *table);

/* @perm: IOPF_READ, IOPF_WRITE or both. Returns: as radix_map(). */
int vtdss_map(const struct vtdss_table *table, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint8_t perm);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int vtdss_unmap(const struct vtdss_table *table, uint64_t addr, uint64_t size_bytes);
/* -EINVAL also where @perm holds neither right: that is unmap. */
int vtdss_protect(const struct vtdss_table *table, uint64_t addr, uint64_t size_bytes,
		  uint8_t perm);

#endif
