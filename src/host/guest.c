/* SPDX-License-Identifier: BSD-3-Clause */
/* host/guest.c - what a guest's structures and commands make the host do. */
#include "host/host.h"

#include <errno.h>

/* What a guest calls @endpoint: its own, or nothing. The number of a function that was
 * removed may be another guest's by now. */
static struct host_function *own_function(const struct host_guest *guest, uint32_t endpoint)
{
	struct host_function *function = host_function_of(guest->host, endpoint);
	uint32_t id = (uint32_t)(guest - guest->host->guests);

	return function != NULL && function->guest == id ? function : NULL;
}

uint32_t physical_pasid(const struct iopf_host *host, uint32_t pasid)
{
	return pasid == IOPF_PASID_NONE ? host->family->pasid_none : pasid;
}

/* ---- Detach: entry cleared, caches told, queue drained, groups answered ---------------- */

/*
 * Begin, as far as the broker lets: what is translated ends now, whatever else is under
 * way. The host goes on by itself (run.c): a guest that stops asking, or is told to stop,
 * leaves nothing half done.
 */
static int detach(struct iopf_host *host, struct host_function *function, uint32_t pasid)
{
	int begun = iopf_broker_detach(host->broker, function->endpoint, pasid);
	int taken = host->family->space(&host->tables, function->rid, pasid, NULL);

	if (begun == 0 || taken == 0)
		caches_forget(function, pasid);
	if (taken == 0 && host->family->by_device)
		caches_forget_context(function);
	/* What leads to a guest's own list of address spaces goes with the last of them. */
	if (begun == 0 && function->space_count <= 1 &&
	    host->family->space(&host->tables, function->rid, IOPF_PASID_ANY, NULL) == 0)
		caches_forget_context(function);
	shadow_close(&host->guests[function->guest], function, pasid);
	if (begun == 0) {
		function->detaching = true;
		function->detach_pasid = pasid;
	}
	return begun == -ENOENT && !function->detaching && !function->untold ? 0 : -EAGAIN;
}

static int guest_detach(void *context, uint32_t endpoint, uint32_t pasid)
{
	struct host_guest *guest = context;
	struct host_function *function = own_function(guest, endpoint);

	return function == NULL ? 0 : detach(guest->host, function, pasid);
}

/* ---- Attach: a nested entry over the guest's own first level -------------------------- */

/* What (function, @pasid) is to be looked up in: the guest's tables over the host's
 * stage, their shadow, or that stage alone. */
static int entry_of(struct host_guest *guest, const struct host_function *function,
		    uint32_t pasid, const struct iopf_address_space *space,
		    struct family_space *entry)
{
	struct host_shadow *shadow;
	int error;

	*entry = (struct family_space){
		.kind = space->levels == 0 ? FAMILY_STAGE : FAMILY_NESTED,
		.stage = &guest->pager.stage,
		.first_root = space->root,
		.first_levels = space->levels,
		.domain = caches_domain(guest->host, function),
		.asid = space->domain,
		.supervisor = space->flags & IOPF_SPACE_SRE,
		.exec = space->flags & IOPF_SPACE_ERE,
		.write_protect = space->flags & IOPF_SPACE_WPE,
		.extended = space->flags & IOPF_SPACE_EAFE,
		.nest = { space->nest[0], space->nest[1] },
		.stall = function->master != NULL,
		.response_pasid = function->wants_pasid,
	};
	/* A stage that does not stand alone beside a shadow: that is followed as well. */
	if (!shadows_used(&guest->shadows) ||
	    (space->levels == 0 && guest->host->family->alone == FAMILY_SECOND))
		return 0;
	error = shadow_open(guest, function, pasid, &shadow);
	if (error != 0)
		return error;
	entry->kind = FAMILY_SHADOW;
	entry->stage = &shadow->stage;
	entry->asid = shadow_asid(guest, shadow);
	return 0;
}

int guest_space(struct host_guest *guest, struct host_function *function, uint32_t pasid,
		const struct iopf_address_space *space)
{
	struct iopf_host *host = guest->host;
	struct family_space entry;
	int error;

	error = iopf_broker_attach(host->broker, function->endpoint, pasid, guest->owner);
	if (error != 0)
		return error;
	function->space_count++;
	error = entry_of(guest, function, pasid, space, &entry);
	if (error == 0)
		error = host->family->space(&host->tables, function->rid, pasid, &entry);
	if (error != 0) {
		detach(host, function, pasid);
		return error;
	}
	if (host->family->caches_absent || host->family->by_device)
		caches_forget_context(function);
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = pasid });
	return 0;
}

static int guest_attach(void *context, uint32_t endpoint, uint32_t pasid,
			const struct iopf_address_space *space)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	struct host_function *function = own_function(guest, endpoint);
	int error;

	if (function == NULL)
		return -ENOENT;
	if (pasid != IOPF_PASID_NONE && pasid == host->family->pasid_none)
		return -EINVAL; /* it stands for "none" here */
	error = guest_space(guest, function, pasid, space);
	/* It does not know of one: a detach that took too long for it, or its attach. */
	if (error == -EEXIST)
		error = detach(host, function, pasid);
	if (error == -EBUSY || error == -EAGAIN)
		return -EAGAIN;
	host->stats.attach_failed += error != 0;
	return error;
}

static void guest_drain_begin(struct host_guest *guest)
{
	guest->drained = 0;
	for (unsigned kind = 0; kind < HOST_SOURCE_COUNT; kind++)
		guest->drain[kind].phase = 0;
}

/* ---- Invalidations: the physical ones complete before the guest's wait ----------------- */

/* Who is shown a stream, or has not switched ATS on, does not know that there is a cache in
 * the function. */
static void forget_in_function(struct iopf_host *host, const struct host_function *function,
			       uint32_t pasid, const struct iopf_command *said)
{
	bool page = said->granularity == IOPF_PAGE;
	const struct iopf_command command = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					      .granularity = page ? IOPF_PAGE : IOPF_ALL,
					      .rid = function->rid,
					      .pasid = pasid,
					      .addr = page ? said->addr : 0,
					      .size_bytes = page ? said->size_bytes : 0 };
	uint64_t behind;

	iopf_driver_wait(host->driver, IOPF_WAIT_FENCE, &behind);
	caches_put(host, &command, 1);
}

/*
 * Everything, or a domain, is this space: asked for each, and nobody else's. Where a domain
 * has ASIDs it is the guest's own, and only that takes its global pages along (SMMUv3,
 * "CMD_TLBI_NH_ASID").
 */
static void narrow(const struct iopf_host *host, struct iopf_command *command)
{
	if (command->granularity == IOPF_PAGE)
		return;
	if (!host->family->asids || command->granularity == IOPF_ONE_PASID) {
		command->granularity = IOPF_ONE_PASID;
		return;
	}
	command->granularity = IOPF_DOMAIN;
	command->hints = IOPF_HINT_FIRST;
}

/* As the guest said it, for what the host put in its place. */
static int forward(struct host_guest *guest, const struct host_function *function,
		   uint32_t pasid, struct iopf_command command)
{
	struct iopf_host *host = guest->host;
	bool device = command.kind == IOPF_COMMAND_INVALIDATE_DEVICE;
	int error;

	command.rid = function->rid;
	command.pf_rid = 0;
	command.domain = caches_domain(host, function);
	command.pasid = device ? pasid : physical_pasid(host, pasid);
	if (!device)
		narrow(host, &command);
	if (!caches_room(host))
		return -EAGAIN;
	error = iopf_driver_submit(host->driver, &command);
	if (error != 0) {
		host->stats.skipped++;
		return error;
	}
	if (!device && !view_caches(function) && caches_in_function(function))
		forget_in_function(host, function, pasid, &command);
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_INVALIDATE,
					    .guest = function->guest,
					    .endpoint = function->endpoint,
					    .pasid = pasid,
					    .command = &command });
	return 0;
}

static int guest_invalidate(void *context, uint32_t endpoint, uint32_t pasid,
			    const struct iopf_command *said)
{
	struct host_guest *guest = context;
	const struct host_function *function = own_function(guest, endpoint);
	bool device = said->kind == IOPF_COMMAND_INVALIDATE_DEVICE;
	bool page = said->granularity == IOPF_PAGE;
	struct host_shadow *shadow;
	int error;

	if (function == NULL || (device && !caches_in_function(function)))
		return 0;
	shadow = device ? NULL : shadow_find(guest, function, pasid);
	error = shadow != NULL ? shadow_invalidate(guest, shadow, said) :
				 forward(guest, function, pasid, *said);
	if (error != 0)
		return error;
	if (!device) /* what is asked now was not there: its owner has said so */
		iopf_broker_invalidated(guest->host->broker, endpoint, pasid,
					page ? said->addr : 0,
					page ? said->size_bytes : UINT64_MAX);
	guest->dirty = true;
	guest->wait.armed = false; /* one from before does not cover it */
	guest->host->stats.invalidations++;
	return 0;
}

static bool all_told(const struct host_guest *guest)
{
	const struct host_function *functions = &guest->host->functions[guest->function_first];

	for (uint32_t i = 0; i < guest->function_count; i++)
		if (function_used(&functions[i]) && functions[i].untold)
			return false;
	return true;
}

static int guest_invalidated(void *context)
{
	struct host_guest *guest = context;

	if (!all_told(guest) ||
	    (guest->dirty && host_waited(guest->host, &guest->wait, 0) != 0))
		return -EAGAIN;
	guest->dirty = false;
	guest_drain_begin(guest); /* one that comes next is a new one */
	return 0;
}

/* ---- Drain: what is older was shown or ended ------------------------------------------- */

static bool nothing_unseen(const struct host_guest *guest)
{
	const struct iopf_host *host = guest->host;

	for (uint32_t i = 0; i < guest->function_count; i++) {
		const struct host_function *function =
			&host->functions[guest->function_first + i];

		if (function_there(function) &&
		    iopf_broker_gauge(host->broker, function->endpoint,
				      IOPF_GAUGE_ready) > 0)
			return false;
	}
	return true;
}

/* Of every source that its functions use. */
static bool sources_drained(struct host_guest *guest)
{
	struct iopf_host *host = guest->host;

	for (unsigned kind = 0; kind < HOST_SOURCE_COUNT; kind++) {
		if (guest->drained & 1u << kind || !(guest->sources & 1u << kind))
			continue;
		if (host_drained(host, (enum host_source_kind)kind, &guest->drain[kind]) == 0)
			guest->drained |= (uint8_t)(1u << kind);
	}
	return guest->drained == guest->sources;
}

static int guest_drained(void *context)
{
	struct host_guest *guest = context;

	if (!sources_drained(guest))
		return -EAGAIN;
	/* The answers that would make room for it stand behind the drain. */
	if (guest->parked)
		host_unpark(guest->host, guest);
	if (!nothing_unseen(guest))
		return -EAGAIN;
	guest_drain_begin(guest);
	return 0;
}

/* ---- Answers ------------------------------------------------------------------------------ */

/* A tenant's failure would stop the function for all of them: the group ends as the guest
 * would see it end, and what it asks there from now on ends at once. */
static int failed(struct host_guest *guest, uint64_t token)
{
	struct iopf_host *host = guest->host;
	const struct host_function *function;
	struct iopf_group group;

	if (iopf_broker_group(host->broker, token, &group) != 0)
		return -ENOENT;
	function = host_function_of(host, group.endpoint);
	/* Where the guest sees the function's registers, RF stands there until it has
	 * switched PRI off and on, and nothing is shown before. */
	if (function != NULL && function->config == NULL)
		iopf_broker_out_of_service(host->broker, group.endpoint, guest->owner, true,
					   host->now_ns);
	return iopf_broker_answer(host->broker, guest->owner, token, IOPF_INVALID,
				  host->now_ns);
}

static void guest_answer(void *context, uint64_t token, enum iopf_code code)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	int taken;

	if (code == IOPF_SUCCESS)
		host_look_again(guest, token);
	taken = iopf_broker_answer(host->broker, guest->owner, token, code, host->now_ns);
	if (taken == -EPERM)
		taken = failed(guest, token);
	host_note(host,
		  (struct iopf_note){ .kind = taken == 0 ? IOPF_NOTE_ANSWER : IOPF_NOTE_REFUSE,
				      .guest = (uint32_t)(guest - host->guests),
				      .endpoint = IOPF_NO_ID,
				      .pasid = IOPF_PASID_NONE,
				      .token = token,
				      .code = (uint8_t)code });
}

static void guest_forgotten(void *context, uint64_t token)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;

	iopf_broker_end(host->broker, token, IOPF_INVALID, IOPF_ENDING_detach,
			host->now_ns);
}

static void guest_interrupt(void *context, uint64_t addr, uint32_t data)
{
	struct host_guest *guest = context;

	if (guest->interrupt != NULL && !guest->gone)
		guest->interrupt(guest->context, addr, data);
}

const struct iopf_guest_ops host_guest_ops = {
	.attach = guest_attach,
	.detach = guest_detach,
	.invalidate = guest_invalidate,
	.invalidated = guest_invalidated,
	.drained = guest_drained,
	.answer = guest_answer,
	.forgotten = guest_forgotten,
	.interrupt = guest_interrupt,
};
