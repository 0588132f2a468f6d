/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge/command.c - queues of commands: invalidations, and waits for what stands before
 * them. A queue is an owner's, where the owner is named, or a source's.
 */
#include "judge/book.h"

static uint32_t scope_of(const struct iopf_judge *judge,
			 const struct iopf_judge_event *event, uint32_t endpoint)
{
	if (event->interface == IOPF_AT_GUEST && event->owner < judge->owner_count)
		return event->owner;
	if (event->source < judge->source_count)
		return judge->options.owner_max + event->source;
	if (endpoint != BOOK_NONE && judge->endpoints[endpoint].source < judge->source_count)
		return judge->options.owner_max + judge->endpoints[endpoint].source;
	return BOOK_NONE;
}

/* ---- In order ---------------------------------------------------------------------- */

static void unlink_command(struct iopf_judge *judge, struct book_scope *scope,
			   uint32_t before, uint32_t number)
{
	uint32_t next = judge->commands[number].next;

	if (before == BOOK_NONE)
		scope->list.first = next;
	else
		judge->commands[before].next = next;
	if (scope->list.last == number)
		scope->list.last = before;
	judge->commands[number].next = judge->command_free;
	judge->command_free = number;
}

static void add(struct iopf_judge *judge, const struct iopf_judge_event *event,
		uint32_t endpoint, enum book_command_kind kind)
{
	uint32_t at = scope_of(judge, event, endpoint);
	struct book_scope *scope = at == BOOK_NONE ? NULL : &judge->scopes[at];
	uint32_t number = judge->command_free;

	if (scope == NULL || event->flags & IOPF_JUDGE_REFUSED)
		return;
	/* Nobody says in this recording when they complete: the oldest one is forgotten. */
	if (number == BOOK_NONE && scope->list.first != BOOK_NONE) {
		number = scope->list.first;
		unlink_command(judge, scope, BOOK_NONE, number);
	}
	if (number == BOOK_NONE) {
		judge->lost[BOOK_COMMANDS]++;
		return;
	}
	judge->command_free = judge->commands[number].next;
	judge->commands[number] = (struct book_command){
		.line = judge->line,
		.addr = event->addr,
		.endpoint = endpoint,
		.pasid = event->pasid,
		.next = BOOK_NONE,
		.kind = (uint8_t)kind,
		.device = event->flags & IOPF_JUDGE_DEVICE,
	};
	if (scope->list.last == BOOK_NONE)
		scope->list.first = number;
	else
		judge->commands[scope->list.last].next = number;
	scope->list.last = number;
	scope->begun = true;
}

void command_invalidate(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint)
{
	add(judge, event, endpoint, BOOK_INVALIDATE);
}

void command_wait(struct iopf_judge *judge, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	add(judge, event, endpoint, BOOK_WAIT);
}

/* ---- Completed --------------------------------------------------------------------- */

static bool is_it(const struct book_command *command, const struct iopf_judge_event *event,
		  uint32_t endpoint)
{
	return command->kind == BOOK_INVALIDATE && command->endpoint == endpoint &&
	       command->pasid == event->pasid && command->addr == event->addr &&
	       command->device == ((event->flags & IOPF_JUDGE_DEVICE) != 0);
}

static void say_nothing(struct iopf_judge *judge, const struct iopf_judge_event *event,
			uint32_t endpoint, enum judge_rule rule, bool known)
{
	struct say say;

	if (!known) {
		judge_unknown(judge, rule);
		return;
	}
	if (judge_holds(judge, rule, event, book_endpoint(judge, endpoint), false))
		return;
	say = say_begin(judge, rule, event, endpoint);
	say_line(&say, judge->line);
	say_was(&say, rule == RULE_WAIT_ASKED ? "a wait completed" :
						"an invalidation completed");
	say_wanted(&say, "none was under way");
}

/* Whether what began before the recording cannot be it. */
static bool is_complete(const struct iopf_judge *judge, const struct book_scope *scope)
{
	return book_whole(judge) && judge->lost[BOOK_COMMANDS] == 0 && scope != NULL;
}

void command_invalidated(struct iopf_judge *judge, const struct iopf_judge_event *event,
			 uint32_t endpoint)
{
	uint32_t at = scope_of(judge, event, endpoint), before = BOOK_NONE;
	struct book_scope *scope = at == BOOK_NONE ? NULL : &judge->scopes[at];
	uint32_t number = scope == NULL ? BOOK_NONE : scope->list.first;

	while (number != BOOK_NONE && !is_it(&judge->commands[number], event, endpoint)) {
		before = number;
		number = judge->commands[number].next;
	}
	if (number == BOOK_NONE) {
		say_nothing(judge, event, endpoint, RULE_INVALIDATE_ASKED,
			    is_complete(judge, scope));
		return;
	}
	judge_holds(judge, RULE_INVALIDATE_ASKED, event, book_endpoint(judge, endpoint), true);
	unlink_command(judge, scope, before, number);
}

static void say_before(struct iopf_judge *judge, const struct iopf_judge_event *event,
		       const struct book_command *command, uint64_t wait_line)
{
	struct say say = say_begin(judge, RULE_INVALIDATE_WAIT, event, command->endpoint);

	say_line(&say, command->line);
	say_line(&say, wait_line);
	say_line(&say, judge->line);
	say_was(&say, "a wait completed, and an invalidation before it has not");
	say_wanted(&say, "the invalidation to complete first");
}

/* The first wait: what stands before it is over. */
void command_waited(struct iopf_judge *judge, const struct iopf_judge_event *event,
		    uint32_t endpoint)
{
	uint32_t at = scope_of(judge, event, endpoint);
	struct book_scope *scope = at == BOOK_NONE ? NULL : &judge->scopes[at];
	uint32_t wait = scope == NULL ? BOOK_NONE : scope->list.first;

	while (wait != BOOK_NONE && judge->commands[wait].kind != BOOK_WAIT)
		wait = judge->commands[wait].next;
	if (wait == BOOK_NONE) {
		say_nothing(judge, event, endpoint, RULE_WAIT_ASKED,
			    is_complete(judge, scope));
		return;
	}
	judge_holds(judge, RULE_WAIT_ASKED, event, book_endpoint(judge, endpoint), true);
	judge_holds(judge, RULE_INVALIDATE_WAIT, event, NULL, true);
	while (scope->list.first != wait) {
		uint32_t number = scope->list.first;
		const struct book_command *command = &judge->commands[number];

		if (!judge_holds(judge, RULE_INVALIDATE_WAIT, event,
				 book_endpoint(judge, command->endpoint), false))
			say_before(judge, event, command, judge->commands[wait].line);
		unlink_command(judge, scope, BOOK_NONE, number);
	}
	unlink_command(judge, scope, BOOK_NONE, wait);
}
