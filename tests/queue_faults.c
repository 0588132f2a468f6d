/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: VT-d's faults come out of the recording registers, oldest first. */
#include "test.h"

#include "queue_pair.h"

enum { REGISTERS = 8 };

static struct iopf_fault faults[2 * REGISTERS];

static struct iopf_fault fault(uint32_t n)
{
	return (struct iopf_fault){
		.addr = (uint64_t)n << 12,
		.rid = 0x310 + n,
		.pasid = n % 2 == 0 ? IOPF_PASID_NONE : n,
		.perm = (uint8_t)(n % 3 == 0 ? IOPF_WRITE :
				  n % 3 == 1 ? IOPF_READ | IOPF_EXEC | IOPF_PRIV : 0),
		.reason = (uint8_t)(0x40 + n),
		.request = n % 3 == 2,
	};
}

static bool record(uint32_t n)
{
	struct iopf_fault f = fault(n);

	return iopf_hardware_fault(pair.hardware, &f);
}

static void take(uint32_t *next, uint32_t max, int wanted)
{
	int count = iopf_driver_poll_faults(pair.driver, faults, max);

	CHECK_EQ(count, wanted);
	for (int i = 0; i < count; i++) {
		struct iopf_fault f = fault((*next)++);

		CHECK(memcmp(&faults[i], &f, sizeof(f)) == 0);
	}
}

TEST(faults_come_in_order_wherever_the_registers_begin)
{
	uint32_t recorded = 0, taken = 0;

	pair_start();
	take(&taken, 1, 0);
	for (uint32_t round = 0; round < 3 * REGISTERS; round++) {
		for (uint32_t i = 0; i < 5; i++)
			CHECK(record(recorded++));
		take(&taken, 2, 2);
		take(&taken, 2 * REGISTERS, 3);
		take(&taken, 2 * REGISTERS, 0);
		CHECK_EQ(pair_reg(VTD_FSTS, 4) & VTD_FSTS_PPF, 0);
	}
	CHECK_EQ(iopf_driver_stats(pair.driver)->faults, recorded);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 0), -EINVAL);
}

TEST(an_overflow_of_faults_is_acknowledged_and_counted)
{
	uint32_t taken = 0;

	pair_start();
	for (uint32_t i = 0; i < REGISTERS; i++)
		CHECK(record(i));
	CHECK(!record(100));
	CHECK_EQ(pair_reg(VTD_FSTS, 4) & VTD_FSTS_PFO, VTD_FSTS_PFO);
	take(&taken, 2 * REGISTERS, REGISTERS);
	CHECK_EQ(pair_reg(VTD_FSTS, 4), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->fault_overflows, 1);
	CHECK(record(taken));
	take(&taken, 1, 1);
	CHECK_EQ(iopf_driver_stats(pair.driver)->fault_overflows, 1);
}

TEST(there_is_no_event_queue_and_nothing_stalls)
{
	uint32_t count = 7;

	pair_start();
	record(0);
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(iopf_driver_stall_max(pair.driver), 0);
}

int main(void)
{
	return test_main();
}
