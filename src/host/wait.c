/* SPDX-License-Identifier: BSD-3-Clause */
/* host/wait.c - commands that are done, and queues that are drained, without waiting. */
#include "host/host.h"

#include <errno.h>

int host_waited(struct iopf_host *host, struct host_wait *wait, uint32_t flags)
{
	if (wait->armed && wait->timeouts != host->timeouts)
		wait->armed = false; /* given up with the command before it: once more */
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

enum drain_phase { DRAIN_BEGIN, DRAIN_WAIT, DRAIN_EMPTY };

static uint64_t overflows(const struct iopf_host *host)
{
	return iopf_driver_stats(host->driver)->overflows;
}

/* VT-d, "Page Request Drain": when the wait is done, everything that was sent before is
 * in the queue; when that was seen empty afterwards, it is in the ledger. */
int host_drained(struct iopf_host *host, struct host_drain *drain)
{
	if (drain->phase == DRAIN_BEGIN) {
		drain->overflows = overflows(host);
		drain->wait.armed = false;
		drain->phase = DRAIN_WAIT;
	}
	if (drain->phase == DRAIN_WAIT) {
		if (host_waited(host, &drain->wait, IOPF_WAIT_FENCE | IOPF_WAIT_DRAIN) != 0)
			return -EAGAIN;
		drain->empties = host->empties;
		drain->phase = DRAIN_EMPTY;
	}
	if (drain->empties == host->empties)
		return -EAGAIN;
	drain->phase = DRAIN_BEGIN;
	return drain->overflows == overflows(host) ? 0 : -EOVERFLOW;
}
