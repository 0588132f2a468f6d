/* SPDX-License-Identifier: BSD-3-Clause */
/* pager/pager.h - the host's own stage of one address space. */
#ifndef PAGER_PAGER_H
#define PAGER_PAGER_H

#include "iopf/pager.h"
#include "table/family.h"

struct iopf_pager {
	const struct family *family;
	struct family_stage stage;
	struct iopf_pager_region regions[IOPF_PAGER_REGION_MAX];
	uint32_t region_count;
	struct iopf_pager_stats stats;
};

/* An empty stage under @tables; @table: FAMILY_SECOND, or what its family lets stand
 * alone. Returns: 0, -EINVAL (regions), or no page. */
int pager_create(struct iopf_pager *pager, const struct family *family,
		 const struct family_tables *tables, enum family_table table,
		 const struct iopf_pager_region *regions, uint32_t region_count);

/* Give its tables back: no entry and no cache leads to them. One that was never made
 * has none. */
void pager_destroy(struct iopf_pager *pager);

/*
 * Make the page of @addr present for @perm (EXEC and PRIV mean nothing here).
 *
 * Returns: 0, also where it was; -EFAULT: no region has it, or not with that right;
 *          -ENOSPC: no page for a table.
 */
int pager_map(struct iopf_pager *pager, uint64_t addr, uint8_t perm);

/* Where @addr lies as the IOMMU says it. Returns: 0, -EFAULT, as pager_map(). */
int pager_out(const struct iopf_pager *pager, uint64_t addr, uint8_t perm, uint64_t *out);

/* Whether the page of @addr is present for @perm. @context: the pager. */
bool pager_mapped(void *context, uint64_t addr, uint8_t perm);

/* Serve a whole group: success when every page is present. */
enum iopf_code pager_serve(struct iopf_pager *pager, const struct iopf_page *pages,
			   uint32_t page_count);

/* Take pages away again. Returns: how many went. The caller invalidates. */
int pager_unmap(struct iopf_pager *pager, uint64_t addr, uint64_t size_bytes);

#endif
