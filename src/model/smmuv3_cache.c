/* SPDX-License-Identifier: BSD-3-Clause */
/* model/smmuv3_cache.c - configuration caches and TLB of the SMMUv3 model. */
#include "model/smmuv3_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "iopf/wire.h"

enum { PAGE_SHIFT = 12, INDEX_BITS = 20 };

/* ---- Create and destroy ---------------------------------------------------------------- */

int smmuv3_cache_create(struct smmuv3_cache *cache, uint32_t stes, uint32_t cds,
			uint32_t translations)
{
	int error;

	*cache = (struct smmuv3_cache){ .hits = 0 };
	error = tags_create(&cache->stes, stes);
	if (error == 0)
		error = tags_create(&cache->cds, cds);
	if (error == 0)
		error = tags_create(&cache->translations, translations);
	if (error == 0) {
		cache->ste = calloc(stes, sizeof(*cache->ste));
		cache->cd = calloc(cds, sizeof(*cache->cd));
		cache->line = calloc(translations, sizeof(*cache->line));
		if (cache->ste == NULL || cache->cd == NULL || cache->line == NULL)
			error = -ENOMEM;
	}
	if (error != 0)
		smmuv3_cache_destroy(cache);
	return error;
}

void smmuv3_cache_destroy(struct smmuv3_cache *cache)
{
	tags_destroy(&cache->stes);
	tags_destroy(&cache->cds);
	tags_destroy(&cache->translations);
	free(cache->ste);
	free(cache->cd);
	free(cache->line);
	*cache = (struct smmuv3_cache){ .hits = 0 };
}

/* ---- Lookup and fill -------------------------------------------------------------------- */

const struct smmuv3_ste *smmuv3_cache_ste(const struct smmuv3_cache *cache, uint32_t rid)
{
	int32_t slot = tags_find(&cache->stes, rid, rid, 0);

	return slot != TAGS_NONE ? &cache->ste[slot] : NULL;
}

void smmuv3_cache_add_ste(struct smmuv3_cache *cache, uint32_t rid,
			  const struct smmuv3_ste *ste)
{
	cache->ste[tags_take(&cache->stes, rid, rid, 0)] = *ste;
}

static uint64_t cd_key(uint32_t rid, uint32_t index)
{
	return (uint64_t)rid << INDEX_BITS | index;
}

const struct smmuv3_cd *smmuv3_cache_cd(const struct smmuv3_cache *cache, uint32_t rid,
					uint32_t index)
{
	uint64_t key = cd_key(rid, index);
	int32_t slot = tags_find(&cache->cds, key, key, 0);

	return slot != TAGS_NONE ? &cache->cd[slot] : NULL;
}

void smmuv3_cache_add_cd(struct smmuv3_cache *cache, uint32_t rid, uint32_t index,
			 const struct smmuv3_cd *cd)
{
	uint64_t key = cd_key(rid, index);

	cache->cd[tags_take(&cache->cds, key, key, 0)] = *cd;
}

/* The privileged and others may see a page differently: two entries. */
static uint64_t page_key(uint64_t addr, uint8_t perm)
{
	return (addr >> PAGE_SHIFT) << 1 | ((perm & IOPF_PRIV) != 0);
}

static uint64_t tag_key(const struct smmuv3_tag *tag)
{
	uint64_t asid = tag->first ? tag->asid : 0;

	return asid << 16 | tag->vmid | (uint64_t)tag->first << 32 |
	       (uint64_t)tag->second << 33;
}

static uint64_t page_hash(const struct smmuv3_tag *tag, uint64_t addr)
{
	return (addr >> PAGE_SHIFT) ^ tag_key(tag) << 30;
}

const struct smmuv3_line *smmuv3_cache_translation(struct smmuv3_cache *cache,
						   const struct smmuv3_tag *tag,
						   uint64_t addr, uint8_t perm)
{
	int32_t slot = tags_find(&cache->translations, page_hash(tag, addr),
				 page_key(addr, perm), tag_key(tag));
	bool hit = slot != TAGS_NONE && (perm & ~cache->line[slot].perm) == 0;

	cache->hits += hit;
	cache->misses += !hit;
	return hit ? &cache->line[slot] : NULL;
}

void smmuv3_cache_add_translation(struct smmuv3_cache *cache, uint64_t addr,
				  const struct smmuv3_line *line)
{
	uint32_t slot = tags_take(&cache->translations, page_hash(&line->tag, addr),
				  page_key(addr, line->perm), tag_key(&line->tag));

	cache->line[slot] = *line;
}

/* ---- Invalidation ----------------------------------------------------------------------- */

static bool stream_named(uint32_t rid, const struct iopf_command *command)
{
	return command->granularity == IOPF_ALL ||
	       ((rid ^ command->rid) & ~(uint32_t)command->rid_mask) == 0;
}

static bool ste_named(const struct smmuv3_cache *cache, uint32_t slot,
		      const struct iopf_command *command)
{
	return stream_named((uint32_t)cache->stes.tag[slot].low, command);
}

static bool cd_named(const struct smmuv3_cache *cache, uint32_t slot,
		     const struct iopf_command *command)
{
	uint64_t key = cache->cds.tag[slot].low;
	uint32_t rid = (uint32_t)(key >> INDEX_BITS), index = key & IOPF_PASID_MAX;

	if (command->kind == IOPF_COMMAND_INVALIDATE_CONTEXT)
		return stream_named(rid, command);
	return rid == command->rid &&
	       (command->granularity != IOPF_ONE_PASID || index == command->pasid);
}

static bool ranges_meet(const struct smmuv3_line *line, const struct iopf_command *command)
{
	uint64_t line_last = line->base + (line->size_bytes - 1);
	uint64_t last = command->addr + (command->size_bytes - 1);

	return line->base <= last && command->addr <= line_last;
}

/* 4.4.3: an address between the stages names what stage 2 alone has made. What both have
 * made goes by VMID. */
static bool line_named(const struct smmuv3_cache *cache, uint32_t slot,
		       const struct iopf_command *command)
{
	const struct smmuv3_line *line = &cache->line[slot];
	bool asid = line->tag.first && (line->tag.asid == command->asid ||
					(command->hints & IOPF_HINT_ANY_ASID) != 0);

	if (command->granularity == IOPF_ALL)
		return true;
	if (line->tag.vmid != command->domain)
		return false;
	if (command->granularity == IOPF_DOMAIN)
		return (command->hints & IOPF_HINT_FIRST) == 0 || line->tag.first;
	if (command->granularity == IOPF_ONE_PASID)
		return asid;
	if ((command->hints & IOPF_HINT_SECOND) != 0)
		return !line->tag.first && ranges_meet(line, command);
	return asid && ranges_meet(line, command);
}

static void forget(struct smmuv3_cache *cache, struct tags *tags,
		   bool (*named)(const struct smmuv3_cache *cache, uint32_t slot,
				 const struct iopf_command *command),
		   const struct iopf_command *command)
{
	for (uint32_t slot = 0; slot < tags->count; slot++) {
		if (tags->tag[slot].valid && named(cache, slot, command))
			tags->tag[slot].valid = false;
	}
}

void smmuv3_cache_invalidate(struct smmuv3_cache *cache,
			     const struct iopf_command *command)
{
	if (command->kind == IOPF_COMMAND_INVALIDATE_IOTLB) {
		forget(cache, &cache->translations, line_named, command);
		return;
	}
	if (command->kind == IOPF_COMMAND_INVALIDATE_CONTEXT)
		forget(cache, &cache->stes, ste_named, command);
	forget(cache, &cache->cds, cd_named, command);
}
