/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: stalls of a stream are groups of one under their tags; no tag is resumed
 * twice; a stream that ends is blocked and terminated, and every slot comes back.
 */
#include "broker_world.h"

enum { STREAM = 0x40, SECOND_STREAM = 0x41, POOL = 16 };

static uint32_t stream, second, queue;

static int add_stream(uint32_t sid, uint32_t slots, uint32_t enough, uint32_t *out)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = queue,
						 .rid = sid,
						 .allocation = slots,
						 .allocation_min = enough,
						 .pasid_in_response = true,
						 .mechanism = IOPF_STALLS };

	return iopf_broker_add_endpoint(broker, &options, out);
}

/* alice has all of one stream, bob all of another; they share the pool's slots. */
static void streams(void)
{
	struct iopf_source_options smmu = { .size_bytes = sizeof(smmu),
					    .usable_entries = 4,
					    .reserve_count = 16,
					    .stall_max = POOL };

	world_alone(8);
	CHECK_EQ(iopf_broker_add_source(broker, &smmu, &queue), 0);
	CHECK_EQ(add_stream(STREAM, 8, 0, &stream), 0);
	CHECK_EQ(add_stream(SECOND_STREAM, 8, 0, &second), 0);
	CHECK_EQ(iopf_broker_attach(broker, stream, IOPF_PASID_NONE, alice), 0);
	CHECK_EQ(iopf_broker_attach(broker, second, IOPF_PASID_ANY, bob), 0);
}

static void stall(uint32_t sid, uint32_t pasid, uint16_t tag)
{
	struct iopf_request request = a_request(sid, pasid, tag, tag * UINT64_C(0x1000),
						IOPF_LAST | IOPF_STALL);

	CHECK_EQ(iopf_broker_request(broker, queue, &request, now_ns), 0);
}

static int left(struct iopf_response *out)
{
	return iopf_broker_respond(broker, queue, out, 64, now_ns);
}

static int did(int result)
{
	return iopf_broker_did(broker, stream, result, now_ns);
}

TEST(stall_is_answered_by_its_tag_alone)
{
	struct iopf_response out[64];
	struct iopf_group group;

	streams();
	stall(SECOND_STREAM, 7, 0xfff0);
	group = fetched(bob);
	CHECK_EQ(group.pasid, 7);
	CHECK_EQ(group.flags, IOPF_STALL);
	CHECK_EQ(iopf_broker_answer(broker, bob, group.token, IOPF_SUCCESS, now_ns), 0);
	CHECK_EQ(left(out), 1);
	CHECK_EQ(out[0].flags, IOPF_STALL);
	CHECK_EQ(out[0].index, 0xfff0);
	CHECK_EQ(out[0].pasid, IOPF_PASID_NONE);
	CHECK_EQ(out[0].rid, SECOND_STREAM);
	CHECK_EQ(GAUGE(second, credits_in_use), 0);
}

TEST(unknown_stream_is_aborted_in_the_same_turn)
{
	struct iopf_response out[64];

	streams();
	stall(0x99, IOPF_PASID_NONE, 3);
	CHECK_EQ(left(out), 1);
	CHECK_EQ(out[0].code, IOPF_INVALID);
	CHECK_EQ(out[0].flags, IOPF_STALL);
	CHECK_EQ(out[0].rid, 0x99);
	CHECK_EQ(out[0].index, 3);
	CHECK_EQ(out[0].ending, IOPF_ENDING_no_owner);
}

TEST(stall_beyond_the_slots_is_aborted_at_once_and_the_neighbour_is_served)
{
	struct iopf_response out[64];

	streams();
	for (uint16_t tag = 0; tag < 16; tag++)
		stall(STREAM, IOPF_PASID_NONE, tag);
	CHECK_EQ(left(out), 8);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(out[i].code, IOPF_INVALID);
		CHECK_EQ(out[i].ending, IOPF_ENDING_quota);
		CHECK_EQ(out[i].index, 8 + i);
	}
	CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), ended_quota), 8);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), allocation_exceeded), 0);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), ended_quota), 8);
	CHECK_EQ(GAUGE(stream, ready), 8);
	CHECK(events[IOPF_EVENT_QUOTA] > 0);
	stall(SECOND_STREAM, 1, 20);
	CHECK_EQ(fetched(bob).index, 20);
}

TEST(stall_over_its_owners_quota_is_aborted_never_tried_again)
{
	struct iopf_response out[64];

	streams();
	CHECK_EQ(iopf_broker_attach(broker, second, 5, alice), 0);
	world_policy(alice, (struct iopf_policy){ .quota_stalls = 2, .retry_max = 3 });
	stall(STREAM, IOPF_PASID_NONE, 1);
	stall(STREAM, IOPF_PASID_NONE, 2);
	CHECK_EQ(left(out), 0);
	stall(SECOND_STREAM, 5, 3); /* shared with bob: no more than the quota */
	CHECK_EQ(left(out), 1);
	CHECK_EQ(out[0].code, IOPF_INVALID);
	CHECK_EQ(out[0].ending, IOPF_ENDING_quota);
	stall(STREAM, IOPF_PASID_NONE, 4); /* alone: as much as it has slots */
	CHECK_EQ(left(out), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(second), quota_retries), 0);
}

TEST(streams_share_the_pool_as_it_is)
{
	uint32_t third;

	streams();
	CHECK_EQ(add_stream(0x50, 1, 0, &third), -EDQUOT);
	CHECK_EQ(iopf_broker_remove(broker, second, now_ns), 0);
	while (iopf_broker_did(broker, second, 0, now_ns) != IOPF_STEP_DONE)
		;
	CHECK_EQ(add_stream(0x50, 20, 4, &third), 0);
	CHECK_EQ(GAUGE(third, granted), 8);
}

TEST(tag_that_comes_again_while_it_is_open_is_never_resumed_twice)
{
	struct iopf_response out[64];
	struct iopf_group group;

	streams();
	stall(STREAM, IOPF_PASID_NONE, 5);
	stall(STREAM, IOPF_PASID_NONE, 5);
	group = fetched(alice);
	CHECK(nothing_for(alice));
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), 0);
	stall(STREAM, 3, 5); /* its answer has not left */
	CHECK_EQ(left(out), 1);
	CHECK_EQ(left(out), 0);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), index_reused), 2);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), lasts), 1);
	CHECK_EQ(events[IOPF_EVENT_INDEX_REUSED], 2);
	CHECK_EQ(iopf_broker_step(broker, stream), IOPF_STEP_NONE);
	stall(STREAM, IOPF_PASID_NONE, 5); /* now it is another stall's */
	CHECK_EQ(fetched(alice).index, 5);
}

TEST(tag_that_was_rejected_is_aborted_once_too)
{
	struct iopf_response out[64];

	streams();
	for (uint16_t tag = 0; tag < 9; tag++)
		stall(STREAM, IOPF_PASID_NONE, tag);
	stall(STREAM, IOPF_PASID_NONE, 8); /* beyond the slots, and told twice */
	stall(0x99, IOPF_PASID_NONE, 3);
	stall(0x99, IOPF_PASID_NONE, 3);
	stall(0x98, IOPF_PASID_NONE, 3);
	CHECK_EQ(left(out), 3);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), index_reused), 1);
	CHECK_EQ(COUNTED(ROW_SOURCE(queue), index_reused), 1);
}

TEST(same_tag_of_two_streams_is_two_stalls)
{
	streams();
	stall(STREAM, IOPF_PASID_NONE, 5);
	stall(SECOND_STREAM, 1, 5);
	CHECK_EQ(fetched(alice).rid, STREAM);
	CHECK_EQ(fetched(bob).rid, SECOND_STREAM);
}

TEST(tags_that_meet_in_a_bucket_are_told_apart)
{
	struct iopf_response out[64];
	uint64_t tokens[4];

	streams();
	for (uint16_t i = 0; i < 4; i++)
		stall(STREAM, IOPF_PASID_NONE, (uint16_t)(512 * i + 7));
	for (unsigned i = 0; i < 4; i++)
		tokens[i] = fetched(alice).token;
	for (unsigned i = 0; i < 4; i++) { /* out of their order */
		unsigned at = (i + 2) % 4;

		CHECK_EQ(iopf_broker_answer(broker, alice, tokens[at], IOPF_SUCCESS, now_ns), 0);
		CHECK_EQ(left(out), 1);
		CHECK_EQ(out[0].index, 512 * at + 7);
	}
}

TEST(event_that_is_no_fault_but_holds_a_stall_is_aborted)
{
	struct iopf_request odd = a_request(STREAM, IOPF_PASID_NONE, 9, 0,
					    IOPF_LAST | IOPF_STALL);
	struct iopf_response out[64];

	streams();
	odd.perm = 0;
	CHECK_EQ(iopf_broker_request(broker, queue, &odd, now_ns), 0);
	CHECK_EQ(left(out), 1);
	CHECK_EQ(out[0].code, IOPF_INVALID);
	CHECK_EQ(out[0].ending, IOPF_ENDING_malformed);
}

TEST(attributes_of_a_stall_need_no_substream)
{
	struct iopf_request fetch = a_request(STREAM, IOPF_PASID_NONE, 9, 0x1000,
					      IOPF_LAST | IOPF_STALL);

	streams();
	fetch.perm = IOPF_READ | IOPF_EXEC | IOPF_PRIV;
	CHECK_EQ(iopf_broker_request(broker, queue, &fetch, now_ns), 0);
	CHECK_EQ(fetched(alice).page.perm, fetch.perm);
}

TEST(stall_of_a_function_is_aborted_and_a_page_request_of_a_stream_refused)
{
	struct iopf_request wrong = a_request(RID, 1, 3, 0x1000, IOPF_LAST | IOPF_STALL);
	struct iopf_response out[64];

	streams();
	CHECK_EQ(iopf_broker_request(broker, source, &wrong, now_ns), 0);
	CHECK_EQ(response().flags, IOPF_STALL);
	wrong = a_request(STREAM, 1, 3, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_request(broker, queue, &wrong, now_ns), 0);
	CHECK_EQ(left(out), 1);
	CHECK_EQ(out[0].ending, IOPF_ENDING_malformed);
	CHECK_EQ(out[0].code, IOPF_INVALID);
	CHECK(nothing_for(alice));
}

/* ---- Operations ---------------------------------------------------------------------------- */

/* One is fetched, one is not, one was answered and has not left. */
static void three_stalls(void)
{
	streams();
	for (uint16_t tag = 1; tag <= 3; tag++)
		stall(STREAM, IOPF_PASID_NONE, tag);
	CHECK_EQ(iopf_broker_answer(broker, alice, fetched(alice).token, IOPF_SUCCESS, now_ns),
		 0);
	fetched(alice);
}

static void begin_detach(void)
{
	CHECK_EQ(iopf_broker_detach(broker, stream, IOPF_PASID_NONE), 0);
}

static void begin_disable(void)
{
	CHECK_EQ(iopf_broker_disable(broker, stream), 0);
}

static void begin_restart(void)
{
	CHECK_EQ(iopf_broker_restart(broker, stream), 0);
}

static void begin_replace(void)
{
	CHECK_EQ(iopf_broker_replace(broker, stream, IOPF_PASID_NONE, bob, now_ns), 0);
}

static void begin_reset(void)
{
	CHECK_EQ(iopf_broker_reset(broker, stream, now_ns), 0);
}

static void begin_remove(void)
{
	CHECK_EQ(iopf_broker_remove(broker, stream, now_ns), 0);
}

TEST(stream_that_ends_is_blocked_and_terminated_and_nothing_is_resumed)
{
	static const struct {
		void (*begin)(void);
		bool unblocks;
		enum iopf_counter ended;
	} rows[] = {
		{ begin_detach, true, IOPF_COUNTER_ended_detach },
		{ begin_replace, true, IOPF_COUNTER_ended_detach },
		{ begin_disable, false, IOPF_COUNTER_ended_detach },
		{ begin_restart, true, IOPF_COUNTER_ended_detach },
		{ begin_reset, false, IOPF_COUNTER_ended_reset },
	};
	struct iopf_response out[64];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		three_stalls();
		rows[i].begin();
		CHECK_EQ(iopf_broker_step(broker, stream), IOPF_STEP_BLOCK);
		CHECK_EQ(did(0), IOPF_STEP_TERMINATE);
		CHECK_EQ(left(out), 0); /* a tag may be another stall's soon */
		stall(STREAM, IOPF_PASID_NONE, 4); /* was told before it was terminated */
		CHECK_EQ(did(0), IOPF_STEP_DRAIN);
		stall(STREAM, IOPF_PASID_NONE, 1); /* the same tag, told twice */
		if (rows[i].unblocks)
			CHECK_EQ(did(0), IOPF_STEP_UNBLOCK);
		CHECK_EQ(did(0), IOPF_STEP_DONE);
		CHECK_EQ(left(out), 0);
		CHECK_EQ(GAUGE(stream, credits_in_use), 0);
		CHECK_EQ(ROW_ENDPOINT(stream).counter[rows[i].ended], 5);
		CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), lasts), 5);
		CHECK_EQ(COUNTED(ROW_ENDPOINT(stream), terminated), 5);
		CHECK_EQ(taken_count, 1);
	}
}

TEST(removed_stream_leaves_nothing)
{
	struct iopf_response out[64];
	int step;

	three_stalls();
	begin_remove();
	for (step = iopf_broker_step(broker, stream); step != IOPF_STEP_DONE;)
		step = did(0);
	CHECK_EQ(left(out), 0);
	CHECK_EQ(iopf_broker_step(broker, stream), -ENOENT);
	CHECK_EQ(COUNTED(ROW_SOURCE(queue), ended_removal), 3);
}

TEST(new_owner_of_a_stream_sees_what_comes_from_its_new_entry_on)
{
	three_stalls();
	begin_replace();
	did(0);
	did(0);
	CHECK_EQ(did(0), IOPF_STEP_UNBLOCK);
	stall(STREAM, IOPF_PASID_NONE, 7); /* under the new entry, before done was said */
	CHECK_EQ(fetched(bob).index, 7);
	CHECK(nothing_for(alice));
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	stall(STREAM, IOPF_PASID_NONE, 8);
	CHECK_EQ(fetched(bob).index, 8);
	CHECK_EQ(iopf_broker_remove_owner(broker, alice), -EBUSY); /* of endpoint RID */
}

/* It would be terminated with the others. */
TEST(nothing_new_joins_a_stream_that_is_terminated)
{
	three_stalls();
	begin_detach();
	CHECK_EQ(iopf_broker_step(broker, stream), IOPF_STEP_BLOCK);
	CHECK_EQ(iopf_broker_attach(broker, stream, 9, bob), -EBUSY);
	CHECK_EQ(did(0), IOPF_STEP_TERMINATE);
	CHECK_EQ(iopf_broker_attach(broker, stream, 9, bob), -EBUSY);
	CHECK_EQ(did(0), IOPF_STEP_DRAIN);
	CHECK_EQ(iopf_broker_attach(broker, stream, 9, bob), -EBUSY);
	CHECK_EQ(did(0), IOPF_STEP_UNBLOCK);
	CHECK_EQ(iopf_broker_attach(broker, stream, 9, bob), 0);
	stall(STREAM, 9, 7);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	CHECK_EQ(fetched(bob).index, 7);
}

TEST(one_substream_of_several_is_answered_one_by_one)
{
	struct iopf_response out[64];

	streams();
	CHECK_EQ(iopf_broker_attach(broker, stream, 4, bob), 0);
	stall(STREAM, IOPF_PASID_NONE, 1);
	stall(STREAM, 4, 2);
	CHECK_EQ(iopf_broker_detach(broker, stream, 4), 0);
	CHECK_EQ(iopf_broker_step(broker, stream), IOPF_STEP_DRAIN);
	stall(STREAM, 4, 3);
	CHECK_EQ(did(0), IOPF_STEP_RESPOND);
	CHECK_EQ(left(out), 2);
	CHECK_EQ(out[0].code, IOPF_INVALID);
	CHECK_EQ(did(0), IOPF_STEP_DONE);
	CHECK_EQ(fetched(alice).index, 1);
}

TEST(late_answer_to_a_terminated_stall_resumes_nothing)
{
	struct iopf_response out[64];
	struct iopf_group group;

	streams();
	stall(STREAM, IOPF_PASID_NONE, 1);
	group = fetched(alice);
	begin_reset();
	while (did(0) != IOPF_STEP_DONE)
		;
	CHECK_EQ(iopf_broker_enable(broker, stream), 0);
	stall(STREAM, IOPF_PASID_NONE, 1);
	CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns), -ENOENT);
	CHECK_EQ(COUNTED(ROW_OWNER(alice), refused_stale), 1);
	CHECK_EQ(left(out), 0);
}

TEST(iommu_that_cannot_terminate_fails_the_stream)
{
	three_stalls();
	begin_disable();
	CHECK_EQ(did(0), IOPF_STEP_TERMINATE);
	CHECK_EQ(did(-ETIMEDOUT), -ETIMEDOUT);
	CHECK_EQ(iopf_broker_enable(broker, stream), -EBUSY);
	CHECK_EQ(events[IOPF_EVENT_OPERATION_FAILED], 1);
	begin_reset();
	while (did(0) != IOPF_STEP_DONE)
		;
	CHECK_EQ(iopf_broker_enable(broker, stream), 0);
}

int main(void)
{
	return test_main();
}
