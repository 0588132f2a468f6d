/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/riscv.c - RISC-V IOMMU: both ends of its queues, which are registers, and rings
 * with one slot unused.
 *
 * RISC-V IOMMU Architecture Specification 1.0, "In-memory queue interface",
 * "Memory-mapped register interface", "Guidelines for initialization".
 */
#include "queue/riscv.h"

#include <assert.h>
#include <errno.h>

#include "queue/driver.h"
#include "queue/hardware.h"

enum { VIRTUAL_PASID_BITS = 20 };

/* A queue of either end. */
struct queue {
	uint32_t base, head, tail, csr;
	uint32_t errors; /* bits of its csr that stop it, or say that something was lost */
	uint8_t entry_bytes;
	uint8_t cause; /* enum riscv_cause */
	enum iopf_queue_change enabled, disabled;
};

static const struct queue commands = {
	RISCV_CQB, RISCV_CQH, RISCV_CQT, RISCV_CQCSR,
	RISCV_CSR_MF | RISCV_CQCSR_TO | RISCV_CQCSR_ILL | RISCV_CQCSR_WIP,
	.entry_bytes = 16, .cause = RISCV_CIP,
};
static const struct queue faults = {
	RISCV_FQB, RISCV_FQH, RISCV_FQT, RISCV_FQCSR, RISCV_CSR_MF | RISCV_CSR_OF,
	.entry_bytes = 32, .cause = RISCV_FIP,
	.enabled = IOPF_EVENT_QUEUE_ENABLED, .disabled = IOPF_EVENT_QUEUE_DISABLED,
};
static const struct queue requests = {
	RISCV_PQB, RISCV_PQH, RISCV_PQT, RISCV_PQCSR, RISCV_CSR_MF | RISCV_CSR_OF,
	.entry_bytes = 16, .cause = RISCV_PIP,
	.enabled = IOPF_QUEUE_ENABLED, .disabled = IOPF_QUEUE_DISABLED,
};
static const struct queue *const queues[] = { &commands, &faults, &requests };

/* ==== Driver end ========================================================================= */

/* @bit is the csr of a queue, or ddtp: software writes it when it is not busy, and it is
 * on (off) when it says so. */
static int csr_set(struct iopf_driver *driver, uint32_t bit, bool on)
{
	const struct iopf_driver_options *options = &driver->options;
	uint64_t root = RISCV_ADDR_PPN(options->root_addr) | options->root_config;
	uint32_t ie = options->interrupt_addr != 0 ? RISCV_CSR_IE : 0;

	if (bit == RISCV_DDTP)
		return driver_write(driver, bit, 8, on ? root : RISCV_MODE_OFF);
	return driver_write(driver, bit, 4, on ? RISCV_CSR_EN | ie : 0);
}

static int csr_shows(struct iopf_driver *driver, uint32_t bit, bool on)
{
	bool root = bit == RISCV_DDTP;
	uint64_t value, busy = root ? RISCV_DDTP_BUSY : RISCV_CSR_BUSY;
	int error = driver_read(driver, bit, root ? 8 : 4, &value);

	if (error != 0)
		return error;
	return (value & busy) == 0 &&
			       ((value & (root ? RISCV_DDTP_MODE : RISCV_CSR_ON)) != 0) == on ?
		       0 :
		       -EAGAIN;
}

/* Capabilities from bit 16 on. */
enum { CAN_SECOND = 0xf, CAN_ATS = 1 << 9, CAN_NL = 1 << 26, CAN_S = 1 << 27 };

static int capability_check(struct iopf_driver *driver)
{
	const uint64_t stages = RISCV_CAP_SV39 | RISCV_CAP_SV48 | RISCV_CAP_SV57;
	uint64_t cap, mode = driver->options.root_config;
	int error = driver_read(driver, RISCV_CAPABILITIES, 8, &cap);

	if (error != 0)
		return error;
	driver->capability = (uint32_t)(cap >> 16);
	return (driver->capability & CAN_ATS) != 0 && (cap & stages) != 0 &&
			       mode >= RISCV_MODE_1LVL && mode <= RISCV_MODE_3LVL &&
			       RISCV_CAP_IGS(cap) != RISCV_IGS_WSI ?
		       0 :
		       -EOPNOTSUPP;
}

static uint64_t base_of(const struct ring *ring)
{
	return RISCV_ADDR_PPN(ring->addr) | ((uint32_t)__builtin_ctz(ring->slots) - 1);
}

/* Enabling clears the index of who produces and the errors, never what software owns. */
static int queues_write(struct iopf_driver *driver)
{
	const struct iopf_driver_options *options = &driver->options;
	const struct driver_register writes[] = {
		{ RISCV_FCTL, 4, 0 },
		{ RISCV_ICVEC, 4, 0 },
		{ RISCV_MSI_ADDR, 8, options->interrupt_addr },
		{ RISCV_MSI_DATA, 4, options->interrupt_data },
		{ RISCV_MSI_CONTROL, 4, 0 },
		{ RISCV_CQB, 8, base_of(&driver->command) },
		{ RISCV_CQT, 4, 0 },
		{ RISCV_FQB, 8, base_of(&driver->event.ring) },
		{ RISCV_FQH, 4, 0 },
		{ RISCV_PQB, 8, base_of(&driver->request.ring) },
		{ RISCV_PQH, 4, 0 },
		{ RISCV_IPSR, 4, 1 << RISCV_CIP | 1 << RISCV_FIP | 1 << RISCV_PIP },
	};

	driver_reset(driver);
	return driver_write_all(driver, writes, sizeof(writes) / sizeof(writes[0]));
}

static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = { IOPF_COMMAND_INVALIDATE_CONTEXT,
					 IOPF_COMMAND_INVALIDATE_IOTLB };

	return driver_invalidate_all(driver, kinds, sizeof(kinds));
}

static const struct driver_phase start_phases[] = {
	{ .act = capability_check },
	/* What an earlier driver may have left on. */
	{ .bit = RISCV_DDTP, .on = false },
	{ .bit = RISCV_PQCSR, .on = false },
	{ .bit = RISCV_FQCSR, .on = false },
	{ .bit = RISCV_CQCSR, .on = false },
	{ .act = queues_write },
	{ .bit = RISCV_CQCSR, .on = true },
	{ .bit = RISCV_FQCSR, .on = true },
	{ .bit = RISCV_PQCSR, .on = true },
	{ .act = caches_invalidate, .done = driver_invalidated },
	{ .bit = RISCV_DDTP, .on = true },
};

/* Responses leave before anything is off. */
static const struct driver_phase stop_phases[] = {
	{ .act = iopf_driver_kick, .done = driver_commands_taken },
	{ .bit = RISCV_DDTP, .on = false },
	{ .bit = RISCV_PQCSR, .on = false },
	{ .bit = RISCV_FQCSR, .on = false },
	{ .bit = RISCV_CQCSR, .on = false },
};

/* ---- Commands, errors --------------------------------------------------------------------- */

/* Without these extensions an address is one page's last entry, and nothing more. */
static bool needs_more(const struct iopf_driver *driver, const struct iopf_command *command)
{
	return command->granularity == IOPF_PAGE &&
	       ((command->size_bytes > 4096 && (driver->capability & CAN_S) == 0) ||
		((command->hints & IOPF_HINT_LEAF) == 0 && (driver->capability & CAN_NL) == 0));
}

/*
 * Where there are no second stages everything is alone, in no domain; where there are,
 * nothing of ours is (whatever a guest calls its own), and a domain, and everything, is
 * named in both stages, unless the command says which.
 */
static uint32_t riscv_say(const struct iopf_driver *driver, const struct iopf_command *command,
			  struct iopf_command said[2])
{
	const uint8_t stages = IOPF_HINT_FIRST | IOPF_HINT_SECOND;
	bool alone = driver->capability != 0 && (driver->capability & CAN_SECOND) == 0;
	bool second = (command->hints & IOPF_HINT_SECOND) != 0;

	if (command->kind != IOPF_COMMAND_INVALIDATE_IOTLB)
		return 1;
	if (needs_more(driver, command))
		said->granularity = second || (command->hints & IOPF_HINT_ANY_ASID) != 0 ?
					    IOPF_DOMAIN :
					    IOPF_ONE_PASID;
	if (alone && said->granularity == IOPF_DOMAIN)
		said->granularity = IOPF_ALL;
	said->hints &= (uint8_t) ~(IOPF_HINT_ALONE | (alone ? stages : 0));
	if (alone || (said->granularity == IOPF_ALL && !second))
		said->hints |= IOPF_HINT_ALONE;
	if (alone || (command->hints & stages) != 0 ||
	    (said->granularity != IOPF_ALL && said->granularity != IOPF_DOMAIN))
		return 1;
	said[1] = said[0];
	said[1].hints = IOPF_HINT_SECOND;
	return 2;
}

/* Write 1 to clear, with the queue left on. */
static int csr_clear(struct iopf_driver *driver, uint32_t csr, uint64_t value, uint32_t bits)
{
	return driver_write(driver, csr, 4,
			    (value & (RISCV_CSR_EN | RISCV_CSR_IE)) | bits);
}

static int riscv_recover(struct iopf_driver *driver)
{
	uint64_t value;
	int error = driver_read(driver, RISCV_PQCSR, 4, &value);

	return error != 0 ? error : csr_clear(driver, RISCV_PQCSR, value, RISCV_CSR_OF);
}

/* A queue that hardware could not write takes nothing until that is cleared; nor does one
 * of faults that overflowed, which nothing depends on. */
static int lost(struct iopf_driver *driver, uint32_t csr, uint32_t bits, int what)
{
	uint64_t value;
	int error = driver_read(driver, csr, 4, &value);

	if (error == 0 && (value & bits) != 0)
		error = csr_clear(driver, csr, value, (uint32_t)value & bits);
	if (error != 0)
		return error;
	driver->stats.fault_overflows += csr == RISCV_FQCSR && (value & bits & RISCV_CSR_OF) != 0;
	return (value & bits & RISCV_CSR_MF) != 0 ? what : 0;
}

static int riscv_errors(struct iopf_driver *driver)
{
	uint64_t value;
	int errors = 0, error = driver_read(driver, RISCV_CQCSR, 4, &value), more;

	if (error == 0 && (value & RISCV_CQCSR_TO) != 0) {
		error = driver_wait_given_up(driver);
		if (error == 0)
			error = csr_clear(driver, RISCV_CQCSR, value, RISCV_CQCSR_TO);
		errors |= IOPF_DRIVER_TIMEOUT;
	}
	if (error == 0 && (value & (RISCV_CQCSR_ILL | RISCV_CSR_MF)) != 0)
		errors |= IOPF_DRIVER_STOPPED;
	if (error != 0)
		return error;
	more = lost(driver, RISCV_PQCSR, RISCV_CSR_MF, IOPF_DRIVER_REQUESTS_LOST);
	if (more < 0)
		return more;
	errors |= more;
	more = lost(driver, RISCV_FQCSR, RISCV_CSR_MF | RISCV_CSR_OF,
		    IOPF_DRIVER_FAULTS_LOST);
	return more < 0 ? more : errors | more;
}

static int riscv_skip(struct iopf_driver *driver)
{
	const uint32_t stops = RISCV_CQCSR_ILL | RISCV_CSR_MF;
	uint64_t value;
	int error = driver_read(driver, RISCV_CQCSR, 4, &value);

	if (error == 0 && (value & stops) == 0)
		error = -EINVAL;
	if (error == 0)
		error = driver_pass_over(driver);
	return error != 0 ? error : csr_clear(driver, RISCV_CQCSR, value, stops);
}

#define QUEUE_PLACE(base, csr)                                                           \
	{                                                                                \
		.offset = (base), .width = 8, .addr_shift = 2, .addr = RISCV_PPN,        \
		.size = RISCV_LOG2SZ, .control = (csr), .shows = (csr), .control_width = 4, \
		.bits = RISCV_CSR_EN                                                     \
	}

const struct driver_family driver_riscv = {
	.wire = &iopf_wire_riscv,
	.places = {
		[DRIVER_COMMANDS] = QUEUE_PLACE(RISCV_CQB, RISCV_CQCSR),
		[DRIVER_REQUESTS] = QUEUE_PLACE(RISCV_PQB, RISCV_PQCSR),
		[DRIVER_EVENTS] = QUEUE_PLACE(RISCV_FQB, RISCV_FQCSR),
		[DRIVER_ROOT] = { .offset = RISCV_DDTP, .width = 8, .addr_shift = 2,
				  .addr = RISCV_PPN, .size = RISCV_DDTP_MODE,
				  .flags = RISCV_MODE_2LVL },
	},
	.index_bytes = 4,
	.size_aligned = true,
	.status_at_zero = true,
	.request = { .prod = RISCV_PQT, .cons = RISCV_PQH },
	.event = { .prod = RISCV_FQT, .cons = RISCV_FQH },
	.command = { .prod = RISCV_CQT, .cons = RISCV_CQH },
	.status = RISCV_PQCSR,
	.overflow = RISCV_CSR_OF,
	.pending = 1 << RISCV_PIP,
	.pending_at = RISCV_IPSR,
	.event_pending = 1 << RISCV_FIP,
	.recover = riscv_recover,
	.bit_set = csr_set,
	.bit_shows = csr_shows,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.say = riscv_say,
	.errors = riscv_errors,
	.skip = riscv_skip,
};

/* ==== Hardware end ======================================================================= */

#define CSR_WRITABLE  (RISCV_CSR_EN | RISCV_CSR_IE)
#define BASE          (RISCV_PPN | RISCV_LOG2SZ)

static const struct register_row rows[] = {
	{ RISCV_DDTP, 8, 0, RISCV_PPN | RISCV_DDTP_MODE, 0 },
	{ RISCV_CQB, 8, 0, BASE, 0 },
	{ RISCV_CQT, 4, 0, UINT32_MAX, 0 },
	{ RISCV_FQB, 8, 0, BASE, 0 },
	{ RISCV_FQH, 4, 0, UINT32_MAX, 0 },
	{ RISCV_PQB, 8, 0, BASE, 0 },
	{ RISCV_PQH, 4, 0, UINT32_MAX, 0 },
	{ RISCV_CQCSR, 4, 0, CSR_WRITABLE,
	  RISCV_CSR_MF | RISCV_CQCSR_TO | RISCV_CQCSR_ILL | RISCV_CQCSR_WIP },
	{ RISCV_FQCSR, 4, 0, CSR_WRITABLE, RISCV_CSR_MF | RISCV_CSR_OF },
	{ RISCV_PQCSR, 4, 0, CSR_WRITABLE, RISCV_CSR_MF | RISCV_CSR_OF },
	{ RISCV_IPSR, 4, 0, 0, 1 << RISCV_CIP | 1 << RISCV_FIP | 1 << RISCV_PIP },
	{ RISCV_MSI_ADDR, 8, 0, UINT64_C(0x00fffffffffffffc), 0 },
	{ RISCV_MSI_DATA, 4, 0, UINT32_MAX, 0 },
	{ RISCV_MSI_CONTROL, 4, 0, RISCV_MSI_MASKED, 0 },
};

/* What is set up is not changed while it is in use: "implementation defined"; here it
 * stays. */
static const struct register_guard guards[] = {
	{ RISCV_CQB, UINT64_MAX, RISCV_CQCSR, RISCV_CSR_ON },
	{ RISCV_FQB, UINT64_MAX, RISCV_FQCSR, RISCV_CSR_ON },
	{ RISCV_PQB, UINT64_MAX, RISCV_PQCSR, RISCV_CSR_ON },
	{ RISCV_FCTL, UINT32_MAX, RISCV_CQCSR, RISCV_CSR_ON },
	{ RISCV_FCTL, UINT32_MAX, RISCV_FQCSR, RISCV_CSR_ON },
	{ RISCV_FCTL, UINT32_MAX, RISCV_PQCSR, RISCV_CSR_ON },
};

static const struct register_window windows[] = { { 0, RISCV_REGISTERS_END, 0 } };

static const struct register_layout layout = {
	.size_bytes = 4096,
	.windows = windows,
	.window_count = 1,
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.guards = guards,
	.guard_count = sizeof(guards) / sizeof(guards[0]),
};
static_assert(RISCV_REGISTERS_END / 8 <= REGISTER_WORDS, "a word for every register");

static bool riscv_create(struct iopf_hardware *hardware)
{
	uint64_t cap = hardware->options.cap;
	uint64_t beyond = UINT64_MAX << (RISCV_CAP_PAS(cap) - 2);

	if (RISCV_CAP_PAS(cap) < 32 || RISCV_CAP_PAS(cap) > RISCV_ADDRESS_BITS ||
	    RISCV_CAP_IGS(cap) > RISCV_IGS_BOTH)
		return false;
	registers_create(&hardware->file, &layout);
	if (RISCV_CAP_IGS(cap) == RISCV_IGS_BOTH)
		registers_add(&hardware->file, &(struct register_row){ RISCV_FCTL, 4, 0,
								       RISCV_FCTL_WSI, 0 });
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		registers_forbid(&hardware->file, queues[i]->base, beyond);
	registers_forbid(&hardware->file, RISCV_DDTP, beyond);
	if ((cap & RISCV_CAP_ATS) == 0) {
		registers_forbid(&hardware->file, RISCV_PQB, UINT64_MAX);
		registers_forbid(&hardware->file, RISCV_PQH, UINT32_MAX);
		registers_forbid(&hardware->file, RISCV_PQCSR, UINT32_MAX);
	}
	reg64_set(hardware, RISCV_CAPABILITIES, cap);
	return true;
}

/* "LOG2SZ:0 bits are writable": an index has no others. */
static void queue_ring(const struct iopf_hardware *hardware, const struct queue *queue,
		       struct ring *ring)
{
	uint64_t base = reg64(hardware, queue->base);
	uint32_t log2 = (uint32_t)(base & RISCV_LOG2SZ) + 1;

	/* No more entries than an index of 32 bits tells apart from all of them. */
	ring_create(ring, (struct ring_convention){ .wrap_bit = false },
		    RISCV_PPN_ADDR(base), (uint64_t)queue->entry_bytes << (log2 < 31 ? log2 : 30),
		    queue->entry_bytes);
}

static uint32_t queue_index(const struct iopf_hardware *hardware, const struct ring *ring,
			    uint32_t offset)
{
	return reg32(hardware, offset) & (ring->modulus - 1);
}

/* ---- Interrupts --------------------------------------------------------------------------- */

/* There is one vector. A message that is masked leaves when it no longer is. */
static void interrupt_send(struct iopf_hardware *hardware)
{
	bool wire = (reg32(hardware, RISCV_FCTL) & RISCV_FCTL_WSI) != 0;

	hardware->riscv.held_back =
		!wire && (reg32(hardware, RISCV_MSI_CONTROL) & RISCV_MSI_MASKED) != 0;
	if (!hardware->riscv.held_back)
		hardware->options.ops->interrupt(hardware->options.context,
						 wire ? 0 : reg64(hardware, RISCV_MSI_ADDR),
						 wire ? 0 : reg32(hardware, RISCV_MSI_DATA));
}

/* Not again while it is pending. */
static void interrupt_raise(struct iopf_hardware *hardware, const struct queue *queue)
{
	uint32_t pending = reg32(hardware, RISCV_IPSR), bit = 1u << queue->cause;

	if ((reg32(hardware, queue->csr) & RISCV_CSR_IE) == 0 || (pending & bit) != 0)
		return;
	reg32_set(hardware, RISCV_IPSR, pending | bit);
	interrupt_send(hardware);
}

/* An error that stands is pending again as soon as it was cleared. */
static void interrupts_settle(struct iopf_hardware *hardware)
{
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		if ((reg32(hardware, queues[i]->csr) & queues[i]->errors) != 0)
			interrupt_raise(hardware, queues[i]);
}

static void msi_written(struct iopf_hardware *hardware)
{
	if (hardware->riscv.held_back)
		interrupt_send(hardware);
}

/* Sets a bit that stops the queue. */
static void queue_error(struct iopf_hardware *hardware, const struct queue *queue,
			uint32_t bit)
{
	reg32_set(hardware, queue->csr, reg32(hardware, queue->csr) | bit);
	interrupt_raise(hardware, queue);
}

/* ---- What a write sets off ---------------------------------------------------------------- */

/* Enabling clears the index that hardware owns, and the errors. */
static void csr_written(struct iopf_hardware *hardware, const struct queue *queue)
{
	uint32_t value = reg32(hardware, queue->csr);
	bool on = (value & RISCV_CSR_EN) != 0, was = (value & RISCV_CSR_ON) != 0;

	if (on && !was) {
		reg32_set(hardware, queue == &commands ? queue->head : queue->tail, 0);
		value &= ~queue->errors;
	}
	reg32_set(hardware, queue->csr,
		  on ? value | RISCV_CSR_ON : value & ~(uint32_t)RISCV_CSR_ON);
	if (on == was)
		return;
	if (queue == &commands)
		hardware->holding = hardware->unanswered = false;
	else
		hardware->options.ops->queue_changed(hardware->options.context,
						     on ? queue->enabled : queue->disabled);
}

static void csrs_written(struct iopf_hardware *hardware)
{
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++)
		csr_written(hardware, queues[i]);
	interrupts_settle(hardware);
}

/* An illegal mode is none: the one before stays. From one number of levels to another the
 * way is by Off or Bare. */
static void ddtp_written(struct iopf_hardware *hardware)
{
	uint64_t value = reg64(hardware, RISCV_DDTP), before = hardware->riscv.ddtp;
	uint64_t mode = value & RISCV_DDTP_MODE, old = before & RISCV_DDTP_MODE;
	bool on = mode > RISCV_MODE_BARE, was = old > RISCV_MODE_BARE;

	if (mode > RISCV_MODE_3LVL || (on && was && mode != old)) {
		hardware->stats.bad_accesses++;
		value = (value & ~RISCV_DDTP_MODE) | old;
		on = was;
	}
	reg64_set(hardware, RISCV_DDTP, value);
	hardware->riscv.ddtp = value;
	if (on != was)
		hardware->options.ops->translation_changed(hardware->options.context, on);
	else if (value != before)
		hardware->options.ops->root_changed(hardware->options.context);
}

static const struct hardware_action actions[] = {
	{ RISCV_DDTP, RISCV_DDTP + 8, ddtp_written },
	{ RISCV_CQCSR, RISCV_IPSR + 4, csrs_written },
	{ RISCV_MSI_CONTROL, RISCV_MSI_CONTROL + 4, msi_written },
};

/* ---- Records ------------------------------------------------------------------------------ */

/* 0; -ENOSPC: it overflowed, now or before; -EFAULT: it could not be written, now or
 * before; -ENXIO: it is off. Only the first puts @record into the queue. */
static int queue_put(struct iopf_hardware *hardware, const struct queue *queue,
		     const uint8_t *record)
{
	uint32_t csr = reg32(hardware, queue->csr), tail;
	struct ring ring;

	queue_ring(hardware, queue, &ring);
	tail = queue_index(hardware, &ring, queue->tail);
	if ((csr & RISCV_CSR_ON) == 0)
		return -ENXIO;
	if ((csr & RISCV_CSR_MF) != 0)
		return -EFAULT;
	if ((csr & RISCV_CSR_OF) != 0)
		return -ENOSPC;
	if (ring_full(&ring, tail, queue_index(hardware, &ring, queue->head))) {
		hardware->stats.overflows++;
		queue_error(hardware, queue, RISCV_CSR_OF);
		return -ENOSPC;
	}
	if (!ring_store(&ring, hardware->options.memory, tail, record)) {
		hardware->stats.bad_addresses++;
		queue_error(hardware, queue, RISCV_CSR_MF);
		return -EFAULT;
	}
	/* release: the record is written; pairs with software's read of the tail */
	reg32_set(hardware, queue->tail, ring_next(&ring, tail));
	interrupt_raise(hardware, queue);
	return 0;
}

/* "PCIe ATS translation request handling ... Page Request": what is not the last of its
 * group, and markers, are dropped silently. */
static int riscv_post(struct iopf_hardware *hardware, const struct iopf_request *request,
		      const uint8_t *record)
{
	int error = queue_put(hardware, &requests, record);

	hardware->stats.posted += error == 0;
	if (error == 0)
		return IOPF_POSTED;
	if ((request->flags & IOPF_LAST) == 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.answered += error == -ENOSPC;
	hardware->stats.refused += error != -ENOSPC;
	return error == -ENOSPC ? IOPF_POSTED_SUCCESS : IOPF_POSTED_FAILURE;
}

static bool riscv_fault(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	bool put = iopf_wire_riscv.encode_fault(fault, record) == 0 &&
		   queue_put(hardware, &faults, record) == 0;

	hardware->stats.faults += put;
	hardware->stats.lost_faults += !put;
	return put;
}

static bool riscv_fault_room(const struct iopf_hardware *hardware, uint32_t *room, uint32_t *size)
{
	uint32_t csr = reg32(hardware, RISCV_FQCSR);
	struct ring ring;

	queue_ring(hardware, &faults, &ring);
	*size = ring_capacity(&ring);
	*room = *size - ring_used(&ring, queue_index(hardware, &ring, RISCV_FQT),
				  queue_index(hardware, &ring, RISCV_FQH));
	return (csr & RISCV_CSR_ON) != 0 && (csr & faults.errors) == 0;
}

/* ---- Commands ------------------------------------------------------------------------------ */

static bool commands_run(const struct iopf_hardware *hardware, struct ring *ring,
			 uint32_t *head, uint32_t *tail)
{
	uint32_t csr = reg32(hardware, RISCV_CQCSR);

	queue_ring(hardware, &commands, ring);
	*head = queue_index(hardware, ring, RISCV_CQH);
	*tail = queue_index(hardware, ring, RISCV_CQT);
	return (csr & RISCV_CSR_ON) != 0 &&
	       (csr & (RISCV_CSR_MF | RISCV_CQCSR_TO | RISCV_CQCSR_ILL)) == 0;
}

static bool pages_legal(uint64_t cap, const struct iopf_command *command)
{
	if ((command->hints & IOPF_HINT_SECOND) != 0 && (cap & RISCV_CAP_SVX4) == 0)
		return false;
	return command->granularity != IOPF_PAGE ||
	       ((command->size_bytes <= 4096 || (cap & RISCV_CAP_S) != 0) &&
		((command->hints & IOPF_HINT_LEAF) != 0 || (cap & RISCV_CAP_NL) != 0));
}

/* A device, or a process, wider than the directories; what is not implemented. */
static bool command_legal(const struct iopf_hardware *hardware,
			  const struct iopf_command *command)
{
	uint64_t cap = reg64(hardware, RISCV_CAPABILITIES);
	uint32_t pasids = (cap & RISCV_CAP_PD20) != 0 ? 20 : (cap & RISCV_CAP_PD17) != 0 ? 17 : 8;

	switch (command->kind) {
	case IOPF_COMMAND_RESPONSE:
	case IOPF_COMMAND_INVALIDATE_DEVICE:
		return (cap & RISCV_CAP_ATS) != 0;
	case IOPF_COMMAND_INVALIDATE_PASID:
		return command->pasid >> pasids == 0;
	case IOPF_COMMAND_INVALIDATE_IOTLB:
		return pages_legal(cap, command);
	case IOPF_COMMAND_WAIT:
		return (command->wait_flags & IOPF_WAIT_INTERRUPT) == 0 ||
		       (reg32(hardware, RISCV_FCTL) & RISCV_FCTL_WSI) != 0;
	default:
		return true;
	}
}

static void commands_stop(struct iopf_hardware *hardware, enum hardware_stop why)
{
	static const uint32_t bits[] = { [HARDWARE_ILLEGAL] = RISCV_CQCSR_ILL,
					 [HARDWARE_ADDRESS] = RISCV_CSR_MF,
					 [HARDWARE_TIMEOUT] = RISCV_CQCSR_TO };

	queue_error(hardware, &commands, bits[why]);
}

static int fence_report(struct iopf_hardware *hardware, const struct iopf_command *wait)
{
	return (wait->wait_flags & IOPF_WAIT_STATUS) == 0 ||
			       ring_status_store(hardware->options.memory, wait->status_addr,
						 (uint32_t)wait->status_data) ?
		       0 :
		       -EFAULT;
}

static void fence_waited(struct iopf_hardware *hardware, const struct iopf_command *wait)
{
	if ((wait->wait_flags & IOPF_WAIT_INTERRUPT) != 0)
		queue_error(hardware, &commands, RISCV_CQCSR_WIP);
}

static bool riscv_step(struct iopf_hardware *hardware)
{
	static const struct hardware_commands row = { RISCV_CQH,     commands_run, command_legal,
						      commands_stop, fence_report, fence_waited };

	return hardware_commands_step(hardware, &row);
}

/* ---- The row -------------------------------------------------------------------------------- */

static uint64_t riscv_root(const struct iopf_hardware *hardware)
{
	return RISCV_PPN_ADDR(reg64(hardware, RISCV_DDTP));
}

static uint64_t riscv_root_config(const struct iopf_hardware *hardware)
{
	return reg64(hardware, RISCV_DDTP) & RISCV_DDTP_MODE;
}

static bool riscv_translates(const struct iopf_hardware *hardware)
{
	return riscv_root_config(hardware) > RISCV_MODE_BARE;
}

static int riscv_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options)
{
	uint32_t features = RISCV_VIRTUAL;

	if (offer->levels < 3 || offer->levels > 5)
		return -EINVAL;
	if (offer->levels < 5)
		features &= ~(uint32_t)RISCV_HAS_SV57;
	if (offer->levels < 4)
		features &= ~(uint32_t)RISCV_HAS_SV48;
	options->version = RISCV_VERSION;
	return riscv_capabilities(features, VIRTUAL_PASID_BITS, RISCV_ADDRESS_BITS, &options->cap);
}

const struct hardware_family hardware_riscv = {
	.wire = &iopf_wire_riscv,
	.mechanisms = 1 << IOPF_PRI,
	.guest_mechanisms = 1 << IOPF_PRI,
	.rid_max = UINT16_MAX,
	.off_forgets = true,
	.waits_drain = true,
	.doorbells = (const uint32_t[]){ RISCV_CQT, RISCV_FQH, RISCV_PQH, RISCV_IPSR, 0 },
	.offer = riscv_offer,
	.actions = actions,
	.action_count = sizeof(actions) / sizeof(actions[0]),
	.create = riscv_create,
	.post = riscv_post,
	.fault = riscv_fault,
	.fault_room = riscv_fault_room,
	.step = riscv_step,
	.root = riscv_root,
	.root_config = riscv_root_config,
	.translates = riscv_translates,
};
