/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/group.c - groups of requests, by interface, endpoint, PASID and index. */
#include "judge/book.h"

#include <string.h>

/* ---- Lists ------------------------------------------------------------------------- */

static void list_add(struct iopf_judge *judge, struct book_list *list, uint32_t number,
		     enum book_link link)
{
	struct book_group *group = &judge->groups[number];

	group->next[link] = BOOK_NONE;
	group->prev[link] = list->last;
	if (list->last == BOOK_NONE)
		list->first = number;
	else
		judge->groups[list->last].next[link] = number;
	list->last = number;
}

static void list_remove(struct iopf_judge *judge, struct book_list *list, uint32_t number,
			enum book_link link)
{
	const struct book_group *group = &judge->groups[number];
	uint32_t next = group->next[link], prev = group->prev[link];

	if (prev == BOOK_NONE)
		list->first = next;
	else
		judge->groups[prev].next[link] = next;
	if (next == BOOK_NONE)
		list->last = prev;
	else
		judge->groups[next].prev[link] = prev;
}

static bool is_live(const struct book_group *group)
{
	return group->state == BOOK_OPEN || group->state == BOOK_WAITING;
}

static struct book_list *list_of(struct iopf_judge *judge, const struct book_group *group)
{
	return is_live(group) ? &judge->endpoints[group->endpoint].live[group->interface] :
				&judge->closed;
}

void book_space_unlink(struct iopf_judge *judge, struct book_group *group)
{
	if (group->in_space == BOOK_NONE)
		return;
	list_remove(judge, &judge->spaces[group->in_space].list[group->interface],
		    book_number(judge, group), BOOK_SPACE);
	group->in_space = BOOK_NONE;
}

/* ---- Names ------------------------------------------------------------------------- */

/* A tag names its transaction, and where responses carry no PASID an index its group. */
static uint64_t group_key(const struct iopf_judge *judge, uint32_t endpoint,
			  uint8_t interface, uint32_t pasid, uint16_t index, bool stall)
{
	bool alone = stall || judge->endpoints[endpoint].pasid_in_response != 1;

	pasid = (alone ? BOOK_PASID_ALL : pasid) & BOOK_PASID_MASK;
	return (uint64_t)endpoint << 48 | (uint64_t)interface << 46 | (uint64_t)pasid << 24 |
	       (uint64_t)stall << 16 | index;
}

static uint64_t cookie_key(uint32_t source, uint64_t cookie)
{
	return (uint64_t)source << 48 | (uint64_t)IOPF_AT_KERNEL << 46 | (uint32_t)cookie;
}

static struct book_group *find(struct iopf_judge *judge, uint64_t key)
{
	uint32_t number = map_find(&judge->keys, key);

	return number == MAP_NONE ? NULL : &judge->groups[number];
}

struct book_group *book_group_find(struct iopf_judge *judge, uint32_t endpoint,
				   uint8_t interface, uint32_t pasid, uint16_t index,
				   bool stall)
{
	return find(judge, group_key(judge, endpoint, interface, pasid, index, stall));
}

struct book_group *book_cookie_find(struct iopf_judge *judge, uint32_t source,
				    uint64_t cookie)
{
	return find(judge, cookie_key(source, cookie));
}

/* ---- Made, closed ------------------------------------------------------------------ */

/* What it holds comes back. */
static void give_back(struct iopf_judge *judge, struct book_group *group)
{
	struct book_endpoint *endpoint = &judge->endpoints[group->endpoint];
	struct book_source *source = book_source(judge, endpoint->source);

	if (group->stall && group->interface == IOPF_AT_FUNCTION && source != NULL)
		source->stalled--;
	else if (!group->stall)
		book_interface(judge, endpoint)->in_flight[group->interface] -=
			group->requests;
}

void book_group_close(struct iopf_judge *judge, struct book_group *group,
		      enum book_state state)
{
	uint32_t number = book_number(judge, group);
	struct book_show *show = NULL;

	if (group->interface == IOPF_AT_QUEUE)
		show = book_show_find(judge, group->token);
	if (show != NULL)
		book_show_over(judge, show);
	if (is_live(group))
		give_back(judge, group);
	book_space_unlink(judge, group);
	list_remove(judge, list_of(judge, group), number, BOOK_LIVE);
	group->state = (uint8_t)state;
	group->end_line = judge->line;
	list_add(judge, &judge->closed, number, BOOK_LIVE);
}

void book_group_wait(struct iopf_judge *judge, struct book_group *group, uint32_t space)
{
	group->state = BOOK_WAITING;
	group->last_line = judge->line;
	if (space == BOOK_NONE)
		return;
	group->in_space = space;
	list_add(judge, &judge->spaces[space].list[group->interface],
		 book_number(judge, group), BOOK_SPACE);
}

/* Of the one in whose place it comes only what the queue has not shown yet is kept. */
static uint32_t vacate(struct iopf_judge *judge, uint32_t number)
{
	struct book_group *group = &judge->groups[number];
	uint32_t leftover = group->leftover + group->requests - group->matched;
	struct book_show *show = NULL;

	if (is_live(group) && group->interface == IOPF_AT_QUEUE)
		show = book_show_find(judge, group->token);
	if (is_live(group))
		book_group_close(judge, group, BOOK_FORGOTTEN);
	if (show != NULL)
		show->ended = false; /* its name was used again: it is not over by that */
	list_remove(judge, &judge->closed, number, BOOK_LIVE);
	return group->state == BOOK_MARKED ? 0 : leftover;
}

/* A place: a new one, or that of the one that was closed first. */
static uint32_t place(struct iopf_judge *judge)
{
	uint32_t number = judge->closed.first;

	if (judge->group_count < judge->options.group_max)
		return judge->group_count++;
	if (number == BOOK_NONE) {
		judge->lost[BOOK_GROUPS]++;
		return BOOK_NONE;
	}
	judge->evicted_line = judge->groups[number].end_line;
	map_remove(&judge->keys, judge->groups[number].key);
	list_remove(judge, &judge->closed, number, BOOK_LIVE);
	return number;
}

static struct book_group *group_new(struct iopf_judge *judge, uint64_t key,
				    uint32_t endpoint, uint8_t interface)
{
	uint32_t number = map_find(&judge->keys, key), leftover = 0;
	struct book_group *group;

	if (number != MAP_NONE) {
		leftover = vacate(judge, number);
	} else {
		number = place(judge);
		if (number == BOOK_NONE)
			return NULL;
		map_add(&judge->keys, key, number);
	}
	group = &judge->groups[number];
	memset(group, 0, sizeof(*group));
	group->key = key;
	group->leftover = leftover;
	group->endpoint = endpoint;
	group->interface = interface;
	group->asked_line = judge->line;
	group->space = group->in_space = BOOK_NONE;
	group->pasid = IOPF_PASID_NONE;
	group->state = BOOK_OPEN;
	list_add(judge, &judge->endpoints[endpoint].live[interface], number, BOOK_LIVE);
	return group;
}

struct book_group *book_group_new(struct iopf_judge *judge, uint32_t endpoint,
				  uint8_t interface, uint32_t pasid, uint16_t index,
				  bool stall)
{
	struct book_group *group =
		group_new(judge, group_key(judge, endpoint, interface, pasid, index, stall),
			  endpoint, interface);

	if (group == NULL) {
		judge->endpoints[endpoint].unsure = true;
		judge->endpoints[endpoint].known[interface] = false;
		return NULL;
	}
	group->pasid = pasid;
	group->index = index;
	group->stall = stall;
	return group;
}

struct book_group *book_cookie_new(struct iopf_judge *judge, uint32_t source,
				   uint64_t cookie, uint32_t endpoint)
{
	struct book_group *group = group_new(judge, cookie_key(source, cookie), endpoint,
					     IOPF_AT_KERNEL);

	if (group != NULL)
		group->token = cookie;
	return group;
}

void book_forget(struct iopf_judge *judge, uint32_t endpoint, uint8_t interface)
{
	struct book_endpoint *it = &judge->endpoints[endpoint];

	for (unsigned at = 0; at < IOPF_AT_COUNT; at++) {
		if (interface != IOPF_AT_COUNT && interface != at)
			continue;
		while (it->live[at].first != BOOK_NONE)
			book_group_close(judge, &judge->groups[it->live[at].first],
					 BOOK_FORGOTTEN);
	}
}
