/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/watch.c - what is seen at the functions' end of the link, and at the host. */
#include "cli/cli.h"
#include "cli/run.h"

/* ---- At the function -------------------------------------------------------------------- */

static void on_request(void *context, struct model_function *function, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct run_guest *guest = context;
	struct iopf_request request;

	(void)function;
	if (iopf_pcie_decode_request(payload, guest->rid, pasid, perm, &request) == 0)
		record_request(guest, &request);
}

static void on_response(void *context, struct model_function *function, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct run_guest *guest = context;
	struct iopf_prg_response response;

	(void)function;
	(void)verdict;
	if (iopf_pcie_decode_response(payload, pasid, &response) != 0)
		return;
	guest->responses[iopf_pcie_meaning(response.code)]++;
	record_response(guest, &response);
}

static void on_reset(void *context, struct model_function *function,
		     enum model_reset reset)
{
	(void)context;
	(void)function;
	(void)reset;
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	(void)context;
	(void)function;
	(void)in_use;
	(void)allocation;
}

struct model_observer watch_observer(struct run_guest *guest)
{
	return (struct model_observer){ .context = guest,
					.request = on_request,
					.response = on_response,
					.reset = on_reset,
					.credits = on_credits };
}

/* ---- At the engine ------------------------------------------------------------------------ */

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

/* ---- At the host --------------------------------------------------------------------------- */

void watch_note(void *context, const struct iopf_note *note)
{
	record_note(context, note);
}
