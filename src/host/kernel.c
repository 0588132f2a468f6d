/* SPDX-License-Identifier: BSD-3-Clause */
/* host/kernel.c - one guest over a kernel's fault descriptor: its turns. */
#include "host/kernel.h"

#include <assert.h>
#include <errno.h>

static void tell(const struct iopf_kernel *kernel, struct iopf_note note)
{
	note.ns = kernel->now_ns;
	if (kernel->note != NULL)
		kernel->note(kernel->context, &note);
}

static uint64_t key_of(uint32_t endpoint, uint32_t pasid)
{
	return (uint64_t)endpoint << 32 | pasid;
}

static uint32_t device_of(const struct iopf_kernel *kernel, uint32_t endpoint)
{
	uint32_t i = 0;

	while (i < kernel->function_count && kernel->endpoints[i] != endpoint)
		i++;
	return i < kernel->function_count ? kernel->devices[i] : IOPF_NO_ID;
}

uint32_t iopf_kernel_endpoint(const struct iopf_kernel *kernel, uint32_t device)
{
	for (uint32_t i = 0; i < kernel->function_count; i++)
		if (kernel->devices[i] == device)
			return kernel->endpoints[i];
	return IOPF_NO_ID;
}

/* ---- The descriptor and the ledger ----------------------------------------------------- */

static void broke(struct iopf_kernel *kernel, int error)
{
	if (error < 0 && error != -EAGAIN && kernel->broken == 0)
		kernel->broken = error;
}

static void write_out(struct iopf_kernel *kernel, const struct iopf_response *responses,
		      uint32_t count)
{
	int error = iopf_iommufd_write(kernel->source, responses, count);

	kernel->waiting = error == -EAGAIN;
	broke(kernel, error);
}

static uint32_t respond(struct iopf_kernel *kernel)
{
	struct iopf_response out[KERNEL_BATCH];
	uint32_t done = 0;
	int count;

	do {
		count = iopf_broker_respond(kernel->broker, kernel->source_id, out,
					    KERNEL_BATCH, kernel->now_ns);
		if (count < 0)
			break;
		write_out(kernel, out, (uint32_t)count);
		for (int i = 0; i < count; i++)
			tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
							 .endpoint = out[i].endpoint,
							 .pasid = out[i].pasid,
							 .token = out[i].token,
							 .code = out[i].code,
							 .response = &out[i] });
		done += (uint32_t)count;
	} while (count == KERNEL_BATCH);
	return done;
}

/* With the source's reserve as large as a read, all of it is taken. What stays in the
 * descriptor is not kept back from it: there is no back-pressure. */
static uint32_t take(struct iopf_kernel *kernel)
{
	const struct iopf_request *requests;
	uint32_t done = 0;
	int count = 0;

	for (uint32_t reads = 0; reads < KERNEL_READS; reads++) {
		count = iopf_iommufd_read(kernel->source, &requests);
		if (count <= 0)
			break;
		iopf_broker_requests(kernel->broker, kernel->source_id, requests,
				     (uint32_t)count, kernel->now_ns);
		for (int i = 0; i < count && kernel->note != NULL; i++)
			tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_REQUEST,
							 .endpoint = IOPF_NO_ID,
							 .pasid = requests[i].pasid,
							 .request = &requests[i] });
		done += (uint32_t)count;
		(void)respond(kernel);
	}
	broke(kernel, count);
	return done;
}

/* ---- What the guest is shown ----------------------------------------------------------- */

/* As the guest's hardware would: full is answered success, off is answered invalid. */
static void not_shown(struct iopf_kernel *kernel, int why)
{
	bool full = why == -ENOSPC;

	iopf_broker_end(kernel->broker, kernel->group.token,
			full ? IOPF_SUCCESS : IOPF_INVALID,
			full ? IOPF_ENDING_guest_overflow : IOPF_ENDING_no_owner,
			kernel->now_ns);
}

static void show_group(struct iopf_kernel *kernel)
{
	const struct iopf_group *group = &kernel->group;
	int error;

	kernel->parked = false;
	if (iopf_broker_pages(kernel->broker, group->token, 0, kernel->pages,
			      IOPF_HOST_ALLOCATION_MAX) <= 0)
		return; /* ended meanwhile */
	error = iopf_guest_show(kernel->guest, group, kernel->pages, kernel->now_ns);
	kernel->parked = error == -EAGAIN;
	if (error == 0)
		tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_SHOW,
						 .endpoint = group->endpoint,
						 .pasid = group->pasid,
						 .token = group->token,
						 .group = group });
	else if (!kernel->parked)
		not_shown(kernel, error);
}

static uint32_t show(struct iopf_kernel *kernel)
{
	uint32_t done = 0;

	while (kernel->parked || iopf_broker_fetch(kernel->broker, kernel->owner,
						   &kernel->group, kernel->now_ns) == 0) {
		show_group(kernel);
		if (kernel->parked)
			break;
		done++;
	}
	return done;
}

/* ---- Address spaces -------------------------------------------------------------------- */

static struct kernel_table *table_find(const struct iopf_kernel *kernel, uint32_t endpoint,
				       uint32_t pasid)
{
	uint32_t index = map_find(&kernel->table_map, key_of(endpoint, pasid));

	return index == MAP_NONE ? NULL : &kernel->tables[index];
}

/* There is room: the ledger has taken it, and has no more. */
static void table_add(struct iopf_kernel *kernel, const struct kernel_table *table)
{
	bool added = map_add(&kernel->table_map, key_of(table->endpoint, table->pasid),
			     kernel->table_count);

	assert(added);
	(void)added;
	kernel->tables[kernel->table_count++] = *table;
}

/* The last one takes the place of the one that goes. */
static void table_remove(struct iopf_kernel *kernel, struct kernel_table *table)
{
	const struct kernel_table *last = &kernel->tables[--kernel->table_count];

	map_remove(&kernel->table_map, key_of(table->endpoint, table->pasid));
	if (table == last)
		return;
	map_remove(&kernel->table_map, key_of(last->endpoint, last->pasid));
	*table = *last;
	map_add(&kernel->table_map, key_of(table->endpoint, table->pasid),
		(uint32_t)(table - kernel->tables));
}

/*
 * The kernel drains and answers, and what was read of it before is forgotten at the source;
 * then the ledger ends the same groups in the same way, and its responses are swallowed.
 */
static void detach(struct iopf_kernel *kernel, uint32_t endpoint, uint32_t pasid)
{
	struct kernel_table *table = table_find(kernel, endpoint, pasid);
	uint32_t device = device_of(kernel, endpoint);

	assert(table != NULL); /* the ledger has it */
	if (table->attached) {
		kernel->ops->detach(kernel->context, device, pasid, table->number);
		iopf_iommufd_forget(kernel->source, device, pasid);
		tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_DETACH,
						 .endpoint = endpoint,
						 .pasid = pasid });
	}
	table_remove(kernel, table);
}

/* The operation that was begun, to its end. */
static void finish(struct iopf_kernel *kernel, uint32_t endpoint)
{
	(void)take(kernel);
	while (iopf_broker_did(kernel->broker, endpoint, 0, kernel->now_ns) ==
	       IOPF_STEP_RESPOND)
		(void)respond(kernel);
	(void)respond(kernel);
}

static int guest_detach(void *context, uint32_t endpoint, uint32_t pasid)
{
	struct iopf_kernel *kernel = context;

	if (iopf_broker_detach(kernel->broker, endpoint, pasid) != 0)
		return 0; /* it was refused */
	detach(kernel, endpoint, pasid);
	finish(kernel, endpoint);
	return 0;
}

static int attach(struct iopf_kernel *kernel, uint32_t endpoint, uint32_t pasid,
		  const struct iopf_address_space *space)
{
	struct kernel_table table = { .endpoint = endpoint,
				      .pasid = pasid,
				      .attached = true };
	int error = kernel->ops->attach(kernel->context, device_of(kernel, endpoint), pasid,
					space, &table.number);

	if (error != 0)
		return error;
	table_add(kernel, &table);
	tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
					 .endpoint = endpoint,
					 .pasid = pasid });
	return 0;
}

/* PASID 0 stands for none here: the guest's own name for that, told twice. */
static int guest_attach(void *context, uint32_t endpoint, uint32_t pasid,
			const struct iopf_address_space *space)
{
	struct iopf_kernel *kernel = context;
	int error = pasid == 0 ? -EINVAL :
				 iopf_broker_attach(kernel->broker, endpoint, pasid,
						    kernel->owner);

	if (error != 0)
		return error;
	error = attach(kernel, endpoint, pasid, space);
	if (error == -EAGAIN)
		error = -EBUSY; /* refused: nothing is under way */
	if (error != 0 && iopf_broker_detach(kernel->broker, endpoint, pasid) == 0)
		finish(kernel, endpoint);
	return error;
}

/* Not now: the guest has to ask again, as after a time-out. */
static int guest_invalidate(void *context, uint32_t endpoint, uint32_t pasid,
			    const struct iopf_command *command)
{
	struct iopf_kernel *kernel = context;
	const struct kernel_table *table = table_find(kernel, endpoint, pasid);
	bool page = command->granularity == IOPF_PAGE;
	uint64_t addr = page ? command->addr : 0;
	uint64_t size_bytes = page ? command->size_bytes : UINT64_MAX;
	int error;

	if (table == NULL || !table->attached)
		return 0;
	error = kernel->ops->invalidate(kernel->context, table->number, addr, size_bytes);
	iopf_broker_invalidated(kernel->broker, endpoint, pasid, addr, size_bytes);
	tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_INVALIDATE,
					 .endpoint = endpoint,
					 .pasid = pasid,
					 .command = command });
	return error == -EAGAIN ? -ETIMEDOUT : error;
}

/* ---- Drain and answers ----------------------------------------------------------------- */

static uint32_t unseen(const struct iopf_kernel *kernel)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < kernel->function_count; i++)
		count += iopf_broker_gauge(kernel->broker, kernel->endpoints[i],
					   IOPF_GAUGE_ready);
	return count;
}

/*
 * What the descriptor held when this was first asked is shown or ended. What it did not
 * hold yet is of attachments that live, or was answered when they were detached.
 *
 * In the turn after that, all that the guest has room for has been shown. The answers that
 * would make more room stand behind the drain: what is left ends here, so that a function
 * that goes on asking holds nobody up.
 */
static int guest_drained(void *context)
{
	struct iopf_kernel *kernel = context;
	bool again = kernel->drain_turn + 1 == kernel->turn;

	kernel->drain_turn = kernel->turn;
	if (!again) {
		(void)take(kernel);
		return unseen(kernel) > 0 || kernel->parked ? -EAGAIN : 0;
	}
	if (kernel->parked)
		not_shown(kernel, -ENOSPC);
	kernel->parked = false;
	while (iopf_broker_fetch(kernel->broker, kernel->owner, &kernel->group,
				 kernel->now_ns) == 0)
		not_shown(kernel, -ENOSPC);
	kernel->drain_turn = 0;
	return 0;
}

/* Failure cannot be said to a descriptor: the group ends as the guest would see it end, and
 * what it asks there from now on ends at once. */
static void guest_answer(void *context, uint64_t token, enum iopf_code code)
{
	struct iopf_kernel *kernel = context;
	struct iopf_group group;
	int taken;

	if (code == IOPF_FAILURE && iopf_broker_group(kernel->broker, token, &group) == 0)
		iopf_broker_out_of_service(kernel->broker, group.endpoint, kernel->owner,
					   true, kernel->now_ns);
	taken = iopf_broker_answer(kernel->broker, kernel->owner, token,
				   code == IOPF_SUCCESS ? IOPF_SUCCESS : IOPF_INVALID,
				   kernel->now_ns);
	tell(kernel, (struct iopf_note){ .kind = taken == 0 ? IOPF_NOTE_ANSWER :
							      IOPF_NOTE_REFUSE,
					 .endpoint = IOPF_NO_ID,
					 .pasid = IOPF_PASID_NONE,
					 .token = token,
					 .code = (uint8_t)code });
}

static void guest_forgotten(void *context, uint64_t token)
{
	struct iopf_kernel *kernel = context;

	iopf_broker_end(kernel->broker, token, IOPF_INVALID, IOPF_ENDING_detach,
			kernel->now_ns);
}

static void guest_interrupt(void *context, uint64_t addr, uint32_t data)
{
	const struct iopf_kernel *kernel = context;

	kernel->ops->interrupt(kernel->context, addr, data);
}

const struct iopf_guest_ops kernel_guest_ops = {
	.attach = guest_attach,
	.detach = guest_detach,
	.invalidate = guest_invalidate,
	.drained = guest_drained,
	.answer = guest_answer,
	.forgotten = guest_forgotten,
	.interrupt = guest_interrupt,
};

void kernel_taken(void *context, uint64_t token, enum iopf_ending ending)
{
	const struct iopf_kernel *kernel = context;

	(void)ending;
	iopf_guest_taken(kernel->guest, token, kernel->now_ns);
}

/* ---- A turn ---------------------------------------------------------------------------- */

uint64_t iopf_kernel_read(struct iopf_kernel *kernel, uint32_t offset,
			  uint32_t width_bytes)
{
	return iopf_guest_read(kernel->guest, offset, width_bytes);
}

void iopf_kernel_write(struct iopf_kernel *kernel, uint32_t offset, uint32_t width_bytes,
		       uint64_t value)
{
	iopf_guest_write(kernel->guest, offset, width_bytes, value);
}

int iopf_kernel_run(struct iopf_kernel *kernel, uint32_t budget, uint64_t now_ns)
{
	uint32_t done, steps, polled;

	kernel->now_ns = now_ns;
	kernel->turn++;
	done = take(kernel);
	done += show(kernel);
	steps = iopf_guest_run(kernel->guest, budget, now_ns);
	done += show(kernel); /* its answers made room for what was parked */
	polled = (uint32_t)iopf_broker_poll(kernel->broker, budget, now_ns);
	done += respond(kernel) + steps + polled;
	kernel->busy = steps == budget || polled == budget || iopf_guest_held(kernel->guest);
	return kernel->broken != 0 ? kernel->broken : (int)done;
}

uint64_t iopf_kernel_next_ns(const struct iopf_kernel *kernel)
{
	uint64_t due_ns = iopf_broker_next_deadline_ns(kernel->broker);
	uint64_t again_ns = kernel->now_ns + KERNEL_AGAIN_NS;

	if (kernel->busy)
		return kernel->now_ns;
	return kernel->waiting && again_ns < due_ns ? again_ns : due_ns;
}

int iopf_kernel_guest_gone(struct iopf_kernel *kernel, uint64_t now_ns)
{
	int error;

	kernel->now_ns = now_ns;
	error = iopf_guest_reset(kernel->guest, now_ns);
	(void)respond(kernel);
	if (error == 0) /* what stood in the descriptor's way has gone with it */
		kernel->broken = 0;
	return error;
}

/* ---- Function reset -------------------------------------------------------------------- */

static void detach_all(struct iopf_kernel *kernel, uint32_t device, uint32_t endpoint)
{
	for (uint32_t i = 0; i < kernel->table_count; i++) {
		struct kernel_table *table = &kernel->tables[i];

		if (table->endpoint != endpoint || !table->attached)
			continue;
		kernel->ops->detach(kernel->context, device, table->pasid, table->number);
		table->attached = false;
	}
	iopf_iommufd_forget(kernel->source, device, IOPF_PASID_ANY);
}

static int attach_all(struct iopf_kernel *kernel, uint32_t device, uint32_t endpoint)
{
	int error = 0;

	for (uint32_t i = 0; i < kernel->table_count; i++) {
		struct kernel_table *table = &kernel->tables[i];
		struct iopf_address_space space;
		int attached;

		if (table->endpoint != endpoint ||
		    iopf_guest_space(kernel->guest, endpoint, table->pasid, &space) != 0)
			continue;
		attached = kernel->ops->attach(kernel->context, device, table->pasid, &space,
					       &table->number);
		table->attached = attached == 0;
		error = attached != 0 ? attached : error;
	}
	return error;
}

int iopf_kernel_reset_function(struct iopf_kernel *kernel, uint32_t device,
			       uint64_t now_ns)
{
	uint32_t endpoint = iopf_kernel_endpoint(kernel, device);
	int error, attached;

	if (kernel->ops->reset == NULL)
		return -EOPNOTSUPP;
	kernel->now_ns = now_ns;
	error = iopf_broker_disable(kernel->broker, endpoint);
	if (error != 0)
		return error;
	detach_all(kernel, device, endpoint);
	finish(kernel, endpoint);
	error = kernel->ops->reset(kernel->context, device);
	tell(kernel, (struct iopf_note){ .kind = IOPF_NOTE_RESET,
					 .endpoint = endpoint,
					 .pasid = IOPF_PASID_NONE });
	attached = attach_all(kernel, device, endpoint);
	iopf_broker_enable(kernel->broker, endpoint);
	/* A function that was told failure pages again after its reset (PCIe 10.5.2.3). */
	iopf_broker_out_of_service(kernel->broker, endpoint, kernel->owner, false,
				   now_ns);
	return error != 0 ? error : attached;
}

/* ---- What lies inside ------------------------------------------------------------------ */

struct iopf_broker *iopf_kernel_broker(struct iopf_kernel *kernel)
{
	return kernel->broker;
}

struct iopf_guest *iopf_kernel_guest(struct iopf_kernel *kernel)
{
	return kernel->guest;
}

struct iopf_iommufd *iopf_kernel_source(struct iopf_kernel *kernel)
{
	return kernel->source;
}
