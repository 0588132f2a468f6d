/* SPDX-License-Identifier: BSD-3-Clause */
/* model/cache.c - lines of an IOMMU's caches, and what a command forgets of them. */
#include "model/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "iopf/wire.h"

enum { PAGE_SHIFT = 12, NUMBER_BITS = 20 };

/* ---- Create and destroy ---------------------------------------------------------------- */

int cache_create(struct cache *cache, const struct cache_options *options)
{
	int error;

	*cache = (struct cache){ .options = *options };
	error = tags_create(&cache->entries, options->entries);
	if (error == 0)
		error = tags_create(&cache->processes, options->processes);
	if (error == 0)
		error = tags_create(&cache->translations, options->translations);
	if (error == 0) {
		cache->entry = calloc(options->entries, options->entry_bytes);
		cache->process = calloc(options->processes, options->process_bytes);
		cache->domain = calloc(options->processes, sizeof(*cache->domain));
		cache->line = calloc(options->translations, sizeof(*cache->line));
		if (cache->entry == NULL || cache->process == NULL ||
		    cache->domain == NULL || cache->line == NULL)
			error = -ENOMEM;
	}
	if (error != 0)
		cache_destroy(cache);
	return error;
}

void cache_destroy(struct cache *cache)
{
	tags_destroy(&cache->entries);
	tags_destroy(&cache->processes);
	tags_destroy(&cache->translations);
	free(cache->entry);
	free(cache->process);
	free(cache->domain);
	free(cache->line);
	*cache = (struct cache){ .hits = 0 };
}

/* ---- Lookup and fill -------------------------------------------------------------------- */

static unsigned char *entry_at(const struct cache *cache, uint32_t slot)
{
	return cache->entry + slot * cache->options.entry_bytes;
}

static unsigned char *process_at(const struct cache *cache, uint32_t slot)
{
	return cache->process + slot * cache->options.process_bytes;
}

const void *cache_entry(const struct cache *cache, uint32_t rid)
{
	int32_t slot = tags_find(&cache->entries, rid, rid, 0);

	return slot != TAGS_NONE ? entry_at(cache, (uint32_t)slot) : NULL;
}

void cache_add_entry(struct cache *cache, uint32_t rid, const void *line)
{
	uint32_t slot = tags_take(&cache->entries, rid, rid, 0);

	memcpy(entry_at(cache, slot), line, cache->options.entry_bytes);
}

static uint64_t process_key(uint32_t rid, uint32_t number)
{
	return (uint64_t)rid << NUMBER_BITS | number;
}

const void *cache_process(const struct cache *cache, uint32_t rid, uint32_t number)
{
	uint64_t key = process_key(rid, number);
	int32_t slot = tags_find(&cache->processes, key, key, 0);

	return slot != TAGS_NONE ? process_at(cache, (uint32_t)slot) : NULL;
}

void cache_add_process(struct cache *cache, uint32_t rid, uint32_t number,
		       uint32_t domain, const void *line)
{
	uint64_t key = process_key(rid, number);
	uint32_t slot = tags_take(&cache->processes, key, key, 0);

	cache->domain[slot] = domain;
	memcpy(process_at(cache, slot), line, cache->options.process_bytes);
}

/* A page of a number lies in one set, in whatever domain. */
static uint64_t page_hash(uint32_t number, uint64_t addr)
{
	return (addr >> PAGE_SHIFT) ^ (uint64_t)number << 40;
}

static uint64_t page_key(uint64_t addr, uint8_t perm)
{
	return (addr >> PAGE_SHIFT) << 1 | ((perm & IOPF_PRIV) != 0);
}

static uint64_t tag_key(const struct cache_tag *tag)
{
	return (uint64_t)tag->domain << 32 | (uint64_t)tag->stages << 30 | tag->number;
}

const struct cache_line *cache_translation(struct cache *cache,
					   const struct cache_tag *tag, uint64_t addr,
					   uint8_t perm)
{
	int32_t slot = tags_find(&cache->translations, page_hash(tag->number, addr),
				 page_key(addr, perm), tag_key(tag));
	bool hit = slot != TAGS_NONE && (perm & ~cache->line[slot].perm) == 0;

	cache->hits += hit;
	cache->misses += !hit;
	return hit ? &cache->line[slot] : NULL;
}

void cache_add_translation(struct cache *cache, uint64_t addr,
			   const struct cache_line *line)
{
	uint32_t slot = tags_take(&cache->translations, page_hash(line->tag.number, addr),
				  page_key(addr, line->perm), tag_key(&line->tag));

	cache->line[slot] = *line;
}

void cache_forget_page(struct cache *cache, uint32_t number, uint64_t addr)
{
	uint32_t set = tags_set(&cache->translations, page_hash(number, addr));

	for (uint32_t slot = set; slot < set + TAGS_WAYS; slot++) {
		const struct cache_line *line = &cache->line[slot];

		if (line->tag.number == number && addr - line->base < line->size_bytes)
			cache->translations.tag[slot].valid = false;
	}
}

/* ---- Invalidation ----------------------------------------------------------------------- */

/* What commands may name a line by. */
struct line_names {
	uint32_t rid, domain, number;
	const struct cache_line *line; /* NULL: no translation */
};

static bool ranges_meet(const struct cache_line *line, const struct iopf_command *command)
{
	uint64_t line_last = line->base + (line->size_bytes - 1);
	uint64_t last = command->addr + (command->size_bytes - 1);

	return line->base <= last && command->addr <= line_last;
}

/* What of enum cache_named is so. */
static uint16_t fulfilled(const struct line_names *names,
			  const struct iopf_command *command)
{
	const struct cache_line *line = names->line;
	uint32_t other = names->rid ^ command->rid;
	unsigned is = CACHE_LINES;

	is |= (other & ~(uint32_t)command->rid_mask) == 0 ? CACHE_BY_RID : 0u;
	is |= names->domain == command->domain ? CACHE_BY_DOMAIN : 0u;
	is |= names->number == command->pasid ? CACHE_BY_PASID : 0u;
	if (line == NULL)
		return (uint16_t)is;
	is |= names->number == command->asid ? CACHE_BY_ASID : 0u;
	is |= ranges_meet(line, command) ? CACHE_BY_RANGE : 0u;
	is |= (line->tag.stages & CACHE_FIRST) != 0 ? CACHE_HAS_FIRST : CACHE_NO_FIRST;
	is |= (line->tag.stages & CACHE_SECOND) != 0 ? CACHE_HAS_SECOND : CACHE_NO_SECOND;
	is |= line->global ? 0u : CACHE_NOT_GLOBAL;
	return (uint16_t)is;
}

static struct line_names entry_names(const struct cache *cache, uint32_t slot)
{
	return (struct line_names){ .rid = (uint32_t)cache->entries.tag[slot].low };
}

static struct line_names process_names(const struct cache *cache, uint32_t slot)
{
	uint64_t key = cache->processes.tag[slot].low;

	return (struct line_names){ .rid = (uint32_t)(key >> NUMBER_BITS),
				    .domain = cache->domain[slot],
				    .number = key & IOPF_PASID_MAX };
}

static struct line_names translation_names(const struct cache *cache, uint32_t slot)
{
	const struct cache_line *line = &cache->line[slot];

	return (struct line_names){ .domain = line->tag.domain,
				    .number = line->tag.number,
				    .line = line };
}

/* Lines of a kind for which all of @named is so. */
static void forget(struct cache *cache, struct tags *tags, uint16_t named,
		   struct line_names (*names_of)(const struct cache *cache,
						 uint32_t slot),
		   const struct iopf_command *command)
{
	if (named == 0)
		return;
	for (uint32_t slot = 0; slot < tags->count; slot++) {
		struct line_names names;

		if (!tags->tag[slot].valid)
			continue;
		names = names_of(cache, slot);
		if ((named & ~fulfilled(&names, command)) == 0)
			tags->tag[slot].valid = false;
	}
}

static bool rule_fits(const struct cache_rule *rule, const struct iopf_command *command)
{
	bool none = command->pasid == IOPF_PASID_NONE;

	return rule->kind == command->kind &&
	       (rule->granularities >> command->granularity & 1) != 0 &&
	       (command->hints & rule->hints) == rule->hints_set &&
	       (rule->pasid != CACHE_PASID_GIVEN || !none) &&
	       (rule->pasid != CACHE_PASID_NONE || none);
}

void cache_invalidate(struct cache *cache, const struct iopf_command *command)
{
	for (const struct cache_rule *rule = cache->options.rules; rule->kind != 0;
	     rule++) {
		if (!rule_fits(rule, command))
			continue;
		forget(cache, &cache->entries, rule->entries, entry_names, command);
		forget(cache, &cache->processes, rule->processes, process_names, command);
		forget(cache, &cache->translations, rule->translations, translation_names,
		       command);
	}
}
