/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests enter SMMUv3's PRI queue, or are answered by it. */
#include "test.h"

#include "queue_smmuv3.h"

static uint64_t prod(void)
{
	return pair_reg(SMMUV3_PRIQ_PROD, 4);
}

/* Software takes everything and acknowledges an overflow, in one write. */
static uint32_t take_all(uint64_t *next)
{
	uint32_t from = (uint32_t)pair_reg(SMMUV3_PRIQ_CONS, 4) & smmu_index_mask;
	uint32_t to = (uint32_t)prod() & smmu_index_mask, count = 0;

	for (; from != to; from = (from + 1) % (2 * SMMU_REQUESTS), count++) {
		struct iopf_request got, wanted = pair_request(*next, IOPF_LAST);
		bool reserved;

		CHECK_EQ(iopf_wire_smmuv3.decode_request(
				 pair.bytes + REQUESTS_AT + from % SMMU_REQUESTS * 16,
				 &got, &reserved), 0);
		CHECK_EQ(got.addr, wanted.addr);
		CHECK_EQ(got.pasid, wanted.pasid);
		CHECK_EQ(got.index, wanted.index);
		CHECK_EQ(got.flags, IOPF_LAST);
		++*next;
	}
	pair_set(SMMUV3_PRIQ_CONS, 4, prod());
	return count;
}

static void fill(void)
{
	for (uint64_t n = 0; n < SMMU_REQUESTS; n++)
		CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED);
}

TEST(the_ring_wraps_at_every_slot_and_all_slots_are_used)
{
	uint64_t posted = 0, taken = 0;

	smmu_start();
	for (uint32_t round = 0; round < 4 * SMMU_REQUESTS; round++) {
		for (uint32_t i = 0; i < SMMU_REQUESTS; i++)
			CHECK_EQ(smmu_post(posted++, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(take_all(&taken), SMMU_REQUESTS);
		/* One of its own, so that the next round begins elsewhere. */
		CHECK_EQ(smmu_post(posted++, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(take_all(&taken), 1);
		CHECK_EQ(prod(), posted % (2 * SMMU_REQUESTS));
	}
	CHECK_EQ(smmu_stats()->posted, posted);
	CHECK_EQ(smmu_stats()->overflows, 0);
}

TEST(a_queue_of_one_entry_works_too)
{
	uint64_t n;

	smmu_start();
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_PRIQ_BASE, 8, REQUESTS_AT);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	for (n = 0; n < 5; n++) {
		CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(prod(), (n + 1) % 2);
		CHECK_EQ(pair.bytes[REQUESTS_AT + 8], n);
		pair_set(SMMUV3_PRIQ_CONS, 4, prod());
	}
	CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED_SUCCESS);
}

/* Arm IHI 0070, 8.1: what arrives at a full queue, each as the first to do so. */
TEST(what_finds_the_queue_full_begins_an_overflow)
{
	static const struct {
		uint8_t flags;
		int posted;
	} rows[] = {
		{ 0, IOPF_POSTED_NOTHING },
		{ IOPF_LAST, IOPF_POSTED_SUCCESS },
		{ IOPF_STOP, IOPF_POSTED_NOTHING },
	};

	for (unsigned i = 0; i < 3; i++) {
		smmu_start();
		fill();
		CHECK_EQ(prod(), SMMU_REQUESTS);
		if (rows[i].flags == IOPF_STOP)
			CHECK_EQ(smmu_stop_marker(), rows[i].posted);
		else
			CHECK_EQ(smmu_post(99, rows[i].flags), rows[i].posted);
		CHECK_EQ(prod(), SMMU_REQUESTS | SMMUV3_QUEUE_OVERFLOW);
		CHECK_EQ(smmu_stats()->overflows, 1);
		CHECK_EQ(smmu_stats()->answered, rows[i].flags == IOPF_LAST);
		CHECK_EQ(smmu_stats()->dropped, rows[i].flags != IOPF_LAST);
		CHECK_EQ(smmu_errors(), 0);
	}
}

TEST(while_the_overflow_stands_nothing_comes_in_even_with_room)
{
	uint64_t taken = 0;

	smmu_start();
	fill();
	CHECK_EQ(smmu_post(99, IOPF_LAST), IOPF_POSTED_SUCCESS);
	/* Space, but no acknowledgement: the flag of CONS is still the old one. */
	pair_set(SMMUV3_PRIQ_CONS, 4, SMMU_REQUESTS / 2);
	CHECK_EQ(smmu_post(99, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(smmu_post(99, 0), IOPF_POSTED_NOTHING);
	CHECK_EQ(smmu_stop_marker(), IOPF_POSTED_NOTHING);
	pair_set(SMMUV3_PRIQ_CONS, 4, SMMU_REQUESTS);
	CHECK_EQ(smmu_post(99, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(smmu_stats()->overflows, 1);
	CHECK_EQ(prod(), SMMU_REQUESTS | SMMUV3_QUEUE_OVERFLOW);
	/* Acknowledged: service resumes, and the flag stays as it is. */
	pair_set(SMMUV3_PRIQ_CONS, 4, SMMU_REQUESTS | SMMUV3_QUEUE_OVERFLOW);
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(prod(), (SMMU_REQUESTS + 1) | SMMUV3_QUEUE_OVERFLOW);
	CHECK_EQ(take_all(&taken), 1);
	/* The next one toggles it back. */
	for (uint64_t n = 1; n <= SMMU_REQUESTS; n++)
		CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(smmu_post(99, 0), IOPF_POSTED_NOTHING);
	CHECK_EQ(prod() & SMMUV3_QUEUE_OVERFLOW, 0);
	CHECK_EQ(take_all(&taken), SMMU_REQUESTS);
	CHECK_EQ(smmu_post(taken, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(smmu_stats()->overflows, 2);
}

/* 8.2: off, and SMMUEN off means off, or broken: every request is answered. */
TEST(a_queue_that_is_off_answers_response_failure)
{
	static const uint32_t off[] = {
		SMMU_ON & ~(uint32_t)SMMUV3_PRIQEN,
		SMMU_ON & ~(uint32_t)SMMUV3_SMMUEN,
		0,
	};

	for (unsigned i = 0; i < 3; i++) {
		smmu_start();
		pair_set(SMMUV3_CR0, 4, off[i]);
		CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
		CHECK_EQ(smmu_post(1, 0), IOPF_POSTED_FAILURE);
		CHECK_EQ(smmu_stop_marker(), IOPF_POSTED_NOTHING);
		CHECK_EQ(smmu_stats()->refused, 2);
		CHECK_EQ(smmu_stats()->dropped, 1);
		CHECK_EQ(prod(), 0);
		CHECK_EQ(pair_reg(SMMUV3_CR0ACK, 4), off[i]);
		pair_set(SMMUV3_CR0, 4, SMMU_ON);
		CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED);
	}
}

TEST(a_write_that_is_aborted_is_answered_and_told)
{
	smmu_start();
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_PRIQ_BASE, 8, UINT64_C(0xffffff000000) | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK_EQ(smmu_errors(), SMMUV3_PRIQ_ABT_ERR);
	CHECK_EQ(smmu_stats()->bad_addresses, 1);
	CHECK_EQ(prod(), 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_data, SMMU_ERROR_DATA);
	/* Until that is acknowledged nothing is tried. */
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	pair_set(SMMUV3_PRIQ_BASE, 8, REQUESTS_AT | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(smmu_post(1, 0), IOPF_POSTED_FAILURE);
	CHECK_EQ(smmu_stop_marker(), IOPF_POSTED_NOTHING);
	CHECK_EQ(smmu_stats()->bad_addresses, 1);
	smmu_acknowledge();
	CHECK_EQ(smmu_post(1, 0), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
	CHECK_EQ(pair.interrupt_data, SMMU_REQUEST_DATA);
}

TEST(a_stop_marker_that_is_aborted_is_not_answered)
{
	smmu_start();
	pair_set(SMMUV3_CR0, 4, 0);
	pair_set(SMMUV3_PRIQ_BASE, 8, UINT64_C(0xffffff000000) | 3);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(smmu_stop_marker(), IOPF_POSTED_NOTHING);
	CHECK_EQ(smmu_errors(), SMMUV3_PRIQ_ABT_ERR);
}

TEST(an_interrupt_comes_when_an_empty_queue_gets_something)
{
	uint64_t taken = 0;

	smmu_start();
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, INTERRUPT_ADDR);
	CHECK_EQ(pair.interrupt_data, SMMU_REQUEST_DATA);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED);
	/* One of two taken: not empty, so none. */
	pair_set(SMMUV3_PRIQ_CONS, 4, 1);
	CHECK_EQ(smmu_post(2, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	taken = 1;
	CHECK_EQ(take_all(&taken), 2);
	CHECK_EQ(smmu_post(3, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
	CHECK_EQ(take_all(&taken), 1);
	/* Off: none, and none later for what came meanwhile. */
	pair_set(SMMUV3_IRQ_CTRL, 4, SMMUV3_EVENTQ_IRQEN | SMMUV3_GERROR_IRQEN);
	CHECK_EQ(smmu_post(4, IOPF_LAST), IOPF_POSTED);
	pair_set(SMMUV3_IRQ_CTRL, 4, 7);
	CHECK_EQ(pair.interrupts, 2);
}

TEST(an_interrupt_may_come_for_last_messages_only)
{
	smmu_start();
	pair_set(SMMUV3_IRQ_CTRL, 4, 0);
	pair_set(SMMUV3_PRIQ_IRQ_CFG2, 4, SMMUV3_PRIQ_LO);
	pair_set(SMMUV3_IRQ_CTRL, 4, 7);
	CHECK_EQ(smmu_post(0, 0), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 0);
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
	CHECK_EQ(smmu_stop_marker(), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 3);
	for (uint64_t n = 4; n < SMMU_REQUESTS; n++)
		CHECK_EQ(smmu_post(n, 0), IOPF_POSTED);
	/* Also for one that is lost in an overflow, and for that reason alone. */
	CHECK_EQ(smmu_post(9, 0), IOPF_POSTED_NOTHING);
	CHECK_EQ(pair.interrupts, 3);
	CHECK_EQ(smmu_post(9, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(pair.interrupts, 4);
	pair_set(SMMUV3_CR0, 4, 0);
	CHECK_EQ(smmu_post(9, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK_EQ(pair.interrupts, 4);
}

TEST(without_a_message_a_wire_is_pulled)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL & ~IOPF_SMMUV3_MSI);
	smmu_queues();
	pair_set(SMMUV3_IRQ_CTRL, 4, 7);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	pair.interrupt_data = 99;
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, 0);
	CHECK_EQ(pair.interrupt_data, IOPF_SMMUV3_LINE_PRIQ);
	CHECK(smmu_fault(1, false));
	CHECK_EQ(pair.interrupt_data, IOPF_SMMUV3_LINE_EVENTQ);
	pair_set(SMMUV3_CMDQ_PROD, 4, 1);
	iopf_hardware_run(pair.hardware, 1);
	CHECK_EQ(pair.interrupt_data, IOPF_SMMUV3_LINE_GERROR);
	CHECK_EQ(pair.interrupts, 3);
}

TEST(indices_that_cannot_be_are_a_full_queue)
{
	smmu_start();
	pair_set(SMMUV3_PRIQ_CONS, 4, 1); /* behind it: 15 of 8 entries used */
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(prod(), SMMUV3_QUEUE_OVERFLOW);
	/* Bits above the size of the queue do not count. */
	pair_set(SMMUV3_PRIQ_CONS, 4, UINT32_C(0xfff0) | SMMUV3_QUEUE_OVERFLOW);
	CHECK_EQ(smmu_post(0, IOPF_LAST), IOPF_POSTED);
}

/* "SMMU_PRIQ_BASE": no more entries than IDR1 says, aligned to the size. */
TEST(bases_are_aligned_and_sizes_cut)
{
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);

	options.idr[1] = (options.idr[1] & ~(UINT32_C(0x1f) << 11)) | 4 << 11;
	smmu_create(&options);
	pair_set(SMMUV3_PRIQ_BASE, 8, (REQUESTS_AT + 0xe0) | 31);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_BASE, 8), (REQUESTS_AT + 0xe0) | 31);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	for (uint64_t n = 0; n < 16; n++)
		CHECK_EQ(smmu_post(n, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(smmu_post(16, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(pair.bytes[REQUESTS_AT + 15 * 16 + 8], 15);
	CHECK_EQ(pair.bytes[REQUESTS_AT + 16 * 16 + 8], 0);
}

TEST(values_that_do_not_fit_are_refused)
{
	struct iopf_request request = pair_request(1, IOPF_LAST);

	smmu_start();
	request.index = 512;
	CHECK_EQ(iopf_hardware_post(pair.hardware, &request), -ERANGE);
	CHECK_EQ(prod(), 0);
}

int main(void)
{
	return test_main();
}
