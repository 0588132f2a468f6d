/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: commands are done once, in order; errors, waits and time-outs. */
#include "test.h"

#include "queue_pair.h"

enum { SLOTS = 128, USABLE = SLOTS - 1 };

static void submit(uint64_t n)
{
	struct iopf_command command = pair_response(n);

	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
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

static int kinds_seen[IOPF_COMMAND_KIND_COUNT];

static int note_kind(void *context, const struct iopf_command *command)
{
	(void)context;
	kinds_seen[command->kind] += command->granularity == IOPF_ALL;
	return 0;
}

TEST(caches_are_empty_before_translation_begins)
{
	static const struct iopf_hardware_ops ops = {
		note_kind, pair_interrupt, pair_root, pair_translation, pair_change,
	};
	struct iopf_driver_options options = pair_driver_options(32);

	pair_hardware_ops(IOPF_VTD_PHYSICAL, &ops);
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	/* Hardware does not run: the steps stand before the switch. */
	for (int i = 0; i < 5; i++)
		CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP | VTD_QIE);
	iopf_hardware_run(pair.hardware, 9);
	CHECK_EQ(kinds_seen[IOPF_COMMAND_INVALIDATE_CONTEXT], 1);
	CHECK_EQ(kinds_seen[IOPF_COMMAND_INVALIDATE_PASID], 1);
	CHECK_EQ(kinds_seen[IOPF_COMMAND_INVALIDATE_IOTLB], 1);
	CHECK_EQ(iopf_driver_start(pair.driver), 0);
	CHECK(iopf_hardware_translates(pair.hardware));
}

TEST(start_and_stop_go_through_every_step)
{
	pair_start();
	CHECK_EQ(pair.roots, 1);
	CHECK_EQ(pair.on, 1);
	CHECK_EQ(pair.changes, 1);
	CHECK_EQ(iopf_hardware_root(pair.hardware), ROOT_AT | VTD_RTADDR_SCALABLE);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_TE | VTD_SRTP | VTD_QIE);
	CHECK_EQ(pair_reg(VTD_IQA, 8), COMMANDS_AT | VTD_IQA_DW);
	submit(1);
	CHECK_EQ(iopf_driver_stop(pair.driver), -EAGAIN);
	CHECK(!iopf_hardware_translates(pair.hardware));
	iopf_hardware_run(pair.hardware, 4);
	check_command(1);
	CHECK_EQ(iopf_driver_stop(pair.driver), 0);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), VTD_SRTP);
	CHECK_EQ(pair_reg(VTD_PQA, 8), 0);
	CHECK_EQ(pair.change, IOPF_QUEUE_DISABLED);
	/* And again, over what was left. */
	CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	iopf_hardware_run(pair.hardware, 4);
	CHECK_EQ(iopf_driver_start(pair.driver), 0);
	CHECK_EQ(pair_post(0), IOPF_POSTED);
	/* And over a driver that died with everything on. */
	submit(1);
	CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 4);
	CHECK_EQ(iopf_driver_start(pair.driver), 0);
	CHECK_EQ(pair_reg(VTD_IQT, 8), 4 * 32);
}

TEST(an_iommu_without_page_requests_is_refused)
{
	struct iopf_driver_options options = pair_driver_options(32);

	pair_hardware((uint32_t)IOPF_VTD_PHYSICAL & ~(uint32_t)IOPF_VTD_PRS);
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	CHECK_EQ(iopf_driver_start(pair.driver), -EOPNOTSUPP);
	CHECK_EQ(pair_reg(VTD_GSTS, 4), 0);
}

TEST(options_that_cannot_be_right_are_refused)
{
	struct iopf_driver_options options = pair_driver_options(32);
	struct iopf_driver *driver = NULL;
	void *memory = pair.driver_bytes;
	size_t size_bytes = sizeof(pair.driver_bytes);

	pair_hardware(IOPF_VTD_PHYSICAL);
	CHECK_EQ(iopf_driver_create(&options, memory, 8, &driver), -ENOSPC);
	options.command_bytes = 64;
	CHECK_EQ(iopf_driver_create(&options, memory, size_bytes, &driver), -EINVAL);
	options.command_bytes = 0;
	CHECK_EQ(iopf_driver_create(&options, memory, size_bytes, &driver), -EINVAL);
	options = pair_driver_options(32);
	options.request_order = 8;
	CHECK_EQ(iopf_driver_create(&options, memory, size_bytes, &driver), -EINVAL);
	options = pair_driver_options(32);
	options.command_addr = (PAIR_PAGES - 1) * PAGE;
	options.command_order = 1;
	CHECK_EQ(iopf_driver_create(&options, memory, size_bytes, &driver), -EFAULT);
	CHECK(driver == NULL);
}

TEST(the_command_ring_wraps_at_every_slot)
{
	uint64_t submitted = 0, done = 0;

	pair_start();
	for (uint32_t start = 0; start < SLOTS; start++) {
		for (uint32_t i = 0; i < USABLE; i++)
			submit(submitted++);
		CHECK_EQ(iopf_driver_room(pair.driver), 0);
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		while (iopf_hardware_run(pair.hardware, 1) == 1)
			check_command(done++);
		CHECK_EQ(done, submitted);
		CHECK_EQ(iopf_driver_room(pair.driver), USABLE);
	}
	CHECK_EQ(pair.commands, (uint64_t)USABLE * SLOTS);
}

TEST(short_descriptors_wrap_too)
{
	struct iopf_driver_options options = pair_driver_options(16);
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
					.granularity = IOPF_DOMAIN };

	pair_start_with(&options);
	for (uint32_t i = 0; i < 1000; i++) {
		command.domain = (uint16_t)i;
		CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
		CHECK_EQ(pair.command.domain, i);
	}
}

TEST(a_full_queue_says_so_and_nothing_is_seen_before_the_kick)
{
	struct iopf_command command = pair_response(0);
	uint64_t wait;
	uint32_t before;

	pair_start();
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	for (uint32_t i = 0; iopf_driver_room(pair.driver) > 0; i++)
		submit(i);
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), -EAGAIN);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), -EAGAIN);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 999), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	before = pair.accesses;
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(pair.accesses, before);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 2), 2);
	CHECK_EQ(iopf_driver_room(pair.driver), 2);
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
}

TEST(all_room_is_seen_though_some_was_left)
{
	pair_start();
	for (uint32_t i = 0; i + 1 < USABLE; i++)
		submit(i);
	CHECK_EQ(iopf_driver_room(pair.driver), 1);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, USABLE), USABLE - 1);
	CHECK_EQ(iopf_driver_room(pair.driver), USABLE);
}

TEST(values_that_do_not_fit_are_refused_and_take_no_slot)
{
	struct iopf_command command = pair_response(1);
	uint32_t room;

	pair_start();
	room = iopf_driver_room(pair.driver);
	command.rid = 0x10000;
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), -ERANGE);
	command = (struct iopf_command){ .kind = IOPF_COMMAND_OTHER };
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), -EOPNOTSUPP);
	CHECK_EQ(iopf_driver_room(pair.driver), room);
}

TEST(a_wait_is_done_after_all_that_stands_before_it)
{
	uint64_t first, second;

	pair_start();
	submit(1);
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_DRAIN, &first), 0);
	submit(2);
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_FENCE, &second), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 1), 1);
	CHECK(!iopf_driver_waited(pair.driver, first));
	CHECK_EQ(iopf_hardware_run(pair.hardware, 1), 1);
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_WAIT);
	CHECK_EQ(pair.command.wait_flags, IOPF_WAIT_DRAIN | IOPF_WAIT_STATUS);
	CHECK(iopf_driver_waited(pair.driver, first));
	CHECK(!iopf_driver_waited(pair.driver, second));
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 2);
	CHECK(iopf_driver_waited(pair.driver, second));
	CHECK(iopf_driver_waited(pair.driver, first));
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_STATUS, &first), -EINVAL);
}

TEST(a_status_that_could_not_be_is_not_believed)
{
	uint64_t wait;

	pair_start();
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	memset(pair.bytes + STATUS_AT, 0xff, 4);
	CHECK(!iopf_driver_waited(pair.driver, wait));
	memset(pair.bytes + STATUS_AT, 0, 4);
	CHECK(!iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_driver_stats(pair.driver)->bad_indices, 2);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK(iopf_driver_waited(pair.driver, wait));
}

TEST(a_wait_can_interrupt)
{
	uint64_t wait;

	pair_start();
	pair_set(VTD_IEDATA, 4, 0x42);
	pair_set(VTD_IECTL, 4, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_INTERRUPT, &wait), 0);
		CHECK_EQ(iopf_driver_kick(pair.driver), 0);
		CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	}
	CHECK_EQ(pair_reg(VTD_ICS, 4), VTD_ICS_IWC);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, 0x42);
	pair_set(VTD_ICS, 4, VTD_ICS_IWC);
	CHECK_EQ(pair_reg(VTD_ICS, 4), 0);
}

TEST(a_command_that_holds_the_queue_up_is_read_once_and_asked_again)
{
	pair_start();
	submit(1);
	submit(2);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -EAGAIN;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	check_command(1);
	/* Whatever software makes of the bytes now: they were copied. */
	memset(pair.bytes + COMMANDS_AT + 4 * 32, 0xff, 32);
	pair.command_result = 0;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 1), 1);
	check_command(1);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	check_command(2);
	CHECK_EQ(pair.commands, 2);
}

TEST(a_queue_that_is_switched_off_forgets_the_command_in_hand)
{
	pair_start();
	submit(1);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -EAGAIN;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	pair_set(VTD_GCMD, 4, VTD_TE);
	pair.command_result = 0;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	pair_set(VTD_IQT, 8, 0);
	pair_set(VTD_GCMD, 4, VTD_TE | VTD_QIE);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(pair.commands, 0);
}

/* What a command sets off may reach software at once: it switches the queue off and on
 * again, with other commands in it. */
static int switch_off(void *context, const struct iopf_command *seen)
{
	(void)context;
	if (seen->kind != IOPF_COMMAND_RESPONSE || seen->rid != 0xdead)
		return 0;
	pair_set(VTD_GCMD, 4, VTD_TE);
	pair_set(VTD_IQT, 8, 0);
	pair_set(VTD_GCMD, 4, VTD_TE | VTD_QIE);
	return 0;
}

TEST(a_command_may_switch_the_queue_off_under_itself)
{
	static const struct iopf_hardware_ops ops = {
		switch_off, pair_interrupt, pair_root, pair_translation, pair_change,
	};
	struct iopf_driver_options options = pair_driver_options(32);

	pair_start_ops(&options, &ops);
	submit(0xdead);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(pair_reg(VTD_IQH, 8), 0);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), 0);
}

TEST(a_malformed_command_stops_the_queue_until_it_is_skipped)
{
	uint64_t wait;

	pair_start();
	pair_set(VTD_FECTL, 4, 0);
	CHECK_EQ(iopf_driver_skip(pair.driver), -EINVAL);
	submit(1);
	submit(2);
	submit(3);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	memset(pair.bytes + COMMANDS_AT + 5 * 32, 0xff, 32);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK_EQ(pair_reg(VTD_IQH, 8), 5 * 32);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->queue_errors, 1);
	/* Cleared, and the same bytes still there: it stops again. */
	pair_set(VTD_FSTS, 4, VTD_FSTS_IQE);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->queue_errors, 2);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 3);
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
}

TEST(a_command_that_its_owner_cannot_do_stops_the_queue)
{
	pair_start();
	submit(1);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	pair.command_result = -ENOENT;
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
}

TEST(more_pages_than_the_iommu_says_are_no_command)
{
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					.granularity = IOPF_PAGE,
					.domain = 1,
					.pasid = 5,
					.size_bytes = UINT64_C(4096) << 18 };

	pair_start();
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	command.size_bytes *= 2;
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
}

TEST(a_queue_that_stops_at_nothing_costs_no_command)
{
	pair_start();
	pair_set(VTD_IQT, 8, VTD_IQ_INDEX);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	submit(7);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
	CHECK_EQ(pair.command.kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(pair.command.rid, 7);
}

TEST(indices_bases_and_addresses_out_of_range_stop_the_queue)
{
	static const struct {
		uint32_t offset;
		uint64_t value;
	} rows[] = {
		{ VTD_IQT, 4096 },              /* beyond the queue */
		{ VTD_IQT, 0x7fff0 },
		{ VTD_IQT, 5 * 32 + 16 },       /* half a descriptor */
		{ VTD_IQA, UINT64_C(0x7ffffffff000) | VTD_IQA_DW },
		{ VTD_IQA, ((PAIR_PAGES - 1) * PAGE) | VTD_IQA_DW | 7 },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pair_start();
		/* The base with 128 KiB begins in memory and ends outside. */
		for (int n = 0; n < 100; n++) {
			submit(0);
			CHECK_EQ(iopf_driver_kick(pair.driver), 0);
			CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 1);
		}
		pair_set(VTD_IQT, 8, 127 * 32);
		pair_set(rows[i].offset, 8, rows[i].value);
		if (i == 4) /* 104 slots in, the memory ends at slot 128 */
			pair_set(VTD_IQT, 8, 200 * 32);
		while (iopf_hardware_run(pair.hardware, 9) > 0)
			continue;
		CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_IQE);
	}
}

TEST(a_status_address_that_is_nowhere_stops_the_queue)
{
	struct iopf_command wait = { .kind = IOPF_COMMAND_WAIT,
				     .wait_flags = IOPF_WAIT_STATUS,
				     .status_addr = UINT64_C(0xfffffffffffffffc) };

	pair_start();
	CHECK_EQ(iopf_driver_submit(pair.driver, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_IQE);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_addresses, 1);
}

TEST(a_drain_is_reserved_where_the_iommu_cannot)
{
	struct iopf_driver_options options = pair_driver_options(32);
	uint64_t wait;

	pair_hardware((uint32_t)IOPF_VTD_PHYSICAL & ~(uint32_t)IOPF_VTD_PDS);
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	while (iopf_driver_start(pair.driver) == -EAGAIN)
		iopf_hardware_run(pair.hardware, 9);
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_DRAIN, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	CHECK_EQ(iopf_hardware_run(pair.hardware, 9), 0);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_IQE);
}

int main(void)
{
	return test_main();
}
