/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: enable, disable, reset, stop, removal of paging (PCIe 10.4.1.2, 10.5.2). */
#include "model_pri.h"

TEST(a_fresh_function_is_stopped_and_enabling_clears_its_status)
{
	const struct model_function_options options = options_usual();

	start_with(&options);
	CHECK(state_now().stopped && !state_now().enabled);
	CHECK_EQ(model_group_open(pri.function, IOPF_PASID_NONE, 0), -EACCES);
	respond_to(IOPF_PASID_NONE, 0, 0);
	CHECK(state_now().uprgi);
	enable(8);
	CHECK(!state_now().stopped && !state_now().uprgi && state_now().paging);
	CHECK_EQ(pri.resets[MODEL_PRI_ENABLED], 1);
	CHECK_EQ(state_now().undefined, 0);
}

TEST(stopped_comes_when_the_last_response_has_come)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 2), 1);
	CHECK_EQ(send_group(PASID, 1, 1), 1);
	set(CONFIG_PRI_CONTROL, 2, 0);
	CHECK(!state_now().stopped);
	CHECK_EQ(model_group_open(pri.function, PASID, 2), -EACCES);
	respond(0, 0);
	CHECK(!state_now().stopped);
	respond(2, 1);
	CHECK(state_now().stopped);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_SUCCESS);
}

TEST(disabling_closes_what_is_open_with_its_last_page_again)
{
	int group;

	start(8);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0x9000, IOPF_WRITE, false), 0);
	set(CONFIG_PRI_CONTROL, 2, 0);
	CHECK_EQ(pri.sent_count, 2);
	CHECK_EQ(pri.sent[1].addr, 0x9000);
	CHECK_EQ(pri.sent[1].flags, IOPF_LAST);
	CHECK_EQ(state_now().credits_in_use, 2);
	respond(1, 0);
	CHECK(state_now().stopped);
	CHECK_EQ(pri.outcome_count[0], 1);
}

TEST(an_open_group_without_a_credit_is_closed_when_one_comes_back)
{
	int open;

	start(3);
	open = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)open, 0x9000, IOPF_READ, false), 0);
	CHECK_EQ(send_group(PASID, 1, 2), 1);
	set(CONFIG_PRI_CONTROL, 2, 0);
	CHECK_EQ(pri.sent_count, 3);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)open, 0x9000, IOPF_READ, false),
		 -ENOENT);
	respond(1, 0);
	CHECK_EQ(pri.sent_count, 4);
	CHECK_EQ(pri.sent[3].index, pri.sent[0].index);
	CHECK(!state_now().stopped);
	respond(3, 0);
	CHECK(state_now().stopped);
}

TEST(reset_is_effective_only_where_enable_is_or_becomes_0)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 2), 1);
	set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE | PRI_RESET);
	CHECK_EQ(state_now().credits_in_use, 2);
	CHECK_EQ(get(CONFIG_PRI_CONTROL, 2), PRI_ENABLE);
	set(CONFIG_PRI_CONTROL, 2, PRI_RESET);
	CHECK_EQ(state_now().credits_in_use, 0);
	CHECK_EQ(get(CONFIG_PRI_CONTROL, 2), 0);
	CHECK(state_now().stopped);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_LOST);
	CHECK_EQ(pri.resets[MODEL_PRI_RESET], 1);
	respond(0, 0);
	CHECK_EQ(pri.verdict, MODEL_UNEXPECTED);
	start(8);
	CHECK_EQ(send_group(PASID, 0, 2), 1);
	set(CONFIG_PRI_CONTROL, 2, 0);
	set(CONFIG_PRI_CONTROL, 2, PRI_RESET);
	CHECK_EQ(state_now().credits_in_use, 0);
}

TEST(the_allocation_is_fixed_while_paging_is_on)
{
	start(8);
	set(CONFIG_PRI_ALLOCATION, 4, 16);
	CHECK_EQ(get(CONFIG_PRI_ALLOCATION, 4), 8);
	CHECK_EQ(state_now().undefined, 1);
	set(CONFIG_PRI_CONTROL, 2, 0);
	set(CONFIG_PRI_ALLOCATION, 4, 16);
	CHECK_EQ(state_now().allocation, 16);
}

TEST(enabling_before_stopped_is_told_as_undefined)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	set(CONFIG_PRI_CONTROL, 2, 0);
	set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
	CHECK_EQ(state_now().undefined, 1);
}

TEST(a_function_reset_forgets_without_a_response)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 2), 1);
	set(CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
	CHECK(state_now().stopped && !state_now().enabled);
	CHECK_EQ(state_now().credits_in_use, 0);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_LOST);
	CHECK_EQ(pri.client_resets, 1);
	CHECK_EQ(pri.resets[MODEL_FLR], 1);
	respond(0, 0);
	CHECK(state_now().uprgi);
}

/* The trap that epochs are for: the old answer ends the new group of the same index. */
TEST(after_a_reset_an_old_answer_hits_the_new_group_of_its_index)
{
	struct model_function_options options = options_usual();

	options.index_per_pasid = true;
	start_with(&options);
	enable(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	model_function_reset(pri.function);
	enable(8);
	CHECK_EQ(send_group(PASID, 1, 1), 1);
	CHECK_EQ(pri.sent[0].index, pri.sent[1].index);
	respond(0, 1);
	CHECK_EQ(pri.outcome[1], MODEL_OUTCOME_INVALID);
}

TEST(a_removed_function_says_and_hears_nothing)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	model_function_remove(pri.function);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_LOST);
	CHECK_EQ(pri.resets[MODEL_REMOVED], 1);
	CHECK_EQ(model_group_open(pri.function, PASID, 1), -ENODEV);
	CHECK_EQ(model_function_stop(pri.function, PASID), -ENODEV);
	respond_to(PASID, pri.sent[0].index, 0);
	model_function_send_raw(pri.function, PASID, 0, 4);
	CHECK_EQ(pri.sent_count, 1);
	CHECK_EQ(state_now().uprgi_count, 0);
	CHECK_EQ(model_function_invalidate(pri.function, PASID,
					   model_invalidate_payload(0, 0, false)), -EAGAIN);
}

/* ---- Stopping a PASID: with a marker, and without ------------------------------ */

static void start_marking(uint32_t allocation)
{
	struct model_function_options options = options_usual();

	options.stop_marker = true;
	start_with(&options);
	enable(allocation);
}

TEST(with_a_marker_a_stop_is_done_at_once_and_late_responses_give_credits_back)
{
	start_marking(8);
	CHECK_EQ(send_group(PASID, 0, 2), 1);
	CHECK_EQ(send_group(7, 1, 1), 1);
	CHECK_EQ(model_function_stop(pri.function, PASID), 0);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_STOPPED);
	CHECK_EQ(pri.outcome_count[1], 0);
	CHECK_EQ(pri.sent[3].flags, IOPF_STOP);
	CHECK_EQ(pri.sent[3].pasid, PASID);
	CHECK_EQ(state_now().stale, 1);
	CHECK_EQ(state_now().credits_in_use, 3); /* a marker takes none */
	/* The same PASID in a new use does not get the old one's index. */
	CHECK_EQ(send_group(PASID, 2, 1), 1);
	CHECK(pri.sent[4].index != pri.sent[0].index);
	respond(0, 1);
	CHECK_EQ(pri.verdict, MODEL_STALE);
	CHECK_EQ(pri.outcome_count[0], 1);
	CHECK_EQ(state_now().credits_in_use, 2);
	CHECK_EQ(state_now().uprgi_count, 0);
}

TEST(without_a_marker_a_stop_waits_for_every_response)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	CHECK_EQ(send_group(PASID, 1, 1), 1);
	CHECK_EQ(send_group(7, 2, 1), 1);
	CHECK_EQ(model_function_stop(pri.function, PASID), -EAGAIN);
	CHECK_EQ(model_group_open(pri.function, PASID, 3), -EACCES);
	CHECK_EQ(send_group(7, 4, 1), 1);
	respond(0, 1);
	CHECK(model_function_stopping(pri.function, PASID));
	respond(1, 0);
	CHECK(!model_function_stopping(pri.function, PASID));
	CHECK_EQ(state_now().stop_markers, 0);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_INVALID);
	CHECK_EQ(pri.outcome[1], MODEL_OUTCOME_SUCCESS);
	CHECK_EQ(send_group(PASID, 5, 1), 1);
}

TEST(a_stop_closes_open_groups_before_the_marker)
{
	int group;

	start_marking(8);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0x9000, IOPF_READ, false), 0);
	CHECK_EQ(model_function_stop(pri.function, PASID), 0);
	CHECK_EQ(pri.sent[1].flags, IOPF_LAST);
	CHECK_EQ(pri.sent[2].flags, IOPF_STOP);
}

TEST(a_marker_waits_until_a_credit_closes_the_open_group)
{
	int group;

	start_marking(2);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0x9000, IOPF_READ, false), 0);
	CHECK_EQ(send_group(7, 1, 1), 1);
	CHECK_EQ(model_function_stop(pri.function, PASID), -EAGAIN);
	CHECK_EQ(pri.sent_count, 2);
	pri.answer_at_once = 0;
	respond(1, 0);
	CHECK(!model_function_stopping(pri.function, PASID));
	CHECK_EQ(pri.sent_count, 4);
	CHECK_EQ(pri.sent[2].flags, IOPF_LAST);
	CHECK_EQ(pri.sent[3].flags, IOPF_STOP);
	CHECK_EQ(state_now().credits_in_use, 0);
}

TEST(a_stop_ends_by_a_response_that_comes_inside_anothers_message)
{
	int group;

	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	group = model_group_open(pri.function, 7, 1);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0x9000, IOPF_READ, false), 0);
	CHECK_EQ(model_function_stop(pri.function, PASID), -EAGAIN);
	pri.answer_inside = 0;
	CHECK_EQ(model_function_stop(pri.function, 7), -EAGAIN);
	CHECK(!model_function_stopping(pri.function, PASID));
	CHECK(model_function_stopping(pri.function, 7));
}

TEST(requests_without_a_pasid_stop_without_a_marker)
{
	start_marking(8);
	CHECK_EQ(send_group(IOPF_PASID_NONE, 0, 1), 1);
	CHECK_EQ(model_function_stop(pri.function, IOPF_PASID_NONE), -EAGAIN);
	respond(0, 0);
	CHECK(!model_function_stopping(pri.function, IOPF_PASID_NONE));
	CHECK_EQ(pri.sent_count, 1);
}

TEST(only_so_many_pasids_are_stopped_at_a_time)
{
	start(64);
	for (uint32_t n = 0; n < 17; n++)
		CHECK_EQ(send_group(n, n, 1), 1);
	for (uint32_t n = 0; n < 16; n++)
		CHECK_EQ(model_function_stop(pri.function, n), -EAGAIN);
	CHECK_EQ(model_function_stop(pri.function, 16), -ENOSPC);
	respond(3, 0);
	CHECK_EQ(model_function_stop(pri.function, 16), -EAGAIN);
	set(CONFIG_PRI_CONTROL, 2, PRI_RESET);
	CHECK(!model_function_stopping(pri.function, 16));
}

int main(void)
{
	int failed = test_main();

	model_function_destroy(pri.function);
	return failed;
}
