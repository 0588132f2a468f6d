/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv3_invalidate.c - Arm SMMUv3: commands that make caches forget, or fill them.
 *
 * IHI 0070, 4.2 "Prefetch", 4.3 "Configuration structure invalidation", 4.4 "TLB
 * invalidation", 4.5 "ATS and PRI". One layout for several commands: what a command
 * lacks is in its row at the end.
 */
#include <errno.h>

#include "wire/smmuv3.h"

/* clang-format off */
#define SMMUV3_PREFETCH(F, R)                   \
	F(SMMUV3_PREFETCH_OP,     0,  0,  8)    \
	R(SMMUV3_PREFETCH_RSVD0,  0,  8,  3)    \
	F(SMMUV3_PREFETCH_SSV,    0, 11,  1)    \
	F(SMMUV3_PREFETCH_SSID,   0, 12, 20)    \
	F(SMMUV3_PREFETCH_SID,    0, 32, 32)    \
	F(SMMUV3_PREFETCH_SIZE,   1,  0,  5)    \
	F(SMMUV3_PREFETCH_STRIDE, 1,  5,  5)    \
	R(SMMUV3_PREFETCH_RSVD1,  1, 10,  2)    \
	F(SMMUV3_PREFETCH_ADDR,   1, 12, 52)
#define SMMUV3_CFGI(F, R)                       \
	F(SMMUV3_CFGI_OP,         0,  0,  8)    \
	R(SMMUV3_CFGI_RSVD0,      0,  8,  4)    \
	F(SMMUV3_CFGI_SSID,       0, 12, 20)    \
	F(SMMUV3_CFGI_SID,        0, 32, 32)    \
	F(SMMUV3_CFGI_LEAF,       1,  0,  1)    \
	R(SMMUV3_CFGI_RSVD1,      1,  1, 63)
#define SMMUV3_CFGI_RANGE(F, R)                 \
	F(SMMUV3_CFGI_RANGE_OP,   0,  0,  8)    \
	R(SMMUV3_CFGI_RANGE_RSVD0, 0,  8, 24)   \
	F(SMMUV3_CFGI_RANGE_SID,  0, 32, 32)    \
	F(SMMUV3_CFGI_RANGE_RANGE, 1,  0,  5)   \
	R(SMMUV3_CFGI_RANGE_RSVD1, 1,  5, 59)
#define SMMUV3_TLBI(F, R)                       \
	F(SMMUV3_TLBI_OP,         0,  0,  8)    \
	R(SMMUV3_TLBI_RSVD0,      0,  8, 24)    \
	F(SMMUV3_TLBI_VMID,       0, 32, 16)    \
	F(SMMUV3_TLBI_ASID,       0, 48, 16)    \
	R(SMMUV3_TLBI_RSVD1,      1,  0, 64)
#define SMMUV3_TLBI_PAGE(F, R)                  \
	F(SMMUV3_TLBI_PAGE_OP,    0,  0,  8)    \
	R(SMMUV3_TLBI_PAGE_RSVD0, 0,  8,  4)    \
	F(SMMUV3_TLBI_PAGE_NUM,   0, 12,  5)    \
	R(SMMUV3_TLBI_PAGE_RSVD1, 0, 17,  3)    \
	F(SMMUV3_TLBI_PAGE_SCALE, 0, 20,  5)    \
	R(SMMUV3_TLBI_PAGE_RSVD2, 0, 25,  7)    \
	F(SMMUV3_TLBI_PAGE_VMID,  0, 32, 16)    \
	F(SMMUV3_TLBI_PAGE_ASID,  0, 48, 16)    \
	F(SMMUV3_TLBI_PAGE_LEAF,  1,  0,  1)    \
	R(SMMUV3_TLBI_PAGE_RSVD3, 1,  1,  7)    \
	F(SMMUV3_TLBI_PAGE_TTL,   1,  8,  2)    \
	F(SMMUV3_TLBI_PAGE_TG,    1, 10,  2)    \
	F(SMMUV3_TLBI_PAGE_ADDR,  1, 12, 52)
#define SMMUV3_ATC_INV(F, R)                    \
	F(SMMUV3_ATC_INV_OP,      0,  0,  8)    \
	R(SMMUV3_ATC_INV_RSVD0,   0,  8,  1)    \
	F(SMMUV3_ATC_INV_GLOBAL,  0,  9,  1)    \
	R(SMMUV3_ATC_INV_RSVD1,   0, 10,  1)    \
	F(SMMUV3_ATC_INV_SSV,     0, 11,  1)    \
	F(SMMUV3_ATC_INV_SSID,    0, 12, 20)    \
	F(SMMUV3_ATC_INV_SID,     0, 32, 32)    \
	F(SMMUV3_ATC_INV_SIZE,    1,  0,  6)    \
	R(SMMUV3_ATC_INV_RSVD2,   1,  6,  6)    \
	F(SMMUV3_ATC_INV_ADDR,    1, 12, 52)
#define SMMUV3_PREFETCH_FIELDS(X) SMMUV3_PREFETCH(X, X)
#define SMMUV3_CFGI_FIELDS(X) SMMUV3_CFGI(X, X)
#define SMMUV3_CFGI_RANGE_FIELDS(X) SMMUV3_CFGI_RANGE(X, X)
#define SMMUV3_TLBI_FIELDS(X) SMMUV3_TLBI(X, X)
#define SMMUV3_TLBI_PAGE_FIELDS(X) SMMUV3_TLBI_PAGE(X, X)
#define SMMUV3_ATC_INV_FIELDS(X) SMMUV3_ATC_INV(X, X)
/* clang-format on */
enum smmuv3_prefetch_field { SMMUV3_PREFETCH_FIELDS(FIELD_ENUM) };
enum smmuv3_cfgi_field { SMMUV3_CFGI_FIELDS(FIELD_ENUM) };
enum smmuv3_cfgi_range_field { SMMUV3_CFGI_RANGE_FIELDS(FIELD_ENUM) };
enum smmuv3_tlbi_field { SMMUV3_TLBI_FIELDS(FIELD_ENUM) };
enum smmuv3_tlbi_page_field { SMMUV3_TLBI_PAGE_FIELDS(FIELD_ENUM) };
enum smmuv3_atc_inv_field { SMMUV3_ATC_INV_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE2(SMMUV3_PREFETCH_FIELDS);
RECORD_COMPLETE2(SMMUV3_CFGI_FIELDS);
RECORD_COMPLETE2(SMMUV3_CFGI_RANGE_FIELDS);
RECORD_COMPLETE2(SMMUV3_TLBI_FIELDS);
RECORD_COMPLETE2(SMMUV3_TLBI_PAGE_FIELDS);
RECORD_COMPLETE2(SMMUV3_ATC_INV_FIELDS);

/* ---- Configuration ----------------------------------------------------------------- */

static const struct record_word prefetch_words[] = {
	RECORD_TEXT(SMMUV3_PREFETCH_STRIDE, "the distance is 2 to the power of this"),
	RECORD_END,
};
const struct iopf_layout smmuv3_prefetch_layout =
	SMMUV3_COMMAND_LAYOUT("smmuv3_prefetch", SMMUV3_PREFETCH, prefetch_words, NULL);
const struct iopf_layout smmuv3_cfgi_layout =
	SMMUV3_COMMAND_LAYOUT("smmuv3_cfgi", SMMUV3_CFGI, NULL, NULL);

/* RANGE of CFGI_STE_RANGE: 2^(RANGE + 1) streams; 31 is CFGI_ALL. */
enum { RANGE_ALL = 31, RANGE_MASK_MAX = 7 };
static const struct record_word cfgi_range_words[] = {
	RECORD_WORD(SMMUV3_CFGI_RANGE_RANGE, RANGE_ALL, "all"),
	RECORD_TEXT(SMMUV3_CFGI_RANGE_RANGE, "the streams are 2 to the power of this + 1"),
	RECORD_END,
};
static const struct record_rule cfgi_range_rules[] = {
	RECORD_LOSS(SMMUV3_CFGI_RANGE_SID, "of a range its first, of all none"),
	RECORD_LOSS_AT(SMMUV3_CFGI_RANGE_RANGE, SMMUV3_CFGI_RANGE_RANGE,
		       UINT32_MAX & ~((UINT64_C(2) << RANGE_MASK_MAX) - 1),
		       "more than 256 streams are all"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_cfgi_range_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_cfgi_range", SMMUV3_CFGI_RANGE, cfgi_range_words, cfgi_range_rules);

static bool leaf_get(const uint8_t *r, struct iopf_command *c)
{
	c->hints = field_get(r, SMMUV3_CFGI_LEAF) ? IOPF_HINT_LEAF : 0;
	return true;
}

static bool ste_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_DEVICE;
	c->rid = (uint32_t)field_get(r, SMMUV3_CFGI_SID);
	return leaf_get(r, c);
}

/* More streams than rid_mask can say are all of them: too much is permitted (4.3). */
static bool ste_range_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t range = field_get(r, SMMUV3_CFGI_RANGE_RANGE);

	c->granularity = IOPF_ALL;
	if (range > RANGE_MASK_MAX)
		return true;
	c->granularity = IOPF_DEVICE;
	c->rid_mask = (uint8_t)((2u << range) - 1);
	c->rid = (uint32_t)field_get(r, SMMUV3_CFGI_RANGE_SID) & ~(uint32_t)c->rid_mask;
	return true;
}

int smmuv3_context_encode(const struct iopf_command *c, uint8_t *r)
{
	unsigned mask = c->rid_mask;

	if (c->granularity != IOPF_ALL && c->granularity != IOPF_DEVICE)
		return -EOPNOTSUPP;
	if (c->granularity == IOPF_ALL) {
		field_put(r, SMMUV3_OP, SMMUV3_OP_CFGI_STE_RANGE);
		field_put(r, SMMUV3_CFGI_RANGE_RANGE, RANGE_ALL);
		return 0;
	}
	if ((mask & (mask + 1)) != 0 || (c->rid & mask) != 0)
		return -ERANGE;
	field_put(r, SMMUV3_CFGI_SID, c->rid);
	field_put(r, SMMUV3_OP,
		  mask == 0 ? SMMUV3_OP_CFGI_STE : SMMUV3_OP_CFGI_STE_RANGE);
	if (mask == 0)
		field_put(r, SMMUV3_CFGI_LEAF, (c->hints & IOPF_HINT_LEAF) != 0);
	else
		field_put(r, SMMUV3_CFGI_RANGE_RANGE,
			  (unsigned)__builtin_ctz(mask + 1) - 1);
	return 0;
}

static bool cd_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_ONE_PASID;
	c->rid = (uint32_t)field_get(r, SMMUV3_CFGI_SID);
	c->pasid = (uint32_t)field_get(r, SMMUV3_CFGI_SSID);
	return leaf_get(r, c);
}

static bool cd_all_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_DEVICE;
	c->rid = (uint32_t)field_get(r, SMMUV3_CFGI_SID);
	return true;
}

/* A SubstreamID here is a place in the table: that of accesses without one is 0. */
int smmuv3_pasid_encode(const struct iopf_command *c, uint8_t *r)
{
	bool one = c->granularity == IOPF_ONE_PASID;

	if (!one && c->granularity != IOPF_DEVICE && c->granularity != IOPF_DOMAIN)
		return -EOPNOTSUPP;
	if (one && !wire_pasid_or_none(c->pasid))
		return -ERANGE;
	field_put(r, SMMUV3_OP, one ? SMMUV3_OP_CFGI_CD : SMMUV3_OP_CFGI_CD_ALL);
	field_put(r, SMMUV3_CFGI_SID, c->rid);
	if (one && c->pasid != IOPF_PASID_NONE)
		field_put(r, SMMUV3_CFGI_SSID, c->pasid);
	if (one)
		field_put(r, SMMUV3_CFGI_LEAF, (c->hints & IOPF_HINT_LEAF) != 0);
	return 0;
}

/* ---- TLBs -------------------------------------------------------------------------- */

const struct iopf_layout smmuv3_tlbi_layout =
	SMMUV3_COMMAND_LAYOUT("smmuv3_tlbi", SMMUV3_TLBI, NULL, NULL);

static bool granule_for_nothing(const uint8_t *r)
{
	return field_get(r, SMMUV3_TLBI_PAGE_TG) &&
	       !(field_get(r, SMMUV3_TLBI_PAGE_NUM) | field_get(r, SMMUV3_TLBI_PAGE_SCALE) |
		 field_get(r, SMMUV3_TLBI_PAGE_TTL));
}

static const struct record_word tlbi_page_words[] = {
	RECORD_WORD(SMMUV3_TLBI_PAGE_TG, 0, "none"),
	RECORD_WORD(SMMUV3_TLBI_PAGE_TG, 1, "4k"),
	RECORD_WORD(SMMUV3_TLBI_PAGE_TG, 2, "16k"),
	RECORD_WORD(SMMUV3_TLBI_PAGE_TG, 3, "64k"),
	RECORD_TEXT(SMMUV3_TLBI_PAGE_TG, "granule; none: one address, without hints"),
	RECORD_TEXT(SMMUV3_TLBI_PAGE_TTL, "hint: level of the entries"),
	RECORD_TEXT(SMMUV3_TLBI_PAGE_NUM, "(NUM + 1) << SCALE granules"),
	RECORD_TEXT(SMMUV3_TLBI_PAGE_SCALE, "(NUM + 1) << SCALE granules"),
	RECORD_END,
};
/* A range becomes an aligned run that covers it, or all of the domain. */
#define RANGE_BITS    0xe
#define RANGED(field) RECORD_LOSS_AT((field), SMMUV3_TLBI_PAGE_TG, RANGE_BITS, COVERED)
#define COVERED       "a run that covers the range, or all of the domain"
static const struct record_rule tlbi_page_rules[] = {
	RECORD_ONLY(SMMUV3_TLBI_PAGE_NUM, SMMUV3_TLBI_PAGE_TG, RANGE_BITS),
	RECORD_ONLY(SMMUV3_TLBI_PAGE_SCALE, SMMUV3_TLBI_PAGE_TG, RANGE_BITS),
	RECORD_ONLY(SMMUV3_TLBI_PAGE_TTL, SMMUV3_TLBI_PAGE_TG, RANGE_BITS),
	RECORD_CHECK(SMMUV3_TLBI_PAGE_TG, granule_for_nothing,
		     "neither range nor level that it is for"),
	RANGED(SMMUV3_TLBI_PAGE_OP),
	RANGED(SMMUV3_TLBI_PAGE_NUM),
	RANGED(SMMUV3_TLBI_PAGE_SCALE),
	RANGED(SMMUV3_TLBI_PAGE_TTL),
	RANGED(SMMUV3_TLBI_PAGE_TG),
	RANGED(SMMUV3_TLBI_PAGE_ADDR),
	RANGED(SMMUV3_TLBI_PAGE_ASID),
	RANGED(SMMUV3_TLBI_PAGE_LEAF),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_tlbi_page_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_tlbi_page", SMMUV3_TLBI_PAGE, tlbi_page_words, tlbi_page_rules);

static bool nsnh_all_decode(const uint8_t *r, struct iopf_command *c)
{
	(void)r;
	c->granularity = IOPF_ALL;
	return true;
}

static bool nh_all_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_DOMAIN;
	c->hints = IOPF_HINT_FIRST;
	c->domain = (uint16_t)field_get(r, SMMUV3_TLBI_VMID);
	return true;
}

static bool s12_vmall_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_DOMAIN;
	c->domain = (uint16_t)field_get(r, SMMUV3_TLBI_VMID);
	return true;
}

static bool nh_asid_decode(const uint8_t *r, struct iopf_command *c)
{
	c->granularity = IOPF_ONE_PASID;
	c->domain = (uint16_t)field_get(r, SMMUV3_TLBI_VMID);
	c->asid = (uint16_t)field_get(r, SMMUV3_TLBI_ASID);
	return true;
}

/* 32 * 2^31 granules of 4 KiB. */
enum { RUN_BITS_MAX = 48 };

/* The smallest aligned run with all from @addr to @last. False: there is none that can
 * be encoded again. */
static bool run_cover(uint64_t addr, uint64_t last, struct iopf_command *c)
{
	uint64_t differ = (addr ^ last) | 0xfff;

	if (differ >> RUN_BITS_MAX != 0)
		return false;
	c->size_bytes = UINT64_C(2) << (63 - __builtin_clzll(differ));
	c->addr = addr & ~(c->size_bytes - 1);
	return true;
}

/*
 * TG 0: one address and no hints. Otherwise (NUM + 1) * 2^SCALE granules from there on
 * (4.4.1.1). TTL says where the entries can be; everywhere is more. What is no aligned
 * run becomes one that covers it; what none covers, everything of the domain.
 */
static bool run_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t num = field_get(r, SMMUV3_TLBI_PAGE_NUM);
	uint64_t scale = field_get(r, SMMUV3_TLBI_PAGE_SCALE);
	uint64_t ttl = field_get(r, SMMUV3_TLBI_PAGE_TTL);
	uint64_t tg = field_get(r, SMMUV3_TLBI_PAGE_TG);
	uint64_t addr = field_get(r, SMMUV3_TLBI_PAGE_ADDR) << 12, last;

	c->granularity = IOPF_PAGE;
	c->domain = (uint16_t)field_get(r, SMMUV3_TLBI_PAGE_VMID);
	if (field_get(r, SMMUV3_TLBI_PAGE_LEAF))
		c->hints |= IOPF_HINT_LEAF;
	if ((num | scale | ttl) == 0 || tg == 0) {
		c->addr = addr;
		c->size_bytes = 4096;
		return (num | scale | ttl | tg) == 0;
	}
	last = addr + ((num + 1) << (scale + 10 + 2 * tg)) - 1;
	if (run_cover(addr, last < addr ? UINT64_MAX : last, c))
		return true;
	c->granularity = IOPF_DOMAIN;
	c->hints = c->hints & IOPF_HINT_SECOND ? 0 : IOPF_HINT_FIRST;
	return true;
}

static bool nh_va_decode(const uint8_t *r, struct iopf_command *c)
{
	if (!run_decode(r, c))
		return false;
	if (c->granularity == IOPF_PAGE)
		c->asid = (uint16_t)field_get(r, SMMUV3_TLBI_PAGE_ASID);
	return true;
}

static bool nh_vaa_decode(const uint8_t *r, struct iopf_command *c)
{
	c->hints = IOPF_HINT_ANY_ASID;
	return run_decode(r, c);
}

static bool s2_ipa_decode(const uint8_t *r, struct iopf_command *c)
{
	c->hints = IOPF_HINT_SECOND;
	return run_decode(r, c);
}

/* 2^order granules of 4 KiB: SCALE has 5 bits, what is beyond goes into NUM. */
static int run_encode(const struct iopf_command *c, uint8_t *r)
{
	unsigned order, over;

	if (!wire_range_valid(c->addr, c->size_bytes))
		return -ERANGE;
	order = (unsigned)__builtin_ctzll(c->size_bytes) - 12;
	over = order > 31 ? order - 31 : 0;
	if (order + 12 > RUN_BITS_MAX)
		return -ERANGE;
	field_put(r, SMMUV3_TLBI_PAGE_VMID, c->domain);
	field_put(r, SMMUV3_TLBI_PAGE_LEAF, (c->hints & IOPF_HINT_LEAF) != 0);
	field_put(r, SMMUV3_TLBI_PAGE_ADDR, c->addr >> 12);
	if (order == 0)
		return 0;
	field_put(r, SMMUV3_TLBI_PAGE_TG, 1);
	field_put(r, SMMUV3_TLBI_PAGE_SCALE, order - over);
	field_put(r, SMMUV3_TLBI_PAGE_NUM, (1u << over) - 1);
	return 0;
}

static int page_encode(const struct iopf_command *c, uint8_t *r)
{
	switch (c->hints & (IOPF_HINT_SECOND | IOPF_HINT_ANY_ASID)) {
	case 0:
		field_put(r, SMMUV3_OP, SMMUV3_OP_TLBI_NH_VA);
		return wire_put(r, SMMUV3_TLBI_PAGE_ASID, c->asid) ? run_encode(c, r) :
								     -ERANGE;
	case IOPF_HINT_ANY_ASID:
		field_put(r, SMMUV3_OP, SMMUV3_OP_TLBI_NH_VAA);
		return run_encode(c, r);
	case IOPF_HINT_SECOND:
		field_put(r, SMMUV3_OP, SMMUV3_OP_TLBI_S2_IPA);
		return c->addr >> 56 == 0 ? run_encode(c, r) : -ERANGE;
	}
	return -EOPNOTSUPP;
}

int smmuv3_iotlb_encode(const struct iopf_command *c, uint8_t *r)
{
	if (c->granularity == IOPF_PAGE)
		return page_encode(c, r);
	if (c->granularity == IOPF_ALL) {
		field_put(r, SMMUV3_OP, SMMUV3_OP_TLBI_NSNH_ALL);
		return 0;
	}
	field_put(r, SMMUV3_TLBI_VMID, c->domain);
	if (c->granularity == IOPF_DOMAIN) {
		field_put(r, SMMUV3_OP,
			  c->hints & IOPF_HINT_FIRST ? SMMUV3_OP_TLBI_NH_ALL :
						       SMMUV3_OP_TLBI_S12_VMALL);
		return 0;
	}
	if (c->granularity != IOPF_ONE_PASID)
		return -EOPNOTSUPP;
	field_put(r, SMMUV3_OP, SMMUV3_OP_TLBI_NH_ASID);
	return wire_put(r, SMMUV3_TLBI_ASID, c->asid) ? 0 : -ERANGE;
}

/* ---- Translation caches of devices ------------------------------------------------- */

enum { ATC_SIZE_ALL = 52 };

static bool atc_misaligned(const uint8_t *r)
{
	uint64_t size = field_get(r, SMMUV3_ATC_INV_SIZE);

	return size < ATC_SIZE_ALL && (field_get(r, SMMUV3_ATC_INV_ADDR) &
				       ((UINT64_C(1) << size) - 1)) != 0;
}

static const struct record_word atc_words[] = {
	RECORD_WORD(SMMUV3_ATC_INV_SIZE, ATC_SIZE_ALL, "all"),
	RECORD_END,
};
static const struct record_rule atc_rules[] = {
	RECORD_MOST(SMMUV3_ATC_INV_SIZE, ATC_SIZE_ALL),
	RECORD_CHECK(SMMUV3_ATC_INV_ADDR, atc_misaligned, "not a multiple of its size"),
	RECORD_LOSS_WITHOUT(SMMUV3_ATC_INV_GLOBAL, SMMUV3_ATC_INV_SSV,
			    "ignored without SSV"),
	RECORD_LOSS_WITHOUT(SMMUV3_ATC_INV_SSID, SMMUV3_ATC_INV_SSV,
			    "ignored without SSV"),
	RECORD_LOSS_AT(SMMUV3_ATC_INV_SSID, SMMUV3_ATC_INV_GLOBAL, 1 << 1,
		       "ignored with GLOBAL"),
	RECORD_LOSS_AT(SMMUV3_ATC_INV_ADDR, SMMUV3_ATC_INV_SIZE,
		       UINT64_C(1) << ATC_SIZE_ALL, "ignored where all is meant"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_atc_inv_layout = SMMUV3_COMMAND_LAYOUT(
	"smmuv3_atc_inv", SMMUV3_ATC_INV, atc_words, atc_rules);

/* Global counts only with a PASID, and then the PASID does not. */
static bool atc_decode(const uint8_t *r, struct iopf_command *c)
{
	uint64_t size = field_get(r, SMMUV3_ATC_INV_SIZE);

	c->rid = (uint32_t)field_get(r, SMMUV3_ATC_INV_SID);
	c->pasid = IOPF_PASID_NONE;
	if (field_get(r, SMMUV3_ATC_INV_SSV))
		c->pasid = field_get(r, SMMUV3_ATC_INV_GLOBAL) ?
				   IOPF_PASID_ANY :
				   (uint32_t)field_get(r, SMMUV3_ATC_INV_SSID);
	if (size >= ATC_SIZE_ALL)
		return size == ATC_SIZE_ALL;
	c->granularity = IOPF_PAGE;
	c->size_bytes = UINT64_C(4096) << size;
	c->addr = field_get(r, SMMUV3_ATC_INV_ADDR) << 12 & ~(c->size_bytes - 1);
	return true;
}

int smmuv3_device_encode(const struct iopf_command *c, uint8_t *r)
{
	bool pasid = c->pasid != IOPF_PASID_NONE, any = c->pasid == IOPF_PASID_ANY;

	if (c->granularity != IOPF_ALL && c->granularity != IOPF_PAGE)
		return -EOPNOTSUPP;
	if ((!any && !wire_pasid_or_none(c->pasid)) ||
	    (c->granularity == IOPF_PAGE && !wire_range_valid(c->addr, c->size_bytes)))
		return -ERANGE;
	field_put(r, SMMUV3_OP, SMMUV3_OP_ATC_INV);
	field_put(r, SMMUV3_ATC_INV_SID, c->rid);
	field_put(r, SMMUV3_ATC_INV_SSV, pasid);
	field_put(r, SMMUV3_ATC_INV_GLOBAL, any);
	if (pasid && !any)
		field_put(r, SMMUV3_ATC_INV_SSID, c->pasid);
	field_put(r, SMMUV3_ATC_INV_SIZE, ATC_SIZE_ALL);
	if (c->granularity == IOPF_ALL)
		return 0;
	field_put(r, SMMUV3_ATC_INV_SIZE, (unsigned)__builtin_ctzll(c->size_bytes) - 12);
	field_put(r, SMMUV3_ATC_INV_ADDR, c->addr >> 12);
	return 0;
}

static bool prefetch_decode(const uint8_t *r, struct iopf_command *c)
{
	(void)r;
	(void)c;
	return true;
}

/* ---- The commands ------------------------------------------------------------------ */

#define LACKS(word0, word1) .reserved = { (word0), (word1) }
#define SSID_BITS           FIELD_MASK(SMMUV3_CFGI_SSID)
#define LEAF_BITS           FIELD_MASK(SMMUV3_CFGI_LEAF)
#define VMID_BITS           FIELD_MASK(SMMUV3_TLBI_VMID)
#define ASID_BITS           FIELD_MASK(SMMUV3_TLBI_ASID)
static_assert(ASID_BITS == FIELD_MASK(SMMUV3_TLBI_PAGE_ASID), "in the same place");

const struct smmuv3_command smmuv3_prefetch_config = {
	.layout = &smmuv3_prefetch_layout,
	.kind = IOPF_COMMAND_OTHER,
	.decode = prefetch_decode,
	LACKS(0, UINT64_MAX),
};
const struct smmuv3_command smmuv3_prefetch_addr = {
	.layout = &smmuv3_prefetch_layout,
	.kind = IOPF_COMMAND_OTHER,
	.decode = prefetch_decode,
};
const struct smmuv3_command smmuv3_cfgi_ste = {
	.layout = &smmuv3_cfgi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	.decode = ste_decode,
	LACKS(SSID_BITS, 0),
};
const struct smmuv3_command smmuv3_cfgi_ste_range = {
	.layout = &smmuv3_cfgi_range_layout,
	.kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	.decode = ste_range_decode,
};
const struct smmuv3_command smmuv3_cfgi_cd = {
	.layout = &smmuv3_cfgi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_PASID,
	.decode = cd_decode,
};
const struct smmuv3_command smmuv3_cfgi_cd_all = {
	.layout = &smmuv3_cfgi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_PASID,
	.decode = cd_all_decode,
	LACKS(SSID_BITS, LEAF_BITS),
};
const struct smmuv3_command smmuv3_tlbi_nh_all = {
	.layout = &smmuv3_tlbi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = nh_all_decode,
	LACKS(ASID_BITS, 0),
};
const struct smmuv3_command smmuv3_tlbi_nh_asid = {
	.layout = &smmuv3_tlbi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = nh_asid_decode,
};
const struct smmuv3_command smmuv3_tlbi_nh_va = {
	.layout = &smmuv3_tlbi_page_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = nh_va_decode,
};
const struct smmuv3_command smmuv3_tlbi_nh_vaa = {
	.layout = &smmuv3_tlbi_page_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = nh_vaa_decode,
	LACKS(ASID_BITS, 0),
};
const struct smmuv3_command smmuv3_tlbi_s12_vmall = {
	.layout = &smmuv3_tlbi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = s12_vmall_decode,
	LACKS(ASID_BITS, 0),
};
/* An address of stage 2 has 56 bits. */
const struct smmuv3_command smmuv3_tlbi_s2_ipa = {
	.layout = &smmuv3_tlbi_page_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = s2_ipa_decode,
	LACKS(ASID_BITS, UINT64_C(0xff) << 56),
};
const struct smmuv3_command smmuv3_tlbi_nsnh_all = {
	.layout = &smmuv3_tlbi_layout,
	.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	.decode = nsnh_all_decode,
	LACKS(VMID_BITS | ASID_BITS, 0),
};
const struct smmuv3_command smmuv3_atc_inv = {
	.layout = &smmuv3_atc_inv_layout,
	.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
	.decode = atc_decode,
};
