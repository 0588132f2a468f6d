/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: 10^6 answers from several threads, some of them twice, and each group gets
 * the one response that was said for it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "iopf/iopf.h"
#include "test.h"

/* A thread's groups are answered in order: an index is free again after INDICES. */
enum { THREADS = 3, WINDOW = 64, PER_THREAD = 333334, ENTRIES = 32, INDICES = 170 };

/* Tokens for one thread: the broker's thread puts, the other takes. */
struct work {
	_Alignas(64) uint64_t tokens[WINDOW];
	atomic_uint put;
	_Alignas(64) atomic_uint taken;
	uint64_t twice;
	uint32_t owner;
};

static struct iopf_broker *broker;
static uint32_t source;
static struct work works[THREADS];

static enum iopf_code code_for(uint64_t token)
{
	return token % 3 == 0 ? IOPF_INVALID : IOPF_SUCCESS;
}

static void say(struct work *work, uint64_t token)
{
	while (iopf_broker_answer_remote(broker, work->owner, token, code_for(token)) != 0)
		sched_yield(); /* the inbox is full */
}

static void *answer_thread(void *argument)
{
	struct work *work = argument;

	for (unsigned n = 0; n < PER_THREAD; n++) {
		uint64_t token;

		while (atomic_load_explicit(&work->put, memory_order_acquire) == n)
			sched_yield();
		token = work->tokens[n % WINDOW];
		atomic_store_explicit(&work->taken, n + 1, memory_order_release);
		say(work, token);
		if (n % 16 == 0) {
			say(work, token);
			work->twice++;
		}
	}
	return NULL;
}

static void create(void)
{
	static _Alignas(64) uint8_t memory[1 << 18];
	struct iopf_broker_options options = { .size_bytes = sizeof(options),
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = 1,
					       .owner_max = 1,
					       .attachment_max = 1,
					       .group_max = THREADS * WINDOW + 1,
					       .inbox_entries = ENTRIES };
	struct iopf_source_options queue = { .size_bytes = sizeof(queue),
					     .reserve_count = 1 };
	struct iopf_owner_options owner = { .size_bytes = sizeof(owner) };
	struct iopf_endpoint_options endpoint = { .size_bytes = sizeof(endpoint),
						  .allocation = THREADS * WINDOW,
						  .pasid_in_response = true };
	uint32_t id, it;

	CHECK(iopf_broker_size_bytes(&options) <= sizeof(memory));
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof(memory), &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker, &queue, &source), 0);
	CHECK_EQ(iopf_broker_add_owner(broker, &owner, &it), 0);
	CHECK_EQ(iopf_broker_add_endpoint(broker, &endpoint, &id), 0);
	CHECK_EQ(iopf_broker_attach(broker, id, 1, it), 0);
	for (unsigned i = 0; i < THREADS; i++)
		works[i].owner = it;
}

/* One more group for whom it is the turn of, if there is room. */
static bool give(unsigned thread, uint64_t now_ns)
{
	struct work *work = &works[thread];
	unsigned put = atomic_load_explicit(&work->put, memory_order_relaxed);
	struct iopf_request request = { .pasid = 1,
					.index = (uint16_t)(thread * INDICES + put % INDICES),
					.addr = now_ns << 12,
					.perm = IOPF_READ,
					.flags = IOPF_LAST };
	struct iopf_group group;

	if (put == PER_THREAD ||
	    put - atomic_load_explicit(&work->taken, memory_order_acquire) == WINDOW ||
	    iopf_broker_gauge(broker, 0, IOPF_GAUGE_credits_in_use) == THREADS * WINDOW)
		return false;
	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
	CHECK_EQ(iopf_broker_fetch(broker, works->owner, &group, now_ns), 0);
	work->tokens[put % WINDOW] = group.token;
	atomic_store_explicit(&work->put, put + 1, memory_order_release);
	return true;
}

static unsigned take(uint64_t now_ns)
{
	struct iopf_response responses[WINDOW];
	int got = iopf_broker_respond(broker, source, responses, WINDOW, now_ns);

	CHECK(got >= 0);
	for (int i = 0; i < got; i++)
		CHECK_EQ(responses[i].code, code_for(responses[i].token));
	return (unsigned)got;
}

TEST(answers_of_many_threads_are_each_taken_once)
{
	const struct iopf_stats_row *row;
	pthread_t threads[THREADS];
	uint64_t twice = 0, now_ns = 0, out = 0;
	unsigned polled = 0;

	create();
	row = &iopf_broker_stats(broker)->row[1];
	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, answer_thread, &works[i]), 0);
	while (out < THREADS * (uint64_t)PER_THREAD) {
		bool given = give((unsigned)(now_ns % THREADS), now_ns);
		int done = iopf_broker_poll(broker, 16, now_ns++);

		CHECK(done >= 0 && done <= 16);
		polled += (unsigned)done;
		out += take(now_ns);
		if (!given && done == 0)
			sched_yield();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		twice += works[i].twice;
	}
	while (iopf_broker_poll(broker, 16, now_ns) > 0)
		polled++;
	CHECK_EQ(row->counter[IOPF_COUNTER_ended_success] +
			 row->counter[IOPF_COUNTER_ended_invalid],
		 out);
	CHECK_EQ(row->counter[IOPF_COUNTER_refused_duplicate] +
			 row->counter[IOPF_COUNTER_refused_stale],
		 twice);
	CHECK_EQ(row->counter[IOPF_COUNTER_refused_unknown], 0);
	CHECK(polled >= out);
}

int main(void)
{
	return test_main();
}
