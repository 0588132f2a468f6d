/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/record.h - the families, and the records of each. Everything that goes through
 * all records (iopf decode, iopf encode, tests, fuzzing) goes through this list: a new
 * family is a line below, and its records are rows in its own file.
 */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#include "base/record.h"
#include "iopf/wire.h"

struct wire_family {
	const char *name;
	const struct iopf_wire *wire;  /* NULL: it is no IOMMU */
	const struct record *records;  /* the last has no name */
};

/* clang-format off */
#define WIRE_FAMILIES(X) \
	X(pcie) \
	X(vtd) \
	X(smmuv3) \
	X(amd) \
	X(smmuv2) \
	X(iommufd) \
	X(riscv)
/* clang-format on */
#define WIRE_FAMILY_DECLARE(name) extern const struct wire_family wire_family_##name;
WIRE_FAMILIES(WIRE_FAMILY_DECLARE)

/* Ended by NULL. */
extern const struct wire_family *const wire_families[];

/* The first record of @family with this role, or NULL. */
const struct record *wire_record(const struct wire_family *family, enum record_role role);

/*
 * Decode @bytes as the family's codec does, and encode what it made of them. Both have
 * RECORD_BYTES_MAX bytes.
 *
 * Returns: 0; WIRE_IGNORED: bits were ignored that the family reserves, and @again is
 *          what was understood, or 0; -EBADMSG or -EINVAL: refused; -EOPNOTSUPP: it cannot
 *          be encoded; WIRE_NO_CODEC.
 */
enum { WIRE_IGNORED = 1, WIRE_NO_CODEC = 2 };
int wire_again(const struct wire_family *family, const struct record *record,
	       const uint8_t *bytes, uint32_t size_bytes, uint8_t *again);

#endif
