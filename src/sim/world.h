/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim/world.h - the whole house in one thread under virtual time: functions with their
 * engines, an IOMMU, a host, and guests that are agents. Nothing in it is mocked.
 *
 * Time moves when the caller says so. world_turn() lets everybody work once;
 * world_settle() until nobody has anything to do.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/map.h"
#include "iopf/host.h"
#include "model/engine.h"
#include "model/iommu.h"
#include "model/master.h"

enum world_limits {
	WORLD_GUEST_MAX = 8,
	WORLD_FUNCTION_MAX = 16, /* of all guests */
	WORLD_PAGE_MAX = 8192,   /* pages of data that a guest has mapped so far */
	WORLD_INBOX_ENTRIES = 64,
};

struct world;

struct world_function_options {
	uint32_t rid; /* the guest sees it under the same one */
	uint32_t allocation;
	uint32_t capacity; /* 0: as the allocation */
	bool no_pasid_in_response;
	bool stop_marker;
	uint8_t unexpected; /* enum model_unexpected */
	uint32_t group_pages; /* 0: 1 */
	uint32_t window;      /* 0: 8 */
	uint32_t retry_max;   /* 0: 16 */
	bool stalls;          /* a platform master, not a function */
	uint32_t allocation_min; /* what is enough, where there is no room; 0: all */
	bool has_physical;    /* a virtual function of the function @physical_rid, which
			       * was plugged before */
	uint32_t physical_rid;
	bool config; /* the guest sees its configuration space, and has switched paging on
		      * there when it is up */
};

struct world_guest_options {
	uint32_t function_count;
	const struct world_function_options *functions;
	uint32_t levels; /* 0: 4 */
	const char *family; /* of its virtual IOMMU; NULL: the host's */
	uint32_t request_order; /* of the guest's own queue */
	struct iopf_policy policy;
	uint64_t hold_ns; /* as in struct iopf_guest_options */
	bool shadow;      /* as in struct iopf_host_guest_options */
	bool silent; /* its agent is not polled: takes nothing, answers nothing */
	/* The guest's pager; NULL: every page of 47 bits is given memory of its own. */
	int (*fault)(void *context, struct world *world, uint32_t guest,
		     const struct iopf_request *request, uint64_t *gpa, uint8_t *perm);
};

struct world_options {
	uint32_t guest_count;
	const struct world_guest_options *guests;
	bool guests_later; /* not before world_start_guests(): what others plug comes first */
	uint32_t request_order; /* of the physical queue: 2^n pages */
	uint64_t reset_ns;      /* as in struct iopf_host_options; 0: at once */
	struct model_observer observer; /* of every function; all NULL: none */
	void (*note)(void *context, const struct iopf_note *note);
	void (*event)(void *context, const struct iopf_event *event);
	void *context;          /* of note, event and the guests' pagers */
	struct iopf_recorder *recorder;
	const char *family;     /* of the physical IOMMU; NULL: the first that there is */
	uint32_t stall_max;     /* its pool of stalls; 0: 64 */
	struct model_stall_observer stalls; /* all NULL: none */
};

struct world_function {
	struct model_function *function; /* or, of a platform device, */
	struct model_master *master;
	struct model_engine *engine;
	uint32_t rid, endpoint, guest;
	struct world *world;
};

struct world_guest {
	struct world *world;
	struct world_guest_options options;
	uint32_t id; /* the host's */
	void *memory, *agent_memory, *guest_memory;
	struct iopf_segment segment;
	struct iopf_agent *agent;
	struct map pages; /* (pasid, page) -> page number of the guest's memory */
	void *pages_memory;
	uint32_t page_next;
	bool rang; /* its interrupt came */
};

struct world {
	struct world_options options;
	uint64_t now_ns;
	struct iopf_segment segments[1 + WORLD_GUEST_MAX];
	struct iopf_memory memory; /* host-physical */
	struct model_iommu *iommu;
	void *host_memory;
	struct iopf_host *host;
	struct world_guest guests[WORLD_GUEST_MAX];
	struct world_function functions[WORLD_FUNCTION_MAX];
	uint32_t function_count;
	bool hold_host, hold_engines, hold_iommu; /* they do not work while set */
};

/* Everything up, every guest's agent started, no address space attached.
 * Returns: 0 or what failed. */
int world_create(const struct world_options *options, struct world *world);
int world_start_guests(struct world *world);
void world_destroy(struct world *world);

/* Everybody works once. Returns: how much was done. */
uint32_t world_turn(struct world *world);
/* Until a turn does nothing, at most @turns. Returns: true when it came to rest. */
bool world_settle(struct world *world, uint32_t turns);

/* Take a guest out: call, with turns in between, until it says 0 (or an error that is
 * not -EAGAIN). Then it may be taken in again, with a new agent; its memory stays. */
int world_remove_guest(struct world *world, uint32_t guest);
int world_add_guest(struct world *world, uint32_t guest);

/* The guest attaches (function's rid, @pasid) and waits until it may be used. */
int world_attach(struct world *world, uint32_t guest, uint32_t rid, uint32_t pasid);
/* It takes it away; done when it is drained. */
int world_detach(struct world *world, uint32_t guest, uint32_t rid, uint32_t pasid);

/* What the guest of @rid reads and writes in the configuration space that it sees, and what
 * its driver writes there to have pages shown to it. */
uint32_t world_config_read(struct world *world, uint32_t rid, uint32_t offset,
			   uint32_t size_bytes);
void world_config_write(struct world *world, uint32_t rid, uint32_t offset,
			uint32_t size_bytes, uint32_t value);
void world_config_on(struct world *world, uint32_t rid);

/* A device with its engine behind the IOMMU, and nobody's yet. Returns: 0 or what failed. */
int world_plug(struct world *world, const struct world_function_options *options,
	       struct world_function **out);
extern const struct iopf_function_ops world_function_ops;
/* What it is for the host. */
struct iopf_host_function_options
world_for_host(const struct world_function *function,
	       const struct world_function_options *options);

struct world_function *world_function(struct world *world, uint32_t rid);
struct model_function_state world_state(struct world *world, uint32_t rid);
/* All devices out of the IOMMU, and gone. */
void world_unplug_all(struct world *world);
/* Pulled out: it answers nothing and sends nothing. */
void world_pull(struct world_function *function);

/* Start a job in @slot of the engine of @rid. */
void world_job(struct world *world, uint32_t rid, uint32_t slot, uint32_t pasid,
	       enum model_job_operation operation, uint64_t source, uint64_t destination,
	       uint64_t length);
enum model_job_status world_job_status(struct world *world, uint32_t rid, uint32_t slot);

/* Where the guest put the page of @addr in @pasid: in this process; NULL: nowhere yet. */
void *world_page(struct world *world, uint32_t guest, uint32_t pasid, uint64_t addr);
/* The same, given memory now. */
int world_page_give(struct world *world, uint32_t guest, uint32_t pasid, uint64_t addr,
		    uint64_t *gpa);

#endif
