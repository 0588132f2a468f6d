/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/sv_nested.h - RISC-V's two stages together: the first stage's tables, and what leads
 * to them, lie at guest-physical addresses; each entry that is loaded, and the address at
 * the end, goes through the second stage. (RISC-V Privileged Architecture, "Two-Stage
 * Address Translation") So what is missing may be the guest's to mend, or the host's.
 */
#ifndef TABLE_SV_NESTED_H
#define TABLE_SV_NESTED_H

#include "table/sv.h"

/* Where the tables are, and how to read them. A stage of 0 levels is bare. */
struct sv_stages {
	uint64_t first_root, second_root;
	struct sv_format first, second;
};

/* What a walk found, or what it ends with. What is not named is 0. */
struct sv_nested {
	uint64_t addr;       /* as memory has it */
	uint64_t size_bytes; /* of the smaller page of both stages */
	uint64_t gpa;     /* between the stages, to the byte: what @addr was, or what missed */
	uint8_t perm;     /* rights that both stages grant */
	uint8_t gpa_perm; /* a fault of the second stage: the access that was wanted there */
	uint8_t stage;    /* whose fault it is: 1, 2; 0: neither */
	uint8_t fault;    /* enum table_fault of that stage */
	bool implicit;    /* in the second stage, on the way: not for the data */
	struct table_result first, second; /* each stage's last walk, where it was walked */
};

/* What lies behind the first stage: the second one; or, with @need, somebody who is told
 * what would be looked up there, while nothing is written. */
struct sv_second {
	const struct sv_stages *stages;
	const struct iopf_memory *memory; /* what no stage translates further */
	bool update; /* accessed and dirty bits are set as the formats say */
	table_need *need;
	void *context;
	uint64_t gpa; /* of the last walk, */
	uint8_t perm; /* its access, */
	struct table_result last; /* and what it found */
};

/* How what leads to the first stage is reached. */
struct table_space sv_second_space(struct sv_second *second);
/* Something there is not: told in @result. @implicit as there. Returns: false. */
bool sv_second_missed(const struct sv_second *second, bool implicit,
		      struct sv_nested *result);

/* Translate @addr for @perm. Returns: true, or false: stage, fault, gpa tell. */
bool sv_nested_walk(struct sv_second *second, uint64_t addr, uint8_t perm,
		    struct sv_nested *result);

#endif
