/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz/trace.c - any bytes as a recording: what is read can be written in both forms, and
 * is read from them again. */
#include <assert.h>

#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reader of variants gives events without what chose them. */
static void check_again(const struct trace_event *event, enum trace_form form)
{
	uint8_t bytes[2 * TRACE_LINE_MAX];
	struct trace_reader reader;
	struct trace_event again;
	struct trace_error error;
	int header = trace_write_header(form, bytes, sizeof(bytes)), length;

	assert(header > 0);
	length = trace_write(form, event, bytes + header, sizeof(bytes) - (size_t)header);
	assert(length > 0);
	trace_reader_open(&reader, bytes, (size_t)(header + length));
	assert(trace_read(&reader, &again, &error) == 1 && trace_equal(event, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;

	trace_reader_open(&reader, data, size);
	while (trace_read(&reader, &event, &error) == 1) {
		check_again(&event, TRACE_TEXT);
		check_again(&event, TRACE_BINARY);
	}
	return 0;
}
