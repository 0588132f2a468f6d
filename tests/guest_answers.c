/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: every reason to refuse an answer; debts; indices held, owed, exhausted. */
#include "guest_pair.h"

#define ADDR UINT64_C(0x10000)

static struct iopf_guest_stats refused(struct pair *pair)
{
	return pair_stats(pair);
}

TEST(an_answer_to_nothing_is_unknown)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_say(pair, PAIR_RID, 1, 5, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, 1, 511, IOPF_INVALID);
	CHECK_EQ(refused(pair).refused_unknown, 2);
	CHECK_EQ(pair_count(pair, 'r'), 0);
}

TEST(a_second_answer_is_a_duplicate_until_the_index_is_shown_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t index = pair_hold(pair, 7, 1, ADDR);

	pair_say(pair, PAIR_RID, 1, index, IOPF_INVALID);
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, 1, index, IOPF_INVALID);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
	CHECK_EQ(refused(pair).refused_duplicate, 2);
}

TEST(an_index_that_was_answered_for_one_pasid_is_unknown_for_another)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t index = pair_hold(pair, 7, 1, ADDR);

	if (pair_stalls())
		return; /* answers to stalls name no PASID */
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, 2, index, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_unknown, 1);
}

TEST(an_answer_for_another_function_is_foreign_or_unknown)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t index = pair_hold(pair, 7, 1, ADDR);

	pair_say(pair, 0x0400, 1, index, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_foreign, 1);
	pair_say(pair, PAIR_OTHER_RID, 1, index, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_unknown, 1);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	CHECK_EQ(pair_stats(pair).held, 1);
}

TEST(an_answer_with_another_pasid_or_none_is_malformed_and_ends_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t index = pair_hold(pair, 7, 1, ADDR);

	if (pair_stalls())
		return;
	pair_say(pair, PAIR_RID, 2, index, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, IOPF_PASID_NONE, index, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_malformed, 2);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 7);
}

TEST(private_data_that_was_never_given_is_malformed)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_command command = { .kind = IOPF_COMMAND_RESPONSE,
					.rid = PAIR_RID,
					.pasid = 1,
					.flags = IOPF_PRIVATE,
					.private_data = { 1, 2 } };

	if (!pair_is("vtd"))
		return; /* no other answer has any */
	command.index = pair_hold(pair, 7, 1, ADDR);
	CHECK_EQ(iopf_agent_command(pair->agent, &command), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(refused(pair).refused_malformed, 1);
	CHECK_EQ(pair_count(pair, 'r'), 0);
}

TEST(a_function_that_wants_no_pasid_is_answered_with_or_without)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .pasid_optional = true });
	uint16_t first = pair_hold(pair, 7, 1, ADDR);
	uint16_t second = pair_hold(pair, 8, 1, ADDR);

	if (pair_stalls())
		return;
	pair_say(pair, PAIR_RID, IOPF_PASID_NONE, first, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 7);
	pair_say(pair, PAIR_RID, 2, second, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_malformed, 1);
	pair_say(pair, PAIR_RID, 1, second, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 8);
}

TEST(a_reserved_code_is_failure)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint8_t record[32] = { 0x19, 0x70, PAIR_RID & 0xff, PAIR_RID >> 8, 1 };

	if (!pair_is("vtd"))
		return; /* others stop at it */
	record[8] = (uint8_t)(pair_hold(pair, 7, 1, ADDR) << 3);
	CHECK_EQ(iopf_agent_descriptor(pair->agent, record), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 7);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_FAILURE);
	CHECK_EQ(pair_stats(pair).answered_failure, 1);
}

TEST(a_late_answer_settles_its_debt_and_meets_nothing_else)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t first = pair_hold(pair, 1, 1, ADDR), second;

	/* The host ends it, and the device asks again under its own index. */
	CHECK_EQ(iopf_guest_taken(pair->guest, 1, 5000), 0);
	CHECK_EQ(pair_stats(pair).owed, 1);
	CHECK_EQ(pair_stats(pair).oldest_debt_ns, 5000);
	second = pair_hold(pair, 2, 1, ADDR + 4096);
	CHECK(second != first);
	/* The guest's answer to the first says nothing about the second. */
	pair_say(pair, PAIR_RID, 1, first, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_stale, 1);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	CHECK_EQ(pair_stats(pair).owed, 0);
	pair_say(pair, PAIR_RID, 1, second, IOPF_INVALID);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_find(pair, 'r').token, 2);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
	/* Once more: it was settled. */
	pair_say(pair, PAIR_RID, 1, first, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_duplicate, 1);
}

TEST(a_token_is_taken_once_and_only_if_it_is_held)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	CHECK_EQ(iopf_guest_taken(pair->guest, 2, 0), -ENOENT);
	CHECK_EQ(iopf_guest_taken(pair->guest, UINT64_MAX, 0), -ENOENT);
	CHECK_EQ(iopf_guest_taken(pair->guest, 1, 0), 0);
	CHECK_EQ(iopf_guest_taken(pair->guest, 1, 0), -ENOENT);
	CHECK_EQ(pair_show(pair, UINT64_MAX, 1, ADDR, 1), -EINVAL);
}

/* Token i under index i, for all of them. The guest answers nothing. */
static struct pair *all_held(void)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .request_order = 3 });

	for (uint64_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
		pair_hold(pair, 1000 + i, 1, ADDR);
	CHECK_EQ(pair_stats(pair).held, IOPF_GUEST_INDEX_COUNT);
	return pair;
}

TEST(with_every_index_held_a_group_is_parked_until_one_is_answered)
{
	struct pair *pair = all_held();

	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 1), -EAGAIN);
	CHECK_EQ(pair_show(pair, 1000, 1, ADDR, 1), -EEXIST);
	pair_say(pair, PAIR_RID, 1, 300, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 1300);
	CHECK_EQ(pair_hold(pair, 7, 1, ADDR), 300);
	CHECK_EQ(pair_show(pair, 8, 1, ADDR, 1), -EAGAIN);
	CHECK_EQ(pair_stats(pair).parked, 2);
}

TEST(with_every_index_owed_a_group_is_parked_and_a_drain_alone_clears_nothing)
{
	struct pair *pair = all_held();
	uint64_t ticket;

	for (uint64_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++)
		CHECK_EQ(iopf_guest_taken(pair->guest, 1000 + i, 1), 0);
	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 1), -EAGAIN);
	CHECK_EQ(iopf_agent_wait(pair->agent, true, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_stats(pair).drains, !pair_row()->waits_drain);
	CHECK_EQ(pair_stats(pair).owed, IOPF_GUEST_INDEX_COUNT);
	pair_say(pair, PAIR_RID, 1, 9, IOPF_SUCCESS);
	CHECK_EQ(pair_hold(pair, 7, 1, ADDR), 9);
}

TEST(indices_of_one_function_are_not_those_of_another)
{
	struct pair *pair = all_held();
	const struct iopf_page page = { .addr = ADDR, .perm = IOPF_READ };
	const struct iopf_group group = { .token = 5, .endpoint = PAIR_OTHER_ENDPOINT,
					  .pasid = 1, .page_count = 1 };

	pair_attach_pasid(pair, PAIR_OTHER_RID, 1);
	CHECK_EQ(iopf_guest_show(pair->guest, &group, &page, 0), 0);
	pair_say(pair, PAIR_OTHER_RID, 1, 0, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 5);
	CHECK_EQ(pair_stats(pair).held, IOPF_GUEST_INDEX_COUNT);
}

TEST(a_pasid_torn_down_and_then_drained_owes_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t one, two;

	if (pair_stalls())
		return; /* below */
	pair_attach_pasid(pair, PAIR_RID, 2);
	one = pair_hold(pair, 1, 1, ADDR);
	two = pair_hold(pair, 2, 2, ADDR);
	iopf_guest_taken(pair->guest, 1, 1);
	iopf_guest_taken(pair->guest, 2, 1);
	/* The drain waits for the host: the PASID is torn down, and the debt stands. */
	pair->drained = -EAGAIN;
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_stats(pair).owed, 2);
	pair->drained = 0;
	pair_settle(pair);
	CHECK_EQ(pair_stats(pair).owed, 1);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
	/* That of the other PASID is still there. */
	pair_say(pair, PAIR_RID, 1, one, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_unknown, 1);
	pair_say(pair, PAIR_RID, 2, two, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_stale, 1);
}

TEST(the_debt_of_a_stall_outlives_its_pasid)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint16_t tag = pair_hold(pair, 1, 1, ADDR);

	if (!pair_stalls())
		return;
	CHECK_EQ(iopf_guest_taken(pair->guest, 1, 1), 0);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
	/* Its record may be read yet, and the answer could not say that it is the old one. */
	CHECK_EQ(pair_stats(pair).drains, 1);
	CHECK_EQ(pair_stats(pair).owed, 1);
	pair_attach_pasid(pair, PAIR_RID, 1);
	for (uint64_t i = 1; i < IOPF_GUEST_INDEX_COUNT; i++)
		CHECK(pair_hold(pair, 1 + i, 1, ADDR) != tag);
	CHECK_EQ(pair_show(pair, 9999, 1, ADDR, 1), -EAGAIN);
	pair_say(pair, PAIR_RID, 1, tag, IOPF_SUCCESS);
	CHECK_EQ(refused(pair).refused_stale, 1);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	CHECK_EQ(pair_hold(pair, 9999, 1, ADDR), tag);
}

TEST(what_a_detach_finds_shown_becomes_a_debt_whoever_ends_it)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	pair->drained = -EAGAIN;
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(pair_stats(pair).owed, 1);
}

int main(void)
{
	return pair_main();
}
