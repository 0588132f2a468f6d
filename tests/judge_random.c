/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: histories out of a small generator of its own break no rule: whole ones,
 * and, where the judge is not told that they are whole, any part of one. Whatever else an
 * event says, a judge goes on, in its memory.
 */
#include "judge_history.h"

enum {
	ENDPOINTS = 4,
	GROUPS = 6,
	PASIDS = 2,
	EVENTS = 4000,
	STEPS = 900,
	FIFO = 64,
	PAGES_MAX = 4,
};

enum state { FREE, ASKED, WHOLE, SHOWN, SAID, LEFT };

static struct group {
	enum state state;
	uint16_t index;
	uint32_t pasid; /* from 1 */
	unsigned sent, taken;
	bool last_sent, last_taken, lost;
	uint64_t token;
	uint8_t code;
} groups[ENDPOINTS][GROUPS];

/* Requests on their way into the queue of the only source. */
static struct {
	unsigned endpoint, group;
	struct iopf_judge_event event;
} fifo[FIFO];

static struct iopf_judge_event events[EVENTS];
static unsigned count, fifo_count;
static uint64_t seed, now, tokens;
static bool overflowing;
static uint32_t owners[ENDPOINTS][PASIDS + 1]; /* one more; 0: nobody has it */
static bool stalls[ENDPOINTS], bare[ENDPOINTS];

static unsigned draw(unsigned below)
{
	return (unsigned)(test_random(&seed) % below);
}

static struct iopf_judge_event event_of(enum iopf_judge_kind kind, unsigned endpoint,
					enum iopf_judge_interface interface)
{
	struct iopf_judge_event event = IOPF_JUDGE_EVENT_NONE;

	event.ns = now += draw(3);
	event.kind = (uint8_t)kind;
	event.interface = (uint8_t)interface;
	event.endpoint = endpoint;
	event.source = 0;
	return event;
}

static void happen(const struct iopf_judge_event *event)
{
	CHECK(count < EVENTS);
	events[count++] = *event;
}

static void simply(enum iopf_judge_kind kind, unsigned endpoint,
		   enum iopf_judge_interface interface)
{
	const struct iopf_judge_event event = event_of(kind, endpoint, interface);

	happen(&event);
}

/* ---- The device -------------------------------------------------------------------- */

/* With one for the last request of each group that is open. */
static unsigned outstanding(unsigned endpoint)
{
	unsigned sum = 0;

	for (unsigned n = 0; n < GROUPS; n++) {
		const struct group *group = &groups[endpoint][n];

		if (group->state != FREE)
			sum += group->sent + !group->last_sent;
	}
	return sum;
}

static void respond(unsigned endpoint, struct group *group, enum iopf_judge_interface at,
		    uint8_t code)
{
	struct iopf_judge_event event = event_of(IOPF_JUDGE_RESPONSE, endpoint, at);

	event.pasid = bare[endpoint] || stalls[endpoint] ? IOPF_PASID_NONE : group->pasid;
	event.index = group->index;
	event.code = code;
	event.flags = IOPF_JUDGE_INDEX | (stalls[endpoint] ? IOPF_JUDGE_STALL : 0);
	happen(&event);
}

/* Into the queue, or, where that is full, lost: its last is answered for nothing. */
static void post(unsigned endpoint, unsigned number, const struct iopf_judge_event *event)
{
	struct group *group = &groups[endpoint][number];

	if (!overflowing && fifo_count < FIFO) {
		fifo[fifo_count].endpoint = endpoint;
		fifo[fifo_count].group = number;
		fifo[fifo_count++].event = *event;
		return;
	}
	group->lost = true;
	if (event->flags & IOPF_JUDGE_LAST) {
		respond(endpoint, group, IOPF_AT_FUNCTION, IOPF_SUCCESS);
		group->state = FREE;
	}
}

static void ask(unsigned endpoint, unsigned number, bool last)
{
	struct group *group = &groups[endpoint][number];
	struct iopf_judge_event event =
		event_of(IOPF_JUDGE_REQUEST, endpoint, IOPF_AT_FUNCTION);

	group->sent++;
	group->last_sent = last;
	event.pasid = group->pasid;
	event.index = group->index;
	event.addr = UINT64_C(4096) * draw(1000);
	event.perm = (uint8_t)(1 + draw(3));
	event.flags = IOPF_JUDGE_INDEX | (last ? IOPF_JUDGE_LAST : 0) |
		      (stalls[endpoint] ? IOPF_JUDGE_STALL : 0);
	happen(&event);
	post(endpoint, number, &event);
}

/* A stall never overflows; a partial group ends before its device runs out of credits. */
static void device(unsigned endpoint)
{
	unsigned number = draw(GROUPS);
	struct group *group = &groups[endpoint][number];
	int room = PAGES_MAX * 2 - (int)outstanding(endpoint);

	if (group->state == FREE && room > PAGES_MAX &&
	    !(stalls[endpoint] && (overflowing || fifo_count == FIFO))) {
		*group = (struct group){ .state = ASKED,
					 .index = (uint16_t)(number * 3),
					 .pasid = 1 + draw(PASIDS) };
		ask(endpoint, number, stalls[endpoint] || draw(3) == 0);
	} else if (group->state == ASKED && !group->last_sent && room > 0) {
		ask(endpoint, number, draw(2) == 0 || group->sent == PAGES_MAX - 1);
	} else if (group->state == ASKED && !group->last_sent) {
		ask(endpoint, number, true);
	}
}

/* ---- The host ---------------------------------------------------------------------- */

static void take(void)
{
	struct iopf_judge_event event = fifo[0].event;
	struct group *group = &groups[fifo[0].endpoint][fifo[0].group];

	event.ns = now;
	event.interface = IOPF_AT_QUEUE;
	happen(&event);
	group->taken++;
	group->last_taken = event.flags & IOPF_JUDGE_LAST;
	if (group->last_taken)
		group->state = WHOLE;
	memmove(fifo, fifo + 1, --fifo_count * sizeof(*fifo));
}

static void show(unsigned endpoint, struct group *group)
{
	struct iopf_judge_event event =
		event_of(IOPF_JUDGE_SHOW, endpoint, IOPF_AT_GUEST);
	uint32_t owner = owners[endpoint][group->pasid];

	if (owner == 0)
		return;
	group->token = event.token = ++tokens;
	event.owner = owner - 1;
	event.pasid = group->pasid;
	event.index = group->index;
	event.count = group->lost ? 0 : group->taken;
	event.flags = IOPF_JUDGE_INDEX;
	happen(&event);
	group->state = SHOWN;
}

static void answer(unsigned endpoint, struct group *group)
{
	struct iopf_judge_event event =
		event_of(IOPF_JUDGE_ANSWER, endpoint, IOPF_AT_GUEST);

	event.owner = owners[endpoint][group->pasid] - 1;
	event.token = group->token;
	event.code = group->code = (uint8_t)draw(2);
	happen(&event);
	group->state = SAID;
	if (draw(3) == 0) { /* once more: refused */
		event.flags = IOPF_JUDGE_REFUSED;
		happen(&event);
	}
}

static void leave(unsigned endpoint, struct group *group, uint8_t ending)
{
	struct iopf_judge_event *event;

	respond(endpoint, group, IOPF_AT_QUEUE, group->code);
	event = &events[count - 1];
	event->flags |= IOPF_JUDGE_ENDING;
	event->ending = ending;
	event->token = group->token;
	event->count = group->lost ? 0 : group->taken;
	group->state = LEFT;
}

static void host(unsigned endpoint)
{
	struct group *group = &groups[endpoint][draw(GROUPS)];

	if (group->state == WHOLE && draw(8) == 0) {
		group->code = IOPF_INVALID;
		leave(endpoint, group, IOPF_ENDING_quota);
	} else if (group->state == WHOLE) {
		show(endpoint, group);
	} else if (group->state == SHOWN) {
		answer(endpoint, group);
	} else if (group->state == SAID) {
		leave(endpoint, group, group->code); /* endings begin with the codes */
	} else if (group->state == LEFT) {
		respond(endpoint, group, IOPF_AT_FUNCTION, group->code);
		group->state = FREE;
	}
}

/* ---- What happens to it ------------------------------------------------------------- */

static void drain(void)
{
	while (fifo_count > 0)
		take();
	if (!overflowing)
		return;
	simply(IOPF_JUDGE_OVERFLOW, 0, IOPF_AT_QUEUE);
	overflowing = false;
	/* What was there of them is thrown away; their rest comes, as a group of its own. */
	for (unsigned n = 0; n < ENDPOINTS * GROUPS; n++) {
		struct group *group = &groups[n / GROUPS][n % GROUPS];

		group->lost |= group->state == ASKED;
		group->taken = group->state == ASKED ? 0 : group->taken;
	}
}

/* Open groups are finished, the queue is emptied, all of it is answered, then it is done. */
static void detach(unsigned endpoint, uint32_t pasid)
{
	struct iopf_judge_event event =
		event_of(IOPF_JUDGE_DETACH, endpoint, IOPF_AT_GUEST);

	for (unsigned n = 0; n < GROUPS; n++) {
		struct group *group = &groups[endpoint][n];

		if (group->state == ASKED && group->pasid == pasid && !group->last_sent)
			ask(endpoint, n, true);
	}
	drain();
	for (unsigned n = 0; n < GROUPS; n++) {
		struct group *group = &groups[endpoint][n];

		if (group->pasid != pasid || group->state == FREE || group->state == LEFT)
			continue;
		group->code = IOPF_INVALID;
		leave(endpoint, group, IOPF_ENDING_detach);
	}
	event.ns = now;
	event.pasid = pasid;
	event.owner = owners[endpoint][pasid] - 1;
	happen(&event);
	owners[endpoint][pasid] = 0;
}

static void attach(unsigned endpoint, uint32_t pasid)
{
	struct iopf_judge_event event =
		event_of(IOPF_JUDGE_ATTACH, endpoint, IOPF_AT_GUEST);

	event.pasid = pasid;
	event.owner = draw(2);
	happen(&event);
	owners[endpoint][pasid] = event.owner + 1;
}

static void change_space(unsigned endpoint)
{
	uint32_t pasid = 1 + draw(PASIDS);

	if (owners[endpoint][pasid] != 0)
		detach(endpoint, pasid);
	else
		attach(endpoint, pasid);
}

static void forget(unsigned endpoint)
{
	unsigned kept = 0;

	for (unsigned n = 0; n < fifo_count; n++)
		if (fifo[n].endpoint != endpoint)
			fifo[kept++] = fifo[n];
	fifo_count = kept;
	memset(groups[endpoint], 0, sizeof(groups[endpoint]));
}

/* A stream is terminated in the IOMMU; a function forgets. */
static void reset(unsigned endpoint)
{
	if (stalls[endpoint]) {
		simply(IOPF_JUDGE_TERMINATE, endpoint, IOPF_AT_QUEUE);
		for (unsigned n = 0; n < GROUPS; n++) {
			struct iopf_judge_event event =
				event_of(IOPF_JUDGE_DROP, endpoint, IOPF_AT_FUNCTION);

			event.index = groups[endpoint][n].index;
			event.flags = IOPF_JUDGE_INDEX;
			if (groups[endpoint][n].state != FREE)
				happen(&event);
		}
		forget(endpoint);
		return;
	}
	simply(IOPF_JUDGE_RESET, endpoint, IOPF_AT_QUEUE);
	if (draw(2) == 0)
		drain(); /* it comes out, and is nobody's */
	simply(IOPF_JUDGE_RESET, endpoint, IOPF_AT_FUNCTION);
	simply(IOPF_JUDGE_FORGET, endpoint, IOPF_AT_FUNCTION);
	simply(IOPF_JUDGE_ENABLE, endpoint, IOPF_AT_FUNCTION);
	forget(endpoint);
}

/* ---- A history --------------------------------------------------------------------- */

static void settle(void)
{
	for (unsigned endpoint = 0; endpoint < ENDPOINTS; endpoint++)
		for (uint32_t pasid = 1; pasid <= PASIDS; pasid++)
			detach(endpoint, pasid);
	for (unsigned n = 0; n < ENDPOINTS * GROUPS; n++) {
		struct group *group = &groups[n / GROUPS][n % GROUPS];

		if (group->state == LEFT)
			respond(n / GROUPS, group, IOPF_AT_FUNCTION, group->code);
	}
}

static void step(void)
{
	unsigned endpoint = draw(ENDPOINTS), what = draw(200);

	if (what < 90)
		device(endpoint);
	else if (what < 130 && fifo_count > 0)
		take();
	else if (what < 194)
		host(endpoint);
	else if (what < 196)
		change_space(endpoint);
	else if (what == 196)
		reset(endpoint);
	else if (what == 197)
		drain();
	else if (what == 198)
		overflowing = true;
}

static void make(void)
{
	count = fifo_count = 0;
	now = tokens = 0;
	overflowing = false;
	memset(groups, 0, sizeof(groups));
	memset(owners, 0, sizeof(owners));
	for (unsigned endpoint = 0; endpoint < ENDPOINTS; endpoint++) {
		stalls[endpoint] = draw(3) == 0;
		bare[endpoint] = draw(2) == 0;
		simply(IOPF_JUDGE_ENABLE, endpoint, IOPF_AT_FUNCTION);
		attach(endpoint, 1);
	}
	for (unsigned n = 0; n < STEPS; n++)
		step();
	settle();
}

static void describe(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const struct iopf_judge_source source = { .name = "s", .family = "smmuv3" };

	iopf_judge_add_source(court.judge, &source);
	iopf_judge_add_owner(court.judge, "one");
	iopf_judge_add_owner(court.judge, "two");
	for (unsigned n = 0; n < ENDPOINTS; n++) {
		const struct iopf_judge_endpoint endpoint = {
			.name = names[n],
			.source = 0,
			.physical = IOPF_NO_ID,
			.rid = n,
			.allocation = PAGES_MAX * 2,
			.mechanism = stalls[n] ? IOPF_STALLS : IOPF_PRI,
			.pasid_in_response = !bare[n],
		};

		CHECK_EQ(iopf_judge_add_endpoint(court.judge, &endpoint), n);
	}
}

static void judge(unsigned from, unsigned to)
{
	describe();
	for (unsigned n = from; n < to; n++) {
		events[n].line = n + 1;
		iopf_judge_event(court.judge, &events[n]);
	}
	iopf_judge_end(court.judge);
}

static void holds(uint64_t of)
{
	if (court.count > 0) {
		printf("seed %u:\n", (unsigned)of);
		court_print();
	}
	CHECK_EQ(court.count, 0);
}

TEST(a_whole_history_breaks_no_rule)
{
	for (uint64_t n = 1; n <= 300; n++) {
		seed = n;
		make();
		court_open();
		judge(0, count);
		holds(n);
		CHECK(iopf_judge_tally(court.judge, IOPF_NO_ID).judged > count);
	}
}

TEST(a_part_of_one_breaks_no_rule)
{
	for (uint64_t n = 1; n <= 300; n++) {
		unsigned from, to;

		seed = n;
		make();
		from = draw(count);
		to = from + draw(count - from + 1);
		court_open_with(0, 1024);
		judge(from, to);
		holds(n);
	}
}

/* What does not fit is named, and what was not remembered is not judged. */
TEST(a_judge_without_room_breaks_no_rule_and_says_so)
{
	unsigned named = 0;

	for (uint64_t n = 1; n <= 100; n++) {
		uint32_t max;
		uint64_t lost;

		seed = n;
		make();
		court_open_with(0, 4);
		judge(0, count);
		holds(n);
		for (uint32_t m = 0; iopf_judge_full(court.judge, m, &max, &lost) != NULL; m++) {
			CHECK_EQ(max, 4);
			CHECK(lost > 0);
			named++;
		}
	}
	CHECK(named > 0);
}

/* One more response, somewhere: whoever counts them sees it. */
TEST(a_response_twice_is_seen_anywhere)
{
	unsigned seen = 0, tried = 0;

	for (uint64_t n = 1; n <= 300; n++) {
		unsigned at;

		seed = n;
		make();
		for (at = draw(count); at < count; at++)
			if (events[at].kind == IOPF_JUDGE_RESPONSE &&
			    events[at].interface == IOPF_AT_QUEUE)
				break;
		if (at == count)
			continue;
		memmove(events + at + 1, events + at, (count - at) * sizeof(*events));
		count++;
		court_open();
		judge(0, count);
		tried++;
		seen += court.count > 0;
	}
	CHECK(tried > 100);
	CHECK_EQ(seen, tried);
}

/* ---- Anything ---------------------------------------------------------------------- */

static void spoil(struct iopf_judge_event *event)
{
	uint8_t *bytes = (uint8_t *)event;

	for (unsigned n = 1 + draw(4); n > 0; n--)
		bytes[draw(sizeof(*event))] = (uint8_t)test_random(&seed);
}

TEST(whatever_an_event_says_the_judge_goes_on)
{
	for (uint64_t n = 1; n <= 200; n++) {
		seed = n;
		make();
		for (unsigned m = 0; m < count; m++)
			if (draw(4) == 0)
				spoil(&events[m]);
		court_open_with(n % 2 ? IOPF_JUDGE_WHOLE : 0, n % 3 ? 1024 : 8);
		judge(0, count);
		CHECK_EQ(iopf_judge_events(court.judge), count);
	}
}

TEST(nothing_but_garbage_is_taken_as_well)
{
	struct iopf_judge_event event;

	seed = 1;
	court_open_with(0, 64);
	for (unsigned n = 0; n < 300000; n++) {
		uint64_t words[sizeof(event) / 8];

		for (unsigned m = 0; m < sizeof(event) / 8; m++)
			words[m] = draw(2) ? test_random(&seed) : draw(8);
		memcpy(&event, words, sizeof(event));
		event.kind %= IOPF_JUDGE_KIND_COUNT + 1;
		event.interface %= IOPF_AT_COUNT + 1;
		iopf_judge_event(court.judge, &event);
	}
	iopf_judge_end(court.judge);
	CHECK(iopf_judge_tally(court.judge, IOPF_NO_ID).judged > 1000);
}

TEST(options_out_of_range_are_refused)
{
	const struct iopf_judge_options good = { .size_bytes = sizeof(good),
						 .source_max = 1,
						 .endpoint_max = 1,
						 .owner_max = 1,
						 .space_max = 1,
						 .group_max = 1,
						 .command_max = 1 };
	struct iopf_judge_options bad[7];
	size_t size_bytes = iopf_judge_size_bytes(&good);
	struct iopf_judge *it = NULL;
	void *memory = aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);

	CHECK(size_bytes > 0 && memory != NULL);
	CHECK_EQ(iopf_judge_create(&good, memory, size_bytes, &it), 0);
	CHECK_EQ(iopf_judge_create(&good, memory, size_bytes - 1, &it), -28); /* ENOSPC */
	CHECK_EQ(iopf_judge_create(&good, (char *)memory + 8, size_bytes, &it), -22);
	for (unsigned n = 0; n < 7; n++)
		bad[n] = good;
	bad[0].size_bytes = 0;
	bad[1].source_max = 256;
	bad[2].endpoint_max = 65535;
	bad[3].owner_max = 0;
	bad[4].space_max = 1048577;
	bad[5].group_max = 16777217;
	bad[6].command_max = 0;
	for (unsigned n = 0; n < 7; n++)
		CHECK_EQ(iopf_judge_size_bytes(&bad[n]), 0);
	free(memory);
}

int main(void)
{
	return test_main();
}
