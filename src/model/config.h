/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/config.h - the 4 KiB configuration space of a PCI function: what its registers
 * hold and which of their bits software may write. What a write does beside that is
 * the function's business.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_BYTES 4096

/* Where the registers lie (type 0 header; PCIe 7.5.1, 7.5.3, 7.8.4, 7.8.9, 10.5). */
enum config_register {
	CONFIG_VENDOR = 0x00,
	CONFIG_DEVICE = 0x02,
	CONFIG_COMMAND = 0x04,
	CONFIG_STATUS = 0x06,
	CONFIG_REVISION = 0x08, /* and, above it, the class code */
	CONFIG_BAR0 = 0x10,
	CONFIG_SUBSYSTEM_VENDOR = 0x2c,
	CONFIG_SUBSYSTEM = 0x2e,

	CONFIG_EXPRESS = 0x40,
	CONFIG_EXPRESS_CAP = 0x42,
	CONFIG_DEVICE_CAP = 0x44,
	CONFIG_DEVICE_CONTROL = 0x48,
	CONFIG_DEVICE_STATUS = 0x4a,
	CONFIG_LINK_CAP = 0x4c,
	CONFIG_LINK_CONTROL = 0x50,
	CONFIG_LINK_STATUS = 0x52,
	CONFIG_DEVICE_CAP2 = 0x64,
	CONFIG_DEVICE_CONTROL2 = 0x68,
	CONFIG_LINK_CAP2 = 0x6c,

	CONFIG_MSI = 0x80,
	CONFIG_MSI_CONTROL = 0x82,
	CONFIG_MSI_ADDR = 0x84,
	CONFIG_MSI_ADDR_HIGH = 0x88,
	CONFIG_MSI_DATA = 0x8c,

	CONFIG_AER = 0x100,
	CONFIG_AER_UNCORRECTABLE = 0x104,
	CONFIG_AER_MASK = 0x108,
	CONFIG_AER_SEVERITY = 0x10c,
	CONFIG_AER_CORRECTABLE = 0x110,
	CONFIG_AER_CORRECTABLE_MASK = 0x114,
	CONFIG_AER_CONTROL = 0x118,

	CONFIG_ATS = 0x180,
	CONFIG_ATS_CAP = 0x184,
	CONFIG_ATS_CONTROL = 0x186,

	CONFIG_PRI = 0x190,
	CONFIG_PRI_CONTROL = 0x194,
	CONFIG_PRI_STATUS = 0x196,
	CONFIG_PRI_CAPACITY = 0x198,
	CONFIG_PRI_ALLOCATION = 0x19c,

	CONFIG_PASID = 0x1a0,
	CONFIG_PASID_CAP = 0x1a4,
	CONFIG_PASID_CONTROL = 0x1a6,
};

/* Bits that the function itself reads or sets. */
enum config_bits {
	COMMAND_MEMORY = 1u << 1,
	COMMAND_BUS_MASTER = 1u << 2,
	DEVICE_CONTROL_FLR = 1u << 15, /* reads 0 */
	DEVICE_CONTROL_REPORT_UR = 1u << 3,
	DEVICE_STATUS_CORRECTABLE = 1u << 0,
	DEVICE_STATUS_NONFATAL = 1u << 1,
	DEVICE_STATUS_FATAL = 1u << 2,
	DEVICE_STATUS_UR = 1u << 3,
	MSI_ENABLE = 1u << 0,
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

/* A byte of each for every byte of the space. */
struct config {
	uint8_t bytes[CONFIG_BYTES];
	uint8_t write[CONFIG_BYTES];  /* bits that software writes */
	uint8_t clear[CONFIG_BYTES];  /* bits that software clears by writing ones */
	uint8_t sticky[CONFIG_BYTES]; /* bits that a function level reset leaves */
	uint8_t settled[CONFIG_BYTES]; /* what a reset puts back */
};

/* Everything at its default; then config_put() what differs, then config_settle(). */
void config_create(struct config *config);
void config_settle(struct config *config);
/* Before it is settled: no PRI and no PASID capability (a virtual function). */
void config_virtual(struct config *config);
/* How much lies behind BAR 0: a power of two, at least 4096. */
void config_bar(struct config *config, uint32_t size_bytes);
/* A function level reset: all but the sticky bits as it was settled. */
void config_reset(struct config *config);

uint32_t config_get(const struct config *config, uint32_t offset, uint32_t size_bytes);
/* The function's own hand: any bit. */
void config_put(struct config *config, uint32_t offset, uint32_t size_bytes,
		uint32_t value);
void config_set_bits(struct config *config, uint32_t offset, uint32_t size_bytes,
		     uint32_t bits, bool on);
/* Software's hand. */
void config_write(struct config *config, uint32_t offset, uint32_t size_bytes,
		  uint32_t value);

/*
 * The space as `lspci -xxxx` prints it and `lspci -F` reads it, for the function
 * @rid.
 *
 * Returns: the length of @text without its end, or -ENOSPC (16 KiB is enough).
 */
int config_dump(const struct config *config, uint32_t rid, char *text, size_t size_bytes);

#endif
