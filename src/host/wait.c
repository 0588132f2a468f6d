/* SPDX-License-Identifier: BSD-3-Clause */
/* host/wait.c - commands that are done, and queues that are drained, without waiting. */
#include "host/host.h"

#include <errno.h>

/* VT-d, "Invalidation Time-out Error": waits that stood in the queue then may have been
 * given up, whoever's they were; all are made again. */
int host_waited(struct iopf_host *host, struct host_wait *wait, uint32_t flags)
{
	if (wait->armed && wait->timeouts != host->timeouts)
		wait->armed = false; /* maybe given up: once more */
	if (!wait->armed) {
		if (iopf_driver_wait(host->driver, flags, &wait->wait) == 0) {
			wait->armed = true;
			wait->timeouts = host->timeouts;
		}
		return -EAGAIN;
	}
	if (!iopf_driver_waited(host->driver, wait->wait))
		return -EAGAIN;
	wait->armed = false;
	return 0;
}

enum drain_phase { DRAIN_BEGIN, DRAIN_WAIT, DRAIN_TAKE };

static uint64_t overflows(const struct iopf_host *host)
{
	return iopf_driver_stats(host->driver)->overflows;
}

/* Records that were taken out of the physical queue and reached the ledger. */
static uint64_t taken(const struct iopf_host *host)
{
	const struct iopf_driver_stats *stats = iopf_driver_stats(host->driver);

	return stats->requests + stats->undecodable - host->pending_count;
}

/*
 * VT-d, "Page Request Drain": when the wait is done, everything that was sent before is
 * in the queue, and when that was taken it is in the ledger. Not when the queue is seen
 * empty: others may keep it full for ever.
 */
int host_drained(struct iopf_host *host, struct host_drain *drain)
{
	uint32_t backlog;
	bool lost;

	if (drain->phase == DRAIN_BEGIN) {
		drain->overflows = overflows(host);
		drain->wait.armed = false;
		drain->phase = DRAIN_WAIT;
	}
	if (drain->phase == DRAIN_WAIT) {
		if (host_waited(host, &drain->wait, IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN) != 0 ||
		    iopf_driver_backlog(host->driver, &backlog, &lost) != 0)
			return -EAGAIN;
		drain->target = taken(host) + host->pending_count + backlog;
		drain->lost = lost || drain->overflows != overflows(host);
		drain->phase = DRAIN_TAKE;
	}
	if (taken(host) < drain->target)
		return -EAGAIN;
	drain->phase = DRAIN_BEGIN;
	return drain->lost ? -EOVERFLOW : 0;
}
