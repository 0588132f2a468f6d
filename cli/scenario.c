/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/scenario.c - iopf scenario: files in the event language, played and judged. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "sim/scenario.h"

enum { FILE_MAX = 1024, FILE_BYTES_MAX = 16 << 20, TITLE_MAX = 256 };

struct arguments {
	bool list, json;
	const char *record, *variant, *host, *guest;
	const char *files[FILE_MAX];
	size_t file_count;
};

#define VARIANT_LINE(name, word, traits, text) "\t" word ": " text "\n"

static const struct option options[] = {
	{ "list", NULL, "say what each is about, how it is played, and why\n"
	  "not in other ways; play none",
	  offsetof(struct arguments, list), 0, 0, OPTION_FLAG },
	{ "json", NULL, "the result as JSON", offsetof(struct arguments, json), 0, 0,
	  OPTION_FLAG },
	{ "variant", "NAME", "play this one only, where a file has it; otherwise all",
	  offsetof(struct arguments, variant), 0, 0, OPTION_TEXT },
	{ "host", "FAMILY", "the host's IOMMU, where a file leaves it open",
	  offsetof(struct arguments, host), 0, 0, OPTION_TEXT },
	{ "guest", "FAMILY", "the IOMMU that guests see, where a file leaves it open",
	  offsetof(struct arguments, guest), 0, 0, OPTION_TEXT },
	{ "record", "FILE", "write what happens, in the event language; of one file\n"
	  "in one variant",
	  offsetof(struct arguments, record), 0, 0, OPTION_TEXT },
};

static const struct option_table table = {
	.usage = "scenario [OPTION...] [FILE...]",
	.about = "Play scenarios against the real engine and models, in virtual time; without a\n"
		 "FILE those that come with the program.",
	.after = "A scenario has to hold in each of its variants. Every invariant is checked on\n"
		 "the way.\n\nVariants:\n" TRACE_VARIANTS(VARIANT_LINE),
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct arguments, files),
	.operand_name = "FILE",
	.operand_max = FILE_MAX,
	.operand_count = offsetof(struct arguments, file_count),
};

struct tally {
	const struct arguments *arguments;
	uint32_t passed, failed, bad, skipped;
	unsigned variant; /* the one that is asked for; TRACE_VARIANT_COUNT: all */
	json_t *results; /* NULL: as text */
	FILE *record;
};

/* ---- Files ------------------------------------------------------------------ */

/* All of @name; NULL: @result says why not. */
static uint8_t *file_read(const char *name, size_t *size_bytes,
			  struct scenario_result *result)
{
	FILE *file = fopen(name, "rb");
	uint8_t *bytes = malloc(FILE_BYTES_MAX);
	int error = errno;

	*size_bytes = 0;
	if (file != NULL && bytes != NULL) {
		*size_bytes = fread(bytes, 1, FILE_BYTES_MAX, file);
		error = ferror(file) ? errno : 0;
	}
	if (file != NULL)
		fclose(file);
	if (file != NULL && bytes != NULL && error == 0 && *size_bytes < FILE_BYTES_MAX)
		return bytes;
	*result = (struct scenario_result){ .outcome = SCENARIO_BAD };
	if (*size_bytes == FILE_BYTES_MAX)
		snprintf(result->text, sizeof(result->text),
			 "%d bytes or more, expected less", FILE_BYTES_MAX);
	else
		snprintf(result->text, sizeof(result->text), "cannot be read: %s",
			 strerror(error));
	free(bytes);
	return NULL;
}

/* The file's name without its directories and its ending. */
static void short_name(const char *file, char *name, size_t size_bytes)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	const char *point = strrchr(base, '.');
	size_t length = point != NULL ? (size_t)(point - base) : strlen(base);

	snprintf(name, size_bytes, "%.*s", (int)length, base);
}

/* The first comment says what a scenario is about; its name in front is left out. */
static void title_of(const char *name, const uint8_t *bytes, size_t size_bytes, char *title)
{
	const char *at = memchr(bytes, '#', size_bytes);
	const char *end = (const char *)bytes + size_bytes;
	size_t name_bytes = strlen(name), length = 0;

	if (at != NULL)
		for (at++; at < end && *at == ' '; at++)
			;
	if (at != NULL && (size_t)(end - at) > name_bytes + 2 &&
	    memcmp(at, name, name_bytes) == 0 && at[name_bytes] == ':')
		at += name_bytes + 2;
	while (at != NULL && at < end && *at != '\n' && length < TITLE_MAX - 1)
		title[length++] = *at++;
	title[length] = '\0';
}

/* ---- One of them ------------------------------------------------------------ */

static void on_record(void *context, const struct trace_event *event)
{
	struct tally *tally = context;
	char line[TRACE_LINE_MAX];
	int length = trace_write(TRACE_TEXT, event, line, sizeof(line));

	if (length > 0)
		fwrite(line, 1, (size_t)length, tally->record);
}

/* "file:line:column: what" */
static void where(const char *file, const struct scenario_result *result, char *text,
		  size_t size_bytes)
{
	if (result->line != 0)
		snprintf(text, size_bytes, "%s:%u:%u: %s", file, result->line,
			 result->column, result->text);
	else
		snprintf(text, size_bytes, "%s: %s", file, result->text);
}

static json_t *word_or_null(const char *word)
{
	return word != NULL ? json_string(word) : json_null();
}

static void tell_json(const struct tally *tally, const char *name, const char *variant,
		      const struct scenario_result *result, const char *text)
{
	json_t *one = json_object();

	json_object_set_new(one, "name", json_string(name));
	json_object_set_new(one, "variant", word_or_null(variant));
	json_object_set_new(one, "ok", json_boolean(result->outcome == SCENARIO_OK));
	json_object_set_new(one, "events", json_integer((json_int_t)result->events));
	json_object_set_new(one, "checked", json_integer((json_int_t)result->checked));
	if (result->outcome != SCENARIO_OK)
		json_object_set_new(one, "problem", json_string(text));
	json_array_append_new(tally->results, one);
}

/* @variant: NULL: the file has none, or was not played. */
static void tell(struct tally *tally, const char *file, const char *variant,
		 const struct scenario_result *result)
{
	const char *blank = variant != NULL ? " " : "", *word = variant != NULL ? variant : "";
	char name[128], text[2048] = "";

	short_name(file, name, sizeof(name));
	if (result->outcome == SCENARIO_CANNOT && tally->variant == TRACE_VARIANT_COUNT) {
		tally->skipped++;
		return;
	}
	if (result->outcome != SCENARIO_OK)
		where(file, result, text, sizeof(text));
	tally->passed += result->outcome == SCENARIO_OK;
	tally->failed += result->outcome == SCENARIO_FAILED;
	tally->bad += result->outcome >= SCENARIO_CANNOT;
	if (tally->results != NULL)
		tell_json(tally, name, variant, result, text);
	if (result->outcome >= SCENARIO_CANNOT)
		cli_error("%s", text);
	else if (tally->results == NULL && result->outcome == SCENARIO_OK)
		printf("ok %s%s%s\n", name, blank, word);
	else if (tally->results == NULL)
		printf("FAILED %s%s%s\n  %s\n", name, blank, word, text);
}

/* Returns: false: no scenario, whatever the variant. */
static bool play_as(struct tally *tally, const char *file, const uint8_t *bytes,
		    size_t size_bytes, unsigned variant, const char *word)
{
	const struct scenario_options how = { .variant = (enum trace_variant)variant,
					      .host = tally->arguments->host,
					      .guest = tally->arguments->guest,
					      .record = tally->record != NULL ? on_record : NULL,
					      .context = tally };
	struct scenario_result result;

	scenario_play(bytes, size_bytes, &how, &result);
	tell(tally, file, word, &result);
	return result.outcome < SCENARIO_BAD;
}

/* In the language, from its first line to its last, in every variant? */
static bool is_readable(struct tally *tally, const char *file, const uint8_t *bytes,
			size_t size_bytes, struct trace_plan *plan)
{
	struct scenario_result result = { .outcome = SCENARIO_BAD };
	struct trace_error error;

	if (trace_plan_read(bytes, size_bytes, plan, &error) == 0)
		return true;
	result.line = error.line;
	result.column = error.column;
	snprintf(result.text, sizeof(result.text), "%s", error.text);
	tell(tally, file, NULL, &result);
	return false;
}

static void play(struct tally *tally, const char *file, const uint8_t *bytes,
		 size_t size_bytes)
{
	struct trace_plan plan;

	if (!is_readable(tally, file, bytes, size_bytes, &plan))
		return;
	if (plan.variants == 0)
		play_as(tally, file, bytes, size_bytes, TRACE_VARIANT_PRI, NULL);
	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++) {
		bool wanted = tally->variant == n || tally->variant == TRACE_VARIANT_COUNT;

		if (wanted && (plan.variants >> n & 1) &&
		    !play_as(tally, file, bytes, size_bytes, n, trace_variant_name(n)))
			return;
	}
}

/* ---- Or what it is about ---------------------------------------------------- */

static void list_json(const struct tally *tally, const char *name, const char *title,
		      const struct trace_plan *plan)
{
	json_t *played = json_array(), *cannot = json_object();

	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++) {
		if (plan->variants >> n & 1)
			json_array_append_new(played, json_string(trace_variant_name(n)));
		if (plan->cannot[n].size > 0)
			json_object_set_new(cannot, trace_variant_name(n),
					    json_stringn(plan->cannot[n].at,
							 plan->cannot[n].size));
	}
	json_array_append_new(tally->results,
			      json_pack("{s:s, s:b, s:s, s:o, s:o}", "name", name, "ok", true,
					"title", title, "variants", played, "cannot", cannot));
}

static void list_text(const char *name, const char *title, const struct trace_plan *plan)
{
	printf("%-4s %s\n", name, title);
	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++)
		if (plan->variants >> n & 1)
			printf("     %s\n", trace_variant_name(n));
		else if (plan->cannot[n].size > 0)
			printf("     not %s: %.*s\n", trace_variant_name(n),
			       (int)plan->cannot[n].size, plan->cannot[n].at);
}

static void list(struct tally *tally, const char *file, const uint8_t *bytes,
		 size_t size_bytes)
{
	char name[128], title[TITLE_MAX];
	struct trace_plan plan;

	if (!is_readable(tally, file, bytes, size_bytes, &plan))
		return;
	short_name(file, name, sizeof(name));
	title_of(name, bytes, size_bytes, title);
	tally->passed++;
	if (tally->results == NULL)
		list_text(name, title, &plan);
	else
		list_json(tally, name, title, &plan);
}

/* ---- All of them ------------------------------------------------------------ */

static int record_open(const struct arguments *arguments, struct tally *tally)
{
	char line[TRACE_LINE_MAX];
	int length = trace_write_header(TRACE_TEXT, line, sizeof(line));

	if (arguments->record == NULL)
		return CLI_OK;
	if (arguments->file_count != 1) {
		cli_error("--record takes what happens in one file, %zu were given",
			  arguments->file_count);
		return CLI_USAGE;
	}
	tally->record = fopen(arguments->record, "w");
	if (tally->record == NULL) {
		cli_error("%s cannot be written: %s", arguments->record, strerror(errno));
		return CLI_USAGE;
	}
	fwrite(line, 1, (size_t)length, tally->record);
	return CLI_OK;
}

static void print_json(const struct tally *tally)
{
	json_t *all = json_object();

	json_object_set_new(all, "schema", json_string("iopf.scenario/1"));
	json_object_set_new(all, "ok", json_boolean(tally->failed + tally->bad == 0));
	json_object_set_new(all, "passed", json_integer(tally->passed));
	json_object_set_new(all, "failed", json_integer(tally->failed + tally->bad));
	json_object_set_new(all, "skipped", json_integer(tally->skipped));
	json_object_set(all, "results", tally->results);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static int record_close(const struct arguments *arguments, struct tally *tally)
{
	bool lost;

	if (tally->record == NULL)
		return CLI_OK;
	lost = ferror(tally->record) != 0;
	if (fclose(tally->record) == 0 && !lost)
		return CLI_OK;
	cli_error("%s cannot be written: %s", arguments->record, strerror(errno));
	return CLI_USAGE;
}

static void each_file(const struct arguments *arguments, struct tally *tally)
{
	for (size_t n = 0; n < arguments->file_count; n++) {
		const char *file = arguments->files[n];
		struct scenario_result result;
		size_t size_bytes;
		uint8_t *bytes = file_read(file, &size_bytes, &result);

		if (bytes == NULL)
			tell(tally, file, NULL, &result);
		else if (arguments->list)
			list(tally, file, bytes, size_bytes);
		else
			play(tally, file, bytes, size_bytes);
		free(bytes);
	}
}

static int find_variant(const char *name, unsigned *variant)
{
	if (name == NULL)
		return CLI_OK;
	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++) {
		if (strcmp(name, trace_variant_name(n)) != 0)
			continue;
		*variant = n;
		return CLI_OK;
	}
	cli_error("--variant %s: no such variant; iopf scenario --help lists them", name);
	return CLI_USAGE;
}

static void print_text(const struct tally *tally)
{
	printf("%u passed, %u failed", tally->passed, tally->failed + tally->bad);
	if (tally->skipped > 0)
		printf(", %u that this host cannot have", tally->skipped);
	putchar('\n');
}

static int all_files(const struct arguments *arguments)
{
	struct tally tally = { .arguments = arguments, .variant = TRACE_VARIANT_COUNT };
	int code = find_variant(arguments->variant, &tally.variant);

	if (code != CLI_OK)
		return code;
	tally.results = arguments->json ? json_array() : NULL;
	code = record_open(arguments, &tally);

	if (code == CLI_OK) {
		each_file(arguments, &tally);
		code = record_close(arguments, &tally);
	}
	if (code == CLI_OK && arguments->json)
		print_json(&tally);
	else if (code == CLI_OK && !arguments->list)
		print_text(&tally);
	json_decref(tally.results);
	if (code != CLI_OK)
		return code;
	return tally.bad > 0 ? CLI_USAGE : tally.failed > 0 ? CLI_NO : CLI_OK;
}

/* ---- The project's own -------------------------------------------------------- */

static glob_t own;

static bool find_in(const char *directory)
{
	char pattern[PATH_MAX + 32];

	snprintf(pattern, sizeof(pattern), "%s/*.iopf", directory);
	return glob(pattern, 0, NULL, &own) == 0;
}

/* Where they were installed to, or in the tree that the program was built in: above it. */
static bool find_own(void)
{
	static const char below[] = "/tests/scenarios";
	enum { DIRECTORIES_UP = 4 };
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - sizeof(below));
	char *end;

	if (find_in(IOPF_SCENARIOS))
		return true;
	program[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < DIRECTORIES_UP && (end = strrchr(program, '/')) != NULL; i++) {
		memcpy(end, below, sizeof(below));
		if (find_in(program))
			return true;
		*end = '\0';
	}
	return false;
}

static int all_own(struct arguments *arguments)
{
	if (arguments->file_count > 0)
		return CLI_OK;
	if (!find_own() || own.gl_pathc > FILE_MAX) {
		cli_error("no file, and no scenarios in " IOPF_SCENARIOS
			  "; iopf scenario --help tells all");
		return CLI_USAGE;
	}
	for (size_t i = 0; i < own.gl_pathc; i++)
		arguments->files[arguments->file_count++] = own.gl_pathv[i];
	return CLI_OK;
}

int cli_scenario(int argc, char **argv)
{
	static struct arguments arguments;
	int code = options_read(&table, &arguments, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	code = all_own(&arguments);
	if (code == CLI_OK)
		code = all_files(&arguments);
	globfree(&own);
	return code;
}
