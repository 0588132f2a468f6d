/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_stall.c - what the IOMMU is seen to do with stalled transactions. */
#include "sim/scenario_state.h"

static void record(const struct scenario *s, struct trace_event *event, uint32_t endpoint)
{
	trace_put_name(event, TRACE_KEY_endpoint, s->endpoints[endpoint].name);
	trace_put(event, TRACE_KEY_stall, 1);
	trace_put(event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	if (s->options->record != NULL && trace_check(event) == 0)
		s->options->record(s->options->context, event);
}

static void on_stalled(void *context, const struct iopf_fault *fault)
{
	struct scenario *s = context;
	const struct model_stall_observer check = sim_check_stalls(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, fault->rid);
	struct trace_event event;

	check.stalled(check.context, fault);
	if (endpoint == SCENARIO_NONE)
		return;
	scenario_group_asked(s, endpoint, fault->pasid, fault->index, fault->addr);
	trace_begin(&event, TRACE_KIND_request, s->world.now_ns);
	trace_put(&event, TRACE_KEY_index, fault->index);
	trace_put(&event, TRACE_KEY_addr, fault->addr);
	trace_put(&event, TRACE_KEY_perm, fault->perm);
	trace_put(&event, TRACE_KEY_last, 1);
	if (fault->pasid != IOPF_PASID_NONE)
		trace_put(&event, TRACE_KEY_pasid, fault->pasid);
	record(s, &event, endpoint);
}

/* The transaction is let go: to be tried again, or aborted. */
static void response(struct scenario *s, uint32_t endpoint, uint16_t tag,
		     enum iopf_code code)
{
	struct scenario_seen *seen = scenario_log_add(s, &s->log[SCENARIO_RESPONSES]);
	struct trace_event event;

	if (seen == NULL)
		return;
	seen->endpoint = endpoint;
	seen->pasid = IOPF_PASID_NONE;
	seen->index = tag;
	seen->code = (uint8_t)code;
	seen->group = scenario_group_at(s, endpoint, IOPF_PASID_NONE, tag);
	if (seen->group != SCENARIO_NONE)
		s->groups[seen->group].answered = true;
	trace_begin(&event, TRACE_KIND_response, s->world.now_ns);
	trace_put(&event, TRACE_KEY_index, tag);
	trace_put(&event, TRACE_KEY_code, seen->code);
	record(s, &event, endpoint);
}

static void on_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
		       enum model_stall_verdict verdict)
{
	struct scenario *s = context;
	const struct model_stall_observer check = sim_check_stalls(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, rid);

	check.resumed(check.context, rid, tag, code, verdict);
	if (endpoint == SCENARIO_NONE)
		return;
	if (verdict != MODEL_STALL_TAKEN) {
		s->endpoints[endpoint].strays++;
		return;
	}
	response(s, endpoint, tag, code == IOPF_SUCCESS ? IOPF_SUCCESS : IOPF_INVALID);
}

/* For the device it is an abort like any other. */
static void on_terminated(void *context, uint32_t rid, uint16_t tag)
{
	struct scenario *s = context;
	const struct model_stall_observer check = sim_check_stalls(s->check);
	uint32_t endpoint = scenario_endpoint_of_rid(s, rid);

	check.terminated(check.context, rid, tag);
	if (endpoint == SCENARIO_NONE)
		return;
	s->endpoints[endpoint].ends++;
	response(s, endpoint, tag, IOPF_INVALID);
}

struct model_stall_observer scenario_stall_observer(struct scenario *s)
{
	return (struct model_stall_observer){ .context = s,
					      .stalled = on_stalled,
					      .resumed = on_resumed,
					      .terminated = on_terminated };
}
