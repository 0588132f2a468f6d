/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/wire.h - layouts as data, and what every family's codec needs.
 *
 * A layout is written once, in bit order, as LIST(F, R): F(NAME, word, lsb, width) for
 * a field, R(...) for what the family reserves. From it come the enum, the proof that
 * no bit is missing or there twice, the mask of reserved bits, the rows for people.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/field.h"

#define WIRE_SKIP(name, word, lsb, width)

#define WIRE_LAYOUT(name_, LIST, bytes)                                          \
	{                                                                        \
		.name = (name_),                                                 \
		.rows = (const struct field_row[]){ LIST(FIELD_ROW, FIELD_ROW) }, \
		.row_count = 0 LIST(WIRE_ONE, WIRE_ONE),                         \
		.size_bytes = (bytes),                                           \
		.reserved = { UINT64_C(0) LIST(WIRE_SKIP, FIELD_OR0),            \
			      UINT64_C(0) LIST(WIRE_SKIP, FIELD_OR1),            \
			      UINT64_C(0) LIST(WIRE_SKIP, FIELD_OR2),            \
			      UINT64_C(0) LIST(WIRE_SKIP, FIELD_OR3) },          \
	}
#define WIRE_ONE(name, word, lsb, width) + 1

/* A record's layout: rows in bit order, little-endian 64-bit words. */
struct iopf_layout {
	const char *name;
	const struct field_row *rows;
	uint32_t row_count;
	uint32_t size_bytes;
	uint64_t reserved[4]; /* by word */
};

/* Every layout there is, ended by NULL; and the one called @name, or NULL. */
extern const struct iopf_layout *const wire_layouts[];
const struct iopf_layout *wire_layout_find(const char *name);

/* Bits set that @layout reserves, in any of its words. */
static inline bool wire_reserved(const struct iopf_layout *layout, const uint8_t *record)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < layout->size_bytes / 8; i++)
		bits |= le64_get(record + 8 * i) & layout->reserved[i];
	return bits != 0;
}

/* False, and nothing is written: @value does not fit. */
static inline bool wire_put(uint8_t *record, uint32_t field, uint64_t value)
{
	if (!field_fits(field, value))
		return false;
	field_put(record, field, value);
	return true;
}

/* PASIDs are 20 bits in every family. */
bool wire_pasid_valid(uint32_t pasid);
bool wire_pasid_or_none(uint32_t pasid);

/* A run of pages: @size_bytes a power of two from 4096, @addr a multiple of it. */
bool wire_range_valid(uint64_t addr, uint64_t size_bytes);

/*
 * Address and size in one word, as translation completions and device-TLB
 * invalidations say them (PCIe 6.x, 10.2.3.2): where *@s, the lowest 0 from bit 12 up
 * stands at half the size. A @size_bytes of 0 is the whole address space, which is bit
 * 63. No 0 at all means nothing by the specification; it is read as the whole space,
 * so that what should be forgotten is.
 */
uint64_t wire_range_encode(uint64_t addr, uint64_t size_bytes, bool *s);
void wire_range_decode(uint64_t bits, bool s, uint64_t *addr, uint64_t *size_bytes);

#endif
