/* SPDX-License-Identifier: BSD-3-Clause */
/* table/sv_nested.c - RISC-V's first stage through its second. */
#include "table/sv_nested.h"

#include <errno.h>

/* Rights that a second stage knows. */
#define SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

static bool is_through(const struct sv_second *second)
{
	return second->need != NULL || second->stages->second.levels != 0;
}

static bool through_second(struct sv_second *second, uint64_t gpa, uint8_t perm)
{
	const struct table_space space = { .memory = second->memory };

	second->gpa = gpa;
	second->perm = perm & SECOND_PERM;
	if (second->need == NULL)
		return sv_walk(&space, &second->stages->second, second->stages->second_root,
			       gpa, second->perm, second->update, &second->last);
	second->need(second->context, gpa & ~(TABLE_PAGE_BYTES - 1), second->perm);
	second->last = (struct table_result){ .addr = gpa,
					      .size_bytes = TABLE_PAGE_BYTES,
					      .perm = SECOND_PERM };
	return true;
}

static int translate_entry(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	struct sv_second *second = context;

	if (!through_second(second, addr, perm))
		return -EFAULT;
	*out = second->last.addr;
	return 0;
}

struct table_space sv_second_space(struct sv_second *second)
{
	return (struct table_space){ .memory = second->memory,
				     .translate = is_through(second) ? translate_entry : NULL,
				     .context = second };
}

static bool faulted(struct sv_nested *result, uint8_t stage, uint8_t fault)
{
	result->stage = stage;
	result->fault = fault;
	return false;
}

bool sv_second_missed(const struct sv_second *second, bool implicit,
		      struct sv_nested *result)
{
	result->second = second->last;
	result->gpa = second->gpa;
	result->gpa_perm = second->perm;
	result->implicit = implicit;
	return faulted(result, 2, second->last.fault);
}

/* Hardware writes the leaf if it lacks a mark. */
static void need_marks(struct sv_second *second, uint8_t perm, uint64_t entry_addr)
{
	struct radix_marks marks = sv_marks(&second->stages->first, perm);
	uint64_t entry;

	if (second->need != NULL && table_load64(second->memory, entry_addr, &entry) &&
	    (entry | marks.leaf) != entry)
		(void)through_second(second, entry_addr, IOPF_READ | IOPF_WRITE);
}

static bool walk_first(struct sv_second *second, uint64_t addr, uint8_t perm,
		       struct sv_nested *result)
{
	const struct sv_stages *stages = second->stages;
	const struct table_space space = sv_second_space(second);

	result->first = (struct table_result){ .addr = addr,
					       .size_bytes = UINT64_MAX,
					       .perm = SECOND_PERM | IOPF_PRIV };
	if (stages->first.levels == 0)
		return is_through(second) || addr >> stages->second.address_bits == 0 ||
		       faulted(result, 1, TABLE_OUTSIDE);
	if (!sv_walk(&space, &stages->first, stages->first_root, addr, perm,
		     second->update && second->need == NULL, &result->first))
		return result->first.fault == TABLE_SECOND ?
			       sv_second_missed(second, true, result) :
			       faulted(result, 1, result->first.fault);
	need_marks(second, perm, result->first.entry_addr);
	return true;
}

static bool walk_second(struct sv_second *second, uint8_t perm, struct sv_nested *result)
{
	if (!through_second(second, result->gpa, perm))
		return sv_second_missed(second, false, result);
	result->second = second->last;
	result->addr = second->last.addr;
	if (second->last.size_bytes < result->size_bytes)
		result->size_bytes = second->last.size_bytes;
	result->perm &= (uint8_t)(second->last.perm | IOPF_PRIV);
	return true;
}

bool sv_nested_walk(struct sv_second *second, uint64_t addr, uint8_t perm,
		    struct sv_nested *result)
{
	*result = (struct sv_nested){ .fault = TABLE_OK };
	if (!walk_first(second, addr, perm, result))
		return false;
	result->addr = result->gpa = result->first.addr;
	result->size_bytes = result->first.size_bytes;
	result->perm = result->first.perm;
	if (is_through(second) && !walk_second(second, perm, result))
		return false;
	if (result->size_bytes == UINT64_MAX)
		result->size_bytes = TABLE_PAGE_BYTES;
	return true;
}
