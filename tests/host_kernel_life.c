/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a guest over a kernel's fault descriptor: how it begins and ends, functions
 * that are reset, and what the kernel refuses.
 */
#include "host_kernel.h"

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

static void refuse_attach(int error)
{
	uint32_t group;

	begin();
	world.attach_error = error;
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

static struct iopf_kernel_options most_of_all(void)
{
	static struct iopf_kernel_function functions[IOPF_GUEST_ENDPOINT_MAX];
	struct iopf_kernel_options options = options_of();

	for (uint32_t i = 0; i < IOPF_GUEST_ENDPOINT_MAX; i++)
		functions[i] = (struct iopf_kernel_function){
			.device = 100 + i, .guest_rid = i, .allocation = IOPF_HOST_ALLOCATION_MAX
		};
	options.functions = functions;
	options.function_count = IOPF_GUEST_ENDPOINT_MAX;
	options.pasid_max = IOPF_GUEST_PASID_MAX;
	options.group_pages = IOPF_HOST_ALLOCATION_MAX;
	return options;
}

TEST(the_most_of_everything_is_had_at_once)
{
	const struct iopf_kernel_options options = most_of_all();
	size_t size_bytes = iopf_kernel_size_bytes(&options);
	void *place = aligned_alloc(64, size_bytes);

	memset(&kernel, 0, sizeof(kernel));
	memset(&world, 0, sizeof(world));
	CHECK(size_bytes > 0 && place != NULL);
	CHECK_EQ(iopf_kernel_create(&options, place, size_bytes, &world.kernel), 0);
	for (uint32_t i = 0; i < KERNEL_GROUPS; i++) /* nobody attached them */
		kernel_fault(100 + i % IOPF_GUEST_ENDPOINT_MAX, i, i % 512, 1);
	CHECK_EQ(iopf_kernel_run(world.kernel, 256, ++world.now_ns), KERNEL_GROUPS);
	CHECK_EQ(kernel_open(), 0);
	free(place);
}

TEST(an_attach_that_the_kernel_refuses_leaves_nothing)
{
	refuse_attach(-EINVAL);
	refuse_attach(-EAGAIN); /* and is not waited for */
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

TEST(a_reset_asks_in_the_order_of_the_attaching)
{
	static const uint32_t order[] = { 3, 1, 4, 2 };

	begin_with(order[0]);
	for (uint32_t i = 1; i < 4; i++)
		attach(order[i]);
	world.call_count = 0;
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE, ++world.now_ns), 0);
	CHECK_EQ(world.call_count, 9);
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQ(world.calls[i].pasid, order[i]);
		CHECK_EQ(world.calls[5 + i].pasid, order[i]);
	}
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

TEST(a_reset_function_is_served_again)
{
	uint32_t group;

	begin_with(1);
	world.silent = true;
	kernel_fault(DEVICE, 1, 70, 1);
	run();
	CHECK_EQ(iopf_agent_answer(world.agent, RID, 1, 0, IOPF_FAILURE), 0);
	iopf_agent_kick(world.agent);
	run();
	world.silent = false;
	CHECK_EQ(iopf_kernel_reset_function(world.kernel, DEVICE, ++world.now_ns), 0);
	group = kernel_fault(DEVICE, 1, 71, 1);
	run();
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
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
	/* What stood in the way was the guest's, and went with it. */
	CHECK_EQ(iopf_kernel_guest_gone(world.kernel, ++world.now_ns), 0);
	CHECK_EQ(kernel_open(), 0);
	CHECK_EQ(iopf_kernel_run(world.kernel, 256, ++world.now_ns), 0);
}

int main(void)
{
	return test_main();
}
