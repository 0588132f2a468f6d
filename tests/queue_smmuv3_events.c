/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's event queue loses events when it has to, but never a stall. */
#include "test.h"

#include "queue_smmuv3.h"

static uint64_t prod(void)
{
	return pair_reg(SMMUV3_EVENTQ_PROD, 4);
}

static uint32_t take_all(uint32_t *next, bool stall)
{
	uint32_t from = (uint32_t)pair_reg(SMMUV3_EVENTQ_CONS, 4) & smmu_index_mask;
	uint32_t to = (uint32_t)prod() & smmu_index_mask, count = 0;

	for (; from != to; from = (from + 1) % (2 * SMMU_EVENTS), count++) {
		struct iopf_fault got;
		bool reserved;

		CHECK_EQ(iopf_wire_smmuv3.decode_fault(
				 pair.bytes + SMMU_EVENTS_AT + from % SMMU_EVENTS * 32,
				 &got, &reserved), 0);
		CHECK_EQ(got.addr, (uint64_t)*next << 12);
		CHECK_EQ(got.rid, 0x40);
		CHECK_EQ(got.pasid, 7);
		CHECK_EQ(got.stall, stall);
		CHECK_EQ(got.index, stall ? *next : 0);
		++*next;
	}
	pair_set(SMMUV3_EVENTQ_CONS, 4, prod());
	return count;
}

static void fill(void)
{
	for (uint32_t n = 0; n < SMMU_EVENTS; n++)
		CHECK(smmu_fault(n, false));
}

TEST(the_ring_wraps_at_every_slot_and_all_slots_are_used)
{
	uint32_t recorded = 0, taken = 0;

	smmu_start();
	for (uint32_t round = 0; round < 4 * SMMU_EVENTS; round++) {
		for (uint32_t i = 0; i < SMMU_EVENTS; i++)
			CHECK(smmu_fault(recorded++, true));
		CHECK_EQ(take_all(&taken, true), SMMU_EVENTS);
		CHECK(smmu_fault(recorded++, true));
		CHECK_EQ(take_all(&taken, true), 1);
		CHECK_EQ(prod(), recorded % (2 * SMMU_EVENTS));
	}
	CHECK_EQ(smmu_stats()->faults, recorded);
	CHECK_EQ(smmu_stats()->waited_faults, 0);
}

TEST(an_event_that_finds_no_room_is_lost_and_flagged)
{
	uint32_t taken = 0;

	smmu_start();
	fill();
	CHECK_EQ(prod(), SMMU_EVENTS);
	CHECK(!smmu_fault(90, false));
	CHECK_EQ(prod(), SMMU_EVENTS | SMMUV3_QUEUE_OVERFLOW);
	CHECK(!smmu_fault(91, false));
	CHECK_EQ(prod(), SMMU_EVENTS | SMMUV3_QUEUE_OVERFLOW);
	CHECK_EQ(smmu_stats()->overflows, 1);
	CHECK_EQ(smmu_stats()->lost_faults, 2);
	CHECK_EQ(take_all(&taken, false), SMMU_EVENTS);
	/* The next toggles it back. */
	for (uint32_t n = 0; n < SMMU_EVENTS; n++)
		CHECK(smmu_fault(taken + n, false));
	CHECK(!smmu_fault(92, false));
	CHECK_EQ(prod() & SMMUV3_QUEUE_OVERFLOW, 0);
	CHECK_EQ(smmu_stats()->overflows, 2);
}

TEST(a_stall_that_finds_no_room_waits_and_flags_nothing)
{
	uint32_t taken = 0;

	smmu_start();
	for (uint32_t n = 0; n < SMMU_EVENTS; n++)
		CHECK(smmu_fault(n, true));
	for (uint32_t i = 0; i < 5; i++)
		CHECK(!smmu_fault(SMMU_EVENTS, true));
	CHECK_EQ(prod(), SMMU_EVENTS);
	CHECK_EQ(smmu_stats()->waited_faults, 5);
	CHECK_EQ(smmu_stats()->lost_faults, 0);
	CHECK_EQ(smmu_stats()->overflows, 0);
	/* One entry is enough. */
	pair_set(SMMUV3_EVENTQ_CONS, 4, 1);
	taken = 1;
	CHECK(smmu_fault(SMMU_EVENTS, true));
	CHECK(!smmu_fault(99, true));
	CHECK_EQ(take_all(&taken, true), SMMU_EVENTS);
}

/* 7.4: "Event queue overflow": unlike page requests, events go on. */
TEST(an_overflow_that_stands_keeps_nothing_out)
{
	smmu_start();
	fill();
	CHECK(!smmu_fault(90, false));
	pair_set(SMMUV3_EVENTQ_CONS, 4, 2);
	CHECK(smmu_fault(8, false));
	CHECK(smmu_fault(9, true));
	CHECK_EQ(prod(), (SMMU_EVENTS + 2) | SMMUV3_QUEUE_OVERFLOW);
	/* A second loss cannot be flagged. */
	CHECK(!smmu_fault(90, false));
	CHECK_EQ(prod(), (SMMU_EVENTS + 2) | SMMUV3_QUEUE_OVERFLOW);
	CHECK_EQ(smmu_stats()->overflows, 1);
	CHECK_EQ(smmu_stats()->lost_faults, 2);
}

TEST(while_the_queue_is_off_stalls_wait_and_others_are_lost_unflagged)
{
	uint32_t taken = 5;

	smmu_start();
	pair_set(SMMUV3_CR0, 4, SMMU_ON & ~(uint32_t)SMMUV3_EVENTQEN);
	CHECK(!smmu_fault(4, false));
	CHECK(!smmu_fault(5, true));
	CHECK_EQ(prod(), 0);
	CHECK_EQ(smmu_stats()->lost_faults, 1);
	CHECK_EQ(smmu_stats()->waited_faults, 1);
	CHECK_EQ(smmu_stats()->overflows, 0);
	/* The queue needs no translation to be on. */
	pair_set(SMMUV3_CR0, 4, SMMUV3_EVENTQEN);
	CHECK(smmu_fault(5, true));
	CHECK_EQ(take_all(&taken, true), 1);
}

TEST(what_stands_in_a_queue_outlives_its_switch)
{
	uint32_t taken = 0;

	smmu_start();
	CHECK(smmu_fault(0, true));
	pair_set(SMMUV3_CR0, 4, 0);
	CHECK_EQ(prod(), 1);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(smmu_fault(1, true));
	CHECK_EQ(take_all(&taken, true), 2);
	/* Software that begins anew says so, while it is off. */
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_EVENTQ_PROD, 4, 0);
	pair_set(SMMUV3_EVENTQ_CONS, 4, 0);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	taken = 7;
	CHECK(smmu_fault(7, true));
	CHECK_EQ(prod(), 1);
	CHECK_EQ(take_all(&taken, true), 1);
}

TEST(a_write_that_is_aborted_is_told_and_loses_no_stall)
{
	uint32_t taken = 2;

	smmu_start();
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_EVENTQ_BASE, 8, UINT64_C(0xffffff000000) | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(!smmu_fault(1, false));
	CHECK_EQ(smmu_errors(), SMMUV3_EVENTQ_ABT_ERR);
	CHECK_EQ(prod(), 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, SMMU_ERROR_DATA);
	/* No second try, no second interrupt, no overflow. */
	CHECK(!smmu_fault(2, true));
	CHECK(!smmu_fault(3, false));
	CHECK_EQ(smmu_stats()->bad_addresses, 1);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(smmu_stats()->overflows, 0);
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_EVENTQ_BASE, 8, SMMU_EVENTS_AT | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(!smmu_fault(2, true));
	smmu_acknowledge();
	CHECK(smmu_fault(2, true));
	CHECK_EQ(take_all(&taken, true), 1);
	/* The other way round next time. */
	CHECK_EQ(pair_reg(SMMUV3_GERROR, 4), SMMUV3_EVENTQ_ABT_ERR);
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_EVENTQ_BASE, 8, UINT64_C(0xffffff000000) | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(!smmu_fault(3, true));
	CHECK_EQ(pair_reg(SMMUV3_GERROR, 4), 0);
	CHECK_EQ(smmu_errors(), SMMUV3_EVENTQ_ABT_ERR);
}

TEST(an_interrupt_comes_when_an_empty_queue_gets_something)
{
	uint32_t taken = 0;

	smmu_start();
	CHECK(smmu_fault(0, false));
	CHECK(smmu_fault(1, false));
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, SMMU_EVENT_DATA);
	CHECK_EQ(take_all(&taken, false), 2);
	CHECK(smmu_fault(2, true));
	CHECK_EQ(pair.interrupts, 2);
	CHECK_EQ(take_all(&taken, true), 1);
	pair_set(SMMUV3_IRQ_CTRL, 4, SMMUV3_PRIQ_IRQEN);
	CHECK(smmu_fault(3, false));
	CHECK_EQ(pair.interrupts, 2);
}

TEST(who_asks_is_told_how_much_room_there_is)
{
	uint32_t room = 99, size = 99;

	smmu_start();
	for (uint32_t n = 0; n <= SMMU_EVENTS; n++) {
		CHECK(iopf_hardware_fault_room(pair.hardware, &room, &size));
		CHECK_EQ(size, SMMU_EVENTS);
		CHECK_EQ(room, SMMU_EVENTS - n);
		CHECK_EQ(smmu_fault(n, true), n < SMMU_EVENTS);
	}
	/* An overflow that stands takes no room. */
	CHECK(!smmu_fault(9, false));
	pair_set(SMMUV3_EVENTQ_CONS, 4, 3);
	CHECK(iopf_hardware_fault_room(pair.hardware, &room, &size));
	CHECK_EQ(room, 3);
	pair_set(SMMUV3_EVENTQ_CONS, 4, SMMU_EVENTS + 1);
	CHECK(iopf_hardware_fault_room(pair.hardware, &room, &size));
	CHECK_EQ(room, 0);
	/* Off, or broken. */
	room = 77;
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	CHECK(!iopf_hardware_fault_room(pair.hardware, &room, &size));
	pair_set(SMMUV3_EVENTQ_BASE, 8, UINT64_C(0xffffff000000) | 3);
	pair_set(SMMUV3_EVENTQ_CONS, 4, SMMU_EVENTS);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK(!smmu_fault(9, true));
	CHECK(!iopf_hardware_fault_room(pair.hardware, &room, &size));
	CHECK_EQ(room, 77);
	/* VT-d has registers. */
	pair_hardware(IOPF_VTD_PHYSICAL);
	CHECK(!iopf_hardware_fault_room(pair.hardware, &room, &size));
}

TEST(indices_that_cannot_be_are_a_full_queue)
{
	smmu_start();
	pair_set(SMMUV3_EVENTQ_CONS, 4, 3);
	CHECK(!smmu_fault(0, true));
	CHECK_EQ(prod(), 0);
	CHECK(!smmu_fault(0, false));
	CHECK_EQ(prod(), SMMUV3_QUEUE_OVERFLOW);
}

TEST(a_fault_that_has_no_record_is_not_told)
{
	struct iopf_fault fault = { .rid = 1, .pasid = IOPF_PASID_NONE, .reason = 0xee };

	smmu_start();
	CHECK(!iopf_hardware_fault(pair.hardware, &fault));
	CHECK_EQ(smmu_stats()->lost_faults, 1);
	CHECK_EQ(prod(), 0);
}

int main(void)
{
	return test_main();
}
