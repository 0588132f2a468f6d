/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/operation.c - detach, disable, restart, reset, remove.
 *
 * An operation is a plan: steps that the caller carries out at the hardware, in an order
 * that no straggler can get around: intake closed, queue drained, ledger closed, paging
 * off, function stopped. Each step has a bounded number of rounds.
 */
#include "broker/ledger.h"

#include <errno.h>

enum { PLAN_STEPS_MAX = 9 };

/* After PRI_OFF the function may still have requests under way: they are drained and
 * answered until it says that it stopped (PCIe 6.x 10.5.2.2, Stopped). */
static const uint8_t plans[][PLAN_STEPS_MAX] = {
	[IOPF_OPERATION_NONE] = { IOPF_STEP_NONE },
	[IOPF_OPERATION_DETACH] = { IOPF_STEP_DRAIN, IOPF_STEP_RESPOND, IOPF_STEP_DONE },
	[IOPF_OPERATION_DISABLE] = { IOPF_STEP_DRAIN, IOPF_STEP_RESPOND,
				     IOPF_STEP_PRI_OFF, IOPF_STEP_DRAIN,
				     IOPF_STEP_RESPOND, IOPF_STEP_STOPPED,
				     IOPF_STEP_PRI_RESET, IOPF_STEP_DONE },
	[IOPF_OPERATION_RESTART] = { IOPF_STEP_DRAIN, IOPF_STEP_RESPOND,
				     IOPF_STEP_PRI_OFF, IOPF_STEP_DRAIN,
				     IOPF_STEP_RESPOND, IOPF_STEP_STOPPED,
				     IOPF_STEP_PRI_RESET, IOPF_STEP_PRI_ON,
				     IOPF_STEP_DONE },
	[IOPF_OPERATION_RESET] = { IOPF_STEP_DRAIN, IOPF_STEP_DONE },
	[IOPF_OPERATION_REMOVE] = { IOPF_STEP_DRAIN, IOPF_STEP_DONE },
	[IOPF_OPERATION_REPLACE] = { IOPF_STEP_DONE },
};
_Static_assert(sizeof(plans) / sizeof(plans[0]) == IOPF_OPERATION_KIND_COUNT,
	       "a plan each");

/* STOPPED goes back to the drain before it, not over the whole plan. */
enum { STOPPED_BACK = 2 };

static enum iopf_step step_of(const struct endpoint *endpoint)
{
	return (enum iopf_step)plans[endpoint->operation][endpoint->plan_at];
}

static void operation_tell(struct iopf_broker *broker, uint32_t id,
			   enum iopf_event_kind kind, uint64_t value, uint64_t now_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[id];

	tell(broker,
	     (struct iopf_event){ .kind = (uint8_t)kind,
				  .detail = endpoint->operation,
				  .source = endpoint->source,
				  .endpoint = id,
				  .owner = IOPF_NO_ID,
				  .pasid = endpoint->detaching != IOPF_NO_ID ?
						   broker->attachments[endpoint->detaching]
							   .pasid :
						   IOPF_PASID_NONE,
				  .rid = endpoint->rid,
				  .value = value },
	     now_ns);
}

/* ---- The ledger's part ------------------------------------------------------------------ */

typedef void group_action(struct iopf_broker *broker, uint32_t slot, uint64_t now_ns,
			  enum iopf_ending ending);

static void answer_invalid(struct iopf_broker *broker, uint32_t slot, uint64_t now_ns,
			   enum iopf_ending ending)
{
	uint8_t state = broker->groups[slot].state;

	if (state == IOPF_GROUP_READY || state == IOPF_GROUP_DELIVERED)
		group_end(broker, slot, IOPF_INVALID, ending, now_ns);
}

static void forget(struct iopf_broker *broker, uint32_t slot, uint64_t now_ns,
		   enum iopf_ending ending)
{
	if (broker->groups[slot].state != IOPF_GROUP_FREE)
		group_forget(broker, slot, ending, now_ns);
}

/* Not to an earlier one in the same place of the table. */
static bool is_bound(const struct iopf_broker *broker, const struct group *group,
		     uint32_t attachment)
{
	return group->bound.attachment == attachment &&
	       group->bound.attachment_epoch == broker->attachments[attachment].epoch;
}

/* Every group of the endpoint, or of one attachment: O(its allocation). */
static void each_group(struct iopf_broker *broker, uint32_t id, uint32_t attachment,
		       group_action *action, enum iopf_ending ending, uint64_t now_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[id];

	for (uint32_t i = 0; i < endpoint->allocation; i++) {
		uint32_t slot = endpoint->slot_first + i;

		if (attachment == IOPF_NO_ID ||
		    is_bound(broker, &broker->groups[slot], attachment))
			action(broker, slot, now_ns, ending);
	}
}

static void epoch_end(struct endpoint *endpoint)
{
	endpoint->epoch++;
	publish(&endpoint->row->epoch, endpoint->epoch);
}

/* Nothing of the endpoint stays in the ledger, and no response of it leaves. */
static void forget_all(struct iopf_broker *broker, uint32_t id, enum iopf_ending ending,
		       uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (endpoint_at(endpoint, STAGE_LEAVING) > 0)
		leaving_forget(broker, endpoint->source, id, ending, now_ns);
	each_group(broker, id, IOPF_NO_ID, forget, ending, now_ns);
	epoch_end(endpoint);
}

/* The queue is drained for the first time: what was asked before is in the ledger. */
static void close_ledger(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (endpoint->operation == IOPF_OPERATION_DETACH) {
		each_group(broker, id, endpoint->detaching, answer_invalid,
			   IOPF_ENDING_detach, now_ns);
	} else if (endpoint->operation <= IOPF_OPERATION_RESTART) {
		each_group(broker, id, IOPF_NO_ID, answer_invalid, IOPF_ENDING_detach,
			   now_ns);
		epoch_end(endpoint);
	}
}

/* ---- Begin -------------------------------------------------------------------------------- */

static void record_step(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[id];
	uint32_t pasid = endpoint->detaching != IOPF_NO_ID ?
				 broker->attachments[endpoint->detaching].pasid :
				 IOPF_PASID_NONE;

	record_endpoint(broker, now_ns, IOPF_RECORD_OPERATION, id, pasid,
			step_of(endpoint), endpoint->operation);
}

static void begin(struct iopf_broker *broker, uint32_t id, enum iopf_operation_kind kind)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	endpoint->operation = (uint8_t)kind;
	endpoint->usual.pasid = PASID_NOBODY;
	endpoint->plan_at = 0;
	endpoint->rounds = endpoint->stopped_rounds = 0;
	record_step(broker, id, record_last_ns(broker));
}

static int begin_alive(struct iopf_broker *broker, uint32_t id,
		       enum iopf_operation_kind kind)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	if (endpoint->operation != IOPF_OPERATION_NONE)
		return -EBUSY;
	begin(broker, id, kind);
	return 0;
}

int iopf_broker_detach(struct iopf_broker *broker, uint32_t id, uint32_t pasid)
{
	struct endpoint *endpoint = endpoint_get(broker, id);
	uint32_t attachment = attachment_find(broker, id, pasid);

	if (endpoint == NULL || attachment == MAP_NONE)
		return -ENOENT;
	if (endpoint->operation != IOPF_OPERATION_NONE)
		return -EBUSY;
	broker->attachments[attachment].closing = true;
	endpoint->detaching = attachment;
	begin(broker, id, IOPF_OPERATION_DETACH);
	return 0;
}

int iopf_broker_disable(struct iopf_broker *broker, uint32_t id)
{
	return begin_alive(broker, id, IOPF_OPERATION_DISABLE);
}

int iopf_broker_restart(struct iopf_broker *broker, uint32_t id)
{
	return begin_alive(broker, id, IOPF_OPERATION_RESTART);
}

bool operation_closes(const struct endpoint *endpoint)
{
	return endpoint->operation > IOPF_OPERATION_DETACH &&
	       step_of(endpoint) != IOPF_STEP_PRI_ON;
}

/* Only what is on: a function cannot bring itself back. One that is about to be reset
 * needs no second time. */
void operation_restart(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (endpoint->state != ENDPOINT_ON || operation_closes(endpoint))
		return;
	if (endpoint->operation != IOPF_OPERATION_NONE) {
		endpoint->restart_wanted = true;
		return;
	}
	begin(broker, id, IOPF_OPERATION_RESTART);
	operation_tell(broker, id, IOPF_EVENT_NEEDS_RESET, 0, now_ns);
}

/* The function forgets: everything of it ends now, before anything new can come. An
 * operation under way is over with that; a detach has nothing left to wait for. */
static int begin_dead(struct iopf_broker *broker, uint32_t id,
		      enum iopf_operation_kind kind, enum iopf_ending ending,
		      uint64_t now_ns)
{
	struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	if (endpoint->operation == IOPF_OPERATION_REMOVE)
		return -EBUSY;
	forget_all(broker, id, ending, now_ns);
	if (endpoint->detaching != IOPF_NO_ID) {
		attachment_remove(broker, endpoint->detaching);
		endpoint->detaching = IOPF_NO_ID;
	}
	endpoint->restart_wanted = false;
	begin(broker, id, kind);
	return 0;
}

int iopf_broker_reset(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	return begin_dead(broker, id, IOPF_OPERATION_RESET, IOPF_ENDING_reset, now_ns);
}

int iopf_broker_remove(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	return begin_dead(broker, id, IOPF_OPERATION_REMOVE, IOPF_ENDING_removal, now_ns);
}

int iopf_broker_enable(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	if (endpoint->operation != IOPF_OPERATION_NONE ||
	    endpoint->state == ENDPOINT_FAILED)
		return -EBUSY;
	endpoint->state = ENDPOINT_ON;
	return 0;
}

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

static int finish(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	uint8_t kind = endpoint->operation;
	bool restart = endpoint->restart_wanted;

	operation_tell(broker, id, IOPF_EVENT_OPERATION_DONE, 0, now_ns);
	if (endpoint->detaching != IOPF_NO_ID)
		attachment_remove(broker, endpoint->detaching);
	endpoint->detaching = IOPF_NO_ID;
	endpoint->operation = IOPF_OPERATION_NONE;
	endpoint->plan_at = 0;
	endpoint->restart_wanted = false;
	if (kind == IOPF_OPERATION_REMOVE)
		endpoint_forget(broker, id);
	else if (state_after[kind] != ENDPOINT_STATE_COUNT)
		endpoint->state = state_after[kind];
	if (restart)
		operation_restart(broker, id, now_ns);
	return IOPF_STEP_DONE;
}

/* The function does not answer, or does not stop: nothing of it stays here, and only a
 * function reset or its removal goes on from here. */
static int fail(struct iopf_broker *broker, uint32_t id, int error, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (endpoint->operation == IOPF_OPERATION_REMOVE)
		return finish(broker, id, now_ns);
	operation_tell(broker, id, IOPF_EVENT_OPERATION_FAILED, (uint64_t)-error, now_ns);
	forget_all(broker, id,
		   error == -ENODEV ? IOPF_ENDING_removal : IOPF_ENDING_reset, now_ns);
	if (endpoint->detaching != IOPF_NO_ID)
		attachment_remove(broker, endpoint->detaching);
	endpoint->detaching = IOPF_NO_ID;
	endpoint->restart_wanted = false;
	endpoint->operation = IOPF_OPERATION_NONE;
	endpoint->plan_at = 0;
	endpoint->state = ENDPOINT_FAILED;
	return error;
}

static const uint32_t rounds_max[] = {
	[IOPF_STEP_DRAIN] = DRAIN_ROUNDS_MAX,
	[IOPF_STEP_RESPOND] = RESPOND_ROUNDS_MAX,
	[IOPF_STEP_STOPPED] = STOPPED_ROUNDS_MAX,
	[IOPF_STEP_DONE] = 0, /* the others are done or the function is gone */
};

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
		return fail(broker, id, -ETIMEDOUT, now_ns);
	}
	return (int)step_of(endpoint);
}

static int advance(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	enum iopf_step done = step_of(endpoint);

	if (endpoint->plan_at == 0)
		close_ledger(broker, id, now_ns);
	if (done == IOPF_STEP_PRI_RESET) /* the function has forgotten whatever is left */
		forget_all(broker, id, IOPF_ENDING_reset, now_ns);
	endpoint->plan_at++;
	endpoint->rounds = 0;
	record_step(broker, id, now_ns);
	if (step_of(endpoint) == IOPF_STEP_DONE)
		return finish(broker, id, now_ns);
	return (int)step_of(endpoint);
}

/* RESPOND is done when nothing of what the operation is about waits to leave. */
static bool all_left(const struct iopf_broker *broker, const struct endpoint *endpoint)
{
	uint32_t leaving = endpoint_at(endpoint, STAGE_LEAVING);

	if (endpoint->operation != IOPF_OPERATION_DETACH || leaving == 0)
		return leaving == 0;
	for (uint32_t i = 0; i < endpoint->allocation; i++) {
		const struct group *group = &broker->groups[endpoint->slot_first + i];

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
	if (result == 0 && step_of(endpoint) == IOPF_STEP_RESPOND &&
	    !all_left(broker, endpoint))
		result = -EAGAIN;
	if (result == -EAGAIN)
		return again(broker, id, now_ns);
	return result == 0 ? advance(broker, id, now_ns) :
			     fail(broker, id, result == -ETIMEDOUT ? result : -ENODEV,
				  now_ns);
}

/* ---- Status bits ------------------------------------------------------------------------- */

int iopf_broker_status(struct iopf_broker *broker, uint32_t id, uint32_t status,
		       uint64_t now_ns)
{
	struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	if (status & IOPF_STATUS_UPRGI) {
		COUNT(row_of_endpoint(broker, id), uprgi_seen);
		operation_tell(broker, id, IOPF_EVENT_UPRGI, 0, now_ns);
	}
	if (status & IOPF_STATUS_RF && endpoint->state != ENDPOINT_FAILED) {
		COUNT(row_of_endpoint(broker, id), rf_seen);
		operation_tell(broker, id, IOPF_EVENT_RF, 0, now_ns);
		forget_all(broker, id, IOPF_ENDING_response_failure, now_ns);
		endpoint->state = ENDPOINT_FAILED;
		endpoint->usual.pasid = PASID_NOBODY;
	}
	return 0;
}

int iopf_broker_replace(struct iopf_broker *broker, uint32_t id, uint32_t pasid,
			uint32_t owner, uint64_t now_ns)
{
	(void)broker, (void)id, (void)pasid, (void)owner, (void)now_ns;
	return -EOPNOTSUPP;
}

int iopf_broker_recent(const struct iopf_broker *broker, uint32_t id,
		       struct iopf_response *responses, uint32_t max)
{
	(void)broker, (void)id, (void)responses, (void)max;
	return -EOPNOTSUPP;
}

int iopf_broker_out_of_service(struct iopf_broker *broker, uint32_t id, uint32_t owner,
			       bool out, uint64_t now_ns)
{
	(void)broker, (void)id, (void)owner, (void)out, (void)now_ns;
	return -EOPNOTSUPP;
}
