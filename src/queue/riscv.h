/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/riscv.h - the registers of a RISC-V IOMMU (RISC-V IOMMU Architecture
 * Specification 1.0, "Memory-mapped register interface"): offsets, and the bits that
 * either end of its queues acts on.
 */
#ifndef QUEUE_RISCV_H
#define QUEUE_RISCV_H

#include <errno.h>
#include <stdint.h>

enum riscv_offset {
	RISCV_CAPABILITIES = 0,
	RISCV_FCTL = 8,
	RISCV_DDTP = 16,
	RISCV_CQB = 24,
	RISCV_CQH = 32,
	RISCV_CQT = 36,
	RISCV_FQB = 40,
	RISCV_FQH = 48,
	RISCV_FQT = 52,
	RISCV_PQB = 56,
	RISCV_PQH = 64,
	RISCV_PQT = 68,
	RISCV_CQCSR = 72,
	RISCV_FQCSR = 76,
	RISCV_PQCSR = 80,
	RISCV_IPSR = 84,
	RISCV_ICVEC = 760,
	/* msi_cfg_tbl: the first of its entries. Others there may be, none are used. */
	RISCV_MSI_ADDR = 768,
	RISCV_MSI_DATA = 776,
	RISCV_MSI_CONTROL = 780,
	RISCV_REGISTERS_END = 1024,
};

#define RISCV_CAP(bit)       (UINT64_C(1) << (bit))
#define RISCV_CAP_SV39       RISCV_CAP(9)
#define RISCV_CAP_SV48       RISCV_CAP(10)
#define RISCV_CAP_SV57       RISCV_CAP(11)
#define RISCV_CAP_SVX4       (UINT64_C(0xf) << 16)
#define RISCV_CAP_ATS        RISCV_CAP(25)
#define RISCV_CAP_IGS(cap)   ((uint32_t)((cap) >> 28 & 3))
#define RISCV_CAP_PAS(cap)   ((uint32_t)((cap) >> 32 & 0x3f))
#define RISCV_CAP_PD8        RISCV_CAP(38)
#define RISCV_CAP_PD17       RISCV_CAP(39)
#define RISCV_CAP_PD20       RISCV_CAP(40)
#define RISCV_CAP_NL         RISCV_CAP(42)
#define RISCV_CAP_S          RISCV_CAP(43)
enum { RISCV_IGS_MSI, RISCV_IGS_WSI, RISCV_IGS_BOTH };

/* X(name, bit, what): features that an IOMMU has or lacks, bits of its capabilities. */
/* clang-format off */
#define RISCV_FEATURES(X) \
	X(SV39,     9,  "first stage: Sv39") \
	X(SV48,     10, "first stage: Sv48") \
	X(SV57,     11, "first stage: Sv57") \
	X(RSW60T59, 14, "entries: bits 60 and 59 are software's") \
	X(PBMT,     15, "entries: memory types") \
	X(SV39X4,   17, "second stage: Sv39x4") \
	X(SV48X4,   18, "second stage: Sv48x4") \
	X(SV57X4,   19, "second stage: Sv57x4") \
	X(MSI_FLAT, 22, "device contexts of 64 bytes") \
	X(AMO_HWAD, 24, "hardware sets accessed and dirty bits") \
	X(ATS,      25, "translation and page requests") \
	X(T2GPA,    26, "translation requests may be answered with guest addresses") \
	X(WSI,      29, "interrupts by wire, beside messages") \
	X(PD17,     39, "process directories of two levels") \
	X(PD20,     40, "process directories of three levels") \
	X(NL,       42, "invalidations reach what is not the last level's") \
	X(S,        43, "invalidations have ranges")
/* clang-format on */
#define RISCV_FEATURE_NUMBER(name, bit, text) RISCV_FEATURE_##name,
enum riscv_feature_number { RISCV_FEATURES(RISCV_FEATURE_NUMBER) RISCV_FEATURE_COUNT };
#define RISCV_FEATURE_ENUM(name, bit, text) RISCV_HAS_##name = 1 << RISCV_FEATURE_##name,
enum riscv_feature {
	RISCV_FEATURES(RISCV_FEATURE_ENUM)
	/* What a paging device under nested translation needs. */
	RISCV_PHYSICAL = (1 << RISCV_FEATURE_COUNT) - 1 - RISCV_HAS_MSI_FLAT - RISCV_HAS_T2GPA,
	/* What a guest is shown: it owns a first stage. */
	RISCV_VIRTUAL = RISCV_PHYSICAL & ~(RISCV_HAS_SV39X4 | RISCV_HAS_SV48X4 | RISCV_HAS_SV57X4 |
					   RISCV_HAS_WSI),
};

enum { RISCV_VERSION = 0x10, RISCV_ADDRESS_BITS = 56 };

/*
 * The capabilities of version 1.0 with @features, addresses of @address_bits (32..56) and
 * processes of @pasid_bits (1..20), with no more levels of directories than they need.
 * Returns: 0, -EINVAL.
 */
static inline int riscv_capabilities(uint32_t features, uint32_t pasid_bits,
				     uint32_t address_bits, uint64_t *capabilities)
{
#define RISCV_FEATURE_BIT(name, bit, text) bit,
	static const uint8_t bits[] = { RISCV_FEATURES(RISCV_FEATURE_BIT) };
	uint64_t cap = RISCV_VERSION | RISCV_CAP_PD8 | (uint64_t)address_bits << 32;

	if (features >> RISCV_FEATURE_COUNT != 0 || pasid_bits < 1 || pasid_bits > 20 ||
	    address_bits < 32 || address_bits > RISCV_ADDRESS_BITS)
		return -EINVAL;
	for (uint32_t i = 0; i < RISCV_FEATURE_COUNT; i++)
		if ((features >> i & 1) != 0)
			cap |= UINT64_C(1) << bits[i];
	if (pasid_bits <= 17)
		cap &= ~RISCV_CAP_PD20;
	if (pasid_bits <= 8)
		cap &= ~RISCV_CAP_PD17;
	*capabilities = cap;
	return 0;
}

#define RISCV_FCTL_BE  UINT32_C(1)
#define RISCV_FCTL_WSI UINT32_C(2)

#define RISCV_DDTP_MODE UINT64_C(0xf)
#define RISCV_DDTP_BUSY UINT64_C(0x10)
enum riscv_mode {
	RISCV_MODE_OFF,
	RISCV_MODE_BARE,
	RISCV_MODE_1LVL,
	RISCV_MODE_2LVL,
	RISCV_MODE_3LVL,
};

/* ddtp, cqb, fqb, pqb: bits 55:12 of an address, two lower. */
#define RISCV_PPN          (UINT64_C(0xfffffffffff) << 10)
#define RISCV_PPN_ADDR(x)  (((x) & RISCV_PPN) << 2)
#define RISCV_ADDR_PPN(x)  ((x) >> 2 & RISCV_PPN)
#define RISCV_LOG2SZ       UINT64_C(0x1f) /* less one */

/* cqcsr, fqcsr, pqcsr. */
#define RISCV_CSR_EN     UINT32_C(0x001)
#define RISCV_CSR_IE     UINT32_C(0x002)
#define RISCV_CSR_MF     UINT32_C(0x100)
#define RISCV_CSR_OF     UINT32_C(0x200) /* not of commands */
#define RISCV_CQCSR_TO   UINT32_C(0x200)
#define RISCV_CQCSR_ILL  UINT32_C(0x400)
#define RISCV_CQCSR_WIP  UINT32_C(0x800)
#define RISCV_CSR_ON     UINT32_C(0x10000)
#define RISCV_CSR_BUSY   UINT32_C(0x20000)

#define RISCV_MSI_MASKED UINT32_C(1)

/* Bits of ipsr. */
enum riscv_cause { RISCV_CIP, RISCV_FIP, RISCV_PMIP, RISCV_PIP };

#endif
