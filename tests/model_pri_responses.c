/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what a function makes of a response (PCIe 10.4.2, 10.5.2.3). */
#include "model_pri.h"

TEST(a_response_to_nothing_sets_uprgi_and_nothing_else)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	respond_to(PASID, (uint16_t)(pri.sent[0].index + 1), 0);
	CHECK_EQ(pri.verdict, MODEL_UNEXPECTED);
	CHECK(state_now().uprgi && !state_now().rf);
	CHECK_EQ(state_now().credits_in_use, 1);
	CHECK_EQ(get(CONFIG_AER_UNCORRECTABLE, 4), 0);
	set(CONFIG_PRI_STATUS, 2, PRI_UPRGI);
	CHECK(!state_now().uprgi);
}

TEST(the_second_response_to_a_group_is_unexpected)
{
	start(8);
	CHECK_EQ(send_group(PASID, 0, 1), 1);
	respond(0, 0);
	CHECK(!state_now().uprgi);
	respond(0, 0);
	CHECK(state_now().uprgi);
	CHECK_EQ(pri.outcome_count[0], 1);
}

TEST(a_response_before_the_last_request_is_unexpected)
{
	int group;

	start(8);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ, false), 0);
	respond(0, 0);
	CHECK_EQ(pri.verdict, MODEL_UNEXPECTED);
	CHECK_EQ(state_now().open, 1);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 4096, IOPF_READ, true), 1);
	respond(1, 0);
	CHECK_EQ(pri.verdict, MODEL_TAKEN);
}

/* PRG Response PASID Required: 1: with the request's; 0: without any (10.4.2.2). */
TEST(the_pasid_of_a_response_is_matched_where_it_is_required)
{
	static const struct {
		bool required;
		uint32_t asked, answered;
		enum model_verdict verdict;
	} row[] = {
		{ true, 5, 5, MODEL_TAKEN },
		{ true, 5, 6, MODEL_UNEXPECTED },
		{ true, 5, IOPF_PASID_NONE, MODEL_UNEXPECTED },
		{ true, 0, 0, MODEL_TAKEN },
		{ true, 0, IOPF_PASID_NONE, MODEL_UNEXPECTED },
		{ true, IOPF_PASID_NONE, 0, MODEL_UNEXPECTED },
		{ true, IOPF_PASID_NONE, IOPF_PASID_NONE, MODEL_TAKEN },
		{ false, 5, IOPF_PASID_NONE, MODEL_TAKEN },
		{ false, 5, 5, MODEL_UNEXPECTED },
		{ false, IOPF_PASID_NONE, IOPF_PASID_NONE, MODEL_TAKEN },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		struct model_function_options options = options_usual();

		options.pasid_in_response = row[n].required;
		start_with(&options);
		enable(8);
		CHECK_EQ(get(CONFIG_PRI_STATUS, 2) >> 15, row[n].required);
		CHECK_EQ(send_group(row[n].asked, 0, 1), 1);
		respond_to(row[n].answered, pri.sent[0].index, 0);
		CHECK_EQ(pri.verdict, row[n].verdict);
	}
}

/* Codes 2 to 15 are response failure, whatever their index. */
TEST(a_failure_stops_paging_until_it_is_enabled_again)
{
	for (uint8_t code = 2; code < 16; code++) {
		start(8);
		CHECK_EQ(send_group(PASID, 0, 2), 1);
		CHECK_EQ(send_group(PASID, 1, 1), 1);
		respond_to(PASID, 511, code);
		CHECK_EQ(pri.verdict, MODEL_FAILED);
		CHECK(state_now().rf && !state_now().uprgi && !state_now().paging);
		CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_FAILURE);
		CHECK_EQ(pri.outcome[1], MODEL_OUTCOME_FAILURE);
		CHECK_EQ(model_group_open(pri.function, PASID, 2), -EPIPE);
		respond(0, 0);
		CHECK_EQ(pri.verdict, MODEL_IGNORED);
		respond_to(PASID, 500, 0);
		CHECK_EQ(pri.verdict, MODEL_IGNORED);
		CHECK(!state_now().uprgi);
		/* Clearing the bit changes nothing. */
		set(CONFIG_PRI_STATUS, 2, PRI_RF);
		CHECK_EQ(model_group_open(pri.function, PASID, 2), -EPIPE);
		CHECK(!state_now().stopped);
		set(CONFIG_PRI_CONTROL, 2, 0);
		CHECK(state_now().stopped);
		set(CONFIG_PRI_CONTROL, 2, PRI_RESET);
		CHECK_EQ(state_now().credits_in_use, 0);
		set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
		CHECK(!state_now().rf && state_now().paging);
		CHECK_EQ(send_group(PASID, 3, 1), 1);
	}
}

TEST(a_failure_before_the_last_request_ends_the_open_group)
{
	int group;

	start(8);
	group = model_group_open(pri.function, PASID, 0);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ, false), 0);
	respond(0, 15);
	CHECK_EQ(pri.outcome[0], MODEL_OUTCOME_FAILURE);
	CHECK_EQ(model_group_add(pri.function, (uint32_t)group, 0, IOPF_READ, true), -ENOENT);
	CHECK_EQ(pri.sent_count, 1);
}

/* The older kinds: AER instead of UPRGI, advisory unless software made it fatal. */
TEST(older_functions_report_what_is_unexpected_through_aer)
{
	static const struct {
		enum model_unexpected kind;
		uint32_t error;
	} row[] = {
		{ MODEL_UNEXPECTED_COMPLETION, 1u << 16 },
		{ MODEL_UNEXPECTED_REQUEST, 1u << 20 },
	};

	for (size_t n = 0; n < 2; n++) {
		struct model_function_options options = options_usual();
		uint32_t ur = n == 1 ? DEVICE_STATUS_UR : 0;

		options.unexpected = (uint8_t)row[n].kind;
		start_with(&options);
		enable(8);
		respond_to(PASID, 3, 0);
		CHECK_EQ(pri.verdict, MODEL_UNEXPECTED);
		CHECK(!state_now().uprgi);
		CHECK_EQ(state_now().uprgi_count, 1);
		CHECK_EQ(get(CONFIG_AER_UNCORRECTABLE, 4), row[n].error);
		CHECK_EQ(get(CONFIG_AER_CORRECTABLE, 4), AER_ADVISORY_NONFATAL);
		CHECK_EQ(get(CONFIG_DEVICE_STATUS, 2), DEVICE_STATUS_CORRECTABLE | ur);
		CHECK_EQ(1u << (get(CONFIG_AER_CONTROL, 4) & 31), row[n].error);
		set(CONFIG_AER_UNCORRECTABLE, 4, row[n].error);
		CHECK_EQ(get(CONFIG_AER_UNCORRECTABLE, 4), 0);
		set(CONFIG_AER_CORRECTABLE, 4, UINT32_MAX);
		set(CONFIG_DEVICE_STATUS, 2, 0xf);
		set(CONFIG_AER_SEVERITY, 4, row[n].error);
		respond_to(PASID, 3, 0);
		CHECK_EQ(get(CONFIG_AER_CORRECTABLE, 4), 0);
		CHECK_EQ(get(CONFIG_DEVICE_STATUS, 2), DEVICE_STATUS_FATAL | ur);
	}
}

TEST(a_response_to_another_requester_is_not_this_functions)
{
	const struct iopf_prg_response other = { .rid = RID + 1, .pasid = PASID };

	start(8);
	model_function_response(pri.function, PASID, iopf_pcie_encode_response(&other));
	CHECK_EQ(state_now().misrouted, 1);
	CHECK(!state_now().uprgi);
}

/* An IOMMU that is out of room answers inside the message. */
TEST(an_answer_inside_the_message_finds_the_group_waiting)
{
	start(2);
	pri.answer_at_once = 0;
	for (uint32_t n = 0; n < 20; n++)
		CHECK_EQ(send_group(PASID, n, 2), 1);
	CHECK_EQ(state_now().credits_in_use, 0);
	CHECK_EQ(state_now().uprgi_count, 0);
	for (uint32_t n = 0; n < 20; n++)
		CHECK_EQ(pri.outcome_count[n], 1);
}

TEST(random_answers_never_break_the_books)
{
	struct model_function_options options = options_usual();
	uint64_t random = 7;

	options.index_per_pasid = true; /* low indices: answers hit */
	start_with(&options);
	enable(16);
	for (uint32_t n = 0; n < 200000; n++) {
		uint64_t draw = test_random(&random);
		struct model_function_state state;

		pri.sent_count = 0;
		if (draw % 3 == 0)
			send_group(draw >> 8 & 3, draw >> 16 & 63, 1 + (draw >> 24) % 4);
		else
			respond_to(draw >> 8 & 3, draw >> 16 & 7, draw >> 32 & 1);
		state = state_now();
		CHECK(state.credits_in_use <= 16);
		CHECK(state.open == 0 && state.waiting <= state.credits_in_use);
		CHECK((state.waiting == 0) == (state.credits_in_use == 0));
	}
	CHECK(state_now().response[MODEL_TAKEN] > 1000);
}

int main(void)
{
	int failed = test_main();

	model_function_destroy(pri.function);
	return failed;
}
