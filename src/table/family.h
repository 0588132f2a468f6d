/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family.h - what host software builds for an IOMMU: one table a family.
 *
 * Two things: the structures that lead from (requester, PASID) to an address space, and
 * the host's own tables: a second stage that lies under a guest's tables, or a first
 * level that follows them (a shadow) where the guest's have another format. Both in plain
 * values, so that nothing above knows which family it is.
 */
#ifndef TABLE_FAMILY_H
#define TABLE_FAMILY_H

#include "table/smmuv3.h"
#include "table/vtd_scalable.h"

/* The structures of one IOMMU; a member a family. */
struct family_tables {
	struct vtd_builder vtd;
	struct smmuv3_builder smmuv3;
};

/* Formats of first levels. */
enum family_format {
	FAMILY_X86,
	FAMILY_VMSA,
};

/* What a table of the host's own is. */
enum family_table {
	FAMILY_SECOND, /* from guest addresses */
	FAMILY_FIRST,  /* from a device's addresses straight to memory */
};

/* One table of the host's own; a member a family and kind. */
struct family_stage {
	uint8_t table; /* enum family_table */
	struct vtdss_table vtd;
	struct x86_table vtd_first;
	struct vmsas2_table smmuv3;
	struct vmsa_table smmuv3_first;
};

enum family_kind {
	FAMILY_STAGE,  /* the host's table alone */
	FAMILY_NESTED, /* a guest's first level over it */
	FAMILY_SHADOW, /* the host's table stands for a guest's first level */
};

/* An address space. */
struct family_space {
	uint8_t kind; /* enum family_kind */
	const struct family_stage *stage; /* SHADOW: the shadow, of FAMILY_FIRST */
	uint64_t first_root;  /* NESTED: in the stage's input addresses */
	uint8_t first_levels; /* NESTED: 4, 5 */
	uint16_t domain;
	uint32_t asid; /* where the family names first levels apart from domains */
	bool supervisor, exec, write_protect, extended;
	/* With SMMUv3, of a guest: words 0 and 1 of its stream table entry; a STAGE under one
	 * that has a first stage is what its default substream bypasses. What a guest
	 * has no say in is masked here, what it may not ask for is refused. */
	uint64_t nest[2];
	bool stall;          /* the endpoint's misses are held, not asked for */
	bool response_pasid; /* its page responses carry the PASID */
};

/* What a function may do. */
enum family_door {
	FAMILY_SHUT,    /* nothing, and its address spaces are taken away */
	FAMILY_BLOCKED, /* no translated accesses, no page requests: its own cache of
			 * translations counts for nothing any more */
	FAMILY_OPEN,
};

/* An IOMMU's registers, as struct iopf_register_ops has them: features are read there, and
 * in some families they are the structures, too. */
typedef int family_read(void *context, uint32_t offset, uint32_t width, uint64_t *value);
typedef int family_write(void *context, uint32_t offset, uint32_t width, uint64_t value);

struct family_registers {
	family_read *read;
	family_write *write;
	void *context;
};

struct family {
	const char *name;
	uint8_t first; /* enum family_format: nests guests whose first level has it */
	uint8_t alone; /* enum family_table: which table can stand alone under any PASID */
	bool caches_absent; /* caches may remember that nothing was there: what is added is
			     * told to them as well */
	uint32_t pasid_none; /* what requests without a PASID are looked up as; nobody
			      * else may use it */
	/* @registers: copied. */
	int (*create)(struct family_tables *tables, const struct iopf_memory *memory,
		      const struct table_pages *pages,
		      const struct family_registers *registers);
	/* What the root table register holds. */
	uint64_t (*root)(const struct family_tables *tables);
	/* What stands beside it: the table's shape, for families that tell. */
	uint64_t (*root_config)(const struct family_tables *tables);
	/* @response_pasid: page responses to the function carry its PASIDs, those that hardware
	 * makes by itself, too. The caller invalidates. */
	int (*endpoint)(const struct family_tables *tables, uint32_t rid,
			enum family_door door, bool response_pasid);
	/* @space NULL: take it away; of IOPF_PASID_ANY: the last one of @rid went. The
	 * caller invalidates. Returns: 0, -ENOENT (nothing to take away), -EINVAL, -EPERM
	 * (@nest asks for what a guest may not have), -EOPNOTSUPP (this IOMMU cannot),
	 * -EBUSY (another space has its place), -EFAULT, or what take() said. */
	int (*space)(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		     const struct family_space *space);
	/* Give back what held address spaces that were taken away, of one PASID or, with
	 * IOPF_PASID_ANY, of @rid; the caches have forgotten them. */
	void (*tidy)(const struct family_tables *tables, uint32_t rid, uint32_t pasid);
	int (*stage_create)(struct family_stage *stage, const struct family_tables *tables,
			    enum family_table table);
	void (*stage_destroy)(const struct family_stage *stage);
	/* One page of 4 KiB. @perm: a second stage knows reading and writing alone.
	 * -EEXIST: it was there. */
	int (*stage_map)(const struct family_stage *stage, uint64_t addr, uint64_t out,
			 uint8_t perm);
	/* Returns: how many entries went; tables stay. @size_bytes UINT64_MAX: all. */
	int (*stage_unmap)(const struct family_stage *stage, uint64_t addr,
			   uint64_t size_bytes);
	/* Give back tables that hold nothing; the caches have forgotten them. */
	void (*stage_tidy)(const struct family_stage *stage);
	bool (*stage_mapped)(const struct family_stage *stage, uint64_t addr, uint8_t perm);
};

extern const struct family family_vtd, family_smmuv3;

/* The family called @name, or NULL. */
const struct family *family_find(const char *name);

#endif
