/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/amd.h - AMD IOMMU: the device table and the GCR3 tables, which lead from a request
 * (device, PASID) to the tables of its address space. (AMD I/O Virtualization Technology
 * (IOMMU) Specification, 48882, 2.2.2 "Device Table", 2.2.6 "Guest and nested address
 * translation".)
 *
 * A device has one entry: one domain, one host table ("v1", amdv1.h) or none, one GCR3
 * table or none, whose entries lead to guest tables ("v2", x86.h). With a host table the
 * guest tables, and what they lead to, lie at guest addresses; the GCR3 table itself never
 * does.
 */
#ifndef TABLE_AMD_H
#define TABLE_AMD_H

#include "base/field.h"
#include "table/gcr3.h"
#include "table/nested.h"

/* ---- Layouts ------------------------------------------------------------------------ */

/* clang-format off */
/* The device table entry. Words 2 and 3 are about interrupts and the IOMMU as seen by a
 * guest, but for the levels of guest tables. GCR3A to GCR3C are bits 14:12, 30:15 and 51:31
 * of one address. */
#define AMD_DTE(F, R)                  \
	F(AMD_DTE_V,        0,  0,  1) \
	F(AMD_DTE_TV,       0,  1,  1) \
	R(AMD_DTE_RSVD0,    0,  2,  5) \
	F(AMD_DTE_HAD,      0,  7,  2) \
	F(AMD_DTE_MODE,     0,  9,  3) \
	F(AMD_DTE_ROOT,     0, 12, 40) \
	F(AMD_DTE_PPR,      0, 52,  1) \
	F(AMD_DTE_GPRP,     0, 53,  1) \
	F(AMD_DTE_GIOV,     0, 54,  1) \
	F(AMD_DTE_GV,       0, 55,  1) \
	F(AMD_DTE_GLX,      0, 56,  2) \
	F(AMD_DTE_GCR3A,    0, 58,  3) \
	F(AMD_DTE_IR,       0, 61,  1) \
	F(AMD_DTE_IW,       0, 62,  1) \
	R(AMD_DTE_RSVD1,    0, 63,  1) \
	F(AMD_DTE_DOMAIN,   1,  0, 16) \
	F(AMD_DTE_GCR3B,    1, 16, 16) \
	F(AMD_DTE_I,        1, 32,  1) \
	F(AMD_DTE_SE,       1, 33,  1) \
	F(AMD_DTE_SA,       1, 34,  1) \
	F(AMD_DTE_IOCTL,    1, 35,  2) \
	F(AMD_DTE_CACHE,    1, 37,  1) \
	F(AMD_DTE_SD,       1, 38,  1) \
	F(AMD_DTE_EX,       1, 39,  1) \
	F(AMD_DTE_SYSMGT,   1, 40,  2) \
	F(AMD_DTE_SATS,     1, 42,  1) \
	F(AMD_DTE_GCR3C,    1, 43, 21) \
	F(AMD_DTE_IV,       2,  0,  1) \
	F(AMD_DTE_INTLEN,   2,  1,  4) \
	F(AMD_DTE_IG,       2,  5,  1) \
	F(AMD_DTE_INTROOT,  2,  6, 46) \
	R(AMD_DTE_RSVD2,    2, 52,  2) \
	F(AMD_DTE_GPM,      2, 54,  2) \
	F(AMD_DTE_INITPASS, 2, 56,  1) \
	F(AMD_DTE_EINTPASS, 2, 57,  1) \
	F(AMD_DTE_NMIPASS,  2, 58,  1) \
	R(AMD_DTE_RSVD3,    2, 59,  1) \
	F(AMD_DTE_INTCTL,   2, 60,  2) \
	F(AMD_DTE_LINT0,    2, 62,  1) \
	F(AMD_DTE_LINT1,    2, 63,  1) \
	R(AMD_DTE_RSVD4,    3,  0, 15) \
	F(AMD_DTE_VIMUEN,   3, 15,  1) \
	F(AMD_DTE_GDEVICE,  3, 16, 16) \
	F(AMD_DTE_GUEST,    3, 32, 16) \
	R(AMD_DTE_RSVD5,    3, 48,  6) \
	F(AMD_DTE_ATTRV,    3, 54,  1) \
	F(AMD_DTE_MODE0FC,  3, 55,  1) \
	F(AMD_DTE_SNOOP,    3, 56,  8)
/* clang-format on */
enum amd_dte_field { AMD_DTE(FIELD_ENUM, FIELD_ENUM) };

enum { AMD_DTE_WORDS = 4, AMD_DTE_BYTES = 32, AMD_PASID_BITS = 20 };

/* The device table's base register: its address, and, less one, its size in pages. The first
 * is what the row calls root, the second root_config. */
#define AMD_TABLE_ADDR  UINT64_C(0x000ffffffffff000)
#define AMD_TABLE_PAGES UINT64_C(0x1ff)

/* ---- What an IOMMU can do ----------------------------------------------------------- */

struct amd_features {
	uint8_t address_bits; /* of the host's memory */
	uint8_t host_levels;  /* HATS: 4, 5, 6 */
	uint8_t levels;       /* GATS: of guest tables, 4 or 5; 0: there are none (GTSup) */
	uint8_t gcr3_levels;  /* GLXSup: 1..3 */
	uint8_t pasid_bits;   /* PASmax + 1 */
	bool pri;             /* PPRSup */
	bool no_pasid;        /* GIOSup: requests without PASID may be those of PASID 0 */
	bool exec;            /* NXSup */
	bool host_accessed, host_dirty; /* HASup, HDSup */
};

/* The extended feature register (3.4.1), as far as tables depend on it. */
enum {
	AMD_HAS_PPR = FIELD(0, 1, 1), AMD_HAS_NX = FIELD(0, 3, 1), AMD_HAS_GT = FIELD(0, 4, 1),
	AMD_HAS_HATS = FIELD(0, 10, 2), AMD_HAS_GATS = FIELD(0, 12, 2),
	AMD_HAS_GLX = FIELD(0, 14, 2), AMD_HAS_PASMAX = FIELD(0, 32, 5),
	AMD_HAS_GIO = FIELD(0, 48, 1), AMD_HAS_HA = FIELD(0, 49, 1), AMD_HAS_HD = FIELD(0, 52, 1),
};

static inline struct amd_features amd_features_of(uint64_t efr, uint8_t address_bits)
{
	bool guest = field_of(efr, AMD_HAS_GT);

	return (struct amd_features){
		.address_bits = address_bits,
		.host_levels = (uint8_t)(4 + field_of(efr, AMD_HAS_HATS)),
		.levels = guest ? (uint8_t)(4 + (field_of(efr, AMD_HAS_GATS) > 0)) : 0,
		.gcr3_levels = (uint8_t)(1 + field_of(efr, AMD_HAS_GLX)),
		.pasid_bits = (uint8_t)(1 + field_of(efr, AMD_HAS_PASMAX)),
		.pri = field_of(efr, AMD_HAS_PPR),
		.no_pasid = field_of(efr, AMD_HAS_GIO),
		.exec = field_of(efr, AMD_HAS_NX),
		.host_accessed = field_of(efr, AMD_HAS_HA),
		.host_dirty = field_of(efr, AMD_HAS_HD),
	};
}

/* ---- Entries as values -------------------------------------------------------------- */

struct amd_dte {
	uint64_t root;      /* of the host table */
	struct gcr3 gcr3;   /* without levels: GV is 0 */
	uint16_t domain;
	uint8_t mode;       /* levels of the host table; 0: there is none */
	uint8_t levels;     /* of guest tables: 4, 5 */
	bool off;           /* V is 0: addresses go through as they are */
	bool read, write;   /* IR, IW: for everything that goes through the entry */
	bool ats, pri;      /* I, PPR */
	bool response_pasid; /* GPRP: page responses that the IOMMU makes carry the PASID */
	bool no_pasid;      /* GIOV: requests without PASID are those of PASID 0 */
	bool accessed, dirty; /* HAD */
	bool quiet;         /* SE, SA: its faults are not logged */
};

/* What becomes of a request where there is no address; the codes are the event log's. */
enum amd_event {
	AMD_EVENT_NONE,
	AMD_EVENT_ILLEGAL_DTE = 1,
	AMD_EVENT_PAGE_FAULT = 2,
	AMD_EVENT_DEVICE_TABLE = 3, /* the device table cannot be read there */
	AMD_EVENT_PAGE_TABLE = 4,   /* nor a table */
	AMD_EVENT_REQUEST = 8,      /* not to be made of this device */
};

/* False: reserved bits, or something that there is not in this IOMMU. */
bool amd_dte_decode(const uint64_t words[AMD_DTE_WORDS], const struct amd_features *features,
		    struct amd_dte *value);
/* -EINVAL: a value does not fit its field. */
int amd_dte_encode(const struct amd_dte *value, uint64_t words[AMD_DTE_WORDS]);

/* ---- Finding ------------------------------------------------------------------------ */

/* The entry of @rid in the table that @root and @root_config say. DEVICE_TABLE: beyond it,
 * or not in memory; ILLEGAL_DTE. */
enum amd_event amd_find_dte(const struct iopf_memory *memory,
			    const struct amd_features *features, uint64_t root,
			    uint64_t root_config, uint32_t rid, struct amd_dte *dte);

/* Which entry of the GCR3 table a request with @pasid (or IOPF_PASID_NONE) takes; *@number
 * UINT32_MAX: none, the host table alone. REQUEST: a PASID, and there is no GCR3 table, or it
 * is beyond it. */
static inline enum amd_event amd_find_number(const struct amd_features *features,
			       const struct amd_dte *dte, uint32_t pasid, uint32_t *number)
{
	*number = pasid;
	if (pasid == IOPF_PASID_NONE) {
		*number = dte->no_pasid ? 0 : UINT32_MAX;
		return AMD_EVENT_NONE;
	}
	return pasid >> features->pasid_bits != 0 || !gcr3_holds(&dte->gcr3, pasid) ?
		       AMD_EVENT_REQUEST :
		       AMD_EVENT_NONE;
}

/* Where the guest table of @number is. PAGE_FAULT: there is none, *@last is the last number
 * that it is none for; PAGE_TABLE: a table is not in memory, or has reserved bits set. */
static inline enum amd_event amd_find_gcr3(const struct iopf_memory *memory,
					   const struct amd_dte *dte, uint32_t number,
					   uint64_t *cr3, uint32_t *last)
{
	enum table_fault fault = gcr3_find(memory, &dte->gcr3, number, cr3, last);

	if (fault == TABLE_OK)
		return AMD_EVENT_NONE;
	return fault == TABLE_NOT_PRESENT ? AMD_EVENT_PAGE_FAULT : AMD_EVENT_PAGE_TABLE;
}

/* How to walk the address space of @dte and the guest table at @cr3; UINT64_MAX: the host
 * table alone, or where there is none either, addresses as they are. */
struct nested_tables amd_tables(const struct amd_features *features,
				const struct amd_dte *dte, uint64_t cr3);

/* What a nested_walk() that found nothing is an event of. */
static inline enum amd_event amd_event_of(const struct nested_result *result)
{
	return result->fault == TABLE_OUTSIDE ? AMD_EVENT_PAGE_TABLE : AMD_EVENT_PAGE_FAULT;
}

/* ---- Building ----------------------------------------------------------------------- */

/* The structures under one device table, for the one thread that changes them. */
struct amd_builder {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct amd_features features;
	uint64_t root;
	uint32_t count; /* of its entries */
};

#endif
