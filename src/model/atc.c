/* SPDX-License-Identifier: BSD-3-Clause */
/* model/atc.c - address translation cache. */
#include "model/atc.h"

#include <assert.h>
#include <string.h>

#define PAGE_SHIFT 12

void atc_create(struct atc *atc, struct atc_entry *entries, uint32_t count)
{
	assert(count >= ATC_WAYS && (count & (count - 1)) == 0);
	memset(entries, 0, count * sizeof(*entries));
	*atc = (struct atc){ .entries = entries, .count = count };
}

/* The first way of the set that @page of @pasid belongs to. */
static uint32_t set_of(const struct atc *atc, uint32_t pasid, uint64_t page)
{
	uint64_t mixed = (page >> PAGE_SHIFT) + pasid * UINT64_C(0x9e3779b97f4a7c15);

	mixed ^= mixed >> 32;
	return (uint32_t)mixed * ATC_WAYS & (atc->count - 1);
}

static bool is_for(const struct atc_entry *entry, uint32_t pasid, uint64_t page, bool priv)
{
	return entry->state == ATC_VALID && entry->page == page &&
	       entry->pasid == pasid && entry->priv == priv;
}

uint32_t atc_take(struct atc *atc, uint32_t pasid, uint64_t page, bool priv, uint8_t perm)
{
	uint32_t set = set_of(atc, pasid, page);

	for (uint32_t n = set; n < set + ATC_WAYS; n++) {
		struct atc_entry *entry = &atc->entries[n];

		if (is_for(entry, pasid, page, priv) && (perm & ~entry->perm) == 0) {
			entry->uses++;
			atc->hits++;
			return n;
		}
	}
	atc->misses++;
	return ATC_NONE;
}

/* The same page with other rights, a free way, or the next in turn that nobody holds. */
static uint32_t victim(struct atc *atc, const struct atc_entry *entry)
{
	uint32_t set = set_of(atc, entry->pasid, entry->page), found = ATC_NONE;

	for (uint32_t turn = 0; turn < ATC_WAYS; turn++) {
		uint32_t n = set + ((atc->hand + turn) & (ATC_WAYS - 1));
		const struct atc_entry *old = &atc->entries[n];

		if (old->uses != 0)
			continue;
		if (is_for(old, entry->pasid, entry->page, entry->priv))
			return n;
		if (found == ATC_NONE || old->state == ATC_FREE)
			found = n;
	}
	return found;
}

uint32_t atc_fill(struct atc *atc, const struct atc_entry *entry)
{
	uint32_t n = victim(atc, entry);

	if (n == ATC_NONE)
		return ATC_NONE;
	atc->hand++;
	atc->entries[n] = *entry;
	atc->entries[n].state = ATC_VALID;
	atc->entries[n].uses = 1;
	return n;
}

void atc_release(struct atc *atc, uint32_t use)
{
	struct atc_entry *entry = &atc->entries[use];

	assert(use < atc->count && entry->uses > 0);
	if (--entry->uses == 0 && entry->state == ATC_DYING)
		entry->state = ATC_FREE;
}

const struct atc_entry *atc_entry(const struct atc *atc, uint32_t use)
{
	assert(use < atc->count && atc->entries[use].uses > 0);
	return atc->entries[use].state == ATC_VALID ? &atc->entries[use] : NULL;
}

/* True: nobody holds it. */
static bool drop(struct atc_entry *entry)
{
	if (entry->state == ATC_FREE)
		return true;
	entry->state = entry->uses == 0 ? ATC_FREE : ATC_DYING;
	return entry->uses == 0;
}

bool atc_invalidate(struct atc *atc, uint32_t pasid, bool global, uint64_t first,
		    uint64_t last)
{
	bool done = true;
	uint32_t set = 0, end = atc->count;

	/* One page of one PASID lies in one set; anything more is a sweep. */
	if (!global && first >> PAGE_SHIFT == last >> PAGE_SHIFT) {
		set = set_of(atc, pasid, first & ~UINT64_C(0xfff));
		end = set + ATC_WAYS;
	}
	for (uint32_t n = set; n < end; n++) {
		struct atc_entry *entry = &atc->entries[n];

		if ((global || entry->pasid == pasid) && entry->page >= first &&
		    entry->page <= last)
			done = drop(entry) && done;
	}
	return done;
}
