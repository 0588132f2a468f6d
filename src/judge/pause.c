/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/pause.c - pauses of sources, owners and endpoints; and the end. */
#include "judge/book.h"

/* Where @event's pause is written down; NULL: it names nothing. */
static uint64_t *pause_of(struct iopf_judge *judge, const struct iopf_judge_event *event,
			  uint32_t endpoint)
{
	struct book_owner *owner = book_owner(judge, event->owner);
	struct book_source *source = book_source(judge, event->source);

	if (owner != NULL)
		return &owner->paused_line;
	if (source != NULL)
		return &source->paused_line;
	return endpoint != BOOK_NONE ? &judge->endpoints[endpoint].paused_line : NULL;
}

static void say_pause(struct iopf_judge *judge, const struct iopf_judge_event *event,
		      uint32_t endpoint, uint64_t line, const char *was, const char *wanted)
{
	struct say say = say_begin(judge, RULE_PAUSE_ONCE, event, endpoint);

	say_line(&say, line);
	say_line(&say, judge->line);
	say_was(&say, "%s", was);
	say_wanted(&say, "%s", wanted);
}

void pause_begin(struct iopf_judge *judge, const struct iopf_judge_event *event,
		 uint32_t endpoint)
{
	uint64_t *line = pause_of(judge, event, endpoint);

	if (line == NULL)
		return;
	if (!judge_holds(judge, RULE_PAUSE_ONCE, event, NULL, *line == 0))
		say_pause(judge, event, endpoint, *line, "paused", "it is paused already");
	*line = judge->line;
}

void pause_end(struct iopf_judge *judge, const struct iopf_judge_event *event,
	       uint32_t endpoint)
{
	uint64_t *line = pause_of(judge, event, endpoint);

	if (line == NULL)
		return;
	if (*line == 0 && !book_whole(judge))
		judge_unknown(judge, RULE_PAUSE_ONCE);
	else if (!judge_holds(judge, RULE_PAUSE_ONCE, event, NULL, *line != 0))
		say_pause(judge, event, endpoint, 0, "a pause is over", "none was begun");
	*line = 0;
}

/* Nothing comes from who is paused: no request out of a source, no answer of an owner. */
void pause_silent(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	const struct book_owner *owner = book_owner(judge, event->owner);
	uint32_t of = endpoint != BOOK_NONE ? judge->endpoints[endpoint].source : IOPF_NO_ID;
	const struct book_source *source = book_source(judge, of);
	uint64_t line = 0;
	struct say say;

	if (event->kind == IOPF_JUDGE_ANSWER && owner != NULL)
		line = owner->paused_line;
	else if (event->kind == IOPF_JUDGE_REQUEST && event->interface == IOPF_AT_QUEUE &&
		 source != NULL)
		line = source->paused_line;
	else
		return;
	if (judge_holds(judge, RULE_PAUSE_SILENT, event, NULL, line == 0))
		return;
	say = say_begin(judge, RULE_PAUSE_SILENT, event, endpoint);
	say_line(&say, line);
	say_line(&say, judge->line);
	say_was(&say, event->kind == IOPF_JUDGE_ANSWER ? "an answer" : "a request");
	say_wanted(&say, "none before the pause is over");
}

/* ---- The end ----------------------------------------------------------------------- */

static void end_group(struct iopf_judge *judge, const struct book_group *group)
{
	enum judge_rule rule = group->interface == IOPF_AT_KERNEL ? RULE_KERNEL_DUE :
			       group->stall			  ? RULE_STALL_RESUME_DUE :
					      RULE_PRI_RESPONSE_DUE;
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	bool off = it->unsure || it->resetting || book_optional(judge, group) ||
		   group->asked_line < it->ended_line || book_interface(judge, it)->failing;
	struct say say;

	if (!book_whole(judge) || off) {
		judge_unknown(judge, rule);
		return;
	}
	if (judge_holds(judge, rule, NULL, it, false))
		return;
	say = say_group(judge, rule, NULL, group);
	say_was(&say, "no response up to the end");
	say_wanted(&say, group->interface == IOPF_AT_KERNEL ? "its cookie written" :
			 group->stall ? "a resume, or the end of its stream" :
					"one response");
}

/* At the function, what is open in the queue as well was said there. */
static bool is_said(struct iopf_judge *judge, const struct book_group *group)
{
	const struct book_group *other;

	if (group->interface != IOPF_AT_FUNCTION)
		return false;
	other = book_group_find(judge, group->endpoint, IOPF_AT_QUEUE, group->pasid,
				group->index, group->stall);
	return other != NULL && other->last_line > group->asked_line;
}

static void end_endpoint(struct iopf_judge *judge, const struct book_endpoint *it)
{
	for (unsigned at = 0; at < IOPF_AT_COUNT; at++) {
		uint32_t number = it->live[at].first;

		while (number != BOOK_NONE) {
			const struct book_group *group = &judge->groups[number];

			if (group->state == BOOK_WAITING && !is_said(judge, group))
				end_group(judge, group);
			number = group->next[BOOK_LIVE];
		}
	}
}

static void end_pause(struct iopf_judge *judge, uint64_t line, const char *what,
		      const char *name)
{
	struct say say;

	if (line == 0)
		return;
	if (!book_whole(judge)) {
		judge_unknown(judge, RULE_PAUSE_CLOSED);
		return;
	}
	if (judge_holds(judge, RULE_PAUSE_CLOSED, NULL, NULL, false))
		return;
	say = say_begin(judge, RULE_PAUSE_CLOSED, NULL, BOOK_NONE);
	say_line(&say, line);
	say_was(&say, "%s %s is paused at the end", what, name);
	say_wanted(&say, "its pause ended");
}

void end_due(struct iopf_judge *judge)
{
	for (uint32_t n = 0; n < judge->endpoint_count; n++) {
		end_endpoint(judge, &judge->endpoints[n]);
		end_pause(judge, judge->endpoints[n].paused_line, "endpoint",
			  judge->endpoints[n].name);
	}
	for (uint32_t n = 0; n < judge->source_count; n++)
		end_pause(judge, judge->sources[n].paused_line, "source",
			  judge->sources[n].name);
	for (uint32_t n = 0; n < judge->owner_count; n++)
		end_pause(judge, judge->owners[n].paused_line, "owner",
			  judge->owners[n].name);
}
