/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: detach answers, reset forgets, and neither lets anything leave later. */
#include "broker_world.h"

static int did(int result)
{
	return iopf_broker_did(broker, endpoint, result, now_ns);
}

/* Do every step well, taking responses where the plan says so. */
static int carry_out(int *taken_out)
{
	int step = iopf_broker_step(broker, endpoint);

	while (step > IOPF_STEP_NONE && step != IOPF_STEP_DONE) {
		if (step == IOPF_STEP_RESPOND)
			*taken_out += responses();
		step = did(0);
	}
	return step;
}

TEST(detach_answers_what_is_open_and_touches_no_other)
{
	struct iopf_group mine, his;
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	mine = fetched(alice);
	ask(1, 2, 0x2000, IOPF_LAST);
	ask(2, 3, 0x3000, IOPF_LAST);
	his = fetched(bob);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	ask(1, 4, 0x4000, IOPF_LAST); /* out of the queue while it is drained */
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(left, 3);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_detach), 3);
	CHECK_EQ(taken_count, 1);
	CHECK_EQ(taken[0], mine.token);
	CHECK_EQ(iopf_broker_answer(broker, alice, mine.token, IOPF_SUCCESS, now_ns),
		 -ENOENT);
	CHECK_EQ(iopf_broker_answer(broker, bob, his.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().index, 3);
	ask(1, 5, 0x5000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
}

TEST(from_begin_on_nothing_of_the_old_epoch_is_shown)
{
	world_create(8);
	ask(1, 1, 0x1000, 0);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	ask(1, 1, 0x2000, IOPF_LAST);
	CHECK(nothing_for(alice));
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
}

TEST(half_a_group_of_the_old_owner_is_never_given_to_the_new_one)
{
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, 0);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), -EBUSY);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
	ask(1, 1, 0x2000, IOPF_LAST);
	CHECK(nothing_for(bob));
	CHECK_EQ(response().request_count, 2);
	ask(1, 1, 0x3000, IOPF_LAST);
	CHECK_EQ(fetched(bob).page_count, 1);
}

/* Epochs are 16 bits and never 0, and a function can keep half a group for as long as it
 * likes. */
TEST(half_a_group_outlives_as_many_owners_as_there_are_epochs)
{
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, 0);
	for (uint32_t i = 0; i < 65535; i++) {
		CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
		CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
		CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
	}
	ask(1, 1, 0x2000, IOPF_LAST);
	CHECK(nothing_for(bob));
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
}

TEST(detach_does_not_wait_for_what_an_earlier_attachment_left)
{
	int left = 0;

	world_alone(8);
	ask(1, 1, 0x1000, 0);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
	ask(1, 1, 0x2000, IOPF_LAST); /* answered, and waits to leave */
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	CHECK_EQ(responses(), 1);
}

TEST(done_waits_for_the_response_that_finds_no_room)
{
	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(responses(), 1);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_NONE);
}

static int vain_rounds(int step)
{
	int rounds = 0;

	while (did(-EAGAIN) == step)
		rounds++;
	return rounds;
}

TEST(detach_that_cannot_be_finished_leaves_the_others_alone)
{
	struct iopf_group his;
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(2, 2, 0x2000, IOPF_LAST);
	his = fetched(bob);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(vain_rounds(IOPF_STEP_DRAIN), 64);
	CHECK_EQ(events[IOPF_EVENT_OPERATION_FAILED], 1);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_NONE);
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
	CHECK_EQ(iopf_broker_answer(broker, bob, his.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().code, IOPF_SUCCESS);
	ask(2, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 2);
	/* It is closed, and nobody's, until its queue was drained. */
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), -EBUSY);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
}

TEST(detach_whose_responses_find_no_room_leaves_the_others_alone)
{
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(vain_rounds(IOPF_STEP_RESPOND), 4096);
	ask(2, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 2);
	CHECK_EQ(response().index, 1); /* there was room at last */
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
}

TEST(disable_that_cannot_be_drained_needs_a_function_reset)
{
	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	CHECK_EQ(vain_rounds(IOPF_STEP_DRAIN), 64);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), -EBUSY);
}

/* ---- Replace -------------------------------------------------------------------------- */

static void replace(uint32_t owner)
{
	CHECK_EQ(iopf_broker_replace(broker, endpoint, 1, owner, now_ns), 0);
}

TEST(replace_answers_what_is_open_and_gives_the_new_owner_only_what_is_new)
{
	struct iopf_group shown[2];
	int left = 0;

	world_alone(8);
	ask(1, 1, 0x1000, 0); /* half a group */
	ask(1, 2, 0x2000, IOPF_LAST);
	ask(1, 3, 0x3000, IOPF_LAST);
	shown[0] = fetched(alice);
	shown[1] = fetched(alice);
	ask(1, 4, 0x4000, IOPF_LAST);
	ask(1, 5, 0x5000, IOPF_LAST);
	replace(bob);
	ask(1, 6, 0x6000, IOPF_LAST); /* out of the queue while it is drained */
	ask(1, 7, 0x7000, IOPF_LAST);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(left, 6);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_detach), 6);
	CHECK_EQ(taken_count, 2);
	CHECK(nothing_for(bob));
	ask(1, 8, 0x8000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 8);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 2);
	ask(1, 1, 0x9000, IOPF_LAST); /* the other half */
	CHECK_EQ(response().request_count, 2);
	CHECK(nothing_for(bob));
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(iopf_broker_answer(broker, alice, shown[i].token, IOPF_SUCCESS,
					    now_ns), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 2);
	CHECK_EQ(responses(), 0);
}

TEST(hundred_replacements_serve_whoever_has_it_now)
{
	uint64_t seed = 7;

	world_create(8);
	for (unsigned i = 0; i < 100; i++) {
		uint32_t owner = test_random(&seed) % 2 == 0 ? alice : bob;
		struct iopf_group group;
		int left = 0;

		replace(owner);
		CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
		ask(1, 1, 0x1000, IOPF_LAST);
		group = fetched(owner);
		CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_INVALID, now_ns),
			 0);
		CHECK_EQ(responses(), 1);
	}
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 2), 0);
}

TEST(replace_is_refused_where_it_cannot_be)
{
	world_create(8);
	CHECK_EQ(iopf_broker_replace(broker, endpoint, 77, bob, now_ns), -ENOENT);
	CHECK_EQ(iopf_broker_replace(broker, endpoint, 1, 77, now_ns), -ENOENT);
	CHECK_EQ(iopf_broker_replace(broker, 77, 1, bob, now_ns), -ENOENT);
	replace(bob);
	CHECK_EQ(iopf_broker_replace(broker, endpoint, 2, alice, now_ns), -EBUSY);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, alice), -EBUSY);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), -EBUSY);
}

TEST(reset_during_a_replace_gives_it_to_the_new_owner_at_once)
{
	int left = 0;

	world_alone(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	replace(bob);
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 1);
	CHECK_EQ(left, 0);
}

TEST(replace_that_cannot_be_finished_gives_it_to_nobody)
{
	int left = 0;

	world_alone(8);
	replace(bob);
	CHECK_EQ(vain_rounds(IOPF_STEP_DRAIN), 64);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), 0);
	replace(alice);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 1);
}

TEST(function_that_dies_during_a_replace_belongs_to_nobody)
{
	world_alone(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	replace(bob);
	CHECK_EQ(did(-ENODEV), -ENODEV);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), 0);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), -ENOENT);
}

TEST(function_reset_ends_groups_without_a_response_wherever_they_are)
{
	struct iopf_group leaving, delivered;
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x1000, IOPF_LAST);
	leaving = fetched(alice);
	delivered = fetched(alice);
	iopf_broker_answer(broker, alice, leaving.token, IOPF_SUCCESS, now_ns);
	ask(1, 3, 0x1000, IOPF_LAST); /* ready */
	ask(1, 4, 0x1000, 0);         /* partial */
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	ask(1, 5, 0x1000, IOPF_LAST); /* still in the queue */
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(left, 0);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_reset), 4);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
	CHECK_EQ(iopf_broker_answer(broker, alice, delivered.token, IOPF_SUCCESS, now_ns),
		 -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 1);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
	ask(1, 1, 0x9000, IOPF_LAST);
	CHECK_EQ(fetched(alice).page.addr, 0x9000);
}

TEST(function_reset_takes_back_rejections_that_have_not_left)
{
	world_create(1);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x1000, IOPF_LAST); /* beyond: in a reserve slot */
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_reset), 2);
}

TEST(paging_that_is_off_gets_invalid)
{
	int left = 0;

	world_create(8);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
}

TEST(disable_goes_through_its_steps_in_order_and_answers_stragglers)
{
	static const int steps[] = { IOPF_STEP_DRAIN,   IOPF_STEP_RESPOND,
				     IOPF_STEP_PRI_OFF, IOPF_STEP_DRAIN,
				     IOPF_STEP_RESPOND, IOPF_STEP_STOPPED };

	world_create(8);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	for (unsigned i = 0; i < 6; i++) {
		CHECK_EQ(iopf_broker_step(broker, endpoint), steps[i]);
		CHECK_EQ(did(0), i < 5 ? steps[i + 1] : IOPF_STEP_PRI_RESET);
	}
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	world_create(8);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	for (unsigned i = 0; i < 5; i++)
		did(0);
	CHECK_EQ(did(-EAGAIN), IOPF_STEP_DRAIN);
	ask(1, 9, 0x1000, IOPF_LAST); /* a straggler */
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK_EQ(did(0), IOPF_STEP_STOPPED);
}

/* Looks at Stopped until the plan goes on without it. Returns: how many. */
static unsigned look_in_vain(void)
{
	unsigned looks = 0;
	int step = iopf_broker_step(broker, endpoint);

	while (step > 0 && step != IOPF_STEP_PRI_RESET) {
		looks += step == IOPF_STEP_STOPPED;
		step = did(step == IOPF_STEP_STOPPED ? -EAGAIN : 0);
	}
	CHECK_EQ(step, IOPF_STEP_PRI_RESET);
	return looks;
}

TEST(function_that_does_not_stop_gets_its_interface_reset)
{
	world_create(8);
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	CHECK_EQ(look_in_vain(), 4097);
	CHECK_EQ(did(0), IOPF_STEP_PRI_ON);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 1);
}

TEST(function_that_does_not_stop_even_so_needs_a_function_reset)
{
	int left = 0;

	world_create(8);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), 0);
	look_in_vain();
	CHECK_EQ(did(-ETIMEDOUT), -ETIMEDOUT);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), -EBUSY);
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
}

TEST(restart_comes_back_with_all_credits)
{
	int left = 0;

	world_alone(2);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 1, 0x2000, IOPF_LAST); /* used again: restarts by itself */
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(left, 1);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 1);
	CHECK_EQ(fetched(alice).index, 2);
}

TEST(index_used_again_during_a_detach_restarts_afterwards)
{
	world_create(4);
	ask(2, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	ask(2, 1, 0x2000, IOPF_LAST);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_DRAIN);
	CHECK_EQ(events[IOPF_EVENT_NEEDS_RESET], 1);
}

TEST(removed_function_leaves_nothing_and_its_numbers_stay_with_the_source)
{
	struct iopf_group group;
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_remove(broker, endpoint, now_ns), 0);
	CHECK_EQ(did(-ENODEV), IOPF_STEP_DONE);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns),
		 -ENOENT);
	CHECK_EQ(COUNTED(ROW_SOURCE(source), ended_removal), 1);
	CHECK_EQ(iopf_broker_step(broker, endpoint), -ENOENT);
	world_endpoint(RID, 8, true, &endpoint);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(bob).page.addr, 0x1000);
	(void)left;
}

TEST(reset_overrides_a_detach_under_way)
{
	int left = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 1), 0);
	CHECK_EQ(iopf_broker_disable(broker, endpoint), -EBUSY);
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(left, 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, bob), 0);
}

TEST(response_failure_seen_ends_every_group_without_a_response)
{
	struct iopf_group group;
	int left = 0;

	world_alone(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_status(broker, endpoint,
				    IOPF_STATUS_RF | IOPF_STATUS_UPRGI, now_ns), 0);
	CHECK_EQ(iopf_broker_status(broker, endpoint, IOPF_STATUS_RF, now_ns), 0);
	ask(1, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_response_failure), 2);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), rf_seen), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), uprgi_seen), 1);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns),
		 -ENOENT);
	CHECK_EQ(iopf_broker_enable(broker, endpoint), -EBUSY);
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	ask(1, 3, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 3);
}

TEST(owner_with_attachments_cannot_go)
{
	int left = 0;

	world_create(8);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), -EBUSY);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 2), 0);
	CHECK_EQ(carry_out(&left), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), 0);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), -ENOENT);
}

int main(void)
{
	return test_main();
}
