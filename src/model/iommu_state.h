/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/iommu_state.h - what every IOMMU model has, and the row that a family is; for
 * the families' own files.
 */
#ifndef MODEL_IOMMU_STATE_H
#define MODEL_IOMMU_STATE_H

#include "iopf/wire.h"
#include "model/iommu.h"

struct iommu_family {
	const char *name;
	const struct iopf_wire *wire;
	const struct iopf_hardware_ops *ops; /* their context is the struct model_iommu */
	uint32_t features;                   /* of a physical one */
	size_t size_bytes; /* of the family's struct: a struct model_iommu comes first */
	/* Caches, and @hardware's identification. Returns: 0 or a negative errno. */
	int (*create)(struct model_iommu *iommu, struct iopf_hardware_options *hardware);
	void (*destroy)(struct model_iommu *iommu);
	/* Its context is not set. */
	const struct model_upstream *upstream;
	void (*count)(const struct model_iommu *iommu, struct model_iommu_stats *stats);
	/* These may be NULL: nothing ever stalls. */
	uint32_t (*run)(struct model_iommu *iommu); /* returns how much was done */
	void (*disconnect)(struct model_iommu *iommu, uint32_t rid);
	uint32_t (*stalled)(const struct model_iommu *iommu, uint32_t rid);
	int (*stall)(struct model_iommu *iommu, const struct iopf_fault *fault,
		     uint16_t *tag);
};

extern const struct iommu_family iommu_family_vtd, iommu_family_smmuv2, iommu_family_smmuv3,
	iommu_family_amd, iommu_family_riscv;

struct port {
	uint32_t rid;
	bool used;
	struct model_downstream device;
};

struct model_iommu {
	const struct iommu_family *family;
	struct model_iommu_options options;
	struct iopf_hardware *hardware;
	struct port port[MODEL_IOMMU_PORT_MAX];
	uint64_t now_ns;
	/* A device-TLB invalidation that is not completed: it holds the queue up. */
	bool asking;
	struct iopf_command asked;
	uint64_t asked_ns;
	struct model_iommu_stats stats;
};

/* NULL: nothing is plugged in there. */
struct port *iommu_port(struct model_iommu *iommu, uint32_t rid);

/* Send a PRG Response message; lost where nobody is. */
void iommu_respond(struct model_iommu *iommu, uint32_t rid, uint32_t pasid,
		   uint16_t index, enum iopf_code code);

/* Move bytes of host memory. False: some of them are not there. */
bool iommu_reach(const struct model_iommu *iommu, uint64_t addr, void *buffer,
		 uint32_t size_bytes, bool write);

/* What families do alike: struct iopf_hardware_ops, struct model_upstream. */
int iommu_do_response(struct model_iommu *iommu, const struct iopf_command *command);
int iommu_do_device(struct model_iommu *iommu, const struct iopf_command *command);
int iommu_do_nothing(struct model_iommu *iommu, const struct iopf_command *command);
/* Where there is no root, nothing to do when translation changes, no queue; no ATS, no PRI:
 * what comes all the same is refused. */
void iommu_no_root(void *context);
void iommu_no_translation_change(void *context, bool on);
void iommu_no_queue(void *context, enum iopf_queue_change change);
enum model_status iommu_no_translation(void *context,
				       const struct model_translation_request *request,
				       struct model_translation *translation);
void iommu_no_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			   uint64_t payload);
enum model_status iommu_no_access(void *context, uint32_t rid, uint64_t addr, void *buffer,
				  uint32_t size_bytes, bool write);
void iommu_send_interrupt(void *context, uint64_t addr, uint32_t data);
void iommu_pass_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data);

#endif
