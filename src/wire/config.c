/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/config.c - configuration space: bytes, and which of their bits may be written. */
#include "wire/config.h"

#include <assert.h>
#include <string.h>

/* clang-format off */

/* PCIe 6.x, 10.5.1 "ATS Extended Capability" */
#define PCIE_ATS(F, R)                     \
	F(PCIE_ATS_ID,       0,  0, 16)    \
	F(PCIE_ATS_VERSION,  0, 16,  4)    \
	F(PCIE_ATS_NEXT,     0, 20, 12)    \
	F(PCIE_ATS_QDEPTH,   0, 32,  5)    \
	F(PCIE_ATS_ALIGNED,  0, 37,  1)    \
	F(PCIE_ATS_GLOBAL,   0, 38,  1)    \
	R(PCIE_ATS_RSVD0,    0, 39,  9)    \
	F(PCIE_ATS_STU,      0, 48,  5)    \
	R(PCIE_ATS_RSVD1,    0, 53, 10)    \
	F(PCIE_ATS_ENABLE,   0, 63,  1)
#define PCIE_ATS_FIELDS(X) PCIE_ATS(X, X)

/* 10.5.2 "Page Request Extended Capability" */
#define PCIE_PRI(F, R)                       \
	F(PCIE_PRI_ID,         0,  0, 16)    \
	F(PCIE_PRI_VERSION,    0, 16,  4)    \
	F(PCIE_PRI_NEXT,       0, 20, 12)    \
	F(PCIE_PRI_ENABLE,     0, 32,  1)    \
	F(PCIE_PRI_RESET,      0, 33,  1)    \
	R(PCIE_PRI_RSVD0,      0, 34, 14)    \
	F(PCIE_PRI_RF,        0, 48,  1)    \
	F(PCIE_PRI_UPRGI,     0, 49,  1)    \
	R(PCIE_PRI_RSVD1,      0, 50,  6)    \
	F(PCIE_PRI_STOPPED,   0, 56,  1)    \
	R(PCIE_PRI_RSVD2,      0, 57,  6)    \
	F(PCIE_PRI_PRPR,       0, 63,  1)    \
	F(PCIE_PRI_CAPACITY,   1,  0, 32)    \
	F(PCIE_PRI_ALLOCATION, 1, 32, 32)
#define PCIE_PRI_FIELDS(X) PCIE_PRI(X, X)

/* 7.8.9 "PASID Extended Capability" */
#define PCIE_PASID(F, R)                      \
	F(PCIE_PASID_ID,          0,  0, 16)  \
	F(PCIE_PASID_VERSION,     0, 16,  4)  \
	F(PCIE_PASID_NEXT,        0, 20, 12)  \
	R(PCIE_PASID_RSVD0,       0, 32,  1)  \
	F(PCIE_PASID_EXEC,        0, 33,  1)  \
	F(PCIE_PASID_PRIV,        0, 34,  1)  \
	R(PCIE_PASID_RSVD1,       0, 35,  5)  \
	F(PCIE_PASID_WIDTH,       0, 40,  5)  \
	R(PCIE_PASID_RSVD2,       0, 45,  3)  \
	F(PCIE_PASID_ENABLE,      0, 48,  1)  \
	F(PCIE_PASID_EXEC_ENABLE, 0, 49,  1)  \
	F(PCIE_PASID_PRIV_ENABLE, 0, 50,  1)  \
	R(PCIE_PASID_RSVD3,       0, 51, 13)
#define PCIE_PASID_FIELDS(X) PCIE_PASID(X, X)

/* clang-format on */

enum pcie_ats_field { PCIE_ATS_FIELDS(FIELD_ENUM) };
enum pcie_pri_field { PCIE_PRI_FIELDS(FIELD_ENUM) };
enum pcie_pasid_field { PCIE_PASID_FIELDS(FIELD_ENUM) };
RECORD_COMPLETE1(PCIE_ATS_FIELDS);
RECORD_COMPLETE2(PCIE_PRI_FIELDS);
RECORD_COMPLETE1(PCIE_PASID_FIELDS);

#define HEADER(prefix, id)                                           \
	RECORD_WORD(prefix##_ID, EXTENDED_##id, #id),                \
	RECORD_TEXT(prefix##_ID, "which capability it is"),          \
	RECORD_TEXT(prefix##_VERSION, "version of the capability"),  \
	RECORD_TEXT(prefix##_NEXT, "where the next one is; 0: it is the last")

/* Capabilities stand at multiples of 4. */
static bool next_odd(const uint8_t *r)
{
	return (field_get(r, PCIE_PRI_NEXT) & 3) != 0;
}
#define NEXT_ODD "not a multiple of 4"

static const struct record_word ats_words[] = {
	HEADER(PCIE_ATS, ATS),
	RECORD_TEXT(PCIE_ATS_QDEPTH, "invalidations that it can hold; 0: 32"),
	RECORD_TEXT(PCIE_ATS_ALIGNED, "untranslated addresses are those of pages"),
	RECORD_TEXT(PCIE_ATS_GLOBAL, "knows invalidations whatever the PASID"),
	RECORD_TEXT(PCIE_ATS_STU, "smallest translation: 4096 << STU bytes"),
	RECORD_TEXT(PCIE_ATS_ENABLE, "may ask for translations"),
	RECORD_END,
};
static const struct record_rule ats_rules[] = {
	RECORD_NAMED(PCIE_ATS_ID),
	RECORD_CHECK(PCIE_ATS_NEXT, next_odd, NEXT_ODD),
	RECORD_RULES_END,
};
const struct iopf_layout config_ats_layout =
	RECORD_LAYOUT("pcie_ats_capability", PCIE_ATS, 8, ats_words, ats_rules);

static bool allocation_beyond(const uint8_t *r)
{
	return field_get(r, PCIE_PRI_ALLOCATION) > field_get(r, PCIE_PRI_CAPACITY);
}

static const struct record_word pri_words[] = {
	HEADER(PCIE_PRI, PRI),
	RECORD_TEXT(PCIE_PRI_ENABLE, "may ask for pages"),
	RECORD_TEXT(PCIE_PRI_RESET, "forget what is outstanding; reads 0"),
	RECORD_TEXT(PCIE_PRI_RF, "a response was a failure"),
	RECORD_TEXT(PCIE_PRI_UPRGI, "a response had an index that is not outstanding"),
	RECORD_TEXT(PCIE_PRI_STOPPED, "all requests are answered; means nothing with ENABLE"),
	RECORD_TEXT(PCIE_PRI_PRPR, "responses carry the PASID of their requests"),
	RECORD_TEXT(PCIE_PRI_CAPACITY, "requests that it can have outstanding"),
	RECORD_TEXT(PCIE_PRI_ALLOCATION, "requests that it may have outstanding"),
	RECORD_END,
};
static const struct record_rule pri_rules[] = {
	RECORD_NAMED(PCIE_PRI_ID),
	RECORD_CHECK(PCIE_PRI_NEXT, next_odd, NEXT_ODD),
	RECORD_CHECK(PCIE_PRI_ALLOCATION, allocation_beyond, "more than the capacity"),
	RECORD_RULES_END,
};
const struct iopf_layout config_pri_layout =
	RECORD_LAYOUT("pcie_pri_capability", PCIE_PRI, 16, pri_words, pri_rules);

static const struct record_word pasid_words[] = {
	HEADER(PCIE_PASID, PASID),
	RECORD_TEXT(PCIE_PASID_EXEC, "can ask for execute"),
	RECORD_TEXT(PCIE_PASID_PRIV, "can ask for privileged mode"),
	RECORD_TEXT(PCIE_PASID_WIDTH, "bits of a PASID"),
	RECORD_TEXT(PCIE_PASID_ENABLE, "may use PASIDs"),
	RECORD_TEXT(PCIE_PASID_EXEC_ENABLE, "may ask for execute"),
	RECORD_TEXT(PCIE_PASID_PRIV_ENABLE, "may ask for privileged mode"),
	RECORD_END,
};
static const struct record_rule pasid_rules[] = {
	RECORD_NAMED(PCIE_PASID_ID),
	RECORD_CHECK(PCIE_PASID_NEXT, next_odd, NEXT_ODD),
	RECORD_MOST(PCIE_PASID_WIDTH, 20),
	RECORD_WITH(PCIE_PASID_EXEC_ENABLE, PCIE_PASID_EXEC),
	RECORD_WITH(PCIE_PASID_PRIV_ENABLE, PCIE_PASID_PRIV),
	RECORD_RULES_END,
};
const struct iopf_layout config_pasid_layout =
	RECORD_LAYOUT("pcie_pasid_capability", PCIE_PASID, 8, pasid_words, pasid_rules);

/* Bits of one plane, beside those that are there. */
static void add(uint8_t *bytes, uint32_t size_bytes, uint32_t bits)
{
	for (uint32_t n = 0; n < size_bytes; n++)
		bytes[n] |= (uint8_t)(bits >> 8 * n);
}

void config_create(struct config *config)
{
	memset(config, 0, sizeof(*config));
}

void config_row(struct config *config, const struct config_row *row)
{
	assert(row->offset + row->size_bytes <= CONFIG_USED);
	add(&config->bytes[row->offset], row->size_bytes, row->value);
	add(&config->write[row->offset], row->size_bytes, row->write);
	add(&config->clear[row->offset], row->size_bytes, row->clear);
	if (row->sticky)
		add(&config->sticky[row->offset], row->size_bytes,
		    row->write | row->clear);
}

void config_settle(struct config *config)
{
	memcpy(config->settled, config->bytes, CONFIG_USED);
}

void config_reset(struct config *config)
{
	for (uint32_t n = 0; n < CONFIG_USED; n++) {
		uint8_t kept = config->sticky[n];

		config->bytes[n] = (uint8_t)((config->bytes[n] & kept) |
					     (config->settled[n] & ~kept));
	}
}

bool config_access_fits(uint32_t offset, uint32_t size_bytes)
{
	return (size_bytes == 1 || size_bytes == 2 || size_bytes == 4) &&
	       offset % size_bytes == 0 && offset < CONFIG_BYTES;
}

uint32_t config_nobody(uint32_t size_bytes)
{
	return size_bytes == 1 ? UINT8_MAX : size_bytes == 2 ? UINT16_MAX : UINT32_MAX;
}

uint32_t config_get(const struct config *config, uint32_t offset, uint32_t size_bytes)
{
	uint32_t value = 0;

	assert(offset + size_bytes <= CONFIG_BYTES);
	for (uint32_t n = 0; n < size_bytes && offset + n < CONFIG_USED; n++)
		value |= (uint32_t)config->bytes[offset + n] << 8 * n;
	return value;
}

void config_put(struct config *config, uint32_t offset, uint32_t size_bytes,
		uint32_t value)
{
	assert(offset + size_bytes <= CONFIG_USED);
	for (uint32_t n = 0; n < size_bytes; n++)
		config->bytes[offset + n] = (uint8_t)(value >> 8 * n);
}

void config_set_bits(struct config *config, uint32_t offset, uint32_t size_bytes,
		     uint32_t bits, bool on)
{
	uint32_t value = config_get(config, offset, size_bytes);

	config_put(config, offset, size_bytes, on ? value | bits : value & ~bits);
}

void config_write(struct config *config, uint32_t offset, uint32_t size_bytes,
		  uint32_t value)
{
	assert(offset + size_bytes <= CONFIG_BYTES);
	for (uint32_t n = offset; n < offset + size_bytes && n < CONFIG_USED;
	     n++, value >>= 8) {
		uint8_t new = (uint8_t)value, write = config->write[n];

		config->bytes[n] = (uint8_t)(((config->bytes[n] & ~write) |
					      (new & write)) &
					     ~(new & config->clear[n]));
	}
}

uint32_t config_written(uint32_t at, uint32_t count, uint32_t offset, uint32_t size_bytes,
			uint32_t value)
{
	uint32_t bits = 0;

	for (uint32_t n = 0; n < size_bytes; n++, value >>= 8) {
		uint32_t lane = offset + n - at;

		if (lane < count)
			bits |= (value & 0xff) << 8 * lane;
	}
	return bits;
}
