/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/character_plain.c - guests that are honest, slow, noisy, silent, or lie. */
#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/guest.h"

/* ---- Honest ------------------------------------------------------------------------ */

static int honest_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
			uint8_t *perm)
{
	return guest_plan(context, request, gpa, perm);
}

const struct guest_behaviour guest_honest = { .fault = honest_fault, .work = guest_work };

/* ---- Killed ------------------------------------------------------------------------ */

/* Honest, with jobs that are long enough to be killed in the middle of one. */
static void killed_work(struct guest *guest)
{
	const struct port_message pass = { .kind = PORT_pass,
					   .width = MODEL_JOB_COPY,
					   .extra = PORT_FOUND_GOOD };
	struct guest_job job = { .source = LAYOUT_IOVA_SOURCE,
				 .destination = LAYOUT_IOVA_DESTINATION,
				 .length = guest->layout.page_count * LAYOUT_PAGE,
				 .control = MODEL_JOB_COPY };

	if (!guest_attach(guest, guest_pasid(guest, 1)))
		return;
	while (!guest->port.stop) {
		guest_unmap(guest);
		guest_job_start(guest, &job);
		if (guest_job_wait(guest, &job))
			port_send(&guest->port, &pass);
	}
	guest_detach(guest, guest->pasid);
}

const struct guest_behaviour guest_killed = { .fault = honest_fault, .work = killed_work };

/* ---- What is answered later -------------------------------------------------------- */

/* Requests that were taken, oldest first: at most what a device has outstanding. */
static struct later {
	struct iopf_request request;
	uint64_t due_ns;
} laters[4096];
static uint32_t later_first, later_end;

static int later_add(const struct iopf_request *request, uint64_t delay_ns)
{
	if (later_end - later_first == CLI_COUNT(laters))
		return -ENOSPC;
	laters[later_end++ % CLI_COUNT(laters)] =
		(struct later){ *request, cli_now_ns() + delay_ns };
	return -EAGAIN;
}

/* The oldest one, if its time has come. */
static const struct iopf_request *later_due(void)
{
	const struct later *later = &laters[later_first % CLI_COUNT(laters)];

	if (later_first == later_end || later->due_ns > cli_now_ns())
		return NULL;
	return &later->request;
}

static uint64_t later_next_ns(void)
{
	return later_first == later_end ? UINT64_MAX :
					  laters[later_first % CLI_COUNT(laters)].due_ns;
}

/* ---- Slow -------------------------------------------------------------------------- */

static int slow_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		      uint8_t *perm)
{
	enum { DELAY_NS = 2000000 };

	(void)context;
	(void)gpa;
	(void)perm;
	return later_add(request, DELAY_NS);
}

static void answer(struct guest *guest, const struct iopf_request *request,
		   enum iopf_code code)
{
	while (iopf_agent_answer(guest->agent, request->rid, request->pasid,
				 request->index, code) == -EAGAIN &&
	       !guest->port.gone)
		iopf_agent_kick(guest->agent);
}

/* What cannot be mapped makes its whole group invalid; only honest devices ask here. */
static uint64_t slow_turn(struct guest *guest)
{
	static bool bad;
	const struct iopf_request *request;

	while ((request = later_due()) != NULL) {
		uint64_t gpa;
		uint8_t perm;

		bad |= guest_plan(guest, request, &gpa, &perm) != 0 ||
		       iopf_agent_map(guest->agent, request->rid, request->pasid,
				      request->addr, gpa, perm) != 0;
		if (request->flags & IOPF_LAST) {
			answer(guest, request, bad ? IOPF_INVALID : IOPF_SUCCESS);
			bad = false;
		}
		later_first++;
	}
	iopf_agent_kick(guest->agent);
	return later_next_ns();
}

const struct guest_behaviour guest_slow = { .fault = slow_fault,
					    .turn = slow_turn,
					    .work = guest_work };

/* ---- Noisy ------------------------------------------------------------------------- */

/* As many jobs as its device does at once, over and over, on pages that are never there;
 * whatever it holds it holds for a while. */
static void noisy_work(struct guest *guest)
{
	enum { JOBS = 4 };
	const uint64_t span = guest->layout.page_count / JOBS * LAYOUT_PAGE;
	struct guest_job jobs[JOBS];
	uint32_t running = 0;

	if (!guest_attach(guest, guest_pasid(guest, 1)))
		return;
	while (!guest->port.stop) {
		if (running == 0)
			guest_unmap(guest);
		for (uint32_t i = 0; i < JOBS && running == 0; i++) {
			jobs[i] = (struct guest_job){
				.slot = i,
				.source = LAYOUT_IOVA_SOURCE + i * span,
				.destination = LAYOUT_IOVA_DESTINATION + i * span,
				.length = span,
				.control = MODEL_JOB_COPY,
			};
			guest_job_start(guest, &jobs[i]);
		}
		guest_turn(guest, UINT64_C(1000000));
		running = 0;
		for (uint32_t i = 0; i < JOBS; i++)
			running += !guest_job_over(guest, &jobs[i]);
	}
	guest_detach(guest, guest->pasid);
}

static int noisy_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		       uint8_t *perm)
{
	enum { DELAY_NS = 10000000 };

	(void)context;
	(void)gpa;
	(void)perm;
	return later_add(request, DELAY_NS);
}

const struct guest_behaviour guest_noisy = { .fault = noisy_fault,
					     .turn = slow_turn,
					     .work = noisy_work };

/* ---- Silent ------------------------------------------------------------------------ */

static int silent_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
			uint8_t *perm)
{
	(void)context;
	(void)request;
	(void)gpa;
	(void)perm;
	return -EAGAIN;
}

/* One job that never gets its first page. What it holds is the host's to end. */
static void silent_work(struct guest *guest)
{
	struct guest_job job = { .source = LAYOUT_IOVA_SOURCE,
				 .destination = LAYOUT_IOVA_DESTINATION,
				 .length = guest->layout.file_bytes,
				 .control = MODEL_JOB_COPY };

	if (!guest_attach(guest, guest_pasid(guest, 1)))
		return;
	guest_job_start(guest, &job);
	(void)guest_job_wait(guest, &job);
}

const struct guest_behaviour guest_silent = { .fault = silent_fault, .work = silent_work };

/* ---- Liar -------------------------------------------------------------------------- */

/* Every other page with fewer rights: what is to be written may only be read, what is to
 * be read belongs to the supervisor. The other groups are said to be there and are not. */
static int liar_fault(void *context, const struct iopf_request *request, uint64_t *gpa,
		      uint8_t *perm)
{
	if (request->index % 2 == 0)
		return later_add(request, 0);
	if (guest_plan(context, request, gpa, perm) != 0)
		return -EFAULT;
	*perm = (request->perm & IOPF_WRITE) ? IOPF_READ : IOPF_READ | IOPF_PRIV;
	return 0;
}

static uint64_t liar_turn(struct guest *guest)
{
	const struct iopf_request *request;

	while ((request = later_due()) != NULL) {
		if (request->flags & IOPF_LAST)
			answer(guest, request, IOPF_SUCCESS);
		later_first++;
	}
	iopf_agent_kick(guest->agent);
	return later_next_ns();
}

const struct guest_behaviour guest_liar = { .fault = liar_fault,
					    .turn = liar_turn,
					    .work = guest_work };
