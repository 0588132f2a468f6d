/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/line.h - a line of the text; for text.c and variant.c only. */
#ifndef TRACE_LINE_H
#define TRACE_LINE_H

#include "trace/form.h"

/* What is left of a line, and where it began. */
struct line {
	struct place place;
	const char *start;
	struct span rest;
};

/* The next line without its newline. */
int line_take(struct trace_reader *reader, const struct place *place, struct span *text);
/* Without the comment, and the blanks at its end. */
struct span line_statement(struct span text);
/* The next word; of size 0 at the end. */
struct span line_word(struct line *line);

size_t line_column(const struct line *line, struct span span);
/* As much of @span as a message shows. */
struct span line_shown(struct span span);
/* % in @what is @span, and there it is wrong. Returns -EBADMSG. */
int line_fail(const struct line *line, struct span span, const char *what);
/* The same, to be gone on with; the second % is @other. */
struct out line_fail_begin(const struct line *line, struct span span, const char *what,
			   struct span other);

/* ---- variant.c: which variants a file has, and which of them a line is for ---------- */

/* Returns: 1: a line about variants, taken; 0: another; -EBADMSG. */
int variant_take_plan(struct trace_reader *reader, struct line *line);
/* Take the words @... in front of a statement; *@counts: it is one of this variant. */
int variant_take_traits(const struct trace_reader *reader, struct line *line, bool *counts);

#endif
