/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/guest_smmuv3.c - what a guest has in the structures of an SMMUv3 of one stage, and
 * asks of it.
 *
 * Arm SMMUv3 (IHI 0070), 4.3 "Configuration structure invalidation": whatever software
 * changes, also what was not valid before, it invalidates. So its stream table and its
 * context descriptors are read when it does, and only then.
 */
#include <errno.h>

#include "table/family.h"
#include "table/smmuv3_nested.h"

/* What a guest's software builds for. */
enum {
	OWN_LEVELS = 4,
	OWN_ADDRESS_BITS = 48,
	OWN_STREAM_BITS = 16,
};

/* ---- What its software asks for ----------------------------------------------------------- */

static int smmuv3_wanted(const struct family_use *use, union family_features *features)
{
	if (use->levels != OWN_LEVELS || use->pasid_bits < 1 || use->pasid_bits > 20)
		return -EINVAL;
	features->smmuv3 = (struct smmuv3_features){
		.address_bits = OWN_ADDRESS_BITS,
		.stream_bits = OWN_STREAM_BITS,
		.substream_bits = (uint8_t)use->pasid_bits,
		/* Where nothing can be held, an entry may not even say so. */
		.stall_model = SMMUV3_STALL_NEVER,
		.first = true,
		.ats = true,
		.streams_2level = true,
		.contexts_2level = true,
		.asid16 = true,
	};
	return 0;
}

/* The shape of the tables stays; what their entries may say becomes known. */
static int smmuv3_adopt(struct family_tables *tables, const union family_features *features)
{
	const struct smmuv3_features *there = &features->smmuv3;
	struct smmuv3_features *own = &tables->smmuv3.features;
	bool stalls = tables->use.mechanisms >> IOPF_STALLS & 1;
	bool requests = tables->use.mechanisms >> IOPF_PRI & 1;

	if (!there->first || !there->contexts_2level || !there->streams_2level ||
	    !there->asid16 || there->stream_bits < own->stream_bits ||
	    there->substream_bits < own->substream_bits ||
	    there->address_bits < own->address_bits ||
	    (stalls && there->stall_model == SMMUV3_STALL_NEVER) ||
	    (requests && !(there->ats && there->pri)))
		return -ENODEV;
	own->stall_model = there->stall_model;
	own->access = there->access;
	own->dirty = there->dirty;
	return 0;
}

/* ---- What a guest's structures say ---------------------------------------------------- */

/* Not an entry that is absent, but one that cannot be. @addr: where it lies. */
static bool event_is_bad(const struct family_view *view, enum smmuv3_event event,
			 uint64_t addr)
{
	bool fetch = event == SMMUV3_EVENT_F_STE_FETCH || event == SMMUV3_EVENT_F_CD_FETCH;
	bool entry = event == SMMUV3_EVENT_C_BAD_STE || event == SMMUV3_EVENT_C_BAD_CD;
	unsigned valid_bit = event == SMMUV3_EVENT_C_BAD_CD ? 31 : 0;
	uint64_t word;

	return fetch || (entry && memory_load64(&view->memory, addr, &word) &&
			 (word >> valid_bit & 1));
}

/* Descriptors of one first-level entry, less one. */
static uint32_t leaf_last(const struct smmuv3_ste *ste)
{
	return ste->contexts == SMMUV3_LEAF_64K ? 1023 : 63;
}

static struct iopf_address_space stream_value(const struct smmuv3_ste *ste)
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
static void describe(struct iopf_address_space *value, const struct smmuv3_cd *cd)
{
	const struct vmsa_half *half = &cd->first.half[cd->first.half[0].disabled];

	value->root = half->root;
	value->levels = vmsa_levels(half->input_bits);
	value->domain = cd->asid;
	if (cd->stall)
		value->flags |= IOPF_SPACE_STALL;
}

/* The descriptor of (@ste, @pasid), or that there is none to be. */
static enum smmuv3_event read_context(const struct family_view *view,
				      const struct smmuv3_ste *ste, uint32_t pasid,
				      struct family_entry *entry, uint64_t *addr,
				      uint32_t *last)
{
	const struct table_space tables = { .memory = &view->memory };
	enum smmuv3_event event = smmuv3_find_number(ste, pasid, &entry->number);
	struct table_result miss = { 0 };

	if (event == SMMUV3_EVENT_C_BAD_SUBSTREAMID)
		*last = IOPF_PASID_MAX;
	if (event != SMMUV3_EVENT_NONE || entry->number == UINT32_MAX)
		return event;
	event = smmuv3_find_cd(&tables, &view->features.smmuv3, ste, entry->number,
			       &entry->detail.smmuv3, &miss);
	*addr = miss.entry_addr;
	if (event == SMMUV3_EVENT_C_BAD_SUBSTREAMID)
		*last = pasid | leaf_last(ste);
	return event;
}

static enum family_found smmuv3_read(const struct family_view *view, uint32_t rid,
				     uint32_t pasid, struct family_entry *entry,
				     uint32_t *last)
{
	struct smmuv3_ste ste;
	uint64_t addr;
	enum smmuv3_event event = smmuv3_find_ste(&view->memory, &view->features.smmuv3,
						  view->root, view->root_config, rid,
						  &addr, &ste);

	*last = IOPF_PASID_MAX;
	if (event == SMMUV3_EVENT_NONE && ste.config == SMMUV3_ABORT)
		return FAMILY_NOTHING;
	if (event == SMMUV3_EVENT_NONE) {
		*last = pasid;
		entry->value = stream_value(&ste);
		event = read_context(view, &ste, pasid, entry, &addr, last);
	}
	if (event != SMMUV3_EVENT_NONE)
		return event_is_bad(view, event, addr) ? FAMILY_BAD : FAMILY_NOTHING;
	if (entry->number != UINT32_MAX)
		describe(&entry->value, &entry->detail.smmuv3);
	return FAMILY_FOUND;
}

static bool half_same(const struct vmsa_half *a, const struct vmsa_half *b)
{
	return a->root == b->root && a->input_bits == b->input_bits &&
	       a->disabled == b->disabled && a->top_ignored == b->top_ignored &&
	       a->flat == b->flat;
}

/* What is not in their values. */
static bool smmuv3_same(const struct family_entry *a, const struct family_entry *b)
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

/* IHI 0070, 4.3 "Configuration structure invalidation": whatever software changes, also
 * what was not valid before, it invalidates. */
static bool smmuv3_changes(const struct iopf_command *command, uint32_t *rid,
			   uint32_t *pasid)
{
	bool one = command->granularity != IOPF_ALL && command->rid_mask == 0;

	*rid = one ? command->rid : IOPF_NO_ID;
	*pasid = one && command->granularity == IOPF_ONE_PASID ? command->pasid :
								 IOPF_PASID_ANY;
	return command->kind != IOPF_COMMAND_INVALIDATE_IOTLB;
}

/* The TLB knows ASIDs; there is one VMID. What bypasses stage 1 has no translations. By
 * its address a global page goes with any ASID (IHI 0070, 4.4 "TLB invalidation"). */
static bool smmuv3_touches(const struct iopf_command *command,
			   const struct family_entry *entry)
{
	if (command->granularity == IOPF_ALL || command->granularity == IOPF_DOMAIN)
		return true;
	if (entry->value.levels == 0)
		return false;
	return (command->hints & IOPF_HINT_ANY_ASID) ||
	       entry->value.domain == command->asid ||
	       (entry->global && command->granularity == IOPF_PAGE);
}

static bool smmuv3_global(uint64_t leaf)
{
	return !(leaf & VMSA_NOT_GLOBAL);
}

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

static bool smmuv3_first(const struct family_view *view, const struct family_entry *entry,
			 uint64_t addr, uint8_t perm, bool update,
			 struct table_result *result)
{
	const struct table_space tables = { .memory = &view->memory };

	return vmsa_walk(&tables, &entry->detail.smmuv3.first, addr, perm, update, result);
}

struct needs {
	table_need *need;
	void *context;
};

static void need_page(void *context, uint64_t ipa, uint8_t perm, enum smmuv3_class what)
{
	const struct needs *needs = context;

	(void)what;
	needs->need(needs->context, ipa, perm);
}

/* Pages of descriptors and of tables, and the data: what hardware reads of them, and the
 * leaf that it marks. */
static uint32_t smmuv3_route(const struct family_view *view, const struct family_entry *entry,
			     uint64_t addr, uint8_t perm, table_need *need, void *context)
{
	const uint64_t words[SMMUV3_STE_WORDS] = { entry->value.nest[0],
						   entry->value.nest[1] };
	struct smmuv3_ste ste = { .config = SMMUV3_ABORT };
	const struct smmuv3_walk walk = { .features = &view->features.smmuv3,
					  .memory = &view->memory,
					  .ste = &ste,
					  .update = true };
	struct needs needs = { .need = need, .context = context };
	struct smmuv3_result result;

	(void)smmuv3_ste_decode(words, walk.features, &ste); /* it was when it was copied */
	return smmuv3_needs(&walk, entry->number, &entry->detail.smmuv3, addr, perm,
			    need_page, &needs, &result) ?
		       0 :
		       family_mended(result.fault);
}

const struct family_guest family_guest_smmuv3 = {
	.wanted = smmuv3_wanted,
	.adopt = smmuv3_adopt,
	.read = smmuv3_read,
	.same = smmuv3_same,
	.changes = smmuv3_changes,
	.touches = smmuv3_touches,
	.needs = smmuv3_route,
	.walk = smmuv3_first,
	.global = smmuv3_global,
	.reason = smmuv3_reason,
};
