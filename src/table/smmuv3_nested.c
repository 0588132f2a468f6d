/* SPDX-License-Identifier: BSD-3-Clause */
/* table/smmuv3_nested.c - descriptors and stage 1 through stage 2, and what they need. */
#include "table/smmuv3_nested.h"

#include <errno.h>

/* Rights that stage 2 knows. */
#define SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

/* The event of a stage's fault. TABLE_SECOND is told as stage 2's. */
static uint8_t event_of(uint8_t fault)
{
	static const uint8_t events[TABLE_FAULT_COUNT] = {
		[TABLE_NOT_PRESENT] = SMMUV3_EVENT_F_TRANSLATION,
		[TABLE_ADDRESS] = SMMUV3_EVENT_F_TRANSLATION,
		[TABLE_SIZE] = SMMUV3_EVENT_F_ADDR_SIZE,
		[TABLE_ACCESS] = SMMUV3_EVENT_F_ACCESS,
		[TABLE_PERMISSION] = SMMUV3_EVENT_F_PERMISSION,
		[TABLE_OUTSIDE] = SMMUV3_EVENT_F_WALK_EABT,
		[TABLE_UPDATE] = SMMUV3_EVENT_F_WALK_EABT,
	};

	return events[fault];
}

/* ---- Stage 2 ------------------------------------------------------------------------ */

struct second_stage {
	const struct smmuv3_walk *walk;
	struct table_space space;
	uint64_t ipa; /* of the last walk */
	uint8_t perm;
	bool update;
	struct table_result last;
};

static struct second_stage second_of(const struct smmuv3_walk *walk)
{
	return (struct second_stage){ .walk = walk,
				      .space = { .memory = walk->memory },
				      .update = walk->update };
}

static bool through_second(struct second_stage *second, uint64_t ipa, uint8_t perm)
{
	second->ipa = ipa;
	second->perm = perm & SECOND_PERM;
	return vmsas2_walk(&second->space, &second->walk->ste->second, ipa, second->perm,
			   second->update, &second->last);
}

static int translate_entry(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	struct second_stage *second = context;

	if (!through_second(second, addr, perm))
		return -EFAULT;
	*out = second->last.addr;
	return 0;
}

/* How entries are reached: as they are, or through stage 2. */
static struct table_space entries_of(struct second_stage *second)
{
	struct table_space space = { .memory = second->walk->memory };

	if (smmuv3_has_second(second->walk->ste)) {
		space.translate = translate_entry;
		space.context = second;
	}
	return space;
}

static bool second_missed(const struct second_stage *second, enum smmuv3_class what,
			  struct smmuv3_result *result)
{
	const struct smmuv3_ste *ste = second->walk->ste;

	result->second = second->last;
	result->fault = second->last.fault;
	result->event = event_of(second->last.fault);
	result->stage = 2;
	result->what = (uint8_t)what;
	result->ipa = second->ipa;
	result->ipa_perm = second->perm;
	if (result->event == SMMUV3_EVENT_F_WALK_EABT)
		result->fetch_addr = second->last.entry_addr;
	result->abort = true;
	result->stall = smmuv3_resumable(result->event) && ste->stall;
	result->record = !smmuv3_resumable(result->event) || result->stall || ste->record;
	return false;
}

/* Where memory has, or does not have, the entry at @addr that was reached last. */
static uint64_t fetched(const struct second_stage *second, uint64_t addr)
{
	return smmuv3_has_second(second->walk->ste) ? second->last.addr : addr;
}

/* ---- The descriptor ----------------------------------------------------------------- */

static bool configuration_bad(enum smmuv3_event event, struct smmuv3_result *result)
{
	result->event = (uint8_t)event;
	result->abort = true;
	result->record = true;
	return false;
}

bool smmuv3_context(const struct smmuv3_walk *walk, uint32_t pasid, struct smmuv3_cd *cd,
		    struct smmuv3_result *result)
{
	struct second_stage second = second_of(walk);
	const struct table_space space = entries_of(&second);
	struct table_result miss;
	enum smmuv3_event event;

	*result = (struct smmuv3_result){ .abort = true, .index = UINT32_MAX };
	if (walk->ste->config == SMMUV3_ABORT)
		return false;
	event = smmuv3_find_number(walk->ste, pasid, &result->index);
	if (event != SMMUV3_EVENT_NONE)
		return configuration_bad(event, result);
	if (result->index == UINT32_MAX)
		return true;
	event = smmuv3_find_cd(&space, walk->features, walk->ste, result->index, cd,
			       &miss);
	if (event == SMMUV3_EVENT_NONE)
		return true;
	if (miss.fault == TABLE_SECOND)
		return second_missed(&second, SMMUV3_CLASS_CD, result);
	if (event == SMMUV3_EVENT_F_CD_FETCH)
		result->fetch_addr = fetched(&second, miss.entry_addr);
	return configuration_bad(event, result);
}

/* ---- Both stages -------------------------------------------------------------------- */

/* Stage 1's own faults are the input's, whatever entry they lie in; but one that cannot be
 * read is the table's. */
static bool first_faulted(const struct smmuv3_cd *cd, struct smmuv3_result *result)
{
	result->fault = result->first.fault;
	result->event = event_of(result->fault);
	result->stage = 1;
	result->what = result->event == SMMUV3_EVENT_F_WALK_EABT ? SMMUV3_CLASS_TT :
								   SMMUV3_CLASS_IN;
	result->stall = smmuv3_resumable(result->event) && cd->stall;
	result->record = !smmuv3_resumable(result->event) || result->stall || cd->record;
	result->abort = !smmuv3_resumable(result->event) || cd->abort;
	return false;
}

/* An input that no stage 1 looks at has to fit all the same, and is told as its fault; no
 * descriptor says what to do about it. ("Address sizes") */
static bool bypass(const struct smmuv3_walk *walk, uint64_t addr,
		   struct smmuv3_result *result)
{
	result->first = (struct table_result){ .addr = addr,
					       .size_bytes = UINT64_MAX,
					       .perm = SECOND_PERM | IOPF_PRIV };
	if (addr >> walk->features->address_bits == 0)
		return true;
	result->fault = TABLE_SIZE;
	result->event = SMMUV3_EVENT_F_ADDR_SIZE;
	result->stage = 1;
	result->what = SMMUV3_CLASS_IN;
	result->abort = true;
	result->record = true;
	return false;
}

static bool walk_first(struct second_stage *second, const struct smmuv3_cd *cd,
		       uint64_t addr, uint8_t perm, struct smmuv3_result *result)
{
	const struct table_space space = entries_of(second);

	if (vmsa_walk(&space, &cd->first, addr, perm, second->update, &result->first))
		return true;
	if (result->first.fault == TABLE_SECOND)
		return second_missed(second, SMMUV3_CLASS_TT, result);
	first_faulted(cd, result);
	if (result->what == SMMUV3_CLASS_TT)
		result->fetch_addr = fetched(second, result->first.entry_addr);
	return false;
}

static bool walk_second(struct second_stage *second, uint8_t perm,
			struct smmuv3_result *result)
{
	if (!through_second(second, result->first.addr, perm))
		return second_missed(second, SMMUV3_CLASS_IN, result);
	result->second = second->last;
	result->addr = second->last.addr;
	if (second->last.size_bytes < result->size_bytes)
		result->size_bytes = second->last.size_bytes;
	result->perm &= (uint8_t)(second->last.perm | IOPF_PRIV);
	return true;
}

bool smmuv3_walk(const struct smmuv3_walk *walk, const struct smmuv3_cd *cd,
		 uint64_t addr, uint8_t perm, struct smmuv3_result *result)
{
	struct second_stage second = second_of(walk);

	*result = (struct smmuv3_result){ .index = UINT32_MAX };
	if (cd != NULL ? !walk_first(&second, cd, addr, perm, result) :
			 !bypass(walk, addr, result))
		return false;
	result->addr = result->first.addr;
	result->size_bytes = result->first.size_bytes;
	result->perm = result->first.perm;
	if (smmuv3_has_second(walk->ste) && !walk_second(&second, perm, result))
		return false;
	if (result->size_bytes == UINT64_MAX)
		result->size_bytes = TABLE_PAGE_BYTES;
	return true;
}

bool smmuv3_translate(const struct smmuv3_walk *walk, uint32_t pasid, uint64_t addr,
		      uint8_t perm, struct smmuv3_result *result)
{
	struct smmuv3_cd cd;
	uint32_t index;
	bool found;

	if (!smmuv3_context(walk, pasid, &cd, result))
		return false;
	index = result->index;
	found = smmuv3_walk(walk, index == UINT32_MAX ? NULL : &cd, addr, perm, result);
	result->index = index;
	return found;
}

/* ---- What an access needs ----------------------------------------------------------- */

struct needs {
	const struct smmuv3_walk *walk;
	smmuv3_need *need;
	void *context;
	enum smmuv3_class what;
};

static void need(const struct needs *needs, uint64_t ipa, uint8_t perm,
		 enum smmuv3_class what)
{
	needs->need(needs->context, ipa & ~(TABLE_PAGE_BYTES - 1), perm & SECOND_PERM,
		    what);
}

/* Every entry that is read goes through here. */
static int need_entry(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	const struct needs *needs = context;

	need(needs, addr, perm, needs->what);
	*out = addr;
	return 0;
}

/* Hardware writes the leaf if it lacks a mark. */
static void need_marks(const struct needs *needs, const struct vmsa_format *format,
		       const struct radix_step *leaf, uint8_t perm)
{
	struct radix_marks marks = vmsa_marks(format, leaf->entry, perm);

	if (needs->walk->update &&
	    ((leaf->entry | marks.leaf) & ~marks.clear) != leaf->entry)
		need(needs, leaf->addr, IOPF_READ | IOPF_WRITE, SMMUV3_CLASS_TT);
}

/* What stage 1 of @cd leads to. */
static bool need_tables(struct needs *needs, const struct smmuv3_cd *cd, uint64_t addr,
			uint8_t perm, struct smmuv3_result *result)
{
	const struct table_space space = { needs->walk->memory, need_entry, needs };
	struct radix_path path;

	needs->what = SMMUV3_CLASS_TT;
	if (!vmsa_walk_path(&space, &cd->first, addr, perm, &path, &result->first))
		return first_faulted(cd, result);
	need_marks(needs, &cd->first, &path.step[path.level], perm);
	return true;
}

bool smmuv3_needs(const struct smmuv3_walk *walk, uint32_t index,
		  const struct smmuv3_cd *kept, uint64_t addr, uint8_t perm,
		  smmuv3_need *need_page, void *context, struct smmuv3_result *result)
{
	struct needs needs = { .walk = walk, .need = need_page, .context = context };
	const struct table_space space = { walk->memory, need_entry, &needs };
	enum smmuv3_event event = SMMUV3_EVENT_NONE;
	struct table_result miss;
	struct smmuv3_cd cd;

	*result = (struct smmuv3_result){ .abort = true, .index = index };
	if (index != UINT32_MAX)
		event = smmuv3_find_cd(&space, walk->features, walk->ste, index, &cd,
				       &miss);
	if (event != SMMUV3_EVENT_NONE && kept == NULL)
		return configuration_bad(event, result);
	if (index == UINT32_MAX ?
		    !bypass(walk, addr, result) :
		    !need_tables(&needs, kept != NULL ? kept : &cd, addr, perm, result))
		return false;
	result->addr = result->first.addr;
	result->perm = result->first.perm;
	result->size_bytes = index == UINT32_MAX ? TABLE_PAGE_BYTES :
						   result->first.size_bytes;
	need(&needs, result->addr, perm, SMMUV3_CLASS_IN);
	return true;
}
