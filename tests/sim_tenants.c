/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what one tenant leaves behind, and what it does, stays its own. */
#include <errno.h>

#include "host/host.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, PAGER_RID = 0x0400, SECOND = 1000000000 };

static struct world world;
static struct iopf_note last_invalidation;
static uint32_t widest;

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	if (note->kind != IOPF_NOTE_INVALIDATE)
		return;
	last_invalidation = *note;
	if (note->command->kind == IOPF_COMMAND_INVALIDATE_IOTLB)
		widest |= 1u << note->command->granularity;
}

static void create_world(uint64_t hold_ns)
{
	static struct world_function_options functions[2];
	static struct world_guest_options guests[2];
	struct world_options options = { .guest_count = 2,
					 .guests = guests,
					 .request_order = 1,
					 .note = on_note };

	for (unsigned i = 0; i < 2; i++) {
		functions[i] = (struct world_function_options){ .rid = i ? OTHER_RID : RID,
								.allocation = 8 };
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[i],
							  .request_order = 3,
							  .hold_ns = hold_ns };
	}
	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
}

static void settle(void)
{
	CHECK(world_settle(&world, 200000));
}

static enum model_job_status fill(uint32_t rid, uint32_t pasid, uint64_t addr, uint64_t pages)
{
	world_job(&world, rid, 0, pasid, MODEL_JOB_FILL, 0, addr, pages * 4096);
	settle();
	return world_job_status(&world, rid, 0);
}

static void silence(uint32_t rid, bool silent)
{
	model_function_answer_invalidations(world_function(&world, rid)->function, !silent);
}

static void pass(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		settle();
		world.now_ns += SECOND;
	}
	settle();
}

static void command(uint32_t guest, struct iopf_command value)
{
	CHECK_EQ(iopf_agent_command(world.guests[guest].agent, &value), 0);
	iopf_agent_kick(world.guests[guest].agent);
}

static struct iopf_host_stats host_stats(void)
{
	struct iopf_host_stats stats;

	iopf_host_stats(world.host, &stats);
	return stats;
}

/* ---- Functions that go from one tenant to another ------------------------------- */

static struct world_function *plugged;

static int add_pager(uint64_t out, uint32_t pasid, uint32_t allocation, uint32_t *id)
{
	const struct iopf_pager_region region = { .addr = 0x40000000,
						  .out = out,
						  .size_bytes = 1 << 20,
						  .perm = IOPF_READ | IOPF_WRITE };
	const struct iopf_host_function_options function = { .rid = PAGER_RID,
							     .allocation = allocation,
							     .ops = &world_function_ops,
							     .context = plugged };
	const struct iopf_host_pager_options options = { .size_bytes = sizeof(options),
							 .function_count = 1,
							 .functions = &function,
							 .pasids = &pasid,
							 .pasid_count = 1,
							 .regions = &region,
							 .region_count = 1 };

	return iopf_host_add_pager(world.host, &options, id);
}

static void remove_member(uint32_t id)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < 1000 && error == -EAGAIN; i++) {
		error = iopf_host_remove_guest(world.host, id, world.now_ns);
		world_turn(&world);
	}
	CHECK_EQ(error, 0);
}

static void plug(void)
{
	CHECK_EQ(world_plug(&world,
			    &(struct world_function_options){ .rid = PAGER_RID,
							      .allocation = 8 },
			    &plugged),
		 0);
}

static uint8_t *guest_byte(uint32_t guest, uint64_t offset)
{
	return (uint8_t *)world.guests[guest].memory + offset;
}

TEST(function_that_moves_on_finds_nothing_of_its_last_owner)
{
	uint32_t id;

	create_world(0);
	plug();
	CHECK_EQ(add_pager((UINT64_C(1) << 32) + 0x2000000, 5, 8, &id), 0);
	CHECK_EQ(fill(PAGER_RID, 5, 0x40000000, 1), MODEL_JOB_STATUS_done);
	remove_member(id);
	memset(guest_byte(0, 0x2000000), 0xee, 4096);
	CHECK_EQ(add_pager((UINT64_C(2) << 32) + 0x2000000, 5, 8, &id), 0);
	CHECK_EQ(fill(PAGER_RID, 5, 0x40000000, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(*guest_byte(0, 0x2000000), 0xee);
	court_destroy(&world);
}

TEST(members_that_come_and_go_cost_no_page_for_good)
{
	uint32_t id;

	create_world(0);
	plug();
	/* 24 MiB hold 6144 pages; a round takes one for its stage, or four. */
	for (unsigned i = 0; i < 4000; i++) {
		CHECK_EQ(add_pager(UINT64_C(1) << 32, 5, 8, &id), 0);
		if (i % 2 == 0)
			CHECK_EQ(fill(PAGER_RID, 5, 0x40000000 + i % 256 * 4096, 1),
				 MODEL_JOB_STATUS_done);
		remove_member(id);
	}
	court_destroy(&world);
}

TEST(member_that_is_refused_leaves_nothing_behind)
{
	uint32_t id;

	create_world(0);
	plug();
	for (unsigned i = 0; i < 2000; i++) {
		CHECK_EQ(add_pager(UINT64_C(1) << 32, IOPF_PASID_MAX + 1, 8, &id), -EINVAL);
		for (unsigned j = 0; j < 40; j++)
			world_turn(&world);
		CHECK_EQ(add_pager(UINT64_C(1) << 32, 5, 513, &id), -EINVAL);
	}
	settle();
	CHECK(!world_state(&world, PAGER_RID).enabled);
	CHECK_EQ(add_pager(UINT64_C(1) << 32, 5, 8, &id), 0);
	CHECK_EQ(fill(PAGER_RID, 5, 0x40000000, 1), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(number_of_a_removed_function_gives_its_guest_no_other_function)
{
	uint32_t id = IOPF_NO_ID, mine, next = IOPF_NO_ID;
	struct iopf_host_stats before;

	create_world(0);
	plug();
	mine = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_host_remove_function(world.host, mine, world.now_ns), 0);
	settle();
	/* Numbers go in turn and come round. */
	for (unsigned i = 0; i < 2 * WORLD_FUNCTION_MAX && next != mine; i++) {
		if (id != IOPF_NO_ID)
			remove_member(id);
		CHECK_EQ(add_pager((UINT64_C(2) << 32) + 0x2000000, 5, 8, &id), 0);
		next = iopf_host_endpoint(world.host, PAGER_RID);
	}
	CHECK_EQ(next, mine);
	before = host_stats();
	world_attach(&world, 0, RID, 9);
	CHECK_EQ(iopf_broker_detach(iopf_host_broker(world.host), mine, 9), -ENOENT);
	CHECK_EQ(host_stats().attach_failed, before.attach_failed);
	CHECK_EQ(fill(PAGER_RID, 5, 0x40000000, 1), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(guest_that_goes_through_all_pasids_keeps_no_page_for_each)
{
	uint32_t used;

	create_world(0);
	used = world.host->pages.used_count;
	for (uint32_t pasid = 64; pasid < 64 * 200; pasid += 64) {
		CHECK_EQ(world_attach(&world, 0, RID, pasid), 0);
		CHECK_EQ(world_detach(&world, 0, RID, pasid), 0);
	}
	CHECK_EQ(world.host->pages.used_count, used);
	court_destroy(&world);
}

/* ---- Functions that do not answer ------------------------------------------------ */

static void lonely_invalidation(uint32_t guest, uint32_t rid)
{
	command(guest, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_ALL,
					      .rid = rid,
					      .pasid = 7 });
}

TEST(wait_of_a_neighbour_is_not_lost_with_somebodys_timeout)
{
	create_world(0);
	silence(RID, true);
	lonely_invalidation(0, RID); /* no wait stands behind it */
	pass(3);
	CHECK_EQ(world_detach(&world, 1, OTHER_RID, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
	CHECK_EQ(fill(OTHER_RID, 7, 0x30000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(function_that_does_not_answer_stops_the_queue_once)
{
	uint32_t endpoint;

	create_world(0);
	silence(RID, true);
	for (unsigned i = 0; i < 8; i++)
		lonely_invalidation(0, RID);
	pass(3);
	CHECK(host_stats().timeouts <= 8);
	for (unsigned i = 0; i < 8; i++)
		lonely_invalidation(0, RID);
	world.hold_engines = false;
	CHECK_EQ(fill(OTHER_RID, 7, 0x30000, 2), MODEL_JOB_STATUS_done);
	CHECK_EQ(host_stats().blocked, 1);
	/* What it still knows is worth nothing. */
	CHECK_EQ(fill(RID, 7, 0x30000, 1) != MODEL_JOB_STATUS_done, true);
	silence(RID, false);
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_host_reset_function(world.host, endpoint, world.now_ns), 0);
	settle();
	CHECK_EQ(fill(RID, 7, 0x30000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(detach_that_took_too_long_for_its_guest_is_finished_all_the_same)
{
	uint32_t endpoint;

	create_world(SECOND / 2);
	CHECK_EQ(world_attach(&world, 0, RID, 8), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 9), 0);
	CHECK_EQ(fill(RID, 7, 0x30000, 1), MODEL_JOB_STATUS_done);
	endpoint = iopf_host_endpoint(world.host, RID);
	silence(RID, true);
	iopf_agent_detach(world.guests[0].agent, RID, 7);
	iopf_agent_detach(world.guests[0].agent, RID, 8);
	iopf_agent_kick(world.guests[0].agent);
	for (unsigned i = 0; i < 8; i++) {
		settle();
		iopf_agent_poll(world.guests[0].agent, 64);
		iopf_agent_recover(world.guests[0].agent);
		iopf_agent_kick(world.guests[0].agent);
		world.now_ns += SECOND / 2;
	}
	silence(RID, false);
	iopf_host_reset_function(world.host, endpoint, world.now_ns);
	pass(2);
	CHECK(!iopf_host_busy(world.host, endpoint));
	CHECK_EQ(world_attach(&world, 0, RID, 10), 0);
	CHECK_EQ(fill(RID, 10, 0x30000, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(RID, 9, 0x30000, 1), MODEL_JOB_STATUS_done);
	CHECK(fill(RID, 8, 0x30000, 1) != MODEL_JOB_STATUS_done);
	CHECK_EQ(world_detach(&world, 0, RID, 10), 0);
	CHECK_EQ(world_detach(&world, 0, RID, 9), 0);
	court_destroy(&world);
}

/* ---- What a guest asks for -------------------------------------------------------- */

TEST(global_invalidation_of_a_guest_is_global_for_itself)
{
	create_world(0);
	widest = 0;
	command(0, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					  .granularity = IOPF_ALL,
					  .pasid = IOPF_PASID_NONE });
	settle();
	CHECK_EQ(widest, 1u << IOPF_ONE_PASID);
	court_destroy(&world);
}

static void raw(uint32_t rid, uint16_t index, uint64_t addr)
{
	const struct iopf_request request = { .rid = rid,
					      .pasid = 7,
					      .index = index,
					      .addr = addr,
					      .perm = IOPF_READ,
					      .flags = IOPF_LAST };

	model_function_send_raw(world_function(&world, rid)->function, 7, 0,
				iopf_pcie_encode_request(&request));
}

TEST(drain_of_a_guest_that_owes_every_index_ends)
{
	uint32_t endpoint;
	uint64_t ticket;

	create_world(0);
	world.guests[0].options.silent = true;
	endpoint = iopf_host_endpoint(world.host, RID);
	for (unsigned i = 0; i < 128; i++) {
		for (uint16_t j = 0; j < 4; j++)
			raw(RID, j, 0x10000);
		settle();
		CHECK_EQ(iopf_host_restart_function(world.host, endpoint), 0);
		settle();
	}
	raw(RID, 1, 0x10000);
	settle();
	CHECK_EQ(world_state(&world, RID).credits_in_use, 1);
	CHECK_EQ(iopf_agent_wait(world.guests[0].agent, true, &ticket), 0);
	iopf_agent_kick(world.guests[0].agent);
	settle();
	CHECK(iopf_agent_waited(world.guests[0].agent, ticket));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	court_destroy(&world);
}

TEST(flood_does_not_keep_a_neighbour_from_leaving)
{
	uint16_t index = 0;
	bool left = false;

	create_world(0);
	world.guests[0].options.silent = true;
	CHECK_EQ(iopf_agent_detach(world.guests[1].agent, OTHER_RID, 7), 0);
	iopf_agent_kick(world.guests[1].agent);
	/* As much as is taken a turn, so the queue is never seen empty. */
	for (unsigned i = 0; i < 150; i++)
		raw(RID, index++ % 512, 0x10000);
	for (unsigned i = 0; i < 200 && !left; i++) {
		for (unsigned j = 0; j < 64; j++)
			raw(RID, index++ % 512, 0x10000);
		world_turn(&world);
		iopf_agent_poll(world.guests[1].agent, 64);
		left = iopf_agent_attached(world.guests[1].agent, OTHER_RID, 7) == -ENOENT;
	}
	CHECK(left);
	CHECK_EQ(world_state(&world, OTHER_RID).enabled, true);
	court_destroy(&world);
}

/* ---- Event loops ------------------------------------------------------------------- */

TEST(next_time_is_near_while_something_waits_that_rings_nobody)
{
	create_world(0);
	settle();
	CHECK(iopf_host_next_ns(world.host) > world.now_ns + 500000);
	silence(RID, true);
	lonely_invalidation(0, RID);
	CHECK_EQ(iopf_agent_detach(world.guests[1].agent, OTHER_RID, 7), 0);
	iopf_agent_kick(world.guests[1].agent);
	settle();
	CHECK(iopf_host_next_ns(world.host) <= world.now_ns + 100000);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
