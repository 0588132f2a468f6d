/* SPDX-License-Identifier: BSD-3-Clause */
/* host/kernel_create.c - one guest over a kernel's fault descriptor: its parts. */
#include <errno.h>

#include "host/kernel.h"

enum { KERNEL_ALIGN = 64 };

/* Where each part lies, and what it is made with. */
struct plan {
	struct iopf_broker_options broker;
	struct iopf_guest_options guest;
	struct iopf_iommufd_options source;
	struct iopf_guest_endpoint endpoints[IOPF_GUEST_ENDPOINT_MAX];
	size_t broker_at, guest_at, source_at, tables_at, map_at, end;
};

static size_t place(struct plan *plan, size_t size_bytes)
{
	size_t at = plan->end;

	plan->end = (at + size_bytes + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN;
	return at;
}

static bool functions_right(const struct iopf_kernel_options *options)
{
	for (uint32_t i = 0; i < options->function_count; i++) {
		const struct iopf_kernel_function *function = &options->functions[i];

		if (function->allocation < 1 ||
		    function->allocation > IOPF_HOST_ALLOCATION_MAX)
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (options->functions[j].device == function->device)
				return false;
	}
	return true;
}

static bool options_right(const struct iopf_kernel_options *options)
{
	const struct iopf_kernel_ops *ops = options->ops;

	return options->size_bytes == sizeof(*options) && options->function_count >= 1 &&
	       options->function_count <= IOPF_GUEST_ENDPOINT_MAX &&
	       options->functions != NULL && options->pasid_max >= 1 &&
	       options->pasid_max <= IOPF_GUEST_PASID_MAX && options->group_pages >= 1 &&
	       options->group_pages <= IOPF_HOST_ALLOCATION_MAX && ops != NULL &&
	       ops->attach != NULL && ops->detach != NULL && ops->invalidate != NULL &&
	       ops->interrupt != NULL && functions_right(options);
}

static void plan_parts(struct plan *plan, const struct iopf_kernel_options *options)
{
	uint32_t groups = 0;

	for (uint32_t i = 0; i < options->function_count; i++) {
		groups += options->functions[i].allocation;
		plan->endpoints[i] = (struct iopf_guest_endpoint){
			.rid = options->functions[i].guest_rid,
			.endpoint = i, /* until the broker has given it its number */
			.pasid_in_response = options->functions[i].pasid_in_response,
		};
	}
	plan->broker = (struct iopf_broker_options){
		.size_bytes = sizeof(plan->broker),
		.instance = options->instance,
		.source_max = 1,
		.endpoint_max = options->function_count,
		.owner_max = 1,
		.attachment_max = options->pasid_max,
		.group_max = groups + options->group_pages,
		.event = options->event,
		.event_context = options->context,
		.recorder = options->recorder,
	};
	plan->guest = (struct iopf_guest_options){
		.size_bytes = sizeof(plan->guest),
		.endpoint_count = options->function_count,
		.endpoints = plan->endpoints,
		.memory = options->memory,
		.pasid_max = options->pasid_max,
		.levels = options->levels,
		.ops = &kernel_guest_ops,
	};
	plan->source = (struct iopf_iommufd_options){
		.size_bytes = sizeof(plan->source),
		.group_max = groups,
		.group_read_max = options->group_pages,
		.io = options->io,
		.context = options->io_context,
	};
}

/* False: an option is out of its range. */
static bool plan_make(struct plan *plan, const struct iopf_kernel_options *options)
{
	size_t broker, guest, source;

	if (!options_right(options))
		return false;
	plan_parts(plan, options);
	broker = iopf_broker_size_bytes(&plan->broker);
	guest = iopf_guest_size_bytes(&plan->guest);
	source = iopf_iommufd_size_bytes(&plan->source);
	plan->end = 0;
	place(plan, sizeof(struct iopf_kernel));
	plan->broker_at = place(plan, broker);
	plan->guest_at = place(plan, guest);
	plan->source_at = place(plan, source);
	plan->tables_at = place(plan, options->pasid_max * sizeof(struct kernel_table));
	plan->map_at = place(plan, map_size_bytes(options->pasid_max));
	return broker != 0 && guest != 0 && source != 0;
}

size_t iopf_kernel_size_bytes(const struct iopf_kernel_options *options)
{
	struct plan plan;

	return plan_make(&plan, options) ? plan.end : 0;
}

/* The broker and whom it knows. */
static int create_broker(struct iopf_kernel *kernel, const struct plan *plan,
			 const struct iopf_kernel_options *options)
{
	const struct iopf_source_options source = { .size_bytes = sizeof(source),
						    .reserve_count = options->group_pages };
	const struct iopf_owner_options owner = { .size_bytes = sizeof(owner),
						  .policy = options->policy,
						  .name = options->name,
						  .taken = kernel_taken,
						  .context = kernel };
	int error = iopf_broker_create(&plan->broker, (uint8_t *)kernel + plan->broker_at,
				       plan->guest_at - plan->broker_at, &kernel->broker);

	if (error == 0)
		error = iopf_broker_add_source(kernel->broker, &source, &kernel->source_id);
	if (error == 0)
		error = iopf_broker_add_owner(kernel->broker, &owner, &kernel->owner);
	for (uint32_t i = 0; error == 0 && i < options->function_count; i++) {
		const struct iopf_kernel_function *function = &options->functions[i];
		const struct iopf_endpoint_options endpoint = {
			.size_bytes = sizeof(endpoint),
			.source = kernel->source_id,
			.rid = function->device,
			.allocation = function->allocation,
			.pasid_in_response = function->pasid_in_response,
			.descriptor = true,
		};

		kernel->devices[i] = function->device;
		error = iopf_broker_add_endpoint(kernel->broker, &endpoint,
						 &kernel->endpoints[i]);
	}
	return error;
}

int iopf_kernel_create(const struct iopf_kernel_options *options, void *memory,
		       size_t memory_bytes, struct iopf_kernel **out)
{
	struct iopf_kernel *kernel = memory;
	uint8_t *bytes = memory;
	struct plan plan;
	int error;

	if (!plan_make(&plan, options) || ((uintptr_t)memory & (KERNEL_ALIGN - 1)) != 0)
		return -EINVAL;
	if (memory_bytes < plan.end)
		return -ENOSPC;
	*kernel = (struct iopf_kernel){ .ops = options->ops,
					.note = options->note,
					.context = options->context,
					.turn = 1,
					.function_count = options->function_count };
	kernel->tables = (void *)(bytes + plan.tables_at);
	map_create(&kernel->table_map, options->pasid_max, bytes + plan.map_at);
	error = create_broker(kernel, &plan, options);
	if (error != 0)
		return error;
	plan.guest.context = kernel;
	for (uint32_t i = 0; i < options->function_count; i++)
		plan.endpoints[i].endpoint = kernel->endpoints[i];
	error = iopf_guest_create(&plan.guest, bytes + plan.guest_at,
				  plan.source_at - plan.guest_at, &kernel->guest);
	if (error == 0)
		error = iopf_iommufd_create(&plan.source, bytes + plan.source_at,
					    plan.tables_at - plan.source_at, &kernel->source);
	if (error == 0)
		*out = kernel;
	return error;
}
