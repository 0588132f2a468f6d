/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/response.c - responses to groups of page requests. */
#include "judge/book.h"

/* ---- Which group ------------------------------------------------------------------- */

/* Of its index, where its PASID is not that of a group: the response may be wrong. */
static struct book_group *of_index(struct iopf_judge *judge, uint32_t endpoint,
				   const struct iopf_judge_event *event)
{
	uint32_t number = judge->endpoints[endpoint].live[event->interface].first;

	for (unsigned n = 0; n < BOOK_SCAN_MAX && number != BOOK_NONE; n++) {
		struct book_group *group = &judge->groups[number];

		if (group->index == event->index && !group->stall &&
		    group->state == BOOK_WAITING)
			return group;
		number = group->next[BOOK_LIVE];
	}
	return NULL;
}

static struct book_group *group_of(struct iopf_judge *judge,
				   const struct iopf_judge_event *event, uint32_t endpoint)
{
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, false);

	return group != NULL ? group : of_index(judge, endpoint, event);
}

/* ---- Its PASID --------------------------------------------------------------------- */

static void check_pasid(struct iopf_judge *judge, const struct iopf_judge_event *event,
			const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	bool has = event->pasid != IOPF_PASID_NONE;
	bool asked = group->pasid != IOPF_PASID_NONE;
	enum judge_rule rule = RULE_PRI_PASID_SAME;
	bool holds = group->pasid == event->pasid;
	struct say say;

	if (it->unsure || it->removed || (it->pasid_in_response < 0 && asked && !has)) {
		judge_unknown(judge, RULE_PRI_PASID_REQUIRED);
		return;
	}
	if (!asked || it->pasid_in_response == 0) {
		rule = RULE_PRI_PASID_SUPERFLUOUS;
		holds = !has;
	} else if (!has) {
		rule = RULE_PRI_PASID_REQUIRED;
	} else {
		judge_holds(judge, RULE_PRI_PASID_REQUIRED, event, it, true);
	}
	if (judge_holds(judge, rule, event, it, holds))
		return;
	say = say_group(judge, rule, event, group);
	say_line(&say, judge->line);
	say_was(&say, has ? "a response with PASID %u" : "a response without PASID",
		(unsigned)event->pasid);
	if (rule == RULE_PRI_PASID_SUPERFLUOUS)
		say_wanted(&say, "none: %s",
			   asked ? "the function wants none" : "the request had none");
	else
		say_wanted(&say, "PASID %u", (unsigned)group->pasid);
}

/* ---- Whether one is due ------------------------------------------------------------ */

static void say_not_due(struct iopf_judge *judge, const struct iopf_judge_event *event,
			const struct book_group *group, enum judge_rule rule,
			const char *wanted)
{
	struct say say = say_group(judge, rule, event, group);

	if (group->state != BOOK_OPEN)
		say_line(&say, group->end_line);
	say_line(&say, judge->line);
	say_was(&say, "a response, %s", say_code(event->code));
	say_wanted(&say, "%s", wanted);
}

/* The index names nothing. */
static void never_asked(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (!it->known[event->interface]) {
		judge_unknown(judge, RULE_PRI_RESPONSE_ASKED);
		return;
	}
	if (judge_holds(judge, RULE_PRI_RESPONSE_ASKED, event, it, false))
		return;
	say = say_begin(judge, RULE_PRI_RESPONSE_ASKED, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "a response, %s", say_code(event->code));
	say_wanted(&say, "none: no group of that name was asked");
}

/* What was forgotten by a reset, or thrown away after an overflow. At the function, the
 * response may have been on its way. */
static void forgotten(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	enum judge_rule rule = it->removed ? RULE_REMOVE_SILENT : RULE_RESET_SILENT;

	if (event->interface != IOPF_AT_QUEUE) {
		judge_unknown(judge, rule);
		return;
	}
	if (group->last_line == 0)
		rule = RULE_PRI_RESPONSE_EARLY;
	if (!judge_holds(judge, rule, event, it, false))
		say_not_due(judge, event, group, rule,
			    it->removed ? "none: the function is gone" :
			    group->last_line == 0 ?
					  "none: its last request never came" :
					  "none: it was forgotten by a reset");
}

/* @group: NULL: there is none of that name. */
static void check_due(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	if (it->unsure) {
		judge_unknown(judge, RULE_PRI_ONE_RESPONSE);
		return;
	}
	if (event->code == IOPF_FAILURE && (group == NULL || group->state == BOOK_OPEN))
		return; /* it is about the interface: its index need not name anything */
	if (group == NULL) {
		never_asked(judge, event, endpoint);
		return;
	}
	if (group->state == BOOK_FORGOTTEN) {
		forgotten(judge, event, group);
		return;
	}
	if (!judge_holds(judge, RULE_PRI_RESPONSE_MARKER, event, it,
			 group->state != BOOK_MARKED))
		say_not_due(judge, event, group, RULE_PRI_RESPONSE_MARKER,
			    "none: it was a stop marker");
	if (!judge_holds(judge, RULE_PRI_RESPONSE_EARLY, event, it,
			 group->state != BOOK_OPEN))
		say_not_due(judge, event, group, RULE_PRI_RESPONSE_EARLY,
			    "none before its last request");
	if (!judge_holds(judge, RULE_PRI_ONE_RESPONSE, event, it,
			 group->state != BOOK_ANSWERED))
		say_not_due(judge, event, group, RULE_PRI_ONE_RESPONSE,
			    "none: it was answered before");
	if (group->state != BOOK_WAITING)
		return;
	judge_holds(judge, RULE_PRI_RESPONSE_ASKED, event, it, true);
	judge_holds(judge, RULE_RESET_SILENT, event, it, true);
	judge_holds(judge, RULE_REMOVE_SILENT, event, it, true);
}

/* ---- What it says ------------------------------------------------------------------ */

static void check_code(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	bool own = !(event->flags & IOPF_JUDGE_RAW) && event->code < IOPF_CODE_COUNT;
	struct say say;

	if (judge_holds(judge, RULE_PRI_CODE, event, &judge->endpoints[endpoint], own))
		return;
	say = say_begin(judge, RULE_PRI_CODE, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "code %u", (unsigned)event->raw_code);
	say_wanted(&say, "one that the family has: success, invalid or failure");
}

static void check_credits(struct iopf_judge *judge, const struct iopf_judge_event *event,
			  const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	struct say say;

	if (event->count == 0 || it->allocation == 0 || group->state != BOOK_WAITING ||
	    !it->known[IOPF_AT_QUEUE] || it->unsure || book_interface(judge, it)->exceeded ||
	    book_optional(judge, group)) {
		judge_unknown(judge, RULE_PRI_RESPONSE_CREDITS);
		return;
	}
	if (judge_holds(judge, RULE_PRI_RESPONSE_CREDITS, event, it,
			event->count == group->requests))
		return;
	say = say_group(judge, RULE_PRI_RESPONSE_CREDITS, event, group);
	say_line(&say, judge->line);
	say_was(&say, "%u credits given back", (unsigned)event->count);
	say_wanted(&say, "%u: as many as its requests", (unsigned)group->requests);
}

/* ---- The IOMMU's own --------------------------------------------------------------- */

static void say_own(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint, enum judge_rule rule, const char *wanted)
{
	struct say say = say_begin(judge, rule, event, endpoint);

	say_line(&say, judge->line);
	say_was(&say, "%s from the IOMMU itself", say_code(event->code));
	say_wanted(&say, "%s", wanted);
}

static void check_own(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	const struct judge_family *family = book_family(judge, it);
	bool failure = event->code == IOPF_FAILURE;

	if (family == NULL || family->own == FAMILY_OWN_UNKNOWN) {
		judge_unknown(judge, RULE_AUTO_CODE);
		return;
	}
	if (!judge_holds(judge, RULE_AUTO_CODE, event, it,
			 event->code < IOPF_CODE_COUNT && family->own >> event->code & 1))
		say_own(judge, event, endpoint, RULE_AUTO_CODE,
			"a code that the family gives by itself");
	if (group != NULL &&
	    !judge_holds(judge, RULE_AUTO_LAST, event, it,
			 group->state != BOOK_OPEN || (failure && family->own_any)))
		say_own(judge, event, endpoint, RULE_AUTO_LAST,
			"nothing: the request was not a last one");
	if (failure && family->own_bare &&
	    !judge_holds(judge, RULE_AUTO_PASID, event, it,
			 event->pasid == IOPF_PASID_NONE))
		say_own(judge, event, endpoint, RULE_AUTO_PASID, "no PASID");
}

/* ---- All together ------------------------------------------------------------------ */

/* The interface is off from here: what it asked before needs no response any more. */
static void fail(struct iopf_judge *judge, const struct iopf_judge_event *event,
		 uint32_t endpoint)
{
	struct book_endpoint *interface =
		book_interface(judge, &judge->endpoints[endpoint]);

	if (event->code != IOPF_FAILURE)
		return;
	interface->failing = true;
	if (event->interface != IOPF_AT_FUNCTION)
		return;
	interface->failed = true;
	interface->failed_line = judge->line;
}

static void settle(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   struct book_group *group)
{
	if (group->state == BOOK_WAITING)
		judge_holds(judge, RULE_PRI_RESPONSE_DUE, event, NULL, true);
	if (group->state == BOOK_OPEN || group->state == BOOK_WAITING)
		book_group_close(judge, group, BOOK_ANSWERED);
	else if (group->state == BOOK_ANSWERED)
		group->end_line = judge->line;
	else
		return;
	group->code = event->code;
	group->arrived = false;
}

void response_seen(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group;
	enum link link;

	it->seen[event->interface] = true;
	if (event->interface == IOPF_AT_KERNEL) {
		kernel_response(judge, event, endpoint);
		return;
	}
	if (request_stalls(judge, event, endpoint)) {
		stall_response(judge, event, endpoint);
		return;
	}
	/* A function that had a failure does not listen, and one that is gone neither. */
	if (event->interface == IOPF_AT_FUNCTION &&
	    (it->gone || book_interface(judge, it)->failed))
		return;
	check_code(judge, event, endpoint);
	group = group_of(judge, event, endpoint);
	link = link_response(judge, event, endpoint, group);
	if (link == LINK_OWN)
		check_own(judge, event, endpoint, group);
	else if (link != LINK_NEVER)
		check_due(judge, event, endpoint, group);
	if (group != NULL && event->interface == IOPF_AT_QUEUE) {
		check_credits(judge, event, group);
		owner_response(judge, event, group);
	}
	if (group != NULL && group->state != BOOK_FORGOTTEN && !book_optional(judge, group) &&
	    link != LINK_OWN &&
	    event->code != IOPF_FAILURE)
		check_pasid(judge, event, group);
	fail(judge, event, endpoint);
	if (group != NULL && link != LINK_NEVER)
		settle(judge, event, group);
}
