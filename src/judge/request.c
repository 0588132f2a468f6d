/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/request.c - requests and stop markers: what a device may ask. */
#include "judge/book.h"

/* ---- Form -------------------------------------------------------------------------- */

static bool is_page(const struct iopf_judge_event *event)
{
	return (event->addr & 0xfff) == 0;
}

static bool is_index(const struct iopf_judge_event *event)
{
	return event->index <= 0x1ff;
}

static bool reads(const struct iopf_judge_event *event)
{
	return !(event->perm & IOPF_EXEC) || event->perm & IOPF_READ;
}

static bool may_have(const struct iopf_judge_event *event)
{
	return !(event->perm & (IOPF_EXEC | IOPF_PRIV)) || event->pasid != IOPF_PASID_NONE;
}

static const struct form {
	enum judge_rule rule;
	bool (*holds)(const struct iopf_judge_event *event);
	const char *was, *wanted;
} forms[] = {
	{ RULE_PRI_PAGE, is_page, "an address within a page", "a multiple of 4096" },
	{ RULE_PRI_INDEX_RANGE, is_index, "an index of more than 9 bits", "0 to 511" },
	{ RULE_PRI_EXECUTE, reads, "execute without read", "read as well" },
	{ RULE_PRI_PASID_RIGHTS, may_have, "execute or privileged without a PASID",
	  "a PASID, or neither right" },
};

static void check_form(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	for (unsigned n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
		const struct form *form = &forms[n];
		struct say say;

		if (judge_holds(judge, form->rule, event, &judge->endpoints[endpoint],
				form->holds(event)))
			continue;
		say = say_begin(judge, form->rule, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "%s", form->was);
		say_wanted(&say, "%s", form->wanted);
	}
}

void request_family(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint, enum iopf_mechanism mechanism)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	const struct judge_family *family = book_family(judge, it);
	struct say say;

	if (family == NULL) {
		judge_unknown(judge, RULE_FAMILY_MECHANISM);
		return;
	}
	if (!judge_holds(judge, RULE_FAMILY_MECHANISM, event, it,
			 family->mechanisms >> mechanism & 1)) {
		say = say_begin(judge, RULE_FAMILY_MECHANISM, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "%s behind %s",
			mechanism == IOPF_STALLS ? "a stall" : "a page request",
			family->name);
		say_wanted(&say, "%s", mechanism == IOPF_STALLS ? "a page request" :
								  "a stall");
	}
	if (!judge_holds(judge, RULE_FAMILY_PASID, event, it,
			 !family->no_pasids || event->pasid == IOPF_PASID_NONE)) {
		say = say_begin(judge, RULE_FAMILY_PASID, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "a PASID behind %s", family->name);
		say_wanted(&say, "none");
	}
}

/* ---- May it ask? ------------------------------------------------------------------- */

static void say_silent(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint, enum judge_rule rule, uint64_t since)
{
	struct say say = say_begin(judge, rule, event, endpoint);

	say_line(&say, since);
	say_line(&say, judge->line);
	say_was(&say, "a request");
	say_wanted(&say, "%s",
		   rule == RULE_PRI_REMOVED ? "none: the function is gone" :
		   rule == RULE_PRI_FAILED ?
					      "none before it is enabled again: a response "
					      "failure reached it" :
					      "none: paging is off, and nothing outstanding");
}

static void check_paging(struct iopf_judge *judge, const struct iopf_judge_event *event,
			 uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_endpoint *interface = book_interface(judge, it);
	bool stopped = interface->paging == BOOK_PAGING_OFF &&
		       interface->in_flight[IOPF_AT_FUNCTION] == 0;

	if (event->interface != IOPF_AT_FUNCTION)
		return;
	if (!judge_holds(judge, RULE_PRI_REMOVED, event, it, !it->gone)) {
		say_silent(judge, event, endpoint, RULE_PRI_REMOVED, it->gone_line);
		return;
	}
	if (!judge_holds(judge, RULE_PRI_FAILED, event, it, !interface->failed))
		say_silent(judge, event, endpoint, RULE_PRI_FAILED, interface->failed_line);
	if (interface->paging == BOOK_PAGING_UNKNOWN)
		judge_unknown(judge, RULE_PRI_ENABLED);
	else if (!judge_holds(judge, RULE_PRI_ENABLED, event, it, !stopped))
		say_silent(judge, event, endpoint, RULE_PRI_ENABLED, interface->paging_line);
	if (stopped)
		interface->unsure = interface->wild = it->unsure = it->wild = true;
}

static void check_credits(struct iopf_judge *judge, const struct iopf_judge_event *event,
			  const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	struct book_endpoint *interface = book_interface(judge, it);
	uint32_t in_flight = interface->in_flight[event->interface];
	bool twice = event->interface == IOPF_AT_QUEUE &&
		     (it->seen[IOPF_AT_FUNCTION] || it->lost);
	struct say say;

	if (interface->allocation == 0 || twice || interface->unsure) {
		judge_unknown(judge, RULE_PRI_CREDITS);
		interface->exceeded |= interface->allocation != 0 &&
				       in_flight > interface->allocation;
		return;
	}
	interface->exceeded |= in_flight > interface->allocation;
	if (judge_holds(judge, RULE_PRI_CREDITS, event, it,
			in_flight <= interface->allocation))
		return;
	say = say_begin(judge, RULE_PRI_CREDITS, event, group->endpoint);
	say_line(&say, interface->paging_line);
	say_line(&say, judge->line);
	say_was(&say, "%u requests outstanding", (unsigned)in_flight);
	say_wanted(&say, "at most %u", (unsigned)interface->allocation);
}

/* ---- Its group --------------------------------------------------------------------- */

/* A sum without an order, of what was asked. */
static uint64_t page_sum(const struct iopf_judge_event *event)
{
	uint64_t word = event->addr ^ event->perm ^ (uint64_t)event->pasid << 32;

	word *= MAP_RATIO;
	return (word ^ word >> 29) * MAP_RATIO;
}

bool request_stalls(const struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	return event->flags & IOPF_JUDGE_STALL ||
	       judge->endpoints[endpoint].mechanism == IOPF_STALLS;
}

/* In whose time it is asked: at the function's end, where that was seen. */
static void ask(struct iopf_judge *judge, struct book_group *group)
{
	const struct book_group *asked = NULL;

	if (group->interface == IOPF_AT_QUEUE)
		asked = link_asked(judge, group);
	if (asked != NULL) {
		group->space = asked->space;
		group->epoch = asked->epoch;
		return;
	}
	group->space = book_space_of(judge, group->endpoint, group->pasid);
	if (group->space != BOOK_NONE && !judge->spaces[group->space].attached)
		group->space = BOOK_NONE;
	if (group->space != BOOK_NONE)
		group->epoch = judge->spaces[group->space].epoch;
}

void request_count(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   struct book_group *group, bool last)
{
	uint32_t space;

	if (group->requests++ == 0)
		ask(judge, group);
	group->pages += page_sum(event);
	if (event->interface == IOPF_AT_QUEUE)
		link_request(judge, event, group);
	if (!last)
		return;
	if (event->interface != IOPF_AT_FUNCTION)
		space = book_space_of(judge, group->endpoint, group->pasid);
	else
		space = group->space;
	if (space != BOOK_NONE && !judge->spaces[space].attached)
		space = BOOK_NONE;
	book_group_wait(judge, group, space);
	link_pages(judge, group);
}

/* The index of a group that waits is used again. */
static void say_busy(struct iopf_judge *judge, const struct iopf_judge_event *event,
		     const struct book_group *group)
{
	struct say say = say_group(judge, RULE_PRI_INDEX_FREE, event, group);

	say_line(&say, judge->line);
	say_was(&say, "its index in a new request");
	say_wanted(&say, "another index: its group waits for its response");
}

/* What is open there may be left over of a time that its function has forgotten. */
static bool at_queue_of(const struct book_endpoint *it, const struct iopf_judge_event *event)
{
	return event->interface == IOPF_AT_QUEUE && it->seen[IOPF_AT_FUNCTION];
}

static void check_pasid(struct iopf_judge *judge, const struct iopf_judge_event *event,
			const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	struct say say;

	if (at_queue_of(it, event)) {
		judge_unknown(judge, RULE_PRI_GROUP_PASID);
		return;
	}
	if (it->pasid_in_response < 0 && group->pasid != event->pasid) {
		judge_unknown(judge, RULE_PRI_GROUP_PASID);
		it->unsure = true;
		return;
	}
	if (judge_holds(judge, RULE_PRI_GROUP_PASID, event, it, group->pasid == event->pasid))
		return;
	say = say_group(judge, RULE_PRI_GROUP_PASID, event, group);
	say_line(&say, judge->line);
	say_was(&say, event->pasid == IOPF_PASID_NONE ? "a request without PASID" :
							"a request with PASID %u",
		(unsigned)event->pasid);
	say_wanted(&say, "the PASID of the requests before it");
}

/* The group that the request is part of: the open one, or a new one. */
static struct book_group *group_of(struct iopf_judge *judge,
				   const struct iopf_judge_event *event, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, false);
	bool busy = group != NULL && group->state == BOOK_WAITING;

	if (group != NULL && group->state == BOOK_OPEN) {
		check_pasid(judge, event, group);
		if (!at_queue_of(it, event) || group->pasid == event->pasid)
			return group;
		it->unsure = true;
	} else if (it->unsure || at_queue_of(it, event)) {
		judge_unknown(judge, RULE_PRI_INDEX_FREE);
		it->unsure |= busy;
		it->wild |= busy && event->interface == IOPF_AT_FUNCTION;
	} else if (busy) {
		if (it->pasid_in_response < 0 && group->pasid != event->pasid)
			judge_unknown(judge, RULE_PRI_INDEX_FREE);
		else if (!judge_holds(judge, RULE_PRI_INDEX_FREE, event, it, false))
			say_busy(judge, event, group);
		it->unsure = true;
		it->wild |= event->interface == IOPF_AT_FUNCTION;
	} else {
		judge_holds(judge, RULE_PRI_INDEX_FREE, event, it, true);
	}
	return book_group_new(judge, endpoint, event->interface, event->pasid, event->index,
			      false);
}

void request_settle(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];

	if (event->interface != IOPF_AT_QUEUE)
		return;
	if (it->removed)
		group->optional = true; /* of nobody that the host knows */
	else if (link_leftover(judge, group))
		book_group_close(judge, group, BOOK_FORGOTTEN);
}

void request_seen(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_source *source = book_source(judge, it->source);
	struct book_group *group;

	it->seen[event->interface] = true;
	if (event->interface == IOPF_AT_QUEUE && source != NULL)
		source->queue_seen = true;
	if (event->flags & IOPF_JUDGE_FORCED)
		it->excused |= 1U << IOPF_PARTY_DEVICE;
	if (event->interface == IOPF_AT_KERNEL) {
		kernel_request(judge, event, endpoint);
		return;
	}
	if (request_stalls(judge, event, endpoint)) {
		stall_request(judge, event, endpoint);
		return;
	}
	check_form(judge, event, endpoint);
	request_family(judge, event, endpoint, IOPF_PRI);
	check_paging(judge, event, endpoint);
	group = group_of(judge, event, endpoint);
	if (group == NULL)
		return;
	book_interface(judge, it)->in_flight[event->interface]++;
	request_count(judge, event, group, event->flags & IOPF_JUDGE_LAST);
	check_credits(judge, event, group);
	request_settle(judge, event, group);
}

/* ---- Stop markers ------------------------------------------------------------------ */

/* A group of @pasid whose last has not come: the first one, of those looked at. */
static struct book_group *partial_of(struct iopf_judge *judge, uint32_t endpoint,
				     uint8_t interface, uint32_t pasid)
{
	uint32_t number = judge->endpoints[endpoint].live[interface].first;

	for (unsigned n = 0; n < BOOK_SCAN_MAX && number != BOOK_NONE; n++) {
		struct book_group *group = &judge->groups[number];

		if (group->state == BOOK_OPEN && group->pasid == pasid)
			return group;
		number = group->next[BOOK_LIVE];
	}
	return NULL;
}

static void say_partial(struct iopf_judge *judge, const struct iopf_judge_event *event,
			const struct book_group *group)
{
	struct say say = say_group(judge, RULE_PRI_STOP_PARTIAL, event, group);

	say_line(&say, judge->line);
	say_was(&say, "a stop marker of its PASID");
	say_wanted(&say, "its last request first");
}

/* Its response left the queue, and has not come to the function yet. */
static bool on_its_way(const struct book_endpoint *it, const struct book_group *group)
{
	return group->interface == IOPF_AT_QUEUE && group->state == BOOK_ANSWERED &&
	       !group->arrived && it->seen[IOPF_AT_FUNCTION];
}

/* What the marker's index would name: that no response comes for it. */
static void mark(struct iopf_judge *judge, const struct iopf_judge_event *event,
		 uint32_t endpoint)
{
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, false);

	if (!(event->flags & IOPF_JUDGE_INDEX) ||
	    (group != NULL &&
	     (group->state == BOOK_OPEN || group->state == BOOK_WAITING ||
	      on_its_way(&judge->endpoints[endpoint], group))))
		return;
	group = book_group_new(judge, endpoint, event->interface, event->pasid,
			       event->index, false);
	if (group != NULL)
		book_group_close(judge, group, BOOK_MARKED);
}

void request_stop(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *partial;
	struct say say;

	it->seen[event->interface] = true;
	if (!judge_holds(judge, RULE_PRI_STOP_PASID, event, it,
			 event->pasid != IOPF_PASID_NONE)) {
		say = say_begin(judge, RULE_PRI_STOP_PASID, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "a stop marker without a PASID");
		say_wanted(&say, "the PASID that was stopped");
		return;
	}
	partial = partial_of(judge, endpoint, event->interface, event->pasid);
	if (!judge_holds(judge, RULE_PRI_STOP_PARTIAL, event, it, partial == NULL))
		say_partial(judge, event, partial);
	/* Its last, if it comes, is a group of the next use. */
	while (event->interface == IOPF_AT_QUEUE && partial != NULL) {
		book_group_close(judge, partial, BOOK_FORGOTTEN);
		partial = partial_of(judge, endpoint, event->interface, event->pasid);
	}
	mark(judge, event, endpoint);
}

/* ---- Without a response ------------------------------------------------------------ */

void request_drop(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	struct book_group *group;

	if (request_stalls(judge, event, endpoint)) {
		stall_drop(judge, event, endpoint);
		return;
	}
	if (!(event->flags & IOPF_JUDGE_INDEX))
		return;
	group = book_group_find(judge, endpoint, event->interface, event->pasid,
				event->index, false);
	if (group != NULL && (group->state == BOOK_OPEN || group->state == BOOK_WAITING))
		book_group_close(judge, group, BOOK_FORGOTTEN);
}
