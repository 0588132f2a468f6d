/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/device.c - what a guest is given: a device that pages, and its share of a host. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/port.h"
#include "cli/run.h"
#include "queue/hardware.h"

enum {
	ALLOCATION = 128, /* credits of a function */
	WINDOW = 8,       /* pages that a device asks for at once; no more than it may */
};

static const uint64_t second_ns = 1000000000;

/* ---- A function -------------------------------------------------------------------- */

static uint32_t config_read(void *context, uint32_t offset, uint32_t size_bytes)
{
	return model_function_config_read(context, offset, size_bytes);
}

static void config_write(void *context, uint32_t offset, uint32_t size_bytes,
			 uint32_t value)
{
	model_function_config_write(context, offset, size_bytes, value);
}

static const struct iopf_function_ops function_ops = { .config_read = config_read,
						       .config_write = config_write };

static void on_response(void *context, uint32_t pasid, uint64_t payload)
{
	model_function_response(context, pasid, payload);
}

static int on_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	return model_function_invalidate(context, pasid, payload);
}

/* Pages that it asks for at once: no more than it may. A liar's no more than are seen at
 * once, so that it is found out. */
static uint32_t window_of(const struct run_guest *guest)
{
	const struct hardware_family *host = hardware_family_find(guest->combination->host);
	bool seen = guest->character == CHARACTER_liar &&
		    guest->combination->mechanism == IOPF_STALLS;
	uint32_t window = CLI_MIN((uint32_t)WINDOW, device_share(guest));

	if (guest->character == CHARACTER_noisy)
		return MODEL_ENGINE_WINDOW_MAX;
	return seen && host->stall_each != 0 ? CLI_MIN(window, host->stall_each) : window;
}

static struct model_engine_options engine_options(struct run_guest *guest)
{
	return (struct model_engine_options){
		.hooks = watch_hooks(guest),
		.job_max = 4,
		.window = window_of(guest),
		.group_pages = 16,
		.retry_max = 8,
		.piece_bytes = LAYOUT_PAGE,
	};
}

/* Functions differ where the specification leaves them a choice. */
static int function_create(struct run_guest *guest)
{
	const struct run_hooks *hooks = guest->run->hooks;
	struct model_function_options options = {
		.upstream = model_iommu_upstream(guest->machine->iommu),
		.observer = watch_observer(guest),
		.rid = guest->rid,
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.class_code = 0x120000, /* processing accelerator */
		.capacity = 2 * ALLOCATION,
		.atc_entries = 256,
		.pasid_width = guest->combination->pasids ? RUN_PASID_BITS : 0,
		.priv = true,
		.exec = true,
		.endpoint = true,
		.pasid_in_response = guest->number % 3 != 2,
		.stop_marker = guest->number % 2 == 1,
	};
	struct model_downstream downstream = { .response = on_response,
					       .invalidate = on_invalidate };
	struct model_engine_options engine = engine_options(guest);
	int error;

	if (hooks->adapt != NULL)
		hooks->adapt(guest, &options, &engine);
	error = model_function_create(&options, &guest->function);
	if (error != 0)
		return error;
	engine.function = downstream.context = guest->function;
	if (hooks->plug != NULL)
		hooks->plug(guest, &downstream);
	error = model_engine_create(&engine, &guest->engine);
	return error != 0 ? error :
			    model_iommu_connect(guest->machine->iommu, guest->rid,
						&downstream);
}

/* What the firmware and the VMM of a real machine have set before a guest runs. */
void device_prepare(struct run_guest *guest)
{
	enum {
		COMMAND = 0x04,
		COMMAND_BITS = 0x06, /* memory space, bus master */
		CAPABILITIES = 0x34,
		MSI_ID = 0x05,
		MSI_CONTROL = 2,
		MSI_ADDR = 4,
		MSI_DATA = 12, /* behind the upper half of a 64-bit address */
		MSI_ON = 1,
	};
	uint32_t at = config_read(guest->function, CAPABILITIES, 1);

	config_write(guest->function, COMMAND, 2, COMMAND_BITS);
	while (at != 0 && config_read(guest->function, at, 1) != MSI_ID)
		at = config_read(guest->function, at + 1, 1);
	if (at == 0)
		return;
	config_write(guest->function, at + MSI_ADDR, 4, (uint32_t)PORT_INTERRUPT_ADDR);
	config_write(guest->function, at + MSI_DATA, 2, PORT_VECTOR_DEVICE);
	config_write(guest->function, at + MSI_CONTROL, 2, MSI_ON);
}

/* ---- A platform master ------------------------------------------------------------- */

static void on_released(void *context, const struct model_transaction *transaction,
			int result)
{
	model_master_released(context, transaction, result);
}

static void master_reset(void *context)
{
	model_master_reset(context);
}

static bool master_quiet(void *context)
{
	return model_master_quiet(context);
}

static const struct iopf_master_ops master_ops = { .reset = master_reset,
						   .quiet = master_quiet };

static int master_create(struct run_guest *guest)
{
	const struct model_master_options options = {
		.upstream = model_iommu_upstream(guest->machine->iommu),
		.rid = guest->rid,
		.transactions = MODEL_MASTER_TRANSACTION_MAX,
		.pasid_width = guest->combination->pasids ? RUN_PASID_BITS : 0,
		.interrupt = true,
		.interrupt_addr = PORT_INTERRUPT_ADDR,
		.interrupt_data = PORT_VECTOR_DEVICE,
	};
	struct model_downstream downstream = { .released = on_released };
	struct model_engine_options engine = engine_options(guest);
	int error = model_master_create(&options, &guest->master);

	if (error != 0)
		return error;
	engine.master = downstream.context = guest->master;
	engine.group_pages = 1; /* a stall is one page */
	if (guest->run->hooks->adapt != NULL)
		guest->run->hooks->adapt(guest, NULL, &engine);
	error = model_engine_create(&engine, &guest->engine);
	return error != 0 ? error :
			    model_iommu_connect(guest->machine->iommu, guest->rid,
						&downstream);
}

/* ---- A guest ----------------------------------------------------------------------- */

static void on_guest_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct run_guest *guest = context;

	guest->run->hooks->interrupt(guest, addr, data);
}

static int guest_add(struct run_guest *guest)
{
	bool stalls = guest->combination->mechanism == IOPF_STALLS;
	const struct iopf_host_function_options function = {
		.rid = guest->rid,
		.guest_rid = guest->guest_rid,
		.allocation = device_share(guest),
		.mechanism = guest->combination->mechanism,
		.ops = stalls ? NULL : &function_ops,
		.master = stalls ? &master_ops : NULL,
		.context = stalls ? (void *)guest->master : (void *)guest->function,
		.config = guest->config,
	};
	const struct iopf_pager_region region = { .addr = guest->segment.base,
						  .out = DEVICE_GUEST_BASE(guest->number),
						  .size_bytes = guest->segment.size_bytes,
						  .perm = IOPF_READ | IOPF_WRITE };
	struct iopf_host_guest_options options = {
		.size_bytes = sizeof(options),
		.function_count = 1,
		.functions = &function,
		.memory = { &guest->segment, 1 },
		.regions = &region,
		.region_count = 1,
		.pasid_max = guest->space_max,
		.levels = guest->levels,
		.family = guest->combination->guest,
		.policy = guest->policy,
		.hold_ns = 5 * second_ns,
		.name = guest->number,
		.interrupt = on_guest_interrupt,
		.context = guest,
	};
	int error;

	options.guest_memory_bytes = iopf_host_guest_size_bytes(&options);
	error = machine_memory(&guest->guest_memory, options.guest_memory_bytes);
	options.guest_memory = guest->guest_memory;
	if (error == 0)
		error = iopf_host_add_guest(guest->machine->host, &options, &guest->id);
	if (error != 0)
		return error;
	guest->endpoint = iopf_host_endpoint(guest->machine->host, guest->rid);
	return sim_check_bind(guest->machine->check, guest->rid, guest->endpoint);
}

int device_create(struct run_guest *guest)
{
	bool stalls = guest->combination->mechanism == IOPF_STALLS;
	int error = stalls ? master_create(guest) : function_create(guest);

	if (error != 0)
		return error;
	if (!stalls)
		device_prepare(guest);
	return guest_add(guest);
}

uint32_t device_share(const struct run_guest *guest)
{
	const struct run *run = guest->run;
	uint32_t streams = 0;

	if (guest->combination->mechanism != IOPF_STALLS)
		return ALLOCATION;
	for (uint32_t i = 0; i < run->guest_count; i++)
		streams += run->guests[i].machine == guest->machine &&
			   run->guests[i].combination->mechanism == IOPF_STALLS;
	assert(streams > 0); /* it is one itself */
	return CLI_MIN((uint32_t)RUN_STALL_SHARE,
		       machine_stall_slots(guest->machine) / streams);
}

/* Of the stall pool, as the host granted it: a master knows nothing of it. */
static uint32_t granted(const struct run_guest *guest)
{
	return iopf_broker_gauge(iopf_host_broker(guest->machine->host), guest->endpoint,
				 IOPF_GAUGE_granted);
}

static struct device_state master_state(const struct run_guest *guest)
{
	struct model_master_state master;

	model_master_state(guest->master, &master);
	return (struct device_state){ .requests = master.stalls,
				      .allocation = granted(guest),
				      .in_use = master.held };
}

static struct device_state function_state(const struct run_guest *guest)
{
	struct model_function_state function;

	model_function_state(guest->function, &function);
	return (struct device_state){ .requests = function.requests,
				      .allocation = function.allocation,
				      .in_use = function.credits_in_use,
				      .uprgi = function.uprgi_count,
				      .rf = function.response[MODEL_FAILED] +
					    function.rf,
				      .pasid_in_response = function.pasid_in_response };
}

struct device_state device_state(const struct run_guest *guest)
{
	struct device_state state = guest->master != NULL ? master_state(guest) :
							    function_state(guest);

	state.faults = model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_faults);
	return state;
}

void device_destroy(struct run_guest *guest)
{
	if (guest->machine == NULL)
		return; /* it was never dealt out */
	model_engine_destroy(guest->engine);
	if (guest->function != NULL)
		model_function_destroy(guest->function);
	if (guest->machine->iommu != NULL)
		model_iommu_connect(guest->machine->iommu, guest->rid, NULL);
	if (guest->master != NULL)
		model_master_destroy(guest->master);
	free(guest->guest_memory);
}
