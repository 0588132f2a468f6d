/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/smmuv3_queues.c - what an SMMUv3 writes: page requests, events, interrupts.
 *
 * Arm IHI 0070, 3.5 "Command and Event queues", chapters 7 and 8.
 */
#include "queue/smmuv3_hardware.h"

#include <errno.h>

enum { CONFIG1 = 8, CONFIG2 = 12 }; /* from IRQ_CFG0 on */

const struct smmuv3_queue smmuv3_commands = {
	.base = SMMUV3_CMDQ_BASE,
	.prod = SMMUV3_CMDQ_PROD,
	.cons = SMMUV3_CMDQ_CONS,
	.entry_bytes = 16,
	.enable = SMMUV3_CMDQEN,
	.abort = SMMUV3_CMDQ_ERR,
	.size_lsb = 21,
};
const struct smmuv3_queue smmuv3_events = {
	.base = SMMUV3_EVENTQ_BASE,
	.prod = SMMUV3_EVENTQ_PROD,
	.cons = SMMUV3_EVENTQ_CONS,
	.entry_bytes = 32,
	.enable = SMMUV3_EVENTQEN,
	.abort = SMMUV3_EVENTQ_ABT_ERR,
	.interrupt_enable = SMMUV3_EVENTQ_IRQEN,
	.interrupt = SMMUV3_EVENTQ_IRQ_CFG0,
	.size_lsb = 16,
	.line = IOPF_SMMUV3_LINE_EVENTQ,
};
const struct smmuv3_queue smmuv3_requests = {
	.base = SMMUV3_PRIQ_BASE,
	.prod = SMMUV3_PRIQ_PROD,
	.cons = SMMUV3_PRIQ_CONS,
	.entry_bytes = 16,
	.enable = SMMUV3_PRIQEN,
	.abort = SMMUV3_PRIQ_ABT_ERR,
	.interrupt_enable = SMMUV3_PRIQ_IRQEN,
	.interrupt = SMMUV3_PRIQ_IRQ_CFG0,
	.size_lsb = 11,
	.line = IOPF_SMMUV3_LINE_PRIQ,
};

/* ---- Interrupts, global errors -------------------------------------------------------- */

/* 3.18: a message where there are messages and it has an address, otherwise a wire. */
static void interrupt_send(struct iopf_hardware *hardware, uint32_t enable,
			   uint32_t config, uint32_t line)
{
	const struct iopf_hardware_options *options = &hardware->options;
	uint64_t addr = reg64(hardware, config);
	uint32_t data = addr != 0 ? reg32(hardware, config + CONFIG1) : line;

	if ((reg32(hardware, SMMUV3_IRQ_CTRLACK) & enable) != 0)
		options->ops->interrupt(options->context, addr, data);
}

uint32_t smmuv3_errors(const struct iopf_hardware *hardware)
{
	return reg32(hardware, SMMUV3_GERROR) ^ reg32(hardware, SMMUV3_GERRORN);
}

/* 7.5: an error is active where GERROR and GERRORN differ. */
void smmuv3_error_raise(struct iopf_hardware *hardware, uint32_t error)
{
	if ((smmuv3_errors(hardware) & error) != 0)
		return;
	reg32_set(hardware, SMMUV3_GERROR, reg32(hardware, SMMUV3_GERROR) ^ error);
	interrupt_send(hardware, SMMUV3_GERROR_IRQEN, SMMUV3_GERROR_IRQ_CFG0,
		       IOPF_SMMUV3_LINE_GERROR);
}

/* ---- Rings ---------------------------------------------------------------------------- */

/* "SMMU_CMDQ_BASE" and its sisters: sizes beyond what IDR1 says are cut, the address is
 * a multiple of the size in bytes, and of 32. */
void smmuv3_ring(const struct iopf_hardware *hardware, const struct smmuv3_queue *queue,
		 struct ring *ring)
{
	uint64_t base = reg64(hardware, queue->base);
	uint32_t most = reg32(hardware, SMMUV3_IDR1) >> queue->size_lsb & 0x1f;
	uint32_t size = (uint32_t)(base & SMMUV3_QUEUE_SIZE);
	uint64_t size_bytes = (uint64_t)queue->entry_bytes << (size < most ? size : most);

	ring_create(ring, (struct ring_convention){ .wrap_bit = true },
		    base & SMMUV3_QUEUE_ADDR & ~(size_bytes - 1), size_bytes,
		    queue->entry_bytes);
}

uint32_t smmuv3_index(const struct iopf_hardware *hardware, const struct ring *ring,
		      uint32_t offset)
{
	return reg32(hardware, offset) & (ring->modulus - 1);
}

/* 3.5.1: indices that imply more entries than there are say full, too. */
static uint32_t queue_room(const struct iopf_hardware *hardware,
			   const struct smmuv3_queue *queue)
{
	struct ring ring;
	uint32_t used;

	smmuv3_ring(hardware, queue, &ring);
	used = ring_used(&ring, smmuv3_index(hardware, &ring, queue->prod),
			 smmuv3_index(hardware, &ring, queue->cons));
	return used < ring.slots ? ring.slots - used : 0;
}

static bool queue_overflowed(const struct iopf_hardware *hardware,
			     const struct smmuv3_queue *queue)
{
	return ((reg32(hardware, queue->prod) ^ reg32(hardware, queue->cons)) &
		SMMUV3_QUEUE_OVERFLOW) != 0;
}

/* 7.4, 8.1: the flag is toggled once, until software has made its own the same. */
static void queue_overflow(struct iopf_hardware *hardware,
			   const struct smmuv3_queue *queue)
{
	if (queue_overflowed(hardware, queue))
		return;
	hardware->stats.overflows++;
	reg32_set(hardware, queue->prod,
		  reg32(hardware, queue->prod) ^ SMMUV3_QUEUE_OVERFLOW);
}

/*
 * Append @record to a queue that has room. False: its memory is not there, and the queue
 * stays as it was until software has acknowledged that. @*first: it was empty before.
 */
static bool queue_store(struct iopf_hardware *hardware, const struct smmuv3_queue *queue,
			const uint8_t *record, bool *first)
{
	uint32_t flag = reg32(hardware, queue->prod) & SMMUV3_QUEUE_OVERFLOW;
	struct ring ring;
	uint32_t prod;

	smmuv3_ring(hardware, queue, &ring);
	prod = smmuv3_index(hardware, &ring, queue->prod);
	*first = prod == smmuv3_index(hardware, &ring, queue->cons);
	if (!ring_store(&ring, hardware->options.memory, prod, record)) {
		hardware->stats.bad_addresses++;
		smmuv3_error_raise(hardware, queue->abort);
		return false;
	}
	/* release: the record is written; pairs with software's read of PROD */
	reg32_set(hardware, queue->prod, ring_next(&ring, prod) | flag);
	return true;
}

static void queue_interrupt(struct iopf_hardware *hardware,
			    const struct smmuv3_queue *queue)
{
	interrupt_send(hardware, queue->interrupt_enable, queue->interrupt, queue->line);
}

/* ---- Page requests -------------------------------------------------------------------- */

/* The bit L of the message: a stop marker has it, too. */
static bool request_last(const struct iopf_request *request)
{
	return (request->flags & (IOPF_LAST | IOPF_STOP)) != 0;
}

/* "SMMU_PRIQ_IRQ_CFG2": one interrupt for each last message, or for the first in an
 * empty queue. */
static bool last_only(const struct iopf_hardware *hardware)
{
	return (reg32(hardware, SMMUV3_PRIQ_IRQ_CFG0 + CONFIG2) & SMMUV3_PRIQ_LO) != 0;
}

/* 8.2: the queue is off, or broken: every request is answered, last or not. */
static int request_refuse(struct iopf_hardware *hardware,
			  const struct iopf_request *request)
{
	if ((request->flags & IOPF_STOP) != 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.refused++;
	return IOPF_POSTED_FAILURE;
}

/* 8.1: what does not get in is answered success where it was the last of its group, the
 * one that begins the overflow included, so that the device asks again. */
static int request_lose(struct iopf_hardware *hardware,
			const struct iopf_request *request)
{
	queue_overflow(hardware, &smmuv3_requests);
	if (request_last(request) && last_only(hardware))
		queue_interrupt(hardware, &smmuv3_requests);
	if ((request->flags & IOPF_LAST) == 0) {
		hardware->stats.dropped++;
		return IOPF_POSTED_NOTHING;
	}
	hardware->stats.answered++;
	return IOPF_POSTED_SUCCESS;
}

/* "SMMU_CR0", PRIQEN: where nothing is translated nobody may ask. */
static bool requests_taken(const struct iopf_hardware *hardware)
{
	const uint32_t both = SMMUV3_PRIQEN | SMMUV3_SMMUEN;

	return (hardware->smmuv3.enabled & both) == both &&
	       (smmuv3_errors(hardware) & SMMUV3_PRIQ_ABT_ERR) == 0;
}

int smmuv3_post(struct iopf_hardware *hardware, const struct iopf_request *request,
		const uint8_t *record)
{
	bool first;

	if (!requests_taken(hardware))
		return request_refuse(hardware, request);
	/* Unlike the event queue, one that overflowed takes nothing until that is
	 * acknowledged, room or not. */
	if (queue_overflowed(hardware, &smmuv3_requests) ||
	    queue_room(hardware, &smmuv3_requests) == 0)
		return request_lose(hardware, request);
	if (!queue_store(hardware, &smmuv3_requests, record, &first))
		return request_refuse(hardware, request);
	hardware->stats.posted++;
	if (last_only(hardware) ? request_last(request) : first)
		queue_interrupt(hardware, &smmuv3_requests);
	return IOPF_POSTED;
}

/* ---- Events --------------------------------------------------------------------------- */

/* 7.2.1, 7.4: a stall that finds no room waits and is nobody's overflow; any other event
 * is lost, which is an overflow where a full queue was the reason. */
static bool fault_lose(struct iopf_hardware *hardware, const struct iopf_fault *fault,
		       bool full)
{
	if (fault->stall) {
		hardware->stats.waited_faults++;
		return false;
	}
	hardware->stats.lost_faults++;
	if (full)
		queue_overflow(hardware, &smmuv3_events);
	return false;
}

/* 7.2.1: but for its room, the queue is writable. */
static bool events_taken(const struct iopf_hardware *hardware)
{
	return (hardware->smmuv3.enabled & SMMUV3_EVENTQEN) != 0 &&
	       (smmuv3_errors(hardware) & SMMUV3_EVENTQ_ABT_ERR) == 0;
}

bool smmuv3_fault_room(const struct iopf_hardware *hardware, uint32_t *room,
		       uint32_t *size)
{
	struct ring ring;

	if (!events_taken(hardware))
		return false;
	smmuv3_ring(hardware, &smmuv3_events, &ring);
	*size = ring.slots;
	*room = queue_room(hardware, &smmuv3_events);
	return true;
}

bool smmuv3_fault_record(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	uint8_t record[RING_ENTRY_MAX] = { 0 };
	bool first;

	if (hardware->family->wire->encode_fault(fault, record) != 0 ||
	    !events_taken(hardware))
		return fault_lose(hardware, fault, false);
	if (queue_room(hardware, &smmuv3_events) == 0)
		return fault_lose(hardware, fault, true);
	if (!queue_store(hardware, &smmuv3_events, record, &first))
		return fault_lose(hardware, fault, false);
	hardware->stats.faults++;
	if (first)
		queue_interrupt(hardware, &smmuv3_events);
	return true;
}
