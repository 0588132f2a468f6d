/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h - benchmarks as rows of one table. A figure is worth little by itself on a
 * machine that others use: each is measured in rounds, turn and turn about with a
 * yardstick, and what counts is the ratio of the two minima.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_ROUNDS_MIN = 15, BENCH_ROUNDS_MAX = 1000 };

/* One side of a comparison, in the benchmark's unit, over its rounds. */
struct bench_side {
	double min, median, p99;
};

struct bench_result {
	struct bench_side figure, yardstick;
	double ratio; /* figure.min / yardstick.min */
	unsigned rounds;
};

struct bench {
	const char *name;
	const char *unit;
	const char *yardstick; /* what the figure is held against */
	double goal;           /* what the ratio shall be one day */
	double limit;          /* what it must not exceed now */
	/* Measure for about @seconds. Returns 0 or a negative errno. */
	int (*run)(double seconds, struct bench_result *result);
};

extern const struct bench bench_table[];
extern const size_t bench_count;

/* One side: @work does @steps steps and says how many it did not find right. */
struct bench_work {
	uint64_t (*work)(void *context, uint64_t steps);
	void *context;
	uint64_t steps; /* a round; a round takes a millisecond or so */
};

/* Rounds of @figure and @yardstick in turn, in nanoseconds a step.
 * Returns 0, or -EIO where a step went wrong. */
int bench_compare(const struct bench_work *figure, const struct bench_work *yardstick,
		  double seconds, struct bench_result *result);

/* The yardstick of most: 32-byte records of a ring copied, three fields checked. */
uint64_t bench_copy_and_check(void *unused, uint64_t steps);

/* broker.c: one-request groups, report to response, 512 open; 65,536 against 64. */
int bench_broker(double seconds, struct bench_result *result);
int bench_broker_growth(double seconds, struct bench_result *result);

#endif
