/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/function.c - a function's capabilities: what the host reads and writes there.
 *
 * A virtual function has none of PRI and PASID: its physical one's are used. A platform
 * master has no configuration space at all: its driver says what can be said.
 */
#include "host/host.h"
#include "wire/config.h"

#include <errno.h>

/* Bytes of each capability, and where the last may begin. */
enum {
	CAPABILITY_BYTES = 0x10,
	CAPABILITY_LAST = CONFIG_EXTENDED - CAPABILITY_BYTES,
	EXTENDED_LAST = CONFIG_BYTES - CAPABILITY_BYTES,
};

static uint32_t get(const struct host_function *function, uint32_t offset, uint32_t bytes)
{
	return function->ops->config_read(function->context, offset, bytes);
}

static void put(const struct host_function *function, uint32_t offset, uint32_t bytes,
		uint32_t value)
{
	function->ops->config_write(function->context, offset, bytes, value);
}

/* Reads that nobody answers come back as all ones. */
bool function_gone(const struct host_function *function)
{
	return function->ops != NULL && get(function, 0, 4) == UINT32_MAX;
}

static uint16_t find_capability(const struct host_function *function, uint8_t id)
{
	uint32_t at = get(function, CONFIG_CAPABILITIES, 1) & 0xfc;

	for (unsigned i = 0; at >= CONFIG_FIRST_CAPABILITY && at <= CAPABILITY_LAST &&
			     i < HOST_CAPABILITIES_MAX; i++) {
		if (get(function, at, 1) == id)
			return (uint16_t)at;
		at = get(function, at + 1, 1) & 0xfc;
	}
	return 0;
}

static uint16_t find_extended(const struct host_function *function, uint16_t id)
{
	uint32_t at = CONFIG_EXTENDED;

	for (unsigned i = 0; at >= CONFIG_EXTENDED && at <= EXTENDED_LAST &&
			     i < HOST_CAPABILITIES_MAX; i++) {
		uint32_t header = get(function, at, 4);

		if ((header & 0xffff) == id)
			return (uint16_t)at;
		at = header >> 20 & 0xffc;
	}
	return 0;
}

int function_probe(const struct iopf_host *host, struct host_function *function)
{
	if (function->master != NULL)
		return 0;
	if (function_gone(function))
		return -ENODEV;
	function->express = find_capability(function, CAPABILITY_EXPRESS);
	function->ats = find_extended(function, EXTENDED_ATS);
	function->aer = find_extended(function, EXTENDED_AER);
	if (!function->express || !function->ats)
		return -ENODEV;
	if (function->physical != IOPF_NO_ID) {
		function->wants_pasid = host->functions[function->physical].wants_pasid;
		return 0;
	}
	function->pri = find_extended(function, EXTENDED_PRI);
	function->pasid = find_extended(function, EXTENDED_PASID);
	if (!function->pri || !function->pasid)
		return -ENODEV;
	function->wants_pasid =
		get(function, function->pri + PRI_STATUS, 2) & PRI_PASID_REQUIRED;
	return 0;
}

uint32_t function_capacity(const struct iopf_host *host,
			   const struct host_function *function)
{
	uint32_t each = host->hardware->stall_each;

	if (function->master != NULL)
		return each != 0 ? each : IOPF_HOST_ALLOCATION_MAX;
	return function->pri == 0 ? IOPF_HOST_ALLOCATION_MAX :
				    get(function, function->pri + PRI_CAPACITY, 4);
}

bool function_stopped(const struct host_function *function)
{
	return function->pri == 0 ||
	       get(function, function->pri + PRI_STATUS, 2) & PRI_STOPPED;
}

void function_pri(const struct host_function *function, enum function_pri what)
{
	uint32_t control = function->pri + (uint32_t)PRI_CONTROL;

	if (function->pri == 0)
		return;
	if (what == FUNCTION_PRI_ON)
		put(function, function->pri + PRI_ALLOCATION, 4, function->allocation);
	put(function, control, 2,
	    what == FUNCTION_PRI_ON    ? PRI_ENABLE :
	    what == FUNCTION_PRI_RESET ? PRI_RESET :
					 0);
}

/* Execute, privileged: they are enabled where they are supported, bit by bit. */
#define PASID_RIGHTS (PASID_CAP_EXEC | PASID_CAP_PRIV)

static void pasid_on(const struct host_function *function)
{
	uint32_t rights;

	if (function->pasid == 0)
		return;
	rights = get(function, function->pasid + PASID_CAP, 2) & PASID_RIGHTS;
	put(function, function->pasid + PASID_CONTROL, 2, PASID_ENABLE | rights);
}

/* PASID before ATS before PRI: PASID bits may not change while ATS is on. */
int function_enable(const struct host_function *function)
{
	if (function->master != NULL)
		return 0;
	if (function_gone(function))
		return -ENODEV;
	if (!function_stopped(function))
		return -EBUSY;
	put(function, CONFIG_COMMAND, 2,
	    get(function, CONFIG_COMMAND, 2) | COMMAND_MEMORY | COMMAND_BUS_MASTER);
	pasid_on(function);
	put(function, function->ats + ATS_CONTROL, 2, ATS_ENABLE);
	function_pri(function, FUNCTION_PRI_RESET);
	function_pri(function, FUNCTION_PRI_ON);
	return 0;
}

void function_disable(const struct host_function *function)
{
	if (function->master != NULL)
		return;
	function_pri(function, FUNCTION_PRI_OFF);
	put(function, function->ats + ATS_CONTROL, 2, 0);
	if (function->pasid != 0)
		put(function, function->pasid + PASID_CONTROL, 2, 0);
}

void function_reset(const struct host_function *function)
{
	uint32_t at = function->express + (uint32_t)EXPRESS_CONTROL;

	if (function->master != NULL)
		function->master->reset(function->context);
	else
		put(function, at, 2, get(function, at, 2) | DEVICE_CONTROL_FLR);
}

uint32_t function_status(const struct host_function *function)
{
	uint32_t pri = function->pri == 0 ? 0 :
					    get(function, function->pri + PRI_STATUS, 2);
	uint32_t aer = function->aer == 0 ?
			       0 :
			       get(function, function->aer + AER_UNCORRECTABLE, 4);
	uint32_t status = 0;

	if (function_gone(function))
		return 0;
	if (pri & (PRI_RF | PRI_UPRGI)) /* write 1 to clear, here and below */
		put(function, function->pri + PRI_STATUS, 2, pri & (PRI_RF | PRI_UPRGI));
	if (aer & AER_UNEXPECTED_COMPLETION)
		put(function, function->aer + AER_UNCORRECTABLE, 4,
		    AER_UNEXPECTED_COMPLETION);
	status |= pri & PRI_RF ? IOPF_STATUS_RF : 0;
	status |= pri & PRI_UPRGI ? IOPF_STATUS_UPRGI : 0;
	return status | (aer & AER_UNEXPECTED_COMPLETION ? IOPF_STATUS_UNEXPECTED : 0);
}
