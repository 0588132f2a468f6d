/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/agent.h - the guest's own side, inside.
 *
 * Every page of the region has an owner: nobody, the agent's structures, or one address
 * space. So an address space goes as a whole when its detach is done, whatever became
 * of its tables, and no list has to be believed.
 *
 *   FREE --attach--> ATTACHED --detach--> DRAINING --drained, queue seen empty--> FREE
 *
 *   ATTACHED  its entry is present; its pager is asked
 *   DRAINING  its entry is clear, caches are being invalidated, requests drained;
 *             what still comes in for it gets invalid
 *
 * What depends on the family of the IOMMU is in rows of the rooms below: structures and
 * tables are those that a host builds as well (struct family), for a user of its own.
 */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include "base/map.h"
#include "iopf/guest.h"
#include "queue/hardware.h"
#include "table/family.h"

enum agent_owner {
	AGENT_OWNER_NONE,
	AGENT_OWNER_STRUCTURES,
	AGENT_OWNER_SPACE, /* + the number of the address space */
};

enum agent_space_state {
	AGENT_SPACE_FREE,
	AGENT_SPACE_ATTACHED,
	AGENT_SPACE_DRAINING,
};

struct agent_space {
	struct family_stage stage; /* its first level */
	uint64_t wait;    /* DRAINING: its drain; 0: not in the queue yet */
	uint32_t rid_index;
	uint32_t pasid;   /* or IOPF_PASID_NONE */
	uint8_t state;    /* enum agent_space_state */
	bool drained;     /* DRAINING: the drain was done when the queue was looked at */
};

/* All stalls of a stream are being ended (agent_terminate.c). */
struct agent_stream {
	uint64_t wait;   /* behind the command that ends them */
	bool ending;
	bool terminated; /* it was done when the queue was looked at */
};

/* What is known of a group before its last page. */
enum agent_verdict {
	AGENT_VERDICT_BAD = 1,      /* a page cannot be made present */
	AGENT_VERDICT_DEFERRED = 2, /* the group is the caller's */
};

/* Requests taken at a time. */
enum { AGENT_BATCH = 32 };

/* The entry of requests without a PASID is that of PASID 0 in every family: by rule, or
 * because software says so (VT-d, RID_PASID). Nobody else may use it. */
enum { AGENT_PASID_NONE = 0 };

/* Domains, or ASIDs, are the agent's own names; 0 is not used (VT-d, "Caching Mode"). This is
 * a function's, where it has one for all its address spaces. */
static inline uint32_t agent_domain(uint32_t rid_index)
{
	return rid_index + 1;
}

struct iopf_agent {
	const struct family *family;
	const struct hardware_family *registers; /* of the virtual IOMMU */
	struct iopf_agent_options options; /* its rids are ours */
	struct iopf_memory memory;
	struct iopf_driver *driver;
	void *driver_memory;
	uint32_t *rids;
	uint64_t stalling; /* by function: it stalls */
	struct agent_stream streams[IOPF_AGENT_RID_MAX + 1]; /* by function */
	uint32_t ending; /* how many of them are */

	uint16_t *page_owner; /* enum agent_owner, by page of the region */
	uint32_t page_count;
	uint32_t page_next;   /* where to look for a free one */
	uint16_t page_taker;  /* who asks */

	struct family_tables tables;
	struct agent_space *spaces; /* pasid_max of them */
	struct map space_map;       /* function, PASID -> index into spaces[] */
	struct map partial_map;     /* function, PASID, index -> enum agent_verdict */
	void *partial_cells;
	uint32_t draining;          /* how many spaces are */

	struct iopf_agent_layout layout;
	struct iopf_agent_stats stats;
};

/* ---- agent.c ------------------------------------------------------------------------ */

/* Index of @rid, or rid_count. */
uint32_t agent_rid_index(const struct iopf_agent *agent, uint32_t rid);

/* The function asks by stalling, not by messages. */
static inline bool agent_stalls(const struct iopf_agent *agent, uint32_t rid_index)
{
	return rid_index < agent->options.rid_count && (agent->stalling >> rid_index & 1);
}

/* What the function @rid_index may do from now on. Returns: as family.endpoint(). */
int agent_door(const struct iopf_agent *agent, uint32_t rid_index, enum family_door door);

/* ---- agent_space.c ------------------------------------------------------------------ */

/* @page_count adjoining pages for agent->page_taker: a table_pages.take(). */
int agent_pages_take(void *context, uint32_t page_count, uint64_t *addr);

struct agent_space *agent_space_find(const struct iopf_agent *agent, uint32_t rid_index,
				     uint32_t pasid);

/* Before the request queue is looked at: see whose drain is done; put that of each
 * DRAINING space that has none into the queue, as far as there is room. */
void agent_spaces_look(struct iopf_agent *agent);

/* Requests or waits were lost: drains that were under way prove nothing. */
void agent_spaces_redrain(struct iopf_agent *agent);

/* The request queue was seen empty: spaces whose drain was done before are free. */
void agent_spaces_settle(struct iopf_agent *agent);

/* ---- agent_terminate.c -------------------------------------------------------------- */

/* Before the event queue is looked at, and once it was seen empty. */
void agent_streams_look(struct iopf_agent *agent);
void agent_streams_settle(struct iopf_agent *agent);

/* ---- agent_poll.c ------------------------------------------------------------------- */

void agent_partials_drop(struct iopf_agent *agent);
void agent_partials_drop_space(struct iopf_agent *agent, const struct agent_space *space);

#endif
