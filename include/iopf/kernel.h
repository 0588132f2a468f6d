/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel.h - a guest's functions behind a kernel's fault descriptor: source, broker and
 * virtual IOMMU put together for the event loop of a VMM.
 *
 * What struct iopf_host is over an IOMMU of its own, struct iopf_kernel is over one that
 * the kernel drives: for one guest, its functions, and one descriptor (iommufd.h). What
 * the guest's structures and commands ask for is done through struct iopf_kernel_ops,
 * which are system calls: they return when they are done.
 *
 * Its loop polls the descriptor until iopf_kernel_next_ns(), takes the guest's register
 * accesses to iopf_kernel_read() and iopf_kernel_write(), and calls iopf_kernel_run().
 *
 * What is known to be present when an answer says success: each invalidation of the guest
 * is carried out by the kernel before the next command of the guest is looked at.
 *
 * Threads. One thread owns it.
 */
#ifndef IOPF_KERNEL_H
#define IOPF_KERNEL_H

#include "iopf/guest.h"
#include "iopf/host.h"
#include "iopf/iommufd.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iopf_kernel;

/* @device is the kernel's number of the function, @pasid may be IOPF_PASID_NONE. None may
 * call back. A detach cannot fail: what the kernel refuses goes with its descriptors. */
struct iopf_kernel_ops {
	/*
	 * (device, pasid) gets this address space, with the descriptor for its faults
	 * (IOMMU_HWPT_ALLOC, VFIO_DEVICE_ATTACH_IOMMUFD_PT); *@table is given back later.
	 * space->levels 0: addresses are guest-physical; nothing faults then.
	 * 0 or a negative errno: refused, and nothing of it is left; the guest is not told.
	 */
	int (*attach)(void *context, uint32_t device, uint32_t pasid,
		      const struct iopf_address_space *space, uint32_t *table);
	/* It has it no more: the kernel has drained what was on its way, and has answered
	 * invalid to all of it. */
	void (*detach)(void *context, uint32_t device, uint32_t pasid, uint32_t table);
	/* What caches know of these addresses is wrong, in the IOMMU and in the function
	 * (IOMMU_HWPT_INVALIDATE). @size_bytes UINT64_MAX, from 0: all. 0; -ETIMEDOUT,
	 * -EAGAIN: the guest is told that it took too long; or an errno, which it is not. */
	int (*invalidate)(void *context, uint32_t table, uint64_t addr, uint64_t size_bytes);
	/* A function reset (VFIO_DEVICE_RESET): nothing is attached. NULL: there is none. */
	int (*reset)(void *context, uint32_t device);
	/* A message-signalled interrupt of the virtual IOMMU, as the guest programmed it. */
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
};

struct iopf_kernel_function {
	uint32_t device;    /* out_devid of VFIO_DEVICE_BIND_IOMMUFD */
	uint32_t guest_rid; /* as the guest sees it */
	uint32_t allocation; /* requests that it may have open, 1..IOPF_HOST_ALLOCATION_MAX:
			      * the kernel's PRI setting, or more */
	bool pasid_in_response; /* PRG Response PASID Required */
	uint8_t rsvd[3];
};

struct iopf_kernel_options {
	uint32_t size_bytes;     /* of this struct */
	uint32_t instance;       /* of the broker's tokens, 1..1023 */
	uint32_t function_count; /* 1..IOPF_GUEST_ENDPOINT_MAX */
	uint32_t pasid_max;      /* address spaces at once */
	const struct iopf_kernel_function *functions; /* copied */
	struct iopf_memory memory; /* the guest's, by guest-physical address; borrowed */
	uint32_t levels;         /* 4, or 5: five-level tables are offered */
	uint32_t group_pages;    /* of the largest group, 1..IOPF_HOST_ALLOCATION_MAX */
	struct iopf_policy policy; /* all 0: no deadline, no quota, no limit */
	uint64_t name;           /* the guest's, for statistics */
	const struct iopf_iommufd_io *io; /* of the descriptor; borrowed */
	void *io_context;
	const struct iopf_kernel_ops *ops; /* borrowed */
	void (*event)(void *context, const struct iopf_event *event); /* or NULL */
	void (*note)(void *context, const struct iopf_note *note);    /* or NULL */
	void *context;
	struct iopf_recorder *recorder; /* or NULL; borrowed */
};

/* Bytes of its memory, 0 where an option is out of its range. */
size_t iopf_kernel_size_bytes(const struct iopf_kernel_options *options);

/*
 * Make it in @memory (aligned to 64). No call of ops is made, no descriptor touched.
 *
 * Owns:    borrows @memory and what @options points to; there is nothing to destroy.
 * Returns: 0; -EINVAL (an option, a device or a rid twice, the alignment); -ERANGE (the
 *          policy); -ENOSPC.
 */
int iopf_kernel_create(const struct iopf_kernel_options *options, void *memory,
		       size_t memory_bytes, struct iopf_kernel **kernel);

/* The guest's access to its virtual IOMMU's registers, as in iopf_guest_read(). */
uint64_t iopf_kernel_read(struct iopf_kernel *kernel, uint32_t offset,
			  uint32_t width_bytes);
void iopf_kernel_write(struct iopf_kernel *kernel, uint32_t offset, uint32_t width_bytes,
		       uint64_t value);

/*
 * One turn of everything: what the descriptor holds, the guest's commands (at most
 * @budget), what it is shown, deadlines, responses.
 *
 * Returns: how much was done; or what iopf_iommufd_read() or iopf_iommufd_write() said:
 *          the descriptor is of no use any more, the guest is to be taken out.
 */
int iopf_kernel_run(struct iopf_kernel *kernel, uint32_t budget, uint64_t now_ns);
/* When it has to be called at the latest, past where it did not get through with its
 * budget; UINT64_MAX: when something rings. */
uint64_t iopf_kernel_next_ns(const struct iopf_kernel *kernel);

/*
 * Reset a function. Its groups end before, while it knows the questions: a descriptor
 * does not hear of a reset, and what is answered after one reaches a function that has
 * forgotten. Address spaces are attached again, and a guest that said failure of the
 * function is served again.
 *
 * Returns: 0; -ENOENT (no such device); -EOPNOTSUPP (no such call); what ops->reset or
 *          ops->attach returned: then what could not be attached is refused its requests.
 */
int iopf_kernel_reset_function(struct iopf_kernel *kernel, uint32_t device,
			       uint64_t now_ns);

/* The guest is dead: everything of it is detached and ended, its registers are as after
 * power-on, and a descriptor that was of no use is tried anew. Returns: 0, -EAGAIN: a call
 * is short, call again. */
int iopf_kernel_guest_gone(struct iopf_kernel *kernel, uint64_t now_ns);

/* What lies inside, for those who look. Borrowed. */
struct iopf_broker *iopf_kernel_broker(struct iopf_kernel *kernel);
struct iopf_guest *iopf_kernel_guest(struct iopf_kernel *kernel);
struct iopf_iommufd *iopf_kernel_source(struct iopf_kernel *kernel);
/* The broker's number of @device, or IOPF_NO_ID. */
uint32_t iopf_kernel_endpoint(const struct iopf_kernel *kernel, uint32_t device);

#ifdef __cplusplus
}
#endif

#endif
