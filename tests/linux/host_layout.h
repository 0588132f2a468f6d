/* SPDX-License-Identifier: BSD-3-Clause */
/* linux/host_layout.h - examples/vmm_uapi.h is what the kernel's own headers say. */
#ifndef LINUX_HOST_LAYOUT_H
#define LINUX_HOST_LAYOUT_H

#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stddef.h>

#include "examples/vmm_uapi.h"
#include "iopf/iommufd.h"

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #ours " is " #theirs)
/* A struct that begins in the same way; kernels make theirs longer. */
#define BEGINS(ours, theirs) _Static_assert(sizeof(ours) <= sizeof(theirs), #ours)
#define MEMBER(ours, member, theirs, name) \
	SAME(offsetof(struct ours, member), offsetof(struct theirs, name))

SAME(UAPI_IOMMU_DESTROY, IOMMU_DESTROY);
SAME(UAPI_IOMMU_IOAS_ALLOC, IOMMU_IOAS_ALLOC);
SAME(UAPI_IOMMU_IOAS_MAP, IOMMU_IOAS_MAP);
SAME(UAPI_IOMMU_HWPT_ALLOC, IOMMU_HWPT_ALLOC);
SAME(UAPI_IOMMU_HWPT_INVALIDATE, IOMMU_HWPT_INVALIDATE);
SAME(UAPI_IOMMU_FAULT_QUEUE_ALLOC, IOMMU_FAULT_QUEUE_ALLOC);
SAME(UAPI_VFIO_REGION_INFO, VFIO_DEVICE_GET_REGION_INFO);
SAME(UAPI_VFIO_RESET, VFIO_DEVICE_RESET);
SAME(UAPI_VFIO_BIND_IOMMUFD, VFIO_DEVICE_BIND_IOMMUFD);
SAME(UAPI_VFIO_ATTACH, VFIO_DEVICE_ATTACH_IOMMUFD_PT);
SAME(UAPI_VFIO_DETACH, VFIO_DEVICE_DETACH_IOMMUFD_PT);

SAME((int)UAPI_MAP_FIXED_IOVA, (int)IOMMU_IOAS_MAP_FIXED_IOVA);
SAME((int)UAPI_MAP_WRITEABLE, (int)IOMMU_IOAS_MAP_WRITEABLE);
SAME((int)UAPI_MAP_READABLE, (int)IOMMU_IOAS_MAP_READABLE);
SAME((int)UAPI_HWPT_NEST_PARENT, (int)IOMMU_HWPT_ALLOC_NEST_PARENT);
SAME((int)UAPI_HWPT_FAULT_ID_VALID, (int)IOMMU_HWPT_FAULT_ID_VALID);
SAME((int)UAPI_HWPT_PASID, (int)IOMMU_HWPT_ALLOC_PASID);
SAME((int)UAPI_DATA_VTD_S1, (int)IOMMU_HWPT_DATA_VTD_S1);
SAME((int)UAPI_VTD_S1_SRE, (int)IOMMU_VTD_S1_SRE);
SAME((int)UAPI_VTD_S1_EAFE, (int)IOMMU_VTD_S1_EAFE);
SAME((int)UAPI_VTD_S1_WPE, (int)IOMMU_VTD_S1_WPE);
SAME((int)UAPI_VFIO_PASID, (int)VFIO_DEVICE_ATTACH_PASID);
SAME((int)UAPI_VFIO_PASID, (int)VFIO_DEVICE_DETACH_PASID);
SAME((int)UAPI_VFIO_REGION_CONFIG, (int)VFIO_PCI_CONFIG_REGION_INDEX);
SAME((int)UAPI_VFIO_REGION_MMAP, (int)VFIO_REGION_INFO_FLAG_MMAP);

BEGINS(struct uapi_destroy, struct iommu_destroy);
MEMBER(uapi_destroy, id, iommu_destroy, id);
MEMBER(uapi_ioas_alloc, out_ioas_id, iommu_ioas_alloc, out_ioas_id);
SAME(sizeof(struct uapi_ioas_map), sizeof(struct iommu_ioas_map));
MEMBER(uapi_ioas_map, user_va, iommu_ioas_map, user_va);
MEMBER(uapi_ioas_map, iova, iommu_ioas_map, iova);
MEMBER(uapi_fault_queue_alloc, out_fault_id, iommu_fault_alloc, out_fault_id);
MEMBER(uapi_fault_queue_alloc, out_fault_fd, iommu_fault_alloc, out_fault_fd);
BEGINS(struct uapi_hwpt_alloc, struct iommu_hwpt_alloc);
MEMBER(uapi_hwpt_alloc, out_hwpt_id, iommu_hwpt_alloc, out_hwpt_id);
MEMBER(uapi_hwpt_alloc, data_uptr, iommu_hwpt_alloc, data_uptr);
MEMBER(uapi_hwpt_alloc, fault_id, iommu_hwpt_alloc, fault_id);
SAME(sizeof(struct uapi_vtd_s1), sizeof(struct iommu_hwpt_vtd_s1));
MEMBER(uapi_vtd_s1, addr_width, iommu_hwpt_vtd_s1, addr_width);
SAME(sizeof(struct uapi_hwpt_invalidate), sizeof(struct iommu_hwpt_invalidate));
MEMBER(uapi_hwpt_invalidate, entry_num, iommu_hwpt_invalidate, entry_num);
SAME(sizeof(struct uapi_vtd_s1_invalidate), sizeof(struct iommu_hwpt_vtd_s1_invalidate));
MEMBER(uapi_vtd_s1_invalidate, npages, iommu_hwpt_vtd_s1_invalidate, npages);
BEGINS(struct uapi_vfio_region_info, struct vfio_region_info);
MEMBER(uapi_vfio_region_info, region_bytes, vfio_region_info, size);
MEMBER(uapi_vfio_region_info, offset, vfio_region_info, offset);
BEGINS(struct uapi_vfio_bind, struct vfio_device_bind_iommufd);
MEMBER(uapi_vfio_bind, out_dev_id, vfio_device_bind_iommufd, out_devid);
SAME(sizeof(struct uapi_vfio_attach), sizeof(struct vfio_device_attach_iommufd_pt));
MEMBER(uapi_vfio_attach, pasid, vfio_device_attach_iommufd_pt, pasid);
SAME(sizeof(struct uapi_vfio_detach), sizeof(struct vfio_device_detach_iommufd_pt));

SAME((int)IOPF_IOMMUFD_FAULT_BYTES, (int)sizeof(struct iommu_hwpt_pgfault));
SAME((int)IOPF_IOMMUFD_FAULT_ADDR, (int)offsetof(struct iommu_hwpt_pgfault, addr));
SAME((int)IOPF_IOMMUFD_FAULT_COOKIE, (int)offsetof(struct iommu_hwpt_pgfault, cookie));
SAME((int)IOPF_IOMMUFD_ANSWER_BYTES, (int)sizeof(struct iommu_hwpt_page_response));

#endif
