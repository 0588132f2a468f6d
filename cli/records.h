/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/records.h - every record that iopf knows, by name: what decode and encode share. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include <stdio.h>

#include <jansson.h>

#include "base/record.h"
#include "wire/record.h"

/* "family.record" */
struct named_record {
	const char *family;
	const struct record *record;
	char name[64];
};

/* False: there is none, and everything was said. */
bool records_find(const char *name, struct named_record *named);
/* All there are, on standard output. */
void records_print_list(bool json);

/* Between the little-endian words of a record and how it lies in memory the other way
 * round: of words, or of the members of a C struct. The same in both directions. */
void records_swap(const struct record *record, const struct iopf_layout *layout,
		  uint8_t *bytes, uint32_t size_bytes);

/* The name of a field as people write it: without its prefix, in small letters. */
void records_field_name(const struct iopf_layout *layout, const struct field_row *row,
			char name[48]);
/* The value of a field in its unit: of an address, the address. */
uint64_t records_field_value(const struct iopf_layout *layout, const struct field_row *row,
			     const uint8_t *bytes);
/* What is wrong, without the field's name: "it counts only with r 1". */
void records_problem_text(const struct named_record *named, const struct iopf_layout *layout,
			  const struct record_problem *problem, const uint8_t *bytes,
			  char text[160]);

#endif
