/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/vtd_events.c - faults, completed invalidations and page requests as interrupts.
 *
 * All three follow one rule (VT-d, "Fault Event Control Register" and its sisters): the
 * first status bit to be set while none was raises an event; the event leaves at once,
 * or, where software masked it, is pending (IP) until software unmasks it or clears
 * every status bit.
 */
#include "queue/vtd_hardware.h"

enum { EVENT_DATA = 4, EVENT_ADDR = 8, EVENT_UPPER = 12 }; /* from the control on */

const struct vtd_event vtd_event_fault = { VTD_FSTS, VTD_FECTL,
					   VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE |
						   VTD_FSTS_ICE | VTD_FSTS_ITE };
const struct vtd_event vtd_event_invalidation = { VTD_ICS, VTD_IECTL, VTD_ICS_IWC };
const struct vtd_event vtd_event_request = { VTD_PRS, VTD_PECTL,
					     VTD_PRS_PPR | VTD_PRS_PRO };

static void event_send(struct iopf_hardware *hardware, const struct vtd_event *event)
{
	uint64_t upper = reg32(hardware, event->control + EVENT_UPPER);
	uint64_t addr = upper << 32 | reg32(hardware, event->control + EVENT_ADDR);
	uint32_t data = reg32(hardware, event->control + EVENT_DATA);

	hardware->options.ops->interrupt(hardware->options.context, addr, data);
}

/* False: it is held back. */
static bool event_may_leave(const struct iopf_hardware *hardware,
			    const struct vtd_event *event)
{
	const struct hardware_observer *observer = hardware->observer;

	return event != &vtd_event_request || observer == NULL ||
	       observer->interrupt(observer->context);
}

void vtd_request_interrupt(struct iopf_hardware *hardware)
{
	event_send(hardware, &vtd_event_request);
}

void vtd_event_raise(struct iopf_hardware *hardware, const struct vtd_event *event,
		     uint32_t bits)
{
	uint32_t status = reg32(hardware, event->status);
	uint32_t control = reg32(hardware, event->control);

	reg32_set(hardware, event->status, status | bits);
	if ((status & event->bits) != 0)
		return;
	if ((control & VTD_EVENT_IM) != 0)
		reg32_set(hardware, event->control, control | VTD_EVENT_IP);
	else if (event_may_leave(hardware, event))
		event_send(hardware, event);
}

void vtd_event_settle(struct iopf_hardware *hardware, const struct vtd_event *event)
{
	uint32_t control = reg32(hardware, event->control);
	bool over = (reg32(hardware, event->status) & event->bits) == 0;

	if ((control & VTD_EVENT_IP) == 0 || (!over && (control & VTD_EVENT_IM) != 0))
		return;
	reg32_set(hardware, event->control, control & ~VTD_EVENT_IP);
	if (!over && event_may_leave(hardware, event))
		event_send(hardware, event);
}

static uint32_t frcd_count(const struct iopf_hardware *hardware)
{
	return VTD_CAP_NFR(reg64(hardware, VTD_CAP));
}

/* FSTS.PRO shows PRS.PRO; FSTS.PPF shows that a recording register is in use. */
void vtd_fault_settle(struct iopf_hardware *hardware)
{
	uint32_t status = reg32(hardware, VTD_FSTS) & ~(VTD_FSTS_PRO | VTD_FSTS_PPF);

	if ((reg32(hardware, VTD_PRS) & VTD_PRS_PRO) != 0)
		status |= VTD_FSTS_PRO;
	for (uint32_t i = 0; i < frcd_count(hardware); i++) {
		if ((reg64(hardware, VTD_FRCD + i * VTD_FRCD_BYTES + 8) & VTD_FRCD_F) !=
		    0)
			status |= VTD_FSTS_PPF;
	}
	reg32_set(hardware, VTD_FSTS, status);
	vtd_event_settle(hardware, &vtd_event_fault);
}

/* T1 T2: 00 write, 10 read, 01 page request. */
static uint64_t fault_upper(const struct iopf_fault *fault)
{
	uint64_t upper = VTD_FRCD_F | (uint64_t)(uint8_t)fault->reason << VTD_FRCD_REASON_LSB |
			 (fault->rid & 0xffff);

	if (fault->request)
		upper |= VTD_FRCD_T2;
	else if ((fault->perm & IOPF_WRITE) == 0)
		upper |= VTD_FRCD_T1;
	if (fault->pasid != IOPF_PASID_NONE)
		upper |= VTD_FRCD_PP | (uint64_t)(fault->pasid & IOPF_PASID_MAX)
					       << VTD_FRCD_PASID_LSB;
	if ((fault->perm & IOPF_EXEC) != 0)
		upper |= VTD_FRCD_EXE;
	if ((fault->perm & IOPF_PRIV) != 0)
		upper |= VTD_FRCD_PRIV;
	return upper;
}

/* VT-d, "Primary Fault Logging": recording registers are used round and round; where
 * the next is still in use, or an overflow stands, the fault is lost. */
bool vtd_fault_record(struct iopf_hardware *hardware, const struct iopf_fault *fault)
{
	uint32_t index = hardware->vtd.fault_next;
	uint32_t offset = VTD_FRCD + index * VTD_FRCD_BYTES;
	uint32_t status = reg32(hardware, VTD_FSTS);

	if ((status & VTD_FSTS_PFO) != 0 ||
	    (reg64(hardware, offset + 8) & VTD_FRCD_F) != 0) {
		hardware->stats.lost_faults++;
		vtd_event_raise(hardware, &vtd_event_fault, VTD_FSTS_PFO);
		return false;
	}
	reg64_set(hardware, offset, fault->addr & ~UINT64_C(0xfff));
	reg64_set(hardware, offset + 8, fault_upper(fault));
	hardware->vtd.fault_next = (uint8_t)((index + 1) % frcd_count(hardware));
	hardware->stats.faults++;
	if ((status & VTD_FSTS_PPF) == 0)
		reg32_set(hardware, VTD_FSTS, (status & ~VTD_FSTS_FRI) | index << 8);
	vtd_event_raise(hardware, &vtd_event_fault, VTD_FSTS_PPF);
	return true;
}
