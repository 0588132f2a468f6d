/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/ledger.c - slots of the ledger: their lists, their ranges, their states. */
#include "broker/broker.h"

#include <assert.h>

/* ---- Lists: a live group is on exactly one, that of its state ---------------------- */

void list_push(struct iopf_broker *broker, struct list *list, uint32_t slot)
{
	struct group *group = &broker->groups[slot];

	group->next = NO_SLOT;
	group->prev = list->last;
	if (list->last != NO_SLOT)
		broker->groups[list->last].next = slot;
	else
		list->first = slot;
	list->last = slot;
	list->count++;
}

void list_remove(struct iopf_broker *broker, struct list *list, uint32_t slot)
{
	const struct group *group = &broker->groups[slot];

	if (group->prev != NO_SLOT)
		broker->groups[group->prev].next = group->next;
	else
		list->first = group->next;
	if (group->next != NO_SLOT)
		broker->groups[group->next].prev = group->prev;
	else
		list->last = group->prev;
	list->count--;
}

/* ---- Ranges: next fit over a list sorted by first slot ------------------------------ */

bool range_take(struct iopf_broker *broker, uint32_t range, uint32_t count)
{
	struct range *ranges = broker->ranges;
	uint32_t start = broker->range_rover, at = start;

	do {
		uint32_t first = ranges[at].first + ranges[at].count;
		uint32_t next = ranges[at].next;
		uint32_t end = next != 0 ? ranges[next].first : broker->options.group_max;

		if (end - first >= count) {
			ranges[range] = (struct range){ first, count, next, at };
			ranges[at].next = range;
			ranges[next].prev = range;
			broker->range_rover = range;
			return true;
		}
		at = next;
	} while (at != start);
	return false;
}

void range_give(struct iopf_broker *broker, uint32_t range)
{
	struct range *ranges = broker->ranges;
	struct range *gone = &ranges[range];

	ranges[gone->prev].next = gone->next;
	ranges[gone->next].prev = gone->prev;
	if (broker->range_rover == range)
		broker->range_rover = gone->prev;
	*gone = (struct range){ 0 };
}

/* ---- Index buckets ------------------------------------------------------------------- */

static void bucket_add(struct iopf_broker *broker, struct endpoint *endpoint,
		       uint32_t slot)
{
	struct group *group = &broker->groups[slot];
	uint16_t *bucket = &endpoint->bucket[group->index % INDEX_BUCKETS];

	group->same_bucket = *bucket;
	*bucket = (uint16_t)(slot - endpoint->slot_first + 1);
}

static void bucket_remove(struct iopf_broker *broker, struct endpoint *endpoint,
			  uint32_t slot)
{
	struct group *group = &broker->groups[slot];
	uint16_t *link = &endpoint->bucket[group->index % INDEX_BUCKETS];

	while (*link != slot - endpoint->slot_first + 1) {
		assert(*link != 0);
		link = &broker->groups[endpoint->slot_first + *link - 1].same_bucket;
	}
	*link = group->same_bucket;
}

uint32_t group_find(const struct iopf_broker *broker, const struct endpoint *endpoint,
		    uint16_t index, uint32_t pasid, bool any_pasid)
{
	uint16_t link = endpoint->bucket[index % INDEX_BUCKETS];

	while (link != 0) {
		uint32_t slot = endpoint->slot_first + link - 1;
		const struct group *group = &broker->groups[slot];

		if (group->index == index && (any_pasid || group->pasid == pasid))
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

void group_move(struct group *group, uint8_t state)
{
	assert(group_next[group->state] & 1u << state);
	group->state = state;
}

/* ---- A group's life -------------------------------------------------------------------- */

static void group_fill(struct iopf_broker *broker, uint32_t slot,
		       const struct iopf_request *request)
{
	struct group *group = &broker->groups[slot];

	group->addr = request->addr;
	group->generation++;
	group->pasid = request->pasid;
	group->attachment = IOPF_NO_ID;
	group->owner = NO_OWNER;
	group->rid = request->rid;
	group->index = request->index;
	group->request_count = 1;
	group->unit_first = group->unit_last = 0;
	group->flags = request->flags & (GROUP_STALL | GROUP_PRIVATE);
	group->perm = request->perm;
	if (broker->private_data != NULL && request->flags & IOPF_PRIVATE)
		memcpy(broker->private_data[slot], request->private_data,
		       sizeof(request->private_data));
}

uint32_t group_open(struct iopf_broker *broker, struct endpoint *endpoint,
		    const struct iopf_request *request)
{
	uint32_t slot = endpoint->free_first;
	struct group *group;

	if (slot == NO_SLOT)
		return NO_SLOT;
	group = &broker->groups[slot];
	endpoint->free_first = group->next;
	if (group->next == NO_SLOT)
		endpoint->free_last = NO_SLOT;
	group_fill(broker, slot, request);
	group->endpoint_epoch = endpoint->epoch;
	bucket_add(broker, endpoint, slot);
	endpoint->credits++;
	return slot;
}

uint32_t group_open_reserve(struct iopf_broker *broker, uint32_t source,
			    uint16_t endpoint, const struct iopf_request *request)
{
	uint32_t slot = broker->sources[source].free_first;
	struct group *group;

	if (slot == NO_SLOT)
		return NO_SLOT;
	group = &broker->groups[slot];
	broker->sources[source].free_first = group->next;
	group_fill(broker, slot, request);
	group->flags |= GROUP_RESERVE;
	group->endpoint = endpoint;
	if (endpoint != NO_ENDPOINT && !broker->endpoints[endpoint].pasid_in_response)
		group->pasid = IOPF_PASID_NONE;
	return slot;
}

void group_append(struct iopf_broker *broker, struct group *group,
		  const struct iopf_request *request)
{
	struct endpoint *endpoint = &broker->endpoints[group->endpoint];
	uint16_t link = endpoint->unit_free;
	struct unit *unit;

	assert(link != 0); /* units >= credits */
	unit = &endpoint->units[link - 1];
	endpoint->unit_free = unit->next;
	*unit = (struct unit){ .addr = request->addr, .perm = request->perm };
	if (group->unit_last != 0)
		endpoint->units[group->unit_last - 1].next = link;
	else
		group->unit_first = link;
	group->unit_last = link;
	group->request_count++;
	endpoint->credits++;
	if (request->flags & IOPF_PRIVATE) {
		group->flags |= GROUP_PRIVATE;
		if (broker->private_data != NULL)
			memcpy(broker->private_data[group_slot(broker, group)],
			       request->private_data, sizeof(request->private_data));
	}
}

/* Slots go back at the end of the line, so that a generation lasts; one whose
 * generations have run out is retired. */
void slot_free(struct iopf_broker *broker, uint32_t *first, uint32_t *last,
		      uint32_t slot)
{
	struct group *group = &broker->groups[slot];

	if (group->generation == UINT32_MAX)
		return;
	group->next = NO_SLOT;
	if (*first == NO_SLOT)
		*first = slot;
	else
		broker->groups[*last].next = slot;
	*last = slot;
}

static void reserve_free(struct iopf_broker *broker, uint32_t slot)
{
	struct group *group = &broker->groups[slot];
	struct source *source = &broker->sources[group->source];

	group_move(group, IOPF_GROUP_FREE);
	if (group->generation == UINT32_MAX)
		return;
	group->next = source->free_first;
	source->free_first = slot;
}

static void group_free(struct iopf_broker *broker, uint32_t slot)
{
	struct group *group = &broker->groups[slot];
	struct endpoint *endpoint;

	if (group->flags & GROUP_RESERVE) {
		reserve_free(broker, slot);
		return;
	}
	endpoint = &broker->endpoints[group->endpoint];
	bucket_remove(broker, endpoint, slot);
	endpoint->credits = (uint16_t)(endpoint->credits - group->request_count);
	if (group->unit_last != 0) {
		endpoint->units[group->unit_last - 1].next = endpoint->unit_free;
		endpoint->unit_free = group->unit_first;
	}
	group_move(group, IOPF_GROUP_FREE);
	slot_free(broker, &endpoint->free_first, &endpoint->free_last, slot);
}

/* Off its owner's list. */
static void owner_release(struct iopf_broker *broker, uint32_t slot)
{
	struct group *group = &broker->groups[slot];
	struct owner *owner = &broker->owners[group->owner];

	if (owner->fetch_cursor == slot)
		owner->fetch_cursor = group->next;
	if (owner->warn_cursor == slot)
		owner->warn_cursor = group->next;
	list_remove(broker, &owner->open, slot);
	broker->endpoints[group->endpoint].open--;
	broker->endpoints[group->endpoint].delivered -=
		group->state == IOPF_GROUP_DELIVERED;
}

static bool is_owned(const struct group *group)
{
	return group->state == IOPF_GROUP_READY || group->state == IOPF_GROUP_DELIVERED;
}

static void leaving_remove(struct iopf_broker *broker, uint32_t slot)
{
	const struct group *group = &broker->groups[slot];

	list_remove(broker, &broker->sources[group->source].leaving, slot);
	if (group->endpoint != NO_ENDPOINT)
		broker->endpoints[group->endpoint].leaving--;
}

void group_leave(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
		 enum iopf_ending ending)
{
	struct group *group = &broker->groups[slot];

	if (is_owned(group))
		owner_release(broker, slot);
	else if (group->state == IOPF_GROUP_PARTIAL)
		list_remove(broker, &broker->endpoints[group->endpoint].partial, slot);
	group->code = (uint8_t)code;
	group->ending = (uint8_t)ending;
	group_move(group, IOPF_GROUP_LEAVING);
	list_push(broker, &broker->sources[group->source].leaving, slot);
	if (group->endpoint != NO_ENDPOINT)
		broker->endpoints[group->endpoint].leaving++;
}

void group_end(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
	       enum iopf_ending ending, uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	bool shown = group->state == IOPF_GROUP_DELIVERED;
	const struct owner *owner;

	group_leave(broker, slot, code, ending);
	if (!shown)
		return;
	owner = &broker->owners[group->owner];
	if (owner->taken != NULL)
		owner->taken(owner->context, group_token(broker, group), ending);
	tell(broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_TAKEN,
				  .detail = (uint8_t)ending,
				  .source = group->source,
				  .endpoint = group->endpoint,
				  .owner = group->owner,
				  .pasid = group->pasid,
				  .rid = group->rid,
				  .token = group_token(broker, group),
				  .value = group->addr },
	     now_ns);
}

_Static_assert(IOPF_COUNTER_ended_success + (int)IOPF_ENDING_COUNT ==
		       IOPF_COUNTER_ended_response_failure + 1,
	       "a counter for each ending, in the same order");

static void count_ending(struct iopf_broker *broker, const struct group *group)
{
	unsigned counter = IOPF_COUNTER_ended_success + group->ending;

	count(&row_of_group(broker, group)->counter[counter], 1);
	if (group->owner != NO_OWNER)
		count(&row_of_owner(broker, group->owner)->counter[counter], 1);
}

void group_forget(struct iopf_broker *broker, uint32_t slot, enum iopf_ending ending,
		  uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	struct iopf_stats_row *row = row_of_group(broker, group);

	record(broker, now_ns, IOPF_RECORD_DROP, group, group->addr, (uint8_t)ending);
	if (group->state == IOPF_GROUP_PARTIAL) {
		list_remove(broker, &broker->endpoints[group->endpoint].partial, slot);
		COUNT(row, dropped_partials);
		count(&row->counter[IOPF_COUNTER_lost_credits], group->request_count);
		group->ending = (uint8_t)ending;
		group_free(broker, slot);
		return;
	}
	if (is_owned(group)) {
		const struct owner *owner = &broker->owners[group->owner];

		owner_release(broker, slot);
		if (group->state == IOPF_GROUP_DELIVERED && owner->taken != NULL)
			owner->taken(owner->context, group_token(broker, group), ending);
	} else {
		leaving_remove(broker, slot);
	}
	group->ending = (uint8_t)ending;
	count_ending(broker, group);
	group_free(broker, slot);
}

void group_close(struct iopf_broker *broker, uint32_t slot)
{
	struct group *group = &broker->groups[slot];

	leaving_remove(broker, slot);
	count_ending(broker, group);
	group_free(broker, slot);
}
