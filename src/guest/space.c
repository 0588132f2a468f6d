/* SPDX-License-Identifier: BSD-3-Clause */
/* guest/space.c - the address spaces that a guest announces. */
#include "guest/guest.h"

#include <assert.h>
#include <errno.h>

static uint64_t space_key(uint32_t function, uint32_t pasid)
{
	return (uint64_t)function << 32 | pasid;
}

struct guest_space *guest_space_find(const struct iopf_guest *guest, uint32_t function,
				     uint32_t pasid)
{
	uint32_t index = map_find(&guest->space_map, space_key(function, pasid));

	return index == MAP_NONE ? NULL : &guest->spaces[index];
}

static void space_add(struct iopf_guest *guest, const struct guest_space *space)
{
	bool added = map_add(&guest->space_map, space_key(space->function, space->pasid),
			     guest->space_count);

	assert(added);
	(void)added;
	guest->spaces[guest->space_count++] = *space;
}

/* The last one takes the place of the one that goes. */
static void space_remove(struct iopf_guest *guest, struct guest_space *space)
{
	const struct guest_space *last = &guest->spaces[--guest->space_count];

	map_remove(&guest->space_map, space_key(space->function, space->pasid));
	if (space == last)
		return;
	map_remove(&guest->space_map, space_key(last->function, last->pasid));
	*space = *last;
	map_add(&guest->space_map, space_key(space->function, space->pasid),
		(uint32_t)(space - guest->spaces));
}

/*
 * What the context entry lets in at all. Software changes it while the function works:
 * Linux enables page requests long after the first space, and VT-d asks for no more than
 * the invalidations of a changed entry. The tables behind it stay where they are.
 */
#define SPACE_GATES (IOPF_SPACE_PRE | IOPF_SPACE_DTE)

/* What is attached, @a, is what there is to be. */
static bool space_same(const struct family_guest *structures, const struct guest_space *a,
		       const struct guest_space *b)
{
	const struct iopf_address_space *p = &a->entry.value, *q = &b->entry.value;

	return !a->leaving && p->root == q->root && p->domain == q->domain &&
	       p->levels == q->levels && ((p->flags ^ q->flags) & ~SPACE_GATES) == 0 &&
	       p->nest[0] == q->nest[0] && p->nest[1] == q->nest[1] &&
	       a->entry.number == b->entry.number &&
	       (structures->same == NULL || structures->same(&a->entry, &b->entry));
}

/* ---- One change: detach what is there, attach what is wanted ------------------------- */

/* What of it the guest still held is a debt; @torn: its entry is gone as well. */
static void space_close(struct iopf_guest *guest, const struct guest_space *space,
			bool torn)
{
	struct shown *shown = guest->functions[space->function].shown;

	for (uint32_t i = 0; i < IOPF_GUEST_INDEX_COUNT && shown->held > 0; i++) {
		const struct shown_slot *slot = &shown->slot[i];

		if (slot->state == SHOWN_HELD && slot->pasid == space->pasid)
			iopf_guest_taken(guest, slot->token, guest->now_ns);
	}
	/* What is not answered by name outlives its address space (shown.h). */
	if (torn && guest->functions[space->function].value.mechanism == IOPF_PRI)
		shown_tear(shown, space->pasid);
}

static int change_detach(struct iopf_guest *guest, struct guest_space *space)
{
	uint32_t endpoint = guest->functions[space->function].value.endpoint;
	int result = guest_settle(
		guest, guest->ops->detach(guest->context, endpoint, space->pasid));

	if (result == -EAGAIN)
		return result;
	space_close(guest, space, !guest->change.wanted);
	guest->undrained = true;
	if (result == GUEST_PASSED_OVER) {
		space->leaving = true;
		guest->unfinished = true;
		return result;
	}
	space_remove(guest, space);
	guest->stats.detaches++;
	return 0;
}

static int change_attach(struct iopf_guest *guest, const struct guest_space *space)
{
	uint32_t endpoint = guest->functions[space->function].value.endpoint;
	int result;

	if (guest->space_count == guest->space_max) {
		guest->stats.attach_refused++;
		return 0;
	}
	result = guest_settle(guest, guest->ops->attach(guest->context, endpoint,
							space->pasid, &space->entry.value));
	if (result == -EAGAIN)
		return result;
	if (result < 0) {
		guest->stats.attach_refused++;
		return 0;
	}
	/* Also where the host needs too long: it may finish, and is told when it ends. */
	guest->unfinished |= result == GUEST_PASSED_OVER;
	space_add(guest, space);
	guest->stats.attaches++;
	return 0;
}

/* Carry guest->change out. Returns: 0, -EAGAIN, GUEST_PASSED_OVER. */
static int change_run(struct iopf_guest *guest)
{
	struct guest_change *change = &guest->change;
	const struct guest_space *next = &change->next;
	struct guest_space *now = guest_space_find(guest, next->function, next->pasid);
	int result = 0;

	change->active = false;
	if (now != NULL && now->leaving && guest->scan.phase == GUEST_SCAN_ENTRIES)
		return 0; /* asked for in this scan already */
	if (now != NULL && change->wanted && space_same(guest->structures, now, next)) {
		now->entry.value.flags = next->entry.value.flags;
	} else if (now != NULL) {
		result = change_detach(guest, now);
		now = NULL;
	}
	if (result == 0 && change->wanted && now == NULL)
		result = change_attach(guest, next);
	change->active = result == -EAGAIN;
	return result;
}

/* ---- Scans ---------------------------------------------------------------------------- */

/* Read (@function, @pasid) and make what is found the change to carry out. Returns: the
 * last PASID that was looked at by it. */
static uint32_t scan_look(struct iopf_guest *guest, uint32_t function, uint32_t pasid)
{
	struct guest_change *change = &guest->change;
	enum family_found found = FAMILY_NOTHING;
	uint32_t last = IOPF_PASID_MAX;

	change->next = (struct guest_space){ .function = function, .pasid = pasid };
	guest->view.root = iopf_hardware_root(guest->hardware);
	guest->view.root_config = iopf_hardware_root_config(guest->hardware);
	if (!guest->scan.closing && iopf_hardware_translates(guest->hardware))
		found = guest->structures->read(&guest->view,
						guest->functions[function].value.rid, pasid,
						&change->next.entry, &last);
	guest->stats.bad_structures += found == FAMILY_BAD;
	change->wanted = found == FAMILY_FOUND;
	change->active = true;
	return change->wanted ? pasid : last;
}

static void scan_one(struct iopf_guest *guest)
{
	struct guest_scan *scan = &guest->scan;

	if (scan->function == scan->end) {
		scan->phase = GUEST_SCAN_IDLE;
		return;
	}
	scan_look(guest, scan->function, scan->none ? scan->pasid : IOPF_PASID_NONE);
	scan->function += scan->none;
	scan->none = !scan->none;
}

/* From the last one down: what a change puts at the end was looked at. */
static void scan_attached(struct iopf_guest *guest)
{
	struct guest_scan *scan = &guest->scan;
	uint32_t function;

	/* At the beginning; a change that was under way may have added one. */
	if (scan->space > guest->space_count)
		scan->space = guest->space_count;
	if (scan->space == 0) {
		scan->phase = GUEST_SCAN_ENTRIES;
		return;
	}
	scan->space--;
	function = guest->spaces[scan->space].function;
	if (function >= scan->function && function < scan->end)
		scan_look(guest, function, guest->spaces[scan->space].pasid);
}

static void scan_entries(struct iopf_guest *guest)
{
	struct guest_scan *scan = &guest->scan;
	uint32_t last;

	if (scan->function == scan->end || scan->closing) {
		scan->phase = GUEST_SCAN_IDLE;
		return;
	}
	if (!scan->none) {
		scan_look(guest, scan->function, IOPF_PASID_NONE);
		scan->none = true;
		return;
	}
	last = scan_look(guest, scan->function, scan->pasid);
	scan->pasid = last + 1;
	if (last >= IOPF_PASID_MAX) {
		scan->function++;
		scan->pasid = 0;
		scan->none = false;
	}
}

void guest_scan(struct iopf_guest *guest, uint32_t first, uint32_t count, uint32_t pasid)
{
	bool all = pasid == IOPF_PASID_ANY;

	guest->scan = (struct guest_scan){
		.phase = all ? GUEST_SCAN_ATTACHED : GUEST_SCAN_ONE,
		.closing = guest->scan.closing,
		.function = first,
		.end = first + count,
		.pasid = all ? 0 : pasid,
		.space = UINT32_MAX,
	};
}

void guest_scan_all(struct iopf_guest *guest)
{
	guest_scan(guest, 0, guest->function_count, IOPF_PASID_ANY);
}

int guest_scan_run(struct iopf_guest *guest)
{
	static void (*const step[])(struct iopf_guest *) = {
		[GUEST_SCAN_ONE] = scan_one,
		[GUEST_SCAN_ATTACHED] = scan_attached,
		[GUEST_SCAN_ENTRIES] = scan_entries,
	};

	for (;;) {
		if (guest->change.active && change_run(guest) == -EAGAIN)
			return -EAGAIN;
		if (guest->scan.phase == GUEST_SCAN_IDLE)
			return 0;
		if (!guest_step(guest))
			return -EAGAIN;
		step[guest->scan.phase](guest);
	}
}
