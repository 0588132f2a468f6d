/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/respond.c - responses out of the ledger.
 *
 * They leave in runs of one endpoint: what a run changes of it is at hand in between.
 */
#include "broker/word.h"

#include <errno.h>

IS_NAMED(struct iopf_response);
IS_WORD(struct iopf_response, endpoint, pasid);
IS_WORD(struct iopf_response, pasid, code);
IS_WORD(struct iopf_response, code, private_data);

static inline void response_of(const struct iopf_broker *broker, const struct group *group,
			       uint32_t endpoint, uint32_t rid, uint32_t pasid,
			       struct iopf_response *out)
{
	unsigned flags = group->flags & (unsigned)(GROUP_STALL | GROUP_PRIVATE);
	uint8_t ended = group->ended;

	NAME_PUT(out, group);
	WORD_PUT(out, endpoint, WORD(endpoint, rid));
	WORD_PUT(out, pasid, WORD(pasid, HALF(group->index, group->request_count)));
	WORD_PUT(out, code,
		 WORD(HALF(PAIR(ENDED_CODE(ended), flags), PAIR(ENDED_ENDING(ended), 0)), 0));
	memset(out->private_data, 0, sizeof(out->private_data));
	if (group->flags & GROUP_PRIVATE && broker->private_data != NULL)
		memcpy(out->private_data, broker->private_data[TOKEN_SLOT(group->token)],
		       sizeof(out->private_data));
}

static inline void count_responses(const struct iopf_broker *broker, unsigned owner,
				   struct iopf_stats_row *row, unsigned ended, uint32_t by)
{
	count_by(&row->counter[IOPF_COUNTER_response_success + ENDED_CODE(ended)], by);
	count_ending(broker, owner, row, ENDED_ENDING(ended), by);
}

/* What a run of one endpoint changes. Those of one owner that ended alike are counted at
 * once. */
struct responding {
	struct endpoint *endpoint; /* NULL: none */
	struct list free;
	uint64_t now;
	uint32_t count; /* of: */
	uint16_t owner;
	uint8_t ended;
	struct list leaving;
	struct recording recording;
};

static inline void responding_count(struct responding *run, const struct iopf_broker *broker)
{
	if (run->count > 0)
		count_responses(broker, run->owner, run->endpoint->row, run->ended,
				run->count);
	run->count = 0;
}

static inline void responding_end(struct responding *run, const struct iopf_broker *broker)
{
	responding_count(run, broker);
	if (run->endpoint != NULL) {
		run->endpoint->free = run->free;
		run->endpoint->now = run->now;
	}
	run->endpoint = NULL;
}

static inline void responding_at(struct responding *run, const struct iopf_broker *broker,
				 struct endpoint *endpoint, const struct group *group)
{
	if (run->endpoint != endpoint) {
		responding_end(run, broker);
		run->endpoint = endpoint;
		run->free = endpoint->free;
		run->now = endpoint->now;
	} else if (run->owner != group->bound.owner || run->ended != group->ended) {
		responding_count(run, broker);
	}
	run->owner = group->bound.owner;
	run->ended = group->ended;
}

/* What most groups are: of one request, in a slot of the function's own, whose
 * generations have not run out. */
static inline bool is_usual(const struct endpoint *endpoint, const struct group *group)
{
	return !(group->flags & GROUP_RESERVE) && !(endpoint->flags & ENDPOINT_VIRTUAL) &&
	       group->unit_last == 0 && TOKEN_GENERATION(group->token) != UINT32_MAX;
}

/* As group_free(). */
static inline void free_usual(struct responding *run, struct group *groups, uint32_t slot,
			      uint64_t now_ns)
{
	struct group *group = &groups[slot];

	bucket_remove(groups, run->endpoint, slot);
	group_state(group, IOPF_GROUP_LEAVING, IOPF_GROUP_FREE);
	run->now -= NOW_ONE(LEAVING) + NOW_ONE(CREDITS);
	group->opened_ns = now_ns;
	line_push(groups, &run->free, slot);
	run->count++;
}

COLD static void respond_unusual(struct iopf_broker *broker, struct group *group,
				 struct iopf_response *out, uint64_t now_ns)
{
	uint32_t id = group->bound.endpoint;
	struct endpoint *endpoint = &broker->endpoints[id];

	record(broker, now_ns, IOPF_RECORD_RESPONSE, group, group->addr, group->ended);
	count_responses(broker, group->bound.owner, row_of_group(broker, group),
			group->ended, 1);
	if (group->flags & GROUP_RESERVE) {
		response_of(broker, group, id != NO_ENDPOINT ? id : IOPF_NO_ID,
			    group_rid(broker, group), group->bound.pasid, out);
		reserve_free(broker, group, now_ns);
		return;
	}
	response_of(broker, group, id, endpoint->rid, response_pasid(endpoint, group), out);
	group_free(broker, endpoint, TOKEN_SLOT(group->token), IOPF_GROUP_LEAVING, now_ns);
}

static inline void respond_one(struct iopf_broker *broker, struct responding *run,
			       uint32_t slot, struct iopf_response *out, uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	uint32_t id = group->bound.endpoint;
	struct endpoint *endpoint = &broker->endpoints[id];

	if (id == NO_ENDPOINT || !is_usual(endpoint, group)) {
		responding_end(run, broker);
		respond_unusual(broker, group, out, now_ns);
		run->recording = recording_of(broker);
		return;
	}
	responding_at(run, broker, endpoint, group);
	record_step(&run->recording, now_ns, group, group->addr, IOPF_RECORD_RESPONSE,
		    group->ended);
	response_of(broker, group, id, endpoint->rid, response_pasid(endpoint, group), out);
	free_usual(run, broker->groups, slot, now_ns);
}

int iopf_broker_respond(struct iopf_broker *broker, uint32_t source,
			struct iopf_response *responses, uint32_t max, uint64_t now_ns)
{
	struct source *it = source_get(broker, source);
	struct responding run = { .recording = recording_of(broker) };
	uint32_t done;

	if (it == NULL)
		return -ENOENT;
	run.leaving = it->leaving;
	for (done = 0; done < max && run.leaving.first != NO_SLOT; done++) {
		uint32_t slot = run.leaving.first;

		run.leaving.first = list_next(broker->groups, &run.leaving, slot);
		group_prefetch(broker->groups, run.leaving.first);
		respond_one(broker, &run, slot, &responses[done], now_ns);
	}
	responding_end(&run, broker);
	it->leaving = run.leaving;
	return (int)done;
}
