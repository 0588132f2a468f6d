/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/tags.h - which line of a cache holds what: slots in sets of four. A key is
 * whatever tells entries apart; a hash says in which set they lie.
 */
#ifndef MODEL_TAGS_H
#define MODEL_TAGS_H

#include <stdbool.h>
#include <stdint.h>

enum { TAGS_WAYS = 4, TAGS_NONE = -1 };

struct tag {
	uint64_t low, high;
	bool valid;
};

struct tags {
	struct tag *tag;
	uint32_t count; /* a power of two */
	uint32_t hand;
};

/* Returns: 0, -EINVAL (@count is a power of two from 4 to 65536), -ENOMEM. */
int tags_create(struct tags *tags, uint32_t count);
void tags_destroy(struct tags *tags);

/* The first slot of the set of @hash. */
uint32_t tags_set(const struct tags *tags, uint64_t hash);
/* A slot, or TAGS_NONE. */
int32_t tags_find(const struct tags *tags, uint64_t hash, uint64_t low, uint64_t high);
/* A slot for the key: its own, a free one, or the next in turn. */
uint32_t tags_take(struct tags *tags, uint64_t hash, uint64_t low, uint64_t high);

#endif
