/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vtd_words.h - fields of scalable-mode entries, and where entries lie. */
#ifndef TABLE_VTD_WORDS_H
#define TABLE_VTD_WORDS_H

#include "table/vtd_scalable.h"
#include "table/words.h"

enum vtd_root_field { VTD_ROOT_FIELDS(FIELD_ENUM) };
enum vtd_context_field { VTD_CE_FIELDS(FIELD_ENUM) };
enum vtd_directory_field { VTD_PDE_FIELDS(FIELD_ENUM) };
enum vtd_pasid_field { VTD_PE_FIELDS(FIELD_ENUM) };

enum {
	VTD_ADDRESS_BITS = 48,
	VTD_DIRECTORY_BITS = 13, /* of PASIDs that the smallest directory leads to: PDTS 0 */
};

/* The half root entry of @rid: a bus each, lower and upper. */
static inline uint64_t vtd_root_addr(uint64_t root, uint32_t rid)
{
	return root + (rid >> 8 & 0xff) * 16 + (rid >> 7 & 1) * 8;
}

/* 128 context entries of 32 bytes a table. */
static inline uint64_t vtd_context_addr(uint64_t table, uint32_t rid)
{
	return table + (rid & 0x7f) * 32;
}

static inline uint64_t vtd_directory_addr(uint64_t directory, uint32_t pasid)
{
	return directory + (pasid >> 6) * sizeof(uint64_t);
}

/* 64 PASID entries of 64 bytes a table. */
static inline uint64_t vtd_pasid_addr(uint64_t table, uint32_t pasid)
{
	return table + (pasid & 0x3f) * 64;
}

#endif
