/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/record.c - the records of all families, and their way through the codecs. */
#include "wire/record.h"

#include <errno.h>
#include <string.h>

#define ROW(name) &wire_family_##name,
const struct wire_family *const wire_families[] = { WIRE_FAMILIES(ROW) NULL };

const struct record *wire_record(const struct wire_family *family, enum record_role role)
{
	for (const struct record *at = family->records; at->name != NULL; at++)
		if (at->role == role)
			return at;
	return NULL;
}

/* ---- There and back ---------------------------------------------------------------- */

static int request_again(const struct iopf_wire *wire, const uint8_t *bytes, uint8_t *again)
{
	struct iopf_request request;
	bool reserved;
	int result = wire->decode_request(bytes, &request, &reserved);

	if (result < 0)
		return result;
	result = wire->encode_request(&request, again);
	return reserved ? WIRE_IGNORED : result;
}

static int event_again(const struct iopf_wire *wire, const uint8_t *bytes, uint8_t *again)
{
	struct iopf_fault fault;
	bool reserved;
	int result = wire->decode_fault(bytes, &fault, &reserved);

	if (result < 0)
		return result;
	result = wire->encode_fault(&fault, again);
	return reserved ? WIRE_IGNORED : result;
}

static int command_again(const struct iopf_wire *wire, const uint8_t *bytes,
			 uint32_t size_bytes, uint8_t *again)
{
	struct iopf_command command;
	int result = wire->decode_command(bytes, size_bytes, &command);

	return result == 0 ? wire->encode_command(&command, size_bytes, again) : result;
}

int wire_again(const struct wire_family *family, const struct record *record,
	       const uint8_t *bytes, uint32_t size_bytes, uint8_t *again)
{
	const struct iopf_wire *wire = family->wire;

	memset(again, 0, RECORD_BYTES_MAX);
	if (record->again != NULL)
		return record->again(bytes, again);
	if (record == wire_record(family, RECORD_REQUEST) && wire != NULL)
		return request_again(wire, bytes, again);
	if (record == wire_record(family, RECORD_COMMAND) && wire != NULL)
		return command_again(wire, bytes, size_bytes, again);
	if (record == wire_record(family, RECORD_EVENT) && wire != NULL &&
	    wire->decode_fault != NULL)
		return event_again(wire, bytes, again);
	return WIRE_NO_CODEC;
}
