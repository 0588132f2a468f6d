/* SPDX-License-Identifier: BSD-3-Clause */
/* table/table.c - how walkers and editors reach the words of tables. */
#include "table/table.h"

#include <errno.h>

#include "base/le.h"

static uint64_t *word_at(const struct iopf_memory *memory, uint64_t addr)
{
	return addr % sizeof(uint64_t) != 0 ? NULL :
					      memory_at(memory, addr, sizeof(uint64_t));
}

bool table_load64(const struct iopf_memory *memory, uint64_t addr, uint64_t *value)
{
	const uint64_t *word = word_at(memory, addr);

	if (word == NULL)
		return false;
	/* acquire: pairs with the release of the editor that made the entry present */
	*value = le64_host(__atomic_load_n(word, __ATOMIC_ACQUIRE));
	return true;
}

bool table_publish64(const struct iopf_memory *memory, uint64_t addr, uint64_t value)
{
	uint64_t *word = word_at(memory, addr);

	if (word == NULL)
		return false;
	/* release: pairs with the acquire of table_load64() */
	__atomic_store_n(word, le64_host(value), __ATOMIC_RELEASE);
	return true;
}

int table_publish_words(const struct iopf_memory *memory, uint64_t addr,
			const uint64_t *words, unsigned count)
{
	if (!table_publish64(memory, addr, 0))
		return -EFAULT;
	for (unsigned i = 1; i < count; i++)
		if (!memory_store64(memory, addr + sizeof(*words) * i, words[i]))
			return -EFAULT;
	return table_publish64(memory, addr, words[0]) ? 0 : -EFAULT;
}

int table_replace_words(const struct iopf_memory *memory, uint64_t addr,
			const uint64_t *words, unsigned count, uint64_t blocked)
{
	unsigned changed = 0, which = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t word;

		if (!table_load64(memory, addr + i * sizeof(word), &word))
			return -EFAULT;
		if (word == words[i])
			continue;
		changed++;
		which = i;
	}
	if (changed > 1) {
		table_publish64(memory, addr, blocked);
		for (which = count - 1; which > 0; which--)
			memory_store64(memory, addr + which * sizeof(*words), words[which]);
	}
	if (changed > 0)
		table_publish64(memory, addr + which * sizeof(*words), words[which]);
	return 0;
}

bool table_reach(const struct table_space *space, uint64_t addr, uint8_t perm,
		 uint64_t *at, struct table_result *result)
{
	if (space->translate == NULL) {
		*at = addr;
		return true;
	}
	if (space->translate(space->context, addr, perm, at) == 0)
		return true;
	result->fault = TABLE_SECOND;
	result->gpa = addr;
	result->gpa_perm = perm;
	return false;
}

/* Word by word: a walker that is late may still look at a page used before. */
static int clear_pages(const struct iopf_memory *memory, uint64_t page,
		       uint32_t page_count)
{
	uint64_t end = page + page_count * TABLE_PAGE_BYTES;

	for (uint64_t addr = page; addr < end; addr += sizeof(uint64_t))
		if (!memory_store64(memory, addr, 0))
			return -EFAULT;
	return 0;
}

int table_take_zeroed(const struct iopf_memory *memory, const struct table_pages *pages,
		      uint32_t page_count, uint64_t *addr)
{
	uint64_t page;
	int error = pages->take(pages->context, page_count, &page);

	if (error == 0)
		error = clear_pages(memory, page, page_count);
	if (error == 0)
		*addr = page;
	return error;
}

static void give_between(const struct table_pages *pages, uint64_t addr, uint64_t end)
{
	for (; pages->give != NULL && addr < end; addr += TABLE_PAGE_BYTES)
		pages->give(pages->context, addr, 1);
}

/* Who gives runs at multiples of their size is asked for no more than that; out of others'
 * the right part is cut. */
int table_take_aligned(const struct iopf_memory *memory, const struct table_pages *pages,
		       uint32_t page_count, uint64_t *addr)
{
	uint64_t size_bytes = page_count * TABLE_PAGE_BYTES, taken, first;
	uint32_t count = page_count;
	int error = pages->take(pages->context, count, &taken);

	if (error == 0 && taken % size_bytes != 0) {
		give_between(pages, taken, taken + size_bytes);
		count = 2 * page_count - 1;
		error = pages->take(pages->context, count, &taken);
	}
	if (error != 0)
		return error;
	first = (taken + size_bytes - 1) & ~(size_bytes - 1);
	give_between(pages, taken, first);
	give_between(pages, first + size_bytes, taken + count * TABLE_PAGE_BYTES);
	error = clear_pages(memory, first, page_count);
	if (error == 0)
		*addr = first;
	return error;
}

const char *table_fault_name(unsigned fault)
{
	static const char *const names[] = {
		[TABLE_OK] = "ok",
		[TABLE_NOT_PRESENT] = "not_present",
		[TABLE_PERMISSION] = "permission",
		[TABLE_RESERVED] = "reserved",
		[TABLE_ADDRESS] = "address",
		[TABLE_OUTSIDE] = "outside",
		[TABLE_SECOND] = "second",
		[TABLE_UPDATE] = "update",
		[TABLE_INTERRUPT] = "interrupt",
		[TABLE_SIZE] = "size",
		[TABLE_ACCESS] = "access",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == TABLE_FAULT_COUNT,
		       "a name each");
	return fault < TABLE_FAULT_COUNT ? names[fault] : "?";
}
