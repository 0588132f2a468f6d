/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/record.h - counters and the flight recorder, as every step of a group writes them. */
#ifndef BROKER_RECORD_H
#define BROKER_RECORD_H

#include "broker/broker.h"

static inline struct iopf_stats_row *row_of_endpoint(const struct iopf_broker *broker,
						     uint32_t endpoint)
{
	return broker->endpoints[endpoint].row;
}

static inline struct iopf_stats_row *row_of_owner(const struct iopf_broker *broker,
						  uint32_t owner)
{
	return broker->owners[owner].row;
}

static inline struct iopf_stats_row *row_of_source(const struct iopf_broker *broker,
						   uint32_t source)
{
	return &broker->stats->row[broker->options.endpoint_max +
				   broker->options.owner_max + source];
}

/* The row that a group's numbers go to: its endpoint's, or its source's. */
static inline struct iopf_stats_row *row_of_group(const struct iopf_broker *broker,
						  const struct group *group)
{
	uint32_t endpoint = group->bound.endpoint;

	return endpoint != NO_ENDPOINT ? row_of_endpoint(broker, endpoint) :
					 row_of_source(broker, group->source);
}

/* One writer: a plain add; relaxed, so that a reader in another thread or process sees
 * whole values. */
static inline void count_by(uint64_t *value, uint64_t by)
{
	__atomic_store_n(value, *value + by, __ATOMIC_RELAXED);
}

/* A value of a row that is no counter. */
static inline void publish(uint64_t *value, uint64_t now)
{
	__atomic_store_n(value, now, __ATOMIC_RELAXED);
}

#define COUNT(row, name) count_by(&(row)->counter[IOPF_COUNTER_##name], 1)

/* The last word of a struct iopf_record: written whole, since narrow stores that are read
 * as one word cost as much as all the rest. */
#define RECORD_WORD3(pasid, endpoint, kind, detail) \
	WORD(pasid, HALF(endpoint, PAIR(kind, detail)))
/* The same, of whoever asked. */
#define RECORD_WHO(who, kind, detail) \
	(((who) & WORD(UINT32_MAX, HALF(UINT16_MAX, 0))) | WORD(0, HALF(0, PAIR(kind, detail))))
_Static_assert(sizeof(struct iopf_record) == 32, "four words");

/* The flight recorder's writer. Each word is a release store: what overwrites an old
 * entry cannot be seen before the head that announced the entry before it. Pairs with
 * the reader: acquire loads of the words, then head again. Without a recorder there is
 * a spare one, so that nothing has to be asked here. */
static inline uint64_t *record_begin(const struct iopf_broker *broker)
{
	return (void *)&broker->records[broker->recorder->head & broker->record_mask];
}

static inline void record_word(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void record_end(const struct iopf_broker *broker)
{
	record_word(&broker->recorder->head, broker->recorder->head + 1);
}

/* The recorder as a loop has it at hand. */
struct recording {
	uint64_t (*records)[4];
	uint64_t mask, next;
	uint64_t *head;
};

static inline struct recording recording_of(const struct iopf_broker *broker)
{
	return (struct recording){ .records = (void *)broker->records,
				   .mask = broker->record_mask,
				   .next = broker->recorder->head,
				   .head = &broker->recorder->head };
}

/* A step of @group. */
static inline void record_step(struct recording *to, uint64_t ns, const struct group *group,
			       uint64_t data, unsigned kind, unsigned detail)
{
	uint64_t *words = to->records[to->next & to->mask];

	record_word(&words[0], ns);
	record_word(&words[1], group->token);
	record_word(&words[2], data);
	record_word(&words[3], RECORD_WHO(binding_who(&group->bound), kind, detail));
	record_word(to->head, ++to->next);
}

static inline void record(const struct iopf_broker *broker, uint64_t ns, unsigned kind,
			  const struct group *group, uint64_t data, unsigned detail)
{
	struct recording to = recording_of(broker);

	record_step(&to, ns, group, data, kind, detail);
}

#endif
