/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/policy.c - rules of a policy, read and held against the limits of their knobs. */
#include "cli/policy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define KNOB(name, unit, least, most, normal, text) \
	{ #name, unit, text, least, most, normal, offsetof(struct iopf_policy, name) },

static const struct policy_knob knobs[] = { IOPF_POLICY_KNOBS(KNOB) };

const struct policy_knob *policy_knob(size_t number)
{
	return number < CLI_COUNT(knobs) ? &knobs[number] : NULL;
}

uint64_t policy_value(const struct iopf_policy *policy, const struct policy_knob *knob)
{
	uint64_t value;

	memcpy(&value, (const char *)policy + knob->member, sizeof(value));
	return value;
}

void policy_help(void)
{
	printf("\nKnobs of a policy:\n");
	for (size_t i = 0; i < CLI_COUNT(knobs); i++)
		printf("%s: %" PRIu64 " to %" PRIu64 " %s, default %" PRIu64
		       "\n  %s\n",
		       knobs[i].name, knobs[i].least, knobs[i].most, knobs[i].unit,
		       knobs[i].normal, knobs[i].text);
}

/* ---- Where it stands, for messages --------------------------------------------------- */

/* A rule under the reader's finger. */
struct rule {
	const char *source; /* "--policy", or the file's name */
	uint32_t line;      /* from 1; 0: not in a file */
	const char *begin;  /* of the line */
	const char *at;     /* what is being read */
	const struct policy_target *targets;
	size_t count;
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct rule *rule,
							const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (rule->line > 0)
		cli_error("%s:%" PRIu32 ":%d: %s", rule->source, rule->line,
			  (int)(rule->at - rule->begin) + 1, text);
	else
		cli_error("%s: %s", rule->source, text);
	return false;
}

/* ---- One rule ------------------------------------------------------------------------ */

static size_t word_length(const char *text)
{
	return strcspn(text, ".=, \t\r\n#");
}

static const struct policy_knob *knob_find(const char *name, size_t length)
{
	for (size_t i = 0; i < CLI_COUNT(knobs); i++)
		if (strlen(knobs[i].name) == length &&
		    memcmp(knobs[i].name, name, length) == 0)
			return &knobs[i];
	return NULL;
}

static bool word_is(const char *name, const char *word, size_t length)
{
	return strlen(name) == length && memcmp(name, word, length) == 0;
}

/* @who_length 0: everybody. Returns: how many it is for. */
static size_t apply(const struct rule *rule, const char *who, size_t who_length,
		    const struct policy_knob *knob, uint64_t value)
{
	size_t found = 0;

	for (size_t i = 0; i < rule->count; i++) {
		const struct policy_target *target = &rule->targets[i];

		if (who_length > 0 && !word_is(target->name, who, who_length) &&
		    !word_is(target->character, who, who_length))
			continue;
		memcpy((char *)target->policy + knob->member, &value, sizeof(value));
		found++;
	}
	return found;
}

static bool unknown_knob(const struct rule *rule, size_t length)
{
	char list[160];
	size_t end = 0;

	for (size_t i = 0; i < CLI_COUNT(knobs); i++)
		end += (size_t)snprintf(list + end, sizeof(list) - end, " %s",
					knobs[i].name);
	return wrong(rule, "no knob '%.*s'; there are:%s", (int)length, rule->at, list);
}

/* The value behind '='; rule->at moves behind it. */
static bool value_read(struct rule *rule, const struct policy_knob *knob, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(rule->at, &end, 0);
	if (!isdigit((unsigned char)rule->at[0]) || word_length(end) != 0 || errno != 0 ||
	    *end == '.' || *end == '=' || *value < knob->least || *value > knob->most)
		return wrong(rule,
			     "%s=%.*s: it takes a number from %" PRIu64 " to %" PRIu64
			     " (%s)",
			     knob->name, (int)strcspn(rule->at, ", \t\r\n#"), rule->at,
			     knob->least, knob->most, knob->unit);
	rule->at = end;
	return true;
}

/* [WHO.]KNOB=VALUE at rule->at, which moves behind it. */
static bool rule_read(struct rule *rule)
{
	const struct policy_knob *knob;
	const char *who = rule->at;
	size_t length = word_length(rule->at), who_length = 0;
	uint64_t value;

	if (rule->at[length] == '.') {
		who_length = length;
		rule->at += length + 1;
		length = word_length(rule->at);
	}
	knob = knob_find(rule->at, length);
	if (knob == NULL)
		return unknown_knob(rule, length);
	if (rule->at[length] != '=')
		return wrong(rule, "%s needs '=' and a value", knob->name);
	rule->at += length + 1;
	if (!value_read(rule, knob, &value))
		return false;
	if (apply(rule, who, who_length, knob, value) > 0)
		return true;
	rule->at = who;
	return wrong(rule, "no guest and no character '%.*s' takes part", (int)who_length,
		     who);
}

/* Every rule of a line. */
static bool line_read(struct rule *rule)
{
	for (;;) {
		rule->at += strspn(rule->at, ", \t\r\n");
		if (*rule->at == '\0' || *rule->at == '#')
			return true;
		if (!rule_read(rule))
			return false;
	}
}

/* ---- A file -------------------------------------------------------------------------- */

static bool file_read(const char *name, struct rule rule)
{
	char line[512];
	FILE *file = fopen(name, "re");
	bool good = true;

	if (file == NULL) {
		cli_error("--policy %s: %s; rules without a file have a '='", name,
			  strerror(errno));
		return false;
	}
	rule.source = name;
	while (good && fgets(line, sizeof(line), file) != NULL) {
		rule.line++;
		rule.begin = rule.at = line;
		if (strchr(line, '\n') == NULL && !feof(file))
			good = wrong(&rule, "a line of more than %zu characters",
				     sizeof(line) - 2);
		good = good && line_read(&rule);
	}
	if (good && ferror(file)) {
		cli_error("--policy %s: %s", name, strerror(errno));
		good = false;
	}
	fclose(file);
	return good;
}

bool policy_read(const char *text, const struct policy_target *targets, size_t count)
{
	struct rule rule = { .source = "--policy",
			     .begin = text,
			     .at = text,
			     .targets = targets,
			     .count = count };

	return strchr(text, '=') == NULL ? file_read(text, rule) : line_read(&rule);
}
