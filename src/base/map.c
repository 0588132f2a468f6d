/* SPDX-License-Identifier: BSD-3-Clause */
/* base/map.c - open addressing with linear probing; removal moves cells back. */
#include "base/map.h"

#include <assert.h>

static uint32_t map_cells(uint32_t max)
{
	uint32_t cells = 4;

	while (cells < 2 * (uint64_t)max)
		cells *= 2;
	return cells;
}

/* Its value: whoever looks for the key that no cell has finds nothing. */
static const struct map_cell no_cell = { .key = MAP_EMPTY, .value = MAP_NONE };

size_t map_size_bytes(uint32_t max)
{
	return map_cells(max) * sizeof(struct map_cell);
}

void map_create(struct map *map, uint32_t max, void *memory)
{
	*map = (struct map){ .cells = memory, .mask = map_cells(max) - 1, .max = max };
	map->salt = (uint32_t)((uintptr_t)memory / sizeof(struct map_cell) * MAP_RATIO >> 32);
	for (uint32_t i = 0; i <= map->mask; i++)
		map->cells[i] = no_cell;
}

bool map_add(struct map *map, uint64_t key, uint32_t value)
{
	struct map_cell *cell = &map->cells[map_probe(map, key)];

	assert(key != MAP_EMPTY);
	if (map->count == map->max || cell->key == key)
		return false;
	*cell = (struct map_cell){ .key = key, .value = value };
	map->count++;
	return true;
}

bool map_remove(struct map *map, uint64_t key)
{
	uint32_t hole = map_probe(map, key);

	if (map->cells[hole].key != key)
		return false;
	/* A cell may fill the hole if its home does not lie between hole and cell. */
	for (uint32_t at = (hole + 1) & map->mask; map->cells[at].key != MAP_EMPTY;
	     at = (at + 1) & map->mask) {
		uint32_t home = map_home(map, map->cells[at].key);

		if (((at - home) & map->mask) < ((at - hole) & map->mask))
			continue;
		map->cells[hole] = map->cells[at];
		hole = at;
	}
	map->cells[hole] = no_cell;
	map->count--;
	return true;
}
