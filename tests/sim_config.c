/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: what a guest switches in the configuration space that it sees, watched at
 * the function's end: every group gets one response, credits come back, others feel
 * nothing, and no checker fires.
 */
#include "sim/check.h"
#include "sim/world.h"

#include "guest/config.h"
#include "host/host.h"
#include "test.h"

enum {
	RID = 0x0310,
	OTHER_RID = 0x0318,
	GROUPS = 6,
	ATS_AT = GUEST_ATS + ATS_CONTROL,
	PRI_AT = GUEST_PRI + PRI_CONTROL,
	STATUS_AT = GUEST_PRI + PRI_STATUS,
	ALLOCATION_AT = GUEST_PRI + PRI_ALLOCATION,
	PASID_AT = GUEST_PASID + PASID_CONTROL,
	FLR_AT = GUEST_EXPRESS + EXPRESS_CONTROL,
};

static struct world world;
static struct sim_check *check;
static enum iopf_code last_code; /* of the last response that left */

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	if (note->kind == IOPF_NOTE_RESPONSE)
		last_code = (enum iopf_code)note->code;
	sim_check_note(check, note);
}

static void on_event(void *context, const struct iopf_event *event)
{
	(void)context;
	sim_check_event(check, event);
}

static void create_with(uint64_t reset_ns, bool is_virtual)
{
	static struct world_function_options functions[2];
	static struct world_guest_options guests[2];
	const struct sim_check_options books = { .queue_entries = 255, .wait_turns = 2000 };
	struct world_options options = { .guest_count = 2,
					 .guests = guests,
					 .request_order = 1,
					 .reset_ns = reset_ns,
					 .note = on_note,
					 .event = on_event };

	CHECK_EQ(sim_check_create(&books, &check), 0);
	for (unsigned i = 0; i < 2; i++) {
		functions[i] = (struct world_function_options){
			.rid = i == 0 ? RID : OTHER_RID,
			.allocation = 16,
			.config = true,
			.has_physical = i == 1 && is_virtual,
			.physical_rid = RID,
		};
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[i],
							  .request_order = 1 };
		CHECK_EQ(sim_check_add(check, &(struct sim_check_function){
						      .rid = functions[i].rid,
						      .honest = true,
						      .has_physical =
							      functions[i].has_physical,
						      .physical_rid = RID }),
			 0);
	}
	options.observer = sim_check_observer(check);
	CHECK_EQ(world_create(&options, &world), 0);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(sim_check_bind(check, functions[i].rid,
					iopf_host_endpoint(world.host, functions[i].rid)),
			 0);
		CHECK_EQ(world_attach(&world, i, functions[i].rid, 7), 0);
	}
}

static void create(void)
{
	create_with(0, false);
}

static void settle(void)
{
	struct sim_check_reading reading;

	for (unsigned i = 0; i < 600; i++) {
		world.now_ns += 1000;
		world_turn(&world);
		sim_check_turn(check, world.now_ns);
	}
	sim_check_read(check, world.host, world.iommu, &reading);
	sim_check_audit(check, &reading, SIM_RUNNING);
}

static void destroy(void)
{
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++) {
		const struct sim_check_result *result =
			sim_check_result(check, (enum sim_invariant)n);

		if (result->violations > 0)
			printf("%s: %s\n", sim_invariant_name((enum sim_invariant)n),
			       result->first);
		CHECK_EQ(result->violations, 0);
	}
	CHECK_STR(sim_check_judged(check)->first, "");
	world_destroy(&world);
	sim_check_destroy(check);
}

static void put(uint32_t offset, uint32_t width, uint32_t value)
{
	world_config_write(&world, RID, offset, width, value);
}

static uint32_t get(uint32_t offset, uint32_t width)
{
	return world_config_read(&world, RID, offset, width);
}

static enum model_job_status fill(uint32_t rid, uint64_t addr, uint64_t pages)
{
	world_job(&world, rid, 0, 7, MODEL_JOB_FILL, 0, addr, pages * 4096);
	settle();
	return world_job_status(&world, rid, 0);
}

static uint64_t counted(uint32_t rid, enum iopf_counter counter)
{
	return iopf_broker_stats(iopf_host_broker(world.host))
		->row[iopf_host_endpoint(world.host, rid)]
		.counter[counter];
}

static struct iopf_guest_stats guest_stats(void)
{
	struct iopf_guest_stats stats;

	iopf_guest_stats(iopf_host_guest(world.host, world.guests[0].id), &stats);
	return stats;
}

/* The function waits for GROUPS pages that its guest has been shown and says nothing. */
static void hold(void)
{
	world.guests[0].options.silent = true;
	sim_check_honest(check, RID, false);
	for (uint32_t slot = 0; slot < GROUPS; slot++)
		world_job(&world, RID, slot, 7, MODEL_JOB_FILL, 0, 0x100000 + slot * 0x10000,
			  4096);
	settle();
	CHECK_EQ(world_state(&world, RID).credits_in_use, GROUPS);
	CHECK_EQ(guest_stats().held, GROUPS);
}

static void check_nothing_open(void)
{
	struct model_function_state state = world_state(&world, RID);

	CHECK_EQ(state.credits_in_use, 0);
	CHECK_EQ(state.open + state.waiting + state.stale, 0);
	CHECK_EQ(state.uprgi_count, 0);
	CHECK(!state.rf);
	CHECK_EQ(guest_stats().held, 0);
}

/* ---- PRI ------------------------------------------------------------------------- */

TEST(guest_with_everything_on_is_shown_pages_as_ever)
{
	create();
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0x5a5a1234);
	CHECK_EQ(get(GUEST_PRI + PRI_CAPACITY, 4), 16);
	CHECK_EQ(get(STATUS_AT, 2), PRI_PASID_REQUIRED);
	CHECK_EQ(fill(RID, 0x10000, 8), MODEL_JOB_STATUS_done);
	check_nothing_open();
	destroy();
}

TEST(groups_that_a_guest_holds_when_it_switches_pri_off_get_invalid)
{
	create();
	hold();
	put(PRI_AT, 2, 0);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	settle();
	for (uint32_t slot = 0; slot < GROUPS; slot++)
		CHECK_EQ(world_job_status(&world, RID, slot), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_detach), GROUPS);
	CHECK_EQ(counted(RID, IOPF_COUNTER_response_invalid), GROUPS);
	check_nothing_open();
	CHECK_EQ(guest_stats().owed, GROUPS);
	destroy();
}

TEST(late_answers_to_what_was_taken_back_mean_nothing)
{
	create();
	hold();
	put(PRI_AT, 2, 0);
	settle();
	world.guests[0].options.silent = false; /* it answers everything that it has read */
	settle();
	CHECK_EQ(guest_stats().refused_stale, GROUPS);
	CHECK_EQ(guest_stats().owed, 0);
	CHECK(!(get(STATUS_AT, 2) & PRI_UPRGI));
	CHECK_EQ(counted(RID, IOPF_COUNTER_response_success), 0);
	check_nothing_open();
	world_config_on(&world, RID);
	CHECK_EQ(fill(RID, 0x900000, 4), MODEL_JOB_STATUS_done);
	destroy();
}

/* The function pages all the same: that is the host's, who answers for the guest. */
TEST(while_pri_is_off_the_guest_is_shown_nothing_and_the_function_gets_invalid)
{
	uint64_t shown;

	create();
	put(PRI_AT, 2, 0);
	shown = guest_stats().shown;
	CHECK_EQ(fill(RID, 0x10000, 4), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(guest_stats().shown, shown);
	CHECK(counted(RID, IOPF_COUNTER_ended_no_owner) > 0);
	CHECK(world_state(&world, RID).enabled);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	check_nothing_open();
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	destroy();
}

/* A page that the guest's tables have, and only the host's stage lacks. */
TEST(what_the_host_serves_goes_on_while_pri_is_off)
{
	uint64_t gpa;

	create();
	CHECK_EQ(world_page_give(&world, 0, 7, 0x10000, &gpa), 0);
	CHECK_EQ(iopf_agent_map(world.guests[0].agent, RID, 7, 0x10000, gpa,
				IOPF_READ | IOPF_WRITE),
		 0);
	put(PRI_AT, 2, 0);
	CHECK_EQ(fill(RID, 0x10000, 1), MODEL_JOB_STATUS_done);
	destroy();
}

TEST(pasids_that_are_off_are_not_shown)
{
	create();
	put(PASID_AT, 2, 0);
	CHECK_EQ(fill(RID, 0x10000, 2), MODEL_JOB_STATUS_invalid);
	put(PASID_AT, 2, PASID_ENABLE);
	CHECK_EQ(fill(RID, 0x20000, 2), MODEL_JOB_STATUS_done);
	destroy();
}

/* A guest that has never heard of the function's cache does not invalidate it. */
TEST(while_ats_is_off_the_functions_cache_hears_every_invalidation)
{
	struct iopf_agent *agent;
	uint64_t ticket;
	uint64_t before;

	create();
	agent = world.guests[0].agent;
	CHECK_EQ(fill(RID, 0x10000, 1), MODEL_JOB_STATUS_done);
	put(ATS_AT, 2, 0);
	before = world_state(&world, RID).invalidations;
	CHECK_EQ(iopf_agent_command(agent,
				    &(struct iopf_command){
					    .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_PAGE,
					    .domain = 1,
					    .pasid = 7,
					    .addr = 0x10000,
					    .size_bytes = 4096 }),
		 0);
	iopf_agent_kick(agent);
	settle();
	CHECK(world_state(&world, RID).invalidations > before);
	put(ATS_AT, 2, ATS_ENABLE);
	CHECK_EQ(iopf_agent_unmap(agent, RID, 7, 0x10000, 4096, &ticket), 0);
	iopf_agent_kick(agent);
	settle();
	CHECK(iopf_agent_waited(agent, ticket));
	destroy();
}

TEST(failure_of_a_guest_is_its_own_until_it_switches_pri_off_and_on)
{
	create();
	hold();
	/* Its first group: the one virtual index that a guest is shown first. */
	CHECK_EQ(iopf_agent_answer(world.guests[0].agent, RID, 7, 0, IOPF_FAILURE), 0);
	iopf_agent_kick(world.guests[0].agent);
	settle();
	CHECK_EQ(last_code, IOPF_INVALID);
	CHECK(get(STATUS_AT, 2) & PRI_RF);
	CHECK_EQ(fill(RID, 0x800000, 1), MODEL_JOB_STATUS_invalid);
	put(PRI_AT, 2, 0);
	world.guests[0].options.silent = false;
	settle();
	world_config_on(&world, RID);
	CHECK(!(get(STATUS_AT, 2) & PRI_RF));
	CHECK_EQ(fill(RID, 0x800000, 4), MODEL_JOB_STATUS_done);
	CHECK(!world_state(&world, RID).rf);
	destroy();
}

/* ---- Function level reset --------------------------------------------------------- */

TEST(groups_that_are_open_when_a_guest_resets_its_function_get_no_response)
{
	create();
	hold();
	put(FLR_AT, 2, 0x2810 | DEVICE_CONTROL_FLR);
	settle();
	CHECK_EQ(counted(RID, IOPF_COUNTER_ended_reset), GROUPS);
	CHECK_EQ(counted(RID, IOPF_COUNTER_response_invalid), 0);
	check_nothing_open();
	CHECK_EQ(get(PRI_AT, 2), 0);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	CHECK(world_state(&world, RID).enabled); /* the host's own */
	/* Its address spaces stay: they are the IOMMU's. */
	world.guests[0].options.silent = false;
	settle();
	world_config_on(&world, RID);
	CHECK_EQ(fill(RID, 0x900000, 4), MODEL_JOB_STATUS_done);
	CHECK_EQ(world_state(&world, RID).uprgi_count, 0);
	destroy();
}

TEST(function_that_is_being_reset_is_not_there)
{
	struct iopf_host_stats stats;

	create_with(50000000, false);
	put(FLR_AT, 2, DEVICE_CONTROL_FLR);
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0xffffffff);
	put(FLR_AT, 2, DEVICE_CONTROL_FLR); /* nobody hears that */
	settle();
	CHECK_EQ(get(CONFIG_COMMAND, 2), 0xffff);
	world.now_ns += 50000000;
	settle();
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0x5a5a1234);
	CHECK_EQ(get(PRI_AT, 2), 0);
	iopf_host_stats(world.host, &stats);
	CHECK_EQ(stats.resets, 1);
	destroy();
}

TEST(guest_that_resets_a_virtual_function_resets_that_alone)
{
	create_with(0, true);
	sim_check_honest(check, RID, false);
	world.guests[0].options.silent = true;
	world_job(&world, RID, 0, 7, MODEL_JOB_FILL, 0, 0x100000, 4096);
	settle();
	world_config_write(&world, OTHER_RID, FLR_AT, 2, DEVICE_CONTROL_FLR);
	settle();
	CHECK_EQ(world_state(&world, RID).credits_in_use, 1);
	CHECK_EQ(guest_stats().held, 1);
	world.guests[0].options.silent = false;
	world.guests[0].rang = true;
	settle();
	CHECK_EQ(world_job_status(&world, RID, 0), MODEL_JOB_STATUS_done);
	world_config_on(&world, OTHER_RID);
	CHECK_EQ(fill(OTHER_RID, 0x10000, 4), MODEL_JOB_STATUS_done);
	destroy();
}

/* ---- The end ----------------------------------------------------------------------- */

TEST(function_that_is_gone_or_a_guest_that_is_reads_ones)
{
	create();
	CHECK_EQ(iopf_host_guest_config_read(world.host, world.guests[0].id, 1, 0, 4),
		 0xffffffff);
	CHECK_EQ(iopf_host_guest_config_read(world.host, 99, 0, 0, 4), 0xffffffff);
	CHECK(iopf_host_guest_config(world.host, world.guests[0].id, 1) == NULL);
	CHECK(iopf_host_guest_config(world.host, world.guests[0].id, 0) != NULL);
	model_function_remove(world_function(&world, RID)->function);
	world.now_ns += 2000000;
	world_turn(&world); /* the host has seen it, and no more than that */
	CHECK_EQ(get(CONFIG_VENDOR, 2), 0xffff);
	for (unsigned i = 0; i < 4; i++) { /* its invalidations time out meanwhile */
		world.now_ns += 1000000000;
		settle();
		CHECK_EQ(get(CONFIG_VENDOR, 2), 0xffff);
	}
	CHECK_EQ(iopf_host_endpoint(world.host, RID), IOPF_NO_ID);
	put(PRI_AT, 2, 0);
	CHECK_EQ(iopf_host_guest_gone(world.host, world.guests[1].id), 0);
	CHECK_EQ(world_config_read(&world, OTHER_RID, CONFIG_VENDOR, 4), 0xffffffff);
	settle();
	CHECK(iopf_host_guest_config(world.host, world.guests[1].id, 0) == NULL);
	destroy();
}

int main(void)
{
	return test_main();
}
