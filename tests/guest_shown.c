/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the states of virtual indices, one by one. */
#include "guest/shown.h"
#include "test.h"

/* The guest answers it. */
static uint32_t settle(struct shown *shown, uint32_t index)
{
	enum iopf_code code = IOPF_SUCCESS;

	return shown_settle(shown, index, &code);
}

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
		shown_show(shown, index, i, 1, 1);
		settle(shown, index);
	}
}

TEST(the_only_free_index_is_found_wherever_it_is)
{
	for (uint32_t hole = 0; hole < IOPF_GUEST_INDEX_COUNT; hole += 7) {
		struct shown *shown = fresh();

		for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
			shown_show(shown, shown_free_index(shown), i, 1, 1);
		CHECK_EQ(shown_free_index(shown), SHOWN_NO_INDEX);
		settle(shown, hole);
		CHECK_EQ(shown_free_index(shown), hole);
		shown_show(shown, hole, 9, 1, 1);
		CHECK_EQ(shown_free_index(shown), SHOWN_NO_INDEX);
	}
}

TEST(a_debt_of_today_does_not_end_with_the_teardown_of_yesterday)
{
	struct shown *shown = fresh();

	shown_show(shown, 0, 1, 1, 1);
	shown_take(shown, 0, 10);
	shown_tear(shown, 1);
	/* Answered before the drain came; the index is used again, and owed again. */
	settle(shown, 0);
	shown_show(shown, 0, 2, 1, 1);
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
		shown_show(shown, i, i, 1, 1);
		shown_take(shown, i, i == 1 ? 5 : 10 + i);
	}
	CHECK_EQ(shown_oldest_debt_ns(shown), 5);
	settle(shown, 1);
	CHECK_EQ(shown_oldest_debt_ns(shown), 10);
}

TEST(a_group_of_many_indices_is_answered_when_all_are_and_the_worst_counts)
{
	static const enum iopf_code worst[] = { IOPF_SUCCESS, IOPF_INVALID, IOPF_FAILURE };

	/* Whichever of them is answered last, and whichever was the bad one. */
	for (uint32_t round = 0; round < 3 * 4 * 4; round++) {
		struct shown *shown = fresh();
		enum iopf_code bad = worst[round % 3], code = IOPF_SUCCESS;
		uint32_t first = round / 3 % 4, ill = round / 12;

		for (uint32_t i = 0; i < 4; i++) {
			shown_show(shown, i, 7, 1, 1);
			if (i > 0)
				shown_join(shown, i, 0);
		}
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t index = (first + i * 3) % 4;

			code = index == ill ? bad : IOPF_SUCCESS;
			if (i < 3)
				CHECK(shown->slot[shown_settle(shown, index, &code)].state ==
				      SHOWN_HELD);
			else
				CHECK_EQ(shown_settle(shown, index, &code),
					 SHOWN_NO_INDEX);
		}
		CHECK_EQ(code, bad);
		CHECK_EQ(shown->held, 0);
	}
}

TEST(what_becomes_of_a_group_becomes_of_all_its_indices_that_are_left)
{
	struct shown *shown = fresh();

	for (uint32_t i = 0; i < 5; i++) {
		shown_show(shown, i, 7, 1, 1);
		if (i > 0)
			shown_join(shown, i, 0);
	}
	settle(shown, 2);
	CHECK_EQ(shown_take(shown, 4, 30), 4);
	CHECK_EQ(shown->owed, 4);
	CHECK_EQ(shown->slot[2].state, SHOWN_SETTLED);
	/* Debts are debts each for itself. */
	shown_forget(shown, 0);
	CHECK_EQ(shown->owed, 3);
	shown_show(shown, 2, 8, 1, 1);
	shown_show(shown, 5, 8, 1, 1);
	shown_join(shown, 5, 2);
	shown_forget(shown, 5);
	CHECK_EQ(shown->held, 0);
	CHECK_EQ(shown->owed, 3);
}

int main(void)
{
	return test_main();
}
