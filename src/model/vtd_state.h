/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/vtd_state.h - a VT-d IOMMU with scalable mode, nested translation and page
 * requests, for its own files: vtd.c is what software sees, vtd_request.c what functions
 * do, vtd_cache.c what it remembers.
 */
#ifndef MODEL_VTD_STATE_H
#define MODEL_VTD_STATE_H

#include "model/iommu_state.h"
#include "model/vtd_cache.h"

struct model_vtd {
	struct model_iommu iommu; /* first */
	struct vtd_features features;
	struct vtd_cache cache;
};

static inline struct model_vtd *vtd_of(struct model_iommu *iommu)
{
	return (struct model_vtd *)iommu;
}

/* What functions send. */
extern const struct model_upstream vtd_upstream;

#endif
