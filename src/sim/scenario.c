/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario.c - a file from its first line to its last; time. */
#include "sim/scenario_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FLOOD_TURNS = 256,     /* what settling means while a flood is on */
	SETTLE_TURNS = 200000, /* nothing in a scenario takes longer */
	QUIET_TURNS = 8,       /* a step may ask for what is done a turn later */
	DEADLINE_STEPS = 10000,
	POLL_BUDGET = 64,
};

/* ---- What went wrong, and where --------------------------------------------- */

/* The column, from 1, of @key in the present statement; 1 where it is not there. */
static uint32_t column_of(const struct scenario *s, unsigned key)
{
	const char *at = (const char *)s->bytes, *end = at + s->size_bytes;
	const char *name = trace_key_name(key);
	const char *line;

	for (uint32_t line_at = 1; line_at < s->event->line && at < end; at++)
		line_at += *at == '\n';
	line = at;
	if (name == NULL)
		return 1;
	for (size_t length = strlen(name); at + length < end && *at != '\n'; at++)
		if (memcmp(at, name, length) == 0 && at[length] == '=' && at > line &&
		    at[-1] == ' ')
			return (uint32_t)(at - line) + 1;
	return 1;
}

static void say(struct scenario *s, enum scenario_outcome outcome, unsigned key,
		const char *format, va_list arguments)
{
	struct scenario_result *result = s->result;

	if (result->outcome != SCENARIO_OK)
		return;
	result->outcome = (uint8_t)outcome;
	if (s->event != NULL) {
		result->line = s->event->line;
		result->column = column_of(s, key);
	}
	vsnprintf(result->text, sizeof(result->text), format, arguments);
}

bool scenario_fail(struct scenario *s, unsigned key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(s, SCENARIO_FAILED, key, format, arguments);
	va_end(arguments);
	return false;
}

bool scenario_bad(struct scenario *s, unsigned key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(s, SCENARIO_BAD, key, format, arguments);
	va_end(arguments);
	return false;
}

bool scenario_room(struct scenario *s, void **array, uint32_t count, uint32_t *room,
		   size_t size_bytes)
{
	uint32_t more = *room == 0 ? 64 : *room * 2;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*array, more * size_bytes);
	if (grown == NULL) {
		s->result->outcome = SCENARIO_BROKEN;
		snprintf(s->result->text, sizeof(s->result->text), "out of memory");
		return false;
	}
	*array = grown;
	*room = more;
	return true;
}

/* ---- What a statement names ------------------------------------------------- */

uint32_t scenario_number(const struct scenario *s, const struct scenario_endpoint *endpoint)
{
	return (uint32_t)(endpoint - s->endpoints);
}

uint32_t scenario_owner_number(const struct scenario *s, const struct scenario_owner *owner)
{
	return (uint32_t)(owner - s->owners);
}

struct scenario_endpoint *scenario_endpoint_of(struct scenario *s)
{
	const char *name = trace_name(s->event, TRACE_KEY_endpoint);

	for (uint32_t n = 0; name != NULL && n < s->endpoint_count; n++)
		if (strcmp(s->endpoints[n].name, name) == 0)
			return &s->endpoints[n];
	if (name == NULL)
		scenario_bad(s, TRACE_KEY_NONE, "'%s' without 'endpoint', expected it",
			     trace_kind_name(s->event->kind));
	else
		scenario_bad(s, TRACE_KEY_endpoint,
			     "endpoint=%s, expected one that a world line describes", name);
	return NULL;
}

struct scenario_owner *scenario_owner_of(struct scenario *s)
{
	const char *name = trace_name(s->event, TRACE_KEY_owner);

	for (uint32_t n = 0; name != NULL && n < s->owner_count; n++)
		if (strcmp(s->owners[n].name, name) == 0)
			return &s->owners[n];
	if (name == NULL)
		scenario_bad(s, TRACE_KEY_NONE, "'%s' without 'owner', expected it",
			     trace_kind_name(s->event->kind));
	else
		scenario_bad(s, TRACE_KEY_owner,
			     "owner=%s, expected one that a world line describes", name);
	return NULL;
}

uint32_t scenario_group_of(const struct scenario *s, const char *name)
{
	for (uint32_t n = s->group_count; n > 0; n--)
		if (strcmp(s->groups[n - 1].name, name) == 0)
			return n - 1;
	return SCENARIO_NONE;
}

bool scenario_result_holds(struct scenario *s, int returned)
{
	enum trace_result was = trace_result_of(returned);
	enum trace_result wanted =
		(enum trace_result)trace_number(s->event, TRACE_KEY_result, TRACE_RESULT_ok);

	if (was == wanted)
		return true;
	return scenario_fail(s, TRACE_KEY_result, "required: %s is %s; found: %s",
			     trace_kind_name(s->event->kind),
			     trace_word(TRACE_TYPE_result, wanted),
			     trace_word(TRACE_TYPE_result, was));
}

bool scenario_is(const struct scenario *s, enum trace_trait trait)
{
	return s->traits >> trait & 1;
}

/* ---- Time ------------------------------------------------------------------- */

/* All invariants, after each turn of the host and at the end. */
static void audit(struct scenario *s, enum sim_rest rest)
{
	struct sim_check_reading reading;

	sim_check_read(s->check, s->world.host, s->world.iommu, &reading);
	sim_check_audit(s->check, &reading, rest);
}

/* A guest looks at its queues whether it rang or not: its detaches end that way. */
static uint32_t poll_guests(struct scenario *s)
{
	uint32_t taken = 0;

	for (uint32_t n = 0; n < s->owner_count; n++)
		if (s->owners[n].queues && !s->owners[n].gone && !s->owners[n].asleep)
			taken += iopf_agent_poll(s->world.guests[s->owners[n].guest].agent,
						 POLL_BUDGET);
	return taken;
}

/* A round of a drain is a turn of the host in which it has not come to an end. */
static void count_rounds(struct scenario *s)
{
	const struct iopf_broker *broker = iopf_host_broker(s->world.host);

	for (uint32_t n = 0; n < s->endpoint_count && !s->world.hold_host; n++) {
		struct scenario_endpoint *endpoint = &s->endpoints[n];
		bool drains = iopf_broker_step(broker, endpoint->endpoint) == IOPF_STEP_DRAIN;

		endpoint->rounds = drains ? endpoint->draining * endpoint->rounds + 1 :
					    endpoint->rounds;
		endpoint->draining = drains;
	}
}

uint32_t scenario_turn(struct scenario *s)
{
	uint32_t done;

	if (s->flooding > 0 && !s->world.hold_host)
		scenario_flood(s);
	scenario_owners_before(s);
	count_rounds(s);
	done = world_turn(&s->world);
	scenario_owners_after(s);
	done += poll_guests(s);
	if (!s->world.hold_host) {
		sim_check_turn(s->check, s->world.now_ns);
		audit(s, SIM_RUNNING);
	}
	return done;
}

bool scenario_settle(struct scenario *s)
{
	uint32_t quiet = 0;

	for (uint32_t turn = 0; turn < SETTLE_TURNS; turn++) {
		if (s->flooding > 0 && turn == FLOOD_TURNS)
			return true;
		quiet = scenario_turn(s) == 0 && s->flooding == 0 ? quiet + 1 : 0;
		if (quiet == QUIET_TURNS)
			return true;
	}
	return scenario_fail(s, TRACE_KEY_NONE, "it does not come to rest in %u turns",
			     (unsigned)SETTLE_TURNS);
}

bool scenario_finish(struct scenario *s, struct scenario_endpoint *endpoint)
{
	for (uint32_t turn = 0; turn < SETTLE_TURNS; turn++) {
		if (endpoint->endpoint == IOPF_NO_ID ||
		    !iopf_host_busy(s->world.host, endpoint->endpoint))
			return true;
		scenario_turn(s);
	}
	return scenario_fail(s, TRACE_KEY_NONE, "%s is not done after %u turns",
			     trace_kind_name(s->event->kind), (unsigned)SETTLE_TURNS);
}

/* Up to @ns, with a stop at each deadline on the way. */
static bool pass_time(struct scenario *s, uint64_t ns)
{
	const struct iopf_broker *broker = iopf_host_broker(s->world.host);

	for (uint32_t step = 0; step < DEADLINE_STEPS; step++) {
		uint64_t due_ns = iopf_broker_next_deadline_ns(broker);

		if (s->world.hold_host || due_ns >= ns || due_ns <= s->world.now_ns)
			break;
		s->world.now_ns = due_ns;
		if (!scenario_settle(s))
			return false;
	}
	s->world.now_ns = ns;
	return scenario_settle(s);
}

/* ---- Statements ------------------------------------------------------------- */

static bool invariants_hold(struct scenario *s)
{
	const struct sim_check_result *judged = sim_check_judged(s->check);

	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++) {
		const struct sim_check_result *result =
			sim_check_result(s->check, (enum sim_invariant)n);

		if (result->violations > 0)
			return scenario_fail(
				s, TRACE_KEY_NONE, "required: %s, %s; found: %s",
				sim_invariant_name((enum sim_invariant)n),
				sim_invariant_text((enum sim_invariant)n), result->first);
	}
	if (judged->violations > 0)
		return scenario_fail(s, TRACE_KEY_NONE,
				     "required: the rules of the interfaces; found: %s",
				     judged->first);
	return true;
}

/* A file that has variants is played in one of them. */
static bool variant_fits(struct scenario *s, const struct trace_plan *plan)
{
	unsigned variant = s->options->variant;

	if (plan->variants == 0 || plan->variants >> variant & 1)
		return true;
	return scenario_bad(s, TRACE_KEY_NONE, "not played as %s, expected a variant of the file",
			    trace_variant_name(variant));
}

static bool play_event(struct scenario *s)
{
	if (s->event->kind == TRACE_KIND_world) {
		if (s->options->record != NULL)
			s->options->record(s->options->context, s->event);
		return scenario_world_line(s);
	}
	if (!s->built) {
		s->built = true; /* or it never will be: there is no second try */
		if (!scenario_world_build(s))
			return false;
	}
	s->result->events++;
	if (s->event->kind == TRACE_KIND_require)
		return scenario_require(s);
	return pass_time(s, s->event->ns) && scenario_act(s) && scenario_settle(s) &&
	       invariants_hold(s);
}

static void play_all(struct scenario *s)
{
	struct trace_reader reader;
	struct trace_error error;
	int more;

	trace_reader_open_as(&reader, s->bytes, s->size_bytes, s->options->variant);
	while ((more = trace_read(&reader, &s->statement, &error)) == 1) {
		s->event = &s->statement;
		if (!variant_fits(s, &reader.plan) || !play_event(s))
			return;
	}
	if (more == 0)
		return;
	s->result->outcome = SCENARIO_BAD;
	s->result->line = error.line;
	s->result->column = error.column;
	memcpy(s->result->text, error.text, sizeof(s->result->text));
}

/* What is still on its way at the end is part of the story. */
static void play_end(struct scenario *s)
{
	s->event = NULL;
	if (!s->built) {
		scenario_bad(s, TRACE_KEY_NONE, "no events, expected some");
		return;
	}
	if (s->flooding == 0 && scenario_settle(s) && !s->world.hold_host)
		audit(s, SIM_AT_REST);
	invariants_hold(s);
}

static void destroy(struct scenario *s)
{
	scenario_world_destroy(s);
	sim_check_destroy(s->check);
	for (unsigned n = 0; n < SCENARIO_LOG_COUNT; n++)
		free(s->log[n].seen);
	for (uint32_t n = 0; n < s->owner_count; n++)
		free(s->owners[n].inbox.seen);
	free(s->spaces);
	free(s->groups);
	free(s->pages);
	free(s);
}

void scenario_play(const void *bytes, size_t size_bytes,
		   const struct scenario_options *options,
		   struct scenario_result *result)
{
	struct scenario *s = calloc(1, sizeof(*s));

	*result = (struct scenario_result){ .outcome = SCENARIO_OK };
	if (s == NULL) {
		result->outcome = SCENARIO_BROKEN;
		return;
	}
	s->options = options;
	s->result = result;
	s->traits = trace_variant_traits(options->variant);
	s->bytes = bytes;
	s->size_bytes = size_bytes;
	play_all(s);
	if (result->outcome == SCENARIO_OK)
		play_end(s);
	for (unsigned n = 0; s->check != NULL && n < SIM_INVARIANT_COUNT; n++)
		result->checked += sim_check_result(s->check, (enum sim_invariant)n)->checked;
	destroy(s);
}
