/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/smmuv3_cache.h - what an SMMU remembers: stream table entries, context
 * descriptors and translations. Nothing that is not valid is remembered. What software
 * forgets to invalidate stays, and is seen.
 *
 * Entries and descriptors are known by stream (and number), translations by VMID and
 * ASID alone: whoever has the same two shares them. An invalidation forgets what it names
 * and nothing else (IHI 0070, 4.3 and 4.4), but a descriptor goes with its stream's entry.
 */
#ifndef MODEL_SMMUV3_CACHE_H
#define MODEL_SMMUV3_CACHE_H

#include "model/tags.h"
#include "table/smmuv3.h"

/* Whose translation it is. */
struct smmuv3_tag {
	uint16_t vmid;
	uint16_t asid;      /* with a first stage */
	bool first, second; /* the stages that made it */
};

struct smmuv3_line {
	uint64_t addr; /* of the range, translated */
	uint64_t ipa;  /* of the range, between the stages */
	uint64_t base; /* of the range, untranslated */
	uint64_t size_bytes;
	struct smmuv3_tag tag;
	uint8_t perm;
};

struct smmuv3_cache {
	struct tags stes, cds, translations;
	struct smmuv3_ste *ste;
	struct smmuv3_cd *cd;
	struct smmuv3_line *line;
	uint64_t hits, misses; /* of translations */
};

/* Returns: 0, -EINVAL (counts are powers of two from 4 to 65536), -ENOMEM. */
int smmuv3_cache_create(struct smmuv3_cache *cache, uint32_t stes, uint32_t cds,
			uint32_t translations);
void smmuv3_cache_destroy(struct smmuv3_cache *cache);

/* NULL: not there. Borrowed until the next call. */
const struct smmuv3_ste *smmuv3_cache_ste(const struct smmuv3_cache *cache, uint32_t rid);
const struct smmuv3_cd *smmuv3_cache_cd(const struct smmuv3_cache *cache, uint32_t rid,
					uint32_t index);
/* With all of @perm, which says also whether the access is privileged. */
const struct smmuv3_line *smmuv3_cache_translation(struct smmuv3_cache *cache,
						   const struct smmuv3_tag *tag,
						   uint64_t addr, uint8_t perm);

void smmuv3_cache_add_ste(struct smmuv3_cache *cache, uint32_t rid,
			  const struct smmuv3_ste *ste);
void smmuv3_cache_add_cd(struct smmuv3_cache *cache, uint32_t rid, uint32_t index,
			 const struct smmuv3_cd *cd);
void smmuv3_cache_add_translation(struct smmuv3_cache *cache, uint64_t addr,
				  const struct smmuv3_line *line);

struct iopf_command;

/* CFGI_* or TLBI_*. */
void smmuv3_cache_invalidate(struct smmuv3_cache *cache,
			     const struct iopf_command *command);

#endif
