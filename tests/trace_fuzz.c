/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a reader of garbage ends with success or an error, in bounded time. */
#include <errno.h>

#include "test.h"
#include "trace/trace.h"

enum { MUTATIONS = 1000000, FILE_MAX = 2048 };

static const char seed_text[] =
	"iopf-trace 1\n"
	"variants pri guest stall\n"
	"cannot guest-stall for a reason of its own\n"
	"world source=host family=vtd entries=256 reserve_count=8\n"
	"world endpoint=D source=host rid=0x10 allocation=4 pasid_in_response=1\n"
	"world owner=G role=guest character=slow deadline=10ms quota=8\n"
	"0 attach endpoint=D owner=G pasid=1 # here it begins\n"
	"+10us request endpoint=D pasid=1 index=5 addr=0x7000 perm=rw last=1 group=t1\n"
	"@pri @direct 1ms overflow source=host count=3\n"
	"+1ms show owner=G group=t1 virtual_index=9 interface=guest\n"
	"5ms response endpoint=D code=invalid ending=deadline request_count=1\n"
	"6ms step endpoint=D operation=detach step=drain result=nothing\n"
	"1h hostile owner=H act=doorbell_storm count=1000\n"
	"require endpoint=D ended_detach=1 refused_stale=1 credits_in_use=0 uprgi=0\n";

static size_t make_binary(uint8_t *bytes)
{
	size_t at = (size_t)trace_write_header(TRACE_BINARY, bytes, FILE_MAX);
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;

	trace_reader_open_as(&reader, seed_text, sizeof(seed_text) - 1, TRACE_VARIANT_PRI);
	while (trace_read(&reader, &event, &error) == 1)
		at += (size_t)trace_write(TRACE_BINARY, &event, bytes + at, FILE_MAX - at);
	CHECK(at > 500);
	return at;
}

/* What a plan says lies in the file. */
static void check_plan(const struct trace_plan *plan, const uint8_t *bytes, size_t size)
{
	for (unsigned n = 0; n < TRACE_VARIANT_COUNT; n++) {
		const uint8_t *at = (const uint8_t *)plan->cannot[n].at;

		CHECK(plan->cannot[n].size == 0 || !(plan->variants >> n & 1));
		CHECK(plan->cannot[n].size == 0 ||
		      (at >= bytes && at + plan->cannot[n].size <= bytes + size));
	}
}

/* Read all of it from memory of exactly its size; every event can be written again. */
static unsigned read_all(const uint8_t *bytes, size_t size)
{
	static char line[TRACE_LINE_MAX];
	uint8_t *exact = malloc(size + !size);
	struct trace_reader reader;
	struct trace_event event;
	struct trace_error error;
	unsigned count = 0;
	int result;

	memcpy(exact, bytes, size);
	trace_reader_open_as(&reader, exact, size, TRACE_VARIANT_PRI);
	while ((result = trace_read(&reader, &event, &error)) == 1) {
		count++;
		if (trace_write(TRACE_TEXT, &event, line, sizeof(line)) <= 0)
			break;
	}
	check_plan(&reader.plan, exact, size);
	free(exact);
	CHECK(result == 0 || result == -EBADMSG);
	CHECK(result == 0 || (strlen(error.text) > 0 && error.column > 0));
	CHECK(count <= size);
	return count;
}

static size_t below(uint64_t *chance, size_t end)
{
	return (size_t)(test_random(chance) % end);
}

static size_t mutate(uint8_t *bytes, size_t size, uint64_t *chance)
{
	static const char tokens[] = " \t\n#=+-0x19amsh.\0\xff\x80\r_";
	size_t at = below(chance, size), length = below(chance, 24);

	switch (below(chance, 7)) {
	case 0:
		bytes[at] ^= (uint8_t)(1U << below(chance, 8));
		return size;
	case 1:
		bytes[at] = (uint8_t)test_random(chance);
		return size;
	case 2:
		bytes[at] = (uint8_t)tokens[below(chance, sizeof(tokens) - 1)];
		return size;
	case 3: /* cut off */
		return at + 1;
	case 4: /* take a piece out */
		length = length < size - at ? length : size - at - 1;
		memmove(bytes + at, bytes + at + length, size - at - length);
		return size - length;
	case 5: /* put a piece of it somewhere else */
		length = length < FILE_MAX - size ? length : FILE_MAX - size;
		memmove(bytes + at + length, bytes + at, size - at);
		memmove(bytes + at, bytes + below(chance, size - 24), length);
		return size + length;
	default: /* bytes of a length or a number */
		memset(bytes + at, (int)below(chance, 2) * 255, 1);
		return size;
	}
}

static void fuzz(const uint8_t *seed, size_t seed_size, uint64_t chance)
{
	static uint8_t bytes[FILE_MAX + 64];
	uint64_t events = 0;

	for (unsigned i = 0; i < MUTATIONS / 2; i++) {
		size_t times = 1 + below(&chance, 4);
		size_t size = seed_size;

		memcpy(bytes, seed, seed_size);
		for (; times > 0 && size > 64; times--)
			size = mutate(bytes, size, &chance);
		events += read_all(bytes, size);
	}
	CHECK(events > MUTATIONS / 2); /* most files are good for a while */
}

TEST(a_changed_text_is_read_or_refused)
{
	fuzz((const uint8_t *)seed_text, sizeof(seed_text) - 1, 1);
}

TEST(a_changed_binary_form_is_read_or_refused)
{
	static uint8_t seed[FILE_MAX];

	fuzz(seed, make_binary(seed), 2);
}

TEST(the_seed_itself_is_read)
{
	CHECK_EQ(read_all((const uint8_t *)seed_text, sizeof(seed_text) - 1), 11);
}

TEST(bytes_of_chance_are_refused)
{
	static uint8_t bytes[256];
	uint64_t chance = 3;

	for (unsigned i = 0; i < 100000; i++) {
		size_t size = below(&chance, sizeof(bytes));

		for (size_t at = 0; at < size; at++)
			bytes[at] = (uint8_t)test_random(&chance);
		CHECK_EQ(read_all(bytes, size), 0);
	}
}

int main(void)
{
	return test_main();
}
