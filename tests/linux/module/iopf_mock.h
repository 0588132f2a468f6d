/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * iopf_mock.h - what programs say to /dev/iopf_mock, the other side of iommufd's mock
 * devices: requests come from there, and answers arrive there.
 *
 * read() gives what the mock devices were answered since the last read, oldest first, as
 * struct iopf_mock_answer: as many as there are and fit, 0 where there are none; EOVERFLOW
 * once where some were lost.
 */
#ifndef IOPF_MOCK_H
#define IOPF_MOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOPF_MOCK_PATH	"/dev/iopf_mock"

/* iopf_mock_request.flags: the kernel's own */
#define IOPF_MOCK_PASID	(1u << 0)
#define IOPF_MOCK_LAST	(1u << 1)

/* One page request of the mock device number @device: reported at once. While it is, no
 * program may detach the device. */
struct iopf_mock_request {
	__u32 device;
	__u32 flags;
	__u32 pasid;
	__u32 group;
	__u32 perm;
	__s32 result;		/* out: what the kernel said of it */
	__u64 addr;
};

/* What a device was answered. Codes: 0 success, 1 invalid, 2 failure. */
struct iopf_mock_answer {
	__u32 device;
	__u32 pasid;
	__u32 group;
	__u32 code;
};

#define IOPF_MOCK_REQUEST	_IOWR('M', 1, struct iopf_mock_request)
/* The number of the mock device that was made last. */
#define IOPF_MOCK_NEWEST	_IOR('M', 2, __u32)

#endif
