/* SPDX-License-Identifier: BSD-3-Clause */
/* model/tags.c - which line of a cache holds what. */
#include "model/tags.h"

#include <errno.h>
#include <stdlib.h>

enum { COUNT_MAX = 65536 };

int tags_create(struct tags *tags, uint32_t count)
{
	if (count < TAGS_WAYS || count > COUNT_MAX || (count & (count - 1)) != 0)
		return -EINVAL;
	tags->tag = calloc(count, sizeof(*tags->tag));
	tags->count = count;
	tags->hand = 0;
	return tags->tag != NULL ? 0 : -ENOMEM;
}

void tags_destroy(struct tags *tags)
{
	free(tags->tag);
	*tags = (struct tags){ .tag = NULL };
}

uint32_t tags_set(const struct tags *tags, uint64_t hash)
{
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash >> 32) * TAGS_WAYS & (tags->count - 1);
}

int32_t tags_find(const struct tags *tags, uint64_t hash, uint64_t low, uint64_t high)
{
	uint32_t set = tags_set(tags, hash);

	for (uint32_t slot = set; slot < set + TAGS_WAYS; slot++) {
		const struct tag *tag = &tags->tag[slot];

		if (tag->valid && tag->low == low && tag->high == high)
			return (int32_t)slot;
	}
	return TAGS_NONE;
}

uint32_t tags_take(struct tags *tags, uint64_t hash, uint64_t low, uint64_t high)
{
	uint32_t set = tags_set(tags, hash), free = set + tags->hand++ % TAGS_WAYS;
	int32_t own = tags_find(tags, hash, low, high);

	for (uint32_t slot = set; slot < set + TAGS_WAYS; slot++) {
		if (!tags->tag[slot].valid)
			free = slot;
	}
	if (own != TAGS_NONE)
		free = (uint32_t)own;
	tags->tag[free] = (struct tag){ .low = low, .high = high, .valid = true };
	return free;
}
