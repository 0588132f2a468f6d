/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim/scenario.h - a scenario in the event language, played against the real engine and
 * models in virtual time, in one thread.
 *
 * What each statement does is said in docs/formats.md, "What a scenario does with them".
 * All checkers of invariants run during every scenario and fail it.
 *
 * An owner whose line names a family is a guest with a virtual IOMMU of that family, and
 * so is one of role guest in a variant that is through a guest's queue: it has queues,
 * and is shown and answers through them. Any other owner fetches and answers through the
 * broker's interface, as the VMM of a guest may.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

enum scenario_outcome {
	SCENARIO_OK,
	SCENARIO_FAILED, /* something that was required did not hold */
	SCENARIO_CANNOT, /* devices that the host asked for cannot have: nothing was played */
	SCENARIO_BAD,    /* no scenario: a word, a name, a number */
	SCENARIO_BROKEN, /* the world could not be built: no memory */
};

struct scenario_options {
	/* Of a file that has variants, one of those; what a file without them leaves open. */
	enum trace_variant variant;
	/* IOMMU families where a line does not say one; NULL: what the variant needs. */
	const char *host, *guest;
	/* Everything that happens, in the event language; NULL: nobody listens. */
	void (*record)(void *context, const struct trace_event *event);
	void *context;
};

struct scenario_result {
	uint8_t outcome; /* enum scenario_outcome */
	uint32_t line, column; /* where; 0: nowhere in particular */
	uint64_t events;  /* statements that were carried out */
	uint64_t checked; /* times that an invariant was looked at */
	char text[1024]; /* what was required and what was found */
};

/* Owns: borrows @bytes for the call. */
void scenario_play(const void *bytes, size_t size_bytes,
		   const struct scenario_options *options,
		   struct scenario_result *result);

#endif
