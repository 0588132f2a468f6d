/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what an operator or a sick function does, seen at the function's end. */
#include "host/host.h"
#include "sim/world.h"

#include <errno.h>

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, PAGER_RID = 0x0400 };

static struct world world;

static void create_world(uint32_t allocation, uint32_t request_order)
{
	static struct world_function_options functions[2];
	static struct world_guest_options guests[2];
	struct world_options options = { .guest_count = 2,
					 .guests = guests,
					 .request_order = request_order };

	functions[0] = (struct world_function_options){ .rid = RID,
							.allocation = allocation };
	functions[1] = (struct world_function_options){ .rid = OTHER_RID,
							.allocation = 8 };
	for (unsigned i = 0; i < 2; i++)
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[i],
							  .request_order = 3 };
	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
}

static enum model_job_status fill(uint32_t rid, uint64_t addr, uint64_t pages)
{
	world_job(&world, rid, 0, 7, MODEL_JOB_FILL, 0, addr, pages * 4096);
	CHECK(world_settle(&world, 200000));
	return world_job_status(&world, rid, 0);
}

static void raw(uint32_t rid, uint16_t index, uint64_t addr, uint8_t flags)
{
	const struct iopf_request request = { .rid = rid,
					      .pasid = 7,
					      .index = index,
					      .addr = addr,
					      .perm = IOPF_READ,
					      .flags = flags };

	model_function_send_raw(world_function(&world, rid)->function, 7, 0,
				iopf_pcie_encode_request(&request));
}

static uint64_t counted(uint32_t rid, enum iopf_counter counter)
{
	uint32_t endpoint = iopf_host_endpoint(world.host, rid);

	CHECK(endpoint != IOPF_NO_ID);
	return iopf_broker_stats(iopf_host_broker(world.host))
		->row[endpoint]
		.counter[counter];
}

TEST(host_pager_serves_a_function_that_no_guest_owns)
{
	const struct world_function_options plugged = { .rid = PAGER_RID,
							.allocation = 8 };
	const uint32_t pasids[] = { IOPF_PASID_NONE };
	const struct iopf_pager_region region = { .addr = 0x40000000,
						  .out = UINT64_C(1) << 32,
						  .size_bytes = 1 << 20,
						  .perm = IOPF_READ | IOPF_WRITE };
	struct world_function *function;
	struct iopf_host_function_options served = { .rid = PAGER_RID, .allocation = 8 };
	struct iopf_host_pager_options options = { .size_bytes = sizeof(options),
						   .function_count = 1,
						   .functions = &served,
						   .pasids = pasids,
						   .pasid_count = 1,
						   .regions = &region,
						   .region_count = 1 };
	uint32_t id;

	create_world(8, 1);
	CHECK_EQ(world_plug(&world, &plugged, &function), 0);
	served.ops = &world_function_ops;
	served.context = function;
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), 0);
	world_job(&world, PAGER_RID, 0, IOPF_PASID_NONE, MODEL_JOB_FILL, 0, 0x40000000,
		  4 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, PAGER_RID, 0), MODEL_JOB_STATUS_done);
	world_job(&world, PAGER_RID, 0, IOPF_PASID_NONE, MODEL_JOB_FILL, 0, 0x50000000,
		  4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, PAGER_RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(world_state(&world, PAGER_RID).credits_in_use, 0);
	while (iopf_host_remove_guest(world.host, id, world.now_ns) == -EAGAIN)
		CHECK(world_settle(&world, 100000));
	CHECK_EQ(iopf_host_endpoint(world.host, PAGER_RID), IOPF_NO_ID);
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), 0);
	court_destroy(&world);
}

TEST(attachments_are_promised_once)
{
	static uint32_t pasids[1000];
	const struct world_function_options plugged = { .rid = PAGER_RID,
							.allocation = 8 };
	const struct iopf_pager_region region = { .out = UINT64_C(1) << 32,
						  .addr = 0x40000000,
						  .size_bytes = 1 << 20,
						  .perm = IOPF_READ };
	struct iopf_host_function_options served = { .rid = PAGER_RID, .allocation = 8 };
	struct iopf_host_pager_options options = { .size_bytes = sizeof(options),
						   .function_count = 1,
						   .functions = &served,
						   .pasids = pasids,
						   .pasid_count = 1000,
						   .regions = &region,
						   .region_count = 1 };
	struct world_function *function;
	uint32_t id;

	for (uint32_t i = 0; i < 1000; i++)
		pasids[i] = i + 1;
	create_world(8, 1); /* two guests of 64 address spaces each, of 1024 */
	CHECK_EQ(world_plug(&world, &plugged, &function), 0);
	served.ops = &world_function_ops;
	served.context = function;
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), -ENOSPC);
	options.pasid_count = 896;
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), 0);
	court_destroy(&world);
}

TEST(index_used_again_while_open_resets_paging_and_nothing_else)
{
	create_world(8, 1);
	world.guests[0].options.silent = true;
	raw(RID, 5, 0x10000, IOPF_LAST);
	raw(RID, 5, 0x20000, IOPF_LAST);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(counted(RID, IOPF_COUNTER_index_reused), 1);
	CHECK(!iopf_host_busy(world.host, iopf_host_endpoint(world.host, RID)));
	CHECK(world_state(&world, RID).enabled);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	world.guests[0].options.silent = false;
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	CHECK_EQ(fill(RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(OTHER_RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(removed_function_gets_no_response_and_the_others_feel_nothing)
{
	uint32_t endpoint;

	create_world(8, 1);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	endpoint = iopf_host_endpoint(world.host, RID);
	model_function_remove(world_function(&world, RID)->function);
	CHECK_EQ(iopf_host_remove_function(world.host, endpoint, world.now_ns), 0);
	for (unsigned i = 0; i < 4; i++) { /* its invalidations time out meanwhile */
		CHECK(world_settle(&world, 100000));
		world.now_ns += 1000000000;
	}
	CHECK_EQ(iopf_host_endpoint(world.host, RID), IOPF_NO_ID);
	world.guests[0].options.silent = false;
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(fill(OTHER_RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(function_that_answers_no_invalidation_holds_its_guest_up_for_a_bounded_time)
{
	uint64_t ticket;

	create_world(8, 1);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	model_function_answer_invalidations(world_function(&world, RID)->function, false);
	CHECK_EQ(iopf_agent_unmap(world.guests[0].agent, RID, 7, 0x10000, 8192, &ticket), 0);
	iopf_agent_kick(world.guests[0].agent);
	CHECK(world_settle(&world, 100000));
	CHECK(!iopf_agent_waited(world.guests[0].agent, ticket));
	world.now_ns += 2000000000;
	CHECK(world_settle(&world, 100000));
	CHECK(iopf_agent_waited(world.guests[0].agent, ticket));
	CHECK_EQ(fill(OTHER_RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(function_that_is_gone_ends_its_operation_at_once)
{
	uint32_t endpoint;

	create_world(8, 0);
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_host_restart_function(world.host, endpoint), 0);
	model_function_remove(world_function(&world, RID)->function);
	for (unsigned turns = 0; turns < 100; turns++)
		world_turn(&world);
	CHECK_EQ(iopf_broker_step(iopf_host_broker(world.host), endpoint), IOPF_STEP_NONE);
	court_destroy(&world);
}

TEST(overflow_of_the_physical_queue_loses_no_credit_for_good)
{
	const struct iopf_stats_page *page;
	struct iopf_host_stats stats;

	/* 127 entries; raw requests beyond the allocation of 8 fill them. */
	create_world(8, 0);
	world.hold_host = true;
	for (uint16_t i = 0; i < 200; i++)
		raw(RID, i, 0x10000 + i * 0x1000u, IOPF_LAST);
	world_turn(&world);
	world.hold_host = false;
	CHECK(world_settle(&world, 100000));
	iopf_host_stats(world.host, &stats);
	CHECK_EQ(stats.overflows, 1);
	page = iopf_broker_stats(iopf_host_broker(world.host));
	CHECK_EQ(page->row[page->endpoint_max + page->owner_max]
			 .counter[IOPF_COUNTER_overflows],
		 1);
	CHECK_EQ(fill(RID, 0x900000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(OTHER_RID, 0x900000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	court_destroy(&world);
}

TEST(groups_wait_while_a_guest_owes_every_index)
{
	uint32_t endpoint;

	create_world(2, 1);
	world.guests[0].options.silent = true;
	endpoint = iopf_host_endpoint(world.host, RID);
	for (unsigned i = 0; i < 256; i++) { /* each round leaves two debts behind */
		raw(RID, 1, 0x10000, IOPF_LAST);
		raw(RID, 2, 0x20000, IOPF_LAST);
		CHECK(world_settle(&world, 100000));
		CHECK_EQ(iopf_host_restart_function(world.host, endpoint), 0);
		CHECK(world_settle(&world, 100000));
	}
	raw(RID, 1, 0x10000, IOPF_LAST);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 1);
	world.guests[0].options.silent = false; /* it answers everything that it owes */
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	court_destroy(&world);
}

TEST(function_reset_waits_for_responses_that_are_under_way)
{
	uint32_t endpoint;

	create_world(8, 1);
	endpoint = iopf_host_endpoint(world.host, RID);
	for (unsigned i = 0; i < 20; i++) {
		struct iopf_host_stats before, now;

		iopf_host_stats(world.host, &before);
		world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000 + i * 0x100000u,
			  8 * 4096);
		do {
			world_turn(&world);
			iopf_host_stats(world.host, &now);
		} while (now.responses == before.responses);
		CHECK_EQ(iopf_host_reset_function(world.host, endpoint, world.now_ns), 0);
		CHECK(world_settle(&world, 100000));
		CHECK(!iopf_host_busy(world.host, endpoint));
	}
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(fill(RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* RID with a virtual function OTHER_RID, each of a guest of its own. */
static void create_virtual(void)
{
	static const struct world_function_options functions[] = {
		{ .rid = RID, .allocation = 16 },
		{ .rid = OTHER_RID, .allocation = 8, .has_physical = true, .physical_rid = RID },
	};
	static const struct world_guest_options guests[] = {
		{ .function_count = 1, .functions = &functions[0], .request_order = 3 },
		{ .function_count = 1, .functions = &functions[1], .request_order = 3 },
	};
	const struct world_options options = {
		.guest_count = 2, .guests = guests, .request_order = 1, .reset_ns = 1000000
	};

	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
}

static void reset_both(void)
{
	CHECK_EQ(iopf_host_reset_function(
			 world.host, iopf_host_endpoint(world.host, RID), world.now_ns),
		 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(world_settle(&world, 100000));
		world.now_ns += 1000000;
	}
	CHECK(!iopf_host_busy(world.host, iopf_host_endpoint(world.host, RID)));
}

/* Its cache would keep what its guest takes back. */
TEST(virtual_function_whose_reset_ended_with_its_physical_one_hears_invalidations)
{
	struct iopf_agent *agent;
	uint64_t ticket;
	uint8_t *page;

	create_virtual();
	CHECK_EQ(iopf_host_reset_function(world.host,
					  iopf_host_endpoint(world.host, OTHER_RID),
					  world.now_ns),
		 0);
	world_turn(&world);
	reset_both();
	CHECK_EQ(fill(OTHER_RID, 0x10000, 1), MODEL_JOB_STATUS_done);
	page = world_page(&world, 1, 7, 0x10000);
	agent = world.guests[1].agent;
	CHECK_EQ(iopf_agent_unmap(agent, OTHER_RID, 7, 0x10000, 4096, &ticket), 0);
	iopf_agent_kick(agent);
	CHECK(world_settle(&world, 100000));
	CHECK(iopf_agent_waited(agent, ticket));
	memset(page, 0xee, 4096);
	world.guests[1].options.silent = true;
	fill(OTHER_RID, 0x10000, 1);
	CHECK_EQ(page[0], 0xee);
	court_destroy(&world);
}

TEST(detach_of_a_virtual_function_ends_when_its_physical_one_is_reset)
{
	uint32_t endpoint;

	create_virtual();
	endpoint = iopf_host_endpoint(world.host, OTHER_RID);
	CHECK_EQ(iopf_agent_detach(world.guests[1].agent, OTHER_RID, 7), 0);
	iopf_agent_kick(world.guests[1].agent);
	for (unsigned i = 0; i < 1000 && !iopf_host_busy(world.host, endpoint); i++)
		world_turn(&world);
	CHECK(iopf_host_busy(world.host, endpoint));
	reset_both();
	iopf_agent_poll(world.guests[1].agent, 64);
	CHECK_EQ(iopf_agent_attached(world.guests[1].agent, OTHER_RID, 7), -ENOENT);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* The interface that lost them is the physical one's. */
TEST(requests_that_could_not_be_written_cost_a_virtual_function_nothing)
{
	create_virtual();
	raw(OTHER_RID, 3, 0x20000, 0);
	CHECK(world_settle(&world, 100000));
	guard_lost(world.host, HOST_PRI);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(requests_that_could_not_be_written_during_a_detach_are_not_waited_for)
{
	uint32_t endpoint;

	create_world(8, 1);
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(world_attach(&world, 0, RID, 9), 0);
	raw(RID, 3, 0x20000, 0);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(iopf_agent_detach(world.guests[0].agent, RID, 9), 0);
	iopf_agent_kick(world.guests[0].agent);
	for (unsigned i = 0; i < 1000 && !iopf_host_busy(world.host, endpoint); i++)
		world_turn(&world);
	CHECK(iopf_host_busy(world.host, endpoint));
	guard_lost(world.host, HOST_PRI);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(response_failure_stops_paging_until_it_is_restarted)
{
	uint32_t endpoint;

	create_world(8, 1);
	endpoint = iopf_host_endpoint(world.host, RID);
	world.guests[0].options.silent = true;
	raw(RID, 1, 0x10000, IOPF_LAST);
	CHECK(world_settle(&world, 100000));
	/* Somebody else on the link says failure. */
	court_expects("LINK-RESPONSE");
	model_function_response(world_function(&world, RID)->function, 7,
				iopf_pcie_encode_response(&(struct iopf_prg_response){
					.rid = RID, .pasid = 7, .index = 1, .code = 15 }));
	world.now_ns += 2000000;
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(counted(RID, IOPF_COUNTER_rf_seen), 1);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_response_failure), 1);
	world.guests[0].options.silent = false;
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).response[MODEL_IGNORED], 0);
	CHECK_EQ(iopf_host_restart_function(world.host, endpoint), 0);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(fill(RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
