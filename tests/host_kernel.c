/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a guest over a kernel's fault descriptor: what it is shown and answers, and
 * what the kernel is asked for and when.
 */
#include "host_kernel.h"

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

TEST(an_invalidation_that_takes_too_long_is_confirmed_by_no_wait)
{
	uint64_t ticket;

	begin_with(1);
	kernel_fault(DEVICE, 1, 70, 1);
	run();
	for (int i = 0; i < 2; i++) {
		world.invalidate_error = i == 0 ? -ETIMEDOUT : -EAGAIN;
		CHECK_EQ(iopf_agent_unmap(world.agent, RID, 1, 0, 4096, &ticket), 0);
		run();
		CHECK(!iopf_agent_waited(world.agent, ticket));
		world.invalidate_error = 0;
		CHECK(iopf_agent_recover(world.agent) > 0);
		run();
	}
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

/* The guest's queue is full, so that each request is answered success, and comes again. */
TEST(a_drain_ends_though_the_function_asks_on)
{
	allocation = 256;
	begin_with(1);
	allocation = 32;
	for (uint32_t i = 0; i < 200; i++)
		kernel_fault(DEVICE, 1, i, 1);
	CHECK(iopf_kernel_run(world.kernel, 256, ++world.now_ns) > 0);
	CHECK(shown_to_guest().overflows > 0);
	world.floods = 1000;
	CHECK_EQ(iopf_agent_wait(world.agent, true, &(uint64_t){ 0 }), 0);
	iopf_agent_kick(world.agent);
	for (int i = 0; i < 4; i++)
		iopf_kernel_run(world.kernel, 256, ++world.now_ns);
	CHECK_EQ(shown_to_guest().drains, 1);
	CHECK(world.floods > 0);
}

TEST(an_answer_that_the_descriptor_does_not_take_is_offered_again)
{
	uint32_t group;

	begin_with(1);
	kernel.write_blocks = true;
	group = kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(kernel.groups[group].answers, 0);
	CHECK(iopf_kernel_next_ns(world.kernel) > world.now_ns);
	CHECK(iopf_kernel_next_ns(world.kernel) < world.now_ns + 10000000);
	kernel.write_blocks = false;
	CHECK(iopf_kernel_run(world.kernel, 256, ++world.now_ns) >= 0);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(iopf_kernel_next_ns(world.kernel), UINT64_MAX);
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

int main(void)
{
	return test_main();
}
