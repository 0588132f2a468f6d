/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's commands are done once, in order; errors stop until acknowledged. */
#include "test.h"

#include "base/le.h"
#include "queue_smmuv3.h"

static uint32_t cons(void)
{
	return (uint32_t)pair_reg(SMMUV3_CMDQ_CONS, 4) & smmu_index_mask;
}

static uint32_t cerror(void)
{
	return (uint32_t)pair_reg(SMMUV3_CMDQ_CONS, 4) >> SMMUV3_CMDQ_ERR_LSB;
}

static uint32_t run(uint32_t budget)
{
	return iopf_hardware_run(pair.hardware, budget);
}

static void check_command(uint64_t n)
{
	struct iopf_command wanted = pair_response(n);

	CHECK_EQ(pair.command.kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(pair.command.rid, wanted.rid);
	CHECK_EQ(pair.command.pasid, wanted.pasid);
	CHECK_EQ(pair.command.index, wanted.index);
	CHECK_EQ(pair.command.code, wanted.code);
}

static void invalidate_device(uint32_t rid)
{
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					.granularity = IOPF_ALL,
					.rid = rid,
					.pasid = IOPF_PASID_NONE };

	smmu_submit(&command);
}

TEST(the_ring_wraps_at_every_slot_and_all_slots_are_used)
{
	uint64_t submitted = 0, done = 0;

	smmu_start();
	for (uint32_t round = 0; round < 4 * SMMU_COMMANDS; round++) {
		for (uint32_t i = 0; i < SMMU_COMMANDS; i++)
			smmu_respond(submitted++);
		while (run(1) == 1)
			check_command(done++);
		CHECK_EQ(done, submitted);
		smmu_respond(submitted++);
		CHECK_EQ(run(9), 1);
		check_command(done++);
		CHECK_EQ(cons(), done % (2 * SMMU_COMMANDS));
	}
	CHECK_EQ(pair.commands, done);
	CHECK_EQ(smmu_stats()->commands, done);
}

TEST(nothing_is_taken_from_a_queue_that_is_off)
{
	smmu_start();
	smmu_respond(1);
	pair_set(SMMUV3_CR0, 4, SMMU_ON & ~(uint32_t)SMMUV3_CMDQEN);
	CHECK_EQ(run(9), 0);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(run(0), 0);
	CHECK_EQ(run(9), 1);
	check_command(1);
}

TEST(a_malformed_command_stops_the_queue_until_acknowledged)
{
	uint8_t *slot;

	smmu_start();
	smmu_respond(1);
	slot = smmu_slot();
	memset(slot, 0xff, 16);
	smmu_respond(2);
	CHECK_EQ(run(9), 1);
	CHECK_EQ(cons(), 1);
	CHECK_EQ(cerror(), SMMUV3_CERROR_ILL);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, SMMU_ERROR_DATA);
	/* Mended, but not acknowledged; then the other way round. */
	memset(slot, 0, 16);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(run(9), 0);
	memset(slot, 0xff, 16);
	smmu_acknowledge();
	CHECK_EQ(smmu_errors(), 0);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	CHECK_EQ(pair_reg(SMMUV3_GERROR, 4), 0);
	CHECK_EQ(smmu_stats()->queue_errors, 2);
	CHECK_EQ(pair.interrupts, 2);
	/* PROD need not be written for it to go on. */
	slot[0] = 0x46;
	memset(slot + 1, 0, 15);
	smmu_acknowledge();
	CHECK_EQ(run(9), 2);
	check_command(2);
	CHECK_EQ(cerror(), 0);
	CHECK_EQ(cons(), 3);
}

/* 7.1: while the error is active what was not taken can be taken back. */
TEST(commands_behind_an_error_can_be_taken_back)
{
	smmu_start();
	memset(smmu_slot(), 0xff, 16);
	smmu_respond(1);
	CHECK_EQ(run(9), 0);
	pair_set(SMMUV3_CMDQ_PROD, 4, cons());
	smmu_acknowledge();
	CHECK_EQ(run(9), 0);
	CHECK_EQ(smmu_errors(), 0);
	smmu_respond(2);
	CHECK_EQ(run(9), 1);
	check_command(2);
}

TEST(a_command_that_its_owner_cannot_do_is_illegal)
{
	smmu_start();
	smmu_respond(1);
	pair.command_result = -ENOENT;
	CHECK_EQ(run(9), 0);
	CHECK_EQ(cerror(), SMMUV3_CERROR_ILL);
	CHECK_EQ(cons(), 0);
}

TEST(a_queue_that_is_nowhere_is_an_abort)
{
	smmu_start();
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_CMDQ_BASE, 8, UINT64_C(0xffffff000000) | 4);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	pair_set(SMMUV3_CMDQ_PROD, 4, 1);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(cerror(), SMMUV3_CERROR_ABT);
	CHECK_EQ(cons(), 0);
	CHECK_EQ(smmu_stats()->bad_addresses, 1);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	/* The error outlives the switch. */
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_CMDQ_BASE, 8, COMMANDS_AT | 4);
	pair_set(SMMUV3_CMDQ_PROD, 4, 0);
	smmu_respond(1);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(run(9), 0);
	smmu_acknowledge();
	CHECK_EQ(run(9), 1);
}

TEST(indices_that_cannot_be_stop_the_queue)
{
	smmu_start();
	for (uint32_t i = 0; i < SMMU_COMMANDS; i++)
		pair.bytes[COMMANDS_AT + 16 * i] = 0x46; /* SYNC */
	pair_set(SMMUV3_CMDQ_PROD, 4, SMMU_COMMANDS + 1);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(cerror(), SMMUV3_CERROR_ILL);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	CHECK_EQ(smmu_stats()->queue_errors, 1);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(smmu_stats()->queue_errors, 1);
	pair_set(SMMUV3_CMDQ_PROD, 4, 0);
	smmu_acknowledge();
	smmu_respond(5);
	CHECK_EQ(run(9), 1);
	check_command(5);
}

TEST(bases_are_aligned_and_sizes_cut)
{
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);
	struct iopf_command command = pair_response(3);

	options.idr[1] = (options.idr[1] & ~(UINT32_C(0x1f) << 21)) | 1 << 21;
	smmu_create(&options);
	pair_set(SMMUV3_CMDQ_BASE, 8, (COMMANDS_AT + 0x20) | 31);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(iopf_wire_smmuv3.encode_command(&command, 16,
						 pair.bytes + COMMANDS_AT + 0x20), 0);
	CHECK_EQ(iopf_wire_smmuv3.encode_command(&command, 16,
						 pair.bytes + COMMANDS_AT + 0x30), 0);
	/* Two entries: bits from 2 on do not count. */
	pair_set(SMMUV3_CMDQ_PROD, 4, 0xff2);
	CHECK_EQ(run(9), 2);
	CHECK_EQ(cons(), 2);
	pair_set(SMMUV3_CMDQ_PROD, 4, 0);
	CHECK_EQ(run(9), 2);
	CHECK_EQ(cons(), 0);
	/* One entry stands at a multiple of 32 all the same. */
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_CMDQ_BASE, 8, COMMANDS_AT + 0x20);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	pair_set(SMMUV3_CMDQ_PROD, 4, 1);
	CHECK_EQ(run(9), 1);
}

/* ---- What is legal where --------------------------------------------------------------- */

enum { ILLEGAL, DONE, IDLE };

static int fate(uint32_t features, uint32_t stall_max, uint32_t cr0,
		const struct iopf_command *command)
{
	struct iopf_hardware_options options = smmu_options(features);

	CHECK_EQ(iopf_smmuv3_identification(features, 16, 10, stall_max, options.idr), 0);
	smmu_create(&options);
	smmu_queues();
	pair_set(SMMUV3_CR0, 4, cr0);
	smmu_submit(command);
	if (run(1) == 0) {
		CHECK_EQ(cerror(), SMMUV3_CERROR_ILL);
		CHECK_EQ(pair.commands, 0);
		return ILLEGAL;
	}
	CHECK_EQ(smmu_errors(), 0);
	return pair.commands == 1 ? DONE : IDLE;
}

static const struct {
	struct iopf_command command;
	uint32_t needs; /* 0: nothing; without it the command is illegal */
	bool stalls;    /* or this */
	bool translates; /* without SMMUEN it is consumed and nothing else */
} legal[] = {
	{ { .kind = IOPF_COMMAND_RESPONSE, .pasid = 3 }, IOPF_SMMUV3_PRI, false, true },
	{ { .kind = IOPF_COMMAND_RESPONSE, .flags = IOPF_STALL, .index = 9 }, 0, true, false },
	{ { .kind = IOPF_COMMAND_TERMINATE, .rid = 5 }, 0, true, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_DEVICE, .pasid = IOPF_PASID_NONE },
	  IOPF_SMMUV3_ATS, false, true },
	{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_ALL }, 0, false,
	  false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_DEVICE }, 0, false,
	  false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_PASID, .granularity = IOPF_ONE_PASID },
	  IOPF_SMMUV3_S1P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_PASID, .granularity = IOPF_DEVICE },
	  IOPF_SMMUV3_S1P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_ALL }, 0, false,
	  false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_DOMAIN },
	  IOPF_SMMUV3_S2P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_DOMAIN,
	    .hints = IOPF_HINT_FIRST }, IOPF_SMMUV3_S1P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_ONE_PASID },
	  IOPF_SMMUV3_S1P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_PAGE,
	    .size_bytes = 4096 }, IOPF_SMMUV3_S1P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_PAGE,
	    .size_bytes = 4096, .hints = IOPF_HINT_SECOND }, IOPF_SMMUV3_S2P, false, false },
	{ { .kind = IOPF_COMMAND_INVALIDATE_IOTLB, .granularity = IOPF_PAGE,
	    .size_bytes = 8192 }, IOPF_SMMUV3_RIL, false, false },
	{ { .kind = IOPF_COMMAND_WAIT }, 0, false, false },
};

TEST(a_command_of_a_missing_feature_is_illegal)
{
	for (unsigned i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
		uint32_t without = (uint32_t)IOPF_SMMUV3_PHYSICAL & ~legal[i].needs;

		/* What has no ATS has no page requests. */
		if (legal[i].needs == IOPF_SMMUV3_ATS)
			without &= ~(uint32_t)IOPF_SMMUV3_PRI;
		CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMU_ON, &legal[i].command), DONE);
		CHECK_EQ(fate(without, 9, SMMU_ON, &legal[i].command),
			 legal[i].needs == 0 ? DONE : ILLEGAL);
		CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 0, SMMU_ON, &legal[i].command),
			 legal[i].stalls ? ILLEGAL : DONE);
	}
}

TEST(where_nothing_is_translated_devices_are_told_nothing)
{
	for (unsigned i = 0; i < sizeof(legal) / sizeof(legal[0]); i++)
		CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMUV3_CMDQEN, &legal[i].command),
			 legal[i].translates ? IDLE : DONE);
}

/* 4.1.7: StreamIDs of 16 bits, SubstreamIDs of 10. */
TEST(a_device_that_cannot_be_is_told_nothing)
{
	struct iopf_command command = { .kind = IOPF_COMMAND_RESPONSE,
					.rid = 0xffff,
					.pasid = 0x3ff };

	CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMU_ON, &command), DONE);
	command.rid = 0x10000;
	CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMU_ON, &command), IDLE);
	command.rid = 0xffff;
	command.pasid = 0x400;
	CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMU_ON, &command), IDLE);
	command.pasid = IOPF_PASID_NONE;
	CHECK_EQ(fate(IOPF_SMMUV3_PHYSICAL, 9, SMMU_ON, &command), DONE);
}

/* ---- Waits ------------------------------------------------------------------------------ */

static uint32_t status(void)
{
	uint32_t value;

	memcpy(&value, pair.bytes + STATUS_AT, sizeof(value));
	return le32_host(value);
}

TEST(a_sync_writes_its_message_when_all_before_it_is_done)
{
	smmu_start();
	smmu_respond(1);
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 0x1234);
	smmu_respond(2);
	CHECK_EQ(run(1), 1);
	CHECK_EQ(status(), 0);
	CHECK_EQ(run(1), 1);
	CHECK_EQ(status(), 0x1234);
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_WAIT);
	CHECK_EQ(pair.interrupts, 0);
	smmu_sync(0, 0, 0);
	CHECK_EQ(run(9), 2);
	CHECK_EQ(pair.interrupts, 0);
}

static uint32_t cons_at_interrupt;

static void note_cons(void *context, uint64_t addr, uint32_t data)
{
	pair_interrupt(context, addr, data);
	cons_at_interrupt = cons();
}

TEST(a_sync_is_consumed_before_it_signals)
{
	static const struct iopf_hardware_ops ops = {
		pair_command, note_cons, pair_root, pair_translation, pair_change,
	};
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);

	options.ops = &ops;
	smmu_create(&options);
	smmu_queues();
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	smmu_respond(1);
	smmu_sync(IOPF_WAIT_INTERRUPT, 0, 0);
	CHECK_EQ(run(9), 2);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, 0);
	CHECK_EQ(pair.interrupt_data, IOPF_SMMUV3_LINE_SYNC);
	CHECK_EQ(cons_at_interrupt, 2);
}

TEST(a_sync_may_be_overwritten_by_its_own_message)
{
	uint8_t *slot = pair.bytes + COMMANDS_AT, before[16];

	smmu_start();
	smmu_sync(IOPF_WAIT_STATUS, COMMANDS_AT, 0x55);
	memcpy(before, slot, sizeof(before));
	CHECK_EQ(run(9), 1);
	CHECK_EQ(cons(), 1);
	CHECK(slot[0] == 0x55 && slot[1] == 0 && slot[2] == 0 && slot[3] == 0);
	CHECK(memcmp(slot + 4, before + 4, 12) == 0);
}

TEST(where_there_are_no_messages_a_sync_pulls_its_wire)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL & ~IOPF_SMMUV3_MSI);
	smmu_queues();
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 0x1234);
	CHECK_EQ(run(9), 1);
	CHECK_EQ(status(), 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, IOPF_SMMUV3_LINE_SYNC);
}

TEST(a_message_that_goes_nowhere_is_told_and_stops_nothing)
{
	smmu_start();
	smmu_sync(IOPF_WAIT_STATUS, UINT64_C(0xffffff000000), 1);
	smmu_sync(IOPF_WAIT_STATUS, UINT64_C(0xffffff000000), 1);
	smmu_respond(1);
	CHECK_EQ(run(9), 3);
	CHECK_EQ(smmu_errors(), SMMUV3_MSI_CMDQ_ABT_ERR);
	CHECK_EQ(smmu_stats()->bad_addresses, 2);
	CHECK_EQ(smmu_stats()->queue_errors, 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, SMMU_ERROR_DATA);
}

/* ---- Devices that do not answer ---------------------------------------------------------- */

TEST(an_invalidation_that_times_out_is_told_by_the_sync_behind_it)
{
	smmu_start();
	invalidate_device(0x310);
	smmu_respond(1);
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 7);
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 8);
	pair.command_result = -ETIMEDOUT;
	CHECK_EQ(run(1), 1);
	pair.command_result = 0;
	CHECK_EQ(smmu_stats()->timeouts, 1);
	CHECK_EQ(smmu_errors(), 0);
	CHECK_EQ(run(9), 1);
	CHECK_EQ(cons(), 2);
	CHECK_EQ(cerror(), SMMUV3_CERROR_ATC_INV_SYNC);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	CHECK_EQ(smmu_stats()->aborted_waits, 1);
	CHECK_EQ(smmu_stats()->queue_errors, 0);
	CHECK_EQ(pair.commands, 2);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(status(), 0);
	/* Acknowledged: it is taken again, and there is nothing left to tell. */
	smmu_acknowledge();
	CHECK_EQ(run(1), 1);
	CHECK_EQ(status(), 7);
	CHECK_EQ(run(9), 1);
	CHECK_EQ(status(), 8);
	CHECK_EQ(smmu_stats()->aborted_waits, 1);
}

/* Who begins anew is not told of a device that its predecessor asked. */
TEST(a_queue_that_is_switched_off_forgets_who_did_not_answer)
{
	smmu_start();
	invalidate_device(0x310);
	pair.command_result = -ETIMEDOUT;
	CHECK_EQ(run(1), 1);
	pair.command_result = 0;
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_CMDQ_PROD, 8, 0);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 7);
	CHECK_EQ(run(9), 1);
	CHECK_EQ(status(), 7);
	CHECK_EQ(smmu_errors(), 0);
}

TEST(a_sync_that_times_out_itself_is_the_same)
{
	smmu_start();
	smmu_sync(IOPF_WAIT_STATUS, STATUS_AT, 7);
	pair.command_result = -ETIMEDOUT;
	CHECK_EQ(run(9), 0);
	pair.command_result = 0;
	CHECK_EQ(cerror(), SMMUV3_CERROR_ATC_INV_SYNC);
	CHECK_EQ(cons(), 0);
	smmu_acknowledge();
	CHECK_EQ(run(9), 1);
	CHECK_EQ(status(), 7);
}

TEST(a_command_that_holds_the_queue_up_is_read_once_and_asked_again)
{
	smmu_start();
	smmu_respond(1);
	smmu_respond(2);
	pair.command_result = -EAGAIN;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(run(9), 0);
	check_command(1);
	/* Whatever software makes of the bytes now: they were copied. */
	memset(pair.bytes + COMMANDS_AT, 0xff, 16);
	pair.command_result = 0;
	CHECK_EQ(run(1), 1);
	check_command(1);
	CHECK_EQ(run(9), 1);
	check_command(2);
	CHECK_EQ(pair.commands, 2);
}

TEST(a_queue_that_is_switched_off_forgets_the_command_in_hand)
{
	smmu_start();
	smmu_respond(1);
	pair.command_result = -EAGAIN;
	CHECK_EQ(run(9), 0);
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair.command_result = 0;
	CHECK_EQ(run(9), 0);
	pair_set(SMMUV3_CMDQ_PROD, 4, 0);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(pair.commands, 0);
}

/* What a command sets off may reach software at once: it switches the queue off and on
 * again, with other commands in it. */
static int switch_off(void *context, const struct iopf_command *command)
{
	(void)context;
	if (command->kind != IOPF_COMMAND_RESPONSE || command->rid != 0xdead)
		return 0;
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_CMDQ_PROD, 8, 0);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	return 0;
}

TEST(a_command_may_switch_the_queue_off_under_itself)
{
	static const struct iopf_hardware_ops ops = {
		switch_off, pair_interrupt, pair_root, pair_translation, pair_change,
	};
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);

	options.ops = &ops;
	smmu_create(&options);
	smmu_queues();
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	smmu_respond(0xdead);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(cons(), 0);
	CHECK_EQ(smmu_errors(), 0);
}

TEST(an_error_interrupts_once_until_it_is_acknowledged)
{
	smmu_start();
	pair_set(SMMUV3_IRQ_CTRL, 4, SMMUV3_EVENTQ_IRQEN);
	memset(smmu_slot(), 0xff, 16);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(pair.interrupts, 0);
	pair_set(SMMUV3_IRQ_CTRL, 4, SMMUV3_GERROR_IRQEN);
	CHECK_EQ(run(9), 0);
	CHECK_EQ(pair.interrupts, 0);
	smmu_acknowledge();
	CHECK_EQ(run(9), 0);
	CHECK_EQ(pair.interrupts, 1);
	/* Another kind, while this one stands. */
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_EVENTQ_BASE, 8, UINT64_C(0xffffff000000));
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(!smmu_fault(1, false));
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR | SMMUV3_EVENTQ_ABT_ERR);
	CHECK_EQ(pair.interrupts, 2);
}

int main(void)
{
	return test_main();
}
