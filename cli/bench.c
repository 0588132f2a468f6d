/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/bench.c - iopf bench: each figure, its yardstick taken in the same run, the ratio. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/cli.h"
#include "cli/options.h"

enum { NAME_MAX_COUNT = 16 };

struct bench_options {
	bool json;
	uint64_t seconds_ns;
	const char *names[NAME_MAX_COUNT];
	size_t name_count;
};

static const struct option options[] = {
	{ .name = "json",
	  .text = "results as JSON (schema iopf.bench/1)",
	  .member = offsetof(struct bench_options, json),
	  .type = OPTION_FLAG },
	{ .name = "seconds",
	  .value = "S",
	  .text = "how long each benchmark takes (default 2)",
	  .member = offsetof(struct bench_options, seconds_ns),
	  .first = 100000000,
	  .last = UINT64_C(3600000000000),
	  .type = OPTION_SECONDS },
};

static const struct option_table table = {
	.usage = "bench [OPTION...] [NAME...]",
	.about = "Each benchmark runs in rounds, turn and turn about with its yardstick; what\n"
		 "counts is the ratio of the two minima. Without a NAME, all of them.",
	.after = "Names: broker, broker-growth.\n"
		 "Exit code 1: a ratio is beyond its limit.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct bench_options, names),
	.operand_name = "NAME",
	.operand_max = NAME_MAX_COUNT,
	.operand_count = offsetof(struct bench_options, name_count),
};

static const struct bench *find(const char *name)
{
	for (size_t i = 0; i < bench_count; i++)
		if (strcmp(bench_table[i].name, name) == 0)
			return &bench_table[i];
	cli_error("no benchmark '%s'; iopf bench --help names them", name);
	return NULL;
}

/* The minima are what counts; how far rounds were apart stands beside them. */
static json_t *result_json(const struct bench *bench, const struct bench_result *result)
{
	return json_pack(
		"{s:s, s:f, s:s, s:f, s:s, s:f, s:f, s:f, s:b, s:i, s:f, s:f, s:f, s:f}",
		"name", bench->name, "figure", result->figure.min, "unit", bench->unit,
		"yardstick", result->yardstick.min, "yardstick_is", bench->yardstick,
		"ratio", result->ratio, "goal", bench->goal, "limit", bench->limit, "pass",
		result->ratio <= bench->limit, "rounds", (int)result->rounds,
		"figure_median", result->figure.median, "figure_p99", result->figure.p99,
		"yardstick_median", result->yardstick.median, "yardstick_p99",
		result->yardstick.p99);
}

static void print_result(const struct bench *bench, const struct bench_result *result)
{
	const char *verdict = result->ratio <= bench->goal  ? "reaches its goal" :
			      result->ratio <= bench->limit ? "within its limit" :
							      "BEYOND ITS LIMIT";

	printf("%s: %.1f times %s\n", bench->name, result->ratio, bench->yardstick);
	printf("  figure     min %8.2f  median %8.2f  p99 %8.2f %s\n", result->figure.min,
	       result->figure.median, result->figure.p99, bench->unit);
	printf("  yardstick  min %8.2f  median %8.2f  p99 %8.2f %s\n",
	       result->yardstick.min, result->yardstick.median, result->yardstick.p99,
	       bench->unit);
	printf("  goal %g, limit %g, %u rounds: %s\n", bench->goal, bench->limit,
	       result->rounds, verdict);
}

/* Runs one; adds to @results or prints. Returns whether it is within its limit. */
static bool run(const struct bench *bench, double seconds, json_t *results)
{
	struct bench_result result;
	int error = bench->run(seconds, &result);

	if (error != 0) {
		cli_error("benchmark %s: %s", bench->name, strerror(-error));
		return false;
	}
	if (results != NULL)
		json_array_append_new(results, result_json(bench, &result));
	else
		print_result(bench, &result);
	return result.ratio <= bench->limit;
}

int cli_bench(int argc, char **argv)
{
	struct bench_options said = { .seconds_ns = 2000000000 };
	const struct bench *chosen[NAME_MAX_COUNT];
	int code = options_read(&table, &said, argc, argv);
	bool all = true;
	json_t *results;
	size_t count;

	if (code != OPTION_GO_ON)
		return code;
	count = said.name_count != 0 ? said.name_count : bench_count;
	for (size_t i = 0; i < count; i++) {
		chosen[i] = said.name_count != 0 ? find(said.names[i]) : &bench_table[i];
		if (chosen[i] == NULL)
			return CLI_USAGE;
	}
	results = said.json ? json_array() : NULL;
	for (size_t i = 0; i < count; i++)
		all = run(chosen[i], (double)said.seconds_ns / 1e9, results) && all;
	if (said.json) {
		json_t *json = json_pack("{s:s, s:b, s:o}", "schema", "iopf.bench/1", "ok",
					 all, "results", results);

		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(json);
	}
	return all ? CLI_OK : CLI_NO;
}
