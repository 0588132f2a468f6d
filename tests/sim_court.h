/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim_court.h - a world with a judge beside it: court_create() and court_destroy() instead
 * of the world's. What a test wants to see of functions and the host it sees as well.
 */
#ifndef TESTS_SIM_COURT_H
#define TESTS_SIM_COURT_H

#include "sim/check.h"
#include "sim/world.h"
#include "test.h"

static struct {
	struct sim_check *check;
	struct world *world;
	struct world_options options; /* the test's own */
	const char *expected;         /* rule that is broken on purpose */
} court;

/* A function that is taken in anew is another endpoint. */
static inline void court_bind(void)
{
	for (uint32_t n = 0; n < court.world->function_count; n++) {
		uint32_t rid = court.world->functions[n].rid;

		sim_check_bind(court.check, rid,
			       iopf_host_endpoint(court.world->host, rid));
	}
}

static inline void court_note(void *context, const struct iopf_note *note)
{
	court_bind();
	sim_check_note(court.check, note);
	if (court.options.note != NULL)
		court.options.note(context, note);
}

static inline void court_event(void *context, const struct iopf_event *event)
{
	court_bind();
	sim_check_event(court.check, event);
	if (court.options.event != NULL)
		court.options.event(context, event);
}

static inline void court_request(void *context, struct model_function *function,
				 uint32_t pasid, uint8_t perm, uint64_t payload)
{
	const struct model_observer judge = sim_check_observer(court.check);
	const struct model_observer *own = &court.options.observer;

	(void)context;
	judge.request(judge.context, function, pasid, perm, payload);
	if (own->request != NULL)
		own->request(own->context, function, pasid, perm, payload);
}

static inline void court_response(void *context, struct model_function *function,
				  uint32_t pasid, uint64_t payload, enum model_verdict verdict)
{
	const struct model_observer judge = sim_check_observer(court.check);
	const struct model_observer *own = &court.options.observer;

	(void)context;
	judge.response(judge.context, function, pasid, payload, verdict);
	if (own->response != NULL)
		own->response(own->context, function, pasid, payload, verdict);
}

static inline void court_reset(void *context, struct model_function *function,
			       enum model_reset reset)
{
	const struct model_observer judge = sim_check_observer(court.check);
	const struct model_observer *own = &court.options.observer;

	(void)context;
	judge.reset(judge.context, function, reset);
	if (own->reset != NULL)
		own->reset(own->context, function, reset);
}

static inline void court_credits(void *context, struct model_function *function,
				 uint32_t in_use, uint32_t allocation)
{
	const struct model_observer judge = sim_check_observer(court.check);
	const struct model_observer *own = &court.options.observer;

	(void)context;
	judge.credits(judge.context, function, in_use, allocation);
	if (own->credits != NULL)
		own->credits(own->context, function, in_use, allocation);
}

static inline void court_add(const struct world_function_options *function)
{
	const struct sim_check_function value = { .rid = function->rid,
						  .honest = true,
						  .stalls = function->stalls,
						  .slots = function->allocation,
						  .has_physical = function->has_physical,
						  .physical_rid = function->physical_rid };

	CHECK_EQ(sim_check_add(court.check, &value), 0);
}

static inline int court_create(const struct world_options *options, struct world *world)
{
	const struct sim_check_options how = {
		.stall_slots = options->stall_max != 0 ? options->stall_max : 64,
		.family = options->family != NULL ? options->family : "vtd",
	};
	struct world_options watched = *options;

	court.options = *options;
	court.expected = "";
	court.world = world;
	if (court.check != NULL)
		sim_check_destroy(court.check);
	CHECK_EQ(sim_check_create(&how, &court.check), 0);
	for (uint32_t n = 0; n < options->guest_count; n++)
		for (uint32_t m = 0; m < options->guests[n].function_count; m++)
			court_add(&options->guests[n].functions[m]);
	watched.note = court_note;
	watched.event = court_event;
	watched.observer = (struct model_observer){ .request = court_request,
						    .response = court_response,
						    .reset = court_reset,
						    .credits = court_credits };
	if (options->stalls.stalled == NULL)
		watched.stalls = sim_check_stalls(court.check);
	return world_create(&watched, world);
}

/* The first rule to be broken is @rule, and a test breaks it. */
static inline void court_expects(const char *rule)
{
	court.expected = rule;
}

static inline void court_destroy(struct world *world)
{
	const char *first = sim_check_judged(court.check)->first;
	size_t size = strlen(court.expected);

	if (size == 0 || strncmp(first, court.expected, size) != 0)
		CHECK_STR(first, court.expected);
	world_destroy(world);
}

#endif
