/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: an SMMUv2 shows one stalled transaction a context bank, and what faults behind
 * it is looked at when its turn comes.
 */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "base/pages.h"
#include "model/iommu.h"
#include "queue/hardware.h"
#include "table/family.h"
#include "wire/smmuv2.h"

#include "test.h"

enum { RID = 0x310, OTHER = 0x318, STRANGER = 0x777, PAGES = 512, SENT_MAX = 16 };
#define BASE UINT64_C(0x100000)
#define DATA (BASE + (PAGES - 8) * UINT64_C(4096))

static alignas(4096) uint8_t bytes[PAGES * 4096];
static const struct iopf_segment segment = { .base = BASE, .size_bytes = sizeof(bytes),
					     .memory = bytes };
static const struct iopf_memory memory = { &segment, 1 };
static struct pages pages;
static struct model_iommu *iommu;
static struct model_upstream up;
static struct family_tables tables;
static struct family_stage stage;
static alignas(8) uint8_t driver_bytes[16384];
static struct iopf_driver *driver;

static struct model_transaction sent[SENT_MAX];
static uint8_t buffer[SENT_MAX][8];
static int result[SENT_MAX]; /* 1: it waits */
static uint32_t sent_count;
static uint32_t told_stalled, told_terminated, verdicts[MODEL_STALL_VERDICT_COUNT];
static struct iopf_fault last_stalled;

static void on_stalled(void *context, const struct iopf_fault *fault)
{
	(void)context;
	last_stalled = *fault;
	told_stalled++;
}

static void on_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
		       enum model_stall_verdict verdict)
{
	(void)context;
	(void)rid;
	(void)tag;
	(void)code;
	verdicts[verdict]++;
}

static void on_terminated(void *context, uint32_t rid, uint16_t tag)
{
	(void)context;
	(void)tag;
	CHECK_EQ(rid, RID);
	told_terminated++;
}

static void on_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)data;
}

static void on_released(void *context, const struct model_transaction *transaction, int how)
{
	(void)context;
	CHECK_EQ(result[transaction - sent], 1);
	result[transaction - sent] = how;
}

static void turn(void)
{
	CHECK_EQ(iopf_driver_kick(driver), 0);
	model_iommu_run(iommu, 16, 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	model_iommu_run(iommu, 16, 0);
}

/* A space for (@rid), empty. */
static void attach(uint32_t rid, enum family_table table, bool stall)
{
	const struct family_space space = { .kind = table == FAMILY_FIRST ? FAMILY_SHADOW :
									    FAMILY_STAGE,
					    .stage = &stage,
					    .domain = 5,
					    .asid = 9,
					    .stall = stall };

	CHECK_EQ(family_smmuv2.endpoint(&tables, rid, FAMILY_OPEN, stall ? FAMILY_STALLS : 0),
		 0);
	CHECK_EQ(family_smmuv2.space(&tables, rid, IOPF_PASID_NONE, &space), 0);
}

static void start(enum family_table table, bool stall, bool early)
{
	const struct model_iommu_options options = {
		.family = "smmuv2",
		.memory = &memory,
		.pasid_bits = 1,
		.address_bits = 48,
		.context_lines = 4,
		.pasid_lines = 4,
		.translation_lines = 64,
		.stall_max = 8,
		.retry_stalls = early,
		.observer = { .stalled = on_stalled,
			      .resumed = on_resumed,
			      .terminated = on_terminated },
		.interrupt = on_interrupt,
	};
	const struct model_downstream device = { .released = on_released };
	struct iopf_driver_options software = { .size_bytes = sizeof(software),
						.wire = &iopf_wire_smmuv2,
						.registers = &iopf_hardware_registers,
						.memory = &memory,
						.status_addr = BASE };
	struct family_setup setup = { .memory = &memory,
				      .pages = { pages_take, pages_give, &pages } };
	int error;

	model_iommu_destroy(iommu);
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQ(model_iommu_create(&options, &iommu), 0);
	up = model_iommu_upstream(iommu);
	CHECK_EQ(model_iommu_connect(iommu, RID, &device), 0);
	CHECK_EQ(model_iommu_connect(iommu, OTHER, &device), 0);
	software.context = model_iommu_hardware(iommu);
	CHECK_EQ(iopf_driver_create(&software, driver_bytes, sizeof(driver_bytes), &driver), 0);
	while ((error = iopf_driver_start(driver)) == -EAGAIN)
		model_iommu_run(iommu, 16, 0);
	CHECK_EQ(error, 0);
	pages_create(&pages, &memory, BASE + 4096, (PAGES - 16) * UINT64_C(4096));
	setup.registers = (struct family_registers){ iopf_hardware_registers.read,
						     iopf_hardware_registers.write,
						     software.context };
	CHECK_EQ(family_create(&family_smmuv2, &tables, &setup), 0);
	CHECK_EQ(family_smmuv2.stage_create(&stage, &tables, table), 0);
	attach(RID, table, stall);
	sent_count = told_stalled = told_terminated = 0;
	memset(verdicts, 0, sizeof(verdicts));
}

static void map(uint64_t addr, uint8_t perm)
{
	CHECK_EQ(family_smmuv2.stage_map(&stage, addr, DATA, perm), 0);
}

/* Returns: which it is; result[] says how it went. */
static uint32_t send_as(uint32_t rid, uint32_t pasid, uint64_t addr, uint8_t perm)
{
	uint32_t n = sent_count++;

	CHECK(n < SENT_MAX);
	sent[n] = (struct model_transaction){ .addr = addr,
					      .buffer = buffer[n],
					      .rid = rid,
					      .pasid = pasid,
					      .size_bytes = 8,
					      .perm = perm };
	memset(buffer[n], 0x40 + (int)n, 8);
	result[n] = 1;
	int now = up.transact(up.context, &sent[n]);

	if (now != -EINPROGRESS)
		result[n] = now;
	return n;
}

static uint32_t write_to(uint64_t addr)
{
	return send_as(RID, IOPF_PASID_NONE, addr, IOPF_WRITE);
}

static void answer(enum iopf_code code)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_RESPONSE,
					      .flags = IOPF_STALL,
					      .rid = RID,
					      .pasid = IOPF_PASID_NONE,
					      .code = (uint8_t)code };
	struct iopf_fault fault;

	CHECK_EQ(iopf_driver_poll_faults(driver, &fault, 1), 1);
	CHECK_EQ(iopf_driver_submit(driver, &command), 0);
	turn();
}

static bool nobody_asks(void)
{
	struct iopf_fault fault;

	turn();
	return iopf_driver_poll_faults(driver, &fault, 1) == 0;
}

static uint8_t first_byte(void)
{
	return bytes[DATA - BASE];
}

TEST(page_that_is_there_is_used_in_either_stage)
{
	for (unsigned table = FAMILY_SECOND; table <= FAMILY_FIRST; table++) {
		start((enum family_table)table, true, false);
		map(0x7000, IOPF_READ | IOPF_WRITE);
		CHECK_EQ(result[write_to(0x7000)], 0);
		CHECK_EQ(first_byte(), 0x40);
		CHECK(nobody_asks());
	}
}

TEST(transaction_waits_and_goes_on_with_what_is_there_then)
{
	start(FAMILY_FIRST, true, false);
	CHECK_EQ(result[write_to(0x7008)], 1);
	CHECK_EQ(told_stalled, 1);
	CHECK_EQ(last_stalled.addr, 0x7008);
	CHECK_EQ(model_iommu_stalled(iommu, RID), 1);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	answer(IOPF_SUCCESS);
	CHECK_EQ(result[0], 0);
	CHECK_EQ(bytes[DATA - BASE + 8], 0x40);
	CHECK_EQ(model_iommu_stalled(iommu, RID), 0);
	CHECK_EQ(verdicts[MODEL_STALL_TAKEN], 1);
	CHECK(nobody_asks());
}

TEST(retry_that_faults_again_asks_again)
{
	start(FAMILY_FIRST, true, false);
	CHECK_EQ(result[write_to(0x7000)], 1);
	answer(IOPF_SUCCESS);
	CHECK_EQ(result[0], 1);
	CHECK_EQ(told_stalled, 2);
	answer(IOPF_INVALID);
	CHECK_EQ(result[0], -EFAULT);
	CHECK(nobody_asks());
}

TEST(what_faults_behind_waits_unseen_and_in_order)
{
	start(FAMILY_FIRST, true, false);
	map(0x9000, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(result[write_to(0x7000)], 1);
	CHECK_EQ(result[write_to(0x8000)], 1);
	CHECK_EQ(result[write_to(0xa000)], 1);
	CHECK_EQ(result[write_to(0xb000)], 1);
	CHECK_EQ(result[write_to(0x9000)], 0); /* HUPCF: on its own */
	CHECK_EQ(told_stalled, 1);
	map(0x8000, IOPF_READ | IOPF_WRITE);
	turn();
	CHECK_EQ(result[1], 1); /* not its turn */
	answer(IOPF_INVALID);
	CHECK_EQ(result[0], -EFAULT);
	CHECK_EQ(result[1], 0); /* nobody has heard of it */
	CHECK_EQ(told_stalled, 2);
	CHECK_EQ(last_stalled.addr, 0xa000);
	answer(IOPF_INVALID);
	CHECK_EQ(last_stalled.addr, 0xb000);
	answer(IOPF_INVALID);
	CHECK_EQ(result[2], -EFAULT);
	CHECK_EQ(result[3], -EFAULT);
	CHECK_EQ(told_stalled, 3);
	CHECK(nobody_asks());
}

TEST(retry_is_an_arrival_behind_who_waits)
{
	start(FAMILY_FIRST, true, false);
	write_to(0x7000);
	write_to(0x8000);
	answer(IOPF_SUCCESS);
	CHECK_EQ(last_stalled.addr, 0x8000);
	answer(IOPF_INVALID);
	CHECK_EQ(last_stalled.addr, 0x7000);
	answer(IOPF_INVALID);
	CHECK(result[0] == -EFAULT && result[1] == -EFAULT);
}

static uint32_t sctlr_at(void)
{
	return smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_SCTLR, 0);
}

static void control(uint32_t clear)
{
	struct iopf_hardware *hardware = model_iommu_hardware(iommu);

	CHECK_EQ(iopf_hardware_write(hardware, sctlr_at(), 4,
				     reg32(hardware, sctlr_at()) & ~clear),
		 0);
}

TEST(without_hupcf_nothing_of_a_bank_goes_on)
{
	start(FAMILY_FIRST, true, false);
	map(0x9000, IOPF_READ | IOPF_WRITE);
	control((uint32_t)FIELD_MASK(SMMUV2_BANK_HUPCF));
	write_to(0x7000);
	CHECK_EQ(result[write_to(0x9000)], 1);
	answer(IOPF_INVALID);
	CHECK_EQ(result[1], 0);
	CHECK_EQ(told_stalled, 1);
}

TEST(bank_that_does_not_stall_aborts_and_tells)
{
	struct iopf_fault fault;

	start(FAMILY_FIRST, false, false);
	CHECK_EQ(result[write_to(0x7000)], -EFAULT);
	CHECK_EQ(iopf_driver_poll_faults(driver, &fault, 1), 1);
	CHECK(!fault.stall && fault.addr == 0x7000 && fault.reason == SMMUV2_TF);
	control((uint32_t)FIELD_MASK(SMMUV2_BANK_CFRE)); /* read as 0, write ignored */
	CHECK_EQ(result[send_as(RID, IOPF_PASID_NONE, 0x7000, IOPF_READ)], 0);
	CHECK_EQ(buffer[1][0], 0);
	CHECK_EQ(told_stalled, 0);
}

TEST(who_is_let_in_nowhere_is_aborted)
{
	start(FAMILY_FIRST, true, false);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(result[send_as(STRANGER, IOPF_PASID_NONE, 0x7000, IOPF_WRITE)], -EFAULT);
	CHECK_EQ(result[send_as(RID, 3, 0x7000, IOPF_WRITE)], -EFAULT);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_BLOCKED, FAMILY_STALLS), 0);
	CHECK_EQ(result[write_to(0x7000)], -EFAULT);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_OPEN, FAMILY_STALLS), 0);
	CHECK_EQ(result[write_to(0x7000)], 0);
	CHECK_EQ(first_byte(), 0x43);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_SHUT, FAMILY_STALLS), 0);
	family_smmuv2.tidy(&tables, RID, IOPF_PASID_ANY);
	CHECK_EQ(result[write_to(0x7000)], -EFAULT);
	CHECK_EQ(told_stalled, 0);
	CHECK(reg32(model_iommu_hardware(iommu), SMMUV2_GFSR) & SMMUV2_GFSR_USF);
}

TEST(address_space_that_went_is_met_by_nobody)
{
	start(FAMILY_FIRST, true, false);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	write_to(0x8000);
	write_to(0xa000);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, NULL), 0);
	family_smmuv2.stage_destroy(&stage);
	answer(IOPF_SUCCESS); /* a retry: there is nothing to walk */
	CHECK_EQ(result[0], 1);
	answer(IOPF_INVALID);
	answer(IOPF_INVALID);
	CHECK(result[0] == -EFAULT && result[1] == -EFAULT);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, NULL), -ENOENT);
}

TEST(bank_that_changes_stays_masked_while_its_fault_is_open)
{
	struct iopf_fault fault;

	start(FAMILY_FIRST, true, false);
	write_to(0x7000);
	CHECK_EQ(iopf_driver_poll_faults(driver, &fault, 1), 1);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, NULL), 0);
	CHECK_EQ(reg32(model_iommu_hardware(iommu), sctlr_at()) & SMMUV2_SCTLR_CFIE, 0);
}

TEST(second_resume_is_seen_and_changes_nothing)
{
	struct iopf_hardware *hardware;
	uint32_t at;

	start(FAMILY_FIRST, true, false);
	hardware = model_iommu_hardware(iommu);
	at = smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_RESUME, 0);
	CHECK_EQ(iopf_hardware_write(hardware, at, 4, 0), 0);
	CHECK_EQ(verdicts[MODEL_STALL_UNKNOWN], 1);
	write_to(0x7000);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(iopf_hardware_write(hardware, at, 4, 0), 0);
	CHECK_EQ(iopf_hardware_write(hardware, at, 4, SMMUV2_TERMINATE), 0);
	CHECK_EQ(verdicts[MODEL_STALL_TAKEN], 1);
	CHECK_EQ(verdicts[MODEL_STALL_SECOND], 1);
	turn();
	CHECK_EQ(result[0], 0);
	/* After the run it would be for the next one, though. */
	write_to(0x8000);
	CHECK_EQ(result[1], 1);
	turn();
	CHECK_EQ(told_stalled, 1); /* FSR is not cleared: the next is not recorded */
	CHECK_EQ(iopf_hardware_write(hardware,
				     smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_FSR, 0), 4,
				     UINT32_MAX),
		 0);
	turn();
	CHECK_EQ(told_stalled, 2);
	CHECK_EQ(iopf_hardware_write(hardware, at, 4, SMMUV2_TERMINATE), 0);
	turn();
	CHECK_EQ(result[1], -EFAULT);
}

TEST(stream_that_ends_aborts_what_it_has)
{
	const struct iopf_command end = { .kind = IOPF_COMMAND_TERMINATE,
					  .rid = RID,
					  .pasid = IOPF_PASID_NONE };

	start(FAMILY_FIRST, true, false);
	write_to(0x7000);
	write_to(0x8000);
	map(0x8000, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_BLOCKED, FAMILY_STALLS), 0);
	CHECK_EQ(iopf_driver_submit(driver, &end), 0);
	turn();
	CHECK_EQ(told_terminated, 1);
	CHECK_EQ(verdicts[MODEL_STALL_TAKEN], 0);
	CHECK(result[0] == -EFAULT && result[1] == -EFAULT);
	CHECK_EQ(model_iommu_stats(iommu).misused, 0);
	CHECK(nobody_asks());
}

TEST(stream_that_ends_before_it_is_kept_out_is_seen)
{
	const struct iopf_command end = { .kind = IOPF_COMMAND_TERMINATE,
					  .rid = RID,
					  .pasid = IOPF_PASID_NONE };

	start(FAMILY_FIRST, true, false);
	write_to(0x7000);
	CHECK_EQ(iopf_driver_submit(driver, &end), 0);
	turn();
	CHECK_EQ(model_iommu_stats(iommu).misused, 1);
}

TEST(what_is_not_invalidated_is_used_again)
{
	const struct iopf_command page = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					   .granularity = IOPF_PAGE,
					   .domain = 5,
					   .asid = 9,
					   .addr = 0x7000,
					   .size_bytes = 4096 };

	start(FAMILY_FIRST, true, false);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	map(0x8000, IOPF_READ | IOPF_WRITE);
	CHECK(result[write_to(0x7000)] == 0 && result[write_to(0x8000)] == 0);
	CHECK_EQ(family_smmuv2.stage_unmap(&stage, 0x7000, 8192), 2);
	CHECK(result[write_to(0x7000)] == 0 && result[write_to(0x8000)] == 0);
	CHECK_EQ(iopf_driver_submit(driver, &page), 0);
	CHECK_EQ(result[write_to(0x7000)], 1);
	CHECK_EQ(result[write_to(0x8000)], 0);
}

TEST(device_that_is_pulled_out_is_told_nothing)
{
	start(FAMILY_FIRST, true, false);
	write_to(0x7000);
	write_to(0x8000);
	CHECK_EQ(model_iommu_connect(iommu, RID, NULL), 0);
	answer(IOPF_SUCCESS);
	CHECK(result[0] == 1 && result[1] == 1);
	CHECK_EQ(told_stalled, 1);
	CHECK_EQ(model_iommu_stalled(iommu, IOPF_NO_ID), 0);
}

TEST(hardware_may_look_early_and_its_fault_stays)
{
	start(FAMILY_FIRST, true, true);
	write_to(0x7000);
	map(0x7000, IOPF_READ | IOPF_WRITE);
	turn();
	CHECK_EQ(result[0], 0);
	CHECK_EQ(model_iommu_stalled(iommu, RID), 1);
	answer(IOPF_SUCCESS);
	CHECK_EQ(model_iommu_stalled(iommu, RID), 0);
}

TEST(stall_that_is_made_takes_the_bank)
{
	const struct iopf_fault fault = { .addr = 0x5000,
					  .rid = RID,
					  .pasid = IOPF_PASID_NONE,
					  .perm = IOPF_READ,
					  .reason = SMMUV2_TF };
	struct iopf_fault stranger = fault;
	uint16_t tag = 77;

	start(FAMILY_FIRST, true, false);
	stranger.rid = STRANGER;
	CHECK_EQ(model_iommu_stall(iommu, &stranger, &tag), -ENODEV);
	CHECK_EQ(model_iommu_stall(iommu, &fault, &tag), 0);
	CHECK_EQ(tag, 0);
	CHECK_EQ(model_iommu_stall(iommu, &fault, &tag), -ENOSPC);
	answer(IOPF_SUCCESS);
	CHECK(nobody_asks());
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(iommu);
	return failed;
}
