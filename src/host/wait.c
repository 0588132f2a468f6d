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

/* Records that were taken out of a physical queue. */
static uint64_t taken(const struct iopf_host *host, enum host_source_kind kind)
{
	const struct iopf_driver_stats *stats = iopf_driver_stats(host->driver);

	return kind == HOST_PRI ? stats->requests + stats->undecodable : stats->faults;
}

/* And those that stand in it still. */
static int backlog(struct iopf_host *host, enum host_source_kind kind, uint32_t *count,
		   bool *lost)
{
	int error;

	if (kind == HOST_PRI)
		return iopf_driver_backlog(host->driver, count, lost);
	error = iopf_driver_fault_backlog(host->driver, count);
	/* No stall is, but one that found the queue full waits in hardware. */
	if (error == 0)
		*lost = *count >= host_stall_entries(&host->options);
	return error;
}

/*
 * When the wait is done, everything that was sent before is in the queue (VT-d, "Page
 * Request Drain"; SMMUv3 knows nothing more than to look then), and when that was taken
 * it is in the ledger. Not when the queue is seen empty: others may keep it full for ever.
 */
int host_drained(struct iopf_host *host, enum host_source_kind kind,
		 struct host_drain *drain)
{
	uint32_t count;
	bool lost;

	if (drain->phase == DRAIN_BEGIN) {
		drain->overflows = overflows(host);
		drain->wait.armed = false;
		drain->phase = DRAIN_WAIT;
	}
	if (drain->phase == DRAIN_WAIT) {
		if (host_waited(host, &drain->wait, IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN) != 0 ||
		    backlog(host, kind, &count, &lost) != 0)
			return -EAGAIN;
		drain->target = taken(host, kind) + count;
		drain->lost = lost || (kind == HOST_PRI && drain->overflows != overflows(host));
		drain->phase = DRAIN_TAKE;
	}
	if (taken(host, kind) - host->sources[kind].pending_count < drain->target)
		return -EAGAIN;
	drain->phase = DRAIN_BEGIN;
	return drain->lost ? -EOVERFLOW : 0;
}
