/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/run.h - `iopf run`, inside: one host's process with its IOMMU and devices, and the
 * guests' processes around it.
 *
 *   run.c      options, the file, the order of things, the verdict
 *   choice.c   who runs on what: families, mechanisms, characters
 *   machine.c  memory, IOMMU, host: what guests run on
 *   device.c   what a guest is given: a function or a platform master, and its share
 *   process.c  guests' memory and processes
 *   loop.c     what rings, in turn, until the end
 *   watch.c    what is seen at the functions' end, counted
 *   noise.c    what a noisy guest costs its neighbours
 *   record.c   the same in the event language
 *   live.c     a line a guest while it goes on
 *   report*.c  the end
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stdio.h>
#include <sys/types.h>

#include "base/histogram.h"
#include "cli/character.h"
#include "cli/layout.h"
#include "iopf/host.h"
#include "iopf/wire.h"
#include "model/engine.h"
#include "model/iommu.h"
#include "sim/check.h"

enum run_limits {
	RUN_GUEST_MAX = 64,
	RUN_SPACE_MAX = 16, /* of a guest: more than its agent wants */
	RUN_PASID_BITS = 16,
	RUN_STALL_SLOTS = 256, /* of an IOMMU; fewer, where a family has no more */
	RUN_STALL_SHARE = 16,  /* of a stream; less where there are many */
	RUN_NAME_MAX = 24,
	RUN_PROBLEM_MAX = 64,
};

struct run_options {
	const char *guests, *host, *guest, *record, *policy, *file;
	uint64_t seed, seconds_ns, faults;
	bool json, pri, stall, list;
};

/* What can meet: the IOMMU of a host, the one that a guest is shown, and how devices
 * page behind it. */
struct run_combination {
	const char *host, *guest;
	uint8_t mechanism; /* enum iopf_mechanism */
	uint8_t shown;     /* the guest's: stalls, where its family has them, too */
	bool pasids;       /* both know them */
};

/* How far a guest's process is. */
enum run_life {
	RUN_LIFE_NONE,
	RUN_LIFE_ALIVE,
	RUN_LIFE_DYING, /* killed, or closed its door: nothing it says counts any more */
	RUN_LIFE_DEAD,
};

struct run;
struct run_guest;

/* What becomes of interrupts, and how a device differs: of whoever has the loop. */
struct run_hooks {
	/* Of the guest's virtual IOMMU, as the guest wants it. */
	void (*interrupt)(struct run_guest *guest, uint64_t addr, uint32_t data);
	/* Of its device. */
	void (*device_interrupt)(struct run_guest *guest);
	/* Before they are made; or NULL. A platform master has no @function: NULL. */
	void (*adapt)(struct run_guest *guest, struct model_function_options *function,
		      struct model_engine_options *engine);
	/* Before it is plugged in; or NULL. */
	void (*plug)(struct run_guest *guest, struct model_downstream *downstream);
};

/* One IOMMU with its host, and the checkers beside them: what guests run on. */
struct run_machine {
	struct run *run;
	const char *family;
	uint32_t guest_count;
	struct iopf_segment segments[1 + RUN_GUEST_MAX];
	struct iopf_memory memory; /* host-physical */
	struct model_iommu *iommu;
	struct iopf_host *host;
	void *host_memory, *recorder_memory, *stats_memory;
	struct sim_check *check;
	uint64_t turns;
};

struct run_guest {
	struct run *run;
	struct run_machine *machine;
	const struct run_combination *combination;
	uint32_t number; /* from 0 */
	uint8_t character;
	uint8_t life;        /* enum run_life */
	bool readable;       /* its end of the doorbell has something */
	bool hung_up;        /* it closed that end, */
	uint64_t hung_up_ns; /* and that was read: then; 0: not yet */
	bool bye;            /* it said that it stopped */
	bool stop_sent;
	bool shot;   /* killed on purpose, at the right moment */
	bool let_go; /* the host was told that it is gone */
	char name[RUN_NAME_MAX];
	char endpoint_name[RUN_NAME_MAX];

	pid_t pid;
	int process; /* descriptor of the process */
	int port;
	int memory_descriptor;
	int exit_status; /* of waitpid() */

	void *memory;
	struct iopf_segment segment; /* guest-physical */
	struct model_function *function; /* or */
	struct model_master *master;
	struct model_engine *engine;
	void *guest_memory;
	uint32_t rid, guest_rid, id, endpoint, levels;
	uint32_t space_max; /* address spaces at once */
	const struct iopf_config_options *config; /* what it sees of its function; NULL:
						   * nothing */
	struct iopf_policy policy;

	uint32_t vectors;                    /* interrupts that wait */
	uint64_t messages, garbage, dropped; /* at its port */

	/* What its device's end of the link saw. */
	struct histogram latency;
	struct histogram beside[2]; /* of that: with the noisy one idle, at work */
	uint64_t responses[IOPF_CODE_COUNT];
	uint64_t bad_resumes; /* of tags that nothing is stalled under */
	uint64_t forced;      /* messages that its function was made to send, recorded */
	uint64_t terminated;  /* stalls that ended with their stream */

	/* What it says. */
	uint64_t passes, bad_passes, crc_passes;
	uint32_t crc;
	bool crc_differs;
	uint64_t acts[HOSTILE_ACT_COUNT];
	uint32_t shot_groups; /* it held when it was shot */
	uint64_t shot_bytes;  /* of the job that was under way */
};

enum run_phase {
	RUN_PHASE_WORK,
	RUN_PHASE_STOPPING, /* guests were told; they put things away */
	RUN_PHASE_ENDING,   /* those that are left are killed, and let go */
	RUN_PHASE_OVER,
};

struct run {
	struct run_options options;
	const struct run_hooks *hooks;
	void *context;       /* of hooks */
	const char *program; /* of recordings */
	struct layout layout;
	int file;
	const char *file_name;
	uint32_t file_crc;

	struct run_combination *combinations; /* that take part */
	uint32_t combination_count;
	struct run_machine *machines; /* one of each family of hosts that does */
	uint32_t machine_count;
	struct run_guest *guests;
	uint32_t guest_count;

	int epoll, signals;
	uint8_t phase; /* enum run_phase */
	int signal;    /* that ended it, or 0 */
	uint64_t begun_ns, end_ns, stopped_ns, phase_ns, now_ns;
	uint32_t first_guest; /* whose turn it is to be first */
	bool noise;        /* noisy devices work now, */
	uint64_t noise_ns; /* or do not, since then */

	struct record *record;
	struct live *live; /* or NULL: no terminal */

	char problems[RUN_PROBLEM_MAX][256];
	uint32_t problem_count; /* may be more than are kept */
};

/* What does not hold; the run goes on. */
void run_problem(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- choice.c ---------------------------------------------------------------------- */

/* Which combinations take part; who the guests are, and on which machine each is. False:
 * what is wrong was said. */
bool choice_combinations(struct run *run);
bool choice_guests(struct run *run);
bool choice_policies(struct run *run);
/* "pri" or "stall": how devices page, and how the guest is shown it. */
const char *choice_mechanism(const struct run_combination *combination);
const char *choice_shown(const struct run_combination *combination);
/* Every combination there is, for people; those that take part, a line each. */
void choice_help(void);
void choice_list(const struct run *run);

/* ---- machine.c --------------------------------------------------------------------- */

/* Every machine. Returns: an exit code; what failed was said. */
int machines_create(struct run *run);
void machines_destroy(struct run *run);
/* Let devices and hosts work once. Returns: how much was done. */
uint32_t machines_turn(struct run *run);
/* When a host wants its next turn. */
uint64_t machines_next_ns(const struct run *run);
/* Transactions that can be stalled in it. */
uint32_t machine_stall_slots(const struct run_machine *machine);
/* Entries of its request queue; 0: it has none. */
uint32_t machine_queue_entries(const struct run_machine *machine);
const struct iopf_stats_row *machine_owner_row(const struct run_guest *guest);
const struct iopf_stats_row *machine_endpoint_row(const struct run_guest *guest);
/* @size_bytes of memory aligned to 64. Returns: 0, -EINVAL (none wanted), -ENOMEM. */
int machine_memory(void **memory, size_t size_bytes);

/* ---- device.c ---------------------------------------------------------------------- */

/* Where a guest's memory begins, host-physical. */
#define DEVICE_GUEST_BASE(number) (((uint64_t)(number) + 1) << 32)

/* The device of @guest, plugged in, and the guest taken in by its host. Returns: 0 or a
 * negative errno. */
int device_create(struct run_guest *guest);
/* What firmware sets in a function, once more: it was reset. */
void device_prepare(struct run_guest *guest);

/* What the device itself says. */
struct device_state {
	uint64_t requests; /* page requests, or stalls */
	uint64_t faults;   /* pages that were not there when it wanted them */
	uint64_t uprgi, rf;
	uint32_t allocation, in_use; /* credits, or slots */
	bool pasid_in_response;
};
struct device_state device_state(const struct run_guest *guest);
void device_destroy(struct run_guest *guest);
/* Credits that its function wants, or slots that its stream gets. */
uint32_t device_share(const struct run_guest *guest);

/* ---- process.c --------------------------------------------------------------------- */

/* Memory for @guest, sealed, and mapped here. Returns: an exit code. */
int process_memory(struct run_guest *guest);
int process_start(struct run_guest *guest);
void process_kill(struct run_guest *guest);
/* The process has ended: its status is taken. */
void process_reap(struct run_guest *guest);
void process_close(struct run_guest *guest);

/* ---- loop.c ------------------------------------------------------------------------ */

/* Returns: an exit code; what failed was said. */
int loop_create(struct run *run);
void loop_run(struct run *run);
void loop_destroy(struct run *run);
/* An interrupt for @guest: it waits until there is room. */
void loop_ring(struct run_guest *guest, uint32_t data);
extern const struct run_hooks loop_hooks;

/* ---- watch.c ----------------------------------------------------------------------- */

/* Checkers of the invariants. Returns: 0 or a negative errno. */
int watch_create(struct run_machine *machine);
void watch_destroy(struct run_machine *machine);
/* Its groups are to be served whatever the others do. */
bool watch_honest(const struct run_guest *guest);
struct model_observer watch_observer(struct run_guest *guest);
struct model_stall_observer watch_stall_observer(struct run_machine *machine);
struct model_engine_hooks watch_hooks(struct run_guest *guest);
/* Of a host; the context is its machine. */
void watch_note(void *context, const struct iopf_note *note);
void watch_event(void *context, const struct iopf_event *event);
/* After each turn of the host; when nothing is open any more. */
void watch_turn(struct run_machine *machine);
void watch_over(struct run_machine *machine);
/* What the checkers of all machines found. */
struct sim_check_result watch_result(const struct run *run, enum sim_invariant invariant);
/* What the judges beside them found. */
struct sim_check_result watch_judged(const struct run *run);

/* ---- noise.c ----------------------------------------------------------------------- */

/* What neighbours of a noisy guest felt. */
struct noise {
	uint32_t neighbours;        /* honest ones on its machine */
	struct histogram beside[2]; /* their latencies while it rested, and worked */
	bool heard;                 /* often enough */
	double ratio, limit;        /* of the medians */
};

/* Its device does not work now. */
bool noise_rests(const struct run_guest *guest);
void noise_go_on(struct run *run);
/* A group of @guest's device was answered. */
void noise_add(struct run_guest *guest, uint64_t issued_ns, uint64_t age_ns);
struct noise noise_of(const struct run *run);
/* Enough is known: a run goes on, for a while, until it is. */
bool noise_heard(const struct run *run);
/* Groups of @guest that ended, and how many of them because it held its share. */
uint64_t noise_groups(const struct run_guest *guest, uint64_t *refused);

/* ---- record.c ---------------------------------------------------------------------- */

/* Returns: an exit code; what failed was said. */
int record_open(struct run *run);
void record_close(struct run *run);
void record_world(struct run *run);
void record_request(struct run_guest *guest, const struct iopf_request *request);
void record_response(struct run_guest *guest, const struct iopf_prg_response *response);
void record_resume(struct run_guest *guest, uint16_t tag, enum iopf_code code);
void record_note(struct run_machine *machine, const struct iopf_note *note);
void record_event(struct run_machine *machine, const struct iopf_event *event);
/* A stall ended with its stream. */
void record_dropped(struct run_guest *guest, uint16_t tag);
void record_reset(struct run_guest *guest, enum model_reset reset);
void record_kill(struct run_guest *guest);
void record_hostile(struct run_guest *guest, unsigned act, uint64_t count);

/* ---- live.c ------------------------------------------------------------------------ */

/* Lines on standard error where that is a terminal; otherwise nothing is done. */
void live_open(struct run *run);
void live_close(struct run *run);
void live_draw(struct run *run);
/* Before somebody else writes there. */
void live_erase(struct run *run);
/* When to draw again; UINT64_MAX: never. */
uint64_t live_next_ns(const struct run *run);

/* ---- report.c, report_json.c ------------------------------------------------------- */

/* What an owner was refused: at the guest's own queue, and in the ledger. */
struct report_refused {
	uint64_t unknown, duplicate, stale, foreign, malformed;
};
struct report_refused report_refused(const struct run_guest *guest);
uint64_t report_refused_sum(const struct report_refused *refused);
/* Its bytes are right, wrong, or (-1) not promised. */
int report_data(const struct run_guest *guest);

void report_judge(struct run *run);
/* Of that: what the function itself says at the end; what the checkers found. */
void report_judge_device(struct run *run, const struct run_guest *guest);
void report_judge_invariants(struct run *run);
void report_text(const struct run *run);
/* Tables of that. */
void report_endpoints(const struct run *run);
void report_refusals(const struct run *run);
void report_endings(const struct run *run);
void report_invariants(const struct run *run);
/* Returns: an exit code. */
int report_json(const struct run *run);

#endif
