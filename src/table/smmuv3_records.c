/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv3_records.c - Arm SMMUv3's structures in memory as records: what tools say of
 * their fields, and what is wrong with one. Strict; what the SMMU itself refuses, and with
 * which event, is in smmuv3.c. (IHI 0070, chapter 5)
 */
#include "base/record.h"
#include "table/smmuv3_words.h"

#define UNUSED(field) RECORD_TEXT((field), "not used here")
#define IMPDEF(field) RECORD_TEXT((field), "implementation defined")
#define SECURE(field) RECORD_TEXT((field), "of secure and realm streams")

/* ---- Stream table entry ------------------------------------------------------------------ */

static const struct record_word ste_words[] = {
	RECORD_TEXT(SMMUV3_STE_V, "valid"),
	RECORD_TEXT(SMMUV3_STE_CONFIG, "which stages translate"),
	RECORD_TEXT(SMMUV3_STE_S1FMT, "form of the table of descriptors"),
	RECORD_UNIT(SMMUV3_STE_S1CONTEXTPTR, 6, "where descriptors are"),
	RECORD_TEXT(SMMUV3_STE_S1CDMAX, "2^n descriptors; 0: one, and no substreams"),
	RECORD_TEXT(SMMUV3_STE_S1DSS, "accesses without a substream"),
	RECORD_TEXT(SMMUV3_STE_S1CIR, "how descriptors are read: 1 write-back, inner"),
	RECORD_TEXT(SMMUV3_STE_S1COR, "1 write-back, outer"),
	RECORD_TEXT(SMMUV3_STE_S1CSH, "3 inner shareable"),
	UNUSED(SMMUV3_STE_S2HWU),
	UNUSED(SMMUV3_STE_DRE),
	UNUSED(SMMUV3_STE_CONT),
	UNUSED(SMMUV3_STE_DCP),
	RECORD_TEXT(SMMUV3_STE_PPAR, "automatic responses carry the request's PASID"),
	UNUSED(SMMUV3_STE_MEV),
	RECORD_TEXT(SMMUV3_STE_SW, "software's; ignored"),
	UNUSED(SMMUV3_STE_S1PIE),
	UNUSED(SMMUV3_STE_S2FWB),
	UNUSED(SMMUV3_STE_S1MPAM),
	RECORD_TEXT(SMMUV3_STE_S1STALLD, "stage 1 must not stall"),
	RECORD_TEXT(SMMUV3_STE_EATS, "what ATS gives"),
	RECORD_TEXT(SMMUV3_STE_STRW, "without EL2 ignored"),
	UNUSED(SMMUV3_STE_MEMATTR),
	UNUSED(SMMUV3_STE_MTCFG),
	UNUSED(SMMUV3_STE_ALLOCCFG),
	RECORD_TEXT(SMMUV3_STE_SHCFG, "1 incoming attribute"),
	UNUSED(SMMUV3_STE_NSCFG),
	UNUSED(SMMUV3_STE_PRIVCFG),
	UNUSED(SMMUV3_STE_INSTCFG),
	IMPDEF(SMMUV3_STE_IMPDEF0),
	RECORD_TEXT(SMMUV3_STE_S2VMID, "virtual machine"),
	IMPDEF(SMMUV3_STE_IMPDEF1),
	RECORD_TEXT(SMMUV3_STE_S2T0SZ, "64 less the width of intermediate addresses"),
	RECORD_TEXT(SMMUV3_STE_S2SL0, "levels less two"),
	RECORD_TEXT(SMMUV3_STE_S2IR0, "how tables are read: 1 write-back"),
	RECORD_TEXT(SMMUV3_STE_S2OR0, "1 write-back"),
	RECORD_TEXT(SMMUV3_STE_S2SH0, "3 inner shareable"),
	RECORD_TEXT(SMMUV3_STE_S2TG, "granule"),
	RECORD_TEXT(SMMUV3_STE_S2PS, "width of output addresses"),
	RECORD_TEXT(SMMUV3_STE_S2AA64, "1: VMSAv8-64"),
	RECORD_TEXT(SMMUV3_STE_S2ENDI, "big-endian tables"),
	RECORD_TEXT(SMMUV3_STE_S2AFFD, "an access flag that is clear does not matter"),
	UNUSED(SMMUV3_STE_S2PTW),
	RECORD_TEXT(SMMUV3_STE_S2HD, "hardware sets dirty state"),
	RECORD_TEXT(SMMUV3_STE_S2HA, "hardware sets access flags"),
	RECORD_TEXT(SMMUV3_STE_S2S, "faults stall"),
	RECORD_TEXT(SMMUV3_STE_S2R, "faults that do not stall are recorded"),
	UNUSED(SMMUV3_STE_S2HAFT),
	UNUSED(SMMUV3_STE_S2PIE),
	UNUSED(SMMUV3_STE_S2POE),
	UNUSED(SMMUV3_STE_DPT_VMATCH),
	SECURE(SMMUV3_STE_S2NSW),
	SECURE(SMMUV3_STE_S2NSA),
	UNUSED(SMMUV3_STE_S2SL0_2),
	UNUSED(SMMUV3_STE_S2DS),
	RECORD_UNIT(SMMUV3_STE_S2TTB, 4, "root of stage 2"),
	UNUSED(SMMUV3_STE_S2SKL),
	IMPDEF(SMMUV3_STE_IMPDEF2),
	UNUSED(SMMUV3_STE_PARTID),
	SECURE(SMMUV3_STE_S_S2T0SZ),
	SECURE(SMMUV3_STE_S_S2SL0),
	SECURE(SMMUV3_STE_S_S2TG),
	SECURE(SMMUV3_STE_MECID),
	UNUSED(SMMUV3_STE_PMG),
	SECURE(SMMUV3_STE_MPAM_NS),
	UNUSED(SMMUV3_STE_ASSUREDONLY),
	UNUSED(SMMUV3_STE_TL0),
	UNUSED(SMMUV3_STE_TL1),
	UNUSED(SMMUV3_STE_VMSPTR),
	SECURE(SMMUV3_STE_S2SW),
	SECURE(SMMUV3_STE_S2SA),
	SECURE(SMMUV3_STE_S_S2SL0_2),
	SECURE(SMMUV3_STE_S_S2TTB),
	SECURE(SMMUV3_STE_S_S2SKL),
	UNUSED(SMMUV3_STE_S2POI),
	RECORD_WORD(SMMUV3_STE_CONFIG, SMMUV3_ABORT, "abort"),
	RECORD_WORD(SMMUV3_STE_CONFIG, SMMUV3_BYPASS, "bypass"),
	RECORD_WORD(SMMUV3_STE_CONFIG, SMMUV3_FIRST, "stage_1"),
	RECORD_WORD(SMMUV3_STE_CONFIG, SMMUV3_SECOND, "stage_2"),
	RECORD_WORD(SMMUV3_STE_CONFIG, SMMUV3_BOTH, "both"),
	RECORD_WORD(SMMUV3_STE_S1FMT, 0, "linear"),
	RECORD_WORD(SMMUV3_STE_S1FMT, SMMUV3_LEAF_4K, "two_levels_4k"),
	RECORD_WORD(SMMUV3_STE_S1FMT, SMMUV3_LEAF_64K, "two_levels_64k"),
	RECORD_WORD(SMMUV3_STE_S1DSS, 0, "terminate"),
	RECORD_WORD(SMMUV3_STE_S1DSS, 1, "bypass"),
	RECORD_WORD(SMMUV3_STE_S1DSS, 2, "substream_0"),
	RECORD_WORD(SMMUV3_STE_EATS, 0, "off"),
	RECORD_WORD(SMMUV3_STE_EATS, 1, "full"),
	RECORD_WORD(SMMUV3_STE_EATS, 2, "split"),
	RECORD_WORD(SMMUV3_STE_EATS, 3, "dpt"),
	RECORD_WORD(SMMUV3_STE_S2TG, 0, "4k"),
	RECORD_WORD(SMMUV3_STE_S2TG, 1, "64k"),
	RECORD_WORD(SMMUV3_STE_S2TG, 2, "16k"),
	RECORD_WORD(SMMUV3_STE_S2PS, 0, "32"),
	RECORD_WORD(SMMUV3_STE_S2PS, 1, "36"),
	RECORD_WORD(SMMUV3_STE_S2PS, 2, "40"),
	RECORD_WORD(SMMUV3_STE_S2PS, 3, "42"),
	RECORD_WORD(SMMUV3_STE_S2PS, 4, "44"),
	RECORD_WORD(SMMUV3_STE_S2PS, 5, "48"),
	RECORD_END,
};

enum { WITH_FIRST = 1 << SMMUV3_FIRST | 1 << SMMUV3_BOTH };
enum { WITH_SECOND = 1 << SMMUV3_SECOND | 1 << SMMUV3_BOTH };

static bool is_split_alone(const uint8_t *r)
{
	return field_get(r, SMMUV3_STE_EATS) == 2 &&
	       field_get(r, SMMUV3_STE_CONFIG) != SMMUV3_BOTH;
}

/* Functions ask for translations and for pages: their accesses never stall. */
static bool is_stalled_ats(const uint8_t *r)
{
	return field_get(r, SMMUV3_STE_EATS) != 0 && field_get(r, SMMUV3_STE_S2S) != 0 &&
	       (WITH_SECOND >> field_get(r, SMMUV3_STE_CONFIG) & 1) != 0;
}

static const struct record_rule ste_rules[] = {
	RECORD_NAMED(SMMUV3_STE_CONFIG),
	RECORD_NAMED(SMMUV3_STE_S1FMT),
	RECORD_NAMED(SMMUV3_STE_S1DSS),
	RECORD_NAMED(SMMUV3_STE_S2TG),
	RECORD_ONLY(SMMUV3_STE_S1CONTEXTPTR, SMMUV3_STE_CONFIG, WITH_FIRST),
	RECORD_ONLY(SMMUV3_STE_S1CDMAX, SMMUV3_STE_CONFIG, WITH_FIRST),
	RECORD_ONLY(SMMUV3_STE_S2TTB, SMMUV3_STE_CONFIG, WITH_SECOND),
	RECORD_WITH(SMMUV3_STE_S2HD, SMMUV3_STE_S2HA),
	RECORD_CHECK(SMMUV3_STE_EATS, is_split_alone, "split ATS needs both stages"),
	RECORD_CHECK(SMMUV3_STE_S2S, is_stalled_ats, "ATS, and stage 2 stalls"),
	RECORD_RULES_END,
};
static const struct iopf_layout ste_layout =
	RECORD_LAYOUT("smmuv3_ste", SMMUV3_STE, SMMUV3_ENTRY_BYTES, ste_words, ste_rules);

/* ---- Context descriptor ------------------------------------------------------------------ */

static const struct record_word cd_words[] = {
	RECORD_TEXT(SMMUV3_CD_T0SZ, "64 less the width of half 0"),
	RECORD_TEXT(SMMUV3_CD_TG0, "granule of half 0"),
	RECORD_TEXT(SMMUV3_CD_IR0, "how tables are read: 1 write-back"),
	RECORD_TEXT(SMMUV3_CD_OR0, "1 write-back"),
	RECORD_TEXT(SMMUV3_CD_SH0, "3 inner shareable"),
	RECORD_TEXT(SMMUV3_CD_EPD0, "half 0 is not walked"),
	RECORD_TEXT(SMMUV3_CD_ENDI, "big-endian tables"),
	RECORD_TEXT(SMMUV3_CD_T1SZ, "as T0SZ, of half 1"),
	RECORD_TEXT(SMMUV3_CD_TG1, "granule of half 1"),
	RECORD_TEXT(SMMUV3_CD_IR1, "as IR0"),
	RECORD_TEXT(SMMUV3_CD_OR1, "as OR0"),
	RECORD_TEXT(SMMUV3_CD_SH1, "as SH0"),
	RECORD_TEXT(SMMUV3_CD_EPD1, "half 1 is not walked"),
	RECORD_TEXT(SMMUV3_CD_V, "valid"),
	RECORD_TEXT(SMMUV3_CD_IPS, "width of output addresses"),
	RECORD_TEXT(SMMUV3_CD_AFFD, "an access flag that is clear does not matter"),
	RECORD_TEXT(SMMUV3_CD_WXN, "what may be written is not executed"),
	RECORD_TEXT(SMMUV3_CD_UWXN, "ignored with VMSAv8-64"),
	RECORD_TEXT(SMMUV3_CD_TBI0, "the top byte of addresses in half 0 is ignored"),
	RECORD_TEXT(SMMUV3_CD_TBI1, "the top byte of addresses in half 1 is ignored"),
	RECORD_TEXT(SMMUV3_CD_PAN, "privileged data accesses keep off users' pages"),
	RECORD_TEXT(SMMUV3_CD_AA64, "1: VMSAv8-64"),
	RECORD_TEXT(SMMUV3_CD_HD, "hardware sets dirty state"),
	RECORD_TEXT(SMMUV3_CD_HA, "hardware sets access flags"),
	RECORD_TEXT(SMMUV3_CD_S, "faults stall"),
	RECORD_TEXT(SMMUV3_CD_R, "faults that do not stall are recorded"),
	RECORD_TEXT(SMMUV3_CD_A, "faults that do not stall abort"),
	RECORD_TEXT(SMMUV3_CD_ASET, "1: not of the set that processors share"),
	RECORD_TEXT(SMMUV3_CD_ASID, "number of the address space"),
	SECURE(SMMUV3_CD_NSCFG0),
	RECORD_TEXT(SMMUV3_CD_HAD0, "table entries of half 0 hold no rights"),
	UNUSED(SMMUV3_CD_E0PD0),
	UNUSED(SMMUV3_CD_HAFT),
	RECORD_UNIT(SMMUV3_CD_TTB0, 4, "root of half 0"),
	UNUSED(SMMUV3_CD_PNCH),
	UNUSED(SMMUV3_CD_EPAN),
	UNUSED(SMMUV3_CD_HWU0),
	SECURE(SMMUV3_CD_NSCFG1),
	RECORD_TEXT(SMMUV3_CD_HAD1, "table entries of half 1 hold no rights"),
	UNUSED(SMMUV3_CD_E0PD1),
	UNUSED(SMMUV3_CD_AIE),
	RECORD_UNIT(SMMUV3_CD_TTB1, 4, "root of half 1"),
	UNUSED(SMMUV3_CD_DS),
	UNUSED(SMMUV3_CD_PIE),
	UNUSED(SMMUV3_CD_HWU1),
	RECORD_TEXT(SMMUV3_CD_MAIR, "attributes by number; 0 is write-back"),
	UNUSED(SMMUV3_CD_AMAIR),
	IMPDEF(SMMUV3_CD_IMPDEF),
	UNUSED(SMMUV3_CD_PARTID),
	UNUSED(SMMUV3_CD_PMG),
	UNUSED(SMMUV3_CD_PIIU),
	UNUSED(SMMUV3_CD_PIIP),
	RECORD_WORD(SMMUV3_CD_TG0, 0, "4k"),
	RECORD_WORD(SMMUV3_CD_TG0, 1, "64k"),
	RECORD_WORD(SMMUV3_CD_TG0, 2, "16k"),
	RECORD_WORD(SMMUV3_CD_TG1, 0, "none"),
	RECORD_WORD(SMMUV3_CD_TG1, 1, "16k"),
	RECORD_WORD(SMMUV3_CD_TG1, 2, "4k"),
	RECORD_WORD(SMMUV3_CD_TG1, 3, "64k"),
	RECORD_WORD(SMMUV3_CD_IPS, 0, "32"),
	RECORD_WORD(SMMUV3_CD_IPS, 1, "36"),
	RECORD_WORD(SMMUV3_CD_IPS, 2, "40"),
	RECORD_WORD(SMMUV3_CD_IPS, 3, "42"),
	RECORD_WORD(SMMUV3_CD_IPS, 4, "44"),
	RECORD_WORD(SMMUV3_CD_IPS, 5, "48"),
	RECORD_END,
};

static bool is_half_1_without(const uint8_t *r)
{
	return !field_get(r, SMMUV3_CD_EPD1) && field_get(r, SMMUV3_CD_V) &&
	       field_get(r, SMMUV3_CD_TG1) == 0;
}

static const struct record_rule cd_rules[] = {
	RECORD_NAMED(SMMUV3_CD_TG0),
	RECORD_CHECK(SMMUV3_CD_TG1, is_half_1_without, "half 1 is walked and has no granule"),
	RECORD_WITH(SMMUV3_CD_HD, SMMUV3_CD_HA),
	RECORD_RULES_END,
};
static const struct iopf_layout cd_layout =
	RECORD_LAYOUT("smmuv3_cd", SMMUV3_CD, SMMUV3_ENTRY_BYTES, cd_words, cd_rules);

/* ---- First levels ------------------------------------------------------------------------ */

static const struct record_word l1std_words[] = {
	RECORD_TEXT(SMMUV3_L1STD_SPAN, "the second level has 2^(n-1) entries; 0: none"),
	RECORD_UNIT(SMMUV3_L1STD_L2PTR, 6, "where it is"),
	RECORD_END,
};
/* IHI 0070, 5.1: 12 and more are reserved. */
static const struct record_rule l1std_rules[] = {
	RECORD_MOST(SMMUV3_L1STD_SPAN, 11),
	RECORD_RULES_END,
};
static const struct iopf_layout l1std_layout =
	RECORD_LAYOUT("smmuv3_l1std", SMMUV3_L1STD, 8, l1std_words, l1std_rules);

static const struct record_word l1cd_words[] = {
	RECORD_TEXT(SMMUV3_L1CD_V, "the leaf is there"),
	RECORD_UNIT(SMMUV3_L1CD_L2PTR, 12, "where it is"),
	RECORD_END,
};
static const struct record_rule l1cd_rules[] = {
	RECORD_WITH(SMMUV3_L1CD_L2PTR, SMMUV3_L1CD_V),
	RECORD_RULES_END,
};
static const struct iopf_layout l1cd_layout =
	RECORD_LAYOUT("smmuv3_l1cd", SMMUV3_L1CD, 8, l1cd_words, l1cd_rules);

const struct record smmuv3_structures[] = {
	{ .name = "ste",
	  .text = "stream table entry",
	  .layout = &ste_layout,
	  .size_bytes = SMMUV3_ENTRY_BYTES },
	{ .name = "cd",
	  .text = "context descriptor",
	  .layout = &cd_layout,
	  .size_bytes = SMMUV3_ENTRY_BYTES },
	{ .name = "l1std",
	  .text = "first level of stream tables",
	  .layout = &l1std_layout,
	  .size_bytes = 8 },
	{ .name = "l1cd",
	  .text = "first level of context descriptors",
	  .layout = &l1cd_layout,
	  .size_bytes = 8 },
	{ .name = NULL },
};
