/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/amd.c - the AMD IOMMU (48882, 2.4 to 2.6 and 3.4), both ends: sequences of
 * registers that a driver writes; then the registers, the logs and the command buffer.
 *
 * A log that finds no room stops, and loses what comes, until software has switched it off
 * and on. Whether a COMPLETION_WAIT behind an invalidation that was not answered says that
 * it is done no public source tells: here it does not, as with VT-d, and the event log
 * tells who was silent.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "queue/amd.h"
#include "queue/driver.h"
#include "queue/hardware.h"
#include "wire/amd.h"

#define QUEUES     (AMD_CMD_EN | AMD_EVT_LOG_EN | AMD_PPR_LOG_EN)
#define INTERRUPTS (AMD_PPR_INT_EN | AMD_EVT_INT_EN)
#define EVERYTHING (QUEUES | INTERRUPTS | AMD_IOMMU_EN | AMD_PPR_EN | AMD_GT_EN)

/* ---- Driver: start and stop -------------------------------------------------------- */

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
	driver->event_silent = false;
	log_clear(driver, &driver->request.ring);
	log_clear(driver, &driver->event.ring);
	return driver_write_all(driver, writes, addr != 0 ? count : count - 4);
}

static int messages_on(struct iopf_driver *driver)
{
	return driver->options.interrupt_addr != 0 ?
		       control_set(driver, INTERRUPTS, true) :
		       0;
}

/* One command for all there is. It takes a running IOMMU to carry it out. */
static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = { IOPF_COMMAND_INVALIDATE_IOTLB };

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

/* ---- Driver: overflows and errors -------------------------------------------------- */

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

/* Looks at events that nobody took yet, and takes none: up to the first that says of a
 * device that it was silent. Those behind it are neither looked at nor taken before that
 * was told. */
static int events_look(struct iopf_driver *driver)
{
	struct driver_intake *intake = &driver->event;
	int error = driver_tail_read(driver, intake);
	uint32_t left = ring_used(&intake->ring, intake->tail, intake->head);

	if (error == 0 && !driver->event_silent &&
	    ring_used(&intake->ring, intake->tail, driver->event_seen) > left)
		driver->event_seen = intake->head;
	while (error == 0 && !driver->event_silent && driver->event_seen != intake->tail) {
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
		driver->event_silent = true;
	}
	return error;
}

static int amd_errors(struct iopf_driver *driver)
{
	uint64_t status = 0;
	int error = events_look(driver);
	bool silent = error == 0 && driver->event_silent;

	if (silent) {
		driver->event_silent = false;
		driver->stats.timeouts++;
		if (driver->options.forget_silent)
			error = commands_take_back(driver, driver->silent_rid);
	}
	if (error == 0)
		error = driver_read(driver, AMD_STATUS, 4, &status);
	if (error != 0)
		return error;
	return (silent ? IOPF_DRIVER_TIMEOUT : 0) |
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
	.event_look = events_look,
	.event_recover = events_restart,
	.bit_set = control_set,
	.bit_shows = control_shows,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.errors = amd_errors,
	.skip = amd_skip,
};

/* ---- Hardware: registers ----------------------------------------------------------- */

#define FEATURE_BIT(name, bit, text) (bit),
static const uint8_t feature_bits[] = { IOPF_AMD_FEATURES(FEATURE_BIT) };

int iopf_amd_extended(uint32_t features, uint32_t pasid_bits, uint64_t *efr)
{
	uint64_t value = UINT64_C(2) << 10 | UINT64_C(2) << 14; /* HATS, GLXSup */

	if (features >> sizeof(feature_bits) != 0 || pasid_bits < 1 || pasid_bits > 20)
		return -EINVAL;
	for (uint32_t i = 0; i < sizeof(feature_bits); i++)
		value |= (uint64_t)(features >> i & 1) << feature_bits[i];
	*efr = value | (uint64_t)(pasid_bits - 1) << 32;
	return 0;
}

static bool has(const struct iopf_hardware *hardware, enum iopf_amd_feature_number feature)
{
	return reg64(hardware, AMD_EFR) >> feature_bits[feature] & 1;
}

static int amd_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options)
{
	uint32_t features = IOPF_AMD_VIRTUAL;

	if (offer->levels != 4 && offer->levels != 5)
		return -EINVAL;
	if (offer->levels < 5)
		features &= ~(uint32_t)IOPF_AMD_GA5;
	options->version = 0;
	return iopf_amd_extended(features, 20, &options->cap);
}

#define CONTROL_BITS                                                                  \
	(AMD_IOMMU_EN | AMD_EVT_LOG_EN | AMD_EVT_INT_EN | AMD_WAIT_INT_EN | UINT64_C(0xfe0) | \
	 AMD_CMD_EN | AMD_PPR_LOG_EN | AMD_PPR_INT_EN | AMD_PPR_EN | AMD_GT_EN)
#define STATUS_BITS \
	(AMD_EVT_OVERFLOW | AMD_EVT_INT | AMD_WAIT_INT | AMD_PPR_OVERFLOW | AMD_PPR_INT)
#define BASE_BITS (AMD_QUEUE_ADDR | AMD_QUEUE_LEN)

static const struct register_row rows[] = {
	{ AMD_DEV_TBL, 8, 0, AMD_DEV_TBL_ADDR | AMD_DEV_TBL_SIZE, 0 },
	{ AMD_CMD_BASE, 8, 0, BASE_BITS, 0 },
	{ AMD_EVT_BASE, 8, 0, BASE_BITS, 0 },
	{ AMD_CONTROL, 8, 0, CONTROL_BITS, 0 },
	{ AMD_PPR_BASE, 8, 0, BASE_BITS, 0 },
	{ AMD_CMD_HEAD, 8, 0, AMD_QUEUE_INDEX, 0 },
	{ AMD_CMD_TAIL, 8, 0, AMD_QUEUE_INDEX, 0 },
	{ AMD_EVT_HEAD, 8, 0, AMD_QUEUE_INDEX, 0 },
	{ AMD_EVT_TAIL, 8, 0, AMD_QUEUE_INDEX, 0 },
	{ AMD_STATUS, 8, 0, 0, STATUS_BITS },
	{ AMD_PPR_HEAD, 8, 0, AMD_QUEUE_INDEX, 0 },
	{ AMD_PPR_TAIL, 8, 0, AMD_QUEUE_INDEX, 0 },
};

/* With their features. */
static const struct {
	uint8_t feature;
	struct register_row row;
} optional[] = {
	{ IOPF_AMD_FEATURE_MSI, { AMD_MSI_HEADER, 4, 0x00800005, AMD_MSI_EN, 0 } },
	{ IOPF_AMD_FEATURE_MSI, { AMD_MSI_ADDR, 4, 0, 0xfffffffc, 0 } },
	{ IOPF_AMD_FEATURE_MSI, { AMD_MSI_UPPER, 4, 0, UINT32_MAX, 0 } },
	{ IOPF_AMD_FEATURE_MSI, { AMD_MSI_DATA, 4, 0, UINT32_MAX, 0 } },
	{ IOPF_AMD_FEATURE_PPR_AUTO,
	  { AMD_CONTROL, 8, 0, AMD_PPR_AUTO_EN | AMD_PPR_AUTO_ALWAYS, 0 } },
	{ IOPF_AMD_FEATURE_PPR_AUTO, { AMD_PPR_AUTO, 8, 0, AMD_AUTO_CODE, 0 } },
	{ IOPF_AMD_FEATURE_BLKSTOP, { AMD_CONTROL, 8, 0, AMD_BLOCK_MARKER_EN, 0 } },
	{ IOPF_AMD_FEATURE_PPR_EARLY,
	  { AMD_PPR_EARLY, 8, 0, AMD_EARLY_ENTRIES | AMD_EARLY_INT_EN | AMD_EARLY_EN, 0 } },
	{ IOPF_AMD_FEATURE_PPR_EARLY, { AMD_STATUS, 8, 0, 0, AMD_PPR_IS_EARLY } },
};

/* Where a queue lies is not to be changed while it is on; nor what hardware counts. */
static const struct register_guard guards[] = {
	{ AMD_CMD_BASE, BASE_BITS, AMD_CONTROL, AMD_CMD_EN },
	{ AMD_CMD_HEAD, AMD_QUEUE_INDEX, AMD_CONTROL, AMD_CMD_EN },
	{ AMD_EVT_BASE, BASE_BITS, AMD_CONTROL, AMD_EVT_LOG_EN },
	{ AMD_EVT_TAIL, AMD_QUEUE_INDEX, AMD_CONTROL, AMD_EVT_LOG_EN },
	{ AMD_PPR_BASE, BASE_BITS, AMD_CONTROL, AMD_PPR_LOG_EN },
	{ AMD_PPR_TAIL, AMD_QUEUE_INDEX, AMD_CONTROL, AMD_PPR_LOG_EN },
};

static const struct register_window windows[] = {
	{ 0, AMD_LOW_END, 0 },
	{ AMD_CMD_HEAD, AMD_HIGH_END, AMD_LOW_END / 8 },
};
static_assert((AMD_LOW_END + AMD_HIGH_END - AMD_CMD_HEAD) / 8 <= REGISTER_WORDS, "words");

static const struct register_layout layout = {
	.size_bytes = AMD_REGISTERS_END,
	.windows = windows,
	.window_count = sizeof(windows) / sizeof(windows[0]),
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.guards = guards,
	.guard_count = sizeof(guards) / sizeof(guards[0]),
};

static bool amd_create(struct iopf_hardware *hardware)
{
	registers_create(&hardware->file, &layout);
	reg64_set(hardware, AMD_EFR, hardware->options.cap);
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (has(hardware, (enum iopf_amd_feature_number)optional[i].feature))
			registers_add(&hardware->file, &optional[i].row);
	return true;
}

/* ---- Hardware: what is on ---------------------------------------------------------- */

static void status_set(struct iopf_hardware *hardware, uint32_t bits, bool on)
{
	uint64_t status = reg64(hardware, AMD_STATUS);

	reg64_set(hardware, AMD_STATUS, on ? status | bits : status & ~(uint64_t)bits);
}

/* A status bit; a message leaves where it was not set before and @enabled. */
static void status_raise(struct iopf_hardware *hardware, uint32_t bit, bool enabled)
{
	bool was = reg64(hardware, AMD_STATUS) & bit;
	uint64_t addr;

	status_set(hardware, bit, true);
	if (was || !enabled || !has(hardware, IOPF_AMD_FEATURE_MSI) ||
	    !(reg32(hardware, AMD_MSI_HEADER) & AMD_MSI_EN))
		return;
	addr = (uint64_t)reg32(hardware, AMD_MSI_UPPER) << 32 | reg32(hardware, AMD_MSI_ADDR);
	hardware->options.ops->interrupt(hardware->options.context, addr,
					 reg32(hardware, AMD_MSI_DATA));
}

static bool control(const struct iopf_hardware *hardware, uint64_t bits)
{
	return (reg64(hardware, AMD_CONTROL) & bits) == bits;
}

static void queue_tell(struct iopf_hardware *hardware, enum iopf_queue_change change)
{
	hardware->options.ops->queue_changed(hardware->options.context, change);
}

/* A log that is switched off and on again is the same, with what is in it. */
static void requests_settle(struct iopf_hardware *hardware)
{
	struct amd_state *amd = &hardware->amd;
	uint64_t base = reg64(hardware, AMD_PPR_BASE);

	if (!control(hardware, AMD_IOMMU_EN | AMD_PPR_EN)) {
		if (amd->requests)
			queue_tell(hardware, IOPF_QUEUE_DISABLED);
		amd->requests = amd->late = false;
	} else if (control(hardware, AMD_PPR_LOG_EN) &&
		   (!amd->requests || base != amd->request_base)) {
		queue_tell(hardware, amd->requests ? IOPF_QUEUE_REBASED : IOPF_QUEUE_ENABLED);
		amd->requests = true;
		amd->late = false;
		amd->request_base = base;
	}
}

static void control_written(struct iopf_hardware *hardware)
{
	struct amd_state *amd = &hardware->amd;
	uint64_t now = reg64(hardware, AMD_CONTROL), before = amd->control;
	uint64_t on = now & AMD_IOMMU_EN ? now : 0, was = before & AMD_IOMMU_EN ? before : 0;

	amd->control = now;
	/* It starts when it is switched on, and stops by itself, too. */
	for (unsigned i = 0; i < AMD_RUN_COUNT; i++)
		if ((on ^ was) & amd_runs[i].enable)
			status_set(hardware, amd_runs[i].run, on & amd_runs[i].enable);
	if (reg64(hardware, AMD_STATUS) & AMD_PPR_OVERFLOW)
		status_set(hardware, AMD_PPR_RUN, false);
	if (reg64(hardware, AMD_STATUS) & AMD_EVT_OVERFLOW)
		status_set(hardware, AMD_EVT_RUN, false);
	if ((on ^ was) & AMD_CMD_EN)
		hardware->holding = hardware->unanswered = false;
	requests_settle(hardware);
	if ((on ^ was) & AMD_EVT_LOG_EN)
		queue_tell(hardware, on & AMD_EVT_LOG_EN ? IOPF_EVENT_QUEUE_ENABLED :
							   IOPF_EVENT_QUEUE_DISABLED);
	if ((now ^ before) & AMD_IOMMU_EN)
		hardware->options.ops->translation_changed(hardware->options.context,
							   now & AMD_IOMMU_EN);
}

static void root_written(struct iopf_hardware *hardware)
{
	hardware->options.ops->root_changed(hardware->options.context);
}

static const struct hardware_action actions[] = {
	{ AMD_DEV_TBL, AMD_DEV_TBL + 8, root_written },
	{ AMD_CONTROL, AMD_CONTROL + 8, control_written },
};

/* ---- Hardware: logs ---------------------------------------------------------------- */

/* LEN below 8 is reserved: the smallest. */
static struct ring ring_at(const struct iopf_hardware *hardware, uint32_t base_offset)
{
	uint64_t base = reg64(hardware, base_offset);
	unsigned length = (unsigned)(base >> AMD_QUEUE_LEN_LSB & 0xf);
	struct ring ring;

	if (length < AMD_QUEUE_LEN_MIN)
		length = AMD_QUEUE_LEN_MIN;
	ring_create(&ring, driver_amd.convention, base & AMD_QUEUE_ADDR,
		    (uint64_t)AMD_RECORD_BYTES << length, AMD_RECORD_BYTES);
	return ring;
}

/* Software's indices may name slots that a smaller queue does not have: the ring's
 * formulas wrap them. */
static uint32_t index_at(const struct iopf_hardware *hardware, const struct ring *ring,
			 uint32_t offset)
{
	return (uint32_t)(reg64(hardware, offset) >> ring->shift) & (ring->modulus - 1);
}

static void late_write(struct iopf_hardware *hardware)
{
	struct amd_state *amd = &hardware->amd;
	struct ring ring = ring_at(hardware, AMD_PPR_BASE);

	if (amd->late)
		ring_publish(&ring, hardware->options.memory, amd->late_index,
			     amd->late_record);
	amd->late = false;
}

/* 2.6: without automatic responses nobody answers what finds no room. */
static int request_lose(struct iopf_hardware *hardware, const struct iopf_request *request)
{
	bool stopped = reg64(hardware, AMD_STATUS) & AMD_PPR_OVERFLOW;
	bool answers = control(hardware, AMD_PPR_AUTO_EN) &&
		       (stopped || control(hardware, AMD_PPR_AUTO_ALWAYS));
	enum iopf_code code;

	if (!answers || (request->flags & (IOPF_LAST | IOPF_STOP)) != IOPF_LAST) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.answered++;
	code = iopf_pcie_meaning((uint8_t)(reg64(hardware, AMD_PPR_AUTO) & AMD_AUTO_CODE));
	return code == IOPF_SUCCESS ? IOPF_POSTED_SUCCESS :
	       code == IOPF_INVALID ? IOPF_POSTED_INVALID :
				      IOPF_POSTED_FAILURE;
}

static void early_settle(struct iopf_hardware *hardware, uint32_t used)
{
	uint64_t early = has(hardware, IOPF_AMD_FEATURE_PPR_EARLY) ?
				 reg64(hardware, AMD_PPR_EARLY) :
				 0;

	if (early & AMD_EARLY_EN && used >= (early & AMD_EARLY_ENTRIES))
		status_raise(hardware, AMD_PPR_IS_EARLY, early & AMD_EARLY_INT_EN);
}

static int amd_post(struct iopf_hardware *hardware, const struct iopf_request *request,
		    const uint8_t *record)
{
	struct amd_state *amd = &hardware->amd;
	struct ring ring = ring_at(hardware, AMD_PPR_BASE);
	uint32_t tail = index_at(hardware, &ring, AMD_PPR_TAIL);
	uint32_t head = index_at(hardware, &ring, AMD_PPR_HEAD);
	bool enabled = control(hardware, AMD_PPR_INT_EN);

	if (!control(hardware, AMD_IOMMU_EN | AMD_PPR_EN))
		return -ENXIO;
	if (!(reg64(hardware, AMD_STATUS) & AMD_PPR_RUN) ||
	    (request->flags & IOPF_STOP && control(hardware, AMD_BLOCK_MARKER_EN)))
		return request_lose(hardware, request);
	if (ring_full(&ring, tail, head)) {
		hardware->stats.overflows++;
		status_set(hardware, AMD_PPR_RUN, false);
		status_raise(hardware, AMD_PPR_OVERFLOW, enabled);
		return request_lose(hardware, request);
	}
	late_write(hardware);
	amd->late = hardware->options.quirks & IOPF_AMD_LATE_ENTRIES;
	if (amd->late) {
		memcpy(amd->late_record, record, AMD_RECORD_BYTES);
		amd->late_index = tail;
	} else if (!ring_publish(&ring, hardware->options.memory, tail, record)) {
		hardware->stats.bad_addresses++;
		return -EFAULT;
	}
	/* release: the record is written; pairs with software's read of the tail */
	reg64_set(hardware, AMD_PPR_TAIL, ring_register(&ring, ring_next(&ring, tail)));
	hardware->stats.posted++;
	early_settle(hardware, ring_used(&ring, tail, head) + 1);
	status_raise(hardware, AMD_PPR_INT, enabled);
	return IOPF_POSTED;
}

static bool amd_fault(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	struct ring ring = ring_at(hardware, AMD_EVT_BASE);
	uint32_t tail = index_at(hardware, &ring, AMD_EVT_TAIL);
	bool runs_now = reg64(hardware, AMD_STATUS) & AMD_EVT_RUN;
	bool full = ring_full(&ring, tail, index_at(hardware, &ring, AMD_EVT_HEAD));
	bool enabled = control(hardware, AMD_EVT_INT_EN);
	uint8_t record[AMD_RECORD_BYTES];

	if (runs_now && full) {
		status_set(hardware, AMD_EVT_RUN, false);
		status_raise(hardware, AMD_EVT_OVERFLOW, enabled);
	}
	if (!runs_now || full || iopf_wire_amd.encode_fault(fault, record) != 0 ||
	    !ring_publish(&ring, hardware->options.memory, tail, record)) {
		hardware->stats.lost_faults++;
		return false;
	}
	/* release: as above */
	reg64_set(hardware, AMD_EVT_TAIL, ring_register(&ring, ring_next(&ring, tail)));
	hardware->stats.faults++;
	status_raise(hardware, AMD_EVT_INT, enabled);
	return true;
}

static bool amd_fault_room(const struct iopf_hardware *hardware, uint32_t *room,
			   uint32_t *size)
{
	struct ring ring = ring_at(hardware, AMD_EVT_BASE);

	*size = ring_capacity(&ring);
	*room = *size - ring_used(&ring, index_at(hardware, &ring, AMD_EVT_TAIL),
				  index_at(hardware, &ring, AMD_EVT_HEAD));
	return reg64(hardware, AMD_STATUS) & AMD_EVT_RUN;
}

/* ---- Hardware: commands ------------------------------------------------------------ */

static bool commands_run(const struct iopf_hardware *hardware, struct ring *ring,
			 uint32_t *head, uint32_t *tail)
{
	*ring = ring_at(hardware, AMD_CMD_BASE);
	*head = index_at(hardware, ring, AMD_CMD_HEAD);
	*tail = index_at(hardware, ring, AMD_CMD_TAIL);
	return reg64(hardware, AMD_STATUS) & AMD_CMD_RUN;
}

/* One that needs a feature is illegal without it. */
static bool command_legal(const struct iopf_hardware *hardware,
			  const struct iopf_command *command)
{
	if (command->kind == IOPF_COMMAND_RESPONSE)
		return has(hardware, IOPF_AMD_FEATURE_PPR);
	return command->kind != IOPF_COMMAND_INVALIDATE_IOTLB ||
	       command->granularity != IOPF_ALL || has(hardware, IOPF_AMD_FEATURE_IA);
}

/* 2.5.6 to 2.5.8: the event says where the command lies. It is the wait that is given up
 * where a device was silent: it reports nothing, and the buffer goes on. */
static void commands_stop(struct iopf_hardware *hardware, enum hardware_stop why)
{
	static const uint16_t reasons[] = {
		[HARDWARE_ILLEGAL] = IOPF_AMD_REASON(IOPF_AMD_ILLEGAL_COMMAND_ERROR, 0),
		[HARDWARE_ADDRESS] =
			IOPF_AMD_REASON(IOPF_AMD_COMMAND_HARDWARE_ERROR, IOPF_AMD_TYPE),
		[HARDWARE_TIMEOUT] = IOPF_AMD_REASON(IOPF_AMD_IOTLB_INV_TIMEOUT, 0),
	};
	struct ring ring = ring_at(hardware, AMD_CMD_BASE);
	uint32_t head = index_at(hardware, &ring, AMD_CMD_HEAD);
	const struct iopf_fault fault = {
		.gpa = ring_entry_addr(&ring, head),
		.rid = why == HARDWARE_TIMEOUT ? hardware->unanswered_rid : IOPF_NO_ID,
		.pasid = IOPF_PASID_NONE,
		.reason = reasons[why],
	};

	if (why == HARDWARE_TIMEOUT) {
		hardware->stats.aborted_waits++;
		reg64_set(hardware, AMD_CMD_HEAD, ring_register(&ring, ring_next(&ring, head)));
	} else {
		status_set(hardware, AMD_CMD_RUN, false);
	}
	(void)amd_fault(hardware, &fault);
}

static int wait_complete(struct iopf_hardware *hardware, const struct iopf_command *wait)
{
	if ((wait->wait_flags & IOPF_WAIT_STATUS) != 0 &&
	    !ring_status_store64(hardware->options.memory, wait->status_addr,
				 wait->status_data))
		return -EFAULT;
	if ((wait->wait_flags & IOPF_WAIT_INTERRUPT) != 0)
		status_raise(hardware, AMD_WAIT_INT, control(hardware, AMD_WAIT_INT_EN));
	return 0;
}

static bool amd_step(struct iopf_hardware *hardware)
{
	static const struct hardware_commands commands = {
		.head = AMD_CMD_HEAD,
		.runs = commands_run,
		.legal = command_legal,
		.stop = commands_stop,
		.wait = wait_complete,
	};

	late_write(hardware);
	return hardware_commands_step(hardware, &commands);
}

/* ---- Hardware: the row ------------------------------------------------------------- */

static uint64_t amd_root(const struct iopf_hardware *hardware)
{
	return reg64(hardware, AMD_DEV_TBL) & AMD_DEV_TBL_ADDR;
}

static uint64_t amd_root_config(const struct iopf_hardware *hardware)
{
	return reg64(hardware, AMD_DEV_TBL) & AMD_DEV_TBL_SIZE;
}

static bool amd_translates(const struct iopf_hardware *hardware)
{
	return control(hardware, AMD_IOMMU_EN);
}

const struct hardware_family hardware_amd = {
	.wire = &iopf_wire_amd,
	.mechanisms = 1 << IOPF_PRI,
	.guest_mechanisms = 1 << IOPF_PRI,
	.rid_max = UINT16_MAX,
	.off_forgets = true,
	.waits_drain = true,
	.doorbells = (const uint32_t[]){ AMD_CMD_TAIL, AMD_EVT_HEAD, AMD_STATUS,
					 AMD_PPR_HEAD, 0 },
	.offer = amd_offer,
	.actions = actions,
	.action_count = sizeof(actions) / sizeof(actions[0]),
	.create = amd_create,
	.post = amd_post,
	.fault = amd_fault,
	.fault_room = amd_fault_room,
	.step = amd_step,
	.root = amd_root,
	.root_config = amd_root_config,
	.translates = amd_translates,
};
