/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/vtd_invalidate.c - Intel VT-d: the invalidations that paging needs.
 *
 * Architecture Specification 3.x and 4.x, "Queued Invalidation Interface"; the titles
 * below are those of its sections. Bits that count only in another granularity are
 * ignored, as hardware does.
 */
#include <errno.h>

#include "wire/vtd.h"

/* The meaning of G; a value that the descriptor reserves. */
#define RESERVED 0xff

static bool granularity_get(const uint8_t meaning[4], uint64_t g, uint8_t *granularity)
{
	*granularity = meaning[g];
	return meaning[g] != RESERVED;
}

static int granularity_put(const uint8_t meaning[4], uint8_t granularity, uint32_t field,
			   uint8_t *r)
{
	for (unsigned g = 0; g < 4; g++) {
		if (meaning[g] == granularity && granularity != RESERVED) {
			field_put(r, field, g);
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

/* 4096 << AM bytes at ADDR, whose bits below the size are ignored. */
static bool pages_get(uint64_t am, uint64_t page, struct iopf_command *c)
{
	if (am > 51)
		return false;
	c->size_bytes = UINT64_C(4096) << am;
	c->addr = page << 12 & ~(c->size_bytes - 1);
	return true;
}

/* The bits of a page's number that a size of 2^AM pages leaves out. */
static uint64_t am_mask(uint64_t am)
{
	return (UINT64_C(1) << am) - 1;
}

static unsigned pages_am(const struct iopf_command *c)
{
	return (unsigned)__builtin_ctzll(c->size_bytes) - 12;
}

/* "Context-cache Invalidate Descriptor" */
/* clang-format off */
#define VTD_CC(F, R)                     \
	F(VTD_CC_TYPE,     0,  0,  4)    \
	F(VTD_CC_G,        0,  4,  2)    \
	R(VTD_CC_RSVD0,    0,  6,  3)    \
	F(VTD_CC_TYPE_HI,  0,  9,  3)    \
	R(VTD_CC_RSVD1,    0, 12,  4)    \
	F(VTD_CC_DID,      0, 16, 16)    \
	F(VTD_CC_SID,      0, 32, 16)    \
	F(VTD_CC_FM,       0, 48,  2)    \
	R(VTD_CC_RSVD2,    0, 50, 14)    \
	R(VTD_CC_RSVD3,    1,  0, 64)
#define VTD_CC_FIELDS(X) VTD_CC(X, X)
/* clang-format on */
enum vtd_cc_field { VTD_CC_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_CC_FIELDS);

/* Values of G, as bits of a rule. */
enum { G1 = 1 << 1, G2 = 1 << 2, G3 = 1 << 3 };
static const struct record_word cc_words[] = {
	RECORD_WORD(VTD_CC_G, 1, "all"),
	RECORD_WORD(VTD_CC_G, 2, "domain"),
	RECORD_WORD(VTD_CC_G, 3, "device"),
	RECORD_TEXT(VTD_CC_SID, "source id"),
	RECORD_TEXT(VTD_CC_FM, "bits of the source id that do not count: 0, 2, 2:1, 2:0"),
	RECORD_END,
};
static const struct record_rule cc_rules[] = {
	RECORD_NAMED(VTD_CC_G),
	RECORD_ONLY(VTD_CC_DID, VTD_CC_G, G2 | G3),
	RECORD_ONLY(VTD_CC_SID, VTD_CC_G, G3),
	RECORD_ONLY(VTD_CC_FM, VTD_CC_G, G3),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_context_layout =
	RECORD_LAYOUT("vtd_context_cache", VTD_CC, 16, cc_words, cc_rules);

static const uint8_t cc_granularity[4] = {
	RESERVED, IOPF_ALL, IOPF_DOMAIN, IOPF_DEVICE
};

/* FM: function bits of the source id that do not count. */
static const uint8_t cc_rid_mask[4] = { 0, 4, 6, 7 };

static bool cc_decode(const uint8_t *r, struct iopf_command *c)
{
	if (!granularity_get(cc_granularity, field_get(r, VTD_CC_G), &c->granularity))
		return false;
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)field_get(r, VTD_CC_DID);
	if (c->granularity == IOPF_DEVICE) {
		c->rid = (uint32_t)field_get(r, VTD_CC_SID);
		c->rid_mask = cc_rid_mask[field_get(r, VTD_CC_FM)];
	}
	return true;
}

static int cc_encode(const struct iopf_command *c, uint8_t *r)
{
	int result = granularity_put(cc_granularity, c->granularity, VTD_CC_G, r);
	unsigned fm = 0;

	if (result < 0 || c->granularity == IOPF_ALL)
		return result;
	field_put(r, VTD_CC_DID, c->domain);
	if (c->granularity == IOPF_DOMAIN)
		return 0;
	while (fm < 4 && cc_rid_mask[fm] != c->rid_mask)
		fm++;
	return wire_put(r, VTD_CC_FM, fm) && wire_put(r, VTD_CC_SID, c->rid) ? 0 : -ERANGE;
}

const struct vtd_descriptor vtd_context = {
	.layout = &vtd_context_layout,
	.type = 1,
	.kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	.decode = cc_decode,
	.encode = cc_encode,
};

/* "IOTLB Invalidate Descriptor" */
/* clang-format off */
#define VTD_IOTLB(F, R)                  \
	F(VTD_IOTLB_TYPE,    0,  0,  4)  \
	F(VTD_IOTLB_G,       0,  4,  2)  \
	F(VTD_IOTLB_DW,      0,  6,  1)  \
	F(VTD_IOTLB_DR,      0,  7,  1)  \
	R(VTD_IOTLB_RSVD0,   0,  8,  1)  \
	F(VTD_IOTLB_TYPE_HI, 0,  9,  3)  \
	R(VTD_IOTLB_RSVD1,   0, 12,  4)  \
	F(VTD_IOTLB_DID,     0, 16, 16)  \
	R(VTD_IOTLB_RSVD2,   0, 32, 32)  \
	F(VTD_IOTLB_AM,      1,  0,  6)  \
	F(VTD_IOTLB_IH,      1,  6,  1)  \
	R(VTD_IOTLB_RSVD3,   1,  7,  5)  \
	F(VTD_IOTLB_ADDR,    1, 12, 52)
#define VTD_IOTLB_FIELDS(X) VTD_IOTLB(X, X)
/* clang-format on */
enum vtd_iotlb_field { VTD_IOTLB_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_IOTLB_FIELDS);

static bool iotlb_misaligned(const uint8_t *r)
{
	return field_get(r, VTD_IOTLB_ADDR) & am_mask(field_get(r, VTD_IOTLB_AM));
}

#define AM_TEXT  "the number of pages is 2 to the power of this"
#define AM_MOST  51
#define UNSIZED  "not a multiple of the size that AM says"
static const struct record_word iotlb_words[] = {
	RECORD_WORD(VTD_IOTLB_G, 1, "all"),
	RECORD_WORD(VTD_IOTLB_G, 2, "domain"),
	RECORD_WORD(VTD_IOTLB_G, 3, "page"),
	RECORD_TEXT(VTD_IOTLB_DW, "drain writes"),
	RECORD_TEXT(VTD_IOTLB_DR, "drain reads"),
	RECORD_TEXT(VTD_IOTLB_AM, AM_TEXT),
	RECORD_END,
};
static const struct record_rule iotlb_rules[] = {
	RECORD_NAMED(VTD_IOTLB_G),
	RECORD_ONLY(VTD_IOTLB_DID, VTD_IOTLB_G, G2 | G3),
	RECORD_ONLY(VTD_IOTLB_AM, VTD_IOTLB_G, G3),
	RECORD_ONLY(VTD_IOTLB_IH, VTD_IOTLB_G, G3),
	RECORD_ONLY(VTD_IOTLB_ADDR, VTD_IOTLB_G, G3),
	RECORD_MOST(VTD_IOTLB_AM, AM_MOST),
	RECORD_CHECK(VTD_IOTLB_ADDR, iotlb_misaligned, UNSIZED),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_iotlb_layout =
	RECORD_LAYOUT("vtd_iotlb", VTD_IOTLB, 16, iotlb_words, iotlb_rules);

static const uint8_t iotlb_granularity[4] = {
	RESERVED, IOPF_ALL, IOPF_DOMAIN, IOPF_PAGE
};

static bool iotlb_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t hints = field_get(r, VTD_IOTLB_DR) * IOPF_HINT_DRAIN_READS |
			 field_get(r, VTD_IOTLB_DW) * IOPF_HINT_DRAIN_WRITES;

	if (!granularity_get(iotlb_granularity, field_get(r, VTD_IOTLB_G),
			     &c->granularity))
		return false;
	c->hints = (uint8_t)hints;
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)field_get(r, VTD_IOTLB_DID);
	if (c->granularity != IOPF_PAGE)
		return true;
	c->pasid = IOPF_PASID_NONE;
	if (field_get(r, VTD_IOTLB_IH))
		c->hints |= IOPF_HINT_LEAF;
	return pages_get(field_get(r, VTD_IOTLB_AM), field_get(r, VTD_IOTLB_ADDR), c);
}

static int iotlb_encode(const struct iopf_command *c, uint8_t *r)
{
	int result = granularity_put(iotlb_granularity, c->granularity, VTD_IOTLB_G, r);

	if (result < 0)
		return result;
	field_put(r, VTD_IOTLB_DR, (c->hints & IOPF_HINT_DRAIN_READS) != 0);
	field_put(r, VTD_IOTLB_DW, (c->hints & IOPF_HINT_DRAIN_WRITES) != 0);
	if (c->granularity != IOPF_ALL)
		field_put(r, VTD_IOTLB_DID, c->domain);
	if (c->granularity != IOPF_PAGE)
		return 0;
	if (!wire_range_valid(c->addr, c->size_bytes))
		return -ERANGE;
	field_put(r, VTD_IOTLB_IH, (c->hints & IOPF_HINT_LEAF) != 0);
	field_put(r, VTD_IOTLB_AM, pages_am(c));
	field_put(r, VTD_IOTLB_ADDR, c->addr >> 12);
	return 0;
}

const struct vtd_descriptor vtd_iotlb = {
	.layout = &vtd_iotlb_layout,
	.type = 2,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = iotlb_decode,
	.encode = iotlb_encode,
};

/* "PASID-based IOTLB Invalidate Descriptor" */
/* clang-format off */
#define VTD_PIOTLB(F, R)                  \
	F(VTD_PIOTLB_TYPE,    0,  0,  4)  \
	F(VTD_PIOTLB_G,       0,  4,  2)  \
	R(VTD_PIOTLB_RSVD0,   0,  6,  3)  \
	F(VTD_PIOTLB_TYPE_HI, 0,  9,  3)  \
	R(VTD_PIOTLB_RSVD1,   0, 12,  4)  \
	F(VTD_PIOTLB_DID,     0, 16, 16)  \
	F(VTD_PIOTLB_PASID,   0, 32, 20)  \
	R(VTD_PIOTLB_RSVD2,   0, 52, 12)  \
	F(VTD_PIOTLB_AM,      1,  0,  6)  \
	F(VTD_PIOTLB_IH,      1,  6,  1)  \
	R(VTD_PIOTLB_RSVD3,   1,  7,  5)  \
	F(VTD_PIOTLB_ADDR,    1, 12, 52)
#define VTD_PIOTLB_FIELDS(X) VTD_PIOTLB(X, X)
/* clang-format on */
enum vtd_piotlb_field { VTD_PIOTLB_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_PIOTLB_FIELDS);

static bool piotlb_misaligned(const uint8_t *r)
{
	return field_get(r, VTD_PIOTLB_ADDR) & am_mask(field_get(r, VTD_PIOTLB_AM));
}

static const struct record_word piotlb_words[] = {
	RECORD_WORD(VTD_PIOTLB_G, 2, "pasid"),
	RECORD_WORD(VTD_PIOTLB_G, 3, "page"),
	RECORD_TEXT(VTD_PIOTLB_AM, AM_TEXT),
	RECORD_END,
};
static const struct record_rule piotlb_rules[] = {
	RECORD_NAMED(VTD_PIOTLB_G),
	RECORD_ONLY(VTD_PIOTLB_AM, VTD_PIOTLB_G, G3),
	RECORD_ONLY(VTD_PIOTLB_IH, VTD_PIOTLB_G, G3),
	RECORD_ONLY(VTD_PIOTLB_ADDR, VTD_PIOTLB_G, G3),
	RECORD_MOST(VTD_PIOTLB_AM, AM_MOST),
	RECORD_CHECK(VTD_PIOTLB_ADDR, piotlb_misaligned, UNSIZED),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_pasid_iotlb_layout =
	RECORD_LAYOUT("vtd_pasid_iotlb", VTD_PIOTLB, 16, piotlb_words, piotlb_rules);

static const uint8_t piotlb_granularity[4] = {
	RESERVED, RESERVED, IOPF_ONE_PASID, IOPF_PAGE
};

static bool piotlb_decode(const uint8_t *r, struct iopf_command *c)
{
	if (!granularity_get(piotlb_granularity, field_get(r, VTD_PIOTLB_G),
			     &c->granularity))
		return false;
	c->domain = (uint16_t)field_get(r, VTD_PIOTLB_DID);
	c->pasid = (uint32_t)field_get(r, VTD_PIOTLB_PASID);
	if (c->granularity == IOPF_ONE_PASID)
		return true;
	c->hints = field_get(r, VTD_PIOTLB_IH) ? IOPF_HINT_LEAF : 0;
	return pages_get(field_get(r, VTD_PIOTLB_AM), field_get(r, VTD_PIOTLB_ADDR), c);
}

static int piotlb_encode(const struct iopf_command *c, uint8_t *r)
{
	int result = granularity_put(piotlb_granularity, c->granularity, VTD_PIOTLB_G, r);

	if (result < 0)
		return result;
	field_put(r, VTD_PIOTLB_DID, c->domain);
	if (!wire_put(r, VTD_PIOTLB_PASID, c->pasid))
		return -ERANGE;
	if (c->granularity == IOPF_ONE_PASID)
		return 0;
	if (!wire_range_valid(c->addr, c->size_bytes))
		return -ERANGE;
	field_put(r, VTD_PIOTLB_IH, (c->hints & IOPF_HINT_LEAF) != 0);
	field_put(r, VTD_PIOTLB_AM, pages_am(c));
	field_put(r, VTD_PIOTLB_ADDR, c->addr >> 12);
	return 0;
}

const struct vtd_descriptor vtd_pasid_iotlb = {
	.layout = &vtd_pasid_iotlb_layout,
	.type = 6,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = piotlb_decode,
	.encode = piotlb_encode,
};

/* "PASID-cache Invalidate Descriptor" */
/* clang-format off */
#define VTD_PC(F, R)                     \
	F(VTD_PC_TYPE,    0,  0,  4)     \
	F(VTD_PC_G,       0,  4,  2)     \
	R(VTD_PC_RSVD0,   0,  6,  3)     \
	F(VTD_PC_TYPE_HI, 0,  9,  3)     \
	R(VTD_PC_RSVD1,   0, 12,  4)     \
	F(VTD_PC_DID,     0, 16, 16)     \
	F(VTD_PC_PASID,   0, 32, 20)     \
	R(VTD_PC_RSVD2,   0, 52, 12)     \
	R(VTD_PC_RSVD3,   1,  0, 64)
#define VTD_PC_FIELDS(X) VTD_PC(X, X)
/* clang-format on */
enum vtd_pc_field { VTD_PC_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_PC_FIELDS);

static const struct record_word pc_words[] = {
	RECORD_WORD(VTD_PC_G, 0, "domain"),
	RECORD_WORD(VTD_PC_G, 1, "pasid"),
	RECORD_WORD(VTD_PC_G, 3, "all"),
	RECORD_END,
};
static const struct record_rule pc_rules[] = {
	RECORD_NAMED(VTD_PC_G),
	RECORD_ONLY(VTD_PC_DID, VTD_PC_G, 1 << 0 | G1),
	RECORD_ONLY(VTD_PC_PASID, VTD_PC_G, G1),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_pasid_cache_layout =
	RECORD_LAYOUT("vtd_pasid_cache", VTD_PC, 16, pc_words, pc_rules);

static const uint8_t pc_granularity[4] = {
	IOPF_DOMAIN, IOPF_ONE_PASID, RESERVED, IOPF_ALL
};

static bool pc_decode(const uint8_t *r, struct iopf_command *c)
{
	if (!granularity_get(pc_granularity, field_get(r, VTD_PC_G), &c->granularity))
		return false;
	if (c->granularity != IOPF_ALL)
		c->domain = (uint16_t)field_get(r, VTD_PC_DID);
	if (c->granularity == IOPF_ONE_PASID)
		c->pasid = (uint32_t)field_get(r, VTD_PC_PASID);
	return true;
}

static int pc_encode(const struct iopf_command *c, uint8_t *r)
{
	int result = granularity_put(pc_granularity, c->granularity, VTD_PC_G, r);

	if (result < 0 || c->granularity == IOPF_ALL)
		return result;
	field_put(r, VTD_PC_DID, c->domain);
	if (c->granularity == IOPF_DOMAIN)
		return 0;
	return wire_put(r, VTD_PC_PASID, c->pasid) ? 0 : -ERANGE;
}

const struct vtd_descriptor vtd_pasid_cache = {
	.layout = &vtd_pasid_cache_layout,
	.type = 7,
	.kind = IOPF_COMMAND_INVALIDATE_PASID,
	.decode = pc_decode,
	.encode = pc_encode,
};

/* ---- Device TLBs: no granularity, the range says it all --------------------------- */

static bool range_endless(uint64_t page, uint64_t s)
{
	return s != 0 && page == UINT64_MAX >> 12;
}

/* "Device-TLB Invalidate Descriptor". MIP and PFSID: "Device-TLB Invalidation
 * Throttling"; hardware without ECAP.DIT reserves PFSID. */
/* clang-format off */
#define VTD_DTLB(F, R)                     \
	F(VTD_DTLB_TYPE,     0,  0,  4)    \
	R(VTD_DTLB_RSVD0,    0,  4,  5)    \
	F(VTD_DTLB_TYPE_HI,  0,  9,  3)    \
	F(VTD_DTLB_PFSID_LO, 0, 12,  4)    \
	F(VTD_DTLB_MIP,      0, 16,  5)    \
	R(VTD_DTLB_RSVD1,    0, 21, 11)    \
	F(VTD_DTLB_SID,      0, 32, 16)    \
	R(VTD_DTLB_RSVD2,    0, 48,  4)    \
	F(VTD_DTLB_PFSID_HI, 0, 52, 12)    \
	F(VTD_DTLB_S,        1,  0,  1)    \
	R(VTD_DTLB_RSVD3,    1,  1, 11)    \
	F(VTD_DTLB_ADDR,     1, 12, 52)
#define VTD_DTLB_FIELDS(X) VTD_DTLB(X, X)
/* clang-format on */
enum vtd_dtlb_field { VTD_DTLB_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_DTLB_FIELDS);

static bool dtlb_endless(const uint8_t *r)
{
	return range_endless(field_get(r, VTD_DTLB_ADDR), field_get(r, VTD_DTLB_S));
}

#define ENDLESS "no 0 in it says how large"
static const struct record_word dtlb_words[] = {
	RECORD_TEXT(VTD_DTLB_SID, "source id"),
	RECORD_END,
};
static const struct record_rule dtlb_rules[] = {
	RECORD_CHECK(VTD_DTLB_ADDR, dtlb_endless, ENDLESS),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_device_tlb_layout =
	RECORD_LAYOUT("vtd_device_tlb", VTD_DTLB, 16, dtlb_words, dtlb_rules);

static bool dtlb_decode(const uint8_t *r, struct iopf_command *c)
{
	wire_range_get(r, VTD_DTLB_ADDR, VTD_DTLB_S, c);
	c->rid = (uint32_t)field_get(r, VTD_DTLB_SID);
	c->pasid = IOPF_PASID_NONE;
	c->pending_max = (uint8_t)field_get(r, VTD_DTLB_MIP);
	c->pf_rid = (uint32_t)(field_get(r, VTD_DTLB_PFSID_LO) |
			       field_get(r, VTD_DTLB_PFSID_HI) << 4);
	return true;
}

static int dtlb_encode(const struct iopf_command *c, uint8_t *r)
{
	if (!wire_put(r, VTD_DTLB_SID, c->rid) ||
	    !wire_put(r, VTD_DTLB_MIP, c->pending_max) ||
	    !wire_put(r, VTD_DTLB_PFSID_HI, c->pf_rid >> 4))
		return -ERANGE;
	field_put(r, VTD_DTLB_PFSID_LO, c->pf_rid & 0xf);
	return wire_range_put(c, VTD_DTLB_ADDR, VTD_DTLB_S, r);
}

const struct vtd_descriptor vtd_device_tlb = {
	.layout = &vtd_device_tlb_layout,
	.type = 3,
	.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	.decode = dtlb_decode,
	.encode = dtlb_encode,
};

/* "PASID-based Device-TLB Invalidate Descriptor". G is of 2.x, when PCIe's Global
 * Invalidate had a bit here; it still asks for more forgetting, never for less. */
/* clang-format off */
#define VTD_PDTLB(F, R)                     \
	F(VTD_PDTLB_TYPE,     0,  0,  4)    \
	F(VTD_PDTLB_MIP,      0,  4,  5)    \
	F(VTD_PDTLB_TYPE_HI,  0,  9,  3)    \
	F(VTD_PDTLB_PFSID_LO, 0, 12,  4)    \
	F(VTD_PDTLB_SID,      0, 16, 16)    \
	F(VTD_PDTLB_PASID,    0, 32, 20)    \
	F(VTD_PDTLB_PFSID_HI, 0, 52, 12)    \
	F(VTD_PDTLB_G,        1,  0,  1)    \
	R(VTD_PDTLB_RSVD0,    1,  1, 10)    \
	F(VTD_PDTLB_S,        1, 11,  1)    \
	F(VTD_PDTLB_ADDR,     1, 12, 52)
#define VTD_PDTLB_FIELDS(X) VTD_PDTLB(X, X)
/* clang-format on */
enum vtd_pdtlb_field { VTD_PDTLB_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(VTD_PDTLB_FIELDS);

static bool pdtlb_endless(const uint8_t *r)
{
	return range_endless(field_get(r, VTD_PDTLB_ADDR), field_get(r, VTD_PDTLB_S));
}

static const struct record_word pdtlb_words[] = {
	RECORD_TEXT(VTD_PDTLB_SID, "source id"),
	RECORD_TEXT(VTD_PDTLB_G, "whatever the PASID"),
	RECORD_END,
};
static const struct record_rule pdtlb_rules[] = {
	RECORD_ONLY(VTD_PDTLB_PASID, VTD_PDTLB_G, 1 << 0),
	RECORD_CHECK(VTD_PDTLB_ADDR, pdtlb_endless, ENDLESS),
	RECORD_RULES_END,
};
const struct iopf_layout vtd_pasid_device_tlb_layout =
	RECORD_LAYOUT("vtd_pasid_device_tlb", VTD_PDTLB, 16, pdtlb_words, pdtlb_rules);

static bool pdtlb_decode(const uint8_t *r, struct iopf_command *c)
{
	wire_range_get(r, VTD_PDTLB_ADDR, VTD_PDTLB_S, c);
	c->rid = (uint32_t)field_get(r, VTD_PDTLB_SID);
	c->pasid = field_get(r, VTD_PDTLB_G) ? IOPF_PASID_ANY :
					       (uint32_t)field_get(r, VTD_PDTLB_PASID);
	c->pending_max = (uint8_t)field_get(r, VTD_PDTLB_MIP);
	c->pf_rid = (uint32_t)(field_get(r, VTD_PDTLB_PFSID_LO) |
			       field_get(r, VTD_PDTLB_PFSID_HI) << 4);
	return true;
}

static int pdtlb_encode(const struct iopf_command *c, uint8_t *r)
{
	bool any = c->pasid == IOPF_PASID_ANY;

	if (!wire_put(r, VTD_PDTLB_SID, c->rid) ||
	    !wire_put(r, VTD_PDTLB_PASID, any ? 0 : c->pasid) ||
	    !wire_put(r, VTD_PDTLB_MIP, c->pending_max) ||
	    !wire_put(r, VTD_PDTLB_PFSID_HI, c->pf_rid >> 4))
		return -ERANGE;
	field_put(r, VTD_PDTLB_G, any);
	field_put(r, VTD_PDTLB_PFSID_LO, c->pf_rid & 0xf);
	return wire_range_put(c, VTD_PDTLB_ADDR, VTD_PDTLB_S, r);
}

const struct vtd_descriptor vtd_pasid_device_tlb = {
	.layout = &vtd_pasid_device_tlb_layout,
	.type = 8,
	.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	.decode = pdtlb_decode,
	.encode = pdtlb_encode,
};
