/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: quantiles of a histogram against the sorted values themselves. */
#include "base/histogram.h"
#include "test.h"

enum { VALUES = 20000 };

static struct histogram histogram;
static uint64_t values[VALUES];

static int by_value(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

static void fill(uint32_t shift_max)
{
	uint64_t chance = 7;

	memset(&histogram, 0, sizeof(histogram));
	for (int i = 0; i < VALUES; i++) {
		values[i] = test_random(&chance) >> (63 - test_random(&chance) % shift_max);
		histogram_add(&histogram, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), by_value);
}

TEST(an_empty_one_says_0)
{
	memset(&histogram, 0, sizeof(histogram));
	CHECK_EQ(histogram_quantile(&histogram, 500), 0);
	CHECK_EQ(histogram.max, 0);
}

TEST(small_values_are_exact)
{
	memset(&histogram, 0, sizeof(histogram));
	for (uint64_t i = 1; i <= 100; i++)
		histogram_add(&histogram, i % 50);
	CHECK_EQ(histogram_quantile(&histogram, 500), 24);
	CHECK_EQ(histogram_quantile(&histogram, 1), 0);
	CHECK_EQ(histogram_quantile(&histogram, 1000), 49);
}

TEST(quantiles_are_within_two_percent)
{
	static const uint32_t per_mille[] = { 1, 10, 250, 500, 900, 990, 999, 1000 };

	for (uint32_t shift = 10; shift <= 64; shift += 9) {
		fill(shift);
		for (size_t i = 0; i < sizeof(per_mille) / sizeof(per_mille[0]); i++) {
			uint64_t rank = (VALUES * (uint64_t)per_mille[i] + 999) / 1000;
			uint64_t exact = values[rank - 1];
			uint64_t got = histogram_quantile(&histogram, per_mille[i]);
			uint64_t off = got > exact ? got - exact : exact - got;

			CHECK(off <= exact / 50);
		}
		CHECK_EQ(histogram.max, values[VALUES - 1]);
	}
}

TEST(two_that_are_merged_are_one)
{
	static struct histogram other;

	memset(&histogram, 0, sizeof(histogram));
	for (uint64_t i = 1; i <= 50; i++) {
		histogram_add(&histogram, i);
		histogram_add(&other, 50 + i % 10);
	}
	histogram_merge(&histogram, &other);
	CHECK_EQ(histogram.count, 100);
	CHECK_EQ(histogram.max, 59);
	CHECK_EQ(histogram_quantile(&histogram, 500), 50);
}

TEST(the_largest_number_has_a_counter)
{
	memset(&histogram, 0, sizeof(histogram));
	histogram_add(&histogram, UINT64_MAX);
	CHECK(histogram_quantile(&histogram, 500) >= UINT64_MAX / 100 * 98);
	CHECK_EQ(histogram_quantile(&histogram, 1000) <= UINT64_MAX, 1);
}

int main(void)
{
	return test_main();
}
