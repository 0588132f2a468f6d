/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/iommu.h - an IOMMU that is only memory, of whichever family.
 *
 * Software reaches it as in the world: through its registers (model_iommu_hardware(),
 * with iopf_hardware_registers) and through memory, where it finds the family's
 * structures, tables and queues. Devices reach it through struct model_upstream, and it
 * reaches them through struct model_downstream.
 *
 * A family is one row (model/iommu_state.h): vtd, smmuv3, smmuv2, amd. Stalls are the
 * second's and the third's.
 *
 * Threads. One: the owner's. Registers may be written by others under its lock.
 */
#ifndef MODEL_IOMMU_H
#define MODEL_IOMMU_H

#include "iopf/queue.h"
#include "model/model.h"

struct model_iommu;

enum { MODEL_IOMMU_PORT_MAX = 128 }; /* devices behind one IOMMU */

/* What a device is for those above it. A platform master has no page requests and no
 * cache: its first two members are NULL, a function's third. */
struct model_downstream {
	void *context;
	/* model_function_response() */
	void (*response)(void *context, uint32_t pasid, uint64_t payload);
	/* model_function_invalidate() */
	int (*invalidate)(void *context, uint32_t pasid, uint64_t payload);
	/* model_master_released() */
	void (*released)(void *context, const struct model_transaction *transaction,
			 int result);
};

/* What became of a RESUME. On hardware the last two have no predictable effect. */
enum model_stall_verdict {
	MODEL_STALL_TAKEN,
	MODEL_STALL_UNKNOWN, /* no transaction of that stream is stalled under that tag */
	MODEL_STALL_SECOND,  /* it was there, and another command ended it before */
	MODEL_STALL_VERDICT_COUNT
};

/* The IOMMU's end of stalls, for those who judge it: each call is made when the event is
 * settled. No member may be NULL where an observer is given. */
struct model_stall_observer {
	void *context;
	/* The record of it is in the event queue. */
	void (*stalled)(void *context, const struct iopf_fault *fault);
	/* @code: success is a retry, anything else an abort. */
	void (*resumed)(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
			enum model_stall_verdict verdict);
	/* Ended without a RESUME of its own: all of its stream were, or translation went
	 * off. */
	void (*terminated)(void *context, uint32_t rid, uint16_t tag);
};

struct model_iommu_options {
	const char *family;               /* "vtd", "smmuv3", ...; NULL: vtd */
	const struct iopf_memory *memory; /* host-physical; borrowed */
	uint32_t features;                /* the family's; 0: those of a physical one */
	uint32_t pasid_bits;              /* 1..20 */
	uint32_t rid_bits;                /* of a requester or stream id; 0: 16 */
	uint8_t address_bits;             /* host address width, 32..52 */
	/* Lines of the caches: powers of two, 4..65536. */
	uint32_t context_lines, pasid_lines, translation_lines;
	/* How long a device may take to complete an invalidation (PCIe 10.3.1: a minute). */
	uint64_t invalidation_timeout_ns;
	uint32_t stall_max;    /* transactions stalled at once, of all streams together */
	bool suppress_stalls;  /* one event for faults that are alike, as hardware may */
	bool retry_stalls;     /* look again by itself, as hardware may before the event is
				* visible */
	struct model_stall_observer observer; /* copied; all NULL: none */
	uint32_t quirks; /* struct iopf_hardware_options */
	/* A message signalled interrupt, of the IOMMU (@rid: IOPF_NO_ID) or a device. */
	void (*interrupt)(void *context, uint32_t rid, uint64_t addr, uint32_t data);
	void *context;
};

struct model_iommu_stats {
	uint64_t translations;   /* requests from functions */
	uint64_t granted;        /* of them, with a right */
	uint64_t refused;        /* of them, UR or CA */
	uint64_t accesses, refused_accesses;
	uint64_t requests;       /* page requests and stop markers that came */
	uint64_t refused_requests; /* not let in: fault recorded */
	uint64_t bad_messages;   /* that are no page requests */
	uint64_t auto_success;   /* lost in an overflow, answered by hardware */
	uint64_t unqueued;       /* there was no queue to put it into: answered invalid,
				  * or failure, as the family does */
	uint64_t responses;      /* handed to functions */
	uint64_t responses_nowhere;
	uint64_t invalidations;  /* completed by functions */
	uint64_t invalidation_timeouts;
	uint64_t hits, misses;   /* of the IOTLB */
	/* Of platform masters. */
	uint64_t transactions;   /* that came */
	uint64_t aborted;        /* of them, in whatever way */
	uint64_t stalled;        /* times that a transaction was stalled */
	uint64_t suppressed;     /* of them, without an event of their own */
	uint64_t resumed[MODEL_STALL_VERDICT_COUNT];
	uint64_t terminated;     /* ended with their stream, or with translation */
	uint64_t misused;        /* terminate-all before the stream's entry aborts */
};

/* Returns: 0, -EINVAL (an option out of its range, no such family), -ENOMEM. */
int model_iommu_create(const struct model_iommu_options *options,
		       struct model_iommu **iommu);
void model_iommu_destroy(struct model_iommu *iommu);

/* Registers, as software's: iopf_hardware_registers with this as context. */
struct iopf_hardware *model_iommu_hardware(struct model_iommu *iommu);

/* What devices call. The context is @iommu. */
struct model_upstream model_iommu_upstream(struct model_iommu *iommu);

/*
 * Plug a device in, or pull it out (NULL). What is sent to a place that is empty is
 * lost; an invalidation of it times out; what it has stalled stays so, and moves nothing
 * any more.
 *
 * Returns: 0, -EINVAL (@rid), -ENOSPC (MODEL_IOMMU_PORT_MAX devices).
 */
int model_iommu_connect(struct model_iommu *iommu, uint32_t rid,
			const struct model_downstream *downstream);

/* Consume up to @budget commands, and look at what waits. Returns: how many commands and
 * transactions were brought forward. */
uint32_t model_iommu_run(struct model_iommu *iommu, uint32_t budget, uint64_t now_ns);

struct model_iommu_stats model_iommu_stats(const struct model_iommu *iommu);

/* Stall slots in use by the stream @rid, or by all (IOPF_NO_ID). */
uint32_t model_iommu_stalled(const struct model_iommu *iommu, uint32_t rid);

/*
 * A transaction of nobody's stalls now as @fault says (rid, pasid, addr, perm, reason,
 * stage, what; no table is walked): it takes a slot under *@tag, its record is written as
 * soon as the event queue has room, and whatever ends it, it is just gone.
 *
 * Returns: 0; -ENOSPC: no slot is free; -ENODEV: nothing is translated, or the stream's
 *          entry lets nothing in, or this IOMMU cannot stall.
 */
int model_iommu_stall(struct model_iommu *iommu, const struct iopf_fault *fault,
		      uint16_t *tag);

#endif
