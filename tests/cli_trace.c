/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: reads recordings for cli_run.py: prints how many events of each kind, or why
 * it is none. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/trace.h"

static void *file_read(const char *path, size_t *size_bytes)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long end;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0)
		return NULL;
	rewind(file);
	*size_bytes = (size_t)end;
	bytes = malloc(*size_bytes + 1);
	if (bytes != NULL && fread(bytes, 1, *size_bytes, file) != *size_bytes)
		*size_bytes = 0;
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	static uint64_t count[TRACE_KIND_COUNT];
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	char text[2 * TRACE_ERROR_MAX];
	size_t size_bytes = 0;
	void *bytes = argc == 2 ? file_read(argv[1], &size_bytes) : NULL;
	int got;

	if (bytes == NULL)
		return 2;
	trace_reader_open(&reader, bytes, size_bytes);
	while ((got = trace_read(&reader, &event, &error)) == 1)
		count[event.kind]++;
	if (got != 0) {
		trace_error_text(&error, argv[1], text, sizeof(text));
		printf("%s\n", text);
	}
	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++)
		if (count[i] > 0)
			printf("%s %" PRIu64 "\n", trace_kind_name(i), count[i]);
	free(bytes);
	return got == 0 ? 0 : 1;
}
