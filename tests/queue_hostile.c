/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: whatever the other end says or does, an end stays bounded and whole. */
#include "test.h"

#include "queue_pair.h"

enum { SLOTS = 128 };

/* ---- A driver over registers and memory that lie ------------------------------------ */

static uint64_t seed;
static int access_error;

static uint64_t nonsense(void)
{
	static const uint64_t nice[] = { 0, 1, 2, 3, 16, 31, 32, 64, 4064, 4096, 8192,
					 0x7ffe0, 0x80000000, UINT64_MAX };
	uint64_t value = test_random(&seed);

	switch (value % 4) {
	case 0:
		return test_random(&seed);
	case 1:
		return test_random(&seed) & 0xfe0;
	default:
		return nice[test_random(&seed) % (sizeof(nice) / sizeof(nice[0]))];
	}
}

static int lying_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	struct pair *p = context;

	p->accesses++;
	if (access_error != 0)
		return access_error;
	*value = offset == VTD_ECAP ? UINT64_MAX : nonsense();
	if (width == 4)
		*value &= UINT32_MAX;
	for (int i = 0; i < 4; i++)
		p->bytes[REQUESTS_AT + test_random(&seed) % PAGE] ^= (uint8_t)nonsense();
	p->bytes[STATUS_AT + test_random(&seed) % 4] = (uint8_t)nonsense();
	return 0;
}

static int lying_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	(void)offset;
	(void)width;
	(void)value;
	((struct pair *)context)->accesses++;
	return access_error;
}

static const struct iopf_register_ops lying = { lying_read, lying_write };

static void lied_to_step(uint64_t *wait)
{
	static struct iopf_request requests[2 * SLOTS];
	struct iopf_command command = pair_response(1);
	int result = iopf_driver_poll(pair.driver, requests, 1 + (uint32_t)(seed % SLOTS));

	CHECK(result == -EIO || result == -EOVERFLOW || (result >= 0 && result < SLOTS));
	result = iopf_driver_recover(pair.driver);
	CHECK(result == 0 || result == -EIO || result == -EAGAIN);
	CHECK(iopf_driver_room(pair.driver) < SLOTS);
	result = iopf_driver_submit(pair.driver, &command);
	CHECK(result == 0 || result == -EAGAIN);
	iopf_driver_wait(pair.driver, IOPF_WAIT_DRAIN, wait);
	iopf_driver_kick(pair.driver);
	iopf_driver_waited(pair.driver, *wait);
	iopf_driver_errors(pair.driver);
	iopf_driver_skip(pair.driver);
}

TEST(a_driver_survives_registers_that_lie)
{
	struct iopf_driver_options options = pair_driver_options(32);
	uint64_t wait = 0;

	pair_hardware(IOPF_VTD_PHYSICAL);
	options.registers = &lying;
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t before = pair.accesses;

		if (step % 64 == 0)
			iopf_driver_start(pair.driver);
		if (step % 1024 == 0)
			iopf_driver_stop(pair.driver);
		lied_to_step(&wait);
		CHECK(pair.accesses - before < 100);
	}
	CHECK(iopf_driver_stats(pair.driver)->bad_indices > 1000);
	/* Nothing was written outside of the queues. */
	for (uint32_t at = STATUS_AT + 4; at < sizeof(pair.bytes); at++)
		CHECK_EQ(pair.bytes[at], 0);
	for (uint32_t at = 0; at < REQUESTS_AT; at++)
		CHECK_EQ(pair.bytes[at], 0);
}

TEST(a_driver_hands_on_what_register_accesses_return)
{
	struct iopf_driver_options options = pair_driver_options(32);
	struct iopf_request request;
	uint64_t wait;

	pair_start();
	iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
			   &pair.driver);
	options.registers = &lying;
	CHECK_EQ(iopf_driver_create(&options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	access_error = -EPIPE;
	CHECK_EQ(iopf_driver_start(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_poll(pair.driver, &request, 1), -EPIPE);
	CHECK_EQ(iopf_driver_recover(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_errors(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_skip(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_stop(pair.driver), -EPIPE);
	access_error = 0;
}

/* A head of the command queue that says what it likes. */
static uint64_t head_said;

static int head_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	if (offset != VTD_IQH)
		return pair_read(context, offset, width, value);
	*value = head_said;
	return 0;
}

static const struct iopf_register_ops heady = { head_read, pair_write };

TEST(a_head_that_goes_back_or_beyond_is_not_believed)
{
	struct iopf_driver_options options = pair_driver_options(32);
	struct iopf_command command = pair_response(1);
	uint32_t room = 0;

	options.registers = &heady;
	pair_start_with(&options);
	while (iopf_driver_submit(pair.driver, &command) == 0)
		room++;
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	head_said = 50 * 32; /* 50 slots taken, as far as anybody can tell */
	CHECK_EQ(iopf_driver_room(pair.driver), 50);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
	/* Nothing is published beyond slot 127: not further, and not back. */
	head_said = 10 * 32;
	CHECK_EQ(iopf_driver_room(pair.driver), 0);
	head_said = 49 * 32;
	CHECK_EQ(iopf_driver_room(pair.driver), 0);
	CHECK_EQ(iopf_driver_stats(pair.driver)->bad_indices, 2);
	head_said = 127 * 32;
	CHECK_EQ(iopf_driver_room(pair.driver), 77);
	CHECK_EQ(room, SLOTS - 1 - 4); /* four were those of start */
}

/* ---- Hardware under software that does anything -------------------------------------- */

static void anything(void)
{
	static const uint32_t offsets[] = {
		VTD_GCMD, VTD_RTADDR, VTD_CCMD, VTD_FSTS, VTD_FECTL, VTD_IQT, VTD_IQA,
		VTD_IQH, VTD_ICS, VTD_IECTL, VTD_PQH, VTD_PQT, VTD_PQA, VTD_PRS, VTD_PECTL,
		VTD_IOTLB, VTD_FRCD + 8, VTD_FRCD + 12,
	};
	uint32_t offset = offsets[test_random(&seed) % (sizeof(offsets) / 4)];
	uint64_t value = nonsense();

	if (seed % 8 == 0)
		offset = (uint32_t)test_random(&seed) % 8192;
	/* Often something that may work, so that deeper places are reached. */
	if (offset == VTD_PQA && seed % 2 == 0)
		value = REQUESTS_AT | (value & 7);
	if (offset == VTD_IQA && seed % 2 == 0)
		value = COMMANDS_AT | VTD_IQA_DW | (value & 7);
	if (offset == VTD_GCMD && seed % 2 == 0)
		value |= VTD_QIE | VTD_TE;
	iopf_hardware_write(pair.hardware, offset, seed % 3 == 0 ? 4 : 8, value);
}

static void garble(void)
{
	static const uint8_t types[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	uint8_t *at = pair.bytes + COMMANDS_AT + test_random(&seed) % 512 * 32;

	memset(at, 0, 32);
	at[0] = types[test_random(&seed) % sizeof(types)];
	if (at[0] == 5)
		at[0] |= (uint8_t)(test_random(&seed) & 0xf0);
	if (test_random(&seed) % 2 == 0)
		at[test_random(&seed) % 32] ^= (uint8_t)nonsense();
}

static const int results[] = { 0, 0, 0, 0, -EAGAIN, -ETIMEDOUT, -ENOENT };

TEST(hardware_survives_software_that_does_anything)
{
	const struct iopf_hardware_stats *stats;

	pair_start();
	for (uint32_t step = 0; step < 500000; step++) {
		int posted;

		anything();
		garble();
		pair.command_result = results[test_random(&seed) % 7];
		CHECK(iopf_hardware_run(pair.hardware, 16) <= 16);
		posted = pair_post(step);
		CHECK(posted == IOPF_POSTED || posted == IOPF_POSTED_SUCCESS ||
		      posted == -EFAULT || posted == -ENXIO);
		if (step % 8 == 0)
			pair_set(VTD_FSTS, 4, UINT32_MAX);
	}
	stats = iopf_hardware_stats(pair.hardware);
	CHECK(stats->queue_errors > 1000);
	CHECK(stats->commands > 1000);
	CHECK(stats->posted > 1000);
	CHECK(stats->overflows > 100);
	CHECK(stats->bad_addresses > 100);
	CHECK(stats->timeouts > 10);
}

int main(void)
{
	return test_main();
}
