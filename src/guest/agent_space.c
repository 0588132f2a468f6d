/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/agent_space.c - address spaces of a guest: pages, attach, map, unmap, detach. */
#include "guest/agent.h"

#include <errno.h>

/* ---- Pages --------------------------------------------------------------------------- */

/* Runs of 2^n pages begin at a multiple of their size: queues want that. */
static bool pages_free(const struct iopf_agent *agent, uint32_t first, uint32_t count)
{
	uint64_t page = agent->options.base / TABLE_PAGE_BYTES + first;

	if (count > agent->page_count - first ||
	    ((count & (count - 1)) == 0 && page % count != 0))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (agent->page_owner[first + i] != AGENT_OWNER_NONE)
			return false;
	return true;
}

int agent_pages_take(void *context, uint32_t page_count, uint64_t *addr)
{
	struct iopf_agent *agent = context;

	for (uint32_t i = 0; i < agent->page_count; i++) {
		uint32_t first = (agent->page_next + i) % agent->page_count;

		if (!pages_free(agent, first, page_count))
			continue;
		for (uint32_t j = 0; j < page_count; j++)
			agent->page_owner[first + j] = agent->page_taker;
		agent->page_next = (first + page_count) % agent->page_count;
		*addr = agent->options.base + (uint64_t)first * TABLE_PAGE_BYTES;
		return 0;
	}
	agent->stats.out_of_pages++;
	return -ENOSPC;
}

static uint16_t space_owner(const struct iopf_agent *agent,
			    const struct agent_space *space)
{
	return (uint16_t)(AGENT_OWNER_SPACE + (space - agent->spaces));
}

static void space_pages_give(struct iopf_agent *agent, const struct agent_space *space)
{
	for (uint32_t i = 0; i < agent->page_count; i++)
		if (agent->page_owner[i] == space_owner(agent, space))
			agent->page_owner[i] = AGENT_OWNER_NONE;
}

/* ---- Finding ------------------------------------------------------------------------- */

static uint64_t space_key(uint32_t rid_index, uint32_t pasid)
{
	return (uint64_t)rid_index << 32 | pasid;
}

struct agent_space *agent_space_find(const struct iopf_agent *agent, uint32_t rid_index,
				     uint32_t pasid)
{
	uint32_t index = map_find(&agent->space_map, space_key(rid_index, pasid));

	return index == MAP_NONE ? NULL : &agent->spaces[index];
}

static struct agent_space *space_attached(const struct iopf_agent *agent, uint32_t rid,
					  uint32_t pasid)
{
	struct agent_space *space =
		agent_space_find(agent, agent_rid_index(agent, rid), pasid);

	return space != NULL && space->state == AGENT_SPACE_ATTACHED ? space : NULL;
}

int iopf_agent_attached(const struct iopf_agent *agent, uint32_t rid, uint32_t pasid)
{
	const struct agent_space *space =
		agent_space_find(agent, agent_rid_index(agent, rid), pasid);

	if (space == NULL)
		return -ENOENT;
	return space->state == AGENT_SPACE_ATTACHED ? 0 : -EBUSY;
}

/* ---- Commands ------------------------------------------------------------------------ */

/* The PASID that names its entry in commands. */
static uint32_t space_entry(const struct agent_space *space)
{
	return space->pasid == IOPF_PASID_NONE ? AGENT_PASID_NONE : space->pasid;
}

/* Its ASID, or its domain. */
static uint16_t space_number(const struct iopf_agent *agent, const struct agent_space *space)
{
	return (uint16_t)(space - agent->spaces + 1);
}

static uint16_t space_domain(const struct iopf_agent *agent, const struct agent_space *space)
{
	if (agent->family->by_device)
		return (uint16_t)agent_domain(space->rid_index);
	return agent->family->asids ? 0 : space_number(agent, space);
}

static uint16_t space_asid(const struct iopf_agent *agent, const struct agent_space *space)
{
	return agent->family->asids ? space_number(agent, space) : 0;
}

/* A command about @space, whichever of its names the family takes. */
static struct iopf_command space_command(const struct iopf_agent *agent,
					 const struct agent_space *space,
					 enum iopf_command_kind kind,
					 enum iopf_granularity granularity)
{
	return (struct iopf_command){
		.kind = (uint8_t)kind,
		.granularity = (uint8_t)granularity,
		.domain = space_domain(agent, space),
		.asid = space_asid(agent, space),
		.rid = agent->rids[space->rid_index],
		.pasid = space_entry(space),
	};
}

static int submit_pasid_cache(struct iopf_agent *agent, const struct agent_space *space)
{
	const struct iopf_command command = space_command(
		agent, space, IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID);

	return iopf_driver_submit(agent->driver, &command);
}

/* The IOMMU's translations of @space, then the function's: in this order, or the
 * function might fetch an old one again. @size_bytes 0: all. */
static int submit_translations(struct iopf_agent *agent, const struct agent_space *space,
			       uint64_t addr, uint64_t size_bytes)
{
	struct iopf_command iotlb =
		space_command(agent, space, IOPF_COMMAND_INVALIDATE_IOTLB,
			      size_bytes == 0 ? IOPF_ONE_PASID : IOPF_PAGE);
	struct iopf_command device =
		space_command(agent, space, IOPF_COMMAND_INVALIDATE_DEVICE,
			      size_bytes == 0 ? IOPF_ALL : IOPF_PAGE);
	int error;

	device.pasid = space->pasid;
	iotlb.addr = device.addr = addr;
	iotlb.size_bytes = device.size_bytes = size_bytes;
	error = iopf_driver_submit(agent->driver, &iotlb);
	/* What stalls has no translations of its own. */
	if (error != 0 || agent_stalls(agent, space->rid_index))
		return error;
	return iopf_driver_submit(agent->driver, &device);
}

/* ---- Attach -------------------------------------------------------------------------- */

static struct agent_space *space_unused(const struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.pasid_max; i++)
		if (agent->spaces[i].state == AGENT_SPACE_FREE)
			return &agent->spaces[i];
	return NULL;
}

static bool pasid_valid(const struct iopf_agent *agent, uint32_t pasid)
{
	return pasid == IOPF_PASID_NONE || (pasid != AGENT_PASID_NONE &&
					    pasid >> agent->options.pasid_bits == 0);
}

/* The entry that leads to it. */
static int space_enter(const struct iopf_agent *agent, const struct agent_space *space)
{
	const struct family_space entry = {
		.kind = FAMILY_SHADOW,
		.stage = &space->stage,
		.domain = space_domain(agent, space),
		.asid = space_asid(agent, space),
		.stall = agent_stalls(agent, space->rid_index),
		.response_pasid = true,
	};

	return agent->family->space(&agent->tables, agent->rids[space->rid_index],
				    space->pasid, &entry);
}

static void space_leave(const struct iopf_agent *agent, const struct agent_space *space)
{
	(void)agent->family->space(&agent->tables, agent->rids[space->rid_index],
				   space->pasid, NULL);
}

/* An empty first level and its entry. */
static int space_build(struct iopf_agent *agent, struct agent_space *space)
{
	int error;

	agent->page_taker = space_owner(agent, space);
	error = agent->family->stage_create(&space->stage, &agent->tables, FAMILY_FIRST);
	if (error != 0)
		return error;
	agent->page_taker = AGENT_OWNER_STRUCTURES;
	return space_enter(agent, space);
}

int iopf_agent_attach(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint64_t *ticket)
{
	uint32_t rid_index = agent_rid_index(agent, rid);
	struct agent_space *space = agent_space_find(agent, rid_index, pasid);
	int error;

	if (rid_index == agent->options.rid_count || !pasid_valid(agent, pasid))
		return -EINVAL;
	if (space != NULL)
		return space->state == AGENT_SPACE_ATTACHED ? -EEXIST : -EBUSY;
	if (iopf_driver_room(agent->driver) < 2)
		return -EAGAIN;
	space = space_unused(agent);
	if (space == NULL)
		return -ENOSPC;
	*space = (struct agent_space){ .rid_index = rid_index, .pasid = pasid };
	error = space_build(agent, space);
	if (error != 0) {
		space_pages_give(agent, space);
		return error;
	}
	space->state = AGENT_SPACE_ATTACHED;
	map_add(&agent->space_map, space_key(rid_index, pasid),
		(uint32_t)(space - agent->spaces));
	error = submit_pasid_cache(agent, space);
	if (error == 0)
		error = iopf_agent_wait(agent, false, ticket);
	iopf_agent_kick(agent);
	return error;
}

/* ---- Map and unmap -------------------------------------------------------------------- */

/* The page is there already, with at least these rights. */
static bool space_maps(const struct iopf_agent *agent, const struct agent_space *space,
		       uint64_t addr, uint64_t gpa, uint8_t perm)
{
	struct table_result result;

	return agent->family->stage_walk(&space->stage, addr, perm, &result) && result.addr == gpa;
}

int iopf_agent_map(struct iopf_agent *agent, uint32_t rid, uint32_t pasid, uint64_t addr,
		   uint64_t gpa, uint8_t perm)
{
	struct agent_space *space = space_attached(agent, rid, pasid);
	int error;

	if (space == NULL)
		return -ENOENT;
	if (space_maps(agent, space, addr, gpa, perm))
		return 0;
	agent->page_taker = space_owner(agent, space);
	error = agent->family->stage_map(&space->stage, addr, gpa, perm);
	if (error != -EEXIST)
		return error;
	error = agent->family->stage_unmap(&space->stage, addr, TABLE_PAGE_BYTES);
	if (error < 0)
		return error;
	return agent->family->stage_map(&space->stage, addr, gpa, perm);
}

/* CAP.MAMV: an invalidation by pages covers at most 2^18 of them. */
#define UNMAP_RANGE_MAX (UINT64_C(1) << 30)

/* The smallest aligned power of two that covers a range; 0: none that can be named. */
static uint64_t range_cover(uint64_t addr, uint64_t size_bytes)
{
	uint64_t cover = TABLE_PAGE_BYTES;

	while (cover <= UNMAP_RANGE_MAX &&
	       ((addr ^ (addr + size_bytes - 1)) & ~(cover - 1)) != 0)
		cover *= 2;
	return cover <= UNMAP_RANGE_MAX ? cover : 0;
}

int iopf_agent_unmap(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		     uint64_t addr, uint64_t size_bytes, uint64_t *ticket)
{
	struct agent_space *space = space_attached(agent, rid, pasid);
	uint64_t cover;
	int error;

	if (space == NULL)
		return -ENOENT;
	if (size_bytes == 0 || (addr | size_bytes) % TABLE_PAGE_BYTES != 0)
		return -EINVAL;
	if (iopf_driver_room(agent->driver) < 3)
		return -EAGAIN;
	agent->page_taker = space_owner(agent, space);
	error = agent->family->stage_unmap(&space->stage, addr, size_bytes);
	if (error < 0)
		return error;
	cover = range_cover(addr, size_bytes);
	error = submit_translations(agent, space, cover == 0 ? 0 : addr & ~(cover - 1),
				    cover);
	if (error == 0)
		error = iopf_agent_wait(agent, false, ticket);
	iopf_agent_kick(agent);
	return error;
}

/* ---- Detach --------------------------------------------------------------------------- */

int iopf_agent_detach(struct iopf_agent *agent, uint32_t rid, uint32_t pasid)
{
	struct agent_space *space =
		agent_space_find(agent, agent_rid_index(agent, rid), pasid);
	int error;

	if (space == NULL)
		return -ENOENT;
	if (space->state == AGENT_SPACE_DRAINING)
		return -EBUSY;
	if (iopf_driver_room(agent->driver) < 4)
		return -EAGAIN;
	/* Whatever is in memory now (a guest may rewrite its own entries): it has to go. */
	space_leave(agent, space);
	space->state = AGENT_SPACE_DRAINING;
	agent->draining++;
	error = submit_pasid_cache(agent, space);
	if (error == 0)
		error = submit_translations(agent, space, 0, 0);
	if (error == 0)
		agent_spaces_look(agent);
	return error;
}

int iopf_agent_forget(struct iopf_agent *agent, uint32_t rid, uint32_t pasid,
		      uint64_t *ticket)
{
	struct agent_space *space = space_attached(agent, rid, pasid);
	int error;

	if (space == NULL)
		return -ENOENT;
	if (iopf_driver_room(agent->driver) < 2)
		return -EAGAIN;
	space_leave(agent, space);
	error = submit_pasid_cache(agent, space);
	if (error == 0)
		error = iopf_agent_wait(agent, false, ticket);
	iopf_agent_kick(agent);
	return error;
}

void agent_spaces_look(struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.pasid_max && agent->draining > 0; i++) {
		struct agent_space *space = &agent->spaces[i];

		if (space->state != AGENT_SPACE_DRAINING)
			continue;
		if (space->wait == 0)
			(void)iopf_agent_wait(agent, true, &space->wait);
		else
			space->drained = iopf_agent_waited(agent, space->wait);
	}
	iopf_agent_kick(agent);
}

void agent_spaces_redrain(struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.pasid_max && agent->draining > 0; i++) {
		struct agent_space *space = &agent->spaces[i];

		if (space->state != AGENT_SPACE_DRAINING)
			continue;
		space->wait = 0;
		space->drained = false;
		agent->stats.redrains++;
	}
	agent_spaces_look(agent);
}

void agent_spaces_settle(struct iopf_agent *agent)
{
	for (uint32_t i = 0; i < agent->options.pasid_max && agent->draining > 0; i++) {
		struct agent_space *space = &agent->spaces[i];

		if (space->state != AGENT_SPACE_DRAINING || !space->drained)
			continue;
		agent_partials_drop_space(agent, space);
		space_pages_give(agent, space);
		map_remove(&agent->space_map, space_key(space->rid_index, space->pasid));
		space->state = AGENT_SPACE_FREE;
		agent->draining--;
		agent->stats.drains++;
	}
}
