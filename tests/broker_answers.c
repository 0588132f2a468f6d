/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: an answer is a code for a token, and everything else about it is refused. */
#include "broker_world.h"

static struct iopf_group one_group(uint16_t index)
{
	ask(1, index, 0x1000, IOPF_LAST);
	return fetched(alice);
}

static int answer(uint32_t owner, uint64_t token, enum iopf_code code)
{
	return iopf_broker_answer(broker, owner, token, code, now_ns);
}

TEST(second_answer_is_refused_before_and_after_the_response_left)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), 0);
	CHECK_EQ(answer(alice, group.token, IOPF_INVALID), -ENOENT);
	CHECK_EQ(response().code, IOPF_SUCCESS);
	CHECK_EQ(answer(alice, group.token, IOPF_INVALID), -ENOENT);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_duplicate), 2);
}

TEST(token_never_issued_is_unknown)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	ask(1, 6, 0x2000, IOPF_LAST); /* open, but not fetched: nobody knows its token */
	CHECK_EQ(answer(alice, 0, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(alice, UINT64_MAX, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(alice, group.token + 1, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(alice, group.token ^ UINT64_C(1) << 54, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(alice, group.token + (UINT64_C(1) << 32), IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_unknown), 5);
	CHECK_EQ(responses(), 0);
}

TEST(token_of_an_earlier_broker_of_the_same_instance_is_unknown)
{
	struct iopf_broker_options options = world_options();
	struct iopf_group group;

	options.first_generation = 100;
	world_options_create(&options, 4);
	group = one_group(5);
	CHECK_EQ((uint32_t)group.token, 101);
	CHECK_EQ(answer(alice, group.token - 1, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_unknown), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 0);
}

static uint64_t owed_token(void)
{
	struct iopf_owed owed;
	uint32_t cursor = 0;

	CHECK_EQ(iopf_broker_owed(broker, endpoint, &cursor, &owed, 1, now_ns), 1);
	return owed.token;
}

TEST(token_of_a_group_that_ended_unseen_is_unknown)
{
	uint64_t token;

	world_alone(1);
	ask(1, 1, 0x1000, IOPF_LAST);
	token = owed_token();
	ask(1, 2, 0x2000, IOPF_LAST); /* beyond the allocation: rejected */
	CHECK_EQ(answer(alice, response().token, IOPF_SUCCESS), -ENOENT);
	iopf_broker_end(broker, token, IOPF_INVALID, IOPF_ENDING_quota, now_ns);
	CHECK_EQ(answer(alice, token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(responses(), 1);
	CHECK_EQ(answer(alice, token, IOPF_SUCCESS), -ENOENT);
	ask(1, 3, 0x3000, IOPF_LAST);
	token = owed_token();
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(answer(alice, token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_unknown), 4);
}

TEST(late_answer_does_not_meet_the_index_that_is_used_again)
{
	struct iopf_group old, new;

	world_alone(1);
	old = one_group(5);
	CHECK_EQ(iopf_broker_end(broker, old.token, IOPF_INVALID, IOPF_ENDING_deadline,
				 now_ns),
		 0);
	CHECK_EQ(taken_count, 1);
	CHECK_EQ(taken[0], old.token);
	CHECK_EQ(events[IOPF_EVENT_TAKEN], 1);
	CHECK_EQ(response().code, IOPF_INVALID);
	do { /* until the slot is used again */
		new = one_group(5);
		CHECK_EQ(answer(alice, new.token, IOPF_SUCCESS), 0);
		CHECK_EQ(response().code, IOPF_SUCCESS);
	} while ((new.token ^ old.token) >> 32 != 0);
	new = one_group(5);
	CHECK(new.token != old.token);
	CHECK_EQ(answer(alice, old.token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(answer(alice, new.token, IOPF_INVALID), 0);
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 1);
}

TEST(group_that_the_host_ended_makes_its_answer_stale)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	iopf_broker_end(broker, group.token, IOPF_INVALID, IOPF_ENDING_quota, now_ns);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(response().ending, IOPF_ENDING_quota);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 2);
}

TEST(somebody_elses_group_is_foreign_before_and_after)
{
	struct iopf_group group;

	world_alone(4);
	group = one_group(5);
	CHECK_EQ(answer(bob, group.token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), 0);
	CHECK_EQ(answer(bob, group.token, IOPF_INVALID), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(bob), refused_foreign), 2);
	CHECK_EQ(response().code, IOPF_SUCCESS);
}

TEST(code_that_does_not_exist_is_malformed_and_the_group_stays_open)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	CHECK_EQ(answer(alice, group.token, IOPF_CODE_COUNT), -ENOENT);
	CHECK_EQ(answer(alice, group.token, (enum iopf_code)255), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_malformed), 2);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), 0);
}

TEST(failure_from_one_of_two_tenants_is_forbidden_and_the_group_stays_open)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	CHECK_EQ(answer(alice, group.token, IOPF_FAILURE), -EPERM);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_forbidden), 1);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(answer(alice, group.token, IOPF_INVALID), 0);
	CHECK_EQ(response().code, IOPF_INVALID);
}

TEST(failure_of_the_only_owner_leaves_if_it_may_say_so)
{
	struct iopf_request request = a_request(OTHER_RID, 1, 5, 0x1000, IOPF_LAST);
	struct iopf_group group;

	world_create(4);
	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
	group = fetched(alice);
	CHECK_EQ(answer(alice, group.token, IOPF_FAILURE), 0);
	CHECK_EQ(response().code, IOPF_FAILURE);
}

TEST(host_ends_a_group_only_for_a_reason_that_has_a_response)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	CHECK_EQ(iopf_broker_end(broker, group.token, IOPF_INVALID, IOPF_ENDING_success,
				 now_ns),
		 -EINVAL);
	CHECK_EQ(iopf_broker_end(broker, group.token, IOPF_INVALID, IOPF_ENDING_reset,
				 now_ns),
		 -EINVAL);
	CHECK_EQ(iopf_broker_end(broker, group.token, IOPF_FAILURE, IOPF_ENDING_detach,
				 now_ns),
		 -EINVAL);
	CHECK_EQ(iopf_broker_end(broker, group.token + 1, IOPF_INVALID,
				 IOPF_ENDING_detach, now_ns),
		 -ENOENT);
}

TEST(slot_whose_generations_run_out_is_never_used_again)
{
	struct iopf_broker_options options = world_options();
	struct iopf_group group;

	options.first_generation = UINT32_MAX - 2;
	world_options_create(&options, 1);
	for (unsigned i = 0; i < 2 * (1 + SPARE_SLOTS); i++) {
		group = one_group(5);
		CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), 0);
		CHECK_EQ(responses(), 1);
	}
	CHECK_EQ((uint32_t)group.token, UINT32_MAX);
	ask(1, 5, 0x1000, IOPF_LAST);
	CHECK(nothing_for(alice));
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK_EQ(answer(alice, group.token, IOPF_SUCCESS), -ENOENT);
}

TEST(deadline_that_answers_ends_the_group_and_its_answer_is_stale)
{
	struct iopf_owner_options slow = { .size_bytes = sizeof(slow),
					   .policy.deadline_ns = 100,
					   .policy.deadline_answers = true,
					   .taken = on_taken };
	struct iopf_response out;
	struct iopf_group group;
	uint32_t owner;

	world_create(4);
	CHECK_EQ(iopf_broker_add_owner(broker, &slow, &owner), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 9, owner), 0);
	ask(9, 1, 0x1000, IOPF_LAST);
	group = fetched(owner);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), 1100);
	iopf_broker_poll(broker, 64, 1099);
	CHECK_EQ(responses(), 0);
	iopf_broker_poll(broker, 64, 1100);
	out = response();
	CHECK_EQ(out.ending, IOPF_ENDING_deadline);
	CHECK_EQ(out.code, IOPF_INVALID);
	CHECK_EQ(taken_count, 1);
	CHECK_EQ(answer(owner, group.token, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(owner), refused_stale), 1);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), UINT64_MAX);
}

TEST(answer_and_deadline_race_and_one_of_them_wins)
{
	struct iopf_policy policy = { .deadline_ns = 100, .deadline_answers = 1 };
	struct iopf_group group;

	world_alone(4);
	CHECK_EQ(iopf_broker_set_policy(broker, alice, &policy), 0);
	group = one_group(1); /* an answer on its way wins */
	CHECK_EQ(iopf_broker_answer_remote(broker, alice, group.token, IOPF_SUCCESS), 0);
	now_ns += 100;
	CHECK(iopf_broker_poll(broker, 64, now_ns) > 0);
	CHECK_EQ(response().ending, IOPF_ENDING_success);
	CHECK_EQ(responses(), 0);
	group = one_group(2); /* a deadline that has passed does */
	now_ns += 100;
	CHECK(iopf_broker_poll(broker, 64, now_ns) > 0);
	CHECK_EQ(iopf_broker_answer_remote(broker, alice, group.token, IOPF_SUCCESS), 0);
	CHECK(iopf_broker_poll(broker, 64, now_ns) > 0);
	CHECK_EQ(response().ending, IOPF_ENDING_deadline);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), ended_deadline), 1);
}

TEST(policy_changes_what_is_open_already)
{
	struct iopf_policy policy = { .deadline_ns = 0 };

	world_alone(4);
	ask(1, 1, 0x1000, IOPF_LAST);
	now_ns += 500;
	CHECK_EQ(iopf_broker_poll(broker, 64, now_ns), 0);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), UINT64_MAX);
	policy.deadline_ns = 400; /* warns */
	CHECK_EQ(iopf_broker_set_policy(broker, alice, &policy), 0);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), 1400);
	CHECK_EQ(iopf_broker_poll(broker, 64, now_ns), 1);
	CHECK_EQ(events[IOPF_EVENT_DEADLINE], 1);
	policy.deadline_answers = 1;
	CHECK_EQ(iopf_broker_set_policy(broker, alice, &policy), 0);
	CHECK_EQ(iopf_broker_poll(broker, 64, now_ns), 1);
	CHECK_EQ(response().ending, IOPF_ENDING_deadline);
}

TEST(deadline_that_warns_tells_each_group_once_and_ends_none)
{
	struct iopf_owner_options slow = { .size_bytes = sizeof(slow), .policy.deadline_ns = 100 };
	uint32_t owner;

	world_create(8);
	CHECK_EQ(iopf_broker_add_owner(broker, &slow, &owner), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 9, owner), 0);
	ask(9, 1, 0x1000, IOPF_LAST);
	ask(9, 2, 0x1000, IOPF_LAST);
	for (now_ns = 1100; now_ns < 2000; now_ns += 100)
		iopf_broker_poll(broker, 64, now_ns);
	CHECK_EQ(events[IOPF_EVENT_DEADLINE], 2);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(fetched(owner).index, 1);
}

TEST(clock_of_a_paused_owner_stands_still)
{
	struct iopf_owner_options slow = { .size_bytes = sizeof(slow),
					   .policy.deadline_ns = 100,
					   .policy.deadline_answers = true };
	uint32_t owner;

	world_create(4);
	CHECK_EQ(iopf_broker_add_owner(broker, &slow, &owner), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 9, owner), 0);
	ask(9, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_pause_owner(broker, owner, true, 1050), 0);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), UINT64_MAX);
	iopf_broker_poll(broker, 64, 9000);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_pause_owner(broker, owner, true, 9500), 0); /* it is already */
	CHECK_EQ(iopf_broker_pause_owner(broker, owner, false, 10000), 0);
	CHECK_EQ(iopf_broker_next_deadline_ns(broker), 10050);
	iopf_broker_poll(broker, 64, 10049);
	CHECK_EQ(responses(), 0);
	iopf_broker_poll(broker, 64, 10050);
	CHECK_EQ(responses(), 1);
}

static uint64_t told_age_ns;

static void on_age(void *context, const struct iopf_event *event)
{
	(void)context;
	if (event->kind == IOPF_EVENT_DEADLINE)
		told_age_ns = event->value;
}

TEST(age_that_is_told_leaves_the_pause_out)
{
	struct iopf_broker_options options = world_options();

	options.event = on_age;
	world_options_create(&options, 4);
	world_policy(alice, (struct iopf_policy){ .deadline_ns = 100 });
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_pause_owner(broker, alice, true, 1050), 0);
	CHECK_EQ(iopf_broker_pause_owner(broker, alice, false, 2050), 0);
	iopf_broker_poll(broker, 64, 2110);
	CHECK_EQ(told_age_ns, 110);
}

static uint64_t called_token;

static void on_group(void *context, const struct iopf_group *group)
{
	uint32_t *owner = context;

	called_token = group->token;
	iopf_broker_answer(broker, *owner, group->token, IOPF_SUCCESS, now_ns);
}

TEST(callback_owner_answers_at_once)
{
	uint32_t owner = 0;
	struct iopf_owner_options caller = { .size_bytes = sizeof(caller),
					     .group = on_group,
					     .context = &owner };

	world_create(4);
	CHECK_EQ(iopf_broker_add_owner(broker, &caller, &owner), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 9, owner), 0);
	ask(9, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_poll(broker, 64, now_ns), 1);
	CHECK_EQ(response().token, called_token);
}

TEST(answers_from_an_inbox_are_checked_like_all_others)
{
	struct iopf_group group;

	world_create(4);
	group = one_group(5);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(iopf_broker_answer_remote(broker, alice, group.token,
						   IOPF_SUCCESS),
			 0);
	CHECK_EQ(iopf_broker_answer_remote(broker, alice, group.token, IOPF_SUCCESS),
		 -ENOSPC);
	CHECK_EQ(iopf_broker_poll(broker, 4, now_ns), 4);
	CHECK_EQ(iopf_broker_poll(broker, 100, now_ns), 12);
	CHECK_EQ(responses(), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_duplicate), 15);
	CHECK_EQ(iopf_broker_answer_remote(broker, 99, group.token, IOPF_SUCCESS),
		 -EINVAL);
}

TEST(storm_of_refused_answers_tells_a_few_and_counts_all)
{
	world_create(4);
	for (unsigned i = 0; i < 1000; i++)
		answer(alice, i, IOPF_SUCCESS);
	CHECK_EQ(events[IOPF_EVENT_REFUSED], 16);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_unknown), 1000);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), events_suppressed), 984);
	now_ns += UINT64_C(2000000000);
	answer(alice, 1, IOPF_SUCCESS);
	CHECK_EQ(events[IOPF_EVENT_REFUSED], 17);
}

TEST(what_is_owed_names_every_open_group_with_its_age)
{
	struct iopf_owed owed[8];
	uint32_t cursor = 0;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(2, 2, 0x1000, 0);
	one_group(3);
	CHECK_EQ(iopf_broker_owed(broker, endpoint, &cursor, owed, 8, now_ns + 50), 3);
	CHECK_EQ(owed[0].index, 1);
	CHECK_EQ(owed[0].age_ns, 50);
	CHECK_EQ(owed[0].owner, alice);
	CHECK_EQ(owed[1].state, IOPF_GROUP_PARTIAL);
	CHECK_EQ(owed[2].state, IOPF_GROUP_READY);
	CHECK_EQ(iopf_broker_owed(broker, endpoint, &cursor, owed, 8, now_ns), 0);
}

int main(void)
{
	return test_main();
}
