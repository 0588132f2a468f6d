/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family_sv.c - tables of software's own in RISC-V's formats, as rows of families
 * have them.
 */
#include "table/family.h"

int family_sv_create(struct family_stage *stage, const struct iopf_memory *memory,
		     const struct table_pages *pages, const struct sv_format *format)
{
	stage->table = format->second ? FAMILY_SECOND : FAMILY_FIRST;
	stage->marks = format->update;
	return sv_create(&stage->sv, memory, pages, format);
}

void family_sv_destroy(const struct family_stage *stage)
{
	sv_destroy(&stage->sv);
}

/* What hardware does not mark is marked beforehand: who fills a host's tables knows when a
 * page is used. What may be read of a second stage may be executed: who is to be kept from
 * that, the first keeps. */
int family_sv_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		  uint8_t perm)
{
	if (stage->sv.format.second && (perm & IOPF_READ) != 0)
		perm |= IOPF_EXEC;
	return sv_map(&stage->sv, addr, out, TABLE_PAGE_BYTES, perm,
		      stage->marks ? 0 : SV_ACCESSED | SV_DIRTY);
}

/* Tables that become empty stay: a cache may still lead to them. */
int family_sv_unmap(const struct family_stage *stage, uint64_t addr, uint64_t size_bytes)
{
	struct sv_table table = stage->sv;
	uint64_t whole = UINT64_C(1) << sv_input_bits(&table.format);
	int low, high;

	table.pages.give = NULL;
	if (size_bytes != UINT64_MAX)
		return sv_unmap(&table, addr, size_bytes);
	if (table.format.second)
		return sv_unmap(&table, 0, whole);
	/* Each half of those that have a sign. */
	low = sv_unmap(&table, 0, whole / 2);
	high = sv_unmap(&table, -(whole / 2), whole / 2);
	return low < 0 ? low : high < 0 ? high : low + high;
}

void family_sv_tidy(const struct family_stage *stage)
{
	sv_tidy(&stage->sv);
}

bool family_sv_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		    struct table_result *result)
{
	const struct table_space space = { .memory = stage->sv.memory };

	if (stage->sv.format.second)
		perm &= IOPF_READ | IOPF_WRITE;
	return sv_walk(&space, &stage->sv.format, stage->sv.root, addr, perm, false, result);
}
