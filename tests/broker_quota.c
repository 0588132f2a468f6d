/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: an owner holds its share and no more: what is beyond is told to try again a
 * few times, then not any more; nobody takes what is promised to another.
 */
#include "broker_world.h"

static struct iopf_response asked_in_vain(uint32_t pasid, uint16_t index, uint64_t addr)
{
	struct iopf_response out;

	ask(pasid, index, addr, IOPF_LAST);
	out = response();
	CHECK_EQ(out.index, index);
	CHECK_EQ(out.ending, IOPF_ENDING_quota);
	return out;
}

static void answered(uint32_t owner)
{
	struct iopf_group group = fetched(owner);

	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_INVALID, now_ns), 0);
	CHECK_EQ(response().index, group.index);
}

TEST(nobody_takes_what_is_promised_to_another)
{
	world_create(8);
	for (uint16_t i = 1; i <= 4; i++)
		ask(1, i, i * 0x1000u, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	asked_in_vain(1, 5, 0x5000);
	for (uint16_t i = 11; i <= 14; i++)
		ask(2, i, i * 0x1000u, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, ready), 8);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), ended_quota), 1);
	CHECK_EQ(COUNTED(ROW_OWNER(bob), ended_quota), 0);
	CHECK_EQ(events[IOPF_EVENT_QUOTA], 1);
}

TEST(what_is_not_promised_is_for_whoever_comes)
{
	world_create(8);
	world_policy(alice, (struct iopf_policy){ .guaranteed = 2 });
	world_policy(bob, (struct iopf_policy){ .guaranteed = 2 });
	for (uint16_t i = 1; i <= 6; i++)
		ask(1, i, i * 0x1000u, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	asked_in_vain(1, 7, 0x7000);
	ask(2, 11, 0x1000, IOPF_LAST);
	asked_in_vain(1, 7, 0x8000);
	ask(2, 12, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	answered(bob); /* it could have another: that is promised again */
	asked_in_vain(1, 7, 0x9000);
	answered(alice);
	ask(1, 7, 0x9000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

TEST(promises_that_cannot_all_be_kept_keep_an_owner_within_its_own_alive)
{
	world_create(4);
	world_policy(alice, (struct iopf_policy){ .guaranteed = 4 });
	world_policy(bob, (struct iopf_policy){ .guaranteed = 4 });
	for (uint16_t i = 1; i <= 3; i++)
		ask(1, i, i * 0x1000u, IOPF_LAST);
	ask(2, 9, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

TEST(share_counts_credits_not_groups)
{
	struct iopf_group group;

	world_create(8);
	for (uint16_t i = 0; i < 4; i++)
		ask(1, 1, i * 0x1000u, i == 3 ? IOPF_LAST : 0);
	asked_in_vain(1, 2, 0x5000);
	group = fetched(alice);
	CHECK_EQ(group.page_count, 4);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().request_count, 4);
	ask(1, 2, 0x5000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

TEST(group_that_grows_beyond_its_share_gives_back_what_it_held)
{
	world_create(8);
	for (uint16_t i = 0; i < 5; i++) /* the fifth is one too many */
		ask(1, 1, i * 0x1000u, 0);
	CHECK_EQ(events[IOPF_EVENT_QUOTA], 1);
	ask(1, 1, 0x5000, 0);
	ask(1, 2, 0x9000, IOPF_LAST); /* within: nothing of the other is held */
	CHECK_EQ(responses(), 0);
	ask(1, 1, 0x6000, IOPF_LAST);
	CHECK_EQ(response().request_count, 7);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_quota), 1);
	CHECK_EQ(fetched(alice).index, 2);
}

TEST(quota_counts_what_an_owner_holds_at_all_endpoints)
{
	struct iopf_request request = a_request(OTHER_RID, 1, 1, 0x1000, IOPF_LAST);

	world_create(16);
	world_policy(alice, (struct iopf_policy){ .quota_groups = 5 });
	for (uint16_t i = 1; i <= 3; i++)
		ask(1, i, i * 0x1000u, i < 3 ? IOPF_LAST : 0);
	for (; request.index <= 2; request.index++)
		CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
	CHECK_EQ(responses(), 0);
	asked_in_vain(1, 7, 0x1000); /* five are held: a partial, too */
	answered(alice);
	ask(1, 7, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

TEST(quota_of_a_sole_owner_is_no_less_than_its_allocation)
{
	world_alone(4);
	world_policy(alice, (struct iopf_policy){ .quota_groups = 1 });
	for (uint16_t i = 1; i <= 4; i++)
		ask(1, i, i * 0x1000u, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, ready), 4);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 2, bob), 0);
	answered(alice);
	asked_in_vain(1, 5, 0x5000); /* alone no more */
}

TEST(page_over_the_quota_is_told_to_try_again_three_times_at_most)
{
	world_create(2);
	world_policy(alice, (struct iopf_policy){ .retry_max = 3 });
	ask(1, 1, 0x1000, IOPF_LAST);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_SUCCESS);
	CHECK_EQ(asked_in_vain(1, 2, 0x2abc).code, IOPF_INVALID);
	CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_INVALID);
	CHECK_EQ(asked_in_vain(1, 2, 0x3000).code, IOPF_SUCCESS); /* another page */
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), quota_retries), 4);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), response_success), 4);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_quota), 6);
	now_ns += 1000000000;
	CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_SUCCESS); /* long ago */
}

TEST(policy_says_how_often_a_page_is_told_to_try_again)
{
	world_create(2);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_INVALID);
	world_policy(alice, (struct iopf_policy){ .retry_max = 1 });
	CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_SUCCESS);
	CHECK_EQ(asked_in_vain(1, 2, 0x2000).code, IOPF_INVALID);
}

TEST(flood_of_pages_gets_no_page_told_more_often)
{
	static unsigned told[256];

	world_create(4);
	world_policy(alice, (struct iopf_policy){ .guaranteed = 1, .retry_max = 3 });
	world_policy(bob, (struct iopf_policy){ .guaranteed = 3 });
	ask(1, 1, 0xff000000, IOPF_LAST);
	for (unsigned round = 0; round < 16; round++)
		for (unsigned page = 0; page < 256; page++)
			told[page] += asked_in_vain(1, 2, page * UINT64_C(0x1000)).code ==
				      IOPF_SUCCESS;
	for (unsigned page = 0; page < 256; page++)
		CHECK(told[page] <= 3);
}

TEST(policy_out_of_its_range_is_refused_and_changes_nothing)
{
	struct iopf_policy policy = IOPF_POLICY_DEFAULT;
	struct iopf_owner_options owner = { .size_bytes = sizeof(owner), .policy = policy };
	uint32_t id;

	world_create(4);
	CHECK_EQ(iopf_broker_set_policy(broker, alice, &policy), 0);
	policy.retry_max = 4;
	policy.guaranteed = 1;
	CHECK_EQ(iopf_broker_set_policy(broker, alice, &policy), -ERANGE);
	CHECK_EQ(iopf_broker_set_policy(broker, 77, &policy), -ENOENT);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(asked_in_vain(1, 3, 0x3000).code, IOPF_SUCCESS);
	owner.policy.liar_limit = 256;
	CHECK_EQ(iopf_broker_add_owner(broker, &owner, &id), -ERANGE);
}

TEST(share_of_an_owner_that_goes_is_free)
{
	struct iopf_owed owed;
	uint32_t cursor = 0;
	int left;

	world_create(4);
	ask(2, 1, 0x1000, 0); /* half a group of bob's */
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	asked_in_vain(1, 3, 0x3000);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 2), 0);
	for (left = 0; left == IOPF_STEP_NONE || left != IOPF_STEP_DONE;)
		left = iopf_broker_did(broker, endpoint, 0, now_ns);
	CHECK_EQ(iopf_broker_owed(broker, endpoint, &cursor, &owed, 1, now_ns), 1);
	CHECK_EQ(owed.state, IOPF_GROUP_PARTIAL);
	CHECK_EQ(owed.owner, IOPF_NO_ID);
	ask(1, 3, 0x3000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	answered(alice);
	ask(2, 1, 0x2000, IOPF_LAST); /* its last: nobody's */
	CHECK_EQ(response().request_count, 2);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), 0);
}

TEST(hosts_own_owner_takes_no_share_and_is_promised_none)
{
	struct iopf_owner_options options = { .size_bytes = sizeof(options),
					      .flags = IOPF_OWNER_HOST };
	uint32_t host;

	world_create(4);
	CHECK_EQ(iopf_broker_add_owner(broker, &options, &host), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 7, host), 0);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x2000, IOPF_LAST);
	asked_in_vain(1, 3, 0x3000);
	ask(7, 4, 0x1000, IOPF_LAST);
	ask(7, 5, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(fetched(host).index, 4);
}

TEST(owner_out_of_service_gets_nothing_and_the_others_all)
{
	struct iopf_group before;

	world_create(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	before = fetched(alice);
	CHECK_EQ(iopf_broker_out_of_service(broker, endpoint, alice, true, now_ns), 0);
	CHECK_EQ(iopf_broker_out_of_service(broker, endpoint, alice, true, now_ns), 0);
	CHECK_EQ(events[IOPF_EVENT_OUT_OF_SERVICE], 1);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK(nothing_for(alice));
	ask(2, 3, 0x3000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 3);
	CHECK_EQ(iopf_broker_answer(broker, alice, before.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(response().code, IOPF_SUCCESS);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), out_of_service), 1);
	CHECK_EQ(iopf_broker_out_of_service(broker, endpoint, alice, false, now_ns), 0);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 2);
	CHECK_EQ(iopf_broker_out_of_service(broker, other, bob, true, now_ns), -ENOENT);
}

TEST(owner_alone_out_of_service_is_not_found_by_the_short_way)
{
	world_alone(8);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_out_of_service(broker, endpoint, alice, true, now_ns), 0);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
	ask(1, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
}

TEST(endpoint_is_granted_what_there_is_room_for_if_that_is_enough)
{
	struct iopf_endpoint_options wanted = { .size_bytes = sizeof(wanted),
						.source = source,
						.rid = 0x400,
						.allocation = 200,
						.allocation_min = 113 };
	uint32_t more;

	world_create(4);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EDQUOT);
	wanted.allocation_min = 201;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), -EINVAL);
	wanted.allocation_min = 112; /* 120 entries, less 8 */
	CHECK_EQ(iopf_broker_add_endpoint(broker, &wanted, &more), 0);
	CHECK_EQ(GAUGE(more, granted), 112);
}

int main(void)
{
	return test_main();
}
