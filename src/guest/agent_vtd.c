/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/agent_vtd.c - what an agent builds for a VT-d: scalable mode, first level. */
#include "guest/agent.h"

#include <errno.h>

#include "queue/vtd.h"

#define AGENT_ADDRESS_BITS 48

/* RID_PASID: the PASID entry of requests without PASID. */
#define AGENT_RID_PASID 0

static bool vtd_options_valid(const struct iopf_agent_options *options)
{
	return (options->levels == 4 || options->levels == 5) &&
	       options->pasid_bits >= 13 && options->pasid_bits <= 20;
}

/* ---- Structures ------------------------------------------------------------------------ */

static int make_context(struct iopf_agent *agent, uint32_t rid)
{
	const struct vtd_context value = {
		.rid_pasid = AGENT_RID_PASID,
		.pdts = (uint8_t)(agent->options.pasid_bits - 13),
		.ats = true,
		.pasid = true,
		.pri = true,
	};

	return vtd_builder_context(&agent->builder.vtd, rid, &value);
}

static int vtd_create(struct iopf_agent *agent, const struct table_pages *pages)
{
	const struct vtd_features features = { .address_bits = AGENT_ADDRESS_BITS,
					       .first = true,
					       .first_1g = true,
					       .first_5l = agent->options.levels == 5,
					       .supervisor = true };
	int error = vtd_builder_create(&agent->builder.vtd, &agent->memory, pages,
				       &features);

	for (uint32_t i = 0; i < agent->options.rid_count && error == 0; i++)
		error = make_context(agent, agent->rids[i]);
	agent->layout.root = agent->builder.vtd.root;
	return error;
}

/* What the agent needs and the driver below does not ask for. */
static int vtd_features(struct iopf_agent *agent)
{
	const struct iopf_register_ops *registers = agent->options.registers;
	void *context = agent->options.register_context;
	uint64_t cap, ecap;
	struct vtd_features features;
	int error = registers->read(context, VTD_CAP, 8, &cap);

	if (error == 0)
		error = registers->read(context, VTD_ECAP, 8, &ecap);
	if (error != 0)
		return error;
	features = vtd_features_of(cap, ecap, AGENT_ADDRESS_BITS);
	if (!features.first || (agent->options.levels == 5 && !features.first_5l) ||
	    !(ecap & VTD_ECAP_PDS))
		return -ENODEV;
	agent->builder.vtd.features = features;
	return 0;
}

/* ---- Address spaces --------------------------------------------------------------------- */

static struct vtd_pasid space_entry(const struct iopf_agent *agent,
				    const struct agent_space *space)
{
	return (struct vtd_pasid){
		.pgtt = VTD_PGTT_FIRST,
		.first_root = space->table.x86.root,
		.domain = agent_space_domain(agent, space),
		.first_levels = (uint8_t)agent->options.levels,
		.supervisor = agent->builder.vtd.features.supervisor,
		.write_protect = true,
	};
}

static int vtd_table(struct iopf_agent *agent, struct agent_space *space,
		     const struct table_pages *pages)
{
	const struct vtd_pasid entry = space_entry(agent, space);
	const struct nested_tables tables =
		vtd_tables(&entry, &agent->builder.vtd.features);

	return x86_create(&space->table.x86, &agent->memory, pages, &tables.first);
}

static int vtd_enter(struct iopf_agent *agent, const struct agent_space *space)
{
	const struct vtd_pasid entry = space_entry(agent, space);

	return vtd_builder_pasid(&agent->builder.vtd, agent->rids[space->rid_index],
				 agent_space_number(agent, space), &entry);
}

static void vtd_leave(struct iopf_agent *agent, const struct agent_space *space)
{
	(void)vtd_builder_clear_pasid(&agent->builder.vtd, agent->rids[space->rid_index],
				      agent_space_number(agent, space));
}

/* ---- Pages ------------------------------------------------------------------------------ */

static bool vtd_walk(const struct agent_space *space, uint64_t addr, uint8_t perm,
		     struct table_result *result)
{
	const struct table_space tables = { .memory = space->table.x86.memory };

	return x86_walk(&tables, &space->table.x86.format, space->table.x86.root, addr,
			perm, false, result);
}

static int vtd_map(const struct agent_space *space, uint64_t addr, uint64_t gpa,
		   uint8_t perm)
{
	return x86_map(&space->table.x86, addr, gpa, TABLE_PAGE_BYTES, perm, 0);
}

static int vtd_unmap(const struct agent_space *space, uint64_t addr, uint64_t size_bytes)
{
	return x86_unmap(&space->table.x86, addr, size_bytes);
}

const struct agent_family agent_vtd = {
	.name = "vtd",
	.wire = &iopf_wire_vtd,
	.command_bytes = 32,
	.pasid_none = AGENT_RID_PASID,
	.options_valid = vtd_options_valid,
	.create = vtd_create,
	.features = vtd_features,
	.table = vtd_table,
	.enter = vtd_enter,
	.leave = vtd_leave,
	.walk = vtd_walk,
	.map = vtd_map,
	.unmap = vtd_unmap,
};
