/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what an SMMU tells beside page requests, and what it does not tell. */
#include <errno.h>

#include "host/host.h"
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, STRANGER = 0x0777, SECOND = 1000000000 };

static struct world world;
static struct iopf_note fault_told;
static struct iopf_fault fault_copy;
static struct iopf_command invalidated;
static uint32_t faults_told, terminated_told;

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	terminated_told += note->kind == IOPF_NOTE_TERMINATE;
	if (note->kind == IOPF_NOTE_INVALIDATE)
		invalidated = *note->command;
	if (note->kind != IOPF_NOTE_FAULT)
		return;
	fault_told = *note;
	fault_copy = *note->fault;
	faults_told++;
}

/* One guest with two devices. */
static void create_world(const char *family, bool stalls, uint32_t stall_max)
{
	static struct world_function_options functions[2];
	static struct world_guest_options guest;
	const struct world_options options = { .guest_count = 1,
					       .guests = &guest,
					       .request_order = 1,
					       .family = family,
					       .stall_max = stall_max,
					       .note = on_note };

	for (unsigned i = 0; i < 2; i++)
		functions[i] = (struct world_function_options){ .rid = i ? OTHER_RID : RID,
								.allocation = 8,
								.stalls = stalls };
	guest = (struct world_guest_options){ .function_count = 2,
					      .functions = functions,
					      .request_order = 1 };
	faults_told = terminated_told = 0;
	CHECK_EQ(court_create(&options, &world), 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 0, OTHER_RID, 7), 0);
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

static struct iopf_host_stats host_stats(void)
{
	struct iopf_host_stats stats;

	iopf_host_stats(world.host, &stats);
	return stats;
}

static const struct host_function *function_of(uint32_t rid)
{
	return host_function_of(world.host, iopf_host_endpoint(world.host, rid));
}

static void event(uint32_t rid, bool stall)
{
	const struct iopf_fault fault = { .rid = rid,
					  .pasid = 7,
					  .addr = 0x10000,
					  .perm = IOPF_READ,
					  .index = 5,
					  .reason = IOPF_SMMUV3_F_TRANSLATION,
					  .stage = 1,
					  .stall = stall };

	CHECK(iopf_hardware_fault(model_iommu_hardware(world.iommu), &fault));
}

TEST(stall_of_a_stranger_is_aborted_in_the_same_turn)
{
	create_world("smmuv3", true, 0);
	event(STRANGER, true);
	iopf_host_run(world.host, 64, world.now_ns);
	CHECK_EQ(host_stats().stalls, 1);
	CHECK_EQ(host_stats().responses, 1);
	settle();
	CHECK_EQ(model_iommu_stats(world.iommu).resumed[MODEL_STALL_UNKNOWN], 1);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(event_that_nobody_recovers_from_is_counted_and_told)
{
	create_world("smmuv3", true, 0);
	event(RID, false);
	settle();
	CHECK_EQ(host_stats().faults, 1);
	CHECK_EQ(host_stats().responses, 0);
	CHECK_EQ(faults_told, 1);
	CHECK_EQ(fault_told.endpoint, iopf_host_endpoint(world.host, RID));
	CHECK_EQ(fault_copy.addr, 0x10000);
	court_destroy(&world);
}

/* Global pages are of no ASID: what goes by one leaves them. */
TEST(invalidation_of_all_that_a_guest_has_is_not_one_of_an_asid)
{
	const struct iopf_command all = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					  .granularity = IOPF_DOMAIN,
					  .hints = IOPF_HINT_FIRST };

	create_world("smmuv3", false, 0);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	CHECK_EQ(iopf_agent_command(world.guests[0].agent, &all), 0);
	iopf_agent_kick(world.guests[0].agent);
	settle();
	CHECK_EQ(invalidated.kind, IOPF_COMMAND_INVALIDATE_IOTLB);
	CHECK_EQ(invalidated.granularity, IOPF_DOMAIN);
	CHECK(invalidated.domain != 0);
	CHECK_EQ(host_stats().skipped, 0);
	court_destroy(&world);
}

/* Its record is written when there is room: what is drained then is not all. */
TEST(drain_goes_round_again_where_the_event_queue_was_full)
{
	const struct iopf_fault waits = { .rid = RID,
					  .pasid = 7,
					  .addr = 0x20000,
					  .perm = IOPF_READ,
					  .reason = IOPF_SMMUV3_F_TRANSLATION,
					  .stage = 1,
					  .stall = true };
	struct host_drain drain = { 0 };
	uint32_t room = 1, size;
	uint16_t tag;

	create_world("smmuv3", true, 0);
	CHECK_EQ(host_drained(world.host, HOST_STALLS, &drain), -EAGAIN);
	CHECK_EQ(iopf_driver_kick(world.host->driver), 0);
	while (iopf_hardware_fault_room(model_iommu_hardware(world.iommu), &room, &size) &&
	       room > 0)
		event(OTHER_RID, false);
	CHECK_EQ(model_iommu_stall(world.iommu, &waits, &tag), 0);
	model_iommu_run(world.iommu, 64, world.now_ns);
	CHECK_EQ(host_drained(world.host, HOST_STALLS, &drain), -EAGAIN);
	iopf_host_run(world.host, 4 * size, world.now_ns);
	CHECK_EQ(host_stats().stalls, 0);
	CHECK_EQ(host_drained(world.host, HOST_STALLS, &drain), -EOVERFLOW);
	while (host_drained(world.host, HOST_STALLS, &drain) == -EAGAIN)
		world_turn(&world);
	CHECK_EQ(host_stats().stalls, 1);
	settle();
	court_destroy(&world);
}

TEST(pci_function_is_never_taken_for_one_that_stalls)
{
	struct iopf_host_function_options function = { .rid = STRANGER,
						       .allocation = 8,
						       .mechanism = IOPF_STALLS,
						       .ops = &world_function_ops };
	const uint32_t pasid = 7;
	const struct iopf_pager_region region = { .out = UINT64_C(1) << 32,
						  .size_bytes = 1 << 20,
						  .perm = IOPF_READ };
	const struct iopf_host_pager_options options = { .size_bytes = sizeof(options),
							 .function_count = 1,
							 .functions = &function,
							 .pasids = &pasid,
							 .pasid_count = 1,
							 .regions = &region,
							 .region_count = 1 };
	static const struct iopf_master_ops master;
	uint32_t id;

	create_world("smmuv3", true, 0);
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), -EINVAL);
	function.master = &master;
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), -EINVAL);
	court_destroy(&world);
	create_world("vtd", false, 0);
	function.ops = NULL;
	CHECK_EQ(iopf_host_add_pager(world.host, &options, &id), -EOPNOTSUPP);
	court_destroy(&world);
}

/* Whoever is silent, its commands and a healthy function's stand before one wait. */
static void invalidate_both(void)
{
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					.granularity = IOPF_ALL,
					.rid = RID,
					.pasid = 7,
					.pending_max = 1 };
	struct iopf_agent *agent = world.guests[0].agent;
	uint64_t ticket;

	CHECK_EQ(iopf_agent_command(agent, &command), 0);
	command.rid = OTHER_RID;
	CHECK_EQ(iopf_agent_command(agent, &command), 0);
	CHECK_EQ(iopf_agent_wait(agent, false, &ticket), 0);
	iopf_agent_kick(agent);
	for (unsigned i = 0; i < 12; i++) {
		settle();
		world.now_ns += SECOND;
	}
	settle();
	CHECK(iopf_agent_waited(agent, ticket));
}

TEST(function_that_is_silent_is_found_by_asking_where_hardware_does_not_say)
{
	create_world("smmuv3", false, 0);
	model_function_answer_invalidations(world_function(&world, OTHER_RID)->function,
					    false);
	invalidate_both();
	CHECK_EQ(function_of(OTHER_RID)->state, FUNCTION_BLOCKED);
	CHECK_EQ(function_of(RID)->state, FUNCTION_PRESENT);
	CHECK_EQ(host_stats().blocked, 1);
	CHECK(!world.host->inquiry.active);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(nobody_is_blocked_where_everybody_answers_when_asked)
{
	create_world("smmuv3", false, 0);
	model_function_answer_invalidations(world_function(&world, OTHER_RID)->function,
					    false);
	/* Heard again before it is asked. */
	world.hold_host = true;
	settle();
	world.hold_host = false;
	model_function_answer_invalidations(world_function(&world, OTHER_RID)->function, true);
	invalidate_both();
	CHECK_EQ(host_stats().blocked, 0);
	court_destroy(&world);
}

TEST(stalls_of_a_stream_end_with_it_and_only_its_own)
{
	create_world("smmuv3", true, 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	world_job(&world, OTHER_RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 4 * 4096);
	settle();
	CHECK(model_iommu_stalled(world.iommu, RID) > 0);
	CHECK(model_iommu_stalled(world.iommu, OTHER_RID) > 0);
	CHECK_EQ(iopf_host_reset_function(world.host, iopf_host_endpoint(world.host, RID),
					  world.now_ns),
		 0);
	settle();
	CHECK_EQ(terminated_told, 1);
	CHECK_EQ(model_iommu_stalled(world.iommu, RID), 0);
	CHECK(model_iommu_stalled(world.iommu, OTHER_RID) > 0);
	CHECK_EQ(model_iommu_stats(world.iommu).misused, 0);
	CHECK_EQ(host_stats().responses, 0);
	world.guests[0].options.silent = false;
	settle();
	CHECK_EQ(world_job_status(&world, OTHER_RID, 0), MODEL_JOB_STATUS_done);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

TEST(detach_of_one_address_space_of_a_stream_leaves_the_others_alone)
{
	create_world("smmuv3", true, 0);
	CHECK_EQ(world_attach(&world, 0, RID, 8), 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 2 * 4096);
	world_job(&world, RID, 1, 8, MODEL_JOB_FILL, 0, 0x10000, 2 * 4096);
	settle();
	CHECK_EQ(model_iommu_stalled(world.iommu, RID), 4);
	CHECK_EQ(iopf_agent_detach(world.guests[0].agent, RID, 7), 0);
	settle();
	CHECK_EQ(world_job_status(&world, RID, 1), MODEL_JOB_STATUS_running);
	CHECK_EQ(model_iommu_stalled(world.iommu, RID), 2);
	CHECK_EQ(terminated_told, 0);
	world.guests[0].options.silent = false;
	world.guests[0].rang = true;
	settle();
	CHECK_EQ(world_job_status(&world, RID, 1), MODEL_JOB_STATUS_done);
	CHECK_EQ(model_iommu_stalled(world.iommu, RID), 0);
	court_destroy(&world);
}

TEST(stalls_whose_records_were_lost_are_terminated)
{
	create_world("smmuv3", true, 0);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 2 * 4096);
	settle();
	guard_lost(world.host, HOST_STALLS);
	settle();
	CHECK_EQ(terminated_told, 2); /* of each stream: nobody knows whose they were */
	CHECK_EQ(model_iommu_stalled(world.iommu, IOPF_NO_ID), 0);
	world.guests[0].options.silent = false;
	settle();
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_done);
	court_destroy(&world);
}

/* What the pool holds at most is what its streams are promised together. */
TEST(streams_are_promised_no_more_than_the_pool_has)
{
	create_world("smmuv3", true, 16);
	CHECK_EQ(iopf_broker_gauge(iopf_host_broker(world.host),
				   iopf_host_endpoint(world.host, RID), IOPF_GAUGE_granted),
		 8);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x10000, 32 * 4096);
	settle();
	CHECK(model_iommu_stalled(world.iommu, IOPF_NO_ID) <= 8);
	world.guests[0].options.silent = false;
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	settle();
	CHECK_EQ(model_iommu_stalled(world.iommu, IOPF_NO_ID), 0);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
