/* SPDX-License-Identifier: BSD-3-Clause */
/* base/map.h - 64-bit keys to 32-bit values in memory that is given once. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_cell {
	uint64_t key;   /* MAP_EMPTY: free */
	uint32_t value;
	uint32_t rsvd;
};

/* Open addressing, at most half full. */
struct map {
	struct map_cell *cells;
	uint32_t mask;
	uint32_t count, max;
	uint32_t salt; /* from where the cells lie: who chooses keys (a guest its PASIDs)
			* does not know which ones meet. Decides nothing but time */
};

#define MAP_EMPTY UINT64_MAX
#define MAP_NONE  UINT32_MAX

/* Bytes for @max entries. */
size_t map_size_bytes(uint32_t max);
void map_create(struct map *map, uint32_t max, void *memory);

/* 2^64 over the golden ratio: the high bits of a product depend on all of the key, and
 * keys in a row stay apart, salted or not. */
#define MAP_RATIO UINT64_C(0x9e3779b97f4a7c15)

static inline uint32_t map_home(const struct map *map, uint64_t key)
{
	return (uint32_t)(((key ^ map->salt) * MAP_RATIO) >> 32) & map->mask;
}

/* Where @key lies, or the free cell where it would. */
static inline uint32_t map_probe(const struct map *map, uint64_t key)
{
	uint32_t at = map_home(map, key);

	while (map->cells[at].key != key && map->cells[at].key != MAP_EMPTY)
		at = (at + 1) & map->mask;
	return at;
}

/* MAP_NONE: not there. In line: the broker looks up each request's requester. */
static inline uint32_t map_find(const struct map *map, uint64_t key)
{
	const struct map_cell *cell = &map->cells[map_probe(map, key)];

	return cell->key == key ? cell->value : MAP_NONE;
}

/* False: full, or @key is there already. */
bool map_add(struct map *map, uint64_t key, uint32_t value);
/* False: it was not there. */
bool map_remove(struct map *map, uint64_t key);

#endif
