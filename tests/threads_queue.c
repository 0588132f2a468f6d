/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: both ends on threads of their own, 10^6 records through one queue of each
 * family, beside SMMUv3's stalls. The registers are behind a lock, which is the acquire
 * and release that queue.h asks for; entries and the status word are reached without it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "test.h"

#include "queue_smmuv3_driver.h"

enum { RECORDS = 1000000, RESPONSES = 200000, STALLS = 200000, BATCH = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool driver_done;
static uint64_t accepted_count, lost_count; /* hardware thread's, read after join */
static uint32_t stall_count; /* that cross; 0 where the family has none */

static int locked_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	int error;

	pthread_mutex_lock(&lock);
	error = pair_read(context, offset, width, value);
	pthread_mutex_unlock(&lock);
	return error;
}

static int locked_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	int error;

	pthread_mutex_lock(&lock);
	error = pair_write(context, offset, width, value);
	pthread_mutex_unlock(&lock);
	return error;
}

static const struct iopf_register_ops locked = { locked_read, locked_write };

static uint64_t commands_seen, commands_wrong;

static int command_seen(void *context, const struct iopf_command *command)
{
	(void)context;
	if (command->kind != IOPF_COMMAND_RESPONSE)
		return 0;
	commands_wrong += command->rid != (commands_seen & 0xffff);
	commands_seen++;
	return 0;
}

/* Each is tried until it is recorded. */
static void stalls_put(uint32_t *next)
{
	for (int i = 0; i < 4 && *next < stall_count; i++) {
		if (!smmu_fault(*next & 0xffff, true))
			break;
		++*next;
	}
}

static void *hardware_thread(void *argument)
{
	uint64_t next = 0;
	uint32_t next_stall = 0;

	(void)argument;
	while (!atomic_load(&driver_done)) {
		int posted = IOPF_POSTED;

		pthread_mutex_lock(&lock);
		stalls_put(&next_stall);
		for (int i = 0; i < 16 && next < RECORDS && posted == IOPF_POSTED; i++) {
			struct iopf_request request = pair_request(next, IOPF_LAST);

			posted = iopf_hardware_post(pair.hardware, &request);
			next += posted == IOPF_POSTED;
			lost_count += posted != IOPF_POSTED;
		}
		iopf_hardware_run(pair.hardware, 16);
		pthread_mutex_unlock(&lock);
		if (posted != IOPF_POSTED || next == RECORDS)
			sched_yield();
	}
	accepted_count = next;
	return NULL;
}

static void commands_put(uint64_t *submitted, uint64_t *wait)
{
	for (int i = 0; i < 8 && *submitted < RESPONSES; i++) {
		struct iopf_command command = pair_response(*submitted);

		if (iopf_driver_submit(pair.driver, &command) != 0)
			break;
		++*submitted;
	}
	if (iopf_driver_waited(pair.driver, *wait))
		iopf_driver_wait(pair.driver, 0, wait);
	iopf_driver_kick(pair.driver);
}

static void stalls_take(uint32_t *taken)
{
	struct iopf_fault faults[BATCH];
	int count = iopf_driver_poll_faults(pair.driver, faults, BATCH);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++) {
		CHECK(faults[i].stall);
		CHECK_EQ(faults[i].index, *taken & 0xffff);
		++*taken;
	}
}

static int requests_take(uint64_t *taken)
{
	struct iopf_request requests[BATCH];
	int count = iopf_driver_poll(pair.driver, requests, BATCH);

	if (count == -EOVERFLOW)
		count = iopf_driver_recover(pair.driver);
	CHECK(count >= 0 || count == -EAGAIN);
	for (int i = 0; i < count; i++) {
		CHECK_EQ(requests[i].addr, *taken << 12);
		CHECK_EQ(requests[i].index, *taken & 0x1ff);
		++*taken;
	}
	return count;
}

static void driver_loop(void)
{
	uint64_t taken = 0, submitted = 0, wait = 0;
	uint32_t stalls = 0;

	while (taken < RECORDS || submitted < RESPONSES || stalls < stall_count) {
		int count = requests_take(&taken);

		if (stall_count != 0)
			stalls_take(&stalls);
		commands_put(&submitted, &wait);
		if (count == 0)
			sched_yield();
	}
	while (iopf_driver_wait(pair.driver, 0, &wait) == -EAGAIN)
		sched_yield();
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	while (!iopf_driver_waited(pair.driver, wait))
		sched_yield();
}

static const struct iopf_hardware_ops ops = {
	command_seen, pair_interrupt, pair_root, pair_translation, pair_change,
};

static void cross(void)
{
	pthread_t thread;

	accepted_count = lost_count = commands_seen = commands_wrong = 0;
	atomic_store(&driver_done, false);
	CHECK_EQ(pthread_create(&thread, NULL, hardware_thread, NULL), 0);
	driver_loop();
	atomic_store(&driver_done, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(accepted_count, RECORDS);
	CHECK_EQ(iopf_driver_stats(pair.driver)->requests, RECORDS);
	CHECK_EQ(commands_seen, RESPONSES);
	CHECK_EQ(commands_wrong, 0);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->answered, lost_count);
	CHECK_EQ(iopf_driver_stats(pair.driver)->faults, stall_count);
}

TEST(records_and_commands_cross_between_threads)
{
	struct iopf_driver_options options = pair_driver_options(32);

	options.registers = &locked;
	pair_start_ops(&options, &ops);
	stall_count = 0;
	cross();
}

TEST(so_they_do_in_the_queues_of_smmuv3)
{
	struct iopf_driver_options options = smmu_driver_options();

	options.registers = &locked;
	smmu_driver_start_ops(&options, &ops);
	stall_count = STALLS;
	cross();
}

int main(void)
{
	return test_main();
}
