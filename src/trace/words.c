/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/words.c - the lists of words.h as tables. */
#include <errno.h>

#include "trace/trace.h"

#define WORD(name, text)       #name,
#define NAMED(name, word, t)   #word,
#define RESULT(name, e, text)  #name,
#define RESULT_ERRNO(n, e, t)  e,

static const char *const codes[] = { IOPF_CODES(NAMED) };
static const char *const endings[] = { IOPF_ENDINGS(WORD) };

static const char *const reasons[] = {
	"unknown", "duplicate", "stale", "foreign", "malformed", "forbidden",
};
_Static_assert(sizeof(reasons) / sizeof(reasons[0]) == TRACE_REASON_COUNT, "reasons");

static const char *const results[] = { TRACE_RESULTS(RESULT) };
static const int result_errno[] = { TRACE_RESULTS(RESULT_ERRNO) };

static const char *const events[] = { IOPF_EVENTS(NAMED) };
static const char *const operations[] = { IOPF_OPERATIONS(NAMED) };
static const char *const steps[] = { IOPF_STEPS(NAMED) };

static const char *const interfaces[] = { "function", "queue", "guest", "kernel" };
_Static_assert(sizeof(interfaces) / sizeof(interfaces[0]) == TRACE_INTERFACE_COUNT,
	       "interfaces");

static const char *const mechanisms[] = { "pri", "stall" };
_Static_assert(sizeof(mechanisms) / sizeof(mechanisms[0]) == TRACE_MECHANISM_COUNT,
	       "mechanisms");

static const char *const roles[] = { "guest", "pager", "callback" };
_Static_assert(sizeof(roles) / sizeof(roles[0]) == TRACE_ROLE_COUNT, "roles");

static const char *const unexpected[] = { "uprgi", "completion", "request" };
_Static_assert(sizeof(unexpected) / sizeof(unexpected[0]) == TRACE_UNEXPECTED_COUNT,
	       "unexpected");

static const char *const granularities[] = { "all", "domain", "device", "pasid", "page" };

#define LIST(words) { words, sizeof(words) / sizeof((words)[0]) }

/* The closed lists, by type; others have none. */
static const struct {
	const char *const *words;
	size_t count;
} lists[TRACE_TYPE_COUNT] = {
	[TRACE_TYPE_code] = LIST(codes),
	[TRACE_TYPE_ending] = LIST(endings),
	[TRACE_TYPE_reason] = LIST(reasons),
	[TRACE_TYPE_result] = LIST(results),
	[TRACE_TYPE_event] = LIST(events),
	[TRACE_TYPE_operation] = LIST(operations),
	[TRACE_TYPE_step] = LIST(steps),
	[TRACE_TYPE_interface] = LIST(interfaces),
	[TRACE_TYPE_mechanism] = LIST(mechanisms),
	[TRACE_TYPE_role] = LIST(roles),
	[TRACE_TYPE_granularity] = LIST(granularities),
	[TRACE_TYPE_unexpected] = LIST(unexpected),
};

#define KIND_ROW(name_, timed_, text_) { .name = #name_, .text = text_, .timed = timed_ },

static const struct {
	const char *name, *text;
	bool timed;
} kinds[] = { TRACE_KINDS(KIND_ROW) };

struct key_row {
	const char *name, *text;
	uint64_t max, must, may;
	enum trace_type type;
};

#define KEY_ROW(name_, type_, max_, must_, may_, text_) \
	[TRACE_KEY_##name_] = {                         \
		.name = #name_,                         \
		.type = TRACE_TYPE_##type_,             \
		.max = max_,                            \
		.must = must_,                          \
		.may = may_,                            \
		.text = text_,                          \
	},
#define COUNTER_ROW(name_, text_) \
	KEY_ROW(name_, number, UINT64_MAX, 0, TRACE_IN_LIST, text_)

static const struct key_row keys[TRACE_KEY_NONE] = {
	/* clang-format off */
	TRACE_KEYS(KEY_ROW)
	IOPF_COUNTERS(COUNTER_ROW)
	IOPF_GAUGES(COUNTER_ROW)
	/* clang-format on */
};
_Static_assert(TRACE_KEY_WORDS <= TRACE_KEY_COUNTERS, "keys run into counters");
_Static_assert(TRACE_KEY_COUNTERS_END <= TRACE_KEY_GAUGES, "counters run into gauges");
_Static_assert(TRACE_KEY_GAUGES_END <= TRACE_KEY_NONE, "too many gauges");
_Static_assert(TRACE_KIND_COUNT < 64, "a set of kinds is one word");

static const struct {
	const char *name, *text;
} types[] = {
#define TYPE_ROW(name_, text_) { #name_, text_ },
	TRACE_TYPES(TYPE_ROW)
};

static const struct key_row *key_row(unsigned key)
{
	static const struct key_row none;

	return key < TRACE_KEY_NONE && keys[key].name != NULL ? &keys[key] : &none;
}

const char *trace_kind_name(unsigned kind)
{
	return kind < TRACE_KIND_COUNT ? kinds[kind].name : NULL;
}

const char *trace_kind_text(unsigned kind)
{
	return kind < TRACE_KIND_COUNT ? kinds[kind].text : NULL;
}

bool trace_kind_timed(unsigned kind)
{
	return kind < TRACE_KIND_COUNT && kinds[kind].timed;
}

const char *trace_key_name(unsigned key)
{
	return key_row(key)->name;
}

const char *trace_key_text(unsigned key)
{
	return key_row(key)->text;
}

enum trace_type trace_key_type(unsigned key)
{
	return key_row(key)->type;
}

uint64_t trace_key_max(unsigned key)
{
	return key_row(key)->max;
}

uint64_t trace_key_must(unsigned key)
{
	return key_row(key)->must;
}

uint64_t trace_key_may(unsigned key)
{
	return key_row(key)->must | key_row(key)->may;
}

const char *trace_type_name(unsigned type)
{
	return type < TRACE_TYPE_COUNT ? types[type].name : NULL;
}

const char *trace_type_text(unsigned type)
{
	return type < TRACE_TYPE_COUNT ? types[type].text : NULL;
}

const char *trace_word(enum trace_type type, uint64_t number)
{
	if ((unsigned)type >= TRACE_TYPE_COUNT || number >= lists[type].count)
		return NULL;
	return lists[type].words[number];
}

enum trace_result trace_result_of(int returned)
{
	for (unsigned i = 1; returned < 0 && i < TRACE_RESULT_COUNT; i++)
		if (result_errno[i] == -returned)
			return (enum trace_result)i;
	return returned < 0 ? TRACE_RESULT_bad : TRACE_RESULT_ok;
}

int trace_result_errno(enum trace_result result)
{
	return (unsigned)result < TRACE_RESULT_COUNT ? -result_errno[result] : -EINVAL;
}
