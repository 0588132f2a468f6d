/* SPDX-License-Identifier: BSD-3-Clause */
/* table/smmuv3_words.h - fields of SMMUv3's structures, and where entries lie. */
#ifndef TABLE_SMMUV3_WORDS_H
#define TABLE_SMMUV3_WORDS_H

#include "table/smmuv3.h"
#include "table/words.h"

enum smmuv3_ste_field { SMMUV3_STE_FIELDS(FIELD_ENUM) };
enum smmuv3_cd_field { SMMUV3_CD_FIELDS(FIELD_ENUM) };
enum smmuv3_l1std_field { SMMUV3_L1STD_FIELDS(FIELD_ENUM) };
enum smmuv3_l1cd_field { SMMUV3_L1CD_FIELDS(FIELD_ENUM) };
enum smmuv3_strtab_field { SMMUV3_STRTAB_FIELDS(FIELD_ENUM) };

/* STRTAB_BASE_CFG.FMT. */
enum {
	SMMUV3_STRTAB_LINEAR,
	SMMUV3_STRTAB_2LEVEL,
};

/* A field that holds an address from the bit on where it stands. */
static inline uint64_t words_addr_at(const uint64_t *words, uint32_t field)
{
	return words[FIELD_WORD(field)] & FIELD_MASK(field);
}

/* How a table of context descriptors is cut. */
static inline unsigned smmuv3_leaf_bits(uint8_t contexts)
{
	return contexts == SMMUV3_LEAF_64K ? 10 : 6;
}

static inline bool smmuv3_is_2level(const struct smmuv3_ste *ste)
{
	return ste->context_bits != 0 && (ste->contexts == SMMUV3_LEAF_4K ||
					  ste->contexts == SMMUV3_LEAF_64K);
}

/* Entries of the level that S1ContextPtr leads to, as a number of bits. */
static inline unsigned smmuv3_top_bits(const struct smmuv3_ste *ste)
{
	unsigned leaf = smmuv3_leaf_bits(ste->contexts);

	if (!smmuv3_is_2level(ste))
		return ste->context_bits;
	return ste->context_bits > leaf ? ste->context_bits - leaf : 0;
}

#endif
