/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/hostile_family.h - where a family's IOMMU can be hurt: registers, bits, entries.
 * An act is the same in every family; what it writes, and where, is a row.
 */
#ifndef CLI_HOSTILE_FAMILY_H
#define CLI_HOSTILE_FAMILY_H

#include "cli/hostile.h"
#include "iopf/wire.h"

/* What a register's value is added to. */
enum hostile_base {
	HOSTILE_NOWHERE,  /* nothing: the value as it is */
	HOSTILE_MEMORY,   /* the first page of the guest's memory: its agent's structures */
	HOSTILE_END,      /* the last page */
	HOSTILE_COMMANDS, /* the command queue */
	HOSTILE_ROOT,
};

/* A register and what it is set to, while commands and requests are on their way. */
struct hostile_setting {
	uint32_t offset;
	uint8_t width; /* bytes */
	uint8_t base;  /* enum hostile_base */
	uint64_t value;
};

struct hostile_settings {
	const struct hostile_setting *list;
	size_t count;
};
#define HOSTILE_SETTINGS(array) { (array), CLI_COUNT(array) }

struct hostile_bit {
	uint8_t word, bit;
};

struct hostile_family {
	const char *name;
	const struct iopf_wire *wire;
	uint32_t command_bytes;
	/* Acts that set registers, and two that go through a list of them. */
	struct hostile_settings truncated, command_index, command_base, request_index,
		request_base, root_anywhere;
	struct hostile_settings doorbells, odd; /* odd: widths that do not exist */
	/* The field of an answer's code, and the first of the codes that are reserved. */
	uint8_t code_word, code_low, code_width, code_first;
	struct hostile_bit reserved[6]; /* bits of an answer that have to be 0 */
	/* Makes the IOMMU look at the entries of PASIDs again. */
	struct iopf_command forget;
	/* Acts that it has no words for: bits by enum hostile_act. */
	uint64_t lacks;
	/* The entry of @request's address space, behind the agent's back; 0: not found. */
	uint64_t (*space_addr)(struct guest *guest, const struct iopf_request *request);
	/* The host has come to the end of its commands, or has stopped at one. */
	bool (*commands_over)(struct port *port);
	/* Everything off, whatever state it is in. False: not yet. */
	bool (*off)(struct port *port);
};

extern const struct hostile_family hostile_vtd, hostile_smmuv3;

/* The row of the family called @name. */
const struct hostile_family *hostile_family_find(const char *name);

/* Whether a guest behind an IOMMU of @family can try @act. */
bool hostile_can(const char *family, unsigned act);

#endif
