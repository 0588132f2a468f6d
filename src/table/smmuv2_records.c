/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv2_records.c - Arm SMMUv2's structures as records: registers that belong
 * together, what tools say of their fields, and what is wrong with one. (IHI 0062)
 */
#include "table/smmuv2.h"


#define UNUSED(field) RECORD_TEXT((field), "not used here")
#define LAID(field)   RECORD_TEXT((field), "how tables are read")

/* ---- SMR, S2CR ---------------------------------------------------------------------------- */

static const struct record_word stream_words[] = {
	RECORD_TEXT(SMMUV2_STREAM_ID, "StreamID that is matched"),
	RECORD_TEXT(SMMUV2_STREAM_MASK, "bits of it that do not count"),
	RECORD_TEXT(SMMUV2_STREAM_VALID, "matches"),
	RECORD_TEXT(SMMUV2_STREAM_CBNDX, "context bank"),
	UNUSED(SMMUV2_STREAM_SHCFG),
	UNUSED(SMMUV2_STREAM_EXIDVALID),
	UNUSED(SMMUV2_STREAM_MTCFG),
	UNUSED(SMMUV2_STREAM_MEMATTR),
	RECORD_TEXT(SMMUV2_STREAM_TYPE, "what becomes of it"),
	RECORD_WORD(SMMUV2_STREAM_TYPE, SMMUV2_TRANSLATE, "translate"),
	RECORD_WORD(SMMUV2_STREAM_TYPE, SMMUV2_BYPASS, "bypass"),
	RECORD_WORD(SMMUV2_STREAM_TYPE, SMMUV2_FAULT_ALL, "fault"),
	UNUSED(SMMUV2_STREAM_NSCFG),
	UNUSED(SMMUV2_STREAM_RACFG),
	UNUSED(SMMUV2_STREAM_WACFG),
	UNUSED(SMMUV2_STREAM_PRIVCFG),
	UNUSED(SMMUV2_STREAM_INSTCFG),
	RECORD_END,
};
static const struct record_rule stream_rules[] = {
	RECORD_NAMED(SMMUV2_STREAM_TYPE),
	RECORD_ONLY(SMMUV2_STREAM_CBNDX, SMMUV2_STREAM_TYPE, 1 << SMMUV2_TRANSLATE |
		    1 << SMMUV2_FAULT_ALL),
	RECORD_RULES_END,
};
static const struct iopf_layout stream_layout =
	RECORD_LAYOUT("smmuv2_stream", SMMUV2_STREAM, 8, stream_words, stream_rules);

/* ---- A context bank ------------------------------------------------------------------------- */

static const struct record_word bank_words[] = {
	RECORD_TEXT(SMMUV2_BANK_VMID, "virtual machine, of 8 bits"),
	RECORD_TEXT(SMMUV2_BANK_ATTR, "attributes of stage 1; or the bank of stage 2"),
	RECORD_TEXT(SMMUV2_BANK_TYPE, "which stages translate"),
	RECORD_WORD(SMMUV2_BANK_TYPE, SMMUV2_SECOND, "stage2"),
	RECORD_WORD(SMMUV2_BANK_TYPE, SMMUV2_FIRST, "stage1"),
	RECORD_WORD(SMMUV2_BANK_TYPE, SMMUV2_FIRST_FAULT, "fault"),
	RECORD_WORD(SMMUV2_BANK_TYPE, SMMUV2_BOTH, "nested"),
	UNUSED(SMMUV2_BANK_HINTS),
	RECORD_TEXT(SMMUV2_BANK_IRPTNDX, "interrupt"),
	RECORD_TEXT(SMMUV2_BANK_VA64, "1: VMSAv8-64"),
	RECORD_TEXT(SMMUV2_BANK_VMID16, "virtual machine, of 16 bits"),
	RECORD_TEXT(SMMUV2_BANK_M, "translates"),
	RECORD_TEXT(SMMUV2_BANK_TRE, "attributes by MAIR"),
	RECORD_TEXT(SMMUV2_BANK_AFE, "access flags count"),
	RECORD_TEXT(SMMUV2_BANK_AFFD, "an access flag that is clear does not fault"),
	RECORD_TEXT(SMMUV2_BANK_E, "big-endian tables"),
	RECORD_TEXT(SMMUV2_BANK_CFRE, "1 abort, 0 read as 0 and write nothing"),
	RECORD_TEXT(SMMUV2_BANK_CFIE, "faults interrupt"),
	RECORD_TEXT(SMMUV2_BANK_CFCFG, "1 stall, 0 terminate"),
	RECORD_TEXT(SMMUV2_BANK_HUPCF, "what comes behind a fault is on its own"),
	RECORD_TEXT(SMMUV2_BANK_WXN, "writable pages are not executed"),
	UNUSED(SMMUV2_BANK_UWXN),
	RECORD_TEXT(SMMUV2_BANK_ASIDPNE, "invalidations by ASID are not broadcast"),
	UNUSED(SMMUV2_BANK_MEMORY),
	RECORD_TEXT(SMMUV2_BANK_PASIZE, "width of output addresses"),
	RECORD_TEXT(SMMUV2_BANK_AS, "ASIDs of 16 bits"),
	RECORD_TEXT(SMMUV2_BANK_TBI0, "top byte ignored, low half"),
	RECORD_TEXT(SMMUV2_BANK_TBI1, "top byte ignored, high half"),
	UNUSED(SMMUV2_BANK_NSCFG),
	RECORD_TEXT(SMMUV2_BANK_SEP, "where an address's sign is; 7: the bus's highest bit"),
	RECORD_UNIT(SMMUV2_BANK_TTBR0, 0, "root of the low half, or of stage 2"),
	RECORD_TEXT(SMMUV2_BANK_ASID0, "address space"),
	RECORD_UNIT(SMMUV2_BANK_TTBR1, 0, "root of the high half"),
	RECORD_TEXT(SMMUV2_BANK_ASID1, "address space, with A1"),
	RECORD_TEXT(SMMUV2_BANK_T0SZ, "64 less the width of input addresses, low half"),
	RECORD_TEXT(SMMUV2_BANK_SL0_LOW, "stage 2: levels less two, low bit"),
	RECORD_TEXT(SMMUV2_BANK_EPD0, "low half off; stage 2: levels less two, high bit"),
	LAID(SMMUV2_BANK_IRGN0),
	LAID(SMMUV2_BANK_ORGN0),
	LAID(SMMUV2_BANK_SH0),
	RECORD_TEXT(SMMUV2_BANK_TG0, "granule of the low half: 0 4 KiB, 1 64, 2 16"),
	RECORD_TEXT(SMMUV2_BANK_T1SZ, "the same of the high half; stage 2: output width"),
	RECORD_TEXT(SMMUV2_BANK_A1, "the address space is ASID1"),
	RECORD_TEXT(SMMUV2_BANK_EPD1, "high half off"),
	LAID(SMMUV2_BANK_IRGN1),
	LAID(SMMUV2_BANK_ORGN1),
	LAID(SMMUV2_BANK_SH1),
	RECORD_TEXT(SMMUV2_BANK_TG1, "granule of the high half: 1 16 KiB, 2 4, 3 64"),
	RECORD_TEXT(SMMUV2_BANK_MAIR, "attributes, a byte each"),
	RECORD_END,
};

#define FIRST_STAGE (1 << SMMUV2_FIRST | 1 << SMMUV2_FIRST_FAULT | 1 << SMMUV2_BOTH)
static const struct record_rule bank_rules[] = {
	RECORD_ONLY(SMMUV2_BANK_TTBR1, SMMUV2_BANK_TYPE, FIRST_STAGE),
	RECORD_ONLY(SMMUV2_BANK_ASID1, SMMUV2_BANK_TYPE, FIRST_STAGE),
	RECORD_ONLY(SMMUV2_BANK_TBI0, SMMUV2_BANK_TYPE, FIRST_STAGE),
	RECORD_ONLY(SMMUV2_BANK_TBI1, SMMUV2_BANK_TYPE, FIRST_STAGE),
	RECORD_ONLY(SMMUV2_BANK_PASIZE, SMMUV2_BANK_TYPE, FIRST_STAGE),
	RECORD_RULES_END,
};
static const struct iopf_layout bank_layout = RECORD_LAYOUT(
	"smmuv2_bank", SMMUV2_BANK, 8 * SMMUV2_BANK_WORDS, bank_words, bank_rules);

const struct record smmuv2_structures[] = {
	{ .name = "stream",
	  .text = "registers that match a stream: SMR, S2CR",
	  .layout = &stream_layout,
	  .size_bytes = 8 },
	{ .name = "bank",
	  .text = "registers that set a context bank up: CBAR to MAIR",
	  .layout = &bank_layout,
	  .size_bytes = 8 * SMMUV2_BANK_WORDS },
	{ .name = NULL },
};
