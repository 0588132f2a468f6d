/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/wire.c - what families have in common. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "wire/record.h"
#include "wire/wire.h"

#include "base/name.h"
#include "iopf/wire.h"

const struct iopf_wire *iopf_wire_find(const char *name)
{
	for (size_t i = 0; wire_families[i] != NULL; i++)
		if (wire_families[i]->wire != NULL && name_is(wire_families[i]->name, name))
			return wire_families[i]->wire;
	return NULL;
}

struct iopf_command iopf_command_from_response(const struct iopf_response *response)
{
	struct iopf_command command = {
		.kind = IOPF_COMMAND_RESPONSE,
		.code = response->code,
		.index = response->index,
		.rid = response->rid,
		.pasid = response->pasid,
		.flags = response->flags & (IOPF_PRIVATE | IOPF_STALL),
	};

	if (command.flags & IOPF_PRIVATE)
		memcpy(command.private_data, response->private_data,
		       sizeof(command.private_data));
	return command;
}

struct iopf_request iopf_request_from_fault(const struct iopf_fault *fault)
{
	return (struct iopf_request){
		.addr = fault->addr,
		.rid = fault->rid,
		.pasid = fault->pasid,
		.index = fault->index,
		.perm = fault->perm,
		.flags = IOPF_LAST | IOPF_STALL,
	};
}

bool wire_pasid_valid(uint32_t pasid)
{
	return pasid <= IOPF_PASID_MAX;
}

bool wire_pasid_or_none(uint32_t pasid)
{
	return pasid <= IOPF_PASID_MAX || pasid == IOPF_PASID_NONE;
}

bool wire_range_valid(uint64_t addr, uint64_t size_bytes)
{
	return size_bytes >= 4096 && (size_bytes & (size_bytes - 1)) == 0 &&
	       (addr & (size_bytes - 1)) == 0;
}

uint64_t wire_range_encode(uint64_t addr, uint64_t size_bytes, bool *s)
{
	uint64_t half = size_bytes == 0 ? UINT64_C(1) << 63 : size_bytes / 2;

	assert(size_bytes == 0 ? addr == 0 : wire_range_valid(addr, size_bytes));
	*s = size_bytes != 4096;
	return (addr | (half - 1)) & ~UINT64_C(0xfff);
}

void wire_range_decode(uint64_t bits, bool s, uint64_t *addr, uint64_t *size_bytes)
{
	uint64_t page = bits >> 12;

	/* With 51 ones the first 0 is bit 63, and 2^64 bytes are 0 of 64 bits: so is then
	 * the address. */
	*size_bytes = s ? UINT64_C(8192) << __builtin_ctzll(~page) : 4096;
	*addr = page << 12 & ~(*size_bytes - 1);
}

void wire_range_get(const uint8_t *record, uint32_t addr, uint32_t s,
		    struct iopf_command *command)
{
	wire_range_decode(field_get(record, addr) << 12, field_get(record, s),
			  &command->addr, &command->size_bytes);
	command->granularity = command->size_bytes == 0 ? IOPF_ALL : IOPF_PAGE;
}

int wire_range_put(const struct iopf_command *command, uint32_t addr, uint32_t s,
		   uint8_t *record)
{
	bool all = command->granularity == IOPF_ALL, sized;
	uint64_t bits;

	if (!all && command->granularity != IOPF_PAGE)
		return -EOPNOTSUPP;
	if (!all && !wire_range_valid(command->addr, command->size_bytes))
		return -ERANGE;
	bits = wire_range_encode(all ? 0 : command->addr, all ? 0 : command->size_bytes,
				 &sized);
	field_put(record, addr, bits >> 12);
	field_put(record, s, sized);
	return 0;
}
