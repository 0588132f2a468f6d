/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/guest.h - the host's side of a guest, inside.
 *
 * Registers and queues are the hardware end's (queue room), index states are shown.h's.
 * Here: which address spaces the guest has announced, and its present command.
 *
 * What depends on the family of its IOMMU is in rows of the rooms below: what its registers
 * offer and how a group is shown (struct hardware_family), what its structures say and
 * how its first level is walked (struct family_guest).
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
#include "queue/hardware.h"
#include "table/family.h"

struct iopf_guest;

/* One address space that the host was told of. */
struct guest_space {
	struct family_entry entry;
	uint32_t function; /* index into functions[] */
	uint32_t pasid;    /* or IOPF_PASID_NONE */
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

struct iopf_guest {
	const struct family *family;
	const struct family_guest *structures; /* the family's */
	const struct hardware_family *registers;
	struct iopf_hardware *hardware;
	void *hardware_memory;
	struct family_view view; /* root as it was when it was read last */
	const struct iopf_guest_ops *ops;
	void *context;
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

/* Begin to compare, for @count functions from @first on: the entries of @pasid, or with
 * IOPF_PASID_ANY everything. */
void guest_scan(struct iopf_guest *guest, uint32_t first, uint32_t count, uint32_t pasid);
void guest_scan_all(struct iopf_guest *guest);

/* Go on. Returns: 0: done; -EAGAIN: the budget is used up or the host is asked. */
int guest_scan_run(struct iopf_guest *guest);

/* ---- show.c ------------------------------------------------------------------------- */

#define GUEST_EVERY_MECHANISM (1u << IOPF_PRI | 1u << IOPF_STALLS)

/* What was shown by @mechanisms (1 << enum iopf_mechanism) is forgotten, as where the
 * queue of it is switched off. */
void guest_forget(struct iopf_guest *guest, uint32_t mechanisms);

/* Carries a command out. 0: done; -EAGAIN: asked again; -ETIMEDOUT: a device did not answer
 * in time. */
typedef int guest_command_fn(struct iopf_guest *guest, const struct iopf_command *command);

guest_command_fn guest_command_response, guest_command_terminate;

/* ---- command.c ---------------------------------------------------------------------- */

extern const struct iopf_hardware_ops guest_hardware_ops;

#endif
