/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: random interleavings of both ends of AMD's logs against a plain model, with
 * entries that are announced before they are written; and software that writes anything
 * anywhere, which the hardware end outlives. Hardware acts between any two register
 * accesses of the driver, in the middle of its calls.
 */
#include "test.h"

#include "queue_amd.h"

enum { STEPS = 1000000, BATCH = 64 };

static struct {
	uint64_t seed;
	bool acts;
	uint32_t burst;  /* hardware's share: a different mix of fast and slow */
	uint64_t accepted, taken, lost; /* requests, named by their number */
	bool told;       /* an overflow was, to the driver's caller */
	uint64_t recovered, late;
	uint64_t recorded, seen, unseen; /* events */
	uint64_t submitted, done;        /* commands */
	uint64_t wrong;  /* seen by hardware, told at the end */
} model;

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&model.seed) % of);
}

static bool is_empty(uint32_t head, uint32_t tail)
{
	return pair_reg(head, 8) == pair_reg(tail, 8);
}

/* ---- Hardware ------------------------------------------------------------------------ */

static void hardware_act(void)
{
	for (uint32_t n = chance(model.burst + 1); n > 0; n--) {
		bool good;

		switch (chance(4)) {
		case 0:
			good = amd_fault(model.recorded);
			model.recorded += good;
			model.unseen += !good;
			break;
		case 1:
			iopf_hardware_run(pair.hardware, chance(8));
			break;
		default:
			good = amd_post(model.accepted, IOPF_LAST) == IOPF_POSTED;
			model.accepted += good;
			model.lost += !good;
			break;
		}
	}
}

static int command_seen(const struct iopf_command *command)
{
	const struct iopf_command wanted = pair_response(model.done);

	if (!model.acts || command->kind != IOPF_COMMAND_RESPONSE)
		return 0;
	if (chance(4) == 0)
		return -EAGAIN;
	model.wrong += command->rid != wanted.rid || command->pasid != wanted.pasid ||
		       command->index != wanted.index;
	model.done++;
	return 0;
}

static int hooked_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	int error;

	if (model.acts)
		hardware_act();
	error = pair_read(context, offset, width, value);
	if (model.acts)
		hardware_act();
	return error;
}

/* A log goes off when it has stopped and is empty, and that was told before. */
static int hooked_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	if (model.acts)
		hardware_act();
	if (model.acts && offset == AMD_CONTROL && (value & AMD_PPR_LOG_EN) == 0) {
		model.wrong += !is_empty(AMD_PPR_HEAD, AMD_PPR_TAIL) || !model.told;
		model.wrong += (amd_status() & AMD_PPR_RUN) != 0;
		model.recovered++;
		model.told = false;
	}
	return pair_write(context, offset, width, value);
}

static const struct iopf_register_ops hooked = { hooked_read, hooked_write };

/* ---- Driver -------------------------------------------------------------------------- */

static void driver_take(void)
{
	struct iopf_request requests[BATCH];
	int count = iopf_driver_poll(pair.driver, requests, 1 + chance(BATCH));

	if (count == -EOVERFLOW) {
		model.told = true;
		count = iopf_driver_recover(pair.driver);
		CHECK(count == 0 || count == -EAGAIN);
		return;
	}
	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		struct iopf_request wanted = pair_request(model.taken++, IOPF_LAST);

		CHECK_EQ(requests[i].addr, wanted.addr);
		CHECK_EQ(requests[i].pasid, wanted.pasid);
		CHECK_EQ(requests[i].index, wanted.index);
	}
	CHECK(model.taken <= model.accepted);
	/* Software that goes to sleep now is woken for what is there, or knows of it. */
	if (count == 0 && !is_empty(AMD_PPR_HEAD, AMD_PPR_TAIL) &&
	    (amd_status() & AMD_PPR_INT) == 0) {
		uint32_t left = 0;
		bool lost;

		model.late++;
		model.acts = false;
		CHECK_EQ(iopf_driver_backlog(pair.driver, &left, &lost), 0);
		CHECK(left > 0);
		model.acts = true;
	}
}

static void driver_faults(void)
{
	struct iopf_fault faults[BATCH];
	int count = iopf_driver_poll_faults(pair.driver, faults, 1 + chance(BATCH));

	CHECK(count >= 0);
	for (int i = 0; i < count; i++)
		CHECK_EQ(faults[i].addr, model.seen++ << 12);
	CHECK(model.seen <= model.recorded);
}

static void driver_command(void)
{
	const struct iopf_command command = pair_response(model.submitted);
	int error = iopf_driver_submit(pair.driver, &command);

	CHECK(error == 0 || error == -EAGAIN);
	model.submitted += error == 0;
	if (chance(3) == 0)
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
}

/* A wait that is done covers everything that was submitted before it. */
static void driver_wait(void)
{
	static uint64_t wait, before;
	static bool open;

	if (model.submitted == 0)
		open = false;
	if (open && iopf_driver_waited(pair.driver, wait)) {
		CHECK(model.done >= before);
		open = false;
	}
	if (!open && iopf_driver_wait(pair.driver, 0, &wait) == 0) {
		before = model.submitted;
		open = true;
	}
}

static void step(void)
{
	switch (chance(6)) {
	case 0:
		driver_command();
		break;
	case 1:
		driver_wait();
		break;
	case 2:
		driver_faults();
		break;
	default:
		driver_take();
		break;
	}
	hardware_act();
}

static void run(uint64_t seed, uint32_t burst, uint32_t quirks)
{
	struct iopf_driver_options options = amd_driver_options();

	memset(&model, 0, sizeof(model));
	model.seed = seed;
	model.burst = burst;
	options.registers = &hooked;
	CHECK_EQ(amd_start_with(IOPF_AMD_PHYSICAL, quirks, &options), 0);
	amd_seen = command_seen;
	model.acts = true;
	for (uint32_t i = 0; i < STEPS / 10; i++)
		step();
	/* Traffic ends: everything that was accepted comes out, service goes on. */
	model.burst = 0;
	for (uint32_t i = 0; i < 4096; i++) {
		driver_take();
		driver_faults();
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		iopf_hardware_run(pair.hardware, 64);
	}
	CHECK_EQ(model.taken, model.accepted);
	CHECK_EQ(model.seen, model.recorded);
	CHECK_EQ(model.done, model.submitted);
	CHECK_EQ(model.wrong, 0);
	CHECK_EQ(amd_status(), RUNNING);
	CHECK_EQ(iopf_driver_stats(pair.driver)->bad_indices, 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->undecodable, 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, model.recovered);
}

TEST(every_accepted_entry_is_handled_once_in_order)
{
	uint64_t accepted = 0, recovered = 0, done = 0, late = 0, seen = 0, unseen = 0;

	for (uint32_t burst = 1; burst <= 10; burst++) {
		run(burst * 7919, burst * burst, burst % 2 ? IOPF_AMD_LATE_ENTRIES : 0);
		accepted += model.accepted;
		recovered += model.recovered;
		done += model.done;
		late += model.late;
		seen += model.seen;
		unseen += model.unseen;
	}
	/* The mix met what it is meant to meet. */
	CHECK(accepted > 500000);
	CHECK(recovered > 500);
	CHECK(done > 50000);
	CHECK(late > 1000);
	CHECK(seen > 100000);
	CHECK(unseen > 1000);
}

/* ---- Software that writes anything anywhere ------------------------------------------- */

/* Numbers that are often small, huge, or nearly right. */
static uint64_t nonsense(void)
{
	switch (chance(4)) {
	case 0:
		return chance(64);
	case 1:
		return UINT64_MAX << chance(64);
	case 2:
		return UINT64_C(1) << chance(64);
	default:
		return test_random(&model.seed);
	}
}

static void anything(void)
{
	static const struct {
		uint32_t offset;
		uint64_t likely; /* so that deeper places are reached */
	} places[] = {
		{ AMD_DEV_TBL, ROOT_AT },
		{ AMD_CMD_BASE, COMMANDS_AT | UINT64_C(8) << 56 },
		{ AMD_EVT_BASE, EVENTS_AT | UINT64_C(8) << 56 },
		{ AMD_PPR_BASE, REQUESTS_AT | UINT64_C(8) << 56 },
		{ AMD_CONTROL, ON | AMD_PPR_INT_EN | AMD_PPR_AUTO_EN },
		{ AMD_CMD_HEAD, 0 },
		{ AMD_CMD_TAIL, 0x80 },
		{ AMD_EVT_HEAD, 0 },
		{ AMD_EVT_TAIL, 0x10 },
		{ AMD_PPR_HEAD, 0x20 },
		{ AMD_PPR_TAIL, 0 },
		{ AMD_STATUS, UINT32_MAX },
		{ AMD_PPR_AUTO, 1 },
		{ AMD_PPR_EARLY, AMD_EARLY_EN | 2 },
		{ AMD_MSI_HEADER, AMD_MSI_EN },
	};
	uint32_t i = chance(sizeof(places) / sizeof(places[0]));
	uint32_t offset = chance(16) == 0 ? chance(AMD_REGISTERS_END + 64) : places[i].offset;
	uint64_t value = chance(2) == 0 ? places[i].likely : nonsense();

	iopf_hardware_write(pair.hardware, offset, chance(3) == 0 ? 4 : 8, value);
}

static void garble(void)
{
	uint8_t *at = pair.bytes + COMMANDS_AT + chance(2 * SLOTS) * 16;

	for (uint32_t i = 0; i < 16; i++)
		at[i] = chance(2) == 0 ? 0 : (uint8_t)chance(256);
	at[7] = (uint8_t)((1 + chance(9)) << 4);
}

TEST(hardware_outlives_software_that_writes_anything)
{
	const uint32_t all = IOPF_AMD_PHYSICAL | IOPF_AMD_PPR_AUTO | IOPF_AMD_PPR_EARLY |
			     IOPF_AMD_BLKSTOP;
	const struct iopf_hardware_stats *stats;

	amd_hardware(all, IOPF_AMD_LATE_ENTRIES);
	memset(&model, 0, sizeof(model));
	model.seed = 1;
	model.burst = 4;
	for (uint32_t i = 0; i < STEPS; i++) {
		anything();
		if (chance(4) == 0)
			garble();
		hardware_act();
	}
	stats = iopf_hardware_stats(pair.hardware);
	CHECK(stats->posted > 1000);
	CHECK(stats->faults > 1000);
	CHECK(stats->commands > 100);
	CHECK(stats->queue_errors > 100);
}

int main(void)
{
	return test_main();
}
