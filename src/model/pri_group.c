/* SPDX-License-Identifier: BSD-3-Clause */
/* model/pri_group.c - the books of a page request interface: groups, credits, status. */
#include <assert.h>
#include <errno.h>

#include "model/function_state.h"

/* ---- Registers ----------------------------------------------------------------- */

bool pri_enabled(const struct model_function *function)
{
	return config_get(&function->physical->config, CONFIG_PRI_CONTROL, 2) & PRI_ENABLE;
}

void pri_status_set(struct model_function *function, uint32_t bits, bool on)
{
	config_set_bits(&function->physical->config, CONFIG_PRI_STATUS, 2, bits, on);
}

bool pri_paging(const struct model_function *function)
{
	return pri_enabled(function) && !function->physical->pri.failed &&
	       !function->gone;
}

uint32_t pri_allocation(const struct model_function *function)
{
	const struct model_function *physical = function->physical;
	uint32_t granted = config_get(&physical->config, CONFIG_PRI_ALLOCATION, 4);
	uint32_t capacity = physical->options.capacity;

	return granted < capacity ? granted : capacity;
}

/* Stopped: disabled, and nothing that was issued is outstanding. After a response
 * failure no more responses are expected. */
void pri_settle_stopped(struct model_function *function)
{
	const struct pri *pri = &function->physical->pri;
	uint32_t groups = pri->in_state[PRI_OPEN] + pri->in_state[PRI_WAITING] +
			  pri->in_state[PRI_STALE];

	pri_status_set(function, PRI_STOPPED,
		       !pri_enabled(function) && (groups == 0 || pri->failed));
}

/* ---- Groups -------------------------------------------------------------------- */

/* Where responses carry no PASID, an index is a name in the whole function; in either
 * case virtual functions choose among the same. */
static uint64_t key_of(const struct model_function *function, uint32_t pasid,
		       uint16_t index)
{
	bool pasids = function->physical->options.pasid_in_response;

	return (uint64_t)(pasids ? pasid : 0) << 9 | index;
}

struct pri_group *pri_group_find(const struct model_function *function, uint32_t pasid,
				 uint16_t index)
{
	const struct pri *pri = &function->physical->pri;
	uint32_t n = map_find(&pri->by_key, key_of(function, pasid, index));

	return n == MAP_NONE ? NULL : &pri->groups[n];
}

void pri_group_move(struct pri *pri, struct pri_group *group,
		       enum pri_group_state state)
{
	static const uint8_t next[PRI_STATE_COUNT] = {
		[PRI_FREE] = 1 << PRI_OPEN,
		[PRI_OPEN] = 1 << PRI_WAITING | 1 << PRI_STALE | 1 << PRI_FREE,
		[PRI_WAITING] = 1 << PRI_STALE | 1 << PRI_FREE,
		[PRI_STALE] = 1 << PRI_FREE,
	};

	assert(next[group->state] >> state & 1);
	pri->in_state[group->state]--;
	pri->in_state[state]++;
	group->state = (uint8_t)state;
}

/* The index must be free. NULL: no slot is. */
struct pri_group *pri_group_new(struct model_function *function, uint32_t pasid,
				uint16_t index, uint32_t cookie)
{
	struct pri *pri = &function->physical->pri;
	uint32_t n = pri->first_free;
	struct pri_group *group;

	if (n == MAP_NONE || !map_add(&pri->by_key, key_of(function, pasid, index), n))
		return NULL;
	group = &pri->groups[n];
	pri->first_free = group->next_free;
	*group = (struct pri_group){ .function = function, .pasid = pasid,
				     .index = index, .cookie = cookie };
	pri_group_move(pri, group, PRI_OPEN);
	return group;
}

void pri_group_free(struct model_function *function, struct pri_group *group)
{
	struct pri *pri = &function->physical->pri;
	bool was_there =
		map_remove(&pri->by_key, key_of(function, group->pasid, group->index));

	assert(was_there);
	(void)was_there;
	pri->closing -= group->closing;
	group->closing = false;
	pri->credits_in_use -= group->requests;
	pri_group_move(pri, group, PRI_FREE);
	group->next_free = pri->first_free;
	pri->first_free = (uint32_t)(group - pri->groups);
}

/* In turn, so that an old index is used again as late as possible; a function that has
 * one space of indices per PASID takes the lowest, as it would with a queue per PASID. */
int pri_index_choose(const struct model_function *function, uint32_t pasid)
{
	const struct model_function *physical = function->physical;
	uint32_t from = physical->options.index_per_pasid ? 0 : physical->pri.next_index;

	for (uint32_t n = 0; n < PRI_INDEX_COUNT; n++) {
		uint16_t index = (uint16_t)((from + n) % PRI_INDEX_COUNT);

		if (pri_group_find(function, pasid, index) == NULL)
			return index;
	}
	return -EAGAIN;
}
