/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/world.c - one thread, everything real, time as the caller says. */
#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "queue/hardware.h"

#define PAGE_BYTES    UINT64_C(4096)
#define ARENA_BASE    UINT64_C(0x100000)
#define ARENA_BYTES   (UINT64_C(24) << 20)
#define GUEST_HPA(id) (((uint64_t)(id) + 1) << 32)
/* A guest's memory: the agent's region, then data. */
#define GUEST_BYTES   ((UINT64_C(8) << 20) + WORLD_PAGE_MAX * PAGE_BYTES)
#define REGION_BASE   PAGE_BYTES
#define REGION_BYTES  ((UINT64_C(8) << 20) - PAGE_BYTES)
#define DATA_BASE     (UINT64_C(8) << 20)

enum {
	DEFAULT_STALLS = 64,
	BUDGET = 64,
	START_TURNS = 1000,
	HOST_DATA = 0x31,  /* message of the physical queue */
	GUEST_DATA = 0x41, /* of a guest's */
	STATUS_PERIOD_NS = 1000000,
};
#define MESSAGE_ADDR UINT64_C(0xfee00000)

static void *zeroed(size_t size_bytes)
{
	size_t rounded = (size_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	void *memory = aligned_alloc(PAGE_BYTES, rounded);

	if (memory != NULL)
		memset(memory, 0, rounded);
	return memory;
}

/* Large, zero, and only there where it is used: worlds are made by the hundred. */
static void *sparse(size_t size_bytes)
{
	void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

static void sparse_free(void *memory, size_t size_bytes)
{
	if (memory != NULL)
		munmap(memory, size_bytes);
}

/* ---- Guests -------------------------------------------------------------------- */

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	const struct world_guest *guest = context;

	*value = iopf_host_guest_read(guest->world->host, guest->id, offset, width);
	return 0;
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	const struct world_guest *guest = context;

	iopf_host_guest_write(guest->world->host, guest->id, offset, width, value);
	return 0;
}

static const struct iopf_register_ops guest_registers = {
	.read = register_read,
	.write = register_write,
};

static void guest_rings(void *context, uint64_t addr, uint32_t data)
{
	struct world_guest *guest = context;

	guest->rang |= addr == MESSAGE_ADDR && data == GUEST_DATA;
}

static uint64_t page_key(uint32_t pasid, uint64_t addr)
{
	uint32_t number = pasid == IOPF_PASID_NONE ? IOPF_PASID_MAX + 1 : pasid;

	return (uint64_t)number << 42 ^ addr / PAGE_BYTES;
}

void *world_page(struct world *world, uint32_t id, uint32_t pasid, uint64_t addr)
{
	struct world_guest *guest = &world->guests[id];
	uint32_t page = map_find(&guest->pages, page_key(pasid, addr));

	if (page == MAP_NONE)
		return NULL;
	return (uint8_t *)guest->memory + DATA_BASE + page * PAGE_BYTES;
}

int world_page_give(struct world *world, uint32_t id, uint32_t pasid, uint64_t addr,
		    uint64_t *gpa)
{
	struct world_guest *guest = &world->guests[id];
	uint32_t page = map_find(&guest->pages, page_key(pasid, addr));

	if (page == MAP_NONE) {
		page = guest->page_next;
		if (page == WORLD_PAGE_MAX)
			return -ENOSPC;
		guest->page_next++;
		map_add(&guest->pages, page_key(pasid, addr), page);
	}
	*gpa = DATA_BASE + page * PAGE_BYTES;
	return 0;
}

static int guest_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		       uint8_t *perm)
{
	struct world_guest *guest = context;
	struct world *world = guest->world;
	uint32_t id = (uint32_t)(guest - world->guests);

	if (guest->options.fault != NULL)
		return guest->options.fault(world->options.context, world, id, request,
					    gpa, perm);
	*perm = IOPF_READ | IOPF_WRITE;
	return world_page_give(world, id, request->pasid, request->addr, gpa);
}

static const struct iopf_agent_ops agent_ops = { .fault = guest_fault };

struct agent_devices {
	uint32_t rids[WORLD_FUNCTION_MAX];
	uint8_t mechanisms[WORLD_FUNCTION_MAX];
};

/* The family of its virtual IOMMU. */
static const char *family_of(const struct world_guest *guest)
{
	const struct world_options *world = &guest->world->options;

	if (guest->options.family != NULL)
		return guest->options.family;
	return world->family;
}

static int create_agent(struct world_guest *guest, const struct agent_devices *devices)
{
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = guest->options.function_count,
		.rids = devices->rids,
		.mechanisms = devices->mechanisms,
		.family = family_of(guest),
		.memory = { .segments = &guest->segment, .count = 1 },
		.base = REGION_BASE,
		.region_bytes = REGION_BYTES,
		.levels = guest->options.levels,
		.pasid_max = 64,
		.pasid_bits = 20,
		.command_order = 1,
		.request_order = guest->options.request_order,
		.interrupt_data = GUEST_DATA,
		.interrupt_addr = MESSAGE_ADDR,
		.registers = &guest_registers,
		.register_context = guest,
		.ops = &agent_ops,
		.context = guest,
	};
	size_t size_bytes = iopf_agent_size_bytes(&options);

	guest->agent_memory = zeroed(size_bytes);
	if (size_bytes == 0 || guest->agent_memory == NULL)
		return -ENOMEM;
	return iopf_agent_create(&options, guest->agent_memory, size_bytes, &guest->agent);
}

static int start_agent(struct world *world, struct world_guest *guest)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < START_TURNS && error == -EAGAIN; i++) {
		error = iopf_agent_start(guest->agent);
		iopf_host_run(world->host, BUDGET, world->now_ns);
		model_iommu_run(world->iommu, BUDGET, world->now_ns);
	}
	return error;
}

static int plug_functions(struct world *world, uint32_t id)
{
	const struct world_guest_options *options = &world->guests[id].options;
	struct world_function *function;
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < options->function_count; i++) {
		error = world_plug(world, &options->functions[i], &function);
		if (error == 0)
			function->guest = id;
	}
	return error;
}

/* What the guest's functions are for the host, and for its agent: a guest whose family
 * has no stalls is shown page requests instead. */
static void list_functions(struct world *world, const struct world_guest *guest,
			   struct iopf_host_function_options *functions,
			   struct agent_devices *devices)
{
	const struct hardware_family *family = hardware_family_find(family_of(guest));

	for (uint32_t i = 0; i < guest->options.function_count; i++) {
		const struct world_function_options *from = &guest->options.functions[i];

		devices->rids[i] = from->rid;
		devices->mechanisms[i] = (uint8_t)hardware_family_shown(
			family, from->stalls ? IOPF_STALLS : IOPF_PRI);
		functions[i] = world_for_host(world_function(world, from->rid), from);
	}
}

static void switch_on(struct world *world, const struct world_guest *guest)
{
	for (uint32_t i = 0; i < guest->options.function_count; i++)
		if (guest->options.functions[i].config)
			world_config_on(world, guest->options.functions[i].rid);
}

int world_add_guest(struct world *world, uint32_t id)
{
	struct world_guest *guest = &world->guests[id];
	struct iopf_host_function_options functions[WORLD_FUNCTION_MAX];
	struct agent_devices devices;
	const struct iopf_pager_region region = { .out = GUEST_HPA(id),
						  .size_bytes = GUEST_BYTES,
						  .perm = IOPF_READ | IOPF_WRITE };
	struct iopf_host_guest_options options = {
		.size_bytes = sizeof(options),
		.function_count = guest->options.function_count,
		.functions = functions,
		.memory = { .segments = &guest->segment, .count = 1 },
		.regions = &region,
		.region_count = 1,
		.pasid_max = 64,
		.levels = guest->options.levels,
		.policy = guest->options.policy,
		.hold_ns = guest->options.hold_ns,
		.shadow = guest->options.shadow,
		.family = family_of(guest),
		.name = id,
		.interrupt = guest_rings,
		.context = guest,
	};
	int error;

	guest->segment = (struct iopf_segment){ .size_bytes = GUEST_BYTES,
						.memory = guest->memory };
	list_functions(world, guest, functions, &devices);
	options.guest_memory_bytes = iopf_host_guest_size_bytes(&options);
	options.guest_memory = guest->guest_memory = zeroed(options.guest_memory_bytes);
	error = iopf_host_add_guest(world->host, &options, &guest->id);
	if (error == 0)
		error = create_agent(guest, &devices);
	if (error == 0)
		error = start_agent(world, guest);
	if (error == 0)
		switch_on(world, guest);
	return error;
}

int world_remove_guest(struct world *world, uint32_t id)
{
	struct world_guest *guest = &world->guests[id];
	int error = iopf_host_remove_guest(world->host, guest->id, world->now_ns);

	if (error != 0)
		return error;
	free(guest->agent_memory);
	free(guest->guest_memory);
	guest->agent_memory = guest->guest_memory = NULL;
	guest->agent = NULL;
	guest->rang = false;
	return 0;
}

/* ---- The world ----------------------------------------------------------------- */

static void on_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context; /* the host is run every turn, whether it rang or not */
	(void)rid;
	(void)addr;
	(void)data;
}

static int create_memory(struct world *world)
{
	uint32_t count = world->options.guest_count;

	world->segments[0] = (struct iopf_segment){ .base = ARENA_BASE,
						    .size_bytes = ARENA_BYTES,
						    .memory = sparse(ARENA_BYTES) };
	for (uint32_t i = 0; i < count; i++) {
		struct world_guest *guest = &world->guests[i];

		guest->world = world;
		guest->options = world->options.guests[i];
		if (guest->options.levels == 0)
			guest->options.levels = 4;
		guest->memory = sparse(GUEST_BYTES);
		guest->pages_memory = zeroed(map_size_bytes(WORLD_PAGE_MAX));
		if (guest->memory == NULL || guest->pages_memory == NULL)
			return -ENOMEM;
		map_create(&guest->pages, WORLD_PAGE_MAX, guest->pages_memory);
		world->segments[1 + i] = (struct iopf_segment){ .base = GUEST_HPA(i),
								.size_bytes = GUEST_BYTES,
								.memory = guest->memory };
	}
	world->memory = (struct iopf_memory){ .segments = world->segments,
					      .count = 1 + count };
	return world->segments[0].memory != NULL ? 0 : -ENOMEM;
}

static int create_iommu(struct world *world)
{
	return model_iommu_create(
		&(struct model_iommu_options){ .family = world->options.family,
					       .memory = &world->memory,
					       .pasid_bits = 20,
					       .address_bits = 48,
					       .context_lines = 64,
					       .pasid_lines = 64,
					       .translation_lines = 256,
					       .invalidation_timeout_ns = 1000000000,
					       .stall_max = world->options.stall_max != 0 ?
								    world->options.stall_max :
								    DEFAULT_STALLS,
					       .observer = world->options.stalls,
					       .interrupt = on_interrupt,
					       .context = world },
		&world->iommu);
}

static int create_host(struct world *world)
{
	const struct iopf_host_options options = {
		.size_bytes = sizeof(options),
		.instance = 1,
		.family = world->options.family,
		.registers = &iopf_hardware_registers,
		.register_context = model_iommu_hardware(world->iommu),
		.memory = &world->memory,
		.base = ARENA_BASE,
		.region_bytes = ARENA_BYTES,
		.request_order = world->options.request_order,
		.event_order = 2,
		.command_order = 1,
		.guest_max = WORLD_GUEST_MAX,
		.function_max = WORLD_FUNCTION_MAX,
		.attachment_max = 1024,
		.status_period_ns = STATUS_PERIOD_NS,
		.reset_ns = world->options.reset_ns,
		.interrupt_addr = MESSAGE_ADDR,
		.interrupt_data = HOST_DATA,
		.event = world->options.event,
		.note = world->options.note,
		.context = world->options.context,
		.recorder = world->options.recorder,
		.inbox_entries = WORLD_INBOX_ENTRIES,
	};
	size_t size_bytes = iopf_host_size_bytes(&options);
	int error;

	world->host_memory = zeroed(size_bytes);
	if (size_bytes == 0 || world->host_memory == NULL)
		return -ENOMEM;
	error = iopf_host_create(&options, world->host_memory, size_bytes, &world->host);
	for (unsigned i = 0; error == 0 && i < START_TURNS; i++) {
		error = iopf_host_start(world->host);
		if (error != -EAGAIN)
			break;
		model_iommu_run(world->iommu, BUDGET, world->now_ns);
		error = 0;
	}
	return error;
}

int world_start_guests(struct world *world)
{
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < world->options.guest_count; i++) {
		error = plug_functions(world, i);
		if (error == 0)
			error = world_add_guest(world, i);
	}
	return error;
}

int world_create(const struct world_options *options, struct world *world)
{
	int error;

	*world = (struct world){ .options = *options };
	if (options->family == NULL)
		world->options.family = hardware_families[0]->wire->name;
	if (options->guest_count > WORLD_GUEST_MAX)
		return -EINVAL;
	error = create_memory(world);
	if (error == 0)
		error = create_iommu(world);
	if (error == 0)
		error = create_host(world);
	return error == 0 && !options->guests_later ? world_start_guests(world) : error;
}

void world_destroy(struct world *world)
{
	world_unplug_all(world);
	model_iommu_destroy(world->iommu);
	for (uint32_t i = 0; i < world->options.guest_count; i++) {
		sparse_free(world->guests[i].memory, GUEST_BYTES);
		free(world->guests[i].agent_memory);
		free(world->guests[i].guest_memory);
		free(world->guests[i].pages_memory);
	}
	free(world->host_memory);
	sparse_free(world->segments[0].memory, ARENA_BYTES);
}

/* ---- Work ---------------------------------------------------------------------- */

static uint32_t turn_guest(struct world_guest *guest)
{
	if (!guest->rang || guest->options.silent || guest->agent == NULL)
		return 0;
	guest->rang = iopf_agent_poll(guest->agent, BUDGET) == BUDGET;
	return 1;
}

uint32_t world_turn(struct world *world)
{
	uint32_t done = 0;

	if (!world->hold_engines)
		for (uint32_t i = 0; i < world->function_count; i++)
			done += model_engine_run(world->functions[i].engine, BUDGET,
						 world->now_ns);
	if (!world->hold_iommu)
		done += model_iommu_run(world->iommu, BUDGET, world->now_ns);
	if (!world->hold_host)
		done += iopf_host_run(world->host, BUDGET, world->now_ns);
	for (uint32_t i = 0; i < world->options.guest_count; i++)
		done += turn_guest(&world->guests[i]);
	return done;
}

bool world_settle(struct world *world, uint32_t turns)
{
	for (uint32_t quiet = 0; turns > 0; turns--) {
		/* A step may only ask for something that is done a turn later. */
		quiet = world_turn(world) == 0 ? quiet + 1 : 0;
		if (quiet == 8)
			return true;
	}
	return false;
}

int world_attach(struct world *world, uint32_t id, uint32_t rid, uint32_t pasid)
{
	struct iopf_agent *agent = world->guests[id].agent;
	uint64_t ticket;
	int error = iopf_agent_attach(agent, rid, pasid, &ticket);

	for (unsigned i = 0; error == 0 && i < START_TURNS; i++) {
		if (iopf_agent_waited(agent, ticket))
			return 0;
		world_turn(world);
	}
	return error != 0 ? error : -ETIMEDOUT;
}

int world_detach(struct world *world, uint32_t id, uint32_t rid, uint32_t pasid)
{
	struct iopf_agent *agent = world->guests[id].agent;
	int error = iopf_agent_detach(agent, rid, pasid);

	for (unsigned i = 0; error == 0 && i < START_TURNS; i++) {
		if (iopf_agent_attached(agent, rid, pasid) == -ENOENT)
			return 0;
		iopf_agent_poll(agent, BUDGET);
		world_turn(world);
	}
	return error != 0 ? error : -ETIMEDOUT;
}

/* ---- Functions and jobs -------------------------------------------------------- */

struct world_function *world_function(struct world *world, uint32_t rid)
{
	for (uint32_t i = 0; i < world->function_count; i++)
		if (world->functions[i].rid == rid)
			return &world->functions[i];
	return NULL;
}

static struct world_function *existing(struct world *world, uint32_t rid)
{
	struct world_function *function = world_function(world, rid);

	assert(function != NULL);
	return function;
}

struct model_function_state world_state(struct world *world, uint32_t rid)
{
	struct model_function_state state;

	model_function_state(existing(world, rid)->function, &state);
	return state;
}

static uint32_t job_register(uint32_t slot, enum model_job_register offset)
{
	return MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE + (uint32_t)offset;
}

void world_job(struct world *world, uint32_t rid, uint32_t slot, uint32_t pasid,
	       enum model_job_operation operation, uint64_t source, uint64_t destination,
	       uint64_t length)
{
	struct model_engine *engine = existing(world, rid)->engine;

	model_engine_write(engine, job_register(slot, MODEL_JOB_SOURCE), 8, source);
	model_engine_write(engine, job_register(slot, MODEL_JOB_DESTINATION), 8,
			   destination);
	model_engine_write(engine, job_register(slot, MODEL_JOB_LENGTH), 8, length);
	model_engine_write(engine, job_register(slot, MODEL_JOB_PASID), 8, pasid);
	model_engine_write(engine, job_register(slot, MODEL_JOB_CONTROL), 8, operation);
}

enum model_job_status world_job_status(struct world *world, uint32_t rid, uint32_t slot)
{
	return (enum model_job_status)model_engine_read(
		existing(world, rid)->engine, job_register(slot, MODEL_JOB_STATUS), 8);
}
