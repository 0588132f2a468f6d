/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/encode.c - iopf encode: a record of fields that somebody names. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/records.h"
#include "cli/words.h"

enum { OPERAND_MAX = 1024 };

struct arguments {
	const char *operands[OPERAND_MAX];
	size_t operand_count;
	const char *file;
	uint64_t width, size;
	bool json, big_endian;
};

static const struct option options[] = {
	{ "file", "FILE", "write the bytes there, and nothing else",
	  offsetof(struct arguments, file), 0, 0, OPTION_TEXT },
	{ "width", "BITS", "of a number: 64, 32, or 8 for bytes; 64",
	  offsetof(struct arguments, width), 8, 64, OPTION_NUMBER },
	{ "big-endian", NULL, "words, or members of a struct, lie the high byte first",
	  offsetof(struct arguments, big_endian), 0, 0, OPTION_FLAG },
	{ "size", "BYTES", "of a record that has two sizes: which",
	  offsetof(struct arguments, size), 1, 64, OPTION_NUMBER },
	{ "json", NULL, "the result as JSON", offsetof(struct arguments, json), 0, 0,
	  OPTION_FLAG },
};

static const struct option_table table = {
	.usage = "encode [OPTION...] RECORD [FIELD=VALUE...]",
	.about = "Make the words of a record, lowest first: iopf decode reads them. RECORD is\n"
		 "family.record, VALUE a number or the word that iopf decode has for it, of an\n"
		 "address the address; what is not named is 0.",
	.after = "What does not fit, is reserved, or nothing would write is refused.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct arguments, operands),
	.operand_name = "RECORD",
	.operand_max = OPERAND_MAX,
	.operand_count = offsetof(struct arguments, operand_count),
};

/* A record as it grows. */
struct making {
	struct named_record named;
	struct record_kind kind;
	uint32_t size_bytes;
	uint8_t bytes[RECORD_BYTES_MAX];
	uint8_t given[RECORD_BYTES_MAX]; /* bits of fields that were named */
};

/* ---- Values ------------------------------------------------------------------------ */

static bool number_read(const char *text, uint64_t *value)
{
	char *end;

	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	return *end == '\0' && errno == 0;
}

static bool value_fit(const char *said, unsigned unit, uint32_t field, uint64_t number,
		      uint64_t *value)
{
	uint64_t most = UINT64_MAX >> (64 - FIELD_WIDTH(field));

	*value = number >> unit;
	if (number == *value << unit && *value <= most)
		return true;
	if (unit == 0)
		cli_error("%s: it takes at most 0x%" PRIx64, said, most);
	else
		cli_error("%s: it takes a multiple of 0x%x, at most 0x%" PRIx64, said,
			  1u << unit, most << unit);
	return false;
}

static void words_tell(const struct record_word *words, uint32_t field)
{
	for (; words != NULL && words->field != 0; words++)
		if (words->field == field && words->word != NULL)
			fprintf(stderr, " %s", words->word);
}

static bool has_words(const struct making *making, uint32_t field)
{
	const struct record_word *lists[] = { making->named.record->words,
					      making->kind.layout->words };

	for (unsigned i = 0; i < 2; i++)
		for (; lists[i] != NULL && lists[i]->field != 0; lists[i]++)
			if (lists[i]->field == field && lists[i]->word != NULL)
				return true;
	return false;
}

static bool value_read(const struct making *making, const char *said, const char *text,
		       const struct field_row *row, uint64_t *value)
{
	const struct iopf_layout *layout = making->kind.layout;
	uint64_t number;

	if (record_value(making->named.record, layout, row->field, text, value))
		return true;
	if (number_read(text, &number))
		return value_fit(said, record_unit(layout, row), row->field, number, value);
	fprintf(stderr, "iopf: %s: expected a number", said);
	if (has_words(making, row->field))
		fputs(" or one of", stderr);
	words_tell(making->named.record->words, row->field);
	words_tell(layout->words, row->field);
	fputc('\n', stderr);
	return false;
}

/* ---- Fields ------------------------------------------------------------------------ */

static void fields_tell(const struct making *making, const char *said, size_t length)
{
	const struct iopf_layout *layout = making->kind.layout;

	fprintf(stderr, "iopf: no field '%.*s' in %s; it has", (int)length, said,
		making->named.name);
	for (uint32_t i = 0; i < layout->row_count; i++) {
		char name[48];

		records_field_name(layout, &layout->rows[i], name);
		if (strncmp(name, "rsvd", 4) != 0)
			fprintf(stderr, " %s", name);
	}
	fputc('\n', stderr);
}

/* The field that "NAME=VALUE" is about, or NULL: everything was said. */
static const struct field_row *row_find(const struct making *making, const char *said)
{
	const char *equals = strchr(said, '=');
	const struct field_row *row = NULL;
	char name[48] = "";
	size_t length;

	if (equals == NULL) {
		cli_error("'%s': expected FIELD=VALUE", said);
		return NULL;
	}
	length = (size_t)(equals - said);
	if (length < sizeof(name)) {
		memcpy(name, said, length);
		row = record_row(making->kind.layout, name);
	}
	if (row == NULL)
		fields_tell(making, said, length);
	return row;
}

static bool field_take(struct making *making, const char *said)
{
	const struct field_row *row = row_find(making, said);
	uint64_t value;

	if (row == NULL || !value_read(making, said, strchr(said, '=') + 1, row, &value))
		return false;
	if (making->kind.reserved[FIELD_WORD(row->field)] & value << FIELD_LSB(row->field)) {
		cli_error("%s: reserved in %s", said, making->named.name);
		return false;
	}
	if (8 * FIELD_WORD(row->field) >= making->size_bytes) {
		cli_error("%s: behind the end of %u bytes", said, making->size_bytes);
		return false;
	}
	if (field_get(making->given, row->field) != 0) {
		cli_error("%s: named twice", said);
		return false;
	}
	field_put(making->given, row->field, UINT64_MAX >> (64 - FIELD_WIDTH(row->field)));
	field_put(making->bytes, row->field, value);
	return true;
}

/* ---- Kinds ------------------------------------------------------------------------- */

/* The value of a selector, which any layout shows. */
static bool selector_take(struct making *making, uint32_t selector, const char *said)
{
	const struct iopf_layout *layout = making->kind.layout;
	const struct field_row *row = record_row_at(layout, FIELD_WORD(selector),
						    FIELD_LSB(selector));
	size_t length = strcspn(said, "=");
	uint64_t value;
	char name[48];

	records_field_name(layout, row, name);
	if (said[length] == '\0' || strlen(name) != length ||
	    strncasecmp(said, name, length) != 0)
		return true;
	if (!value_read(making, said, said + length + 1, row, &value))
		return false;
	field_put(making->bytes, selector, value);
	return true;
}

static bool kind_missing(const struct making *making, const struct iopf_layout *any)
{
	const struct record *record = making->named.record;
	const struct field_row *row = record_row_at(any, FIELD_WORD(record->selectors[0]),
						    FIELD_LSB(record->selectors[0]));
	char name[48];

	records_field_name(any, row, name);
	fprintf(stderr, "iopf: no such %s; %s= takes", making->named.name, name);
	words_tell(record->words, record->selectors[0]);
	fputc('\n', stderr);
	return false;
}

/* Which record it is: what selects its kind is read first. */
static bool kind_choose(struct making *making, const struct arguments *arguments)
{
	const struct record *record = making->named.record;
	const struct iopf_layout *any;
	uint32_t step = 0;

	record_next(record, &step, making->bytes);
	making->kind = record_kind(record, making->bytes, making->size_bytes);
	any = making->kind.layout;
	if (record->selectors[0] == 0)
		return true;
	memset(making->bytes, 0, sizeof(making->bytes));
	for (size_t i = 1; i < arguments->operand_count; i++)
		for (unsigned n = 0; n < 2 && record->selectors[n] != 0; n++)
			if (!selector_take(making, record->selectors[n],
					   arguments->operands[i]))
				return false;
	making->kind = record_kind(record, making->bytes, making->size_bytes);
	return making->kind.layout != NULL || kind_missing(making, any);
}

/* ---- The whole --------------------------------------------------------------------- */

/* A field that has one value only has it. */
static void constants_put(struct making *making)
{
	const struct iopf_layout *layout = making->kind.layout;
	const struct record_rule *rule = layout->rules;

	for (; rule != NULL && rule->field != 0; rule++) {
		const struct record_word *only = NULL;
		unsigned count = 0;

		for (const struct record_word *at = layout->words;
		     at != NULL && at->field != 0; at++) {
			if (at->field != rule->field || at->word == NULL)
				continue;
			only = at;
			count++;
		}
		if (rule->kind == RECORD_RULE_NAMED && count == 1 &&
		    field_get(making->given, rule->field) == 0)
			field_put(making->bytes, rule->field, only->value);
	}
}

static bool is_right(const struct making *making)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	unsigned count = record_problems(making->named.record, making->bytes,
					 making->size_bytes, problems);

	for (unsigned n = 0; n < count; n++) {
		const struct iopf_layout *layout = making->kind.layout;
		uint32_t field = problems[n].field;
		const struct field_row *row = record_row_at(layout, FIELD_WORD(field),
							    FIELD_LSB(field));
		char name[48], text[160];

		records_field_name(layout, row, name);
		records_problem_text(&making->named, layout, &problems[n], making->bytes,
				     text);
		cli_error("%s=0x%" PRIx64 ": %s", name,
			  records_field_value(layout, row, making->bytes), text);
	}
	return count == 0;
}

static bool size_choose(struct making *making, uint64_t size)
{
	const struct record *record = making->named.record;

	making->size_bytes = size == 0 ? record->size_bytes : (uint32_t)size;
	if (making->size_bytes == record->size_bytes ||
	    making->size_bytes == record->short_bytes)
		return true;
	cli_error("--size %u: %s has %u bytes", making->size_bytes, making->named.name,
		  record->size_bytes);
	return false;
}

static bool make(struct making *making, const struct arguments *arguments)
{
	if (!records_find(arguments->operands[0], &making->named) ||
	    !size_choose(making, arguments->size) || !kind_choose(making, arguments))
		return false;
	for (size_t i = 1; i < arguments->operand_count; i++)
		if (!field_take(making, arguments->operands[i]))
			return false;
	constants_put(making);
	return is_right(making);
}

/* ---- Output ------------------------------------------------------------------------ */

static int file_write(const char *name, const struct making *making)
{
	FILE *file = fopen(name, "wb");
	bool good = file != NULL &&
		    fwrite(making->bytes, 1, making->size_bytes, file) == making->size_bytes;
	int error = errno;

	if (file != NULL && fclose(file) != 0) {
		error = errno;
		good = false;
	}
	if (!good)
		cli_error("%s cannot be written: %s", name, strerror(error));
	return good ? CLI_OK : CLI_USAGE;
}

/* @words is cut into pieces. */
static void print_json(const struct making *making, char *words)
{
	json_t *list = json_array(), *all = json_object();
	char *rest = NULL;

	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		json_array_append_new(list, json_string(word));
	json_object_set_new(all, "schema", json_string("iopf.encode/1"));
	json_object_set_new(all, "ok", json_true());
	json_object_set_new(all, "record", json_string(making->named.name));
	json_object_set_new(all, "words", list);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static int show(const struct arguments *arguments, struct making *making)
{
	const struct words_form form = { (uint32_t)arguments->width, arguments->big_endian };
	char words[4 * RECORD_BYTES_MAX];

	if (arguments->big_endian)
		records_swap(making->named.record, making->kind.layout, making->bytes,
			     making->size_bytes);
	if (arguments->file != NULL)
		return file_write(arguments->file, making);
	words_write(&form, making->bytes, making->size_bytes, words);
	if (arguments->json)
		print_json(making, words);
	else
		puts(words);
	return CLI_OK;
}

int cli_encode(int argc, char **argv)
{
	struct arguments arguments = { .width = 64 };
	struct making making = { .size_bytes = 0 };
	int result = options_read(&table, &arguments, argc, argv);

	if (result != OPTION_GO_ON)
		return result;
	if (arguments.operand_count == 0) {
		cli_error("a RECORD is missing; iopf decode --list has all");
		return CLI_USAGE;
	}
	if (arguments.width != 64 && arguments.width != 32 && arguments.width != 8) {
		cli_error("--width %" PRIu64 ": it takes 64, 32 or 8", arguments.width);
		return CLI_USAGE;
	}
	return make(&making, &arguments) ? show(&arguments, &making) : CLI_USAGE;
}
