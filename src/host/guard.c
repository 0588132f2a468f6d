/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/guard.c - functions that are kept out, because they do not answer or send more
 * than their own, and what functions say of themselves.
 */
#include "host/host.h"

#include <errno.h>

/*
 * Its paging goes off, and what it sends all the same does not reach the queue, until it
 * is reset. One that is about to be reset is kept out until then; one that was may answer
 * nothing meanwhile, and has forgotten what it remembered.
 */
void guard_block(struct iopf_host *host, struct host_function *function)
{
	if (function->state == FUNCTION_RESET)
		function_door(host, function, FAMILY_BLOCKED);
	if (function->state != FUNCTION_PRESENT ||
	    iopf_broker_reset(host->broker, function->endpoint, host->now_ns) != 0)
		return;
	function_disable(function);
	function_move(host, function, FUNCTION_BLOCKED);
	operation_begins(function);
	function_door(host, function, FAMILY_BLOCKED);
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
void guard_overflowed(struct iopf_host *host)
{
	const struct iopf_stats_page *stats = iopf_broker_stats(host->broker);

	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];
		uint64_t exceeded;

		if (!function_there(function))
			continue;
		exceeded = stats->row[function->endpoint]
				   .counter[IOPF_COUNTER_allocation_exceeded];
		if (exceeded > function->exceeded && is_excess(host, function))
			guard_block(host, function);
		function->exceeded = exceeded;
	}
}

/*
 * SMMUv3, "EVENTQ_ABT_ERR", "PRIQ_ABT_ERR": what was lost is answered by nobody. Each that
 * may have asked begins anew: its interface is reset, and with that what its virtual
 * functions asked; or its stalls are terminated.
 */
void guard_lost(struct iopf_host *host, enum host_source_kind kind)
{
	host->stats.overflows++;
	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];

		if (function->state == FUNCTION_PRESENT &&
		    function->physical == IOPF_NO_ID && function_source(function) == kind)
			function->restart_wanted =
				iopf_broker_restart(host->broker, function->endpoint) ==
				-EBUSY;
	}
}

/* ---- Who does not answer ------------------------------------------------------- */

/*
 * What it remembers is not known, and asking again would stop the queue for everybody
 * again. SMMUv3 does not say who it was ("Command queue errors", CERROR_ATC_INV_SYNC): the
 * queue is emptied of what was asked before, and then each function is asked alone.
 */
void guard_timeout(struct iopf_host *host)
{
	uint32_t rid = iopf_driver_silent(host->driver);
	struct host_function *function =
		host_function_of(host, iopf_host_endpoint(host, rid));

	if (function != NULL)
		guard_block(host, function);
	if (rid == IOPF_NO_ID && !host->inquiry.active)
		host->inquiry = (struct host_inquiry){ .active = true };
}

/* Ask the next that may be asked. False: there is none. */
static bool ask_next(struct iopf_host *host)
{
	struct host_inquiry *inquiry = &host->inquiry;
	const struct host_function *functions = host->functions;
	uint32_t *at = &inquiry->at;

	while (*at < host->function_end && !caches_in_function(&functions[*at]))
		++*at;
	if (*at == host->function_end)
		return false;
	iopf_driver_submit(host->driver,
			   &(struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
						   .granularity = IOPF_ALL,
						   .rid = functions[*at].rid,
						   .pasid = IOPF_PASID_ANY });
	inquiry->timeouts = host->timeouts;
	inquiry->asking =
		iopf_driver_wait(host->driver, IOPF_WAIT_FENCE, &inquiry->wait.wait) == 0;
	return true;
}

void guard_inquire(struct iopf_host *host)
{
	struct host_inquiry *inquiry = &host->inquiry;
	struct host_function *asked = &host->functions[inquiry->at];

	if (!inquiry->active)
		return;
	if (!inquiry->asking) {
		if (inquiry->at == 0 && host_waited(host, &inquiry->wait, 0) != 0)
			return;
	} else if (inquiry->timeouts != host->timeouts) {
		guard_block(host, asked);
	} else if (!iopf_driver_waited(host->driver, inquiry->wait.wait)) {
		return;
	}
	inquiry->at += inquiry->asking;
	inquiry->asking = false;
	inquiry->active = iopf_driver_room(host->driver) < 2 || ask_next(host);
}

/* ---- What functions say of themselves ------------------------------------------ */

static void look_at(struct iopf_host *host, struct host_function *function)
{
	struct iopf_response recent[HOST_RECENT];
	uint32_t status;
	int count;

	function->gone = function_gone(function);
	if (function->gone) {
		iopf_host_remove_function(host, function->endpoint, host->now_ns);
		return;
	}
	status = function_status(function);
	if (status == 0)
		return;
	count = iopf_broker_recent(host->broker, function->endpoint, recent, HOST_RECENT);
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_STATUS,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = IOPF_PASID_NONE,
					    .status = (uint8_t)status,
					    .recent = recent,
					    .recent_count = count > 0 ? (uint32_t)count : 0 });
	iopf_broker_status(host->broker, function->endpoint, status, host->now_ns);
}

void guard_status(struct iopf_host *host)
{
	for (uint32_t i = 0; i < host->function_end; i++) {
		struct host_function *function = &host->functions[i];

		if (function_there(function) && function->state != FUNCTION_RESTING)
			look_at(host, function);
	}
	host->status_ns = host->now_ns + host->options.status_period_ns;
}
