/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/vtd_hardware.c - VT-d's hardware end: registers, page requests. */
#include "queue/vtd_hardware.h"

#include <assert.h>
#include <errno.h>

enum { PAGE_BYTES = 4096 };

/* ---- Registers ---------------------------------------------------------------------- */

#define ADDR32 UINT32_C(0xfffffffc)
#define MASKED VTD_EVENT_IM /* event interrupts begin masked */

/* VT-d, "Register Descriptions". Bits in neither mask are read-only or reserved. */
static const struct register_row rows[] = {
	{ VTD_GCMD, 4, 0, UINT32_MAX, 0 },
	{ VTD_RTADDR, 8, 0, VTD_RTADDR_ADDR | VTD_RTADDR_TTM, 0 },
	{ VTD_CCMD, 8, 0, UINT64_C(0xe0000003ffffffff), 0 },
	{ VTD_FSTS, 4, 0, 0, VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE },
	{ VTD_FECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_FEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_FEADDR, 4, 0, ADDR32, 0 },
	{ VTD_FEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_PMEN, 4, 0, UINT32_C(1) << 31, 0 },
	{ VTD_IQT, 8, 0, VTD_IQ_INDEX, 0 },
	{ VTD_IQA, 8, 0, VTD_IQA_ADDR | VTD_IQA_DW | VTD_IQA_QS, 0 },
	{ VTD_ICS, 4, 0, 0, VTD_ICS_IWC },
	{ VTD_IECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_IEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_IEADDR, 4, 0, ADDR32, 0 },
	{ VTD_IEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_IRTA, 8, 0, UINT64_C(0xfffffffffffff80f), 0 },
	{ VTD_PQH, 8, 0, VTD_PQ_INDEX, 0 },
	/* Hardware's; software that sets a queue up writes 0 into it all the same. */
	{ VTD_PQT, 8, 0, VTD_PQ_INDEX, 0 },
	{ VTD_PQA, 8, 0, VTD_PQA_ADDR | VTD_PQA_PQS, 0 },
	{ VTD_PRS, 4, 0, 0, VTD_PRS_PPR | VTD_PRS_PRO },
	{ VTD_PECTL, 4, MASKED, VTD_EVENT_IM, 0 },
	{ VTD_PEDATA, 4, 0, UINT32_MAX, 0 },
	{ VTD_PEADDR, 4, 0, ADDR32, 0 },
	{ VTD_PEUADDR, 4, 0, UINT32_MAX, 0 },
	{ VTD_IVA, 8, 0, UINT64_C(0xfffffffffffff05f), 0 },
	{ VTD_IOTLB, 8, 0, UINT64_C(0xb003ffff00000000), 0 },
};

static const struct register_window windows[] = { { 0, VTD_REGISTERS_END, 0 } };

static const struct register_layout layout = {
	.size_bytes = PAGE_BYTES,
	.windows = windows,
	.window_count = 1,
	.rows = rows,
	.row_count = sizeof(rows) / sizeof(rows[0]),
};

static_assert(VTD_REGISTERS_END <= REGISTER_WORDS * 8, "a word for every register");

/* False: CAP or ECAP place registers where this file has none. */
static bool vtd_create(struct iopf_hardware *hardware)
{
	const struct iopf_hardware_options *options = &hardware->options;
	uint64_t cap = options->cap;

	if (VTD_CAP_FRO(cap) != VTD_FRCD || VTD_CAP_NFR(cap) > VTD_FRCD_MAX ||
	    VTD_ECAP_IRO(options->ecap) != VTD_IVA)
		return false;
	registers_create(&hardware->file, &layout);
	for (uint32_t i = 0; i < VTD_CAP_NFR(cap); i++)
		registers_add(&hardware->file,
			      &(struct register_row){
				      .offset = VTD_FRCD + i * VTD_FRCD_BYTES + 8,
				      .width = 8,
				      .clearable = VTD_FRCD_F,
			      });
	reg32_set(hardware, VTD_VER, options->version);
	reg64_set(hardware, VTD_CAP, cap);
	reg64_set(hardware, VTD_ECAP, options->ecap);
	return true;
}

/* ---- What a write sets off ---------------------------------------------------------- */

/* A level bit of GCMD that changed. Queue before translation on the way up. */
static void level_changed(struct iopf_hardware *hardware, uint32_t bit, bool on)
{
	if (bit == VTD_QIE)
		vtd_commands_reset(hardware);
	if (bit == VTD_TE)
		hardware->options.ops->translation_changed(hardware->options.context, on);
}

static void root_latch(struct iopf_hardware *hardware)
{
	hardware->vtd.root = reg64(hardware, VTD_RTADDR);
	hardware->options.ops->root_changed(hardware->options.context);
}

/* GCMD reads as 0; GSTS answers. */
static void gcmd_written(struct iopf_hardware *hardware)
{
	uint32_t command = reg32(hardware, VTD_GCMD), status = reg32(hardware, VTD_GSTS);
	uint32_t once = command & (VTD_SRTP | VTD_SIRTP);
	uint32_t changed = (command ^ status) & VTD_GCMD_LEVELS;

	reg32_set(hardware, VTD_GCMD, 0);
	reg32_set(hardware, VTD_GSTS, (status ^ changed) | once);
	if ((command & VTD_SRTP) != 0)
		root_latch(hardware);
	if ((changed & VTD_QIE) != 0)
		level_changed(hardware, VTD_QIE, (command & VTD_QIE) != 0);
	if ((changed & VTD_TE) != 0)
		level_changed(hardware, VTD_TE, (command & VTD_TE) != 0);
}

static void pqa_written(struct iopf_hardware *hardware)
{
	uint64_t before = hardware->vtd.request_base, now = reg64(hardware, VTD_PQA);
	enum iopf_queue_change change = now == 0    ? IOPF_QUEUE_DISABLED :
					before == 0 ? IOPF_QUEUE_ENABLED :
						      IOPF_QUEUE_REBASED;

	if (now == before)
		return;
	hardware->vtd.request_base = now;
	hardware->options.ops->queue_changed(hardware->options.context, change);
}

static void prs_written(struct iopf_hardware *hardware)
{
	vtd_event_settle(hardware, &vtd_event_request);
	vtd_fault_settle(hardware);
}

static void pectl_written(struct iopf_hardware *hardware)
{
	vtd_event_settle(hardware, &vtd_event_request);
}

static void invalidation_written(struct iopf_hardware *hardware)
{
	vtd_event_settle(hardware, &vtd_event_invalidation);
}

static const struct hardware_action actions[] = {
	{ VTD_GCMD, VTD_GCMD + 4, gcmd_written },
	{ VTD_CCMD, VTD_CCMD + 8, vtd_commands_register },
	{ VTD_FSTS, VTD_FECTL + 4, vtd_fault_settle },
	{ VTD_ICS, VTD_IECTL + 4, invalidation_written },
	{ VTD_PQA, VTD_PQA + 8, pqa_written },
	{ VTD_PRS, VTD_PRS + 4, prs_written },
	{ VTD_PECTL, VTD_PECTL + 4, pectl_written },
	{ VTD_FRCD, VTD_FRCD + VTD_FRCD_MAX *VTD_FRCD_BYTES, vtd_fault_settle },
	{ VTD_IOTLB, VTD_IOTLB + 8, vtd_commands_register },
};

/* ---- Page requests ------------------------------------------------------------------ */

/* Software's indices may name slots that a smaller queue does not have: the ring's
 * formulas wrap them. */
static uint32_t request_index(const struct iopf_hardware *hardware,
			      const struct ring *ring, uint32_t offset)
{
	return (uint32_t)(reg64(hardware, offset) >> ring->shift);
}

void vtd_request_overflow(struct iopf_hardware *hardware)
{
	if ((reg32(hardware, VTD_PRS) & VTD_PRS_PRO) != 0)
		return;
	hardware->stats.overflows++;
	vtd_event_raise(hardware, &vtd_event_request, VTD_PRS_PRO);
	vtd_fault_settle(hardware);
}

/* VT-d, 7.5: what is lost is answered success where it was the last of its group, so
 * that the device asks again; a stop marker is dropped and says nothing. */
static int request_lose(struct iopf_hardware *hardware,
			const struct iopf_request *request)
{
	if ((request->flags & IOPF_STOP) != 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	vtd_request_overflow(hardware);
	if ((request->flags & IOPF_LAST) == 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.answered++;
	return IOPF_POSTED_SUCCESS;
}

static int vtd_post(struct iopf_hardware *hardware, const struct iopf_request *request,
		    const uint8_t *record)
{
	uint64_t base = reg64(hardware, VTD_PQA);
	struct ring ring;
	uint32_t tail;

	if (base == 0)
		return -ENXIO;
	ring_create(&ring, (struct ring_convention){ .byte_offsets = true },
		    base & VTD_PQA_ADDR, (uint64_t)PAGE_BYTES << (base & VTD_PQA_PQS),
		    iopf_wire_vtd.request_bytes);
	tail = request_index(hardware, &ring, VTD_PQT);
	if ((reg32(hardware, VTD_PRS) & VTD_PRS_PRO) != 0 ||
	    ring_full(&ring, tail, request_index(hardware, &ring, VTD_PQH)))
		return request_lose(hardware, request);
	if (!ring_store(&ring, hardware->options.memory, tail, record)) {
		hardware->stats.bad_addresses++;
		return -EFAULT;
	}
	/* release: the record is written; pairs with software's read of the tail */
	reg64_set(hardware, VTD_PQT, ring_register(&ring, ring_next(&ring, tail)));
	hardware->stats.posted++;
	vtd_event_raise(hardware, &vtd_event_request, VTD_PRS_PPR);
	return IOPF_POSTED;
}

/* ---- The row ------------------------------------------------------------------------ */

static uint64_t vtd_root(const struct iopf_hardware *hardware)
{
	return hardware->vtd.root;
}

/* RTADDR says all there is to say. */
static uint64_t vtd_root_config(const struct iopf_hardware *hardware)
{
	(void)hardware;
	return 0;
}

static bool vtd_translates(const struct iopf_hardware *hardware)
{
	return (reg32(hardware, VTD_GSTS) & VTD_TE) != 0;
}

const struct hardware_family hardware_vtd = {
	.wire = &iopf_wire_vtd,
	.mechanisms = 1 << IOPF_PRI,
	.guest_mechanisms = 1 << IOPF_PRI,
	.rid_max = UINT16_MAX,
	.doorbells = (const uint32_t[]){ VTD_IQT, VTD_PQH, VTD_PRS, 0 },
	.offer = vtd_offer,
	.actions = actions,
	.action_count = sizeof(actions) / sizeof(actions[0]),
	.create = vtd_create,
	.post = vtd_post,
	.fault = vtd_fault_record,
	.step = vtd_command_step,
	.root = vtd_root,
	.root_config = vtd_root_config,
	.translates = vtd_translates,
};
