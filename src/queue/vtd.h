/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/vtd.h - the registers of VT-d (Intel VT-d specification, "Register
 * Descriptions"): offsets, and the bits that either end of its queues acts on.
 */
#ifndef QUEUE_VTD_H
#define QUEUE_VTD_H

#include <stdint.h>

enum vtd_offset {
	VTD_VER = 0x00,
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	VTD_GCMD = 0x18,
	VTD_GSTS = 0x1c,
	VTD_RTADDR = 0x20,
	VTD_CCMD = 0x28,
	VTD_FSTS = 0x34,
	VTD_FECTL = 0x38,
	VTD_FEDATA = 0x3c,
	VTD_FEADDR = 0x40,
	VTD_FEUADDR = 0x44,
	VTD_PMEN = 0x64,
	VTD_IQH = 0x80,
	VTD_IQT = 0x88,
	VTD_IQA = 0x90,
	VTD_ICS = 0x9c,
	VTD_IECTL = 0xa0,
	VTD_IEDATA = 0xa4,
	VTD_IEADDR = 0xa8,
	VTD_IEUADDR = 0xac,
	VTD_IQERCD = 0xb0,
	VTD_IRTA = 0xb8,
	VTD_PQH = 0xc0,
	VTD_PQT = 0xc8,
	VTD_PQA = 0xd0,
	VTD_PRS = 0xdc,
	VTD_PECTL = 0xe0,
	VTD_PEDATA = 0xe4,
	VTD_PEADDR = 0xe8,
	VTD_PEUADDR = 0xec,
	/* CAP.FRO and ECAP.IRO say where these are. Here: always there. */
	VTD_FRCD = 0x400,
	VTD_FRCD_BYTES = 16,
	VTD_FRCD_MAX = 16,
	VTD_IVA = 0x500,
	VTD_IOTLB = 0x508,
	VTD_REGISTERS_END = 0x510,
};

/* GCMD and GSTS: the same bits. SRTP and SIRTP are commands of one write. */
#define VTD_TE    (UINT32_C(1) << 31)
#define VTD_SRTP  (UINT32_C(1) << 30)
#define VTD_EAFL  (UINT32_C(1) << 28)
#define VTD_WBF   (UINT32_C(1) << 27)
#define VTD_QIE   (UINT32_C(1) << 26)
#define VTD_IRE   (UINT32_C(1) << 25)
#define VTD_SIRTP (UINT32_C(1) << 24)
#define VTD_CFI   (UINT32_C(1) << 23)
#define VTD_GCMD_LEVELS (VTD_TE | VTD_EAFL | VTD_QIE | VTD_IRE | VTD_CFI)

#define VTD_RTADDR_ADDR     (UINT64_MAX << 12)
#define VTD_RTADDR_TTM      (UINT64_C(3) << 10)
#define VTD_RTADDR_SCALABLE (UINT64_C(1) << 10)
#define VTD_RTADDR_ABORT    (UINT64_C(3) << 10)

#define VTD_CCMD_ICC  (UINT64_C(1) << 63)
#define VTD_IOTLB_IVT (UINT64_C(1) << 63)

#define VTD_FSTS_PFO UINT32_C(0x01)
#define VTD_FSTS_PPF UINT32_C(0x02)
#define VTD_FSTS_IQE UINT32_C(0x10)
#define VTD_FSTS_ICE UINT32_C(0x20)
#define VTD_FSTS_ITE UINT32_C(0x40)
#define VTD_FSTS_PRO UINT32_C(0x80)
#define VTD_FSTS_FRI UINT32_C(0xff00)

#define VTD_IQA_ADDR (UINT64_MAX << 12)
#define VTD_IQA_DW   (UINT64_C(1) << 11)
#define VTD_IQA_QS   UINT64_C(7)
#define VTD_IQ_INDEX UINT64_C(0x7fff0)

#define VTD_ICS_IWC UINT32_C(1)

#define VTD_PQA_ADDR (UINT64_MAX << 12)
#define VTD_PQA_PQS  UINT64_C(7)
#define VTD_PQ_INDEX UINT64_C(0x7ffe0)

#define VTD_PRS_PPR UINT32_C(1)
#define VTD_PRS_PRO UINT32_C(2)

/* FECTL, IECTL, PECTL */
#define VTD_EVENT_IM (UINT32_C(1) << 31)
#define VTD_EVENT_IP (UINT32_C(1) << 30)

/* The upper half of a fault recording register. */
#define VTD_FRCD_F       (UINT64_C(1) << 63)
#define VTD_FRCD_T1      (UINT64_C(1) << 62)
#define VTD_FRCD_PP      (UINT64_C(1) << 31)
#define VTD_FRCD_EXE     (UINT64_C(1) << 30)
#define VTD_FRCD_PRIV    (UINT64_C(1) << 29)
#define VTD_FRCD_T2      (UINT64_C(1) << 28)
#define VTD_FRCD_PASID_LSB  40
#define VTD_FRCD_REASON_LSB 32

#define VTD_CAP_MAMV(cap)  ((uint32_t)((cap) >> 48 & 0x3f))
#define VTD_CAP_FRO(cap)   ((uint32_t)((cap) >> 24 & 0x3ff) * 16)
#define VTD_CAP_NFR(cap)   ((uint32_t)((cap) >> 40 & 0xff) + 1)
#define VTD_ECAP_IRO(ecap) ((uint32_t)((ecap) >> 8 & 0x3ff) * 16)
#define VTD_ECAP_QI   (UINT64_C(1) << 1)
#define VTD_ECAP_PRS  (UINT64_C(1) << 29)
#define VTD_ECAP_PDS  (UINT64_C(1) << 42)
#define VTD_ECAP_SMTS (UINT64_C(1) << 43)

#endif
