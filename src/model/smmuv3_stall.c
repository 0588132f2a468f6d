/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/smmuv3_stall.c - transactions that wait (IHI 0070, 3.12.2 "Stall model", 4.7).
 *
 * There are as many tags as IDR5.STALL_MAX says, of all streams together, and a tag is in
 * use from its record on until software has answered that. Beyond them transactions wait
 * in line without one: nobody is turned away, nobody overtakes.
 *
 * Each step is settled before anybody is told.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/smmuv3_state.h"

/* Places beyond the tags, for all masters together. */
enum { LINE_MAX = 4096 };

/* ---- The pool ---------------------------------------------------------------------- */

int smmuv3_stalls_create(struct smmuv3_stalls *stalls, uint32_t tag_count)
{
	uint32_t count = tag_count + LINE_MAX;

	*stalls = (struct smmuv3_stalls){ .count = count,
					  .tag_count = tag_count,
					  .first_waiting = SMMUV3_NONE,
					  .last_waiting = SMMUV3_NONE };
	stalls->stall = calloc(count, sizeof(*stalls->stall));
	stalls->by_tag = malloc((tag_count + 1) * sizeof(*stalls->by_tag));
	stalls->last_rid = malloc((tag_count + 1) * sizeof(*stalls->last_rid));
	if (stalls->stall == NULL || stalls->by_tag == NULL || stalls->last_rid == NULL)
		return -ENOMEM; /* the destroy frees the rest */
	for (uint32_t n = 0; n < count; n++)
		stalls->stall[n].next = n + 1 < count ? n + 1 : SMMUV3_NONE;
	for (uint32_t n = 0; n < tag_count; n++) {
		stalls->by_tag[n] = SMMUV3_NONE;
		stalls->last_rid[n] = IOPF_NO_ID;
	}
	return 0;
}

void smmuv3_stalls_destroy(struct smmuv3_stalls *stalls)
{
	free(stalls->stall);
	free(stalls->by_tag);
	free(stalls->last_rid);
}

static uint32_t number_of(const struct smmuv3_stalls *stalls,
			  const struct smmuv3_stall *stall)
{
	return (uint32_t)(stall - stalls->stall);
}

static void line_append(struct smmuv3_stalls *stalls, struct smmuv3_stall *stall)
{
	uint32_t n = number_of(stalls, stall);

	stall->state = SMMUV3_STALL_WAITING;
	stall->prev = stalls->last_waiting;
	stall->next = SMMUV3_NONE;
	if (stalls->last_waiting != SMMUV3_NONE)
		stalls->stall[stalls->last_waiting].next = n;
	else
		stalls->first_waiting = n;
	stalls->last_waiting = n;
}

static void line_remove(struct smmuv3_stalls *stalls, struct smmuv3_stall *stall)
{
	if (stall->prev != SMMUV3_NONE)
		stalls->stall[stall->prev].next = stall->next;
	else
		stalls->first_waiting = stall->next;
	if (stall->next != SMMUV3_NONE)
		stalls->stall[stall->next].prev = stall->prev;
	else
		stalls->last_waiting = stall->prev;
}

/* In turn: an old tag is used again as late as possible. */
static void tag_take(struct smmuv3_stalls *stalls, struct smmuv3_stall *stall)
{
	uint32_t tag = stalls->next_tag;

	if (stall->tag != SMMUV3_NONE || stalls->tags_used == stalls->tag_count)
		return;
	while (stalls->by_tag[tag] != SMMUV3_NONE)
		tag = (tag + 1) % stalls->tag_count;
	stalls->by_tag[tag] = number_of(stalls, stall);
	stalls->tags_used++;
	stalls->next_tag = (tag + 1) % stalls->tag_count;
	stall->tag = tag;
	stall->fault.index = (uint16_t)tag;
}

static void tag_give(struct smmuv3_stalls *stalls, struct smmuv3_stall *stall)
{
	if (stall->tag == SMMUV3_NONE)
		return;
	stalls->by_tag[stall->tag] = SMMUV3_NONE;
	if (stall->state == SMMUV3_STALL_VISIBLE)
		stalls->last_rid[stall->tag] = stall->fault.rid;
	stalls->tags_used--;
	stall->tag = SMMUV3_NONE;
}

/* Its place and its tag come back. Returns: its transaction, or NULL. */
static const struct model_transaction *stall_free(struct smmuv3_stalls *stalls,
						  struct smmuv3_stall *stall)
{
	const struct model_transaction *transaction = stall->transaction;

	if (stall->state == SMMUV3_STALL_WAITING)
		line_remove(stalls, stall);
	tag_give(stalls, stall);
	*stall = (struct smmuv3_stall){ .next = stalls->first_free };
	stalls->first_free = number_of(stalls, stall);
	return transaction;
}

static struct smmuv3_stall *stall_new(struct smmuv3_stalls *stalls)
{
	struct smmuv3_stall *stall;

	if (stalls->first_free == SMMUV3_NONE)
		return NULL;
	stall = &stalls->stall[stalls->first_free];
	stalls->first_free = stall->next;
	return stall;
}

/* ---- Who is told ------------------------------------------------------------------- */

static void master_tell(struct model_smmuv3 *smmu,
			const struct model_transaction *transaction, int result)
{
	const struct port *port;

	if (transaction == NULL)
		return;
	port = iommu_port(&smmu->iommu, transaction->rid);
	smmu->iommu.stats.aborted += result != 0;
	if (port != NULL && port->device.released != NULL)
		port->device.released(port->device.context, transaction, result);
}

static void observe_resumed(struct model_smmuv3 *smmu, const struct iopf_command *command,
			    enum model_stall_verdict verdict)
{
	const struct model_stall_observer *observer = &smmu->iommu.options.observer;

	smmu->iommu.stats.resumed[verdict]++;
	if (observer->resumed != NULL)
		observer->resumed(observer->context, command->rid, command->index,
				  (enum iopf_code)command->code, verdict);
}

/* ---- Records ----------------------------------------------------------------------- */

/* Its record, if there is a tag and room for it. */
static bool announce(struct model_smmuv3 *smmu, struct smmuv3_stall *stall)
{
	const struct model_stall_observer *observer = &smmu->iommu.options.observer;

	tag_take(&smmu->stalls, stall);
	if (stall->tag == SMMUV3_NONE ||
	    !iopf_hardware_fault(smmu->iommu.hardware, &stall->fault))
		return false;
	line_remove(&smmu->stalls, stall);
	stall->state = SMMUV3_STALL_VISIBLE;
	smmu->iommu.stats.stalled++;
	if (observer->stalled != NULL)
		observer->stalled(observer->context, &stall->fault);
	return true;
}

/* ---- Arrivals ---------------------------------------------------------------------- */

/* 3.12.2.1: the same page, kind of access and substream of a stream. */
static bool alike(const struct iopf_fault *a, const struct iopf_fault *b)
{
	return a->rid == b->rid && a->pasid == b->pasid && a->perm == b->perm &&
	       a->addr / TABLE_PAGE_BYTES == b->addr / TABLE_PAGE_BYTES;
}

/* Another one waits that is alike, and has or will have a record. */
static bool has_leader(const struct smmuv3_stalls *stalls, const struct iopf_fault *fault)
{
	for (uint32_t n = 0; n < stalls->count; n++) {
		const struct smmuv3_stall *stall = &stalls->stall[n];

		if ((stall->state == SMMUV3_STALL_WAITING ||
		     stall->state == SMMUV3_STALL_VISIBLE) &&
		    stall->transaction != NULL && alike(&stall->fault, fault))
			return true;
	}
	return false;
}

static void wait_for(struct model_smmuv3 *smmu, struct smmuv3_stall *stall)
{
	struct smmuv3_stalls *stalls = &smmu->stalls;
	bool first = stalls->first_waiting == SMMUV3_NONE;
	bool next = first || stalls->stall[stalls->last_waiting].tag != SMMUV3_NONE;

	if (smmu->iommu.options.suppress_stalls && stall->transaction != NULL &&
	    has_leader(stalls, &stall->fault)) {
		stall->state = SMMUV3_STALL_SILENT;
		smmu->iommu.stats.suppressed++;
		return;
	}
	line_append(stalls, stall);
	if (next)
		tag_take(stalls, stall);
	if (first)
		announce(smmu, stall);
}

static struct smmuv3_stall *stall_begin(struct model_smmuv3 *smmu,
					const struct model_transaction *transaction,
					const struct iopf_fault *fault)
{
	struct smmuv3_stall *stall = stall_new(&smmu->stalls);

	if (stall == NULL)
		return NULL;
	*stall = (struct smmuv3_stall){ .transaction = transaction,
					.fault = *fault,
					.tag = SMMUV3_NONE };
	wait_for(smmu, stall);
	return stall;
}

int smmuv3_stall(struct model_smmuv3 *smmu, const struct model_transaction *transaction,
		 const struct iopf_fault *fault)
{
	return stall_begin(smmu, transaction, fault) != NULL ? -EINPROGRESS : -EAGAIN;
}

int smmuv3_stall_made(struct model_iommu *iommu, const struct iopf_fault *fault,
		      uint16_t *tag)
{
	struct model_smmuv3 *smmu = smmuv3_of(iommu);
	struct smmuv3_stalls *stalls = &smmu->stalls;
	struct smmuv3_stall *stall;
	struct iopf_fault made = *fault;
	struct smmuv3_result result;
	struct smmuv3_ste ste;

	if (!iopf_hardware_translates(iommu->hardware) ||
	    !smmuv3_entry(smmu, fault->rid, &ste, &result) || ste.config == SMMUV3_ABORT)
		return -ENODEV;
	made.stall = true;
	if (stalls->tags_used == stalls->tag_count)
		return -ENOSPC;
	stall = stall_begin(smmu, NULL, &made);
	if (stall != NULL && stall->tag == SMMUV3_NONE) {
		stall_free(stalls, stall);
		stall = NULL;
	}
	if (stall == NULL)
		return -ENOSPC;
	*tag = (uint16_t)stall->tag;
	return 0;
}

/* ---- RESUME, STALL_TERM ------------------------------------------------------------- */

/* A retry: as though it had just arrived, with what is in force now. */
static void retry(struct model_smmuv3 *smmu, const struct model_transaction *transaction)
{
	struct iopf_fault fault;
	int result;

	if (transaction == NULL)
		return;
	result = smmuv3_attempt(smmu, transaction, false, &fault);
	if (result == -EINPROGRESS && stall_begin(smmu, transaction, &fault) == NULL)
		result = -EFAULT; /* cannot be: its own place is free */
	if (result != -EINPROGRESS)
		master_tell(smmu, transaction, result);
}

/* Those that were silent behind @fault look again; the first that still faults speaks. */
static void wake(struct model_smmuv3 *smmu, const struct iopf_fault *fault)
{
	struct smmuv3_stalls *stalls = &smmu->stalls;

	if (!smmu->iommu.options.suppress_stalls)
		return;
	for (uint32_t n = 0; n < stalls->count; n++) {
		struct smmuv3_stall *stall = &stalls->stall[n];

		if (stall->state == SMMUV3_STALL_SILENT && alike(&stall->fault, fault))
			retry(smmu, stall_free(stalls, stall));
	}
}

/* The record that is visible under (@rid, @tag), or NULL. */
static struct smmuv3_stall *stall_named(const struct smmuv3_stalls *stalls, uint32_t rid,
					uint32_t tag)
{
	struct smmuv3_stall *stall;

	if (tag >= stalls->tag_count || stalls->by_tag[tag] == SMMUV3_NONE)
		return NULL;
	stall = &stalls->stall[stalls->by_tag[tag]];
	return stall->state == SMMUV3_STALL_VISIBLE && stall->fault.rid == rid ? stall :
										 NULL;
}

/* A second one is CONSTRAINED UNPREDICTABLE (4.7.1): here it does nothing, and is told. */
void smmuv3_stall_resume(struct model_smmuv3 *smmu, const struct iopf_command *command)
{
	struct smmuv3_stalls *stalls = &smmu->stalls;
	struct smmuv3_stall *stall = stall_named(stalls, command->rid, command->index);
	const struct model_transaction *transaction;
	struct iopf_fault fault;

	if (stall == NULL) {
		bool second = command->index < stalls->tag_count &&
			      stalls->last_rid[command->index] == command->rid;

		observe_resumed(smmu, command,
				second ? MODEL_STALL_SECOND : MODEL_STALL_UNKNOWN);
		return;
	}
	fault = stall->fault;
	transaction = stall_free(stalls, stall);
	observe_resumed(smmu, command, MODEL_STALL_TAKEN);
	if (command->code == IOPF_SUCCESS)
		retry(smmu, transaction);
	else
		master_tell(smmu, transaction, -EFAULT);
	wake(smmu, &fault);
}

void smmuv3_stall_terminate(struct model_smmuv3 *smmu, uint32_t rid)
{
	const struct model_stall_observer *observer = &smmu->iommu.options.observer;
	struct smmuv3_stalls *stalls = &smmu->stalls;

	for (uint32_t n = 0; n < stalls->count; n++) {
		struct smmuv3_stall *stall = &stalls->stall[n];
		const struct model_transaction *transaction;
		struct iopf_fault fault = stall->fault;
		bool visible = stall->state == SMMUV3_STALL_VISIBLE;

		if (stall->state == SMMUV3_STALL_FREE ||
		    (rid != IOPF_NO_ID && fault.rid != rid))
			continue;
		transaction = stall_free(stalls, stall);
		smmu->iommu.stats.terminated++;
		if (visible && observer->terminated != NULL)
			observer->terminated(observer->context, fault.rid, fault.index);
		master_tell(smmu, transaction, -EFAULT);
	}
}

/* ---- Run, disconnect, count ---------------------------------------------------------- */

/* 3.12.2.2: hardware may look again by itself. What goes on that way keeps its tag until
 * its record is answered, and makes no other record. */
static uint32_t retry_early(struct model_smmuv3 *smmu)
{
	uint32_t done = 0;

	for (uint32_t n = 0; n < smmu->stalls.count; n++) {
		struct smmuv3_stall *stall = &smmu->stalls.stall[n];
		const struct model_transaction *transaction = stall->transaction;
		struct iopf_fault fault;
		int result;

		if (stall->state != SMMUV3_STALL_VISIBLE || transaction == NULL)
			continue;
		result = smmuv3_attempt(smmu, transaction, true, &fault);
		if (result == -EINPROGRESS)
			continue;
		stall->transaction = NULL;
		master_tell(smmu, transaction, result);
		done++;
	}
	return done;
}

/* 3.12.2: what could not be recorded has just arrived when it can. False: @stall, the
 * first in line, waits still. */
static bool arrive_again(struct model_smmuv3 *smmu, struct smmuv3_stall *stall)
{
	struct iopf_fault was = stall->fault, fault = was;
	int result = -EINPROGRESS;

	if (stall->transaction != NULL)
		result = smmuv3_attempt(smmu, stall->transaction, false, &fault);
	if (result != -EINPROGRESS) {
		master_tell(smmu, stall_free(&smmu->stalls, stall), result);
		wake(smmu, &was);
		return true;
	}
	fault.index = was.index;
	stall->fault = fault;
	return announce(smmu, stall);
}

uint32_t smmuv3_stall_run(struct model_iommu *iommu)
{
	struct model_smmuv3 *smmu = smmuv3_of(iommu);
	const struct smmuv3_stalls *stalls = &smmu->stalls;
	uint32_t done = iommu->options.retry_stalls ? retry_early(smmu) : 0;

	while (stalls->first_waiting != SMMUV3_NONE &&
	       arrive_again(smmu, &stalls->stall[stalls->first_waiting]))
		done++;
	return done;
}

/* What has no record yet is forgotten; what has one waits for its answer. */
void smmuv3_stall_disconnect(struct model_iommu *iommu, uint32_t rid)
{
	struct smmuv3_stalls *stalls = &smmuv3_of(iommu)->stalls;

	for (uint32_t n = 0; n < stalls->count; n++) {
		struct smmuv3_stall *stall = &stalls->stall[n];

		if (stall->state == SMMUV3_STALL_FREE || stall->fault.rid != rid)
			continue;
		if (stall->state == SMMUV3_STALL_VISIBLE)
			stall->transaction = NULL;
		else
			stall_free(stalls, stall);
	}
}

uint32_t smmuv3_stall_count(const struct model_iommu *iommu, uint32_t rid)
{
	const struct smmuv3_stalls *stalls = &((const struct model_smmuv3 *)iommu)->stalls;
	uint32_t count = 0;

	if (rid == IOPF_NO_ID)
		return stalls->tags_used;
	for (uint32_t tag = 0; tag < stalls->tag_count; tag++) {
		uint32_t n = stalls->by_tag[tag];

		count += n != SMMUV3_NONE && stalls->stall[n].fault.rid == rid;
	}
	return count;
}
