/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/judge.c - `iopf judge`: the rules of an interface, held against a recording. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "iopf/judge.h"

/* ---- Options ----------------------------------------------------------------------- */

enum { SHOWN_DEFAULT = 100, GROUPS_DEFAULT = 1 << 18, LINE_BYTES = 512 };
#define RECORDING_MAX (2048u << 20) /* bytes */

struct arguments {
	const char *file;
	uint64_t groups, shown;
	bool rules, whole, json;
};

#define MEMBER(name) offsetof(struct arguments, name)
#define FLAG(name)   MEMBER(name), 0, 0, OPTION_FLAG

static const struct option options[] = {
	{ "rules", NULL, "print every rule: what it is called, says and comes from",
	  FLAG(rules) },
	{ "whole", NULL,
	  "nothing came before the recording's first event, or\n"
	  "after its last: what is due at the end is missing",
	  FLAG(whole) },
	{ "shown", "N", "violations that are shown; default 100", MEMBER(shown), 0, UINT32_MAX,
	  OPTION_NUMBER },
	{ "groups", "N",
	  "groups that are remembered, 64 to 16777216; default\n"
	  "262144",
	  MEMBER(groups), 64, 16777216, OPTION_NUMBER },
	{ "json", NULL, "the result as JSON, schema iopf.judge/1", FLAG(json) },
};

static const struct option_table table = {
	.usage = "judge [OPTION...] TRACE|-",
	.about = "Holds what a recording in the event language says against the rules of its\n"
		 "interfaces: at functions, in an IOMMU's queues, in a guest's, at a kernel's\n"
		 "fault descriptor. - is standard input. What a recording leaves open, because it\n"
		 "begins in the middle, ends early or shows one interface of several, is counted\n"
		 "as not judged.",
	.after = "It ends with 0 where no rule was broken, 1 where one was, 2 where TRACE cannot\n"
		 "be read: file:line:column says where.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = MEMBER(file),
	.operand_name = "TRACE",
};

static const char *const parties[] = { [IOPF_PARTY_DEVICE] = "device",
				       [IOPF_PARTY_IOMMU] = "iommu",
				       [IOPF_PARTY_HOST] = "host",
				       [IOPF_PARTY_RECORD] = "record" };

static const char *const interfaces[] = { [IOPF_AT_FUNCTION] = "function",
					  [IOPF_AT_QUEUE] = "queue",
					  [IOPF_AT_GUEST] = "guest",
					  [IOPF_AT_KERNEL] = "kernel" };

/* ---- Rules ------------------------------------------------------------------------- */

/* "function queue", or families, into @text; what is there in a set. */
static void set_text(uint8_t at, char *text, size_t size_bytes)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned n = 0; n < IOPF_AT_COUNT; n++)
		if (at >> n & 1 && used < size_bytes)
			used += (size_t)snprintf(text + used, size_bytes - used, "%s%s",
						 used > 0 ? " " : "", interfaces[n]);
}

static void rules_text(void)
{
	const struct iopf_judge_rule *rule;
	const char *family;
	char at[64];

	for (uint32_t n = 0; (rule = iopf_judge_rule(n)) != NULL; n++) {
		set_text(rule->at, at, sizeof(at));
		printf("%s%s\n    %s\n    source: %s\n    whose: %s; at: %s; families:",
		       n > 0 ? "\n" : "", rule->id, rule->text, rule->source,
		       parties[rule->party], at);
		for (uint32_t m = 0; (family = iopf_judge_family(m, rule->mechanisms)); m++)
			printf(" %s", family);
		putchar('\n');
	}
}

static json_t *rule_json(const struct iopf_judge_rule *rule)
{
	json_t *json = json_object(), *at = json_array(), *families = json_array();
	const char *family;

	for (unsigned n = 0; n < IOPF_AT_COUNT; n++)
		if (rule->at >> n & 1)
			json_array_append_new(at, json_string(interfaces[n]));
	for (uint32_t n = 0; (family = iopf_judge_family(n, rule->mechanisms)); n++)
		json_array_append_new(families, json_string(family));
	json_object_set_new(json, "id", json_string(rule->id));
	json_object_set_new(json, "text", json_string(rule->text));
	json_object_set_new(json, "source", json_string(rule->source));
	json_object_set_new(json, "party", json_string(parties[rule->party]));
	json_object_set_new(json, "interfaces", at);
	json_object_set_new(json, "families", families);
	return json;
}

static int json_print(json_t *json)
{
	int failed = json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	putchar('\n');
	return failed != 0 ? CLI_NO : CLI_OK;
}

static int rules_json(void)
{
	json_t *json = json_object(), *rules = json_array();
	const struct iopf_judge_rule *rule;

	for (uint32_t n = 0; (rule = iopf_judge_rule(n)) != NULL; n++)
		json_array_append_new(rules, rule_json(rule));
	json_object_set_new(json, "schema", json_string("iopf.judge/1"));
	json_object_set_new(json, "ok", json_true());
	json_object_set_new(json, "rules", rules);
	return json_print(json);
}

/* ---- Violations -------------------------------------------------------------------- */

struct judged {
	const struct arguments *arguments;
	struct iopf_judge *judge;
	void *memory;
	json_t *violations; /* NULL: as text */
	uint64_t shown;
	char problem[LINE_BYTES]; /* the recording cannot be read */
};

static void violation_text(const char *file, const struct iopf_violation *violation)
{
	const struct iopf_judge_rule *rule = iopf_judge_rule(violation->rule);

	printf("%s:", strcmp(file, "-") == 0 ? "standard input" : file);
	for (uint32_t n = 0; n < violation->line_count; n++)
		printf("%s%" PRIu64, n > 0 ? "," : "", violation->line[n]);
	printf(": %s%s%s at the %s\n    %s\n    was: %s\n    should have been: %s\n", rule->id,
	       violation->where[0] != '\0' ? ": " : "", violation->where,
	       interfaces[violation->interface], rule->text, violation->was,
	       violation->wanted);
}

static json_t *violation_json(const struct iopf_violation *violation)
{
	json_t *json = json_object(), *lines = json_array();
	const struct iopf_judge_rule *rule = iopf_judge_rule(violation->rule);

	for (uint32_t n = 0; n < violation->line_count; n++)
		json_array_append_new(lines, json_integer((json_int_t)violation->line[n]));
	json_object_set_new(json, "rule", json_string(rule->id));
	json_object_set_new(json, "lines", lines);
	json_object_set_new(json, "ns", json_integer((json_int_t)violation->ns));
	json_object_set_new(json, "interface", json_string(interfaces[violation->interface]));
	json_object_set_new(json, "party", json_string(parties[rule->party]));
	json_object_set_new(json, "where", json_string(violation->where));
	json_object_set_new(json, "was", json_string(violation->was));
	json_object_set_new(json, "should_have_been", json_string(violation->wanted));
	return json;
}

static void on_violation(void *context, const struct iopf_violation *violation)
{
	struct judged *judged = context;

	if (judged->shown++ >= judged->arguments->shown)
		return;
	if (judged->violations != NULL)
		json_array_append_new(judged->violations, violation_json(violation));
	else
		violation_text(judged->arguments->file, violation);
}

/* ---- The verdict ------------------------------------------------------------------- */

static void verdict_text(const struct judged *judged)
{
	struct iopf_judge_tally sum = iopf_judge_tally(judged->judge, IOPF_NO_ID);
	const char *full;
	uint32_t max;
	uint64_t lost;

	if (judged->shown > judged->arguments->shown)
		printf("and %" PRIu64 " more\n", judged->shown - judged->arguments->shown);
	for (uint32_t n = 0; (full = iopf_judge_full(judged->judge, n, &max, &lost)); n++)
		printf("no room for more than %" PRIu32 " %s: %" PRIu64 " were not judged\n",
		       max, full, lost);
	printf("%" PRIu64 " events, judged %" PRIu64 " times, %" PRIu64
	       " times not: %" PRIu64 " violation%s\n",
	       iopf_judge_events(judged->judge), sum.judged, sum.not_judged, sum.violations,
	       sum.violations == 1 ? "" : "s");
	if (sum.excused > 0)
		printf("excused, because it was forced: %" PRIu64 "\n", sum.excused);
}

static json_t *tally_json(struct iopf_judge_tally tally)
{
	json_t *json = json_object();

	json_object_set_new(json, "judged", json_integer((json_int_t)tally.judged));
	json_object_set_new(json, "violations", json_integer((json_int_t)tally.violations));
	json_object_set_new(json, "not_judged", json_integer((json_int_t)tally.not_judged));
	json_object_set_new(json, "excused", json_integer((json_int_t)tally.excused));
	return json;
}

static json_t *limits_json(const struct judged *judged)
{
	json_t *json = json_array();
	const char *full;
	uint32_t max;
	uint64_t lost;

	for (uint32_t n = 0; (full = iopf_judge_full(judged->judge, n, &max, &lost)); n++) {
		json_t *one = json_object();

		json_object_set_new(one, "table", json_string(full));
		json_object_set_new(one, "max", json_integer(max));
		json_object_set_new(one, "lost", json_integer((json_int_t)lost));
		json_array_append_new(json, one);
	}
	return json;
}

static int verdict_json(struct judged *judged)
{
	struct iopf_judge_tally sum = iopf_judge_tally(judged->judge, IOPF_NO_ID);
	json_t *json = json_object(), *rules = json_object();
	const struct iopf_judge_rule *rule;

	for (uint32_t n = 0; (rule = iopf_judge_rule(n)) != NULL; n++)
		json_object_set_new(rules, rule->id,
				    tally_json(iopf_judge_tally(judged->judge, n)));
	json_object_set_new(json, "schema", json_string("iopf.judge/1"));
	json_object_set_new(json, "ok",
			    json_boolean(sum.violations == 0 && judged->problem[0] == '\0'));
	json_object_set_new(json, "file", json_string(judged->arguments->file));
	json_object_set_new(json, "unreadable",
			    judged->problem[0] != '\0' ? json_string(judged->problem) :
							 json_null());
	json_object_set_new(json, "whole", json_boolean(judged->arguments->whole));
	json_object_set_new(json, "events",
			    json_integer((json_int_t)iopf_judge_events(judged->judge)));
	json_object_set_new(json, "all", tally_json(sum));
	json_object_set_new(json, "rules", rules);
	json_object_set_new(json, "limits", limits_json(judged));
	json_object_set(json, "violations", judged->violations);
	return json_print(json);
}

/* ---- A recording ------------------------------------------------------------------- */

/* All of it; NULL: why not was said. */
/* Something that has no end is no recording: what does not begin like one is not read on,
 * what does has a limit. */
static bool read_on(const char *name, const uint8_t *bytes, size_t size)
{
	if (size <= RECORDING_MAX)
		return size == 0 || bytes[0] == 'i' || bytes[0] == 0x89;
	cli_error("%s has more than %u bytes, the limit", name, RECORDING_MAX);
	return false;
}

static uint8_t *file_read(const char *name, size_t *size_bytes)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "rbe");
	size_t room = 1 << 16, size = 0, got = 1;
	uint8_t *bytes = file != NULL ? malloc(room) : NULL;

	while (bytes != NULL && got > 0) {
		uint8_t *more;

		got = fread(bytes + size, 1, room - size, file);
		size += got;
		if (!read_on(name, bytes, size))
			break;
		if (size < room)
			continue;
		room *= 2;
		more = realloc(bytes, room);
		if (more == NULL)
			free(bytes);
		bytes = more;
	}
	if (bytes == NULL || ferror(file))
		cli_error("%s: cannot be read: %s", name, strerror(errno));
	if (bytes == NULL || ferror(file) || size > RECORDING_MAX) {
		free(bytes);
		bytes = NULL;
	}
	if (file != NULL && !standard)
		fclose(file);
	*size_bytes = size;
	return bytes;
}

static bool judge_create(struct judged *judged)
{
	const struct arguments *arguments = judged->arguments;
	const struct iopf_judge_options how = {
		.size_bytes = sizeof(how),
		.flags = arguments->whole ? IOPF_JUDGE_WHOLE : 0,
		.source_max = 64,
		.endpoint_max = 4096,
		.owner_max = 4096,
		.space_max = 1 << 16,
		.group_max = (uint32_t)arguments->groups,
		.command_max = 1024,
		.violation = on_violation,
		.context = judged,
	};
	size_t size_bytes = iopf_judge_size_bytes(&how);

	judged->memory = aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);
	if (judged->memory != NULL &&
	    iopf_judge_create(&how, judged->memory, size_bytes, &judged->judge) == 0)
		return true;
	cli_error("no memory for %" PRIu64 " groups: --groups fewer", arguments->groups);
	return false;
}

static int judge_bytes(struct judged *judged, const uint8_t *bytes, size_t size_bytes)
{
	const struct arguments *arguments = judged->arguments;
	const char *name = strcmp(arguments->file, "-") == 0 ? "standard input" :
							       arguments->file;
	int error = iopf_judge_read(judged->judge, name, bytes, size_bytes, judged->problem,
				    sizeof(judged->problem));
	int code = CLI_OK;

	if (error == 0)
		iopf_judge_end(judged->judge);
	else
		cli_error("%s", judged->problem);
	if (arguments->json)
		code = verdict_json(judged);
	else
		verdict_text(judged);
	if (error != 0)
		return CLI_USAGE;
	return iopf_judge_tally(judged->judge, IOPF_NO_ID).violations > 0 ? CLI_NO : code;
}

static int judge_file(const struct arguments *arguments)
{
	struct judged judged = { .arguments = arguments };
	size_t size_bytes;
	uint8_t *bytes = file_read(arguments->file, &size_bytes);
	int code = CLI_MISSING;

	if (bytes == NULL)
		return CLI_USAGE;
	if (arguments->json)
		judged.violations = json_array();
	if (judge_create(&judged))
		code = judge_bytes(&judged, bytes, size_bytes);
	json_decref(judged.violations);
	free(judged.memory);
	free(bytes);
	return code;
}

int cli_judge(int argc, char **argv)
{
	struct arguments arguments = { .groups = GROUPS_DEFAULT, .shown = SHOWN_DEFAULT };
	int code = options_read(&table, &arguments, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	if (arguments.rules && arguments.json)
		return rules_json();
	if (arguments.rules) {
		rules_text();
		return CLI_OK;
	}
	if (arguments.file == NULL) {
		cli_error("judge: no TRACE; - is standard input");
		return CLI_USAGE;
	}
	return judge_file(&arguments);
}
