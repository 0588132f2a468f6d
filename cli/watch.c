/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/watch.c - what is seen at the functions' end of the link, and at the host. */
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"

/* ---- At the function --------------------------------------------------------------- */

static void on_request(void *context, struct model_function *function, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->machine->check);
	struct iopf_request request;

	checker.request(checker.context, function, pasid, perm, payload);
	if (iopf_pcie_decode_request(payload, guest->rid, pasid, perm, &request) == 0)
		record_request(guest, &request);
}

static void on_response(void *context, struct model_function *function, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->machine->check);
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
	struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->machine->check);

	checker.reset(checker.context, function, reset);
	record_reset(guest, reset);
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	const struct run_guest *guest = context;
	const struct model_observer checker = sim_check_observer(guest->machine->check);

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

/* ---- At the IOMMU, where stalls are ------------------------------------------------- */

static struct run_guest *guest_of(const struct run_machine *machine, uint32_t rid)
{
	struct run *run = machine->run;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].machine == machine && run->guests[i].rid == rid)
			return &run->guests[i];
	return NULL;
}

static void on_stalled(void *context, const struct iopf_fault *fault)
{
	struct run_machine *machine = context;
	struct run_guest *guest = guest_of(machine, fault->rid);
	const struct model_stall_observer checker = sim_check_stalls(machine->check);
	const struct iopf_request request = iopf_request_from_fault(fault);

	checker.stalled(checker.context, fault);
	if (guest != NULL)
		record_request(guest, &request);
}

static void on_resumed(void *context, uint32_t rid, uint16_t tag, enum iopf_code code,
		       enum model_stall_verdict verdict)
{
	struct run_machine *machine = context;
	struct run_guest *guest = guest_of(machine, rid);
	const struct model_stall_observer checker = sim_check_stalls(machine->check);

	checker.resumed(checker.context, rid, tag, code, verdict);
	if (guest == NULL)
		return;
	guest->responses[code]++;
	guest->bad_resumes += verdict != MODEL_STALL_TAKEN;
	record_resume(guest, tag, code);
}

static void on_terminated(void *context, uint32_t rid, uint16_t tag)
{
	struct run_machine *machine = context;
	struct run_guest *guest = guest_of(machine, rid);
	const struct model_stall_observer checker = sim_check_stalls(machine->check);

	checker.terminated(checker.context, rid, tag);
	if (guest == NULL)
		return;
	guest->terminated++;
	record_dropped(guest, tag);
}

struct model_stall_observer watch_stall_observer(struct run_machine *machine)
{
	return (struct model_stall_observer){ .context = machine,
					      .stalled = on_stalled,
					      .resumed = on_resumed,
					      .terminated = on_terminated };
}

/* ---- At the engine ----------------------------------------------------------------- */

/* From the request's leaving to the response's coming, as the device sees it. What was
 * forgotten or given up was not answered. */
static void on_group(void *context, uint32_t pasid, uint32_t page_count,
		     uint64_t issued_ns, enum model_outcome outcome)
{
	struct run_guest *guest = context;
	uint64_t age_ns = cli_now_ns() - issued_ns;

	(void)pasid;
	(void)page_count;
	if (outcome == MODEL_OUTCOME_LOST || outcome == MODEL_OUTCOME_STOPPED)
		return;
	histogram_add(&guest->latency, age_ns);
	noise_add(guest, issued_ns, age_ns);
}

struct model_engine_hooks watch_hooks(struct run_guest *guest)
{
	return (struct model_engine_hooks){ .context = guest, .group = on_group };
}

/* ---- At the host ------------------------------------------------------------------- */

void watch_note(void *context, const struct iopf_note *note)
{
	struct run_machine *machine = context;

	sim_check_note(machine->check, note);
	record_note(machine, note);
}

void watch_event(void *context, const struct iopf_event *event)
{
	struct run_machine *machine = context;

	sim_check_event(machine->check, event);
	record_event(machine, event);
}

/* ---- Invariants -------------------------------------------------------------------- */

static int watch_guest(struct run_machine *machine, const struct run_guest *guest)
{
	bool stalls = guest->combination->mechanism == IOPF_STALLS;
	const struct sim_check_function function = { .rid = guest->rid,
						     .honest = watch_honest(guest),
						     .stalls = stalls,
						     .slots = stalls ? device_share(guest) :
								       0 };

	return sim_check_add(machine->check, &function);
}

int watch_create(struct run_machine *machine)
{
	const struct run *run = machine->run;
	const struct sim_check_options options = {
		.queue_entries = machine_queue_entries(machine),
		.stall_slots = machine_stall_slots(machine),
		.family = machine->family,
		.wait_turns = 1000,
		.wait_ns = UINT64_C(1000000000),
	};
	int error = sim_check_create(&options, &machine->check);

	for (uint32_t i = 0; error == 0 && i < run->guest_count; i++)
		if (run->guests[i].machine == machine)
			error = watch_guest(machine, &run->guests[i]);
	return error;
}

void watch_destroy(struct run_machine *machine)
{
	if (machine->check != NULL)
		sim_check_destroy(machine->check);
}

bool watch_honest(const struct run_guest *guest)
{
	return guest->character == CHARACTER_honest || guest->character == CHARACTER_slow;
}

static void audit(struct run_machine *machine, enum sim_rest rest)
{
	struct sim_check_reading reading;

	sim_check_read(machine->check, machine->host, machine->iommu, &reading);
	sim_check_audit(machine->check, &reading, rest);
}

void watch_turn(struct run_machine *machine)
{
	enum { TURNS_AN_AUDIT = 64 };

	sim_check_turn(machine->check, machine->run->now_ns);
	if (++machine->turns % TURNS_AN_AUDIT == 0)
		audit(machine, SIM_RUNNING);
}

void watch_over(struct run_machine *machine)
{
	audit(machine, SIM_OVER);
}

static void add_result(struct sim_check_result *sum, const struct sim_check_result *one)
{
	if (sum->violations == 0)
		memcpy(sum->first, one->first, sizeof(sum->first));
	sum->checked += one->checked;
	sum->violations += one->violations;
}

struct sim_check_result watch_result(const struct run *run, enum sim_invariant invariant)
{
	struct sim_check_result sum = { 0 };

	for (uint32_t i = 0; i < run->machine_count; i++)
		add_result(&sum, sim_check_result(run->machines[i].check, invariant));
	return sum;
}

struct sim_check_result watch_judged(const struct run *run)
{
	struct sim_check_result sum = { 0 };

	for (uint32_t i = 0; i < run->machine_count; i++)
		add_result(&sum, sim_check_judged(run->machines[i].check));
	return sum;
}
