/* SPDX-License-Identifier: BSD-3-Clause */
/* pager/pager.c - a page is mapped when it is first asked for. */
#include "pager/pager.h"

#include <errno.h>

static bool region_right(const struct iopf_pager_region *region)
{
	return (region->addr | region->out | region->size_bytes) % TABLE_PAGE_BYTES == 0 &&
	       region->size_bytes > 0 && region->addr + region->size_bytes > region->addr &&
	       (region->perm & ~(IOPF_READ | IOPF_WRITE)) == 0 && region->perm != 0;
}

int pager_create(struct iopf_pager *pager, const struct family *family,
		 const struct family_tables *tables, enum family_table table,
		 const struct iopf_pager_region *regions, uint32_t region_count)
{
	int error;

	*pager = (struct iopf_pager){ .region_count = region_count };
	if (region_count < 1 || region_count > IOPF_PAGER_REGION_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < region_count; i++) {
		if (!region_right(&regions[i]))
			return -EINVAL;
		pager->regions[i] = regions[i];
	}
	error = family->stage_create(&pager->stage, tables, table);
	if (error == 0)
		pager->family = family;
	return error;
}

void pager_destroy(struct iopf_pager *pager)
{
	if (pager->family != NULL)
		pager->family->stage_destroy(&pager->stage);
	pager->family = NULL;
}

static const struct iopf_pager_region *region_of(const struct iopf_pager *pager,
						 uint64_t addr, uint8_t perm)
{
	for (uint32_t i = 0; i < pager->region_count; i++) {
		const struct iopf_pager_region *region = &pager->regions[i];

		if (addr >= region->addr && addr - region->addr < region->size_bytes)
			return (perm & ~region->perm) == 0 ? region : NULL;
	}
	return NULL;
}

int pager_out(const struct iopf_pager *pager, uint64_t addr, uint8_t perm, uint64_t *out)
{
	const struct iopf_pager_region *region =
		region_of(pager, addr, perm & (IOPF_READ | IOPF_WRITE));

	if (region == NULL)
		return -EFAULT;
	*out = region->out + (addr - region->addr);
	return 0;
}

int pager_map(struct iopf_pager *pager, uint64_t addr, uint8_t perm)
{
	uint64_t page = addr & ~(TABLE_PAGE_BYTES - 1);
	const struct iopf_pager_region *region;
	int error;

	region = region_of(pager, page, perm & (IOPF_READ | IOPF_WRITE));
	if (region == NULL) {
		pager->stats.unbacked++;
		return -EFAULT;
	}
	error = pager->family->stage_map(&pager->stage, page,
					 region->out + (page - region->addr),
					 region->perm);
	if (error == -EEXIST) {
		pager->stats.present++;
		return 0;
	}
	pager->stats.mapped += error == 0;
	pager->stats.short_of_pages += error == -ENOSPC;
	return error;
}

bool pager_mapped(void *context, uint64_t addr, uint8_t perm)
{
	const struct iopf_pager *pager = context;
	struct table_result ignored;

	return pager->family->stage_walk(&pager->stage, addr, perm, &ignored);
}

enum iopf_code pager_serve(struct iopf_pager *pager, const struct iopf_page *pages,
			   uint32_t page_count)
{
	for (uint32_t i = 0; i < page_count; i++)
		if (pager_map(pager, pages[i].addr, pages[i].perm) != 0)
			return IOPF_INVALID;
	return IOPF_SUCCESS;
}

int pager_unmap(struct iopf_pager *pager, uint64_t addr, uint64_t size_bytes)
{
	return pager->family->stage_unmap(&pager->stage, addr, size_bytes);
}
