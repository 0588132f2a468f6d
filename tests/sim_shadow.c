/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a guest whose tables the IOMMU cannot read is followed, and loses nothing. */
#include "host/host.h"
#include "sim/world.h"
#include "table/x86.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318 };

#define FAR (UINT64_C(1) << 30) /* pages so far apart share no table below the top two */

static struct world world;
static const char *host_family;

/* Guests of VT-d, the first with its tables followed wherever it is. */
static void create_world(void)
{
	static const struct world_function_options functions[] = {
		{ .rid = RID, .allocation = 32 },
		{ .rid = OTHER_RID, .allocation = 32 },
	};
	static const struct world_guest_options guests[] = {
		{ .function_count = 1,
		  .functions = &functions[0],
		  .family = "vtd",
		  .shadow = true },
		{ .function_count = 1, .functions = &functions[1], .family = "vtd" },
	};
	const struct world_options options = { .guest_count = 2,
					       .guests = guests,
					       .request_order = 1,
					       .family = host_family };

	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
}

static void settle(void)
{
	CHECK(world_settle(&world, 200000));
}

static enum model_job_status job(uint32_t pasid, enum model_job_operation operation,
				 uint64_t source, uint64_t destination, uint64_t pages)
{
	world_job(&world, RID, 0, pasid, operation, source, destination, pages * 4096);
	settle();
	return world_job_status(&world, RID, 0);
}

static enum model_job_status fill(uint64_t addr, uint64_t pages)
{
	return job(7, MODEL_JOB_FILL, 0, addr, pages);
}

static struct iopf_host_stats host_stats(void)
{
	struct iopf_host_stats stats;

	iopf_host_stats(world.host, &stats);
	return stats;
}

static uint8_t *page_with(uint32_t pasid, uint64_t addr, uint8_t with)
{
	uint64_t gpa;

	CHECK_EQ(world_page_give(&world, 0, pasid, addr, &gpa), 0);
	return memset(world_page(&world, 0, pasid, addr), with, 4096);
}

static void unmap(uint64_t addr, uint64_t pages)
{
	struct iopf_agent *agent = world.guests[0].agent;
	uint64_t ticket;

	CHECK_EQ(iopf_agent_unmap(agent, RID, 7, addr, pages * 4096, &ticket), 0);
	iopf_agent_kick(agent);
	settle();
	CHECK(iopf_agent_waited(agent, ticket));
}

static void map(uint64_t addr, uint8_t perm)
{
	uint64_t gpa;

	CHECK_EQ(world_page_give(&world, 0, 7, addr, &gpa), 0);
	CHECK_EQ(iopf_agent_map(world.guests[0].agent, RID, 7, addr, gpa, perm), 0);
}

/* The guest's own entry of @addr. */
static uint64_t entry(uint64_t addr)
{
	const struct table_space tables = {
		.memory = &(struct iopf_memory){ .segments = &world.guests[0].segment,
						 .count = 1 }
	};
	const struct x86_format format = { .levels = 4, .address_bits = 48 };
	struct iopf_address_space space;
	struct table_result result;
	struct radix_path path;

	CHECK_EQ(iopf_guest_space(iopf_host_guest(world.host, 0),
				  iopf_host_endpoint(world.host, RID), 7, &space),
		 0);
	CHECK(x86_walk_path(&tables, &format, space.root, addr, IOPF_READ, &path, &result));
	return path.step[1].entry;
}

TEST(copy_moves_its_bytes_through_tables_that_are_followed)
{
	struct iopf_host_stats stats;

	create_world();
	for (uint64_t i = 0; i < 16; i++)
		page_with(7, 0x7f0000000000 + i * 4096, (uint8_t)(i + 1));
	CHECK_EQ(job(7, MODEL_JOB_COPY, 0x7f0000000000, 0x100000000, 16),
		 MODEL_JOB_STATUS_done);
	for (uint64_t i = 0; i < 16; i++) {
		const uint8_t *page = world_page(&world, 0, 7, 0x100000000 + i * 4096);

		CHECK(page != NULL);
		CHECK_EQ(page[0], i + 1);
		CHECK_EQ(page[4095], i + 1);
	}
	stats = host_stats();
	CHECK_EQ(stats.requests, 32); /* a page costs one fault here, too */
	CHECK_EQ(stats.shown, 32);
	CHECK_EQ(stats.shadow_filled, 32);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	court_destroy(&world);
}

TEST(page_that_the_guest_mapped_itself_is_followed_without_the_guest)
{
	create_world();
	for (uint64_t i = 0; i < 8; i++)
		map(0x10000 + i * 4096, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(fill(0x10000, 8), MODEL_JOB_STATUS_done);
	CHECK_EQ(host_stats().shown, 0);
	CHECK_EQ(host_stats().shadow_filled, 8);
	court_destroy(&world);
}

TEST(page_that_the_guest_takes_back_is_written_no_more)
{
	uint8_t *page;

	create_world();
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	page = world_page(&world, 0, 7, 0x11000);
	unmap(0x11000, 1);
	CHECK_EQ(host_stats().shadow_removed, 1);
	memset(page, 0xee, 4096);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_running);
	CHECK_EQ(page[0], 0xee);
	world.guests[0].options.silent = false;
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* Otherwise it would be told that its page is free while the device may write there. */
TEST(wait_of_the_guest_ends_after_the_function_has_forgotten_the_page)
{
	struct iopf_agent *agent;
	uint64_t ticket;

	create_world();
	agent = world.guests[0].agent;
	CHECK_EQ(fill(0x10000, 1), MODEL_JOB_STATUS_done);
	model_function_answer_invalidations(world_function(&world, RID)->function, false);
	CHECK_EQ(iopf_agent_unmap(agent, RID, 7, 0x10000, 4096, &ticket), 0);
	iopf_agent_kick(agent);
	settle();
	CHECK(!iopf_agent_waited(agent, ticket));
	court_destroy(&world);
}

TEST(entry_is_dirty_when_the_device_may_write_and_not_before)
{
	create_world();
	map(0x10000, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(entry(0x10000) & (X86_ACCESSED | X86_DIRTY), 0);
	CHECK_EQ(job(7, MODEL_JOB_CRC32C, 0x10000, 0, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(entry(0x10000) & (X86_ACCESSED | X86_DIRTY), X86_ACCESSED);
	CHECK_EQ(fill(0x10000, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(entry(0x10000) & (X86_ACCESSED | X86_DIRTY), X86_ACCESSED | X86_DIRTY);
	CHECK_EQ(host_stats().shown, 0);
	CHECK_EQ(host_stats().shadow_filled, 2);
	court_destroy(&world);
}

TEST(right_that_the_guest_does_not_give_is_asked_of_it)
{
	create_world();
	map(0x10000, IOPF_READ);
	CHECK_EQ(job(7, MODEL_JOB_CRC32C, 0x10000, 0, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(host_stats().shown, 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_running);
	CHECK_EQ(host_stats().shown, 1);
	court_destroy(&world);
}

TEST(shadow_that_runs_out_of_pages_is_dropped_and_fills_again)
{
	struct iopf_host_stats stats;
	uint32_t pages;

	create_world();
	pages = world.host->pages.used_count;
	for (uint64_t i = 0; i < 1000; i++)
		CHECK_EQ(fill(FAR * (i + 1), 1), MODEL_JOB_STATUS_done);
	stats = host_stats();
	CHECK(stats.shadow_dropped > 0);
	CHECK_EQ(stats.shown, 1000);
	CHECK(world.host->guests[0].shadows.page_count <= HOST_SHADOW_PAGES);
	CHECK(world.host->pages.used_count < pages + HOST_SHADOW_PAGES + 64);
	/* What was dropped comes back by faults that the guest never hears of. */
	for (uint64_t i = 0; i < 1000; i++)
		CHECK_EQ(fill(FAR * (i + 1), 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(host_stats().shown, 1000);
	court_destroy(&world);
}

TEST(address_spaces_that_come_and_go_cost_no_page_for_good)
{
	uint32_t shadows, pages;

	create_world();
	shadows = world.host->guests[0].shadows.page_count;
	pages = world.host->pages.used_count;
	for (unsigned i = 0; i < 500; i++) {
		CHECK_EQ(world_attach(&world, 0, RID, 8 + i % 7), 0);
		CHECK_EQ(job(8 + i % 7, MODEL_JOB_FILL, 0, 0x10000, 1),
			 MODEL_JOB_STATUS_done);
		CHECK_EQ(world_detach(&world, 0, RID, 8 + i % 7), 0);
		settle();
	}
	CHECK_EQ(world.host->guests[0].shadows.page_count, shadows);
	CHECK(world.host->pages.used_count < pages + 64); /* a shadow has 4 or more */
	court_destroy(&world);
}

TEST(removed_function_and_dead_guest_give_their_shadows_back)
{
	create_world();
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK(world.host->guests[0].shadows.page_count > 0);
	CHECK_EQ(iopf_host_remove_function(world.host, iopf_host_endpoint(world.host, RID),
					   world.now_ns),
		 0);
	settle();
	CHECK_EQ(world.host->guests[0].shadows.page_count, 0);
	court_destroy(&world);
	create_world();
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(iopf_host_guest_gone(world.host, 0), 0);
	settle();
	CHECK_EQ(world.host->guests[0].shadows.page_count, 0);
	court_destroy(&world);
}

/* As Linux has it where devices bypass translation and share address spaces beside that. */
TEST(requests_without_a_pasid_may_bypass_beside_an_address_space_that_is_followed)
{
	static const struct world_function_options function = { .rid = RID, .allocation = 32 };
	static const struct world_guest_options guest = { .function_count = 1,
							  .functions = &function,
							  .family = "vtd" };
	const struct world_options options = { .guest_count = 1,
					       .guests = &guest,
					       .family = "smmuv3" };
	const struct iopf_address_space bypass = { .levels = 0 };

	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(guest_space(&world.host->guests[0], &world.host->functions[0],
			     IOPF_PASID_NONE, &bypass),
		 0);
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_attach(&world, 0, RID, 8), 0);
	CHECK_EQ(job(8, MODEL_JOB_FILL, 0, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

static void ask(uint16_t index, uint64_t addr, uint8_t flags)
{
	const struct iopf_request request = { .rid = RID,
					      .pasid = 7,
					      .index = index,
					      .addr = addr,
					      .perm = IOPF_READ,
					      .flags = flags };

	model_function_send_raw(world_function(&world, RID)->function, 7, 0,
				iopf_pcie_encode_request(&request));
}

static void create_large(void)
{
	static const struct world_function_options function = { .rid = RID,
								.allocation = 400 };
	static const struct world_guest_options guest = { .function_count = 1,
							  .functions = &function,
							  .request_order = 3,
							  .shadow = true };
	const struct world_options options = { .guest_count = 1,
					       .guests = &guest,
					       .request_order = 2 };

	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
}

/* It is answered all the same, and the device asks again for what was dropped. */
TEST(group_whose_tables_do_not_fit_the_shadow_ends)
{
	create_large();
	for (unsigned i = 0; i < 2 * 400; i++) {
		ask(1, FAR * (i % 400 + 1), i % 400 == 399 ? IOPF_LAST : 0);
		if (i % 400 != 399)
			continue;
		CHECK(world_settle(&world, 200000));
		CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	}
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(guest_that_invalidates_everything_empties_all_that_is_its_own)
{
	const struct iopf_command all = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					  .granularity = IOPF_ALL,
					  .pasid = IOPF_PASID_NONE };

	create_world();
	CHECK_EQ(world_attach(&world, 0, RID, 9), 0);
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(job(9, MODEL_JOB_FILL, 0, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(iopf_agent_command(world.guests[0].agent, &all), 0);
	iopf_agent_kick(world.guests[0].agent);
	settle();
	CHECK_EQ(host_stats().shadow_removed, 8);
	CHECK_EQ(fill(0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(host_stats().shadow_filled, 12);
	court_destroy(&world);
}

int main(void)
{
	int failed = 0;

	for (unsigned i = 0; i < 2; i++) {
		host_family = i == 0 ? "vtd" : "smmuv3";
		failed |= test_main();
	}
	return failed;
}
