/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim/check.h - one checker for each invariant, held against what really happened.
 *
 * It keeps books of its own from two ends: what left and reached the functions
 * (struct model_observer), and what the host says it did (struct iopf_note). Credits,
 * responses and unexpected responses are judged at the function's end; where an
 * invariant is about the ledger, the broker's numbers are compared with the books.
 *
 *   I1   credits and lasts are conserved       I6   everything stays in its bounds
 *   I2   a response for each group, once       I7   an honest group is not kept waiting
 *   I3   only its owner's, or a named reason   I8   failure does not leave
 *   I4   every field is the ledger's           I9   a PASID comes to its owner empty
 *   I5   what is done stays done               I10  everything that ends so is counted
 *
 * A stalled transaction is a group of one, its slot in the IOMMU the credit.
 *
 * What is not the host's: responses that an IOMMU makes because its queue is full,
 * responses on their way while a function is reset, credits lost in an overflow, what
 * a function sends without a credit, and everything of a function whose paging failed.
 *
 * Memory. All of it is taken at create. Threads. One.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "iopf/host.h"
#include "iopf/judge.h"
#include "model/function.h"
#include "model/iommu.h"

enum sim_invariant {
	SIM_I1,
	SIM_I2,
	SIM_I3,
	SIM_I4,
	SIM_I5,
	SIM_I6,
	SIM_I7,
	SIM_I8,
	SIM_I9,
	SIM_I10,
	SIM_INVARIANT_COUNT
};

enum { SIM_CHECK_FUNCTION_MAX = 64 };

struct sim_check;

struct sim_check_options {
	uint32_t queue_entries; /* of the physical request queue; 0: not bounded here */
	uint32_t stall_slots;   /* of the IOMMU's pool; 0: not bounded here */
	const char *family;     /* of the IOMMU, for the judge; NULL: not known */
	/* I7: an honest group waits too long when both are over; 0: does not count. */
	uint32_t wait_turns;
	uint64_t wait_ns;
};

/* Returns: 0, -ENOMEM. */
int sim_check_create(const struct sim_check_options *options, struct sim_check **check);
void sim_check_destroy(struct sim_check *check);

struct sim_check_function {
	uint32_t rid;
	bool honest;   /* it and its owner do what they should: I7 is promised */
	bool may_fail; /* its owner is alone on it and may answer failure */
	bool stalls;   /* a stream: its transactions stall in the IOMMU */
	uint32_t slots; /* stalls: granted of the IOMMU's pool */
	bool has_physical;     /* a virtual function of @physical_rid, which is known: credits
				* are of that one's interface, and in its books */
	uint32_t physical_rid;
};

/*
 * Before its first message. Then, once the host knows it, which endpoint it is: again
 * with another number where it was removed and taken in anew.
 *
 * Returns: 0, -EEXIST, -ENOSPC; -ENOENT.
 */
int sim_check_add(struct sim_check *check, const struct sim_check_function *function);
int sim_check_bind(struct sim_check *check, uint32_t rid, uint32_t endpoint);

/* Its character changed. */
void sim_check_honest(struct sim_check *check, uint32_t rid, bool honest);

/* Somebody puts records into the IOMMU's queue in its name: they are not held against
 * what it sent. */
void sim_check_played(struct sim_check *check, uint32_t rid);

/* For each function's options; the context is @check. */
struct model_observer sim_check_observer(struct sim_check *check);

/* For the IOMMU's options; the context is @check. */
struct model_stall_observer sim_check_stalls(struct sim_check *check);

/* Each note, and each event, of the host, in order. */
void sim_check_note(struct sim_check *check, const struct iopf_note *note);
void sim_check_event(struct sim_check *check, const struct iopf_event *event);

/* The host has had a turn. */
void sim_check_turn(struct sim_check *check, uint64_t now_ns);

/* The numbers that the broker and the IOMMU give. */
struct sim_check_reading {
	uint64_t counter[IOPF_COUNTER_COUNT]; /* of all endpoints and sources */
	uint64_t owner[IOPF_COUNTER_COUNT];   /* of all owners */
	uint64_t own_responses; /* at most so many responses were the IOMMU's own */
	struct {
		bool bound;
		uint32_t gauge[IOPF_GAUGE_COUNT];
		uint64_t counter[IOPF_COUNTER_COUNT];
		uint32_t slots; /* stalled in the IOMMU */
	} function[SIM_CHECK_FUNCTION_MAX]; /* in the order of sim_check_add() */
};

void sim_check_read(const struct sim_check *check, struct iopf_host *host,
		    const struct model_iommu *iommu, struct sim_check_reading *reading);

enum sim_rest {
	SIM_RUNNING, /* between two turns of the host */
	SIM_AT_REST, /* nothing is in a queue or on its way */
	SIM_OVER,    /* and nobody owes an answer any more */
};

/* Hold the numbers against the books. */
void sim_check_audit(struct sim_check *check, const struct sim_check_reading *reading,
		     enum sim_rest rest);

struct sim_check_result {
	uint64_t checked;
	uint64_t violations;
	char first[480]; /* the first violation: where, what, what should have been */
};

const struct sim_check_result *sim_check_result(const struct sim_check *check,
						enum sim_invariant invariant);
/* The judge beside them (iopf/judge.h): it is told the same, and nothing of a broker. */
const struct sim_check_result *sim_check_judged(struct sim_check *check);
const struct iopf_judge *sim_check_judge(const struct sim_check *check);
/* Of all invariants, and the judge, together. */
uint64_t sim_check_violations(const struct sim_check *check);
const char *sim_invariant_name(enum sim_invariant invariant);
const char *sim_invariant_text(enum sim_invariant invariant);

/* The longest that an honest group was neither shown, served nor ended. */
struct sim_check_wait {
	uint64_t ns;
	uint64_t turns;
};
struct sim_check_wait sim_check_longest(const struct sim_check *check);

#endif
