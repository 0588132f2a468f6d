/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/line.c - a line of the text: its bytes, its words, what is wrong with them. */
#include "trace/line.h"

size_t line_column(const struct line *line, struct span span)
{
	return (size_t)(span.at - line->start) + 1;
}

struct span line_shown(struct span span)
{
	enum { SHOWN_MAX = 40 };

	if (span.size > SHOWN_MAX)
		span.size = SHOWN_MAX;
	return span;
}

int line_fail(const struct line *line, struct span span, const char *what)
{
	return fail_with(&line->place, line_column(line, span), what, line_shown(span));
}

struct out line_fail_begin(const struct line *line, struct span span, const char *what,
			   struct span other)
{
	struct out out = fail_begin(&line->place, line_column(line, span));

	out_format(&out, what, line_shown(span), other);
	return out;
}

static int fail_byte(const struct place *place, size_t column, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	char hex[3] = { digits[byte >> 4], digits[byte & 15], 0 };

	return fail_with(place, column, "byte 0x%, expected printable ASCII or a tab",
			 span_of(hex));
}

/* A comment may have letters of all languages; a statement, and so a message, has ASCII. */
static int check_bytes(const struct place *place, const uint8_t *bytes, size_t size)
{
	bool comment = false;

	for (size_t i = 0; i < size; i++) {
		bool allowed = (bytes[i] >= 0x20 && bytes[i] < 0x7f) || bytes[i] == '\t';

		comment |= bytes[i] == '#';
		if (!allowed && !(comment && bytes[i] >= 0x80))
			return fail_byte(place, i + 1, bytes[i]);
	}
	return 0;
}

int line_take(struct trace_reader *reader, const struct place *place, struct span *text)
{
	const uint8_t *start = reader->bytes + reader->at;
	size_t left = reader->size_bytes - reader->at;
	size_t limit = left < TRACE_LINE_MAX ? left : TRACE_LINE_MAX;
	const uint8_t *end = memchr(start, '\n', limit);
	size_t size = end != NULL ? (size_t)(end - start) : limit;

	if (end == NULL && limit == TRACE_LINE_MAX)
		return fail_plain(place, TRACE_LINE_MAX, "line too long, expected at most 2047 "
				  "bytes and a newline");
	if (check_bytes(place, start, size) != 0)
		return -EBADMSG;
	if (end == NULL)
		return fail_plain(place, size + 1, "file ends inside a line, expected a newline");
	reader->at += size + 1;
	*text = (struct span){ (const char *)start, size };
	return 0;
}
_Static_assert(TRACE_LINE_MAX == 2048, "the message above names it");

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

struct span line_statement(struct span text)
{
	const char *comment = text.size > 0 ? memchr(text.at, '#', text.size) : NULL;

	if (comment != NULL)
		text.size = (size_t)(comment - text.at);
	while (text.size > 0 && is_blank(text.at[text.size - 1]))
		text.size--;
	return text;
}

struct span line_word(struct line *line)
{
	struct span *rest = &line->rest;
	struct span word;

	while (rest->size > 0 && is_blank(*rest->at)) {
		rest->at++;
		rest->size--;
	}
	word = (struct span){ rest->at, 0 };
	while (rest->size > 0 && !is_blank(*rest->at)) {
		rest->at++;
		rest->size--;
		word.size++;
	}
	return word;
}
