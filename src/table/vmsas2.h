/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/vmsas2.h - Armv8 stage 2 page tables: VMSAv8-64, 4 KiB granule. The root may be
 * up to 16 tables that adjoin. (Arm Architecture Reference Manual, "Stage 2 translation";
 * the controls are those of a stream table entry, Arm SMMUv3, "STE, Stream Table Entry".)
 */
#ifndef TABLE_VMSAS2_H
#define TABLE_VMSAS2_H

#include "table/vmsa.h"

/* Valid, table, access flag, DBM and the contiguous hint are where stage 1 has them. */
#define VMSAS2_NORMAL   (UINT64_C(0xf) << 2) /* MemAttr: write-back */
#define VMSAS2_READ     (UINT64_C(1) << 6)   /* S2AP */
#define VMSAS2_WRITE    (UINT64_C(1) << 7)
#define VMSAS2_NO_EXEC  (UINT64_C(1) << 54)  /* XN[1]; XN[0] counts with XNX alone */

struct vmsas2_format {
	uint64_t root;
	uint8_t input_bits;  /* 64 - T0SZ */
	uint8_t levels;      /* 2, 3 or 4: SL0 + 2 */
	uint8_t output_bits; /* 32..48: the width of an address in an entry */
	bool access_off;     /* S2AFFD */
	bool access, dirty;  /* S2HA, S2HD */
};

/* Whether walks of @input_bits can start at @levels. ("S2InconsistentSL") */
static inline bool vmsas2_start_fits(uint8_t levels, uint8_t input_bits)
{
	return levels >= 2 && levels <= 4 && input_bits > RADIX_SHIFT(levels) &&
	       input_bits <= RADIX_SHIFT(levels + 1) + 4;
}

/* As vmsa_walk(): privilege does not exist here; a page may allow nothing. */
bool vmsas2_walk(const struct table_space *space, const struct vmsas2_format *format,
		 uint64_t addr, uint8_t perm, bool update, struct table_result *result);

/* Tables for the one thread that edits them. */
struct vmsas2_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct vmsas2_format format;
};

/* An empty root. Returns: 0, -EINVAL (levels, input_bits), or as table_take_aligned(). */
int vmsas2_create(struct vmsas2_table *table, const struct iopf_memory *memory,
		  const struct table_pages *pages, const struct vmsas2_format *format);
/* As radix_destroy() and radix_tidy(). */
void vmsas2_destroy(const struct vmsas2_table *table);
void vmsas2_tidy(const struct vmsas2_table *table);

/* @perm: IOPF_READ, IOPF_WRITE, IOPF_EXEC; IOPF_PRIV means nothing. @marks: as
 * vmsa_map(): VMSA_ACCESSED, VMSA_DBM. Returns: as radix_map(). */
int vmsas2_map(const struct vmsas2_table *table, uint64_t addr, uint64_t out,
	       uint64_t size_bytes, uint8_t perm, uint64_t marks);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int vmsas2_unmap(const struct vmsas2_table *table, uint64_t addr, uint64_t size_bytes);
int vmsas2_protect(const struct vmsas2_table *table, uint64_t addr, uint64_t size_bytes,
		   uint8_t perm);

#endif
