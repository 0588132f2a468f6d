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
#define ROUTE_SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

struct route {
	const struct iopf_guest *guest;
	bool (*mapped)(void *context, uint64_t gpa, uint8_t perm);
	void *context;
	struct iopf_route *out;
};

/* A page that is asked for twice (a table that leads to itself) is noted once, with the
 * rights of both. */
static void route_need(const struct route *route, uint64_t gpa, uint8_t perm)
{
	uint64_t page = gpa & ~(TABLE_PAGE_BYTES - 1);
	struct iopf_route *out = route->out;
	uint32_t i = 0;

	perm &= ROUTE_SECOND_PERM;
	if (memory_at(&route->guest->memory, page, TABLE_PAGE_BYTES) == NULL) {
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

/* Each table that the walk used; hardware writes accessed and dirty bits where they are
 * not set, so the second level has to let it. */
static void route_tables(const struct route *route, const struct x86_format *format,
			 const struct radix_path *path, uint8_t perm, bool found)
{
	for (unsigned level = format->levels; level >= path->level && level > 0; level--) {
		const struct radix_step *step = &path->step[level];
		uint64_t marks =
			found ? x86_marks(format, perm, level == path->level) : 0;
		bool marked = (step->entry & marks) == marks;

		route_need(route, step->addr, marked ? IOPF_READ : IOPF_READ | IOPF_WRITE);
	}
}

/* How to walk the first level of @space. */
static struct x86_format first_format(const struct iopf_guest *guest,
				      const struct iopf_address_space *space)
{
	const struct vtd_pasid entry = {
		.pgtt = VTD_PGTT_FIRST,
		.first_root = space->root,
		.first_levels = space->levels,
		.supervisor = (space->flags & IOPF_SPACE_SRE) != 0,
		.exec = (space->flags & IOPF_SPACE_ERE) != 0,
		.write_protect = (space->flags & IOPF_SPACE_WPE) != 0,
		.extended = (space->flags & IOPF_SPACE_EAFE) != 0,
	};

	return vtd_tables(&entry, &guest->features).first;
}

static void route_first(const struct route *route, const struct iopf_address_space *space,
			uint64_t addr, uint8_t perm)
{
	const struct table_space tables = { .memory = &route->guest->memory };
	const struct x86_format format = first_format(route->guest, space);
	struct table_result result;
	struct radix_path path;
	bool found = x86_walk_path(&tables, &format, space->root, addr, perm, &path,
				   &result);

	route_tables(route, &format, &path, perm, found);
	if (found)
		route_need(route, result.addr, perm);
	else if (result.fault == TABLE_OUTSIDE)
		route->out->stages |= IOPF_STAGE_UNBACKED;
	else
		route->out->stages |= IOPF_STAGE_FIRST;
}

int iopf_guest_route(const struct iopf_guest *guest, uint32_t endpoint, uint32_t pasid,
		     uint64_t addr, uint8_t perm,
		     bool (*mapped)(void *context, uint64_t gpa, uint8_t perm),
		     void *context, struct iopf_route *out)
{
	struct route route = {
		.guest = guest, .mapped = mapped, .context = context, .out = out
	};
	struct iopf_address_space space;

	if (iopf_guest_space(guest, endpoint, pasid, &space) != 0)
		return -ENOENT;
	*out = (struct iopf_route){ .stages = 0 };
	if (space.flags & IOPF_SPACE_PRIV)
		perm |= IOPF_PRIV;
	if (space.levels == 0)
		route_need(&route, addr, perm);
	else
		route_first(&route, &space, addr, perm);
	return 0;
}

int iopf_guest_translate(const struct iopf_guest *guest, uint32_t endpoint,
			 uint32_t pasid, uint64_t addr, uint8_t perm, bool update,
			 struct iopf_translation *translation)
{
	const struct table_space tables = { .memory = &guest->memory };
	struct iopf_address_space space;
	struct x86_format format;
	struct table_result result;

	if (iopf_guest_space(guest, endpoint, pasid, &space) != 0)
		return -ENOENT;
	if (space.flags & IOPF_SPACE_PRIV)
		perm |= IOPF_PRIV;
	format = first_format(guest, &space);
	if (space.levels == 0)
		result = (struct table_result){ .addr = addr,
						.size_bytes = TABLE_PAGE_BYTES,
						.perm = perm | ROUTE_SECOND_PERM };
	else if (!x86_walk(&tables, &format, space.root, addr, perm, update, &result))
		return -EFAULT;
	*translation = (struct iopf_translation){ .gpa = result.addr,
						  .size_bytes = result.size_bytes,
						  .perm = result.perm };
	return 0;
}
