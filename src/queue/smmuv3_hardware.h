/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/smmuv3_hardware.h - what the parts of SMMUv3's hardware end ask of each other. */
#ifndef QUEUE_SMMUV3_HARDWARE_H
#define QUEUE_SMMUV3_HARDWARE_H

#include "queue/hardware.h"
#include "queue/smmuv3.h"

/* ---- smmuv3_queues.c: page requests, events, interrupts, global errors ----------------- */

/* A queue's registers, and what is set where it is on, broken, or interrupts. */
struct smmuv3_queue {
	uint32_t base, prod, cons;
	uint32_t entry_bytes;
	uint32_t enable; /* CR0 */
	uint32_t abort;  /* GERROR: an entry of it could not be reached */
	uint32_t interrupt_enable; /* IRQ_CTRL */
	uint32_t interrupt;        /* IRQ_CFG0, CFG1 and CFG2 stand behind it */
	uint8_t size_lsb;          /* in IDR1: log2 of its entries at most */
	uint8_t line;              /* enum iopf_smmuv3_line */
};

extern const struct smmuv3_queue smmuv3_commands, smmuv3_events, smmuv3_requests;

void smmuv3_ring(const struct iopf_hardware *hardware, const struct smmuv3_queue *queue,
		 struct ring *ring);
/* PROD or CONS: bits above the wrap bit of the ring do not count. */
uint32_t smmuv3_index(const struct iopf_hardware *hardware, const struct ring *ring,
		      uint32_t offset);

/* Errors that software has not acknowledged. */
uint32_t smmuv3_errors(const struct iopf_hardware *hardware);
/* One that is active already is not told again. */
void smmuv3_error_raise(struct iopf_hardware *hardware, uint32_t error);

int smmuv3_post(struct iopf_hardware *hardware, const struct iopf_request *request,
		const uint8_t *record);
bool smmuv3_fault_record(struct iopf_hardware *hardware, const struct iopf_fault *fault);
bool smmuv3_fault_room(const struct iopf_hardware *hardware, uint32_t *room,
		       uint32_t *size);

/* ---- smmuv3_identification.c ------------------------------------------------------------ */

enum { SMMUV3_VIRTUAL_STREAM_BITS = 16 };

int smmuv3_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options);

/* ---- smmuv3_commands.c ------------------------------------------------------------------ */

/* CMDQEN went on or off: who comes next begins anew. */
void smmuv3_commands_reset(struct iopf_hardware *hardware);
bool smmuv3_command_step(struct iopf_hardware *hardware);

#endif
