/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/smmuv2.h - the fault registers of an Arm SMMUv2's context bank, as one record.
 *
 * There is no queue: who reads them in this order, 32 bits each but the addresses, has
 * what struct iopf_wire calls a fault's record.
 *
 *	word 0  FSR, above it FSYNR0
 *	word 1  FAR
 *	word 2  IPAFAR
 *	word 3  CBFRSYNRA of the bank, above it FSYNR1
 */
#ifndef WIRE_SMMUV2_H
#define WIRE_SMMUV2_H

#include "wire/wire.h"

enum { SMMUV2_FAULT_BYTES = 32 };

/* FSR. A fault is there while one of FAULTS is; they and MULTI are cleared with a 1, SS by
 * RESUME alone. Of those that RESUME lets go on there are three. */
#define SMMUV2_FSR_FAULTS    UINT32_C(0x000001fe)
#define SMMUV2_FSR_RESUMABLE UINT32_C(0x0000000e)
#define SMMUV2_FSR_SS        UINT32_C(0x40000000)
#define SMMUV2_FSR_MULTI     UINT32_C(0x80000000)

/* The number of a fault is its bit in FSR. */
enum smmuv2_reason {
	SMMUV2_TF = 1,  /* nothing is mapped there */
	SMMUV2_AFF = 2, /* the access flag is not set */
	SMMUV2_PF = 3,  /* the access is not permitted */
	SMMUV2_EF = 4,  /* memory did not answer */
	SMMUV2_TLBMCF = 5,
	SMMUV2_TLBLKF = 6,
	SMMUV2_ASF = 7, /* an address is too large */
	SMMUV2_UUT = 8,
};

static inline bool smmuv2_resumable(uint16_t reason)
{
	return reason < 32 && (SMMUV2_FSR_RESUMABLE >> reason & 1) != 0;
}

extern const struct iopf_layout smmuv2_fault_layout;

#endif
