/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: scenarios too long to write down, and what the player says of bad ones. */
#include "sim/scenario.h"

#include <stdarg.h>

#include "test.h"

static struct {
	char *bytes;
	size_t size, room;
} text;

static void begin(void)
{
	text.size = 0;
}

static void line(const char *format, ...)
{
	va_list arguments;

	if (text.room - text.size < TRACE_LINE_MAX) {
		text.room = text.room * 2 + TRACE_LINE_MAX;
		text.bytes = realloc(text.bytes, text.room);
		CHECK(text.bytes != NULL);
	}
	va_start(arguments, format);
	text.size += (size_t)vsnprintf(text.bytes + text.size, text.room - text.size, format,
				       arguments);
	va_end(arguments);
	text.bytes[text.size++] = '\n';
}

static struct scenario_result play(enum trace_variant variant)
{
	const struct scenario_options options = { .variant = variant };
	struct scenario_result result;

	scenario_play(text.bytes, text.size, &options, &result);
	return result;
}

static void holds(enum trace_variant variant)
{
	struct scenario_result result = play(variant);

	if (result.outcome != SCENARIO_OK)
		printf("%u:%u: %s\n", result.line, result.column, result.text);
	CHECK_EQ(result.outcome, SCENARIO_OK);
}

static void world(void)
{
	begin();
	line("iopf-trace 1");
	line("world source=host family=vtd");
	line("world endpoint=D rid=0x10 allocation=4");
}

/* ---- S3, a thousand times --------------------------------------------------- */

enum { TIMES = 1000 };

/* In the order of chance, each once. */
static void shuffle(unsigned *order, uint64_t seed)
{
	for (unsigned n = 0; n < TIMES; n++)
		order[n] = n;
	for (unsigned n = TIMES - 1; n > 0; n--) {
		unsigned other = (unsigned)(test_random(&seed) % (n + 1)), kept = order[n];

		order[n] = order[other];
		order[other] = kept;
	}
}

static void thousand_questions(void)
{
	world();
	line("world owner=G");
	line("0 attach endpoint=D pasid=1 owner=G");
	for (unsigned n = 0; n < TIMES; n++) {
		line("+1ms request endpoint=D pasid=1 index=5 addr=0x%x perm=r last=1 group=t%u",
		     0x1000u * (n + 1), n);
		line("+1ms show owner=G group=t%u", n);
		line("+1ms detach endpoint=D pasid=1");
		line("+1ms attach endpoint=D pasid=1 owner=G");
	}
	line("require endpoint=D responses=%u code=invalid", TIMES);
	line("require endpoint=D ended_detach=%u", TIMES);
	line("+1ms mark name=late");
}

TEST(a_thousand_late_answers_in_any_order_are_stale_and_nothing_leaves)
{
	unsigned order[TIMES];

	shuffle(order, 7);
	thousand_questions();
	for (unsigned n = 0; n < TIMES; n++)
		line("+1us answer owner=G group=t%u code=%s result=refused", order[n],
		     n % 2 == 0 ? "success" : "invalid");
	line("require endpoint=D responses=0 since=late");
	line("require owner=G refused_stale=%u refused_unknown=0", TIMES);
	line("require endpoint=D uprgi=0 credits_in_use=0");
	line("require endpoint=D interface=function credits_in_use=0");
	holds(TRACE_VARIANT_PRI);
	holds(TRACE_VARIANT_PRI_NOPASID);
}

/* ---- S4, with every index owed ---------------------------------------------- */

TEST(a_guest_that_owes_every_index_is_shown_nothing_until_it_answers)
{
	world();
	line("world owner=G family=vtd entries=1024");
	line("0 attach endpoint=D pasid=1 owner=G");
	for (unsigned n = 0; n < 512; n++) {
		line("+1ms request endpoint=D pasid=1 index=5 addr=0x1000 perm=r last=1 "
		     "group=t%u",
		     n);
		line("+1ms show owner=G group=t%u", n);
		line("+1ms end group=t%u ending=deadline code=invalid", n);
	}
	line("require owner=G debts=512 parked=0");
	line("+1ms mark name=full");
	line("+1ms request endpoint=D pasid=1 index=6 addr=0x2000 perm=r last=1 group=new");
	line("require owner=G parked=1 shows=0 since=full");
	line("+1ms answer owner=G group=t300 code=success interface=guest");
	line("require owner=G parked=0 shows=1 since=full");
	line("require owner=G debts=511 refused_stale=1");
	line("require endpoint=D responses=0 since=full");
	line("+1ms show owner=G group=new virtual_index=300");
	line("+1ms answer owner=G group=new code=success interface=guest");
	line("require endpoint=D responses=1 since=full");
	line("require endpoint=D uprgi=0 credits_in_use=0");
	holds(TRACE_VARIANT_PRI);
}

/* ---- What is wrong, and where ----------------------------------------------- */

static void refuses(enum scenario_outcome outcome, unsigned at_line, unsigned column,
		    const char *message)
{
	struct scenario_result result = play(TRACE_VARIANT_PRI);

	CHECK_EQ(result.outcome, outcome);
	CHECK_EQ(result.line, at_line);
	CHECK_EQ(result.column, column);
	CHECK_STR(result.text, message);
}

TEST(what_does_not_hold_is_named_with_its_place)
{
	world();
	line("world owner=G");
	line("0 attach endpoint=D pasid=1 owner=G");
	line("1 request endpoint=D pasid=1 index=5 addr=0x1000 perm=r last=1");
	line("require endpoint=D ready=2");
	refuses(SCENARIO_FAILED, 7, 20, "required: ready=2; found: 1");
}

TEST(names_that_no_world_line_has_are_refused)
{
	world();
	line("0 attach endpoint=E pasid=1 owner=G");
	refuses(SCENARIO_BAD, 4, 10, "endpoint=E, expected one that a world line describes");
	world();
	line("0 attach endpoint=D pasid=1 owner=G");
	refuses(SCENARIO_BAD, 4, 29, "owner=G, expected one that a world line describes");
}

TEST(unfinished_scenarios_are_refused)
{
	world();
	refuses(SCENARIO_BAD, 0, 0, "no events, expected some");
	world();
	line("0 reset");
	CHECK_EQ(play(TRACE_VARIANT_PRI).outcome, SCENARIO_BAD);
	begin();
	line("0 mark name=x");
	CHECK_EQ(play(TRACE_VARIANT_PRI).outcome, SCENARIO_BAD);
}

TEST(a_function_without_a_credit_does_not_ask)
{
	world();
	line("0 request endpoint=D pasid=1 index=5 addr=0x1000 perm=r count=5");
	refuses(SCENARIO_FAILED, 4, 11,
		"required: D has a credit; found: paging on, 4 of 4 in use");
}

/* ---- Variants --------------------------------------------------------------- */

TEST(a_variant_plays_the_lines_that_are_for_it)
{
	begin();
	line("iopf-trace 1");
	line("variants pri pri-no-pasid guest");
	line("world endpoint=D rid=0x10 allocation=4");
	line("world owner=G");
	line("0 attach endpoint=D pasid=1 owner=G");
	line("1 request endpoint=D pasid=1 index=5 addr=0x1000 perm=r last=1 group=t");
	line("2 show owner=G group=t");
	line("@direct 3 answer owner=G group=t code=success");
	line("@guest  4 answer owner=G group=t code=invalid");
	line("@direct require endpoint=D ended_success=1");
	line("@pasid @direct require endpoint=D responses=1 pasid=1");
	line("@no-pasid require endpoint=D responses=1 pasid=none");
	line("@guest require endpoint=D ended_invalid=1");
	holds(TRACE_VARIANT_PRI);
	holds(TRACE_VARIANT_PRI_NOPASID);
	holds(TRACE_VARIANT_GUEST);
}

TEST(a_variant_that_a_file_does_not_have_is_not_played)
{
	begin();
	line("iopf-trace 1");
	line("variants guest");
	line("world endpoint=D rid=0x10 allocation=4");
	refuses(SCENARIO_BAD, 3, 1, "not played as pri, expected a variant of the file");
}

int main(void)
{
	int code = test_main();

	free(text.bytes);
	return code;
}
