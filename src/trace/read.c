/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/read.c - which form it is, and the rules between statements. */
#include "trace/form.h"

static int fail_backwards(const struct place *place, size_t column, uint64_t ns,
			  uint64_t now_ns)
{
	struct out out = fail_begin(place, column);

	out_string(&out, "time ");
	out_number(&out, ns);
	out_string(&out, " runs backwards, expected ");
	out_number(&out, now_ns);
	out_string(&out, " or later");
	return fail_end(&out);
}

int read_accept(struct trace_reader *reader, const struct trace_event *event,
		const struct place *place, size_t column)
{
	if (event->kind == TRACE_KIND_world) {
		if (reader->timed)
			return fail_plain(place, column, "'world' after an event, expected it "
					  "before all others");
		return 0;
	}
	reader->timed = true;
	if (!trace_kind_timed(event->kind))
		return 0;
	if (event->ns < reader->now_ns)
		return fail_backwards(place, column, event->ns, reader->now_ns);
	reader->now_ns = event->ns;
	return 0;
}

void trace_reader_open_as(struct trace_reader *reader, const void *bytes,
			  size_t size_bytes, unsigned variant)
{
	*reader = (struct trace_reader){ .bytes = bytes,
					 .size_bytes = size_bytes,
					 .variant = (uint8_t)variant };
}

void trace_reader_open(struct trace_reader *reader, const void *bytes, size_t size_bytes)
{
	trace_reader_open_as(reader, bytes, size_bytes, TRACE_VARIANT_COUNT);
}

static int read_header(struct trace_reader *reader, struct trace_error *error)
{
	bool binary = reader->size_bytes > 0 &&
		      reader->bytes[0] == (uint8_t)BINARY_MAGIC[0];
	struct place place = { .error = error, .line = binary ? 0 : 1 };

	reader->form = binary ? TRACE_BINARY : TRACE_TEXT;
	reader->started = true;
	return binary ? binary_read_header(reader, &place)
		      : text_read_header(reader, &place);
}

int trace_read(struct trace_reader *reader, struct trace_event *event,
	       struct trace_error *error)
{
	struct place place = { .error = error, .line = reader->line };
	int result = 0;

	if (reader->failed)
		return fail_plain(&place, 1, "read on after an error, expected no further call");
	if (!reader->started)
		result = read_header(reader, error);
	if (result == 0)
		result = reader->form == TRACE_BINARY ? binary_read(reader, event, error)
						      : text_read(reader, event, error);
	reader->failed = result < 0;
	return result;
}

static int written(const struct out *out, size_t size_bytes)
{
	return out->full ? -ENOSPC : (int)(size_bytes - out->left);
}

/* Nothing is written where it does not fit: a line is made aside. */
static int deliver(const struct out *out, const char *line, void *bytes,
		   size_t size_bytes)
{
	int size = written(out, TRACE_LINE_MAX);

	if (size < 0 || (size_t)size > size_bytes)
		return -ENOSPC;
	memcpy(bytes, line, (size_t)size);
	return size;
}

int trace_write_header(enum trace_form form, void *bytes, size_t size_bytes)
{
	char line[TRACE_LINE_MAX];
	struct out out = { .at = line, .left = sizeof(line) };

	if (form == TRACE_BINARY)
		binary_write_header(&out);
	else
		text_write_header(&out);
	return deliver(&out, line, bytes, size_bytes);
}

int trace_write(enum trace_form form, const struct trace_event *event, void *bytes,
		size_t size_bytes)
{
	char line[TRACE_LINE_MAX];
	struct out out = { .at = line, .left = sizeof(line) };

	if (trace_check(event) != 0)
		return -EINVAL;
	if (form == TRACE_BINARY)
		binary_write(&out, event);
	else
		text_write(&out, event);
	return deliver(&out, line, bytes, size_bytes);
}
