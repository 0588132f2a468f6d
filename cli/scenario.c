/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/scenario.c - iopf scenario: files in the event language, played and judged. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "sim/scenario.h"

enum { FILE_MAX = 1024, FILE_BYTES_MAX = 16 << 20, ABOUT_MAX = 256 };

struct arguments {
	bool list, json;
	const char *record;
	const char *files[FILE_MAX];
	size_t file_count;
};

static const struct option options[] = {
	{ "list", NULL, "say what each is about, and play none",
	  offsetof(struct arguments, list), 0, 0, OPTION_FLAG },
	{ "json", NULL, "the result as JSON", offsetof(struct arguments, json), 0, 0,
	  OPTION_FLAG },
	{ "record", "FILE", "write what happens, in the event language; of one file",
	  offsetof(struct arguments, record), 0, 0, OPTION_TEXT },
};

static const struct option_table table = {
	.usage = "scenario [OPTION...] FILE...",
	.about = "Play scenarios against the real engine and models, in virtual time.",
	.after = "A scenario whose functions leave open whether responses carry a PASID has to\n"
		 "hold both ways. Every invariant is checked on the way.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct arguments, files),
	.operand_name = "FILE",
	.operand_max = FILE_MAX,
	.operand_count = offsetof(struct arguments, file_count),
};

struct tally {
	uint32_t passed, failed, bad;
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

/* The first comment says what a scenario is about. */
static void about_of(const uint8_t *bytes, size_t size_bytes, char *about)
{
	const char *at = memchr(bytes, '#', size_bytes);
	const char *end = (const char *)bytes + size_bytes;
	size_t length = 0;

	if (at != NULL)
		for (at++; at < end && *at == ' '; at++)
			;
	while (at != NULL && at < end && *at != '\n' && length < ABOUT_MAX - 1)
		about[length++] = *at++;
	about[length] = '\0';
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

static void tell_json(const struct tally *tally, const char *name, bool pasids, bool varies,
		      const struct scenario_result *result, const char *text)
{
	json_t *one = json_object();

	json_object_set_new(one, "name", json_string(name));
	json_object_set_new(one, "pasid_in_response",
			    varies ? json_boolean(pasids) : json_null());
	json_object_set_new(one, "ok", json_boolean(result->outcome == SCENARIO_OK));
	json_object_set_new(one, "events", json_integer((json_int_t)result->events));
	json_object_set_new(one, "checked", json_integer((json_int_t)result->checked));
	if (result->outcome != SCENARIO_OK)
		json_object_set_new(one, "problem", json_string(text));
	json_array_append_new(tally->results, one);
}

static void tell(struct tally *tally, const char *file, bool pasids, bool varies,
		 const struct scenario_result *result)
{
	static const char *const ways[] = { ", no PASIDs in responses",
					    ", PASIDs in responses" };
	char name[128], text[2048] = "";

	short_name(file, name, sizeof(name));
	if (result->outcome != SCENARIO_OK)
		where(file, result, text, sizeof(text));
	tally->passed += result->outcome == SCENARIO_OK;
	tally->failed += result->outcome == SCENARIO_FAILED;
	tally->bad += result->outcome >= SCENARIO_BAD;
	if (tally->results != NULL)
		tell_json(tally, name, pasids, varies, result, text);
	if (result->outcome >= SCENARIO_BAD)
		cli_error("%s", text);
	else if (tally->results == NULL && result->outcome == SCENARIO_OK)
		printf("ok %s%s\n", name, varies ? ways[pasids] : "");
	else if (tally->results == NULL)
		printf("FAILED %s%s\n  %s\n", name, varies ? ways[pasids] : "", text);
}

static void play(struct tally *tally, const char *file, const uint8_t *bytes,
		 size_t size_bytes)
{
	bool varies = scenario_varies(bytes, size_bytes);
	struct scenario_options with = { .pasid_in_response = true,
					 .record = tally->record != NULL ? on_record : NULL,
					 .context = tally };
	const struct scenario_options without = { .pasid_in_response = false };
	struct scenario_result result;

	scenario_play(bytes, size_bytes, &with, &result);
	tell(tally, file, true, varies, &result);
	if (!varies || result.outcome >= SCENARIO_BAD)
		return;
	scenario_play(bytes, size_bytes, &without, &result);
	tell(tally, file, false, varies, &result);
}

/* ---- Or what it is about ---------------------------------------------------- */

/* In the language, from its first line to its last? */
static bool is_readable(const uint8_t *bytes, size_t size_bytes,
			struct scenario_result *result)
{
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	int got;

	trace_reader_open(&reader, bytes, size_bytes);
	while ((got = trace_read(&reader, &event, &error)) == 1)
		;
	if (got == 0)
		return true;
	*result = (struct scenario_result){ .outcome = SCENARIO_BAD,
					    .line = error.line,
					    .column = error.column };
	snprintf(result->text, sizeof(result->text), "%s", error.text);
	return false;
}

static void list(struct tally *tally, const char *file, const uint8_t *bytes,
		 size_t size_bytes)
{
	char name[128], about[ABOUT_MAX];
	struct scenario_result result;

	if (!is_readable(bytes, size_bytes, &result)) {
		tell(tally, file, true, false, &result);
		return;
	}
	short_name(file, name, sizeof(name));
	about_of(bytes, size_bytes, about);
	tally->passed++;
	if (tally->results == NULL)
		printf("%-12s %s\n", name, about);
	else
		json_array_append_new(tally->results,
				      json_pack("{s:s, s:b, s:s}", "name", name, "ok",
						true, "about", about));
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
			tell(tally, file, true, false, &result);
		else if (arguments->list)
			list(tally, file, bytes, size_bytes);
		else
			play(tally, file, bytes, size_bytes);
		free(bytes);
	}
}

static int all_files(const struct arguments *arguments)
{
	struct tally tally = { .results = arguments->json ? json_array() : NULL };
	int code = record_open(arguments, &tally);

	if (code == CLI_OK) {
		each_file(arguments, &tally);
		code = record_close(arguments, &tally);
	}
	if (code == CLI_OK && arguments->json)
		print_json(&tally);
	else if (code == CLI_OK && !arguments->list)
		printf("%u passed, %u failed\n", tally.passed, tally.failed + tally.bad);
	json_decref(tally.results);
	if (code != CLI_OK)
		return code;
	return tally.bad > 0 ? CLI_USAGE : tally.failed > 0 ? CLI_NO : CLI_OK;
}

int cli_scenario(int argc, char **argv)
{
	static struct arguments arguments;
	int code = options_read(&table, &arguments, argc, argv);

	if (code != OPTION_GO_ON)
		return code;
	if (arguments.file_count == 0) {
		cli_error("no file; iopf scenario --help tells all");
		return CLI_USAGE;
	}
	return all_files(&arguments);
}
