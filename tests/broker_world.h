/* SPDX-License-Identifier: BSD-3-Clause */
/* broker_world.h - a broker with one source, two owners and a few endpoints, for tests. */
#ifndef TESTS_BROKER_WORLD_H
#define TESTS_BROKER_WORLD_H

#include <errno.h>

#include "iopf/iopf.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, UNKNOWN_RID = 0x0999 };
enum { SPARE_SLOTS = 8 }; /* of each endpoint: what left last stays known */

static struct iopf_broker *broker;
static uint32_t source, alice, bob, endpoint, other;
static uint64_t now_ns;
static unsigned events[IOPF_EVENT_KIND_COUNT];
static uint64_t taken[1024];
static unsigned taken_count;

__attribute__((unused)) static void on_event(void *context,
					     const struct iopf_event *event)
{
	(void)context;
	events[event->kind]++;
}

__attribute__((unused)) static void on_taken(void *context, uint64_t token,
					     enum iopf_ending ending)
{
	(void)context;
	(void)ending;
	taken[taken_count++ % 1024] = token;
}

static struct iopf_broker_options world_options(void)
{
	return (struct iopf_broker_options){
		.size_bytes = sizeof(struct iopf_broker_options),
		.instance = 5,
		.source_max = 2,
		.endpoint_max = 8,
		.owner_max = 4,
		.attachment_max = 32,
		.group_max = 256,
		.inbox_entries = 16,
		.private_data = true,
		.event = on_event,
	};
}

static void *world_memory(size_t size_bytes)
{
	static _Alignas(64) uint8_t memory[1 << 20];

	if (size_bytes > sizeof(memory))
		abort();
	memset(memory, 0xa5, size_bytes);
	return memory;
}

static void world_endpoint(uint32_t rid, uint32_t allocation, bool pasid, uint32_t *out)
{
	int added = iopf_broker_add_endpoint(
		broker,
		&(struct iopf_endpoint_options){ .size_bytes = sizeof(struct iopf_endpoint_options),
						 .source = source,
						 .rid = rid,
						 .allocation = allocation,
						 .pasid_in_response = pasid },
		out);

	CHECK_EQ(added, 0);
}

static uint32_t world_owner(uint32_t flags)
{
	uint32_t owner;

	CHECK_EQ(iopf_broker_add_owner(
			 broker,
			 &(struct iopf_owner_options){
				 .size_bytes = sizeof(struct iopf_owner_options),
				 .flags = flags,
				 .taken = on_taken },
			 &owner),
		 0);
	return owner;
}

/* Endpoint RID has @allocation credits; alice owns PASID 1 and none. */
__attribute__((unused)) static void world_options_create(const struct iopf_broker_options *options,
				 uint32_t allocation)
{
	size_t size = iopf_broker_size_bytes(options);

	memset(events, 0, sizeof(events));
	taken_count = 0;
	now_ns = 1000;
	CHECK(size > 0);
	CHECK_EQ(iopf_broker_create(options, world_memory(size), size, &broker), 0);
	CHECK_EQ(iopf_broker_add_source(
			 broker,
			 &(struct iopf_source_options){
				 .size_bytes = sizeof(struct iopf_source_options),
				 .usable_entries = 120,
				 .reserve_count = 8 },
			 &source),
		 0);
	alice = world_owner(IOPF_OWNER_MAY_FAIL);
	bob = world_owner(0);
	world_endpoint(RID, allocation, true, &endpoint);
	world_endpoint(OTHER_RID, 4, false, &other);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 1, alice), 0);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, IOPF_PASID_NONE, alice), 0);
	CHECK_EQ(iopf_broker_attach(broker, other, 1, alice), 0);
}

__attribute__((unused)) static void world_policy(uint32_t owner, struct iopf_policy policy)
{
	CHECK_EQ(iopf_broker_set_policy(broker, owner, &policy), 0);
}

__attribute__((unused)) static void world_alone(uint32_t allocation)
{
	struct iopf_broker_options options = world_options();

	world_options_create(&options, allocation);
}

/* And bob owns PASID 2: half of the credits are his. */
__attribute__((unused)) static void world_create(uint32_t allocation)
{
	world_alone(allocation);
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 2, bob), 0);
}

__attribute__((unused)) static struct iopf_request
a_request(uint32_t rid, uint32_t pasid, uint16_t index, uint64_t addr, uint8_t flags)
{
	return (struct iopf_request){ .rid = rid,
				      .pasid = pasid,
				      .index = index,
				      .addr = addr,
				      .perm = IOPF_READ,
				      .flags = flags };
}

/* The endpoint RID asks: PASID, index, address, IOPF_LAST or 0. */
__attribute__((unused)) static void ask(uint32_t pasid, uint16_t index, uint64_t addr,
					uint8_t flags)
{
	struct iopf_request request = a_request(RID, pasid, index, addr, flags);

	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
}

__attribute__((unused)) static struct iopf_group fetched(uint32_t owner)
{
	struct iopf_group group;

	CHECK_EQ(iopf_broker_fetch(broker, owner, &group, now_ns), 0);
	return group;
}

__attribute__((unused)) static bool nothing_for(uint32_t owner)
{
	struct iopf_group group;

	return iopf_broker_fetch(broker, owner, &group, now_ns) == -EAGAIN;
}

/* The one response that is to leave. */
__attribute__((unused)) static struct iopf_response response(void)
{
	struct iopf_response out[2];

	CHECK_EQ(iopf_broker_respond(broker, source, out, 2, now_ns), 1);
	return out[0];
}

__attribute__((unused)) static int responses(void)
{
	struct iopf_response out[256];

	return iopf_broker_respond(broker, source, out, 256, now_ns);
}

#define ROW_ENDPOINT(id) (iopf_broker_stats(broker)->row[id])
#define ROW_OWNER(id)    (iopf_broker_stats(broker)->row[8 + (id)])
#define ROW_SOURCE(id)   (iopf_broker_stats(broker)->row[8 + 4 + (id)])
#define COUNTED(row, name) ((row).counter[IOPF_COUNTER_##name])
#define GAUGE(id, name)     iopf_broker_gauge(broker, id, IOPF_GAUGE_##name)

#endif
