/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the machine that is hardware alone, driven as a host drives it: registers,
 * configuration space, memory; whatever that host writes. */
#include <stdarg.h>
#include <unistd.h>

#include "test.h"

#include "cli/cli.h"
#include "cli/serve.h"
#include "cli/serve_bench.h"
#include "iopf/judge.h"
#include "iopf/queue.h"
#include "model/config.h"
#include "queue/vtd.h"
#include "table_world.h"
#include "table/vtd_scalable.h"
#include "tests/linux/bench.h"

#define RID   0x0008u
#define OTHER 0x0010u
#define PASID 5u
#define BAR   UINT64_C(0xfe600000)
#define BAR2  UINT64_C(0xfe610000)

static struct {
	struct serve serve;
	struct world memory;
	struct vtd_builder builder;
	uint8_t driver_bytes[4096] __attribute__((aligned(8)));
	struct iopf_driver *driver;
	uint64_t interrupts, last_addr;
} w;

/* ---- What the frame gives ------------------------------------------------------------ */

void serve_interrupt(struct serve *serve, uint64_t addr, uint32_t data)
{
	(void)serve, (void)data;
	w.interrupts++;
	w.last_addr = addr;
}

void cli_error(const char *format, ...)
{
	(void)format;
}

void serve_problem(struct serve *serve, const char *format, ...)
{
	(void)serve, (void)format;
}

uint64_t cli_now_ns(void)
{
	return w.serve.now_ns;
}

/* ---- A host -------------------------------------------------------------------------- */

static int read_register(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	*value = serve_hardware.register_read(&w.serve, offset, width);
	return 0;
}

static int write_register(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	(void)context;
	serve_hardware.register_write(&w.serve, offset, width, value);
	return 0;
}

static const struct iopf_register_ops registers = { read_register, write_register };

static void turn(void)
{
	w.serve.now_ns += 1000;
	while (serve_hardware.turn(&w.serve, w.serve.now_ns) > 0)
		;
}

static uint32_t config(uint32_t rid, uint32_t offset, uint32_t width)
{
	return serve_hardware.config_read(&w.serve, rid, offset, width);
}

static void config_set(uint32_t rid, uint32_t offset, uint32_t width, uint32_t value)
{
	serve_hardware.config_write(&w.serve, rid, offset, width, value);
}

static void place(uint32_t rid, uint64_t bar)
{
	config_set(rid, CONFIG_BAR0, 4, (uint32_t)bar);
	config_set(rid, CONFIG_BAR0 + 4, 4, (uint32_t)(bar >> 32));
	config_set(rid, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_BUS_MASTER);
}

static uint64_t memory_get(uint64_t addr)
{
	return serve_memory_read(&w.serve, addr, 8);
}

static void memory_set(uint64_t addr, uint64_t value)
{
	serve_memory_write(&w.serve, addr, 8, value);
}

static uint64_t bench_get(uint64_t bar, uint32_t offset)
{
	return memory_get(bar + SERVE_BENCH + offset);
}

static void bench_set(uint64_t bar, uint32_t offset, uint64_t value)
{
	memory_set(bar + SERVE_BENCH + offset, value);
}

static void start_with(const char *broken, const char *record)
{
	serve_hardware.destroy(&w.serve);
	memset(&w, 0, sizeof(w));
	world_create(&w.memory, 0);
	w.memory.used = 1;
	w.serve.machine = &serve_hardware;
	w.serve.options.functions = 2;
	w.serve.options.broken = broken;
	w.serve.options.record = record;
	w.serve.memory = w.memory.memory;
	w.serve.now_ns = 1;
	CHECK_EQ(serve_hardware.create(&w.serve), CLI_OK);
}

static void start(void)
{
	start_with(NULL, NULL);
}

static uint64_t host_page(void)
{
	uint64_t addr = 0;

	CHECK_EQ(table_take_zeroed(&w.memory.memory, &w.memory.pages, 1, &addr), 0);
	return addr;
}

/* A host that lets both functions page, and has an empty table for each. */
static void host_start(void)
{
	const struct vtd_context context = { .pdts = 7, .ats = true, .pasid = true,
					     .pri = true };
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = 32,
		.wire = &iopf_wire_vtd,
		.registers = &registers,
		.memory = &w.memory.memory,
		.interrupt_addr = 0xfee00000,
	};
	uint64_t cap = serve_hardware.register_read(&w.serve, VTD_CAP, 8);
	uint64_t ecap = serve_hardware.register_read(&w.serve, VTD_ECAP, 8);
	const struct vtd_features features = vtd_features_of(cap, ecap, 46);
	int error;

	CHECK_EQ(vtd_builder_create(&w.builder, &w.memory.memory, &w.memory.pages,
				    &features), 0);
	for (uint32_t rid = RID; rid <= OTHER; rid += OTHER - RID)
		CHECK_EQ(vtd_builder_context(&w.builder, rid, &context), 0);
	options.root_addr = w.builder.root;
	options.request_addr = host_page();
	options.command_addr = host_page();
	options.status_addr = host_page();
	CHECK_EQ(iopf_driver_create(&options, w.driver_bytes, sizeof(w.driver_bytes),
				    &w.driver), 0);
	while ((error = iopf_driver_start(w.driver)) == -EAGAIN)
		turn();
	CHECK_EQ(error, 0);
	for (uint32_t rid = RID; rid <= OTHER; rid += OTHER - RID) {
		place(rid, rid == RID ? BAR : BAR2);
		config_set(rid, CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
		config_set(rid, CONFIG_ATS_CONTROL, 2, ATS_ENABLE);
		config_set(rid, CONFIG_PRI_ALLOCATION, 4, 32);
		config_set(rid, CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
	}
	w.interrupts = 0;
}

static void send(uint64_t bar, uint16_t index)
{
	bench_set(bar, BENCH_PASID, PASID);
	bench_set(bar, BENCH_INDEX, index);
	bench_set(bar, BENCH_ADDR, 0x5000);
	bench_set(bar, BENCH_FLAGS, BENCH_READ | BENCH_LAST);
	bench_set(bar, BENCH_SEND, 1);
}

/* ---- Tests --------------------------------------------------------------------------- */

TEST(two_functions_are_there_and_nobody_else)
{
	start();
	CHECK_EQ(config(RID, CONFIG_VENDOR, 4), 0x5a5a1234);
	CHECK_EQ(config(OTHER, CONFIG_VENDOR, 4), 0x5a5a1234);
	for (uint32_t rid = 0; rid < 256; rid++)
		if (rid != RID && rid != OTHER)
			CHECK_EQ(config(rid, CONFIG_VENDOR, 4), UINT32_MAX);
	CHECK_EQ(config(1, CONFIG_VENDOR, 2), 0xffff);
	CHECK_EQ(config(1, CONFIG_VENDOR, 1), 0xff);
	config_set(1, CONFIG_COMMAND, 2, 0x7);
}

TEST(a_bar_says_how_large_it_is_and_is_where_it_was_put)
{
	start();
	config_set(RID, CONFIG_BAR0, 4, UINT32_MAX);
	CHECK_EQ(config(RID, CONFIG_BAR0, 4), ~(uint32_t)(SERVE_BAR_BYTES - 1) | 4);
	place(RID, BAR);
	CHECK_EQ(memory_get(BAR + MODEL_ENGINE_ID), MODEL_ENGINE_MAGIC);
	CHECK_EQ(bench_get(BAR, BENCH_MAGIC), BENCH_MAGIC_VALUE);
	CHECK_EQ(memory_get(BAR + SERVE_BAR_BYTES), UINT64_MAX);
	CHECK_EQ(memory_get(BAR - 8), UINT64_MAX);
	place(RID, BAR + SERVE_BAR_BYTES);
	CHECK_EQ(memory_get(BAR), UINT64_MAX);
	CHECK_EQ(memory_get(BAR + SERVE_BAR_BYTES), MODEL_ENGINE_MAGIC);
	config_set(RID, CONFIG_COMMAND, 2, 0);
	CHECK_EQ(memory_get(BAR + SERVE_BAR_BYTES), UINT64_MAX);
	CHECK_EQ(bench_get(BAR + SERVE_BAR_BYTES, BENCH_MAGIC), UINT64_MAX);
}

TEST(bars_in_nonsense_places_harm_nobody)
{
	static const uint64_t places[] = { 0, SERVE_BAR_BYTES, UINT64_C(1) << 63,
					   UINT64_MAX - SERVE_BAR_BYTES + 1, UINT64_MAX };

	start();
	place(OTHER, BAR2);
	for (size_t i = 0; i < CLI_COUNT(places); i++) {
		place(RID, places[i]);
		for (size_t k = 0; k < CLI_COUNT(places); k++)
			for (uint64_t at = 0; at < 64; at += 8) {
				memory_get(places[k] + at);
				memory_set(places[k] - at, UINT64_MAX);
			}
		CHECK_EQ(memory_get(BAR2), MODEL_ENGINE_MAGIC);
	}
	/* Two in one place: the first answers. */
	place(RID, BAR2);
	bench_set(BAR2, BENCH_ADDR, 0x1000);
	place(RID, BAR);
	CHECK_EQ(bench_get(BAR, BENCH_ADDR), 0x1000);
	CHECK_EQ(bench_get(BAR2, BENCH_ADDR), 0);
}

TEST(registers_of_widths_that_there_are_not_read_all_ones)
{
	start();
	CHECK_EQ(serve_hardware.register_read(&w.serve, VTD_VER, 4), IOPF_VTD_VERSION);
	CHECK_EQ(serve_hardware.register_read(&w.serve, VTD_VER, 1), UINT64_MAX);
	CHECK_EQ(serve_hardware.register_read(&w.serve, VTD_VER + 2, 4), UINT64_MAX);
	CHECK_EQ(serve_hardware.register_read(&w.serve, 0xfffc, 4), UINT64_MAX);
	serve_hardware.register_write(&w.serve, VTD_GCMD, 2, UINT64_MAX);
	serve_hardware.register_write(&w.serve, 0xfff8, 8, UINT64_MAX);
	CHECK_EQ(serve_hardware.register_read(&w.serve, VTD_GSTS, 4), 0);
}

TEST(a_request_goes_up_and_its_response_comes_back_to_the_one_that_asked)
{
	const struct iopf_command answer = { .kind = IOPF_COMMAND_RESPONSE,
					     .rid = OTHER,
					     .pasid = PASID,
					     .index = 7,
					     .code = IOPF_INVALID };
	struct iopf_request request;

	start();
	host_start();
	send(BAR2, 7);
	CHECK_EQ(bench_get(BAR2, BENCH_RESULT), 1);
	CHECK_EQ(w.interrupts, 1);
	CHECK_EQ(w.last_addr, 0xfee00000);
	CHECK_EQ(iopf_driver_poll(w.driver, &request, 1), 1);
	CHECK_EQ(request.rid, OTHER);
	CHECK_EQ(request.index, 7);
	CHECK_EQ(iopf_driver_submit(w.driver, &answer), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	turn();
	CHECK_EQ(bench_get(BAR2, BENCH_RESPONSES), 1);
	bench_set(BAR2, BENCH_LOG_AT, bench_get(BAR2, BENCH_LOG_COUNT) - 1);
	CHECK_EQ(bench_get(BAR2, BENCH_WINDOW),
		 BENCH_RESPONSE | 1 << 8 | UINT64_C(7) << 32);
	CHECK_EQ(bench_get(BAR, BENCH_RESPONSES), 0);
	/* The queue is one: each bench sees what was put into it. */
	CHECK_EQ(bench_get(BAR, BENCH_GUEST_RESPONSES), 1);
}

/* Violations of a recording. */
static uint64_t judged(const char *file, uint64_t *events)
{
	static uint8_t memory[1 << 22] __attribute__((aligned(64))), bytes[1 << 16];
	const struct iopf_judge_options options = { .size_bytes = sizeof(options),
						    .flags = IOPF_JUDGE_WHOLE,
						    .source_max = 4,
						    .endpoint_max = 16,
						    .owner_max = 4,
						    .space_max = 16,
						    .group_max = 256,
						    .command_max = 4 };
	FILE *recording = fopen(file, "rbe");
	struct iopf_judge *judge;
	char problem[256] = "";
	size_t size;

	CHECK(recording != NULL);
	size = fread(bytes, 1, sizeof(bytes), recording);
	fclose(recording);
	CHECK_EQ(iopf_judge_create(&options, memory, sizeof(memory), &judge), 0);
	iopf_judge_read(judge, file, bytes, size, problem, sizeof(problem));
	CHECK_STR(problem, "");
	iopf_judge_end(judge);
	*events = iopf_judge_events(judge);
	return iopf_judge_tally(judge, IOPF_NO_ID).violations;
}

TEST(what_its_functions_saw_can_be_judged)
{
	const struct iopf_command answer = { .kind = IOPF_COMMAND_RESPONSE,
					     .rid = OTHER,
					     .pasid = PASID,
					     .index = 7,
					     .code = IOPF_INVALID };
	char file[] = "/tmp/cli_serve_hardware.XXXXXX";
	int descriptor = mkstemp(file);
	struct iopf_request request;
	uint64_t events;

	CHECK(descriptor >= 0);
	close(descriptor);
	for (unsigned times = 0; times <= 2; times++) {
		start_with(NULL, file);
		host_start();
		send(BAR2, 7);
		CHECK_EQ(iopf_driver_poll(w.driver, &request, 1), 1);
		for (unsigned n = 0; n < times; n++)
			CHECK_EQ(iopf_driver_submit(w.driver, &answer), 0);
		iopf_driver_kick(w.driver);
		turn();
		serve_hardware.destroy(&w.serve);
		CHECK_EQ(judged(file, &events), times == 1 ? 0 : 1);
		CHECK(events >= 3);
	}
	unlink(file);
}

TEST(a_reset_through_configuration_space_ends_what_was_open)
{
	start();
	host_start();
	send(BAR, 3);
	CHECK_EQ(bench_get(BAR, BENCH_CREDITS) & UINT32_MAX, 1);
	config_set(RID, CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
	CHECK_EQ(memory_get(BAR), UINT64_MAX); /* nothing is enabled */
	place(RID, BAR);
	CHECK_EQ(bench_get(BAR, BENCH_CREDITS) & UINT32_MAX, 0);
	CHECK_EQ(bench_get(BAR, BENCH_RESETS), 1);
	CHECK_EQ(bench_get(BAR2, BENCH_RESETS), 0);
}

TEST(a_function_that_is_silent_costs_its_time_and_the_machine_wakes_up_for_it)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_PAGE,
					      .rid = RID,
					      .pasid = PASID,
					      .size_bytes = 4096 };

	start();
	host_start();
	CHECK_EQ(serve_hardware.next_ns(&w.serve), UINT64_MAX);
	bench_set(BAR, BENCH_SILENCE, 10);
	CHECK_EQ(iopf_driver_submit(w.driver, &command), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	turn();
	CHECK_EQ(bench_get(BAR, BENCH_INVALIDATIONS), 0);
	CHECK(serve_hardware.next_ns(&w.serve) <= w.serve.now_ns + 1000000);
	w.serve.now_ns += 10000000;
	turn();
	CHECK_EQ(bench_get(BAR, BENCH_INVALIDATIONS), 1);
	CHECK_EQ(serve_hardware.next_ns(&w.serve), UINT64_MAX);
}

static uint64_t invalidations_of(const struct serve_function *function)
{
	struct model_function_state state;

	model_function_state(function->function, &state);
	return state.invalidations;
}

TEST(invalidations_are_carried_out_unless_they_are_to_be_broken)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = IOPF_PAGE,
					      .rid = RID,
					      .pasid = PASID,
					      .size_bytes = 4096 };

	for (int broken = 0; broken < 2; broken++) {
		start_with(broken ? "invalidations" : NULL, NULL);
		host_start();
		CHECK_EQ(iopf_driver_submit(w.driver, &command), 0);
		CHECK_EQ(iopf_driver_kick(w.driver), 0);
		turn();
		CHECK_EQ(bench_get(BAR, BENCH_INVALIDATIONS), 1);
		CHECK_EQ(invalidations_of(&w.serve.functions[0]), broken ? 0 : 1);
	}
}

/* Addresses in no table, of no memory, that wrap: a job ends, and says so. */
TEST(jobs_with_wild_descriptors_end)
{
	uint64_t random = 1;

	start();
	host_start();
	for (uint32_t n = 0; n < 3000; n++) {
		uint32_t slot = (uint32_t)test_random(&random) % 17;
		uint64_t at = BAR + MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE;

		memory_set(at + MODEL_JOB_SOURCE, test_random(&random));
		memory_set(at + MODEL_JOB_DESTINATION, test_random(&random));
		memory_set(at + MODEL_JOB_LENGTH,
			   test_random(&random) >> (test_random(&random) & 63));
		memory_set(at + MODEL_JOB_PASID, test_random(&random) & 7);
		memory_set(at + MODEL_JOB_CONTROL, test_random(&random) & 0x707);
		turn();
	}
	for (uint32_t slot = 0; slot < 16; slot++)
		memory_set(BAR + MODEL_ENGINE_JOBS + slot * MODEL_JOB_STRIDE +
				   MODEL_JOB_CONTROL,
			   MODEL_JOB_ABORT);
	turn();
	CHECK_EQ(bench_get(BAR, BENCH_STATUS) & BENCH_STATUS_BUSY, 0);
	CHECK_EQ(memory_get(BAR), MODEL_ENGINE_MAGIC);
}

/* A host that has gone mad: every register, any value, and the queues wherever. */
TEST(whatever_is_written_into_the_window_does_no_harm)
{
	uint64_t random = 2;

	start();
	host_start();
	for (uint32_t n = 0; n < 30000; n++) {
		uint64_t value = test_random(&random) >> (test_random(&random) & 63);
		uint32_t offset = (uint32_t)test_random(&random) % 0x600;
		uint32_t width = 1u << (test_random(&random) & 3);

		switch (test_random(&random) % 4) {
		case 0:
			serve_hardware.register_write(&w.serve, offset, width, value);
			break;
		case 1:
			width = width == 8 ? 4 : width;
			config_set(RID, offset & ~(width - 1) & 0xfff, width,
				   (uint32_t)value);
			break;
		case 2:
			if (offset != BENCH_SEND)
				serve_memory_write(&w.serve, BAR + SERVE_BENCH + offset,
						   width, value);
			break;
		default:
			place(RID, BAR);
			send(BAR, (uint16_t)(n % 512));
			break;
		}
		w.serve.now_ns += 1000;
		serve_hardware.turn(&w.serve, w.serve.now_ns);
	}
}

int main(void)
{
	int failed = test_main();

	serve_hardware.destroy(&w.serve);
	return failed;
}
