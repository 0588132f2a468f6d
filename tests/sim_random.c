/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever guests, functions and operators do in whatever order, honest jobs
 * end with the right bytes, and everything comes back.
 *
 * Three guests: one honest with two functions, of which nobody touches the first; one
 * that is clumsy, slow, dies and returns; one that is hostile. Books are kept at the
 * functions' ends. From SEEING on guests see configuration spaces, and write there.
 * `sim_random SEED` plays one seed; a failing one is printed.
 */
#include <errno.h>

#include "host/host.h"

#include "sim_books.h"
#include "sim_court.h"

enum {
	HONEST = 0, CLUMSY, HOSTILE, GUESTS,
	SLOTS = 4,
	JOB_PAGES = 4,
	WINDOW_JOBS = 16,   /* places of jobs, used in turn */
	STEPS = 1500,
	CALM_TURNS = 20000, /* in which a job of the first function ends */
	SEEDS = 54,
	SEEING = 43,
	PAIRS = 6,
};
#define STEP_NS    UINT64_C(5000000)
#define WORD       UINT64_C(8)
#define PAGE_BYTES UINT64_C(4096)

static const uint32_t owners[FUNCTIONS] = { HONEST, HONEST, CLUMSY, HOSTILE };

struct job {
	bool running;
	uint64_t began; /* turn */
	uint64_t addr, pattern;
	uint32_t pasid;
};

/* Each seed has one. */
static const struct {
	const char *host, *guest;
	bool shadow;
} pairs[] = {
	{ "vtd", "vtd", false }, { "smmuv3", "smmuv3", false }, { "vtd", "smmuv3", false },
	{ "vtd", "vtd", true },	 { "smmuv3", "smmuv3", true },	{ "smmuv3", "vtd", false },
};

static struct world world;
static struct job jobs[FUNCTIONS][SLOTS];
static uint64_t state, seed, turns, hold_until, jobs_done, jobs_checked;
static uint32_t job_next;
static bool leaving[GUESTS];
static bool removed[FUNCTIONS]; /* said to be gone while it was there: nobody answers */

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(test_random(&state) % below);
}

static uint32_t endpoint_of(unsigned function)
{
	return iopf_host_endpoint(world.host, rids[function]);
}

/* ---- The world ------------------------------------------------------------------------ */

static void create_world(void)
{
	static struct world_function_options functions[FUNCTIONS];
	static struct world_guest_options guests[GUESTS];
	struct world_options options = { .guest_count = GUESTS,
					 .guests = guests,
					 .request_order = 1,
					 .observer = { .request = on_request,
						       .response = on_response,
						       .reset = on_reset,
						       .credits = on_credits } };

	for (unsigned i = 0; i < FUNCTIONS; i++)
		functions[i] = (struct world_function_options){
			.rid = rids[i],
			.allocation = 8 + 8 * i,
			.no_pasid_in_response = i == NO_PASID,
			.stop_marker = i == MARKER,
			.group_pages = 1 + i,
			.retry_max = 100000,
			.config = seed >= SEEING,
		};
	guests[HONEST] = (struct world_guest_options){ .function_count = 2,
						       .functions = &functions[CALM],
						       .request_order = 1 };
	guests[CLUMSY] = (struct world_guest_options){ .function_count = 1,
						       .functions = &functions[NO_PASID],
						       .request_order = 0,
						       .hold_ns = 40 * STEP_NS,
						       .policy.deadline_ns = 100 * STEP_NS,
						       .policy.deadline_answers = 1 };
	guests[HOSTILE] = (struct world_guest_options){ .function_count = 1,
							.functions = &functions[WILD],
							.request_order = 1,
							.hold_ns = 60 * STEP_NS };
	options.family = pairs[seed % PAIRS].host;
	for (unsigned i = 0; i < GUESTS; i++) {
		guests[i].family = pairs[seed % PAIRS].guest;
		guests[i].shadow = pairs[seed % PAIRS].shadow;
	}
	if (seed % PAIRS == 0) /* one that reads such tables itself */
		guests[CLUMSY].levels = 5;
	memset(books, 0, sizeof(books));
	memset(jobs, 0, sizeof(jobs));
	memset(leaving, 0, sizeof(leaving));
	memset(removed, 0, sizeof(removed));
	turns = hold_until = 0;
	CHECK_EQ(court_create(&options, &world), 0);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		for (uint32_t pasid = 1; pasid <= 3; pasid++)
			CHECK_EQ(world_attach(&world, owners[i], rids[i], pasid), 0);
}

static struct iopf_agent *agent_of(unsigned guest)
{
	return leaving[guest] ? NULL : world.guests[guest].agent;
}

/* ---- Jobs ------------------------------------------------------------------------------ */

static void begin_job(unsigned function, unsigned slot)
{
	struct model_engine *engine = world_function(&world, rids[function])->engine;
	struct job *job = &jobs[function][slot];
	bool copy = chance(3) == 0;
	uint64_t place = ((uint64_t)function * SLOTS + slot) * WINDOW_JOBS +
			 job_next++ % WINDOW_JOBS;
	uint64_t gpa;

	*job = (struct job){ .running = true,
			     .began = turns,
			     .addr = (place + 1) << 24,
			     .pattern = test_random(&state),
			     .pasid = 1 + chance(3) };
	for (uint64_t i = 0; copy && i < JOB_PAGES; i++) { /* what is copied */
		uint64_t from = job->addr + (1 << 20) + i * PAGE_BYTES;

		CHECK_EQ(world_page_give(&world, owners[function], job->pasid, from, &gpa), 0);
		for (uint64_t at = 0; at < PAGE_BYTES; at += WORD)
			memcpy((uint8_t *)world_page(&world, owners[function], job->pasid,
						     from) + at, &job->pattern, WORD);
	}
	model_engine_write(engine, MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE +
					   MODEL_JOB_PATTERN, 8, job->pattern);
	world_job(&world, rids[function], slot, job->pasid,
		  copy ? MODEL_JOB_COPY : MODEL_JOB_FILL, job->addr + (1 << 20), job->addr,
		  JOB_PAGES * PAGE_BYTES);
}

static void check_bytes(unsigned function, const struct job *job)
{
	for (uint64_t at = 0; at < JOB_PAGES * PAGE_BYTES; at += 1024 - WORD) {
		const uint8_t *page;
		uint64_t word = at & ~(WORD - 1);

		page = world_page(&world, owners[function], job->pasid, job->addr + word);
		CHECK(page != NULL);
		CHECK(memcmp(page + word % PAGE_BYTES, &job->pattern, WORD) == 0);
	}
	jobs_checked++;
}

static void look_at_job(unsigned function, unsigned slot)
{
	struct job *job = &jobs[function][slot];
	enum model_job_status status = world_job_status(&world, rids[function], slot);

	if (!job->running)
		return;
	if (status == MODEL_JOB_STATUS_running) {
		CHECK(function != CALM || turns - job->began < CALM_TURNS);
		return;
	}
	job->running = false;
	jobs_done++;
	CHECK(function != CALM || status == MODEL_JOB_STATUS_done);
	if (status == MODEL_JOB_STATUS_done && owners[function] == HONEST)
		check_bytes(function, job);
}

/* ---- Turns ------------------------------------------------------------------------------ */

static void leave_and_return(unsigned guest)
{
	if (!leaving[guest] || world_remove_guest(&world, guest) != 0)
		return;
	leaving[guest] = false;
	if (world_add_guest(&world, guest) != 0)
		return; /* its function has not stopped */
	for (unsigned i = 0; i < FUNCTIONS; i++)
		removed[i] &= owners[i] != guest;
}

static void turn(void)
{
	world.hold_host = turns < hold_until;
	world_turn(&world);
	turns++;
	world.now_ns += chance(2) ? 1000 : STEP_NS;
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		uint32_t endpoint = endpoint_of(i);

		if (endpoint != IOPF_NO_ID && !iopf_host_busy(world.host, endpoint))
			books[i].grace = false;
		for (unsigned slot = 0; slot < SLOTS; slot++)
			look_at_job(i, slot);
	}
	for (unsigned i = 0; i < GUESTS; i++) {
		leave_and_return(i);
		if (agent_of(i) == NULL)
			continue;
		iopf_agent_recover(agent_of(i));
		iopf_agent_kick(agent_of(i));
	}
}

/* ---- What happens ------------------------------------------------------------------------ */

/* The second function of the honest guest, the clumsy one's, the hostile one's. */
static unsigned any_but_calm(void)
{
	return MARKER + chance(FUNCTIONS - MARKER);
}

static void do_job(void)
{
	unsigned function = chance(2) ? CALM : any_but_calm(), slot = chance(SLOTS);

	if (!jobs[function][slot].running)
		begin_job(function, slot);
}

static void raw_burst(unsigned function, uint32_t count)
{
	static const uint8_t flags[] = { 0, IOPF_LAST, IOPF_LAST, IOPF_LAST };

	books[function].raw = true;
	while (count-- > 0) {
		uint32_t pasid = chance(6);
		const struct iopf_request request = {
			.rid = rids[function],
			.pasid = pasid != 5 ? pasid : 0xabcde,
			.index = (uint16_t)(chance(4) ? chance(16) : chance(512)),
			.addr = (uint64_t)chance(64) << 12,
			.perm = (uint8_t)(1 + chance(3)),
			.flags = flags[chance(4)],
		};

		model_function_send_raw(world_function(&world, rids[function])->function,
					request.pasid, 0,
					iopf_pcie_encode_request(&request));
	}
}

static void do_raw(void)
{
	raw_burst(chance(2) ? WILD : NO_PASID, 1 + chance(20));
}

static void do_flood(void)
{
	raw_burst(WILD, 100 + chance(200));
	hold_until = turns + chance(8);
}

static void do_stop(void)
{
	model_function_stop(world_function(&world, rids[MARKER])->function, 1 + chance(3));
}

static void do_space(void)
{
	unsigned function = any_but_calm();
	struct iopf_agent *agent = agent_of(owners[function]);
	uint32_t pasid = 1 + chance(3);
	uint64_t ticket;

	if (agent == NULL)
		return;
	if (chance(2))
		iopf_agent_detach(agent, rids[function], pasid);
	else
		iopf_agent_attach(agent, rids[function], pasid, &ticket);
	iopf_agent_kick(agent);
	world.guests[owners[function]].rang = true;
}

static void do_unmap(void)
{
	unsigned function = chance(FUNCTIONS);
	struct iopf_agent *agent = agent_of(owners[function]);
	uint64_t place = function * SLOTS * WINDOW_JOBS + chance(SLOTS * WINDOW_JOBS);
	uint64_t ticket;

	if (agent == NULL)
		return;
	iopf_agent_unmap(agent, rids[function], 1 + chance(3), (place + 1) << 24,
			 JOB_PAGES * PAGE_BYTES, &ticket);
	iopf_agent_kick(agent);
}

static void do_mood(void)
{
	unsigned guest = CLUMSY + chance(2);

	world.guests[guest].options.silent = chance(2);
	iopf_broker_pause_owner(iopf_host_broker(world.host),
				iopf_host_owner(world.host, world.guests[guest].id),
				chance(2), world.now_ns);
}

static void do_leave(void)
{
	unsigned guest = CLUMSY + chance(2);

	if (world.guests[guest].agent != NULL)
		leaving[guest] = true;
}

static void do_operate(void)
{
	unsigned function = any_but_calm();
	uint32_t endpoint = endpoint_of(function);

	if (endpoint == IOPF_NO_ID)
		return;
	if (chance(3) == 0)
		iopf_host_restart_function(world.host, endpoint);
	else if (function == MARKER || chance(4) != 0)
		iopf_host_reset_function(world.host, endpoint, world.now_ns);
	else
		removed[function] = iopf_host_remove_function(world.host, endpoint,
							      world.now_ns) == 0;
}

static void do_silence(void)
{
	unsigned function = chance(2) ? NO_PASID : WILD;

	model_function_answer_invalidations(world_function(&world, rids[function])->function,
					    chance(2));
}

static void do_memory(void)
{
	struct world_guest *guest = &world.guests[HOSTILE];
	struct iopf_agent_layout layout;
	uint64_t at, value = test_random(&state);

	if (agent_of(HOSTILE) == NULL)
		return;
	iopf_agent_layout(guest->agent, &layout);
	for (uint32_t i = 1 + chance(8); i > 0; i--) {
		at = layout.root + chance((uint32_t)(layout.end - layout.root) / 8) % 32768 * 8;
		value = chance(2) ? value : layout.root + ((uint64_t)chance(64) << 12 | 1);
		memcpy((uint8_t *)guest->memory + at, &value, sizeof(value));
	}
}

static void do_register(void)
{
	if (!leaving[HOSTILE])
		iopf_host_guest_write(world.host, world.guests[HOSTILE].id,
				      chance(chance(2) ? 0x100 : 0x1000) & ~7u,
				      chance(2) ? 4 : 8,
				      chance(2) ? test_random(&state) : chance(4096));
}

static void do_command(void)
{
	struct iopf_agent *agent = agent_of(HOSTILE);
	uint8_t bytes[32];
	struct iopf_command command = {
		.kind = (uint8_t)chance(IOPF_COMMAND_KIND_COUNT),
		.granularity = (uint8_t)chance(6),
		.rid = rids[chance(FUNCTIONS)],
		.pasid = chance(4) ? chance(4) : IOPF_PASID_NONE,
		.index = (uint16_t)chance(512),
		.code = (uint8_t)chance(IOPF_CODE_COUNT),
		.domain = (uint16_t)chance(4),
		.size_bytes = PAGE_BYTES << chance(10),
		.wait_flags = (uint8_t)chance(8),
		.status_addr = (uint64_t)chance(4096) * 4,
	};

	if (agent == NULL)
		return;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)chance(256);
	bytes[0] &= 0xf;
	if (chance(3))
		iopf_agent_command(agent, &command);
	else
		iopf_agent_descriptor(agent, bytes);
	iopf_agent_kick(agent);
}

/* What stands there once it is up; or anything at all; or a function level reset. */
static void do_config(void)
{
	unsigned function = any_but_calm();
	uint32_t width = 1u << chance(3);

	if (agent_of(owners[function]) == NULL)
		return;
	if (chance(3) == 0)
		world_config_on(&world, rids[function]);
	else if (chance(4) == 0)
		world_config_write(&world, rids[function], 0x48, 2, 0x8000);
	else
		world_config_write(&world, rids[function],
				   chance(chance(2) ? 0x20 : 0x1000) * width +
					   (chance(4) ? 0x100 : 0),
				   width,
				   chance(2) ? chance(8) : (uint32_t)test_random(&state));
}

static void do_nothing(void)
{
}

static const struct {
	void (*act)(void);
	uint32_t weight;
} acts[] = {
	{ do_job, 30 },	    { do_raw, 8 },    { do_flood, 2 },	 { do_stop, 3 },
	{ do_space, 8 },    { do_unmap, 10 }, { do_mood, 6 },	 { do_leave, 2 },
	{ do_operate, 5 },  { do_silence, 3 }, { do_memory, 10 }, { do_register, 6 },
	{ do_command, 12 }, { do_nothing, 30 },
};

static void act(void)
{
	uint32_t left, sum = 0, i = 0;

	if (seed >= SEEING && chance(8) == 0)
		do_config();
	for (uint32_t j = 0; j < sizeof(acts) / sizeof(acts[0]); j++)
		sum += acts[j].weight;
	for (left = chance(sum); left >= acts[i].weight; i++)
		left -= acts[i].weight;
	acts[i].act();
}

/* ---- The end ------------------------------------------------------------------------------ */

static bool calm_rests(void)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (jobs[CALM][slot].running)
			return false;
	return true;
}

static void heal(void)
{
	hold_until = 0;
	for (unsigned i = 0; i < FUNCTIONS; i++)
		model_function_answer_invalidations(world_function(&world, rids[i])->function,
						    true);
	for (unsigned i = 0; i < GUESTS; i++)
		world.guests[i].options.silent = false;
	for (uint64_t end = turns + CALM_TURNS; turns < end && !calm_rests();)
		turn();
	CHECK(calm_rests());
}

/* Bounded, whatever state they are in. */
static void remove_guest(unsigned guest)
{
	int error = world.guests[guest].agent != NULL ? -EAGAIN : -ENOENT;

	leaving[guest] = false;
	for (unsigned i = 0; i < CALM_TURNS && error == -EAGAIN; i++) {
		error = world_remove_guest(&world, guest);
		turn();
	}
	CHECK(error == 0 || error == -ENOENT);
}

static bool nobody_left(void)
{
	for (unsigned i = 0; i < FUNCTIONS; i++)
		if (endpoint_of(i) != IOPF_NO_ID)
			return false;
	return true;
}

static uint32_t end_world(void)
{
	bool known[FUNCTIONS];
	uint32_t pages;

	heal();
	for (unsigned i = 0; i < FUNCTIONS; i++)
		known[i] = endpoint_of(i) != IOPF_NO_ID && !removed[i];
	for (unsigned i = GUESTS; i-- > 0;)
		remove_guest(i);
	for (unsigned i = 0; i < CALM_TURNS && !nobody_left(); i++)
		turn(); /* what could not be added is undone in turns, */
	for (unsigned i = 0; i < FUNCTIONS; i++)
		turn(); /* and its place free one later */
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		CHECK_EQ(endpoint_of(i), IOPF_NO_ID);
		CHECK(!known[i] || world_state(&world, rids[i]).credits_in_use == 0);
	}
	pages = world.host->pages.used_count;
	court_destroy(&world);
	return pages;
}

static void play(uint64_t from)
{
	static uint32_t kept[PAIRS];
	uint32_t *pages = &kept[from % PAIRS];

	state = seed = from;
	if (*pages == 0) { /* what a world in which nothing happened keeps */
		create_world();
		*pages = end_world();
		state = seed;
	}
	create_world();
	for (unsigned i = 0; i < STEPS; i++) {
		act();
		turn();
	}
	CHECK_EQ(end_world(), *pages);
}

static bool holds(uint64_t from)
{
	if (setjmp(test_escape) != 0)
		return false;
	play(from);
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
	printf("ok honest_jobs_end_with_the_right_bytes: %" PRIu64 " jobs ended, %" PRIu64
	       " held against what they wrote\n",
	       jobs_done, jobs_checked);
	return 0;
}
