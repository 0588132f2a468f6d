/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_hardware.c - machine B: the program is a host, and this is its hardware: an
 * IOMMU, and functions behind it. Nothing of this library's host side is in between.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/serve.h"
#include "cli/serve_bench.h"
#include "cli/serve_record.h"
#include "model/iommu.h"

enum {
	BUDGET = 256, /* commands, a turn; */
	ENGINE_BUDGET = 16,
	CAPACITY = 512, /* page requests of a function */
};

static const uint64_t millisecond_ns = 1000000, second_ns = 1000000000;

struct hardware {
	struct model_iommu *iommu;
	struct bench_queue queue;
	struct serve_record *record; /* or NULL */
};

/* ---- An IOMMU -------------------------------------------------------------------- */

static void on_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)rid;
	serve_interrupt(context, addr, data);
}

static int iommu_create(struct serve *serve)
{
	const struct model_iommu_options options = {
		.family = "vtd",
		.memory = &serve->memory,
		.pasid_bits = 20,
		.address_bits = 46,
		.context_lines = 64,
		.pasid_lines = 64,
		.translation_lines = 1024,
		.invalidation_timeout_ns = second_ns,
		.interrupt = on_interrupt,
		.context = serve,
	};
	struct hardware *hardware = serve->state;
	int error = model_iommu_create(&options, &hardware->iommu);

	if (error == 0)
		bench_queue_create(&hardware->queue,
				   model_iommu_hardware(hardware->iommu));
	return error;
}

/* ---- Functions -------------------------------------------------------------------- */

static void on_response(void *context, uint32_t pasid, uint64_t payload)
{
	model_function_response(((struct serve_function *)context)->function, pasid,
				payload);
}

static int on_invalidate(void *context, uint32_t pasid, uint64_t payload)
{
	return bench_invalidate(((struct serve_function *)context)->bench, pasid, payload);
}

static int function_models(struct serve_function *function, struct model_iommu *iommu)
{
	const struct model_function_options options = {
		.upstream = model_iommu_upstream(iommu),
		.observer = bench_observer(function->bench),
		.rid = function->rid,
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.class_code = 0x120000, /* processing accelerator */
		.capacity = CAPACITY,
		.atc_entries = 256,
		.pasid_width = 20,
		.exec = true,
		.priv = true,
		.pasid_in_response = true,
		.bar_bytes = SERVE_BAR_BYTES,
	};
	struct model_engine_options engine = {
		.job_max = MODEL_ENGINE_JOB_MAX,
		.window = 8,
		.group_pages = 16,
		.retry_max = 8,
		.piece_bytes = 4096,
	};
	int error = model_function_create(&options, &function->function);

	engine.function = function->function;
	return error != 0 ? error : model_engine_create(&engine, &function->engine);
}

static int function_create(struct serve *serve, uint32_t number)
{
	struct hardware *hardware = serve->state;
	struct serve_function *function = &serve->functions[number];
	const uint32_t rid = (number + 1) << 3; /* function 0 of device number + 1, bus 0 */
	const struct bench_options bench = {
		.next = serve_record_observer(hardware->record, number, rid),
		.now_ns = cli_now_ns,
		.break_invalidations = serve->options.broken != NULL,
	};
	const struct model_downstream downstream = { .context = function,
						     .response = on_response,
						     .invalidate = on_invalidate };
	int error = bench_create(&bench, &function->bench);

	function->rid = rid;
	serve->function_count = number + 1;
	if (error == 0)
		error = function_models(function, hardware->iommu);
	if (error != 0)
		return error;
	bench_connect(function->bench, function->function, function->engine);
	bench_queue_add(&hardware->queue, function->bench);
	return model_iommu_connect(hardware->iommu, function->rid, &downstream);
}

static void function_destroy(struct serve_function *function)
{
	model_engine_destroy(function->engine);
	model_function_destroy(function->function);
	bench_destroy(function->bench);
	*function = (struct serve_function){ 0 };
}

/* ---- The machine ------------------------------------------------------------------ */

static int create(struct serve *serve)
{
	struct hardware *hardware = calloc(1, sizeof(*hardware));
	int code = CLI_OK, error;

	serve->state = hardware;
	if (hardware != NULL)
		code = serve_record_open(serve, &hardware->record);
	if (code != CLI_OK)
		return code;
	error = hardware == NULL ? -ENOMEM : iommu_create(serve);
	for (uint32_t i = 0; error == 0 && i < serve->options.functions; i++)
		error = function_create(serve, i);
	if (error == 0) {
		serve_record_begin(hardware->record);
		return CLI_OK;
	}
	cli_error("hardware cannot be set up: %s", strerror(-error));
	return CLI_MISSING;
}

/* Functions before what they send to. */
static void destroy(struct serve *serve)
{
	struct hardware *hardware = serve->state;

	for (uint32_t i = 0; i < serve->function_count; i++)
		function_destroy(&serve->functions[i]);
	serve->function_count = 0;
	if (hardware != NULL) {
		model_iommu_destroy(hardware->iommu);
		serve_record_close(hardware->record);
	}
	free(hardware);
	serve->state = NULL;
}

static struct iopf_hardware *registers_of(const struct serve *serve)
{
	return model_iommu_hardware(((struct hardware *)serve->state)->iommu);
}

/* Widths that no register has are refused there, and counted. */
static uint64_t register_read(struct serve *serve, uint32_t offset, uint32_t width_bytes)
{
	uint64_t value = UINT64_MAX;

	iopf_hardware_read(registers_of(serve), offset, width_bytes, &value);
	return value;
}

static void register_write(struct serve *serve, uint32_t offset, uint32_t width_bytes,
			   uint64_t value)
{
	iopf_hardware_write(registers_of(serve), offset, width_bytes, value);
}

static struct model_function *function_at(struct serve *serve, uint32_t rid)
{
	for (uint32_t i = 0; i < serve->function_count; i++)
		if (serve->functions[i].rid == rid)
			return serve->functions[i].function;
	return NULL;
}

static uint32_t config_read(struct serve *serve, uint32_t rid, uint32_t offset,
			    uint32_t width_bytes)
{
	const struct model_function *function = function_at(serve, rid);

	return function == NULL ?
		       UINT32_MAX >> 8 * (4 - width_bytes) :
		       model_function_config_read(function, offset, width_bytes);
}

static void config_write(struct serve *serve, uint32_t rid, uint32_t offset,
			 uint32_t width_bytes, uint32_t value)
{
	struct model_function *function = function_at(serve, rid);

	if (function != NULL)
		model_function_config_write(function, offset, width_bytes, value);
}

static uint32_t turn(struct serve *serve, uint64_t now_ns)
{
	struct hardware *hardware = serve->state;
	uint32_t done = model_iommu_run(hardware->iommu, BUDGET, now_ns);

	for (uint32_t i = 0; i < serve->function_count; i++)
		done += model_engine_run(serve->functions[i].engine, ENGINE_BUDGET,
					 now_ns);
	return done;
}

/* A command that waits for a function is asked again soon, and given up in time. */
static uint64_t next_ns(const struct serve *serve)
{
	return registers_of(serve)->holding ? serve->now_ns + millisecond_ns :
					      UINT64_MAX;
}

static void gone(struct serve *serve)
{
	(void)serve;
}

/* Hardware lets go of nothing: it is switched off. */
static bool over(const struct serve *serve)
{
	(void)serve;
	return true;
}

/* ---- What it did ------------------------------------------------------------------ */

/* A host may send its hardware what it likes: the verdict is the program's own. */
static void judge(struct serve *serve)
{
	(void)serve;
}

struct number {
	const char *name;
	uint64_t value;
};

enum { NUMBER_COUNT = 12 };

static void numbers_of(const struct serve *serve, struct number numbers[NUMBER_COUNT])
{
	const struct hardware *hardware = serve->state;
	const struct model_iommu_stats stats = model_iommu_stats(hardware->iommu);
	const struct iopf_hardware_stats *queues =
		iopf_hardware_stats(registers_of(serve));
	const struct number all[NUMBER_COUNT] = {
		{ "translations", stats.translations },
		{ "refused", stats.refused },
		{ "accesses", stats.accesses },
		{ "page_requests", stats.requests },
		{ "refused_requests", stats.refused_requests },
		{ "responses", stats.responses },
		{ "responses_nowhere", stats.responses_nowhere },
		{ "overflows", queues->overflows },
		{ "drains", hardware->queue.drains },
		{ "invalidations", stats.invalidations },
		{ "invalidation_timeouts", stats.invalidation_timeouts },
		{ "bad_accesses", queues->bad_accesses },
	};

	memcpy(numbers, all, sizeof(all));
}

static void print_functions(const struct serve *serve)
{
	printf("\n%-8s %9s %7s %9s %9s %8s %10s %6s %7s %5s %2s\n", "function", "requests",
	       "markers", "success", "invalid", "failure", "unexpected", "resets", "credits",
	       "UPRGI", "RF");
	for (uint32_t i = 0; i < serve->function_count; i++) {
		const struct serve_function *function = &serve->functions[i];
		const struct bench_counts *counts = bench_counts(function->bench);
		struct model_function_state state;

		model_function_state(function->function, &state);
		printf("%02" PRIx32 ":%02" PRIx32 ".%" PRIx32 "  %9" PRIu64 " %7" PRIu64
		       " %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %10" PRIu64 " %6" PRIu64
		       " %7" PRIu32 " %5d %2d\n",
		       function->rid >> 8, function->rid >> 3 & 31, function->rid & 7,
		       counts->requests, counts->markers, counts->code[IOPF_SUCCESS],
		       counts->code[IOPF_INVALID], counts->code[IOPF_FAILURE],
		       counts->unexpected, counts->resets, state.credits_in_use,
		       state.uprgi, state.rf);
	}
}

static void report(const struct serve *serve)
{
	struct number numbers[NUMBER_COUNT];

	print_functions(serve);
	numbers_of(serve, numbers);
	printf("\n%-22s %12s\n", "IOMMU", "times");
	for (unsigned i = 0; i < NUMBER_COUNT; i++)
		printf("%-22s %12" PRIu64 "\n", numbers[i].name, numbers[i].value);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *function_json(const struct serve_function *function)
{
	const struct bench_counts *counts = bench_counts(function->bench);
	struct model_function_state state;
	json_t *json = json_object(), *responses = json_object();

	model_function_state(function->function, &state);
	for (unsigned code = 0; code < IOPF_CODE_COUNT; code++)
		json_object_set_new(responses, iopf_code_name((enum iopf_code)code),
				    number(counts->code[code]));
	json_object_set_new(json, "rid", json_sprintf("0x%" PRIx32, function->rid));
	json_object_set_new(json, "requests", number(counts->requests));
	json_object_set_new(json, "stop_markers", number(counts->markers));
	json_object_set_new(json, "responses", responses);
	json_object_set_new(json, "unexpected", number(counts->unexpected));
	json_object_set_new(json, "invalidations", number(counts->invalidations));
	json_object_set_new(json, "resets", number(counts->resets));
	json_object_set_new(json, "credits_in_use", number(state.credits_in_use));
	json_object_set_new(json, "allocation", number(state.allocation));
	json_object_set_new(json, "uprgi", json_boolean(state.uprgi));
	json_object_set_new(json, "rf", json_boolean(state.rf));
	return json;
}

static void report_json(const struct serve *serve, json_t *json)
{
	struct number numbers[NUMBER_COUNT];
	json_t *iommu = json_object(), *functions = json_array();

	for (uint32_t i = 0; i < serve->function_count; i++)
		json_array_append_new(functions, function_json(&serve->functions[i]));
	json_object_set_new(json, "functions", functions);

	numbers_of(serve, numbers);
	for (unsigned i = 0; i < NUMBER_COUNT; i++)
		json_object_set_new(iommu, numbers[i].name, number(numbers[i].value));
	json_object_set_new(json, "iommu", iommu);
}

const struct serve_machine_ops serve_hardware = {
	.name = "hardware",
	.create = create,
	.destroy = destroy,
	.register_read = register_read,
	.register_write = register_write,
	.config_read = config_read,
	.config_write = config_write,
	.turn = turn,
	.next_ns = next_ns,
	.gone = gone,
	.over = over,
	.judge = judge,
	.report = report,
	.report_json = report_json,
};
