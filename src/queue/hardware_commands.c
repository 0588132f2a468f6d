/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/hardware_commands.c - a command queue that stops at what it cannot do, its head
 * where it was, until software has cleared that: for families without more to it.
 */
#include <errno.h>

#include "queue/hardware.h"

static bool stop(struct iopf_hardware *hardware, const struct hardware_commands *commands,
		 enum hardware_stop why)
{
	hardware->holding = false;
	hardware->stats.queue_errors += why != HARDWARE_TIMEOUT;
	hardware->stats.bad_addresses += why == HARDWARE_ADDRESS;
	commands->stop(hardware, why);
	return false;
}

/* A command in hand: copied once, so software cannot change it while it waits. */
static bool fetch(struct iopf_hardware *hardware, const struct hardware_commands *commands,
		  const struct ring *ring, uint32_t head)
{
	const struct iopf_wire *wire = hardware->family->wire;
	uint8_t record[RING_ENTRY_MAX];

	if (hardware->holding)
		return true;
	if (!ring_load(ring, hardware->options.memory, head, record))
		return stop(hardware, commands, HARDWARE_ADDRESS);
	if (wire->decode_command(record, ring->entry_bytes, &hardware->held) != 0 ||
	    !commands->legal(hardware, &hardware->held))
		return stop(hardware, commands, HARDWARE_ILLEGAL);
	hardware->holding = true;
	hardware_observe_command(hardware);
	return true;
}

/* What was not answered is told at the wait behind it, which is not consumed then; it is
 * taken again when the queue goes on. */
static int execute(struct iopf_hardware *hardware, const struct hardware_commands *commands)
{
	const struct iopf_command command = hardware->held;
	bool wait = command.kind == IOPF_COMMAND_WAIT;
	int error;

	if (wait && hardware->unanswered) {
		hardware->unanswered = false;
		return -ETIMEDOUT;
	}
	error = hardware_do(hardware, &command);
	if (error == 0 && wait)
		return commands->wait(hardware, &command);
	if (error != -ETIMEDOUT)
		return error;
	hardware->stats.timeouts++;
	hardware->unanswered = !wait;
	hardware->unanswered_rid = command.rid;
	return wait ? error : 0;
}

bool hardware_commands_step(struct iopf_hardware *hardware,
			    const struct hardware_commands *commands)
{
	uint32_t head, tail;
	struct ring ring;
	int error;

	if (!commands->runs(hardware, &ring, &head, &tail) || head == tail ||
	    !fetch(hardware, commands, &ring, head))
		return false;
	error = execute(hardware, commands);
	/* What it set off may have reached software, which may have switched us off. */
	if (error == -EAGAIN || !hardware->holding)
		return false;
	if (error != 0)
		return stop(hardware, commands, error == -ETIMEDOUT ? HARDWARE_TIMEOUT :
						error == -EFAULT    ? HARDWARE_ADDRESS :
								      HARDWARE_ILLEGAL);
	hardware->holding = false;
	hardware->stats.commands++;
	/* release: entry copied, effects done; pairs with software's read of the head */
	reg32_set(hardware, commands->head,
		  (uint32_t)ring_register(&ring, ring_next(&ring, head)));
	if (hardware->held.kind == IOPF_COMMAND_WAIT && commands->waited != NULL)
		commands->waited(hardware, &hardware->held);
	return true;
}
