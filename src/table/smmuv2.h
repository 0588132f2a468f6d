/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv2.h - Arm SMMUv2: its structures, which are registers. (Arm System MMU
 * Architecture Specification, version 2, IHI 0062; positions as in Linux 6.12, drivers/
 * iommu/arm/arm-smmu.) Stream matching, AArch64 tables of 4 KiB pages.
 *
 * A stream is matched by an SMR, and the S2CR of the same number says what becomes of it;
 * one that is translated goes through a context bank, which does stage 1 or stage 2.
 */
#ifndef TABLE_SMMUV2_H
#define TABLE_SMMUV2_H

#include "base/record.h"
#include "table/vmsa.h"
#include "table/vmsas2.h"

/* ---- Where registers are ------------------------------------------------------------- */

/* The first page. */
enum {
	SMMUV2_CR0 = 0x000,
	SMMUV2_ID0 = 0x020, /* ID1, ID2 behind it */
	SMMUV2_GFSR = 0x048,
	SMMUV2_GFSYNR0 = 0x050,
	SMMUV2_GFSYNR1 = 0x054,
	SMMUV2_TLBIVMID = 0x064,
	SMMUV2_TLBIALLNSNH = 0x068,
	SMMUV2_TLBIALLH = 0x06c,
	SMMUV2_TLBGSYNC = 0x070,
	SMMUV2_TLBGSTATUS = 0x074,
	SMMUV2_SMR = 0x800, /* of 4 bytes, one a stream */
	SMMUV2_S2CR = 0xc00,
};
/* The second; of 4 bytes, one a context bank. */
enum {
	SMMUV2_CBAR = 0x000,
	SMMUV2_CBFRSYNRA = 0x400,
	SMMUV2_CBA2R = 0x800,
};
/* A context bank's own page. */
enum {
	SMMUV2_SCTLR = 0x000,
	SMMUV2_RESUME = 0x008,
	SMMUV2_TCR2 = 0x010,
	SMMUV2_TTBR0 = 0x020,
	SMMUV2_TTBR1 = 0x028,
	SMMUV2_TCR = 0x030,
	SMMUV2_MAIR = 0x038,
	SMMUV2_FSR = 0x058,
	SMMUV2_FAR = 0x060,
	SMMUV2_FSYNR0 = 0x068, /* FSYNR1 behind it */
	SMMUV2_IPAFAR = 0x070,
	SMMUV2_TLBIVA = 0x600,
	SMMUV2_TLBIVAA = 0x608,
	SMMUV2_TLBIASID = 0x610,
	SMMUV2_TLBIALL = 0x618,
	SMMUV2_TLBIVAL = 0x620,
	SMMUV2_TLBIVAAL = 0x628,
	SMMUV2_TLBIIPAS2 = 0x630,
	SMMUV2_TLBIIPAS2L = 0x638,
	SMMUV2_TLBSYNC = 0x7f0,
	SMMUV2_TLBSTATUS = 0x7f4,
};

/* CR0 */
#define SMMUV2_CR0_CLIENTPD UINT32_C(0x00000001) /* everything passes */
#define SMMUV2_CR0_GFRE     UINT32_C(0x00000002)
#define SMMUV2_CR0_GCFGFRE  UINT32_C(0x00000010)
#define SMMUV2_CR0_USFCFG   UINT32_C(0x00000400) /* streams that nobody matches fault */
#define SMMUV2_CR0_VMIDPNE  UINT32_C(0x00000800)
#define SMMUV2_CR0_PTM      UINT32_C(0x00001000)
#define SMMUV2_CR0_VMID16EN UINT32_C(0x80000000)
/* SCTLR: what the layout below calls them, for who changes one bit */
#define SMMUV2_SCTLR_CFIE  UINT32_C(0x00000040)
#define SMMUV2_SCTLR_CFCFG UINT32_C(0x00000080)
/* RESUME; TLBGSTATUS; GFSR */
#define SMMUV2_TERMINATE UINT32_C(1)
#define SMMUV2_GSACTIVE  UINT32_C(1)
#define SMMUV2_GFSR_ICF  UINT32_C(0x00000001) /* of a context that faults */
#define SMMUV2_GFSR_USF  UINT32_C(0x00000002)

/* Addresses and ASIDs in TLBI registers. */
#define SMMUV2_TLBI_ASID(asid) ((uint64_t)(asid) << 48)

enum { SMMUV2_BANK_MAX = 128 };

/* ID0, ID1 and ID2, as far as they matter here: words of 32 bits. */
/* clang-format off */
#define SMMUV2_ID(X) \
	X(SMMUV2_ID0_NUMSMRG,       0,  0, 8) \
	X(SMMUV2_ID0_NUMSIDB,       0,  9, 4) \
	X(SMMUV2_ID0_NUMIRPT,       0, 16, 8) \
	X(SMMUV2_ID0_SMS,           0, 27, 1) \
	X(SMMUV2_ID0_S2TS,          0, 29, 1) \
	X(SMMUV2_ID0_S1TS,          0, 30, 1) \
	X(SMMUV2_ID1_NUMCB,         1,  0, 8) \
	X(SMMUV2_ID1_NUMS2CB,       1, 16, 8) \
	X(SMMUV2_ID1_NUMPAGENDXB,   1, 28, 3) \
	X(SMMUV2_ID1_PAGESIZE,      1, 31, 1) \
	X(SMMUV2_ID2_OAS,           2,  4, 4) \
	X(SMMUV2_ID2_PTFS_4K,       2, 12, 1) \
	X(SMMUV2_ID2_VMID16,        2, 15, 1)
/* clang-format on */
enum smmuv2_id_field { SMMUV2_ID(FIELD_ENUM) };

/* What they say. */
struct smmuv2_features {
	bool first, second; /* stages */
	bool matches;       /* streams by SMRs, not by number alone */
	bool pages_4k;      /* AArch64 tables */
	bool vmid16;
	uint8_t stream_bits;
	uint8_t page_shift; /* of the register space: 12, 16 */
	uint8_t address_bits; /* of what tables lead to */
	uint16_t streams;
	uint16_t banks, second_banks; /* the first ones do stage 2 alone */
	uint16_t bank_page;           /* of bank 0 */
	uint16_t lines;               /* interrupts of banks */
};

struct smmuv2_features smmuv2_features_of(const uint32_t id[3]);

/* Offset of a register of the second page, of a bank's page. */
static inline uint32_t smmuv2_second_at(const struct smmuv2_features *features,
					uint32_t offset, uint32_t bank)
{
	return (UINT32_C(1) << features->page_shift) + offset + 4 * bank;
}

static inline uint32_t smmuv2_bank_at(const struct smmuv2_features *features,
				      uint32_t offset, uint32_t bank)
{
	return ((features->bank_page + bank) << features->page_shift) + offset;
}

/* ---- Layouts: registers that belong together, as one record ----------------------------- */

/* clang-format off */
/* SMR, above it S2CR */
#define SMMUV2_STREAM(F, R)                   \
	F(SMMUV2_STREAM_ID,        0,  0, 15) \
	R(SMMUV2_STREAM_RSVD0,     0, 15,  1) \
	F(SMMUV2_STREAM_MASK,      0, 16, 15) \
	F(SMMUV2_STREAM_VALID,     0, 31,  1) \
	F(SMMUV2_STREAM_CBNDX,     0, 32,  8) \
	F(SMMUV2_STREAM_SHCFG,     0, 40,  2) \
	F(SMMUV2_STREAM_EXIDVALID, 0, 42,  1) \
	F(SMMUV2_STREAM_MTCFG,     0, 43,  1) \
	F(SMMUV2_STREAM_MEMATTR,   0, 44,  4) \
	F(SMMUV2_STREAM_TYPE,      0, 48,  2) \
	F(SMMUV2_STREAM_NSCFG,     0, 50,  2) \
	F(SMMUV2_STREAM_RACFG,     0, 52,  2) \
	F(SMMUV2_STREAM_WACFG,     0, 54,  2) \
	F(SMMUV2_STREAM_PRIVCFG,   0, 56,  2) \
	F(SMMUV2_STREAM_INSTCFG,   0, 58,  2) \
	R(SMMUV2_STREAM_RSVD1,     0, 60,  4)
/* CBAR, CBA2R; SCTLR, TCR2; TTBR0; TTBR1; TCR; MAIR0, MAIR1. What stage 2 calls otherwise
 * stands in the same bits: SL0 where EPD0 and the bit below it are, PS in T1SZ. */
#define SMMUV2_BANK(F, R)                     \
	F(SMMUV2_BANK_VMID,        0,  0,  8) \
	F(SMMUV2_BANK_ATTR,        0,  8,  8) \
	F(SMMUV2_BANK_TYPE,        0, 16,  2) \
	F(SMMUV2_BANK_HINTS,       0, 18,  6) \
	F(SMMUV2_BANK_IRPTNDX,     0, 24,  8) \
	F(SMMUV2_BANK_VA64,        0, 32,  1) \
	R(SMMUV2_BANK_RSVD0,       0, 33, 15) \
	F(SMMUV2_BANK_VMID16,      0, 48, 16) \
	F(SMMUV2_BANK_M,           1,  0,  1) \
	F(SMMUV2_BANK_TRE,         1,  1,  1) \
	F(SMMUV2_BANK_AFE,         1,  2,  1) \
	F(SMMUV2_BANK_AFFD,        1,  3,  1) \
	F(SMMUV2_BANK_E,           1,  4,  1) \
	F(SMMUV2_BANK_CFRE,        1,  5,  1) \
	F(SMMUV2_BANK_CFIE,        1,  6,  1) \
	F(SMMUV2_BANK_CFCFG,       1,  7,  1) \
	F(SMMUV2_BANK_HUPCF,       1,  8,  1) \
	F(SMMUV2_BANK_WXN,         1,  9,  1) \
	F(SMMUV2_BANK_UWXN,        1, 10,  1) \
	R(SMMUV2_BANK_RSVD1,       1, 11,  1) \
	F(SMMUV2_BANK_ASIDPNE,     1, 12,  1) \
	R(SMMUV2_BANK_RSVD2,       1, 13,  1) \
	F(SMMUV2_BANK_MEMORY,      1, 14, 16) \
	R(SMMUV2_BANK_RSVD3,       1, 30,  2) \
	F(SMMUV2_BANK_PASIZE,      1, 32,  3) \
	R(SMMUV2_BANK_RSVD4,       1, 35,  1) \
	F(SMMUV2_BANK_AS,          1, 36,  1) \
	F(SMMUV2_BANK_TBI0,        1, 37,  1) \
	F(SMMUV2_BANK_TBI1,        1, 38,  1) \
	R(SMMUV2_BANK_RSVD5,       1, 39,  3) \
	F(SMMUV2_BANK_NSCFG,       1, 42,  5) \
	F(SMMUV2_BANK_SEP,         1, 47,  3) \
	R(SMMUV2_BANK_RSVD6,       1, 50, 14) \
	F(SMMUV2_BANK_TTBR0,       2,  0, 48) \
	F(SMMUV2_BANK_ASID0,       2, 48, 16) \
	F(SMMUV2_BANK_TTBR1,       3,  0, 48) \
	F(SMMUV2_BANK_ASID1,       3, 48, 16) \
	F(SMMUV2_BANK_T0SZ,        4,  0,  6) \
	F(SMMUV2_BANK_SL0_LOW,     4,  6,  1) \
	F(SMMUV2_BANK_EPD0,        4,  7,  1) \
	F(SMMUV2_BANK_IRGN0,       4,  8,  2) \
	F(SMMUV2_BANK_ORGN0,       4, 10,  2) \
	F(SMMUV2_BANK_SH0,         4, 12,  2) \
	F(SMMUV2_BANK_TG0,         4, 14,  2) \
	F(SMMUV2_BANK_T1SZ,        4, 16,  6) \
	F(SMMUV2_BANK_A1,          4, 22,  1) \
	F(SMMUV2_BANK_EPD1,        4, 23,  1) \
	F(SMMUV2_BANK_IRGN1,       4, 24,  2) \
	F(SMMUV2_BANK_ORGN1,       4, 26,  2) \
	F(SMMUV2_BANK_SH1,         4, 28,  2) \
	F(SMMUV2_BANK_TG1,         4, 30,  2) \
	R(SMMUV2_BANK_RSVD7,       4, 32, 32) \
	F(SMMUV2_BANK_MAIR,        5,  0, 64)
/* clang-format on */
enum smmuv2_stream_field { SMMUV2_STREAM(FIELD_ENUM, FIELD_ENUM) };
enum smmuv2_bank_field { SMMUV2_BANK(FIELD_ENUM, FIELD_ENUM) };
RECORD_COMPLETE(SMMUV2_STREAM, 1);
RECORD_COMPLETE(SMMUV2_BANK, 6);
enum { SMMUV2_BANK_WORDS = 6 };

extern const struct record smmuv2_structures[];

/* ---- Streams ---------------------------------------------------------------------------- */

/* S2CR.TYPE */
enum smmuv2_stream_type { SMMUV2_TRANSLATE, SMMUV2_BYPASS, SMMUV2_FAULT_ALL };

#define SMMUV2_NONE UINT32_MAX

/* The number of the SMR that matches @rid, and what stands there: *@word. SMMUV2_NONE:
 * none does. Returns: 0, or a register's error. */
int smmuv2_stream_find(const struct family_registers *registers,
		       const struct smmuv2_features *features, uint32_t rid,
		       uint32_t *number, uint64_t *word);

/* ---- Context banks ---------------------------------------------------------------------- */

/* CBAR.TYPE */
enum smmuv2_bank_type {
	SMMUV2_SECOND,      /* stage 2 alone */
	SMMUV2_FIRST,       /* stage 1, what it leads to is memory */
	SMMUV2_FIRST_FAULT, /* every access faults */
	SMMUV2_BOTH,        /* stage 1 over another bank: nobody here does that */
};

struct smmuv2_bank {
	uint8_t type; /* enum smmuv2_bank_type */
	uint8_t line; /* interrupt */
	bool on;      /* false: what comes passes */
	bool stall;   /* CFCFG */
	bool interrupt, abort, independent; /* CFIE, CFRE, HUPCF */
	uint16_t vmid, asid;
	struct vmsa_format first;
	struct vmsas2_format second;
};

/* False: a type or format that is not known here. */
bool smmuv2_bank_decode(const uint64_t words[SMMUV2_BANK_WORDS],
			const struct smmuv2_features *features, struct smmuv2_bank *bank);
void smmuv2_bank_encode(const struct smmuv2_bank *bank,
			const struct smmuv2_features *features,
			uint64_t words[SMMUV2_BANK_WORDS]);

/* All registers of bank @number. */
int smmuv2_bank_read(const struct family_registers *registers,
		     const struct smmuv2_features *features, uint32_t number,
		     uint64_t words[SMMUV2_BANK_WORDS]);
/* ---- The family's member of struct family_tables ---------------------------------------- */

struct smmuv2_tables {
	struct family_registers registers;
	struct smmuv2_features features;
	const struct iopf_memory *memory;
	struct table_pages pages;
};

#endif
