/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/form.h - what the text and the binary form share: values, messages, rules. */
#ifndef TRACE_FORM_H
#define TRACE_FORM_H

#include <errno.h>
#include <string.h>

#include "trace/trace.h"

/* Characters of somebody else, without a NUL behind them. */
struct span {
	const char *at;
	size_t size;
};

static inline struct span span_of(const char *string)
{
	return (struct span){ string, string == NULL ? 0 : strlen(string) };
}

static inline bool span_is(struct span span, const char *string)
{
	return string != NULL && strlen(string) == span.size &&
	       memcmp(span.at, string, span.size) == 0;
}

/* ---- out.c: characters out ------------------------------------------------------- */

/* Characters into a place of limited size; what does not fit is left out. */
struct out {
	char *at;
	size_t left;
	bool full;
};

void out_char(struct out *out, char character);
void out_span(struct out *out, struct span span);
void out_string(struct out *out, const char *string);
void out_digits(struct out *out, uint64_t number, unsigned base);
void out_number(struct out *out, uint64_t number);
/* @what, each % in it replaced by the next of @one and @other. */
void out_format(struct out *out, const char *what, struct span one, struct span other);

/* ---- value.c: values in and out -------------------------------------------------- */

/* -EINVAL: no value of that type; -ERANGE: too large for @key. */
int value_parse(unsigned key, struct span text, struct trace_pair *pair);
int value_parse_duration(struct span text, uint64_t *ns);
bool value_fits(const struct trace_pair *pair);
void value_put(struct out *out, const struct trace_pair *pair);
/* What @key's value has to be, for people. */
void value_put_expected(struct out *out, unsigned key);

/* ---- event.c --------------------------------------------------------------------- */

bool event_allows(const struct trace_event *event, unsigned key);
/* False: the key is there already, or no room is left. */
bool event_insert(struct trace_event *event, const struct trace_pair *pair);
void event_copy(struct trace_event *to, const struct trace_event *from);
/* The first key that @event needs and does not have; TRACE_KEY_NONE. */
unsigned event_missing(const struct trace_event *event);

/* ---- fail.c: messages ------------------------------------------------------------ */

/* Where in the file: for messages. */
struct place {
	struct trace_error *error;
	uint32_t line;
};

/* Begin a message at @column; fail_end() closes it. All others are a whole message. All
 * but fail_begin() return -EBADMSG. */
struct out fail_begin(const struct place *place, size_t column);
int fail_end(struct out *out);
int fail_plain(const struct place *place, size_t column, const char *what);
/* % in @what is @span. */
int fail_with(const struct place *place, size_t column, const char *what,
	      struct span span);
/* @event needs @key. */
int fail_missing(const struct place *place, size_t column, const struct trace_event *event,
		 unsigned key);

/* ---- read.c: the rules between statements ---------------------------------------- */

/* @event comes after what @reader has read: the world first, time never backwards. */
int read_accept(struct trace_reader *reader, const struct trace_event *event,
		const struct place *place, size_t column);

/* ---- text.c, binary.c: one statement --------------------------------------------- */

int text_read_header(struct trace_reader *reader, const struct place *place);
int text_read(struct trace_reader *reader, struct trace_event *event,
	      struct trace_error *error);
void text_write_header(struct out *out);
void text_write(struct out *out, const struct trace_event *event);

#define BINARY_MAGIC "\x89IOPF\r\n\x1a"

int binary_read_header(struct trace_reader *reader, const struct place *place);
int binary_read(struct trace_reader *reader, struct trace_event *event,
		struct trace_error *error);
void binary_write_header(struct out *out);
void binary_write(struct out *out, const struct trace_event *event);

#endif
