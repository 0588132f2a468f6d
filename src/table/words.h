/* SPDX-License-Identifier: BSD-3-Clause */
/* table/words.h - fields in words that were loaded. */
#ifndef TABLE_WORDS_H
#define TABLE_WORDS_H

#include "base/field.h"

static inline uint64_t words_get(const uint64_t *words, uint32_t field)
{
	return field_of(words[FIELD_WORD(field)], field);
}

/* The field's words are 0 there. */
static inline void words_put(uint64_t *words, uint32_t field, uint64_t value)
{
	assert(field_fits(field, value));
	words[FIELD_WORD(field)] |= value << FIELD_LSB(field);
}

/* A field that holds bits 63..12 of an address. */
static inline uint64_t words_addr(const uint64_t *words, uint32_t field)
{
	return words_get(words, field) << 12;
}

#endif
