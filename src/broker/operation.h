/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker/operation.h - what the two halves of operations share: those that begin them
 * (operation.c) and those that carry them on (step.c).
 */
#ifndef BROKER_OPERATION_H
#define BROKER_OPERATION_H

#include "broker/ledger.h"

/* Who the plan is for. */
enum plan {
	PLAN_FUNCTION,
	PLAN_VIRTUAL, /* without an interface of ours: nothing to switch off */
	PLAN_STREAM,  /* all of it: its last attachment, too; one of more is as a function's */
	PLAN_COUNT
};

/* The step that waits; IOPF_STEP_NONE. */
enum iopf_step step_of(const struct endpoint *endpoint);
/* Under what the groups end of which the hardware knows nothing any more. */
enum iopf_ending operation_silent_ending(const struct endpoint *endpoint);
void operation_record(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);
/* Whether @group is one of @endpoint, or of a function that uses its interface. */
bool operation_concerns(const struct iopf_broker *broker, const struct group *group,
			uint32_t endpoint);
/* The queue is drained for the first time: what was asked before is in the ledger, and
 * ends. */
void operation_close(struct iopf_broker *broker, uint32_t endpoint, uint64_t now_ns);
/* Nothing of the last owner of the attachment that this is about is there any more: it is
 * its successor's, or nobody's. */
void operation_succeeds(struct iopf_broker *broker, struct endpoint *endpoint);
/* It is nobody's, whoever was to have it. */
void operation_leaves_none(struct iopf_broker *broker, struct endpoint *endpoint);

/* One attachment's; the others are about the whole endpoint. */
static inline bool is_partial_operation(unsigned operation)
{
	return operation == IOPF_OPERATION_DETACH || operation == IOPF_OPERATION_REPLACE;
}

/* What follows @id among the functions that an operation on @first is about. */
static inline uint32_t next_function(const struct iopf_broker *broker, uint32_t first, uint32_t id)
{
	uint16_t next = id == first ? broker->endpoints[id].virtual_first :
				      broker->endpoints[id].virtual_next;

	return next != NO_ENDPOINT && broker->endpoints[first].physical == first ?
		       next :
		       IOPF_NO_ID;
}

#define EACH_FUNCTION(broker, first, id) \
	for (uint32_t id = (first); id != IOPF_NO_ID; id = next_function(broker, first, id))

#endif
