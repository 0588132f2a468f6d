/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vector_fields.h - lines of golden vectors that name the fields of a record:
 *
 *	RECORD WORDS : FIELD=VALUE ...		# VALUE: a number, a word, an address
 *
 * these, and 0 in all others.
 */
#ifndef TESTS_VECTOR_FIELDS_H
#define TESTS_VECTOR_FIELDS_H

#include "base/record.h"
#include "vectors.h"

static inline uint64_t vector_field_value(const struct record *record,
					  const struct iopf_layout *layout,
					  const struct field_row *row, const char *text)
{
	uint64_t value;

	if (record_value(record, layout, row->field, text, &value))
		return value;
	return strtoull(text, NULL, 0) >> record_unit(layout, row);
}

/* Whether @bytes, RECORD_BYTES_MAX of them, are what the line says of them. */
static inline bool vector_fields_match(const struct vector *vector,
				       const struct record *record, const uint8_t *bytes)
{
	struct record_kind kind = record_kind(record, bytes, record->size_bytes);
	uint8_t wanted[RECORD_BYTES_MAX] = { 0 };

	if (8 * vector->word_count != record->size_bytes || kind.layout == NULL)
		return false;
	for (uint32_t i = 0; i < vector->said_count; i++) {
		const char *said = vector->said[i], *equals = strchr(said, '=');
		const struct field_row *row;
		char name[48] = "";

		if (equals == NULL)
			return false;
		memcpy(name, said, (size_t)(equals - said));
		row = record_row(kind.layout, name);
		if (row == NULL)
			return false;
		field_put(wanted, row->field,
			  vector_field_value(record, kind.layout, row, equals + 1));
	}
	return memcmp(bytes, wanted, sizeof(wanted)) == 0;
}

#endif
