/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/paging.c - paging on and off, resets, removals, overflows. */
#include "judge/book.h"

/* Every function that uses the interface of @endpoint: itself, and its virtual ones. */
static void each_user(struct iopf_judge *judge, uint32_t endpoint, void (*what)(
			      struct iopf_judge *judge, uint32_t endpoint))
{
	what(judge, endpoint);
	if (!judge->endpoints[endpoint].virtuals)
		return;
	for (uint32_t n = 0; n < judge->endpoint_count; n++)
		if (n != endpoint && judge->endpoints[n].physical == endpoint)
			what(judge, n);
}

/* ---- At the function --------------------------------------------------------------- */

static void say_stopped(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint)
{
	const struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say = say_begin(judge, RULE_PRI_ENABLE_STOPPED, event, endpoint);

	if (it->live[IOPF_AT_FUNCTION].first != BOOK_NONE)
		say_line(&say,
			 judge->groups[it->live[IOPF_AT_FUNCTION].first].asked_line);
	say_line(&say, judge->line);
	say_was(&say, "enabled with %u requests outstanding",
		(unsigned)it->in_flight[IOPF_AT_FUNCTION]);
	say_wanted(&say, "not before it has stopped, or its interface was reset");
}

static void check_allocation(struct iopf_judge *judge, const struct iopf_judge_event *event,
			     uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (event->count == 0)
		return;
	if (!judge_holds(judge, RULE_PRI_ALLOCATION, event, it,
			 it->paging != BOOK_PAGING_ON || it->allocation == 0 ||
				 it->allocation == event->count)) {
		say = say_begin(judge, RULE_PRI_ALLOCATION, event, endpoint);
		say_line(&say, it->paging_line);
		say_line(&say, judge->line);
		say_was(&say, "an allocation of %u", (unsigned)event->count);
		say_wanted(&say, "%u as long as paging is enabled",
			   (unsigned)it->allocation);
	}
	it->allocation = event->count;
}

/* Paging is on: nothing is open, or what was open is not known any more. */
static void begin(struct iopf_judge *judge, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	if (it->unsure || it->failing)
		book_forget(judge, endpoint, IOPF_AT_COUNT);
	it->paging = BOOK_PAGING_ON;
	it->paging_line = judge->line;
	it->failed = it->failing = it->removed = it->gone = it->resetting = false;
	it->exceeded = it->lost = false;
	it->unsure = it->wild;
	it->known[IOPF_AT_FUNCTION] = it->known[IOPF_AT_QUEUE] = true;
}

void paging_enable(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	bool stopped = it->in_flight[IOPF_AT_FUNCTION] == 0;

	if (event->interface != IOPF_AT_FUNCTION || event->flags & IOPF_JUDGE_REFUSED)
		return;
	it->seen[IOPF_AT_FUNCTION] = true;
	check_allocation(judge, event, endpoint);
	if (it->paging == BOOK_PAGING_ON)
		return;
	if (it->failed || it->unsure)
		judge_unknown(judge, RULE_PRI_ENABLE_STOPPED);
	else if (!judge_holds(judge, RULE_PRI_ENABLE_STOPPED, event, it, stopped))
		say_stopped(judge, event, endpoint);
	each_user(judge, endpoint, begin);
}

static void off(struct iopf_judge *judge, uint32_t endpoint)
{
	judge->endpoints[endpoint].paging = BOOK_PAGING_OFF;
	judge->endpoints[endpoint].paging_line = judge->line;
}

/* What the host has of it may be answered all the same, until it knows. */
static void forget(struct iopf_judge *judge, uint32_t endpoint)
{
	book_forget(judge, endpoint, IOPF_AT_FUNCTION);
	judge->endpoints[endpoint].forgotten_line = judge->line;
	judge->endpoints[endpoint].known[IOPF_AT_FUNCTION] = true;
	judge->endpoints[endpoint].failed = false;
}

void paging_forget(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	struct say say;

	if (event->interface != IOPF_AT_FUNCTION)
		return;
	it->seen[IOPF_AT_FUNCTION] = true;
	if (it->paging == BOOK_PAGING_UNKNOWN) {
		judge_unknown(judge, RULE_PRI_RESET_DISABLED);
	} else if (!judge_holds(judge, RULE_PRI_RESET_DISABLED, event, it,
				it->paging == BOOK_PAGING_OFF)) {
		say = say_begin(judge, RULE_PRI_RESET_DISABLED, event, endpoint);
		say_line(&say, it->paging_line);
		say_line(&say, judge->line);
		say_was(&say, "the page request interface reset while it is enabled");
		say_wanted(&say, "Enable to be 0 first");
	}
	each_user(judge, endpoint, forget);
}

/* ---- At the host ------------------------------------------------------------------- */

/* Every group of the interface has its response. */
static void check_answered(struct iopf_judge *judge, const struct iopf_judge_event *event,
			   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	uint32_t number = it->live[IOPF_AT_QUEUE].first;

	if (it->unsure || it->failing) {
		judge_unknown(judge, RULE_DISABLE_ANSWERED);
		return;
	}
	judge_holds(judge, RULE_DISABLE_ANSWERED, event, it, true);
	while (number != BOOK_NONE) {
		const struct book_group *group = &judge->groups[number];
		struct say say;

		number = group->next[BOOK_LIVE];
		if (group->state != BOOK_WAITING || book_optional(judge, group) ||
		    judge_holds(judge, RULE_DISABLE_ANSWERED, event, it, false))
			continue;
		say = say_group(judge, RULE_DISABLE_ANSWERED, event, group);
		say_line(&say, judge->line);
		say_was(&say, "open when paging was switched off");
		say_wanted(&say, "its response before that is done");
	}
	book_forget(judge, endpoint, IOPF_AT_QUEUE);
}

void paging_disable(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	if (event->flags & IOPF_JUDGE_REFUSED)
		return;
	judge->endpoints[endpoint].seen[event->interface] = true;
	if (event->interface == IOPF_AT_QUEUE)
		check_answered(judge, event, endpoint);
	if (event->interface == IOPF_AT_FUNCTION)
		each_user(judge, endpoint, off);
}

void paging_restart(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	paging_disable(judge, event, endpoint);
	if (event->interface != IOPF_AT_FUNCTION || event->flags & IOPF_JUDGE_REFUSED)
		return;
	each_user(judge, endpoint, forget);
	each_user(judge, endpoint, begin);
}

static void reset_function(struct iopf_judge *judge, uint32_t endpoint)
{
	off(judge, endpoint);
	forget(judge, endpoint);
	judge->endpoints[endpoint].resetting = false;
}

/* What was asked before may come out of the queue still: where the function is not seen,
 * that cannot be told. */
static void reset_host(struct iopf_judge *judge, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	book_forget(judge, endpoint, IOPF_AT_QUEUE);
	book_forget(judge, endpoint, IOPF_AT_GUEST);
	it->failing = false;
	it->unsure = it->wild;
	it->known[IOPF_AT_QUEUE] = it->seen[IOPF_AT_FUNCTION];
	it->resetting = it->seen[IOPF_AT_FUNCTION] && it->mechanism != IOPF_STALLS;
	it->ended_line = judge->line;
}

void paging_reset(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	if (event->flags & IOPF_JUDGE_REFUSED)
		return;
	judge->endpoints[endpoint].seen[event->interface] = true;
	if (event->interface == IOPF_AT_FUNCTION)
		each_user(judge, endpoint, reset_function);
	else
		each_user(judge, endpoint, reset_host);
}

void paging_remove(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	if (event->flags & IOPF_JUDGE_REFUSED)
		return;
	it->seen[event->interface] = true;
	if (event->interface == IOPF_AT_FUNCTION) {
		reset_function(judge, endpoint);
		it->gone = true;
		it->gone_line = judge->line;
		return;
	}
	reset_host(judge, endpoint);
	it->resetting = false;
	it->removed = true;
}

void paging_failed(struct iopf_judge *judge, const struct iopf_judge_event *event,
		   uint32_t endpoint)
{
	struct book_endpoint *it = book_interface(judge, &judge->endpoints[endpoint]);

	(void)event;
	it->failing = true;
}

/* ---- Overflow ---------------------------------------------------------------------- */

/* Groups without their last are thrown away: the last may have been answered. */
static void drop_partials(struct iopf_judge *judge, uint32_t endpoint)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];
	uint32_t number = it->live[IOPF_AT_QUEUE].first;

	it->lost = true;
	while (number != BOOK_NONE) {
		struct book_group *group = &judge->groups[number];

		number = group->next[BOOK_LIVE];
		if (group->state == BOOK_OPEN)
			book_group_close(judge, group, BOOK_FORGOTTEN);
	}
}

void paging_overflow(struct iopf_judge *judge, const struct iopf_judge_event *event,
		     uint32_t endpoint)
{
	uint32_t source = event->source;

	if (source == IOPF_NO_ID && endpoint != BOOK_NONE)
		source = judge->endpoints[endpoint].source;
	for (uint32_t n = 0; n < judge->endpoint_count; n++)
		if (n == endpoint || source == IOPF_NO_ID ||
		    judge->endpoints[n].source == source)
			drop_partials(judge, n);
}
