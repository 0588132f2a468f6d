/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: groups come out of a fault descriptor whole, under indices of the source's
 * own, and each is answered once; no room, no sense and no luck have their answers, too.
 */
#include "source_kernel.h"

enum { DEVICE = 7, OTHER_DEVICE = 9 };

TEST(group_is_read_and_answered)
{
	uint32_t group;

	world_create(8, 16);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	group = kernel_fault(DEVICE, 5, 70, 3);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(requests[i].rid, DEVICE);
		CHECK_EQ(requests[i].pasid, 5);
		CHECK_EQ(requests[i].index, requests[0].index);
		CHECK_EQ(requests[i].addr, i << 12);
		CHECK_EQ(requests[i].perm, IOPF_READ);
		CHECK_EQ(requests[i].flags, i == 2 ? IOPF_LAST : 0);
	}
	CHECK_EQ(iopf_iommufd_owed(source), 1);
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[group].answers, 1);
	CHECK_EQ(kernel.groups[group].code, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(iopf_iommufd_owed(source), 0);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
}

TEST(without_a_pasid_there_is_none)
{
	world_create(8, 16);
	kernel_fault(DEVICE, IOPF_PASID_NONE, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(requests[0].pasid, IOPF_PASID_NONE);
}

TEST(one_index_of_the_function_three_times_is_three_groups)
{
	struct iopf_request read[3];

	world_create(8, 16);
	for (unsigned i = 0; i < 3; i++)
		kernel_fault(DEVICE, 5, 70, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 3);
	memcpy(read, requests, sizeof(read));
	CHECK(read[0].index != read[1].index && read[1].index != read[2].index);
	CHECK_EQ(respond(&read[1], IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[1].answers, 1);
	CHECK_EQ(respond(&read[0], IOPF_INVALID), 0);
	CHECK_EQ(respond(&read[2], IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.groups[0].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(kernel.groups[2].code, IOPF_IOMMUFD_SUCCESS);
}

TEST(group_of_512_comes_whole)
{
	world_create(8, 512);
	kernel_fault(DEVICE, 5, 70, 512);
	kernel_fault(DEVICE, 5, 71, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 512);
	CHECK_EQ(requests[511].flags, IOPF_LAST);
	CHECK_EQ(requests[510].flags, 0);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
}

TEST(group_larger_than_a_read_is_an_error_of_its_own_until_it_is_detached)
{
	world_create(8, 4);
	kernel_fault(DEVICE, 5, 70, 5);
	kernel_fault(OTHER_DEVICE, 5, 70, 4);
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EMSGSIZE);
	CHECK_EQ(iopf_iommufd_read(source, &requests), -EMSGSIZE);
	CHECK_EQ(COUNTED(oversized), 2);
	kernel_detach(DEVICE, 5);
	CHECK_EQ(iopf_iommufd_forget(source, DEVICE, 5), 0);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 4);
}

TEST(what_finds_no_room_is_answered_invalid_and_reading_goes_on)
{
	struct iopf_request read[2];

	world_create(2, 4);
	for (unsigned i = 0; i < 12; i++)
		kernel_fault(DEVICE, 5, i, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	memcpy(read, requests, sizeof(read));
	CHECK_EQ(iopf_iommufd_read(source, &requests), 0);
	CHECK_EQ(kernel.deliver_count, 0);
	CHECK_EQ(COUNTED(full), 10);
	for (unsigned i = 2; i < 12; i++)
		CHECK_EQ(kernel.groups[i].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(respond(&read[0], IOPF_SUCCESS), 0);
	kernel_fault(DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
}

TEST(every_index_is_used_before_one_comes_again)
{
	bool seen[12] = { false };

	world_create(8, 4);
	for (unsigned i = 0; i < 12; i++) {
		kernel_fault(DEVICE, 5, 1, 1);
		CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
		CHECK(requests[0].index < 12 && !seen[requests[0].index]);
		seen[requests[0].index] = true;
		CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	}
}

TEST(failure_is_said_as_invalid)
{
	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	CHECK_EQ(respond(&requests[0], IOPF_FAILURE), 0);
	CHECK_EQ(kernel.groups[0].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(COUNTED(failures), 1);
}

TEST(bits_beyond_the_interface_are_masked_and_counted)
{
	world_create(8, 4);
	kernel.extra_flags = 4 | 1u << 31;
	kernel_fault(DEVICE, 5, 1, 2);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 2);
	CHECK_EQ(requests[0].flags, 0);
	CHECK_EQ(requests[1].flags, IOPF_LAST);
	CHECK_EQ(requests[1].pasid, 5);
	CHECK_EQ(COUNTED(unknown_bits), 2);
}

TEST(answers_by_the_hundred_leave_in_one_go)
{
	static struct iopf_response out[300];

	world_create(512, 512);
	for (unsigned i = 0; i < 300; i++)
		kernel_fault(DEVICE, 5, i, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 300);
	for (unsigned i = 0; i < 300; i++)
		out[299 - i] = response_to(&requests[i],
					   i % 3 == 0 ? IOPF_INVALID : IOPF_SUCCESS);
	CHECK_EQ(iopf_iommufd_write(source, out, 300), 0);
	for (unsigned i = 0; i < 300; i++) {
		CHECK_EQ(kernel.groups[i].answers, 1);
		CHECK_EQ(kernel.groups[i].code, i % 3 == 0);
	}
	CHECK(kernel.writes <= 3);
}

TEST(response_to_nothing_is_counted_and_writes_nothing)
{
	struct iopf_response out[5];

	world_create(8, 4);
	kernel_fault(DEVICE, 5, 1, 1);
	CHECK_EQ(iopf_iommufd_read(source, &requests), 1);
	for (unsigned i = 0; i < 5; i++)
		out[i] = response_to(&requests[0], IOPF_SUCCESS);
	out[0].index = 12; /* no such slot */
	out[1].index = 65535;
	out[2].index++; /* nothing there */
	out[3].rid++;   /* another device's */
	out[4].code = IOPF_CODE_COUNT;
	CHECK_EQ(iopf_iommufd_write(source, out, 5), 0);
	CHECK_EQ(kernel.writes, 0);
	CHECK_EQ(COUNTED(unknown), 5);
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	CHECK_EQ(respond(&requests[0], IOPF_SUCCESS), 0);
	CHECK_EQ(kernel.writes, 1);
	CHECK_EQ(COUNTED(unknown), 6);
}

TEST(what_a_descriptor_cannot_do_is_an_error_of_its_own)
{
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_DRAIN), 0);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_RESPOND), 0);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_PRI_OFF), -EOPNOTSUPP);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_STOPPED), -EOPNOTSUPP);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_PRI_RESET), -EOPNOTSUPP);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_PRI_ON), -EOPNOTSUPP);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_TERMINATE), -EOPNOTSUPP);
	CHECK_EQ(iopf_iommufd_step(IOPF_STEP_COUNT), -EINVAL);
}

TEST(options_have_ranges)
{
	struct iopf_iommufd_options right = { .size_bytes = sizeof(right),
					      .group_max = 4,
					      .group_read_max = 4,
					      .io = &kernel_io };
	struct iopf_iommufd_options wrong[6];
	static _Alignas(8) uint8_t memory[8192];
	size_t size_bytes = iopf_iommufd_size_bytes(&right);
	struct iopf_iommufd_io half = { .read = kernel_read };

	CHECK(size_bytes > 0 && size_bytes < sizeof(memory));
	for (unsigned i = 0; i < 6; i++)
		wrong[i] = right;
	wrong[0].size_bytes--;
	wrong[1].group_max = 0;
	wrong[2].group_max = 32769;
	wrong[3].group_read_max = 0;
	wrong[4].io = NULL;
	wrong[5].io = &half;
	for (unsigned i = 0; i < 6; i++) {
		CHECK_EQ(iopf_iommufd_size_bytes(&wrong[i]), 0);
		CHECK_EQ(iopf_iommufd_create(&wrong[i], memory, sizeof(memory), &source),
			 -EINVAL);
	}
	CHECK_EQ(iopf_iommufd_create(&right, memory + 4, sizeof(memory) - 4, &source),
		 -EINVAL);
	CHECK_EQ(iopf_iommufd_create(&right, memory, size_bytes - 1, &source), -ENOSPC);
	right.group_max = right.group_read_max = 32768;
	CHECK(iopf_iommufd_size_bytes(&right) > 0);
}

int main(void)
{
	return test_main();
}
