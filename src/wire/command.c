/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/command.c - commands of 16 bytes, as a table of them says. */
#include <errno.h>
#include <string.h>

#include "wire/wire.h"
#include "iopf/wire.h"

enum { COMMAND_BYTES = 16 };

static bool selected(const struct wire_commands *commands, const struct wire_command *row,
		     const uint8_t *record)
{
	for (unsigned i = 0; i < 2; i++)
		if (commands->selectors[i] != 0 &&
		    field_get(record, commands->selectors[i]) != row->selected[i])
			return false;
	return true;
}

static const struct wire_command *row_of(const struct wire_commands *commands,
					 const uint8_t *record)
{
	for (size_t i = 0; i < commands->row_count; i++)
		if (selected(commands, &commands->rows[i], record))
			return &commands->rows[i];
	return NULL;
}

const struct iopf_layout *wire_command_pick(const struct wire_commands *commands,
					    const uint8_t *record, uint64_t *reserved)
{
	const struct wire_command *row = row_of(commands, record);

	if (row == NULL)
		return NULL;
	reserved[0] = row->reserved[0];
	reserved[1] = row->reserved[1];
	return row->layout;
}

int wire_command_decode(const struct wire_commands *commands, const uint8_t *record,
			uint32_t size_bytes, struct iopf_command *command)
{
	struct iopf_command c = { 0 };
	const struct wire_command *row;

	if (size_bytes != COMMAND_BYTES)
		return -EINVAL;
	row = row_of(commands, record);
	if (row == NULL || wire_reserved(row->layout, record) ||
	    (le64_get(record) & row->reserved[0]) != 0 ||
	    (le64_get(record + 8) & row->reserved[1]) != 0)
		return -EBADMSG;
	c.kind = row->kind;
	if (row->decode != NULL && !row->decode(record, &c))
		return -EBADMSG;
	*command = c;
	return 0;
}

int wire_command_encode(const struct wire_commands *commands,
			const struct iopf_command *command, uint32_t size_bytes,
			uint8_t *record)
{
	uint8_t r[COMMAND_BYTES] = { 0 };
	int result;

	if (size_bytes != COMMAND_BYTES)
		return -EINVAL;
	if (command->kind >= IOPF_COMMAND_KIND_COUNT ||
	    commands->encode[command->kind] == NULL)
		return -EOPNOTSUPP;
	result = commands->encode[command->kind](command, r);
	if (result < 0)
		return result;
	memcpy(record, r, sizeof(r));
	return 0;
}
