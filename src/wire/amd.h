/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/amd.h - the layouts of an AMD IOMMU's logs and commands.
 *
 * AMD I/O Virtualization Technology (IOMMU) Specification (48882), 2.4 "Commands", 2.5
 * "Event Logging", 2.6 "Peripheral Page Request (PPR) Logging".
 */
#ifndef WIRE_AMD_H
#define WIRE_AMD_H

#include "wire/wire.h"
#include "iopf/wire.h"

enum { AMD_RECORD_BYTES = 16 }; /* of a log entry, and of a command */

/* What any of them is. A log's tail announces entries before they are written: it is 0
 * until they are. */
enum { AMD_RECORD_CODE = FIELD(0, 60, 4) };
/* The reason of a fault is word 0 of its event from this bit on: the code, and of the
 * flags those that no other member has. */
enum { AMD_REASON_LSB = 48 };

/* clang-format off */
/* The PPR log, and INVALID_PPR_REQUEST of the event log. RZ: the function's message had
 * reserved bits set. */
#define AMD_PPR(F, R)                    \
	F(AMD_PPR_RID,      0,  0, 16)   \
	F(AMD_PPR_PASID_LO, 0, 16, 16)   \
	F(AMD_PPR_PRGI,     0, 32,  9)   \
	F(AMD_PPR_LAST,     0, 41,  1)   \
	F(AMD_PPR_PASID_HI, 0, 42,  4)   \
	R(AMD_PPR_RSVD0,    0, 46,  3)   \
	F(AMD_PPR_EXEC,     0, 49,  1)   \
	F(AMD_PPR_R,        0, 50,  1)   \
	R(AMD_PPR_RSVD1,    0, 51,  2)   \
	F(AMD_PPR_W,        0, 53,  1)   \
	F(AMD_PPR_US,       0, 54,  1)   \
	F(AMD_PPR_RZ,       0, 55,  1)   \
	F(AMD_PPR_GN,       0, 56,  1)   \
	R(AMD_PPR_RSVD2,    0, 57,  3)   \
	F(AMD_PPR_CODE,     0, 60,  4)   \
	R(AMD_PPR_RSVD3,    1,  0, 12)   \
	F(AMD_PPR_ADDR,     1, 12, 52)
/* Of accesses and of the tables that they met. Without GN PASID_LO is the domain. */
#define AMD_EVT(F, R)                    \
	F(AMD_EVT_RID,      0,  0, 16)   \
	F(AMD_EVT_PASID_HI, 0, 16,  4)   \
	R(AMD_EVT_RSVD0,    0, 20, 12)   \
	F(AMD_EVT_PASID_LO, 0, 32, 16)   \
	F(AMD_EVT_GN,       0, 48,  1)   \
	F(AMD_EVT_NX,       0, 49,  1)   \
	F(AMD_EVT_US,       0, 50,  1)   \
	F(AMD_EVT_I,        0, 51,  1)   \
	F(AMD_EVT_PR,       0, 52,  1)   \
	F(AMD_EVT_RW,       0, 53,  1)   \
	F(AMD_EVT_PE,       0, 54,  1)   \
	F(AMD_EVT_RZ,       0, 55,  1)   \
	F(AMD_EVT_TR,       0, 56,  1)   \
	F(AMD_EVT_TYPE,     0, 57,  3)   \
	F(AMD_EVT_CODE,     0, 60,  4)   \
	F(AMD_EVT_ADDR,     1,  0, 64)
/* Of commands: where the command lies, or what it named. */
#define AMD_EVC(F, R)                    \
	F(AMD_EVC_RID,      0,  0, 16)   \
	R(AMD_EVC_RSVD0,    0, 16, 41)   \
	F(AMD_EVC_TYPE,     0, 57,  2)   \
	R(AMD_EVC_RSVD1,    0, 59,  1)   \
	F(AMD_EVC_CODE,     0, 60,  4)   \
	F(AMD_EVC_ADDR,     1,  0, 64)
/* INVALIDATE_DEVTAB_ENTRY, INVALIDATE_INTERRUPT_TABLE, and INVALIDATE_IOMMU_ALL, which
 * names nobody. */
#define AMD_DEV(F, R)                     \
	F(AMD_DEV_RID,       0,  0, 16)   \
	R(AMD_DEV_RSVD0,     0, 16, 44)   \
	F(AMD_DEV_OP,        0, 60,  4)   \
	R(AMD_DEV_RSVD1,     1,  0, 64)
#define AMD_WAIT(F, R)                    \
	F(AMD_WAIT_S,        0,  0,  1)   \
	F(AMD_WAIT_I,        0,  1,  1)   \
	F(AMD_WAIT_F,        0,  2,  1)   \
	F(AMD_WAIT_ADDR,     0,  3, 49)   \
	R(AMD_WAIT_RSVD0,    0, 52,  8)   \
	F(AMD_WAIT_OP,       0, 60,  4)   \
	F(AMD_WAIT_DATA,     1,  0, 64)
#define AMD_PAGES(F, R)                   \
	F(AMD_PAGES_PASID,   0,  0, 20)   \
	R(AMD_PAGES_RSVD0,   0, 20, 12)   \
	F(AMD_PAGES_DOMAIN,  0, 32, 16)   \
	R(AMD_PAGES_RSVD1,   0, 48, 12)   \
	F(AMD_PAGES_OP,      0, 60,  4)   \
	F(AMD_PAGES_S,       1,  0,  1)   \
	F(AMD_PAGES_PDE,     1,  1,  1)   \
	F(AMD_PAGES_GN,      1,  2,  1)   \
	R(AMD_PAGES_RSVD2,   1,  3,  9)   \
	F(AMD_PAGES_ADDR,    1, 12, 52)
/* RSVD1 begins with what says what else is flushed where the IOMMU has InvIotlbTypeSup. */
#define AMD_IOTLB(F, R)                   \
	F(AMD_IOTLB_RID,     0,  0, 16)   \
	F(AMD_IOTLB_PASID1,  0, 16,  8)   \
	F(AMD_IOTLB_MAXPEND, 0, 24,  8)   \
	F(AMD_IOTLB_QUEUE,   0, 32, 16)   \
	F(AMD_IOTLB_PASID0,  0, 48,  8)   \
	F(AMD_IOTLB_PASID2,  0, 56,  4)   \
	F(AMD_IOTLB_OP,      0, 60,  4)   \
	F(AMD_IOTLB_S,       1,  0,  1)   \
	R(AMD_IOTLB_RSVD0,   1,  1,  1)   \
	F(AMD_IOTLB_GN,      1,  2,  1)   \
	R(AMD_IOTLB_RSVD1,   1,  3,  9)   \
	F(AMD_IOTLB_ADDR,    1, 12, 52)
#define AMD_DONE(F, R)                    \
	F(AMD_DONE_RID,      0,  0, 16)   \
	R(AMD_DONE_RSVD0,    0, 16, 16)   \
	F(AMD_DONE_PASID,    0, 32, 20)   \
	R(AMD_DONE_RSVD1,    0, 52,  8)   \
	F(AMD_DONE_OP,       0, 60,  4)   \
	R(AMD_DONE_RSVD2,    1,  0,  2)   \
	F(AMD_DONE_GN,       1,  2,  1)   \
	R(AMD_DONE_RSVD3,    1,  3, 29)   \
	F(AMD_DONE_PRGI,     1, 32,  9)   \
	R(AMD_DONE_RSVD4,    1, 41,  3)   \
	F(AMD_DONE_CODE,     1, 44,  4)   \
	R(AMD_DONE_RSVD5,    1, 48, 16)
/* clang-format on */
RECORD_FIELDS2(amd_ppr_field, AMD_PPR);
RECORD_FIELDS2(amd_evt_field, AMD_EVT);
RECORD_FIELDS2(amd_evc_field, AMD_EVC);
RECORD_FIELDS2(amd_dev_field, AMD_DEV);
RECORD_FIELDS2(amd_wait_field, AMD_WAIT);
RECORD_FIELDS2(amd_pages_field, AMD_PAGES);
RECORD_FIELDS2(amd_iotlb_field, AMD_IOTLB);
RECORD_FIELDS2(amd_done_field, AMD_DONE);

/* One name reads them all. */
#define AMD_SAME(a, b) ((int)(a) == (int)(b))
static_assert(AMD_SAME(AMD_PPR_CODE, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_EVT_CODE, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_EVC_CODE, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_DEV_OP, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_WAIT_OP, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_PAGES_OP, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_IOTLB_OP, AMD_RECORD_CODE) &&
		      AMD_SAME(AMD_DONE_OP, AMD_RECORD_CODE),
	      "codes");
static_assert(AMD_SAME(AMD_EVT_RID, AMD_EVC_RID) && AMD_SAME(AMD_EVT_RID, AMD_PPR_RID) &&
		      AMD_SAME(AMD_EVT_ADDR, AMD_EVC_ADDR),
	      "events");
static_assert(AMD_SAME(AMD_PAGES_S, AMD_IOTLB_S) &&
		      AMD_SAME(AMD_PAGES_GN, AMD_IOTLB_GN) &&
		      AMD_SAME(AMD_PAGES_ADDR, AMD_IOTLB_ADDR),
	      "ranges");

enum { AMD_PAGE_REQUEST = 1 }; /* the code of all in the PPR log */

/* 2.4: those of an IOMMU without PREFETCH and without guest events. */
enum amd_opcode {
	AMD_OP_WAIT = 1,
	AMD_OP_DEVICE = 2,
	AMD_OP_PAGES = 3,
	AMD_OP_IOTLB = 4,
	AMD_OP_INTERRUPT = 5,
	AMD_OP_COMPLETE_PPR = 7,
	AMD_OP_ALL = 8,
};

extern const struct iopf_layout amd_request_layout;
extern const struct iopf_layout amd_event_layout;
extern const struct iopf_layout amd_event_command_layout;
extern const struct iopf_layout amd_event_request_layout;
extern const struct iopf_layout amd_wait_layout;
extern const struct iopf_layout amd_device_layout;
extern const struct iopf_layout amd_pages_layout;
extern const struct iopf_layout amd_iotlb_layout;
extern const struct iopf_layout amd_complete_ppr_layout;

#endif
