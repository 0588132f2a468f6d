/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: an engine moves the right bytes through pages that come on request. */
#include "base/crc32c.h"

#include "model_engine.h"

static struct {
	uint8_t memory[SPACE_SIZE];
} before;

static void remember(uint32_t space)
{
	memcpy(before.memory, world.memory[space], SPACE_SIZE);
}

/* Space @space is as it was, but for @length bytes at @offset: those of @from. */
static void check_moved(uint32_t space, uint64_t offset, const uint8_t *from,
			size_t length)
{
	memcpy(before.memory + offset, from, length);
	CHECK(memcmp(before.memory, world.memory[space], SPACE_SIZE) == 0);
}

static uint64_t pages_in(uint64_t offset, uint64_t length)
{
	return (offset + length - 1) / 4096 - offset / 4096 + 1;
}

TEST(a_copy_through_absent_pages_is_right_at_any_offset)
{
	static const struct {
		uint64_t source, destination;
		uint32_t length;
	} row[] = {
		{ 0, 0x40000, 4096 },         { 0, 0x40000, 1 },
		{ 4095, 0x40fff, 2 },         { 1, 0x40002, 20000 },
		{ 0x123, 0x40000, 8192 },     { 0, 0x40123, 8192 },
		{ 0x3, 0x40ffd, 100000 },     { 0x1000, 0x80000, 0x40000 },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		start();
		remember(0);
		job(0, 0, MODEL_JOB_COPY, row[n].source, row[n].destination, row[n].length);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
		CHECK_EQ(job_get(0, MODEL_JOB_DONE), row[n].length);
		check_moved(0, row[n].destination, before.memory + row[n].source,
			    row[n].length);
		CHECK_EQ(counter(MODEL_ENGINE_COUNTER_bytes), row[n].length);
		CHECK_EQ(counter(MODEL_ENGINE_COUNTER_pages),
			 pages_in(row[n].source, row[n].length) +
				 pages_in(row[n].destination, row[n].length));
		CHECK_EQ(counter(MODEL_ENGINE_COUNTER_faults),
			 counter(MODEL_ENGINE_COUNTER_pages));
		CHECK_EQ(counter(MODEL_ENGINE_COUNTER_retries), 0);
		CHECK_EQ(world.requests, counter(MODEL_ENGINE_COUNTER_faults));
		CHECK_EQ(world.groups, counter(MODEL_ENGINE_COUNTER_groups));
		check_quiet();
	}
}

TEST(a_fill_repeats_its_pattern_from_the_first_byte)
{
	static const uint8_t pattern[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	static uint8_t wanted[10000];

	start();
	remember(1);
	for (size_t n = 0; n < sizeof(wanted); n++)
		wanted[n] = pattern[n % 8];
	job_set(1, MODEL_JOB_PATTERN, UINT64_C(0x0102030405060708));
	job(1, 1, MODEL_JOB_FILL, 0, 0x5003, sizeof(wanted));
	run();
	CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_moved(1, 0x5003, wanted, sizeof(wanted));
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_pages), 3);
	check_quiet();
}

TEST(a_crc_is_that_of_the_bytes)
{
	start();
	job(0, IOPF_PASID_NONE, MODEL_JOB_CRC32C, 0x777, 0, 50000);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(job_get(0, MODEL_JOB_RESULT), crc32c(0, &world.memory[1][0x777], 50000));
	CHECK_EQ(world.perm[1][0], IOPF_READ);
	check_quiet();
}

TEST(a_compare_finds_the_first_difference)
{
	for (uint32_t differs = 0; differs < 3; differs++) {
		start();
		memcpy(&world.memory[0][0x40005], &world.memory[0][0x3], 20000);
		if (differs > 0) {
			world.memory[0][0x40005 + 12345] ^= 0x80;
			world.memory[0][0x40005 + 12346] ^= 0x80;
		}
		if (differs > 1)
			world.memory[0][0x40005] ^= 1;
		job(0, 0, MODEL_JOB_COMPARE, 0x3, 0x40005, 20000);
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
		CHECK_EQ(job_get(0, MODEL_JOB_RESULT),
			 differs == 0 ? UINT64_MAX : differs == 1 ? 12345u : 0u);
		check_quiet();
	}
}

TEST(nothing_to_do_is_done)
{
	start();
	job(0, 0, MODEL_JOB_COPY, 0, 0x40000, 0);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(world.requests, 0);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_pages), 0);
}

TEST(large_translations_lead_to_the_right_bytes)
{
	start();
	world.large = true;
	remember(0);
	job(0, 0, MODEL_JOB_COPY, 0x1234, 0x80321, 70000);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_moved(0, 0x80321, before.memory + 0x1234, 70000);
}

TEST(present_pages_are_not_asked_for)
{
	start();
	memset(world.perm, IOPF_READ | IOPF_WRITE, sizeof(world.perm));
	job(0, 0, MODEL_JOB_COPY, 0, 0x80000, 0x80000);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	CHECK_EQ(world.requests, 0);
}

TEST(the_window_and_the_group_size_bound_what_is_outstanding)
{
	for (uint32_t window = 1; window <= 8; window *= 2)
		for (uint32_t pages = 1; pages <= 8; pages *= 2) {
			struct model_engine_options options = options_usual();
			struct model_function_state state;

			options.window = window;
			options.group_pages = pages;
			start_with(options, 512, false);
			world.character = SILENT;
			job(0, 0, MODEL_JOB_CRC32C, 0, 0, SPACE_SIZE);
			run();
			model_function_state(world.function, &state);
			CHECK_EQ(state.waiting, window);
			CHECK_EQ(state.credits_in_use, window * pages);
			world.character = HONEST;
			run();
			CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
			CHECK_EQ(world.requests, PAGES);
			check_quiet();
		}
}

TEST(one_credit_is_enough)
{
	start_with(options_usual(), 1, false);
	remember(0);
	job(0, 0, MODEL_JOB_COPY, 0x10, 0x80020, 100000);
	run();
	CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
	check_moved(0, 0x80020, before.memory + 0x10, 100000);
	CHECK_EQ(counter(MODEL_ENGINE_COUNTER_retries), 0);
	check_quiet();
}

/* Take a page away as an operating system does: tables first, then the cache. */
static void unmap(uint32_t space, uint32_t page)
{
	uint64_t payload = model_invalidate_payload(VA + page * 4096, 4096, false);

	world.perm[space][page] = 0;
	for (int n = 0; model_function_invalidate(world.function, space == 0 ? 0 : 1,
						  payload) != 0; n++) {
		CHECK(n < 100);
		model_engine_run(world.engine, 1, ++world.now_ns);
	}
}

/* Random engines, jobs and pages that go away meanwhile. */
TEST(jobs_are_right_while_pages_come_and_go)
{
	uint64_t random = 11;

	for (uint32_t round = 0; round < 150; round++) {
		struct model_engine_options options = options_usual();
		uint32_t length = 1 + (uint32_t)(test_random(&random) % 60000);
		uint64_t half = SPACE_SIZE / 2;
		uint64_t source = test_random(&random) % (half - length);
		uint64_t destination = half + test_random(&random) % (half - length);
		uint64_t draw;
		uint32_t n;

		options.window = 1 + (uint32_t)(test_random(&random) % 8);
		options.group_pages = 1 + (uint32_t)(test_random(&random) % 8);
		options.piece_bytes = 1u << test_random(&random) % 13;
		options.piece_bytes = options.piece_bytes < 64 ? 64 : options.piece_bytes;
		options.retry_max = 1000;
		start_with(options, 1 + (uint32_t)(test_random(&random) % 64),
			   round % 2 == 0);
		remember(0);
		job(0, 0, MODEL_JOB_COPY, source, destination, length);
		job(1, 1, MODEL_JOB_CRC32C, source, 0, length);
		for (n = 0; model_engine_busy(world.engine); n++) {
			CHECK(n < 1000000);
			model_engine_run(world.engine,
					 1 + (uint32_t)(test_random(&random) % 4), n);
			if (test_random(&random) % 3 == 0)
				serve();
			draw = test_random(&random);
			if (draw % 16 == 0)
				unmap(draw >> 8 & 1, (uint32_t)(draw >> 16) % PAGES);
		}
		run();
		CHECK_EQ(job_get(0, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
		CHECK_EQ(job_get(1, MODEL_JOB_STATUS), MODEL_JOB_STATUS_done);
		CHECK_EQ(job_get(1, MODEL_JOB_RESULT),
			 crc32c(0, &world.memory[1][source], length));
		check_moved(0, destination, before.memory + source, length);
		check_quiet();
	}
}

int main(void)
{
	int failed = test_main();

	stop();
	return failed;
}
