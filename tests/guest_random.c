/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a guest that does anything at all: 10^6 commands, register writes and
 * words of its own structures, while groups are shown and taken. Nothing crashes, no
 * group is answered twice or after it was taken, and the books stay balanced. With each
 * virtual IOMMU; with SMMUv3 one function sends requests while the other stalls.
 */
#include "guest_pair.h"
#include "table/vtd_scalable.h"

/* Of each virtual IOMMU. */
enum { ACTS = 1000000, SEEDS = 10, TOKENS = 4096 };

enum { UNSHOWN, HELD, ANSWERED, TAKEN, FORGOTTEN };

static struct world {
	struct iopf_guest *guest;
	unsigned char *bytes;
	uint8_t state[TOKENS];
	uint32_t endpoint[TOKENS], pasid[TOKENS];
	uint64_t first; /* token of state[0] */
	uint64_t random;
	uint64_t twice; /* things that may not be */
	uint64_t answers, forgets;
	uint64_t attached, now_ns;
	uint32_t shown;
} world;

static uint64_t pick(uint64_t below)
{
	return test_random(&world.random) % below;
}

static void token_ended(uint64_t token, uint8_t state)
{
	uint64_t i = token - world.first;

	if (i >= TOKENS || world.state[i] != HELD)
		world.twice++;
	else
		world.state[i] = state;
}

static int say(void)
{
	static const int said[] = { 0, 0, 0, 0, 0, -EAGAIN, -ENOSPC, -ETIMEDOUT };

	return said[pick(8)];
}

static int on_attach(void *context, uint32_t endpoint, uint32_t pasid,
		     const struct iopf_address_space *space)
{
	int result = say();

	(void)context, (void)pasid;
	if (endpoint != PAIR_ENDPOINT && endpoint != PAIR_OTHER_ENDPOINT)
		world.twice++;
	world.twice += space->levels > 5 || (pair_is("vtd") && space->levels % 4 > 1);
	world.attached += result == 0;
	return result;
}

static int on_detach(void *context, uint32_t endpoint, uint32_t pasid)
{
	(void)context;
	for (uint64_t i = 0; i < TOKENS; i++) {
		if (world.state[i] != HELD || world.endpoint[i] != endpoint ||
		    world.pasid[i] != pasid)
			continue;
		world.twice += iopf_guest_taken(world.guest, world.first + i, 1) != 0;
		world.state[i] = TAKEN;
	}
	return say();
}

static int on_invalidate(void *context, uint32_t endpoint, uint32_t pasid,
			 const struct iopf_command *command)
{
	int result = say();

	(void)context, (void)endpoint, (void)pasid, (void)command;
	return result == -ETIMEDOUT && pick(32) != 0 ? 0 : result; /* the queue stops */
}

static int on_wait(void *context)
{
	(void)context;
	return say();
}

static void on_answer(void *context, uint64_t token, enum iopf_code code)
{
	(void)context;
	world.answers++;
	world.twice += code >= IOPF_CODE_COUNT;
	token_ended(token, ANSWERED);
}

static void on_forgotten(void *context, uint64_t token)
{
	(void)context;
	world.forgets++;
	token_ended(token, FORGOTTEN);
}

static const struct iopf_guest_ops random_ops = {
	.attach = on_attach,         .detach = on_detach,       .invalidate = on_invalidate,
	.invalidated = on_wait,      .drained = on_wait,        .answer = on_answer,
	.forgotten = on_forgotten,   .interrupt = pair_interrupt,
};

/* Commands that are right in form and about anything; every third is an answer. One
 * draw a statement: initializers have no order. */
static void act_command(struct pair *pair)
{
	struct iopf_command command = { .size_bytes = 4096 };

	command.kind = (uint8_t)(1 + pick(IOPF_COMMAND_KIND_COUNT - 1));
	if (pick(3) == 0)
		command.kind = IOPF_COMMAND_RESPONSE;
	command.granularity = (uint8_t)pick(5);
	command.wait_flags = (uint8_t)pick(16);
	command.code = (uint8_t)pick(3);
	command.flags = pair_both() && pick(2) == 0 ? IOPF_STALL : 0;
	command.asid = (uint16_t)pick(6);
	command.hints = (uint8_t)(pick(4) == 0 ? pick(64) : 0);
	command.rid_mask = (uint8_t)(pick(8) == 0 ? 7 : 0);
	command.index = (uint16_t)(pick(4) == 0 ? pick(512) : pick(48));
	command.domain = (uint16_t)pick(6);
	command.rid = pick(2) == 0 ? PAIR_OTHER_RID : PAIR_RID;
	if (pick(8) == 0)
		command.rid = (uint32_t)pick(0x10000);
	command.pasid = pick(6) == 0 ? IOPF_PASID_NONE : (uint32_t)pick(5);
	command.status_data = (uint32_t)pick(1000);
	command.status_addr = pick(PAIR_MEMORY * 2) & ~UINT64_C(3);
	command.addr = pick(1 << 20) << 12;
	for (uint64_t times = pick(8) == 0 ? 2 : 1; times > 0; times--)
		(void)iopf_agent_command(pair->agent, &command);
}

static void act_record(struct pair *pair)
{
	uint8_t record[32];

	for (uint32_t i = 0; i < sizeof(record); i++)
		record[i] = pick(3) == 0 ? (uint8_t)pick(256) : 0;
	(void)iopf_agent_descriptor(pair->agent, record);
}

/* Where its queues and its root are, in any family. */
static uint32_t place_of(const struct pair *pair)
{
	const struct driver_family *family = iopf_agent_driver(pair->agent)->family;
	const struct driver_indices *const at[] = { &family->request, &family->event,
						    &family->command };
	const struct driver_place *place = &family->places[pick(DRIVER_ROLE_COUNT)];
	uint32_t which = (uint32_t)pick(3);

	switch (pick(4)) {
	case 0:
		return place->offset;
	case 1:
		return place->control;
	case 2:
		return at[which]->prod;
	default:
		return at[which]->cons;
	}
}

static uint32_t register_of(const struct pair *pair)
{
	static const uint16_t vtd[] = { VTD_GCMD, VTD_RTADDR, VTD_CCMD, VTD_FSTS, VTD_IQH,
					VTD_IQT, VTD_IQA, VTD_PQH, VTD_PQT, VTD_PQA,
					VTD_PRS, VTD_PECTL, 0x508, 0x500 };
	static const uint32_t smmuv3[] = { SMMUV3_CR0, SMMUV3_CR2, SMMUV3_GERRORN,
					   SMMUV3_STRTAB_BASE, SMMUV3_STRTAB_BASE_CFG,
					   SMMUV3_CMDQ_BASE, SMMUV3_CMDQ_PROD, SMMUV3_CMDQ_CONS,
					   SMMUV3_EVENTQ_BASE, SMMUV3_EVENTQ_PROD,
					   SMMUV3_EVENTQ_CONS, SMMUV3_PRIQ_BASE,
					   SMMUV3_PRIQ_PROD, SMMUV3_PRIQ_CONS };

	if (pair_is("vtd"))
		return vtd[pick(14)];
	return pair_is("smmuv3") ? smmuv3[pick(14)] : place_of(pair);
}

static void act_register(struct pair *pair)
{
	uint32_t offset = pick(4) == 0 ? (uint32_t)pick(5000) : register_of(pair);
	uint64_t value = pick(2) == 0 ? test_random(&world.random)
				      : pick(PAIR_MEMORY) & ~UINT64_C(0x3ff);

	uint32_t width = pick(2) == 0 ? 4 : 8;

	iopf_guest_write(pair->guest, offset, width, value);
	(void)iopf_guest_read(pair->guest, offset, 8);
}

/* A word of a structure: nothing, anything, a bit, or another place. */
static void act_memory(struct pair *pair)
{
	uint64_t addr = pick(64 * 4096 / 8) * 8, value = test_random(&world.random);

	if (pick(2) == 0) {
		uint64_t old;

		CHECK(memory_load64(&pair->memory, addr, &old));
		value = old ^ UINT64_C(1) << pick(64);
	} else if (pick(2) == 0) {
		value = (value & 0x3f000) | 1;
	}
	CHECK(memory_store64(&pair->memory, addr, value));
}

static void act_show(struct pair *pair)
{
	static const struct iopf_page pages[4] = { { .addr = 4096, .perm = IOPF_READ } };
	uint64_t i = world.shown % TOKENS;
	struct iopf_group group = { .token = world.first + i };

	group.endpoint = pick(4) == 0 ? PAIR_OTHER_ENDPOINT : PAIR_ENDPOINT;
	group.pasid = pick(8) == 0 ? IOPF_PASID_NONE : (uint32_t)pick(4);
	group.page_count = (uint16_t)(1 + pick(4));
	if (world.state[i] == HELD)
		return;
	if (iopf_guest_show(pair->guest, &group, pages, 1) == 0) {
		world.state[i] = HELD;
		world.endpoint[i] = group.endpoint;
		world.pasid[i] = group.pasid;
		world.shown++;
	}
}

static void act_take(struct pair *pair)
{
	uint64_t i = pick(TOKENS);
	int result = iopf_guest_taken(pair->guest, world.first + i, 1);

	CHECK_EQ(result, world.state[i] == HELD ? 0 : -ENOENT);
	if (result == 0)
		world.state[i] = TAKEN;
}

/* It boots again from time to time, so that what follows finds something alive. */
static void act_boot(struct pair *pair, struct pair_options want)
{
	int result = -EAGAIN;
	uint64_t ticket;

	for (uint32_t i = 0; i < 1000 && result == -EAGAIN; i++)
		result = iopf_guest_reset(pair->guest, 1);
	free(pair->agent_memory);
	pair_make_agent(pair, want);
	for (uint32_t i = 0; i < 1000 && iopf_agent_start(pair->agent) != 0; i++)
		iopf_guest_run(pair->guest, 10000, i);
	for (uint32_t pasid = 1; pasid < 4; pasid++)
		(void)iopf_agent_attach(pair->agent, PAIR_RID, pasid, &ticket);
	(void)iopf_agent_attach(pair->agent, PAIR_OTHER_RID, 1, &ticket);
	(void)iopf_agent_attach(pair->agent, PAIR_RID, IOPF_PASID_NONE, &ticket);
	for (uint32_t i = 0; i < 1000; i++)
		iopf_guest_run(pair->guest, 10000, i);
}

static void act(struct pair *pair)
{
	static void (*const acts[])(struct pair *) = { act_command, act_command, act_command,
						       act_show, act_show, act_take,
						       act_memory, act_record };
	uint64_t which = pick(1000);

	if (which < 5)
		act_register(pair);
	else
		acts[which % 8](pair);
	if (pick(3) == 0)
		iopf_agent_kick(pair->agent);
	if (pick(50) == 0)
		(void)iopf_agent_recover(pair->agent);
	if (pick(20) == 0)
		(void)iopf_agent_poll(pair->agent, 8);
	world.now_ns += pick(20);
	CHECK(iopf_guest_run(pair->guest, 16, world.now_ns) <= 16);
}

static void check_books(const struct pair *pair)
{
	struct iopf_guest_stats stats = pair_stats(pair);
	uint32_t held = 0;

	for (uint32_t i = 0; i < TOKENS; i++)
		held += world.state[i] == HELD;
	CHECK_EQ(world.twice, 0);
	/* As stalls a group is held once a page. */
	CHECK(!pair_both() ? stats.held == held : stats.held >= held);
	CHECK_EQ(stats.answered, world.answers);
	CHECK_EQ(stats.attaches - stats.detaches, stats.spaces);
	CHECK(stats.held + stats.owed <= 2 * IOPF_GUEST_INDEX_COUNT);
}

/* The guest of the pair, with a host that says anything. */
static struct pair *random_pair(uint64_t seed, struct pair_options want)
{
	struct pair *pair = pair_new(want);
	const struct iopf_guest_endpoint endpoints[] = {
		{ .rid = PAIR_RID,
		  .endpoint = PAIR_ENDPOINT,
		  .pasid_in_response = seed % 2 == 0,
		  .mechanism = pair_kind.mechanism },
		{ .rid = PAIR_OTHER_RID,
		  .endpoint = PAIR_OTHER_ENDPOINT,
		  .pasid_in_response = true,
		  .mechanism = want.mixed ? !pair_kind.mechanism : pair_kind.mechanism },
	};
	const struct iopf_guest_options options = {
		.size_bytes = sizeof(options), .endpoint_count = 2,
		.endpoints = endpoints,        .memory = pair->memory,
		.pasid_max = 6,                .family = pair_kind.family,
		.levels = 4 + (uint32_t)(pair_levels(5) ? seed & 1 : 0),
		.hold_ns = 10,                 .ops = &random_ops,
		.context = pair,
	};

	CHECK_EQ(iopf_guest_create(&options, pair->guest_memory,
				   iopf_guest_size_bytes(&options), &pair->guest), 0);
	memset(&world, 0, sizeof(world));
	world.guest = pair->guest;
	world.random = seed;
	world.first = UINT64_C(0x400000000000) * (seed + 1);
	return pair;
}

TEST(a_guest_that_does_anything_does_no_harm)
{
	struct iopf_guest_stats sum = { 0 };

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct pair_options want = { .levels = 4, .mixed = pair_both() };
		struct pair *pair = random_pair(seed, want);
		struct iopf_guest_stats stats;

		for (uint32_t i = 0; i < ACTS / SEEDS; i++) {
			if (i % 500 == 0)
				act_boot(pair, want);
			act(pair);
			if (i % 1000 == 0)
				check_books(pair);
		}
		check_books(pair);
		stats = pair_stats(pair);
		sum.answered += stats.answered;
		sum.refused_unknown += stats.refused_unknown;
		sum.refused_duplicate += stats.refused_duplicate;
		sum.refused_stale += stats.refused_stale;
		sum.refused_foreign += stats.refused_foreign;
		sum.refused_malformed += stats.refused_malformed;
		sum.invalidations += stats.invalidations;
		sum.drains += stats.drains;
		sum.bad_structures += stats.bad_structures;
		sum.hold_timeouts += stats.hold_timeouts;
		sum.detaches += stats.detaches;
		sum.terminated += stats.terminated;
	}
	/* It has to have tried: a random test that reaches nothing proves nothing. */
	CHECK(sum.answered > 100 && sum.refused_unknown > 100);
	CHECK(sum.refused_duplicate > 10 && sum.refused_stale > 10);
	CHECK(sum.refused_foreign > 10 && sum.refused_malformed > 5);
	CHECK(!pair_both() || sum.terminated > 10);
	CHECK(sum.invalidations > 100 && sum.drains > 10 && sum.detaches > 100);
	CHECK(sum.bad_structures > 10 && sum.hold_timeouts > 10);
}

int main(void)
{
	return pair_main();
}
