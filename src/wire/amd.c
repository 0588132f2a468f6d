/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/amd.c - AMD IOMMU: entries of the PPR log and of the event log, commands.
 *
 * AMD I/O Virtualization Technology (IOMMU) Specification (48882), 2.4 "Commands", 2.5
 * "Event Logging", 2.6 "Peripheral Page Request (PPR) Logging". PASIDs stand in two
 * parts, in three different ways; US is 1 for a user, where others have 1 for privileged.
 */
#include <errno.h>
#include <string.h>

#include "wire/amd.h"
#include "wire/record.h"

/* ---- Page requests (2.6.2) --------------------------------------------------------- */

/* Without GN neither US nor the PASID says anything. */
static const struct wire_request ppr = {
	.layout = &amd_request_layout,
	.rid = AMD_PPR_RID,
	.pasid = AMD_PPR_PASID_LO, .pasid_high = AMD_PPR_PASID_HI,
	.pasid_valid = AMD_PPR_GN, .pasid_unknown = true,
	.read = AMD_PPR_R, .write = AMD_PPR_W, .exec = AMD_PPR_EXEC,
	.priv = AMD_PPR_US, .user = true,
	.last = AMD_PPR_LAST, .index = AMD_PPR_PRGI, .addr = AMD_PPR_ADDR,
};

static bool is_marker(const uint8_t *r)
{
	return wire_request_is_stop(&ppr, r);
}

static bool marker_privileged(const uint8_t *r)
{
	return is_marker(r) && !field_get(r, AMD_PPR_US);
}

static const struct record_word ppr_words[] = {
	RECORD_WORD(AMD_PPR_CODE, 1, "page_service_request"),
	RECORD_TEXT(AMD_PPR_CODE, "0: announced, not written yet"),
	RECORD_END,
};
#define NO_GN(field, gn) RECORD_LOSS_WITHOUT(field, gn, "says nothing without GN")
#define PPR_RULES                                                                    \
	NO_GN(AMD_PPR_PASID_LO, AMD_PPR_GN), NO_GN(AMD_PPR_PASID_HI, AMD_PPR_GN),    \
	NO_GN(AMD_PPR_US, AMD_PPR_GN),                                               \
	RECORD_CHECK(AMD_PPR_US, marker_privileged, "a stop marker asks for nobody"), \
	RECORD_WITH(AMD_PPR_EXEC, AMD_PPR_GN), RECORD_WITH(AMD_PPR_EXEC, AMD_PPR_R), \
	RECORD_ZERO(AMD_PPR_PRGI, is_marker, "a stop marker has no index"),          \
	RECORD_ZERO(AMD_PPR_ADDR, is_marker, "a stop marker has no address"),        \
	RECORD_MOST(AMD_PPR_RZ, 0), RECORD_RULES_END
static const struct record_rule ppr_rules[] = { RECORD_NAMED(AMD_PPR_CODE), PPR_RULES };
static const struct record_rule event_request_rules[] = { PPR_RULES };
const struct iopf_layout amd_request_layout = RECORD_LAYOUT(
	"amd_page_request", AMD_PPR, AMD_RECORD_BYTES, ppr_words, ppr_rules);
/* 2.5.10: the request as it would have been logged, under another code. Whether the IOMMU
 * has answered it is said by a bit (RX) of which no public source shows the place: it is
 * among the reserved ones here. */
const struct iopf_layout amd_event_request_layout = RECORD_LAYOUT(
	"amd_event_request", AMD_PPR, AMD_RECORD_BYTES, NULL, event_request_rules);

static int decode_request(const uint8_t *record, struct iopf_request *request,
			  bool *reserved)
{
	if (field_get(record, AMD_RECORD_CODE) != AMD_PAGE_REQUEST)
		return -EBADMSG;
	*reserved = wire_request_decode(&ppr, record, request) |
		    field_get(record, AMD_PPR_RZ);
	return 0;
}

static int encode_request(const struct iopf_request *request, uint8_t *record)
{
	int result = wire_request_encode(&ppr, request, record);

	if (result == 0)
		field_put(record, AMD_RECORD_CODE, AMD_PAGE_REQUEST);
	return result;
}

/* ---- Events (2.5) ------------------------------------------------------------------ */

static const struct record_word event_words[] = {
	RECORD_TEXT(AMD_EVT_PASID_LO, "PASID, bits 15:0; without GN domain"),
	RECORD_TEXT(AMD_EVT_I, "of an interrupt"), RECORD_TEXT(AMD_EVT_TYPE, "what was wrong"),
	RECORD_END,
};
static const struct record_rule event_rules[] = {
	NO_GN(AMD_EVT_PASID_HI, AMD_EVT_GN), NO_GN(AMD_EVT_NX, AMD_EVT_GN),
	NO_GN(AMD_EVT_US, AMD_EVT_GN),
	RECORD_LOSS_AT(AMD_EVT_NX, AMD_EVT_CODE, 1 << IOPF_AMD_INVALID_DEVICE_REQUEST,
		       "not read"),
	RECORD_RULES_END,
};
const struct iopf_layout amd_event_layout =
	RECORD_LAYOUT("amd_event", AMD_EVT, AMD_RECORD_BYTES, event_words, event_rules);
const struct iopf_layout amd_event_command_layout =
	WIRE_LAYOUT("amd_event_command", AMD_EVC, AMD_RECORD_BYTES);

/* What of a record its event has. */
enum event_part {
	PART_RID = 1,
	PART_ACCESS = 2,  /* RW, GN, the PASID or the domain, TR */
	PART_RIGHTS = 4,  /* NX and US, too */
	PART_INPUT = 8,   /* the address is the device's; otherwise of what it met */
	PART_REQUEST = 16, /* a page request */
};

struct event {
	const struct iopf_layout *layout;
	uint8_t parts;
	uint8_t what;      /* enum iopf_fault_what */
	uint64_t said;     /* of word 0: what its reason has beside the code */
	uint64_t reserved; /* of word 0, beside what the layout reserves */
};

#define BIT(field) FIELD_MASK(AMD_EVT_##field)
#define TYPE       FIELD_MASK(AMD_EVC_TYPE)
#define RIGHTS     (BIT(NX) | BIT(US) | BIT(PR) | BIT(PE))
#define DEVICE     &amd_event_layout, PART_RID | PART_ACCESS
#define COMMAND    &amd_event_command_layout

static const struct event events[] = {
	[IOPF_AMD_ILLEGAL_DEV_TABLE_ENTRY] = {
		DEVICE | PART_INPUT, IOPF_FAULT_DESCRIPTOR, BIT(RZ) | BIT(I),
		RIGHTS | BIT(TYPE) },
	[IOPF_AMD_IO_PAGE_FAULT] = {
		DEVICE | PART_INPUT | PART_RIGHTS, IOPF_FAULT_INPUT,
		BIT(PR) | BIT(PE) | BIT(RZ) | BIT(I), BIT(TYPE) },
	[IOPF_AMD_DEV_TAB_HARDWARE_ERROR] = {
		DEVICE, IOPF_FAULT_DESCRIPTOR, TYPE | BIT(I),
		RIGHTS | BIT(RZ) | BIT(GN) | (BIT(TYPE) & ~TYPE) },
	[IOPF_AMD_PAGE_TAB_HARDWARE_ERROR] = {
		DEVICE, IOPF_FAULT_TABLE, TYPE | BIT(I),
		RIGHTS | BIT(RZ) | (BIT(TYPE) & ~TYPE) },
	[IOPF_AMD_ILLEGAL_COMMAND_ERROR] = { COMMAND, 0, 0, 0, TYPE | BIT(RID) },
	[IOPF_AMD_COMMAND_HARDWARE_ERROR] = { COMMAND, 0, 0, TYPE, BIT(RID) },
	[IOPF_AMD_IOTLB_INV_TIMEOUT] = { COMMAND, PART_RID, 0, 0, TYPE },
	/* NX: one source calls this bit of it US. It is not read. */
	[IOPF_AMD_INVALID_DEVICE_REQUEST] = {
		DEVICE | PART_INPUT, IOPF_FAULT_INPUT, BIT(TYPE),
		(RIGHTS & ~BIT(NX)) | BIT(RW) | BIT(RZ) | BIT(I) },
	[IOPF_AMD_INVALID_PPR_REQUEST] = {
		&amd_event_request_layout, PART_REQUEST, IOPF_FAULT_INPUT, 0, 0 },
};
#define ONE(name, number, text) +1
static_assert(sizeof(events) / sizeof(events[0]) == 1 IOPF_AMD_EVENTS(ONE),
	      "every event, and none under 0");

/* Codes that nobody here knows. */
static const struct event unknown = { COMMAND, PART_RID, 0, 0, 0 };

/* NULL: the entry is announced and not written yet. */
static const struct event *event_of(uint64_t code)
{
	if (code == 0)
		return NULL;
	return code < sizeof(events) / sizeof(events[0]) ? &events[code] : &unknown;
}

static const struct iopf_layout *event_pick(const uint8_t *record, uint64_t *reserved)
{
	const struct event *event = event_of(field_get(record, AMD_RECORD_CODE));

	if (event == NULL || event == &unknown)
		return NULL;
	reserved[0] = event->reserved;
	return event->layout;
}

/* Of INVALID_DEVICE_REQUEST no direction is known. */
static void access_get(const struct event *event, const uint8_t *r,
		       struct iopf_fault *fault)
{
	bool gn = field_get(r, AMD_EVT_GN);
	uint64_t pasid = field_get(r, AMD_EVT_PASID_LO);

	if (gn)
		fault->pasid = (uint32_t)(pasid | field_get(r, AMD_EVT_PASID_HI) << 16);
	else
		fault->domain = (uint16_t)pasid;
	fault->request = field_get(r, AMD_EVT_TR);
	if (!(event->reserved & BIT(RW)))
		fault->perm = field_get(r, AMD_EVT_RW) ? IOPF_WRITE : IOPF_READ;
	if (gn && event->parts & PART_RIGHTS) {
		fault->perm |= field_get(r, AMD_EVT_NX) ? IOPF_EXEC : 0;
		fault->perm |= field_get(r, AMD_EVT_US) ? 0 : IOPF_PRIV;
	}
}

static void request_get(const uint8_t *r, struct iopf_fault *fault)
{
	struct iopf_request request;

	wire_request_decode(&ppr, r, &request);
	fault->rid = request.rid;
	fault->pasid = request.pasid;
	fault->addr = request.addr;
	fault->index = request.index;
	fault->perm = request.perm;
	fault->last = request.flags != 0;
	fault->request = true;
}

/* Read with its reserved bits taken out, so that what an event does not have is 0. */
static int decode_fault(const uint8_t *record, struct iopf_fault *fault, bool *reserved)
{
	const struct event *event = event_of(field_get(record, AMD_RECORD_CODE));
	struct iopf_fault f = { .rid = IOPF_NO_ID, .pasid = IOPF_PASID_NONE };
	uint8_t r[AMD_RECORD_BYTES];

	if (event == NULL)
		return -EBADMSG;
	le64_put(r, le64_get(record) & ~(event->layout->reserved[0] | event->reserved));
	le64_put(r + 8, le64_get(record + 8) & ~event->layout->reserved[1]);
	f.reason = (uint16_t)((le64_get(r) & (event->said | BIT(CODE))) >> AMD_REASON_LSB);
	f.what = event->what;
	if (event->parts & PART_RID)
		f.rid = (uint32_t)field_get(r, AMD_EVT_RID);
	if (event->parts & PART_ACCESS)
		access_get(event, r, &f);
	if (event->parts & PART_REQUEST)
		request_get(r, &f);
	else
		*(event->parts & PART_INPUT ? &f.addr : &f.gpa) = field_get(r, AMD_EVT_ADDR);
	*reserved = memcmp(r, record, sizeof(r)) != 0 || event == &unknown;
	*fault = f;
	return 0;
}

static bool access_put(const struct event *event, const struct iopf_fault *fault,
		       uint8_t *r)
{
	bool gn = fault->pasid != IOPF_PASID_NONE;
	bool rights = gn && event->parts & PART_RIGHTS;
	unsigned way = fault->perm & ~(rights ? IOPF_EXEC | IOPF_PRIV : 0u);

	if (gn && event->reserved & BIT(GN))
		return false;
	if (event->reserved & BIT(RW) ? way != 0 : way != IOPF_READ && way != IOPF_WRITE)
		return false;
	field_put(r, AMD_EVT_GN, gn);
	field_put(r, AMD_EVT_PASID_LO, gn ? fault->pasid & 0xffff : fault->domain);
	field_put(r, AMD_EVT_PASID_HI, gn ? fault->pasid >> 16 : 0);
	field_put(r, AMD_EVT_RW, way == IOPF_WRITE);
	field_put(r, AMD_EVT_TR, fault->request);
	field_put(r, AMD_EVT_NX, rights && fault->perm & IOPF_EXEC);
	field_put(r, AMD_EVT_US, rights && !(fault->perm & IOPF_PRIV));
	return true;
}

static bool request_put(const struct iopf_fault *fault, uint8_t *r)
{
	bool wants = fault->perm & (IOPF_READ | IOPF_WRITE);
	bool marker = fault->last && !wants && fault->pasid != IOPF_PASID_NONE;
	const struct iopf_request request = {
		.addr = fault->addr,
		.rid = fault->rid,
		.pasid = fault->pasid,
		.index = fault->index,
		.perm = fault->perm,
		.flags = marker ? IOPF_STOP : fault->last ? IOPF_LAST : 0,
	};

	if (wire_request_encode(&ppr, &request, r) < 0)
		return false;
	field_put(r, AMD_RECORD_CODE, IOPF_AMD_INVALID_PPR_REQUEST);
	return true;
}

static int encode_fault(const struct iopf_fault *fault, uint8_t *record)
{
	uint64_t reason = (uint64_t)fault->reason << AMD_REASON_LSB;
	const struct event *event = event_of(field_of(reason, AMD_RECORD_CODE));
	uint8_t r[AMD_RECORD_BYTES] = { 0 };
	bool good;

	if (event == NULL || event == &unknown || fault->stall)
		return -EOPNOTSUPP;
	good = wire_pasid_or_none(fault->pasid) && !(reason & ~(event->said | BIT(CODE)));
	le64_put(r, reason);
	if (good && event->parts & PART_RID)
		good = wire_put(r, AMD_EVT_RID, fault->rid);
	if (good && event->parts & PART_ACCESS)
		good = access_put(event, fault, r);
	if (event->parts & PART_REQUEST)
		good = good && request_put(fault, r);
	else
		le64_put(r + 8, event->parts & PART_INPUT ? fault->addr : fault->gpa);
	if (!good)
		return -ERANGE;
	memcpy(record, r, sizeof(r));
	return 0;
}

/* ---- Commands (2.4) ---------------------------------------------------------------- */

static bool pages_endless(const uint8_t *r)
{
	return field_get(r, AMD_PAGES_S) &&
	       field_get(r, AMD_PAGES_ADDR) == FIELD_MASK(AMD_PAGES_ADDR) >> 12;
}

static const struct record_word wait_words[] = {
	RECORD_TEXT(AMD_WAIT_S, "store DATA"), RECORD_TEXT(AMD_WAIT_I, "interrupt"),
	RECORD_TEXT(AMD_WAIT_F, "commands behind it wait"),
	RECORD_TEXT(AMD_WAIT_DATA, "what is stored"),
	RECORD_END,
};
static const struct record_rule wait_rules[] = {
	RECORD_LOSS_WITHOUT(AMD_WAIT_ADDR, AMD_WAIT_S, "nothing is stored"),
	RECORD_LOSS_WITHOUT(AMD_WAIT_DATA, AMD_WAIT_S, "nothing is stored"),
	RECORD_RULES_END,
};
static const struct record_rule pages_rules[] = {
	NO_GN(AMD_PAGES_PASID, AMD_PAGES_GN),
	RECORD_CHECK(AMD_PAGES_ADDR, pages_endless, "no 0 in it says how large"),
	RECORD_RULES_END,
};
static const struct record_rule iotlb_rules[] = {
	NO_GN(AMD_IOTLB_PASID0, AMD_IOTLB_GN), NO_GN(AMD_IOTLB_PASID1, AMD_IOTLB_GN),
	NO_GN(AMD_IOTLB_PASID2, AMD_IOTLB_GN),
	RECORD_MOST(AMD_IOTLB_MAXPEND, 32),
	RECORD_LOSS_AT(AMD_IOTLB_MAXPEND, AMD_IOTLB_MAXPEND, 1, "becomes 32"),
	RECORD_LOSS_AT(AMD_IOTLB_QUEUE, AMD_IOTLB_QUEUE, 1, "becomes the RID"),
	RECORD_CHECK(AMD_IOTLB_ADDR, pages_endless, "no 0 in it says how large"),
	RECORD_RULES_END,
};
static const struct record_word done_words[] = {
	RECORD_WORD(AMD_DONE_CODE, 0, "success"), RECORD_WORD(AMD_DONE_CODE, 1, "invalid"),
	RECORD_WORD(AMD_DONE_CODE, 15, "failure"),
	RECORD_END,
};
static const struct record_rule done_rules[] = {
	RECORD_CODE(AMD_DONE_CODE),
	NO_GN(AMD_DONE_PASID, AMD_DONE_GN),
	RECORD_RULES_END,
};
#define LAYOUT(name, LIST, words, rules) \
	RECORD_LAYOUT(name, LIST, AMD_RECORD_BYTES, words, rules)
const struct iopf_layout amd_device_layout = LAYOUT("amd_device", AMD_DEV, NULL, NULL);
const struct iopf_layout amd_wait_layout =
	LAYOUT("amd_wait", AMD_WAIT, wait_words, wait_rules);
const struct iopf_layout amd_pages_layout =
	LAYOUT("amd_pages", AMD_PAGES, NULL, pages_rules);
const struct iopf_layout amd_iotlb_layout =
	LAYOUT("amd_iotlb", AMD_IOTLB, NULL, iotlb_rules);
const struct iopf_layout amd_complete_ppr_layout =
	LAYOUT("amd_complete_ppr", AMD_DONE, done_words, done_rules);

static bool wait_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t flags = field_get(r, AMD_WAIT_S) * IOPF_WAIT_STATUS |
			 field_get(r, AMD_WAIT_I) * IOPF_WAIT_INTERRUPT |
			 field_get(r, AMD_WAIT_F) * IOPF_WAIT_FENCE;

	c->wait_flags = (uint8_t)flags;
	if (flags & IOPF_WAIT_STATUS) {
		c->status_data = field_get(r, AMD_WAIT_DATA);
		c->status_addr = field_get(r, AMD_WAIT_ADDR) << 3;
	}
	return true;
}

/* Nothing drains: once it is done, the requests that came before are in the log. */
static int wait_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->wait_flags &
	    ~(IOPF_WAIT_INTERRUPT | IOPF_WAIT_STATUS | IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN))
		return -ERANGE;
	field_put(r, AMD_RECORD_CODE, AMD_OP_WAIT);
	field_put(r, AMD_WAIT_I, (c->wait_flags & IOPF_WAIT_INTERRUPT) != 0);
	field_put(r, AMD_WAIT_F, (c->wait_flags & IOPF_WAIT_FENCE) != 0);
	if (!(c->wait_flags & IOPF_WAIT_STATUS))
		return 0;
	field_put(r, AMD_WAIT_S, 1);
	field_put(r, AMD_WAIT_DATA, c->status_data);
	if (c->status_addr % 8 != 0 || !wire_put(r, AMD_WAIT_ADDR, c->status_addr >> 3))
		return -ERANGE;
	return 0;
}

static bool device_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_DEVICE;
	c->rid = (uint32_t)field_get(r, AMD_DEV_RID);
	return true;
}

static int device_encode(const struct iopf_command *c, uint8_t *r)
{
	field_put(r, AMD_RECORD_CODE, c->granularity == IOPF_ALL ? AMD_OP_ALL : AMD_OP_DEVICE);
	if (c->granularity == IOPF_ALL)
		return 0;
	if (c->granularity != IOPF_DEVICE || c->rid_mask != 0)
		return -EOPNOTSUPP;
	return wire_put(r, AMD_DEV_RID, c->rid) ? 0 : -ERANGE;
}

/* All there is of a PASID is its entry in the GCR3 table, too (2.2.6.3). */
static bool pages_decode(const uint8_t *r, struct iopf_command *c)
{
	bool gn = field_get(r, AMD_PAGES_GN);

	wire_range_get(r, AMD_PAGES_ADDR, AMD_PAGES_S, c);
	if (c->granularity == IOPF_ALL)
		c->granularity = gn ? IOPF_ONE_PASID : IOPF_DOMAIN;
	c->domain = (uint16_t)field_get(r, AMD_PAGES_DOMAIN);
	c->hints = field_get(r, AMD_PAGES_PDE) ? 0 : IOPF_HINT_LEAF;
	if (gn)
		c->pasid = (uint32_t)field_get(r, AMD_PAGES_PASID);
	else if (c->granularity == IOPF_PAGE)
		c->pasid = IOPF_PASID_NONE;
	return true;
}

/* Also of what others have a cache of PASIDs for. */
static int pages_encode(const struct iopf_command *c, uint8_t *r)
{
	bool page = c->granularity == IOPF_PAGE;
	bool gn = c->granularity == IOPF_ONE_PASID || (page && c->pasid != IOPF_PASID_NONE);
	bool entries = c->kind == IOPF_COMMAND_INVALIDATE_PASID;
	const struct iopf_command range = { .granularity = page ? IOPF_PAGE : IOPF_ALL,
					    .addr = c->addr,
					    .size_bytes = c->size_bytes };

	field_put(r, AMD_RECORD_CODE, c->granularity == IOPF_ALL ? AMD_OP_ALL : AMD_OP_PAGES);
	if (c->granularity == IOPF_ALL)
		return 0;
	if ((page && entries) || (!page && !gn && c->granularity != IOPF_DOMAIN))
		return -EOPNOTSUPP;
	if (gn && !wire_put(r, AMD_PAGES_PASID, c->pasid))
		return -ERANGE;
	field_put(r, AMD_PAGES_DOMAIN, c->domain);
	field_put(r, AMD_PAGES_PDE, entries || !(c->hints & IOPF_HINT_LEAF));
	field_put(r, AMD_PAGES_GN, gn);
	return wire_range_put(&range, AMD_PAGES_ADDR, AMD_PAGES_S, r);
}

/* MAXPEND counts, where PCIe has 0 for 32. QUEUE: whose invalidation queue it is. */
enum { PENDING_MAX = 32 };

static bool iotlb_decode(const uint8_t *r, struct iopf_command *c)
{
	uint32_t queue = (uint32_t)field_get(r, AMD_IOTLB_QUEUE);
	uint64_t pending = field_get(r, AMD_IOTLB_MAXPEND);

	wire_range_get(r, AMD_IOTLB_ADDR, AMD_IOTLB_S, c);
	c->rid = (uint32_t)field_get(r, AMD_IOTLB_RID);
	c->pf_rid = queue == c->rid ? 0 : queue;
	c->pending_max = (uint8_t)(pending < PENDING_MAX ? pending : 0);
	c->pasid = IOPF_PASID_NONE;
	if (field_get(r, AMD_IOTLB_GN))
		c->pasid = (uint32_t)(field_get(r, AMD_IOTLB_PASID0) |
				      field_get(r, AMD_IOTLB_PASID1) << 8 |
				      field_get(r, AMD_IOTLB_PASID2) << 16);
	return true;
}

/* None is for every PASID at once. */
static int iotlb_encode(const struct iopf_command *c, uint8_t *r)
{
	bool gn = c->pasid != IOPF_PASID_NONE;

	if (c->pasid == IOPF_PASID_ANY)
		return -EOPNOTSUPP;
	if ((gn && !wire_pasid_valid(c->pasid)) || c->pending_max >= PENDING_MAX ||
	    !wire_put(r, AMD_IOTLB_RID, c->rid) ||
	    !wire_put(r, AMD_IOTLB_QUEUE, c->pf_rid != 0 ? c->pf_rid : c->rid))
		return -ERANGE;
	field_put(r, AMD_RECORD_CODE, AMD_OP_IOTLB);
	field_put(r, AMD_IOTLB_MAXPEND,
		  c->pending_max != 0 ? c->pending_max : PENDING_MAX);
	field_put(r, AMD_IOTLB_GN, gn);
	field_put(r, AMD_IOTLB_PASID0, gn ? c->pasid & 0xff : 0);
	field_put(r, AMD_IOTLB_PASID1, gn ? c->pasid >> 8 & 0xff : 0);
	field_put(r, AMD_IOTLB_PASID2, gn ? c->pasid >> 16 : 0);
	return wire_range_put(c, AMD_IOTLB_ADDR, AMD_IOTLB_S, r);
}

static bool response_decode(const uint8_t *r, struct iopf_command *c)
{
	c->code = (uint8_t)iopf_pcie_meaning((uint8_t)field_get(r, AMD_DONE_CODE));
	c->rid = (uint32_t)field_get(r, AMD_DONE_RID);
	c->index = (uint16_t)field_get(r, AMD_DONE_PRGI);
	c->pasid = field_get(r, AMD_DONE_GN) ? (uint32_t)field_get(r, AMD_DONE_PASID) :
					       IOPF_PASID_NONE;
	return true;
}

static int response_encode(const struct iopf_command *c, uint8_t *r)
{
	bool gn = c->pasid != IOPF_PASID_NONE;

	if (c->flags & IOPF_STALL)
		return -EOPNOTSUPP;
	if (c->code >= IOPF_CODE_COUNT || c->flags & ~IOPF_LAST ||
	    !wire_put(r, AMD_DONE_PASID, gn ? c->pasid : 0) ||
	    !wire_put(r, AMD_DONE_RID, c->rid) || !wire_put(r, AMD_DONE_PRGI, c->index))
		return -ERANGE;
	field_put(r, AMD_RECORD_CODE, AMD_OP_COMPLETE_PPR);
	field_put(r, AMD_DONE_GN, gn);
	field_put(r, AMD_DONE_CODE, iopf_pcie_code((enum iopf_code)c->code));
	return 0;
}

#define CONTEXT IOPF_COMMAND_INVALIDATE_CONTEXT
static const struct wire_command rows[] = {
	{ &amd_wait_layout, { AMD_OP_WAIT }, IOPF_COMMAND_WAIT, { 0 }, wait_decode },
	{ &amd_device_layout, { AMD_OP_DEVICE }, CONTEXT, { 0 }, device_decode },
	{ &amd_pages_layout, { AMD_OP_PAGES }, IOPF_COMMAND_INVALIDATE_IOTLB, { 0 },
	  pages_decode },
	{ &amd_iotlb_layout, { AMD_OP_IOTLB }, IOPF_COMMAND_INVALIDATE_DEVICE, { 0 },
	  iotlb_decode },
	{ &amd_device_layout, { AMD_OP_INTERRUPT }, IOPF_COMMAND_OTHER, { 0 }, NULL },
	{ &amd_complete_ppr_layout, { AMD_OP_COMPLETE_PPR }, IOPF_COMMAND_RESPONSE, { 0 },
	  response_decode },
	{ &amd_device_layout, { AMD_OP_ALL }, IOPF_COMMAND_INVALIDATE_IOTLB, { BIT(RID) },
	  NULL },
};

static int (*const encode[IOPF_COMMAND_KIND_COUNT])(const struct iopf_command *command,
						    uint8_t *record) = {
	[IOPF_COMMAND_RESPONSE] = response_encode,
	[CONTEXT] = device_encode,
	[IOPF_COMMAND_INVALIDATE_PASID] = pages_encode,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = pages_encode,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = iotlb_encode,
	[IOPF_COMMAND_WAIT] = wait_encode,
};

static const struct wire_commands commands = {
	.selectors = { AMD_RECORD_CODE },
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.encode = encode,
};

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

static const struct iopf_layout *command_pick(const uint8_t *record, uint64_t *reserved)
{
	return wire_command_pick(&commands, record, reserved);
}

const struct iopf_wire iopf_wire_amd = {
	.name = "amd",
	.request_bytes = AMD_RECORD_BYTES,
	.command_bytes = { AMD_RECORD_BYTES, 0 },
	.decode_request = decode_request,
	.encode_request = encode_request,
	.decode_command = decode_command,
	.encode_command = encode_command,
	.fault_bytes = AMD_RECORD_BYTES,
	.decode_fault = decode_fault,
	.encode_fault = encode_fault,
};

static const struct record_word opcode_words[] = {
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_WAIT, "completion_wait"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_DEVICE, "invalidate_devtab_entry"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_PAGES, "invalidate_iommu_pages"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_IOTLB, "invalidate_iotlb_pages"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_INTERRUPT, "invalidate_interrupt_table"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_COMPLETE_PPR, "complete_ppr_request"),
	RECORD_WORD(AMD_RECORD_CODE, AMD_OP_ALL, "invalidate_iommu_all"),
	RECORD_END,
};
#define EVENT_WORD(name, number, text) { AMD_RECORD_CODE, (number), #name, (text) },
static const struct record_word code_words[] = { IOPF_AMD_EVENTS(EVENT_WORD) RECORD_END };

#define OF_QUEUE .size_bytes = AMD_RECORD_BYTES, .queue = RECORD_QUEUE_BYTES
static const struct record records[] = {
	{ .name = "ppr", .text = "entry of the PPR log", OF_QUEUE, .role = RECORD_REQUEST,
	  .layout = &amd_request_layout },
	{ .name = "evt", .text = "entry of the event log", OF_QUEUE, .role = RECORD_EVENT,
	  .pick = event_pick, .selectors = { AMD_RECORD_CODE }, .words = code_words },
	{ .name = "cmd", .text = "command", OF_QUEUE, .role = RECORD_COMMAND,
	  .pick = command_pick, .selectors = { AMD_RECORD_CODE }, .words = opcode_words },
	{ .name = NULL },
};

const struct wire_family wire_family_amd = {
	.name = "amd",
	.wire = &iopf_wire_amd,
	.records = records,
};
