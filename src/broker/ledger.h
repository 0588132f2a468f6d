/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/ledger.h - what every fault needs of the ledger, in line: on an ordinary
 * fault's way nothing is called but the four functions of the interface. The rest of
 * the ledger, which errors and operations need, is in ledger.c.
 */
#ifndef BROKER_LEDGER_H
#define BROKER_LEDGER_H

#include <assert.h>

#include "broker/broker.h"

/* ---- Lists: a live group is on exactly one, that of its state ---------------------- */

/* Ends are known by first and last alone: each store counts, and none is made to say
 * that there is no next. */
static inline uint32_t list_next(const struct group *groups, const struct list *list,
				 uint32_t slot)
{
	return slot == list->last ? NO_SLOT : groups[slot].next;
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

/* How many stages a group has passed that is in a state; one that becomes FREE again has
 * passed them all. */
static const uint8_t stages_of[] = {
	[IOPF_GROUP_FREE] = 0,
	[IOPF_GROUP_PARTIAL] = 0,
	[IOPF_GROUP_READY] = STAGE_READY + 1,
	[IOPF_GROUP_DELIVERED] = STAGE_DELIVERED + 1,
	[IOPF_GROUP_LEAVING] = STAGE_LEAVING + 1,
};
_Static_assert(sizeof(stages_of) == IOPF_GROUP_STATE_COUNT, "a row per state");

/* The only writer of a state. */
static inline void group_state(struct group *group, unsigned from, unsigned to)
{
	assert(group->state == from && (group_next[from] & 1u << to));
	group->state = (uint8_t)to;
}

static inline void endpoint_pass(struct endpoint *endpoint, unsigned from, unsigned to)
{
	unsigned end = to == IOPF_GROUP_FREE ? STAGE_COUNT : stages_of[to];

	for (unsigned stage = stages_of[from]; stage < end; stage++)
		endpoint->passed[stage]++;
}

static inline void group_move(struct endpoint *endpoint, struct group *group,
			      unsigned from, unsigned to)
{
	group_state(group, from, to);
	endpoint_pass(endpoint, from, to);
}

/* How many groups of @endpoint have passed @stage and not the next. */
static inline uint32_t endpoint_at(const struct endpoint *endpoint, enum stage stage)
{
	return endpoint->passed[stage] - endpoint->passed[stage + 1];
}

static const struct binding nobody = { .attachment = IOPF_NO_ID,
				       .owner = NO_OWNER,
				       .endpoint = NO_ENDPOINT };

/* ---- A slot's life --------------------------------------------------------------------- */

static inline void group_fill(const struct iopf_broker *broker, struct group *group,
			      const struct iopf_request *request, struct binding bound)
{
	group->token++; /* the next generation */
	group->addr = request->addr;
	group->bound = bound;
	group->index = request->index;
	group->request_count = 1;
	group->unit_first = group->unit_last = 0;
	group->perm = request->perm;
	group->flags = request->flags & (GROUP_STALL | GROUP_PRIVATE);
	if (request->flags & IOPF_PRIVATE && broker->private_data != NULL)
		memcpy(broker->private_data[TOKEN_SLOT(group->token)],
		       request->private_data, sizeof(request->private_data));
}

/* A free slot of @endpoint, or NO_SLOT: generations have run out. @same_bucket: what
 * its bucket holds already. */
static inline uint32_t group_open(const struct iopf_broker *broker,
				  struct endpoint *endpoint,
				  const struct iopf_request *request,
				  struct binding bound, uint16_t same_bucket)
{
	uint32_t slot = endpoint->free.first;
	struct group *group = &broker->groups[slot];

	if (slot == NO_SLOT)
		return NO_SLOT;
	endpoint->credits++;
	endpoint->free.first = list_next(broker->groups, &endpoint->free, slot);
	group->same_bucket = same_bucket;
	group_fill(broker, group, request, bound);
	*bucket_of(endpoint, request->index) = (uint16_t)(slot - endpoint->slot_first + 1);
	return slot;
}

/* To the end of the line of free slots, so that a generation lasts; a slot whose
 * generations have run out is retired. */
static inline void slot_free(struct group *groups, struct endpoint *endpoint,
			     uint32_t slot)
{
	if (TOKEN_GENERATION(groups[slot].token) == UINT32_MAX)
		return;
	line_push(groups, &endpoint->free, slot);
}

/* Everything that a group held of its endpoint goes back. */
static inline void group_free(struct group *groups, struct endpoint *endpoint,
			      uint32_t slot, unsigned from)
{
	struct group *group = &groups[slot];

	bucket_remove(groups, endpoint, slot);
	endpoint->credits = (uint16_t)(endpoint->credits - group->request_count);
	if (group->unit_last != 0) {
		endpoint->units[group->unit_last - 1].next = endpoint->unit_free;
		endpoint->unit_free = group->unit_first;
	}
	group_move(endpoint, group, from, IOPF_GROUP_FREE);
	slot_free(groups, endpoint, slot);
}

/* ---- Owned, leaving, closed -------------------------------------------------------------- */

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
				struct iopf_stats_row *row, unsigned ending)
{
	enum iopf_counter counter = iopf_ending_counter((enum iopf_ending)ending);

	count(&row->counter[counter], 1);
	if (owner != NO_OWNER)
		count(&row_of_owner(broker, owner)->counter[counter], 1);
}

#endif
