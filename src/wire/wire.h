/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/wire.h - what every family's codec needs. Layouts: base/record.h. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "iopf/wire.h"

/* Bits and nothing else; RECORD_LAYOUT takes what words and rules there are beside. */
#define WIRE_LAYOUT(name, LIST, bytes) RECORD_LAYOUT(name, LIST, bytes, NULL, NULL)

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

/* Where a record has what PCIe's message has, each a bit or a number of its own
 * (PCIe 6.x, 10.4.1). */
struct wire_request {
	const struct iopf_layout *layout;
	uint32_t rid, pasid, pasid_valid, read, write, exec, priv, last, index, addr;
	uint32_t pasid_high; /* 0: @pasid is all of it */
	bool pasid_unknown; /* without pasid_valid nothing is said of pasid; else it is 0 */
	bool user; /* @priv is 0 for the privileged, and says nothing without a PASID */
};

/*
 * Decode returns whether bits are set that the record, or this request, reserves. Only
 * one with a PASID can be a stop marker: without, it is a request that wants nothing, and
 * its function waits for the response (PCIe 6.x, 10.4.1.2.1).
 * Encode is as in struct iopf_wire, of a family without private data: -ERANGE where no
 * record says this, and nothing else.
 */
bool wire_request_decode(const struct wire_request *at, const uint8_t *record,
			 struct iopf_request *request);
int wire_request_encode(const struct wire_request *at, const struct iopf_request *request,
			uint8_t *record);

/* Whether it is a stop marker. */
bool wire_request_is_stop(const struct wire_request *at, const uint8_t *record);
/* Rules for them: no such field in a marker (@where says that it is one), and execute is
 * asked for beside read (PCIe 6.x, 10.4.1). */
#define WIRE_REQUEST_RULES(where, index, addr, priv, exec, read)           \
	RECORD_ZERO((index), (where), "a stop marker has no index"),       \
	RECORD_ZERO((addr), (where), "a stop marker has no address"),      \
	RECORD_ZERO((priv), (where), "reserved in a stop marker"),         \
	RECORD_WITH((exec), (read))

/* How one command is read: the first that has its selectors' values. */
struct wire_command {
	const struct iopf_layout *layout;
	uint8_t selected[2]; /* values of the selectors */
	uint8_t kind;        /* enum iopf_command_kind */
	uint64_t reserved[2]; /* here, beside what the layout reserves */
	/* False: a value that is illegal. Selectors and reserved bits were looked at.
	 * NULL: it says no more. */
	bool (*decode)(const uint8_t *record, struct iopf_command *command);
};

/* A queue's commands of 16 bytes. */
struct wire_commands {
	uint32_t selectors[2]; /* fields; 0: one is enough */
	const struct wire_command *rows;
	size_t row_count;
	/* How one kind is written: 0, -ERANGE, -EOPNOTSUPP. @record is zero; NULL: it
	 * cannot be. By enum iopf_command_kind, IOPF_COMMAND_KIND_COUNT of them. */
	int (*const *encode)(const struct iopf_command *command, uint8_t *record);
};

/* As in struct record, and in struct iopf_wire. */
const struct iopf_layout *wire_command_pick(const struct wire_commands *commands,
					    const uint8_t *record, uint64_t *reserved);
int wire_command_decode(const struct wire_commands *commands, const uint8_t *record,
			uint32_t size_bytes, struct iopf_command *command);
int wire_command_encode(const struct wire_commands *commands,
			const struct iopf_command *command, uint32_t size_bytes,
			uint8_t *record);

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

/* The same as fields of a record, and what of a command they say: ALL or PAGE.
 * Returns: 0, -EOPNOTSUPP, -ERANGE. */
void wire_range_get(const uint8_t *record, uint32_t addr, uint32_t s,
		    struct iopf_command *command);
int wire_range_put(const struct iopf_command *command, uint32_t addr, uint32_t s,
		   uint8_t *record);

#endif
