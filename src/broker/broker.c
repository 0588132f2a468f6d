/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/broker.c - create, and who is there: sources, endpoints, owners, attachments. */
#include "broker/ledger.h"

#include <errno.h>

/* ---- Memory: one block, laid out once ------------------------------------------------ */

struct layout {
	size_t broker, groups, units, private_data, buckets, sources, endpoints, owners,
		attachments, ranges, rids, keys, inboxes, recorder, stats, end;
};

#define RECORDER_SPARE_BYTES \
	(sizeof(struct iopf_recorder) + 2 * sizeof(struct iopf_record))

static size_t place(size_t *end, size_t size_bytes)
{
	size_t at = *end;

	*end = (at + size_bytes + BROKER_ALIGN - 1) / BROKER_ALIGN * BROKER_ALIGN;
	return at;
}

static uint32_t range_count(const struct iopf_broker_options *options)
{
	return 1 + options->endpoint_max + options->source_max;
}

static struct layout layout_of(const struct iopf_broker_options *options)
{
	const struct iopf_broker_options *o = options;
	struct layout l;
	size_t end = 0;

	l.broker = place(&end, sizeof(struct iopf_broker));
	l.groups = place(&end, o->group_max * sizeof(struct group));
	l.units = place(&end, o->group_max * sizeof(struct unit));
	l.private_data = place(&end, o->private_data ? o->group_max * (size_t)16 : 0);
	l.buckets = place(&end, o->endpoint_max * (size_t)INDEX_BUCKETS * 2);
	l.sources = place(&end, o->source_max * sizeof(struct source));
	l.endpoints = place(&end, o->endpoint_max * sizeof(struct endpoint));
	l.owners = place(&end, o->owner_max * sizeof(struct owner));
	l.attachments = place(&end, o->attachment_max * sizeof(struct attachment));
	l.ranges = place(&end, range_count(o) * sizeof(struct range));
	l.rids = place(&end, map_size_bytes(o->endpoint_max));
	l.keys = place(&end, map_size_bytes(o->attachment_max));
	l.inboxes = place(&end, o->owner_max * inbox_size_bytes(o->inbox_entries));
	l.recorder = place(&end, o->recorder == NULL ? RECORDER_SPARE_BYTES : 0);
	l.stats = place(&end, o->stats == NULL ? iopf_stats_size_bytes(o) : 0);
	l.end = end;
	return l;
}

static bool in_range(uint32_t value, uint32_t low, uint32_t last)
{
	return value >= low && value <= last;
}

static bool options_right(const struct iopf_broker_options *o)
{
	return o->size_bytes == sizeof(*o) && in_range(o->instance, 1, 1023) &&
	       in_range(o->source_max, 1, 255) && in_range(o->endpoint_max, 1, 65535) &&
	       in_range(o->owner_max, 1, 65535) &&
	       in_range(o->attachment_max, 1, 1048576) &&
	       in_range(o->group_max, 1, 2097152) && o->inbox_entries <= 65536 &&
	       (o->inbox_entries & (o->inbox_entries - 1)) == 0 &&
	       o->first_generation != UINT32_MAX;
}

size_t iopf_stats_size_bytes(const struct iopf_broker_options *options)
{
	if (!options_right(options))
		return 0;
	return sizeof(struct iopf_stats_page) +
	       ((size_t)options->endpoint_max + options->owner_max +
		options->source_max) *
		       sizeof(struct iopf_stats_row);
}

size_t iopf_broker_size_bytes(const struct iopf_broker_options *options)
{
	return options_right(options) ? layout_of(options).end : 0;
}

static void stats_create(struct iopf_broker *broker)
{
	const struct iopf_broker_options *o = &broker->options;

	memset(broker->stats, 0, iopf_stats_size_bytes(o));
	*broker->stats = (struct iopf_stats_page){
		.magic = IOPF_STATS_MAGIC,
		.row_size_bytes = sizeof(struct iopf_stats_row),
		.counter_count = IOPF_COUNTER_COUNT,
		.gauge_count = IOPF_GAUGE_COUNT,
		.endpoint_max = o->endpoint_max,
		.owner_max = o->owner_max,
		.source_max = o->source_max,
	};
}

static void tables_create(struct iopf_broker *broker)
{
	const struct iopf_broker_options *o = &broker->options;

	for (uint32_t i = 0; i < o->group_max; i++)
		broker->groups[i] = (struct group){
			.token = TOKEN(o->instance, i, o->first_generation),
			.bound = nobody,
		};
	for (uint32_t i = 0; i < o->attachment_max; i++)
		broker->attachments[i] = (struct attachment){
			.endpoint = IOPF_NO_ID,
			.next = i + 1 < o->attachment_max ? i + 1 : IOPF_NO_ID,
		};
	broker->attachment_free = 0;
	memset(broker->ranges, 0, range_count(o) * sizeof(*broker->ranges));
	memset(broker->sources, 0, o->source_max * sizeof(*broker->sources));
	memset(broker->endpoints, 0, o->endpoint_max * sizeof(*broker->endpoints));
	memset(broker->owners, 0, o->owner_max * sizeof(*broker->owners));
	for (uint32_t i = 0; i < o->endpoint_max; i++)
		broker->endpoints[i].row = &broker->stats->row[i];
	for (uint32_t i = 0; i < o->owner_max; i++)
		broker->owners[i].row = &broker->stats->row[o->endpoint_max + i];
}

static void recorder_open(struct iopf_broker *broker, void *spare)
{
	struct iopf_recorder *recorder = broker->options.recorder;

	if (recorder == NULL)
		recorder = iopf_recorder_create(spare, RECORDER_SPARE_BYTES);
	assert(recorder != NULL); /* the spare is aligned and large enough */
	broker->recorder = recorder;
	broker->records = recorder->entry;
	broker->record_mask = recorder->entry_count - 1;
}

int iopf_broker_create(const struct iopf_broker_options *options, void *memory,
		       size_t memory_bytes, struct iopf_broker **out)
{
	uint8_t *base = memory;
	struct iopf_broker *broker = memory;
	struct layout l;

	if (!options_right(options) || (uintptr_t)memory % BROKER_ALIGN != 0)
		return -EINVAL;
	l = layout_of(options);
	if (memory_bytes < l.end)
		return -ENOSPC;
	*broker = (struct iopf_broker){
		.options = *options,
		.stats = options->stats != NULL ? options->stats :
						  (void *)(base + l.stats),
		.groups = (void *)(base + l.groups),
		.units = (void *)(base + l.units),
		.private_data = options->private_data ? (void *)(base + l.private_data) :
							NULL,
		.buckets = (void *)(base + l.buckets),
		.sources = (void *)(base + l.sources),
		.endpoints = (void *)(base + l.endpoints),
		.owners = (void *)(base + l.owners),
		.attachments = (void *)(base + l.attachments),
		.ranges = (void *)(base + l.ranges),
	};
	map_create(&broker->rids, options->endpoint_max, base + l.rids);
	broker->last_rid = MAP_EMPTY;
	broker->last_id = MAP_NONE;
	map_create(&broker->keys, options->attachment_max, base + l.keys);
	tables_create(broker);
	stats_create(broker);
	for (uint32_t i = 0; i < options->owner_max; i++)
		inbox_create(&broker->owners[i].inbox, options->inbox_entries,
			     base + l.inboxes +
				     i * inbox_size_bytes(options->inbox_entries));
	recorder_open(broker, base + l.recorder);
	*out = broker;
	return 0;
}

void iopf_broker_destroy(struct iopf_broker *broker)
{
	broker->options.event = NULL;
}

const struct iopf_stats_page *iopf_broker_stats(const struct iopf_broker *broker)
{
	return broker->stats;
}

struct iopf_recorder *iopf_recorder_create(void *memory, size_t size_bytes)
{
	struct iopf_recorder *recorder = memory;
	uint32_t entries = 2;

	if ((uintptr_t)memory % BROKER_ALIGN != 0 ||
	    size_bytes < sizeof(*recorder) + entries * sizeof(struct iopf_record))
		return NULL;
	while (entries < UINT32_C(1) << 30 &&
	       sizeof(*recorder) + 2 * (uint64_t)entries * sizeof(struct iopf_record) <=
		       size_bytes)
		entries *= 2;
	memset(memory, 0, sizeof(*recorder) + entries * sizeof(struct iopf_record));
	recorder->magic = IOPF_RECORDER_MAGIC;
	recorder->record_size_bytes = sizeof(struct iopf_record);
	recorder->entry_count = entries;
	return recorder;
}

/* ---- Sources --------------------------------------------------------------------------- */

static const struct list no_groups = { .first = NO_SLOT, .last = NO_SLOT };

int iopf_broker_add_source(struct iopf_broker *broker,
			   const struct iopf_source_options *options, uint32_t *source)
{
	uint32_t id = 0, range;
	struct source *added;

	if (options->size_bytes != sizeof(*options) ||
	    !in_range(options->reserve_count, 1, 4096))
		return -EINVAL;
	while (id < broker->options.source_max && broker->sources[id].used)
		id++;
	range = 1 + broker->options.endpoint_max + id;
	if (id == broker->options.source_max ||
	    !range_take(broker, range, options->reserve_count))
		return -ENOSPC;
	added = &broker->sources[id];
	*added = (struct source){ .used = true,
				  .usable_entries = options->usable_entries,
				  .free_first = NO_SLOT,
				  .leaving = no_groups };
	for (uint32_t i = options->reserve_count; i-- > 0;) {
		struct group *group = &broker->groups[broker->ranges[range].first + i];

		group->source = (uint8_t)id;
		group->next = added->free_first;
		added->free_first = TOKEN_SLOT(group->token);
	}
	publish(&row_of_source(broker, id)->id, options->name);
	*source = id;
	return 0;
}

/* ---- Owners ---------------------------------------------------------------------------- */

int iopf_broker_add_owner(struct iopf_broker *broker,
			  const struct iopf_owner_options *options, uint32_t *owner)
{
	uint32_t id = 0;
	struct owner *added;

	if (options->size_bytes != sizeof(*options) ||
	    options->flags & ~(uint32_t)IOPF_OWNER_MAY_FAIL)
		return -EINVAL;
	while (id < broker->options.owner_max && broker->owners[id].used)
		id++;
	if (id == broker->options.owner_max)
		return -ENOSPC;
	added = &broker->owners[id];
	*added = (struct owner){ .row = added->row,
				 .used = true,
				 .deadline_answers = options->policy.deadline_answers,
				 .flags = options->flags,
				 .fetch_cursor = NO_SLOT,
				 .warn_cursor = NO_SLOT,
				 .open = no_groups,
				 .deadline_ns = options->policy.deadline_ns,
				 .group = options->group,
				 .taken = options->taken,
				 .context = options->context,
				 .inbox = added->inbox };
	inbox_create(&added->inbox, broker->options.inbox_entries, added->inbox.cells);
	if (id >= broker->owner_end)
		broker->owner_end = id + 1;
	publish(&row_of_owner(broker, id)->id, options->name);
	*owner = id;
	return 0;
}

int iopf_broker_remove_owner(struct iopf_broker *broker, uint32_t owner)
{
	struct owner *gone = owner_get(broker, owner);

	if (gone == NULL)
		return -ENOENT;
	if (gone->attachments > 0 || gone->open.first != NO_SLOT)
		return -EBUSY;
	gone->used = false;
	return 0;
}

int iopf_broker_pause_owner(struct iopf_broker *broker, uint32_t owner, bool paused,
			    uint64_t now_ns)
{
	struct owner *it = owner_get(broker, owner);

	if (it == NULL)
		return -ENOENT;
	if (paused && !it->paused)
		it->paused_at_ns = now_ns;
	if (!paused && it->paused)
		it->paused_total_ns += now_ns - it->paused_at_ns;
	it->paused = paused;
	return 0;
}

/* ---- Endpoints ------------------------------------------------------------------------- */

static uint64_t rid_key(uint32_t source, uint32_t rid)
{
	return (uint64_t)source << 32 | rid;
}

/* Storage for the whole allocation: nothing can be short of it later (no -ENOMEM on the
 * way of a fault). */
static void endpoint_storage(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = &broker->endpoints[id];
	const struct range *range = &broker->ranges[1 + id];

	endpoint->bucket = broker->buckets + (size_t)id * INDEX_BUCKETS;
	memset(endpoint->bucket, 0, INDEX_BUCKETS * sizeof(*endpoint->bucket));
	endpoint->units = broker->units + range->first;
	endpoint->slot_first = range->first;
	endpoint->free = no_groups;
	endpoint->unit_free = 1;
	for (uint32_t i = 0; i < range->count; i++) {
		struct group *group = &broker->groups[range->first + i];

		group->bound.endpoint = (uint16_t)id;
		group->source = endpoint->source;
		endpoint->units[i].next =
			i + 1 == range->count ? 0 : (uint16_t)(i + 2);
		slot_free(broker->groups, endpoint, range->first + i);
	}
}

static int endpoint_refused(const struct iopf_broker *broker,
			    const struct iopf_endpoint_options *options)
{
	const struct source *source = source_get(broker, options->source);

	if (options->size_bytes != sizeof(*options) ||
	    !in_range(options->allocation, 1, 65535))
		return -EINVAL;
	if (source == NULL)
		return -ENOENT;
	if (map_find(&broker->rids, rid_key(options->source, options->rid)) != MAP_NONE)
		return -EEXIST;
	if (source->usable_entries != 0 &&
	    options->allocation > source->usable_entries - source->granted)
		return -ENOSPC;
	return 0;
}

int iopf_broker_add_endpoint(struct iopf_broker *broker,
			     const struct iopf_endpoint_options *options,
			     uint32_t *endpoint)
{
	uint32_t id = 0;
	int refused = endpoint_refused(broker, options);

	if (refused != 0)
		return refused;
	/* Ids are used in turn; only a full table is searched. */
	if (broker->endpoint_end < broker->options.endpoint_max)
		id = broker->endpoint_end;
	while (id < broker->options.endpoint_max && endpoint_get(broker, id) != NULL)
		id++;
	if (id == broker->options.endpoint_max ||
	    !range_take(broker, 1 + id, options->allocation))
		return -ENOSPC;
	if (id >= broker->endpoint_end)
		broker->endpoint_end = id + 1;
	broker->endpoints[id] = (struct endpoint){
		.row = broker->endpoints[id].row,
		.usual = { .pasid = PASID_NOBODY },
		.rid = options->rid,
		.allocation = (uint16_t)options->allocation,
		.epoch = (uint16_t)(broker->endpoints[id].epoch + 1),
		.source = (uint8_t)options->source,
		.state = ENDPOINT_ON,
		.pasid_in_response = options->pasid_in_response,
		.detaching = IOPF_NO_ID,
		.attachment_first = IOPF_NO_ID,
		.partial = no_groups,
	};
	endpoint_storage(broker, id);
	broker->sources[options->source].granted += options->allocation;
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
		count(&into->counter[i], row->counter[i]);
		count(&row->counter[i], -row->counter[i]);
	}
}

void endpoint_forget(struct iopf_broker *broker, uint32_t id)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	while (endpoint->attachment_first != IOPF_NO_ID)
		attachment_remove(broker, endpoint->attachment_first);
	map_remove(&broker->rids, rid_key(endpoint->source, endpoint->rid));
	broker->last_rid = MAP_EMPTY;
	broker->last_id = MAP_NONE;
	broker->sources[endpoint->source].granted -= endpoint->allocation;
	range_give(broker, 1 + id);
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
		.next = next,
		.prev = IOPF_NO_ID,
		.epoch = (uint16_t)(added->epoch + 1),
	};
	broker->endpoints[endpoint].attachment_first = id;
	broker->endpoints[endpoint].usual.pasid = PASID_NOBODY;
	broker->owners[owner].attachments++;
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
	broker->owners[gone->owner].attachments--;
	map_remove(&broker->keys, attachment_key(gone->endpoint, gone->pasid));
	gone->endpoint = IOPF_NO_ID;
	gone->next = broker->attachment_free;
	broker->attachment_free = id;
}

int iopf_broker_set_policy(struct iopf_broker *broker, uint32_t owner,
			   const struct iopf_policy *policy)
{
	struct owner *it = owner_get(broker, owner);

	if (it == NULL)
		return -ENOENT;
	it->deadline_ns = policy->deadline_ns;
	it->deadline_answers = policy->deadline_answers;
	return 0;
}
