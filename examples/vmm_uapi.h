/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vmm_uapi.h - the part of Linux's iommufd and vfio interfaces that a VMM uses for functions
 * that page, as of Linux 6.16. An installed <linux/iommufd.h> may be older than that, or
 * missing: distributions carry the headers of the kernel that they ship.
 *
 * Source: the kernel's documentation of its user-space interface, "IOMMUFD" and "VFIO".
 */
#ifndef VMM_UAPI_H
#define VMM_UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>

/* ---- /dev/iommu: each argument begins with its size --------------------------------- */

#define UAPI_IOMMU(number) _IO(';', 0x80 + (number))

enum {
	UAPI_IOMMU_DESTROY = UAPI_IOMMU(0),
	UAPI_IOMMU_IOAS_ALLOC = UAPI_IOMMU(1),
	UAPI_IOMMU_IOAS_MAP = UAPI_IOMMU(5),
	UAPI_IOMMU_HWPT_ALLOC = UAPI_IOMMU(9),
	UAPI_IOMMU_HWPT_INVALIDATE = UAPI_IOMMU(13),
	UAPI_IOMMU_FAULT_QUEUE_ALLOC = UAPI_IOMMU(14),
};

struct uapi_destroy {
	uint32_t size, id;
};

struct uapi_ioas_alloc {
	uint32_t size, flags, out_ioas_id;
};

enum { UAPI_MAP_FIXED_IOVA = 1, UAPI_MAP_WRITEABLE = 2, UAPI_MAP_READABLE = 4 };

struct uapi_ioas_map {
	uint32_t size, flags, ioas_id, rsvd;
	uint64_t user_va, length, iova;
};

struct uapi_fault_queue_alloc {
	uint32_t size, flags, out_fault_id, out_fault_fd;
};

enum {
	UAPI_HWPT_NEST_PARENT = 1,
	UAPI_HWPT_FAULT_ID_VALID = 4,
	UAPI_HWPT_PASID = 8,
};

enum { UAPI_DATA_NONE = 0, UAPI_DATA_VTD_S1 = 1 };

struct uapi_hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, rsvd, data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, rsvd2;
};

enum { UAPI_VTD_S1_SRE = 1, UAPI_VTD_S1_EAFE = 2, UAPI_VTD_S1_WPE = 4 };

struct uapi_vtd_s1 {
	uint64_t flags, pgtbl_addr;
	uint32_t addr_width, rsvd;
};

struct uapi_hwpt_invalidate {
	uint32_t size, hwpt_id;
	uint64_t data_uptr;
	uint32_t data_type, entry_len, entry_num, rsvd;
};

struct uapi_vtd_s1_invalidate {
	uint64_t addr, npages; /* all ones from address 0: everything */
	uint32_t flags, rsvd;
};

/* ---- /dev/vfio/devices: likewise ---------------------------------------------------- */

#define UAPI_VFIO(number) _IO(';', 100 + (number))

enum {
	UAPI_VFIO_REGION_INFO = UAPI_VFIO(8),
	UAPI_VFIO_RESET = UAPI_VFIO(11),
	UAPI_VFIO_BIND_IOMMUFD = UAPI_VFIO(18),
	UAPI_VFIO_ATTACH = UAPI_VFIO(19),
	UAPI_VFIO_DETACH = UAPI_VFIO(20),
};

enum { UAPI_VFIO_REGION_BAR0 = 0, UAPI_VFIO_REGION_CONFIG = 7, UAPI_VFIO_REGION_MMAP = 4 };

struct uapi_vfio_region_info {
	uint32_t size, flags, index, cap_offset;
	uint64_t region_bytes, offset;
};

struct uapi_vfio_bind {
	uint32_t size, flags;
	int32_t iommufd;
	uint32_t out_dev_id;
};

enum { UAPI_VFIO_PASID = 1 };

struct uapi_vfio_attach {
	uint32_t size, flags, pt_id, pasid;
};

struct uapi_vfio_detach {
	uint32_t size, flags, pasid;
};

#endif
