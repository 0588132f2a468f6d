/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: how an engine's job ends when its pages do not come. */
#include "model_engine.h"

/* Each character of who answers, and what becomes of a job of ten pages. */
TEST(a_job_ends_as_its_pages_are_answered)
{
	static const struct {
		enum character character;
		enum model_job_status status;
		uint64_t operation;
	} row[] = {
		{ HONEST, MODEL_JOB_STATUS_done, MODEL_JOB_FILL },
		{ LIAR, MODEL_JOB_STATUS_page_fault, MODEL_JOB_FILL },
		{ READ_ONLY, MODEL_JOB_STATUS_page_fault, MODEL_JOB_FILL },
		{ READ_ONLY, MODEL_JOB_STATUS_done, MODEL_JOB_CRC32C },
		{ REFUSER, MODEL_JOB_STATUS_invalid, MODEL_JOB_FILL },
		{ BREAKER, MODEL_JOB_STATUS_failure, MODEL_JOB_FILL },
		{ SILENT, MODEL_JOB_STATUS_running, MODEL_JOB_FILL },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		start();
		world.character = row[n].character;
		job(0, 0, row[n].operation, 0x2000, 0x2000, 40960);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), row[n].status);
		CHECK_EQ(world.completions, row[n].character != SILENT);
		if (row[n].status == MODEL_JOB_STATUS_done)
			continue;
		CHECK_EQ(job_get(0, MODEL_JOB_DONE), 0);
		CHECK(row[n].character == SILENT ||
		      job_get(0, MODEL_JOB_FAULT) == VA + 0x2000);
	}
}

TEST(a_liar_is_asked_a_bounded_number_of_times)
{
	start();
	world.character = LIAR;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_page_fault);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_faults), 1 + 3);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_retries), 3);
	check_quiet();
}

TEST(bytes_before_the_refused_page_were_moved)
{
	struct model_engine_options options = options_usual();

	options.group_pages = 1;
	options.window = 1;
	start_with(options, 64, false);
	world.character = REFUSER;
	world.refuse_page = 3;
	memset(world.memory[0], 0, SPACE_SIZE);
	job_set(0, MODEL_JOB_PATTERN, UINT64_C(0x1111111111111111));
	job(0, 0, MODEL_JOB_FILL, 0, 0x10, 8 * 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(job_get(0, MODEL_JOB_FAULT), VA + 3 * 4096);
	CHECK_EQ(job_get(0, MODEL_JOB_DONE), 3 * 4096 - 0x10);
	CHECK_EQ(world.memory[0][3 * 4096 - 1], 0x11);
	CHECK_EQ(world.memory[0][3 * 4096], 0);
	check_quiet();
}

/* One bad page refuses its whole group; the job names the one that is not there. */
TEST(the_fault_address_is_the_absent_page_of_a_refused_group)
{
	start();
	world.character = REFUSER;
	world.refuse_page = 2;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4 * 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_invalid);
	CHECK_EQ(job_get(0, MODEL_JOB_FAULT), VA + 2 * 4096);
}

TEST(refused_translations_end_the_job)
{
	start();
	world.status = MODEL_UR;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_error);
	start();
	set(CONFIG_ATS_CONTROL, 2, 0);
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_error);
	CHECK_EQ(world.requests, 0);
}

TEST(without_paging_a_miss_ends_the_job_or_waits_as_it_was_told)
{
	for (int patient = 0; patient < 2; patient++) {
		struct model_engine_options options = options_usual();

		options.patient = patient;
		start_with(options, 64, false);
		set(CONFIG_PRI_CONTROL, 2, 0);
		world.perm[0][0] = IOPF_READ;
		job(0, 0, MODEL_JOB_CRC32C, 0, 0, 8192);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_DONE), 4096);
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS),
			 patient ? MODEL_JOB_STATUS_running : MODEL_JOB_STATUS_page_fault);
		set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS),
			 patient ? MODEL_JOB_STATUS_done : MODEL_JOB_STATUS_page_fault);
	}
}

TEST(a_pri_reset_makes_a_patient_job_ask_again)
{
	struct model_engine_options options = options_usual();

	options.patient = true;
	start_with(options, 64, false);
	world.character = SILENT;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
	run();
	set(CONFIG_PRI_CONTROL, 2, PRI_RESET);
	world.open_count = 0;
	world.character = HONEST;
	set(CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_quiet();
}

TEST(a_reset_in_the_middle_ends_jobs_and_clears_registers)
{
	start();
	world.character = SILENT;
	job(0, 0, MODEL_JOB_CRC32C | MODEL_JOB_INTERRUPT, 0, 0, 65536);
	job(1, 1, MODEL_JOB_FILL, 0, 0, 65536);
	run();
	model_function_reset(world.function);
	CHECK_EQ(world.completions, 2);
	CHECK_EQ(world.completion.status, MODEL_JOB_STATUS_reset);
	CHECK_EQ(world.interrupts, 0);
	CHECK(!model_engine_busy(world.engine));
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), UINT64_MAX); /* memory space is off */
	world.open_count = 0;
	world.character = HONEST;
	enable(64);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_idle);
	CHECK_EQ(job_get(0, MODEL_JOB_LENGTH), 0);
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_quiet();
}

TEST(removal_in_the_middle_is_survived)
{
	start();
	world.character = SILENT;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
	run();
	model_function_remove(world.function);
	CHECK_EQ(world.completion.status, MODEL_JOB_STATUS_reset);
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
	CHECK_EQ(model_engine_run(world.engine, 100, 1), 0);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), UINT64_MAX);
}

/* ---- Stopping a PASID through the engine's register ---------------------------- */

static uint64_t stopping(void)
{
	return model_engine_read(world.engine, MODEL_ENGINE_STOP, 8);
}

TEST(a_stop_ends_the_jobs_of_its_pasid_only)
{
	for (int marker = 0; marker < 2; marker++) {
		start_with(options_usual(), 64, marker);
		world.character = SILENT;
		job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
		job(1, 1, MODEL_JOB_CRC32C, 0, 0, 65536);
		run();
		model_engine_write(world.engine, MODEL_ENGINE_STOP, 8, 0);
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_stopped);
		CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_running);
		CHECK_EQ(stopping(), !marker);
		world.character = HONEST;
		run();
		CHECK_EQ(stopping(), 0);
		CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
		check_quiet();
		job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	}
}

/* An aborted job's groups come home later, into the slot's next job: not to its harm. */
TEST(late_answers_to_an_aborted_job_do_not_touch_the_next)
{
	start();
	world.character = SILENT;
	job(0, 0, MODEL_JOB_CRC32C, 0, 0, 65536);
	run();
	job_set(0, MODEL_JOB_CONTROL, MODEL_JOB_ABORT);
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_stopped);
	job(0, 0, MODEL_JOB_CRC32C, 0x80000, 0, 65536);
	world.character = REFUSER;
	while (world.open_count > 0)
		CHECK(serve());
	world.character = HONEST;
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_quiet();
}

TEST(jobs_take_turns_however_small_the_budget)
{
	struct model_engine_options options = options_usual();

	options.piece_bytes = 64;
	start_with(options, 64, false);
	memset(world.perm, IOPF_READ, sizeof(world.perm));
	for (uint32_t slot = 0; slot < 4; slot++)
		job(slot, 0, MODEL_JOB_CRC32C, slot * 0x10000, 0, 0x10000);
	for (uint32_t n = 0; n < 40; n++)
		CHECK_EQ(model_engine_run(world.engine, 1, n), 1);
	for (uint32_t slot = 0; slot < 4; slot++)
		CHECK_EQ(job_get(slot, MODEL_JOB_DONE), 10 * 64);
}

/* ---- Invalidation while a transfer is under way -------------------------------- */

TEST(an_invalidation_completes_after_the_uses_that_are_in_flight)
{
	uint64_t page = model_invalidate_payload(VA, 4096, false);
	struct model_engine_options options = options_usual();

	options.piece_bytes = 256;
	start_with(options, 64, false);
	memset(world.perm, IOPF_READ | IOPF_WRITE, sizeof(world.perm));
	job(0, 0, MODEL_JOB_COPY, 0, 0x80000, 8192);
	CHECK_EQ(model_engine_run(world.engine, 2, 1), 2);
	CHECK_EQ(job_get(0, MODEL_JOB_DONE), 512);
	world.perm[0][0] = 0;
	CHECK_EQ(model_function_invalidate(world.function, 0, page), -EAGAIN);
	CHECK_EQ(model_function_invalidate(world.function, 0, page), -EAGAIN);
	/* Another page, another PASID: nothing of that is held. */
	CHECK_EQ(model_function_invalidate(world.function, 1, page), 0);
	CHECK_EQ(model_function_invalidate(world.function, 0, page + 4096), 0);
	model_engine_run(world.engine, 1, 2);
	CHECK_EQ(model_function_invalidate(world.function, 0, page), 0);
	CHECK_EQ(job_get(0, MODEL_JOB_DONE), 512); /* not one byte with the old one */
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_retries), 1);
}

TEST(a_waiting_job_holds_up_no_invalidation)
{
	start();
	world.character = SILENT;
	world.perm[0][0] = IOPF_READ;
	job(0, 0, MODEL_JOB_COPY, 0, 0x80000, 4096);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_running);
	CHECK_EQ(model_function_invalidate(world.function, 0,
					   model_invalidate_payload(0, 0, false)), 0);
}

TEST(a_sick_function_does_not_answer_invalidations)
{
	uint64_t all = model_invalidate_payload(0, 0, true);

	start();
	model_function_answer_invalidations(world.function, false);
	CHECK_EQ(model_function_invalidate(world.function, 0, all), -EAGAIN);
	model_function_answer_invalidations(world.function, true);
	CHECK_EQ(model_function_invalidate(world.function, 0, all), 0);
}

int main(void)
{
	int failed = test_main();

	stop();
	return failed;
}
