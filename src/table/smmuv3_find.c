/* SPDX-License-Identifier: BSD-3-Clause */
/* table/smmuv3_find.c - how stream table entries and context descriptors are found. */
#include "table/smmuv3_words.h"

/* Load an entry, the word with the valid bit first. */
static bool load_entry(const struct iopf_memory *memory, uint64_t addr, uint64_t *words)
{
	for (unsigned i = 0; i < SMMUV3_STE_WORDS; i++)
		if (!table_load64(memory, addr + sizeof(*words) * i, &words[i]))
			return false;
	return true;
}

/* Where the second level has @sid's entry. ("General properties of the L1STD") */
static enum smmuv3_event find_level2(const struct iopf_memory *memory, uint64_t base,
				     unsigned split, uint32_t sid, uint64_t *addr)
{
	uint64_t word, offset = sid & ((UINT32_C(1) << split) - 1);
	unsigned span;

	*addr = base + (uint64_t)(sid >> split) * sizeof(word);
	if (!table_load64(memory, *addr, &word))
		return SMMUV3_EVENT_F_STE_FETCH;
	span = (unsigned)words_get(&word, SMMUV3_L1STD_SPAN);
	if (span == 0 || span > 11 || span > split + 1 || offset >> (span - 1) != 0)
		return SMMUV3_EVENT_C_BAD_STREAMID;
	/* The array is aligned to its size. */
	*addr = (words_addr_at(&word, SMMUV3_L1STD_L2PTR) & UINT64_MAX << (5 + span)) +
		offset * SMMUV3_ENTRY_BYTES;
	return SMMUV3_EVENT_NONE;
}

/* SPLIT has three values; any other is as the first. */
static unsigned split_of(uint64_t base_config)
{
	unsigned split = (unsigned)words_get(&base_config, SMMUV3_STRTAB_SPLIT);

	return split == 8 || split == 10 ? split : 6;
}

static enum smmuv3_event ste_at(const struct iopf_memory *memory,
				const struct smmuv3_features *features, uint64_t base,
				uint64_t base_config, uint32_t sid, uint64_t *addr)
{
	unsigned size = (unsigned)words_get(&base_config, SMMUV3_STRTAB_LOG2SIZE);
	unsigned split = split_of(base_config), bits;
	bool deep = features->streams_2level &&
		    words_get(&base_config, SMMUV3_STRTAB_FMT) == SMMUV3_STRTAB_2LEVEL;

	size = size < features->stream_bits ? size : features->stream_bits;
	if (size < 32 && sid >> size != 0)
		return SMMUV3_EVENT_C_BAD_STREAMID;
	/* The table is aligned to its size, and to an entry's. */
	bits = !deep ? size + 6 : size > split + 3 ? size - split + 3 : 6;
	base &= SMMUV3_STREAMS_ADDR & UINT64_MAX << bits;
	if (deep)
		return find_level2(memory, base, split, sid, addr);
	*addr = base + (uint64_t)sid * SMMUV3_ENTRY_BYTES;
	return SMMUV3_EVENT_NONE;
}

enum smmuv3_event smmuv3_find_ste(const struct iopf_memory *memory,
				  const struct smmuv3_features *features, uint64_t base,
				  uint64_t base_config, uint32_t sid, uint64_t *addr,
				  struct smmuv3_ste *ste)
{
	uint64_t words[SMMUV3_STE_WORDS];
	enum smmuv3_event event;

	*addr = 0;
	event = ste_at(memory, features, base, base_config, sid, addr);
	if (event != SMMUV3_EVENT_NONE)
		return event;
	if (!load_entry(memory, *addr, words))
		return SMMUV3_EVENT_F_STE_FETCH;
	return smmuv3_ste_decode(words, features, ste);
}

enum smmuv3_event smmuv3_find_number(const struct smmuv3_ste *ste, uint32_t pasid,
				     uint32_t *index)
{
	bool without = pasid == IOPF_PASID_NONE, many = ste->context_bits != 0;

	*index = UINT32_MAX;
	if (!without &&
	    (!smmuv3_has_first(ste) || !many || pasid >> ste->context_bits != 0))
		return SMMUV3_EVENT_C_BAD_SUBSTREAMID;
	if (!smmuv3_has_first(ste) ||
	    (without && many && ste->without == SMMUV3_DEFAULT_BYPASS))
		return SMMUV3_EVENT_NONE;
	/* Who has no substream has descriptor 0 to itself, or nothing. */
	if (many && (without || pasid == 0) &&
	    without != (ste->without == SMMUV3_DEFAULT_ZERO))
		return SMMUV3_EVENT_F_STREAM_DISABLED;
	*index = without ? 0 : pasid;
	return SMMUV3_EVENT_NONE;
}

/* Where @space has what lies at @addr; told in @miss if nowhere. */
static enum smmuv3_event reach(const struct table_space *space, uint64_t addr,
			       uint64_t *at, struct table_result *miss)
{
	miss->entry_addr = addr;
	if (table_reach(space, addr, IOPF_READ, at, miss))
		return SMMUV3_EVENT_NONE;
	return SMMUV3_EVENT_F_TRANSLATION;
}

/* Through the first level to the descriptor. */
static enum smmuv3_event cd_at(const struct table_space *space,
			       const struct smmuv3_features *features,
			       const struct smmuv3_ste *ste, uint32_t index,
			       uint64_t *addr, struct table_result *miss)
{
	unsigned leaf = smmuv3_leaf_bits(ste->contexts);
	enum smmuv3_event event;
	uint64_t word, at;

	if (!smmuv3_is_2level(ste)) {
		*addr = ste->context_addr + (uint64_t)index * SMMUV3_ENTRY_BYTES;
		return SMMUV3_EVENT_NONE;
	}
	event = reach(space, ste->context_addr + (index >> leaf) * sizeof(word), &at,
		      miss);
	if (event != SMMUV3_EVENT_NONE)
		return event;
	if (!table_load64(space->memory, at, &word)) {
		miss->fault = TABLE_OUTSIDE;
		return SMMUV3_EVENT_F_CD_FETCH;
	}
	*addr = words_addr_at(&word, SMMUV3_L1CD_L2PTR);
	if (!words_get(&word, SMMUV3_L1CD_V) || *addr >> features->address_bits != 0)
		return SMMUV3_EVENT_C_BAD_SUBSTREAMID;
	*addr &= UINT64_MAX << (leaf + 6);
	*addr += (index & ((UINT32_C(1) << leaf) - 1)) * (uint64_t)SMMUV3_ENTRY_BYTES;
	return SMMUV3_EVENT_NONE;
}

enum smmuv3_event smmuv3_find_cd(const struct table_space *space,
				 const struct smmuv3_features *features,
				 const struct smmuv3_ste *ste, uint32_t index,
				 struct smmuv3_cd *cd, struct table_result *miss)
{
	uint64_t words[SMMUV3_CD_WORDS], addr, at;
	enum smmuv3_event event;

	*miss = (struct table_result){ 0 };
	event = cd_at(space, features, ste, index, &addr, miss);
	if (event == SMMUV3_EVENT_NONE)
		event = reach(space, addr, &at, miss);
	if (event != SMMUV3_EVENT_NONE)
		return event;
	if (!load_entry(space->memory, at, words)) {
		miss->fault = TABLE_OUTSIDE;
		return SMMUV3_EVENT_F_CD_FETCH;
	}
	return smmuv3_cd_decode(words, features, ste, cd);
}
