/* SPDX-License-Identifier: BSD-3-Clause */
/* sim/scenario_function.c - what happens to whole functions, and to those who wait. */
#include "sim/scenario_state.h"

#include <string.h>

#include "host/host.h"
#include "iopf/wire.h"
#include "queue/driver.h"

enum { STEP_TURNS = 10000 };

/* ---- Whole endpoints -------------------------------------------------------- */

static bool finish(struct scenario *s, struct scenario_endpoint *endpoint, int begun)
{
	return scenario_result_holds(s, begun) &&
	       (begun != 0 || trace_number(s->event, TRACE_KEY_stepwise, 0) ||
		scenario_finish(s, endpoint));
}

/* Paging that is off comes back with a PRI reset before it. */
bool scenario_enable(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

	return endpoint != NULL &&
	       finish(s, endpoint,
		      iopf_host_restart_function(s->world.host, endpoint->endpoint));
}

bool scenario_disable(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

	return endpoint != NULL &&
	       finish(s, endpoint,
		      iopf_broker_disable(iopf_host_broker(s->world.host),
					  endpoint->endpoint));
}

/* At the function's end of the link: nobody has announced it to the host. */
static bool is_unannounced(const struct scenario *s)
{
	return trace_number(s->event, TRACE_KEY_interface, TRACE_INTERFACE_COUNT) ==
	       TRACE_INTERFACE_function;
}

bool scenario_reset(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

	if (endpoint != NULL && is_unannounced(s)) {
		if (endpoint->options.stalls)
			model_master_reset(endpoint->function->master);
		else
			model_function_reset(endpoint->function->function);
		return true;
	}
	return endpoint != NULL &&
	       finish(s, endpoint,
		      iopf_host_reset_function(s->world.host, endpoint->endpoint,
					       s->world.now_ns));
}

/* Pulled out, and the host is told. */
bool scenario_remove(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	int begun;

	if (endpoint == NULL)
		return false;
	world_pull(endpoint->function);
	if (is_unannounced(s))
		return true;
	begun = iopf_host_remove_function(s->world.host, endpoint->endpoint,
					  s->world.now_ns);
	if (!finish(s, endpoint, begun))
		return false;
	endpoint->endpoint = IOPF_NO_ID;
	return true;
}

/* ---- Step by step, and what nobody sent -------------------------------------- */

/* The operation's present step, to its end; the host stands still otherwise. */
bool scenario_step(struct scenario *s)
{
	struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct iopf_broker *broker = iopf_host_broker(s->world.host);
	int wanted = (int)trace_number(s->event, TRACE_KEY_step, 0), found;
	bool held = s->world.hold_host;

	if (endpoint == NULL)
		return false;
	found = iopf_broker_step(broker, endpoint->endpoint);
	if (found != wanted)
		return scenario_fail(s, TRACE_KEY_step, "required: the step is %s; found: %s",
				     iopf_step_name((enum iopf_step)wanted),
				     found < 0 ? "no endpoint" :
						 iopf_step_name((enum iopf_step)found));
	s->world.hold_host = false;
	for (unsigned n = 0; n < STEP_TURNS && found == wanted; n++) {
		scenario_turn(s);
		found = iopf_broker_step(broker, endpoint->endpoint);
	}
	s->world.hold_host = held;
	return found != wanted || scenario_fail(s, TRACE_KEY_step, "%s is not done after %u turns",
						iopf_step_name((enum iopf_step)wanted),
						(unsigned)STEP_TURNS);
}

/* A response that the host never sent: somebody else's mistake, or a test of the
 * function. The checkers do not see it. */
bool scenario_response(struct scenario *s)
{
	const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);
	const struct trace_event *event = s->event;
	const struct iopf_prg_response response = {
		.rid = endpoint != NULL ? endpoint->options.rid : 0,
		.index = (uint16_t)trace_number(event, TRACE_KEY_index, 0),
		.code = iopf_pcie_code((enum iopf_code)trace_number(event, TRACE_KEY_code, 0)),
	};

	if (endpoint == NULL)
		return false;
	if (!is_unannounced(s) || endpoint->options.stalls)
		return scenario_bad(s, TRACE_KEY_interface,
				    "a response of nobody, expected interface=function, and "
				    "a function");
	s->forged = true;
	model_function_response(endpoint->function->function,
				(uint32_t)trace_number(event, TRACE_KEY_pasid,
						       IOPF_PASID_NONE),
				iopf_pcie_encode_response(&response));
	s->forged = false;
	return true;
}

/* The newest events in the source's queue are spoilt before the host reads them: it never
 * hears of what they say. */
bool scenario_drop(struct scenario *s)
{
	const struct iopf_driver *driver = s->world.host->driver;
	const struct driver_intake *event = &driver->event;
	const uint8_t nothing[RING_ENTRY_MAX] = { UINT8_MAX }; /* no event has this number */
	uint64_t count = trace_number(s->event, TRACE_KEY_count, 1), value = 0;
	uint32_t tail;

	if (driver->family->places[DRIVER_EVENTS].width == 0 ||
	    trace_name(s->event, TRACE_KEY_source) == NULL)
		return scenario_bad(s, TRACE_KEY_NONE, "'drop', expected a source that has an "
						       "event queue");
	iopf_hardware_read(model_iommu_hardware(s->world.iommu), event->at.prod,
			   driver->family->index_bytes, &value);
	if (!ring_index(&event->ring, value & ~(uint64_t)driver->family->turned, &tail))
		return scenario_bad(s, TRACE_KEY_source, "its queue is not there");
	for (uint64_t n = 1; n <= count; n++)
		if (!ring_store(&event->ring, &s->world.memory,
				(uint32_t)(tail - n) & (event->ring.modulus - 1), nothing))
			return scenario_bad(s, TRACE_KEY_source, "its queue is not there");
	return true;
}

/* ---- Pauses ----------------------------------------------------------------- */

/* The guest itself gets no time: its queues fill. Otherwise its clock stands still. */
static bool is_in_guest(const struct scenario *s)
{
	return trace_number(s->event, TRACE_KEY_interface, TRACE_INTERFACE_COUNT) ==
	       TRACE_INTERFACE_guest;
}

static bool set_pause(struct scenario *s, bool paused)
{
	const struct trace_event *event = s->event;

	if (trace_name(event, TRACE_KEY_endpoint) != NULL) {
		const struct scenario_endpoint *endpoint = scenario_endpoint_of(s);

		if (endpoint == NULL)
			return false;
		if (endpoint->options.stalls)
			return scenario_bad(s, TRACE_KEY_endpoint,
					    "%s has no cache, expected a function",
					    endpoint->name);
		model_function_answer_invalidations(endpoint->function->function, !paused);
		return true;
	}
	if (trace_name(event, TRACE_KEY_owner) != NULL) {
		struct scenario_owner *owner = scenario_owner_of(s);

		if (owner != NULL && is_in_guest(s)) {
			owner->asleep = paused;
			s->world.guests[owner->guest].options.silent = paused;
			return true;
		}
		return owner != NULL &&
		       scenario_result_holds(
			       s, iopf_broker_pause_owner(iopf_host_broker(s->world.host),
							  owner->owner, paused,
							  s->world.now_ns));
	}
	if (trace_name(event, TRACE_KEY_source) == NULL)
		return scenario_bad(s, TRACE_KEY_NONE, "'%s' of nothing, expected source, owner "
						       "or endpoint",
				    trace_kind_name(event->kind));
	if (strcmp(trace_name(event, TRACE_KEY_source), s->source_name) != 0)
		return scenario_bad(s, TRACE_KEY_source,
				    "source=%s, expected one that a world line describes",
				    trace_name(event, TRACE_KEY_source));
	if (trace_number(event, TRACE_KEY_interface, TRACE_INTERFACE_COUNT) ==
	    TRACE_INTERFACE_queue)
		s->world.hold_iommu = paused;
	else
		s->world.hold_host = paused;
	return true;
}

bool scenario_pause(struct scenario *s)
{
	return set_pause(s, true);
}

bool scenario_resume(struct scenario *s)
{
	return set_pause(s, false);
}
