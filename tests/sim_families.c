/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: what holds of a guest holds in every pair of families, whether its device
 * asks for pages or stalls, and whether its tables are read or followed.
 */
#include <errno.h>

#include "host/host.h"
#include "queue/hardware.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, PERIOD = 1000000 };

struct pair {
	const struct hardware_family *host, *guest;
	bool stalls, shadow;
};

static struct world world;
static struct pair now;
static uint32_t pasid; /* of the address space that is used: none, where there are none */

static void create_world(void)
{
	static struct world_function_options functions[2];
	static struct world_guest_options guests[2];
	const struct world_options options = { .guest_count = 2,
					       .guests = guests,
					       .request_order = 1,
					       .family = now.host->wire->name };

	pasid = now.host->no_pasids || now.guest->no_pasids ? IOPF_PASID_NONE : 7;
	for (unsigned i = 0; i < 2; i++) {
		functions[i] = (struct world_function_options){ .rid = i ? OTHER_RID : RID,
								.allocation = 16,
								.stalls = now.stalls };
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[i],
							  .request_order = 1,
							  .family = now.guest->wire->name,
							  .shadow = now.shadow };
	}
	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, pasid), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, pasid), 0);
}

static void settle(void)
{
	CHECK(world_settle(&world, 200000));
}

static void start(uint32_t rid, enum model_job_operation operation, uint64_t source,
		  uint64_t destination, uint64_t pages)
{
	world_job(&world, rid, 0, pasid, operation, source, destination, pages * 4096);
	settle();
}

static enum model_job_status job(uint32_t rid, enum model_job_operation operation,
				 uint64_t source, uint64_t destination, uint64_t pages)
{
	start(rid, operation, source, destination, pages);
	return world_job_status(&world, rid, 0);
}

static enum model_job_status fill(uint32_t rid, uint64_t addr, uint64_t pages)
{
	return job(rid, MODEL_JOB_FILL, 0, addr, pages);
}

static struct iopf_host_stats host_stats(void)
{
	struct iopf_host_stats stats;

	iopf_host_stats(world.host, &stats);
	return stats;
}

static uint64_t asked(void)
{
	return now.stalls ? host_stats().stalls : host_stats().requests;
}

/* Slots of the pool, or credits, that a function holds. */
static uint32_t in_use(uint32_t rid)
{
	return now.stalls ? model_iommu_stalled(world.iommu, rid) :
			    world_state(&world, rid).credits_in_use;
}

static void unmap(uint64_t addr, uint64_t pages)
{
	struct iopf_agent *agent = world.guests[0].agent;
	uint64_t ticket;

	CHECK_EQ(iopf_agent_unmap(agent, RID, pasid, addr, pages * 4096, &ticket), 0);
	iopf_agent_kick(agent);
	settle();
	CHECK(iopf_agent_waited(agent, ticket));
}

static void one(const struct hardware_family *host, const struct hardware_family *guest,
		enum iopf_mechanism mechanism, bool shadow, void (*test)(void))
{
	now = (struct pair){ host, guest, mechanism == IOPF_STALLS, shadow };
	if (guest->guest_mechanisms == 0 || !hardware_family_pages(host, mechanism))
		return;
	create_world();
	test();
	court_destroy(&world);
}

/* Every pair there is, and its guest's tables followed where they could be nested. */
static void each(void (*test)(void))
{
	const struct hardware_family *const *host, *const *guest;

	for (host = hardware_families; *host != NULL; host++)
		for (guest = hardware_families; *guest != NULL; guest++)
			for (unsigned i = 0; i < 4; i++)
				if (i < 2 || *host == *guest)
					one(*host, *guest, i % 2 ? IOPF_STALLS : IOPF_PRI,
					    i >= 2, test);
}

static void copies(void)
{
	for (uint64_t i = 0; i < 16; i++) {
		uint64_t gpa;

		CHECK_EQ(world_page_give(&world, 0, pasid, 0x7f0000000000 + i * 4096, &gpa), 0);
		memset(world_page(&world, 0, pasid, 0x7f0000000000 + i * 4096), (int)i + 1, 4096);
	}
	CHECK_EQ(job(RID, MODEL_JOB_COPY, 0x7f0000000000, 0x100000000, 16),
		 MODEL_JOB_STATUS_done);
	for (uint64_t i = 0; i < 16; i++) {
		const uint8_t *page = world_page(&world, 0, pasid, 0x100000000 + i * 4096);

		CHECK(page != NULL);
		CHECK_EQ(page[0], i + 1);
		CHECK_EQ(page[4095], i + 1);
	}
	CHECK_EQ(asked(), 32);
	CHECK_EQ(host_stats().shown, 32);
	CHECK_EQ(in_use(RID), 0);
}

TEST(copy_moves_its_bytes_and_a_page_costs_one_fault)
{
	each(copies);
}

static void takes_back(void)
{
	uint8_t *page;

	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	page = world_page(&world, 0, pasid, 0x11000);
	unmap(0x11000, 1);
	memset(page, 0xee, 4096);
	world.guests[0].options.silent = true;
	start(RID, MODEL_JOB_FILL, 0, 0x10000, 4);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_running);
	CHECK_EQ(page[0], 0xee);
	CHECK(in_use(RID) > 0);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	world.guests[0].options.silent = false;
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(in_use(RID), 0);
}

TEST(page_that_the_guest_takes_back_is_written_no_more)
{
	each(takes_back);
}

static void attaches_again(void)
{
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(fill(RID, 0x10000 + i * 0x1000, 2), MODEL_JOB_STATUS_done);
		CHECK_EQ(world_detach(&world, 0, RID, pasid), 0);
		CHECK(fill(RID, 0x10000, 2) != MODEL_JOB_STATUS_done);
		CHECK_EQ(in_use(RID), 0);
		CHECK_EQ(world_attach(&world, 0, RID, pasid), 0);
	}
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
}

TEST(address_space_that_was_detached_is_gone_until_it_is_attached_again)
{
	each(attaches_again);
}

static void detaches_open(void)
{
	world.guests[0].options.silent = true;
	start(RID, MODEL_JOB_FILL, 0, 0x10000, 4);
	CHECK(in_use(RID) > 0);
	world.guests[0].options.silent = false;
	CHECK_EQ(world_detach(&world, 0, RID, pasid), 0);
	settle();
	CHECK_EQ(in_use(RID), 0);
	CHECK_EQ(world_attach(&world, 0, RID, pasid), 0);
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(in_use(RID), 0);
}

TEST(detach_ends_what_is_open)
{
	each(detaches_open);
}

static void resets(void)
{
	uint32_t endpoint = iopf_host_endpoint(world.host, RID);
	uint64_t responses;

	world.guests[0].options.silent = true;
	start(RID, MODEL_JOB_FILL, 0, 0x10000, 4);
	responses = host_stats().responses;
	CHECK(in_use(RID) > 0);
	CHECK_EQ(iopf_host_reset_function(world.host, endpoint, world.now_ns), 0);
	settle();
	CHECK(!iopf_host_busy(world.host, endpoint));
	CHECK_EQ(in_use(RID), 0);
	world.guests[0].options.silent = false;
	settle(); /* the late answers come now */
	CHECK_EQ(host_stats().responses, responses);
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(in_use(RID), 0);
}

TEST(function_that_is_reset_forgets_and_comes_back)
{
	each(resets);
}

static void removes(void)
{
	const struct world_function *function = world_function(&world, RID);

	world.guests[0].options.silent = true;
	start(RID, MODEL_JOB_FILL, 0, 0x10000, 4);
	if (now.stalls) {
		model_master_remove(function->master);
		CHECK_EQ(iopf_host_remove_function(
				 world.host, iopf_host_endpoint(world.host, RID),
				 world.now_ns),
			 0);
	} else {
		model_function_remove(function->function);
	}
	world.now_ns += PERIOD;
	settle();
	CHECK_EQ(iopf_host_endpoint(world.host, RID), IOPF_NO_ID);
	CHECK_EQ(now.stalls ? in_use(RID) : 0, 0);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
}

TEST(function_that_is_gone_leaves_nothing_and_others_feel_nothing)
{
	each(removes);
}

static void dies(void)
{
	for (uint32_t more = 8; more < 10 && pasid != IOPF_PASID_NONE; more++)
		CHECK_EQ(world_attach(&world, 0, RID, more), 0);
	CHECK_EQ(fill(RID, 0x20000, 1), MODEL_JOB_STATUS_done);
	world.guests[0].options.silent = true;
	start(RID, MODEL_JOB_FILL, 0, 0x10000, 4);
	CHECK_EQ(iopf_host_guest_gone(world.host, world.guests[0].id), 0);
	settle();
	CHECK(iopf_host_guest_over(world.host, world.guests[0].id));
	CHECK_EQ(in_use(RID), 0);
	CHECK(world_job_status(&world, RID, 0) != MODEL_JOB_STATUS_done);
	/* Its tables are as it left them, and lead nobody anywhere any more. */
	CHECK(fill(RID, 0x20000, 1) != MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
}

TEST(guest_that_dies_leaves_nothing)
{
	each(dies);
}

static void comes_and_goes(void)
{
	uint32_t pages = 0;

	for (unsigned i = 0; i < 12; i++) {
		int error = -EAGAIN;

		CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
		for (unsigned j = 0; j < 1000 && error == -EAGAIN; j++) {
			error = world_remove_guest(&world, 0);
			world_turn(&world);
		}
		CHECK_EQ(error, 0);
		settle();
		if (i == 3)
			pages = world.host->pages.used_count;
		CHECK_EQ(world_add_guest(&world, 0), 0);
		CHECK_EQ(world_attach(&world, 0, RID, pasid), 0);
	}
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK(world.host->pages.used_count < pages + 40);
}

TEST(guest_that_comes_and_goes_costs_no_page_for_good)
{
	each(comes_and_goes);
}

int main(void)
{
	return test_main();
}
