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
enum { COMMANDS_MAX = 3 + HOST_UNTOLD_MAX };

static void note_each(struct host_function *function, uint32_t pasid)
{
	uint32_t i = 0;

	if (!function->untold)
		function->untold_count = 0;
	if (pasid == IOPF_PASID_ANY || function->untold_count > HOST_UNTOLD_MAX)
		return;
	while (i < function->untold_count && function->untold_each[i] != pasid)
		i++;
	if (i < HOST_UNTOLD_MAX)
		function->untold_each[i] = pasid;
	if (i == function->untold_count)
		function->untold_count++;
}

void caches_forget(struct host_function *function, uint32_t pasid)
{
	note_each(function, pasid);
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

uint16_t caches_domain(const struct iopf_host *host, const struct host_function *function)
{
	uint32_t number = host->family->by_device ?
				  (uint32_t)(function - host->functions) :
				  function->guest;

	return (uint16_t)(1 + number);
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

/* A cache of which not everything that changed is known by name is not believed any
 * more. */
static uint32_t device_commands(struct iopf_host *host, struct host_function *function,
				struct iopf_command *commands)
{
	bool each = host->family->each_pasid;
	uint32_t count = each ? function->untold_count : 1;

	if (!caches_in_function(function))
		return 0;
	if (count > HOST_UNTOLD_MAX) {
		guard_block(host, function);
		return 0;
	}
	for (uint32_t i = 0; i < count; i++)
		commands[i] = (struct iopf_command){
			.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
			.granularity = IOPF_ALL,
			.rid = function->rid,
			.pasid = each ? function->untold_each[i] : function->untold_pasid,
		};
	return count;
}

int caches_tell(struct iopf_host *host, struct host_function *function)
{
	bool every = function->untold_pasid == IOPF_PASID_ANY;
	struct iopf_command commands[COMMANDS_MAX] = {
		{ .kind = function->untold_context ? IOPF_COMMAND_INVALIDATE_CONTEXT :
						     IOPF_COMMAND_NONE,
		  .granularity = IOPF_DEVICE,
		  .rid = function->rid,
		  .pasid = IOPF_PASID_NONE },
		{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
		  .granularity = every ? IOPF_DOMAIN : IOPF_ONE_PASID,
		  .rid = function->rid,
		  .domain = caches_domain(host, function),
		  .pasid = every ? IOPF_PASID_NONE :
				   physical_pasid(host, function->untold_pasid) },
		{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
		  .granularity = IOPF_DOMAIN,
		  .domain = caches_domain(host, function),
		  .pasid = IOPF_PASID_NONE },
	};

	if (!function->untold)
		return 0;
	if (!caches_room(host))
		return -EAGAIN;
	function->untold = function->untold_context = false;
	caches_put(host, commands, 3 + device_commands(host, function, &commands[3]));
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
