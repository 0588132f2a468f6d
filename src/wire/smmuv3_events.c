/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv3_events.c - Arm SMMUv3: the records of the event queue.
 *
 * IHI 0070, 7.3 "Event records". What two records have in common stands in the same
 * place in both. A record is read with its reserved bits taken out, so that what it
 * does not have is 0.
 */
#include <errno.h>
#include <string.h>

#include "wire/smmuv3.h"

/* clang-format off */
/* Faults of a translation: the only ones that may stall. */
#define SMMUV3_EVT(F, R)                   \
	F(SMMUV3_EVT_ID,     0,  0,  8)    \
	R(SMMUV3_EVT_RSVD0,  0,  8,  3)    \
	F(SMMUV3_EVT_SSV,    0, 11,  1)    \
	F(SMMUV3_EVT_SSID,   0, 12, 20)    \
	F(SMMUV3_EVT_SID,    0, 32, 32)    \
	F(SMMUV3_EVT_STAG,   1,  0, 16)    \
	R(SMMUV3_EVT_RSVD1,  1, 16, 15)    \
	F(SMMUV3_EVT_STALL,  1, 31,  1)    \
	R(SMMUV3_EVT_RSVD2,  1, 32,  1)    \
	F(SMMUV3_EVT_PNU,    1, 33,  1)    \
	F(SMMUV3_EVT_IND,    1, 34,  1)    \
	F(SMMUV3_EVT_RNW,    1, 35,  1)    \
	R(SMMUV3_EVT_RSVD3,  1, 36,  3)    \
	F(SMMUV3_EVT_S2,     1, 39,  1)    \
	F(SMMUV3_EVT_CLASS,  1, 40,  2)    \
	R(SMMUV3_EVT_RSVD4,  1, 42,  2)    \
	F(SMMUV3_EVT_TTRNW,  1, 44,  1)    \
	R(SMMUV3_EVT_RSVD5,  1, 45, 19)    \
	F(SMMUV3_EVT_ADDR,   2,  0, 64)    \
	R(SMMUV3_EVT_RSVD6,  3,  0, 12)    \
	F(SMMUV3_EVT_IPA,    3, 12, 44)    \
	R(SMMUV3_EVT_RSVD7,  3, 56,  8)
/* An access that was aborted for another reason, and what could not be read. */
#define SMMUV3_EVA(F, R)                   \
	F(SMMUV3_EVA_ID,     0,  0,  8)    \
	R(SMMUV3_EVA_RSVD0,  0,  8,  3)    \
	F(SMMUV3_EVA_SSV,    0, 11,  1)    \
	F(SMMUV3_EVA_SSID,   0, 12, 20)    \
	F(SMMUV3_EVA_SID,    0, 32, 32)    \
	F(SMMUV3_EVA_REASON, 1,  0, 16)    \
	F(SMMUV3_EVA_GPCF,   1, 16,  1)    \
	R(SMMUV3_EVA_RSVD1,  1, 17, 16)    \
	F(SMMUV3_EVA_PNU,    1, 33,  1)    \
	F(SMMUV3_EVA_IND,    1, 34,  1)    \
	F(SMMUV3_EVA_RNW,    1, 35,  1)    \
	R(SMMUV3_EVA_RSVD2,  1, 36,  3)    \
	F(SMMUV3_EVA_S2,     1, 39,  1)    \
	F(SMMUV3_EVA_CLASS,  1, 40,  2)    \
	R(SMMUV3_EVA_RSVD3,  1, 42, 22)    \
	F(SMMUV3_EVA_ADDR,   2,  0, 64)    \
	R(SMMUV3_EVA_RSVD4,  3,  0,  3)    \
	F(SMMUV3_EVA_FETCH,  3,  3, 53)    \
	R(SMMUV3_EVA_RSVD5,  3, 56,  8)
/* A configuration that does not do, and numbers that nobody knows. */
#define SMMUV3_EVC(F, R)                   \
	F(SMMUV3_EVC_ID,     0,  0,  8)    \
	R(SMMUV3_EVC_RSVD0,  0,  8,  3)    \
	F(SMMUV3_EVC_SSV,    0, 11,  1)    \
	F(SMMUV3_EVC_SSID,   0, 12, 20)    \
	F(SMMUV3_EVC_SID,    0, 32, 32)    \
	F(SMMUV3_EVC_REASON, 1,  0, 32)    \
	R(SMMUV3_EVC_RSVD1,  1, 32, 32)    \
	R(SMMUV3_EVC_RSVD2,  2,  0, 64)    \
	R(SMMUV3_EVC_RSVD3,  3,  0, 64)
/* E_PAGE_REQUEST. */
#define SMMUV3_EVH(F, R)                   \
	F(SMMUV3_EVH_ID,     0,  0,  8)    \
	R(SMMUV3_EVH_RSVD0,  0,  8,  3)    \
	F(SMMUV3_EVH_SSV,    0, 11,  1)    \
	F(SMMUV3_EVH_SSID,   0, 12, 20)    \
	F(SMMUV3_EVH_SID,    0, 32, 32)    \
	R(SMMUV3_EVH_RSVD1,  1,  0, 33)    \
	F(SMMUV3_EVH_UX,     1, 33,  1)    \
	F(SMMUV3_EVH_UW,     1, 34,  1)    \
	F(SMMUV3_EVH_UR,     1, 35,  1)    \
	R(SMMUV3_EVH_RSVD2,  1, 36,  1)    \
	F(SMMUV3_EVH_PX,     1, 37,  1)    \
	F(SMMUV3_EVH_PW,     1, 38,  1)    \
	F(SMMUV3_EVH_PR,     1, 39,  1)    \
	R(SMMUV3_EVH_RSVD3,  1, 40,  4)    \
	F(SMMUV3_EVH_SPAN,   1, 44,  8)    \
	R(SMMUV3_EVH_RSVD4,  1, 52, 12)    \
	R(SMMUV3_EVH_RSVD5,  2,  0, 12)    \
	F(SMMUV3_EVH_ADDR,   2, 12, 52)    \
	R(SMMUV3_EVH_RSVD6,  3,  0, 64)
#define SMMUV3_EVT_FIELDS(X) SMMUV3_EVT(X, X)
#define SMMUV3_EVA_FIELDS(X) SMMUV3_EVA(X, X)
#define SMMUV3_EVC_FIELDS(X) SMMUV3_EVC(X, X)
#define SMMUV3_EVH_FIELDS(X) SMMUV3_EVH(X, X)
/* clang-format on */
enum smmuv3_evt_field { SMMUV3_EVT_FIELDS(FIELD_ENUM) };
enum smmuv3_eva_field { SMMUV3_EVA_FIELDS(FIELD_ENUM) };
enum smmuv3_evc_field { SMMUV3_EVC_FIELDS(FIELD_ENUM) };
enum smmuv3_evh_field { SMMUV3_EVH_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE4(SMMUV3_EVT_FIELDS);
RECORD_COMPLETE4(SMMUV3_EVA_FIELDS);
RECORD_COMPLETE4(SMMUV3_EVC_FIELDS);
RECORD_COMPLETE4(SMMUV3_EVH_FIELDS);
/* One name reads them all. */
#define SAME(field) ((int)SMMUV3_EVT_##field == (int)SMMUV3_EVA_##field)
static_assert(SAME(PNU) && SAME(IND) && SAME(RNW) && SAME(S2) && SAME(CLASS) && SAME(ADDR),
	      "in the same place");

/* CLASS. 3 is reserved. */
enum { CLASS_CD = 0, CLASS_TT = 1, CLASS_IN = 2 };

/* ---- Words and rules --------------------------------------------------------------- */

#define NO_PASID(field, ssv) RECORD_LOSS_WITHOUT((field), (ssv), "unknown without SSV")
#define REASON_TEXT          "why, in the implementation's own numbers"
#define NOT_KEPT             "is not kept"

static const struct record_word evt_words[] = {
	RECORD_WORD(SMMUV3_EVT_CLASS, CLASS_CD, "cd"),
	RECORD_WORD(SMMUV3_EVT_CLASS, CLASS_TT, "tt"),
	RECORD_WORD(SMMUV3_EVT_CLASS, CLASS_IN, "in"),
	RECORD_TEXT(SMMUV3_EVT_CLASS, "what had to be accessed"),
	RECORD_TEXT(SMMUV3_EVT_STALL, "the access waits for CMD_RESUME"),
	RECORD_TEXT(SMMUV3_EVT_S2, "1 stage 2, 0 stage 1"),
	RECORD_TEXT(SMMUV3_EVT_TTRNW, "the table was 1 read, 0 written"),
	RECORD_UNIT(SMMUV3_EVT_ADDR, 0, "input address, in bytes"),
	RECORD_END,
};
static const struct record_rule evt_rules[] = {
	NO_PASID(SMMUV3_EVT_SSID, SMMUV3_EVT_SSV),
	RECORD_LOSS_WITHOUT(SMMUV3_EVT_STAG, SMMUV3_EVT_STALL, "unknown without STALL"),
	RECORD_LOSS_WITHOUT(SMMUV3_EVT_IPA, SMMUV3_EVT_S2, "unknown without S2"),
	RECORD_LOSS_WITHOUT(SMMUV3_EVT_TTRNW, SMMUV3_EVT_S2, "unknown without S2"),
	RECORD_LOSS_AT(SMMUV3_EVT_TTRNW, SMMUV3_EVT_CLASS, 1 << CLASS_CD | 1 << CLASS_IN,
		       "unknown where CLASS is not tt"),
	RECORD_NAMED(SMMUV3_EVT_CLASS),
	RECORD_WITH(SMMUV3_EVT_IND, SMMUV3_EVT_RNW),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_event_translation_layout = RECORD_LAYOUT(
	"smmuv3_event_translation", SMMUV3_EVT, SMMUV3_EVENT_BYTES, evt_words, evt_rules);

/* What was asked for stands in the second word of F_BAD_ATS_TREQ; it is not read. */
static bool is_asked(const uint8_t *r)
{
	return field_get(r, SMMUV3_EVA_ID) == IOPF_SMMUV3_F_BAD_ATS_TREQ;
}

static bool abort_written(const uint8_t *r)
{
	return !is_asked(r) && field_get(r, SMMUV3_EVA_IND) &&
	       !field_get(r, SMMUV3_EVA_RNW);
}

static bool abort_classless(const uint8_t *r)
{
	return !is_asked(r) && field_get(r, SMMUV3_EVA_CLASS) > CLASS_IN;
}

static const struct record_word eva_words[] = {
	RECORD_WORD(SMMUV3_EVA_CLASS, CLASS_CD, "cd"),
	RECORD_WORD(SMMUV3_EVA_CLASS, CLASS_TT, "tt"),
	RECORD_WORD(SMMUV3_EVA_CLASS, CLASS_IN, "in"),
	RECORD_TEXT(SMMUV3_EVA_CLASS, "what had to be accessed"),
	RECORD_TEXT(SMMUV3_EVA_REASON, REASON_TEXT),
	RECORD_TEXT(SMMUV3_EVA_GPCF, "a granule protection check failed"),
	RECORD_TEXT(SMMUV3_EVA_S2, "1 stage 2, 0 stage 1"),
	RECORD_UNIT(SMMUV3_EVA_ADDR, 0, "input address, in bytes"),
	RECORD_UNIT(SMMUV3_EVA_FETCH, 3, "what could not be read"),
	RECORD_END,
};
#define ASKED(field)                                                                  \
	RECORD_LOSS_AT((field), SMMUV3_EVA_ID, 1 << IOPF_SMMUV3_F_BAD_ATS_TREQ, NOT_KEPT)
static const struct record_rule eva_rules[] = {
	NO_PASID(SMMUV3_EVA_SSID, SMMUV3_EVA_SSV),
	RECORD_LOSS(SMMUV3_EVA_REASON, NOT_KEPT),
	RECORD_LOSS(SMMUV3_EVA_GPCF, NOT_KEPT),
	ASKED(SMMUV3_EVA_PNU),
	ASKED(SMMUV3_EVA_IND),
	ASKED(SMMUV3_EVA_RNW),
	ASKED(SMMUV3_EVA_S2),
	ASKED(SMMUV3_EVA_CLASS),
	RECORD_LOSS_AT(SMMUV3_EVA_FETCH, SMMUV3_EVA_ID,
		       UINT64_C(1) << IOPF_SMMUV3_F_TLB_CONFLICT, "unknown without S2"),
	RECORD_CHECK(SMMUV3_EVA_IND, abort_written, "an instruction that is written"),
	RECORD_CHECK(SMMUV3_EVA_CLASS, abort_classless, "reserved"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_event_abort_layout = RECORD_LAYOUT(
	"smmuv3_event_abort", SMMUV3_EVA, SMMUV3_EVENT_BYTES, eva_words, eva_rules);

static const struct record_word evc_words[] = {
	RECORD_TEXT(SMMUV3_EVC_REASON, REASON_TEXT),
	RECORD_END,
};
static const struct record_rule evc_rules[] = {
	NO_PASID(SMMUV3_EVC_SSID, SMMUV3_EVC_SSV),
	RECORD_LOSS(SMMUV3_EVC_REASON, NOT_KEPT),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_event_config_layout = RECORD_LAYOUT(
	"smmuv3_event_config", SMMUV3_EVC, SMMUV3_EVENT_BYTES, evc_words, evc_rules);

static const struct record_word evh_words[] = {
	RECORD_TEXT(SMMUV3_EVH_UX, "user execute"),
	RECORD_TEXT(SMMUV3_EVH_UW, "user write"),
	RECORD_TEXT(SMMUV3_EVH_UR, "user read"),
	RECORD_TEXT(SMMUV3_EVH_PX, "privileged execute"),
	RECORD_TEXT(SMMUV3_EVH_PW, "privileged write"),
	RECORD_TEXT(SMMUV3_EVH_PR, "privileged read"),
	RECORD_TEXT(SMMUV3_EVH_SPAN, "pages"),
	RECORD_END,
};
/* A plain value has one privilege, and one page. */
#define MERGED(field) RECORD_LOSS((field), "becomes what either level asks for, of both")
static const struct record_rule evh_rules[] = {
	NO_PASID(SMMUV3_EVH_SSID, SMMUV3_EVH_SSV),
	MERGED(SMMUV3_EVH_UX),
	MERGED(SMMUV3_EVH_UW),
	MERGED(SMMUV3_EVH_UR),
	MERGED(SMMUV3_EVH_PX),
	MERGED(SMMUV3_EVH_PW),
	MERGED(SMMUV3_EVH_PR),
	RECORD_LOSS(SMMUV3_EVH_SPAN, "becomes 1"),
	RECORD_RULES_END,
};
const struct iopf_layout smmuv3_event_hint_layout = RECORD_LAYOUT(
	"smmuv3_event_hint", SMMUV3_EVH, SMMUV3_EVENT_BYTES, evh_words, evh_rules);

/* ---- Events ------------------------------------------------------------------------ */

#define EVENT_WORD(name, number, text) { SMMUV3_EVENT_ID, number, #name, text },
const struct record_word smmuv3_event_words[] = {
	/* clang-format off */
	IOPF_SMMUV3_EVENTS(EVENT_WORD)
	RECORD_END,
	/* clang-format on */
};

static const uint8_t class_what[] = {
	[CLASS_CD] = IOPF_FAULT_DESCRIPTOR,
	[CLASS_TT] = IOPF_FAULT_TABLE,
	[CLASS_IN] = IOPF_FAULT_INPUT,
	[3] = IOPF_FAULT_INPUT,
};
static const uint8_t what_class[] = {
	[IOPF_FAULT_INPUT] = CLASS_IN,
	[IOPF_FAULT_TABLE] = CLASS_TT,
	[IOPF_FAULT_DESCRIPTOR] = CLASS_CD,
};

/* What of a record its event has. */
enum event_part {
	PART_PASID = 1,  /* SubstreamID is valid, there is no SSV */
	PART_INPUT = 2,  /* the address that the device gave */
	PART_ACCESS = 4, /* RnW, InD, PnU */
	PART_STAGE = 8,  /* S2, CLASS */
	PART_FETCH = 16, /* what could not be read */
	PART_ASKED = 32, /* no access: asks for a translation or for pages */
	PART_OTHER = 64, /* something else where others have the stall bit */
};

struct event {
	uint8_t number;
	uint8_t parts;
	const struct iopf_layout *layout;
	uint64_t reserved[4]; /* here, beside what the layout reserves */
};

enum { TRANSLATION = PART_INPUT | PART_ACCESS | PART_STAGE };
#define ACCESS_BITS                                                \
	(FIELD_MASK(SMMUV3_EVA_PNU) | FIELD_MASK(SMMUV3_EVA_IND) | \
	 FIELD_MASK(SMMUV3_EVA_RNW))
#define STAGE_BITS (FIELD_MASK(SMMUV3_EVA_S2) | FIELD_MASK(SMMUV3_EVA_CLASS))
#define CONFIG(parts_)                                            \
	.parts = (parts_), .layout = &smmuv3_event_config_layout, \
	.reserved = { 0, FIELD_MASK(SMMUV3_EVC_REASON), 0, 0 }
#define FETCH                                                      \
	.parts = PART_FETCH, .layout = &smmuv3_event_abort_layout, \
	.reserved = { 0, ACCESS_BITS | STAGE_BITS, UINT64_MAX, 0 }
#define ABORT(parts_, word1, word3)                              \
	.parts = (parts_), .layout = &smmuv3_event_abort_layout, \
	.reserved = { 0, word1, 0, word3 }
#define FAULT(word1)                                                      \
	.parts = TRANSLATION, .layout = &smmuv3_event_translation_layout, \
	.reserved = { 0, word1, 0, 0 }

static const struct event events[] = {
	{ IOPF_SMMUV3_F_UUT,
	  ABORT(PART_INPUT | PART_ACCESS, STAGE_BITS | FIELD_MASK(SMMUV3_EVA_GPCF),
		UINT64_MAX) },
	{ IOPF_SMMUV3_C_BAD_STREAMID, CONFIG(0) },
	{ IOPF_SMMUV3_F_STE_FETCH, FETCH },
	{ IOPF_SMMUV3_C_BAD_STE, CONFIG(0) },
	/* The second word says what was asked for; it is not read. */
	{ IOPF_SMMUV3_F_BAD_ATS_TREQ,
	  ABORT(PART_INPUT | PART_ASKED | PART_OTHER, 0, UINT64_MAX) },
	{ IOPF_SMMUV3_F_STREAM_DISABLED, CONFIG(0) },
	{ IOPF_SMMUV3_F_TRANSL_FORBIDDEN,
	  ABORT(PART_INPUT | PART_ACCESS, ~FIELD_MASK(SMMUV3_EVA_RNW), UINT64_MAX) },
	{ IOPF_SMMUV3_C_BAD_SUBSTREAMID, .parts = PART_PASID,
	  .layout = &smmuv3_event_config_layout,
	  .reserved = { FIELD_MASK(SMMUV3_EVC_SSV), FIELD_MASK(SMMUV3_EVC_REASON), 0,
			0 } },
	{ IOPF_SMMUV3_F_CD_FETCH, FETCH },
	{ IOPF_SMMUV3_C_BAD_CD, CONFIG(0) },
	{ IOPF_SMMUV3_F_WALK_EABT, ABORT(TRANSLATION | PART_FETCH, 0, 0) },
	{ IOPF_SMMUV3_F_TRANSLATION, FAULT(FIELD_MASK(SMMUV3_EVT_TTRNW)) },
	{ IOPF_SMMUV3_F_ADDR_SIZE, FAULT(FIELD_MASK(SMMUV3_EVT_TTRNW)) },
	{ IOPF_SMMUV3_F_ACCESS, FAULT(FIELD_MASK(SMMUV3_EVT_TTRNW)) },
	{ IOPF_SMMUV3_F_PERMISSION, FAULT(0) },
	/* The address that could not be fetched is the IPA here. */
	{ IOPF_SMMUV3_F_TLB_CONFLICT,
	  ABORT(TRANSLATION, FIELD_MASK(SMMUV3_EVA_GPCF),
		FIELD_MASK(SMMUV3_EVA_FETCH) & UINT64_C(0xfff)) },
	{ IOPF_SMMUV3_F_CFG_CONFLICT, .parts = PART_OTHER,
	  .layout = &smmuv3_event_config_layout },
	{ IOPF_SMMUV3_E_PAGE_REQUEST, .parts = PART_ASKED,
	  .layout = &smmuv3_event_hint_layout },
	{ IOPF_SMMUV3_F_VMS_FETCH, FETCH },
};
#define ONE(name, number, text) +1
static_assert(sizeof(events) / sizeof(events[0]) == 0 IOPF_SMMUV3_EVENTS(ONE),
	      "every event of the architecture");

/* Numbers that nobody knows are no reason to lose what they say: IHI 0070, 7.3. */
static const struct event unknown = { 0, CONFIG(0) };

static const struct event *event_find(uint64_t number)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].number == number)
			return &events[i];
	return NULL;
}

static const struct event *event_of(const uint8_t *record)
{
	const struct event *event = event_find(field_get(record, SMMUV3_EVT_ID));

	return event != NULL ? event : &unknown;
}

const struct iopf_layout *smmuv3_event_pick(const uint8_t *record, uint64_t *reserved)
{
	const struct event *event = event_find(field_get(record, SMMUV3_EVENT_ID));

	if (event == NULL)
		return NULL;
	memcpy(reserved, event->reserved, sizeof(event->reserved));
	return event->layout;
}

static bool may_stall(const struct event *event)
{
	return event->layout == &smmuv3_event_translation_layout;
}

/* @record without what @event reserves. True: something was taken out. */
static bool record_clean(const struct event *event, const uint8_t *record, uint8_t *r)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t reserved = event->layout->reserved[i] | event->reserved[i];
		uint64_t word = le64_get(record + 8 * i);

		out |= word & reserved;
		le64_put(r + 8 * i, word & ~reserved);
	}
	return out != 0;
}

/* ---- Decode ------------------------------------------------------------------------ */

/* RnW is 1 for a read; a write is no instruction. */
static uint8_t access_get(const uint8_t *r)
{
	bool read = field_get(r, SMMUV3_EVT_RNW);
	uint64_t perm = field_get(r, SMMUV3_EVT_PNU) * IOPF_PRIV;

	perm |= read ? IOPF_READ : IOPF_WRITE;
	if (read)
		perm |= field_get(r, SMMUV3_EVT_IND) * IOPF_EXEC;
	return (uint8_t)perm;
}

static uint8_t hint_get(const uint8_t *r)
{
	uint64_t priv = field_get(r, SMMUV3_EVH_PR) | field_get(r, SMMUV3_EVH_PW) |
			field_get(r, SMMUV3_EVH_PX);
	uint64_t perm =
		(field_get(r, SMMUV3_EVH_UR) | field_get(r, SMMUV3_EVH_PR)) * IOPF_READ |
		(field_get(r, SMMUV3_EVH_UW) | field_get(r, SMMUV3_EVH_PW)) * IOPF_WRITE |
		(field_get(r, SMMUV3_EVH_UX) | field_get(r, SMMUV3_EVH_PX)) * IOPF_EXEC |
		priv * IOPF_PRIV;

	return (uint8_t)perm;
}

/* Where it missed. TTRnW is known of permission faults of a table alone; a descriptor is
 * read, and so is a table when nothing is mapped there. */
static void stage_get(const uint8_t *r, struct iopf_fault *fault)
{
	bool second = field_get(r, SMMUV3_EVT_S2);

	fault->stage = second ? 2 : 1;
	fault->what = class_what[field_get(r, SMMUV3_EVT_CLASS)];
	if (!second || fault->what == IOPF_FAULT_INPUT)
		return;
	fault->table_perm = IOPF_READ;
	if (fault->reason == IOPF_SMMUV3_F_PERMISSION &&
	    fault->what == IOPF_FAULT_TABLE && !field_get(r, SMMUV3_EVT_TTRNW))
		fault->table_perm = IOPF_WRITE;
}

/* Combinations that nothing writes: an instruction that writes, CLASS 3. */
static bool parts_odd(const struct event *event, const uint8_t *r)
{
	return ((event->parts & PART_ACCESS) != 0 && field_get(r, SMMUV3_EVT_IND) &&
		!field_get(r, SMMUV3_EVT_RNW)) ||
	       ((event->parts & PART_STAGE) != 0 && field_get(r, SMMUV3_EVT_CLASS) == 3);
}

static void parts_get(const struct event *event, const uint8_t *r,
		      struct iopf_fault *fault)
{
	if (event->parts & PART_INPUT)
		fault->addr = field_get(r, SMMUV3_EVT_ADDR);
	if (event->parts & PART_ACCESS)
		fault->perm = access_get(r);
	if (event->parts & PART_STAGE)
		stage_get(r, fault);
	if (event->parts & PART_FETCH)
		fault->gpa = field_get(r, SMMUV3_EVA_FETCH) << 3;
	else if (fault->stage == 2)
		fault->gpa = field_get(r, SMMUV3_EVT_IPA) << 12;
	if (event->layout == &smmuv3_event_hint_layout) {
		fault->addr = field_get(r, SMMUV3_EVH_ADDR) << 12;
		fault->perm = hint_get(r);
	}
	fault->request = (event->parts & PART_ASKED) != 0;
}

/*
 * The number decides what the record is. A stall under a number that cannot stall waits
 * all the same: it is told, without the rights that it would take to let it go on.
 */
int smmuv3_fault_decode(const uint8_t *record, struct iopf_fault *fault, bool *reserved)
{
	const struct event *event = event_of(record);
	uint8_t r[SMMUV3_EVENT_BYTES];
	bool odd = record_clean(event, record, r);
	bool pasid = field_get(r, SMMUV3_EVT_SSV) || event->parts & PART_PASID;
	struct iopf_fault f = {
		.rid = (uint32_t)field_get(r, SMMUV3_EVT_SID),
		.pasid =
			pasid ? (uint32_t)field_get(r, SMMUV3_EVT_SSID) : IOPF_PASID_NONE,
		.reason = (uint8_t)field_get(r, SMMUV3_EVT_ID),
		.stall = field_get(record, SMMUV3_EVT_STALL) &&
			 !(event->parts & PART_OTHER),
	};

	parts_get(event, r, &f);
	if (f.stall)
		f.index = (uint16_t)field_get(record, SMMUV3_EVT_STAG);
	if (f.stall && !may_stall(event))
		f.perm = 0;
	*fault = f;
	*reserved = odd || event == &unknown || parts_odd(event, r);
	return 0;
}

/* ---- Encode ------------------------------------------------------------------------ */

static bool access_valid(uint8_t perm)
{
	uint8_t access = perm & (IOPF_READ | IOPF_WRITE | IOPF_EXEC);

	return !(perm & ~(IOPF_READ | IOPF_WRITE | IOPF_EXEC | IOPF_PRIV)) &&
	       (access == IOPF_READ || access == IOPF_WRITE ||
		access == (IOPF_READ | IOPF_EXEC));
}

static bool fault_valid(const struct event *event, const struct iopf_fault *fault)
{
	uint8_t parts = event->parts;

	if (!wire_pasid_or_none(fault->pasid) ||
	    (parts & PART_PASID && fault->pasid == IOPF_PASID_NONE) ||
	    (parts & PART_ACCESS && !access_valid(fault->perm)) ||
	    (parts & PART_ASKED && fault->perm & ~15))
		return false;
	if (parts & PART_STAGE &&
	    ((fault->stage != 1 && fault->stage != 2) ||
	     fault->what >= sizeof(what_class) / sizeof(what_class[0])))
		return false;
	return true;
}

static void access_put(const struct event *event, uint8_t perm, uint8_t *r)
{
	field_put(r, SMMUV3_EVT_RNW, (perm & IOPF_READ) != 0);
	if (event->number == IOPF_SMMUV3_F_TRANSL_FORBIDDEN)
		return;
	field_put(r, SMMUV3_EVT_PNU, (perm & IOPF_PRIV) != 0);
	field_put(r, SMMUV3_EVT_IND, (perm & IOPF_EXEC) != 0);
}

static void hint_put(const struct iopf_fault *fault, uint8_t *r)
{
	bool priv = (fault->perm & IOPF_PRIV) != 0;

	field_put(r, priv ? SMMUV3_EVH_PR : SMMUV3_EVH_UR,
		  (fault->perm & IOPF_READ) != 0);
	field_put(r, priv ? SMMUV3_EVH_PW : SMMUV3_EVH_UW,
		  (fault->perm & IOPF_WRITE) != 0);
	field_put(r, priv ? SMMUV3_EVH_PX : SMMUV3_EVH_UX,
		  (fault->perm & IOPF_EXEC) != 0);
	field_put(r, SMMUV3_EVH_SPAN, 1);
	field_put(r, SMMUV3_EVH_ADDR, fault->addr >> 12);
}

static void stage_put(const struct event *event, const struct iopf_fault *fault,
		      uint8_t *r)
{
	field_put(r, SMMUV3_EVT_S2, fault->stage == 2);
	field_put(r, SMMUV3_EVT_CLASS, what_class[fault->what]);
	if (event->number == IOPF_SMMUV3_F_PERMISSION && fault->stage == 2 &&
	    fault->what == IOPF_FAULT_TABLE)
		field_put(r, SMMUV3_EVT_TTRNW, fault->table_perm != IOPF_WRITE);
}

/* False: an address does not fit. Of an IPA the record has the page. */
static bool parts_put(const struct event *event, const struct iopf_fault *fault,
		      uint8_t *r)
{
	if (event->parts & PART_INPUT)
		field_put(r, SMMUV3_EVT_ADDR, fault->addr);
	if (event->parts & PART_ACCESS)
		access_put(event, fault->perm, r);
	if (event->parts & PART_STAGE)
		stage_put(event, fault, r);
	if (event->layout == &smmuv3_event_hint_layout)
		hint_put(fault, r);
	if (event->parts & PART_FETCH)
		return wire_put(r, SMMUV3_EVA_FETCH, fault->gpa >> 3);
	return !(event->parts & PART_STAGE) || fault->stage != 2 ||
	       wire_put(r, SMMUV3_EVT_IPA, fault->gpa >> 12);
}

int smmuv3_fault_encode(const struct iopf_fault *fault, uint8_t *record)
{
	const struct event *event = event_find(fault->reason);
	uint8_t r[SMMUV3_EVENT_BYTES] = { 0 };

	if (event == NULL || (fault->stall && !may_stall(event)))
		return -EOPNOTSUPP;
	if (!fault_valid(event, fault) || !parts_put(event, fault, r))
		return -ERANGE;
	field_put(r, SMMUV3_EVT_ID, fault->reason);
	field_put(r, SMMUV3_EVT_SID, fault->rid);
	if (fault->pasid != IOPF_PASID_NONE) {
		field_put(r, SMMUV3_EVT_SSV, !(event->parts & PART_PASID));
		field_put(r, SMMUV3_EVT_SSID, fault->pasid);
	}
	if (fault->stall) {
		field_put(r, SMMUV3_EVT_STALL, 1);
		field_put(r, SMMUV3_EVT_STAG, fault->index);
	}
	memcpy(record, r, sizeof(r));
	return 0;
}
