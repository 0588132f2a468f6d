/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/ledger.c - the ledger off the beaten track: ranges, reserves, further requests,
 * endings by the host and without a response. */
#include "broker/ledger.h"

/* ---- Ranges: next fit over a list sorted by first slot ------------------------------ */

bool range_take(struct iopf_broker *broker, uint32_t range, uint32_t count)
{
	struct range *ranges = broker->ranges;
	uint32_t start = broker->range_rover, at = start;

	do {
		uint32_t first = ranges[at].first + ranges[at].count;
		uint32_t next = ranges[at].next;
		uint32_t end = next != 0 ? ranges[next].first : broker->slot_count;

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

/* ---- Reserve slots and further requests ------------------------------------------------ */

uint32_t group_open_reserve(struct iopf_broker *broker, uint32_t source,
			    uint16_t endpoint, const struct iopf_request *request)
{
	uint32_t slot = broker->sources[source].free_first;
	struct binding bound = nobody;
	struct group *group;

	if (slot == NO_SLOT)
		return NO_SLOT;
	group = &broker->groups[slot];
	broker->sources[source].free_first = group->next;
	bound.endpoint = endpoint;
	bound.pasid = request->pasid;
	if (endpoint == NO_ENDPOINT)
		bound.rid = request->rid;
	else if (!(broker->endpoints[endpoint].flags & ENDPOINT_PASID))
		bound.pasid = IOPF_PASID_NONE;
	group_fill(broker, group, request, bound, 0, IOPF_GROUP_FREE, GROUP_RESERVE);
	return slot;
}

void group_append(struct iopf_broker *broker, struct group *group,
		  const struct iopf_request *request)
{
	struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];
	struct endpoint *interface = interface_of(broker, endpoint);
	uint16_t link = interface->unit_free;
	struct unit *unit;

	assert(link != 0); /* units >= credits */
	unit = &interface->units[link - 1];
	interface->unit_free = unit->next;
	*unit = (struct unit){ .addr = request->addr, .perm = request->perm };
	if (group->unit_last != 0)
		interface->units[group->unit_last - 1].next = link;
	else
		group->unit_first = link;
	group->unit_last = link;
	group->request_count++;
	credit_take(interface, endpoint);
	if (request->flags & IOPF_PRIVATE) {
		group->flags |= GROUP_PRIVATE;
		if (broker->private_data != NULL)
			memcpy(broker->private_data[TOKEN_SLOT(group->token)],
			       request->private_data, sizeof(request->private_data));
	}
}

/* ---- Endings --------------------------------------------------------------------------- */

static bool is_owned(const struct group *group)
{
	return group->state == IOPF_GROUP_READY || group->state == IOPF_GROUP_DELIVERED;
}

/* Off the list of its state; of those that leave, leaving_forget() takes care. */
static void group_unlist(struct iopf_broker *broker, uint32_t slot)
{
	const struct group *group = &broker->groups[slot];

	if (is_owned(group)) {
		owner_release(broker, &broker->owners[group->bound.owner], slot);
	} else if (group->state == IOPF_GROUP_PARTIAL) {
		struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];

		list_remove(broker->groups, &endpoint->partial, slot);
		endpoint->partials--;
	}
}

void group_leave(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
		 enum iopf_ending ending)
{
	struct group *group = &broker->groups[slot];
	struct endpoint *endpoint = group->bound.endpoint != NO_ENDPOINT ?
					    &broker->endpoints[group->bound.endpoint] :
					    NULL;
	uint8_t from = group->state;

	if (group->flags & GROUP_HELD) {
		assert(endpoint != NULL);
		owner_let_go(broker, &broker->owners[group->bound.owner], endpoint, group);
	}
	if (from != IOPF_GROUP_DELIVERED)
		group->flags |= GROUP_UNSEEN;
	group_unlist(broker, slot);
	leaving_push(broker, slot, from, code, ending);
	if (!(group->flags & GROUP_RESERVE)) {
		assert(endpoint != NULL); /* its slot is the endpoint's */
		now_move(endpoint, from, IOPF_GROUP_LEAVING);
	} else if (endpoint != NULL) {
		endpoint->rejected++;
	}
}

void group_end(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
	       enum iopf_ending ending, uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	bool shown = group->state == IOPF_GROUP_DELIVERED;
	const struct owner *owner;

	record(broker, now_ns, IOPF_RECORD_DROP, group, group->addr, (uint8_t)ending);
	group_leave(broker, slot, code, ending);
	if (!shown)
		return;
	owner = &broker->owners[group->bound.owner];
	if (owner->taken != NULL)
		owner->taken(owner->context, group->token, ending);
	tell(broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_TAKEN,
				  .detail = (uint8_t)ending,
				  .source = group->source,
				  .endpoint = group->bound.endpoint,
				  .owner = group->bound.owner,
				  .pasid = group->bound.pasid,
				  .rid = group_rid(broker, group),
				  .token = group->token,
				  .value = group->addr },
	     now_ns);
}

void reserve_free(struct iopf_broker *broker, struct group *group, uint64_t now_ns)
{
	struct source *source = &broker->sources[group->source];

	group_state(group, IOPF_GROUP_LEAVING, IOPF_GROUP_FREE);
	group->opened_ns = now_ns;
	if (group->bound.endpoint != NO_ENDPOINT)
		broker->endpoints[group->bound.endpoint].rejected--;
	if (TOKEN_GENERATION(group->token) == UINT32_MAX)
		return;
	group->next = source->free_first;
	source->free_first = TOKEN_SLOT(group->token);
}

static void count_forgotten(struct iopf_broker *broker, const struct group *group,
			    enum iopf_ending ending)
{
	struct iopf_stats_row *row = row_of_group(broker, group);

	if (group->state == IOPF_GROUP_PARTIAL) {
		COUNT(row, dropped_partials);
		count_by(&row->counter[IOPF_COUNTER_lost_credits], group->request_count);
		return;
	}
	count_ending(broker, group->bound.owner, row, ending, 1);
	if (group->flags & GROUP_STALL)
		COUNT(row, terminated);
}

void group_forget(struct iopf_broker *broker, uint32_t slot, enum iopf_ending ending,
		  uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];
	uint8_t state = group->state;

	record(broker, now_ns, IOPF_RECORD_DROP, group, group->addr, (uint8_t)ending);
	count_forgotten(broker, group, ending);
	if (group->flags & GROUP_HELD)
		owner_let_go(broker, &broker->owners[group->bound.owner], endpoint, group);
	group_unlist(broker, slot);
	group->ended = (uint8_t)ENDED(IOPF_CODE_COUNT, ending);
	if (state < IOPF_GROUP_DELIVERED)
		group->flags |= GROUP_UNSEEN;
	if (state == IOPF_GROUP_DELIVERED) {
		const struct owner *owner = &broker->owners[group->bound.owner];

		if (owner->taken != NULL)
			owner->taken(owner->context, group->token, ending);
	}
	if (group->flags & GROUP_RESERVE)
		reserve_free(broker, group, now_ns);
	else
		group_free(broker, endpoint, slot, state, now_ns);
}

void leaving_forget(struct iopf_broker *broker, uint32_t source, uint32_t endpoint,
		    enum iopf_ending ending, uint64_t now_ns)
{
	struct list *leaving = &broker->sources[source].leaving;
	struct list kept = { .first = NO_SLOT, .last = NO_SLOT };
	uint32_t slot = leaving->first, next;

	for (; slot != NO_SLOT; slot = next) {
		next = list_next(broker->groups, leaving, slot);
		if (broker->groups[slot].bound.endpoint == endpoint)
			group_forget(broker, slot, ending, now_ns);
		else
			line_push(broker->groups, &kept, slot);
	}
	*leaving = kept;
}
