/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what functions say of themselves is heard in time, and who is gone, sick or
 * being reset is treated so. */
#include "host/host.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, PERIOD = 1000000 };

static struct world world;
static struct iopf_note told;
static struct iopf_response told_first;
static uint32_t told_count;

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	if (note->kind != IOPF_NOTE_STATUS)
		return;
	told = *note;
	told_count++;
	if (note->recent_count > 0)
		told_first = note->recent[0];
}

static void create_world(struct world_function_options first, struct iopf_policy policy,
			 uint64_t reset_ns)
{
	const struct world_function_options second = { .rid = OTHER_RID, .allocation = 8 };
	const struct world_guest_options guests[] = {
		{ .function_count = 1,
		  .functions = &first,
		  .request_order = 3,
		  .policy = policy },
		{ .function_count = 1, .functions = &second, .request_order = 3 },
	};
	const struct world_options options = { .guest_count = 2,
					       .guests = guests,
					       .request_order = 1,
					       .reset_ns = reset_ns,
					       .note = on_note };

	told_count = 0;
	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, first.rid, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
}

static const struct world_function_options plain = { .rid = RID, .allocation = 8 };
static const struct iopf_policy no_policy;

static void settle(void)
{
	CHECK(world_settle(&world, 200000));
}

static void pass(uint64_t ns)
{
	world.now_ns += ns;
	settle();
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

/* A response that nobody of ours has sent. */
static void forged_response(uint16_t index, uint8_t code)
{
	court_expects("PRI-RESPONSE-ASKED");
	model_function_response(world_function(&world, RID)->function, 7,
				iopf_pcie_encode_response(&(struct iopf_prg_response){
					.rid = RID, .pasid = 7, .index = index, .code = code }));
}

TEST(unexpected_index_is_heard_within_a_period_and_told_with_what_was_answered)
{
	create_world(plain, no_policy, 0);
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	forged_response(300, 0);
	CHECK(world_state(&world, RID).uprgi);
	pass(PERIOD);
	CHECK(!world_state(&world, RID).uprgi);
	CHECK_EQ(told_count, 1);
	CHECK_EQ(told.status, IOPF_STATUS_UPRGI);
	CHECK_EQ(told.recent_count, 4);
	CHECK_EQ(told_first.ending, IOPF_ENDING_success);
	CHECK_EQ(told.endpoint, iopf_host_endpoint(world.host, RID));
	CHECK_EQ(counted(RID, IOPF_COUNTER_uprgi_seen), 1);
	pass(PERIOD);
	CHECK_EQ(told_count, 1);
	court_destroy(&world);
}

TEST(older_function_complains_through_aer_and_is_heard_in_the_same_scan)
{
	struct world_function_options old = plain;

	old.unexpected = MODEL_UNEXPECTED_COMPLETION;
	create_world(old, no_policy, 0);
	forged_response(300, 0);
	CHECK(!world_state(&world, RID).uprgi);
	pass(PERIOD);
	CHECK_EQ(told_count, 1);
	CHECK_EQ(told.status, IOPF_STATUS_UNEXPECTED);
	pass(PERIOD);
	CHECK_EQ(told_count, 1); /* it was cleared */
	forged_response(301, 0);
	pass(PERIOD);
	CHECK_EQ(told_count, 2);
	court_destroy(&world);
}

TEST(function_that_reads_all_ones_is_removed_and_nobody_had_to_say_so)
{
	create_world(plain, no_policy, 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	settle();
	model_function_remove(world_function(&world, RID)->function);
	pass(PERIOD);
	CHECK_EQ(iopf_host_endpoint(world.host, RID), IOPF_NO_ID);
	/* It is not asked to forget anything: nobody waits for it. */
	CHECK_EQ(iopf_host_driver_stats(world.host)->timeouts, 0);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(function_that_was_reset_is_given_its_time)
{
	uint32_t endpoint;

	create_world(plain, no_policy, IOPF_RESET_NS);
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_host_reset_function(world.host, endpoint, world.now_ns), 0);
	settle();
	CHECK(!world_state(&world, RID).enabled);
	CHECK(iopf_host_busy(world.host, endpoint));
	pass(IOPF_RESET_NS - 1);
	CHECK(!world_state(&world, RID).enabled);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	pass(1);
	CHECK(world_state(&world, RID).enabled);
	CHECK(!iopf_host_busy(world.host, endpoint));
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* PCIe, "Function Level Reset": it may answer nothing meanwhile, and what it remembered is
 * gone with that. */
TEST(function_that_leaves_an_invalidation_unanswered_while_it_is_reset_is_not_blocked)
{
	struct iopf_host_stats stats;
	struct iopf_agent *agent;
	uint64_t ticket;

	create_world(plain, no_policy, 50000000);
	agent = world.guests[0].agent;
	fill(RID, 0x10000, 1);
	model_function_answer_invalidations(world_function(&world, RID)->function, false);
	CHECK_EQ(iopf_agent_unmap(agent, RID, 7, 0x10000, 4096, &ticket), 0);
	iopf_agent_kick(agent);
	settle();
	CHECK_EQ(iopf_host_reset_function(
			 world.host, iopf_host_endpoint(world.host, RID), world.now_ns),
		 0);
	settle();
	world.now_ns += 2000000000; /* the IOMMU gives the invalidation up */
	for (stats.timeouts = 0; stats.timeouts == 0;) {
		world_turn(&world);
		iopf_host_stats(world.host, &stats);
	}
	CHECK_EQ(world.host->functions[0].state, FUNCTION_RESET);
	CHECK_EQ(world.host->functions[0].door, FAMILY_BLOCKED); /* until it is reset */
	settle();
	model_function_answer_invalidations(world_function(&world, RID)->function, true);
	pass(50000000);
	pass(PERIOD);
	iopf_host_stats(world.host, &stats);
	CHECK_EQ(stats.timeouts, 1);
	CHECK_EQ(stats.blocked, 0);
	CHECK_EQ(stats.resets, 1);
	CHECK(iopf_agent_waited(agent, ticket));
	CHECK_EQ(fill(RID, 0x30000, 4), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(paused_guest_is_shown_nothing_and_owes_nothing_for_the_time)
{
	struct iopf_policy policy = { .deadline_ns = 1000000, .deadline_answers = 1 };
	struct iopf_host_stats stats;

	create_world(plain, policy, 0);
	world.guests[0].options.silent = true;
	CHECK_EQ(iopf_host_pause_guest(world.host, world.guests[0].id, true, world.now_ns), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4096);
	settle();
	iopf_host_stats(world.host, &stats);
	CHECK_EQ(stats.shown, 0);
	pass(10 * policy.deadline_ns);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_running);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(iopf_host_pause_guest(world.host, world.guests[0].id, false, world.now_ns), 0);
	world.guests[0].options.silent = false;
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_deadline), 0);
	court_destroy(&world);
}

TEST(quota_of_an_owner_alone_makes_what_its_function_may_ask_smaller)
{
	create_world(plain, (struct iopf_policy){ .quota_groups = 3 }, 0);
	CHECK_EQ(world_state(&world, RID).allocation, 3);
	CHECK_EQ(world_state(&world, OTHER_RID).allocation, 8);
	CHECK_EQ(fill(RID, 0x10000, 16), MODEL_JOB_STATUS_done);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_quota), 0);
	court_destroy(&world);
}

TEST(quota_of_an_owner_is_for_all_of_its_functions_together)
{
	const struct world_function_options both[] = {
		{ .rid = RID, .allocation = 8 },
		{ .rid = OTHER_RID, .allocation = 8 },
	};
	const struct world_guest_options guest = { .function_count = 2,
						   .functions = both,
						   .request_order = 3,
						   .policy = { .quota_groups = 6 } };
	const struct world_options options = { .guest_count = 1,
					       .guests = &guest,
					       .request_order = 1 };

	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_state(&world, RID).allocation, 3);
	CHECK_EQ(world_state(&world, OTHER_RID).allocation, 3);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 0, OTHER_RID, 7), 0);
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 16 * 4096);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 16), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_quota), 0);
	CHECK_EQ(counted(OTHER_RID, IOPF_COUNTER_ended_quota), 0);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
