/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/broker.c - create, and who is there: sources and owners. */
#include "broker/ledger.h"

#include <errno.h>

/* ---- Memory: one block, laid out once ------------------------------------------------ */

struct layout {
	size_t broker, groups, units, retries, successes, private_data, buckets, sources,
		endpoints, limits, owners, attachments, shares, ranges, rids, keys, inboxes,
		recorder, stats, end;
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

static uint32_t slots_of(const struct iopf_broker_options *options)
{
	return options->group_max + RECENT_MAX * options->endpoint_max;
}

/* One for each attachment, and for each replacement under way. */
static uint32_t shares_of(const struct iopf_broker_options *options)
{
	return options->attachment_max + options->endpoint_max;
}

static struct layout layout_of(const struct iopf_broker_options *options)
{
	const struct iopf_broker_options *o = options;
	size_t slots = slots_of(o), end = 0;
	struct layout l;

	l.broker = place(&end, sizeof(struct iopf_broker));
	l.groups = place(&end, slots * sizeof(struct group));
	l.units = place(&end, slots * sizeof(struct unit));
	l.retries = place(&end, slots / RETRY_CREDITS * sizeof(struct memory_of_page));
	l.successes = place(&end, slots / SUCCESS_CREDITS * sizeof(struct memory_of_page));
	l.private_data = place(&end, o->private_data ? slots * 16 : 0);
	l.buckets = place(&end, o->endpoint_max * (size_t)INDEX_BUCKETS * 2);
	l.sources = place(&end, o->source_max * sizeof(struct source));
	l.endpoints = place(&end, o->endpoint_max * sizeof(struct endpoint));
	l.limits = place(&end, o->endpoint_max * sizeof(struct event_limit));
	l.owners = place(&end, o->owner_max * sizeof(struct owner));
	l.attachments = place(&end, o->attachment_max * sizeof(struct attachment));
	l.shares = place(&end, shares_of(o) * sizeof(struct share));
	l.ranges = place(&end, range_count(o) * sizeof(struct range));
	l.rids = place(&end, map_size_bytes(o->endpoint_max));
	l.keys = place(&end, map_size_bytes(o->attachment_max));
	l.inboxes = place(&end, o->owner_max * inbox_size_bytes(o->inbox_entries));
	l.recorder = place(&end, o->recorder == NULL ? RECORDER_SPARE_BYTES : 0);
	l.stats = place(&end, o->stats == NULL ? iopf_stats_size_bytes(o) : 0);
	l.end = end;
	return l;
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

	for (uint32_t i = 0; i < broker->slot_count; i++)
		broker->groups[i] = (struct group){
			.token = TOKEN(o->instance, i, o->first_generation),
			.bound = nobody,
			.ended = ENDED(IOPF_CODE_COUNT, 0),
		};
	for (uint32_t i = 0; i < o->attachment_max; i++)
		broker->attachments[i] = (struct attachment){
			.endpoint = IOPF_NO_ID,
			.next = i + 1 < o->attachment_max ? i + 1 : IOPF_NO_ID,
		};
	for (uint32_t i = 0; i < shares_of(o); i++)
		broker->shares[i].next = i + 1 < shares_of(o) ? i + 1 : IOPF_NO_ID;
	broker->attachment_free = broker->share_free = 0;
	memset(broker->ranges, 0, range_count(o) * sizeof(*broker->ranges));
	memset(broker->sources, 0, o->source_max * sizeof(*broker->sources));
	memset(broker->endpoints, 0, o->endpoint_max * sizeof(*broker->endpoints));
	memset(broker->limits, 0, o->endpoint_max * sizeof(*broker->limits));
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
		.retries = (void *)(base + l.retries),
		.successes = (void *)(base + l.successes),
		.slot_count = slots_of(options),
		.private_data = options->private_data ? (void *)(base + l.private_data) :
							NULL,
		.buckets = (void *)(base + l.buckets),
		.sources = (void *)(base + l.sources),
		.endpoints = (void *)(base + l.endpoints),
		.limits = (void *)(base + l.limits),
		.owners = (void *)(base + l.owners),
		.attachments = (void *)(base + l.attachments),
		.shares = (void *)(base + l.shares),
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
				  .room = { [IOPF_PRI] = options->usable_entries,
					    [IOPF_STALLS] = options->stall_max },
				  .free_first = NO_SLOT,
				  .leaving = no_groups };
	for (uint32_t i = options->reserve_count; i-- > 0;) {
		struct group *group = &broker->groups[broker->ranges[range].first + i];

		group->source = (uint8_t)id;
		group_never_left(group);
		group->next = added->free_first;
		added->free_first = TOKEN_SLOT(group->token);
	}
	publish(&row_of_source(broker, id)->id, options->name);
	*source = id;
	return 0;
}

/* ---- Owners ---------------------------------------------------------------------------- */

#define KNOB_ROW(name, unit, least, most, normal, text) { (least), (most) },

static const struct knob {
	uint64_t least, most;
} knobs[] = { IOPF_POLICY_KNOBS(KNOB_ROW) };
_Static_assert(sizeof(struct iopf_policy) ==
		       sizeof(knobs) / sizeof(knobs[0]) * sizeof(uint64_t),
	       "a word each, in the same order");

static bool policy_right(const struct iopf_policy *policy)
{
	const uint8_t *at = (const uint8_t *)policy;
	bool right = true;

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		uint64_t value;

		memcpy(&value, at + i * sizeof(value), sizeof(value));
		right &= value >= knobs[i].least && value <= knobs[i].most;
	}
	return right;
}

int iopf_broker_add_owner(struct iopf_broker *broker,
			  const struct iopf_owner_options *options, uint32_t *owner)
{
	uint32_t id = 0;
	struct owner *added;

	if (options->size_bytes != sizeof(*options) ||
	    options->flags & ~(uint32_t)(IOPF_OWNER_MAY_FAIL | IOPF_OWNER_HOST))
		return -EINVAL;
	if (!policy_right(&options->policy))
		return -ERANGE;
	while (id < broker->options.owner_max && broker->owners[id].used)
		id++;
	if (id == broker->options.owner_max)
		return -ENOSPC;
	added = &broker->owners[id];
	*added = (struct owner){ .row = added->row,
				 .used = true,
				 .flags = (uint8_t)options->flags,
				 .fetch_cursor = NO_SLOT,
				 .warn_cursor = NO_SLOT,
				 .open = no_groups,
				 .group = options->group,
				 .taken = options->taken,
				 .context = options->context,
				 .inbox = added->inbox };
	owner_policy(added, &options->policy);
	inbox_create(&added->inbox, broker->options.inbox_entries, added->inbox.cells);
	if (id >= broker->owner_end)
		broker->owner_end = id + 1;
	publish(&row_of_owner(broker, id)->id, options->name);
	*owner = id;
	return 0;
}

/* Promises change with a policy: on each interface that the owner shares. */
int iopf_broker_set_policy(struct iopf_broker *broker, uint32_t owner,
			   const struct iopf_policy *policy)
{
	struct owner *it = owner_get(broker, owner);

	if (it == NULL)
		return -ENOENT;
	if (!policy_right(policy))
		return -ERANGE;
	owner_policy(it, policy);
	for (uint32_t id = 0; id < broker->endpoint_end; id++)
		if (broker->endpoints[id].state != ENDPOINT_UNUSED &&
		    share_find(broker, id, owner) != IOPF_NO_ID)
			share_recount(broker, id);
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
