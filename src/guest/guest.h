/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/guest.h - the host's side of a guest, inside.
 *
 * Registers and queues are the hardware end's (queue room), index states are shown.h's.
 * Here: which address spaces the guest has announced, and its present command.
 *
 * What depends on the family of its IOMMU is a row, struct guest_family: what its
 * registers offer, what its structures say, what a command means, how a group is shown,
 * how its first level is walked.
 *
 * A command is carried out in steps. Whatever a step needs is in struct iopf_guest: the
 * same command is asked again until it is done, and goes on where it was.
 *
 *   scan     what the guest's structures say is compared with what is attached: first
 *            every attached space, then every entry that is there. A change that is
 *            found goes to the host before the scan moves on.
 *   forward  an invalidation goes to the host once for each space that it touches.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "base/map.h"
#include "guest/shown.h"
#include "iopf/queue.h"
#include "table/smmuv3.h"
#include "table/vtd_scalable.h"

struct iopf_guest;

/* One address space that the host was told of. */
struct guest_space {
	struct iopf_address_space value;
	uint32_t function; /* index into functions[] */
	uint32_t pasid;    /* or IOPF_PASID_NONE */
	uint32_t entry;    /* the PASID whose entry it came from, also for none;
			    * UINT32_MAX: no entry */
	union {
		struct smmuv3_cd smmuv3;
	} detail; /* of the entry, what is not in @value; as it was copied */
	bool global;       /* it led to a page that is the same in every address space */
	bool leaving;      /* its detach took too long: asked for again before anything */
};

/* A change that the host is being asked for; its values stay until that is done. */
struct guest_change {
	bool active;
	bool wanted; /* @next is what the guest has now; false: nothing */
	struct guest_space next;
};

enum guest_scan_phase {
	GUEST_SCAN_IDLE,
	GUEST_SCAN_ONE,      /* the entry of one PASID, and that for requests without */
	GUEST_SCAN_ATTACHED, /* spaces that are attached: still so? */
	GUEST_SCAN_ENTRIES,  /* entries that are there: attached? */
};

struct guest_scan {
	uint8_t phase; /* enum guest_scan_phase */
	bool closing;  /* the guest is reset: whatever its structures say, nothing is */
	bool none;     /* the requests without PASID of this function were looked at */
	uint32_t function, end; /* of functions: this one, and where to stop */
	uint32_t pasid;
	uint32_t space; /* ATTACHED: those below this one are to be looked at */
};

struct guest_function {
	struct iopf_guest_endpoint value;
	struct shown *shown;
};

/* Carries one command out. 0: done; -EAGAIN: asked again; -ETIMEDOUT: a device did not
 * answer in time. */
typedef int guest_command_fn(struct iopf_guest *guest,
			     const struct iopf_command *command);

struct guest_route;

/* What a family of IOMMUs does in its own way. */
struct guest_family {
	const char *name;
	const struct iopf_wire *wire;
	uint32_t mechanisms; /* 1 << enum iopf_mechanism: how it can show a group */
	uint32_t rid_max;
	bool iotlb_pasids; /* IOTLB invalidations that name a PASID are for that only */
	bool off_forgets;  /* with translation goes what was asked */
	bool waits_drain;  /* no wait says so: each drains once something was torn down */
	guest_command_fn *const *command; /* by kind */
	const uint32_t *doorbells; /* registers that take no command away; 0 ends */
	bool (*levels_valid)(uint32_t levels);
	/* What its IOMMU can do: guest->features, and the registers that say so. */
	void (*registers)(struct iopf_guest *guest,
			  struct iopf_hardware_options *options);
	/* What is there for (@function, @pasid) now. False: nothing; nor for any PASID up
	 * to *@last, where it is one. */
	bool (*read)(struct iopf_guest *guest, uint32_t function, uint32_t pasid,
		     struct guest_space *space, uint32_t *last);
	/* The details of two spaces with the same value and entry are the same. NULL:
	 * there are none. */
	bool (*same)(const struct guest_space *a, const struct guest_space *b);
	/* The number of an event by enum table_fault. NULL: no stall can be shown. */
	uint8_t (*reason)(uint8_t fault);
	/* It can have come from a cached entry of @space: it is for the host. */
	bool (*touches)(const struct iopf_guest *guest,
			const struct iopf_command *command,
			const struct guest_space *space);
	/* Each page of an access to @space that is not in the second level, by
	 * guest_route_need(); what is the guest's to mend, into the route's stages. */
	void (*route)(const struct guest_route *route, const struct guest_space *space,
		      uint64_t addr, uint8_t perm);
	/* Walk the first level of @space. */
	bool (*walk)(const struct iopf_guest *guest, const struct guest_space *space,
		     uint64_t addr, uint8_t perm, bool update,
		     struct table_result *result);
	/* The leaf that a walk ended with is that of every address space. NULL: no
	 * invalidation makes a difference of it. */
	bool (*global)(uint64_t leaf);
};

extern const struct guest_family guest_vtd, guest_smmuv3;

struct iopf_guest {
	const struct guest_family *family;
	struct iopf_hardware *hardware;
	void *hardware_memory;
	union {
		struct vtd_features vtd;
		struct smmuv3_features smmuv3;
	} features; /* what its IOMMU can do, as its registers say */
	const struct iopf_guest_ops *ops;
	void *context;
	struct iopf_memory memory;
	struct guest_function *functions;
	struct guest_space *spaces; /* space_count of them, in no order */
	struct map space_map;       /* function, PASID -> index into spaces[] */
	struct map token_map;       /* token -> function, index */
	uint32_t function_count, space_count, space_max;
	uint32_t levels;
	uint64_t hold_ns;

	struct guest_change change;
	struct guest_scan scan;
	struct iopf_command command; /* the present one, once it was begun */
	bool begun;
	uint32_t forward;   /* the next candidate of an invalidation; a wait: 1: those
			     * before it have completed */
	uint32_t forwarded; /* how many it went to the host for */

	bool undrained;  /* something was torn down, and no drain has completed since */
	bool unfinished; /* a change was passed over: the next to confirm it fails */
	bool held;       /* the last operation said -EAGAIN */
	bool holding;    /* since hold_since_ns */
	uint64_t hold_since_ns;
	uint64_t now_ns;
	uint32_t budget; /* steps left in this run */

	struct iopf_guest_stats stats;
};

/* ---- guest.c ------------------------------------------------------------------------ */

/* Index of the function @rid, or of the broker's @endpoint; function_count: none. */
uint32_t guest_function_of_rid(const struct iopf_guest *guest, uint32_t rid);
uint32_t guest_function_of_endpoint(const struct iopf_guest *guest, uint32_t endpoint);

/* One step of the present run. False: the budget is used up. */
bool guest_step(struct iopf_guest *guest);

#define GUEST_PASSED_OVER 1

/*
 * What an operation of the host said. -EAGAIN: stand still and ask again, or, once that
 * has taken too long, GUEST_PASSED_OVER. Anything else comes back as it is, counted.
 */
int guest_settle(struct iopf_guest *guest, int result);

/* ---- space.c ------------------------------------------------------------------------ */

struct guest_space *guest_space_find(const struct iopf_guest *guest, uint32_t function,
				     uint32_t pasid);

/*
 * Begin to compare, for @count functions from @first on: the entries of @pasid, or
 * everything.
 */
void guest_scan_pasid(struct iopf_guest *guest, uint32_t first, uint32_t count,
		      uint32_t pasid);
void guest_scan_functions(struct iopf_guest *guest, uint32_t first, uint32_t count);
void guest_scan_all(struct iopf_guest *guest);

/* Go on. Returns: 0: done; -EAGAIN: the budget is used up or the host is asked. */
int guest_scan_run(struct iopf_guest *guest);

/* ---- show.c ------------------------------------------------------------------------- */

#define GUEST_EVERY_MECHANISM (1u << IOPF_PRI | 1u << IOPF_STALLS)

/* What was shown by @mechanisms (1 << enum iopf_mechanism) is forgotten, as where the
 * queue of it is switched off. */
void guest_forget(struct iopf_guest *guest, uint32_t mechanisms);

/* ---- command.c ---------------------------------------------------------------------- */

extern const struct iopf_hardware_ops guest_hardware_ops;

/* Those that mean the same in every family. */
guest_command_fn guest_command_response, guest_command_terminate,
	guest_command_invalidate, guest_command_wait, guest_command_other;

/* A command that a scan was begun for goes on; @guest is held up until it is done. */
int guest_command_scan(struct iopf_guest *guest);

/* ---- route.c ------------------------------------------------------------------------ */

/* The second level knows no privilege. */
#define GUEST_SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

struct guest_route {
	const struct iopf_guest *guest;
	bool (*mapped)(void *context, uint64_t gpa, uint8_t perm);
	void *context;
	struct iopf_route *out;
};

/* The access needs the page of @gpa, for @perm. */
void guest_route_need(const struct guest_route *route, uint64_t gpa, uint8_t perm);

#endif
