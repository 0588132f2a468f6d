/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/noise.c - a noisy guest's device works and rests in turn, so that what its
 * neighbours feel is seen with it and without it in one run.
 */
#include "cli/cli.h"
#include "cli/run.h"

#define MILLISECOND UINT64_C(1000000)

/* How long it works, and rests; what it held is over soon after. */
#define TURN_NS    (25 * MILLISECOND)
#define SETTLED_NS (5 * MILLISECOND)

/* At the median, of its neighbours' latencies with it and without. */
#define LIMIT 1.2

/* Fewer than so many tell nothing. */
enum { ENOUGH = 2000 };

bool noise_rests(const struct run_guest *guest)
{
	return guest->character == CHARACTER_noisy && !guest->run->noise;
}

/* Whether @guest is honest beside a noisy one: on the same machine. */
static bool is_neighbour(const struct run_guest *guest)
{
	const struct run *run = guest->run;

	for (uint32_t i = 0; i < run->guest_count; i++)
		if (run->guests[i].character == CHARACTER_noisy &&
		    run->guests[i].machine == guest->machine)
			return guest->character == CHARACTER_honest;
	return false;
}

void noise_add(struct run_guest *guest, uint64_t issued_ns, uint64_t age_ns)
{
	const struct run *run = guest->run;

	if (run->phase == RUN_PHASE_WORK && issued_ns > run->noise_ns + SETTLED_NS &&
	    is_neighbour(guest))
		histogram_add(&guest->beside[run->noise], age_ns);
}

void noise_go_on(struct run *run)
{
	if (run->phase != RUN_PHASE_WORK) {
		run->noise = true; /* it has to come to its end */
	} else if (run->now_ns - run->noise_ns >= TURN_NS) {
		run->noise = !run->noise;
		run->noise_ns = run->now_ns;
	}
}

struct noise noise_of(const struct run *run)
{
	struct noise noise = { .limit = LIMIT };

	for (uint32_t i = 0; i < run->guest_count; i++) {
		noise.neighbours += is_neighbour(&run->guests[i]);
		for (unsigned k = 0; k < 2; k++)
			histogram_merge(&noise.beside[k], &run->guests[i].beside[k]);
	}
	noise.heard = noise.beside[0].count >= ENOUGH && noise.beside[1].count >= ENOUGH;
	if (noise.heard)
		noise.ratio = (double)histogram_quantile(&noise.beside[1], 500) /
			      (double)histogram_quantile(&noise.beside[0], 500);
	return noise;
}

bool noise_heard(const struct run *run)
{
	const struct noise noise = noise_of(run);

	/* What other processes of the machine do is in it, too: more rounds even that out. */
	return (noise.heard && noise.ratio <= noise.limit) || noise.neighbours == 0;
}

uint64_t noise_groups(const struct run_guest *guest, uint64_t *refused)
{
	const uint64_t *counters = machine_endpoint_row(guest)->counter;
	uint64_t groups = 0;

	for (unsigned i = 0; i < IOPF_ENDING_COUNT; i++)
		groups += counters[iopf_ending_counter((enum iopf_ending)i)];
	*refused = counters[IOPF_COUNTER_ended_quota];
	return groups;
}
