/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the lists of the event language agree with each other and the document. */
#include <ctype.h>

#include "test.h"
#include "trace/trace.h"

static bool is_word(const char *name)
{
	if (name == NULL || *name == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) &&
		    *name != '_')
			return false;
	return true;
}

TEST(every_kind_has_a_name_of_its_own)
{
	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
		CHECK(is_word(trace_kind_name(i)) && !isdigit(*trace_kind_name(i)));
		CHECK(trace_kind_text(i) != NULL);
		for (unsigned other = 0; other < i; other++)
			CHECK(strcmp(trace_kind_name(i), trace_kind_name(other)) != 0);
	}
	CHECK(trace_kind_name(TRACE_KIND_COUNT) == NULL);
}

TEST(every_key_has_a_name_and_some_kind_may_carry_it)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 256; i++) {
		if (trace_key_name(i) == NULL)
			continue;
		count++;
		CHECK(is_word(trace_key_name(i)));
		CHECK(trace_key_may(i) != 0);
		CHECK(trace_key_may(i) >> TRACE_KIND_COUNT == 0);
		for (unsigned other = 0; other < i; other++)
			if (trace_key_name(other) != NULL)
				CHECK(strcmp(trace_key_name(i), trace_key_name(other)) != 0);
	}
	CHECK_EQ(count, TRACE_KEY_WORDS + IOPF_COUNTER_COUNT + IOPF_GAUGE_COUNT);
}

TEST(counters_and_gauges_are_keys_in_their_order)
{
	CHECK_EQ(TRACE_KEY_requests, TRACE_KEY_COUNTERS + IOPF_COUNTER_requests);
	CHECK_EQ(TRACE_KEY_events_suppressed,
		 TRACE_KEY_COUNTERS + IOPF_COUNTER_events_suppressed);
	CHECK_EQ(TRACE_KEY_credits_in_use, TRACE_KEY_GAUGES + IOPF_GAUGE_credits_in_use);
}

TEST(each_variant_is_one_way_to_page_and_one_to_answer)
{
	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++) {
		unsigned has = trace_variant_traits(n);
		bool pri = has & TRACE_IS(PRI);

		CHECK(strlen(trace_variant_name(n)) > 0 && strlen(trace_variant_text(n)) > 0);
		CHECK(pri != !!(has & TRACE_IS(STALL)));
		CHECK(!!(has & TRACE_IS(DIRECT)) != !!(has & TRACE_IS(GUEST)));
		CHECK_EQ(!!(has & TRACE_IS(PASID)) + !!(has & TRACE_IS(NOPASID)), pri);
		for (unsigned other = 0; other < n; other++)
			CHECK(trace_variant_traits(other) != has);
	}
	for (unsigned n = 0; n < TRACE_TRAIT_COUNT; n++)
		CHECK(strlen(trace_trait_name(n)) > 0 && strlen(trace_trait_text(n)) > 0);
	CHECK(trace_variant_name(TRACE_VARIANT_COUNT) == NULL);
	CHECK(trace_trait_name(TRACE_TRAIT_COUNT) == NULL);
	CHECK_EQ(trace_variant_traits(TRACE_VARIANT_COUNT), 0);
}

TEST(numbers_of_words_never_change)
{
	CHECK_EQ(TRACE_KIND_world, 0);
	CHECK_EQ(TRACE_KIND_request, 2);
	CHECK_EQ(TRACE_KIND_response, 8);
	CHECK_EQ(TRACE_KIND_remove, 18);
	CHECK_EQ(TRACE_KIND_mark, 40);
	CHECK_EQ(TRACE_KEY_endpoint, 0);
	CHECK_EQ(TRACE_KEY_token, 9);
	CHECK_EQ(TRACE_KEY_code, 18);
	CHECK_EQ(TRACE_KEY_interface, 30);
	CHECK_EQ(TRACE_KEY_rf, 51);
	CHECK_EQ(TRACE_KEY_stalls, 73);
}

TEST(results_are_errno_and_back)
{
	for (unsigned i = 0; i < TRACE_RESULT_COUNT; i++)
		CHECK_EQ(trace_result_of(trace_result_errno((enum trace_result)i)), i);
	CHECK_EQ(trace_result_of(7), TRACE_RESULT_ok);
	CHECK_EQ(trace_result_of(-12345), TRACE_RESULT_bad);
}

/* The row "| `name` | ... |" of docs/formats.md, whole, or false. */
static bool document_has(const char *document, const char *row)
{
	const char *found = strstr(document, row);

	return found != NULL && found[-1] == '\n';
}

static char *read_document(void)
{
	FILE *file = fopen(TEST_VECTORS "/../../docs/formats.md", "rb");
	static char bytes[1 << 18];
	size_t size;

	CHECK(file != NULL);
	size = fread(bytes, 1, sizeof(bytes) - 1, file);
	fclose(file);
	bytes[size] = '\0';
	return bytes;
}

/* Rows as this program would write them; with an argument it does. */
static size_t kind_row(char *row, size_t size, unsigned kind)
{
	int n = snprintf(row, size, "| `%s` | %s |", trace_kind_name(kind),
			 trace_kind_text(kind));
	const char *before = " ";

	for (unsigned key = 0; key < TRACE_KEY_WORDS; key++) {
		if (!(trace_key_must(key) >> kind & 1))
			continue;
		n += snprintf(row + n, size - (size_t)n, "%s**%s**", before,
			      trace_key_name(key));
		before = ", ";
	}
	for (unsigned key = 0; key < TRACE_KEY_WORDS; key++) {
		if (!(trace_key_may(key) >> kind & 1) || (trace_key_must(key) >> kind & 1))
			continue;
		n += snprintf(row + n, size - (size_t)n, "%s%s", before,
			      trace_key_name(key));
		before = ", ";
	}
	if (trace_key_may(TRACE_KEY_requests) >> kind & 1)
		n += snprintf(row + n, size - (size_t)n, ", every counter and gauge");
	n += snprintf(row + n, size - (size_t)n, " |\n");
	return (size_t)n;
}

static size_t key_row(char *row, size_t size, unsigned key)
{
	return (size_t)snprintf(row, size, "| `%s` | %s | %s |\n", trace_key_name(key),
				trace_type_name(trace_key_type(key)), trace_key_text(key));
}

static size_t type_row(char *row, size_t size, unsigned type)
{
	int n = snprintf(row, size, "| %s | %s", trace_type_name(type),
			 trace_type_text(type));

	for (unsigned i = 0; trace_word((enum trace_type)type, i) != NULL; i++)
		n += snprintf(row + n, size - (size_t)n, "%s`%s`", i == 0 ? ": " : ", ",
			      trace_word((enum trace_type)type, i));
	return (size_t)(n + snprintf(row + n, size - (size_t)n, " |\n"));
}

TEST(every_kind_key_and_word_stands_in_the_document)
{
	const char *document = read_document();
	static char row[4096];

	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
		CHECK(kind_row(row, sizeof(row), i) < sizeof(row));
		if (!document_has(document, row))
			printf("missing: %s", row);
		CHECK(document_has(document, row));
	}
	for (unsigned i = 0; i < 256; i++) {
		if (trace_key_name(i) == NULL)
			continue;
		CHECK(key_row(row, sizeof(row), i) < sizeof(row));
		if (!document_has(document, row))
			printf("missing: %s", row);
		CHECK(document_has(document, row));
	}
	for (unsigned i = 0; i < TRACE_TYPE_COUNT; i++) {
		CHECK(type_row(row, sizeof(row), i) < sizeof(row));
		if (!document_has(document, row))
			printf("missing: %s", row);
		CHECK(document_has(document, row));
	}
}

TEST(the_scenario_in_the_document_is_one)
{
	const char *start = strstr(read_document(), "\niopf-trace 1\n") + 1;
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error = { .text = "" };
	unsigned count = 0;

	trace_reader_open(&reader, start, (size_t)(strstr(start, "```") - start));
	while (trace_read(&reader, &event, &error) == 1)
		count++;
	CHECK_STR(error.text, "");
	CHECK_EQ(count, 17);
}

static void print_rows(void)
{
	static char row[4096];

	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
		kind_row(row, sizeof(row), i);
		fputs(row, stdout);
	}
	puts("");
	for (unsigned i = 0; i < 256; i++) {
		if (trace_key_name(i) == NULL)
			continue;
		key_row(row, sizeof(row), i);
		fputs(row, stdout);
	}
	puts("");
	for (unsigned i = 0; i < TRACE_TYPE_COUNT; i++) {
		type_row(row, sizeof(row), i);
		fputs(row, stdout);
	}
}

/* With an argument: the tables for docs/formats.md. */
int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 1)
		return test_main();
	print_rows();
	return 0;
}
