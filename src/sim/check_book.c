/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/check_book.c - the checkers' own books: functions, groups, whose address spaces. */
#include <errno.h>
#include <stdlib.h>

#include "sim/check_state.h"

/* ---- Create ----------------------------------------------------------------- */

static bool book_open(struct map *map, uint32_t max)
{
	void *cells = malloc(map_size_bytes(max));

	if (cells != NULL)
		map_create(map, max, cells);
	return cells != NULL;
}

int sim_check_create(const struct sim_check_options *options, struct sim_check **out)
{
	struct sim_check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return -ENOMEM;
	check->options = *options;
	check->groups = calloc(CHECK_GROUP_MAX, sizeof(*check->groups));
	check->times = calloc(CHECK_ATTACHMENT_MAX, sizeof(*check->times));
	if (check->groups == NULL || check->times == NULL ||
	    !book_open(&check->keys, CHECK_GROUP_MAX) ||
	    !book_open(&check->tokens, CHECK_GROUP_MAX) ||
	    !book_open(&check->spaces, CHECK_ATTACHMENT_MAX) ||
	    check_judge_create(check) != 0) {
		sim_check_destroy(check);
		return -ENOMEM;
	}
	for (uint32_t n = 0; n < CHECK_GROUP_MAX; n++)
		check->groups[n].link[CHECK_ALL].next =
			n + 1 < CHECK_GROUP_MAX ? n + 1 : CHECK_NONE;
	*out = check;
	return 0;
}

void sim_check_destroy(struct sim_check *check)
{
	if (check == NULL)
		return;
	free(check->keys.cells);
	free(check->tokens.cells);
	free(check->spaces.cells);
	free(check->groups);
	free(check->judge_memory);
	free(check->times);
	free(check);
}

/* ---- Functions -------------------------------------------------------------- */

struct check_function *check_function_of_rid(struct sim_check *check, uint32_t rid)
{
	for (uint32_t n = 0; n < check->function_count; n++)
		if (check->functions[n].value.rid == rid)
			return &check->functions[n];
	return NULL;
}

struct check_function *check_function_of_endpoint(struct sim_check *check,
						  uint32_t endpoint)
{
	for (uint32_t n = 0; n < check->function_count; n++)
		if (check->functions[n].endpoint == endpoint && endpoint != IOPF_NO_ID)
			return &check->functions[n];
	return NULL;
}

uint32_t check_function_number(const struct sim_check *check,
			       const struct check_function *function)
{
	return (uint32_t)(function - check->functions);
}

int sim_check_add(struct sim_check *check, const struct sim_check_function *value)
{
	struct check_function *function = &check->functions[check->function_count];

	if (check_function_of_rid(check, value->rid) != NULL)
		return -EEXIST;
	if (check->function_count == SIM_CHECK_FUNCTION_MAX)
		return -ENOSPC;
	*function = (struct check_function){ .value = *value,
					     .endpoint = IOPF_NO_ID,
					     .interface = check->function_count };
	if (value->has_physical) {
		const struct check_function *physical =
			check_function_of_rid(check, value->physical_rid);

		if (physical == NULL)
			return -ENOENT;
		function->interface = check_function_number(check, physical);
	}
	for (unsigned list = 0; list < CHECK_LIST_COUNT; list++)
		function->list[list] = (struct check_link){ CHECK_NONE, CHECK_NONE };
	check->function_count++;
	check_judge_function(check, function);
	return 0;
}

int sim_check_bind(struct sim_check *check, uint32_t rid, uint32_t endpoint)
{
	struct check_function *function = check_function_of_rid(check, rid);

	if (function == NULL)
		return -ENOENT;
	function->endpoint = endpoint;
	function->requests = 0;
	function->lasts = 0;
	for (unsigned ending = 0; ending < IOPF_ENDING_COUNT; ending++)
		function->ended[ending] = 0;
	return 0;
}

void sim_check_honest(struct sim_check *check, uint32_t rid, bool honest)
{
	struct check_function *function = check_function_of_rid(check, rid);

	if (function != NULL)
		function->value.honest = honest;
}

/* ---- Lists ------------------------------------------------------------------ */

static void list_push(struct sim_check *check, struct check_function *function,
		      uint32_t number, enum check_list list)
{
	struct check_link *ends = &function->list[list];

	check->groups[number].link[list] = (struct check_link){ CHECK_NONE, ends->prev };
	if (ends->prev != CHECK_NONE)
		check->groups[ends->prev].link[list].next = number;
	else
		ends->next = number;
	ends->prev = number;
}

static void list_remove(struct sim_check *check, struct check_function *function,
			uint32_t number, enum check_list list)
{
	struct check_link gone = check->groups[number].link[list];
	struct check_link *ends = &function->list[list];

	if (gone.prev != CHECK_NONE)
		check->groups[gone.prev].link[list].next = gone.next;
	else
		ends->next = gone.next;
	if (gone.next != CHECK_NONE)
		check->groups[gone.next].link[list].prev = gone.prev;
	else
		ends->prev = gone.prev;
}

/* ---- Groups ----------------------------------------------------------------- */

/* Where responses carry no PASID, an index is a name in the whole function. */
static uint64_t key_of(const struct sim_check *check,
		       const struct check_function *function, uint32_t pasid,
		       uint16_t index, bool stray)
{
	uint64_t space = function->pasid_in_response ? pasid & 0x1fffff : 0;

	return (uint64_t)check_function_number(check, function) << 40 | space << 16 |
	       index | (uint64_t)stray << 48;
}

struct check_group *check_group_find(struct sim_check *check,
				     const struct check_function *function, uint32_t pasid,
				     uint16_t index, bool stray)
{
	uint32_t number =
		map_find(&check->keys, key_of(check, function, pasid, index, stray));

	return number == MAP_NONE ? NULL : &check->groups[number];
}

struct check_group *check_group_of_token(struct sim_check *check, uint64_t token)
{
	uint32_t number = map_find(&check->tokens, token);

	return number == MAP_NONE ? NULL : &check->groups[number];
}

struct check_group *check_group_new(struct sim_check *check,
				    struct check_function *function, uint32_t pasid,
				    uint16_t index)
{
	uint32_t number = check->group_free;
	struct check_group *group;

	if (number == CHECK_NONE ||
	    !map_add(&check->keys, key_of(check, function, pasid, index, false), number)) {
		function->off = true;
		return NULL;
	}
	group = &check->groups[number];
	check->group_free = group->link[CHECK_ALL].next;
	*group = (struct check_group){
		.function = check_function_number(check, function),
		.pasid = pasid,
		.index = index,
		.state = CHECK_OPEN,
		.shown_to = CHECK_NONE,
		.asked = check_time_of(check, function, pasid),
	};
	list_push(check, function, number, CHECK_ALL);
	return group;
}

static void group_free(struct sim_check *check, struct check_group *group)
{
	struct check_function *function = &check->functions[group->function];
	uint32_t number = (uint32_t)(group - check->groups);

	check_group_seen(check, group);
	map_remove(&check->keys, key_of(check, function, group->pasid, group->index,
					group->state == CHECK_STRAY));
	if (group->token != 0)
		map_remove(&check->tokens, group->token);
	list_remove(check, function, number, CHECK_ALL);
	group->state = CHECK_FREE;
	group->link[CHECK_ALL].next = check->group_free;
	check->group_free = number;
}

void check_group_drop(struct sim_check *check, struct check_group *group)
{
	struct check_function *function = &check->functions[group->function];

	if (group->state != CHECK_STRAY) {
		check_interface(check, function)->credits -= group->sent;
		if (!group->responded)
			check_interface(check, function)->orphans += group->taken;
		function->open -= group->last_taken && !group->responded;
	}
	group_free(check, group);
}

void check_group_wait(struct sim_check *check, struct check_group *group)
{
	struct check_function *function = &check->functions[group->function];

	group->state = CHECK_WAITING;
	group->since_ns = check->now_ns;
	group->since_turn = check->turn;
	group->unseen = true;
	list_push(check, function, (uint32_t)(group - check->groups), CHECK_UNSEEN);
}

void check_group_seen(struct sim_check *check, struct check_group *group)
{
	struct check_function *function = &check->functions[group->function];

	if (!group->unseen)
		return;
	group->unseen = false;
	check->result[SIM_I7].checked += function->value.honest;
	list_remove(check, function, (uint32_t)(group - check->groups), CHECK_UNSEEN);
}

void check_group_token(struct sim_check *check, struct check_group *group, uint64_t token)
{
	if (group->token != 0)
		map_remove(&check->tokens, group->token);
	group->token = map_add(&check->tokens, token, (uint32_t)(group - check->groups)) ?
			       token :
			       0;
}

/* The function has forgotten it; what comes for it later is known by this. */
static void group_stray(struct sim_check *check, struct check_group *group)
{
	const struct check_function *function = &check->functions[group->function];
	uint32_t number = (uint32_t)(group - check->groups);

	check_group_seen(check, group);
	map_remove(&check->keys,
		   key_of(check, function, group->pasid, group->index, false));
	map_add(&check->keys, key_of(check, function, group->pasid, group->index, true),
		number);
	group->state = CHECK_STRAY;
}

/* What a function has in the books of its interface is not there any more. */
static void credits_clear(struct sim_check *check, struct check_function *function)
{
	struct check_function *interface = check_interface(check, function);

	for (uint32_t n = check_first(function, CHECK_ALL); n != CHECK_NONE;
	     n = check->groups[n].link[CHECK_ALL].next) {
		const struct check_group *group = &check->groups[n];

		if (group->state == CHECK_STRAY)
			continue;
		interface->credits -= group->sent;
		interface->ledger -= group->responded ? 0 : group->taken;
	}
	if (interface != function)
		return;
	function->ledger -= function->orphans;
	function->orphans = 0;
}

void check_function_clear(struct sim_check *check, struct check_function *function,
			  bool strays)
{
	credits_clear(check, function);
	for (uint32_t n = check_first(function, CHECK_ALL), next; n != CHECK_NONE; n = next) {
		struct check_group *group = &check->groups[n];

		next = group->link[CHECK_ALL].next;
		if (group->state == CHECK_STRAY ? strays : !(strays && group->last_taken))
			group_free(check, group);
	}
	for (uint32_t n = check_first(function, CHECK_ALL); n != CHECK_NONE && strays;
	     n = check->groups[n].link[CHECK_ALL].next)
		group_stray(check, &check->groups[n]);
	function->open = 0;
	function->lossy = false;
	function->off = false;
}

/* ---- Whose address space it is ---------------------------------------------- */

static uint64_t space_key(const struct sim_check *check,
			  const struct check_function *function, uint32_t pasid)
{
	return (uint64_t)check_function_number(check, function) << 32 | pasid;
}

struct check_time check_time_of(struct sim_check *check,
				const struct check_function *function, uint32_t pasid)
{
	uint32_t number = map_find(&check->spaces, space_key(check, function, pasid));

	return number == MAP_NONE ? (struct check_time){ CHECK_NONE, 0 } :
				    check->times[number];
}

void check_time_begin(struct sim_check *check, const struct check_function *function,
		      uint32_t pasid, uint32_t guest)
{
	uint64_t key = space_key(check, function, pasid);
	uint32_t number = map_find(&check->spaces, key);

	if (number == MAP_NONE) {
		number = check->spaces.count;
		if (!map_add(&check->spaces, key, number))
			return;
	}
	check->times[number].guest = guest;
	check->times[number].epoch++;
}
