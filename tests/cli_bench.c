/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the bench of a function sends what it is told, keeps what came back, and
 * takes whatever software writes. */
#include "test.h"

#include "cli/serve_bench.h"
#include "iopf/wire.h"
#include "model/config.h"
#include "queue_pair.h"
#include "tests/linux/bench.h"

#define RID 0x0008u

static struct {
	struct model_function *function;
	struct bench *bench;
	struct bench_queue queue;
	struct iopf_request last;
	uint32_t sent, also; /* messages; calls of the observer behind the bench */
	uint64_t now_ns;
} world;

static uint64_t now_ns(void)
{
	return world.now_ns;
}

static void page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			 uint64_t payload)
{
	(void)context;
	CHECK_EQ(iopf_pcie_decode_request(payload, rid, pasid, perm, &world.last), 0);
	world.sent++;
}

static void also_request(void *context, struct model_function *function, uint32_t pasid,
			 uint8_t perm, uint64_t payload)
{
	(void)context, (void)function, (void)pasid, (void)perm, (void)payload;
	world.also++;
}

static void also_response(void *context, struct model_function *function, uint32_t pasid,
			  uint64_t payload, enum model_verdict verdict)
{
	(void)context, (void)function, (void)pasid, (void)payload, (void)verdict;
	world.also++;
}

static void also_reset(void *context, struct model_function *function,
		       enum model_reset reset)
{
	(void)context, (void)function, (void)reset;
	world.also++;
}

static void also_credits(void *context, struct model_function *function, uint32_t in_use,
			 uint32_t allocation)
{
	(void)context, (void)function, (void)in_use, (void)allocation;
}

static void start_with(struct bench_options options)
{
	struct model_function_options function = {
		.upstream = { .page_request = page_request },
		.rid = RID,
		.capacity = 512,
		.atc_entries = 64,
		.pasid_width = 20,
		.pasid_in_response = true,
	};

	bench_destroy(world.bench);
	model_function_destroy(world.function);
	memset(&world, 0, sizeof(world));
	options.now_ns = now_ns;
	CHECK_EQ(bench_create(&options, &world.bench), 0);
	function.observer = bench_observer(world.bench);
	CHECK_EQ(model_function_create(&function, &world.function), 0);
	bench_connect(world.bench, world.function, NULL);
	pair_start();
	bench_queue_create(&world.queue, pair.hardware);
	bench_queue_add(&world.queue, world.bench);
}

static void start(void)
{
	start_with((struct bench_options){ 0 });
}

static uint64_t get(uint32_t offset)
{
	return bench_read(world.bench, offset, 8);
}

static void set(uint32_t offset, uint64_t value)
{
	bench_write(world.bench, offset, 8, value);
}

static int64_t send(enum bench_target target, uint64_t flags, uint64_t count)
{
	set(BENCH_TARGET, target);
	set(BENCH_PASID, 5);
	set(BENCH_INDEX, 510);
	set(BENCH_ADDR, 0x12345fff);
	set(BENCH_FLAGS, flags);
	set(BENCH_SEND, count);
	return (int64_t)get(BENCH_RESULT);
}

static int64_t command(uint64_t number)
{
	set(BENCH_COMMAND, number);
	return (int64_t)get(BENCH_RESULT);
}

/* Word @word of record @n. */
static uint64_t logged(uint64_t n, uint32_t word)
{
	set(BENCH_LOG_AT, n);
	return get(BENCH_WINDOW + 8 * word);
}

static void respond(uint32_t pasid, uint16_t index, uint8_t code)
{
	const struct iopf_prg_response response = {
		.rid = RID, .pasid = pasid, .index = index, .code = code,
	};

	model_function_response(world.function, pasid,
				iopf_pcie_encode_response(&response));
}

TEST(one_write_sends_a_group)
{
	start();
	CHECK_EQ(get(BENCH_MAGIC), BENCH_MAGIC_VALUE);
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_READ | BENCH_WRITE | BENCH_LAST, 4), 4);
	CHECK_EQ(world.sent, 4);
	CHECK_EQ(world.last.addr, 0x12345000 + 3 * 4096);
	CHECK_EQ(world.last.index, 510);
	CHECK_EQ(world.last.pasid, 5);
	CHECK_EQ(world.last.perm, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(world.last.flags, IOPF_LAST);
	CHECK_EQ(get(BENCH_REQUESTS), 4);
	CHECK_EQ(get(BENCH_CREDITS) & UINT32_MAX, 4);
}

TEST(or_as_many_groups_under_indices_that_wrap)
{
	start();
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_READ | BENCH_EACH, 3), 3);
	CHECK_EQ(world.last.index, 0);
	CHECK_EQ(world.last.flags, IOPF_LAST);
	CHECK_EQ(world.last.addr, 0x12345000 + 2 * 4096);
}

TEST(a_response_is_counted_kept_and_passed_on)
{
	start_with((struct bench_options){
		.next = { NULL, also_request, also_response, also_reset, also_credits },
	});
	send(BENCH_TARGET_LINK, BENCH_READ | BENCH_LAST, 1);
	world.now_ns = 77;
	respond(5, 510, 1);
	CHECK_EQ(world.also, 2);
	CHECK_EQ(get(BENCH_RESPONSES), 1);
	CHECK_EQ(bench_counts(world.bench)->code[IOPF_INVALID], 1);
	CHECK_EQ(get(BENCH_LOG_COUNT), 1);
	CHECK_EQ(logged(0, 0), BENCH_RESPONSE | 1 << 8 | MODEL_TAKEN << 16 |
				       UINT64_C(510) << 32);
	CHECK_EQ(logged(0, 1), RID | UINT64_C(5) << 32);
	CHECK_EQ(logged(0, 3), 77);
	respond(5, 510, 0);
	CHECK_EQ(get(BENCH_UNEXPECTED), 1);
	CHECK_EQ(logged(1, 0) >> 16 & 0xff, MODEL_UNEXPECTED);
	CHECK_EQ(get(BENCH_STATUS) & BENCH_STATUS_UPRGI, BENCH_STATUS_UPRGI);
}

TEST(the_log_keeps_the_last_and_only_what_is_wanted)
{
	start();
	for (uint32_t n = 0; n < BENCH_LOG_MAX + 3; n++)
		respond(5, (uint16_t)(n % 512), 0);
	CHECK_EQ(get(BENCH_LOG_COUNT), BENCH_LOG_MAX + 3);
	CHECK_EQ(logged(2, 0), 0);
	CHECK_EQ(logged(3, 0) >> 32, 3);
	CHECK_EQ(logged(BENCH_LOG_MAX + 2, 0) >> 32, (BENCH_LOG_MAX + 2) % 512);
	CHECK_EQ(logged(BENCH_LOG_MAX + 3, 0), 0);
	/* A window of many begins with the record that was selected. */
	set(BENCH_LOG_AT, 10);
	CHECK_EQ(get(BENCH_WINDOW + 5 * BENCH_RECORD_BYTES) >> 32, 15);
	set(BENCH_LOG_KINDS, 1 << BENCH_REQUEST);
	respond(5, 1, 0);
	CHECK_EQ(get(BENCH_LOG_COUNT), BENCH_LOG_MAX + 3);
	send(BENCH_TARGET_LINK, BENCH_READ | BENCH_LAST, 1);
	CHECK_EQ(logged(BENCH_LOG_MAX + 3, 0) & 0xff, BENCH_REQUEST);
}

TEST(selectors_out_of_range_read_nothing)
{
	static const uint64_t wild[] = { 1, BENCH_LOG_MAX, UINT32_MAX, UINT64_MAX,
					 UINT64_MAX - 3, UINT64_C(1) << 63 };

	start();
	respond(5, 1, 0);
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		set(BENCH_LOG_AT, wild[i]);
		for (uint32_t at = BENCH_WINDOW; at < BENCH_END; at += 8)
			CHECK_EQ(get(at), 0);
	}
}

TEST(what_cannot_be_sent_is_refused)
{
	start();
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_READ, 0), -EINVAL);
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_READ, BENCH_SEND_MAX + 1), -EINVAL);
	CHECK_EQ(send(2, BENCH_READ, 1), -EINVAL);
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_LAST, 1), -EINVAL);
	set(BENCH_PASID, UINT32_MAX);
	set(BENCH_FLAGS, BENCH_STOP);
	set(BENCH_SEND, 1);
	CHECK_EQ(get(BENCH_RESULT), -EINVAL);
	CHECK_EQ(world.sent, 0);
	CHECK_EQ(command(0), -EINVAL);
	CHECK_EQ(command(UINT64_MAX), -EINVAL);
}

TEST(a_stop_marker_is_nothing_else)
{
	start();
	CHECK_EQ(send(BENCH_TARGET_LINK, BENCH_STOP | BENCH_READ | BENCH_LAST, 1), 1);
	CHECK_EQ(world.last.flags, IOPF_STOP);
	CHECK_EQ(get(BENCH_STOP_MARKERS), 1);
	CHECK_EQ(get(BENCH_REQUESTS), 0);
}

TEST(whatever_is_written_anywhere_does_no_harm)
{
	uint64_t random = 1;

	start();
	for (uint32_t n = 0; n < 20000; n++) {
		uint32_t width = test_random(&random) & 1 ? 4 : 8;
		uint32_t offset = (uint32_t)test_random(&random) % 0x120;
		uint64_t value = test_random(&random) >> (test_random(&random) & 63);

		if ((offset & ~7u) == BENCH_SEND || (offset & ~7u) == BENCH_TARGET)
			value %= 3;
		world.sent = 0;
		bench_write(world.bench, offset, width, value);
		bench_read(world.bench, (uint32_t)test_random(&random) % 0x9000, width);
	}
}

TEST(halves_of_a_register_are_written_apart_and_the_lower_one_acts)
{
	start();
	bench_write(world.bench, BENCH_ADDR, 4, 0x89abc000);
	bench_write(world.bench, BENCH_ADDR + 4, 4, 0x7f);
	CHECK_EQ(get(BENCH_ADDR), UINT64_C(0x7f89abc000));
	CHECK_EQ(bench_read(world.bench, BENCH_ADDR + 4, 4), 0x7f);
	set(BENCH_FLAGS, BENCH_READ | BENCH_LAST);
	bench_write(world.bench, BENCH_SEND + 4, 4, 1);
	CHECK_EQ(world.sent, 0);
	bench_write(world.bench, BENCH_SEND, 4, 1);
	CHECK_EQ(world.sent, 1);
	CHECK_EQ(bench_read(world.bench, BENCH_ADDR, 2), UINT64_MAX);
	CHECK_EQ(bench_read(world.bench, BENCH_ADDR + 2, 4), UINT64_MAX);
}

TEST(a_record_goes_past_everything_into_the_queue_of_software)
{
	start();
	CHECK_EQ(send(BENCH_TARGET_QUEUE, BENCH_READ | BENCH_LAST, 3), 3);
	CHECK_EQ(world.sent, 0);
	CHECK_EQ(get(BENCH_POSTED), 3);
	CHECK_EQ(get(BENCH_QUEUE_TAIL) - get(BENCH_QUEUE_HEAD), 3 * 32);
	CHECK_EQ(get(BENCH_INTERRUPTS), 1);
	CHECK_EQ(pair.interrupts, 1);
	/* And says how many found room. */
	CHECK_EQ(send(BENCH_TARGET_QUEUE, BENCH_READ | BENCH_EACH, 500), 127 - 3);
	CHECK_EQ(get(BENCH_OVERFLOWS), 1);
	CHECK_EQ(get(BENCH_STATUS) & BENCH_STATUS_OVERFLOW, BENCH_STATUS_OVERFLOW);
}

TEST(interrupts_are_held_and_let_go)
{
	start();
	CHECK_EQ(command(BENCH_COMMAND_HOLD), 0);
	CHECK_EQ(get(BENCH_STATUS) & BENCH_STATUS_HOLDING, BENCH_STATUS_HOLDING);
	send(BENCH_TARGET_QUEUE, BENCH_READ | BENCH_LAST, 1);
	CHECK_EQ(pair.interrupts, 0);
	CHECK_EQ(get(BENCH_HELD), 1);
	CHECK_EQ(command(BENCH_COMMAND_LET_GO), 0);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(get(BENCH_HELD), 0);
	CHECK_EQ(command(BENCH_COMMAND_LET_GO), 0);
	CHECK_EQ(pair.interrupts, 1);
}

TEST(what_software_puts_into_the_queue_is_seen)
{
	struct iopf_command answer = pair_response(7);
	uint64_t wait;

	start();
	answer.rid = RID;
	CHECK_EQ(iopf_driver_submit(pair.driver, &answer), 0);
	CHECK_EQ(iopf_driver_wait(pair.driver, IOPF_WAIT_DRAIN, &wait), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
	iopf_hardware_run(pair.hardware, 8);
	CHECK_EQ(get(BENCH_GUEST_RESPONSES), 1);
	CHECK_EQ(get(BENCH_DRAINS), 1);
	CHECK_EQ(get(BENCH_COMMANDS), 2);
	CHECK_EQ(logged(0, 0), BENCH_ANSWER | 1 << 8 | UINT64_C(7) << 32);
	CHECK_EQ(logged(1, 0) & 0xff, BENCH_DRAIN);
}

TEST(an_invalidation_is_carried_out_unless_that_is_broken)
{
	uint64_t payload = model_invalidate_payload(0x1000, 4096, false);
	struct model_function_state state;

	start();
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), 0);
	CHECK_EQ(get(BENCH_INVALIDATIONS), 1);
	CHECK_EQ(logged(0, 0) & 0xff, BENCH_INVALIDATION);
	CHECK_EQ(logged(0, 2), payload);
	model_function_state(world.function, &state);
	CHECK_EQ(state.invalidations, 1);
	CHECK_EQ(command(BENCH_COMMAND_MUTE), 0);
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), -EAGAIN);
	CHECK_EQ(get(BENCH_INVALIDATIONS), 1);
	CHECK_EQ(command(BENCH_COMMAND_SPEAK), 0);
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), 0);

	start_with((struct bench_options){ .break_invalidations = true });
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), 0);
	CHECK_EQ(get(BENCH_INVALIDATIONS), 1);
	model_function_state(world.function, &state);
	CHECK_EQ(state.invalidations, 0);
}

TEST(a_function_is_silent_for_as_long_as_it_is_told)
{
	uint64_t payload = model_invalidate_payload(0x1000, 4096, false);

	start();
	set(BENCH_SILENCE, 2);
	CHECK_EQ(get(BENCH_SILENCE), 2);
	world.now_ns += 1999999;
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), -EAGAIN);
	CHECK_EQ(get(BENCH_SILENCE), 1);
	world.now_ns++;
	CHECK_EQ(bench_invalidate(world.bench, 5, payload), 0);
	CHECK_EQ(get(BENCH_SILENCE), 0);
	set(BENCH_SILENCE, UINT64_MAX);
	CHECK_EQ(get(BENCH_SILENCE), 3600000);
}

TEST(the_function_can_be_told_to_reset_itself)
{
	start();
	send(BENCH_TARGET_LINK, BENCH_READ | BENCH_LAST, 1);
	CHECK_EQ(command(BENCH_COMMAND_FLR), 0);
	CHECK_EQ(get(BENCH_RESETS), 1);
	CHECK_EQ(logged(0, 0), BENCH_RESET | MODEL_FLR << 16);
	CHECK_EQ(get(BENCH_CREDITS) & UINT32_MAX, 0);
}

int main(void)
{
	int failed = test_main();

	bench_destroy(world.bench);
	model_function_destroy(world.function);
	return failed;
}
