/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever guests, masters and operators do with stalled transactions in
 * whatever order, no checker fires, honest jobs end with the right bytes, and every slot
 * of the pool comes back. `sim_random_stalls SEED` plays one seed.
 */
#include <errno.h>

#include "sim/check.h"
#include "sim/world.h"

#include "test.h"

enum {
	HONEST, CLUMSY, WILD, GUESTS,
	POOL = 48,
	SHARE = 12,
	PASIDS = 2,
	JOB_PAGES = 3,
	STEPS = 600,
	CALM_TURNS = 20000,
	SEEDS = 24,
};
#define PAGE_BYTES UINT64_C(4096)
#define STEP_NS    UINT64_C(2000000)

static const uint32_t rids[GUESTS] = { 0x10, 0x18, 0x20 };

/* Each seed has one. */
static const struct {
	const char *guest;
	bool shadow;
} kinds[] = { { "smmuv3", false }, { "vtd", false }, { "smmuv3", true } };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct world world;
static struct sim_check *check;
static uint64_t state, seed, turns, jobs_done, job_addr, job_pattern;
static bool job_runs;

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(test_random(&state) % below);
}

static uint32_t endpoint_of(unsigned guest)
{
	return iopf_host_endpoint(world.host, rids[guest]);
}

static struct iopf_agent *agent_of(unsigned guest)
{
	return world.guests[guest].agent;
}

/* ---- The world ------------------------------------------------------------------------ */

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

static void create_check(void)
{
	const struct sim_check_options options = { .stall_slots = POOL };

	CHECK_EQ(sim_check_create(&options, &check), 0);
	for (unsigned i = 0; i < GUESTS; i++)
		CHECK_EQ(sim_check_add(check,
				       &(struct sim_check_function){ .rid = rids[i],
								     .honest = i == HONEST,
								     .stalls = true,
								     .slots = SHARE }),
			 0);
}

static void create_world(void)
{
	static struct world_function_options masters[GUESTS];
	static struct world_guest_options guests[GUESTS];
	struct world_options options = { .guest_count = GUESTS,
					 .guests = guests,
					 .family = "smmuv3",
					 .stall_max = POOL,
					 .note = on_note,
					 .event = on_event };

	create_check();
	options.stalls = sim_check_stalls(check);
	for (unsigned i = 0; i < GUESTS; i++) {
		masters[i] = (struct world_function_options){ .rid = rids[i],
							      .allocation = SHARE,
							      .stalls = true,
							      .retry_max = 100000 };
		guests[i] = (struct world_guest_options){ .function_count = 1,
							  .functions = &masters[i],
							  .family = kinds[seed % KINDS].guest,
							  .shadow = kinds[seed % KINDS].shadow };
	}
	guests[CLUMSY].policy = (struct iopf_policy){ .deadline_ns = 20 * STEP_NS,
						      .deadline_answers = 1 };
	CHECK_EQ(world_create(&options, &world), 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		CHECK_EQ(sim_check_bind(check, rids[i], endpoint_of(i)), 0);
		for (uint32_t pasid = 1; pasid <= PASIDS; pasid++)
			CHECK_EQ(world_attach(&world, i, rids[i], pasid), 0);
	}
	turns = 0;
	job_runs = false;
}

/* ---- The honest guest's job --------------------------------------------------------- */

static void begin_job(void)
{
	struct model_engine *engine = world_function(&world, rids[HONEST])->engine;

	job_addr = (uint64_t)(1 + chance(16)) << 20;
	job_pattern = test_random(&state);
	model_engine_write(engine, MODEL_ENGINE_JOBS + MODEL_JOB_PATTERN, 8, job_pattern);
	world_job(&world, rids[HONEST], 0, 1, MODEL_JOB_FILL, 0, job_addr,
		  JOB_PAGES * PAGE_BYTES);
	job_runs = true;
}

static void look_at_job(void)
{
	enum model_job_status status = world_job_status(&world, rids[HONEST], 0);

	if (!job_runs || status == MODEL_JOB_STATUS_running)
		return;
	CHECK_EQ(status, MODEL_JOB_STATUS_done);
	for (uint64_t i = 0; i < JOB_PAGES; i++) {
		const uint8_t *page = world_page(&world, HONEST, 1, job_addr + i * PAGE_BYTES);

		CHECK(page != NULL && memcmp(page, &job_pattern, 8) == 0);
	}
	job_runs = false;
	jobs_done++;
}

/* ---- Turns ------------------------------------------------------------------------------ */

static void audit(enum sim_rest rest)
{
	struct sim_check_reading reading;

	sim_check_read(check, world.host, world.iommu, &reading);
	sim_check_audit(check, &reading, rest);
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++) {
		const struct sim_check_result *result =
			sim_check_result(check, (enum sim_invariant)n);

		if (result->violations > 0)
			printf("%s: %s\n", sim_invariant_name((enum sim_invariant)n),
			       result->first);
	}
	CHECK_STR(sim_check_judged(check)->first, "");
	CHECK_EQ(sim_check_violations(check), 0);
}

static void turn(void)
{
	world_turn(&world);
	turns++;
	world.now_ns += chance(2) ? 1000 : STEP_NS;
	sim_check_turn(check, world.now_ns);
	audit(SIM_RUNNING);
	look_at_job();
	for (unsigned i = 0; i < GUESTS; i++) {
		if (agent_of(i) == NULL || world.guests[i].options.silent)
			continue;
		iopf_agent_recover(agent_of(i));
		iopf_agent_poll(agent_of(i), 8);
		iopf_agent_kick(agent_of(i));
	}
}

/* ---- What happens ------------------------------------------------------------------------ */

static void do_job(void)
{
	if (!job_runs)
		begin_job();
}

/* Somebody else's master works, and is not looked at. */
static void do_other_job(void)
{
	world_job(&world, rids[CLUMSY], chance(4), 1 + chance(PASIDS), MODEL_JOB_FILL, 0,
		  (uint64_t)(1 + chance(16)) << 20, JOB_PAGES * PAGE_BYTES);
}

/* Transactions of nobody's, as many as it likes: the pool may be full. */
static void do_raw(void)
{
	for (uint32_t count = 1 + chance(2 * SHARE); count > 0; count--) {
		const struct iopf_fault fault = { .addr = (uint64_t)chance(64) << 12,
						  .rid = rids[WILD],
						  .pasid = 1 + chance(PASIDS + 2),
						  .perm = IOPF_READ,
						  .reason = IOPF_SMMUV3_F_TRANSLATION,
						  .stage = 1,
						  .request = true,
						  .stall = true };
		uint16_t tag;

		if (model_iommu_stalled(world.iommu, IOPF_NO_ID) < POOL / 2)
			model_iommu_stall(world.iommu, &fault, &tag);
	}
}

/* Answers to whatever tag. */
static void do_answer(void)
{
	unsigned guest = CLUMSY + chance(2);

	iopf_agent_answer(agent_of(guest), rids[chance(GUESTS)], 1 + chance(PASIDS),
			  (uint16_t)chance(chance(2) ? 16 : 65536),
			  (enum iopf_code)chance(IOPF_CODE_COUNT));
	iopf_agent_kick(agent_of(guest));
}

static void do_space(void)
{
	unsigned guest = CLUMSY + chance(2);
	uint32_t pasid = 1 + chance(PASIDS);
	uint64_t ticket;

	if (chance(2))
		iopf_agent_detach(agent_of(guest), rids[guest], pasid);
	else
		iopf_agent_attach(agent_of(guest), rids[guest], pasid, &ticket);
	iopf_agent_kick(agent_of(guest));
	world.guests[guest].rang = true;
}

static void do_unmap(void)
{
	unsigned guest = chance(GUESTS);
	uint64_t ticket;

	if (guest == HONEST && job_runs)
		return; /* it does not take away what it is working on */
	iopf_agent_unmap(agent_of(guest), rids[guest], 1 + chance(PASIDS),
			 (uint64_t)(1 + chance(16)) << 20, JOB_PAGES * PAGE_BYTES, &ticket);
	iopf_agent_kick(agent_of(guest));
}

static void do_mood(void)
{
	unsigned guest = CLUMSY + chance(2);

	world.guests[guest].options.silent = chance(2);
}

static void do_operate(void)
{
	unsigned guest = CLUMSY + chance(2);

	if (endpoint_of(guest) == IOPF_NO_ID)
		return;
	if (chance(2))
		iopf_host_restart_function(world.host, endpoint_of(guest));
	else
		iopf_host_reset_function(world.host, endpoint_of(guest), world.now_ns);
}

static void do_policy(void)
{
	const struct iopf_policy policy = { .deadline_ns = chance(2) ? 10 * STEP_NS : 0,
					    .deadline_answers = chance(2),
					    .quota_stalls = chance(2) ? 1 + chance(SHARE) : 0,
					    .retry_max = chance(4),
					    .liar_limit = chance(4) };

	iopf_broker_set_policy(iopf_host_broker(world.host),
			       iopf_host_owner(world.host, world.guests[WILD].id), &policy);
}

static void do_nothing(void)
{
}

static void act(void)
{
	static const struct {
		void (*act)(void);
		uint32_t weight;
	} acts[] = { { do_job, 30 },    { do_other_job, 15 }, { do_raw, 15 },
		     { do_answer, 15 }, { do_space, 8 },      { do_unmap, 8 },
		     { do_mood, 5 },    { do_operate, 4 },    { do_policy, 3 },
		     { do_nothing, 30 } };
	uint32_t left, sum = 0, i = 0;

	for (uint32_t j = 0; j < sizeof(acts) / sizeof(acts[0]); j++)
		sum += acts[j].weight;
	for (left = chance(sum); left >= acts[i].weight; i++)
		left -= acts[i].weight;
	acts[i].act();
}

/* ---- The end ------------------------------------------------------------------------------ */

static void remove_guest(unsigned guest)
{
	int error = -EAGAIN;

	for (unsigned i = 0; i < CALM_TURNS && error == -EAGAIN; i++) {
		error = world_remove_guest(&world, guest);
		turn();
	}
	CHECK_EQ(error, 0);
}

static void end_world(void)
{
	struct model_iommu_stats stats;

	for (unsigned i = 0; i < GUESTS; i++)
		world.guests[i].options.silent = false;
	for (uint64_t end = turns + CALM_TURNS; turns < end && job_runs;)
		turn();
	CHECK(!job_runs);
	for (unsigned i = GUESTS; i-- > 0;)
		remove_guest(i);
	stats = model_iommu_stats(world.iommu);
	CHECK_EQ(model_iommu_stalled(world.iommu, IOPF_NO_ID), 0);
	CHECK_EQ(stats.resumed[MODEL_STALL_SECOND], 0);
	CHECK_EQ(stats.resumed[MODEL_STALL_UNKNOWN], 0);
	CHECK_EQ(stats.misused, 0);
	CHECK_EQ(stats.stalled, stats.resumed[MODEL_STALL_TAKEN] + stats.terminated);
	world_destroy(&world);
	sim_check_destroy(check);
}

static bool holds(uint64_t from)
{
	if (setjmp(test_escape) != 0)
		return false;
	state = seed = from;
	create_world();
	for (unsigned i = 0; i < STEPS; i++) {
		act();
		turn();
	}
	end_world();
	return true;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t end = argc > 2 ? strtoull(argv[2], NULL, 0) : first + (argc > 1 ? 1 : SEEDS);

	for (uint64_t i = first; i < end; i++) {
		if (holds(i))
			continue;
		printf("FAILED seed %" PRIu64 " at turn %" PRIu64 "\n", i, turns);
		return 1;
	}
	printf("ok no_checker_fires_and_every_slot_comes_back: %" PRIu64 " jobs\n", jobs_done);
	return 0;
}
