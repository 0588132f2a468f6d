/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what is written is read back, in both forms, for every kind and key. */
#include <errno.h>

#include "test.h"
#include "trace/trace.h"

static uint64_t random_state = 1;

static uint64_t any_number(unsigned key)
{
	uint64_t max = trace_key_max(key), shift = test_random(&random_state) % 64;
	uint64_t number = test_random(&random_state) >> shift;

	return max == UINT64_MAX ? number : number % (max + 1);
}

static uint64_t any_value(unsigned key)
{
	enum trace_type type = trace_key_type(key);
	uint64_t words = 0;

	while (trace_word(type, words) != NULL)
		words++;
	if (words != 0)
		return test_random(&random_state) % words;
	if (type == TRACE_TYPE_duration)
		return test_random(&random_state) >> test_random(&random_state) % 64;
	if (type == TRACE_TYPE_perm)
		return test_random(&random_state) % 16;
	if (type != TRACE_TYPE_pasid)
		return any_number(key);
	switch (test_random(&random_state) % 4) {
	case 0:
		return IOPF_PASID_NONE;
	case 1:
		return IOPF_PASID_ANY;
	default:
		return test_random(&random_state) & IOPF_PASID_MAX;
	}
}

static void put_any(struct trace_event *event, unsigned key)
{
	static const char letters[] = "abcXYZ0189_.:-";
	char name[TRACE_NAME_MAX + 1] = { 0 };
	size_t size = 1 + (size_t)(test_random(&random_state) % TRACE_NAME_MAX);

	if (trace_key_type(key) != TRACE_TYPE_name) {
		trace_put(event, (enum trace_key)key, any_value(key));
		return;
	}
	for (size_t i = 0; i < size; i++)
		name[i] = letters[test_random(&random_state) % (sizeof(letters) - 1)];
	trace_put_name(event, (enum trace_key)key, name);
}

/* The keys that @kind needs, and each other one that it may carry with the chance of
 * @percent, beginning at a place of chance. */
static void any_event(struct trace_event *event, unsigned kind, unsigned percent)
{
	unsigned start = test_random(&random_state) % 256;

	trace_begin(event, (enum trace_kind)kind,
		    trace_kind_timed(kind) ? test_random(&random_state) >> 20 : 0);
	for (unsigned key = 0; key < 256; key++)
		if (trace_key_must(key) >> kind & 1)
			put_any(event, key);
	for (unsigned i = 0; i < 256 && event->pair_count < TRACE_PAIR_MAX; i++) {
		unsigned key = (start + i) % 256;

		if ((trace_key_may(key) >> kind & 1) &&
		    !(trace_key_must(key) >> kind & 1) &&
		    test_random(&random_state) % 100 < percent)
			put_any(event, key);
	}
	CHECK_EQ(trace_check(event), 0);
}

/* @event as a file of its own, read again. */
static size_t through(enum trace_form form, const struct trace_event *event,
		      struct trace_event *again, char *bytes)
{
	struct trace_reader reader;
	struct trace_error error = { .text = "" };
	int head = trace_write_header(form, bytes, TRACE_LINE_MAX);
	int size = trace_write(form, event, bytes + head, TRACE_LINE_MAX);

	CHECK(head > 0 && size > 0);
	trace_reader_open(&reader, bytes, (size_t)(head + size));
	if (trace_read(&reader, again, &error) != 1)
		printf("%s%.*s\n", error.text, size, bytes + head);
	CHECK_STR(error.text, "");
	CHECK_EQ(again->line, form == TRACE_TEXT ? 2 : 1);
	CHECK_EQ(trace_read(&reader, &(struct trace_event){ 0 }, &error), 0);
	return (size_t)(head + size);
}

static void check_round_trip(const struct trace_event *event)
{
	static char one[2 * TRACE_LINE_MAX], other[2 * TRACE_LINE_MAX];
	struct trace_event text, binary;
	size_t size = through(TRACE_TEXT, event, &text, one);

	CHECK(trace_equal(event, &text));
	CHECK_EQ(through(TRACE_TEXT, &text, &binary, other), size);
	CHECK(memcmp(one, other, size) == 0);
	size = through(TRACE_BINARY, &text, &binary, one);
	CHECK(trace_equal(event, &binary));
	CHECK_EQ(through(TRACE_BINARY, &binary, &text, other), size);
	CHECK(memcmp(one, other, size) == 0);
}

TEST(every_kind_with_every_key_comes_back)
{
	struct trace_event event;

	for (unsigned kind = 0; kind < TRACE_KIND_COUNT; kind++) {
		for (unsigned key = 0; key < 256; key++) {
			if (!(trace_key_may(key) >> kind & 1))
				continue;
			any_event(&event, kind, 0);
			if (trace_find(&event, (enum trace_key)key) == NULL)
				put_any(&event, key);
			check_round_trip(&event);
		}
	}
}

TEST(a_hundred_thousand_random_events_come_back)
{
	static const unsigned percent[] = { 0, 5, 20, 50, 100 };
	struct trace_event event;

	for (unsigned i = 0; i < 100000; i++) {
		any_event(&event, (unsigned)(test_random(&random_state) % TRACE_KIND_COUNT),
			  percent[test_random(&random_state) % 5]);
		check_round_trip(&event);
	}
}

TEST(the_longest_event_fits_a_line)
{
	static char line[TRACE_LINE_MAX];
	struct trace_event event;
	unsigned keys[TRACE_PAIR_MAX] = { 0 };

	/* The longest keys of a require line, with their longest values. */
	trace_begin(&event, TRACE_KIND_require, 0);
	for (unsigned i = 0; i < TRACE_PAIR_MAX; i++) {
		size_t best = 0;

		for (unsigned key = 0; key < 256; key++) {
			if (!(trace_key_may(key) & TRACE_IN(require)) ||
			    trace_find(&event, (enum trace_key)key) != NULL ||
			    strlen(trace_key_name(key)) < best)
				continue;
			best = strlen(trace_key_name(key));
			keys[i] = key;
		}
		if (trace_key_type(keys[i]) == TRACE_TYPE_name)
			trace_put_name(&event, (enum trace_key)keys[i],
				       "0123456789012345678901234567890");
		else
			trace_put(&event, (enum trace_key)keys[i],
				  trace_key_max(keys[i]) < 2 ? trace_key_max(keys[i])
							     : 1);
	}
	CHECK_EQ(event.pair_count, TRACE_PAIR_MAX);
	CHECK(trace_write(TRACE_TEXT, &event, line, sizeof(line)) > 0);
}

static const char scenario[] =
	"iopf-trace 1\n"
	"# S3: a late answer meets an index that is used again\n"
	"world\tfamily=vtd  source=host entries=256\n"
	"world endpoint=D source=host rid=0x10 allocation=4\n"
	"world owner=G role=guest deadline=1h\n"
	"\n"
	"0     attach  owner=G pasid=1 endpoint=D\n"
	"+10us request endpoint=D pasid=1 index=5 addr=0x7000 perm=rw last=1 group=t1\n"
	"+1ms  show owner=G group=t1   # read by the guest\n"
	"2ms   detach endpoint=D pasid=1\n"
	"3000000 answer owner=G token=255 code=success result=refused\n"
	"require endpoint=D ended_detach=1 credits_in_use=0x0 uprgi=0\n"
	"require responses=0 endpoint=D code=success\n";

static const char canonical[] =
	"iopf-trace 1\n"
	"world source=host family=vtd entries=256\n"
	"world endpoint=D source=host rid=0x10 allocation=4\n"
	"world owner=G role=guest deadline=1h\n"
	"0 attach endpoint=D owner=G pasid=1\n"
	"10000 request endpoint=D group=t1 pasid=1 index=5 addr=0x7000 perm=rw last=1\n"
	"1010000 show owner=G group=t1\n"
	"2000000 detach endpoint=D pasid=1\n"
	"3000000 answer owner=G token=0xff code=success result=refused\n"
	"require endpoint=D uprgi=0 ended_detach=1 credits_in_use=0\n"
	"require endpoint=D code=success responses=0\n";

/* @from in @form; its size. */
static size_t convert(const char *from, size_t from_size, enum trace_form form, char *to)
{
	size_t at = (size_t)trace_write_header(form, to, 64);
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error = { .text = "" };
	int result;

	trace_reader_open(&reader, from, from_size);
	while ((result = trace_read(&reader, &event, &error)) == 1)
		at += (size_t)trace_write(form, &event, to + at, TRACE_LINE_MAX);
	CHECK_STR(error.text, "");
	CHECK_EQ(result, 0);
	to[at] = '\0';
	return at;
}

TEST(a_scenario_has_one_canonical_text_and_one_binary_form)
{
	static char text[8192], binary[8192], again[8192];
	size_t size;

	convert(scenario, sizeof(scenario) - 1, TRACE_TEXT, text);
	CHECK_STR(text, canonical);
	size = convert(scenario, sizeof(scenario) - 1, TRACE_BINARY, binary);
	convert(binary, size, TRACE_TEXT, again);
	CHECK_STR(again, canonical);
	convert(again, strlen(again), TRACE_TEXT, text);
	CHECK_STR(text, canonical);
}

TEST(the_bytes_of_the_binary_form_never_change)
{
	static const uint8_t wanted[] = {
		0x89, 'I', 'O', 'P', 'F', 0x0d, 0x0a, 0x1a, 1, 0, 0, 0, 0, 0, 0, 0,
		0x40, 0, 0, 0, 13, 3, 0, 0, 0x88, 0x13, 0, 0, 0, 0, 0, 0,
		0, 2, 0, 0, 0, 0, 0, 0, 'D', '1', 0, 0, 0, 0, 0, 0,
		1, 1, 0, 0, 0, 0, 0, 0, 'Y', 0, 0, 0, 0, 0, 0, 0,
		6, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
	};
	static const char text[] = "iopf-trace 1\n5us replace endpoint=D1 owner=Y "
				   "pasid=none\n";
	static char bytes[4096];

	CHECK_EQ(convert(text, sizeof(text) - 1, TRACE_BINARY, bytes), sizeof(wanted));
	CHECK(memcmp(bytes, wanted, sizeof(wanted)) == 0);
}

TEST(what_is_no_statement_is_not_written)
{
	struct trace_event event;
	char line[TRACE_LINE_MAX];

	trace_begin(&event, TRACE_KIND_kill, 5);
	CHECK_EQ(trace_write(TRACE_TEXT, &event, line, sizeof(line)), -EINVAL);
	trace_put_name(&event, TRACE_KEY_owner, "G");
	CHECK_EQ(trace_write(TRACE_TEXT, &event, line, sizeof(line)), 15);
	CHECK_EQ(trace_write(TRACE_TEXT, &event, line, 15), 15);
	memset(line, 7, sizeof(line));
	CHECK_EQ(trace_write(TRACE_TEXT, &event, line, 14), -ENOSPC);
	CHECK_EQ(line[0], 7);
	CHECK_EQ(trace_write_header(TRACE_BINARY, line, 15), -ENOSPC);
	CHECK_EQ(line[0], 7);
	trace_put(&event, TRACE_KEY_addr, 1); /* not allowed there */
	CHECK_EQ(trace_check(&event), -EINVAL);
	trace_begin(&event, TRACE_KIND_stop, 0);
	trace_put(&event, TRACE_KEY_index, 65536); /* does not fit */
	CHECK_EQ(trace_check(&event), -EINVAL);
	trace_begin(&event, TRACE_KIND_stop, 0);
	trace_put(&event, TRACE_KEY_index, 1);
	trace_put(&event, TRACE_KEY_index, 2); /* twice */
	CHECK_EQ(trace_check(&event), -EINVAL);
	CHECK_EQ(event.pair_count, 1);
	trace_begin(&event, TRACE_KIND_mark, 0);
	trace_put_name(&event, TRACE_KEY_name, "no blanks");
	CHECK_EQ(trace_check(&event), -EINVAL);
	trace_begin(&event, TRACE_KIND_mark, 0);
	trace_put(&event, TRACE_KEY_name, 1); /* not a number */
	CHECK_EQ(trace_check(&event), -EINVAL);
	trace_begin(&event, TRACE_KIND_world, 1); /* has no time */
	CHECK_EQ(trace_check(&event), -EINVAL);
	trace_begin(&event, TRACE_KIND_COUNT, 1);
	CHECK_EQ(trace_check(&event), -EINVAL);
}

TEST(a_twenty_fifth_key_is_not_added)
{
	struct trace_event event;

	trace_begin(&event, TRACE_KIND_count, 0);
	for (unsigned i = 0; i < TRACE_PAIR_MAX; i++)
		trace_put(&event, (enum trace_key)(TRACE_KEY_COUNTERS + i), i);
	CHECK_EQ(trace_check(&event), 0);
	trace_put(&event, TRACE_KEY_credits_in_use, 1);
	CHECK_EQ(event.pair_count, TRACE_PAIR_MAX);
	CHECK_EQ(trace_check(&event), -EINVAL);
}

/* An event that somebody filled in by hand is checked like one that was read. */
TEST(pairs_that_nobody_could_put_are_not_written)
{
	struct trace_event good, event;

	trace_begin(&good, TRACE_KIND_stop, 3);
	trace_put_name(&good, TRACE_KEY_endpoint, "D");
	trace_put(&good, TRACE_KEY_pasid, 7);
	CHECK_EQ(trace_check(&good), 0);
	event = good;
	memset(event.pair[0].name, 'a', sizeof(event.pair[0].name));
	CHECK_EQ(trace_check(&event), -EINVAL); /* no end */
	event = good;
	event.pair[0].name[5] = 'x';
	CHECK_EQ(trace_check(&event), -EINVAL); /* something behind the end */
	event = good;
	event.pair[0].number = 1;
	CHECK_EQ(trace_check(&event), -EINVAL); /* a name and a number */
	event = good;
	event.pair[1] = good.pair[0];
	CHECK_EQ(trace_check(&event), -EINVAL); /* twice */
	event.pair[0] = good.pair[1];
	CHECK_EQ(trace_check(&event), -EINVAL); /* out of order */
	event = good;
	event.pair[1].key = TRACE_KEY_NONE;
	CHECK_EQ(trace_check(&event), -EINVAL); /* no key */
	event = good;
	event.pair_count = TRACE_PAIR_MAX + 1;
	CHECK_EQ(trace_check(&event), -EINVAL);
}

TEST(values_are_found_by_their_key)
{
	struct trace_event event;

	trace_begin(&event, TRACE_KIND_stop, 3);
	trace_put(&event, TRACE_KEY_pasid, 7);
	trace_put_name(&event, TRACE_KEY_endpoint, "D");
	CHECK_EQ(trace_number(&event, TRACE_KEY_pasid, 99), 7);
	CHECK_EQ(trace_number(&event, TRACE_KEY_index, 99), 99);
	CHECK_STR(trace_name(&event, TRACE_KEY_endpoint), "D");
	CHECK(trace_name(&event, TRACE_KEY_source) == NULL);
	CHECK_EQ(trace_find(&event, TRACE_KEY_endpoint) - event.pair, 0);
}

int main(void)
{
	return test_main();
}
