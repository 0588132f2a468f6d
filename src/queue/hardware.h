/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/hardware.h - what the hardware end knows: a register file, one event at most
 * per kind pending, one command at most in hand.
 */
#ifndef QUEUE_HARDWARE_H
#define QUEUE_HARDWARE_H

#include "iopf/queue.h"
#include "queue/ring.h"
#include "queue/vtd.h"

enum { REGISTER_WORDS = VTD_REGISTERS_END / 8 };

/* 64-bit words: what they hold, what software may write, what it clears with a 1. */
struct register_file {
	uint64_t value[REGISTER_WORDS];
	uint64_t writable[REGISTER_WORDS];
	uint64_t clearable[REGISTER_WORDS];
};

struct iopf_hardware {
	struct iopf_hardware_options options;
	struct register_file file;
	uint64_t root;         /* RTADDR as put into force by SRTP */
	uint64_t request_base; /* PQA as last told by queue_changed */
	struct iopf_command held; /* taken out of the queue, not done yet */
	bool holding;
	bool abort_wait;    /* the next wait covers an invalidation that timed out */
	uint64_t abort_end; /* IQT when it did: later waits cover nothing of it */
	uint8_t fault_next; /* fault recording register */
	struct iopf_hardware_stats stats;
};

/* ---- registers.c: storage and masks ------------------------------------------------ */

/* False: CAP or ECAP place registers where this file has none. */
bool registers_create(struct register_file *file, uint32_t version, uint64_t cap,
		      uint64_t ecap);
/* What software sees and does; @offset is aligned to @width. False: nothing is there. */
bool registers_read(const struct register_file *file, uint32_t offset, uint32_t width,
		    uint64_t *value);
bool registers_write(struct register_file *file, uint32_t offset, uint32_t width,
		     uint64_t value);

/* What hardware sees and does, no masks. */
static inline uint64_t reg64(const struct iopf_hardware *hardware, uint32_t offset)
{
	return hardware->file.value[offset / 8];
}

static inline void reg64_set(struct iopf_hardware *hardware, uint32_t offset,
			     uint64_t value)
{
	hardware->file.value[offset / 8] = value;
}

static inline uint32_t reg32(const struct iopf_hardware *hardware, uint32_t offset)
{
	return (uint32_t)(hardware->file.value[offset / 8] >> (offset % 8 * 8));
}

static inline void reg32_set(struct iopf_hardware *hardware, uint32_t offset,
			     uint32_t value)
{
	uint64_t *word = &hardware->file.value[offset / 8];
	unsigned shift = offset % 8 * 8;

	*word = (*word & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

/* ---- events.c: status bits that raise interrupts ------------------------------------ */

/* A status register and the four that say how it interrupts (control, data, address,
 * upper address, side by side). */
struct event {
	uint16_t status, control;
	uint32_t bits;
};

extern const struct event event_fault, event_invalidation, event_request;

/* Sets status bits; the first that is set while none was interrupts. */
void event_raise(struct iopf_hardware *hardware, const struct event *event,
		 uint32_t bits);
/* Software wrote the status or the control: what was pending leaves, or is over. */
void event_settle(struct iopf_hardware *hardware, const struct event *event);

/* After software wrote PRS, FSTS or a recording register: bits that mirror others. */
void fault_settle(struct iopf_hardware *hardware);

/* ---- commands.c ---------------------------------------------------------------------- */

/* QIE went on or off. */
void commands_reset(struct iopf_hardware *hardware);
/* Register-based invalidation: software wrote CCMD or IOTLB. */
void commands_register(struct iopf_hardware *hardware);

#endif
