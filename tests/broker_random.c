/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: whatever happens in whatever order, what stands at the functions' end is
 * what the broker says.
 */
#include "broker_oracle_operations.h"

static bool send(struct iopf_request *request)
{
	int got = iopf_broker_request(broker, source, request, now_ns);

	CHECK(got == 0 || got == -EAGAIN);
	return got == 0;
}

static void do_ask(void)
{
	int who = (int)draw(FUNCTIONS + (draw(16) == 0)), pasid = (int)draw(PASIDS);
	struct function *f = &functions[who % FUNCTIONS];
	struct iopf_request request = { .rid = rid_of(who),
					.pasid = pasid_of(pasid),
					.index = (uint16_t)draw(INDICES),
					.addr = (draw(2) == 0 ? draw(6) : test_random(&seed)) << 12,
					.perm = IOPF_READ,
					.flags = draw(5) < 3 ? IOPF_LAST : 0 };
	bool broken = draw(32) == 0;

	/* Most are in step: no more than allowed, and under an index that is not open. */
	if (f->credits == f->allocation && draw(8) != 0)
		return;
	while (is_open_elsewhere(f, pasid, request.index) && draw(16) != 0)
		request.index = (uint16_t)draw(INDICES);
	if (broken)
		request.perm = draw(2) == 0 ? 0 : IOPF_EXEC;
	else if (draw(4) == 0)
		request.perm = IOPF_WRITE;
	else if (draw(4) == 0 && pasid != PASIDS - 1)
		request.perm = IOPF_READ | IOPF_EXEC | IOPF_PRIV;
	if (!send(&request)) { /* every reserve slot is leaving */
		unsigned reserved = 0;

		for (unsigned i = 0; i < leaving_count; i++)
			reserved += !leaving[i].kept;
		CHECK(retiring || reserved == RESERVE);
		return;
	}
	if (who == UNKNOWN || !f->present) {
		if (request.flags & IOPF_LAST) {
			leave(UNKNOWN, pasid, request.index, NULL, 1, IOPF_INVALID,
			      IOPF_ENDING_no_owner);
			leaving[leaving_count - 1].token = request.rid;
		}
		return;
	}
	asks(f, pasid, request.index, request.addr, request.perm, broken,
	     request.flags & IOPF_LAST);
}

static void do_stop(void)
{
	int who = (int)draw(FUNCTIONS), pasid = (int)draw(PASIDS);
	struct iopf_request request = { .rid = rid_of(who),
					.pasid = pasid_of(pasid),
					.flags = IOPF_STOP };

	CHECK(send(&request));
	if (functions[who].present)
		drop_partials(&functions[who], pasid);
}

static void do_overflow(void)
{
	CHECK(iopf_broker_overflow(broker, source, now_ns) >= 0);
	for (unsigned i = 0; i < FUNCTIONS; i++)
		drop_partials(&functions[i], -1);
}

/* ---- Owners -------------------------------------------------------------- */

static struct asked *oldest_of(int owner, int *pasid, int *index, struct function **out)
{
	struct asked *oldest = NULL;

	for (struct function *f = functions; f < functions + FUNCTIONS; f++)
		EACH(asked, p, i)
			if (is_open(asked) && !asked->shown && asked->owner == owner &&
			    (oldest == NULL || asked->order < oldest->order)) {
				oldest = asked;
				*pasid = p;
				*index = i;
				*out = f;
			}
	return oldest;
}

static void check_shown(const struct function *f, const struct asked *asked, int pasid,
			int index, const struct iopf_group *group)
{
	struct iopf_page pages[PAGES_MAX];

	CHECK_EQ(group->endpoint, f->id);
	CHECK_EQ(group->rid, rid_of((int)(f - functions)));
	CHECK_EQ(group->pasid, pasid_of(pasid));
	CHECK_EQ(group->index, index);
	CHECK_EQ(group->page_count, asked->count);
	CHECK_EQ(group->page.addr, asked->addr[0]);
	CHECK_EQ(iopf_broker_pages(broker, group->token, 0, pages, PAGES_MAX),
		 asked->count);
	for (unsigned i = 0; i < asked->count; i++)
		CHECK_EQ(pages[i].addr, asked->addr[i]);
}

static void do_fetch(void)
{
	int owner = (int)draw(OWNERS), pasid = 0, index = 0;
	struct function *f = NULL;
	struct asked *asked = oldest_of(owner, &pasid, &index, &f);
	struct iopf_group group;
	int got = iopf_broker_fetch(broker, owners[owner], &group, now_ns);

	CHECK_EQ(got, asked == NULL ? -EAGAIN : 0);
	if (asked == NULL)
		return;
	check_shown(f, asked, pasid, index, &group);
	CHECK(name_of(group.token) == NULL); /* never used again */
	asked->shown = true;
	asked->token = group.token;
	names[name_count++ % NAMES] =
		(struct name){ .token = group.token, .owner = owner, .fate = OPEN };
	shown_total++;
}

static struct asked *asked_of(uint64_t token, int *pasid, int *index, struct function **out)
{
	for (struct function *f = functions; f < functions + FUNCTIONS; f++)
		EACH(asked, p, i)
			if (asked->live && asked->shown && asked->token == token) {
				*pasid = p;
				*index = i;
				*out = f;
				return asked;
			}
	return NULL;
}

static bool alone(const struct function *f, int owner)
{
	for (int p = 0; p <= PASIDS; p++)
		if (f->attached[p].owner >= 0 && f->attached[p].owner != owner)
			return false;
	return true;
}

/* Exactly one of the counters of refusal grew, and it is one of those in @may. */
static void refused(int owner, unsigned may)
{
	const struct iopf_stats_row *row = &iopf_broker_stats(broker)->row[FUNCTIONS + owner];
	unsigned grew = 0;

	for (unsigned c = IOPF_COUNTER_refused_unknown; c <= IOPF_COUNTER_refused_forbidden;
	     c++) {
		if (row->counter[c] == said[owner][c])
			continue;
		CHECK_EQ(row->counter[c], said[owner][c] + 1);
		said[owner][c]++;
		grew |= 1u << (c - IOPF_COUNTER_refused_unknown);
	}
	CHECK(may == 0 ? grew == 0 : (grew & may) == grew && grew != 0);
}

#define MAY(name) (1u << (IOPF_COUNTER_refused_##name - IOPF_COUNTER_refused_unknown))

/* What may be said about a token that is right but for its fate or its owner: once its
 * slot is used again, everything about it is stale. */
static unsigned why_not(const struct name *name, int owner)
{
	if (name->owner != owner)
		return MAY(foreign) | (name->fate == OPEN ? 0 : MAY(stale));
	if (name->fate == ANSWERED)
		return MAY(duplicate) | MAY(stale);
	return name->fate == TAKEN ? MAY(stale) : 0;
}

static void answers(int owner, const struct name *name, enum iopf_code code, int got)
{
	unsigned why = why_not(name, owner);
	int pasid = 0, index = 0;
	struct function *f = NULL;
	struct asked *asked = asked_of(name->token, &pasid, &index, &f);

	if (why == 0 && code == IOPF_CODE_COUNT)
		why = MAY(malformed);
	else if (why == 0 && code == IOPF_FAILURE && (owner != 0 || !alone(f, owner)))
		why = MAY(forbidden);
	refused(owner, why);
	CHECK_EQ(got, why == 0 ? 0 : why == MAY(forbidden) ? -EPERM : -ENOENT);
	if (why != 0)
		return;
	CHECK(asked != NULL && is_open(asked));
	fate_of(asked, ANSWERED);
	leave((int)(f - functions), pasid, index, asked, asked->count, code,
	      (enum iopf_ending)(IOPF_ENDING_success + code));
	answered_total++;
}

static void do_answer(void)
{
	struct name *name = &names[draw(draw(2) == 0 ? 16 : NAMES)];
	int owner = draw(16) == 0 ? (int)draw(OWNERS) : name->owner;
	enum iopf_code code = (enum iopf_code)(draw(8) == 0 ? draw(4) : draw(2));

	if (draw(2) == 0) /* one of the latest: most are open */
		name = &names[(name_count - 1 - draw(8)) % NAMES];
	if (name->token == 0)
		return;
	if (draw(16) != 0)
		owner = name->owner;
	answers(owner, name, code,
		iopf_broker_answer(broker, owners[owner], name->token, code, now_ns));
}

static void do_forge(void)
{
	int owner = (int)draw(OWNERS);
	uint64_t token = test_random(&seed);

	if (draw(2) == 0) /* like one that was issued, but for one bit */
		token = names[draw(NAMES)].token ^ UINT64_C(1) << draw(64);
	if (name_of(token) != NULL)
		return;
	CHECK_EQ(iopf_broker_answer(broker, owners[owner], token, IOPF_SUCCESS, now_ns),
		 -ENOENT);
	refused(owner, MAY(unknown) | MAY(stale) | MAY(foreign) | MAY(duplicate));
}

static void do_end(void)
{
	const struct name *name = &names[draw(NAMES)];
	int pasid = 0, index = 0;
	struct function *f = NULL;
	struct asked *asked = asked_of(name->token, &pasid, &index, &f);
	bool open = asked != NULL && is_open(asked);
	int got = iopf_broker_end(broker, name->token, IOPF_SUCCESS,
				  IOPF_ENDING_guest_overflow, now_ns);

	CHECK_EQ(got, open ? 0 : -ENOENT);
	if (open)
		host_ends(f, pasid, index, IOPF_SUCCESS, IOPF_ENDING_guest_overflow);
}

static void do_time(void)
{
	unsigned passed = draw(200);

	now_ns += passed;
	for (int owner = 0; owner < OWNERS; owner++)
		clock_ns[owner] += paused[owner] ? 0 : passed;
	CHECK(iopf_broker_poll(broker, 1000, now_ns) >= 0);
	for (struct function *f = functions; f < functions + FUNCTIONS; f++)
		EACH(asked, p, i) {
			if (!is_open(asked) || asked->owner < 1 || paused[asked->owner] ||
			    clock_ns[asked->owner] - asked->closed_ns < DEADLINE_NS)
				continue;
			if (asked->owner == 1)
				host_ends(f, p, i, IOPF_INVALID, IOPF_ENDING_deadline);
			else if (!asked->warned)
				warned += asked->warned = true;
		}
}

static void do_pause(void)
{
	int owner = (int)draw(OWNERS);

	paused[owner] = draw(3) == 0;
	CHECK_EQ(iopf_broker_pause_owner(broker, owners[owner], paused[owner], now_ns), 0);
}

static void do_respond(void)
{
	respond(draw(2) == 0 ? LEAVING_MAX : draw(4));
}

static void attach(struct function *f, int pasid, int owner)
{
	struct attached *it = &f->attached[pasid];
	int got = iopf_broker_attach(broker, f->id, pasid_of(pasid), owners[owner]);

	if (f->op == IOPF_OPERATION_REMOVE) {
		CHECK_EQ(got, -ENODEV);
	} else if (it->owner >= 0) {
		CHECK_EQ(got, it->closing ? -EBUSY : -EEXIST);
	} else {
		CHECK_EQ(got, 0);
		*it = (struct attached){ .owner = owner, .name = ++attach_count };
	}
}

static void add(struct function *f)
{
	int who = (int)(f - functions);
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = source,
						 .rid = rid_of(who),
						 .allocation = 8u + 2u * (unsigned)who,
						 .pasid_in_response = who != 1 };

	*f = (struct function){ .present = true,
				.pasid_in_response = who != 1,
				.allocation = 8u + 2u * (unsigned)who,
				.detaching = -1,
				.successor = -1,
				.epoch = f->epoch + 1 };
	for (int p = 0; p <= PASIDS; p++)
		f->attached[p].owner = -1;
	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &f->id), 0);
	for (int p = 0; p <= PASIDS; p++)
		if (draw(3) != 0)
			attach(f, p, owner_for(f));
}

static void do_attach(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];

	if (!f->present)
		add(f);
	attach(f, (int)draw(PASIDS + 1), owner_for(f));
}

static void do_enable(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];
	int got;

	if (!f->present)
		return;
	got = iopf_broker_enable(broker, f->id);
	CHECK_EQ(got, f->op != IOPF_OPERATION_NONE || f->state == FAILED ? -EBUSY : 0);
	if (got == 0)
		f->state = ON;
}

static void do_status(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];
	bool rf = draw(8) == 0;

	if (!f->present)
		return;
	CHECK_EQ(iopf_broker_status(broker, f->id,
				    (rf ? IOPF_STATUS_RF : 0u) |
					    (draw(2) == 0 ? IOPF_STATUS_UPRGI : 0u),
				    now_ns), 0);
	if (rf && f->state != FAILED) {
		forget(f);
		f->state = FAILED;
	}
}

static void do_out(void)
{
	struct function *f = &functions[draw(FUNCTIONS)];
	int owner = (int)draw(OWNERS);
	bool out = draw(4) == 0;

	if (!f->present)
		return;
	CHECK_EQ(iopf_broker_out_of_service(broker, f->id, owners[owner], out, now_ns),
		 is_with(f, owner) ? 0 : -ENOENT);
	if (is_with(f, owner))
		f->out[owner] = out;
}

static void do_policy(void)
{
	int owner = (int)draw(OWNERS);

	policies[owner].quota_groups = draw(2) == 0 ? 0 : 1 + draw(8);
	policies[owner].guaranteed = draw(2) == 0 ? 0 : 1 + draw(3);
	CHECK_EQ(iopf_broker_set_policy(broker, owners[owner], &policies[owner]), 0);
}

static void (*const acts[])(void) = {
	do_ask,    do_ask,    do_ask,    do_ask,     do_ask,     do_ask,     do_ask,
	do_ask,    do_fetch,  do_fetch,  do_fetch,   do_fetch,   do_answer,  do_answer,
	do_answer, do_answer, do_answer, do_respond, do_respond, do_respond, do_step,
	do_step,   do_step,   do_attach, do_attach,  do_forge,   do_time,    NULL,
};
static void (*const rare[])(void) = {
	do_stop,  do_overflow, do_end,	  do_pause,  do_begin,
	do_begin, do_enable,   do_enable, do_status, do_out, do_policy,
};

static void create(uint64_t with_seed, uint32_t first_generation)
{
	static _Alignas(64) uint8_t memory[1 << 18];
	static const struct iopf_policy none = { 0 };
	struct iopf_broker_options options = {
		.size_bytes = sizeof(options),
		.instance = 1 + (uint32_t)(with_seed % 1023),
		.source_max = 1,
		.endpoint_max = FUNCTIONS,
		.owner_max = OWNERS,
		.attachment_max = FUNCTIONS * (PASIDS + 1),
		.group_max = 8 + 10 + 12 + RESERVE + 32, /* gaps between them */
		.first_generation = first_generation,
	};
	struct iopf_source_options queue = { .size_bytes = sizeof(queue),
					     .usable_entries = USABLE,
					     .reserve_count = RESERVE };

	memset(functions, 0, sizeof(functions));
	memset(names, 0, sizeof(names));
	memset(said, 0, sizeof(said));
	memset(paused, 0, sizeof(paused));
	memset(clock_ns, 0, sizeof(clock_ns));
	leaving_count = name_count = attach_count = taken_seen = taken_wanted = 0;
	warned = now_ns = orders = 0;
	seed = with_seed;
	life++;
	CHECK(iopf_broker_size_bytes(&options) <= sizeof(memory));
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof(memory), &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker, &queue, &source), 0);
	for (unsigned i = 0; i < OWNERS; i++) {
		struct iopf_owner_options owner = {
			.size_bytes = sizeof(owner),
			.flags = i == 0 ? IOPF_OWNER_MAY_FAIL : 0,
			.taken = on_taken,
		};

		policies[i] = none;
		policies[i].deadline_ns = i == 0 ? 0 : DEADLINE_NS;
		policies[i].deadline_answers = i == 1;
		policies[i].retry_max = i + 1;
		owner.policy = policies[i];

		CHECK_EQ(iopf_broker_add_owner(broker, &owner, &owners[i]), 0);
	}
	for (unsigned i = 0; i < FUNCTIONS; i++)
		add(&functions[i]);
}

static void live(uint64_t with_seed, uint32_t first_generation, unsigned steps)
{
	apart = with_seed % 2 == 0;
	create(with_seed, first_generation);
	for (unsigned i = 0; i < steps; i++) {
		void (*act)(void) = acts[draw(sizeof(acts) / sizeof(acts[0]))];

		if (act == NULL)
			act = rare[draw(sizeof(rare) / sizeof(rare[0]))];
		act();
		check_world();
	}
}

TEST(two_million_steps_in_random_order_end_as_the_functions_say)
{
	for (uint64_t s = 1; s <= 20; s++)
		live(s, 0, 100000);
	CHECK(shown_total > 50000);
	CHECK(answered_total > 30000);
	CHECK(responded_total > 100000);
	for (unsigned kind = IOPF_OPERATION_DETACH; kind < IOPF_OPERATION_KIND_COUNT; kind++)
		CHECK(done_total[kind] > 100);
	CHECK(ended_total[IOPF_ENDING_quota] > 10000);
}

TEST(slots_that_retire_under_way_lose_nothing_and_nobody)
{
	retiring = true;
	for (uint64_t s = 1; s <= 20; s++)
		live(s, UINT32_MAX - 20, 20000);
	retiring = false;
}

int main(void)
{
	return test_main();
}
