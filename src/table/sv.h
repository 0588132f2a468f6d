/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/sv.h - RISC-V page tables as an IOMMU walks them: Sv39, Sv48 and Sv57 (first
 * stage), Sv39x4, Sv48x4 and Sv57x4 (second stage). (RISC-V Privileged Architecture,
 * "Sv39: Page-Based 39-bit Virtual-Memory System" and following, "Hypervisor Extension",
 * "Svnapot", "Svpbmt"; the controls are those of a device and a process context,
 * RISC-V IOMMU Architecture, "Process to translate an IOVA".)
 */
#ifndef TABLE_SV_H
#define TABLE_SV_H

#include "table/radix.h"

#define SV_VALID    (UINT64_C(1) << 0)
#define SV_READ     (UINT64_C(1) << 1)
#define SV_WRITE    (UINT64_C(1) << 2) /* never without SV_READ */
#define SV_EXEC     (UINT64_C(1) << 3)
#define SV_USER     (UINT64_C(1) << 4) /* second stage: in every page */
#define SV_GLOBAL   (UINT64_C(1) << 5)
#define SV_ACCESSED (UINT64_C(1) << 6)
#define SV_DIRTY    (UINT64_C(1) << 7)
#define SV_PBMT(n)  ((uint64_t)(n) << 61) /* 0 PMA, 1 NC, 2 IO */
#define SV_NAPOT    (UINT64_C(1) << 63)   /* one of 16 entries that map 64 KiB */

/* What of the format an IOMMU and a context have. */
struct sv_format {
	uint8_t levels;       /* 3, 4 or 5: Sv39, Sv48, Sv57 */
	uint8_t address_bits; /* 32..56: the width of an address in an entry */
	bool second;          /* Sv..x4: two more bits of input, a root of 16 KiB */
	bool update;          /* SADE, GADE: a walk that updates sets accessed and dirty;
			       * without, their absence is TABLE_ACCESS */
	bool supervisor;      /* ENS: privileged accesses are allowed at all */
	bool sum;             /* SUM: they may reach users' pages, not execute them */
	bool pbmt;            /* Svpbmt */
	bool software_bits;   /* Svrsw60t59b: bits 60..59 are software's, not reserved */
};

/*
 * Walk for an access of @perm (enum iopf_perm) to @addr, as x86_walk(). Faults come in
 * this order: entries (TABLE_NOT_PRESENT, TABLE_RESERVED, TABLE_SIZE), TABLE_PERMISSION,
 * TABLE_ACCESS; all of them but TABLE_OUTSIDE and TABLE_SECOND are page faults there.
 * The rights in @result are those that need no further walk: without SV_DIRTY no
 * IOPF_WRITE, unless this access wrote; IOPF_EXEC as the entry has it (ATS grants it only
 * together with reading, and when asked). In a second stage privilege means nothing.
 */
bool sv_walk(const struct table_space *space, const struct sv_format *format,
	     uint64_t root, uint64_t addr, uint8_t perm, bool update,
	     struct table_result *result);

/* The same without update; @path tells the entries that were used. */
bool sv_walk_path(const struct table_space *space, const struct sv_format *format,
		  uint64_t root, uint64_t addr, uint8_t perm, struct radix_path *path,
		  struct table_result *result);

/* What an access of @perm leaves in the leaf; nothing where hardware does not update. */
struct radix_marks sv_marks(const struct sv_format *format, uint8_t perm);

/* Width of the input: 39, 48, 57, or 41, 50, 59; the first are sign-extended. */
static inline uint8_t sv_input_bits(const struct sv_format *format)
{
	return (uint8_t)(RADIX_SHIFT(format->levels + 1u) + (format->second ? 2u : 0));
}

/* Tables for the one thread that edits them. */
struct sv_table {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct sv_format format;
	uint64_t root;
};

/* An empty root, of a second stage at a multiple of 16 KiB. Returns: 0, -EINVAL (levels,
 * address_bits), or as table_take_aligned(). */
int sv_create(struct sv_table *table, const struct iopf_memory *memory,
	      const struct table_pages *pages, const struct sv_format *format);
/* A root that leads every address to itself, with every right and mark: of a second stage.
 * Returns: as above. */
int sv_identity(const struct iopf_memory *memory, const struct table_pages *pages,
		const struct sv_format *format, uint64_t *root);
/* As radix_destroy() and radix_tidy(). */
void sv_destroy(const struct sv_table *table);
void sv_tidy(const struct sv_table *table);

/*
 * @perm: what may be written may be read; none of read, write and execute cannot be said
 * (-EINVAL); IOPF_PRIV makes a page of the first stage the supervisor's. @marks:
 * SV_ACCESSED, SV_DIRTY, set beforehand, as they must be where hardware does not; and
 * SV_GLOBAL. @size_bytes: a level's, or 64 KiB: Svnapot.
 *
 * Returns: as radix_map().
 */
int sv_map(const struct sv_table *table, uint64_t addr, uint64_t out, uint64_t size_bytes,
	   uint8_t perm, uint64_t marks);

/* Returns: the number of entries changed, or an error, as radix_change(). */
int sv_unmap(const struct sv_table *table, uint64_t addr, uint64_t size_bytes);
/* -EINVAL also where @perm cannot be said: that is unmap. */
int sv_protect(const struct sv_table *table, uint64_t addr, uint64_t size_bytes,
	       uint8_t perm);

#endif
