/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/record.h - records as data: what tools, tests and people need to know of one.
 *
 * A layout is written once, in bit order, as LIST(F, R): F(NAME, word, lsb, width) for
 * a field, R(...) for what the family reserves. From it come the enum, the proof that
 * no bit is missing or there twice, the mask of reserved bits, the rows for people.
 * Beside it stand words (what values are called, what a field is) and rules (what must
 * hold in a record that somebody writes well).
 *
 * Codecs do not need words and rules: they are lenient where hardware is. Rules are for
 * who judges a record (iopf decode, iopf encode, tests), and strict.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"

/* 64-bit words of the longest. */
enum { RECORD_WORDS = 8, RECORD_BYTES_MAX = 8 * RECORD_WORDS };

/* ---- Layouts ----------------------------------------------------------------------- */

/*
 * What a value is called, or, with @word NULL, what a field is: its values count in
 * units of 2^@value. A list ends with RECORD_END. Fields that many records have under
 * the same name are described in record.c.
 */
struct record_word {
	uint32_t field;
	uint64_t value;
	const char *word; /* no blanks: iopf encode takes it for the value */
	const char *text; /* or NULL */
};
#define RECORD_WORD(field, value, word)  { (field), (value), (word), NULL }
#define RECORD_TEXT(field, text)         { (field), 0, NULL, (text) }
#define RECORD_UNIT(field, shift, text)  { (field), (shift), NULL, (text) }
#define RECORD_END                       { 0 }

enum record_rule_kind {
	RECORD_RULE_ONLY,  /* 0 unless value n of @on is one with bit n of @values */
	RECORD_RULE_NAMED, /* its value has a word */
	RECORD_RULE_CODE,  /* the same, and it is the code of an answer */
	RECORD_RULE_MOST,  /* @values at most */
	RECORD_RULE_ZERO,  /* 0 where @broken */
	RECORD_RULE_CHECK, /* not @broken */
	RECORD_RULE_LOSS,  /* nothing to hold: where @on is one of @values, or always, plain
			    * values do not keep it */
};

struct record_rule {
	uint32_t field;   /* that is wrong then */
	uint8_t kind;     /* enum record_rule_kind */
	uint32_t on;
	uint64_t values;
	bool (*broken)(const uint8_t *record);
	const char *text; /* what is wrong; of a loss: what becomes of it */
};
/* clang-format off */
/* @field counts only with such values of @on: otherwise it is 0. */
#define RECORD_ONLY(field_, on_, values_) \
	{ .field = (field_), .kind = RECORD_RULE_ONLY, .on = (on_), .values = (values_) }
/* ... where the flag @on is set. */
#define RECORD_WITH(field_, on_) RECORD_ONLY(field_, on_, 2)
#define RECORD_NAMED(field_)     { .field = (field_), .kind = RECORD_RULE_NAMED }
#define RECORD_CODE(field_)      { .field = (field_), .kind = RECORD_RULE_CODE }
#define RECORD_MOST(field_, most_) \
	{ .field = (field_), .kind = RECORD_RULE_MOST, .values = (most_) }
#define RECORD_ZERO(field_, where_, text_) \
	{ .field = (field_), .kind = RECORD_RULE_ZERO, .broken = (where_), .text = (text_) }
#define RECORD_CHECK(field_, broken_, text_) \
	{ .field = (field_), .kind = RECORD_RULE_CHECK, .broken = (broken_), .text = (text_) }
#define RECORD_LOSS(field_, text_) \
	{ .field = (field_), .kind = RECORD_RULE_LOSS, .text = (text_) }
#define RECORD_LOSS_AT(field_, on_, values_, text_) \
	{ .field = (field_), .kind = RECORD_RULE_LOSS, .on = (on_), .values = (values_), \
	  .text = (text_) }
/* ... without the flag @on. */
#define RECORD_LOSS_WITHOUT(field_, on_, text_) RECORD_LOSS_AT(field_, on_, 1, text_)
#define RECORD_RULES_END { 0 }
/* clang-format on */

/* Rows in bit order, little-endian 64-bit words. */
struct iopf_layout {
	const char *name;
	const char *prefix; /* what its rows' names have in front */
	const struct field_row *rows;
	uint32_t row_count;
	uint32_t size_bytes;
	uint64_t reserved[RECORD_WORDS]; /* by word */
	const struct record_word *words; /* or NULL */
	const struct record_rule *rules; /* or NULL; the last has field 0 */
};

/* The enum @tag of a layout's fields, and the proof that every bit is accounted for. */
#define RECORD_FIELDS2(tag, LIST)                                                        \
	enum tag { LIST(FIELD_ENUM, FIELD_ENUM) };                                       \
	static_assert((UINT64_C(0) LIST(FIELD_OR0, FIELD_OR0)) == UINT64_MAX, "word 0"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR1, FIELD_OR1)) == UINT64_MAX, "word 1"); \
	static_assert((0 LIST(FIELD_SUM, FIELD_SUM)) == 128, #LIST ": fields overlap")
#define RECORD_FIELDS4(tag, LIST)                                                        \
	enum tag { LIST(FIELD_ENUM, FIELD_ENUM) };                                       \
	static_assert((UINT64_C(0) LIST(FIELD_OR0, FIELD_OR0)) == UINT64_MAX, "word 0"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR1, FIELD_OR1)) == UINT64_MAX, "word 1"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR2, FIELD_OR2)) == UINT64_MAX, "word 2"); \
	static_assert((UINT64_C(0) LIST(FIELD_OR3, FIELD_OR3)) == UINT64_MAX, "word 3"); \
	static_assert((0 LIST(FIELD_SUM, FIELD_SUM)) == 256, #LIST ": fields overlap")

#define RECORD_SKIP(name, word, lsb, width)
#define RECORD_ONE(name, word, lsb, width) + 1
/* With words and rules, each of which may be NULL. */
#define RECORD_LAYOUT(name_, LIST, bytes, words_, rules_)                        \
	{                                                                        \
		.name = (name_),                                                 \
		.prefix = #LIST "_",                                             \
		.rows = (const struct field_row[]){ LIST(FIELD_ROW, FIELD_ROW) }, \
		.row_count = 0 LIST(RECORD_ONE, RECORD_ONE),                     \
		.size_bytes = (bytes),                                           \
		.reserved = { UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR0),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR1),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR2),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR3),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR4),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR5),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR6),          \
			      UINT64_C(0) LIST(RECORD_SKIP, FIELD_OR7) },        \
		.words = (words_),                                               \
		.rules = (rules_),                                               \
	}

/* The name of a row without its prefix, in capitals. */
const char *record_name(const struct iopf_layout *layout, const struct field_row *row);
/* The row called so, in capitals or not, or NULL; the row of a bit, of a field. */
const struct field_row *record_row(const struct iopf_layout *layout, const char *name);
const struct field_row *record_row_at(const struct iopf_layout *layout, unsigned word,
				      unsigned bit);
/* What the field is, or ""; and how many bits its values lack: an address of pages 12. */
const char *record_text(const struct iopf_layout *layout, const struct field_row *row);
unsigned record_unit(const struct iopf_layout *layout, const struct field_row *row);
/* What becomes of a field that plain values do not keep; NULL: they do. */
const char *record_loss(const struct iopf_layout *layout, const uint8_t *bytes,
			uint32_t field);

/* ---- Records ----------------------------------------------------------------------- */

enum record_role {
	RECORD_STRUCTURE, /* in memory, or in configuration space */
	RECORD_MESSAGE,   /* between a device and what is above it */
	RECORD_REQUEST,   /* in a page request queue: hardware writes it */
	RECORD_EVENT,     /* in an event or fault queue: hardware writes it */
	RECORD_COMMAND,   /* in a command queue: software writes it */
};

/* How the registers of a queue of such records say where its head and its tail are. */
enum record_queue {
	RECORD_QUEUE_NONE,  /* there is no such queue */
	RECORD_QUEUE_BYTES, /* byte offsets; empty where they are equal */
	RECORD_QUEUE_INDEX, /* numbers of records; the same */
	RECORD_QUEUE_WRAP,  /* numbers, above them a bit that turns over at each round, and
			     * bit 31, unlike in both: an overflow not yet acknowledged */
};

/* "family.name". One layout; or as many as its selectors choose from. */
struct record {
	const char *name;
	const char *text;
	const struct iopf_layout *layout; /* NULL: pick() */
	/* The layout of these bytes, or NULL: nobody knows such a one. *@reserved comes
	 * zeroed: what is reserved beside what the layout reserves. */
	const struct iopf_layout *(*pick)(const uint8_t *record,
					  uint64_t reserved[RECORD_WORDS]);
	uint32_t selectors[2];           /* fields of all layouts; 0: no more */
	const struct record_word *words; /* of the selectors' values; or NULL */
	uint32_t size_bytes;
	uint32_t short_bytes; /* the other size it may have, or 0 */
	uint8_t role;         /* enum record_role */
	uint8_t queue;        /* enum record_queue */
	bool members;         /* of a C struct: bytes of each field change places where the
			       * other byte order is used; else of each word */
	/* Where no other codec has it: decoded, and encoded again. 0, or negative: refused.
	 * NULL: there is none. */
	int (*again)(const uint8_t *record, uint8_t *again);
};

/* What one is: its layout, or NULL, and all that is reserved in it. */
struct record_kind {
	const struct iopf_layout *layout;
	uint64_t reserved[RECORD_WORDS];
};

/* @bytes: RECORD_BYTES_MAX of them, zero behind the @size_bytes that there are. */
struct record_kind record_kind(const struct record *record, const uint8_t *bytes,
			       uint32_t size_bytes);

/*
 * The next kind that there is: @bytes gets the selectors of it, and is zero otherwise.
 * *@step is 0 before the first. False: there are no more.
 */
bool record_next(const struct record *record, uint32_t *step,
		 uint8_t bytes[RECORD_BYTES_MAX]);

/* The word for @value of @field, or NULL. */
const struct record_word *record_word(const struct record *record,
				      const struct iopf_layout *layout, uint32_t field,
				      uint64_t value);
/* The value that is called @word there; or no match: false. */
bool record_value(const struct record *record, const struct iopf_layout *layout,
		  uint32_t field, const char *word, uint64_t *value);

/* ---- What is wrong with one -------------------------------------------------------- */

struct record_problem {
	uint32_t field; /* 0: of words that the layout does not have */
	/* NULL: bits of it are reserved, or, where nobody knows the kind, it is the
	 * selector. */
	const struct record_rule *rule;
};
enum { RECORD_PROBLEMS_MAX = 64 };

/* Returns: how many there are, at most RECORD_PROBLEMS_MAX. @bytes as above. */
unsigned record_problems(const struct record *record, const uint8_t *bytes,
			 uint32_t size_bytes,
			 struct record_problem problems[RECORD_PROBLEMS_MAX]);

#endif
