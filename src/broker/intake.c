/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/intake.c - requests become groups.
 *
 * Whatever a request says, it ends in exactly one of: a partial, a group for its owner,
 * a group that the host ends at once, a counted drop.
 */
#include "broker/page.h"

#include <errno.h>

struct intake {
	struct iopf_broker *broker;
	const struct iopf_request *request;
	uint64_t now_ns;
	uint32_t source;
	uint32_t endpoint; /* MAP_NONE: the rid is unknown */
};

static bool is_last(const struct intake *in)
{
	return in->request->flags & (IOPF_LAST | IOPF_STALL);
}

static void intake_tell(const struct intake *in, enum iopf_event_kind kind)
{
	tell(in->broker,
	     (struct iopf_event){ .kind = (uint8_t)kind,
				  .source = in->source,
				  .endpoint = in->endpoint,
				  .owner = IOPF_NO_ID,
				  .pasid = in->request->pasid,
				  .rid = in->request->rid,
				  .value = in->request->addr },
	     in->now_ns);
}

static struct iopf_stats_row *intake_row(const struct intake *in)
{
	return in->endpoint != MAP_NONE ? row_of_endpoint(in->broker, in->endpoint) :
					  row_of_source(in->broker, in->source);
}

static void intake_count(const struct intake *in)
{
	struct iopf_stats_row *row = intake_row(in);

	COUNT(row, requests);
	if (is_last(in))
		COUNT(row, lasts);
}

static void intake_record(const struct intake *in, const struct group *group)
{
	record(in->broker, in->now_ns, IOPF_RECORD_REQUEST, group,
	       (in->request->addr & ~UINT64_C(0xfff)) | in->request->perm,
	       in->request->flags);
}

/* What nobody may ask: nothing wanted at all, a PASID too wide. Of page requests (PCIe
 * 6.x 10.4.1 and 10.4.2.1) an executing access without R, X or PRIV without a PASID, an
 * index too wide, where it is the function's own; stalls have those attributes without a
 * substream, too. */
static bool is_broken(const struct endpoint *endpoint, const struct iopf_request *request)
{
	uint8_t perm = request->perm;
	bool no_pasid = request->pasid == IOPF_PASID_NONE;

	if ((perm & (IOPF_READ | IOPF_WRITE)) == 0)
		return true;
	if (!no_pasid && request->pasid > IOPF_PASID_MAX)
		return true;
	if (request->flags & IOPF_STALL)
		return false;
	return (no_pasid && (perm & (IOPF_EXEC | IOPF_PRIV))) ||
	       (request->index > PRI_INDEX_MAX &&
		!(endpoint->flags & ENDPOINT_DESCRIPTOR)) ||
	       ((perm & IOPF_EXEC) && !(perm & IOPF_READ));
}

/* ---- A last that nobody can be given: through a reserve slot ------------------------ */

/* @owner: whom it would have been given to, or NO_OWNER. */
COLD static int reject_of(const struct intake *in, enum iopf_ending ending, uint16_t owner)
{
	uint16_t endpoint = in->endpoint != MAP_NONE ? (uint16_t)in->endpoint : NO_ENDPOINT;
	uint32_t slot;

	if (!is_last(in)) {
		intake_count(in);
		COUNT(intake_row(in), dropped_requests);
		return 0;
	}
	slot = group_open_reserve(in->broker, in->source, endpoint, in->request);
	if (slot == NO_SLOT)
		return -EAGAIN;
	in->broker->groups[slot].bound.owner = owner;
	intake_count(in);
	intake_record(in, &in->broker->groups[slot]);
	group_leave(in->broker, slot, IOPF_INVALID, ending);
	return 0;
}

static int reject(const struct intake *in, enum iopf_ending ending)
{
	return reject_of(in, ending, NO_OWNER);
}

COLD static int unknown_rid(const struct intake *in)
{
	int taken;

	if (in->request->flags & IOPF_STOP) {
		COUNT(intake_row(in), stop_markers);
		return 0;
	}
	taken = reject(in, IOPF_ENDING_no_owner);
	if (taken == 0)
		intake_tell(in, IOPF_EVENT_UNKNOWN_RID);
	return taken;
}

static uint32_t attachment_of(const struct iopf_broker *broker, uint32_t endpoint,
			      uint32_t pasid)
{
	uint32_t id = attachment_find(broker, endpoint, pasid);

	if (id == MAP_NONE && pasid != IOPF_PASID_NONE)
		id = attachment_find(broker, endpoint, IOPF_PASID_ANY);
	return id;
}

static void tell_quota(const struct intake *in, uint32_t attachment)
{
	tell(in->broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_QUOTA,
				  .source = in->source,
				  .endpoint = in->endpoint,
				  .owner = attachment != MAP_NONE ?
						   in->broker->attachments[attachment].owner :
						   IOPF_NO_ID,
				  .pasid = in->request->pasid,
				  .rid = in->request->rid,
				  .value = in->request->addr },
	     in->now_ns);
}

/* Neither a stream, nor what is behind a kernel's descriptor, has credits of ours that would
 * keep it within its allocation: what is beyond is beyond its share. */
COLD static int beyond_slots(const struct intake *in)
{
	uint32_t attachment = attachment_of(in->broker, in->endpoint, in->request->pasid);
	uint32_t owner = attachment != MAP_NONE ?
				 in->broker->attachments[attachment].owner :
				 NO_OWNER;
	int taken = reject_of(in, IOPF_ENDING_quota, (uint16_t)owner);

	if (taken == 0)
		tell_quota(in, attachment);
	return taken;
}

/* A group that cannot become whole any more. */
COLD static void doom(const struct intake *in, uint32_t slot, enum iopf_ending ending)
{
	intake_count(in);
	in->broker->groups[slot].doomed = (uint8_t)ending;
	if (is_last(in))
		group_leave(in->broker, slot, IOPF_INVALID, ending);
	else
		COUNT(intake_row(in), dropped_requests);
}

/* The same, of a group that has begun: nothing of it is shown. */
COLD static int beyond_slots_within(const struct intake *in, uint32_t slot)
{
	tell_quota(in, in->broker->groups[slot].bound.attachment);
	doom(in, slot, IOPF_ENDING_quota);
	return 0;
}

/* More requests than the function was allowed (PCIe 6.x 10.4.1). Its group, if it has
 * one here, cannot become whole any more. */
COLD static int beyond_allocation(const struct intake *in, uint32_t slot)
{
	int taken = 0;

	if (slot == NO_SLOT)
		taken = reject(in, IOPF_ENDING_malformed);
	else
		doom(in, slot, IOPF_ENDING_malformed);
	if (taken == 0) {
		COUNT(intake_row(in), allocation_exceeded);
		intake_tell(in, IOPF_EVENT_ALLOCATION_EXCEEDED);
	}
	return taken;
}

/* ---- Requests that end without a response -------------------------------------------- */

COLD static int end_silently(const struct intake *in, enum iopf_ending ending)
{
	struct iopf_stats_row *row = intake_row(in);

	intake_count(in);
	if (is_last(in))
		count_by(&row->counter[iopf_ending_counter(ending)], 1);
	else
		COUNT(row, dropped_requests);
	if (in->request->flags & IOPF_STALL)
		COUNT(row, terminated);
	return 0;
}

/* A stall that is in the ledger was told of again: the hardware's bug, or ours. It closes
 * no group, and gets no answer but the one that is due. */
COLD static int tag_reused(const struct intake *in)
{
	struct iopf_stats_row *row = intake_row(in);

	COUNT(row, requests);
	COUNT(row, index_reused);
	intake_tell(in, IOPF_EVENT_INDEX_REUSED);
	return 0;
}

/* An index that is still open: the function is out of step, and a response could answer
 * either question. Not shown, none of its own; the endpoint is drained and reset. */
COLD static int index_reused(const struct intake *in)
{
	struct iopf_stats_row *row = intake_row(in);

	end_silently(in, IOPF_ENDING_reset);
	COUNT(row, index_reused);
	COUNT(row, lost_credits);
	intake_tell(in, IOPF_EVENT_INDEX_REUSED);
	operation_restart(in->broker, in->endpoint, in->now_ns);
	return 0;
}

COLD static int stop_marker(const struct intake *in)
{
	struct endpoint *endpoint = &in->broker->endpoints[in->endpoint];
	uint32_t slot = endpoint->partial.first;

	COUNT(intake_row(in), stop_markers);
	record_endpoint(in->broker, in->now_ns, IOPF_RECORD_STOP, in->endpoint,
			in->request->pasid, 0, 0);
	while (slot != NO_SLOT) {
		const struct group *group = &in->broker->groups[slot];
		uint32_t next = list_next(in->broker->groups, &endpoint->partial, slot);

		if (group->bound.pasid == in->request->pasid)
			group_forget(in->broker, slot, IOPF_ENDING_malformed, in->now_ns);
		slot = next;
	}
	return 0;
}

/* ---- The way of an ordinary request --------------------------------------------------- */

/* What needs no second look: the attachment is open, and nobody else's on its
 * interface. */
static bool is_plain(const struct iopf_broker *broker, const struct endpoint *endpoint,
		     uint32_t attachment)
{
	return endpoint->operation == IOPF_OPERATION_NONE &&
	       endpoint->state == ENDPOINT_ON &&
	       !(endpoint->flags &
		 (ENDPOINT_SHARED | ENDPOINT_VIRTUAL | ENDPOINT_STREAM)) &&
	       !broker->attachments[attachment].closing &&
	       !broker->shares[broker->attachments[attachment].share].out_of_service;
}

/* Whose address space a group belongs to is settled by its first request. What comes
 * after it with the same PASID takes the short way, until something changes. */
static struct binding bind(const struct intake *in, struct endpoint *endpoint)
{
	uint32_t id = attachment_of(in->broker, in->endpoint, in->request->pasid);
	struct binding bound = nobody;

	if (id != MAP_NONE) {
		bound.attachment = id;
		bound.attachment_epoch = in->broker->attachments[id].epoch;
		bound.owner = (uint16_t)in->broker->attachments[id].owner;
	}
	bound.pasid = in->request->pasid;
	bound.endpoint = (uint16_t)in->endpoint;
	bound.endpoint_epoch = endpoint->epoch;
	if (id != MAP_NONE && is_plain(in->broker, endpoint, id))
		endpoint->usual = bound;
	return bound;
}

static void partial_add(struct iopf_broker *broker, struct endpoint *endpoint, uint32_t slot)
{
	group_move(endpoint, &broker->groups[slot], IOPF_GROUP_FREE, IOPF_GROUP_PARTIAL);
	list_push(broker->groups, &endpoint->partial, slot);
	endpoint->partials++;
}

static void partial_remove(struct iopf_broker *broker, struct endpoint *endpoint,
			   uint32_t slot)
{
	list_remove(broker->groups, &endpoint->partial, slot);
	endpoint->partials--;
}

/* The group waits for its last, and is then ended. */
COLD static void malformed(const struct intake *in, struct group *group)
{
	group->doomed = IOPF_ENDING_malformed;
	COUNT(intake_row(in), malformed_requests);
	intake_tell(in, IOPF_EVENT_MALFORMED);
}

/* Its owner may not hold it, or no more of it: that is settled at its last. */
COLD static void beyond_share(const struct intake *in, struct endpoint *endpoint,
			      struct group *group)
{
	if (group->flags & GROUP_HELD)
		owner_let_go(in->broker, &in->broker->owners[group->bound.owner], endpoint,
			     group);
	if (group->doomed == 0)
		group->doomed = IOPF_ENDING_quota;
	tell_quota(in, group->bound.attachment);
}

/* The first request of a group: it is its owner's from now on, if that may hold it. What
 * will not be shown in any case is nobody's. */
static void hold(const struct intake *in, struct endpoint *endpoint, struct group *group)
{
	uint32_t attachment = group->bound.attachment;

	if (attachment == IOPF_NO_ID || in->broker->attachments[attachment].closing)
		return;
	if (!share_allows(in->broker, in->endpoint, attachment, 1)) {
		beyond_share(in, endpoint, group);
		return;
	}
	group->flags |= GROUP_HELD;
	in->broker->owners[group->bound.owner].held[mechanism_of(endpoint)]++;
	if (is_shared(endpoint))
		share_count(in->broker, group, 1);
}

/* A further one. */
static void hold_more(const struct intake *in, struct endpoint *endpoint,
		      struct group *group)
{
	if (!(group->flags & GROUP_HELD) || !is_shared(endpoint))
		return;
	if (share_allows(in->broker, in->endpoint, group->bound.attachment, 0))
		share_count(in->broker, group, 1);
	else
		beyond_share(in, endpoint, group);
}

/* Why a complete group may not be shown; IOPF_ENDING_COUNT: it may. */
static enum iopf_ending verdict(const struct iopf_broker *broker,
				const struct endpoint *endpoint,
				const struct group *group)
{
	const struct attachment *attachment = attachment_of_group(broker, group);

	if (group->doomed == IOPF_ENDING_malformed)
		return IOPF_ENDING_malformed;
	if (operation_closes(broker, endpoint) ||
	    group->bound.endpoint_epoch != endpoint->epoch)
		return IOPF_ENDING_detach;
	if (endpoint->state != ENDPOINT_ON || group->bound.attachment == IOPF_NO_ID)
		return IOPF_ENDING_no_owner;
	if (attachment == NULL || attachment->closing)
		return IOPF_ENDING_detach;
	if (broker->shares[attachment->share].out_of_service)
		return IOPF_ENDING_no_owner;
	return group->doomed == IOPF_ENDING_quota ? IOPF_ENDING_quota : IOPF_ENDING_COUNT;
}

/* A complete group that nobody is shown. */
COLD static void leave_unseen(const struct intake *in, struct group *group,
			      enum iopf_ending ending)
{
	const struct attachment *attachment = attachment_of_group(in->broker, group);
	enum iopf_code code = IOPF_INVALID;

	group->opened_ns = in->now_ns;
	if (attachment != NULL && in->broker->shares[attachment->share].out_of_service)
		COUNT(intake_row(in), out_of_service);
	if (ending == IOPF_ENDING_quota && !(group->flags & GROUP_STALL) &&
	    page_may_retry(in->broker, group, in->now_ns)) {
		code = IOPF_SUCCESS;
		COUNT(intake_row(in), quota_retries);
	}
	group_leave(in->broker, TOKEN_SLOT(group->token), code, ending);
	if (attachment == NULL)
		group->bound.owner = NO_OWNER;
}

static void close_group(const struct intake *in, struct endpoint *endpoint, uint32_t slot,
			unsigned from)
{
	struct group *group = &in->broker->groups[slot];
	enum iopf_ending ending = verdict(in->broker, endpoint, group);

	if (ending != IOPF_ENDING_COUNT) {
		leave_unseen(in, group, ending);
		return;
	}
	assert(group->flags & GROUP_HELD);
	if (from == IOPF_GROUP_PARTIAL)
		partial_remove(in->broker, endpoint, slot);
	group_move(endpoint, group, from, IOPF_GROUP_READY);
	owner_give(in->broker, &in->broker->owners[group->bound.owner], slot, in->now_ns);
}

/* @from: whether the request begins its group, or comes to a partial one. */
static void keep(const struct intake *in, struct endpoint *endpoint, uint32_t slot,
		 unsigned from)
{
	struct group *group = &in->broker->groups[slot];

	if (is_broken(endpoint, in->request))
		malformed(in, group);
	intake_record(in, group);
	if (is_last(in))
		close_group(in, endpoint, slot, from);
	else if (from == IOPF_GROUP_FREE)
		partial_add(in->broker, endpoint, slot);
}

/* Its allocation is the host's alone: it was never told of credits. */
static bool is_bounded_here(const struct endpoint *endpoint)
{
	return endpoint->flags & (ENDPOINT_STREAM | ENDPOINT_DESCRIPTOR);
}

static int append(const struct intake *in, struct endpoint *endpoint, uint32_t slot)
{
	struct group *group = &in->broker->groups[slot];

	if (group->flags & GROUP_STALL)
		return tag_reused(in);
	if (group->state != IOPF_GROUP_PARTIAL || group->bound.pasid != in->request->pasid)
		return index_reused(in);
	if (credits_left(in->broker, endpoint) == 0)
		return is_bounded_here(endpoint) ? beyond_slots_within(in, slot) :
						   beyond_allocation(in, slot);
	hold_more(in, endpoint, group);
	group_append(in->broker, group, in->request);
	intake_count(in);
	keep(in, endpoint, slot, IOPF_GROUP_PARTIAL);
	return 0;
}

static int admit(const struct intake *in, struct endpoint *endpoint)
{
	struct iopf_broker *broker = in->broker;
	struct endpoint *interface = interface_of(broker, endpoint);
	uint32_t slot = group_find(broker->groups, endpoint, in->request->index,
				   in->request->pasid, !(endpoint->flags & ENDPOINT_PASID));
	uint16_t same_bucket;

	if (slot != NO_SLOT)
		return append(in, endpoint, slot);
	if (credits_left(broker, endpoint) == 0)
		return is_bounded_here(endpoint) ? beyond_slots(in) :
						   beyond_allocation(in, NO_SLOT);
	slot = slot_take(broker, interface, endpoint, in->request, &same_bucket);
	if (slot == NO_SLOT) /* slots retired */
		return reject(in, IOPF_ENDING_quota);
	group_fill(broker, &broker->groups[slot], in->request, bind(in, endpoint),
		   same_bucket, IOPF_GROUP_FREE, 0);
	hold(in, endpoint, &broker->groups[slot]);
	credit_take(interface, endpoint);
	intake_count(in);
	keep(in, endpoint, slot, IOPF_GROUP_FREE);
	return 0;
}

/* A stall of a function, or a page request of a stream: its index means something else. */
COLD static int other_mechanism(const struct intake *in)
{
	int taken = reject(in, IOPF_ENDING_malformed);

	if (taken == 0) {
		COUNT(intake_row(in), malformed_requests);
		intake_tell(in, IOPF_EVENT_MALFORMED);
	}
	return taken;
}

/* The long way: everything that can be told apart is. */
/* Whether a stall of this tag was rejected, and its abort has not left: it is in no
 * bucket. */
static bool is_rejected(const struct intake *in)
{
	const struct list *leaving = &in->broker->sources[in->source].leaving;
	uint32_t endpoint = in->endpoint != MAP_NONE ? in->endpoint : NO_ENDPOINT;
	uint32_t slot = leaving->first;

	if (in->endpoint != MAP_NONE && in->broker->endpoints[endpoint].rejected == 0)
		return false;
	for (; slot != NO_SLOT; slot = list_next(in->broker->groups, leaving, slot)) {
		const struct group *group = &in->broker->groups[slot];

		if (group->flags & GROUP_RESERVE && group->flags & GROUP_STALL &&
		    group->index == in->request->index &&
		    group->bound.endpoint == endpoint &&
		    group_rid(in->broker, group) == in->request->rid)
			return true;
	}
	return false;
}

int intake_unusual(struct iopf_broker *broker, uint32_t source,
		   const struct iopf_request *request, uint64_t now_ns, uint32_t id)
{
	const struct intake in = { .broker = broker,
				   .request = request,
				   .now_ns = now_ns,
				   .source = source,
				   .endpoint = id };
	struct endpoint *endpoint;
	enum iopf_ending silent;

	if (source_get(broker, source) == NULL)
		return -ENOENT;
	if (request->flags & IOPF_STALL && is_rejected(&in))
		return tag_reused(&in);
	if (id == MAP_NONE)
		return unknown_rid(&in);
	if (request->flags & IOPF_STOP)
		return stop_marker(&in);
	endpoint = &broker->endpoints[id];
	silent = operation_silences(broker, endpoint);
	if (silent != IOPF_ENDING_COUNT)
		return end_silently(&in, silent);
	if (!(request->flags & IOPF_STALL) != !(endpoint->flags & ENDPOINT_STREAM))
		return other_mechanism(&in);
	return admit(&in, endpoint);
}

int iopf_broker_overflow(struct iopf_broker *broker, uint32_t source, uint64_t now_ns)
{
	int dropped = 0;

	if (source_get(broker, source) == NULL)
		return -ENOENT;
	COUNT(row_of_source(broker, source), overflows);
	record_endpoint(broker, now_ns, IOPF_RECORD_OVERFLOW, NO_ENDPOINT, IOPF_PASID_NONE,
			source, 0);
	for (uint32_t id = 0; id < broker->endpoint_end; id++) {
		struct endpoint *endpoint = &broker->endpoints[id];

		if (endpoint->state == ENDPOINT_UNUSED || endpoint->source != source)
			continue;
		for (; endpoint->partial.first != NO_SLOT; dropped++)
			group_forget(broker, endpoint->partial.first,
				     IOPF_ENDING_guest_overflow, now_ns);
	}
	tell(broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_OVERFLOW,
				  .source = source,
				  .endpoint = IOPF_NO_ID,
				  .owner = IOPF_NO_ID,
				  .pasid = IOPF_PASID_NONE,
				  .value = (uint64_t)dropped },
	     now_ns);
	return dropped;
}
