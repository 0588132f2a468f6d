/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/histogram.h - how long things took, in counters of a fixed number.
 *
 * Log-linear: HISTOGRAM_PARTS counters for each power of two, so that a counter's values
 * lie within one part in HISTOGRAM_PARTS, and its middle within half of that: 0.8 %.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_PARTS = 64,
	HISTOGRAM_COUNTERS = HISTOGRAM_PARTS * 59, /* 2^6 values, then 2^6 to 2^64 */
};

/* All zero is empty. */
struct histogram {
	uint64_t counter[HISTOGRAM_COUNTERS];
	uint64_t count;
	uint64_t max; /* exact */
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* @from is added to @into. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The value that @per_mille of the values do not exceed, at most 0.8 % off and never
 * above the greatest one; 0 where there is none. @per_mille: 1..1000.
 */
uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille);

#endif
