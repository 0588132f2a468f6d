/* SPDX-License-Identifier: BSD-3-Clause */
/* host/run.c - one turn of everything, each loop with its budget. */
#include "host/host.h"

#include <assert.h>
#include <errno.h>

void host_note(struct iopf_host *host, struct iopf_note note)
{
	note.ns = host->now_ns;
	if (host->options.note != NULL)
		host->options.note(host->options.context, &note);
}

/* ---- Intake ----------------------------------------------------------------- */

static void took(struct iopf_host *host, const struct iopf_request *request)
{
	host->stats.requests += !(request->flags & IOPF_STALL);
	host->stats.stalls += (request->flags & IOPF_STALL) != 0;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_REQUEST,
					    .guest = IOPF_NO_ID,
					    .endpoint = IOPF_NO_ID,
					    .pasid = request->pasid,
					    .request = request });
}

/* What was polled and not taken waits here, and nothing more is polled: the physical
 * queue's own overflow rules begin before anything is lost in software. */
static uint32_t take_pending(struct iopf_host *host, struct host_source *source)
{
	uint32_t done = 0;

	while (source->pending_count > 0) {
		const struct iopf_request *next = &source->pending[source->pending_first];
		int taken = iopf_broker_requests(host->broker, source->id, next,
						 source->pending_count, host->now_ns);

		if (taken <= 0 && host_respond(host) > 0)
			continue; /* there is room for them now */
		if (taken <= 0)
			break;
		for (int i = 0; i < taken; i++)
			took(host, &next[i]);
		source->pending_first += (uint32_t)taken;
		source->pending_count -= (uint32_t)taken;
		done += (uint32_t)taken;
	}
	return done;
}

static void overflowed(struct iopf_host *host)
{
	iopf_broker_overflow(host->broker, host->sources[HOST_PRI].id, host->now_ns);
	iopf_driver_recover(host->driver);
	host->stats.overflows++;
	host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_OVERFLOW,
					    .guest = IOPF_NO_ID,
					    .endpoint = IOPF_NO_ID,
					    .pasid = IOPF_PASID_NONE });
	guard_overflowed(host);
}

/* Out of the page request queue. */
static int poll_requests(struct iopf_host *host, struct host_source *source)
{
	int polled = iopf_driver_poll(host->driver, source->pending, HOST_BATCH);

	if (polled == -EOVERFLOW)
		overflowed(host);
	source->pending_count = polled > 0 ? (uint32_t)polled : 0;
	return polled;
}

/* Out of the event queue, or the fault recording registers: a transaction that is held
 * is a request, all else is told. */
static int poll_faults(struct iopf_host *host, struct host_source *source)
{
	struct iopf_fault faults[HOST_BATCH];
	int polled = iopf_driver_poll_faults(host->driver, faults, HOST_BATCH);

	source->pending_count = 0;
	for (int i = 0; i < polled; i++) {
		if (faults[i].stall && source->id != IOPF_NO_ID) {
			source->pending[source->pending_count++] =
				iopf_request_from_fault(&faults[i]);
			continue;
		}
		host->stats.faults++;
		host_note(host, (struct iopf_note){
					.kind = IOPF_NOTE_FAULT,
					.guest = IOPF_NO_ID,
					.endpoint = iopf_host_endpoint(host, faults[i].rid),
					.pasid = faults[i].pasid,
					.fault = &faults[i] });
	}
	return polled;
}

static uint32_t intake(struct iopf_host *host, enum host_source_kind kind, uint32_t budget)
{
	static int (*const poll[])(struct iopf_host *, struct host_source *) = {
		[HOST_PRI] = poll_requests,
		[HOST_STALLS] = poll_faults,
	};
	struct host_source *source = &host->sources[kind];
	uint32_t done = take_pending(host, source);

	if (kind == HOST_PRI && source->id == IOPF_NO_ID)
		return done;
	while (done < budget && source->pending_count == 0) {
		int polled = poll[kind](host, source);

		if (polled <= 0)
			break;
		source->pending_first = 0;
		done += (uint32_t)polled - source->pending_count;
		done += take_pending(host, source);
	}
	return done;
}

/* ---- Responses -------------------------------------------------------------- */

/* Of both sources into the one command queue. */
static uint32_t respond(struct iopf_host *host, uint32_t source)
{
	struct iopf_response responses[HOST_BATCH];
	uint32_t room = iopf_driver_room(host->driver);
	int count;

	if (room <= HOST_COMMANDS_KEPT || source == IOPF_NO_ID)
		return 0;
	room -= HOST_COMMANDS_KEPT;
	count = iopf_broker_respond(host->broker, source, responses,
				    room < HOST_BATCH ? room : HOST_BATCH, host->now_ns);
	for (int i = 0; i < count; i++) {
		const struct iopf_command command =
			iopf_command_from_response(&responses[i]);

		if (iopf_driver_submit(host->driver, &command) != 0)
			host->stats.skipped++;
		host->stats.responses++;
		host_note(host, (struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
						    .guest = IOPF_NO_ID,
						    .endpoint = responses[i].endpoint,
						    .pasid = responses[i].pasid,
						    .token = responses[i].token,
						    .code = responses[i].code,
						    .response = &responses[i] });
	}
	return count > 0 ? (uint32_t)count : 0;
}

uint32_t host_respond(struct iopf_host *host)
{
	uint32_t done = 0;

	for (unsigned kind = 0; kind < HOST_SOURCE_COUNT; kind++)
		done += respond(host, host->sources[kind].id);
	return done;
}

/* ---- Guests ----------------------------------------------------------------- */

static uint32_t run_guest(struct iopf_host *host, struct host_guest *guest, uint32_t budget)
{
	uint32_t done, steps;

	if (guest->paused && !guest->gone)
		return 0;
	if (guest->gone) {
		guest->over = iopf_guest_reset(guest->guest, host->now_ns) == 0;
		host->waiting |= !guest->over;
		return guest->over;
	}
	done = host_show(host, guest, budget);
	if (guest->guest == NULL)
		return done;
	steps = iopf_guest_run(guest->guest, budget, host->now_ns);
	host->waiting |= iopf_guest_held(guest->guest);
	/* Asking again for what is not finished brings nothing forward. */
	return done + (iopf_guest_held(guest->guest) ? 0 : steps);
}

static uint32_t run_guests(struct iopf_host *host, uint32_t budget)
{
	uint32_t done = 0;

	assert(host->options.guest_max > 0); /* options_right() */
	for (uint32_t i = 0; i < host->options.guest_max; i++) {
		uint32_t at = (host->guest_turn + i) % host->options.guest_max;

		if (!host->guests[at].used)
			continue;
		host->waiting |= !shadows_run(&host->guests[at]);
		if (host->guests[at].failed)
			guest_leave(host, &host->guests[at]);
		else if (!host->guests[at].over)
			done += run_guest(host, &host->guests[at], budget);
	}
	host->guest_turn = (host->guest_turn + 1) % host->options.guest_max;
	return done;
}

/* ---- A turn ---------------------------------------------------------------- */

static void look_at_queue(struct iopf_host *host)
{
	int errors = iopf_driver_errors(host->driver);

	if (errors <= 0)
		return;
	if (errors & IOPF_DRIVER_TIMEOUT) {
		host->timeouts++;
		guard_timeout(host);
	}
	if (errors & IOPF_DRIVER_REQUESTS_LOST)
		guard_lost(host, HOST_PRI);
	if (errors & IOPF_DRIVER_FAULTS_LOST)
		guard_lost(host, HOST_STALLS);
	if ((errors & IOPF_DRIVER_STOPPED) && iopf_driver_skip(host->driver) == 0)
		host->stats.skipped++;
	host->stats.timeouts = host->timeouts;
}

uint32_t iopf_host_run(struct iopf_host *host, uint32_t budget, uint64_t now_ns)
{
	uint32_t done;

	host->now_ns = now_ns;
	host->waiting = false;
	done = intake(host, HOST_PRI, budget);
	done += intake(host, HOST_STALLS, budget);
	done += run_guests(host, budget);
	done += (uint32_t)iopf_broker_poll(host->broker, budget, now_ns);
	done += operations_run(host);
	done += host_respond(host);
	look_at_queue(host);
	guard_inquire(host);
	if (now_ns >= host->status_ns)
		guard_status(host);
	iopf_driver_kick(host->driver);
	host->waiting |= host->inquiry.active;
	for (unsigned kind = 0; kind < HOST_SOURCE_COUNT; kind++)
		host->waiting |= host->sources[kind].pending_count > 0;
	return done;
}

uint64_t iopf_host_next_ns(const struct iopf_host *host)
{
	uint64_t next_ns = iopf_broker_next_deadline_ns(host->broker);

	if (host->status_ns < next_ns)
		next_ns = host->status_ns;
	if (host->waiting && host->now_ns + HOST_POLL_NS < next_ns)
		next_ns = host->now_ns + HOST_POLL_NS;
	return next_ns;
}
