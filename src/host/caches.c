/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/caches.c - entries that changed, and the caches that have to hear of it.
 *
 * VT-d, "Guidance to Software for Invalidations": context cache, PASID cache, IOTLB,
 * device TLB, in this order. Under a second level the IOTLB is told by domain: the
 * PASID-selective kind reaches first-level translations only.
 */
#include "host/host.h"

#include <errno.h>

/* Of one change, and a wait for each of them. */
enum { COMMANDS_MAX = 4 };

void caches_forget(struct host_function *function, uint32_t pasid)
{
	function->untold_pasid = function->untold && function->untold_pasid != pasid ?
					 IOPF_PASID_ANY :
					 pasid;
	function->untold = true;
}

void caches_forget_context(struct host_function *function)
{
	caches_forget(function, IOPF_PASID_ANY);
	function->untold_context = true;
}

/* A master has none. One that is kept out may answer nothing any more, and nothing that
 * it remembers is believed; a function reset empties its cache, and takes its time. */
bool caches_in_function(const struct host_function *function)
{
	return function->master == NULL && function->state == FUNCTION_PRESENT &&
	       !function->gone;
}

uint16_t caches_domain(const struct host_function *function)
{
	return (uint16_t)(1 + function->guest);
}

bool caches_room(struct iopf_host *host)
{
	return !host->inquiry.active &&
	       iopf_driver_room(host->driver) >= 2 * COMMANDS_MAX;
}

void caches_put(struct iopf_host *host, const struct iopf_command *commands,
		uint32_t count)
{
	uint64_t behind;

	for (uint32_t i = 0; i < count; i++) {
		if (commands[i].kind == IOPF_COMMAND_NONE)
			continue;
		if (iopf_driver_submit(host->driver, &commands[i]) != 0 ||
		    iopf_driver_wait(host->driver, IOPF_WAIT_FENCE, &behind) != 0)
			host->stats.skipped++;
	}
}

int caches_tell(struct iopf_host *host, struct host_function *function)
{
	bool every = function->untold_pasid == IOPF_PASID_ANY;
	const struct iopf_command commands[COMMANDS_MAX] = {
		{ .kind = function->untold_context ? IOPF_COMMAND_INVALIDATE_CONTEXT :
						     IOPF_COMMAND_NONE,
		  .granularity = IOPF_DEVICE,
		  .rid = function->rid,
		  .pasid = IOPF_PASID_NONE },
		{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
		  .granularity = every ? IOPF_DOMAIN : IOPF_ONE_PASID,
		  .rid = function->rid,
		  .domain = caches_domain(function),
		  .pasid = every ? IOPF_PASID_NONE :
				   physical_pasid(host, function->untold_pasid) },
		{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
		  .granularity = IOPF_DOMAIN,
		  .domain = caches_domain(function),
		  .pasid = IOPF_PASID_NONE },
		{ .kind = caches_in_function(function) ? IOPF_COMMAND_INVALIDATE_DEVICE :
							 IOPF_COMMAND_NONE,
		  .granularity = IOPF_ALL,
		  .rid = function->rid,
		  .pasid = function->untold_pasid },
	};

	if (!function->untold)
		return 0;
	if (!caches_room(host))
		return -EAGAIN;
	caches_put(host, commands, COMMANDS_MAX);
	function->untold = function->untold_context = false;
	return 0;
}

int function_door(struct iopf_host *host, struct host_function *function,
		  enum family_door door)
{
	function->door = (uint8_t)door;
	caches_forget_context(function);
	return host->family->endpoint(&host->tables, function->rid, door,
				      (function->wants_pasid ? FAMILY_RESPONSE_PASID : 0) |
					      (function->master != NULL ? FAMILY_STALLS : 0));
}
