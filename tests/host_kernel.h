/* SPDX-License-Identifier: BSD-3-Clause */
/* host_kernel.h - a guest over a kernel's fault descriptor, both in memory, for tests. */
#ifndef TESTS_HOST_KERNEL_H
#define TESTS_HOST_KERNEL_H

#include "iopf/kernel.h"
#include "source_kernel.h"

enum { DEVICE = 7, OTHER = 9, RID = 0x8, OTHER_RID = 0x10 };
enum { REGION = 0x200000, MEMORY = 0x300000, CALLS = 64 };
#define BASE UINT64_C(0x1000000)

/* What the kernel was asked for, in order. */
struct call {
	char what; /* a attach, d detach, i invalidate, r reset */
	uint32_t device, pasid, table;
	uint64_t addr, size_bytes;
	uint32_t open; /* groups that it had not answered then */
};

static struct {
	struct iopf_kernel *kernel;
	struct iopf_agent *agent;
	struct call calls[CALLS];
	uint32_t call_count;
	uint32_t tables, tables_max; /* that the kernel has, may have */
	uint32_t interrupts, responses;
	enum iopf_code responded;
	int attach_error, invalidate_error;
	bool silent; /* the guest leaves what it is shown */
	uint32_t floods; /* requests that come while the descriptor is read, one a read */
	uint64_t now_ns;
} world;

static _Alignas(4096) uint8_t memory[MEMORY];
static struct iopf_segment segment = { BASE, MEMORY, memory };

/* ---- The kernel ------------------------------------------------------------------------ */

static uint32_t kernel_open(void)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < kernel.group_count; i++)
		open += kernel.groups[i].answers == 0;
	return open;
}

static void called(struct call call)
{
	CHECK(world.call_count < CALLS);
	call.open = kernel_open();
	world.calls[world.call_count++] = call;
}

static int on_attach(void *context, uint32_t device, uint32_t pasid,
		     const struct iopf_address_space *space, uint32_t *table)
{
	(void)context;
	CHECK(space->root >= BASE && space->root < BASE + MEMORY);
	called((struct call){ .what = 'a', .device = device, .pasid = pasid });
	if (world.attach_error != 0)
		return world.attach_error;
	*table = 100 + world.tables++;
	return 0;
}

static void on_detach(void *context, uint32_t device, uint32_t pasid, uint32_t table)
{
	(void)context;
	called((struct call){ .what = 'd', .device = device, .pasid = pasid, .table = table });
	kernel_detach(device, pasid);
}

static int on_invalidate(void *context, uint32_t table, uint64_t addr, uint64_t size_bytes)
{
	(void)context;
	called((struct call){ .what = 'i', .table = table, .addr = addr,
			      .size_bytes = size_bytes });
	return world.invalidate_error;
}

static int on_reset(void *context, uint32_t device)
{
	(void)context;
	called((struct call){ .what = 'r', .device = device });
	return 0;
}

static void on_interrupt(void *context, uint64_t addr, uint32_t data)
{
	(void)context;
	CHECK(addr == 0xfee00000 && data == 5);
	world.interrupts++;
}

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	if (note->kind != IOPF_NOTE_RESPONSE)
		return;
	world.responses++;
	world.responded = (enum iopf_code)note->code;
}

static int64_t on_read(void *context, void *bytes, size_t size_bytes)
{
	int64_t got = kernel_read(context, bytes, size_bytes);

	if (world.floods > 0) {
		world.floods--;
		kernel_fault(DEVICE, 1, 80, 1);
	}
	return got;
}

static const struct iopf_iommufd_io io = { .read = on_read, .write = kernel_write };
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
	(void)context;
	(void)request;
	*gpa = BASE + REGION;
	*perm = IOPF_READ | IOPF_WRITE;
	return world.silent ? -EAGAIN : 0;
}

/* Of the next world. */
static struct iopf_policy policy;
static uint32_t allocation = 32;

static struct iopf_kernel_options options_of(void)
{
	static struct iopf_kernel_function functions[2];
	static const uint32_t devices[] = { DEVICE, OTHER }, rids[] = { RID, OTHER_RID };

	for (int i = 0; i < 2; i++)
		functions[i] = (struct iopf_kernel_function){ .device = devices[i],
							      .guest_rid = rids[i],
							      .allocation = allocation,
							      .pasid_in_response = true };
	return (struct iopf_kernel_options){
		.size_bytes = sizeof(struct iopf_kernel_options),
		.instance = 1,
		.function_count = 2,
		.functions = functions,
		.memory = { &segment, 1 },
		.pasid_max = 4,
		.levels = 4,
		.group_pages = 16,
		.policy = policy,
		.io = &io,
		.ops = &ops,
		.note = on_note,
	};
}

static void agent_create(void)
{
	static _Alignas(64) uint8_t agent_memory[1 << 20];
	static const struct iopf_register_ops registers = { register_read, register_write };
	static const struct iopf_agent_ops agent_ops = { .fault = fault };
	static const uint32_t rids[] = { RID, OTHER_RID };
	const struct iopf_agent_options options = {
		.size_bytes = sizeof(options),
		.rid_count = 2,
		.rids = rids,
		.memory = { &segment, 1 },
		.base = BASE,
		.region_bytes = REGION,
		.levels = 4,
		.pasid_max = 4,
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

/* Let both of them work until neither has anything to do. */
static void run(void)
{
	for (int i = 0; i < 20; i++) {
		CHECK(iopf_kernel_run(world.kernel, 256, ++world.now_ns) >= 0);
		while (iopf_agent_poll(world.agent, 64) == 64)
			;
	}
}

static void begin(void)
{
	static _Alignas(64) uint8_t kernel_memory[1 << 20];
	const struct iopf_kernel_options options = options_of();
	int error;

	memset(&kernel, 0, sizeof(kernel));
	memset(&world, 0, sizeof(world));
	memset(kernel_memory, 0xa5, sizeof(kernel_memory));
	CHECK(iopf_kernel_size_bytes(&options) <= sizeof(kernel_memory));
	CHECK_EQ(iopf_kernel_create(&options, kernel_memory, sizeof(kernel_memory),
				    &world.kernel),
		 0);
	agent_create();
	while ((error = iopf_agent_start(world.agent)) == -EAGAIN)
		iopf_kernel_run(world.kernel, 256, ++world.now_ns);
	CHECK_EQ(error, 0);
}

static void attach_to(uint32_t rid, uint32_t pasid)
{
	uint64_t ticket;

	CHECK_EQ(iopf_agent_attach(world.agent, rid, pasid, &ticket), 0);
	run();
	CHECK(iopf_agent_waited(world.agent, ticket));
}

static void attach(uint32_t pasid)
{
	attach_to(RID, pasid);
}

static void begin_with(uint32_t pasid)
{
	begin();
	attach(pasid);
	world.call_count = 0;
}

__attribute__((unused)) static struct iopf_guest_stats shown_to_guest(void)
{
	struct iopf_guest_stats stats;

	iopf_guest_stats(iopf_kernel_guest(world.kernel), &stats);
	return stats;
}

#endif
