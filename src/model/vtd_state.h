/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/vtd_state.h - a VT-d IOMMU with scalable mode, nested translation and page
 * requests, for its own files: vtd.c is what software sees, vtd_request.c what functions
 * do. Nothing that is not present is remembered (CM = 0).
 */
#ifndef MODEL_VTD_STATE_H
#define MODEL_VTD_STATE_H

#include "model/cache.h"
#include "model/iommu_state.h"
#include "table/vtd_scalable.h"

/* A context entry, as it is remembered by requester. */
struct vtd_context_line {
	struct vtd_context context;
	bool quiet;
};

/* A PASID entry, by requester and PASID, and by its domain. */
struct vtd_pasid_line {
	struct vtd_pasid pasid;
	bool quiet;
};

struct model_vtd {
	struct model_iommu iommu; /* first */
	struct vtd_features features;
	struct cache cache;
};

static inline struct model_vtd *vtd_of(struct model_iommu *iommu)
{
	return (struct model_vtd *)iommu;
}

/* What functions send. */
extern const struct model_upstream vtd_upstream;

#endif
