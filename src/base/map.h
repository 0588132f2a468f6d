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
};

#define MAP_EMPTY UINT64_MAX
#define MAP_NONE  UINT32_MAX

/* Bytes for @max entries. */
size_t map_size_bytes(uint32_t max);
void map_create(struct map *map, uint32_t max, void *memory);

/* MAP_NONE: not there. */
uint32_t map_find(const struct map *map, uint64_t key);
/* False: full, or @key is there already. */
bool map_add(struct map *map, uint64_t key, uint32_t value);
/* False: it was not there. */
bool map_remove(struct map *map, uint64_t key);

#endif
