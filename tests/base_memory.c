/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what is outside of every segment does not exist. */
#include "base/memory.h"

#include "test.h"

static uint64_t low_page[512], high_pages[1024];
static const struct iopf_segment segments[] = {
	{ .base = 0x1000, .size_bytes = 0x1000, .memory = low_page },
	{ .base = 0x2000, .size_bytes = 0x1000, .memory = high_pages },
	{ .base = 0x8000, .size_bytes = 0x1000, .memory = high_pages + 512 },
};
static const struct iopf_memory memory = { .segments = segments, .count = 3 };

TEST(every_edge_of_a_segment)
{
	CHECK(memory_at(&memory, 0xfff, 1) == NULL);
	CHECK(memory_at(&memory, 0x1000, 0x1000) == low_page);
	CHECK(memory_at(&memory, 0x1000, 0x1001) == NULL);
	CHECK(memory_at(&memory, 0x1fff, 1) == (uint8_t *)low_page + 0xfff);
	CHECK(memory_at(&memory, 0x3000, 1) == NULL);
	CHECK(memory_at(&memory, 0x8ff8, 8) == high_pages + 1023);
	CHECK(memory_at(&memory, UINT64_MAX, 1) == NULL);
	CHECK(memory_at(&memory, 0x8ff8, UINT64_MAX) == NULL);
}

TEST(copies_cross_adjoining_segments_and_nothing_else)
{
	uint8_t bytes[32];

	memset(bytes, 0x5a, sizeof(bytes));
	CHECK(memory_write(&memory, 0x1ff0, bytes, sizeof(bytes)));
	CHECK_EQ(low_page[511], 0x5a5a5a5a5a5a5a5a);
	CHECK_EQ(high_pages[0], 0x5a5a5a5a5a5a5a5a);
	memset(bytes, 0, sizeof(bytes));
	CHECK(!memory_write(&memory, 0x2ff0, bytes, sizeof(bytes)));
	CHECK(!memory_read(&memory, 0x8ff0, bytes, sizeof(bytes)));
	CHECK(memory_read(&memory, 0x1ff0, bytes, sizeof(bytes)));
	CHECK_EQ(bytes[31], 0x5a);
}

TEST(words_are_little_endian_aligned_and_swapped_once)
{
	uint64_t seen = 0;

	CHECK(memory_store64(&memory, 0x1000, 0x0123456789abcdef));
	CHECK_EQ(((uint8_t *)low_page)[0], 0xef);
	CHECK(!memory_store64(&memory, 0x1004, 1));
	CHECK(!memory_load64(&memory, 0x9000, &seen));
	CHECK(!memory_swap64(&memory, 0x1000, 1, 2, &seen));
	CHECK_EQ(seen, 0x0123456789abcdef);
	CHECK(memory_swap64(&memory, 0x1000, seen, 2, &seen));
	CHECK(memory_load64(&memory, 0x1000, &seen));
	CHECK_EQ(seen, 2);
}

int main(void)
{
	return test_main();
}
