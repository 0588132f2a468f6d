/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's driver end: up and down, requests, overflow, events. */
#include "test.h"

#include "queue_smmuv3_driver.h"

static struct iopf_request requests[2 * REQUESTS];
static struct iopf_fault faults[2 * EVENTS];

/* ---- Up and down -------------------------------------------------------------------- */

TEST(start_turns_everything_on_and_forgets_what_was_cached)
{
	smmu_driver_start();
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), SMMU_ON | SMMUV3_ATSCHK);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4) & SMMUV3_GBPA_ABORT, SMMUV3_GBPA_ABORT);
	CHECK_EQ(pair_reg(SMMUV3_STRTAB_BASE, 8), ROOT_AT);
	CHECK_EQ(pair_reg(SMMUV3_STRTAB_BASE_CFG, 4), 6);
	CHECK_EQ(pair_reg(SMMUV3_CMDQ_BASE, 8), COMMANDS_AT | 8);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_BASE, 8), SMMU_EVENTS_AT | 7);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_BASE, 8), REQUESTS_AT | 8);
	CHECK_EQ(pair_reg(SMMUV3_IRQ_CTRL, 4), 7);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_IRQ_CFG0, 8), INTERRUPT_ADDR);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_IRQ_CFG0 + 8, 4), INTERRUPT_DATA);
	CHECK_EQ(pair_reg(SMMUV3_GERROR_IRQ_CFG0, 8), INTERRUPT_ADDR);
	CHECK_EQ(smmu_stats()->commands, 3); /* CFGI_ALL, TLBI_NSNH_ALL, SYNC */
	CHECK_EQ(pair.on, 1);
	CHECK_EQ(iopf_driver_stall_max(pair.driver), SMMU_STALLS);
	CHECK_EQ(smmu_stats()->bad_accesses, 0);
}

/* Nobody is let in before the caches are empty, and nothing at all while it goes. */
TEST(streams_are_let_in_last)
{
	struct iopf_driver_options options = smmu_driver_options();

	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	CHECK_EQ(smmu_driver_create(&options), 0);
	CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), SMMUV3_CMDQEN);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4) & SMMUV3_GBPA_ABORT, SMMUV3_GBPA_ABORT);
	iopf_hardware_run(pair.hardware, 2);
	CHECK_EQ(iopf_driver_start(pair.driver), -EAGAIN);
	CHECK_EQ(pair.on, 0);
	iopf_hardware_run(pair.hardware, 1);
	CHECK_EQ(iopf_driver_start(pair.driver), 0);
	CHECK_EQ(pair.on, 1);
}

TEST(without_an_interrupt_address_nothing_interrupts)
{
	struct iopf_driver_options options = smmu_driver_options();

	options.interrupt_addr = 0;
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	CHECK_EQ(smmu_driver_create(&options), 0);
	CHECK_EQ(smmu_driver_run(iopf_driver_start), 0);
	smmu_post(1, IOPF_LAST);
	smmu_fault(1, true);
	CHECK_EQ(pair.interrupts, 0);
}

TEST(what_an_earlier_driver_left_is_cleared)
{
	struct iopf_driver_options options = smmu_driver_options();
	uint8_t junk[16];

	smmu_start();
	for (uint32_t i = 0; i < SMMU_REQUESTS + 1; i++)
		smmu_post(i, IOPF_LAST);
	for (uint32_t i = 0; i < SMMU_EVENTS + 1; i++)
		smmu_fault(i, false);
	memset(junk, 0xff, sizeof(junk));
	memcpy(smmu_slot(), junk, sizeof(junk));
	iopf_hardware_run(pair.hardware, 4);
	CHECK_EQ(smmu_errors(), SMMUV3_CMDQ_ERR);
	CHECK_EQ(smmu_driver_create(&options), 0);
	CHECK_EQ(smmu_driver_run(iopf_driver_start), 0);
	CHECK_EQ(smmu_errors(), 0);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 0);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 8), 0);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK(smmu_fault(1, false));
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 1);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 8), 1);
}

TEST(stop_lets_responses_out_and_keeps_streams_shut)
{
	struct iopf_command command = pair_response(5);

	smmu_driver_start();
	smmu_post(1, IOPF_LAST);
	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
	CHECK_EQ(iopf_driver_stop(pair.driver), -EAGAIN);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), SMMU_ON | SMMUV3_ATSCHK);
	CHECK_EQ(smmu_driver_run(iopf_driver_stop), 0);
	CHECK_EQ(pair.commands, 1);
	CHECK_EQ(pair.command.index, command.index);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), 0);
	CHECK_EQ(pair_reg(SMMUV3_IRQ_CTRL, 4), 0);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4) & SMMUV3_GBPA_ABORT, SMMUV3_GBPA_ABORT);
	CHECK_EQ(pair.off, 1);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 0);
	CHECK_EQ(smmu_driver_run(iopf_driver_start), 0);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 0);
	CHECK_EQ(smmu_post(2, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 1);
}

/* ---- What there has to be ------------------------------------------------------------ */

static int start_with(uint32_t features, uint32_t stalls, uint32_t index, uint32_t clear,
		      uint32_t set)
{
	struct iopf_driver_options options = smmu_driver_options();
	struct iopf_hardware_options hardware = smmu_options(features);

	CHECK_EQ(iopf_smmuv3_identification(features, 16, 20, stalls, hardware.idr), 0);
	hardware.idr[index] = (hardware.idr[index] & ~clear) | set;
	smmu_create(&hardware);
	CHECK_EQ(smmu_driver_create(&options), 0);
	return smmu_driver_run(iopf_driver_start);
}

TEST(an_smmu_that_lacks_what_paging_needs_is_not_started)
{
	const uint32_t all = IOPF_SMMUV3_PHYSICAL;
	const uint32_t pri = IOPF_SMMUV3_PRI | IOPF_SMMUV3_ATS | IOPF_SMMUV3_NS1ATS;

	CHECK_EQ(start_with(all, 64, 0, 0, 0), 0);
	/* Page requests or stalls: one is enough. */
	CHECK_EQ(start_with(all & ~pri, 64, 0, 0, 0), 0);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), SMMU_ON & ~SMMUV3_PRIQEN);
	CHECK_EQ(start_with(all, 0, 0, 0, 0), 0);
	CHECK_EQ(iopf_driver_stall_max(pair.driver), 0);
	CHECK_EQ(start_with(all & ~pri, 0, 0, 0, 0), -EOPNOTSUPP);
	/* STALL_MODEL 1 does not stall whatever STALL_MAX says. */
	CHECK_EQ(start_with(all, 64, 0, 0, 1 << 24), 0);
	CHECK_EQ(iopf_driver_stall_max(pair.driver), 0);
	CHECK_EQ(start_with(all & ~(uint32_t)IOPF_SMMUV3_MSI, 64, 0, 0, 0), -EOPNOTSUPP);
	CHECK_EQ(start_with(all, 64, 0, 3, 0), -EOPNOTSUPP);       /* no stage */
	CHECK_EQ(start_with(all, 64, 0, 3 << 2, 1 << 2), -EOPNOTSUPP); /* AArch32 */
	/* Queues of 2^8, 2^7 and 2^8 entries, a table of 2^6 streams. */
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 21, 7 << 21), -EOPNOTSUPP);
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 21, 8 << 21), 0);
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 16, 6 << 16), -EOPNOTSUPP);
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 16, 7 << 16), 0);
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 11, 7 << 11), -EOPNOTSUPP);
	CHECK_EQ(start_with(all, 64, 1, 0x1f << 11, 8 << 11), 0);
	CHECK_EQ(start_with(all, 64, 1, 0x3f, 5), -EOPNOTSUPP);
	CHECK_EQ(start_with(all, 64, 1, 0x3f, 6), 0);
}

TEST(options_that_cannot_be_are_refused)
{
	struct iopf_driver_options options = smmu_driver_options();

	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	options.command_bytes = 32;
	CHECK_EQ(smmu_driver_create(&options), -EINVAL);
	options = smmu_driver_options();
	options.event_order = 8;
	CHECK_EQ(smmu_driver_create(&options), -EINVAL);
	options = smmu_driver_options();
	options.event_addr = 0x800;
	CHECK_EQ(smmu_driver_create(&options), -EINVAL);
	options = smmu_driver_options();
	options.event_addr = PAIR_PAGES * PAGE;
	CHECK_EQ(smmu_driver_create(&options), -EFAULT);
	/* An address of 0 would be no message. */
	options = smmu_driver_options();
	options.status_addr = 0;
	CHECK_EQ(smmu_driver_create(&options), -EINVAL);
	/* Hardware cuts a base down to a multiple of the queue's size. */
	options = smmu_driver_options();
	options.request_addr = 0x3000;
	options.request_order = 1;
	CHECK_EQ(smmu_driver_create(&options), -EINVAL);
	options.request_addr = 0x4000;
	CHECK_EQ(smmu_driver_create(&options), 0);
}

/* ---- Requests ------------------------------------------------------------------------ */

static uint32_t take(uint64_t *next, uint32_t max)
{
	int count = iopf_driver_poll(pair.driver, requests, max);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		struct iopf_request wanted = pair_request(*next, IOPF_LAST);

		CHECK(memcmp(&requests[i], &wanted, sizeof(wanted)) == 0);
		++*next;
	}
	return (uint32_t)count;
}

/* Every slot is used; the wrap bit tells full from empty. */
TEST(the_queue_of_requests_wraps_at_every_slot)
{
	uint64_t posted = 0, taken = 0;

	smmu_driver_start();
	for (uint32_t start = 0; start < 2 * REQUESTS; start += 5) {
		for (uint32_t i = 0; i < REQUESTS; i++)
			CHECK_EQ(smmu_post(posted++, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(take(&taken, 2 * REQUESTS), REQUESTS);
		CHECK_EQ(take(&taken, 2 * REQUESTS), 0);
		CHECK_EQ(pair_reg(SMMUV3_PRIQ_CONS, 4), posted % (2 * REQUESTS));
		for (uint32_t i = 0; i < 5; i++)
			CHECK_EQ(smmu_post(posted++, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(take(&taken, 2), 2);
		CHECK_EQ(take(&taken, 8), 3);
	}
	CHECK_EQ(smmu_driver_stats()->requests, posted);
	CHECK_EQ(smmu_driver_stats()->overflows, 0);
}

/* O1, O2: what is in the queue comes first, in order; then the overflow is told until it
 * is acknowledged; then service goes on. */
TEST(an_overflow_is_acknowledged_when_the_queue_is_empty)
{
	uint64_t taken = 0;
	uint32_t count;
	bool lost;

	for (uint32_t round = 0; round < 3; round++) {
		if (round == 0)
			smmu_driver_start();
		taken = 0;
		for (uint32_t i = 0; i < REQUESTS; i++)
			CHECK_EQ(smmu_post(i, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(smmu_post(REQUESTS, IOPF_LAST), IOPF_POSTED_SUCCESS);
		CHECK_EQ(take(&taken, 100), 100);
		/* Room does not help: nothing comes in before. */
		CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED_SUCCESS);
		CHECK_EQ(iopf_driver_recover(pair.driver), -EAGAIN);
		CHECK_EQ(iopf_driver_backlog(pair.driver, &count, &lost), 0);
		CHECK(lost && count == REQUESTS - 100);
		CHECK_EQ(take(&taken, 2 * REQUESTS), REQUESTS - 100);
		CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), -EOVERFLOW);
		CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), -EOVERFLOW);
		CHECK_EQ(smmu_post(1, 0), IOPF_POSTED_NOTHING);
		CHECK_EQ(iopf_driver_recover(pair.driver), 0);
		CHECK_EQ(smmu_driver_stats()->overflows, round + 1);
		CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 0);
		CHECK_EQ(iopf_driver_recover(pair.driver), 0);
		CHECK_EQ(iopf_driver_backlog(pair.driver, &count, &lost), 0);
		CHECK(!lost && count == 0);
		CHECK_EQ(smmu_post(7, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 1);
		CHECK_EQ(smmu_driver_stats()->overflows, round + 1);
	}
}

TEST(reserved_bits_of_a_request_are_counted_and_it_is_served)
{
	smmu_driver_start();
	smmu_post(3, IOPF_LAST);
	pair.bytes[REQUESTS_AT + 7] |= 0x02; /* bit 57 */
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 1);
	CHECK_EQ(requests[0].addr, 3 << 12);
	CHECK_EQ(smmu_driver_stats()->reserved_bits, 1);
}

/* ---- Events -------------------------------------------------------------------------- */

TEST(events_come_out_oldest_first_and_stalls_become_requests)
{
	struct iopf_request request;
	uint32_t count;

	smmu_driver_start();
	for (uint32_t i = 0; i < 10; i++)
		CHECK(smmu_fault(i, i % 2 == 0));
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, INTERRUPT_ADDR);
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), 0);
	CHECK_EQ(count, 10);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 4), 4);
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), 0);
	CHECK_EQ(count, 6);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults + 4, EVENTS), 6);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, EVENTS), 0);
	for (uint32_t i = 0; i < 10; i++) {
		CHECK_EQ(faults[i].addr, (uint64_t)i << 12);
		CHECK_EQ(faults[i].stall, i % 2 == 0);
	}
	request = iopf_request_from_fault(&faults[4]);
	CHECK_EQ(request.index, 4);
	CHECK_EQ(request.flags, IOPF_LAST | IOPF_STALL);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_CONS, 4), 10);
	CHECK_EQ(smmu_driver_stats()->faults, 10);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 0), -EINVAL);
}

/* 7.4: what is lost has no stall; acknowledged with the first that are taken. */
TEST(an_overflow_of_events_loses_no_stall)
{
	uint32_t taken = 0;

	smmu_driver_start();
	for (uint32_t i = 0; i < EVENTS; i++)
		CHECK(smmu_fault(i, i % 2 == 0));
	CHECK(!smmu_fault(EVENTS, true)); /* waits; no overflow */
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 1), 1);
	CHECK_EQ(smmu_driver_stats()->fault_overflows, 0);
	CHECK(smmu_fault(EVENTS, true));
	CHECK(!smmu_fault(1, false));
	CHECK(!smmu_fault(2, false));
	/* The flag is seen with the next look at the queue. */
	while (taken < EVENTS) {
		int count = iopf_driver_poll_faults(pair.driver, faults, 50);

		CHECK(count > 0);
		taken += (uint32_t)count;
	}
	CHECK_EQ(taken, EVENTS);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 50), 0);
	CHECK_EQ(smmu_driver_stats()->fault_overflows, 1);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_CONS, 4) & SMMUV3_QUEUE_OVERFLOW,
		 SMMUV3_QUEUE_OVERFLOW);
	/* The next one is seen, too, whatever way its flag turns. */
	for (uint32_t i = 0; i <= EVENTS; i++)
		smmu_fault(i, false);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 2 * EVENTS), EVENTS);
	CHECK_EQ(smmu_driver_stats()->fault_overflows, 2);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_PROD, 4), pair_reg(SMMUV3_EVENTQ_CONS, 4));
}

TEST(requests_and_events_do_not_share_their_flags)
{
	uint32_t count;
	bool lost;

	smmu_driver_start();
	for (uint32_t i = 0; i <= EVENTS; i++)
		smmu_fault(i, false);
	CHECK_EQ(iopf_driver_backlog(pair.driver, &count, &lost), 0);
	CHECK(!lost && count == 0);
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), 0);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 2 * EVENTS), EVENTS);
	CHECK_EQ(smmu_driver_stats()->overflows, 0);
	CHECK_EQ(smmu_driver_stats()->fault_overflows, 1);
}

int main(void)
{
	return test_main();
}
