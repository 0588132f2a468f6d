/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/vtd.c - Intel VT-d: the page request descriptor, and the family's table.
 *
 * Intel Virtualization Technology for Directed I/O, Architecture Specification 3.x and
 * 4.x, "Page Request Descriptor". Private data is of 3.x: later the bit that announces
 * it is reserved, and hardware that sets it still means it.
 */
#include <errno.h>

#include "wire/record.h"
#include "wire/vtd.h"

/* clang-format off */
#define VTD_PRQ(F, R)                          \
	F(VTD_PRQ_TYPE,            0,  0,  8)  \
	F(VTD_PRQ_PASID_PRESENT,   0,  8,  1)  \
	F(VTD_PRQ_PRIVATE_PRESENT, 0,  9,  1)  \
	R(VTD_PRQ_RSVD0,           0, 10,  6)  \
	F(VTD_PRQ_RID,             0, 16, 16)  \
	F(VTD_PRQ_PASID,           0, 32, 20)  \
	F(VTD_PRQ_EXE,             0, 52,  1)  \
	F(VTD_PRQ_PM,              0, 53,  1)  \
	R(VTD_PRQ_RSVD1,           0, 54, 10)  \
	F(VTD_PRQ_R,               1,  0,  1)  \
	F(VTD_PRQ_W,               1,  1,  1)  \
	F(VTD_PRQ_LPIG,            1,  2,  1)  \
	F(VTD_PRQ_PRGI,            1,  3,  9)  \
	F(VTD_PRQ_ADDR,            1, 12, 52)  \
	F(VTD_PRQ_PRIVATE0,        2,  0, 64)  \
	F(VTD_PRQ_PRIVATE1,        3,  0, 64)
#define VTD_PRQ_FIELDS(X) VTD_PRQ(X, X)
/* clang-format on */

enum vtd_prq_field { VTD_PRQ_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE4(VTD_PRQ_FIELDS);

enum { VTD_PRQ_TYPE_PAGE = 1 };

static const struct wire_request request_at = {
	.layout = &vtd_request_layout,
	.rid = VTD_PRQ_RID,
	.pasid = VTD_PRQ_PASID,
	.pasid_valid = VTD_PRQ_PASID_PRESENT,
	.read = VTD_PRQ_R,
	.write = VTD_PRQ_W,
	.exec = VTD_PRQ_EXE,
	.priv = VTD_PRQ_PM,
	.last = VTD_PRQ_LPIG,
	.index = VTD_PRQ_PRGI,
	.addr = VTD_PRQ_ADDR,
};

static bool is_marker(const uint8_t *record)
{
	return wire_request_is_stop(&request_at, record);
}

static const struct record_word prq_words[] = {
	RECORD_WORD(VTD_PRQ_TYPE, VTD_PRQ_TYPE_PAGE, "page_request"),
	RECORD_END,
};

static const struct record_rule prq_rules[] = {
	RECORD_NAMED(VTD_PRQ_TYPE),
	RECORD_WITH(VTD_PRQ_PASID, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_EXE, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_PM, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_PRIVATE0, VTD_PRQ_PRIVATE_PRESENT),
	RECORD_WITH(VTD_PRQ_PRIVATE1, VTD_PRQ_PRIVATE_PRESENT),
	WIRE_REQUEST_RULES(is_marker, VTD_PRQ_PRGI, VTD_PRQ_ADDR, VTD_PRQ_PM, VTD_PRQ_EXE,
			   VTD_PRQ_R),
	RECORD_RULES_END,
};

const struct iopf_layout vtd_request_layout =
	RECORD_LAYOUT("vtd_page_request", VTD_PRQ, 32, prq_words, prq_rules);

static int decode_request(const uint8_t *record, struct iopf_request *request,
			  bool *reserved)
{
	uint64_t private0 = field_get(record, VTD_PRQ_PRIVATE0);
	uint64_t private1 = field_get(record, VTD_PRQ_PRIVATE1);

	if (field_get(record, VTD_PRQ_TYPE) != VTD_PRQ_TYPE_PAGE)
		return -EBADMSG;
	*reserved = wire_request_decode(&request_at, record, request);
	if (field_get(record, VTD_PRQ_PRIVATE_PRESENT)) {
		request->flags |= IOPF_PRIVATE;
		request->private_data[0] = private0;
		request->private_data[1] = private1;
	} else {
		*reserved |= (private0 | private1) != 0;
	}
	return 0;
}

static int encode_request(const struct iopf_request *request, uint8_t *record)
{
	struct iopf_request plain = *request;
	int result;

	plain.flags &= (uint8_t)~IOPF_PRIVATE;
	result = wire_request_encode(&request_at, &plain, record);
	if (result < 0)
		return result;
	field_put(record, VTD_PRQ_TYPE, VTD_PRQ_TYPE_PAGE);
	if (request->flags & IOPF_PRIVATE) {
		field_put(record, VTD_PRQ_PRIVATE_PRESENT, 1);
		field_put(record, VTD_PRQ_PRIVATE0, request->private_data[0]);
		field_put(record, VTD_PRQ_PRIVATE1, request->private_data[1]);
	}
	return 0;
}

/* Descriptors are 32 bytes where IQA.DW is set, else 16: the first two words. */
const struct iopf_wire iopf_wire_vtd = {
	.name = "vtd",
	.request_bytes = 32,
	.command_bytes = { 32, 16 },
	.decode_request = decode_request,
	.encode_request = encode_request,
	.decode_command = vtd_command_decode,
	.encode_command = vtd_command_encode,
};

static const struct record records[] = {
	{ .name = "prq",
	  .text = "page request descriptor",
	  .layout = &vtd_request_layout,
	  .size_bytes = 32,
	  .role = RECORD_REQUEST,
	  .queue = RECORD_QUEUE_BYTES },
	{ .name = "iq",
	  .text = "invalidation queue descriptor",
	  .pick = vtd_command_pick,
	  .selectors = { VTD_TYPE_LO, VTD_TYPE_HI },
	  .words = vtd_command_words,
	  .size_bytes = 32,
	  .short_bytes = 16,
	  .role = RECORD_COMMAND,
	  .queue = RECORD_QUEUE_BYTES },
	{ .name = "old-group-response",
	  .text = "page group response, before scalable mode",
	  .layout = &vtd_old_response_layout,
	  .size_bytes = 16,
	  .role = RECORD_COMMAND,
	  .again = vtd_old_response_again },
	{ .name = "old-stream-response",
	  .text = "page stream response, before scalable mode",
	  .layout = &vtd_stream_response_layout,
	  .size_bytes = 16,
	  .role = RECORD_COMMAND,
	  .again = vtd_stream_response_again },
	{ .name = NULL },
};

const struct wire_family wire_family_vtd = {
	.name = "vtd",
	.wire = &iopf_wire_vtd,
	.records = records,
};
