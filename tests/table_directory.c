/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a directory finds what was put there, and says how far nothing is. */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "table/directory.h"

#include "test.h"

enum { PAGES = 64, BASE = 0x10000 };

static alignas(4096) uint8_t bytes[PAGES][4096];
static const struct iopf_segment segment = { BASE, sizeof(bytes), bytes };
static const struct iopf_memory memory = { &segment, 1 };
static bool taken[PAGES];

static int on_take(void *context, uint32_t page_count, uint64_t *addr)
{
	(void)context;
	for (uint32_t i = 0; i + page_count <= PAGES; i++) {
		uint32_t n = 0;

		while (n < page_count && !taken[i + n])
			n++;
		if (n < page_count)
			continue;
		memset(&taken[i], true, page_count);
		memset(bytes[i], 0xff, page_count * sizeof(bytes[i]));
		*addr = BASE + i * sizeof(bytes[0]);
		return 0;
	}
	return -ENOMEM;
}

static void on_give(void *context, uint64_t addr, uint32_t page_count)
{
	(void)context;
	for (uint32_t i = 0; i < page_count; i++) {
		CHECK(taken[(addr - BASE) / sizeof(bytes[0]) + i]);
		taken[(addr - BASE) / sizeof(bytes[0]) + i] = false;
	}
}

static const struct table_pages pages = { .take = on_take, .give = on_give };

static uint32_t used(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		count += taken[i];
	return count;
}

/* 24 bits in three levels, entries of 32 bytes, a second page behind each last one. */
static struct directory create(void)
{
	struct directory directory = { .memory = &memory,
				       .pages = &pages,
				       .format = { .levels = 3,
						   .bits = { 7, 9, 8 },
						   .entry_bytes = 32,
						   .addr_shift = 2,
						   .page_count = 2,
						   .addr = UINT64_C(0xfffffffffff) << 10,
						   .reserved = 0x3fe } };

	memset(taken, false, sizeof(taken));
	CHECK_EQ(directory_create(&directory), 0);
	CHECK_EQ(used(), 1);
	return directory;
}

static bool find(const struct directory *directory, uint32_t number, uint64_t *addr,
		 uint32_t *last, struct table_result *result)
{
	const struct table_space space = { .memory = &memory };

	return directory_find(&space, &directory->format, directory->root, number, addr, last,
			      result);
}

TEST(entry_that_was_made_is_found_where_it_was_made)
{
	static const uint32_t numbers[] = { 0, 1, 127, 128, 0xffff, 0x10000, 0xabcdef, 0xffffff };
	struct directory directory = create();
	uint64_t made[8], addr, words[4];
	struct table_result result;
	uint32_t last;

	for (unsigned i = 0; i < 8; i++) {
		const uint64_t entry[4] = { numbers[i] << 1 | 1, 2, 3, i };

		CHECK_EQ(directory_make(&directory, numbers[i], &made[i]), 0);
		CHECK_EQ(made[i] % 32, 0);
		CHECK_EQ(table_publish_words(&memory, made[i], entry, 4), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		const struct table_space space = { .memory = &memory };

		CHECK(find(&directory, numbers[i], &addr, &last, &result));
		CHECK_EQ(addr, made[i]);
		CHECK_EQ(last, numbers[i]);
		CHECK(directory_load(&space, addr, words, 4, &result));
		CHECK_EQ(words[0], numbers[i] << 1 | 1);
		CHECK_EQ(words[3], i);
	}
	CHECK(!directory_empty(&directory));
	directory_clear(&directory);
	CHECK(directory_empty(&directory));
	directory_tidy(&directory);
	CHECK_EQ(used(), 1);
}

TEST(what_is_not_there_says_how_far)
{
	struct directory directory = create();
	uint64_t addr, word;
	struct table_result result;
	uint32_t last;

	CHECK(!find(&directory, 0x12345, &addr, &last, &result));
	CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
	CHECK_EQ(last, 0x1ffff);
	CHECK_EQ(directory_make(&directory, 0x12345, &addr), 0);
	CHECK(find(&directory, 0x12346, &addr, &last, &result));
	CHECK(!find(&directory, 0x12300, &addr, &last, &result) ||
	      result.fault == TABLE_OK);
	CHECK(!find(&directory, 0x12480, &addr, &last, &result));
	CHECK_EQ(last, 0x124ff);
	CHECK(!find(&directory, 0x1000000, &addr, &last, &result));
	CHECK_EQ(result.fault, TABLE_ADDRESS);
	CHECK_EQ(last, UINT32_MAX);
	CHECK_EQ(directory_make(&directory, 0x1000000, &addr), -EINVAL);
	CHECK(table_load64(&memory, directory.root + 8, &word));
	CHECK(table_publish64(&memory, directory.root + 8, word | 2));
	CHECK(!find(&directory, 0x12345, &addr, &last, &result));
	CHECK_EQ(result.fault, TABLE_RESERVED);
	CHECK_EQ(result.entry_addr, directory.root + 8);
	CHECK(table_publish64(&memory, directory.root + 8, UINT64_C(1) << 40 | 1));
	CHECK(!find(&directory, 0x12345, &addr, &last, &result));
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
}

TEST(pages_that_hold_nothing_go_back_and_others_stay)
{
	struct directory directory = create();
	uint64_t one, other;

	CHECK_EQ(directory_make(&directory, 5, &one), 0);
	CHECK_EQ(directory_make(&directory, 0xff0005, &other), 0);
	CHECK_EQ(used(), 1 + 3 + 3);
	CHECK(table_publish64(&memory, one, 1));
	directory_tidy(&directory);
	CHECK_EQ(used(), 1 + 3);
	CHECK(table_publish64(&memory, one, 0));
	directory_tidy(&directory);
	CHECK_EQ(used(), 1);
}

int main(void)
{
	return test_main();
}
