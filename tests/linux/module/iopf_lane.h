/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * iopf_lane.h - what programs say to /dev/iopf_lane, the driver of the test function.
 *
 * An address space is a set of pages by I/O virtual address. The device sees none of them
 * until it asks: then the driver maps the page, if a range allows it, in the kernel's own
 * tables, and answers. What was taken away again is kept and watched, until a program
 * looks: nobody may write to it any more.
 */
#ifndef IOPF_LANE_H
#define IOPF_LANE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOPF_LANE_PATH	"/dev/iopf_lane"

/* iopf_lane_attach.flags */
#define IOPF_LANE_NO_HANDLER	(1u << 0)	/* nobody to answer: the kernel does */
/* iopf_lane_detach.flags */
#define IOPF_LANE_LATE		(1u << 0)	/* what is open is answered afterwards */
/* iopf_lane_unmap.flags */
#define IOPF_LANE_KEEP		(1u << 0)	/* the page stays, only the device loses it */
/* iopf_lane_allow.perm */
#define IOPF_LANE_READ_ONLY	1u
#define IOPF_LANE_READ_WRITE	3u

/* A new, empty address space for a PASID. */
struct iopf_lane_attach {
	__u32 pasid;
	__u32 flags;
};

/* Its end. Groups that are open are answered invalid. */
struct iopf_lane_detach {
	__u32 pasid;
	__u32 flags;
};

/* Pages in [iova, iova + length) are mapped when asked for; elsewhere the answer is
 * invalid, as it is for writing to what is read-only. Whole pages. */
struct iopf_lane_allow {
	__u32 pasid;
	__u32 perm;
	__u64 iova;
	__u64 length;
};

/* hold 1: groups wait, unanswered; 0: they are served, and all that follow. */
struct iopf_lane_hold {
	__u32 pasid;
	__u32 hold;
};

/* Answers all groups that wait with this code (0 success, 1 invalid, 2 failure) and
 * without a page. */
struct iopf_lane_answer {
	__u32 pasid;
	__u32 code;
	__u32 groups;		/* out: how many */
	__u32 reserved;
};

/* Takes pages from the device: iommu_unmap() with its invalidations, then poison. */
struct iopf_lane_unmap {
	__u32 pasid;
	__u32 flags;
	__u64 iova;
	__u64 length;
	__u64 pages;		/* out: how many were mapped */
};

/* Bytes of the address space, whether the device sees them or not. WRITE makes the pages
 * that are not there; READ fails with ENOENT. */
struct iopf_lane_copy {
	__u32 pasid;
	__u32 reserved;
	__u64 iova;
	__u64 length;
	__u64 buffer;
};

/* What the kernel's own tables say: 0 is nothing. */
struct iopf_lane_phys {
	__u32 pasid;
	__u32 reserved;
	__u64 iova;
	__u64 phys;		/* out */
};

struct iopf_lane_state {
	__u32 pasid;
	__u32 waiting;		/* groups, now */
	__u64 groups;		/* answered */
	__u64 requests;		/* in these */
	__u64 refused;		/* groups answered invalid */
	__u64 mapped;		/* pages that the device sees, now */
};

/* Pages that the device has lost, by an unmap or with their space, since the last look. */
struct iopf_lane_lost {
	__u64 pages;		/* out */
	__u64 spoiled;		/* out: of these, written afterwards */
};

/* Page requests of the function: 1 on, 0 off, while no PASID has a space (EBUSY). They
 * are on at first. EOPNOTSUPP where the kernel has no such switch any more. */
struct iopf_lane_feature {
	__u32 on;
};

#define IOPF_LANE_TYPE		'f'
#define IOPF_LANE_ATTACH	_IOW(IOPF_LANE_TYPE, 0, struct iopf_lane_attach)
#define IOPF_LANE_DETACH	_IOW(IOPF_LANE_TYPE, 1, struct iopf_lane_detach)
#define IOPF_LANE_ALLOW		_IOW(IOPF_LANE_TYPE, 2, struct iopf_lane_allow)
#define IOPF_LANE_HOLD		_IOW(IOPF_LANE_TYPE, 3, struct iopf_lane_hold)
#define IOPF_LANE_ANSWER	_IOWR(IOPF_LANE_TYPE, 4, struct iopf_lane_answer)
#define IOPF_LANE_UNMAP		_IOWR(IOPF_LANE_TYPE, 5, struct iopf_lane_unmap)
#define IOPF_LANE_READ		_IOW(IOPF_LANE_TYPE, 6, struct iopf_lane_copy)
#define IOPF_LANE_WRITE		_IOW(IOPF_LANE_TYPE, 7, struct iopf_lane_copy)
#define IOPF_LANE_PHYS		_IOWR(IOPF_LANE_TYPE, 8, struct iopf_lane_phys)
#define IOPF_LANE_STATE		_IOWR(IOPF_LANE_TYPE, 9, struct iopf_lane_state)
#define IOPF_LANE_FEATURE	_IOW(IOPF_LANE_TYPE, 10, struct iopf_lane_feature)
#define IOPF_LANE_RESET		_IO(IOPF_LANE_TYPE, 11)	/* pci_reset_function() */
#define IOPF_LANE_LOST		_IOR(IOPF_LANE_TYPE, 12, struct iopf_lane_lost)

#endif
