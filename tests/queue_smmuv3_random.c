/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: 10^6 random interleavings of both ends of SMMUv3's queues against a plain
 * model. Hardware acts between any two register accesses of the driver, in the middle of
 * its calls. Requests, stalls, other events and commands cross once, in order.
 */
#include "test.h"

#include "queue_smmuv3_driver.h"

enum { STEPS = 1000000, BATCH = 64 };

static struct {
	uint64_t seed;
	bool hardware_acts;
	uint32_t burst; /* hardware's share: a different mix of fast and slow */

	uint64_t accepted, taken; /* requests, named by their number */
	bool told;                /* an overflow was told to the driver's caller */
	uint64_t recovered;

	/* Events in the queue, oldest first; a stall that found no room is tried again. */
	uint32_t event[EVENTS];
	bool stall[EVENTS];
	uint64_t recorded, seen;
	uint32_t stalls, others, stalls_seen;
	uint64_t waited, lost;

	uint64_t submitted, done; /* commands */
	bool failed;              /* an invalidation was not answered: no SYNC may pass */
	uint64_t timeouts;

	uint64_t request_interrupts, event_interrupts;
	uint64_t wrong; /* seen by hardware, told at the end */
} model;

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&model.seed) % of);
}

static uint32_t left(uint32_t prod, uint32_t cons)
{
	return (uint32_t)(pair_reg(prod, 4) ^ pair_reg(cons, 4)) & smmu_index_mask;
}

/* ---- Hardware -------------------------------------------------------------------------- */

static void hardware_post(void)
{
	int result = smmu_post(model.accepted, IOPF_LAST);

	CHECK(result == IOPF_POSTED || result == IOPF_POSTED_SUCCESS);
	model.accepted += result == IOPF_POSTED;
}

static void hardware_fault(void)
{
	bool stall = chance(2) == 0;
	uint32_t number = (stall ? model.stalls : model.others) & 0xffff;

	if (!smmu_fault(number, stall)) {
		model.waited += stall;
		model.lost += !stall;
		return;
	}
	model.event[model.recorded % EVENTS] = number;
	model.stall[model.recorded % EVENTS] = stall;
	model.recorded++;
	model.stalls += stall;
	model.others += !stall;
}

static void hardware_act(void)
{
	for (uint32_t n = chance(model.burst + 1); n > 0; n--) {
		switch (chance(3)) {
		case 0:
			hardware_post();
			break;
		case 1:
			hardware_fault();
			break;
		default:
			iopf_hardware_run(pair.hardware, chance(8));
			break;
		}
	}
}

static int command_seen(void *context, const struct iopf_command *command)
{
	struct iopf_command wanted = pair_response(model.done);

	(void)context;
	if (!model.hardware_acts)
		return 0;
	if (chance(4) == 0)
		return -EAGAIN;
	if (command->kind == IOPF_COMMAND_INVALIDATE_DEVICE) {
		bool silent = chance(8) == 0;

		model.failed |= silent;
		return silent ? -ETIMEDOUT : 0;
	}
	model.wrong += command->kind == IOPF_COMMAND_WAIT && model.failed;
	if (command->kind != IOPF_COMMAND_RESPONSE)
		return 0;
	model.wrong += command->rid != wanted.rid || command->pasid != wanted.pasid ||
		       command->index != wanted.index;
	model.done++;
	return 0;
}

static void interrupt_seen(void *context, uint64_t addr, uint32_t data)
{
	pair_interrupt(context, addr, data);
	model.request_interrupts += data == SMMU_REQUEST_DATA;
	model.event_interrupts += data == SMMU_EVENT_DATA;
}

/* ---- Between them ---------------------------------------------------------------------- */

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

/* An overflow of requests is acknowledged in an empty queue, and told before. */
static void cons_written(uint64_t value)
{
	uint64_t before = pair_reg(SMMUV3_PRIQ_CONS, 4);

	if (((before ^ value) & SMMUV3_QUEUE_OVERFLOW) == 0)
		return;
	model.wrong += ((value ^ pair_reg(SMMUV3_PRIQ_PROD, 4)) & smmu_index_mask) != 0;
	model.wrong += !model.told;
	model.told = false;
	model.recovered++;
}

static int hooked_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	/* All interrupts are one to the driver; the model wants to know which it was. */
	if (offset == SMMUV3_EVENTQ_IRQ_CFG1)
		value = SMMU_EVENT_DATA;
	if (offset == SMMUV3_PRIQ_IRQ_CFG1)
		value = SMMU_REQUEST_DATA;
	if (model.hardware_acts)
		hardware_act();
	if (offset == SMMUV3_PRIQ_CONS && model.hardware_acts)
		cons_written(value);
	return pair_write(context, offset, width, value);
}

static const struct iopf_register_ops hooked = { hooked_read, hooked_write };

/* ---- Software -------------------------------------------------------------------------- */

static void driver_take(void)
{
	struct iopf_request requests[BATCH];
	uint64_t interrupts = model.request_interrupts;
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
	if (count == 0 && left(SMMUV3_PRIQ_PROD, SMMUV3_PRIQ_CONS) != 0)
		CHECK(model.request_interrupts > interrupts);
}

static void driver_take_faults(void)
{
	struct iopf_fault faults[BATCH];
	uint64_t interrupts = model.event_interrupts;
	int count = iopf_driver_poll_faults(pair.driver, faults, 1 + chance(BATCH));

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		uint32_t slot = model.seen++ % EVENTS;

		CHECK_EQ(faults[i].addr, (uint64_t)model.event[slot] << 12);
		CHECK_EQ(faults[i].stall, model.stall[slot]);
		CHECK_EQ(faults[i].index, model.stall[slot] ? model.event[slot] : 0);
		if (faults[i].stall)
			CHECK_EQ(faults[i].index, model.stalls_seen++ & 0xffff);
	}
	CHECK(model.seen <= model.recorded);
	if (count == 0 && left(SMMUV3_EVENTQ_PROD, SMMUV3_EVENTQ_CONS) != 0)
		CHECK(model.event_interrupts > interrupts);
}

static void driver_command(void)
{
	struct iopf_command command = pair_response(model.submitted);
	const struct iopf_command invalidate = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
						 .granularity = IOPF_ALL,
						 .rid = 0x310,
						 .pasid = IOPF_PASID_NONE };
	int error = iopf_driver_submit(pair.driver, &command);

	CHECK(error == 0 || error == -EAGAIN);
	model.submitted += error == 0;
	if (chance(64) == 0)
		(void)iopf_driver_submit(pair.driver, &invalidate);
	if (chance(3) == 0)
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
}

static bool open; /* a wait */

/* A wait that is done covers everything that was submitted before it. */
static void driver_wait(void)
{
	static uint64_t wait, before;

	if (open && iopf_driver_waited(pair.driver, wait)) {
		CHECK(model.done >= before);
		open = false;
	}
	if (!open && iopf_driver_wait(pair.driver, 0, &wait) == 0) {
		before = model.submitted;
		open = true;
	}
}

static void driver_errors(void)
{
	bool acts = model.hardware_acts;
	int error;

	/* What fails between the acknowledgement and here is another time-out. */
	model.hardware_acts = false;
	error = iopf_driver_errors(pair.driver);
	model.hardware_acts = acts;
	CHECK(error == 0 || error == IOPF_DRIVER_TIMEOUT);
	if (error == 0)
		return;
	model.failed = false;
	model.timeouts++;
	open = false;
}

static void software_act(void)
{
	switch (chance(6)) {
	case 0:
		driver_command();
		break;
	case 1:
		driver_wait();
		break;
	case 2:
		driver_errors();
		break;
	case 3:
	case 4:
		driver_take();
		break;
	default:
		driver_take_faults();
		break;
	}
}

static void run(uint64_t seed, uint32_t burst, uint32_t steps)
{
	static const struct iopf_hardware_ops ops = {
		command_seen, interrupt_seen, pair_root, pair_translation, pair_change,
	};
	struct iopf_driver_options options = smmu_driver_options();

	memset(&model, 0, sizeof(model));
	open = false;
	model.seed = seed;
	model.burst = burst;
	options.registers = &hooked;
	smmu_driver_start_ops(&options, &ops);
	model.hardware_acts = true;
	for (uint32_t step = 0; step < steps; step++) {
		software_act();
		hardware_act();
	}
	/* Traffic ends: everything that was accepted comes out, service goes on. */
	model.burst = 0;
	for (uint32_t i = 0; i < 4096; i++) {
		driver_take();
		driver_take_faults();
		driver_errors();
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		iopf_hardware_run(pair.hardware, 64);
	}
	CHECK_EQ(model.taken, model.accepted);
	CHECK_EQ(model.seen, model.recorded);
	CHECK_EQ(model.stalls_seen, model.stalls);
	CHECK_EQ(model.done, model.submitted);
	CHECK_EQ(model.wrong, 0);
	CHECK_EQ(smmu_errors(), 0);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_PROD, 4), pair_reg(SMMUV3_PRIQ_CONS, 4));
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_PROD, 4), pair_reg(SMMUV3_EVENTQ_CONS, 4));
	CHECK_EQ(iopf_driver_stats(pair.driver)->bad_indices, 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, model.recovered);
	CHECK_EQ(iopf_driver_stats(pair.driver)->timeouts, model.timeouts);
	CHECK_EQ(smmu_stats()->lost_faults, model.lost);
	CHECK_EQ(smmu_stats()->waited_faults, model.waited);
}

TEST(every_accepted_entry_is_handled_once_in_order)
{
	uint64_t accepted = 0, recovered = 0, done = 0, stalls = 0, waited = 0, lost = 0;
	uint64_t timeouts = 0;

	for (uint32_t burst = 1; burst <= 10; burst++) {
		run(burst * 7919, burst * burst, STEPS / 10);
		accepted += model.accepted;
		recovered += model.recovered;
		done += model.done;
		stalls += model.stalls;
		waited += model.waited;
		lost += model.lost;
		timeouts += model.timeouts;
	}
	/* The mix met what it is meant to meet. */
	CHECK(accepted > 1000000);
	CHECK(done > 100000);
	CHECK(recovered > 1000);
	CHECK(stalls > 100000);
	CHECK(waited > 100000);
	CHECK(lost > 100000);
	CHECK(timeouts > 100);
}

int main(void)
{
	return test_main();
}
