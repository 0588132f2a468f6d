/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/smmuv3_identification.c - IDR0..IDR5 out of features that have names. */
#include <errno.h>
#include <string.h>

#include "iopf/queue.h"
#include "queue/smmuv3_hardware.h"

#define FEATURE_ROW(name, reg, bit, text) { reg, bit },
static const struct {
	uint8_t reg, bit;
} features_rows[] = { IOPF_SMMUV3_FEATURES(FEATURE_ROW) };

enum { FEATURE_COUNT = sizeof(features_rows) / sizeof(features_rows[0]) };

/* Arm IHI 0070, "SMMU_IDR0" to "SMMU_IDR5": what is always so. Queues are as long as
 * driver options can say: 128 pages of 4 KiB. */
static const uint32_t always[6] = {
	[0] = UINT32_C(2) << 2      /* TTF: AArch64 tables */
	      | UINT32_C(1) << 4    /* COHACC */
	      | UINT32_C(2) << 21,  /* TTENDIAN: little-endian */
	[1] = UINT32_C(15) << 21    /* CMDQS */
	      | UINT32_C(14) << 16  /* EVENTQS */
	      | UINT32_C(15) << 11, /* PRIQS */
	[5] = UINT32_C(5)           /* OAS: 48 bits */
	      | UINT32_C(1) << 4,   /* GRAN4K */
};

/* What one feature is worth only beside another. */
static bool features_agree(uint32_t features)
{
	const uint32_t both = IOPF_SMMUV3_HA | IOPF_SMMUV3_HD;

	return features >> FEATURE_COUNT == 0 && (features & both) != both &&
	       (features & (IOPF_SMMUV3_S1P | IOPF_SMMUV3_S2P)) != 0 &&
	       ((features & IOPF_SMMUV3_PRI) == 0 || (features & IOPF_SMMUV3_ATS) != 0);
}

int iopf_smmuv3_identification(uint32_t features, uint32_t sid_bits, uint32_t ssid_bits,
			       uint32_t stall_max, uint32_t idr[6])
{
	if (!features_agree(features) || sid_bits < 1 || sid_bits > 32 ||
	    ssid_bits > 20 || stall_max > UINT16_MAX)
		return -EINVAL;
	memcpy(idr, always, sizeof(always));
	for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
		if ((features >> i & 1) != 0)
			idr[features_rows[i].reg] |= UINT32_C(1) << features_rows[i].bit;
	}
	idr[0] |= (uint32_t)(stall_max == 0) << 24; /* STALL_MODEL */
	idr[1] |= ssid_bits << 6 | sid_bits;
	idr[5] |= stall_max << 16;
	return 0;
}

enum { VIRTUAL_SUBSTREAM_BITS = 20 };

int smmuv3_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options)
{
	if (offer->levels != 4)
		return -EINVAL;
	options->version = IOPF_SMMUV3_VERSION;
	return iopf_smmuv3_identification(IOPF_SMMUV3_VIRTUAL, SMMUV3_VIRTUAL_STREAM_BITS,
					  VIRTUAL_SUBSTREAM_BITS, offer->stall_max,
					  options->idr);
}
