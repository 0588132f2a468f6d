/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/variant.c - one file, played in several ways: which, and what is for which. */
#include "trace/line.h"

#define VARIANT_ROW(name_, word_, traits_, text_) \
	{ .word = word_, .text = text_, .traits = traits_ },
#define TRAIT_ROW(name_, word_, text_) { .word = word_, .text = text_ },

struct row {
	const char *word, *text;
	uint8_t traits;
};

static const struct row variants[] = { TRACE_VARIANTS(VARIANT_ROW) };
static const struct row traits[] = { TRACE_TRAITS(TRAIT_ROW) };
_Static_assert(TRACE_VARIANT_COUNT <= 8 && TRACE_TRAIT_COUNT <= 8, "a set is one byte");

const char *trace_variant_name(unsigned variant)
{
	return variant < TRACE_VARIANT_COUNT ? variants[variant].word : NULL;
}

const char *trace_variant_text(unsigned variant)
{
	return variant < TRACE_VARIANT_COUNT ? variants[variant].text : NULL;
}

uint8_t trace_variant_traits(unsigned variant)
{
	return variant < TRACE_VARIANT_COUNT ? variants[variant].traits : 0;
}

const char *trace_trait_name(unsigned trait)
{
	return trait < TRACE_TRAIT_COUNT ? traits[trait].word : NULL;
}

const char *trace_trait_text(unsigned trait)
{
	return trait < TRACE_TRAIT_COUNT ? traits[trait].text : NULL;
}

/* ---- What a file has ------------------------------------------------------------- */

/* The place of @name, which @word says, in @rows; otherwise a message that begins with
 * @what. */
static int find(const struct line *line, struct span word, struct span name,
		const struct row *rows, unsigned count, const char *what)
{
	struct out out;

	for (unsigned n = 0; n < count; n++)
		if (span_is(name, rows[n].word))
			return (int)n;
	out = line_fail_begin(line, word, what, word);
	out_string(&out, ", expected one of");
	for (unsigned n = 0; n < count; n++) {
		out_char(&out, ' ');
		out_string(&out, rows[n].word);
	}
	return fail_end(&out);
}

static int find_variant(const struct line *line, struct span word)
{
	return find(line, word, word, variants, TRACE_VARIANT_COUNT,
		    "unknown variant '%'");
}

static int take_variants(struct trace_plan *plan, struct line *line, struct span keyword)
{
	struct span word;

	if (plan->variants != 0)
		return line_fail(line, keyword, "'%' twice, expected once");
	while ((word = line_word(line)).size > 0) {
		int variant = find_variant(line, word);

		if (variant < 0)
			return variant;
		if (plan->variants >> variant & 1)
			return line_fail(line, word, "variant '%' twice, expected once");
		plan->variants |= (uint8_t)(1U << variant);
	}
	return plan->variants != 0 ?
		       1 :
		       line_fail(line, word, "'variants' of none, expected some");
}

static int take_cannot(struct trace_plan *plan, struct line *line)
{
	struct span word = line_word(line), reason;
	int variant = find_variant(line, word);

	if (variant < 0)
		return variant;
	if (plan->variants >> variant & 1)
		return line_fail(line, word,
				 "variant '%' is played, expected one that is not");
	if (plan->cannot[variant].size > 0)
		return line_fail(line, word, "a second reason for '%', expected one");
	reason = line_word(line);
	if (reason.size == 0)
		return line_fail(line, reason, "'cannot' without a reason, expected it");
	plan->cannot[variant].at = reason.at;
	plan->cannot[variant].size =
		(size_t)(line->rest.at - reason.at) + line->rest.size;
	return 1;
}

int variant_take_plan(struct trace_reader *reader, struct line *line)
{
	struct line ahead = *line;
	struct span keyword = line_word(&ahead);
	bool cannot = span_is(keyword, "cannot");

	if (!cannot && !span_is(keyword, "variants"))
		return 0;
	if (reader->begun)
		return line_fail(line, keyword,
				 "'%' after a statement, expected it before all");
	if (!cannot)
		return take_variants(&reader->plan, &ahead, keyword);
	if (reader->plan.variants == 0)
		return line_fail(line, keyword,
				 "'%' before 'variants', expected it behind");
	return take_cannot(&reader->plan, &ahead);
}

/* ---- What a line is for ---------------------------------------------------------- */

int variant_take_traits(const struct trace_reader *reader, struct line *line,
			bool *counts)
{
	uint8_t has = trace_variant_traits(reader->variant);

	*counts = true;
	while (line->rest.size > 0 && *line->rest.at == '@') {
		struct span word = line_word(line);
		struct span name = { word.at + 1, word.size - 1 };
		int trait =
			find(line, word, name, traits, TRACE_TRAIT_COUNT, "unknown '%'");

		if (trait < 0)
			return trait;
		if (reader->plan.variants == 0)
			return line_fail(line, word,
					 "'%' in a file without 'variants', "
					 "expected that line first");
		*counts &= has >> trait & 1;
		while (line->rest.size > 0 &&
		       (*line->rest.at == ' ' || *line->rest.at == '\t')) {
			line->rest.at++;
			line->rest.size--;
		}
	}
	return 0;
}

/* ---- The whole file -------------------------------------------------------------- */

static int read_all(const void *bytes, size_t size_bytes, unsigned variant,
		    struct trace_plan *plan, struct trace_error *error)
{
	struct trace_reader reader;
	struct trace_event event;
	int got;

	trace_reader_open_as(&reader, bytes, size_bytes, variant);
	while ((got = trace_read(&reader, &event, error)) == 1)
		;
	*plan = reader.plan;
	return got;
}

int trace_plan_read(const void *bytes, size_t size_bytes, struct trace_plan *plan,
		    struct trace_error *error)
{
	struct trace_plan read;
	int result = read_all(bytes, size_bytes, TRACE_VARIANT_COUNT, &read, error);

	for (unsigned n = 0; result == 0 && n < TRACE_VARIANT_COUNT; n++)
		if (read.variants >> n & 1)
			result = read_all(bytes, size_bytes, n, &read, error);
	if (result == 0)
		*plan = read;
	return result;
}
