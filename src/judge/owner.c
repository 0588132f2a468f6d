/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/owner.c - address spaces and their owners: what these are shown and answer. */
#include "judge/book.h"

/* ---- Given and taken --------------------------------------------------------------- */

/* The group's response left, though it has not reached the function yet. */
static bool is_answered(struct iopf_judge *judge, const struct book_group *group)
{
	const struct book_endpoint *it = &judge->endpoints[group->endpoint];
	const struct book_group *sent;

	if (group->interface != IOPF_AT_FUNCTION || !it->seen[IOPF_AT_QUEUE])
		return false;
	sent = book_group_find(judge, group->endpoint, IOPF_AT_QUEUE, group->pasid,
			       group->index, group->stall);
	return sent != NULL && sent->state == BOOK_ANSWERED &&
	       sent->end_line > group->asked_line;
}

static bool is_off(struct iopf_judge *judge, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	const struct book_endpoint *interface = book_interface(judge, it);

	return it->unsure || interface->failing;
}

/* What was asked before, at the function, by whoever had the space then. */
static void check_drained(struct iopf_judge *judge, const struct iopf_judge_event *event,
			  uint32_t endpoint, struct book_list *list)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	bool off = is_off(judge, endpoint);

	while (list->first != BOOK_NONE) {
		struct book_group *group = &judge->groups[list->first];
		struct say say;

		book_space_unlink(judge, group);
		if (off || group->asked_line < it->ended_line) {
			judge_unknown(judge, RULE_ATTACH_DRAINED);
			continue;
		}
		if (judge_holds(judge, RULE_ATTACH_DRAINED, event, it,
				is_answered(judge, group)))
			continue;
		say = say_group(judge, RULE_ATTACH_DRAINED, event, group);
		say_line(&say, judge->line);
		say_was(&say, "its PASID given to an owner again");
		say_wanted(&say, "its response first: it was asked before");
	}
}

static const char *owner_name(struct iopf_judge *judge, uint32_t owner)
{
	const struct book_owner *it = book_owner(judge, owner);

	return it != NULL ? it->name : "nobody known";
}

void owner_attach(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	uint32_t number = book_space_make(judge, endpoint, event->pasid);
	struct book_space *space;
	struct say say;

	if (number == BOOK_NONE || event->flags & IOPF_JUDGE_REFUSED)
		return;
	space = &judge->spaces[number];
	if (!judge_holds(judge, RULE_ATTACH_FREE, event, it,
			 !space->attached || space->owner == event->owner)) {
		say = say_begin(judge, RULE_ATTACH_FREE, event, endpoint);
		say_line(&say, space->line);
		say_line(&say, judge->line);
		say_was(&say, "given to %s", owner_name(judge, event->owner));
		say_wanted(&say, "taken from %s first", owner_name(judge, space->owner));
	}
	if (!space->attached)
		check_drained(judge, event, endpoint, &space->list[IOPF_AT_FUNCTION]);
	space->attached = true;
	space->owner = event->owner;
	space->line = judge->line;
	space->epoch++;
	if (!it->seen[IOPF_AT_FUNCTION])
		it->removed = false;
}

static void check_answered(struct iopf_judge *judge, const struct iopf_judge_event *event,
			   uint32_t endpoint, struct book_list *list)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	bool off = is_off(judge, endpoint);

	while (list->first != BOOK_NONE) {
		struct book_group *group = &judge->groups[list->first];
		struct say say;

		book_space_unlink(judge, group);
		/* A stall beyond its share is refused, and no detach waits for it. */
		if (off || book_optional(judge, group) || (group->stall && !group->shown)) {
			judge_unknown(judge, RULE_DETACH_ANSWERED);
			continue;
		}
		if (judge_holds(judge, RULE_DETACH_ANSWERED, NULL, it, false))
			continue;
		say = say_group(judge, RULE_DETACH_ANSWERED, event, group);
		say_line(&say, judge->line);
		say_was(&say, "open when its address space was taken away");
		say_wanted(&say, "its response before that is done");
	}
}

void owner_detach(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	uint32_t number = book_space_make(judge, endpoint, event->pasid);
	struct book_space *space;

	if (event->flags & IOPF_JUDGE_REFUSED)
		return;
	if (event->interface == IOPF_AT_KERNEL)
		kernel_detach(judge, endpoint, event->pasid);
	if (number == BOOK_NONE)
		return;
	space = &judge->spaces[number];
	check_answered(judge, event, endpoint, &space->list[IOPF_AT_QUEUE]);
	if (space->attached)
		judge_holds(judge, RULE_DETACH_ANSWERED, NULL, &judge->endpoints[endpoint],
			    true);
	space->attached = false;
	space->line = judge->line;
	space->epoch++;
}

void owner_replace(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	owner_detach(judge, event, endpoint);
	owner_attach(judge, event, endpoint);
}

/* ---- Shown ------------------------------------------------------------------------- */

static void check_owner(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint)
{
	uint32_t number = book_space_of(judge, endpoint, event->pasid);
	const struct book_space *space;
	struct say say;

	if (number == BOOK_NONE && !book_whole(judge)) {
		judge_unknown(judge, RULE_SHOW_OWNER);
		return;
	}
	space = number == BOOK_NONE ? NULL : &judge->spaces[number];
	if (judge_holds(judge, RULE_SHOW_OWNER, event, &judge->endpoints[endpoint],
			space != NULL && space->attached && space->owner == event->owner))
		return;
	say = say_begin(judge, RULE_SHOW_OWNER, event, endpoint);
	if (space != NULL)
		say_line(&say, space->line);
	say_line(&say, judge->line);
	say_was(&say, "shown to %s", owner_name(judge, event->owner));
	if (space != NULL && space->attached)
		say_wanted(&say, "to %s, who has its address space",
			   owner_name(judge, space->owner));
	else
		say_wanted(&say, "to nobody: its address space is nobody's");
}

/* Asked when nobody had the space: whoever gets it may be shown it. */
static void check_time(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       const struct book_group *group)
{
	uint32_t number = book_space_of(judge, group->endpoint, group->pasid);
	const struct book_space *space;
	struct say say;

	if (number == BOOK_NONE || group->space == BOOK_NONE ||
	    !judge->spaces[number].attached) {
		judge_unknown(judge, RULE_SHOW_TIME);
		return;
	}
	space = &judge->spaces[number];
	if (judge_holds(judge, RULE_SHOW_TIME, event, &judge->endpoints[group->endpoint],
			group->space == number && group->epoch == space->epoch))
		return;
	say = say_group(judge, RULE_SHOW_TIME, event, group);
	say_line(&say, space->line);
	say_line(&say, judge->line);
	say_was(&say, "shown to %s", owner_name(judge, event->owner));
	say_wanted(&say, "to nobody: it was asked before the address space was given to that "
			 "owner");
}

static void check_pages(struct iopf_judge *judge, const struct iopf_judge_event *event,
			const struct book_group *group)
{
	struct book_endpoint *it = &judge->endpoints[group->endpoint];
	struct say say;

	if (event->count == 0 || !it->known[IOPF_AT_QUEUE] || it->unsure ||
	    book_optional(judge, group) ||
	    book_interface(judge, it)->exceeded) {
		judge_unknown(judge, RULE_SHOW_PAGES);
		return;
	}
	if (judge_holds(judge, RULE_SHOW_PAGES, event, it, event->count == group->requests))
		return;
	say = say_group(judge, RULE_SHOW_PAGES, event, group);
	say_line(&say, judge->line);
	say_was(&say, "shown with %u pages", (unsigned)event->count);
	say_wanted(&say, "%u: what was asked", (unsigned)group->requests);
}

/* The group in the queue behind what is shown. */
static struct book_group *shown_group(struct iopf_judge *judge,
				      const struct iopf_judge_event *event, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group;
	bool open;
	struct say say;

	if (!(event->flags & IOPF_JUDGE_INDEX) || !it->seen[IOPF_AT_QUEUE] || it->unsure) {
		judge_unknown(judge, RULE_SHOW_OPEN);
		return NULL;
	}
	group = book_group_find(judge, endpoint, IOPF_AT_QUEUE, event->pasid, event->index,
				request_stalls(judge, event, endpoint));
	if (group == NULL && !it->known[IOPF_AT_QUEUE]) {
		judge_unknown(judge, RULE_SHOW_OPEN);
		return NULL;
	}
	open = group != NULL && group->state == BOOK_WAITING;
	if (judge_holds(judge, RULE_SHOW_OPEN, event, it, open))
		return open ? group : NULL;
	say = group != NULL ? say_group(judge, RULE_SHOW_OPEN, event, group) :
			      say_begin(judge, RULE_SHOW_OPEN, event, endpoint);
	if (group != NULL && group->state != BOOK_OPEN)
		say_line(&say, group->end_line);
	say_line(&say, judge->line);
	say_was(&say, "shown to %s", owner_name(judge, event->owner));
	say_wanted(&say, group == NULL		       ? "nothing: no such group was asked" :
			 group->state == BOOK_OPEN     ? "nothing before its last request" :
			 group->state == BOOK_ANSWERED ? "nothing after its response" :
							 "nothing: it was forgotten");
	return NULL;
}

void owner_show(struct iopf_judge *judge, const struct iopf_judge_event *event,
		uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_show *show = book_show_find(judge, event->token);
	struct book_group *group;
	struct say say;

	if (event->flags & IOPF_JUDGE_REFUSED)
		return;
	it->seen[event->interface] = true;
	if (!judge_holds(judge, RULE_SHOW_ONCE, event, it, show == NULL) && show != NULL) {
		say = say_begin(judge, RULE_SHOW_ONCE, event, endpoint);
		say_line(&say, show->line);
		say_line(&say, judge->line);
		say_was(&say, "shown again, to %s", owner_name(judge, event->owner));
		say_wanted(&say, "once");
		return;
	}
	check_owner(judge, event, endpoint);
	group = shown_group(judge, event, endpoint);
	if (group != NULL) {
		check_time(judge, event, group);
		check_pages(judge, event, group);
		group->shown = true;
		group->token = event->token;
	}
	show = event->token != 0 ? book_show_new(judge, event->token) : NULL;
	if (show == NULL)
		return;
	show->endpoint = endpoint;
	show->owner = event->owner;
	if (group == NULL)
		book_show_over(judge, show); /* nothing will say when */
	show->ended = false;
}

/* ---- Answered ---------------------------------------------------------------------- */

static void say_answer(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       const struct book_show *show, enum judge_rule rule, uint64_t line,
		       const char *wanted)
{
	struct say say =
		say_begin(judge, rule, event, show != NULL ? show->endpoint : BOOK_NONE);

	if (show != NULL)
		say_line(&say, show->line);
	say_line(&say, line);
	say_line(&say, judge->line);
	say_was(&say, "%s from %s was taken", say_code(event->code),
		owner_name(judge, event->owner));
	say_wanted(&say, "%s", wanted);
}

void owner_answer(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	struct book_show *show = book_show_find(judge, event->token);

	(void)endpoint;
	if (event->flags & IOPF_JUDGE_REFUSED || event->token == 0)
		return;
	if (show == NULL && !book_whole(judge)) {
		judge_unknown(judge, RULE_ANSWER_SHOWN);
		return;
	}
	if (!judge_holds(judge, RULE_ANSWER_SHOWN, event, NULL, show != NULL))
		say_answer(judge, event, NULL, RULE_ANSWER_SHOWN, 0,
			   "refused: nobody was shown that token");
	if (show == NULL)
		return;
	if (!judge_holds(judge, RULE_ANSWER_OWNER, event, NULL, show->owner == event->owner))
		say_answer(judge, event, show, RULE_ANSWER_OWNER, 0,
			   "refused: somebody else was shown it");
	if (!judge_holds(judge, RULE_ANSWER_ONCE, event, NULL,
			 !show->answered && !show->ended))
		say_answer(judge, event, show, RULE_ANSWER_ONCE,
			   show->answered ? show->answer_line : show->end_line,
			   show->answered ? "refused: it was answered before" :
					    "refused: the group had ended");
	show->answered = true;
	show->answer_line = judge->line;
	show->code = event->code;
}

/* ---- In its name ------------------------------------------------------------------- */

#define MAY(code) (1U << IOPF_##code)

/* What each ending may say. Nothing leaves under those that are silent. */
static const uint8_t codes_of[] = {
	[IOPF_ENDING_success] = MAY(SUCCESS),
	[IOPF_ENDING_invalid] = MAY(INVALID),
	[IOPF_ENDING_failure] = MAY(FAILURE) | MAY(INVALID),
	[IOPF_ENDING_deadline] = MAY(INVALID),
	[IOPF_ENDING_quota] = MAY(INVALID) | MAY(SUCCESS),
	[IOPF_ENDING_detach] = MAY(INVALID),
	[IOPF_ENDING_no_owner] = MAY(INVALID),
	[IOPF_ENDING_malformed] = MAY(INVALID),
	[IOPF_ENDING_guest_overflow] = MAY(SUCCESS),
	[IOPF_ENDING_reset] = 0,
	[IOPF_ENDING_removal] = 0,
	[IOPF_ENDING_response_failure] = 0,
	[IOPF_ENDING_liar] = MAY(INVALID),
};
_Static_assert(sizeof(codes_of) == IOPF_ENDING_COUNT, "a set each");

static void check_ending(struct iopf_judge *judge, const struct iopf_judge_event *event,
			 const struct book_group *group)
{
	bool may = event->ending < IOPF_ENDING_COUNT && event->code < IOPF_CODE_COUNT &&
		   codes_of[event->ending] >> event->code & 1;
	struct say say;

	if (judge_holds(judge, RULE_RESPONSE_ENDING, event,
			&judge->endpoints[group->endpoint], may))
		return;
	say = say_group(judge, RULE_RESPONSE_ENDING, event, group);
	say_line(&say, judge->line);
	say_was(&say, "%s leaves", say_code(event->code));
	say_wanted(&say, "a code of that ending");
}

void owner_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    struct book_group *group)
{
	const struct book_show *show = book_show_find(judge, event->token);
	bool named = event->ending <= IOPF_ENDING_failure;
	bool said;
	struct say say;

	if (!(event->flags & IOPF_JUDGE_ENDING))
		return;
	check_ending(judge, event, group);
	if (!named || show == NULL) {
		judge_unknown(judge, RULE_RESPONSE_ANSWER);
		return;
	}
	/* Who may not say failure is heard as if it had said invalid. */
	said = show->answered &&
	       (show->code == event->code ||
		(show->code == IOPF_FAILURE && event->code == IOPF_INVALID));
	if (judge_holds(judge, RULE_RESPONSE_ANSWER, event,
			&judge->endpoints[group->endpoint], said))
		return;
	say = say_group(judge, RULE_RESPONSE_ANSWER, event, group);
	if (show->answered)
		say_line(&say, show->answer_line);
	say_line(&say, judge->line);
	say_was(&say, "%s leaves in the name of its owner", say_code(event->code));
	say_wanted(&say, "%s", show->answered ? say_code(show->code) :
						"an answer of its owner's first");
}
