/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_record.c - functions' ends, written in the event language. */
#include "cli/serve_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "iopf/wire.h"
#include "model/function.h"
#include "trace/trace.h"

struct seat { /* where a function is watched from */
	struct serve_record *record;
	uint32_t rid;
	uint64_t raw; /* messages that it was made to send */
	char name[16];
};

struct serve_record {
	struct serve *serve;
	FILE *file;
	struct seat seats[SERVE_FUNCTION_MAX];
	uint32_t seat_count;
	uint64_t begun_ns, last_ns;
	bool begun, failed;
};

/* ---- Writing ----------------------------------------------------------------------- */

static void put_bytes(struct serve_record *record, const char *bytes, int size_bytes)
{
	if (record->failed || size_bytes <= 0 ||
	    fwrite(bytes, 1, (size_t)size_bytes, record->file) == (size_t)size_bytes)
		return;
	record->failed = true;
	serve_problem(record->serve, "--record %s: %s", record->serve->options.record,
		      strerror(errno));
}

static void put_event(struct serve_record *record, const struct trace_event *event)
{
	char line[TRACE_LINE_MAX];

	put_bytes(record, line, trace_write(TRACE_TEXT, event, line, sizeof(line)));
}

static struct trace_event begin(struct seat *seat, enum trace_kind kind)
{
	struct serve_record *record = seat->record;
	uint64_t ns = cli_now_ns() - record->begun_ns;
	struct trace_event event;

	record->last_ns = ns < record->last_ns ? record->last_ns : ns;
	trace_begin(&event, kind, record->last_ns);
	trace_put_name(&event, TRACE_KEY_endpoint, seat->name);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	return event;
}

static void put_pasid(struct trace_event *event, uint32_t pasid)
{
	if (pasid != IOPF_PASID_NONE)
		trace_put(event, TRACE_KEY_pasid, pasid);
}

/* ---- At the function --------------------------------------------------------------- */

/* What it was made to send, whatever its state: that is not held against it. */
static bool was_forced(struct seat *seat, const struct model_function *function)
{
	struct model_function_state state;
	bool forced;

	model_function_state(function, &state);
	forced = state.raw_requests != seat->raw;
	seat->raw = state.raw_requests;
	return forced;
}

static void on_request(void *context, struct model_function *function, uint32_t pasid,
		       uint8_t perm, uint64_t payload)
{
	struct seat *seat = context;
	struct iopf_request request;
	struct trace_event event;
	bool stop, forced = was_forced(seat, function);

	if (!seat->record->begun ||
	    iopf_pcie_decode_request(payload, seat->rid, pasid, perm, &request) != 0)
		return;
	stop = request.flags & IOPF_STOP;
	event = begin(seat, stop ? TRACE_KIND_stop : TRACE_KIND_request);
	trace_put(&event, TRACE_KEY_rid, seat->rid);
	put_pasid(&event, pasid);
	trace_put(&event, TRACE_KEY_index, request.index);
	if (!stop) {
		trace_put(&event, TRACE_KEY_addr, request.addr);
		trace_put(&event, TRACE_KEY_perm, request.perm);
		trace_put(&event, TRACE_KEY_last, (request.flags & IOPF_LAST) != 0);
		if (forced)
			trace_put(&event, TRACE_KEY_forced, 1);
	}
	put_event(seat->record, &event);
}

static void on_response(void *context, struct model_function *function, uint32_t pasid,
			uint64_t payload, enum model_verdict verdict)
{
	struct seat *seat = context;
	struct iopf_prg_response response;
	struct trace_event event;
	enum iopf_code code;

	(void)function;
	(void)verdict;
	if (!seat->record->begun ||
	    iopf_pcie_decode_response(payload, pasid, &response) != 0)
		return;
	code = iopf_pcie_meaning(response.code);
	event = begin(seat, TRACE_KIND_response);
	trace_put(&event, TRACE_KEY_rid, seat->rid);
	put_pasid(&event, pasid);
	trace_put(&event, TRACE_KEY_index, response.index);
	trace_put(&event, TRACE_KEY_code, code);
	if (response.code != iopf_pcie_code(code))
		trace_put(&event, TRACE_KEY_raw_code, response.code);
	put_event(seat->record, &event);
}

static void on_reset(void *context, struct model_function *function, enum model_reset reset)
{
	static const uint8_t kinds[] = {
		[MODEL_PRI_DISABLED] = TRACE_KIND_disable,
		[MODEL_PRI_ENABLED] = TRACE_KIND_enable,
		[MODEL_PRI_RESET] = TRACE_KIND_forget,
		[MODEL_FLR] = TRACE_KIND_reset,
		[MODEL_REMOVED] = TRACE_KIND_remove,
	};
	struct seat *seat = context;
	struct model_function_state state;
	struct trace_event event;

	if (!seat->record->begun)
		return;
	model_function_state(function, &state);
	event = begin(seat, (enum trace_kind)kinds[reset]);
	if (reset == MODEL_PRI_ENABLED)
		trace_put(&event, TRACE_KEY_allocation, state.allocation);
	put_event(seat->record, &event);
}

static void on_credits(void *context, struct model_function *function, uint32_t in_use,
		       uint32_t allocation)
{
	(void)context;
	(void)function;
	(void)in_use;
	(void)allocation;
}

struct model_observer serve_record_observer(struct serve_record *record, uint32_t number,
					    uint32_t rid)
{
	struct seat *seat;

	if (record == NULL)
		return (struct model_observer){ 0 };
	seat = &record->seats[number];
	seat->record = record;
	seat->rid = rid;
	snprintf(seat->name, sizeof(seat->name), "%02x:%02x.%x", (unsigned)(rid >> 8 & 255),
		 (unsigned)(rid >> 3 & 31), (unsigned)(rid & 7));
	record->seat_count = number + 1;
	return (struct model_observer){ .context = seat,
					.request = on_request,
					.response = on_response,
					.reset = on_reset,
					.credits = on_credits };
}

/* ---- The recording ----------------------------------------------------------------- */

int serve_record_open(struct serve *serve, struct serve_record **out)
{
	const char *name = serve->options.record;
	struct serve_record *record;

	*out = NULL;
	if (name == NULL)
		return CLI_OK;
	record = calloc(1, sizeof(*record));
	if (record != NULL)
		record->file = fopen(name, "we");
	if (record == NULL || record->file == NULL) {
		cli_error("--record %s: %s", name, strerror(errno));
		free(record);
		return CLI_USAGE;
	}
	record->serve = serve;
	*out = record;
	return CLI_OK;
}

void serve_record_begin(struct serve_record *record)
{
	char line[TRACE_LINE_MAX];
	struct trace_event event;

	if (record == NULL)
		return;
	put_bytes(record, line, trace_write_header(TRACE_TEXT, line, sizeof(line)));
	trace_begin(&event, TRACE_KIND_world, 0);
	trace_put_name(&event, TRACE_KEY_program, "iopf-serve");
	trace_put_name(&event, TRACE_KEY_version, iopf_version());
	put_event(record, &event);
	trace_begin(&event, TRACE_KIND_world, 0);
	trace_put_name(&event, TRACE_KEY_source, "vtd");
	trace_put_name(&event, TRACE_KEY_family, "vtd");
	put_event(record, &event);
	for (uint32_t i = 0; i < record->seat_count; i++) {
		trace_begin(&event, TRACE_KIND_world, 0);
		trace_put_name(&event, TRACE_KEY_endpoint, record->seats[i].name);
		trace_put_name(&event, TRACE_KEY_source, "vtd");
		trace_put(&event, TRACE_KEY_rid, record->seats[i].rid);
		trace_put(&event, TRACE_KEY_mechanism, TRACE_MECHANISM_pri);
		trace_put(&event, TRACE_KEY_pasid_in_response, 1);
		put_event(record, &event);
	}
	record->begun_ns = cli_now_ns();
	record->begun = true;
}

void serve_record_close(struct serve_record *record)
{
	if (record == NULL)
		return;
	if (fclose(record->file) != 0 && !record->failed)
		serve_problem(record->serve, "--record %s: %s", record->serve->options.record,
			      strerror(errno));
	free(record);
}
