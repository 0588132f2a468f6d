// SPDX-License-Identifier: GPL-2.0
/*
 * lane_space.c - an address space of the kernel's own making: what it holds, what the
 * device sees of it, and the groups that ask for more.
 *
 * Two locks of a space, outer first: lock (pages, mappings, counters), then queue_lock
 * (groups that wait). The kernel's fault handler takes the inner one only, so that a
 * detach, which flushes the handler, may be done under any other. Innermost is lost_lock.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "iopf_lane.h"
#include "lane_space.h"

#define LANE_RANGES	8
#define LANE_MAPPED	XA_MARK_0	/* the device sees the page */
#define LANE_KNOWN	XA_MARK_1	/* it has seen it */
#define LANE_POISON	0xa5

struct lane_range {
	u64 start, end;
	u32 perm;
};

struct lane_space {
	struct device *dev;
	struct iommu_domain *domain;
	struct iommu_attach_handle handle;
	u32 pasid;

	struct mutex lock;
	struct xarray pages;		/* by page number */
	struct lane_range ranges[LANE_RANGES];
	unsigned int range_count;
	u64 groups, requests, refused, mapped;

	spinlock_t queue_lock;
	struct list_head queue;		/* iopf_group.node: asked, not yet answered */
	u32 waiting;
	bool hold;			/* let them wait */
	bool pause;			/* none may be open: invalid from within the handler */
	bool closed;			/* the answer is invalid, whatever they ask */
	struct workqueue_struct *workqueue;
	struct work_struct work;
};

/* Pages that a device has lost: poisoned, by page.lru, until somebody looks. */
static LIST_HEAD(lost_pages);
static DEFINE_MUTEX(lost_lock);

/* ---- Pages ------------------------------------------------------------------------- */

static struct page *space_page(struct lane_space *space, unsigned long index)
{
	struct page *page = xa_load(&space->pages, index);
	int error;

	if (page)
		return page;
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return ERR_PTR(-ENOMEM);
	error = xa_err(xa_store(&space->pages, index, page, GFP_KERNEL));
	if (!error)
		return page;
	__free_page(page);
	return ERR_PTR(error);
}

static u32 space_perm(const struct lane_space *space, u64 iova)
{
	unsigned int i;

	for (i = 0; i < space->range_count; i++)
		if (iova >= space->ranges[i].start && iova < space->ranges[i].end)
			return space->ranges[i].perm;
	return 0;
}

/* The page that a request asks for becomes visible. */
static int space_map(struct lane_space *space, const struct iommu_fault_page_request *request)
{
	u64 iova = request->addr & PAGE_MASK;
	u32 perm = space_perm(space, iova);
	unsigned long index = iova >> PAGE_SHIFT;
	int prot = perm == IOPF_LANE_READ_WRITE ? IOMMU_READ | IOMMU_WRITE : IOMMU_READ;
	struct page *page;
	int error;

	if (!perm || (request->perm & IOMMU_FAULT_PERM_WRITE && perm != IOPF_LANE_READ_WRITE))
		return -EFAULT;
	if (xa_get_mark(&space->pages, index, LANE_MAPPED))
		return 0;
	page = space_page(space, index);
	if (IS_ERR(page))
		return PTR_ERR(page);
	error = iommu_map(space->domain, iova, page_to_phys(page), PAGE_SIZE, prot, GFP_KERNEL);
	if (error)
		return error;
	xa_set_mark(&space->pages, index, LANE_MAPPED);
	xa_set_mark(&space->pages, index, LANE_KNOWN);
	space->mapped++;
	return 0;
}

/* How many pages from @index to @last, before the first that is not mapped. */
static unsigned long space_run(struct lane_space *space, unsigned long index, unsigned long last)
{
	unsigned long first = index;

	while (index <= last && xa_get_mark(&space->pages, index, LANE_MAPPED))
		index++;
	return index - first;
}

static void space_lose(struct lane_space *space, unsigned long index)
{
	struct page *page = xa_erase(&space->pages, index);

	memset(page_address(page), LANE_POISON, PAGE_SIZE);
	mutex_lock(&lost_lock);
	list_add_tail(&page->lru, &lost_pages);
	mutex_unlock(&lost_lock);
}

u64 lane_space_unmap(struct lane_space *space, u64 iova, u64 length, bool keep)
{
	unsigned long index = iova >> PAGE_SHIFT, last = index + (length >> PAGE_SHIFT) - 1;
	unsigned long count, i;
	u64 pages = 0;

	mutex_lock(&space->lock);
	while (xa_find(&space->pages, &index, last, LANE_MAPPED)) {
		count = space_run(space, index, last);
		iommu_unmap(space->domain, (u64)index << PAGE_SHIFT, count << PAGE_SHIFT);
		for (i = 0; i < count; i++) {
			xa_clear_mark(&space->pages, index + i, LANE_MAPPED);
			if (!keep)
				space_lose(space, index + i);
		}
		space->mapped -= count;
		pages += count;
		index += count;
		cond_resched();
	}
	mutex_unlock(&space->lock);
	return pages;
}

/* The device cannot see any of them any more. */
static void space_free_pages(struct lane_space *space)
{
	struct page *page;
	unsigned long index;

	xa_for_each_marked(&space->pages, index, page, LANE_KNOWN)
		space_lose(space, index);
	xa_for_each(&space->pages, index, page)
		__free_page(page);
	xa_destroy(&space->pages);
}

void lane_space_lost(struct iopf_lane_lost *lost)
{
	struct page *page, *next;

	*lost = (struct iopf_lane_lost){};
	mutex_lock(&lost_lock);
	list_for_each_entry_safe(page, next, &lost_pages, lru) {
		lost->pages++;
		lost->spoiled += memchr_inv(page_address(page), LANE_POISON, PAGE_SIZE) != NULL;
		list_del(&page->lru);
		__free_page(page);
	}
	mutex_unlock(&lost_lock);
}

int lane_space_allow(struct lane_space *space, const struct iopf_lane_allow *allow)
{
	int error = -ENOSPC;

	mutex_lock(&space->lock);
	if (space->range_count < LANE_RANGES) {
		space->ranges[space->range_count++] = (struct lane_range){
			.start = allow->iova,
			.end = allow->iova + allow->length,
			.perm = allow->perm,
		};
		error = 0;
	}
	mutex_unlock(&space->lock);
	return error;
}

/* Of one page at most. */
static int space_copy_piece(struct lane_space *space, u64 iova, size_t bytes,
			    void __user *buffer, bool write)
{
	unsigned long index = iova >> PAGE_SHIFT;
	struct page *page = write ? space_page(space, index) : xa_load(&space->pages, index);
	void *data;

	if (IS_ERR_OR_NULL(page))
		return page ? PTR_ERR(page) : -ENOENT;
	data = page_address(page) + offset_in_page(iova);
	if (write ? copy_from_user(data, buffer, bytes) : copy_to_user(buffer, data, bytes))
		return -EFAULT;
	return 0;
}

int lane_space_copy(struct lane_space *space, const struct iopf_lane_copy *copy, bool write)
{
	u64 done = 0, iova, bytes;
	int error = 0;

	while (done < copy->length && !error) {
		iova = copy->iova + done;
		bytes = min_t(u64, copy->length - done, PAGE_SIZE - offset_in_page(iova));
		mutex_lock(&space->lock);
		error = space_copy_piece(space, iova, bytes,
					 u64_to_user_ptr(copy->buffer + done), write);
		mutex_unlock(&space->lock);
		done += bytes;
		cond_resched();
	}
	return error;
}

u64 lane_space_phys(struct lane_space *space, u64 iova)
{
	return iommu_iova_to_phys(space->domain, iova);
}

/* ---- Groups: the handler queues, the worker answers -------------------------------- */

static int space_handle(struct iopf_group *group)
{
	struct lane_space *space = container_of(group->attach_handle, struct lane_space, handle);
	bool pause;

	spin_lock(&space->queue_lock);
	pause = space->pause;
	if (!pause) {
		list_add_tail(&group->node, &space->queue);
		space->waiting++;
	}
	if (!pause && !space->hold)
		queue_work(space->workqueue, &space->work);
	spin_unlock(&space->queue_lock);
	if (pause) {
		iopf_group_response(group, IOMMU_PAGE_RESP_INVALID);
		iopf_free_group(group);
	}
	return 0;
}

static struct iopf_group *space_dequeue(struct lane_space *space, bool even_held)
{
	struct iopf_group *group = NULL;

	spin_lock(&space->queue_lock);
	if (even_held || !space->hold)
		group = list_first_entry_or_null(&space->queue, struct iopf_group, node);
	if (group) {
		list_del(&group->node);
		space->waiting--;
	}
	spin_unlock(&space->queue_lock);
	return group;
}

static void space_respond(struct lane_space *space, struct iopf_group *group,
			  enum iommu_page_response_code code)
{
	space->groups++;
	space->requests += group->fault_count;
	space->refused += code == IOMMU_PAGE_RESP_INVALID;
	iopf_group_response(group, code);
	iopf_free_group(group);
}

static enum iommu_page_response_code space_resolve(struct lane_space *space,
						   struct iopf_group *group)
{
	struct iopf_fault *fault;

	if (READ_ONCE(space->closed))
		return IOMMU_PAGE_RESP_INVALID;
	list_for_each_entry(fault, &group->faults, list)
		if (space_map(space, &fault->fault.prm))
			return IOMMU_PAGE_RESP_INVALID;
	return IOMMU_PAGE_RESP_SUCCESS;
}

static void space_work(struct work_struct *work)
{
	struct lane_space *space = container_of(work, struct lane_space, work);
	struct iopf_group *group;

	while ((group = space_dequeue(space, false)) != NULL) {
		mutex_lock(&space->lock);
		space_respond(space, group, space_resolve(space, group));
		mutex_unlock(&space->lock);
		cond_resched();
	}
}

void lane_space_hold(struct lane_space *space, bool hold)
{
	spin_lock(&space->queue_lock);
	space->hold = hold;
	if (!hold)
		queue_work(space->workqueue, &space->work);
	spin_unlock(&space->queue_lock);
}

u32 lane_space_answer(struct lane_space *space, enum iommu_page_response_code code)
{
	u32 waiting = READ_ONCE(space->waiting), count;
	struct iopf_group *group;

	/* Not what comes because of these answers. */
	mutex_lock(&space->lock);
	for (count = 0; count < waiting; count++) {
		group = space_dequeue(space, true);
		if (!group)
			break;
		space_respond(space, group, code);
	}
	mutex_unlock(&space->lock);
	return count;
}

void lane_space_pause(struct lane_space *space, bool pause)
{
	spin_lock(&space->queue_lock);
	space->pause = pause;
	spin_unlock(&space->queue_lock);
	if (!pause)
		return;
	lane_space_answer(space, IOMMU_PAGE_RESP_INVALID);
	flush_work(&space->work);
}

/* What waits, and what still comes, is answered invalid. */
static void space_end_groups(struct lane_space *space)
{
	WRITE_ONCE(space->closed, true);
	lane_space_hold(space, false);
	flush_work(&space->work);
}

void lane_space_state(struct lane_space *space, struct iopf_lane_state *state)
{
	mutex_lock(&space->lock);
	state->groups = space->groups;
	state->requests = space->requests;
	state->refused = space->refused;
	state->mapped = space->mapped;
	mutex_unlock(&space->lock);
	state->waiting = READ_ONCE(space->waiting);
}

/* ---- Coming and going -------------------------------------------------------------- */

u32 lane_space_pasid(const struct lane_space *space)
{
	return space->pasid;
}

static struct lane_space *space_new(struct device *dev, struct workqueue_struct *workqueue,
				    u32 pasid)
{
	struct lane_space *space = kzalloc(sizeof(*space), GFP_KERNEL);

	if (!space)
		return NULL;
	space->dev = dev;
	space->workqueue = workqueue;
	space->pasid = pasid;
	mutex_init(&space->lock);
	xa_init(&space->pages);
	spin_lock_init(&space->queue_lock);
	INIT_LIST_HEAD(&space->queue);
	INIT_WORK(&space->work, space_work);
	return space;
}

static int space_attach(struct lane_space *space, bool handler)
{
	int error;

	space->domain = iommu_paging_domain_alloc(space->dev);
	if (IS_ERR(space->domain))
		return PTR_ERR(space->domain);
	if (handler)
		space->domain->iopf_handler = space_handle;
	error = iommu_attach_device_pasid(space->domain, space->dev, space->pasid,
					  &space->handle);
	if (error)
		iommu_domain_free(space->domain);
	return error;
}

int lane_space_open(struct device *dev, struct workqueue_struct *workqueue, u32 pasid,
		    bool handler, struct lane_space **space)
{
	struct lane_space *opened = space_new(dev, workqueue, pasid);
	int error;

	if (!opened)
		return -ENOMEM;
	error = space_attach(opened, handler);
	if (error)
		kfree(opened);
	else
		*space = opened;
	return error;
}

void lane_space_close(struct lane_space *space, bool late)
{
	if (late)
		lane_space_hold(space, true);
	else
		space_end_groups(space);
	iommu_detach_device_pasid(space->domain, space->dev, space->pasid);
	/* Also what the detach itself flushed out of the queue. */
	space_end_groups(space);
	iommu_domain_free(space->domain);
	space_free_pages(space);
	kfree(space);
}
