/* SPDX-License-Identifier: BSD-3-Clause */
/* bench/driver.c - every benchmark of the table, or those named; exit 1 beyond a limit. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static bool is_wanted(const struct bench *bench, int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], bench->name) == 0)
			return true;
	return count == 0;
}

static bool run(const struct bench *bench)
{
	struct bench_result r;
	int failed = bench->run(1.0, &r);

	if (failed != 0) {
		printf("%s: error %d\n", bench->name, -failed);
		return false;
	}
	printf("%s: %.1f %s (median %.1f, p99 %.1f, %u rounds)\n", bench->name,
	       r.figure.min, bench->unit, r.figure.median, r.figure.p99, r.rounds);
	printf("  %.2f times %s (%.2f %s, median %.2f); limit %.1f, goal %.1f\n", r.ratio,
	       bench->yardstick, r.yardstick.min, bench->unit, r.yardstick.median,
	       bench->limit, bench->goal);
	return r.ratio <= bench->limit;
}

int main(int argc, char **argv)
{
	bool held = true;

	for (size_t i = 0; i < bench_count; i++)
		if (is_wanted(&bench_table[i], argc - 1, argv + 1))
			held &= run(&bench_table[i]);
	return held ? 0 : 1;
}
