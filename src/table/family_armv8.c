/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family_armv8.c - tables of software's own in the formats that every Arm SMMU
 * reads: what SMMUv2's and SMMUv3's rows have alike.
 */
#include "table/family.h"

enum { HALF_BITS = 48 }; /* of the largest half of a first level */

int family_armv8_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages, enum family_table table,
			const struct vmsa_format *first)
{
	const struct vmsas2_format second = { .levels = vmsa_levels(first->output_bits),
					      .input_bits = first->output_bits,
					      .output_bits = first->output_bits };

	stage->table = (uint8_t)table;
	stage->marks = first->access;
	return table == FAMILY_SECOND ?
		       vmsas2_create(&stage->smmuv3, memory, pages, &second) :
		       vmsa_create(&stage->smmuv3_first, memory, pages, first);
}

void family_armv8_destroy(const struct family_stage *stage)
{
	if (stage->table == FAMILY_SECOND)
		vmsas2_destroy(&stage->smmuv3);
	else
		vmsa_destroy(&stage->smmuv3_first);
}

/* What hardware does not mark is marked beforehand: who fills a host's tables knows when a
 * page is used. */
int family_armv8_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		     uint8_t perm)
{
	uint64_t marks = (stage->marks ? 0 : VMSA_ACCESSED) |
			 (stage->smmuv3_first.format.dirty ? VMSA_DBM : 0);

	if (stage->table == FAMILY_FIRST)
		return vmsa_map(&stage->smmuv3_first, addr, out, TABLE_PAGE_BYTES, perm,
				marks);
	/* What may be read may be executed: who is to be kept from that, stage 1 keeps. */
	if ((perm & IOPF_READ) != 0)
		perm |= IOPF_EXEC;
	return vmsas2_map(&stage->smmuv3, addr, out, TABLE_PAGE_BYTES, perm, VMSA_ACCESSED);
}

/* Tables that become empty stay: a cache may still lead to them. */
static int unmap_first(struct vmsa_table table, uint64_t addr, uint64_t size_bytes)
{
	uint64_t half = UINT64_C(1) << HALF_BITS;
	int low, high;

	table.pages.give = NULL;
	if (size_bytes != UINT64_MAX)
		return vmsa_unmap(&table, addr, size_bytes);
	low = vmsa_unmap(&table, 0, half);
	high = vmsa_unmap(&table, -half, half);
	return low < 0 ? low : high < 0 ? high : low + high;
}

static int unmap_second(struct vmsas2_table table, uint64_t addr, uint64_t size_bytes)
{
	table.pages.give = NULL;
	return size_bytes != UINT64_MAX ?
		       vmsas2_unmap(&table, addr, size_bytes) :
		       vmsas2_unmap(&table, 0, UINT64_C(1) << table.format.input_bits);
}

int family_armv8_unmap(const struct family_stage *stage, uint64_t addr,
		       uint64_t size_bytes)
{
	return stage->table == FAMILY_SECOND ?
		       unmap_second(stage->smmuv3, addr, size_bytes) :
		       unmap_first(stage->smmuv3_first, addr, size_bytes);
}

void family_armv8_tidy(const struct family_stage *stage)
{
	if (stage->table == FAMILY_SECOND)
		vmsas2_tidy(&stage->smmuv3);
	else
		vmsa_tidy(&stage->smmuv3_first);
}

bool family_armv8_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		       struct table_result *result)
{
	const struct table_space second = { .memory = stage->smmuv3.memory };
	const struct table_space first = { .memory = stage->smmuv3_first.memory };

	if (stage->table == FAMILY_SECOND)
		return vmsas2_walk(&second, &stage->smmuv3.format, addr,
				   perm & (IOPF_READ | IOPF_WRITE), false, result);
	return vmsa_walk(&first, &stage->smmuv3_first.format, addr, perm, false, result);
}
