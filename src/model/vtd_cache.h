/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/vtd_cache.h - what a VT-d IOMMU remembers: context entries, PASID entries and
 * translations. Nothing that is not present is remembered (CM = 0). What software
 * forgets to invalidate stays, and is seen.
 *
 * An invalidation forgets at least what it names (VT-d, 6.2 and 6.5.2).
 */
#ifndef MODEL_VTD_CACHE_H
#define MODEL_VTD_CACHE_H

#include "model/tags.h"
#include "table/vtd_scalable.h"

struct context_line {
	struct vtd_context context;
	bool quiet;
};

struct pasid_line {
	struct vtd_pasid pasid;
	bool quiet;
};

struct translation_line {
	uint64_t addr; /* of the range, translated */
	uint64_t base; /* of the range, untranslated */
	uint64_t size_bytes;
	uint32_t number; /* PASID */
	uint16_t domain;
	uint8_t perm;
	uint8_t pgtt;    /* enum vtd_pgtt: says which invalidations reach it */
};

struct vtd_cache {
	struct tags contexts, pasids, translations;
	struct context_line *context;
	struct pasid_line *pasid;
	struct translation_line *translation;
	uint64_t hits, misses; /* of translations */
};

/* Returns: 0, -EINVAL (counts are powers of two from 4 to 65536), -ENOMEM. */
int vtd_cache_create(struct vtd_cache *cache, uint32_t contexts, uint32_t pasids,
		     uint32_t translations);
void vtd_cache_destroy(struct vtd_cache *cache);

/* NULL: not there. Borrowed until the next call. */
const struct context_line *vtd_cache_context(struct vtd_cache *cache, uint32_t rid);
const struct pasid_line *vtd_cache_pasid(struct vtd_cache *cache, uint32_t rid,
					 uint32_t number);
/* With all of @perm, which says also whether the access is privileged. */
const struct translation_line *vtd_cache_translation(struct vtd_cache *cache,
						     uint16_t domain, uint32_t number,
						     uint64_t addr, uint8_t perm);

void vtd_cache_add_context(struct vtd_cache *cache, uint32_t rid,
			   const struct context_line *line);
void vtd_cache_add_pasid(struct vtd_cache *cache, uint32_t rid, uint32_t number,
			 const struct pasid_line *line);
void vtd_cache_add_translation(struct vtd_cache *cache, uint64_t addr,
			       const struct translation_line *line);

/* The page at @addr of PASID @number, whatever its domain and privilege. */
void vtd_cache_forget_page(struct vtd_cache *cache, uint32_t number, uint64_t addr);

struct iopf_command;

/* An invalidation of contexts, PASIDs or translations. */
void vtd_cache_invalidate(struct vtd_cache *cache, const struct iopf_command *command);

#endif
