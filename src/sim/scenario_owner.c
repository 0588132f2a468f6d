/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_owner.c - what owners do: take, answer, come and go. */
#include "sim/scenario_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DETACH_TURNS = 200000 };

static struct iopf_broker *broker_of(struct scenario *s)
{
	return iopf_host_broker(s->world.host);
}

static uint32_t pasid_of(const struct scenario *s)
{
	return (uint32_t)trace_number(s->event, TRACE_KEY_pasid, IOPF_PASID_NONE);
}

/* ---- Attach, detach, replace ------------------------------------------------ */

static bool keep_space(struct scenario *s, const struct scenario_endpoint *endpoint,
		       const struct scenario_owner *owner, uint32_t pasid)
{
	void *spaces = s->spaces;

	if (!scenario_room(s, &spaces, s->space_count, &s->space_room, sizeof(*s->spaces)))
		return false;
	s->spaces = spaces;
	s->spaces[s->space_count++] =
		(struct scenario_space){ .endpoint = scenario_number(s, endpoint),
					 .pasid = pasid,
					 .owner = scenario_owner_number(s, owner) };
	return true;
}

static void forget_space(struct scenario *s, uint32_t endpoint, uint32_t pasid)
{
	uint32_t kept = 0;

	for (uint32_t n = 0; n < s->space_count; n++)
		if (s->spaces[n].endpoint != endpoint || s->spaces[n].pasid != pasid)
			s->spaces[kept++] = s->spaces[n];
	s->space_count = kept;
}

static int attach_at(struct scenario *s, const struct scenario_endpoint *endpoint,
		     const struct scenario_owner *owner)
{
	uint32_t pasid = pasid_of(s);
	int error;

	if (owner->queues)
		return world_attach(&s->world, owner->guest, endpoint->options.rid, pasid);
	error = iopf_broker_attach(broker_of(s), endpoint->endpoint, pasid, owner->owner);
	if (error == 0 && !keep_space(s, endpoint, owner, pasid))
		return -ENOMEM;
	if (error == 0)
		scenario_note(s, (struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
						     .guest = owner->note,
						     .endpoint = endpoint->endpoint,
						     .pasid = pasid });
	return error;
}

bool scenario_attach(struct scenario *s)
{
	const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct scenario_owner *owner;

	if (endpoint == NULL)
		return false;
	owner = scenario_owner_of(s);
	return owner != NULL && scenario_result_holds(s, attach_at(s, endpoint, owner));
}

/* A guest takes its own entry away, and waits until that is drained. */
static int detach_guest(struct scenario *s, const struct scenario_endpoint *endpoint,
			const struct scenario_owner *owner, bool stepwise)
{
	struct iopf_agent *agent = s->world.guests[owner->guest].agent;
	uint32_t rid = endpoint->options.rid, pasid = pasid_of(s);
	int error = iopf_agent_detach(agent, rid, pasid);

	for (unsigned n = 0; error == 0 && !stepwise && n < DETACH_TURNS; n++) {
		if (iopf_agent_attached(agent, rid, pasid) == -ENOENT)
			return 0;
		iopf_agent_recover(agent);
		iopf_agent_poll(agent, 64);
		scenario_turn(s);
	}
	return error != 0 || stepwise ? error : -ETIMEDOUT;
}

int scenario_detach_begin(struct scenario *s, struct scenario_endpoint *endpoint,
			  uint32_t pasid)
{
	int error = iopf_broker_detach(broker_of(s), endpoint->endpoint, pasid);

	if (error == 0) {
		endpoint->detaching = true;
		endpoint->detach_pasid = pasid;
		forget_space(s, scenario_number(s, endpoint), pasid);
	}
	return error;
}

static bool detach_at(struct scenario *s, struct scenario_endpoint *endpoint)
{
	bool stepwise = trace_number(s->event, TRACE_KEY_stepwise, 0);
	int error;

	if (endpoint->guest != SCENARIO_NONE)
		return scenario_result_holds(
			s, detach_guest(s, endpoint, &s->owners[endpoint->guest], stepwise));
	error = scenario_detach_begin(s, endpoint, pasid_of(s));
	return scenario_result_holds(s, error) &&
	       (error != 0 || stepwise || scenario_finish(s, endpoint));
}

bool scenario_detach(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

	return endpoint != NULL && detach_at(s, endpoint);
}

/* At its end the address space is another owner's. */
static int replace_begin(struct scenario *s, struct scenario_endpoint *endpoint,
			 const struct scenario_owner *owner)
{
	int error = iopf_broker_replace(broker_of(s), endpoint->endpoint, pasid_of(s),
					owner->owner, s->world.now_ns);

	if (error != 0)
		return error;
	endpoint->detaching = true;
	endpoint->detach_pasid = pasid_of(s);
	endpoint->successor = owner;
	forget_space(s, scenario_number(s, endpoint), pasid_of(s));
	return keep_space(s, endpoint, owner, pasid_of(s)) ? 0 : -ENOMEM;
}

bool scenario_replace(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct scenario_owner *owner;
	int error;

	if (endpoint == NULL)
		return false;
	owner = scenario_owner_of(s);
	if (owner == NULL)
		return false;
	if (owner->queues)
		return scenario_bad(s, TRACE_KEY_owner,
				    "%s attaches by itself, expected an owner without queues",
				    owner->name);
	error = replace_begin(s, endpoint, owner);
	return scenario_result_holds(s, error) &&
	       (error != 0 || trace_number(s->event, TRACE_KEY_stepwise, 0) ||
		scenario_finish(s, endpoint));
}

void scenario_owners_after(struct scenario *s)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++) {
		struct scenario_endpoint *endpoint = &s->endpoints[n];

		if (!endpoint->detaching || endpoint->endpoint == IOPF_NO_ID ||
		    iopf_host_busy(s->world.host, endpoint->endpoint))
			continue;
		endpoint->detaching = false;
		scenario_note(s, (struct iopf_note){ .kind = IOPF_NOTE_DETACH,
						     .guest = IOPF_NO_ID,
						     .endpoint = endpoint->endpoint,
						     .pasid = endpoint->detach_pasid });
		if (endpoint->successor != NULL)
			scenario_note(s, (struct iopf_note){
						 .kind = IOPF_NOTE_ATTACH,
						 .guest = endpoint->successor->note,
						 .endpoint = endpoint->endpoint,
						 .pasid = endpoint->detach_pasid });
		endpoint->successor = NULL;
	}
}

/* ---- Shown ------------------------------------------------------------------ */

/* What the statement says about the group is required of it. */
static bool shown_holds(struct scenario *s, const struct scenario_group *group)
{
	const char *name = trace_name(s->event, TRACE_KEY_group);
	const struct {
		enum trace_key key;
		uint64_t found;
	} said[] = {
		{ TRACE_KEY_pasid, group->pasid },
		{ TRACE_KEY_index, group->index },
		{ TRACE_KEY_virtual_index, group->virtual_index },
		{ TRACE_KEY_addr, group->page_count > 0 ? s->pages[group->page_first].addr :
							  group->addr },
		{ TRACE_KEY_page_count, group->page_count },
	};

	if (name != NULL && strcmp(group->name, name) != 0)
		return scenario_fail(s, TRACE_KEY_group,
				     "required: the next group is %s; found: %s, PASID %d, index "
				     "%u, addr 0x%llx",
				     name, group->name[0] != '\0' ? group->name : "another",
				     (int)group->pasid, group->index,
				     (unsigned long long)group->addr);
	for (size_t n = 0; n < sizeof(said) / sizeof(said[0]); n++)
		if (trace_number(s->event, said[n].key, said[n].found) != said[n].found)
			return scenario_fail(
				s, said[n].key, "required: %s=%lld; found: %lld",
				trace_key_name(said[n].key),
				(long long)trace_number(s->event, said[n].key, 0),
				(long long)said[n].found);
	return true;
}

/* The pages of a group that was fetched, put down. */
static void keep_pages(struct scenario *s, struct scenario_group *group)
{
	struct iopf_page pages[SCENARIO_PAGE_MAX];
	int count = iopf_broker_pages(broker_of(s), group->token, 0, pages,
				      SCENARIO_PAGE_MAX);

	group->page_first = s->page_count;
	group->page_count = 0;
	for (int n = 0; n < count; n++) {
		void *room = s->pages;

		if (!scenario_room(s, &room, s->page_count, &s->page_room,
				   sizeof(*s->pages)))
			return;
		s->pages = room;
		s->pages[s->page_count++] = pages[n];
		group->page_count++;
	}
}

static int fetch(struct scenario *s, const struct scenario_owner *owner, uint32_t *number)
{
	struct iopf_group fetched;
	int error = iopf_broker_fetch(broker_of(s), owner->owner, &fetched, s->world.now_ns);

	if (error != 0)
		return error;
	*number = SCENARIO_NONE;
	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (s->endpoints[n].endpoint == fetched.endpoint)
			*number = scenario_group_at(s, n, fetched.pasid, fetched.index);
	scenario_note(s, (struct iopf_note){ .kind = IOPF_NOTE_SHOW,
					     .guest = owner->note,
					     .endpoint = fetched.endpoint,
					     .pasid = fetched.pasid,
					     .token = fetched.token,
					     .group = &fetched });
	if (*number != SCENARIO_NONE)
		keep_pages(s, &s->groups[*number]);
	return 0;
}

/* The next group in the guest's own queue. */
static int take(struct scenario *s, struct scenario_owner *owner, uint32_t *number)
{
	(void)s;
	while (owner->read < owner->whole && owner->inbox.seen[owner->read].unread)
		owner->read++;
	if (owner->read == owner->whole)
		return -EAGAIN;
	*number = owner->inbox.seen[owner->read++].group;
	return 0;
}

bool scenario_show(struct scenario *s)
{
	struct scenario_owner *owner = scenario_owner_of(s);
	uint32_t number = SCENARIO_NONE;
	int error;

	if (owner == NULL)
		return false;
	if (owner->honest)
		return scenario_bad(s, TRACE_KEY_owner,
				    "%s takes what it is shown by itself, expected another",
				    owner->name);
	error = owner->queues ? take(s, owner, &number) : fetch(s, owner, &number);
	if (!scenario_result_holds(s, error) || error != 0)
		return s->result->outcome == SCENARIO_OK;
	if (number == SCENARIO_NONE)
		return scenario_fail(s, TRACE_KEY_NONE,
				     "required: a group that a function asked for; found: one "
				     "that none did");
	if (s->groups[number].name[0] == '\0' && trace_name(s->event, TRACE_KEY_group))
		snprintf(s->groups[number].name, sizeof(s->groups[number].name), "%s",
			 trace_name(s->event, TRACE_KEY_group));
	return shown_holds(s, &s->groups[number]);
}

/* ---- Pages ------------------------------------------------------------------ */

static struct scenario_group *named_group(struct scenario *s)
{
	const char *name = trace_name(s->event, TRACE_KEY_group);
	uint32_t number = name != NULL ? scenario_group_of(s, name) : SCENARIO_NONE;

	if (number != SCENARIO_NONE)
		return &s->groups[number];
	if (name == NULL)
		scenario_bad(s, TRACE_KEY_NONE, "'%s' without 'group', expected it",
			     trace_kind_name(s->event->kind));
	else
		scenario_bad(s, TRACE_KEY_group, "group=%s, expected one that was asked for",
			     name);
	return NULL;
}

bool scenario_page(struct scenario *s)
{
	const struct scenario_group *group = named_group(s);
	uint64_t number = trace_number(s->event, TRACE_KEY_number, 0);
	uint64_t addr = trace_number(s->event, TRACE_KEY_addr, 0);
	const struct iopf_page *page;

	if (group == NULL)
		return false;
	if (number >= group->page_count)
		return scenario_fail(s, TRACE_KEY_number, "required: page %llu; found: %u pages",
				     (unsigned long long)number, group->page_count);
	page = &s->pages[group->page_first + number];
	if (page->addr != addr)
		return scenario_fail(s, TRACE_KEY_addr, "required: 0x%llx; found: 0x%llx",
				     (unsigned long long)addr,
				     (unsigned long long)page->addr);
	return trace_number(s->event, TRACE_KEY_perm, page->perm) == page->perm ||
	       scenario_fail(s, TRACE_KEY_perm, "required: other rights; found: 0x%x",
			     page->perm);
}

/* ---- Answers ---------------------------------------------------------------- */

/* The token of @group, as far as anybody was told, or as the ledger has it now. */
static uint64_t token_of(struct scenario *s, const struct scenario_group *group)
{
	uint32_t endpoint = s->endpoints[group->endpoint].endpoint, cursor = 0;
	struct iopf_owed owed;

	if (group->token != 0)
		return group->token;
	while (iopf_broker_owed(broker_of(s), endpoint, &cursor, &owed, 1,
				s->world.now_ns) == 1)
		if (owed.index == group->index && owed.pasid == group->pasid)
			return owed.token;
	return 0;
}

static bool token_said(struct scenario *s, uint64_t *token)
{
	const struct scenario_group *group;

	if (trace_find(s->event, TRACE_KEY_token) != NULL) {
		*token = trace_number(s->event, TRACE_KEY_token, 0);
		return true;
	}
	group = named_group(s);
	if (group == NULL)
		return false;
	*token = token_of(s, group);
	return *token != 0 ||
	       scenario_bad(s, TRACE_KEY_group,
			    "group=%s is not in the ledger, expected one that is or was shown",
			    trace_name(s->event, TRACE_KEY_group));
}

static void note_answer(struct scenario *s, const struct scenario_owner *owner,
			uint64_t token, enum iopf_code code, int taken)
{
	if (taken == -EPERM || owner->released)
		return; /* the group stays open; there is nobody to count it for */
	scenario_note(s, (struct iopf_note){
				 .kind = taken == 0 ? IOPF_NOTE_ANSWER : IOPF_NOTE_REFUSE,
				 .guest = owner->note,
				 .endpoint = IOPF_NO_ID,
				 .pasid = IOPF_PASID_NONE,
				 .token = token,
				 .code = (uint8_t)code });
}

static int answer_remote(struct scenario *s, const struct scenario_owner *owner,
			 uint64_t token, enum iopf_code code)
{
	int error = iopf_broker_answer_remote(broker_of(s), owner->owner, token, code);

	if (error == 0 && s->pending_count < SCENARIO_PENDING_MAX)
		s->pending[s->pending_count++] =
			(struct scenario_pending){ .token = token,
						   .owner = scenario_owner_number(s, owner),
						   .code = (uint8_t)code };
	return error;
}

static bool answer_here(struct scenario *s, const struct scenario_owner *owner)
{
	enum iopf_code code = (enum iopf_code)trace_number(s->event, TRACE_KEY_code, 0);
	uint64_t token;
	int taken;

	if (!token_said(s, &token))
		return false;
	if (trace_number(s->event, TRACE_KEY_remote, 0))
		return scenario_result_holds(s, answer_remote(s, owner, token, code));
	taken = iopf_broker_answer(broker_of(s), owner->owner, token, code,
				   s->world.now_ns);
	note_answer(s, owner, token, code, taken);
	return scenario_result_holds(s, taken);
}

/* Whoever answers through a queue is not told that an answer was refused. */
static bool is_unseen(const struct scenario *s)
{
	uint64_t wanted = trace_number(s->event, TRACE_KEY_result, TRACE_RESULT_ok);

	return wanted == TRACE_RESULT_refused || wanted == TRACE_RESULT_forbidden;
}

/* Into the guest's command queue: what it names there is not checked by anybody here. */
static bool answer_in_queue(struct scenario *s, const struct scenario_owner *owner)
{
	const struct trace_event *event = s->event;
	struct iopf_agent *agent = s->world.guests[owner->guest].agent;
	const struct scenario_group *group = NULL;
	uint32_t rid, pasid = pasid_of(s);
	uint64_t index = trace_number(event, TRACE_KEY_index, 0);
	int error;

	if (trace_name(event, TRACE_KEY_group) != NULL) {
		group = named_group(s);
		if (group == NULL)
			return false;
		rid = s->endpoints[group->endpoint].options.rid;
		pasid = group->pasid;
		index = group->virtual_index;
	} else if (trace_find(event, TRACE_KEY_rid) != NULL) {
		rid = (uint32_t)trace_number(event, TRACE_KEY_rid, 0);
	} else {
		const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

		if (endpoint == NULL)
			return false;
		rid = endpoint->options.rid;
	}
	error = iopf_agent_answer(agent, rid, pasid,
				  (uint16_t)trace_number(event, TRACE_KEY_virtual_index,
							 index),
				  (enum iopf_code)trace_number(event, TRACE_KEY_code, 0));
	iopf_agent_kick(agent);
	return is_unseen(s) ? error == 0 : scenario_result_holds(s, error);
}

bool scenario_answer(struct scenario *s)
{
	const struct scenario_owner *owner = scenario_owner_of(s);

	if (owner == NULL)
		return false;
	return owner->queues ? answer_in_queue(s, owner) : answer_here(s, owner);
}

/* An honest owner answers whatever it is shown. */
static void serve(struct scenario *s, const struct scenario_owner *owner)
{
	struct iopf_group group;

	while (iopf_broker_fetch(broker_of(s), owner->owner, &group, s->world.now_ns) == 0) {
		scenario_note(s, (struct iopf_note){ .kind = IOPF_NOTE_SHOW,
						     .guest = owner->note,
						     .endpoint = group.endpoint,
						     .pasid = group.pasid,
						     .token = group.token,
						     .group = &group });
		note_answer(s, owner, group.token, IOPF_SUCCESS,
			    iopf_broker_answer(broker_of(s), owner->owner, group.token,
					       IOPF_SUCCESS, s->world.now_ns));
	}
}

void scenario_owners_before(struct scenario *s)
{
	uint32_t count = s->pending_count;

	if (s->world.hold_host)
		return;
	for (uint32_t n = 0; n < s->owner_count; n++)
		if (s->owners[n].honest && !s->owners[n].queues && !s->owners[n].gone)
			serve(s, &s->owners[n]);
	/* What the next turn takes out of inboxes: the first answer to a group that its
	 * owner has, and no other. */
	s->pending_count = 0;
	for (uint32_t n = 0; n < count; n++) {
		const struct scenario_pending *pending = &s->pending[n];
		uint32_t cursor = 0;
		struct iopf_owed owed;
		bool taken = false;

		while (iopf_broker_owed(broker_of(s), IOPF_NO_ID, &cursor, &owed, 1,
					s->world.now_ns) == 1)
			taken |= owed.token == pending->token &&
				 owed.state == IOPF_GROUP_DELIVERED &&
				 owed.owner == s->owners[pending->owner].owner;
		for (uint32_t earlier = 0; earlier < n; earlier++)
			taken &= s->pending[earlier].token != pending->token;
		note_answer(s, &s->owners[pending->owner], pending->token,
			    (enum iopf_code)pending->code, taken ? 0 : -ENOENT);
	}
}

bool scenario_end(struct scenario *s)
{
	uint64_t token;

	if (!token_said(s, &token))
		return false;
	return scenario_result_holds(
		s, iopf_broker_end(broker_of(s), token,
				   (enum iopf_code)trace_number(s->event, TRACE_KEY_code,
								IOPF_INVALID),
				   (enum iopf_ending)trace_number(s->event,
								  TRACE_KEY_ending, 0),
				   s->world.now_ns));
}
