/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/shown.c - the states of a function's virtual indices. */
#include "guest/shown.h"

#include <assert.h>
#include <string.h>

#define TO(state) (1u << (state))

static const uint8_t shown_next[] = {
	[SHOWN_FRESH] = TO(SHOWN_HELD) | TO(SHOWN_FRESH),
	[SHOWN_HELD] = TO(SHOWN_SETTLED) | TO(SHOWN_OWED) | TO(SHOWN_FRESH),
	[SHOWN_OWED] = TO(SHOWN_SETTLED) | TO(SHOWN_FRESH),
	[SHOWN_SETTLED] = TO(SHOWN_HELD) | TO(SHOWN_FRESH),
};
static_assert(sizeof(shown_next) == SHOWN_STATE_COUNT, "a row per state");

static bool shown_busy(uint8_t state)
{
	return state == SHOWN_HELD || state == SHOWN_OWED;
}

/* The only writer of a state, of busy[] and of the counts. */
static struct shown_slot *shown_move(struct shown *shown, uint32_t index,
				     enum shown_state state)
{
	struct shown_slot *slot = &shown->slot[index];
	uint64_t bit = UINT64_C(1) << (index & 63);

	assert(shown_next[slot->state] & TO(state));
	shown->held -= slot->state == SHOWN_HELD;
	shown->pages -= slot->state == SHOWN_HELD ? slot->pages : 0;
	shown->owed -= slot->state == SHOWN_OWED;
	shown->torn -= slot->torn;
	shown->known -= slot->state != SHOWN_FRESH;
	slot->torn = false;
	slot->state = (uint8_t)state;
	shown->held += state == SHOWN_HELD;
	shown->owed += state == SHOWN_OWED;
	shown->known += state != SHOWN_FRESH;
	if (shown_busy(slot->state))
		shown->busy[index / 64] |= bit;
	else
		shown->busy[index / 64] &= ~bit;
	return slot;
}

void shown_create(struct shown *shown)
{
	memset(shown, 0, sizeof(*shown));
}

uint32_t shown_free_index(const struct shown *shown)
{
	const uint32_t words = IOPF_GUEST_INDEX_COUNT / 64;
	uint32_t first = shown->next / 64;

	/* The first word is looked at twice: from next on, and at the end below it. */
	for (uint32_t i = 0; i <= words; i++) {
		uint32_t word = (first + i) % words;
		uint64_t from = UINT64_MAX << (shown->next & 63);
		uint64_t free = ~shown->busy[word];

		if (i == 0)
			free &= from;
		if (i == words)
			free &= ~from;
		if (free != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(free);
	}
	return SHOWN_NO_INDEX;
}

void shown_show(struct shown *shown, uint32_t index, uint64_t token, uint32_t pasid,
		uint32_t pages)
{
	struct shown_slot *slot = shown_move(shown, index, SHOWN_HELD);

	slot->pages = (uint16_t)pages;
	shown->pages += pages;
	slot->token = token;
	slot->pasid = pasid;
	slot->owed_ns = 0;
	slot->next = slot->prev = (uint16_t)index;
	slot->code = IOPF_SUCCESS;
	shown->next = (index + 1) % IOPF_GUEST_INDEX_COUNT;
}

void shown_join(struct shown *shown, uint32_t index, uint32_t with)
{
	struct shown_slot *slot = &shown->slot[index], *before = &shown->slot[with];

	slot->prev = (uint16_t)with;
	slot->next = before->next;
	shown->slot[before->next].prev = (uint16_t)index;
	before->next = (uint16_t)index;
}

static uint8_t worse(uint8_t a, uint8_t b)
{
	static_assert(IOPF_SUCCESS < IOPF_INVALID && IOPF_INVALID < IOPF_FAILURE,
		      "from good to bad");
	return a > b ? a : b;
}

/* What was said so far stays with one that is left. */
uint32_t shown_settle(struct shown *shown, uint32_t index, enum iopf_code *code)
{
	struct shown_slot *slot = &shown->slot[index], *next;
	bool held = slot->state == SHOWN_HELD;

	shown_move(shown, index, SHOWN_SETTLED);
	if (held)
		*code = (enum iopf_code)worse(slot->code, (uint8_t)*code);
	if (!held || slot->next == index)
		return SHOWN_NO_INDEX;
	next = &shown->slot[slot->next];
	next->code = worse(next->code, (uint8_t)*code);
	next->prev = slot->prev;
	shown->slot[slot->prev].next = slot->next;
	return slot->next;
}

uint32_t shown_take(struct shown *shown, uint32_t index, uint64_t now_ns)
{
	uint32_t at = index, count = 0;

	do {
		struct shown_slot *slot = shown_move(shown, at, SHOWN_OWED);

		slot->owed_ns = now_ns;
		at = slot->next;
		count++;
	} while (at != index);
	return count;
}

void shown_forget(struct shown *shown, uint32_t index)
{
	bool held = shown->slot[index].state == SHOWN_HELD;
	uint32_t at = index;

	do {
		at = shown_move(shown, at, SHOWN_FRESH)->next;
	} while (held && at != index);
}

void shown_tear(struct shown *shown, uint32_t pasid)
{
	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT && shown->owed > 0; i++) {
		struct shown_slot *slot = &shown->slot[i];

		if (slot->state != SHOWN_OWED || slot->torn || slot->pasid != pasid)
			continue;
		slot->torn = true;
		shown->torn++;
	}
}

uint32_t shown_drain(struct shown *shown)
{
	uint32_t ended = 0;

	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT && shown->torn > 0; i++) {
		const struct shown_slot *slot = &shown->slot[i];

		if (slot->torn) {
			shown_move(shown, i, SHOWN_FRESH);
			ended++;
		}
	}
	return ended;
}

uint64_t shown_oldest_debt_ns(const struct shown *shown)
{
	uint64_t oldest_ns = 0;

	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT && shown->owed > 0; i++) {
		const struct shown_slot *slot = &shown->slot[i];

		if (slot->state == SHOWN_OWED &&
		    (oldest_ns == 0 || slot->owed_ns < oldest_ns))
			oldest_ns = slot->owed_ns;
	}
	return oldest_ns;
}
