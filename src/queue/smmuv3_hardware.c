/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/smmuv3_hardware.c - SMMUv3's hardware end: its registers and its switches.
 *
 * Arm IHI 0070, chapter 6 "Memory map and registers". An update of CR0, IRQ_CTRL or GBPA
 * is complete with the write that asks for it. What software may not change while
 * something is on, it does not change: as from SMMUv3.2 on.
 */
#include "queue/smmuv3_hardware.h"

#include <assert.h>

/* ---- Registers ------------------------------------------------------------------------ */

#define QUEUES_ENABLED (SMMUV3_PRIQEN | SMMUV3_EVENTQEN | SMMUV3_CMDQEN)
#define BASE           (SMMUV3_QUEUE_ADDR | SMMUV3_QUEUE_HINT | SMMUV3_QUEUE_SIZE)
#define INDEX          SMMUV3_QUEUE_INDEX
#define FLAGGED        (SMMUV3_QUEUE_INDEX | SMMUV3_QUEUE_OVERFLOW)
#define CR1_TABLES     UINT32_C(0xfc0)
#define CR1_QUEUES     UINT32_C(0x03f)
#define GBPA_FIELDS    UINT32_C(0x001f3f1f)
#define GBPA_INCOMING  UINT32_C(0x00001000) /* SHCFG: as the device says */
#define STRTAB_CONFIG  UINT32_C(0x000307ff)
#define MEMORY_TYPE    UINT32_C(0x0000003f) /* of an interrupt's message: SH, MemAttr */
#define ERRORS                                                                           \
	(SMMUV3_CMDQ_ERR | SMMUV3_EVENTQ_ABT_ERR | SMMUV3_PRIQ_ABT_ERR |                 \
	 SMMUV3_MSI_CMDQ_ABT_ERR | SMMUV3_MSI_EVENTQ_ABT_ERR | SMMUV3_MSI_PRIQ_ABT_ERR | \
	 SMMUV3_MSI_GERROR_ABT_ERR | SMMUV3_SFM_ERR)

/* "Register formats". */
static const struct register_row rows[] = {
	{ SMMUV3_CR0, 4, 0, QUEUES_ENABLED | SMMUV3_SMMUEN | SMMUV3_ATSCHK, 0 },
	{ SMMUV3_CR1, 4, 0, CR1_TABLES | CR1_QUEUES, 0 },
	{ SMMUV3_CR2, 4, 0, SMMUV3_CR2_RECINVSID, 0 },
	{ SMMUV3_GBPA, 4, GBPA_INCOMING, SMMUV3_GBPA_UPDATE | GBPA_FIELDS, 0 },
	{ SMMUV3_IRQ_CTRL, 4, 0,
	  SMMUV3_GERROR_IRQEN | SMMUV3_PRIQ_IRQEN | SMMUV3_EVENTQ_IRQEN, 0 },
	{ SMMUV3_GERRORN, 4, 0, ERRORS, 0 },
	{ SMMUV3_GERROR_IRQ_CFG0, 8, 0, SMMUV3_IRQ_ADDR, 0 },
	{ SMMUV3_GERROR_IRQ_CFG1, 4, 0, UINT32_MAX, 0 },
	{ SMMUV3_GERROR_IRQ_CFG2, 4, 0, MEMORY_TYPE, 0 },
	{ SMMUV3_STRTAB_BASE, 8, 0, SMMUV3_STRTAB_ADDR | SMMUV3_STRTAB_RA, 0 },
	{ SMMUV3_STRTAB_BASE_CFG, 4, 0, STRTAB_CONFIG, 0 },
	{ SMMUV3_CMDQ_BASE, 8, 0, BASE, 0 },
	{ SMMUV3_CMDQ_PROD, 4, 0, INDEX, 0 },
	{ SMMUV3_CMDQ_CONS, 4, 0, INDEX, 0 },
	{ SMMUV3_EVENTQ_BASE, 8, 0, BASE, 0 },
	{ SMMUV3_EVENTQ_IRQ_CFG0, 8, 0, SMMUV3_IRQ_ADDR, 0 },
	{ SMMUV3_EVENTQ_IRQ_CFG1, 4, 0, UINT32_MAX, 0 },
	{ SMMUV3_EVENTQ_IRQ_CFG2, 4, 0, MEMORY_TYPE, 0 },
	{ SMMUV3_PRIQ_BASE, 8, 0, BASE, 0 },
	{ SMMUV3_PRIQ_IRQ_CFG0, 8, 0, SMMUV3_IRQ_ADDR, 0 },
	{ SMMUV3_PRIQ_IRQ_CFG1, 4, 0, UINT32_MAX, 0 },
	{ SMMUV3_PRIQ_IRQ_CFG2, 4, 0, MEMORY_TYPE | SMMUV3_PRIQ_LO, 0 },
	{ SMMUV3_EVENTQ_PROD, 4, 0, FLAGGED, 0 },
	{ SMMUV3_EVENTQ_CONS, 4, 0, FLAGGED, 0 },
	{ SMMUV3_PRIQ_PROD, 4, 0, FLAGGED, 0 },
	{ SMMUV3_PRIQ_CONS, 4, 0, FLAGGED, 0 },
};

#define ALL UINT64_MAX
/* "is Guarded by": read-only while that is on. */
static const struct register_guard guards[] = {
	{ SMMUV3_CR1, CR1_TABLES, SMMUV3_CR0ACK, SMMUV3_SMMUEN },
	{ SMMUV3_CR1, CR1_QUEUES, SMMUV3_CR0ACK, QUEUES_ENABLED },
	{ SMMUV3_CR2, UINT32_MAX, SMMUV3_CR0ACK, SMMUV3_SMMUEN },
	{ SMMUV3_GERROR_IRQ_CFG0, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_GERROR_IRQEN },
	{ SMMUV3_GERROR_IRQ_CFG1, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_GERROR_IRQEN },
	{ SMMUV3_STRTAB_BASE, ALL, SMMUV3_CR0ACK, SMMUV3_SMMUEN },
	{ SMMUV3_STRTAB_BASE_CFG, ALL, SMMUV3_CR0ACK, SMMUV3_SMMUEN },
	{ SMMUV3_CMDQ_BASE, ALL, SMMUV3_CR0ACK, SMMUV3_CMDQEN },
	{ SMMUV3_CMDQ_CONS, UINT32_MAX, SMMUV3_CR0ACK, SMMUV3_CMDQEN },
	{ SMMUV3_EVENTQ_BASE, ALL, SMMUV3_CR0ACK, SMMUV3_EVENTQEN },
	{ SMMUV3_EVENTQ_IRQ_CFG0, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_EVENTQ_IRQEN },
	{ SMMUV3_EVENTQ_IRQ_CFG1, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_EVENTQ_IRQEN },
	{ SMMUV3_PRIQ_BASE, ALL, SMMUV3_CR0ACK, SMMUV3_PRIQEN },
	{ SMMUV3_PRIQ_IRQ_CFG0, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_PRIQ_IRQEN },
	{ SMMUV3_PRIQ_IRQ_CFG1, ALL, SMMUV3_IRQ_CTRLACK, SMMUV3_PRIQ_IRQEN },
	{ SMMUV3_EVENTQ_PROD, UINT32_MAX, SMMUV3_CR0ACK, SMMUV3_EVENTQEN },
	{ SMMUV3_PRIQ_PROD, UINT32_MAX, SMMUV3_CR0ACK, SMMUV3_PRIQEN },
};

/* Where no feature is, its registers are reserved: @bits go where IDR0 lacks @feature. */
static const struct {
	uint32_t feature, offset;
	uint64_t bits;
} optional[] = {
	{ SMMUV3_IDR0_ATS, SMMUV3_CR0, SMMUV3_ATSCHK },
	{ SMMUV3_IDR0_PRI, SMMUV3_CR0, SMMUV3_PRIQEN },
	{ SMMUV3_IDR0_PRI, SMMUV3_IRQ_CTRL, SMMUV3_PRIQ_IRQEN },
	{ SMMUV3_IDR0_PRI, SMMUV3_PRIQ_BASE, ALL },
	{ SMMUV3_IDR0_PRI, SMMUV3_PRIQ_IRQ_CFG0, ALL },
	{ SMMUV3_IDR0_PRI, SMMUV3_PRIQ_IRQ_CFG1, ALL },
	{ SMMUV3_IDR0_PRI, SMMUV3_PRIQ_PROD, ALL },
	{ SMMUV3_IDR0_MSI, SMMUV3_GERROR_IRQ_CFG0, ALL },
	{ SMMUV3_IDR0_MSI, SMMUV3_GERROR_IRQ_CFG1, ALL },
	{ SMMUV3_IDR0_MSI, SMMUV3_EVENTQ_IRQ_CFG0, ALL },
	{ SMMUV3_IDR0_MSI, SMMUV3_EVENTQ_IRQ_CFG1, ALL },
	{ SMMUV3_IDR0_MSI, SMMUV3_PRIQ_IRQ_CFG0, ALL },
	/* LO says when to interrupt, by message or not. */
	{ SMMUV3_IDR0_MSI, SMMUV3_PRIQ_IRQ_CFG1, ~((uint64_t)SMMUV3_PRIQ_LO << 32) },
};

/* Page 0, and of page 1 what is used. */
static const struct register_window windows[] = {
	{ 0x00000, 0x000e0, 0 },
	{ 0x100a0, 0x100d0, 0xe0 / 8 },
};

static const struct register_layout layout = {
	.size_bytes = SMMUV3_PAGES_BYTES,
	.windows = windows,
	.window_count = sizeof(windows) / sizeof(windows[0]),
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
	.guards = guards,
	.guard_count = sizeof(guards) / sizeof(guards[0]),
};

static_assert((0xe0 + 0x30) / 8 <= REGISTER_WORDS, "a word for every register");

/* "SMMU_IDR1": queues have 2^19 entries at most; no queues or tables that are preset, no
 * enhanced command queues. "SMMU_IDR5": OAS. */
static bool identification_valid(const uint32_t *idr)
{
	return SMMUV3_IDR1_CMDQS(idr[1]) <= 19 && SMMUV3_IDR1_EVENTQS(idr[1]) <= 19 &&
	       SMMUV3_IDR1_PRIQS(idr[1]) <= 19 && SMMUV3_IDR1_SIDSIZE(idr[1]) <= 32 &&
	       SMMUV3_IDR1_SSIDSIZE(idr[1]) <= 20 && idr[1] >> 29 == 0 &&
	       SMMUV3_IDR5_OAS(idr[5]) <= 6;
}

/* Bits of an address that the SMMU has no wires for. */
static uint64_t beyond_address(uint32_t idr5)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };

	return (UINT64_MAX << bits[SMMUV3_IDR5_OAS(idr5)]) & ~SMMUV3_QUEUE_HINT;
}

static bool smmuv3_create(struct iopf_hardware *hardware)
{
	const uint32_t *idr = hardware->options.idr;

	if (!identification_valid(idr))
		return false;
	registers_create(&hardware->file, &layout);
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if ((idr[0] & optional[i].feature) == 0)
			registers_forbid(&hardware->file, optional[i].offset,
					 optional[i].bits);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].width == 8)
			registers_forbid(&hardware->file, rows[i].offset,
					 beyond_address(idr[5]));
	}
	for (uint32_t i = 0; i < 6; i++)
		reg32_set(hardware, SMMUV3_IDR0 + 4 * i, idr[i]);
	reg32_set(hardware, SMMUV3_AIDR, hardware->options.version);
	hardware->smmuv3.bypass = GBPA_INCOMING;
	return true;
}

/* ---- What a write sets off -------------------------------------------------------------- */

static void queue_switched(struct iopf_hardware *hardware, uint32_t changed,
			   const struct smmuv3_queue *queue,
			   enum iopf_queue_change enabled,
			   enum iopf_queue_change disabled)
{
	bool on = (hardware->smmuv3.enabled & queue->enable) != 0;

	if ((changed & queue->enable) != 0)
		hardware->options.ops->queue_changed(hardware->options.context,
						     on ? enabled : disabled);
}

/* "SMMU_CR0". Queues before translation. */
static void cr0_written(struct iopf_hardware *hardware)
{
	uint32_t now = reg32(hardware, SMMUV3_CR0);
	uint32_t changed = now ^ hardware->smmuv3.enabled;

	hardware->smmuv3.enabled = now;
	reg32_set(hardware, SMMUV3_CR0ACK, now);
	if ((changed & SMMUV3_CMDQEN) != 0)
		smmuv3_commands_reset(hardware);
	queue_switched(hardware, changed, &smmuv3_events, IOPF_EVENT_QUEUE_ENABLED,
		       IOPF_EVENT_QUEUE_DISABLED);
	queue_switched(hardware, changed, &smmuv3_requests, IOPF_QUEUE_ENABLED,
		       IOPF_QUEUE_DISABLED);
	if ((changed & SMMUV3_SMMUEN) != 0)
		hardware->options.ops->translation_changed(hardware->options.context,
							   (now & SMMUV3_SMMUEN) != 0);
}

/* "SMMU_GBPA": a write that does not ask for the update is ignored. */
static void gbpa_written(struct iopf_hardware *hardware)
{
	uint32_t asked = reg32(hardware, SMMUV3_GBPA);

	if ((asked & SMMUV3_GBPA_UPDATE) != 0)
		hardware->smmuv3.bypass = asked & ~SMMUV3_GBPA_UPDATE;
	else
		hardware->stats.bad_accesses += asked != hardware->smmuv3.bypass;
	reg32_set(hardware, SMMUV3_GBPA, hardware->smmuv3.bypass);
}

static void interrupts_written(struct iopf_hardware *hardware)
{
	reg32_set(hardware, SMMUV3_IRQ_CTRLACK, reg32(hardware, SMMUV3_IRQ_CTRL));
}

static void root_written(struct iopf_hardware *hardware)
{
	hardware->options.ops->root_changed(hardware->options.context);
}

static const struct hardware_action actions[] = {
	{ SMMUV3_CR0, SMMUV3_CR0 + 4, cr0_written },
	{ SMMUV3_GBPA, SMMUV3_GBPA + 4, gbpa_written },
	{ SMMUV3_IRQ_CTRL, SMMUV3_IRQ_CTRL + 4, interrupts_written },
	{ SMMUV3_STRTAB_BASE, SMMUV3_STRTAB_BASE_CFG + 4, root_written },
};

/* ---- The row ---------------------------------------------------------------------------- */

static uint64_t smmuv3_root(const struct iopf_hardware *hardware)
{
	return reg64(hardware, SMMUV3_STRTAB_BASE) & SMMUV3_STRTAB_ADDR;
}

static uint64_t smmuv3_root_config(const struct iopf_hardware *hardware)
{
	return reg32(hardware, SMMUV3_STRTAB_BASE_CFG);
}

static bool smmuv3_translates(const struct iopf_hardware *hardware)
{
	return (hardware->smmuv3.enabled & SMMUV3_SMMUEN) != 0;
}

const struct hardware_family hardware_smmuv3 = {
	.wire = &iopf_wire_smmuv3,
	.mechanisms = 1 << IOPF_PRI | 1 << IOPF_STALLS,
	.guest_mechanisms = 1 << IOPF_PRI | 1 << IOPF_STALLS,
	.rid_max = (1u << SMMUV3_VIRTUAL_STREAM_BITS) - 1,
	.off_forgets = true,
	.waits_drain = true,
	.doorbells = (const uint32_t[]){ SMMUV3_CMDQ_PROD, SMMUV3_EVENTQ_CONS,
					 SMMUV3_PRIQ_CONS, 0 },
	.offer = smmuv3_offer,
	.stall_reason = IOPF_SMMUV3_F_TRANSLATION,
	.actions = actions,
	.action_count = sizeof(actions) / sizeof(actions[0]),
	.create = smmuv3_create,
	.post = smmuv3_post,
	.fault = smmuv3_fault_record,
	.fault_room = smmuv3_fault_room,
	.step = smmuv3_command_step,
	.root = smmuv3_root,
	.root_config = smmuv3_root_config,
	.translates = smmuv3_translates,
};
