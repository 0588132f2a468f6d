/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/smmuv3_state.h - an Arm SMMUv3 with both stages, page requests and stalls, for
 * its own files: smmuv3.c is what software sees, smmuv3_request.c what devices do,
 * smmuv3_stall.c the transactions that wait.
 *
 * A transaction that waits:
 *
 *   FREE ---> WAITING ---> VISIBLE ---> FREE
 *     |          |  ^                     ^
 *     |          +--|---------------------+
 *     +--> SILENT --+---------------------+
 *
 *   FREE    -> WAITING [a fault that its configuration stalls] for a tag, for room in the
 *                      event queue; in the order of arrival
 *   WAITING -> VISIBLE [its record is written] known by (stream, tag)
 *   FREE    -> SILENT  [one alike waits already] where that is an option
 *   SILENT  -> WAITING [that one was resumed, and this one faults again]
 *   any     -> FREE    [it went on, or was aborted] and the master is told
 *
 * A retry is an arrival: it begins anew at FREE. A tag comes back with the command that
 * answers its record, or with SMMUEN, never otherwise; a transaction that hardware let go
 * on by itself stays VISIBLE without bytes.
 */
#ifndef MODEL_SMMUV3_STATE_H
#define MODEL_SMMUV3_STATE_H

#include "model/cache.h"
#include "model/iommu_state.h"
#include "table/smmuv3_nested.h"

#define SMMUV3_NONE UINT32_MAX

enum smmuv3_stall_state {
	SMMUV3_STALL_FREE,
	SMMUV3_STALL_WAITING,
	SMMUV3_STALL_VISIBLE,
	SMMUV3_STALL_SILENT,
};

struct smmuv3_stall {
	const struct model_transaction *transaction; /* NULL: nobody's, moves nothing */
	struct iopf_fault fault;
	uint32_t tag;        /* or SMMUV3_NONE */
	uint32_t prev, next; /* of those that are free, or that wait */
	uint8_t state;       /* enum smmuv3_stall_state */
};

struct smmuv3_stalls {
	struct smmuv3_stall *stall;
	uint32_t *by_tag;   /* which stall has it, or SMMUV3_NONE */
	uint32_t *last_rid; /* whose it was last, or IOPF_NO_ID */
	uint32_t count, tag_count, tags_used, next_tag;
	uint32_t first_free, first_waiting, last_waiting;
};

struct model_smmuv3 {
	struct model_iommu iommu; /* first */
	struct smmuv3_features features;
	struct cache
		cache; /* stream table entries, context descriptors; whoever has the same
			     * VMID and ASID shares translations */
	struct smmuv3_stalls stalls;
};

static inline struct model_smmuv3 *smmuv3_of(struct model_iommu *iommu)
{
	return (struct model_smmuv3 *)iommu;
}

/* ---- smmuv3.c -------------------------------------------------------------------------- */

/* A register of 32 bits, as software reads it. */
uint32_t smmuv3_register(const struct model_smmuv3 *smmu, uint32_t offset);
bool smmuv3_checks_ats(const struct model_smmuv3 *smmu);
/* While nothing is translated: whether transactions are aborted. */
bool smmuv3_bypass_aborts(const struct model_smmuv3 *smmu);
bool smmuv3_records_bad_streams(const struct model_smmuv3 *smmu);

/* ---- smmuv3_request.c ------------------------------------------------------------------ */

/* What devices send. */
extern const struct model_upstream smmuv3_upstream;

/* The entry of @rid, as new transactions find it: true, *@ste; false, *@result. */
bool smmuv3_entry(struct model_smmuv3 *smmu, uint32_t rid, struct smmuv3_ste *ste,
		  struct smmuv3_result *result);

/*
 * Carry @transaction out, or find out why not. @quiet: nothing is recorded.
 *
 * Returns: 0; -EFAULT: aborted; -EINPROGRESS: *@fault is to be stalled.
 */
int smmuv3_attempt(struct model_smmuv3 *smmu, const struct model_transaction *transaction,
		   bool quiet, struct iopf_fault *fault);

/* ---- smmuv3_stall.c -------------------------------------------------------------------- */

int smmuv3_stalls_create(struct smmuv3_stalls *stalls, uint32_t tag_count);
void smmuv3_stalls_destroy(struct smmuv3_stalls *stalls);

/*
 * @transaction faulted as @fault says, and waits. Returns: -EINPROGRESS, -EAGAIN (there is
 * no place to wait at: the bus does not take it yet).
 */
int smmuv3_stall(struct model_smmuv3 *smmu, const struct model_transaction *transaction,
		 const struct iopf_fault *fault);
/* The same of nobody's. Returns: as model_iommu_stall(). */
int smmuv3_stall_made(struct model_iommu *iommu, const struct iopf_fault *fault,
		      uint16_t *tag);
void smmuv3_stall_resume(struct model_smmuv3 *smmu, const struct iopf_command *command);
/* Of the stream @rid, or of all (IOPF_NO_ID). */
void smmuv3_stall_terminate(struct model_smmuv3 *smmu, uint32_t rid);

/* As in struct iommu_family. */
uint32_t smmuv3_stall_run(struct model_iommu *iommu);
void smmuv3_stall_disconnect(struct model_iommu *iommu, uint32_t rid);
uint32_t smmuv3_stall_count(const struct model_iommu *iommu, uint32_t rid);

#endif
