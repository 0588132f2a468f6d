/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/status.c - what functions complain of, what left last, and who is not served. */
#include "broker/ledger.h"

#include <errno.h>

/* ---- Complaints ----------------------------------------------------------------------- */

static const struct complaint {
	uint32_t status;
	enum iopf_counter counter;
	enum iopf_event_kind event;
} complaints[] = {
	{ IOPF_STATUS_UPRGI, IOPF_COUNTER_uprgi_seen, IOPF_EVENT_UPRGI },
	{ IOPF_STATUS_UNEXPECTED, IOPF_COUNTER_unexpected_seen, IOPF_EVENT_UNEXPECTED },
};

/* The interface is dead, for all who use it: they have forgotten what they asked. */
static void response_failure(struct iopf_broker *broker, uint32_t id, uint64_t now_ns)
{
	struct endpoint *endpoint = &broker->endpoints[id];

	COUNT(row_of_endpoint(broker, id), rf_seen);
	operation_tell(broker, id, IOPF_EVENT_RF, 0, now_ns);
	forget_all(broker, id, IOPF_ENDING_response_failure, now_ns);
	endpoint->state = ENDPOINT_FAILED;
	endpoint->usual.pasid = PASID_NOBODY;
	for (uint16_t next = endpoint->virtual_first; next != NO_ENDPOINT;
	     next = broker->endpoints[next].virtual_next)
		broker->endpoints[next].state = ENDPOINT_FAILED;
}

int iopf_broker_status(struct iopf_broker *broker, uint32_t id, uint32_t status,
		       uint64_t now_ns)
{
	const struct endpoint *endpoint = endpoint_get(broker, id);

	if (endpoint == NULL)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		if (!(status & complaints[i].status))
			continue;
		count_by(&row_of_endpoint(broker, id)->counter[complaints[i].counter], 1);
		operation_tell(broker, id, complaints[i].event, 0, now_ns);
	}
	if (status & IOPF_STATUS_RF &&
	    interface_of(broker, endpoint)->state != ENDPOINT_FAILED)
		response_failure(broker, endpoint->physical, now_ns);
	return 0;
}

/* ---- What left last --------------------------------------------------------------------- */

/* The newest so far, newest first; slots keep what they held until they are used again,
 * and those that are used next are the oldest. */
struct recent {
	const struct iopf_broker *broker;
	struct iopf_response *responses;
	uint32_t id, count, max;
};

static void recent_fill(const struct recent *recent, const struct group *group,
			struct iopf_response *out)
{
	const struct endpoint *endpoint = &recent->broker->endpoints[group->bound.endpoint];

	*out = (struct iopf_response){
		.token = group->token,
		.opened_ns = group->opened_ns,
		.endpoint = group->bound.endpoint,
		.rid = endpoint->rid,
		.pasid = response_pasid(endpoint, group),
		.index = group->index,
		.request_count = group->request_count,
		.code = (uint8_t)ENDED_CODE(group->ended),
		.flags = group->flags & (GROUP_STALL | GROUP_PRIVATE),
		.ending = (uint8_t)ENDED_ENDING(group->ended),
	};
}

/* Those of one time in the order of their slots' line: later ones are newer. */
static void recent_add(struct recent *recent, const struct group *group)
{
	struct iopf_response *all = recent->responses;
	uint32_t at = 0;

	while (at < recent->count && all[at].opened_ns > group->opened_ns)
		at++;
	if (at == recent->max)
		return;
	if (recent->count < recent->max)
		recent->count++;
	for (uint32_t i = recent->count - 1; i > at; i--)
		all[i] = all[i - 1];
	recent_fill(recent, group, &all[at]);
}

/* Whether a response of the endpoint, or of its whole interface, left from here. */
static bool has_left(const struct recent *recent, const struct group *group)
{
	const struct endpoint *endpoint = &recent->broker->endpoints[recent->id];
	uint32_t of = group->bound.endpoint;

	if (group->state != IOPF_GROUP_FREE || of == NO_ENDPOINT ||
	    ENDED_CODE(group->ended) >= IOPF_CODE_COUNT)
		return false;
	return of == recent->id || (endpoint->physical == recent->id &&
				    recent->broker->endpoints[of].physical == recent->id);
}

int iopf_broker_recent(const struct iopf_broker *broker, uint32_t id,
		       struct iopf_response *responses, uint32_t max)
{
	struct recent recent = { .broker = broker,
				 .responses = responses,
				 .id = id,
				 .max = max < RECENT_MAX ? max : RECENT_MAX };
	const struct endpoint *endpoint = endpoint_get(broker, id), *interface;
	uint32_t slot;

	if (endpoint == NULL)
		return -ENOENT;
	interface = interface_of(broker, endpoint);
	for (slot = interface->free.first; slot != NO_SLOT;
	     slot = list_next(broker->groups, &interface->free, slot))
		if (has_left(&recent, &broker->groups[slot]))
			recent_add(&recent, &broker->groups[slot]);
	for (slot = broker->sources[endpoint->source].free_first; slot != NO_SLOT;
	     slot = broker->groups[slot].next)
		if (has_left(&recent, &broker->groups[slot]))
			recent_add(&recent, &broker->groups[slot]);
	return (int)recent.count;
}

/* ---- Out of service -------------------------------------------------------------------- */

int iopf_broker_out_of_service(struct iopf_broker *broker, uint32_t id, uint32_t owner,
			       bool out, uint64_t now_ns)
{
	struct endpoint *endpoint = endpoint_get(broker, id);
	uint32_t share;

	if (endpoint == NULL || owner_get(broker, owner) == NULL)
		return -ENOENT;
	share = share_find(broker, id, owner);
	if (share == IOPF_NO_ID)
		return -ENOENT;
	endpoint->usual.pasid = PASID_NOBODY;
	if (out && !broker->shares[share].out_of_service)
		tell(broker,
		     (struct iopf_event){ .kind = IOPF_EVENT_OUT_OF_SERVICE,
					  .source = endpoint->source,
					  .endpoint = id,
					  .owner = owner,
					  .pasid = IOPF_PASID_NONE,
					  .rid = endpoint->rid },
		     now_ns);
	broker->shares[share].out_of_service = out;
	return 0;
}
