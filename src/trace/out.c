/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/out.c - characters into a place of limited size. */
#include "trace/form.h"

void out_char(struct out *out, char character)
{
	if (out->left == 0) {
		out->full = true;
		return;
	}
	*out->at++ = character;
	out->left--;
}

void out_span(struct out *out, struct span span)
{
	for (size_t i = 0; i < span.size; i++)
		out_char(out, span.at[i]);
}

void out_string(struct out *out, const char *string)
{
	out_span(out, span_of(string));
}

void out_digits(struct out *out, uint64_t number, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	while (count > 0)
		out_char(out, digits[--count]);
}

void out_number(struct out *out, uint64_t number)
{
	out_digits(out, number, 10);
}

void out_format(struct out *out, const char *what, struct span one, struct span other)
{
	for (; *what != '\0'; what++) {
		if (*what != '%') {
			out_char(out, *what);
			continue;
		}
		out_span(out, one);
		one = other;
	}
}
