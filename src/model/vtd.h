/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/vtd.h - a VT-d IOMMU with scalable mode, nested translation and page requests,
 * that is only memory.
 *
 * Software reaches it as in the world: through its registers (model_vtd_hardware(), with
 * iopf_hardware_registers) and through memory, where it finds root, context and PASID
 * structures, tables and queues. Functions reach it through struct model_upstream, and
 * it reaches them through struct model_downstream.
 *
 * Threads. One: the owner's. Registers may be written by others under its lock.
 */
#ifndef MODEL_VTD_H
#define MODEL_VTD_H

#include "iopf/queue.h"
#include "model/model.h"

struct model_vtd;

/* What a function is for those above it. */
struct model_downstream {
	void *context;
	/* model_function_response() */
	void (*response)(void *context, uint32_t pasid, uint64_t payload);
	/* model_function_invalidate() */
	int (*invalidate)(void *context, uint32_t pasid, uint64_t payload);
};

struct model_vtd_options {
	const struct iopf_memory *memory; /* host-physical; borrowed */
	uint32_t features;                /* enum iopf_vtd_feature */
	uint32_t pasid_bits;              /* 1..20 */
	uint8_t address_bits;             /* host address width, 32..52 */
	/* Lines of the caches: powers of two, 4..65536. */
	uint32_t context_lines, pasid_lines, translation_lines;
	/* How long a device may take to complete an invalidation (PCIe 10.3.1: a minute). */
	uint64_t invalidation_timeout_ns;
	/* A message signalled interrupt, of the IOMMU (@rid: IOPF_NO_ID) or a function. */
	void (*interrupt)(void *context, uint32_t rid, uint64_t addr, uint32_t data);
	void *context;
};

struct model_vtd_stats {
	uint64_t translations;   /* requests from functions */
	uint64_t granted;        /* of them, with a right */
	uint64_t refused;        /* of them, UR or CA */
	uint64_t accesses, refused_accesses;
	uint64_t requests;       /* page requests and stop markers that came */
	uint64_t refused_requests; /* not let in: fault recorded */
	uint64_t bad_messages;   /* that are no page requests */
	uint64_t auto_success;   /* lost in an overflow, answered by hardware */
	uint64_t unqueued;       /* there was no queue to put it into: answered invalid */
	uint64_t responses;      /* handed to functions */
	uint64_t responses_nowhere;
	uint64_t invalidations;  /* completed by functions */
	uint64_t invalidation_timeouts;
	uint64_t hits, misses;   /* of the IOTLB */
};

/* Returns: 0, -EINVAL (an option out of its range), -ENOMEM. */
int model_vtd_create(const struct model_vtd_options *options, struct model_vtd **vtd);
void model_vtd_destroy(struct model_vtd *vtd);

/* Registers, as software's: iopf_hardware_registers with this as context. */
struct iopf_hardware *model_vtd_hardware(struct model_vtd *vtd);

/* What functions call. The context is @vtd. */
struct model_upstream model_vtd_upstream(struct model_vtd *vtd);

/*
 * Plug a function in, or pull it out (NULL). What is sent to a place that is empty is
 * lost; an invalidation of it times out.
 *
 * Returns: 0, -EINVAL (@rid), -ENOSPC (64 functions).
 */
int model_vtd_connect(struct model_vtd *vtd, uint32_t rid,
		      const struct model_downstream *downstream);

/* Consume up to @budget commands. Returns: as iopf_hardware_run(). */
uint32_t model_vtd_run(struct model_vtd *vtd, uint32_t budget, uint64_t now_ns);

struct model_vtd_stats model_vtd_stats(const struct model_vtd *vtd);

#endif
