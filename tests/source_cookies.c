/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a cookie is written once at most, and never once it is another group's:
 * whatever the kernel ended by itself, whoever told of it, and however late an answer is.
 */
#include "source_kernel.h"

enum { DEVICE = 7, OTHER_DEVICE = 9 };

static struct iopf_request read_one(void)
{
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	return requests[0];
}

TEST(late_answer_never_answers_the_group_that_has_the_cookie_now)
{
	struct iopf_request dead, alive;

	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	dead = read_one();
	kernel_detach(DEVICE, 5);
	kernel_fault(OTHER_DEVICE, 6, 1, 1);
	alive = read_one();
	CHECK_EQ(kernel.groups[1].cookie, 1); /* the same again */
	CHECK_EQ(COUNTED(replaced), 1);
	CHECK_EQ(respond(&dead, IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[1].answers, 0);
	CHECK_EQ(COUNTED(swallowed), 1);
	CHECK_EQ(respond(&alive, IOPF_INVALID), 0);
	CHECK_EQ(kernel.groups[1].answers, 1);
	CHECK_EQ(kernel.groups[1].code, IOPF_IOMMUFD_INVALID);
}

TEST(answer_to_what_the_kernel_has_ended_is_refused_and_over)
{
	struct iopf_request dead;

	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	dead = read_one();
	kernel_detach(DEVICE, 5);
	CHECK_EQ(respond(&dead, IOPF_SUCCESS), 0);
	CHECK_EQ(COUNTED(refused), 1);
	CHECK_EQ(kernel.groups[0].answers, 1);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
}

TEST(forgotten_groups_are_not_written_and_their_responses_swallowed)
{
	struct iopf_request of_five, of_six;

	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	kernel_fault(DEVICE, 6, 2, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	of_five = requests[0];
	of_six = requests[1];
	kernel_detach(DEVICE, 5);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 5), 1);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	CHECK_EQ(respond(&of_five, IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.writes, 0);
	CHECK_EQ(COUNTED(swallowed), 1);
	CHECK_EQ(respond(&of_six, IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[1].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(forget_is_of_one_address_space_of_one_device)
{
	world_create(16, 16);
	kernel_fault(DEVICE, IOPF_PASID_NONE, 1, 1);
	kernel_fault(DEVICE, 0, 1, 1);
	kernel_fault(DEVICE, 5, 1, 1);
	kernel_fault(OTHER_DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 4);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 6), 0);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, IOPF_PASID_NONE), 1);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, IOPF_PASID_NONE), 0);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, IOPF_PASID_ANY), 2);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	CHECK_EQ(COUNTED(forgotten), 3);
}

/* The broker may still show what is over: its index is nobody else's until it responds. */
TEST(index_of_what_is_over_is_not_used_again_before_the_broker_responds)
{
	struct iopf_request dead;

	world_create(2, 2);
	kernel_fault(DEVICE, 5, 1, 1);
	dead = read_one();
	kernel_detach(DEVICE, 5);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 5), 1);
	for (unsigned i = 0; i < 8; i++) {
		kernel_fault(DEVICE, 5, 1, 1);
		CHECK(read_one().index != dead.index);
		CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	}
	CHECK_EQ(respond(&dead, IOPF_SUCCESS), 0);
	CHECK_EQ(COUNTED(swallowed), 1);
}

TEST(answer_that_waits_is_dropped_with_its_group)
{
	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	kernel_fault(OTHER_DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	kernel.write_blocks = true;
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), -EAGAIN);
	CHECK_EQ(respond(&requests[1], IOPF_SUCCESS), -EAGAIN);
	kernel_detach(DEVICE, 5);
	kernel.write_blocks = false;
	kernel_fault(DEVICE, 5, 2, 1); /* has the cookie of the first now */
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(kernel.groups[2].answers, 0);
	CHECK_EQ(iopf_iommufd_write(source, NULL, 0), 0);
	CHECK_EQ(kernel.groups[1].answers, 1);
	CHECK_EQ(kernel.groups[2].answers, 0);
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[2].answers, 1);
}

TEST(function_that_was_reset_is_answered_by_its_detach_alone)
{
	struct iopf_request open;

	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	kernel_fault(OTHER_DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	open = requests[0];
	CHECK_EQ(iopf_iommufd_reset(source, DEVICE), 1);
	CHECK_EQ(COUNTED(kept_back), 1);
	CHECK_EQ(respond(&open, IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[0].answers, 0);
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	kernel_detach(DEVICE, 5);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 5), 0);
	CHECK_EQ(kernel.groups[0].answers, 1);
}

TEST(answers_of_a_reset_function_do_not_leave_any_more)
{
	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	kernel.write_blocks = true;
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), -EAGAIN);
	kernel.write_blocks = false;
	CHECK_EQ(iopf_iommufd_reset(source, DEVICE), 1);
	CHECK_EQ(iopf_iommufd_write(source, NULL, 0), 0);
	CHECK_EQ(kernel.groups[0].answers, 0);
}

/* Its groups were over already: the broker says nothing of them any more. */
TEST(reset_gives_every_index_back)
{
	world_create(4, 4);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 4; i++)
			kernel_fault(DEVICE, 5, i, 1);
		CHECK_EQ(iopf_iommufd_read(source, &requests), 4);
		kernel_detach(DEVICE, 5);
		CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 5), 4);
		CHECK_EQ(iopf_iommufd_reset(source, DEVICE), 0);
	}
	CHECK_EQ(COUNTED(full), 0);
}

int main(void)
{
	return test_main();
}
