/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/driver_amd.c - what of the driver end is AMD's own: sequences of registers.
 *
 * 48882, 2.4 to 2.6 and 3.4. A log that finds no room stops, and loses what comes, until
 * software has switched it off and on. Who did not answer an invalidation stands in the
 * event log.
 */
#include <errno.h>

#include "queue/amd.h"
#include "queue/driver.h"

#define QUEUES     (AMD_CMD_EN | AMD_EVT_LOG_EN | AMD_PPR_LOG_EN)
#define EVERYTHING (QUEUES | AMD_IOMMU_EN | AMD_PPR_EN | AMD_PPR_INT_EN | AMD_GT_EN)

/* ---- Start and stop ---------------------------------------------------------------- */

static int control_turn(struct iopf_driver *driver, uint64_t off, uint64_t on)
{
	uint64_t control;
	int error = driver_read(driver, AMD_CONTROL, 8, &control);

	return error != 0 ? error :
			    driver_write(driver, AMD_CONTROL, 8, (control & ~off) | on);
}

static int control_set(struct iopf_driver *driver, uint32_t bits, bool on)
{
	return control_turn(driver, bits, on ? bits : 0);
}

static int control_shows(struct iopf_driver *driver, uint32_t bits, bool on)
{
	uint64_t status;
	int error = driver_read(driver, AMD_STATUS, 4, &status);

	for (unsigned i = 0; i < AMD_RUN_COUNT && error == 0; i++)
		if (bits & amd_runs[i].enable && ((status & amd_runs[i].run) != 0) != on)
			error = -EAGAIN;
	return error;
}

/* What paging needs; a message needs registers to say where it goes. */
static int features_check(struct iopf_driver *driver)
{
	uint64_t need = 0, efr;
	int error = driver_read(driver, AMD_EFR, 8, &efr);

	if (error != 0 || iopf_amd_extended(IOPF_AMD_PPR | IOPF_AMD_IA, 1, &need) != 0)
		return error;
	need &= UINT64_C(1) << 1 | UINT64_C(1) << 6;
	if (driver->options.interrupt_addr != 0)
		need |= UINT64_C(1) << 46;
	return (efr & need) == need ? 0 : -EOPNOTSUPP;
}

static uint64_t base_of(uint64_t addr, uint32_t order)
{
	return addr | (uint64_t)(AMD_QUEUE_LEN_MIN + order) << AMD_QUEUE_LEN_LSB;
}

/* An entry that says what it is was written since. */
static void log_clear(const struct iopf_driver *driver, const struct ring *ring)
{
	static const uint8_t nothing[RING_ENTRY_MAX];

	for (uint32_t i = 0; i < ring->slots; i++)
		ring_store(ring, driver->options.memory, i, nothing);
}

static int queues_write(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	uint64_t addr = options->interrupt_addr;
	const struct driver_register writes[] = {
		{ AMD_DEV_TBL, 8, options->root_addr | options->root_config },
		{ AMD_CMD_BASE, 8, base_of(options->command_addr, options->command_order) },
		{ AMD_CMD_HEAD, 8, 0 },
		{ AMD_CMD_TAIL, 8, 0 },
		{ AMD_EVT_BASE, 8, base_of(options->event_addr, options->event_order) },
		{ AMD_EVT_HEAD, 8, 0 },
		{ AMD_EVT_TAIL, 8, 0 },
		{ AMD_PPR_BASE, 8, base_of(options->request_addr, options->request_order) },
		{ AMD_PPR_HEAD, 8, 0 },
		{ AMD_PPR_TAIL, 8, 0 },
		{ AMD_STATUS, 8, AMD_EVT_OVERFLOW | AMD_EVT_INT | AMD_WAIT_INT |
					 AMD_PPR_OVERFLOW | AMD_PPR_INT },
		{ AMD_MSI_ADDR, 4, (uint32_t)addr },
		{ AMD_MSI_UPPER, 4, addr >> 32 },
		{ AMD_MSI_DATA, 4, options->interrupt_data },
		{ AMD_MSI_HEADER, 4, AMD_MSI_EN },
	};
	size_t count = sizeof(writes) / sizeof(writes[0]);

	driver_reset(driver);
	driver->event_seen = 0;
	log_clear(driver, &driver->request.ring);
	log_clear(driver, &driver->event.ring);
	return driver_write_all(driver, writes, addr != 0 ? count : count - 4);
}

static int messages_on(struct iopf_driver *driver)
{
	return driver->options.interrupt_addr != 0 ?
		       control_set(driver, AMD_PPR_INT_EN, true) :
		       0;
}

/* One command for all there is. It takes a running IOMMU to carry it out. */
static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = { IOPF_COMMAND_INVALIDATE_CONTEXT };

	return driver_invalidate_all(driver, kinds, sizeof(kinds));
}

static const struct driver_phase start_phases[] = {
	{ .act = features_check },
	/* What an earlier driver may have left on. */
	{ .bit = EVERYTHING, .on = false },
	{ .act = queues_write },
	{ .act = messages_on },
	{ .bit = QUEUES | AMD_IOMMU_EN | AMD_PPR_EN | AMD_GT_EN, .on = true },
	{ .act = caches_invalidate, .done = driver_invalidated },
};

static int queues_clear(struct iopf_driver *driver)
{
	static const struct driver_register writes[] = {
		{ AMD_PPR_BASE, 8, 0 }, { AMD_PPR_HEAD, 8, 0 }, { AMD_PPR_TAIL, 8, 0 },
		{ AMD_EVT_BASE, 8, 0 }, { AMD_EVT_HEAD, 8, 0 }, { AMD_EVT_TAIL, 8, 0 },
	};

	driver_reset(driver);
	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static const struct driver_phase stop_phases[] = {
	{ .act = iopf_driver_kick, .done = driver_commands_taken },
	{ .bit = EVERYTHING, .on = false },
	{ .act = queues_clear },
};

/* ---- Overflows and errors ---------------------------------------------------------- */

/* The log has stopped; off, told so, and on again: what is not lost stays where it is. */
static int log_restart(struct iopf_driver *driver, uint32_t enable, uint32_t run,
		       uint32_t overflow)
{
	uint64_t status;
	int error = driver_read(driver, AMD_STATUS, 4, &status);

	if (error == 0 && (status & run) != 0)
		error = -EAGAIN;
	if (error == 0)
		error = control_set(driver, enable, false);
	if (error == 0)
		error = driver_write(driver, AMD_STATUS, 8, overflow);
	return error == 0 ? control_set(driver, enable, true) : error;
}

static int requests_restart(struct iopf_driver *driver)
{
	return log_restart(driver, AMD_PPR_LOG_EN, AMD_PPR_RUN, AMD_PPR_OVERFLOW);
}

/* 1: some were lost, and more can come. */
static int events_restart(struct iopf_driver *driver)
{
	uint64_t status;
	int error = driver_read(driver, AMD_STATUS, 4, &status);

	if (error != 0 || (status & AMD_EVT_OVERFLOW) == 0)
		return error;
	error = log_restart(driver, AMD_EVT_LOG_EN, AMD_EVT_RUN, AMD_EVT_OVERFLOW);
	return error == 0 ? 1 : error;
}

/* The command buffer stands still while it is off. Where it takes its time to stop, what
 * is in it is left as it is. */
static int commands_take_back(struct iopf_driver *driver, uint32_t rid)
{
	int error = control_set(driver, AMD_CMD_EN, false);

	if (error == 0 && control_shows(driver, AMD_CMD_EN, false) == 0)
		(void)driver_take_back(driver, rid);
	return error == 0 ? control_set(driver, AMD_CMD_EN, true) : error;
}

/* Looks at events that nobody took yet, and takes none. 1: a device was silent. */
static int events_look(struct iopf_driver *driver)
{
	struct driver_intake *intake = &driver->event;
	int error = driver_tail_read(driver, intake), silent = 0;
	uint32_t left = ring_used(&intake->ring, intake->tail, intake->head);

	if (error == 0 && ring_used(&intake->ring, intake->tail, driver->event_seen) > left)
		driver->event_seen = intake->head;
	while (error == 0 && silent == 0 && driver->event_seen != intake->tail) {
		uint8_t record[RING_ENTRY_MAX];
		struct iopf_fault fault;
		bool reserved;

		if (!ring_written(&intake->ring, driver->options.memory,
				  driver->event_seen) ||
		    !ring_load(&intake->ring, driver->options.memory, driver->event_seen,
			       record))
			break;
		driver->event_seen = ring_next(&intake->ring, driver->event_seen);
		if (driver->options.wire->decode_fault(record, &fault, &reserved) != 0 ||
		    IOPF_AMD_EVENT(fault.reason) != IOPF_AMD_IOTLB_INV_TIMEOUT)
			continue;
		driver->silent_rid = fault.rid;
		silent = 1;
	}
	return error != 0 ? error : silent;
}

static int amd_errors(struct iopf_driver *driver)
{
	uint64_t status = 0;
	int silent = events_look(driver), error = 0;

	if (silent > 0) {
		driver->stats.timeouts++;
		if (driver->options.forget_silent)
			error = commands_take_back(driver, driver->silent_rid);
	}
	if (silent >= 0 && error == 0)
		error = driver_read(driver, AMD_STATUS, 4, &status);
	if (silent < 0 || error != 0)
		return silent < 0 ? silent : error;
	return (silent > 0 ? IOPF_DRIVER_TIMEOUT : 0) |
	       ((status & AMD_CMD_RUN) == 0 ? IOPF_DRIVER_STOPPED : 0);
}

static int amd_skip(struct iopf_driver *driver)
{
	int error = control_shows(driver, AMD_CMD_EN, false);

	if (error != 0)
		return error == -EAGAIN ? -EINVAL : error;
	error = driver_pass_over(driver);
	if (error == 0)
		error = control_set(driver, AMD_CMD_EN, false);
	return error == 0 ? control_set(driver, AMD_CMD_EN, true) : error;
}

#define PLACE(base, enable)                                                              \
	{ .offset = (base), .width = 8, .addr = AMD_QUEUE_ADDR, .size = AMD_QUEUE_LEN,   \
	  .flags = UINT64_C(8) << AMD_QUEUE_LEN_LSB, .control = AMD_CONTROL,             \
	  .shows = AMD_CONTROL, .control_width = 8, .bits = (enable) | AMD_IOMMU_EN }

const struct driver_family driver_amd = {
	.wire = &iopf_wire_amd,
	.places = {
		[DRIVER_COMMANDS] = PLACE(AMD_CMD_BASE, AMD_CMD_EN),
		[DRIVER_REQUESTS] = PLACE(AMD_PPR_BASE, AMD_PPR_LOG_EN | AMD_PPR_EN),
		[DRIVER_EVENTS] = PLACE(AMD_EVT_BASE, AMD_EVT_LOG_EN),
		[DRIVER_ROOT] = { .offset = AMD_DEV_TBL, .width = 8,
				  .addr = AMD_DEV_TBL_ADDR, .size = AMD_DEV_TBL_SIZE },
	},
	.convention = { .byte_offsets = true },
	.index_bytes = 8,
	.status_at_zero = true,
	.status_bytes = 8,
	.announced = true,
	.look_again = true,
	.request = { .prod = AMD_PPR_TAIL, .cons = AMD_PPR_HEAD },
	.event = { .prod = AMD_EVT_TAIL, .cons = AMD_EVT_HEAD },
	.command = { .prod = AMD_CMD_TAIL, .cons = AMD_CMD_HEAD },
	.status = AMD_STATUS,
	.pending = AMD_PPR_INT,
	.overflow = AMD_PPR_OVERFLOW,
	.pending_at = AMD_STATUS,
	.event_pending = AMD_EVT_INT,
	.recover = requests_restart,
	.event_recover = events_restart,
	.bit_set = control_set,
	.bit_shows = control_shows,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.errors = amd_errors,
	.skip = amd_skip,
};
