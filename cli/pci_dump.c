/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/pci_dump.c - configuration spaces out of files: what lspci -x prints, or bytes. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pci.h"

enum {
	FILE_BYTES_MAX = 16 << 20,
	FUNCTIONS_MAX = 4096,
	LINE_BYTES = 16,
	SRIOV_COUNT = 0x10,
	SRIOV_OFFSET = 0x14,
	SRIOV_STRIDE = 0x16,
};

/* ---- Files -------------------------------------------------------------------------- */

/* Owns: the caller has what *@text points to, with a 0 behind it. */
static int stream_read(FILE *stream, const char *path, char **text, size_t *length)
{
	char *all = malloc(FILE_BYTES_MAX + 1);

	if (all == NULL) {
		cli_error("%s: %s", path, strerror(ENOMEM));
		return CLI_MISSING;
	}
	*length = fread(all, 1, FILE_BYTES_MAX + 1, stream);
	if (ferror(stream) || *length > FILE_BYTES_MAX) {
		if (ferror(stream))
			cli_error("%s: %s", path, strerror(errno));
		else
			cli_error("%s: more than %d bytes", path, FILE_BYTES_MAX);
		free(all);
		return CLI_USAGE;
	}
	all[*length] = '\0';
	*text = all;
	return CLI_OK;
}

static int file_read(const char *path, char **text, size_t *length)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *stream = standard ? stdin : fopen(path, "rb");
	int code;

	if (stream == NULL) {
		cli_error("%s: %s", path, strerror(errno));
		return CLI_USAGE;
	}
	code = stream_read(stream, path, text, length);
	if (!standard)
		fclose(stream);
	return code;
}

/* ---- Text --------------------------------------------------------------------------- */

static bool size_is_whole(size_t size_bytes)
{
	return size_bytes == 64 || size_bytes == 256 || size_bytes == CONFIG_BYTES;
}

/* Where the reader is. */
struct reader {
	const char *path;
	unsigned line;
	struct pci_dump *dump;
};

static struct pci_space *current(const struct reader *reader)
{
	return reader->dump->count == 0 ? NULL :
					  &reader->dump->spaces[reader->dump->count - 1];
}

static bool function_ends(const struct reader *reader)
{
	const struct pci_space *space = current(reader);
	char name[PCI_NAME_BYTES];

	if (space == NULL || size_is_whole(space->size_bytes))
		return true;
	cli_error("%s:%u: %s has %u bytes up to here; a space has 64, 256 or %d",
		  reader->path, reader->line, pci_id_name(space->id, name),
		  space->size_bytes, CONFIG_BYTES);
	return false;
}

static bool function_begins(struct reader *reader, uint64_t id)
{
	struct pci_dump *dump = reader->dump;
	struct pci_space *more;

	if (!function_ends(reader))
		return false;
	if (dump->count == FUNCTIONS_MAX) {
		cli_error("%s:%u: more than %d functions", reader->path, reader->line,
			  FUNCTIONS_MAX);
		return false;
	}
	more = realloc(dump->spaces, (dump->count + 1) * sizeof(*more));
	if (more == NULL) {
		cli_error("%s: %s", reader->path, strerror(ENOMEM));
		return false;
	}
	memset(&more[dump->count], 0, sizeof(*more));
	more[dump->count++].id = id;
	dump->spaces = more;
	return true;
}

/* "03:02.0 ..." */
static bool is_title(const char *line, uint64_t *id)
{
	char word[PCI_NAME_BYTES] = "";
	size_t length = strcspn(line, " \t");

	if (length >= sizeof(word))
		return false;
	memcpy(word, line, length);
	return pci_id_read(word, id);
}

/* "1f0: 00 01 ...": hexadecimal digits, a colon, a blank. */
static bool is_bytes(const char *line)
{
	size_t digits = strspn(line, "0123456789abcdefABCDEF");

	return digits >= 2 && digits <= 8 && line[digits] == ':' &&
	       (line[digits + 1] == ' ' || line[digits + 1] == '\0');
}

/* Sixteen numbers of two digits, and nothing more. */
static bool bytes_read(const char *text, uint8_t *bytes)
{
	for (unsigned i = 0; i < LINE_BYTES; i++) {
		char digits[3] = "";

		if (text[0] != ' ' || !isxdigit((unsigned char)text[1]) ||
		    !isxdigit((unsigned char)text[2]))
			return false;
		memcpy(digits, text + 1, 2);
		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
		text += 3;
	}
	return text[strspn(text, " \t\r")] == '\0';
}

static bool bytes_line(struct reader *reader, const char *line)
{
	struct pci_space *space = current(reader);
	char *end;
	unsigned long offset = strtoul(line, &end, 16);

	if (space == NULL) /* one function, without a title */
		if (!function_begins(reader, PCI_NO_ID))
			return false;
	space = current(reader);
	if (offset != space->size_bytes || offset > CONFIG_BYTES - LINE_BYTES) {
		cli_error("%s:%u: offset 0x%lx; the next one is 0x%x, of 0x%x",
			  reader->path, reader->line, offset, space->size_bytes,
			  CONFIG_BYTES);
		return false;
	}
	if (!bytes_read(end + 1, &space->bytes[offset])) {
		cli_error("%s:%u: not %d bytes of two hexadecimal digits each",
			  reader->path, reader->line, LINE_BYTES);
		return false;
	}
	space->size_bytes += LINE_BYTES;
	return true;
}

static bool line_read(struct reader *reader, const char *line)
{
	uint64_t id;

	if (is_bytes(line))
		return bytes_line(reader, line);
	return !is_title(line, &id) || function_begins(reader, id);
}

static bool text_read(struct reader *reader, char *text)
{
	while (*text != '\0') {
		char *end = text + strcspn(text, "\n");
		bool last = *end == '\0';

		*end = '\0';
		reader->line++;
		if (!line_read(reader, text))
			return false;
		text = last ? end : end + 1;
	}
	if (reader->dump->count == 0) {
		cli_error(
			"%s: no line of bytes (\"00: 86 80 ...\"), as lspci -xxxx writes "
			"them",
			reader->path);
		return false;
	}
	return function_ends(reader);
}

/* ---- Bytes -------------------------------------------------------------------------- */

static bool binary_read(struct reader *reader, const char *bytes, size_t length)
{
	if (!size_is_whole(length)) {
		cli_error("%s: %zu bytes; a space has 64, 256 or %d", reader->path,
			  length, CONFIG_BYTES);
		return false;
	}
	if (!function_begins(reader, PCI_NO_ID))
		return false;
	memcpy(current(reader)->bytes, bytes, length);
	current(reader)->size_bytes = (uint32_t)length;
	return true;
}

/* A space of nothing but ones is that of a function that is gone. */
static bool is_text(const char *bytes, size_t length)
{
	return memchr(bytes, '\0', length) == NULL &&
	       (length == 0 || (unsigned char)bytes[0] < 0x80);
}

int pci_dump_read(const char *path, struct pci_dump *dump)
{
	struct reader reader = { .path = path, .dump = dump };
	size_t length;
	char *text;
	bool good;
	int code;

	*dump = (struct pci_dump){ .count = 0 };
	code = file_read(path, &text, &length);
	if (code != CLI_OK)
		return code;
	good = is_text(text, length) ? text_read(&reader, text) :
				       binary_read(&reader, text, length);
	free(text);
	if (!good)
		pci_dump_free(dump);
	return good ? CLI_OK : CLI_USAGE;
}

void pci_dump_free(struct pci_dump *dump)
{
	free(dump->spaces);
	*dump = (struct pci_dump){ .count = 0 };
}

const struct pci_space *pci_dump_find(const struct pci_dump *dump, uint64_t id)
{
	for (size_t i = 0; i < dump->count; i++)
		if (dump->spaces[i].id == id)
			return &dump->spaces[i];
	return NULL;
}

/* PCIe 6.x, 9.3.3: the first virtual function, how far they are apart, how many. */
static bool counts_among_its(const struct pci_space *space, uint64_t id)
{
	struct pci_map map;
	uint64_t first, stride, count;

	if (space->id == PCI_NO_ID || !pci_map_read(space, NULL, &map) ||
	    map.virtuals == 0)
		return false;
	count = pci_get(space, map.virtuals + SRIOV_COUNT, 2);
	first = space->id + pci_get(space, map.virtuals + SRIOV_OFFSET, 2);
	stride = pci_get(space, map.virtuals + SRIOV_STRIDE, 2);
	if (id < first || count == 0)
		return false;
	return stride == 0 ? id == first :
			     (id - first) % stride == 0 && (id - first) / stride < count;
}

const struct pci_space *pci_dump_physical(const struct pci_dump *dump, uint64_t id)
{
	for (size_t i = 0; id != PCI_NO_ID && i < dump->count; i++)
		if (dump->spaces[i].id != id && counts_among_its(&dump->spaces[i], id))
			return &dump->spaces[i];
	return NULL;
}
