/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * record_keeps.h - what holds for any bytes of any record, between its rows and its codec.
 * Tests and fuzzing share it.
 */
#ifndef TESTS_RECORD_KEEPS_H
#define TESTS_RECORD_KEEPS_H

#include <errno.h>
#include <string.h>

#include "wire/record.h"

static inline bool keeps_reserved(const struct record_kind *kind, const uint8_t *bytes,
				  uint32_t size_bytes)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < size_bytes / 8; i++)
		bits |= le64_get(bytes + 8 * i) & kind->reserved[i];
	return bits != 0;
}

/* The first field that differs, and whose loss has no name. */
static inline const char *keeps_lost(const struct iopf_layout *layout, const uint8_t *bytes,
				     const uint8_t *again)
{
	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;

		if (field_get(bytes, field) != field_get(again, field) &&
		    record_loss(layout, bytes, field) == NULL)
			return layout->rows[i].name;
	}
	return NULL;
}

/* Of bytes in which nothing is wrong: what comes back is what there was, but for losses
 * that have a name; is right, too; and comes back itself. */
static inline const char *keeps_clean(const struct wire_family *family,
				      const struct record *record,
				      const struct record_kind *kind, const uint8_t *bytes,
				      uint32_t size_bytes, int result, const uint8_t *again)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	uint8_t third[RECORD_BYTES_MAX];
	const char *lost;

	if (result == -EOPNOTSUPP || result == WIRE_NO_CODEC)
		return NULL;
	if (result != 0)
		return "nothing is wrong, and it is refused or bits are ignored";
	lost = keeps_lost(kind->layout, bytes, again);
	if (lost != NULL)
		return lost;
	if (record_problems(record, again, size_bytes, problems) != 0)
		return "what comes back is wrong";
	if (wire_again(family, record, again, size_bytes, third) != 0 ||
	    memcmp(again, third, sizeof(third)) != 0)
		return "comes back otherwise each time";
	return NULL;
}

/*
 * NULL, or what does not hold. What a codec refuses or ignores, the rules call wrong.
 * Reserved bits are refused in what software writes, and told in what hardware writes; so
 * is what nobody knows.
 */
static inline const char *record_keeps(const struct wire_family *family,
				       const struct record *record, const uint8_t *bytes,
				       uint32_t size_bytes)
{
	struct record_kind kind = record_kind(record, bytes, size_bytes);
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	uint8_t again[RECORD_BYTES_MAX];
	int result = wire_again(family, record, bytes, size_bytes, again);
	bool told = result == -EBADMSG || result == -EINVAL ||
		    (result == WIRE_IGNORED && record->role != RECORD_COMMAND);

	if (record_problems(record, bytes, size_bytes, problems) == 0)
		return keeps_clean(family, record, &kind, bytes, size_bytes, result, again);
	if (result == WIRE_NO_CODEC || told)
		return NULL;
	if (kind.layout == NULL)
		return "nobody knows it, and it is read";
	return keeps_reserved(&kind, bytes, size_bytes) ? "reserved bits are not told" : NULL;
}

#endif
