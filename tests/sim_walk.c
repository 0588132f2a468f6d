/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: faults go the whole way, from a device's miss to its next access. */
#include "queue/vtd.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310 };

static struct world world;

static void create_world(const struct world_function_options *function, uint32_t levels)
{
	const struct world_guest_options guest = { .function_count = 1,
						   .functions = function,
						   .levels = levels };
	const struct world_options options = { .guest_count = 1,
					       .guests = &guest,
					       .request_order = 1 };

	CHECK_EQ(court_create(&options, &world), 0);
}

static const struct world_function_options plain = { .rid = RID, .allocation = 32 };

static void fill_page(uint32_t pasid, uint64_t addr, uint8_t with)
{
	uint64_t gpa;

	CHECK_EQ(world_page_give(&world, 0, pasid, addr, &gpa), 0);
	memset(world_page(&world, 0, pasid, addr), with, 4096);
}

TEST(copy_moves_its_bytes_through_pages_that_were_not_there)
{
	struct iopf_host_stats stats;

	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	for (uint64_t i = 0; i < 16; i++)
		fill_page(7, 0x7f0000000000 + i * 4096, (uint8_t)(i + 1));
	world_job(&world, RID, 0, 7, MODEL_JOB_COPY, 0x7f0000000000, 0x100000000,
		  16 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	for (uint64_t i = 0; i < 16; i++) {
		const uint8_t *page = world_page(&world, 0, 7, 0x100000000 + i * 4096);

		CHECK(page != NULL);
		CHECK_EQ(page[0], i + 1);
		CHECK_EQ(page[4095], i + 1);
	}
	iopf_host_stats(world.host, &stats);
	/* Both stages missed, and each page cost one fault. */
	CHECK_EQ(stats.shown, 32);
	CHECK_EQ(stats.requests, 32);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(world_state(&world, RID).uprgi, false);
	court_destroy(&world);
}

TEST(pages_that_only_the_host_lacks_are_served_and_the_guest_never_hears)
{
	struct iopf_host_stats stats;
	uint64_t gpa;

	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	for (uint64_t i = 0; i < 8; i++) {
		CHECK_EQ(world_page_give(&world, 0, 7, 0x10000 + i * 4096, &gpa), 0);
		CHECK_EQ(iopf_agent_map(world.guests[0].agent, RID, 7, 0x10000 + i * 4096,
					gpa, IOPF_READ | IOPF_WRITE),
			 0);
	}
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 8 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	iopf_host_stats(world.host, &stats);
	CHECK_EQ(stats.served, 8);
	CHECK_EQ(stats.shown, 0);
	court_destroy(&world);
}

TEST(unmapped_and_invalidated_pages_fault_again)
{
	uint64_t ticket, faults;

	create_world(&plain, 5);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 8 * 4096);
	CHECK(world_settle(&world, 100000));
	faults = world_state(&world, RID).requests;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 8 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).requests, faults);
	CHECK_EQ(iopf_agent_unmap(world.guests[0].agent, RID, 7, 0x10000, 8 * 4096,
				  &ticket),
		 0);
	iopf_agent_kick(world.guests[0].agent);
	CHECK(world_settle(&world, 100000));
	CHECK(iopf_agent_waited(world.guests[0].agent, ticket));
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 8 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).requests, faults + 8);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(pasid_that_was_detached_faults_into_nothing)
{
	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_detach(&world, 0, RID, 7), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	court_destroy(&world);
}

TEST(requests_without_a_pasid_have_an_address_space_of_their_own)
{
	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, IOPF_PASID_NONE), 0);
	world_job(&world, RID, 0, IOPF_PASID_NONE, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK(world_page(&world, 0, IOPF_PASID_NONE, 0x10000) != NULL);
	court_destroy(&world);
}

TEST(function_reset_forgets_and_comes_back)
{
	uint32_t endpoint;

	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK(iopf_broker_gauge(iopf_host_broker(world.host), endpoint,
				IOPF_GAUGE_delivered) > 0);
	CHECK_EQ(iopf_host_reset_function(world.host, endpoint, world.now_ns), 0);
	CHECK(world_settle(&world, 100000));
	CHECK(!iopf_host_busy(world.host, endpoint));
	world.guests[0].options.silent = false;
	CHECK(world_settle(&world, 100000)); /* the late answers come now */
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(dead_guest_leaves_no_credit_and_no_group)
{
	uint32_t endpoint;

	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK(world_state(&world, RID).credits_in_use > 0);
	CHECK_EQ(iopf_host_guest_gone(world.host, 0), 0);
	CHECK(world_settle(&world, 100000));
	CHECK(iopf_host_guest_over(world.host, 0));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(iopf_broker_gauge(iopf_host_broker(world.host), endpoint,
				   IOPF_GAUGE_delivered),
		 0);
	court_destroy(&world);
}

/* It cannot answer any more what it was shown in there, and its device does not wait for
 * the end of the guest. */
TEST(queue_that_a_guest_gives_up_ends_what_was_shown_in_it)
{
	const uint64_t *counter;
	uint32_t endpoint;

	create_world(&plain, 4);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	CHECK(world_settle(&world, 100000));
	endpoint = iopf_host_endpoint(world.host, RID);
	counter = iopf_broker_stats(iopf_host_broker(world.host))->row[endpoint].counter;
	CHECK(world_state(&world, RID).credits_in_use > 0);
	iopf_host_guest_write(world.host, world.guests[0].id, VTD_PQA, 8, 0);
	CHECK(world_settle(&world, 100000));
	CHECK_EQ(world_state(&world, RID).credits_in_use, 0);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_invalid);
	CHECK(counter[IOPF_COUNTER_ended_detach] > 0);
	CHECK_EQ(counter[IOPF_COUNTER_ended_detach], counter[IOPF_COUNTER_response_invalid]);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
