/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_bench_state.h - what a bench is made of; for its own files: serve_bench.c is
 * what it sees, serve_bench_registers.c what software does with it.
 */
#ifndef CLI_SERVE_BENCH_STATE_H
#define CLI_SERVE_BENCH_STATE_H

#include "cli/serve_bench.h"
#include "tests/linux/bench.h"

struct bench_record {
	uint64_t word[BENCH_RECORD_BYTES / 8];
};

enum { REGISTER_COUNT = (BENCH_LOG_KINDS + 8) / 8 };

struct bench {
	struct bench_options options;
	struct model_function *function;
	struct model_engine *engine;
	struct bench_queue *queue;
	struct bench *next; /* of the same queue */
	uint64_t begun_ns;
	uint64_t silent_until_ns; /* it answers no invalidation before */
	uint64_t written[REGISTER_COUNT]; /* what software wrote, by offset / 8 */
	int64_t result;
	struct bench_counts counts;
	uint64_t logged;
	struct bench_record log[BENCH_LOG_MAX];
};

/* The word at @offset of the log's window. */
uint64_t bench_log_read(const struct bench *bench, uint32_t offset);
/* Interrupts of page requests leave again, the one that is held first. */
void bench_queue_let_go(struct bench_queue *queue);

#endif
