/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/smmuv3.c - a guest whose IOMMU is an Arm SMMUv3 of one stage.
 *
 * Arm SMMUv3 (IHI 0070), 4.3 "Configuration structure invalidation": whatever software
 * changes, also what was not valid before, it invalidates. So its stream table and its
 * context descriptors are read when it does, and only then.
 */
#include "guest/guest.h"

#include <assert.h>

#include "queue/smmuv3.h"
#include "table/smmuv3_nested.h"

#define GUEST_STREAM_BITS    16
#define GUEST_SUBSTREAM_BITS 20

/* ---- Registers ------------------------------------------------------------------------ */

static bool smmuv3_levels_valid(uint32_t levels)
{
	return levels == 4;
}

/* As many as its streams can be shown; where none stalls, none can. */
static uint32_t stall_max(const struct iopf_guest *guest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < guest->function_count; i++)
		if (guest->functions[i].value.mechanism == IOPF_STALLS)
			count += IOPF_GUEST_INDEX_COUNT;
	return count;
}

static void smmuv3_registers(struct iopf_guest *guest,
			     struct iopf_hardware_options *options)
{
	int result;

	static_assert(IOPF_GUEST_ENDPOINT_MAX * IOPF_GUEST_INDEX_COUNT <= UINT16_MAX,
		      "STALL_MAX");
	options->version = IOPF_SMMUV3_VERSION;
	result = iopf_smmuv3_identification(IOPF_SMMUV3_VIRTUAL, GUEST_STREAM_BITS,
					    GUEST_SUBSTREAM_BITS, stall_max(guest),
					    options->idr);
	assert(result == 0);
	(void)result;
	guest->features.smmuv3 = smmuv3_features_of(options->idr);
}

/* ---- What the guest's structures say ------------------------------------------------- */

/* Not an entry that is absent, but one that cannot be. @addr: where it lies. */
static bool event_is_bad(const struct iopf_guest *guest, enum smmuv3_event event,
			 uint64_t addr)
{
	bool fetch = event == SMMUV3_EVENT_F_STE_FETCH || event == SMMUV3_EVENT_F_CD_FETCH;
	bool entry = event == SMMUV3_EVENT_C_BAD_STE || event == SMMUV3_EVENT_C_BAD_CD;
	unsigned valid_bit = event == SMMUV3_EVENT_C_BAD_CD ? 31 : 0;
	uint64_t word;

	return fetch || (entry && memory_load64(&guest->memory, addr, &word) &&
			 (word >> valid_bit & 1));
}

/* Descriptors of one first-level entry, less one. */
static uint32_t leaf_last(const struct smmuv3_ste *ste)
{
	return ste->contexts == SMMUV3_LEAF_64K ? 1023 : 63;
}

static struct iopf_address_space space_value(const struct smmuv3_ste *ste)
{
	uint64_t words[SMMUV3_STE_WORDS] = { 0 };
	struct iopf_address_space value = {
		.format = IOPF_FORMAT_VMSA,
		.flags = IOPF_SPACE_PRE, /* nothing of a stream's forbids them (3.9) */
	};

	/* What was copied and checked, not what is in memory by now. */
	if (smmuv3_ste_encode(ste, words) == 0) {
		value.nest[0] = words[0];
		value.nest[1] = words[1];
	}
	if (ste->ats != SMMUV3_ATS_OFF)
		value.flags |= IOPF_SPACE_DTE;
	return value;
}

/* A descriptor whose halves are both off has tables, in which nothing is. */
static void space_describe(struct iopf_address_space *value, const struct smmuv3_cd *cd)
{
	const struct vmsa_half *half = &cd->first.half[cd->first.half[0].disabled];

	value->root = half->root;
	value->levels = vmsa_levels(half->input_bits);
	value->domain = cd->asid;
	if (cd->stall)
		value->flags |= IOPF_SPACE_STALL;
}

/* The descriptor of (@ste, @pasid), or that there is none to be. */
static enum smmuv3_event read_context(const struct iopf_guest *guest,
				      const struct smmuv3_ste *ste, uint32_t pasid,
				      struct guest_space *space, uint64_t *addr,
				      uint32_t *last)
{
	const struct table_space tables = { .memory = &guest->memory };
	enum smmuv3_event event = smmuv3_find_number(ste, pasid, &space->entry);
	struct table_result miss = { 0 };

	if (event == SMMUV3_EVENT_C_BAD_SUBSTREAMID)
		*last = IOPF_PASID_MAX;
	if (event != SMMUV3_EVENT_NONE || space->entry == UINT32_MAX)
		return event;
	event = smmuv3_find_cd(&tables, &guest->features.smmuv3, ste, space->entry,
			       &space->detail.smmuv3, &miss);
	*addr = miss.entry_addr;
	if (event == SMMUV3_EVENT_C_BAD_SUBSTREAMID)
		*last = pasid | leaf_last(ste);
	return event;
}

static bool smmuv3_read(struct iopf_guest *guest, uint32_t function, uint32_t pasid,
			struct guest_space *space, uint32_t *last)
{
	struct smmuv3_ste ste;
	uint64_t addr;
	enum smmuv3_event event = smmuv3_find_ste(
		&guest->memory, &guest->features.smmuv3,
		iopf_hardware_root(guest->hardware),
		iopf_hardware_root_config(guest->hardware),
		guest->functions[function].value.rid, &addr, &ste);

	*last = IOPF_PASID_MAX;
	if (event == SMMUV3_EVENT_NONE && ste.config == SMMUV3_ABORT)
		return false;
	if (event == SMMUV3_EVENT_NONE) {
		*last = pasid;
		space->value = space_value(&ste);
		event = read_context(guest, &ste, pasid, space, &addr, last);
	}
	guest->stats.bad_structures += event_is_bad(guest, event, addr);
	if (event != SMMUV3_EVENT_NONE)
		return false;
	if (space->entry != UINT32_MAX)
		space_describe(&space->value, &space->detail.smmuv3);
	return true;
}

static bool half_same(const struct vmsa_half *a, const struct vmsa_half *b)
{
	return a->root == b->root && a->input_bits == b->input_bits &&
	       a->disabled == b->disabled && a->top_ignored == b->top_ignored &&
	       a->flat == b->flat;
}

/* What is not in their values. */
static bool smmuv3_same(const struct guest_space *a, const struct guest_space *b)
{
	const struct smmuv3_cd *p = &a->detail.smmuv3, *q = &b->detail.smmuv3;
	const struct vmsa_format *x = &p->first, *y = &q->first;

	if (a->value.levels == 0)
		return true;
	return p->abort == q->abort && p->record == q->record &&
	       half_same(&x->half[0], &y->half[0]) && half_same(&x->half[1], &y->half[1]) &&
	       x->output_bits == y->output_bits && x->access_off == y->access_off &&
	       x->access == y->access && x->dirty == y->dirty &&
	       x->write_no_exec == y->write_no_exec &&
	       x->private_users == y->private_users;
}

/* ---- Commands -------------------------------------------------------------------------- */

static int smmuv3_structures(struct iopf_guest *guest, const struct iopf_command *command)
{
	bool one = command->granularity != IOPF_ALL && command->rid_mask == 0;
	uint32_t function = guest_function_of_rid(guest, command->rid);

	if (one && function == guest->function_count)
		return 0; /* a stream that is not there */
	if (!guest->begun && one && command->granularity == IOPF_ONE_PASID)
		guest_scan_pasid(guest, function, 1, command->pasid);
	else if (!guest->begun && one)
		guest_scan_functions(guest, function, 1);
	else if (!guest->begun)
		guest_scan_all(guest);
	return guest_command_scan(guest);
}

/* The TLB knows ASIDs; there is one VMID. What bypasses stage 1 has no translations. By
 * its address a global page goes with any ASID (IHI 0070, 4.4 "TLB invalidation"). */
static bool smmuv3_touches(const struct iopf_guest *guest,
			   const struct iopf_command *command,
			   const struct guest_space *space)
{
	(void)guest;
	if (command->granularity == IOPF_ALL || command->granularity == IOPF_DOMAIN)
		return true;
	if (space->value.levels == 0)
		return false;
	return (command->hints & IOPF_HINT_ANY_ASID) ||
	       space->value.domain == command->asid ||
	       (space->global && command->granularity == IOPF_PAGE);
}

static bool smmuv3_global(uint64_t leaf)
{
	return !(leaf & VMSA_NOT_GLOBAL);
}

static guest_command_fn *const smmuv3_command[IOPF_COMMAND_KIND_COUNT] = {
	[IOPF_COMMAND_NONE] = guest_command_other,
	[IOPF_COMMAND_RESPONSE] = guest_command_response,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = smmuv3_structures,
	[IOPF_COMMAND_INVALIDATE_PASID] = smmuv3_structures,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = guest_command_invalidate,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = guest_command_invalidate,
	[IOPF_COMMAND_WAIT] = guest_command_wait,
	[IOPF_COMMAND_OTHER] = guest_command_other,
	[IOPF_COMMAND_TERMINATE] = guest_command_terminate,
};

/* ---- Events ----------------------------------------------------------------------------- */

/* What the guest's own tables miss by now; where it is nothing, as when it was not there:
 * the function asked before. */
static uint8_t smmuv3_reason(uint8_t fault)
{
	static const uint8_t reasons[TABLE_FAULT_COUNT] = {
		[TABLE_PERMISSION] = SMMUV3_EVENT_F_PERMISSION,
		[TABLE_SIZE] = SMMUV3_EVENT_F_ADDR_SIZE,
		[TABLE_ACCESS] = SMMUV3_EVENT_F_ACCESS,
	};

	return reasons[fault] != 0 ? reasons[fault] : SMMUV3_EVENT_F_TRANSLATION;
}

/* ---- First level ------------------------------------------------------------------------ */

static bool smmuv3_first(const struct iopf_guest *guest, const struct guest_space *space,
			 uint64_t addr, uint8_t perm, bool update,
			 struct table_result *result)
{
	const struct table_space tables = { .memory = &guest->memory };

	return vmsa_walk(&tables, &space->detail.smmuv3.first, addr, perm, update, result);
}

static void route_need(void *context, uint64_t ipa, uint8_t perm, enum smmuv3_class what)
{
	(void)what;
	guest_route_need(context, ipa, perm);
}

/* Pages of descriptors and of tables, and the data: what hardware reads of them, and the
 * leaf that it marks, the second level has to have. */
static void smmuv3_route(const struct guest_route *route, const struct guest_space *space,
			 uint64_t addr, uint8_t perm)
{
	const struct iopf_guest *guest = route->guest;
	const uint64_t words[SMMUV3_STE_WORDS] = { space->value.nest[0],
						   space->value.nest[1] };
	struct smmuv3_ste ste = { .config = SMMUV3_ABORT };
	const struct smmuv3_walk walk = { .features = &guest->features.smmuv3,
					  .memory = &guest->memory,
					  .ste = &ste,
					  .update = true };
	struct guest_route noted = *route;
	struct smmuv3_result result;

	(void)smmuv3_ste_decode(words, walk.features, &ste); /* it was when it was copied */
	if (smmuv3_needs(&walk, space->entry, &space->detail.smmuv3, addr, perm, route_need,
			 &noted, &result))
		return;
	route->out->stages |= result.fault == TABLE_OUTSIDE ? IOPF_STAGE_UNBACKED :
							      IOPF_STAGE_FIRST;
}

static const uint32_t smmuv3_doorbells[] = { SMMUV3_CMDQ_PROD, SMMUV3_EVENTQ_CONS,
					     SMMUV3_PRIQ_CONS, 0 };

const struct guest_family guest_smmuv3 = {
	.name = "smmuv3",
	.wire = &iopf_wire_smmuv3,
	.mechanisms = GUEST_EVERY_MECHANISM,
	.rid_max = (UINT32_C(1) << GUEST_STREAM_BITS) - 1,
	.off_forgets = true,
	.waits_drain = true,
	.command = smmuv3_command,
	.doorbells = smmuv3_doorbells,
	.levels_valid = smmuv3_levels_valid,
	.registers = smmuv3_registers,
	.read = smmuv3_read,
	.same = smmuv3_same,
	.reason = smmuv3_reason,
	.touches = smmuv3_touches,
	.route = smmuv3_route,
	.walk = smmuv3_first,
	.global = smmuv3_global,
};
