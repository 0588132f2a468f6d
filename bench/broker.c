/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench/broker.c - one fault's way through the ledger: a one-request group comes in, is
 * fetched, answered, and its response taken. Every check, the recorder, the statistics
 * page, a deadline, a quota and the liar limit are on. Many groups stay open; they are
 * answered oldest first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "iopf/iopf.h"

enum {
	BATCH = 64,
	INDICES = 512, /* PRG indices: 9 bits */
	ENDPOINT_MAX = 128,
	RESERVE = 16,
	RECORDS = 4096,
	PASID = 7,
};
#define DEADLINE_NS UINT64_C(3600000000000)

struct world {
	struct iopf_broker *broker;
	void *memory, *recorder_memory;
	uint64_t *tokens; /* of what is open, in its order; a ring of whole batches */
	uint64_t asked, answered, now_ns;
	uint32_t source, owner;
	uint32_t token_mask, endpoints;
	uint32_t rid; /* whose turn it is to ask, and */
	uint16_t index; /* with which index */
};

/* ---- Steps ------------------------------------------------------------------------------- */

/* Functions take turns, and each takes its indices in turn. */
static uint64_t ask(struct world *world)
{
	struct iopf_request requests[BATCH];
	uint32_t rid = world->rid;
	uint16_t index = world->index;

	for (unsigned i = 0; i < BATCH; i++) {
		requests[i] = (struct iopf_request){ .addr = (world->asked + i) << 12,
						     .rid = rid,
						     .pasid = PASID,
						     .index = index,
						     .perm = IOPF_READ | IOPF_WRITE,
						     .flags = IOPF_LAST };
		if (++rid == world->endpoints) {
			rid = 0;
			index = (uint16_t)((index + 1u) % INDICES);
		}
	}
	world->rid = rid;
	world->index = index;
	world->now_ns += BATCH;
	return (uint64_t)iopf_broker_requests(world->broker, world->source, requests, BATCH,
					      world->now_ns) ^ BATCH;
}

static uint64_t fetch(struct world *world)
{
	uint64_t *tokens = &world->tokens[world->asked & world->token_mask];
	struct iopf_group groups[BATCH];
	uint64_t wrong;

	wrong = (uint64_t)iopf_broker_fetch_many(world->broker, world->owner, groups, BATCH,
						 world->now_ns) ^ BATCH;
	for (unsigned i = 0; i < BATCH; i++)
		tokens[i] = groups[i].token;
	wrong |= groups[BATCH - 1].page.addr ^ (world->asked + BATCH - 1) << 12;
	world->asked += BATCH;
	return wrong;
}

static uint64_t answer(struct world *world)
{
	const uint64_t *tokens = &world->tokens[world->answered & world->token_mask];
	struct iopf_answer answers[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		answers[i] = (struct iopf_answer){ .token = tokens[i],
						   .code = IOPF_SUCCESS };
	return (uint64_t)iopf_broker_answers(world->broker, world->owner, answers, BATCH,
					     world->now_ns) ^ BATCH;
}

static uint64_t respond(struct world *world)
{
	const uint64_t *tokens = &world->tokens[world->answered & world->token_mask];
	struct iopf_response responses[BATCH];
	uint64_t wrong = 0;

	if (iopf_broker_respond(world->broker, world->source, responses, BATCH,
				world->now_ns) != BATCH)
		return 1;
	for (unsigned i = 0; i < BATCH; i++)
		wrong |= responses[i].token ^ tokens[i];
	world->answered += BATCH;
	return wrong;
}

static uint64_t faults(void *context, uint64_t steps)
{
	struct world *world = context;
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < steps; i += BATCH) {
		wrong |= ask(world);
		wrong |= fetch(world);
		wrong |= answer(world);
		wrong |= respond(world);
		iopf_broker_poll(world->broker, BATCH, world->now_ns);
	}
	return wrong;
}

/* ---- The world: @open groups, a power of two, on as many functions as they need --------- */

static void *lines(size_t size_bytes)
{
	void *memory = aligned_alloc(64, (size_bytes + 63) / 64 * 64);

	if (memory != NULL) /* touched, so that nothing is paged in while it counts */
		memset(memory, 0, size_bytes);
	return memory;
}

static int populate(struct world *world, uint32_t open)
{
	struct iopf_source_options source = { .size_bytes = sizeof(source),
					      .reserve_count = RESERVE };
	struct iopf_owner_options owner = { .size_bytes = sizeof(owner),
					    .policy = IOPF_POLICY_DEFAULT };
	int failed = iopf_broker_add_source(world->broker, &source, &world->source);

	owner.policy.deadline_ns = DEADLINE_NS;
	owner.policy.quota_groups = open;
	failed |= iopf_broker_add_owner(world->broker, &owner, &world->owner);
	for (uint32_t rid = 0; rid < world->endpoints; rid++) {
		struct iopf_endpoint_options options = {
			.size_bytes = sizeof(options),
			.source = world->source,
			.rid = rid,
			.allocation = open / world->endpoints,
			.pasid_in_response = true,
		};
		uint32_t endpoint;

		failed |= iopf_broker_add_endpoint(world->broker, &options, &endpoint);
		failed |= iopf_broker_attach(world->broker, endpoint, PASID,
					     world->owner);
	}
	for (uint32_t i = 0; failed == 0 && i < open - BATCH; i += BATCH)
		failed = (ask(world) | fetch(world)) == 0 ? 0 : -EIO;
	return failed;
}

static int world_create(struct world *world, uint32_t open)
{
	size_t recorder_bytes = sizeof(struct iopf_recorder) +
				RECORDS * sizeof(struct iopf_record);
	struct iopf_broker_options options = {
		.size_bytes = sizeof(options),
		.instance = 1,
		.source_max = 1,
		.endpoint_max = ENDPOINT_MAX,
		.owner_max = 1,
		.attachment_max = ENDPOINT_MAX,
		.group_max = open + RESERVE,
	};
	size_t size_bytes = iopf_broker_size_bytes(&options);

	*world = (struct world){ .endpoints = (open + INDICES - 1) / INDICES,
				 .token_mask = open - 1,
				 .memory = lines(size_bytes),
				 .recorder_memory = lines(recorder_bytes),
				 .tokens = lines(open * sizeof(uint64_t)) };
	if (world->memory == NULL || world->recorder_memory == NULL ||
	    world->tokens == NULL)
		return -ENOMEM;
	options.recorder = iopf_recorder_create(world->recorder_memory, recorder_bytes);
	if (iopf_broker_create(&options, world->memory, size_bytes, &world->broker) != 0)
		return -EINVAL;
	return populate(world, open);
}

static void world_destroy(struct world *world)
{
	if (world->broker != NULL)
		iopf_broker_destroy(world->broker);
	free(world->tokens);
	free(world->recorder_memory);
	free(world->memory);
}

/* ---- Benchmarks --------------------------------------------------------------------------- */

enum { STEPS = 1 << 16, PLAIN_STEPS = 1 << 20 };

int bench_broker(double seconds, struct bench_result *result)
{
	struct world world;
	struct bench_work figure = { faults, &world, STEPS };
	struct bench_work plain = { bench_copy_and_check, NULL, PLAIN_STEPS };
	int failed = world_create(&world, 512);

	if (failed == 0)
		failed = bench_compare(&figure, &plain, seconds, result);
	world_destroy(&world);
	return failed;
}

int bench_broker_growth(double seconds, struct bench_result *result)
{
	struct world many, few = { 0 };
	struct bench_work figure = { faults, &many, STEPS };
	struct bench_work plain = { faults, &few, STEPS };
	int failed = world_create(&many, 65536);

	if (failed == 0)
		failed = world_create(&few, 64);
	if (failed == 0)
		failed = bench_compare(&figure, &plain, seconds, result);
	world_destroy(&many);
	world_destroy(&few);
	return failed;
}
