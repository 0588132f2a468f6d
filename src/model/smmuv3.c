/* SPDX-License-Identifier: BSD-3-Clause */
/* model/smmuv3.c - an SMMUv3 as software sees it: commands, identification, life. */
#include <errno.h>

#include "model/smmuv3_state.h"
#include "queue/smmuv3.h"

/* ---- Registers --------------------------------------------------------------------- */

uint32_t smmuv3_register(const struct model_smmuv3 *smmu, uint32_t offset)
{
	uint64_t value = 0;

	(void)iopf_hardware_read(smmu->iommu.hardware, offset, 4, &value);
	return (uint32_t)value;
}

bool smmuv3_checks_ats(const struct model_smmuv3 *smmu)
{
	return smmuv3_register(smmu, SMMUV3_CR0ACK) & SMMUV3_ATSCHK;
}

bool smmuv3_bypass_aborts(const struct model_smmuv3 *smmu)
{
	return smmuv3_register(smmu, SMMUV3_GBPA) & SMMUV3_GBPA_ABORT;
}

bool smmuv3_records_bad_streams(const struct model_smmuv3 *smmu)
{
	return smmuv3_register(smmu, SMMUV3_CR2) & SMMUV3_CR2_RECINVSID;
}

/* ---- What is forgotten ------------------------------------------------------------- */

#define ONE_STREAM  (1u << IOPF_DOMAIN | 1u << IOPF_DEVICE)
#define NAMED_VMID  (CACHE_LINES | CACHE_BY_DOMAIN)
#define NAMED_FIRST (NAMED_VMID | CACHE_HAS_FIRST)

/* IHI 0070, 4.3 and 4.4: what is named and nothing else, but a descriptor goes with its
 * stream's entry. */
static const struct cache_rule cache_rules[] = {
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_ALL,
	  .entries = CACHE_LINES,
	  .processes = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_DEVICE,
	  .entries = CACHE_LINES | CACHE_BY_RID,
	  .processes = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = ONE_STREAM,
	  .processes = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .processes = CACHE_LINES | CACHE_BY_RID | CACHE_BY_PASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ALL,
	  .translations = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .hints = IOPF_HINT_FIRST,
	  .translations = NAMED_VMID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .hints = IOPF_HINT_FIRST,
	  .hints_set = IOPF_HINT_FIRST,
	  .translations = NAMED_FIRST },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .hints = IOPF_HINT_ANY_ASID,
	  .translations = NAMED_FIRST | CACHE_BY_ASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .hints = IOPF_HINT_ANY_ASID,
	  .hints_set = IOPF_HINT_ANY_ASID,
	  .translations = NAMED_FIRST },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .hints = IOPF_HINT_SECOND | IOPF_HINT_ANY_ASID,
	  .translations = NAMED_FIRST | CACHE_BY_ASID | CACHE_BY_RANGE },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .hints = IOPF_HINT_SECOND | IOPF_HINT_ANY_ASID,
	  .hints_set = IOPF_HINT_ANY_ASID,
	  .translations = NAMED_FIRST | CACHE_BY_RANGE },
	/* 4.4.3: an address between the stages names what stage 2 alone has made. What both
	 * have made goes by VMID. */
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .hints = IOPF_HINT_SECOND,
	  .hints_set = IOPF_HINT_SECOND,
	  .translations = NAMED_VMID | CACHE_NO_FIRST | CACHE_BY_RANGE },
	{ .kind = IOPF_COMMAND_NONE },
};

/* ---- Commands ---------------------------------------------------------------------- */

static int do_response(struct model_iommu *iommu, const struct iopf_command *command)
{
	if (!(command->flags & IOPF_STALL))
		return iommu_do_response(iommu, command);
	smmuv3_stall_resume(smmuv3_of(iommu), command);
	return 0;
}

/* Invalidations leave alone what waits: it sees them when it is retried (3.12.2). */
static int do_cache(struct model_iommu *iommu, const struct iopf_command *command)
{
	cache_invalidate(&smmuv3_of(iommu)->cache, command);
	return 0;
}

/* 4.7.2: only of a stream that lets nothing in any more. In any other order what it hits
 * is unpredictable: here, nothing. */
static int do_terminate(struct model_iommu *iommu, const struct iopf_command *command)
{
	struct model_smmuv3 *smmu = smmuv3_of(iommu);
	struct smmuv3_result result;
	struct smmuv3_ste ste;

	if (smmuv3_entry(smmu, command->rid, &ste, &result) && ste.config != SMMUV3_ABORT)
		iommu->stats.misused++;
	else
		smmuv3_stall_terminate(smmu, command->rid);
	return 0;
}

/* All that came before a SYNC is done, its events are written. */
static int hardware_command(void *context, const struct iopf_command *command)
{
	static int (*const doers[IOPF_COMMAND_KIND_COUNT])(
		struct model_iommu * iommu, const struct iopf_command *command) = {
		[IOPF_COMMAND_RESPONSE] = do_response,
		[IOPF_COMMAND_INVALIDATE_CONTEXT] = do_cache,
		[IOPF_COMMAND_INVALIDATE_PASID] = do_cache,
		[IOPF_COMMAND_INVALIDATE_IOTLB] = do_cache,
		[IOPF_COMMAND_INVALIDATE_DEVICE] = iommu_do_device,
		[IOPF_COMMAND_WAIT] = iommu_do_nothing,
		[IOPF_COMMAND_OTHER] = iommu_do_nothing,
		[IOPF_COMMAND_TERMINATE] = do_terminate,
	};

	return doers[command->kind] != NULL ? doers[command->kind](context, command) :
					      -EOPNOTSUPP;
}

/* "SMMU_CR0", SMMUEN: what waits is aborted, every tag is free. Nothing is forgotten. */
static void hardware_translation_changed(void *context, bool on)
{
	if (!on)
		smmuv3_stall_terminate(smmuv3_of(context), IOPF_NO_ID);
}

/* The root does not change while it is in use; what waits for the event queue looks at it
 * again at each run. */
static const struct iopf_hardware_ops hardware_ops = {
	.command = hardware_command,
	.interrupt = iommu_send_interrupt,
	.root_changed = iommu_no_root,
	.translation_changed = hardware_translation_changed,
	.queue_changed = iommu_no_queue,
};

/* ---- Life -------------------------------------------------------------------------- */

static int smmuv3_create(struct model_iommu *iommu,
			 struct iopf_hardware_options *hardware)
{
	const struct model_iommu_options *options = &iommu->options;
	const struct cache_options lines = {
		.entries = options->context_lines,
		.processes = options->pasid_lines,
		.translations = options->translation_lines,
		.entry_bytes = sizeof(struct smmuv3_ste),
		.process_bytes = sizeof(struct smmuv3_cd),
		.rules = cache_rules,
	};
	struct model_smmuv3 *smmu = smmuv3_of(iommu);
	int error = cache_create(&smmu->cache, &lines);

	if (error == 0)
		error = smmuv3_stalls_create(&smmu->stalls, options->stall_max);
	if (error == 0)
		error = iopf_smmuv3_identification(options->features, options->rid_bits,
						   options->pasid_bits,
						   options->stall_max, hardware->idr);
	if (error != 0)
		return error;
	hardware->version = IOPF_SMMUV3_VERSION;
	smmu->features = smmuv3_features_of(hardware->idr);
	return 0;
}

static void smmuv3_destroy(struct model_iommu *iommu)
{
	cache_destroy(&smmuv3_of(iommu)->cache);
	smmuv3_stalls_destroy(&smmuv3_of(iommu)->stalls);
}

static void smmuv3_count(const struct model_iommu *iommu, struct model_iommu_stats *stats)
{
	const struct model_smmuv3 *smmu = (const struct model_smmuv3 *)iommu;

	stats->hits = smmu->cache.hits;
	stats->misses = smmu->cache.misses;
}

const struct iommu_family iommu_family_smmuv3 = {
	.name = "smmuv3",
	.wire = &iopf_wire_smmuv3,
	.ops = &hardware_ops,
	.features = IOPF_SMMUV3_PHYSICAL,
	.size_bytes = sizeof(struct model_smmuv3),
	.create = smmuv3_create,
	.destroy = smmuv3_destroy,
	.upstream = &smmuv3_upstream,
	.count = smmuv3_count,
	.run = smmuv3_stall_run,
	.disconnect = smmuv3_stall_disconnect,
	.stalled = smmuv3_stall_count,
	.stall = smmuv3_stall_made,
};
