/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/gcr3.h - GCR3 tables: from a PASID to the top of a guest table. 1 to 3 levels, nine
 * bits of the PASID each. (AMD I/O Virtualization Technology (IOMMU) Specification, 48882,
 * 2.2.6.3 "Guest CR3 Table".) They are read by the addresses of the host's memory, whatever
 * the guest tables lie in.
 */
#ifndef TABLE_GCR3_H
#define TABLE_GCR3_H

#include "base/record.h"
#include "table/radix.h"

/* clang-format off */
/* An entry, at every level. */
#define GCR3(F, R)                   \
	F(GCR3_V,     0,  0,  1) \
	R(GCR3_RSVD0, 0,  1, 11) \
	F(GCR3_ADDR,  0, 12, 40) \
	R(GCR3_RSVD1, 0, 52, 12)
/* clang-format on */
enum gcr3_field { GCR3(FIELD_ENUM, FIELD_ENUM) };
extern const struct iopf_layout gcr3_layout;

enum { GCR3_LEVEL_BITS = 9 };

struct gcr3 {
	uint64_t root;
	uint8_t levels; /* 1..3; 0: there is no table */
};

/* For PASIDs smaller than 2^@pasid_bits. */
static inline uint8_t gcr3_levels(uint32_t pasid_bits)
{
	return (uint8_t)((pasid_bits + GCR3_LEVEL_BITS - 1) / GCR3_LEVEL_BITS);
}

static inline bool gcr3_holds(const struct gcr3 *table, uint32_t pasid)
{
	return table->levels != 0 &&
	       (uint64_t)pasid >> GCR3_LEVEL_BITS * table->levels == 0;
}

/* Where the guest table of @pasid is. TABLE_NOT_PRESENT: there is none, up to *@last;
 * TABLE_RESERVED, TABLE_OUTSIDE. */
enum table_fault gcr3_find(const struct iopf_memory *memory, const struct gcr3 *table,
			   uint32_t pasid, uint64_t *cr3, uint32_t *last);

/* Write the entry of @pasid, whatever was there. Returns: as radix_map(). */
int gcr3_put(const struct iopf_memory *memory, const struct table_pages *pages,
	     const struct gcr3 *table, uint32_t pasid, uint64_t cr3);

/* Take @count entries away from @pasid on; pages stay. Returns: how many there were. */
int gcr3_clear(const struct iopf_memory *memory, const struct gcr3 *table, uint32_t pasid,
	       uint32_t count);

/* Whether it leads nowhere. */
bool gcr3_empty(const struct iopf_memory *memory, const struct gcr3 *table);

/* Give back pages that hold nothing, the root excepted. */
void gcr3_tidy(const struct iopf_memory *memory, const struct table_pages *pages,
	       const struct gcr3 *table);

#endif
