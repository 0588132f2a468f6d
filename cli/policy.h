/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/policy.h - what owners may hold and how long they have, as people write it:
 *
 *   [WHO.]KNOB=VALUE, separated by commas, or in a file, a line each; # begins a comment
 *
 * WHO is a guest's name or its character; without it the rule is for everybody. Later
 * rules win. The knobs are those of IOPF_POLICY_KNOBS.
 */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "iopf/iopf.h"

/* One guest, for the rules that name it. */
struct policy_target {
	const char *name, *character;
	struct iopf_policy *policy;
};

/*
 * Carry out what @text says: rules, or, where it has no '=', the name of a file of them.
 * False: what is wrong was said, with its limit and, in a file, line and column.
 */
bool policy_read(const char *text, const struct policy_target *targets, size_t count);

/* A knob of the list; its value in a policy. NULL, or 0, behind the last. */
struct policy_knob {
	const char *name, *unit, *text;
	uint64_t least, most, normal;
	size_t member;
};
const struct policy_knob *policy_knob(size_t number);
uint64_t policy_value(const struct iopf_policy *policy, const struct policy_knob *knob);

/* All of them, on standard output. */
void policy_help(void);

#endif
