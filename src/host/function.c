/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/function.c - a function's capabilities: what the host reads and writes there.
 *
 * A virtual function has none of PRI and PASID: its physical one's are used. A platform
 * master has no configuration space at all: its driver says what can be said.
 */
#include "host/host.h"

#include <errno.h>

/* PCIe 6.x: 7.5.1 (command), 7.5.3 (express), 7.8.4 (AER), 7.8.8 (PASID), 10.5.1 (ATS),
 * 10.5.2 (PRI). */
enum {
	CFG_COMMAND = 0x04,
	CFG_CAPABILITIES = 0x34,
	CFG_EXTENDED = 0x100,
	COMMAND_MEMORY = 1 << 1,
	COMMAND_MASTER = 1 << 2,
	ID_EXPRESS = 0x10,
	ID_AER = 0x01,
	ID_ATS = 0x0f,
	ID_PRI = 0x13,
	ID_PASID = 0x1b,
	EXPRESS_CONTROL = 0x08,
	CONTROL_FLR = 1 << 15,
	AER_UNCORRECTABLE = 0x04,
	AER_UNEXPECTED_COMPLETION = 1 << 16,
	ATS_CONTROL = 0x06,
	ATS_ENABLE = 1 << 15,
	PASID_CAPABILITY = 0x04,
	PASID_CONTROL = 0x06,
	PASID_ENABLE = 1 << 0,
	PASID_RIGHTS = 3 << 1, /* execute, privileged: supported and enabled alike */
	PRI_CONTROL = 0x04,
	PRI_ENABLE = 1 << 0,
	PRI_RESET = 1 << 1,
	PRI_STATUS = 0x06,
	PRI_RF = 1 << 0,
	PRI_UPRGI = 1 << 1,
	PRI_STOPPED = 1 << 8,
	PRI_PASID_REQUIRED = 1 << 15,
	PRI_CAPACITY = 0x08,
	PRI_ALLOCATION = 0x0c,
	/* Bytes of each capability, and where the last may begin. */
	CAPABILITY_BYTES = 0x10,
	CAPABILITY_LAST = 0x100 - CAPABILITY_BYTES,
	EXTENDED_LAST = 0x1000 - CAPABILITY_BYTES,
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
	uint32_t at = get(function, CFG_CAPABILITIES, 1) & 0xfc;

	for (unsigned i = 0; at >= 0x40 && at <= CAPABILITY_LAST &&
			     i < HOST_CAPABILITIES_MAX; i++) {
		if (get(function, at, 1) == id)
			return (uint16_t)at;
		at = get(function, at + 1, 1) & 0xfc;
	}
	return 0;
}

static uint16_t find_extended(const struct host_function *function, uint16_t id)
{
	uint32_t at = CFG_EXTENDED;

	for (unsigned i = 0; at >= CFG_EXTENDED && at <= EXTENDED_LAST &&
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
	function->express = find_capability(function, ID_EXPRESS);
	function->ats = find_extended(function, ID_ATS);
	function->aer = find_extended(function, ID_AER);
	if (!function->express || !function->ats)
		return -ENODEV;
	if (function->physical != IOPF_NO_ID) {
		function->wants_pasid = host->functions[function->physical].wants_pasid;
		return 0;
	}
	function->pri = find_extended(function, ID_PRI);
	function->pasid = find_extended(function, ID_PASID);
	if (!function->pri || !function->pasid)
		return -ENODEV;
	function->wants_pasid =
		get(function, function->pri + PRI_STATUS, 2) & PRI_PASID_REQUIRED;
	return 0;
}

uint32_t function_capacity(const struct host_function *function)
{
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

static void pasid_on(const struct host_function *function)
{
	uint32_t rights;

	if (function->pasid == 0)
		return;
	rights = get(function, function->pasid + PASID_CAPABILITY, 2) & PASID_RIGHTS;
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
	put(function, CFG_COMMAND, 2,
	    get(function, CFG_COMMAND, 2) | COMMAND_MEMORY | COMMAND_MASTER);
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
		put(function, at, 2, get(function, at, 2) | CONTROL_FLR);
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
