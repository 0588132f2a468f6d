/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/page.c - what is remembered of pages, off the beaten track. */
#include "broker/page.h"

static struct memory_of_page *retries_of(const struct iopf_broker *broker,
					 const struct endpoint *interface)
{
	return &broker->retries[(interface->slot_first + RETRY_CREDITS - 1) / RETRY_CREDITS];
}

/* As many as fit the interface's slots, whatever their first. */
static uint32_t retry_count(const struct endpoint *interface)
{
	return (slot_count(interface) - RETRY_CREDITS + 1) / RETRY_CREDITS;
}

/* The place of @page among a few: its own, or one that is free; NULL. */
static struct memory_of_page *retry_place(struct iopf_broker *broker,
					  const struct endpoint *interface, uint64_t page,
					  uint64_t who, uint64_t now_ns)
{
	uint32_t sets = retry_count(interface) / RETRY_WAYS;
	struct memory_of_page *set =
		retries_of(broker, interface) + page_place(page, who, sets) * RETRY_WAYS;
	struct memory_of_page *room = NULL;

	for (unsigned way = 0; way < RETRY_WAYS; way++) {
		if (!page_is_known(&set[way], now_ns))
			room = &set[way];
		else if (set[way].who == who && PAGE_OF(set[way].page) == page)
			return &set[way];
	}
	return room;
}

bool page_may_retry(struct iopf_broker *broker, const struct group *group, uint64_t now_ns)
{
	const struct endpoint *interface =
		interface_of(broker, &broker->endpoints[group->bound.endpoint]);
	const struct attachment *attachment = &broker->attachments[group->bound.attachment];
	uint64_t most = broker->owners[attachment->owner].policy.retry_max;
	uint64_t page = PAGE_OF(group->addr), who = binding_who(&group->bound);
	struct memory_of_page *it = retry_place(broker, interface, page, who, now_ns);
	uint32_t times;

	if (it == NULL)
		return false;
	times = page_is_known(it, now_ns) ? page_times(it) : 0;
	if (times >= most)
		return false;
	*it = (struct memory_of_page){ .page = page | (times + 1) * PAGE_ONE_TIME,
				       .who = who,
				       .ns = now_ns };
	return true;
}

/* @page: with what it was asked for. */
static bool page_is_asked_again(struct iopf_broker *broker, const struct group *group,
				uint64_t page, uint32_t limit, uint64_t clock_ns)
{
	uint64_t who = binding_who(&group->bound);
	struct memory_of_page *it = success_place(
		broker, &broker->endpoints[group->bound.endpoint], who, page);

	if (it->who != who || (it->page & ~PAGE_TIMES_MASK) != page) {
		if (page_stays(it, clock_ns))
			return false;
		it->page = page;
	} else if (group->opened_ns <= it->ns) {
		return false;
	} else if (group->opened_ns - it->ns >= PAGE_MEMORY_NS) {
		it->page = page;
	} else if (page_times(it) + 1 < limit) {
		it->page += PAGE_ONE_TIME;
	} else {
		it->page = 0;
		return true;
	}
	it->who = who;
	it->ns = clock_ns;
	return false;
}

bool page_success(struct iopf_broker *broker, const struct group *group, uint32_t limit,
		  uint64_t clock_ns)
{
	const struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];
	uint64_t page = PAGE_OF(group->addr) | group->perm;
	bool again = page_is_asked_again(broker, group, page, limit, clock_ns);

	for (uint16_t link = group->unit_first; link != 0;
	     link = endpoint->units[link - 1].next) {
		const struct unit *unit = &endpoint->units[link - 1];

		page = PAGE_OF(unit->addr) | unit->perm;
		again |= page_is_asked_again(broker, group, page, limit, clock_ns);
	}
	return again;
}

/* Those that begin within @size_bytes from @addr on. */
static void forget(struct iopf_broker *broker, uint32_t id, uint32_t pasid, uint64_t addr,
		   uint64_t size_bytes)
{
	const struct endpoint *endpoint = &broker->endpoints[id];
	struct memory_of_page *successes = successes_of(broker, endpoint);
	const struct binding bound = { .pasid = pasid,
				       .endpoint = (uint16_t)id,
				       .endpoint_epoch = endpoint->epoch };
	uint64_t who = binding_who(&bound);

	for (uint32_t i = 0; i < success_count(endpoint); i++)
		if ((successes[i].who == who || pasid == IOPF_PASID_ANY) &&
		    PAGE_OF(successes[i].page) - addr < size_bytes)
			successes[i].page = 0;
}

void page_forget(struct iopf_broker *broker, uint32_t id, uint32_t pasid)
{
	forget(broker, id, pasid, 0, UINT64_MAX);
}

void page_forget_all(struct iopf_broker *broker, const struct endpoint *interface)
{
	memset(retries_of(broker, interface), 0,
	       retry_count(interface) * sizeof(*broker->retries));
	memset(successes_of(broker, interface), 0,
	       success_count(interface) * sizeof(*broker->successes));
}

void iopf_broker_invalidated(struct iopf_broker *broker, uint32_t id, uint32_t pasid,
			     uint64_t addr, uint64_t size_bytes)
{
	if (endpoint_get(broker, id) != NULL)
		forget(broker, id, pasid, addr, size_bytes);
}
