/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vmm_kernel.h - what a VMM asks of Linux for functions that page: vfio-pci, iommufd, a
 * nested parent over the guest's memory, stage-1 tables of the guest's with a fault queue.
 *
 * All return 0 or a negative errno of the kernel's.
 */
#ifndef VMM_KERNEL_H
#define VMM_KERNEL_H

#include <iopf/guest.h>

/* One context of /dev/iommu, and one guest's memory in it. */
struct vmm_iommu {
	int descriptor;
	uint32_t ioas;     /* guest-physical to this process's memory */
	void *empty;       /* a page of zeros, beyond the guest's memory */
	uint32_t queue_id; /* the fault queue, and */
	int queue;         /* its descriptor: iopf/iommufd.h reads and writes it */
};

/* A function that vfio-pci holds for us. */
struct vmm_device {
	const struct vmm_iommu *iommu;
	int descriptor;
	uint32_t id;     /* as the fault queue calls it */
	uint32_t parent; /* second stage of its address spaces: the guest's memory */
	uint32_t empty;  /* a first level without a page, or 0: vmm_device_block() */
};

/* @memory, which the kernel pins, is at guest-physical @base, below 2^38. */
int vmm_iommu_open(struct vmm_iommu *iommu, uint64_t base, void *memory,
		   uint64_t size_bytes);
void vmm_iommu_close(struct vmm_iommu *iommu);

/* @name: as in /sys/bus/pci/devices. It is taken from its driver, and may do DMA. */
int vmm_device_open(struct vmm_device *device, const struct vmm_iommu *iommu,
		    const char *name);
void vmm_device_close(struct vmm_device *device);
/* Its BAR 0 in our memory, or NULL. */
volatile void *vmm_device_bar(const struct vmm_device *device);
/* From here on requests without a PASID have a first level without a page while they have no
 * other. What the function asks for without need gets invalid, and comes through the queue:
 * a function that nothing with a queue is attached to is not one that should be asking. */
int vmm_device_block(struct vmm_device *device);
/* FLR. What is open in the fault queue stays: detach first. */
int vmm_device_reset(const struct vmm_device *device);

/* A guest's own first level, over the parent; its faults come to the queue. Without a first
 * level it is the parent itself. */
int vmm_table_create(const struct vmm_device *device, const struct iopf_address_space *space,
		     uint32_t *table);
int vmm_table_destroy(const struct vmm_device *device, uint32_t table);
/* The IOTLB and the function's own cache; @size_bytes UINT64_MAX: all of it. */
int vmm_table_invalidate(const struct vmm_device *device, uint32_t table, uint64_t addr,
			 uint64_t size_bytes);

/* @pasid: or IOPF_PASID_NONE. Attached already: replaced. Both drain the function's
 * requests, and what is open of the old table is answered by the kernel, with invalid. */
int vmm_device_attach(const struct vmm_device *device, uint32_t pasid, uint32_t table);
int vmm_device_detach(const struct vmm_device *device, uint32_t pasid);

#endif
