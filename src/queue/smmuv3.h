/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/smmuv3.h - the registers of SMMUv3 (Arm IHI 0070, "Register formats"): offsets
 * in its two pages of 64 KiB, and the bits that either end of its queues acts on.
 */
#ifndef QUEUE_SMMUV3_H
#define QUEUE_SMMUV3_H

#include <stdint.h>

enum smmuv3_offset {
	SMMUV3_IDR0 = 0x00,
	SMMUV3_IDR1 = 0x04,
	SMMUV3_IDR2 = 0x08,
	SMMUV3_IDR3 = 0x0c,
	SMMUV3_IDR4 = 0x10,
	SMMUV3_IDR5 = 0x14,
	SMMUV3_IIDR = 0x18,
	SMMUV3_AIDR = 0x1c,
	SMMUV3_CR0 = 0x20,
	SMMUV3_CR0ACK = 0x24,
	SMMUV3_CR1 = 0x28,
	SMMUV3_CR2 = 0x2c,
	SMMUV3_STATUSR = 0x40,
	SMMUV3_GBPA = 0x44,
	SMMUV3_AGBPA = 0x48,
	SMMUV3_IRQ_CTRL = 0x50,
	SMMUV3_IRQ_CTRLACK = 0x54,
	SMMUV3_GERROR = 0x60,
	SMMUV3_GERRORN = 0x64,
	SMMUV3_GERROR_IRQ_CFG0 = 0x68,
	SMMUV3_GERROR_IRQ_CFG1 = 0x70,
	SMMUV3_GERROR_IRQ_CFG2 = 0x74,
	SMMUV3_STRTAB_BASE = 0x80,
	SMMUV3_STRTAB_BASE_CFG = 0x88,
	SMMUV3_CMDQ_BASE = 0x90,
	SMMUV3_CMDQ_PROD = 0x98,
	SMMUV3_CMDQ_CONS = 0x9c,
	SMMUV3_EVENTQ_BASE = 0xa0,
	SMMUV3_EVENTQ_IRQ_CFG0 = 0xb0,
	SMMUV3_EVENTQ_IRQ_CFG1 = 0xb8,
	SMMUV3_EVENTQ_IRQ_CFG2 = 0xbc,
	SMMUV3_PRIQ_BASE = 0xc0,
	SMMUV3_PRIQ_IRQ_CFG0 = 0xd0,
	SMMUV3_PRIQ_IRQ_CFG1 = 0xd8,
	SMMUV3_PRIQ_IRQ_CFG2 = 0xdc,
	/* Page 1. */
	SMMUV3_EVENTQ_PROD = 0x100a8,
	SMMUV3_EVENTQ_CONS = 0x100ac,
	SMMUV3_PRIQ_PROD = 0x100c8,
	SMMUV3_PRIQ_CONS = 0x100cc,
	SMMUV3_PAGES_BYTES = 0x20000,
};

/* CR0 and CR0ACK. */
#define SMMUV3_SMMUEN   UINT32_C(0x01)
#define SMMUV3_PRIQEN   UINT32_C(0x02)
#define SMMUV3_EVENTQEN UINT32_C(0x04)
#define SMMUV3_CMDQEN   UINT32_C(0x08)
#define SMMUV3_ATSCHK   UINT32_C(0x10)

/* CR1: tables and queues are write-back cached, inner shareable. */
#define SMMUV3_CR1_SHARED UINT32_C(0xd75)

/* CR2. */
#define SMMUV3_CR2_E2H       UINT32_C(1)
#define SMMUV3_CR2_RECINVSID UINT32_C(2)
#define SMMUV3_CR2_PTM       UINT32_C(4)

#define SMMUV3_GBPA_UPDATE (UINT32_C(1) << 31)
#define SMMUV3_GBPA_ABORT  (UINT32_C(1) << 20)

/* IRQ_CTRL and IRQ_CTRLACK. */
#define SMMUV3_GERROR_IRQEN UINT32_C(1)
#define SMMUV3_PRIQ_IRQEN   UINT32_C(2)
#define SMMUV3_EVENTQ_IRQEN UINT32_C(4)

/* GERROR and GERRORN: an error is active where they differ. */
#define SMMUV3_CMDQ_ERR           UINT32_C(0x01)
#define SMMUV3_EVENTQ_ABT_ERR     UINT32_C(0x04)
#define SMMUV3_PRIQ_ABT_ERR       UINT32_C(0x08)
#define SMMUV3_MSI_CMDQ_ABT_ERR   UINT32_C(0x10)
#define SMMUV3_MSI_EVENTQ_ABT_ERR UINT32_C(0x20)
#define SMMUV3_MSI_PRIQ_ABT_ERR   UINT32_C(0x40)
#define SMMUV3_MSI_GERROR_ABT_ERR UINT32_C(0x80)
#define SMMUV3_SFM_ERR            UINT32_C(0x100)

/* Queue bases: address, log2 of the entries. Indices: bit 31 is the overflow flag of
 * PROD (OVFLG) and its acknowledgement in CONS (OVACKFLG). */
#define SMMUV3_QUEUE_ADDR     UINT64_C(0x000fffffffffffe0)
#define SMMUV3_QUEUE_HINT     (UINT64_C(1) << 62) /* RA, WA: to the caches */
#define SMMUV3_QUEUE_SIZE     UINT64_C(0x1f)
#define SMMUV3_QUEUE_INDEX    UINT32_C(0x000fffff)
#define SMMUV3_QUEUE_OVERFLOW (UINT32_C(1) << 31)

/* CMDQ_CONS.ERR. */
#define SMMUV3_CMDQ_ERR_LSB 24
#define SMMUV3_CMDQ_ERR_MASK (UINT32_C(0x7f) << SMMUV3_CMDQ_ERR_LSB)
enum smmuv3_command_error {
	SMMUV3_CERROR_NONE = 0,
	SMMUV3_CERROR_ILL = 1,
	SMMUV3_CERROR_ABT = 2,
	SMMUV3_CERROR_ATC_INV_SYNC = 3,
};

#define SMMUV3_STRTAB_ADDR UINT64_C(0x000fffffffffffc0)
#define SMMUV3_STRTAB_RA   (UINT64_C(1) << 62)

/* STRTAB_BASE_CFG: FMT, SPLIT, LOG2SIZE. */
#define SMMUV3_STRTAB_SHAPE UINT32_C(0x307ff)
#define SMMUV3_STRTAB_LOG2SIZE(config) ((uint32_t)(config) & 0x3f)

#define SMMUV3_IRQ_ADDR UINT64_C(0x000ffffffffffffc)
/* IRQ_CFG2.MEMATTR: Device-nGnRE, as an interrupt controller is. */
#define SMMUV3_IRQ_DEVICE UINT32_C(1)
/* PRIQ_IRQ_CFG2: interrupt for messages that are the last of their group only. */
#define SMMUV3_PRIQ_LO (UINT32_C(1) << 31)

#define SMMUV3_IDR0_S2P         UINT32_C(0x00000001)
#define SMMUV3_IDR0_S1P         UINT32_C(0x00000002)
#define SMMUV3_IDR0_AARCH64     (UINT32_C(1) << 3)
#define SMMUV3_IDR0_ATS         (UINT32_C(1) << 10)
#define SMMUV3_IDR0_MSI         (UINT32_C(1) << 13)
#define SMMUV3_IDR0_PRI         (UINT32_C(1) << 16)
#define SMMUV3_IDR0_STALL_MODEL(idr0) ((idr0) >> 24 & 3)
#define SMMUV3_IDR0_STALLS_NEVER 1 /* STALL_MODEL */
#define SMMUV3_IDR1_PRESET (UINT32_C(3) << 29) /* queues, tables: placed by hardware */
#define SMMUV3_IDR1_CMDQS(idr1)   ((idr1) >> 21 & 0x1f)
#define SMMUV3_IDR1_EVENTQS(idr1) ((idr1) >> 16 & 0x1f)
#define SMMUV3_IDR1_PRIQS(idr1)   ((idr1) >> 11 & 0x1f)
#define SMMUV3_IDR1_SSIDSIZE(idr1) ((idr1) >> 6 & 0x1f)
#define SMMUV3_IDR1_SIDSIZE(idr1) ((idr1) & 0x3f)
#define SMMUV3_IDR3_RIL           (UINT32_C(1) << 10)
#define SMMUV3_IDR5_OAS(idr5)     ((idr5) & 7)
#define SMMUV3_IDR5_STALL_MAX(idr5) ((idr5) >> 16)

#endif
