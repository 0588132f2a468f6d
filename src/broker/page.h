/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/page.h - what is remembered of pages: which were told to try again, over a quota,
 * and which were asked again though their owner had said success.
 *
 * The tables are of each interface, a part of its credits. Whoever floods a table makes
 * nobody forgotten: what finds no place is not told to try again; or is counted when it is
 * asked the next time after a place became free. A page that was told to try again keeps
 * its place for a second. One that its owner said success for keeps it for a millisecond,
 * and twice as long with each time that it was asked again: most are never asked again,
 * or come in the end, and would hide those that a job hangs on.
 */
#ifndef BROKER_PAGE_H
#define BROKER_PAGE_H

#include "broker/ledger.h"

#define PAGE_OF(addr)   ((addr) & ~UINT64_C(0xfff))
#define PAGE_TIMES_MASK UINT64_C(0xff0)
#define PAGE_ONE_TIME   UINT64_C(0x10)
#define PAGE_FIRST_NS   UINT64_C(1000000)
#define PAGE_DOUBLINGS  6 /* 64 ms at most */

static inline bool page_is_known(const struct memory_of_page *it, uint64_t now_ns)
{
	return it->page != 0 && now_ns - it->ns < PAGE_MEMORY_NS;
}

static inline uint32_t page_times(const struct memory_of_page *it)
{
	return (uint32_t)(it->page & PAGE_TIMES_MASK) >> 4;
}

/* Success was said for it, and nobody else gets its place. */
static inline bool page_stays(const struct memory_of_page *it, uint64_t now_ns)
{
	uint32_t times = page_times(it);
	uint64_t most_ns =
		PAGE_FIRST_NS << (times < PAGE_DOUBLINGS ? times : PAGE_DOUBLINGS);

	return it->page != 0 && now_ns - it->ns < most_ns;
}

/* Where what is known of a page may stand, out of @count. */
static inline uint32_t page_place(uint64_t addr, uint64_t who, uint32_t count)
{
	uint64_t hash = ((addr >> 12) + who) * MAP_RATIO;

	return (uint32_t)((hash >> 32) * count >> 32);
}

/* As many as fit the slots of the interface, whatever their first. */
static inline uint32_t success_count(const struct endpoint *endpoint)
{
	return (slot_count(endpoint) - SUCCESS_CREDITS + 1) / SUCCESS_CREDITS;
}

static inline struct memory_of_page *successes_of(const struct iopf_broker *broker,
						  const struct endpoint *endpoint)
{
	return &broker->successes[(endpoint->slot_first + SUCCESS_CREDITS - 1) /
				  SUCCESS_CREDITS];
}

static inline struct memory_of_page *success_place(const struct iopf_broker *broker,
						   const struct endpoint *endpoint,
						   uint64_t who, uint64_t addr)
{
	return successes_of(broker, endpoint) +
	       page_place(addr, who, success_count(endpoint));
}

/* Most pages: success is not remembered, since their place is another's for now. */
static inline bool page_is_passed_over(const struct iopf_broker *broker,
				       const struct endpoint *endpoint,
				       const struct group *group, uint64_t clock_ns)
{
	uint64_t who = binding_who(&group->bound);
	const struct memory_of_page *it =
		success_place(broker, endpoint, who, group->addr);

	return (PAGE_OF(it->page) != PAGE_OF(group->addr) || it->who != who) &&
	       page_stays(it, clock_ns);
}

/* Whether @group, which is over a quota, may be told to try again; that is remembered. */
bool page_may_retry(struct iopf_broker *broker, const struct group *group,
		    uint64_t now_ns);
/*
 * The owner of @group says success. A page that was asked again after that, and within a
 * second, was not made present; pages that were asked together were not asked again.
 * Returns: whether one of its pages was asked @limit times too often.
 */
bool page_success(struct iopf_broker *broker, const struct group *group, uint32_t limit,
		  uint64_t clock_ns);
/* What owners have said so far of pages of (endpoint @id, @pasid) is over. */
void page_forget(struct iopf_broker *broker, uint32_t id, uint32_t pasid);
/* Nothing is known of pages of the interface. */
void page_forget_all(struct iopf_broker *broker, const struct endpoint *interface);

#endif
