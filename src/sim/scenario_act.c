/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_act.c - what functions, the host and an operator do. */
#include "sim/scenario_state.h"

#include <errno.h>
#include <string.h>

#include "iopf/wire.h"

#define PAGE_BYTES UINT64_C(4096)

enum { INDEX_COUNT = 512, QUEUE_TURNS = 1000 };

/* ---- Requests --------------------------------------------------------------- */

static uint32_t pasid_of(const struct scenario *s)
{
	return (uint32_t)trace_number(s->event, TRACE_KEY_pasid, IOPF_PASID_NONE);
}

static void send(struct scenario *s, const struct scenario_endpoint *endpoint,
		 const struct iopf_request *request)
{
	(void)s;
	model_function_send_raw(endpoint->function->function, request->pasid,
				request->perm & (IOPF_EXEC | IOPF_PRIV),
				iopf_pcie_encode_request(request));
}

/* Straight into the source's queue, as its IOMMU would have put it there. */
static bool post(struct scenario *s, const struct iopf_request *request)
{
	int posted = iopf_hardware_post(model_iommu_hardware(s->world.iommu), request);

	return posted == IOPF_POSTED ||
	       scenario_fail(s, TRACE_KEY_interface,
			     "required: a place in the source's queue; found: none");
}

static void name_group(struct scenario *s, uint32_t endpoint,
		       const struct iopf_request *request)
{
	const char *name = trace_name(s->event, TRACE_KEY_group);
	uint32_t group;

	if (name == NULL)
		return;
	group = scenario_group_asked(s, endpoint, request->pasid, request->index,
				     request->addr);
	if (group != SCENARIO_NONE)
		memcpy(s->groups[group].name, name, strlen(name) + 1);
}

/* A transaction reads or writes, not both. */
static uint8_t one_access(uint8_t perm)
{
	return perm & IOPF_WRITE ? perm & (uint8_t)~IOPF_READ : perm;
}

/* A transaction of a stream stalls; the IOMMU chooses the tag. */
static bool stall(struct scenario *s, const struct scenario_endpoint *endpoint,
		  const struct iopf_request *request)
{
	const struct iopf_fault fault = { .addr = request->addr,
					  .rid = request->rid,
					  .pasid = request->pasid,
					  .perm = one_access(request->perm),
					  .reason = s->family->stall_reason,
					  .stage = 1,
					  .request = true,
					  .stall = true };
	struct iopf_request named = *request;
	int error;

	if (!(request->flags & IOPF_LAST))
		return scenario_bad(s, TRACE_KEY_last,
				    "a stall is a group of one, expected last=1");
	error = model_iommu_stall(s->world.iommu, &fault, &named.index);
	if (error == 0)
		name_group(s, scenario_number(s, endpoint), &named);
	return scenario_result_holds(s, error);
}

static bool ask(struct scenario *s, struct scenario_endpoint *endpoint,
		const struct iopf_request *request)
{
	struct model_function_state state;

	if (endpoint->options.stalls)
		return stall(s, endpoint, request);
	/* First: an answer may come before the sending returns. */
	name_group(s, scenario_number(s, endpoint), request);
	model_function_state(endpoint->function->function, &state);
	if (!trace_number(s->event, TRACE_KEY_forced, 0) &&
	    (!state.paging || state.credits_in_use >= state.allocation))
		return scenario_fail(s, TRACE_KEY_endpoint,
				     "required: %s has a credit; found: paging %s, %u of %u in "
				     "use",
				     endpoint->name, state.paging ? "on" : "off",
				     state.credits_in_use, state.allocation);
	if (trace_number(s->event, TRACE_KEY_forced, 0))
		sim_check_honest(s->check, endpoint->options.rid, false);
	send(s, endpoint, request);
	return true;
}

static struct iopf_request request_of(const struct scenario *s, uint32_t rid, uint32_t n)
{
	const struct trace_event *event = s->event;
	bool last = trace_number(event, TRACE_KEY_last, 0);

	return (struct iopf_request){
		.addr = (trace_number(event, TRACE_KEY_addr, 0) & ~(PAGE_BYTES - 1)) +
			n * PAGE_BYTES,
		.rid = rid,
		.pasid = pasid_of(s),
		.index = (uint16_t)((trace_number(event, TRACE_KEY_index, 0) + n) %
				    INDEX_COUNT),
		.perm = (uint8_t)trace_number(event, TRACE_KEY_perm, 0),
		.flags = last ? IOPF_LAST : 0,
	};
}

static bool do_request(struct scenario *s)
{
	bool queue = trace_number(s->event, TRACE_KEY_interface, TRACE_INTERFACE_function) ==
		     TRACE_INTERFACE_queue;
	uint32_t count = (uint32_t)trace_number(s->event, TRACE_KEY_count, 1);
	uint32_t rid = (uint32_t)trace_number(s->event, TRACE_KEY_rid, 0);
	struct scenario_endpoint *endpoint = NULL;

	if (trace_number(s->event, TRACE_KEY_index, 0) >= INDEX_COUNT)
		return scenario_bad(s, TRACE_KEY_index, "a PRG index, expected 0 to 511");
	if (trace_name(s->event, TRACE_KEY_endpoint) != NULL || !queue) {
		endpoint = scenario_endpoint_of(s);
		if (endpoint == NULL)
			return false;
		rid = endpoint->options.rid;
	}
	for (uint32_t n = 0; n < count; n++) {
		const struct iopf_request request = request_of(s, rid, n);

		if (queue)
			sim_check_played(s->check, request.rid);
		if (queue ? !post(s, &request) : !ask(s, endpoint, &request))
			return false;
	}
	return true;
}

/* A function with markers sends one; one without stops its PASID and waits. */
static bool do_stop(struct scenario *s)
{
	const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	struct iopf_request marker = { .pasid = pasid_of(s), .flags = IOPF_STOP };

	if (endpoint == NULL)
		return false;
	if (marker.pasid == IOPF_PASID_NONE && endpoint->options.stop_marker)
		return scenario_bad(s, TRACE_KEY_NONE, "'stop' without 'pasid', expected it");
	if (endpoint->options.stalls)
		model_master_stop(endpoint->function->master, marker.pasid);
	else if (endpoint->options.stop_marker)
		send(s, endpoint, &marker);
	else
		model_function_stop(endpoint->function->function, marker.pasid);
	return true;
}

/* ---- Floods ----------------------------------------------------------------- */

static bool do_flood(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct trace_event *event = s->event;

	if (endpoint == NULL)
		return false;
	s->flooding += !endpoint->flood.on;
	endpoint->flood = (struct scenario_flood){
		.on = true,
		.forced = trace_number(event, TRACE_KEY_forced, 0),
		.count = (uint32_t)trace_number(event, TRACE_KEY_count, 1),
		.pasid = pasid_of(s),
		.index = (uint16_t)(trace_number(event, TRACE_KEY_index, 0) % INDEX_COUNT),
		.perm = (uint8_t)trace_number(event, TRACE_KEY_perm, IOPF_READ),
		.addr = trace_number(event, TRACE_KEY_addr, 0) & ~(PAGE_BYTES - 1),
	};
	return true;
}

/* As many as find a slot. */
static void flood_stalls(struct scenario *s, struct scenario_endpoint *endpoint)
{
	struct scenario_flood *flood = &endpoint->flood;
	struct iopf_fault fault = { .rid = endpoint->options.rid,
				    .pasid = flood->pasid,
				    .perm = one_access(flood->perm),
				    .reason = s->family->stall_reason,
				    .stage = 1,
				    .request = true,
				    .stall = true };
	uint16_t tag;

	for (uint32_t n = 0; n < flood->count; n++) {
		fault.addr = flood->addr;
		if (model_iommu_stall(s->world.iommu, &fault, &tag) != 0)
			return;
		flood->addr += PAGE_BYTES;
	}
}

static void flood_one(struct scenario *s, struct scenario_endpoint *endpoint)
{
	struct scenario_flood *flood = &endpoint->flood;

	if (endpoint->options.stalls) {
		flood_stalls(s, endpoint);
		return;
	}
	for (uint32_t n = 0; n < flood->count; n++) {
		const struct iopf_request request = { .addr = flood->addr,
						      .rid = endpoint->options.rid,
						      .pasid = flood->pasid,
						      .index = flood->index,
						      .perm = flood->perm,
						      .flags = IOPF_LAST };
		struct model_function_state state;

		model_function_state(endpoint->function->function, &state);
		if (!state.paging ||
		    (!flood->forced && state.credits_in_use >= state.allocation))
			return;
		send(s, endpoint, &request);
		flood->index = (uint16_t)((flood->index + 1) % INDEX_COUNT);
		flood->addr += PAGE_BYTES;
	}
}

void scenario_flood(struct scenario *s)
{
	for (uint32_t n = 0; n < s->endpoint_count; n++)
		if (s->endpoints[n].flood.on)
			flood_one(s, &s->endpoints[n]);
}

static bool do_calm(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

	if (endpoint == NULL)
		return false;
	s->flooding -= endpoint->flood.on;
	endpoint->flood.on = false;
	return true;
}

/* ---- Moments ---------------------------------------------------------------- */

static bool do_mark(struct scenario *s)
{
	struct scenario_mark *mark = &s->marks[s->mark_count];
	const char *name = trace_name(s->event, TRACE_KEY_name);

	if (s->mark_count == SCENARIO_MARK_MAX)
		return scenario_bad(s, TRACE_KEY_name, "one more mark, expected at most %u",
				    (unsigned)SCENARIO_MARK_MAX);
	memcpy(mark->name, name, strlen(name) + 1);
	for (unsigned n = 0; n < SCENARIO_LOG_COUNT; n++)
		mark->at[n] = s->log[n].count;
	s->mark_count++;
	return true;
}

/* ---- A guest's tables and queues -------------------------------------------- */

/* The guest that a statement is about, and the rid that it names. */
static struct world_guest *guest_of(struct scenario *s, uint32_t *rid)
{
	const struct scenario_endpoint *endpoint;
	const struct scenario_owner *owner = NULL;

	endpoint = scenario_endpoint_of(s);
	if (endpoint == NULL)
		return NULL;
	*rid = endpoint->options.rid;
	if (endpoint->guest != SCENARIO_NONE)
		owner = &s->owners[endpoint->guest];
	if (owner == NULL) {
		scenario_bad(s, TRACE_KEY_endpoint,
			     "%s is nobody's, expected an endpoint of a guest", endpoint->name);
		return NULL;
	}
	return &s->world.guests[owner->guest];
}

static bool do_map(struct scenario *s)
{
	uint64_t addr = trace_number(s->event, TRACE_KEY_addr, 0), gpa;
	uint8_t perm = (uint8_t)trace_number(s->event, TRACE_KEY_perm,
					     IOPF_READ | IOPF_WRITE);
	struct world_guest *guest;
	uint32_t rid;
	int error;

	guest = guest_of(s, &rid);
	if (guest == NULL)
		return false;
	error = world_page_give(&s->world, (uint32_t)(guest - s->world.guests), pasid_of(s),
				addr, &gpa);
	if (error == 0)
		error = iopf_agent_map(guest->agent, rid, pasid_of(s), addr, gpa, perm);
	return scenario_result_holds(s, error);
}

static bool do_unmap(struct scenario *s)
{
	struct world_guest *guest;
	uint64_t ticket;
	uint32_t rid;

	guest = guest_of(s, &rid);
	return guest != NULL &&
	       scenario_result_holds(
		       s, iopf_agent_unmap(guest->agent, rid, pasid_of(s),
					   trace_number(s->event, TRACE_KEY_addr, 0),
					   trace_number(s->event, TRACE_KEY_size_bytes,
							PAGE_BYTES),
					   &ticket));
}

/* Without a change of its tables: whoever has more rights now, or wants to be sure. */
static bool do_invalidate(struct scenario *s)
{
	struct iopf_command command = { .pasid = pasid_of(s),
					.addr = trace_number(s->event, TRACE_KEY_addr, 0),
					.size_bytes = trace_number(s->event,
								   TRACE_KEY_size_bytes,
								   PAGE_BYTES),
					.granularity = (uint8_t)trace_number(
						s->event, TRACE_KEY_granularity, IOPF_ALL),
					.domain = (uint16_t)trace_number(
						s->event, TRACE_KEY_domain, 0) };
	struct world_guest *guest;
	int error;

	guest = guest_of(s, &command.rid);
	if (guest == NULL)
		return false;
	command.kind = trace_number(s->event, TRACE_KEY_device, 0) ?
			       IOPF_COMMAND_INVALIDATE_DEVICE :
			       IOPF_COMMAND_INVALIDATE_IOTLB;
	error = iopf_agent_command(guest->agent, &command);
	iopf_agent_kick(guest->agent);
	return scenario_result_holds(s, error);
}

/* All of its registers: nothing of a guest's queue outlives them. */
static bool do_queue(struct scenario *s)
{
	const struct scenario_owner *owner = scenario_owner_of(s);
	bool on = trace_number(s->event, TRACE_KEY_enabled, 1);
	int error = -EAGAIN;

	if (owner == NULL || !owner->queues)
		return owner != NULL && scenario_bad(s, TRACE_KEY_owner,
						     "%s has no queues, expected a guest",
						     owner->name);
	for (unsigned n = 0; n < QUEUE_TURNS && error == -EAGAIN; n++) {
		struct iopf_agent *agent = s->world.guests[owner->guest].agent;

		error = on ? iopf_agent_start(agent) : iopf_agent_stop(agent);
		scenario_turn(s);
	}
	return scenario_result_holds(s, error);
}

static bool do_wait(struct scenario *s)
{
	const struct scenario_owner *owner = scenario_owner_of(s);
	struct iopf_agent *agent;
	uint64_t ticket = 0;
	int error;

	if (owner == NULL || !owner->queues)
		return owner != NULL && scenario_bad(s, TRACE_KEY_owner,
						     "%s has no queues, expected a guest",
						     owner->name);
	agent = s->world.guests[owner->guest].agent;
	error = iopf_agent_wait(agent, trace_number(s->event, TRACE_KEY_drain, 0), &ticket);
	iopf_agent_kick(agent);
	if (error == 0 && scenario_settle(s) && !iopf_agent_waited(agent, ticket))
		error = -EAGAIN;
	return scenario_result_holds(s, error);
}

static bool do_dma(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct trace_event *event = s->event;
	uint64_t addr = trace_number(event, TRACE_KEY_addr, 0);
	bool copies = trace_find(event, TRACE_KEY_to) != NULL;

	if (endpoint == NULL)
		return false;
	endpoint->dma_addr = copies ? trace_number(event, TRACE_KEY_to, 0) : addr;
	endpoint->dma_bytes = trace_number(event, TRACE_KEY_size_bytes, 0);
	endpoint->dma_pasid = pasid_of(s);
	world_job(&s->world, endpoint->options.rid, 0, pasid_of(s),
		  copies ? MODEL_JOB_COPY : MODEL_JOB_FILL, copies ? addr : 0,
		  copies ? trace_number(event, TRACE_KEY_to, 0) : addr,
		  trace_number(event, TRACE_KEY_size_bytes, 0));
	return true;
}

/* ---- All of them ------------------------------------------------------------ */

bool scenario_act(struct scenario *s)
{
	static bool (*const acts[TRACE_KIND_COUNT])(struct scenario *s) = {
		[TRACE_KIND_request] = do_request,
		[TRACE_KIND_stop] = do_stop,
		[TRACE_KIND_show] = scenario_show,
		[TRACE_KIND_page] = scenario_page,
		[TRACE_KIND_answer] = scenario_answer,
		[TRACE_KIND_end] = scenario_end,
		[TRACE_KIND_attach] = scenario_attach,
		[TRACE_KIND_detach] = scenario_detach,
		[TRACE_KIND_replace] = scenario_replace,
		[TRACE_KIND_enable] = scenario_enable,
		[TRACE_KIND_disable] = scenario_disable,
		[TRACE_KIND_restart] = scenario_enable,
		[TRACE_KIND_reset] = scenario_reset,
		[TRACE_KIND_remove] = scenario_remove,
		[TRACE_KIND_step] = scenario_step,
		[TRACE_KIND_response] = scenario_response,
		[TRACE_KIND_drop] = scenario_drop,
		[TRACE_KIND_queue] = do_queue,
		[TRACE_KIND_wait] = do_wait,
		[TRACE_KIND_map] = do_map,
		[TRACE_KIND_unmap] = do_unmap,
		[TRACE_KIND_dma] = do_dma,
		[TRACE_KIND_invalidate] = do_invalidate,
		[TRACE_KIND_pause] = scenario_pause,
		[TRACE_KIND_resume] = scenario_resume,
		[TRACE_KIND_flood] = do_flood,
		[TRACE_KIND_calm] = do_calm,
		[TRACE_KIND_kill] = scenario_kill,
		[TRACE_KIND_mark] = do_mark,
		[TRACE_KIND_policy] = scenario_policy,
		[TRACE_KIND_service] = scenario_service,
		[TRACE_KIND_release] = scenario_release,
	};
	bool (*act)(struct scenario *s) = acts[s->event->kind];

	return act != NULL ? act(s) :
			     scenario_bad(s, TRACE_KEY_NONE,
					  "'%s' is not done by a scenario, expected what is",
					  trace_kind_name(s->event->kind));
}
