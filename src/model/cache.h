/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/cache.h - what an IOMMU remembers, whatever its family: what leads from a
 * requester to its tables (an entry by requester, a process's by requester and number),
 * and translations. Nothing that is not there is remembered. What software forgets to
 * invalidate stays, and is seen.
 *
 * What entries hold is the family's; so is what its commands name: a table of rules. An
 * invalidation forgets what they name, and no other line.
 */
#ifndef MODEL_CACHE_H
#define MODEL_CACHE_H

#include <stddef.h>

#include "model/tags.h"

struct iopf_command;

/* The stages that made a translation. */
enum cache_stage {
	CACHE_FIRST = 1,
	CACHE_SECOND = 2,
	CACHE_NESTED = CACHE_FIRST | CACHE_SECOND,
};

/* Whose translation it is. */
struct cache_tag {
	uint32_t domain; /* domain, VMID, GSCID */
	uint32_t number; /* PASID, ASID, PSCID */
	uint8_t stages;  /* enum cache_stage */
};

struct cache_line {
	uint64_t addr;    /* of the range, translated */
	uint64_t between; /* of the range, between the stages; who reports it sets it */
	uint64_t base;    /* of the range, untranslated */
	uint64_t size_bytes;
	struct cache_tag tag;
	/* enum iopf_perm: what an access may be to hit. Privileged ones and others may see a
	 * page differently: a line each. */
	uint8_t perm;
	/* One for every number of its domain, says the table. Found by its own all the same. */
	bool global;
};

/* Which lines of a kind a command names: those that fulfil everything that is said. */
enum cache_named {
	CACHE_LINES = 1,        /* any; nothing is named without */
	CACHE_BY_RID = 2,       /* rid, but for the bits of rid_mask; not translations */
	CACHE_BY_DOMAIN = 4,    /* not entries */
	CACHE_BY_PASID = 8,     /* the number is the command's pasid; not entries */
	CACHE_BY_ASID = 0x10,   /* the number is the command's asid; translations */
	CACHE_BY_RANGE = 0x20,  /* addr, size_bytes, untranslated; translations */
	CACHE_HAS_FIRST = 0x40, /* stages; translations */
	CACHE_NO_FIRST = 0x80,
	CACHE_HAS_SECOND = 0x100,
	CACHE_NO_SECOND = 0x200,
	CACHE_NOT_GLOBAL = 0x400,
};

/* Whether a command has to have a PASID. */
enum cache_pasid {
	CACHE_PASID_OR_NONE,
	CACHE_PASID_GIVEN,
	CACHE_PASID_NONE,
};

/*
 * What the commands of a kind and granularity name. Every rule that fits a command counts,
 * so lines that are named in two ways have two rules.
 */
struct cache_rule {
	uint8_t kind;          /* enum iopf_command_kind; 0 ends a table */
	uint8_t granularities; /* bits 1 << enum iopf_granularity */
	uint8_t hints;         /* under this mask ... */
	uint8_t hints_set;     /* ... these are set */
	uint8_t pasid;         /* enum cache_pasid */
	uint16_t entries, processes, translations; /* enum cache_named */
};

/* How many lines, and bytes of a line that is the family's. Lines are powers of two from
 * 4 to 65536. */
struct cache_options {
	uint32_t entries, processes, translations;
	size_t entry_bytes, process_bytes;
	const struct cache_rule *rules;
};

struct cache {
	struct cache_options options;
	struct tags entries, processes, translations;
	unsigned char *entry, *process;
	uint32_t *domain; /* of each process */
	struct cache_line *line;
	uint64_t hits, misses; /* of translations */
};

/* Returns: 0, -EINVAL (a number of lines), -ENOMEM. @options->rules has to stay. */
int cache_create(struct cache *cache, const struct cache_options *options);
void cache_destroy(struct cache *cache);

/* NULL: not there. Borrowed until the next call; entry_bytes and process_bytes there. */
const void *cache_entry(const struct cache *cache, uint32_t rid);
const void *cache_process(const struct cache *cache, uint32_t rid, uint32_t number);
/* With all of @perm, which says also whether the access is privileged. */
const struct cache_line *cache_translation(struct cache *cache,
					   const struct cache_tag *tag, uint64_t addr,
					   uint8_t perm);

void cache_add_entry(struct cache *cache, uint32_t rid, const void *line);
/* @domain: where commands name processes by it; else 0. @number: 20 bits. */
void cache_add_process(struct cache *cache, uint32_t rid, uint32_t number,
		       uint32_t domain, const void *line);
/* The page at @addr. Larger ranges are found at each page that was added. */
void cache_add_translation(struct cache *cache, uint64_t addr,
			   const struct cache_line *line);

/* The page at @addr of @number, whatever its domain and privilege. */
void cache_forget_page(struct cache *cache, uint32_t number, uint64_t addr);

/* What @command names; nothing if no rule is about it. */
void cache_invalidate(struct cache *cache, const struct iopf_command *command);

#endif
