/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * records.h - what holds for every record that a list describes, whatever its family.
 * A new record is tested by its row alone.
 */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include "base/record.h"
#include "test.h"

/* One kind of one record, at one of its sizes. */
struct records_kind {
	const char *family;
	const struct record *record;
	uint32_t size_bytes;
	uint8_t base[RECORD_BYTES_MAX]; /* its selectors, and 0 */
	struct record_kind is;
};

static const char *records_at = "";

/* Says which it was, where a check fails. */
#define CHECK_KIND(what, kind)                                                         \
	do {                                                                           \
		if (!(what))                                                           \
			printf("%s.%s, %u bytes, %s: %s\n", (kind)->family,            \
			       (kind)->record->name, (kind)->size_bytes,               \
			       (kind)->is.layout != NULL ? (kind)->is.layout->name : "-", \
			       records_at);                                            \
		CHECK(what);                                                           \
	} while (0)

typedef void records_check(struct records_kind *kind);

static inline void records_each(const char *family, const struct record *records,
				records_check *check)
{
	for (const struct record *record = records; record->name != NULL; record++) {
		struct records_kind kind = { .family = family, .record = record };
		uint32_t step = 0, count = 0;

		for (; record_next(record, &step, kind.base); count++) {
			kind.size_bytes = record->size_bytes;
			kind.is = record_kind(record, kind.base, kind.size_bytes);
			check(&kind);
			kind.size_bytes = record->short_bytes;
			kind.is = record_kind(record, kind.base, kind.size_bytes);
			if (kind.size_bytes != 0)
				check(&kind);
		}
		CHECK_KIND(count > 0, &kind);
	}
}

static inline bool records_is_selector(const struct record *record, uint32_t field)
{
	return field == record->selectors[0] || field == record->selectors[1];
}

static inline bool records_is_reserved(const struct records_kind *kind, unsigned bit)
{
	return (kind->is.reserved[bit / 64] >> bit % 64 & 1) != 0;
}

/* ---- Layouts ----------------------------------------------------------------------- */

/* In bit order, nothing missing; names that differ, and a meaning for each. */
static inline void records_check_rows(struct records_kind *kind)
{
	const struct iopf_layout *layout = kind->is.layout;
	unsigned next = 0;

	for (uint32_t i = 0; i < layout->row_count; i++) {
		const struct field_row *row = &layout->rows[i];
		bool reserved = (layout->reserved[FIELD_WORD(row->field)] &
				 FIELD_MASK(row->field)) != 0;

		records_at = row->name;
		CHECK_KIND(FIELD_WORD(row->field) * 64 + FIELD_LSB(row->field) == next, kind);
		next += FIELD_WIDTH(row->field);
		CHECK_KIND(record_name(layout, row) != row->name, kind);
		CHECK_KIND(record_row(layout, record_name(layout, row)) == row, kind);
		CHECK_KIND(record_text(layout, row)[0] != '\0', kind);
		CHECK_KIND(record_unit(layout, row) < 64, kind);
		CHECK_KIND(reserved == (strstr(row->name, "_RSVD") != NULL), kind);
	}
	records_at = "the end";
	CHECK_KIND(next == 8 * layout->size_bytes, kind);
	CHECK_KIND(layout->size_bytes <= kind->record->size_bytes, kind);
}

/* Each kind has a name; words and rules are about fields that there are. */
static inline void records_check_words(struct records_kind *kind)
{
	const struct record *record = kind->record;
	const struct iopf_layout *layout = kind->is.layout;
	const struct record_word *word = layout->words;
	const struct record_rule *rule = layout->rules;
	uint64_t value;

	for (unsigned i = 0; i < 2 && record->selectors[i] != 0; i++) {
		value = field_get(kind->base, record->selectors[i]);
		records_at = "the kind has no name";
		CHECK_KIND(record_word(record, layout, record->selectors[i], value) != NULL ||
				   (i > 0 && value == 0), kind);
	}
	for (; word != NULL && word->field != 0; word++) {
		records_at = word->word != NULL ? word->word : word->text;
		CHECK_KIND(record_row_at(layout, FIELD_WORD(word->field),
					 FIELD_LSB(word->field)) != NULL, kind);
		CHECK_KIND(word->word == NULL || field_fits(word->field, word->value), kind);
		CHECK_KIND(word->word == NULL || strpbrk(word->word, " \t=") == NULL, kind);
	}
	for (; rule != NULL && rule->field != 0; rule++) {
		const struct field_row *row = record_row_at(layout, FIELD_WORD(rule->field),
							    FIELD_LSB(rule->field));

		records_at = "a rule";
		CHECK_KIND(row != NULL && row->field == rule->field, kind);
	}
}

/* ---- Bits -------------------------------------------------------------------------- */

static inline bool records_reported(const struct records_kind *kind, const uint8_t *bytes,
				    uint32_t field)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	unsigned count = record_problems(kind->record, bytes, kind->size_bytes, problems);

	for (unsigned i = 0; i < count; i++)
		if (problems[i].rule == NULL && problems[i].field == field)
			return true;
	return false;
}

/* Flip each bit of @bytes: it shows in one field, and a reserved one is reported. */
static inline void records_walk(struct records_kind *kind, const uint8_t *bytes)
{
	const struct iopf_layout *layout = kind->is.layout;

	for (unsigned bit = 0; bit < 8 * kind->size_bytes; bit++) {
		const struct field_row *own = record_row_at(layout, bit / 64, bit % 64);
		bool set = !(bytes[bit / 8] >> bit % 8 & 1);
		uint8_t changed[RECORD_BYTES_MAX];
		uint32_t shown = 0;

		records_at = own != NULL ? own->name : "beyond the layout";
		memcpy(changed, bytes, sizeof(changed));
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (uint32_t i = 0; i < layout->row_count; i++) {
			uint32_t field = layout->rows[i].field;

			if (field_get(changed, field) == field_get(bytes, field))
				continue;
			CHECK_KIND(&layout->rows[i] == own, kind);
			CHECK_KIND((field_get(changed, field) ^ field_get(bytes, field)) ==
					   UINT64_C(1) << (bit % 64 - FIELD_LSB(field)), kind);
			shown++;
		}
		CHECK_KIND(shown == (bit / 8 < layout->size_bytes), kind);
		if (own == NULL || !records_is_selector(kind->record, own->field))
			CHECK_KIND(!set || records_reported(kind, changed,
							    own != NULL ? own->field : 0) ==
						   records_is_reserved(kind, bit), kind);
	}
}

/* A walking one, and a walking zero. */
static inline void records_check_walk(struct records_kind *kind)
{
	uint8_t ones[RECORD_BYTES_MAX] = { 0 };

	memset(ones, 0xff, kind->size_bytes);
	for (unsigned i = 0; i < 2 && kind->record->selectors[i] != 0; i++)
		field_put(ones, kind->record->selectors[i],
			  field_get(kind->base, kind->record->selectors[i]));
	records_walk(kind, kind->base);
	records_walk(kind, ones);
}

/* ---- Random records ---------------------------------------------------------------- */

/* Any bytes of this kind; of the fields, some are 0 and some all ones. */
static inline void records_random(const struct records_kind *kind, uint64_t *seed,
				  uint8_t *bytes)
{
	const struct iopf_layout *layout = kind->is.layout;

	memset(bytes, 0, RECORD_BYTES_MAX);
	for (unsigned i = 0; i < kind->size_bytes / 8; i++)
		le64_put(bytes + 8 * i, test_random(seed));
	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;
		uint64_t how = test_random(seed) % 4;

		if (FIELD_WORD(field) < kind->size_bytes / 8 && how < 2)
			field_put(bytes, field, how == 0 ? 0 : FIELD_BITS(0, FIELD_WIDTH(field)));
	}
	for (unsigned i = 0; i < 2 && kind->record->selectors[i] != 0; i++)
		field_put(bytes, kind->record->selectors[i],
			  field_get(kind->base, kind->record->selectors[i]));
}

/* One of the values of @field that have a name. */
static inline uint64_t records_named(const struct records_kind *kind, uint32_t field,
				     uint64_t *seed)
{
	const struct record_word *word = kind->is.layout->words;
	uint64_t value = 0, count = 0;

	for (; word != NULL && word->field != 0; word++)
		if (word->field == field && word->word != NULL &&
		    test_random(seed) % ++count == 0)
			value = word->value;
	return value;
}

static inline void records_mend(const struct records_kind *kind,
				const struct record_problem *problem, uint64_t *seed,
				uint8_t *bytes)
{
	const struct record_rule *rule = problem->rule;
	uint64_t limit = problem->field != 0 ?
				 UINT64_MAX >> (64 - FIELD_WIDTH(problem->field)) :
				 0;
	uint64_t value = 0, random = test_random(seed);

	if (problem->field == 0) {
		memset(bytes + kind->is.layout->size_bytes, 0,
		       RECORD_BYTES_MAX - kind->is.layout->size_bytes);
		return;
	}
	if (rule != NULL && rule->kind == RECORD_RULE_ONLY && random % 2 &&
	    !records_is_selector(kind->record, rule->on)) {
		field_put(bytes, rule->on, random >> 8 & UINT64_MAX >>
							   (64 - FIELD_WIDTH(rule->on)));
		return;
	}
	if (rule != NULL &&
	    (rule->kind == RECORD_RULE_NAMED || rule->kind == RECORD_RULE_CODE))
		value = records_named(kind, problem->field, seed);
	else if (rule != NULL && rule->kind == RECORD_RULE_MOST)
		value = random % (rule->values + 1);
	else if (rule != NULL && rule->kind == RECORD_RULE_CHECK && random % 2)
		value = test_random(seed) & limit;
	field_put(bytes, problem->field, value);
}

/* Bytes in which nothing is wrong. False: none was found. */
static inline bool records_random_clean(const struct records_kind *kind, uint64_t *seed,
					uint8_t *bytes)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];

	records_random(kind, seed, bytes);
	for (unsigned i = 0; i < 200; i++) {
		unsigned count = record_problems(kind->record, bytes, kind->size_bytes,
						 problems);

		if (count == 0)
			return true;
		for (unsigned k = 0; k < count; k++)
			records_mend(kind, &problems[k], seed, bytes);
	}
	return false;
}

/* The rules of its layout that are broken by random records of one kind. */
static inline uint64_t records_broken(struct records_kind *kind)
{
	const struct record_rule *rules = kind->is.layout->rules;
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	uint8_t bytes[RECORD_BYTES_MAX];
	uint64_t seed = 1, broken = 0;

	for (unsigned round = 0; round < 2000; round++) {
		records_random(kind, &seed, bytes);
		for (unsigned n = record_problems(kind->record, bytes, kind->size_bytes,
						  problems);
		     n > 0; n--)
			if (problems[n - 1].rule != NULL)
				broken |= UINT64_C(1) << (problems[n - 1].rule - rules);
	}
	return broken;
}

/* Each rule is broken by some record of some kind that has it. */
static inline void records_check_rules(struct records_kind *kind)
{
	const struct iopf_layout *layout = kind->is.layout;
	struct records_kind other = *kind;
	uint64_t broken = 0;
	uint32_t step = 0;

	while (layout->rules != NULL && record_next(kind->record, &step, other.base)) {
		other.is = record_kind(kind->record, other.base, kind->size_bytes);
		if (other.is.layout == layout)
			broken |= records_broken(&other);
	}
	records_at = "a rule that nothing breaks";
	for (unsigned i = 0; layout->rules != NULL && layout->rules[i].field != 0; i++)
		CHECK_KIND(layout->rules[i].kind == RECORD_RULE_LOSS ||
				   FIELD_WORD(layout->rules[i].field) >=
					   kind->size_bytes / 8 ||
				   broken >> i & 1, kind);
}

/* The next record in which nothing is wrong is found, and is not always the same. */
static inline void records_check_clean(struct records_kind *kind)
{
	uint8_t bytes[RECORD_BYTES_MAX];
	uint64_t seed = 1;

	records_at = "no clean record was found";
	for (unsigned round = 0; round < 100; round++)
		CHECK_KIND(records_random_clean(kind, &seed, bytes), kind);
}

/* ---- Documentation ----------------------------------------------------------------- */

/* docs/formats.md: one row a field, "| `NAME` | word | high:low | meaning |". */
static inline void records_check_documented(struct records_kind *kind)
{
	static char text[1 << 19];
	const struct iopf_layout *layout = kind->is.layout;

	if (text[0] == '\0') {
		FILE *file = fopen(TEST_VECTORS "/../../docs/formats.md", "r");

		CHECK(file != NULL);
		CHECK(fread(text, 1, sizeof(text) - 1, file) < sizeof(text) - 1);
		fclose(file);
	}
	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;
		unsigned low = FIELD_LSB(field), high = low + FIELD_WIDTH(field) - 1;
		char bits[16], line[128];

		snprintf(bits, sizeof(bits), high == low ? "%u" : "%u:%u", high, low);
		snprintf(line, sizeof(line), "\n| `%s` | %u | %s | ", layout->rows[i].name,
			 FIELD_WORD(field), bits);
		records_at = layout->rows[i].name;
		CHECK_KIND(strstr(text, line) != NULL, kind);
	}
}

#endif
