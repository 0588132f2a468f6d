/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver_vtd.c - what of the driver end is VT-d's own: sequences of registers. */
#include <errno.h>

#include "queue/driver.h"
#include "queue/vtd.h"

/*
 * A phase of start or stop: @act once, then until GSTS shows @bit as @on (where there
 * is a bit; it is commanded after @act) and @done says 0.
 */
struct vtd_phase {
	int (*act)(struct iopf_driver *driver);
	int (*done)(struct iopf_driver *driver);
	uint32_t bit;
	bool on;
};

/* One bit a write, the others as they are (VT-d, "Global Command Register"). */
static int gcmd_write(struct iopf_driver *driver, uint32_t bit, bool on)
{
	uint64_t status;
	int error = driver_read(driver, VTD_GSTS, 4, &status);
	uint32_t levels = (uint32_t)status & VTD_GCMD_LEVELS & ~bit;

	if (error != 0)
		return error;
	return driver_write(driver, VTD_GCMD, 4, on ? levels | bit : levels);
}

static int gsts_shows(struct iopf_driver *driver, uint32_t bit, bool on)
{
	uint64_t status;
	int error = driver_read(driver, VTD_GSTS, 4, &status);

	if (error != 0)
		return error;
	return ((status & bit) != 0) == on ? 0 : -EAGAIN;
}

static int phase_begin(struct iopf_driver *driver, const struct vtd_phase *phase)
{
	int error = phase->act != NULL ? phase->act(driver) : 0;

	if (error == 0 && phase->bit != 0)
		error = gcmd_write(driver, phase->bit, phase->on);
	return error;
}

static int phase_done(struct iopf_driver *driver, const struct vtd_phase *phase)
{
	int error = phase->done != NULL ? phase->done(driver) : 0;

	if (error == 0 && phase->bit != 0)
		error = gsts_shows(driver, phase->bit, phase->on);
	return error;
}

static int phases_run(struct iopf_driver *driver, const struct vtd_phase *phases,
		      uint8_t count)
{
	while (driver->phase < count) {
		const struct vtd_phase *phase = &phases[driver->phase];
		int error = driver->phase_begun ? 0 : phase_begin(driver, phase);

		if (error == 0) {
			driver->phase_begun = true;
			error = phase_done(driver, phase);
		}
		if (error == -EAGAIN)
			return error;
		driver->phase_begun = false;
		driver->phase = error == 0 ? (uint8_t)(driver->phase + 1) : 0;
		if (error != 0)
			return error;
	}
	driver->phase = 0;
	return 0;
}

struct vtd_write {
	uint16_t offset;
	uint8_t width;
	uint64_t value;
};

static int write_all(struct iopf_driver *driver, const struct vtd_write *writes,
		     size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = driver_write(driver, writes[i].offset, writes[i].width,
				     writes[i].value);
	return error;
}

static int capability_check(struct iopf_driver *driver)
{
	const uint64_t need = VTD_ECAP_QI | VTD_ECAP_PRS | VTD_ECAP_SMTS;
	uint64_t ecap;
	int error = driver_read(driver, VTD_ECAP, 8, &ecap);

	if (error != 0)
		return error;
	return (ecap & need) == need ? 0 : -EOPNOTSUPP;
}

static int root_write(struct iopf_driver *driver)
{
	return driver_write(driver, VTD_RTADDR, 8,
			    driver->options.root_addr | VTD_RTADDR_SCALABLE);
}

static int command_queue_write(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	uint64_t wide = options->command_bytes == 32 ? VTD_IQA_DW : 0;
	const struct vtd_write writes[] = {
		{ VTD_IQT, 8, 0 },
		{ VTD_IQA, 8, options->command_addr | wide | options->command_order },
		{ VTD_FSTS, 4, VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE },
	};

	driver_reset(driver);
	return write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int request_queue_write(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	bool masked = options->interrupt_addr == 0;
	const struct vtd_write writes[] = {
		{ VTD_PECTL, 4, VTD_EVENT_IM },
		{ VTD_PQH, 8, 0 },
		{ VTD_PQT, 8, 0 },
		{ VTD_PQA, 8, options->request_addr | options->request_order },
		{ VTD_PRS, 4, VTD_PRS_PPR | VTD_PRS_PRO },
		{ VTD_PEDATA, 4, options->interrupt_data },
		{ VTD_PEADDR, 4, (uint32_t)options->interrupt_addr },
		{ VTD_PEUADDR, 4, options->interrupt_addr >> 32 },
		{ VTD_PECTL, 4, masked ? VTD_EVENT_IM : 0 },
	};

	return write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = {
		IOPF_COMMAND_INVALIDATE_CONTEXT,
		IOPF_COMMAND_INVALIDATE_PASID,
		IOPF_COMMAND_INVALIDATE_IOTLB,
	};
	uint64_t wait;
	int error = 0;

	for (size_t i = 0; i < sizeof(kinds) && error == 0; i++) {
		struct iopf_command command = { .kind = kinds[i],
						.granularity = IOPF_ALL,
						.pasid = IOPF_PASID_NONE };

		error = iopf_driver_submit(driver, &command);
	}
	if (error == 0)
		error = iopf_driver_wait(driver, IOPF_WAIT_FENCE, &wait);
	return error == 0 ? iopf_driver_kick(driver) : error;
}

static int errors_check(struct iopf_driver *driver)
{
	int errors = iopf_driver_errors(driver);

	if (errors < 0)
		return errors;
	return errors == 0 ? 0 : -EIO;
}

static int caches_invalidated(struct iopf_driver *driver)
{
	if (iopf_driver_waited(driver, driver->wait_submitted))
		return 0;
	return errors_check(driver) != 0 ? -EIO : -EAGAIN;
}

static const struct vtd_phase start_phases[] = {
	{ .act = capability_check },
	/* What an earlier driver may have left on. */
	{ .bit = VTD_TE, .on = false },
	{ .bit = VTD_QIE, .on = false },
	{ .act = root_write, .bit = VTD_SRTP, .on = true },
	{ .act = command_queue_write, .bit = VTD_QIE, .on = true },
	{ .act = request_queue_write },
	{ .act = caches_invalidate, .done = caches_invalidated },
	{ .bit = VTD_TE, .on = true },
};

static int vtd_start(struct iopf_driver *driver)
{
	return phases_run(driver, start_phases,
			  sizeof(start_phases) / sizeof(start_phases[0]));
}

/* All commands are taken, or never will be. */
static int commands_taken(struct iopf_driver *driver)
{
	int error = driver_command_head(driver, &driver->command_cons);

	if (error != 0 || driver->command_cons == driver->command_published)
		return error == -EIO ? 0 : error;
	return errors_check(driver) == -EIO ? 0 : -EAGAIN;
}

static int request_queue_clear(struct iopf_driver *driver)
{
	static const struct vtd_write writes[] = {
		{ VTD_PECTL, 4, VTD_EVENT_IM },
		{ VTD_PQA, 8, 0 },
		{ VTD_PQH, 8, 0 },
		{ VTD_PQT, 8, 0 },
		{ VTD_PRS, 4, VTD_PRS_PPR | VTD_PRS_PRO },
	};

	driver_reset(driver);
	return write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static const struct vtd_phase stop_phases[] = {
	{ .bit = VTD_TE, .on = false },
	{ .act = iopf_driver_kick, .done = commands_taken },
	{ .bit = VTD_QIE, .on = false },
	{ .act = request_queue_clear },
};

static int vtd_stop(struct iopf_driver *driver)
{
	return phases_run(driver, stop_phases,
			  sizeof(stop_phases) / sizeof(stop_phases[0]));
}

/* A command that does nothing, in the place @index. */
static int vtd_blank(struct iopf_driver *driver, uint32_t index)
{
	const struct iopf_command nothing = { .kind = IOPF_COMMAND_WAIT,
					      .wait_flags = IOPF_WAIT_FENCE,
					      .pasid = IOPF_PASID_NONE };
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	int error = driver->options.wire->encode_command(
		&nothing, driver->options.command_bytes, record);

	if (error != 0)
		return error;
	return ring_store(&driver->command, driver->options.memory, index, record) ?
		       0 :
		       -EFAULT;
}

/* While the queue stands still nobody reads it. */
static int vtd_take_back(struct iopf_driver *driver, uint32_t rid)
{
	uint8_t record[RING_ENTRY_MAX];
	uint32_t index;
	int error = driver_command_head(driver, &index);

	for (; error == 0 && index != driver->command_prod;
	     index = ring_next(&driver->command, index)) {
		struct iopf_command command;

		if (!ring_load(&driver->command, driver->options.memory, index, record))
			return -EFAULT;
		if (driver->options.wire->decode_command(
			    record, driver->options.command_bytes, &command) != 0 ||
		    command.kind != IOPF_COMMAND_INVALIDATE_DEVICE || command.rid != rid)
			continue;
		error = vtd_blank(driver, index);
		driver->stats.taken_back += error == 0;
	}
	return error;
}

/* Who it was has to be read, and its commands taken back, before the queue goes on. */
static int vtd_timed_out(struct iopf_driver *driver)
{
	uint64_t record;
	int error = driver_read(driver, VTD_IQERCD, 8, &record);

	if (error != 0)
		return error;
	driver->silent_rid = (uint32_t)(record >> 32 & 0xffff);
	/* Where that fails the queue goes on all the same. */
	if (driver->options.forget_silent && driver->silent_rid != 0)
		(void)vtd_take_back(driver, driver->silent_rid);
	driver->stats.timeouts++;
	return driver_write(driver, VTD_FSTS, 4, VTD_FSTS_ITE);
}

static int vtd_errors(struct iopf_driver *driver)
{
	uint64_t status;
	int errors = 0, error = driver_read(driver, VTD_FSTS, 4, &status);

	if (error != 0)
		return error;
	if ((status & VTD_FSTS_IQE) != 0)
		errors |= IOPF_DRIVER_STOPPED;
	if ((status & VTD_FSTS_ITE) != 0) {
		error = vtd_timed_out(driver);
		errors |= IOPF_DRIVER_TIMEOUT;
	}
	return error != 0 ? error : errors;
}

static int vtd_skip(struct iopf_driver *driver)
{
	uint64_t status;
	uint32_t head;
	int error = driver_read(driver, VTD_FSTS, 4, &status);

	if (error != 0)
		return error;
	if ((status & VTD_FSTS_IQE) == 0)
		return -EINVAL;
	error = driver_command_head(driver, &head);
	/* Where nothing is published it stopped at nothing of ours, and what stands there
	 * is to be published next. */
	if (error == 0 && head != driver->command_published)
		error = vtd_blank(driver, head);
	if (error != 0)
		return error;
	driver->stats.queue_errors++;
	return driver_write(driver, VTD_FSTS, 4, VTD_FSTS_IQE);
}

const struct driver_family driver_vtd = {
	.wire = &iopf_wire_vtd,
	.convention = { .byte_offsets = true, .wrap_bit = false },
	.request = { .prod = VTD_PQT, .cons = VTD_PQH },
	.command = { .prod = VTD_IQT, .cons = VTD_IQH },
	.status = VTD_PRS,
	.pending = VTD_PRS_PPR,
	.overflow = VTD_PRS_PRO,
	.start = vtd_start,
	.stop = vtd_stop,
	.errors = vtd_errors,
	.skip = vtd_skip,
};
