/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/poll.c - time passes: inboxes, callback owners, deadlines; and what is owed. */
#include "broker/ledger.h"

#include <errno.h>

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
