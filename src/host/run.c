/* SPDX-License-Identifier: BSD-3-Clause */
/* host/run.c - one turn of everything, each loop with its budget. */
#include "host/host.h"

#include <assert.h>
#include <errno.h>

void host_note(struct iopf_host *host, struct iopf_note note)
{
	note.ns = host->now_ns;
	if (host->options.note != NULL)
		host->options.note(host->options.context, &note);
}

/* ---- Who is kept out -------------------------------------------------------- */

/*
 * Its paging goes off, and what it sends all the same does not reach the queue, until it
 * is reset.
 */
static void block_function(struct iopf_host *host, struct host_function *function)
{
	if (function->blocked ||
	    iopf_broker_reset(host->broker, function->endpoint, host->now_ns) != 0)
		return;
	function_disable(function);
	function->blocked = true;
	function->enable_after = false;
	function->drain = (struct host_drain){ 0 };
	host->family->endpoint(&host->tables, function->rid, FAMILY_BLOCKED);
	caches_forget_context(function);
	host->stats.blocked++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_RESET,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = IOPF_PASID_NONE });
}

/* It had a part in one more overflow. True: it goes too far. */
static bool is_excess(const struct iopf_host *host, struct host_function *function)
{
	if (function->excesses == 0 ||
	    host->now_ns - function->excess_ns > HOST_EXCESS_NS) {
		function->excesses = 0;
		function->excess_ns = host->now_ns;
	}
	return ++function->excesses > HOST_EXCESS_MAX;
}

/*
 * All allocations together fit the queue, so where it overflows somebody sends more than
 * its own. What others ask is lost with that, and no drain proves anything while it
 * lasts: whoever does it again and again is blocked.
 */
static void look_for_excess(struct iopf_host *host)
{
	const struct iopf_stats_page *stats = iopf_broker_stats(host->broker);

	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];
		uint64_t exceeded;

		if (!function->used || function->closing)
			continue;
		exceeded = stats->row[function->endpoint]
				   .counter[IOPF_COUNTER_allocation_exceeded];
		if (exceeded > function->exceeded && is_excess(host, function))
			block_function(host, function);
		function->exceeded = exceeded;
	}
}

/* It did not answer an invalidation: what it remembers is not known, and asking again
 * would stop the queue for everybody again. */
static void block_who_is_silent(struct iopf_host *host)
{
	uint32_t rid = iopf_driver_silent(host->driver);
	struct host_function *function =
		host_function_of(host, iopf_host_endpoint(host, rid));

	if (function != NULL)
		block_function(host, function);
}

/* ---- Intake ----------------------------------------------------------------- */

static bool take_one(struct iopf_host *host, const struct iopf_request *request)
{
	int taken = iopf_broker_request(host->broker, host->source, request, host->now_ns);

	if (taken == -EAGAIN && host_respond(host) > 0)
		taken = iopf_broker_request(host->broker, host->source, request,
					    host->now_ns);
	if (taken == -EAGAIN)
		return false;
	host->stats.requests++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_REQUEST,
					    .guest = IOPF_NO_ID,
					    .endpoint = IOPF_NO_ID,
					    .pasid = request->pasid,
					    .request = request });
	return true;
}

/* What was polled and not taken waits here, and nothing more is polled: the physical
 * queue's own overflow rules begin before anything is lost in software. */
static uint32_t take_pending(struct iopf_host *host)
{
	uint32_t done = 0;

	while (host->pending_count > 0 &&
	       take_one(host, &host->pending[host->pending_first])) {
		host->pending_first++;
		host->pending_count--;
		done++;
	}
	return done;
}

static void overflowed(struct iopf_host *host)
{
	iopf_broker_overflow(host->broker, host->source, host->now_ns);
	iopf_driver_recover(host->driver);
	host->stats.overflows++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_OVERFLOW,
					    .guest = IOPF_NO_ID,
					    .endpoint = IOPF_NO_ID,
					    .pasid = IOPF_PASID_NONE });
	look_for_excess(host);
}

static uint32_t intake(struct iopf_host *host, uint32_t budget)
{
	uint32_t done = take_pending(host);

	while (done < budget && host->pending_count == 0) {
		int polled = iopf_driver_poll(host->driver, host->pending, HOST_BATCH);

		if (polled == -EOVERFLOW)
			overflowed(host);
		if (polled <= 0)
			break;
		host->pending_first = 0;
		host->pending_count = (uint32_t)polled;
		done += take_pending(host);
	}
	return done;
}

/* ---- Responses -------------------------------------------------------------- */

uint32_t host_respond(struct iopf_host *host)
{
	struct iopf_response responses[HOST_BATCH];
	uint32_t room = iopf_driver_room(host->driver);
	int count;

	if (room <= HOST_COMMANDS_KEPT)
		return 0;
	room -= HOST_COMMANDS_KEPT;
	count = iopf_broker_respond(host->broker, host->source, responses,
				    room < HOST_BATCH ? room : HOST_BATCH, host->now_ns);
	for (int i = 0; i < count; i++) {
		const struct iopf_command command =
			iopf_command_from_response(&responses[i]);

		if (iopf_driver_submit(host->driver, &command) != 0)
			host->stats.skipped++;
		host->stats.responses++;
		host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
						    .guest = IOPF_NO_ID,
						    .endpoint = responses[i].endpoint,
						    .pasid = responses[i].pasid,
						    .token = responses[i].token,
						    .code = responses[i].code,
						    .response = &responses[i] });
	}
	return count > 0 ? (uint32_t)count : 0;
}

/* ---- Guests ----------------------------------------------------------------- */

static uint32_t run_guest(struct iopf_host *host, struct host_guest *guest, uint32_t budget)
{
	uint32_t done, steps;

	if (guest->gone) {
		guest->over = iopf_guest_reset(guest->guest, host->now_ns) == 0;
		host->waiting |= !guest->over;
		return guest->over;
	}
	done = host_show(host, guest, budget);
	if (guest->guest == NULL)
		return done;
	steps = iopf_guest_run(guest->guest, budget, host->now_ns);
	host->waiting |= iopf_guest_held(guest->guest);
	/* Asking again for what is not finished brings nothing forward. */
	return done + (iopf_guest_held(guest->guest) ? 0 : steps);
}

static uint32_t run_guests(struct iopf_host *host, uint32_t budget)
{
	uint32_t done = 0;

	assert(host->options.guest_max > 0); /* options_right() */
	for (uint32_t i = 0; i < host->options.guest_max; i++) {
		uint32_t at = (host->guest_turn + i) % host->options.guest_max;

		if (!host->guests[at].used)
			continue;
		host->waiting |= !shadows_run(&host->guests[at]);
		if (host->guests[at].failed)
			guest_leave(host, &host->guests[at]);
		else if (!host->guests[at].over)
			done += run_guest(host, &host->guests[at], budget);
	}
	host->guest_turn = (host->guest_turn + 1) % host->options.guest_max;
	return done;
}

/* ---- Operations ------------------------------------------------------------- */

/* The broker has forgotten it: shut out, and nobody else's before the caches know. */
static void removed(struct iopf_host *host, struct host_function *function)
{
	host->family->endpoint(&host->tables, function->rid, FAMILY_SHUT);
	shadows_close(&host->guests[function->guest], function);
	host->function_of_endpoint[function->endpoint] = IOPF_NO_ID;
	function->endpoint = IOPF_NO_ID;
	function->closing = true;
	function->drain.wait.armed = false;
	caches_forget_context(function);
}

static void close_function(struct iopf_host *host, struct host_function *function)
{
	if (host_waited(host, &function->drain.wait, IOPF_WAIT_FENCE) != 0)
		return;
	host->family->tidy(&host->tables, function->rid, IOPF_PASID_ANY);
	function->used = false;
	host->stats.removals++;
}

/* After a function reset all capabilities are off: on again, then the endpoint. */
static void reset_done(struct iopf_host *host, struct host_function *function)
{
	host->stats.resets++;
	if (function_enable(function) != 0 ||
	    iopf_broker_enable(host->broker, function->endpoint) != 0)
		host->stats.enable_failed++;
}

static void detached(struct iopf_host *host, const struct host_function *function)
{
	/* A guest that goes through all PASIDs keeps no page for each. */
	host->family->tidy(&host->tables, function->rid,
			   physical_pasid(host, function->detach_pasid));
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_DETACH,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = function->detach_pasid });
}

/* @step: IOPF_STEP_DONE, or why the operation failed. */
static void operation_over(struct iopf_host *host, struct host_function *function, int step)
{
	if (function->enable_after && step == IOPF_STEP_DONE)
		reset_done(host, function);
	function->enable_after = false;
	if (function->detaching)
		detached(host, function);
	function->detaching = false;
	if (iopf_broker_step(host->broker, function->endpoint) == -ENOENT)
		removed(host, function);
}

/* The ledger has forgotten the function's groups already. What it was answered before is
 * still on its way, though: a function that is reset under it would not know the question
 * any more. Returns: whether the reset is done. */
static bool run_flr(struct iopf_host *host, struct host_function *function)
{
	if (host_waited(host, &function->flr_wait, 0) != 0)
		return false;
	function->flr_wanted = false;
	function_flr(function);
	if (function->blocked) {
		function->blocked = false;
		host->family->endpoint(&host->tables, function->rid, FAMILY_OPEN);
		caches_forget_context(function);
	}
	return true;
}

static uint32_t run_operation(struct iopf_host *host, struct host_function *function)
{
	int step, result;

	if (function->flr_wanted && !run_flr(host, function))
		return 0;

	if (caches_tell(host, function) != 0)
		return 0;
	if (function->closing) {
		close_function(host, function);
		return !function->used;
	}
	step = iopf_broker_step(host->broker, function->endpoint);
	if (step <= IOPF_STEP_NONE)
		return 0;
	result = function_step(host, function, (enum iopf_step)step);
	if (result == -EINPROGRESS)
		return 0;
	step = iopf_broker_did(host->broker, function->endpoint, result, host->now_ns);
	if (step == IOPF_STEP_DONE || step < 0)
		operation_over(host, function, step);
	return result == 0;
}

static bool is_busy(const struct iopf_host *host, const struct host_function *function)
{
	return function->untold || function->closing ||
	       iopf_broker_step(host->broker, function->endpoint) > IOPF_STEP_NONE;
}

static uint32_t run_operations(struct iopf_host *host)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];

		if (function->used)
			done += run_operation(host, function);
		host->waiting |= function->used && is_busy(host, function);
	}
	return done;
}

static void look_at_functions(struct iopf_host *host)
{
	for (uint32_t i = 0; i < host->function_end; i++)
		if (host->functions[i].used && !host->functions[i].closing)
			function_status(host, &host->functions[i]);
	host->status_ns = host->now_ns + host->options.status_period_ns;
}

static void look_at_queue(struct iopf_host *host)
{
	int errors = iopf_driver_errors(host->driver);

	if (errors <= 0)
		return;
	if (errors & IOPF_DRIVER_TIMEOUT) {
		host->timeouts++;
		block_who_is_silent(host);
	}
	if ((errors & IOPF_DRIVER_STOPPED) && iopf_driver_skip(host->driver) == 0)
		host->stats.skipped++;
	host->stats.timeouts = host->timeouts;
}

uint32_t iopf_host_run(struct iopf_host *host, uint32_t budget, uint64_t now_ns)
{
	uint32_t done;

	host->now_ns = now_ns;
	host->waiting = false;
	done = intake(host, budget);
	done += run_guests(host, budget);
	done += (uint32_t)iopf_broker_poll(host->broker, budget, now_ns);
	done += run_operations(host);
	done += host_respond(host);
	look_at_queue(host);
	if (now_ns >= host->status_ns)
		look_at_functions(host);
	iopf_driver_kick(host->driver);
	host->waiting |= host->pending_count > 0;
	return done;
}

uint64_t iopf_host_next_ns(const struct iopf_host *host)
{
	uint64_t next_ns = iopf_broker_next_deadline_ns(host->broker);

	if (host->status_ns < next_ns)
		next_ns = host->status_ns;
	if (host->waiting && host->now_ns + HOST_POLL_NS < next_ns)
		next_ns = host->now_ns + HOST_POLL_NS;
	return next_ns;
}
