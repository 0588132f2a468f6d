/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/hardware.c - the hardware end: registers as software finds them, page requests. */
#include "queue/hardware.h"

#include <errno.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

size_t iopf_hardware_size_bytes(void)
{
	return sizeof(struct iopf_hardware);
}

static bool ops_complete(const struct iopf_hardware_ops *ops)
{
	return ops != NULL && ops->command != NULL && ops->interrupt != NULL &&
	       ops->root_changed != NULL && ops->translation_changed != NULL &&
	       ops->queue_changed != NULL;
}

int iopf_hardware_create(const struct iopf_hardware_options *options, void *memory,
			 size_t memory_bytes, struct iopf_hardware **hardware)
{
	struct iopf_hardware *made = memory;

	if (options->size_bytes != sizeof(*options) || options->wire != &iopf_wire_vtd ||
	    options->memory == NULL || !ops_complete(options->ops) ||
	    (uintptr_t)memory % sizeof(uint64_t) != 0)
		return -EINVAL;
	if (memory_bytes < sizeof(*made))
		return -ENOSPC;
	memset(made, 0, sizeof(*made));
	made->options = *options;
	if (!registers_create(&made->file, options->version, options->cap, options->ecap))
		return -EINVAL;
	*hardware = made;
	return 0;
}

/* ---- What a write sets off ---------------------------------------------------------- */

/* A level bit of GCMD that changed. Queue before translation on the way up. */
static void level_changed(struct iopf_hardware *hardware, uint32_t bit, bool on)
{
	if (bit == VTD_QIE)
		commands_reset(hardware);
	if (bit == VTD_TE)
		hardware->options.ops->translation_changed(hardware->options.context, on);
}

static void root_latch(struct iopf_hardware *hardware)
{
	hardware->root = reg64(hardware, VTD_RTADDR);
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
	uint64_t before = hardware->request_base, now = reg64(hardware, VTD_PQA);
	enum iopf_queue_change change = now == 0    ? IOPF_QUEUE_DISABLED :
					before == 0 ? IOPF_QUEUE_ENABLED :
						      IOPF_QUEUE_REBASED;

	if (now == before)
		return;
	hardware->request_base = now;
	hardware->options.ops->queue_changed(hardware->options.context, change);
}

static void prs_written(struct iopf_hardware *hardware)
{
	event_settle(hardware, &event_request);
	fault_settle(hardware);
}

static void pectl_written(struct iopf_hardware *hardware)
{
	event_settle(hardware, &event_request);
}

static void invalidation_written(struct iopf_hardware *hardware)
{
	event_settle(hardware, &event_invalidation);
}

static const struct {
	uint16_t offset, end;
	void (*written)(struct iopf_hardware *hardware);
} actions[] = {
	{ VTD_GCMD, VTD_GCMD + 4, gcmd_written },
	{ VTD_CCMD, VTD_CCMD + 8, commands_register },
	{ VTD_FSTS, VTD_FECTL + 4, fault_settle },
	{ VTD_ICS, VTD_IECTL + 4, invalidation_written },
	{ VTD_PQA, VTD_PQA + 8, pqa_written },
	{ VTD_PRS, VTD_PRS + 4, prs_written },
	{ VTD_PECTL, VTD_PECTL + 4, pectl_written },
	{ VTD_FRCD, VTD_FRCD + VTD_FRCD_MAX * VTD_FRCD_BYTES, fault_settle },
	{ VTD_IOTLB, VTD_IOTLB + 8, commands_register },
};

static bool access_valid(uint32_t offset, uint32_t width)
{
	return (width == 4 || width == 8) && offset % width == 0 &&
	       offset <= PAGE_BYTES - width;
}

int iopf_hardware_read(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
		       uint64_t *value)
{
	if (!access_valid(offset, width)) {
		hardware->stats.bad_accesses++;
		return -EINVAL;
	}
	hardware->stats.bad_accesses +=
		!registers_read(&hardware->file, offset, width, value);
	return 0;
}

int iopf_hardware_write(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
			uint64_t value)
{
	if (!access_valid(offset, width)) {
		hardware->stats.bad_accesses++;
		return -EINVAL;
	}
	if (!registers_write(&hardware->file, offset, width, value)) {
		hardware->stats.bad_accesses++;
		return 0;
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (actions[i].offset < offset + width && offset < actions[i].end)
			actions[i].written(hardware);
	}
	return 0;
}

static int register_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	return iopf_hardware_read(context, offset, width, value);
}

static int register_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	return iopf_hardware_write(context, offset, width, value);
}

const struct iopf_register_ops iopf_hardware_registers = { register_read,
							   register_write };

uint64_t iopf_hardware_root(const struct iopf_hardware *hardware)
{
	return hardware->root;
}

uint64_t iopf_hardware_root_config(const struct iopf_hardware *hardware)
{
	(void)hardware;
	return 0;
}

bool iopf_hardware_translates(const struct iopf_hardware *hardware)
{
	return (reg32(hardware, VTD_GSTS) & VTD_TE) != 0;
}

const struct iopf_hardware_stats *iopf_hardware_stats(const struct iopf_hardware *hardware)
{
	return &hardware->stats;
}

/* ---- Page requests ------------------------------------------------------------------ */

/* Software's indices may name slots that a smaller queue does not have: the ring's
 * formulas wrap them. */
static uint32_t request_index(const struct iopf_hardware *hardware,
			      const struct ring *ring, uint32_t offset)
{
	return (uint32_t)(reg64(hardware, offset) >> ring->shift);
}

/* VT-d, 7.5: what is lost is answered success where it was the last of its group, so
 * that the device asks again; a stop marker is dropped and says nothing. */
static int request_lose(struct iopf_hardware *hardware, const struct iopf_request *request)
{
	if ((request->flags & IOPF_STOP) != 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	if ((reg32(hardware, VTD_PRS) & VTD_PRS_PRO) == 0) {
		hardware->stats.overflows++;
		event_raise(hardware, &event_request, VTD_PRS_PRO);
		fault_settle(hardware);
	}
	if ((request->flags & IOPF_LAST) == 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.answered++;
	return IOPF_POSTED_SUCCESS;
}

int iopf_hardware_post(struct iopf_hardware *hardware, const struct iopf_request *request)
{
	const struct iopf_wire *wire = hardware->options.wire;
	uint64_t base = reg64(hardware, VTD_PQA);
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	struct ring ring;
	uint32_t tail;
	int error = wire->encode_request(request, record);

	if (error != 0)
		return error;
	if (base == 0)
		return -ENXIO;
	ring_create(&ring, (struct ring_convention){ .byte_offsets = true },
		    base & VTD_PQA_ADDR, (uint64_t)PAGE_BYTES << (base & VTD_PQA_PQS),
		    wire->request_bytes);
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
	event_raise(hardware, &event_request, VTD_PRS_PPR);
	return IOPF_POSTED;
}
