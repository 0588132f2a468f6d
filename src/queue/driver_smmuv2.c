/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/driver_smmuv2.c - software's end of an Arm SMMUv2's registers: there are no queues.
 *
 * A context bank holds one fault, and one stalled transaction with it, under no name: RESUME
 * is for whatever stands there. So software keeps, for each bank, whether it has read a
 * fault that nobody has answered, and writes RESUME for that alone. (IHI 0062, "Stall mode";
 * the order is the architecture's: the cause, FSR, RESUME.)
 *
 * SS keeps the interrupt asserted until RESUME, whatever is written to FSR, and a line may
 * be that of several banks: CFIE is off from when a fault is read to when it is over.
 */
#include <errno.h>

#include "queue/driver.h"
#include "table/family.h"
#include "wire/smmuv2.h"

#define FSR_CLEARABLE (SMMUV2_FSR_FAULTS | SMMUV2_FSR_MULTI)

static struct family_registers registers_of(const struct iopf_driver *driver)
{
	return (struct family_registers){ .read = driver->options.registers->read,
					  .write = driver->options.registers->write,
					  .context = driver->options.context };
}

static uint32_t bank_at(const struct iopf_driver *driver, uint32_t offset, uint32_t bank)
{
	return smmuv2_bank_at(&driver->smmuv2.features, offset, bank);
}

static int bank_read(struct iopf_driver *driver, uint32_t bank, uint32_t offset,
		     uint32_t *value)
{
	uint64_t read;
	int error = driver_read(driver, bank_at(driver, offset, bank), 4, &read);

	if (error == 0)
		*value = (uint32_t)read;
	return error;
}

static int bank_write(struct iopf_driver *driver, uint32_t bank, uint32_t offset,
		      uint32_t value)
{
	return driver_write(driver, bank_at(driver, offset, bank), 4, value);
}

static int control_set(struct iopf_driver *driver, uint32_t bank, uint32_t bits, bool on)
{
	uint32_t value;
	int error = bank_read(driver, bank, SMMUV2_SCTLR, &value);

	return error != 0 ? error :
			    bank_write(driver, bank, SMMUV2_SCTLR,
				       on ? value | bits : value & ~bits);
}

/* FSR first, then RESUME, where something waits at all; *@was: what stood there. */
static int fault_end(struct iopf_driver *driver, uint32_t bank, bool terminate,
		     uint32_t *was)
{
	int error = bank_read(driver, bank, SMMUV2_FSR, was);

	if (error == 0 && (*was & FSR_CLEARABLE) != 0)
		error = bank_write(driver, bank, SMMUV2_FSR, *was & FSR_CLEARABLE);
	if (error == 0 && (*was & SMMUV2_FSR_SS) != 0)
		error = bank_write(driver, bank, SMMUV2_RESUME,
				   terminate ? SMMUV2_TERMINATE : 0);
	driver->stats.fault_overflows += error == 0 && (*was & SMMUV2_FSR_MULTI) != 0;
	return error;
}

/* ---- Start and stop ---------------------------------------------------------------------- */

static int identification_check(struct iopf_driver *driver)
{
	struct smmuv2_features *features = &driver->smmuv2.features;
	const struct family_registers registers = registers_of(driver);
	union family_features there;
	int error = family_smmuv2.features(&registers, &there);

	if (error != 0)
		return error;
	*features = there.smmuv2;
	return (features->first || features->second) && features->matches &&
			       features->pages_4k && features->streams != 0 &&
			       features->banks != 0 ?
		       0 :
		       -EOPNOTSUPP;
}

/* What an earlier driver may have left. Some banks are wired not to stall: that is seen
 * when it is read back. */
static int bank_shut(struct iopf_driver *driver, uint32_t bank)
{
	uint32_t was, value = 0;
	int error = bank_write(driver, bank, SMMUV2_SCTLR, SMMUV2_SCTLR_CFCFG);

	if (error == 0)
		error = bank_read(driver, bank, SMMUV2_SCTLR, &value);
	if (error == 0)
		error = bank_write(driver, bank, SMMUV2_SCTLR, 0);
	if (error == 0)
		error = fault_end(driver, bank, true, &was);
	driver->stall_max += (value & SMMUV2_SCTLR_CFCFG) != 0;
	driver->smmuv2.bank[bank].state = SMMUV2_CLOSED;
	return error;
}

/* No stream is let through from here on, whatever matched it before. */
static int all_shut(struct iopf_driver *driver)
{
	const struct smmuv2_features *features = &driver->smmuv2.features;
	uint32_t control = SMMUV2_CR0_GFRE | SMMUV2_CR0_GCFGFRE | SMMUV2_CR0_USFCFG |
			   SMMUV2_CR0_VMIDPNE | SMMUV2_CR0_PTM |
			   (features->vmid16 ? SMMUV2_CR0_VMID16EN : 0);
	int error = 0;

	for (uint32_t i = 0; i < features->streams && error == 0; i++) {
		const struct driver_register writes[] = {
			{ SMMUV2_S2CR + 4 * i, 4,
			  (uint64_t)SMMUV2_FAULT_ALL << (FIELD_LSB(SMMUV2_STREAM_TYPE) - 32) },
			{ SMMUV2_SMR + 4 * i, 4, 0 },
		};

		error = driver_write_all(driver, writes, 2);
	}
	driver->stall_max = 0;
	for (uint32_t i = 0; i < features->banks && error == 0; i++)
		error = bank_shut(driver, i);
	return error != 0 ? error : driver_write(driver, SMMUV2_CR0, 4, control);
}

static int caches_invalidate(struct iopf_driver *driver)
{
	static const uint8_t kinds[] = { IOPF_COMMAND_INVALIDATE_IOTLB };

	return driver_invalidate_all(driver, kinds, sizeof(kinds));
}

static const struct driver_phase start_phases[] = {
	{ .act = identification_check },
	{ .act = all_shut },
	{ .act = caches_invalidate, .done = driver_invalidated },
};

/* Off would let everything through: it stays on, and lets nobody in. */
static const struct driver_phase stop_phases[] = {
	{ .act = all_shut },
	{ .act = caches_invalidate, .done = driver_invalidated },
};

/* ---- Faults ------------------------------------------------------------------------------ */

/* The image that its record is. */
static int image_read(struct iopf_driver *driver, uint32_t bank, uint32_t fsr,
		      uint8_t record[SMMUV2_FAULT_BYTES])
{
	const struct smmuv2_features *features = &driver->smmuv2.features;
	const struct driver_register reads[] = {
		{ bank_at(driver, SMMUV2_FSYNR0, bank), 8, 0 }, /* and FSYNR1 */
		{ bank_at(driver, SMMUV2_FAR, bank), 8, 0 },
		{ bank_at(driver, SMMUV2_IPAFAR, bank), 8, 0 },
		{ smmuv2_second_at(features, SMMUV2_CBFRSYNRA, bank), 4, 0 },
	};
	uint64_t words[4];

	for (uint32_t i = 0; i < 4; i++) {
		int error = driver_read(driver, reads[i].offset, reads[i].width, &words[i]);

		if (error != 0)
			return error;
	}
	le64_put(record, fsr | words[0] << 32);
	le64_put(record + 8, words[1]);
	le64_put(record + 16, words[2]);
	le64_put(record + 24, (words[3] & UINT32_MAX) | words[0] >> 32 << 32);
	return 0;
}

/* What is stalled is open until it is answered; what is not is over now, and the next may
 * be recorded. */
static int fault_open(struct iopf_driver *driver, uint32_t bank,
		      const struct iopf_fault *fault)
{
	uint32_t was;

	if (!fault->stall)
		return fault_end(driver, bank, false, &was);
	driver->smmuv2.bank[bank].rid = fault->rid;
	driver->smmuv2.bank[bank].state = SMMUV2_OPEN;
	return control_set(driver, bank, SMMUV2_SCTLR_CFIE, false);
}

/* Returns: 1: *@fault; 0: there is none; or an error. */
static int fault_take(struct iopf_driver *driver, uint32_t bank, struct iopf_fault *fault)
{
	uint8_t record[SMMUV2_FAULT_BYTES];
	bool reserved;
	uint32_t fsr;
	int error = bank_read(driver, bank, SMMUV2_FSR, &fsr);

	if (error != 0 || (fsr & SMMUV2_FSR_FAULTS) == 0)
		return error;
	error = image_read(driver, bank, fsr, record);
	if (error != 0)
		return error;
	error = driver->options.wire->decode_fault(record, fault, &reserved);
	fault->index = (uint16_t)bank;
	if (error == 0)
		error = fault_open(driver, bank, fault);
	driver->stats.faults++;
	driver->stats.reserved_bits += reserved;
	return error != 0 ? error : 1;
}

/* Each bank in turn: nobody's faults keep others' waiting. */
static int faults_take(struct iopf_driver *driver, struct iopf_fault *faults, uint32_t max)
{
	uint32_t banks = driver->smmuv2.features.banks, count = 0, first = driver->fault_next;

	for (uint32_t i = 0; i < banks && count < max; i++) {
		uint32_t bank = (first + i) % banks;
		int taken = 0;

		driver->fault_next = (bank + 1) % banks;
		if (driver->smmuv2.bank[bank].state == SMMUV2_CLOSED)
			taken = fault_take(driver, bank, &faults[count]);
		if (taken < 0)
			return count > 0 ? (int)count : taken;
		count += (uint32_t)taken;
	}
	return (int)count;
}

static int backlog(struct iopf_driver *driver, uint32_t *count)
{
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < driver->smmuv2.features.banks; i++) {
		uint32_t fsr = 0;
		int error = bank_read(driver, i, SMMUV2_FSR, &fsr);

		if (error != 0)
			return error;
		waiting += driver->smmuv2.bank[i].state == SMMUV2_CLOSED &&
			   (fsr & SMMUV2_FSR_FAULTS) != 0;
	}
	*count = waiting;
	return 0;
}

/* ---- Answers ----------------------------------------------------------------------------- */

/* A retry may walk as soon as it is let go: what was invalidated before is forgotten then. */
static int respond(struct iopf_driver *driver, const struct iopf_command *command)
{
	uint32_t bank = command->index;

	if (bank >= driver->smmuv2.features.banks ||
	    driver->smmuv2.bank[bank].state != SMMUV2_OPEN ||
	    driver->smmuv2.bank[bank].rid != command->rid) {
		driver->stats.refused++;
		return -ENOENT;
	}
	driver->smmuv2.bank[bank].state = SMMUV2_ANSWERED;
	driver->smmuv2.bank[bank].terminate = command->code != IOPF_SUCCESS;
	driver->smmuv2.bank[bank].behind = driver->wait_submitted;
	return 0;
}

/* Of one that is let in nowhere any more. */
static int terminate(struct iopf_driver *driver, uint32_t rid)
{
	const struct family_registers registers = registers_of(driver);
	uint32_t number, bank;
	uint64_t word;
	int error = smmuv2_stream_find(&registers, &driver->smmuv2.features, rid, &number,
				       &word);

	if (error != 0 || number == SMMUV2_NONE)
		return error;
	bank = (uint32_t)field_of(word, SMMUV2_STREAM_CBNDX);
	if (bank >= driver->smmuv2.features.banks)
		return -EIO;
	driver->smmuv2.bank[bank].state = SMMUV2_ENDING;
	driver->smmuv2.bank[bank].terminate = true;
	driver->smmuv2.bank[bank].behind = 0;
	return 0;
}

/* Where a stream ends, what is retried behind the one that is shown finds no bank that
 * stalls. */
static int bank_settle(struct iopf_driver *driver, uint32_t bank)
{
	bool ending = driver->smmuv2.bank[bank].state == SMMUV2_ENDING;
	uint32_t was = 0;
	int error = ending ? control_set(driver, bank, SMMUV2_SCTLR_CFCFG, false) : 0;

	if (error == 0)
		error = fault_end(driver, bank, driver->smmuv2.bank[bank].terminate, &was);
	driver->smmuv2.bank[bank].state = SMMUV2_CLOSED;
	driver->stats.refused += !ending && (was & SMMUV2_FSR_SS) == 0;
	return error != 0 ? error : control_set(driver, bank, SMMUV2_SCTLR_CFIE, true);
}

/* ---- Invalidations and waits --------------------------------------------------------------- */

/* The bank whose first level @command is about; or as many as there are. */
static uint32_t bank_named(const struct iopf_driver *driver,
			   const struct iopf_command *command)
{
	const struct smmuv2_features *features = &driver->smmuv2.features;
	const struct family_registers registers = registers_of(driver);
	uint32_t at = 0;

	for (; at < features->banks; at++) {
		uint64_t words[SMMUV2_BANK_WORDS];
		struct smmuv2_bank bank;

		if (smmuv2_bank_read(&registers, features, at, words) == 0 &&
		    smmuv2_bank_decode(words, features, &bank) && bank.on &&
		    bank.type == SMMUV2_FIRST && bank.vmid == command->domain &&
		    bank.asid == command->asid)
			break;
	}
	return at;
}

enum { PAGES_AT_ONCE = 16 }; /* more are forgotten with their whole address space */

static int pages_forget(struct iopf_driver *driver, const struct iopf_command *command,
			uint32_t bank)
{
	bool leaf = (command->hints & IOPF_HINT_LEAF) != 0;
	uint32_t at = bank_at(driver, leaf ? SMMUV2_TLBIVAL : SMMUV2_TLBIVA, bank);
	int error = 0;

	for (uint64_t i = 0; i < command->size_bytes / 4096 && error == 0; i++)
		error = driver_write(driver, at, 8,
				     SMMUV2_TLBI_ASID(command->asid) |
					     (command->addr / 4096 + i) % (UINT64_C(1) << 44));
	return error;
}

/* More may be forgotten than was asked for, never less. */
static int forget(struct iopf_driver *driver, const struct iopf_command *command)
{
	bool first = command->granularity >= IOPF_ONE_PASID &&
		     (command->hints & (IOPF_HINT_SECOND | IOPF_HINT_ANY_ASID)) == 0;
	uint32_t bank;

	if (command->granularity == IOPF_ALL)
		return driver_write(driver, SMMUV2_TLBIALLNSNH, 4, 0);
	bank = first ? bank_named(driver, command) : driver->smmuv2.features.banks;
	if (bank == driver->smmuv2.features.banks)
		return driver_write(driver, SMMUV2_TLBIVMID, 4, command->domain);
	if (command->granularity == IOPF_PAGE &&
	    command->size_bytes <= PAGES_AT_ONCE * UINT64_C(4096))
		return pages_forget(driver, command, bank);
	return bank_write(driver, bank, SMMUV2_TLBIASID, command->asid);
}

/* One sync at a time: what is asked for meanwhile has the next. */
static int sync_begin(struct iopf_driver *driver, uint64_t wait)
{
	int error = driver_write(driver, SMMUV2_TLBGSYNC, 4, 0);

	if (error == 0)
		driver->smmuv2.syncing = wait;
	return error;
}

static int sync_look(struct iopf_driver *driver)
{
	uint64_t status;
	int error;

	if (driver->smmuv2.syncing == 0)
		return 0;
	error = driver_read(driver, SMMUV2_TLBGSTATUS, 4, &status);
	if (error != 0 || (status & SMMUV2_GSACTIVE) != 0)
		return error;
	driver->wait_seen = driver->smmuv2.syncing;
	driver->smmuv2.syncing = 0;
	return driver->wait_seen < driver->wait_submitted ?
		       sync_begin(driver, driver->wait_submitted) :
		       0;
}

static int look(struct iopf_driver *driver)
{
	int error = sync_look(driver);

	for (uint32_t i = 0; i < driver->smmuv2.features.banks && error == 0; i++)
		if (driver->smmuv2.bank[i].state >= SMMUV2_ANSWERED &&
		    driver->smmuv2.bank[i].behind <= driver->wait_seen)
			error = bank_settle(driver, i);
	return error;
}

/* Entries are registers: nothing remembers them. */
static int submit(struct iopf_driver *driver, const struct iopf_command *command)
{
	switch (command->kind) {
	case IOPF_COMMAND_RESPONSE:
		return respond(driver, command);
	case IOPF_COMMAND_TERMINATE:
		return terminate(driver, command->rid);
	case IOPF_COMMAND_INVALIDATE_CONTEXT:
	case IOPF_COMMAND_INVALIDATE_PASID:
		return 0;
	case IOPF_COMMAND_INVALIDATE_IOTLB:
		return forget(driver, command);
	case IOPF_COMMAND_WAIT:
		return driver->smmuv2.syncing != 0 ?
			       0 :
			       sync_begin(driver, driver->wait_submitted + 1);
	default:
		return -EOPNOTSUPP;
	}
}

static int no_errors(struct iopf_driver *driver)
{
	(void)driver;
	return 0;
}

static int nothing_stops(struct iopf_driver *driver)
{
	(void)driver;
	return -EINVAL;
}

static const struct driver_direct direct = { .submit = submit,
					     .look = look,
					     .backlog = backlog };

const struct driver_family driver_smmuv2 = {
	.wire = &iopf_wire_smmuv2,
	.direct = &direct,
	.status_at_zero = true,
	.start = DRIVER_PHASES(start_phases),
	.stop = DRIVER_PHASES(stop_phases),
	.errors = no_errors,
	.skip = nothing_stops,
	.faults = faults_take,
};
