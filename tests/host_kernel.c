/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a guest over a kernel's fault descriptor: what it is shown and answers, what
 * the kernel is asked for and when, and what is left when it goes.
 */
#include "iopf/kernel.h"
#include "source_kernel.h"

enum { DEVICE = 7, OTHER = 9, RID = 0x8, OTHER_RID = 0x10, REGION = 0x200000, MEMORY = 0x300000, CALLS = 64 };
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
	int attach_error;
	bool silent; /* the guest leaves what it is shown */
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
	return 0;
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

static struct iopf_policy policy; /* of the next world */

static struct iopf_kernel_options options_of(void)
{
	static const struct iopf_kernel_function functions[] = {
		{ .device = DEVICE, .guest_rid = RID, .allocation = 32,
		  .pasid_in_response = true },
		{ .device = OTHER, .guest_rid = OTHER_RID, .allocation = 32,
		  .pasid_in_response = true },
	};

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
		.io = &kernel_io,
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

static struct iopf_guest_stats shown_to_guest(void)
{
	struct iopf_guest_stats stats;

	iopf_guest_stats(iopf_kernel_guest(world.kernel), &stats);
	return stats;
}

/* ---- Tests ----------------------------------------------------------------------------- */

TEST(a_fault_is_shown_answered_and_written_back)
{
	uint32_t group;

	begin_with(1);
	group = kernel_fault(DEVICE, 1, 70, 3);
	run();
	CHECK_EQ(world.interrupts, 1);
	CHECK_EQ(shown_to_guest().answered, 1);
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(world.responses, 1);
	CHECK_EQ(iopf_kernel_next_ns(world.kernel), UINT64_MAX);
}

TEST(requests_without_a_pasid_have_an_address_space_once)
{
	uint32_t group;

	begin();
	attach(IOPF_PASID_NONE);
	CHECK_EQ(world.call_count, 1);
	CHECK(world.calls[0].what == 'a' && world.calls[0].pasid == IOPF_PASID_NONE);
	group = kernel_fault(DEVICE, IOPF_PASID_NONE, 3, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(kernel.groups[group].answers, 1);
}

TEST(what_nobody_attached_gets_invalid)
{
	uint32_t group;

	begin_with(1);
	group = kernel_fault(DEVICE, 2, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(world.interrupts, 0);
}

TEST(a_detach_is_the_kernels_to_answer_and_no_cookie_is_written)
{
	uint32_t shown, unseen;

	begin_with(1);
	attach(2);
	world.silent = true;
	world.call_count = 0;
	shown = kernel_fault(DEVICE, 1, 70, 1);
	run();
	unseen = kernel_fault(DEVICE, 1, 71, 1);
	CHECK_EQ(iopf_agent_detach(world.agent, RID, 1), 0);
	kernel.writes = 0;
	run();
	CHECK_EQ(iopf_agent_attached(world.agent, RID, 1), -ENOENT);
	CHECK_EQ(world.call_count, 1);
	CHECK(world.calls[0].what == 'd' && world.calls[0].pasid == 1);
	CHECK(world.calls[0].table >= 100);
	CHECK(kernel.groups[shown].by_kernel && kernel.groups[unseen].answers == 1);
	CHECK_EQ(kernel.groups[shown].answers, 1);
	CHECK_EQ(iopf_iommufd_stats(iopf_kernel_source(world.kernel))->swallowed, 2);
	CHECK_EQ(iopf_iommufd_owed(iopf_kernel_source(world.kernel)), 0);
	CHECK_EQ(world.responded, IOPF_INVALID);
	CHECK_EQ(shown_to_guest().taken, 2);
}

TEST(a_late_answer_writes_nothing)
{
	uint32_t group;

	begin_with(1);
	world.silent = true;
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	kernel_detach(DEVICE, 1); /* behind our back, and told */
	iopf_iommufd_forget(iopf_kernel_source(world.kernel), DEVICE, 1);
	kernel_fault(DEVICE, 1, 71, 1); /* has the cookie now */
	CHECK_EQ(iopf_agent_answer(world.agent, RID, 1, 0, IOPF_SUCCESS), 0);
	iopf_agent_kick(world.agent);
	run();
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group + 1].answers, 0);
}

TEST(what_the_deadline_ended_is_a_debt_of_the_guest)
{
	uint32_t group;

	policy = (struct iopf_policy){ .deadline_ns = 1000, .deadline_answers = 1 };
	begin_with(1);
	policy = (struct iopf_policy){ 0 };
	world.silent = true;
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK(iopf_kernel_next_ns(world.kernel) <= world.now_ns + 1000);
	world.now_ns += 1000;
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(shown_to_guest().owed, 1);
}

TEST(an_invalidation_is_carried_out_before_the_wait_behind_it)
{
	uint64_t ticket;

	begin_with(1);
	kernel_fault(DEVICE, 1, 70, 1);
	run();
	world.call_count = 0;
	CHECK_EQ(iopf_agent_unmap(world.agent, RID, 1, 0, 4096, &ticket), 0);
	run();
	CHECK(iopf_agent_waited(world.agent, ticket));
	CHECK(world.call_count > 0);
	CHECK(world.calls[0].what == 'i' && world.calls[0].table >= 100);
	CHECK_EQ(world.calls[0].addr, 0);
	CHECK_EQ(world.calls[0].size_bytes, 4096);
}

TEST(failure_is_said_as_invalid_and_ends_the_service)
{
	uint32_t group;

	begin_with(1);
	world.silent = true;
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(iopf_agent_answer(world.agent, RID, 1, 0, IOPF_FAILURE), 0);
	iopf_agent_kick(world.agent);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_INVALID);
	group = kernel_fault(DEVICE, 1, 71, 1);
	run();
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_INVALID);
}

TEST(a_reset_comes_when_everything_is_answered)
{
	uint32_t group;

	begin_with(1);
	attach(IOPF_PASID_NONE);
	world.silent = true;
	kernel_fault(DEVICE, 1, 70, 2);
	kernel_fault(DEVICE, IOPF_PASID_NONE, 70, 1);
	run();
	kernel_fault(DEVICE, 1, 71, 1);
	world.call_count = 0;
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE, ++world.now_ns), 0);
	CHECK_EQ(world.call_count, 5);
	CHECK(world.calls[0].what == 'd' && world.calls[1].what == 'd');
	CHECK(world.calls[2].what == 'r' && world.calls[2].open == 0);
	CHECK(world.calls[3].what == 'a' && world.calls[4].what == 'a');
	/* It goes on, in the same address spaces, and what it was asked before is over. */
	world.silent = false;
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE + 1, 0), -ENOENT);
}

TEST(another_function_feels_nothing)
{
	uint32_t groups[2], other;

	begin_with(1);
	attach_to(OTHER_RID, 1);
	world.silent = true;
	for (uint32_t i = 0; i < 2; i++)
		groups[i] = kernel_fault(DEVICE, 1, i, 1);
	other = kernel_fault(OTHER, 1, 0, 1);
	run();
	world.call_count = 0;
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE, ++world.now_ns), 0);
	CHECK_EQ(world.call_count, 3); /* detach, reset, attach */
	for (uint32_t i = 0; i < world.call_count; i++)
		CHECK_EQ(world.calls[i].device, DEVICE);
	CHECK(kernel.groups[groups[0]].by_kernel && kernel.groups[groups[1]].by_kernel);
	CHECK_EQ(kernel.groups[other].answers, 0);
	CHECK_EQ(iopf_agent_answer(world.agent, OTHER_RID, 1, 0, IOPF_SUCCESS), 0);
	iopf_agent_kick(world.agent);
	run();
	CHECK_EQ(kernel.groups[other].answers, 1);
	CHECK_EQ(kernel.groups[other].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(iopf_agent_detach(world.agent, OTHER_RID, 1), 0);
	run();
	world.silent = false;
	groups[0] = kernel_fault(DEVICE, 1, 0, 1);
	other = kernel_fault(OTHER, 1, 0, 1);
	run();
	CHECK_EQ(kernel.groups[groups[0]].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(kernel.groups[other].code, IOPF_IOMMUFD_INVALID);
}

TEST(what_cannot_be_attached_again_after_a_reset_is_refused)
{
	uint32_t group;

	begin_with(1);
	world.attach_error = -ENODEV;
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE, ++world.now_ns), -ENODEV);
	world.call_count = 0;
	CHECK_EQ(iopf_agent_detach(world.agent, RID, 1), 0);
	run();
	CHECK_EQ(world.call_count, 0); /* there is nothing to detach */
	world.attach_error = 0;
	attach(1);
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(an_attach_that_the_kernel_refuses_leaves_nothing)
{
	uint32_t group;

	begin();
	world.attach_error = -EINVAL;
	attach(1);
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(kernel.groups[group].answers, 1);
	world.attach_error = 0;
	CHECK_EQ(iopf_agent_detach(world.agent, RID, 1), 0);
	run();
	attach(1);
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(a_guest_that_is_gone_leaves_nothing_behind)
{
	begin_with(1);
	attach(2);
	world.silent = true;
	for (uint32_t i = 0; i < 20; i++)
		kernel_fault(DEVICE, 1 + i % 2, i, 1);
	run();
	kernel_fault(DEVICE, 1, 90, 1);
	world.call_count = 0;
	while (iopf_kernel_guest_gone(world.kernel, ++world.now_ns) == -EAGAIN)
		;
	CHECK_EQ(world.call_count, 2);
	CHECK_EQ(kernel_open(), 0);
	for (uint32_t i = 0; i < kernel.group_count; i++)
		CHECK(kernel.groups[i].answers == 1 && kernel.groups[i].code == 1);
	CHECK_EQ(iopf_iommufd_owed(iopf_kernel_source(world.kernel)), 0);
	/* And another one may come. */
	agent_create();
	while (iopf_agent_start(world.agent) == -EAGAIN)
		iopf_kernel_run(world.kernel, 256, ++world.now_ns);
	world.silent = false;
	attach(1);
	kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[kernel.group_count - 1].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(a_descriptor_that_is_broken_is_told)
{
	begin_with(1);
	kernel_fault(DEVICE, 1, 70, 17); /* larger than was said */
	CHECK_EQ(iopf_kernel_run(world.kernel, 256, ++world.now_ns), -EMSGSIZE);
	CHECK_EQ(iopf_kernel_run(world.kernel, 256, ++world.now_ns), -EMSGSIZE);
}

TEST(a_device_that_floods_holds_nobody_up)
{
	begin_with(1);
	for (uint32_t i = 0; i < 2000; i++) /* each answered at once: a read brings 16 */
		kernel_fault(DEVICE, 2, i % 512, 1);
	CHECK_EQ(iopf_kernel_run(world.kernel, 256, ++world.now_ns), 64 * 16);
	run();
	CHECK_EQ(kernel_open(), 0);
}

TEST(options_out_of_their_range_are_refused)
{
	static _Alignas(64) uint8_t place[1 << 20];
	struct iopf_kernel_function pair[2] = { { .device = 1, .guest_rid = 8, .allocation = 1 },
						{ .device = 1, .guest_rid = 9, .allocation = 1 } };
	struct iopf_kernel_options options = options_of();
	struct iopf_kernel *made;

	CHECK_EQ(iopf_kernel_create(&options, place + 1, sizeof(place) - 1, &made), -EINVAL);
	CHECK_EQ(iopf_kernel_create(&options, place, 4096, &made), -ENOSPC);
	options.size_bytes--;
	CHECK_EQ(iopf_kernel_create(&options, place, sizeof(place), &made), -EINVAL);
	options = options_of();
	options.group_pages = 513;
	CHECK_EQ(iopf_kernel_size_bytes(&options), 0);
	options = options_of();
	options.functions = pair;
	options.function_count = 2;
	CHECK_EQ(iopf_kernel_size_bytes(&options), 0);
	pair[1].device = 2;
	CHECK(iopf_kernel_size_bytes(&options) > 0);
	pair[1].guest_rid = 8;
	CHECK_EQ(iopf_kernel_create(&options, place, sizeof(place), &made), -EINVAL);
	pair[1].allocation = 0;
	CHECK_EQ(iopf_kernel_size_bytes(&options), 0);
}

int main(void)
{
	return test_main();
}
