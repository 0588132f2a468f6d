/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/field.h - a field of a record: 64-bit word, least significant bit, width.
 *
 * One list per record, X(NAME, word, lsb, width), is the only place where its layout is
 * written. It gives the enum, the proof that every bit is accounted for, the names for
 * people, and the rows of the walking-one tests.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/le.h"

#define FIELD(word, lsb, width) ((word) << 16 | (lsb) << 8 | (width))
#define FIELD_WORD(field)       ((unsigned)(field) >> 16)
#define FIELD_LSB(field)        ((unsigned)(field) >> 8 & 0xff)
#define FIELD_WIDTH(field)      ((unsigned)(field) & 0xff)
#define FIELD_BITS(lsb, width)  (UINT64_MAX >> (64 - (width)) << (lsb))
#define FIELD_MASK(field)       FIELD_BITS(FIELD_LSB(field), FIELD_WIDTH(field))

#define FIELD_ENUM(name, word, lsb, width) name = FIELD(word, lsb, width),
#define FIELD_ROW(name, word, lsb, width)  { #name, FIELD(word, lsb, width) },
#define FIELD_OR0(name, word, lsb, width)  | ((word) == 0 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR1(name, word, lsb, width)  | ((word) == 1 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR2(name, word, lsb, width)  | ((word) == 2 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR3(name, word, lsb, width)  | ((word) == 3 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR4(name, word, lsb, width)  | ((word) == 4 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR5(name, word, lsb, width)  | ((word) == 5 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR6(name, word, lsb, width)  | ((word) == 6 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_OR7(name, word, lsb, width)  | ((word) == 7 ? FIELD_BITS(lsb, width) : 0)
#define FIELD_SUM(name, word, lsb, width)  + (width)

/* Of a list LIST(F, R) of @words words; below: of a list LIST(X).
 * The union of the masks is full and the widths add up: nothing missing, nothing twice. */
#define RECORD_FULL(LIST, OR, word, words)                                               \
	static_assert((UINT64_C(0) LIST(OR, OR)) == ((word) < (words) ? UINT64_MAX : 0), \
		      #LIST ": word " #word)
#define RECORD_COMPLETE(LIST, words)            \
	RECORD_FULL(LIST, FIELD_OR0, 0, words); \
	RECORD_FULL(LIST, FIELD_OR1, 1, words); \
	RECORD_FULL(LIST, FIELD_OR2, 2, words); \
	RECORD_FULL(LIST, FIELD_OR3, 3, words); \
	RECORD_FULL(LIST, FIELD_OR4, 4, words); \
	RECORD_FULL(LIST, FIELD_OR5, 5, words); \
	RECORD_FULL(LIST, FIELD_OR6, 6, words); \
	RECORD_FULL(LIST, FIELD_OR7, 7, words); \
	static_assert((0 LIST(FIELD_SUM, FIELD_SUM)) == 64 * (words), #LIST ": fields overlap")
#define RECORD_COMPLETE1(LIST)                                                        \
	static_assert((UINT64_C(0) LIST(FIELD_OR0)) == UINT64_MAX, #LIST ": word 0"); \
	static_assert((0 LIST(FIELD_SUM)) == 64, #LIST ": fields overlap")
#define RECORD_COMPLETE2(LIST)                                                        \
	static_assert((UINT64_C(0) LIST(FIELD_OR0)) == UINT64_MAX, #LIST ": word 0"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR1)) == UINT64_MAX, #LIST ": word 1"); \
	static_assert((0 LIST(FIELD_SUM)) == 128, #LIST ": fields overlap")
#define RECORD_COMPLETE4(LIST)                                                        \
	static_assert((UINT64_C(0) LIST(FIELD_OR0)) == UINT64_MAX, #LIST ": word 0"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR1)) == UINT64_MAX, #LIST ": word 1"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR2)) == UINT64_MAX, #LIST ": word 2"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR3)) == UINT64_MAX, #LIST ": word 3"); \
	static_assert((0 LIST(FIELD_SUM)) == 256, #LIST ": fields overlap")
#define RECORD_COMPLETE8(LIST)                                                        \
	static_assert((UINT64_C(0) LIST(FIELD_OR0)) == UINT64_MAX, #LIST ": word 0"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR1)) == UINT64_MAX, #LIST ": word 1"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR2)) == UINT64_MAX, #LIST ": word 2"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR3)) == UINT64_MAX, #LIST ": word 3"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR4)) == UINT64_MAX, #LIST ": word 4"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR5)) == UINT64_MAX, #LIST ": word 5"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR6)) == UINT64_MAX, #LIST ": word 6"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR7)) == UINT64_MAX, #LIST ": word 7"); \
	static_assert((0 LIST(FIELD_SUM)) == 512, #LIST ": fields overlap")

/* A row of a record's layout, for people and tests. */
struct field_row {
	const char *name;
	uint32_t field;
};

static inline uint64_t field_of(uint64_t word, uint32_t field)
{
	return word >> FIELD_LSB(field) & UINT64_MAX >> (64 - FIELD_WIDTH(field));
}

static inline uint64_t field_get(const uint8_t *record, uint32_t field)
{
	return field_of(le64_get(record + 8 * FIELD_WORD(field)), field);
}

static inline bool field_fits(uint32_t field, uint64_t value)
{
	return value <= UINT64_MAX >> (64 - FIELD_WIDTH(field));
}

static inline void field_put(uint8_t *record, uint32_t field, uint64_t value)
{
	uint8_t *at = record + 8 * FIELD_WORD(field);

	assert(field_fits(field, value));
	le64_put(at, (le64_get(at) & ~FIELD_MASK(field)) | value << FIELD_LSB(field));
}

#endif
