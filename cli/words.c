/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/words.c - hexadecimal numbers and the bytes that they stand for. */
#include "cli/words.h"

#include <stdio.h>
#include <string.h>

struct reader {
	const struct words_form *form;
	uint8_t *bytes;
	size_t count, max;
	struct words_error *error;
};

static bool refuse(struct reader *reader, const char *token, size_t length, const char *wrong)
{
	reader->error->token = token;
	reader->error->length = (int)(length < 64 ? length : 64);
	reader->error->wrong = wrong;
	return false;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool byte_add(struct reader *reader, uint64_t byte)
{
	if (reader->count == reader->max)
		return false;
	reader->bytes[reader->count++] = (uint8_t)byte;
	return true;
}

/* "0110a5": three bytes. */
static bool string_add(struct reader *reader, const char *token, size_t length)
{
	if (length % 2 != 0)
		return refuse(reader, token, length, "bytes have two digits each");
	for (size_t i = 0; i < length; i += 2) {
		int high = digit_of(token[i]), low = digit_of(token[i + 1]);

		if (high < 0 || low < 0)
			return refuse(reader, token, length, "not hexadecimal");
		if (!byte_add(reader, (uint64_t)(high << 4 | low)))
			return refuse(reader, token, length, "more than can be read");
	}
	return true;
}

static bool number_add(struct reader *reader, const char *token, size_t length)
{
	uint32_t bits = reader->form->bits;
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		int digit = digit_of(token[i]);

		if (digit < 0)
			return refuse(reader, token, length, "not hexadecimal");
		if (value >> (bits - 4) != 0)
			return refuse(reader, token, length,
				      bits == 32 ? "more than 32 bits" : "more than 64 bits");
		value = value << 4 | (uint64_t)digit;
	}
	for (uint32_t at = 0; at < bits; at += 8)
		if (!byte_add(reader, value >> (reader->form->big ? bits - 8 - at : at)))
			return refuse(reader, token, length, "more than can be read");
	return true;
}

static bool token_add(struct reader *reader, const char *token, size_t length)
{
	bool prefixed = length > 2 && token[0] == '0' && (token[1] | 0x20) == 'x';

	if (token[length - 1] == ':')
		return true;
	if (prefixed) {
		token += 2;
		length -= 2;
	}
	return reader->form->bits == 8 ? string_add(reader, token, length) :
					 number_add(reader, token, length);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

static bool line_read(struct reader *reader, const char *line, size_t length)
{
	size_t at = 0, begin;

	for (;;) {
		while (at < length && is_blank(line[at]))
			at++;
		begin = at;
		while (at < length && !is_blank(line[at]) && line[at] != '#' &&
		       line[at] != '|')
			at++;
		if (at == begin)
			return true;
		if (!token_add(reader, line + begin, at - begin))
			return false;
	}
}

long words_read(const struct words_form *form, const char *text, size_t length,
		uint8_t *bytes, size_t bytes_max, struct words_error *error)
{
	struct reader reader = {
		.form = form, .bytes = bytes, .max = bytes_max, .error = error
	};
	size_t at = 0;

	for (error->line = 1; at < length; error->line++) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t line = end != NULL ? (size_t)(end - text) - at : length - at;

		if (!line_read(&reader, text + at, line))
			return -1;
		at += line + 1;
	}
	return (long)reader.count;
}

void words_write(const struct words_form *form, const uint8_t *bytes, size_t size_bytes,
		 char *text)
{
	uint32_t step = form->bits / 8;

	*text = '\0';
	for (size_t at = 0; at < size_bytes; at += step) {
		if (at != 0)
			*text++ = ' ';
		text += sprintf(text, "%s", step == 1 ? "" : "0x");
		for (uint32_t i = 0; i < step; i++)
			text += sprintf(text, "%02x",
					bytes[at + (form->big ? i : step - 1 - i)]);
	}
}
