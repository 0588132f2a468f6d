/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a physical function and its virtual ones use one page request interface:
 * its credits are one, what kills it kills all, and a reset of one touches no other.
 */
#include "broker_world.h"

enum { VIRTUAL = 0x0320, SECOND = 0x0328 };

static uint32_t virtual, second;

static void add_virtual(uint32_t rid, uint32_t owner, uint32_t *out)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = source,
						 .rid = rid,
						 .pasid_in_response = true,
						 .has_physical = true,
						 .physical = endpoint };

	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, out), 0);
	CHECK_EQ(iopf_broker_attach(broker, *out, 1, owner), 0);
}

/* alice has the physical function and a virtual one, bob the other virtual one. */
static void functions(uint32_t allocation)
{
	world_alone(allocation);
	world_policy(alice, (struct iopf_policy){ .guaranteed = 1 });
	world_policy(bob, (struct iopf_policy){ .guaranteed = 1 });
	add_virtual(VIRTUAL, alice, &virtual);
	add_virtual(SECOND, bob, &second);
}

static void ask_of(uint32_t rid, uint16_t index, uint64_t addr, uint8_t flags)
{
	struct iopf_request request = a_request(rid, 1, index, addr, flags);

	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
}

static int carry_out(uint32_t id)
{
	int step = iopf_broker_step(broker, id);

	while (step > IOPF_STEP_NONE && step != IOPF_STEP_DONE) {
		responses();
		step = iopf_broker_did(broker, id, 0, now_ns);
	}
	return step;
}

TEST(response_names_the_function_that_asked)
{
	struct iopf_response out;
	struct iopf_group group;

	functions(8);
	ask_of(RID, 5, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 5, 0x2000, 0);
	ask_of(VIRTUAL, 5, 0x3000, IOPF_LAST);
	CHECK_EQ(fetched(alice).rid, RID);
	group = fetched(alice);
	CHECK_EQ(group.rid, VIRTUAL);
	CHECK_EQ(group.endpoint, virtual);
	CHECK_EQ(group.page_count, 2);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	out = response();
	CHECK_EQ(out.rid, VIRTUAL);
	CHECK_EQ(out.endpoint, virtual);
	CHECK_EQ(out.request_count, 2);
}

TEST(credits_are_those_of_the_interface)
{
	functions(4);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, 0);
	ask_of(VIRTUAL, 1, 0x2000, 0);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 1);
	CHECK_EQ(GAUGE(virtual, credits_in_use), 2);
	CHECK_EQ(GAUGE(virtual, partial), 1);
	CHECK_EQ(GAUGE(second, credits_in_use), 1);
	CHECK_EQ(responses(), 0);
	ask_of(SECOND, 2, 0x2000, IOPF_LAST); /* there is no fifth */
	CHECK_EQ(response().ending, IOPF_ENDING_malformed);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(second), allocation_exceeded), 1);
	ask_of(RID, 2, 0x2000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_malformed);
	CHECK_EQ(iopf_broker_reset(broker, virtual, now_ns), 0);
	ask_of(RID, 2, 0x2000, IOPF_LAST); /* its credits are back */
	CHECK_EQ(responses(), 0);
	CHECK_EQ(GAUGE(endpoint, credits_in_use), 2);
}

TEST(owner_of_one_function_leaves_the_others_their_share)
{
	functions(4);
	world_policy(bob, (struct iopf_policy){ .guaranteed = 2 });
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_quota); /* one is kept for RID, too */
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	ask_of(SECOND, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

TEST(reset_of_a_virtual_function_ends_its_own_groups_only)
{
	functions(8);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 2, 0x1000, 0);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_reset(broker, virtual, now_ns), 0);
	ask_of(VIRTUAL, 3, 0x1000, IOPF_LAST); /* was still in the queue */
	ask_of(SECOND, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(carry_out(virtual), IOPF_STEP_DONE);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(virtual), ended_reset), 2);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(virtual), dropped_partials), 1);
	CHECK_EQ(GAUGE(virtual, credits_in_use), 0);
	CHECK_EQ(GAUGE(endpoint, ready), 1);
	CHECK_EQ(GAUGE(second, ready), 2);
	CHECK_EQ(iopf_broker_enable(broker, virtual), 0);
	ask_of(VIRTUAL, 1, 0x9000, IOPF_LAST);
	CHECK_EQ(fetched(alice).rid, RID);
	CHECK_EQ(fetched(alice).page.addr, 0x9000);
}

TEST(reset_of_the_physical_function_ends_all)
{
	functions(8);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_detach(broker, second, 1), 0);
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(iopf_broker_step(broker, second), IOPF_STEP_NONE);
	ask_of(SECOND, 2, 0x1000, IOPF_LAST); /* was still in the queue */
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), ended_reset), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(virtual), ended_reset), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(second), ended_reset), 2);
	CHECK_EQ(carry_out(endpoint), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_enable(broker, virtual), -EBUSY); /* the interface is off */
	CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
	CHECK_EQ(iopf_broker_enable(broker, virtual), 0);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).rid, VIRTUAL);
}

TEST(restart_of_the_interface_answers_all_of_it)
{
	functions(8);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_detach); /* closed already */
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, now_ns), IOPF_STEP_RESPOND);
	CHECK_EQ(iopf_broker_did(broker, endpoint, 0, now_ns), IOPF_STEP_RESPOND);
	CHECK_EQ(responses(), 2);
	CHECK_EQ(carry_out(endpoint), IOPF_STEP_DONE);
	ask_of(VIRTUAL, 1, 0x2000, IOPF_LAST);
	CHECK_EQ(fetched(alice).page.addr, 0x2000);
}

TEST(function_that_is_off_stays_off_when_the_interface_is_restarted)
{
	functions(8);
	CHECK_EQ(iopf_broker_disable(broker, virtual), 0);
	CHECK_EQ(carry_out(virtual), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	CHECK_EQ(carry_out(endpoint), IOPF_STEP_DONE);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 1);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_no_owner);
}

TEST(response_failure_ends_every_group_of_the_interface)
{
	functions(8);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_status(broker, virtual, IOPF_STATUS_RF, now_ns), 0);
	CHECK_EQ(iopf_broker_status(broker, endpoint, IOPF_STATUS_RF, now_ns), 0);
	CHECK_EQ(events[IOPF_EVENT_RF], 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), rf_seen), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(second), ended_response_failure), 1);
	ask_of(SECOND, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
	CHECK(nothing_for(bob));
	CHECK_EQ(iopf_broker_enable(broker, second), -EBUSY);
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	CHECK_EQ(carry_out(endpoint), IOPF_STEP_DONE);
	ask_of(SECOND, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(bob).index, 1);
}

TEST(failure_is_forbidden_to_one_of_several_and_the_group_stays_open)
{
	struct iopf_group group;

	functions(8);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	group = fetched(alice); /* she may fail, but is not alone */
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_FAILURE, now_ns), -EPERM);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_INVALID, now_ns), 0);
	CHECK_EQ(response().code, IOPF_INVALID);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_forbidden), 1);
	CHECK_EQ(iopf_broker_remove(broker, second, now_ns), 0);
	CHECK_EQ(carry_out(second), IOPF_STEP_DONE);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_FAILURE, now_ns), 0);
}

TEST(virtual_function_out_of_step_needs_its_own_reset)
{
	functions(8);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	ask_of(VIRTUAL, 1, 0x2000, IOPF_LAST); /* again, while it is open */
	CHECK_EQ(events[IOPF_EVENT_NEEDS_RESET], 1);
	CHECK_EQ(iopf_broker_step(broker, endpoint), IOPF_STEP_NONE);
	CHECK_EQ(carry_out(virtual), -ETIMEDOUT);
	CHECK_EQ(iopf_broker_enable(broker, virtual), -EBUSY);
	CHECK_EQ(GAUGE(endpoint, ready), 1);
	CHECK_EQ(iopf_broker_reset(broker, virtual, now_ns), 0);
	CHECK_EQ(carry_out(virtual), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_enable(broker, virtual), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(virtual), ended_detach), 1);
}

TEST(removal_of_the_physical_function_takes_the_others_with_it)
{
	functions(8);
	ask_of(VIRTUAL, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_remove(broker, endpoint, now_ns), 0);
	CHECK_EQ(iopf_broker_did(broker, endpoint, -ENODEV, now_ns), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_step(broker, virtual), -ENOENT);
	CHECK_EQ(iopf_broker_step(broker, second), -ENOENT);
	CHECK_EQ(responses(), 0);
	CHECK_EQ(COUNTED(ROW_SOURCE(source), ended_removal), 1);
	CHECK_EQ(iopf_broker_remove_owner(broker, bob), 0);
	ask_of(VIRTUAL, 2, 0x1000, IOPF_LAST);
	CHECK_EQ(response().endpoint, IOPF_NO_ID);
	world_endpoint(RID, 8, true, &endpoint);
}

TEST(only_a_physical_function_of_the_same_source_has_virtual_ones)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = source,
						 .rid = 0x500,
						 .has_physical = true };
	uint32_t out;

	functions(8);
	options.physical = 77;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &out), -ENOENT);
	options.physical = virtual;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &out), -EINVAL);
	options.physical = endpoint;
	options.mechanism = IOPF_STALLS;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &out), -EINVAL);
	options.mechanism = IOPF_PRI;
	CHECK_EQ(iopf_broker_restart(broker, endpoint), 0);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &out), -EBUSY);
}

/* ---- What left last --------------------------------------------------------------------- */

static void one(uint32_t rid, uint16_t index, enum iopf_code code)
{
	struct iopf_group group;

	ask_of(rid, index, 0x1000, IOPF_LAST);
	group = fetched(alice);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, code, now_ns), 0);
	now_ns += 10;
	CHECK_EQ(responses(), 1);
}

TEST(last_responses_stay_known_however_busy_the_function_is)
{
	struct iopf_response recent[16];

	functions(2);
	CHECK_EQ(iopf_broker_recent(broker, endpoint, recent, 16), 0);
	for (uint16_t i = 0; i < 12; i++)
		one(RID, i, i % 2 == 0 ? IOPF_SUCCESS : IOPF_INVALID);
	ask_of(RID, 20, 0x1000, IOPF_LAST); /* both credits are in use */
	ask_of(SECOND, 21, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_recent(broker, endpoint, recent, 16), 8);
	for (uint16_t i = 0; i < 8; i++) {
		CHECK_EQ(recent[i].index, 11 - i);
		CHECK_EQ(recent[i].code, i % 2 == 0 ? IOPF_INVALID : IOPF_SUCCESS);
		CHECK_EQ(recent[i].rid, RID);
		CHECK_EQ(recent[i].opened_ns, 1000 + 10 * (12 - i));
	}
	CHECK_EQ(iopf_broker_recent(broker, endpoint, recent, 3), 3);
	CHECK_EQ(recent[0].index, 11);
	CHECK_EQ(iopf_broker_recent(broker, 77, recent, 3), -ENOENT);
}

TEST(rejections_are_among_the_last_responses_and_what_never_left_is_not)
{
	struct iopf_response recent[16];

	functions(4);
	one(RID, 1, IOPF_SUCCESS);
	one(VIRTUAL, 2, IOPF_SUCCESS);
	ask_of(RID, 3, 0x1000, IOPF_LAST);
	ask_of(RID, 4, 0x1000, IOPF_LAST);
	ask_of(RID, 5, 0x1000, IOPF_LAST);
	ask_of(RID, 6, 0x1000, IOPF_LAST);
	now_ns += 10;
	CHECK_EQ(responses(), 2); /* over its share, and beyond the allocation */
	CHECK_EQ(iopf_broker_reset(broker, endpoint, now_ns), 0);
	CHECK_EQ(iopf_broker_recent(broker, virtual, recent, 16), 1);
	CHECK_EQ(recent[0].index, 2);
	CHECK_EQ(iopf_broker_recent(broker, endpoint, recent, 16), 4);
	CHECK_EQ(recent[3].index, 1);
	CHECK_EQ(recent[2].index, 2);
	CHECK_EQ(recent[0].code, IOPF_INVALID);
}

TEST(complaints_are_counted_and_told)
{
	functions(4);
	CHECK_EQ(iopf_broker_status(broker, endpoint, IOPF_STATUS_UNEXPECTED, now_ns), 0);
	CHECK_EQ(iopf_broker_status(broker, endpoint, IOPF_STATUS_UPRGI, now_ns), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), unexpected_seen), 1);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(endpoint), uprgi_seen), 1);
	CHECK_EQ(events[IOPF_EVENT_UNEXPECTED], 1);
	CHECK_EQ(events[IOPF_EVENT_UPRGI], 1);
	CHECK_EQ(iopf_broker_status(broker, 77, IOPF_STATUS_UPRGI, now_ns), -ENOENT);
	ask_of(RID, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(responses(), 0);
}

int main(void)
{
	return test_main();
}
