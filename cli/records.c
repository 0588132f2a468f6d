/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/records.c - every record that iopf knows: found, listed, named. */
#include "cli/records.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "table/family.h"

/* ---- Finding ----------------------------------------------------------------------- */

typedef bool record_visit(void *context, const struct named_record *named);

static bool visit_list(const char *family, const struct record *records, record_visit *visit,
		       void *context)
{
	for (const struct record *at = records; at->name != NULL; at++) {
		struct named_record named = { .family = family, .record = at };

		snprintf(named.name, sizeof(named.name), "%s.%s", family, at->name);
		if (!visit(context, &named))
			return false;
	}
	return true;
}

/* What lies in memory, beside what goes through queues. */
static const struct record *structures_of(const char *name)
{
	for (size_t i = 0; family_rows[i] != NULL; i++)
		if (strcmp(family_rows[i]->name, name) == 0)
			return family_rows[i]->structures;
	return NULL;
}

/* Until @visit says false. */
static void visit_all(record_visit *visit, void *context)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		const char *name = wire_families[i]->name;
		const struct record *structures = structures_of(name);

		if (!visit_list(name, wire_families[i]->records, visit, context) ||
		    (structures != NULL &&
		     !visit_list(name, structures, visit, context)))
			return;
	}
}

struct search {
	const char *name;
	struct named_record *named;
	bool found;
};

static bool search_visit(void *context, const struct named_record *named)
{
	struct search *search = context;

	search->found = strcmp(named->name, search->name) == 0;
	if (search->found)
		*search->named = *named;
	return !search->found;
}

bool records_find(const char *name, struct named_record *named)
{
	struct search search = { .name = name, .named = named };

	visit_all(search_visit, &search);
	if (!search.found)
		cli_error("no record '%s'; iopf decode --list has all", name);
	return search.found;
}

static bool print_visit(void *context, const struct named_record *named)
{
	const struct record *record = named->record;
	char sizes[16];

	(void)context;
	snprintf(sizes, sizeof(sizes), record->short_bytes != 0 ? "%u or %u" : "%u",
		 record->size_bytes, record->short_bytes);
	printf("%-26s %-9s %s\n", named->name, sizes, record->text);
	return true;
}

static bool json_visit(void *context, const struct named_record *named)
{
	const struct record *record = named->record;
	json_t *sizes = json_array(), *one = json_object();

	json_array_append_new(sizes, json_integer(record->size_bytes));
	if (record->short_bytes != 0)
		json_array_append_new(sizes, json_integer(record->short_bytes));
	json_object_set_new(one, "record", json_string(named->name));
	json_object_set_new(one, "sizes_bytes", sizes);
	json_object_set_new(one, "text", json_string(record->text));
	json_array_append_new(context, one);
	return true;
}

void records_print_list(bool json)
{
	json_t *list, *all;

	if (!json) {
		printf("%-26s %-9s %s\n", "record", "bytes", "what it is");
		visit_all(print_visit, NULL);
		return;
	}
	list = json_array();
	all = json_pack("{s:s, s:b, s:o}", "schema", "iopf.decode/1", "ok", 1, "records",
			list);
	visit_all(json_visit, list);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

/* ---- Byte order -------------------------------------------------------------------- */

static void reverse(uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[count - 1 - i];
		bytes[count - 1 - i] = byte;
	}
}

/* Members of a C struct are halves of a word, unless one field goes across them. */
static bool is_whole(const struct iopf_layout *layout, uint32_t word)
{
	const struct field_row *low = record_row_at(layout, word, 31);

	return low == NULL || low == record_row_at(layout, word, 32);
}

void records_swap(const struct record *record, const struct iopf_layout *layout,
		  uint8_t *bytes, uint32_t size_bytes)
{
	for (uint32_t at = 0; at < size_bytes; at += 8) {
		if (!record->members || layout == NULL || is_whole(layout, at / 8)) {
			reverse(bytes + at, 8);
			continue;
		}
		reverse(bytes + at, 4);
		reverse(bytes + at + 4, 4);
	}
}

/* ---- Names and values -------------------------------------------------------------- */

void records_field_name(const struct iopf_layout *layout, const struct field_row *row,
			char name[48])
{
	const char *from = record_name(layout, row);
	size_t i = 0;

	for (; i < 47 && from[i] != '\0'; i++)
		name[i] = (char)tolower((unsigned char)from[i]);
	name[i] = '\0';
}

uint64_t records_field_value(const struct iopf_layout *layout, const struct field_row *row,
			     const uint8_t *bytes)
{
	return field_get(bytes, row->field) << record_unit(layout, row);
}

/* "all" or "0x1", of the values of @on with a bit in @values: "r 1", "g domain or page". */
static void on_text(const struct named_record *named, const struct iopf_layout *layout,
		    const struct record_rule *rule, char *text, size_t size)
{
	const struct field_row *row = record_row_at(layout, FIELD_WORD(rule->on),
						    FIELD_LSB(rule->on));
	uint64_t most = UINT64_MAX >> (64 - FIELD_WIDTH(rule->on));
	char name[48];
	size_t length;

	records_field_name(layout, row, name);
	length = (size_t)snprintf(text, size, "%s", name);
	for (uint64_t value = 0; value < 64 && value <= most && length < size; value++) {
		const struct record_word *word;

		if (!(rule->values >> value & 1))
			continue;
		word = record_word(named->record, layout, rule->on, value);
		if (word != NULL)
			length += (size_t)snprintf(text + length, size - length, " %s",
						   word->word);
		else
			length += (size_t)snprintf(text + length, size - length,
						   " %" PRIu64, value);
	}
}

static void rule_text(const struct named_record *named, const struct iopf_layout *layout,
		      const struct record_problem *problem, char text[160])
{
	const struct record_rule *rule = problem->rule;
	char on[100];

	switch ((enum record_rule_kind)rule->kind) {
	case RECORD_RULE_ONLY:
		on_text(named, layout, rule, on, sizeof(on));
		if (problem->field == rule->field)
			snprintf(text, 160, "it counts only with %s", on);
		else
			snprintf(text, 160, "what it announces is behind the record's end");
		return;
	case RECORD_RULE_NAMED:
		snprintf(text, 160, "this value is reserved");
		return;
	case RECORD_RULE_CODE:
		snprintf(text, 160, "this code is reserved, and counts as a failure or an error");
		return;
	case RECORD_RULE_MOST:
		snprintf(text, 160, "it is at most 0x%" PRIx64, rule->values);
		return;
	case RECORD_RULE_ZERO:
	case RECORD_RULE_CHECK:
	case RECORD_RULE_LOSS:
		snprintf(text, 160, "%s", rule->text);
		return;
	}
}

void records_problem_text(const struct named_record *named, const struct iopf_layout *layout,
			  const struct record_problem *problem, const uint8_t *bytes,
			  char text[160])
{
	if (layout == NULL)
		snprintf(text, 160, "nobody knows such a record");
	else if (problem->field == 0)
		snprintf(text, 160, "the words behind it are reserved, and not 0");
	else if (problem->rule != NULL)
		rule_text(named, layout, problem, text);
	else
		snprintf(text, 160, "reserved, and 0x%" PRIx64,
			 field_get(bytes, problem->field));
}
