/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pager.h - owners that fix pages themselves.
 *
 * The host's own stage: pages of an address space (a guest's physical one, or a
 * device's own) are mapped when they are first asked for, never before. Under a guest's
 * tables it serves what the guest never hears of; as an owner of its own it answers
 * groups of functions that no guest owns.
 */
#ifndef IOPF_PAGER_H
#define IOPF_PAGER_H

#include "iopf/iopf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iopf_pager;

/* A run of the address space, and the memory behind it. */
struct iopf_pager_region {
	uint64_t addr;       /* as the device or the guest says it; multiples of 4096 */
	uint64_t out;        /* as the IOMMU says it */
	uint64_t size_bytes;
	uint8_t perm;        /* IOPF_READ, IOPF_WRITE: the most that is given */
};

#define IOPF_PAGER_REGION_MAX 8

struct iopf_pager_stats {
	uint64_t mapped;   /* pages made present */
	uint64_t present;  /* asked for, and there already */
	uint64_t unbacked; /* asked for, and no region has them, or not with that right */
	uint64_t short_of_pages; /* times there was no page for a table */
};

#ifdef __cplusplus
}
#endif

#endif
