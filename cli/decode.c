/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/decode.c - iopf decode: what the bytes of a record say, and what is wrong. */
#include "cli/decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/words.h"

enum { OPERAND_MAX = 1024, DUMP_MAX = 16 << 20 };
#define ABSENT UINT64_MAX

struct arguments {
	const char *operands[OPERAND_MAX];
	size_t operand_count;
	const char *file;
	uint64_t width, size, head, tail;
	bool list, json, big_endian;
};

#define NUMBER(member, first, last) \
	offsetof(struct arguments, member), (first), (last), OPTION_NUMBER
#define FLAG(member) offsetof(struct arguments, member), 0, 0, OPTION_FLAG

static const struct option options[] = {
	{ "list", NULL, "say which records there are, and their sizes", FLAG(list) },
	{ "file", "FILE", "a binary file, - for standard input, in place of HEX",
	  offsetof(struct arguments, file), 0, 0, OPTION_TEXT },
	{ "width", "BITS", "of a HEX number: 64, 32, or 8 for strings of bytes; 64",
	  NUMBER(width, 8, 64) },
	{ "big-endian", NULL, "words, or members of a struct, lie the high byte first",
	  FLAG(big_endian) },
	{ "size", "BYTES", "of a record that has two sizes: which", NUMBER(size, 1, 64) },
	{ "head", "N", "a whole queue: where who reads it is, as the register has it",
	  NUMBER(head, 0, UINT32_MAX) },
	{ "tail", "N", "where who writes it is; what is not between them is stale",
	  NUMBER(tail, 0, UINT32_MAX) },
	{ "json", NULL, "the result as JSON", FLAG(json) },
};

static const struct option_table table = {
	.usage = "decode [OPTION...] RECORD [HEX... | -]",
	.about = "Say what the bits of a record mean, and what is wrong with them. RECORD is\n"
		 "family.record; HEX are its words, lowest first; with - they come from\n"
		 "standard input, where # begins a comment and ADDRESS: is passed over.",
	.after = "Strict, other than the engine: reserved bits and combinations that nothing\n"
		 "writes are problems, and it ends with 1. Without head and tail all records that\n"
		 "are given are judged.",
	.options = options,
	.count = CLI_COUNT(options),
	.operand = offsetof(struct arguments, operands),
	.operand_name = "RECORD",
	.operand_max = OPERAND_MAX,
	.operand_count = offsetof(struct arguments, operand_count),
};

/* ---- Input ------------------------------------------------------------------------- */

/* All of @name, or of standard input. */
static bool file_read(const char *name, uint8_t *bytes, size_t *count)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "rb");
	int error = errno;
	bool good = false;

	if (file != NULL) {
		*count = fread(bytes, 1, DUMP_MAX, file);
		error = errno;
		good = !ferror(file);
	}
	if (!good)
		cli_error("%s cannot be read: %s", standard ? "standard input" : name,
			  strerror(error));
	if (good && *count == DUMP_MAX)
		cli_error("%s has %d bytes or more, expected less", name, DUMP_MAX);
	if (file != NULL && !standard)
		fclose(file);
	return good && *count < DUMP_MAX;
}

static bool text_read(const struct words_form *form, const char *where, const char *text,
		      size_t length, uint8_t *bytes, size_t *count)
{
	struct words_error error;
	long added = words_read(form, text, length, bytes + *count, DUMP_MAX - *count, &error);

	if (added >= 0) {
		*count += (size_t)added;
		return true;
	}
	if (where != NULL)
		cli_error("%s:%u: '%.*s': %s", where, error.line, error.length, error.token,
			  error.wrong);
	else
		cli_error("'%.*s': %s", error.length, error.token, error.wrong);
	return false;
}

static bool standard_input_read(const struct words_form *form, uint8_t *bytes, size_t *count)
{
	char *text = malloc(DUMP_MAX);
	size_t length;
	bool good = text != NULL && file_read("-", (uint8_t *)text, &length) &&
		    text_read(form, "standard input", text, length, bytes, count);

	free(text);
	return good;
}

/* From the one place that was named. */
static bool input_read(const struct arguments *arguments, uint8_t *bytes, size_t *count)
{
	const struct words_form form = { (uint32_t)arguments->width, arguments->big_endian };
	bool words = arguments->operand_count > 1;

	*count = 0;
	if (words == (arguments->file != NULL)) {
		cli_error(words ? "HEX and --file are two inputs, expected one" :
				  "there is no input, expected HEX, - or --file");
		return false;
	}
	if (!words)
		return file_read(arguments->file, bytes, count);
	if (arguments->operand_count == 2 && strcmp(arguments->operands[1], "-") == 0)
		return standard_input_read(&form, bytes, count);
	for (size_t i = 1; i < arguments->operand_count; i++)
		if (!text_read(&form, NULL, arguments->operands[i],
			       strlen(arguments->operands[i]), bytes, count))
			return false;
	return true;
}

/* ---- Records ----------------------------------------------------------------------- */

static bool size_choose(const struct arguments *arguments, size_t count,
			struct decode_dump *dump)
{
	const struct record *record = dump->named.record;
	uint64_t size = arguments->size;

	if (size == 0)
		size = count != 0 && count == record->short_bytes ? count :
								    record->size_bytes;
	if (size != record->size_bytes && (size != record->short_bytes || size == 0)) {
		cli_error("--size %" PRIu64 ": %s has %u bytes", size, dump->named.name,
			  record->size_bytes);
		return false;
	}
	if (count == 0 || count % size != 0) {
		cli_error("%zu bytes are no %s: one has %" PRIu64, count, dump->named.name,
			  size);
		return false;
	}
	dump->size_bytes = (uint32_t)size;
	dump->count = (uint32_t)(count / size);
	return true;
}

/* From how it lies in memory to little-endian words. */
static void dump_order(struct decode_dump *dump)
{
	const struct record *record = dump->named.record;

	for (uint32_t i = 0; i < dump->count; i++)
		records_swap(record, record->layout, dump->bytes + i * dump->size_bytes,
			     dump->size_bytes);
}

/* ---- Queues ------------------------------------------------------------------------ */

/* A head or a tail as a number of records. Wrapping ones have a bit above it. */
static bool place_read(const struct decode_dump *dump, const char *name, uint64_t value,
		       uint32_t *place)
{
	uint32_t step = dump->named.record->queue == RECORD_QUEUE_BYTES ? dump->size_bytes : 1;
	uint64_t most = (uint64_t)(dump->count - 1) * step;

	if (dump->named.record->queue == RECORD_QUEUE_WRAP) {
		most = 2 * (uint64_t)dump->count - 1;
		value &= UINT32_MAX >> 1;
		/* CMDQ_CONS says in bits 30:24 why the queue stopped (IHI 0070, 6.3.28). */
		if (dump->named.record->role == RECORD_COMMAND)
			value &= UINT32_MAX >> 8;
	}
	if (value > most || value % step != 0) {
		cli_error("--%s 0x%" PRIx64 ": in %u records of %u bytes it is a multiple of %u, "
			  "at most 0x%" PRIx64,
			  name, value, dump->count, dump->size_bytes, step, most);
		return false;
	}
	*place = (uint32_t)(value / step);
	return true;
}

static void wrapped(struct decode_dump *dump, uint32_t head, uint32_t tail)
{
	uint32_t round = 2 * dump->count;

	dump->first = head % dump->count;
	dump->live = (tail + round - head) % round;
	if (dump->live > dump->count) {
		dump->live = dump->count;
		dump->wrong = "head and tail mean more records than the queue has";
	} else if (dump->named.record->role != RECORD_COMMAND &&
		   (dump->head ^ dump->tail) >> 31 & 1) {
		dump->wrong = "the queue has overflown, and nobody has acknowledged it";
	} else if (dump->named.record->role == RECORD_COMMAND && dump->head >> 24 & 0x7f) {
		dump->wrong = "the queue has stopped: bits 30:24 of head say why";
	}
}

static bool queue_place(struct decode_dump *dump)
{
	uint8_t convention = dump->named.record->queue;
	uint32_t head, tail;

	if (convention == RECORD_QUEUE_NONE) {
		cli_error("--head and --tail: there is no queue of %s", dump->named.name);
		return false;
	}
	if (convention == RECORD_QUEUE_WRAP && (dump->count & (dump->count - 1)) != 0) {
		cli_error("%u records are no queue of %s: it has a power of two", dump->count,
			  dump->named.name);
		return false;
	}
	if (!place_read(dump, "head", dump->head, &head) ||
	    !place_read(dump, "tail", dump->tail, &tail))
		return false;
	if (convention == RECORD_QUEUE_WRAP) {
		wrapped(dump, head, tail);
		return true;
	}
	dump->first = head;
	dump->live = (tail + dump->count - head) % dump->count;
	return true;
}

static bool dump_prepare(const struct arguments *arguments, struct decode_dump *dump,
			 size_t count)
{
	if (!size_choose(arguments, count, dump))
		return false;
	if (arguments->big_endian)
		dump_order(dump);
	dump->live = dump->count;
	dump->queue = arguments->head != ABSENT || arguments->tail != ABSENT;
	if (!dump->queue)
		return true;
	if (arguments->head == ABSENT || arguments->tail == ABSENT) {
		cli_error("--%s is missing: a queue has a head and a tail",
			  arguments->head == ABSENT ? "head" : "tail");
		return false;
	}
	dump->head = arguments->head;
	dump->tail = arguments->tail;
	return queue_place(dump);
}

static int decode(const struct arguments *arguments, struct decode_dump *dump)
{
	unsigned problems;
	size_t count;

	if (!records_find(arguments->operands[0], &dump->named) ||
	    !input_read(arguments, dump->bytes, &count) ||
	    !dump_prepare(arguments, dump, count))
		return CLI_USAGE;
	problems = arguments->json ? decode_print_json(dump) : decode_print(dump);
	return problems == 0 ? CLI_OK : CLI_NO;
}

int cli_decode(int argc, char **argv)
{
	struct arguments arguments = { .width = 64, .head = ABSENT, .tail = ABSENT };
	struct decode_dump dump = { .bytes = NULL };
	int result = options_read(&table, &arguments, argc, argv);

	if (result != OPTION_GO_ON)
		return result;
	if (arguments.list) {
		records_print_list(arguments.json);
		return CLI_OK;
	}
	if (arguments.operand_count == 0) {
		cli_error("a RECORD is missing; iopf decode --list has all");
		return CLI_USAGE;
	}
	if (arguments.width != 64 && arguments.width != 32 && arguments.width != 8) {
		cli_error("--width %" PRIu64 ": it takes 64, 32 or 8", arguments.width);
		return CLI_USAGE;
	}
	dump.bytes = calloc(1, DUMP_MAX + RECORD_BYTES_MAX);
	result = dump.bytes != NULL ? decode(&arguments, &dump) : CLI_MISSING;
	free(dump.bytes);
	return result;
}
