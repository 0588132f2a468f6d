/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_loop.c - what rings, in turn: the program's accesses, its end, signals, time.
 *
 *   WORK ---> STOPPING ---> ENDING ---> OVER
 *     |                       ^
 *     +-----------------------+  the program ended by itself
 *
 *   WORK      until the program ends, or the time is over, or a signal, or it sends
 *             what is no message, or its firmware put the window elsewhere
 *   STOPPING  it was told to end; after a while it is killed
 *   ENDING    it has ended; the machine lets go what it held
 *   OVER      nothing moves any more
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/serve.h"

enum {
	BUDGET = 64, /* messages of the program, a turn */
	QUIET_TURNS = 8,
};

static const uint64_t second_ns = 1000000000;

/* How long the program has to end; how long the machine has to let go. */
#define STOPPING_NS (3 * second_ns)
#define ENDING_NS   (10 * second_ns)

static void phase_enter(struct serve *serve, enum serve_phase phase)
{
	if (phase == SERVE_PHASE_STOPPING)
		serve_child_stop(serve);
	if (phase == SERVE_PHASE_ENDING)
		serve->machine->gone(serve);
	serve->phase = (uint8_t)phase;
	serve->phase_ns = serve->now_ns;
}

static void stop(struct serve *serve)
{
	if (serve->phase == SERVE_PHASE_WORK)
		phase_enter(serve, SERVE_PHASE_STOPPING);
}

/* ---- What rings -------------------------------------------------------------------- */

static void on_signal(struct serve *serve)
{
	struct signalfd_siginfo info;

	if (read(serve->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	serve->signal = (int)info.ssi_signo;
	if (serve->phase == SERVE_PHASE_STOPPING)
		serve_child_kill(serve); /* once more: now */
	stop(serve);
}

static uint32_t proxy_turn(struct serve *serve)
{
	int count = proxy_serve(&serve->proxy, BUDGET);

	if (count == -EBADMSG) {
		serve_problem(serve, "the program sent what is no message of a proxied "
				     "device");
		stop(serve);
	}
	if (serve->misplaced)
		stop(serve);
	return count > 0 ? (uint32_t)count : 0;
}

/* What it sent before it ended was accessed by a machine that is no more. */
static void on_end(struct serve *serve)
{
	serve_child_reap(serve);
	serve->ended_ns = serve->now_ns;
	proxy_destroy(&serve->proxy);
	phase_enter(serve, SERVE_PHASE_ENDING);
}

enum ring { RING_PROXY, RING_QTEST, RING_PROCESS, RING_SIGNAL, RING_COUNT };

static void look(struct serve *serve, int timeout_ms)
{
	struct pollfd rings[RING_COUNT] = {
		[RING_PROXY] = { .fd = serve->proxy.socket, .events = POLLIN },
		[RING_QTEST] = { .fd = serve->qtest.socket,
				 .events = qtest_waits(&serve->qtest) ? POLLIN | POLLOUT :
									POLLIN },
		[RING_PROCESS] = { .fd = serve->ended ? -1 : serve->process,
				   .events = POLLIN },
		[RING_SIGNAL] = { .fd = serve->signals, .events = POLLIN },
	};

	(void)poll(rings, RING_COUNT, timeout_ms);
	serve->now_ns = cli_now_ns();
	if (rings[RING_SIGNAL].revents != 0)
		on_signal(serve);
	if (rings[RING_PROCESS].revents != 0)
		on_end(serve);
}

/* ---- The order of things ----------------------------------------------------------- */

static void phase_go_on(struct serve *serve)
{
	uint64_t age_ns = serve->now_ns - serve->phase_ns;

	switch ((enum serve_phase)serve->phase) {
	case SERVE_PHASE_WORK:
		if (serve->now_ns - serve->begun_ns < serve->options.seconds_ns)
			break;
		serve->timed_out = true;
		stop(serve);
		break;
	case SERVE_PHASE_STOPPING:
		if (age_ns > STOPPING_NS && !serve->killed)
			serve_child_kill(serve);
		break;
	case SERVE_PHASE_ENDING:
		if (serve->machine->over(serve) || age_ns > ENDING_NS)
			phase_enter(serve, SERVE_PHASE_OVER);
		break;
	case SERVE_PHASE_OVER:
		break;
	}
}

/* When a phase ends by itself; UINT64_MAX: never. */
static uint64_t phase_end_ns(const struct serve *serve)
{
	switch ((enum serve_phase)serve->phase) {
	case SERVE_PHASE_WORK:
		return serve->begun_ns + serve->options.seconds_ns;
	case SERVE_PHASE_STOPPING:
		return serve->killed ? UINT64_MAX : serve->phase_ns + STOPPING_NS;
	case SERVE_PHASE_ENDING:
		return serve->phase_ns + ENDING_NS;
	case SERVE_PHASE_OVER:
		break;
	}
	return UINT64_MAX;
}

static int sleep_ms(const struct serve *serve)
{
	uint64_t next_ns = CLI_MIN(serve->machine->next_ns(serve), phase_end_ns(serve));

	if (next_ns == UINT64_MAX)
		return -1;
	if (next_ns <= serve->now_ns)
		return 0;
	return (int)CLI_MIN((next_ns - serve->now_ns) / 1000000 + 1, (uint64_t)1000);
}

void serve_loop_run(struct serve *serve)
{
	uint32_t quiet = 0;

	serve->begun_ns = serve->now_ns = cli_now_ns();
	phase_enter(serve, SERVE_PHASE_WORK);
	while (serve->phase != SERVE_PHASE_OVER || quiet < QUIET_TURNS) {
		uint32_t done = proxy_turn(serve);

		done += serve->machine->turn(serve, serve->now_ns);
		done += qtest_go_on(&serve->qtest);
		quiet = done == 0 ? quiet + 1 : 0;
		phase_go_on(serve);
		look(serve, done > 0 || serve->phase == SERVE_PHASE_OVER ?
				    0 :
				    sleep_ms(serve));
		/* Something may go on forever; the end does not wait for that. */
		if (serve->phase == SERVE_PHASE_OVER &&
		    serve->now_ns - serve->phase_ns > second_ns)
			break;
	}
}

/* ---- Create and destroy ------------------------------------------------------------ */

int serve_loop_create(struct serve *serve)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	serve->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (serve->signals >= 0)
		return CLI_OK;
	cli_error("the event loop cannot be set up: %s", strerror(errno));
	return CLI_MISSING;
}

void serve_loop_destroy(struct serve *serve)
{
	if (serve->signals >= 0)
		close(serve->signals);
	serve->signals = -1;
}
