/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace/binary.c - the same statements as records of little-endian words.
 *
 * File    8 bytes of magic, version (32 bits), 0 (32 bits), then records.
 * Record  size in bytes (32), kind (8), pairs (8), 0 (16), time in ns (64), then pairs.
 * Pair    key (8), bytes of the name (8), 0 (48), then the number (64), or the name
 *         with zeros up to a multiple of 8.
 *
 * A statement has one record only: keys ascend, what means nothing is 0.
 */
#include "base/le.h"
#include "trace/form.h"

enum {
	HEADER_BYTES = 16,
	RECORD_BYTES = 16,
	PAIR_BYTES = 8,
	RECORD_MAX = RECORD_BYTES + TRACE_PAIR_MAX * (PAIR_BYTES + TRACE_NAME_MAX + 1),
};
_Static_assert((int)RECORD_MAX <= TRACE_LINE_MAX, "a line's room is enough for a record");
_Static_assert(sizeof(BINARY_MAGIC) - 1 == 8, "magic");

static int fail_here(const struct place *place, size_t at, const char *what)
{
	return fail_plain(place, at + 1, what);
}

int binary_read_header(struct trace_reader *reader, const struct place *place)
{
	const uint8_t *bytes = reader->bytes;

	if (reader->size_bytes < HEADER_BYTES)
		return fail_here(place, reader->size_bytes,
				 "file ends inside its header, expected 16 bytes");
	if (memcmp(bytes, BINARY_MAGIC, 8) != 0)
		return fail_here(place, 0, "no header, expected 89 49 4f 50 46 0d 0a 1a");
	if (le32_get(bytes + 8) != TRACE_VERSION)
		return fail_here(place, 8, "unknown version, expected 1");
	if (le32_get(bytes + 12) != 0)
		return fail_here(place, 12, "reserved bytes set, expected 0");
	reader->at = HEADER_BYTES;
	return 0;
}

/* ---- Pairs ----------------------------------------------------------------------- */

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* What follows a pair's head of a name of @name_bytes; 0: a number. */
static size_t value_bytes(size_t name_bytes)
{
	return name_bytes != 0 ? padded(name_bytes) : 8;
}

static int read_value(const struct place *place, size_t at, const uint8_t *bytes,
		      struct trace_pair *pair)
{
	size_t name_bytes = bytes[at + 1];

	if (name_bytes == 0)
		pair->number = le64_get(bytes + at + PAIR_BYTES);
	else
		memcpy(pair->name, bytes + at + PAIR_BYTES, padded(name_bytes));
	if (!value_fits(pair) || strlen(pair->name) != name_bytes) {
		struct out out = fail_begin(place, at + PAIR_BYTES + 1);

		out_string(&out, "value of '");
		out_string(&out, trace_key_name(pair->key));
		out_string(&out, "' out of range, expected ");
		value_put_expected(&out, pair->key);
		return fail_end(&out);
	}
	return 0;
}

static int check_pair(const struct place *place, size_t at, const uint8_t *bytes,
		      size_t size, const struct trace_event *event)
{
	uint8_t key = bytes[at], name_bytes = bytes[at + 1];
	bool name = trace_key_type(key) == TRACE_TYPE_name;

	if (!event_allows(event, key))
		return fail_with(place, at + 1, "key not of '%', expected one that it may carry",
				 span_of(trace_kind_name(event->kind)));
	if (event->pair_count > 0 && key <= event->pair[event->pair_count - 1].key)
		return fail_here(place, at, "key out of order, expected ascending keys");
	if (name != (name_bytes != 0) || name_bytes > TRACE_NAME_MAX)
		return fail_here(place, at + 1, "bytes of a name, expected 1 to 31 for a "
				 "name and 0 for a number");
	if (le64_get(bytes + at) >> 16 != 0)
		return fail_here(place, at + 2, "reserved bytes set, expected 0");
	if (size - at < PAIR_BYTES + value_bytes(name_bytes))
		return fail_here(place, size, "record ends inside a value, expected more");
	return 0;
}

static int read_pairs(const struct place *place, const uint8_t *bytes, size_t size,
		      struct trace_event *event)
{
	size_t at = RECORD_BYTES;

	for (unsigned left = bytes[5]; left > 0; left--) {
		struct trace_pair pair = { 0 };

		if (size - at < PAIR_BYTES)
			return fail_here(
				place, size,
				"record ends before its last key, expected more");
		if (check_pair(place, at, bytes, size, event) != 0)
			return -EBADMSG;
		pair.key = bytes[at];
		if (read_value(place, at, bytes, &pair) != 0)
			return -EBADMSG;
		event_insert(event, &pair);
		at += PAIR_BYTES + value_bytes(bytes[at + 1]);
	}
	if (at != size)
		return fail_here(place, at, "record goes on after its last key, expected "
				 "its end");
	return 0;
}

/* ---- Records --------------------------------------------------------------------- */

static int check_record(const struct place *place, const uint8_t *bytes, size_t left)
{
	uint64_t size;

	if (left < RECORD_BYTES)
		return fail_here(place, left, "file ends inside a record, expected 16 bytes "
				 "at least");
	size = le32_get(bytes);
	if (size < RECORD_BYTES || size > RECORD_MAX || size % 8 != 0)
		return fail_here(place, 0, "record size out of range, expected a multiple "
				 "of 8 from 16 to 976");
	if (size > left)
		return fail_here(place, left, "file ends inside a record, expected more");
	if (bytes[4] >= TRACE_KIND_COUNT)
		return fail_here(place, 4, "unknown kind, expected one of the list");
	if (bytes[5] > TRACE_PAIR_MAX)
		return fail_here(place, 5, "too many keys, expected at most 24");
	if (bytes[6] != 0 || bytes[7] != 0)
		return fail_here(place, 6, "reserved bytes set, expected 0");
	if (!trace_kind_timed(bytes[4]) && le64_get(bytes + 8) != 0)
		return fail_with(place, 9, "time in '%', expected 0",
				 span_of(trace_kind_name(bytes[4])));
	return 0;
}
_Static_assert((int)RECORD_MAX == 976 && TRACE_PAIR_MAX == 24, "the messages above name them");

int binary_read(struct trace_reader *reader, struct trace_event *event,
		struct trace_error *error)
{
	const uint8_t *bytes = reader->bytes + reader->at;
	size_t left = reader->size_bytes - reader->at;
	struct place place = { error, reader->line + 1 };
	struct trace_event read;
	unsigned missing;

	if (left == 0)
		return 0;
	reader->line++;
	if (check_record(&place, bytes, left) != 0)
		return -EBADMSG;
	trace_begin(&read, (enum trace_kind)bytes[4], le64_get(bytes + 8));
	read.line = place.line;
	if (read_pairs(&place, bytes, le32_get(bytes), &read) != 0)
		return -EBADMSG;
	missing = event_missing(&read);
	if (missing != TRACE_KEY_NONE)
		return fail_missing(&place, RECORD_BYTES + 1, &read, missing);
	if (read_accept(reader, &read, &place, 9) != 0)
		return -EBADMSG;
	reader->at += le32_get(bytes);
	event_copy(event, &read);
	return 1;
}

/* ---- Out ------------------------------------------------------------------------- */

static void put_bytes(struct out *out, const void *bytes, size_t size)
{
	out_span(out, (struct span){ bytes, size });
}

static void put_pair(struct out *out, const struct trace_pair *pair)
{
	size_t name_bytes = strlen(pair->name);
	uint8_t bytes[PAIR_BYTES + TRACE_NAME_MAX + 1] = { pair->key, (uint8_t)name_bytes };

	if (name_bytes == 0)
		le64_put(bytes + PAIR_BYTES, pair->number);
	else
		memcpy(bytes + PAIR_BYTES, pair->name, name_bytes);
	put_bytes(out, bytes, PAIR_BYTES + value_bytes(name_bytes));
}

void binary_write_header(struct out *out)
{
	uint8_t bytes[HEADER_BYTES] = { 0 };

	memcpy(bytes, BINARY_MAGIC, 8);
	le32_put(bytes + 8, TRACE_VERSION);
	put_bytes(out, bytes, sizeof(bytes));
}

static size_t record_bytes(const struct trace_event *event)
{
	size_t size = RECORD_BYTES;

	for (unsigned i = 0; i < event->pair_count; i++)
		size += PAIR_BYTES + value_bytes(strlen(event->pair[i].name));
	return size;
}

void binary_write(struct out *out, const struct trace_event *event)
{
	uint8_t bytes[RECORD_BYTES] = { 0 };

	le32_put(bytes, (uint32_t)record_bytes(event));
	bytes[4] = event->kind;
	bytes[5] = event->pair_count;
	le64_put(bytes + 8, event->ns);
	put_bytes(out, bytes, sizeof(bytes));
	for (unsigned i = 0; i < event->pair_count; i++)
		put_pair(out, &event->pair[i]);
}
