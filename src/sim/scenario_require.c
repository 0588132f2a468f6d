/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_require.c - what has to hold where it stands. */
#include "sim/scenario_state.h"

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

#define PAGE_BYTES UINT64_C(4096)

enum { RECENT_MAX = 16 };

/* What a require line is about. */
struct subject {
	const struct scenario_endpoint *endpoint; /* or NULL */
	const struct scenario_owner *owner;
	bool source;
	bool at_function;
	uint32_t since[SCENARIO_LOG_COUNT];
};

/* ---- Who -------------------------------------------------------------------- */

static bool find_mark(struct scenario *s, struct subject *subject)
{
	const char *name = trace_name(s->event, TRACE_KEY_since);

	for (uint32_t n = 0; name != NULL && n < s->mark_count; n++) {
		if (strcmp(s->marks[n].name, name) != 0)
			continue;
		memcpy(subject->since, s->marks[n].at, sizeof(subject->since));
		return true;
	}
	return name == NULL || scenario_bad(s, TRACE_KEY_since,
					    "since=%s, expected a mark before it", name);
}

static bool find_subject(struct scenario *s, struct subject *subject)
{
	const char *source = trace_name(s->event, TRACE_KEY_source);

	*subject = (struct subject){
		.source = source != NULL,
		.at_function = trace_number(s->event, TRACE_KEY_interface,
					    TRACE_INTERFACE_COUNT) ==
			       TRACE_INTERFACE_function,
	};
	if (source != NULL && strcmp(source, s->source_name) != 0)
		return scenario_bad(s, TRACE_KEY_source,
				    "source=%s, expected one that a world line describes",
				    source);
	if (trace_name(s->event, TRACE_KEY_endpoint) != NULL) {
		subject->endpoint = scenario_endpoint_of(s);
		if (subject->endpoint == NULL)
			return false;
	}
	if (trace_name(s->event, TRACE_KEY_owner) != NULL) {
		subject->owner = scenario_owner_of(s);
		if (subject->owner == NULL)
			return false;
	}
	return find_mark(s, subject);
}

/* ---- What was seen ---------------------------------------------------------- */

static bool name_fits(const struct scenario *s, const struct scenario_seen *seen)
{
	const char *name = trace_name(s->event, TRACE_KEY_group);

	return name == NULL || (seen->group != SCENARIO_NONE &&
				strcmp(s->groups[seen->group].name, name) == 0);
}

/* The other keys of the line describe @seen. */
static bool fits(const struct scenario *s, const struct subject *subject,
		 const struct scenario_seen *seen)
{
	const struct scenario_group *group =
		seen->group != SCENARIO_NONE ? &s->groups[seen->group] : NULL;
	const struct {
		enum trace_key key;
		uint64_t value;
	} said[] = {
		{ TRACE_KEY_code, seen->code },
		{ TRACE_KEY_raw_code, seen->raw_code },
		{ TRACE_KEY_pasid, seen->pasid },
		{ TRACE_KEY_index, seen->index },
		{ TRACE_KEY_what, seen->what },
		{ TRACE_KEY_automatic, seen->automatic },
		{ TRACE_KEY_addr, group != NULL ? group->addr : UINT64_MAX },
		{ TRACE_KEY_virtual_index, group != NULL ? group->virtual_index : 0 },
	};

	if ((subject->endpoint != NULL &&
	     seen->endpoint != scenario_number(s, subject->endpoint)) ||
	    (subject->owner != NULL &&
	     seen->owner != scenario_owner_number(s, subject->owner)) ||
	    !name_fits(s, seen))
		return false;
	for (size_t n = 0; n < sizeof(said) / sizeof(said[0]); n++)
		if (trace_number(s->event, said[n].key, said[n].value) != said[n].value)
			return false;
	return true;
}

static uint64_t count_seen(const struct scenario *s, const struct subject *subject,
			   enum scenario_log_kind kind)
{
	const struct scenario_log *log = &s->log[kind];
	struct subject whose = *subject;
	uint64_t count = 0;

	if (kind == SCENARIO_RESPONSES)
		whose.owner = NULL; /* a response has none */
	for (uint32_t n = subject->since[kind]; n < log->count; n++)
		count += fits(s, &whose, &log->seen[n]);
	return count;
}

/* ---- What is counted -------------------------------------------------------- */

/* The value of @counter in the row of whom the line is about; of a source, whatever came
 * through it. False: the endpoint has no row any more. */
static bool count_of(const struct scenario *s, const struct subject *subject,
		     enum iopf_counter counter, uint64_t *value)
{
	const struct iopf_stats_page *page =
		iopf_broker_stats(iopf_host_broker(s->world.host));
	uint32_t sources = page->endpoint_max + page->owner_max;

	*value = 0;
	if (subject->endpoint != NULL && subject->endpoint->endpoint >= page->endpoint_max)
		return false;
	if (subject->endpoint != NULL)
		*value = page->row[subject->endpoint->endpoint].counter[counter];
	else if (subject->owner != NULL)
		*value = page->row[page->endpoint_max + subject->owner->owner].counter[counter];
	else
		for (uint32_t n = 0; n < page->source_max; n++)
			*value += page->row[sources + n].counter[counter];
	return true;
}

static struct iopf_guest_stats guest_stats(const struct scenario *s,
					   const struct scenario_owner *owner)
{
	struct iopf_guest_stats stats = { 0 };

	if (owner != NULL && owner->queues)
		iopf_guest_stats(iopf_host_guest(s->world.host, owner->note), &stats);
	return stats;
}

/* Answers that its virtual IOMMU refused never reached the broker. */
static uint64_t refused_before(const struct scenario *s, const struct scenario_owner *owner,
			       enum iopf_counter counter)
{
	const struct iopf_guest_stats stats = guest_stats(s, owner);
	const uint64_t refused[] = {
		stats.refused_unknown, stats.refused_duplicate, stats.refused_stale,
		stats.refused_foreign, stats.refused_malformed,
	};
	unsigned which = (unsigned)counter - (unsigned)IOPF_COUNTER_refused_unknown;

	return which < sizeof(refused) / sizeof(refused[0]) ? refused[which] : 0;
}

static bool counter_of(struct scenario *s, const struct subject *subject, unsigned key,
		       uint64_t *value)
{
	enum iopf_counter counter = (enum iopf_counter)(key - TRACE_KEY_COUNTERS);
	uint64_t counted;

	if (subject->at_function && counter == IOPF_COUNTER_terminated &&
	    subject->endpoint != NULL) {
		*value = subject->endpoint->ends;
		return true;
	}
	if (!count_of(s, subject, counter, &counted))
		return scenario_bad(s, key, "%s of an endpoint that was removed, expected the "
					    "source's",
				    iopf_counter_name(counter));
	*value = counted +
		 (subject->endpoint == NULL ? refused_before(s, subject->owner, counter) : 0);
	return true;
}

/* An owner's gauges are those of the groups that it has, wherever they came from. */
static uint64_t owned(struct scenario *s, const struct scenario_owner *owner,
		      enum iopf_gauge gauge)
{
	static const uint8_t state[] = {
		[IOPF_GAUGE_partial] = IOPF_GROUP_PARTIAL,
		[IOPF_GAUGE_ready] = IOPF_GROUP_READY,
		[IOPF_GAUGE_delivered] = IOPF_GROUP_DELIVERED,
		[IOPF_GAUGE_leaving] = IOPF_GROUP_LEAVING,
		[IOPF_GAUGE_credits_in_use] = IOPF_GROUP_STATE_COUNT,
	};
	uint32_t cursor = 0;
	uint64_t sum = 0;
	struct iopf_owed owed;

	while (iopf_broker_owed(iopf_host_broker(s->world.host), IOPF_NO_ID, &cursor, &owed,
				1, s->world.now_ns) == 1) {
		if (owed.owner != owner->owner)
			continue;
		sum += gauge == IOPF_GAUGE_credits_in_use ? owed.request_count :
							    owed.state == state[gauge];
	}
	return sum;
}

static struct model_function_state function_state(const struct scenario_endpoint *endpoint)
{
	struct model_function_state state;

	model_function_state(endpoint->function->function, &state);
	return state;
}

static bool gauge_of(struct scenario *s, const struct subject *subject, unsigned key,
		     uint64_t *value)
{
	enum iopf_gauge gauge = (enum iopf_gauge)(key - TRACE_KEY_GAUGES);

	if (subject->endpoint == NULL && subject->owner == NULL)
		return scenario_bad(s, key, "%s of no endpoint or owner, expected one",
				    iopf_gauge_name(gauge));
	if (subject->endpoint == NULL)
		*value = owned(s, subject->owner, gauge);
	else if (subject->at_function && gauge == IOPF_GAUGE_credits_in_use &&
		 subject->endpoint->options.stalls)
		*value = model_iommu_stalled(s->world.iommu, subject->endpoint->options.rid);
	else if (subject->at_function && gauge == IOPF_GAUGE_credits_in_use)
		*value = function_state(subject->endpoint).credits_in_use;
	else if (subject->at_function)
		return scenario_bad(s, key, "%s is the ledger's, expected it without interface",
				    iopf_gauge_name(gauge));
	else
		*value = iopf_broker_gauge(iopf_host_broker(s->world.host),
					   subject->endpoint->endpoint, gauge);
	return true;
}

/* ---- Everything else -------------------------------------------------------- */

/* A stream has no status bits: a command for what is not stalled any more is what would
 * have set one, and it is stopped when nothing of it is held. */
static uint64_t stream_status(const struct scenario *s,
			      const struct scenario_endpoint *endpoint, unsigned key)
{
	if (key == TRACE_KEY_stopped && trace_find(s->event, TRACE_KEY_pasid) != NULL)
		return !model_master_stopping(
			endpoint->function->master,
			(uint32_t)trace_number(s->event, TRACE_KEY_pasid, 0));
	if (key == TRACE_KEY_stopped)
		return model_master_quiet(endpoint->function->master);
	return key == TRACE_KEY_uprgi && endpoint->strays > 0;
}

/* Status bits that the host has read are cleared; that they were set is what counts. */
static bool status_of(struct scenario *s, const struct subject *subject, unsigned key,
		      uint64_t *value)
{
	const struct scenario_endpoint *endpoint = subject->endpoint;
	struct model_function_state state;

	if (endpoint == NULL)
		return scenario_bad(s, key, "%s of no endpoint, expected one",
				    trace_key_name(key));
	if (endpoint->options.stalls) {
		*value = stream_status(s, endpoint, key);
		return true;
	}
	state = function_state(endpoint);
	if (key == TRACE_KEY_uprgi)
		*value = state.uprgi_count > 0;
	else if (key == TRACE_KEY_rf)
		*value = endpoint->failures > 0;
	else if (trace_find(s->event, TRACE_KEY_pasid) == NULL)
		*value = state.stopped;
	else
		*value = !model_function_stopping(
			endpoint->function->function,
			(uint32_t)trace_number(s->event, TRACE_KEY_pasid, 0));
	return true;
}

static uint64_t oldest_of(struct scenario *s, const struct subject *subject)
{
	uint32_t endpoint = subject->endpoint != NULL ? subject->endpoint->endpoint :
							IOPF_NO_ID;
	uint32_t cursor = 0;
	uint64_t oldest_ns = 0;
	struct iopf_owed owed;

	while (iopf_broker_owed(iopf_host_broker(s->world.host), endpoint, &cursor, &owed, 1,
				s->world.now_ns) == 1)
		if ((subject->owner == NULL || owed.owner == subject->owner->owner) &&
		    owed.age_ns > oldest_ns)
			oldest_ns = owed.age_ns;
	return oldest_ns;
}

/* Of a guest: groups that it owes; those that it was given and not shown. */
static bool guest_of(struct scenario *s, const struct subject *subject, unsigned key,
		     uint64_t *value)
{
	struct iopf_guest_stats stats;

	if (subject->owner == NULL || !subject->owner->queues)
		return scenario_bad(s, key, "%s of no guest, expected owner=... with a family",
				    trace_key_name(key));
	stats = guest_stats(s, subject->owner);
	*value = key == TRACE_KEY_debts ?
			 stats.owed :
			 owned(s, subject->owner, IOPF_GAUGE_delivered) - stats.held;
	return true;
}

/* Of the bytes that the endpoint's last job was to write, where its guest has them. */
static bool crc_of(struct scenario *s, const struct subject *subject, uint64_t *value)
{
	const struct scenario_endpoint *endpoint = subject->endpoint;
	uint32_t crc = 0;

	if (endpoint == NULL || endpoint->guest == SCENARIO_NONE || endpoint->dma_bytes == 0)
		return scenario_bad(s, TRACE_KEY_crc, "crc of nothing, expected an endpoint of "
						      "a guest that has moved bytes");
	for (uint64_t done = 0; done < endpoint->dma_bytes;) {
		uint64_t at = endpoint->dma_addr + done, left = endpoint->dma_bytes - done;
		uint64_t piece = PAGE_BYTES - at % PAGE_BYTES;
		const uint8_t *page = world_page(&s->world, s->owners[endpoint->guest].guest,
						 endpoint->dma_pasid, at);

		if (page == NULL)
			return scenario_fail(s, TRACE_KEY_crc,
					     "required: a page at 0x%llx; found: none",
					     (unsigned long long)at);
		piece = piece < left ? piece : left;
		crc = crc32c(crc, page + at % PAGE_BYTES, piece);
		done += piece;
	}
	*value = crc;
	return true;
}

/* How the endpoint's last job ended. */
static bool job_of(struct scenario *s, const struct subject *subject, uint64_t *value)
{
	static const uint8_t results[MODEL_JOB_STATUS_COUNT] = {
		[MODEL_JOB_STATUS_idle] = TRACE_RESULT_refused,
		[MODEL_JOB_STATUS_running] = TRACE_RESULT_nothing,
		[MODEL_JOB_STATUS_done] = TRACE_RESULT_ok,
		[MODEL_JOB_STATUS_page_fault] = TRACE_RESULT_refused,
		[MODEL_JOB_STATUS_invalid] = TRACE_RESULT_refused,
		[MODEL_JOB_STATUS_failure] = TRACE_RESULT_needs_reset,
		[MODEL_JOB_STATUS_stopped] = TRACE_RESULT_busy,
		[MODEL_JOB_STATUS_reset] = TRACE_RESULT_gone,
		[MODEL_JOB_STATUS_error] = TRACE_RESULT_forbidden,
		[MODEL_JOB_STATUS_descriptor] = TRACE_RESULT_bad,
	};

	if (subject->endpoint == NULL)
		return scenario_bad(s, TRACE_KEY_result, "result of no endpoint, expected one");
	*value = results[world_job_status(&s->world, subject->endpoint->options.rid, 0)];
	return true;
}

/* The host's own memory of what left last for an endpoint. */
static bool recent_of(struct scenario *s, const struct subject *subject, uint64_t *value)
{
	struct iopf_response recent[RECENT_MAX];
	int count;

	if (subject->endpoint == NULL)
		return scenario_bad(s, TRACE_KEY_recent, "recent of no endpoint, expected one");
	count = iopf_broker_recent(iopf_host_broker(s->world.host),
				   subject->endpoint->endpoint, recent, RECENT_MAX);
	*value = 0;
	for (int n = 0; n < count; n++)
		*value += trace_number(s->event, TRACE_KEY_code, recent[n].code) ==
				  recent[n].code &&
			  trace_number(s->event, TRACE_KEY_index, recent[n].index) ==
				  recent[n].index;
	return true;
}

static bool value_of(struct scenario *s, const struct subject *subject, unsigned key,
		     uint64_t *value)
{
	if (key >= TRACE_KEY_GAUGES)
		return gauge_of(s, subject, key, value);
	if (key >= TRACE_KEY_COUNTERS)
		return counter_of(s, subject, key, value);
	if (key == TRACE_KEY_uprgi || key == TRACE_KEY_rf || key == TRACE_KEY_stopped)
		return status_of(s, subject, key, value);
	if (key == TRACE_KEY_debts || key == TRACE_KEY_parked)
		return guest_of(s, subject, key, value);
	if (key == TRACE_KEY_responses)
		*value = count_seen(s, subject, SCENARIO_RESPONSES);
	else if (key == TRACE_KEY_shows)
		*value = count_seen(s, subject, SCENARIO_SHOWS);
	else if (key == TRACE_KEY_events)
		*value = count_seen(s, subject, SCENARIO_EVENTS);
	else if (key == TRACE_KEY_stalls)
		*value = model_iommu_stalled(s->world.iommu,
					     subject->endpoint != NULL ?
						     subject->endpoint->options.rid :
						     IOPF_NO_ID);
	else if (key == TRACE_KEY_oldest)
		*value = oldest_of(s, subject);
	else if (key == TRACE_KEY_rounds && subject->endpoint != NULL)
		*value = subject->endpoint->rounds;
	else if (key == TRACE_KEY_crc)
		return crc_of(s, subject, value);
	else if (key == TRACE_KEY_result)
		return job_of(s, subject, value);
	else if (key == TRACE_KEY_recent)
		return recent_of(s, subject, value);
	else
		return scenario_bad(s, key, "'%s' cannot be required of this, expected another",
				    trace_key_name(key));
	return true;
}

/* Keys that say which, not what. */
static bool describes(unsigned key)
{
	static const uint8_t keys[] = {
		TRACE_KEY_endpoint, TRACE_KEY_owner,         TRACE_KEY_source,
		TRACE_KEY_group,    TRACE_KEY_pasid,         TRACE_KEY_index,
		TRACE_KEY_addr,     TRACE_KEY_virtual_index, TRACE_KEY_code,
		TRACE_KEY_what,     TRACE_KEY_interface,     TRACE_KEY_since,
		TRACE_KEY_automatic, TRACE_KEY_raw_code,
	};

	for (size_t n = 0; n < sizeof(keys); n++)
		if (keys[n] == key)
			return true;
	return false;
}

static bool pair_holds(struct scenario *s, const struct subject *subject,
		       const struct trace_pair *pair)
{
	const char *unit = trace_key_type(pair->key) == TRACE_TYPE_duration ? " ns" : "";
	uint64_t found = 0;

	if (!value_of(s, subject, pair->key, &found))
		return false;
	return found == pair->number ||
	       scenario_fail(s, pair->key, "required: %s=%llu%s; found: %llu%s",
			     trace_key_name(pair->key), (unsigned long long)pair->number,
			     unit, (unsigned long long)found, unit);
}

bool scenario_require(struct scenario *s)
{
	const struct trace_event *event = s->event;
	struct subject subject;
	bool any = false;

	if (!find_subject(s, &subject))
		return false;
	for (unsigned n = 0; n < event->pair_count; n++) {
		if (describes(event->pair[n].key))
			continue;
		any = true;
		if (!pair_holds(s, &subject, &event->pair[n]))
			return false;
	}
	return any || scenario_bad(s, TRACE_KEY_NONE,
				   "'require' of nothing, expected a number or a status bit");
}
