/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_config.h - a configuration space alone, and what it tells. */
#ifndef TESTS_GUEST_CONFIG_H
#define TESTS_GUEST_CONFIG_H

#include "guest/config.h"

#include "iopf/iopf.h"
#include "test.h"

enum {
	CONTROL = GUEST_EXPRESS + EXPRESS_CONTROL,
	MSI_AT = GUEST_MSI,
	ATS_AT = GUEST_ATS + ATS_CONTROL,
	PRI_AT = GUEST_PRI + PRI_CONTROL,
	STATUS_AT = GUEST_PRI + PRI_STATUS,
	ALLOCATION_AT = GUEST_PRI + PRI_ALLOCATION,
	PASID_AT = GUEST_PASID + PASID_CONTROL,
	ALL_RIGHTS = PASID_ENABLE | PASID_EXEC | PASID_PRIV,
};

static struct iopf_config *config;
static enum iopf_config_change told[64];
static unsigned told_count;

static inline void changed(void *context, enum iopf_config_change change)
{
	CHECK(context == &config);
	CHECK(told_count < 64);
	told[told_count++] = change;
}

static inline struct iopf_config_options usual(void)
{
	return (struct iopf_config_options){
		.size_bytes = sizeof(struct iopf_config_options),
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.subsystem_vendor_id = 0x1af4,
		.subsystem_id = 0x1100,
		.class_code = 0x120000,
		.revision = 3,
		.msi = true,
		.msi_masking = true,
		.ats = true,
		.pri = true,
		.pasid = true,
		.pasid_in_response = true,
		.pasid_bits = 20,
		.pasid_rights = IOPF_EXEC | IOPF_PRIV,
		.capacity = 32,
		.bars = { { .size_bytes = 0x10000, .flags = IOPF_BAR_64 | IOPF_BAR_PREFETCH },
			  { .size_bytes = 0 },
			  { .size_bytes = 0x1000 } },
		.changed = changed,
		.context = &config,
	};
}

static inline void create(struct iopf_config_options options)
{
	static uint64_t memory[2048];

	memset(memory, 0xa5, sizeof(memory));
	CHECK(iopf_config_size_bytes() <= sizeof(memory));
	CHECK_EQ(iopf_config_create(&options, memory, sizeof(memory), &config), 0);
	told_count = 0;
}

static inline uint32_t get(uint32_t offset, uint32_t width)
{
	return iopf_config_read(config, offset, width);
}

static inline void put(uint32_t offset, uint32_t width, uint32_t value)
{
	iopf_config_write(config, offset, width, value);
}

static inline struct iopf_config_state state(void)
{
	struct iopf_config_state now;

	iopf_config_state(config, &now);
	return now;
}

/* The only thing told since the last look. */
static inline bool told_only(enum iopf_config_change change)
{
	bool only = told_count == 1 && told[0] == change;

	told_count = 0;
	return only;
}

/* Every capability that is there is found once, by walking the lists as software does. */
static inline uint32_t extended(uint32_t id)
{
	uint32_t at = CONFIG_EXTENDED, found = 0;

	while (at != 0) {
		uint32_t header = get(at, 4);

		if ((header & 0xffff) == id) {
			CHECK_EQ(found, 0);
			found = at;
		}
		at = header >> 20;
	}
	return found;
}

static inline uint32_t capability(uint32_t id)
{
	uint32_t at = get(CONFIG_CAPABILITIES, 1), found = 0;

	for (; at != 0; at = get(at + 1, 1))
		if (get(at, 1) == id) {
			CHECK_EQ(found, 0);
			found = at;
		}
	return found;
}

#endif
