/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/machine.c - what guests run on: memory, an IOMMU, a host; one of each a family. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/cli.h"
#include "cli/port.h"
#include "cli/run.h"
#include "queue/hardware.h"

#define ARENA_BASE UINT64_C(0x100000)

enum {
	BUDGET = 256,      /* of everything, a turn, */
	DEVICE_BUDGET = 8, /* but of each device: their links are alike */
	START_TURNS = 1000,
	RECORDS = 65536, /* that the flight recorder keeps; a power of two */
	REQUEST_ORDER = 7, /* the request queue is 2^n pages */
};

static const uint64_t second_ns = 1000000000;

/* ---- Memory ------------------------------------------------------------------------ */

/* Structures and queues, and for each guest a second stage with a table for 512 pages. */
static uint64_t arena_bytes(const struct run_machine *machine)
{
	uint64_t mib = UINT64_C(1) << 20;
	uint64_t bytes = 16 * mib;

	for (uint32_t i = 0; i < machine->run->guest_count; i++)
		if (machine->run->guests[i].machine == machine)
			bytes += 2 * mib + machine->run->guests[i].segment.size_bytes / 256;
	return bytes / mib * mib;
}

static int memory_create(struct run_machine *machine)
{
	const struct run *run = machine->run;
	uint64_t size_bytes = arena_bytes(machine);
	uint32_t end = 0;
	void *arena = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED)
		return -errno;
	machine->segments[end++] = (struct iopf_segment){ ARENA_BASE, size_bytes, arena };
	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].machine == machine)
			machine->segments[end++] =
				(struct iopf_segment){ DEVICE_GUEST_BASE(i),
						       run->guests[i].segment.size_bytes,
						       run->guests[i].memory };
	machine->memory = (struct iopf_memory){ machine->segments, end };
	return 0;
}

int machine_memory(void **memory, size_t size_bytes)
{
	size_t rounded = (size_bytes + 63) & ~(size_t)63;

	*memory = size_bytes > 0 ? aligned_alloc(64, rounded) : NULL;
	return size_bytes == 0 ? -EINVAL : *memory != NULL ? 0 : -ENOMEM;
}

/* ---- The IOMMU and its host -------------------------------------------------------- */

/* Of a function: its guest's interrupt. Of the IOMMU: the host looks at it each turn. */
static void on_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	const struct run_machine *machine = context;
	struct run *run = machine->run;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].machine == machine && run->guests[i].rid == rid &&
		    addr == PORT_INTERRUPT_ADDR && data == PORT_VECTOR_DEVICE)
			run->hooks->device_interrupt(&run->guests[i]);
}

static int iommu_create(struct run_machine *machine)
{
	return model_iommu_create(
		&(struct model_iommu_options){ .family = machine->family,
					       .memory = &machine->memory,
					       .pasid_bits = 20,
					       .address_bits = 46,
					       .context_lines = 256,
					       .pasid_lines = 256,
					       .translation_lines = 4096,
					       .invalidation_timeout_ns = second_ns,
					       .stall_max = machine_stall_slots(machine),
					       .observer = watch_stall_observer(machine),
					       .interrupt = on_interrupt,
					       .context = machine },
		&machine->iommu);
}

static int host_start(struct run_machine *machine)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < START_TURNS && error == -EAGAIN; i++) {
		error = iopf_host_start(machine->host);
		model_iommu_run(machine->iommu, BUDGET, machine->run->now_ns);
	}
	return error;
}

/* What the broker did last, and its numbers: always on. */
static int instruments_create(struct run_machine *machine,
			      struct iopf_host_options *options)
{
	size_t recorder_bytes =
		sizeof(struct iopf_recorder) + RECORDS * sizeof(struct iopf_record);
	int error = machine_memory(&machine->recorder_memory, recorder_bytes);

	if (error == 0)
		error = machine_memory(&machine->stats_memory,
				       iopf_host_stats_size_bytes(options));
	if (error != 0)
		return error;
	options->recorder =
		iopf_recorder_create(machine->recorder_memory, recorder_bytes);
	options->stats = machine->stats_memory;
	return 0;
}

static uint32_t spaces(const struct run_machine *machine)
{
	const struct run *run = machine->run;
	uint32_t count = 0;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].machine == machine)
			count += run->guests[i].space_max;
	return count;
}

static int host_create(struct run_machine *machine)
{
	struct iopf_host_options options = {
		.size_bytes = sizeof(options),
		.instance = 1 + (uint32_t)(machine - machine->run->machines),
		.family = machine->family,
		.registers = &iopf_hardware_registers,
		.register_context = model_iommu_hardware(machine->iommu),
		.memory = &machine->memory,
		.base = ARENA_BASE,
		.region_bytes = machine->segments[0].size_bytes,
		.request_order = REQUEST_ORDER,
		.event_order = 3,
		.command_order = 4,
		.guest_max = machine->guest_count,
		.function_max = machine->guest_count,
		.attachment_max = spaces(machine),
		.status_period_ns = second_ns / 100,
		.interrupt_addr = PORT_INTERRUPT_ADDR,
		.event = watch_event,
		.note = watch_note,
		.context = machine,
	};
	size_t size_bytes;
	int error = instruments_create(machine, &options);

	size_bytes = iopf_host_size_bytes(&options);
	if (error == 0)
		error = machine_memory(&machine->host_memory, size_bytes);
	if (error == 0)
		error = iopf_host_create(&options, machine->host_memory, size_bytes,
					 &machine->host);
	return error == 0 ? host_start(machine) : error;
}

/* ---- All of it --------------------------------------------------------------------- */

/* Returns: 0 or what failed, and of what in *@what. */
static int create(struct run_machine *machine, const char **what)
{
	static const struct {
		const char *what;
		int (*create)(struct run_machine *machine);
	} parts[] = {
		{ "memory", memory_create },
		{ "the checkers", watch_create },
		{ "the IOMMU", iommu_create },
		{ "the host", host_create },
	};
	struct run *run = machine->run;
	int error = 0;

	for (size_t i = 0; error == 0 && i < CLI_COUNT(parts); i++) {
		*what = parts[i].what;
		error = parts[i].create(machine);
	}
	for (uint32_t i = 0; error == 0 && i < run->guest_count; i++)
		if (run->guests[i].machine == machine) {
			*what = run->guests[i].name;
			error = device_create(&run->guests[i]);
		}
	return error;
}

int machines_create(struct run *run)
{
	for (uint32_t i = 0; i < run->machine_count; i++) {
		const char *what;
		int error = create(&run->machines[i], &what);

		if (error == 0)
			continue;
		cli_error("%s: %s cannot be set up: %s", run->machines[i].family, what,
			  strerror(-error));
		return CLI_MISSING;
	}
	return CLI_OK;
}

static void destroy(struct run_machine *machine)
{
	if (machine->iommu != NULL)
		model_iommu_destroy(machine->iommu);
	free(machine->host_memory);
	free(machine->recorder_memory);
	free(machine->stats_memory);
	watch_destroy(machine);
	if (machine->segments[0].memory != NULL)
		munmap(machine->segments[0].memory, machine->segments[0].size_bytes);
}

void machines_destroy(struct run *run)
{
	for (uint32_t i = 0; i < run->guest_count; i++)
		device_destroy(&run->guests[i]);
	for (uint32_t i = 0; i < run->machine_count; i++)
		destroy(&run->machines[i]);
}

uint32_t machines_turn(struct run *run)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (!noise_rests(&run->guests[i]))
			done += model_engine_run(run->guests[i].engine, DEVICE_BUDGET,
						 run->now_ns);
	for (uint32_t i = 0; i < run->machine_count; i++) {
		struct run_machine *machine = &run->machines[i];

		done += model_iommu_run(machine->iommu, BUDGET, run->now_ns);
		done += iopf_host_run(machine->host, BUDGET, run->now_ns);
		watch_turn(machine);
	}
	return done;
}

uint64_t machines_next_ns(const struct run *run)
{
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t i = 0; i < run->machine_count; i++)
		next_ns = CLI_MIN(next_ns, iopf_host_next_ns(run->machines[i].host));
	return next_ns;
}

uint32_t machine_stall_slots(const struct run_machine *machine)
{
	const struct hardware_family *family = hardware_family_find(machine->family);

	return family->stall_max == 0 ? RUN_STALL_SLOTS :
					CLI_MIN(RUN_STALL_SLOTS, family->stall_max);
}

uint32_t machine_queue_entries(const struct run_machine *machine)
{
	const struct iopf_wire *wire = iopf_wire_find(machine->family);

	return wire->request_bytes == 0 ? 0 : (4096u << REQUEST_ORDER) / wire->request_bytes;
}

const struct iopf_stats_row *machine_owner_row(const struct run_guest *guest)
{
	struct iopf_host *host = guest->machine->host;
	const struct iopf_stats_page *page = iopf_broker_stats(iopf_host_broker(host));

	return &page->row[page->endpoint_max + iopf_host_owner(host, guest->id)];
}

const struct iopf_stats_row *machine_endpoint_row(const struct run_guest *guest)
{
	const struct iopf_stats_page *page =
		iopf_broker_stats(iopf_host_broker(guest->machine->host));

	return &page->row[guest->endpoint];
}
