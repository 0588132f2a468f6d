/* SPDX-License-Identifier: BSD-3-Clause */
/* bench/bench.c - the table of benchmarks, rounds, and the yardstick of most. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COPY "a copied and checked 32-byte record"

const struct bench bench_table[] = {
	{ "broker", "ns", COPY, 12, 20, bench_broker },
	{ "broker-growth", "ns", "the same with 64 open instead of 65,536", 1.8, 2,
	  bench_broker_growth },
};
const size_t bench_count = sizeof(bench_table) / sizeof(bench_table[0]);

/* ---- Rounds ------------------------------------------------------------------------------ */

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double one_round(const struct bench_work *side, uint64_t *wrong)
{
	double start_ns = now_ns();

	*wrong += side->work(side->context, side->steps);
	return (now_ns() - start_ns) / (double)side->steps;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static struct bench_side side_of(double *figures, unsigned count)
{
	qsort(figures, count, sizeof(*figures), by_size);
	return (struct bench_side){ .min = figures[0],
				    .median = figures[count / 2],
				    .p99 = figures[(count - 1) * 99 / 100] };
}

int bench_compare(const struct bench_work *figure, const struct bench_work *yardstick,
		  double seconds, struct bench_result *result)
{
	static double figures[BENCH_ROUNDS_MAX], yardsticks[BENCH_ROUNDS_MAX];
	double end_ns;
	uint64_t wrong = 0;
	unsigned rounds = 0;

	one_round(figure, &wrong); /* warm */
	one_round(yardstick, &wrong);
	end_ns = now_ns() + seconds * 1e9;
	while (rounds < BENCH_ROUNDS_MIN ||
	       (rounds < BENCH_ROUNDS_MAX && now_ns() < end_ns)) {
		figures[rounds] = one_round(figure, &wrong);
		yardsticks[rounds++] = one_round(yardstick, &wrong);
	}
	if (wrong != 0)
		return -EIO;
	result->figure = side_of(figures, rounds);
	result->yardstick = side_of(yardsticks, rounds);
	result->ratio = result->figure.min / result->yardstick.min;
	result->rounds = rounds;
	return 0;
}

/* ---- The yardstick ------------------------------------------------------------------------ */

struct plain {
	uint64_t addr;
	uint32_t rid, pasid;
	uint16_t index;
	uint8_t perm, flags;
	uint32_t rsvd;
	uint64_t private_data;
};
_Static_assert(sizeof(struct plain) == 32, "a record");

/* The compiler may not know what lies at @memory, nor leave out what was put there. */
static inline void opaque(void *memory)
{
	__asm__ volatile("" : : "r"(memory) : "memory");
}

/* Records out of a ring into a batch, as whoever empties a queue takes them: each is
 * copied once, and the copy is checked. */
uint64_t bench_copy_and_check(void *unused, uint64_t steps)
{
	static struct plain ring[512], batch[64];
	uint64_t wrong = 0;

	(void)unused;
	for (unsigned i = 0; i < 512; i++)
		ring[i] = (struct plain){ .addr = i, .rid = 3, .perm = 1, .flags = 1 };
	opaque(ring);
	for (uint64_t i = 0; i < steps; i++) {
		struct plain *copy = &batch[i % 64];

		memcpy(copy, &ring[i % 512], sizeof(*copy));
		opaque(copy);
		if (copy->rid != 3)
			wrong++;
		if (copy->flags != 1)
			wrong++;
		if (copy->rsvd != 0)
			wrong++;
	}
	return wrong;
}
