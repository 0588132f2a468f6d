/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/answer.c - groups to owners, answers from them, responses out of the ledger. */
#include "broker/page.h"

#include <errno.h>

/* Eight bytes of a struct, from @first on: stored at once, since stores are what a fault
 * costs. */
#define WORD_PUT(to, first, value)                                                \
	do {                                                                      \
		uint64_t word_ = (value);                                         \
		memcpy((uint8_t *)(to) + offsetof(__typeof__(*(to)), first),      \
		       &word_, sizeof(word_));                                    \
	} while (0)

/* token and opened_ns stand together wherever a group is told of. */
#define NAME_PUT(to, group) memcpy((to), (group), 16)

#define IS_WORD(type, first, next) \
	_Static_assert(offsetof(type, next) == offsetof(type, first) + 8, #first ": a word")
#define IS_NAMED(type)                                        \
	_Static_assert(offsetof(type, token) == 0 &&          \
			       offsetof(type, opened_ns) == 8, \
		       "its name comes first")
IS_NAMED(struct group);
IS_NAMED(struct iopf_group);
IS_NAMED(struct iopf_response);
IS_WORD(struct iopf_group, endpoint, rid);
IS_WORD(struct iopf_group, rid, flags);
IS_WORD(struct iopf_group, flags, page);
IS_WORD(struct iopf_response, endpoint, pasid);
IS_WORD(struct iopf_response, pasid, code);
IS_WORD(struct iopf_response, code, private_data);

/* ---- To the owner -------------------------------------------------------------- */

/* What an owner sees of @group, which is one of @endpoint. */
static inline void group_view(const struct group *group, const struct endpoint *endpoint,
			      struct iopf_group *out)
{
	NAME_PUT(out, group);
	WORD_PUT(out, endpoint, WORD(group->bound.endpoint, group->bound.pasid));
	WORD_PUT(out, rid, WORD(endpoint->rid, HALF(group->index, group->request_count)));
	WORD_PUT(out, flags,
		 WORD(HALF(PAIR(group->flags & (GROUP_STALL | GROUP_PRIVATE), 0), 0), 0));
	out->page.addr = group->addr;
	WORD_PUT(out, page.perm, WORD(HALF(PAIR(group->perm, 0), 0), 0));
}

int iopf_broker_fetch(struct iopf_broker *broker, uint32_t owner,
		      struct iopf_group *out, uint64_t now_ns)
{
	struct owner *it = owner_get(broker, owner);
	struct endpoint *endpoint;
	struct group *group;

	if (it == NULL)
		return -ENOENT;
	if (it->fetch_cursor == NO_SLOT)
		return -EAGAIN;
	group = &broker->groups[it->fetch_cursor];
	endpoint = &broker->endpoints[group->bound.endpoint];
	it->fetch_cursor = list_next(broker->groups, &it->open, it->fetch_cursor);
	group_move(endpoint, group, IOPF_GROUP_READY, IOPF_GROUP_DELIVERED);
	COUNT(it->row, shown);
	record(broker, now_ns, IOPF_RECORD_SHOW, group, group->addr, group->perm);
	group_view(group, endpoint, out);
	return 0;
}

static struct group *open_group(const struct iopf_broker *broker, uint64_t token)
{
	uint32_t slot = TOKEN_SLOT(token);
	struct group *group;

	if (slot >= broker->slot_count)
		return NULL;
	group = &broker->groups[slot];
	if (group->token != token)
		return NULL;
	return group->state == IOPF_GROUP_READY || group->state == IOPF_GROUP_DELIVERED ?
		       group :
		       NULL;
}

int iopf_broker_group(const struct iopf_broker *broker, uint64_t token,
		      struct iopf_group *group)
{
	const struct group *open = open_group(broker, token);

	if (open == NULL)
		return -ENOENT;
	group_view(open, &broker->endpoints[open->bound.endpoint], group);
	return 0;
}

int iopf_broker_pages(const struct iopf_broker *broker, uint64_t token, uint32_t first,
		      struct iopf_page *pages, uint32_t max)
{
	const struct group *group = open_group(broker, token);
	const struct endpoint *endpoint;
	uint32_t at = 0, done = 0;
	uint16_t link;

	if (group == NULL)
		return -ENOENT;
	endpoint = &broker->endpoints[group->bound.endpoint];
	if (first == 0 && max > 0)
		pages[done++] =
			(struct iopf_page){ .addr = group->addr, .perm = group->perm };
	for (link = group->unit_first; link != 0 && done < max;
	     link = endpoint->units[link - 1].next) {
		const struct unit *unit = &endpoint->units[link - 1];

		if (++at >= first)
			pages[done++] = (struct iopf_page){ .addr = unit->addr,
							    .perm = unit->perm };
	}
	return (int)done;
}

/* ---- From the owner ------------------------------------------------------------ */

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

	count(&row_of_owner(broker, owner)->counter[why], 1);
	if (group != NULL)
		count(&row_of_group(broker, group)->counter[why], 1);
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

static inline bool is_lie(struct iopf_broker *broker, const struct owner *owner,
			  const struct group *group, uint64_t now_ns)
{
	uint64_t clock_ns = owner_clock(owner, now_ns);

	if (owner->liar_limit == 0)
		return false;
	return group->unit_first != 0 ?
		       page_success_all(broker, owner, group, clock_ns) :
		       page_success(broker, owner, group,
				    PAGE_OF(group->addr) | group->perm, clock_ns);
}

INLINE void take_answer(struct iopf_broker *broker, uint32_t id, uint32_t slot,
			enum iopf_code code, uint64_t now_ns)
{
	struct group *group = &broker->groups[slot];
	struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];
	struct owner *owner = &broker->owners[id];

	record(broker, now_ns, IOPF_RECORD_ANSWER, group, group->addr, (uint8_t)code);
	if (code == IOPF_SUCCESS && is_lie(broker, owner, group, now_ns)) {
		take_lie(broker, slot, now_ns);
		return;
	}
	now_move(endpoint, IOPF_GROUP_DELIVERED, IOPF_GROUP_LEAVING);
	owner_let_go(broker, owner, endpoint, group);
	owner_release(broker, owner, slot);
	leaving_push(broker, slot, IOPF_GROUP_DELIVERED, code, ending_of_code[code]);
}

/* The long way: why is it not right, or is it failure from one who may say that? */
COLD static int doubt(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		      enum iopf_code code, uint64_t now_ns)
{
	const struct group *group = NULL;
	enum iopf_counter why;

	if (owner_get(broker, owner) == NULL)
		return -ENOENT;
	why = refusal(broker, owner, token, &group);
	if (why == IOPF_COUNTER_COUNT && (unsigned)code >= IOPF_CODE_COUNT)
		why = IOPF_COUNTER_refused_malformed;
	else if (why == IOPF_COUNTER_COUNT && code == IOPF_FAILURE &&
		 !may_fail(broker, group))
		why = IOPF_COUNTER_refused_forbidden;
	if (why != IOPF_COUNTER_COUNT)
		return refuse(broker, owner, token, group, why, now_ns);
	take_answer(broker, owner, TOKEN_SLOT(token), code, now_ns);
	return 0;
}

/* @token is that of a group that @owner was shown and has to answer. */
static inline bool is_owed(const struct iopf_broker *broker, uint32_t owner, uint64_t token)
{
	const struct group *group = &broker->groups[TOKEN_SLOT(token)];

	return TOKEN_SLOT(token) < broker->slot_count && group->token == token &&
	       group->state == IOPF_GROUP_DELIVERED && group->bound.owner == owner;
}

int iopf_broker_answer(struct iopf_broker *broker, uint32_t owner, uint64_t token,
		       enum iopf_code code, uint64_t now_ns)
{
	if (!is_owed(broker, owner, token) || (unsigned)code > IOPF_INVALID)
		return doubt(broker, owner, token, code, now_ns);
	take_answer(broker, owner, TOKEN_SLOT(token), code, now_ns);
	return 0;
}

int iopf_broker_answer_remote(struct iopf_broker *broker, uint32_t owner, uint64_t token,
			      enum iopf_code code)
{
	struct owner *it = owner_get(broker, owner);

	if (it == NULL || broker->options.inbox_entries == 0)
		return -EINVAL;
	return inbox_put(&it->inbox, broker->options.inbox_entries, token,
			 (uint64_t)code) ?
		       0 :
		       -ENOSPC;
}

int iopf_broker_end(struct iopf_broker *broker, uint64_t token, enum iopf_code code,
		    enum iopf_ending ending, uint64_t now_ns)
{
	struct group *group = open_group(broker, token);

	if (group == NULL)
		return -ENOENT;
	if (ending <= IOPF_ENDING_failure || (unsigned)ending >= IOPF_ENDING_COUNT ||
	    iopf_ending_is_silent(ending) || (unsigned)code >= IOPF_FAILURE)
		return -EINVAL;
	group_end(broker, TOKEN_SLOT(token), code, ending, now_ns);
	return 0;
}

/* ---- Out of the ledger --------------------------------------------------------- */

static inline void response_of(const struct iopf_broker *broker, const struct group *group,
			       uint32_t endpoint, uint32_t rid, uint32_t pasid,
			       struct iopf_response *out)
{
	unsigned flags = group->flags & (unsigned)(GROUP_STALL | GROUP_PRIVATE);
	uint8_t ended = group->ended;

	NAME_PUT(out, group);
	WORD_PUT(out, endpoint, WORD(endpoint, rid));
	WORD_PUT(out, pasid, WORD(pasid, HALF(group->index, group->request_count)));
	WORD_PUT(out, code,
		 WORD(HALF(PAIR(ENDED_CODE(ended), flags), PAIR(ENDED_ENDING(ended), 0)), 0));
	memset(out->private_data, 0, sizeof(out->private_data));
	if (group->flags & GROUP_PRIVATE && broker->private_data != NULL)
		memcpy(out->private_data, broker->private_data[TOKEN_SLOT(group->token)],
		       sizeof(out->private_data));
}

static inline void count_response(struct iopf_broker *broker, const struct group *group,
				  struct iopf_stats_row *row, uint64_t now_ns)
{
	uint8_t ended = group->ended;

	record(broker, now_ns, IOPF_RECORD_RESPONSE, group, group->addr, ended);
	count(&row->counter[IOPF_COUNTER_response_success + ENDED_CODE(ended)], 1);
	count_ending(broker, group->bound.owner, row, ENDED_ENDING(ended));
}

/* A last that nobody could be given; its endpoint may be unknown. */
COLD static void respond_reserve(struct iopf_broker *broker, struct group *group,
				 struct iopf_response *out, uint64_t now_ns)
{
	uint32_t endpoint = group->bound.endpoint;

	response_of(broker, group, endpoint != NO_ENDPOINT ? endpoint : IOPF_NO_ID,
		    group_rid(broker, group), group->bound.pasid, out);
	count_response(broker, group, row_of_group(broker, group), now_ns);
	reserve_free(broker, group, now_ns);
}

static inline void respond_one(struct iopf_broker *broker, struct group *group,
			       uint32_t slot, struct iopf_response *out, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[group->bound.endpoint];

	count_response(broker, group, endpoint->row, now_ns);
	response_of(broker, group, group->bound.endpoint, endpoint->rid,
		    response_pasid(endpoint, group), out);
	group_free(broker, endpoint, slot, IOPF_GROUP_LEAVING, now_ns);
}

int iopf_broker_respond(struct iopf_broker *broker, uint32_t source,
			struct iopf_response *responses, uint32_t max, uint64_t now_ns)
{
	struct source *it = source_get(broker, source);
	struct iopf_response *out = responses, *const end = responses + max;

	if (it == NULL)
		return -ENOENT;
	for (; out < end && it->leaving.first != NO_SLOT; out++) {
		uint32_t slot = it->leaving.first;
		struct group *group = &broker->groups[slot];

		it->leaving.first = list_next(broker->groups, &it->leaving, slot);
		if (group->flags & GROUP_RESERVE)
			respond_reserve(broker, group, out, now_ns);
		else
			respond_one(broker, group, slot, out, now_ns);
	}
	return (int)(out - responses);
}

/* ---- Gauges -------------------------------------------------------------------- */

uint32_t iopf_broker_gauge(const struct iopf_broker *broker, uint32_t id,
			   enum iopf_gauge gauge)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return 0;
	switch (gauge) {
	case IOPF_GAUGE_partial:
		return endpoint->partials;
	case IOPF_GAUGE_ready:
		return NOW_OF(endpoint->now, READY);
	case IOPF_GAUGE_delivered:
		return NOW_OF(endpoint->now, DELIVERED);
	case IOPF_GAUGE_leaving:
		return leaving_of(endpoint);
	case IOPF_GAUGE_credits_in_use:
		return credits_of(endpoint);
	case IOPF_GAUGE_granted:
		return endpoint->allocation;
	case IOPF_GAUGE_COUNT:
		break;
	}
	return 0;
}

/* One endpoint a poll: gauges are as old as the polls that it takes to come around. */
static void publish_gauges(struct iopf_broker *broker)
{
	uint32_t id = broker->gauge_turn;

	if (broker->endpoint_end == 0)
		return;
	broker->gauge_turn = (id + 1) % broker->endpoint_end;
	for (unsigned gauge = 0; gauge < IOPF_GAUGE_COUNT; gauge++)
		publish(&row_of_endpoint(broker, id)->gauge[gauge],
			iopf_broker_gauge(broker, id, (enum iopf_gauge)gauge));
}

/* ---- Time ---------------------------------------------------------------------- */

static uint32_t poll_inbox(struct iopf_broker *broker, uint32_t owner, uint32_t budget,
			   uint64_t now_ns)
{
	uint32_t entries = broker->options.inbox_entries, done = 0;
	uint64_t token, code;

	while (done < budget &&
	       inbox_take(&broker->owners[owner].inbox, entries, &token, &code)) {
		enum iopf_code said = code < IOPF_CODE_COUNT ? (enum iopf_code)code :
							       IOPF_CODE_COUNT;

		iopf_broker_answer(broker, owner, token, said, now_ns);
		done++;
	}
	return done;
}

static uint32_t poll_callback(struct iopf_broker *broker, uint32_t owner, uint32_t budget,
			      uint64_t now_ns)
{
	const struct owner *it = &broker->owners[owner];
	struct iopf_group group;
	uint32_t done = 0;

	while (done < budget && it->group != NULL &&
	       iopf_broker_fetch(broker, owner, &group, now_ns) == 0) {
		it->group(it->context, &group);
		done++;
	}
	return done;
}

/* The oldest group that its deadline still has to reach; NO_SLOT. */
static uint32_t next_due(const struct owner *owner)
{
	if (owner->policy.deadline_ns == 0 || owner->paused)
		return NO_SLOT;
	return owner->policy.deadline_answers ? owner->open.first : owner->warn_cursor;
}

static void warn(struct iopf_broker *broker, uint32_t owner, uint32_t slot,
		 uint64_t now_ns)
{
	struct owner *it = &broker->owners[owner];
	const struct group *group = &broker->groups[slot];

	it->warn_cursor = list_next(broker->groups, &it->open, slot);
	COUNT(row_of_owner(broker, owner), deadline_warnings);
	tell(broker,
	     (struct iopf_event){
		     .kind = IOPF_EVENT_DEADLINE,
		     .source = group->source,
		     .endpoint = group->bound.endpoint,
		     .owner = owner,
		     .pasid = group->bound.pasid,
		     .rid = group_rid(broker, group),
		     .token = group->token,
		     .value = owner_clock(it, now_ns) - group->opened_ns },
	     now_ns);
}

static uint32_t poll_deadline(struct iopf_broker *broker, uint32_t owner, uint32_t budget,
			      uint64_t now_ns)
{
	const struct owner *it = &broker->owners[owner];
	uint64_t clock_ns = owner_clock(it, now_ns);
	uint32_t done = 0, slot;

	for (; done < budget && (slot = next_due(it)) != NO_SLOT; done++) {
		if (clock_ns - broker->groups[slot].opened_ns < it->policy.deadline_ns)
			break;
		if (it->policy.deadline_answers)
			group_end(broker, slot, IOPF_INVALID, IOPF_ENDING_deadline,
				  now_ns);
		else
			warn(broker, owner, slot, now_ns);
	}
	return done;
}

int iopf_broker_poll(struct iopf_broker *broker, uint32_t budget, uint64_t now_ns)
{
	uint32_t done = 0;

	publish_gauges(broker);
	for (uint32_t turn = 0; turn < broker->owner_end && done < budget; turn++) {
		uint32_t owner = broker->owner_turn;

		broker->owner_turn = (owner + 1) % broker->owner_end;
		if (!broker->owners[owner].used)
			continue;
		done += poll_inbox(broker, owner, budget - done, now_ns);
		done += poll_callback(broker, owner, budget - done, now_ns);
		done += poll_deadline(broker, owner, budget - done, now_ns);
	}
	return (int)done;
}

uint64_t iopf_broker_next_deadline_ns(const struct iopf_broker *broker)
{
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t id = 0; id < broker->owner_end; id++) {
		const struct owner *owner = &broker->owners[id];
		uint32_t slot = owner->used ? next_due(owner) : NO_SLOT;
		uint64_t due_ns;

		if (slot == NO_SLOT)
			continue;
		due_ns = broker->groups[slot].opened_ns + owner->paused_total_ns +
			 owner->policy.deadline_ns;
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	return next_ns;
}

/* ---- What is owed -------------------------------------------------------------- */

static uint64_t age_of(const struct iopf_broker *broker, const struct group *group,
		       uint64_t now_ns)
{
	if (group->state != IOPF_GROUP_READY && group->state != IOPF_GROUP_DELIVERED)
		return 0;
	return owner_clock(&broker->owners[group->bound.owner], now_ns) - group->opened_ns;
}

int iopf_broker_owed(const struct iopf_broker *broker, uint32_t endpoint,
		     uint32_t *cursor, struct iopf_owed *owed, uint32_t max,
		     uint64_t now_ns)
{
	uint32_t done = 0, slot = *cursor;

	for (; slot < broker->slot_count && done < max; slot++) {
		const struct group *group = &broker->groups[slot];

		if (group->state == IOPF_GROUP_FREE ||
		    (endpoint != IOPF_NO_ID && group->bound.endpoint != endpoint))
			continue;
		owed[done++] = (struct iopf_owed){
			.token = group->token,
			.age_ns = age_of(broker, group, now_ns),
			.endpoint = group->bound.endpoint != NO_ENDPOINT ? group->bound.endpoint :
								     IOPF_NO_ID,
			.owner = group->bound.owner != NO_OWNER ? group->bound.owner : IOPF_NO_ID,
			.pasid = group->bound.pasid,
			.index = group->index,
			.request_count = group->request_count,
			.state = group->state,
		};
	}
	*cursor = slot;
	return (int)done;
}
