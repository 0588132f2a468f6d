/* SPDX-License-Identifier: BSD-3-Clause */
/* model/vtd_cache.c - context cache, PASID cache and IOTLB of the VT-d model. */
#include "model/vtd_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "iopf/wire.h"

enum { PAGE_SHIFT = 12 };

/* ---- Create and destroy ---------------------------------------------------------------- */

int vtd_cache_create(struct vtd_cache *cache, uint32_t contexts, uint32_t pasids,
		     uint32_t translations)
{
	int error;

	*cache = (struct vtd_cache){ .hits = 0 };
	error = tags_create(&cache->contexts, contexts);
	if (error == 0)
		error = tags_create(&cache->pasids, pasids);
	if (error == 0)
		error = tags_create(&cache->translations, translations);
	if (error == 0) {
		cache->context = calloc(contexts, sizeof(*cache->context));
		cache->pasid = calloc(pasids, sizeof(*cache->pasid));
		cache->translation = calloc(translations, sizeof(*cache->translation));
		if (cache->context == NULL || cache->pasid == NULL ||
		    cache->translation == NULL)
			error = -ENOMEM;
	}
	if (error != 0)
		vtd_cache_destroy(cache);
	return error;
}

void vtd_cache_destroy(struct vtd_cache *cache)
{
	tags_destroy(&cache->contexts);
	tags_destroy(&cache->pasids);
	tags_destroy(&cache->translations);
	free(cache->context);
	free(cache->pasid);
	free(cache->translation);
	*cache = (struct vtd_cache){ .hits = 0 };
}

/* ---- Lookup and fill -------------------------------------------------------------------- */

const struct context_line *vtd_cache_context(struct vtd_cache *cache, uint32_t rid)
{
	int32_t slot = tags_find(&cache->contexts, rid, rid, 0);

	return slot != TAGS_NONE ? &cache->context[slot] : NULL;
}

void vtd_cache_add_context(struct vtd_cache *cache, uint32_t rid,
			   const struct context_line *line)
{
	cache->context[tags_take(&cache->contexts, rid, rid, 0)] = *line;
}

static uint64_t pasid_key(uint32_t rid, uint32_t number)
{
	return (uint64_t)rid << 20 | number;
}

const struct pasid_line *vtd_cache_pasid(struct vtd_cache *cache, uint32_t rid,
					 uint32_t number)
{
	uint64_t key = pasid_key(rid, number);
	int32_t slot = tags_find(&cache->pasids, key, key, 0);

	return slot != TAGS_NONE ? &cache->pasid[slot] : NULL;
}

void vtd_cache_add_pasid(struct vtd_cache *cache, uint32_t rid, uint32_t number,
			 const struct pasid_line *line)
{
	uint64_t key = pasid_key(rid, number);

	cache->pasid[tags_take(&cache->pasids, key, key, 0)] = *line;
}

/* A page of a PASID lies in one set, in whatever domain. */
static uint64_t page_hash(uint32_t number, uint64_t addr)
{
	return (addr >> PAGE_SHIFT) ^ (uint64_t)number << 40;
}

/* Supervisor and user may see a page differently: two entries. */
static uint64_t page_key(uint64_t addr, uint8_t perm)
{
	return (addr >> PAGE_SHIFT) << 1 | ((perm & IOPF_PRIV) != 0);
}

static uint64_t space_key(uint16_t domain, uint32_t number)
{
	return (uint64_t)domain << 32 | number;
}

const struct translation_line *vtd_cache_translation(struct vtd_cache *cache,
						     uint16_t domain, uint32_t number,
						     uint64_t addr, uint8_t perm)
{
	int32_t slot = tags_find(&cache->translations, page_hash(number, addr),
				 page_key(addr, perm), space_key(domain, number));
	bool hit = slot != TAGS_NONE && (perm & ~cache->translation[slot].perm) == 0;

	cache->hits += hit;
	cache->misses += !hit;
	return hit ? &cache->translation[slot] : NULL;
}

void vtd_cache_add_translation(struct vtd_cache *cache, uint64_t addr,
			       const struct translation_line *line)
{
	uint32_t slot = tags_take(&cache->translations, page_hash(line->number, addr),
				  page_key(addr, line->perm),
				  space_key(line->domain, line->number));

	cache->translation[slot] = *line;
}

/* ---- Invalidation ----------------------------------------------------------------------- */

void vtd_cache_forget_page(struct vtd_cache *cache, uint32_t number, uint64_t addr)
{
	uint32_t set = tags_set(&cache->translations, page_hash(number, addr));

	for (uint32_t slot = set; slot < set + TAGS_WAYS; slot++) {
		const struct translation_line *line = &cache->translation[slot];

		if (line->number == number && addr - line->base < line->size_bytes)
			cache->translations.tag[slot].valid = false;
	}
}

static bool context_named(const struct vtd_cache *cache, uint32_t slot,
			  const struct iopf_command *command)
{
	uint32_t rid = (uint32_t)cache->contexts.tag[slot].low;

	/* Scalable-mode contexts are in no domain: that names them all. */
	return command->granularity != IOPF_DEVICE ||
	       ((rid ^ command->rid) & ~(uint32_t)command->rid_mask) == 0;
}

static bool pasid_named(const struct vtd_cache *cache, uint32_t slot,
			const struct iopf_command *command)
{
	uint32_t number = (uint32_t)cache->pasids.tag[slot].low & IOPF_PASID_MAX;
	bool domain = cache->pasid[slot].pasid.domain == command->domain;

	if (command->granularity == IOPF_ALL)
		return true;
	return domain &&
	       (command->granularity == IOPF_DOMAIN || number == command->pasid);
}

static bool ranges_meet(const struct translation_line *line,
			const struct iopf_command *command)
{
	uint64_t line_last = line->base + (line->size_bytes - 1);
	uint64_t last = command->addr + (command->size_bytes - 1);

	return line->base <= last && command->addr <= line_last;
}

/*
 * VT-d, "IOTLB Invalidate" and "PASID-based IOTLB Invalidate". Without a PASID the pages
 * are those of a second level: a nested translation came through some of them, and no
 * tag says which, so all of the domain's go.
 */
static bool translation_named(const struct vtd_cache *cache, uint32_t slot,
			      const struct iopf_command *command)
{
	const struct translation_line *line = &cache->translation[slot];
	bool has_first = line->pgtt == VTD_PGTT_FIRST || line->pgtt == VTD_PGTT_NESTED;

	if (command->granularity == IOPF_ALL)
		return true;
	if (line->domain != command->domain)
		return false;
	if (command->granularity == IOPF_DOMAIN)
		return true;
	if (command->pasid == IOPF_PASID_NONE)
		return line->pgtt == VTD_PGTT_NESTED ||
		       (!has_first && ranges_meet(line, command));
	if (!has_first || line->number != command->pasid)
		return false;
	return command->granularity == IOPF_ONE_PASID || ranges_meet(line, command);
}

static void forget(struct vtd_cache *cache, struct tags *tags,
		   bool (*named)(const struct vtd_cache *cache, uint32_t slot,
				 const struct iopf_command *command),
		   const struct iopf_command *command)
{
	for (uint32_t slot = 0; slot < tags->count; slot++) {
		if (tags->tag[slot].valid && named(cache, slot, command))
			tags->tag[slot].valid = false;
	}
}

void vtd_cache_invalidate(struct vtd_cache *cache, const struct iopf_command *command)
{
	if (command->kind == IOPF_COMMAND_INVALIDATE_CONTEXT)
		forget(cache, &cache->contexts, context_named, command);
	else if (command->kind == IOPF_COMMAND_INVALIDATE_PASID)
		forget(cache, &cache->pasids, pasid_named, command);
	else if (command->kind == IOPF_COMMAND_INVALIDATE_IOTLB)
		forget(cache, &cache->translations, translation_named, command);
}
