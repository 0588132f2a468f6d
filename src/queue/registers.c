/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/registers.c - a family's registers: tables of masks, one formula. */
#include "queue/hardware.h"

#include <assert.h>
#include <string.h>

static uint32_t word_in(const struct register_window *window, uint32_t offset)
{
	return offset >= window->offset && offset < window->end ?
		       window->word + (offset - window->offset) / 8 :
		       REGISTER_WORDS;
}

static uint32_t word_of_repeat(const struct register_repeat *repeat, uint32_t offset)
{
	uint32_t which = (offset - repeat->window.offset) / repeat->stride, word;

	if (offset < repeat->window.offset || which >= repeat->count)
		return REGISTER_WORDS;
	word = word_in(&repeat->window, offset - which * repeat->stride);
	return word == REGISTER_WORDS ? word : word + which * repeat->words;
}

/* The word that @offset lies in, or REGISTER_WORDS: there is none. */
static uint32_t word_of(const struct register_file *file, uint32_t offset)
{
	const struct register_layout *layout = file->layout;
	uint32_t word = REGISTER_WORDS;

	for (uint32_t i = 0; i < layout->window_count && word == REGISTER_WORDS; i++)
		word = word_in(&layout->windows[i], offset);
	for (uint32_t i = 0; i < layout->repeat_count && word == REGISTER_WORDS; i++)
		word = word_of_repeat(&layout->repeats[i], offset);
	return word;
}

static unsigned shift_of(uint32_t offset)
{
	return offset % 8 * 8;
}

static uint64_t lanes_of(uint32_t offset, uint32_t width)
{
	return (width == 4 ? UINT32_MAX : UINT64_MAX) << shift_of(offset);
}

void registers_add(struct register_file *file, const struct register_row *row)
{
	uint32_t word = word_of(file, row->offset);
	unsigned shift = shift_of(row->offset);

	assert(word < REGISTER_WORDS);
	file->value[word] |= row->reset << shift;
	file->writable[word] |= row->writable << shift;
	file->clearable[word] |= row->clearable << shift;
}

void registers_forbid(struct register_file *file, uint32_t offset, uint64_t bits)
{
	uint32_t word = word_of(file, offset);

	assert(word < REGISTER_WORDS);
	file->writable[word] &= ~(bits << shift_of(offset));
}

void registers_create(struct register_file *file, const struct register_layout *layout)
{
	memset(file, 0, sizeof(*file));
	file->layout = layout;
	for (uint32_t i = 0; i < layout->row_count; i++)
		registers_add(file, &layout->rows[i]);
}

uint64_t registers_get(const struct register_file *file, uint32_t offset, uint32_t width)
{
	uint32_t word = word_of(file, offset);

	assert(word < REGISTER_WORDS);
	return (file->value[word] & lanes_of(offset, width)) >> shift_of(offset);
}

void registers_set(struct register_file *file, uint32_t offset, uint32_t width,
		   uint64_t value)
{
	uint32_t word = word_of(file, offset);
	uint64_t lanes = lanes_of(offset, width);

	assert(word < REGISTER_WORDS);
	file->value[word] =
		(file->value[word] & ~lanes) | (value << shift_of(offset) & lanes);
}

bool registers_read(const struct register_file *file, uint32_t offset, uint32_t width,
		    uint64_t *value)
{
	bool there = word_of(file, offset) < REGISTER_WORDS;

	*value = there ? registers_get(file, offset, width) : 0;
	return there;
}

/* Bits of @word that are read-only now, because what they set up is on. */
static uint64_t locked_bits(const struct register_file *file, uint32_t word)
{
	uint64_t locked = 0;

	for (uint32_t i = 0; i < file->layout->guard_count; i++) {
		const struct register_guard *guard = &file->layout->guards[i];

		if (word_of(file, guard->offset) == word &&
		    (registers_get(file, guard->by_offset, 4) & guard->by) != 0)
			locked |= guard->bits << shift_of(guard->offset);
	}
	return locked & file->writable[word];
}

bool registers_write(struct register_file *file, uint32_t offset, uint32_t width,
		     uint64_t value)
{
	uint32_t word = word_of(file, offset);
	uint64_t lanes = lanes_of(offset, width);
	uint64_t writable, locked, clearable, old;

	if (word >= REGISTER_WORDS)
		return false;
	locked = locked_bits(file, word) & lanes;
	writable = file->writable[word] & lanes & ~locked;
	clearable = file->clearable[word] & lanes;
	old = file->value[word];
	value = value << shift_of(offset) & lanes;
	file->value[word] =
		((old & ~writable) | (value & writable)) & ~(value & clearable);
	return (writable | clearable | locked) != 0 && ((old ^ value) & locked) == 0;
}
