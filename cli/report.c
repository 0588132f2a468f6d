/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/report.c - the verdict of a run, and its end for people: 80 columns. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/hostile.h"
#include "cli/run.h"

/* ---- Sums -------------------------------------------------------------------------- */

struct report_refused report_refused(const struct run_guest *guest)
{
	const uint64_t *ledger = machine_owner_row(guest)->counter;
	const struct iopf_guest *queue = iopf_host_guest(guest->machine->host, guest->id);
	struct iopf_guest_stats stats = { 0 };

	if (queue != NULL)
		iopf_guest_stats(queue, &stats);
	return (struct report_refused){
		.unknown = stats.refused_unknown + ledger[IOPF_COUNTER_refused_unknown],
		.duplicate =
			stats.refused_duplicate + ledger[IOPF_COUNTER_refused_duplicate],
		.stale = stats.refused_stale + ledger[IOPF_COUNTER_refused_stale],
		.foreign = stats.refused_foreign + ledger[IOPF_COUNTER_refused_foreign],
		.malformed = stats.refused_malformed +
			     ledger[IOPF_COUNTER_refused_malformed] +
			     ledger[IOPF_COUNTER_refused_forbidden],
	};
}

uint64_t report_refused_sum(const struct report_refused *refused)
{
	return refused->unknown + refused->duplicate + refused->stale + refused->foreign +
	       refused->malformed;
}

static uint64_t counter(const struct run_guest *guest, enum model_engine_counter which)
{
	return model_engine_counter(guest->engine, which);
}

int report_data(const struct run_guest *guest)
{
#define PROMISES(name, data, text) data,
	static const bool promises[] = { CHARACTERS(PROMISES) };

	if (!promises[guest->character])
		return -1;
	return guest->crc_passes > 0 && !guest->crc_differs && guest->bad_passes == 0;
}

/* ---- The verdict ------------------------------------------------------------------- */

void report_judge_device(struct run *run, const struct run_guest *guest)
{
	const struct device_state state = device_state(guest);

	if (state.in_use != 0)
		run_problem(run, "%s: %" PRIu32 " %s are in use at the end",
			    guest->endpoint_name, state.in_use,
			    guest->master != NULL ? "slots" : "credits");
	if (state.uprgi != 0)
		run_problem(run, "%s: %" PRIu64 " responses that it did not expect",
			    guest->endpoint_name, state.uprgi);
	if (guest->bad_resumes != 0)
		run_problem(run, "%s: %" PRIu64 " stalls were resumed that are none",
			    guest->endpoint_name, guest->bad_resumes);
	if (state.rf != 0)
		run_problem(run, "%s: a response failure", guest->endpoint_name);
}

/* Whoever builds tables as the agent does maps a page when it is asked for, never before:
 * an invalidation that is lost shows here. */
static void judge_faults(struct run *run, const struct run_guest *guest)
{
	uint64_t faults = counter(guest, MODEL_ENGINE_COUNTER_faults);
	uint64_t pages = counter(guest, MODEL_ENGINE_COUNTER_pages);

	if (faults < pages)
		run_problem(run, "%s: %" PRIu64 " faults for %" PRIu64 " pages touched",
			    guest->name, faults, pages);
}

static void judge_data(struct run *run, const struct run_guest *guest)
{
	if (guest->crc_differs)
		run_problem(run,
			    "%s: checksum 0x%08" PRIx32 ", the file's is 0x%08" PRIx32,
			    guest->name, guest->crc, run->file_crc);
	if (guest->bad_passes > 0)
		run_problem(run, "%s: %" PRIu64 " of %" PRIu64 " jobs went wrong",
			    guest->name, guest->bad_passes, guest->passes);
	if (guest->crc_passes == 0 && run->signal == 0)
		run_problem(run, "%s: it never had the whole file", guest->name);
	if (device_state(guest).faults < run->options.faults && run->signal == 0)
		run_problem(run, "%s: %" PRIu64 " faults of %" PRIu64, guest->name,
			    device_state(guest).faults, run->options.faults);
}

static void judge_acts(struct run *run, const struct run_guest *guest)
{
	for (unsigned i = 0; i < HOSTILE_ACT_COUNT && run->signal == 0; i++)
		if (guest->acts[i] == 0 && hostile_can(guest->combination->guest, i))
			run_problem(run, "%s: never tried %s", guest->name,
				    hostile_name(i));
}

static void judge_guest(struct run *run, const struct run_guest *guest)
{
	report_judge_device(run, guest);
	if (!guest->let_go || !iopf_host_guest_over(guest->machine->host, guest->id))
		run_problem(run, "%s: the host did not come to an end with it",
			    guest->name);
	if (report_data(guest) >= 0)
		judge_data(run, guest);
	if (guest->character == CHARACTER_hostile)
		judge_acts(run, guest);
	else
		judge_faults(run, guest);
	if (guest->character == CHARACTER_killed && !guest->shot && run->signal == 0)
		run_problem(run, "%s: the moment to kill it never came", guest->name);
}

void report_judge_invariants(struct run *run)
{
	const struct sim_check_result judged = watch_judged(run);

	for (unsigned i = 0; i < SIM_INVARIANT_COUNT; i++) {
		const struct sim_check_result result =
			watch_result(run, (enum sim_invariant)i);

		if (result.violations > 0)
			run_problem(run, "%s, %" PRIu64 " times, first: %s",
				    sim_invariant_name((enum sim_invariant)i),
				    result.violations, result.first);
	}
	if (judged.violations > 0)
		run_problem(run, "a rule was broken %" PRIu64 " times, first: %s",
			    judged.violations, judged.first);
}

static void judge_noise(struct run *run)
{
	const struct noise noise = noise_of(run);

	if (noise.neighbours == 0 || run->signal != 0)
		return;
	if (!noise.heard)
		run_problem(run, "the noisy one's neighbours were not seen often enough");
	else if (noise.ratio > noise.limit)
		run_problem(run, "beside the noisy one others wait %.2f times as long, "
				 "limit %.1f", noise.ratio, noise.limit);
}

static void judge_stalls(struct run *run, const struct run_machine *machine)
{
	uint32_t stalled = model_iommu_stalled(machine->iommu, IOPF_NO_ID);

	if (stalled != 0)
		run_problem(run, "%s: %" PRIu32 " transactions are stalled at the end",
			    machine->family, stalled);
}

void report_judge(struct run *run)
{
	for (uint32_t i = 0; i < run->machine_count; i++)
		judge_stalls(run, &run->machines[i]);
	judge_noise(run);
	report_judge_invariants(run);
	for (uint32_t i = 0; i < run->guest_count; i++)
		judge_guest(run, &run->guests[i]);
}

/* ---- Tables ------------------------------------------------------------------------ */

static void print_head(const struct run *run)
{
	printf("%s: %" PRIu64 " bytes, CRC-32C 0x%08" PRIx32 "; %.1f s\n", run->file_name,
	       run->layout.file_bytes, run->file_crc,
	       (double)(run->stopped_ns - run->begun_ns) / 1e9);
}

/* At most eight columns: microseconds, or more where they are many. */
static void print_time(uint64_t ns)
{
	if (ns < UINT64_C(100000000))
		printf(" %8.1f", (double)ns / 1e3);
	else
		printf(" %7.2fs", (double)ns / 1e9);
}

static void print_data(const struct run_guest *guest)
{
	int data = report_data(guest);

	if (data < 0)
		printf("  -\n");
	else
		printf("  0x%08" PRIx32 " %s\n", guest->crc, data > 0 ? "ok" : "WRONG");
}

/* Behind which IOMMU each device is, how it pages, and what its guest sees. */
static void print_places(const struct run *run)
{
	printf("\n%-10s %-8s %-9s %-9s %-9s %9s\n", "guest", "endpoint", "behind", "sees",
	       "pages by", "share");
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		const struct run_combination *on = guest->combination;

		printf("%-10s %-8s %-9s %-9s %-9s %3" PRIu32 " %s\n", guest->name,
		       guest->endpoint_name, on->host, on->guest, choice_mechanism(on),
		       device_state(guest).allocation,
		       on->mechanism == IOPF_STALLS ? "slots" : "credits");
	}
}

static void print_guests(const struct run *run)
{
	static const uint32_t per_mille[] = { 500, 990, 999 };

	printf("\n%-10s %8s %8s %8s %8s %8s %8s  %s\n", "guest", "faults", "MiB",
	       "p50 us", "p99", "p99.9", "max", "CRC-32C");
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];

		printf("%-10s %8" PRIu64 " %8.1f", guest->name,
		       counter(guest, MODEL_ENGINE_COUNTER_faults),
		       (double)counter(guest, MODEL_ENGINE_COUNTER_bytes) / (1 << 20));
		for (size_t k = 0; k < CLI_COUNT(per_mille); k++)
			print_time(histogram_quantile(&guest->latency, per_mille[k]));
		print_time(guest->latency.max);
		print_data(guest);
	}
}

void report_endpoints(const struct run *run)
{
	printf("\n%-8s %-10s %8s %8s %8s %8s %7s %5s %3s\n", "endpoint", "guest", "pages",
	       "success", "invalid", "failure", "credits", "UPRGI", "RF");
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		const struct device_state state = device_state(guest);

		printf("%-8s %-10s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		       " %7" PRIu32 " %5" PRIu64 " %3" PRIu64 "\n",
		       guest->endpoint_name, guest->name,
		       counter(guest, MODEL_ENGINE_COUNTER_pages),
		       guest->responses[IOPF_SUCCESS], guest->responses[IOPF_INVALID],
		       guest->responses[IOPF_FAILURE], state.in_use,
		       state.uprgi, state.rf);
	}
}

void report_refusals(const struct run *run)
{
	printf("\n%-10s %9s %9s %9s %9s %9s\n", "refused", "unknown", "duplicate",
	       "stale", "foreign", "malformed");
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		struct report_refused refused = report_refused(guest);

		if (report_refused_sum(&refused) == 0)
			continue;
		printf("%-10s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
		       " %9" PRIu64 "\n",
		       guest->name, refused.unknown, refused.duplicate, refused.stale,
		       refused.foreign, refused.malformed);
	}
}

/* Words of a list, in lines of at most 80 columns, under each other. */
struct words {
	int column, first;
};

static void print_word(struct words *words, const char *name, uint64_t count)
{
	char text[64];
	int length = snprintf(text, sizeof(text), " %s %" PRIu64, name, count);

	if (words->column + length > 80) {
		printf("\n%*s", words->first, "");
		words->column = words->first;
	}
	fputs(text, stdout);
	words->column += length;
}

void report_endings(const struct run *run)
{
	printf("\nendings of groups\n");
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		const uint64_t *counters = machine_endpoint_row(guest)->counter;
		struct words words = { 10, 10 };

		printf("%-10s", guest->name);
		for (unsigned k = 0; k < IOPF_ENDING_COUNT; k++)
			if (counters[iopf_ending_counter((enum iopf_ending)k)] > 0)
				print_word(&words, iopf_ending_name((enum iopf_ending)k),
					   counters[iopf_ending_counter((enum iopf_ending)k)]);
		if (guest->shot)
			printf("; killed with %" PRIu32 " groups, %" PRIu64
			       " bytes into a job",
			       guest->shot_groups, guest->shot_bytes);
		putchar('\n');
	}
}

static void print_acts(const struct run *run)
{
	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		struct words words = { 10, 10 };

		if (guest->character != CHARACTER_hostile)
			continue;
		printf("\n%-10s", guest->name);
		for (unsigned k = 0; k < HOSTILE_ACT_COUNT; k++)
			if (hostile_can(guest->combination->guest, k))
				print_word(&words, hostile_name(k), guest->acts[k]);
		putchar('\n');
	}
}

static void print_neighbour(const char *name, const struct histogram beside[2])
{
	printf("%-10s", name);
	for (unsigned k = 0; k < 2; k++)
		print_time(histogram_quantile(&beside[k], 500));
	printf(" %8.2f\n", (double)histogram_quantile(&beside[1], 500) /
				   (double)histogram_quantile(&beside[0], 500));
}

static void print_noise(const struct run *run)
{
	const struct noise noise = noise_of(run);

	for (uint32_t i = 0; i < run->guest_count; i++) {
		const struct run_guest *guest = &run->guests[i];
		uint64_t refused, groups;

		if (guest->character != CHARACTER_noisy)
			continue;
		groups = noise_groups(guest, &refused);
		printf("\n%s: %" PRIu64 " of %" PRIu64 " groups refused, above its share: "
		       "%.1f %%\n",
		       guest->name, refused, groups,
		       groups > 0 ? 100 * (double)refused / (double)groups : 0.0);
	}
	if (noise.neighbours == 0)
		return;
	printf("%-10s %8s %8s %8s\n", "beside it", "idle us", "busy us", "ratio");
	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].beside[0].count > 0 && run->guests[i].beside[1].count > 0)
			print_neighbour(run->guests[i].name, run->guests[i].beside);
	if (noise.heard)
		print_neighbour("all", noise.beside);
}

static void print_pools(const struct run *run)
{
	for (uint32_t i = 0; i < run->machine_count; i++) {
		const struct run_machine *machine = &run->machines[i];
		struct model_iommu_stats stats = model_iommu_stats(machine->iommu);

		if (stats.stalled > 0)
			printf("%s: %" PRIu64 " stalls, %" PRIu64 " terminated; %" PRIu32
			       " slots in use now\n",
			       machine->family, stats.stalled, stats.terminated,
			       model_iommu_stalled(machine->iommu, IOPF_NO_ID));
	}
}

void report_invariants(const struct run *run)
{
	const struct sim_check_result judged = watch_judged(run);

	printf("\n%-4s %12s %11s  %s\n", "", "checked", "violations", "what holds");
	for (unsigned i = 0; i < SIM_INVARIANT_COUNT; i++) {
		const struct sim_check_result result =
			watch_result(run, (enum sim_invariant)i);

		printf("%-4s %12" PRIu64 " %11" PRIu64 "  %s\n",
		       sim_invariant_name((enum sim_invariant)i), result.checked,
		       result.violations, sim_invariant_text((enum sim_invariant)i));
	}
	printf("%-4s %12" PRIu64 " %11" PRIu64 "  the rules of the interfaces: iopf judge "
	       "--rules\n",
	       "J", judged.checked, judged.violations);
}

void report_text(const struct run *run)
{
	print_head(run);
	print_places(run);
	print_guests(run);
	report_endpoints(run);
	report_refusals(run);
	report_endings(run);
	print_noise(run);
	print_pools(run);
	print_acts(run);
	report_invariants(run);
	putchar('\n');
	for (uint32_t i = 0; i < CLI_MIN(run->problem_count, RUN_PROBLEM_MAX); i++)
		printf("NOT SO: %s\n", run->problems[i]);
	printf("%s\n", run->problem_count == 0 ? "everything holds" : "it does not hold");
}
