/* SPDX-License-Identifier: BSD-3-Clause */
/* model/iommu.c - what IOMMUs of all families have: devices plugged in, life. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/iommu_state.h"

/* ---- Devices ----------------------------------------------------------------------- */

struct port *iommu_port(struct model_iommu *iommu, uint32_t rid)
{
	for (uint32_t i = 0; i < MODEL_IOMMU_PORT_MAX; i++) {
		if (iommu->port[i].used && iommu->port[i].rid == rid)
			return &iommu->port[i];
	}
	return NULL;
}

void iommu_respond(struct model_iommu *iommu, uint32_t rid, uint32_t pasid,
		   uint16_t index, enum iopf_code code)
{
	const struct iopf_prg_response response = { .rid = rid, .pasid = pasid,
						    .index = index,
						    .code = iopf_pcie_code(code) };
	struct port *port = iommu_port(iommu, rid);

	if (port == NULL || port->device.response == NULL) {
		iommu->stats.responses_nowhere++;
		return;
	}
	iommu->stats.responses++;
	port->device.response(port->device.context, pasid,
			      iopf_pcie_encode_response(&response));
}

bool iommu_reach(const struct model_iommu *iommu, uint64_t addr, void *buffer,
		 uint32_t size_bytes, bool write)
{
	const struct iopf_memory *memory = iommu->options.memory;

	return write ? memory_write(memory, addr, buffer, size_bytes)
		     : memory_read(memory, addr, buffer, size_bytes);
}

/* ---- Commands and messages that are the same everywhere ----------------------------- */

int iommu_do_response(struct model_iommu *iommu, const struct iopf_command *command)
{
	iommu_respond(iommu, command->rid, command->pasid, command->index,
		      (enum iopf_code)command->code);
	return 0;
}

/* Who does not answer holds the queue up for as long as PCIe lets it. */
int iommu_do_device(struct model_iommu *iommu, const struct iopf_command *command)
{
	bool global = command->pasid == IOPF_PASID_ANY;
	uint32_t pasid = global ? IOPF_PASID_NONE : command->pasid;
	uint64_t size_bytes = command->granularity == IOPF_ALL ? 0 : command->size_bytes;
	struct port *port = iommu_port(iommu, command->rid);
	int result = -EAGAIN;

	if (port != NULL && port->device.invalidate != NULL)
		result = port->device.invalidate(
			port->device.context, pasid,
			model_invalidate_payload(command->addr, size_bytes, global));
	if (!iommu->asking || memcmp(&iommu->asked, command, sizeof(*command)) != 0)
		iommu->asked_ns = iommu->now_ns;
	iommu->asked = *command;
	iommu->asking = result != 0 && iommu->now_ns - iommu->asked_ns <
					       iommu->options.invalidation_timeout_ns;
	if (iommu->asking)
		return -EAGAIN;
	iommu->stats.invalidations += result == 0;
	iommu->stats.invalidation_timeouts += result != 0;
	return result == 0 ? 0 : -ETIMEDOUT;
}

int iommu_do_nothing(struct model_iommu *iommu, const struct iopf_command *command)
{
	(void)iommu;
	(void)command;
	return 0;
}

void iommu_no_root(void *context)
{
	(void)context;
}

void iommu_no_translation_change(void *context, bool on)
{
	(void)context;
	(void)on;
}

void iommu_no_queue(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
}

enum model_status iommu_no_translation(void *context,
				       const struct model_translation_request *request,
				       struct model_translation *translation)
{
	struct model_iommu *iommu = context;

	(void)request;
	(void)translation;
	iommu->stats.translations++;
	iommu->stats.refused++;
	return MODEL_UR;
}

void iommu_no_page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			   uint64_t payload)
{
	struct model_iommu *iommu = context;

	(void)rid;
	(void)pasid;
	(void)perm;
	(void)payload;
	iommu->stats.bad_messages++;
}

enum model_status iommu_no_access(void *context, uint32_t rid, uint64_t addr, void *buffer,
				  uint32_t size_bytes, bool write)
{
	struct model_iommu *iommu = context;

	(void)rid;
	(void)addr;
	(void)buffer;
	(void)size_bytes;
	(void)write;
	iommu->stats.accesses++;
	iommu->stats.refused_accesses++;
	return MODEL_UR;
}

void iommu_send_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct model_iommu *iommu = context;

	iommu->options.interrupt(iommu->options.context, IOPF_NO_ID, addr, data);
}

void iommu_pass_interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	struct model_iommu *iommu = context;

	iommu->options.interrupt(iommu->options.context, rid, addr, data);
}

/* ---- Create, connect, run ------------------------------------------------------------ */

static const struct iommu_family *family_of(const char *name)
{
	static const struct iommu_family *const families[] = { &iommu_family_vtd,
							       &iommu_family_smmuv3,
							       &iommu_family_amd,
							       &iommu_family_smmuv2,
							       &iommu_family_riscv };

	if (name == NULL)
		return families[0];
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strcmp(families[i]->name, name) == 0)
			return families[i];
	return NULL;
}

static int create_hardware(struct model_iommu *iommu)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.wire = iommu->family->wire,
		.memory = iommu->options.memory,
		.ops = iommu->family->ops,
		.context = iommu,
	};
	size_t size_bytes = iopf_hardware_size_bytes();
	void *memory;
	int error = iommu->family->create(iommu, &options);

	if (error != 0)
		return error;
	memory = malloc(size_bytes);
	if (memory == NULL)
		return -ENOMEM;
	error = iopf_hardware_create(&options, memory, size_bytes, &iommu->hardware);
	if (error != 0)
		free(memory);
	return error;
}

int model_iommu_create(const struct model_iommu_options *options,
		       struct model_iommu **iommu)
{
	const struct iommu_family *family = family_of(options->family);
	struct model_iommu *made;
	int error;

	if (family == NULL || options->memory == NULL || options->interrupt == NULL ||
	    options->address_bits < 32 || options->address_bits > 52)
		return -EINVAL;
	made = calloc(1, family->size_bytes);
	if (made == NULL)
		return -ENOMEM;
	made->family = family;
	made->options = *options;
	if (options->features == 0)
		made->options.features = family->features;
	if (options->rid_bits == 0)
		made->options.rid_bits = 16;
	error = create_hardware(made);
	if (error != 0) {
		model_iommu_destroy(made);
		return error;
	}
	*iommu = made;
	return 0;
}

void model_iommu_destroy(struct model_iommu *iommu)
{
	if (iommu == NULL)
		return;
	iommu->family->destroy(iommu);
	free(iommu->hardware);
	free(iommu);
}

struct iopf_hardware *model_iommu_hardware(struct model_iommu *iommu)
{
	return iommu->hardware;
}

struct model_upstream model_iommu_upstream(struct model_iommu *iommu)
{
	struct model_upstream upstream = *iommu->family->upstream;

	upstream.context = iommu;
	return upstream;
}

int model_iommu_connect(struct model_iommu *iommu, uint32_t rid,
			const struct model_downstream *downstream)
{
	struct port *port = iommu_port(iommu, rid);

	if ((uint64_t)rid >> iommu->options.rid_bits != 0)
		return -EINVAL;
	if (port != NULL && iommu->family->disconnect != NULL)
		iommu->family->disconnect(iommu, rid);
	for (uint32_t i = 0; port == NULL && i < MODEL_IOMMU_PORT_MAX; i++) {
		if (!iommu->port[i].used)
			port = &iommu->port[i];
	}
	if (port == NULL)
		return downstream == NULL ? 0 : -ENOSPC;
	*port = (struct port){ .rid = rid, .used = downstream != NULL };
	if (downstream != NULL)
		port->device = *downstream;
	return 0;
}

uint32_t model_iommu_run(struct model_iommu *iommu, uint32_t budget, uint64_t now_ns)
{
	uint32_t done;

	iommu->now_ns = now_ns;
	done = iopf_hardware_run(iommu->hardware, budget);
	if (iommu->family->run != NULL)
		done += iommu->family->run(iommu);
	return done;
}

struct model_iommu_stats model_iommu_stats(const struct model_iommu *iommu)
{
	struct model_iommu_stats stats = iommu->stats;

	iommu->family->count(iommu, &stats);
	return stats;
}

uint32_t model_iommu_stalled(const struct model_iommu *iommu, uint32_t rid)
{
	return iommu->family->stalled != NULL ? iommu->family->stalled(iommu, rid) : 0;
}

int model_iommu_stall(struct model_iommu *iommu, const struct iopf_fault *fault,
		      uint16_t *tag)
{
	return iommu->family->stall != NULL ? iommu->family->stall(iommu, fault, tag) :
					      -ENODEV;
}
