/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve.h - `iopf serve`, inside: what a virtual machine of somebody else's (QEMU)
 * reaches through one window of registers, and one process that plays all of it.
 *
 *   serve.c           options, the order of things, the verdict
 *   serve_child.c     memory, sockets, the program that is started
 *   serve_loop.c      what rings, in turn, until the end
 *   serve_window.c    which register of the window is whose
 *   serve_memory.c    what lies behind functions' BARs
 *   serve_guest.c     machine A: the host side of this library; the program is its guest
 *   serve_house.c     what A and C have in common
 *   serve_stream.c    machine C: as A, with an SMMUv3, on another architecture
 *   shared.c          registers that are memory of the machine: C's
 *   serve_hardware.c  machine B: models alone; the program is the host
 *   serve_bench.c     what testers need beyond a device
 *   serve_report.c    the end
 *   proxy.c, qtest.c  the two protocols of QEMU that it speaks
 *
 * The window, as docs/formats.md has it:
 *
 *   +0x000000  64 KiB  registers of VT-d
 *   +0x100000   1 MiB  configuration space (ECAM) of bus 0 of PCI segment 1
 *   +0x200000   2 MiB  memory of that segment: where its BARs are put
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

#include "cli/proxy.h"
#include "cli/qtest.h"
#include "iopf/wire.h"
#include "model/engine.h"

enum serve_window {
	SERVE_REGISTERS = 0x000000,
	SERVE_REGISTERS_BYTES = 0x010000,
	SERVE_ECAM = 0x100000,
	SERVE_ECAM_BYTES = 0x100000,
	SERVE_MEMORY = 0x200000,
	SERVE_MEMORY_BYTES = 0x200000,
	SERVE_WINDOW_BYTES = 0x400000,
};

enum serve_limits {
	SERVE_FUNCTION_MAX = 2,
	SERVE_BAR_BYTES = 0x10000, /* of each function: engine, and from */
	SERVE_BENCH = 0x8000,      /* here on the bench */
	SERVE_WORD_MAX = 256,      /* of the program's command line */
	SERVE_PROBLEM_MAX = 32,
};

/* What the program says at its end, by isa-debug-exit: it ends with 2 * value + 1. */
enum serve_verdict {
	SERVE_YES = 0x10,
	SERVE_NO = 0x11,
};

struct serve_options {
	const char *record, *broken;
	const char *words[SERVE_WORD_MAX + 1]; /* the program and its arguments */
	size_t word_count;
	uint64_t memory_mib, window, levels, functions, seconds_ns;
	bool vtd, smmuv3, as_hardware, json;
};

struct serve;

/* A machine that is played: what the window leads to. */
struct serve_machine_ops {
	const char *name; /* "guest", "hardware", "stream": what the program is, or has */
	uint64_t memory_base; /* where its memory begins, as it sees it */
	/* Returns: an exit code; what failed was said. */
	int (*create)(struct serve *serve);
	/* After a create that failed, too. */
	void (*destroy)(struct serve *serve);
	/* The window. A machine that has none leaves this part out.
	 * Registers of VT-d: @width_bytes 1, 2, 4 or 8. */
	uint64_t (*register_read)(struct serve *serve, uint32_t offset,
				  uint32_t width_bytes);
	void (*register_write)(struct serve *serve, uint32_t offset, uint32_t width_bytes,
			       uint64_t value);
	/* Configuration space, as the program sees it: @width_bytes 1, 2, 4, aligned. All
	 * ones where there is no function @rid. */
	uint32_t (*config_read)(struct serve *serve, uint32_t rid, uint32_t offset,
				uint32_t width_bytes);
	void (*config_write)(struct serve *serve, uint32_t rid, uint32_t offset,
			     uint32_t width_bytes, uint32_t value);
	/* Let everything work once. Returns: how much was done. */
	uint32_t (*turn)(struct serve *serve, uint64_t now_ns);
	/* When it wants its next turn; UINT64_MAX: when something rings. */
	uint64_t (*next_ns)(const struct serve *serve);
	/* The program has ended: what it held is to be let go. */
	void (*gone)(struct serve *serve);
	/* And nothing of it is under way any more. */
	bool (*over)(const struct serve *serve);
	/* What does not hold: serve_problem(). */
	void (*judge)(struct serve *serve);
	/* What it did, for people, and as members of @json. */
	void (*report)(const struct serve *serve);
	void (*report_json)(const struct serve *serve, json_t *json);
};

extern const struct serve_machine_ops serve_guest, serve_hardware, serve_stream;

/* A function of segment 1; filled by the machine, freed by it. */
struct serve_function {
	uint32_t rid;
	struct model_function *function;
	struct model_engine *engine;
	struct bench *bench; /* or NULL */
};

enum serve_phase {
	SERVE_PHASE_WORK,
	SERVE_PHASE_STOPPING, /* the program was told to end */
	SERVE_PHASE_ENDING,   /* it has; what it held is being let go */
	SERVE_PHASE_OVER,
};

struct serve {
	struct serve_options options;
	const struct serve_machine_ops *machine;
	void *state; /* the machine's own */
	struct serve_function functions[SERVE_FUNCTION_MAX];
	uint32_t function_count;

	/* The program's memory, as it sees it. */
	int memory_descriptor;
	struct iopf_segment segment;
	struct iopf_memory memory;

	struct proxy proxy;
	struct qtest qtest;
	int proxy_other, qtest_other; /* the program's ends, until it has them */

	pid_t pid;          /* 0: not started, or reaped */
	int process;        /* descriptor of the process */
	int exit_status;    /* of waitpid() */
	uint64_t said;      /* enum serve_verdict, where the machine has no port for it */
	bool ended;         /* it was reaped */
	bool stopped;       /* told to end by us, */
	bool killed;        /* and killed */

	int signals;
	int signal;    /* that ended it, or 0 */
	bool timed_out; /* --seconds did */
	bool misplaced; /* the window is not at --window */
	uint8_t phase; /* enum serve_phase */
	uint64_t begun_ns, ended_ns, phase_ns, now_ns;
	uint64_t window; /* where the firmware put it; 0: nowhere yet */

	char problems[SERVE_PROBLEM_MAX][256];
	uint32_t problem_count; /* may be more than are kept */
};

/* What does not hold; everything goes on. */
void serve_problem(struct serve *serve, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A message signalled interrupt, to the program. */
void serve_interrupt(struct serve *serve, uint64_t addr, uint32_t data);

/* ---- serve_child.c ----------------------------------------------------------------- */

/* Memory, sealed, and both sockets. Returns: an exit code; what failed was said. */
int serve_child_prepare(struct serve *serve);
int serve_child_start(struct serve *serve);
void serve_child_stop(struct serve *serve); /* told to end */
void serve_child_kill(struct serve *serve);
/* It has ended: its status is taken. */
void serve_child_reap(struct serve *serve);
void serve_child_close(struct serve *serve);

/* ---- serve_loop.c ------------------------------------------------------------------ */

/* Returns: an exit code; what failed was said. */
int serve_loop_create(struct serve *serve);
void serve_loop_run(struct serve *serve);
void serve_loop_destroy(struct serve *serve);

/* ---- serve_window.c ---------------------------------------------------------------- */

extern const struct proxy_ops serve_window_ops; /* the context is a struct serve */

/* ---- serve_memory.c ---------------------------------------------------------------- */

/* @addr as the program sees it; all ones, and nothing, where no BAR is. */
uint64_t serve_memory_read(struct serve *serve, uint64_t addr, uint32_t width_bytes);
void serve_memory_write(struct serve *serve, uint64_t addr, uint32_t width_bytes,
			uint64_t value);

/* ---- serve_report.c ---------------------------------------------------------------- */

void serve_report_judge(struct serve *serve);
void serve_report_text(const struct serve *serve);
/* Returns: an exit code. */
int serve_report_json(const struct serve *serve);

#endif
