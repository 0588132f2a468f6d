/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: requests, credits and groups of a function (PCIe 10.4.1). */
#include "model_pri.h"

TEST(a_credit_a_request_and_all_of_a_group_back_with_its_response)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 3), 1);
	CHECK_EQ(send_group(PASID, 1, 1), 1);
	CHECK_EQ(state_now().credits_in_use, 4);
	CHECK_EQ(state_now().waiting, 2);
	respond(0, 0);
	CHECK_EQ(state_now().credits_in_use, 1);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_SUCCESS);
	CHECK_EQ(pri.outcome_count[1], 0);
	respond(3, 1);
	CHECK_EQ(pri.outcome[1], MODEL_OUTCOME_INVALID);
	CHECK_EQ(state_now().credits_in_use, 0);
	CHECK_EQ(state_now().uprgi_count, 0);
}

TEST(a_group_has_one_index_one_pasid_and_one_last)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 3), 1);
	for (uint32_t n = 0; n < 3; n++) {
		CHECK_EQ(pri.sent[n].index, pri.sent[0].index);
		CHECK_EQ(pri.sent[n].pasid, PASID);
		CHECK_EQ(pri.sent[n].addr, 0x100000 + n * 4096);
		CHECK_EQ(pri.sent[n].flags, n == 2 ? IOPF_LAST : 0);
	}
	CHECK_EQ(send_group(PASID, 1, 1), 1);
	CHECK(pri.sent[3].index != pri.sent[0].index);
}

TEST(the_request_that_takes_the_last_credit_closes_its_group)
{
	int group;

	start(2);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ, false), 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 4096, IOPF_READ, false), 1);
	CHECK_EQ(pri.sent[1].flags, IOPF_LAST);
	CHECK_EQ(model_group_open(pri.function, PASID, 1), -EAGAIN);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 8192, IOPF_READ, true),
		 -ENOENT);
	respond(1, 0);
	CHECK_EQ(model_group_room(pri.function, PASID), 2);
}

TEST(an_allocation_above_the_capacity_grants_the_capacity)
{
	start(UINT32_MAX);
	CHECK_EQ(state_now().allocation, 64);
	start(0);
	CHECK_EQ(model_group_open(pri.function, PASID, 0), -EAGAIN);
}

TEST(groups_with_every_index_wait_and_no_index_is_used_twice)
{
	struct model_function_options options = options_usual();
	static bool seen[512];

	options.capacity = 1024;
	start_with(&options);
	enable(1024);
	memset(seen, 0, sizeof(seen));
	for (uint32_t n = 0; n < 512; n++) {
		pri.sent_count = 0;
		CHECK_EQ(send_group(n, 0, 1), 1);
		CHECK(!seen[pri.sent[0].index]);
		seen[pri.sent[0].index] = true;
	}
	CHECK_EQ(send_group(PASID, 1, 1), -EAGAIN);
	CHECK_EQ(state_now().waiting, 512);
}

TEST(with_a_space_a_pasid_the_same_index_waits_in_two)
{
	struct model_function_options options = options_usual();

	options.index_per_pasid = true;
	start_with(&options);
	enable(8);
	CHECK_EQ(send_group(1, 0, 1), 1);
	CHECK_EQ(send_group(2, 1, 1), 1);
	CHECK_EQ(send_group(IOPF_PASID_NONE, 2, 1), 1);
	CHECK_EQ(pri.sent[0].index, pri.sent[1].index);
	CHECK_EQ(pri.sent[0].index, pri.sent[2].index);
	respond(1, 0);
	CHECK_EQ(pri.outcome_count[0], 0);
	CHECK_EQ(pri.outcome_count[1], 1);
	respond(2, 1);
	respond(0, 0);
	CHECK_EQ(state_now().uprgi_count, 0);
	CHECK_EQ(state_now().credits_in_use, 0);
}

/* PCIe 10.4.1: what a request may not want. */
TEST(requests_that_break_a_rule_do_not_leave)
{
	static const struct {
		uint32_t pasid;
		uint64_t addr;
		uint8_t perm;
		int result;
	} row[] = {
		{ PASID, 0, 0, -EINVAL },
		{ PASID, 0, IOPF_PRIV, -EINVAL },
		{ PASID, 0, IOPF_EXEC | IOPF_WRITE, -EINVAL },
		{ PASID, 1, IOPF_READ, -EINVAL },
		{ IOPF_PASID_NONE, 0, IOPF_READ | IOPF_PRIV, -EINVAL },
		{ IOPF_PASID_NONE, 0, IOPF_READ | IOPF_EXEC, -EINVAL },
		{ IOPF_PASID_NONE, 0, IOPF_WRITE, 1 },
		{ PASID, 0, IOPF_READ | IOPF_EXEC | IOPF_PRIV, 1 },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		int group;

		start(8);
		group = model_group_open(pri.function, row[n].pasid, 0);
		CHECK(group >= 0);
		CHECK_EQ(model_group_add(pri.function, (uint32_t)group, row[n].addr,
					 row[n].perm, true),
			 row[n].result);
		CHECK_EQ(pri.sent_count, row[n].result == 1);
	}
}

TEST(execute_and_privileged_need_their_enables)
{
	int group;

	start(8);
	set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ | IOPF_EXEC,
				 true), -EINVAL);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ | IOPF_PRIV,
				 true), -EINVAL);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ, true), 1);
}

TEST(a_pasid_beyond_the_width_or_not_enabled_is_refused)
{
	struct model_function_options options = options_usual();

	options.pasid_width = 8;
	start_with(&options);
	enable(8);
	CHECK_EQ(model_group_room(pri.function, 255), 8);
	CHECK_EQ(model_group_room(pri.function, 256), -EACCES);
	set(CONFIG_PASID_CONTROL, 2, 0);
	CHECK_EQ(model_group_room(pri.function, 255), -EACCES);
	CHECK_EQ(model_group_room(pri.function, IOPF_PASID_NONE), 8);
}

TEST(raw_messages_go_beyond_the_allocation_and_the_books_follow)
{
	struct iopf_request request = { .addr = 0x5000, .rid = RID, .pasid = PASID,
					.index = 7, .perm = IOPF_READ, .flags = IOPF_LAST };

	start(1);
	model_function_send_raw(pri.function, PASID, 0, iopf_pcie_encode_request(&request));
	/* The same index while it waits: one more credit in the same group. */
	model_function_send_raw(pri.function, PASID, 0, iopf_pcie_encode_request(&request));
	request.index = 8;
	request.flags = 0;
	model_function_send_raw(pri.function, PASID, 0, iopf_pcie_encode_request(&request));
	model_function_send_raw(pri.function, PASID, 0, 4); /* a stop marker */
	CHECK_EQ(pri.sent_count, 4);
	CHECK_EQ(state_now().credits_in_use, 3);
	CHECK_EQ(pri.most_credits, 3);
	CHECK_EQ(state_now().waiting, 1);
	CHECK_EQ(state_now().open, 1);
	respond(2, 0);
	CHECK_EQ(pri.verdict, MODEL_UNEXPECTED); /* no last was sent */
	respond(0, 0);
	CHECK_EQ(pri.verdict, MODEL_TAKEN);
	CHECK_EQ(state_now().credits_in_use, 1);
	CHECK_EQ(state_now().raw_requests, 4);
}

int main(void)
{
	int failed = test_main();

	model_function_destroy(pri.function);
	return failed;
}
