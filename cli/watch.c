/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/watch.c - what is seen at the functions' end of the link, and at the host. */
#include "cli/cli.h"
#include "cli/run.h"

/* ---- At the function --------------------------------------------------------------- */

static void on_request(void *context, struct model_function *function, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->run->check);
	struct iopf_request request;

	checker.request(checker.context, function, pasid, perm, payload);
	if (iopf_pcie_decode_request(payload, guest->rid, pasid, perm, &request) == 0)
		record_request(guest, &request);
}

static void on_response(void *context, struct model_function *function, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->run->check);
	struct iopf_prg_response response;

	checker.response(checker.context, function, pasid, payload, verdict);
	if (iopf_pcie_decode_response(payload, pasid, &response) != 0)
		return;
	guest->responses[iopf_pcie_meaning(response.code)]++;
	record_response(guest, &response);
}

static void on_reset(void *context, struct model_function *function,
		     enum model_reset reset)
{
	const struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->run->check);

	checker.reset(checker.context, function, reset);
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	const struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->run->check);

	checker.credits(checker.context, function, in_use, allocation);
}

struct model_observer watch_observer(struct run_guest *guest)
{
	return (struct model_observer){ .context = guest,
					.request = on_request,
					.response = on_response,
					.reset = on_reset,
					.credits = on_credits };
}

/* ---- At the engine ----------------------------------------------------------------- */

/* From the request's leaving to the response's coming, as the device sees it. What was
 * forgotten or given up was not answered. */
static void on_group(void *context, uint32_t pasid, uint32_t page_count,
		     uint64_t issued_ns, enum model_outcome outcome)
{
	struct run_guest *guest = context;

	(void)pasid;
	(void)page_count;
	if (outcome != MODEL_OUTCOME_LOST && outcome != MODEL_OUTCOME_STOPPED)
		histogram_add(&guest->latency, cli_now_ns() - issued_ns);
}

struct model_engine_hooks watch_hooks(struct run_guest *guest)
{
	return (struct model_engine_hooks){ .context = guest, .group = on_group };
}

/* ---- At the host ------------------------------------------------------------------- */

void watch_note(void *context, const struct iopf_note *note)
{
	struct run *run = context;

	sim_check_note(run->check, note);
	record_note(run, note);
}

void watch_event(void *context, const struct iopf_event *event)
{
	struct run *run = context;

	sim_check_event(run->check, event);
	record_event(run, event);
}

/* ---- Invariants -------------------------------------------------------------------- */

int watch_create(struct run *run)
{
	const struct sim_check_options options = {
		.queue_entries = WATCH_QUEUE_ENTRIES,
		.wait_turns = 1000,
		.wait_ns = UINT64_C(1000000000),
	};
	int error = sim_check_create(&options, &run->check);

	for (uint32_t i = 0; error == 0 && i < run->guest_count; i++)
		error = sim_check_add(run->check,
				      &(struct sim_check_function){
					      .rid = run->guests[i].rid,
					      .honest = watch_honest(&run->guests[i]),
				      });
	return error;
}

void watch_destroy(struct run *run)
{
	if (run->check != NULL)
		sim_check_destroy(run->check);
}

bool watch_honest(const struct run_guest *guest)
{
	return guest->character == CHARACTER_honest || guest->character == CHARACTER_slow;
}

static void audit(struct run *run, enum sim_rest rest)
{
	struct sim_check_reading reading;

	sim_check_read(run->check, run->host, run->iommu, &reading);
	sim_check_audit(run->check, &reading, rest);
}

void watch_turn(struct run *run)
{
	enum { TURNS_AN_AUDIT = 64 };

	sim_check_turn(run->check, run->now_ns);
	if (++run->turns % TURNS_AN_AUDIT == 0)
		audit(run, SIM_RUNNING);
}

void watch_over(struct run *run)
{
	audit(run, SIM_OVER);
}
