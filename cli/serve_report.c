/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/serve_report.c - how a program ended, what does not hold, and the end for readers. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/report_json.h"
#include "cli/serve.h"

/* ---- How it ended ------------------------------------------------------------------ */

/* By the code that isa-debug-exit makes of a value; by its device, and it ended well. A
 * program that crashed says nothing. */
static bool says(const struct serve *serve, enum serve_verdict verdict)
{
	int code = WEXITSTATUS(serve->exit_status);

	if (!serve->ended || !WIFEXITED(serve->exit_status))
		return false;
	return code == (int)(2 * verdict + 1) ||
	       (code == 0 && serve->said == (uint64_t)verdict);
}

/* One word for it. */
static const char *ending(const struct serve *serve)
{
	if (serve->timed_out)
		return "time";
	if (serve->stopped)
		return "stopped";
	if (says(serve, SERVE_YES))
		return "yes";
	if (says(serve, SERVE_NO))
		return "no";
	return WIFSIGNALED(serve->exit_status) ? "killed" : "silent";
}

static void judge_ending(struct serve *serve)
{
	int status = serve->exit_status;

	if (serve->timed_out)
		serve_problem(serve, "the program had not ended after %.1f s",
			      (double)serve->options.seconds_ns / 1e9);
	else if (says(serve, SERVE_NO))
		serve_problem(serve, "the program says no");
	else if (serve->stopped || says(serve, SERVE_YES))
		return; /* why it was stopped is said elsewhere */
	else if (WIFSIGNALED(status))
		serve_problem(serve, "the program was killed by signal %d (%s)",
			      WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		serve_problem(serve, "the program ended with code %d and no verdict",
			      WEXITSTATUS(status));
}

void serve_report_judge(struct serve *serve)
{
	judge_ending(serve);
	serve->machine->judge(serve);
}

/* ---- For people -------------------------------------------------------------------- */

void serve_report_text(const struct serve *serve)
{
	const struct proxy_stats *proxy = &serve->proxy.stats;

	printf("%s: %s; %.1f s, %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64
	       " interrupts\n",
	       serve->options.words[0], ending(serve),
	       (double)(serve->ended_ns - serve->begun_ns) / 1e9, proxy->reads,
	       proxy->writes, serve->qtest.stats.writes);
	serve->machine->report(serve);
	putchar('\n');
	for (uint32_t i = 0; i < CLI_MIN(serve->problem_count, SERVE_PROBLEM_MAX); i++)
		printf("NOT SO: %s\n", serve->problems[i]);
	printf("%s\n",
	       serve->problem_count == 0 ? "everything holds" : "it does not hold");
}

/* ---- As JSON, schema iopf.serve/1 (docs/formats.md) -------------------------------- */

#define SET_COUNTER(name, text) json_object_set_new(json, #name, number(stats->name));

static json_t *window_json(const struct serve *serve)
{
	const struct proxy_stats *stats = &serve->proxy.stats;
	json_t *json = json_object();

	json_object_set_new(json, "addr", hex(serve->window));
	PROXY_COUNTERS(SET_COUNTER)
	return json;
}

static json_t *interrupts_json(const struct serve *serve)
{
	const struct qtest_stats *stats = &serve->qtest.stats;
	json_t *json = json_object();

	QTEST_COUNTERS(SET_COUNTER)
	return json;
}

static json_t *program_json(const struct serve *serve)
{
	json_t *json = json_object();
	int status = serve->exit_status;
	bool exited = serve->ended && WIFEXITED(status);

	json_object_set_new(json, "name", json_string(serve->options.words[0]));
	json_object_set_new(json, "end", json_string(ending(serve)));
	json_object_set_new(json, "exit_code",
			    exited ? json_integer(WEXITSTATUS(status)) : json_null());
	return json;
}

int serve_report_json(const struct serve *serve)
{
	json_t *json = json_object(), *problems = json_array();
	bool good;

	for (uint32_t i = 0; i < CLI_MIN(serve->problem_count, SERVE_PROBLEM_MAX); i++)
		json_array_append_new(problems, json_string(serve->problems[i]));
	json_object_set_new(json, "schema", json_string("iopf.serve/1"));
	json_object_set_new(json, "ok", json_boolean(serve->problem_count == 0));
	json_object_set_new(json, "version", json_string(iopf_version()));
	json_object_set_new(json, "machine", json_string(serve->machine->name));
	json_object_set_new(json, "duration_ns", number(serve->ended_ns - serve->begun_ns));
	json_object_set_new(json, "program", program_json(serve));
	json_object_set_new(json, "window", window_json(serve));
	json_object_set_new(json, "interrupts", interrupts_json(serve));
	serve->machine->report_json(serve, json);
	json_object_set_new(json, "problems", problems);
	good = json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
	json_decref(json);
	return good ? CLI_OK : CLI_NO;
}
