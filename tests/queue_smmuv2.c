/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: both ends of an SMMUv2's registers: RESUME is for a fault that was read and
 * not answered, alone.
 */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "queue/driver.h"
#include "queue/hardware.h"
#include "table/family.h"
#include "wire/smmuv2.h"

#include "test.h"

enum { BANKS = 8, RID = 0x310, OTHER = 0x318 };

static alignas(8) uint8_t hardware_bytes[65536], driver_bytes[16384];
static alignas(4096) uint8_t pages[4096];
static const struct iopf_segment segment = { .base = 0x1000, .size_bytes = sizeof(pages),
					     .memory = pages };
static const struct iopf_memory memory = { &segment, 1 };
static struct iopf_hardware *hardware;
static struct iopf_driver *driver;
static struct family_tables tables;

/* What came out of the registers, and what was written to which. */
static struct iopf_command commands[64];
static uint32_t command_count, interrupts, last_line;
static struct {
	uint32_t offset;
	uint64_t value;
} writes[4096];
static uint32_t write_count;

static int on_command(void *context, const struct iopf_command *command)
{
	(void)context;
	CHECK(command_count < 64);
	commands[command_count++] = *command;
	return 0;
}

static void on_interrupt(void *context, uint64_t addr, uint32_t data)
{
	(void)context;
	CHECK_EQ(addr, 0);
	last_line = data;
	interrupts++;
}

static void on_root(void *context)
{
	(void)context;
}

static void on_translation(void *context, bool on)
{
	(void)context;
	(void)on;
}

static void on_queue(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
	CHECK(false);
}

static const struct iopf_hardware_ops ops = { .command = on_command,
					      .interrupt = on_interrupt,
					      .root_changed = on_root,
					      .translation_changed = on_translation,
					      .queue_changed = on_queue };

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	return iopf_hardware_read(context, offset, width, value);
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	if (write_count < 4096) {
		writes[write_count].offset = offset;
		writes[write_count++].value = value;
	}
	return iopf_hardware_write(context, offset, width, value);
}

static const struct iopf_register_ops registers = { register_read, register_write };

static void create(uint32_t features)
{
	struct iopf_hardware_options options = { .size_bytes = sizeof(options),
						 .wire = &iopf_wire_smmuv2,
						 .memory = &memory,
						 .ops = &ops };
	struct iopf_driver_options software = { .size_bytes = sizeof(software),
						.wire = &iopf_wire_smmuv2,
						.registers = &registers,
						.memory = &memory,
						.status_addr = 0x1000 };
	const struct family_setup setup = { .memory = &memory };
	struct family_setup with = setup;

	command_count = interrupts = write_count = 0;
	CHECK_EQ(iopf_smmuv2_identification(features, BANKS, options.idr), 0);
	CHECK(iopf_hardware_size_bytes() <= sizeof(hardware_bytes));
	CHECK_EQ(iopf_hardware_create(&options, hardware_bytes, sizeof(hardware_bytes),
				      &hardware),
		 0);
	software.context = hardware;
	CHECK_EQ(iopf_driver_create(&software, driver_bytes, sizeof(driver_bytes), &driver), 0);
	with.registers = (struct family_registers){ register_read, register_write, hardware };
	CHECK_EQ(family_create(&family_smmuv2, &tables, &with), 0);
}

static int run(int (*step)(struct iopf_driver *))
{
	int error, rounds = 0;

	while ((error = step(driver)) == -EAGAIN && rounds++ < 100)
		iopf_hardware_run(hardware, 16);
	return error;
}

static uint32_t reg(uint32_t offset, uint32_t bank)
{
	return reg32(hardware, smmuv2_bank_at(&tables.smmuv2.features, offset, bank));
}

/* How often @offset of @bank was written since @from. */
static uint32_t written(uint32_t offset, uint32_t bank, uint32_t from)
{
	uint32_t at = smmuv2_bank_at(&tables.smmuv2.features, offset, bank), count = 0;

	for (uint32_t i = from; i < write_count; i++)
		count += writes[i].offset == at;
	return count;
}

static uint32_t resumes(uint32_t bank)
{
	return written(SMMUV2_RESUME, bank, 0);
}

/* Two streams, in banks 0 and 1. */
static void start(void)
{
	create(IOPF_SMMUV2_PHYSICAL);
	CHECK_EQ(run(iopf_driver_start), 0);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_OPEN, FAMILY_STALLS), 0);
	CHECK_EQ(family_smmuv2.endpoint(&tables, OTHER, FAMILY_OPEN, FAMILY_STALLS), 0);
	command_count = interrupts = write_count = 0;
}

static bool fault(uint32_t rid, uint32_t bank, bool stall)
{
	const struct iopf_fault value = { .addr = 0x10000 + bank,
					  .rid = rid,
					  .pasid = IOPF_PASID_NONE,
					  .perm = IOPF_WRITE,
					  .reason = SMMUV2_TF,
					  .index = (uint16_t)bank,
					  .stall = stall };

	return iopf_hardware_fault(hardware, &value);
}

static int poll(struct iopf_fault *faults)
{
	return iopf_driver_poll_faults(driver, faults, 4);
}

static int answer(uint32_t rid, uint32_t bank, enum iopf_code code)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_RESPONSE,
					      .flags = IOPF_STALL,
					      .rid = rid,
					      .pasid = IOPF_PASID_NONE,
					      .index = (uint16_t)bank,
					      .code = (uint8_t)code };

	return iopf_driver_submit(driver, &command);
}

/* ---- Start ------------------------------------------------------------------------------- */

TEST(start_finds_what_banks_can_and_lets_nobody_in)
{
	uint64_t value;

	create(IOPF_SMMUV2_PHYSICAL);
	CHECK(!iopf_hardware_translates(hardware));
	/* What an earlier driver left: a stream, and a fault that waits. */
	CHECK_EQ(iopf_hardware_write(hardware, SMMUV2_SMR, 4, 0x80000310), 0);
	CHECK_EQ(iopf_hardware_write(hardware, SMMUV2_S2CR, 4, 0), 0);
	tables.smmuv2.features = smmuv2_features_of(hardware->options.idr);
	CHECK(fault(RID, 3, true));
	CHECK_EQ(run(iopf_driver_start), 0);
	CHECK(iopf_hardware_translates(hardware));
	CHECK_EQ(iopf_driver_stall_max(driver), BANKS);
	CHECK_EQ(iopf_hardware_read(hardware, SMMUV2_SMR, 4, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(reg(SMMUV2_FSR, 3) & (SMMUV2_FSR_FAULTS | SMMUV2_FSR_SS), 0);
	CHECK_EQ(commands[0].kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(commands[0].code, IOPF_INVALID);
	CHECK_EQ(reg32(hardware, SMMUV2_CR0) & SMMUV2_CR0_USFCFG, SMMUV2_CR0_USFCFG);
	for (uint32_t bank = 0; bank < BANKS; bank++)
		CHECK_EQ(reg(SMMUV2_SCTLR, bank), 0);
	CHECK_EQ(run(iopf_driver_stop), 0);
	CHECK(iopf_hardware_translates(hardware)); /* off would let everything through */
}

TEST(banks_that_are_wired_not_to_stall_are_found_out)
{
	create(IOPF_SMMUV2_PHYSICAL & ~(uint32_t)IOPF_SMMUV2_STALL);
	CHECK_EQ(run(iopf_driver_start), 0);
	CHECK_EQ(iopf_driver_stall_max(driver), 0);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_OPEN, FAMILY_STALLS), -EOPNOTSUPP);
}

TEST(requests_are_not_to_be_had)
{
	struct iopf_request requests[2];
	uint32_t count = 7;
	bool lost = true;

	start();
	CHECK_EQ(iopf_driver_poll(driver, requests, 2), 0);
	CHECK_EQ(iopf_driver_recover(driver), 0);
	CHECK_EQ(iopf_driver_backlog(driver, &count, &lost), 0);
	CHECK(count == 0 && !lost);
	CHECK_EQ(iopf_hardware_post(hardware, &(struct iopf_request){ .rid = RID }),
		 -EOPNOTSUPP);
	CHECK(iopf_driver_room(driver) > 1000);
}

/* ---- Faults and answers -------------------------------------------------------------------- */

TEST(fault_is_read_masked_answered_and_unmasked)
{
	struct iopf_fault faults[4];
	uint32_t before;

	start();
	CHECK(fault(RID, 0, true));
	CHECK_EQ(interrupts, 1);
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(faults[0].rid, RID);
	CHECK_EQ(faults[0].index, 0);
	CHECK_EQ(faults[0].addr, 0x10000);
	CHECK(faults[0].stall && faults[0].perm == IOPF_WRITE);
	CHECK_EQ(reg(SMMUV2_SCTLR, 0) & SMMUV2_SCTLR_CFIE, 0);
	CHECK_EQ(poll(faults), 0);
	before = write_count;
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(write_count, before); /* seen after the kick */
	CHECK_EQ(iopf_driver_kick(driver), 0);
	/* FSR, RESUME, SCTLR, in this order. */
	CHECK_EQ(write_count, before + 3);
	CHECK_EQ(writes[before].offset, smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_FSR, 0));
	CHECK_EQ(writes[before + 1].offset,
		 smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_RESUME, 0));
	CHECK_EQ(writes[before + 1].value, 0);
	CHECK_EQ(writes[before + 2].offset,
		 smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_SCTLR, 0));
	CHECK(reg(SMMUV2_SCTLR, 0) & SMMUV2_SCTLR_CFIE);
	CHECK_EQ(command_count, 1);
	CHECK_EQ(commands[0].code, IOPF_SUCCESS);
	CHECK_EQ(commands[0].rid, RID);
	CHECK(fault(RID, 0, true));
	CHECK_EQ(interrupts, 2);
	CHECK_EQ(poll(faults), 1);
}

TEST(whatever_is_no_success_terminates)
{
	struct iopf_fault faults[4];

	for (unsigned code = IOPF_INVALID; code <= IOPF_FAILURE; code++) {
		start();
		CHECK(fault(RID, 0, true));
		CHECK_EQ(poll(faults), 1);
		CHECK_EQ(answer(RID, 0, (enum iopf_code)code), 0);
		CHECK_EQ(iopf_driver_kick(driver), 0);
		CHECK_EQ(command_count, 1);
		CHECK_EQ(commands[0].code, IOPF_INVALID);
	}
}

TEST(resume_is_written_for_a_fault_that_is_open_alone)
{
	struct iopf_fault faults[4];

	start();
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT);
	CHECK(fault(RID, 0, true));
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT); /* nobody has read it */
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(answer(OTHER, 0, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(RID, 1, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(RID, BANKS, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT); /* twice, before it left */
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT); /* and after */
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(resumes(0), 1);
	CHECK_EQ(resumes(1), 0);
	CHECK_EQ(iopf_driver_stats(driver)->refused, 7);
}

/* The second would be for whatever is stalled there then. */
TEST(answer_of_an_earlier_fault_is_not_for_the_next)
{
	struct iopf_fault faults[4];

	start();
	CHECK(fault(RID, 0, true));
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK(fault(RID, 0, true));
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(resumes(0), 1);
	CHECK(reg(SMMUV2_FSR, 0) & SMMUV2_FSR_SS);
}

TEST(answer_stands_behind_the_invalidations_before_it)
{
	const struct iopf_command forget = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					     .granularity = IOPF_DOMAIN,
					     .domain = 3,
					     .pasid = IOPF_PASID_NONE };
	struct iopf_fault faults[4];
	uint64_t first, second;

	start();
	CHECK(fault(RID, 0, true));
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(iopf_driver_submit(driver, &forget), 0);
	CHECK_EQ(commands[0].domain, 3);
	CHECK_EQ(iopf_driver_wait(driver, IOPF_WAIT_FENCE, &first), 0);
	CHECK_EQ(iopf_driver_wait(driver, IOPF_WAIT_FENCE, &second), 0);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK(!iopf_driver_waited(driver, first) && resumes(0) == 0);
	CHECK_EQ(iopf_hardware_run(hardware, 4), 1);
	/* One sync is over; the second wait has the next. */
	CHECK(iopf_driver_waited(driver, first) && !iopf_driver_waited(driver, second));
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(resumes(0), 0);
	iopf_hardware_run(hardware, 4);
	CHECK(iopf_driver_waited(driver, second));
	CHECK_EQ(resumes(0), 1);
}

TEST(stream_that_ends_takes_its_fault_along)
{
	const struct iopf_command end = { .kind = IOPF_COMMAND_TERMINATE,
					  .rid = RID,
					  .pasid = IOPF_PASID_NONE };
	struct iopf_fault faults[4];

	for (unsigned read = 0; read < 3; read++) {
		start();
		CHECK(fault(RID, 0, true) && fault(OTHER, 1, true));
		if (read > 0)
			CHECK_EQ(poll(faults), 2);
		if (read > 1)
			CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
		CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_BLOCKED, FAMILY_STALLS), 0);
		CHECK_EQ(iopf_driver_submit(driver, &end), 0);
		CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT);
		CHECK_EQ(iopf_driver_kick(driver), 0);
		CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT);
		CHECK_EQ(resumes(0), 1);
		CHECK_EQ(resumes(1), 0);
		CHECK_EQ(commands[0].code, IOPF_INVALID);
		/* What it had behind that finds no bank that stalls, until it is let in. */
		CHECK_EQ(reg(SMMUV2_SCTLR, 0) & (SMMUV2_SCTLR_CFCFG | SMMUV2_SCTLR_CFIE),
			 SMMUV2_SCTLR_CFIE);
		CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_OPEN, FAMILY_STALLS), 0);
		CHECK(reg(SMMUV2_SCTLR, 0) & SMMUV2_SCTLR_CFCFG);
		CHECK_EQ(poll(faults), read == 0 ? 1 : 0);
		CHECK(fault(RID, 0, true));
		CHECK_EQ(poll(faults), 1);
	}
}

TEST(more_faults_than_one_are_known_as_many_alone)
{
	struct iopf_fault faults[4];
	uint32_t count;

	start();
	CHECK(fault(RID, 0, true));
	CHECK(!fault(RID, 0, true));
	CHECK(reg(SMMUV2_FSR, 0) & SMMUV2_FSR_MULTI);
	CHECK_EQ(iopf_driver_fault_backlog(driver, &count), 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(iopf_driver_fault_backlog(driver, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(reg(SMMUV2_FSR, 0) & (SMMUV2_FSR_FAULTS | SMMUV2_FSR_MULTI), 0);
	CHECK_EQ(iopf_driver_stats(driver)->fault_overflows, 1);
	CHECK(fault(RID, 0, true));
}

TEST(stalled_says_itself_until_resume_whatever_is_cleared)
{
	start();
	CHECK(fault(RID, 0, true));
	CHECK_EQ(iopf_hardware_write(hardware, smmuv2_bank_at(&tables.smmuv2.features,
							       SMMUV2_FSR, 0),
				     4, UINT32_MAX),
		 0);
	CHECK(reg(SMMUV2_FSR, 0) & SMMUV2_FSR_SS);
	CHECK_EQ(reg(SMMUV2_FSR, 0) & SMMUV2_FSR_FAULTS, 0);
	CHECK(!fault(RID, 0, true)); /* nothing is recorded over it */
}

/* Banks 0 and 4 have one wire: who comes while the other is served is heard of, too. */
TEST(banks_on_one_wire_are_each_heard_of)
{
	struct iopf_fault faults[4];
	uint32_t line;

	start();
	for (uint32_t rid = 0; rid < 3; rid++)
		CHECK_EQ(family_smmuv2.endpoint(&tables, rid, FAMILY_OPEN, FAMILY_STALLS), 0);
	CHECK(fault(RID, 0, true));
	line = last_line;
	CHECK(fault(2, 4, true));
	CHECK_EQ(interrupts, 2);
	CHECK_EQ(last_line, line);
	CHECK_EQ(poll(faults), 2);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(resumes(4), 0);
	CHECK(fault(RID, 0, true)); /* while the other is served */
	CHECK_EQ(interrupts, 3);
	CHECK_EQ(poll(faults), 1);
	CHECK_EQ(faults[0].index, 0);
	CHECK_EQ(answer(2, 4, IOPF_INVALID), 0);
	CHECK_EQ(iopf_driver_kick(driver), 0);
	CHECK_EQ(resumes(4), 1);
}

TEST(fault_that_does_not_wait_is_told_and_over)
{
	struct iopf_fault faults[4];

	start();
	CHECK(fault(RID, 0, false));
	CHECK_EQ(poll(faults), 1);
	CHECK(!faults[0].stall);
	CHECK_EQ(resumes(0), 0);
	CHECK(reg(SMMUV2_SCTLR, 0) & SMMUV2_SCTLR_CFIE);
	CHECK_EQ(answer(RID, 0, IOPF_SUCCESS), -ENOENT);
	CHECK(fault(RID, 0, true));
	CHECK_EQ(poll(faults), 1);
}

TEST(nobodys_faults_keep_others_waiting)
{
	struct iopf_fault told;

	start();
	CHECK(fault(RID, 0, false) && fault(OTHER, 1, false));
	CHECK_EQ(iopf_driver_poll_faults(driver, &told, 1), 1);
	CHECK_EQ(told.rid, RID);
	CHECK(fault(RID, 0, false));
	CHECK_EQ(iopf_driver_poll_faults(driver, &told, 1), 1);
	CHECK_EQ(told.rid, OTHER);
	CHECK_EQ(iopf_driver_poll_faults(driver, &told, 1), 1);
	CHECK_EQ(told.rid, RID);
}

/* ---- Invalidations ------------------------------------------------------------------------- */

TEST(invalidations_name_no_less_than_was_asked)
{
	static const struct {
		struct iopf_command command;
		uint8_t granularity;
		uint32_t count;
	} rows[] = {
		{ { .granularity = IOPF_ALL }, IOPF_ALL, 1 },
		{ { .granularity = IOPF_DOMAIN, .domain = 9 }, IOPF_DOMAIN, 1 },
		{ { .granularity = IOPF_ONE_PASID, .domain = 9, .asid = 5 }, IOPF_ONE_PASID, 1 },
		{ { .granularity = IOPF_ONE_PASID, .domain = 9, .asid = 6 }, IOPF_DOMAIN, 1 },
		{ { .granularity = IOPF_PAGE, .domain = 9, .asid = 5, .addr = 0x7000,
		    .size_bytes = 4096 }, IOPF_PAGE, 1 },
		{ { .granularity = IOPF_PAGE, .domain = 9, .asid = 5, .size_bytes = 8192,
		    .addr = UINT64_C(0xffff800000002000) }, IOPF_PAGE, 2 },
		{ { .granularity = IOPF_PAGE, .domain = 9, .asid = 5,
		    .size_bytes = 1 << 21 }, IOPF_ONE_PASID, 1 },
		{ { .granularity = IOPF_PAGE, .domain = 9, .addr = 0x7000, .size_bytes = 4096,
		    .hints = IOPF_HINT_SECOND }, IOPF_DOMAIN, 1 },
	};
	const struct smmuv2_bank bank = { .type = SMMUV2_FIRST, .on = true, .vmid = 9, .asid = 5,
					  .first = { .half = { { .input_bits = 48 },
							       { .input_bits = 48 } },
						     .output_bits = 48 } };
	uint64_t words[SMMUV2_BANK_WORDS];

	start();
	smmuv2_bank_encode(&bank, &tables.smmuv2.features, words);
	reg32_set(hardware, smmuv2_second_at(&tables.smmuv2.features, SMMUV2_CBAR, 1),
		  (uint32_t)words[0]);
	reg32_set(hardware, smmuv2_second_at(&tables.smmuv2.features, SMMUV2_CBA2R, 1),
		  (uint32_t)(words[0] >> 32));
	reg32_set(hardware, smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_TCR, 1),
		  (uint32_t)words[4]);
	reg64_set(hardware, smmuv2_bank_at(&tables.smmuv2.features, SMMUV2_TTBR0, 1), words[2]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct iopf_command command = rows[i].command;

		command.kind = IOPF_COMMAND_INVALIDATE_IOTLB;
		command_count = 0;
		CHECK_EQ(iopf_driver_submit(driver, &command), 0);
		CHECK_EQ(command_count, rows[i].count);
		CHECK_EQ(commands[0].granularity, rows[i].granularity);
		if (commands[0].granularity != IOPF_ALL)
			CHECK_EQ(commands[0].domain, 9);
		if (commands[0].granularity == IOPF_PAGE)
			CHECK_EQ(commands[command_count - 1].addr,
				 command.addr + 4096 * (command_count - 1));
		if (commands[0].granularity >= IOPF_ONE_PASID)
			CHECK_EQ(commands[0].asid, 5);
	}
}

/* ---- Whatever is written -------------------------------------------------------------------- */

TEST(registers_take_anything)
{
	uint64_t seed = 7;

	start();
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t offset = (uint32_t)(test_random(&seed) % 0x42000) & ~7u;
		uint32_t width = test_random(&seed) % 2 ? 4 : 8;
		struct iopf_fault faults[4];
		uint64_t value;

		if (test_random(&seed) % 2)
			offset = (uint32_t)(0x20000 + 0x1000 * (test_random(&seed) % 9) +
					    test_random(&seed) % 0x80) &
				 ~7u;
		command_count = 0;
		(void)iopf_hardware_write(hardware, offset, width, test_random(&seed));
		(void)iopf_hardware_read(hardware, offset, width, &value);
		(void)fault(RID, (uint32_t)(test_random(&seed) % (BANKS + 1)), i % 2);
		CHECK(poll(faults) >= 0);
		(void)answer(RID, (uint32_t)(test_random(&seed) % BANKS), IOPF_SUCCESS);
		CHECK_EQ(iopf_driver_kick(driver), 0);
		iopf_hardware_run(hardware, 1);
	}
	CHECK(iopf_driver_stats(driver)->faults > 1000);
}

int main(void)
{
	return test_main();
}
