/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/answer.c - groups to owners, and the short way of answers from them.
 *
 * Answers come in runs: what a run changes of its owner, and of the endpoints and sources
 * that it meets, is at hand in between.
 */
#include "broker/page.h"
#include "broker/word.h"

#include <errno.h>

IS_NAMED(struct iopf_group);
IS_WORD(struct iopf_group, endpoint, rid);
IS_WORD(struct iopf_group, rid, flags);
IS_WORD(struct iopf_group, flags, page);

enum { ANSWERS_AHEAD = 8 }; /* groups that are fetched into the cache */

/* ---- To the owner -------------------------------------------------------------- */

/* What an owner sees of @group, which is one of @endpoint. */
static inline void group_view(const struct group *group, const struct endpoint *endpoint,
			      struct iopf_group *out)
{
	NAME_PUT(out, group);
	WORD_PUT(out, endpoint, WORD(group->bound.endpoint, group->bound.pasid));
	WORD_PUT(out, rid, WORD(endpoint->rid, HALF(group->index, group->request_count)));
	WORD_PUT(out, flags,
		 WORD(HALF(PAIR(group->flags & (GROUP_STALL | GROUP_PRIVATE), 0), 0), 0));
	out->page.addr = group->addr;
	WORD_PUT(out, page.perm, WORD(HALF(PAIR(group->perm, 0), 0), 0));
}

int iopf_broker_fetch_many(struct iopf_broker *broker, uint32_t owner,
			   struct iopf_group *out, uint32_t max, uint64_t now_ns)
{
	struct recording recording = recording_of(broker);
	struct group *groups = broker->groups;
	struct owner *it = owner_get(broker, owner);
	uint32_t cursor, done;

	if (it == NULL)
		return -ENOENT;
	cursor = it->fetch_cursor;
	for (done = 0; done < max && cursor != NO_SLOT; done++) {
		struct group *group = &groups[cursor];
		struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];

		cursor = list_next(groups, &it->open, cursor);
		group_prefetch(groups, cursor);
		group_move(endpoint, group, IOPF_GROUP_READY, IOPF_GROUP_DELIVERED);
		record_step(&recording, now_ns, group, group->addr, IOPF_RECORD_SHOW,
			    group->perm);
		group_view(group, endpoint, &out[done]);
	}
	it->fetch_cursor = cursor;
	count_by(&it->row->counter[IOPF_COUNTER_shown], done);
	return (int)done;
}

int iopf_broker_fetch(struct iopf_broker *broker, uint32_t owner, struct iopf_group *group,
		      uint64_t now_ns)
{
	int got = iopf_broker_fetch_many(broker, owner, group, 1, now_ns);

	if (got < 0)
		return got;
	return got == 1 ? 0 : -EAGAIN;
}

static struct group *open_group(const struct iopf_broker *broker, uint64_t token)
{
	uint32_t slot = TOKEN_SLOT(token);
	struct group *group;

	if (slot >= broker->slot_count)
		return NULL;
	group = &broker->groups[slot];
	if (group->token != token)
		return NULL;
	return group->state == IOPF_GROUP_READY || group->state == IOPF_GROUP_DELIVERED ?
		       group :
		       NULL;
}

int iopf_broker_group(const struct iopf_broker *broker, uint64_t token,
		      struct iopf_group *group)
{
	const struct group *open = open_group(broker, token);

	if (open == NULL)
		return -ENOENT;
	group_view(open, &broker->endpoints[open->bound.endpoint], group);
	return 0;
}

int iopf_broker_pages(const struct iopf_broker *broker, uint64_t token, uint32_t first,
		      struct iopf_page *pages, uint32_t max)
{
	const struct group *group = open_group(broker, token);
	const struct endpoint *endpoint;
	uint32_t at = 0, done = 0;
	uint16_t link;

	if (group == NULL)
		return -ENOENT;
	endpoint = &broker->endpoints[group->bound.endpoint];
	if (first == 0 && max > 0)
		pages[done++] =
			(struct iopf_page){ .addr = group->addr, .perm = group->perm };
	for (link = group->unit_first; link != 0 && done < max;
	     link = endpoint->units[link - 1].next) {
		const struct unit *unit = &endpoint->units[link - 1];

		if (++at >= first)
			pages[done++] = (struct iopf_page){ .addr = unit->addr,
							    .perm = unit->perm };
	}
	return (int)done;
}

/* ---- From the owner ------------------------------------------------------------ */

_Static_assert(ENDED(IOPF_SUCCESS, IOPF_ENDING_success) == IOPF_SUCCESS * 0x11 &&
		       ENDED(IOPF_INVALID, IOPF_ENDING_invalid) == IOPF_INVALID * 0x11,
	       "answered_as()");

/* What a group becomes that its owner answers: LEAVING, and nothing that it holds. */
static inline uint64_t answered_as(uint64_t marks, uint32_t code)
{
	return (marks & ~MARKS(0, 0xff, GROUP_HELD, 0, 0xff, 0)) |
	       MARKS(0, IOPF_GROUP_LEAVING, 0, 0, code * 0x11, 0);
}

/* What a run changes. */
struct answering {
	struct owner *owner;
	struct list open;
	uint32_t fetch_cursor, warn_cursor;
	struct endpoint *endpoint; /* of the last answers, and how many: */
	uint32_t count;
	struct source *source; /* of those */
	struct list leaving;
	struct recording recording;
};

static inline void answering_begin(struct answering *run, const struct iopf_broker *broker,
				   struct owner *owner)
{
	*run = (struct answering){ .owner = owner,
				   .open = owner->open,
				   .fetch_cursor = owner->fetch_cursor,
				   .warn_cursor = owner->warn_cursor,
				   .recording = recording_of(broker) };
}

static inline void answering_count(struct answering *run)
{
	if (run->count == 0)
		return;
	run->endpoint->now += run->count * (NOW_ONE(LEAVING) - NOW_ONE(DELIVERED));
	run->owner->held[mechanism_of(run->endpoint)] -= run->count;
	run->source->leaving = run->leaving;
	run->count = 0;
}

static inline void answering_at(struct answering *run, const struct iopf_broker *broker,
				struct endpoint *endpoint)
{
	if (run->endpoint == endpoint)
		return;
	answering_count(run);
	run->endpoint = endpoint;
	run->source = &broker->sources[endpoint->source];
	run->leaving = run->source->leaving;
}

static inline void answering_end(struct answering *run)
{
	answering_count(run);
	run->owner->open = run->open;
	run->owner->fetch_cursor = run->fetch_cursor;
	run->owner->warn_cursor = run->warn_cursor;
}

/* @answer is success or invalid, and its token that of a group of one request that @id was
 * shown and has to answer, of an interface where nothing is promised. */
static inline bool is_usual(const struct iopf_broker *broker, uint32_t id,
			    const struct iopf_answer *answer)
{
	uint32_t slot = TOKEN_SLOT(answer->token);
	const struct group *group = &broker->groups[slot];

	return slot < broker->slot_count && group->token == answer->token &&
	       group->state == IOPF_GROUP_DELIVERED && group->bound.owner == id &&
	       answer->code <= IOPF_INVALID && group->unit_first == 0 &&
	       !is_shared(&broker->endpoints[group->bound.endpoint]);
}

static inline void take_usual(struct answering *run, struct group *groups, uint32_t slot,
			      uint32_t code, uint64_t now_ns)
{
	struct group *group = &groups[slot];
	uint32_t next = list_next(groups, &run->open, slot);

	record_step(&run->recording, now_ns, group, group->addr, IOPF_RECORD_ANSWER, code);
	run->fetch_cursor = run->fetch_cursor == slot ? next : run->fetch_cursor;
	run->warn_cursor = run->warn_cursor == slot ? next : run->warn_cursor;
	list_remove(groups, &run->open, slot);
	group->marks = answered_as(group->marks, code);
	line_push(groups, &run->leaving, slot);
	run->count++;
}

/* Whether what is remembered of pages is not concerned. */
static inline bool is_believed(const struct iopf_broker *broker, const struct owner *owner,
			       const struct group *group, uint32_t code, uint64_t clock_ns)
{
	return code != IOPF_SUCCESS || owner->liar_limit == 0 ||
	       page_is_passed_over(broker, &broker->endpoints[group->bound.endpoint], group,
				   clock_ns);
}

int iopf_broker_answers(struct iopf_broker *broker, uint32_t id,
			struct iopf_answer *answers, uint32_t count, uint64_t now_ns)
{
	struct owner *owner = owner_get(broker, id);
	uint64_t clock_ns = owner != NULL ? owner_clock(owner, now_ns) : 0;
	struct answering run;
	uint32_t right = 0;

	if (owner == NULL)
		return -ENOENT;
	answering_begin(&run, broker, owner);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = TOKEN_SLOT(answers[i].token);

		if (i + ANSWERS_AHEAD < count)
			slot_prefetch(broker, TOKEN_SLOT(answers[i + ANSWERS_AHEAD].token));
		if (is_usual(broker, id, &answers[i]) &&
		    is_believed(broker, owner, &broker->groups[slot], answers[i].code, clock_ns)) {
			answering_at(&run, broker,
				     &broker->endpoints[broker->groups[slot].bound.endpoint]);
			take_usual(&run, broker->groups, slot, answers[i].code, now_ns);
			answers[i].result = 0;
			right++;
			continue;
		}
		answering_end(&run);
		answers[i].result = answer_unusual(broker, id, answers[i].token,
						   answers[i].code, now_ns);
		right += answers[i].result == 0;
		answering_begin(&run, broker, owner);
	}
	answering_end(&run);
	return (int)right;
}

int iopf_broker_answer(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		       enum iopf_code code, uint64_t now_ns)
{
	struct iopf_answer answer = { .token = token, .code = (uint32_t)code };
	int right = iopf_broker_answers(broker, owner, &answer, 1, now_ns);

	return right < 0 ? right : answer.result;
}

int iopf_broker_answer_remote(struct iopf_broker *broker, uint32_t owner, uint64_t token,
			      enum iopf_code code)
{
	struct owner *it = owner_get(broker, owner);

	if (it == NULL || broker->options.inbox_entries == 0)
		return -EINVAL;
	return inbox_put(&it->inbox, broker->options.inbox_entries, token,
			 (uint64_t)code) ?
		       0 :
		       -ENOSPC;
}

int iopf_broker_end(struct iopf_broker *broker, uint64_t token, enum iopf_code code,
		    enum iopf_ending ending, uint64_t now_ns)
{
	struct group *group = open_group(broker, token);

	if (group == NULL)
		return -ENOENT;
	if (ending <= IOPF_ENDING_failure || (unsigned)ending >= IOPF_ENDING_COUNT ||
	    iopf_ending_is_silent(ending) || (unsigned)code >= IOPF_FAILURE)
		return -EINVAL;
	group_end(broker, TOKEN_SLOT(token), code, ending, now_ns);
	return 0;
}
