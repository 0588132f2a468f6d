/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv3_commands.c - Arm SMMUv3: what stands in the command queue.
 *
 * IHI 0070, chapter 4 "Commands", as a non-secure queue takes them without EL2, VMS or
 * DPT; here responses (4.5.2, 4.7) and synchronization (4.7.3). An SMMU may ignore
 * reserved bits or refuse them (4.1.5); here they are refused, and so is SSec: a
 * non-secure queue knows no secure streams.
 */
#include <errno.h>
#include <string.h>

#include "wire/smmuv3.h"

/* clang-format off */
#define SMMUV3_PRI_RESP(F, R)                   \
	F(SMMUV3_PRI_RESP_OP,     0,  0,  8)    \
	R(SMMUV3_PRI_RESP_RSVD0,  0,  8,  3)    \
	F(SMMUV3_PRI_RESP_SSV,    0, 11,  1)    \
	F(SMMUV3_PRI_RESP_SSID,   0, 12, 20)    \
	F(SMMUV3_PRI_RESP_SID,    0, 32, 32)    \
	F(SMMUV3_PRI_RESP_PRGI,   1,  0,  9)    \
	R(SMMUV3_PRI_RESP_RSVD1,  1,  9,  3)    \
	F(SMMUV3_PRI_RESP_RESP,   1, 12,  2)    \
	R(SMMUV3_PRI_RESP_RSVD2,  1, 14, 50)
#define SMMUV3_RESUME(F, R)                     \
	F(SMMUV3_RESUME_OP,       0,  0,  8)    \
	R(SMMUV3_RESUME_RSVD0,    0,  8,  4)    \
	F(SMMUV3_RESUME_AC,       0, 12,  1)    \
	F(SMMUV3_RESUME_AB,       0, 13,  1)    \
	R(SMMUV3_RESUME_RSVD1,    0, 14, 18)    \
	F(SMMUV3_RESUME_SID,      0, 32, 32)    \
	F(SMMUV3_RESUME_STAG,     1,  0, 16)    \
	R(SMMUV3_RESUME_RSVD2,    1, 16, 48)
#define SMMUV3_SYNC(F, R)                       \
	F(SMMUV3_SYNC_OP,         0,  0,  8)    \
	R(SMMUV3_SYNC_RSVD0,      0,  8,  4)    \
	F(SMMUV3_SYNC_CS,         0, 12,  2)    \
	R(SMMUV3_SYNC_RSVD1,      0, 14,  8)    \
	F(SMMUV3_SYNC_MSH,        0, 22,  2)    \
	F(SMMUV3_SYNC_MSIATTR,    0, 24,  4)    \
	R(SMMUV3_SYNC_RSVD2,      0, 28,  4)    \
	F(SMMUV3_SYNC_MSIDATA,    0, 32, 32)    \
	R(SMMUV3_SYNC_RSVD3,      1,  0,  2)    \
	F(SMMUV3_SYNC_MSIADDR,    1,  2, 54)    \
	R(SMMUV3_SYNC_RSVD4,      1, 56,  8)
#define SMMUV3_PRI_RESP_FIELDS(X) SMMUV3_PRI_RESP(X, X)
#define SMMUV3_RESUME_FIELDS(X) SMMUV3_RESUME(X, X)
#define SMMUV3_SYNC_FIELDS(X) SMMUV3_SYNC(X, X)
/* clang-format on */
enum smmuv3_pri_resp_field { SMMUV3_PRI_RESP_FIELDS(FIELD_ENUM) };
enum smmuv3_resume_field { SMMUV3_RESUME_FIELDS(FIELD_ENUM) };
enum smmuv3_sync_field { SMMUV3_SYNC_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(SMMUV3_PRI_RESP_FIELDS);
RECORD_COMPLETE2(SMMUV3_RESUME_FIELDS);
RECORD_COMPLETE2(SMMUV3_SYNC_FIELDS);
/* ---- Responses --------------------------------------------------------------------- */

/* Not PCIe's numbers: these are the SMMU's own, which it turns into those. */
enum { RESP_FAILURE = 0, RESP_INVALID = 1, RESP_SUCCESS = 2, RESP_COUNT };
static const struct record_word pri_resp_words[] = {
	RECORD_WORD(SMMUV3_PRI_RESP_RESP, RESP_FAILURE, "failure"),
	RECORD_WORD(SMMUV3_PRI_RESP_RESP, RESP_INVALID, "invalid"),
	RECORD_WORD(SMMUV3_PRI_RESP_RESP, RESP_SUCCESS, "success"),
	RECORD_TEXT(SMMUV3_PRI_RESP_RESP, "response code"),
	RECORD_END,
};
static const struct record_rule pri_resp_rules[] = {
	RECORD_CODE(SMMUV3_PRI_RESP_RESP),
	RECORD_LOSS_WITHOUT(SMMUV3_PRI_RESP_SSID, SMMUV3_PRI_RESP_SSV,
			    "ignored without SSV"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_pri_resp_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_pri_resp", SMMUV3_PRI_RESP, pri_resp_words, pri_resp_rules);

static const struct record_word resume_words[] = {
	RECORD_TEXT(SMMUV3_RESUME_AC, "1: try again"),
	RECORD_TEXT(SMMUV3_RESUME_AB, "without AC: 1 abort, 0 reads zeros, drops writes"),
	RECORD_END,
};
static const struct record_rule resume_rules[] = {
	RECORD_LOSS(SMMUV3_RESUME_AB, "a denied access is aborted"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_resume_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_resume", SMMUV3_RESUME, resume_words, resume_rules);

static const uint8_t code_resp[] = {
	[IOPF_SUCCESS] = RESP_SUCCESS,
	[IOPF_INVALID] = RESP_INVALID,
	[IOPF_FAILURE] = RESP_FAILURE,
};
static_assert(sizeof(code_resp) == IOPF_CODE_COUNT, "a response for every meaning");
static const uint8_t resp_code[RESP_COUNT] = {
	[RESP_FAILURE] = IOPF_FAILURE,
	[RESP_INVALID] = IOPF_INVALID,
	[RESP_SUCCESS] = IOPF_SUCCESS,
};

static bool pri_resp_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t resp = field_get(r, SMMUV3_PRI_RESP_RESP);

	if (resp >= RESP_COUNT)
		return false;
	c->code = resp_code[resp];
	c->rid = (uint32_t)field_get(r, SMMUV3_PRI_RESP_SID);
	c->index = (uint16_t)field_get(r, SMMUV3_PRI_RESP_PRGI);
	c->pasid = field_get(r, SMMUV3_PRI_RESP_SSV) ?
			   (uint32_t)field_get(r, SMMUV3_PRI_RESP_SSID) :
			   IOPF_PASID_NONE;
	return true;
}

/* Abort and terminate are one here: nobody is told that a device read zeros. */
static bool resume_decode(const uint8_t *r, struct iopf_command *c)
{
	c->code = field_get(r, SMMUV3_RESUME_AC) ? IOPF_SUCCESS : IOPF_INVALID;
	c->flags = IOPF_STALL;
	c->rid = (uint32_t)field_get(r, SMMUV3_RESUME_SID);
	c->index = (uint16_t)field_get(r, SMMUV3_RESUME_STAG);
	c->pasid = IOPF_PASID_NONE;
	return true;
}

static int resume_encode(const struct iopf_command *c, uint8_t *r)
{
	field_put(r, SMMUV3_OP, SMMUV3_OP_RESUME);
	field_put(r, SMMUV3_RESUME_AC, c->code == IOPF_SUCCESS);
	field_put(r, SMMUV3_RESUME_AB, c->code != IOPF_SUCCESS);
	field_put(r, SMMUV3_RESUME_SID, c->rid);
	field_put(r, SMMUV3_RESUME_STAG, c->index);
	return 0;
}

static int response_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->code >= IOPF_CODE_COUNT || c->flags & ~(IOPF_STALL | IOPF_LAST))
		return -ERANGE;
	if (c->flags & IOPF_STALL)
		return resume_encode(c, r);
	if (!wire_pasid_or_none(c->pasid) || !wire_put(r, SMMUV3_PRI_RESP_PRGI, c->index))
		return -ERANGE;
	field_put(r, SMMUV3_OP, SMMUV3_OP_PRI_RESP);
	field_put(r, SMMUV3_PRI_RESP_RESP, code_resp[c->code]);
	field_put(r, SMMUV3_PRI_RESP_SID, c->rid);
	if (c->pasid != IOPF_PASID_NONE) {
		field_put(r, SMMUV3_PRI_RESP_SSV, 1);
		field_put(r, SMMUV3_PRI_RESP_SSID, c->pasid);
	}
	return 0;
}

static bool stall_term_decode(const uint8_t *r, struct iopf_command *c)
{
	c->rid = (uint32_t)field_get(r, SMMUV3_RESUME_SID);
	return true;
}

static int stall_term_encode(const struct iopf_command *c, uint8_t *r)
{
	field_put(r, SMMUV3_OP, SMMUV3_OP_STALL_TERM);
	field_put(r, SMMUV3_RESUME_SID, c->rid);
	return 0;
}

/* ---- Waits ------------------------------------------------------------------------- */

enum { CS_NONE = 0, CS_IRQ = 1, CS_SEV = 2, CS_COUNT };
/* MSIATTR, MSH: normal memory, write-back, inner shareable, as the queues are. */
enum { MSIATTR_WB = 0xf, MSH_INNER = 3 };

static const struct record_word sync_words[] = {
	RECORD_WORD(SMMUV3_SYNC_CS, CS_NONE, "none"),
	RECORD_WORD(SMMUV3_SYNC_CS, CS_IRQ, "irq"),
	RECORD_WORD(SMMUV3_SYNC_CS, CS_SEV, "sev"),
	RECORD_TEXT(SMMUV3_SYNC_CS, "signal when all before is done"),
	RECORD_TEXT(SMMUV3_SYNC_MSH, "shareability of the message"),
	RECORD_TEXT(SMMUV3_SYNC_MSIATTR, "memory attributes of the message"),
	RECORD_TEXT(SMMUV3_SYNC_MSIDATA, "what the message writes"),
	RECORD_UNIT(SMMUV3_SYNC_MSIADDR, 2, "where; 0: there is no message"),
	RECORD_END,
};
#define NO_MESSAGE "there is no message"
#define NOT_IRQ    (~(UINT64_C(1) << CS_IRQ))
static const struct record_rule sync_rules[] = {
	RECORD_NAMED(SMMUV3_SYNC_CS),
	RECORD_LOSS_AT(SMMUV3_SYNC_CS, SMMUV3_SYNC_CS, 1 << CS_SEV, "nobody waits for it"),
	RECORD_LOSS(SMMUV3_SYNC_MSH, "messages are inner shareable"),
	RECORD_LOSS(SMMUV3_SYNC_MSIATTR, "messages are written back"),
	RECORD_LOSS_AT(SMMUV3_SYNC_MSIADDR, SMMUV3_SYNC_CS, NOT_IRQ, NO_MESSAGE),
	RECORD_LOSS_AT(SMMUV3_SYNC_MSIDATA, SMMUV3_SYNC_CS, NOT_IRQ, NO_MESSAGE),
	RECORD_LOSS_WITHOUT(SMMUV3_SYNC_MSIDATA, SMMUV3_SYNC_MSIADDR, NO_MESSAGE),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_sync_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_sync", SMMUV3_SYNC, sync_words, sync_rules);

/* A message to address 0 is none: then there is a wire, or nothing. */
static bool sync_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t cs = field_get(r, SMMUV3_SYNC_CS);
	uint64_t addr = field_get(r, SMMUV3_SYNC_MSIADDR) << 2;

	if (cs == CS_IRQ && addr == 0)
		c->wait_flags = IOPF_WAIT_INTERRUPT;
	if (cs == CS_IRQ && addr != 0) {
		c->wait_flags = IOPF_WAIT_STATUS;
		c->status_addr = addr;
		c->status_data = field_get(r, SMMUV3_SYNC_MSIDATA);
	}
	return cs < CS_COUNT;
}

/* Every command behind a SYNC waits for it: a fence has nothing to add. Requests and
 * events have no order with it: a drain cannot. */
static int sync_encode(const struct iopf_command *c, uint8_t *r)
{
	uint8_t flags = c->wait_flags & (IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT);

	if (c->wait_flags &
	    ~(IOPF_WAIT_INTERRUPT | IOPF_WAIT_STATUS | IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN))
		return -ERANGE;
	if (flags == (IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT))
		return -EOPNOTSUPP;
	field_put(r, SMMUV3_OP, SMMUV3_OP_SYNC);
	field_put(r, SMMUV3_SYNC_CS, flags != 0 ? CS_IRQ : CS_NONE);
	if (flags != IOPF_WAIT_STATUS)
		return 0;
	if (c->status_addr == 0 || c->status_addr % 4 != 0 ||
	    !wire_put(r, SMMUV3_SYNC_MSIADDR, c->status_addr >> 2) ||
	    !wire_put(r, SMMUV3_SYNC_MSIDATA, c->status_data))
		return -ERANGE;
	field_put(r, SMMUV3_SYNC_MSIATTR, MSIATTR_WB);
	field_put(r, SMMUV3_SYNC_MSH, MSH_INNER);
	return 0;
}

/* ---- The queue's commands by opcode, and by what they are used for ------------------ */

static const struct smmuv3_command pri_resp = {
	.layout = &smmuv3_pri_resp_layout,
	.kind = IOPF_COMMAND_RESPONSE,
	.decode = pri_resp_decode,
};
static const struct smmuv3_command resume = {
	.layout = &smmuv3_resume_layout,
	.kind = IOPF_COMMAND_RESPONSE,
	.decode = resume_decode,
};
static const struct smmuv3_command stall_term = {
	.layout = &smmuv3_resume_layout,
	.kind = IOPF_COMMAND_TERMINATE,
	.decode = stall_term_decode,
	.reserved = { FIELD_MASK(SMMUV3_RESUME_AC) | FIELD_MASK(SMMUV3_RESUME_AB),
		      FIELD_MASK(SMMUV3_RESUME_STAG) },
};
static const struct smmuv3_command sync = {
	.layout = &smmuv3_sync_layout,
	.kind = IOPF_COMMAND_WAIT,
	.decode = sync_decode,
};

static const struct smmuv3_command *const by_opcode[] = {
	[SMMUV3_OP_PREFETCH_CONFIG] = &smmuv3_prefetch_config,
	[SMMUV3_OP_PREFETCH_ADDR] = &smmuv3_prefetch_addr,
	[SMMUV3_OP_CFGI_STE] = &smmuv3_cfgi_ste,
	[SMMUV3_OP_CFGI_STE_RANGE] = &smmuv3_cfgi_ste_range,
	[SMMUV3_OP_CFGI_CD] = &smmuv3_cfgi_cd,
	[SMMUV3_OP_CFGI_CD_ALL] = &smmuv3_cfgi_cd_all,
	[SMMUV3_OP_TLBI_NH_ALL] = &smmuv3_tlbi_nh_all,
	[SMMUV3_OP_TLBI_NH_ASID] = &smmuv3_tlbi_nh_asid,
	[SMMUV3_OP_TLBI_NH_VA] = &smmuv3_tlbi_nh_va,
	[SMMUV3_OP_TLBI_NH_VAA] = &smmuv3_tlbi_nh_vaa,
	[SMMUV3_OP_TLBI_S12_VMALL] = &smmuv3_tlbi_s12_vmall,
	[SMMUV3_OP_TLBI_S2_IPA] = &smmuv3_tlbi_s2_ipa,
	[SMMUV3_OP_TLBI_NSNH_ALL] = &smmuv3_tlbi_nsnh_all,
	[SMMUV3_OP_ATC_INV] = &smmuv3_atc_inv,
	[SMMUV3_OP_PRI_RESP] = &pri_resp,
	[SMMUV3_OP_RESUME] = &resume,
	[SMMUV3_OP_STALL_TERM] = &stall_term,
	[SMMUV3_OP_SYNC] = &sync,
};

static const struct smmuv3_command *command_of(const uint8_t *record)
{
	uint64_t opcode = field_get(record, SMMUV3_OP);

	return opcode < sizeof(by_opcode) / sizeof(by_opcode[0]) ? by_opcode[opcode] :
								   NULL;
}

#define OP(name, word) RECORD_WORD(SMMUV3_OP, SMMUV3_OP_##name, word)
const struct record_word smmuv3_command_words[] = {
	OP(PREFETCH_CONFIG, "prefetch_config"),
	OP(PREFETCH_ADDR, "prefetch_addr"),
	OP(CFGI_STE, "cfgi_ste"),
	OP(CFGI_STE_RANGE, "cfgi_ste_range"),
	OP(CFGI_CD, "cfgi_cd"),
	OP(CFGI_CD_ALL, "cfgi_cd_all"),
	OP(TLBI_NH_ALL, "tlbi_nh_all"),
	OP(TLBI_NH_ASID, "tlbi_nh_asid"),
	OP(TLBI_NH_VA, "tlbi_nh_va"),
	OP(TLBI_NH_VAA, "tlbi_nh_vaa"),
	OP(TLBI_S12_VMALL, "tlbi_s12_vmall"),
	OP(TLBI_S2_IPA, "tlbi_s2_ipa"),
	OP(TLBI_NSNH_ALL, "tlbi_nsnh_all"),
	OP(ATC_INV, "atc_inv"),
	OP(PRI_RESP, "pri_resp"),
	OP(RESUME, "resume"),
	OP(STALL_TERM, "stall_term"),
	OP(SYNC, "sync"),
	RECORD_END,
};

const struct iopf_layout *smmuv3_command_pick(const uint8_t *record, uint64_t *reserved)
{
	const struct smmuv3_command *command = command_of(record);

	if (command == NULL)
		return NULL;
	reserved[0] = command->reserved[0];
	reserved[1] = command->reserved[1];
	return command->layout;
}

int smmuv3_command_decode(const uint8_t *record, uint32_t size_bytes,
			  struct iopf_command *command)
{
	const struct smmuv3_command *known;
	struct iopf_command c = { 0 };

	if (size_bytes != SMMUV3_COMMAND_BYTES)
		return -EINVAL;
	known = command_of(record);
	if (known == NULL || wire_reserved(known->layout, record) ||
	    (le64_get(record) & known->reserved[0]) != 0 ||
	    (le64_get(record + 8) & known->reserved[1]) != 0)
		return -EBADMSG;
	c.kind = known->kind;
	if (!known->decode(record, &c))
		return -EBADMSG;
	*command = c;
	return 0;
}

static smmuv3_encode_fn *const by_kind[IOPF_COMMAND_KIND_COUNT] = {
	[IOPF_COMMAND_RESPONSE] = response_encode,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = smmuv3_context_encode,
	[IOPF_COMMAND_INVALIDATE_PASID] = smmuv3_pasid_encode,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = smmuv3_iotlb_encode,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = smmuv3_device_encode,
	[IOPF_COMMAND_WAIT] = sync_encode,
	[IOPF_COMMAND_TERMINATE] = stall_term_encode,
};

int smmuv3_command_encode(const struct iopf_command *command, uint32_t size_bytes,
			  uint8_t *record)
{
	uint8_t r[SMMUV3_COMMAND_BYTES] = { 0 };
	int result;

	if (size_bytes != SMMUV3_COMMAND_BYTES)
		return -EINVAL;
	if (command->kind >= IOPF_COMMAND_KIND_COUNT || by_kind[command->kind] == NULL)
		return -EOPNOTSUPP;
	result = by_kind[command->kind](command, r);
	if (result < 0)
		return result;
	memcpy(record, r, sizeof(r));
	return 0;
}
