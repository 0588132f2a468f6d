/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/main.c - the program iopf: which subcommands there are. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "iopf/iopf.h"

static const struct cli_command commands[] = {
	{ "run", cli_run, "a host, guests and paging devices move the bytes of a file" },
	{ "serve", cli_serve, "what a virtual machine of QEMU's finds behind a window" },
	{ "bench", cli_bench, "measures the engine against yardsticks taken in the same run" },
	{ "scenario", cli_scenario, "plays scenario files against the engine and the models" },
	{ "judge", cli_judge, "holds a recording against the rules of its interfaces" },
	{ "pci", cli_pci, "whether a PCI function can page, and why not" },
	{ "decode", cli_decode, "says what the bits of a record mean, and what is wrong" },
	{ "encode", cli_encode, "makes a record of fields" },
	{ "guest", cli_guest, "one guest's process, started by run" },
};

void cli_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("iopf: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

uint64_t cli_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* splitmix64 */
uint64_t cli_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void print_commands(FILE *out)
{
	fputs("iopf - recoverable I/O page faults, brokered without trust\n\n"
	      "Usage: iopf COMMAND [OPTION...]\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < CLI_COUNT(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].text);
	fputs("\n  --help     this; iopf COMMAND --help tells all about one\n"
	      "  --version  the version of the library\n"
	      "\nExit codes: 0 holds, 1 does not hold, 2 usage or input, 3 something is missing,\n"
	      "130 and 143 stopped by SIGINT and SIGTERM.\n",
	      out);
}

/* What is opened later is never taken for standard input, output or error. */
static void descriptors_fill(void)
{
	int descriptor = open("/dev/null", O_RDWR);

	while (descriptor >= 0 && descriptor <= STDERR_FILENO)
		descriptor = dup(descriptor);
	if (descriptor > STDERR_FILENO)
		close(descriptor);
}

static int command_run(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_commands(argc < 2 ? stderr : stdout);
		return argc < 2 ? CLI_USAGE : CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("iopf %s\n", iopf_version());
		return CLI_OK;
	}
	for (size_t i = 0; i < CLI_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	cli_error("no command '%s'; iopf --help lists them", argv[1]);
	return CLI_USAGE;
}

/* A report that nobody can read is none. Errors of before leave no errno behind. */
static int output_end(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	cli_error("standard output: %s", strerror(errno != 0 ? errno : EIO));
	return code == CLI_OK ? CLI_NO : code;
}

int main(int argc, char **argv)
{
	descriptors_fill();
	return output_end(command_run(argc, argv));
}
