/* SPDX-License-Identifier: BSD-3-Clause */
/* base/memory.h - little-endian words in an address space that others may write. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "iopf/iopf.h"

/* Where @size_bytes at @addr lie; NULL unless they lie wholly inside one segment. */
void *memory_at(const struct iopf_memory *memory, uint64_t addr, uint64_t size_bytes);

/* One load, one store, of an aligned word that somebody else may change meanwhile.
 * False: not there, or not aligned. Order: relaxed. */
bool memory_load64(const struct iopf_memory *memory, uint64_t addr, uint64_t *value);
bool memory_store64(const struct iopf_memory *memory, uint64_t addr, uint64_t value);
bool memory_store32(const struct iopf_memory *memory, uint64_t addr, uint32_t value);

/* Compare and swap; *@seen is what was there. False: not there, not aligned, or the
 * word was not @expected. */
bool memory_swap64(const struct iopf_memory *memory, uint64_t addr, uint64_t expected,
		   uint64_t desired, uint64_t *seen);

/* Copies; may cross segments that adjoin. False (and nothing copied): not all there. */
bool memory_read(const struct iopf_memory *memory, uint64_t addr, void *to,
		 uint64_t size_bytes);
bool memory_write(const struct iopf_memory *memory, uint64_t addr, const void *from,
		  uint64_t size_bytes);

#endif
