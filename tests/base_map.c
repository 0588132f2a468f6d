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

/* How far from their homes the keys lie, on average. */
static uint64_t distance(const struct map *map, const uint32_t *keys, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += (map_probe(map, keys[i]) - map_home(map, keys[i])) & map->mask;
	return sum / count;
}

TEST(keys_that_somebody_chose_to_meet_do_not)
{
	enum { COUNT = 4096, CELLS = 2 * COUNT, PLACES = 16 };
	static struct map_cell memory[CELLS + PLACES];
	static uint32_t keys[COUNT];
	uint32_t count = 0;
	uint64_t sum = 0;
	struct map map;

	for (uint32_t key = 0; count < COUNT; key++)
		if (((key * MAP_RATIO >> 32) & (CELLS - 1)) < 64)
			keys[count++] = key;
	for (uint32_t place = 0; place < PLACES; place++) {
		map_create(&map, COUNT, memory + place);
		for (uint32_t i = 0; i < COUNT; i++)
			CHECK(map_add(&map, keys[i], i));
		sum += distance(&map, keys, COUNT);
	}
	CHECK(sum / PLACES < 200);
}

int main(void)
{
	return test_main();
}
