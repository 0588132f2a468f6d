/* SPDX-License-Identifier: BSD-3-Clause */
/* vmm_kernel.c - see vmm_kernel.h. */
#include "vmm_kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm_uapi.h"

/* Where the empty table lies: no guest's memory reaches there. */
enum { PAGE_BYTES = 4096 };
#define EMPTY_TABLE (UINT64_C(1) << 38)

static int ask(int descriptor, unsigned long what, void *argument)
{
	return ioctl(descriptor, what, argument) < 0 ? -errno : 0;
}

/* ---- The guest's memory, the fault queue ------------------------------------------- */

static int map(const struct vmm_iommu *iommu, uint64_t base, void *memory,
	       uint64_t size_bytes)
{
	struct uapi_ioas_map map = {
		.size = sizeof(map),
		.flags = UAPI_MAP_FIXED_IOVA | UAPI_MAP_READABLE | UAPI_MAP_WRITEABLE,
		.ioas_id = iommu->ioas,
		.user_va = (uintptr_t)memory,
		.length = size_bytes,
		.iova = base,
	};

	return ask(iommu->descriptor, UAPI_IOMMU_IOAS_MAP, &map);
}

static int queue_open(struct vmm_iommu *iommu)
{
	struct uapi_fault_queue_alloc queue = { .size = sizeof(queue) };
	int error = ask(iommu->descriptor, UAPI_IOMMU_FAULT_QUEUE_ALLOC, &queue);

	if (error != 0)
		return error;
	iommu->queue_id = queue.out_fault_id;
	iommu->queue = (int)queue.out_fault_fd;
	return 0;
}

static int empty_open(struct vmm_iommu *iommu)
{
	iommu->empty = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return iommu->empty == MAP_FAILED ? -ENOMEM :
					    map(iommu, EMPTY_TABLE, iommu->empty, PAGE_BYTES);
}

int vmm_iommu_open(struct vmm_iommu *iommu, uint64_t base, void *memory,
		   uint64_t size_bytes)
{
	struct uapi_ioas_alloc ioas = { .size = sizeof(ioas) };
	int error;

	*iommu = (struct vmm_iommu){ .queue = -1, .empty = MAP_FAILED };
	iommu->descriptor = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (iommu->descriptor < 0)
		return -errno;
	error = ask(iommu->descriptor, UAPI_IOMMU_IOAS_ALLOC, &ioas);
	iommu->ioas = ioas.out_ioas_id;
	if (error == 0)
		error = map(iommu, base, memory, size_bytes);
	if (error == 0)
		error = empty_open(iommu);
	if (error == 0)
		error = queue_open(iommu);
	if (error != 0)
		vmm_iommu_close(iommu);
	return error;
}

void vmm_iommu_close(struct vmm_iommu *iommu)
{
	if (iommu->queue >= 0)
		close(iommu->queue);
	close(iommu->descriptor);
	if (iommu->empty != MAP_FAILED)
		munmap(iommu->empty, PAGE_BYTES);
}

/* ---- The function ------------------------------------------------------------------ */

static int sysfs_write(const char *device, const char *file, const char *text)
{
	char path[128];
	int descriptor, error;

	snprintf(path, sizeof(path), "/sys/bus/pci/%s%s%s", device != NULL ? "devices/" : "",
		 device != NULL ? device : "", file);
	descriptor = open(path, O_WRONLY | O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	error = write(descriptor, text, strlen(text)) < 0 ? -errno : 0;
	close(descriptor);
	return error;
}

/* The character device that vfio-pci made for @name. */
static int vfio_open(const char *name)
{
	char path[320];
	struct dirent *entry;
	DIR *directory;
	int descriptor = -ENODEV;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", name);
	directory = opendir(path);
	if (directory == NULL)
		return -errno;
	while (descriptor == -ENODEV && (entry = readdir(directory)) != NULL) {
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		descriptor = open(path, O_RDWR | O_CLOEXEC);
		descriptor = descriptor < 0 ? -errno : descriptor;
	}
	closedir(directory);
	return descriptor;
}

/* What BAR and configuration space are behind: where in the descriptor they lie. */
static int region(const struct vmm_device *device, uint32_t index,
		  struct uapi_vfio_region_info *info)
{
	*info = (struct uapi_vfio_region_info){ .size = sizeof(*info), .index = index };
	return ask(device->descriptor, UAPI_VFIO_REGION_INFO, info);
}

/* vfio-pci leaves bus mastering off: no DMA, and no page requests. */
static int bus_master(const struct vmm_device *device)
{
	enum { COMMAND = 4, MEMORY_AND_MASTER = 6 };
	const uint8_t command[2] = { MEMORY_AND_MASTER, 0 };
	struct uapi_vfio_region_info config;
	int error = region(device, UAPI_VFIO_REGION_CONFIG, &config);

	if (error != 0)
		return error;
	return pwrite(device->descriptor, command, sizeof(command),
		      (off_t)config.offset + COMMAND) < 0 ? -errno : 0;
}

static int table_alloc(const struct vmm_device *device, struct uapi_hwpt_alloc *alloc)
{
	alloc->size = sizeof(*alloc);
	alloc->flags |= UAPI_HWPT_PASID; /* or it cannot be attached beside PASIDs */
	alloc->dev_id = device->id;
	return ask(device->iommu->descriptor, UAPI_IOMMU_HWPT_ALLOC, alloc);
}

static int set_up(struct vmm_device *device)
{
	struct uapi_vfio_bind bind = { .size = sizeof(bind),
				       .iommufd = device->iommu->descriptor };
	struct uapi_hwpt_alloc parent = { .flags = UAPI_HWPT_NEST_PARENT,
					  .pt_id = device->iommu->ioas };
	int error = ask(device->descriptor, UAPI_VFIO_BIND_IOMMUFD, &bind);

	device->id = bind.out_dev_id;
	if (error == 0)
		error = bus_master(device);
	if (error == 0)
		error = table_alloc(device, &parent);
	device->parent = parent.out_hwpt_id;
	return error;
}

int vmm_device_open(struct vmm_device *device, const struct vmm_iommu *iommu,
		    const char *name)
{
	int error = sysfs_write(name, "/driver_override", "vfio-pci");

	(void)sysfs_write(name, "/driver/unbind", name); /* -ENOENT: it has no driver */
	if (error == 0)
		error = sysfs_write(NULL, "drivers_probe", name);
	if (error != 0)
		return error;
	*device = (struct vmm_device){ .iommu = iommu, .descriptor = vfio_open(name) };
	if (device->descriptor < 0)
		return device->descriptor;
	error = set_up(device);
	if (error != 0)
		vmm_device_close(device);
	return error;
}

void vmm_device_close(struct vmm_device *device)
{
	close(device->descriptor);
}

volatile void *vmm_device_bar(const struct vmm_device *device)
{
	struct uapi_vfio_region_info bar;
	void *memory;

	if (region(device, UAPI_VFIO_REGION_BAR0, &bar) != 0 ||
	    !(bar.flags & UAPI_VFIO_REGION_MMAP))
		return NULL;
	memory = mmap(NULL, bar.region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      device->descriptor, (off_t)bar.offset);
	return memory == MAP_FAILED ? NULL : memory;
}

int vmm_device_reset(const struct vmm_device *device)
{
	return ask(device->descriptor, UAPI_VFIO_RESET, NULL);
}

/* ---- Address spaces ---------------------------------------------------------------- */

static uint64_t table_flags(const struct iopf_address_space *space)
{
	return (space->flags & IOPF_SPACE_SRE ? UAPI_VTD_S1_SRE : 0) |
	       (space->flags & IOPF_SPACE_EAFE ? UAPI_VTD_S1_EAFE : 0) |
	       (space->flags & IOPF_SPACE_WPE ? UAPI_VTD_S1_WPE : 0);
}

int vmm_table_create(const struct vmm_device *device, const struct iopf_address_space *space,
		     uint32_t *table)
{
	struct uapi_vtd_s1 first = { .flags = table_flags(space),
				     .pgtbl_addr = space->root,
				     .addr_width = space->levels == 5 ? 57 : 48 };
	struct uapi_hwpt_alloc nested = { .flags = UAPI_HWPT_FAULT_ID_VALID,
					  .pt_id = device->parent,
					  .data_type = UAPI_DATA_VTD_S1,
					  .data_len = sizeof(first),
					  .data_uptr = (uintptr_t)&first,
					  .fault_id = device->iommu->queue_id };
	int error = 0;

	if (space->levels == 0)
		nested.out_hwpt_id = device->parent;
	else
		error = table_alloc(device, &nested);
	if (error == 0)
		*table = nested.out_hwpt_id;
	return error;
}

int vmm_table_destroy(const struct vmm_device *device, uint32_t table)
{
	struct uapi_destroy destroy = { .size = sizeof(destroy), .id = table };

	return table == device->parent ?
		       0 :
		       ask(device->iommu->descriptor, UAPI_IOMMU_DESTROY, &destroy);
}

int vmm_table_invalidate(const struct vmm_device *device, uint32_t table, uint64_t addr,
			 uint64_t size_bytes)
{
	bool all = size_bytes == UINT64_MAX;
	struct uapi_vtd_s1_invalidate range = { .addr = all ? 0 : addr,
						.npages = all ? UINT64_MAX :
								size_bytes / 4096 };
	struct uapi_hwpt_invalidate invalidate = { .size = sizeof(invalidate),
						   .hwpt_id = table,
						   .data_uptr = (uintptr_t)&range,
						   .entry_len = sizeof(range),
						   .entry_num = 1 };

	return table == device->parent ?
		       0 :
		       ask(device->iommu->descriptor, UAPI_IOMMU_HWPT_INVALIDATE,
			   &invalidate);
}

int vmm_device_attach(const struct vmm_device *device, uint32_t pasid, uint32_t table)
{
	bool has_pasid = pasid != IOPF_PASID_NONE;
	struct uapi_vfio_attach attach = { .size = sizeof(attach),
					   .flags = has_pasid ? UAPI_VFIO_PASID : 0,
					   .pt_id = table,
					   .pasid = has_pasid ? pasid : 0 };

	return ask(device->descriptor, UAPI_VFIO_ATTACH, &attach);
}

int vmm_device_detach(const struct vmm_device *device, uint32_t pasid)
{
	bool has_pasid = pasid != IOPF_PASID_NONE;
	struct uapi_vfio_detach detach = { .size = sizeof(detach),
					   .flags = has_pasid ? UAPI_VFIO_PASID : 0,
					   .pasid = has_pasid ? pasid : 0 };

	if (!has_pasid && device->empty != 0 &&
	    vmm_device_attach(device, pasid, device->empty) == 0)
		return 0;
	return ask(device->descriptor, UAPI_VFIO_DETACH, &detach);
}

int vmm_device_block(struct vmm_device *device)
{
	const struct iopf_address_space nothing = { .root = EMPTY_TABLE, .levels = 4 };
	int error = vmm_table_create(device, &nothing, &device->empty);

	return error != 0 ? error :
			    vmm_device_attach(device, IOPF_PASID_NONE, device->empty);
}
