/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: somebody else reads the statistics page and the recorder all the while:
 * counters never go back, and no entry of the ring is ever torn. 10^6 operations.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "iopf/iopf.h"
#include "test.h"

enum { FAULTS = 260000, RECORDS = 64, RESET_EVERY = 1000 };

static struct iopf_broker *broker;
static struct iopf_recorder *recorder;
static uint32_t source, owner, endpoint;
static atomic_bool over;

/* Everything about fault n says n: nine slots take turns, one generation a turn, and no
 * time passes within a fault. So the words of an entry tell whether they belong together. */
enum { SLOTS = 9, SLOT_FIRST = 1 };
static bool is_whole(const uint64_t *words)
{
	struct iopf_record record;

	memcpy(&record, words, sizeof(record));
	if (record.kind >= IOPF_RECORD_ATTACH) /* a step of the endpoint, not of a group */
		return record.token == 0 && record.kind < IOPF_RECORD_KIND_COUNT;
	return ((uint32_t)record.token - UINT64_C(1)) * SLOTS +
			       (record.token >> 32 & 0x3fffff) ==
		       record.ns + SLOT_FIRST - 1 &&
	       record.data >> 12 == record.ns &&
	       record.pasid == (record.ns / 64 & IOPF_PASID_MAX) && record.endpoint == 0 &&
	       record.kind != IOPF_RECORD_NONE;
}

static uint64_t read_recorder(uint64_t *torn)
{
	static uint64_t copy[RECORDS][4];
	uint64_t head = __atomic_load_n(&recorder->head, __ATOMIC_ACQUIRE), whole = 0;
	uint64_t first = head > RECORDS ? head - RECORDS : 0, end;

	for (uint64_t n = head; n-- > first;) { /* the newest first: the most likely torn */
		const uint64_t *words = (const void *)&recorder->entry[n % RECORDS];

		for (unsigned w = 0; w < 4; w++)
			copy[n - first][w] = __atomic_load_n(&words[w], __ATOMIC_ACQUIRE);
	}
	end = head;
	head = __atomic_load_n(&recorder->head, __ATOMIC_RELAXED);
	for (uint64_t n = first; n < end; n++) {
		if (n + RECORDS <= head)
			continue; /* may have been overwritten */
		whole++;
		*torn += !is_whole(copy[n - first]);
	}
	return whole;
}

static uint64_t read_page(uint64_t seen[3][IOPF_COUNTER_COUNT])
{
	const struct iopf_stats_page *page = iopf_broker_stats(broker);
	uint64_t back = 0;

	for (unsigned row = 0; row < 3; row++)
		for (unsigned c = 0; c < IOPF_COUNTER_COUNT; c++) {
			uint64_t now = __atomic_load_n(&page->row[row].counter[c],
						       __ATOMIC_RELAXED);

			back += now < seen[row][c];
			seen[row][c] = now;
		}
	for (unsigned g = 0; g < IOPF_GAUGE_COUNT; g++)
		back += __atomic_load_n(&page->row[0].gauge[g], __ATOMIC_RELAXED) > 1;
	(void)__atomic_load_n(&page->row[0].epoch, __ATOMIC_RELAXED);
	return back;
}

static uint64_t torn, back, entries, looks;

static void *reader_thread(void *unused)
{
	static uint64_t seen[3][IOPF_COUNTER_COUNT];

	(void)unused;
	while (!atomic_load(&over) || looks < 100) {
		entries += read_recorder(&torn);
		back += read_page(seen);
		looks++;
	}
	return NULL;
}

static void create(void)
{
	static _Alignas(64) uint8_t memory[1 << 16], ring[64 + RECORDS * 32];
	struct iopf_broker_options options = { .size_bytes = sizeof(options),
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = 1,
					       .owner_max = 1,
					       .attachment_max = 1,
					       .group_max = 2 };
	struct iopf_source_options queue = { .size_bytes = sizeof(queue),
					     .reserve_count = 1 };
	struct iopf_owner_options it = { .size_bytes = sizeof(it) };
	struct iopf_endpoint_options function = { .size_bytes = sizeof(function),
						  .allocation = 1,
						  .pasid_in_response = true };

	recorder = iopf_recorder_create(ring, sizeof(ring));
	options.recorder = recorder;
	CHECK_EQ(recorder->entry_count, RECORDS);
	CHECK(iopf_broker_size_bytes(&options) <= sizeof(memory));
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof(memory), &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker, &queue, &source), 0);
	CHECK_EQ(iopf_broker_add_owner(broker, &it, &owner), 0);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &function, &endpoint), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, IOPF_PASID_ANY, owner), 0);
}

static void fault(uint64_t n)
{
	struct iopf_request request = { .pasid = n / 64 & IOPF_PASID_MAX,
					.addr = n << 12,
					.perm = IOPF_READ,
					.flags = IOPF_LAST };
	struct iopf_response response;
	struct iopf_group group;

	CHECK_EQ(iopf_broker_request(broker, source, &request, n), 0);
	CHECK_EQ(iopf_broker_fetch(broker, owner, &group, n), 0);
	if (n % RESET_EVERY == 0) {
		CHECK_EQ(iopf_broker_reset(broker, endpoint, n), 0);
		CHECK_EQ(iopf_broker_did(broker, endpoint, 0, n), IOPF_STEP_DONE);
		CHECK_EQ(iopf_broker_enable(broker, endpoint), 0);
		return;
	}
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, n), 0);
	CHECK_EQ(iopf_broker_respond(broker, source, &response, 1, n), 1);
	CHECK(iopf_broker_poll(broker, 1, n) == 0);
}

TEST(reader_beside_the_broker_sees_whole_entries_and_growing_counters)
{
	pthread_t reader;

	create();
	CHECK_EQ(pthread_create(&reader, NULL, reader_thread, NULL), 0);
	for (uint64_t n = 1; n <= FAULTS; n++)
		fault(n);
	atomic_store(&over, true);
	pthread_join(reader, NULL);
	CHECK_EQ(torn, 0);
	CHECK_EQ(back, 0);
	CHECK(entries > 1000);
	CHECK(looks >= 100);
}

int main(void)
{
	return test_main();
}
