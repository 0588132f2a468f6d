/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family.h - what software builds for an IOMMU, and what a guest's structures say:
 * one row a family, so that nothing above knows which family it is.
 *
 * Build: the structures that lead from (requester, PASID) to an address space, and the
 * tables of one: a second stage that lies under a guest's tables; or a first level, which
 * follows a guest's (a shadow) where those have another format, or is a guest's own. A
 * host builds for the IOMMU that there is, a guest's software for the one that it is
 * shown: both are users of the same members (struct family_use).
 *
 * View: what is there for (requester, PASID) in structures that a guest owns, copied once
 * and checked; what an invalidation says has changed in them; how to walk a first level.
 */
#ifndef TABLE_FAMILY_H
#define TABLE_FAMILY_H

#include "base/record.h"
#include "iopf/space.h"
#include "iopf/wire.h"
#include "table/amd.h"
#include "table/riscv.h"
#include "table/smmuv2.h"
#include "table/smmuv3.h"
#include "table/sv.h"
#include "table/vtd_scalable.h"

/* ---- One member a family -------------------------------------------------------------- */

/* What an IOMMU can do, as its registers say. */
union family_features {
	struct vtd_features vtd;
	struct smmuv2_features smmuv2;
	struct smmuv3_features smmuv3;
	struct amd_features amd;
	struct riscv_features riscv;
};

/* How software uses an IOMMU's structures. */
struct family_use {
	uint32_t pasid_bits; /* its PASIDs are smaller than 2^n */
	uint32_t pasid_none; /* what requests without a PASID are looked up as, where
			      * software may choose */
	uint32_t levels;     /* of its first levels; 0: as many as there can be */
	uint32_t mechanisms; /* 1 << enum iopf_mechanism: how its functions ask */
	uint32_t rid_max;    /* the greatest requester id that it has */
	bool own; /* a guest's: every address space is a first level of its own (SHADOW),
		   * the lists of them are there from the beginning, and hardware marks what
		   * is used. A host's: none of that */
};

/* The structures of one IOMMU. */
struct family_tables {
	struct family_use use;
	struct vtd_builder vtd;
	struct smmuv2_tables smmuv2;
	struct smmuv3_builder smmuv3;
	struct amd_builder amd;
	struct riscv_builder riscv;
};

/* What a table of software's own is. */
enum family_table {
	FAMILY_SECOND, /* from guest addresses */
	FAMILY_FIRST,  /* from a device's addresses straight to memory */
};

/* One such table; a member a family and kind. */
struct family_stage {
	uint8_t table; /* enum family_table */
	bool marks;    /* FIRST: hardware sets accessed and dirty bits; false: entries are
			* made as if it had */
	struct vtdss_table vtd;
	struct x86_table x86;
	struct amdv1_table amd;
	struct vmsas2_table smmuv3;
	struct vmsa_table smmuv3_first;
	struct sv_table sv; /* of either kind */
};

/* What a guest's entry says that is not in struct iopf_address_space. */
union family_detail {
	struct smmuv3_cd smmuv3;
	struct riscv_first riscv;
};

/* ---- Build ------------------------------------------------------------------------------ */

/* What structures are made of, and for whom. */
struct family_setup {
	const struct iopf_memory *memory; /* borrowed */
	struct table_pages pages;
	struct family_registers registers;
	struct family_use use;
};

enum family_kind {
	FAMILY_STAGE,  /* the host's table alone */
	FAMILY_NESTED, /* a guest's first level over it */
	FAMILY_SHADOW, /* the table is a first level itself: it stands for a guest's, or is
			* a guest's own */
};

/* An address space. */
struct family_space {
	uint8_t kind; /* enum family_kind */
	const struct family_stage *stage; /* SHADOW: of FAMILY_FIRST */
	uint64_t first_root;  /* NESTED: in the stage's input addresses */
	uint8_t first_levels; /* NESTED: as iopf_address_space.levels */
	uint16_t domain;
	uint32_t asid; /* where the family names first levels apart from domains */
	bool supervisor, exec, write_protect, extended;
	/* Of a guest: iopf_address_space.nest. A STAGE under an SMMUv3's that has a first
	 * stage is what its default substream bypasses. What a guest has no say in is masked
	 * here, what it may not ask for is refused. */
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

/* What a function is like. */
enum family_endpoint {
	FAMILY_RESPONSE_PASID = 1, /* page responses to it carry its PASIDs, those that
				    * hardware makes by itself, too */
	FAMILY_STALLS = 2,         /* its misses are held */
};
/* From this bit on: with use.own the domain of all its address spaces (family.by_device). */
#define FAMILY_DOMAIN_LSB 16

/* ---- View --------------------------------------------------------------------------------- */

/* The structures of a guest. */
struct family_view {
	struct iopf_memory memory; /* the guest's, by its own addresses */
	union family_features features; /* of the IOMMU that it is shown */
	uint64_t root, root_config; /* as its registers say: iopf_hardware_root() */
};

/* What is there for (requester, PASID). */
struct family_entry {
	struct iopf_address_space value;
	uint32_t number; /* what its PASID, or none, is looked up as; UINT32_MAX: it has no
			  * entry of its own */
	bool global;     /* it led to a page that is the same in every address space: kept
			  * by whoever walks, for touches() */
	union family_detail detail; /* as it was copied */
};

enum family_found {
	FAMILY_NOTHING,
	FAMILY_BAD, /* an entry that cannot be: nothing, and to be counted */
	FAMILY_FOUND,
};

/* Who mends what a walk of a guest's tables ended with. */
static inline uint32_t family_mended(unsigned fault)
{
	return fault == TABLE_OUTSIDE ? IOPF_STAGE_UNBACKED : IOPF_STAGE_FIRST;
}

/* ---- What a guest does with it, and what its structures say ------------------------------ */

struct family_guest {
	/* An IOMMU that can do what @use asks for, and no more: what a guest's software
	 * builds for before it has seen the registers. Returns: 0, -EINVAL. */
	int (*wanted)(const struct family_use *use, union family_features *features);
	/* The IOMMU is there: has it all that @tables were made for? What their entries may
	 * say beside is taken over from it. Returns: 0, -ENODEV. */
	int (*adopt)(struct family_tables *tables, const union family_features *there);
	/* What is there for (@rid, @pasid) now. Where that is nothing, *@last is the last
	 * PASID that it is nothing for. */
	enum family_found (*read)(const struct family_view *view, uint32_t rid,
				  uint32_t pasid, struct family_entry *entry,
				  uint32_t *last);
	/* The details of two entries with the same value and number are the same. NULL:
	 * there are none. */
	bool (*same)(const struct family_entry *a, const struct family_entry *b);
	/* @command says that entries have changed: those of *@rid, or IOPF_NO_ID, any; of
	 * *@pasid and of none, or IOPF_PASID_ANY. Asked of invalidations of contexts, PASIDs
	 * and the IOTLB. False: none has. */
	bool (*changes)(const struct iopf_command *command, uint32_t *rid, uint32_t *pasid);
	/* A cached translation of @entry may be what @command, of the IOTLB, is for. */
	bool (*touches)(const struct iopf_command *command, const struct family_entry *entry);
	/* Every page that an access to @entry needs in the stage below, tables first, as far
	 * as they can be followed. Returns: enum iopf_stage, without the second: what is the
	 * guest's to mend. */
	uint32_t (*needs)(const struct family_view *view, const struct family_entry *entry,
			  uint64_t addr, uint8_t perm, table_need *need, void *context);
	/* Walk the first level of @entry in software. */
	bool (*walk)(const struct family_view *view, const struct family_entry *entry,
		     uint64_t addr, uint8_t perm, bool update, struct table_result *result);
	/* The leaf that a walk ended with is that of every address space. NULL: no
	 * invalidation makes a difference of it. */
	bool (*global)(uint64_t leaf);
	/* The number of the event for enum table_fault, as a stall's record says it. NULL: no
	 * stall can be shown. */
	uint8_t (*reason)(uint8_t fault);
};

/* ---- The row ------------------------------------------------------------------------------ */

struct family {
	const char *name;
	const struct record *structures; /* for tools; the last has no name. NULL: none */
	const struct family_guest *guest; /* NULL: no guest has this family */
	uint8_t first; /* enum iopf_format: nests guests whose first level has it;
			* IOPF_FORMAT_NONE: none */
	uint8_t alone; /* enum family_table: which table can stand alone under any PASID */
	bool asids; /* invalidations name first levels by numbers of their own (ASID, PSCID),
		     * within a domain (VMID, GSCID); false: by domain and PASID */
	bool by_device; /* a requester has one domain for all its address spaces, and its
			 * entry changes with each that comes or goes */
	bool each_pasid; /* no command empties a function's cache of all PASIDs at once */
	bool caches_absent; /* caches may remember that nothing was there: what is added is
			     * told to them as well */
	uint32_t pasid_none; /* a host's: what commands call requests without a PASID; nobody
			      * else may use it */

	/* What the IOMMU can do. Returns: 0, or a register's error. */
	int (*features)(const struct family_registers *registers,
			union family_features *features);
	/* Empty structures; tables->use is that of @setup. Returns: 0, -EINVAL, or what take()
	 * said. */
	int (*create)(struct family_tables *tables, const struct family_setup *setup,
		      const union family_features *features);
	/* What the root table register holds. */
	uint64_t (*root)(const struct family_tables *tables);
	/* What stands beside it: the table's shape, for families that tell. */
	uint64_t (*root_config)(const struct family_tables *tables);
	/* @flags: enum family_endpoint. The caller invalidates. */
	int (*endpoint)(const struct family_tables *tables, uint32_t rid,
			enum family_door door, uint32_t flags);
	/* @pasid: the number, or IOPF_PASID_NONE. @space NULL: take it away; of
	 * IOPF_PASID_ANY: the last one of @rid went. The caller invalidates. Returns: 0,
	 * -ENOENT (nothing to take away), -EINVAL, -EPERM (@nest asks for what a guest may
	 * not have), -EOPNOTSUPP (this IOMMU cannot), -EBUSY (another space has its place),
	 * -EFAULT, or what take() said. */
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
	/* Nothing is marked. A second stage is asked for reading and writing alone. */
	bool (*stage_walk)(const struct family_stage *stage, uint64_t addr, uint8_t perm,
			   struct table_result *result);
};

extern const struct family family_vtd, family_smmuv2, family_smmuv3, family_amd;
extern const struct family_guest family_guest_vtd, family_guest_smmuv3;
extern const struct family family_riscv;
extern const struct family_guest family_guest_riscv;

/* Every family there is, ended by NULL; and the one called @name (NULL: the first), or
 * NULL. */
extern const struct family *const family_rows[];
const struct family *family_find(const char *name);

/* Tables of a family whose first levels have x86's format, as members of rows; @marks:
 * hardware sets them. A second stage is VT-d's or AMD's. */
int family_x86_create(struct family_stage *stage, const struct iopf_memory *memory,
		      const struct table_pages *pages, const struct x86_format *format,
		      bool marks);
int family_vtdss_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages);
int family_amdv1_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages);
void family_x86_destroy(const struct family_stage *stage);
int family_x86_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		   uint8_t perm);
int family_x86_unmap(const struct family_stage *stage, uint64_t addr, uint64_t size_bytes);
void family_x86_tidy(const struct family_stage *stage);
bool family_x86_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		     struct table_result *result);
/* And a guest's: walk, needs, and touches where the IOTLB knows domains, and PASIDs within
 * them: that of the entry, which requests without PASID share. */
bool family_x86_first(const struct family_view *view, const struct family_entry *entry,
		      uint64_t addr, uint8_t perm, bool update, struct table_result *result);
uint32_t family_x86_needs(const struct family_view *view, const struct family_entry *entry,
			  uint64_t addr, uint8_t perm, table_need *need, void *context);
bool family_x86_touches(const struct iopf_command *command, const struct family_entry *entry);

/* Armv8 tables, as members of rows. A second stage has as many bits as @first's output. */
int family_armv8_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages, enum family_table table,
			const struct vmsa_format *first);
void family_armv8_destroy(const struct family_stage *stage);
int family_armv8_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		     uint8_t perm);
int family_armv8_unmap(const struct family_stage *stage, uint64_t addr,
		       uint64_t size_bytes);
void family_armv8_tidy(const struct family_stage *stage);
bool family_armv8_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		       struct table_result *result);

/* RISC-V's tables, as members of rows. */
int family_sv_create(struct family_stage *stage, const struct iopf_memory *memory,
		     const struct table_pages *pages, const struct sv_format *format);
void family_sv_destroy(const struct family_stage *stage);
int family_sv_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		  uint8_t perm);
int family_sv_unmap(const struct family_stage *stage, uint64_t addr, uint64_t size_bytes);
void family_sv_tidy(const struct family_stage *stage);
bool family_sv_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		    struct table_result *result);

/* Structures for the IOMMU that there is. Returns: as features(), create(). */
int family_create(const struct family *family, struct family_tables *tables,
		  const struct family_setup *setup);

#endif
