/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/request.c - the short way of a request.
 *
 * Functions ask in bursts: what a run of one function's requests changes of its endpoint
 * and of its owner is at hand in between, and stored once.
 */
#include "broker/ledger.h"

#include <errno.h>

/* Most requests: a whole group that wants to read or write, for an attachment that is
 * open, under an index that is not, within the allocation and the quota. What is tested
 * here is all that the long way would find; the rest is settled by the usual PASID. */
static inline bool is_usual(const struct endpoint *endpoint,
			    const struct iopf_request *request)
{
	return request->rid == endpoint->rid && request->pasid == endpoint->usual.pasid &&
	       request->flags == IOPF_LAST &&
	       request->perm - 1u < (IOPF_READ | IOPF_WRITE) &&
	       request->index <= PRI_INDEX_MAX && endpoint->bucket[request->index] == 0;
}

/* What a run changes. */
struct run {
	struct list free, open;
	uint64_t clock_ns;
	struct recording recording;
};

static inline void run_fill(struct run *run, struct group *groups,
			    const struct endpoint *endpoint, uint32_t slot,
			    const struct iopf_request *request)
{
	struct group *group = &groups[slot];

	assert(group->state == IOPF_GROUP_FREE);
	group->token++; /* the next generation */
	group->opened_ns = run->clock_ns;
	group->addr = request->addr;
	group->bound = endpoint->usual;
	group->links = WORD(HALF(1, 0), 0);
	group->marks = MARKS(request->index, IOPF_GROUP_READY, GROUP_HELD, request->perm, 0,
			     endpoint->source);
	list_push(groups, &run->open, slot);
	endpoint->bucket[request->index] = (uint16_t)(slot - endpoint->slot_first + 1);
}

/* How many of them there may be. */
static inline uint32_t run_max(const struct endpoint *endpoint, const struct owner *owner,
			       uint32_t count)
{
	uint32_t credits = endpoint->ceiling - credits_of(endpoint);
	uint32_t quota = owner->held[IOPF_PRI] < owner->quota[IOPF_PRI] ?
				 owner->quota[IOPF_PRI] - owner->held[IOPF_PRI] :
				 0;
	uint32_t max = credits < quota ? credits : quota;

	return count < max ? count : max;
}

static inline void run_end(struct endpoint *endpoint, struct owner *owner,
			   const struct run *run, uint32_t first, uint32_t count)
{
	struct iopf_stats_row *row = endpoint->row;

	endpoint->free = run->free;
	endpoint->now += count * (NOW_ONE(CREDITS) + NOW_ONE(READY));
	owner->open = run->open;
	owner->held[IOPF_PRI] += count;
	if (owner->fetch_cursor == NO_SLOT)
		owner->fetch_cursor = first;
	if (owner->warn_cursor == NO_SLOT)
		owner->warn_cursor = first;
	count_by(&row->counter[IOPF_COUNTER_requests], count);
	count_by(&row->counter[IOPF_COUNTER_lasts], count);
}

/* Takes the requests from the first on that are usual. Returns: how many. */
static uint32_t usual_run(struct iopf_broker *broker, struct endpoint *endpoint,
			  const struct iopf_request *requests, uint32_t count,
			  uint64_t now_ns)
{
	struct group *groups = broker->groups;
	struct owner *owner = &broker->owners[endpoint->usual.owner];
	struct run run = { .free = endpoint->free,
			   .open = owner->open,
			   .clock_ns = owner_clock(owner, now_ns),
			   .recording = recording_of(broker) };
	uint32_t first = run.free.first, max = run_max(endpoint, owner, count), done;

	for (done = 0; done < max && run.free.first != NO_SLOT; done++) {
		const struct iopf_request *request = &requests[done];
		uint32_t slot = run.free.first;

		if (!is_usual(endpoint, request))
			break;
		run.free.first = list_next(groups, &run.free, slot);
		group_prefetch(groups, run.free.first);
		run_fill(&run, groups, endpoint, slot, request);
		record_step(&run.recording, now_ns, &groups[slot],
			    (request->addr & ~UINT64_C(0xfff)) | request->perm,
			    IOPF_RECORD_REQUEST, IOPF_LAST);
	}
	if (done > 0)
		run_end(endpoint, owner, &run, first, done);
	return done;
}

/* MAP_NONE: there is no such rid. */
static inline uint32_t endpoint_find(struct iopf_broker *broker, uint64_t key)
{
	uint32_t id;

	if (key == broker->last_rid)
		return broker->last_id;
	id = map_find(&broker->rids, key);
	if (id != MAP_NONE) {
		broker->last_rid = key;
		broker->last_id = id;
	}
	return id;
}

int iopf_broker_requests(struct iopf_broker *broker, uint32_t source,
			 const struct iopf_request *requests, uint32_t count,
			 uint64_t now_ns)
{
	uint32_t done = 0, run;

	while (done < count) {
		const struct iopf_request *request = &requests[done];
		uint32_t id = endpoint_find(broker, (uint64_t)source << 32 | request->rid);
		int taken;

		run = 0;
		if (id != MAP_NONE && broker->endpoints[id].usual.pasid != PASID_NOBODY)
			run = usual_run(broker, &broker->endpoints[id], request,
					count - done, now_ns);
		done += run;
		if (run > 0)
			continue;
		taken = intake_unusual(broker, source, request, now_ns, id);
		if (taken != 0)
			return done > 0 ? (int)done : taken;
		done++;
	}
	return (int)done;
}

int iopf_broker_request(struct iopf_broker *broker, uint32_t source,
			const struct iopf_request *request, uint64_t now_ns)
{
	int taken = iopf_broker_requests(broker, source, request, 1, now_ns);

	return taken < 0 ? taken : 0;
}
