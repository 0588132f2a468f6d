/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a guest that does anything at all, over a kernel that refuses, is slow and
 * takes no answers for a while: each group is answered once, each table given back once,
 * and when the guest is gone nothing of it is left.
 */
#include "base/memory.h"
#include "iopf/kernel.h"
#include "queue/vtd.h"
#include "source_kernel.h"

enum { FUNCTIONS = 2, PASIDS = 5, TABLES = 16, REGION = 0x100000, MEMORY = 0x110000 };
enum { SEEDS = 100, LIVES = 8, ACTS = 2000, BUSY = 500 };
#define BASE UINT64_C(0x1000000)

static const uint32_t devices[FUNCTIONS] = { 7, 9 }, rids[FUNCTIONS] = { 0x8, 0x10 };
static const uint32_t pasids[PASIDS] = { IOPF_PASID_NONE, 1, 2, 3, 4 };

struct table {
	uint32_t device, pasid;
	bool used;
};

static struct {
	struct iopf_kernel *kernel;
	struct iopf_agent *agent;
	struct table tables[TABLES];
	uint64_t random, now_ns;
	uint64_t attaches, answers, resets, interrupts;
	bool kind; /* the kernel refuses nothing */
} world;

static _Alignas(4096) uint8_t memory[MEMORY];
static struct iopf_segment segment = { BASE, MEMORY, memory };
static const struct iopf_memory guest_memory = { &segment, 1 };

static uint64_t pick(uint64_t below)
{
	return test_random(&world.random) % below;
}

/* ---- The kernel ------------------------------------------------------------------------ */

static struct table *table_of(uint32_t device, uint32_t pasid)
{
	for (uint32_t i = 0; i < TABLES; i++) {
		struct table *it = &world.tables[i];

		if (it->used && it->device == device && it->pasid == pasid)
			return it;
	}
	return NULL;
}

static int say(void)
{
	static const int said[] = { -EINVAL, -ENOMEM, -EAGAIN, -ETIMEDOUT };

	return world.kind || pick(8) != 0 ? 0 : said[pick(4)];
}

static int on_attach(void *context, uint32_t device, uint32_t pasid,
		     const struct iopf_address_space *space, uint32_t *table)
{
	int error = say();

	(void)context;
	CHECK(device == devices[0] || device == devices[1]);
	CHECK(space->levels == 0 || space->levels == 4 || space->levels == 5);
	CHECK(table_of(device, pasid) == NULL);
	for (uint32_t i = 0; error == 0 && i < TABLES; i++) {
		if (world.tables[i].used)
			continue;
		world.tables[i] = (struct table){ device, pasid, true };
		world.attaches++;
		*table = i;
		return 0;
	}
	CHECK(error != 0);
	return error;
}

static void on_detach(void *context, uint32_t device, uint32_t pasid, uint32_t table)
{
	(void)context;
	CHECK(table < TABLES && table_of(device, pasid) == &world.tables[table]);
	world.tables[table].used = false;
	kernel_detach(device, pasid);
}

static int on_invalidate(void *context, uint32_t table, uint64_t addr, uint64_t size_bytes)
{
	(void)context;
	CHECK(table < TABLES && world.tables[table].used);
	CHECK(addr % 4096 == 0 && (size_bytes >= 4096));
	return pick(16) == 0 ? say() : 0;
}

static bool is_answered(uint32_t device)
{
	for (uint32_t i = 0; i < kernel.group_count; i++)
		if (kernel.groups[i].device == device && kernel.groups[i].answers == 0)
			return false;
	return true;
}

static int on_reset(void *context, uint32_t device)
{
	(void)context;
	CHECK(is_answered(device));
	for (uint32_t i = 0; i < PASIDS; i++)
		CHECK(table_of(device, pasids[i]) == NULL);
	world.resets++;
	return say();
}

static void on_interrupt(void *context, uint64_t addr, uint32_t data)
{
	(void)context, (void)addr, (void)data;
	world.interrupts++;
}

static const struct iopf_kernel_ops ops = { on_attach, on_detach, on_invalidate, on_reset,
					    on_interrupt };

/* ---- The guest ------------------------------------------------------------------------- */

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	*value = iopf_kernel_read(world.kernel, offset, width);
	return 0;
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	(void)context;
	iopf_kernel_write(world.kernel, offset, width, value);
	return 0;
}

static int fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		 uint8_t *perm)
{
	static const int said[] = { 0, 0, 0, -EAGAIN, -EFAULT };

	(void)context, (void)request;
	*gpa = BASE + REGION;
	*perm = IOPF_READ | IOPF_WRITE;
	return world.kind ? 0 : said[pick(5)];
}

static void agent_create(void)
{
	static _Alignas(64) uint8_t agent_memory[1 << 20];
	static const struct iopf_register_ops registers = { register_read, register_write };
	static const struct iopf_agent_ops agent_ops = { .fault = fault };
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = FUNCTIONS,
		.rids = rids,
		.memory = guest_memory,
		.base = BASE,
		.region_bytes = REGION,
		.levels = 4,
		.pasid_max = 8,
		.pasid_bits = 13,
		.interrupt_addr = 0xfee00000,
		.interrupt_data = 5,
		.registers = &registers,
		.ops = &agent_ops,
	};

	CHECK(iopf_agent_size_bytes(&options) <= sizeof(agent_memory));
	CHECK_EQ(iopf_agent_create(&options, agent_memory, sizeof(agent_memory),
				   &world.agent),
		 0);
}

static void run(void)
{
	int done = iopf_kernel_run(world.kernel, 64, ++world.now_ns);

	CHECK(done >= 0);
	(void)iopf_agent_poll(world.agent, 16);
}

static void boot(void)
{
	uint64_t ticket;

	agent_create();
	for (uint32_t i = 0; i < 1000 && iopf_agent_start(world.agent) != 0; i++)
		run();
	for (uint32_t i = 0; i < FUNCTIONS; i++)
		for (uint32_t j = 0; j < PASIDS - 1; j++)
			(void)iopf_agent_attach(world.agent, rids[i], pasids[j], &ticket);
	for (uint32_t i = 0; i < 100; i++)
		run();
}

/* ---- What happens ---------------------------------------------------------------------- */

/* What is not attached asks for nothing that comes through the queue. One draw a
 * statement: arguments have no order. */
static void act_fault(void)
{
	const struct table *from = &world.tables[pick(TABLES)];
	uint32_t index = (uint32_t)pick(512), most = pick(8) == 0 ? 16 : 3;

	if (from->used)
		kernel_fault(from->device, from->pasid, index, 1 + (uint32_t)pick(most));
}

/* Right in form, and about anything. */
static void act_command(void)
{
	struct iopf_command command = { .size_bytes = 4096 };

	command.kind = (uint8_t)(1 + pick(IOPF_COMMAND_KIND_COUNT - 1));
	if (pick(3) == 0)
		command.kind = IOPF_COMMAND_RESPONSE;
	command.granularity = (uint8_t)pick(5);
	command.wait_flags = (uint8_t)pick(16);
	command.code = (uint8_t)pick(3);
	command.index = (uint16_t)pick(32);
	command.domain = (uint16_t)pick(6);
	command.rid = rids[pick(FUNCTIONS)];
	command.pasid = pasids[pick(PASIDS)];
	command.status_addr = BASE + (pick(MEMORY) & ~UINT64_C(3));
	command.addr = pick(1 << 20) << 12;
	(void)iopf_agent_command(world.agent, &command);
	iopf_agent_kick(world.agent);
}

static void act_record(void)
{
	uint8_t record[32];

	for (uint32_t i = 0; i < sizeof(record); i++)
		record[i] = pick(3) == 0 ? (uint8_t)pick(256) : 0;
	(void)iopf_agent_descriptor(world.agent, record);
	iopf_agent_kick(world.agent);
}

static void act_register(void)
{
	static const uint16_t at[] = { VTD_GCMD, VTD_RTADDR, VTD_CCMD, VTD_FSTS, VTD_IQT,
				       VTD_IQA,  VTD_PQH,    VTD_PQA,  VTD_PRS };
	uint64_t value = pick(2) == 0 ? test_random(&world.random) :
					BASE + (pick(MEMORY) & ~UINT64_C(0x3ff));
	uint32_t offset = at[pick(9)], width = pick(2) == 0 ? 4 : 8;

	if (pick(16) == 0)
		iopf_kernel_write(world.kernel, offset, width, value);
}

static void act_memory(void)
{
	uint64_t addr = BASE + pick(64 * 4096 / 8) * 8, value;

	CHECK(memory_load64(&guest_memory, addr, &value));
	value ^= UINT64_C(1) << pick(64);
	CHECK(memory_store64(&guest_memory, addr, value));
}

static void act_space(void)
{
	uint32_t rid = rids[pick(FUNCTIONS)], pasid = pasids[pick(PASIDS)];
	uint64_t ticket;

	if (pick(2) == 0)
		(void)iopf_agent_attach(world.agent, rid, pasid, &ticket);
	else
		(void)iopf_agent_detach(world.agent, rid, pasid);
}

static void act_reset(void)
{
	if (pick(8) == 0)
		(void)iopf_kernel_reset_function(world.kernel, devices[pick(FUNCTIONS)],
						 ++world.now_ns);
}

static void act_kernel(void)
{
	kernel.write_blocks = pick(4) == 0;
	kernel.write_interrupts = pick(6) == 0;
	kernel.read_blocks = pick(6) == 0;
	kernel.zero_for_einval = pick(2) == 0;
	kernel.write_max = (uint32_t)pick(4);
	kernel.extra_flags = (uint32_t)pick(2) * 4;
}

static void act_recover(void)
{
	(void)iopf_agent_recover(world.agent);
}

static void act(void)
{
	static void (*const acts[])(void) = { act_fault,    act_fault,  act_fault, act_command,
					      act_record,   act_memory, act_space, act_reset,
					      act_register, act_kernel, act_recover };

	acts[pick(sizeof(acts) / sizeof(acts[0]))]();
	if (pick(3) == 0)
		run();
}

/* ---- What must hold -------------------------------------------------------------------- */

static void check_answers(uint32_t least)
{
	for (uint32_t i = 0; i < kernel.group_count; i++)
		CHECK(kernel.groups[i].answers >= least && kernel.groups[i].answers <= 1);
}

/* The kernel ends nothing that it does not tell: no answer comes too late for it. */
static void check_source(void)
{
	const struct iopf_iommufd *it = iopf_kernel_source(world.kernel);

	CHECK_EQ(iopf_iommufd_owed(it), 0);
	CHECK_EQ(iopf_iommufd_stats(it)->refused, 0);
	CHECK_EQ(iopf_iommufd_stats(it)->replaced, 0);
	CHECK_EQ(iopf_iommufd_stats(it)->unknown, 0);
}

static void check_nothing_left(void)
{
	struct iopf_broker *broker = iopf_kernel_broker(world.kernel);

	check_answers(1);
	for (uint32_t i = 0; i < TABLES; i++)
		CHECK(!world.tables[i].used);
	check_source();
	for (uint32_t i = 0; i < FUNCTIONS; i++)
		CHECK_EQ(iopf_broker_gauge(broker,
					   iopf_kernel_endpoint(world.kernel, devices[i]),
					   IOPF_GAUGE_credits_in_use),
			 0);
}

static void world_begin(uint64_t seed)
{
	static _Alignas(64) uint8_t kernel_memory[1 << 20];
	struct iopf_kernel_function functions[FUNCTIONS];
	struct iopf_kernel_options options = {
		.size_bytes = sizeof(options),
		.instance = 1,
		.function_count = FUNCTIONS,
		.functions = functions,
		.memory = guest_memory,
		.pasid_max = 6,
		.levels = 4 + (uint32_t)(seed & 1),
		.group_pages = 16,
		.io = &kernel_io,
		.ops = &ops,
	};

	for (uint32_t i = 0; i < FUNCTIONS; i++)
		functions[i] = (struct iopf_kernel_function){ .device = devices[i],
							      .guest_rid = rids[i],
							      .allocation = 16 + 16 * i,
							      .pasid_in_response = i == 0 };
	if (seed % 3 == 0)
		options.policy = (struct iopf_policy){ .deadline_ns = 50,
						       .deadline_answers = 1 };
	memset(&world, 0, sizeof(world));
	world.random = seed;
	memset(kernel_memory, 0xa5, sizeof(kernel_memory));
	CHECK(iopf_kernel_size_bytes(&options) <= sizeof(kernel_memory));
	CHECK_EQ(iopf_kernel_create(&options, kernel_memory,
				    iopf_kernel_size_bytes(&options), &world.kernel),
		 0);
}

/* A guest comes, does what it likes, and goes. */
static void live(void)
{
	int error = -EAGAIN;

	memset(&kernel, 0, sizeof(kernel));
	boot();
	for (uint32_t i = 0; i < ACTS && kernel.group_count < BUSY; i++) {
		act();
		check_answers(0);
	}
	for (uint32_t i = 0; i < 100 && error == -EAGAIN; i++)
		error = iopf_kernel_guest_gone(world.kernel, ++world.now_ns);
	CHECK_EQ(error, 0);
	kernel.write_blocks = kernel.write_interrupts = kernel.read_blocks = false;
	for (uint32_t i = 0; i < 4; i++)
		CHECK(iopf_kernel_run(world.kernel, 64, ++world.now_ns) >= 0);
	for (uint32_t i = 0; i < kernel.group_count; i++)
		world.answers += !kernel.groups[i].by_kernel;
	check_nothing_left();
}

/* Whatever the ones before did, the next is served. */
static void live_well(void)
{
	uint32_t group;

	memset(&kernel, 0, sizeof(kernel));
	world.kind = true;
	boot();
	group = kernel_fault(devices[0], 1, 3, 2);
	for (uint32_t i = 0; i < 20; i++)
		run();
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(a_guest_that_does_anything_leaves_nothing)
{
	uint64_t attaches = 0, answers = 0, resets = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		world_begin(seed);
		for (uint32_t i = 0; i < LIVES; i++)
			live();
		live_well();
		attaches += world.attaches;
		answers += world.answers;
		resets += world.resets;
	}
	printf("# %u attaches, %u answers, %u resets\n", (unsigned)attaches,
	       (unsigned)answers, (unsigned)resets);
	CHECK(attaches > 1000 && answers > 1000 && resets > 100);
}

int main(void)
{
	return test_main();
}
