/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/agent_smmuv3.c - what an agent builds for an SMMUv3: stage 1, Armv8 tables. */
#include "guest/agent.h"

#include <errno.h>

#include "queue/smmuv3.h"

#define AGENT_ADDRESS_BITS 48
#define AGENT_STREAM_BITS  16

/* S1DSS: descriptor 0 is that of accesses without a substream. */
#define AGENT_NO_SUBSTREAM 0

static bool smmuv3_options_valid(const struct iopf_agent_options *options)
{
	for (uint32_t i = 0; i < options->rid_count; i++)
		if (options->rids[i] >> AGENT_STREAM_BITS != 0)
			return false;
	return options->levels == 4 && options->pasid_bits >= 1 &&
	       options->pasid_bits <= 20;
}

/* ---- Structures ------------------------------------------------------------------------ */

/* What asks with messages may never be held (IHI 0070, 3.12 "Fault models, recording and
 * reporting"); where nothing can be held, the entry may not even say so. */
static int make_stream(struct iopf_agent *agent, uint32_t rid_index)
{
	struct smmuv3_builder *builder = &agent->builder.smmuv3;
	bool stalls = agent_stalls(agent, rid_index);
	const struct smmuv3_ste value = {
		.config = SMMUV3_FIRST,
		.without = SMMUV3_DEFAULT_ZERO,
		.ats = stalls ? SMMUV3_ATS_OFF : SMMUV3_ATS_FULL,
		.stall_off = !stalls &&
			     builder->features.stall_model == SMMUV3_STALL_BOTH,
		.response_pasid = true,
	};

	return smmuv3_builder_ste(builder, agent->rids[rid_index], &value);
}

static int make_streams(struct iopf_agent *agent)
{
	int error = 0;

	for (uint32_t i = 0; i < agent->options.rid_count && error == 0; i++)
		error = make_stream(agent, i);
	return error;
}

static int smmuv3_create(struct iopf_agent *agent, const struct table_pages *pages)
{
	const struct smmuv3_features features = {
		.address_bits = AGENT_ADDRESS_BITS,
		.stream_bits = AGENT_STREAM_BITS,
		.substream_bits = (uint8_t)agent->options.pasid_bits,
		.stall_model = SMMUV3_STALL_NEVER,
		.first = true,
		.ats = true,
		.streams_2level = true,
		.contexts_2level = true,
		.asid16 = true,
	};
	int error = smmuv3_builder_create(&agent->builder.smmuv3, &agent->memory, pages,
					  &features);

	if (error == 0)
		error = make_streams(agent);
	agent->layout.root = agent->builder.smmuv3.root;
	return error;
}

/* How some function asks, and the IOMMU lacks it. */
static bool mechanism_lacks(const struct iopf_agent *agent, const uint32_t *idr)
{
	bool pri = (idr[0] & SMMUV3_IDR0_PRI) && (idr[0] & SMMUV3_IDR0_ATS);
	bool stalls = SMMUV3_IDR5_STALL_MAX(idr[5]) != 0;

	for (uint32_t i = 0; i < agent->options.rid_count; i++)
		if (!(agent_stalls(agent, i) ? stalls : pri))
			return true;
	return false;
}

/* The shape of the tables stays; what their entries may say becomes known. */
static int smmuv3_features(struct iopf_agent *agent)
{
	const struct iopf_register_ops *registers = agent->options.registers;
	struct smmuv3_features *own = &agent->builder.smmuv3.features, there;
	uint32_t idr[6];

	for (uint32_t i = 0; i < 6; i++) {
		uint64_t value;
		int error = registers->read(agent->options.register_context,
					    SMMUV3_IDR0 + 4 * i, 4, &value);

		if (error != 0)
			return error;
		idr[i] = (uint32_t)value;
	}
	there = smmuv3_features_of(idr);
	if (!there.first || !there.contexts_2level || !there.streams_2level ||
	    !there.asid16 || there.stream_bits < own->stream_bits ||
	    there.substream_bits < own->substream_bits ||
	    there.address_bits < AGENT_ADDRESS_BITS || mechanism_lacks(agent, idr))
		return -ENODEV;
	own->stall_model = there.stall_model;
	own->access = there.access;
	own->dirty = there.dirty;
	return make_streams(agent);
}

static void smmuv3_driver(const struct iopf_agent *agent,
			  struct iopf_driver_options *options)
{
	options->root_config = agent->builder.smmuv3.root_config;
}

/* ---- Address spaces --------------------------------------------------------------------- */

static int smmuv3_table(struct iopf_agent *agent, struct agent_space *space,
			const struct table_pages *pages)
{
	const struct smmuv3_features *features = &agent->builder.smmuv3.features;
	const struct vmsa_format format = {
		.half = { { .input_bits = VMSA_INPUT_BITS_MAX },
			  { .input_bits = VMSA_INPUT_BITS_MAX, .disabled = true } },
		.output_bits = AGENT_ADDRESS_BITS,
		.access = features->access,
		.dirty = features->dirty,
	};

	return vmsa_create(&space->table.vmsa, &agent->memory, pages, &format);
}

static int smmuv3_enter(struct iopf_agent *agent, const struct agent_space *space)
{
	const struct smmuv3_cd value = {
		.first = space->table.vmsa.format,
		.asid = agent_space_domain(agent, space),
		.abort = true,
		.record = true,
		.stall = agent_stalls(agent, space->rid_index),
	};

	return smmuv3_builder_cd(&agent->builder.smmuv3, agent->rids[space->rid_index],
				 agent_space_number(agent, space), &value);
}

static void smmuv3_leave(struct iopf_agent *agent, const struct agent_space *space)
{
	(void)smmuv3_builder_clear_cd(&agent->builder.smmuv3, agent->rids[space->rid_index],
				      agent_space_number(agent, space));
}

static int smmuv3_block(struct iopf_agent *agent, uint32_t rid_index, bool blocked)
{
	return smmuv3_builder_block(&agent->builder.smmuv3, agent->rids[rid_index],
				    blocked);
}

/* ---- Pages ------------------------------------------------------------------------------ */

static bool smmuv3_walk(const struct agent_space *space, uint64_t addr, uint8_t perm,
			struct table_result *result)
{
	const struct table_space tables = { .memory = space->table.vmsa.memory };

	return vmsa_walk(&tables, &space->table.vmsa.format, addr, perm, false, result);
}

/* What hardware does not mark is marked beforehand. */
static int smmuv3_map(const struct agent_space *space, uint64_t addr, uint64_t gpa,
		      uint8_t perm)
{
	const struct vmsa_format *format = &space->table.vmsa.format;
	uint64_t marks = (format->access ? 0 : VMSA_ACCESSED) |
			 (format->dirty ? VMSA_DBM : 0);

	return vmsa_map(&space->table.vmsa, addr, gpa, TABLE_PAGE_BYTES, perm, marks);
}

static int smmuv3_unmap(const struct agent_space *space, uint64_t addr, uint64_t size_bytes)
{
	return vmsa_unmap(&space->table.vmsa, addr, size_bytes);
}

const struct agent_family agent_smmuv3 = {
	.name = "smmuv3",
	.wire = &iopf_wire_smmuv3,
	.command_bytes = 16,
	.pasid_none = AGENT_NO_SUBSTREAM,
	.events = true,
	.asids = true,
	.options_valid = smmuv3_options_valid,
	.create = smmuv3_create,
	.features = smmuv3_features,
	.driver = smmuv3_driver,
	.table = smmuv3_table,
	.enter = smmuv3_enter,
	.leave = smmuv3_leave,
	.block = smmuv3_block,
	.walk = smmuv3_walk,
	.map = smmuv3_map,
	.unmap = smmuv3_unmap,
};
