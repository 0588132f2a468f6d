/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock_end.c - what the kernel answers by itself, and when: detach, replace, removal, and
 * whatever descriptor is closed in whatever order.
 */
#include "mock.h"

static struct mock mock;
static mock_record records[64];
static struct iopf_mock_answer answers[64];

/* @count answers invalid came, of groups in the order that is given. */
static void check_invalid(uint32_t count, const uint32_t *groups)
{
	CHECK_EQ(mock_answers(answers, 64), count);
	for (uint32_t i = 0; i < count; i++) {
		CHECK_EQ(answers[i].code, IOPF_IOMMUFD_INVALID);
		if (groups != NULL)
			CHECK_EQ(answers[i].group, groups[i]);
	}
}

/* Group 1 is read, group 2 is not, of group 3 the last has not come. */
static void leave_open(void)
{
	mock_group(&mock, 5, 1, 1);
	mock_read_one(mock.fault);
	mock_group(&mock, 5, 2, 1);
	mock_request(&mock, IOPF_MOCK_PASID, 5, 3, 0x1000);
	CHECK(mock_unanswered());
}

CASE(detach_answers_what_is_open_and_tells_nobody)
{
	static const uint32_t order[] = { 2, 1 };

	mock_open(&mock);
	leave_open();
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	check_invalid(2, order);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 0);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	CHECK(mock_unanswered());
	NOTE("what was not read is answered first; what has no last yet never");
	mock_close(&mock);
}

CASE(request_without_its_last_is_gone_with_the_attachment)
{
	mock_open(&mock);
	leave_open();
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	check_invalid(2, NULL);
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
	mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 5, 3, 0x2000);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 40);
	mock_close(&mock);
}

CASE(cookie_of_a_detached_group_is_the_next_groups)
{
	mock_open(&mock);
	leave_open();
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
	check_invalid(2, NULL);
	mock_group(&mock, 6, 9, 1);
	CHECK_EQ(mock_read_one(mock.fault).cookie, 1);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&mock, 9, IOPF_IOMMUFD_SUCCESS);
	NOTE("an answer to a group from before the detach would have been taken for it");
	mock_close(&mock);
}

CASE(replace_answers_at_the_old_queue_and_asks_at_the_new)
{
	uint32_t queue, table;
	int fault;

	mock_open(&mock);
	queue = mock_queue(mock.iommu, &fault);
	table = mock_stage_1(&mock, 0, queue);
	leave_open();
	CHECK_EQ(mock_replace(&mock, table), 0);
	check_invalid(2, NULL);
	mock_group(&mock, 5, 4, 1);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 0);
	CHECK_EQ(mock_read_one(fault).grpid, 4);
	close(fault);
	mock_close(&mock);
}

CASE(replace_by_another_page_table_of_the_same_queue_answers_too)
{
	uint32_t table;

	mock_open(&mock);
	table = mock_stage_1(&mock, 0, mock.queue);
	leave_open();
	CHECK_EQ(mock_replace(&mock, table), 0);
	check_invalid(2, NULL);
	mock_close(&mock);
}

CASE(replace_by_itself_ends_nothing)
{
	mock_open(&mock);
	leave_open();
	CHECK_EQ(mock_replace(&mock, mock.table), 0);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(pasid_is_detached_by_itself)
{
	uint32_t table;

	if (!mock_open_pasid(&mock))
		return;
	table = mock_stage_1(&mock, 1u << 3, mock.queue);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_ATTACH, 5, table), 0);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_ATTACH, 6, table), 0);
	mock_group(&mock, 5, 1, 1);
	mock_group(&mock, 6, 2, 1);
	mock_request(&mock, IOPF_MOCK_LAST, 0, 3, 0x1000);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 120);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_DETACH, 5, 0), 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	for (uint32_t i = 1; i < 3; i++) {
		CHECK_EQ(mock_answer(mock.fault, records[i].cookie, IOPF_IOMMUFD_SUCCESS), 8);
		mock_check_answer(&mock, records[i].grpid, IOPF_IOMMUFD_SUCCESS);
	}
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_DETACH, 6, 0), 0);
	mock_close(&mock);
}

/* Of a PASID that is attached no more, in a group of another. */
CASE(request_of_a_detached_pasid_comes_back_in_anothers_group)
{
	uint32_t table;
	int64_t got;

	if (!mock_open_pasid(&mock))
		return;
	table = mock_stage_1(&mock, 1u << 3, mock.queue);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_ATTACH, 5, table), 0);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_ATTACH, 6, table), 0);
	mock_request(&mock, IOPF_MOCK_PASID, 5, 70, 0x1000);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_DETACH, 5, 0), 0);
	mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 6, 70, 0x2000);
	got = mock_read(mock.fault, records, sizeof records);
	NOTE("%s", got == 80 ? "its page comes with the other's group" : "its page is gone");
	CHECK(got == 80 ? records[0].pasid == 5 && records[1].pasid == 6 : got == 40);
	CHECK_EQ(mock_pasid(&mock, MOCK_PASID_DETACH, 6, 0), 0);
	mock_close(&mock);
}

CASE(device_that_is_removed_is_detached)
{
	mock_open(&mock);
	leave_open();
	CHECK_EQ(mock_destroy(&mock, mock.object), 0);
	check_invalid(2, NULL);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT);
	mock_close(&mock);
}

CASE(what_is_in_use_is_not_destroyed)
{
	mock_open(&mock);
	CHECK_EQ(mock_destroy(&mock, mock.table), -EBUSY);
	CHECK_EQ(mock_destroy(&mock, mock.queue), -EBUSY);
	mock_close(&mock);
}

CASE(two_devices_at_one_queue_are_told_apart)
{
	struct mock other;

	mock_open(&mock);
	other = mock;
	CHECK_EQ(mock_device(&other, 0), 0);
	CHECK_EQ(mock_replace(&other, mock.table), 0);
	mock_group(&mock, 5, 1, 1);
	mock_group(&other, 5, 1, 1);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 80);
	CHECK_EQ(records[0].dev_id, mock.device);
	CHECK_EQ(records[1].dev_id, other.device);
	CHECK_EQ(records[1].cookie, 2);
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(mock_answer(mock.fault, 2, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&other, 1, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(close_of_the_fault_descriptor_answers_nothing)
{
	mock_open(&mock);
	leave_open();
	close(mock.fault);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 5, 4, 0x1000), 0);
	CHECK(mock_unanswered());
	NOTE("its devices wait for ever, until they are detached");
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	check_invalid(3, NULL);
	close(mock.iommu);
}

CASE(fault_descriptor_outlives_the_context)
{
	mock_open(&mock);
	leave_open();
	close(mock.iommu);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(mock_read_one(mock.fault).grpid, 2);
	close(mock.fault);
	mock_check_answer(&mock, 2, IOPF_IOMMUFD_INVALID);
}

/* Five groups are read, five are not. */
static int child_that_leaves(void)
{
	mock_open(&mock);
	for (unsigned i = 0; i < 10; i++) {
		mock_group(&mock, 5, i, 1);
		if (i < 5)
			mock_read_one(mock.fault);
	}
	_exit(0);
}

CASE(process_that_ends_leaves_nothing_unanswered)
{
	int status;
	pid_t child;

	mock_open(&mock); /* the other side's descriptor is ours, too */
	mock_close(&mock);
	mock_forget();
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		child_that_leaves();
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	check_invalid(10, NULL);
}

CASE(answer_of_a_child_is_an_answer)
{
	int status;
	pid_t child;

	mock_open(&mock);
	leave_open();
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS) != 8);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	mock_close(&mock);
}

int main(void)
{
	return case_main();
}
