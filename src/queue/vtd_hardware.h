/* SPDX-License-Identifier: BSD-3-Clause */
/* queue/vtd_hardware.h - what the parts of VT-d's hardware end ask of each other. */
#ifndef QUEUE_VTD_HARDWARE_H
#define QUEUE_VTD_HARDWARE_H

#include "queue/hardware.h"
#include "queue/vtd.h"

/* ---- vtd_events.c: status bits that raise interrupts, faults --------------------------- */

/* A status register and the four that say how it interrupts (control, data, address,
 * upper address, side by side). */
struct vtd_event {
	uint16_t status, control;
	uint32_t bits;
};

extern const struct vtd_event vtd_event_fault, vtd_event_invalidation, vtd_event_request;

/* Sets status bits; the first that is set while none was interrupts. */
void vtd_event_raise(struct iopf_hardware *hardware, const struct vtd_event *event,
		     uint32_t bits);
/* Software wrote the status or the control: what was pending leaves, or is over. */
void vtd_event_settle(struct iopf_hardware *hardware, const struct vtd_event *event);

/* The message that requests wait leaves, whoever held it back. */
void vtd_request_interrupt(struct iopf_hardware *hardware);
/* The request queue says that something was lost. */
void vtd_request_overflow(struct iopf_hardware *hardware);

/* After software wrote PRS, FSTS or a recording register: bits that mirror others. */
void vtd_fault_settle(struct iopf_hardware *hardware);
bool vtd_fault_record(struct iopf_hardware *hardware, const struct iopf_fault *fault);

/* ---- vtd_capability.c -------------------------------------------------------------------- */

int vtd_offer(const struct hardware_offer *offer, struct iopf_hardware_options *options);

/* ---- vtd_commands.c -------------------------------------------------------------------- */

/* QIE went on or off. */
void vtd_commands_reset(struct iopf_hardware *hardware);
/* Register-based invalidation: software wrote CCMD or IOTLB. */
void vtd_commands_register(struct iopf_hardware *hardware);
bool vtd_command_step(struct iopf_hardware *hardware);

#endif
