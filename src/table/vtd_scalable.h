/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/vtd_scalable.h - VT-d scalable mode: root, context and PASID structures, which
 * lead from a request (requester id, PASID) to the tables of its address space. (Intel
 * VT-d specification, "Scalable-Mode Root Entry" to "Scalable-Mode PASID Table Entry".)
 *
 * Finders read what others may write: word by word, each once, the word with the present
 * bit first; all checks are made on the copy. Builders write that word last.
 */
#ifndef TABLE_VTD_SCALABLE_H
#define TABLE_VTD_SCALABLE_H

#include "base/record.h"
#include "table/nested.h"

/* ---- Layouts ------------------------------------------------------------------------ */

/* clang-format off */
/* One for functions 0.0 to 15.7 of the bus (lower), one for the rest (upper). */
#define VTD_ROOT(F, R)             \
	F(VTD_ROOT_LP,     0,  0,  1) \
	R(VTD_ROOT_RSVD0,  0,  1, 11) \
	F(VTD_ROOT_LCTP,   0, 12, 52) \
	F(VTD_ROOT_UP,     1,  0,  1) \
	R(VTD_ROOT_RSVD1,  1,  1, 11) \
	F(VTD_ROOT_UCTP,   1, 12, 52)
#define VTD_ROOT_FIELDS(X) VTD_ROOT(X, X)

#define VTD_CE(F, R)               \
	F(VTD_CE_P,          0,  0,  1) \
	F(VTD_CE_FPD,        0,  1,  1) \
	F(VTD_CE_DTE,        0,  2,  1) \
	F(VTD_CE_PASIDE,     0,  3,  1) \
	F(VTD_CE_PRE,        0,  4,  1) \
	R(VTD_CE_RSVD0,      0,  5,  4) \
	F(VTD_CE_PDTS,       0,  9,  3) \
	F(VTD_CE_PASIDDIRPTR, 0, 12, 52) \
	F(VTD_CE_RID_PASID,  1,  0, 20) \
	F(VTD_CE_RID_PRIV,   1, 20,  1) \
	R(VTD_CE_RSVD1,      1, 21, 43) \
	R(VTD_CE_RSVD2,      2,  0, 64) \
	R(VTD_CE_RSVD3,      3,  0, 64)
#define VTD_CE_FIELDS(X) VTD_CE(X, X)

#define VTD_PDE(F, R)             \
	F(VTD_PDE_P,         0,  0,  1) \
	F(VTD_PDE_FPD,       0,  1,  1) \
	R(VTD_PDE_RSVD0,     0,  2, 10) \
	F(VTD_PDE_SMPTBLPTR, 0, 12, 52)
#define VTD_PDE_FIELDS(X) VTD_PDE(X, X)

/* Words 4 to 7 are reserved. */
#define VTD_PE(F, R)              \
	F(VTD_PE_P,        0,  0,  1) \
	F(VTD_PE_FPD,      0,  1,  1) \
	F(VTD_PE_AW,       0,  2,  3) \
	R(VTD_PE_RSVD0,    0,  5,  1) \
	F(VTD_PE_PGTT,     0,  6,  3) \
	F(VTD_PE_SLADE,    0,  9,  1) \
	R(VTD_PE_RSVD1,    0, 10,  2) \
	F(VTD_PE_SLPTPTR,  0, 12, 52) \
	F(VTD_PE_DID,      1,  0, 16) \
	R(VTD_PE_RSVD2,    1, 16,  7) \
	F(VTD_PE_PWSNP,    1, 23,  1) \
	F(VTD_PE_PGSNP,    1, 24,  1) \
	F(VTD_PE_CD,       1, 25,  1) \
	F(VTD_PE_EMTE,     1, 26,  1) \
	F(VTD_PE_EMT,      1, 27,  3) \
	F(VTD_PE_PWT,      1, 30,  1) \
	F(VTD_PE_PCD,      1, 31,  1) \
	F(VTD_PE_PAT,      1, 32, 32) \
	F(VTD_PE_SRE,      2,  0,  1) \
	F(VTD_PE_ERE,      2,  1,  1) \
	F(VTD_PE_FLPM,     2,  2,  2) \
	F(VTD_PE_WPE,      2,  4,  1) \
	R(VTD_PE_RSVD3,    2,  5,  2) \
	F(VTD_PE_EAFE,     2,  7,  1) \
	R(VTD_PE_RSVD4,    2,  8,  4) \
	F(VTD_PE_FLPTPTR,  2, 12, 52) \
	R(VTD_PE_RSVD5,    3,  0, 64)
#define VTD_PE_FIELDS(X) VTD_PE(X, X)
/* clang-format on */

enum {
	VTD_ROOT_WORDS = 2,
	VTD_CE_WORDS = 4,
	VTD_PDE_WORDS = 1,
	VTD_PE_WORDS = 8,
};

/* Root, context, directory and PASID entries, for tools. */
extern const struct record vtd_structures[];

enum vtd_pgtt {
	VTD_PGTT_FIRST = 1,
	VTD_PGTT_SECOND = 2,
	VTD_PGTT_NESTED = 3,
	VTD_PGTT_PASS = 4,
};

/* Fault reasons, as fault recording registers show them. ("Fault Conditions and Remapping
 * Hardware Behavior for Scalable-Mode Address Translation") */
/* clang-format off */
#define VTD_REASONS(X) \
	X(VTD_REASON_NONE,               0x00, "no fault") \
	X(VTD_REASON_ROOT_ACCESS,        0x38, "root entry cannot be read") \
	X(VTD_REASON_ROOT_NOT_PRESENT,   0x39, "root entry not present") \
	X(VTD_REASON_ROOT_RESERVED,      0x3a, "root entry: reserved bits") \
	X(VTD_REASON_CONTEXT_ACCESS,     0x40, "context entry cannot be read") \
	X(VTD_REASON_CONTEXT_NOT_PRESENT, 0x41, "context entry not present") \
	X(VTD_REASON_CONTEXT_RESERVED,   0x42, "context entry: reserved bits") \
	X(VTD_REASON_CONTEXT_INVALID,    0x43, "context entry invalid") \
	X(VTD_REASON_DTE_CLEAR,          0x44, "device TLB not enabled") \
	X(VTD_REASON_PASIDE_CLEAR,       0x45, "PASID not enabled") \
	X(VTD_REASON_PASID_TOO_LARGE,    0x46, "PASID beyond the directory") \
	X(VTD_REASON_PRE_CLEAR,          0x47, "page requests not enabled") \
	X(VTD_REASON_RID_PASID,          0x48, "RID_PASID beyond the directory") \
	X(VTD_REASON_DIR_ACCESS,         0x50, "PASID directory entry cannot be read") \
	X(VTD_REASON_DIR_NOT_PRESENT,    0x51, "PASID directory entry not present") \
	X(VTD_REASON_DIR_RESERVED,       0x52, "PASID directory entry: reserved bits") \
	X(VTD_REASON_PASID_ACCESS,       0x58, "PASID entry cannot be read") \
	X(VTD_REASON_PASID_NOT_PRESENT,  0x59, "PASID entry not present") \
	X(VTD_REASON_PASID_RESERVED,     0x5a, "PASID entry: reserved bits") \
	X(VTD_REASON_PASID_INVALID,      0x5b, "PASID entry invalid") \
	X(VTD_REASON_ERE_CLEAR,          0x5c, "execute requests not enabled") \
	X(VTD_REASON_SRE_CLEAR,          0x5d, "supervisor requests not enabled") \
	X(VTD_REASON_FIRST_ACCESS,       0x70, "first-level entry cannot be read") \
	X(VTD_REASON_FIRST_NOT_PRESENT,  0x71, "first-level entry not present") \
	X(VTD_REASON_FIRST_RESERVED,     0x72, "first-level entry: reserved bits") \
	X(VTD_REASON_FIRST_ROOT_ACCESS,  0x73, "first-level root cannot be read") \
	X(VTD_REASON_FIRST_TOO_WIDE,     0x74, "first-level table beyond the second level") \
	X(VTD_REASON_FIRST_ROOT_READ,    0x75, "first-level root: no second-level read") \
	X(VTD_REASON_FIRST_READ,         0x76, "first-level table: no second-level read") \
	X(VTD_REASON_FIRST_WRITE,        0x77, "first-level table: no second-level write") \
	X(VTD_REASON_SECOND_ACCESS,      0x78, "second-level entry cannot be read") \
	X(VTD_REASON_SECOND_NOT_PRESENT, 0x79, "second-level entry: neither read nor write") \
	X(VTD_REASON_SECOND_RESERVED,    0x7a, "second-level entry: reserved bits") \
	X(VTD_REASON_NOT_CANONICAL,      0x80, "address not canonical") \
	X(VTD_REASON_PRIVILEGE,          0x81, "page not for this privilege") \
	X(VTD_REASON_NO_EXECUTE,         0x82, "no execute right") \
	X(VTD_REASON_TOO_WIDE,           0x83, "address too wide") \
	X(VTD_REASON_SECOND_TOO_WIDE,    0x84, "address beyond the second level") \
	X(VTD_REASON_NO_WRITE,           0x85, "no write right") \
	X(VTD_REASON_NO_READ,            0x86, "no read right") \
	X(VTD_REASON_INTERRUPT,          0x87, "output in the interrupt range") \
	X(VTD_REASON_UPDATE,             0x91, "accessed or dirty bit cannot be set")
/* clang-format on */
#define VTD_REASON_ENUM(name, number, text) name = number,
enum vtd_reason { VTD_REASONS(VTD_REASON_ENUM) };

/* Static text; "?" for a number that is none of these. */
const char *vtd_reason_text(unsigned reason);

/* ---- What an IOMMU can do ------------------------------------------------------------- */

/* Checks depend on it: what an IOMMU cannot do, an entry may not ask for. */
struct vtd_features {
	uint8_t address_bits;     /* host address width */
	uint8_t second_levels;    /* bit n: n levels of second level */
	bool pages_2m, pages_1g;  /* second level */
	bool first_1g, first_5l;  /* FL1GP, FL5LP */
	bool first, second, nested, pass; /* FLTS, SLTS, NEST, PT */
	bool second_ad, exec, supervisor, extended; /* SLADS, ERS, SRS, EAFS */
	bool rid_pasid;           /* RPS */
	bool drains;              /* PDS: waits drain page requests */
};

/* From the capability registers. */
struct vtd_features vtd_features_of(uint64_t cap, uint64_t ecap, uint8_t address_bits);

/* ---- Entries as values ---------------------------------------------------------------- */

struct vtd_context {
	uint64_t directory;   /* address of the PASID directory */
	uint32_t rid_pasid;   /* of requests without PASID */
	uint8_t pdts;         /* 0..7: the directory has 2^(pdts + 7) entries */
	bool quiet;           /* FPD: faults are not recorded */
	bool ats, pasid, pri; /* DTE, PASIDE, PRE */
	bool rid_priv;
};

/* PASIDs that a directory of this size can hold. */
#define VTD_PDTS_PASIDS(pdts) (UINT32_C(1) << ((pdts) + 13))

struct vtd_pasid {
	uint64_t first_root, second_root;
	uint16_t domain;
	uint8_t pgtt;                    /* enum vtd_pgtt */
	uint8_t first_levels;            /* 4, 5; where there is a first level */
	uint8_t second_levels;           /* 3, 4, 5; where there is a second level */
	bool quiet;                      /* FPD */
	bool supervisor, exec;           /* SRE, ERE */
	bool write_protect, extended;    /* WPE, EAFE */
	bool second_ad;                  /* SLADE */
	bool walk_snoop, page_snoop;     /* PWSNP, PGSNP */
};

/* Decode: a reason, and @value is written only with VTD_REASON_NONE. */
enum vtd_reason vtd_context_decode(const uint64_t words[VTD_CE_WORDS],
				   const struct vtd_features *features,
				   struct vtd_context *value);
enum vtd_reason vtd_pasid_decode(const uint64_t words[VTD_PE_WORDS],
				 const struct vtd_features *features,
				 struct vtd_pasid *value);

/* Encode: the present bit is set. -EINVAL: a value does not fit its field. */
int vtd_context_encode(const struct vtd_context *value, uint64_t words[VTD_CE_WORDS]);
int vtd_pasid_encode(const struct vtd_pasid *value, uint64_t words[VTD_PE_WORDS]);

/* How to walk the address space that @value describes. */
struct nested_tables vtd_tables(const struct vtd_pasid *value,
				const struct vtd_features *features);

/* The reason for a fault of nested_walk() over @tables. */
enum vtd_reason vtd_reason_of(const struct nested_result *result,
			      const struct nested_tables *tables);

/* ---- Finding -------------------------------------------------------------------------- */

enum vtd_request_kind {
	VTD_UNTRANSLATED,
	VTD_TRANSLATION, /* ATS translation request, or a translated request */
	VTD_PAGE_REQUEST,
};

/* What comes in. */
struct vtd_request {
	uint32_t rid;
	uint32_t pasid; /* or IOPF_PASID_NONE */
	uint8_t perm;   /* enum iopf_perm */
	uint8_t kind;   /* enum vtd_request_kind */
};

/* What was found; valid as far as the reason lets. */
struct vtd_found {
	struct vtd_context context;
	struct vtd_pasid pasid;
	uint64_t context_addr; /* of the entries */
	uint64_t directory_addr;
	uint64_t pasid_addr;
	uint32_t number;       /* the PASID that was looked up */
	uint8_t perm;          /* as wanted; RID_PRIV makes it privileged */
	bool quiet;            /* a fault is not to be recorded (FPD on the way) */
};

/*
 * The context entry of @request->rid under the root table @root; also whether it lets
 * this kind of request in at all. This is all that a page request looks at.
 */
enum vtd_reason vtd_find_context(const struct table_space *space,
				 const struct vtd_features *features, uint64_t root,
				 const struct vtd_request *request,
				 struct vtd_found *found);

/* The next steps, for who remembers the first (a context cache): which PASID is looked
 * up, with which rights, in found->context; and its entry. */
enum vtd_reason vtd_find_number(const struct vtd_features *features,
				const struct vtd_request *request,
				struct vtd_found *found);
enum vtd_reason vtd_find_pasid(const struct table_space *space,
			       const struct vtd_features *features,
			       struct vtd_found *found);

/* Whether entries let a request in, as finding them checks as well. */
enum vtd_reason vtd_context_admits(const struct vtd_context *context,
				   const struct vtd_request *request);
enum vtd_reason vtd_pasid_admits(const struct vtd_pasid *pasid, uint8_t perm);

/* All steps. */
enum vtd_reason vtd_find(const struct table_space *space,
			 const struct vtd_features *features, uint64_t root,
			 const struct vtd_request *request, struct vtd_found *found);

/* ---- Building ------------------------------------------------------------------------- */

/* The structures under one root table, for the one thread that changes them. */
struct vtd_builder {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct vtd_features features;
	uint64_t root;
};

/* An empty root table. Returns: 0, or as table_take_zeroed(). */
int vtd_builder_create(struct vtd_builder *builder, const struct iopf_memory *memory,
		       const struct table_pages *pages, const struct vtd_features *features);

/*
 * Write the context entry of @rid. A directory is made (@value->directory is not looked
 * at) unless the entry has one already.
 *
 * Returns: 0, -EINVAL, -EEXIST (it has one of another size), -EFAULT (a table outside of
 *          memory), or what take() said.
 */
int vtd_builder_context(const struct vtd_builder *builder, uint32_t rid,
			const struct vtd_context *value);

/*
 * Write the PASID entry of (@rid, @pasid). An entry that is there is taken away first;
 * it is for the caller to invalidate what caches it.
 *
 * Returns: as above, -ENOENT (no context entry), -ERANGE (beyond the directory).
 */
int vtd_builder_pasid(const struct vtd_builder *builder, uint32_t rid, uint32_t pasid,
		      const struct vtd_pasid *value);

/* Take entries away. Returns: 0, -ENOENT (there was none). Directory and PASID tables
 * stay for the next one: they are read until caches are invalidated. */
int vtd_builder_clear_pasid(const struct vtd_builder *builder, uint32_t rid,
			    uint32_t pasid);
int vtd_builder_clear_context(const struct vtd_builder *builder, uint32_t rid);

/*
 * Give back the PASID table of (@rid, @pasid) where no entry of it is present; with
 * IOPF_PASID_ANY each such table of @rid. Whoever may have cached something of it was
 * told to forget, and has.
 */
void vtd_builder_tidy(const struct vtd_builder *builder, uint32_t rid, uint32_t pasid);

#endif
