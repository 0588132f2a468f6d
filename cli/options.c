/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/options.c - command lines held against a table of options. */
#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "iopf/iopf.h"

#define SECOND UINT64_C(1000000000)

/* ---- Help -------------------------------------------------------------------------- */

enum { TEXT_COLUMN = 22 };

static void print_row(const char *name, const char *value, const char *text)
{
	int width = printf("  --%s%s%s", name, value ? " " : "", value ? value : "");

	if (width > TEXT_COLUMN - 2) {
		putchar('\n');
		width = 0;
	}
	for (; *text != '\0'; text++) {
		for (; width < TEXT_COLUMN; width++)
			putchar(' ');
		putchar(*text);
		if (*text == '\n')
			width = 0;
	}
	putchar('\n');
}

static void print_help(const struct option_table *table)
{
	printf("Usage: iopf %s\n\n%s\n\nOptions:\n", table->usage, table->about);
	for (size_t i = 0; i < table->count; i++)
		print_row(table->options[i].name, table->options[i].value,
			  table->options[i].text);
	print_row("help", NULL, "this");
	print_row("version", NULL, "the version of the library");
	if (table->after != NULL)
		printf("\n%s\n", table->after);
	if (table->more != NULL)
		table->more();
}

/* ---- Values ------------------------------------------------------------------------ */

/* One digit after the others. False: no digit of @base, or too much. */
static bool digit_add(uint64_t *number, char digit, uint32_t base)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, digit);
	uint64_t value;

	if (digit == '\0' || at == NULL || (uint64_t)(at - digits) >= base)
		return false;
	value = (uint64_t)(at - digits);
	if (*number > (UINT64_MAX - value) / base)
		return false;
	*number = *number * base + value;
	return true;
}

static bool read_number(const char *text, uint64_t *number)
{
	bool hex = text[0] == '0' && text[1] == 'x';
	const char *at = hex ? text + 2 : text;

	*number = 0;
	if (*at == '\0')
		return false;
	while (*at != '\0')
		if (!digit_add(number, *at++, hex ? 16 : 10))
			return false;
	return true;
}

/* Digits, and at most nine more behind a point. */
static bool read_seconds(const char *text, uint64_t *ns)
{
	uint64_t number = 0, unit = SECOND;
	bool point = false, any = false;

	for (; *text != '\0'; text++) {
		if (*text == '.' && !point) {
			point = true;
			continue;
		}
		if (!digit_add(&number, *text, 10) || (point && unit == 1))
			return false;
		unit /= point ? 10 : 1;
		any = true;
	}
	if (!any || number > UINT64_MAX / unit)
		return false;
	*ns = number * unit;
	return true;
}

static void tell_limits(const struct option *option, const char *value)
{
	if (option->type == OPTION_SECONDS)
		cli_error("--%s %s: it takes seconds from %g to %g, with at most nine "
			  "digits behind the point",
			  option->name, value,
			  (double)option->first / (double)SECOND,
			  (double)option->last / (double)SECOND);
	else
		cli_error("--%s %s: it takes a number from %" PRIu64 " to %" PRIu64,
			  option->name, value, option->first, option->last);
}

static bool value_read(const struct option *option, const char *value, void *into)
{
	bool seconds = option->type == OPTION_SECONDS;
	uint64_t number;

	if (option->type == OPTION_TEXT) {
		memcpy(into, &value, sizeof(value));
		return true;
	}
	if (!(seconds ? read_seconds(value, &number) : read_number(value, &number)) ||
	    number < option->first || number > option->last) {
		tell_limits(option, value);
		return false;
	}
	memcpy(into, &number, sizeof(number));
	return true;
}

/* ---- Command lines ----------------------------------------------------------------- */

static const struct option *option_find(const struct option_table *table, const char *name,
					size_t length)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->options[i].name) == length &&
		    memcmp(table->options[i].name, name, length) == 0)
			return &table->options[i];
	return NULL;
}

/* The option at argv[*at], with its value; *at moves on to its last word. */
static bool option_read(const struct option_table *table, void *into, char **argv, int *at)
{
	const char *name = argv[*at] + 2, *equals = strchr(name, '=');
	size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct option *option = option_find(table, name, length);
	char *member = into;
	const char *value;

	if (option == NULL) {
		cli_error("no option '%s'; iopf %.*s --help lists them", argv[*at],
			  (int)strcspn(table->usage, " "), table->usage);
		return false;
	}
	member += option->member;
	if (option->type == OPTION_FLAG) {
		if (equals != NULL)
			cli_error("--%s takes no value", option->name);
		else
			memcpy(member, &(bool){ true }, sizeof(bool));
		return equals == NULL;
	}
	value = equals != NULL ? equals + 1 : argv[*at + 1];
	if (value == NULL) {
		cli_error("--%s needs a value: %s", option->name, option->value);
		return false;
	}
	*at += equals == NULL;
	return value_read(option, value, member);
}

static bool operand_read(const struct option_table *table, void *into, const char *word,
			 size_t *count)
{
	size_t max = table->operand_max != 0 ? table->operand_max : 1;

	if (table->operand_name == NULL || *count == max) {
		cli_error("'%s' is too much: usage: iopf %s", word, table->usage);
		return false;
	}
	memcpy((char *)into + table->operand + *count * sizeof(word), &word, sizeof(word));
	(*count)++;
	if (max > 1)
		memcpy((char *)into + table->operand_count, count, sizeof(*count));
	return true;
}

int options_read(const struct option_table *table, void *into, int argc, char **argv)
{
	bool options = true;
	size_t operands = 0;

	for (int i = 1; i < argc; i++) {
		bool dashed = options && argv[i][0] == '-' && argv[i][1] != '\0';

		if (dashed && strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		if (dashed && strcmp(argv[i], "--help") == 0) {
			print_help(table);
			return CLI_OK;
		}
		if (dashed && strcmp(argv[i], "--version") == 0) {
			printf("iopf %s\n", iopf_version());
			return CLI_OK;
		}
		if (dashed && argv[i][1] != '-') {
			cli_error("no option '%s'; options begin with two dashes", argv[i]);
			return CLI_USAGE;
		}
		if (!(dashed ? option_read(table, into, argv, &i) :
			       operand_read(table, into, argv[i], &operands)))
			return CLI_USAGE;
	}
	return OPTION_GO_ON;
}
