/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/agent_poll.c - page requests of a guest: taken, grouped, served, answered. */
#include "guest/agent.h"

#include <errno.h>

/* ---- Partial groups ------------------------------------------------------------------ */

static uint64_t partial_key(uint32_t rid_index, uint32_t pasid, uint32_t index)
{
	return (uint64_t)rid_index << 48 | (uint64_t)pasid << 16 | index;
}

/* Take out what is known of the group of @key: enum agent_verdict. */
static uint32_t partial_take(struct iopf_agent *agent, uint64_t key)
{
	uint32_t verdict = map_find(&agent->partial_map, key);

	if (verdict == MAP_NONE)
		return 0;
	map_remove(&agent->partial_map, key);
	return verdict;
}

void agent_partials_drop(struct iopf_agent *agent)
{
	agent->stats.partials += agent->partial_map.count;
	map_create(&agent->partial_map, agent->partial_map.max, agent->partial_cells);
}

/* By index: a function has no more partial groups of a PASID than that. */
static void partials_drop(struct iopf_agent *agent, uint32_t rid_index, uint32_t pasid)
{
	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
		agent->stats.partials += map_remove(&agent->partial_map,
						    partial_key(rid_index, pasid, i));
}

void agent_partials_drop_space(struct iopf_agent *agent, const struct agent_space *space)
{
	partials_drop(agent, space->rid_index, space->pasid);
}

/* ---- Answers ------------------------------------------------------------------------- */

static int answer_submit(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
			 uint16_t index, enum iopf_code code, uint8_t flags)
{
	const struct iopf_command command = {
		.kind = IOPF_COMMAND_RESPONSE,
		.flags = flags,
		.rid = rid,
		.pasid = pasid,
		.index = index,
		.code = (uint8_t)code,
	};
	int error = iopf_driver_submit(agent->driver, &command);

	if (error != 0)
		return error;
	agent->stats.answers++;
	agent->stats.success += code == IOPF_SUCCESS;
	agent->stats.invalid += code == IOPF_INVALID;
	agent->stats.failure += code == IOPF_FAILURE;
	return 0;
}

int iopf_agent_answer(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint16_t index, enum iopf_code code)
{
	bool stall = agent_stalls(agent, agent_rid_index(agent, rid));

	return answer_submit(agent, rid, pasid, index, code, stall ? IOPF_STALL : 0);
}

/* ---- One request --------------------------------------------------------------------- */

/* Have one page made present. Returns: enum agent_verdict, 0: it is. */
static uint32_t page_serve(struct iopf_agent *agent, const struct iopf_request *request)
{
	uint64_t gpa = 0;
	uint8_t perm = 0;
	int error;

	if (iopf_agent_attached(agent, request->rid, request->pasid) != 0)
		return AGENT_VERDICT_BAD;
	error = agent->options.ops->fault(agent->options.context, request, &gpa, &perm);
	if (error == -EAGAIN)
		return AGENT_VERDICT_DEFERRED;
	if (error == 0)
		error = iopf_agent_map(agent, request->rid, request->pasid, request->addr,
				       gpa, perm);
	return error == 0 ? 0 : AGENT_VERDICT_BAD;
}

static void group_end(struct iopf_agent *agent, const struct iopf_request *request,
		      uint32_t verdict)
{
	enum iopf_code code =
		(verdict & AGENT_VERDICT_BAD) ? IOPF_INVALID : IOPF_SUCCESS;

	agent->stats.groups++;
	if (verdict & AGENT_VERDICT_DEFERRED)
		agent->stats.deferred++;
	else
		(void)answer_submit(agent, request->rid, request->pasid, request->index,
				    code, request->flags & IOPF_STALL);
}

/*
 * A partial group that finds no room is not remembered: at worst it is answered success
 * with a page missing, and success only means: ask again (PCIe 6.x, 10.4.2.2).
 */
static void request_serve(struct iopf_agent *agent, const struct iopf_request *request)
{
	uint32_t rid_index = agent_rid_index(agent, request->rid);
	uint64_t key = partial_key(rid_index, request->pasid, request->index);
	uint32_t verdict;

	agent->stats.requests++;
	if (request->flags & IOPF_STOP) {
		agent->stats.stop_markers++;
		partials_drop(agent, rid_index, request->pasid);
		return;
	}
	verdict = partial_take(agent, key) | page_serve(agent, request);
	if (request->flags & IOPF_LAST)
		group_end(agent, request, verdict);
	else
		(void)map_add(&agent->partial_map, key, verdict);
}

/* ---- The queue ----------------------------------------------------------------------- */

/* Requests were lost, and the queue is empty: what lacks its last never gets it. A drain
 * that was under way proves nothing (VT-d, "Page Request Draining"). */
static void overflow_recover(struct iopf_agent *agent)
{
	agent_partials_drop(agent);
	if (iopf_driver_recover(agent->driver) != 0)
		return;
	agent->stats.overflows++;
	agent_spaces_redrain(agent);
}

/* Each request needs room for its answer before it is taken. */
static uint32_t batch_max(struct iopf_agent *agent, uint32_t budget)
{
	uint32_t room = iopf_driver_room(agent->driver);
	uint32_t max = budget < AGENT_BATCH ? budget : AGENT_BATCH;

	return room < max ? room : max;
}

/* At most @max records out of a queue. Returns: how many, or an error. */
typedef int queue_serve_fn(struct iopf_agent *agent, uint32_t max);

static int requests_serve(struct iopf_agent *agent, uint32_t max)
{
	struct iopf_request requests[AGENT_BATCH];
	int count = iopf_driver_poll(agent->driver, requests, max);

	for (int i = 0; i < count; i++)
		request_serve(agent, &requests[i]);
	return count;
}

/* What does not stall asks for nothing. */
static int events_serve(struct iopf_agent *agent, uint32_t max)
{
	struct iopf_fault faults[AGENT_BATCH];
	int count = iopf_driver_poll_faults(agent->driver, faults, max);

	for (int i = 0; i < count; i++) {
		const struct iopf_request request = iopf_request_from_fault(&faults[i]);

		if (!faults[i].stall)
			agent->stats.faults++;
		else if (agent->streams[agent_rid_index(agent, request.rid)].ending)
			agent->stats.discarded++;
		else
			request_serve(agent, &request);
	}
	return count;
}

/* Until it is empty (0), or there is no more room or budget. */
static int queue_serve(struct iopf_agent *agent, queue_serve_fn *serve, uint32_t budget,
		       uint32_t *taken)
{
	int count = 1;

	while (count > 0) {
		uint32_t max = batch_max(agent, budget - *taken);

		if (max == 0)
			break;
		count = serve(agent, max);
		*taken += count > 0 ? (uint32_t)count : 0;
	}
	return count;
}

uint32_t iopf_agent_poll(struct iopf_agent *agent, uint32_t budget)
{
	uint32_t taken = 0;
	int requests, events = 0;

	agent_spaces_look(agent);
	agent_streams_look(agent);
	requests = queue_serve(agent, requests_serve, budget, &taken);
	if (agent->registers->wire->fault_bytes != 0)
		events = queue_serve(agent, events_serve, budget, &taken);
	if (requests == -EOVERFLOW)
		overflow_recover(agent);
	else if (requests == 0 && events == 0)
		agent_spaces_settle(agent);
	if (events == 0)
		agent_streams_settle(agent);
	iopf_agent_kick(agent);
	return taken;
}
