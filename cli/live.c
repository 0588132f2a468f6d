/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/live.c - a line a guest, redrawn in place while the run goes on. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"

#define PERIOD_NS UINT64_C(200000000)

/* A line that is too long for the terminal is cut off: each is one to go up. */
#define NO_WRAP "\x1b[?7l"
#define WRAP    "\x1b[?7h"

struct live {
	uint64_t drawn_ns;
	uint32_t lines;                 /* that stand above the cursor */
	uint64_t faults[RUN_GUEST_MAX]; /* as of drawn_ns */
};

void live_open(struct run *run)
{
	if (isatty(STDERR_FILENO))
		run->live = calloc(1, sizeof(*run->live));
}

void live_erase(struct run *run)
{
	if (run->live == NULL || run->live->lines == 0)
		return;
	fprintf(stderr, "\x1b[%" PRIu32 "A\x1b[J", run->live->lines);
	run->live->lines = 0;
}

void live_close(struct run *run)
{
	live_erase(run);
	free(run->live);
	run->live = NULL;
}

static uint32_t groups_open(const struct run_guest *guest)
{
	const struct iopf_broker *broker = iopf_host_broker(guest->machine->host);
	uint32_t count = 0;

	for (unsigned gauge = 0; gauge < IOPF_GAUGE_credits_in_use; gauge++)
		count += iopf_broker_gauge(broker, guest->endpoint,
					   (enum iopf_gauge)gauge);
	return count;
}

static const char *state_of(const struct run_guest *guest)
{
	if (guest->life == RUN_LIFE_ALIVE)
		return guest->run->phase == RUN_PHASE_WORK ? "" : "ends";
	return guest->shot ? "shot" : guest->bye ? "over" : "dead";
}

static void draw_guest(struct run *run, const struct run_guest *guest, double seconds)
{
	uint64_t faults =
		model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_faults);
	uint64_t bytes = model_engine_counter(guest->engine, MODEL_ENGINE_COUNTER_bytes);
	uint64_t *before = &run->live->faults[guest->number];
	struct report_refused refused = report_refused(guest);

	fprintf(stderr,
		"%-10s %8.1f MiB %8" PRIu64 " faults %6.0f/s %3" PRIu32 " open %6" PRIu64
		" refused %s\n",
		guest->name, (double)bytes / (1 << 20), faults,
		(double)(faults - *before) / seconds, groups_open(guest),
		report_refused_sum(&refused), state_of(guest));
	*before = faults;
	run->live->lines++;
}

/* What would scroll cannot be drawn over. */
static uint32_t lines_max(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
		return RUN_GUEST_MAX;
	return size.ws_row - 1u;
}

void live_draw(struct run *run)
{
	double seconds;
	uint32_t count;

	if (run->live == NULL || run->now_ns < live_next_ns(run))
		return;
	seconds = (double)(run->now_ns - run->live->drawn_ns) / 1e9;
	live_erase(run);
	count = CLI_MIN(run->guest_count, lines_max());
	fputs(NO_WRAP, stderr);
	for (uint32_t i = 0; i < count; i++)
		draw_guest(run, &run->guests[i], seconds);
	fputs(WRAP, stderr);
	fflush(stderr);
	run->live->drawn_ns = run->now_ns;
}

uint64_t live_next_ns(const struct run *run)
{
	return run->live != NULL ? run->live->drawn_ns + PERIOD_NS : UINT64_MAX;
}
