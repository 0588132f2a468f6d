/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/report_json.c - the end of a run as JSON, schema iopf.run/1 (docs/formats.md). */
#include <inttypes.h>
#include <jansson.h>

#include "cli/cli.h"
#include "cli/hostile.h"
#include "cli/policy.h"
#include "cli/report_json.h"

json_t *report_json_latency(const struct histogram *latency)
{
	json_t *json = json_object();

	json_object_set_new(json, "count", number(latency->count));
	json_object_set_new(json, "p50", number(histogram_quantile(latency, 500)));
	json_object_set_new(json, "p99", number(histogram_quantile(latency, 990)));
	json_object_set_new(json, "p999", number(histogram_quantile(latency, 999)));
	json_object_set_new(json, "max", number(latency->max));
	return json;
}

json_t *report_json_refused(const struct run_guest *guest)
{
	const struct report_refused refused = report_refused(guest);
	json_t *json = json_object();

	json_object_set_new(json, "unknown", number(refused.unknown));
	json_object_set_new(json, "duplicate", number(refused.duplicate));
	json_object_set_new(json, "stale", number(refused.stale));
	json_object_set_new(json, "foreign", number(refused.foreign));
	json_object_set_new(json, "malformed", number(refused.malformed));
	return json;
}

json_t *report_json_endings(const uint64_t *counters)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < IOPF_ENDING_COUNT; i++)
		json_object_set_new(
			json, iopf_ending_name((enum iopf_ending)i),
			number(counters[iopf_ending_counter((enum iopf_ending)i)]));
	return json;
}

static json_t *acts_json(const struct run_guest *guest)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < HOSTILE_ACT_COUNT; i++)
		if (hostile_can(guest->combination->guest, i))
			json_object_set_new(json, hostile_name(i),
					    number(guest->acts[i]));
	return json;
}

json_t *report_json_counters(const uint64_t *counters)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < IOPF_COUNTER_COUNT; i++)
		json_object_set_new(json, iopf_counter_name((enum iopf_counter)i),
				    number(counters[i]));
	return json;
}

#define SET_COUNTER(name, text) json_object_set_new(json, #name, number(stats.name));

static json_t *policy_json(const struct iopf_policy *policy)
{
	json_t *json = json_object();
	const struct policy_knob *knob;

	for (size_t i = 0; (knob = policy_knob(i)) != NULL; i++)
		json_object_set_new(json, knob->name, number(policy_value(policy, knob)));
	return json;
}

/* What its virtual IOMMU counted. */
json_t *report_json_queue(const struct run_guest *guest)
{
	const struct iopf_guest *queue = iopf_host_guest(guest->machine->host, guest->id);
	struct iopf_guest_stats stats = { 0 };
	json_t *json = json_object();

	if (queue != NULL)
		iopf_guest_stats(queue, &stats);
	IOPF_GUEST_COUNTERS(SET_COUNTER)
	return json;
}

json_t *report_json_host(const struct run_machine *machine)
{
	struct iopf_host_stats stats;
	json_t *json = json_object();

	iopf_host_stats(machine->host, &stats);
	json_object_set_new(json, "family", json_string(machine->family));
	IOPF_HOST_COUNTERS(SET_COUNTER)
	return json;
}

static json_t *guest_json(const struct run_guest *guest)
{
	const uint64_t *counters = machine_endpoint_row(guest)->counter;
	json_t *json = json_object();
	int data = report_data(guest);

	json_object_set_new(json, "name", json_string(guest->name));
	json_object_set_new(json, "character",
			    json_string(character_name(guest->character)));
	json_object_set_new(json, "family", json_string(guest->combination->guest));
	json_object_set_new(json, "mechanism",
			    json_string(choice_mechanism(guest->combination)));
	json_object_set_new(json, "shown",
			    json_string(choice_shown(guest->combination)));
	json_object_set_new(json, "endpoint", json_string(guest->endpoint_name));
	json_object_set_new(
		json, "faults",
		number(model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_faults)));
	json_object_set_new(
		json, "bytes",
		number(model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_bytes)));
	json_object_set_new(json, "passes", number(guest->passes));
	json_object_set_new(json, "policy", policy_json(&guest->policy));
	json_object_set_new(json, "refused", report_json_refused(guest));
	if (guest->character == CHARACTER_hostile)
		json_object_set_new(json, "hostile_acts", acts_json(guest));
	json_object_set_new(json, "endings", report_json_endings(counters));
	json_object_set_new(json, "latency_ns", report_json_latency(&guest->latency));
	json_object_set_new(json, "data_ok", data < 0 ? json_null() : json_boolean(data));
	json_object_set_new(json, "crc",
			    guest->crc_passes > 0 ? hex(guest->crc) : json_null());
	json_object_set_new(json, "killed", json_boolean(guest->shot));
	json_object_set_new(json, "messages", number(guest->messages));
	json_object_set_new(json, "bad_messages", number(guest->garbage));
	json_object_set_new(json, "dropped_replies", number(guest->dropped));
	json_object_set_new(json, "counters",
			    report_json_counters(machine_owner_row(guest)->counter));
	json_object_set_new(json, "virtual_iommu", report_json_queue(guest));
	return json;
}

static json_t *responses_json(const struct run_guest *guest)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < IOPF_CODE_COUNT; i++)
		json_object_set_new(json, iopf_code_name((enum iopf_code)i),
				    number(guest->responses[i]));
	return json;
}

/* All of it as the function itself saw it. */
json_t *report_json_endpoint(const struct run_guest *guest)
{
	const struct device_state state = device_state(guest);
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string(guest->endpoint_name));
	json_object_set_new(json, "guest", json_string(guest->name));
	json_object_set_new(json, "family", json_string(guest->machine->family));
	json_object_set_new(json, "mechanism",
			    json_string(choice_mechanism(guest->combination)));
	json_object_set_new(json, "faults", number(state.requests));
	json_object_set_new(
		json, "pages",
		number(model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_pages)));
	json_object_set_new(json, "responses", responses_json(guest));
	json_object_set_new(json, "allocation", number(state.allocation));
	json_object_set_new(json, "credits_in_use", number(state.in_use));
	json_object_set_new(json, "uprgi", number(state.uprgi));
	json_object_set_new(json, "rf", number(state.rf));
	json_object_set_new(json, "counters",
			    report_json_counters(machine_endpoint_row(guest)->counter));
	return json;
}

static json_t *noise_json(const struct run *run)
{
	const struct noise noise = noise_of(run);
	json_t *json = json_object();

	json_object_set_new(json, "idle_ns", report_json_latency(&noise.beside[0]));
	json_object_set_new(json, "busy_ns", report_json_latency(&noise.beside[1]));
	json_object_set_new(json, "ratio",
			    noise.heard ? json_real(noise.ratio) : json_null());
	json_object_set_new(json, "limit", json_real(noise.limit));
	return json;
}

json_t *report_json_invariants(const struct run *run)
{
	json_t *json = json_object();

	for (unsigned i = 0; i < SIM_INVARIANT_COUNT; i++) {
		enum sim_invariant invariant = (enum sim_invariant)i;
		const struct sim_check_result result = watch_result(run, invariant);
		json_t *row = json_object();

		json_object_set_new(row, "checked", number(result.checked));
		json_object_set_new(row, "violations", number(result.violations));
		json_object_set_new(json, sim_invariant_name(invariant), row);
	}
	return json;
}

/* What the judges beside the checkers found. */
json_t *report_json_judged(const struct run *run)
{
	const struct sim_check_result judged = watch_judged(run);
	json_t *json = json_object();

	json_object_set_new(json, "judged", number(judged.checked));
	json_object_set_new(json, "violations", number(judged.violations));
	json_object_set_new(json, "first",
			    judged.violations > 0 ? json_string(judged.first) : json_null());
	return json;
}

static json_t *problems_json(const struct run *run)
{
	json_t *json = json_array();

	for (uint32_t i = 0; i < CLI_MIN(run->problem_count, RUN_PROBLEM_MAX); i++)
		json_array_append_new(json, json_string(run->problems[i]));
	return json;
}

int report_json(const struct run *run)
{
	json_t *json = json_object(), *guests = json_array(), *endpoints = json_array();
	json_t *hosts = json_array();
	bool good;

	json_object_set_new(json, "schema", json_string("iopf.run/1"));
	json_object_set_new(json, "ok", json_boolean(run->problem_count == 0));
	json_object_set_new(json, "version", json_string(iopf_version()));
	json_object_set_new(json, "seed", hex(run->options.seed));
	json_object_set_new(json, "file", json_string(run->file_name));
	json_object_set_new(json, "file_bytes", number(run->layout.file_bytes));
	json_object_set_new(json, "file_crc", hex(run->file_crc));
	json_object_set_new(json, "duration_ns", number(run->stopped_ns - run->begun_ns));
	for (uint32_t i = 0; i < run->machine_count; i++)
		json_array_append_new(hosts, report_json_host(&run->machines[i]));
	json_object_set_new(json, "hosts", hosts);
	json_object_set_new(json, "invariants", report_json_invariants(run));
	json_object_set_new(json, "judge", report_json_judged(run));
	for (uint32_t i = 0; i < run->guest_count; i++) {
		json_array_append_new(guests, guest_json(&run->guests[i]));
		json_array_append_new(endpoints, report_json_endpoint(&run->guests[i]));
	}
	json_object_set_new(json, "guests", guests);
	json_object_set_new(json, "endpoints", endpoints);
	if (noise_of(run).neighbours > 0)
		json_object_set_new(json, "noise", noise_json(run));
	json_object_set_new(json, "problems", problems_json(run));
	good = json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
	json_decref(json);
	return good ? CLI_OK : CLI_NO;
}
