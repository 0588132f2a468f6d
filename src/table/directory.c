/* SPDX-License-Identifier: BSD-3-Clause */
/* table/directory.c - sparse lists of entries by number. */
#include "table/directory.h"

#include <errno.h>

#define PRESENT UINT64_C(1)

/* ---- Shape ------------------------------------------------------------------------------- */

/* Bits of a number below those that choose in a table of @level, 0: the last. */
static unsigned shift_of(const struct directory_format *format, unsigned level)
{
	unsigned shift = 0;

	for (unsigned i = 0; i < level; i++)
		shift += format->bits[i];
	return shift;
}

static uint32_t entries_of(const struct directory_format *format, unsigned level)
{
	return UINT32_C(1) << format->bits[level];
}

/* Where the entry of @number lies in a @table of @level. */
static uint64_t entry_at(const struct directory_format *format, uint64_t table,
			 unsigned level, uint32_t number)
{
	uint32_t index = number >> shift_of(format, level) & (entries_of(format, level) - 1);
	uint32_t size_bytes = level == 0 ? format->entry_bytes : sizeof(uint64_t);

	return table + (uint64_t)index * size_bytes;
}

static uint64_t table_of(const struct directory_format *format, uint64_t entry)
{
	return (entry & format->addr) << format->addr_shift;
}

/* ---- Find -------------------------------------------------------------------------------- */

static bool failed(struct table_result *result, enum table_fault fault)
{
	result->fault = (uint8_t)fault;
	return false;
}

bool directory_load(const struct table_space *space, uint64_t addr, uint64_t *words,
		    unsigned count, struct table_result *result)
{
	uint64_t at;

	result->entry_addr = addr;
	if (!table_reach(space, addr, IOPF_READ, &at, result))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!table_load64(space->memory, at + i * sizeof(*words), &words[i]))
			return failed(result, TABLE_OUTSIDE);
	return true;
}

bool directory_find(const struct table_space *space, const struct directory_format *format,
		    uint64_t root, uint32_t number, uint64_t *addr, uint32_t *last,
		    struct table_result *result)
{
	uint64_t table = root, entry;

	*result = (struct table_result){ .fault = TABLE_OK };
	*last = UINT32_MAX;
	if ((uint64_t)number >> shift_of(format, format->levels) != 0)
		return failed(result, TABLE_ADDRESS);
	for (unsigned level = format->levels - 1u; level > 0; level--) {
		*last = number | ((UINT32_C(1) << shift_of(format, level)) - 1);
		if (!directory_load(space, entry_at(format, table, level, number), &entry, 1,
				    result))
			return false;
		if ((entry & PRESENT) == 0)
			return failed(result, TABLE_NOT_PRESENT);
		if ((entry & format->reserved) != 0)
			return failed(result, TABLE_RESERVED);
		table = table_of(format, entry);
	}
	*last = number;
	*addr = entry_at(format, table, 0, number);
	return true;
}

/* ---- Edit -------------------------------------------------------------------------------- */

static int table_make(const struct directory *directory, unsigned level, uint64_t *table)
{
	uint32_t count = level == 0 ? directory->format.page_count : 1;

	return table_take_zeroed(directory->memory, directory->pages, count, table);
}

int directory_create(struct directory *directory)
{
	return table_make(directory, directory->format.levels - 1u, &directory->root);
}

int directory_make(const struct directory *directory, uint32_t number, uint64_t *addr)
{
	const struct directory_format *format = &directory->format;
	uint64_t table = directory->root, entry;

	if ((uint64_t)number >> shift_of(format, format->levels) != 0)
		return -EINVAL;
	for (unsigned level = format->levels - 1u; level > 0; level--) {
		uint64_t at = entry_at(format, table, level, number);
		int error = 0;

		if (!table_load64(directory->memory, at, &entry))
			return -EFAULT;
		if ((entry & PRESENT) == 0) {
			error = table_make(directory, level - 1, &table);
			entry = table >> format->addr_shift | PRESENT;
			if (error == 0 && !table_publish64(directory->memory, at, entry))
				error = -EFAULT;
		}
		if (error != 0)
			return error;
		table = table_of(format, entry);
	}
	*addr = entry_at(format, table, 0, number);
	return 0;
}

int directory_at(const struct directory *directory, uint32_t number, uint64_t *addr)
{
	const struct table_space space = { .memory = directory->memory };
	struct table_result result;
	uint32_t last;

	if (directory_find(&space, &directory->format, directory->root, number, addr, &last,
			   &result))
		return 0;
	return result.fault == TABLE_ADDRESS	 ? -EINVAL :
	       result.fault == TABLE_NOT_PRESENT ? -ENOENT :
						   -EFAULT;
}

/* What is done with each table, from the last level up. True: it holds nothing. */
struct visit {
	const struct directory *directory;
	bool clear, give;
};

static void child_give(const struct visit *visit, uint64_t at, uint64_t child, unsigned level)
{
	const struct directory *directory = visit->directory;
	uint32_t count = level == 0 ? directory->format.page_count : 1;

	if (!visit->give || directory->pages->give == NULL)
		return;
	table_publish64(directory->memory, at, 0);
	directory->pages->give(directory->pages->context, child, count);
}

static bool table_visit(const struct visit *visit, uint64_t table, unsigned level)
{
	const struct directory *directory = visit->directory;
	const struct directory_format *format = &directory->format;
	bool empty = true;

	for (uint32_t i = 0; i < entries_of(format, level); i++) {
		uint64_t at = entry_at(format, table, level, i << shift_of(format, level));
		uint64_t entry;

		if (!table_load64(directory->memory, at, &entry) || (entry & PRESENT) == 0)
			continue;
		if (level == 0 && visit->clear)
			table_publish64(directory->memory, at, entry & ~PRESENT);
		else if (level == 0 ||
			 !table_visit(visit, table_of(format, entry), level - 1))
			empty = false;
		else
			child_give(visit, at, table_of(format, entry), level - 1);
	}
	return empty;
}

static bool visit_all(const struct directory *directory, bool clear, bool give)
{
	const struct visit visit = { directory, clear, give };

	return table_visit(&visit, directory->root, directory->format.levels - 1u);
}

void directory_clear(const struct directory *directory)
{
	(void)visit_all(directory, true, false);
}

bool directory_empty(const struct directory *directory)
{
	return visit_all(directory, false, false);
}

void directory_tidy(const struct directory *directory)
{
	(void)visit_all(directory, false, true);
}
