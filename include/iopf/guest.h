/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.h - a guest as owner: the host's side of it, and the side that runs inside.
 *
 * struct iopf_guest is the host's: a virtual IOMMU (registers, structures that lead from a
 * requester and a PASID to tables, queues of commands, page requests and events) over
 * memory that the guest owns, and what the guest was shown. It reads what the guest wrote,
 * copies it once, checks it, and tells the host in plain values through struct
 * iopf_guest_ops.
 *
 * struct iopf_agent is the guest's: it builds those structures in its own memory, takes
 * the records, has a pager map the pages, answers, unmaps and invalidates.
 *
 * They share nothing but bytes in guest memory and register accesses.
 *
 * Trust. Nothing that a guest writes, or writes again while it is read, can do more
 * than be counted: every loop has a bound, every index and address is checked after it
 * was copied, and an answer supplies a code and nothing else.
 *
 * Memory. All of it is given at create; nothing allocates afterwards.
 * Threads. A guest, and an agent, belong to one thread each.
 *
 * Source: Intel Virtualization Technology for Directed I/O, Architecture Specification:
 * "Page Requests", "Hardware Structures for Scalable Mode", "Invalidation Queue"; Arm
 * System Memory Management Unit Architecture Specification, SMMU architecture version 3
 * (IHI 0070): 3.12 "Fault models", 4 "Commands", 7 "Event queue", 8 "Page request queue".
 */
#ifndef IOPF_GUEST_H
#define IOPF_GUEST_H

#include "iopf/config.h"
#include "iopf/iopf.h"
#include "iopf/queue.h"
#include "iopf/space.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The host's side ------------------------------------------------------------- */

struct iopf_guest;

/* PRG indices of one function: 9 bits (PCIe 6.x, Page Request message). */
#define IOPF_GUEST_INDEX_COUNT 512

/*
 * What a guest makes the host do. @context is that of the options; @endpoint is the
 * number given in struct iopf_guest_endpoint, which is the broker's.
 *
 * Where a function may return -EAGAIN it means: begun, not finished. The guest's
 * invalidation queue then stands still at that descriptor and a later iopf_guest_run()
 * makes the same call with the same values again. Any other error is counted and the
 * queue goes on. None may call back into this guest except iopf_guest_taken().
 */
struct iopf_guest_ops {
	/* (endpoint, pasid) now has this address space. @pasid may be IOPF_PASID_NONE:
	 * the entry of RID_PASID is told twice, for its own PASID and for none. While the
	 * guest has translation off nothing is attached. IOPF_SPACE_PRE and IOPF_SPACE_DTE
	 * may change later without a call: iopf_guest_space() tells.
	 * 0, -EAGAIN, or an error: refused, counted. */
	int (*attach)(void *context, uint32_t endpoint, uint32_t pasid,
		      const struct iopf_address_space *space);
	/* It has none any more. 0 means: nothing of it is in any cache, nothing of it is
	 * open; iopf_guest_taken() was called for each group that had been shown. */
	int (*detach)(void *context, uint32_t endpoint, uint32_t pasid);
	/* An IOTLB or device-TLB invalidation for an attached (endpoint, pasid): command's
	 * rid is the guest's, its pasid the attached one, kind, granularity, addr and
	 * size_bytes are for the host to carry out. 0: issued, -EAGAIN: no room now,
	 * -ETIMEDOUT: it was not carried out in time, and no wait of the guest confirms
	 * it. */
	int (*invalidate)(void *context, uint32_t endpoint, uint32_t pasid,
			  const struct iopf_command *command);
	/* Everything that invalidate() was given has completed at the hardware: 0 or
	 * -EAGAIN. Asked before a wait of the guest completes. NULL: always. */
	int (*invalidated)(void *context);
	/* The guest drains: 0 when every page request of its endpoints that was on its way
	 * when this was first asked has been shown or ended, otherwise -EAGAIN. */
	int (*drained)(void *context);
	/* The guest answered the group @token that it was shown. */
	void (*answer)(void *context, uint64_t token, enum iopf_code code);
	/* The guest switched its queue off or re-based it and has forgotten @token, which
	 * it was shown, or switched the function's PRI off: the host ends it. Called for
	 * each, from iopf_guest_write(), iopf_guest_config_write() or
	 * iopf_guest_reset(). */
	void (*forgotten)(void *context, uint64_t token);
	/* A message-signalled interrupt, as the guest programmed it. */
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
};

/* One function that this guest owns. */
struct iopf_guest_endpoint {
	uint32_t rid;      /* as the guest sees it, 16 bits */
	uint32_t endpoint; /* the broker's number */
	bool pasid_in_response; /* PRG Response PASID Required: an answer for a request with
				 * a PASID has to name it; otherwise it may */
	uint8_t mechanism; /* enum iopf_mechanism: how this guest is shown its groups */
	struct iopf_config *config; /* or NULL; borrowed: what the guest sees of the
				     * function, and switches on there before it is shown
				     * a page request. NULL: everything is on */
};

#define IOPF_GUEST_ENDPOINT_MAX 64
#define IOPF_GUEST_PASID_MAX    65536

struct iopf_guest_options {
	uint32_t size_bytes; /* of this struct */
	uint32_t endpoint_count; /* 1..IOPF_GUEST_ENDPOINT_MAX */
	const struct iopf_guest_endpoint *endpoints; /* copied */
	struct iopf_memory memory; /* the guest's; its segments are borrowed */
	uint32_t pasid_max;      /* 1..IOPF_GUEST_PASID_MAX address spaces at once */
	uint32_t levels;         /* of first levels, that are offered: 4, or what the family
				  * has beside: VT-d, AMD 5, RISC-V 3 and 5 */
	uint64_t hold_ns;        /* how long one -EAGAIN may hold the guest's queue up;
				  * then counted and passed over: the guest is told of a
				  * time-out, no wait confirms what was not finished, and
				  * a detach is asked for again. 0: without limit */
	const struct iopf_guest_ops *ops; /* borrowed */
	void *context;
	const char *family; /* any that has a virtual IOMMU: "vtd", "smmuv3", ...; NULL:
			     * "vtd" */
};

/* What happened at a guest. The names are those of JSON and metrics. */
/* clang-format off */
#define IOPF_GUEST_COUNTERS(X) \
	X(commands,             "commands that the guest's queue was emptied of") \
	X(shown,                "groups shown") \
	X(shown_pages,          "pages shown") \
	X(answered,             "answers that matched") \
	X(taken,                "groups ended by the host while the guest had them") \
	X(forgotten,            "groups and debts forgotten by the guest's queue") \
	X(parked,               "times a group was not shown: every index is held or owed") \
	X(overflows,            "groups not shown: the queue is full or overflowed") \
	X(unshown,              "groups not shown: the queue is off or nothing is there") \
	X(terminated,           "stalls that the guest ended by their stream") \
	X(refused_unknown,      "answers refused: nothing was shown under this index") \
	X(refused_duplicate,    "answers refused: answered before") \
	X(refused_stale,        "answers refused: the host had ended it; a debt is settled") \
	X(refused_foreign,      "answers refused: not this guest's function") \
	X(refused_malformed,    "answers refused: PASID or private data as never shown") \
	X(answered_failure,     "of those that matched: failure, or a reserved code") \
	X(attaches,             "address spaces attached") \
	X(detaches,             "address spaces detached") \
	X(attach_refused,       "address spaces refused: too many, or by the host") \
	X(bad_structures,       "root, context or PASID entries that make no sense") \
	X(invalidations,        "invalidations given to the host") \
	X(foreign_invalidations, "invalidations for functions that are not the guest's") \
	X(idle_invalidations,   "invalidations for what is not attached") \
	X(drains,               "drains completed") \
	X(holds,                "commands that waited for the host") \
	X(hold_timeouts,        "of them, passed over because they took too long") \
	X(failed_operations,    "operations that the host could not carry out") \
	X(bad_accesses,         "register accesses that no register answers")
/* clang-format on */
#define IOPF_GUEST_MEMBER(name, text) uint64_t name;
struct iopf_guest_stats {
	IOPF_GUEST_COUNTERS(IOPF_GUEST_MEMBER)
	/* The present state. */
	uint32_t held;   /* groups that the guest has to answer; of stalls, tags */
	uint32_t owed;   /* debts */
	uint32_t spaces; /* address spaces attached */
	uint32_t rsvd;
	uint64_t oldest_debt_ns; /* when the oldest debt became one; 0: none */
};

/*
 * Bytes that a guest with @options needs.
 *
 * Returns: the size, or 0 where an option is out of its range.
 */
size_t iopf_guest_size_bytes(const struct iopf_guest_options *options);

/*
 * Make a guest in @memory (aligned to 64). Its registers are as after power-on.
 *
 * Owns:    borrows @memory and what @options points to (the endpoints are copied).
 * Returns: 0, -EINVAL (an option, a rid twice, the alignment), -ENOSPC.
 */
int iopf_guest_create(const struct iopf_guest_options *options, void *memory,
		      size_t memory_bytes, struct iopf_guest **guest);

/*
 * The guest reads or writes @width_bytes (4 or 8, aligned) at @offset of the register
 * page. An access that fits no register reads 0, writes nothing, and is counted.
 * What a write sets going is done by iopf_guest_run().
 */
uint64_t iopf_guest_read(struct iopf_guest *guest, uint32_t offset, uint32_t width_bytes);
void iopf_guest_write(struct iopf_guest *guest, uint32_t offset, uint32_t width_bytes,
		      uint64_t value);

/*
 * The guest's access to the configuration space of its function @function, a place in
 * iopf_guest_options.endpoints, as in iopf_config_read() and iopf_config_write(). Where
 * none was given, all ones.
 *
 * PRI: with ATS, under PASIDs that it has switched on, the guest is shown page requests up
 * to its allocation; a group that is larger in part: the function asks again. Stopped
 * waits for all of them. PRI off: what it was shown and has not answered is a debt, and
 * the host ends it (struct iopf_guest_ops, forgotten). Status: UPRGI where an answer fits
 * nothing that was shown; RF, and nothing more is shown, where the guest answers failure.
 */
uint32_t iopf_guest_config_read(struct iopf_guest *guest, uint32_t function,
				uint32_t offset, uint32_t width_bytes);
void iopf_guest_config_write(struct iopf_guest *guest, uint32_t function, uint32_t offset,
			     uint32_t width_bytes, uint32_t value);

/*
 * Let the guest's commands be carried out: at most @budget steps (a descriptor, an
 * entry of its tables, an address space).
 *
 * Returns: steps done. Fewer than @budget: nothing is left to do, or the host is asked
 *          to finish something first (iopf_guest_held()).
 */
uint32_t iopf_guest_run(struct iopf_guest *guest, uint32_t budget, uint64_t now_ns);

/* The guest's queue stands still because an operation of the host said -EAGAIN. */
bool iopf_guest_held(const struct iopf_guest *guest);

/*
 * Show @group with all its @pages (group->page_count) to the guest: a record a page, and
 * the guest's interrupt. As page requests: under one virtual index, the last closing it.
 * As stalls: each under a virtual tag of its own; the group is answered when all of them
 * are, the worst answer counting. Where the guest's event queue is smaller than the group,
 * it is shown as many of its pages as it holds: the function asks again for the others.
 *
 * Returns: 0; from here iopf_guest_ops.answer, .forgotten or iopf_guest_taken() follows.
 *          -EAGAIN: parked, nothing was shown: this guest holds or owes every index of
 *                   the function, or a stall finds its event queue full; try again
 *                   after the next answer, or when the guest has run.
 *          -ENOSPC: the queue overflowed before the last page, and says so to the guest,
 *                   which throws away what lacks its last (VT-d, "Page Request Queue
 *                   Overflow"): end the group with success under
 *                   IOPF_ENDING_guest_overflow.
 *          -ENOENT: the queue is off, the function is not the guest's, or (endpoint,
 *                   pasid) has no address space that takes page requests, or stalls: end
 *                   it with invalid.
 *          -EEXIST: this token is shown already.
 *          -EINVAL: no page, or a token that no broker makes.
 */
int iopf_guest_show(struct iopf_guest *guest, const struct iopf_group *group,
		    const struct iopf_page *pages, uint64_t now_ns);

/*
 * The host ended @token, which the guest was shown: a debt from here on. Its virtual
 * index is not used again until the guest answers it, switches its queue off or
 * re-bases it, or tears the PASID down and drains.
 *
 * Returns: 0, -ENOENT (the guest does not hold this token).
 */
int iopf_guest_taken(struct iopf_guest *guest, uint64_t token, uint64_t now_ns);

/* Five tables and the page; before, lists of address spaces: SMMUv3 two levels, RISC-V
 * three. */
#define IOPF_ROUTE_MISSING_MAX 9

struct iopf_route {
	uint32_t stages; /* enum iopf_stage; 0: it is mapped */
	uint32_t missing_count;
	/* Guest-physical pages that the second level lacks, tables first. */
	struct {
		uint64_t addr;
		uint8_t perm;
		uint8_t rsvd[7];
	} missing[IOPF_ROUTE_MISSING_MAX];
};

/*
 * Follow the guest's tables for an access of (@endpoint, @pasid) to @addr with @perm
 * (enum iopf_perm), asking @mapped whether the host's second level gives @perm at a
 * guest-physical address.
 *
 * Returns: 0, -ENOENT (no such address space).
 */
int iopf_guest_route(const struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
		     uint64_t addr, uint8_t perm,
		     bool (*mapped)(void *context, uint64_t gpa, uint8_t perm),
		     void *context, struct iopf_route *route);

/* Where the guest's own tables lead. */
struct iopf_translation {
	uint64_t gpa;        /* of the byte at the address that was asked for */
	uint64_t size_bytes; /* of the page or block around it */
	uint8_t perm;        /* enum iopf_perm: what they grant there */
	uint8_t rsvd[7];
};

/*
 * Follow the guest's tables alone, in software, as its IOMMU would for an access of
 * (@endpoint, @pasid) to @addr with @perm: for a host that shadows them. @update: the
 * accessed and dirty bits are set, as the guest's format and configuration say.
 *
 * Returns: 0 and @translation, -ENOENT (no such address space), -EFAULT (the guest's
 *          tables do not let this access through: it is the guest's to mend).
 */
int iopf_guest_translate(struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
			 uint64_t addr, uint8_t perm, bool update,
			 struct iopf_translation *translation);

/* The address space of (@endpoint, @pasid). Returns: 0, -ENOENT. */
int iopf_guest_space(const struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
		     struct iopf_address_space *space);

/* A copy of the counters, at any time. */
void iopf_guest_stats(const struct iopf_guest *guest, struct iopf_guest_stats *stats);

/*
 * The guest is gone (killed, reset): everything is forgotten and detached, its
 * registers are as after power-on. Call until it says 0: a call is short.
 *
 * Returns: 0, -EAGAIN (a detach is not finished, or there are more of them).
 */
int iopf_guest_reset(struct iopf_guest *guest, uint64_t now_ns);

/* ---- The guest's own side -------------------------------------------------------- */

struct iopf_agent;

struct iopf_agent_ops {
	/*
	 * The pager: @request is one page that a function asks for. 0: map @gpa there with
	 * @perm (both set); the group is answered when its last page is done. -EAGAIN: the
	 * group is the caller's: it maps what it wants with iopf_agent_map() and answers
	 * with iopf_agent_answer(), or never. Anything else: the group gets invalid. A
	 * stall (IOPF_STALL) is a group of its own, its address is in bytes.
	 */
	int (*fault)(void *context, const struct iopf_request *request, uint64_t *gpa,
		     uint8_t *perm);
};

#define IOPF_AGENT_RID_MAX   64
#define IOPF_AGENT_PASID_MAX 4096

struct iopf_agent_options {
	uint32_t size_bytes; /* of this struct */
	uint32_t rid_count;  /* 1..IOPF_AGENT_RID_MAX */
	const uint32_t *rids; /* copied */
	struct iopf_memory memory; /* the guest's own, by guest-physical address; borrowed */
	uint64_t base;         /* pages that the agent may use for everything it builds: */
	uint64_t region_bytes; /* structures, queues, page tables; multiples of 4096 */
	uint32_t levels;       /* as those that are offered, or fewer */
	uint32_t pasid_max;    /* 1..IOPF_AGENT_PASID_MAX attached at once */
	uint32_t pasid_bits;   /* 1..20, VT-d: 13..20: PASIDs are smaller than 2^n */
	uint32_t command_order; /* the command queue is 2^n pages, 0..7 */
	uint32_t request_order; /* the page request queue is 2^n pages, 0..7; and so is the
				 * event queue, where the family has one */
	uint32_t interrupt_data;
	uint64_t interrupt_addr; /* message that says: requests are there; 0: masked */
	const struct iopf_register_ops *registers; /* of the virtual IOMMU; borrowed */
	void *register_context;
	const struct iopf_agent_ops *ops; /* borrowed */
	void *context;                    /* of the ops */
	const char *family; /* of the virtual IOMMU; NULL: "vtd" */
	const uint8_t *mechanisms; /* enum iopf_mechanism of each rid, as the platform says
				    * it; copied; NULL: every one sends page requests */
};

/* clang-format off */
#define IOPF_AGENT_COUNTERS(X) \
	X(requests,    "page requests taken") \
	X(groups,      "groups that came whole") \
	X(answers,     "answers put into the command queue") \
	X(success,     "of them success") \
	X(invalid,     "of them invalid") \
	X(failure,     "of them failure") \
	X(deferred,    "groups left to the caller") \
	X(stop_markers, "stop markers") \
	X(faults,      "faults that ask for nothing") \
	X(terminations, "times all stalls of a stream were ended") \
	X(discarded,   "stalls whose records came after that") \
	X(partials,    "partial groups thrown away") \
	X(overflows,   "overflows recovered from") \
	X(drains,      "detaches ended; each had drained") \
	X(redrains,    "drains begun again after an overflow or a timeout") \
	X(out_of_pages, "times there was no page for a table")
/* clang-format on */
#define IOPF_AGENT_MEMBER(name, text) uint64_t name;
struct iopf_agent_stats {
	IOPF_AGENT_COUNTERS(IOPF_AGENT_MEMBER)
};

/* Returns: the size, or 0 where an option is out of its range. */
size_t iopf_agent_size_bytes(const struct iopf_agent_options *options);

/*
 * Make an agent in @memory (aligned to 64), and its structures in the region, which is
 * cleared. No register is touched.
 *
 * Owns:    borrows @memory and what @options points to (the rids are copied).
 * Returns: 0, -EINVAL, -ENOSPC (@memory or the region is too small).
 */
int iopf_agent_create(const struct iopf_agent_options *options, void *memory,
		      size_t memory_bytes, struct iopf_agent **agent);

/*
 * Program the registers: root table, command queue, page request queue, translation.
 *
 * Returns: 0; -EAGAIN: the IOMMU has not confirmed a step, call again; -ENODEV: it
 *          lacks what is needed (scalable mode, first level, PASIDs, page requests,
 *          drains); or as iopf_driver_start().
 */
int iopf_agent_start(struct iopf_agent *agent);

/*
 * Switch translation, page requests and the command queue off. Everything that was
 * asked is forgotten. Returns: 0, -EAGAIN (call again), or as iopf_driver_stop().
 */
int iopf_agent_stop(struct iopf_agent *agent);

/*
 * Give (@rid, @pasid) an empty address space. @pasid: 1..IOPF_PASID_MAX, or
 * IOPF_PASID_NONE for requests without one.
 *
 * Returns: 0 and @ticket: in use once iopf_agent_waited(). -EINVAL (rid, PASID),
 *          -EEXIST, -EBUSY (a detach is under way), -ENOSPC (PASIDs or pages),
 *          -EAGAIN (no room in the command queue).
 */
int iopf_agent_attach(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint64_t *ticket);

/*
 * Begin to take it away: entry cleared, caches invalidated, requests drained (VT-d,
 * "Software Steps to Drain Page Requests & Responses"). The function does no more DMA
 * in it, and groups left to the caller were answered. iopf_agent_poll() ends it.
 *
 * Returns: 0, -ENOENT, -EBUSY (under way already), -EAGAIN (no room).
 */
int iopf_agent_detach(struct iopf_agent *agent, uint32_t rid, uint32_t pasid);

/* 0: attached; -EBUSY: its detach is under way; -ENOENT: free. */
int iopf_agent_attached(const struct iopf_agent *agent, uint32_t rid, uint32_t pasid);

/*
 * Map one page. IOPF_WRITE and IOPF_EXEC in @perm are rights beyond reading;
 * IOPF_PRIV: for supervisor requests only. An entry that is there is replaced.
 *
 * Returns: 0, -ENOENT (no such address space), -EINVAL (addresses), -ENOSPC (pages).
 */
int iopf_agent_map(struct iopf_agent *agent, uint32_t rid, uint32_t pasid, uint64_t addr,
		   uint64_t gpa, uint8_t perm);

/*
 * Take the pages of a range away and invalidate; they may be used for something else
 * once iopf_agent_waited(@ticket).
 *
 * Returns: 0, -ENOENT, -EINVAL, -EAGAIN (no room in the command queue; nothing done).
 */
int iopf_agent_unmap(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		     uint64_t addr, uint64_t size_bytes, uint64_t *ticket);

/* Put a wait into the queue (@drain: of page requests, too). 0 and @ticket, -EAGAIN. */
int iopf_agent_wait(struct iopf_agent *agent, bool drain, uint64_t *ticket);

/* The wait behind @ticket has completed. Tickets complete in order. */
bool iopf_agent_waited(struct iopf_agent *agent, uint64_t ticket);

/*
 * Take at most @budget records, serve and answer them, recover from an overflow, end
 * detaches. Call on the interrupt, and while it returns @budget. Writes the command
 * queue's tail once.
 *
 * Returns: how many records were taken.
 */
uint32_t iopf_agent_poll(struct iopf_agent *agent, uint32_t budget);

/* Answer a group that the pager left to the caller; of a function that stalls, @index is
 * the tag. 0, -EAGAIN (no room). */
int iopf_agent_answer(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint16_t index, enum iopf_code code);

/*
 * Begin to end every stall of @rid at once, also those that nobody knows of: its entry
 * aborts, STALL_TERM, what is left of its events is thrown away; then it is as before.
 * iopf_agent_poll() ends it. The function does no DMA meanwhile.
 *
 * Returns: 0, -EINVAL (rid), -EOPNOTSUPP (it does not stall), -EBUSY (under way already),
 *          -EAGAIN (no room), -EFAULT (its entry is not in memory any more).
 */
int iopf_agent_terminate(struct iopf_agent *agent, uint32_t rid);

/*
 * For guests that do what they want: any command, or any bytes of a descriptor's size
 * (VT-d 32, others 16), at the queue's tail. Nothing is checked. Then iopf_agent_kick().
 *
 * Returns: 0, -EAGAIN (no room), -ERANGE or -EOPNOTSUPP (cannot be encoded).
 * Tickets of commands that were spoiled this way may never complete.
 */
int iopf_agent_command(struct iopf_agent *agent, const struct iopf_command *command);
int iopf_agent_descriptor(struct iopf_agent *agent, const uint8_t *bytes);

/*
 * And one more: (@rid, @pasid)'s entry is cleared and the caches forget it, as in a detach;
 * nothing is drained, and the agent goes on as if it were there.
 *
 * Returns: 0 and @ticket, -ENOENT (no such address space), -EAGAIN (no room).
 */
int iopf_agent_forget(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint64_t *ticket);

/* Tell the IOMMU about commands that were put since the last time. */
void iopf_agent_kick(struct iopf_agent *agent);

/*
 * Where the command queue stopped with an error: replace the descriptor and go on;
 * where a wait was given up because a device did not answer, or requests could not be
 * written: drain again; where events could not: terminate what may have stalled.
 *
 * Returns: what there was (enum iopf_driver_error), 0, or a negative errno.
 */
int iopf_agent_recover(struct iopf_agent *agent);

/* Where it built what, for those who rewrite it: guest-physical addresses. */
struct iopf_agent_layout {
	uint64_t root, command_queue, request_queue, status;
	uint64_t tables; /* from here to the end of the region: page tables */
	uint64_t end;
	uint64_t event_queue; /* 0: the family has none */
};
void iopf_agent_layout(const struct iopf_agent *agent, struct iopf_agent_layout *layout);

/* A copy of the counters, at any time. */
void iopf_agent_stats(const struct iopf_agent *agent, struct iopf_agent_stats *stats);

/* The queue driver below: its counters and errors. Borrowed, lives as long. */
struct iopf_driver *iopf_agent_driver(struct iopf_agent *agent);

#ifdef __cplusplus
}
#endif

#endif
