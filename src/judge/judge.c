/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/judge.c - a judge: made, told, asked. */
#include "judge/book.h"

#include <errno.h>
#include <string.h>

/* ---- Made -------------------------------------------------------------------------- */

static bool in_range(const struct iopf_judge_options *options)
{
	const struct {
		uint32_t value, max;
	} ranges[] = {
		{ options->source_max, 255 },	   { options->endpoint_max, 65534 },
		{ options->owner_max, 65534 },	   { options->space_max, 1048576 },
		{ options->group_max, 16777216 }, { options->command_max, 1048576 },
	};

	if (options->size_bytes != sizeof(*options))
		return false;
	for (unsigned n = 0; n < sizeof(ranges) / sizeof(ranges[0]); n++)
		if (ranges[n].value == 0 || ranges[n].value > ranges[n].max)
			return false;
	return true;
}

size_t iopf_judge_size_bytes(const struct iopf_judge_options *options)
{
	uint64_t size_bytes = in_range(options) ? book_layout(NULL, options, NULL) : 0;

	return size_bytes > SIZE_MAX / 2 ? 0 : (size_t)size_bytes;
}

int iopf_judge_create(const struct iopf_judge_options *options, void *memory,
		      size_t memory_bytes, struct iopf_judge **judge)
{
	struct iopf_judge *it = memory;

	if (iopf_judge_size_bytes(options) == 0 || (uintptr_t)memory % 64 != 0)
		return -EINVAL;
	if (memory_bytes < iopf_judge_size_bytes(options))
		return -ENOSPC;
	memset(it, 0, sizeof(*it));
	it->options = *options;
	book_layout(it, options, memory);
	it->closed = it->over = (struct book_list){ BOOK_NONE, BOOK_NONE };
	for (uint32_t n = 0; n < options->owner_max + options->source_max; n++)
		it->scopes[n].list = (struct book_list){ BOOK_NONE, BOOK_NONE };
	for (uint32_t n = 0; n < options->command_max; n++)
		it->commands[n].next = n + 1 < options->command_max ? n + 1 : BOOK_NONE;
	*judge = it;
	return 0;
}

/* ---- Told -------------------------------------------------------------------------- */

/* What happens at an endpoint, and what need not. */
static const struct {
	judge_fn *fn;
	bool anywhere;
} kinds[] = {
	[IOPF_JUDGE_REQUEST] = { request_seen, false },
	[IOPF_JUDGE_STOP] = { request_stop, false },
	[IOPF_JUDGE_SHOW] = { owner_show, false },
	[IOPF_JUDGE_ANSWER] = { owner_answer, true },
	[IOPF_JUDGE_RESPONSE] = { response_seen, false },
	[IOPF_JUDGE_DROP] = { request_drop, false },
	[IOPF_JUDGE_ATTACH] = { owner_attach, false },
	[IOPF_JUDGE_DETACH] = { owner_detach, false },
	[IOPF_JUDGE_REPLACE] = { owner_replace, false },
	[IOPF_JUDGE_ENABLE] = { paging_enable, false },
	[IOPF_JUDGE_DISABLE] = { paging_disable, false },
	[IOPF_JUDGE_RESTART] = { paging_restart, false },
	[IOPF_JUDGE_FORGET] = { paging_forget, false },
	[IOPF_JUDGE_RESET] = { paging_reset, false },
	[IOPF_JUDGE_REMOVE] = { paging_remove, false },
	[IOPF_JUDGE_TERMINATE] = { stall_terminate, false },
	[IOPF_JUDGE_FAILED] = { paging_failed, false },
	[IOPF_JUDGE_OVERFLOW] = { paging_overflow, true },
	[IOPF_JUDGE_INVALIDATE] = { command_invalidate, true },
	[IOPF_JUDGE_INVALIDATED] = { command_invalidated, true },
	[IOPF_JUDGE_WAIT] = { command_wait, true },
	[IOPF_JUDGE_WAITED] = { command_waited, true },
	[IOPF_JUDGE_PAUSE] = { pause_begin, true },
	[IOPF_JUDGE_RESUME] = { pause_end, true },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == IOPF_JUDGE_KIND_COUNT, "a kind each");

static void check_time(struct iopf_judge *judge, const struct iopf_judge_event *event)
{
	struct say say;

	if (!judge_holds(judge, RULE_TIME_ORDER, event, NULL, event->ns >= judge->now_ns)) {
		say = say_begin(judge, RULE_TIME_ORDER, event, BOOK_NONE);
		say_line(&say, judge->time_line);
		say_line(&say, judge->line);
		say_was(&say, "%llu ns", (unsigned long long)event->ns);
		say_wanted(&say, "%llu ns or later", (unsigned long long)judge->now_ns);
	}
	judge->now_ns = event->ns;
	judge->time_line = judge->line;
}

void iopf_judge_event(struct iopf_judge *judge, const struct iopf_judge_event *event)
{
	uint32_t endpoint;

	judge->events++;
	judge->line = event->line != 0 ? event->line : judge->events;
	if (event->kind >= IOPF_JUDGE_KIND_COUNT || event->interface >= IOPF_AT_COUNT)
		return;
	check_time(judge, event);
	endpoint = book_endpoint_of(judge, event);
	pause_silent(judge, event, endpoint);
	if (endpoint != BOOK_NONE || kinds[event->kind].anywhere)
		kinds[event->kind].fn(judge, event, endpoint);
}

void iopf_judge_end(struct iopf_judge *judge)
{
	end_due(judge);
}

void iopf_judge_excuse(struct iopf_judge *judge, uint32_t endpoint)
{
	struct book_endpoint *it = book_endpoint(judge, endpoint);

	if (it != NULL)
		it->excused |= 1U << IOPF_PARTY_DEVICE | 1U << IOPF_PARTY_IOMMU;
}

/* ---- Asked ------------------------------------------------------------------------- */

struct iopf_judge_tally iopf_judge_tally(const struct iopf_judge *judge, uint32_t number)
{
	struct iopf_judge_tally sum = { 0 };

	for (uint32_t n = 0; n < RULE_COUNT; n++) {
		if (number != n && number != IOPF_NO_ID)
			continue;
		sum.judged += judge->tally[n].judged;
		sum.violations += judge->tally[n].violations;
		sum.not_judged += judge->tally[n].not_judged;
		sum.excused += judge->tally[n].excused;
	}
	return sum;
}

uint64_t iopf_judge_events(const struct iopf_judge *judge)
{
	return judge->events;
}

const char *iopf_judge_full(const struct iopf_judge *judge, uint32_t number,
			    uint32_t *max, uint64_t *lost)
{
	const struct iopf_judge_options *options = &judge->options;
	const struct {
		const char *name;
		uint32_t max;
	} tables[] = {
		[BOOK_SOURCES] = { "sources", options->source_max },
		[BOOK_ENDPOINTS] = { "endpoints", options->endpoint_max },
		[BOOK_OWNERS] = { "owners", options->owner_max },
		[BOOK_SPACES] = { "spaces", options->space_max },
		[BOOK_GROUPS] = { "groups", options->group_max },
		[BOOK_SHOWS] = { "shown groups", options->group_max },
		[BOOK_COMMANDS] = { "commands", options->command_max },
	};

	for (unsigned n = 0; n < BOOK_TABLE_COUNT; n++) {
		if (judge->lost[n] == 0 || number-- != 0)
			continue;
		*max = tables[n].max;
		*lost = judge->lost[n];
		return tables[n].name;
	}
	return NULL;
}
