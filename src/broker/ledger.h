/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/ledger.h - what every fault needs of the ledger, in line: on an ordinary
 * fault's way nothing is called but the four functions of the interface. The rest of
 * the ledger, which errors and operations need, is in ledger.c.
 */
#ifndef BROKER_LEDGER_H
#define BROKER_LEDGER_H

#include <assert.h>

#include "broker/record.h"

/* ---- Lists: a live group is on exactly one, that of its state ---------------------- */

/* Ends are known by first and last alone: each store counts, and none is made to say
 * that there is no next. */
static inline uint32_t list_next(const struct group *groups, const struct list *list,
				 uint32_t slot)
{
	return slot == list->last ? NO_SLOT : groups[slot].next;
}

static inline void group_prefetch(struct group *groups, uint32_t slot)
{
	if (slot != NO_SLOT)
		__builtin_prefetch(&groups[slot], 1);
}

static inline void slot_prefetch(const struct iopf_broker *broker, uint32_t slot)
{
	if (slot < broker->slot_count)
		__builtin_prefetch(&broker->groups[slot], 1);
}

/* A list that is only taken from at its first needs half of the links. */
static inline void line_push(struct group *groups, struct list *line, uint32_t slot)
{
	if (line->first != NO_SLOT)
		groups[line->last].next = slot;
	else
		line->first = slot;
	line->last = slot;
}

static inline void list_push(struct group *groups, struct list *list, uint32_t slot)
{
	groups[slot].prev = list->last;
	line_push(groups, list, slot);
}

static inline void list_remove(struct group *groups, struct list *list, uint32_t slot)
{
	uint32_t next = groups[slot].next, prev = groups[slot].prev;

	if (slot == list->first) {
		list->first = list_next(groups, list, slot);
	} else if (slot == list->last) {
		list->last = prev;
	} else {
		groups[prev].next = next;
		groups[next].prev = prev;
	}
}

/* What a response says of the PASID: a PRG Response only where the function requires it
 * (PCIe 6.x 10.5.2.3), a resumption never. */
static inline uint32_t response_pasid(const struct endpoint *endpoint,
				      const struct group *group)
{
	return endpoint->flags & ENDPOINT_PASID ? group->bound.pasid : IOPF_PASID_NONE;
}

/* Nothing left from this slot that its present user may know. */
static inline void group_never_left(struct group *group)
{
	group->ended = (uint8_t)ENDED(IOPF_CODE_COUNT, ENDED_ENDING(group->ended));
}

/* Slots of an interface: more than it has credits. */
static inline uint32_t slots_for(uint32_t allocation)
{
	return allocation + RECENT_MAX;
}

static inline uint32_t slot_count(const struct endpoint *interface)
{
	return slots_for(interface->allocation);
}

/* ---- Index buckets ------------------------------------------------------------------- */

static inline uint16_t *bucket_of(const struct endpoint *endpoint, uint16_t index)
{
	return &endpoint->bucket[index % INDEX_BUCKETS];
}

static inline void bucket_remove(struct group *groups, const struct endpoint *endpoint,
				 uint32_t slot)
{
	uint16_t *link = bucket_of(endpoint, groups[slot].index);

	while (*link != slot - endpoint->slot_first + 1) {
		assert(*link != 0);
		link = &groups[endpoint->slot_first + *link - 1].same_bucket;
	}
	*link = groups[slot].same_bucket;
}

/* The open group of @endpoint with this index and PASID; NO_SLOT. @any_pasid: whatever
 * its PASID. */
static inline uint32_t group_find(const struct group *groups,
				  const struct endpoint *endpoint, uint16_t index,
				  uint32_t pasid, bool any_pasid)
{
	uint16_t link = *bucket_of(endpoint, index);

	while (link != 0) {
		uint32_t slot = endpoint->slot_first + link - 1;
		const struct group *group = &groups[slot];

		if (group->index == index && (any_pasid || group->bound.pasid == pasid))
			return slot;
		link = group->same_bucket;
	}
	return NO_SLOT;
}

/* ---- States --------------------------------------------------------------------------- */

#define TO(state) (1u << IOPF_GROUP_##state)

static const uint8_t group_next[] = {
	[IOPF_GROUP_FREE] = TO(PARTIAL) | TO(READY) | TO(LEAVING),
	[IOPF_GROUP_PARTIAL] = TO(READY) | TO(LEAVING) | TO(FREE),
	[IOPF_GROUP_READY] = TO(DELIVERED) | TO(LEAVING) | TO(FREE),
	[IOPF_GROUP_DELIVERED] = TO(LEAVING) | TO(FREE),
	[IOPF_GROUP_LEAVING] = TO(FREE),
};
_Static_assert(sizeof(group_next) == IOPF_GROUP_STATE_COUNT, "a row per state");

/* What a group in a state counts as. */
static const uint64_t now_in[] = {
	[IOPF_GROUP_FREE] = 0,
	[IOPF_GROUP_PARTIAL] = 0,
	[IOPF_GROUP_READY] = NOW_ONE(READY),
	[IOPF_GROUP_DELIVERED] = NOW_ONE(DELIVERED),
	[IOPF_GROUP_LEAVING] = NOW_ONE(LEAVING),
};
_Static_assert(sizeof(now_in) / sizeof(now_in[0]) == IOPF_GROUP_STATE_COUNT,
	       "a row per state");

/* The only writer of a state, but for those that write all marks of a group. */
static inline void group_state(struct group *group, unsigned from, unsigned to)
{
	assert(group->state == from && (group_next[from] & 1u << to));
	group->state = (uint8_t)to;
}

static inline void now_move(struct endpoint *endpoint, unsigned from, unsigned to)
{
	endpoint->now += now_in[to] - now_in[from];
}

static inline void group_move(struct endpoint *endpoint, struct group *group,
			      unsigned from, unsigned to)
{
	group_state(group, from, to);
	now_move(endpoint, from, to);
}

static inline uint32_t credits_of(const struct endpoint *endpoint)
{
	return NOW_OF(endpoint->now, CREDITS);
}

/* Groups of @endpoint whose response has not left. */
static inline uint32_t leaving_of(const struct endpoint *endpoint)
{
	return NOW_OF(endpoint->now, LEAVING) + endpoint->rejected;
}

/* Credits of @endpoint's interface that are not in use. */
static inline uint32_t credits_left(const struct iopf_broker *broker,
				    const struct endpoint *endpoint)
{
	const struct endpoint *interface = interface_of(broker, endpoint);

	return interface->ceiling - credits_of(interface);
}

/* Not to an earlier one in the same place of the table. */
static inline bool is_bound(const struct iopf_broker *broker, const struct group *group,
			    uint32_t attachment)
{
	return group->bound.attachment == attachment &&
	       group->bound.attachment_epoch == broker->attachments[attachment].epoch;
}

static const struct binding nobody = { .attachment = IOPF_NO_ID,
				       .owner = NO_OWNER,
				       .endpoint = NO_ENDPOINT };

/* ---- A slot's life --------------------------------------------------------------------- */

/* What a slot holds of its new group, in state @to. @same_bucket: the next in its index
 * bucket. */
static inline void group_fill(const struct iopf_broker *broker, struct group *group,
			      const struct iopf_request *request, struct binding bound,
			      uint16_t same_bucket, unsigned to, unsigned flags)
{
	flags |= request->flags & (GROUP_STALL | GROUP_PRIVATE);
	assert(group->state == IOPF_GROUP_FREE);
	assert(to == IOPF_GROUP_FREE || group_next[IOPF_GROUP_FREE] & 1u << to);
	group->token++; /* the next generation */
	group->addr = request->addr;
	group->bound = bound;
	group->links = WORD(HALF(1, 0), HALF(0, same_bucket));
	group->marks = MARKS(request->index, to, flags, request->perm, 0, group->source);
	if (request->flags & IOPF_PRIVATE && broker->private_data != NULL)
		memcpy(broker->private_data[TOKEN_SLOT(group->token)],
		       request->private_data, sizeof(request->private_data));
}

static inline void credit_take(struct endpoint *interface, struct endpoint *endpoint)
{
	endpoint->now += NOW_ONE(CREDITS);
	if (interface != endpoint)
		interface->ceiling--;
}

/* A free slot of @interface for @endpoint, or NO_SLOT: generations have run out. */
static inline uint32_t slot_take(const struct iopf_broker *broker,
				 struct endpoint *interface, struct endpoint *endpoint,
				 const struct iopf_request *request, uint16_t *same_bucket)
{
	uint32_t slot = interface->free.first;
	uint16_t *bucket = bucket_of(endpoint, request->index);

	if (slot == NO_SLOT)
		return NO_SLOT;
	interface->free.first = list_next(broker->groups, &interface->free, slot);
	*same_bucket = *bucket;
	*bucket = (uint16_t)(slot - endpoint->slot_first + 1);
	return slot;
}

/* To the end of the line of free slots, so that a generation, and what is known of the
 * last responses, lasts; a slot whose generations have run out is retired. */
static inline void slot_free(struct group *groups, struct endpoint *interface,
			     uint32_t slot)
{
	if (TOKEN_GENERATION(groups[slot].token) == UINT32_MAX)
		return;
	line_push(groups, &interface->free, slot);
}

static inline void units_free(struct endpoint *interface, const struct group *group)
{
	if (group->unit_last == 0)
		return;
	interface->units[group->unit_last - 1].next = interface->unit_free;
	interface->unit_free = group->unit_first;
}

/* Everything that a group held of its endpoint goes back. */
static inline void group_free(const struct iopf_broker *broker, struct endpoint *endpoint,
			      uint32_t slot, unsigned from, uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	struct endpoint *interface = endpoint;

	bucket_remove(broker->groups, endpoint, slot);
	if (endpoint->flags & ENDPOINT_VIRTUAL) {
		interface = interface_of(broker, endpoint);
		interface->ceiling = (uint16_t)(interface->ceiling + group->request_count);
	}
	units_free(interface, group);
	group_state(group, from, IOPF_GROUP_FREE);
	endpoint->now -= now_in[from] + group->request_count * NOW_ONE(CREDITS);
	group->opened_ns = now_ns;
	slot_free(broker->groups, interface, slot);
}

/* ---- Owned, leaving, closed -------------------------------------------------------------- */

/* @group, which is not LEAVING yet, does not count as its owner's any more. */
static inline void owner_let_go(struct iopf_broker *broker, struct owner *owner,
				struct endpoint *endpoint, struct group *group)
{
	group->flags &= (uint8_t)~GROUP_HELD;
	owner->held[mechanism_of(endpoint)]--;
	if (is_shared(endpoint))
		share_count(broker, group, -(int)group->request_count);
}

/* A READY group, to the end of its owner's list. */
static inline void owner_give(const struct iopf_broker *broker, struct owner *owner,
			      uint32_t slot, uint64_t now_ns)
{
	broker->groups[slot].opened_ns = owner_clock(owner, now_ns);
	list_push(broker->groups, &owner->open, slot);
	if (owner->fetch_cursor == NO_SLOT)
		owner->fetch_cursor = slot;
	if (owner->warn_cursor == NO_SLOT)
		owner->warn_cursor = slot;
}

/* Off its owner's list. */
static inline void owner_release(const struct iopf_broker *broker, struct owner *owner,
				 uint32_t slot)
{
	if (owner->fetch_cursor == slot)
		owner->fetch_cursor = list_next(broker->groups, &owner->open, slot);
	if (owner->warn_cursor == slot)
		owner->warn_cursor = list_next(broker->groups, &owner->open, slot);
	list_remove(broker->groups, &owner->open, slot);
}

/* To its source's line; it has left the list of @from. */
static inline void leaving_push(const struct iopf_broker *broker, uint32_t slot,
				unsigned from, enum iopf_code code,
				enum iopf_ending ending)
{
	struct group *group = &broker->groups[slot];

	line_push(broker->groups, &broker->sources[group->source].leaving, slot);
	group_state(group, from, IOPF_GROUP_LEAVING);
	group->ended = (uint8_t)ENDED(code, ending);
}

_Static_assert(IOPF_COUNTER_ended_success + (int)IOPF_ENDING_liar ==
		       IOPF_COUNTER_ended_response_failure + 1,
	       "a counter for each ending, in the same order, but the newest");

static inline void count_ending(const struct iopf_broker *broker, unsigned owner,
				struct iopf_stats_row *row, unsigned ending, uint32_t by)
{
	enum iopf_counter counter = iopf_ending_counter((enum iopf_ending)ending);

	count_by(&row->counter[counter], by);
	if (owner != NO_OWNER)
		count_by(&row_of_owner(broker, owner)->counter[counter], by);
}

#endif
