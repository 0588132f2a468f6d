/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/config.h - PCI configuration space: what the registers of a header and of the
 * capabilities around paging hold, and a space of them of which software may write some
 * bits. What a write does beside that is the business of who has the space.
 */
#ifndef WIRE_CONFIG_H
#define WIRE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"

/* Where the registers lie in a header of type 0, and where capabilities may begin
 * (PCIe 6.x, 7.5.1). */
enum config_header {
	CONFIG_VENDOR = 0x00,
	CONFIG_DEVICE = 0x02,
	CONFIG_COMMAND = 0x04,
	CONFIG_STATUS = 0x06,
	CONFIG_REVISION = 0x08, /* and, above it, the class code */
	CONFIG_CACHE_LINE = 0x0c,
	CONFIG_BAR0 = 0x10,
	CONFIG_SUBSYSTEM_VENDOR = 0x2c,
	CONFIG_SUBSYSTEM = 0x2e,
	CONFIG_CAPABILITIES = 0x34,
	CONFIG_INTERRUPT_LINE = 0x3c,
	CONFIG_FIRST_CAPABILITY = 0x40,
	CONFIG_EXTENDED = 0x100,
};

/* Which capability it is (PCIe 6.x, 7.5.3, 7.7.1; extended: 7.8.4, 7.8.9, 10.5). */
enum config_capability {
	CAPABILITY_MSI = 0x05,
	CAPABILITY_EXPRESS = 0x10,
	EXTENDED_AER = 0x01,
	EXTENDED_ATS = 0x0f,
	EXTENDED_PRI = 0x13,
	EXTENDED_PASID = 0x1b,
};

/* The extended capabilities around paging, as they stand in a space. */
extern const struct iopf_layout config_ats_layout;
extern const struct iopf_layout config_pri_layout;
extern const struct iopf_layout config_pasid_layout;

#define EXTENDED(id, version, next) ((uint32_t)(next) << 20 | (version) << 16 | (id))

/* Where the registers lie in their capability. */
enum config_offset {
	EXPRESS_CAP = 0x02,
	EXPRESS_DEVICE_CAP = 0x04,
	EXPRESS_CONTROL = 0x08,
	EXPRESS_STATUS = 0x0a,
	EXPRESS_LINK_CAP = 0x0c,
	EXPRESS_LINK_CONTROL = 0x10,
	EXPRESS_LINK_STATUS = 0x12,
	EXPRESS_DEVICE_CAP2 = 0x24,
	EXPRESS_CONTROL2 = 0x28,
	EXPRESS_LINK_CAP2 = 0x2c,

	MSI_CONTROL = 0x02,
	MSI_ADDR = 0x04, /* with 64-bit addresses */
	MSI_ADDR_HIGH = 0x08,
	MSI_DATA = 0x0c,
	MSI_MASK = 0x10,
	MSI_PENDING = 0x14,

	AER_UNCORRECTABLE = 0x04,
	AER_MASK = 0x08,
	AER_SEVERITY = 0x0c,
	AER_CORRECTABLE = 0x10,
	AER_CORRECTABLE_MASK = 0x14,
	AER_CONTROL = 0x18,

	ATS_CAP = 0x04,
	ATS_CONTROL = 0x06,

	PRI_CONTROL = 0x04,
	PRI_STATUS = 0x06,
	PRI_CAPACITY = 0x08,
	PRI_ALLOCATION = 0x0c,

	PASID_CAP = 0x04,
	PASID_CONTROL = 0x06,
};

/* And which of their bits have a meaning to us. */
enum config_bits {
	COMMAND_MEMORY = 1u << 1,
	COMMAND_BUS_MASTER = 1u << 2,
	BAR_64 = 1u << 2,
	BAR_PREFETCH = 1u << 3,
	DEVICE_CONTROL_FLR = 1u << 15, /* reads 0 */
	DEVICE_CONTROL_REPORT_UR = 1u << 3,
	DEVICE_STATUS_CORRECTABLE = 1u << 0,
	DEVICE_STATUS_NONFATAL = 1u << 1,
	DEVICE_STATUS_FATAL = 1u << 2,
	DEVICE_STATUS_UR = 1u << 3,
	MSI_ENABLE = 1u << 0,
	MSI_64 = 1u << 7,
	MSI_MASKING = 1u << 8,
	AER_UNEXPECTED_COMPLETION = 1u << 16,
	AER_UNSUPPORTED_REQUEST = 1u << 20,
	AER_ADVISORY_NONFATAL = 1u << 13, /* correctable status */
	ATS_STU = 0x1f,
	ATS_ENABLE = 1u << 15,
	PRI_ENABLE = 1u << 0,
	PRI_RESET = 1u << 1, /* reads 0 */
	PRI_RF = 1u << 0,
	PRI_UPRGI = 1u << 1,
	PRI_STOPPED = 1u << 8,
	PRI_PASID_REQUIRED = 1u << 15,
	PASID_CAP_EXEC = 1u << 1,
	PASID_CAP_PRIV = 1u << 2,
	PASID_ENABLE = 1u << 0,
	PASID_EXEC = 1u << 1,
	PASID_PRIV = 1u << 2,
};

/* All registers lie below CONFIG_USED; what is above reads 0. A byte of each for every
 * byte of theirs. */
#define CONFIG_BYTES 4096
#define CONFIG_USED  0x200

struct config {
	uint8_t bytes[CONFIG_USED];
	uint8_t write[CONFIG_USED];  /* bits that software writes */
	uint8_t clear[CONFIG_USED];  /* bits that software clears by writing ones */
	uint8_t sticky[CONFIG_USED]; /* bits that a function level reset leaves */
	uint8_t settled[CONFIG_USED]; /* what a reset puts back */
};

/* One register: all @write and @clear bits of it are sticky, or none. Rows of the same
 * register add up. */
struct config_row {
	uint16_t offset;
	uint8_t size_bytes;
	bool sticky;
	uint32_t value, write, clear;
};

/* All 0; then rows, then config_put() what differs, then config_settle(). */
void config_create(struct config *config);
void config_row(struct config *config, const struct config_row *row);
void config_settle(struct config *config);
/* A function level reset: all but the sticky bits as it was settled. */
void config_reset(struct config *config);

/* Software's access: 1, 2 or 4 bytes, aligned, inside of the space. */
bool config_access_fits(uint32_t offset, uint32_t size_bytes);
/* What a read gives that nobody answers. */
uint32_t config_nobody(uint32_t size_bytes);

uint32_t config_get(const struct config *config, uint32_t offset, uint32_t size_bytes);
/* The function's own hand: any bit. */
void config_put(struct config *config, uint32_t offset, uint32_t size_bytes,
		uint32_t value);
void config_set_bits(struct config *config, uint32_t offset, uint32_t size_bytes,
		     uint32_t bits, bool on);
/* Software's hand. */
void config_write(struct config *config, uint32_t offset, uint32_t size_bytes,
		  uint32_t value);
/* The bits that such a write puts to the register of @count bytes at @at; others are 0. */
uint32_t config_written(uint32_t at, uint32_t count, uint32_t offset, uint32_t size_bytes,
			uint32_t value);

#endif
