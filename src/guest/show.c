/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/show.c - what a guest is shown, what becomes of it, and what it answers. */
#include "guest/guest.h"

#include <errno.h>

#include "wire/config.h"

/* ---- As page requests ------------------------------------------------------------------ */

/* Page @page of @group as the guest sees it. */
static struct iopf_request show_request(const struct iopf_group *group,
					const struct iopf_page *page, uint32_t rid,
					uint32_t index, bool last)
{
	struct iopf_request request = {
		.addr = page->addr & ~UINT64_C(4095),
		.rid = rid,
		.pasid = group->pasid,
		.index = (uint16_t)index,
		.perm = page->perm,
		.flags = last ? IOPF_LAST : 0,
	};

	/* Neither exists without a PASID; and a last that wants nothing is a stop marker
	 * on this wire (PCIe 6.x, 10.4.1.2.1): whatever it was, it reads. */
	if (group->pasid == IOPF_PASID_NONE)
		request.perm &= IOPF_READ | IOPF_WRITE;
	if (!(request.perm & IOPF_WRITE))
		request.perm |= IOPF_READ;
	return request;
}

/* Write @count pages into the guest's queue, the last one deciding, as hardware does. */
static int show_post(struct iopf_guest *guest, const struct iopf_group *group,
		     const struct iopf_page *pages, uint32_t count, uint32_t rid,
		     uint32_t index)
{
	int result = -ENXIO;

	for (uint32_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		struct iopf_request request =
			show_request(group, &pages[i], rid, index, last);

		result = iopf_hardware_post(guest->hardware, &request);
		if (result < 0 || result == IOPF_POSTED_FAILURE)
			return -ENOENT;
	}
	return result == IOPF_POSTED ? 0 : -ENOSPC;
}

static void show_keep(struct iopf_guest *guest, uint32_t function, uint32_t index,
		      const struct iopf_group *group, uint32_t pages)
{
	shown_show(guest->functions[function].shown, index, group->token, group->pasid,
		   pages);
	map_add(&guest->token_map, group->token,
		function * IOPF_GUEST_INDEX_COUNT + index);
}

/*
 * How many pages of a group are within the guest's own allocation (PCIe 6.x, 10.4.1): all
 * of them or, where that is smaller than the group, as many as it ever allows.
 */
static int request_count(const struct guest_function *function,
			 const struct iopf_group *group)
{
	uint32_t most = UINT32_MAX, count = group->page_count;

	if (function->value.config != NULL)
		most = iopf_config_pages(function->value.config, group->pasid);
	if (most == 0)
		return -ENOENT;
	if (count > most)
		count = most;
	return function->shown->pages > most - count ? -EAGAIN : (int)count;
}

/* Returns: how many pages, -EAGAIN, -ENOENT, -ENOSPC. */
static int show_requests(struct iopf_guest *guest, const struct guest_space *space,
			 const struct iopf_group *group, const struct iopf_page *pages)
{
	const struct guest_function *function = &guest->functions[space->function];
	int count = request_count(function, group), result;
	uint32_t index;

	if (!(space->entry.value.flags & IOPF_SPACE_PRE))
		return -ENOENT;
	index = shown_free_index(function->shown);
	if (count > 0 && index == SHOWN_NO_INDEX)
		return -EAGAIN;
	if (count < 0)
		return count;
	result = show_post(guest, group, pages, (uint32_t)count, function->value.rid,
			   index);
	if (result != 0)
		return result;
	show_keep(guest, space->function, index, group, (uint32_t)count);
	return count;
}

/* ---- As stalls ------------------------------------------------------------------------- */

/* One access: what wants to write as well as read is a write. */
static uint8_t stall_perm(uint8_t perm)
{
	if (perm & IOPF_WRITE)
		return perm & (IOPF_WRITE | IOPF_PRIV);
	return (perm & (IOPF_EXEC | IOPF_PRIV)) | IOPF_READ;
}

static bool show_stall(struct iopf_guest *guest, const struct guest_space *space,
		       const struct iopf_page *page, uint32_t tag)
{
	struct iopf_fault fault = {
		.addr = page->addr,
		.rid = guest->functions[space->function].value.rid,
		.pasid = space->pasid,
		.index = (uint16_t)tag,
		.perm = stall_perm(page->perm),
		.stage = 1,
		.what = IOPF_FAULT_INPUT,
		.stall = true,
	};
	struct table_result result = { .fault = TABLE_OK };

	(void)guest->structures->walk(&guest->view, &space->entry, page->addr, fault.perm,
				      false, &result);
	fault.reason = guest->structures->reason(result.fault);
	return iopf_hardware_fault(guest->hardware, &fault);
}

/*
 * How many pages of a group find room together, which is all of them or, where its queue
 * is smaller than the group, as many as it can ever hold: the function asks again for
 * those that are left, as after any success (PCIe 6.x, 10.4.2.2).
 */
static int stall_count(const struct iopf_guest *guest, const struct shown *shown,
		       uint32_t page_count)
{
	uint32_t room, size, count = page_count;

	if (!iopf_hardware_fault_room(guest->hardware, &room, &size))
		return -ENOENT;
	if (count > size)
		count = size;
	if (count > IOPF_GUEST_INDEX_COUNT)
		count = IOPF_GUEST_INDEX_COUNT;
	if (count > room || count > shown_free_count(shown))
		return -EAGAIN;
	return (int)count;
}

/* Returns: how many pages, -EAGAIN, -ENOENT. */
static int show_stalls(struct iopf_guest *guest, const struct guest_space *space,
		       const struct iopf_group *group, const struct iopf_page *pages)
{
	struct shown *shown = guest->functions[space->function].shown;
	uint32_t first = SHOWN_NO_INDEX;
	int count, done = 0;

	if (!(space->entry.value.flags & IOPF_SPACE_STALL))
		return -ENOENT;
	count = stall_count(guest, shown, group->page_count);
	for (; done < count; done++) {
		uint32_t tag = shown_free_index(shown);

		if (!show_stall(guest, space, &pages[done], tag))
			break; /* its queue lies outside of its memory */
		if (done == 0) {
			first = tag;
			show_keep(guest, space->function, tag, group, 1);
		} else {
			shown_show(shown, tag, group->token, group->pasid, 1);
			shown_join(shown, tag, first);
		}
	}
	if (count < 0)
		return count;
	return done > 0 ? done : -ENOENT;
}

/* ---- Show ------------------------------------------------------------------------------ */

static int show_count(struct iopf_guest *guest, int result)
{
	guest->stats.parked += result == -EAGAIN;
	guest->stats.overflows += result == -ENOSPC;
	guest->stats.unshown += result == -ENOENT;
	guest->stats.shown += result > 0;
	guest->stats.shown_pages += result > 0 ? (uint32_t)result : 0;
	return result > 0 ? 0 : result;
}

int iopf_guest_show(struct iopf_guest *guest, const struct iopf_group *group,
		    const struct iopf_page *pages, uint64_t now_ns)
{
	uint32_t function = guest_function_of_endpoint(guest, group->endpoint);
	const struct guest_space *space = NULL;

	guest->now_ns = now_ns;
	if (group->token == MAP_EMPTY || group->page_count == 0)
		return -EINVAL;
	if (map_find(&guest->token_map, group->token) != MAP_NONE)
		return -EEXIST;
	if (function < guest->function_count && !guest->scan.closing)
		space = guest_space_find(guest, function, group->pasid);
	if (space == NULL || space->leaving)
		return show_count(guest, -ENOENT);
	if (guest->functions[function].value.mechanism == IOPF_STALLS)
		return show_count(guest, show_stalls(guest, space, group, pages));
	return show_count(guest, show_requests(guest, space, group, pages));
}

/* ---- Taken, forgotten ------------------------------------------------------------------ */

int iopf_guest_taken(struct iopf_guest *guest, uint64_t token, uint64_t now_ns)
{
	uint32_t place = MAP_NONE;

	if (token != MAP_EMPTY)
		place = map_find(&guest->token_map, token);
	if (place == MAP_NONE)
		return -ENOENT;
	map_remove(&guest->token_map, token);
	shown_take(guest->functions[place / IOPF_GUEST_INDEX_COUNT].shown,
		   place % IOPF_GUEST_INDEX_COUNT, now_ns);
	guest->stats.taken++;
	return 0;
}

static void forget_slot(struct iopf_guest *guest, struct shown *shown, uint32_t index)
{
	const struct shown_slot slot = shown->slot[index];

	if (slot.state == SHOWN_FRESH)
		return;
	shown_forget(shown, index);
	if (slot.state == SHOWN_SETTLED)
		return;
	guest->stats.forgotten++;
	if (slot.state == SHOWN_OWED)
		return;
	map_remove(&guest->token_map, slot.token);
	guest->ops->forgotten(guest->context, slot.token);
}

void guest_forget(struct iopf_guest *guest, uint32_t mechanisms)
{
	for (uint32_t i = 0; i < guest->function_count; i++) {
		const struct guest_function *function = &guest->functions[i];

		if (!(mechanisms >> function->value.mechanism & 1))
			continue;
		for (uint32_t j = 0;
		     j < IOPF_GUEST_INDEX_COUNT && function->shown->known > 0; j++)
			forget_slot(guest, function->shown, j);
	}
}

/* PRI is off: nobody asks any more, but the guest may still answer what it has read. */
static void withdraw(struct iopf_guest *guest, struct shown *shown)
{
	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT && shown->held > 0; i++) {
		uint64_t token = shown->slot[i].token;

		if (shown->slot[i].state != SHOWN_HELD)
			continue;
		map_remove(&guest->token_map, token);
		shown_take(shown, i, guest->now_ns);
		guest->stats.taken++;
		guest->ops->forgotten(guest->context, token);
	}
}

/* ---- Configuration space --------------------------------------------------------------- */

static struct iopf_config *config_of(const struct iopf_guest *guest, uint32_t function)
{
	return function < guest->function_count ? guest->functions[function].value.config :
						  NULL;
}

uint32_t iopf_guest_config_read(struct iopf_guest *guest, uint32_t function,
				uint32_t offset, uint32_t width_bytes)
{
	struct iopf_config *config = config_of(guest, function);

	if (config == NULL)
		return config_nobody(width_bytes);
	iopf_config_outstanding(config, guest->functions[function].shown->held > 0);
	return iopf_config_read(config, offset, width_bytes);
}

/* A reset of the function ends what it asked without an answer: that comes first, from
 * within the write. */
void iopf_guest_config_write(struct iopf_guest *guest, uint32_t function, uint32_t offset,
			     uint32_t width_bytes, uint32_t value)
{
	struct iopf_config *config = config_of(guest, function);
	struct shown *shown;
	struct iopf_config_state state;

	if (config == NULL)
		return;
	shown = guest->functions[function].shown;
	iopf_config_outstanding(config, shown->held > 0);
	iopf_config_write(config, offset, width_bytes, value);
	iopf_config_state(config, &state);
	if (!state.pri && guest->functions[function].value.mechanism == IOPF_PRI)
		withdraw(guest, shown);
}

/* What the function would say of an answer: of failure, that it pages no more; of one
 * that fits nothing that it asked, that it is unexpected (PCIe 6.x, 10.5.2.3). */
static void answer_status(const struct iopf_guest *guest, uint32_t function, uint32_t status)
{
	struct iopf_config *config = config_of(guest, function);

	if (config != NULL)
		iopf_config_status(config, status);
}

/* ---- Answers --------------------------------------------------------------------------- */

/* PCIe 6.x, 10.4.2.2: where PRG Response PASID Required is 0 none has to be named. The
 * answer to a stall names none at all. */
static bool answer_names(const struct iopf_command *command, uint32_t pasid,
			 const struct guest_function *function)
{
	if (command->pasid == pasid || (command->flags & IOPF_STALL))
		return true;
	return command->pasid == IOPF_PASID_NONE && !function->value.pasid_in_response;
}

/* The counter of the check that an answer fails; NULL: it fails none. */
static uint64_t *answer_refusal(struct iopf_guest *guest,
				const struct iopf_command *command, uint32_t function)
{
	bool stall = command->flags & IOPF_STALL;
	const struct shown_slot *slot;
	bool named;

	if (function == guest->function_count)
		return &guest->stats.refused_foreign;
	if (stall != (guest->functions[function].value.mechanism == IOPF_STALLS))
		return &guest->stats.refused_unknown;
	if (command->index >= IOPF_GUEST_INDEX_COUNT)
		return stall ? &guest->stats.refused_unknown :
			       &guest->stats.refused_malformed;
	slot = &guest->functions[function].shown->slot[command->index];
	named = answer_names(command, slot->pasid, &guest->functions[function]);
	if (slot->state == SHOWN_FRESH || (slot->state == SHOWN_SETTLED && !named))
		return &guest->stats.refused_unknown;
	/* No record of ours has private data, so nothing can be given back. */
	if (!named || (command->flags & IOPF_PRIVATE))
		return &guest->stats.refused_malformed;
	if (slot->state == SHOWN_SETTLED)
		return &guest->stats.refused_duplicate;
	return slot->state == SHOWN_OWED ? &guest->stats.refused_stale : NULL;
}

/* The guest has said @code of the index that it holds: its group is answered, or waits
 * for its others. */
static void answer_settle(struct iopf_guest *guest, uint32_t function, uint32_t index,
			  enum iopf_code code)
{
	struct shown *shown = guest->functions[function].shown;
	uint64_t token = shown->slot[index].token;
	uint32_t left = shown_settle(shown, index, &code);

	map_remove(&guest->token_map, token);
	if (left != SHOWN_NO_INDEX) {
		map_add(&guest->token_map, token, function * IOPF_GUEST_INDEX_COUNT + left);
		return;
	}
	guest->stats.answered++;
	guest->stats.answered_failure += code == IOPF_FAILURE;
	if (code == IOPF_FAILURE)
		answer_status(guest, function, IOPF_STATUS_RF);
	guest->ops->answer(guest->context, token, code);
}

int guest_command_response(struct iopf_guest *guest, const struct iopf_command *command)
{
	uint32_t function = guest_function_of_rid(guest, command->rid);
	uint64_t *refused = answer_refusal(guest, command, function);
	enum iopf_code code = (enum iopf_code)command->code;

	if (refused == NULL) {
		answer_settle(guest, function, command->index, code);
		return 0;
	}
	++*refused;
	if (refused == &guest->stats.refused_stale)
		shown_settle(guest->functions[function].shown, command->index, &code);
	else
		answer_status(guest, function, IOPF_STATUS_UPRGI);
	return 0;
}

/* Every stall of the stream is aborted; what the host had ended is owed no more. */
int guest_command_terminate(struct iopf_guest *guest, const struct iopf_command *command)
{
	uint32_t function = guest_function_of_rid(guest, command->rid);
	struct shown *shown;

	if (function == guest->function_count) {
		guest->stats.refused_foreign++;
		return 0;
	}
	if (guest->functions[function].value.mechanism != IOPF_STALLS)
		return 0;
	shown = guest->functions[function].shown;
	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT; i++) {
		enum iopf_code code = IOPF_INVALID;

		if (shown->slot[i].state == SHOWN_HELD) {
			answer_settle(guest, function, i, code);
			guest->stats.terminated++;
		} else if (shown->slot[i].state == SHOWN_OWED) {
			shown_settle(shown, i, &code);
			guest->stats.forgotten++;
		}
	}
	return 0;
}
