/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: golden vectors of every family, read and written. */
#include <ctype.h>
#include <errno.h>

#include "vector_fields.h"
#include "wire/record.h"

static struct vector vector;
static uint8_t bytes[RECORD_BYTES_MAX], again[RECORD_BYTES_MAX];
static const struct wire_family *family;

/* A check below fails by a jump: say first where we are. */
static bool next(FILE *file)
{
	memset(again, 0xa5, sizeof(again));
	memset(bytes, 0, sizeof(bytes));
	if (!vector_next(file, &vector))
		return false;
	vector_bytes(&vector, bytes);
	return true;
}

#define CHECK_LINE(what)                                                      \
	do {                                                                  \
		if (!(what))                                                  \
			printf("%s: not so: %s", family->name, vector.line); \
		CHECK(what);                                                  \
	} while (0)

static void same(const void *got, const void *wanted, size_t size_bytes)
{
	CHECK_LINE(memcmp(got, wanted, size_bytes) == 0);
}

/* ---- Plain values ------------------------------------------------------------------ */

static void check_request(void)
{
	struct iopf_request wanted = vector_request(&vector), got;
	bool reserved = true;

	CHECK_LINE(8 * vector.word_count == family->wire->request_bytes);
	CHECK_LINE(family->wire->decode_request(bytes, &got, &reserved) == 0 && !reserved);
	same(&got, &wanted, sizeof(got));
	CHECK_LINE(family->wire->encode_request(&wanted, again) == 0);
	same(again, bytes, family->wire->request_bytes);
}

static void command_of(uint32_t size_bytes, bool read_only)
{
	struct iopf_command wanted = vector_command(&vector), got;

	CHECK_LINE(family->wire->decode_command(bytes, size_bytes, &got) == 0);
	same(&got, &wanted, sizeof(got));
	if (wanted.kind == IOPF_COMMAND_OTHER) {
		CHECK_LINE(family->wire->encode_command(&wanted, size_bytes, again) ==
			   -EOPNOTSUPP);
		return;
	}
	CHECK_LINE(family->wire->encode_command(&wanted, size_bytes, again) == 0);
	if (!read_only)
		same(again, bytes, size_bytes);
	CHECK_LINE(family->wire->decode_command(again, size_bytes, &got) == 0);
	same(&got, &wanted, sizeof(got));
}

/* The same where commands are longer, with zeros behind it. */
static void check_command(void)
{
	command_of(8 * vector.word_count, false);
	command_of(family->wire->command_bytes[0], false);
}

/* Written, it has other bits. */
static void check_command_read(void)
{
	command_of(8 * vector.word_count, true);
}

static void event_of(bool read_only)
{
	struct iopf_fault wanted = vector_fault(&vector), got;
	bool reserved = true;

	CHECK_LINE(8 * vector.word_count == family->wire->fault_bytes);
	CHECK_LINE(family->wire->decode_fault(bytes, &got, &reserved) == 0 && !reserved);
	same(&got, &wanted, sizeof(got));
	if (read_only)
		return;
	CHECK_LINE(family->wire->encode_fault(&wanted, again) == 0);
	same(again, bytes, family->wire->fault_bytes);
}

static void check_event(void)
{
	event_of(false);
}

static void check_event_read(void)
{
	event_of(true);
}

static void check_message(void)
{
	struct iopf_request wanted = vector_request(&vector), got;

	CHECK_LINE(iopf_pcie_encode_request(&wanted) == vector.words[0]);
	CHECK_LINE(iopf_pcie_decode_request(vector.words[0], wanted.rid, wanted.pasid,
					    wanted.perm & (IOPF_EXEC | IOPF_PRIV),
					    &got) == 0);
	same(&got, &wanted, sizeof(got));
}

static void check_prg_response(void)
{
	struct iopf_prg_response got, wanted = {
		.rid = (uint32_t)vector_number(&vector, "rid"),
		.pasid = vector_pasid(&vector),
		.index = (uint16_t)vector_number(&vector, "index"),
		.code = (uint8_t)vector_number(&vector, "code"),
	};

	CHECK_LINE(iopf_pcie_encode_response(&wanted) == vector.words[0]);
	CHECK_LINE(iopf_pcie_decode_response(vector.words[0], wanted.pasid, &got) == 0);
	same(&got, &wanted, sizeof(got));
}

static struct iopf_vtd_old_response old_response(void)
{
	return (struct iopf_vtd_old_response){
		.addr = vector_number(&vector, "addr"),
		.rid = (uint32_t)vector_number(&vector, "rid"),
		.pasid = vector_pasid(&vector),
		.private_data = (uint32_t)vector_number(&vector, "private0"),
		.index = (uint16_t)vector_number(&vector, "index"),
		.code = vector_names(&vector, "code", vector_code_names),
	};
}

static void check_old_group_response(void)
{
	struct iopf_vtd_old_response wanted = old_response(), got;

	CHECK_LINE(iopf_vtd_decode_old_group_response(bytes, &got) == 0);
	CHECK_LINE(iopf_vtd_encode_old_group_response(&wanted, again) == 0);
	same(&got, &wanted, sizeof(got));
	same(again, bytes, 16);
}

static void check_old_stream_response(void)
{
	struct iopf_vtd_old_response wanted = old_response(), got;

	CHECK_LINE(iopf_vtd_decode_stream_response(bytes, &got) == 0);
	CHECK_LINE(iopf_vtd_encode_stream_response(&wanted, again) == 0);
	same(&got, &wanted, sizeof(got));
	same(again, bytes, 16);
}

/* The first word of a line, where it is no record's name; and which record it is. */
static const struct {
	const char *word;
	void (*check)(void);
	const char *record; /* NULL: the family's of that role */
	enum record_role role;
} plain[] = {
	{ "page_request", check_request, NULL, RECORD_REQUEST },
	{ "command", check_command, NULL, RECORD_COMMAND },
	{ "command_read", check_command_read, NULL, RECORD_COMMAND },
	{ "event", check_event, NULL, RECORD_EVENT },
	{ "event_read", check_event_read, NULL, RECORD_EVENT },
	{ "message", check_message, "page-request", RECORD_MESSAGE },
	{ "marker", check_message, "stop-marker", RECORD_MESSAGE },
	{ "prg", check_prg_response, "prg-response", RECORD_MESSAGE },
	{ "old_group_response", check_old_group_response, "old-group-response",
	  RECORD_COMMAND },
	{ "old_stream_response", check_old_stream_response, "old-stream-response",
	  RECORD_COMMAND },
};

/* ---- Fields ------------------------------------------------------------------------ */

static const struct record *record_find(const char *name, size_t length)
{
	for (const struct record *at = family->records; at->name != NULL; at++)
		if (strlen(at->name) == length && memcmp(at->name, name, length) == 0)
			return at;
	return NULL;
}

/* "RECORD.reserved WORDS : mask=... mask=...", word after word: of this kind. */
static void check_reserved(const struct record *record)
{
	struct record_kind kind = record_kind(record, bytes, record->size_bytes);

	CHECK_LINE(vector.said_count <= record->size_bytes / 8 && kind.layout != NULL);
	for (uint32_t i = 0; i < vector.said_count; i++)
		CHECK_LINE(strncmp(vector.said[i], "mask=", 5) == 0 &&
			   kind.reserved[i] == strtoull(vector.said[i] + 5, NULL, 0));
}

/* The name of a problem's field in small letters; "-": it has none. */
static void problem_name(const struct iopf_layout *layout, uint32_t field, char name[48])
{
	const struct field_row *row = NULL;
	size_t i = 0;

	if (layout != NULL && field != 0)
		row = record_row_at(layout, FIELD_WORD(field), FIELD_LSB(field));
	for (; row != NULL && i < 47 && record_name(layout, row)[i] != '\0'; i++)
		name[i] = (char)tolower((unsigned char)record_name(layout, row)[i]);
	name[i] = '\0';
	if (row == NULL)
		strcpy(name, "-");
}

/* "RECORD.wrong WORDS : FIELD ...": something is wrong with these, and with no other. */
static void check_wrong(const struct record *record)
{
	struct record_kind kind = record_kind(record, bytes, 8 * vector.word_count);
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	unsigned count = record_problems(record, bytes, 8 * vector.word_count, problems);
	uint32_t named = 0;

	CHECK_LINE(count > 0);
	for (unsigned n = 0; n < count; n++) {
		uint32_t said = 0;
		char name[48];

		problem_name(kind.layout, problems[n].field, name);
		while (said < vector.said_count && strcmp(vector.said[said], name) != 0)
			said++;
		CHECK_LINE(said < vector.said_count);
		named |= 1u << said;
	}
	CHECK_LINE(named == (1u << vector.said_count) - 1);
}

/* ---- Files ------------------------------------------------------------------------- */

/* Only a family with codecs has its records under such words. */
static bool is_plain(size_t i)
{
	return strcmp(vector.record, plain[i].word) == 0 &&
	       (plain[i].record != NULL || family->wire != NULL);
}

/* What the line is about. */
static const struct record *line_record(void)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!is_plain(i))
			continue;
		return plain[i].record != NULL ?
			       record_find(plain[i].record, strlen(plain[i].record)) :
			       wire_record(family, plain[i].role);
	}
	if (strncmp(vector.record, "plain_", 6) == 0)
		return record_find(vector.record + 6, strlen(vector.record + 6));
	return record_find(vector.record, strcspn(vector.record, "."));
}

/* Plain values are golden: nothing is wrong with their records. */
static void check_clean(const struct record *record)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];

	CHECK_LINE(record_problems(record, bytes, 8 * vector.word_count, problems) == 0);
}

static void check_line(void)
{
	const struct record *record = line_record();

	CHECK_LINE(record != NULL);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!is_plain(i))
			continue;
		plain[i].check();
		if (strstr(vector.record, "_read") == NULL)
			check_clean(record);
		return;
	}
	if (strstr(vector.record, ".reserved") != NULL) {
		check_reserved(record);
		return;
	}
	if (strstr(vector.record, ".wrong") != NULL) {
		check_wrong(record);
		return;
	}
	/* Plain values that a family has for itself, and its own test looks at. */
	if (strncmp(vector.record, "plain_", 6) != 0)
		CHECK_LINE(vector_fields_match(&vector, record, bytes));
	check_clean(record);
}

static FILE *family_open(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.txt", family->name);
	return vectors_open(name);
}

TEST(records_are_what_the_vectors_say)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		FILE *file;

		family = wire_families[i];
		file = family_open();
		while (next(file))
			check_line();
		fclose(file);
	}
}

/* Whether a line is about a record of this kind: it has the same selectors. */
static bool has_vector(const struct record *record, const uint8_t *kind)
{
	FILE *file = family_open();
	bool found = false;

	while (!found && next(file)) {
		found = line_record() == record && strchr(vector.record, '.') == NULL;
		for (unsigned i = 0; i < 2 && record->selectors[i] != 0; i++)
			found &= field_get(kind, record->selectors[i]) ==
				 field_get(bytes, record->selectors[i]);
	}
	fclose(file);
	return found;
}

TEST(each_kind_of_each_record_has_a_vector)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		family = wire_families[i];
		for (const struct record *at = family->records; at->name != NULL; at++) {
			uint8_t kind[RECORD_BYTES_MAX];
			uint32_t step = 0;

			while (record_next(at, &step, kind)) {
				bool found = has_vector(at, kind);

				if (!found)
					printf("%s.%s, word 0 0x%" PRIx64 ": no vector\n",
					       family->name, at->name, le64_get(kind));
				CHECK(found);
			}
		}
	}
}

/* Whether a line breaks @rule of @layout. */
static bool is_broken_by_a_line(const struct record *record,
				const struct iopf_layout *layout,
				const struct record_rule *rule)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	FILE *file = family_open();
	bool broken = false;

	while (next(file)) {
		uint32_t size_bytes = 8 * vector.word_count;
		unsigned n = 0;

		if (strstr(vector.record, ".wrong") == NULL)
			continue;
		if (line_record() == record &&
		    record_kind(record, bytes, size_bytes).layout == layout)
			n = record_problems(record, bytes, size_bytes, problems);
		while (n > 0)
			broken |= problems[--n].rule == rule;
	}
	fclose(file);
	return broken;
}

static void check_rules(const struct record *record, const struct iopf_layout *layout)
{
	const struct record_rule *rule = layout->rules;

	for (; rule != NULL && rule->field != 0; rule++) {
		bool holds = rule->kind == RECORD_RULE_LOSS ||
			     is_broken_by_a_line(record, layout, rule);

		if (!holds)
			printf("%s.%s, %s: no line breaks rule %u\n", family->name,
			       record->name, layout->name,
			       (unsigned)(rule - layout->rules));
		CHECK(holds);
	}
}

TEST(each_rule_is_broken_by_a_vector)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		family = wire_families[i];
		for (const struct record *at = family->records; at->name != NULL; at++) {
			uint8_t kind[RECORD_BYTES_MAX];
			uint32_t step = 0;

			while (record_next(at, &step, kind))
				check_rules(at, record_kind(at, kind, at->size_bytes).layout);
		}
	}
}

TEST(a_response_becomes_the_command_that_carries_it)
{
	struct iopf_response response = {
		.rid = 0x310, .pasid = 0x12345, .index = 0x1ab, .code = IOPF_INVALID,
		.flags = IOPF_PRIVATE, .private_data = { 1, 2 }, .token = 77,
	};
	struct iopf_command command = iopf_command_from_response(&response);

	CHECK_EQ(command.kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 32, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0001234503101039);
	CHECK_EQ(le64_get(bytes + 8), 0xd58);
	CHECK_EQ(le64_get(bytes + 16), 1);
	CHECK_EQ(le64_get(bytes + 24), 2);
	response.flags = 0;
	command = iopf_command_from_response(&response);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 16, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0001234503101019);
	response.flags = IOPF_STALL;
	command = iopf_command_from_response(&response);
	CHECK_EQ(iopf_wire_vtd.encode_command(&command, 32, bytes), -EOPNOTSUPP);
	CHECK_EQ(iopf_wire_smmuv3.encode_command(&command, 16, bytes), 0);
	CHECK_EQ(le64_get(bytes), 0x0000031000002044);
	CHECK_EQ(le64_get(bytes + 8), 0x1ab);
}

TEST(a_stall_becomes_a_request_that_is_a_group_of_one)
{
	const struct iopf_fault fault = {
		.addr = 0x7f0012345678, .gpa = 0x1000, .rid = 0x40, .pasid = 7,
		.index = 0x8003, .perm = IOPF_WRITE, .reason = IOPF_SMMUV3_F_TRANSLATION,
		.stage = 2, .stall = true,
	};
	struct iopf_request request = iopf_request_from_fault(&fault);

	CHECK_EQ(request.addr, 0x7f0012345678);
	CHECK_EQ(request.rid, 0x40);
	CHECK_EQ(request.pasid, 7);
	CHECK_EQ(request.index, 0x8003);
	CHECK_EQ(request.perm, IOPF_WRITE);
	CHECK_EQ(request.flags, IOPF_LAST | IOPF_STALL);
}

TEST(codes_are_a_closed_table)
{
	CHECK_EQ(iopf_pcie_code(IOPF_SUCCESS), 0);
	CHECK_EQ(iopf_pcie_code(IOPF_INVALID), 1);
	CHECK_EQ(iopf_pcie_code(IOPF_FAILURE), 0xf);
	CHECK_EQ(iopf_pcie_meaning(0), IOPF_SUCCESS);
	CHECK_EQ(iopf_pcie_meaning(1), IOPF_INVALID);
	for (unsigned code = 2; code < 256; code++)
		CHECK_EQ(iopf_pcie_meaning((uint8_t)code), IOPF_FAILURE);
}

int main(void)
{
	return test_main();
}
