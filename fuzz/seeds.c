/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz/seeds.c FAMILY DIRECTORY - the golden vectors of a family as inputs of its target;
 * words: lines of them as dumps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"
#include "wire/record.h"

static uint32_t written;

static int put(const char *directory, const void *bytes, size_t size)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%04u", directory, written++);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		fprintf(stderr, "%s cannot be written\n", path);
		return 1;
	}
	return 0;
}

/* The words of one line, as every record and in both of its sizes: cheap, and no table of
 * which word stands for which record has to be kept. */
static int put_records(const char *directory, const struct vector *vector, uint8_t count)
{
	uint8_t input[2 + 8 * 8] = { 0 };
	int failed = 0;

	vector_bytes(vector, input + 2);
	for (uint8_t choice = 0; choice < count; choice++) {
		input[0] = choice;
		input[1] = 8 * vector->word_count == 16;
		failed |= put(directory, input, 2 + 8 * vector->word_count);
	}
	return failed;
}

static int put_lines(const char *directory, const struct vector *vector)
{
	char input[1100];
	int failed = 0, length;

	for (char form = 0; form < 8; form++) {
		length = snprintf(input, sizeof(input), "%c%s", form + 8, vector->line);
		failed |= put(directory, input, (size_t)length);
	}
	return failed;
}

int main(int argc, char **argv)
{
	const struct wire_family *const *family = wire_families;
	static struct vector vector;
	uint8_t count = 0;
	int failed = 0;
	char name[64];
	FILE *file;

	if (argc != 3)
		return 2;
	while (*family != NULL && strcmp((*family)->name, argv[1]) != 0)
		family++;
	while (*family != NULL && (*family)->records[count].name != NULL)
		count++;
	snprintf(name, sizeof(name), "%s.txt", *family != NULL ? argv[1] : "vtd");
	file = vectors_open(name);
	while (vector_next(file, &vector))
		failed |= *family != NULL ? put_records(argv[2], &vector, count) :
					    put_lines(argv[2], &vector);
	fclose(file);
	return failed;
}
