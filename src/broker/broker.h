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
	ALLOCATION_MAX = 65527, /* slots, + 1, are 16 bits */
	DRAIN_ROUNDS_MAX = 64,     /* drains that met an overflow */
	STOPPED_ROUNDS_MAX = 4096, /* looks at a function that does not stop */
	RESPOND_ROUNDS_MAX = 4096, /* looks at a command queue that stays full */
	BLOCK_ROUNDS_MAX = 4096,   /* the same, for commands of the IOMMU */
	EVENTS_PER_WINDOW = 16,
	RECENT_MAX = 8, /* spare slots of each interface: what left last is never used again
			 * before so many others have left */
	RETRY_CREDITS = 2,   /* credits for each page that is told to try again */
	SUCCESS_CREDITS = 8, /* and for each page whose success is remembered */
	RETRY_WAYS = 4,
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
	GROUP_HELD = 2,    /* counted as its owner's: READY and DELIVERED ones always are */
	GROUP_STALL = IOPF_STALL,
	GROUP_PRIVATE = IOPF_PRIVATE,
	GROUP_UNSEEN = 16, /* it ended, and nobody was shown its token */
};
_Static_assert(GROUP_STALL == 4, "mechanism_of()");

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

/* PASID, endpoint and its epoch: who asks. */
static inline uint64_t binding_who(const struct binding *bound)
{
	uint64_t who;

	memcpy(&who, &bound->pasid, sizeof(who));
	return who;
}
_Static_assert(sizeof(struct binding) == 16 && offsetof(struct binding, pasid) == 8,
	       "two words");

/* A slot of the ledger: one cache line. What is stored together is one word: stores are
 * what a fault costs. */
struct group {
	uint64_t token;     /* FREE: of its last use */
	uint64_t opened_ns; /* on its owner's clock; FREE: when its response left */
	uint64_t addr;      /* of the first request */
	struct binding bound;
	uint32_t next, prev; /* in the list of its state */
	union {
		struct {
			uint16_t request_count;
			uint16_t unit_first, unit_last; /* further requests: units of
							 * the endpoint, + 1 */
			uint16_t same_bucket; /* next in this index bucket: slot, + 1 */
		};
		uint64_t links;
	};
	union {
		struct {
			uint16_t index;
			uint8_t state; /* enum iopf_group_state */
			uint8_t flags;
			uint8_t perm;   /* of the first request */
			uint8_t ended;  /* ENDED(code, ending) */
			uint8_t doomed; /* the ending that waits for its last; 0: none */
			uint8_t source;
		};
		uint64_t marks;
	};
};
_Static_assert(sizeof(struct group) == 64, "a group is one cache line");

/* Eight bytes as their fields lie in memory: quarters of 16 bits, each perhaps a pair of
 * bytes, or halves of 32. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PAIR(first, last)      ((unsigned)(first) << 8 | (unsigned)(last))
#define HALF(first, last)      ((uint32_t)(first) << 16 | (uint32_t)(last))
#define WORD(first, last)      ((uint64_t)(first) << 32 | (uint64_t)(last))
#else
#define PAIR(first, last)      ((unsigned)(last) << 8 | (unsigned)(first))
#define HALF(first, last)      ((uint32_t)(last) << 16 | (uint32_t)(first))
#define WORD(first, last)      ((uint64_t)(last) << 32 | (uint64_t)(first))
#endif
#define MARKS(index, state, flags, perm, ended, source)         \
	WORD(HALF(index, PAIR(state, flags)), \
	     HALF(PAIR(perm, ended), PAIR(0, source)))

/* How a group ended, as a record has it. */
#define ENDED(code, ending)   ((unsigned)(code) << 4 | (unsigned)(ending))
#define ENDED_CODE(ended)     ((unsigned)(ended) >> 4)
#define ENDED_ENDING(ended)   ((unsigned)(ended) & 15)
_Static_assert(IOPF_CODE_COUNT < 15 && IOPF_ENDING_COUNT < 15, "four bits each");

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
static const struct list no_groups = { .first = NO_SLOT, .last = NO_SLOT };

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
	uint32_t room[2], granted[2]; /* by mechanism; room 0: not bounded here */
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

enum endpoint_flag {
	ENDPOINT_PASID = 1,   /* PRG Response PASID Required */
	ENDPOINT_STREAM = 2,  /* it stalls */
	ENDPOINT_VIRTUAL = 4, /* its slots and credits are those of its physical function */
	ENDPOINT_SHARED = 8,  /* more than one tenant behind its interface */
	ENDPOINT_DESCRIPTOR = 16, /* a kernel's descriptor stands before its interface */
};

/* What an endpoint has now: four counts in one word, so that a group's step is one
 * store. Groups in reserve slots are counted beside it. */
enum now_count { NOW_CREDITS = 0, NOW_READY = 16, NOW_DELIVERED = 32, NOW_LEAVING = 48 };
#define NOW_ONE(count)        (UINT64_C(1) << NOW_##count)
#define NOW_OF(now, count)    ((uint32_t)((now) >> NOW_##count) & 0xffff)

/*
 * Two cache lines: what every fault needs, and the rest.
 *
 * An interface is what has credits, slots and units: an endpoint, and the virtual
 * functions that use the interface of their physical one. Its slots lie together,
 * RECENT_MAX more than it has credits.
 */
struct endpoint {
	_Alignas(BROKER_ALIGN) struct iopf_stats_row *row;
	uint16_t *bucket;    /* by PRG index or tag: first group's slot, + 1 */
	struct binding usual; /* of requests that take the short way; PASID_NOBODY: none */
	uint64_t now;
	struct list free;    /* slots, oldest first */
	uint32_t slot_first;
	uint32_t rid;
	uint16_t ceiling;    /* credits that are not in use by virtual functions */
	uint16_t allocation; /* credits, units, stall slots */
	uint16_t epoch;
	uint8_t flags;       /* enum endpoint_flag */
	uint8_t source;

	uint8_t state; /* enum endpoint_state */
	uint8_t operation; /* enum iopf_operation_kind */
	uint8_t plan; /* enum plan, and */
	uint8_t plan_at;   /* the step of it that is to be done */
	bool restart_wanted; /* an operation is under way; this one comes next */
	uint8_t rsvd;
	uint16_t rounds, stopped_rounds; /* of that step */
	uint16_t partials;
	uint16_t unit_free;  /* unit + 1, linked by next */
	uint16_t rejected;   /* groups of it in reserve slots */
	uint16_t physical;   /* whose interface it uses; mostly its own */
	uint16_t virtual_first, virtual_next; /* of one interface; NO_ENDPOINT */
	uint32_t detaching; /* attachment */
	uint32_t successor; /* share of the owner that gets it, or IOPF_NO_ID */
	uint32_t attachment_first; /* linked by attachment.next */
	uint32_t share_first; /* of the interface, linked by share.next */
	uint32_t reserved;    /* credits promised to owners that do not use them now */
	struct list partial;
	struct unit *units;
};
_Static_assert(sizeof(void *) < 8 ||
		       (sizeof(struct endpoint) == 128 &&
			offsetof(struct endpoint, state) == 64),
	       "two cache lines");

/* What an owner may hold of an interface, and holds: for each endpoint that it has
 * attachments of. Counted while the interface has several owners. */
struct share {
	uint32_t endpoint, owner;
	uint32_t attachments;
	uint32_t next; /* of the interface; also of the free ones */
	uint32_t promised, used; /* credits */
	bool out_of_service;
	uint8_t rsvd[7];
};

/* What is remembered of a page for a second: how often it was told to try again, over a
 * quota; or how often it was asked again after its owner had said success. */
struct memory_of_page {
	uint64_t page; /* | times << 4 | perm; 0: none */
	uint64_t who;  /* PASID and endpoint, as in a binding */
	uint64_t ns;   /* the last time */
};
#define PAGE_MEMORY_NS UINT64_C(1000000000)

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

/* Two cache lines and the rest: what every fault needs stands first. */
struct owner {
	_Alignas(BROKER_ALIGN) struct iopf_stats_row *row;
	struct list open;      /* READY and DELIVERED, oldest first */
	uint32_t fetch_cursor; /* the oldest READY group */
	uint32_t warn_cursor;  /* the oldest group whose age was not told */
	uint32_t held[2];      /* by mechanism: groups, PARTIAL ones too */
	uint32_t quota[2];     /* UINT32_MAX: none */
	uint64_t paused_at_ns, paused_total_ns;
	bool used;
	bool paused;
	uint8_t liar_limit; /* 0: none */
	uint8_t flags;
	uint32_t attachments;

	struct iopf_policy policy;
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
	uint32_t share;
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
	struct unit *units;               /* by slot, as */
	struct memory_of_page *retries;   /* these: an interface's are those of its */
	struct memory_of_page *successes; /* slots */
	uint64_t (*private_data)[2]; /* by slot; NULL: not kept */
	uint16_t *buckets;
	struct source *sources;
	struct endpoint *endpoints;
	struct event_limit *limits; /* of endpoints */
	struct owner *owners;
	struct attachment *attachments;
	struct share *shares;
	struct range *ranges; /* head, endpoints, sources */
	struct map rids;      /* source << 32 | rid -> endpoint */
	uint64_t last_rid;    /* the key that was found last, or MAP_EMPTY, */
	uint32_t last_id;     /* and its endpoint: functions ask in bursts */
	struct map keys;      /* endpoint << 32 | pasid -> attachment */
	uint32_t slot_count; /* group_max and the spare ones */
	uint32_t attachment_free, share_free;
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
void reserve_free(struct iopf_broker *broker, struct group *group, uint64_t now_ns);
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

/* ---- intake.c ------------------------------------------------------------------------- */

/* The long way of a request of @endpoint, or of MAP_NONE: everything that can be told
 * apart is. Returns: 0, -EAGAIN, -ENOENT, as iopf_broker_request(). */
COLD int intake_unusual(struct iopf_broker *broker, uint32_t source,
			const struct iopf_request *request, uint64_t now_ns,
			uint32_t endpoint);

/* ---- refuse.c ------------------------------------------------------------------------- */

/* The long way of an answer of @owner, which is one. Returns: as iopf_broker_answer(). */
COLD int answer_unusual(struct iopf_broker *broker, uint32_t owner, uint64_t token,
			uint32_t code, uint64_t now_ns);

/* ---- share.c: quotas and shares ----------------------------------------------------------- */

/* The share of @owner at @endpoint; IOPF_NO_ID. */
uint32_t share_find(const struct iopf_broker *broker, uint32_t endpoint, uint32_t owner);
/* The same, made where there is none, for one more attachment. IOPF_NO_ID: the table is
 * full. */
uint32_t share_take(struct iopf_broker *broker, uint32_t endpoint, uint32_t owner);
void share_give(struct iopf_broker *broker, uint32_t share);
/* Whether the interface that @endpoint uses is @owner's alone. */
bool share_is_alone(const struct iopf_broker *broker, uint32_t endpoint, uint32_t owner);
/* Who counts has changed: everything of the interface of @endpoint is counted anew. */
void share_recount(struct iopf_broker *broker, uint32_t endpoint);
/* Whether the owner of @attachment, if there is one, may hold one more request of
 * @endpoint: @held more groups (0 or 1). */
bool share_allows(const struct iopf_broker *broker, uint32_t endpoint,
		  uint32_t attachment, uint32_t held);
/* @group of a shared interface is its owner's, or not any more. */
void share_count(struct iopf_broker *broker, const struct group *group, int requests);
/* An attachment closes: its partials are nobody's. */
void partials_disown(struct iopf_broker *broker, uint32_t attachment);
void owner_policy(struct owner *owner, const struct iopf_policy *policy);

/* ---- operation.c, step.c ------------------------------------------------------------ */

/* Whether what @endpoint asks now is of the epoch that an operation ends: from the PRI
 * reset on, or the stream's new entry, it is new. */
bool operation_closes(const struct iopf_broker *broker, const struct endpoint *endpoint);
/* Everything of this stream is terminated together: nothing new may join it now. */
bool operation_takes_all(const struct endpoint *endpoint);
/* Under what a last of @endpoint ends without a response; IOPF_ENDING_COUNT: it does
 * not. */
enum iopf_ending operation_silences(const struct iopf_broker *broker,
				    const struct endpoint *endpoint);
/* Begin an operation of the broker's own accord: an index was used again while open. */
void operation_restart(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);
void operation_tell(struct iopf_broker *broker, uint32_t endpoint,
		    enum iopf_event_kind kind, uint64_t value, uint64_t now_ns);
/* Nothing of @endpoint, nor of the functions that use its interface, stays in the
 * ledger, and no response of it leaves. */
void forget_all(struct iopf_broker *broker, uint32_t endpoint, enum iopf_ending ending,
		uint64_t now_ns);

static inline bool in_range(uint32_t value, uint32_t low, uint32_t last)
{
	return value >= low && value <= last;
}

/* ---- broker.c, endpoint.c --------------------------------------------------------------- */

static inline struct endpoint *endpoint_get(const struct iopf_broker *broker,
					    uint32_t endpoint)
{
	return endpoint < broker->options.endpoint_max &&
			       broker->endpoints[endpoint].state != ENDPOINT_UNUSED ?
		       &broker->endpoints[endpoint] :
		       NULL;
}

/* The endpoint whose slots and credits @endpoint uses. */
static inline struct endpoint *interface_of(const struct iopf_broker *broker,
					    const struct endpoint *endpoint)
{
	return &broker->endpoints[endpoint->physical];
}

static inline bool is_shared(const struct endpoint *endpoint)
{
	return endpoint->flags & ENDPOINT_SHARED;
}

static inline enum iopf_mechanism mechanism_of(const struct endpoint *endpoint)
{
	return endpoint->flags & ENDPOINT_STREAM ? IOPF_STALLS : IOPF_PRI;
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

/* The next epoch of an attachment: 0 is none's. They come round, but what is left of an old
 * one is disowned when that ends. */
static inline uint16_t attachment_epoch_next(uint16_t epoch)
{
	return epoch == UINT16_MAX ? 1 : (uint16_t)(epoch + 1);
}

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

#endif
