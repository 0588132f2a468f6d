/* SPDX-License-Identifier: BSD-3-Clause */
/* trace/text.c - a statement a line. */
#include "trace/line.h"

static const char header[] = "iopf-trace ";

int text_read_header(struct trace_reader *reader, const struct place *place)
{
	struct line line = { .place = *place, .start = (const char *)reader->bytes };
	size_t size = sizeof(header) - 1;
	struct span text = { 0 }, version;

	reader->line = 1;
	if (reader->size_bytes < size || memcmp(reader->bytes, header, size) != 0)
		return fail_plain(place, 1, "no header, expected 'iopf-trace 1'");
	if (line_take(reader, place, &text) != 0)
		return -EBADMSG;
	version = (struct span){ text.at + size, text.size - size };
	if (!span_is(version, "1"))
		return line_fail(&line, version, "version '%', expected 1");
	return 0;
}
_Static_assert(TRACE_VERSION == 1, "the messages above name it");

/* ---- Time and kind --------------------------------------------------------------- */

static bool is_time(struct span word)
{
	return word.size > 0 && (*word.at == '+' || (*word.at >= '0' && *word.at <= '9'));
}

static int parse_time(const struct line *line, struct span word, uint64_t now_ns,
		      uint64_t *ns)
{
	bool relative = *word.at == '+';
	struct span text = { word.at + relative, word.size - relative };
	int result = value_parse_duration(text, ns);

	if (result == 0 && relative)
		result = *ns > UINT64_MAX - now_ns ? -ERANGE : 0;
	if (result == -ERANGE)
		return line_fail(line, word, "time '%' out of range, expected at most "
			       "18446744073709551615 ns");
	if (result != 0)
		return line_fail(line, word, "no time '%', expected a number with ns, us, "
			       "ms, s, m or h, and + before it where it counts from the "
			       "event before");
	if (relative)
		*ns += now_ns;
	return 0;
}

static int fail_kind(const struct line *line, struct span word, const char *what)
{
	struct out out = line_fail_begin(line, word, what, line_shown(word));

	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
		out_char(&out, ' ');
		out_string(&out, trace_kind_name(i));
	}
	return fail_end(&out);
}

static int parse_kind(struct line *line, struct span word, bool timed, uint8_t *kind)
{
	if (word.size == 0)
		return fail_kind(line, word, "time without a kind, expected one of");
	for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
		if (!span_is(word, trace_kind_name(i)))
			continue;
		if (timed && !trace_kind_timed(i))
			return line_fail(line, word, "time before '%', expected none");
		if (!timed && trace_kind_timed(i))
			return line_fail(line, word, "'%' without a time, expected one "
				       "before it");
		*kind = (uint8_t)i;
		return 0;
	}
	return fail_kind(line, word, "unknown kind '%', expected one of");
}

/* ---- Keys and values ------------------------------------------------------------- */

static int fail_key(const struct line *line, struct span word, const char *what,
		    const struct trace_event *event)
{
	struct out out = line_fail_begin(line, word, what,
					 span_of(trace_kind_name(event->kind)));

	for (unsigned key = 0; key < TRACE_KEY_NONE; key++) {
		if (!event_allows(event, key))
			continue;
		out_char(&out, ' ');
		out_string(&out, trace_key_name(key));
	}
	return fail_end(&out);
}

static int parse_key(const struct line *line, struct span word,
		     const struct trace_event *event, unsigned *key)
{
	unsigned i = 0;

	while (i < TRACE_KEY_NONE && !span_is(word, trace_key_name(i)))
		i++;
	if (i == TRACE_KEY_NONE)
		return fail_key(line, word, "unknown key '%' of '%', expected one of",
				event);
	if (!event_allows(event, i))
		return fail_key(line, word, "key '%' not of '%', expected one of", event);
	if (trace_find(event, (enum trace_key)i) != NULL)
		return line_fail(line, word, "key '%' twice, expected once");
	if (event->pair_count == TRACE_PAIR_MAX)
		return line_fail(line, word, "key '%' is the 25th, expected at most 24");
	*key = i;
	return 0;
}
_Static_assert(TRACE_PAIR_MAX == 24, "the message above names it");

static int fail_value(const struct line *line, struct span value, unsigned key,
		      bool range)
{
	struct out out = fail_begin(&line->place, line_column(line, value));

	out_format(&out, range ? "%=% out of range, expected " : "%=%, expected ",
		   span_of(trace_key_name(key)), line_shown(value));
	value_put_expected(&out, key);
	return fail_end(&out);
}

static int parse_pair(const struct line *line, struct span word,
		      struct trace_event *event)
{
	const char *equals = memchr(word.at, '=', word.size);
	struct span name, value;
	struct trace_pair pair;
	unsigned key = TRACE_KEY_NONE;
	int result;

	if (equals == NULL)
		return line_fail(line, word, "word '%', expected key=value");
	name = (struct span){ word.at, (size_t)(equals - word.at) };
	value = (struct span){ equals + 1, word.size - name.size - 1 };
	if (parse_key(line, name, event, &key) != 0)
		return -EBADMSG;
	result = value_parse(key, value, &pair);
	if (result != 0)
		return fail_value(line, value, key, result == -ERANGE);
	event_insert(event, &pair);
	return 0;
}

static int parse_pairs(struct line *line, struct trace_event *event)
{
	struct span word;
	unsigned missing;

	while ((word = line_word(line)).size > 0)
		if (parse_pair(line, word, event) != 0)
			return -EBADMSG;
	missing = event_missing(event);
	if (missing == TRACE_KEY_NONE)
		return 0;
	return fail_missing(&line->place, line_column(line, word), event, missing);
}

static int parse_statement(struct trace_reader *reader, struct line *line, bool counts,
			   struct trace_event *event)
{
	struct span first = line_word(line), word = first;
	bool timed = is_time(first);
	struct trace_event read;
	uint64_t ns = 0;
	uint8_t kind = TRACE_KIND_COUNT;

	if (timed && parse_time(line, first, reader->now_ns, &ns) != 0)
		return -EBADMSG;
	if (timed)
		word = line_word(line);
	if (parse_kind(line, word, timed, &kind) != 0)
		return -EBADMSG;
	trace_begin(&read, (enum trace_kind)kind, ns);
	read.line = line->place.line;
	if (parse_pairs(line, &read) != 0)
		return -EBADMSG;
	if (!counts)
		return 0;
	if (read_accept(reader, &read, &line->place, line_column(line, first)) != 0)
		return -EBADMSG;
	event_copy(event, &read);
	return 1;
}

/* Returns: 1: a statement; 0: none, or one of another variant; -EBADMSG. */
static int parse_line(struct trace_reader *reader, struct line *line,
		      struct trace_event *event)
{
	int result = variant_take_plan(reader, line);
	bool counts = true;

	if (result != 0)
		return result < 0 ? result : 0;
	reader->begun = true;
	result = variant_take_traits(reader, line, &counts);
	return result != 0 ? result : parse_statement(reader, line, counts, event);
}

int text_read(struct trace_reader *reader, struct trace_event *event,
	      struct trace_error *error)
{
	int result = 0;

	while (result == 0 && reader->at < reader->size_bytes) {
		struct line line = { .place = { error, ++reader->line } };
		struct span text = { 0 };

		if (line_take(reader, &line.place, &text) != 0)
			return -EBADMSG;
		line.start = text.at;
		line.rest = line_statement(text);
		if (line.rest.size > 0)
			result = parse_line(reader, &line, event);
	}
	return result;
}

/* ---- Out ------------------------------------------------------------------------- */

void text_write_header(struct out *out)
{
	out_string(out, header);
	out_number(out, TRACE_VERSION);
	out_char(out, '\n');
}

void text_write(struct out *out, const struct trace_event *event)
{
	if (trace_kind_timed(event->kind)) {
		out_number(out, event->ns);
		out_char(out, ' ');
	}
	out_string(out, trace_kind_name(event->kind));
	for (unsigned i = 0; i < event->pair_count; i++) {
		out_char(out, ' ');
		out_string(out, trace_key_name(event->pair[i].key));
		out_char(out, '=');
		value_put(out, &event->pair[i]);
	}
	out_char(out, '\n');
}
