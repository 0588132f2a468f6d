/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whose success is followed by the same question again and again is not
 * believed; whoever is asked together, or much later, is; others are not touched.
 */
#include "broker_world.h"

enum { LIMIT = 4 };

static void liars(uint32_t allocation)
{
	world_alone(allocation);
	world_policy(alice, (struct iopf_policy){ .liar_limit = LIMIT });
}

/* @owner of PASID 1 is asked for @addr and says success. Returns: under what it ends. */
static enum iopf_ending success_of(uint32_t owner, uint64_t addr)
{
	struct iopf_response out;
	struct iopf_group group;

	now_ns += 1000;
	ask(1, 1, addr, IOPF_LAST);
	group = fetched(owner);
	now_ns += 1000;
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, now_ns), 0);
	out = response();
	CHECK_EQ(out.code, out.ending == IOPF_ENDING_liar ? IOPF_INVALID : IOPF_SUCCESS);
	return (enum iopf_ending)out.ending;
}

static enum iopf_ending success_for(uint64_t addr)
{
	return success_of(alice, addr);
}

TEST(success_for_the_same_page_again_and_again_is_not_believed)
{
	liars(8);
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x1fff), IOPF_ENDING_liar);
	CHECK_EQ(events[IOPF_EVENT_LIAR], 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), liar), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), liar), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_liar), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), ended_liar), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_success), LIMIT);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_success); /* counted anew */
}

/* A job of one page: mapped, used, taken away, over and over. */
TEST(page_that_was_taken_away_may_be_asked_for_again)
{
	liars(8);
	for (unsigned i = 0; i < 10 * LIMIT; i++) {
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
		iopf_broker_invalidated(broker, endpoint, 1, 0x1000, 0x1000);
	}
	/* Others, and other pages, are no reason. */
	for (unsigned i = 0; i < LIMIT; i++) {
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
		iopf_broker_invalidated(broker, endpoint, 2, 0x1000, 0x1000);
		iopf_broker_invalidated(broker, endpoint, 1, 0x2000, UINT64_C(1) << 40);
		iopf_broker_invalidated(broker, endpoint, 1, 0, 0x1000);
		iopf_broker_invalidated(broker, endpoint + 1, 1, 0, UINT64_MAX);
	}
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar);
}

TEST(liar_that_says_it_again_is_stale)
{
	struct iopf_group group;

	liars(8);
	for (unsigned i = 0; i < LIMIT; i++)
		success_for(0x1000);
	now_ns++;
	ask(1, 1, 0x1000, IOPF_LAST);
	group = fetched(alice);
	now_ns++;
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 1);
	CHECK_EQ(responses(), 1);
}

TEST(another_page_or_access_is_another_question)
{
	struct iopf_request write = a_request(RID, 1, 1, 0x1000, IOPF_LAST);
	struct iopf_group group;

	liars(64);
	write.perm = IOPF_WRITE;
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x77000), IOPF_ENDING_success);
	now_ns += 1000;
	CHECK_EQ(iopf_broker_request(broker, source, &write, now_ns), 0);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().ending, IOPF_ENDING_success);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar); /* nor forgets it */
}

TEST(pages_that_were_asked_together_were_not_asked_again)
{
	uint64_t tokens[8];

	liars(8);
	for (unsigned round = 0; round < LIMIT - 1; round++) {
		now_ns += 1000;
		for (uint16_t i = 0; i < 8; i++)
			ask(1, i, 0x1000, IOPF_LAST);
		for (unsigned i = 0; i < 8; i++)
			tokens[i] = fetched(alice).token;
		for (unsigned i = 0; i < 8; i++, now_ns++)
			CHECK_EQ(iopf_broker_answer(broker, alice, tokens[i], IOPF_SUCCESS,
						    now_ns), 0);
		CHECK_EQ(responses(), 8);
	}
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_success), 8 * (LIMIT - 1));
}

TEST(page_that_is_asked_twice_at_once_is_counted_all_the_same)
{
	struct iopf_response out;
	uint64_t tokens[2];

	liars(8);
	for (unsigned round = 0; round <= LIMIT; round++) {
		now_ns += 1000;
		ask(1, 1, 0x1000, IOPF_LAST);
		ask(1, 2, 0x1000, IOPF_LAST);
		tokens[0] = fetched(alice).token;
		tokens[1] = fetched(alice).token;
		for (unsigned i = 0; i < 2; i++) {
			now_ns += 1000;
			CHECK_EQ(iopf_broker_answer(broker, alice, tokens[i], IOPF_SUCCESS,
						    now_ns), 0);
			out = response();
			CHECK_EQ(out.ending, round == LIMIT && i == 0 ? IOPF_ENDING_liar :
								       IOPF_ENDING_success);
		}
	}
}

TEST(page_that_is_asked_much_later_may_have_been_taken_away_meanwhile)
{
	liars(8);
	for (unsigned i = 0; i < 4 * LIMIT; i++) {
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
		now_ns += 1000000000;
	}
}

TEST(invalid_is_no_lie)
{
	struct iopf_group group;

	liars(8);
	for (unsigned i = 0; i < 4 * LIMIT; i++) {
		now_ns += 1000;
		ask(1, 1, 0x1000, IOPF_LAST);
		group = fetched(alice);
		CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_INVALID, now_ns),
			 0);
		CHECK_EQ(response().ending, IOPF_ENDING_invalid);
	}
}

TEST(one_page_of_a_group_is_enough)
{
	enum iopf_ending ending = IOPF_ENDING_success;
	struct iopf_group group;

	liars(64);
	for (unsigned i = 0; i <= LIMIT; i++) {
		CHECK_EQ(ending, IOPF_ENDING_success);
		now_ns += 1000;
		ask(1, 1, 0x100000 + i * 0x1000, 0);
		ask(1, 1, 0x1000, 0);
		ask(1, 1, 0x200000 + i * 0x1000, IOPF_LAST);
		group = fetched(alice);
		now_ns += 1000;
		CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns),
			 0);
		ending = (enum iopf_ending)response().ending;
	}
	CHECK_EQ(ending, IOPF_ENDING_liar);
}

TEST(flood_at_one_endpoint_forgets_nothing_of_another)
{
	struct iopf_request elsewhere = a_request(OTHER_RID, 1, 1, 0, IOPF_LAST);
	struct iopf_group group;

	liars(64);
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	for (uint64_t page = 0; page < 4096; page++) {
		elsewhere.addr = page << 12;
		CHECK_EQ(iopf_broker_request(broker, source, &elsewhere, now_ns), 0);
		group = fetched(alice);
		CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns),
			 0);
		CHECK_EQ(response().ending, IOPF_ENDING_success);
	}
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar);
}

/* A job that begins with many pages, and hangs on one of them. */
TEST(pages_that_were_asked_once_hide_no_other)
{
	liars(8);
	for (uint64_t page = 0x100; page < 0x200; page++)
		CHECK_EQ(success_for(page << 12), IOPF_ENDING_success);
	now_ns += 1000000;
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar);
}

/* With one place for all pages. */
TEST(page_that_came_in_the_end_hides_another_for_a_while_only)
{
	liars(8);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	now_ns += 4000000;
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x2000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x2000), IOPF_ENDING_liar);
}

static void finish(void)
{
	while (iopf_broker_step(broker, endpoint) != IOPF_STEP_NONE)
		iopf_broker_did(broker, endpoint, 0, now_ns);
}

TEST(new_owner_does_not_answer_for_what_the_old_one_said)
{
	liars(8);
	world_policy(bob, (struct iopf_policy){ .liar_limit = LIMIT });
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(iopf_broker_replace(broker, endpoint, 1, bob, now_ns), 0);
	finish();
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_of(bob, 0x1000), IOPF_ENDING_success);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	finish();
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, alice), 0);
	for (unsigned i = 0; i < LIMIT; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar);
}

TEST(flood_at_the_same_endpoint_forgets_nothing_either)
{
	struct iopf_group group;

	liars(8);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	for (unsigned i = 1; i < LIMIT; i++) {
		for (uint64_t page = 0x100; page < 0x200; page++)
			CHECK_EQ(success_for(page << 12), IOPF_ENDING_success);
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	}
	now_ns += 1000;
	ask(1, 1, 0x1000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().ending, IOPF_ENDING_liar);
}

TEST(every_page_of_a_loop_is_found_one_after_the_other)
{
	unsigned found = 0;

	liars(8);
	for (unsigned round = 0; round < 40 * LIMIT; round++)
		for (uint64_t page = 1; page <= 8; page++)
			found += success_for(page << 12) == IOPF_ENDING_liar;
	CHECK(found > 16);
}

TEST(limit_of_nought_believes_for_ever)
{
	liars(8);
	world_policy(alice, (struct iopf_policy){ .liar_limit = 0 });
	for (unsigned i = 0; i < 300; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	world_policy(alice, (struct iopf_policy){ .liar_limit = 255 });
	for (unsigned i = 0; i < 255; i++)
		CHECK_EQ(success_for(0x1000), IOPF_ENDING_success);
	CHECK_EQ(success_for(0x1000), IOPF_ENDING_liar);
}

int main(void)
{
	return test_main();
}
