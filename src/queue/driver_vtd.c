/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/driver_vtd.c - what of the driver end is VT-d's own: sequences of registers. */
#include <errno.h>

#include "queue/driver.h"
#include "queue/vtd.h"

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
	const struct driver_register writes[] = {
		{ VTD_IQT, 8, 0 },
		{ VTD_IQA, 8, options->command_addr | wide | options->command_order },
		{ VTD_FSTS, 4, VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE },
	};

	driver_reset(driver);
	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int request_queue_write(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	bool masked = options->interrupt_addr == 0;
	const struct driver_register writes[] = {
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

	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = {
		IOPF_COMMAND_INVALIDATE_CONTEXT,
		IOPF_COMMAND_INVALIDATE_PASID,
		IOPF_COMMAND_INVALIDATE_IOTLB,
	};

	return driver_invalidate_all(driver, kinds, sizeof(kinds));
}

static const struct driver_phase start_phases[] = {
	{ .act = capability_check },
	/* What an earlier driver may have left on. */
	{ .bit = VTD_TE, .on = false },
	{ .bit = VTD_QIE, .on = false },
	{ .act = root_write, .bit = VTD_SRTP, .on = true },
	{ .act = command_queue_write, .bit = VTD_QIE, .on = true },
	{ .act = request_queue_write },
	{ .act = caches_invalidate, .done = driver_invalidated },
	{ .bit = VTD_TE, .on = true },
};

static int request_queue_clear(struct iopf_driver *driver)
{
	static const struct driver_register writes[] = {
		{ VTD_PECTL, 4, VTD_EVENT_IM },
		{ VTD_PQA, 8, 0 },
		{ VTD_PQH, 8, 0 },
		{ VTD_PQT, 8, 0 },
		{ VTD_PRS, 4, VTD_PRS_PPR | VTD_PRS_PRO },
	};

	driver_reset(driver);
	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static const struct driver_phase stop_phases[] = {
	{ .bit = VTD_TE, .on = false },
	{ .act = iopf_driver_kick, .done = driver_commands_taken },
	{ .bit = VTD_QIE, .on = false },
	{ .act = request_queue_clear },
};

/* T1 T2: 00 write, 10 read, 01 page request. */
static struct iopf_fault fault_of(uint64_t low, uint64_t high)
{
	uint8_t perm = (high & VTD_FRCD_T1) != 0 ? IOPF_READ : IOPF_WRITE;
	bool request = (high & VTD_FRCD_T2) != 0;

	if (request)
		perm = 0;
	if ((high & VTD_FRCD_EXE) != 0)
		perm |= IOPF_EXEC;
	if ((high & VTD_FRCD_PRIV) != 0)
		perm |= IOPF_PRIV;
	return (struct iopf_fault){
		.addr = low & ~UINT64_C(0xfff),
		.rid = (uint32_t)high & 0xffff,
		.pasid = (high & VTD_FRCD_PP) != 0 ?
				 (uint32_t)(high >> VTD_FRCD_PASID_LSB) & IOPF_PASID_MAX :
				 IOPF_PASID_NONE,
		.perm = perm,
		.reason = (uint8_t)(high >> VTD_FRCD_REASON_LSB),
		.request = request,
	};
}

/* Returns: 1 and the fault of the register at @offset, which is free again; 0: nothing
 * is there; or a register's error. */
static int fault_take(struct iopf_driver *driver, uint32_t offset, struct iopf_fault *fault)
{
	uint64_t low, high;
	int error = driver_read(driver, offset + 8, 8, &high);

	if (error != 0 || (high & VTD_FRCD_F) == 0)
		return error;
	error = driver_read(driver, offset, 8, &low);
	if (error == 0)
		error = driver_write(driver, offset + 8, 8, VTD_FRCD_F);
	if (error != 0)
		return error;
	*fault = fault_of(low, high);
	driver->stats.faults++;
	return 1;
}

/* One after the other round the registers from driver->fault_next on, up to the first
 * that is free. */
static int faults_take(struct iopf_driver *driver, uint64_t cap, struct iopf_fault *faults,
		       uint32_t max)
{
	uint32_t registers = VTD_CAP_NFR(cap), count = 0;
	int taken = 1;

	while (count < max && count < registers) {
		uint32_t next = driver->fault_next % registers;

		taken = fault_take(driver, VTD_CAP_FRO(cap) + next * VTD_FRCD_BYTES,
				   &faults[count]);
		if (taken <= 0)
			break;
		driver->fault_next = (next + 1) % registers;
		count++;
	}
	return taken < 0 && count == 0 ? taken : (int)count;
}

/* VT-d, "Fault Status Register": FRI was the oldest when PPF was set; behind those that
 * were taken since comes the one that was next. PFO: some were lost. */
static int vtd_faults(struct iopf_driver *driver, struct iopf_fault *faults, uint32_t max)
{
	uint64_t status, cap;
	int error = driver_read(driver, VTD_FSTS, 4, &status), count;

	if (error == 0)
		error = driver_read(driver, VTD_CAP, 8, &cap);
	if (error != 0)
		return error;
	count = faults_take(driver, cap, faults, max);
	if (count == 0 && (status & VTD_FSTS_PPF) != 0) {
		driver->fault_next = (uint32_t)(status & VTD_FSTS_FRI) >> 8;
		count = faults_take(driver, cap, faults, max);
	}
	if (count >= 0 && (status & VTD_FSTS_PFO) != 0) {
		error = driver_write(driver, VTD_FSTS, 4, VTD_FSTS_PFO);
		driver->stats.fault_overflows += error == 0;
	}
	return error != 0 && count == 0 ? error : count;
}

/* Who it was has to be read, and its commands taken back, before the queue goes on. */
static int vtd_timed_out(struct iopf_driver *driver)
{
	uint64_t record;
	int error = driver_read(driver, VTD_IQERCD, 8, &record);

	if (error != 0)
		return error;
	driver->silent_rid = (uint32_t)(record >> 32 & 0xffff);
	if (driver->silent_rid == 0)
		driver->silent_rid = IOPF_NO_ID;
	/* Where that fails the queue goes on all the same. */
	if (driver->options.forget_silent && driver->silent_rid != IOPF_NO_ID)
		(void)driver_take_back(driver, driver->silent_rid);
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
	int error = driver_read(driver, VTD_FSTS, 4, &status);

	if (error != 0)
		return error;
	if ((status & VTD_FSTS_IQE) == 0)
		return -EINVAL;
	error = driver_pass_over(driver);
	return error != 0 ? error : driver_write(driver, VTD_FSTS, 4, VTD_FSTS_IQE);
}

#define GLOBAL(bits_) \
	.control = VTD_GCMD, .shows = VTD_GSTS, .control_width = 4, .bits = (bits_)

const struct driver_family driver_vtd = {
	.wire = &iopf_wire_vtd,
	.places = {
		[DRIVER_COMMANDS] = { .offset = VTD_IQA, .width = 8, .addr = VTD_IQA_ADDR,
				      .size = VTD_IQA_QS, .flags = VTD_IQA_DW,
				      GLOBAL(VTD_QIE) },
		[DRIVER_REQUESTS] = { .offset = VTD_PQA, .width = 8, .addr = VTD_PQA_ADDR,
				      .size = VTD_PQA_PQS },
		[DRIVER_ROOT] = { .offset = VTD_RTADDR, .width = 8, .addr = VTD_RTADDR_ADDR,
				  .size = VTD_RTADDR_TTM, .flags = VTD_RTADDR_SCALABLE,
				  GLOBAL(VTD_SRTP) },
	},
	.convention = { .byte_offsets = true, .wrap_bit = false },
	.index_bytes = 8,
	.status_at_zero = true,
	.request = { .prod = VTD_PQT, .cons = VTD_PQH },
	.command = { .prod = VTD_IQT, .cons = VTD_IQH },
	.status = VTD_PRS,
	.pending = VTD_PRS_PPR,
	.overflow = VTD_PRS_PRO,
	.bit_set = gcmd_write,
	.bit_shows = gsts_shows,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.errors = vtd_errors,
	.skip = vtd_skip,
	.faults = vtd_faults,
};
