/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/vtd.c - Intel VT-d: the page request descriptor, and the family's table.
 *
 * Intel Virtualization Technology for Directed I/O, Architecture Specification 3.x and
 * 4.x, "Page Request Descriptor". Private data is of 3.x: later the bit that announces
 * it is reserved, and hardware that sets it still means it.
 */
#include <errno.h>
#include <string.h>

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

/* Only a request with a PASID can be a stop marker; without one this is a request that
 * wants nothing, and its function waits for the response (PCIe 6.x, 10.4.1.2.1). */
static bool is_stop_marker(const uint8_t *record)
{
	return field_get(record, VTD_PRQ_PASID_PRESENT) &&
	       field_get(record, VTD_PRQ_LPIG) && !field_get(record, VTD_PRQ_R) &&
	       !field_get(record, VTD_PRQ_W);
}

static bool marker_with_index(const uint8_t *r)
{
	return is_stop_marker(r) && field_get(r, VTD_PRQ_PRGI) != 0;
}

static bool marker_with_addr(const uint8_t *r)
{
	return is_stop_marker(r) && field_get(r, VTD_PRQ_ADDR) != 0;
}

static bool marker_with_pm(const uint8_t *r)
{
	return is_stop_marker(r) && field_get(r, VTD_PRQ_PM) != 0;
}

static const struct record_word prq_words[] = {
	RECORD_WORD(VTD_PRQ_TYPE, VTD_PRQ_TYPE_PAGE, "page_request"),
	RECORD_END,
};

/* Execute is asked for beside read (PCIe 6.x, 10.4.1). */
static const struct record_rule prq_rules[] = {
	RECORD_NAMED(VTD_PRQ_TYPE),
	RECORD_WITH(VTD_PRQ_PASID, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_EXE, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_EXE, VTD_PRQ_R),
	RECORD_WITH(VTD_PRQ_PM, VTD_PRQ_PASID_PRESENT),
	RECORD_WITH(VTD_PRQ_PRIVATE0, VTD_PRQ_PRIVATE_PRESENT),
	RECORD_WITH(VTD_PRQ_PRIVATE1, VTD_PRQ_PRIVATE_PRESENT),
	RECORD_CHECK(VTD_PRQ_PRGI, marker_with_index, "a stop marker has no index"),
	RECORD_CHECK(VTD_PRQ_ADDR, marker_with_addr, "a stop marker has no address"),
	RECORD_CHECK(VTD_PRQ_PM, marker_with_pm, "reserved in a stop marker"),
	RECORD_RULES_END,
};

const struct iopf_layout vtd_request_layout =
	RECORD_LAYOUT("vtd_page_request", VTD_PRQ, 32, prq_words, prq_rules);

static uint8_t perm_get(const uint8_t *record, bool pasid)
{
	uint64_t perm = field_get(record, VTD_PRQ_R) * IOPF_READ |
			field_get(record, VTD_PRQ_W) * IOPF_WRITE;

	if (pasid)
		perm |= field_get(record, VTD_PRQ_EXE) * IOPF_EXEC |
			field_get(record, VTD_PRQ_PM) * IOPF_PRIV;
	return (uint8_t)perm;
}

/* Set though reserved: always, without a PASID, without private data, in a marker. */
static bool reserved_set(const uint8_t *record, bool stop)
{
	uint64_t bits = wire_reserved(&vtd_request_layout, record);

	if (!field_get(record, VTD_PRQ_PASID_PRESENT))
		bits |= field_get(record, VTD_PRQ_PASID);
	if (!field_get(record, VTD_PRQ_PASID_PRESENT) || stop)
		bits |= field_get(record, VTD_PRQ_EXE) | field_get(record, VTD_PRQ_PM);
	if (!field_get(record, VTD_PRQ_PRIVATE_PRESENT))
		bits |= field_get(record, VTD_PRQ_PRIVATE0) |
			field_get(record, VTD_PRQ_PRIVATE1);
	if (stop)
		bits |= field_get(record, VTD_PRQ_PRGI) | field_get(record, VTD_PRQ_ADDR);
	return bits != 0;
}

static int decode_request(const uint8_t *record, struct iopf_request *request,
			  bool *reserved)
{
	bool pasid = field_get(record, VTD_PRQ_PASID_PRESENT);
	bool stop = is_stop_marker(record);

	if (field_get(record, VTD_PRQ_TYPE) != VTD_PRQ_TYPE_PAGE)
		return -EBADMSG;
	*request = (struct iopf_request){
		.rid = (uint32_t)field_get(record, VTD_PRQ_RID),
		.pasid = pasid ? (uint32_t)field_get(record, VTD_PRQ_PASID) :
				 IOPF_PASID_NONE,
		.flags = stop ? IOPF_STOP : 0,
	};
	*reserved = reserved_set(record, stop);
	if (!stop) {
		request->addr = field_get(record, VTD_PRQ_ADDR) << 12;
		request->index = (uint16_t)field_get(record, VTD_PRQ_PRGI);
		request->perm = perm_get(record, pasid);
		if (field_get(record, VTD_PRQ_LPIG))
			request->flags |= IOPF_LAST;
	}
	if (field_get(record, VTD_PRQ_PRIVATE_PRESENT)) {
		request->flags |= IOPF_PRIVATE;
		request->private_data[0] = field_get(record, VTD_PRQ_PRIVATE0);
		request->private_data[1] = field_get(record, VTD_PRQ_PRIVATE1);
	}
	return 0;
}

/* Is there a descriptor that says this, and nothing else? */
static bool request_valid(const struct iopf_request *request)
{
	bool pasid = request->pasid != IOPF_PASID_NONE;
	bool stop = request->flags & IOPF_STOP;

	if (request->flags & ~(IOPF_LAST | IOPF_STOP | IOPF_PRIVATE) ||
	    request->perm & ~(IOPF_READ | IOPF_WRITE | IOPF_EXEC | IOPF_PRIV) ||
	    request->addr % 4096 != 0 || !wire_pasid_or_none(request->pasid))
		return false;
	if (!pasid && (stop || request->perm & (IOPF_EXEC | IOPF_PRIV)))
		return false;
	if (stop)
		return request->addr == 0 && request->index == 0 && request->perm == 0;
	return !pasid || !(request->flags & IOPF_LAST) ||
	       request->perm & (IOPF_READ | IOPF_WRITE);
}

static void request_put_flags(const struct iopf_request *request, uint8_t *r)
{
	field_put(r, VTD_PRQ_TYPE, VTD_PRQ_TYPE_PAGE);
	field_put(r, VTD_PRQ_LPIG, (request->flags & (IOPF_LAST | IOPF_STOP)) != 0);
	field_put(r, VTD_PRQ_R, (request->perm & IOPF_READ) != 0);
	field_put(r, VTD_PRQ_W, (request->perm & IOPF_WRITE) != 0);
	field_put(r, VTD_PRQ_EXE, (request->perm & IOPF_EXEC) != 0);
	field_put(r, VTD_PRQ_PM, (request->perm & IOPF_PRIV) != 0);
	if (request->flags & IOPF_PRIVATE) {
		field_put(r, VTD_PRQ_PRIVATE_PRESENT, 1);
		field_put(r, VTD_PRQ_PRIVATE0, request->private_data[0]);
		field_put(r, VTD_PRQ_PRIVATE1, request->private_data[1]);
	}
}

static int encode_request(const struct iopf_request *request, uint8_t *record)
{
	uint8_t r[VTD_DESCRIPTOR_BYTES_MAX] = { 0 };

	if (request->flags & IOPF_STALL)
		return -EOPNOTSUPP;
	if (!request_valid(request) || !wire_put(r, VTD_PRQ_RID, request->rid) ||
	    !wire_put(r, VTD_PRQ_PRGI, request->index))
		return -ERANGE;
	request_put_flags(request, r);
	field_put(r, VTD_PRQ_ADDR, request->addr >> 12);
	if (request->pasid != IOPF_PASID_NONE) {
		field_put(r, VTD_PRQ_PASID_PRESENT, 1);
		field_put(r, VTD_PRQ_PASID, request->pasid);
	}
	memcpy(record, r, sizeof(r));
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
