/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/serve_house.h - what machines have in common whose program is a guest of this
 * library: the same as in `iopf run`, with one guest.
 */
#ifndef CLI_SERVE_HOUSE_H
#define CLI_SERVE_HOUSE_H

#include "cli/run.h"
#include "cli/serve.h"

/* The first member of such a machine's state. */
struct serve_house {
	struct run run;
	struct run_machine machine;
	struct run_guest guest;
	bool benched; /* what the device complains of is a tester's doing */
};

struct serve_house_options {
	struct run_combination combination;
	const struct run_hooks *hooks; /* their context is the struct serve */
	const char *endpoint_name;
	uint32_t rid; /* physical and as the guest sees it */
	uint32_t space_max;
	uint32_t levels; /* where --levels says nothing */
};

/* Nothing is made yet: record_open() and machines_create() do. */
void serve_house_prepare(struct serve *serve, const struct serve_house_options *options);

/* Rows of struct serve_machine_ops. */
uint32_t serve_house_turn(struct serve *serve, uint64_t now_ns);
uint64_t serve_house_next_ns(const struct serve *serve);
void serve_house_gone(struct serve *serve);
bool serve_house_over(const struct serve *serve);
void serve_house_judge(struct serve *serve);
void serve_house_report(const struct serve *serve);
void serve_house_report_json(const struct serve *serve, json_t *json);

#endif
