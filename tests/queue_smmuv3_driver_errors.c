/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's driver end: commands and waits, and what stops them. */
#include "test.h"

#include "queue_smmuv3_driver.h"

static int submit_respond(uint64_t n)
{
	struct iopf_command command = pair_response(n);

	return iopf_driver_submit(pair.driver, &command);
}

static int submit_invalidate(uint32_t rid)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_ALL,
					      .rid = rid,
					      .pasid = IOPF_PASID_NONE };

	return iopf_driver_submit(pair.driver, &command);
}

static uint64_t submit_wait(void)
{
	uint64_t wait = 0;

	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_DRAIN, &wait), 0);
	return wait;
}

static void run(void)
{
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	iopf_hardware_run(pair.hardware, 1000);
}

static int silent_rid; /* of whom invalidations are not answered; -1: nobody */

/* Counts what is no wait. */
static int do_command(void *context, const struct iopf_command *command)
{
	(void)context;
	if (command->kind != IOPF_COMMAND_WAIT) {
		pair.commands++;
		pair.command = *command;
	}
	return command->kind == IOPF_COMMAND_INVALIDATE_DEVICE &&
			       (int)command->rid == silent_rid ?
		       -ETIMEDOUT :
		       0;
}

static void start_silent(int rid, bool forget)
{
	struct iopf_driver_options options = smmu_driver_options();
	struct iopf_hardware_options hardware = smmu_options(IOPF_SMMUV3_PHYSICAL);
	static struct iopf_hardware_ops ops;

	silent_rid = rid;
	ops = pair_ops;
	ops.command = do_command;
	hardware.ops = &ops;
	options.forget_silent = forget;
	smmu_create(&hardware);
	CHECK_EQ(smmu_driver_create(&options), 0);
	CHECK_EQ(smmu_driver_run(iopf_driver_start), 0);
	pair.commands = 0;
}

static void start(void)
{
	start_silent(-1, false);
}

TEST(the_queue_of_commands_wraps_at_every_slot_and_is_full_at_the_last)
{
	uint64_t done = 0;

	start();
	for (uint32_t start = 0; start < 2 * COMMANDS; start += 3) {
		for (uint32_t i = 0; i < COMMANDS; i++)
			CHECK_EQ(submit_respond(i), 0);
		CHECK_EQ(iopf_driver_room(pair.driver), 0);
		CHECK_EQ(submit_respond(0), -EAGAIN);
		run();
		done += COMMANDS;
		for (uint32_t i = 0; i < 3; i++)
			CHECK_EQ(submit_respond(i), 0);
		run();
		done += 3;
		CHECK_EQ(pair.commands, done);
	}
}

/* Waits are done where hardware says so, and not when they are consumed. */
TEST(a_wait_is_done_when_its_message_is_there)
{
	uint64_t first, second;

	start();
	first = submit_wait();
	CHECK_EQ(submit_respond(1), 0);
	second = submit_wait();
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK(!iopf_driver_waited(pair.driver, first));
	CHECK_EQ(iopf_hardware_run(pair.hardware, 2), 2);
	CHECK(iopf_driver_waited(pair.driver, first));
	CHECK(!iopf_driver_waited(pair.driver, second));
	iopf_hardware_run(pair.hardware, 2);
	CHECK(iopf_driver_waited(pair.driver, second));
	CHECK_EQ(iopf_driver_wait(pair.driver, 16, &first), -EINVAL);
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_INTERRUPT, &first), -EOPNOTSUPP);
}

/* Hardware reads zeros where a command was torn; the wait behind it is done all the
 * same once the caller has skipped what cannot be. */
TEST(a_command_that_stops_the_queue_is_skipped)
{
	uint64_t wait;

	start();
	CHECK_EQ(submit_respond(1), 0);
	memset(pair.bytes + COMMANDS_AT + 16 * 3, 0xff, 16); /* behind those of start */
	CHECK_EQ(submit_respond(2), 0);
	wait = submit_wait();
	CHECK_EQ(iopf_driver_skip(pair.driver), -EINVAL);
	run();
	CHECK_EQ(pair.commands, 0);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	/* Told until it is skipped. */
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	run();
	CHECK_EQ(pair.commands, 1);
	CHECK_EQ(pair.command.index, 2);
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(smmu_driver_stats()->queue_errors, 1);
}

/* 3.9.1.4: it must not be taken for done, and the queue goes on without it. */
TEST(a_wait_behind_an_invalidation_that_was_not_answered_is_given_up)
{
	uint64_t before, given_up, behind;

	start_silent(0x310, false);
	before = submit_wait();
	CHECK_EQ(submit_invalidate(0x310), 0);
	given_up = submit_wait();
	CHECK_EQ(submit_invalidate(0x400), 0);
	run();
	CHECK(iopf_driver_waited(pair.driver, before));
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), 0x310);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	run();
	CHECK_EQ(pair.commands, 2);
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	CHECK_EQ(smmu_driver_stats()->timeouts, 1);
	/* A wait that is made behind it says that the queue came so far. */
	behind = submit_wait();
	run();
	CHECK(iopf_driver_waited(pair.driver, behind));
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
}

TEST(who_was_silent_is_not_guessed)
{
	start_silent(0x310, false);
	CHECK_EQ(iopf_driver_silent(pair.driver), IOPF_NO_ID);
	CHECK_EQ(submit_invalidate(0x310), 0);
	CHECK_EQ(submit_invalidate(0x400), 0);
	submit_wait();
	run();
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), IOPF_NO_ID);
	/* What is in front of the wait before does not count, nor other commands. */
	CHECK_EQ(submit_invalidate(0x400), 0);
	submit_wait();
	CHECK_EQ(submit_invalidate(0x310), 0);
	CHECK_EQ(submit_respond(1), 0);
	CHECK_EQ(submit_invalidate(0x310), 0);
	submit_wait();
	run();
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), 0x310);
}

/* What was written over what hardware has taken says nothing about it. */
TEST(who_was_silent_is_not_read_out_of_newer_commands)
{
	start_silent(0x310, false);
	CHECK_EQ(submit_invalidate(0x310), 0);
	submit_wait();
	run();
	/* The invalidation is consumed: its place is among those that are free. */
	while (iopf_driver_room(pair.driver) > 0)
		CHECK_EQ(submit_invalidate(0x400), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), IOPF_NO_ID);
}

TEST(invalidations_of_who_is_silent_are_taken_back)
{
	start_silent(0x310, true);
	CHECK_EQ(submit_invalidate(0x310), 0);
	submit_wait();
	CHECK_EQ(submit_invalidate(0x310), 0);
	CHECK_EQ(submit_invalidate(0x400), 0);
	CHECK_EQ(submit_invalidate(0x310), 0);
	run();
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	pair.commands = 0;
	run();
	CHECK_EQ(pair.commands, 1);
	CHECK_EQ(pair.command.rid, 0x400);
	CHECK_EQ(smmu_driver_stats()->taken_back, 2);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
}

/* 7.2.2, 8.2: hardware could not write; it does again once that was told. */
TEST(queues_that_hardware_could_not_write_are_told)
{
	struct iopf_fault fault;
	struct iopf_request request;

	start();
	pair.segment.size_bytes = SMMU_EVENTS_AT; /* the event queue goes away */
	CHECK(!smmu_fault(1, true));
	CHECK_EQ(smmu_errors(), SMMUV3_EVENTQ_ABT_ERR);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_FAULTS_LOST);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	pair.segment.size_bytes = REQUESTS_AT;
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK(!smmu_fault(1, true));
	CHECK_EQ(iopf_driver_errors(pair.driver),
		 IOPF_DRIVER_FAULTS_LOST | IOPF_DRIVER_REQUESTS_LOST);
	pair.segment.size_bytes = sizeof(pair.bytes);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK(smmu_fault(1, true));
	CHECK_EQ(iopf_driver_poll(pair.driver, &request, 1), 1);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, &fault, 1), 1);
}

TEST(a_command_queue_that_is_not_there_stops)
{
	start();
	CHECK_EQ(submit_respond(1), 0);
	pair.segment.size_bytes = COMMANDS_AT;
	run();
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_skip(pair.driver), -EFAULT);
	pair.segment.size_bytes = sizeof(pair.bytes);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	run();
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(pair.commands, 0);
}

TEST(a_message_that_did_not_arrive_is_acknowledged_and_its_wait_is_not_done)
{
	uint64_t wait;

	start();
	wait = submit_wait();
	pair.segment.size_bytes = STATUS_AT;
	run();
	pair.segment.size_bytes = sizeof(pair.bytes);
	CHECK_EQ(smmu_errors(), SMMUV3_MSI_CMDQ_ABT_ERR);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(smmu_errors(), 0);
	CHECK(!iopf_driver_waited(pair.driver, wait));
	wait = submit_wait();
	run();
	CHECK(iopf_driver_waited(pair.driver, wait));
}

int main(void)
{
	return test_main();
}
