/* SPDX-License-Identifier: BSD-3-Clause */
/* table/table.c - how walkers and editors reach the words of tables. */
#include "table/table.h"

#include <errno.h>

#include "base/le.h"

static uint64_t *word_at(const struct iopf_memory *memory, uint64_t addr)
{
	return addr % sizeof(uint64_t) != 0 ? NULL : memory_at(memory, addr, sizeof(uint64_t));
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

int table_take_zeroed(const struct iopf_memory *memory, const struct table_pages *pages,
		      uint32_t page_count, uint64_t *addr)
{
	uint64_t page, size_bytes = page_count * TABLE_PAGE_BYTES;
	int error = pages->take(pages->context, page_count, &page);

	if (error != 0)
		return error;
	/* Word by word: a walker that is late may still look at a page used before. */
	for (uint64_t offset = 0; offset < size_bytes; offset += sizeof(uint64_t))
		if (!memory_store64(memory, page + offset, 0))
			return -EFAULT;
	*addr = page;
	return 0;
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
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == TABLE_FAULT_COUNT, "a name each");
	return fault < TABLE_FAULT_COUNT ? names[fault] : "?";
}
