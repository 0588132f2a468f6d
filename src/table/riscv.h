/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/riscv.h - a RISC-V IOMMU's device and process directories, which lead from a
 * device and a process to their tables, and the way through both stages. (RISC-V IOMMU
 * Architecture Specification 1.0, "Data Structures".)
 *
 * Contexts are kept as the words that were copied; fields are looked at there.
 */
#ifndef TABLE_RISCV_H
#define TABLE_RISCV_H

#include "base/record.h"
#include "iopf/wire.h"
#include "table/sv_nested.h"
#include "table/words.h"

/* clang-format off */
/* A device's context: tc, iohgatp, ta, fsc. The extended format has four words more, of
 * interrupts, which are kept off here. */
#define RISCV_DC(F, R)                          \
	F(RISCV_DC_V,          0,  0,  1)       \
	F(RISCV_DC_EN_ATS,     0,  1,  1)       \
	F(RISCV_DC_EN_PRI,     0,  2,  1)       \
	F(RISCV_DC_T2GPA,      0,  3,  1)       \
	F(RISCV_DC_DTF,        0,  4,  1)       \
	F(RISCV_DC_PDTV,       0,  5,  1)       \
	F(RISCV_DC_PRPR,       0,  6,  1)       \
	F(RISCV_DC_GADE,       0,  7,  1)       \
	F(RISCV_DC_SADE,       0,  8,  1)       \
	F(RISCV_DC_DPE,        0,  9,  1)       \
	F(RISCV_DC_SBE,        0, 10,  1)       \
	F(RISCV_DC_SXL,        0, 11,  1)       \
	R(RISCV_DC_RSVD0,      0, 12, 12)       \
	F(RISCV_DC_CUSTOM,     0, 24,  8)       \
	R(RISCV_DC_RSVD1,      0, 32, 32)       \
	F(RISCV_DC_GPPN,       1,  0, 44)       \
	F(RISCV_DC_GSCID,      1, 44, 16)       \
	F(RISCV_DC_GMODE,      1, 60,  4)       \
	R(RISCV_DC_RSVD2,      2,  0, 12)       \
	F(RISCV_DC_PSCID,      2, 12, 20)       \
	R(RISCV_DC_RSVD3,      2, 32, 32)       \
	F(RISCV_DC_PPN,        3,  0, 44)       \
	R(RISCV_DC_RSVD4,      3, 44, 16)       \
	F(RISCV_DC_MODE,       3, 60,  4)
/* A process's. */
#define RISCV_PC(F, R)                          \
	F(RISCV_PC_V,          0,  0,  1)       \
	F(RISCV_PC_ENS,        0,  1,  1)       \
	F(RISCV_PC_SUM,        0,  2,  1)       \
	R(RISCV_PC_RSVD0,      0,  3,  9)       \
	F(RISCV_PC_PSCID,      0, 12, 20)       \
	R(RISCV_PC_RSVD1,      0, 32, 32)       \
	F(RISCV_PC_PPN,        1,  0, 44)       \
	R(RISCV_PC_RSVD2,      1, 44, 16)       \
	F(RISCV_PC_MODE,       1, 60,  4)
/* clang-format on */
RECORD_FIELDS4(riscv_dc_field, RISCV_DC);
RECORD_FIELDS2(riscv_pc_field, RISCV_PC);
/* An entry that leads on to the next directory. */
enum { RISCV_NL_V = FIELD(0, 0, 1), RISCV_NL_PPN = FIELD(0, 10, 44) };
#define RISCV_NL_RESERVED (~(FIELD_MASK(RISCV_NL_V) | FIELD_MASK(RISCV_NL_PPN)))

enum {
	RISCV_DC_WORDS = 4,
	RISCV_PC_WORDS = 2,
	RISCV_BARE = 0, /* of every MODE */
	RISCV_SV39 = 8, /* and Sv39x4; then the wider ones */
	RISCV_PD8 = 1,  /* levels of a process directory */
	RISCV_PD20 = 3,
	RISCV_3LVL = 4, /* ddtp.iommu_mode: levels and one */
};

/* Capabilities, as the register has them. */
enum riscv_capability {
	RISCV_CAN_SV = FIELD(0, 9, 3),   /* a bit for each of Sv39, Sv48, Sv57 */
	RISCV_CAN_SOFTWARE = FIELD(0, 14, 1),
	RISCV_CAN_PBMT = FIELD(0, 15, 1),
	RISCV_CAN_SVX4 = FIELD(0, 17, 3),
	RISCV_CAN_MSI_FLAT = FIELD(0, 22, 1),
	RISCV_CAN_HWAD = FIELD(0, 24, 1),
	RISCV_CAN_ATS = FIELD(0, 25, 1),
	RISCV_CAN_T2GPA = FIELD(0, 26, 1),
	RISCV_CAN_END = FIELD(0, 27, 1),
	RISCV_CAN_PAS = FIELD(0, 32, 6),
	RISCV_CAN_PD = FIELD(0, 38, 3),  /* PD8, PD17, PD20 */
};

struct riscv_features {
	uint64_t capabilities;
};

struct riscv_dc {
	uint64_t word[RISCV_DC_WORDS];
};

/* A first stage, with what accesses may do in it; a member of the row's detail. */
struct riscv_first {
	uint64_t root;
	uint32_t pscid;
	uint32_t process; /* that it is of, or IOPF_PASID_NONE */
	uint8_t mode;     /* RISCV_BARE, RISCV_SV39 and on */
	bool ens, sum;
};

/* Causes are enum iopf_riscv_cause; 0: none. */

/* ---- What may be said ----------------------------------------------------------------- */

#define RISCV_CAN(features, what) field_of((features)->capabilities, RISCV_CAN_##what)
#define RISCV_BIT(field)     FIELD_MASK(RISCV_DC_##field)

/* Bits of a context that this IOMMU lacks the feature for. */
static inline uint64_t riscv_lacking(const struct riscv_features *features)
{
	uint64_t bits = RISCV_BIT(SBE) | RISCV_BIT(SXL); /* words are little-endian, 64 bits wide */

	if (!RISCV_CAN(features, ATS))
		bits |= RISCV_BIT(EN_ATS) | RISCV_BIT(EN_PRI) | RISCV_BIT(PRPR);
	if (!RISCV_CAN(features, T2GPA))
		bits |= RISCV_BIT(T2GPA);
	if (!RISCV_CAN(features, HWAD))
		bits |= RISCV_BIT(GADE) | RISCV_BIT(SADE);
	return bits;
}

/* @supported: a bit for each mode from @first on. */
static inline bool riscv_mode_valid(uint64_t mode, uint64_t supported, unsigned first)
{
	return mode == RISCV_BARE ||
	       (mode >= first && mode < first + 3 && (supported >> (mode - first) & 1) != 0);
}

/* "Device-context configuration checks". */
static inline unsigned riscv_dc_check(const struct riscv_features *features,
				      const struct riscv_dc *dc)
{
	static const uint64_t reserved[] = { UINT64_C(0) RISCV_DC(RECORD_SKIP, FIELD_OR0),
					     UINT64_C(0) RISCV_DC(RECORD_SKIP, FIELD_OR1),
					     UINT64_C(0) RISCV_DC(RECORD_SKIP, FIELD_OR2),
					     UINT64_C(0) RISCV_DC(RECORD_SKIP, FIELD_OR3) };
	const uint64_t *word = dc->word;
	uint64_t tc = word[0], gmode = words_get(word, RISCV_DC_GMODE);
	bool pdtv = (tc & RISCV_BIT(PDTV)) != 0;
	bool misconfigured = (tc & riscv_lacking(features)) != 0;

	for (unsigned i = 0; i < RISCV_DC_WORDS; i++)
		misconfigured |= (word[i] & reserved[i]) != 0;
	misconfigured |= (tc & RISCV_BIT(EN_ATS)) == 0 &&
			 (tc & (RISCV_BIT(T2GPA) | RISCV_BIT(EN_PRI))) != 0;
	misconfigured |= (tc & RISCV_BIT(EN_PRI)) == 0 && (tc & RISCV_BIT(PRPR)) != 0;
	misconfigured |= (tc & RISCV_BIT(T2GPA)) != 0 && gmode == RISCV_BARE;
	misconfigured |= !pdtv && (tc & RISCV_BIT(DPE)) != 0;
	misconfigured |= !riscv_mode_valid(words_get(word, RISCV_DC_MODE),
				     pdtv ? RISCV_CAN(features, PD) : RISCV_CAN(features, SV),
				     pdtv ? RISCV_PD8 : RISCV_SV39);
	misconfigured |= !riscv_mode_valid(gmode, RISCV_CAN(features, SVX4), RISCV_SV39);
	misconfigured |= gmode != RISCV_BARE && (words_get(word, RISCV_DC_GPPN) & 3) != 0;
	return misconfigured ? IOPF_RISCV_ddt_misconfigured : 0;
}

static inline bool riscv_pc_sound(const struct riscv_features *features,
				  const uint64_t pc[RISCV_PC_WORDS])
{
	return (pc[0] & (UINT64_C(0) RISCV_PC(RECORD_SKIP, FIELD_OR0))) == 0 &&
	       (pc[1] & (UINT64_C(0) RISCV_PC(RECORD_SKIP, FIELD_OR1))) == 0 &&
	       riscv_mode_valid(words_get(pc, RISCV_PC_MODE), RISCV_CAN(features, SV), RISCV_SV39);
}

/* ---- How it is walked ------------------------------------------------------------------ */

enum {
	RISCV_LEVELS_MIN = 3, /* of tables: Sv39 */
	RISCV_GPA_BITS = 56,  /* of what a PPN can say */
};

static inline uint8_t riscv_levels(uint64_t mode)
{
	return mode == RISCV_BARE ? 0 : (uint8_t)(mode - RISCV_SV39 + RISCV_LEVELS_MIN);
}

static inline struct sv_format riscv_format(const struct riscv_features *features, uint64_t mode)
{
	return (struct sv_format){ .levels = riscv_levels(mode),
				   .address_bits = (uint8_t)RISCV_CAN(features, PAS),
				   .pbmt = RISCV_CAN(features, PBMT),
				   .software_bits = RISCV_CAN(features, SOFTWARE) };
}

/* @first NULL: bare. */
static inline struct sv_stages riscv_stages(const struct riscv_features *features,
				  const struct riscv_dc *dc, const struct riscv_first *first)
{
	uint64_t gmode = words_get(dc->word, RISCV_DC_GMODE);
	struct sv_stages stages = {
		.first_root = first != NULL ? first->root : 0,
		.second_root = words_addr(dc->word, RISCV_DC_GPPN),
		.first = riscv_format(features, first != NULL ? first->mode : RISCV_BARE),
		.second = riscv_format(features, gmode),
	};

	if (gmode != RISCV_BARE)
		stages.first.address_bits = RISCV_GPA_BITS; /* it is the second stage's business */
	stages.first.update = (dc->word[0] & RISCV_BIT(SADE)) != 0;
	stages.first.supervisor = first != NULL && first->ens;
	stages.first.sum = first != NULL && first->sum;
	stages.second.second = true;
	stages.second.update = (dc->word[0] & RISCV_BIT(GADE)) != 0;
	return stages;
}

/* The widest of three modes that there are, of @most levels; RISCV_BARE: none. */
static inline uint64_t riscv_widest(uint64_t modes, uint32_t most)
{
	for (uint32_t levels = most; levels >= 3; levels--)
		if ((modes >> (levels - 3) & 1) != 0)
			return RISCV_SV39 + levels - 3;
	return RISCV_BARE;
}

/* ---- Finding, walking ------------------------------------------------------------------ */

/* The context of @rid below ddtp (@root, @mode), as long as it is one. */
unsigned riscv_find_dc(const struct iopf_memory *memory, const struct riscv_features *features,
		       uint64_t root, uint64_t mode, uint32_t rid, struct riscv_dc *dc);

struct riscv_walk {
	const struct riscv_features *features;
	const struct iopf_memory *memory; /* of what no stage translates further */
	const struct riscv_dc *dc;
	bool update; /* hardware marks what is used, as the context says */
};

/* What a walk found, or the cause that it ends with. What is not named is 0. */
struct riscv_result {
	uint64_t addr;       /* as memory has it */
	uint64_t size_bytes; /* of the smaller page of both stages */
	uint64_t gpa;        /* that went through the second stage last */
	uint16_t cause;
	uint8_t perm;        /* rights that both stages grant */
	uint8_t fault;       /* enum table_fault of the stage whose it is */
	uint8_t gpa_perm;
	bool implicit;       /* a directory's or table's page missed, not the data's */
	uint8_t level;       /* of a process directory that lacks an entry: 0 its leaf */
	struct table_result first, second; /* each stage's last walk, where it was walked */
};

/*
 * The first stage of what has the process @pasid (or IOPF_PASID_NONE), and an access of
 * @perm to it: "Process to translate an IOVA", steps 7 to 16.
 * Returns: true, or false: the cause is in @result.
 */
bool riscv_first(const struct riscv_walk *walk, uint32_t pasid, uint8_t perm,
		 struct riscv_first *first, struct riscv_result *result);

/* Both stages. NULL: @addr is a guest address. Returns: as above. */
bool riscv_translate(const struct riscv_walk *walk, const struct riscv_first *first,
		     uint64_t addr, uint8_t perm, struct riscv_result *result);

/* The structures under one ddtp, for the one thread that changes them. */
struct riscv_builder {
	const struct iopf_memory *memory;
	struct table_pages pages;
	struct riscv_features features;
	uint64_t root;
	uint64_t identity; /* of a second stage that changes nothing, or 0 */
};

#endif
