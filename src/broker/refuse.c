/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/refuse.c - the long way of an answer: why is it not right, or what is special? */
#include "broker/page.h"

#include <errno.h>

/* Whether its owner was shown its token: at its present state, or before it ended. */
static bool is_known(const struct group *group)
{
	if (group->state == IOPF_GROUP_FREE || group->state == IOPF_GROUP_LEAVING)
		return !(group->flags & GROUP_UNSEEN);
	return group->state == IOPF_GROUP_DELIVERED;
}

/* Which check the token of an answer fails; IOPF_COUNTER_COUNT: none. *@out: the group,
 * where this use of its slot is meant. */
static enum iopf_counter refusal(const struct iopf_broker *broker, uint32_t owner,
				 uint64_t token, const struct group **out)
{
	uint32_t slot = TOKEN_SLOT(token), generation = TOKEN_GENERATION(token);
	const struct group *group;

	if (TOKEN_INSTANCE(token) != broker->options.instance ||
	    slot >= broker->slot_count)
		return IOPF_COUNTER_refused_unknown;
	group = &broker->groups[slot];
	if (generation <= broker->options.first_generation || token > group->token)
		return IOPF_COUNTER_refused_unknown;
	if (token < group->token)
		return IOPF_COUNTER_refused_stale;
	if (!is_known(group))
		return IOPF_COUNTER_refused_unknown;
	*out = group;
	if (group->bound.owner != owner)
		return IOPF_COUNTER_refused_foreign;
	if (group->state == IOPF_GROUP_DELIVERED)
		return IOPF_COUNTER_COUNT;
	return ENDED_ENDING(group->ended) <= IOPF_ENDING_failure ?
		       IOPF_COUNTER_refused_duplicate :
		       IOPF_COUNTER_refused_stale;
}

COLD static int refuse(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		       const struct group *group, enum iopf_counter why, uint64_t now_ns)
{
	uint32_t endpoint = group != NULL ? group->bound.endpoint : IOPF_NO_ID;

	count_by(&row_of_owner(broker, owner)->counter[why], 1);
	if (group != NULL)
		count_by(&row_of_group(broker, group)->counter[why], 1);
	tell(broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_REFUSED,
				  .detail = (uint8_t)why,
				  .source = IOPF_NO_ID,
				  .endpoint = endpoint,
				  .owner = owner,
				  .pasid = IOPF_PASID_NONE,
				  .token = token,
				  .value = owner },
	     now_ns);
	return why == IOPF_COUNTER_refused_forbidden ? -EPERM : -ENOENT;
}

/* Failure stops the page request interface of the whole function, and of those that use
 * it: only for one who may, and to whom all of it belongs. */
static bool may_fail(const struct iopf_broker *broker, const struct group *group)
{
	return broker->owners[group->bound.owner].flags & IOPF_OWNER_MAY_FAIL &&
	       share_is_alone(broker, group->bound.endpoint, group->bound.owner);
}

static const uint8_t ending_of_code[] = {
	[IOPF_SUCCESS] = IOPF_ENDING_success,
	[IOPF_INVALID] = IOPF_ENDING_invalid,
	[IOPF_FAILURE] = IOPF_ENDING_failure,
};
_Static_assert(sizeof(ending_of_code) == IOPF_CODE_COUNT, "an ending each");

/* Its owner says success, and the page was asked again and again after that. */
COLD static void take_lie(struct iopf_broker *broker, uint32_t slot, uint64_t now_ns)
{
	const struct group *group = &broker->groups[slot];

	COUNT(row_of_group(broker, group), liar);
	COUNT(row_of_owner(broker, group->bound.owner), liar);
	tell(broker,
	     (struct iopf_event){ .kind = IOPF_EVENT_LIAR,
				  .source = group->source,
				  .endpoint = group->bound.endpoint,
				  .owner = group->bound.owner,
				  .pasid = group->bound.pasid,
				  .rid = group_rid(broker, group),
				  .token = group->token,
				  .value = group->addr },
	     now_ns);
	group_leave(broker, slot, IOPF_INVALID, IOPF_ENDING_liar);
}

static bool is_lie(struct iopf_broker *broker, const struct group *group, uint64_t now_ns)
{
	const struct owner *owner = &broker->owners[group->bound.owner];

	return owner->liar_limit != 0 && page_success(broker, group, owner->liar_limit,
						      owner_clock(owner, now_ns));
}

static void take_answer(struct iopf_broker *broker, uint32_t slot, enum iopf_code code,
			uint64_t now_ns)
{
	const struct group *group = &broker->groups[slot];

	record(broker, now_ns, IOPF_RECORD_ANSWER, group, group->addr, (uint8_t)code);
	if (code == IOPF_SUCCESS && is_lie(broker, group, now_ns)) {
		take_lie(broker, slot, now_ns);
		return;
	}
	group_leave(broker, slot, code, (enum iopf_ending)ending_of_code[code]);
}

int answer_unusual(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		   uint32_t said, uint64_t now_ns)
{
	enum iopf_code code = said < IOPF_CODE_COUNT ? (enum iopf_code)said : IOPF_CODE_COUNT;
	const struct group *group = NULL;
	enum iopf_counter why;

	why = refusal(broker, owner, token, &group);
	if (why == IOPF_COUNTER_COUNT && code == IOPF_CODE_COUNT)
		why = IOPF_COUNTER_refused_malformed;
	else if (why == IOPF_COUNTER_COUNT && code == IOPF_FAILURE &&
		 !may_fail(broker, group))
		why = IOPF_COUNTER_refused_forbidden;
	if (why != IOPF_COUNTER_COUNT)
		return refuse(broker, owner, token, group, why, now_ns);
	take_answer(broker, TOKEN_SLOT(token), code, now_ns);
	return 0;
}
