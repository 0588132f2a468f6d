/* SPDX-License-Identifier: BSD-3-Clause */
/* host/kernel.h - one guest over a kernel's fault descriptor: see iopf/kernel.h. */
#ifndef HOST_KERNEL_H
#define HOST_KERNEL_H

#include "base/map.h"
#include "iopf/kernel.h"

enum {
	KERNEL_BATCH = 64, /* responses at once */
	KERNEL_READS = 64, /* of the descriptor at once: one that floods holds nobody up */
	KERNEL_AGAIN_NS = 1000000, /* until answers that it does not take are offered again */
};

/* An address space that the guest has, and the ledger knows. */
struct kernel_table {
	uint32_t endpoint, pasid;
	uint32_t number; /* the kernel's, while it is attached: */
	bool attached;   /* or a reset could not attach it again */
};

struct iopf_kernel {
	struct iopf_broker *broker;
	struct iopf_guest *guest;
	struct iopf_iommufd *source;
	const struct iopf_kernel_ops *ops;
	void (*note)(void *context, const struct iopf_note *note);
	void *context;
	struct kernel_table *tables; /* table_count of them: in an order that calls decide */
	struct map table_map;        /* endpoint, PASID -> index into tables[] */
	uint32_t table_count;
	uint64_t now_ns;   /* of this turn */
	uint32_t source_id, owner;
	uint32_t function_count;
	int broken;  /* what the descriptor said, when it said that it is of no use */
	bool parked; /* the guest has no index for @group */
	bool busy;   /* more to do than there was budget for */
	bool waiting; /* the descriptor takes no answer now, and there are some */
	uint64_t turn, drain_turn; /* this one, from 2 on; when a drain of the guest's that is
				    * not over was last asked for, or 0 */
	struct iopf_group group;
	struct iopf_page pages[IOPF_HOST_ALLOCATION_MAX];
	uint32_t devices[IOPF_GUEST_ENDPOINT_MAX];
	uint32_t endpoints[IOPF_GUEST_ENDPOINT_MAX];
};

/* ---- kernel.c: what the guest makes it do -------------------------------------- */

extern const struct iopf_guest_ops kernel_guest_ops;

/* Of the owner: the host ended what the guest was shown. */
void kernel_taken(void *context, uint64_t token, enum iopf_ending ending);

#endif
