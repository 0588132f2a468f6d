/* SPDX-License-Identifier: BSD-3-Clause */
/* model/vtd.c - VT-d as software sees it: commands, identification, life. */
#include <errno.h>

#include "model/vtd_state.h"

/* ---- What is forgotten ------------------------------------------------------------- */

#define ALL_BUT_DEVICE (1u << IOPF_ALL | 1u << IOPF_DOMAIN)
#define NAMED_DOMAIN   (CACHE_LINES | CACHE_BY_DOMAIN)
#define NAMED_PASID    (NAMED_DOMAIN | CACHE_BY_PASID)

/* VT-d, 6.5.2 "Queued Invalidation Interface". */
static const struct cache_rule cache_rules[] = {
	/* Scalable-mode contexts are in no domain: that names them all. */
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = ALL_BUT_DEVICE,
	  .entries = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
	  .granularities = 1 << IOPF_DEVICE,
	  .entries = CACHE_LINES | CACHE_BY_RID },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_ALL,
	  .processes = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_DOMAIN,
	  .processes = NAMED_DOMAIN },
	{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .processes = NAMED_PASID },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ALL,
	  .translations = CACHE_LINES },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_DOMAIN,
	  .translations = NAMED_DOMAIN },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_ONE_PASID,
	  .translations = NAMED_PASID | CACHE_HAS_FIRST },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_GIVEN,
	  .translations = NAMED_PASID | CACHE_HAS_FIRST | CACHE_BY_RANGE },
	/* Without a PASID the pages are those of a second level: a nested translation came
	 * through some of them, and no tag says which, so all of the domain's go. */
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations = NAMED_DOMAIN | CACHE_NO_FIRST | CACHE_BY_RANGE },
	{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
	  .granularities = 1 << IOPF_PAGE,
	  .pasid = CACHE_PASID_NONE,
	  .translations = NAMED_DOMAIN | CACHE_HAS_FIRST | CACHE_HAS_SECOND },
	{ .kind = IOPF_COMMAND_NONE },
};

/* ---- Commands ---------------------------------------------------------------------- */

static int do_cache(struct model_iommu *iommu, const struct iopf_command *command)
{
	cache_invalidate(&vtd_of(iommu)->cache, command);
	return 0;
}

/* A wait that drains page requests (VT-d, 7.10) has nothing to do: functions post them
 * straight into the queue and invalidations complete in order, so all that came before
 * is there. */
static int hardware_command(void *context, const struct iopf_command *command)
{
	static int (*const doers[IOPF_COMMAND_KIND_COUNT])(
		struct model_iommu * iommu, const struct iopf_command *command) = {
		[IOPF_COMMAND_RESPONSE] = iommu_do_response,
		[IOPF_COMMAND_INVALIDATE_CONTEXT] = do_cache,
		[IOPF_COMMAND_INVALIDATE_PASID] = do_cache,
		[IOPF_COMMAND_INVALIDATE_IOTLB] = do_cache,
		[IOPF_COMMAND_INVALIDATE_DEVICE] = iommu_do_device,
		[IOPF_COMMAND_WAIT] = iommu_do_nothing,
		[IOPF_COMMAND_OTHER] = iommu_do_nothing,
	};

	return doers[command->kind] != NULL ? doers[command->kind](context, command) :
					      -EOPNOTSUPP;
}

/* Neither a new root nor the switch forgets anything by itself (CAP.ESRTPS = 0): that
 * is software's to ask for. */
static void hardware_root_changed(void *context)
{
	(void)context;
}

static void hardware_translation_changed(void *context, bool on)
{
	(void)context;
	(void)on;
}

static void hardware_queue_changed(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
}

static const struct iopf_hardware_ops hardware_ops = {
	.command = hardware_command,
	.interrupt = iommu_send_interrupt,
	.root_changed = hardware_root_changed,
	.translation_changed = hardware_translation_changed,
	.queue_changed = hardware_queue_changed,
};

/* ---- Life -------------------------------------------------------------------------- */

static int vtd_create(struct model_iommu *iommu, struct iopf_hardware_options *hardware)
{
	const struct model_iommu_options *options = &iommu->options;
	const struct cache_options lines = {
		.entries = options->context_lines,
		.processes = options->pasid_lines,
		.translations = options->translation_lines,
		.entry_bytes = sizeof(struct vtd_context_line),
		.process_bytes = sizeof(struct vtd_pasid_line),
		.rules = cache_rules,
	};
	struct model_vtd *vtd = vtd_of(iommu);
	int error;

	if (options->rid_bits != 16)
		return -EINVAL;
	error = cache_create(&vtd->cache, &lines);
	if (error == 0)
		error = iopf_vtd_capability(options->features, options->pasid_bits,
					    &hardware->cap, &hardware->ecap);
	if (error != 0)
		return error;
	hardware->version = IOPF_VTD_VERSION;
	vtd->features =
		vtd_features_of(hardware->cap, hardware->ecap, options->address_bits);
	return 0;
}

static void vtd_destroy(struct model_iommu *iommu)
{
	cache_destroy(&vtd_of(iommu)->cache);
}

static void vtd_count(const struct model_iommu *iommu, struct model_iommu_stats *stats)
{
	const struct model_vtd *vtd = (const struct model_vtd *)iommu;

	stats->hits = vtd->cache.hits;
	stats->misses = vtd->cache.misses;
}

const struct iommu_family iommu_family_vtd = {
	.name = "vtd",
	.wire = &iopf_wire_vtd,
	.ops = &hardware_ops,
	.features = IOPF_VTD_PHYSICAL,
	.size_bytes = sizeof(struct model_vtd),
	.create = vtd_create,
	.destroy = vtd_destroy,
	.upstream = &vtd_upstream,
	.count = vtd_count,
};
