/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace/trace.h - the event language: recordings, scenarios, histories, recorder dumps.
 *
 * Text: a first line "iopf-trace 1", then a statement a line,
 *
 *	world endpoint=D source=host rid=0x10 allocation=4
 *	0     attach endpoint=D pasid=1 owner=G
 *	+10us request endpoint=D pasid=1 index=5 addr=0x7000 perm=rw last=1 group=t1
 *	+1ms  answer owner=G group=t1 code=success
 *	require endpoint=D ended_success=1 credits_in_use=0
 *
 * and one binary form of the same. One reader and one writer, without I/O: they work on
 * bytes that the caller has. docs/formats.md is the description for people.
 *
 * An event holds its keys in the order of the list, so equal statements are equal events
 * and the writer's text is the canonical one.
 *
 * Threads. Nothing here has state of its own.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "trace/words.h"

enum trace_limits {
	TRACE_VERSION = 1,
	TRACE_NAME_MAX = 31,   /* characters of a name */
	TRACE_PAIR_MAX = 24,   /* keys of an event */
	TRACE_LINE_MAX = 2048, /* bytes of a line with its newline: any event fits */
	TRACE_ERROR_MAX = 1024,
};

/* A key and its value. Names stand in @name, everything else in @number. */
struct trace_pair {
	uint64_t number;
	char name[TRACE_NAME_MAX + 1];
	uint8_t key; /* enum trace_key */
	uint8_t rsvd[7];
};

struct trace_event {
	uint64_t ns;   /* 0 where the kind is not timed */
	uint32_t line; /* where it was read: a line, or a record of the binary form */
	uint8_t kind;  /* enum trace_kind */
	uint8_t pair_count;
	bool spoilt; /* something was put that does not fit */
	uint8_t rsvd;
	struct trace_pair pair[TRACE_PAIR_MAX]; /* by key */
};

/* Where reading ended and why: "what, expected what". In the binary form line is the
 * record, from 1 (0: the header), and column the byte in it, from 1. */
struct trace_error {
	uint32_t line;
	uint32_t column;
	char text[TRACE_ERROR_MAX];
};

enum trace_form { TRACE_TEXT, TRACE_BINARY };

/* ---- Events ---------------------------------------------------------------------- */

void trace_begin(struct trace_event *event, enum trace_kind kind, uint64_t ns);

/*
 * Add @key to @event. The kind has to allow the key, the key must not be there, and the
 * value has to fit; where this is not so nothing is added, and trace_check() says so.
 */
void trace_put(struct trace_event *event, enum trace_key key, uint64_t number);
void trace_put_name(struct trace_event *event, enum trace_key key, const char *name);

/* The value of @key; NULL, or @absent, where @event does not carry it. */
const struct trace_pair *trace_find(const struct trace_event *event, enum trace_key key);
uint64_t trace_number(const struct trace_event *event, enum trace_key key,
		      uint64_t absent);
const char *trace_name(const struct trace_event *event, enum trace_key key);

/* The same statement, wherever it was read. */
bool trace_equal(const struct trace_event *one, const struct trace_event *other);

/* Returns: 0, or -EINVAL: no statement of the language (kind, keys, values, order). */
int trace_check(const struct trace_event *event);

/* ---- Reading --------------------------------------------------------------------- */

/* What a scenario's file says of its variants: those that it is played in, and for others
 * why it cannot be. Characters of the file, without a NUL behind them. */
struct trace_plan {
	uint8_t variants; /* bit n: enum trace_variant n; 0: the file has none */
	struct {
		const char *at;
		size_t size;
	} cannot[TRACE_VARIANT_COUNT];
};

struct trace_reader {
	const uint8_t *bytes; /* borrowed */
	size_t size_bytes;
	size_t at;
	uint64_t now_ns; /* of the last timed event */
	uint32_t line;
	uint8_t form;  /* enum trace_form */
	bool started;  /* the header was read */
	bool timed;    /* the world is described */
	bool failed;
	bool begun;      /* a statement was read */
	uint8_t variant; /* enum trace_variant, or TRACE_VARIANT_COUNT: none */
	struct trace_plan plan; /* as far as it was read */
};

/* Owns: borrows @bytes until the last trace_read(). */
void trace_reader_open(struct trace_reader *reader, const void *bytes, size_t size_bytes);
/* As one of the variants that the file has: lines for others are looked at as closely,
 * and passed over. trace_reader_open() passes over every line that is not for all. */
void trace_reader_open_as(struct trace_reader *reader, const void *bytes,
			  size_t size_bytes, unsigned variant);

/*
 * All of a file, in each of its variants.
 *
 * Owns:    @plan borrows @bytes.
 * Returns: 0, -EBADMSG: *@error says where and why.
 */
int trace_plan_read(const void *bytes, size_t size_bytes, struct trace_plan *plan,
		    struct trace_error *error);

/*
 * The next event of a file, text or binary.
 *
 * Returns: 1; 0: the end; -EBADMSG: *@error says where and why. Nothing is read after
 *          an error: every further call says -EBADMSG.
 */
int trace_read(struct trace_reader *reader, struct trace_event *event,
	       struct trace_error *error);

/* "file:line:column: what, expected what" into @text, cut off at @size_bytes. */
void trace_error_text(const struct trace_error *error, const char *file, char *text,
		      size_t size_bytes);

/* ---- Writing --------------------------------------------------------------------- */

/*
 * The first line, or the first bytes; an event. TRACE_LINE_MAX bytes are always enough.
 * Text ends with a newline and has no NUL behind it.
 *
 * Returns: bytes written, -EINVAL (see trace_check()), -ENOSPC.
 */
int trace_write_header(enum trace_form form, void *bytes, size_t size_bytes);
int trace_write(enum trace_form form, const struct trace_event *event, void *bytes,
		size_t size_bytes);

/* ---- The flight recorder --------------------------------------------------------- */

/*
 * The event that @record is. Endpoints have the broker's numbers as names.
 *
 * Returns: 0, -EBADMSG (kind or detail unknown).
 */
int trace_from_record(const struct iopf_record *record, struct trace_event *event);

/* A reader's place in a recorder. */
struct trace_recorder {
	const struct iopf_recorder *recorder; /* borrowed */
	uint32_t entry_count;
	uint64_t cursor; /* the next record */
	uint64_t lost;   /* records that were overwritten before they were read */
};

/*
 * Read the recorder at @memory from its oldest record on.
 *
 * Owns:    borrows @memory as long as @reader is used.
 * Threads: any; the writer goes on. Words of entries are loaded with acquire, so that a
 *          writer which stores each word of an entry, and head, with release is never
 *          misread: what it may have touched meanwhile is thrown away and counted.
 * Returns: 0, -EBADMSG (no recorder, or larger than @size_bytes).
 */
int trace_recorder_open(struct trace_recorder *reader, const void *memory,
			size_t size_bytes);

/* Returns: how many records were written to @records, in order; 0: no more for now, or
 *          all that were copied were overwritten meanwhile: then @lost has grown. */
uint32_t trace_recorder_read(struct trace_recorder *reader, struct iopf_record *records,
			     uint32_t max);

/* ---- Names ----------------------------------------------------------------------- */

/* Static strings; NULL out of range. */
const char *trace_kind_name(unsigned kind);
const char *trace_kind_text(unsigned kind);
bool trace_kind_timed(unsigned kind);
const char *trace_key_name(unsigned key);
const char *trace_key_text(unsigned key);
enum trace_type trace_key_type(unsigned key);
uint64_t trace_key_max(unsigned key);
/* Sets of kinds, TRACE_IN(kind): those that need @key, those that may carry it. */
uint64_t trace_key_must(unsigned key);
uint64_t trace_key_may(unsigned key);
const char *trace_type_name(unsigned type);
const char *trace_type_text(unsigned type);
/* The @number-th word of a closed list. */
const char *trace_word(enum trace_type type, uint64_t number);

/* Traits are a set: bit n is enum trace_trait n. */
const char *trace_variant_name(unsigned variant);
const char *trace_variant_text(unsigned variant);
uint8_t trace_variant_traits(unsigned variant);
const char *trace_trait_name(unsigned trait);
const char *trace_trait_text(unsigned trait);

/* What a function of the library returned; and back, as a negative errno or 0. */
enum trace_result trace_result_of(int returned);
int trace_result_errno(enum trace_result result);

#endif
