/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/page.h - what is remembered of pages: which were told to try again, over a quota,
 * and which were asked again though their owner had said success.
 *
 * The tables are of each interface, a part of its credits. Nothing is evicted within its
 * second: whoever floods a table makes nobody forgotten. What finds no place is not told
 * to try again; or is counted when it is asked the next time after a place became free.
 */
#ifndef BROKER_PAGE_H
#define BROKER_PAGE_H

#include "broker/ledger.h"

#define PAGE_OF(addr)   ((addr) & ~UINT64_C(0xfff))
#define PAGE_TIMES_MASK UINT64_C(0xff0)
#define PAGE_ONE_TIME   UINT64_C(0x10)

static inline bool page_is_known(const struct memory_of_page *it, uint64_t now_ns)
{
	return it->page != 0 && now_ns - it->ns < PAGE_MEMORY_NS;
}

static inline uint32_t page_times(const struct memory_of_page *it)
{
	return (uint32_t)(it->page & PAGE_TIMES_MASK) >> 4;
}

/* Where what is known of @page may stand, out of @count. */
static inline uint32_t page_place(uint64_t page, uint64_t who, uint32_t count)
{
	uint64_t hash = ((page >> 12) ^ who * MAP_RATIO) * MAP_RATIO;

	return (uint32_t)((hash >> 32) * count >> 32);
}

static inline struct memory_of_page *successes_of(const struct iopf_broker *broker,
						  const struct endpoint *endpoint)
{
	return &broker->successes[(endpoint->slot_first + SUCCESS_CREDITS - 1) /
				  SUCCESS_CREDITS];
}

/* As many as fit the interface's slots, whatever their first. */
static inline uint32_t success_count(const struct endpoint *endpoint)
{
	return (slot_count(endpoint) - SUCCESS_CREDITS + 1) / SUCCESS_CREDITS;
}

/*
 * The owner of @group says success for @page, which was asked for @perm. A page that was
 * asked again after that, and within a second, was not made present; pages that were
 * asked together were not asked again. Returns: whether it was asked too often.
 */
static inline bool page_success(struct iopf_broker *broker, const struct owner *owner,
				const struct group *group, uint64_t page, uint64_t clock_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];
	uint64_t who = binding_who(&group->bound);
	struct memory_of_page *it = successes_of(broker, endpoint) +
				    page_place(page, who, success_count(endpoint));

	if (it->who != who || (it->page & ~PAGE_TIMES_MASK) != page) {
		if (page_is_known(it, clock_ns)) /* another's place: its turn comes */
			return false;
		it->page = page;
	} else if (group->opened_ns <= it->ns) {
		return false;
	} else if (group->opened_ns - it->ns >= PAGE_MEMORY_NS) {
		it->page = page;
	} else if (page_times(it) + 1 < owner->liar_limit) {
		it->page += PAGE_ONE_TIME;
	} else {
		it->page = 0;
		return true;
	}
	it->who = who;
	it->ns = clock_ns;
	return false;
}

/* Whether @group, which is over a quota, may be told to try again; that is remembered. */
bool page_may_retry(struct iopf_broker *broker, const struct group *group,
		    uint64_t now_ns);
/* page_success() of all pages of @group. */
bool page_success_all(struct iopf_broker *broker, const struct owner *owner,
		      const struct group *group, uint64_t clock_ns);
/* Nothing is known of pages of the interface. */
void page_forget_all(struct iopf_broker *broker, const struct endpoint *interface);

#endif
