/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/config.h - where the registers of a guest-visible configuration space lie. See
 * iopf/config.h.
 */
#ifndef GUEST_CONFIG_H
#define GUEST_CONFIG_H

#include "iopf/config.h"
#include "wire/config.h"

enum guest_config_layout {
	GUEST_EXPRESS = 0x40,
	GUEST_MSI = 0x80,
	GUEST_ATS = 0x100,
	GUEST_PRI = 0x110,
	GUEST_PASID = 0x120,
};

struct iopf_config {
	struct config space;
	struct iopf_config_options options;
	uint64_t resets, undefined;
	bool outstanding;
};

#endif
