/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests cross the queue once, in order; overflow loses no order. */
#include "test.h"

#include "queue_pair.h"

enum { SLOTS = 128, USABLE = SLOTS - 1 };

static struct iopf_request got[4 * SLOTS];

/* Take everything; each has to be the next. */
static uint32_t take(uint64_t *next, uint32_t max)
{
	int count = iopf_driver_poll(pair.driver, got, max);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		struct iopf_request wanted = pair_request(*next, IOPF_LAST);

		CHECK_EQ(got[i].addr, wanted.addr);
		CHECK_EQ(got[i].rid, wanted.rid);
		CHECK_EQ(got[i].pasid, wanted.pasid);
		CHECK_EQ(got[i].index, wanted.index);
		CHECK_EQ(got[i].perm, IOPF_READ);
		CHECK_EQ(got[i].flags, IOPF_LAST);
		++*next;
	}
	return (uint32_t)count;
}

TEST(the_ring_wraps_at_every_slot)
{
	uint64_t posted = 0, taken = 0;

	pair_start();
	for (uint32_t start = 0; start < SLOTS; start++) {
		for (uint32_t i = 0; i < USABLE; i++)
			CHECK_EQ(pair_post(posted++), IOPF_POSTED);
		CHECK_EQ(take(&taken, SLOTS), USABLE);
		CHECK_EQ(take(&taken, SLOTS), 0);
		CHECK_EQ(pair_reg(VTD_PQH, 8), pair_reg(VTD_PQT, 8));
		CHECK_EQ(pair_reg(VTD_PQH, 8), posted % SLOTS * 32);
		/* USABLE is odd to SLOTS: the next round begins one slot earlier. */
	}
	CHECK_EQ(taken, (uint64_t)USABLE * SLOTS);
	CHECK_EQ(iopf_driver_stats(pair.driver)->requests, taken);
}

TEST(the_biggest_queue_works_too)
{
	static uint64_t posted, taken;
	struct iopf_driver_options options = pair_driver_options(32);

	options.request_order = 2;
	pair_start_with(&options);
	posted = taken = 0;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 4 * SLOTS - 1; i++)
			CHECK_EQ(pair_post(posted++), IOPF_POSTED);
		CHECK_EQ(pair_post(posted), IOPF_POSTED_SUCCESS);
		CHECK_EQ(take(&taken, 4 * SLOTS), 4 * SLOTS - 1);
		CHECK_EQ(iopf_driver_poll(pair.driver, got, 1), -EOVERFLOW);
		CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	}
}

TEST(poll_takes_no_more_than_it_was_given_room_for)
{
	uint64_t posted = 0, taken = 0;

	pair_start();
	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(pair_post(posted++), IOPF_POSTED);
	CHECK_EQ(take(&taken, 30), 30);
	CHECK_EQ(pair_reg(VTD_PQH, 8), 30 * 32);
	CHECK_EQ(take(&taken, 70), 70);
	CHECK_EQ(take(&taken, 1), 0);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 0), -EINVAL);
}

TEST(full_is_one_slot_unused_and_the_last_is_answered_by_hardware)
{
	struct iopf_request part = pair_request(500, 0);
	struct iopf_request stop = { .pasid = 7, .rid = 0x310, .flags = IOPF_STOP };

	pair_start();
	for (uint32_t i = 0; i < USABLE; i++)
		CHECK_EQ(pair_post(i), IOPF_POSTED);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PPR);
	/* A stop marker that finds no room is dropped and says nothing (SMS). */
	CHECK_EQ(iopf_hardware_post(pair.hardware, &stop), IOPF_POSTED_NOTHING);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PPR);
	CHECK_EQ(iopf_hardware_post(pair.hardware, &part), IOPF_POSTED_NOTHING);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PPR | VTD_PRS_PRO);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), VTD_FSTS_PRO);
	CHECK_EQ(pair_post(501), IOPF_POSTED_SUCCESS);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->overflows, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->dropped, 2);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->answered, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->posted, USABLE);
}

TEST(while_the_overflow_stands_nothing_comes_in_even_with_room)
{
	uint64_t taken = 0;

	pair_start();
	for (uint32_t i = 0; i <= USABLE; i++)
		pair_post(i);
	CHECK_EQ(take(&taken, 100), 100);
	CHECK_EQ(pair_post(1), IOPF_POSTED_SUCCESS);
	CHECK_EQ(iopf_driver_recover(pair.driver), -EAGAIN);
	CHECK_EQ(take(&taken, 100), USABLE - 100);
	CHECK_EQ(pair_post(1), IOPF_POSTED_SUCCESS);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), -EOVERFLOW);
	/* Not acknowledged: nothing changes, and it is told again. */
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), -EOVERFLOW);
	CHECK_EQ(pair_post(1), IOPF_POSTED_SUCCESS);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	CHECK_EQ(pair_reg(VTD_PRS, 4) & VTD_PRS_PRO, 0);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), 0);
	/* Service resumes. */
	CHECK_EQ(pair_post(USABLE), IOPF_POSTED);
	taken = USABLE;
	CHECK_EQ(take(&taken, 8), 1);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, 1);
}

TEST(overflow_is_recovered_also_where_it_stands_in_an_empty_queue)
{
	uint64_t taken = 0;

	pair_start();
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	for (uint32_t i = 0; i <= USABLE; i++)
		pair_post(i);
	CHECK_EQ(take(&taken, SLOTS), USABLE);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 0);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, 1);
}

TEST(an_interrupt_comes_with_the_first_flag_only)
{
	uint64_t taken = 0;

	pair_start();
	CHECK_EQ(pair_post(0), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, INTERRUPT_ADDR);
	CHECK_EQ(pair.interrupt_data, INTERRUPT_DATA);
	/* Pending already: none. */
	CHECK_EQ(pair_post(1), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	/* Cleared, then again. */
	CHECK_EQ(take(&taken, 8), 2);
	CHECK_EQ(pair_reg(VTD_PRS, 4), 0);
	CHECK_EQ(pair_post(2), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
	/* Overflow beside pending: none. */
	for (uint32_t i = 3; i < 3 + SLOTS; i++)
		pair_post(i);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PPR | VTD_PRS_PRO);
	CHECK_EQ(pair.interrupts, 2);
	/* Overflow alone: one. */
	CHECK_EQ(take(&taken, SLOTS), USABLE);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	for (uint32_t i = 0; i < USABLE; i++)
		pair_post(taken + i);
	CHECK_EQ(pair.interrupts, 3);
	pair_set(VTD_PRS, 4, VTD_PRS_PPR);
	pair_post(0);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PRO);
	CHECK_EQ(pair.interrupts, 4);
}

TEST(a_masked_interrupt_is_pending_until_unmasked_or_served)
{
	pair_start();
	pair_set(VTD_PECTL, 4, VTD_EVENT_IM);
	pair_post(0);
	CHECK_EQ(pair.interrupts, 0);
	CHECK_EQ(pair_reg(VTD_PECTL, 4), VTD_EVENT_IM | VTD_EVENT_IP);
	/* IP is not software's to write. */
	pair_set(VTD_PECTL, 4, VTD_EVENT_IM);
	CHECK_EQ(pair_reg(VTD_PECTL, 4), VTD_EVENT_IM | VTD_EVENT_IP);
	pair_set(VTD_PECTL, 4, 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair_reg(VTD_PECTL, 4), 0);
	/* Served while masked: nothing is left to deliver. */
	pair_set(VTD_PECTL, 4, VTD_EVENT_IM);
	pair_set(VTD_PRS, 4, VTD_PRS_PPR);
	pair_post(1);
	CHECK_EQ(pair_reg(VTD_PECTL, 4), VTD_EVENT_IM | VTD_EVENT_IP);
	pair_set(VTD_PRS, 4, VTD_PRS_PPR);
	CHECK_EQ(pair_reg(VTD_PECTL, 4), VTD_EVENT_IM);
	pair_set(VTD_PECTL, 4, 0);
	CHECK_EQ(pair.interrupts, 1);
}

TEST(a_request_between_clearing_and_reading_is_not_lost)
{
	uint64_t taken = 0;

	pair_start();
	pair_post(0);
	/* The driver clears pending; a request comes; the driver reads the tail. */
	pair_set(VTD_PRS, 4, VTD_PRS_PPR);
	pair_post(1);
	CHECK_EQ(pair.interrupts, 2);
	CHECK_EQ(take(&taken, 8), 2);
}

TEST(reserved_bits_are_counted_and_other_records_passed_over)
{
	uint64_t taken = 0;

	pair_start();
	for (uint64_t n = 0; n < 3; n++)
		CHECK_EQ(pair_post(n), IOPF_POSTED);
	pair.bytes[REQUESTS_AT + 7] |= 0x80;      /* the first: a reserved bit */
	pair.bytes[REQUESTS_AT + 32] = 0x7e;      /* the second: no such type */
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 2);
	CHECK_EQ(got[0].addr, pair_request(0, 0).addr);
	CHECK_EQ(got[1].addr, pair_request(2, 0).addr);
	CHECK_EQ(iopf_driver_stats(pair.driver)->reserved_bits, 1);
	CHECK_EQ(iopf_driver_stats(pair.driver)->undecodable, 1);
	CHECK_EQ(take(&taken, 8), 0);
	CHECK_EQ(pair_reg(VTD_PQH, 8), 3 * 32);
}

TEST(a_queue_of_nonsense_ends)
{
	pair_start();
	for (uint64_t n = 0; n < USABLE; n++)
		CHECK_EQ(pair_post(n), IOPF_POSTED);
	memset(pair.bytes + REQUESTS_AT, 0xff, PAGE);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->undecodable, USABLE);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 0);
}

TEST(a_head_that_software_moves_anywhere_is_harmless)
{
	static const uint64_t heads[] = { 0, 32, 31, 4096, 0x7ffe0, UINT64_MAX, 64 };

	pair_start();
	for (uint64_t n = 0; n < 10000; n++) {
		int posted = pair_post(n);

		CHECK(posted == IOPF_POSTED || posted == IOPF_POSTED_SUCCESS);
		CHECK(pair_reg(VTD_PQT, 8) < PAGE);
		pair_set(VTD_PQH, 8, heads[n % (sizeof(heads) / sizeof(heads[0]))]);
		if (n % 17 == 0)
			pair_set(VTD_PRS, 4, VTD_PRS_PRO);
	}
}

TEST(a_queue_that_is_nowhere_is_told_and_counted)
{
	pair_start();
	pair_set(VTD_PQA, 8, UINT64_C(0xffffff000000));
	CHECK_EQ(pair_post(0), -EFAULT);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_addresses, 1);
	pair_set(VTD_PQA, 8, (uint64_t)(PAIR_PAGES - 1) * PAGE | 7);
	pair_set(VTD_PQT, 8, 4096);
	CHECK_EQ(pair_post(0), -EFAULT);
	pair_set(VTD_PQA, 8, 0);
	CHECK_EQ(pair_post(0), -ENXIO);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->posted, 0);
}

TEST(a_queue_that_shrinks_while_it_is_used_wraps_its_indices)
{
	pair_start();
	pair_set(VTD_PQA, 8, REQUESTS_AT | 2);
	for (uint64_t n = 0; n < 300; n++)
		CHECK_EQ(pair_post(n), IOPF_POSTED);
	pair_set(VTD_PQA, 8, REQUESTS_AT);
	CHECK_EQ(pair.change, IOPF_QUEUE_REBASED);
	for (uint64_t n = 0; n < 1000; n++)
		CHECK(pair_post(n) >= 0);
	CHECK(pair_reg(VTD_PQT, 8) < PAGE);
	CHECK_EQ(pair.bytes[REQUESTS_AT + PAGE * 2 + 600 * 16], 0);
}

int main(void)
{
	return test_main();
}
