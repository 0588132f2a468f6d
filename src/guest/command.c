/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/command.c - what a guest's commands do. */
#include "guest/guest.h"

#include <errno.h>
#include <string.h>

/* ---- Structures --------------------------------------------------------------------- */

/* What was passed over is confirmed by nothing: the guest is told of a time-out instead
 * and has to ask again. */
static int command_unfinished(struct iopf_guest *guest)
{
	int result = guest->unfinished ? -ETIMEDOUT : 0;

	guest->unfinished = false;
	return result;
}

/* Entries that @command says have changed are to be compared with what is attached.
 * False: none has, or not here. */
static bool command_scans(struct iopf_guest *guest, const struct iopf_command *command)
{
	uint32_t rid, pasid, first = 0, count = guest->function_count;

	if (!guest->structures->changes(command, &rid, &pasid))
		return false;
	if (rid != IOPF_NO_ID) {
		first = guest_function_of_rid(guest, rid);
		count = 1;
	}
	if (first == guest->function_count)
		return false;
	if (!guest->begun)
		guest_scan(guest, first, count, pasid);
	guest->begun = true;
	return true;
}

static int command_structures(struct iopf_guest *guest, const struct iopf_command *command)
{
	if (!command_scans(guest, command))
		return 0;
	return guest_scan_run(guest) != 0 ? -EAGAIN : command_unfinished(guest);
}

/* ---- Invalidations ------------------------------------------------------------------ */

/* A translation cache knows its function's PASIDs and none. */
static bool forward_touches(const struct iopf_guest *guest,
			    const struct iopf_command *command,
			    const struct guest_space *space)
{
	if (command->kind == IOPF_COMMAND_INVALIDATE_DEVICE)
		return guest->functions[space->function].value.rid == command->rid &&
		       (command->pasid == IOPF_PASID_ANY ||
			command->pasid == space->pasid);
	return guest->structures->touches(command, &space->entry);
}

/* It may touch any space. Otherwise: those of one PASID, and of requests without. */
static bool forward_every(const struct iopf_guest *guest,
			  const struct iopf_command *command)
{
	if (command->kind == IOPF_COMMAND_INVALIDATE_DEVICE)
		return command->pasid == IOPF_PASID_ANY;
	if (guest->family->asids)
		return true;
	return command->granularity == IOPF_ALL || command->granularity == IOPF_DOMAIN ||
	       command->pasid == IOPF_PASID_NONE;
}

static const struct guest_space *forward_candidate(const struct iopf_guest *guest,
						   const struct iopf_command *command,
						   uint32_t i)
{
	if (forward_every(guest, command))
		return &guest->spaces[i];
	if (i & 1 && command->pasid == IOPF_PASID_NONE)
		return NULL;
	return guest_space_find(guest, i / 2, i & 1 ? IOPF_PASID_NONE : command->pasid);
}

/* Give @command to the host for @space. Returns: 0, -EAGAIN, -ETIMEDOUT. */
static int forward_one(struct iopf_guest *guest, const struct iopf_command *command,
		       const struct guest_space *space)
{
	uint32_t endpoint = guest->functions[space->function].value.endpoint;
	/* What is for the host, and nothing else of what the guest wrote. */
	const struct iopf_command given = {
		.kind = command->kind,
		.granularity = command->granularity,
		.domain = (uint16_t)space->entry.value.domain,
		.asid = guest->family->asids ? space->entry.value.domain : 0,
		.rid = guest->functions[space->function].value.rid,
		.pasid = space->pasid,
		.hints = command->hints,
		.addr = command->addr,
		.size_bytes = command->size_bytes,
	};
	int result;

	result = guest_settle(guest, guest->ops->invalidate(guest->context, endpoint,
							    space->pasid, &given));
	if (result == -EAGAIN)
		return result;
	guest->stats.invalidations++;
	guest->forwarded++;
	return result == GUEST_PASSED_OVER || result == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

static int command_forward(struct iopf_guest *guest, const struct iopf_command *command)
{
	uint32_t count =
		forward_every(guest, command) ? guest->space_count : guest->function_count * 2;

	if (command->kind == IOPF_COMMAND_INVALIDATE_DEVICE &&
	    guest_function_of_rid(guest, command->rid) == guest->function_count) {
		guest->stats.foreign_invalidations++;
		return 0;
	}
	for (; guest->forward < count; guest->forward++) {
		const struct guest_space *space =
			forward_candidate(guest, command, guest->forward);
		int result = 0;

		if (!guest_step(guest))
			return -EAGAIN;
		if (space != NULL && forward_touches(guest, command, space))
			result = forward_one(guest, command, space);
		if (result < 0)
			return result;
	}
	guest->stats.idle_invalidations += guest->forwarded == 0;
	return 0;
}

/* Of translations; an entry that leads elsewhere by now is another one before. */
static int command_iotlb(struct iopf_guest *guest, const struct iopf_command *command)
{
	if (command_scans(guest, command) && guest_scan_run(guest) != 0)
		return -EAGAIN;
	return command_forward(guest, command);
}

/* ---- Waits -------------------------------------------------------------------------- */

static void wait_drained(struct iopf_guest *guest)
{
	for (uint32_t i = 0; i < guest->function_count; i++)
		guest->stats.forgotten += shown_drain(guest->functions[i].shown);
	guest->undrained = false;
	guest->stats.drains++;
}

/* What could not be finished is never confirmed: the wait is given up as hardware does
 * where a device does not answer (VT-d, "Invalidation Time-out Error"). */
static int command_wait(struct iopf_guest *guest, const struct iopf_command *command)
{
	bool drain = (command->wait_flags & IOPF_WAIT_DRAIN) ||
		     (guest->registers->waits_drain && guest->undrained);
	int result = command_unfinished(guest);

	/* Asked until it says so and not again: each of both has its own time. */
	if (result == 0 && guest->forward == 0 && guest->ops->invalidated != NULL)
		result = guest_settle(guest, guest->ops->invalidated(guest->context));
	if (result == 0)
		guest->forward = 1;
	if (result == 0 && drain)
		result = guest_settle(guest, guest->ops->drained(guest->context));
	if (result == 0 && drain)
		wait_drained(guest);
	if (result == 0 || result == -EAGAIN)
		return result;
	return -ETIMEDOUT;
}

/* Interrupt entries and the like: nothing of it is kept here. */
static int command_other(struct iopf_guest *guest, const struct iopf_command *command)
{
	(void)guest;
	(void)command;
	return 0;
}

/* ---- What the hardware end asks ------------------------------------------------------ */

static guest_command_fn *const commands[IOPF_COMMAND_KIND_COUNT] = {
	[IOPF_COMMAND_NONE] = command_other,
	[IOPF_COMMAND_RESPONSE] = guest_command_response,
	[IOPF_COMMAND_INVALIDATE_CONTEXT] = command_structures,
	[IOPF_COMMAND_INVALIDATE_PASID] = command_structures,
	[IOPF_COMMAND_INVALIDATE_IOTLB] = command_iotlb,
	[IOPF_COMMAND_INVALIDATE_DEVICE] = command_forward,
	[IOPF_COMMAND_WAIT] = command_wait,
	[IOPF_COMMAND_OTHER] = command_other,
	[IOPF_COMMAND_TERMINATE] = guest_command_terminate,
};

/*
 * Commands come from the queue and, one at a time each, from two registers. One is
 * carried out at a time; the others find it busy.
 */
static int command_run(void *context, const struct iopf_command *command)
{
	struct iopf_guest *guest = context;
	int result;

	if (guest->begun && memcmp(&guest->command, command, sizeof(*command)) != 0)
		return -EAGAIN;
	if (!guest_step(guest))
		return -EAGAIN;
	guest->command = *command;
	result = commands[command->kind](guest, command);
	guest->begun = result == -EAGAIN;
	if (result == -EAGAIN)
		return result;
	guest->forward = 0;
	guest->forwarded = 0;
	guest->stats.commands++;
	return result;
}

static void command_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct iopf_guest *guest = context;

	guest->ops->interrupt(guest->context, addr, data);
}

static void command_root_changed(void *context)
{
	guest_scan_all(context);
}

/* While translation is off nothing is attached. */
static void command_translation_changed(void *context, bool on)
{
	struct iopf_guest *guest = context;

	if (!on && guest->registers->off_forgets)
		guest_forget(guest, GUEST_EVERY_MECHANISM);
	guest_scan_all(guest);
}

/* What was in the queue is forgotten, and with it what was shown by it. */
static void command_queue_changed(void *context, enum iopf_queue_change change)
{
	bool events = change >= IOPF_EVENT_QUEUE_ENABLED;

	guest_forget(context, 1u << (events ? IOPF_STALLS : IOPF_PRI));
}

const struct iopf_hardware_ops guest_hardware_ops = {
	.command = command_run,
	.interrupt = command_interrupt,
	.root_changed = command_root_changed,
	.translation_changed = command_translation_changed,
	.queue_changed = command_queue_changed,
};
