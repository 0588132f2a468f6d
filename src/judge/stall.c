/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/stall.c - stalled transactions: a group of one each, named by stream and tag. */
#include "judge/book.h"

/* ---- Stalled ----------------------------------------------------------------------- */

static void check_pool(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_source *source = book_source(judge, it->source);
	struct say say;

	if (event->interface != IOPF_AT_FUNCTION || source == NULL)
		return;
	source->stalled++;
	if (source->slots == 0) {
		judge_unknown(judge, RULE_STALL_POOL);
		return;
	}
	if (judge_holds(judge, RULE_STALL_POOL, event, it, source->stalled <= source->slots))
		return;
	say = say_begin(judge, RULE_STALL_POOL, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "%u transactions stalled at once", (unsigned)source->stalled);
	say_wanted(&say, "at most %u", (unsigned)source->slots);
}

static void check_tag(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (it->unsure ||
	    (event->interface == IOPF_AT_QUEUE && it->seen[IOPF_AT_FUNCTION])) {
		judge_unknown(judge, RULE_STALL_TAG_FREE);
		return;
	}
	if (judge_holds(judge, RULE_STALL_TAG_FREE, event, it,
			group == NULL || group->state != BOOK_WAITING))
		return;
	say = say_group(judge, RULE_STALL_TAG_FREE, event, group);
	say_line(&say, judge->line);
	say_was(&say, "its tag at a second transaction");
	say_wanted(&say, "another tag: it is stalled under this one");
}

void stall_request(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, true);
	struct say say;

	request_family(judge, event, endpoint, IOPF_STALLS);
	if (!judge_holds(judge, RULE_STALL_LAST, event, it, event->flags & IOPF_JUDGE_LAST)) {
		say = say_begin(judge, RULE_STALL_LAST, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "a stall that is not the last of its group");
		say_wanted(&say, "a group of its own");
	}
	check_tag(judge, event, endpoint, group);
	group = book_group_new(judge, endpoint, event->interface, event->pasid, event->index,
			       true);
	if (group == NULL)
		return;
	check_pool(judge, event, endpoint);
	request_count(judge, event, group, true);
	request_settle(judge, event, group);
}

/* ---- Resumed ----------------------------------------------------------------------- */

static void say_resume(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       const struct book_group *group, enum judge_rule rule,
		       const char *wanted)
{
	struct say say = say_group(judge, rule, event, group);

	say_line(&say, group->end_line);
	say_line(&say, judge->line);
	say_was(&say, "a resume, %s", say_code(event->code));
	say_wanted(&say, "%s", wanted);
}

static void never_stalled(struct iopf_judge *judge, const struct iopf_judge_event *event,
			  uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (!it->known[event->interface]) {
		judge_unknown(judge, RULE_STALL_RESUME_ASKED);
		return;
	}
	if (judge_holds(judge, RULE_STALL_RESUME_ASKED, event, it, false))
		return;
	say = say_begin(judge, RULE_STALL_RESUME_ASKED, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "a resume, %s", say_code(event->code));
	say_wanted(&say, "none: nothing was stalled under that tag");
}

static void check_due(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	if (it->unsure) {
		judge_unknown(judge, RULE_STALL_ONE_RESUME);
		return;
	}
	if (group == NULL) {
		never_stalled(judge, event, endpoint);
		return;
	}
	judge_holds(judge, RULE_STALL_RESUME_ASKED, event, it, true);
	if (!judge_holds(judge, RULE_STALL_ONE_RESUME, event, it,
			 group->state != BOOK_ANSWERED))
		say_resume(judge, event, group, RULE_STALL_ONE_RESUME,
			   "none: it was resumed before");
	if (!judge_holds(judge, RULE_STALL_TERMINATED, event, it,
			 group->state != BOOK_FORGOTTEN))
		say_resume(judge, event, group, RULE_STALL_TERMINATED,
			   "none: it was terminated with its stream");
}

static void check_code(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	bool own = !(event->flags & IOPF_JUDGE_RAW) &&
		   (event->code == IOPF_SUCCESS || event->code == IOPF_INVALID);
	struct say say;

	if (judge_holds(judge, RULE_STALL_CODE, event, &judge->endpoints[endpoint], own))
		return;
	say = say_begin(judge, RULE_STALL_CODE, event, endpoint);
	say_line(&say, judge->line);
	if (event->flags & IOPF_JUDGE_RAW)
		say_was(&say, "code %u", (unsigned)event->raw_code);
	else
		say_was(&say, "a resume, %s", say_code(event->code));
	say_wanted(&say, "success, which is a retry, or invalid, which is an abort");
}

static void check_own(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, enum link link)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (judge_holds(judge, RULE_AUTO_STALL, event, it, link != LINK_OWN))
		return;
	say = say_begin(judge, RULE_AUTO_STALL, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "a resume that never left the queue, %s", say_code(event->code));
	say_wanted(&say, "the stall to wait for software");
}

void stall_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, true);
	enum link link = link_response(judge, event, endpoint, group);

	check_code(judge, event, endpoint);
	check_own(judge, event, endpoint, link);
	if (link == LINK_UNKNOWN || link == LINK_LEFT)
		check_due(judge, event, endpoint, group);
	if (group == NULL)
		return;
	if (event->interface == IOPF_AT_QUEUE)
		owner_response(judge, event, group);
	if (group->state == BOOK_WAITING) {
		judge_holds(judge, RULE_STALL_RESUME_DUE, event, NULL, true);
		book_group_close(judge, group, BOOK_ANSWERED);
	} else if (group->state == BOOK_ANSWERED) {
		group->end_line = judge->line;
	}
	group->code = event->code;
	group->arrived = false;
}

/* ---- Ended with its stream --------------------------------------------------------- */

void stall_drop(struct iopf_judge *judge, const struct iopf_judge_event *event,
		uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group = book_group_find(judge, endpoint, event->interface,
						   event->pasid, event->index, true);
	struct say say;

	if (group == NULL || group->state != BOOK_WAITING)
		return;
	if (!it->seen[IOPF_AT_QUEUE] || it->unsure)
		judge_unknown(judge, RULE_STALL_END);
	else if (!judge_holds(judge, RULE_STALL_END, event, it,
			      it->ended_line > group->asked_line)) {
		say = say_group(judge, RULE_STALL_END, event, group);
		say_line(&say, judge->line);
		say_was(&say, "ended without a resume");
		say_wanted(&say, "its own resume, or the end of its whole stream");
	}
	book_group_close(judge, group, BOOK_FORGOTTEN);
}

void stall_terminate(struct iopf_judge *judge, const struct iopf_judge_event *event,
		     uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	if (event->interface != IOPF_AT_QUEUE)
		return;
	it->seen[IOPF_AT_QUEUE] = true;
	it->ended_line = judge->line;
	book_forget(judge, endpoint, IOPF_AT_QUEUE);
}
