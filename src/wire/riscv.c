/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/riscv.c - RISC-V IOMMU: the records of its three queues, and the family's table.
 *
 * RISC-V IOMMU Architecture Specification 1.0, "In-memory queue interface". Words are
 * little-endian: fctl.BE stays 0.
 */
#include <errno.h>
#include <string.h>

#include "wire/record.h"
#include "wire/riscv.h"
#include "wire/wire.h"

/* ---- Page requests ------------------------------------------------------------------ */

/*
 * A message whose L alone is set: the chapter on this queue calls it a marker, the one on
 * PCIe's requests says that markers have a PASID. Without one it is a request here that
 * wants nothing, so that whoever waits for a response gets one.
 */
static bool is_marker(const uint8_t *r)
{
	return field_get(r, RISCV_PQ_PV) && field_get(r, RISCV_PQ_L) &&
	       !field_get(r, RISCV_PQ_R) && !field_get(r, RISCV_PQ_W);
}

static const struct record_rule pq_rules[] = {
	RECORD_WITH(RISCV_PQ_PID, RISCV_PQ_PV),
	RECORD_WITH(RISCV_PQ_PRIV, RISCV_PQ_PV),
	RECORD_WITH(RISCV_PQ_EXEC, RISCV_PQ_PV),
	WIRE_REQUEST_RULES(is_marker, RISCV_PQ_PRGI, RISCV_PQ_ADDR, RISCV_PQ_PRIV,
			   RISCV_PQ_EXEC, RISCV_PQ_R),
	RECORD_RULES_END,
};
static const struct record_word pq_words[] = {
	RECORD_TEXT(RISCV_PQ_DID, "device id"),
	RECORD_END,
};
static const struct iopf_layout request_layout =
	RECORD_LAYOUT("riscv_page_request", RISCV_PQ, REQUEST_BYTES, pq_words, pq_rules);

static const struct wire_request request_at = {
	.layout = &request_layout,
	.rid = RISCV_PQ_DID,
	.pasid = RISCV_PQ_PID,
	.pasid_valid = RISCV_PQ_PV,
	.read = RISCV_PQ_R,
	.write = RISCV_PQ_W,
	.exec = RISCV_PQ_EXEC,
	.priv = RISCV_PQ_PRIV,
	.last = RISCV_PQ_L,
	.index = RISCV_PQ_PRGI,
	.addr = RISCV_PQ_ADDR,
};

/* Records have no type: any bytes are a request. */
static int decode_request(const uint8_t *record, struct iopf_request *request,
			  bool *reserved)
{
	*reserved = wire_request_decode(&request_at, record, request);
	return 0;
}

static int encode_request(const struct iopf_request *request, uint8_t *record)
{
	return wire_request_encode(&request_at, request, record);
}

/* ---- Faults -------------------------------------------------------------------------- */

/* The access that came in. */
#define TTYP_PERM(number, name, perm) [number] = (perm),
static const uint8_t ttyp_perm[TTYP_COUNT] = { RISCV_TTYPS(TTYP_PERM) };

/* The stages' own causes; of others the record does not say where they arose. */
static uint8_t stage_of(uint64_t cause)
{
	if (cause == 12 || cause == 13 || cause == 15)
		return 1;
	return cause == 20 || cause == 21 || cause == 23 ? 2 : 0;
}

static const struct record_word fq_words[] = {
#define CAUSE_WORD(name, number, text) { RISCV_FQ_CAUSE, number, #name, text },
	IOPF_RISCV_CAUSES(CAUSE_WORD)
#define TTYP_WORD(number, name, perm) RECORD_WORD(RISCV_FQ_TTYP, number, name),
	RISCV_TTYPS(TTYP_WORD)
	RECORD_TEXT(RISCV_FQ_DID, "device id"),
	RECORD_END,
};

static bool cause_known(uint64_t cause)
{
	for (const struct record_word *at = fq_words; at->field == RISCV_FQ_CAUSE; at++)
		if (at->value == cause)
			return true;
	return false;
}

static void iotval2_get(uint64_t value, struct iopf_fault *fault)
{
	fault->gpa = value & ~UINT64_C(3);
	if (fault->stage != 2 || (value & IMPLICIT) == 0)
		return;
	fault->what = IOPF_FAULT_TABLE;
	fault->table_perm = (value & IMPLICIT_WRITE) != 0 ? IOPF_WRITE : IOPF_READ;
}

/* Of another fault; or marking without reading. */
static bool implicit_odd(const uint8_t *r)
{
	uint64_t low = field_get(r, RISCV_FQ_IOTVAL2) & (IMPLICIT | IMPLICIT_WRITE);

	return stage_of(field_get(r, RISCV_FQ_CAUSE)) != 2 ? low != 0 :
							     low == IMPLICIT_WRITE;
}

static const struct record_rule fq_rules[] = {
	RECORD_NAMED(RISCV_FQ_CAUSE),
	RECORD_NAMED(RISCV_FQ_TTYP),
	RECORD_WITH(RISCV_FQ_PID, RISCV_FQ_PV),
	RECORD_WITH(RISCV_FQ_PRIV, RISCV_FQ_PV),
	RECORD_LOSS(RISCV_FQ_CUSTOM, "for custom use"),
	RECORD_CHECK(RISCV_FQ_IOTVAL2, implicit_odd, "bits 1:0 are of guest page faults"),
	RECORD_RULES_END,
};
static const struct iopf_layout fault_layout =
	RECORD_LAYOUT("riscv_fault", RISCV_FQ, FAULT_BYTES, fq_words, fq_rules);

/* Set though reserved, or in no combination that hardware writes. */
static bool fault_odd(const uint8_t *r)
{
	uint64_t ttyp = field_get(r, RISCV_FQ_TTYP);
	uint64_t process = field_get(r, RISCV_FQ_PID) | field_get(r, RISCV_FQ_PRIV);

	return wire_reserved(&fault_layout, r) || !cause_known(field_get(r, RISCV_FQ_CAUSE)) ||
	       ttyp == 4 || (ttyp >= TTYP_COUNT && ttyp < TTYP_CUSTOM) || implicit_odd(r) ||
	       (!field_get(r, RISCV_FQ_PV) && process != 0);
}

static int decode_fault(const uint8_t *record, struct iopf_fault *fault, bool *reserved)
{
	uint64_t ttyp = field_get(record, RISCV_FQ_TTYP);
	bool pv = field_get(record, RISCV_FQ_PV);
	struct iopf_fault f = {
		.addr = field_get(record, RISCV_FQ_IOTVAL),
		.rid = (uint32_t)field_get(record, RISCV_FQ_DID),
		.pasid = pv ? (uint32_t)field_get(record, RISCV_FQ_PID) : IOPF_PASID_NONE,
		.reason = (uint16_t)field_get(record, RISCV_FQ_CAUSE),
		.perm = ttyp < TTYP_COUNT ? ttyp_perm[ttyp] : 0,
		.stage = stage_of(field_get(record, RISCV_FQ_CAUSE)),
		.request = ttyp == TTYP_ATS || ttyp == TTYP_MESSAGE,
		.type = (uint8_t)ttyp,
	};

	if (pv && field_get(record, RISCV_FQ_PRIV))
		f.perm |= IOPF_PRIV;
	iotval2_get(field_get(record, RISCV_FQ_IOTVAL2), &f);
	*reserved = fault_odd(record);
	*fault = f;
	return 0;
}

/* What does not come back as it was cannot be said. */
static int encode_fault(const struct iopf_fault *fault, uint8_t *record)
{
	bool pv = fault->pasid != IOPF_PASID_NONE, reserved;
	uint64_t low = (fault->what == IOPF_FAULT_TABLE ? IMPLICIT : 0) |
		       (fault->table_perm == IOPF_WRITE ? IMPLICIT_WRITE : 0);
	uint8_t r[FAULT_BYTES] = { 0 };
	struct iopf_fault said;

	if (fault->stall || !cause_known(fault->reason))
		return -EOPNOTSUPP;
	if (!wire_put(r, RISCV_FQ_TTYP, fault->type) || !wire_put(r, RISCV_FQ_DID, fault->rid) ||
	    !wire_put(r, RISCV_FQ_PID, pv ? fault->pasid : 0))
		return -ERANGE;
	field_put(r, RISCV_FQ_CAUSE, fault->reason);
	field_put(r, RISCV_FQ_PV, pv);
	field_put(r, RISCV_FQ_PRIV, (fault->perm & IOPF_PRIV) != 0);
	field_put(r, RISCV_FQ_IOTVAL, fault->addr);
	field_put(r, RISCV_FQ_IOTVAL2, fault->gpa | low);
	(void)decode_fault(r, &said, &reserved);
	if (reserved || memcmp(&said, fault, sizeof(said)) != 0)
		return -ERANGE;
	memcpy(record, r, sizeof(r));
	return 0;
}

/* ---- IOTINVAL ------------------------------------------------------------------------- */

static const struct record_word operation_words[] = {
	RECORD_WORD(OPCODE, OP_IOTINVAL, "iotinval"),
	RECORD_WORD(OPCODE, OP_IOFENCE, "iofence"),
	RECORD_WORD(OPCODE, OP_IODIR, "iodir"),
	RECORD_WORD(OPCODE, OP_ATS, "ats"),
	RECORD_END,
};

static void put_operation(uint8_t *r, unsigned opcode, unsigned func3)
{
	field_put(r, OPCODE, opcode);
	field_put(r, FUNC3, func3);
}

static bool endless(const uint8_t *r, uint32_t addr, uint32_t s)
{
	return field_get(r, s) && (field_get(r, addr) | UINT64_C(1) << 51) == FIELD_BITS(0, 52);
}

static bool iotinval_endless(const uint8_t *r)
{
	return endless(r, RISCV_IOTINVAL_ADDR, RISCV_IOTINVAL_S);
}

static bool gvma_without(const uint8_t *r)
{
	return field_get(r, FUNC3) == GVMA && !field_get(r, RISCV_IOTINVAL_GV) &&
	       field_get(r, RISCV_IOTINVAL_AV);
}

static const struct record_rule iotinval_rules[] = {
	RECORD_LOSS_WITHOUT(RISCV_IOTINVAL_PSCID, RISCV_IOTINVAL_PSCV, "ignored"),
	RECORD_LOSS_WITHOUT(RISCV_IOTINVAL_GSCID, RISCV_IOTINVAL_GV, "ignored"),
	RECORD_LOSS_WITHOUT(RISCV_IOTINVAL_NL, RISCV_IOTINVAL_AV, "ignored"),
	RECORD_LOSS_WITHOUT(RISCV_IOTINVAL_S, RISCV_IOTINVAL_AV, "ignored"),
	RECORD_LOSS_WITHOUT(RISCV_IOTINVAL_ADDR, RISCV_IOTINVAL_AV, "ignored"),
	RECORD_CHECK(RISCV_IOTINVAL_AV, gvma_without, "counts only with GV"),
	RECORD_CHECK(RISCV_IOTINVAL_ADDR, iotinval_endless, "all needs no address"),
	RECORD_RULES_END,
};
static const struct record_word iotinval_words[] = {
	RECORD_WORD(FUNC3, VMA, "vma"),
	RECORD_WORD(FUNC3, GVMA, "gvma"),
	RECORD_END,
};
static const struct iopf_layout iotinval_layout = RECORD_LAYOUT(
	"riscv_iotinval", RISCV_IOTINVAL, COMMAND_BYTES, iotinval_words, iotinval_rules);

/* GV = 0: what no second stage lies under; of second stages every VM's. NL = 0: what is
 * not the last level's stays. */
static bool iotinval_decode(const uint8_t *r, struct iopf_command *c)
{
	bool second = field_get(r, FUNC3) == GVMA, gv = field_get(r, RISCV_IOTINVAL_GV);
	bool pscv = field_get(r, RISCV_IOTINVAL_PSCV);

	c->hints = second ? IOPF_HINT_SECOND : gv ? 0 : IOPF_HINT_ALONE;
	c->domain = gv ? (uint16_t)field_get(r, RISCV_IOTINVAL_GSCID) : 0;
	c->asid = pscv ? (uint32_t)field_get(r, RISCV_IOTINVAL_PSCID) : 0;
	c->granularity = pscv ? IOPF_ONE_PASID : gv ? IOPF_DOMAIN : IOPF_ALL;
	if (!field_get(r, RISCV_IOTINVAL_AV) || iotinval_endless(r) || (second && !gv))
		return true;
	if (!second && !pscv)
		c->hints |= IOPF_HINT_ANY_ASID;
	if (!field_get(r, RISCV_IOTINVAL_NL))
		c->hints |= IOPF_HINT_LEAF;
	wire_range_decode(field_get(r, RISCV_IOTINVAL_ADDR) << 12,
			  field_get(r, RISCV_IOTINVAL_S), &c->addr, &c->size_bytes);
	c->granularity = IOPF_PAGE;
	return true;
}

static int pages_put(const struct iopf_command *c, uint8_t *r)
{
	uint64_t bits;
	bool s;

	if (!wire_range_valid(c->addr, c->size_bytes))
		return -ERANGE;
	bits = wire_range_encode(c->addr, c->size_bytes, &s);
	field_put(r, RISCV_IOTINVAL_AV, 1);
	field_put(r, RISCV_IOTINVAL_NL, (c->hints & IOPF_HINT_LEAF) == 0);
	field_put(r, RISCV_IOTINVAL_S, s);
	field_put(r, RISCV_IOTINVAL_ADDR, bits >> 12);
	return 0;
}

/* Everything there is takes two commands: what is alone, and what has a second stage. */
static int iotlb_encode(const struct iopf_command *c, uint8_t *r)
{
	bool alone = (c->hints & IOPF_HINT_ALONE) != 0;
	bool second = (c->hints & IOPF_HINT_SECOND) != 0;
	bool page = c->granularity == IOPF_PAGE;
	bool pscv = c->granularity == IOPF_ONE_PASID ||
		    (page && !second && (c->hints & IOPF_HINT_ANY_ASID) == 0);

	if ((alone && (second || c->granularity == IOPF_DOMAIN)) || (second && pscv) ||
	    (c->granularity == IOPF_ALL && !alone && !second) ||
	    (!page && !pscv && c->granularity != IOPF_ALL && c->granularity != IOPF_DOMAIN))
		return -EOPNOTSUPP;
	if (pscv && !wire_put(r, RISCV_IOTINVAL_PSCID, c->asid))
		return -ERANGE;
	put_operation(r, OP_IOTINVAL, second ? GVMA : VMA);
	field_put(r, RISCV_IOTINVAL_PSCV, pscv);
	if (!alone && c->granularity != IOPF_ALL) {
		field_put(r, RISCV_IOTINVAL_GV, 1);
		field_put(r, RISCV_IOTINVAL_GSCID, c->domain);
	}
	return page ? pages_put(c, r) : 0;
}

/* ---- IODIR ---------------------------------------------------------------------------- */

static bool process_alone(const uint8_t *r)
{
	return !field_get(r, RISCV_IODIR_DV);
}

static const struct record_rule ddt_rules[] = {
	RECORD_LOSS_WITHOUT(RISCV_IODIR_DID, RISCV_IODIR_DV, "ignored"),
	RECORD_RULES_END,
};
static const struct record_rule pdt_rules[] = {
	RECORD_CHECK(RISCV_IODIR_DV, process_alone, "a process is one of a device"),
	RECORD_RULES_END,
};
static const struct record_word iodir_words[] = {
	RECORD_WORD(FUNC3, INVAL_DDT, "inval_ddt"),
	RECORD_WORD(FUNC3, INVAL_PDT, "inval_pdt"),
	RECORD_TEXT(RISCV_IODIR_DID, "device id"),
	RECORD_END,
};
static const struct iopf_layout ddt_layout =
	RECORD_LAYOUT("riscv_iodir_ddt", RISCV_IODIR, COMMAND_BYTES, iodir_words, ddt_rules);
static const struct iopf_layout pdt_layout =
	RECORD_LAYOUT("riscv_iodir_pdt", RISCV_IODIR, COMMAND_BYTES, iodir_words, pdt_rules);

/* Of one device its processes, too; of a process always with its device. */
static bool iodir_decode(const uint8_t *r, struct iopf_command *c)
{
	bool process = field_get(r, FUNC3) == INVAL_PDT, device = field_get(r, RISCV_IODIR_DV);

	if (device) {
		c->granularity = process ? IOPF_ONE_PASID : IOPF_DEVICE;
		c->rid = (uint32_t)field_get(r, RISCV_IODIR_DID);
		c->pasid = (uint32_t)field_get(r, RISCV_IODIR_PID);
	}
	return device || !process;
}

/* All processes of a device, and what has none, go with the device's own entry. */
static int iodir_encode(const struct iopf_command *c, uint8_t *r)
{
	bool pasids = c->kind == IOPF_COMMAND_INVALIDATE_PASID;
	bool all = !pasids && c->granularity == IOPF_ALL;
	bool one = pasids && c->granularity == IOPF_ONE_PASID;
	bool process = one && c->pasid != IOPF_PASID_NONE;

	if (!all && !one && c->granularity != IOPF_DEVICE &&
	    (!pasids || c->granularity != IOPF_DOMAIN))
		return -EOPNOTSUPP;
	put_operation(r, OP_IODIR, process ? INVAL_PDT : INVAL_DDT);
	field_put(r, RISCV_IODIR_DV, !all);
	return all || ((pasids || c->rid_mask == 0) && wire_put(r, RISCV_IODIR_DID, c->rid) &&
		       wire_put(r, RISCV_IODIR_PID, process ? c->pasid : 0)) ?
		       0 :
		       -ERANGE;
}

/* ---- IOFENCE.C ------------------------------------------------------------------------ */

static const struct record_word iofence_words[] = {
	RECORD_TEXT(RISCV_IOFENCE_PR, "reads before are done"),
	RECORD_UNIT(RISCV_IOFENCE_ADDR, 2, "address"),
	RECORD_END,
};
static const struct record_rule iofence_rules[] = {
	RECORD_LOSS_WITHOUT(RISCV_IOFENCE_DATA, RISCV_IOFENCE_AV, "ignored"),
	RECORD_LOSS_WITHOUT(RISCV_IOFENCE_ADDR, RISCV_IOFENCE_AV, "ignored"),
	RECORD_RULES_END,
};
static const struct iopf_layout iofence_layout = RECORD_LAYOUT(
	"riscv_iofence", RISCV_IOFENCE, COMMAND_BYTES, iofence_words, iofence_rules);

static bool fence_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t flags = field_get(r, RISCV_IOFENCE_AV) * IOPF_WAIT_STATUS |
			 field_get(r, RISCV_IOFENCE_WSI) * IOPF_WAIT_INTERRUPT;
	uint64_t hints = field_get(r, RISCV_IOFENCE_PR) * IOPF_HINT_DRAIN_READS |
			 field_get(r, RISCV_IOFENCE_PW) * IOPF_HINT_DRAIN_WRITES;

	c->wait_flags = (uint8_t)flags;
	c->hints = (uint8_t)hints;
	if (c->wait_flags & IOPF_WAIT_STATUS) {
		c->status_data = (uint32_t)field_get(r, RISCV_IOFENCE_DATA);
		c->status_addr = field_get(r, RISCV_IOFENCE_ADDR) << 2;
	}
	return true;
}

/* All that is behind it waits for it: a fence has nothing to add. Requests have no order
 * with it: a drain cannot. */
static int fence_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->wait_flags &
	    ~(IOPF_WAIT_INTERRUPT | IOPF_WAIT_STATUS | IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN))
		return -ERANGE;
	put_operation(r, OP_IOFENCE, FENCE_C);
	field_put(r, RISCV_IOFENCE_AV, (c->wait_flags & IOPF_WAIT_STATUS) != 0);
	field_put(r, RISCV_IOFENCE_WSI, (c->wait_flags & IOPF_WAIT_INTERRUPT) != 0);
	field_put(r, RISCV_IOFENCE_PR, (c->hints & IOPF_HINT_DRAIN_READS) != 0);
	field_put(r, RISCV_IOFENCE_PW, (c->hints & IOPF_HINT_DRAIN_WRITES) != 0);
	if (!(c->wait_flags & IOPF_WAIT_STATUS))
		return 0;
	if (c->status_addr % 4 != 0)
		return -ERANGE;
	field_put(r, RISCV_IOFENCE_DATA, c->status_data);
	field_put(r, RISCV_IOFENCE_ADDR, c->status_addr >> 2);
	return 0;
}

/* ---- ATS ------------------------------------------------------------------------------- */

#define SAME(field) ((int)RISCV_INVAL_##field == (int)RISCV_PRGR_##field)
static_assert(SAME(PID) && SAME(PV) && SAME(DSV) && SAME(RID) && SAME(DSEG), "one head");

static bool inval_endless(const uint8_t *r)
{
	return endless(r, RISCV_INVAL_ADDR, RISCV_INVAL_S) && field_get(r, RISCV_INVAL_ADDR) >> 51;
}

#define SEGMENT_LOST                                                            \
	RECORD_LOSS_WITHOUT(RISCV_PRGR_PID, RISCV_PRGR_PV, "ignored"),          \
	RECORD_LOSS_WITHOUT(RISCV_PRGR_DSEG, RISCV_PRGR_DSV, "ignored"),        \
	RECORD_LOSS(RISCV_PRGR_DSV, "set where the segment is not 0")
static const struct record_rule inval_rules[] = {
	SEGMENT_LOST,
	RECORD_LOSS_WITHOUT(RISCV_INVAL_G, RISCV_INVAL_PV, "ignored"),
	RECORD_LOSS_AT(RISCV_INVAL_PID, RISCV_INVAL_G, 2, "whatever the PASID"),
	RECORD_CHECK(RISCV_INVAL_ADDR, inval_endless, "a range without an end"),
	RECORD_RULES_END,
};
static const struct iopf_layout inval_layout =
	RECORD_LAYOUT("riscv_ats_inval", RISCV_INVAL, COMMAND_BYTES, NULL, inval_rules);

static const struct record_word prgr_words[] = {
	RECORD_WORD(FUNC3, PRGR, "prgr"),
	RECORD_WORD(RISCV_PRGR_CODE, 0, "success"),
	RECORD_WORD(RISCV_PRGR_CODE, 1, "invalid"),
	RECORD_WORD(RISCV_PRGR_CODE, 15, "failure"),
	RECORD_END,
};
static const struct record_rule prgr_rules[] = {
	SEGMENT_LOST,
	RECORD_CODE(RISCV_PRGR_CODE),
	RECORD_LOSS(RISCV_PRGR_DEST, "where the message goes is said in front"),
	RECORD_RULES_END,
};
static const struct iopf_layout prgr_layout =
	RECORD_LAYOUT("riscv_ats_prgr", RISCV_PRGR, COMMAND_BYTES, prgr_words, prgr_rules);

/* The segment is the upper byte of a device's number. */
static void head_get(const uint8_t *r, struct iopf_command *c)
{
	uint64_t segment = field_get(r, RISCV_PRGR_DSV) ? field_get(r, RISCV_PRGR_DSEG) : 0;

	c->rid = (uint32_t)(segment << 16 | field_get(r, RISCV_PRGR_RID));
	c->pasid = field_get(r, RISCV_PRGR_PV) ? (uint32_t)field_get(r, RISCV_PRGR_PID) :
						 IOPF_PASID_NONE;
}

static bool head_put(const struct iopf_command *c, unsigned func3, uint8_t *r)
{
	bool pasid = c->pasid != IOPF_PASID_NONE, any = c->pasid == IOPF_PASID_ANY;

	put_operation(r, OP_ATS, func3);
	field_put(r, RISCV_PRGR_PV, pasid);
	field_put(r, RISCV_PRGR_DSV, c->rid >> 16 != 0);
	field_put(r, RISCV_PRGR_RID, c->rid & 0xffff);
	return wire_put(r, RISCV_PRGR_DSEG, c->rid >> 16) &&
	       wire_put(r, RISCV_PRGR_PID, pasid && !any ? c->pasid : 0);
}

/* Global counts only with a PASID, and then the PASID does not. */
static bool inval_decode(const uint8_t *r, struct iopf_command *c)
{
	head_get(r, c);
	if (c->pasid != IOPF_PASID_NONE && field_get(r, RISCV_INVAL_G))
		c->pasid = IOPF_PASID_ANY;
	wire_range_decode(field_get(r, RISCV_INVAL_ADDR) << 12,
			  field_get(r, RISCV_INVAL_S), &c->addr, &c->size_bytes);
	c->granularity = c->size_bytes == 0 ? IOPF_ALL : IOPF_PAGE;
	return true;
}

static int inval_encode(const struct iopf_command *c, uint8_t *r)
{
	bool all = c->granularity == IOPF_ALL, s;
	uint64_t bits;

	if (!all && c->granularity != IOPF_PAGE)
		return -EOPNOTSUPP;
	if (!head_put(c, INVAL, r) || (!all && !wire_range_valid(c->addr, c->size_bytes)))
		return -ERANGE;
	bits = wire_range_encode(all ? 0 : c->addr, all ? 0 : c->size_bytes, &s);
	field_put(r, RISCV_INVAL_G, c->pasid == IOPF_PASID_ANY);
	field_put(r, RISCV_INVAL_S, s);
	field_put(r, RISCV_INVAL_ADDR, bits >> 12);
	return 0;
}

static bool prgr_decode(const uint8_t *r, struct iopf_command *c)
{
	head_get(r, c);
	c->index = (uint16_t)field_get(r, RISCV_PRGR_PRGI);
	c->code = (uint8_t)iopf_pcie_meaning((uint8_t)field_get(r, RISCV_PRGR_CODE));
	return true;
}

static int prgr_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->flags & IOPF_STALL)
		return -EOPNOTSUPP;
	if (c->code >= IOPF_CODE_COUNT || c->flags & ~IOPF_LAST ||
	    c->pasid == IOPF_PASID_ANY || !head_put(c, PRGR, r) ||
	    !wire_put(r, RISCV_PRGR_PRGI, c->index))
		return -ERANGE;
	field_put(r, RISCV_PRGR_CODE, iopf_pcie_code((enum iopf_code)c->code));
	return 0;
}

/* ---- The queue's commands by opcode and function, and by what they are used for --------- */

#define OF(opcode, function, kind, reserved) \
	{ OP_##opcode, function }, IOPF_COMMAND_##kind, { reserved }
static const struct wire_command rows[] = {
	{ &iotinval_layout, OF(IOTINVAL, VMA, INVALIDATE_IOTLB, 0), iotinval_decode },
	{ &iotinval_layout,
	  OF(IOTINVAL, GVMA, INVALIDATE_IOTLB, FIELD_MASK(RISCV_IOTINVAL_PSCV)),
	  iotinval_decode },
	{ &iofence_layout, OF(IOFENCE, FENCE_C, WAIT, 0), fence_decode },
	{ &ddt_layout, OF(IODIR, INVAL_DDT, INVALIDATE_CONTEXT, FIELD_MASK(RISCV_IODIR_PID)),
	  iodir_decode },
	{ &pdt_layout, OF(IODIR, INVAL_PDT, INVALIDATE_PASID, 0), iodir_decode },
	{ &inval_layout, OF(ATS, INVAL, INVALIDATE_DEVICE, 0), inval_decode },
	{ &prgr_layout, OF(ATS, PRGR, RESPONSE, 0), prgr_decode },
};

static int (*const by_kind[IOPF_COMMAND_KIND_COUNT])(const struct iopf_command *command,
						     uint8_t *record) = {
	[IOPF_COMMAND_RESPONSE] = prgr_encode,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = iodir_encode,
	[IOPF_COMMAND_INVALIDATE_PASID] = iodir_encode,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = iotlb_encode,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = inval_encode,
	[IOPF_COMMAND_WAIT] = fence_encode,
};

static const struct wire_commands commands = { { OPCODE, FUNC3 }, rows,
					       sizeof(rows) / sizeof(rows[0]), by_kind };

static const struct iopf_layout *command_pick(const uint8_t *record, uint64_t *reserved)
{
	return wire_command_pick(&commands, record, reserved);
}

static int decode_command(const uint8_t *record, uint32_t size_bytes,
			  struct iopf_command *command)
{
	return wire_command_decode(&commands, record, size_bytes, command);
}

static int encode_command(const struct iopf_command *command, uint32_t size_bytes,
			  uint8_t *record)
{
	return wire_command_encode(&commands, command, size_bytes, record);
}

const struct iopf_wire iopf_wire_riscv = {
	.name = "riscv",
	.request_bytes = REQUEST_BYTES,
	.command_bytes = { COMMAND_BYTES, 0 },
	.decode_request = decode_request,
	.encode_request = encode_request,
	.decode_command = decode_command,
	.encode_command = encode_command,
	.fault_bytes = FAULT_BYTES,
	.decode_fault = decode_fault,
	.encode_fault = encode_fault,
};

#define SIZED(bytes) .size_bytes = (bytes), .queue = RECORD_QUEUE_INDEX
static const struct record records[] = {
	{ .name = "pq", .text = "record of the page-request queue", .layout = &request_layout,
	  .role = RECORD_REQUEST, SIZED(REQUEST_BYTES) },
	{ .name = "fq", .text = "record of the fault queue", .layout = &fault_layout,
	  .role = RECORD_EVENT, SIZED(FAULT_BYTES) },
	{ .name = "cq", .text = "command", .pick = command_pick, .selectors = { OPCODE, FUNC3 },
	  .words = operation_words, .role = RECORD_COMMAND, SIZED(COMMAND_BYTES) },
	{ .name = NULL },
};

const struct wire_family wire_family_riscv = { "riscv", &iopf_wire_riscv, records };
