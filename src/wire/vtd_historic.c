/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/vtd_historic.c - Intel VT-d before scalable mode: the responses of "extended
 * mode", 16 bytes each. They are read and written here, and in no family's table: type
 * 9 has had another layout since, type 10 is reserved.
 *
 * The layouts are those that Linux used before scalable mode (single source).
 */
#include <errno.h>
#include <string.h>

#include "wire/vtd.h"

/* clang-format off */
#define VTD_OLD_PGR(F, R)                          \
	F(VTD_OLD_PGR_TYPE,          0,  0,  4)    \
	F(VTD_OLD_PGR_PASID_PRESENT, 0,  4,  1)    \
	R(VTD_OLD_PGR_RSVD0,         0,  5, 11)    \
	F(VTD_OLD_PGR_RID,           0, 16, 16)    \
	F(VTD_OLD_PGR_PASID,         0, 32, 20)    \
	R(VTD_OLD_PGR_RSVD1,         0, 52, 12)    \
	F(VTD_OLD_PGR_CODE,          1,  0,  4)    \
	R(VTD_OLD_PGR_RSVD2,         1,  4, 28)    \
	F(VTD_OLD_PGR_PRIVATE,       1, 32, 23)    \
	F(VTD_OLD_PGR_PRGI,          1, 55,  9)
#define VTD_OLD_PGR_FIELDS(X) VTD_OLD_PGR(X, X)

#define VTD_PSR(F, R)                     \
	F(VTD_PSR_TYPE,    0,  0,  4)     \
	F(VTD_PSR_PASID,   0,  4, 20)     \
	F(VTD_PSR_BUS,     0, 24,  8)     \
	F(VTD_PSR_PRIVATE, 0, 32, 23)     \
	F(VTD_PSR_PRGI,    0, 55,  9)     \
	F(VTD_PSR_CODE,    1,  0,  4)     \
	F(VTD_PSR_DEVFN,   1,  4,  8)     \
	F(VTD_PSR_ADDR,    1, 12, 52)
#define VTD_PSR_FIELDS(X) VTD_PSR(X, X)
/* clang-format on */

enum vtd_old_pgr_field { VTD_OLD_PGR_FIELDS(FIELD_ENUM) };
enum vtd_psr_field { VTD_PSR_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_OLD_PGR_FIELDS);
RECORD_COMPLETE2(VTD_PSR_FIELDS);

enum { TYPE_GROUP_RESPONSE = 0x9, TYPE_STREAM_RESPONSE = 0xa };

#define CODES(field)                           \
	RECORD_WORD((field), 0x0, "success"),  \
	RECORD_WORD((field), 0x1, "invalid"),  \
	RECORD_WORD((field), 0xf, "failure")
static const struct record_word old_pgr_words[] = {
	RECORD_WORD(VTD_OLD_PGR_TYPE, TYPE_GROUP_RESPONSE, "page_group_response"),
	CODES(VTD_OLD_PGR_CODE),
	RECORD_TEXT(VTD_OLD_PGR_PRIVATE, "private data"),
	RECORD_END,
};
static const struct record_rule old_pgr_rules[] = {
	RECORD_NAMED(VTD_OLD_PGR_TYPE),
	RECORD_CODE(VTD_OLD_PGR_CODE),
	RECORD_WITH(VTD_OLD_PGR_PASID, VTD_OLD_PGR_PASID_PRESENT),
	RECORD_RULES_END,
};
static const struct record_word psr_words[] = {
	RECORD_WORD(VTD_PSR_TYPE, TYPE_STREAM_RESPONSE, "page_stream_response"),
	CODES(VTD_PSR_CODE),
	RECORD_TEXT(VTD_PSR_PRIVATE, "private data"),
	RECORD_TEXT(VTD_PSR_BUS, "bus of the requester"),
	RECORD_TEXT(VTD_PSR_DEVFN, "device and function of the requester"),
	RECORD_END,
};
static const struct record_rule psr_rules[] = {
	RECORD_NAMED(VTD_PSR_TYPE),
	RECORD_CODE(VTD_PSR_CODE),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_old_response_layout =
	RECORD_LAYOUT("vtd_old_page_group_response", VTD_OLD_PGR, 16, old_pgr_words,
		      old_pgr_rules);
const struct iopf_layout vtd_stream_response_layout =
	RECORD_LAYOUT("vtd_page_stream_response", VTD_PSR, 16, psr_words, psr_rules);

static uint8_t meaning(uint64_t code)
{
	return (uint8_t)iopf_pcie_meaning((uint8_t)code);
}

int iopf_vtd_encode_stream_response(const struct iopf_vtd_old_response *response,
				    uint8_t *record)
{
	uint8_t r[16] = { 0 };

	if (response->code >= IOPF_CODE_COUNT || response->addr % 4096 != 0 ||
	    !wire_put(r, VTD_PSR_PASID, response->pasid) ||
	    !wire_put(r, VTD_PSR_BUS, response->rid >> 8) ||
	    !wire_put(r, VTD_PSR_PRIVATE, response->private_data) ||
	    !wire_put(r, VTD_PSR_PRGI, response->index))
		return -ERANGE;
	field_put(r, VTD_PSR_TYPE, TYPE_STREAM_RESPONSE);
	field_put(r, VTD_PSR_CODE, iopf_pcie_code((enum iopf_code)response->code));
	field_put(r, VTD_PSR_DEVFN, response->rid & 0xff);
	field_put(r, VTD_PSR_ADDR, response->addr >> 12);
	memcpy(record, r, sizeof(r));
	return 0;
}

int iopf_vtd_decode_stream_response(const uint8_t *record,
				    struct iopf_vtd_old_response *response)
{
	uint64_t rid = field_get(record, VTD_PSR_BUS) << 8 |
		       field_get(record, VTD_PSR_DEVFN);

	if (field_get(record, VTD_PSR_TYPE) != TYPE_STREAM_RESPONSE)
		return -EBADMSG;
	*response = (struct iopf_vtd_old_response){
		.addr = field_get(record, VTD_PSR_ADDR) << 12,
		.rid = (uint32_t)rid,
		.pasid = (uint32_t)field_get(record, VTD_PSR_PASID),
		.private_data = (uint32_t)field_get(record, VTD_PSR_PRIVATE),
		.index = (uint16_t)field_get(record, VTD_PSR_PRGI),
		.code = meaning(field_get(record, VTD_PSR_CODE)),
	};
	return 0;
}

int iopf_vtd_encode_old_group_response(const struct iopf_vtd_old_response *response,
				       uint8_t *record)
{
	bool pasid = response->pasid != IOPF_PASID_NONE;
	uint8_t r[16] = { 0 };

	if (response->code >= IOPF_CODE_COUNT ||
	    !wire_put(r, VTD_OLD_PGR_PASID, pasid ? response->pasid : 0) ||
	    !wire_put(r, VTD_OLD_PGR_RID, response->rid) ||
	    !wire_put(r, VTD_OLD_PGR_PRIVATE, response->private_data) ||
	    !wire_put(r, VTD_OLD_PGR_PRGI, response->index))
		return -ERANGE;
	field_put(r, VTD_OLD_PGR_TYPE, TYPE_GROUP_RESPONSE);
	field_put(r, VTD_OLD_PGR_PASID_PRESENT, pasid);
	field_put(r, VTD_OLD_PGR_CODE, iopf_pcie_code((enum iopf_code)response->code));
	memcpy(record, r, sizeof(r));
	return 0;
}

int iopf_vtd_decode_old_group_response(const uint8_t *record,
				       struct iopf_vtd_old_response *response)
{
	if (field_get(record, VTD_OLD_PGR_TYPE) != TYPE_GROUP_RESPONSE ||
	    wire_reserved(&vtd_old_response_layout, record))
		return -EBADMSG;
	*response = (struct iopf_vtd_old_response){
		.rid = (uint32_t)field_get(record, VTD_OLD_PGR_RID),
		.pasid = field_get(record, VTD_OLD_PGR_PASID_PRESENT) ?
				 (uint32_t)field_get(record, VTD_OLD_PGR_PASID) :
				 IOPF_PASID_NONE,
		.private_data = (uint32_t)field_get(record, VTD_OLD_PGR_PRIVATE),
		.index = (uint16_t)field_get(record, VTD_OLD_PGR_PRGI),
		.code = meaning(field_get(record, VTD_OLD_PGR_CODE)),
	};
	return 0;
}

int vtd_old_response_again(const uint8_t *record, uint8_t *again)
{
	struct iopf_vtd_old_response response;
	int result = iopf_vtd_decode_old_group_response(record, &response);

	return result == 0 ? iopf_vtd_encode_old_group_response(&response, again) : result;
}

int vtd_stream_response_again(const uint8_t *record, uint8_t *again)
{
	struct iopf_vtd_old_response response;
	int result = iopf_vtd_decode_stream_response(record, &response);

	return result == 0 ? iopf_vtd_encode_stream_response(&response, again) : result;
}
