/* SPDX-License-Identifier: BSD-3-Clause */
/* base/histogram.c - log-linear counters. */
#include "base/histogram.h"

enum { PART_BITS = 6 };

/* The number of the highest bit that is set; @value is not 0. */
static uint32_t highest_bit(uint64_t value)
{
	return 63 - (uint32_t)__builtin_clzll(value);
}

static uint32_t counter_of(uint64_t value)
{
	uint32_t shift;

	if (value < HISTOGRAM_PARTS)
		return (uint32_t)value;
	shift = highest_bit(value) - PART_BITS;
	return (shift + 1) * HISTOGRAM_PARTS +
	       (uint32_t)(value >> shift) % HISTOGRAM_PARTS;
}

/* The middle of what @counter counts. */
static uint64_t value_of(uint32_t counter)
{
	uint32_t shift;
	uint64_t first;

	if (counter < HISTOGRAM_PARTS)
		return counter;
	shift = counter / HISTOGRAM_PARTS - 1;
	first = (uint64_t)(HISTOGRAM_PARTS + counter % HISTOGRAM_PARTS) << shift;
	return first + ((UINT64_C(1) << shift) - 1) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->counter[counter_of(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_COUNTERS; i++)
		into->counter[i] += from->counter[i];
	into->count += from->count;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille)
{
	uint64_t count = histogram->count, rank, seen = 0;
	uint32_t counter = 0;

	if (count == 0)
		return 0;
	/* The smallest rank that is at least that part of all, without overflow. */
	rank = count / 1000 * per_mille + (count % 1000 * per_mille + 999) / 1000;
	for (; counter < HISTOGRAM_COUNTERS - 1; counter++) {
		seen += histogram->counter[counter];
		if (seen >= rank)
			break;
	}
	return value_of(counter) < histogram->max ? value_of(counter) : histogram->max;
}
