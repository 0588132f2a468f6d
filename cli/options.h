/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/options.h - the options of a subcommand: one table, read, checked and explained. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* What an option's value is, and the type of the member that it goes to. */
enum option_type {
	OPTION_FLAG,    /* bool */
	OPTION_TEXT,    /* const char * */
	OPTION_NUMBER,  /* uint64_t: decimal, or 0x and hexadecimal */
	OPTION_SECONDS, /* uint64_t, in nanoseconds: seconds with a fraction, 0.5 */
};

struct option {
	const char *name;  /* without dashes */
	const char *value; /* what stands for the value in the help; NULL for a flag */
	const char *text;  /* of the help; "\n" goes on in the same column */
	size_t member;     /* offset in the struct that is filled */
	uint64_t first, last; /* of a number; of seconds in nanoseconds */
	uint8_t type;      /* enum option_type */
};

struct option_table {
	const char *usage; /* "run [OPTION...] [FILE]" */
	const char *about; /* printed under it */
	const char *after; /* printed at the end, or NULL */
	void (*more)(void); /* prints what comes behind that, or NULL */
	const struct option *options;
	size_t count;
	size_t operand; /* offset of a const char *, or of operand_max of them */
	const char *operand_name; /* NULL: takes none */
	size_t operand_max;       /* 0: one */
	size_t operand_count;     /* with more than one: offset of a size_t, how many came */
};

#define OPTION_GO_ON (-1)

/*
 * Read the command line into @into. --help and --version are answered here.
 *
 * Returns: OPTION_GO_ON, or the exit code to end with: everything was said.
 */
int options_read(const struct option_table *table, void *into, int argc, char **argv);

#endif
