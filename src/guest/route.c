/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/route.c - whose stage an access missed in.
 *
 * Hardware walks the guest's tables through the second level; this reads them straight
 * from the guest's memory and asks for each page, in whatever format the host keeps it,
 * whether the second level has it: everything that is missing is known after one walk.
 */
#include "guest/guest.h"

#include <errno.h>

/* The second level knows no privilege. */
#define SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

struct route {
	const struct iopf_guest *guest;
	bool (*mapped)(void *context, uint64_t gpa, uint8_t perm);
	void *context;
	struct iopf_route *out;
};

/* A page that is asked for twice (a table that leads to itself) is noted once, with the
 * rights of both. */
static void route_need(void *context, uint64_t gpa, uint8_t perm)
{
	const struct route *route = context;
	uint64_t page = gpa & ~(TABLE_PAGE_BYTES - 1);
	struct iopf_route *out = route->out;
	uint32_t i = 0;

	perm &= SECOND_PERM;
	if (memory_at(&route->guest->view.memory, page, TABLE_PAGE_BYTES) == NULL) {
		out->stages |= IOPF_STAGE_UNBACKED;
		return;
	}
	if (route->mapped(route->context, page, perm))
		return;
	out->stages |= IOPF_STAGE_SECOND;
	while (i < out->missing_count && out->missing[i].addr != page)
		i++;
	if (i == out->missing_count)
		out->missing[out->missing_count++].addr = page;
	out->missing[i].perm |= perm;
}

/* The address space of (@endpoint, @pasid), or NULL. */
static struct guest_space *route_space(const struct iopf_guest *guest, uint32_t endpoint,
				       uint32_t pasid)
{
	uint32_t function = guest_function_of_endpoint(guest, endpoint);
	struct guest_space *space = NULL;

	if (function < guest->function_count)
		space = guest_space_find(guest, function, pasid);
	return space == NULL || space->leaving ? NULL : space;
}

/* What an access really wants. */
static uint8_t route_perm(const struct guest_space *space, uint8_t perm)
{
	return space->entry.value.flags & IOPF_SPACE_PRIV ? perm | IOPF_PRIV : perm;
}

int iopf_guest_route(const struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
		     uint64_t addr, uint8_t perm,
		     bool (*mapped)(void *context, uint64_t gpa, uint8_t perm),
		     void *context, struct iopf_route *out)
{
	const struct guest_space *space = route_space(guest, endpoint, pasid);
	struct route route = {
		.guest = guest, .mapped = mapped, .context = context, .out = out
	};

	if (space == NULL)
		return -ENOENT;
	*out = (struct iopf_route){ .stages = 0 };
	perm = route_perm(space, perm);
	if (space->entry.value.levels == 0)
		route_need(&route, addr, perm);
	else
		out->stages |= guest->structures->needs(&guest->view, &space->entry, addr,
							perm, route_need, &route);
	return 0;
}

/* Whoever follows the tables keeps what they said, and hears of what concerns it. */
static void route_noted(const struct iopf_guest *guest, struct guest_space *space,
			const struct table_result *result)
{
	uint64_t leaf;

	if (guest->structures->global != NULL && !space->entry.global &&
	    memory_load64(&guest->view.memory, result->entry_addr, &leaf))
		space->entry.global = guest->structures->global(leaf);
}

int iopf_guest_translate(struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
			 uint64_t addr, uint8_t perm, bool update,
			 struct iopf_translation *translation)
{
	struct guest_space *space = route_space(guest, endpoint, pasid);
	struct table_result result = { .addr = addr,
				       .size_bytes = TABLE_PAGE_BYTES,
				       .perm = SECOND_PERM | IOPF_PRIV };

	if (space == NULL)
		return -ENOENT;
	if (space->entry.value.levels != 0 &&
	    !guest->structures->walk(&guest->view, &space->entry, addr,
				     route_perm(space, perm), update, &result))
		return -EFAULT;
	if (space->entry.value.levels != 0)
		route_noted(guest, space, &result);
	*translation = (struct iopf_translation){ .gpa = result.addr,
						  .size_bytes = result.size_bytes,
						  .perm = result.perm };
	return 0;
}
