/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: requests become groups, and each group gets one response. */
#include "broker_world.h"

TEST(one_request_goes_to_its_owner_and_comes_back)
{
	struct iopf_response out;
	struct iopf_group group;

	world_create(4);
	ask(1, 5, 0x7000, IOPF_LAST);
	CHECK(nothing_for(bob));
	group = fetched(alice);
	CHECK_EQ(group.page_count, 1);
	CHECK_EQ(group.page.addr, 0x7000);
	CHECK_EQ(group.pasid, 1);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	out = response();
	CHECK_EQ(out.rid, RID);
	CHECK_EQ(out.pasid, 1);
	CHECK_EQ(out.index, 5);
	CHECK_EQ(out.code, IOPF_SUCCESS);
	CHECK_EQ(out.ending, IOPF_ENDING_success);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_success), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), ended_success), 1);
}

TEST(pages_are_shown_in_the_order_of_the_device)
{
	struct iopf_page pages[4];
	struct iopf_group group;

	world_alone(4);
	for (uint16_t i = 0; i < 4; i++)
		ask(1, 9, 0x4000u - i * 0x1000u, i == 3 ? IOPF_LAST : 0);
	group = fetched(alice);
	CHECK_EQ(group.page_count, 4);
	CHECK_EQ(iopf_broker_pages(broker, group.token, 0, pages, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(pages[i].addr, 0x4000u - i * 0x1000u);
	CHECK_EQ(iopf_broker_pages(broker, group.token, 2, pages, 4), 2);
	CHECK_EQ(pages[0].addr, 0x2000);
	CHECK_EQ(iopf_broker_pages(broker, group.token, 1, pages, 1), 1);
	CHECK_EQ(pages[0].addr, 0x3000);
	CHECK_EQ(iopf_broker_pages(broker, group.token + 1, 0, pages, 4), -ENOENT);
}

TEST(open_group_can_be_looked_at_by_its_token_until_it_ends)
{
	struct iopf_group group, again;

	world_create(4);
	ask(1, 9, 0x4000, 0);
	ask(1, 9, 0x5000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_group(broker, group.token, &again), 0);
	CHECK_EQ(again.token, group.token);
	CHECK_EQ(again.pasid, 1);
	CHECK_EQ(again.page_count, 2);
	CHECK_EQ(again.page.addr, 0x4000);
	CHECK_EQ(iopf_broker_group(broker, group.token + 1, &again), -ENOENT);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(iopf_broker_group(broker, group.token, &again), -ENOENT);
}

TEST(credits_count_requests_and_come_back_with_the_response)
{
	struct iopf_group group;

	world_alone(4);
	for (uint16_t i = 0; i < 4; i++)
		ask(1, 1, i * 0x1000u, i == 3 ? IOPF_LAST : 0);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 4);
	group = fetched(alice);
	iopf_broker_answer(broker, alice, group.token, IOPF_INVALID, now_ns);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 4);
	CHECK_EQ(response().request_count, 4);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
}

TEST(partial_is_shown_to_nobody_and_answered_by_nothing)
{
	world_create(4);
	ask(1, 3, 0x1000, 0);
	CHECK(nothing_for(alice));
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, partial), 1);
}

TEST(beyond_the_allocation_one_invalid_for_the_last_and_nothing_otherwise)
{
	struct iopf_response out;

	world_alone(2);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	ask(1, 3, 0x3000, 0);
	CHECK_EQ(responses(), 0);
	ask(1, 4, 0x4000, IOPF_LAST);
	out = response();
	CHECK_EQ(out.index, 4);
	CHECK_EQ(out.code, IOPF_INVALID);
	CHECK_EQ(out.ending, IOPF_ENDING_malformed);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), allocation_exceeded), 2);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), dropped_requests), 1);
	CHECK_EQ(events[IOPF_EVENT_ALLOCATION_EXCEEDED], 2);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 2);
}

TEST(group_that_outgrows_the_allocation_gets_one_invalid)
{
	world_create(2);
	ask(1, 1, 0x1000, 0);
	ask(1, 1, 0x2000, 0);
	ask(1, 1, 0x3000, 0);
	ask(1, 1, 0x4000, IOPF_LAST);
	CHECK(nothing_for(alice));
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
}

TEST(torn_group_is_not_shown_even_when_credits_are_back)
{
	struct iopf_group group;

	world_create(2);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, 0);
	ask(1, 2, 0x3000, 0); /* beyond: dropped */
	group = fetched(alice);
	iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns);
	CHECK_EQ(responses(), 1);
	ask(1, 2, 0x4000, IOPF_LAST);
	CHECK(nothing_for(alice));
	CHECK_EQ(response().ending, IOPF_ENDING_malformed);
}

TEST(index_used_again_while_open_restarts_the_endpoint)
{
	world_create(4);
	ask(1, 7, 0x1000, IOPF_LAST);
	ask(1, 7, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(alice).page.addr, 0x1000);
	CHECK(nothing_for(alice));
	CHECK_EQ(responses(), 0);
	CHECK_EQ(events[IOPF_EVENT_INDEX_REUSED], 1);
	CHECK_EQ(events[IOPF_EVENT_NEEDS_RESET], 1);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_DRAIN);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), index_reused), 1);
}

TEST(same_index_under_two_pasids_is_two_groups_where_responses_carry_the_pasid)
{
	struct iopf_response out[2];
	struct iopf_group a, b;

	world_create(4);
	ask(1, 5, 0xa000, 0);
	ask(2, 5, 0xb000, IOPF_LAST);
	ask(1, 5, 0xa1000, IOPF_LAST);
	b = fetched(bob);
	a = fetched(alice);
	CHECK_EQ(b.page_count, 1);
	CHECK_EQ(b.page.addr, 0xb000);
	CHECK_EQ(a.page_count, 2);
	iopf_broker_answer(broker, alice, a.token, IOPF_SUCCESS, now_ns);
	iopf_broker_answer(broker, bob, b.token, IOPF_INVALID, now_ns);
	CHECK_EQ(iopf_broker_respond(broker, source, out, 2, now_ns), 2);
	CHECK_EQ(out[0].pasid, 1);
	CHECK_EQ(out[1].pasid, 2);
}

TEST(without_pasids_in_responses_an_index_is_open_under_any_pasid)
{
	struct iopf_request first = a_request(OTHER_RID, 1, 5, 0x1000, IOPF_LAST);
	struct iopf_request second = a_request(OTHER_RID, 2, 5, 0x2000, IOPF_LAST);
	struct iopf_group group;

	world_create(4);
	CHECK_EQ(iopf_broker_request(broker, source, &first, now_ns), 0);
	CHECK_EQ(iopf_broker_request(broker, source, &second, now_ns), 0);
	CHECK_EQ(events[IOPF_EVENT_INDEX_REUSED], 1);
	group = fetched(alice);
	iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns);
	CHECK_EQ(response().pasid, IOPF_PASID_NONE);
}

TEST(no_pasid_is_not_pasid_zero)
{
	world_create(4);
	ask(0, 1, 0x1000, IOPF_LAST);
	CHECK(nothing_for(alice));
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
	ask(IOPF_PASID_NONE, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).pasid, IOPF_PASID_NONE);
}

TEST(error_path_answers_a_group_once_and_at_its_last)
{
	world_create(4);
	ask(3, 7, 0x1000, 0);
	ask(3, 7, 0x2000, 0);
	CHECK_EQ(responses(), 0);
	ask(3, 7, 0x3000, IOPF_LAST);
	CHECK_EQ(response().request_count, 3);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_no_owner), 1);
}

TEST(unknown_requester_gets_one_invalid_for_its_last)
{
	struct iopf_request first = a_request(UNKNOWN_RID, 1, 5, 0x1000, 0);
	struct iopf_request last = a_request(UNKNOWN_RID, 1, 5, 0x2000, IOPF_LAST);
	struct iopf_response out;

	world_create(4);
	CHECK_EQ(iopf_broker_request(broker, source, &first, now_ns), 0);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_request(broker, source, &last, now_ns), 0);
	out = response();
	CHECK_EQ(out.rid, UNKNOWN_RID);
	CHECK_EQ(out.endpoint, IOPF_NO_ID);
	CHECK_EQ(out.code, IOPF_INVALID);
	CHECK_EQ(COUNTED(ROW_SOURCE(source), ended_no_owner), 1);
}

TEST(source_that_does_not_exist_gives_nothing)
{
	struct iopf_request last = a_request(UINT32_MAX, 1, 0, 0x2000, IOPF_LAST);

	world_create(4);
	CHECK_EQ(iopf_broker_request(broker, UINT32_MAX, &last, now_ns), -ENOENT);
	ask(1, 1, 0x1000, IOPF_LAST);
	last.rid = RID;
	CHECK_EQ(iopf_broker_request(broker, UINT32_MAX, &last, now_ns), -ENOENT);
	last.rid = UINT32_MAX;
	CHECK_EQ(iopf_broker_request(broker, UINT32_MAX, &last, now_ns), -ENOENT);
	CHECK_EQ(iopf_broker_request(broker, source + 1, &last, now_ns), -ENOENT);
}

TEST(full_reserve_takes_nothing_and_loses_nothing)
{
	struct iopf_request last = a_request(UNKNOWN_RID, 1, 0, 0x2000, IOPF_LAST);

	world_create(4);
	for (uint16_t i = 0; i < 8; i++) {
		last.index = i;
		CHECK_EQ(iopf_broker_request(broker, source, &last, now_ns), 0);
	}
	last.index = 8;
	CHECK_EQ(iopf_broker_request(broker, source, &last, now_ns), -EAGAIN);
	CHECK_EQ(COUNTED(ROW_SOURCE(source), lasts), 8);
	CHECK_EQ(responses(), 8);
	CHECK_EQ(iopf_broker_request(broker, source, &last, now_ns), 0);
	CHECK_EQ(response().index, 8);
}

TEST(what_no_function_may_ask_gets_invalid_at_the_last)
{
	static const struct {
		uint32_t pasid;
		uint16_t index;
		uint8_t perm;
		bool broken;
	} rows[] = {
		{ 1, 1, IOPF_READ, false },
		{ 1, 1, IOPF_WRITE, false },
		{ 1, 1, IOPF_READ | IOPF_EXEC, false },
		{ 1, 1, IOPF_READ | IOPF_WRITE | IOPF_PRIV, false },
		{ 1, 1, 0, true },
		{ 1, 1, IOPF_EXEC, true },
		{ 1, 1, IOPF_WRITE | IOPF_EXEC, true },
		{ 1, 1, IOPF_PRIV, true },
		{ IOPF_PASID_NONE, 1, IOPF_READ | IOPF_EXEC, true },
		{ IOPF_PASID_NONE, 1, IOPF_READ | IOPF_PRIV, true },
		{ IOPF_PASID_NONE, 1, IOPF_READ, false },
		{ IOPF_PASID_MAX + 1, 1, IOPF_READ, true },
		{ 1, 511, IOPF_READ, false },
		{ 1, 512, IOPF_READ, true },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct iopf_request request =
			a_request(RID, rows[i].pasid, rows[i].index, 0x1000, IOPF_LAST);

		request.perm = rows[i].perm;
		world_create(4);
		CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
		CHECK_EQ(nothing_for(alice), rows[i].broken);
		CHECK_EQ(responses(), rows[i].broken);
		CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_malformed),
			 rows[i].broken);
	}
}

TEST(stop_marker_gets_no_response_and_drops_its_partials_only)
{
	struct iopf_request marker = a_request(RID, 1, 0, 0, IOPF_STOP | IOPF_LAST);

	world_create(8);
	ask(1, 1, 0x1000, 0);
	ask(2, 2, 0x2000, 0);
	ask(1, 3, 0x3000, IOPF_LAST);
	CHECK_EQ(iopf_broker_request(broker, source, &marker, now_ns), 0);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, partial), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), stop_markers), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), lost_credits), 1);
	CHECK_EQ(fetched(alice).index, 3);
}

TEST(overflow_drops_every_partial_of_its_source)
{
	struct iopf_request of_other = a_request(OTHER_RID, 1, 5, 0x1000, 0);

	world_create(4);
	ask(1, 5, 0xa000, 0);
	CHECK_EQ(iopf_broker_request(broker, source, &of_other, now_ns), 0);
	ask(1, 6, 0xc000, IOPF_LAST);
	CHECK_EQ(iopf_broker_overflow(broker, source, now_ns), 2);
	ask(1, 5, 0xb000, IOPF_LAST); /* the index comes back with a new meaning */
	CHECK_EQ(fetched(alice).page.addr, 0xc000);
	CHECK_EQ(fetched(alice).page_count, 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), dropped_partials), 1);
}

TEST(private_data_of_the_last_request_comes_back)
{
	struct iopf_request request =
		a_request(RID, 1, 5, 0x1000, IOPF_LAST | IOPF_PRIVATE);
	struct iopf_group group;
	struct iopf_response out;

	world_create(4);
	request.private_data[0] = 0x1122;
	request.private_data[1] = 0x3344;
	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
	group = fetched(alice);
	iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns);
	out = response();
	CHECK(out.flags & IOPF_PRIVATE);
	CHECK_EQ(out.private_data[0], 0x1122);
	CHECK_EQ(out.private_data[1], 0x3344);
	ask(1, 6, 0x1000, IOPF_LAST);
	group = fetched(alice);
	iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns);
	out = response();
	CHECK(!(out.flags & IOPF_PRIVATE));
	CHECK_EQ(out.private_data[0], 0);
}

TEST(any_pasid_without_an_attachment_of_its_own_goes_to_the_owner_of_any)
{
	world_create(4);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, IOPF_PASID_ANY, bob), 0);
	ask(77, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(bob).pasid, 77);
	CHECK_EQ(fetched(alice).pasid, 1);
}

TEST(allocations_fit_the_queue_and_the_ledger)
{
	uint32_t more;
	struct iopf_endpoint_options wanted = { .size_bytes = sizeof(wanted),
						.source = source,
						.rid = 0x400,
						.allocation = 113 };

	world_create(4);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EDQUOT);
	wanted.allocation = 112;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), 0);
	wanted.rid = 0x408;
	wanted.allocation = 1;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EDQUOT);
	wanted.rid = RID;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EEXIST);
	wanted.allocation = 0;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EINVAL);
}

TEST(overflow_of_one_source_touches_no_other)
{
	struct iopf_source_options second = { .size_bytes = sizeof(second),
					      .reserve_count = 1 };
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .rid = RID,
						 .allocation = 2 };
	struct iopf_request first = a_request(RID, 1, 1, 0x1000, 0);
	uint32_t elsewhere;

	world_create(4);
	CHECK_EQ(iopf_broker_add_source(broker, &second, &options.source), 0);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &elsewhere), 0);
	CHECK_EQ(iopf_broker_request(broker, options.source, &first, now_ns), 0);
	ask(1, 1, 0x1000, 0);
	CHECK_EQ(iopf_broker_overflow(broker, source, now_ns), 1);
	CHECK_EQ(GAUGE(endpoint, partial), 0);
	CHECK_EQ(GAUGE(elsewhere, partial), 1);
}

int main(void)
{
	return test_main();
}
