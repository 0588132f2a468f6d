/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a device that does not answer an invalidation holds the queue up once, and
 * costs one wait. */
#include "test.h"

#include "queue_pair.h"

static void submit(uint64_t n)
{
	struct iopf_command command = pair_response(n);

	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
}

TEST(a_device_that_does_not_answer_costs_one_wait)
{
	uint64_t given_up, wait;

	pair_start();
	submit(0x310);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &given_up), 0);
	submit(2);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -ETIMEDOUT;
	/* The wait behind it is taken and says nothing. */
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 2);
	pair.command_result = 0;
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_ITE);
	CHECK_EQ(pair_reg(VTD_IQERCD, 8) >> 32 & 0xffff, 0x310);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 2);
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->aborted_waits, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->timeouts, 1);
}

enum { SILENT = 0x310, SLOW = 0x318, WELL = 0x320 };

static struct {
	uint32_t asked[WELL + 1]; /* times that a device was */
	uint32_t responses;
	bool slow;
} devices;

static int device_command(void *context, const struct iopf_command *command)
{
	(void)context;
	devices.responses += command->kind == IOPF_COMMAND_RESPONSE;
	if (command->kind != IOPF_COMMAND_INVALIDATE_DEVICE)
		return 0;
	devices.asked[command->rid]++;
	if (command->rid == SILENT)
		return -ETIMEDOUT;
	return command->rid == SLOW && devices.slow ? -EAGAIN : 0;
}

static void start_devices(void)
{
	static const struct iopf_hardware_ops ops = {
		device_command, pair_interrupt, pair_root, pair_translation, pair_change,
	};
	struct iopf_driver_options options = pair_driver_options(32);

	memset(&devices, 0, sizeof(devices));
	pair_start_ops(&options, &ops);
}

static void invalidate(uint32_t rid)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_PAGE,
					      .rid = rid,
					      .pasid = 5,
					      .size_bytes = 4096 };

	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
}

/* Software aborts its waits that lie before the head, and no others. */
TEST(the_head_is_behind_the_wait_that_a_timeout_gives_up)
{
	uint64_t given_up, later, tail;

	start_devices();
	invalidate(SILENT);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	tail = pair_reg(VTD_IQT, 8);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &later), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	iopf_hardware_run(pair.hardware, 9);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_ITE);
	CHECK_EQ(pair_reg(VTD_IQH, 8), tail);
	CHECK(!iopf_driver_waited(pair.driver, later));
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	iopf_hardware_run(pair.hardware, 9);
	CHECK(iopf_driver_waited(pair.driver, later));
}

TEST(what_stands_before_that_wait_is_done_and_a_silent_device_asked_once)
{
	uint64_t given_up;

	start_devices();
	for (int i = 0; i < 3; i++)
		invalidate(SILENT);
	submit(1);
	invalidate(WELL);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 99), 6);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_ITE);
	CHECK_EQ(devices.asked[SILENT], 1);
	CHECK_EQ(devices.asked[WELL], 1);
	CHECK_EQ(devices.responses, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->aborted_waits, 1);
	/* Afterwards it is asked again: it may have come back to itself. */
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	invalidate(SILENT);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	iopf_hardware_run(pair.hardware, 9);
	CHECK_EQ(devices.asked[SILENT], 2);
}

TEST(a_timeout_is_told_before_others_take_their_time)
{
	uint64_t given_up;

	start_devices();
	devices.slow = true;
	invalidate(SILENT);
	invalidate(SLOW);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_ITE);
	CHECK_EQ(pair_reg(VTD_IQERCD, 8) >> 32 & 0xffff, SILENT);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	devices.slow = false;
	iopf_hardware_run(pair.hardware, 9);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), 0);
	CHECK(!iopf_driver_waited(pair.driver, given_up));
}

TEST(a_wait_that_is_put_after_a_timeout_is_no_part_of_it)
{
	uint64_t wait;

	pair_start();
	submit(0x310);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -ETIMEDOUT;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	pair.command_result = 0;
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	/* Software that tries again waits for its second try. */
	submit(0x310);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 2);
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->aborted_waits, 0);
}

TEST(a_wait_that_times_out_is_the_one_that_is_given_up)
{
	uint64_t given_up, wait;

	pair_start();
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -ETIMEDOUT;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	pair.command_result = 0;
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK(iopf_driver_waited(pair.driver, wait));
}

int main(void)
{
	return test_main();
}
