/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/fail.c - "file:line:column: what, expected what". */
#include "trace/form.h"

struct out fail_begin(const struct place *place, size_t column)
{
	place->error->line = place->line;
	place->error->column = (uint32_t)column;
	return (struct out){ .at = place->error->text, .left = TRACE_ERROR_MAX - 1 };
}

int fail_end(struct out *out)
{
	*out->at = '\0';
	return -EBADMSG;
}

int fail_plain(const struct place *place, size_t column, const char *what)
{
	struct out out = fail_begin(place, column);

	out_string(&out, what);
	return fail_end(&out);
}

int fail_with(const struct place *place, size_t column, const char *what,
	      struct span span)
{
	struct out out = fail_begin(place, column);

	out_format(&out, what, span, span);
	return fail_end(&out);
}

int fail_missing(const struct place *place, size_t column, const struct trace_event *event,
		 unsigned key)
{
	struct out out = fail_begin(place, column);

	out_format(&out, "'%' without '%', expected it",
		   span_of(trace_kind_name(event->kind)), span_of(trace_key_name(key)));
	return fail_end(&out);
}

void trace_error_text(const struct trace_error *error, const char *file, char *text,
		      size_t size_bytes)
{
	struct out out = { .at = text, .left = size_bytes - 1 };

	if (size_bytes == 0)
		return;
	out_string(&out, file);
	out_char(&out, ':');
	out_number(&out, error->line);
	out_char(&out, ':');
	out_number(&out, error->column);
	out_string(&out, ": ");
	out_string(&out, error->text);
	*out.at = '\0';
}
