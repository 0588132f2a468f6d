/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz/record.c - any bytes, as each record of one family: decoded and encoded they are
 * the same, or the loss has a name. FUZZ_FAMILY is given by the build.
 *
 * Input: which record, which of its sizes, its bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/name.h"
#include "record_keeps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_family *family_find(const char *name)
{
	size_t i = 0;

	while (!name_is(wire_families[i]->name, name))
		i++;
	return wire_families[i];
}

static const struct record *record_choose(const struct wire_family *family, uint8_t choice)
{
	size_t count = 0;

	while (family->records[count].name != NULL)
		count++;
	return &family->records[choice % count];
}

/* From memory of exactly its size: nothing is read behind it. */
static void decode_exactly(const struct iopf_wire *wire, const struct record *record,
			   const uint8_t *bytes, uint32_t size_bytes)
{
	uint8_t *exact = malloc(size_bytes);
	struct iopf_command command;
	struct iopf_request request;
	struct iopf_fault fault;
	bool reserved;

	if (exact == NULL || wire == NULL) {
		free(exact);
		return;
	}
	memcpy(exact, bytes, size_bytes);
	if (record->role == RECORD_REQUEST && wire->decode_request != NULL)
		wire->decode_request(exact, &request, &reserved);
	if (record->role == RECORD_COMMAND && wire->decode_command != NULL)
		wire->decode_command(exact, size_bytes, &command);
	if (record->role == RECORD_EVENT && wire->decode_fault != NULL)
		wire->decode_fault(exact, &fault, &reserved);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_family *family = family_find(FUZZ_FAMILY);
	uint8_t bytes[RECORD_BYTES_MAX] = { 0 };
	const struct record *record;
	uint32_t size_bytes;
	const char *wrong;

	if (size < 2)
		return 0;
	record = record_choose(family, data[0]);
	size_bytes = data[1] & 1 && record->short_bytes != 0 ? record->short_bytes :
							       record->size_bytes;
	memcpy(bytes, data + 2, size - 2 < size_bytes ? size - 2 : size_bytes);
	decode_exactly(family->wire, record, bytes, size_bytes);
	wrong = record_keeps(family, record, bytes, size_bytes);
	if (wrong != NULL) {
		fprintf(stderr, "%s.%s, %u bytes: %s\n", family->name, record->name,
			size_bytes, wrong);
		abort();
	}
	return 0;
}
