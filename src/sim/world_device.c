/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/world_device.c - functions and masters with their engines, plugged in. */
#include "sim/world.h"

#include <errno.h>

#include "wire/config.h"

#define PAGE_BYTES UINT64_C(4096)

enum { DEFAULT_WINDOW = 8, DEFAULT_RETRIES = 16, HELD_MAX = 64 };

/* ---- What the host reaches ----------------------------------------------------- */

static uint32_t register_read(void *context, uint32_t offset, uint32_t size_bytes)
{
	const struct world_function *function = context;

	return model_function_config_read(function->function, offset, size_bytes);
}

static void register_write(void *context, uint32_t offset, uint32_t size_bytes,
			   uint32_t value)
{
	const struct world_function *function = context;

	model_function_config_write(function->function, offset, size_bytes, value);
}

const struct iopf_function_ops world_function_ops = {
	.config_read = register_read,
	.config_write = register_write,
};

static void master_reset(void *context)
{
	const struct world_function *function = context;

	model_master_reset(function->master);
}

static bool master_quiet(void *context)
{
	const struct world_function *function = context;

	return model_master_quiet(function->master);
}

static const struct iopf_master_ops master_ops = {
	.reset = master_reset,
	.quiet = master_quiet,
};

/* What guests see of a function. */
static const struct iopf_config_options seen = {
	.size_bytes = sizeof(seen),
	.vendor_id = 0x1234,
	.device_id = 0x5a5a,
	.class_code = 0x120000,
	.msi = true,
	.ats = true,
	.pri = true,
	.pasid = true,
	.pasid_bits = 20,
	.pasid_rights = IOPF_PRIV,
	.bars = { { .size_bytes = 0x10000, .flags = IOPF_BAR_64 } },
};

struct iopf_host_function_options
world_for_host(const struct world_function *function,
	       const struct world_function_options *from)
{
	return (struct iopf_host_function_options){
		.rid = from->rid,
		.guest_rid = from->rid,
		.allocation = from->allocation,
		.allocation_min = from->allocation_min,
		.ops = from->stalls ? NULL : &world_function_ops,
		.master = from->stalls ? &master_ops : NULL,
		.mechanism = from->stalls ? IOPF_STALLS : IOPF_PRI,
		.has_physical = from->has_physical,
		.physical_rid = from->physical_rid,
		.context = (void *)(uintptr_t)function,
		.config = from->config ? &seen : NULL,
	};
}

/* ---- What its guest sees of it ------------------------------------------------- */

/* The place of @rid among the functions of its guest. */
static uint32_t place_of(const struct world *world, uint32_t rid, uint32_t *guest)
{
	for (*guest = 0; *guest < world->options.guest_count; ++*guest) {
		const struct world_guest_options *options = &world->guests[*guest].options;

		for (uint32_t i = 0; i < options->function_count; i++)
			if (options->functions[i].rid == rid)
				return i;
	}
	return IOPF_NO_ID;
}

uint32_t world_config_read(struct world *world, uint32_t rid, uint32_t offset,
			   uint32_t size_bytes)
{
	uint32_t guest, place = place_of(world, rid, &guest);

	return iopf_host_guest_config_read(world->host, world->guests[guest].id, place,
					   offset, size_bytes);
}

void world_config_write(struct world *world, uint32_t rid, uint32_t offset,
			uint32_t size_bytes, uint32_t value)
{
	uint32_t guest, place = place_of(world, rid, &guest);

	iopf_host_guest_config_write(world->host, world->guests[guest].id, place, offset,
				     size_bytes, value);
}

static uint32_t extended(struct world *world, uint32_t rid, uint32_t id)
{
	uint32_t at = CONFIG_EXTENDED, header = world_config_read(world, rid, at, 4);

	while ((header & 0xffff) != id) {
		at = header >> 20;
		if (at == 0 || header == UINT32_MAX)
			return 0;
		header = world_config_read(world, rid, at, 4);
	}
	return at;
}

/* PASID before ATS before PRI, which takes all that it offers. */
void world_config_on(struct world *world, uint32_t rid)
{
	uint32_t pasid = extended(world, rid, EXTENDED_PASID);
	uint32_t ats = extended(world, rid, EXTENDED_ATS);
	uint32_t pri = extended(world, rid, EXTENDED_PRI);

	if (pasid == 0 || ats == 0 || pri == 0)
		return; /* it is not there now */
	world_config_write(world, rid, pasid + PASID_CONTROL, 2, PASID_ENABLE | PASID_PRIV);
	world_config_write(world, rid, ats + ATS_CONTROL, 2, ATS_ENABLE);
	world_config_write(world, rid, pri + PRI_CONTROL, 2, PRI_RESET);
	world_config_write(world, rid, pri + PRI_ALLOCATION, 4,
			   world_config_read(world, rid, pri + PRI_CAPACITY, 4));
	world_config_write(world, rid, pri + PRI_CONTROL, 2, PRI_ENABLE);
}

/* ---- What the IOMMU reaches ---------------------------------------------------- */

static void on_response(void *context, uint32_t pasid, uint64_t payload)
{
	model_function_response(context, pasid, payload);
}

static int on_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	return model_function_invalidate(context, pasid, payload);
}

static void on_released(void *context, const struct model_transaction *transaction,
			int result)
{
	model_master_released(context, transaction, result);
}

/* ---- Plugged in ---------------------------------------------------------------- */

static int make_function(struct world *world, const struct world_function_options *from,
			 struct world_function *made)
{
	const struct world_function *physical =
		from->has_physical ? world_function(world, from->physical_rid) : NULL;
	const struct model_function_options options = {
		.upstream = model_iommu_upstream(world->iommu),
		.observer = world->options.observer,
		.rid = from->rid,
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.class_code = 0x120000,
		.capacity = from->capacity != 0 ? from->capacity : from->allocation,
		.atc_entries = 64,
		.pasid_width = 20,
		.unexpected = from->unexpected,
		.priv = true,
		.pasid_in_response = !from->no_pasid_in_response,
		.stop_marker = from->stop_marker,
		.physical = physical != NULL ? physical->function : NULL,
	};
	const struct model_downstream downstream = { .response = on_response,
						     .invalidate = on_invalidate };
	struct model_downstream end = downstream;
	int error;

	if (from->has_physical && physical == NULL)
		return -ENOENT;
	error = model_function_create(&options, &made->function);
	end.context = made->function;
	return error != 0 ? error : model_iommu_connect(world->iommu, from->rid, &end);
}

static int make_master(struct world *world, const struct world_function_options *from,
		       struct world_function *made)
{
	const struct model_master_options options = {
		.upstream = model_iommu_upstream(world->iommu),
		.rid = from->rid,
		.transactions = HELD_MAX,
		.pasid_width = 20,
	};
	struct model_downstream end = { .released = on_released };
	int error = model_master_create(&options, &made->master);

	end.context = made->master;
	return error != 0 ? error : model_iommu_connect(world->iommu, from->rid, &end);
}

int world_plug(struct world *world, const struct world_function_options *from,
	       struct world_function **out)
{
	struct model_engine_options engine = {
		.job_max = MODEL_ENGINE_JOB_MAX,
		.window = from->window != 0 ? from->window : DEFAULT_WINDOW,
		.group_pages = from->group_pages != 0 && !from->stalls ? from->group_pages : 1,
		.retry_max = from->retry_max != 0 ? from->retry_max : DEFAULT_RETRIES,
		.piece_bytes = PAGE_BYTES,
		.patient = true,
	};
	struct world_function *made = &world->functions[world->function_count];
	int error;

	if (world->function_count == WORLD_FUNCTION_MAX)
		return -ENOSPC;
	*made = (struct world_function){ .rid = from->rid, .world = world };
	error = from->stalls ? make_master(world, from, made) :
			       make_function(world, from, made);
	if (error != 0)
		return error;
	world->function_count++;
	*out = made;
	engine.function = made->function;
	engine.master = made->master;
	return model_engine_create(&engine, &made->engine);
}

void world_pull(struct world_function *function)
{
	if (function->master != NULL)
		model_master_remove(function->master);
	else
		model_function_remove(function->function);
}

/* Virtual functions stand behind their physical ones. */
void world_unplug_all(struct world *world)
{
	while (world->function_count > 0) {
		struct world_function *function = &world->functions[--world->function_count];

		model_iommu_connect(world->iommu, function->rid, NULL);
		model_engine_destroy(function->engine);
		if (function->master != NULL)
			model_master_destroy(function->master);
		else
			model_function_destroy(function->function);
	}
}
