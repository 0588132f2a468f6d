/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/smmuv2.c - the hardware end of an Arm SMMUv2: registers, and nothing else.
 *
 * IHI 0062; 4 KiB pages of registers: 32 of the global space, then a page a context bank.
 * A fault goes to the registers of its bank (iopf_fault.index says which). While one stands
 * there no other is recorded: MULTI says that there was one. What is written to the TLBI
 * registers and to RESUME comes out as a command.
 */
#include <errno.h>

#include "queue/hardware.h"
#include "table/smmuv2.h"
#include "wire/smmuv2.h"

enum {
	PAGE = 0x1000,
	BANK_PAGE = 32, /* 2 to the power of ID1.NUMPAGENDXB + 1 */
	BANKS = IOPF_SMMUV2_BANK_MAX,
	STREAMS = IOPF_SMMUV2_STREAM_MAX,
	LINES = 4,
	SECOND_PAGE = PAGE,
	BANK_SPACE = BANK_PAGE * PAGE,
};

/* ---- Identification ------------------------------------------------------------------------ */

enum { STREAM_BITS = 15, SIZE_48 = 5, UPSTREAM_49 = 5 };

static uint32_t id_of(uint32_t field, uint32_t value)
{
	return value << FIELD_LSB(field);
}

int iopf_smmuv2_identification(uint32_t features, uint32_t banks, uint32_t idr[6])
{
	const uint32_t known = IOPF_SMMUV2_PHYSICAL;

	if ((features & ~known) != 0 || banks == 0 || banks > BANKS)
		return -EINVAL;
	for (unsigned i = 0; i < 6; i++)
		idr[i] = 0;
	idr[0] = id_of(SMMUV2_ID0_S1TS, (features & IOPF_SMMUV2_S1) != 0) |
		 id_of(SMMUV2_ID0_S2TS, (features & IOPF_SMMUV2_S2) != 0) |
		 id_of(SMMUV2_ID0_SMS, 1) | id_of(SMMUV2_ID0_NUMIRPT, LINES) |
		 id_of(SMMUV2_ID0_NUMSIDB, STREAM_BITS) |
		 id_of(SMMUV2_ID0_NUMSMRG, STREAMS);
	idr[1] = id_of(SMMUV2_ID1_NUMCB, banks) |
		 id_of(SMMUV2_ID1_NUMPAGENDXB, 4);
	idr[2] = id_of(SMMUV2_ID2_OAS, SIZE_48) | id_of(SMMUV2_ID2_PTFS_4K, 1) |
		 SIZE_48 | UPSTREAM_49 << 8 | /* IAS, UBS */
		 id_of(SMMUV2_ID2_VMID16, (features & IOPF_SMMUV2_VMID16) != 0);
	idr[5] = (features & IOPF_SMMUV2_STALL) != 0 ? 0 : SMMUV2_SCTLR_CFCFG;
	return 0;
}

/* ---- The register file --------------------------------------------------------------------- */

enum {
	WORD_STREAMS = 16,
	WORD_SECOND = WORD_STREAMS + STREAMS,
	WORD_CONTROL = WORD_SECOND + 3 * BANKS / 2,
	WORD_FAULT = WORD_CONTROL + 8 * BANKS,
	WORD_TLBI = WORD_FAULT + 4 * BANKS,
	WORD_SYNC = WORD_TLBI + 8,
	WORD_END,
};
static_assert((int)WORD_END <= (int)REGISTER_WORDS, "all of them are kept");

static const struct register_window windows[] = {
	{ 0, 0x80, 0 },
	{ SMMUV2_SMR, SMMUV2_SMR + 4 * STREAMS, WORD_STREAMS },
	{ SMMUV2_S2CR, SMMUV2_S2CR + 4 * STREAMS, WORD_STREAMS + STREAMS / 2 },
};
#define SECOND_WINDOW { SECOND_PAGE, SECOND_PAGE + 4 * BANKS, WORD_SECOND }
#define BANK_WINDOW(first, end, word) { BANK_SPACE + (first), BANK_SPACE + (end), word }
static const struct register_repeat repeats[] = {
	/* CBAR, CBFRSYNRA, CBA2R */
	{ SECOND_WINDOW, 3, BANKS / 2, SMMUV2_CBFRSYNRA },
	{ BANK_WINDOW(SMMUV2_SCTLR, SMMUV2_MAIR + 8, WORD_CONTROL), BANKS, 8, PAGE },
	{ BANK_WINDOW(SMMUV2_FSR, SMMUV2_IPAFAR + 8, WORD_FAULT), BANKS, 4, PAGE },
	/* They act when they are written, and are read as 0. */
	{ BANK_WINDOW(SMMUV2_TLBIVA, SMMUV2_TLBIIPAS2L + 8, WORD_TLBI), BANKS, 0, PAGE },
	{ BANK_WINDOW(SMMUV2_TLBSYNC, SMMUV2_TLBSTATUS + 4, WORD_SYNC), BANKS, 0, PAGE },
};

#define CR0_BITS UINT32_C(0x8000ffff)
static const struct register_row rows[] = {
	{ SMMUV2_CR0, 4, SMMUV2_CR0_CLIENTPD, CR0_BITS, 0 },
	{ SMMUV2_GFSR, 4, 0, 0, UINT32_MAX },
	{ SMMUV2_TLBIVMID, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_TLBIALLNSNH, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_TLBIALLH, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_TLBGSYNC, 4, 0, UINT32_MAX, 0 },
};

static const struct register_row stream_rows[] = {
	{ SMMUV2_SMR, 4, 0, UINT32_C(0xffff7fff), 0 },
	{ SMMUV2_S2CR, 4, (uint32_t)SMMUV2_FAULT_ALL << 16, UINT32_C(0x0fffffff), 0 },
};
static const struct register_row second_rows[] = {
	{ SECOND_PAGE + SMMUV2_CBAR, 4, 0, UINT32_MAX, 0 },
	{ SECOND_PAGE + SMMUV2_CBA2R, 4, 0, UINT32_C(0xffff0001), 0 },
};
#define CONTROL_BITS UINT32_C(0x00f0f7ff)
static const struct register_row bank_rows[] = {
	{ SMMUV2_SCTLR, 4, 0, CONTROL_BITS, 0 },
	{ SMMUV2_RESUME, 4, 0, 1, 0 },
	{ SMMUV2_TCR2, 4, 0, UINT32_C(0x0003fc77), 0 },
	{ SMMUV2_TTBR0, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TTBR1, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TCR, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_MAIR, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_FSR, 4, 0, 0, SMMUV2_FSR_FAULTS | SMMUV2_FSR_MULTI },
	{ SMMUV2_TLBIVA, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBIVAA, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBIASID, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_TLBIALL, 4, 0, UINT32_MAX, 0 },
	{ SMMUV2_TLBIVAL, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBIVAAL, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBIIPAS2, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBIIPAS2L, 8, 0, UINT64_MAX, 0 },
	{ SMMUV2_TLBSYNC, 4, 0, UINT32_MAX, 0 },
};
#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

static const struct register_layout layout = {
	.size_bytes = 2 * BANK_SPACE,
	.windows = windows,
	.window_count = COUNT(windows),
	.repeats = repeats,
	.repeat_count = COUNT(repeats),
	.rows = rows,
	.row_count = COUNT(rows),
};

static void rows_add(struct register_file *file, const struct register_row *row,
		     uint32_t count, uint32_t at)
{
	for (uint32_t i = 0; i < count; i++) {
		struct register_row there = row[i];

		there.offset += at;
		registers_add(file, &there);
	}
}

static bool smmuv2_create(struct iopf_hardware *hardware)
{
	struct register_file *file = &hardware->file;
	const uint32_t *idr = hardware->options.idr;
	uint32_t banks = smmuv2_features_of(idr).banks;

	if (banks == 0 || banks > BANKS || smmuv2_features_of(idr).streams > STREAMS)
		return false;
	registers_create(file, &layout);
	for (uint32_t i = 0; i < 3; i++)
		reg32_set(hardware, SMMUV2_ID0 + 4 * i, idr[i]);
	for (uint32_t i = 0; i < smmuv2_features_of(idr).streams; i++)
		rows_add(file, stream_rows, COUNT(stream_rows), 4 * i);
	for (uint32_t i = 0; i < banks; i++) {
		rows_add(file, second_rows, COUNT(second_rows), 4 * i);
		rows_add(file, bank_rows, COUNT(bank_rows), BANK_SPACE + PAGE * i);
		registers_forbid(file, BANK_SPACE + PAGE * i + SMMUV2_SCTLR, idr[5]);
	}
	return true;
}

static uint32_t bank_reg(uint32_t offset, uint32_t bank)
{
	return BANK_SPACE + PAGE * bank + offset;
}

/* ---- Interrupts ---------------------------------------------------------------------------- */

/* FORMAT stays when all else is gone. */
#define HELD (SMMUV2_FSR_FAULTS | SMMUV2_FSR_SS | SMMUV2_FSR_MULTI)

/* A wire, as long as there is a reason: who hears of it is told when a bank's reason comes
 * up, also where the wire is pulled by another's already. */
static void interrupt_look(struct iopf_hardware *hardware, uint32_t bank)
{
	uint32_t control = reg32(hardware, bank_reg(SMMUV2_SCTLR, bank));
	uint32_t fsr = reg32(hardware, bank_reg(SMMUV2_FSR, bank));
	uint32_t line = reg32(hardware, SECOND_PAGE + SMMUV2_CBAR + 4 * bank) >> 24;
	uint32_t *asserted = &hardware->smmuv2.asserted, bit = UINT32_C(1) << bank;
	bool was = (*asserted & bit) != 0;
	bool is = (control & SMMUV2_SCTLR_CFIE) != 0 && (fsr & HELD) != 0;

	*asserted = is ? *asserted | bit : *asserted & ~bit;
	if (is && !was)
		hardware->options.ops->interrupt(hardware->options.context, 0, line % LINES);
}

/* ---- Faults --------------------------------------------------------------------------------- */

static bool smmuv2_fault(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	uint32_t bank = fault->index, fsr;
	uint8_t record[SMMUV2_FAULT_BYTES];

	if (bank >= smmuv2_features_of(hardware->options.idr).banks ||
	    iopf_wire_smmuv2.encode_fault(fault, record) != 0)
		return false;
	fsr = reg32(hardware, bank_reg(SMMUV2_FSR, bank));
	if ((fsr & HELD) != 0) {
		if ((fsr & SMMUV2_FSR_FAULTS) != 0)
			reg32_set(hardware, bank_reg(SMMUV2_FSR, bank),
				  fsr | SMMUV2_FSR_MULTI);
		*(fault->stall ? &hardware->stats.waited_faults :
				 &hardware->stats.lost_faults) += 1;
		return false;
	}
	reg32_set(hardware, bank_reg(SMMUV2_FSR, bank), le32_get(record));
	reg64_set(hardware, bank_reg(SMMUV2_FSYNR0, bank),
		  le32_get(record + 4) | (uint64_t)le32_get(record + 28) << 32);
	reg64_set(hardware, bank_reg(SMMUV2_FAR, bank), le64_get(record + 8));
	reg64_set(hardware, bank_reg(SMMUV2_IPAFAR, bank), le64_get(record + 16));
	reg32_set(hardware, SECOND_PAGE + SMMUV2_CBFRSYNRA + 4 * bank,
		  le32_get(record + 24));
	hardware->stats.faults++;
	interrupt_look(hardware, bank);
	return true;
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void command_do(struct iopf_hardware *hardware, struct iopf_command command)
{
	command.pasid = IOPF_PASID_NONE;
	hardware->held = command;
	hardware->stats.commands++;
	hardware_observe_command(hardware);
	(void)hardware_do(hardware, &hardware->held);
}

/* It is for what is stalled there now, and so is SS. */
static void resume(struct iopf_hardware *hardware, uint32_t bank)
{
	uint32_t at = bank_reg(SMMUV2_FSR, bank);
	bool terminate = reg32(hardware, bank_reg(SMMUV2_RESUME, bank)) & SMMUV2_TERMINATE;

	reg32_set(hardware, bank_reg(SMMUV2_RESUME, bank), 0);
	reg32_set(hardware, at, reg32(hardware, at) & ~SMMUV2_FSR_SS);
	command_do(hardware,
		   (struct iopf_command){
			   .kind = IOPF_COMMAND_RESPONSE,
			   .flags = IOPF_STALL,
			   .index = (uint16_t)bank,
			   .rid = reg32(hardware, SECOND_PAGE + SMMUV2_CBFRSYNRA + 4 * bank),
			   .code = terminate ? IOPF_INVALID : IOPF_SUCCESS });
}

static uint16_t vmid_of(const struct iopf_hardware *hardware, uint32_t bank)
{
	return smmuv2_features_of(hardware->options.idr).vmid16 ?
		       (uint16_t)(reg32(hardware, SECOND_PAGE + SMMUV2_CBA2R + 4 * bank) >>
				  16) :
		       (uint8_t)reg32(hardware, SECOND_PAGE + SMMUV2_CBAR + 4 * bank);
}

/* What the TLBI registers of a bank name, within its VMID. */
static const struct {
	uint32_t offset;
	uint8_t granularity, hints;
} tlbi[] = {
	{ SMMUV2_TLBIVA, IOPF_PAGE, 0 },
	{ SMMUV2_TLBIVAA, IOPF_PAGE, IOPF_HINT_ANY_ASID },
	{ SMMUV2_TLBIASID, IOPF_ONE_PASID, 0 },
	{ SMMUV2_TLBIALL, IOPF_DOMAIN, 0 },
	{ SMMUV2_TLBIVAL, IOPF_PAGE, IOPF_HINT_LEAF },
	{ SMMUV2_TLBIVAAL, IOPF_PAGE, IOPF_HINT_ANY_ASID | IOPF_HINT_LEAF },
	{ SMMUV2_TLBIIPAS2, IOPF_DOMAIN, 0 },
	{ SMMUV2_TLBIIPAS2L, IOPF_DOMAIN, 0 },
};

/* An address has bits 55 to 12, and bit 55 is its sign. */
static void bank_forget(struct iopf_hardware *hardware, uint32_t bank, uint32_t offset)
{
	uint64_t value = reg64(hardware, bank_reg(offset & ~UINT32_C(7), bank));
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					.domain = vmid_of(hardware, bank) };
	uint32_t i = (offset - SMMUV2_TLBIVA) / 8;

	reg64_set(hardware, bank_reg(offset & ~UINT32_C(7), bank), 0);
	command.granularity = tlbi[i].granularity;
	command.hints = tlbi[i].hints;
	if (command.granularity == IOPF_PAGE) {
		command.addr = (uint64_t)((int64_t)(value << 20) >> 8) & ~UINT64_C(0xfff);
		command.size_bytes = 4096;
		command.asid = (uint16_t)(value >> 48);
	} else if (command.granularity == IOPF_ONE_PASID) {
		command.asid = (uint16_t)value;
	}
	command_do(hardware, command);
}

static void bank_wrote(struct iopf_hardware *hardware, uint32_t offset)
{
	uint32_t bank = (offset - BANK_SPACE) / PAGE;

	offset %= PAGE;
	if (bank >= smmuv2_features_of(hardware->options.idr).banks)
		return;
	if (offset == SMMUV2_RESUME)
		resume(hardware, bank);
	else if (offset >= SMMUV2_TLBIVA && offset < SMMUV2_TLBIIPAS2L + 8)
		bank_forget(hardware, bank, offset);
	interrupt_look(hardware, bank);
}

static void smmuv2_wrote(struct iopf_hardware *hardware, uint32_t offset)
{
	bool on = (reg32(hardware, SMMUV2_CR0) & SMMUV2_CR0_CLIENTPD) == 0;
	struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB };

	if (offset >= BANK_SPACE) {
		bank_wrote(hardware, offset);
	} else if (offset == SMMUV2_TLBGSYNC) {
		reg32_set(hardware, SMMUV2_TLBGSTATUS, SMMUV2_GSACTIVE);
	} else if (offset == SMMUV2_TLBIVMID) {
		command.granularity = IOPF_DOMAIN;
		command.domain = (uint16_t)reg32(hardware, SMMUV2_TLBIVMID);
		command_do(hardware, command);
	} else if (offset == SMMUV2_TLBIALLNSNH || offset == SMMUV2_TLBIALLH) {
		command_do(hardware, command);
	} else if (offset == SMMUV2_CR0 && on != hardware->smmuv2.translates) {
		hardware->smmuv2.translates = on;
		hardware->options.ops->translation_changed(hardware->options.context, on);
	}
}

/* A sync takes its time: it is done when the IOMMU gets round to it. */
static bool smmuv2_step(struct iopf_hardware *hardware)
{
	bool active = (reg32(hardware, SMMUV2_TLBGSTATUS) & SMMUV2_GSACTIVE) != 0;

	reg32_set(hardware, SMMUV2_TLBGSTATUS, 0);
	return active;
}

/* There is none. */
static uint64_t smmuv2_root(const struct iopf_hardware *hardware)
{
	(void)hardware;
	return 0;
}

static bool smmuv2_translates(const struct iopf_hardware *hardware)
{
	return hardware->smmuv2.translates;
}

const struct hardware_family hardware_smmuv2 = {
	.wire = &iopf_wire_smmuv2,
	.mechanisms = 1 << IOPF_STALLS,
	.no_pasids = true,
	.stall_max = BANKS,
	.stall_each = 1,
	.stall_reason = SMMUV2_TF,
	.wrote = smmuv2_wrote,
	.create = smmuv2_create,
	.fault = smmuv2_fault,
	.step = smmuv2_step,
	.root = smmuv2_root,
	.root_config = smmuv2_root,
	.translates = smmuv2_translates,
};
