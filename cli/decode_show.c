/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/decode_show.c - records as text and as JSON. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/decode.h"

/* One of a dump. */
struct shown {
	const struct decode_dump *dump;
	uint32_t number;
	bool live;
	uint8_t bytes[RECORD_BYTES_MAX];
	struct record_kind kind;
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	unsigned problem_count;
};

static void shown_fill(const struct decode_dump *dump, uint32_t number, struct shown *shown)
{
	uint32_t after = (number + dump->count - dump->first) % dump->count;
	const struct record *record = dump->named.record;

	*shown = (struct shown){ .dump = dump, .number = number, .live = after < dump->live };
	memcpy(shown->bytes, dump->bytes + (size_t)number * dump->size_bytes,
	       dump->size_bytes);
	shown->kind = record_kind(record, shown->bytes, dump->size_bytes);
	shown->problem_count =
		record_problems(record, shown->bytes, dump->size_bytes, shown->problems);
}

/* The name of a problem's field: where nobody knows the kind, of what says the kind. */
static void problem_name(const struct shown *shown, unsigned n, char name[48])
{
	const struct iopf_layout *layout = shown->kind.layout;
	uint32_t field = shown->problems[n].field;
	const struct field_row *row = NULL;

	if (layout != NULL && field != 0)
		row = record_row_at(layout, FIELD_WORD(field), FIELD_LSB(field));
	if (row != NULL)
		records_field_name(layout, row, name);
	else
		snprintf(name, 48, "%s", layout == NULL ? "kind" : "end");
}

/* Rows of words that this record has. */
static bool has_row(const struct shown *shown, const struct field_row *row)
{
	return 8 * FIELD_WORD(row->field) < shown->dump->size_bytes;
}

/* ---- Text -------------------------------------------------------------------------- */

static void print_words(const struct shown *shown)
{
	for (uint32_t at = 0; at < shown->dump->size_bytes; at += 8)
		printf(" 0x%016" PRIx64, le64_get(shown->bytes + at));
	putchar('\n');
}

static void print_field(const struct shown *shown, const struct field_row *row)
{
	const struct iopf_layout *layout = shown->kind.layout;
	unsigned low = FIELD_LSB(row->field), high = low + FIELD_WIDTH(row->field) - 1;
	const struct record_word *word = record_word(shown->dump->named.record, layout,
						     row->field,
						     field_get(shown->bytes, row->field));
	char name[48], bits[8];

	records_field_name(layout, row, name);
	snprintf(bits, sizeof(bits), high == low ? "%u" : "%u:%u", high, low);
	printf("  %u  %5s  %-16s 0x%-18" PRIx64 " ", FIELD_WORD(row->field), bits, name,
	       records_field_value(layout, row, shown->bytes));
	if (word != NULL)
		printf("%s%s%s; ", word->word, word->text != NULL ? ": " : "",
		       word->text != NULL ? word->text : "");
	printf("%s\n", record_text(layout, row));
}

static void print_fields(const struct shown *shown)
{
	const struct iopf_layout *layout = shown->kind.layout;

	for (uint32_t i = 0; i < layout->row_count; i++) {
		const struct field_row *row = &layout->rows[i];
		bool reserved = (shown->kind.reserved[FIELD_WORD(row->field)] &
				 FIELD_MASK(row->field)) == FIELD_MASK(row->field);

		if (has_row(shown, row) &&
		    (!reserved || field_get(shown->bytes, row->field) != 0))
			print_field(shown, row);
	}
}

static void print_problems(const struct shown *shown)
{
	for (unsigned n = 0; n < shown->problem_count; n++) {
		char name[48], text[160];

		problem_name(shown, n, name);
		records_problem_text(&shown->dump->named, shown->kind.layout,
				     &shown->problems[n], shown->bytes, text);
		printf("problem: %s: %s\n", name, text);
	}
}

static void print_record(const struct shown *shown)
{
	if (shown->dump->count > 1 || shown->dump->queue)
		printf("%u%s:", shown->number, shown->live ? "" : ", stale");
	else
		printf("%s:", shown->dump->named.name);
	print_words(shown);
	if (!shown->live)
		return;
	if (shown->kind.layout != NULL)
		print_fields(shown);
	print_problems(shown);
}

unsigned decode_print(const struct decode_dump *dump)
{
	unsigned problems = dump->wrong != NULL;

	for (uint32_t i = 0; i < dump->count; i++) {
		struct shown shown;

		shown_fill(dump, (dump->first + i) % dump->count, &shown);
		print_record(&shown);
		problems += shown.live ? shown.problem_count : 0;
	}
	if (dump->wrong != NULL)
		printf("problem: queue: %s\n", dump->wrong);
	if (dump->count > 1 || dump->queue)
		printf("%u live, %u stale, %u problems\n", dump->live,
		       dump->count - dump->live, problems);
	return problems;
}

/* ---- JSON -------------------------------------------------------------------------- */

static json_t *json_hex(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

static json_t *json_field(const struct shown *shown, const struct field_row *row)
{
	const struct iopf_layout *layout = shown->kind.layout;
	const struct record_word *word = record_word(shown->dump->named.record, layout,
						     row->field,
						     field_get(shown->bytes, row->field));
	json_t *one = json_object();
	char name[48];

	records_field_name(layout, row, name);
	json_object_set_new(one, "name", json_string(name));
	json_object_set_new(one, "word", json_integer(FIELD_WORD(row->field)));
	json_object_set_new(one, "low", json_integer(FIELD_LSB(row->field)));
	json_object_set_new(one, "width", json_integer(FIELD_WIDTH(row->field)));
	json_object_set_new(one, "value",
			    json_hex(records_field_value(layout, row, shown->bytes)));
	json_object_set_new(one, "means",
			    word != NULL ? json_string(word->word) : json_null());
	json_object_set_new(one, "text", json_string(record_text(layout, row)));
	return one;
}

static json_t *json_fields(const struct shown *shown)
{
	const struct iopf_layout *layout = shown->kind.layout;
	json_t *fields = json_array();

	for (uint32_t i = 0; layout != NULL && i < layout->row_count; i++)
		if (has_row(shown, &layout->rows[i]))
			json_array_append_new(fields, json_field(shown, &layout->rows[i]));
	return fields;
}

static json_t *json_problem(const char *field, const char *text)
{
	json_t *one = json_object();

	json_object_set_new(one, "field", json_string(field));
	json_object_set_new(one, "text", json_string(text));
	return one;
}

static json_t *json_problems(const struct shown *shown, json_t *problems)
{
	for (unsigned n = 0; shown->live && n < shown->problem_count; n++) {
		char name[48], text[160];

		problem_name(shown, n, name);
		records_problem_text(&shown->dump->named, shown->kind.layout,
				     &shown->problems[n], shown->bytes, text);
		json_array_append_new(problems, json_problem(name, text));
	}
	return problems;
}

static json_t *json_entry(const struct shown *shown)
{
	json_t *one = json_object();

	json_object_set_new(one, "number", json_integer(shown->number));
	json_object_set_new(one, "live", json_boolean(shown->live));
	json_object_set_new(one, "fields", json_fields(shown));
	json_object_set_new(one, "problems", json_problems(shown, json_array()));
	return one;
}

/* One record stands at the top, a queue in "entries". */
unsigned decode_print_json(const struct decode_dump *dump)
{
	bool many = dump->count > 1 || dump->queue;
	json_t *all = json_object(), *entries = json_array(), *wrong = json_array();
	unsigned problems = dump->wrong != NULL;

	json_object_set_new(all, "schema", json_string("iopf.decode/1"));
	json_object_set_new(all, "record", json_string(dump->named.name));
	for (uint32_t i = 0; i < dump->count; i++) {
		struct shown shown;

		shown_fill(dump, (dump->first + i) % dump->count, &shown);
		problems += shown.live ? shown.problem_count : 0;
		if (many) {
			json_array_append_new(entries, json_entry(&shown));
			continue;
		}
		json_object_set_new(all, "fields", json_fields(&shown));
		json_problems(&shown, wrong);
	}
	if (dump->wrong != NULL)
		json_array_append_new(wrong, json_problem("queue", dump->wrong));
	json_object_set_new(all, "ok", json_boolean(problems == 0));
	json_object_set_new(all, "problems", wrong);
	if (many)
		json_object_set(all, "entries", entries);
	json_decref(entries);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
	return problems;
}
