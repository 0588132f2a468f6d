/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/vmsa.h - Armv8 stage 1 page tables as an SMMU walks them: VMSAv8-64, 4 KiB
 * granule, up to 48 bits of input in each of two halves, 48 bits of output. (Arm
 * Architecture Reference Manual, "The VMSAv8-64 translation table format descriptors";
 * the controls are those of a context descriptor, Arm SMMUv3, "CD, Context Descriptor".)
 *
 * Arm counts levels from 0 at the top to 3; a level here is 4 less that.
 */
#ifndef TABLE_VMSA_H
#define TABLE_VMSA_H

#include "table/radix.h"

#define VMSA_VALID      (UINT64_C(1) << 0)
#define VMSA_TABLE      (UINT64_C(1) << 1) /* a table; at the last level a page */
#define VMSA_ATTR(n)    ((uint64_t)(n) << 2)
#define VMSA_USER       (UINT64_C(1) << 6) /* AP[1]: unprivileged accesses are allowed */
#define VMSA_READ_ONLY  (UINT64_C(1) << 7) /* AP[2] */
#define VMSA_INNER      (UINT64_C(3) << 8) /* SH: inner shareable */
#define VMSA_ACCESSED   (UINT64_C(1) << 10) /* AF */
#define VMSA_NOT_GLOBAL (UINT64_C(1) << 11)
#define VMSA_DBM        (UINT64_C(1) << 51) /* writable though read-only: clean */
#define VMSA_CONTIGUOUS (UINT64_C(1) << 52) /* a hint: nothing here takes it */
#define VMSA_PXN        (UINT64_C(1) << 53)
#define VMSA_UXN        (UINT64_C(1) << 54)

/* In an entry that leads to a table, for everything below it. */
#define VMSA_TABLE_PXN       (UINT64_C(1) << 59)
#define VMSA_TABLE_UXN       (UINT64_C(1) << 60)
#define VMSA_TABLE_NO_USER   (UINT64_C(1) << 61) /* APTable[0] */
#define VMSA_TABLE_READ_ONLY (UINT64_C(1) << 62) /* APTable[1] */

enum {
	VMSA_INPUT_BITS_MIN = 25, /* TxSZ 39 */
	VMSA_INPUT_BITS_MAX = 48, /* TxSZ 16 */
};

/* Addresses with bit 55 clear go through half 0, the others through half 1. */
struct vmsa_half {
	uint64_t root;
	uint8_t input_bits;  /* 64 - TxSZ */
	bool disabled;       /* EPDx: every walk misses */
	bool top_ignored;    /* TBIx: the input's top byte means nothing */
	bool flat;           /* HADx: table entries hold no rights */
};

struct vmsa_format {
	struct vmsa_half half[2];
	uint8_t output_bits; /* 32..48: the width of an address in an entry */
	bool access_off;     /* AFFD: an access flag that is clear does not matter */
	bool access, dirty;  /* HA, HD: a walk that updates sets them; HD needs HA */
	bool write_no_exec;  /* WXN */
	bool private_users;  /* PAN: privileged data accesses keep off users' pages */
};

/*
 * Walk for an access of @perm (enum iopf_perm) to @addr, as x86_walk(). An instruction
 * fetch is IOPF_EXEC alone; with IOPF_READ both rights have to be there. Faults come in
 * this order: not present (also an input outside of its half: TABLE_ADDRESS), an address
 * too wide (TABLE_SIZE), access flag, permission. @update sets what access and dirty let.
 */
bool vmsa_walk(const struct table_space *space, const struct vmsa_format *format,
	       uint64_t addr, uint8_t perm, bool update, struct table_result *result);

/* The same without update; @path tells the entries that were used. */
bool vmsa_walk_path(const struct table_space *space, const struct vmsa_format *format,
		    uint64_t addr, uint8_t perm, struct radix_path *path,
		    struct table_result *result);

/* What an access of @perm leaves in the leaf @entry. */
struct radix_marks vmsa_marks(const struct vmsa_format *format, uint64_t entry,
			      uint8_t perm);

/* Levels of tables that resolve @input_bits. */
static inline uint8_t vmsa_levels(uint8_t input_bits)
{
	return (uint8_t)((input_bits - 4) / 9);
}

/* What both stages' tables have in common. */
struct radix_format vmsa_radix(uint8_t levels, uint8_t input_bits, uint8_t output_bits);

/* Tables for the one thread that edits them. A large page that is cut is replaced by a
 * table in one step: SMMUs with IDR3.BBML 2 allow that, others want it unmapped first. */
struct vmsa_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct vmsa_format format;
};

/* An empty root for each half that is not disabled. Returns: 0, or as
 * table_take_zeroed(). */
int vmsa_create(struct vmsa_table *table, const struct iopf_memory *memory,
		const struct table_pages *pages, const struct vmsa_format *format);
/* As radix_destroy() and radix_tidy(). */
void vmsa_destroy(const struct vmsa_table *table);
void vmsa_tidy(const struct vmsa_table *table);

/*
 * @perm: reading is always allowed, IOPF_PRIV makes the page the privileged's alone.
 * @marks: VMSA_ACCESSED, set beforehand; VMSA_DBM: a page that may be written starts
 * clean, and whoever writes first (hardware with HD) makes it dirty.
 *
 * Returns: as radix_map(); -EINVAL also for an address outside of the halves.
 */
int vmsa_map(const struct vmsa_table *table, uint64_t addr, uint64_t out,
	     uint64_t size_bytes, uint8_t perm, uint64_t marks);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int vmsa_unmap(const struct vmsa_table *table, uint64_t addr, uint64_t size_bytes);
int vmsa_protect(const struct vmsa_table *table, uint64_t addr, uint64_t size_bytes,
		 uint8_t perm);

#endif
