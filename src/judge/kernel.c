/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge/kernel.c - a kernel's fault descriptor: groups by their cookies. The kernel gives
 * a cookie to a group when it is read; it is written once.
 */
#include "judge/book.h"

#include <assert.h>

/* Whose descriptor it is. */
static uint32_t source_of(const struct iopf_judge *judge,
			  const struct iopf_judge_event *event, uint32_t endpoint)
{
	if (event->source < judge->source_count)
		return event->source;
	return judge->endpoints[endpoint].source < judge->source_count ?
		       judge->endpoints[endpoint].source :
		       0;
}

static void say_cookie(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       const struct book_group *group, enum judge_rule rule,
		       const char *was, const char *wanted)
{
	struct say say = say_group(judge, rule, event, group);

	assert(group != NULL);
	if (group->state != BOOK_OPEN && group->state != BOOK_WAITING)
		say_line(&say, group->end_line);
	say_line(&say, judge->line);
	say_was(&say, "%s", was);
	say_wanted(&say, "%s", wanted);
}

/* ---- Read -------------------------------------------------------------------------- */

static bool check_zero(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	bool fits = event->token != 0 && event->token <= UINT32_MAX;
	struct say say;

	if (judge_holds(judge, RULE_KERNEL_COOKIE_ZERO, event, &judge->endpoints[endpoint],
			fits))
		return fits;
	say = say_begin(judge, RULE_KERNEL_COOKIE_ZERO, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "cookie %llu", (unsigned long long)event->token);
	say_wanted(&say, "one of 32 bits that is not 0");
	return false;
}

/* Another group is being read. */
static void check_whole(struct iopf_judge *judge, const struct iopf_judge_event *event,
			struct book_source *source, const struct book_group *group)
{
	const struct book_group *open = NULL;

	if (source == NULL)
		return;
	if (source->kernel_open != BOOK_NONE)
		open = &judge->groups[source->kernel_open];
	if (open == group || (open != NULL && open->state != BOOK_OPEN))
		open = NULL;
	if (!judge_holds(judge, RULE_KERNEL_GROUP_WHOLE, event,
			 &judge->endpoints[group->endpoint], open == NULL))
		say_cookie(judge, event, open, RULE_KERNEL_GROUP_WHOLE,
			   "a message of another group", "its own messages up to the last");
	source->kernel_open = book_number(judge, group);
}

void kernel_request(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	uint32_t source = source_of(judge, event, endpoint);
	struct book_group *group;

	if (!check_zero(judge, event, endpoint))
		return;
	group = book_cookie_find(judge, source, event->token);
	if (!judge_holds(judge, RULE_KERNEL_COOKIE_FREE, event, it,
			 group == NULL || group->state != BOOK_WAITING))
		say_cookie(judge, event, group, RULE_KERNEL_COOKIE_FREE,
			   "its cookie at another group", "another cookie: it was not written");
	if (group == NULL || group->state != BOOK_OPEN)
		group = book_cookie_new(judge, source, event->token, endpoint);
	if (group == NULL)
		return;
	group->pasid = event->pasid;
	group->requests++;
	book_interface(judge, it)->in_flight[IOPF_AT_KERNEL]++;
	check_whole(judge, event, book_source(judge, source), group);
	if (event->flags & IOPF_JUDGE_LAST)
		book_group_wait(judge, group, BOOK_NONE);
}

/* ---- Written ----------------------------------------------------------------------- */

static const struct {
	enum book_state state;
	enum judge_rule rule;
	const char *wanted;
} refusals[] = {
	{ BOOK_OPEN, RULE_KERNEL_COOKIE_WHOLE, "nothing before its last message was read" },
	{ BOOK_ANSWERED, RULE_KERNEL_COOKIE_ONCE, "nothing: it was written before" },
	{ BOOK_FORGOTTEN, RULE_KERNEL_COOKIE_DETACHED,
	  "nothing: it was answered by the kernel when its device was detached" },
};

static void never_read(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (!it->known[IOPF_AT_KERNEL]) {
		judge_unknown(judge, RULE_KERNEL_COOKIE_READ);
		return;
	}
	if (judge_holds(judge, RULE_KERNEL_COOKIE_READ, event, it, false))
		return;
	say = say_begin(judge, RULE_KERNEL_COOKIE_READ, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, "cookie %llu written", (unsigned long long)event->token);
	say_wanted(&say, "one that was read");
}

void kernel_response(struct iopf_judge *judge, const struct iopf_judge_event *event,
		     uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct book_group *group = book_cookie_find(
		judge, source_of(judge, event, endpoint), event->token);
	bool can = !(event->flags & IOPF_JUDGE_RAW) && event->code < IOPF_FAILURE;
	struct say say;

	if (!judge_holds(judge, RULE_KERNEL_CODE, event, it, can)) {
		say = say_begin(judge, RULE_KERNEL_CODE, event, endpoint);
		say_line(&say, judge->line);
		say_was(&say, "%s written", say_code(event->code));
		say_wanted(&say, "success or invalid");
	}
	if (group == NULL) {
		never_read(judge, event, endpoint);
		return;
	}
	judge_holds(judge, RULE_KERNEL_COOKIE_READ, event, it, true);
	for (unsigned n = 0; n < sizeof(refusals) / sizeof(refusals[0]); n++)
		if (!judge_holds(judge, refusals[n].rule, event, it,
				 group->state != refusals[n].state))
			say_cookie(judge, event, group, refusals[n].rule, "its cookie written",
				   refusals[n].wanted);
	if (group->state == BOOK_WAITING)
		judge_holds(judge, RULE_KERNEL_DUE, event, it, true);
	if (group->state == BOOK_WAITING || group->state == BOOK_OPEN)
		book_group_close(judge, group, BOOK_ANSWERED);
}

/* The kernel has answered what was open there. */
void kernel_detach(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid)
{
	uint32_t number = judge->endpoints[endpoint].live[IOPF_AT_KERNEL].first;

	while (number != BOOK_NONE) {
		struct book_group *group = &judge->groups[number];

		number = group->next[BOOK_LIVE];
		if (pasid == IOPF_PASID_ANY || group->pasid == pasid)
			book_group_close(judge, group, BOOK_FORGOTTEN);
	}
}
