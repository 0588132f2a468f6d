/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: an engine's registers: widths, starts, refusals, interrupts, counters. */
#include "model_engine.h"

static uint64_t read_at(uint32_t offset, uint32_t size_bytes)
{
	return model_engine_read(world.engine, offset, size_bytes);
}

TEST(the_engine_names_itself_and_its_limits)
{
	start();
	CHECK_EQ(read_at(MODEL_ENGINE_ID, 8), MODEL_ENGINE_MAGIC);
	CHECK_EQ(read_at(MODEL_ENGINE_ID + 4, 4), MODEL_ENGINE_MAGIC >> 32);
	CHECK_EQ(read_at(MODEL_ENGINE_LIMITS, 4), 4 | 4 << 8 | 4 << 16);
	CHECK_EQ(read_at(0xff8, 8), 0);
}

TEST(accesses_that_fit_no_register_do_nothing)
{
	start();
	CHECK_EQ(read_at(MODEL_ENGINE_ID, 2), UINT64_MAX);
	CHECK_EQ(read_at(MODEL_ENGINE_ID + 4, 8), UINT64_MAX);
	CHECK_EQ(read_at(MODEL_ENGINE_BYTES, 8), UINT64_MAX);
	model_engine_write(world.engine, MODEL_ENGINE_JOBS + MODEL_JOB_LENGTH + 4, 8, 77);
	model_engine_write(world.engine, UINT32_MAX - 7, 8, 77);
	CHECK_EQ(job_get(0, MODEL_JOB_LENGTH), 0);
	/* A slot that is not there. */
	job_set(4, MODEL_JOB_LENGTH, 77);
	CHECK_EQ(job_get(4, MODEL_JOB_LENGTH), 0);
}

TEST(half_a_register_can_be_written_and_the_low_half_of_control_starts)
{
	uint32_t block = MODEL_ENGINE_JOBS + MODEL_JOB_STRIDE;

	start();
	model_engine_write(world.engine, block + MODEL_JOB_SOURCE, 4, (uint32_t)VA);
	model_engine_write(world.engine, block + MODEL_JOB_SOURCE + 4, 4, VA >> 32);
	CHECK_EQ(job_get(1, MODEL_JOB_SOURCE), VA);
	model_engine_write(world.engine, block + MODEL_JOB_LENGTH, 4, 4096);
	model_engine_write(world.engine, block + MODEL_JOB_CONTROL + 4, 4, 0);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_idle);
	model_engine_write(world.engine, block + MODEL_JOB_CONTROL, 4, MODEL_JOB_CRC32C);
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_running);
	run();
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
}

TEST(a_running_job_is_not_written_over)
{
	start();
	world.character = SILENT;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 8192);
	run();
	job_set(0, MODEL_JOB_LENGTH, 1);
	job_set(0, MODEL_JOB_STATUS, 0);
	job_set(0, MODEL_JOB_CONTROL, MODEL_JOB_FILL);
	CHECK_EQ(job_get(0, MODEL_JOB_LENGTH), 8192);
	CHECK_EQ(job_get(0, MODEL_JOB_CONTROL), MODEL_JOB_CRC32C);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_running);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_jobs), 1);
}

TEST(descriptors_that_make_no_sense_end_at_once)
{
	static const struct {
		uint64_t control, source, length, pasid;
	} row[] = {
		{ MODEL_JOB_OPERATION_COUNT, 0, 1, 0 },
		{ 0xff, 0, 1, 0 },
		{ MODEL_JOB_CRC32C | 0x800, 0, 1, 0 },
		{ MODEL_JOB_CRC32C | UINT64_C(1) << 63, 0, 1, 0 },
		{ MODEL_JOB_CRC32C, UINT64_MAX - 10, 100, 0 },
		{ MODEL_JOB_CRC32C, 0, 1, IOPF_PASID_MAX + 1 },
		{ MODEL_JOB_CRC32C | MODEL_JOB_PRIV, 0, 1, IOPF_PASID_NONE },
		{ MODEL_JOB_CRC32C | MODEL_JOB_EXEC, 0, 1, IOPF_PASID_NONE },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		start();
		job(0, (uint32_t)row[n].pasid, row[n].control, row[n].source - VA, 0,
		    row[n].length);
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_descriptor);
		CHECK_EQ(world.completion.status, MODEL_JOB_STATUS_descriptor);
		CHECK_EQ(model_engine_run(world.engine, 10, 1), 0);
	}
}

TEST(the_end_of_the_address_space_can_be_worked_on)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, UINT64_MAX - 0x1fff - VA, 0, 0x1fff);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(job_get(0, MODEL_JOB_FAULT), UINT64_MAX - 0x1fff);
}

TEST(an_interrupt_is_sent_where_it_was_asked_for_and_enabled)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(world.interrupts, 0);
	job(0, 0, MODEL_JOB_CRC32C | MODEL_JOB_INTERRUPT, 0, 0, 4096);
	run();
	CHECK_EQ(world.interrupts, 1);
	CHECK_EQ(world.interrupt_addr, 0xfee01000);
	CHECK_EQ(world.interrupt_data, 0x41);
	set(CONFIG_MSI_CONTROL, 2, 0);
	job(0, 0, MODEL_JOB_CRC32C | MODEL_JOB_INTERRUPT, 0, 0, 4096);
	run();
	CHECK_EQ(world.interrupts, 1);
}

TEST(privileged_and_instruction_accesses_say_so)
{
	start();
	world.character = SILENT;
	job(0, 0, MODEL_JOB_COPY | MODEL_JOB_PRIV | MODEL_JOB_EXEC, 0, 0x80000, 4096);
	run();
	CHECK_EQ(world.open_count, 2);
	for (uint32_t n = 0; n < 2; n++)
		CHECK_EQ(world.open[n].perm,
			 world.open[n].addr == VA ? IOPF_READ | IOPF_EXEC | IOPF_PRIV :
						    IOPF_WRITE | IOPF_PRIV);
	/* Not enabled in the PASID capability: nothing like that may leave. */
	start();
	set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	job(0, 0, MODEL_JOB_CRC32C | MODEL_JOB_EXEC, 0, 0, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_error);
	CHECK_EQ(world.requests, 0);
}

TEST(registers_do_not_answer_while_memory_space_is_off)
{
	start();
	set(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER);
	CHECK_EQ(read_at(MODEL_ENGINE_ID, 8), UINT64_MAX);
	CHECK_EQ(read_at(MODEL_ENGINE_ID, 4), UINT32_MAX);
	job_set(0, MODEL_JOB_LENGTH, 5);
	set(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER | COMMAND_MEMORY);
	CHECK_EQ(job_get(0, MODEL_JOB_LENGTH), 0);
}

TEST(without_bus_mastering_nothing_is_moved_and_nothing_told)
{
	start();
	set(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	job(0, 0, MODEL_JOB_CRC32C | MODEL_JOB_INTERRUPT, 0, 0, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_error);
	CHECK_EQ(world.accesses + world.requests + world.interrupts, 0);
}

TEST(counters_are_registers)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 8192);
	run();
	for (uint32_t n = 0; n < MODEL_ENGINE_COUNTER_COUNT; n++)
		CHECK_EQ(read_at(MODEL_ENGINE_COUNTERS + 8 * n, 8), counter(n));
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_bytes), 8192);
	CHECK_STR(model_engine_counter_name(MODEL_ENGINE_COUNTER_faults), "faults");
	CHECK_STR(model_job_status_name(MODEL_JOB_STATUS_page_fault), "page_fault");
	CHECK_STR(model_job_status_name(MODEL_JOB_STATUS_COUNT), "?");
}

TEST(a_groups_end_tells_when_it_was_sent)
{
	start();
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	model_engine_run(world.engine, 10, 12345);
	CHECK_EQ(world.groups, 0);
	model_engine_run(world.engine, 10, 99999);
	CHECK(serve());
	CHECK_EQ(world.groups, 1);
	CHECK_EQ(world.issued_ns, 12345);
}

TEST(options_out_of_range_are_refused)
{
	struct model_engine_options options[7];
	struct model_engine *none = NULL;

	start();
	for (int n = 0; n < 7; n++) {
		options[n] = options_usual();
		options[n].function = world.function;
	}
	options[0].job_max = 0;
	options[1].job_max = 17;
	options[2].window = 65;
	options[3].group_pages = 33;
	options[4].piece_bytes = 4097;
	options[5].retry_max = 0;
	options[6].piece_bytes = 0;
	for (int n = 0; n < 7; n++)
		CHECK_EQ(model_engine_create(&options[n], &none), -EINVAL);
	CHECK(none == NULL);
	model_engine_destroy(NULL);
}

int main(void)
{
	int failed = test_main();

	stop();
	return failed;
}
