/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a right history fires no checker; one that is broken on purpose fires the
 * checker of what it breaks, and no other. */
#include "sim_history.h"

TEST(right_history_fires_nothing)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	ask(1, 6, false); /* a group of two */
	ask(1, 6, true);
	take(1, 6, false);
	audit(SIM_RUNNING);
	take(1, 6, true);
	show(1, 6, 2, 0);
	turn(2);
	answer(6, IOPF_INVALID, 0);
	respond(1, 6, 2, IOPF_INVALID, IOPF_ENDING_invalid);
	audit(SIM_RUNNING);
	arrive(1, 6, IOPF_INVALID);
	reach_answer(7, IOPF_SUCCESS);
	audit(SIM_AT_REST);
	respond(1, 7, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 7, IOPF_SUCCESS);
	whole_way(5, IOPF_SUCCESS); /* an index that is free again */
	detach(1, 0);
	attach(1, 1);
	audit(SIM_OVER);
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++)
		CHECK(n == SIM_I7 ||
		      sim_check_result(h.check, (enum sim_invariant)n)->checked > 0);
	judged("");
	end(SIM_INVARIANT_COUNT);
}

TEST(detach_answers_and_the_reset_of_a_function_does_not)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	respond(1, 5, 1, IOPF_INVALID, IOPF_ENDING_detach);
	arrive(1, 5, IOPF_INVALID);
	detach(1, 0);
	attach(1, 0);
	reach_answer(6, IOPF_SUCCESS);
	respond(1, 6, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	model_function_reset(h.function); /* while it is on its way */
	note((struct iopf_note){ .kind = IOPF_NOTE_RESET, .endpoint = ENDPOINT });
	arrive(1, 6, IOPF_SUCCESS);
	enable();
	whole_way(6, IOPF_SUCCESS);
	audit(SIM_OVER);
	judged("");
	end(SIM_INVARIANT_COUNT);
}

TEST(iommu_answers_what_its_queue_has_no_room_for)
{
	begin(QUEUE);
	ask(1, 5, true);
	arrive(1, 5, IOPF_SUCCESS);
	h.reading.own_responses = 1;
	audit(SIM_OVER);
	end(SIM_INVARIANT_COUNT);
}

TEST(I1_fires_where_a_last_is_not_counted)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	h.reading.counter[IOPF_COUNTER_lasts]--;
	audit(SIM_OVER);
	end(SIM_I1);
}

TEST(I1_fires_where_a_credit_is_not_given_back)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]++;
	audit(SIM_RUNNING);
	end(SIM_I1);
}

TEST(I1_fires_where_a_request_was_lost_and_no_overflow_said_so)
{
	begin(QUEUE);
	ask(1, 5, false);
	audit(SIM_AT_REST);
	end(SIM_I1);
}

TEST(I1_fires_where_a_page_of_a_group_is_not_shown)
{
	begin(QUEUE);
	ask(1, 5, false);
	ask(1, 5, true);
	take(1, 5, false);
	take(1, 5, true);
	show(1, 5, 1, 0);
	end(SIM_I1);
}

TEST(I2_fires_at_a_second_response)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	arrive(1, 5, IOPF_SUCCESS);
	judged("LINK-RESPONSE");
	end(SIM_I2);
}

TEST(I2_fires_at_a_response_for_a_partial_group)
{
	begin(QUEUE);
	ask(1, 5, false);
	take(1, 5, false);
	arrive(1, 5, IOPF_INVALID);
	end(SIM_I2);
}

TEST(I2_fires_where_a_response_never_comes)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	ask(1, 6, false);
	take(1, 6, false); /* so that credits are as they should be */
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use] = 1;
	sim_check_audit(h.check, &h.reading, SIM_RUNNING);
	CHECK_EQ(sim_check_violations(h.check), 0);
	audit(SIM_OVER);
	CHECK(sim_check_result(h.check, SIM_I2)->violations > 0);
	model_function_destroy(h.function);
	sim_check_destroy(h.check);
}

TEST(I2_fires_where_the_ledger_forgets_a_group)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	ask(1, 6, true);
	take(1, 6, true);
	respond(1, 6, 1, IOPF_INVALID, IOPF_ENDING_no_owner);
	arrive(1, 6, IOPF_INVALID);
	h.reading.function[0].gauge[IOPF_GAUGE_ready] = 0;
	h.reading.function[0].gauge[IOPF_GAUGE_partial] = 1;
	h.reading.counter[IOPF_COUNTER_ended_reset]++; /* as if by a reset */
	audit(SIM_RUNNING);
	end(SIM_I2);
}

TEST(I3_fires_where_nobody_answered)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	judged("RESPONSE-ANSWER");
	end(SIM_I3);
}

TEST(I3_fires_where_somebody_else_answered)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	answer(5, IOPF_SUCCESS, 1);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	judged("ANSWER-OWNER");
	end(SIM_I3);
}

TEST(I3_fires_where_the_host_says_success_without_a_reason)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_detach);
	arrive(1, 5, IOPF_SUCCESS);
	judged("RESPONSE-ENDING");
	end(SIM_I3);
}

TEST(I3_fires_where_a_neighbour_is_shown_the_group)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 1);
	judged("SHOW-OWNER");
	end(SIM_I3);
}

TEST(I3_fires_where_a_partial_group_is_shown)
{
	begin(QUEUE);
	ask(1, 5, false);
	take(1, 5, false);
	show(1, 5, 1, 0);
	judged("SHOW-OPEN");
	end(SIM_I3);
}

TEST(I4_fires_where_another_code_comes)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_INVALID);
	audit(SIM_OVER);
	judged("LINK-RESPONSE");
	end(SIM_I4);
}

TEST(I4_fires_where_the_PASID_is_another_one)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(IOPF_PASID_NONE, 5, IOPF_SUCCESS);
	judged("PRI-PASID");
	end(SIM_I4);
}

TEST(I4_fires_where_the_credits_are_not_the_groups)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 2, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	judged("PRI-RESPONSE-CREDITS");
	end(SIM_I4);
}

TEST(I5_fires_where_a_detach_leaves_a_group_open)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	detach(1, 0);
	judged("DETACH-ANSWERED");
	end(SIM_I5);
}

TEST(I5_fires_where_a_response_leaves_after_a_function_reset)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	model_function_reset(h.function);
	note((struct iopf_note){ .kind = IOPF_NOTE_RESET, .endpoint = ENDPOINT });
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	judged("RESET-SILENT");
	end(SIM_I5);
}

TEST(I6_fires_where_more_is_granted_than_the_queue_holds)
{
	begin(ALLOCATION - 1);
	whole_way(5, IOPF_SUCCESS);
	audit(SIM_OVER);
	end(SIM_I6);
}

TEST(I7_fires_where_an_honest_group_is_kept_waiting)
{
	begin(QUEUE);
	ask(1, 5, true);
	turn(4);
	CHECK_EQ(sim_check_violations(h.check), 0);
	take(1, 5, true);
	turn(2);
	CHECK_EQ(sim_check_longest(h.check).turns, 6);
	CHECK_EQ(sim_check_longest(h.check).ns, 600);
	end(SIM_I7);
}

TEST(I7_promises_nothing_to_others)
{
	begin(QUEUE);
	sim_check_honest(h.check, RID, false);
	ask(1, 5, true);
	turn(100);
	end(SIM_INVARIANT_COUNT);
}

TEST(I8_fires_where_failure_leaves)
{
	begin(QUEUE);
	whole_way(5, IOPF_FAILURE);
	audit(SIM_OVER);
	end(SIM_I8);
}

TEST(I9_fires_where_a_PASID_is_given_away_with_a_question_in_the_queue)
{
	begin(QUEUE);
	ask(1, 5, true);
	detach(1, 0);
	attach(1, 1);
	take(1, 5, true);
	show(1, 5, 1, 1);
	CHECK_EQ(sim_check_result(h.check, SIM_I9)->violations, 2);
	judged("ATTACH-DRAINED");
	end(SIM_I9);
}

TEST(I10_fires_where_a_refused_answer_is_not_counted)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	note((struct iopf_note){ .kind = IOPF_NOTE_REFUSE, .token = 0x105 });
	audit(SIM_OVER);
	end(SIM_I10);
}

TEST(I10_fires_where_an_ending_has_a_wrong_name)
{
	begin(QUEUE);
	whole_way(5, IOPF_INVALID);
	h.reading.function[0].counter[IOPF_COUNTER_ended_invalid]--;
	h.reading.function[0].counter[IOPF_COUNTER_ended_detach]++;
	audit(SIM_OVER);
	end(SIM_I10);
}

int main(void)
{
	return test_main();
}
