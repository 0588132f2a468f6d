/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3's driver end over registers of a test's own: slow, broken, lying. */
#include "test.h"

#include "queue/ring.h"
#include "queue_smmuv3_driver.h"

/* ---- Registers that do what they are told, but not at once ---------------------------- */

static struct {
	uint32_t value[SMMUV3_PAGES_BYTES / 4];
	uint32_t pending;  /* accesses that an update takes still */
	uint32_t changes;  /* of CR0 while another change was not acknowledged */
	uint32_t accesses;
} slow;

static bool has_acknowledge(uint32_t offset)
{
	return offset == SMMUV3_CR0 || offset == SMMUV3_IRQ_CTRL;
}

static void slow_settle(void)
{
	slow.accesses++;
	if (slow.pending == 0 || --slow.pending > 0)
		return;
	slow.value[SMMUV3_CR0ACK / 4] = slow.value[SMMUV3_CR0 / 4];
	slow.value[SMMUV3_IRQ_CTRLACK / 4] = slow.value[SMMUV3_IRQ_CTRL / 4];
	slow.value[SMMUV3_GBPA / 4] &= ~SMMUV3_GBPA_UPDATE;
}

static int slow_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	slow_settle();
	*value = slow.value[offset / 4];
	if (width == 8)
		*value |= (uint64_t)slow.value[offset / 4 + 1] << 32;
	return 0;
}

/* Commands are taken at once, and their waits reported. */
static void slow_take(struct pair *p)
{
	while ((slow.value[SMMUV3_CR0ACK / 4] & SMMUV3_CMDQEN) != 0 &&
	       slow.value[SMMUV3_CMDQ_CONS / 4] != slow.value[SMMUV3_CMDQ_PROD / 4]) {
		uint32_t at = slow.value[SMMUV3_CMDQ_CONS / 4]++;
		struct iopf_command command;

		CHECK_EQ(iopf_wire_smmuv3.decode_command(
				 p->bytes + COMMANDS_AT + 16 * at, 16, &command), 0);
		p->commands++;
		if (command.kind == IOPF_COMMAND_WAIT)
			CHECK(ring_status_store(&p->memory, command.status_addr,
						(uint32_t)command.status_data));
	}
}

static int slow_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	slow_settle();
	if (has_acknowledge(offset) || offset == SMMUV3_GBPA) {
		slow.changes += slow.pending > 0 && slow.value[offset / 4] != value;
		slow.pending = 7;
	}
	slow.value[offset / 4] = (uint32_t)value;
	if (width == 8)
		slow.value[offset / 4 + 1] = (uint32_t)(value >> 32);
	if (offset == SMMUV3_CMDQ_PROD)
		slow_take(context);
	return 0;
}

static const struct iopf_register_ops slow_registers = { slow_read, slow_write };

static void slow_create(void)
{
	struct iopf_driver_options options = smmu_driver_options();
	struct iopf_hardware_options hardware = smmu_options(IOPF_SMMUV3_PHYSICAL);

	smmu_create(&hardware);
	memset(&slow, 0, sizeof(slow));
	memcpy(slow.value, hardware.idr, sizeof(hardware.idr));
	options.registers = &slow_registers;
	CHECK_EQ(smmu_driver_create(&options), 0);
}

/* 6.3.9: nothing is changed again before it is in force. */
TEST(a_step_waits_for_the_one_before_and_no_call_waits_at_all)
{
	uint32_t calls = 0;
	int error;

	slow_create();
	slow.value[SMMUV3_CR0 / 4] = SMMU_ON; /* by an earlier driver */
	slow.value[SMMUV3_CR0ACK / 4] = SMMU_ON;
	do {
		uint32_t before = slow.accesses;

		error = iopf_driver_start(pair.driver);
		CHECK(slow.accesses - before < 60);
	} while (error == -EAGAIN && ++calls < 1000);
	CHECK_EQ(error, 0);
	CHECK(calls > 20);
	CHECK_EQ(slow.changes, 0);
	CHECK_EQ(slow.value[SMMUV3_CR0ACK / 4], SMMU_ON | SMMUV3_ATSCHK);
	CHECK_EQ(pair.commands, 3);
	while ((error = iopf_driver_stop(pair.driver)) == -EAGAIN && ++calls < 2000)
		;
	CHECK_EQ(error, 0);
	CHECK_EQ(slow.changes, 0);
	CHECK_EQ(slow.value[SMMUV3_CR0ACK / 4], 0);
}

/* ---- Indices that cannot be ------------------------------------------------------------ */

static int slow_start(void)
{
	int error;

	slow_create();
	while ((error = iopf_driver_start(pair.driver)) == -EAGAIN)
		;
	return error;
}

/* 3.5.1: more entries than the queue has, or fewer than a moment ago. */
TEST(indices_over_more_entries_than_there_are_take_nothing)
{
	static struct iopf_request requests[REQUESTS];
	static struct iopf_fault faults[EVENTS];
	static const uint32_t bad[] = { REQUESTS + 1, 2 * REQUESTS - 1, 2 * REQUESTS,
					0x00100000, 0x40000000, 0x7fffffff };
	uint32_t count;
	bool lost;

	CHECK_EQ(slow_start(), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		slow.value[SMMUV3_PRIQ_PROD / 4] = bad[i];
		CHECK_EQ(iopf_driver_poll(pair.driver, requests, 8), -EIO);
		CHECK_EQ(iopf_driver_recover(pair.driver), -EIO);
		CHECK_EQ(iopf_driver_backlog(pair.driver, &count, &lost), -EIO);
		slow.value[SMMUV3_EVENTQ_PROD / 4] = bad[i];
		CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 8), -EIO);
		CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), -EIO);
	}
	CHECK_EQ(smmu_driver_stats()->bad_indices, 5 * 6);
	CHECK_EQ(slow.value[SMMUV3_PRIQ_CONS / 4], 0);
	/* The whole queue is possible. */
	slow.value[SMMUV3_PRIQ_PROD / 4] = REQUESTS;
	CHECK_EQ(iopf_driver_poll(pair.driver, requests, REQUESTS), REQUESTS);
	/* Backwards is not. */
	slow.value[SMMUV3_EVENTQ_PROD / 4] = 10;
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, 2), 2);
	slow.value[SMMUV3_EVENTQ_PROD / 4] = 5;
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), -EIO);
	slow.value[SMMUV3_EVENTQ_PROD / 4] = 1;
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), -EIO);
	/* What was published before is still taken. */
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, faults, EVENTS), 8);
}

/* 3.5.2: an entry is there when PROD says so, not when its bytes are. */
TEST(entries_behind_the_index_as_last_read_are_not_touched)
{
	struct iopf_request request = pair_request(1, IOPF_LAST), got[8];

	CHECK_EQ(slow_start(), 0);
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQ(iopf_wire_smmuv3.encode_request(
				 &request, pair.bytes + REQUESTS_AT + 16 * i), 0);
	slow.value[SMMUV3_PRIQ_PROD / 4] = 3;
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 2), 2);
	slow.value[SMMUV3_PRIQ_PROD / 4] = 6;
	/* One is left of what was read then; the others come with the next look. */
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 1);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 3);
	CHECK_EQ(iopf_driver_poll(pair.driver, got, 8), 0);
}

TEST(the_consumer_index_of_commands_moves_forward_only)
{
	uint64_t wait;

	CHECK_EQ(slow_start(), 0);
	CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	slow.value[SMMUV3_CMDQ_CONS / 4] = 100; /* beyond what was published */
	for (uint32_t i = 0; i < 200; i++)
		CHECK_EQ(iopf_driver_wait(pair.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_room(pair.driver), COMMANDS - 204);
	CHECK_EQ(smmu_driver_stats()->bad_indices, 1);
	/* ERR is no part of the index. */
	slow.value[SMMUV3_CMDQ_CONS / 4] = 4 | (1u << SMMUV3_CMDQ_ERR_LSB);
	CHECK_EQ(iopf_driver_room(pair.driver), COMMANDS - 200);
}

/* Nothing that is broken in the SMMU itself gets better by asking again. */
TEST(a_service_failure_stays_an_error)
{
	CHECK_EQ(slow_start(), 0);
	slow.value[SMMUV3_GERROR / 4] ^= SMMUV3_SFM_ERR;
	CHECK_EQ(iopf_driver_errors(pair.driver), -EIO);
	CHECK_EQ(iopf_driver_errors(pair.driver), -EIO);
}

/* ---- Registers and memory that lie ------------------------------------------------------ */

static uint64_t seed;
static int access_error;

static uint64_t nonsense(void)
{
	static const uint64_t nice[] = { 0, 1, 2, 3, 127, 128, 129, 255, 256, 257,
					 511, 512, 0x80000000, 0x80000001, UINT64_MAX };

	return test_random(&seed) % 3 == 0 ?
		       test_random(&seed) :
		       nice[test_random(&seed) % (sizeof(nice) / sizeof(nice[0]))];
}

static int lying_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	struct pair *p = context;

	p->accesses++;
	if (access_error != 0)
		return access_error;
	*value = nonsense();
	if (offset <= SMMUV3_IDR5 && test_random(&seed) % 8 != 0)
		*value = slow.value[offset / 4];
	if (width == 4)
		*value &= UINT32_MAX;
	for (int i = 0; i < 4; i++)
		p->bytes[REQUESTS_AT + test_random(&seed) % PAGE] ^= (uint8_t)nonsense();
	p->bytes[SMMU_EVENTS_AT + test_random(&seed) % PAGE] ^= (uint8_t)nonsense();
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
	static struct iopf_request requests[REQUESTS + 1];
	static struct iopf_fault faults[EVENTS + 1];
	struct iopf_command command = pair_response(1);
	uint32_t max = 1 + (uint32_t)(seed % REQUESTS);
	int result = iopf_driver_poll(pair.driver, requests, max);

	CHECK(result == -EIO || result == -EOVERFLOW ||
	      (result >= 0 && (uint32_t)result <= max));
	result = iopf_driver_recover(pair.driver);
	CHECK(result == 0 || result == -EIO || result == -EAGAIN);
	result = iopf_driver_poll_faults(pair.driver, faults, 1 + (uint32_t)(seed % EVENTS));
	CHECK(result == -EIO || (result >= 0 && result <= EVENTS));
	CHECK(iopf_driver_room(pair.driver) <= COMMANDS);
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
	struct iopf_driver_options options = smmu_driver_options();
	uint64_t wait = 0;

	slow_create();
	options.registers = &lying;
	options.forget_silent = true;
	CHECK_EQ(smmu_driver_create(&options), 0);
	for (uint32_t step = 0; step < 100000; step++) {
		uint32_t before = pair.accesses;

		if (step % 16 == 0)
			iopf_driver_start(pair.driver);
		if (step % 1024 == 0)
			iopf_driver_stop(pair.driver);
		lied_to_step(&wait);
		CHECK(pair.accesses - before < 200);
	}
	CHECK(smmu_driver_stats()->bad_indices > 1000);
	/* Nothing was written outside of the queues. */
	for (uint32_t at = STATUS_AT + 4; at < SMMU_EVENTS_AT; at++)
		CHECK_EQ(pair.bytes[at], 0);
	for (uint32_t at = 0; at < REQUESTS_AT; at++)
		CHECK_EQ(pair.bytes[at], 0);
}

TEST(a_driver_hands_on_what_register_accesses_return)
{
	struct iopf_driver_options options = smmu_driver_options();
	struct iopf_request request;
	struct iopf_fault fault;
	uint32_t count;

	slow_create();
	options.registers = &lying;
	CHECK_EQ(smmu_driver_create(&options), 0);
	access_error = -EPIPE;
	CHECK_EQ(iopf_driver_start(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_poll(pair.driver, &request, 1), -EPIPE);
	CHECK_EQ(iopf_driver_poll_faults(pair.driver, &fault, 1), -EPIPE);
	CHECK_EQ(iopf_driver_fault_backlog(pair.driver, &count), -EPIPE);
	CHECK_EQ(iopf_driver_recover(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_errors(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_skip(pair.driver), -EPIPE);
	CHECK_EQ(iopf_driver_stop(pair.driver), -EPIPE);
	access_error = 0;
}

int main(void)
{
	return test_main();
}
