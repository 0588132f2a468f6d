/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/agent.c - the guest's own side: create, start, stop, raw commands. */
#include "guest/agent.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "queue/driver.h"

/* ---- Create ------------------------------------------------------------------------- */

/* Where the parts of an agent lie in its memory. */
struct agent_plan {
	size_t driver, rids, spaces, owners, space_cells, partial_cells, end;
};

static size_t plan_part(struct agent_plan *plan, size_t size_bytes)
{
	size_t at = plan->end;

	plan->end = (at + size_bytes + 63) & ~(size_t)63;
	return at;
}

/* A function has at most as many partial groups as PRG indices. */
static uint32_t partial_max(const struct iopf_agent_options *options)
{
	return options->rid_count * IOPF_GUEST_INDEX_COUNT;
}

static struct agent_plan agent_plan(const struct iopf_agent_options *options)
{
	size_t pages = (size_t)(options->region_bytes / TABLE_PAGE_BYTES);
	struct agent_plan plan = { .end = 0 };

	plan_part(&plan, sizeof(struct iopf_agent));
	plan.driver = plan_part(&plan, iopf_driver_size_bytes());
	plan.rids = plan_part(&plan, options->rid_count * sizeof(uint32_t));
	plan.spaces = plan_part(&plan, options->pasid_max * sizeof(struct agent_space));
	plan.owners = plan_part(&plan, pages * sizeof(uint16_t));
	plan.space_cells = plan_part(&plan, map_size_bytes(options->pasid_max));
	plan.partial_cells = plan_part(&plan, map_size_bytes(partial_max(options)));
	return plan;
}

static bool region_valid(const struct iopf_agent_options *options)
{
	return options->base % TABLE_PAGE_BYTES == 0 && options->region_bytes > 0 &&
	       options->region_bytes % TABLE_PAGE_BYTES == 0 &&
	       options->region_bytes <= (uint64_t)INT32_MAX * TABLE_PAGE_BYTES;
}

/* How the agent uses the structures that it builds. */
static struct family_use use_of(const struct iopf_agent_options *options)
{
	struct family_use use = { .pasid_bits = options->pasid_bits,
				  .pasid_none = AGENT_PASID_NONE,
				  .levels = options->levels,
				  .own = true };

	for (uint32_t i = 0; i < options->rid_count; i++) {
		use.mechanisms |= 1u << (options->mechanisms != NULL ?
						 options->mechanisms[i] :
						 IOPF_PRI);
		if (options->rids[i] > use.rid_max)
			use.rid_max = options->rids[i];
	}
	return use;
}

static bool family_valid(const struct iopf_agent_options *options)
{
	const struct family *family = family_find(options->family);
	const struct family_use use = use_of(options);
	union family_features ignored;

	return family != NULL && family->guest != NULL &&
	       hardware_family_find(family->name) != NULL &&
	       family->guest->wanted(&use, &ignored) == 0 &&
	       use.rid_max <= hardware_family_find(family->name)->rid_max;
}

static bool options_valid(const struct iopf_agent_options *options)
{
	return options->size_bytes == sizeof(*options) && options->rid_count > 0 &&
	       options->rid_count <= IOPF_AGENT_RID_MAX && options->rids != NULL &&
	       options->pasid_max > 0 && options->pasid_max <= IOPF_AGENT_PASID_MAX &&
	       options->command_order <= 7 && options->request_order <= 7 &&
	       options->registers != NULL && options->ops != NULL &&
	       options->ops->fault != NULL && region_valid(options) &&
	       family_valid(options);
}

size_t iopf_agent_size_bytes(const struct iopf_agent_options *options)
{
	return options_valid(options) ? agent_plan(options).end : 0;
}

static void note_mechanisms(struct iopf_agent *agent, const uint8_t *mechanisms)
{
	static_assert(IOPF_AGENT_RID_MAX <= 64, "a bit for each");
	for (uint32_t i = 0; mechanisms != NULL && i < agent->options.rid_count; i++)
		agent->stalling |= (uint64_t)(mechanisms[i] == IOPF_STALLS) << i;
	agent->options.mechanisms = NULL;
}

/* Every function is let in; there is nothing in it yet. */
static int open_doors(const struct iopf_agent *agent)
{
	int error = 0;

	for (uint32_t i = 0; i < agent->options.rid_count && error == 0; i++)
		error = agent_door(agent, i, FAMILY_OPEN);
	return error;
}

/* For an IOMMU that can do what the agent needs: whether this one does, start asks. */
static int make_tables(struct iopf_agent *agent, const struct family_use *use)
{
	const struct family_setup setup = {
		.memory = &agent->memory,
		.pages = { .take = agent_pages_take, .context = agent },
		.use = *use,
	};
	union family_features features;
	int error = agent->family->guest->wanted(use, &features);

	if (error == 0)
		error = agent->family->create(&agent->tables, &setup, &features);
	if (error == 0)
		error = open_doors(agent);
	agent->layout.root = agent->family->root(&agent->tables);
	return error;
}

/* The structures, in the order in which the layout names them. */
static int make_structures(struct iopf_agent *agent, const struct family_use *use)
{
	struct iopf_agent_layout *layout = &agent->layout;
	int error;

	agent->page_taker = AGENT_OWNER_STRUCTURES;
	error = agent_pages_take(agent, 1u << agent->options.command_order,
				 &layout->command_queue);
	if (error == 0)
		error = agent_pages_take(agent, 1u << agent->options.request_order,
					 &layout->request_queue);
	if (error == 0 && agent->registers->wire->fault_bytes != 0)
		error = agent_pages_take(agent, 1u << agent->options.request_order,
					 &layout->event_queue);
	/* Not the first page, which may be that of address 0: no place for a message. */
	if (error == 0)
		error = agent_pages_take(agent, 1, &layout->status);
	if (error == 0)
		error = make_tables(agent, use);
	layout->tables =
		agent->options.base + (uint64_t)agent->page_next * TABLE_PAGE_BYTES;
	layout->end = agent->options.base + agent->options.region_bytes;
	return error;
}

static int make_driver(struct iopf_agent *agent)
{
	struct iopf_driver_options options = {
		.size_bytes = sizeof(options),
		.command_bytes = agent->registers->wire->command_bytes[0],
		.wire = agent->registers->wire,
		.registers = agent->options.registers,
		.context = agent->options.register_context,
		.memory = &agent->memory,
		.root_addr = agent->layout.root,
		.root_config = agent->family->root_config(&agent->tables),
		.request_addr = agent->layout.request_queue,
		.command_addr = agent->layout.command_queue,
		.status_addr = agent->layout.status,
		.request_order = agent->options.request_order,
		.command_order = agent->options.command_order,
		.interrupt_addr = agent->options.interrupt_addr,
		.interrupt_data = agent->options.interrupt_data,
		.event_addr = agent->layout.event_queue,
		.event_order = agent->options.request_order,
	};

	return iopf_driver_create(&options, agent->driver_memory,
				  iopf_driver_size_bytes(), &agent->driver);
}

int iopf_agent_create(const struct iopf_agent_options *options, void *memory,
		      size_t memory_bytes, struct iopf_agent **out)
{
	struct iopf_agent *agent = memory;
	unsigned char *bytes = memory;
	struct family_use use;
	struct agent_plan plan;
	void *region;
	int error;

	if (!options_valid(options) || ((uintptr_t)memory & 63) != 0)
		return -EINVAL;
	region = memory_at(&options->memory, options->base, options->region_bytes);
	if (region == NULL)
		return -EINVAL;
	plan = agent_plan(options);
	if (memory_bytes < plan.end)
		return -ENOSPC;
	memset(memory, 0, plan.end);
	memset(region, 0, (size_t)options->region_bytes);
	agent->family = family_find(options->family);
	agent->registers = hardware_family_find(agent->family->name);
	agent->options = *options;
	agent->memory = options->memory;
	agent->driver_memory = bytes + plan.driver;
	agent->rids = (void *)(bytes + plan.rids);
	memcpy(agent->rids, options->rids, options->rid_count * sizeof(uint32_t));
	agent->options.rids = agent->rids;
	note_mechanisms(agent, options->mechanisms);
	agent->spaces = (void *)(bytes + plan.spaces);
	agent->page_owner = (void *)(bytes + plan.owners);
	agent->page_count = (uint32_t)(options->region_bytes / TABLE_PAGE_BYTES);
	agent->partial_cells = bytes + plan.partial_cells;
	map_create(&agent->space_map, options->pasid_max, bytes + plan.space_cells);
	map_create(&agent->partial_map, partial_max(options), agent->partial_cells);
	use = use_of(options);
	error = make_structures(agent, &use);
	if (error == 0)
		error = make_driver(agent);
	if (error == 0)
		*out = agent;
	return error;
}

uint32_t agent_rid_index(const struct iopf_agent *agent, uint32_t rid)
{
	uint32_t i = 0;

	while (i < agent->options.rid_count && agent->rids[i] != rid)
		i++;
	return i;
}

/* ---- Start and stop ------------------------------------------------------------------ */

int agent_door(const struct iopf_agent *agent, uint32_t rid_index, enum family_door door)
{
	uint32_t flags = agent_stalls(agent, rid_index) ? FAMILY_STALLS : 0;

	flags |= FAMILY_RESPONSE_PASID | agent_domain(rid_index) << FAMILY_DOMAIN_LSB;
	return agent->family->endpoint(&agent->tables, agent->rids[rid_index], door, flags);
}

/* Has the IOMMU what the tables were made for? */
static int meet(struct iopf_agent *agent)
{
	const struct family_registers registers = {
		.read = agent->options.registers->read,
		.write = agent->options.registers->write,
		.context = agent->options.register_context,
	};
	union family_features features;
	int error = agent->family->features(&registers, &features);

	if (error == 0)
		error = agent->family->guest->adopt(&agent->tables, &features);
	return error != 0 ? error : open_doors(agent);
}

int iopf_agent_start(struct iopf_agent *agent)
{
	int error = meet(agent);

	if (error == 0)
		error = iopf_driver_start(agent->driver);
	return error == -EOPNOTSUPP ? -ENODEV : error;
}

int iopf_agent_stop(struct iopf_agent *agent)
{
	int error = iopf_driver_stop(agent->driver);

	if (error == 0)
		agent_partials_drop(agent);
	return error;
}

/* ---- Commands ------------------------------------------------------------------------ */

int iopf_agent_wait(struct iopf_agent *agent, bool drain, uint64_t *ticket)
{
	uint32_t flags = IOPF_WAIT_FENCE | (drain ? IOPF_WAIT_DRAIN : 0);

	return iopf_driver_wait(agent->driver, flags, ticket);
}

bool iopf_agent_waited(struct iopf_agent *agent, uint64_t ticket)
{
	return iopf_driver_waited(agent->driver, ticket);
}

int iopf_agent_command(struct iopf_agent *agent, const struct iopf_command *command)
{
	return iopf_driver_submit(agent->driver, command);
}

int iopf_agent_descriptor(struct iopf_agent *agent, const uint8_t *bytes)
{
	struct iopf_driver *driver = agent->driver;

	if (iopf_driver_room(driver) == 0)
		return -EAGAIN;
	if (!ring_store(&driver->command, &agent->memory, driver->command_prod, bytes))
		return -EFAULT;
	driver->command_prod = ring_next(&driver->command, driver->command_prod);
	return 0;
}

void iopf_agent_kick(struct iopf_agent *agent)
{
	(void)iopf_driver_kick(agent->driver);
}

int iopf_agent_recover(struct iopf_agent *agent)
{
	int errors = iopf_driver_errors(agent->driver);
	int error = 0;

	if (errors < 0)
		return errors;
	if (errors & IOPF_DRIVER_STOPPED)
		error = iopf_driver_skip(agent->driver);
	if (errors & (IOPF_DRIVER_TIMEOUT | IOPF_DRIVER_REQUESTS_LOST))
		agent_spaces_redrain(agent);
	if (errors & IOPF_DRIVER_REQUESTS_LOST)
		agent_partials_drop(agent);
	/* Nobody knows which stalls the lost records were of. */
	for (uint32_t i = 0; i < agent->options.rid_count; i++)
		if ((errors & IOPF_DRIVER_FAULTS_LOST) && agent_stalls(agent, i))
			(void)iopf_agent_terminate(agent, agent->rids[i]);
	return error < 0 ? error : errors;
}

/* ---- What there is -------------------------------------------------------------------- */

void iopf_agent_layout(const struct iopf_agent *agent, struct iopf_agent_layout *layout)
{
	*layout = agent->layout;
}

void iopf_agent_stats(const struct iopf_agent *agent, struct iopf_agent_stats *stats)
{
	*stats = agent->stats;
}

struct iopf_driver *iopf_agent_driver(struct iopf_agent *agent)
{
	return agent->driver;
}
