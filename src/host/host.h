/* SPDX-License-Identifier: BSD-3-Clause */
/* host/host.h - the composition: who is there, and how far each thing has got. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/map.h"
#include "base/pages.h"
#include "iopf/host.h"
#include "pager/pager.h"
#include "queue/hardware.h"

enum host_limits {
	HOST_PASID_BITS = 20,
	HOST_RID_MAX = 0xffff,
	HOST_BATCH = 64,         /* requests, responses at once */
	HOST_COMMANDS_KEPT = 8,  /* room that responses leave to invalidations and waits */
	HOST_STOP_MARKERS = 16,  /* queue entries that no allocation may use */
	HOST_RESERVE = 64,       /* the broker's reserve slots */
	HOST_CAPABILITIES_MAX = 64,
	HOST_EXCESS_MAX = 8, /* overflows in HOST_EXCESS_NS that one may cause */
	HOST_POLL_NS = 50000,    /* how often something is looked at that rings nobody */
	HOST_RECENT = 8,         /* responses that are told with a complaint */
	HOST_SHADOW_PAGES = 512, /* of tables, for all shadows of one guest together */
};
#define HOST_EXCESS_NS UINT64_C(1000000000)

/* A wait in the command queue; given up by hardware when a function does not answer. */
struct host_wait {
	uint64_t wait;
	uint64_t timeouts; /* seen when it was submitted */
	bool armed;
};

/* Where requests come from. A kind is a place in iopf_host.sources[]. */
enum host_source_kind { HOST_PRI, HOST_STALLS, HOST_SOURCE_COUNT };

struct host_source {
	uint32_t id; /* the broker's; IOPF_NO_ID: this IOMMU has none */
	uint32_t pending_first, pending_count; /* that the broker had no room for */
	struct iopf_request pending[HOST_BATCH];
};

/* Everything that functions had sent is in the ledger: a wait, then what was in the
 * queue when it was done has been taken. */
struct host_drain {
	struct host_wait wait;
	uint64_t overflows; /* counted when it began */
	uint64_t target;    /* records to have been taken */
	bool lost;          /* some never came into the queue */
	uint8_t phase;
};

/*
 * What becomes of a function, beside the broker's operation on it.
 *
 *   FREE <--> TAKEN --> PRESENT --> BLOCKED
 *               ^        ^   |         |
 *               |        |   v         |
 *               |        |  RESET <----+      from each of PRESENT to BLOCKED
 *               |        |   |  \             also to RESET, and to CLOSING
 *               |        |   |   v
 *               |        |   |  RESTING
 *               |        |   v  v
 *            CLOSING    RETURNING
 *
 *   FREE      -> TAKEN     [mark_functions]  a guest's place
 *   TAKEN     -> PRESENT   [add_endpoint]
 *   PRESENT   -> BLOCKED   [guard_block]  it does not answer invalidations, or sends
 *                                            more than its own, again and again
 *   there     -> RESET     [iopf_host_reset_function]
 *   RESET     -> RESTING, RETURNING  [reset] the function was told
 *   RESTING   -> RETURNING [reset]           its time is over
 *   RETURNING -> PRESENT   [operation_over]  drained, and switched on where it can be
 *                          [at_rest]         of a virtual one: with its physical function
 *   RESET, RESTING, RETURNING -> PRESENT  [iopf_host_remove_function]  nothing to return to
 *   there     -> CLOSING   [removed]         the broker has forgotten it
 *   CLOSING   -> TAKEN     [close_function]  and so have the caches
 *   TAKEN     -> FREE      [mark_functions]
 *
 *   there      PRESENT to BLOCKED: the broker knows its endpoint
 *   PRESENT    the only state in which its translation cache is asked to forget
 *   RESET      the ledger has forgotten what it asked, and responses to it are on their way
 *   RESTING    until ready_ns; nobody reads its registers
 *   RETURNING  its registers are at their defaults
 *   BLOCKED    the IOMMU keeps it out; what it remembers is not known
 *   CLOSING    it has no endpoint
 */
enum function_state {
	FUNCTION_FREE,
	FUNCTION_TAKEN,
	FUNCTION_PRESENT,
	FUNCTION_RESET,
	FUNCTION_RESTING,
	FUNCTION_RETURNING,
	FUNCTION_BLOCKED,
	FUNCTION_CLOSING,
	FUNCTION_STATE_COUNT
};

/* Changed at once they are few: a guest changes one space after the other. */
enum { HOST_UNTOLD_MAX = 4 };

struct host_function {
	uint8_t state; /* enum function_state; function_move() writes it */
	uint8_t door;  /* enum family_door: what the IOMMU lets in of it */
	bool gone;     /* its registers read as all ones */
	bool leaving;  /* its guest is being taken out */
	/* Entries of it were changed and the caches have not heard of it; nothing goes on
	 * before that (VT-d, "Guidance to Software for Invalidations"). */
	bool untold, untold_context;
	bool detaching;
	bool restart_wanted; /* when what is under way is over */
	bool wants_pasid;
	bool other_shown;  /* its guest does not know what it really is */
	uint8_t step_phase; /* of the operation's present step */
	uint32_t untold_pasid; /* or IOPF_PASID_ANY: all of them */
	/* Each of them, for an IOMMU that cannot say "all" to a function's own cache. */
	uint32_t untold_each[HOST_UNTOLD_MAX];
	uint32_t untold_count; /* HOST_UNTOLD_MAX + 1: more than there is room for */
	uint32_t detach_pasid;
	uint32_t space_count; /* attached, or being detached */
	uint32_t rid, guest_rid;
	uint32_t guest;
	uint32_t endpoint;
	uint32_t allocation;
	uint64_t exceeded;  /* times, when the queue overflowed last */
	uint64_t excess_ns; /* since when it does */
	uint32_t excesses;  /* overflows since then that it had a part in */
	uint64_t ready_ns;
	uint16_t ats, pri, pasid, aer, express; /* where the capabilities are; 0: none */
	uint32_t physical; /* whose page request interface it uses: index into functions[];
			    * IOPF_NO_ID: its own */
	const struct iopf_function_ops *ops; /* NULL: a platform master */
	const struct iopf_master_ops *master; /* NULL: a PCIe function */
	void *context;
	struct iopf_config *config; /* what its guest sees of it; NULL: nothing */
	struct host_drain drain;
	struct host_wait reset_wait, step_wait;
};

/* Who did not answer, where hardware does not say: those that may be are asked one by
 * one, and until that is over nobody else asks anything of a function. */
struct host_inquiry {
	bool active;
	bool asking;       /* functions[at]; otherwise the queue is being emptied */
	uint32_t at;
	uint64_t timeouts; /* seen when it was asked */
	struct host_wait wait;
};

/*
 * A table of the host's own that follows one address space of a guest, where the guest's
 * own tables are not what the IOMMU reads: (function, PASID) -> what the device sees.
 *
 *   FREE ---> OPEN <--> EMPTIED
 *    ^          |          |
 *    +-- CLOSING <---------+
 *
 *   FREE    -> OPEN     [shadow_open]   with its attachment
 *   OPEN    -> EMPTIED  [shadow_empty]  pages ran out: everything unmapped, caches told
 *   EMPTIED -> OPEN     [shadows_run]   the caches know: its tables are given back
 *   either  -> CLOSING  [shadow_close]  nothing leads to it any more
 *   CLOSING -> FREE     [shadows_run]   and no cache does
 *
 *   OPEN and EMPTIED are in the guest's map; in EMPTIED nothing is mapped.
 */
enum shadow_state { SHADOW_FREE, SHADOW_OPEN, SHADOW_EMPTIED, SHADOW_CLOSING };

struct host_shadow {
	struct family_stage stage;
	struct host_wait wait; /* EMPTIED, CLOSING: behind the invalidations */
	uint32_t function;     /* index into functions[] */
	uint32_t pasid;
	uint32_t page_count;   /* of tables */
	uint32_t next;         /* of those that are free, or that wait; MAP_NONE: none */
	uint8_t state;         /* enum shadow_state */
};

/* The shadows of one guest, twice as many as it may have address spaces: those that are
 * closing need their places a little longer. In the guest's memory. */
struct host_shadows {
	struct host_shadow *shadow; /* NULL: this guest's tables are what the IOMMU reads */
	struct map map;             /* function, PASID -> index */
	uint32_t count;
	uint32_t free_first, waiting_first;
	uint32_t page_count; /* of all of them */
	bool made_room;      /* for the group that is being followed */
};

struct host_guest {
	bool used, gone, over, paused;
	bool failed; /* it could not be taken in: what was done is undone */
	bool owned;  /* the broker knows its owner */
	bool dirty; /* invalidations were issued since the last wait */
	bool parked;
	struct iopf_host *host;
	struct iopf_guest *guest; /* NULL: the host's own pager is the owner */
	struct iopf_group parked_group;
	struct iopf_pager pager;
	struct host_shadows shadows;
	uint32_t owner;
	uint32_t function_first, function_count; /* functions adjoin */
	uint32_t spaces; /* of the broker's attachments: its share */
	struct host_wait wait;
	struct host_drain drain[HOST_SOURCE_COUNT];
	uint8_t sources; /* that its functions use: a bit each, as below */
	uint8_t drained; /* those that are; then what was taken has to be shown */
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
	void *context;
};

struct iopf_host {
	struct iopf_host_options options;
	const struct family *family;
	const struct hardware_family *hardware;
	struct pages pages;
	struct family_tables tables;
	struct iopf_driver *driver;
	struct iopf_broker *broker;
	struct host_source sources[HOST_SOURCE_COUNT];
	struct host_inquiry inquiry;
	uint64_t now_ns; /* of this turn */
	uint64_t status_ns;
	uint64_t timeouts; /* times a wait was given up */
	bool waiting;      /* something is under way that rings nobody */
	uint32_t guest_turn;
	uint32_t function_end;
	uint32_t spaces; /* attachments that are promised to guests and pagers */
	struct iopf_page scratch[IOPF_HOST_ALLOCATION_MAX];
	struct host_guest *guests;
	struct host_function *functions;
	uint32_t *function_of_endpoint;
	struct iopf_host_stats stats;
};

/* ---- function.c: configuration space ------------------------------------------- */

static inline enum host_source_kind function_source(const struct host_function *function)
{
	return function->master != NULL ? HOST_STALLS : HOST_PRI;
}

/* Find its capabilities. Returns: 0, -ENODEV. */
int function_probe(const struct iopf_host *host, struct host_function *function);
/* ATS, PASID, PRI on. Returns: 0, -EBUSY (PRI has not stopped), -ENODEV. */
int function_enable(const struct host_function *function);
void function_disable(const struct host_function *function);
bool function_gone(const struct host_function *function);
/* Requests that it can have open at once, all together. */
uint32_t function_capacity(const struct iopf_host *host,
			   const struct host_function *function);
bool function_stopped(const struct host_function *function);
/* Of a virtual function, nothing: the interface is the physical one's. */
enum function_pri { FUNCTION_PRI_OFF, FUNCTION_PRI_RESET, FUNCTION_PRI_ON };
void function_pri(const struct host_function *function, enum function_pri what);
void function_reset(const struct host_function *function);
/* What it complains of, enum iopf_status; cleared there. */
uint32_t function_status(const struct host_function *function);

static inline void operation_begins(struct host_function *function)
{
	function->drain = (struct host_drain){ 0 };
	function->step_phase = 0;
}

/* ---- operation.c: resets, removals, detaches, step by step --------------------- */

void function_move(const struct iopf_host *host, struct host_function *function,
		   enum function_state state);

/* The broker knows its endpoint. */
static inline bool function_there(const struct host_function *function)
{
	return function->state >= FUNCTION_PRESENT && function->state <= FUNCTION_BLOCKED;
}

/* Something of it is left, in the broker or in a cache. */
static inline bool function_used(const struct host_function *function)
{
	return function->state >= FUNCTION_PRESENT;
}

/* One step of each function's operation. Returns: how many were done. */
uint32_t operations_run(struct iopf_host *host);

/* ---- guard.c: who is kept out, and who complains ------------------------------- */

/* The queue overflowed: whoever does it again and again is blocked. */
void guard_block(struct iopf_host *host, struct host_function *function);
void guard_overflowed(struct iopf_host *host);
/* Records could not be written: what functions wait for is not known. */
void guard_lost(struct iopf_host *host, enum host_source_kind kind);
/* An invalidation was not answered. */
void guard_timeout(struct iopf_host *host);
void guard_inquire(struct iopf_host *host);
/* Read every function's status, and see who is gone. */
void guard_status(struct iopf_host *host);

/* ---- host.c -------------------------------------------------------------------- */

/* Entries of the event queue; 0: there is none. */
uint32_t host_stall_entries(const struct iopf_host_options *options);

/* ---- wait.c -------------------------------------------------------------------- */

/* 0: it and all commands before it are done; -EAGAIN. */
int host_waited(struct iopf_host *host, struct host_wait *wait, uint32_t flags);
/* 0; -EAGAIN: not yet; -EOVERFLOW: requests were lost meanwhile, begin again. */
int host_drained(struct iopf_host *host, enum host_source_kind kind,
		 struct host_drain *drain);

/* ---- caches.c: what the IOMMU and the function remember ------------------------ */

/* The entry of @pasid, or with IOPF_PASID_ANY all of them, is not what it was. */
void caches_forget(struct host_function *function, uint32_t pasid);
/* Nor is its context entry. */
void caches_forget_context(struct host_function *function);
/* Put it into the command queue. Returns: 0, -EAGAIN. */
int caches_tell(struct iopf_host *host, struct host_function *function);
/* Whether the function's own cache has to hear of anything. */
bool caches_in_function(const struct host_function *function);
/* What the IOMMU lets in of it, from when the caches have heard of it. */
int function_door(struct iopf_host *host, struct host_function *function,
		  enum family_door door);
/* @commands, each done before what stands behind it. The caller has asked for room. */
void caches_put(struct iopf_host *host, const struct iopf_command *commands,
		uint32_t count);
/* Whether all that one change needs has room in the command queue, and may be asked. */
bool caches_room(struct iopf_host *host);
uint16_t caches_domain(const struct iopf_host *host, const struct host_function *function);

/* ---- members.c ----------------------------------------------------------------- */

/* The guest called @guest, or NULL. */
struct host_guest *guest_get(const struct iopf_host *host, uint32_t guest);
/* Disable and remove what it has, then forget it. Returns: 0, -EAGAIN. */
int guest_leave(struct iopf_host *host, struct host_guest *guest);

/* ---- guest.c: what guests ask for ---------------------------------------------- */

extern const struct iopf_guest_ops host_guest_ops;

/* The number under which the physical structures know @pasid. */
uint32_t physical_pasid(const struct iopf_host *host, uint32_t pasid);

/* (function, pasid) gets @first_levels of tables at @first_root over @guest's stage;
 * 0: the stage alone. */
int guest_space(struct host_guest *guest, struct host_function *function,
		uint32_t pasid, const struct iopf_address_space *space);

/* ---- config.c: what a guest sees of its functions ------------------------------- */

/* Bytes for the spaces that @options wants; the memory is aligned to 64. */
size_t views_size_bytes(const struct iopf_host_guest_options *options);
/* Returns: 0, -EINVAL (an option of one). */
int views_create(struct iopf_host *host, struct host_guest *guest,
		 const struct iopf_host_guest_options *from, void *memory);
/* Whether the guest knows that there is a cache in the function. */
bool view_caches(const struct host_function *function);

/* ---- shadow.c: tables that follow a guest's ------------------------------------ */

/* Bytes for @space_max address spaces; the memory is aligned to 64. */
size_t shadows_size_bytes(uint32_t space_max);
void shadows_create(struct host_shadows *shadows, uint32_t space_max, void *memory);

static inline bool shadows_used(const struct host_shadows *shadows)
{
	return shadows->shadow != NULL;
}

/* Of (@function, @pasid), or NULL. */
struct host_shadow *shadow_find(const struct host_guest *guest,
				const struct host_function *function, uint32_t pasid);
/* Returns: 0, -EAGAIN (places are about to be free), or no page. */
int shadow_open(struct host_guest *guest, const struct host_function *function,
		uint32_t pasid, struct host_shadow **shadow);
/* Nothing leads to it any more; the caches of @function are told, or will be. */
void shadow_close(struct host_guest *guest, const struct host_function *function,
		  uint32_t pasid);
void shadows_close(struct host_guest *guest, const struct host_function *function);
uint16_t shadow_asid(const struct host_guest *guest, const struct host_shadow *shadow);

/* Where the guest's tables lead, for each of @pages: into the shadow, if there is one.
 * What they do not lead to is left out. Returns: 0, -EAGAIN (again when the command queue
 * has room, or pages are back), or why a page cannot be mapped. */
int shadow_follow(struct host_guest *guest, const struct host_function *function,
		  uint32_t pasid, const struct iopf_page *pages, uint32_t page_count);
/* The guest invalidates: out of the shadow, and the caches told. 0, -EAGAIN. */
int shadow_invalidate(struct host_guest *guest, struct host_shadow *shadow,
		      const struct iopf_command *said);
/* Give back what the caches have forgotten. True: nothing waits. */
bool shadows_run(struct host_guest *guest);

/* ---- route.c: whose stage missed ----------------------------------------------- */

/* Show, serve or end groups of @guest. Returns: how many. */
uint32_t host_show(struct iopf_host *host, struct host_guest *guest, uint32_t budget);
/* @token was answered success: what its pages still lack, before their device looks. */
void host_look_again(struct host_guest *guest, uint64_t token);
/* The group that waits for an index waits no more: its function is told to ask again. */
void host_unpark(struct iopf_host *host, struct host_guest *guest);

/* ---- run.c --------------------------------------------------------------------- */

void host_note(struct iopf_host *host, struct iopf_note note);
uint32_t host_respond(struct iopf_host *host);

static inline struct host_function *host_function_of(const struct iopf_host *host,
						     uint32_t endpoint)
{
	uint32_t at = endpoint < host->options.function_max ?
			      host->function_of_endpoint[endpoint] :
			      IOPF_NO_ID;

	return at == IOPF_NO_ID ? NULL : &host->functions[at];
}

#endif
