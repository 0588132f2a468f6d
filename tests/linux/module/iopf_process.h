/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * iopf_process.h - what programs say to /dev/iopf_process, which gives the test function
 * the page tables of a process.
 *
 * An open file binds one process at most, the one that asked; the last close ends it.
 * Memory mapped from the file is slow where the gate is shut: whoever touches it, a
 * processor or the device, waits until the gate opens. So groups are open as long as a
 * program likes, with handlers that are the kernel's own.
 */
#ifndef IOPF_PROCESS_H
#define IOPF_PROCESS_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOPF_PROCESS_PATH "/dev/iopf_process"

/* iopf_process_bind.way */
#define IOPF_PROCESS_BY_KERNEL	0u	/* iommu_sva_bind_device() */
#define IOPF_PROCESS_BY_DRIVER	1u	/* the IOMMU driver's parts below it, and a handler
					 * of the module */

struct iopf_process_bind {
	__u32 pasid;		/* out */
	__u32 way;		/* out */
};

struct iopf_process_gate {
	__u32 shut;
	__u32 waiting;		/* out: how many wait at it */
};

#define IOPF_PROCESS_TYPE	'g'
#define IOPF_PROCESS_BIND	_IOR(IOPF_PROCESS_TYPE, 0, struct iopf_process_bind)
#define IOPF_PROCESS_UNBIND	_IO(IOPF_PROCESS_TYPE, 1)
#define IOPF_PROCESS_GATE	_IOWR(IOPF_PROCESS_TYPE, 2, struct iopf_process_gate)

#endif
