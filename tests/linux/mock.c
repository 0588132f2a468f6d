/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mock.c - what Linux's fault descriptor does: each rule that src/source relies on, and each
 * trap that it avoids, at iommufd's own mock device. docs/formats.md has them as a table.
 */
#include "mock.h"

static struct mock mock;
static mock_record records[600];

/* ---- Reading ------------------------------------------------------------------------- */

CASE(what_is_empty_reads_as_nothing_at_once)
{
	mock_open(&mock);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT);
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 0);
	CHECK_EQ(mock_read(mock.fault, records, 0), 0);
	CHECK_EQ(fcntl(mock.fault, F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(mock_read(mock.fault, records, 39), -ESPIPE);
	CHECK_EQ(mock_read(mock.fault, records, 41), -ESPIPE);
	CHECK_EQ(pread(mock.fault, records, 40, 0), -1);
	mock_close(&mock);
}

CASE(group_is_announced_read_and_answered)
{
	mock_record record;

	mock_open(&mock);
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_LAST, 0, 3, 0x1000), 0);
	CHECK_EQ(mock_poll(mock.fault), POLLIN | POLLRDNORM | POLLOUT);
	record = mock_read_one(mock.fault);
	CHECK_EQ(record.dev_id, mock.device);
	CHECK_EQ(record.flags, IOPF_IOMMUFD_LAST);
	CHECK_EQ(record.pasid, 0);
	CHECK_EQ(record.grpid, 3);
	CHECK_EQ(record.perm, IOPF_READ);
	CHECK_EQ(record.addr, 0x1000);
	CHECK_EQ(record.length, 0);
	CHECK_EQ(record.cookie, 1);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT); /* what is owed cannot be seen */
	CHECK(mock_unanswered());
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&mock, 3, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(bits_that_no_header_names_come_with_the_flags)
{
	mock_open(&mock);
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST | 4, 5, 3, 0x1000), 0);
	CHECK_EQ(mock_read_one(mock.fault).flags, 7);
	NOTE("flags are what the driver gave: VT-d's says 7, bit 2 is in no header");
	mock_close(&mock);
}

CASE(group_comes_with_its_last_in_order_of_arrival)
{
	mock_open(&mock);
	for (uint32_t i = 0; i < 2; i++)
		CHECK_EQ(mock_request(&mock, IOPF_MOCK_PASID, 5, 70, 0x3000 - (i << 12)), 0);
	CHECK_EQ(mock_poll(mock.fault), POLLOUT);
	CHECK_EQ(mock_read(mock.fault, records, 400), 0);
	mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 5, 70, 0x1000);
	CHECK_EQ(mock_read(mock.fault, records, 40), -EINVAL);
	CHECK_EQ(mock_read(mock.fault, records, 80), -EINVAL);
	CHECK_EQ(mock_read(mock.fault, records, 120), 120);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(records[i].addr, 0x3000 - (i << 12));
		CHECK_EQ(records[i].cookie, records[0].cookie);
		CHECK_EQ(records[i].flags, i == 2 ? 3 : 1);
	}
	CHECK_EQ(mock_answer(mock.fault, records[0].cookie, IOPF_IOMMUFD_INVALID), 8);
	mock_check_answer(&mock, 70, IOPF_IOMMUFD_INVALID);
	mock_close(&mock);
}

CASE(group_of_512_needs_room_for_512)
{
	mock_open(&mock);
	mock_group(&mock, 5, 70, 512);
	CHECK_EQ(mock_read(mock.fault, records, 511 * 40), -EINVAL);
	CHECK_EQ(mock_poll(mock.fault) & POLLIN, POLLIN); /* who polls with less turns in circles */
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 512 * 40);
	CHECK_EQ(records[511].flags, 3);
	CHECK_EQ(records[511].cookie, records[0].cookie);
	mock_close(&mock);
}

CASE(only_whole_groups_are_read)
{
	mock_open(&mock);
	mock_group(&mock, 5, 1, 3);
	mock_group(&mock, 5, 2, 3);
	CHECK_EQ(mock_read(mock.fault, records, 5 * 40), 3 * 40);
	CHECK_EQ(records[0].grpid, 1);
	CHECK_EQ(mock_read(mock.fault, records, 5 * 40), 3 * 40);
	CHECK_EQ(records[0].grpid, 2);
	mock_close(&mock);
}

/* Two pages, the second of which is not there. */
static uint8_t *torn_buffer(void)
{
	uint8_t *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	CHECK_EQ(munmap(at + 4096, 4096), 0);
	return at + 4096;
}

CASE(torn_buffer_gives_the_group_back)
{
	uint8_t *end = torn_buffer();

	mock_open(&mock);
	mock_group(&mock, 5, 1, 3);
	CHECK_EQ(mock_read(mock.fault, end - 80, 120), -EFAULT);
	CHECK_EQ(mock_read(mock.fault, end - 80, 120), -EFAULT);
	CHECK_EQ(mock_poll(mock.fault) & POLLIN, POLLIN);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	CHECK_EQ(mock_read(mock.fault, records, 120), 120);
	CHECK_EQ(records[0].cookie, 1);
	mock_close(&mock);
}

CASE(buffer_torn_in_the_second_group_gives_the_first)
{
	uint8_t *end = torn_buffer();

	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	mock_group(&mock, 5, 2, 2);
	CHECK_EQ(mock_read(mock.fault, end - 80, 120), 40);
	CHECK_EQ(mock_read(mock.fault, records, 120), 80);
	CHECK_EQ(records[0].grpid, 2);
	CHECK_EQ(records[0].cookie, 2);
	mock_close(&mock);
}

CASE(segments_are_reads_of_their_own)
{
	struct iovec halves[2] = { { records, 20 }, { &records[1], 20 } };
	struct iovec wholes[2] = { { records, 40 }, { &records[1], 40 } };

	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	mock_group(&mock, 5, 2, 1);
	CHECK_EQ(readv(mock.fault, halves, 2), -1);
	CHECK_EQ(readv(mock.fault, wholes, 2), 80);
	mock_close(&mock);
}

CASE(nothing_holds_requests_back)
{
	unsigned left = 4096;

	mock_open(&mock);
	for (unsigned i = 0; i < 4096; i++)
		mock_group(&mock, 5, i % 512, 1);
	while (left > 0) {
		int64_t got = mock_read(mock.fault, records, sizeof records);

		CHECK(got > 0);
		left -= (unsigned)(got / 40);
	}
	CHECK_EQ(mock_read(mock.fault, records, sizeof records), 0);
	mock_close(&mock);
}

/* ---- Groups -------------------------------------------------------------------------- */

CASE(one_index_three_times_is_three_groups)
{
	mock_open(&mock);
	for (unsigned i = 0; i < 3; i++)
		mock_group(&mock, 5, 70, 1);
	CHECK_EQ(mock_read(mock.fault, records, 400), 120);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(records[i].cookie, i + 1);
	CHECK_EQ(mock_answer(mock.fault, 2, IOPF_IOMMUFD_SUCCESS), 8);
	mock_check_answer(&mock, 70, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(requests_of_two_pasids_are_merged_into_one_group)
{
	struct iopf_mock_answer answers[2];

	mock_open(&mock);
	mock_request(&mock, IOPF_MOCK_PASID, 5, 70, 0x1000);
	mock_request(&mock, IOPF_MOCK_PASID | IOPF_MOCK_LAST, 7, 70, 0x2000);
	CHECK_EQ(mock_read(mock.fault, records, 400), 80);
	CHECK_EQ(records[0].pasid, 5);
	CHECK_EQ(records[1].pasid, 7);
	CHECK_EQ(records[0].cookie, records[1].cookie);
	CHECK_EQ(mock_answer(mock.fault, records[0].cookie, IOPF_IOMMUFD_SUCCESS), 8);
	CHECK_EQ(mock_answers(answers, 2), 1);
	CHECK_EQ(answers[0].pasid, 7);
	NOTE("partial requests are matched by their index alone; one answer, for the last's PASID");
	mock_close(&mock);
}

CASE(request_that_nobody_serves_is_answered_invalid)
{
	mock_open(&mock);
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_LAST, 0, 9, 0x1000), -EINVAL);
	mock_check_answer(&mock, 9, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(mock_read(mock.fault, records, 400), 0);
	mock_close(&mock);
}

CASE(request_without_last_that_nobody_serves_is_answered_too)
{
	struct iopf_mock_answer answers[2];

	mock_open(&mock);
	CHECK_EQ(mock_replace(&mock, mock.ioas), 0);
	CHECK_EQ(mock_request(&mock, 0, 0, 9, 0x1000), -EINVAL);
	CHECK_EQ(mock_request(&mock, IOPF_MOCK_LAST, 0, 9, 0x2000), -EINVAL);
	NOTE("%u answers to one group of two requests", mock_answers(answers, 2));
	mock_close(&mock);
}

CASE(page_table_of_the_kernels_own_may_have_a_fault_queue)
{
	int64_t table;

	mock_open(&mock);
	table = mock_table(&mock, mock.ioas, 0, mock.queue);
	NOTE("%s", table > 0 ? "accepted" : "refused: only nested page tables may");
	CHECK(table > 0 || table == -EOPNOTSUPP);
	mock_close(&mock);
}

/* ---- Writing ------------------------------------------------------------------------- */

CASE(unknown_cookies_are_refused)
{
	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL); /* not read yet */
	CHECK_EQ(mock_answer(mock.fault, 0, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	CHECK_EQ(mock_answer(mock.fault, UINT32_MAX, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	mock_read_one(mock.fault);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), 8);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(other_codes_are_refused_and_the_group_stays_owed)
{
	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	mock_read_one(mock.fault);
	CHECK_EQ(mock_answer(mock.fault, 1, 2), -EINVAL);
	CHECK_EQ(mock_answer(mock.fault, 1, UINT32_MAX), -EINVAL);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_INVALID), 8);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	mock_close(&mock);
}

CASE(answers_are_written_whole)
{
	static const size_t sizes[] = { 1, 4, 7, 9, 12 };
	mock_response response = { .cookie = 1, .code = IOPF_IOMMUFD_SUCCESS };
	uint8_t *end = torn_buffer();

	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	mock_read_one(mock.fault);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(mock_write(mock.fault, records, sizes[i]), -ESPIPE);
	CHECK_EQ(mock_write(mock.fault, records, 0), 0);
	CHECK_EQ(mock_write(mock.fault, end - 4, 8), -EFAULT);
	memcpy(end - 8, &response, 8);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_write(mock.fault, end - 8, 16), 8);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_SUCCESS);
	mock_close(&mock);
}

CASE(batch_ends_before_what_is_refused)
{
	mock_response batch[5] = { { 1, 0 }, { 2, 1 }, { 99, 0 }, { 3, 0 }, { 4, 0 } };
	struct iopf_mock_answer answers[8];

	mock_open(&mock);
	for (unsigned i = 0; i < 4; i++)
		mock_group(&mock, 5, i, 1);
	CHECK_EQ(mock_read(mock.fault, records, 400), 160);
	CHECK_EQ(mock_write(mock.fault, batch, sizeof batch), 16);
	CHECK_EQ(mock_answers(answers, 8), 2);
	CHECK_EQ(mock_write(mock.fault, &batch[2], 24), -EINVAL);
	CHECK(mock_unanswered());
	CHECK_EQ(mock_write(mock.fault, &batch[3], 16), 16);
	CHECK_EQ(mock_answers(answers, 8), 2);
	mock_close(&mock);
}

CASE(cookie_is_used_again_at_once_and_a_late_duplicate_answers_another)
{
	mock_open(&mock);
	mock_group(&mock, 5, 1, 1);
	CHECK_EQ(mock_read_one(mock.fault).cookie, 1);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_INVALID), 8);
	mock_check_answer(&mock, 1, IOPF_IOMMUFD_INVALID);
	mock_group(&mock, 6, 2, 1);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_INVALID), -EINVAL); /* unread */
	CHECK_EQ(mock_read_one(mock.fault).cookie, 1);
	CHECK_EQ(mock_answer(mock.fault, 1, IOPF_IOMMUFD_INVALID), 8);
	mock_check_answer(&mock, 2, IOPF_IOMMUFD_INVALID);
	NOTE("a cookie is the lowest free number; given by read, not before");
	mock_close(&mock);
}

CASE(cookie_is_of_its_own_queue)
{
	int other;

	mock_open(&mock);
	mock_queue(mock.iommu, &other);
	mock_group(&mock, 5, 1, 1);
	CHECK_EQ(mock_read_one(mock.fault).cookie, 1);
	CHECK_EQ(mock_answer(other, 1, IOPF_IOMMUFD_SUCCESS), -EINVAL);
	CHECK(mock_unanswered());
	close(other);
	mock_close(&mock);
}

int main(void)
{
	return case_main();
}
