/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/cli.h - what every subcommand shares: exit codes, messages, the clock, chance. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* docs/formats.md, "Exit codes". A signal's code is 128 and its number. */
enum cli_exit {
	CLI_OK = 0,      /* ran, and what it checks holds */
	CLI_NO = 1,      /* ran, and the verdict is no */
	CLI_USAGE = 2,   /* usage, or input unreadable or out of range */
	CLI_MISSING = 3, /* something needed is missing */
	CLI_PARTLY = 4,
	CLI_SIGNAL = 128,
};

/* A subcommand: @argv[0] is its name. Returns an exit code. */
struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
};

int cli_run(int argc, char **argv);
int cli_scenario(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_pci(int argc, char **argv);
int cli_guest(int argc, char **argv);
int cli_decode(int argc, char **argv);
int cli_encode(int argc, char **argv);
int cli_judge(int argc, char **argv);

/* "iopf: ..." and a newline, on standard error. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t cli_now_ns(void);

/* Numbers of our own: the same seed, the same numbers. */
uint64_t cli_random(uint64_t *state);

#define CLI_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLI_MIN(a, b)    ((a) < (b) ? (a) : (b))

#endif
