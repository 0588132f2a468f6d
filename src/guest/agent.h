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
 * What depends on the family of the IOMMU is a row, struct agent_family: the structures,
 * the format of the tables, and who stands for requests without PASID.
 */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include "base/map.h"
#include "iopf/guest.h"
#include "table/smmuv3.h"
#include "table/vtd_scalable.h"

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
	union {
		struct x86_table x86;
		struct vmsa_table vmsa;
	} table;
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

/* What a family of IOMMUs wants built. */
struct agent_family {
	const char *name;
	const struct iopf_wire *wire;
	uint32_t command_bytes;
	uint32_t pasid_none; /* the entry that requests without PASID use: nobody else's */
	bool events; /* it has a queue of faults, where stalls are */
	bool asids; /* spaces have numbers of their own within one domain, 0 */
	bool (*options_valid)(const struct iopf_agent_options *options);
	/* The structures of every function; agent->layout.root. */
	int (*create)(struct iopf_agent *agent, const struct table_pages *pages);
	/* Does the IOMMU have what they ask for? 0, -ENODEV, a register's error. */
	int (*features)(struct iopf_agent *agent);
	/* What the driver has to know beside. NULL: nothing. */
	void (*driver)(const struct iopf_agent *agent, struct iopf_driver_options *options);
	/* An empty first level; the entry that leads to it, there and away. */
	int (*table)(struct iopf_agent *agent, struct agent_space *space,
		     const struct table_pages *pages);
	int (*enter)(struct iopf_agent *agent, const struct agent_space *space);
	void (*leave)(struct iopf_agent *agent, const struct agent_space *space);
	/* The entry of a function aborts, or does what it did before. NULL: nothing of the
	 * kind is needed. */
	int (*block)(struct iopf_agent *agent, uint32_t rid_index, bool blocked);
	/* Pages of its first level; as the editors of the table room. */
	bool (*walk)(const struct agent_space *space, uint64_t addr, uint8_t perm,
		     struct table_result *result);
	int (*map)(const struct agent_space *space, uint64_t addr, uint64_t gpa,
		   uint8_t perm);
	int (*unmap)(const struct agent_space *space, uint64_t addr, uint64_t size_bytes);
};

extern const struct agent_family agent_vtd, agent_smmuv3;

struct iopf_agent {
	const struct agent_family *family;
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

	union {
		struct vtd_builder vtd;
		struct smmuv3_builder smmuv3;
	} builder;
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

/* ---- agent_space.c ------------------------------------------------------------------ */

/* @page_count adjoining pages for agent->page_taker: a table_pages.take(). */
int agent_pages_take(void *context, uint32_t page_count, uint64_t *addr);

struct agent_space *agent_space_find(const struct iopf_agent *agent, uint32_t rid_index,
				     uint32_t pasid);

/* The PASID that names its entry. */
uint32_t agent_space_number(const struct iopf_agent *agent,
			    const struct agent_space *space);

/* Domains, or ASIDs, are the agent's own names; 0 is not used (VT-d, "Caching Mode"). */
uint16_t agent_space_domain(const struct iopf_agent *agent,
			    const struct agent_space *space);

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
