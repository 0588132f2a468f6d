/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/amd.h - the registers of an AMD IOMMU (48882, 3.4 "IOMMU MMIO Registers"): offsets,
 * and the bits that either end of its queues acts on. All have 8 bytes, but those of its
 * MSI capability.
 */
#ifndef QUEUE_AMD_H
#define QUEUE_AMD_H

#include <stdint.h>

enum amd_offset {
	AMD_DEV_TBL = 0x0000,
	AMD_CMD_BASE = 0x0008,
	AMD_EVT_BASE = 0x0010,
	AMD_CONTROL = 0x0018,
	AMD_EFR = 0x0030,
	AMD_PPR_BASE = 0x0038,
	/* With MsiCapMmioSup: the capability of configuration space, here. */
	AMD_MSI_VECTOR = 0x0150,
	AMD_MSI_HEADER = 0x0158,
	AMD_MSI_ADDR = 0x015c,
	AMD_MSI_UPPER = 0x0160,
	AMD_MSI_DATA = 0x0164,
	AMD_LOW_END = 0x0168,
	AMD_CMD_HEAD = 0x2000,
	AMD_CMD_TAIL = 0x2008,
	AMD_EVT_HEAD = 0x2010,
	AMD_EVT_TAIL = 0x2018,
	AMD_STATUS = 0x2020,
	AMD_PPR_HEAD = 0x2030,
	AMD_PPR_TAIL = 0x2038,
	AMD_PPR_AUTO = 0x2080,
	AMD_PPR_EARLY = 0x2088,
	AMD_HIGH_END = 0x2090,
	AMD_REGISTERS_END = 0x4000,
};

/* The device table: (SIZE + 1) pages of 4 KiB. */
#define AMD_DEV_TBL_ADDR UINT64_C(0x000ffffffffff000)
#define AMD_DEV_TBL_SIZE UINT64_C(0x1ff)

/* Bases of the command buffer and of the logs: 2^LEN entries of 16 bytes, LEN 8 to 15. */
#define AMD_QUEUE_ADDR    UINT64_C(0x000ffffffffff000)
#define AMD_QUEUE_LEN     (UINT64_C(0xf) << 56)
#define AMD_QUEUE_LEN_LSB 56
#define AMD_QUEUE_LEN_MIN 8
#define AMD_QUEUE_LEN_MAX 15
#define AMD_QUEUE_INDEX   UINT64_C(0x7fff0) /* heads and tails: byte offsets */

/* CONTROL, lower half. */
#define AMD_IOMMU_EN   (UINT32_C(1) << 0)
#define AMD_EVT_LOG_EN (UINT32_C(1) << 2)
#define AMD_EVT_INT_EN (UINT32_C(1) << 3)
#define AMD_WAIT_INT_EN (UINT32_C(1) << 4)
#define AMD_CMD_EN     (UINT32_C(1) << 12)
#define AMD_PPR_LOG_EN (UINT32_C(1) << 13)
#define AMD_PPR_INT_EN (UINT32_C(1) << 14)
#define AMD_PPR_EN     (UINT32_C(1) << 15)
#define AMD_GT_EN      (UINT32_C(1) << 16)
/* And upper, each with its feature. */
#define AMD_PPR_AUTO_EN     (UINT64_C(1) << 39)
#define AMD_BLOCK_MARKER_EN (UINT64_C(1) << 41)
#define AMD_PPR_AUTO_ALWAYS (UINT64_C(1) << 42)

/* STATUS: INT and OVERFLOW are cleared by writing 1, RUN is read-only. */
#define AMD_EVT_OVERFLOW (UINT32_C(1) << 0)
#define AMD_EVT_INT      (UINT32_C(1) << 1)
#define AMD_WAIT_INT     (UINT32_C(1) << 2)
#define AMD_EVT_RUN      (UINT32_C(1) << 3)
#define AMD_CMD_RUN      (UINT32_C(1) << 4)
#define AMD_PPR_OVERFLOW (UINT32_C(1) << 5)
#define AMD_PPR_INT      (UINT32_C(1) << 6)
#define AMD_PPR_RUN      (UINT32_C(1) << 7)
#define AMD_PPR_IS_EARLY (UINT32_C(1) << 18)

/* What runs while its bit of CONTROL is set, and IOMMU_EN, unless it has stopped. */
static const struct amd_run {
	uint32_t enable, run;
} amd_runs[] = {
	{ AMD_CMD_EN, AMD_CMD_RUN },
	{ AMD_EVT_LOG_EN, AMD_EVT_RUN },
	{ AMD_PPR_LOG_EN, AMD_PPR_RUN },
};
enum { AMD_RUN_COUNT = sizeof(amd_runs) / sizeof(amd_runs[0]) };

/* EFR: fields; single bits are IOPF_AMD_FEATURES. */
#define AMD_EFR_HATS(efr)       ((unsigned)((efr) >> 10) & 3) /* host levels - 4 */
#define AMD_EFR_GATS(efr)       ((unsigned)((efr) >> 12) & 3) /* guest levels - 4 */
#define AMD_EFR_GLX(efr)        ((unsigned)((efr) >> 14) & 3) /* GCR3 levels - 1 */
#define AMD_EFR_PASID_BITS(efr) (((unsigned)((efr) >> 32) & 31) + 1)

#define AMD_MSI_EN (UINT32_C(1) << 16)

/* PPR_AUTO: the code. PPR_EARLY: how many entries. */
#define AMD_AUTO_CODE     UINT64_C(0xf)
#define AMD_EARLY_ENTRIES UINT64_C(0x7fff)
#define AMD_EARLY_INT_EN  (UINT64_C(1) << 30)
#define AMD_EARLY_EN      (UINT64_C(1) << 31)

#endif
