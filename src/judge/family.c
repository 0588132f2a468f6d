/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/family.c - what the judge knows of each family: a row each. */
#include "judge/rules.h"

#include <string.h>

/*
 * Own responses. VT-d: success where the queue is full; what a request gets that
 * its context refuses is not said, and taken to be failure. SMMUv3 8.1, 8.2: success on
 * overflow, failure where the queue is off. AMD: a register has the code, and when it is
 * used is not known for certain. RISC-V: all three, each by its condition.
 */
static const struct judge_family families[] = {
	{ .name = "vtd",
	  .mechanisms = RULE_PRI,
	  .own = FAMILY_OWN(SUCCESS) | FAMILY_OWN(FAILURE) },
	{ .name = "smmuv3",
	  .mechanisms = RULE_BOTH,
	  .own = FAMILY_OWN(SUCCESS) | FAMILY_OWN(FAILURE),
	  .own_any = true,
	  .own_bare = true },
	{ .name = "amd", .mechanisms = RULE_PRI, .own = FAMILY_OWN_UNKNOWN },
	{ .name = "riscv",
	  .mechanisms = RULE_PRI,
	  .own = FAMILY_OWN(SUCCESS) | FAMILY_OWN(INVALID) | FAMILY_OWN(FAILURE) },
	{ .name = "smmuv2", .mechanisms = RULE_STALLS, .no_pasids = true },
};

enum { FAMILY_COUNT = sizeof(families) / sizeof(families[0]) };

const struct judge_family *judge_family(uint32_t number)
{
	return number < FAMILY_COUNT ? &families[number] : NULL;
}

static bool same(const char *one, const char *other)
{
	while (*one != '\0' && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

int judge_family_find(const char *name)
{
	for (int n = 0; n < FAMILY_COUNT; n++)
		if (same(families[n].name, name))
			return n;
	return -1;
}

const char *iopf_judge_family(uint32_t number, uint8_t mechanisms)
{
	for (uint32_t n = 0; n < FAMILY_COUNT; n++)
		if (families[n].mechanisms & mechanisms && number-- == 0)
			return families[n].name;
	return NULL;
}
