/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv3.c - Arm SMMUv3: the entry of the PRI queue, and the family's table.
 *
 * Arm System MMU Architecture Specification, version 3 (IHI 0070), chapter 8 "Page
 * request queue". X and Priv stand in another order than in VT-d's.
 */
#include "wire/record.h"
#include "wire/smmuv3.h"

/* clang-format off */
#define SMMUV3_PRIQ(F, R)                  \
	F(SMMUV3_PRIQ_SID,   0,  0, 32)    \
	F(SMMUV3_PRIQ_SSID,  0, 32, 20)    \
	R(SMMUV3_PRIQ_RSVD0, 0, 52,  6)    \
	F(SMMUV3_PRIQ_PRIV,  0, 58,  1)    \
	F(SMMUV3_PRIQ_X,     0, 59,  1)    \
	F(SMMUV3_PRIQ_R,     0, 60,  1)    \
	F(SMMUV3_PRIQ_W,     0, 61,  1)    \
	F(SMMUV3_PRIQ_LAST,  0, 62,  1)    \
	F(SMMUV3_PRIQ_SSV,   0, 63,  1)    \
	F(SMMUV3_PRIQ_PRGI,  1,  0,  9)    \
	R(SMMUV3_PRIQ_RSVD1, 1,  9,  3)    \
	F(SMMUV3_PRIQ_ADDR,  1, 12, 52)
#define SMMUV3_PRIQ_FIELDS(X) SMMUV3_PRIQ(X, X)
/* clang-format on */
enum smmuv3_priq_field { SMMUV3_PRIQ_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(SMMUV3_PRIQ_FIELDS);

static const struct wire_request request_at = {
	.layout = &smmuv3_request_layout,
	.rid = SMMUV3_PRIQ_SID,
	.pasid = SMMUV3_PRIQ_SSID,
	.pasid_valid = SMMUV3_PRIQ_SSV,
	.read = SMMUV3_PRIQ_R,
	.write = SMMUV3_PRIQ_W,
	.exec = SMMUV3_PRIQ_X,
	.priv = SMMUV3_PRIQ_PRIV,
	.last = SMMUV3_PRIQ_LAST,
	.index = SMMUV3_PRIQ_PRGI,
	.addr = SMMUV3_PRIQ_ADDR,
	.pasid_unknown = true,
};

static bool is_marker(const uint8_t *record)
{
	return wire_request_is_stop(&request_at, record);
}

static const struct record_rule priq_rules[] = {
	RECORD_LOSS_WITHOUT(SMMUV3_PRIQ_SSID, SMMUV3_PRIQ_SSV, "unknown without SSV"),
	RECORD_WITH(SMMUV3_PRIQ_PRIV, SMMUV3_PRIQ_SSV),
	RECORD_WITH(SMMUV3_PRIQ_X, SMMUV3_PRIQ_SSV),
	WIRE_REQUEST_RULES(is_marker, SMMUV3_PRIQ_PRGI, SMMUV3_PRIQ_ADDR, SMMUV3_PRIQ_PRIV,
			   SMMUV3_PRIQ_X, SMMUV3_PRIQ_R),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_request_layout = RECORD_LAYOUT(
	"smmuv3_page_request", SMMUV3_PRIQ, SMMUV3_REQUEST_BYTES, NULL, priq_rules);

/* Entries have no type: any bytes are a request. */
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

const struct iopf_wire iopf_wire_smmuv3 = {
	.name = "smmuv3",
	.request_bytes = SMMUV3_REQUEST_BYTES,
	.command_bytes = { SMMUV3_COMMAND_BYTES, 0 },
	.decode_request = decode_request,
	.encode_request = encode_request,
	.decode_command = smmuv3_command_decode,
	.encode_command = smmuv3_command_encode,
	.fault_bytes = SMMUV3_EVENT_BYTES,
	.decode_fault = smmuv3_fault_decode,
	.encode_fault = smmuv3_fault_encode,
};

static const struct record records[] = {
	{ .name = "priq",
	  .text = "entry of the PRI queue",
	  .layout = &smmuv3_request_layout,
	  .size_bytes = SMMUV3_REQUEST_BYTES,
	  .role = RECORD_REQUEST,
	  .queue = RECORD_QUEUE_WRAP },
	{ .name = "evtq",
	  .text = "record of the event queue",
	  .pick = smmuv3_event_pick,
	  .selectors = { SMMUV3_EVENT_ID },
	  .words = smmuv3_event_words,
	  .size_bytes = SMMUV3_EVENT_BYTES,
	  .role = RECORD_EVENT,
	  .queue = RECORD_QUEUE_WRAP },
	{ .name = "cmdq",
	  .text = "command",
	  .pick = smmuv3_command_pick,
	  .selectors = { SMMUV3_OP },
	  .words = smmuv3_command_words,
	  .size_bytes = SMMUV3_COMMAND_BYTES,
	  .role = RECORD_COMMAND,
	  .queue = RECORD_QUEUE_WRAP },
	{ .name = NULL },
};

const struct wire_family wire_family_smmuv3 = {
	.name = "smmuv3",
	.wire = &iopf_wire_smmuv3,
	.records = records,
};
