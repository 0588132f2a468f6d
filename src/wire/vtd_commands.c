/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/vtd_commands.c - Intel VT-d: what stands in the invalidation queue.
 *
 * Architecture Specification 3.x and 4.x, "Queued Invalidation Interface". A descriptor
 * of 32 bytes is the one of 16 with reserved words behind it, except for the page group
 * response, whose private data (3.x) needs them.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/vtd.h"

/* "Page Group Response Descriptor". LPIG and the private data are of 3.x: later LPIG is
 * ignored. */
/* clang-format off */
#define VTD_PGR(F, R)                          \
	F(VTD_PGR_TYPE,            0,  0,  4)  \
	F(VTD_PGR_PASID_PRESENT,   0,  4,  1)  \
	F(VTD_PGR_PRIVATE_PRESENT, 0,  5,  1)  \
	R(VTD_PGR_RSVD0,           0,  6,  3)  \
	F(VTD_PGR_TYPE_HI,         0,  9,  3)  \
	F(VTD_PGR_CODE,            0, 12,  4)  \
	F(VTD_PGR_RID,             0, 16, 16)  \
	F(VTD_PGR_PASID,           0, 32, 20)  \
	R(VTD_PGR_RSVD1,           0, 52, 12)  \
	R(VTD_PGR_RSVD2,           1,  0,  2)  \
	F(VTD_PGR_LPIG,            1,  2,  1)  \
	F(VTD_PGR_PRGI,            1,  3,  9)  \
	R(VTD_PGR_RSVD3,           1, 12, 52)  \
	F(VTD_PGR_PRIVATE0,        2,  0, 64)  \
	F(VTD_PGR_PRIVATE1,        3,  0, 64)
#define VTD_PGR_FIELDS(X) VTD_PGR(X, X)
/* clang-format on */
enum vtd_pgr_field { VTD_PGR_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE4(VTD_PGR_FIELDS);

static const struct record_word pgr_words[] = {
	RECORD_WORD(VTD_PGR_CODE, 0x0, "success"),
	RECORD_WORD(VTD_PGR_CODE, 0x1, "invalid"),
	RECORD_WORD(VTD_PGR_CODE, 0xf, "failure"),
	RECORD_END,
};
static const struct record_rule pgr_rules[] = {
	RECORD_CODE(VTD_PGR_CODE),
	RECORD_WITH(VTD_PGR_PASID, VTD_PGR_PASID_PRESENT),
	RECORD_WITH(VTD_PGR_PRIVATE0, VTD_PGR_PRIVATE_PRESENT),
	RECORD_WITH(VTD_PGR_PRIVATE1, VTD_PGR_PRIVATE_PRESENT),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_response_layout =
	RECORD_LAYOUT("vtd_page_group_response", VTD_PGR, 32, pgr_words, pgr_rules);

/* LPIG is not among them: since 4.0 it is ignored. */
static_assert((UINT64_C(0) VTD_PGR(RECORD_SKIP, FIELD_OR0)) == 0xfff00000000001c0, "q0");
static_assert((UINT64_C(0) VTD_PGR(RECORD_SKIP, FIELD_OR1)) == 0xfffffffffffff003, "q1");

static bool words_empty(const uint8_t *r)
{
	return (le64_get(r + 16) | le64_get(r + 24)) == 0;
}

static bool response_decode(const uint8_t *r, struct iopf_command *c)
{
	c->code = (uint8_t)iopf_pcie_meaning((uint8_t)field_get(r, VTD_PGR_CODE));
	c->index = (uint16_t)field_get(r, VTD_PGR_PRGI);
	c->rid = (uint32_t)field_get(r, VTD_PGR_RID);
	c->pasid = field_get(r, VTD_PGR_PASID_PRESENT) ?
			   (uint32_t)field_get(r, VTD_PGR_PASID) :
			   IOPF_PASID_NONE;
	c->flags = field_get(r, VTD_PGR_LPIG) ? IOPF_LAST : 0;
	if (!field_get(r, VTD_PGR_PRIVATE_PRESENT))
		return words_empty(r);
	c->flags |= IOPF_PRIVATE;
	c->private_data[0] = field_get(r, VTD_PGR_PRIVATE0);
	c->private_data[1] = field_get(r, VTD_PGR_PRIVATE1);
	return true;
}

static int response_encode(const struct iopf_command *c, uint8_t *r)
{
	bool pasid = c->pasid != IOPF_PASID_NONE;

	if (c->flags & IOPF_STALL)
		return -EOPNOTSUPP;
	if (c->code >= IOPF_CODE_COUNT || c->flags & ~(IOPF_PRIVATE | IOPF_LAST) ||
	    !wire_put(r, VTD_PGR_PASID, pasid ? c->pasid : 0) ||
	    !wire_put(r, VTD_PGR_RID, c->rid) || !wire_put(r, VTD_PGR_PRGI, c->index))
		return -ERANGE;
	field_put(r, VTD_PGR_PASID_PRESENT, pasid);
	field_put(r, VTD_PGR_CODE, iopf_pcie_code((enum iopf_code)c->code));
	field_put(r, VTD_PGR_LPIG, (c->flags & IOPF_LAST) != 0);
	if (c->flags & IOPF_PRIVATE) {
		field_put(r, VTD_PGR_PRIVATE_PRESENT, 1);
		field_put(r, VTD_PGR_PRIVATE0, c->private_data[0]);
		field_put(r, VTD_PGR_PRIVATE1, c->private_data[1]);
	}
	return 0;
}

static const struct vtd_descriptor response = {
	.layout = &vtd_response_layout,
	.type = 9,
	.kind = IOPF_COMMAND_RESPONSE,
	.decode = response_decode,
	.encode = response_encode,
};

/* "Invalidation Wait Descriptor". PD needs ECAP.PDS. */
/* clang-format off */
#define VTD_WAIT(F, R)                        \
	F(VTD_WAIT_TYPE,        0,  0,  4)    \
	F(VTD_WAIT_IF,          0,  4,  1)    \
	F(VTD_WAIT_SW,          0,  5,  1)    \
	F(VTD_WAIT_FN,          0,  6,  1)    \
	F(VTD_WAIT_PD,          0,  7,  1)    \
	R(VTD_WAIT_RSVD0,       0,  8,  1)    \
	F(VTD_WAIT_TYPE_HI,     0,  9,  3)    \
	R(VTD_WAIT_RSVD1,       0, 12, 20)    \
	F(VTD_WAIT_STATUS_DATA, 0, 32, 32)    \
	R(VTD_WAIT_RSVD2,       1,  0,  2)    \
	F(VTD_WAIT_STATUS_ADDR, 1,  2, 62)
#define VTD_WAIT_FIELDS(X) VTD_WAIT(X, X)
/* clang-format on */
enum vtd_wait_field { VTD_WAIT_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_WAIT_FIELDS);

static const struct record_word wait_words[] = {
	RECORD_TEXT(VTD_WAIT_IF, "raise an interrupt"),
	RECORD_TEXT(VTD_WAIT_SW, "write the status data"),
	RECORD_TEXT(VTD_WAIT_FN, "later descriptors wait for it"),
	RECORD_TEXT(VTD_WAIT_PD, "page requests sent before are in the queue first"),
	RECORD_TEXT(VTD_WAIT_STATUS_DATA, "what is written"),
	RECORD_UNIT(VTD_WAIT_STATUS_ADDR, 2, "where it is written"),
	RECORD_END,
};
static const struct record_rule wait_rules[] = {
	RECORD_WITH(VTD_WAIT_STATUS_DATA, VTD_WAIT_SW),
	RECORD_WITH(VTD_WAIT_STATUS_ADDR, VTD_WAIT_SW),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_wait_layout =
	RECORD_LAYOUT("vtd_wait", VTD_WAIT, 16, wait_words, wait_rules);

static bool wait_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t flags = field_get(r, VTD_WAIT_IF) * IOPF_WAIT_INTERRUPT |
			 field_get(r, VTD_WAIT_SW) * IOPF_WAIT_STATUS |
			 field_get(r, VTD_WAIT_FN) * IOPF_WAIT_FENCE |
			 field_get(r, VTD_WAIT_PD) * IOPF_WAIT_DRAIN;

	c->wait_flags = (uint8_t)flags;
	if (c->wait_flags & IOPF_WAIT_STATUS) {
		c->status_data = field_get(r, VTD_WAIT_STATUS_DATA);
		c->status_addr = field_get(r, VTD_WAIT_STATUS_ADDR) << 2;
	}
	return true;
}

static int wait_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->wait_flags & ~(IOPF_WAIT_INTERRUPT | IOPF_WAIT_STATUS | IOPF_WAIT_FENCE |
			      IOPF_WAIT_DRAIN))
		return -ERANGE;
	field_put(r, VTD_WAIT_IF, (c->wait_flags & IOPF_WAIT_INTERRUPT) != 0);
	field_put(r, VTD_WAIT_SW, (c->wait_flags & IOPF_WAIT_STATUS) != 0);
	field_put(r, VTD_WAIT_FN, (c->wait_flags & IOPF_WAIT_FENCE) != 0);
	field_put(r, VTD_WAIT_PD, (c->wait_flags & IOPF_WAIT_DRAIN) != 0);
	if (!(c->wait_flags & IOPF_WAIT_STATUS))
		return 0;
	if (c->status_addr % 4 != 0 || !wire_put(r, VTD_WAIT_STATUS_DATA, c->status_data))
		return -ERANGE;
	field_put(r, VTD_WAIT_STATUS_ADDR, c->status_addr >> 2);
	return 0;
}

static const struct vtd_descriptor wait = {
	.layout = &vtd_wait_layout,
	.type = 5,
	.kind = IOPF_COMMAND_WAIT,
	.decode = wait_decode,
	.encode = wait_encode,
};

/* "Interrupt Entry Cache Invalidate Descriptor" */
/* clang-format off */
#define VTD_IEC(F, R)                    \
	F(VTD_IEC_TYPE,    0,  0,  4)    \
	F(VTD_IEC_G,       0,  4,  1)    \
	R(VTD_IEC_RSVD0,   0,  5,  4)    \
	F(VTD_IEC_TYPE_HI, 0,  9,  3)    \
	R(VTD_IEC_RSVD1,   0, 12, 15)    \
	F(VTD_IEC_IM,      0, 27,  5)    \
	F(VTD_IEC_IIDX,    0, 32, 16)    \
	R(VTD_IEC_RSVD2,   0, 48, 16)    \
	R(VTD_IEC_RSVD3,   1,  0, 64)
#define VTD_IEC_FIELDS(X) VTD_IEC(X, X)
/* clang-format on */
enum vtd_iec_field { VTD_IEC_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_IEC_FIELDS);

static const struct record_word iec_words[] = {
	RECORD_WORD(VTD_IEC_G, 0, "all"),
	RECORD_WORD(VTD_IEC_G, 1, "index"),
	RECORD_TEXT(VTD_IEC_IM, "bits of the index that do not count"),
	RECORD_TEXT(VTD_IEC_IIDX, "index of the interrupt"),
	RECORD_END,
};
static const struct record_rule iec_rules[] = {
	RECORD_WITH(VTD_IEC_IM, VTD_IEC_G),
	RECORD_WITH(VTD_IEC_IIDX, VTD_IEC_G),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_interrupt_layout =
	RECORD_LAYOUT("vtd_interrupt_entry_cache", VTD_IEC, 16, iec_words, iec_rules);

static bool interrupt_decode(const uint8_t *r, struct iopf_command *c)
{
	(void)r;
	(void)c;
	return true;
}

/* Not encoded: nothing here remaps interrupts. */
static const struct vtd_descriptor interrupt = {
	.layout = &vtd_interrupt_layout,
	.type = 4,
	.kind = IOPF_COMMAND_OTHER,
	.decode = interrupt_decode,
};

/* ---- The queue's descriptors by type, and by what they are used for ---------------- */

static const struct vtd_descriptor *const by_type[] = {
	[1] = &vtd_context,	[2] = &vtd_iotlb,	[3] = &vtd_device_tlb,
	[4] = &interrupt,	[5] = &wait,		[6] = &vtd_pasid_iotlb,
	[7] = &vtd_pasid_cache, [8] = &vtd_pasid_device_tlb, [9] = &response,
};

static const struct vtd_descriptor *descriptor_of(const uint8_t *record)
{
	uint64_t type = field_get(record, VTD_TYPE_LO) |
			field_get(record, VTD_TYPE_HI) << 4;

	return type < sizeof(by_type) / sizeof(by_type[0]) ? by_type[type] : NULL;
}

const struct record_word vtd_command_words[] = {
	RECORD_WORD(VTD_TYPE_LO, 1, "context_cache"),
	RECORD_WORD(VTD_TYPE_LO, 2, "iotlb"),
	RECORD_WORD(VTD_TYPE_LO, 3, "device_tlb"),
	RECORD_WORD(VTD_TYPE_LO, 4, "interrupt_entry_cache"),
	RECORD_WORD(VTD_TYPE_LO, 5, "wait"),
	RECORD_WORD(VTD_TYPE_LO, 6, "pasid_iotlb"),
	RECORD_WORD(VTD_TYPE_LO, 7, "pasid_cache"),
	RECORD_WORD(VTD_TYPE_LO, 8, "pasid_device_tlb"),
	RECORD_WORD(VTD_TYPE_LO, 9, "page_group_response"),
	RECORD_END,
};

const struct iopf_layout *vtd_command_pick(const uint8_t *record, uint64_t *reserved)
{
	const struct vtd_descriptor *descriptor = descriptor_of(record);

	(void)reserved;
	return descriptor == NULL ? NULL : descriptor->layout;
}

int vtd_command_decode(const uint8_t *record, uint32_t size_bytes,
		       struct iopf_command *command)
{
	uint8_t r[VTD_DESCRIPTOR_BYTES_MAX] = { 0 };
	const struct vtd_descriptor *descriptor;
	struct iopf_command c = { 0 };

	if (size_bytes != 16 && size_bytes != 32)
		return -EINVAL;
	memcpy(r, record, size_bytes);
	descriptor = descriptor_of(r);
	if (descriptor == NULL || wire_reserved(descriptor->layout, r))
		return -EBADMSG;
	if (descriptor->layout->size_bytes == 16 && !words_empty(r))
		return -EBADMSG;
	c.kind = descriptor->kind;
	if (!descriptor->decode(r, &c) || (c.flags & IOPF_PRIVATE && size_bytes == 16))
		return -EBADMSG;
	*command = c;
	return 0;
}

/* Without a PASID that counts, and with one. */
static const struct vtd_descriptor *const by_kind[IOPF_COMMAND_KIND_COUNT][2] = {
	[IOPF_COMMAND_RESPONSE] = { &response, &response },
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = { &vtd_context, &vtd_context },
	[IOPF_COMMAND_INVALIDATE_PASID] = { &vtd_pasid_cache, &vtd_pasid_cache },
	[IOPF_COMMAND_INVALIDATE_IOTLB] = { &vtd_iotlb, &vtd_pasid_iotlb },
	[IOPF_COMMAND_INVALIDATE_DEVICE] = { &vtd_device_tlb, &vtd_pasid_device_tlb },
	[IOPF_COMMAND_WAIT] = { &wait, &wait },
};

static const struct vtd_descriptor *descriptor_for(const struct iopf_command *command)
{
	bool pasid = command->pasid != IOPF_PASID_NONE;

	if (command->kind >= IOPF_COMMAND_KIND_COUNT)
		return NULL;
	if (command->kind == IOPF_COMMAND_INVALIDATE_IOTLB)
		pasid = command->granularity == IOPF_ONE_PASID ||
			(command->granularity == IOPF_PAGE && pasid);
	return by_kind[command->kind][pasid];
}

int vtd_command_encode(const struct iopf_command *command, uint32_t size_bytes,
		       uint8_t *record)
{
	const struct vtd_descriptor *descriptor = descriptor_for(command);
	uint8_t r[VTD_DESCRIPTOR_BYTES_MAX] = { 0 };
	int result;

	if (size_bytes != 16 && size_bytes != 32)
		return -EINVAL;
	if (descriptor == NULL)
		return -EOPNOTSUPP;
	field_put(r, VTD_TYPE_LO, descriptor->type);
	result = descriptor->encode(command, r);
	if (result < 0)
		return result;
	if (size_bytes == 16 && command->kind == IOPF_COMMAND_RESPONSE &&
	    command->flags & IOPF_PRIVATE)
		return -ERANGE;
	memcpy(record, r, size_bytes);
	return 0;
}
