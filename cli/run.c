/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/run.c - `iopf run`: a host, guests and paging devices move the bytes of a file. */
#include "cli/run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/policy.h"

/* ---- Options ----------------------------------------------------------------------- */

#define DEFAULT_GUESTS  "honest*6,slow,noisy,silent,hostile*2,liar,killed"
#define DEFAULT_SECONDS (10 * UINT64_C(1000000000))
#define MILLISECOND     UINT64_C(1000000)
#define DAY             (86400 * UINT64_C(1000000000))

#define MEMBER(name) offsetof(struct run_options, name)
#define TEXT(name)   MEMBER(name), 0, 0, OPTION_TEXT
#define FLAG(name)   MEMBER(name), 0, 0, OPTION_FLAG

static const struct option options[] = {
	{ "guests", "LIST",
	  "characters with counts: honest*3,silent,hostile; a number\n"
	  "N alone is N honest ones, NAME*all one for each that can\n"
	  "meet. Default:\n" DEFAULT_GUESTS,
	  TEXT(guests) },
	{ "seconds", "S",
	  "how long, 0.001 to 86400; default 10. It ends later where\n"
	  "a guest has not shown yet what it is there for",
	  MEMBER(seconds_ns), MILLISECOND, DAY, OPTION_SECONDS },
	{ "faults", "N",
	  "until the device of each honest and slow guest had N\n"
	  "faults, and no longer; with --seconds, until both are so",
	  MEMBER(faults), 0, UINT32_MAX, OPTION_NUMBER },
	{ "host", "FAMILY", "the IOMMU of hosts; default one of each that there is",
	  TEXT(host) },
	{ "guest", "FAMILY", "the IOMMU that guests see; default each", TEXT(guest) },
	{ "pri", NULL, "PCI functions, with page requests; default both kinds", FLAG(pri) },
	{ "stall", NULL, "platform masters, whose transactions stall", FLAG(stall) },
	{ "list", NULL, "print what of these can meet, a line each, and end", FLAG(list) },
	{ "policy", "RULES",
	  "what guests may hold and how long they have: a file, or\n"
	  "[WHO.]KNOB=VALUE,...; WHO is a guest or a character",
	  TEXT(policy) },
	{ "seed", "N", "the beginning of all chance; default 1", MEMBER(seed), 0,
	  UINT64_MAX, OPTION_NUMBER },
	{ "record", "FILE", "write what happens in the event language", TEXT(record) },
	{ "json", NULL, "the result as JSON, schema iopf.run/1", FLAG(json) },
};

#define CHARACTER_LINE(name, data, text) "\t" #name "\t" text "\n"
#define ACT_LINE(name, text)             "\t" #name ": " text "\n"

static void help_more(void)
{
	choice_help();
	policy_help();
}

static const struct option_table table = {
	.usage = "run [OPTION...] [FILE]",
	.about = "A host and several guests, each a process of its own, move the bytes of FILE\n"
		 "(default: this machine's C library) through paging devices, again and again.\n"
		 "Nothing is pinned or mapped in advance: every page is faulted in through the\n"
		 "guest that owns it, and each pass begins with every page unmapped again.",
	.after = "Characters:\n"
		 CHARACTERS(CHARACTER_LINE)
		 "\nWhat a hostile one tries:\n"
		 HOSTILE_ACTS(ACT_LINE)
		 "\nIt ends with 0 where every checksum is right, every invariant held, no credit\n"
		 "is in use at a device, there was a fault for every page that was touched, and\n"
		 "everything hostile was tried; with 1 where not; with 2 where an option or FILE\n"
		 "is of no use; with 3 where the machine lacks something that it needs; with 130\n"
		 "or 143 after SIGINT or SIGTERM.",
	.more = help_more,
	.options = options,
	.count = CLI_COUNT(options),
	.operand = MEMBER(file),
	.operand_name = "FILE",
};

/* ---- The file ---------------------------------------------------------------------- */

/* The C library that this process runs with, or, where it is not mapped, the program. */
static const char *library_path(char *line, size_t size_bytes)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	const char *path = NULL;

	while (maps != NULL && path == NULL &&
	       fgets(line, (int)size_bytes, maps) != NULL) {
		char *slash = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (slash != NULL &&
		    (strstr(slash, "/libc.so") || strstr(slash, "/libc-") ||
		     strstr(slash, "/libc.musl") || strstr(slash, "/ld-musl")))
			path = slash;
	}
	if (maps != NULL)
		fclose(maps);
	return path != NULL ? path : "/proc/self/exe";
}

static bool file_crc(struct run *run)
{
	static unsigned char bytes[1 << 16];
	uint64_t done = 0;

	while (done < run->layout.file_bytes) {
		ssize_t got = pread(run->file, bytes,
				    CLI_MIN(sizeof(bytes), run->layout.file_bytes - done),
				    (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			cli_error("%s: %s", run->file_name,
				  got < 0 ? strerror(errno) : "it became shorter");
			return false;
		}
		run->file_crc = crc32c(run->file_crc, bytes, (size_t)got);
		done += (uint64_t)got;
	}
	return true;
}

/* Every guest has the file twice, in memory of this machine. */
static bool file_fits(const struct run *run, uint64_t bytes)
{
	struct sysinfo machine;
	uint64_t most = LAYOUT_FILE_MAX;

	assert(run->guest_count > 0);
	if (bytes == 0) {
		cli_error("%s: empty: there is nothing to move", run->file_name);
		return false;
	}
	if (sysinfo(&machine) == 0)
		most = CLI_MIN(most, (uint64_t)machine.totalram * machine.mem_unit /
					     run->guest_count / 4);
	if (bytes <= most)
		return true;
	cli_error("%s: %" PRIu64 " bytes: the limit for %" PRIu32
		  " guests on this machine is %" PRIu64,
		  run->file_name, bytes, run->guest_count, most);
	return false;
}

static bool file_open(struct run *run)
{
	static char line[4096];
	struct stat status;

	run->file_name = run->options.file != NULL ? run->options.file :
						     library_path(line, sizeof(line));
	/* Without waiting for whoever would write into a pipe. */
	run->file = open(run->file_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (run->file < 0 || fstat(run->file, &status) != 0) {
		cli_error("%s: %s", run->file_name, strerror(errno));
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		cli_error("%s: %s, not a file with bytes to move", run->file_name,
			  S_ISDIR(status.st_mode) ? "a directory" : "a pipe or a device");
		return false;
	}
	if (!file_fits(run, (uint64_t)status.st_size))
		return false;
	run->layout = layout_of((uint64_t)status.st_size);
	return file_crc(run);
}

/* ---- The order of things ----------------------------------------------------------- */

void run_problem(struct run *run, const char *format, ...)
{
	uint32_t at = run->problem_count++;
	va_list arguments;

	if (at >= RUN_PROBLEM_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(run->problems[at], sizeof(run->problems[at]), format, arguments);
	va_end(arguments);
}

/* Returns: CLI_OK, or the code of the first that failed. */
static int each_guest(struct run *run, int (*what)(struct run_guest *guest))
{
	int code = CLI_OK;

	for (uint32_t i = 0; i < run->guest_count && code == CLI_OK; i++)
		code = what(&run->guests[i]);
	return code;
}

static int run_all(struct run *run)
{
	int code = each_guest(run, process_memory);

	if (code == CLI_OK)
		code = record_open(run);
	if (code == CLI_OK)
		code = machines_create(run);
	if (code == CLI_OK)
		code = each_guest(run, process_start);
	if (code == CLI_OK)
		code = loop_create(run);
	if (code != CLI_OK)
		return code;
	record_world(run);
	live_open(run);
	loop_run(run);
	live_close(run);
	record_close(run);
	report_judge(run);
	if (run->options.json)
		code = report_json(run);
	else
		report_text(run);
	if (run->signal != 0)
		return CLI_SIGNAL + run->signal;
	return code == CLI_OK && run->problem_count > 0 ? CLI_NO : code;
}

static void run_destroy(struct run *run)
{
	for (uint32_t i = 0; i < run->guest_count; i++)
		process_kill(&run->guests[i]);
	record_close(run);
	loop_destroy(run);
	machines_destroy(run);
	for (uint32_t i = 0; i < run->guest_count; i++)
		process_close(&run->guests[i]);
	if (run->file >= 0)
		close(run->file);
	free(run->guests);
	free(run->machines);
	free(run->combinations);
	free(run);
}

/* Whatever is wrong with what was asked for is said before anything is made. */
static int run_chosen(struct run *run)
{
	struct run_options *given = &run->options;

	if (!choice_combinations(run))
		return CLI_USAGE;
	if (given->list) {
		choice_list(run);
		return CLI_OK;
	}
	if (given->seconds_ns == 0 && given->faults == 0)
		given->seconds_ns = DEFAULT_SECONDS;
	if (!choice_guests(run) || !choice_policies(run) || !file_open(run))
		return CLI_USAGE;
	return run_all(run);
}

int cli_run(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	int code;

	if (run == NULL)
		return CLI_MISSING;
	run->options = (struct run_options){ .guests = DEFAULT_GUESTS,
					     .seed = 1 };
	run->hooks = &loop_hooks;
	run->program = "iopf-run";
	run->file = run->epoll = run->signals = -1;
	code = options_read(&table, &run->options, argc, argv);
	if (code == OPTION_GO_ON)
		code = run_chosen(run);
	run_destroy(run);
	return code;
}
