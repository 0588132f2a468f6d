/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/iommufd.c - Linux's iommufd: faults and their responses, and the arguments of the
 * ioctls around them, to the depth that paging needs.
 *
 * Source of the layouts: Linux 6.12 and 7.3, include/uapi/linux/iommufd.h; faults and
 * responses as well from drivers/iommu/iommufd/ (fault.c, eventq.c). An argument begins
 * with its own size, and newer kernels take longer ones.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/iommufd.h"
#include "wire/record.h"

#include "iopf/wire.h"

/* clang-format off */

/* struct iommu_hwpt_pgfault */
#define IOMMUFD_FAULT(F, R)                                \
	F(IOMMUFD_FAULT_PASID_VALID,    0,  0,  1)         \
	F(IOMMUFD_FAULT_LAST_PAGE,      0,  1,  1)         \
	R(IOMMUFD_FAULT_FLAGS_RSVD,     0,  2, 30)         \
	F(IOMMUFD_FAULT_DEV_ID,         0, 32, 32)         \
	F(IOMMUFD_FAULT_PASID,          1,  0, 32)         \
	F(IOMMUFD_FAULT_GRPID,          1, 32, 32)         \
	F(IOMMUFD_FAULT_READ,           2,  0,  1)         \
	F(IOMMUFD_FAULT_WRITE,          2,  1,  1)         \
	F(IOMMUFD_FAULT_EXEC,           2,  2,  1)         \
	F(IOMMUFD_FAULT_PRIV,           2,  3,  1)         \
	R(IOMMUFD_FAULT_PERM_RSVD,      2,  4, 28)         \
	R(IOMMUFD_FAULT_RSVD,           2, 32, 32)         \
	F(IOMMUFD_FAULT_ADDR,           3,  0, 64)         \
	F(IOMMUFD_FAULT_LENGTH,         4,  0, 32)         \
	F(IOMMUFD_FAULT_COOKIE,         4, 32, 32)

/* struct iommu_hwpt_page_response */
#define IOMMUFD_RESPONSE(F, R)                             \
	F(IOMMUFD_RESPONSE_COOKIE,      0,  0, 32)         \
	F(IOMMUFD_RESPONSE_CODE,        0, 32, 32)

/* struct iommufd_vevent_header: in front of each event, or alone where some were lost */
#define IOMMUFD_EVENT(F, R)                                \
	F(IOMMUFD_EVENT_LOST_EVENTS,    0,  0,  1)         \
	R(IOMMUFD_EVENT_FLAGS_RSVD,     0,  1, 31)         \
	F(IOMMUFD_EVENT_SEQUENCE,       0, 32, 31)         \
	R(IOMMUFD_EVENT_SEQUENCE_RSVD,  0, 63,  1)

/* IOMMU_DESTROY, struct iommu_destroy */
#define IOMMUFD_DESTROY(F, R)                              \
	F(IOMMUFD_DESTROY_SIZE,         0,  0, 32)         \
	F(IOMMUFD_DESTROY_ID,           0, 32, 32)

/* IOMMU_FAULT_QUEUE_ALLOC, struct iommu_fault_alloc */
#define IOMMUFD_FAULTQ(F, R)                               \
	F(IOMMUFD_FAULTQ_SIZE,          0,  0, 32)         \
	R(IOMMUFD_FAULTQ_FLAGS_RSVD,    0, 32, 32)         \
	F(IOMMUFD_FAULTQ_OUT_FAULT_ID,  1,  0, 32)         \
	F(IOMMUFD_FAULTQ_OUT_FAULT_FD,  1, 32, 32)

/* IOMMU_HWPT_ALLOC, struct iommu_hwpt_alloc */
#define IOMMUFD_HWPT(F, R)                                 \
	F(IOMMUFD_HWPT_SIZE,            0,  0, 32)         \
	F(IOMMUFD_HWPT_NEST_PARENT,     0, 32,  1)         \
	F(IOMMUFD_HWPT_DIRTY_TRACKING,  0, 33,  1)         \
	F(IOMMUFD_HWPT_FAULT_ID_VALID,  0, 34,  1)         \
	F(IOMMUFD_HWPT_ALLOC_PASID,     0, 35,  1)         \
	R(IOMMUFD_HWPT_FLAGS_RSVD,      0, 36, 28)         \
	F(IOMMUFD_HWPT_DEV_ID,          1,  0, 32)         \
	F(IOMMUFD_HWPT_PT_ID,           1, 32, 32)         \
	F(IOMMUFD_HWPT_OUT_HWPT_ID,     2,  0, 32)         \
	R(IOMMUFD_HWPT_RSVD0,           2, 32, 32)         \
	F(IOMMUFD_HWPT_DATA_TYPE,       3,  0, 32)         \
	F(IOMMUFD_HWPT_DATA_LEN,        3, 32, 32)         \
	F(IOMMUFD_HWPT_DATA_UPTR,       4,  0, 64)         \
	F(IOMMUFD_HWPT_FAULT_ID,        5,  0, 32)         \
	R(IOMMUFD_HWPT_RSVD1,           5, 32, 32)

/* data of type 1: struct iommu_hwpt_vtd_s1 */
#define IOMMUFD_VTD_S1(F, R)                               \
	F(IOMMUFD_VTD_S1_SRE,           0,  0,  1)         \
	F(IOMMUFD_VTD_S1_EAFE,          0,  1,  1)         \
	F(IOMMUFD_VTD_S1_WPE,           0,  2,  1)         \
	R(IOMMUFD_VTD_S1_FLAGS_RSVD0,   0,  3, 29)         \
	R(IOMMUFD_VTD_S1_FLAGS_RSVD1,   0, 32, 32)         \
	F(IOMMUFD_VTD_S1_PGTBL_ADDR,    1,  0, 64)         \
	F(IOMMUFD_VTD_S1_ADDR_WIDTH,    2,  0, 32)         \
	R(IOMMUFD_VTD_S1_RSVD,          2, 32, 32)

/* data of type 2: struct iommu_hwpt_arm_smmuv3, words 0 and 1 of a stream table entry */
#define IOMMUFD_SMMUV3(F, R)                               \
	F(IOMMUFD_SMMUV3_STE0,          0,  0, 64)         \
	F(IOMMUFD_SMMUV3_STE1,          1,  0, 64)

/* IOMMU_HWPT_INVALIDATE, struct iommu_hwpt_invalidate: hwpt_id may be a vIOMMU's */
#define IOMMUFD_INV(F, R)                                  \
	F(IOMMUFD_INV_SIZE,             0,  0, 32)         \
	F(IOMMUFD_INV_HWPT_ID,          0, 32, 32)         \
	F(IOMMUFD_INV_DATA_UPTR,        1,  0, 64)         \
	F(IOMMUFD_INV_DATA_TYPE,        2,  0, 32)         \
	F(IOMMUFD_INV_ENTRY_LEN,        2, 32, 32)         \
	F(IOMMUFD_INV_ENTRY_NUM,        3,  0, 32)         \
	R(IOMMUFD_INV_RSVD,             3, 32, 32)

/* entries of type 0: struct iommu_hwpt_vtd_s1_invalidate; npages of all ones: everything */
#define IOMMUFD_VTD_INV(F, R)                              \
	F(IOMMUFD_VTD_INV_ADDR,         0,  0, 64)         \
	F(IOMMUFD_VTD_INV_NPAGES,       1,  0, 64)         \
	F(IOMMUFD_VTD_INV_LEAF,         2,  0,  1)         \
	R(IOMMUFD_VTD_INV_FLAGS_RSVD,   2,  1, 31)         \
	R(IOMMUFD_VTD_INV_RSVD,         2, 32, 32)

/* entries of type 1, of a vIOMMU: struct iommu_viommu_arm_smmuv3_invalidate, a command of
 * the guest's as it stands in its queue */
#define IOMMUFD_SMMUV3_INV(F, R)                           \
	F(IOMMUFD_SMMUV3_INV_CMD0,      0,  0, 64)         \
	F(IOMMUFD_SMMUV3_INV_CMD1,      1,  0, 64)

/* IOMMU_VIOMMU_ALLOC, struct iommu_viommu_alloc; the data is newer */
#define IOMMUFD_VIOMMU(F, R)                               \
	F(IOMMUFD_VIOMMU_SIZE,          0,  0, 32)         \
	R(IOMMUFD_VIOMMU_FLAGS_RSVD,    0, 32, 32)         \
	F(IOMMUFD_VIOMMU_TYPE,          1,  0, 32)         \
	F(IOMMUFD_VIOMMU_DEV_ID,        1, 32, 32)         \
	F(IOMMUFD_VIOMMU_HWPT_ID,       2,  0, 32)         \
	F(IOMMUFD_VIOMMU_OUT_VIOMMU_ID, 2, 32, 32)         \
	F(IOMMUFD_VIOMMU_DATA_LEN,      3,  0, 32)         \
	R(IOMMUFD_VIOMMU_RSVD,          3, 32, 32)         \
	F(IOMMUFD_VIOMMU_DATA_UPTR,     4,  0, 64)

/* IOMMU_VDEVICE_ALLOC, struct iommu_vdevice_alloc: what a guest calls a device */
#define IOMMUFD_VDEVICE(F, R)                              \
	F(IOMMUFD_VDEVICE_SIZE,         0,  0, 32)         \
	F(IOMMUFD_VDEVICE_VIOMMU_ID,    0, 32, 32)         \
	F(IOMMUFD_VDEVICE_DEV_ID,       1,  0, 32)         \
	F(IOMMUFD_VDEVICE_OUT_VDEVICE_ID, 1, 32, 32)       \
	F(IOMMUFD_VDEVICE_VIRT_ID,      2,  0, 64)

/* IOMMU_VEVENTQ_ALLOC, struct iommu_veventq_alloc */
#define IOMMUFD_VEVENTQ(F, R)                              \
	F(IOMMUFD_VEVENTQ_SIZE,         0,  0, 32)         \
	R(IOMMUFD_VEVENTQ_FLAGS_RSVD,   0, 32, 32)         \
	F(IOMMUFD_VEVENTQ_VIOMMU_ID,    1,  0, 32)         \
	F(IOMMUFD_VEVENTQ_TYPE,         1, 32, 32)         \
	F(IOMMUFD_VEVENTQ_DEPTH,        2,  0, 32)         \
	F(IOMMUFD_VEVENTQ_OUT_VEVENTQ_ID, 2, 32, 32)       \
	F(IOMMUFD_VEVENTQ_OUT_VEVENTQ_FD, 3,  0, 32)       \
	R(IOMMUFD_VEVENTQ_RSVD,         3, 32, 32)

/* What there is: X(list, words). */
#define IOMMUFD_RECORDS(X)       \
	X(IOMMUFD_FAULT, 5) \
	X(IOMMUFD_RESPONSE, 1) \
	X(IOMMUFD_EVENT, 1) \
	X(IOMMUFD_DESTROY, 1) \
	X(IOMMUFD_FAULTQ, 2) \
	X(IOMMUFD_HWPT, 6) \
	X(IOMMUFD_VTD_S1, 3) \
	X(IOMMUFD_SMMUV3, 2) \
	X(IOMMUFD_INV, 4) \
	X(IOMMUFD_VTD_INV, 3) \
	X(IOMMUFD_SMMUV3_INV, 2) \
	X(IOMMUFD_VIOMMU, 5) \
	X(IOMMUFD_VDEVICE, 3) \
	X(IOMMUFD_VEVENTQ, 4)
#define IOMMUFD_ENUM(LIST, words)  LIST(FIELD_ENUM, FIELD_ENUM)
#define IOMMUFD_PROOF(LIST, words) RECORD_COMPLETE(LIST, words);
/* clang-format on */

enum iommufd_field { IOMMUFD_RECORDS(IOMMUFD_ENUM) };
IOMMUFD_RECORDS(IOMMUFD_PROOF)

static const struct record_word fault_words[] = {
	RECORD_TEXT(IOMMUFD_FAULT_PASID_VALID, "the PASID counts"),
	RECORD_TEXT(IOMMUFD_FAULT_LAST_PAGE, "last of its group"),
	RECORD_TEXT(IOMMUFD_FAULT_DEV_ID, "the device, as it was numbered when it was bound"),
	RECORD_TEXT(IOMMUFD_FAULT_GRPID, "PRG index or stall tag, as the device said it"),
	RECORD_TEXT(IOMMUFD_FAULT_READ, "wants to read"),
	RECORD_TEXT(IOMMUFD_FAULT_WRITE, "wants to write"),
	RECORD_TEXT(IOMMUFD_FAULT_EXEC, "wants to execute"),
	RECORD_TEXT(IOMMUFD_FAULT_ADDR, "address in bytes"),
	RECORD_TEXT(IOMMUFD_FAULT_LENGTH, "a hint in bytes, 0: none"),
	RECORD_TEXT(IOMMUFD_FAULT_COOKIE, "the kernel's number of the group"),
	RECORD_END,
};
static const struct record_rule fault_rules[] = {
	RECORD_WITH(IOMMUFD_FAULT_PASID, IOMMUFD_FAULT_PASID_VALID),
	RECORD_MOST(IOMMUFD_FAULT_PASID, IOPF_PASID_MAX),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_fault_layout =
	RECORD_LAYOUT("iommufd_fault", IOMMUFD_FAULT, 40, fault_words, fault_rules);

static const struct record_word response_words[] = {
	RECORD_TEXT(IOMMUFD_RESPONSE_COOKIE, "the group's number"),
	RECORD_WORD(IOMMUFD_RESPONSE_CODE, IOPF_IOMMUFD_SUCCESS, "success"),
	RECORD_WORD(IOMMUFD_RESPONSE_CODE, IOPF_IOMMUFD_INVALID, "invalid"),
	RECORD_END,
};
static const struct record_rule response_rules[] = {
	RECORD_CODE(IOMMUFD_RESPONSE_CODE),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_response_layout =
	RECORD_LAYOUT("iommufd_response", IOMMUFD_RESPONSE, 8, response_words, response_rules);

static const struct record_word event_words[] = {
	RECORD_TEXT(IOMMUFD_EVENT_LOST_EVENTS, "events were lost, and none follows"),
	RECORD_TEXT(IOMMUFD_EVENT_SEQUENCE, "counts events, the lost ones too"),
	RECORD_END,
};
const struct iopf_layout iommufd_event_layout =
	RECORD_LAYOUT("iommufd_event", IOMMUFD_EVENT, 8, event_words, NULL);

static const struct record_word destroy_words[] = {
	RECORD_TEXT(IOMMUFD_DESTROY_SIZE, "8"),
	RECORD_TEXT(IOMMUFD_DESTROY_ID, "of any object"),
	RECORD_END,
};
const struct iopf_layout iommufd_destroy_layout =
	RECORD_LAYOUT("iommufd_destroy", IOMMUFD_DESTROY, 8, destroy_words, NULL);

static const struct record_word faultq_words[] = {
	RECORD_TEXT(IOMMUFD_FAULTQ_SIZE, "16"),
	RECORD_TEXT(IOMMUFD_FAULTQ_OUT_FAULT_ID, "number of the fault object"),
	RECORD_TEXT(IOMMUFD_FAULTQ_OUT_FAULT_FD, "its descriptor"),
	RECORD_END,
};
const struct iopf_layout iommufd_fault_queue_alloc_layout =
	RECORD_LAYOUT("iommufd_fault_queue_alloc", IOMMUFD_FAULTQ, 16, faultq_words, NULL);

static const struct record_word hwpt_words[] = {
	RECORD_TEXT(IOMMUFD_HWPT_SIZE, "48"),
	RECORD_TEXT(IOMMUFD_HWPT_NEST_PARENT, "a second stage that others nest over"),
	RECORD_TEXT(IOMMUFD_HWPT_DIRTY_TRACKING, "dirty bits are kept"),
	RECORD_TEXT(IOMMUFD_HWPT_FAULT_ID_VALID, "faults go to FAULT_ID"),
	RECORD_TEXT(IOMMUFD_HWPT_ALLOC_PASID, "may be attached to PASIDs"),
	RECORD_TEXT(IOMMUFD_HWPT_DEV_ID, "the device that it is made for"),
	RECORD_TEXT(IOMMUFD_HWPT_PT_ID, "address space, parent, or vIOMMU"),
	RECORD_TEXT(IOMMUFD_HWPT_OUT_HWPT_ID, "number of the page table"),
	RECORD_TEXT(IOMMUFD_HWPT_DATA_TYPE, "what the data is"),
	RECORD_WORD(IOMMUFD_HWPT_DATA_TYPE, 0, "none"),
	RECORD_WORD(IOMMUFD_HWPT_DATA_TYPE, 1, "vtd_s1"),
	RECORD_WORD(IOMMUFD_HWPT_DATA_TYPE, 2, "smmuv3"),
	RECORD_TEXT(IOMMUFD_HWPT_DATA_LEN, "bytes at DATA_UPTR"),
	RECORD_TEXT(IOMMUFD_HWPT_DATA_UPTR, "address of the data"),
	RECORD_TEXT(IOMMUFD_HWPT_FAULT_ID, "fault object"),
	RECORD_END,
};
static const struct record_rule hwpt_rules[] = {
	RECORD_NAMED(IOMMUFD_HWPT_DATA_TYPE),
	RECORD_WITH(IOMMUFD_HWPT_FAULT_ID, IOMMUFD_HWPT_FAULT_ID_VALID),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_hwpt_alloc_layout =
	RECORD_LAYOUT("iommufd_hwpt_alloc", IOMMUFD_HWPT, 48, hwpt_words, hwpt_rules);

static const struct record_word vtd_s1_words[] = {
	RECORD_TEXT(IOMMUFD_VTD_S1_SRE, "supervisor requests"),
	RECORD_TEXT(IOMMUFD_VTD_S1_EAFE, "extended access flag"),
	RECORD_TEXT(IOMMUFD_VTD_S1_WPE, "write protection holds for supervisors"),
	RECORD_TEXT(IOMMUFD_VTD_S1_PGTBL_ADDR, "root of the first level, a guest address"),
	RECORD_TEXT(IOMMUFD_VTD_S1_ADDR_WIDTH, "48 or 57"),
	RECORD_END,
};
const struct iopf_layout iommufd_hwpt_vtd_s1_layout =
	RECORD_LAYOUT("iommufd_hwpt_vtd_s1", IOMMUFD_VTD_S1, 24, vtd_s1_words, NULL);

static const struct record_word smmuv3_words[] = {
	RECORD_TEXT(IOMMUFD_SMMUV3_STE0, "word 0 of the stream table entry"),
	RECORD_TEXT(IOMMUFD_SMMUV3_STE1, "word 1"),
	RECORD_END,
};
const struct iopf_layout iommufd_hwpt_smmuv3_layout =
	RECORD_LAYOUT("iommufd_hwpt_smmuv3", IOMMUFD_SMMUV3, 16, smmuv3_words, NULL);

static const struct record_word inv_words[] = {
	RECORD_TEXT(IOMMUFD_INV_SIZE, "32"),
	RECORD_TEXT(IOMMUFD_INV_HWPT_ID, "page table, or vIOMMU"),
	RECORD_TEXT(IOMMUFD_INV_DATA_UPTR, "address of the entries"),
	RECORD_TEXT(IOMMUFD_INV_DATA_TYPE, "what the entries are"),
	RECORD_WORD(IOMMUFD_INV_DATA_TYPE, 0, "vtd_s1"),
	RECORD_WORD(IOMMUFD_INV_DATA_TYPE, 1, "smmuv3"),
	RECORD_TEXT(IOMMUFD_INV_ENTRY_LEN, "bytes of an entry"),
	RECORD_TEXT(IOMMUFD_INV_ENTRY_NUM, "entries; when it is over, those that were done"),
	RECORD_END,
};
static const struct record_rule inv_rules[] = {
	RECORD_NAMED(IOMMUFD_INV_DATA_TYPE),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_hwpt_invalidate_layout =
	RECORD_LAYOUT("iommufd_hwpt_invalidate", IOMMUFD_INV, 32, inv_words, inv_rules);

static const struct record_word vtd_inv_words[] = {
	RECORD_TEXT(IOMMUFD_VTD_INV_ADDR, "first byte"),
	RECORD_TEXT(IOMMUFD_VTD_INV_NPAGES, "pages; all ones from address 0: everything"),
	RECORD_END,
};
const struct iopf_layout iommufd_vtd_s1_invalidate_layout =
	RECORD_LAYOUT("iommufd_vtd_s1_invalidate", IOMMUFD_VTD_INV, 24, vtd_inv_words, NULL);

static const struct record_word smmuv3_inv_words[] = {
	RECORD_TEXT(IOMMUFD_SMMUV3_INV_CMD0, "word 0 of the guest's command"),
	RECORD_TEXT(IOMMUFD_SMMUV3_INV_CMD1, "word 1"),
	RECORD_END,
};
const struct iopf_layout iommufd_smmuv3_invalidate_layout =
	RECORD_LAYOUT("iommufd_smmuv3_invalidate", IOMMUFD_SMMUV3_INV, 16, smmuv3_inv_words, NULL);

static const struct record_word viommu_words[] = {
	RECORD_TEXT(IOMMUFD_VIOMMU_SIZE, "40; older kernels know 24 bytes"),
	RECORD_WORD(IOMMUFD_VIOMMU_TYPE, 0, "default"),
	RECORD_WORD(IOMMUFD_VIOMMU_TYPE, 1, "smmuv3"),
	RECORD_TEXT(IOMMUFD_VIOMMU_DEV_ID, "a device behind the physical IOMMU"),
	RECORD_TEXT(IOMMUFD_VIOMMU_HWPT_ID, "the second stage"),
	RECORD_TEXT(IOMMUFD_VIOMMU_OUT_VIOMMU_ID, "number of the vIOMMU"),
	RECORD_TEXT(IOMMUFD_VIOMMU_DATA_LEN, "bytes at DATA_UPTR"),
	RECORD_TEXT(IOMMUFD_VIOMMU_DATA_UPTR, "address of data of its type"),
	RECORD_END,
};
static const struct record_rule viommu_rules[] = {
	RECORD_NAMED(IOMMUFD_VIOMMU_TYPE),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_viommu_alloc_layout =
	RECORD_LAYOUT("iommufd_viommu_alloc", IOMMUFD_VIOMMU, 40, viommu_words, viommu_rules);

static const struct record_word vdevice_words[] = {
	RECORD_TEXT(IOMMUFD_VDEVICE_SIZE, "24"),
	RECORD_TEXT(IOMMUFD_VDEVICE_VIOMMU_ID, "vIOMMU"),
	RECORD_TEXT(IOMMUFD_VDEVICE_DEV_ID, "device"),
	RECORD_TEXT(IOMMUFD_VDEVICE_OUT_VDEVICE_ID, "number of the pair"),
	RECORD_TEXT(IOMMUFD_VDEVICE_VIRT_ID, "what the guest calls it"),
	RECORD_END,
};
const struct iopf_layout iommufd_vdevice_alloc_layout =
	RECORD_LAYOUT("iommufd_vdevice_alloc", IOMMUFD_VDEVICE, 24, vdevice_words, NULL);

static const struct record_word veventq_words[] = {
	RECORD_TEXT(IOMMUFD_VEVENTQ_SIZE, "32"),
	RECORD_TEXT(IOMMUFD_VEVENTQ_VIOMMU_ID, "vIOMMU"),
	RECORD_WORD(IOMMUFD_VEVENTQ_TYPE, 1, "smmuv3"),
	RECORD_TEXT(IOMMUFD_VEVENTQ_DEPTH, "events that are kept, not 0"),
	RECORD_TEXT(IOMMUFD_VEVENTQ_OUT_VEVENTQ_ID, "number of the queue"),
	RECORD_TEXT(IOMMUFD_VEVENTQ_OUT_VEVENTQ_FD, "its descriptor"),
	RECORD_END,
};
static const struct record_rule veventq_rules[] = {
	RECORD_NAMED(IOMMUFD_VEVENTQ_TYPE),
	RECORD_RULES_END,
};
const struct iopf_layout iommufd_veventq_alloc_layout =
	RECORD_LAYOUT("iommufd_veventq_alloc", IOMMUFD_VEVENTQ, 32, veventq_words, veventq_rules);

/* The same, as the header says it. */
#define BYTE_OF(field) ((int)(FIELD_WORD(field) * 8 + FIELD_LSB(field) / 8))
static_assert(BYTE_OF(IOMMUFD_FAULT_PASID_VALID) == IOPF_IOMMUFD_FAULT_FLAGS &&
		      BYTE_OF(IOMMUFD_FAULT_DEV_ID) == IOPF_IOMMUFD_FAULT_DEVICE &&
		      BYTE_OF(IOMMUFD_FAULT_PASID) == IOPF_IOMMUFD_FAULT_PASID &&
		      BYTE_OF(IOMMUFD_FAULT_GRPID) == IOPF_IOMMUFD_FAULT_GROUP &&
		      BYTE_OF(IOMMUFD_FAULT_READ) == IOPF_IOMMUFD_FAULT_PERM &&
		      BYTE_OF(IOMMUFD_FAULT_ADDR) == IOPF_IOMMUFD_FAULT_ADDR &&
		      BYTE_OF(IOMMUFD_FAULT_LENGTH) == IOPF_IOMMUFD_FAULT_LENGTH &&
		      BYTE_OF(IOMMUFD_FAULT_COOKIE) == IOPF_IOMMUFD_FAULT_COOKIE &&
		      BYTE_OF(IOMMUFD_RESPONSE_COOKIE) == IOPF_IOMMUFD_ANSWER_COOKIE &&
		      BYTE_OF(IOMMUFD_RESPONSE_CODE) == IOPF_IOMMUFD_ANSWER_CODE,
	      "one place each");

/* ---- The machine's byte order ----------------------------------------------------------- */

static bool is_word(uint32_t field)
{
	return FIELD_LSB(field) + FIELD_WIDTH(field) > 32 && FIELD_LSB(field) < 32;
}

static uint32_t half_at(const uint8_t *record, uint32_t field)
{
	uint32_t half;

	memcpy(&half, record + 8 * FIELD_WORD(field) + FIELD_LSB(field) / 32 * 4,
	       sizeof(half));
	return half;
}

uint64_t iommufd_get(const uint8_t *record, uint32_t field)
{
	uint64_t word;

	if (!is_word(field))
		return half_at(record, field) >> FIELD_LSB(field) % 32 &
		       UINT64_MAX >> (64 - FIELD_WIDTH(field));
	memcpy(&word, record + 8 * FIELD_WORD(field), sizeof(word));
	return field_of(word, field);
}

void iommufd_put(uint8_t *record, uint32_t field, uint64_t value)
{
	uint8_t *at = record + 8 * FIELD_WORD(field);
	uint32_t half, mask;

	assert(field_fits(field, value));
	if (is_word(field)) {
		memcpy(at, &value, sizeof(value));
		return;
	}
	mask = (uint32_t)(FIELD_MASK(field) >> FIELD_LSB(field) / 32 * 32);
	half = (half_at(record, field) & ~mask) |
	       (uint32_t)(value << FIELD_LSB(field) % 32);
	memcpy(at + FIELD_LSB(field) / 32 * 4, &half, sizeof(half));
}

/* ---- Faults ------------------------------------------------------------------------------ */

void iopf_iommufd_decode_fault(const uint8_t *record, struct iopf_iommufd_fault *fault,
			       bool *reserved)
{
	uint64_t perm = iommufd_get(record, IOMMUFD_FAULT_READ) * IOPF_READ |
			iommufd_get(record, IOMMUFD_FAULT_WRITE) * IOPF_WRITE |
			iommufd_get(record, IOMMUFD_FAULT_EXEC) * IOPF_EXEC |
			iommufd_get(record, IOMMUFD_FAULT_PRIV) * IOPF_PRIV;

	*fault = (struct iopf_iommufd_fault){
		.addr = iommufd_get(record, IOMMUFD_FAULT_ADDR),
		.device = (uint32_t)iommufd_get(record, IOMMUFD_FAULT_DEV_ID),
		.pasid = (uint32_t)iommufd_get(record, IOMMUFD_FAULT_PASID),
		.group = (uint32_t)iommufd_get(record, IOMMUFD_FAULT_GRPID),
		.length = (uint32_t)iommufd_get(record, IOMMUFD_FAULT_LENGTH),
		.cookie = (uint32_t)iommufd_get(record, IOMMUFD_FAULT_COOKIE),
		.perm = (uint8_t)perm,
		.pasid_valid = iommufd_get(record, IOMMUFD_FAULT_PASID_VALID),
		.last = iommufd_get(record, IOMMUFD_FAULT_LAST_PAGE),
	};
	*reserved = iommufd_get(record, IOMMUFD_FAULT_FLAGS_RSVD) != 0 ||
		    iommufd_get(record, IOMMUFD_FAULT_PERM_RSVD) != 0 ||
		    iommufd_get(record, IOMMUFD_FAULT_RSVD) != 0;
}

int iopf_iommufd_encode_fault(const struct iopf_iommufd_fault *fault, uint8_t *record)
{
	if (fault->perm & ~(IOPF_READ | IOPF_WRITE | IOPF_EXEC | IOPF_PRIV))
		return -ERANGE;
	memset(record, 0, IOPF_IOMMUFD_FAULT_BYTES);
	iommufd_put(record, IOMMUFD_FAULT_PASID_VALID, fault->pasid_valid);
	iommufd_put(record, IOMMUFD_FAULT_LAST_PAGE, fault->last);
	iommufd_put(record, IOMMUFD_FAULT_DEV_ID, fault->device);
	iommufd_put(record, IOMMUFD_FAULT_PASID, fault->pasid);
	iommufd_put(record, IOMMUFD_FAULT_GRPID, fault->group);
	iommufd_put(record, IOMMUFD_FAULT_READ, (fault->perm & IOPF_READ) != 0);
	iommufd_put(record, IOMMUFD_FAULT_WRITE, (fault->perm & IOPF_WRITE) != 0);
	iommufd_put(record, IOMMUFD_FAULT_EXEC, (fault->perm & IOPF_EXEC) != 0);
	iommufd_put(record, IOMMUFD_FAULT_PRIV, (fault->perm & IOPF_PRIV) != 0);
	iommufd_put(record, IOMMUFD_FAULT_ADDR, fault->addr);
	iommufd_put(record, IOMMUFD_FAULT_LENGTH, fault->length);
	iommufd_put(record, IOMMUFD_FAULT_COOKIE, fault->cookie);
	return 0;
}

/* ---- Responses ---------------------------------------------------------------------------- */

/* Failure cannot be said: the device is told that it may not have the page. */
static const uint8_t codes[] = {
	[IOPF_SUCCESS] = IOPF_IOMMUFD_SUCCESS,
	[IOPF_INVALID] = IOPF_IOMMUFD_INVALID,
	[IOPF_FAILURE] = IOPF_IOMMUFD_INVALID,
};
static_assert(sizeof(codes) == IOPF_CODE_COUNT, "a code for every meaning");

void iopf_iommufd_encode_response(uint32_t cookie, enum iopf_code code, uint8_t *record)
{
	assert((unsigned)code < IOPF_CODE_COUNT);
	iommufd_put(record, IOMMUFD_RESPONSE_COOKIE, cookie);
	iommufd_put(record, IOMMUFD_RESPONSE_CODE, codes[code]);
}

int iopf_iommufd_decode_response(const uint8_t *record, uint32_t *cookie,
				 enum iopf_code *code)
{
	uint64_t said = iommufd_get(record, IOMMUFD_RESPONSE_CODE);

	if (said > IOPF_IOMMUFD_INVALID)
		return -EBADMSG;
	*cookie = (uint32_t)iommufd_get(record, IOMMUFD_RESPONSE_COOKIE);
	*code = said == IOPF_IOMMUFD_SUCCESS ? IOPF_SUCCESS : IOPF_INVALID;
	return 0;
}

/* ---- The list ------------------------------------------------------------------------------ */

/* A record as tools have it, in words of a little-endian machine, and back. */
static void to_native(const struct iopf_layout *layout, const uint8_t *record,
		      uint8_t *native)
{
	for (uint32_t i = 0; i < layout->row_count; i++)
		iommufd_put(native, layout->rows[i].field,
			    field_get(record, layout->rows[i].field));
}

static void from_native(const struct iopf_layout *layout, const uint8_t *native,
			uint8_t *record)
{
	for (uint32_t i = 0; i < layout->row_count; i++)
		field_put(record, layout->rows[i].field,
			  iommufd_get(native, layout->rows[i].field));
}

static int fault_again(const uint8_t *record, uint8_t *again)
{
	uint8_t native[IOPF_IOMMUFD_FAULT_BYTES] = { 0 };
	struct iopf_iommufd_fault fault;
	bool reserved;
	int error;

	to_native(&iommufd_fault_layout, record, native);
	iopf_iommufd_decode_fault(native, &fault, &reserved);
	error = iopf_iommufd_encode_fault(&fault, native);
	if (error == 0)
		from_native(&iommufd_fault_layout, native, again);
	return error == 0 && reserved ? WIRE_IGNORED : error;
}

static int response_again(const uint8_t *record, uint8_t *again)
{
	uint8_t native[IOPF_IOMMUFD_ANSWER_BYTES] = { 0 };
	enum iopf_code code;
	uint32_t cookie;
	int error;

	to_native(&iommufd_response_layout, record, native);
	error = iopf_iommufd_decode_response(native, &cookie, &code);
	if (error != 0)
		return error;
	iopf_iommufd_encode_response(cookie, code, native);
	from_native(&iommufd_response_layout, native, again);
	return 0;
}

/* clang-format off */
#define ARGUMENT(name_, layout_, bytes, text_)                                    \
	{ .name = (name_), .text = (text_), .layout = &(layout_), .size_bytes = (bytes), \
	  .role = RECORD_STRUCTURE, .members = true }
static const struct record records[] = {
	{ .name = "fault", .text = "a request, as a fault descriptor gives it",
	  .layout = &iommufd_fault_layout, .size_bytes = IOPF_IOMMUFD_FAULT_BYTES,
	  .role = RECORD_REQUEST, .members = true, .again = fault_again },
	{ .name = "response", .text = "an answer, as a fault descriptor takes it",
	  .layout = &iommufd_response_layout, .size_bytes = IOPF_IOMMUFD_ANSWER_BYTES,
	  .role = RECORD_COMMAND, .members = true, .again = response_again },
	{ .name = "event", .text = "what precedes an event of a virtual IOMMU",
	  .layout = &iommufd_event_layout, .size_bytes = 8, .role = RECORD_EVENT,
	  .members = true },
	ARGUMENT("destroy", iommufd_destroy_layout, 8,
		 "argument of IOMMU_DESTROY"),
	ARGUMENT("fault-queue-alloc", iommufd_fault_queue_alloc_layout, 16,
		 "argument of IOMMU_FAULT_QUEUE_ALLOC"),
	ARGUMENT("hwpt-alloc", iommufd_hwpt_alloc_layout, 48,
		 "argument of IOMMU_HWPT_ALLOC"),
	ARGUMENT("hwpt-vtd-s1", iommufd_hwpt_vtd_s1_layout, 24,
		 "its data for VT-d"),
	ARGUMENT("hwpt-smmuv3", iommufd_hwpt_smmuv3_layout, 16,
		 "its data for SMMUv3"),
	ARGUMENT("hwpt-invalidate", iommufd_hwpt_invalidate_layout, 32,
		 "argument of IOMMU_HWPT_INVALIDATE"),
	ARGUMENT("vtd-s1-invalidate", iommufd_vtd_s1_invalidate_layout, 24,
		 "its entry for VT-d"),
	ARGUMENT("smmuv3-invalidate", iommufd_smmuv3_invalidate_layout, 16,
		 "its entry for SMMUv3"),
	ARGUMENT("viommu-alloc", iommufd_viommu_alloc_layout, 40,
		 "argument of IOMMU_VIOMMU_ALLOC"),
	ARGUMENT("vdevice-alloc", iommufd_vdevice_alloc_layout, 24,
		 "argument of IOMMU_VDEVICE_ALLOC"),
	ARGUMENT("veventq-alloc", iommufd_veventq_alloc_layout, 32,
		 "argument of IOMMU_VEVENTQ_ALLOC"),
	{ .name = NULL },
};
/* clang-format on */

const struct wire_family wire_family_iommufd = { .name = "iommufd", .records = records };
