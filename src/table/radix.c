/* SPDX-License-Identifier: BSD-3-Clause */
/* table/radix.c - walk and marks: what reads tables while others change them. */
#include "table/radix.h"

#include <assert.h>

bool radix_input_fits(const struct radix_format *format, uint64_t addr)
{
	unsigned width = format->input_bits;
	uint64_t above;

	if (width == 64)
		return true;
	above = addr >> (format->sign_extended ? width - 1 : width);
	return above == 0 ||
	       (format->sign_extended && above == UINT64_MAX >> (width - 1));
}

static bool is_sized(const struct radix_format *format, uint64_t entry)
{
	return format->sized != 0 && (entry & format->sized) == format->sized_page;
}

/* The level of the table that @entry leads to; 0: it maps a page. */
static unsigned next_of(const struct radix_format *format, uint64_t entry, unsigned level)
{
	uint64_t field = format->next_level;

	if (field == 0)
		return level > 1 && (entry & format->kind) == format->kind_table ?
			       level - 1 :
			       0;
	return is_sized(format, entry) ? 0 :
					 (unsigned)((entry & field) / (field & -field));
}

/* Address bits below the size of a large page are reserved. */
static uint64_t leaf_reserved(const struct radix_format *format, unsigned level)
{
	uint64_t below = (RADIX_SPAN(level) - 1) & ~(TABLE_PAGE_BYTES - 1);

	below &= ~(format->large_pat | format->large_ignored);
	return format->reserved | below >> format->address_shift;
}

/* What the address of a sized page says; 0: no size of this level. */
static unsigned sized_shift(const struct radix_format *format, uint64_t entry,
			    unsigned level)
{
	uint64_t address = radix_address(format, entry);
	uint64_t from_half = (format->sized_ones ? ~address : address) >> 12;
	unsigned shift = (unsigned)__builtin_ctzll(from_half | UINT64_C(1) << 51) + 13;

	if ((format->sized_levels >> level & 1) == 0 || shift < RADIX_SHIFT(level) ||
	    shift >= RADIX_SHIFT(level + 1) ||
	    (format->sized_counts >> (shift - RADIX_SHIFT(level)) & 1) == 0)
		return 0;
	return shift;
}

enum table_fault radix_check(const struct radix_format *format, uint64_t entry,
			     unsigned level, struct radix_entry *what)
{
	unsigned next = next_of(format, entry, level), shift = 0;
	uint64_t reserved = format->reserved;

	if ((entry & format->present) == 0 ||
	    (level == 1 && (entry & format->last) != format->last))
		return TABLE_NOT_PRESENT;
	if (next == 0 && (format->leaf_levels >> level & 1) == 0)
		return (enum table_fault)format->fault_leaf;
	if (next != 0) {
		reserved |= format->reserved_table;
	} else if (is_sized(format, entry)) {
		shift = sized_shift(format, entry, level);
	} else {
		reserved = leaf_reserved(format, level);
		shift = RADIX_SHIFT(level);
	}
	if ((entry & reserved) != 0 || next >= level || (next == 0 && shift == 0))
		return (enum table_fault)format->fault_reserved;
	*what = (struct radix_entry){ .next = (uint8_t)next, .shift = (uint8_t)shift };
	return TABLE_OK;
}

/* Load the entry of @addr in the table at @table. */
static bool load_step(const struct table_space *space, const struct radix_format *format,
		      uint64_t table, uint64_t addr, unsigned level,
		      struct radix_path *path, struct table_result *result)
{
	struct radix_step *step = &path->step[level];
	uint64_t at;

	step->addr = radix_entry_addr(format, table, addr, level);
	result->entry_addr = step->addr;
	result->level = (uint8_t)level;
	if (!table_reach(space, step->addr, IOPF_READ, &at, result))
		return false;
	if (!table_load64(space->memory, at, &step->entry)) {
		result->fault = TABLE_OUTSIDE;
		return false;
	}
	path->level = (uint8_t)level;
	path->loaded |= (uint8_t)(1u << level);
	path->all &= step->entry;
	path->any |= step->entry;
	return true;
}

/* Bits of @addr that only the levels between @level and @next would use. */
static bool skips_input(uint64_t addr, unsigned level, unsigned next)
{
	return (addr & (RADIX_SPAN(level) - 1)) >> RADIX_SHIFT(next + 1) != 0;
}

bool radix_walk(const struct table_space *space, const struct radix_format *format,
		uint64_t root, uint64_t addr, struct radix_path *path,
		struct table_result *result)
{
	uint64_t table = root, offset;
	unsigned level = format->levels;
	struct radix_entry what = { .next = 0 };

	*path = (struct radix_path){ .all = UINT64_MAX, .level = (uint8_t)(level + 1) };
	*result = (struct table_result){ .fault = TABLE_ADDRESS };
	if (!radix_input_fits(format, addr))
		return false;
	for (;; level = what.next) {
		if (!load_step(space, format, table, addr, level, path, result))
			return false;
		result->fault = (uint8_t)radix_check(format, path->step[level].entry,
						     level, &what);
		if (result->fault != TABLE_OK)
			return false;
		assert(what.next < level); /* it knows no others: a walk ends */
		table = radix_address(format, path->step[level].entry);
		if (what.next == 0)
			break;
		if (skips_input(addr, level, what.next)) {
			result->fault = TABLE_ADDRESS;
			return false;
		}
	}
	offset = (UINT64_C(1) << what.shift) - 1;
	result->size_bytes = offset + 1;
	result->addr = (table & ~offset) | (addr & offset);
	return true;
}

static enum radix_marked mark_step(const struct table_space *space,
				   struct radix_step *step, uint64_t set, uint64_t clear,
				   struct table_result *result)
{
	uint64_t at, seen = step->entry, marked = (step->entry | set) & ~clear;

	if (step->entry == marked)
		return RADIX_MARKED;
	/* The stage below has to let hardware write here only if there is something to
	 * write: tables that are marked already may lie in read-only pages. */
	if (!table_reach(space, step->addr, IOPF_READ | IOPF_WRITE, &at, result))
		return RADIX_MISSED;
	if (memory_swap64(space->memory, at, step->entry, marked, &seen)) {
		step->entry = marked;
		return RADIX_MARKED;
	}
	return RADIX_CHANGED;
}

enum radix_marked radix_mark(const struct table_space *space, struct radix_path *path,
			     unsigned levels, const struct radix_marks *marks,
			     struct table_result *result)
{
	for (unsigned level = levels; level >= path->level; level--) {
		bool leaf = level == path->level;
		enum radix_marked marked;

		if ((path->loaded >> level & 1) == 0)
			continue;
		marked = mark_step(space, &path->step[level],
				   leaf ? marks->leaf : marks->table,
				   leaf ? marks->clear : 0, result);
		if (marked == RADIX_MARKED)
			continue;
		result->entry_addr = path->step[level].addr;
		result->level = (uint8_t)level;
		return marked;
	}
	return RADIX_MARKED;
}

bool radix_marks_end(enum radix_marked marked, struct table_result *result)
{
	if (marked == RADIX_MARKED)
		return true;
	if (marked == RADIX_CHANGED)
		result->fault = TABLE_UPDATE;
	result->addr = 0;
	result->size_bytes = 0;
	result->perm = 0;
	return false;
}
