/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what is decided about owners, and functions that share one interface. */
#include <errno.h>

#include "host/host.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, THIRD_RID = 0x0320 };

static struct world world;
static struct iopf_request asked;
static bool defers;

/* A guest that answers by hand, when it is told to. */
static int fault(void *context, struct world *where, uint32_t guest,
		 const struct iopf_request *request, uint64_t *gpa, uint8_t *perm)
{
	(void)context;
	asked = *request;
	*perm = IOPF_READ | IOPF_WRITE;
	return defers ? -EAGAIN :
			world_page_give(where, guest, request->pasid, request->addr, gpa);
}

static struct world_function_options functions[3];
static struct world_guest_options guests[3];

static int try_world(uint32_t count, uint32_t request_order, const char *family)
{
	const struct world_options options = { .guest_count = count,
					       .guests = guests,
					       .request_order = request_order,
					       .family = family };

	for (unsigned i = 0; i < count; i++) {
		guests[i].function_count = 1;
		guests[i].functions = &functions[i];
		guests[i].request_order = 1;
		guests[i].fault = fault;
	}
	defers = false;
	return court_create(&options, &world);
}

static void plain_world(uint32_t count)
{
	static const uint32_t rids[] = { RID, OTHER_RID, THIRD_RID };

	memset(guests, 0, sizeof(guests));
	for (unsigned i = 0; i < count; i++)
		functions[i] = (struct world_function_options){ .rid = rids[i],
								.allocation = 8 };
}

static void attach(uint32_t count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(world_attach(&world, i, functions[i].rid, 7), 0);
}

static void settle(void)
{
	CHECK(world_settle(&world, 200000));
}

static enum model_job_status fill(uint32_t rid, uint64_t addr, uint64_t pages)
{
	world_job(&world, rid, 0, 7, MODEL_JOB_FILL, 0, addr, pages * 4096);
	settle();
	return world_job_status(&world, rid, 0);
}

static uint64_t counted(uint32_t rid, enum iopf_counter counter)
{
	uint32_t endpoint = iopf_host_endpoint(world.host, rid);

	CHECK(endpoint != IOPF_NO_ID);
	return iopf_broker_stats(iopf_host_broker(world.host))
		->row[endpoint]
		.counter[counter];
}

static void answer(uint32_t guest, enum iopf_code code)
{
	struct iopf_agent *agent = world.guests[guest].agent;

	CHECK_EQ(iopf_agent_answer(agent, asked.rid, asked.pasid, asked.index, code), 0);
	iopf_agent_kick(agent);
	settle();
}

TEST(failure_of_a_tenant_ends_its_group_and_takes_it_out_of_service_there)
{
	plain_world(2);
	CHECK_EQ(try_world(2, 1, "vtd"), 0);
	attach(2);
	defers = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	settle();
	answer(0, IOPF_FAILURE);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK(!world_state(&world, RID).rf);
	defers = false;
	CHECK_EQ(fill(RID, 0x20000, 1), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(counted(RID, IOPF_COUNTER_out_of_service), 1);
	CHECK_EQ(fill(OTHER_RID, 0x20000, 1), MODEL_JOB_STATUS_done);
	/* Its own to mend: with its last address space there that is over. */
	CHECK_EQ(world_detach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(fill(RID, 0x20000, 1), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(function_that_does_not_fit_the_queue_is_granted_less_or_refused)
{
	plain_world(2);
	/* 128 entries: one stays free, 16 are for stop markers. */
	functions[0].allocation = 100;
	functions[1].allocation = 64;
	CHECK_EQ(try_world(2, 0, "vtd"), -EDQUOT);
	court_destroy(&world);
	functions[1].allocation_min = 12;
	CHECK_EQ(try_world(2, 0, "vtd"), -EDQUOT);
	court_destroy(&world);
	functions[1].allocation_min = 11;
	CHECK_EQ(try_world(2, 0, "vtd"), 0);
	attach(2);
	CHECK_EQ(world_state(&world, OTHER_RID).allocation, 11);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 32), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(stream_that_does_not_fit_the_pool_is_refused)
{
	struct world_options options = { .guest_count = 2,
					 .guests = guests,
					 .request_order = 1,
					 .family = "smmuv3",
					 .stall_max = 12 };

	plain_world(2);
	for (unsigned i = 0; i < 2; i++) {
		functions[i].stalls = true;
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[i],
							  .request_order = 1 };
	}
	CHECK_EQ(court_create(&options, &world), -EDQUOT);
	court_destroy(&world);
	options.stall_max = 16;
	CHECK_EQ(court_create(&options, &world), 0);
	court_destroy(&world);
}

/* ---- Success that does not help ------------------------------------------------------ */

TEST(guest_that_unmaps_and_is_asked_again_is_no_liar)
{
	plain_world(1);
	guests[0].policy = (struct iopf_policy){ .liar_limit = 4 };
	CHECK_EQ(try_world(1, 1, "vtd"), 0);
	attach(1);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t ticket;

		world.now_ns += 1000;
		CHECK_EQ(fill(RID, 0x10000, 1), MODEL_JOB_STATUS_done);
		CHECK_EQ(iopf_agent_unmap(world.guests[0].agent, RID, 7, 0x10000, 4096,
					  &ticket),
			 0);
		iopf_agent_kick(world.guests[0].agent);
		settle();
	}
	CHECK_EQ(counted(RID, IOPF_COUNTER_liar), 0);
	court_destroy(&world);
}

TEST(guest_that_says_success_and_maps_nothing_is_told_and_stopped)
{
	plain_world(2);
	guests[0].policy = (struct iopf_policy){ .liar_limit = 4 };
	functions[0].retry_max = 1000;
	CHECK_EQ(try_world(2, 1, "vtd"), 0);
	attach(2);
	defers = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	settle();
	for (unsigned i = 0;
	     i < 100 && world_job_status(&world, RID, 0) == MODEL_JOB_STATUS_running; i++) {
		world.now_ns += 1000;
		answer(0, IOPF_SUCCESS);
	}
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(counted(RID, IOPF_COUNTER_liar), 1);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_liar), 1);
	defers = false;
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* ---- Functions that share one interface --------------------------------------------- */

static void shared_world(void)
{
	plain_world(3);
	functions[0].allocation = 24;
	for (unsigned i = 1; i < 3; i++) {
		functions[i].has_physical = true;
		functions[i].physical_rid = RID;
	}
	CHECK_EQ(try_world(3, 1, "vtd"), 0);
	attach(3);
}

static uint32_t in_use(uint32_t rid)
{
	return world_state(&world, rid).credits_in_use;
}

static void ask_all(void)
{
	for (unsigned i = 0; i < 3; i++) {
		world.guests[i].options.silent = true;
		world_job(&world, functions[i].rid, 0, 7, MODEL_JOB_FILL, 0, 0x10000,
			  2 * 4096);
	}
	settle();
	for (unsigned i = 0; i < 3; i++)
		CHECK(in_use(functions[i].rid) > 0);
}

static void wake_all(void)
{
	for (unsigned i = 0; i < 3; i++)
		world.guests[i].options.silent = false;
	settle();
}

static void all_work(void)
{
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(fill(functions[i].rid, 0x40000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(in_use(RID), 0);
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
}

TEST(virtual_functions_page_through_their_physical_one)
{
	shared_world();
	all_work();
	court_destroy(&world);
}

TEST(reset_of_a_virtual_function_ends_its_own_groups_alone)
{
	shared_world();
	ask_all();
	CHECK_EQ(iopf_host_reset_function(world.host,
					  iopf_host_endpoint(world.host, OTHER_RID),
					  world.now_ns),
		 0);
	settle();
	CHECK_EQ(in_use(OTHER_RID), 0);
	CHECK(in_use(THIRD_RID) > 0);
	wake_all();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_job_status(&world, THIRD_RID, 0), MODEL_JOB_STATUS_done);
	all_work();
	court_destroy(&world);
}

TEST(reset_of_the_physical_function_ends_all_and_all_come_back)
{
	shared_world();
	ask_all();
	CHECK_EQ(iopf_host_reset_function(world.host, iopf_host_endpoint(world.host, RID),
					  world.now_ns),
		 0);
	settle();
	CHECK_EQ(in_use(RID), 0);
	wake_all();
	all_work();
	court_destroy(&world);
}

TEST(failure_of_one_tenant_of_an_interface_stops_no_other)
{
	shared_world();
	defers = true;
	world_job(&world, OTHER_RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	settle();
	answer(1, IOPF_FAILURE);
	defers = false;
	CHECK_EQ(world_job_status(&world, OTHER_RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(fill(OTHER_RID, 0x20000, 1), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(fill(RID, 0x20000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(THIRD_RID, 0x20000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(physical_function_that_is_gone_takes_its_virtual_ones_along)
{
	shared_world();
	ask_all();
	model_function_remove(world_function(&world, RID)->function);
	for (unsigned i = 0; i < 3; i++) {
		world.now_ns += 1000000;
		settle();
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(iopf_host_endpoint(world.host, functions[i].rid), IOPF_NO_ID);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
