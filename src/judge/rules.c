/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/rules.c - the list of rules as a table. */
#include "judge/rules.h"

/* clang-format off */
#define RULE_ROW(name_, id_, party_, at_, mechanisms_, text_, source_) \
	[RULE_##name_] = { .id = id_, .text = text_, .source = source_, \
			   .party = IOPF_PARTY_##party_, .at = at_, \
			   .mechanisms = mechanisms_ },
static const struct iopf_judge_rule rules[] = { JUDGE_RULES(RULE_ROW) };
/* clang-format on */

const struct iopf_judge_rule *iopf_judge_rule(uint32_t number)
{
	return number < RULE_COUNT ? &rules[number] : NULL;
}
