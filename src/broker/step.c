/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/step.c - operations go on, step by step, and come to an end. */
#include "broker/operation.h"

#include <errno.h>

/* STOPPED goes back to the drain before it, not over the whole plan. */
enum { STOPPED_BACK = 2 };

/* ---- Steps --------------------------------------------------------------------------------- */

int iopf_broker_step(const struct iopf_broker *broker, uint32_t id)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	return endpoint == NULL ? -ENOENT : (int)step_of(endpoint);
}

static const uint8_t state_after[] = {
	[IOPF_OPERATION_NONE] = ENDPOINT_STATE_COUNT,
	[IOPF_OPERATION_DETACH] = ENDPOINT_STATE_COUNT, /* as it was */
	[IOPF_OPERATION_DISABLE] = ENDPOINT_OFF,
	[IOPF_OPERATION_RESTART] = ENDPOINT_ON,
	[IOPF_OPERATION_RESET] = ENDPOINT_OFF,
	[IOPF_OPERATION_REMOVE] = ENDPOINT_UNUSED,
	[IOPF_OPERATION_REPLACE] = ENDPOINT_STATE_COUNT,
};
_Static_assert(sizeof(state_after) == IOPF_OPERATION_KIND_COUNT, "a state each");

/* Virtual functions follow their physical one; what was switched off stays so. */
static void state_put(struct iopf_broker *broker, uint32_t first, uint8_t state)
{
	EACH_FUNCTION(broker, first, id) {
		struct endpoint *endpoint = &broker->endpoints[id];

		endpoint->usual.pasid = PASID_NOBODY;
		if (id == first || state != ENDPOINT_ON || endpoint->state != ENDPOINT_OFF)
			endpoint->state = state;
	}
}

static void operation_over(struct endpoint *endpoint)
{
	endpoint->operation = IOPF_OPERATION_NONE;
	endpoint->plan_at = 0;
	endpoint->restart_wanted = false;
}

static int finish(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	uint8_t kind = endpoint->operation;
	bool restart = endpoint->restart_wanted;

	operation_tell(broker, id, IOPF_EVENT_OPERATION_DONE, 0, now_ns);
	operation_succeeds(broker, endpoint);
	operation_over(endpoint);
	if (kind == IOPF_OPERATION_REMOVE)
		endpoint_forget(broker, id);
	else if (state_after[kind] != ENDPOINT_STATE_COUNT)
		state_put(broker, id, state_after[kind]);
	if (restart)
		operation_restart(broker, id, now_ns);
	return IOPF_STEP_DONE;
}

/* The function does not answer, or does not stop: nothing of it stays here, and only a
 * function reset or its removal goes on from here. */
static int fail(struct iopf_broker *broker, uint32_t first, int error, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[first];

	if (endpoint->operation == IOPF_OPERATION_REMOVE)
		return finish(broker, first, now_ns);
	operation_tell(broker, first, IOPF_EVENT_OPERATION_FAILED, (uint64_t)-error, now_ns);
	forget_all(broker, first,
		   error == -ENODEV ? IOPF_ENDING_removal : IOPF_ENDING_reset, now_ns);
	operation_leaves_none(broker, endpoint);
	operation_over(endpoint);
	state_put(broker, first, ENDPOINT_FAILED);
	return error;
}

/* One attachment's operation that does not come to its end, though the function is well:
 * the others feel nothing of it. It stays closed: what it asks gets invalid, nobody is
 * given it, and its operation can be begun again. */
static int give_up(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	bool restart = endpoint->restart_wanted;

	operation_tell(broker, id, IOPF_EVENT_OPERATION_FAILED, ETIMEDOUT, now_ns);
	operation_close(broker, id, now_ns);
	if (endpoint->successor != IOPF_NO_ID)
		share_give(broker, endpoint->successor);
	endpoint->detaching = endpoint->successor = IOPF_NO_ID;
	share_recount(broker, id);
	operation_over(endpoint);
	if (restart)
		operation_restart(broker, id, now_ns);
	return -ETIMEDOUT;
}

static const uint32_t rounds_max[] = {
	[IOPF_STEP_DRAIN] = DRAIN_ROUNDS_MAX,
	[IOPF_STEP_RESPOND] = RESPOND_ROUNDS_MAX,
	[IOPF_STEP_STOPPED] = STOPPED_ROUNDS_MAX,
	[IOPF_STEP_DONE] = 0, /* the others are done or the function is gone */
	[IOPF_STEP_BLOCK] = BLOCK_ROUNDS_MAX,
	[IOPF_STEP_TERMINATE] = BLOCK_ROUNDS_MAX,
	[IOPF_STEP_UNBLOCK] = BLOCK_ROUNDS_MAX,
};
_Static_assert(sizeof(rounds_max) / sizeof(rounds_max[0]) == IOPF_STEP_COUNT, "a row each");

/* Not finished: once more, a bounded number of times. */
static int again(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	enum iopf_step step = step_of(endpoint);

	if (step == IOPF_STEP_STOPPED && endpoint->stopped_rounds == rounds_max[step]) {
		/* It waits for what was lost on the way: the PRI reset makes it forget. */
		endpoint->plan_at++;
		endpoint->rounds = 0;
	} else if (step == IOPF_STEP_STOPPED) {
		endpoint->stopped_rounds++;
		endpoint->plan_at -= STOPPED_BACK;
		endpoint->rounds = 0;
	} else if (++endpoint->rounds > rounds_max[step]) {
		return is_partial_operation(endpoint->operation) &&
				       endpoint->plan != PLAN_STREAM ?
			       give_up(broker, id, now_ns) :
			       fail(broker, id, -ETIMEDOUT, now_ns);
	}
	return (int)step_of(endpoint);
}

/* What the step that was done means to the ledger. */
static void step_done(struct iopf_broker *broker, uint32_t id, enum iopf_step done,
		      uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (done == IOPF_STEP_BLOCK) /* no single resumption leaves any more */
		forget_all(broker, id, operation_silent_ending(endpoint),
			   now_ns);
	else if (done == IOPF_STEP_PRI_RESET) /* it has forgotten whatever is left */
		forget_all(broker, id, IOPF_ENDING_reset, now_ns);
	else if (endpoint->plan_at == 0)
		operation_close(broker, id, now_ns);
}

static int advance(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	step_done(broker, id, step_of(endpoint), now_ns);
	endpoint->plan_at++;
	endpoint->rounds = 0;
	operation_record(broker, id, now_ns);
	if (step_of(endpoint) == IOPF_STEP_UNBLOCK) /* what comes from here on is new */
		operation_succeeds(broker, endpoint);
	if (step_of(endpoint) != IOPF_STEP_DONE)
		return (int)step_of(endpoint);
	/* A virtual function, or one behind a kernel's descriptor, that is out of step:
	 * the interface that could be reset is not its own, or not ours. */
	if (endpoint->plan == PLAN_VIRTUAL && endpoint->operation == IOPF_OPERATION_RESTART)
		return fail(broker, id, -ETIMEDOUT, now_ns);
	return finish(broker, id, now_ns);
}

/* RESPOND is done when nothing of what the operation is about waits to leave. */
static bool all_left(const struct iopf_broker *broker, uint32_t first)
{
	const struct endpoint *endpoint = &broker->endpoints[first];
	uint32_t end = endpoint->slot_first + slot_count(endpoint), leaving = 0;

	EACH_FUNCTION(broker, first, id) {
		leaving += leaving_of(&broker->endpoints[id]);
	}
	if (!is_partial_operation(endpoint->operation) || leaving == 0)
		return leaving == 0;
	for (uint32_t slot = endpoint->slot_first; slot < end; slot++) {
		const struct group *group = &broker->groups[slot];

		if (group->state == IOPF_GROUP_LEAVING &&
		    is_bound(broker, group, endpoint->detaching))
			return false;
	}
	return true;
}

int iopf_broker_did(struct iopf_broker *broker, uint32_t id, int result, uint64_t now_ns)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL || endpoint->operation == IOPF_OPERATION_NONE)
		return -ENOENT;
	if (result == 0 && step_of(endpoint) == IOPF_STEP_RESPOND && !all_left(broker, id))
		result = -EAGAIN;
	if (result == -EAGAIN)
		return again(broker, id, now_ns);
	return result == 0 ? advance(broker, id, now_ns) :
			     fail(broker, id, result == -ETIMEDOUT ? result : -ENODEV,
				  now_ns);
}
