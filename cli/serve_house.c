/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_house.c - a host of this library below a program that is its one guest. */
#include "cli/serve_house.h"

#include "cli/character.h"
#include "cli/cli.h"
#include "cli/report_json.h"

static struct serve_house *house_of(const struct serve *serve)
{
	return serve->state;
}

/* ---- Before it begins -------------------------------------------------------------- */

static void guest_prepare(struct serve *serve, const struct serve_house_options *options)
{
	struct serve_house *house = house_of(serve);

	house->guest = (struct run_guest){
		.run = &house->run,
		.machine = &house->machine,
		.combination = &options->combination,
		.character = CHARACTER_honest,
		.life = RUN_LIFE_ALIVE,
		.name = "guest",
		.memory = serve->segment.memory,
		.segment = serve->segment,
		.rid = options->rid,
		.guest_rid = options->rid,
		.levels = serve->options.levels != 0 ? (uint32_t)serve->options.levels :
						       options->levels,
		.space_max = options->space_max,
		.policy = IOPF_POLICY_DEFAULT,
	};
	snprintf(house->guest.endpoint_name, sizeof(house->guest.endpoint_name), "%s",
		 options->endpoint_name);
}

void serve_house_prepare(struct serve *serve, const struct serve_house_options *options)
{
	struct serve_house *house = house_of(serve);

	house->run = (struct run){ .options = { .record = serve->options.record,
						.seed = 1 },
				   .hooks = options->hooks,
				   .context = serve,
				   .program = "iopf-serve",
				   .machines = &house->machine,
				   .machine_count = 1,
				   .guests = &house->guest,
				   .guest_count = 1,
				   .now_ns = cli_now_ns(),
				   .file = -1 };
	house->machine =
		(struct run_machine){ .run = &house->run,
				      .family = options->combination.host,
				      .guest_count = 1 };
	guest_prepare(serve, options);
}

/* ---- Turns ------------------------------------------------------------------------- */

uint32_t serve_house_turn(struct serve *serve, uint64_t now_ns)
{
	struct run *run = &house_of(serve)->run;

	run->now_ns = now_ns;
	return machines_turn(run);
}

uint64_t serve_house_next_ns(const struct serve *serve)
{
	return machines_next_ns(&house_of(serve)->run);
}

void serve_house_gone(struct serve *serve)
{
	struct run_guest *guest = &house_of(serve)->guest;

	guest->life = RUN_LIFE_DEAD;
	guest->shot_groups = iopf_broker_gauge(iopf_host_broker(guest->machine->host),
					       guest->endpoint, IOPF_GAUGE_delivered);
	record_kill(guest);
	iopf_host_guest_gone(guest->machine->host, guest->id);
	guest->let_go = true;
}

bool serve_house_over(const struct serve *serve)
{
	const struct run_guest *guest = &house_of(serve)->guest;

	return iopf_host_guest_over(guest->machine->host, guest->id) &&
	       device_state(guest).in_use == 0;
}

/* ---- The end ----------------------------------------------------------------------- */

void serve_house_judge(struct serve *serve)
{
	struct serve_house *house = house_of(serve);
	struct run *run = &house->run;

	watch_over(&run->machines[0]);
	record_close(run);
	report_judge_invariants(run);
	if (!house->benched)
		report_judge_device(run, &house->guest);
	if (!serve->machine->over(serve))
		run_problem(run, "the host did not come to an end with its guest");
	for (uint32_t i = 0; i < CLI_MIN(run->problem_count, RUN_PROBLEM_MAX); i++)
		serve_problem(serve, "%s", run->problems[i]);
}

void serve_house_report(const struct serve *serve)
{
	const struct run *run = &house_of(serve)->run;

	report_endpoints(run);
	report_refusals(run);
	report_endings(run);
	report_invariants(run);
}

void serve_house_report_json(const struct serve *serve, json_t *json)
{
	const struct serve_house *house = house_of(serve);
	const struct run_guest *guest = &house->guest;
	json_t *hosts = json_array(), *endpoints = json_array(), *row = json_object();

	json_object_set_new(row, "refused", report_json_refused(guest));
	json_object_set_new(row, "endings",
			    report_json_endings(machine_endpoint_row(guest)->counter));
	json_object_set_new(row, "latency_ns", report_json_latency(&guest->latency));
	json_object_set_new(row, "groups_at_end", number(guest->shot_groups));
	json_object_set_new(row, "counters",
			    report_json_counters(machine_owner_row(guest)->counter));
	json_object_set_new(row, "virtual_iommu", report_json_queue(guest));
	json_object_set_new(json, "guest", row);
	json_array_append_new(hosts, report_json_host(guest->machine));
	json_object_set_new(json, "hosts", hosts);
	json_array_append_new(endpoints, report_json_endpoint(guest));
	json_object_set_new(json, "endpoints", endpoints);
	json_object_set_new(json, "invariants", report_json_invariants(&house->run));
	json_object_set_new(json, "judge", report_json_judged(&house->run));
}
