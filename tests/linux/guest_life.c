/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_life.c - what pages for a function goes away: its address spaces, the
 * function itself, its capabilities, its driver, each with groups open. The engine gets
 * one answer for each group, or is told by the reset, and works again afterwards.
 */
#include "guest.h"

/* A space whose groups wait, and a job in slot 0 that waits for them. */
static void open_groups(void)
{
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_hold(guest.pasid, true), 0);
	guest_start_fill(0, guest.pasid, GUEST_IOVA, 4 * GUEST_PAGE, 1);
	CHECK_SOON(guest_state(guest.pasid).waiting >= 1);
}

/* Attached anew, the PASID is as good as ever. */
static void works_again(void)
{
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, 2 * GUEST_PAGE, 2),
		 MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, 2 * GUEST_PAGE, 2));
}

/* False: newer kernels have no such switch. */
static bool switch_page_requests(bool on)
{
	int error = guest_feature(on);

	if (error == -EOPNOTSUPP) {
		NOTE("page requests are on as long as the function is there");
		return false;
	}
	CHECK_EQ(error, 0);
	return true;
}

/* Records of one kind since the case began; the first of them into @first. */
static unsigned count_records(enum bench_kind kind, struct device_record *first)
{
	struct device_record record;
	uint64_t at = guest.log;
	unsigned count = 0;

	while (device_next(&guest.device, &at, 1u << kind, &record))
		if (count++ == 0)
			*first = record;
	return count;
}

CASE(a_pasid_is_closed)
{
	NEEDS(invalidations);
	guest_begin();
	works_again();
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	CHECK(guest_grown(BENCH_DRAINS) >= 1);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 3), MODEL_JOB_STATUS_invalid);
	works_again();
	guest_end();
}

CASE(groups_are_answered_before_their_pasid_is_closed)
{
	guest_begin();
	open_groups();
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	CHECK(guest_grown(BENCH_DRAINS) >= 1);
	works_again();
	guest_end();
}

CASE(groups_are_answered_after_their_pasid_is_closed)
{
	struct device_record drain = { .ns = 0 }, answer = { .ns = 0 }, response = { .ns = 0 };

	guest_begin();
	open_groups();
	CHECK_EQ(guest_detach(guest.pasid, IOPF_LANE_LATE), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	CHECK(count_records(BENCH_DRAIN, &drain) >= 1);
	CHECK(count_records(BENCH_ANSWER, &answer) >= 1);
	CHECK(count_records(BENCH_RESPONSE, &response) >= 1);
	NOTE("the drain was over %" PRId64 " us before the answer was given",
	     ((int64_t)answer.ns - (int64_t)drain.ns) / 1000);
	HOST("the function had its response %" PRId64 " us before that answer",
	     ((int64_t)answer.ns - (int64_t)response.ns) / 1000);
	/* By its drain the guest has said that no answer is due any more. */
	CHECK(guest_pri(PRI_STATUS) & PRI_UPRGI);
	guest_pri_clear(PRI_UPRGI);
	works_again();
	guest_end();
}

CASE(a_pasid_is_closed_while_the_engine_works)
{
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid), 0);
	guest_start_fill(0, guest.pasid, GUEST_IOVA + (1 << 20), 16 << 20, 3);
	CHECK_SOON(guest_state(guest.pasid).groups > 8);
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	works_again();
	guest_end();
}

CASE(one_pasid_is_closed_and_another_does_not_feel_it)
{
	guest_begin();
	CHECK_EQ(guest_attach(guest.pasid + 1), 0);
	guest_start_fill(1, guest.pasid + 1, GUEST_IOVA, 4 << 20, 4);
	open_groups();
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_finish(1), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid + 1, GUEST_IOVA, 4 << 20, 4));
	guest_end();
}

/* A driver that answers without having mapped anything: the engine asks again, and is
 * served when the driver is. */
CASE(success_without_a_page_is_asked_for_again)
{
	guest_begin();
	open_groups();
	CHECK(guest_answer(guest.pasid, 0) >= 1);
	CHECK_SOON(guest_state(guest.pasid).waiting >= 1);
	CHECK_EQ(guest_hold(guest.pasid, false), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, 4 * GUEST_PAGE, 1));
	guest_end();
}

/* Failure would stop the function for everybody: it gets invalid, and the guest is told
 * what it would see of a function of its own. Until it resets that, nobody pages for it. */
CASE(failure_stays_with_the_guest_that_says_it)
{
	struct device_record response;

	guest_begin();
	open_groups();
	CHECK(guest_answer(guest.pasid, 2) >= 1);
	CHECK(device_wait(&guest.device, &guest.log, 1 << BENCH_RESPONSE, &response));
	CHECK_EQ(response.code, 1);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	CHECK(!guest_is_in_state(BENCH_STATUS_RF));
	CHECK(guest_pri(PRI_STATUS) & PRI_RF);
	CHECK_EQ(guest_hold(guest.pasid, false), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 3), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_reset(), 0);
	CHECK(!(guest_pri(PRI_STATUS) & PRI_RF));
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 4), MODEL_JOB_STATUS_done);
	guest_end();
}

/* The other way: page requests off, which resets the interface, and on. */
CASE(failure_ends_when_page_requests_are_switched_off_and_on)
{
	guest_begin();
	open_groups();
	CHECK(guest_answer(guest.pasid, 2) >= 1);
	CHECK_SOON(guest_pri(PRI_STATUS) & PRI_RF);
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	if (switch_page_requests(false))
		switch_page_requests(true);
	else
		CHECK_EQ(guest_reset(), 0);
	CHECK(!(guest_pri(PRI_STATUS) & PRI_RF));
	works_again();
	guest_end();
}

CASE(the_function_is_reset_with_groups_open)
{
	uint64_t left;

	guest_begin();
	open_groups();
	CHECK_EQ(guest_reset(), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_idle);
	CHECK(guest_grown(BENCH_RESETS) >= 1);
	left = guest_grown(BENCH_RESPONSES);
	if (guest_state(guest.pasid).waiting == 0)
		NOTE("before a reset this kernel wants everything answered");
	else
		CHECK_EQ(left, 0);
	/* The kernel answers, much too late: nothing of it leaves. */
	guest_answer(guest.pasid, 0);
	CHECK_SOON(guest_grown(BENCH_GUEST_RESPONSES) >= 1);
	CHECK_EQ(guest_grown(BENCH_RESPONSES), left);
	CHECK_EQ(guest_hold(guest.pasid, false), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, GUEST_PAGE, 5), MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, GUEST_PAGE, 5));
	guest_end();
}

CASE(page_requests_are_switched_off_and_on)
{
	NEEDS(invalidations);
	guest_begin();
	works_again();
	CHECK_EQ(guest_feature(false), -EBUSY);
	CHECK_EQ(guest_detach(guest.pasid, 0), 0);
	if (switch_page_requests(false)) {
		CHECK(!(guest_pri(PRI_CONTROL) & PRI_ENABLE));
		switch_page_requests(true);
	}
	works_again();
	guest_end();
}

CASE(the_driver_is_removed_with_groups_open)
{
	guest_begin();
	open_groups();
	CHECK_EQ(guest_unload(), 0);
	CHECK_EQ(guest_finish(0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_load(), 0);
	works_again();
	guest_end();
}

int main(void)
{
	return guest_main(256);
}
