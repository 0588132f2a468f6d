/* SPDX-License-Identifier: BSD-3-Clause */
/* host/guest.c - what a guest's structures and commands make the host do. */
#include "host/host.h"

#include <errno.h>

static uint16_t domain_of(const struct host_guest *guest)
{
	return (uint16_t)(1 + (guest - guest->host->guests));
}

/* The number under which the physical structures know @pasid. */
static uint32_t physical_pasid(const struct iopf_host *host, uint32_t pasid)
{
	return pasid == IOPF_PASID_NONE ? host->family->pasid_none : pasid;
}

/* ---- Attach: a nested entry over the guest's own first level -------------------------- */

int guest_space(struct host_guest *guest, const struct host_function *function,
		uint32_t pasid, const struct iopf_address_space *space)
{
	struct iopf_host *host = guest->host;
	int error;

	error = iopf_broker_attach(host->broker, function->endpoint, pasid, guest->owner);
	if (error != 0)
		return error;
	error = host->family->space(&host->tables, function->rid,
				    physical_pasid(host, pasid),
				    &(struct family_space){
					    .stage = &guest->pager.stage,
					    .first_root = space->root,
					    .first_levels = space->levels,
					    .domain = domain_of(guest),
					    .supervisor = space->flags & IOPF_SPACE_SRE,
					    .exec = space->flags & IOPF_SPACE_ERE,
					    .write_protect = space->flags & IOPF_SPACE_WPE,
					    .extended = space->flags & IOPF_SPACE_EAFE,
				    });
	if (error != 0)
		iopf_broker_detach(host->broker, function->endpoint, pasid);
	return error;
}

static int guest_attach(void *context, uint32_t endpoint, uint32_t pasid,
			const struct iopf_address_space *space)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	const struct host_function *function = host_function_of(host, endpoint);
	int error;

	if (function == NULL)
		return -ENOENT;
	if (pasid == host->family->pasid_none)
		return -EINVAL; /* it stands for "none" here */
	error = guest_space(guest, function, pasid, space);
	if (error != 0) {
		host->stats.attach_failed += error != -EBUSY;
		return error == -EBUSY ? -EAGAIN : error;
	}
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
					    .guest = (uint32_t)(guest - host->guests),
					    .endpoint = endpoint,
					    .pasid = pasid });
	return 0;
}

/* ---- Detach: entry cleared, caches told, queue drained, groups answered ---------------- */

/* Its PASID-cache entry, its translations in the IOMMU, and those in the function. */
static int invalidate_space(struct iopf_host *host, const struct host_guest *guest,
			    const struct host_function *function, uint32_t number)
{
	const struct iopf_command commands[] = {
		{ .kind = IOPF_COMMAND_INVALIDATE_PASID,
		  .granularity = IOPF_ONE_PASID,
		  .domain = domain_of(guest),
		  .pasid = number },
		{ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
		  .granularity = IOPF_ONE_PASID,
		  .domain = domain_of(guest),
		  .pasid = number },
		{ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
		  .granularity = IOPF_ALL,
		  .rid = function->rid,
		  .pasid = number == host->family->pasid_none ? IOPF_PASID_NONE : number },
	};

	if (iopf_driver_room(host->driver) < 3)
		return -EAGAIN;
	for (unsigned i = 0; i < 3; i++)
		if (iopf_driver_submit(host->driver, &commands[i]) != 0)
			host->stats.skipped++;
	return 0;
}

static int detach_begin(struct host_guest *guest, struct host_function *function,
			uint32_t pasid)
{
	struct iopf_host *host = guest->host;
	int begun = iopf_broker_detach(host->broker, function->endpoint, pasid);

	if (begun == -EBUSY)
		return -EAGAIN;
	host->family->space(&host->tables, function->rid, physical_pasid(host, pasid), NULL);
	function->detach = DETACH_INVALIDATE;
	function->detach_pasid = pasid;
	return 0;
}

static int guest_detach(void *context, uint32_t endpoint, uint32_t pasid)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	struct host_function *function = host_function_of(host, endpoint);

	if (function == NULL)
		return 0; /* removed: nothing of it is left */
	if (function->detach != DETACH_NONE && function->detach_pasid != pasid)
		return -EAGAIN;
	if (function->detach == DETACH_NONE && detach_begin(guest, function, pasid) != 0)
		return -EAGAIN;
	if (function->detach == DETACH_INVALIDATE) {
		if (invalidate_space(host, guest, function,
				     physical_pasid(host, pasid)) != 0)
			return -EAGAIN;
		function->detach = DETACH_FINISH;
	}
	if (iopf_host_busy(host, endpoint))
		return -EAGAIN;
	function->detach = DETACH_NONE;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_DETACH,
					    .guest = (uint32_t)(guest - host->guests),
					    .endpoint = endpoint,
					    .pasid = pasid });
	return 0;
}

/* ---- Invalidations: the physical ones complete before the guest's wait ----------------- */

static int guest_invalidate(void *context, uint32_t endpoint, uint32_t pasid,
			    const struct iopf_command *said)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	const struct host_function *function = host_function_of(host, endpoint);
	struct iopf_command command = *said;
	uint32_t number = physical_pasid(host, pasid);
	int error;

	if (function == NULL)
		return 0;
	command.rid = function->rid;
	command.pf_rid = 0;
	command.domain = domain_of(guest);
	if (command.kind == IOPF_COMMAND_INVALIDATE_DEVICE)
		command.pasid = pasid;
	else
		command.pasid = number;
	if (iopf_driver_room(host->driver) < 2)
		return -EAGAIN;
	error = iopf_driver_submit(host->driver, &command);
	if (error != 0) {
		host->stats.skipped++;
		return error;
	}
	guest->dirty = true;
	host->stats.invalidations++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_INVALIDATE,
					    .guest = (uint32_t)(guest - host->guests),
					    .endpoint = endpoint,
					    .pasid = pasid,
					    .command = &command });
	return 0;
}

static int guest_invalidated(void *context)
{
	struct host_guest *guest = context;

	if (!guest->dirty)
		return 0;
	if (host_waited(guest->host, &guest->wait, 0) != 0)
		return -EAGAIN;
	guest->dirty = false;
	return 0;
}

/* ---- Drain: what is older was shown or ended ------------------------------------------- */

static bool nothing_unseen(const struct host_guest *guest)
{
	const struct iopf_host *host = guest->host;

	if (guest->parked)
		return false;
	for (uint32_t i = 0; i < guest->function_count; i++) {
		const struct host_function *function =
			&host->functions[guest->function_first + i];

		if (function->used && iopf_broker_gauge(host->broker, function->endpoint,
							IOPF_GAUGE_ready) > 0)
			return false;
	}
	return true;
}

static int guest_drained(void *context)
{
	struct host_guest *guest = context;

	enum { DRAIN_SHOW = 0xff };

	if (guest->drain.phase != DRAIN_SHOW) {
		if (host_drained(guest->host, &guest->drain) != 0)
			return -EAGAIN;
		guest->drain.phase = DRAIN_SHOW;
	}
	if (!nothing_unseen(guest))
		return -EAGAIN;
	guest->drain.phase = 0;
	return 0;
}

/* ---- Answers ------------------------------------------------------------------------------ */

static void guest_answer(void *context, uint64_t token, enum iopf_code code)
{
	struct host_guest *guest = context;
	struct iopf_host *host = guest->host;
	int taken = iopf_broker_answer(host->broker, guest->owner, token, code,
				       host->now_ns);

	/* A tenant's failure would stop the function for all of them: this group ends, and
	 * the guest, which cannot see a refusal here, is told what hardware would tell. */
	if (taken == -EPERM)
		taken = iopf_broker_answer(host->broker, guest->owner, token,
					   IOPF_INVALID, host->now_ns);
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
