/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_bench.h - the bench of a function (tests/linux/bench.h), and what it looks
 * at: the function's end of the link, and the queues that software sees.
 *
 * It is there before its function, which it looks at as an observer, and learns what it
 * belongs to when that is there.
 */
#ifndef CLI_SERVE_BENCH_H
#define CLI_SERVE_BENCH_H

#include "model/engine.h"
#include "queue/hardware.h"

struct bench;

/* The queues of one IOMMU, with a bench at each of its functions. */
struct bench_queue {
	struct iopf_hardware *hardware; /* VT-d; borrowed */
	struct hardware_observer observer;
	struct bench *first;
	uint64_t commands, responses, drains, interrupts;
	uint64_t held; /* interrupts of page requests: 0 or 1, a second says nothing more */
	bool holding;
};

/* What happened at the function's end of its link. */
struct bench_counts {
	uint64_t requests, markers; /* that left; markers are no requests */
	uint64_t responses, code[IOPF_CODE_COUNT];
	uint64_t unexpected; /* responses to nothing that waited */
	uint64_t invalidations;
	uint64_t resets;     /* function level */
};

struct bench_options {
	struct model_observer next; /* who looks on, too; all NULL: none */
	uint64_t (*now_ns)(void);
	bool break_invalidations;   /* they are acknowledged, and not carried out */
	/* BENCH_SHOWN and BENCH_BROKEN; NULL: there is no such thing. */
	uint64_t (*shown)(void *context);
	uint64_t (*broken)(void *context);
	void *context;
};

/* Returns: 0, -ENOMEM. */
int bench_create(const struct bench_options *options, struct bench **bench);
/* After its function and its queue. */
void bench_destroy(struct bench *bench);

/* For the options of its function. */
struct model_observer bench_observer(struct bench *bench);
/* What it belongs to; borrowed. */
void bench_connect(struct bench *bench, struct model_function *function,
		   struct model_engine *engine);
/* model_function_invalidate() of its function: struct model_downstream's. */
int bench_invalidate(void *bench, uint32_t pasid, uint64_t payload);

/* Look on at @hardware's queues, until that is no more. */
void bench_queue_create(struct bench_queue *queue, struct iopf_hardware *hardware);
/* Functions of it; a bench is at one queue. */
void bench_queue_add(struct bench_queue *queue, struct bench *bench);

const struct bench_counts *bench_counts(const struct bench *bench);

/* A memory request: @offset from BENCH_AT on, a multiple of @width_bytes, 4 or 8. */
uint64_t bench_read(const struct bench *bench, uint32_t offset, uint32_t width_bytes);
void bench_write(struct bench *bench, uint32_t offset, uint32_t width_bytes,
		 uint64_t value);

#endif
