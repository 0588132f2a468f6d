/* SPDX-License-Identifier: BSD-3-Clause */
/* model/vtd_state.h - what the VT-d model is made of, for its own files. */
#ifndef MODEL_VTD_STATE_H
#define MODEL_VTD_STATE_H

#include "model/vtd.h"
#include "model/vtd_cache.h"

enum { FUNCTION_MAX = 64 };

struct port {
	uint32_t rid;
	bool used;
	struct model_downstream function;
};

struct model_vtd {
	struct model_vtd_options options;
	struct vtd_features features;
	struct iopf_hardware *hardware;
	struct vtd_cache cache;
	struct port port[FUNCTION_MAX];
	uint64_t now_ns;
	/* A device-TLB invalidation that is not completed: it holds the queue up. */
	bool asking;
	struct iopf_command asked;
	uint64_t asked_ns;
	struct model_vtd_stats stats;
};

/* NULL: nothing is plugged in there. */
struct port *vtd_port(struct model_vtd *vtd, uint32_t rid);

/* Send a PRG Response message; lost where nobody is. */
void vtd_respond(struct model_vtd *vtd, uint32_t rid, uint32_t pasid, uint16_t index,
		 enum iopf_code code);

#endif
