/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the states of virtual indices, one by one. */
#include "guest/shown.h"
#include "test.h"

static struct shown *fresh(void)
{
	static struct shown shown;

	shown_create(&shown);
	return &shown;
}

TEST(an_index_rests_as_long_as_others_are_free)
{
	struct shown *shown = fresh();

	for (uint32_t i = 0; i < 3 * IOPF_GUEST_INDEX_COUNT; i++) {
		uint32_t index = shown_free_index(shown);

		CHECK_EQ(index, i % IOPF_GUEST_INDEX_COUNT);
		shown_show(shown, index, i, 1);
		shown_settle(shown, index);
	}
}

TEST(the_only_free_index_is_found_wherever_it_is)
{
	for (uint32_t hole = 0; hole < IOPF_GUEST_INDEX_COUNT; hole += 7) {
		struct shown *shown = fresh();

		for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
			shown_show(shown, shown_free_index(shown), i, 1);
		CHECK_EQ(shown_free_index(shown), SHOWN_NO_INDEX);
		shown_settle(shown, hole);
		CHECK_EQ(shown_free_index(shown), hole);
		shown_show(shown, hole, 9, 1);
		CHECK_EQ(shown_free_index(shown), SHOWN_NO_INDEX);
	}
}

TEST(a_debt_of_today_does_not_end_with_the_teardown_of_yesterday)
{
	struct shown *shown = fresh();

	shown_show(shown, 0, 1, 1);
	shown_take(shown, 0, 10);
	shown_tear(shown, 1);
	/* Answered before the drain came; the index is used again, and owed again. */
	shown_settle(shown, 0);
	shown_show(shown, 0, 2, 1);
	shown_take(shown, 0, 20);
	CHECK_EQ(shown_drain(shown), 0);
	CHECK_EQ(shown->owed, 1);
	shown_tear(shown, 1);
	CHECK_EQ(shown_drain(shown), 1);
	CHECK_EQ(shown->slot[0].state, SHOWN_FRESH);
	CHECK_EQ(shown->known, 0);
}

TEST(the_oldest_debt_is_the_one_with_the_earliest_time)
{
	struct shown *shown = fresh();

	CHECK_EQ(shown_oldest_debt_ns(shown), 0);
	for (uint32_t i = 0; i < 3; i++) {
		shown_show(shown, i, i, 1);
		shown_take(shown, i, i == 1 ? 5 : 10 + i);
	}
	CHECK_EQ(shown_oldest_debt_ns(shown), 5);
	shown_settle(shown, 1);
	CHECK_EQ(shown_oldest_debt_ns(shown), 10);
}

int main(void)
{
	return test_main();
}
