/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge/link.c - what is between a function and the queue: what one end sent, the other
 * gets, once and as it was.
 */
#include "judge/book.h"

/* Both ends were seen, and the books of @interface are complete. */
static bool is_known(const struct book_endpoint *it, uint8_t interface)
{
	return it->seen[interface] && it->known[interface] && !it->unsure;
}

/* Nothing of it may have come there yet: the queue is that of every function. */
static bool is_queue_known(struct iopf_judge *judge, const struct book_endpoint *it)
{
	const struct book_source *source = book_source(judge, it->source);

	return is_known(it, IOPF_AT_QUEUE) ||
	       (source != NULL && source->queue_seen && it->known[IOPF_AT_QUEUE] &&
		!it->unsure);
}

struct book_group *link_asked(struct iopf_judge *judge, const struct book_group *group)
{
	if (!is_known(&judge->endpoints[group->endpoint], IOPF_AT_FUNCTION))
		return NULL;
	return book_group_find(judge, group->endpoint, IOPF_AT_FUNCTION, group->pasid,
			       group->index, group->stall);
}

bool link_leftover(struct iopf_judge *judge, const struct book_group *group)
{
	const struct book_endpoint *it = &judge->endpoints[group->endpoint];
	const struct book_group *asked;

	if (group->interface != IOPF_AT_QUEUE || it->ended_line == 0 ||
	    !is_known(it, IOPF_AT_FUNCTION))
		return false;
	asked = link_asked(judge, group);
	return it->resetting || asked == NULL || asked->asked_line < it->ended_line ||
	       (asked->state != BOOK_OPEN && asked->state != BOOK_WAITING);
}

/* ---- Requests ---------------------------------------------------------------------- */

void link_request(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	struct book_group *asked = link_asked(judge, group);
	struct say say;

	if (!is_known(it, IOPF_AT_FUNCTION)) {
		judge_unknown(judge, RULE_LINK_REQUEST);
		group->torn = true;
		return;
	}
	/* Of an earlier group under this index, or of this one: not to be told apart. */
	if (asked != NULL && asked->leftover > 0) {
		judge_unknown(judge, RULE_LINK_REQUEST);
		asked->leftover--;
		group->torn = true;
		return;
	}
	if (asked != NULL && asked->matched < asked->requests) {
		judge_holds(judge, RULE_LINK_REQUEST, event, it, true);
		asked->matched++;
		return;
	}
	group->torn = true;
	if (asked == NULL && judge->evicted_line != 0) {
		judge_unknown(judge, RULE_LINK_REQUEST);
		return;
	}
	if (judge_holds(judge, RULE_LINK_REQUEST, event, it, false))
		return;
	say = say_begin(judge, RULE_LINK_REQUEST, event, group->endpoint);
	if (asked != NULL)
		say_line(&say, asked->last_line != 0 ? asked->last_line : asked->asked_line);
	say_line(&say, judge->line);
	say_was(&say, "a request in the queue");
	say_wanted(&say, asked == NULL ? "none: its function sent no such request" :
					 "none: what its function sent was there before");
}

void link_pages(struct iopf_judge *judge, struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	const struct book_group *asked = NULL;
	struct say say;

	if (group->interface != IOPF_AT_QUEUE)
		return;
	asked = link_asked(judge, group);
	/* Requests that an overflow took away are missing, too. */
	if (asked == NULL || group->torn || asked->requests != group->requests) {
		group->torn = true;
		judge_unknown(judge, RULE_LINK_PAGES);
		return;
	}
	if (judge_holds(judge, RULE_LINK_PAGES, NULL, it, asked->pages == group->pages))
		return;
	say = say_group(judge, RULE_LINK_PAGES, NULL, asked);
	say.violation.interface = IOPF_AT_QUEUE;
	say_line(&say, judge->line);
	say_was(&say, "other pages, rights or PASIDs in the queue");
	say_wanted(&say, "those of the %u requests that its function sent",
		   (unsigned)asked->requests);
}

/* ---- Responses --------------------------------------------------------------------- */

static enum link say_never(struct iopf_judge *judge, const struct iopf_judge_event *event,
			   const struct book_group *sent, const char *wanted)
{
	struct say say;

	if (judge_holds(judge, RULE_LINK_RESPONSE, event, &judge->endpoints[sent->endpoint],
			false))
		return LINK_NEVER;
	say = say_group(judge, RULE_LINK_RESPONSE, event, sent);
	if (sent->state == BOOK_ANSWERED)
		say_line(&say, sent->end_line);
	say_line(&say, judge->line);
	say_was(&say, "%s at the function", say_code(event->code));
	say_wanted(&say, "%s", wanted);
	say.violation.interface = IOPF_AT_FUNCTION;
	return LINK_NEVER;
}

/* A stall is retried or not: what else was said is lost on the way. */
static bool same_code(const struct book_group *sent, const struct iopf_judge_event *event)
{
	if (sent->stall)
		return (sent->code == IOPF_SUCCESS) == (event->code == IOPF_SUCCESS);
	return sent->code == event->code;
}

static enum link arrive(struct iopf_judge *judge, const struct iopf_judge_event *event,
			struct book_group *sent)
{
	struct book_endpoint *it = &judge->endpoints[sent->endpoint];
	struct say say;

	if (sent->arrived)
		return say_never(judge, event, sent, "none: the response came before");
	sent->arrived = true;
	if (judge_holds(judge, RULE_LINK_RESPONSE, event, it, same_code(sent, event)))
		return LINK_LEFT;
	say = say_group(judge, RULE_LINK_RESPONSE, event, sent);
	say_line(&say, sent->end_line);
	say_line(&say, judge->line);
	say_was(&say, "%s at the function", say_code(event->code));
	say_wanted(&say, "%s: what left the queue", say_code(sent->code));
	return LINK_LEFT;
}

enum link link_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint, const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	bool stall = request_stalls(judge, event, endpoint);
	struct book_group *sent;

	if (event->interface != IOPF_AT_FUNCTION || !is_queue_known(judge, it))
		return event->flags & IOPF_JUDGE_AUTOMATIC ? LINK_OWN : LINK_UNKNOWN;
	sent = book_group_find(judge, endpoint, IOPF_AT_QUEUE,
			       group != NULL ? group->pasid : event->pasid, event->index,
			       stall);
	if (event->flags & IOPF_JUDGE_AUTOMATIC)
		return LINK_OWN;
	/* One that was whole before this group was asked was another, under the same index. */
	if (sent != NULL && group != NULL && sent->last_line < group->asked_line)
		sent = NULL;
	if (sent != NULL && sent->state == BOOK_ANSWERED)
		return arrive(judge, event, sent);
	if (sent != NULL && sent->state == BOOK_WAITING)
		return say_never(judge, event, sent,
				 "none: it is in the queue, and no response left");
	if (group == NULL || (group->state != BOOK_OPEN && group->state != BOOK_WAITING) ||
	    judge->evicted_line > group->asked_line)
		return LINK_UNKNOWN;
	return LINK_OWN;
}
