/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire/iommufd.h - the layouts of what crosses between a program and Linux's iommufd.
 *
 * Fields have the machine's byte order: a layout's words are what a little-endian machine
 * reads, and iommufd_get() and iommufd_put() what any machine has there. No field crosses
 * a boundary of 32 bits but whole words of 64.
 */
#ifndef WIRE_IOMMUFD_H
#define WIRE_IOMMUFD_H

#include "wire/wire.h"

uint64_t iommufd_get(const uint8_t *record, uint32_t field);
/* The value fits: asserted. */
void iommufd_put(uint8_t *record, uint32_t field, uint64_t value);

/* Records of a fault descriptor. */
extern const struct iopf_layout iommufd_fault_layout;
extern const struct iopf_layout iommufd_response_layout;
/* Records of an event descriptor: what precedes the IOMMU's own. */
extern const struct iopf_layout iommufd_event_layout;
/* Arguments of ioctls, and what they point to. */
extern const struct iopf_layout iommufd_destroy_layout;
extern const struct iopf_layout iommufd_fault_queue_alloc_layout;
extern const struct iopf_layout iommufd_hwpt_alloc_layout;
extern const struct iopf_layout iommufd_hwpt_vtd_s1_layout;
extern const struct iopf_layout iommufd_hwpt_smmuv3_layout;
extern const struct iopf_layout iommufd_hwpt_invalidate_layout;
extern const struct iopf_layout iommufd_vtd_s1_invalidate_layout;
extern const struct iopf_layout iommufd_smmuv3_invalidate_layout;
extern const struct iopf_layout iommufd_viommu_alloc_layout;
extern const struct iopf_layout iommufd_vdevice_alloc_layout;
extern const struct iopf_layout iommufd_veventq_alloc_layout;

#endif
