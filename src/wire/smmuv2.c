/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv2.c - Arm SMMUv2: the fault that a context bank holds.
 *
 * Arm System MMU Architecture Specification, version 2 (IHI 0062), "SMMU_CBn_FSR",
 * "SMMU_CBn_FSYNR0", "SMMU_CBFRSYNRAn"; positions as in Linux 6.12 (drivers/iommu/arm/
 * arm-smmu) and in a vendor's register text (BDK). Commands are register writes.
 */
#include <errno.h>
#include <string.h>

#include "wire/record.h"
#include "wire/smmuv2.h"

/* clang-format off */
#define SMMUV2_FAULT(F, R)                    \
	R(SMMUV2_FAULT_RSVD0,    0,  0,  1)   \
	F(SMMUV2_FAULT_TF,       0,  1,  1)   \
	F(SMMUV2_FAULT_AFF,      0,  2,  1)   \
	F(SMMUV2_FAULT_PF,       0,  3,  1)   \
	F(SMMUV2_FAULT_EF,       0,  4,  1)   \
	F(SMMUV2_FAULT_TLBMCF,   0,  5,  1)   \
	F(SMMUV2_FAULT_TLBLKF,   0,  6,  1)   \
	F(SMMUV2_FAULT_ASF,      0,  7,  1)   \
	F(SMMUV2_FAULT_UUT,      0,  8,  1)   \
	F(SMMUV2_FAULT_FORMAT,   0,  9,  2)   \
	R(SMMUV2_FAULT_RSVD1,    0, 11, 19)   \
	F(SMMUV2_FAULT_SS,       0, 30,  1)   \
	F(SMMUV2_FAULT_MULTI,    0, 31,  1)   \
	F(SMMUV2_FAULT_PLVL,     0, 32,  2)   \
	F(SMMUV2_FAULT_NESTED,   0, 34,  1)   \
	F(SMMUV2_FAULT_S1PTWF,   0, 35,  1)   \
	F(SMMUV2_FAULT_WNR,      0, 36,  1)   \
	F(SMMUV2_FAULT_PNU,      0, 37,  1)   \
	F(SMMUV2_FAULT_IND,      0, 38,  1)   \
	F(SMMUV2_FAULT_NSSTATE,  0, 39,  1)   \
	F(SMMUV2_FAULT_NSATTR,   0, 40,  1)   \
	F(SMMUV2_FAULT_ATOF,     0, 41,  1)   \
	F(SMMUV2_FAULT_PTWF,     0, 42,  1)   \
	F(SMMUV2_FAULT_AFR,      0, 43,  1)   \
	R(SMMUV2_FAULT_RSVD2,    0, 44,  4)   \
	F(SMMUV2_FAULT_S1CBNDX,  0, 48,  8)   \
	R(SMMUV2_FAULT_RSVD3,    0, 56,  8)   \
	F(SMMUV2_FAULT_FAR,      1,  0, 64)   \
	F(SMMUV2_FAULT_IPAFAR,   2,  0, 64)   \
	F(SMMUV2_FAULT_SID,      3,  0, 16)   \
	R(SMMUV2_FAULT_RSVD4,    3, 16, 16)   \
	F(SMMUV2_FAULT_FSYNR1,   3, 32, 32)
/* clang-format on */
enum smmuv2_fault_field { SMMUV2_FAULT(FIELD_ENUM, FIELD_ENUM) };
RECORD_COMPLETE(SMMUV2_FAULT, 4);

/* ---- What tools say of it --------------------------------------------------------------- */

enum { FORMAT_SHORT, FORMAT_LONG, FORMAT_AARCH64 };

static const struct record_word words[] = {
	RECORD_TEXT(SMMUV2_FAULT_TF, "translation fault: nothing is mapped there"),
	RECORD_TEXT(SMMUV2_FAULT_AFF, "the access flag is not set"),
	RECORD_TEXT(SMMUV2_FAULT_PF, "the access is not permitted"),
	RECORD_TEXT(SMMUV2_FAULT_EF, "external fault: memory did not answer"),
	RECORD_TEXT(SMMUV2_FAULT_TLBMCF, "TLB entries contradict each other"),
	RECORD_TEXT(SMMUV2_FAULT_TLBLKF, "the TLB is locked"),
	RECORD_TEXT(SMMUV2_FAULT_ASF, "an address is too large"),
	RECORD_TEXT(SMMUV2_FAULT_UUT, "an upstream transaction that is not supported"),
	RECORD_TEXT(SMMUV2_FAULT_FORMAT, "format of the tables"),
	RECORD_WORD(SMMUV2_FAULT_FORMAT, FORMAT_SHORT, "short"),
	RECORD_WORD(SMMUV2_FAULT_FORMAT, FORMAT_LONG, "long"),
	RECORD_WORD(SMMUV2_FAULT_FORMAT, FORMAT_AARCH64, "aarch64"),
	RECORD_TEXT(SMMUV2_FAULT_SS, "the transaction is stalled: RESUME ends it"),
	RECORD_TEXT(SMMUV2_FAULT_MULTI, "more faults came, and nothing is known of them"),
	RECORD_TEXT(SMMUV2_FAULT_PLVL, "level of the table"),
	RECORD_TEXT(SMMUV2_FAULT_NESTED, "stage 2 of a nested translation"),
	RECORD_TEXT(SMMUV2_FAULT_S1PTWF, "while a table of stage 1 was read"),
	RECORD_TEXT(SMMUV2_FAULT_WNR, "1 write, 0 read"),
	RECORD_TEXT(SMMUV2_FAULT_NSSTATE, "state of the transaction: 1 non-secure"),
	RECORD_TEXT(SMMUV2_FAULT_NSATTR, "attribute of the transaction: 1 non-secure"),
	RECORD_TEXT(SMMUV2_FAULT_ATOF, "of an address translation operation"),
	RECORD_TEXT(SMMUV2_FAULT_PTWF, "memory did not answer a table walk"),
	RECORD_TEXT(SMMUV2_FAULT_AFR, "told some time after it happened"),
	RECORD_TEXT(SMMUV2_FAULT_S1CBNDX, "context bank of stage 1"),
	RECORD_TEXT(SMMUV2_FAULT_FAR, "input address"),
	RECORD_TEXT(SMMUV2_FAULT_IPAFAR, "what missed in stage 2"),
	RECORD_TEXT(SMMUV2_FAULT_FSYNR1, "implementation defined"),
	RECORD_END,
};

static uint32_t fsr_of(const uint8_t *record)
{
	return (uint32_t)le64_get(record);
}

static bool is_none(const uint8_t *record)
{
	return (fsr_of(record) & SMMUV2_FSR_FAULTS) == 0;
}

static bool is_write_of_instruction(const uint8_t *record)
{
	return field_get(record, SMMUV2_FAULT_IND) && field_get(record, SMMUV2_FAULT_WNR);
}

/* The lowest is taken where there is more than one. */
static uint16_t reason_of(const uint8_t *record)
{
	return (uint16_t)__builtin_ctz(fsr_of(record) & SMMUV2_FSR_FAULTS);
}

static bool is_stall_for_ever(const uint8_t *record)
{
	return field_get(record, SMMUV2_FAULT_SS) && !is_none(record) &&
	       !smmuv2_resumable(reason_of(record));
}

#define LOWER(field) RECORD_LOSS((field), "counts where no lower bit of FSR is set")
#define KEPT_OUT(field) RECORD_LOSS((field), "becomes 0")
static const struct record_rule rules[] = {
	RECORD_CHECK(SMMUV2_FAULT_TF, is_none, "no fault is recorded"),
	RECORD_CHECK(SMMUV2_FAULT_SS, is_stall_for_ever, "no response lets it go on"),
	RECORD_CHECK(SMMUV2_FAULT_IND, is_write_of_instruction,
		     "an instruction that is written"),
	RECORD_NAMED(SMMUV2_FAULT_FORMAT),
	RECORD_WITH(SMMUV2_FAULT_S1PTWF, SMMUV2_FAULT_NESTED),
	RECORD_WITH(SMMUV2_FAULT_S1CBNDX, SMMUV2_FAULT_NESTED),
	RECORD_WITH(SMMUV2_FAULT_IPAFAR, SMMUV2_FAULT_NESTED),
	LOWER(SMMUV2_FAULT_AFF),
	LOWER(SMMUV2_FAULT_PF),
	LOWER(SMMUV2_FAULT_EF),
	LOWER(SMMUV2_FAULT_TLBMCF),
	LOWER(SMMUV2_FAULT_TLBLKF),
	LOWER(SMMUV2_FAULT_ASF),
	LOWER(SMMUV2_FAULT_UUT),
	RECORD_LOSS(SMMUV2_FAULT_FORMAT, "becomes AArch64's"),
	KEPT_OUT(SMMUV2_FAULT_MULTI),
	KEPT_OUT(SMMUV2_FAULT_PLVL),
	KEPT_OUT(SMMUV2_FAULT_NSSTATE),
	KEPT_OUT(SMMUV2_FAULT_NSATTR),
	KEPT_OUT(SMMUV2_FAULT_ATOF),
	KEPT_OUT(SMMUV2_FAULT_PTWF),
	KEPT_OUT(SMMUV2_FAULT_AFR),
	KEPT_OUT(SMMUV2_FAULT_S1CBNDX),
	KEPT_OUT(SMMUV2_FAULT_FSYNR1),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv2_fault_layout =
	RECORD_LAYOUT("smmuv2_fault", SMMUV2_FAULT, SMMUV2_FAULT_BYTES, words, rules);

/* ---- Decode ------------------------------------------------------------------------------ */

/* WnR is 1 for a write, other than SMMUv3's; a write is no instruction. */
static uint8_t perm_of(const uint8_t *record)
{
	bool write = field_get(record, SMMUV2_FAULT_WNR);
	uint64_t perm = field_get(record, SMMUV2_FAULT_PNU) * IOPF_PRIV;

	perm |= write ? IOPF_WRITE : IOPF_READ;
	if (!write)
		perm |= field_get(record, SMMUV2_FAULT_IND) * IOPF_EXEC;
	return (uint8_t)perm;
}

/*
 * A stall that no response may let go on waits all the same: it is told, without the rights
 * that it would take. A bank knows no PASID, and does not say its own number: the index is
 * for who has read it.
 */
static int decode_fault(const uint8_t *record, struct iopf_fault *fault, bool *reserved)
{
	bool nested = field_get(record, SMMUV2_FAULT_NESTED);
	bool stall = field_get(record, SMMUV2_FAULT_SS);
	bool table = nested && field_get(record, SMMUV2_FAULT_S1PTWF);
	uint16_t reason;

	if (is_none(record))
		return -EBADMSG;
	reason = reason_of(record);
	*fault = (struct iopf_fault){
		.addr = field_get(record, SMMUV2_FAULT_FAR),
		.gpa = nested ? field_get(record, SMMUV2_FAULT_IPAFAR) : 0,
		.rid = (uint32_t)field_get(record, SMMUV2_FAULT_SID),
		.pasid = IOPF_PASID_NONE,
		.perm = stall && !smmuv2_resumable(reason) ? 0 : perm_of(record),
		.reason = reason,
		.stage = nested ? 2 : 0,
		.what = table ? IOPF_FAULT_TABLE : IOPF_FAULT_INPUT,
		.table_perm = table ? IOPF_READ : 0,
		.stall = stall,
	};
	*reserved = wire_reserved(&smmuv2_fault_layout, record) ||
		    is_write_of_instruction(record);
	return 0;
}

/* ---- Encode ------------------------------------------------------------------------------ */

static bool access_valid(uint8_t perm)
{
	perm &= (uint8_t)~IOPF_PRIV;
	return perm == IOPF_READ || perm == IOPF_WRITE || perm == (IOPF_READ | IOPF_EXEC);
}

static bool fault_valid(const struct iopf_fault *fault)
{
	bool table = fault->what == IOPF_FAULT_TABLE;

	if (fault->reason < SMMUV2_TF || fault->reason > SMMUV2_UUT || fault->request ||
	    fault->pasid != IOPF_PASID_NONE || !access_valid(fault->perm) ||
	    fault->what > IOPF_FAULT_TABLE ||
	    fault->table_perm != (table ? IOPF_READ : 0) ||
	    (fault->stall && !smmuv2_resumable(fault->reason)))
		return false;
	return fault->stage == 2 || (fault->stage == 0 && !table && fault->gpa == 0);
}

static int encode_fault(const struct iopf_fault *fault, uint8_t *record)
{
	uint8_t r[SMMUV2_FAULT_BYTES] = { 0 };

	if (!fault_valid(fault) || !wire_put(r, SMMUV2_FAULT_SID, fault->rid))
		return -ERANGE;
	le64_put(r, le64_get(r) | UINT64_C(1) << fault->reason);
	field_put(r, SMMUV2_FAULT_FORMAT, FORMAT_AARCH64);
	field_put(r, SMMUV2_FAULT_SS, fault->stall);
	field_put(r, SMMUV2_FAULT_NESTED, fault->stage == 2);
	field_put(r, SMMUV2_FAULT_S1PTWF, fault->what == IOPF_FAULT_TABLE);
	field_put(r, SMMUV2_FAULT_WNR, (fault->perm & IOPF_WRITE) != 0);
	field_put(r, SMMUV2_FAULT_PNU, (fault->perm & IOPF_PRIV) != 0);
	field_put(r, SMMUV2_FAULT_IND, (fault->perm & IOPF_EXEC) != 0);
	field_put(r, SMMUV2_FAULT_FAR, fault->addr);
	field_put(r, SMMUV2_FAULT_IPAFAR, fault->gpa);
	memcpy(record, r, sizeof(r));
	return 0;
}

/* ---- The family -------------------------------------------------------------------------- */

const struct iopf_wire iopf_wire_smmuv2 = {
	.name = "smmuv2",
	.fault_bytes = SMMUV2_FAULT_BYTES,
	.decode_fault = decode_fault,
	.encode_fault = encode_fault,
};

static const struct record records[] = {
	{ .name = "fault",
	  .text = "fault registers of a context bank",
	  .layout = &smmuv2_fault_layout,
	  .size_bytes = SMMUV2_FAULT_BYTES,
	  .role = RECORD_EVENT },
	{ .name = NULL },
};

const struct wire_family wire_family_smmuv2 = {
	.name = "smmuv2",
	.wire = &iopf_wire_smmuv2,
	.records = records,
};
