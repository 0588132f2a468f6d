/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/driver_smmuv3.c - what of the driver end is SMMUv3's own: sequences of registers.
 *
 * Arm IHI 0070, 3.11 "Reset, Enable and initialization", chapter 6 "Registers", 7.1 and
 * 7.5 (errors).
 */
#include <errno.h>

#include "queue/driver.h"
#include "queue/smmuv3.h"

#define CR0_ALL \
	(SMMUV3_SMMUEN | SMMUV3_PRIQEN | SMMUV3_EVENTQEN | SMMUV3_CMDQEN | SMMUV3_ATSCHK)

/* Fields of CR0 are independent and are in force when CR0ACK shows them (6.3.9). */
static int cr0_set(struct iopf_driver *driver, uint32_t bits, bool on)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_CR0, 4, &value);

	if (error != 0)
		return error;
	return driver_write(driver, SMMUV3_CR0, 4, on ? value | bits : value & ~bits);
}

static int cr0_shows(struct iopf_driver *driver, uint32_t bits, bool on)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_CR0ACK, 4, &value);

	if (error != 0)
		return error;
	return (value & bits) == (on ? bits : 0) ? 0 : -EAGAIN;
}

/* ---- Start ------------------------------------------------------------------------- */

/* Queue sizes as registers have them. */
static uint32_t entries_log2(const struct ring *ring)
{
	return (uint32_t)__builtin_ctz(ring->slots);
}

static bool queues_fit(const struct iopf_driver *driver, uint32_t idr1)
{
	return entries_log2(&driver->command) <= SMMUV3_IDR1_CMDQS(idr1) &&
	       entries_log2(&driver->event.ring) <= SMMUV3_IDR1_EVENTQS(idr1) &&
	       ((driver->capability & SMMUV3_IDR0_PRI) == 0 ||
		entries_log2(&driver->request.ring) <= SMMUV3_IDR1_PRIQS(idr1));
}

/*
 * What paging needs: AArch64 tables, page requests or stalls, waits that are told by
 * message, queues and a stream table that software places, and that are not larger than
 * hardware can count.
 */
static bool identification_does(struct iopf_driver *driver, const uint32_t *idr)
{
	const uint32_t stages = SMMUV3_IDR0_S1P | SMMUV3_IDR0_S2P;

	driver->capability = idr[0];
	driver->stall_max = SMMUV3_IDR0_STALL_MODEL(idr[0]) == SMMUV3_IDR0_STALLS_NEVER ?
				    0 :
				    SMMUV3_IDR5_STALL_MAX(idr[5]);
	return (idr[0] & stages) != 0 && (idr[0] & SMMUV3_IDR0_AARCH64) != 0 &&
	       (idr[0] & SMMUV3_IDR0_MSI) != 0 &&
	       ((idr[0] & SMMUV3_IDR0_PRI) != 0 || driver->stall_max != 0) &&
	       (idr[1] & SMMUV3_IDR1_PRESET) == 0 && queues_fit(driver, idr[1]) &&
	       SMMUV3_STRTAB_LOG2SIZE(driver->options.root_config) <=
		       SMMUV3_IDR1_SIDSIZE(idr[1]);
}

static int identification_check(struct iopf_driver *driver)
{
	uint32_t idr[6];

	for (uint32_t i = 0; i < 6; i++) {
		uint64_t value;
		int error = driver_read(driver, SMMUV3_IDR0 + 4 * i, 4, &value);

		if (error != 0)
			return error;
		idr[i] = (uint32_t)value;
	}
	return identification_does(driver, idr) ? 0 : -EOPNOTSUPP;
}

/* Streams are aborted while the SMMU is off, not let through (6.3.14, GBPA). */
static int bypass_shut(struct iopf_driver *driver)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_GBPA, 4, &value);

	if (error != 0)
		return error;
	if ((value & SMMUV3_GBPA_UPDATE) != 0)
		return -EAGAIN;
	return driver_write(driver, SMMUV3_GBPA, 4,
			    value | SMMUV3_GBPA_ABORT | SMMUV3_GBPA_UPDATE);
}

static int bypass_is_shut(struct iopf_driver *driver)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_GBPA, 4, &value);

	if (error != 0)
		return error;
	return (value & SMMUV3_GBPA_UPDATE) == 0 ? 0 : -EAGAIN;
}

static uint32_t interrupts(const struct iopf_driver *driver)
{
	if (driver->options.interrupt_addr == 0)
		return 0;
	return SMMUV3_GERROR_IRQEN | SMMUV3_EVENTQ_IRQEN |
	       ((driver->capability & SMMUV3_IDR0_PRI) != 0 ? SMMUV3_PRIQ_IRQEN : 0);
}

static int interrupts_show(struct iopf_driver *driver, uint32_t wanted)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_IRQ_CTRLACK, 4, &value);

	if (error != 0)
		return error;
	return value == wanted ? 0 : -EAGAIN;
}

static int interrupts_off(struct iopf_driver *driver)
{
	return driver_write(driver, SMMUV3_IRQ_CTRL, 4, 0);
}

static int interrupts_are_off(struct iopf_driver *driver)
{
	return interrupts_show(driver, 0);
}

static int interrupts_on(struct iopf_driver *driver)
{
	return driver_write(driver, SMMUV3_IRQ_CTRL, 4, interrupts(driver));
}

static int interrupts_are_on(struct iopf_driver *driver)
{
	return interrupts_show(driver, interrupts(driver));
}

/* One message for everything that somebody has to look at. */
static int interrupts_write(struct iopf_driver *driver)
{
	static const uint32_t at[] = { SMMUV3_GERROR_IRQ_CFG0, SMMUV3_EVENTQ_IRQ_CFG0,
				       SMMUV3_PRIQ_IRQ_CFG0 };
	int error = 0;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]) && error == 0; i++) {
		const struct driver_register writes[] = {
			{ at[i], 8, driver->options.interrupt_addr },
			{ at[i] + 8, 4, driver->options.interrupt_data },
			{ at[i] + 12, 4, SMMUV3_IRQ_DEVICE },
		};

		error = driver_write_all(driver, writes,
					 sizeof(writes) / sizeof(writes[0]));
	}
	return error;
}

/* Base first, then indices (6.3.26); an index of 0 has no flags either. */
static int queue_write(struct iopf_driver *driver, uint32_t base, struct driver_indices at,
		       const struct ring *ring)
{
	const struct driver_register writes[] = {
		{ base, 8, ring == NULL ? 0 : ring->addr | entries_log2(ring) },
		{ at.prod, 4, 0 },
		{ at.cons, 4, 0 },
	};

	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int queues_write(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	int error = queue_write(driver, SMMUV3_CMDQ_BASE, family->command,
				&driver->command);

	driver_reset(driver);
	if (error == 0)
		error = queue_write(driver, SMMUV3_EVENTQ_BASE, family->event,
				    &driver->event.ring);
	if (error == 0 && (driver->capability & SMMUV3_IDR0_PRI) != 0)
		error = queue_write(driver, SMMUV3_PRIQ_BASE, family->request,
				    &driver->request.ring);
	return error;
}

static int errors_acknowledge(struct iopf_driver *driver)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_GERROR, 4, &value);

	return error != 0 ? error : driver_write(driver, SMMUV3_GERRORN, 4, value);
}

static int registers_write(struct iopf_driver *driver)
{
	const struct driver_register writes[] = {
		{ SMMUV3_CR1, 4, SMMUV3_CR1_SHARED },
		{ SMMUV3_CR2, 4, SMMUV3_CR2_RECINVSID | SMMUV3_CR2_PTM },
		{ SMMUV3_STRTAB_BASE, 8, driver->options.root_addr },
		{ SMMUV3_STRTAB_BASE_CFG, 4, driver->options.root_config },
	};
	int error = driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));

	if (error == 0)
		error = queues_write(driver);
	if (error == 0)
		error = errors_acknowledge(driver);
	return error == 0 ? interrupts_write(driver) : error;
}

static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = {
		IOPF_COMMAND_INVALIDATE_CONTEXT,
		IOPF_COMMAND_INVALIDATE_IOTLB,
	};

	return driver_invalidate_all(driver, kinds, sizeof(kinds));
}

static const struct driver_phase start_phases[] = {
	{ .act = identification_check },
	/* What an earlier driver may have left on. */
	{ .act = bypass_shut, .done = bypass_is_shut },
	{ .bit = CR0_ALL, .on = false },
	{ .act = interrupts_off, .done = interrupts_are_off },
	{ .act = registers_write },
	{ .act = interrupts_on, .done = interrupts_are_on },
	{ .bit = SMMUV3_CMDQEN, .on = true },
	{ .act = caches_invalidate, .done = driver_invalidated },
	{ .bit = SMMUV3_EVENTQEN, .on = true },
	{ .bit = SMMUV3_PRIQEN, .on = true, .need = SMMUV3_IDR0_PRI },
	/* What comes translated is held against its stream all the same. */
	{ .bit = SMMUV3_ATSCHK, .on = true, .need = SMMUV3_IDR0_ATS },
	{ .bit = SMMUV3_SMMUEN, .on = true },
};

/* ---- Stop -------------------------------------------------------------------------- */

static int queues_clear(struct iopf_driver *driver)
{
	const struct driver_family *family = driver->family;
	int error = queue_write(driver, SMMUV3_CMDQ_BASE, family->command, NULL);

	driver_reset(driver);
	if (error == 0)
		error = queue_write(driver, SMMUV3_EVENTQ_BASE, family->event, NULL);
	if (error == 0 && (driver->capability & SMMUV3_IDR0_PRI) != 0)
		error = queue_write(driver, SMMUV3_PRIQ_BASE, family->request, NULL);
	return error;
}

/* Responses leave before the SMMU is off: then they would be ignored (4.5.2). */
static const struct driver_phase stop_phases[] = {
	{ .act = iopf_driver_kick, .done = driver_commands_taken },
	{ .bit = SMMUV3_SMMUEN, .on = false },
	{ .bit = CR0_ALL, .on = false },
	{ .act = interrupts_off, .done = interrupts_are_off },
	{ .act = queues_clear },
};

/* ---- Errors ------------------------------------------------------------------------ */

/* An error is active where GERROR and GERRORN differ (7.5). */
static int errors_active(struct iopf_driver *driver, uint32_t *active)
{
	uint64_t error_bits, acknowledged;
	int error = driver_read(driver, SMMUV3_GERROR, 4, &error_bits);

	if (error == 0)
		error = driver_read(driver, SMMUV3_GERRORN, 4, &acknowledged);
	if (error == 0)
		*active = (uint32_t)(error_bits ^ acknowledged);
	return error;
}

static int errors_turn(struct iopf_driver *driver, uint32_t bits)
{
	uint64_t acknowledged;
	int error = driver_read(driver, SMMUV3_GERRORN, 4, &acknowledged);

	return error != 0 ? error :
			    driver_write(driver, SMMUV3_GERRORN, 4, acknowledged ^ bits);
}

static int timed_out(struct iopf_driver *driver)
{
	int error = driver_wait_given_up(driver);

	return error != 0 ? error : errors_turn(driver, SMMUV3_CMDQ_ERR);
}

/* Returns: what the queue stopped at, enum iopf_driver_error, or a negative errno. */
static int command_error(struct iopf_driver *driver)
{
	uint64_t value;
	int error = driver_read(driver, SMMUV3_CMDQ_CONS, 4, &value);

	if (error != 0)
		return error;
	if ((value & SMMUV3_CMDQ_ERR_MASK) >> SMMUV3_CMDQ_ERR_LSB !=
	    SMMUV3_CERROR_ATC_INV_SYNC)
		return IOPF_DRIVER_STOPPED;
	error = timed_out(driver);
	return error != 0 ? error : IOPF_DRIVER_TIMEOUT;
}

static int smmuv3_errors(struct iopf_driver *driver)
{
	const uint32_t turned = SMMUV3_EVENTQ_ABT_ERR | SMMUV3_PRIQ_ABT_ERR |
				SMMUV3_MSI_CMDQ_ABT_ERR | SMMUV3_MSI_EVENTQ_ABT_ERR |
				SMMUV3_MSI_PRIQ_ABT_ERR | SMMUV3_MSI_GERROR_ABT_ERR;
	uint32_t active;
	int errors = 0, error = errors_active(driver, &active);

	if (error != 0 || active == 0)
		return error;
	if ((active & SMMUV3_SFM_ERR) != 0)
		return -EIO;
	if ((active & SMMUV3_CMDQ_ERR) != 0)
		errors = command_error(driver);
	if (errors < 0 || (active & turned) == 0)
		return errors;
	if ((active & SMMUV3_PRIQ_ABT_ERR) != 0)
		errors |= IOPF_DRIVER_REQUESTS_LOST;
	if ((active & SMMUV3_EVENTQ_ABT_ERR) != 0)
		errors |= IOPF_DRIVER_FAULTS_LOST;
	error = errors_turn(driver, active & turned);
	return error != 0 ? error : errors;
}

static int smmuv3_skip(struct iopf_driver *driver)
{
	uint32_t active;
	int error = errors_active(driver, &active);

	if (error != 0)
		return error;
	if ((active & SMMUV3_CMDQ_ERR) == 0)
		return -EINVAL;
	error = driver_pass_over(driver);
	return error != 0 ? error : errors_turn(driver, SMMUV3_CMDQ_ERR);
}

#define GLOBAL(bits_) \
	.control = SMMUV3_CR0, .shows = SMMUV3_CR0ACK, .control_width = 4, .bits = (bits_)
#define QUEUE(base, enable) \
	{ .offset = (base), .width = 8, .addr = SMMUV3_QUEUE_ADDR, \
	  .size = SMMUV3_QUEUE_SIZE, GLOBAL(enable) }

const struct driver_family driver_smmuv3 = {
	.wire = &iopf_wire_smmuv3,
	.places = {
		[DRIVER_COMMANDS] = QUEUE(SMMUV3_CMDQ_BASE, SMMUV3_CMDQEN),
		[DRIVER_REQUESTS] = QUEUE(SMMUV3_PRIQ_BASE, SMMUV3_PRIQEN),
		[DRIVER_EVENTS] = QUEUE(SMMUV3_EVENTQ_BASE, SMMUV3_EVENTQEN),
		[DRIVER_ROOT] = { .offset = SMMUV3_STRTAB_BASE, .width = 8,
				  .addr = SMMUV3_STRTAB_ADDR, GLOBAL(SMMUV3_SMMUEN) },
		[DRIVER_ROOT_CONFIG] = { .offset = SMMUV3_STRTAB_BASE_CFG, .width = 4,
					 .size = SMMUV3_STRTAB_SHAPE,
					 GLOBAL(SMMUV3_SMMUEN) },
	},
	.convention = { .byte_offsets = false, .wrap_bit = true },
	.index_bytes = 4,
	.size_aligned = true,
	.request = { .prod = SMMUV3_PRIQ_PROD, .cons = SMMUV3_PRIQ_CONS },
	.event = { .prod = SMMUV3_EVENTQ_PROD, .cons = SMMUV3_EVENTQ_CONS },
	.command = { .prod = SMMUV3_CMDQ_PROD, .cons = SMMUV3_CMDQ_CONS },
	.command_flags = SMMUV3_CMDQ_ERR_MASK,
	.turned = SMMUV3_QUEUE_OVERFLOW,
	.bit_set = cr0_set,
	.bit_shows = cr0_shows,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.errors = smmuv3_errors,
	.skip = smmuv3_skip,
};
