/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/directory.h - sparse lists of entries by number: pages of pages. The pages of the
 * upper levels hold an address each 8 bytes, bit 0 says that it is there; those of the last
 * hold entries of the list's own kind, whose bit 0 says the same.
 */
#ifndef TABLE_DIRECTORY_H
#define TABLE_DIRECTORY_H

#include "table/table.h"

enum { DIRECTORY_LEVEL_MAX = 3 };

struct directory_format {
	uint8_t levels;     /* 1 to DIRECTORY_LEVEL_MAX */
	uint8_t bits[DIRECTORY_LEVEL_MAX]; /* of a number, by level: the last first */
	uint8_t entry_bytes; /* of the list's own entries */
	uint8_t addr_shift;  /* an address stands so many bits lower */
	uint8_t page_count;  /* of a last level's table: what is behind the first page is
			      * the builder's own */
	uint64_t addr, reserved; /* bits of an upper entry: an address; 0 where it is there */
};

/*
 * Where the entry @number lies; what says that it is there may say otherwise. *@last: the
 * last number that the same is true of, if it is not found.
 *
 * Returns: true, or false: the fault is in @result: TABLE_ADDRESS (too large a number),
 *          TABLE_NOT_PRESENT, TABLE_RESERVED, TABLE_OUTSIDE, TABLE_SECOND.
 */
bool directory_find(const struct table_space *space, const struct directory_format *format,
		    uint64_t root, uint32_t number, uint64_t *addr, uint32_t *last,
		    struct table_result *result);

/* @count words of the entry at @addr, the first one first. Returns: as above. */
bool directory_load(const struct table_space *space, uint64_t addr, uint64_t *words,
		    unsigned count, struct table_result *result);

/* For the one thread that edits it. */
struct directory {
	const struct iopf_memory *memory;
	const struct table_pages *pages;
	struct directory_format format;
	uint64_t root;
};

/* An empty one. Returns: 0, or what take() said. */
int directory_create(struct directory *directory);
/* As directory_find(), with what is missing on the way made. Returns: 0, -EINVAL (too large
 * a number), -EFAULT, or what take() said. */
int directory_make(const struct directory *directory, uint32_t number, uint64_t *addr);
/* Where an entry that was made lies. Returns: 0, -EINVAL, -ENOENT (it was not), -EFAULT. */
int directory_at(const struct directory *directory, uint32_t number, uint64_t *addr);
/* No entry is there any more. */
void directory_clear(const struct directory *directory);
bool directory_empty(const struct directory *directory);
/* Give back pages that hold nothing, the root excepted, where somebody takes them; the
 * caches have forgotten them. */
void directory_tidy(const struct directory *directory);

#endif
