/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.h - source, broker, guests and pager put together for an event loop.
 *
 * A host is one IOMMU, the broker over it, the functions behind it, and the guests that
 * own them. It holds no descriptor, thread or clock: whoever has the loop calls
 * iopf_host_run() when something rang or a deadline came, and carries interrupts.
 * More IOMMUs are more hosts; they share nothing.
 *
 * The way of a fault: record out of the physical queue, ledger, a walk that says whose
 * stage missed, the pager or the guest's own queue; the guest's command, ledger, command
 * into the physical queue.
 *
 * Nesting: what a guest announces in its structures becomes a nested entry of the
 * physical ones, over a second stage whose pages are absent until first used.
 *
 * Threads. One thread owns a host.
 */
#ifndef IOPF_HOST_H
#define IOPF_HOST_H

#include "iopf/guest.h"
#include "iopf/pager.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iopf_host;

#define IOPF_HOST_GUEST_MAX    256
#define IOPF_HOST_FUNCTION_MAX 4096
/* A group has at most as many pages as its function has credits. */
#define IOPF_HOST_ALLOCATION_MAX 512

/* PCIe 6.x, 6.6.2: no access to a function for 100 ms after a function level reset. */
#define IOPF_RESET_NS UINT64_C(100000000)

/* The configuration space of a function: @size_bytes 1, 2, 4; aligned. */
struct iopf_function_ops {
	uint32_t (*config_read)(void *context, uint32_t offset, uint32_t size_bytes);
	void (*config_write)(void *context, uint32_t offset, uint32_t size_bytes,
			     uint32_t value);
};

/* What a host did, for recordings: one step each. */
enum iopf_note_kind {
	IOPF_NOTE_REQUEST,  /* out of the physical queue; request */
	IOPF_NOTE_SHOW,     /* to its guest; group, token, endpoint, pasid */
	IOPF_NOTE_PAGER,    /* served by the host's own stage: the guest never hears of it;
			     * group, token, endpoint, pasid, code */
	IOPF_NOTE_ANSWER,   /* taken; token, code */
	IOPF_NOTE_REFUSE,   /* not taken by the broker; token, code */
	IOPF_NOTE_RESPONSE, /* into the physical queue; response */
	IOPF_NOTE_ATTACH,   /* endpoint, pasid */
	IOPF_NOTE_DETACH,   /* done */
	IOPF_NOTE_OVERFLOW,
	IOPF_NOTE_INVALIDATE, /* of a guest, into the physical queue; command */
	IOPF_NOTE_RESET,      /* endpoint; also where it is blocked until it is reset */
	IOPF_NOTE_REMOVE,     /* endpoint */
	IOPF_NOTE_FAULT,      /* an event that is no request: counted and told; fault */
	IOPF_NOTE_TERMINATE,  /* every stall of the endpoint's stream; endpoint */
	IOPF_NOTE_STATUS,     /* the function complains; endpoint, status, recent */
	IOPF_NOTE_KIND_COUNT
};

struct iopf_note {
	uint64_t ns;
	uint64_t token;
	uint32_t guest, endpoint, pasid; /* IOPF_NO_ID, IOPF_PASID_NONE: none */
	uint8_t kind; /* enum iopf_note_kind */
	uint8_t code; /* enum iopf_code */
	uint8_t status; /* bits of enum iopf_status */
	uint8_t rsvd;
	const struct iopf_request *request;   /* borrowed for the call; NULL elsewhere */
	const struct iopf_response *response;
	const struct iopf_command *command;
	const struct iopf_group *group;
	const struct iopf_fault *fault;
	const struct iopf_response *recent; /* the last that left for it, newest first */
	uint32_t recent_count;
};

struct iopf_host_options {
	uint32_t size_bytes;          /* of this struct */
	uint32_t instance;            /* of the broker's tokens, 1..1023 */
	const char *family;           /* of the IOMMU: "vtd", "smmuv3", "amd", ... */
	const struct iopf_register_ops *registers; /* of the IOMMU; borrowed */
	void *register_context;
	const struct iopf_memory *memory; /* host-physical; borrowed */
	uint64_t base;                /* pages for structures, queues, second stages: */
	uint64_t region_bytes;        /* the host's alone; multiples of 4096 */
	uint32_t request_order;       /* of the page request queue: 2^n pages, 0..7 */
	uint32_t command_order;
	uint32_t guest_max;           /* 1..IOPF_HOST_GUEST_MAX */
	uint32_t function_max;        /* 1..IOPF_HOST_FUNCTION_MAX */
	uint32_t attachment_max;      /* (function, PASID) pairs: the guests' pasid_max and
				       * the pagers' pairs sum to at most this */
	uint64_t status_period_ns;    /* how often functions' status bits are read */
	uint64_t interrupt_addr;      /* message of the physical queue; 0: masked */
	uint32_t interrupt_data;
	uint32_t inbox_entries;       /* an owner's answers from other threads: 0, 2^n */
	void (*event)(void *context, const struct iopf_event *event); /* or NULL */
	void (*note)(void *context, const struct iopf_note *note);    /* or NULL */
	void *context;
	struct iopf_recorder *recorder; /* or NULL; borrowed */
	struct iopf_stats_page *stats;  /* or NULL: inside; borrowed */
	uint32_t event_order;         /* of the event queue, where the family has one */
	uint64_t reset_ns;            /* what a function is given after its reset, before its
				       * registers are used: IOPF_RESET_NS, or as much less
				       * as all of them are known to need */
};

/* clang-format off */
#define IOPF_HOST_COUNTERS(X) \
	X(requests,      "page requests out of the physical queue") \
	X(stalls,        "stalled transactions out of the event queue") \
	X(faults,        "events that nobody can recover from") \
	X(served,        "groups that only the host's stage missed: no guest heard of them") \
	X(mapped,        "groups whose pages were all there when they were looked at") \
	X(unbacked,      "groups that a guest's tables lead out of its memory") \
	X(shown,         "groups shown to guests") \
	X(parked,        "times a guest had no index for a group") \
	X(responses,     "responses into the physical queue") \
	X(terminated,    "streams whose stalls were ended together") \
	X(invalidations, "of guests, carried out") \
	X(overflows,     "of the physical queue") \
	X(timeouts,      "invalidations that a function did not answer") \
	X(skipped,       "commands that the physical queue refused") \
	X(resets,        "functions reset") \
	X(removals,      "functions removed") \
	X(blocked,       "functions kept out until they are reset") \
	X(enable_failed, "functions that were reset and could not be switched on") \
	X(attach_failed, "address spaces that could not be set up") \
	X(shadow_filled, "pages of guests' tables followed into shadows") \
	X(shadow_removed, "pages taken out of shadows, because the guest said so") \
	X(shadow_dropped, "shadows emptied because their pages ran out")
/* clang-format on */
#define IOPF_HOST_MEMBER(name, text) uint64_t name;
struct iopf_host_stats {
	IOPF_HOST_COUNTERS(IOPF_HOST_MEMBER)
};

/* Bytes of a host's memory, 0 where an option is out of its range. */
size_t iopf_host_size_bytes(const struct iopf_host_options *options);

/* How large the statistics page of its broker has to be. */
size_t iopf_host_stats_size_bytes(const struct iopf_host_options *options);

/*
 * Make a host in @memory (aligned to 64), and its structures in its region.
 * iopf_host_start() brings the IOMMU up.
 *
 * Owns:    borrows @memory and what @options points to until it is reused.
 * Returns: 0, -EINVAL, -ENOSPC (@memory or the region), -EOPNOTSUPP (family).
 */
int iopf_host_create(const struct iopf_host_options *options, void *memory,
		     size_t memory_bytes, struct iopf_host **host);

/* Returns: 0, -EAGAIN (call again), or as iopf_driver_start(). */
int iopf_host_start(struct iopf_host *host);
/* After the last function is gone. As above. */
int iopf_host_stop(struct iopf_host *host);

struct iopf_host_guest_options {
	uint32_t size_bytes;
	uint32_t function_count; /* 1..IOPF_GUEST_ENDPOINT_MAX */
	const struct iopf_host_function_options *functions; /* copied */
	struct iopf_memory memory;  /* by guest-physical address; segments borrowed */
	const struct iopf_pager_region *regions; /* where that lies, host-physical; copied */
	uint32_t region_count;      /* 1..IOPF_PAGER_REGION_MAX */
	uint32_t pasid_max;         /* address spaces at once */
	uint32_t levels;            /* 4, or 5: five-level tables are offered */
	struct iopf_policy policy;  /* all 0: no deadline, no quota, no limit */
	uint64_t hold_ns;           /* of its virtual IOMMU: iopf_guest_options.hold_ns */
	uint64_t name;              /* for statistics */
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
	void *context;
	void *guest_memory;         /* of iopf_host_guest_size_bytes(), aligned to 64 */
	size_t guest_memory_bytes;
	const char *family;         /* of its virtual IOMMU; NULL: the host's own */
	bool shadow;                /* shadow its tables, though they could be nested */
};

/* A platform master: no configuration space, so its driver says what is done there. */
struct iopf_master_ops {
	/* Make it forget what it does. It may take time: quiet() tells. */
	void (*reset)(void *context);
	/* Nothing of it is under way any more. */
	bool (*quiet)(void *context);
};

struct iopf_host_function_options {
	uint32_t rid;        /* as the IOMMU sees it */
	uint32_t guest_rid;  /* as the guest sees it */
	uint32_t allocation; /* wanted credits, 1..IOPF_HOST_ALLOCATION_MAX */
	uint32_t allocation_min; /* less than wanted is granted, down to this; 0: all */
	const struct iopf_function_ops *ops; /* of a PCIe function; borrowed */
	void *context;
	const struct iopf_master_ops *master; /* of a platform master: ops is NULL then */
	uint32_t physical_rid; /* with has_physical: whose page request interface it uses */
	bool has_physical;
	uint8_t mechanism; /* enum iopf_mechanism: a master stalls, a PCIe function never */
	bool other_shown;  /* the guest is shown the other mechanism, though its family has
			    * this one */
	uint8_t rsvd;
	const struct iopf_config_options *config; /* what its guest sees of it; copied; its
						   * capacity and pasid_in_response are the
						   * host's to say. NULL: nothing, and
						   * everything there is on */
};

/* Bytes of a guest's memory in the host, 0 where an option is out of its range. */
size_t iopf_host_guest_size_bytes(const struct iopf_host_guest_options *options);

/*
 * Take a guest in, and enable its functions: PASID, ATS, PRI, in this order (PCIe 6.x
 * 10.5.2), each with what its capacity, its guest's quota and the queue allow. A virtual
 * function comes after its physical one; a platform master, after iopf_host_start().
 *
 * Returns: 0 and *@guest; -EINVAL; -ENOSPC (tables or pages); -EDQUOT (the queue, or the
 *          pool of stalls, has no room for what a function needs at least); -EEXIST (a
 *          rid twice, or on its way out); -ENOENT (no such physical function); -ENODEV (a
 *          function without ATS, PRI or PASID, or that is gone); -EBUSY (its PRI has not
 *          stopped); -EOPNOTSUPP (a family, or stalls, that are not to be had). Then
 *          nothing of it stays:
 *          @guest_memory is free at once, what was enabled is taken out by the next
 *          iopf_host_run().
 */
int iopf_host_add_guest(struct iopf_host *host,
			const struct iopf_host_guest_options *options, uint32_t *guest);

/* Functions that no guest owns: the host's own pager answers for them. */
struct iopf_host_pager_options {
	uint32_t size_bytes;
	uint32_t function_count; /* 1..IOPF_GUEST_ENDPOINT_MAX */
	const struct iopf_host_function_options *functions; /* guest_rid: not used */
	const uint32_t *pasids;  /* attached at every function; or IOPF_PASID_NONE */
	uint32_t pasid_count;    /* 1.. */
	uint32_t region_count;   /* 1..IOPF_PAGER_REGION_MAX */
	const struct iopf_pager_region *regions; /* addresses as the device says them */
	uint64_t name;
};

/* As iopf_host_add_guest(). The number is one of a guest without registers. */
int iopf_host_add_pager(struct iopf_host *host,
			const struct iopf_host_pager_options *options, uint32_t *guest);

/*
 * The guest is dead: end and detach everything of it, bounded by its functions'
 * answers. iopf_host_run() does it.
 * Returns: 0, -ENOENT.
 */
int iopf_host_guest_gone(struct iopf_host *host, uint32_t guest);
/* True when nothing of a dead guest is left but its numbers. */
bool iopf_host_guest_over(const struct iopf_host *host, uint32_t guest);

/*
 * Take a guest, or a pager, out for good: its functions are disabled and removed. Call,
 * with iopf_host_run() in between, until it says 0; its memory may be reused then.
 *
 * Returns: 0, -ENOENT, -EAGAIN.
 */
int iopf_host_remove_guest(struct iopf_host *host, uint32_t guest, uint64_t now_ns);

/* The guest's access to its virtual IOMMU's registers, as in iopf_guest_read(). */
uint64_t iopf_host_guest_read(struct iopf_host *host, uint32_t guest, uint32_t offset,
			      uint32_t width_bytes);
void iopf_host_guest_write(struct iopf_host *host, uint32_t guest, uint32_t offset,
			   uint32_t width_bytes, uint64_t value);

/*
 * The guest's access to the configuration space of its function @function, a place in
 * iopf_host_guest_options.functions, as in iopf_guest_config_read(). A function level reset
 * is iopf_host_reset_function(): until that is over, and where there is no function any
 * more, reads give all ones and writes do nothing. Everything else that the guest switches
 * says what it may be shown, and leaves the function's own capabilities alone.
 */
uint32_t iopf_host_guest_config_read(struct iopf_host *host, uint32_t guest,
				     uint32_t function, uint32_t offset,
				     uint32_t width_bytes);
void iopf_host_guest_config_write(struct iopf_host *host, uint32_t guest, uint32_t function,
				  uint32_t offset, uint32_t width_bytes, uint32_t value);
/* That space, for iopf_config_state() and iopf_config_interrupt(). Borrowed until the
 * guest is removed; NULL: there is none. */
struct iopf_config *iopf_host_guest_config(struct iopf_host *host, uint32_t guest,
					   uint32_t function);

/*
 * One turn of everything: intake, guests, answers, responses, operations, status bits.
 * At most @budget of each kind, and of each guest, in turn.
 *
 * Returns: how much was done; 0: nothing to do before something rings or the time of
 *          iopf_host_next_ns().
 */
uint32_t iopf_host_run(struct iopf_host *host, uint32_t budget, uint64_t now_ns);
uint64_t iopf_host_next_ns(const struct iopf_host *host);

/*
 * Operations on a function (house words: reset, remove, restart). iopf_host_run()
 * carries them out. One that did not answer an invalidation is blocked: the IOMMU keeps
 * it out, and it is not asked again, until it is reset. Returns: 0, -ENOENT, -EBUSY.
 */
int iopf_host_reset_function(struct iopf_host *host, uint32_t endpoint, uint64_t now_ns);
int iopf_host_remove_function(struct iopf_host *host, uint32_t endpoint, uint64_t now_ns);
int iopf_host_restart_function(struct iopf_host *host, uint32_t endpoint);
/* True while an operation on it, whoever began it, is under way. */
bool iopf_host_busy(const struct iopf_host *host, uint32_t endpoint);

/*
 * A guest whose virtual machine stands still: its clock stands still as well, nothing is
 * shown to it and nothing that it wrote is read. Others feel nothing. 0 or -ENOENT.
 */
int iopf_host_pause_guest(struct iopf_host *host, uint32_t guest, bool paused,
			  uint64_t now_ns);
/* Returns: 0, -ENOENT, -ERANGE (a knob). */
int iopf_host_set_policy(struct iopf_host *host, uint32_t guest,
			 const struct iopf_policy *policy);

/* The endpoint of @rid, or IOPF_NO_ID. Present until removed. */
uint32_t iopf_host_endpoint(const struct iopf_host *host, uint32_t rid);

/* What lies inside, for those who look. Borrowed. */
struct iopf_broker *iopf_host_broker(struct iopf_host *host);
uint32_t iopf_host_source(const struct iopf_host *host);
/* The source of stalls; IOPF_NO_ID: the IOMMU has none, or has not started. */
uint32_t iopf_host_stall_source(const struct iopf_host *host);
uint32_t iopf_host_owner(const struct iopf_host *host, uint32_t guest);
struct iopf_guest *iopf_host_guest(struct iopf_host *host, uint32_t guest);
const struct iopf_driver_stats *iopf_host_driver_stats(const struct iopf_host *host);
void iopf_host_stats(const struct iopf_host *host, struct iopf_host_stats *stats);
/* The second stage's numbers of @guest. */
void iopf_host_pager_stats(const struct iopf_host *host, uint32_t guest,
			   struct iopf_pager_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
