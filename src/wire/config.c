/* SPDX-License-Identifier: BSD-3-Clause */
/* wire/config.c - configuration space: bytes, and which of their bits may be written. */
#include "wire/config.h"

#include <assert.h>
#include <string.h>

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
