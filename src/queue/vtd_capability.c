/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/vtd_capability.c - CAP and ECAP out of features that have names. */
#include <errno.h>

#include "iopf/queue.h"
#include "queue/vtd_hardware.h"

enum { REGISTER_cap, REGISTER_ecap, REGISTER_COUNT };

#define FEATURE_ROW(name, reg, bit, text) { REGISTER_##reg, bit },
static const struct {
	uint8_t reg, bit;
} features_rows[] = { IOPF_VTD_FEATURES(FEATURE_ROW) };

enum { FEATURE_COUNT = sizeof(features_rows) / sizeof(features_rows[0]) };

/* VT-d, "Capability Register" and "Extended Capability Register": what is always so. */
static const uint64_t always[REGISTER_COUNT] = {
	[REGISTER_cap] = UINT64_C(6)                 /* ND: 16-bit domains */
			 | UINT64_C(1) << 2 << 8     /* SAGAW: 48 bits, 4 levels */
			 | UINT64_C(47) << 16        /* MGAW: 48 bits */
			 | (uint64_t)VTD_FRCD / 16 << 24 /* FRO */
			 | UINT64_C(3) << 34         /* SLLPS: 2 MiB, 1 GiB */
			 | UINT64_C(1) << 39         /* PSI: page-selective */
			 | UINT64_C(7) << 40         /* NFR: 8 recording registers */
			 | UINT64_C(18) << 48        /* MAMV */
			 | UINT64_C(3) << 54         /* DWD, DRD: draining */
			 | UINT64_C(1) << 59,        /* PI */
	[REGISTER_ecap] = UINT64_C(1)                /* C: walks are coherent */
			  | VTD_ECAP_QI
			  | UINT64_C(1) << 7         /* SC: snoop control */
			  | (uint64_t)VTD_IVA / 16 << 8 /* IRO */
			  | UINT64_C(15) << 20       /* MHMV */
			  | UINT64_C(1) << 48,       /* SMPWCS: walks are coherent */
};

int iopf_vtd_capability(uint32_t features, uint32_t pasid_bits, uint64_t *cap,
			uint64_t *ecap)
{
	uint64_t value[REGISTER_COUNT] = { always[REGISTER_cap], always[REGISTER_ecap] };

	if (features >> FEATURE_COUNT != 0 || pasid_bits < 1 || pasid_bits > 20)
		return -EINVAL;
	for (uint32_t i = 0; i < FEATURE_COUNT; i++) {
		if ((features >> i & 1) != 0)
			value[features_rows[i].reg] |= UINT64_C(1) << features_rows[i].bit;
	}
	*cap = value[REGISTER_cap];
	*ecap = value[REGISTER_ecap] | (uint64_t)(pasid_bits - 1) << 35;
	return 0;
}

enum { VIRTUAL_PASID_BITS = 20 };

int vtd_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options)
{
	uint32_t features = IOPF_VTD_VIRTUAL;

	if (offer->levels != 4 && offer->levels != 5)
		return -EINVAL;
	if (offer->levels < 5)
		features &= ~(uint32_t)IOPF_VTD_FL5LP;
	options->version = IOPF_VTD_VERSION;
	return iopf_vtd_capability(features, VIRTUAL_PASID_BITS, &options->cap,
				   &options->ecap);
}
