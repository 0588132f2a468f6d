/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * iopf_stall.h - what programs say to /dev/iopf_stall, which gives the platform device
 * behind an SMMU the page tables of a process.
 *
 * An open file binds one process at most, the one that asked; the last close ends it.
 * Memory mapped from the file has no pages while the gate is shut: whoever touches it, a
 * processor or the device, waits until the gate opens.
 */
#ifndef IOPF_STALL_H
#define IOPF_STALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOPF_STALL_PATH "/dev/iopf_stall"

#define IOPF_STALL_TYPE   's'
#define IOPF_STALL_BIND   _IOR(IOPF_STALL_TYPE, 0, __u32)  /* out: the PASID */
#define IOPF_STALL_UNBIND _IO(IOPF_STALL_TYPE, 1)
#define IOPF_STALL_GATE   _IOWR(IOPF_STALL_TYPE, 2, __u32) /* in: shut; out: who waits */

#endif
