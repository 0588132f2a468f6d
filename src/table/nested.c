/* SPDX-License-Identifier: BSD-3-Clause */
/* table/nested.c - the first level through the second, and what is missing where. */
#include "table/nested.h"

#include <errno.h>

#define INTERRUPT_BASE UINT64_C(0xfee00000)
#define INTERRUPT_LAST UINT64_C(0xfeefffff)

/* Rights that the second stage knows. */
#define SECOND_PERM (IOPF_READ | IOPF_WRITE | IOPF_EXEC)

struct second_stage {
	const struct nested_tables *tables;
	struct table_space space;
	bool update;
	struct table_result last;
};

static bool through_second(struct second_stage *second, uint64_t gpa, uint8_t perm)
{
	const struct nested_tables *tables = second->tables;

	if (tables->host.levels != 0)
		return amdv1_walk(&second->space, &tables->host, tables->second_root, gpa,
				  perm & SECOND_PERM, second->update, &second->last);
	return vtdss_walk(&second->space, &tables->second, tables->second_root, gpa,
			  perm & SECOND_PERM, second->update, &second->last);
}

static int translate_table(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	struct second_stage *second = context;

	if (!through_second(second, addr, perm))
		return -EFAULT;
	*out = second->last.addr;
	return 0;
}

static bool faulted(struct nested_result *result, enum nested_stage stage, uint8_t fault)
{
	result->stage = (uint8_t)stage;
	result->fault = fault;
	return false;
}

/* The last step of every kind: is the output memory at all? */
static bool arrived(const struct nested_tables *tables, enum nested_stage stage,
		    struct nested_result *result)
{
	if (!tables->interrupt_range || result->addr < INTERRUPT_BASE ||
	    result->addr > INTERRUPT_LAST)
		return true;
	return faulted(result, stage, TABLE_INTERRUPT);
}

static bool walk_pass(const struct nested_tables *tables, uint64_t addr,
		      struct nested_result *result)
{
	if (addr >> tables->address_bits != 0)
		return faulted(result, NESTED_STAGE_SECOND, TABLE_ADDRESS);
	result->addr = addr;
	result->size_bytes = TABLE_PAGE_BYTES;
	return arrived(tables, NESTED_STAGE_SECOND, result);
}

static bool walk_first(const struct nested_tables *tables, const struct table_space *space,
		       uint64_t addr, uint8_t perm, bool update,
		       struct nested_result *result)
{
	bool found = x86_walk(space, &tables->first, tables->first_root, addr, perm, update,
			      &result->first);

	result->addr = result->first.addr;
	result->size_bytes = result->first.size_bytes;
	result->perm = result->first.perm & (uint8_t)~tables->withheld;
	return found || faulted(result, NESTED_STAGE_FIRST, result->first.fault);
}

/* Take what the first stage found (or the input itself) through the second. */
static bool walk_data(struct second_stage *second, uint64_t gpa, uint8_t perm,
		      struct nested_result *result)
{
	bool found = through_second(second, gpa, perm);

	result->second = second->last;
	result->gpa = gpa;
	result->gpa_perm = perm & SECOND_PERM;
	if (!found)
		return faulted(result, NESTED_STAGE_SECOND, second->last.fault);
	result->addr = second->last.addr;
	if (second->last.size_bytes < result->size_bytes)
		result->size_bytes = second->last.size_bytes;
	result->perm &= (uint8_t)(second->last.perm | IOPF_PRIV);
	return arrived(second->tables, NESTED_STAGE_SECOND, result);
}

static bool walk_both(struct second_stage *second, uint64_t addr, uint8_t perm,
		      struct nested_result *result)
{
	const struct table_space through = { .memory = second->space.memory,
					     .translate = translate_table,
					     .context = second };

	if (walk_first(second->tables, &through, addr, perm, second->update, result))
		return walk_data(second, result->first.addr, perm, result);
	if (result->fault != TABLE_SECOND)
		return false;
	result->second = second->last;
	result->gpa = result->first.gpa;
	result->gpa_perm = result->first.gpa_perm;
	result->table_page = true;
	return faulted(result, NESTED_STAGE_SECOND, second->last.fault);
}

bool nested_walk(const struct nested_tables *tables, const struct iopf_memory *memory,
		 uint64_t addr, uint8_t perm, bool update, struct nested_result *result)
{
	struct second_stage second = { .tables = tables,
				       .space = { .memory = memory },
				       .update = update };

	*result = (struct nested_result){ .size_bytes = UINT64_MAX,
					  .perm = SECOND_PERM & (uint8_t)~tables->withheld };
	if ((perm & tables->withheld) != 0)
		return faulted(result, NESTED_STAGE_SECOND, TABLE_PERMISSION);
	switch ((enum nested_kind)tables->kind) {
	case NESTED_FIRST:
		return walk_first(tables, &second.space, addr, perm, update, result) &&
		       arrived(tables, NESTED_STAGE_FIRST, result);
	case NESTED_SECOND:
		return walk_data(&second, addr, perm, result);
	case NESTED_BOTH:
		return walk_both(&second, addr, perm, result);
	case NESTED_PASS:
		return walk_pass(tables, addr, result);
	case NESTED_NONE:
		break;
	}
	return faulted(result, NESTED_STAGE_FIRST, TABLE_NOT_PRESENT);
}

/* Ask the second stage for one page; note it if it is not there. A page that is asked
 * for twice (a table that leads to itself) is one page with the rights of both. */
static void need(struct second_stage *second, uint64_t gpa, uint8_t perm, bool table_page,
		 struct nested_missing *missing)
{
	uint64_t page = gpa & ~(TABLE_PAGE_BYTES - 1);
	uint32_t i = 0;

	if (through_second(second, gpa, perm))
		return;
	while (i < missing->count && missing->miss[i].gpa != page)
		i++;
	if (i == missing->count)
		missing->miss[missing->count++] = (struct nested_miss){ .gpa = page };
	missing->miss[i].perm |= perm & SECOND_PERM;
	missing->miss[i].table_page |= table_page;
}

static void need_tables(struct second_stage *second, const struct radix_path *path,
			uint8_t perm, bool found, bool update,
			struct nested_missing *missing)
{
	const struct x86_format *format = &second->tables->first;

	for (unsigned level = format->levels; level >= path->level && level > 0; level--) {
		bool leaf = level == path->level && found;
		uint64_t marks = update && found ? x86_marks(format, perm, leaf) : 0;
		uint8_t wanted = (path->step[level].entry & marks) == marks
					 ? IOPF_READ
					 : IOPF_READ | IOPF_WRITE;

		need(second, path->step[level].addr, wanted, true, missing);
	}
}

void nested_missing(const struct nested_tables *tables, const struct iopf_memory *guest,
		    const struct iopf_memory *memory, uint64_t addr, uint8_t perm,
		    bool update, struct nested_missing *missing)
{
	const struct table_space direct = { .memory = guest };
	struct second_stage second = { .tables = tables, .space = { .memory = memory } };
	bool both = tables->kind == NESTED_BOTH, found = true;
	struct radix_path path;

	*missing = (struct nested_missing){ .first = { .addr = addr } };
	if (both || tables->kind == NESTED_FIRST)
		found = x86_walk_path(&direct, &tables->first, tables->first_root, addr, perm,
				      &path, &missing->first);
	else if (tables->kind == NESTED_NONE) {
		missing->first.fault = TABLE_NOT_PRESENT;
		found = false;
	}
	if (both)
		need_tables(&second, &path, perm, found, update, missing);
	if (found && (both || tables->kind == NESTED_SECOND))
		need(&second, missing->first.addr, perm, false, missing);
}
