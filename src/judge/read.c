/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/read.c - recordings in the event language, as a judge is told them. */
#include "judge/book.h"

#include <errno.h>

#include "trace/trace.h"

/* ---- What there is ----------------------------------------------------------------- */

/* The number of the thing that @event names; IOPF_NO_ID: it names none. */
static uint32_t named(struct iopf_judge *judge, const struct trace_event *event,
		      enum trace_key key, enum book_thing thing)
{
	const char *name = trace_name(event, key);
	int number = name != NULL ? book_name(judge, thing, name) : -1;

	return number < 0 ? IOPF_NO_ID : (uint32_t)number;
}

static void world(struct iopf_judge *judge, const struct trace_event *event)
{
	struct iopf_judge_source source = {
		.name = trace_name(event, TRACE_KEY_source),
		.family = trace_name(event, TRACE_KEY_family),
		.slots = (uint32_t)trace_number(event, TRACE_KEY_slots, 0),
	};
	struct iopf_judge_endpoint endpoint = {
		.name = trace_name(event, TRACE_KEY_endpoint),
		.source = named(judge, event, TRACE_KEY_source, BOOK_SOURCE),
		.physical = named(judge, event, TRACE_KEY_physical, BOOK_ENDPOINT),
		.rid = (uint32_t)trace_number(event, TRACE_KEY_rid, IOPF_NO_ID),
		.allocation = (uint32_t)trace_number(event, TRACE_KEY_allocation, 0),
		.mechanism = -1,
		.pasid_in_response = -1,
	};

	if (trace_find(event, TRACE_KEY_mechanism) != NULL)
		endpoint.mechanism = (int8_t)trace_number(event, TRACE_KEY_mechanism, 0);
	if (trace_find(event, TRACE_KEY_pasid_in_response) != NULL)
		endpoint.pasid_in_response =
			(int8_t)trace_number(event, TRACE_KEY_pasid_in_response, 0);
	if (endpoint.name != NULL)
		iopf_judge_add_endpoint(judge, &endpoint);
	else if (trace_name(event, TRACE_KEY_owner) != NULL)
		iopf_judge_add_owner(judge, trace_name(event, TRACE_KEY_owner));
	else if (source.name != NULL)
		iopf_judge_add_source(judge, &source);
}

/* ---- What happened ----------------------------------------------------------------- */

/* One more than the kind; 0: not judged. */
#define KIND(trace, judge) [TRACE_KIND_##trace] = IOPF_JUDGE_##judge + 1
static const uint8_t kind_of[TRACE_KIND_COUNT] = {
	KIND(request, REQUEST),	    KIND(stop, STOP),
	KIND(show, SHOW),	    KIND(answer, ANSWER),
	KIND(response, RESPONSE),   KIND(drop, DROP),
	KIND(attach, ATTACH),	    KIND(detach, DETACH),
	KIND(replace, REPLACE),	    KIND(enable, ENABLE),
	KIND(disable, DISABLE),	    KIND(restart, RESTART),
	KIND(forget, FORGET),	    KIND(reset, RESET),
	KIND(remove, REMOVE),	    KIND(terminate, TERMINATE),
	KIND(overflow, OVERFLOW),   KIND(invalidate, INVALIDATE),
	KIND(wait, WAIT),	    KIND(invalidated, INVALIDATED),
	KIND(waited, WAITED),	    KIND(pause, PAUSE),
	KIND(resume, RESUME),
};

/* Where what a kind is about happens, if nobody says. */
static uint8_t usual_interface(uint8_t kind)
{
	switch (kind) {
	case IOPF_JUDGE_SHOW:
	case IOPF_JUDGE_ANSWER:
	case IOPF_JUDGE_ATTACH:
	case IOPF_JUDGE_DETACH:
	case IOPF_JUDGE_REPLACE:
		return IOPF_AT_GUEST;
	default:
		return IOPF_AT_QUEUE;
	}
}

static const struct {
	uint8_t key;
	uint16_t flag;
} flags[] = {
	{ TRACE_KEY_last, IOPF_JUDGE_LAST },	 { TRACE_KEY_stall, IOPF_JUDGE_STALL },
	{ TRACE_KEY_forced, IOPF_JUDGE_FORCED }, { TRACE_KEY_automatic, IOPF_JUDGE_AUTOMATIC },
	{ TRACE_KEY_device, IOPF_JUDGE_DEVICE }, { TRACE_KEY_drain, IOPF_JUDGE_DRAIN },
};

static uint16_t flags_of(const struct trace_event *from)
{
	uint64_t result = trace_number(from, TRACE_KEY_result, TRACE_RESULT_ok);
	uint16_t set = 0;

	for (unsigned n = 0; n < sizeof(flags) / sizeof(flags[0]); n++)
		if (trace_number(from, (enum trace_key)flags[n].key, 0))
			set |= flags[n].flag;
	if (result != TRACE_RESULT_ok || trace_number(from, TRACE_KEY_stepwise, 0))
		set |= IOPF_JUDGE_REFUSED;
	if (trace_find(from, TRACE_KEY_index) != NULL)
		set |= IOPF_JUDGE_INDEX;
	if (trace_find(from, TRACE_KEY_raw_code) != NULL)
		set |= IOPF_JUDGE_RAW;
	if (trace_find(from, TRACE_KEY_ending) != NULL)
		set |= IOPF_JUDGE_ENDING;
	return set;
}

static uint32_t count_of(const struct trace_event *from)
{
	static const uint8_t keys[] = { TRACE_KEY_page_count, TRACE_KEY_request_count,
					TRACE_KEY_allocation };

	for (unsigned n = 0; n < sizeof(keys); n++)
		if (trace_find(from, (enum trace_key)keys[n]) != NULL)
			return (uint32_t)trace_number(from, (enum trace_key)keys[n], 0);
	return 0;
}

/* A function that is known to have stopped paging: the host was told, or it says so. */
static bool is_failure(const struct trace_event *from)
{
	uint64_t what = trace_number(from, TRACE_KEY_what, IOPF_EVENT_KIND_COUNT);

	if (from->kind == TRACE_KIND_event)
		return what == IOPF_EVENT_RF || what == IOPF_EVENT_OPERATION_FAILED;
	return from->kind == TRACE_KIND_status && trace_number(from, TRACE_KEY_rf, 0);
}

static void happened(struct iopf_judge *judge, const struct trace_event *from)
{
	uint8_t kind = is_failure(from) ? IOPF_JUDGE_FAILED + 1 : kind_of[from->kind];
	struct iopf_judge_event event = {
		.ns = from->ns,
		.line = from->line,
		.addr = trace_number(from, TRACE_KEY_addr, 0),
		.token = trace_number(from, TRACE_KEY_token, 0),
		.source = named(judge, from, TRACE_KEY_source, BOOK_SOURCE),
		.endpoint = named(judge, from, TRACE_KEY_endpoint, BOOK_ENDPOINT),
		.owner = named(judge, from, TRACE_KEY_owner, BOOK_OWNER),
		.rid = (uint32_t)trace_number(from, TRACE_KEY_rid, IOPF_NO_ID),
		.pasid = (uint32_t)trace_number(from, TRACE_KEY_pasid, IOPF_PASID_NONE),
		.count = count_of(from),
		.index = (uint16_t)trace_number(from, TRACE_KEY_index, 0),
		.flags = flags_of(from),
		.kind = (uint8_t)(kind - 1),
		.perm = (uint8_t)trace_number(from, TRACE_KEY_perm, 0),
		.code = (uint8_t)trace_number(from, TRACE_KEY_code, 0),
		.ending = (uint8_t)trace_number(from, TRACE_KEY_ending, 0),
		.raw_code = (uint8_t)trace_number(from, TRACE_KEY_raw_code, 0),
	};

	event.interface = (uint8_t)trace_number(from, TRACE_KEY_interface,
						usual_interface(event.kind));
	if (kind == 0) /* it has its time, and nothing else */
		event.kind = IOPF_JUDGE_KIND_COUNT;
	iopf_judge_event(judge, &event);
}

int iopf_judge_read(struct iopf_judge *judge, const char *file, const void *bytes,
		    size_t size_bytes, char *problem, size_t problem_bytes)
{
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	int got;

	trace_reader_open(&reader, bytes, size_bytes);
	while ((got = trace_read(&reader, &event, &error)) == 1) {
		if (event.kind == TRACE_KIND_world)
			world(judge, &event);
		else if (trace_kind_timed(event.kind))
			happened(judge, &event);
	}
	if (got < 0)
		trace_error_text(&error, file, problem, problem_bytes);
	return got;
}
