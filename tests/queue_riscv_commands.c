/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: the command queue of a RISC-V IOMMU, both ends: what stops it, silent
 * devices, and what a command becomes where the IOMMU cannot say it so.
 */
#include "test.h"

#include "queue_riscv.h"

static void invalidate(uint32_t rid)
{
	submit((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
				      .granularity = IOPF_PAGE,
				      .rid = rid,
				      .pasid = 5,
				      .size_bytes = 4096 });
}

static uint64_t wait_put(void)
{
	uint64_t wait = 0;

	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	return wait;
}

/* A command as it stands in memory, at the queue's tail; software's end does not know. */
static void put_raw(uint64_t low, uint64_t high)
{
	uint32_t tail = csr(RISCV_CQT);
	uint64_t words[2] = { low, high };

	for (unsigned i = 0; i < 16; i++)
		pair.bytes[COMMANDS_AT + tail * 16 + i] = (uint8_t)(words[i / 8] >> i % 8 * 8);
	pair_set(RISCV_CQT, 4, (tail + 1) % SLOTS);
	iopf_hardware_run(pair.hardware, 16);
}

/* ---- The command queue -------------------------------------------------------------------- */

TEST(a_wait_is_done_when_its_four_bytes_are_there)
{
	uint64_t wait;

	start();
	submit(pair_response(1));
	wait = wait_put();
	CHECK(!iopf_driver_waited(pair.driver, wait));
	drain();
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(csr(RISCV_CQH), csr(RISCV_CQT));
	CHECK_EQ(csr(RISCV_IPSR), 0);
}

/* cmd_ill: cqh stays at the command; once it is passed over, what is behind runs. */
TEST(an_illegal_command_stops_the_queue_where_it_stands)
{
	uint64_t wait;
	uint32_t at;

	start();
	at = csr(RISCV_CQH);
	submit((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT });
	wait = wait_put();
	pair.bytes[COMMANDS_AT + at * 16] = 0x7f;
	drain();
	CHECK_EQ(csr(RISCV_CQCSR), ON | RISCV_CQCSR_ILL);
	CHECK_EQ(csr(RISCV_CQH), at);
	CHECK_EQ(csr(RISCV_IPSR), CIP);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.commands, 0);
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_STOPPED);
	CHECK_EQ(iopf_driver_skip(pair.driver), 0);
	CHECK_EQ(csr(RISCV_CQCSR), ON);
	drain();
	CHECK(iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_driver_stats(pair.driver)->queue_errors, 1);
	CHECK_EQ(iopf_driver_skip(pair.driver), -EINVAL);
}

TEST(a_command_that_this_iommu_does_not_have_is_illegal)
{
	static const struct {
		uint32_t lacks;
		uint64_t low, high;
	} cases[] = {
		{ RISCV_HAS_ATS, 4, 0 },                    /* ATS.INVAL */
		{ RISCV_HAS_ATS, 4 | 1 << 7, 0 },           /* ATS.PRGR */
		{ RISCV_HAS_NL, 1 | 1 << 10 | UINT64_C(1) << 34, 0 },
		{ RISCV_HAS_S, 1 | 1 << 10, 1 << 9 },       /* two pages */
		{ RISCV_HAS_PD20, 3 | 1 << 7 | UINT64_C(1) << 33 | UINT64_C(1) << (12 + 18), 0 },
		{ RISCV_HAS_WSI, 2 | 1 << 11, 0 },          /* IOFENCE.C with WSI */
		{ RISCV_HAS_SV39X4 | RISCV_HAS_SV48X4 | RISCV_HAS_SV57X4, 1 | 1 << 7, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL & ~cases[i].lacks)), 0);
		pair_set(RISCV_FCTL, 4, RISCV_FCTL_WSI);
		pair_set(RISCV_CQB, 8, COMMANDS_AT >> 2 | 7);
		pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN);
		put_raw(cases[i].low, cases[i].high);
		CHECK_EQ(csr(RISCV_CQCSR), RISCV_CSR_EN | RISCV_CSR_ON | RISCV_CQCSR_ILL);
		CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL)), 0);
		pair_set(RISCV_FCTL, 4, RISCV_FCTL_WSI);
		pair_set(RISCV_CQB, 8, COMMANDS_AT >> 2 | 7);
		pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN);
		put_raw(cases[i].low, cases[i].high);
		CHECK_EQ(csr(RISCV_CQCSR) & (RISCV_CQCSR_ILL | RISCV_CSR_MF), 0);
		CHECK_EQ(csr(RISCV_CQH), 1);
	}
}

/* fence_w_ip, by wire; with messages alone that is no command. */
TEST(a_fence_interrupts_by_wire)
{
	CHECK_EQ(hardware_create(caps(RISCV_PHYSICAL)), 0);
	pair_set(RISCV_CQB, 8, COMMANDS_AT >> 2 | 7);
	pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN | RISCV_CSR_IE);
	put_raw(2 | 1 << 11, 0);
	CHECK_EQ(csr(RISCV_CQCSR) & RISCV_CQCSR_ILL, RISCV_CQCSR_ILL);
	pair_set(RISCV_CQCSR, 4, 0);
	pair_set(RISCV_CQT, 4, 0);
	pair_set(RISCV_IPSR, 4, CIP);
	pair_set(RISCV_FCTL, 4, RISCV_FCTL_WSI);
	pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN | RISCV_CSR_IE);
	put_raw(2 | 1 << 11, 0);
	CHECK_EQ(csr(RISCV_CQCSR), ON | RISCV_CQCSR_WIP);
	CHECK_EQ(csr(RISCV_IPSR), CIP);
	CHECK_EQ(csr(RISCV_CQH), 1);
	/* It stops nothing. */
	put_raw(2, 0);
	CHECK_EQ(csr(RISCV_CQH), 2);
}

TEST(a_queue_and_a_status_that_are_not_memory_stop_it)
{
	uint32_t at;

	start();
	at = csr(RISCV_CQH);
	put_raw(2 | 1 << 10, (sizeof(pair.bytes) + 4096) >> 2);
	CHECK_EQ(csr(RISCV_CQCSR), ON | RISCV_CSR_MF);
	CHECK_EQ(csr(RISCV_CQH), at);
	pair_set(RISCV_CQCSR, 4, 0);
	pair_set(RISCV_CQB, 8, sizeof(pair.bytes) >> 2 | 7);
	pair_set(RISCV_CQT, 4, 1);
	pair_set(RISCV_CQCSR, 4, RISCV_CSR_EN);
	iopf_hardware_run(pair.hardware, 16);
	CHECK_EQ(csr(RISCV_CQCSR), RISCV_CSR_EN | RISCV_CSR_ON | RISCV_CSR_MF);
	CHECK_EQ(csr(RISCV_CQH), 0);
}

/* cmd_to at the fence behind; the fence is passed over, the device is known. */
TEST(a_silent_device_is_told_at_the_fence_behind_it)
{
	uint64_t wait;

	start();
	silent_rid = 0x310;
	invalidate(silent_rid);
	wait = wait_put();
	drain();
	CHECK_EQ(csr(RISCV_CQCSR), ON | RISCV_CQCSR_TO);
	CHECK_EQ(csr(RISCV_IPSR), CIP);
	CHECK(!iopf_driver_waited(pair.driver, wait));
	CHECK_EQ(iopf_driver_errors(pair.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(csr(RISCV_CQCSR), ON);
	CHECK_EQ(iopf_driver_silent(pair.driver), silent_rid);
	drain();
	CHECK_EQ(csr(RISCV_CQCSR), ON);
	CHECK_EQ(iopf_driver_stats(pair.driver)->timeouts, 1);
	silent_rid = IOPF_NO_ID;
	wait = wait_put();
	drain();
	CHECK(iopf_driver_waited(pair.driver, wait));
}

/* ---- How things are said -------------------------------------------------------------- */

static struct iopf_command said(const struct iopf_command *command, uint32_t count)
{
	kind_count = 0;
	submit(*command);
	drain();
	CHECK_EQ(kind_count, count);
	return seen[0];
}

TEST(a_range_is_widened_where_the_iommu_cannot_name_it)
{
	const struct iopf_driver_options options = driver_options();
	struct iopf_command pages = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				      .granularity = IOPF_PAGE,
				      .hints = IOPF_HINT_LEAF,
				      .domain = 9,
				      .asid = 77,
				      .addr = 0x40000000,
				      .size_bytes = 0x4000 },
			    got;

	start();
	got = said(&pages, 1);
	CHECK_EQ(got.granularity, IOPF_PAGE);
	CHECK_EQ(got.size_bytes, 0x4000);
	CHECK_EQ(got.domain, 9);
	CHECK_EQ(start_with(caps(RISCV_PHYSICAL & ~(uint32_t)RISCV_HAS_S), &options), 0);
	got = said(&pages, 1);
	CHECK_EQ(got.granularity, IOPF_ONE_PASID);
	CHECK_EQ(got.asid, 77);
	pages.size_bytes = 4096;
	CHECK_EQ(said(&pages, 1).granularity, IOPF_PAGE);
	pages.hints = 0;
	CHECK_EQ(said(&pages, 1).granularity, IOPF_PAGE);
	CHECK_EQ(start_with(caps(RISCV_PHYSICAL & ~(uint32_t)RISCV_HAS_NL), &options), 0);
	CHECK_EQ(said(&pages, 1).granularity, IOPF_ONE_PASID);
	pages.hints = IOPF_HINT_SECOND;
	CHECK_EQ(said(&pages, 1).granularity, IOPF_DOMAIN);
}

TEST(a_domain_is_both_stages_and_none_where_there_is_one_stage)
{
	const struct iopf_driver_options options = driver_options();
	const struct iopf_command domain = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					     .granularity = IOPF_DOMAIN,
					     .domain = 9 };

	start();
	CHECK_EQ(said(&domain, 2).hints, 0);
	CHECK_EQ(seen[1].hints, IOPF_HINT_SECOND);
	CHECK_EQ(seen[0].domain, 9);
	CHECK_EQ(seen[1].domain, 9);
	CHECK_EQ(start_with(caps(RISCV_VIRTUAL), &options), 0);
	CHECK_EQ(said(&domain, 1).granularity, IOPF_ALL);
	CHECK_EQ(seen[0].hints, IOPF_HINT_ALONE);
}

int main(void)
{
	return test_main();
}
