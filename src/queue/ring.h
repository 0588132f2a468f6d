/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/ring.h - a queue's entries and indices, one formula for every family.
 *
 * Both indices count modulo @modulus: the number of slots where one slot stays unused
 * to tell full from empty (VT-d, AMD, RISC-V), twice that where a wrap bit does
 * (SMMUv3). A register holds index << shift: byte offsets (VT-d, AMD) or plain indices.
 */
#ifndef QUEUE_RING_H
#define QUEUE_RING_H

#include "base/memory.h"

/* How a family keeps its queues: a row, not another ring. */
struct ring_convention {
	bool byte_offsets; /* registers hold byte offsets; otherwise indices */
	bool wrap_bit;     /* registers count twice around: every slot is used */
};

struct ring {
	uint64_t addr;
	uint32_t entry_bytes; /* a power of two from 8 on */
	uint32_t slots;       /* a power of two */
	uint32_t modulus;
	uint8_t shift;
};

enum { RING_ENTRY_MAX = 64 };

static inline void ring_create(struct ring *ring, struct ring_convention convention,
			       uint64_t addr, uint64_t size_bytes, uint32_t entry_bytes)
{
	ring->addr = addr;
	ring->entry_bytes = entry_bytes;
	ring->slots = (uint32_t)(size_bytes / entry_bytes);
	ring->modulus = ring->slots << convention.wrap_bit;
	ring->shift = 0;
	if (convention.byte_offsets)
		ring->shift = (uint8_t)__builtin_ctz(entry_bytes);
}

static inline uint32_t ring_used(const struct ring *ring, uint32_t prod, uint32_t cons)
{
	return (prod - cons) & (ring->modulus - 1);
}

static inline uint32_t ring_capacity(const struct ring *ring)
{
	return ring->modulus == ring->slots ? ring->slots - 1 : ring->slots;
}

static inline bool ring_full(const struct ring *ring, uint32_t prod, uint32_t cons)
{
	return ring_used(ring, prod, cons) >= ring_capacity(ring);
}

static inline uint32_t ring_next(const struct ring *ring, uint32_t index)
{
	return (index + 1) & (ring->modulus - 1);
}

static inline uint64_t ring_register(const struct ring *ring, uint32_t index)
{
	return (uint64_t)index << ring->shift;
}

/* The index that a register holds. False: it names no slot. */
static inline bool ring_index(const struct ring *ring, uint64_t value, uint32_t *index)
{
	uint64_t whole = value >> ring->shift;

	if (whole >= ring->modulus || whole << ring->shift != value)
		return false;
	*index = (uint32_t)whole;
	return true;
}

static inline uint64_t ring_entry_addr(const struct ring *ring, uint32_t index)
{
	return ring->addr + (uint64_t)(index & (ring->slots - 1)) * ring->entry_bytes;
}

/* Copies an entry: each word loaded (stored) once, whoever else writes it meanwhile.
 * False: it is not in @memory. Order comes from the index register. */
bool ring_load(const struct ring *ring, const struct iopf_memory *memory, uint32_t index,
	       uint8_t *entry);
bool ring_store(const struct ring *ring, const struct iopf_memory *memory, uint32_t index,
		const uint8_t *entry);

/* Where the index runs ahead of the entries: the upper 4 bits of an entry's first word are
 * 0 until it is written. Release and acquire of that word. False: not there. */
bool ring_publish(const struct ring *ring, const struct iopf_memory *memory,
		  uint32_t index, const uint8_t *entry);
bool ring_written(const struct ring *ring, const struct iopf_memory *memory,
		  uint32_t index);

/* The word that waits are reported in. Release on one side, acquire on the other: who
 * sees a wait done sees what was done before it. False: not in @memory, not aligned. */
bool ring_status_load(const struct iopf_memory *memory, uint64_t addr, uint32_t *value);
bool ring_status_store(const struct iopf_memory *memory, uint64_t addr, uint32_t value);
bool ring_status_store64(const struct iopf_memory *memory, uint64_t addr, uint64_t value);

#endif
