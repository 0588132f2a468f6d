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
#include "broker/operation.h"
#include "broker/page.h"

#include <errno.h>

/* ---- Plans ---------------------------------------------------------------------------- */

enum { PLAN_STEPS_MAX = 9 };

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

enum iopf_step step_of(const struct endpoint *endpoint)
{
	if (endpoint->operation == IOPF_OPERATION_NONE)
		return IOPF_STEP_NONE;
	return (enum iopf_step)
		plans[endpoint->plan][endpoint->operation][endpoint->plan_at];
}

void operation_record(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[id];
	uint32_t pasid = endpoint->detaching != IOPF_NO_ID ?
				 broker->attachments[endpoint->detaching].pasid :
				 IOPF_PASID_NONE;

	record_endpoint(broker, now_ns, IOPF_RECORD_OPERATION, id, pasid,
			step_of(endpoint), endpoint->operation);
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

bool operation_concerns(const struct iopf_broker *broker, const struct group *group,
			uint32_t id)
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

		if (attachment == IOPF_NO_ID ? operation_concerns(broker, group, id) :
					       is_bound(broker, group, attachment))
			action(broker, slot, now_ns, ending);
	}
}

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
	EACH_FUNCTION(broker, first, id) {
		if (leaving_of(&broker->endpoints[id]) > 0)
			leaving_forget(broker, broker->endpoints[id].source, id, ending,
				       now_ns);
	}
	each_group(broker, first, IOPF_NO_ID, forget, ending, now_ns);
	epoch_end(broker, first);
}

void operation_close(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
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

static const uint8_t silent_endings[] = {
	[IOPF_OPERATION_NONE] = IOPF_ENDING_COUNT,
	[IOPF_OPERATION_DETACH] = IOPF_ENDING_detach,
	[IOPF_OPERATION_DISABLE] = IOPF_ENDING_detach,
	[IOPF_OPERATION_RESTART] = IOPF_ENDING_detach,
	[IOPF_OPERATION_RESET] = IOPF_ENDING_reset,
	[IOPF_OPERATION_REMOVE] = IOPF_ENDING_removal,
	[IOPF_OPERATION_REPLACE] = IOPF_ENDING_detach,
};
_Static_assert(sizeof(silent_endings) == IOPF_OPERATION_KIND_COUNT, "an ending each");

enum iopf_ending operation_silent_ending(const struct endpoint *endpoint)
{
	return (enum iopf_ending)silent_endings[endpoint->operation];
}

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

/* Terminate-all would end what is new, too. */
bool operation_takes_all(const struct endpoint *endpoint)
{
	return endpoint->operation != IOPF_OPERATION_NONE && endpoint->plan == PLAN_STREAM &&
	       step_of(endpoint) != IOPF_STEP_UNBLOCK;
}

enum iopf_ending operation_silences(const struct iopf_broker *broker,
				    const struct endpoint *endpoint)
{
	const struct endpoint *interface = interface_of(broker, endpoint);

	if (is_silent(endpoint))
		return operation_silent_ending(endpoint);
	if (is_silent(interface))
		return operation_silent_ending(interface);
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

static enum plan plan_for(const struct iopf_broker *broker, const struct endpoint *endpoint,
			  enum iopf_operation_kind kind)
{
	uint32_t first = endpoint->attachment_first;

	if (endpoint->flags & (ENDPOINT_VIRTUAL | ENDPOINT_DESCRIPTOR))
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
	EACH_FUNCTION(broker, first, id) {
		broker->endpoints[id].usual.pasid = PASID_NOBODY;
	}
	endpoint->plan_at = 0;
	endpoint->rounds = endpoint->stopped_rounds = 0;
	operation_record(broker, first, now_ns);
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

void operation_leaves_none(struct iopf_broker *broker, struct endpoint *endpoint)
{
	if (endpoint->successor != IOPF_NO_ID)
		share_give(broker, endpoint->successor);
	if (endpoint->detaching != IOPF_NO_ID)
		attachment_remove(broker, endpoint->detaching);
	endpoint->detaching = endpoint->successor = IOPF_NO_ID;
}

void operation_succeeds(struct iopf_broker *broker, struct endpoint *endpoint)
{
	struct attachment *attachment;

	if (endpoint->successor == IOPF_NO_ID || endpoint->detaching == IOPF_NO_ID) {
		operation_leaves_none(broker, endpoint);
		return;
	}
	attachment = &broker->attachments[endpoint->detaching];
	partials_disown(broker, endpoint->detaching);
	page_forget(broker, attachment->endpoint, attachment->pasid);
	share_give(broker, attachment->share);
	attachment->share = endpoint->successor;
	attachment->owner = broker->shares[endpoint->successor].owner;
	attachment->epoch = attachment_epoch_next(attachment->epoch);
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

		operation_succeeds(broker, it);
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
