/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/machine.c - what guests run on: memory, functions with engines, an IOMMU, a host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/cli.h"
#include "cli/port.h"
#include "cli/run.h"

#define ARENA_BASE UINT64_C(0x100000)
#define GUEST_BASE(number) (((uint64_t)(number) + 1) << 32)

enum {
	BUDGET = 256,       /* of everything, a turn */
	ALLOCATION = 128,   /* credits of a function */
	SPACES = 16,        /* of a guest: more than its agent wants */
	START_TURNS = 1000,
	RECORDS = 65536,    /* that the flight recorder keeps; a power of two */
};

static const uint64_t second_ns = 1000000000;

/* ---- Memory ------------------------------------------------------------------------ */

/* Structures and queues, and for each guest a second stage with a table for 512 pages. */
static uint64_t arena_bytes(const struct run *run)
{
	uint64_t mib = UINT64_C(1) << 20;
	uint64_t guest = 2 * mib + run->layout.size_bytes / 256;

	return (16 * mib + run->guest_count * guest) / mib * mib;
}

static int memory_create(struct run *run)
{
	uint64_t size_bytes = arena_bytes(run);
	void *arena = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		return -errno;
	run->segments[0] = (struct iopf_segment){ ARENA_BASE, size_bytes, arena };
	for (uint32_t i = 0; i < run->guest_count; i++)
		run->segments[1 + i] = (struct iopf_segment){ GUEST_BASE(i),
							      run->layout.size_bytes,
							      run->guests[i].memory };
	run->memory = (struct iopf_memory){ run->segments, 1 + run->guest_count };
	return 0;
}

static int memory_for(void **memory, size_t size_bytes)
{
	size_t rounded = (size_bytes + 63) & ~(size_t)63;

	*memory = size_bytes > 0 ? aligned_alloc(64, rounded) : NULL;
	return size_bytes == 0 ? -EINVAL : *memory != NULL ? 0 : -ENOMEM;
}

/* ---- The IOMMU and its host -------------------------------------------------------- */

/* Of a function: its guest's interrupt. Of the IOMMU: the host looks at it each turn. */
static void on_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	struct run *run = context;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].rid == rid && addr == PORT_INTERRUPT_ADDR)
			loop_ring(&run->guests[i], data);
}

static int iommu_create(struct run *run)
{
	return model_iommu_create(
		&(struct model_iommu_options){ .family = "vtd",
					       .memory = &run->memory,
					       .pasid_bits = 20,
					       .address_bits = 46,
					       .context_lines = 256,
					       .pasid_lines = 256,
					       .translation_lines = 4096,
					       .invalidation_timeout_ns = second_ns,
					       .interrupt = on_interrupt,
					       .context = run },
		&run->iommu);
}

static int host_start(struct run *run)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < START_TURNS && error == -EAGAIN; i++) {
		error = iopf_host_start(run->host);
		model_iommu_run(run->iommu, BUDGET, run->now_ns);
	}
	return error;
}

/* What the broker did last, and its numbers: always on. */
static int instruments_create(struct run *run, struct iopf_host_options *options)
{
	size_t recorder_bytes = sizeof(struct iopf_recorder) +
				RECORDS * sizeof(struct iopf_record);
	int error = memory_for(&run->recorder_memory, recorder_bytes);

	if (error == 0)
		error = memory_for(&run->stats_memory,
				   iopf_host_stats_size_bytes(options));
	if (error != 0)
		return error;
	options->recorder = iopf_recorder_create(run->recorder_memory, recorder_bytes);
	options->stats = run->stats_memory;
	return 0;
}

static int host_create(struct run *run)
{
	struct iopf_host_options options = {
		.size_bytes = sizeof(options),
		.instance = 1,
		.family = "vtd",
		.registers = &iopf_hardware_registers,
		.register_context = model_iommu_hardware(run->iommu),
		.memory = &run->memory,
		.base = ARENA_BASE,
		.region_bytes = run->segments[0].size_bytes,
		.request_order = 7,
		.command_order = 4,
		.guest_max = run->guest_count,
		.function_max = run->guest_count,
		.attachment_max = run->guest_count * SPACES,
		.status_period_ns = second_ns / 100,
		.interrupt_addr = PORT_INTERRUPT_ADDR,
		.event = watch_event,
		.note = watch_note,
		.context = run,
	};
	size_t size_bytes;
	int error = instruments_create(run, &options);

	size_bytes = iopf_host_size_bytes(&options);
	if (error == 0)
		error = memory_for(&run->host_memory, size_bytes);
	if (error == 0)
		error = iopf_host_create(&options, run->host_memory, size_bytes,
					 &run->host);
	return error == 0 ? host_start(run) : error;
}

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

/* Functions differ where the specification leaves them a choice. */
static int function_create(struct run_guest *guest)
{
	const struct model_function_options options = {
		.upstream = model_iommu_upstream(guest->run->iommu),
		.observer = watch_observer(guest),
		.rid = guest->rid,
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.class_code = 0x120000, /* processing accelerator */
		.capacity = 2 * ALLOCATION,
		.atc_entries = 256,
		.pasid_width = 16,
		.priv = true,
		.exec = true,
		.endpoint = true,
		.pasid_in_response = guest->number % 3 != 2,
		.stop_marker = guest->number % 2 == 1,
	};
	const struct model_downstream downstream_of = { .response = on_response,
							.invalidate = on_invalidate };
	struct model_downstream downstream = downstream_of;
	struct model_engine_options engine = {
		.hooks = watch_hooks(guest),
		.job_max = 4,
		.window = 8,
		.group_pages = 16,
		.retry_max = 8,
		.piece_bytes = LAYOUT_PAGE,
	};
	int error = model_function_create(&options, &guest->function);

	if (error != 0)
		return error;
	engine.function = guest->function;
	downstream.context = guest->function;
	error = model_engine_create(&engine, &guest->engine);
	return error != 0 ? error :
			    model_iommu_connect(guest->run->iommu, guest->rid, &downstream);
}

/* What the firmware and the VMM of a real machine have set before a guest runs. */
static void function_prepare(struct run_guest *guest)
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

/* ---- A guest ----------------------------------------------------------------------- */

static void on_guest_interrupt(void *context, uint64_t addr, uint32_t data)
{
	if (addr == PORT_INTERRUPT_ADDR)
		loop_ring(context, data);
}

static int guest_add(struct run_guest *guest)
{
	struct run *run = guest->run;
	const struct iopf_host_function_options function = {
		.rid = guest->rid,
		.guest_rid = LAYOUT_RID,
		.allocation = ALLOCATION,
		.ops = &function_ops,
		.context = guest->function,
	};
	const struct iopf_pager_region region = { .addr = LAYOUT_BASE,
						  .out = GUEST_BASE(guest->number),
						  .size_bytes = run->layout.size_bytes,
						  .perm = IOPF_READ | IOPF_WRITE };
	struct iopf_host_guest_options options = {
		.size_bytes = sizeof(options),
		.function_count = 1,
		.functions = &function,
		.memory = { &guest->segment, 1 },
		.regions = &region,
		.region_count = 1,
		.pasid_max = SPACES,
		.levels = 5,
		.deadline_ns = second_ns,
		.hold_ns = 5 * second_ns,
		.name = guest->number,
		.interrupt = on_guest_interrupt,
		.context = guest,
	};
	int error;

	options.guest_memory_bytes = iopf_host_guest_size_bytes(&options);
	error = memory_for(&guest->guest_memory, options.guest_memory_bytes);
	options.guest_memory = guest->guest_memory;
	if (error == 0)
		error = iopf_host_add_guest(run->host, &options, &guest->id);
	if (error != 0)
		return error;
	guest->endpoint = iopf_host_endpoint(run->host, guest->rid);
	return sim_check_bind(run->check, guest->rid, guest->endpoint);
}

static int guest_create(struct run_guest *guest)
{
	int error = function_create(guest);

	if (error != 0)
		return error;
	function_prepare(guest);
	return guest_add(guest);
}

/* ---- All of it --------------------------------------------------------------------- */

int machine_create(struct run *run)
{
	const char *what = "memory";
	int error = memory_create(run);

	if (error == 0) {
		what = "the checkers";
		error = watch_create(run);
	}
	if (error == 0) {
		what = "the IOMMU";
		error = iommu_create(run);
	}
	if (error == 0) {
		what = "the host";
		error = host_create(run);
	}
	for (uint32_t i = 0; error == 0 && i < run->guest_count; i++) {
		what = run->guests[i].name;
		error = guest_create(&run->guests[i]);
	}
	if (error == 0)
		return CLI_OK;
	cli_error("%s cannot be set up: %s", what, strerror(-error));
	return CLI_MISSING;
}

void machine_destroy(struct run *run)
{
	for (uint32_t i = 0; i < run->guest_count; i++) {
		struct run_guest *guest = &run->guests[i];

		model_engine_destroy(guest->engine);
		if (guest->function != NULL)
			model_function_destroy(guest->function);
		free(guest->guest_memory);
	}
	if (run->iommu != NULL)
		model_iommu_destroy(run->iommu);
	free(run->host_memory);
	free(run->recorder_memory);
	free(run->stats_memory);
	watch_destroy(run);
	if (run->segments[0].memory != NULL)
		munmap(run->segments[0].memory, run->segments[0].size_bytes);
}

uint32_t machine_turn(struct run *run)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < run->guest_count; i++)
		done += model_engine_run(run->guests[i].engine, BUDGET, run->now_ns);
	done += model_iommu_run(run->iommu, BUDGET, run->now_ns);
	done += iopf_host_run(run->host, BUDGET, run->now_ns);
	watch_turn(run);
	return done;
}

const struct iopf_stats_row *machine_owner_row(const struct run *run,
					       const struct run_guest *guest)
{
	const struct iopf_stats_page *page =
		iopf_broker_stats(iopf_host_broker(run->host));

	return &page->row[page->endpoint_max + iopf_host_owner(run->host, guest->id)];
}

const struct iopf_stats_row *machine_endpoint_row(const struct run *run,
						  const struct run_guest *guest)
{
	const struct iopf_stats_page *page =
		iopf_broker_stats(iopf_host_broker(run->host));

	return &page->row[guest->endpoint];
}
