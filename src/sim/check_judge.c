/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim/check_judge.c - the judge beside the checkers: it is told the same, and has rules of
 * its own. What a function does that is not honest, or was made to send raw messages, is
 * not the host's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/check_state.h"

/* ---- Violations ------------------------------------------------------------- */

static const struct check_function *function_of(const struct sim_check *check,
						uint32_t number)
{
	for (uint32_t n = 0; n < check->function_count; n++)
		if (check->functions[n].judged == number)
			return &check->functions[n];
	return NULL;
}

static bool is_played(const struct check_function *function)
{
	struct model_function_state state = { 0 };

	if (function == NULL || !function->value.honest)
		return true;
	if (function->function != NULL)
		model_function_state(function->function, &state);
	return state.raw_requests > 0;
}

static void on_violation(void *context, const struct iopf_violation *violation)
{
	struct sim_check *check = context;
	const struct iopf_judge_rule *rule = iopf_judge_rule(violation->rule);
	const struct check_function *function = function_of(check, violation->endpoint);
	struct sim_check_result *result = &check->judged;
	bool unknown = function == NULL || function->endpoint == IOPF_NO_ID;

	/* What nobody's function was made to send is answered record by record. */
	if ((rule->party == IOPF_PARTY_DEVICE || unknown) && is_played(function))
		return;
	if (result->violations++ == 0)
		snprintf(result->first, sizeof(result->first), "%s: %s: %s; it should be: %s",
			 rule->id, violation->where, violation->was, violation->wanted);
}

/* ---- What there is ---------------------------------------------------------- */

int check_judge_create(struct sim_check *check)
{
	const struct iopf_judge_options options = {
		.size_bytes = sizeof(options),
		.flags = IOPF_JUDGE_WHOLE,
		.source_max = 1,
		.endpoint_max = 4 * SIM_CHECK_FUNCTION_MAX,
		.owner_max = 256,
		.space_max = CHECK_ATTACHMENT_MAX,
		.group_max = CHECK_JUDGED_MAX,
		.command_max = 64,
		.violation = on_violation,
		.context = check,
	};
	const struct iopf_judge_source source = { .name = "iommu",
						  .family = check->options.family,
						  .slots = check->options.stall_slots };
	size_t size_bytes = iopf_judge_size_bytes(&options);

	check->judge_memory = aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);
	if (check->judge_memory == NULL ||
	    iopf_judge_create(&options, check->judge_memory, size_bytes, &check->judge) != 0)
		return -1;
	iopf_judge_add_source(check->judge, &source);
	return 0;
}

void check_judge_function(struct sim_check *check, struct check_function *function)
{
	const struct check_function *physical = &check->functions[function->interface];
	char name[16];
	const struct iopf_judge_endpoint endpoint = {
		.name = name,
		.source = 0,
		.physical = physical != function ? physical->judged : IOPF_NO_ID,
		.rid = function->value.rid,
		.allocation = function->allocation,
		.mechanism = function->value.stalls ? IOPF_STALLS : IOPF_PRI,
		.pasid_in_response =
			(int8_t)(function->function == NULL ? -1 : function->pasid_in_response),
	};
	int number;

	snprintf(name, sizeof(name), "0x%04x", (unsigned)function->value.rid);
	number = iopf_judge_add_endpoint(check->judge, &endpoint);
	function->judged = number < 0 ? IOPF_NO_ID : (uint32_t)number;
}

/* ---- What happens ----------------------------------------------------------- */

static struct iopf_judge_event event_of(const struct sim_check *check,
					const struct check_function *function,
					enum iopf_judge_kind kind,
					enum iopf_judge_interface interface)
{
	struct iopf_judge_event event = IOPF_JUDGE_EVENT_NONE;

	event.ns = check->now_ns;
	event.source = 0;
	event.kind = (uint8_t)kind;
	event.interface = (uint8_t)interface;
	if (function != NULL)
		event.endpoint = function->judged;
	return event;
}

void check_judge_request(struct sim_check *check, const struct check_function *function,
			 const struct iopf_request *request,
			 enum iopf_judge_interface interface)
{
	bool stop = request->flags & IOPF_STOP;
	struct iopf_judge_event event =
		event_of(check, function, stop ? IOPF_JUDGE_STOP : IOPF_JUDGE_REQUEST,
			 interface);

	event.rid = request->rid;
	event.pasid = request->pasid;
	event.index = request->index;
	event.addr = request->addr;
	event.perm = request->perm;
	event.flags = IOPF_JUDGE_INDEX;
	if (request->flags & IOPF_LAST)
		event.flags |= IOPF_JUDGE_LAST;
	if (request->flags & IOPF_STALL)
		event.flags |= IOPF_JUDGE_STALL;
	iopf_judge_event(check->judge, &event);
}

void check_judge_response(struct sim_check *check, const struct check_function *function,
			  uint32_t pasid, uint16_t index, enum iopf_code code, int raw_code)
{
	struct iopf_judge_event event =
		event_of(check, function, IOPF_JUDGE_RESPONSE, IOPF_AT_FUNCTION);

	event.pasid = pasid;
	event.index = index;
	event.code = (uint8_t)code;
	event.flags = IOPF_JUDGE_INDEX;
	if (raw_code >= 0) {
		event.raw_code = (uint8_t)raw_code;
		event.flags |= IOPF_JUDGE_RAW;
	}
	iopf_judge_event(check->judge, &event);
}

void check_judge_dropped(struct sim_check *check, const struct check_function *function,
			 uint16_t tag)
{
	struct iopf_judge_event event =
		event_of(check, function, IOPF_JUDGE_DROP, IOPF_AT_FUNCTION);

	event.index = tag;
	event.flags = IOPF_JUDGE_INDEX;
	iopf_judge_event(check->judge, &event);
}

void check_judge_reset(struct sim_check *check, const struct check_function *function,
		       enum model_reset reset)
{
	struct model_function_state state;
	static const uint8_t kinds[] = {
		[MODEL_PRI_DISABLED] = IOPF_JUDGE_DISABLE,
		[MODEL_PRI_ENABLED] = IOPF_JUDGE_ENABLE,
		[MODEL_PRI_RESET] = IOPF_JUDGE_FORGET,
		[MODEL_FLR] = IOPF_JUDGE_RESET,
		[MODEL_REMOVED] = IOPF_JUDGE_REMOVE,
	};
	struct iopf_judge_event event = event_of(
		check, function, (enum iopf_judge_kind)kinds[reset], IOPF_AT_FUNCTION);

	if (reset == MODEL_PRI_ENABLED) {
		model_function_state(function->function, &state);
		event.count = state.allocation;
	}
	iopf_judge_event(check->judge, &event);
}

void sim_check_played(struct sim_check *check, uint32_t rid)
{
	const struct check_function *function = check_function_of_rid(check, rid);

	if (function != NULL)
		iopf_judge_excuse(check->judge, function->judged);
}

void check_judge_failed(struct sim_check *check, const struct check_function *function)
{
	const struct iopf_judge_event event =
		event_of(check, function, IOPF_JUDGE_FAILED, IOPF_AT_QUEUE);

	iopf_judge_event(check->judge, &event);
}

/* ---- What the host says ----------------------------------------------------- */

static void put_group(struct iopf_judge_event *event, const struct iopf_note *note)
{
	if (note->group == NULL)
		return;
	event->rid = note->group->rid;
	event->index = note->group->index;
	event->count = note->group->page_count;
	event->flags |= IOPF_JUDGE_INDEX;
	if (note->group->flags & IOPF_STALL)
		event->flags |= IOPF_JUDGE_STALL;
}

static void put_response(struct iopf_judge_event *event, const struct iopf_note *note)
{
	const struct iopf_response *response = note->response;

	if (response == NULL)
		return;
	event->rid = response->rid;
	event->pasid = response->pasid;
	event->index = response->index;
	event->token = response->token;
	event->code = response->code;
	event->ending = response->ending;
	event->count = response->request_count;
	event->flags |= IOPF_JUDGE_INDEX | IOPF_JUDGE_ENDING;
	if (response->flags & IOPF_STALL)
		event->flags |= IOPF_JUDGE_STALL;
}

/* One more than the kind of judge's event, and where; 0: none. */
static const struct {
	uint8_t kind, interface;
} notes[IOPF_NOTE_KIND_COUNT] = {
	[IOPF_NOTE_SHOW] = { IOPF_JUDGE_SHOW + 1, IOPF_AT_GUEST },
	[IOPF_NOTE_ANSWER] = { IOPF_JUDGE_ANSWER + 1, IOPF_AT_GUEST },
	[IOPF_NOTE_REFUSE] = { IOPF_JUDGE_ANSWER + 1, IOPF_AT_GUEST },
	[IOPF_NOTE_RESPONSE] = { IOPF_JUDGE_RESPONSE + 1, IOPF_AT_QUEUE },
	[IOPF_NOTE_ATTACH] = { IOPF_JUDGE_ATTACH + 1, IOPF_AT_GUEST },
	[IOPF_NOTE_DETACH] = { IOPF_JUDGE_DETACH + 1, IOPF_AT_GUEST },
	[IOPF_NOTE_OVERFLOW] = { IOPF_JUDGE_OVERFLOW + 1, IOPF_AT_QUEUE },
	[IOPF_NOTE_RESET] = { IOPF_JUDGE_RESET + 1, IOPF_AT_QUEUE },
	[IOPF_NOTE_REMOVE] = { IOPF_JUDGE_REMOVE + 1, IOPF_AT_QUEUE },
	[IOPF_NOTE_TERMINATE] = { IOPF_JUDGE_TERMINATE + 1, IOPF_AT_QUEUE },
};

static uint32_t owner_of(struct sim_check *check, uint32_t guest)
{
	char name[24];
	int number;

	snprintf(name, sizeof(name), "guest-%u", (unsigned)guest);
	number = iopf_judge_add_owner(check->judge, name);
	return number < 0 ? IOPF_NO_ID : (uint32_t)number;
}

void check_judge_note(struct sim_check *check, const struct iopf_note *note)
{
	const struct check_function *function =
		check_function_of_endpoint(check, note->endpoint);
	struct iopf_judge_event event;

	if (note->kind == IOPF_NOTE_REQUEST) {
		check_judge_request(check, check_function_of_rid(check, note->request->rid),
				    note->request, IOPF_AT_QUEUE);
		return;
	}
	if (notes[note->kind].kind == 0)
		return;
	event = event_of(check, function,
			 (enum iopf_judge_kind)(notes[note->kind].kind - 1),
			 (enum iopf_judge_interface)notes[note->kind].interface);
	event.token = note->token;
	event.pasid = note->pasid;
	event.code = note->code;
	if (note->guest != IOPF_NO_ID)
		event.owner = owner_of(check, note->guest);
	if (note->kind == IOPF_NOTE_REFUSE)
		event.flags |= IOPF_JUDGE_REFUSED;
	put_group(&event, note);
	put_response(&event, note);
	iopf_judge_event(check->judge, &event);
}

/* ---- The verdict ------------------------------------------------------------ */

void check_judge_end(struct sim_check *check)
{
	if (!check->judge_over)
		iopf_judge_end(check->judge);
	check->judge_over = true;
}

const struct sim_check_result *sim_check_judged(struct sim_check *check)
{
	check->judged.checked = iopf_judge_tally(check->judge, IOPF_NO_ID).judged;
	return &check->judged;
}

const struct iopf_judge *sim_check_judge(const struct sim_check *check)
{
	return check->judge;
}
