/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/record.c - the flight recorder: reading its ring, its records as events. */
#include "trace/form.h"

/* ---- Records as events ----------------------------------------------------------- */

enum { ENDPOINT_NONE = UINT16_MAX, PAGE_BYTES = 4096 };

static void put_endpoint(struct trace_event *event, uint16_t endpoint)
{
	char name[8] = { 0 };
	struct out out = { .at = name, .left = sizeof(name) - 1 };

	if (endpoint == ENDPOINT_NONE)
		return;
	out_number(&out, endpoint);
	trace_put_name(event, TRACE_KEY_endpoint, name);
}

static void put_request(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_addr, record->data & ~(uint64_t)(PAGE_BYTES - 1));
	trace_put(event, TRACE_KEY_perm, record->data & (PAGE_BYTES - 1));
	if (record->detail & IOPF_LAST)
		trace_put(event, TRACE_KEY_last, 1);
	if (record->detail & IOPF_STALL)
		trace_put(event, TRACE_KEY_stall, 1);
}

static void put_show(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_addr, record->data);
	trace_put(event, TRACE_KEY_perm, record->detail);
}

static void put_answer(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_addr, record->data);
	trace_put(event, TRACE_KEY_code, record->detail);
}

static void put_refuse(struct trace_event *event, const struct iopf_record *record)
{
	unsigned reason = record->detail - (unsigned)IOPF_COUNTER_refused_unknown;

	trace_put(event, TRACE_KEY_reason, reason);
}
_Static_assert(IOPF_COUNTER_refused_forbidden - IOPF_COUNTER_refused_unknown ==
	       TRACE_REASON_forbidden, "reasons stand in the order of their counters");

static void put_response(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_addr, record->data);
	trace_put(event, TRACE_KEY_code, record->detail >> 4);
	trace_put(event, TRACE_KEY_ending, record->detail & 15);
}
_Static_assert(IOPF_ENDING_COUNT <= 16, "an ending has four bits in a record");

static void put_drop(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_addr, record->data);
	trace_put(event, TRACE_KEY_ending, record->detail);
}

static void put_step(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_operation, record->detail);
	trace_put(event, TRACE_KEY_step, record->data);
}

static void put_event(struct trace_event *event, const struct iopf_record *record)
{
	trace_put(event, TRACE_KEY_what, record->detail);
	trace_put(event, TRACE_KEY_value, record->data);
}

static const struct {
	uint8_t kind;
	bool known;
	void (*put)(struct trace_event *event, const struct iopf_record *record);
} conversions[IOPF_RECORD_KIND_COUNT] = {
	[IOPF_RECORD_REQUEST] = { TRACE_KIND_request, true, put_request },
	[IOPF_RECORD_STOP] = { TRACE_KIND_stop, true, NULL },
	[IOPF_RECORD_SHOW] = { TRACE_KIND_show, true, put_show },
	[IOPF_RECORD_ANSWER] = { TRACE_KIND_answer, true, put_answer },
	[IOPF_RECORD_REFUSE] = { TRACE_KIND_refuse, true, put_refuse },
	[IOPF_RECORD_RESPONSE] = { TRACE_KIND_response, true, put_response },
	[IOPF_RECORD_DROP] = { TRACE_KIND_drop, true, put_drop },
	[IOPF_RECORD_ATTACH] = { TRACE_KIND_attach, true, NULL },
	[IOPF_RECORD_OPERATION] = { TRACE_KIND_step, true, put_step },
	[IOPF_RECORD_OVERFLOW] = { TRACE_KIND_overflow, true, NULL },
	[IOPF_RECORD_EVENT] = { TRACE_KIND_event, true, put_event },
};

int trace_from_record(const struct iopf_record *record, struct trace_event *event)
{
	struct trace_event made;

	if (record->kind >= IOPF_RECORD_KIND_COUNT || !conversions[record->kind].known)
		return -EBADMSG;
	trace_begin(&made, (enum trace_kind)conversions[record->kind].kind, record->ns);
	put_endpoint(&made, record->endpoint);
	if (event_allows(&made, TRACE_KEY_pasid))
		trace_put(&made, TRACE_KEY_pasid, record->pasid);
	if (record->token != 0)
		trace_put(&made, TRACE_KEY_token, record->token);
	if (conversions[record->kind].put != NULL)
		conversions[record->kind].put(&made, record);
	if (trace_check(&made) != 0)
		return -EBADMSG;
	event_copy(event, &made);
	return 0;
}

/* ---- The ring -------------------------------------------------------------------- */

/* An entry as words that somebody else may be writing. */
typedef uint64_t __attribute__((may_alias)) entry_word;
enum { ENTRY_WORDS = sizeof(struct iopf_record) / sizeof(uint64_t) };
_Static_assert(sizeof(struct iopf_record) == 32, "four words an entry");

static uint64_t load(const void *word)
{
	return __atomic_load_n((const entry_word *)word, __ATOMIC_ACQUIRE);
}

int trace_recorder_open(struct trace_recorder *reader, const void *memory,
			size_t size_bytes)
{
	const struct iopf_recorder *recorder = memory;
	uint32_t count;

	if (memory == NULL || (uintptr_t)memory % 8 != 0 ||
	    size_bytes < sizeof(*recorder) || recorder->magic != IOPF_RECORDER_MAGIC ||
	    recorder->record_size_bytes != sizeof(struct iopf_record))
		return -EBADMSG;
	count = recorder->entry_count;
	if (count < 2 || (count & (count - 1)) != 0 ||
	    count > (size_bytes - sizeof(*recorder)) / sizeof(struct iopf_record))
		return -EBADMSG;
	*reader = (struct trace_recorder){ .recorder = recorder, .entry_count = count };
	return 0;
}

/* Move on to @oldest, if that is later. */
static void skip_to(struct trace_recorder *reader, uint64_t oldest)
{
	if (reader->cursor >= oldest)
		return;
	reader->lost += oldest - reader->cursor;
	reader->cursor = oldest;
}

/* The oldest record that the writer cannot be overwriting when it has written @head: it
 * may be at work on the slot of the next one. */
static uint64_t oldest_at(const struct trace_recorder *reader, uint64_t head)
{
	return head < reader->entry_count ? 0 : head - reader->entry_count + 1;
}

static uint32_t copy_from(const struct trace_recorder *reader, uint64_t head,
			  struct iopf_record *records, uint32_t max)
{
	uint64_t left = head > reader->cursor ? head - reader->cursor : 0;
	uint32_t count = left < max ? (uint32_t)left : max;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t slot = (reader->cursor + i) & (reader->entry_count - 1);
		const struct iopf_record *entry = &reader->recorder->entry[slot];
		uint64_t words[ENTRY_WORDS];

		for (unsigned word = 0; word < ENTRY_WORDS; word++)
			words[word] = load((const char *)entry + 8 * word);
		memcpy(&records[i], words, sizeof(words));
	}
	return count;
}

uint32_t trace_recorder_read(struct trace_recorder *reader, struct iopf_record *records,
			     uint32_t max)
{
	uint64_t head = load(&reader->recorder->head), first, overwritten;
	uint32_t count;

	skip_to(reader, oldest_at(reader, head));
	count = copy_from(reader, head, records, max);
	first = reader->cursor;
	/* acquire: pairs with the release of each word of an entry. Whoever saw a word of
	 * record n + entry_count sees a head of at least n + entry_count here. */
	skip_to(reader, oldest_at(reader, load(&reader->recorder->head)));
	overwritten = reader->cursor - first;
	if (overwritten >= count)
		return 0;
	count -= (uint32_t)overwritten;
	memmove(records, records + overwritten, count * sizeof(*records));
	reader->cursor += count;
	return count;
}
