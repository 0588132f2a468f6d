/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: honest guests, silent ones, detaches, resets, in the order of chance, and
 * no checker fires. */
#include "sim/check.h"
#include "sim/world.h"

#include <errno.h>

#include "guest/config.h"
#include "test.h"

enum { GUESTS = 3, PASIDS = 2, STEPS = 400, RID = 0x0310, PAGES = 64, ENTRIES = 128 };

static struct world world;
static struct sim_check *check;
static uint64_t seed;
static uint32_t resets;
static bool seeing; /* guests see configuration spaces, and write there */

static uint32_t draw(uint32_t below)
{
	return (uint32_t)(test_random(&seed) % below);
}

static void on_note(void *context, const struct iopf_note *note)
{
	(void)context;
	sim_check_note(check, note);
}

static void on_event(void *context, const struct iopf_event *event)
{
	(void)context;
	sim_check_event(check, event);
}

static void audit(enum sim_rest rest)
{
	struct sim_check_reading reading;

	sim_check_read(check, world.host, world.iommu, &reading);
	sim_check_audit(check, &reading, rest);
}

static void turn(unsigned count)
{
	while (count-- > 0) {
		world.now_ns += 1000;
		world_turn(&world);
		sim_check_turn(check, world.now_ns);
		audit(SIM_RUNNING);
	}
}

static uint32_t rid_of(uint32_t guest)
{
	return RID + guest * 8;
}

static void holds(void)
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
}

static void create(uint32_t allocation)
{
	static struct world_function_options functions[GUESTS];
	static struct world_guest_options guests[GUESTS];
	const struct sim_check_options options = { .queue_entries = ENTRIES - 1,
						   .wait_turns = 2000 };
	struct world_options all = { .guest_count = GUESTS,
				     .guests = guests,
				     .note = on_note,
				     .event = on_event };

	CHECK_EQ(sim_check_create(&options, &check), 0);
	for (uint32_t n = 0; n < GUESTS; n++) {
		functions[n] = (struct world_function_options){
			.rid = rid_of(n),
			.allocation = allocation,
			.no_pasid_in_response = n == 1,
			.stop_marker = n == 2,
			.group_pages = 1 + n * 3,
			.config = seeing,
		};
		guests[n] = (struct world_guest_options){ .function_count = 1,
							  .functions = &functions[n] };
		CHECK_EQ(sim_check_add(check, &(struct sim_check_function){
						      .rid = rid_of(n), .honest = true }),
			 0);
	}
	all.observer = sim_check_observer(check);
	CHECK_EQ(world_create(&all, &world), 0);
	for (uint32_t n = 0; n < GUESTS; n++) {
		CHECK_EQ(sim_check_bind(check, rid_of(n),
					iopf_host_endpoint(world.host, rid_of(n))),
			 0);
		for (uint32_t pasid = 1; pasid <= PASIDS; pasid++)
			CHECK_EQ(world_attach(&world, n, rid_of(n), pasid), 0);
	}
}

static void destroy(void)
{
	world_destroy(&world);
	sim_check_destroy(check);
}

/* ---- What may happen -------------------------------------------------------- */

static void job(uint32_t guest)
{
	world_job(&world, rid_of(guest), draw(4), 1 + draw(PASIDS),
		  draw(2) == 0 ? MODEL_JOB_FILL : MODEL_JOB_COPY, draw(PAGES) * 4096,
		  (PAGES + draw(PAGES)) * 4096, (1 + draw(8)) * 4096);
}

static void unmap(uint32_t guest)
{
	uint64_t ticket;

	(void)iopf_agent_unmap(world.guests[guest].agent, rid_of(guest), 1 + draw(PASIDS),
			       draw(PAGES) * 4096, 4096 * 4, &ticket);
	iopf_agent_kick(world.guests[guest].agent);
}

/* The function stops the PASID first, as whoever takes an address space away has to. */
static void detach(uint32_t guest)
{
	uint32_t rid = rid_of(guest), pasid = 1 + draw(PASIDS);
	struct model_function *function = world_function(&world, rid)->function;
	struct iopf_agent *agent = world.guests[guest].agent;
	unsigned n = 0;

	world.guests[guest].options.silent = false;
	model_engine_write(world_function(&world, rid)->engine, MODEL_ENGINE_STOP, 8, pasid);
	for (; model_function_stopping(function, pasid) && n < 20000; n++)
		turn(1);
	CHECK(n < 20000);
	CHECK_EQ(iopf_agent_detach(agent, rid, pasid), 0);
	for (n = 0; iopf_agent_attached(agent, rid, pasid) != -ENOENT && n < 20000; n++) {
		iopf_agent_poll(agent, 64);
		turn(1);
	}
	CHECK(n < 20000);
	CHECK_EQ(world_attach(&world, guest, rid, pasid), 0);
}

static void reset(uint32_t guest)
{
	uint32_t endpoint = iopf_host_endpoint(world.host, rid_of(guest));

	resets++;
	(void)iopf_host_reset_function(world.host, endpoint, world.now_ns);
	for (unsigned n = 0; iopf_host_busy(world.host, endpoint) && n < 20000; n++)
		turn(1);
}

static void restart(uint32_t guest)
{
	uint32_t endpoint = iopf_host_endpoint(world.host, rid_of(guest));

	(void)iopf_host_restart_function(world.host, endpoint);
	for (unsigned n = 0; iopf_host_busy(world.host, endpoint) && n < 100000; n++)
		turn(1);
}

static void silence(uint32_t guest)
{
	world.guests[guest].options.silent = !world.guests[guest].options.silent;
}

static void hold(uint32_t guest)
{
	(void)guest;
	world.hold_host = true; /* the queue fills */
	for (unsigned n = 0; n < 20; n++)
		world_turn(&world);
	world.hold_host = false;
}

/* PRI goes off, with what is open; everything goes on; a function level reset; anything. */
static void registers(uint32_t guest)
{
	uint32_t rid = rid_of(guest), offset = draw(0x140) & ~3u;

	switch (draw(6)) {
	case 0:
	case 1:
		world_config_write(&world, rid, GUEST_PRI + PRI_CONTROL, 2, 0);
		break;
	case 2:
		resets++;
		world_config_write(&world, rid, GUEST_EXPRESS + EXPRESS_CONTROL, 2,
				   DEVICE_CONTROL_FLR);
		break;
	case 3:
		resets++; /* that may be one as well */
		world_config_write(&world, rid, offset, 4, (uint32_t)test_random(&seed));
		break;
	default:
		world_config_on(&world, rid);
	}
}

static void history(uint32_t allocation)
{
	static void (*const acts[])(uint32_t guest) = { job,    job,     job,     job,
							unmap,  detach,  silence, hold,
							reset,  restart, job,     unmap };

	resets = 0;
	create(allocation);
	for (unsigned n = 0; n < STEPS; n++) {
		acts[draw(sizeof(acts) / sizeof(acts[0]))](draw(GUESTS));
		if (seeing && draw(6) == 0)
			registers(draw(GUESTS));
		turn(draw(40));
		if (sim_check_violations(check) > 0)
			break;
	}
	for (uint32_t n = 0; n < GUESTS; n++)
		world.guests[n].options.silent = false;
	turn(3000);
	holds();
	audit(SIM_OVER);
	holds();
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++)
		CHECK(sim_check_result(check, (enum sim_invariant)n)->checked > 50);
	for (uint32_t n = 0; n < GUESTS; n++) /* a reset may overtake a response */
		CHECK(resets > 0 || world_state(&world, rid_of(n)).uprgi_count == 0);
	destroy();
}

TEST(no_checker_fires_where_all_do_what_they_should)
{
	for (seed = 1; seed <= 20; seed++) {
		uint64_t kept = seed;

		history(4 + (uint32_t)seed);
		seed = kept;
	}
}

TEST(no_checker_fires_where_guests_switch_and_reset_what_they_see)
{
	seeing = true;
	for (seed = 101; seed <= 120; seed++) {
		uint64_t kept = seed;

		history((uint32_t)seed - 96);
		seed = kept;
	}
}

int main(void)
{
	return test_main();
}
