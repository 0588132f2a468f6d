/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/route.c - whose stage missed: the guest's, and it is shown the group; the host's,
 * and the pager maps what is missing while the guest hears nothing; or nobody's.
 */
#include "host/host.h"

#include <errno.h>

/* What a group's pages need together: enum iopf_stage of all of them. The host's part
 * is mapped on the way. */
static uint32_t stages_of(struct iopf_host *host, struct host_guest *guest,
			  const struct iopf_group *group, uint32_t page_count)
{
	uint32_t stages = 0;

	for (uint32_t i = 0; i < page_count; i++) {
		const struct iopf_page *page = &host->scratch[i];
		struct iopf_route route;

		if (iopf_guest_route(guest->guest, group->endpoint, group->pasid,
				     page->addr, page->perm, pager_mapped, &guest->pager,
				     &route) != 0)
			return IOPF_STAGE_FIRST; /* no such space: the guest is asked */
		stages |= route.stages;
		for (uint32_t j = 0; j < route.missing_count; j++)
			if (pager_map(&guest->pager, route.missing[j].addr,
				      route.missing[j].perm) != 0)
				stages |= IOPF_STAGE_UNBACKED;
	}
	return stages;
}

/*
 * What can be made present is present now: mapped in the host's stage and, where a
 * shadow stands for the guest's tables, followed into that. Returns: enum iopf_stage of
 * what is still missing or was; -EAGAIN.
 */
static int make_present(struct iopf_host *host, struct host_guest *guest,
			const struct iopf_group *group, uint32_t page_count)
{
	const struct host_function *function = host_function_of(host, group->endpoint);
	uint32_t stages = stages_of(host, guest, group, page_count);
	int error = function == NULL ? 0 :
				       shadow_follow(guest, function, group->pasid,
						     host->scratch, page_count);

	if (error == -EAGAIN)
		return error;
	return (int)(stages | (error != 0 ? IOPF_STAGE_UNBACKED : 0));
}

static void answer(struct iopf_host *host, const struct host_guest *guest,
		   const struct iopf_group *group, enum iopf_code code)
{
	iopf_broker_answer(host->broker, guest->owner, group->token, code, host->now_ns);
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_PAGER,
					    .guest = (uint32_t)(guest - host->guests),
					    .endpoint = group->endpoint,
					    .pasid = group->pasid,
					    .token = group->token,
					    .code = (uint8_t)code,
					    .group = group });
}

/* As the guest's hardware would: full is answered success, off is answered invalid. */
static void not_shown(struct iopf_host *host, const struct iopf_group *group, int why)
{
	iopf_broker_end(host->broker, group->token,
			why == -ENOSPC ? IOPF_SUCCESS : IOPF_INVALID,
			why == -ENOSPC ? IOPF_ENDING_guest_overflow :
					 IOPF_ENDING_no_owner,
			host->now_ns);
}

/* False: the guest holds or owes every index of the function; the group is kept. */
static bool show(struct iopf_host *host, struct host_guest *guest,
		 const struct iopf_group *group)
{
	int shown = iopf_guest_show(guest->guest, group, host->scratch, host->now_ns);

	if (shown == -EAGAIN)
		return false;
	if (shown != 0) {
		not_shown(host, group, shown);
		return true;
	}
	host->stats.shown++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_SHOW,
					    .guest = (uint32_t)(guest - host->guests),
					    .endpoint = group->endpoint,
					    .pasid = group->pasid,
					    .token = group->token,
					    .group = group });
	return true;
}

/* The guest's part was there: what it said of these pages before was so. */
static void seen_present(struct iopf_host *host, const struct iopf_group *group,
			 uint32_t page_count)
{
	for (uint32_t i = 0; i < page_count; i++)
		iopf_broker_invalidated(host->broker, group->endpoint, group->pasid,
					host->scratch[i].addr & ~UINT64_C(0xfff), 4096);
}

/* False: parked. */
static bool route(struct iopf_host *host, struct host_guest *guest,
		  const struct iopf_group *group)
{
	int pages = iopf_broker_pages(host->broker, group->token, 0, host->scratch,
				      IOPF_HOST_ALLOCATION_MAX);
	int stages;

	if (pages <= 0)
		return true; /* ended meanwhile */
	if (guest->guest == NULL) {
		host->stats.served++;
		answer(host, guest, group,
		       pager_serve(&guest->pager, host->scratch, (uint32_t)pages));
		return true;
	}
	stages = make_present(host, guest, group, (uint32_t)pages);
	if (stages < 0)
		return false;
	if (stages & IOPF_STAGE_FIRST)
		return show(host, guest, group);
	if (stages & IOPF_STAGE_UNBACKED) {
		host->stats.unbacked++;
		answer(host, guest, group, IOPF_INVALID);
		return true;
	}
	if (stages & IOPF_STAGE_SECOND)
		host->stats.served++;
	else
		host->stats.mapped++;
	seen_present(host, group, (uint32_t)pages);
	answer(host, guest, group, IOPF_SUCCESS);
	return true;
}

void host_look_again(struct host_guest *guest, uint64_t token)
{
	struct iopf_host *host = guest->host;
	struct iopf_group group;
	int pages;

	if (iopf_broker_group(host->broker, token, &group) != 0)
		return;
	pages = iopf_broker_pages(host->broker, token, 0, host->scratch,
				  IOPF_HOST_ALLOCATION_MAX);
	make_present(host, guest, &group, (uint32_t)pages);
}

void host_unpark(struct iopf_host *host, struct host_guest *guest)
{
	guest->parked = false;
	not_shown(host, &guest->parked_group, -ENOSPC);
}

uint32_t host_show(struct iopf_host *host, struct host_guest *guest, uint32_t budget)
{
	uint32_t done = 0;

	while (done < budget) {
		bool was_parked = guest->parked;

		if (!was_parked &&
		    iopf_broker_fetch(host->broker, guest->owner, &guest->parked_group,
				      host->now_ns) != 0)
			break;
		guest->parked = true; /* until it is clear what becomes of it */
		if (!route(host, guest, &guest->parked_group)) {
			host->stats.parked += !was_parked;
			host->waiting |= shadows_used(&guest->shadows);
			break;
		}
		guest->parked = false;
		done++;
	}
	return done;
}
