/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family_x86.c - tables of software's own where first levels have x86's format: what
 * VT-d's and AMD's rows have alike, whose second stages differ.
 */
#include "table/family.h"

enum { SECOND_LEVELS = 4, ADDRESS_BITS = 48 };

/* ---- Of software's own -------------------------------------------------------------- */

int family_x86_create(struct family_stage *stage, const struct iopf_memory *memory,
		      const struct table_pages *pages, const struct x86_format *format,
		      bool marks)
{
	stage->table = FAMILY_FIRST;
	stage->marks = marks;
	return x86_create(&stage->x86, memory, pages, format);
}

int family_vtdss_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages)
{
	const struct vtdss_format format = { .levels = SECOND_LEVELS,
					     .address_bits = ADDRESS_BITS,
					     .pages_2m = true,
					     .pages_1g = true };

	stage->table = FAMILY_SECOND;
	stage->amd.format.levels = 0;
	return vtdss_create(&stage->vtd, memory, pages, &format);
}

int family_amdv1_create(struct family_stage *stage, const struct iopf_memory *memory,
			const struct table_pages *pages)
{
	const struct amdv1_format format = { .levels = SECOND_LEVELS,
					     .address_bits = ADDRESS_BITS };

	stage->table = FAMILY_SECOND;
	return amdv1_create(&stage->amd, memory, pages, &format);
}

static bool is_amdv1(const struct family_stage *stage)
{
	return stage->amd.format.levels != 0;
}

void family_x86_destroy(const struct family_stage *stage)
{
	if (stage->table == FAMILY_FIRST)
		x86_destroy(&stage->x86);
	else if (is_amdv1(stage))
		amdv1_destroy(&stage->amd);
	else
		vtdss_destroy(&stage->vtd);
}

/* Who fills a host's tables knows when a page is used. */
int family_x86_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
		   uint8_t perm)
{
	if (stage->table == FAMILY_FIRST)
		return x86_map(&stage->x86, addr, out, TABLE_PAGE_BYTES, perm,
			       stage->marks ? 0 : X86_ACCESSED | X86_DIRTY);
	if (is_amdv1(stage))
		return amdv1_map(&stage->amd, addr, out, TABLE_PAGE_BYTES,
				 perm & (IOPF_READ | IOPF_WRITE), 0);
	return vtdss_map(&stage->vtd, addr, out, TABLE_PAGE_BYTES, perm);
}

/* Tables that become empty stay: a cache may still lead to them. */
static int unmap_first(struct x86_table table, uint64_t addr, uint64_t size_bytes)
{
	/* The two halves of canonical addresses do not adjoin. */
	uint64_t half = UINT64_C(1) << (table.format.levels == 5 ? 56 : 47);
	int low, high;

	table.pages.give = NULL;
	if (size_bytes != UINT64_MAX)
		return x86_unmap(&table, addr, size_bytes);
	low = x86_unmap(&table, 0, half);
	high = x86_unmap(&table, -half, half);
	return low < 0 ? low : high < 0 ? high : low + high;
}

static int unmap_second(const struct family_stage *stage, uint64_t addr, uint64_t size_bytes)
{
	struct amdv1_table amd = stage->amd;
	struct vtdss_table vtd = stage->vtd;

	amd.pages.give = vtd.pages.give = NULL;
	if (size_bytes == UINT64_MAX) {
		addr = 0;
		size_bytes = UINT64_C(1) << ADDRESS_BITS;
	}
	return is_amdv1(stage) ? amdv1_unmap(&amd, addr, size_bytes) :
				 vtdss_unmap(&vtd, addr, size_bytes);
}

int family_x86_unmap(const struct family_stage *stage, uint64_t addr, uint64_t size_bytes)
{
	return stage->table == FAMILY_FIRST ? unmap_first(stage->x86, addr, size_bytes) :
					      unmap_second(stage, addr, size_bytes);
}

void family_x86_tidy(const struct family_stage *stage)
{
	if (stage->table == FAMILY_FIRST)
		x86_tidy(&stage->x86);
	else if (is_amdv1(stage))
		amdv1_tidy(&stage->amd);
	else
		vtdss_tidy(&stage->vtd);
}

bool family_x86_walk(const struct family_stage *stage, uint64_t addr, uint8_t perm,
		     struct table_result *result)
{
	const struct table_space first = { .memory = stage->x86.memory };
	const struct table_space vtd = { .memory = stage->vtd.memory };
	const struct table_space amd = { .memory = stage->amd.memory };
	uint8_t second_perm = perm & (IOPF_READ | IOPF_WRITE);

	if (stage->table == FAMILY_FIRST)
		return x86_walk(&first, &stage->x86.format, stage->x86.root, addr, perm,
				false, result);
	if (is_amdv1(stage))
		return amdv1_walk(&amd, &stage->amd.format, stage->amd.root, addr,
				  second_perm, false, result);
	return vtdss_walk(&vtd, &stage->vtd.format, stage->vtd.root, addr, second_perm,
			  false, result);
}

/* ---- Of a guest --------------------------------------------------------------------- */

/* What an IOMMU that guests are shown has: pages of every size. */
static struct x86_format format_of(const struct iopf_address_space *value)
{
	return (struct x86_format){
		.levels = value->levels,
		.address_bits = ADDRESS_BITS,
		.pages_1g = true,
		.supervisor = (value->flags & IOPF_SPACE_SRE) != 0,
		.exec = (value->flags & IOPF_SPACE_ERE) != 0,
		.write_protect = (value->flags & IOPF_SPACE_WPE) != 0,
		.extended = (value->flags & IOPF_SPACE_EAFE) != 0,
	};
}

bool family_x86_first(const struct family_view *view, const struct family_entry *entry,
		      uint64_t addr, uint8_t perm, bool update, struct table_result *result)
{
	const struct table_space tables = { .memory = &view->memory };
	const struct x86_format format = format_of(&entry->value);

	return x86_walk(&tables, &format, entry->value.root, addr, perm, update, result);
}

uint32_t family_x86_needs(const struct family_view *view, const struct family_entry *entry,
			  uint64_t addr, uint8_t perm, table_need *need, void *context)
{
	const struct table_space tables = { .memory = &view->memory };
	const struct x86_format format = format_of(&entry->value);
	struct table_result result;

	return x86_needs(&tables, &format, entry->value.root, addr, perm, need, context,
			 &result) ?
		       0 :
		       family_mended(result.fault);
}

bool family_x86_touches(const struct iopf_command *command, const struct family_entry *entry)
{
	if (command->granularity == IOPF_ALL)
		return true;
	return entry->value.domain == command->domain &&
	       (command->granularity == IOPF_DOMAIN ||
		command->pasid == IOPF_PASID_NONE || command->pasid == entry->number);
}
