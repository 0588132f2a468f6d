/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/endpoint.c - endpoints, the interfaces that they use, and attachments. */
#include "broker/page.h"

#include <errno.h>

/* ---- Endpoints ------------------------------------------------------------------------- */

static uint64_t rid_key(uint32_t source, uint32_t rid)
{
	return (uint64_t)source << 32 | rid;
}

/* Storage for the whole allocation: nothing can be short of it later (no -ENOMEM on the
 * way of a fault). */
static void interface_storage(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	const struct range *range = &broker->ranges[1 + id];

	endpoint->units = broker->units + range->first;
	endpoint->slot_first = range->first;
	endpoint->free = no_groups;
	endpoint->unit_free = 1;
	for (uint32_t i = 0; i < range->count; i++) {
		struct group *group = &broker->groups[range->first + i];

		group->bound.endpoint = (uint16_t)id;
		group->source = endpoint->source;
		group_never_left(group);
		endpoint->units[i].next =
			i + 1 == range->count ? 0 : (uint16_t)(i + 2);
		slot_free(broker->groups, endpoint, range->first + i);
	}
	page_forget_all(broker, endpoint);
}

static void interface_join(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	struct endpoint *interface = interface_of(broker, endpoint);

	endpoint->units = interface->units;
	endpoint->slot_first = interface->slot_first;
	endpoint->virtual_next = interface->virtual_first;
	interface->virtual_first = (uint16_t)id;
}

/* What @source has room for, of what is wanted; 0: too little. */
static uint32_t granted(const struct source *source,
			const struct iopf_endpoint_options *options)
{
	uint32_t mechanism = options->mechanism, wanted = options->allocation;
	uint32_t enough = options->allocation_min != 0 ? options->allocation_min : wanted;
	uint32_t room = source->room[mechanism] != 0 ?
				source->room[mechanism] - source->granted[mechanism] :
				ALLOCATION_MAX;

	room = room < ALLOCATION_MAX ? room : ALLOCATION_MAX;
	if (room >= wanted)
		return wanted;
	return room >= enough ? room : 0;
}

static bool endpoint_right(const struct iopf_endpoint_options *options)
{
	if (options->size_bytes != sizeof(*options) || options->mechanism > IOPF_STALLS)
		return false;
	if (options->descriptor && (options->mechanism != IOPF_PRI || options->has_physical))
		return false;
	return options->has_physical ? options->mechanism == IOPF_PRI :
				       in_range(options->allocation, 1, 65535) &&
					       options->allocation_min <= options->allocation;
}

/* A virtual function belongs to one that is none, alive, and of the same source. */
static int physical_refused(const struct iopf_broker *broker,
			    const struct iopf_endpoint_options *options)
{
	const struct endpoint *physical = endpoint_get(broker, options->physical);

	if (!options->has_physical)
		return 0;
	if (physical == NULL)
		return -ENOENT;
	if (physical->flags & (ENDPOINT_VIRTUAL | ENDPOINT_STREAM) ||
	    physical->source != options->source)
		return -EINVAL;
	return physical->operation != IOPF_OPERATION_NONE ? -EBUSY : 0;
}

static int endpoint_refused(const struct iopf_broker *broker,
			    const struct iopf_endpoint_options *options)
{
	const struct source *source = source_get(broker, options->source);

	if (!endpoint_right(options))
		return -EINVAL;
	if (source == NULL)
		return -ENOENT;
	if (map_find(&broker->rids, rid_key(options->source, options->rid)) != MAP_NONE)
		return -EEXIST;
	if (!options->has_physical && granted(source, options) == 0)
		return -EDQUOT;
	return physical_refused(broker, options);
}

static uint8_t endpoint_flags(const struct iopf_endpoint_options *options)
{
	if (options->mechanism == IOPF_STALLS) /* resumed by its tag alone */
		return ENDPOINT_STREAM;
	return (uint8_t)((options->pasid_in_response ? ENDPOINT_PASID : 0) |
			 (options->has_physical ? ENDPOINT_VIRTUAL : 0) |
			 (options->descriptor ? ENDPOINT_DESCRIPTOR : 0));
}

static void endpoint_fill(struct iopf_broker *broker, uint32_t id, uint32_t allocation,
			  const struct iopf_endpoint_options *options)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	*endpoint = (struct endpoint){
		.row = endpoint->row,
		.bucket = broker->buckets + (size_t)id * INDEX_BUCKETS,
		.usual = { .pasid = PASID_NOBODY },
		.rid = options->rid,
		.ceiling = (uint16_t)allocation,
		.allocation = (uint16_t)allocation,
		.epoch = (uint16_t)(endpoint->epoch + 1),
		.flags = endpoint_flags(options),
		.source = (uint8_t)options->source,
		.state = options->has_physical ?
				 broker->endpoints[options->physical].state :
				 (uint8_t)ENDPOINT_ON,
		.physical = (uint16_t)(options->has_physical ? options->physical : id),
		.virtual_first = NO_ENDPOINT,
		.virtual_next = NO_ENDPOINT,
		.detaching = IOPF_NO_ID,
		.successor = IOPF_NO_ID,
		.attachment_first = IOPF_NO_ID,
		.share_first = IOPF_NO_ID,
		.partial = no_groups,
	};
	memset(endpoint->bucket, 0, INDEX_BUCKETS * sizeof(*endpoint->bucket));
	broker->limits[id] = (struct event_limit){ 0 };
}

/* Ids are used in turn; only a full table is searched. */
static uint32_t endpoint_id(const struct iopf_broker *broker)
{
	uint32_t id = 0;

	if (broker->endpoint_end < broker->options.endpoint_max)
		return broker->endpoint_end;
	while (id < broker->options.endpoint_max && endpoint_get(broker, id) != NULL)
		id++;
	return id;
}

static int endpoint_place(struct iopf_broker *broker, uint32_t id,
			  const struct iopf_endpoint_options *options)
{
	struct source *source = &broker->sources[options->source];
	uint32_t count;

	if (options->has_physical) {
		endpoint_fill(broker, id, broker->endpoints[options->physical].allocation,
			      options);
		interface_join(broker, id);
		return 0;
	}
	count = granted(source, options);
	if (!range_take(broker, 1 + id, slots_for(count)))
		return -ENOSPC;
	endpoint_fill(broker, id, count, options);
	source->granted[options->mechanism] += count;
	interface_storage(broker, id);
	return 0;
}

int iopf_broker_add_endpoint(struct iopf_broker *broker,
			     const struct iopf_endpoint_options *options,
			     uint32_t *endpoint)
{
	uint32_t id = endpoint_id(broker);
	int refused = endpoint_refused(broker, options);

	if (refused != 0)
		return refused;
	if (id == broker->options.endpoint_max || endpoint_place(broker, id, options) != 0)
		return -ENOSPC;
	if (id >= broker->endpoint_end)
		broker->endpoint_end = id + 1;
	if (options->has_physical)
		share_recount(broker, id);
	map_add(&broker->rids, rid_key(options->source, options->rid), id);
	publish(&row_of_endpoint(broker, id)->id, rid_key(options->source, options->rid));
	publish(&row_of_endpoint(broker, id)->epoch, broker->endpoints[id].epoch);
	*endpoint = id;
	return 0;
}

/* The numbers of what is gone stay with its source. */
static void row_fold(struct iopf_stats_row *row, struct iopf_stats_row *into)
{
	for (unsigned i = 0; i < IOPF_COUNTER_COUNT; i++) {
		count_by(&into->counter[i], row->counter[i]);
		count_by(&row->counter[i], -row->counter[i]);
	}
}

static void interface_leave(struct iopf_broker *broker, uint32_t id)
{
	const struct endpoint *gone = &broker->endpoints[id];
	uint16_t *link = &interface_of(broker, gone)->virtual_first;

	while (*link != id)
		link = &broker->endpoints[*link].virtual_next;
	*link = gone->virtual_next;
}

/* Virtual functions go with their physical one. */
void endpoint_forget(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	while (endpoint->virtual_first != NO_ENDPOINT)
		endpoint_forget(broker, endpoint->virtual_first);
	while (endpoint->attachment_first != IOPF_NO_ID)
		attachment_remove(broker, endpoint->attachment_first);
	if (endpoint->flags & ENDPOINT_VIRTUAL) {
		interface_leave(broker, id);
	} else {
		broker->sources[endpoint->source].granted[mechanism_of(endpoint)] -=
			endpoint->allocation;
		range_give(broker, 1 + id);
	}
	map_remove(&broker->rids, rid_key(endpoint->source, endpoint->rid));
	broker->last_rid = MAP_EMPTY;
	broker->last_id = MAP_NONE;
	row_fold(row_of_endpoint(broker, id), row_of_source(broker, endpoint->source));
	endpoint->state = ENDPOINT_UNUSED;
}

/* ---- Attachments ----------------------------------------------------------------------- */

static uint64_t attachment_key(uint32_t endpoint, uint32_t pasid)
{
	return (uint64_t)endpoint << 32 | pasid;
}

uint32_t attachment_find(const struct iopf_broker *broker, uint32_t endpoint,
			 uint32_t pasid)
{
	return map_find(&broker->keys, attachment_key(endpoint, pasid));
}

static int attach_refused(const struct iopf_broker *broker, uint32_t endpoint,
			  uint32_t pasid, uint32_t owner)
{
	const struct endpoint *it = endpoint_get(broker, endpoint);
	uint32_t there = attachment_find(broker, endpoint, pasid);

	if (it == NULL || owner_get(broker, owner) == NULL)
		return -ENOENT;
	if (pasid > IOPF_PASID_MAX && pasid != IOPF_PASID_NONE && pasid != IOPF_PASID_ANY)
		return -EINVAL;
	if (it->operation == IOPF_OPERATION_REMOVE)
		return -ENODEV;
	if (there != MAP_NONE)
		return broker->attachments[there].closing ? -EBUSY : -EEXIST;
	if (operation_takes_all(it))
		return -EBUSY;
	return broker->attachment_free == IOPF_NO_ID ? -ENOSPC : 0;
}

int iopf_broker_attach(struct iopf_broker *broker, uint32_t endpoint, uint32_t pasid,
		       uint32_t owner)
{
	int refused = attach_refused(broker, endpoint, pasid, owner);
	uint32_t id = broker->attachment_free, next;
	struct attachment *added;

	if (refused != 0)
		return refused;
	added = &broker->attachments[id];
	next = broker->endpoints[endpoint].attachment_first;
	if (next != IOPF_NO_ID)
		broker->attachments[next].prev = id;
	broker->attachment_free = added->next;
	*added = (struct attachment){
		.endpoint = endpoint,
		.pasid = pasid,
		.owner = owner,
		.share = share_take(broker, endpoint, owner),
		.next = next,
		.prev = IOPF_NO_ID,
		.epoch = attachment_epoch_next(added->epoch),
	};
	broker->endpoints[endpoint].attachment_first = id;
	share_recount(broker, endpoint);
	map_add(&broker->keys, attachment_key(endpoint, pasid), id);
	record_endpoint(broker, record_last_ns(broker), IOPF_RECORD_ATTACH, endpoint, pasid,
			owner, 0);
	return 0;
}

void attachment_remove(struct iopf_broker *broker, uint32_t id)
{
	struct attachment *gone = &broker->attachments[id];
	struct endpoint *endpoint = &broker->endpoints[gone->endpoint];

	if (gone->prev != IOPF_NO_ID)
		broker->attachments[gone->prev].next = gone->next;
	else
		endpoint->attachment_first = gone->next;
	if (gone->next != IOPF_NO_ID)
		broker->attachments[gone->next].prev = gone->prev;
	partials_disown(broker, id);
	page_forget(broker, gone->endpoint, gone->pasid);
	share_give(broker, gone->share);
	share_recount(broker, gone->endpoint);
	map_remove(&broker->keys, attachment_key(gone->endpoint, gone->pasid));
	gone->endpoint = IOPF_NO_ID;
	gone->next = broker->attachment_free;
	broker->attachment_free = id;
}
