/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family.h - what host software builds for an IOMMU: one table a family.
 *
 * Two things: the structures that lead from (requester, PASID) to an address space, and
 * the second stage that lies under a guest's own tables. Both in plain values, so that
 * nothing above knows which family it is.
 */
#ifndef TABLE_FAMILY_H
#define TABLE_FAMILY_H

#include "table/vtd_scalable.h"

/* The structures of one IOMMU; a member a family. */
struct family_tables {
	struct vtd_builder vtd;
};

/* One second stage; a member a family. */
struct family_stage {
	struct vtdss_table vtd;
};

/* An address space: a guest's first level over a second stage, or that stage alone. */
struct family_space {
	const struct family_stage *stage;
	uint64_t first_root;  /* in the stage's input addresses */
	uint8_t first_levels; /* 4, 5; 0: the stage alone */
	uint16_t domain;
	bool supervisor, exec, write_protect, extended;
};

/* What a function may do. */
enum family_door {
	FAMILY_SHUT,    /* nothing, and its address spaces are taken away */
	FAMILY_BLOCKED, /* no translated accesses, no page requests: its own cache of
			 * translations counts for nothing any more */
	FAMILY_OPEN,
};

/* How registers are read: iopf_register_ops.read. */
typedef int family_read(void *context, uint32_t offset, uint32_t width, uint64_t *value);

struct family {
	const char *name;
	uint32_t pasid_none; /* what requests without a PASID are looked up as; nobody
			      * else may use it */
	int (*create)(struct family_tables *tables, const struct iopf_memory *memory,
		      const struct table_pages *pages, family_read *read, void *context);
	/* What the root table register holds. */
	uint64_t (*root)(const struct family_tables *tables);
	/* The caller invalidates. */
	int (*endpoint)(const struct family_tables *tables, uint32_t rid,
			enum family_door door);
	/* @space NULL: take it away. The caller invalidates. */
	int (*space)(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		     const struct family_space *space);
	/* Give back what held address spaces that were taken away, of one PASID or, with
	 * IOPF_PASID_ANY, of @rid; the caches have forgotten them. */
	void (*tidy)(const struct family_tables *tables, uint32_t rid, uint32_t pasid);
	int (*stage_create)(struct family_stage *stage, const struct family_tables *tables);
	void (*stage_destroy)(const struct family_stage *stage);
	/* -EEXIST: it was there. */
	int (*stage_map)(const struct family_stage *stage, uint64_t addr, uint64_t out,
			 uint8_t perm);
	/* Returns: how many entries went. */
	int (*stage_unmap)(const struct family_stage *stage, uint64_t addr,
			   uint64_t size_bytes);
	bool (*stage_mapped)(const struct family_stage *stage, uint64_t addr, uint8_t perm);
};

extern const struct family family_vtd;

/* The family called @name, or NULL. */
const struct family *family_find(const char *name);

#endif
