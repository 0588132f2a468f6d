/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_seen.c - what functions, the host and guests are seen to do, put down. */
#include "sim/scenario_state.h"

#include <errno.h>

#include "iopf/wire.h"

struct scenario_seen *scenario_log_add(struct scenario *s, struct scenario_log *log)
{
	void *seen = log->seen;

	if (!scenario_room(s, &seen, log->count, &log->room, sizeof(*log->seen)))
		return NULL;
	log->seen = seen;
	log->seen[log->count] = (struct scenario_seen){ .ns = s->world.now_ns,
							.endpoint = SCENARIO_NONE,
							.owner = SCENARIO_NONE,
							.group = SCENARIO_NONE };
	return &log->seen[log->count++];
}

/* To whoever records. */
static void record(const struct scenario *s, struct trace_event *event)
{
	if (s->options->record != NULL && trace_check(event) == 0)
		s->options->record(s->options->context, event);
}

uint32_t scenario_endpoint_of_rid(const struct scenario *s, uint32_t rid)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (s->endpoints[n].options.rid == rid)
			return n;
	return SCENARIO_NONE;
}

static uint32_t endpoint_of_number(const struct scenario *s, uint32_t endpoint)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (s->endpoints[n].endpoint == endpoint && endpoint != IOPF_NO_ID)
			return n;
	return SCENARIO_NONE;
}

static uint32_t owner_of_note(const struct scenario *s, uint32_t note)
{
	for (uint32_t n = 0; n < s->owner_count; n++)
		if (s->owners[n].note == note)
			return n;
	return SCENARIO_NONE;
}

/* ---- Groups ----------------------------------------------------------------- */

uint32_t scenario_group_at(const struct scenario *s, uint32_t endpoint, uint32_t pasid,
			   uint16_t index)
{
	bool any = endpoint < s->endpoint_count &&
		   (s->endpoints[endpoint].options.no_pasid_in_response ||
		    s->endpoints[endpoint].options.stalls);

	for (uint32_t n = s->group_count; n > 0; n--) {
		const struct scenario_group *group = &s->groups[n - 1];

		if (group->endpoint == endpoint && group->index == index &&
		    (group->pasid == pasid || (any && pasid == IOPF_PASID_NONE)))
			return n - 1;
	}
	return SCENARIO_NONE;
}

uint32_t scenario_group_asked(struct scenario *s, uint32_t endpoint, uint32_t pasid,
			      uint16_t index, uint64_t addr)
{
	uint32_t number = scenario_group_at(s, endpoint, pasid, index);
	void *groups = s->groups;

	if (number != SCENARIO_NONE && s->groups[number].pasid == pasid &&
	    !s->groups[number].answered && !s->groups[number].forgotten)
		return number;
	if (!scenario_room(s, &groups, s->group_count, &s->group_room, sizeof(*s->groups)))
		return SCENARIO_NONE;
	s->groups = groups;
	s->groups[s->group_count] = (struct scenario_group){
		.addr = addr, .endpoint = endpoint, .pasid = pasid, .index = index
	};
	return s->group_count++;
}

/* ---- At the functions' end -------------------------------------------------- */

static void on_request(void *context, struct model_function *function, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct scenario *s = context;
	const struct model_observer check = sim_check_observer(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, model_function_rid(function));
	struct iopf_request request;
	struct trace_event event;

	check.request(check.context, function, pasid, perm, payload);
	if (endpoint == SCENARIO_NONE ||
	    iopf_pcie_decode_request(payload, model_function_rid(function), pasid, perm,
				     &request) != 0)
		return;
	if (request.flags & IOPF_STOP) {
		trace_begin(&event, TRACE_KIND_stop, s->world.now_ns);
	} else {
		scenario_group_asked(s, endpoint, pasid, request.index, request.addr);
		trace_begin(&event, TRACE_KIND_request, s->world.now_ns);
		trace_put(&event, TRACE_KEY_index, request.index);
		trace_put(&event, TRACE_KEY_addr, request.addr);
		trace_put(&event, TRACE_KEY_perm, request.perm);
		if (request.flags & IOPF_LAST)
			trace_put(&event, TRACE_KEY_last, 1);
	}
	trace_put_name(&event, TRACE_KEY_endpoint, s->endpoints[endpoint].name);
	if (pasid != IOPF_PASID_NONE)
		trace_put(&event, TRACE_KEY_pasid, pasid);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	record(s, &event);
}

/* The IOMMU made one by itself since this was asked last. */
static bool is_own(struct scenario *s)
{
	struct model_iommu_stats stats = model_iommu_stats(s->world.iommu);
	uint64_t own = stats.auto_success + stats.unqueued + stats.refused_requests;
	bool more = own != s->own_responses;

	s->own_responses = own;
	return more;
}

static void on_response(void *context, struct model_function *function, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct scenario *s = context;
	const struct model_observer check = sim_check_observer(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, model_function_rid(function));
	struct iopf_prg_response response;
	struct scenario_seen *seen;
	struct trace_event event;

	if (!s->forged)
		check.response(check.context, function, pasid, payload, verdict);
	if (endpoint == SCENARIO_NONE ||
	    iopf_pcie_decode_response(payload, pasid, &response) != 0)
		return;
	seen = scenario_log_add(s, &s->log[SCENARIO_RESPONSES]);
	if (seen == NULL)
		return;
	seen->endpoint = endpoint;
	seen->pasid = pasid;
	seen->index = response.index;
	seen->code = (uint8_t)iopf_pcie_meaning(response.code);
	seen->raw_code = response.code;
	seen->automatic = is_own(s);
	seen->group = scenario_group_at(s, endpoint, pasid, response.index);
	if (seen->group != SCENARIO_NONE)
		s->groups[seen->group].answered = true;
	s->endpoints[endpoint].failures += verdict == MODEL_FAILED;
	trace_begin(&event, TRACE_KIND_response, s->world.now_ns);
	trace_put_name(&event, TRACE_KEY_endpoint, s->endpoints[endpoint].name);
	if (pasid != IOPF_PASID_NONE)
		trace_put(&event, TRACE_KEY_pasid, pasid);
	trace_put(&event, TRACE_KEY_index, response.index);
	trace_put(&event, TRACE_KEY_code, seen->code);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	if (seen->automatic)
		trace_put(&event, TRACE_KEY_automatic, 1);
	record(s, &event);
}

static void on_reset(void *context, struct model_function *function, enum model_reset reset)
{
	struct scenario *s = context;
	const struct model_observer check = sim_check_observer(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, model_function_rid(function));

	check.reset(check.context, function, reset);
	if (reset == MODEL_PRI_ENABLED || reset == MODEL_PRI_DISABLED)
		return;
	for (uint32_t n = 0; n < s->group_count; n++)
		if (s->groups[n].endpoint == endpoint)
			s->groups[n].forgotten = true;
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	const struct scenario *s = context;
	const struct model_observer check = sim_check_observer(s->check);

	check.credits(check.context, function, in_use, allocation);
}

struct model_observer scenario_observer(struct scenario *s)
{
	return (struct model_observer){ .context = s,
					.request = on_request,
					.response = on_response,
					.reset = on_reset,
					.credits = on_credits };
}

/* ---- The host --------------------------------------------------------------- */

/* In recordings: which kind, and with what it is said. */
static const uint8_t kind_of_note[] = {
	[IOPF_NOTE_REQUEST] = TRACE_KIND_request,   [IOPF_NOTE_SHOW] = TRACE_KIND_show,
	[IOPF_NOTE_PAGER] = TRACE_KIND_COUNT,       [IOPF_NOTE_ANSWER] = TRACE_KIND_answer,
	[IOPF_NOTE_REFUSE] = TRACE_KIND_COUNT,      [IOPF_NOTE_RESPONSE] = TRACE_KIND_response,
	[IOPF_NOTE_ATTACH] = TRACE_KIND_attach,     [IOPF_NOTE_DETACH] = TRACE_KIND_detach,
	[IOPF_NOTE_OVERFLOW] = TRACE_KIND_overflow, [IOPF_NOTE_INVALIDATE] = TRACE_KIND_COUNT,
	[IOPF_NOTE_RESET] = TRACE_KIND_reset,       [IOPF_NOTE_REMOVE] = TRACE_KIND_remove,
	[IOPF_NOTE_FAULT] = TRACE_KIND_COUNT,       [IOPF_NOTE_TERMINATE] = TRACE_KIND_COUNT,
	[IOPF_NOTE_STATUS] = TRACE_KIND_COUNT,
};
_Static_assert(sizeof(kind_of_note) == IOPF_NOTE_KIND_COUNT, "a kind each");

static void record_fields(struct trace_event *event, const struct iopf_note *note)
{
	uint32_t pasid = note->pasid;

	if (note->request != NULL) {
		trace_put(event, TRACE_KEY_rid, note->request->rid);
		if (!(note->request->flags & IOPF_STOP)) {
			trace_put(event, TRACE_KEY_index, note->request->index);
			trace_put(event, TRACE_KEY_addr, note->request->addr);
			trace_put(event, TRACE_KEY_perm, note->request->perm);
			trace_put(event, TRACE_KEY_last,
				  (note->request->flags & IOPF_LAST) != 0);
		}
	}
	if (note->response != NULL) {
		trace_put(event, TRACE_KEY_index, note->response->index);
		trace_put(event, TRACE_KEY_code, note->response->code);
		trace_put(event, TRACE_KEY_ending, note->response->ending);
		trace_put(event, TRACE_KEY_request_count, note->response->request_count);
	}
	if (note->group != NULL) {
		trace_put(event, TRACE_KEY_index, note->group->index);
		trace_put(event, TRACE_KEY_page_count, note->group->page_count);
	}
	if (note->kind == IOPF_NOTE_ANSWER)
		trace_put(event, TRACE_KEY_code, note->code);
	if (note->token != 0)
		trace_put(event, TRACE_KEY_token, note->token);
	if (note->kind == IOPF_NOTE_ATTACH || note->kind == IOPF_NOTE_DETACH ||
	    pasid != IOPF_PASID_NONE)
		if (note->kind != IOPF_NOTE_RESET && note->kind != IOPF_NOTE_REMOVE &&
		    note->kind != IOPF_NOTE_OVERFLOW)
			trace_put(event, TRACE_KEY_pasid, pasid);
}

static void record_note(struct scenario *s, const struct iopf_note *note)
{
	uint8_t kind = kind_of_note[note->kind];
	uint32_t endpoint = endpoint_of_number(s, note->endpoint);
	uint32_t owner = owner_of_note(s, note->guest);
	struct trace_event event;

	if (kind == TRACE_KIND_COUNT || s->options->record == NULL)
		return;
	if (note->request != NULL) {
		endpoint = scenario_endpoint_of_rid(s, note->request->rid);
		kind = note->request->flags & IOPF_STOP ? TRACE_KIND_stop : kind;
	}
	trace_begin(&event, (enum trace_kind)kind, s->world.now_ns);
	if (endpoint != SCENARIO_NONE)
		trace_put_name(&event, TRACE_KEY_endpoint, s->endpoints[endpoint].name);
	if (owner != SCENARIO_NONE)
		trace_put_name(&event, TRACE_KEY_owner, s->owners[owner].name);
	trace_put(&event, TRACE_KEY_interface,
		  kind == TRACE_KIND_show || kind == TRACE_KIND_answer ?
			  TRACE_INTERFACE_guest :
			  TRACE_INTERFACE_queue);
	record_fields(&event, note);
	record(s, &event);
}

/* A guest is shown a group; its agent takes the records one turn later. */
static void note_show(struct scenario *s, const struct iopf_note *note)
{
	uint32_t endpoint = endpoint_of_number(s, note->endpoint);
	uint32_t owner = owner_of_note(s, note->guest);
	struct scenario_seen *seen;
	uint32_t group;

	if (owner == SCENARIO_NONE || endpoint == SCENARIO_NONE)
		return;
	group = scenario_group_at(s, endpoint, note->pasid, note->group->index);
	if (group != SCENARIO_NONE)
		s->groups[group].token = note->token;
	seen = scenario_log_add(s, &s->log[SCENARIO_SHOWS]);
	if (seen != NULL)
		*seen = (struct scenario_seen){ .ns = s->world.now_ns,
						.endpoint = endpoint,
						.owner = owner,
						.group = group,
						.pasid = note->pasid,
						.index = note->group->index };
	if (seen == NULL || !s->owners[owner].queues || s->owners[owner].honest)
		return;
	seen = scenario_log_add(s, &s->owners[owner].inbox);
	if (seen == NULL)
		return;
	seen->endpoint = endpoint;
	seen->group = group;
	if (group != SCENARIO_NONE) {
		s->groups[group].page_first = 0;
		s->groups[group].page_count = 0;
	}
}

void scenario_on_note(void *context, const struct iopf_note *note)
{
	struct scenario *s = context;

	sim_check_note(s->check, note);
	if (note->kind == IOPF_NOTE_SHOW)
		note_show(s, note);
	record_note(s, note);
}

void scenario_note(struct scenario *s, struct iopf_note note)
{
	note.ns = s->world.now_ns;
	scenario_on_note(s, &note);
}

void scenario_on_event(void *context, const struct iopf_event *event)
{
	struct scenario *s = context;
	struct scenario_seen *seen = scenario_log_add(s, &s->log[SCENARIO_EVENTS]);

	sim_check_event(s->check, event);
	if (seen == NULL)
		return;
	seen->endpoint = endpoint_of_number(s, event->endpoint);
	seen->what = event->kind;
	seen->pasid = event->pasid;
	for (uint32_t n = 0; n < s->owner_count; n++)
		if (s->owners[n].owner == event->owner && event->owner != IOPF_NO_ID)
			seen->owner = n;
}

/* ---- A guest's own queue ---------------------------------------------------- */

static bool page_add(struct scenario *s, struct scenario_group *group,
		     const struct iopf_request *request)
{
	void *pages = s->pages;

	if (!scenario_room(s, &pages, s->page_count, &s->page_room, sizeof(*s->pages)))
		return false;
	s->pages = pages;
	if (group->page_count == 0)
		group->page_first = s->page_count;
	group->page_count++;
	s->pages[s->page_count++] =
		(struct iopf_page){ .addr = request->addr, .perm = request->perm };
	return true;
}

/* What the guest's pager is asked belongs to what was shown: its agent passes over groups
 * of address spaces that the guest has let go. */
static bool asks_for(const struct scenario *s, const struct scenario_seen *shown,
		     const struct iopf_request *request)
{
	const struct scenario_group *group;

	if (shown->group == SCENARIO_NONE)
		return false;
	group = &s->groups[shown->group];
	return s->endpoints[group->endpoint].options.rid == request->rid &&
	       group->pasid == request->pasid &&
	       (group->page_count > 0 || group->addr == request->addr);
}

int scenario_guest_fault(void *context, struct world *world, uint32_t guest,
			 const struct iopf_request *request, uint64_t *gpa, uint8_t *perm)
{
	struct scenario *s = context;
	uint32_t number = owner_of_note(s, world->guests[guest].id);
	struct scenario_owner *owner = &s->owners[number];
	const struct scenario_seen *shown;

	(void)gpa;
	(void)perm;
	while (owner->whole < owner->inbox.count &&
	       !asks_for(s, &owner->inbox.seen[owner->whole], request))
		owner->inbox.seen[owner->whole++].unread = true;
	if (owner->whole == owner->inbox.count)
		return -EAGAIN;
	shown = &owner->inbox.seen[owner->whole];
	page_add(s, &s->groups[shown->group], request);
	s->groups[shown->group].virtual_index = request->index;
	owner->whole += (request->flags & IOPF_LAST) != 0;
	return -EAGAIN; /* answered by a statement, or never */
}
