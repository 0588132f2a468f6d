/* SPDX-License-Identifier: BSD-3-Clause */
/* host/function.c - a function's capabilities: what the host reads and writes there. */
#include "host/host.h"

#include <errno.h>

/* PCIe 6.x: 7.5.1 (command), 7.5.3 (express), 7.8.8 (PASID), 10.5.1 (ATS), 10.5.2 (PRI). */
enum {
	CFG_COMMAND = 0x04,
	CFG_CAPABILITIES = 0x34,
	CFG_EXTENDED = 0x100,
	COMMAND_MEMORY = 1 << 1,
	COMMAND_MASTER = 1 << 2,
	ID_EXPRESS = 0x10,
	ID_ATS = 0x0f,
	ID_PRI = 0x13,
	ID_PASID = 0x1b,
	EXPRESS_CONTROL = 0x08,
	CONTROL_FLR = 1 << 15,
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

bool function_gone(const struct host_function *function)
{
	return get(function, 0, 4) == UINT32_MAX;
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

int function_probe(struct host_function *function)
{
	if (function_gone(function))
		return -ENODEV;
	function->express = find_capability(function, ID_EXPRESS);
	function->ats = find_extended(function, ID_ATS);
	function->pri = find_extended(function, ID_PRI);
	function->pasid = find_extended(function, ID_PASID);
	if (!function->express || !function->ats || !function->pri || !function->pasid)
		return -ENODEV;
	function->wants_pasid =
		get(function, function->pri + PRI_STATUS, 2) & PRI_PASID_REQUIRED;
	return 0;
}

uint32_t function_capacity(const struct host_function *function)
{
	return get(function, function->pri + PRI_CAPACITY, 4);
}

static bool stopped(const struct host_function *function)
{
	return get(function, function->pri + PRI_STATUS, 2) & PRI_STOPPED;
}

static void pri_on(const struct host_function *function)
{
	put(function, function->pri + PRI_ALLOCATION, 4, function->allocation);
	put(function, function->pri + PRI_CONTROL, 2, PRI_ENABLE);
}

/* PASID before ATS before PRI: PASID bits may not change while ATS is on. */
int function_enable(const struct host_function *function)
{
	uint32_t rights = get(function, function->pasid + PASID_CAPABILITY, 2) &
			  PASID_RIGHTS;

	if (function_gone(function))
		return -ENODEV;
	if (!stopped(function))
		return -EBUSY;
	put(function, CFG_COMMAND, 2,
	    get(function, CFG_COMMAND, 2) | COMMAND_MEMORY | COMMAND_MASTER);
	put(function, function->pasid + PASID_CONTROL, 2, PASID_ENABLE | rights);
	put(function, function->ats + ATS_CONTROL, 2, ATS_ENABLE);
	put(function, function->pri + PRI_CONTROL, 2, PRI_RESET);
	pri_on(function);
	return 0;
}

void function_disable(const struct host_function *function)
{
	put(function, function->pri + PRI_CONTROL, 2, 0);
	put(function, function->ats + ATS_CONTROL, 2, 0);
	put(function, function->pasid + PASID_CONTROL, 2, 0);
}

void function_flr(const struct host_function *function)
{
	uint32_t at = function->express + (uint32_t)EXPRESS_CONTROL;

	put(function, at, 2, get(function, at, 2) | CONTROL_FLR);
}

int function_step(struct iopf_host *host, struct host_function *function,
		  enum iopf_step step)
{
	int drained;

	if (step != IOPF_STEP_DRAIN && function_gone(function))
		return -ENODEV;
	switch (step) {
	case IOPF_STEP_DRAIN:
		drained = host_drained(host, &function->drain);
		return drained == -EAGAIN ? -EINPROGRESS :
		       drained == 0	  ? 0 :
					    -EAGAIN;
	case IOPF_STEP_PRI_OFF:
		put(function, function->pri + PRI_CONTROL, 2, 0);
		return 0;
	case IOPF_STEP_STOPPED:
		return stopped(function) ? 0 : -EAGAIN;
	case IOPF_STEP_PRI_RESET:
		put(function, function->pri + PRI_CONTROL, 2, PRI_RESET);
		return stopped(function) ? 0 : -ETIMEDOUT;
	case IOPF_STEP_PRI_ON:
		pri_on(function);
		return 0;
	case IOPF_STEP_RESPOND:
		/* A queue that stands still for somebody else costs no round. */
		return iopf_driver_room(host->driver) > HOST_COMMANDS_KEPT ? 0 :
									     -EINPROGRESS;
	case IOPF_STEP_NONE:
	case IOPF_STEP_DONE:
	case IOPF_STEP_BLOCK:
	case IOPF_STEP_TERMINATE:
	case IOPF_STEP_UNBLOCK:
	case IOPF_STEP_COUNT:
		return 0;
	}
	return 0;
}

void function_status(struct iopf_host *host, struct host_function *function)
{
	uint32_t status = get(function, function->pri + PRI_STATUS, 2);

	if (status == UINT16_MAX) /* reads as all ones: gone */
		return;
	if (status & (PRI_RF | PRI_UPRGI))
		iopf_broker_status(host->broker, function->endpoint,
				   (status & PRI_RF ? IOPF_STATUS_RF : 0u) |
					   (status & PRI_UPRGI ? IOPF_STATUS_UPRGI : 0u),
				   host->now_ns);
	if (status & (PRI_RF | PRI_UPRGI)) /* write 1 to clear */
		put(function, function->pri + PRI_STATUS, 2,
		    status & (PRI_RF | PRI_UPRGI));
}
