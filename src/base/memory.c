/* SPDX-License-Identifier: BSD-3-Clause */
/* base/memory.c - an address space as a sorted list of segments. */
#include "base/memory.h"

#include <assert.h>

#include "base/le.h"

static const struct iopf_segment *segment_of(const struct iopf_memory *memory,
					     uint64_t addr)
{
	uint32_t low = 0, end = memory->count;

	while (low < end) {
		uint32_t middle = low + (end - low) / 2;
		const struct iopf_segment *segment = &memory->segments[middle];

		if (addr < segment->base)
			end = middle;
		else if (addr - segment->base >= segment->size_bytes)
			low = middle + 1;
		else
			return segment;
	}
	return NULL;
}

void *memory_at(const struct iopf_memory *memory, uint64_t addr, uint64_t size_bytes)
{
	const struct iopf_segment *segment = segment_of(memory, addr);
	uint64_t offset;

	if (segment == NULL)
		return NULL;
	offset = addr - segment->base;
	if (size_bytes > segment->size_bytes - offset)
		return NULL;
	return (uint8_t *)segment->memory + offset;
}

static void *word_at(const struct iopf_memory *memory, uint64_t addr, uint64_t size_bytes)
{
	return addr % size_bytes != 0 ? NULL : memory_at(memory, addr, size_bytes);
}

bool memory_load64(const struct iopf_memory *memory, uint64_t addr, uint64_t *value)
{
	const uint64_t *word = word_at(memory, addr, sizeof(*word));

	if (word == NULL)
		return false;
	*value = le64_host(__atomic_load_n(word, __ATOMIC_RELAXED));
	return true;
}

bool memory_store64(const struct iopf_memory *memory, uint64_t addr, uint64_t value)
{
	uint64_t *word = word_at(memory, addr, sizeof(*word));

	if (word == NULL)
		return false;
	__atomic_store_n(word, le64_host(value), __ATOMIC_RELAXED);
	return true;
}

bool memory_store32(const struct iopf_memory *memory, uint64_t addr, uint32_t value)
{
	uint32_t *word = word_at(memory, addr, sizeof(*word));

	if (word == NULL)
		return false;
	__atomic_store_n(word, le32_host(value), __ATOMIC_RELAXED);
	return true;
}

bool memory_swap64(const struct iopf_memory *memory, uint64_t addr, uint64_t expected,
		   uint64_t desired, uint64_t *seen)
{
	uint64_t *word = word_at(memory, addr, sizeof(*word));
	uint64_t found = le64_host(expected);
	bool done;

	if (word == NULL)
		return false;
	done = __atomic_compare_exchange_n(word, &found, le64_host(desired), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	*seen = le64_host(found);
	return done;
}

/* How much of @size_bytes lies in the segment of @addr; 0: none. */
static size_t run_of(const struct iopf_memory *memory, uint64_t addr,
		     uint64_t size_bytes, uint8_t **at)
{
	const struct iopf_segment *segment = segment_of(memory, addr);
	uint64_t left;

	if (segment == NULL)
		return 0;
	left = segment->size_bytes - (addr - segment->base);
	*at = (uint8_t *)segment->memory + (addr - segment->base);
	return (size_t)(size_bytes < left ? size_bytes : left);
}

static bool all_there(const struct iopf_memory *memory, uint64_t addr, uint64_t size_bytes)
{
	uint8_t *at;

	while (size_bytes > 0) {
		size_t run = run_of(memory, addr, size_bytes, &at);

		if (run == 0)
			return false;
		addr += run;
		size_bytes -= run;
	}
	return true;
}

bool memory_read(const struct iopf_memory *memory, uint64_t addr, void *to,
		 uint64_t size_bytes)
{
	uint8_t *out = to, *at;

	if (!all_there(memory, addr, size_bytes))
		return false;
	while (size_bytes > 0) {
		size_t run = run_of(memory, addr, size_bytes, &at);

		assert(run != 0);
		memcpy(out, at, run);
		out += run;
		addr += run;
		size_bytes -= run;
	}
	return true;
}

bool memory_write(const struct iopf_memory *memory, uint64_t addr, const void *from,
		  uint64_t size_bytes)
{
	const uint8_t *in = from;
	uint8_t *at;

	if (!all_there(memory, addr, size_bytes))
		return false;
	while (size_bytes > 0) {
		size_t run = run_of(memory, addr, size_bytes, &at);

		assert(run != 0);
		memcpy(at, in, run);
		in += run;
		addr += run;
		size_bytes -= run;
	}
	return true;
}
