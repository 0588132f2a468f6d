/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/agent_terminate.c - every stall of a stream ended at once, known or not.
 *
 * Arm SMMUv3 (IHI 0070), 4.7.2 "CMD_STALL_TERM": in this order, or it is open which stalls
 * are hit and which events still come. The entry aborts, so that nothing new stalls; the
 * caches hear of it; the stalls are terminated; their events that are left are thrown
 * away; then the stream is let in again.
 *
 *   OPEN --terminate--> ENDING --SYNC done, event queue seen empty--> OPEN
 */
#include "guest/agent.h"

#include <errno.h>

static int submit_stream(struct iopf_agent *agent, uint32_t rid_index,
			 enum iopf_command_kind kind)
{
	const struct iopf_command command = {
		.kind = (uint8_t)kind,
		.granularity = IOPF_DEVICE,
		.rid = agent->rids[rid_index],
	};

	return iopf_driver_submit(agent->driver, &command);
}

int iopf_agent_terminate(struct iopf_agent *agent, uint32_t rid)
{
	uint32_t rid_index = agent_rid_index(agent, rid);
	struct agent_stream *stream = &agent->streams[rid_index];
	uint64_t ignored;
	int error;

	if (rid_index == agent->options.rid_count)
		return -EINVAL;
	if (!agent_stalls(agent, rid_index))
		return -EOPNOTSUPP;
	if (stream->ending)
		return -EBUSY;
	if (iopf_driver_room(agent->driver) < 4)
		return -EAGAIN;
	error = agent_door(agent, rid_index, FAMILY_BLOCKED);
	if (error == 0)
		error = submit_stream(agent, rid_index, IOPF_COMMAND_INVALIDATE_CONTEXT);
	if (error == 0)
		error = iopf_agent_wait(agent, false, &ignored);
	if (error == 0)
		error = submit_stream(agent, rid_index, IOPF_COMMAND_TERMINATE);
	if (error == 0)
		error = iopf_agent_wait(agent, false, &stream->wait);
	if (error == 0) {
		*stream = (struct agent_stream){ .ending = true, .wait = stream->wait };
		agent->ending++;
	}
	iopf_agent_kick(agent);
	return error;
}

void agent_streams_look(struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.rid_count && agent->ending > 0; i++) {
		struct agent_stream *stream = &agent->streams[i];

		if (stream->ending)
			stream->terminated = iopf_agent_waited(agent, stream->wait);
	}
}

/* Whatever becomes of its entry in memory (a guest may rewrite it): the stream is over. */
void agent_streams_settle(struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.rid_count && agent->ending > 0; i++) {
		struct agent_stream *stream = &agent->streams[i];

		if (!stream->ending || !stream->terminated ||
		    iopf_driver_room(agent->driver) == 0)
			continue;
		(void)agent_door(agent, i, FAMILY_OPEN);
		(void)submit_stream(agent, i, IOPF_COMMAND_INVALIDATE_CONTEXT);
		stream->ending = false;
		agent->ending--;
		agent->stats.terminations++;
	}
}
