/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/inbox.c - answers from other threads: a bounded queue, many producers, one
 * consumer. A cell's sequence says whose turn it is: its position when it is free, its
 * position + 1 when it is filled.
 */
#include "broker/broker.h"

size_t inbox_size_bytes(uint32_t entries)
{
	return entries * sizeof(struct inbox_cell);
}

void inbox_create(struct inbox *inbox, uint32_t entries, void *memory)
{
	*inbox = (struct inbox){ .cells = memory };
	for (uint32_t i = 0; i < entries; i++)
		inbox->cells[i] = (struct inbox_cell){ .sequence = i };
}

bool inbox_put(struct inbox *inbox, uint32_t entries, uint64_t token, uint64_t code)
{
	uint64_t at = __atomic_load_n(&inbox->tail, __ATOMIC_RELAXED);
	struct inbox_cell *cell;

	for (;;) {
		uint64_t sequence;

		if (entries == 0)
			return false;
		cell = &inbox->cells[at & (entries - 1)];
		/* acquire: pairs with the release of inbox_take(), the cell is free */
		sequence = __atomic_load_n(&cell->sequence, __ATOMIC_ACQUIRE);
		if (sequence < at)
			return false; /* full: the broker has not taken this one yet */
		if (sequence > at)
			at = __atomic_load_n(&inbox->tail, __ATOMIC_RELAXED);
		else if (__atomic_compare_exchange_n(&inbox->tail, &at, at + 1, true,
						     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			break;
	}
	cell->token = token;
	cell->code = code;
	/* release: pairs with the acquire of inbox_take() */
	__atomic_store_n(&cell->sequence, at + 1, __ATOMIC_RELEASE);
	return true;
}

bool inbox_take(struct inbox *inbox, uint32_t entries, uint64_t *token, uint64_t *code)
{
	struct inbox_cell *cell;

	if (entries == 0)
		return false;
	cell = &inbox->cells[inbox->head & (entries - 1)];
	if (__atomic_load_n(&cell->sequence, __ATOMIC_ACQUIRE) != inbox->head + 1)
		return false;
	*token = cell->token;
	*code = cell->code;
	__atomic_store_n(&cell->sequence, inbox->head + entries, __ATOMIC_RELEASE);
	inbox->head++;
	return true;
}
