/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/guest_vtd.c - what a guest has in a VT-d's structures, and asks of it.
 *
 * VT-d, "Caching Mode": with CAP.CM the guest invalidates whatever it changes, also
 * what was not present. So its structures are read when it invalidates, and only then.
 */
#include <errno.h>

#include "table/family.h"
#include "table/vtd_words.h"

enum { PASID_BITS = 20 };

/* The root table register: an address and a mode. */
#define ROOT_ADDR     UINT64_C(0xfffffffffffff000)
#define ROOT_MODE     UINT64_C(0xc00)
#define ROOT_SCALABLE UINT64_C(0x400)
#define ROOT_ABORT    UINT64_C(0xc00)

/* ---- What its software asks for ----------------------------------------------------------- */

static int vtd_wanted(const struct family_use *use, union family_features *features)
{
	if ((use->levels != 4 && use->levels != 5) || use->pasid_bits < VTD_DIRECTORY_BITS ||
	    use->pasid_bits > PASID_BITS)
		return -EINVAL;
	features->vtd = (struct vtd_features){ .address_bits = VTD_ADDRESS_BITS,
					       .first = true,
					       .first_1g = true,
					       .first_5l = use->levels == 5,
					       .drains = true };
	return 0;
}

static int vtd_adopt(struct family_tables *tables, const union family_features *there)
{
	struct vtd_features *own = &tables->vtd.features;

	if (tables->use.mechanisms >> IOPF_STALLS & 1 || !there->vtd.first ||
	    !there->vtd.drains ||
	    (own->first_5l && !there->vtd.first_5l))
		return -ENODEV;
	own->supervisor = there->vtd.supervisor;
	return 0;
}

/* ---- What a guest's structures say ------------------------------------------------------ */

/* Not an entry that is absent, but one that cannot be. */
static bool reason_is_bad(enum vtd_reason reason)
{
	static const uint8_t absent[] = {
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
#define PASID_TABLE_LAST 63u

/* The last PASID that @reason holds for: this entry, its directory entry, all. */
static uint32_t reason_last(enum vtd_reason reason, uint32_t pasid)
{
	if (reason >= VTD_REASON_DIR_ACCESS && reason <= VTD_REASON_DIR_RESERVED)
		return pasid | PASID_TABLE_LAST;
	return reason < VTD_REASON_DIR_ACCESS ? IOPF_PASID_MAX : pasid;
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

static enum family_found vtd_read(const struct family_view *view, uint32_t rid,
				  uint32_t pasid, struct family_entry *entry,
				  uint32_t *last)
{
	const struct table_space tables = { .memory = &view->memory };
	const struct vtd_request request = {
		.rid = rid, .pasid = pasid, .perm = IOPF_READ, .kind = VTD_UNTRANSLATED
	};
	enum vtd_reason reason = VTD_REASON_ROOT_NOT_PRESENT;
	struct vtd_found found;

	if ((view->root & ROOT_MODE) == ROOT_SCALABLE)
		reason = vtd_find(&tables, &view->features.vtd, view->root & ROOT_ADDR,
				  &request, &found);
	else if ((view->root & ROOT_MODE) != ROOT_ABORT)
		reason = VTD_REASON_ROOT_RESERVED; /* legacy mode: not followed here */
	if (reason != VTD_REASON_NONE) {
		*last = reason_last(reason, pasid);
		return reason_is_bad(reason) ? FAMILY_BAD : FAMILY_NOTHING;
	}
	entry->value = space_value(&found, pasid == IOPF_PASID_NONE);
	entry->number = found.number;
	return FAMILY_FOUND;
}

/* A PASID cache knows no requesters. */
static bool vtd_changes(const struct iopf_command *command, uint32_t *rid, uint32_t *pasid)
{
	bool one = command->kind == IOPF_COMMAND_INVALIDATE_PASID &&
		   command->granularity == IOPF_ONE_PASID;

	*rid = IOPF_NO_ID;
	*pasid = one ? command->pasid : IOPF_PASID_ANY;
	return command->kind != IOPF_COMMAND_INVALIDATE_IOTLB;
}

const struct family_guest family_guest_vtd = {
	.wanted = vtd_wanted,
	.adopt = vtd_adopt,
	.read = vtd_read,
	.changes = vtd_changes,
	.touches = family_x86_touches,
	.needs = family_x86_needs,
	.walk = family_x86_first,
};
