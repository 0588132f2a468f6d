/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/record.c - what happens, written in the event language. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "iopf/wire.h"
#include "trace/trace.h"

struct record {
	FILE *file;
	uint64_t last_ns; /* time never runs backwards */
	bool begun;       /* the world was described: what happens is written from here on */
	bool failed;      /* a write did, and it was said */
};

/* ---- Writing ----------------------------------------------------------------------- */

static void put_bytes(struct run *run, const void *bytes, int size_bytes)
{
	struct record *record = run->record;

	if (size_bytes <= 0 || record->failed)
		return;
	if (fwrite(bytes, 1, (size_t)size_bytes, record->file) == (size_t)size_bytes)
		return;
	record->failed = true;
	run_problem(run, "--record %s: %s", run->options.record, strerror(errno));
}

static void put_event(struct run *run, const struct trace_event *event)
{
	char line[TRACE_LINE_MAX];
	int size_bytes = trace_write(TRACE_TEXT, event, line, sizeof(line));

	if (size_bytes < 0 && !run->record->failed) {
		run->record->failed = true;
		run_problem(run,
			    "--record: an event that the language has no words for: %s",
			    trace_kind_name(event->kind));
	}
	put_bytes(run, line, size_bytes);
}

/* The time of the run, from 0. */
static void begin(struct run *run, struct trace_event *event, enum trace_kind kind)
{
	uint64_t ns = cli_now_ns() - run->begun_ns;

	if (run->begun_ns == 0)
		ns = 0;
	if (ns < run->record->last_ns)
		ns = run->record->last_ns;
	run->record->last_ns = ns;
	trace_begin(event, kind, ns);
}

int record_open(struct run *run)
{
	char line[TRACE_LINE_MAX];

	if (run->options.record == NULL)
		return CLI_OK;
	run->record = calloc(1, sizeof(*run->record));
	if (run->record != NULL)
		run->record->file = fopen(run->options.record, "we");
	if (run->record == NULL || run->record->file == NULL) {
		cli_error("--record %s: %s", run->options.record, strerror(errno));
		free(run->record);
		run->record = NULL;
		return CLI_USAGE;
	}
	put_bytes(run, line, trace_write_header(TRACE_TEXT, line, sizeof(line)));
	return CLI_OK;
}

void record_close(struct run *run)
{
	if (run->record == NULL)
		return;
	if (fclose(run->record->file) != 0 && !run->record->failed)
		run_problem(run, "--record %s: %s", run->options.record, strerror(errno));
	free(run->record);
	run->record = NULL;
}

/* ---- The world --------------------------------------------------------------------- */

static void world_guest(struct run_guest *guest)
{
	const struct device_state state = device_state(guest);
	struct trace_event event;

	trace_begin(&event, TRACE_KIND_world, 0);
	trace_put_name(&event, TRACE_KEY_owner, guest->name);
	trace_put_name(&event, TRACE_KEY_family, guest->combination->guest);
	trace_put(&event, TRACE_KEY_role, TRACE_ROLE_guest);
	trace_put_name(&event, TRACE_KEY_character, character_name(guest->character));
	put_event(guest->run, &event);
	trace_begin(&event, TRACE_KIND_world, 0);
	trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	trace_put_name(&event, TRACE_KEY_source, guest->machine->family);
	trace_put(&event, TRACE_KEY_rid, guest->rid);
	trace_put(&event, TRACE_KEY_allocation, state.allocation);
	trace_put(&event, TRACE_KEY_mechanism,
		  guest->combination->mechanism == IOPF_STALLS ? TRACE_MECHANISM_stall :
								 TRACE_MECHANISM_pri);
	trace_put(&event, TRACE_KEY_pasid_in_response, state.pasid_in_response);
	put_event(guest->run, &event);
}

void record_world(struct run *run)
{
	struct trace_event event;

	if (run->record == NULL)
		return;
	trace_begin(&event, TRACE_KIND_world, 0);
	trace_put(&event, TRACE_KEY_seed, run->options.seed);
	trace_put_name(&event, TRACE_KEY_program, run->program);
	trace_put_name(&event, TRACE_KEY_version, iopf_version());
	put_event(run, &event);
	for (uint32_t i = 0; i < run->machine_count; i++) {
		trace_begin(&event, TRACE_KIND_world, 0);
		trace_put_name(&event, TRACE_KEY_source, run->machines[i].family);
		trace_put_name(&event, TRACE_KEY_family, run->machines[i].family);
		trace_put(&event, TRACE_KEY_entries, machine_queue_entries(&run->machines[i]));
		if (machine_stall_slots(&run->machines[i]) != 0)
			trace_put(&event, TRACE_KEY_slots,
				  machine_stall_slots(&run->machines[i]));
		put_event(run, &event);
	}
	for (uint32_t i = 0; i < run->guest_count; i++)
		world_guest(&run->guests[i]);
	run->record->begun = true;
	for (uint32_t i = 0; i < run->guest_count; i++)
		record_reset(&run->guests[i], MODEL_PRI_ENABLED);
}

/* ---- At the function --------------------------------------------------------------- */

static void put_pasid(struct trace_event *event, uint32_t pasid)
{
	if (pasid != IOPF_PASID_NONE)
		trace_put(event, TRACE_KEY_pasid, pasid);
}

static void put_request(struct trace_event *event, const struct iopf_request *request)
{
	trace_put(event, TRACE_KEY_rid, request->rid);
	put_pasid(event, request->pasid);
	trace_put(event, TRACE_KEY_index, request->index);
	trace_put(event, TRACE_KEY_addr, request->addr);
	trace_put(event, TRACE_KEY_perm, request->perm);
	if (request->flags & IOPF_LAST)
		trace_put(event, TRACE_KEY_last, 1);
	if (request->flags & IOPF_STALL)
		trace_put(event, TRACE_KEY_stall, 1);
}

static void put_stop(struct trace_event *event, const struct iopf_request *request)
{
	trace_put(event, TRACE_KEY_rid, request->rid);
	put_pasid(event, request->pasid);
	trace_put(event, TRACE_KEY_index, request->index);
}

static enum trace_kind request_kind(const struct iopf_request *request)
{
	return (request->flags & IOPF_STOP) ? TRACE_KIND_stop : TRACE_KIND_request;
}

/* Where nobody knows the @endpoint, it is somebody's behind @source. */
static void record_request_at(struct run *run, const char *endpoint, const char *source,
			      const struct iopf_request *request, bool forced,
			      enum trace_interface interface)
{
	struct trace_event event;

	begin(run, &event, request_kind(request));
	trace_put_name(&event, endpoint != NULL ? TRACE_KEY_endpoint : TRACE_KEY_source,
		       endpoint != NULL ? endpoint : source);
	if (request->flags & IOPF_STOP)
		put_stop(&event, request);
	else
		put_request(&event, request);
	if (forced && !(request->flags & IOPF_STOP))
		trace_put(&event, TRACE_KEY_forced, 1);
	trace_put(&event, TRACE_KEY_interface, interface);
	put_event(run, &event);
}

/* Since it was asked last. */
static bool was_forced(struct run_guest *guest)
{
	struct model_function_state state;
	bool forced;

	if (guest->function == NULL)
		return false;
	model_function_state(guest->function, &state);
	forced = state.raw_requests != guest->forced;
	guest->forced = state.raw_requests;
	return forced;
}

void record_request(struct run_guest *guest, const struct iopf_request *request)
{
	if (guest->run->record != NULL)
		record_request_at(guest->run, guest->endpoint_name, NULL, request,
				  was_forced(guest), TRACE_INTERFACE_function);
}

void record_response(struct run_guest *guest, const struct iopf_prg_response *response)
{
	struct run *run = guest->run;
	struct trace_event event;
	enum iopf_code code = iopf_pcie_meaning(response->code);

	if (run->record == NULL)
		return;
	begin(run, &event, TRACE_KIND_response);
	trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	trace_put(&event, TRACE_KEY_rid, response->rid);
	put_pasid(&event, response->pasid);
	trace_put(&event, TRACE_KEY_index, response->index);
	trace_put(&event, TRACE_KEY_code, code);
	if (response->code != iopf_pcie_code(code))
		trace_put(&event, TRACE_KEY_raw_code, response->code);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	put_event(run, &event);
}

void record_resume(struct run_guest *guest, uint16_t tag, enum iopf_code code)
{
	struct run *run = guest->run;
	struct trace_event event;

	if (run->record == NULL)
		return;
	begin(run, &event, TRACE_KIND_response);
	trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	trace_put(&event, TRACE_KEY_rid, guest->rid);
	trace_put(&event, TRACE_KEY_index, tag);
	trace_put(&event, TRACE_KEY_code, code);
	trace_put(&event, TRACE_KEY_stall, 1);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	put_event(run, &event);
}

void record_dropped(struct run_guest *guest, uint16_t tag)
{
	struct run *run = guest->run;
	struct trace_event event;

	if (run->record == NULL)
		return;
	begin(run, &event, TRACE_KIND_drop);
	trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	trace_put(&event, TRACE_KEY_rid, guest->rid);
	trace_put(&event, TRACE_KEY_index, tag);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	put_event(run, &event);
}

void record_reset(struct run_guest *guest, enum model_reset reset)
{
	static const uint8_t kinds[] = {
		[MODEL_PRI_DISABLED] = TRACE_KIND_disable,
		[MODEL_PRI_ENABLED] = TRACE_KIND_enable,
		[MODEL_PRI_RESET] = TRACE_KIND_forget,
		[MODEL_FLR] = TRACE_KIND_reset,
		[MODEL_REMOVED] = TRACE_KIND_remove,
	};
	struct run *run = guest->run;
	struct trace_event event;

	if (run->record == NULL || !run->record->begun)
		return;
	begin(run, &event, (enum trace_kind)kinds[reset]);
	trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	trace_put(&event, TRACE_KEY_interface, TRACE_INTERFACE_function);
	if (reset == MODEL_PRI_ENABLED)
		trace_put(&event, TRACE_KEY_allocation, device_state(guest).allocation);
	put_event(run, &event);
}

void record_kill(struct run_guest *guest)
{
	struct trace_event event;

	if (guest->run->record == NULL)
		return;
	begin(guest->run, &event, TRACE_KIND_kill);
	trace_put_name(&event, TRACE_KEY_owner, guest->name);
	put_event(guest->run, &event);
}

void record_hostile(struct run_guest *guest, unsigned act, uint64_t count)
{
	struct trace_event event;

	if (guest->run->record == NULL)
		return;
	begin(guest->run, &event, TRACE_KIND_hostile);
	trace_put_name(&event, TRACE_KEY_owner, guest->name);
	trace_put(&event, TRACE_KEY_count, CLI_MIN(count, (uint64_t)UINT32_MAX));
	trace_put_name(&event, TRACE_KEY_act, hostile_name(act));
	put_event(guest->run, &event);
}

/* ---- At the host ------------------------------------------------------------------- */

/* Whose @id, @endpoint or @rid it is, in this order; IOPF_NO_ID: not known. */
static const struct run_guest *guest_of(const struct run_machine *machine, uint32_t id,
					uint32_t endpoint, uint32_t rid)
{
	const struct run *run = machine->run;

	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		bool is = id != IOPF_NO_ID       ? guest->id == id :
			  endpoint != IOPF_NO_ID ? guest->endpoint == endpoint :
						   guest->rid == rid;

		if (guest->machine == machine && guest->guest_memory != NULL && is)
			return guest;
	}
	return NULL;
}

static void put_group(struct trace_event *event, const struct iopf_note *note)
{
	if (note->kind == IOPF_NOTE_ATTACH || note->kind == IOPF_NOTE_DETACH)
		trace_put(event, TRACE_KEY_pasid, note->pasid);
	else
		put_pasid(event, note->pasid);
	if (note->token != 0)
		trace_put(event, TRACE_KEY_token, note->token);
}

static void put_show(struct trace_event *event, const struct iopf_note *note)
{
	put_group(event, note);
	if (note->group == NULL)
		return;
	trace_put(event, TRACE_KEY_rid, note->group->rid);
	trace_put(event, TRACE_KEY_index, note->group->index);
	trace_put(event, TRACE_KEY_addr, note->group->page.addr);
	trace_put(event, TRACE_KEY_perm, note->group->page.perm);
	trace_put(event, TRACE_KEY_page_count, note->group->page_count);
	if (note->group->flags & IOPF_STALL)
		trace_put(event, TRACE_KEY_stall, 1);
}

static void put_response(struct trace_event *event, const struct iopf_note *note)
{
	const struct iopf_response *response = note->response;

	if (response == NULL)
		return;
	trace_put(event, TRACE_KEY_rid, response->rid);
	put_pasid(event, response->pasid);
	trace_put(event, TRACE_KEY_index, response->index);
	trace_put(event, TRACE_KEY_token, response->token);
	trace_put(event, TRACE_KEY_code, response->code);
	trace_put(event, TRACE_KEY_ending, response->ending);
	trace_put(event, TRACE_KEY_request_count, response->request_count);
	if (response->flags & IOPF_STALL)
		trace_put(event, TRACE_KEY_stall, 1);
}

static void put_code(struct trace_event *event, const struct iopf_note *note)
{
	put_group(event, note);
	trace_put(event, TRACE_KEY_code, note->code);
}

static void put_nothing(struct trace_event *event, const struct iopf_note *note)
{
	(void)event;
	(void)note;
}

static void put_invalidate(struct trace_event *event, const struct iopf_note *note)
{
	put_pasid(event, note->pasid);
	if (note->command == NULL)
		return;
	if (note->command->size_bytes != 0) {
		trace_put(event, TRACE_KEY_addr, note->command->addr);
		trace_put(event, TRACE_KEY_size_bytes, note->command->size_bytes);
	}
	if (note->command->kind == IOPF_COMMAND_INVALIDATE_DEVICE)
		trace_put(event, TRACE_KEY_device, 1);
}

/* What a note is in the language; kinds without a row are not written. The ledger says
 * which check refused an answer only in its counters, so a refusal is its answer's
 * result. */
static const struct note_row {
	uint8_t there, kind, interface;
	bool owner, endpoint, refused;
	void (*put)(struct trace_event *event, const struct iopf_note *note);
} note_rows[IOPF_NOTE_KIND_COUNT] = {
	[IOPF_NOTE_SHOW] = { 1, TRACE_KIND_show, TRACE_INTERFACE_guest, true, true, false,
			     put_show },
	[IOPF_NOTE_ANSWER] = { 1, TRACE_KIND_answer, TRACE_INTERFACE_guest, true, false,
			       false, put_code },
	[IOPF_NOTE_REFUSE] = { 1, TRACE_KIND_answer, TRACE_INTERFACE_guest, true, false,
			       true, put_code },
	[IOPF_NOTE_RESPONSE] = { 1, TRACE_KIND_response, TRACE_INTERFACE_queue, false,
				 true, false, put_response },
	[IOPF_NOTE_TERMINATE] = { 1, TRACE_KIND_terminate, TRACE_INTERFACE_queue, false,
				  true, false, put_nothing },
	[IOPF_NOTE_ATTACH] = { 1, TRACE_KIND_attach, TRACE_INTERFACE_guest, true, true,
			       false, put_group },
	[IOPF_NOTE_DETACH] = { 1, TRACE_KIND_detach, TRACE_INTERFACE_guest, true, true,
			       false, put_group },
	[IOPF_NOTE_OVERFLOW] = { 1, TRACE_KIND_overflow, TRACE_INTERFACE_queue, false,
				 false, false, put_nothing },
	[IOPF_NOTE_INVALIDATE] = { 1, TRACE_KIND_invalidate, TRACE_INTERFACE_guest, true,
				   true, false, put_invalidate },
	[IOPF_NOTE_RESET] = { 1, TRACE_KIND_reset, TRACE_INTERFACE_queue, false, true,
			      false, put_nothing },
	[IOPF_NOTE_REMOVE] = { 1, TRACE_KIND_remove, TRACE_INTERFACE_queue, false, true,
			       false, put_nothing },
};

void record_note(struct run_machine *machine, const struct iopf_note *note)
{
	struct run *run = machine->run;
	const struct note_row *row = &note_rows[note->kind];
	const struct run_guest *guest =
		guest_of(machine, note->guest, note->endpoint,
			 note->request != NULL  ? note->request->rid :
			 note->response != NULL ? note->response->rid :
						  IOPF_NO_ID);
	struct trace_event event;

	if (run->record == NULL)
		return;
	if (note->kind == IOPF_NOTE_REQUEST && note->request != NULL)
		record_request_at(run, guest != NULL ? guest->endpoint_name : NULL,
				  machine->family, note->request, false,
				  TRACE_INTERFACE_queue);
	/* A response to somebody unknown is one of the source's. */
	if (!row->there || (guest == NULL && (row->owner || row->endpoint) &&
			    note->kind != IOPF_NOTE_RESPONSE))
		return;
	begin(run, &event, (enum trace_kind)row->kind);
	if (row->owner)
		trace_put_name(&event, TRACE_KEY_owner, guest->name);
	if (row->endpoint && guest != NULL)
		trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	if (!row->owner && (!row->endpoint || guest == NULL))
		trace_put_name(&event, TRACE_KEY_source, machine->family);
	row->put(&event, note);
	if (row->refused)
		trace_put(&event, TRACE_KEY_result, TRACE_RESULT_refused);
	trace_put(&event, TRACE_KEY_interface, row->interface);
	put_event(run, &event);
}

void record_event(struct run_machine *machine, const struct iopf_event *from)
{
	struct run *run = machine->run;
	const struct run_guest *guest =
		guest_of(machine, IOPF_NO_ID, from->endpoint, from->rid);
	struct trace_event event;

	if (run->record == NULL)
		return;
	begin(run, &event, TRACE_KIND_event);
	if (guest != NULL)
		trace_put_name(&event, TRACE_KEY_endpoint, guest->endpoint_name);
	else
		trace_put_name(&event, TRACE_KEY_source, machine->family);
	put_pasid(&event, from->pasid);
	if (from->token != 0)
		trace_put(&event, TRACE_KEY_token, from->token);
	trace_put(&event, TRACE_KEY_what, from->kind);
	trace_put(&event, TRACE_KEY_value, from->value);
	trace_put(&event, TRACE_KEY_suppressed, from->suppressed);
	put_event(run, &event);
}
