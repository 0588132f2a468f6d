/* SPDX-License-Identifier: BSD-3-Clause */
/* host/host.h - the composition: who is there, and how far each thing has got. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/map.h"
#include "base/pages.h"
#include "iopf/host.h"
#include "pager/pager.h"

enum host_limits {
	HOST_BATCH = 64,         /* requests, responses at once */
	HOST_COMMANDS_KEPT = 8,  /* room that responses leave to invalidations and waits */
	HOST_STOP_MARKERS = 16,  /* queue entries that no allocation may use */
	HOST_RESERVE = 64,       /* the broker's reserve slots */
	HOST_CAPABILITIES_MAX = 64,
};

/* A wait in the command queue; given up by hardware when a function does not answer. */
struct host_wait {
	uint64_t wait;
	uint64_t timeouts; /* seen when it was submitted */
	bool armed;
};

/* Everything that functions had sent is in the ledger: a wait, then the queue empty. */
struct host_drain {
	struct host_wait wait;
	uint64_t overflows; /* counted when it began */
	uint64_t empties;
	uint8_t phase;
};

/* The detach of an address space, as its guest asked for it. */
enum detach_phase {
	DETACH_NONE,
	DETACH_INVALIDATE, /* begun in the broker; entry cleared, caches not yet told */
	DETACH_FINISH,     /* the operation is under way */
};

struct host_function {
	bool taken; /* it belongs to a guest */
	bool used;  /* and is there */
	bool enable_after; /* after a function reset: switch paging on again */
	uint8_t detach;    /* enum detach_phase */
	uint32_t detach_pasid;
	uint32_t rid, guest_rid;
	uint32_t guest;
	uint32_t endpoint;
	uint32_t allocation;
	uint16_t ats, pri, pasid, express; /* where the capabilities are */
	const struct iopf_function_ops *ops;
	void *context;
	struct host_drain drain;
};

struct host_guest {
	bool used, gone, over;
	bool owned; /* the broker knows its owner */
	bool dirty; /* invalidations were issued since the last wait */
	bool parked;
	struct iopf_host *host;
	struct iopf_guest *guest; /* NULL: the host's own pager is the owner */
	struct iopf_group parked_group;
	struct iopf_pager pager;
	uint32_t owner;
	uint32_t function_first, function_count; /* functions adjoin */
	struct host_wait wait;
	struct host_drain drain;
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
	void *context;
};

struct iopf_host {
	struct iopf_host_options options;
	const struct family *family;
	const struct iopf_wire *wire;
	struct pages pages;
	struct family_tables tables;
	struct iopf_driver *driver;
	struct iopf_broker *broker;
	uint32_t source;
	uint64_t now_ns; /* of this turn */
	uint64_t status_ns;
	uint64_t empties;  /* times the physical queue was seen empty */
	uint64_t timeouts; /* waits that were given up */
	uint32_t guest_turn;
	uint32_t function_end;
	uint32_t pending_first, pending_count; /* requests that the broker had no room for */
	struct iopf_request pending[HOST_BATCH];
	struct iopf_page scratch[IOPF_HOST_ALLOCATION_MAX];
	struct host_guest *guests;
	struct host_function *functions;
	uint32_t *function_of_endpoint;
	struct iopf_host_stats stats;
};

/* ---- function.c: configuration space, enable, disable -------------------------- */

int function_probe(struct host_function *function);
/* ATS, PASID, PRI on. Returns: 0, -EBUSY (PRI has not stopped), -ENODEV. */
int function_enable(struct iopf_host *host, struct host_function *function);
void function_disable(const struct host_function *function);
bool function_gone(const struct host_function *function);
bool function_wants_pasid(const struct host_function *function);
uint32_t function_capacity(const struct host_function *function);
/* One step of the broker's operation on it: 0, -EAGAIN, -ENODEV. */
int function_step(struct iopf_host *host, struct host_function *function,
		  enum iopf_step step);
void function_flr(const struct host_function *function);
/* Read RF and UPRGI, clear them, tell the broker. */
void function_status(struct iopf_host *host, struct host_function *function);

/* ---- wait.c -------------------------------------------------------------------- */

/* 0: it and all commands before it are done; -EAGAIN. */
int host_waited(struct iopf_host *host, struct host_wait *wait, uint32_t flags);
/* 0; -EAGAIN: not yet; -EOVERFLOW: requests were lost meanwhile, begin again. */
int host_drained(struct iopf_host *host, struct host_drain *drain);

/* ---- members.c ----------------------------------------------------------------- */

/* The guest called @guest, or NULL. */
struct host_guest *guest_get(const struct iopf_host *host, uint32_t guest);

/* ---- guest.c: what guests ask for ---------------------------------------------- */

extern const struct iopf_guest_ops host_guest_ops;

/* (function, pasid) gets @first_levels of tables at @first_root over @guest's stage;
 * 0: the stage alone. */
int guest_space(struct host_guest *guest, const struct host_function *function,
		uint32_t pasid, const struct iopf_address_space *space);

/* ---- route.c: whose stage missed ----------------------------------------------- */

/* Show, serve or end groups of @guest. Returns: how many. */
uint32_t host_show(struct iopf_host *host, struct host_guest *guest, uint32_t budget);

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
