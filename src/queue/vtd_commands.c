/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/vtd_commands.c - the hardware end of the command queue, and its registers' twins. */
#include <errno.h>

#include "queue/vtd_hardware.h"

enum { PAGE_BYTES = 4096 };

/* ---- Register-based invalidation ---------------------------------------------------- */

/* What CCMD.CIRG and IOTLB.IIRG ask for; 0 is reserved and does nothing. */
static const uint8_t context_granularity[4] = { 0, IOPF_ALL, IOPF_DOMAIN, IOPF_DEVICE };
static const uint8_t iotlb_granularity[4] = { 0, IOPF_ALL, IOPF_DOMAIN, IOPF_PAGE };
/* CCMD.FM: bits of the function number that do not count. */
static const uint8_t function_mask[4] = { 0, 4, 6, 7 };

/* CAP.MAMV: no more pages at once by their address. */
static bool pages_supported(const struct iopf_hardware *hardware, uint64_t size_bytes)
{
	return size_bytes >> VTD_CAP_MAMV(reg64(hardware, VTD_CAP)) <= PAGE_BYTES;
}

/* VT-d, "Context Command Register". */
static void context_register(struct iopf_hardware *hardware)
{
	uint64_t value = reg64(hardware, VTD_CCMD);
	uint64_t asked = value >> 61 & 3;
	const struct iopf_command command = {
		.kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
		.granularity = context_granularity[asked],
		.domain = (uint16_t)value,
		.rid = (uint32_t)(value >> 16 & 0xffff),
		.rid_mask = function_mask[value >> 32 & 3],
		.pasid = IOPF_PASID_NONE,
	};

	if ((value & VTD_CCMD_ICC) == 0)
		return;
	if (asked != 0 && hardware_do(hardware, &command) == -EAGAIN)
		return;
	value &= ~(VTD_CCMD_ICC | UINT64_C(3) << 59);
	reg64_set(hardware, VTD_CCMD, value | asked << 59);
}

/* VT-d, "IOTLB Invalidate Register" and "Invalidate Address Register": a mask that is
 * not supported is ignored, and the granularity that was done reads as 0. */
static void iotlb_register(struct iopf_hardware *hardware)
{
	uint64_t value = reg64(hardware, VTD_IOTLB), range = reg64(hardware, VTD_IVA);
	uint64_t asked = value >> 60 & 3;
	bool pages = iotlb_granularity[asked] == IOPF_PAGE;
	uint64_t size_bytes = (uint64_t)PAGE_BYTES << (range & 0x1f);
	const struct iopf_command command = {
		.kind = IOPF_COMMAND_INVALIDATE_IOTLB,
		.granularity = iotlb_granularity[asked],
		.domain = (uint16_t)(value >> 32),
		.pasid = IOPF_PASID_NONE,
		.addr = pages ? range & ~(size_bytes - 1) : 0,
		.size_bytes = pages ? size_bytes : 0,
	};

	if ((value & VTD_IOTLB_IVT) == 0)
		return;
	if (!pages_supported(hardware, command.size_bytes))
		asked = 0;
	if (asked != 0 && hardware_do(hardware, &command) == -EAGAIN)
		return;
	value &= ~(VTD_IOTLB_IVT | UINT64_C(3) << 57);
	reg64_set(hardware, VTD_IOTLB, value | asked << 57);
}

void vtd_commands_register(struct iopf_hardware *hardware)
{
	context_register(hardware);
	iotlb_register(hardware);
}

/* ---- The queue ---------------------------------------------------------------------- */

void vtd_commands_reset(struct iopf_hardware *hardware)
{
	reg64_set(hardware, VTD_IQH, 0);
	hardware->holding = false;
	hardware->vtd.abort_wait = hardware->vtd.timed_out = false;
}

/* The queue stops, its head where it was, until software clears IQE. */
static bool queue_error(struct iopf_hardware *hardware)
{
	hardware->holding = false;
	hardware->stats.queue_errors++;
	vtd_event_raise(hardware, &vtd_event_fault, VTD_FSTS_IQE);
	return false;
}

static void queue_ring(const struct iopf_hardware *hardware, struct ring *ring)
{
	uint64_t base = reg64(hardware, VTD_IQA);

	ring_create(ring, (struct ring_convention){ .byte_offsets = true },
		    base & VTD_IQA_ADDR, (uint64_t)PAGE_BYTES << (base & VTD_IQA_QS),
		    (base & VTD_IQA_DW) != 0 ? 32 : 16);
}

static bool command_decode(struct iopf_hardware *hardware, const uint8_t *record,
			   uint32_t size_bytes)
{
	struct iopf_command *held = &hardware->held;

	if (hardware->options.wire->decode_command(record, size_bytes, held) != 0)
		return false;
	/* VT-d, "IOTLB Invalidate": AM above MAMV is an invalid descriptor. */
	if (held->kind == IOPF_COMMAND_INVALIDATE_IOTLB &&
	    !pages_supported(hardware, held->size_bytes))
		return false;
	/* VT-d, "Invalidation Wait Descriptor": reserved where the IOMMU cannot drain. */
	return held->kind != IOPF_COMMAND_WAIT ||
	       (held->wait_flags & IOPF_WAIT_DRAIN) == 0 ||
	       (reg64(hardware, VTD_ECAP) & VTD_ECAP_PDS) != 0;
}

/* A command in hand: copied once, so software cannot change it while it waits. */
static bool command_fetch(struct iopf_hardware *hardware, const struct ring *ring)
{
	uint8_t record[RING_ENTRY_MAX];
	uint32_t head, tail;

	if (hardware->holding)
		return true;
	if (!ring_index(ring, reg64(hardware, VTD_IQT), &tail) ||
	    !ring_index(ring, reg64(hardware, VTD_IQH), &head))
		return queue_error(hardware);
	if (reg64(hardware, VTD_IQH) == hardware->vtd.abort_end)
		hardware->vtd.abort_wait = false;
	if (head == tail)
		return false;
	if (!ring_load(ring, hardware->options.memory, head, record)) {
		hardware->stats.bad_addresses++;
		return queue_error(hardware);
	}
	if (!command_decode(hardware, record, ring->entry_bytes))
		return queue_error(hardware);
	hardware->holding = true;
	hardware_observe_command(hardware);
	return true;
}

static int wait_complete(struct iopf_hardware *hardware, const struct iopf_command *wait)
{
	if ((wait->wait_flags & IOPF_WAIT_STATUS) != 0 &&
	    !ring_status_store(hardware->options.memory, wait->status_addr,
			       (uint32_t)wait->status_data)) {
		hardware->stats.bad_addresses++;
		return -EFAULT;
	}
	if ((wait->wait_flags & IOPF_WAIT_INTERRUPT) != 0)
		vtd_event_raise(hardware, &vtd_event_invalidation, VTD_ICS_IWC);
	return 0;
}

static int command_execute(struct iopf_hardware *hardware)
{
	const struct iopf_command command = hardware->held;
	int error;

	if (command.kind == IOPF_COMMAND_WAIT && hardware->vtd.abort_wait) {
		hardware->vtd.abort_wait = false;
		hardware->stats.aborted_waits++;
		return 0;
	}
	if (command.kind == IOPF_COMMAND_INVALIDATE_DEVICE && hardware->vtd.timed_out &&
	    command.rid == hardware->vtd.silent)
		return 0; /* its time was over, too */
	error = hardware_do(hardware, &command);
	if (error == 0 && command.kind == IOPF_COMMAND_WAIT)
		error = wait_complete(hardware, &command);
	return error;
}

/*
 * VT-d, "Device-TLB invalidation time-out": the queue stops until software clears ITE,
 * and the wait that covers the invalidation is given up: one that was there by then, or
 * this command itself. Who submits again afterwards waits for what he submitted.
 *
 * Hardware fetches ahead: at the stop the head is behind the wait that is given up, and
 * by this software knows which of its waits those are (before the head) and which come
 * later (from it on). So the queue goes on to that wait first.
 */
static void command_timeout(struct iopf_hardware *hardware)
{
	const struct iopf_command *held = &hardware->held;
	bool device = held->kind == IOPF_COMMAND_INVALIDATE_DEVICE;

	hardware->vtd.abort_wait = held->kind != IOPF_COMMAND_WAIT;
	hardware->vtd.abort_end = reg64(hardware, VTD_IQT);
	hardware->stats.timeouts++;
	if (hardware->vtd.timed_out)
		return;
	hardware->vtd.timed_out = true;
	hardware->vtd.silent = device ? held->rid : IOPF_NO_ID;
	reg64_set(hardware, VTD_IQERCD, (uint64_t)(held->rid & 0xffff) << 32);
}

/* The wait is behind us, or there is none, or what stands before it takes its time. */
static void timeout_settle(struct iopf_hardware *hardware, bool stands)
{
	if (!hardware->vtd.timed_out)
		return;
	if (hardware->vtd.abort_wait && !stands &&
	    reg64(hardware, VTD_IQH) != hardware->vtd.abort_end)
		return;
	hardware->vtd.timed_out = false;
	vtd_event_raise(hardware, &vtd_event_fault, VTD_FSTS_ITE);
}

static bool queue_runs(const struct iopf_hardware *hardware)
{
	return (reg32(hardware, VTD_GSTS) & VTD_QIE) != 0 &&
	       (reg32(hardware, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE)) == 0;
}

static bool queue_step(struct iopf_hardware *hardware)
{
	struct ring ring;
	uint32_t head;
	int error;

	queue_ring(hardware, &ring);
	if (!command_fetch(hardware, &ring))
		return false;
	error = command_execute(hardware);
	/* What it set off may have reached software, which may have switched us off. */
	if (error == -EAGAIN || !hardware->holding)
		return false;
	if (error == -ETIMEDOUT)
		command_timeout(hardware);
	else if (error != 0)
		return queue_error(hardware);
	hardware->holding = false;
	hardware->stats.commands++;
	queue_ring(hardware, &ring);
	if (!ring_index(&ring, reg64(hardware, VTD_IQH), &head))
		return queue_error(hardware);
	/* release: entry copied, effects done; pairs with software's read of the head */
	reg64_set(hardware, VTD_IQH, ring_register(&ring, ring_next(&ring, head)));
	return true;
}

bool vtd_command_step(struct iopf_hardware *hardware)
{
	bool done;

	vtd_commands_register(hardware);
	if (!queue_runs(hardware))
		return false;
	done = queue_step(hardware);
	timeout_settle(hardware, !done);
	return done;
}
