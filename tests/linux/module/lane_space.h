/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lane_space.h - an address space of the kernel's own making, attached to one PASID of
 * the function. Calls sleep; any thread, but nothing beside or after close.
 */
#ifndef LANE_SPACE_H
#define LANE_SPACE_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/types.h>

struct iopf_lane_allow;
struct iopf_lane_copy;
struct iopf_lane_lost;
struct iopf_lane_state;
struct workqueue_struct;
struct lane_space;

/* Without a handler the kernel answers its page requests. */
int lane_space_open(struct device *dev, struct workqueue_struct *workqueue, u32 pasid,
		    bool handler, struct lane_space **space);
/* Well behaved: answers, then detaches. Late: the PASID is gone before its groups are
 * answered. Either way all are before the domain is freed. */
void lane_space_close(struct lane_space *space, bool late);

u32 lane_space_pasid(const struct lane_space *space);
int lane_space_allow(struct lane_space *space, const struct iopf_lane_allow *allow);
void lane_space_hold(struct lane_space *space, bool hold);
/* From its return to that of the opposite no group is open; they are invalid. */
void lane_space_pause(struct lane_space *space, bool pause);
/* Returns how many groups waited. */
u32 lane_space_answer(struct lane_space *space, enum iommu_page_response_code code);
/* Returns how many pages were mapped. Runs of them go in one call. */
u64 lane_space_unmap(struct lane_space *space, u64 iova, u64 length, bool keep);
int lane_space_copy(struct lane_space *space, const struct iopf_lane_copy *copy, bool write);
u64 lane_space_phys(struct lane_space *space, u64 iova);
void lane_space_state(struct lane_space *space, struct iopf_lane_state *state);

/* What devices have lost of all spaces, open and closed, since the last call; it is freed. */
void lane_space_lost(struct iopf_lane_lost *lost);

#endif
