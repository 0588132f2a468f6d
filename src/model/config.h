/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/config.h - the configuration space of a function model: which capabilities it has,
 * and where. What a write does is the function's business.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "wire/config.h"

/* Where the capabilities begin, and what lies in them. */
enum model_config_register {
	CONFIG_EXPRESS = 0x40,
	CONFIG_EXPRESS_CAP = CONFIG_EXPRESS + EXPRESS_CAP,
	CONFIG_DEVICE_CAP = CONFIG_EXPRESS + EXPRESS_DEVICE_CAP,
	CONFIG_DEVICE_CONTROL = CONFIG_EXPRESS + EXPRESS_CONTROL,
	CONFIG_DEVICE_STATUS = CONFIG_EXPRESS + EXPRESS_STATUS,
	CONFIG_LINK_CAP = CONFIG_EXPRESS + EXPRESS_LINK_CAP,
	CONFIG_LINK_CONTROL = CONFIG_EXPRESS + EXPRESS_LINK_CONTROL,
	CONFIG_LINK_STATUS = CONFIG_EXPRESS + EXPRESS_LINK_STATUS,
	CONFIG_DEVICE_CAP2 = CONFIG_EXPRESS + EXPRESS_DEVICE_CAP2,
	CONFIG_DEVICE_CONTROL2 = CONFIG_EXPRESS + EXPRESS_CONTROL2,
	CONFIG_LINK_CAP2 = CONFIG_EXPRESS + EXPRESS_LINK_CAP2,

	CONFIG_MSI = 0x80,
	CONFIG_MSI_CONTROL = CONFIG_MSI + MSI_CONTROL,
	CONFIG_MSI_ADDR = CONFIG_MSI + MSI_ADDR,
	CONFIG_MSI_ADDR_HIGH = CONFIG_MSI + MSI_ADDR_HIGH,
	CONFIG_MSI_DATA = CONFIG_MSI + MSI_DATA,

	CONFIG_AER = 0x100,
	CONFIG_AER_UNCORRECTABLE = CONFIG_AER + AER_UNCORRECTABLE,
	CONFIG_AER_MASK = CONFIG_AER + AER_MASK,
	CONFIG_AER_SEVERITY = CONFIG_AER + AER_SEVERITY,
	CONFIG_AER_CORRECTABLE = CONFIG_AER + AER_CORRECTABLE,
	CONFIG_AER_CORRECTABLE_MASK = CONFIG_AER + AER_CORRECTABLE_MASK,
	CONFIG_AER_CONTROL = CONFIG_AER + AER_CONTROL,

	CONFIG_ATS = 0x180,
	CONFIG_ATS_CAP = CONFIG_ATS + ATS_CAP,
	CONFIG_ATS_CONTROL = CONFIG_ATS + ATS_CONTROL,

	CONFIG_PRI = 0x190,
	CONFIG_PRI_CONTROL = CONFIG_PRI + PRI_CONTROL,
	CONFIG_PRI_STATUS = CONFIG_PRI + PRI_STATUS,
	CONFIG_PRI_CAPACITY = CONFIG_PRI + PRI_CAPACITY,
	CONFIG_PRI_ALLOCATION = CONFIG_PRI + PRI_ALLOCATION,

	CONFIG_PASID = 0x1a0,
	CONFIG_PASID_CAP = CONFIG_PASID + PASID_CAP,
	CONFIG_PASID_CONTROL = CONFIG_PASID + PASID_CONTROL,
};

/* Everything at its default; then config_put() what differs, then config_settle(). */
void config_default(struct config *config);
/* Before it is settled: no PRI and no PASID capability (a virtual function). */
void config_virtual(struct config *config);
/* How much lies behind BAR 0: a power of two, at least 4096. */
void config_bar(struct config *config, uint32_t size_bytes);

/*
 * The space as `lspci -xxxx` prints it and `lspci -F` reads it, for the function
 * @rid.
 *
 * Returns: the length of @text without its end, or -ENOSPC (16 KiB is enough).
 */
int config_dump(const struct config *config, uint32_t rid, char *text, size_t size_bytes);

#endif
