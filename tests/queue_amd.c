/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: AMD's logs and command buffer, both ends: up and down, entries that are
 * announced before they are written, overflow and restart, commands, and silent devices. */
#include "test.h"

#include "queue_amd.h"

static struct iopf_request requests[SLOTS];
static struct iopf_fault faults[SLOTS];

static int poll(void)
{
	return iopf_driver_poll(pair.driver, requests, SLOTS);
}

static void submit(const struct iopf_command *command)
{
	CHECK_EQ(iopf_driver_submit(pair.driver, command), 0);
}

static void respond(uint64_t n)
{
	const struct iopf_command command = pair_response(n);

	submit(&command);
}

static void invalidate(uint32_t rid)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_PAGE,
					      .rid = rid,
					      .pasid = 5,
					      .size_bytes = 4096 };

	submit(&command);
}

static uint64_t wait_put(void)
{
	uint64_t wait = 0;

	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	return wait;
}

static uint32_t drain(void)
{
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	return iopf_hardware_run(pair.hardware, 4 * SLOTS);
}

/* ---- Up and down -------------------------------------------------------------------- */

TEST(start_turns_everything_on_and_forgets_what_was_cached)
{
	amd_start();
	CHECK_EQ(pair_reg(AMD_DEV_TBL, 8), ROOT_AT | 3);
	CHECK_EQ(pair_reg(AMD_CMD_BASE, 8), COMMANDS_AT | UINT64_C(8) << 56);
	CHECK_EQ(pair_reg(AMD_EVT_BASE, 8), EVENTS_AT | UINT64_C(8) << 56);
	CHECK_EQ(pair_reg(AMD_PPR_BASE, 8), REQUESTS_AT | UINT64_C(8) << 56);
	CHECK_EQ(pair_reg(AMD_CONTROL, 8), ON | AMD_PPR_INT_EN | AMD_EVT_INT_EN);
	CHECK_EQ(amd_status(), RUNNING);
	CHECK_EQ(pair_reg(AMD_MSI_ADDR, 4), INTERRUPT_ADDR);
	CHECK_EQ(pair_reg(AMD_MSI_DATA, 4), INTERRUPT_DATA);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->commands, 2); /* all, and a wait */
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_WAIT);
	CHECK_EQ(pair.on, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_accesses, 0);
}

TEST(without_an_interrupt_address_nothing_interrupts)
{
	struct iopf_driver_options options = amd_driver_options();

	options.interrupt_addr = 0;
	CHECK_EQ(amd_start_with(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_MSI, 0, &options), 0);
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK(amd_fault(1));
	CHECK_EQ(pair.interrupts, 0);
	options.interrupt_addr = INTERRUPT_ADDR;
	CHECK_EQ(amd_start_with(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_MSI, 0, &options),
		 -EOPNOTSUPP);
}

TEST(an_iommu_that_lacks_what_paging_needs_is_not_started)
{
	const struct iopf_driver_options options = amd_driver_options();

	CHECK_EQ(amd_start_with(IOPF_AMD_PPR | IOPF_AMD_IA | IOPF_AMD_MSI, 0, &options), 0);
	CHECK_EQ(amd_start_with(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_PPR, 0, &options),
		 -EOPNOTSUPP);
	CHECK_EQ(amd_start_with(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_IA, 0, &options),
		 -EOPNOTSUPP);
}

TEST(stop_lets_responses_out_and_what_an_earlier_driver_left_is_cleared)
{
	const struct iopf_driver_options options = amd_driver_options();

	amd_start();
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	respond(5);
	CHECK_EQ(iopf_driver_stop(pair.driver), -EAGAIN);
	CHECK_EQ(amd_run(iopf_driver_stop), 0);
	CHECK_EQ(pair.commands, 1);
	CHECK_EQ(pair_reg(AMD_CONTROL, 8), 0);
	CHECK_EQ(amd_status() & RUNNING, 0);
	CHECK_EQ(amd_post(1, IOPF_LAST), -ENXIO);
	CHECK_EQ(pair.off, 1);
	CHECK_EQ(amd_run(iopf_driver_start), 0);
	for (uint32_t i = 0; i <= ROOM; i++) {
		amd_post(i, IOPF_LAST);
		amd_fault(i);
	}
	/* Nobody stopped it. */
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	CHECK_EQ(amd_run(iopf_driver_start), 0);
	CHECK_EQ(poll(), 0);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 0);
}

/* ---- The PPR log -------------------------------------------------------------------- */

TEST(requests_arrive_in_order_wherever_the_log_wraps)
{
	uint64_t sent = 0, seen = 0;

	amd_start();
	for (uint32_t round = 0; round < 3 * SLOTS; round += 7) {
		int count;

		for (uint32_t i = 0; i < 7; i++)
			CHECK_EQ(amd_post(sent++, IOPF_LAST), IOPF_POSTED);
		count = poll();
		CHECK_EQ(count, 7);
		for (int i = 0; i < count; i++, seen++) {
			CHECK_EQ(requests[i].addr, seen << 12);
			CHECK_EQ(requests[i].pasid, seen & 0xfffff);
		}
	}
	CHECK_EQ(poll(), 0);
	CHECK_EQ(amd_status() & AMD_PPR_INT, 0);
}

/* 2.6: a log whose entries are zero is one that nobody has written yet. */
TEST(what_was_taken_is_zero)
{
	static const uint8_t nothing[SLOTS * 16];

	amd_start();
	for (uint32_t i = 0; i < 10; i++)
		CHECK_EQ(amd_post(i, IOPF_LAST), IOPF_POSTED);
	CHECK(memcmp(pair.bytes + REQUESTS_AT, nothing, sizeof(nothing)) != 0);
	CHECK_EQ(poll(), 10);
	CHECK(memcmp(pair.bytes + REQUESTS_AT, nothing, sizeof(nothing)) == 0);
}

TEST(an_entry_that_is_announced_is_waited_for)
{
	amd_start_quirks(IOPF_AMD_PHYSICAL, IOPF_AMD_LATE_ENTRIES);
	CHECK_EQ(amd_post(1, 0), IOPF_POSTED);
	CHECK_EQ(pair_reg(AMD_PPR_TAIL, 8), 16);
	CHECK_EQ(poll(), 0);
	CHECK_EQ(pair_reg(AMD_PPR_HEAD, 8), 0);
	CHECK_EQ(amd_post(2, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(poll(), 1);
	CHECK_EQ(requests[0].addr, 1 << 12);
	CHECK_EQ(poll(), 0);
	drain();
	CHECK_EQ(poll(), 1);
	CHECK_EQ(requests[0].addr, 2 << 12);
	CHECK_EQ(iopf_driver_stats(pair.driver)->undecodable, 0);
}

/* Hardware that never writes it must not hold up all that come behind. */
TEST(an_entry_is_not_waited_for_for_ever)
{
	uint32_t looks = 0;

	amd_start();
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(amd_post(2, IOPF_LAST), IOPF_POSTED);
	memset(pair.bytes + REQUESTS_AT, 0, 16);
	while (looks < 1 << 20 && poll() == 0)
		looks++;
	CHECK(looks > 1000 && looks < 1 << 20);
	CHECK_EQ(requests[0].addr, 2 << 12);
	CHECK_EQ(iopf_driver_stats(pair.driver)->undecodable, 1);
}

/* The log stops; it is off, told so, and on again where it was. */
TEST(an_overflow_is_over_when_the_log_was_emptied_and_restarted)
{
	amd_start();
	for (uint32_t i = 0; i < ROOM; i++)
		CHECK_EQ(amd_post(i, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(amd_post(ROOM, IOPF_LAST), IOPF_POSTED_NOTHING);
	CHECK_EQ(amd_status() & (AMD_PPR_OVERFLOW | AMD_PPR_RUN), AMD_PPR_OVERFLOW);
	CHECK_EQ(poll(), ROOM);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(poll(), 1);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->overflows, 1);
}

TEST(a_log_that_stopped_stays_so_until_it_is_empty)
{
	amd_start();
	for (uint32_t i = 0; i <= ROOM; i++)
		amd_post(i, IOPF_LAST);
	CHECK_EQ(iopf_driver_recover(pair.driver), -EAGAIN);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 1), 1);
	/* There is room, and it does not go on by itself. */
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED_NOTHING);
	CHECK_EQ(poll(), ROOM - 1);
	CHECK_EQ(poll(), -EOVERFLOW);
	CHECK_EQ(amd_status() & AMD_PPR_RUN, 0);
	/* To clear what it says does not start it. */
	pair_set(AMD_STATUS, 8, AMD_PPR_OVERFLOW);
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED_NOTHING);
	pair_set(AMD_CONTROL, 8, pair_reg(AMD_CONTROL, 8) & ~(uint64_t)AMD_PPR_LOG_EN);
	pair_set(AMD_CONTROL, 8, pair_reg(AMD_CONTROL, 8) | AMD_PPR_LOG_EN);
	CHECK_EQ(amd_status() & AMD_PPR_RUN, AMD_PPR_RUN);
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(poll(), 1);
}

/* Software that was told comes back; one message says it for all that come meanwhile. */
TEST(a_message_leaves_once_until_it_was_taken)
{
	amd_start();
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(amd_post(i, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, INTERRUPT_DATA);
	CHECK_EQ(poll(), 3);
	CHECK_EQ(poll(), 0);
	CHECK_EQ(amd_post(3, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
}

/* ---- What no public source confirms -------------------------------------------------- */

TEST(automatic_responses_are_for_the_last_and_carry_what_software_says)
{
	static const struct {
		uint8_t code, posted;
	} cases[] = { { 0, IOPF_POSTED_SUCCESS },
		      { 1, IOPF_POSTED_INVALID },
		      { 15, IOPF_POSTED_FAILURE } };

	for (uint32_t c = 0; c < 3; c++) {
		amd_start_quirks(IOPF_AMD_PHYSICAL | IOPF_AMD_PPR_AUTO, 0);
		pair_set(AMD_PPR_AUTO, 8, cases[c].code);
		pair_set(AMD_CONTROL, 8, pair_reg(AMD_CONTROL, 8) | AMD_PPR_AUTO_EN);
		for (uint32_t i = 0; i < ROOM; i++)
			CHECK_EQ(amd_post(i, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(amd_post(1, 0), IOPF_POSTED_NOTHING);
		CHECK_EQ(amd_post(1, IOPF_LAST), cases[c].posted);
		CHECK_EQ(iopf_hardware_stats(pair.hardware)->answered, 1);
		CHECK_EQ(iopf_hardware_stats(pair.hardware)->dropped, 1);
	}
}

TEST(an_early_overflow_is_told_at_its_number_of_entries)
{
	amd_start_quirks(IOPF_AMD_PHYSICAL | IOPF_AMD_PPR_EARLY, 0);
	pair_set(AMD_PPR_EARLY, 8, AMD_EARLY_EN | 3);
	CHECK_EQ(amd_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(amd_post(2, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(amd_status() & AMD_PPR_IS_EARLY, 0);
	CHECK_EQ(amd_post(3, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(amd_status() & AMD_PPR_IS_EARLY, AMD_PPR_IS_EARLY);
	pair_set(AMD_STATUS, 8, AMD_PPR_IS_EARLY);
	CHECK_EQ(amd_status() & AMD_PPR_IS_EARLY, 0);
}

TEST(stop_markers_are_kept_out_where_software_wants_it)
{
	const struct iopf_request marker = { .rid = 0x310, .pasid = 7, .flags = IOPF_STOP };

	amd_start_quirks(IOPF_AMD_PHYSICAL | IOPF_AMD_BLKSTOP, 0);
	CHECK_EQ(iopf_hardware_post(pair.hardware, &marker), IOPF_POSTED);
	pair_set(AMD_CONTROL, 8, pair_reg(AMD_CONTROL, 8) | AMD_BLOCK_MARKER_EN);
	CHECK_EQ(iopf_hardware_post(pair.hardware, &marker), IOPF_POSTED_NOTHING);
	CHECK_EQ(poll(), 1);
}

/* Without the features there are no registers for them. */
TEST(what_is_not_verified_is_not_there_unless_it_is_asked_for)
{
	amd_start();
	CHECK_EQ(IOPF_AMD_PHYSICAL &
			 (IOPF_AMD_PPR_AUTO | IOPF_AMD_PPR_EARLY | IOPF_AMD_BLKSTOP), 0);
	pair_set(AMD_CONTROL, 8, pair_reg(AMD_CONTROL, 8) | AMD_PPR_AUTO_EN |
					 AMD_PPR_AUTO_ALWAYS | AMD_BLOCK_MARKER_EN);
	CHECK_EQ(pair_reg(AMD_CONTROL, 8), ON | AMD_PPR_INT_EN | AMD_EVT_INT_EN);
	pair_set(AMD_PPR_AUTO, 8, 15);
	pair_set(AMD_PPR_EARLY, 8, UINT32_MAX);
	CHECK_EQ(pair_reg(AMD_PPR_AUTO, 8) | pair_reg(AMD_PPR_EARLY, 8), 0);
}

/* ---- The event log -------------------------------------------------------------------- */

TEST(events_arrive_and_an_overflow_is_counted_and_over)
{
	amd_start();
	for (uint32_t i = 0; i < ROOM; i++)
		CHECK(amd_fault(i));
	CHECK(!amd_fault(ROOM));
	CHECK_EQ(pair.interrupts, 2); /* the first, and the overflow: an event's, too */
	CHECK_EQ(amd_status() & (AMD_EVT_OVERFLOW | AMD_EVT_RUN), AMD_EVT_OVERFLOW);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), ROOM);
	for (uint64_t i = 0; i < ROOM; i++)
		CHECK_EQ(faults[i].addr, i << 12);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->fault_overflows, 1);
	CHECK_EQ(amd_status() & (AMD_EVT_OVERFLOW | AMD_EVT_RUN), AMD_EVT_RUN);
	CHECK(amd_fault(1));
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
}

/* ---- The command buffer ---------------------------------------------------------------- */

/* 2.4.1: a store of 8 bytes. */
TEST(a_wait_is_done_when_its_store_is_there)
{
	uint64_t first, second;

	amd_start();
	memset(pair.bytes + STATUS_AT, 0xff, 16);
	first = wait_put();
	respond(1);
	second = wait_put();
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 2), 2);
	CHECK(iopf_driver_waited(pair.driver, first));
	CHECK(!iopf_driver_waited(pair.driver, second));
	CHECK_EQ(pair.bytes[STATUS_AT + 7], 0);
	CHECK_EQ(pair.bytes[STATUS_AT + 8], 0xff);
	iopf_hardware_run(pair.hardware, 1);
	CHECK(iopf_driver_waited(pair.driver, second));
}

TEST(the_buffer_wraps_at_every_slot_and_is_full_at_the_last)
{
	uint64_t done = 0;

	amd_start();
	for (uint32_t at = 0; at < 2 * SLOTS; at += 3) {
		for (uint32_t i = 0; i < ROOM; i++)
			respond(i);
		CHECK_EQ(iopf_driver_room(pair.driver), 0);
		done += drain();
		for (uint32_t i = 0; i < 4; i++)
			respond(i);
		done += drain();
		CHECK_EQ(pair.commands, done);
	}
}

/* 2.5.6: the buffer stops, and the event says where. */
TEST(a_command_that_cannot_be_stops_the_buffer_and_is_skipped)
{
	uint64_t wait;

	amd_start();
	respond(1);
	memset(pair.bytes + COMMANDS_AT + 16 * 2, 0xff, 16); /* behind those of start */
	respond(2);
	wait = wait_put();
	CHECK_EQ(iopf_driver_skip(pair.driver), -EINVAL);
	drain();
	CHECK_EQ(pair.commands, 0);
	CHECK_EQ(amd_status() & AMD_CMD_RUN, 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
	CHECK_EQ(IOPF_AMD_EVENT(faults[0].reason), IOPF_AMD_ILLEGAL_COMMAND_ERROR);
	CHECK_EQ(faults[0].gpa, COMMANDS_AT + 16 * 2);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	drain();
	CHECK_EQ(pair.commands, 3); /* a blank, the response, the wait */
	CHECK(iopf_driver_waited(pair.driver, wait));
}

static uint16_t stopped_by(uint32_t features, const struct iopf_command *command)
{
	amd_hardware(features, 0);
	pair_set(AMD_CMD_BASE, 8, COMMANDS_AT | UINT64_C(8) << 56);
	pair_set(AMD_EVT_BASE, 8, EVENTS_AT | UINT64_C(8) << 56);
	pair_set(AMD_CONTROL, 8, AMD_CMD_EN | AMD_EVT_LOG_EN | AMD_IOMMU_EN);
	CHECK_EQ(iopf_wire_amd.encode_command(command, 16, pair.bytes + COMMANDS_AT), 0);
	pair_set(AMD_CMD_TAIL, 8, 16);
	iopf_hardware_run(pair.hardware, 1);
	if (amd_status() & AMD_CMD_RUN)
		return 0;
	return (uint16_t)(pair.bytes[EVENTS_AT + 7] >> 4);
}

TEST(commands_of_features_that_are_not_there_are_illegal)
{
	const struct iopf_command all = { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
					  .granularity = IOPF_ALL,
					  .pasid = IOPF_PASID_NONE };
	const struct iopf_command response = pair_response(1);

	CHECK_EQ(stopped_by(IOPF_AMD_PHYSICAL, &all), 0);
	CHECK_EQ(stopped_by(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_IA, &all),
		 IOPF_AMD_ILLEGAL_COMMAND_ERROR);
	CHECK_EQ(stopped_by(IOPF_AMD_PHYSICAL, &response), 0);
	CHECK_EQ(stopped_by(IOPF_AMD_PHYSICAL & ~(uint32_t)IOPF_AMD_PPR, &response),
		 IOPF_AMD_ILLEGAL_COMMAND_ERROR);
}

TEST(a_silent_device_is_told_to_who_takes_events_first)
{
	amd_start();
	silent_rid = 0x310;
	invalidate(0x310);
	wait_put();
	drain();
	invalidate(0x310);
	wait_put();
	drain();
	/* The first, and nothing behind it before it was told. */
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), 0x310);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->timeouts, 2);
}

/* The event log says who it was; what else waits for it is taken back. */
TEST(a_device_that_does_not_answer_costs_one_wait_and_is_named)
{
	uint64_t before, given_up, behind;

	amd_start();
	silent_rid = 0x310;
	before = wait_put();
	invalidate(0x310);
	given_up = wait_put();
	drain();
	CHECK(iopf_driver_waited(pair.driver, before));
	CHECK(!iopf_driver_waited(pair.driver, given_up));
	invalidate(0x310);
	invalidate(0x400);
	behind = wait_put();
	pair.commands = 0;
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(pair.driver), 0x310);
	CHECK_EQ(iopf_driver_stats(pair.driver)->taken_back, 1);
	drain();
	CHECK_EQ(pair.commands, 3); /* a blank, the other's, the wait */
	CHECK(iopf_driver_waited(pair.driver, behind));
	/* It was told once; whoever takes events sees it as well. */
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
	CHECK_EQ(IOPF_AMD_EVENT(faults[0].reason), IOPF_AMD_IOTLB_INV_TIMEOUT);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->timeouts, 1);
}

/* ---- Registers ------------------------------------------------------------------------- */

TEST(where_a_log_lies_is_not_changed_while_it_is_on)
{
	static const uint32_t bases[] = { AMD_CMD_BASE, AMD_EVT_BASE, AMD_PPR_BASE };
	static const uint32_t ours[] = { AMD_CMD_HEAD, AMD_EVT_TAIL, AMD_PPR_TAIL };

	amd_start();
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t base = pair_reg(bases[i], 8), index = pair_reg(ours[i], 8);

		pair_set(bases[i], 8, base + PAGE);
		pair_set(ours[i], 8, index + 16);
		CHECK_EQ(pair_reg(bases[i], 8), base);
		CHECK_EQ(pair_reg(ours[i], 8), index);
	}
}

TEST(indices_beyond_a_log_do_no_harm)
{
	amd_start();
	pair_set(AMD_PPR_HEAD, 8, UINT64_MAX);
	CHECK_EQ(pair_reg(AMD_PPR_HEAD, 8), AMD_QUEUE_INDEX);
	for (uint32_t i = 0; i < 3 * SLOTS; i++)
		amd_post(i, IOPF_LAST);
	pair_set(AMD_CMD_TAIL, 8, UINT64_MAX);
	iopf_hardware_run(pair.hardware, 4 * SLOTS);
	CHECK(poll() <= ROOM);
}

int main(void)
{
	return test_main();
}
