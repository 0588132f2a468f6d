/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/operation.c - detach, replace, disable, restart, reset, remove.
 *
 * An operation is a plan: steps that the caller carries out at the hardware, in an order
 * that no straggler can get around: intake closed, queue drained, ledger closed, paging
 * off, function stopped; or, of a stream: entry aborts, stalls terminated, events drained.
 * Each step has a bounded number of rounds. An operation of a physical function is about
 * every function that uses its interface, but for detach and replace.
 */
#include "broker/ledger.h"

#include <errno.h>

enum { PLAN_STEPS_MAX = 9 };

/* Who the plan is for. */
enum plan {
	PLAN_FUNCTION,
	PLAN_VIRTUAL, /* without an interface of its own: nothing to switch off */
	PLAN_STREAM,  /* all of it: its last attachment, too; one of more is as a function's */
	PLAN_COUNT
};

#define STEPS(...) { __VA_ARGS__ }
#define DRAIN      IOPF_STEP_DRAIN
#define RESPOND    IOPF_STEP_RESPOND
#define DONE       IOPF_STEP_DONE

/* After PRI_OFF the function may still have requests under way: they are drained and
 * answered until it says that it stopped (PCIe 6.x 10.5.2.2, Stopped). The stalls of a
 * stream live in the SMMU, where one command ends them all (Arm SMMUv3, CMD_STALL_TERM);
 * what was told of them before is left over in the queue. */
static const uint8_t plans[PLAN_COUNT][IOPF_OPERATION_KIND_COUNT][PLAN_STEPS_MAX] = {
	[PLAN_FUNCTION] = {
		[IOPF_OPERATION_DETACH] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_REPLACE] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_DISABLE] = STEPS(DRAIN, RESPOND, IOPF_STEP_PRI_OFF, DRAIN,
						 RESPOND, IOPF_STEP_STOPPED,
						 IOPF_STEP_PRI_RESET, DONE),
		[IOPF_OPERATION_RESTART] = STEPS(DRAIN, RESPOND, IOPF_STEP_PRI_OFF, DRAIN,
						 RESPOND, IOPF_STEP_STOPPED,
						 IOPF_STEP_PRI_RESET, IOPF_STEP_PRI_ON,
						 DONE),
		[IOPF_OPERATION_RESET] = STEPS(DRAIN, DONE),
		[IOPF_OPERATION_REMOVE] = STEPS(DRAIN, DONE),
	},
	[PLAN_VIRTUAL] = {
		[IOPF_OPERATION_DETACH] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_REPLACE] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_DISABLE] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_RESTART] = STEPS(DRAIN, RESPOND, DONE),
		[IOPF_OPERATION_RESET] = STEPS(DRAIN, DONE),
		[IOPF_OPERATION_REMOVE] = STEPS(DRAIN, DONE),
	},
	[PLAN_STREAM] = {
		[IOPF_OPERATION_DETACH] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE, DRAIN,
						IOPF_STEP_UNBLOCK, DONE),
		[IOPF_OPERATION_REPLACE] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE,
						 DRAIN, IOPF_STEP_UNBLOCK, DONE),
		[IOPF_OPERATION_DISABLE] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE,
						 DRAIN, DONE),
		[IOPF_OPERATION_RESTART] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE,
						 DRAIN, IOPF_STEP_UNBLOCK, DONE),
		[IOPF_OPERATION_RESET] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE, DRAIN,
					       DONE),
		[IOPF_OPERATION_REMOVE] = STEPS(IOPF_STEP_BLOCK, IOPF_STEP_TERMINATE, DRAIN,
						DONE),
	},
};

/* STOPPED goes back to the drain before it, not over the whole plan. */
enum { STOPPED_BACK = 2 };

static enum iopf_step step_of(const struct endpoint *endpoint)
{
	if (endpoint->operation == IOPF_OPERATION_NONE)
		return IOPF_STEP_NONE;
	return (enum iopf_step)
		plans[endpoint->plan][endpoint->operation][endpoint->plan_at];
}

/* One attachment's; the others are about the whole endpoint. */
static bool is_partial_operation(unsigned operation)
{
	return operation == IOPF_OPERATION_DETACH || operation == IOPF_OPERATION_REPLACE;
}

void operation_tell(struct iopf_broker *broker, uint32_t id, enum iopf_event_kind kind,
		    uint64_t value, uint64_t now_ns)
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

/* Whether @group is one of endpoint @id, or of a function that uses its interface. */
static bool is_of(const struct iopf_broker *broker, const struct group *group, uint32_t id)
{
	return group->bound.endpoint == id || broker->endpoints[id].physical == id;
}

/* Every group of the endpoint, or of one attachment: O(its interface's slots). */
static void each_group(struct iopf_broker *broker, uint32_t id, uint32_t attachment,
		       group_action *action, enum iopf_ending ending, uint64_t now_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[id];
	uint32_t end = endpoint->slot_first + slot_count(endpoint);

	for (uint32_t slot = endpoint->slot_first; slot < end; slot++) {
		const struct group *group = &broker->groups[slot];

		if (attachment == IOPF_NO_ID ? is_of(broker, group, id) :
					       is_bound(broker, group, attachment))
			action(broker, slot, now_ns, ending);
	}
}

/* What follows @id among the functions that an operation on @first is about. */
static uint32_t next_function(const struct iopf_broker *broker, uint32_t first, uint32_t id)
{
	uint16_t next = id == first ? broker->endpoints[id].virtual_first :
				      broker->endpoints[id].virtual_next;

	return next != NO_ENDPOINT && broker->endpoints[first].physical == first ?
		       next :
		       IOPF_NO_ID;
}

#define EACH_FUNCTION(broker, first, id) \
	for (uint32_t id = (first); id != IOPF_NO_ID; id = next_function(broker, first, id))

static void epoch_end(struct iopf_broker *broker, uint32_t first)
{
	EACH_FUNCTION(broker, first, id) {
		struct endpoint *endpoint = &broker->endpoints[id];

		endpoint->epoch++;
		publish(&endpoint->row->epoch, endpoint->epoch);
	}
}

void forget_all(struct iopf_broker *broker, uint32_t first, enum iopf_ending ending,
		uint64_t now_ns)
{
	EACH_FUNCTION(broker, first, id)
		if (leaving_of(&broker->endpoints[id]) > 0)
			leaving_forget(broker, broker->endpoints[id].source, id, ending,
				       now_ns);
	each_group(broker, first, IOPF_NO_ID, forget, ending, now_ns);
	epoch_end(broker, first);
}

/* The queue is drained for the first time: what was asked before is in the ledger. */
static void close_ledger(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (is_partial_operation(endpoint->operation)) {
		each_group(broker, id, endpoint->detaching, answer_invalid,
			   IOPF_ENDING_detach, now_ns);
	} else if (endpoint->operation <= IOPF_OPERATION_RESTART) {
		each_group(broker, id, IOPF_NO_ID, answer_invalid, IOPF_ENDING_detach,
			   now_ns);
		epoch_end(broker, id);
	}
}

/* Under what the groups end of which the hardware knows nothing any more. */
static const uint8_t silent_ending[] = {
	[IOPF_OPERATION_NONE] = IOPF_ENDING_COUNT,
	[IOPF_OPERATION_DETACH] = IOPF_ENDING_detach,
	[IOPF_OPERATION_DISABLE] = IOPF_ENDING_detach,
	[IOPF_OPERATION_RESTART] = IOPF_ENDING_detach,
	[IOPF_OPERATION_RESET] = IOPF_ENDING_reset,
	[IOPF_OPERATION_REMOVE] = IOPF_ENDING_removal,
	[IOPF_OPERATION_REPLACE] = IOPF_ENDING_detach,
};
_Static_assert(sizeof(silent_ending) == IOPF_OPERATION_KIND_COUNT, "an ending each");

/* The function has forgotten; or the stream's stalls were terminated, and this is what is
 * left over of them. */
static bool is_silent(const struct endpoint *endpoint)
{
	if (endpoint->operation == IOPF_OPERATION_RESET ||
	    endpoint->operation == IOPF_OPERATION_REMOVE)
		return true;
	return endpoint->operation != IOPF_OPERATION_NONE &&
	       endpoint->plan == PLAN_STREAM && step_of(endpoint) != IOPF_STEP_BLOCK &&
	       step_of(endpoint) != IOPF_STEP_UNBLOCK;
}

enum iopf_ending operation_silences(const struct iopf_broker *broker,
				    const struct endpoint *endpoint)
{
	const struct endpoint *interface = interface_of(broker, endpoint);

	if (is_silent(endpoint))
		return (enum iopf_ending)silent_ending[endpoint->operation];
	if (is_silent(interface))
		return (enum iopf_ending)silent_ending[interface->operation];
	if (endpoint->state == ENDPOINT_FAILED)
		return IOPF_ENDING_response_failure;
	return IOPF_ENDING_COUNT;
}

static bool closes(const struct endpoint *endpoint)
{
	enum iopf_step step = step_of(endpoint);

	return endpoint->operation != IOPF_OPERATION_NONE &&
	       !is_partial_operation(endpoint->operation) && step != IOPF_STEP_PRI_ON &&
	       step != IOPF_STEP_UNBLOCK;
}

bool operation_closes(const struct iopf_broker *broker, const struct endpoint *endpoint)
{
	return closes(endpoint) || closes(interface_of(broker, endpoint));
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

static enum plan plan_for(const struct iopf_broker *broker, const struct endpoint *endpoint,
			  enum iopf_operation_kind kind)
{
	uint32_t first = endpoint->attachment_first;

	if (endpoint->flags & ENDPOINT_VIRTUAL)
		return PLAN_VIRTUAL;
	if (!(endpoint->flags & ENDPOINT_STREAM))
		return PLAN_FUNCTION;
	return is_partial_operation(kind) && broker->attachments[first].next != IOPF_NO_ID ?
		       PLAN_FUNCTION :
		       PLAN_STREAM;
}

static void begin(struct iopf_broker *broker, uint32_t first, enum iopf_operation_kind kind,
		  uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[first];

	endpoint->operation = (uint8_t)kind;
	endpoint->plan = (uint8_t)plan_for(broker, endpoint, kind);
	EACH_FUNCTION(broker, first, id)
		broker->endpoints[id].usual.pasid = PASID_NOBODY;
	endpoint->plan_at = 0;
	endpoint->rounds = endpoint->stopped_rounds = 0;
	record_step(broker, first, now_ns);
}

static int begin_alive(struct iopf_broker *broker, uint32_t id,
		       enum iopf_operation_kind kind)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	if (endpoint->operation != IOPF_OPERATION_NONE)
		return -EBUSY;
	begin(broker, id, kind, record_last_ns(broker));
	return 0;
}

/* One that is closed already had an operation that was not finished: once more. */
static void begin_partial(struct iopf_broker *broker, uint32_t id, uint32_t pasid,
			 enum iopf_operation_kind kind, uint32_t successor,
			 uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	uint32_t attachment = attachment_find(broker, id, pasid);

	broker->attachments[attachment].closing = true;
	endpoint->detaching = attachment;
	endpoint->successor = successor;
	begin(broker, id, kind, now_ns);
}

static int partial_refused(const struct iopf_broker *broker, uint32_t id, uint32_t pasid)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL || attachment_find(broker, id, pasid) == MAP_NONE)
		return -ENOENT;
	return endpoint->operation != IOPF_OPERATION_NONE ? -EBUSY : 0;
}

int iopf_broker_detach(struct iopf_broker *broker, uint32_t id, uint32_t pasid)
{
	int refused = partial_refused(broker, id, pasid);

	if (refused != 0)
		return refused;
	begin_partial(broker, id, pasid, IOPF_OPERATION_DETACH, IOPF_NO_ID,
		      record_last_ns(broker));
	return 0;
}

int iopf_broker_replace(struct iopf_broker *broker, uint32_t id, uint32_t pasid,
			uint32_t owner, uint64_t now_ns)
{
	int refused = partial_refused(broker, id, pasid);
	uint32_t share;

	if (owner_get(broker, owner) == NULL)
		return -ENOENT;
	if (refused != 0)
		return refused;
	share = share_take(broker, id, owner);
	assert(share != IOPF_NO_ID); /* there is one for each operation */
	share_recount(broker, id);
	begin_partial(broker, id, pasid, IOPF_OPERATION_REPLACE, share, now_ns);
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

/* Only what is on: a function cannot bring itself back. One that is about to be reset
 * needs no second time. */
void operation_restart(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	if (endpoint->state != ENDPOINT_ON || operation_closes(broker, endpoint))
		return;
	if (endpoint->operation != IOPF_OPERATION_NONE) {
		endpoint->restart_wanted = true;
		return;
	}
	begin(broker, id, IOPF_OPERATION_RESTART, now_ns);
	operation_tell(broker, id, IOPF_EVENT_NEEDS_RESET, 0, now_ns);
}

/* ---- The attachment that an operation is about --------------------------------------------- */

/* It goes; what its successor was promised, too. */
static void attachment_over(struct iopf_broker *broker, struct endpoint *endpoint)
{
	if (endpoint->successor != IOPF_NO_ID)
		share_give(broker, endpoint->successor);
	if (endpoint->detaching != IOPF_NO_ID)
		attachment_remove(broker, endpoint->detaching);
	endpoint->detaching = endpoint->successor = IOPF_NO_ID;
}

/* Nothing of the last owner is there any more: it is the successor's, or nobody's. */
static void attachment_changes(struct iopf_broker *broker, struct endpoint *endpoint)
{
	struct attachment *attachment;

	if (endpoint->successor == IOPF_NO_ID || endpoint->detaching == IOPF_NO_ID) {
		attachment_over(broker, endpoint);
		return;
	}
	attachment = &broker->attachments[endpoint->detaching];
	partials_disown(broker, endpoint->detaching);
	share_give(broker, attachment->share);
	attachment->share = endpoint->successor;
	attachment->owner = broker->shares[endpoint->successor].owner;
	attachment->epoch++;
	attachment->closing = false;
	share_recount(broker, attachment->endpoint);
	record_endpoint(broker, record_last_ns(broker), IOPF_RECORD_ATTACH,
			attachment->endpoint, attachment->pasid, attachment->owner, 0);
	endpoint->detaching = endpoint->successor = IOPF_NO_ID;
}

/* ---- Functions that forget ------------------------------------------------------------------ */

/* The function forgets: everything of it ends now, before anything new can come. An
 * operation under way is over with that; a detach has nothing left to wait for. */
static int begin_dead(struct iopf_broker *broker, uint32_t first,
		      enum iopf_operation_kind kind, enum iopf_ending ending,
		      uint64_t now_ns)
{
	const struct endpoint *endpoint = endpoint_get(broker, first);

	if (endpoint == NULL)
		return -ENOENT;
	if (endpoint->operation == IOPF_OPERATION_REMOVE)
		return -EBUSY;
	forget_all(broker, first, ending, now_ns);
	EACH_FUNCTION(broker, first, id) {
		struct endpoint *it = &broker->endpoints[id];

		attachment_changes(broker, it);
		it->restart_wanted = false;
		if (it->operation != IOPF_OPERATION_REMOVE)
			it->operation = IOPF_OPERATION_NONE;
	}
	begin(broker, first, kind, now_ns);
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
	const struct endpoint *interface;

	if (endpoint == NULL)
		return -ENOENT;
	interface = interface_of(broker, endpoint);
	if (endpoint->operation != IOPF_OPERATION_NONE ||
	    endpoint->state == ENDPOINT_FAILED ||
	    (interface != endpoint && interface->state != ENDPOINT_ON))
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
	attachment_changes(broker, endpoint);
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
	attachment_over(broker, endpoint);
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
	close_ledger(broker, id, now_ns);
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
		forget_all(broker, id, (enum iopf_ending)silent_ending[endpoint->operation],
			   now_ns);
	else if (done == IOPF_STEP_PRI_RESET) /* it has forgotten whatever is left */
		forget_all(broker, id, IOPF_ENDING_reset, now_ns);
	else if (endpoint->plan_at == 0)
		close_ledger(broker, id, now_ns);
}

static int advance(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	step_done(broker, id, step_of(endpoint), now_ns);
	endpoint->plan_at++;
	endpoint->rounds = 0;
	record_step(broker, id, now_ns);
	if (step_of(endpoint) == IOPF_STEP_UNBLOCK) /* what comes from here on is new */
		attachment_changes(broker, endpoint);
	if (step_of(endpoint) != IOPF_STEP_DONE)
		return (int)step_of(endpoint);
	/* A virtual function that is out of step: the interface that could be reset is
	 * not its own. */
	if (endpoint->plan == PLAN_VIRTUAL && endpoint->operation == IOPF_OPERATION_RESTART)
		return fail(broker, id, -ETIMEDOUT, now_ns);
	return finish(broker, id, now_ns);
}

/* RESPOND is done when nothing of what the operation is about waits to leave. */
static bool all_left(const struct iopf_broker *broker, uint32_t first)
{
	const struct endpoint *endpoint = &broker->endpoints[first];
	uint32_t end = endpoint->slot_first + slot_count(endpoint), leaving = 0;

	EACH_FUNCTION(broker, first, id)
		leaving += leaving_of(&broker->endpoints[id]);
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
