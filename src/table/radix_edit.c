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

static unsigned level_of(const struct radix_format *format, uint64_t size_bytes)
{
	for (unsigned level = 1; level <= format->levels; level++)
		if (RADIX_SPAN(level) == size_bytes && (format->leaf_levels >> level & 1))
			return level;
	return 0;
}

static bool is_table(const struct radix_format *format, uint64_t entry, unsigned level)
{
	return level > 1 && (entry & format->present) != 0 &&
	       (entry & format->kind) != format->kind_page;
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
		*table = entry & format->address;
		return 0;
	}
	if ((entry & format->present) != 0)
		return -EEXIST;
	error = table_take_zeroed(editor->memory, editor->pages, 1, &page);
	if (error != 0)
		return error;
	table_publish64(editor->memory, at, page | format->table_bits);
	*table = page;
	return 0;
}

int radix_map(const struct radix_editor *editor, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint64_t bits)
{
	const struct radix_format *format = &editor->format;
	unsigned leaf = level_of(format, size_bytes);
	uint64_t table = editor->root, entry, at;
	int error;

	if (leaf == 0 || !range_fits(format, addr, size_bytes) ||
	    addr % size_bytes != 0 || out % size_bytes != 0 ||
	    (out & ~format->address) != 0 || (bits & format->present) == 0)
		return -EINVAL;
	for (unsigned level = format->levels; level > leaf; level--) {
		error = enter(editor, radix_entry_addr(format, table, addr, level), level,
			      &table);
		if (error != 0)
			return error;
	}
	at = radix_entry_addr(format, table, addr, leaf);
	if (!table_load64(editor->memory, at, &entry))
		return -EFAULT;
	if ((entry & format->present) != 0)
		return -EEXIST;
	table_publish64(editor->memory, at,
			out | bits | (leaf > 1 ? format->kind_page : format->last));
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
		table = step->entry & editor->format.address;
	}
}

/* The @index-th part, one level down, of the large page @entry of @level. */
static uint64_t part_of(const struct radix_format *format, uint64_t entry, unsigned level,
			unsigned index)
{
	uint64_t offset = index * RADIX_SPAN(level - 1);

	entry &= ~(format->large_ignored & (RADIX_SPAN(level) - 1));
	if (level > 2)
		return entry + offset;
	/* Level 1 has no size bit: PAT moves down into its place, out of the address. */
	offset |= (entry & format->large_pat) != 0 ? format->kind : 0;
	return ((entry & ~(format->kind | format->large_pat)) | format->last) + offset;
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
				  page | editor->format.table_bits, &seen))
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

enum { PAGE_SPLIT = 2 };

/* Change the page on @path, or split it where [@addr, @addr + @left) cuts it.
 * Returns: entries changed (0 or 1), PAGE_SPLIT: look again, or an error. */
static int change_page(const struct radix_editor *editor, struct radix_path *path,
		       uint64_t addr, uint64_t left, uint64_t clear, uint64_t set)
{
	struct radix_step *step = &path->step[path->level];
	uint64_t span = RADIX_SPAN(path->level);
	int error;

	if ((step->entry & editor->format.present) == 0)
		return 0;
	if (addr % span != 0 || left < span) {
		error = split(editor, step, path->level);
		return error != 0 ? error : PAGE_SPLIT;
	}
	error = change_leaf(editor, step, clear, set);
	return error != 0 ? error : 1;
}

int radix_change(const struct radix_editor *editor, uint64_t addr, uint64_t size_bytes,
		 uint64_t clear, uint64_t set)
{
	struct radix_path path;
	int changed = 0, result;

	if (!range_fits(&editor->format, addr, size_bytes))
		return -EINVAL;
	for (uint64_t left = size_bytes; left > 0;) {
		uint64_t run, table_end;

		result = descend(editor, addr, &path);
		if (result == 0)
			result = change_page(editor, &path, addr, left, clear, set);
		if (result == PAGE_SPLIT)
			continue;
		if (result < 0)
			return result;
		changed += result;
		run = RADIX_SPAN(path.level) - addr % RADIX_SPAN(path.level);
		run = run < left ? run : left;
		addr += run;
		left -= run;
		table_end = addr % (RADIX_SPAN(path.level) * RADIX_ENTRIES);
		if (clear == UINT64_MAX && editor->pages->give != NULL &&
		    (left == 0 || table_end == 0))
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
		below = entry & editor->format.address;
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
			table_give(editor, entry & editor->format.address, level - 1);
	editor->pages->give(editor->pages->context, table,
			    radix_pages(&editor->format, level));
}

void radix_destroy(const struct radix_editor *editor)
{
	if (editor->pages->give != NULL)
		table_give(editor, editor->root, editor->format.levels);
}
