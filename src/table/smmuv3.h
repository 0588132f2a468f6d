/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv3.h - Arm SMMUv3: stream table entries and context descriptors, which lead
 * from a transaction (stream, substream) to the tables of its address space. (Arm SMMUv3
 * architecture specification, "STE, Stream Table Entry", "CD, Context Descriptor", "L1STD"
 * and "L1CD".) One security state, EL1 streams, VMSAv8-64 tables of 4 KiB granule.
 *
 * Finders read what others may write: word by word, each once, the word with the valid bit
 * first; all checks are made on the copy. Builders write that word last.
 */
#ifndef TABLE_SMMUV3_H
#define TABLE_SMMUV3_H

#include "base/record.h"
#include "table/vmsa.h"
#include "table/vmsas2.h"

/* ---- Layouts ------------------------------------------------------------------------ */

/* clang-format off */
#define SMMUV3_STE(F, R)                   \
	F(SMMUV3_STE_V,           0,  0,  1) \
	F(SMMUV3_STE_CONFIG,      0,  1,  3) \
	F(SMMUV3_STE_S1FMT,       0,  4,  2) \
	F(SMMUV3_STE_S1CONTEXTPTR, 0, 6, 50) \
	R(SMMUV3_STE_RSVD0,       0, 56,  3) \
	F(SMMUV3_STE_S1CDMAX,     0, 59,  5) \
	F(SMMUV3_STE_S1DSS,       1,  0,  2) \
	F(SMMUV3_STE_S1CIR,       1,  2,  2) \
	F(SMMUV3_STE_S1COR,       1,  4,  2) \
	F(SMMUV3_STE_S1CSH,       1,  6,  2) \
	F(SMMUV3_STE_S2HWU,       1,  8,  4) \
	F(SMMUV3_STE_DRE,         1, 12,  1) \
	F(SMMUV3_STE_CONT,        1, 13,  4) \
	F(SMMUV3_STE_DCP,         1, 17,  1) \
	F(SMMUV3_STE_PPAR,        1, 18,  1) \
	F(SMMUV3_STE_MEV,         1, 19,  1) \
	F(SMMUV3_STE_SW,          1, 20,  4) \
	F(SMMUV3_STE_S1PIE,       1, 24,  1) \
	F(SMMUV3_STE_S2FWB,       1, 25,  1) \
	F(SMMUV3_STE_S1MPAM,      1, 26,  1) \
	F(SMMUV3_STE_S1STALLD,    1, 27,  1) \
	F(SMMUV3_STE_EATS,        1, 28,  2) \
	F(SMMUV3_STE_STRW,        1, 30,  2) \
	F(SMMUV3_STE_MEMATTR,     1, 32,  4) \
	F(SMMUV3_STE_MTCFG,       1, 36,  1) \
	F(SMMUV3_STE_ALLOCCFG,    1, 37,  4) \
	R(SMMUV3_STE_RSVD1,       1, 41,  3) \
	F(SMMUV3_STE_SHCFG,       1, 44,  2) \
	F(SMMUV3_STE_NSCFG,       1, 46,  2) \
	F(SMMUV3_STE_PRIVCFG,     1, 48,  2) \
	F(SMMUV3_STE_INSTCFG,     1, 50,  2) \
	F(SMMUV3_STE_IMPDEF0,     1, 52, 12) \
	F(SMMUV3_STE_S2VMID,      2,  0, 16) \
	F(SMMUV3_STE_IMPDEF1,     2, 16, 16) \
	F(SMMUV3_STE_S2T0SZ,      2, 32,  6) \
	F(SMMUV3_STE_S2SL0,       2, 38,  2) \
	F(SMMUV3_STE_S2IR0,       2, 40,  2) \
	F(SMMUV3_STE_S2OR0,       2, 42,  2) \
	F(SMMUV3_STE_S2SH0,       2, 44,  2) \
	F(SMMUV3_STE_S2TG,        2, 46,  2) \
	F(SMMUV3_STE_S2PS,        2, 48,  3) \
	F(SMMUV3_STE_S2AA64,      2, 51,  1) \
	F(SMMUV3_STE_S2ENDI,      2, 52,  1) \
	F(SMMUV3_STE_S2AFFD,      2, 53,  1) \
	F(SMMUV3_STE_S2PTW,       2, 54,  1) \
	F(SMMUV3_STE_S2HD,        2, 55,  1) \
	F(SMMUV3_STE_S2HA,        2, 56,  1) \
	F(SMMUV3_STE_S2S,         2, 57,  1) \
	F(SMMUV3_STE_S2R,         2, 58,  1) \
	F(SMMUV3_STE_S2HAFT,      2, 59,  1) \
	F(SMMUV3_STE_S2PIE,       2, 60,  1) \
	F(SMMUV3_STE_S2POE,       2, 61,  1) \
	F(SMMUV3_STE_DPT_VMATCH,  2, 62,  2) \
	F(SMMUV3_STE_S2NSW,       3,  0,  1) \
	F(SMMUV3_STE_S2NSA,       3,  1,  1) \
	F(SMMUV3_STE_S2SL0_2,     3,  2,  1) \
	F(SMMUV3_STE_S2DS,        3,  3,  1) \
	F(SMMUV3_STE_S2TTB,       3,  4, 52) \
	R(SMMUV3_STE_RSVD2,       3, 56,  5) \
	F(SMMUV3_STE_S2SKL,       3, 61,  2) \
	R(SMMUV3_STE_RSVD3,       3, 63,  1) \
	F(SMMUV3_STE_IMPDEF2,     4,  0, 16) \
	F(SMMUV3_STE_PARTID,      4, 16, 16) \
	F(SMMUV3_STE_S_S2T0SZ,    4, 32,  6) \
	F(SMMUV3_STE_S_S2SL0,     4, 38,  2) \
	R(SMMUV3_STE_RSVD4,       4, 40,  6) \
	F(SMMUV3_STE_S_S2TG,      4, 46,  2) \
	F(SMMUV3_STE_MECID,       4, 48, 16) \
	F(SMMUV3_STE_PMG,         5,  0,  8) \
	F(SMMUV3_STE_MPAM_NS,     5,  8,  1) \
	F(SMMUV3_STE_ASSUREDONLY, 5,  9,  1) \
	F(SMMUV3_STE_TL0,         5, 10,  1) \
	F(SMMUV3_STE_TL1,         5, 11,  1) \
	F(SMMUV3_STE_VMSPTR,      5, 12, 44) \
	R(SMMUV3_STE_RSVD5,       5, 56,  8) \
	F(SMMUV3_STE_S2SW,        6,  0,  1) \
	F(SMMUV3_STE_S2SA,        6,  1,  1) \
	F(SMMUV3_STE_S_S2SL0_2,   6,  2,  1) \
	R(SMMUV3_STE_RSVD6,       6,  3,  1) \
	F(SMMUV3_STE_S_S2TTB,     6,  4, 52) \
	R(SMMUV3_STE_RSVD7,       6, 56,  5) \
	F(SMMUV3_STE_S_S2SKL,     6, 61,  2) \
	R(SMMUV3_STE_RSVD8,       6, 63,  1) \
	F(SMMUV3_STE_S2POI,       7,  0, 64)
#define SMMUV3_STE_FIELDS(X) SMMUV3_STE(X, X)

#define SMMUV3_CD(F, R)                \
	F(SMMUV3_CD_T0SZ,     0,  0,  6) \
	F(SMMUV3_CD_TG0,      0,  6,  2) \
	F(SMMUV3_CD_IR0,      0,  8,  2) \
	F(SMMUV3_CD_OR0,      0, 10,  2) \
	F(SMMUV3_CD_SH0,      0, 12,  2) \
	F(SMMUV3_CD_EPD0,     0, 14,  1) \
	F(SMMUV3_CD_ENDI,     0, 15,  1) \
	F(SMMUV3_CD_T1SZ,     0, 16,  6) \
	F(SMMUV3_CD_TG1,      0, 22,  2) \
	F(SMMUV3_CD_IR1,      0, 24,  2) \
	F(SMMUV3_CD_OR1,      0, 26,  2) \
	F(SMMUV3_CD_SH1,      0, 28,  2) \
	F(SMMUV3_CD_EPD1,     0, 30,  1) \
	F(SMMUV3_CD_V,        0, 31,  1) \
	F(SMMUV3_CD_IPS,      0, 32,  3) \
	F(SMMUV3_CD_AFFD,     0, 35,  1) \
	F(SMMUV3_CD_WXN,      0, 36,  1) \
	F(SMMUV3_CD_UWXN,     0, 37,  1) \
	F(SMMUV3_CD_TBI0,     0, 38,  1) \
	F(SMMUV3_CD_TBI1,     0, 39,  1) \
	F(SMMUV3_CD_PAN,      0, 40,  1) \
	F(SMMUV3_CD_AA64,     0, 41,  1) \
	F(SMMUV3_CD_HD,       0, 42,  1) \
	F(SMMUV3_CD_HA,       0, 43,  1) \
	F(SMMUV3_CD_S,        0, 44,  1) \
	F(SMMUV3_CD_R,        0, 45,  1) \
	F(SMMUV3_CD_A,        0, 46,  1) \
	F(SMMUV3_CD_ASET,     0, 47,  1) \
	F(SMMUV3_CD_ASID,     0, 48, 16) \
	F(SMMUV3_CD_NSCFG0,   1,  0,  1) \
	F(SMMUV3_CD_HAD0,     1,  1,  1) \
	F(SMMUV3_CD_E0PD0,    1,  2,  1) \
	F(SMMUV3_CD_HAFT,     1,  3,  1) \
	F(SMMUV3_CD_TTB0,     1,  4, 52) \
	R(SMMUV3_CD_RSVD0,    1, 56,  2) \
	F(SMMUV3_CD_PNCH,     1, 58,  1) \
	F(SMMUV3_CD_EPAN,     1, 59,  1) \
	F(SMMUV3_CD_HWU0,     1, 60,  4) \
	F(SMMUV3_CD_NSCFG1,   2,  0,  1) \
	F(SMMUV3_CD_HAD1,     2,  1,  1) \
	F(SMMUV3_CD_E0PD1,    2,  2,  1) \
	F(SMMUV3_CD_AIE,      2,  3,  1) \
	F(SMMUV3_CD_TTB1,     2,  4, 52) \
	R(SMMUV3_CD_RSVD1,    2, 56,  2) \
	F(SMMUV3_CD_DS,       2, 58,  1) \
	F(SMMUV3_CD_PIE,      2, 59,  1) \
	F(SMMUV3_CD_HWU1,     2, 60,  4) \
	F(SMMUV3_CD_MAIR,     3,  0, 64) \
	F(SMMUV3_CD_AMAIR,    4,  0, 64) \
	F(SMMUV3_CD_IMPDEF,   5,  0, 32) \
	F(SMMUV3_CD_PARTID,   5, 32, 16) \
	F(SMMUV3_CD_PMG,      5, 48,  8) \
	R(SMMUV3_CD_RSVD2,    5, 56,  8) \
	F(SMMUV3_CD_PIIU,     6,  0, 48) \
	R(SMMUV3_CD_RSVD3,    6, 48, 16) \
	F(SMMUV3_CD_PIIP,     7,  0, 48) \
	R(SMMUV3_CD_RSVD4,    7, 48, 16)
#define SMMUV3_CD_FIELDS(X) SMMUV3_CD(X, X)

#define SMMUV3_L1STD(F, R)             \
	F(SMMUV3_L1STD_SPAN,  0,  0,  5) \
	R(SMMUV3_L1STD_RSVD0, 0,  5,  1) \
	F(SMMUV3_L1STD_L2PTR, 0,  6, 50) \
	R(SMMUV3_L1STD_RSVD1, 0, 56,  8)
#define SMMUV3_L1STD_FIELDS(X) SMMUV3_L1STD(X, X)

#define SMMUV3_L1CD(F, R)             \
	F(SMMUV3_L1CD_V,     0,  0,  1) \
	R(SMMUV3_L1CD_RSVD0, 0,  1, 11) \
	F(SMMUV3_L1CD_L2PTR, 0, 12, 44) \
	R(SMMUV3_L1CD_RSVD1, 0, 56,  8)
#define SMMUV3_L1CD_FIELDS(X) SMMUV3_L1CD(X, X)

/* STRTAB_BASE_CFG, the register beside the stream table's address. */
#define SMMUV3_STRTAB_FIELDS(X)               \
	X(SMMUV3_STRTAB_LOG2SIZE, 0,  0,  6) \
	X(SMMUV3_STRTAB_SPLIT,    0,  6,  5) \
	X(SMMUV3_STRTAB_RSVD0,    0, 11,  5) \
	X(SMMUV3_STRTAB_FMT,      0, 16,  2) \
	X(SMMUV3_STRTAB_RSVD1,    0, 18, 46)
/* clang-format on */

enum {
	SMMUV3_STE_WORDS = 8,
	SMMUV3_CD_WORDS = 8,
	SMMUV3_ENTRY_BYTES = 64, /* of either */
};

/* Stream table entries, context descriptors, their first levels, for tools. */
extern const struct record smmuv3_structures[];

/* The address in STRTAB_BASE. */
#define SMMUV3_STREAMS_ADDR UINT64_C(0x00ffffffffffffc0)

/* Events, as records of the event queue number them. ("Event records") */
/* clang-format off */
#define SMMUV3_EVENTS(X) \
	X(SMMUV3_EVENT_NONE,                0x00, "no event") \
	X(SMMUV3_EVENT_F_UUT,               0x01, "transaction not supported") \
	X(SMMUV3_EVENT_C_BAD_STREAMID,      0x02, "stream beyond the table") \
	X(SMMUV3_EVENT_F_STE_FETCH,         0x03, "stream table entry cannot be read") \
	X(SMMUV3_EVENT_C_BAD_STE,           0x04, "stream table entry illegal") \
	X(SMMUV3_EVENT_F_BAD_ATS_TREQ,      0x05, "translation request, ATS not enabled") \
	X(SMMUV3_EVENT_F_STREAM_DISABLED,   0x06, "nothing for this substream, or for none") \
	X(SMMUV3_EVENT_F_TRANSL_FORBIDDEN,  0x07, "translated access, ATS not enabled") \
	X(SMMUV3_EVENT_C_BAD_SUBSTREAMID,   0x08, "substream beyond the table") \
	X(SMMUV3_EVENT_F_CD_FETCH,          0x09, "context descriptor cannot be read") \
	X(SMMUV3_EVENT_C_BAD_CD,            0x0a, "context descriptor illegal") \
	X(SMMUV3_EVENT_F_WALK_EABT,         0x0b, "table cannot be read or updated") \
	X(SMMUV3_EVENT_F_TRANSLATION,       0x10, "not mapped") \
	X(SMMUV3_EVENT_F_ADDR_SIZE,         0x11, "address too wide") \
	X(SMMUV3_EVENT_F_ACCESS,            0x12, "access flag clear") \
	X(SMMUV3_EVENT_F_PERMISSION,        0x13, "no such right") \
	X(SMMUV3_EVENT_F_TLB_CONFLICT,      0x20, "TLB entries conflict") \
	X(SMMUV3_EVENT_F_CFG_CONFLICT,      0x21, "cached entries conflict") \
	X(SMMUV3_EVENT_E_PAGE_REQUEST,      0x24, "a device's hint")
/* clang-format on */
#define SMMUV3_EVENT_ENUM(name, number, text) name = number,
enum smmuv3_event { SMMUV3_EVENTS(SMMUV3_EVENT_ENUM) };

/* Static text; "?" for a number that is none of these. */
const char *smmuv3_event_text(unsigned event);

/* ---- What an SMMU can do ------------------------------------------------------------ */

enum smmuv3_stall_model {
	SMMUV3_STALL_BOTH, /* stall and terminate */
	SMMUV3_STALL_NEVER,
	SMMUV3_STALL_ALWAYS,
};

/* Checks depend on it: what an SMMU cannot do, an entry may not ask for. */
struct smmuv3_features {
	uint8_t address_bits;   /* OAS, 48 at most */
	uint8_t stream_bits;    /* SIDSIZE */
	uint8_t substream_bits; /* SSIDSIZE; 0: no substreams */
	uint8_t stall_model;    /* enum smmuv3_stall_model */
	bool first, second;     /* S1P, S2P */
	bool access, dirty;     /* HTTU */
	bool ats, split_ats;    /* ATS, and not NS1ATS */
	bool pri;               /* PRI */
	bool streams_2level, contexts_2level; /* ST_LEVEL, CD2L */
	bool asid16, vmid16;
	bool abort_only;        /* TERM_MODEL */
	bool flat;              /* HAD */
};

/* From the identification registers IDR0 to IDR5. */
struct smmuv3_features smmuv3_features_of(const uint32_t idr[6]);

/* ---- Entries as values -------------------------------------------------------------- */

enum smmuv3_config {
	SMMUV3_ABORT = 0,
	SMMUV3_BYPASS = 4,
	SMMUV3_FIRST = 5,
	SMMUV3_SECOND = 6,
	SMMUV3_BOTH = 7,
};

/* S1Fmt. */
enum smmuv3_contexts {
	SMMUV3_LINEAR,
	SMMUV3_LEAF_4K,
	SMMUV3_LEAF_64K,
};

/* S1DSS: what becomes of a transaction without a substream where there are substreams. */
enum smmuv3_default {
	SMMUV3_DEFAULT_TERMINATE,
	SMMUV3_DEFAULT_BYPASS, /* stage 1 */
	SMMUV3_DEFAULT_ZERO,   /* it has descriptor 0 to itself */
};

enum smmuv3_ats {
	SMMUV3_ATS_OFF,
	SMMUV3_ATS_FULL,
	SMMUV3_ATS_SPLIT,
};

struct smmuv3_ste {
	uint64_t context_addr;   /* S1ContextPtr */
	uint8_t config;          /* enum smmuv3_config */
	uint8_t contexts;        /* enum smmuv3_contexts */
	uint8_t context_bits;    /* S1CDMax: there are 2^n descriptors */
	uint8_t without;         /* enum smmuv3_default */
	uint8_t ats;             /* enum smmuv3_ats */
	uint16_t vmid;
	bool stall_off;          /* S1STALLD */
	bool response_pasid;     /* PPAR */
	bool stall, record;      /* S2S, S2R */
	struct vmsas2_format second;
};

struct smmuv3_cd {
	struct vmsa_format first;
	uint16_t asid;
	bool abort, record, stall; /* A, R, S */
};

static inline bool smmuv3_has_first(const struct smmuv3_ste *ste)
{
	return ste->config == SMMUV3_FIRST || ste->config == SMMUV3_BOTH;
}

static inline bool smmuv3_has_second(const struct smmuv3_ste *ste)
{
	return ste->config == SMMUV3_SECOND || ste->config == SMMUV3_BOTH;
}

/* Decode: an event (C_BAD_STE, C_BAD_CD), and @value is written only without one. What a
 * disabled stage ignores is 0. ("Validity of STE", "Validity of CD") */
enum smmuv3_event smmuv3_ste_decode(const uint64_t words[SMMUV3_STE_WORDS],
				    const struct smmuv3_features *features,
				    struct smmuv3_ste *value);
enum smmuv3_event smmuv3_cd_decode(const uint64_t words[SMMUV3_CD_WORDS],
				   const struct smmuv3_features *features,
				   const struct smmuv3_ste *ste, struct smmuv3_cd *value);

/* Encode: the valid bit is set, memory attributes are write-back. -EINVAL: a value does not
 * fit its field. */
int smmuv3_ste_encode(const struct smmuv3_ste *value, uint64_t words[SMMUV3_STE_WORDS]);
int smmuv3_cd_encode(const struct smmuv3_cd *value, uint64_t words[SMMUV3_CD_WORDS]);

/* ---- Finding ------------------------------------------------------------------------ */

/* The entry of stream @sid under STRTAB_BASE and STRTAB_BASE_CFG; *@addr is where it lies,
 * or what could not be read. C_BAD_STREAMID, F_STE_FETCH, C_BAD_STE. */
enum smmuv3_event smmuv3_find_ste(const struct iopf_memory *memory,
				  const struct smmuv3_features *features, uint64_t base,
				  uint64_t base_config, uint32_t sid, uint64_t *addr,
				  struct smmuv3_ste *ste);

/* Which context descriptor a transaction with @pasid (or IOPF_PASID_NONE) takes. *@index
 * UINT32_MAX: none, it bypasses stage 1. F_STREAM_DISABLED, C_BAD_SUBSTREAMID. */
enum smmuv3_event smmuv3_find_number(const struct smmuv3_ste *ste, uint32_t pasid,
				     uint32_t *index);

/*
 * That descriptor. Where @space translates, a page of the table that is missing there is
 * told in @miss (TABLE_SECOND) and the event is F_TRANSLATION; what it really is, who
 * translates knows. miss->entry_addr is the entry that was read, or could not be: F_CD_FETCH.
 */
enum smmuv3_event smmuv3_find_cd(const struct table_space *space,
				 const struct smmuv3_features *features,
				 const struct smmuv3_ste *ste, uint32_t index,
				 struct smmuv3_cd *cd, struct table_result *miss);

/* ---- Building ----------------------------------------------------------------------- */

/* The structures under one stream table, for the one thread that changes them. Beside the
 * entries it keeps a note a stream: its own table of context descriptors, which stays for
 * the next address spaces, and whether the stream is blocked. */
struct smmuv3_builder {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct smmuv3_features features;
	uint64_t root, root_config; /* STRTAB_BASE, STRTAB_BASE_CFG */
};

/* An empty stream table, of 20 bits of streams at most, 16 where it is linear. Returns: 0,
 * or as table_take_aligned(). */
int smmuv3_builder_create(struct smmuv3_builder *builder,
			  const struct iopf_memory *memory,
			  const struct table_pages *pages,
			  const struct smmuv3_features *features);

/*
 * Write the entry of @sid. With a first stage alone and no @value->context_addr it gets a
 * table of context descriptors of its own, as large as the SMMU's substreams (contexts and
 * context_bits are not looked at). An entry that says the same already is left alone;
 * another one aborts what comes until it is replaced.
 *
 * Returns: 0, -EINVAL, -EFAULT (a table outside of memory), or what take() said.
 */
int smmuv3_builder_ste(const struct smmuv3_builder *builder, uint32_t sid,
		       const struct smmuv3_ste *value);

/* An entry that aborts, without an event; descriptors of its own are invalid. What is
 * blocked stays so. Returns: as above. */
int smmuv3_builder_clear_ste(const struct smmuv3_builder *builder, uint32_t sid);

/* Whether the page responses of the stream's function carry its PASIDs: said in every entry
 * from now on, those that abort, too. Returns: as above. */
int smmuv3_builder_response(const struct smmuv3_builder *builder, uint32_t sid,
			    bool response_pasid);

/* While a stream is blocked its entry aborts, whatever is written meanwhile; afterwards it
 * is what was written last. Returns: as above. */
int smmuv3_builder_block(const struct smmuv3_builder *builder, uint32_t sid,
			 bool blocked);

/* What was written last: enum smmuv3_config. -ENOENT: never anything. */
int smmuv3_builder_config(const struct smmuv3_builder *builder, uint32_t sid);

/* Write descriptor @index of @sid's own table, or take it away. Returns: 0, -EINVAL,
 * -ENOENT (no such table; nothing to take away), -ERANGE (beyond it), -EFAULT, or what
 * take() said. */
int smmuv3_builder_cd(const struct smmuv3_builder *builder, uint32_t sid, uint32_t index,
		      const struct smmuv3_cd *value);
int smmuv3_builder_clear_cd(const struct smmuv3_builder *builder, uint32_t sid,
			    uint32_t index);

/* Whether @sid's own table holds no valid descriptor. */
bool smmuv3_builder_empty(const struct smmuv3_builder *builder, uint32_t sid);

/* Give back pages of @sid's own table that hold nothing: of @index, or with IOPF_PASID_ANY
 * each. Whoever may have cached something of them has forgotten it. */
void smmuv3_builder_tidy(const struct smmuv3_builder *builder, uint32_t sid,
			 uint32_t index);

#endif
