/* SPDX-License-Identifier: BSD-3-Clause */
/* source/iommufd.c - Linux's fault descriptor: memory, slots, and what ends elsewhere. */
#include "source/iommufd.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- Memory ------------------------------------------------------------------------------ */

static bool options_right(const struct iopf_iommufd_options *options)
{
	return options->size_bytes == sizeof(*options) &&
	       options->group_max - 1 < GROUP_MAX &&
	       options->group_read_max - 1 < GROUP_MAX && options->io != NULL &&
	       options->io->read != NULL && options->io->write != NULL;
}

static uint32_t slots_of(const struct iopf_iommufd_options *options)
{
	return options->group_max + options->group_read_max;
}

static size_t aligned(size_t size_bytes)
{
	return (size_bytes + 7) & ~(size_t)7;
}

/* Where the parts of a source lie, one after the other. */
struct parts {
	size_t slots, cookies, requests, bytes, end;
};

static struct parts parts_of(const struct iopf_iommufd_options *options)
{
	struct parts at;

	at.slots = aligned(sizeof(struct iopf_iommufd));
	at.cookies = at.slots + aligned(slots_of(options) * sizeof(struct slot));
	at.requests = at.cookies + aligned(map_size_bytes(slots_of(options)));
	at.bytes = at.requests +
		   aligned(options->group_read_max * sizeof(struct iopf_request));
	at.end = at.bytes + (size_t)options->group_read_max * IOPF_IOMMUFD_FAULT_BYTES;
	return at;
}

size_t iopf_iommufd_size_bytes(const struct iopf_iommufd_options *options)
{
	return options_right(options) ? parts_of(options).end : 0;
}

/* ---- Slots ------------------------------------------------------------------------------- */

#define TO(state) (1u << SLOT_##state)

static const uint8_t slot_next[] = {
	[SLOT_FREE] = TO(SHOWN) | TO(WAITING),
	[SLOT_SHOWN] = TO(WAITING) | TO(OVER) | TO(FREE),
	[SLOT_WAITING] = TO(FREE),
	[SLOT_OVER] = TO(FREE),
};
_Static_assert(sizeof(slot_next) == SLOT_STATE_COUNT, "a row per state");

void source_move(struct slot *slot, enum slot_state to)
{
	assert(slot_next[slot->state] & 1u << to);
	slot->state = (uint8_t)to;
}

void source_push(struct iopf_iommufd *source, struct line *line, uint32_t at)
{
	if (line->count++ == 0)
		line->first = at;
	else
		source->slots[line->last].next = (uint16_t)at;
	line->last = at;
}

uint32_t source_pop(struct iopf_iommufd *source, struct line *line)
{
	uint32_t at = line->first;

	assert(line->count > 0);
	line->count--;
	line->first = source->slots[at].next;
	return at;
}

void source_free(struct iopf_iommufd *source, uint32_t at)
{
	source_move(&source->slots[at], SLOT_FREE);
	source_push(source, &source->free, at);
}

void source_cookie_end(struct iopf_iommufd *source, uint32_t at)
{
	bool there = map_remove(&source->cookies, source->slots[at].cookie);

	assert(there);
	(void)there;
}

void source_answer(struct iopf_iommufd *source, uint32_t at, enum iopf_code code)
{
	source_move(&source->slots[at], SLOT_WAITING);
	source->slots[at].code = (uint8_t)code;
	source_push(source, &source->waiting, at);
}

/* Out of the middle of the answers: mostly there are none. */
static void answer_drop(struct iopf_iommufd *source, uint32_t which)
{
	struct line kept = { 0 };

	while (source->waiting.count > 0) {
		uint32_t at = source_pop(source, &source->waiting);

		if (at != which)
			source_push(source, &kept, at);
	}
	source->waiting = kept;
}

void source_over(struct iopf_iommufd *source, uint32_t at, bool responds)
{
	source_cookie_end(source, at);
	if (source->slots[at].state == SLOT_SHOWN && responds) {
		source_move(&source->slots[at], SLOT_OVER);
		return;
	}
	if (source->slots[at].state == SLOT_WAITING)
		answer_drop(source, at);
	source_free(source, at);
}

int iopf_iommufd_create(const struct iopf_iommufd_options *options, void *memory,
			size_t memory_bytes, struct iopf_iommufd **source)
{
	struct iopf_iommufd *it = memory;
	struct parts at;

	if (!options_right(options) || ((uintptr_t)memory & 7) != 0)
		return -EINVAL;
	at = parts_of(options);
	if (memory_bytes < at.end)
		return -ENOSPC;
	memset(memory, 0, at.end);
	it->options = *options;
	it->slots = (void *)((uint8_t *)memory + at.slots);
	it->requests = (void *)((uint8_t *)memory + at.requests);
	it->bytes = (uint8_t *)memory + at.bytes;
	it->slot_count = slots_of(options);
	map_create(&it->cookies, it->slot_count, (uint8_t *)memory + at.cookies);
	for (uint32_t i = 0; i < it->slot_count; i++)
		source_push(it, &it->free, i);
	*source = it;
	return 0;
}

/* ---- What ends elsewhere ------------------------------------------------------------------- */

static bool is_of(const struct slot *slot, uint32_t device, uint32_t pasid)
{
	return slot->device == device &&
	       (pasid == IOPF_PASID_ANY || slot->pasid == pasid);
}

uint32_t iopf_iommufd_forget(struct iopf_iommufd *source, uint32_t device, uint32_t pasid)
{
	uint32_t count = 0;

	for (uint32_t at = 0; at < source->slot_count; at++) {
		const struct slot *slot = &source->slots[at];

		if ((slot->state != SLOT_SHOWN && slot->state != SLOT_WAITING) ||
		    !is_of(slot, device, pasid))
			continue;
		source_over(source, at, true);
		count++;
	}
	source->stats.forgotten += count;
	return count;
}

uint32_t iopf_iommufd_reset(struct iopf_iommufd *source, uint32_t device)
{
	uint32_t count = 0;

	for (uint32_t at = 0; at < source->slot_count; at++) {
		const struct slot *slot = &source->slots[at];

		if (slot->state == SLOT_FREE || slot->device != device)
			continue;
		if (slot->state == SLOT_OVER) {
			source_free(source, at);
			continue;
		}
		source_over(source, at, false);
		count++;
	}
	source->stats.kept_back += count;
	return count;
}

/* Who carries a step out. */
static const int16_t steps[] = {
	[IOPF_STEP_NONE] = 0,
	[IOPF_STEP_DRAIN] = 0,
	[IOPF_STEP_RESPOND] = 0,
	[IOPF_STEP_PRI_OFF] = -EOPNOTSUPP,
	[IOPF_STEP_STOPPED] = -EOPNOTSUPP,
	[IOPF_STEP_PRI_RESET] = -EOPNOTSUPP,
	[IOPF_STEP_PRI_ON] = -EOPNOTSUPP,
	[IOPF_STEP_DONE] = 0,
	[IOPF_STEP_BLOCK] = -EOPNOTSUPP,
	[IOPF_STEP_TERMINATE] = -EOPNOTSUPP,
	[IOPF_STEP_UNBLOCK] = -EOPNOTSUPP,
};
_Static_assert(sizeof(steps) / sizeof(steps[0]) == IOPF_STEP_COUNT, "a row each");

int iopf_iommufd_step(enum iopf_step step)
{
	return (unsigned)step < IOPF_STEP_COUNT ? steps[step] : -EINVAL;
}

uint32_t iopf_iommufd_owed(const struct iopf_iommufd *source)
{
	return source->cookies.count;
}

const struct iopf_iommufd_stats *iopf_iommufd_stats(const struct iopf_iommufd *source)
{
	return &source->stats;
}
