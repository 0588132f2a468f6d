/* SPDX-License-Identifier: BSD-3-Clause */
/* table/radix_edit.c - the editor: one thread changes tables that others walk. */
#include "table/radix.h"

#include <errno.h>

/* Hardware changes an entry below us a few times at most: it only adds marks. */
enum { EDIT_ATTEMPTS = 16 };

/* A range that starts and ends inside, on one side of the hole. */
static bool range_fits(const struct radix_format *format, uint64_t addr,
		       uint64_t size_bytes)
{
	unsigned width = format->input_bits;
	uint64_t last = addr + size_bytes - 1;

	return addr % TABLE_PAGE_BYTES == 0 && size_bytes % TABLE_PAGE_BYTES == 0 &&
	       size_bytes != 0 && last >= addr && radix_input_fits(format, addr) &&
	       radix_input_fits(format, last) &&
	       (!format->sign_extended || (addr ^ last) >> (width - 1) == 0);
}

/* A page of a size: entries of a level. */
struct leaf {
	unsigned level;
	unsigned shift; /* of the page */
	uint64_t bits;  /* what all of its entries have beside rights and address */
};

static unsigned leaf_count(const struct leaf *leaf)
{
	return 1u << (leaf->shift - RADIX_SHIFT(leaf->level));
}

/* What says that an entry of @level maps a page. */
static uint64_t plain_bits(const struct radix_format *format, unsigned level)
{
	return level > 1 ? format->kind_page : format->last;
}

/* What the address of a page of 2^@shift bytes says of its size. */
static uint64_t size_bits(const struct radix_format *format, unsigned shift)
{
	uint64_t half = UINT64_C(1) << (shift - 1);

	if (format->sized_ones)
		half = (half - 1) & ~(TABLE_PAGE_BYTES - 1);
	return half >> format->address_shift;
}

/* False: no page of the format has that size. */
static bool leaf_of(const struct radix_format *format, uint64_t size_bytes,
		    struct leaf *leaf)
{
	unsigned shift = size_bytes == 0 ? 0 : (unsigned)__builtin_ctzll(size_bytes);
	unsigned level = shift < 12 ? 0 : (shift - 12) / 9 + 1;
	uint64_t bits;

	if (level == 0 || level > format->levels || size_bytes != UINT64_C(1) << shift ||
	    (format->leaf_levels >> level & 1) == 0)
		return false;
	*leaf = (struct leaf){ .level = level,
			       .shift = shift,
			       .bits = plain_bits(format, level) };
	if (shift == RADIX_SHIFT(level))
		return true;
	bits = size_bits(format, shift);
	leaf->bits |= format->sized_page | bits;
	return (bits & ~format->address) == 0 &&
	       (format->sized_levels >> level & 1) != 0 &&
	       (format->sized_counts >> (shift - RADIX_SHIFT(level)) & 1) != 0;
}

/* What an entry of one's own tables is; those skip no level. */
static bool is_table(const struct radix_format *format, uint64_t entry, unsigned level)
{
	struct radix_entry what;

	return radix_check(format, entry, level, &what) == TABLE_OK && what.next != 0;
}

static unsigned page_shift(const struct radix_format *format, uint64_t entry,
			   unsigned level)
{
	struct radix_entry what;

	return radix_check(format, entry, level, &what) == TABLE_OK && what.next == 0 ?
		       what.shift :
		       RADIX_SHIFT(level);
}

/* An entry of @level that leads to the table at @page. */
static uint64_t table_entry(const struct radix_format *format, uint64_t page,
			    unsigned level)
{
	uint64_t field = format->next_level;

	return page >> format->address_shift | format->table_bits |
	       (level - 1) * (field & -field);
}

/* The table that the entry at @at leads to, made if there is nothing. */
static int enter(const struct radix_editor *editor, uint64_t at, unsigned level,
		 uint64_t *table)
{
	const struct radix_format *format = &editor->format;
	uint64_t entry, page;
	int error;

	if (!table_load64(editor->memory, at, &entry))
		return -EFAULT;
	if (is_table(format, entry, level)) {
		*table = radix_address(format, entry);
		return 0;
	}
	if ((entry & format->present) != 0)
		return -EEXIST;
	error = table_take_zeroed(editor->memory, editor->pages, 1, &page);
	if (error != 0)
		return error;
	table_publish64(editor->memory, at, table_entry(format, page, level));
	*table = page;
	return 0;
}

/* The entries at @at are not present. 0, -EEXIST, -EFAULT. */
static int find_free(const struct radix_editor *editor, uint64_t at, unsigned count)
{
	uint64_t entry;

	for (unsigned i = 0; i < count; i++) {
		if (!table_load64(editor->memory, at + sizeof(entry) * i, &entry))
			return -EFAULT;
		if ((entry & editor->format.present) != 0)
			return -EEXIST;
	}
	return 0;
}

int radix_map(const struct radix_editor *editor, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint64_t bits)
{
	const struct radix_format *format = &editor->format;
	uint64_t table = editor->root, at;
	struct leaf leaf;
	int error;

	if (!leaf_of(format, size_bytes, &leaf) ||
	    !range_fits(format, addr, size_bytes) || addr % size_bytes != 0 ||
	    out % size_bytes != 0 || (out & ~radix_address(format, UINT64_MAX)) != 0 ||
	    (bits & format->present) == 0)
		return -EINVAL;
	for (unsigned level = format->levels; level > leaf.level; level--) {
		error = enter(editor, radix_entry_addr(format, table, addr, level), level,
			      &table);
		if (error != 0)
			return error;
	}
	at = radix_entry_addr(format, table, addr, leaf.level);
	error = find_free(editor, at, leaf_count(&leaf));
	if (error != 0)
		return error;
	for (unsigned i = 0; i < leaf_count(&leaf); i++)
		table_publish64(editor->memory, at + sizeof(uint64_t) * i,
				out >> format->address_shift | bits | leaf.bits);
	return 0;
}

/* Load what lies on the way to @addr, down to a leaf or to nothing. */
static int descend(const struct radix_editor *editor, uint64_t addr,
		   struct radix_path *path)
{
	uint64_t table = editor->root;

	for (unsigned level = editor->format.levels;; level--) {
		struct radix_step *step = &path->step[level];

		step->addr = radix_entry_addr(&editor->format, table, addr, level);
		if (!table_load64(editor->memory, step->addr, &step->entry))
			return -EFAULT;
		path->level = (uint8_t)level;
		if (!is_table(&editor->format, step->entry, level))
			return 0;
		table = radix_address(&editor->format, step->entry);
	}
}

/* The @index-th part, one level down, of the large page @entry of @level. */
static uint64_t part_of(const struct radix_format *format, uint64_t entry, unsigned level,
			unsigned index)
{
	uint64_t offset = index * RADIX_SPAN(level - 1) >> format->address_shift;

	entry &= ~(format->large_ignored & (RADIX_SPAN(level) - 1));
	if (level > 2)
		return entry + offset;
	/* Level 1 has no size bit: PAT moves down into its place, out of the address. */
	offset |= (entry & format->large_pat) != 0 ? format->kind_page : 0;
	return ((entry & ~(format->kind_page | format->large_pat)) | format->last) +
	       offset;
}

/* Replace the large page at @step by a table that maps the same. */
static int split(const struct radix_editor *editor, struct radix_step *step,
		 unsigned level)
{
	uint64_t page, seen = step->entry;
	int error = table_take_zeroed(editor->memory, editor->pages, 1, &page);

	if (error != 0)
		return error;
	for (unsigned attempt = 0; attempt < EDIT_ATTEMPTS; attempt++) {
		step->entry = seen;
		for (unsigned i = 0; i < RADIX_ENTRIES; i++)
			memory_store64(editor->memory, page + sizeof(uint64_t) * i,
				       part_of(&editor->format, step->entry, level, i));
		if (memory_swap64(editor->memory, step->addr, step->entry,
				  table_entry(&editor->format, page, level), &seen))
			return 0;
	}
	if (editor->pages->give != NULL)
		editor->pages->give(editor->pages->context, page, 1);
	return -EBUSY;
}

static bool table_is_empty(const struct radix_editor *editor, uint64_t table,
			   unsigned level)
{
	uint32_t count = radix_entries(&editor->format, level);
	uint64_t entry;

	for (uint32_t i = 0; i < count; i++)
		if (!table_load64(editor->memory, table + sizeof(entry) * i, &entry) ||
		    (entry & editor->format.present) != 0)
			return false;
	return true;
}

/* Give back the tables on @path that hold nothing any more, the root excepted. */
static void prune(const struct radix_editor *editor, struct radix_path *path)
{
	for (unsigned level = path->level; level < editor->format.levels; level++) {
		uint64_t table = path->step[level].addr & ~(TABLE_PAGE_BYTES - 1);

		if (!table_is_empty(editor, table, level))
			return;
		table_publish64(editor->memory, path->step[level + 1].addr, 0);
		editor->pages->give(editor->pages->context, table, 1);
	}
}

/* Change a leaf without losing a mark that hardware sets meanwhile. */
static int change_leaf(const struct radix_editor *editor, struct radix_step *step,
		       uint64_t clear, uint64_t set)
{
	uint64_t seen = step->entry;

	for (unsigned attempt = 0; attempt < EDIT_ATTEMPTS; attempt++) {
		step->entry = (seen & ~clear) | set;
		if (memory_swap64(editor->memory, step->addr, seen, step->entry, &seen))
			return 0;
	}
	return -EBUSY;
}

/* The entry at @at, one of those of a sized page, for its own part of that. 0, -EBUSY. */
static int make_plain(const struct radix_editor *editor, uint64_t at, unsigned level)
{
	const struct radix_format *format = &editor->format;
	uint64_t index = at % TABLE_PAGE_BYTES / sizeof(uint64_t), seen;

	if (!table_load64(editor->memory, at, &seen))
		return -EFAULT;
	for (unsigned attempt = 0; attempt < EDIT_ATTEMPTS; attempt++) {
		uint64_t span = UINT64_C(1) << page_shift(format, seen, level), out;

		if (span == RADIX_SPAN(level))
			return 0;
		out = radix_address(format, seen) & ~(span - 1);
		out |= (index << RADIX_SHIFT(level)) & (span - 1);
		if (memory_swap64(editor->memory, at, seen,
				  (seen & ~(format->sized | format->address)) |
					  plain_bits(format, level) |
					  out >> format->address_shift,
				  &seen))
			return 0;
	}
	return -EBUSY;
}

/* The entries of one page: the first of them at @at. */
struct run {
	uint64_t at;
	unsigned level, count;
};

static int split_run(const struct radix_editor *editor, const struct run *run)
{
	int error = 0;

	for (unsigned i = 0; error == 0 && i < run->count; i++)
		error = make_plain(editor, run->at + sizeof(uint64_t) * i, run->level);
	return error;
}

/* Returns: entries changed, or an error. */
static int change_run(const struct radix_editor *editor, const struct run *run,
		      uint64_t clear, uint64_t set)
{
	for (unsigned i = 0; i < run->count; i++) {
		struct radix_step step = { .addr = run->at + sizeof(uint64_t) * i };
		int error = -EFAULT;

		if (table_load64(editor->memory, step.addr, &step.entry))
			error = change_leaf(editor, &step, clear, set);
		if (error != 0)
			return error;
	}
	return (int)run->count;
}

enum { PAGE_SPLIT = RADIX_ENTRIES + 1 };

/* Change the page of 2^@shift bytes on @path, or split it where [@addr, @addr + @left)
 * cuts it. Returns: entries changed, PAGE_SPLIT: look again, or an error. */
static int change_page(const struct radix_editor *editor, struct radix_path *path,
		       unsigned shift, uint64_t addr, uint64_t left, uint64_t clear,
		       uint64_t set)
{
	struct radix_step *step = &path->step[path->level];
	uint64_t span = UINT64_C(1) << shift, offset = addr & (span - 1);
	struct run run = { .at = step->addr -
				 (offset >> RADIX_SHIFT(path->level)) * sizeof(uint64_t),
			   .level = path->level,
			   .count = 1u << (shift - RADIX_SHIFT(path->level)) };
	int error;

	if ((step->entry & editor->format.present) == 0)
		return 0;
	if (offset == 0 && left >= span)
		return change_run(editor, &run, clear, set);
	error = run.count > 1 ? split_run(editor, &run) :
				split(editor, step, path->level);
	return error != 0 ? error : PAGE_SPLIT;
}

int radix_change(const struct radix_editor *editor, uint64_t addr, uint64_t size_bytes,
		 uint64_t clear, uint64_t set)
{
	struct radix_path path;
	int changed = 0, result;

	if (!range_fits(&editor->format, addr, size_bytes))
		return -EINVAL;
	for (uint64_t left = size_bytes; left > 0;) {
		uint64_t run, span;
		unsigned shift;

		result = descend(editor, addr, &path);
		if (result != 0)
			return result;
		shift = page_shift(&editor->format, path.step[path.level].entry,
				   path.level);
		result = change_page(editor, &path, shift, addr, left, clear, set);
		if (result == PAGE_SPLIT)
			continue;
		if (result < 0)
			return result;
		changed += result;
		span = UINT64_C(1) << shift;
		run = span - addr % span;
		run = run < left ? run : left;
		addr += run;
		left -= run;
		/* At the end, or where the next entry is the first of another table. */
		if (clear == UINT64_MAX && editor->pages->give != NULL &&
		    (left == 0 || (addr >> RADIX_SHIFT(path.level)) % RADIX_ENTRIES == 0))
			prune(editor, &path);
	}
	return changed;
}

/* Give back what hangs below @table and holds nothing. As deep as the format has levels.
 * Returns: whether @table holds nothing itself. */
static bool table_tidy(const struct radix_editor *editor, uint64_t table, unsigned level)
{
	uint32_t count = radix_entries(&editor->format, level);
	uint64_t entry, at = table;

	for (uint32_t i = 0; level > 1 && i < count; i++, at += sizeof(entry)) {
		uint64_t below;

		if (!table_load64(editor->memory, at, &entry) ||
		    !is_table(&editor->format, entry, level))
			continue;
		below = radix_address(&editor->format, entry);
		if (!table_tidy(editor, below, level - 1))
			continue;
		table_publish64(editor->memory, at, 0);
		editor->pages->give(editor->pages->context, below, 1);
	}
	return table_is_empty(editor, table, level);
}

void radix_tidy(const struct radix_editor *editor)
{
	if (editor->pages->give != NULL)
		table_tidy(editor, editor->root, editor->format.levels);
}

/* As deep as the format has levels. */
static void table_give(const struct radix_editor *editor, uint64_t table, unsigned level)
{
	uint32_t count = radix_entries(&editor->format, level);
	uint64_t entry;

	for (uint32_t i = 0; level > 1 && i < count; i++)
		if (table_load64(editor->memory, table + sizeof(entry) * i, &entry) &&
		    is_table(&editor->format, entry, level))
			table_give(editor, radix_address(&editor->format, entry),
				   level - 1);
	editor->pages->give(editor->pages->context, table,
			    radix_pages(&editor->format, level));
}

void radix_destroy(const struct radix_editor *editor)
{
	if (editor->pages->give != NULL)
		table_give(editor, editor->root, editor->format.levels);
}
