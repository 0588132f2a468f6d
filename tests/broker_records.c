/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what happened stands in the recorder, and what is so on the page. */
#include "broker_world.h"

enum { RECORDS = 64 };

static _Alignas(64) uint8_t ring[sizeof(struct iopf_recorder) +
				 RECORDS * sizeof(struct iopf_record)];
static struct iopf_recorder *recorder;
static uint64_t at;

static void create(uint32_t allocation)
{
	struct iopf_broker_options options = world_options();

	recorder = iopf_recorder_create(ring, sizeof(ring));
	options.recorder = recorder;
	world_options_create(&options, allocation);
	at = recorder->head;
}

/* The next entry, which is of this kind and with this detail. */
static const struct iopf_record *next(enum iopf_record_kind kind, unsigned detail)
{
	const struct iopf_record *entry = &recorder->entry[at % RECORDS];

	CHECK(at < recorder->head);
	at++;
	CHECK_EQ(entry->kind, kind);
	CHECK_EQ(entry->detail, detail);
	return entry;
}

TEST(each_step_of_a_group_is_one_entry)
{
	const struct iopf_record *entry;
	struct iopf_group group;

	create(4);
	for (uint16_t i = 0; i < 2; i++) { /* by the long way and by the short one */
		now_ns = 1000;
		ask(1, i, 0x7000, IOPF_LAST);
		now_ns = 1001;
		group = fetched(alice);
		now_ns = 1002;
		iopf_broker_answer(broker, alice, group.token, IOPF_INVALID, now_ns);
		now_ns = 1003;
		response();
		entry = next(IOPF_RECORD_REQUEST, IOPF_LAST);
		CHECK_EQ(entry->data, 0x7000 | IOPF_READ);
		CHECK_EQ(entry->pasid, 1);
		CHECK_EQ(entry->endpoint, endpoint);
		CHECK_EQ(entry->token, group.token);
		CHECK_EQ(entry->ns, 1000);
		CHECK_EQ(next(IOPF_RECORD_SHOW, IOPF_READ)->ns, 1001);
		CHECK_EQ(next(IOPF_RECORD_ANSWER, IOPF_INVALID)->ns, 1002);
		entry = next(IOPF_RECORD_RESPONSE,
			     IOPF_INVALID << 4 | IOPF_ENDING_invalid);
		CHECK_EQ(entry->ns, 1003);
		CHECK_EQ(entry->token, group.token);
		CHECK_EQ(at, recorder->head);
	}
}

TEST(group_that_the_host_ends_is_recorded_before_its_response)
{
	struct iopf_group group;

	create(4);
	ask(1, 5, 0x7000, IOPF_LAST);
	group = fetched(alice);
	iopf_broker_end(broker, group.token, IOPF_INVALID, IOPF_ENDING_quota, now_ns);
	response();
	next(IOPF_RECORD_REQUEST, IOPF_LAST);
	next(IOPF_RECORD_SHOW, IOPF_READ);
	CHECK_EQ(next(IOPF_RECORD_DROP, IOPF_ENDING_quota)->data, 0x7000);
	CHECK_EQ(next(IOPF_RECORD_EVENT, IOPF_EVENT_TAKEN)->token, group.token);
	next(IOPF_RECORD_RESPONSE, IOPF_INVALID << 4 | IOPF_ENDING_quota);
}

TEST(storm_of_refused_answers_leaves_room_in_the_recorder)
{
	create(4);
	ask(1, 5, 0x7000, IOPF_LAST);
	for (unsigned i = 0; i < 1000; i++)
		iopf_broker_answer(broker, bob, i, IOPF_SUCCESS, now_ns);
	next(IOPF_RECORD_REQUEST, IOPF_LAST);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(next(IOPF_RECORD_REFUSE, IOPF_COUNTER_refused_unknown)->data,
			 bob);
	CHECK_EQ(at, recorder->head);
}

TEST(stop_overflow_attachment_and_operation_are_recorded)
{
	struct iopf_request stop = a_request(RID, 1, 0, 0, IOPF_STOP);

	create(4);
	ask(1, 1, 0x1000, 0);
	iopf_broker_request(broker, source, &stop, now_ns);
	next(IOPF_RECORD_REQUEST, 0);
	next(IOPF_RECORD_STOP, 0);
	next(IOPF_RECORD_DROP, IOPF_ENDING_malformed);
	iopf_broker_overflow(broker, source, now_ns);
	next(IOPF_RECORD_OVERFLOW, 0);
	next(IOPF_RECORD_EVENT, IOPF_EVENT_OVERFLOW);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 7, bob), 0);
	CHECK_EQ(next(IOPF_RECORD_ATTACH, 0)->pasid, 7);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 7), 0);
	CHECK_EQ(next(IOPF_RECORD_OPERATION, IOPF_OPERATION_DETACH)->data, IOPF_STEP_DRAIN);
	iopf_broker_did(broker, endpoint, 0, now_ns);
	CHECK_EQ(next(IOPF_RECORD_OPERATION, IOPF_OPERATION_DETACH)->pasid, 7);
}

TEST(without_a_recorder_nothing_is_missing)
{
	world_create(4);
	ask(1, 1, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 1);
}

TEST(writer_stays_in_its_ring_whatever_a_reader_writes_there)
{
	create(4);
	recorder->entry_count = UINT32_MAX;
	recorder->head = UINT64_MAX - 1;
	for (uint16_t i = 0; i < 3; i++)
		ask(1, i, 0x1000, IOPF_LAST);
	CHECK_EQ(fetched(alice).index, 0);
}

TEST(poll_publishes_the_gauges_of_one_endpoint_after_the_other)
{
	world_create(4);
	ask(1, 1, 0x1000, IOPF_LAST);
	ask(1, 2, 0x1000, 0);
	iopf_broker_poll(broker, 1, now_ns);
	iopf_broker_poll(broker, 1, now_ns);
	CHECK_EQ(ROW_ENDPOINT(endpoint).gauge[IOPF_GAUGE_ready], 1);
	CHECK_EQ(ROW_ENDPOINT(endpoint).gauge[IOPF_GAUGE_partial], 1);
	CHECK_EQ(ROW_ENDPOINT(endpoint).gauge[IOPF_GAUGE_credits_in_use], 2);
}

int main(void)
{
	return test_main();
}
