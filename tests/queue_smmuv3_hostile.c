/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's hardware end outlives software that writes anything anywhere. */
#include "test.h"

#include "queue_smmuv3.h"

static uint64_t seed = 1;

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&seed) % of);
}

/* Numbers that are often small, huge, or nearly right. */
static uint64_t nonsense(void)
{
	switch (chance(5)) {
	case 0:
		return chance(64);
	case 1:
		return UINT64_MAX << chance(64);
	case 2:
		return UINT64_C(1) << chance(64);
	case 3:
		return SMMUV3_QUEUE_OVERFLOW | chance(32);
	default:
		return test_random(&seed);
	}
}

static const struct {
	uint32_t offset, width;
	uint64_t likely; /* so that deeper places are reached */
} places[] = {
	{ SMMUV3_CR0, 4, SMMU_ON },
	{ SMMUV3_CR1, 4, 0 },
	{ SMMUV3_CR2, 4, 0 },
	{ SMMUV3_GBPA, 4, SMMUV3_GBPA_UPDATE },
	{ SMMUV3_IRQ_CTRL, 4, 7 },
	{ SMMUV3_GERRORN, 4, 0 },
	{ SMMUV3_GERROR_IRQ_CFG0, 8, INTERRUPT_ADDR },
	{ SMMUV3_STRTAB_BASE, 8, ROOT_AT },
	{ SMMUV3_STRTAB_BASE_CFG, 4, 6 },
	{ SMMUV3_CMDQ_BASE, 8, COMMANDS_AT | 4 },
	{ SMMUV3_CMDQ_PROD, 4, 5 },
	{ SMMUV3_CMDQ_CONS, 4, 0 },
	{ SMMUV3_EVENTQ_BASE, 8, SMMU_EVENTS_AT | 3 },
	{ SMMUV3_EVENTQ_PROD, 4, 0 },
	{ SMMUV3_EVENTQ_CONS, 4, 0 },
	{ SMMUV3_PRIQ_BASE, 8, REQUESTS_AT | 3 },
	{ SMMUV3_PRIQ_IRQ_CFG2, 4, SMMUV3_PRIQ_LO },
	{ SMMUV3_PRIQ_PROD, 4, 0 },
	{ SMMUV3_PRIQ_CONS, 4, 0 },
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void anything(void)
{
	uint32_t i = chance(PLACES), offset = places[i].offset;
	uint64_t value = nonsense();

	if (chance(2) == 0)
		value = places[i].likely;
	if (chance(16) == 0)
		offset = chance(SMMUV3_PAGES_BYTES + 64);
	iopf_hardware_write(pair.hardware, offset, chance(3) == 0 ? 8 : places[i].width,
			    value);
	if (chance(64) == 0)
		pair_set(SMMUV3_GERRORN, 4, pair_reg(SMMUV3_GERROR, 4));
}

static void garble(void)
{
	static const uint8_t opcodes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11,
					   0x12, 0x13, 0x28, 0x2a, 0x30, 0x40, 0x41, 0x44,
					   0x45, 0x46, 0x46, 0x46 };
	uint8_t *at = pair.bytes + COMMANDS_AT + chance(2 * PAGE / 16) * 16;

	memset(at, 0, 16);
	at[0] = opcodes[chance(sizeof(opcodes))];
	if (chance(2) == 0)
		at[1 + chance(15)] ^= (uint8_t)nonsense();
}

static void check_posted(int posted)
{
	CHECK(posted == IOPF_POSTED || posted == IOPF_POSTED_SUCCESS ||
	      posted == IOPF_POSTED_NOTHING || posted == IOPF_POSTED_FAILURE);
}

static const int results[] = { 0, 0, 0, 0, -EAGAIN, -ETIMEDOUT, -ENOENT };

TEST(hardware_survives_software_that_does_anything)
{
	const struct iopf_hardware_stats *stats;

	smmu_start();
	for (uint32_t step = 0; step < 1000000; step++) {
		anything();
		garble();
		pair.command_result = results[chance(7)];
		CHECK(iopf_hardware_run(pair.hardware, 16) <= 16);
		check_posted(smmu_post(step, step % 4 == 0 ? IOPF_LAST : 0));
		check_posted(smmu_stop_marker());
		smmu_fault(step & 0xffff, step % 3 == 0);
		CHECK_EQ(pair_reg(SMMUV3_CR0ACK, 4), pair_reg(SMMUV3_CR0, 4));
	}
	stats = smmu_stats();
	CHECK(stats->queue_errors > 1000);
	CHECK(stats->commands > 1000);
	CHECK(stats->posted > 1000);
	CHECK(stats->answered > 100);
	CHECK(stats->dropped > 100);
	CHECK(stats->refused > 1000);
	CHECK(stats->overflows > 100);
	CHECK(stats->bad_addresses > 100);
	CHECK(stats->bad_accesses > 1000);
	CHECK(stats->timeouts > 10);
	CHECK(stats->aborted_waits > 10);
	CHECK(stats->faults > 1000);
	CHECK(stats->lost_faults > 1000);
	CHECK(stats->waited_faults > 1000);
}

/* Sizes and indices as they like, but where the queues lie is right: nothing is written
 * beyond the biggest that is allowed. */
TEST(nothing_is_written_outside_of_the_queues)
{
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);
	/* One page each: 256 requests, 128 events. */
	options.idr[1] = 4 << 21 | 7 << 16 | 8 << 11 | 16;
	smmu_create(&options);
	for (uint32_t step = 0; step < 200000; step++) {
		pair_set(SMMUV3_CR0, 4, chance(32));
		pair_set(SMMUV3_EVENTQ_BASE, 8, SMMU_EVENTS_AT | chance(4096));
		pair_set(SMMUV3_PRIQ_BASE, 8, REQUESTS_AT | chance(4096));
		pair_set(SMMUV3_EVENTQ_PROD, 8, nonsense());
		pair_set(SMMUV3_PRIQ_PROD, 8, nonsense());
		pair_set(SMMUV3_CR0, 4, SMMU_ON);
		for (uint32_t i = 0; i < 4; i++) {
			check_posted(smmu_post(step, IOPF_LAST));
			smmu_fault(step & 0xffff, false);
		}
		smmu_acknowledge();
	}
	CHECK(smmu_stats()->posted > 10000);
	CHECK(smmu_stats()->faults > 10000);
	CHECK_EQ(smmu_stats()->bad_addresses, 0);
	for (uint32_t at = 0; at < sizeof(pair.bytes); at++) {
		if ((at < REQUESTS_AT || at >= REQUESTS_AT + PAGE) &&
		    (at < SMMU_EVENTS_AT || at >= SMMU_EVENTS_AT + PAGE))
			CHECK_EQ(pair.bytes[at], 0);
	}
}

/* A stall is never lost, whatever the queue goes through, and flags no overflow: it comes
 * out once, in order, when software is sane again. */
TEST(stalls_come_out_once_and_in_order)
{
	static const uint64_t bases[] = { SMMU_EVENTS_AT | 3, UINT64_C(0xffffff000000),
					  SMMU_EVENTS_AT | 3, SMMU_EVENTS_AT | 3 };
	uint32_t next = 0, taken = 0;

	smmu_start();
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t from, to;

		/* Off, anywhere, and on again: the indices go on where the place is right. */
		pair_set(SMMUV3_CR0, 4, chance(2) == 0 ? SMMU_ON : SMMUV3_SMMUEN);
		pair_set(SMMUV3_EVENTQ_BASE, 8, bases[chance(4)]);
		if (chance(4) != 0)
			pair_set(SMMUV3_CR0, 4, SMMU_ON);
		if (chance(4) == 0)
			smmu_acknowledge();
		for (uint32_t i = chance(6); i > 0; i--)
			next += smmu_fault(next & 0xffff, true);
		from = (uint32_t)pair_reg(SMMUV3_EVENTQ_CONS, 4);
		to = (uint32_t)pair_reg(SMMUV3_EVENTQ_PROD, 4);
		CHECK_EQ(to & SMMUV3_QUEUE_OVERFLOW, 0);
		for (; from != to && chance(4) != 0; from = (from + 1) % (2 * SMMU_EVENTS)) {
			struct iopf_fault got;
			bool reserved;

			CHECK_EQ(iopf_wire_smmuv3.decode_fault(
					 pair.bytes + SMMU_EVENTS_AT +
						 from % SMMU_EVENTS * 32,
					 &got, &reserved), 0);
			CHECK_EQ(got.index, taken & 0xffff);
			taken++;
		}
		pair_set(SMMUV3_EVENTQ_CONS, 4, from);
	}
	CHECK(taken > 100000);
	CHECK(next - taken <= SMMU_EVENTS);
	CHECK_EQ(smmu_stats()->faults, next);
	CHECK_EQ(smmu_stats()->lost_faults, 0);
	CHECK_EQ(smmu_stats()->overflows, 0);
	CHECK(smmu_stats()->waited_faults > 10000);
}

int main(void)
{
	return test_main();
}
