/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/function_state.h - what a function is made of; for function.c and pri.c only.
 *
 * The registers of the configuration space are the truth for what software can see
 * (Enable, Stopped, RF, UPRGI, allocation); what it cannot see stands in struct pri.
 */
#ifndef MODEL_FUNCTION_STATE_H
#define MODEL_FUNCTION_STATE_H

#include "model/atc.h"
#include "model/config.h"
#include "model/function.h"
#include "base/map.h"

#define PRI_INDEX_COUNT 512u
#define PRI_STOP_MAX    16u
/* A group that nobody on the function waits for: a raw message opened it. */
#define PRI_NO_CLIENT UINT32_MAX

enum pri_group_state { PRI_FREE, PRI_OPEN, PRI_WAITING, PRI_STALE, PRI_STATE_COUNT };

struct pri_group {
	struct model_function *function; /* whose: physical or one of its virtual ones */
	uint64_t addr;    /* of the last request: closing it repeats that */
	uint32_t pasid;
	uint32_t cookie;
	uint32_t requests; /* credits */
	uint32_t next_free;
	uint16_t index;
	uint8_t perm;
	uint8_t state;    /* enum pri_group_state */
	bool closing;     /* to be closed as soon as there is a credit */
};

/* A PASID that a function stops. */
struct pri_stop {
	struct model_function *function;
	uint32_t pasid;
};

/* Of a physical function, for its virtual ones too: they have one interface together. */
struct pri {
	struct pri_group *groups;
	uint32_t group_max, first_free;
	struct map by_key; /* (PASID, index) -> group */
	uint32_t in_state[PRI_STATE_COUNT];
	uint32_t closing;
	uint32_t credits_in_use;
	uint16_t next_index;
	bool failed;       /* response failure: until Enable goes from 0 to 1 */
	struct pri_stop stopping[PRI_STOP_MAX];
	uint32_t stopping_count;
	bool going, again; /* go_on() */
};

struct model_function {
	struct model_function_options options;
	const struct model_client *client;
	struct config config;
	struct model_function *physical; /* itself where it is no virtual one */
	struct model_function *first_virtual, *next_virtual;
	struct pri pri; /* the physical one's counts */
	struct atc atc;
	bool gone;
	bool ending; /* between the two steps of a reset or removal */
	bool mute; /* does not answer invalidations */
	struct model_function_state counts; /* its counters only */
};

/* True: a physical one is all its virtual ones, too. */
static inline bool function_covers(const struct model_function *function,
				   const struct model_function *other)
{
	return function == other || function == other->physical;
}

/* pri_group.c: books and status bits; nothing leaves, nobody is told. Registers and
 * books are the physical function's. */
bool pri_enabled(const struct model_function *function);
bool pri_paging(const struct model_function *function);
uint32_t pri_allocation(const struct model_function *function);
void pri_status_set(struct model_function *function, uint32_t bits, bool on);
void pri_settle_stopped(struct model_function *function);
struct pri_group *pri_group_find(const struct model_function *function, uint32_t pasid,
				 uint16_t index);
/* An open group; its index must be free. NULL: no slot is. */
struct pri_group *pri_group_new(struct model_function *function, uint32_t pasid,
				uint16_t index, uint32_t cookie);
void pri_group_move(struct pri *pri, struct pri_group *group, enum pri_group_state state);
void pri_group_free(struct model_function *function, struct pri_group *group);
/* An index that is free for @pasid, or -EAGAIN. */
int pri_index_choose(const struct model_function *function, uint32_t pasid);

/* pri.c: the protocol. */
/* Every group of @function ends without a response: what comes for it later is
 * unexpected. With a physical one, those of its virtual ones too. */
void pri_forget(struct model_function *function);
/* Enable of a physical function was @was and is what the register says; @reset: Reset
 * was written. */
void pri_control(struct model_function *function, bool was, bool reset);

/* function.c */
bool function_pasid_enabled(const struct model_function *function, uint32_t pasid);
/* X and Priv need a PASID that has them enabled. */
bool function_perm_enabled(const struct model_function *function, uint32_t pasid,
			   uint8_t perm);
/* An error that AER reports; @error is its uncorrectable status bit. */
void function_error(struct model_function *function, uint32_t error);
void function_observe_reset(struct model_function *function, enum model_reset reset);

#endif
