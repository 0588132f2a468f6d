/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz/words.c - any text as a dump for iopf decode: refused, or read, written and read
 * again as the same bytes. Input: the form, the text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t widths[] = { 64, 32, 8, 8 };
	static uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
	static char text[3 * BYTES_MAX + 1];
	struct words_form form;
	struct words_error error;
	long count;

	if (size < 1)
		return 0;
	form = (struct words_form){ widths[data[0] & 3], (data[0] & 4) != 0 };
	count = words_read(&form, (const char *)data + 1, size - 1, bytes, sizeof(bytes),
			   &error);
	if (count < 0) {
		assert(error.line >= 1 && error.length >= 0 && error.wrong != NULL);
		assert((const uint8_t *)error.token > data &&
		       (const uint8_t *)error.token + error.length <= data + size);
		return 0;
	}
	assert(count <= BYTES_MAX && count % (form.bits / 8) == 0);
	words_write(&form, bytes, (size_t)count, text);
	assert(words_read(&form, text, strlen(text), again, sizeof(again), &error) == count);
	assert(memcmp(bytes, again, (size_t)count) == 0);
	return 0;
}
