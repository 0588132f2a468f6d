/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/pcie.c - PCIe page request messages, bytes 8 to 15 as one 64-bit value.
 *
 * PCI Express Base Specification 6.x, 10.4 "Page Request Services". The DW at offset 8
 * is the upper half. The PASID, Execute Requested and Privileged Mode Requested stand
 * in a prefix, which no software sees: they are arguments here.
 */
#include <assert.h>
#include <errno.h>

#include "wire/config.h"
#include "wire/pcie.h"
#include "wire/record.h"
#include "iopf/wire.h"

/* clang-format off */

/* 10.4.1 "Page Request Message" */
#define PCIE_PRQ(F, R)                \
	F(PCIE_PRQ_R,    0,  0,  1)   \
	F(PCIE_PRQ_W,    0,  1,  1)   \
	F(PCIE_PRQ_L,    0,  2,  1)   \
	F(PCIE_PRQ_PRGI, 0,  3,  9)   \
	F(PCIE_PRQ_ADDR, 0, 12, 52)
#define PCIE_PRQ_FIELDS(X) PCIE_PRQ(X, X)

/* 10.4.1.2.1 "Stop Marker Messages": a page request with a PASID and L=1, W=R=0 */
#define PCIE_STOP(F, R)               \
	F(PCIE_STOP_R,     0,  0,  1) \
	F(PCIE_STOP_W,     0,  1,  1) \
	F(PCIE_STOP_L,     0,  2,  1) \
	F(PCIE_STOP_TYPE,  0,  3,  5) \
	R(PCIE_STOP_RSVD0, 0,  8, 56)
#define PCIE_STOP_FIELDS(X) PCIE_STOP(X, X)

/* 10.4.2 "Page Request Group Response Message" */
#define PCIE_PRGR(F, R)               \
	R(PCIE_PRGR_RSVD0, 0,  0, 32) \
	F(PCIE_PRGR_PRGI,  0, 32,  9) \
	R(PCIE_PRGR_RSVD1, 0, 41,  3) \
	F(PCIE_PRGR_CODE,  0, 44,  4) \
	F(PCIE_PRGR_RID,   0, 48, 16)
#define PCIE_PRGR_FIELDS(X) PCIE_PRGR(X, X)

/* clang-format on */

enum pcie_prq_field { PCIE_PRQ_FIELDS(FIELD_ENUM) };
enum pcie_stop_field { PCIE_STOP_FIELDS(FIELD_ENUM) };
enum pcie_prgr_field { PCIE_PRGR_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE1(PCIE_PRQ_FIELDS);
RECORD_COMPLETE1(PCIE_STOP_FIELDS);
RECORD_COMPLETE1(PCIE_PRGR_FIELDS);

static const struct record_word stop_words[] = {
	RECORD_WORD(PCIE_STOP_R, 0, "0"),
	RECORD_WORD(PCIE_STOP_W, 0, "0"),
	RECORD_WORD(PCIE_STOP_L, 1, "1"),
	RECORD_WORD(PCIE_STOP_TYPE, 0, "stop_marker"),
	RECORD_END,
};
static const struct record_rule stop_rules[] = {
	RECORD_NAMED(PCIE_STOP_R), RECORD_NAMED(PCIE_STOP_W),    RECORD_NAMED(PCIE_STOP_L),
	RECORD_NAMED(PCIE_STOP_TYPE), RECORD_RULES_END,
};
static const struct record_word prgr_words[] = {
	RECORD_WORD(PCIE_PRGR_CODE, 0x0, "success"),
	RECORD_WORD(PCIE_PRGR_CODE, 0x1, "invalid"),
	RECORD_WORD(PCIE_PRGR_CODE, 0xf, "failure"),
	RECORD_TEXT(PCIE_PRGR_RID, "the function that it goes to"),
	RECORD_END,
};
static const struct record_rule prgr_rules[] = {
	RECORD_CODE(PCIE_PRGR_CODE),
	RECORD_RULES_END,
};
const struct iopf_layout pcie_request_layout =
	WIRE_LAYOUT("pcie_page_request", PCIE_PRQ, 8);
const struct iopf_layout pcie_stop_marker_layout =
	RECORD_LAYOUT("pcie_stop_marker", PCIE_STOP, 8, stop_words, stop_rules);
const struct iopf_layout pcie_response_layout =
	RECORD_LAYOUT("pcie_prg_response", PCIE_PRGR, 8, prgr_words, prgr_rules);

static uint64_t bits(uint32_t field, uint64_t value)
{
	assert(field_fits(field, value));
	return value << FIELD_LSB(field);
}

uint64_t iopf_pcie_encode_request(const struct iopf_request *request)
{
	bool read = request->perm & IOPF_READ, write = request->perm & IOPF_WRITE;
	bool pasid = request->pasid != IOPF_PASID_NONE;

	assert(!(request->flags & IOPF_STALL) && request->addr % 4096 == 0);
	assert(pasid || !(request->perm & (IOPF_EXEC | IOPF_PRIV)));
	if (request->flags & IOPF_STOP) {
		assert(pasid && request->addr == 0 && request->index == 0 &&
		       request->perm == 0);
		return bits(PCIE_STOP_L, 1);
	}
	assert(!pasid || !(request->flags & IOPF_LAST) || read || write);
	return bits(PCIE_PRQ_R, read) | bits(PCIE_PRQ_W, write) |
	       bits(PCIE_PRQ_L, (request->flags & IOPF_LAST) != 0) |
	       bits(PCIE_PRQ_PRGI, request->index) | request->addr;
}

/* Without a PASID this is an ordinary request that wants nothing, and wants to know. */
static bool is_stop_marker(uint64_t payload, uint32_t pasid)
{
	return pasid != IOPF_PASID_NONE && field_of(payload, PCIE_STOP_L) &&
	       !field_of(payload, PCIE_STOP_R) && !field_of(payload, PCIE_STOP_W);
}

int iopf_pcie_decode_request(uint64_t payload, uint32_t rid, uint32_t pasid, uint8_t perm,
			     struct iopf_request *request)
{
	if (rid > 0xffff || !wire_pasid_or_none(pasid) || perm & ~(IOPF_EXEC | IOPF_PRIV))
		return -EINVAL;
	if (is_stop_marker(payload, pasid)) {
		if (field_of(payload, PCIE_STOP_TYPE) != 0)
			return -EINVAL;
		*request = (struct iopf_request){
			.rid = rid,
			.pasid = pasid,
			.flags = IOPF_STOP,
		};
		return 0;
	}
	if (pasid == IOPF_PASID_NONE)
		perm = 0;
	if (field_of(payload, PCIE_PRQ_R))
		perm |= IOPF_READ;
	if (field_of(payload, PCIE_PRQ_W))
		perm |= IOPF_WRITE;
	*request = (struct iopf_request){
		.addr = payload & FIELD_MASK(PCIE_PRQ_ADDR),
		.rid = rid,
		.pasid = pasid,
		.index = (uint16_t)field_of(payload, PCIE_PRQ_PRGI),
		.perm = perm,
		.flags = field_of(payload, PCIE_PRQ_L) ? IOPF_LAST : 0,
	};
	return 0;
}

uint64_t iopf_pcie_encode_response(const struct iopf_prg_response *response)
{
	assert(wire_pasid_or_none(response->pasid));
	return bits(PCIE_PRGR_PRGI, response->index) |
	       bits(PCIE_PRGR_CODE, response->code) | bits(PCIE_PRGR_RID, response->rid);
}

int iopf_pcie_decode_response(uint64_t payload, uint32_t pasid,
			      struct iopf_prg_response *response)
{
	if (!wire_pasid_or_none(pasid))
		return -EINVAL;
	*response = (struct iopf_prg_response){
		.rid = (uint32_t)field_of(payload, PCIE_PRGR_RID),
		.pasid = pasid,
		.index = (uint16_t)field_of(payload, PCIE_PRGR_PRGI),
		.code = (uint8_t)field_of(payload, PCIE_PRGR_CODE),
	};
	return 0;
}

/* 10.4.2.2 "Response Code": 2 to 14 are not used and mean failure. */
static const uint8_t codes[] = {
	[IOPF_SUCCESS] = 0x0,
	[IOPF_INVALID] = 0x1,
	[IOPF_FAILURE] = 0xf,
};
static_assert(sizeof(codes) == IOPF_CODE_COUNT, "a code for every meaning");

uint8_t iopf_pcie_code(enum iopf_code code)
{
	assert((unsigned)code < IOPF_CODE_COUNT);
	return codes[code];
}

enum iopf_code iopf_pcie_meaning(uint8_t code)
{
	if (code == codes[IOPF_SUCCESS])
		return IOPF_SUCCESS;
	return code == codes[IOPF_INVALID] ? IOPF_INVALID : IOPF_FAILURE;
}

/* ---- Records ----------------------------------------------------------------------- */

static int request_again(uint64_t payload, uint32_t pasid, uint8_t *again)
{
	struct iopf_request request;
	int result = iopf_pcie_decode_request(payload, 0, pasid, 0, &request);

	if (result == 0)
		le64_put(again, iopf_pcie_encode_request(&request));
	return result;
}

/* Without a PASID, any bits are a request. */
static int page_request_again(const uint8_t *record, uint8_t *again)
{
	return request_again(le64_get(record), IOPF_PASID_NONE, again);
}

static int stop_marker_again(const uint8_t *record, uint8_t *again)
{
	uint64_t payload = le64_get(record);

	if (!is_stop_marker(payload, 0))
		return -EBADMSG;
	if (request_again(payload, 0, again) < 0)
		return -EBADMSG;
	return wire_reserved(&pcie_stop_marker_layout, record) ? WIRE_IGNORED : 0;
}

static int response_again(const uint8_t *record, uint8_t *again)
{
	struct iopf_prg_response response;
	int result = iopf_pcie_decode_response(le64_get(record), IOPF_PASID_NONE, &response);

	if (result < 0)
		return result;
	le64_put(again, iopf_pcie_encode_response(&response));
	return wire_reserved(&pcie_response_layout, record) ? WIRE_IGNORED : 0;
}

static const struct record records[] = {
	{ .name = "page-request",
	  .text = "Page Request message, bytes 8 to 15, the DW at 8 above",
	  .layout = &pcie_request_layout,
	  .size_bytes = 8,
	  .role = RECORD_MESSAGE,
	  .again = page_request_again },
	{ .name = "stop-marker",
	  .text = "the same, with a PASID: nothing more of it comes",
	  .layout = &pcie_stop_marker_layout,
	  .size_bytes = 8,
	  .role = RECORD_MESSAGE,
	  .again = stop_marker_again },
	{ .name = "prg-response",
	  .text = "PRG Response message, bytes 8 to 15, the DW at 8 above",
	  .layout = &pcie_response_layout,
	  .size_bytes = 8,
	  .role = RECORD_MESSAGE,
	  .again = response_again },
	{ .name = "ats-cap",
	  .text = "ATS extended capability",
	  .layout = &config_ats_layout,
	  .size_bytes = 8 },
	{ .name = "pri-cap",
	  .text = "Page Request extended capability",
	  .layout = &config_pri_layout,
	  .size_bytes = 16 },
	{ .name = "pasid-cap",
	  .text = "PASID extended capability",
	  .layout = &config_pasid_layout,
	  .size_bytes = 8 },
	{ .name = NULL },
};

const struct wire_family wire_family_pcie = { .name = "pcie", .records = records };
