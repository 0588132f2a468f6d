/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/broker.h - the ledger and what stands around it.
 *
 *   FREE ----> PARTIAL ----> READY ----> DELIVERED
 *    ^ \          |  \         |             |
 *    |  \_________|___\________|___________  |
 *    |            |    \       |           \ |
 *    |            |     \      v            vv
 *    |____________|      \-----------> LEAVING
 *    |____________________________________|
 *
 *   FREE      -> PARTIAL    [intake]   a request that is not last
 *   FREE      -> READY      [intake]   first and last at once
 *   FREE      -> LEAVING    [intake]   a last that nobody can be given
 *   PARTIAL   -> READY      [intake]   its last came
 *   PARTIAL   -> LEAVING    [intake]   its last came, and nobody can be given it
 *   PARTIAL   -> FREE       [drop]     overflow, stop marker, reset: nothing is owed
 *   READY     -> DELIVERED  [fetch]
 *   READY     -> LEAVING    [end]      the host ends it under a named reason
 *   DELIVERED -> LEAVING    [answer, end]
 *   READY, DELIVERED, LEAVING -> FREE [forget]  reset, removal, failure: no response
 *   LEAVING   -> FREE       [respond]  the response is out of the ledger
 *
 *   A partial whose attachment is closed stays: its function counts the credits, and its
 *   last, when it comes, gets invalid. It is known by its epochs.
 *
 *   PARTIAL    on its endpoint's list; has no token anybody knows; nothing can answer it
 *   READY      on its owner's list, behind the fetch cursor; opened_ns is set
 *   DELIVERED  on its owner's list, before the cursor; the owner knows the token
 *   LEAVING    on its source's list; code and ending are set; nothing changes them but
 *              a reset, a removal or a response failure
 *   FREE       keeps generation, owner and ending: what a late answer is measured by
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <string.h>

#include "base/map.h"
#include "iopf/iopf.h"

/* Off an ordinary fault's way. */
#define COLD __attribute__((cold, noinline))
/* On it, though there is a second caller off it. */
#define INLINE static inline __attribute__((always_inline))

enum broker_limits {
	BROKER_ALIGN = 64,
	INDEX_BUCKETS = 512,       /* PRG indices are 9 bits: one bucket each */
	PRI_INDEX_MAX = 511,
	DRAIN_ROUNDS_MAX = 64,     /* drains that met an overflow */
	STOPPED_ROUNDS_MAX = 4096, /* looks at a function that does not stop */
	RESPOND_ROUNDS_MAX = 4096, /* looks at a command queue that stays full */
	EVENTS_PER_WINDOW = 16,
};
#define EVENT_WINDOW_NS UINT64_C(1000000000)
#define NO_SLOT         UINT32_MAX
#define NO_ENDPOINT     UINT16_MAX
#define NO_OWNER        UINT16_MAX
#define PASID_NOBODY    (IOPF_PASID_ANY - 1) /* no request has it */

/* Token: instance 10 bits, slot 22 bits, generation 32 bits (never 0). */
#define TOKEN(instance, slot, generation) \
	((uint64_t)(instance) << 54 | (uint64_t)(slot) << 32 | (generation))
#define TOKEN_INSTANCE(token)   ((uint32_t)((token) >> 54))
#define TOKEN_SLOT(token)       ((uint32_t)((token) >> 32) & 0x3fffff)
#define TOKEN_GENERATION(token) ((uint32_t)(token))

enum group_flag {
	GROUP_RESERVE = 1, /* its slot belongs to the source, not to its endpoint */
	GROUP_STALL = IOPF_STALL,
	GROUP_PRIVATE = IOPF_PRIVATE,
	GROUP_UNSEEN = 16, /* it ended, and nobody was shown its token */
	GROUP_WARNED = 32, /* its age was told */
	GROUP_BROKEN = 64, /* one of its requests breaks a rule: invalid at its last */
};

/* Whose a group is, and of when: settled by its first request. */
struct binding {
	union {
		uint32_t attachment; /* or IOPF_NO_ID */
		uint32_t rid;        /* where there is no endpoint */
	};
	uint16_t attachment_epoch;
	uint16_t owner; /* or NO_OWNER */
	uint32_t pasid;
	uint16_t endpoint; /* or NO_ENDPOINT: the rid was unknown */
	uint16_t endpoint_epoch;
};

/* A slot of the ledger: one cache line. */
struct group {
	uint64_t token;     /* FREE: of its last use */
	uint64_t opened_ns; /* on its owner's clock */
	uint64_t addr;      /* of the first request */
	struct binding bound;
	uint32_t next, prev; /* in the list of its state */
	uint16_t request_count;
	uint16_t unit_first, unit_last; /* further requests: units of the endpoint, + 1 */
	uint16_t same_bucket; /* next group in this index bucket: slot, + 1 */
	uint16_t index;
	uint8_t state; /* enum iopf_group_state */
	uint8_t flags;
	uint8_t perm; /* of the first request */
	uint8_t ended; /* ENDED(code, ending) */
	uint8_t source;
	uint8_t rsvd;
};
_Static_assert(sizeof(struct group) == 64, "a group is one cache line");

/* How a group ended, as a record has it. */
#define ENDED(code, ending)   ((unsigned)(code) << 4 | (unsigned)(ending))
#define ENDED_CODE(ended)     ((unsigned)(ended) >> 4)
#define ENDED_ENDING(ended)   ((unsigned)(ended) & 15)
_Static_assert(IOPF_CODE_COUNT <= 16 && IOPF_ENDING_COUNT <= 16, "four bits each");

/* A further request of a group. */
struct unit {
	uint64_t addr;
	uint16_t next; /* unit of the endpoint, + 1 */
	uint8_t perm;
	uint8_t rsvd[5];
};
_Static_assert(sizeof(struct unit) == 16, "16 bytes a unit of allocation");

struct list {
	uint32_t first, last;
};

/* At most EVENTS_PER_WINDOW events a window of each endpoint, owner and source. */
struct event_limit {
	uint64_t window_ns;
	uint32_t suppressed;
	uint32_t count;
};

/* A run of slots that belongs to an endpoint or to a source's reserve. */
struct range {
	uint32_t first, count;
	uint32_t next, prev; /* ranges by first; 0 is the list's head */
};

struct source {
	bool used;
	uint8_t rsvd[3];
	uint32_t usable_entries; /* 0: not bounded here */
	uint32_t granted;
	uint32_t free_first; /* reserve slots, linked by next */
	struct list leaving;
	struct event_limit limit;
};

enum endpoint_state {
	ENDPOINT_UNUSED,
	ENDPOINT_ON,
	ENDPOINT_OFF,    /* paging is off: disabled, or reset and not enabled again */
	ENDPOINT_FAILED, /* RF seen, or it did not stop: restart or reset */
	ENDPOINT_STATE_COUNT
};

/* The stages of a group's way, in the order in which it passes them. */
enum stage { STAGE_READY, STAGE_DELIVERED, STAGE_LEAVING, STAGE_FREE, STAGE_COUNT };

/* Two cache lines: what every fault needs, and the rest. */
struct endpoint {
	_Alignas(BROKER_ALIGN) struct iopf_stats_row *row;
	uint16_t *bucket;    /* by PRG index or tag: first group's slot, + 1 */
	uint32_t slot_first;
	struct list free;    /* slots, oldest first */
	struct binding usual; /* of requests that take the short way; PASID_NOBODY: none */
	uint32_t passed[STAGE_COUNT]; /* groups that reached a stage, or left it out */
	uint16_t allocation; /* slots, units and credits */
	uint16_t credits;    /* in use */
	uint16_t epoch;
	bool pasid_in_response;
	uint8_t source;

	uint8_t state; /* enum endpoint_state */
	uint8_t operation; /* enum iopf_operation_kind */
	uint8_t plan_at;   /* the step of its plan that is to be done */
	bool restart_wanted; /* an operation is under way; this one comes next */
	uint16_t rounds, stopped_rounds; /* of that step */
	uint16_t partials;
	uint16_t unit_free;  /* unit + 1, linked by next */
	uint32_t rid;
	uint32_t detaching; /* attachment */
	uint32_t attachment_first; /* linked by attachment.next */
	struct list partial;
	struct unit *units;  /* as many as slots */
	struct event_limit limit;
};

_Static_assert(sizeof(void *) < 8 || sizeof(struct endpoint) == 128, "two cache lines");

struct inbox_cell {
	uint64_t sequence;
	uint64_t token;
	uint64_t code;
};

/* Answers from other threads: many producers, the broker's thread consumes. */
struct inbox {
	struct inbox_cell *cells;
	uint64_t tail; /* producers */
	uint64_t head; /* the broker */
};

struct owner {
	_Alignas(BROKER_ALIGN) struct iopf_stats_row *row;
	bool used;
	bool paused;
	bool deadline_answers;
	uint8_t rsvd;
	uint32_t flags;
	uint32_t attachments;
	uint32_t fetch_cursor; /* the oldest READY group */
	uint32_t warn_cursor;  /* the oldest group whose age was not told */
	struct list open;      /* READY and DELIVERED, oldest first */
	uint64_t deadline_ns;
	uint64_t paused_at_ns, paused_total_ns;
	void (*group)(void *context, const struct iopf_group *group);
	void (*taken)(void *context, uint64_t token, enum iopf_ending ending);
	void *context;
	struct inbox inbox;
	struct event_limit limit;
};

struct attachment {
	uint32_t endpoint; /* IOPF_NO_ID: unused */
	uint32_t pasid;
	uint32_t owner;
	uint32_t next, prev; /* of the endpoint's; next also of the free ones */
	uint16_t epoch;
	bool closing;
	uint8_t rsvd;
};

struct iopf_broker {
	struct iopf_broker_options options;
	struct iopf_recorder *recorder; /* always one */
	struct iopf_record *records;    /* its entries, and how many, less one: */
	uint64_t record_mask;           /* taken once, whatever a reader may write there */
	struct iopf_stats_page *stats;
	struct group *groups;
	struct unit *units;
	uint64_t (*private_data)[2]; /* by slot; NULL: not kept */
	uint16_t *buckets;
	struct source *sources;
	struct endpoint *endpoints;
	struct owner *owners;
	struct attachment *attachments;
	struct range *ranges; /* head, endpoints, sources */
	struct map rids;      /* source << 32 | rid -> endpoint */
	uint64_t last_rid;    /* the key that was found last, or MAP_EMPTY, */
	uint32_t last_id;     /* and its endpoint: functions ask in bursts */
	struct map keys;      /* endpoint << 32 | pasid -> attachment */
	uint32_t attachment_free;
	uint32_t range_rover;
	uint32_t owner_turn; /* round robin of polls */
	uint32_t owner_end;  /* owners at or above were never used */
	uint32_t endpoint_end;
	uint32_t gauge_turn; /* round robin of published gauges */
};

/* ---- ledger.c: slots, ranges, endings ------------------------------------------------ */

bool range_take(struct iopf_broker *broker, uint32_t range, uint32_t count);
void range_give(struct iopf_broker *broker, uint32_t range);

/* A reserve slot of @source for a last of @endpoint (or NO_ENDPOINT), or NO_SLOT: all
 * are leaving. */
uint32_t group_open_reserve(struct iopf_broker *broker, uint32_t source,
			    uint16_t endpoint, const struct iopf_request *request);
/* Add a further request; the endpoint has a credit left. */
void group_append(struct iopf_broker *broker, struct group *group,
		  const struct iopf_request *request);
/* To its source's list with @code, wherever it was. */
void group_leave(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
		 enum iopf_ending ending);
/* The host ends an open group under @ending; its owner is told if it was shown it. */
void group_end(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
	       enum iopf_ending ending, uint64_t now_ns);
/* A LEAVING group of a source's reserve is FREE again. */
void reserve_free(struct iopf_broker *broker, struct group *group);
/* Without a response. PARTIAL: dropped, credits lost. LEAVING: already off its line. */
void group_forget(struct iopf_broker *broker, uint32_t slot, enum iopf_ending ending,
		  uint64_t now_ns);
/* Every group of @endpoint that waits to leave through @source: one walk over all. */
void leaving_forget(struct iopf_broker *broker, uint32_t source, uint32_t endpoint,
		    enum iopf_ending ending, uint64_t now_ns);

static inline uint32_t group_rid(const struct iopf_broker *broker,
				 const struct group *group)
{
	uint32_t endpoint = group->bound.endpoint;

	return endpoint != NO_ENDPOINT ? broker->endpoints[endpoint].rid : group->bound.rid;
}

/* An owner's clock stands still while it is paused. */
static inline uint64_t owner_clock(const struct owner *owner, uint64_t now_ns)
{
	return (owner->paused ? owner->paused_at_ns : now_ns) - owner->paused_total_ns;
}

/* ---- operation.c -------------------------------------------------------------------- */

/* Whether what @endpoint asks now is of the epoch that its operation ends: from the PRI
 * reset on it is new. */
bool operation_closes(const struct endpoint *endpoint);
/* Begin an operation of the broker's own accord: an index was used again while open. */
void operation_restart(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);

/* ---- broker.c ------------------------------------------------------------------------ */

static inline struct endpoint *endpoint_get(const struct iopf_broker *broker,
					    uint32_t endpoint)
{
	return endpoint < broker->options.endpoint_max &&
			       broker->endpoints[endpoint].state != ENDPOINT_UNUSED ?
		       &broker->endpoints[endpoint] :
		       NULL;
}

static inline struct owner *owner_get(const struct iopf_broker *broker, uint32_t owner)
{
	return owner < broker->options.owner_max && broker->owners[owner].used ?
		       &broker->owners[owner] :
		       NULL;
}

static inline struct source *source_get(const struct iopf_broker *broker, uint32_t source)
{
	return source < broker->options.source_max && broker->sources[source].used ?
		       &broker->sources[source] :
		       NULL;
}

uint32_t attachment_find(const struct iopf_broker *broker, uint32_t endpoint,
			 uint32_t pasid);
void attachment_remove(struct iopf_broker *broker, uint32_t attachment);
void endpoint_forget(struct iopf_broker *broker, uint32_t endpoint);

/* The attachment that a group was bound to, if that still stands: NULL for groups of a
 * closed one, whatever its place in the table is used for now. */
static inline struct attachment *attachment_of_group(const struct iopf_broker *broker,
						     const struct group *group)
{
	struct attachment *attachment;

	if (group->bound.attachment == IOPF_NO_ID)
		return NULL;
	attachment = &broker->attachments[group->bound.attachment];
	return attachment->epoch == group->bound.attachment_epoch ? attachment : NULL;
}

/* ---- inbox.c -------------------------------------------------------------------------- */

size_t inbox_size_bytes(uint32_t entries);
void inbox_create(struct inbox *inbox, uint32_t entries, void *memory);
bool inbox_put(struct inbox *inbox, uint32_t entries, uint64_t token, uint64_t code);
bool inbox_take(struct inbox *inbox, uint32_t entries, uint64_t *token, uint64_t *code);

/* ---- tell.c: counters, recorder, events ----------------------------------------------- */

/* Tells and records it, unless there were too many: no tenant can fill the recorder with
 * what it does wrong. */
void tell(struct iopf_broker *broker, struct iopf_event event, uint64_t now_ns);
/* A step of an endpoint. */
void record_endpoint(struct iopf_broker *broker, uint64_t ns, uint8_t kind,
		     uint32_t endpoint, uint32_t pasid, uint64_t data, uint8_t detail);
/* The time of the last step, for calls that know none. */
uint64_t record_last_ns(const struct iopf_broker *broker);

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
static inline void count(uint64_t *value, uint64_t by)
{
	__atomic_store_n(value, *value + by, __ATOMIC_RELAXED);
}

/* A value of a row that is no counter. */
static inline void publish(uint64_t *value, uint64_t now)
{
	__atomic_store_n(value, now, __ATOMIC_RELAXED);
}

#define COUNT(row, name) count(&(row)->counter[IOPF_COUNTER_##name], 1)

/* The last word of a struct iopf_record, as its fields lie in memory: written whole,
 * since narrow stores that are read as one word cost as much as all the rest. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define RECORD_WORD3(pasid, endpoint, kind, detail)                                   \
	((uint64_t)(pasid) << 32 | (uint64_t)(endpoint) << 16 | (uint64_t)(kind) << 8 | \
	 (detail))
#else
#define RECORD_WORD3(pasid, endpoint, kind, detail)                                   \
	((uint64_t)((unsigned)(detail) << 8 | (kind)) << 48 |                           \
	 (uint64_t)(endpoint) << 32 | (pasid))
#endif
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

/* A step of a group. */
static inline void record(const struct iopf_broker *broker, uint64_t ns, uint8_t kind,
			  const struct group *group, uint64_t data, uint8_t detail)
{
	uint64_t *words = record_begin(broker);

	record_word(&words[0], ns);
	record_word(&words[1], group->token);
	record_word(&words[2], data);
	record_word(&words[3], RECORD_WORD3(group->bound.pasid, group->bound.endpoint, kind,
					    detail));
	record_end(broker);
}

#endif
