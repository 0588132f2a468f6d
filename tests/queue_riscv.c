/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: the queues of a RISC-V IOMMU, both ends: up and down, registers, overflow,
 * memory that is not there, pending interrupts, capabilities.
 */
#include "test.h"

#include "queue_riscv.h"

static struct iopf_request requests[SLOTS];
static struct iopf_fault faults[SLOTS];

static int poll(void)
{
	return iopf_driver_poll(pair.driver, requests, SLOTS);
}

static bool fault(uint64_t n)
{
	const struct iopf_fault event = {
		.addr = n << 12,
		.rid = 0x310,
		.pasid = 5,
		.perm = IOPF_WRITE,
		.stage = 1,
		.reason = IOPF_RISCV_write_page,
		.type = 3,
	};

	return iopf_hardware_fault(pair.hardware, &event);
}

/* ---- Up and down -------------------------------------------------------------------- */

TEST(start_turns_everything_on_and_forgets_what_was_cached)
{
	const struct iopf_driver_options options = driver_options();

	CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL)), 0);
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	kind_count = 0;
	CHECK_EQ(run(iopf_driver_start), 0);
	CHECK_EQ(pair_reg(RISCV_CQB, 8), COMMANDS_AT >> 2 | 7);
	CHECK_EQ(pair_reg(RISCV_FQB, 8), FAULTS_AT >> 2 | 6);
	CHECK_EQ(pair_reg(RISCV_PQB, 8), REQUESTS_AT >> 2 | 7);
	CHECK_EQ(pair_reg(RISCV_DDTP, 8), ROOT_AT >> 2 | RISCV_MODE_3LVL);
	CHECK_EQ(csr(RISCV_CQCSR), ON);
	CHECK_EQ(csr(RISCV_FQCSR), ON);
	CHECK_EQ(csr(RISCV_PQCSR), ON);
	CHECK_EQ(pair_reg(RISCV_MSI_ADDR, 8), INTERRUPT_ADDR);
	CHECK_EQ(pair_reg(RISCV_MSI_DATA, 4), INTERRUPT_DATA);
	/* All contexts; first stages alone and second stages: one command of each. */
	CHECK_EQ(kind_count, 4);
	CHECK_EQ(kinds[0], IOPF_COMMAND_INVALIDATE_CONTEXT);
	CHECK_EQ(kinds[1], IOPF_COMMAND_INVALIDATE_IOTLB);
	CHECK_EQ(seen[1].hints, IOPF_HINT_ALONE);
	CHECK_EQ(kinds[2], IOPF_COMMAND_INVALIDATE_IOTLB);
	CHECK_EQ(seen[2].hints, IOPF_HINT_SECOND);
	CHECK_EQ(kinds[3], IOPF_COMMAND_WAIT);
	CHECK_EQ(pair.on, 1);
}

TEST(stop_lets_responses_out_and_what_an_earlier_driver_left_is_cleared)
{
	const struct iopf_driver_options options = driver_options();

	start();
	CHECK_EQ(post(1, IOPF_LAST), IOPF_POSTED);
	submit(pair_response(5));
	CHECK_EQ(run(iopf_driver_stop), 0);
	CHECK_EQ(kinds[0], IOPF_COMMAND_RESPONSE);
	CHECK_EQ(csr(RISCV_CQCSR) | csr(RISCV_FQCSR) | csr(RISCV_PQCSR), 0);
	CHECK_EQ(pair_reg(RISCV_DDTP, 8) & RISCV_DDTP_MODE, RISCV_MODE_OFF);
	CHECK_EQ(pair.off, 1);
	CHECK_EQ(post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK(!fault(1));
	CHECK_EQ(run(iopf_driver_start), 0);
	for (uint32_t i = 0; i <= ROOM; i++)
		(void)fault((uint64_t)post(i, IOPF_LAST));
	/* Nobody stopped it. */
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	CHECK_EQ(run(iopf_driver_start), 0);
	CHECK_EQ(poll(), 0);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 0);
	CHECK_EQ(csr(RISCV_PQCSR), ON);
	CHECK_EQ(post(7, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(poll(), 1);
}

TEST(an_iommu_that_lacks_what_paging_needs_is_not_started)
{
	struct iopf_driver_options options = driver_options();
	const uint32_t firsts = RISCV_HAS_SV39 | RISCV_HAS_SV48 | RISCV_HAS_SV57;

	CHECK_EQ(start_with(caps(RISCV_PHYSICAL & ~(uint32_t)RISCV_HAS_ATS), &options),
		 -EOPNOTSUPP);
	CHECK_EQ(start_with(caps(RISCV_PHYSICAL & ~firsts), &options), -EOPNOTSUPP);
	/* Wires only: nobody here has one. */
	CHECK_EQ(start_with((caps(RISCV_PHYSICAL) & ~(UINT64_C(3) << 28)) | UINT64_C(1) << 28,
			    &options),
		 -EOPNOTSUPP);
	options.root_config = RISCV_MODE_BARE;
	CHECK_EQ(start_with(caps(RISCV_PHYSICAL), &options), -EOPNOTSUPP);
	options.root_config = RISCV_MODE_1LVL;
	CHECK_EQ(start_with(caps(RISCV_PHYSICAL), &options), 0);
}

TEST(what_no_iommu_says_of_itself_is_refused)
{
	const uint64_t cap = caps(RISCV_PHYSICAL);

	CHECK_EQ(hardware_create(cap), 0);
	CHECK_EQ(hardware_create((cap & ~(UINT64_C(0x3f) << 32)) | UINT64_C(31) << 32), -EINVAL);
	CHECK_EQ(hardware_create((cap & ~(UINT64_C(0x3f) << 32)) | UINT64_C(57) << 32), -EINVAL);
	CHECK_EQ(hardware_create(cap | UINT64_C(3) << 28), -EINVAL);
}

/* ---- Registers ------------------------------------------------------------------------ */

TEST(enabling_clears_only_what_hardware_owns)
{
	CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL)), 0);
	pair_set(RISCV_CQB, 8, COMMANDS_AT >> 2 | 7);
	pair_set(RISCV_CQT, 4, 3);
	pair_set(RISCV_PQB, 8, REQUESTS_AT >> 2 | 7);
	pair_set(RISCV_PQH, 4, 5);
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN);
	pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN);
	CHECK_EQ(csr(RISCV_CQT), 3);
	CHECK_EQ(csr(RISCV_CQH), 0);
	CHECK_EQ(csr(RISCV_PQH), 5);
	CHECK_EQ(csr(RISCV_PQT), 0);
	CHECK_EQ(csr(RISCV_PQCSR), RISCV_CSR_EN | RISCV_CSR_ON);
}

TEST(what_is_in_use_is_not_changed)
{
	uint64_t before;

	start();
	before = iopf_hardware_stats(pair.hardware)->bad_accesses;
	pair_set(RISCV_CQB, 8, 0x40000 | 3);
	pair_set(RISCV_PQB, 8, 0x40000 | 3);
	pair_set(RISCV_FQB, 8, 0x40000 | 3);
	pair_set(RISCV_FCTL, 4, RISCV_FCTL_WSI);
	CHECK_EQ(pair_reg(RISCV_CQB, 8), COMMANDS_AT >> 2 | 7);
	CHECK_EQ(pair_reg(RISCV_FQB, 8), FAULTS_AT >> 2 | 6);
	CHECK_EQ(pair_reg(RISCV_PQB, 8), REQUESTS_AT >> 2 | 7);
	CHECK_EQ(csr(RISCV_FCTL), 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_accesses, before + 4);
}

TEST(a_mode_that_is_none_and_a_way_between_levels_change_nothing)
{
	start();
	pair_set(RISCV_DDTP, 8, ROOT_AT >> 2 | 5);
	CHECK_EQ(pair_reg(RISCV_DDTP, 8), ROOT_AT >> 2 | RISCV_MODE_3LVL);
	pair_set(RISCV_DDTP, 8, ROOT_AT >> 2 | RISCV_MODE_2LVL);
	CHECK_EQ(pair_reg(RISCV_DDTP, 8), ROOT_AT >> 2 | RISCV_MODE_3LVL);
	CHECK_EQ(pair.off, 0);
	pair_set(RISCV_DDTP, 8, RISCV_MODE_BARE);
	CHECK_EQ(pair.off, 1);
	pair_set(RISCV_DDTP, 8, ROOT_AT >> 2 | RISCV_MODE_2LVL);
	CHECK_EQ(pair_reg(RISCV_DDTP, 8), ROOT_AT >> 2 | RISCV_MODE_2LVL);
	pair_set(RISCV_DDTP, 8, 0x5000 >> 2 | RISCV_MODE_2LVL);
	CHECK_EQ(pair.roots, 1);
}

TEST(without_ATS_there_is_no_queue_of_requests)
{
	CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL & ~(uint32_t)RISCV_HAS_ATS)), 0);
	pair_set(RISCV_PQB, 8, REQUESTS_AT >> 2 | 7);
	pair_set(RISCV_PQH, 4, 5);
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN);
	CHECK_EQ(pair_reg(RISCV_PQB, 8), 0);
	CHECK_EQ(csr(RISCV_PQH) | csr(RISCV_PQCSR), 0);
}

/* ---- The page-request queue ------------------------------------------------------------ */

TEST(requests_arrive_in_order_wherever_the_queue_wraps)
{
	uint64_t sent = 0, got = 0;

	start();
	for (uint32_t round = 0; round < 3 * SLOTS; round += 7) {
		for (uint32_t i = 0; i < 7; i++)
			CHECK_EQ(post(sent++, IOPF_LAST), IOPF_POSTED);
		CHECK_EQ(poll(), 7);
		for (int i = 0; i < 7; i++, got++) {
			CHECK_EQ(requests[i].addr, got << 12);
			CHECK_EQ(requests[i].pasid, got & 0xfffff);
		}
	}
	CHECK_EQ(csr(RISCV_PQH), csr(RISCV_PQT));
	CHECK_EQ(csr(RISCV_IPSR), 0);
}

/* Full is one less than there are slots; pqof stands until software clears it. */
TEST(in_an_overflow_the_last_is_a_success_and_others_are_dropped)
{
	start();
	for (uint32_t i = 0; i < ROOM; i++)
		CHECK_EQ(post(i, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(csr(RISCV_PQCSR), ON);
	CHECK_EQ(post(0x300, 0), IOPF_POSTED_NOTHING);
	CHECK_EQ(csr(RISCV_PQCSR), ON | RISCV_CSR_OF);
	CHECK_EQ(post(0x300, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(poll(), ROOM);
	CHECK_EQ(post(0x301, IOPF_LAST), IOPF_POSTED_SUCCESS);
	CHECK_EQ(poll(), -EOVERFLOW);
	CHECK_EQ(iopf_driver_recover(pair.driver), 0);
	CHECK_EQ(csr(RISCV_PQCSR), ON);
	CHECK_EQ(post(0x302, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(poll(), 1);
	CHECK_EQ(iopf_driver_stats(pair.driver)->overflows, 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->answered, 2);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->dropped, 1);
}

/* pqmf: nothing more is put into the queue, and the last of a group fails. */
TEST(memory_that_is_not_there_is_a_failure_until_it_is_cleared)
{
	start();
	pair_set(RISCV_PQCSR, 4, 0);
	pair_set(RISCV_PQB, 8, sizeof(pair.bytes) >> 2 | 7);
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN | RISCV_CSR_IE);
	CHECK_EQ(post(1, 0), IOPF_POSTED_NOTHING);
	CHECK_EQ(csr(RISCV_PQCSR), ON | RISCV_CSR_MF);
	CHECK_EQ(csr(RISCV_PQT), 0);
	CHECK_EQ(post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_addresses, 1);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_REQUESTS_LOST);
	CHECK_EQ(csr(RISCV_PQCSR), ON);
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->bad_addresses, 2);
}

/* ---- Interrupts -------------------------------------------------------------------------- */

TEST(a_message_leaves_once_until_pip_is_cleared)
{
	start();
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(post(i, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, INTERRUPT_ADDR);
	CHECK_EQ(pair.interrupt_data, INTERRUPT_DATA);
	CHECK_EQ(csr(RISCV_IPSR), PIP);
	pair_set(RISCV_IPSR, 4, CIP | FIP); /* others' */
	CHECK_EQ(csr(RISCV_IPSR), PIP);
	CHECK_EQ(poll(), 3);
	CHECK_EQ(csr(RISCV_IPSR), 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(post(3, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(pair.interrupts, 2);
}

/* An error that was not cleared asserts its bit again. */
TEST(an_error_that_stands_is_pending_again)
{
	start();
	for (uint32_t i = 0; i <= ROOM; i++)
		(void)post(i, IOPF_LAST);
	CHECK_EQ(pair.interrupts, 1);
	pair_set(RISCV_IPSR, 4, PIP);
	CHECK_EQ(csr(RISCV_IPSR), PIP);
	CHECK_EQ(pair.interrupts, 2);
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN | RISCV_CSR_IE | RISCV_CSR_OF);
	pair_set(RISCV_IPSR, 4, PIP);
	CHECK_EQ(csr(RISCV_IPSR), 0);
	CHECK_EQ(pair.interrupts, 2);
}

TEST(without_ie_nothing_is_pending_and_a_masked_message_waits)
{
	start();
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN);
	CHECK_EQ(post(1, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(csr(RISCV_IPSR), 0);
	CHECK_EQ(pair.interrupts, 0);
	pair_set(RISCV_PQCSR, 4, RISCV_CSR_EN | RISCV_CSR_IE);
	pair_set(RISCV_MSI_CONTROL, 4, RISCV_MSI_MASKED);
	CHECK_EQ(post(2, IOPF_LAST), IOPF_POSTED);
	CHECK_EQ(csr(RISCV_IPSR), PIP);
	CHECK_EQ(pair.interrupts, 0);
	pair_set(RISCV_MSI_CONTROL, 4, 0);
	CHECK_EQ(pair.interrupts, 1);
	pair_set(RISCV_MSI_CONTROL, 4, 0);
	CHECK_EQ(pair.interrupts, 1);
}

/* ---- The fault queue -------------------------------------------------------------------- */

TEST(faults_arrive_and_an_overflow_is_counted_and_over)
{
	start();
	for (uint32_t i = 0; i < FAULT_SLOTS - 1; i++)
		CHECK(fault(i));
	CHECK(!fault(1));
	CHECK_EQ(csr(RISCV_FQCSR), ON | RISCV_CSR_OF);
	CHECK_EQ(csr(RISCV_IPSR), FIP);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), FAULT_SLOTS - 1);
	for (uint64_t i = 0; i < FAULT_SLOTS - 1; i++)
		CHECK_EQ(faults[i].addr, i << 12);
	CHECK(!fault(1));
	CHECK_EQ(iopf_driver_errors(pair.driver), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->fault_overflows, 1);
	CHECK(fault(1));
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, SLOTS), 1);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->lost_faults, 2);
}

int main(void)
{
	return test_main();
}
