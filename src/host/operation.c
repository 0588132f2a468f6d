/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/operation.c - the broker plans an operation, this carries its steps out at the
 * hardware: one look a turn, never a wait.
 */
#include "host/host.h"

#include <assert.h>
#include <errno.h>

/* ---- States --------------------------------------------------------------------- */

#define TO(state) (1u << FUNCTION_##state)

static const uint8_t function_next[] = {
	[FUNCTION_FREE] = TO(TAKEN),
	[FUNCTION_TAKEN] = TO(PRESENT) | TO(FREE),
	[FUNCTION_PRESENT] = TO(PRESENT) | TO(RESET) | TO(BLOCKED) | TO(CLOSING),
	[FUNCTION_RESET] = TO(RESET) | TO(RESTING) | TO(RETURNING) | TO(PRESENT) |
			   TO(CLOSING),
	[FUNCTION_RESTING] = TO(RESET) | TO(RETURNING) | TO(PRESENT) | TO(CLOSING),
	[FUNCTION_RETURNING] = TO(RESET) | TO(PRESENT) | TO(CLOSING),
	[FUNCTION_BLOCKED] = TO(RESET) | TO(CLOSING),
	[FUNCTION_CLOSING] = TO(TAKEN),
};
static_assert(sizeof(function_next) == FUNCTION_STATE_COUNT, "a row per state");

/* What the diagram says of each state. */
static bool function_right(const struct iopf_host *host,
			   const struct host_function *function)
{
	if (function_there(function))
		return host_function_of(host, function->endpoint) == function;
	if (function->state == FUNCTION_CLOSING)
		return function->endpoint == IOPF_NO_ID && !function->detaching;
	return true;
}

void function_move(const struct iopf_host *host, struct host_function *function,
		   enum function_state state)
{
	assert(function_next[function->state] & 1u << state);
	function->state = (uint8_t)state;
	assert(function_right(host, function));
}

/* ---- Steps ---------------------------------------------------------------------- */

/* 0: done; -EAGAIN: a round is over and it was not; -EINPROGRESS: no round; -ENODEV,
 * -ETIMEDOUT. step_phase is 0 when it begins. */
typedef int step_fn(struct iopf_host *host, struct host_function *function);

static int step_drain(struct iopf_host *host, struct host_function *function)
{
	int drained = host_drained(host, function_source(function), &function->drain);

	return drained == -EAGAIN    ? -EINPROGRESS :
	       drained == -EOVERFLOW ? -EAGAIN :
				       0;
}

/* A queue that stands still for somebody else costs no round. */
static int step_respond(struct iopf_host *host, struct host_function *function)
{
	(void)function;
	return iopf_driver_room(host->driver) > HOST_COMMANDS_KEPT ? 0 : -EINPROGRESS;
}

static int step_pri_off(struct iopf_host *host, struct host_function *function)
{
	(void)host;
	function_pri(function, FUNCTION_PRI_OFF);
	return 0;
}

static int step_stopped(struct iopf_host *host, struct host_function *function)
{
	(void)host;
	return function_stopped(function) ? 0 : -EAGAIN;
}

static int step_pri_reset(struct iopf_host *host, struct host_function *function)
{
	(void)host;
	function_pri(function, FUNCTION_PRI_RESET);
	return function_stopped(function) ? 0 : -ETIMEDOUT;
}

static int step_pri_on(struct iopf_host *host, struct host_function *function)
{
	(void)host;
	function_pri(function, FUNCTION_PRI_ON);
	return 0;
}

enum step_phase { STEP_BEGIN, STEP_TOLD, STEP_SYNCED };

/* What was put into the command queue since the step began is done. */
static int synced(struct iopf_host *host, struct host_function *function)
{
	if (host_waited(host, &function->step_wait, IOPF_WAIT_FENCE) != 0)
		return -EINPROGRESS;
	function->step_phase = STEP_SYNCED;
	return 0;
}

/* The caches are told between two looks, by whoever runs the operation. */
static int change_door(struct iopf_host *host, struct host_function *function,
		       enum family_door door)
{
	if (function->step_phase != STEP_BEGIN)
		return synced(host, function);
	function_door(host, function, door);
	function->step_wait = (struct host_wait){ 0 };
	function->step_phase = STEP_TOLD;
	return -EINPROGRESS;
}

static int step_block(struct iopf_host *host, struct host_function *function)
{
	return change_door(host, function, FAMILY_BLOCKED);
}

static int step_unblock(struct iopf_host *host, struct host_function *function)
{
	return change_door(host, function, FAMILY_OPEN);
}

static int put_terminate(struct iopf_host *host, struct host_function *function)
{
	const struct iopf_command command = { .kind = IOPF_COMMAND_TERMINATE,
					      .rid = function->rid,
					      .pasid = IOPF_PASID_NONE };

	if (iopf_driver_submit(host->driver, &command) != 0)
		return -EINPROGRESS;
	function->step_wait = (struct host_wait){ 0 };
	function->step_phase = STEP_TOLD;
	host->stats.terminated++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_TERMINATE,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = IOPF_PASID_NONE });
	return -EINPROGRESS;
}

/* SMMUv3, "STALL_TERM": behind the entry that aborts, and over when the master says that
 * nothing of it is under way. */
static int step_terminate(struct iopf_host *host, struct host_function *function)
{
	if (function->step_phase == STEP_BEGIN)
		return put_terminate(host, function);
	if (function->step_phase == STEP_TOLD && synced(host, function) != 0)
		return -EINPROGRESS;
	return function->master->quiet(function->context) ? 0 : -EAGAIN;
}

static step_fn *const steps[IOPF_STEP_COUNT] = {
	[IOPF_STEP_DRAIN] = step_drain,
	[IOPF_STEP_RESPOND] = step_respond,
	[IOPF_STEP_PRI_OFF] = step_pri_off,
	[IOPF_STEP_STOPPED] = step_stopped,
	[IOPF_STEP_PRI_RESET] = step_pri_reset,
	[IOPF_STEP_PRI_ON] = step_pri_on,
	[IOPF_STEP_BLOCK] = step_block,
	[IOPF_STEP_TERMINATE] = step_terminate,
	[IOPF_STEP_UNBLOCK] = step_unblock,
};

static int do_step(struct iopf_host *host, struct host_function *function,
		   enum iopf_step step)
{
	if (steps[step] == NULL)
		return 0;
	if (step != IOPF_STEP_DRAIN && function_gone(function))
		return -ENODEV;
	return steps[step](host, function);
}

/* ---- Operations ------------------------------------------------------------------ */

/* The broker has forgotten it: shut out, and nobody else's before the caches know. */
static void removed(struct iopf_host *host, struct host_function *function)
{
	function_door(host, function, FAMILY_SHUT);
	shadows_close(&host->guests[function->guest], function);
	host->function_of_endpoint[function->endpoint] = IOPF_NO_ID;
	function->endpoint = IOPF_NO_ID;
	function->detaching = false;
	function_move(host, function, FUNCTION_CLOSING);
	function->drain.wait.armed = false;
}

static void close_function(struct iopf_host *host, struct host_function *function)
{
	if (host_waited(host, &function->drain.wait, IOPF_WAIT_FENCE) != 0)
		return;
	host->family->tidy(&host->tables, function->rid, IOPF_PASID_ANY);
	function_move(host, function, FUNCTION_TAKEN);
	host->stats.removals++;
}

/* One that was kept out, or whose stalls were terminated, is let in again. */
static void open_door(struct iopf_host *host, struct host_function *function)
{
	if (function->door != FAMILY_OPEN)
		function_door(host, function, FAMILY_OPEN);
}

/* After a function reset all capabilities are off: on again, then the endpoint. With a
 * physical function its virtual ones were reset. */
static void switch_on(struct iopf_host *host, struct host_function *function)
{
	uint32_t physical = (uint32_t)(function - host->functions);

	open_door(host, function);
	if (function_enable(function) != 0 ||
	    iopf_broker_enable(host->broker, function->endpoint) != 0) {
		host->stats.enable_failed++;
		return;
	}
	for (uint32_t i = 0; i < host->function_end; i++) {
		const struct host_function *of = &host->functions[i];

		if ((of->state == FUNCTION_PRESENT || of->state == FUNCTION_RETURNING) &&
		    of->physical == physical && function_enable(of) == 0)
			iopf_broker_enable(host->broker, of->endpoint);
	}
}

static void detached(struct iopf_host *host, struct host_function *function)
{
	function->space_count--;
	/* A guest that goes through all PASIDs keeps no page for each. */
	host->family->tidy(&host->tables, function->rid, function->detach_pasid);
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_DETACH,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = function->detach_pasid });
}

/* @step: IOPF_STEP_DONE, or why the operation failed. */
static void operation_over(struct iopf_host *host, struct host_function *function, int step)
{
	if (function->state == FUNCTION_RETURNING) {
		function_move(host, function, FUNCTION_PRESENT);
		if (step == IOPF_STEP_DONE) {
			host->stats.resets++;
			switch_on(host, function);
		}
	}
	function->step_phase = STEP_BEGIN;
	if (function->detaching && step != -ETIMEDOUT)
		detached(host, function);
	function->detaching = false;
	if (iopf_broker_step(host->broker, function->endpoint) == -ENOENT)
		removed(host, function);
}

/*
 * The ledger has forgotten the function's groups already. What it was answered before is
 * still on its way, though: a function that is reset under it would not know the question
 * any more. After the reset it has its time, and nobody reads its registers (PCIe 6.x,
 * 6.6.2). Returns: whether the reset is done.
 */
static bool reset(struct iopf_host *host, struct host_function *function)
{
	bool rests = function->master == NULL && host->options.reset_ns != 0;

	if (function->state == FUNCTION_RESET) {
		if (host_waited(host, &function->reset_wait, 0) != 0)
			return false;
		function_reset(function);
		function->ready_ns = host->now_ns + host->options.reset_ns;
		function_move(host, function, rests ? FUNCTION_RESTING : FUNCTION_RETURNING);
	}
	if (function->state == FUNCTION_RESTING && host->now_ns >= function->ready_ns)
		function_move(host, function, FUNCTION_RETURNING);
	return function->state != FUNCTION_RESTING;
}

/* Nothing is under way, in the ledger. A virtual function's operation may have ended there
 * with a reset of its physical one, which switches both on again. And what could not begin
 * while something else went on does so now. */
static void at_rest(struct iopf_host *host, struct host_function *function)
{
	if (function->state == FUNCTION_RETURNING)
		function_move(host, function, FUNCTION_PRESENT);
	if (function->detaching)
		operation_over(host, function, IOPF_STEP_DONE);
	if (function->restart_wanted)
		function->restart_wanted =
			iopf_broker_restart(host->broker, function->endpoint) == -EBUSY;
}

static uint32_t run_operation(struct iopf_host *host, struct host_function *function)
{
	int step, result;

	if (!reset(host, function))
		return 0;
	if (caches_tell(host, function) != 0)
		return 0;
	if (function->state == FUNCTION_CLOSING) {
		close_function(host, function);
		return !function_used(function);
	}
	step = iopf_broker_step(host->broker, function->endpoint);
	if (step == -ENOENT) /* a virtual one: it went with its physical function */
		removed(host, function);
	if (step == IOPF_STEP_NONE)
		at_rest(host, function);
	if (step <= IOPF_STEP_NONE)
		return step == -ENOENT;
	result = do_step(host, function, (enum iopf_step)step);
	if (result == -EINPROGRESS)
		return 0;
	if (result != -EAGAIN)
		function->step_phase = STEP_BEGIN;
	step = iopf_broker_did(host->broker, function->endpoint, result, host->now_ns);
	if (step == IOPF_STEP_DONE || step < 0)
		operation_over(host, function, step);
	return result == 0;
}

static bool is_busy(const struct iopf_host *host, const struct host_function *function)
{
	return function->untold || function->state == FUNCTION_CLOSING ||
	       function->state == FUNCTION_RESTING ||
	       iopf_broker_step(host->broker, function->endpoint) > IOPF_STEP_NONE;
}

uint32_t operations_run(struct iopf_host *host)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];

		if (function_used(function))
			done += run_operation(host, function);
		host->waiting |= function_used(function) && is_busy(host, function);
	}
	return done;
}

