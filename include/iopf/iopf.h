/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iopf.h - recoverable I/O page faults: requests come in, each group gets one response.
 *
 * Obligation. Every group whose last request came in is ended exactly once: by its
 * owner's answer, by the host under a named reason, or without a response because the
 * function that asked has forgotten the question. No function of this library fails in
 * a way that leaves a group without an ending.
 *
 * Trust. An answer supplies a code and nothing else. Every field of a response comes
 * from the ledger. Whatever an owner says at whatever time, at most one response leaves
 * for a group.
 *
 * Threads. A broker belongs to one thread; every function is called from it except
 * iopf_broker_answer_remote(). Different brokers share nothing.
 *
 * Memory. All of it is given at create; nothing allocates afterwards. Options begin with
 * size_bytes: the sizeof of their struct; with any other they are -EINVAL.
 *
 * Time. @now_ns comes from one clock of the caller's, which begins anywhere and never
 * runs backwards.
 *
 * Errors. Functions return 0 or a count, or one of these, and write outputs only on
 * success:
 *   -EINVAL     an argument could never be right
 *   -ENOENT     no such thing; for an answer: refused (counters tell which check failed)
 *   -ENOSPC     a fixed table is full; nothing changed
 *   -EDQUOT     the source's queue, or its pool of stalls, has no room for the allocation
 *   -ERANGE     a knob of a policy is out of its range
 *   -EAGAIN     not now: responses have to be taken first, or nothing is there
 *   -EBUSY      an operation on this endpoint is under way
 *   -EEXIST     this attachment, endpoint or rid exists already
 *   -EPERM      this owner may not say that; the group stays open
 *   -ETIMEDOUT  the function did not stop: it needs a function reset
 *   -ENODEV     the function is gone
 */
#ifndef IOPF_IOPF_H
#define IOPF_IOPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iopf/policy.h"
#include "iopf/stats.h"
#include "iopf/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Memory of others ------------------------------------------------------------ */

/* A run of an address space that this process can reach. */
struct iopf_segment {
	uint64_t base;       /* first address, a multiple of 4096 */
	uint64_t size_bytes; /* a multiple of 4096 */
	void *memory;        /* borrowed; aligned to 4096 */
};

/* An address space: what a walker, a queue or a DMA engine reaches memory through.
 * Segments do not overlap and are sorted by base. What is outside does not exist. */
struct iopf_memory {
	const struct iopf_segment *segments;
	uint32_t count;
};

/* ---- The broker ------------------------------------------------------------------- */

struct iopf_broker;

/* Something that a person may want to know: told once, rate limited. */
/* clang-format off */
#define IOPF_EVENTS(X) \
	X(ALLOCATION_EXCEEDED, allocation_exceeded, "a function asked beyond its allocation") \
	X(INDEX_REUSED, index_reused, "an index was used again while open") \
	X(MALFORMED, malformed, "a request breaks a rule of its interface") \
	X(UNKNOWN_RID, unknown_rid, "a request of a function that nobody enabled") \
	X(REFUSED, refused, "an answer was refused") \
	X(OVERFLOW, overflow, "a source lost requests") \
	X(DEADLINE, deadline, "a group has reached its owner's deadline") \
	X(TAKEN, taken, "the host ended a group that its owner was shown") \
	X(OPERATION_DONE, operation_done, "an operation is done") \
	X(OPERATION_FAILED, operation_failed, "an operation cannot be finished") \
	X(UPRGI, uprgi, "the function got a response that it did not expect") \
	X(RF, rf, "the function got a response failure and stopped paging") \
	X(NEEDS_RESET, needs_reset, "an index was used again: a restart has begun by itself") \
	X(QUOTA, quota, "an owner asks for more than its share") \
	X(LIAR, liar, "an owner said success for a page again and again") \
	X(OUT_OF_SERVICE, out_of_service, "an owner is not served at an endpoint any more") \
	X(UNEXPECTED, unexpected, "AER: the function got a completion that it did not expect")
/* clang-format on */
#define IOPF_EVENT_ENUM(name, word, text) IOPF_EVENT_##name,
enum iopf_event_kind { IOPF_EVENTS(IOPF_EVENT_ENUM) IOPF_EVENT_KIND_COUNT };

struct iopf_event {
	uint8_t kind; /* enum iopf_event_kind */
	uint8_t detail; /* counter, ending or operation kind, by kind */
	uint16_t rsvd;
	uint32_t source, endpoint, owner; /* IOPF_NO_ID where none */
	uint32_t pasid;
	uint32_t rid;
	uint64_t token;
	uint64_t value;         /* an address, an age in ns, an errno: by kind */
	uint64_t suppressed;    /* events of this endpoint or owner not told before this one */
};

struct iopf_broker_options {
	uint32_t size_bytes; /* of this struct */
	uint32_t instance;   /* 1..1023: no other broker's tokens may look like this one's */
	uint32_t source_max;     /* 1..255 */
	uint32_t endpoint_max;   /* 1..65535 */
	uint32_t owner_max;      /* 1..65535 */
	uint32_t attachment_max; /* 1..1048576 */
	uint32_t group_max;      /* 1..2097152: slots of all endpoints, reserves included */
	uint32_t inbox_entries;  /* per owner, 0 or a power of two up to 65536 */
	bool private_data;       /* keep a request's private data (16 bytes a slot) */
	uint32_t first_generation; /* 0, or where an earlier broker of this instance ended */
	void (*event)(void *context, const struct iopf_event *event); /* may be NULL */
	void *event_context;
	struct iopf_recorder *recorder; /* may be NULL; borrowed */
	struct iopf_stats_page *stats;  /* NULL: inside the broker's own memory; borrowed */
};

/*
 * Bytes that a broker with @options needs, and that its statistics page needs.
 *
 * Returns: the size, or 0 where an option is out of its range.
 */
size_t iopf_broker_size_bytes(const struct iopf_broker_options *options);
size_t iopf_stats_size_bytes(const struct iopf_broker_options *options);

/*
 * Make a broker in @memory (aligned to 64) of at least iopf_broker_size_bytes().
 *
 * Owns:    borrows @memory and everything that @options points to until destroy.
 * Returns: 0, -EINVAL (an option or the alignment), -ENOSPC (memory too small).
 */
int iopf_broker_create(const struct iopf_broker_options *options, void *memory,
		       size_t memory_bytes, struct iopf_broker **broker);

/* The memory may be reused afterwards. Open groups are forgotten: end them first
 * (iopf_broker_remove() each endpoint) where a device still waits. */
void iopf_broker_destroy(struct iopf_broker *broker);

/* The statistics page, wherever it lies. Borrowed until destroy. */
const struct iopf_stats_page *iopf_broker_stats(const struct iopf_broker *broker);

/* ---- Sources, endpoints, owners ---------------------------------------------------- */

struct iopf_source_options {
	uint32_t size_bytes;
	uint32_t usable_entries; /* of its queue: allocations of its endpoints sum to at most
				  * this; 0 for a source that the kernel bounds */
	uint32_t reserve_count;  /* slots for lasts that nobody can be given, 1..4096 */
	uint64_t name;           /* the caller's, for statistics */
	uint32_t stall_max;      /* slots of its pool of stalls: allocations of its streams
				  * sum to at most this; 0: not bounded here */
};

/* Returns: 0, -EINVAL, -ENOSPC. */
int iopf_broker_add_source(struct iopf_broker *broker,
			   const struct iopf_source_options *options, uint32_t *source);

enum iopf_owner_flag {
	IOPF_OWNER_MAY_FAIL = 1, /* may answer failure where it is alone on the function */
	IOPF_OWNER_HOST = 2,     /* the host's own: no share is kept for it, nor from it */
};

struct iopf_owner_options {
	uint32_t size_bytes;
	uint32_t flags;            /* enum iopf_owner_flag */
	struct iopf_policy policy; /* all 0: no deadline, no quota, no limit */
	uint64_t name;
	/* A callback owner: iopf_broker_poll() calls it for each group; it may answer at
	 * once, later, or from another thread. NULL: the owner fetches. */
	void (*group)(void *context, const struct iopf_group *group);
	/* The host ended a group that this owner was shown: its answer, if one comes, will
	 * be stale. Told for every such group. May be NULL; may not call the broker. */
	void (*taken)(void *context, uint64_t token, enum iopf_ending ending);
	void *context;
};

/* Returns: 0, -EINVAL, -ENOSPC, -ERANGE (a knob of its policy). */
int iopf_broker_add_owner(struct iopf_broker *broker,
			  const struct iopf_owner_options *options, uint32_t *owner);

/* Returns: 0, -ENOENT, -EBUSY (it has attachments or open groups). */
int iopf_broker_remove_owner(struct iopf_broker *broker, uint32_t owner);

/* From here on, for what is open, too. Returns: 0, -ENOENT, -ERANGE (a knob; nothing
 * changed). */
int iopf_broker_set_policy(struct iopf_broker *broker, uint32_t owner,
			   const struct iopf_policy *policy);

/* The clock of a paused owner stands still: its groups do not age. 0 or -ENOENT. */
int iopf_broker_pause_owner(struct iopf_broker *broker, uint32_t owner, bool paused,
			    uint64_t now_ns);

struct iopf_endpoint_options {
	uint32_t size_bytes;
	uint32_t source;
	uint32_t rid;
	uint32_t allocation; /* wanted credits, 1..65535, of which 65527 can be granted:
			      * slots and request storage are reserved here */
	bool pasid_in_response; /* the function's PRG Response PASID Required */
	uint8_t mechanism;      /* enum iopf_mechanism */
	bool has_physical;      /* a virtual function: its requests use the page request
				 * interface of the endpoint @physical, that one's credits
				 * and storage; its allocation is not looked at */
	uint32_t physical;
	uint32_t allocation_min; /* what is enough, where the source has no room for
				  * more; 0: all or nothing */
	bool descriptor; /* a kernel's fault descriptor stands in between (iommufd.h): its
			  * indices are the source's own, of 16 bits, and the page request
			  * interface is the kernel's: no step is about it */
};

/*
 * Enable an endpoint: from here its requests are accepted. What was granted, from
 * allocation_min to allocation, is its gauge `granted`: what the function's own
 * allocation is to be set to.
 *
 * Returns: 0, -EINVAL, -ENOENT (source, physical), -EEXIST (rid), -EDQUOT (no room at the
 *          source), -ENOSPC (no room in the ledger), -EBUSY (an operation of the physical
 *          function is under way).
 * Source of the rule: PCIe 6.x, 10.4.1, Outstanding Page Request Allocation; a virtual
 * function uses its physical function's interface (10.5.2).
 */
int iopf_broker_add_endpoint(struct iopf_broker *broker,
			     const struct iopf_endpoint_options *options,
			     uint32_t *endpoint);

/*
 * Give (endpoint, @pasid) to @owner. @pasid: a PASID, IOPF_PASID_NONE, IOPF_PASID_ANY.
 *
 * Returns: 0, -ENOENT, -EEXIST, -ENOSPC, -EBUSY (its detach is under way, its stream is
 *          being terminated, or something of its last owner is still in the ledger),
 *          -ENODEV (endpoint removed).
 */
int iopf_broker_attach(struct iopf_broker *broker, uint32_t endpoint, uint32_t pasid,
		       uint32_t owner);

/* ---- A group's way ------------------------------------------------------------------ */

/*
 * A request, or a stop marker, came out of @source.
 *
 * Whatever it says, it is taken: kept, closed into a group, ended by the host, or
 * dropped and counted.
 *
 * Returns: 0, -ENOENT (no such source), -EAGAIN: not taken, every reserve slot of the
 *          source waits for iopf_broker_respond(); call that, then this again.
 */
int iopf_broker_request(struct iopf_broker *broker, uint32_t source,
			const struct iopf_request *request, uint64_t now_ns);

/*
 * The same for @count requests, in their order: what comes out of a queue at once.
 *
 * Returns: how many were taken; fewer where the next one would have to wait; -EAGAIN,
 *          -ENOENT: none, as above.
 */
int iopf_broker_requests(struct iopf_broker *broker, uint32_t source,
			 const struct iopf_request *requests, uint32_t count,
			 uint64_t now_ns);

/* @source lost requests: partial groups of every endpoint on it are thrown away.
 * Call after the queue was emptied and before the overflow is acknowledged.
 * Returns: the number thrown away, -ENOENT. */
int iopf_broker_overflow(struct iopf_broker *broker, uint32_t source, uint64_t now_ns);

/*
 * The oldest group that @owner has not seen; it is then the owner's to answer.
 *
 * Returns: 0, -EAGAIN (nothing there), -ENOENT (no such owner).
 */
int iopf_broker_fetch(struct iopf_broker *broker, uint32_t owner,
		      struct iopf_group *group, uint64_t now_ns);

/* The same, up to @max of them. Returns: how many, -ENOENT. */
int iopf_broker_fetch_many(struct iopf_broker *broker, uint32_t owner,
			   struct iopf_group *groups, uint32_t max, uint64_t now_ns);

/* The open group @token, as iopf_broker_fetch() gives it. Returns: 0, -ENOENT. */
int iopf_broker_group(const struct iopf_broker *broker, uint64_t token,
		      struct iopf_group *group);

/*
 * All pages of the open group @token in the order in which the device asked, from
 * @first on.
 *
 * Returns: how many were written (at most @max), -ENOENT (no such open group).
 */
int iopf_broker_pages(const struct iopf_broker *broker, uint64_t token, uint32_t first,
		      struct iopf_page *pages, uint32_t max);

/*
 * @owner answers the group @token. The response leaves with a later respond.
 *
 * Returns: 0; -ENOENT: refused, one error whatever the reason (the counters tell);
 *          -EPERM: failure from an owner that may not say it, the group stays open.
 */
int iopf_broker_answer(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		       enum iopf_code code, uint64_t now_ns);

struct iopf_answer {
	uint64_t token;
	uint32_t code;  /* enum iopf_code */
	int32_t result; /* written: as iopf_broker_answer() returns */
};

/* @count answers of @owner, in their order, each by itself. Returns: how many were not
 * refused. */
int iopf_broker_answers(struct iopf_broker *broker, uint32_t owner,
			struct iopf_answer *answers, uint32_t count, uint64_t now_ns);

/*
 * The owner of (@endpoint, @pasid) has taken pages away and said so: what its device asks
 * there from now on is no sign of a lie (liar_limit). Costs a look at each page that is
 * remembered of the endpoint, a quarter of its allocation at most.
 */
void iopf_broker_invalidated(struct iopf_broker *broker, uint32_t endpoint, uint32_t pasid,
			     uint64_t addr, uint64_t size_bytes);

/*
 * The same from any thread: put into the owner's inbox, taken by iopf_broker_poll().
 *
 * Threads: any.
 * Returns: 0, -ENOSPC (the inbox is full), -EINVAL (no inbox, no such owner).
 */
int iopf_broker_answer_remote(struct iopf_broker *broker, uint32_t owner, uint64_t token,
			      enum iopf_code code);

/*
 * The host itself ends the open group @token with @code under @ending (a reason that
 * gives a response). For rooms above the broker: a guest's queue is full, ...
 *
 * Returns: 0, -ENOENT (no such open group), -EINVAL (that ending has no response).
 */
int iopf_broker_end(struct iopf_broker *broker, uint64_t token, enum iopf_code code,
		    enum iopf_ending ending, uint64_t now_ns);

/*
 * Responses that are to leave through @source, oldest first. With this call they are
 * out of the ledger: the caller has room for them and sends them, in order, once.
 *
 * Returns: how many were written (at most @max), -ENOENT.
 */
int iopf_broker_respond(struct iopf_broker *broker, uint32_t source,
			struct iopf_response *responses, uint32_t max, uint64_t now_ns);

/*
 * Let time pass: answers from inboxes, callback owners' groups, deadlines; at most
 * @budget of all of them together.
 *
 * Returns: how much was done; less than @budget when nothing is left.
 */
int iopf_broker_poll(struct iopf_broker *broker, uint32_t budget, uint64_t now_ns);

/* When iopf_broker_poll() has to be called at the latest; UINT64_MAX: no need. */
uint64_t iopf_broker_next_deadline_ns(const struct iopf_broker *broker);

/* A gauge of @endpoint, exact; 0 where there is no such endpoint. The statistics page
 * shows it as of one of the last polls: one endpoint's gauges are published each poll. */
uint32_t iopf_broker_gauge(const struct iopf_broker *broker, uint32_t endpoint,
			   enum iopf_gauge gauge);

/* One open group: what is owed, by whom, since when. */
struct iopf_owed {
	uint64_t token;
	uint64_t age_ns;
	uint32_t endpoint, owner, pasid;
	uint16_t index;
	uint16_t request_count;
	uint8_t state; /* enum iopf_group_state */
	uint8_t rsvd[7];
};

/* Where a group is. */
/* clang-format off */
#define IOPF_GROUP_STATES(X) \
	X(FREE, free, "no group") \
	X(PARTIAL, partial, "its last has not come") \
	X(READY, ready, "its owner has not fetched it") \
	X(DELIVERED, delivered, "its owner has to answer") \
	X(LEAVING, leaving, "its response has not left")
/* clang-format on */
#define IOPF_GROUP_ENUM(name, word, text) IOPF_GROUP_##name,
enum iopf_group_state { IOPF_GROUP_STATES(IOPF_GROUP_ENUM) IOPF_GROUP_STATE_COUNT };

/*
 * What is owed on @endpoint (IOPF_NO_ID: everywhere), starting at @cursor (0 first;
 * moved on). Not a fast path.
 *
 * Returns: how many were written; 0 when there is no more.
 */
int iopf_broker_owed(const struct iopf_broker *broker, uint32_t endpoint,
		     uint32_t *cursor, struct iopf_owed *owed, uint32_t max,
		     uint64_t now_ns);

/* ---- Operations --------------------------------------------------------------------- */

/*
 * Detach, replace, reset and remove are operations: begin, then steps that the caller
 * carries out at the hardware, then done. From begin on nothing new of the old epoch
 * is shown to an owner. One operation at a time on an endpoint.
 */
/* clang-format off */
#define IOPF_OPERATIONS(X) \
	X(NONE, none, "no operation") \
	X(DETACH, detach, "one attachment: its groups are answered invalid") \
	X(DISABLE, disable, "the whole endpoint, alive: groups answered, PRI off") \
	X(RESTART, restart, "as disable, then PRI reset and on again") \
	X(RESET, reset, "function reset: groups end without a response, PRI off") \
	X(REMOVE, remove, "the function is gone: no response, endpoint forgotten") \
	X(REPLACE, replace, "as detach; at its end the attachment is another owner's")
/* clang-format on */
#define IOPF_OPERATION_ENUM(name, word, text) IOPF_OPERATION_##name,
enum iopf_operation_kind { IOPF_OPERATIONS(IOPF_OPERATION_ENUM) IOPF_OPERATION_KIND_COUNT };

/* What the caller carries out at the hardware. */
/* clang-format off */
#define IOPF_STEPS(X) \
	X(NONE, none, "no operation waits") \
	X(DRAIN, drain, "bring all that was sent into the ledger; -EAGAIN: overflow") \
	X(RESPOND, respond, "take and send the responses of this endpoint") \
	X(PRI_OFF, pri_off, "write Enable = 0") \
	X(STOPPED, stopped, "read Stopped; -EAGAIN while it is 0") \
	X(PRI_RESET, pri_reset, "write Reset") \
	X(PRI_ON, pri_on, "write the allocation, then Enable = 1") \
	X(DONE, done, "seen once, by the call that reaches it") \
	X(BLOCK, block, "make the stream's entry abort; invalidate it; sync") \
	X(TERMINATE, terminate, "terminate all stalls of the stream; sync") \
	X(UNBLOCK, unblock, "make the stream's entry what its attachments say; sync")
/* clang-format on */
#define IOPF_STEP_ENUM(name, word, text) IOPF_STEP_##name,
enum iopf_step { IOPF_STEPS(IOPF_STEP_ENUM) IOPF_STEP_COUNT };

/*
 * Begin. detach, replace: one attachment. The others: the whole endpoint.
 * A reset or a removal overrides an operation under way; the others say -EBUSY.
 *
 * Returns: 0, -ENOENT, -EBUSY, -ENODEV.
 */
int iopf_broker_detach(struct iopf_broker *broker, uint32_t endpoint, uint32_t pasid);
int iopf_broker_replace(struct iopf_broker *broker, uint32_t endpoint, uint32_t pasid,
			uint32_t owner, uint64_t now_ns);
int iopf_broker_disable(struct iopf_broker *broker, uint32_t endpoint);
int iopf_broker_restart(struct iopf_broker *broker, uint32_t endpoint);
int iopf_broker_reset(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);
int iopf_broker_remove(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);

/* Enable again after disable or reset: the caller has written allocation and Enable.
 * Returns: 0, -ENOENT, -EBUSY (an operation is under way, or paging failed or did not
 * stop: restart or reset the endpoint first). */
int iopf_broker_enable(struct iopf_broker *broker, uint32_t endpoint);

/* The step that @endpoint's operation waits for; IOPF_STEP_DONE is seen once, by the
 * iopf_broker_did() that reaches it. Returns: enum iopf_step, or -ENOENT. */
int iopf_broker_step(const struct iopf_broker *broker, uint32_t endpoint);

/*
 * The caller did the present step: @result 0; -EAGAIN: not finished, ask again (a
 * bounded number of rounds; where Stopped stays 0, the PRI reset comes all the same);
 * -ETIMEDOUT: it stays 0 after that, too; -ENODEV: the function does not answer.
 *
 * Returns: the next step (enum iopf_step), -ENOENT, -ETIMEDOUT (rounds used up: needs a
 *          function reset; the ledger holds nothing of the endpoint), -ENODEV.
 */
int iopf_broker_did(struct iopf_broker *broker, uint32_t endpoint, int result,
		    uint64_t now_ns);

/* What a function complains of. */
enum iopf_status {
	IOPF_STATUS_RF = 1,    /* Page Request Status: Response Failure */
	IOPF_STATUS_UPRGI = 2, /* Page Request Status: Unexpected Page Request Group Index */
	IOPF_STATUS_UNEXPECTED = 4, /* AER: Unexpected Completion, of older functions */
};

/*
 * Bits of enum iopf_status, as read. RF ends every group of that page request interface,
 * those of virtual functions, too, without a response, and puts it out of service until
 * it is disabled, stopped, reset and enabled. The others are counted and told.
 *
 * Returns: 0, -ENOENT.
 */
int iopf_broker_status(struct iopf_broker *broker, uint32_t endpoint, uint32_t status,
		       uint64_t now_ns);

/*
 * The last responses that left for @endpoint, newest first: what a function may have
 * complained of. Their opened_ns is when they left. Not a fast path.
 *
 * Returns: how many were written (at most @max), -ENOENT.
 */
int iopf_broker_recent(const struct iopf_broker *broker, uint32_t endpoint,
		       struct iopf_response *responses, uint32_t max);

/*
 * While @out, the groups of @owner at @endpoint that come get invalid at once; what it
 * holds already is still its own to answer. Ends with its last attachment there.
 *
 * Returns: 0, -ENOENT (it has no attachment there).
 */
int iopf_broker_out_of_service(struct iopf_broker *broker, uint32_t endpoint,
			       uint32_t owner, bool out, uint64_t now_ns);

/* ---- Names -------------------------------------------------------------------------- */

/* Names as JSON, scenarios and people see them; "?" out of range. Static strings. */
const char *iopf_code_name(enum iopf_code code);
const char *iopf_ending_name(enum iopf_ending ending);
const char *iopf_counter_name(enum iopf_counter counter);
const char *iopf_counter_text(enum iopf_counter counter);
const char *iopf_gauge_name(enum iopf_gauge gauge);
const char *iopf_event_name(enum iopf_event_kind kind);
const char *iopf_operation_name(enum iopf_operation_kind kind);
const char *iopf_step_name(enum iopf_step step);
const char *iopf_group_state_name(enum iopf_group_state state);

/* "MAJOR.MINOR.PATCH" of the library that runs. */
const char *iopf_version(void);

#ifdef __cplusplus
}
#endif

#endif
