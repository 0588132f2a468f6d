/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/vtd.c - a guest whose IOMMU is a VT-d: scalable mode, first-level tables.
 *
 * VT-d, "Caching Mode": with CAP.CM the guest invalidates whatever it changes, also
 * what was not present. So its structures are read when it invalidates, and only then.
 */
#include "guest/guest.h"

#include <assert.h>

#include "queue/vtd.h"

#define GUEST_PASID_BITS   20
#define GUEST_ADDRESS_BITS 48

/* ---- Registers ------------------------------------------------------------------------ */

static bool vtd_levels_valid(uint32_t levels)
{
	return levels == 4 || levels == 5;
}

static void vtd_registers(struct iopf_guest *guest, struct iopf_hardware_options *options)
{
	uint32_t features = IOPF_VTD_VIRTUAL;
	int result;

	if (guest->levels < 5)
		features &= ~(uint32_t)IOPF_VTD_FL5LP;
	options->version = IOPF_VTD_VERSION;
	result = iopf_vtd_capability(features, GUEST_PASID_BITS, &options->cap,
				     &options->ecap);
	assert(result == 0);
	(void)result;
	guest->features.vtd =
		vtd_features_of(options->cap, options->ecap, GUEST_ADDRESS_BITS);
}

/* ---- What the guest's structures say ------------------------------------------------- */

/* Not an entry that is absent, but one that cannot be. */
static bool reason_is_bad(enum vtd_reason reason)
{
	static const uint8_t absent[] = {
		VTD_REASON_NONE,
		VTD_REASON_ROOT_NOT_PRESENT,
		VTD_REASON_CONTEXT_NOT_PRESENT,
		VTD_REASON_PASIDE_CLEAR,
		VTD_REASON_PASID_TOO_LARGE,
		VTD_REASON_DIR_NOT_PRESENT,
		VTD_REASON_PASID_NOT_PRESENT,
	};

	for (uint32_t i = 0; i < sizeof(absent); i++)
		if (absent[i] == reason)
			return false;
	return true;
}

/* PASID entries of one directory entry: 64. */
#define VTD_PASID_TABLE_LAST 63u

/* The last PASID that @reason holds for: this entry, its directory entry, all. */
static uint32_t reason_last(enum vtd_reason reason, uint32_t pasid)
{
	if (reason >= VTD_REASON_DIR_ACCESS && reason <= VTD_REASON_DIR_RESERVED)
		return pasid | VTD_PASID_TABLE_LAST;
	if (reason != VTD_REASON_NONE && reason < VTD_REASON_DIR_ACCESS)
		return IOPF_PASID_MAX;
	return pasid;
}

static struct iopf_address_space space_value(const struct vtd_found *found, bool none)
{
	const struct vtd_pasid *entry = &found->pasid;
	bool first = entry->pgtt == VTD_PGTT_FIRST;
	struct iopf_address_space value = {
		.root = first ? entry->first_root : 0,
		.domain = entry->domain,
		.levels = first ? entry->first_levels : 0,
		.format = IOPF_FORMAT_X86,
	};

	value.flags = (uint8_t)((entry->supervisor ? IOPF_SPACE_SRE : 0) |
				(entry->exec ? IOPF_SPACE_ERE : 0) |
				(entry->write_protect ? IOPF_SPACE_WPE : 0) |
				(entry->extended ? IOPF_SPACE_EAFE : 0) |
				(found->context.pri ? IOPF_SPACE_PRE : 0) |
				(found->context.ats ? IOPF_SPACE_DTE : 0) |
				(none && found->context.rid_priv ? IOPF_SPACE_PRIV : 0));
	return value;
}

static bool vtd_read(struct iopf_guest *guest, uint32_t function, uint32_t pasid,
		     struct guest_space *space, uint32_t *last)
{
	struct table_space tables = { .memory = &guest->memory };
	struct vtd_request request = {
		.rid = guest->functions[function].value.rid,
		.pasid = pasid,
		.perm = IOPF_READ,
		.kind = VTD_UNTRANSLATED,
	};
	uint64_t root = iopf_hardware_root(guest->hardware);
	enum vtd_reason reason = VTD_REASON_ROOT_NOT_PRESENT;
	struct vtd_found found;

	if ((root & VTD_RTADDR_TTM) == VTD_RTADDR_SCALABLE)
		reason = vtd_find(&tables, &guest->features.vtd, root & VTD_RTADDR_ADDR,
				  &request, &found);
	else if ((root & VTD_RTADDR_TTM) != VTD_RTADDR_ABORT)
		reason = VTD_REASON_ROOT_RESERVED; /* legacy mode: not followed here */
	guest->stats.bad_structures += reason_is_bad(reason);
	*last = reason_last(reason, pasid);
	if (reason != VTD_REASON_NONE)
		return false;
	space->value = space_value(&found, pasid == IOPF_PASID_NONE);
	space->entry = found.number;
	return true;
}

/* ---- Commands -------------------------------------------------------------------------- */

static int vtd_structures(struct iopf_guest *guest, const struct iopf_command *command)
{
	if (!guest->begun && command->kind == IOPF_COMMAND_INVALIDATE_PASID &&
	    command->granularity == IOPF_ONE_PASID)
		guest_scan_pasid(guest, 0, guest->function_count, command->pasid);
	else if (!guest->begun)
		guest_scan_all(guest);
	return guest_command_scan(guest);
}

/* The IOTLB knows domains, and PASIDs within them: that of the entry, which requests
 * without PASID share. */
static bool vtd_touches(const struct iopf_guest *guest,
			const struct iopf_command *command,
			const struct guest_space *space)
{
	(void)guest;
	if (command->granularity == IOPF_ALL)
		return true;
	return space->value.domain == command->domain &&
	       (command->granularity == IOPF_DOMAIN ||
		command->pasid == IOPF_PASID_NONE || command->pasid == space->entry);
}

static guest_command_fn *const vtd_command[IOPF_COMMAND_KIND_COUNT] = {
	[IOPF_COMMAND_NONE] = guest_command_other,
	[IOPF_COMMAND_RESPONSE] = guest_command_response,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = vtd_structures,
	[IOPF_COMMAND_INVALIDATE_PASID] = vtd_structures,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = guest_command_invalidate,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = guest_command_invalidate,
	[IOPF_COMMAND_WAIT] = guest_command_wait,
	[IOPF_COMMAND_OTHER] = guest_command_other,
	[IOPF_COMMAND_TERMINATE] = guest_command_other, /* no such descriptor */
};

/* ---- First level ------------------------------------------------------------------------ */

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

	return vtd_tables(&entry, &guest->features.vtd).first;
}

static bool vtd_walk(const struct iopf_guest *guest, const struct guest_space *space,
		     uint64_t addr, uint8_t perm, bool update,
		     struct table_result *result)
{
	const struct table_space tables = { .memory = &guest->memory };
	const struct x86_format format = first_format(guest, &space->value);

	return x86_walk(&tables, &format, space->value.root, addr, perm, update, result);
}

/* Each table that the walk used; hardware writes accessed and dirty bits where they are
 * not set, so the second level has to let it. */
static void route_tables(const struct guest_route *route, const struct x86_format *format,
			 const struct radix_path *path, uint8_t perm, bool found)
{
	for (unsigned level = format->levels; level >= path->level && level > 0;
	     level--) {
		const struct radix_step *step = &path->step[level];
		uint64_t marks =
			found ? x86_marks(format, perm, level == path->level) : 0;
		bool marked = (step->entry & marks) == marks;

		guest_route_need(route, step->addr,
				 marked ? IOPF_READ : IOPF_READ | IOPF_WRITE);
	}
}

static void vtd_route(const struct guest_route *route, const struct guest_space *space,
		      uint64_t addr, uint8_t perm)
{
	const struct table_space tables = { .memory = &route->guest->memory };
	const struct x86_format format = first_format(route->guest, &space->value);
	struct table_result result;
	struct radix_path path;
	bool found = x86_walk_path(&tables, &format, space->value.root, addr, perm, &path,
				   &result);

	route_tables(route, &format, &path, perm, found);
	if (found)
		guest_route_need(route, result.addr, perm);
	else if (result.fault == TABLE_OUTSIDE)
		route->out->stages |= IOPF_STAGE_UNBACKED;
	else
		route->out->stages |= IOPF_STAGE_FIRST;
}

static const uint32_t vtd_doorbells[] = { VTD_IQT, VTD_PQH, VTD_PRS, 0 };

const struct guest_family guest_vtd = {
	.name = "vtd",
	.wire = &iopf_wire_vtd,
	.mechanisms = 1u << IOPF_PRI,
	.rid_max = UINT16_MAX,
	.iotlb_pasids = true,
	.command = vtd_command,
	.doorbells = vtd_doorbells,
	.levels_valid = vtd_levels_valid,
	.registers = vtd_registers,
	.read = vtd_read,
	.touches = vtd_touches,
	.route = vtd_route,
	.walk = vtd_walk,
};
