/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/smmuv3_commands.c - the command queue of an SMMUv3.
 *
 * Arm IHI 0070, chapter 4 "Commands" and 7.1 "Command queue errors".
 */
#include <errno.h>

#include "queue/smmuv3_hardware.h"

void smmuv3_commands_reset(struct iopf_hardware *hardware)
{
	hardware->holding = false;
	hardware->smmuv3.device_failed = false;
}

/* 7.1: the queue stops, CONS where it was, until software acknowledges the error. */
static bool command_error(struct iopf_hardware *hardware, enum smmuv3_command_error error)
{
	uint32_t cons = reg32(hardware, SMMUV3_CMDQ_CONS) & SMMUV3_QUEUE_INDEX;

	hardware->holding = false;
	hardware->stats.queue_errors += error != SMMUV3_CERROR_ATC_INV_SYNC;
	reg32_set(hardware, SMMUV3_CMDQ_CONS,
		  cons | (uint32_t)error << SMMUV3_CMDQ_ERR_LSB);
	smmuv3_error_raise(hardware, SMMUV3_CMDQ_ERR);
	return false;
}

/* ---- What a command may be ------------------------------------------------------------ */

static bool stalls(uint32_t idr0)
{
	return SMMUV3_IDR0_STALL_MODEL(idr0) != SMMUV3_IDR0_STALLS_NEVER;
}

/* What of a translation is meant says which stages there have to be. */
static bool invalidation_legal(const uint32_t *idr, const struct iopf_command *command)
{
	bool second = (command->hints & IOPF_HINT_SECOND) != 0 ||
		      (command->granularity == IOPF_DOMAIN &&
		       (command->hints & IOPF_HINT_FIRST) == 0);
	uint32_t stage = second ? SMMUV3_IDR0_S2P : SMMUV3_IDR0_S1P;

	if (command->size_bytes > 4096 && (idr[3] & SMMUV3_IDR3_RIL) == 0)
		return false;
	return command->granularity == IOPF_ALL || (idr[0] & stage) != 0;
}

/* Chapter 4: a command of a feature that is not there is CERROR_ILL. */
static bool command_legal(const struct iopf_hardware *hardware,
			  const struct iopf_command *command)
{
	const uint32_t *idr = hardware->options.idr;

	switch (command->kind) {
	case IOPF_COMMAND_RESPONSE:
		return (command->flags & IOPF_STALL) != 0 ?
			       stalls(idr[0]) :
			       (idr[0] & SMMUV3_IDR0_PRI) != 0;
	case IOPF_COMMAND_TERMINATE:
		return stalls(idr[0]);
	case IOPF_COMMAND_INVALIDATE_PASID:
		return (idr[0] & SMMUV3_IDR0_S1P) != 0;
	case IOPF_COMMAND_INVALIDATE_IOTLB:
		return invalidation_legal(idr, command);
	case IOPF_COMMAND_INVALIDATE_DEVICE:
		return (idr[0] & SMMUV3_IDR0_ATS) != 0;
	default:
		return true;
	}
}

/* 4.1.7: a StreamID or SubstreamID that no device can have. */
static bool out_of_range(const uint32_t *idr, const struct iopf_command *command)
{
	uint64_t streams = UINT64_C(1) << SMMUV3_IDR1_SIDSIZE(idr[1]);
	uint32_t substreams = UINT32_C(1) << SMMUV3_IDR1_SSIDSIZE(idr[1]);

	return command->rid >= streams ||
	       (command->pasid <= IOPF_PASID_MAX && command->pasid >= substreams);
}

/* 4.1.7, 4.5: what is consumed and has no effect. */
static bool command_idle(const struct iopf_hardware *hardware,
			 const struct iopf_command *command)
{
	bool to_device = command->kind == IOPF_COMMAND_INVALIDATE_DEVICE ||
			 (command->kind == IOPF_COMMAND_RESPONSE &&
			  (command->flags & IOPF_STALL) == 0);

	return out_of_range(hardware->options.idr, command) ||
	       (to_device && (hardware->smmuv3.enabled & SMMUV3_SMMUEN) == 0);
}

/* ---- Consumption ---------------------------------------------------------------------- */

/* A command in hand: copied once, so software cannot change it while it waits. */
static bool command_fetch(struct iopf_hardware *hardware)
{
	const struct iopf_wire *wire = hardware->family->wire;
	uint8_t record[RING_ENTRY_MAX];
	struct ring ring;
	uint32_t prod, cons;

	if (hardware->holding)
		return true;
	smmuv3_ring(hardware, &smmuv3_commands, &ring);
	prod = smmuv3_index(hardware, &ring, SMMUV3_CMDQ_PROD);
	cons = smmuv3_index(hardware, &ring, SMMUV3_CMDQ_CONS);
	if (ring_used(&ring, prod, cons) > ring.slots)
		return command_error(hardware, SMMUV3_CERROR_ILL);
	if (prod == cons)
		return false;
	if (!ring_load(&ring, hardware->options.memory, cons, record)) {
		hardware->stats.bad_addresses++;
		return command_error(hardware, SMMUV3_CERROR_ABT);
	}
	if (wire->decode_command(record, ring.entry_bytes, &hardware->held) != 0 ||
	    !command_legal(hardware, &hardware->held))
		return command_error(hardware, SMMUV3_CERROR_ILL);
	hardware->holding = true;
	hardware_observe_command(hardware);
	return true;
}

/*
 * 3.9.1.4: an ATC_INV that was not answered is told at the SYNC behind it, which is not
 * consumed then; it is taken again once the error is acknowledged.
 */
static int command_execute(struct iopf_hardware *hardware,
			   const struct iopf_command *command)
{
	bool wait = command->kind == IOPF_COMMAND_WAIT;
	int error;

	if (wait && hardware->smmuv3.device_failed) {
		hardware->smmuv3.device_failed = false;
		return -ETIMEDOUT;
	}
	if (command_idle(hardware, command))
		return 0;
	error = hardware_do(hardware, command);
	if (error != -ETIMEDOUT)
		return error;
	hardware->stats.timeouts++;
	hardware->smmuv3.device_failed = !wait;
	return wait ? -ETIMEDOUT : 0;
}

/* 4.7.3: a message, or where there are none a wire. Consumption is to be seen before it,
 * so this comes last. */
static void wait_signal(struct iopf_hardware *hardware, const struct iopf_command *wait)
{
	const struct iopf_hardware_options *options = &hardware->options;

	if ((wait->wait_flags & (IOPF_WAIT_STATUS | IOPF_WAIT_INTERRUPT)) == 0)
		return;
	if ((wait->wait_flags & IOPF_WAIT_STATUS) == 0 ||
	    (options->idr[0] & SMMUV3_IDR0_MSI) == 0) {
		options->ops->interrupt(options->context, 0, IOPF_SMMUV3_LINE_SYNC);
	} else if (!ring_status_store(options->memory, wait->status_addr,
				      (uint32_t)wait->status_data)) {
		hardware->stats.bad_addresses++;
		smmuv3_error_raise(hardware, SMMUV3_MSI_CMDQ_ABT_ERR);
	}
}

static void command_consume(struct iopf_hardware *hardware)
{
	struct ring ring;
	uint32_t cons;

	hardware->holding = false;
	hardware->stats.commands++;
	smmuv3_ring(hardware, &smmuv3_commands, &ring);
	cons = smmuv3_index(hardware, &ring, SMMUV3_CMDQ_CONS);
	/* release: entry copied, effects done; pairs with software's read of CONS */
	reg32_set(hardware, SMMUV3_CMDQ_CONS, ring_next(&ring, cons));
}

bool smmuv3_command_step(struct iopf_hardware *hardware)
{
	struct iopf_command command;
	int error;

	if ((hardware->smmuv3.enabled & SMMUV3_CMDQEN) == 0 ||
	    (smmuv3_errors(hardware) & SMMUV3_CMDQ_ERR) != 0 || !command_fetch(hardware))
		return false;
	command = hardware->held;
	error = command_execute(hardware, &command);
	/* What it set off may have reached software, which may have switched us off. */
	if (error == -EAGAIN || !hardware->holding)
		return false;
	if (error == -ETIMEDOUT) {
		hardware->stats.aborted_waits++;
		return command_error(hardware, SMMUV3_CERROR_ATC_INV_SYNC);
	}
	if (error != 0)
		return command_error(hardware, SMMUV3_CERROR_ILL);
	command_consume(hardware);
	if (command.kind == IOPF_COMMAND_WAIT)
		wait_signal(hardware, &command);
	return true;
}
