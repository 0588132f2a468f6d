/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the map finds what was added, after any sequence of removals. */
#include "base/map.h"

#include "test.h"

enum { MAX = 300, KEYS = 1000 };

TEST(agrees_with_a_plain_array_over_random_operations)
{
	static uint8_t memory[64 << 10];
	uint32_t plain[KEYS];
	struct map map;
	uint64_t seed = 7;

	CHECK(map_size_bytes(MAX) <= sizeof(memory));
	map_create(&map, MAX, memory);
	for (uint32_t i = 0; i < KEYS; i++)
		plain[i] = MAP_NONE;
	for (uint32_t step = 0; step < 200000; step++) {
		uint64_t draw = test_random(&seed);
		uint32_t key = (uint32_t)(draw % KEYS), value = (uint32_t)(draw >> 40);
		bool there = plain[key] != MAP_NONE;

		if (draw >> 20 & 1) {
			bool fits = map.count < MAX && !there;

			CHECK_EQ(map_add(&map, key, value), fits);
			plain[key] = fits ? value : plain[key];
		} else {
			CHECK_EQ(map_remove(&map, key), there);
			plain[key] = MAP_NONE;
		}
		key = (uint32_t)(draw >> 44) % KEYS;
		CHECK_EQ(map_find(&map, key), plain[key]);
	}
}

TEST(full_map_refuses_and_keeps_what_it_has)
{
	static uint8_t memory[4096];
	struct map map;

	map_create(&map, 2, memory);
	CHECK(map_add(&map, 10, 1));
	CHECK(map_add(&map, 20, 2));
	CHECK(!map_add(&map, 30, 3));
	CHECK_EQ(map_find(&map, 30), MAP_NONE);
	CHECK_EQ(map_find(&map, 20), 2);
}

int main(void)
{
	return test_main();
}
