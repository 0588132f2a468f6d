/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/loop.c - what rings, in turn: guests' doorbells, ends of processes, signals, time.
 *
 *   WORK ---> STOPPING ---> ENDING ---> OVER
 *
 *   WORK      until the time is over and what was promised was seen, or a signal
 *   STOPPING  guests were told; they put things away and end
 *   ENDING    who is left is killed; the host ends what they held
 *   OVER      nothing moves any more
 *
 * Whatever a guest does, it costs a turn its budget and no more.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/hostile.h"
#include "cli/port.h"
#include "cli/run.h"

enum {
	BUDGET = 64, /* messages of a guest, a turn */
	EVENTS = 64,
	IDLE_MS = 20, /* the longest sleep: a lost wakeup costs no more */
	QUIET_TURNS = 8,
};

static const uint64_t second_ns = 1000000000;

/* How long after its time a run waits for what was promised; how long guests have to put
 * things away; how long the host has to end what is left. */
#define PROMISES_NS (60 * second_ns)
#define STOPPING_NS (3 * second_ns)
#define ENDING_NS   (10 * second_ns)

/* A process that ends closes its door a moment before. */
#define EXPEL_NS (second_ns / 10)

/* ---- Names of what rings ----------------------------------------------------------- */

enum ring { RING_SIGNAL, RING_PORT, RING_PROCESS };

static uint64_t ring_name(enum ring ring, uint32_t number)
{
	return (uint64_t)ring << 32 | number;
}

static int ring_add(struct run *run, int descriptor, uint64_t name)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = name };

	return epoll_ctl(run->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

static void phase_enter(struct run *run, enum run_phase phase)
{
	run->phase = (uint8_t)phase;
	run->phase_ns = run->now_ns;
	if (phase == RUN_PHASE_STOPPING)
		run->stopped_ns = run->now_ns;
}

static void on_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	run->signal = (int)info.ssi_signo;
	/* Once more: now. */
	phase_enter(run,
		    run->phase == RUN_PHASE_WORK ? RUN_PHASE_STOPPING : RUN_PHASE_ENDING);
}

/* ---- What a guest says ------------------------------------------------------------- */

static void reply(struct run_guest *guest, const struct port_message *to, uint64_t value)
{
	const struct port_message message = { .kind = PORT_reply,
					      .value = value,
					      .tag = to->tag };

	guest->dropped += !port_put(guest->port, &message);
}

static void on_read(struct run_guest *guest, const struct port_message *message)
{
	reply(guest, message,
	      iopf_host_guest_read(guest->machine->host, guest->id, message->offset,
				   message->width));
}

static void on_write(struct run_guest *guest, const struct port_message *message)
{
	iopf_host_guest_write(guest->machine->host, guest->id, message->offset,
			      message->width, message->value);
}

static void on_device_read(struct run_guest *guest, const struct port_message *message)
{
	reply(guest, message,
	      model_engine_read(guest->engine, message->offset, message->width));
}

static void on_device_write(struct run_guest *guest, const struct port_message *message)
{
	model_engine_write(guest->engine, message->offset, message->width,
			   message->value);
}

static void on_pass(struct run_guest *guest, const struct port_message *message)
{
	bool crc = message->extra & PORT_FOUND_CRC;

	guest->passes++;
	guest->bad_passes += !(message->extra & PORT_FOUND_GOOD);
	if (!crc)
		return;
	guest->crc_passes++;
	if (guest->crc_differs)
		return; /* the first wrong one is what is told */
	guest->crc = (uint32_t)message->tag;
	guest->crc_differs = guest->crc != guest->run->file_crc;
}

static void on_act(struct run_guest *guest, const struct port_message *message)
{
	if (message->offset >= HOSTILE_ACT_COUNT)
		return;
	guest->acts[message->offset] = message->value;
	if (message->tag == 0)
		run_problem(guest->run, "%s: %s was not refused", guest->name,
			    hostile_name(message->offset));
	record_hostile(guest, message->offset, message->value);
}

static void on_bye(struct run_guest *guest, const struct port_message *message)
{
	(void)message;
	guest->bye = true;
}

static void (*const on_message[PORT_KIND_COUNT])(struct run_guest *guest,
						 const struct port_message *message) = {
	[PORT_read] = on_read,
	[PORT_write] = on_write,
	[PORT_device_read] = on_device_read,
	[PORT_device_write] = on_device_write,
	[PORT_pass] = on_pass,
	[PORT_act] = on_act,
	[PORT_bye] = on_bye,
};

/* Nobody is at the other end any more. Most often the end of its process follows. */
static void door_closed(struct run_guest *guest)
{
	epoll_ctl(guest->run->epoll, EPOLL_CTL_DEL, guest->port, NULL);
	guest->readable = false;
	guest->hung_up_ns = guest->run->now_ns;
}

static uint32_t guest_listen(struct run_guest *guest)
{
	struct port_message message;
	uint32_t count = 0;

	while (guest->readable && guest->life == RUN_LIFE_ALIVE && count < BUDGET) {
		int got = port_take(guest->port, &message);

		if (got == 0)
			guest->readable = false;
		else if (got == -ENODATA && guest->hung_up)
			door_closed(guest);
		else if (got == 1)
			on_message[message.kind](guest, &message);
		else
			guest->garbage++;
		count += got != 0;
	}
	guest->messages += count;
	return count;
}

/* ---- What rings -------------------------------------------------------------------- */

/* What it sent before it ended: no more than its end of the doorbell holds. */
static void last_words(struct run_guest *guest)
{
	enum { TURNS = 64 };

	guest->readable = guest->hung_up = true;
	for (unsigned i = 0; i < TURNS && guest_listen(guest) > 0; i++)
		;
}

static void tell_death(const struct run_guest *guest)
{
	int status = guest->exit_status;

	if (WIFSIGNALED(status))
		cli_error("%s: its process was killed by signal %d (%s)", guest->name,
			  WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		cli_error("%s: its process ended by itself with code %d", guest->name,
			  WEXITSTATUS(status));
}

/* Its process has ended. What it held is ended by the host from here on. */
static void on_death(struct run_guest *guest)
{
	struct run *run = guest->run;
	bool expected;

	last_words(guest);
	expected = guest->life == RUN_LIFE_DYING || guest->bye;
	epoll_ctl(run->epoll, EPOLL_CTL_DEL, guest->process, NULL);
	epoll_ctl(run->epoll, EPOLL_CTL_DEL, guest->port, NULL);
	process_reap(guest);
	guest->readable = false;
	if (!expected) {
		live_erase(run);
		tell_death(guest);
		run_problem(run, "%s: its process ended before it was told to",
			    guest->name);
	}
	if (!guest->let_go) {
		iopf_host_guest_gone(guest->machine->host, guest->id);
		guest->let_go = true;
	}
}

static void on_event(struct run *run, const struct epoll_event *event)
{
	struct run_guest *guest = &run->guests[(uint32_t)event->data.u64];

	switch ((enum ring)(event->data.u64 >> 32)) {
	case RING_SIGNAL:
		on_signal(run);
		break;
	case RING_PORT:
		guest->readable = true;
		guest->hung_up |= (event->events & (EPOLLHUP | EPOLLERR)) != 0;
		break;
	case RING_PROCESS:
		on_death(guest);
		break;
	}
}

static void look(struct run *run, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(run->epoll, events, EVENTS, timeout_ms);

	run->now_ns = cli_now_ns();
	for (int i = 0; i < count; i++)
		on_event(run, &events[i]);
}

/* ---- What is said to a guest ------------------------------------------------------- */

void loop_ring(struct run_guest *guest, uint32_t data)
{
	guest->vectors |= UINT32_C(1) << data % PORT_VECTOR_COUNT;
}

static void on_interrupt(struct run_guest *guest, uint64_t addr, uint32_t data)
{
	if (addr == PORT_INTERRUPT_ADDR)
		loop_ring(guest, data);
}

static void on_device_interrupt(struct run_guest *guest)
{
	loop_ring(guest, PORT_VECTOR_DEVICE);
}

const struct run_hooks loop_hooks = { .interrupt = on_interrupt,
				      .device_interrupt = on_device_interrupt };

/* A process that has closed its door and goes on is no guest any more. */
static void guest_expel(struct run_guest *guest)
{
	if (guest->life != RUN_LIFE_ALIVE || guest->hung_up_ns == 0 || guest->bye ||
	    guest->run->now_ns - guest->hung_up_ns < EXPEL_NS)
		return;
	run_problem(guest->run, "%s: closed its end of the doorbell", guest->name);
	process_kill(guest);
}

static void guest_tell(struct run_guest *guest)
{
	const struct port_message stop = { .kind = PORT_stop };
	const struct port_message interrupt = { .kind = PORT_interrupt,
						.value = guest->vectors };

	if (guest->life != RUN_LIFE_ALIVE)
		return;
	if (guest->vectors != 0 && port_put(guest->port, &interrupt))
		guest->vectors = 0;
	if (guest->run->phase != RUN_PHASE_WORK && !guest->stop_sent)
		guest->stop_sent = port_put(guest->port, &stop);
}

/* ---- The right moment -------------------------------------------------------------- */

static uint64_t job_done_bytes(const struct run_guest *guest)
{
	return model_engine_read(guest->engine, MODEL_ENGINE_JOBS + MODEL_JOB_DONE, 8);
}

/* It has to answer groups, and its device is in the middle of a job. */
static void guest_shoot(struct run_guest *guest)
{
	struct run *run = guest->run;
	uint32_t groups;

	if (guest->character != CHARACTER_killed || guest->life != RUN_LIFE_ALIVE ||
	    run->phase != RUN_PHASE_WORK || guest->passes == 0)
		return;
	groups = iopf_broker_gauge(iopf_host_broker(guest->machine->host),
				   guest->endpoint, IOPF_GAUGE_delivered);
	if (groups == 0 || !model_engine_busy(guest->engine) ||
	    job_done_bytes(guest) == 0)
		return;
	guest->shot = true;
	guest->shot_groups = groups;
	guest->shot_bytes = job_done_bytes(guest);
	sim_check_honest(guest->machine->check, guest->rid, false);
	record_kill(guest);
	process_kill(guest);
}

/* ---- The order of things ----------------------------------------------------------- */

static bool acts_done(const struct run_guest *guest)
{
	for (unsigned i = 0; i < HOSTILE_ACT_COUNT; i++)
		if (guest->acts[i] == 0 && hostile_can(guest->combination->guest, i))
			return false;
	return true;
}

/* What this guest is there to show was seen, or never will be. */
static bool promise_kept(const struct run_guest *guest)
{
	if (guest->life != RUN_LIFE_ALIVE)
		return guest->character != CHARACTER_killed ||
		       iopf_host_guest_over(guest->machine->host, guest->id);
	switch ((enum character)guest->character) {
	case CHARACTER_honest:
	case CHARACTER_slow:
		return guest->crc_passes > 0 &&
		       device_state(guest).faults >= guest->run->options.faults;
	case CHARACTER_hostile:
		return acts_done(guest);
	case CHARACTER_killed:
		return false;
	case CHARACTER_liar:
		return guest->passes > 0;
	case CHARACTER_noisy:
		return noise_heard(guest->run);
	case CHARACTER_silent:
		return iopf_broker_gauge(iopf_host_broker(guest->machine->host),
					 guest->endpoint, IOPF_GAUGE_delivered) > 0;
	case CHARACTER_COUNT:
		break;
	}
	return true;
}

static bool all(const struct run *run, bool (*holds)(const struct run_guest *guest))
{
	for (uint32_t i = 0; i < run->guest_count; i++)
		if (!holds(&run->guests[i]))
			return false;
	return true;
}

static bool is_dead(const struct run_guest *guest)
{
	return guest->life == RUN_LIFE_DEAD;
}

static bool is_over(const struct run_guest *guest)
{
	return iopf_host_guest_over(guest->machine->host, guest->id) &&
	       device_state(guest).in_use == 0;
}

static void kill_all(struct run *run)
{
	for (uint32_t i = 0; i < run->guest_count; i++)
		process_kill(&run->guests[i]);
}

static void phase_go_on(struct run *run)
{
	uint64_t age_ns = run->now_ns - run->phase_ns;

	switch ((enum run_phase)run->phase) {
	case RUN_PHASE_WORK:
		if (run->now_ns >= run->end_ns &&
		    (all(run, promise_kept) || run->now_ns - run->end_ns > PROMISES_NS))
			phase_enter(run, RUN_PHASE_STOPPING);
		break;
	case RUN_PHASE_STOPPING:
		if (all(run, is_dead) || age_ns > STOPPING_NS)
			phase_enter(run, RUN_PHASE_ENDING);
		break;
	case RUN_PHASE_ENDING:
		kill_all(run);
		if ((all(run, is_dead) && all(run, is_over)) || age_ns > ENDING_NS)
			phase_enter(run, RUN_PHASE_OVER);
		break;
	case RUN_PHASE_OVER:
		break;
	}
}

static int sleep_ms(const struct run *run)
{
	uint64_t next_ns = CLI_MIN(machines_next_ns(run), live_next_ns(run));

	if (run->phase == RUN_PHASE_WORK)
		next_ns = CLI_MIN(next_ns, run->end_ns);
	if (next_ns <= run->now_ns)
		return 1;
	return (int)CLI_MIN((next_ns - run->now_ns) / 1000000 + 1, (uint64_t)IDLE_MS);
}

/* Everybody once; who is first changes. Returns: how much was done. */
static uint32_t turn(struct run *run)
{
	uint32_t done = 0;

	assert(run->guest_count > 0);
	for (uint32_t i = 0; i < run->guest_count; i++) {
		struct run_guest *guest =
			&run->guests[(run->first_guest + i) % run->guest_count];

		done += guest_listen(guest);
	}
	run->first_guest = (run->first_guest + 1) % run->guest_count;
	done += machines_turn(run);
	for (uint32_t i = 0; i < run->guest_count; i++) {
		guest_tell(&run->guests[i]);
		guest_expel(&run->guests[i]);
		guest_shoot(&run->guests[i]);
	}
	return done;
}

void loop_run(struct run *run)
{
	uint32_t quiet = 0;

	run->begun_ns = run->now_ns = cli_now_ns();
	run->end_ns = run->begun_ns + run->options.seconds_ns;
	phase_enter(run, RUN_PHASE_WORK);
	while (run->phase != RUN_PHASE_OVER || quiet < QUIET_TURNS) {
		quiet = turn(run) == 0 ? quiet + 1 : 0;
		phase_go_on(run);
		noise_go_on(run);
		live_draw(run);
		look(run, quiet == 0 || run->phase == RUN_PHASE_OVER ? 0 : sleep_ms(run));
		/* Something may go on forever; the end does not wait for that. */
		if (run->phase == RUN_PHASE_OVER &&
		    run->now_ns - run->phase_ns > second_ns)
			break;
	}
	for (uint32_t i = 0; i < run->machine_count; i++)
		watch_over(&run->machines[i]);
	live_erase(run);
}

/* ---- Create and destroy ------------------------------------------------------------ */

int loop_create(struct run *run)
{
	sigset_t set;
	int error = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run->signals < 0 || run->epoll < 0)
		error = -errno;
	if (error == 0)
		error = ring_add(run, run->signals, ring_name(RING_SIGNAL, 0));
	for (uint32_t i = 0; error == 0 && i < run->guest_count; i++) {
		error = ring_add(run, run->guests[i].port, ring_name(RING_PORT, i));
		if (error == 0)
			error = ring_add(run, run->guests[i].process,
					 ring_name(RING_PROCESS, i));
	}
	if (error == 0)
		return CLI_OK;
	cli_error("the event loop cannot be set up: %s", strerror(-error));
	return CLI_MISSING;
}

void loop_destroy(struct run *run)
{
	if (run->epoll >= 0)
		close(run->epoll);
	if (run->signals >= 0)
		close(run->signals);
}
