/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/tell.c - events, the recorder beside a group's way, and names for people. */
#include "broker/record.h"

/* Whose share of the callback an event uses: its owner's, endpoint's, or source's. */
static struct event_limit *limit_of(struct iopf_broker *broker,
				    const struct iopf_event *event,
				    struct iopf_stats_row **row)
{
	if (event->owner != IOPF_NO_ID) {
		*row = row_of_owner(broker, event->owner);
		return &broker->owners[event->owner].limit;
	}
	if (event->endpoint != IOPF_NO_ID) {
		*row = row_of_endpoint(broker, event->endpoint);
		return &broker->limits[event->endpoint];
	}
	*row = row_of_source(broker, event->source);
	return &broker->sources[event->source].limit;
}

static void record_words(const struct iopf_broker *broker, uint64_t ns, uint64_t token,
			 uint64_t data, uint64_t word3)
{
	uint64_t *words = record_begin(broker);

	record_word(&words[0], ns);
	record_word(&words[1], token);
	record_word(&words[2], data);
	record_word(&words[3], word3);
	record_end(broker);
}

static void record_event(struct iopf_broker *broker, const struct iopf_event *event,
			 uint64_t now_ns)
{
	bool refused = event->kind == IOPF_EVENT_REFUSED;
	unsigned kind = refused ? IOPF_RECORD_REFUSE : IOPF_RECORD_EVENT;
	unsigned detail = refused ? event->detail : event->kind;

	record_words(broker, now_ns, event->token, event->value,
		     RECORD_WORD3(event->pasid, (uint16_t)event->endpoint, kind, detail));
}

void record_endpoint(struct iopf_broker *broker, uint64_t ns, uint8_t kind,
		     uint32_t endpoint, uint32_t pasid, uint64_t data, uint8_t detail)
{
	record_words(broker, ns, 0, data,
		     RECORD_WORD3(pasid, (uint16_t)endpoint, kind, detail));
}

uint64_t record_last_ns(const struct iopf_broker *broker)
{
	return broker->records[(broker->recorder->head - 1) & broker->record_mask].ns;
}

void tell(struct iopf_broker *broker, struct iopf_event event, uint64_t now_ns)
{
	struct iopf_stats_row *row;
	struct event_limit *limit = limit_of(broker, &event, &row);

	if (now_ns - limit->window_ns >= EVENT_WINDOW_NS) {
		limit->window_ns = now_ns;
		limit->count = 0;
	}
	if (limit->count >= EVENTS_PER_WINDOW) {
		limit->suppressed++;
		COUNT(row, events_suppressed);
		return;
	}
	limit->count++;
	event.suppressed = limit->suppressed;
	limit->suppressed = 0;
	record_event(broker, &event, now_ns);
	if (broker->options.event != NULL)
		broker->options.event(broker->options.event_context, &event);
}

/* ---- Names ----------------------------------------------------------------------------- */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NAME_IN(names, value) ((size_t)(value) < COUNT_OF(names) ? (names)[value] : "?")
#define LIST_NAME(name, text) #name,
#define LIST_TEXT(name, text) text,
#define LIST_WORD(name, word, text) #word,

static const char *const code_names[] = { IOPF_CODES(LIST_WORD) };
static const char *const ending_names[] = { IOPF_ENDINGS(LIST_NAME) };
static const char *const counter_names[] = { IOPF_COUNTERS(LIST_NAME) };
static const char *const counter_texts[] = { IOPF_COUNTERS(LIST_TEXT) };
static const char *const gauge_names[] = { IOPF_GAUGES(LIST_NAME) };
static const char *const event_names[] = { IOPF_EVENTS(LIST_WORD) };
static const char *const operation_names[] = { IOPF_OPERATIONS(LIST_WORD) };
static const char *const step_names[] = { IOPF_STEPS(LIST_WORD) };
static const char *const state_names[] = { IOPF_GROUP_STATES(LIST_WORD) };

const char *iopf_code_name(enum iopf_code code)
{
	return NAME_IN(code_names, code);
}

const char *iopf_ending_name(enum iopf_ending ending)
{
	return NAME_IN(ending_names, ending);
}

const char *iopf_counter_name(enum iopf_counter counter)
{
	return NAME_IN(counter_names, counter);
}

const char *iopf_counter_text(enum iopf_counter counter)
{
	return NAME_IN(counter_texts, counter);
}

const char *iopf_gauge_name(enum iopf_gauge gauge)
{
	return NAME_IN(gauge_names, gauge);
}

const char *iopf_event_name(enum iopf_event_kind kind)
{
	return NAME_IN(event_names, kind);
}

const char *iopf_operation_name(enum iopf_operation_kind kind)
{
	return NAME_IN(operation_names, kind);
}

const char *iopf_step_name(enum iopf_step step)
{
	return NAME_IN(step_names, step);
}

const char *iopf_group_state_name(enum iopf_group_state state)
{
	return NAME_IN(state_names, state);
}

const char *iopf_version(void)
{
	return IOPF_VERSION;
}
