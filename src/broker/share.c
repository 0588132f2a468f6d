/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/share.c - what an owner may hold.
 *
 * A quota bounds what an owner holds everywhere. A promise keeps credits of a shared
 * interface for an owner that does not use them now. Both are settled by a group's first
 * request, and a promise by each further one: what is held is then the owner's until it
 * leaves. On an interface with one owner nothing is counted but its quota.
 */
#include "broker/ledger.h"

/* ---- Shares: a row for each owner of each endpoint ----------------------------------- */

static uint32_t *shares_of(const struct iopf_broker *broker, uint32_t endpoint)
{
	return &interface_of(broker, &broker->endpoints[endpoint])->share_first;
}

uint32_t share_find(const struct iopf_broker *broker, uint32_t endpoint, uint32_t owner)
{
	uint32_t id = *shares_of(broker, endpoint);

	while (id != IOPF_NO_ID && (broker->shares[id].endpoint != endpoint ||
				    broker->shares[id].owner != owner))
		id = broker->shares[id].next;
	return id;
}

uint32_t share_take(struct iopf_broker *broker, uint32_t endpoint, uint32_t owner)
{
	uint32_t *first = shares_of(broker, endpoint);
	uint32_t id = share_find(broker, endpoint, owner);

	if (id == IOPF_NO_ID) {
		id = broker->share_free;
		if (id == IOPF_NO_ID)
			return IOPF_NO_ID;
		broker->share_free = broker->shares[id].next;
		broker->shares[id] = (struct share){ .endpoint = endpoint,
						     .owner = owner,
						     .next = *first };
		*first = id;
	}
	broker->shares[id].attachments++;
	broker->owners[owner].attachments++;
	return id;
}

void share_give(struct iopf_broker *broker, uint32_t id)
{
	struct share *gone = &broker->shares[id];
	uint32_t *link = shares_of(broker, gone->endpoint);

	broker->owners[gone->owner].attachments--;
	if (--gone->attachments > 0)
		return;
	while (*link != id)
		link = &broker->shares[*link].next;
	*link = gone->next;
	gone->next = broker->share_free;
	broker->share_free = id;
}

/* ---- Promises ------------------------------------------------------------------------- */

static uint32_t unused(const struct share *share)
{
	return share->promised > share->used ? share->promised - share->used : 0;
}

static struct share *share_of_group(const struct iopf_broker *broker,
				    const struct group *group)
{
	return &broker->shares[broker->attachments[group->bound.attachment].share];
}

static bool is_host(const struct iopf_broker *broker, const struct share *share)
{
	return broker->owners[share->owner].flags & IOPF_OWNER_HOST;
}

/* How many shares there are, and whether they are of more than one owner; the host's own
 * does not count. */
static uint32_t sharers(const struct iopf_broker *broker, const struct endpoint *interface,
			bool *shared)
{
	uint32_t count = 0, owner = IOPF_NO_ID;

	*shared = false;
	for (uint32_t id = interface->share_first; id != IOPF_NO_ID;
	     id = broker->shares[id].next) {
		const struct share *share = &broker->shares[id];

		if (is_host(broker, share))
			continue;
		*shared |= count > 0 && share->owner != owner;
		owner = share->owner;
		count++;
	}
	return count;
}

bool share_is_alone(const struct iopf_broker *broker, uint32_t endpoint, uint32_t owner)
{
	uint32_t id = *shares_of(broker, endpoint);

	while (id != IOPF_NO_ID && broker->shares[id].owner == owner)
		id = broker->shares[id].next;
	return id == IOPF_NO_ID;
}

static uint32_t promise_of(const struct iopf_broker *broker, const struct share *share,
			   uint32_t allocation, uint32_t count)
{
	uint64_t promised = broker->owners[share->owner].policy.guaranteed;

	if (is_host(broker, share))
		return 0;
	if (promised == 0)
		promised = allocation / count;
	return promised < allocation ? (uint32_t)promised : allocation;
}

static void interface_mark(struct iopf_broker *broker, struct endpoint *interface,
			   bool shared)
{
	struct endpoint *endpoint = interface;
	uint16_t next = interface->virtual_first;

	for (;;) {
		endpoint->flags &= (uint8_t)~ENDPOINT_SHARED;
		endpoint->flags |= shared ? ENDPOINT_SHARED : 0;
		endpoint->usual.pasid = PASID_NOBODY;
		if (next == NO_ENDPOINT)
			return;
		endpoint = &broker->endpoints[next];
		next = endpoint->virtual_next;
	}
}

void share_recount(struct iopf_broker *broker, uint32_t endpoint)
{
	struct endpoint *interface = interface_of(broker, &broker->endpoints[endpoint]);
	uint32_t slot_end = interface->slot_first + slot_count(interface);
	bool shared;
	uint32_t count = sharers(broker, interface, &shared);

	interface_mark(broker, interface, shared);
	interface->reserved = 0;
	if (!shared)
		return;
	for (uint32_t id = interface->share_first; id != IOPF_NO_ID;
	     id = broker->shares[id].next) {
		struct share *share = &broker->shares[id];
		share->promised =
			promise_of(broker, share, interface->allocation, count);
		share->used = 0;
		interface->reserved += share->promised;
	}
	for (uint32_t slot = interface->slot_first; slot < slot_end; slot++) {
		const struct group *group = &broker->groups[slot];

		if (group->state != IOPF_GROUP_FREE && group->flags & GROUP_HELD)
			share_count(broker, group, group->request_count);
	}
}

void share_count(struct iopf_broker *broker, const struct group *group, int requests)
{
	struct share *share = share_of_group(broker, group);
	struct endpoint *interface =
		interface_of(broker, &broker->endpoints[group->bound.endpoint]);
	uint32_t before = unused(share);

	share->used += (uint32_t)requests;
	interface->reserved += unused(share) - before;
}

/* Whether @owner may hold @more groups: alone on an interface, no less than it has
 * credits, since nobody else could use them. */
static bool quota_allows(const struct owner *owner, const struct endpoint *interface,
			 uint32_t more)
{
	enum iopf_mechanism mechanism = mechanism_of(interface);
	uint32_t quota = owner->quota[mechanism];

	if (!is_shared(interface) && quota < interface->allocation)
		quota = interface->allocation;
	return more == 0 || owner->held[mechanism] < quota;
}

bool share_allows(const struct iopf_broker *broker, uint32_t endpoint,
		  uint32_t attachment, uint32_t held)
{
	const struct endpoint *interface =
		interface_of(broker, &broker->endpoints[endpoint]);
	const struct attachment *it = &broker->attachments[attachment];
	const struct share *share = &broker->shares[it->share];

	if (!quota_allows(&broker->owners[it->owner], interface, held))
		return false;
	return !is_shared(interface) || is_host(broker, share) ||
	       share->used < share->promised ||
	       credits_left(broker, interface) > interface->reserved;
}

void partials_disown(struct iopf_broker *broker, uint32_t attachment)
{
	struct endpoint *endpoint =
		&broker->endpoints[broker->attachments[attachment].endpoint];
	uint32_t slot = endpoint->partial.first;

	for (; slot != NO_SLOT;
	     slot = list_next(broker->groups, &endpoint->partial, slot)) {
		struct group *group = &broker->groups[slot];

		if (!is_bound(broker, group, attachment))
			continue;
		if (group->flags & GROUP_HELD)
			owner_let_go(broker, &broker->owners[group->bound.owner], endpoint,
				     group);
		group->bound.owner = NO_OWNER;
		group->bound.attachment_epoch = 0;
	}
}

/* ---- Policy ------------------------------------------------------------------------------ */

static uint32_t quota_of(uint64_t knob)
{
	return knob == 0 ? UINT32_MAX : (uint32_t)knob;
}

void owner_policy(struct owner *owner, const struct iopf_policy *policy)
{
	owner->policy = *policy;
	owner->quota[IOPF_PRI] = quota_of(policy->quota_groups);
	owner->quota[IOPF_STALLS] = quota_of(policy->quota_stalls);
	owner->liar_limit = (uint8_t)policy->liar_limit;
}
