/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: 10^6 random interleavings of both ends against a plain model. Hardware
 * acts between any two register accesses of the driver, in the middle of its calls.
 */
#include "test.h"

#include "queue_pair.h"

enum { STEPS = 1000000, BATCH = 64 };

static struct {
	uint64_t seed;
	bool hardware_acts;
	uint32_t burst; /* hardware's share, 0..7: a different mix of fast and slow */

	uint64_t accepted, taken;    /* requests, named by their number */
	uint64_t submitted, done;    /* commands */
	uint64_t lost;
	bool lost_now;  /* since the overflow that stands began */
	bool told;      /* that overflow was told to the driver's caller */
	uint64_t recovered, early;
} model;

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&model.seed) % of);
}

static void hardware_post(void)
{
	int result = pair_post(model.accepted);

	CHECK(result == IOPF_POSTED || result == IOPF_POSTED_SUCCESS);
	if (result == IOPF_POSTED) {
		model.accepted++;
		return;
	}
	model.lost++;
	if (!model.lost_now)
		model.told = false;
	model.lost_now = true;
}

static void hardware_act(void)
{
	for (uint32_t n = chance(model.burst + 1); n > 0; n--) {
		if (chance(2) == 0)
			hardware_post();
		else
			iopf_hardware_run(pair.hardware, chance(8));
	}
}

static int hooked_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	int error;

	if (model.hardware_acts)
		hardware_act();
	error = pair_read(context, offset, width, value);
	if (model.hardware_acts)
		hardware_act();
	return error;
}

static int hooked_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	if (model.hardware_acts)
		hardware_act();
	if (offset == VTD_PRS && (value & VTD_PRS_PRO) != 0 && model.hardware_acts) {
		/* O1: acknowledged in an empty queue, and told before. */
		model.early += pair_reg(VTD_PQH, 8) != pair_reg(VTD_PQT, 8);
		model.early += !model.told;
		model.recovered++;
		model.lost_now = false;
	}
	return pair_write(context, offset, width, value);
}

static const struct iopf_register_ops hooked = { hooked_read, hooked_write };

static int command_seen(void *context, const struct iopf_command *command)
{
	struct iopf_command wanted = pair_response(model.done);

	(void)context;
	if (!model.hardware_acts || command->kind != IOPF_COMMAND_RESPONSE)
		return 0;
	if (chance(4) == 0)
		return -EAGAIN;
	model.early += command->rid != wanted.rid || command->pasid != wanted.pasid ||
		       command->index != wanted.index;
	model.done++;
	return 0;
}

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
	/* Software that goes to sleep now is woken for what is there. */
	if (count == 0 && pair_reg(VTD_PQH, 8) != pair_reg(VTD_PQT, 8))
		CHECK((pair_reg(VTD_PRS, 4) & VTD_PRS_PPR) != 0);
}

static void driver_command(void)
{
	struct iopf_command command = pair_response(model.submitted);
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

static void run(uint64_t seed, uint32_t burst, uint32_t steps)
{
	static const struct iopf_hardware_ops ops = {
		command_seen, pair_interrupt, pair_root, pair_translation, pair_change,
	};
	struct iopf_driver_options options = pair_driver_options(32);

	memset(&model, 0, sizeof(model));
	model.seed = seed;
	model.burst = burst;
	options.registers = &hooked;
	pair_start_ops(&options, &ops);
	model.hardware_acts = true;
	for (uint32_t step = 0; step < steps; step++) {
		switch (chance(4)) {
		case 0:
			driver_command();
			break;
		case 1:
			driver_wait();
			break;
		default:
			driver_take();
			break;
		}
		hardware_act();
	}
	/* Traffic ends: everything that was accepted comes out, service goes on. */
	model.burst = 0;
	for (uint32_t i = 0; i < 4096; i++) {
		driver_take();
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		iopf_hardware_run(pair.hardware, 64);
	}
	CHECK_EQ(model.taken, model.accepted);
	CHECK_EQ(model.done, model.submitted);
	CHECK_EQ(model.early, 0);
	CHECK_EQ(pair_reg(VTD_PRS, 4), 0);
	hardware_post();
	driver_take();
	CHECK_EQ(model.taken, model.accepted);
	CHECK_EQ(iopf_driver_stats(pair.driver)->bad_indices, 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, model.recovered);
}

TEST(every_accepted_entry_is_handled_once_in_order)
{
	uint64_t accepted = 0, recovered = 0, done = 0;

	for (uint32_t burst = 1; burst <= 10; burst++) {
		run(burst * 7919, burst * burst, STEPS / 10);
		accepted += model.accepted;
		recovered += model.recovered;
		done += model.done;
	}
	/* The mix met what it is meant to meet. */
	CHECK(accepted > 1000000);
	CHECK(done > 100000);
	CHECK(recovered > 1000);
}

int main(void)
{
	return test_main();
}
