/* SPDX-License-Identifier: BSD-3-Clause */
/* model/vtd.c - VT-d as software sees it: commands, functions plugged in, life. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/vtd_state.h"

/* ---- Functions -------------------------------------------------------------------------- */

struct port *vtd_port(struct model_vtd *vtd, uint32_t rid)
{
	for (uint32_t i = 0; i < FUNCTION_MAX; i++) {
		if (vtd->port[i].used && vtd->port[i].rid == rid)
			return &vtd->port[i];
	}
	return NULL;
}

void vtd_respond(struct model_vtd *vtd, uint32_t rid, uint32_t pasid, uint16_t index,
		 enum iopf_code code)
{
	const struct iopf_prg_response response = { .rid = rid, .pasid = pasid,
						    .index = index,
						    .code = iopf_pcie_code(code) };
	struct port *port = vtd_port(vtd, rid);

	if (port == NULL) {
		vtd->stats.responses_nowhere++;
		return;
	}
	vtd->stats.responses++;
	port->function.response(port->function.context, pasid,
				iopf_pcie_encode_response(&response));
}

/* ---- Commands ------------------------------------------------------------------------------ */

static int do_response(struct model_vtd *vtd, const struct iopf_command *command)
{
	vtd_respond(vtd, command->rid, command->pasid, command->index,
		    (enum iopf_code)command->code);
	return 0;
}

static int do_cache(struct model_vtd *vtd, const struct iopf_command *command)
{
	vtd_cache_invalidate(&vtd->cache, command);
	return 0;
}

/* Who does not answer holds the queue up for as long as PCIe lets it. */
static int do_device(struct model_vtd *vtd, const struct iopf_command *command)
{
	bool global = command->pasid == IOPF_PASID_ANY;
	uint32_t pasid = global ? IOPF_PASID_NONE : command->pasid;
	uint64_t size_bytes = command->granularity == IOPF_ALL ? 0 : command->size_bytes;
	struct port *port = vtd_port(vtd, command->rid);
	int result = -EAGAIN;

	if (port != NULL)
		result = port->function.invalidate(
			port->function.context, pasid,
			model_invalidate_payload(command->addr, size_bytes, global));
	if (!vtd->asking || memcmp(&vtd->asked, command, sizeof(*command)) != 0)
		vtd->asked_ns = vtd->now_ns;
	vtd->asked = *command;
	vtd->asking = result != 0 &&
		      vtd->now_ns - vtd->asked_ns < vtd->options.invalidation_timeout_ns;
	if (vtd->asking)
		return -EAGAIN;
	vtd->stats.invalidations += result == 0;
	vtd->stats.invalidation_timeouts += result != 0;
	return result == 0 ? 0 : -ETIMEDOUT;
}

/* A wait that drains page requests (VT-d, 7.10): functions post them straight into the
 * queue and invalidations complete in order, so all that came before is there. */
static int do_nothing(struct model_vtd *vtd, const struct iopf_command *command)
{
	(void)vtd;
	(void)command;
	return 0;
}

static int hardware_command(void *context, const struct iopf_command *command)
{
	static int (*const doers[IOPF_COMMAND_KIND_COUNT])(
		struct model_vtd *vtd, const struct iopf_command *command) = {
		[IOPF_COMMAND_RESPONSE] = do_response,
		[IOPF_COMMAND_INVALIDATE_CONTEXT] = do_cache,
		[IOPF_COMMAND_INVALIDATE_PASID] = do_cache,
		[IOPF_COMMAND_INVALIDATE_IOTLB] = do_cache,
		[IOPF_COMMAND_INVALIDATE_DEVICE] = do_device,
		[IOPF_COMMAND_WAIT] = do_nothing,
		[IOPF_COMMAND_OTHER] = do_nothing,
	};

	return doers[command->kind] != NULL ? doers[command->kind](context, command) :
					      -EOPNOTSUPP;
}

static void hardware_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct model_vtd *vtd = context;

	vtd->options.interrupt(vtd->options.context, IOPF_NO_ID, addr, data);
}

/* Neither a new root nor the switch forgets anything by itself (CAP.ESRTPS = 0): that
 * is software's to ask for. */
static void hardware_root_changed(void *context)
{
	(void)context;
}

static void hardware_translation_changed(void *context, bool on)
{
	(void)context;
	(void)on;
}

static void hardware_queue_changed(void *context, enum iopf_queue_change change)
{
	(void)context;
	(void)change;
}

static const struct iopf_hardware_ops hardware_ops = {
	.command = hardware_command,
	.interrupt = hardware_interrupt,
	.root_changed = hardware_root_changed,
	.translation_changed = hardware_translation_changed,
	.queue_changed = hardware_queue_changed,
};

/* ---- Create, connect, run -------------------------------------------------------------------- */

static int create_hardware(struct model_vtd *vtd)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.version = IOPF_VTD_VERSION,
		.wire = &iopf_wire_vtd,
		.memory = vtd->options.memory,
		.ops = &hardware_ops,
		.context = vtd,
	};
	size_t size_bytes = iopf_hardware_size_bytes();
	void *memory;
	int error = iopf_vtd_capability(vtd->options.features, vtd->options.pasid_bits,
					&options.cap, &options.ecap);

	if (error != 0)
		return error;
	vtd->features = vtd_features_of(options.cap, options.ecap,
					vtd->options.address_bits);
	memory = malloc(size_bytes);
	if (memory == NULL)
		return -ENOMEM;
	error = iopf_hardware_create(&options, memory, size_bytes, &vtd->hardware);
	if (error != 0)
		free(memory);
	return error;
}

int model_vtd_create(const struct model_vtd_options *options, struct model_vtd **vtd)
{
	struct model_vtd *made;
	int error;

	if (options->memory == NULL || options->interrupt == NULL ||
	    options->address_bits < 32 || options->address_bits > 52)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	made->options = *options;
	error = vtd_cache_create(&made->cache, options->context_lines,
				 options->pasid_lines, options->translation_lines);
	if (error == 0)
		error = create_hardware(made);
	if (error != 0) {
		model_vtd_destroy(made);
		return error;
	}
	*vtd = made;
	return 0;
}

void model_vtd_destroy(struct model_vtd *vtd)
{
	if (vtd == NULL)
		return;
	vtd_cache_destroy(&vtd->cache);
	free(vtd->hardware);
	free(vtd);
}

struct iopf_hardware *model_vtd_hardware(struct model_vtd *vtd)
{
	return vtd->hardware;
}

int model_vtd_connect(struct model_vtd *vtd, uint32_t rid,
		      const struct model_downstream *downstream)
{
	struct port *port = vtd_port(vtd, rid);

	if (rid > 0xffff)
		return -EINVAL;
	for (uint32_t i = 0; port == NULL && i < FUNCTION_MAX; i++) {
		if (!vtd->port[i].used)
			port = &vtd->port[i];
	}
	if (port == NULL)
		return downstream == NULL ? 0 : -ENOSPC;
	*port = (struct port){ .rid = rid, .used = downstream != NULL };
	if (downstream != NULL)
		port->function = *downstream;
	return 0;
}

uint32_t model_vtd_run(struct model_vtd *vtd, uint32_t budget, uint64_t now_ns)
{
	vtd->now_ns = now_ns;
	return iopf_hardware_run(vtd->hardware, budget);
}

struct model_vtd_stats model_vtd_stats(const struct model_vtd *vtd)
{
	struct model_vtd_stats stats = vtd->stats;

	stats.hits = vtd->cache.hits;
	stats.misses = vtd->cache.misses;
	return stats;
}
