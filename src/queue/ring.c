/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/ring.c - entries of a queue, to and from memory that others may write. */
#include "queue/ring.h"

#include <string.h>

#include "base/le.h"

bool ring_load(const struct ring *ring, const struct iopf_memory *memory, uint32_t index,
	       uint8_t *entry)
{
	const uint64_t *word =
		memory_at(memory, ring_entry_addr(ring, index), ring->entry_bytes);

	if (word == NULL)
		return false;
	for (uint32_t i = 0; i < ring->entry_bytes / 8; i++) {
		uint64_t value = __atomic_load_n(&word[i], __ATOMIC_RELAXED);

		memcpy(entry + 8 * i, &value, sizeof(value));
	}
	return true;
}

bool ring_store(const struct ring *ring, const struct iopf_memory *memory, uint32_t index,
		const uint8_t *entry)
{
	uint64_t *word =
		memory_at(memory, ring_entry_addr(ring, index), ring->entry_bytes);

	if (word == NULL)
		return false;
	for (uint32_t i = 0; i < ring->entry_bytes / 8; i++) {
		uint64_t value;

		memcpy(&value, entry + 8 * i, sizeof(value));
		__atomic_store_n(&word[i], value, __ATOMIC_RELAXED);
	}
	return true;
}

bool ring_publish(const struct ring *ring, const struct iopf_memory *memory,
		  uint32_t index, const uint8_t *entry)
{
	uint64_t *word =
		memory_at(memory, ring_entry_addr(ring, index), ring->entry_bytes);

	if (word == NULL)
		return false;
	for (uint32_t i = ring->entry_bytes / 8; i-- > 0;) {
		uint64_t value;

		memcpy(&value, entry + 8 * i, sizeof(value));
		/* release: the words behind it; pairs with ring_written() */
		__atomic_store_n(&word[i], value, __ATOMIC_RELEASE);
	}
	return true;
}

bool ring_written(const struct ring *ring, const struct iopf_memory *memory, uint32_t index)
{
	const uint64_t *word =
		memory_at(memory, ring_entry_addr(ring, index), ring->entry_bytes);

	/* acquire: pairs with ring_publish() */
	return word != NULL &&
	       le64_host(__atomic_load_n(word, __ATOMIC_ACQUIRE)) >> 60 != 0;
}

static uint32_t *status_at(const struct iopf_memory *memory, uint64_t addr)
{
	return addr % sizeof(uint32_t) != 0 ? NULL :
					      memory_at(memory, addr, sizeof(uint32_t));
}

bool ring_status_load(const struct iopf_memory *memory, uint64_t addr, uint32_t *value)
{
	const uint32_t *word = status_at(memory, addr);

	if (word == NULL)
		return false;
	/* acquire: pairs with the release in ring_status_store() */
	*value = le32_host(__atomic_load_n(word, __ATOMIC_ACQUIRE));
	return true;
}

bool ring_status_store(const struct iopf_memory *memory, uint64_t addr, uint32_t value)
{
	uint32_t *word = status_at(memory, addr);

	if (word == NULL)
		return false;
	/* release: pairs with the acquire in ring_status_load() */
	__atomic_store_n(word, le32_host(value), __ATOMIC_RELEASE);
	return true;
}

bool ring_status_store64(const struct iopf_memory *memory, uint64_t addr, uint64_t value)
{
	uint64_t *word = addr % sizeof(*word) != 0 ? NULL :
						     memory_at(memory, addr, sizeof(*word));

	if (word == NULL)
		return false;
	/* release: pairs with the acquire in ring_status_load() */
	__atomic_store_n(word, le64_host(value), __ATOMIC_RELEASE);
	return true;
}
