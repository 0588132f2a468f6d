/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/words.h - records written down as hexadecimal numbers: from text to the bytes that
 * lie in memory, and back.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one number stands for: 64 or 32 bits of a word, or 8: a string of bytes. */
struct words_form {
	uint32_t bits;
	bool big; /* a number's bytes lie the highest first */
};

struct words_error {
	uint32_t line; /* from 1 */
	const char *token;
	int length;
	const char *wrong; /* what is wrong with it */
};

/*
 * Hexadecimal numbers between blanks or commas, with or without 0x. "#" begins a comment,
 * and so does "|", behind which dumps show characters; what ends with ":" says where in
 * memory the next one is, and is passed over.
 *
 * Returns: bytes written, or -1: *@error says why.
 */
long words_read(const struct words_form *form, const char *text, size_t length,
		uint8_t *bytes, size_t bytes_max, struct words_error *error);

/* The same numbers again; "0x1 0x2". @text has room for 3 characters a byte, and 1. */
void words_write(const struct words_form *form, const uint8_t *bytes, size_t size_bytes,
		 char *text);

#endif
