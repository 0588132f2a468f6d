/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * broker_oracle.h - an oracle at the functions' end, for broker_random.c.
 *
 * It knows what each function asked and what it was told, whose address space
 * was whose, and what each owner was shown and said. It shares no code with the broker
 * and looks at no token but as a name. Every step is checked.
 */
#ifndef TESTS_BROKER_ORACLE_H
#define TESTS_BROKER_ORACLE_H

#include <errno.h>

#include "iopf/iopf.h"
#include "test.h"

enum {
	FUNCTIONS = 3,
	OWNERS = 3, /* may fail; ended at its deadline; warned at its deadline */
	PASIDS = 4, /* 0, 1, 2 and none */
	INDICES = 5,
	PAGES_MAX = 12,
	RESERVE = 3,
	USABLE = 32,
	NAMES = 512,
	LEAVING_MAX = 128,
	UNKNOWN = FUNCTIONS, /* who sends under a rid that nobody has */
};
#define DEADLINE_NS 1000

enum fate { OPEN, ANSWERED, TAKEN };

/* What a function asked under one index. */
struct asked {
	bool live, last, broken, ended;
	bool held, over; /* counted as its owner's; more than that one may hold */
	bool shown, warned;
	int owner;         /* whose it was when it began; -1: nobody's */
	unsigned attached; /* which attachment that was */
	unsigned epoch;
	unsigned count;
	uint64_t addr[PAGES_MAX];
	uint8_t perm[PAGES_MAX];
	uint64_t closed_ns, order;
	uint64_t token; /* once shown */
};

struct attached {
	int owner; /* -1: none */
	unsigned name;
	bool closing;
};

struct function {
	bool present, pasid_in_response, drained, fresh, restart_wanted;
	enum { ON, OFF, FAILED } state;
	enum iopf_operation_kind op;
	uint32_t id;
	unsigned allocation, credits, epoch;
	int successor; /* whose it will be; -1 */
	bool out[OWNERS]; /* not served */
	struct attached attached[PASIDS + 1]; /* the last: any */
	int detaching;
	struct asked asked[PASIDS][INDICES];
};

/* A response that has to come. */
struct leaving {
	int function, pasid, index;
	unsigned count;
	enum iopf_code code;
	enum iopf_ending ending;
	bool kept; /* in a slot of the function's own */
	uint64_t token; /* 0: not known here */
};

struct name {
	uint64_t token;
	int owner;
	enum fate fate;
};

static struct iopf_broker *broker;
static struct function functions[FUNCTIONS];
static struct leaving leaving[LEAVING_MAX];
static unsigned leaving_count;
static struct name names[NAMES];
static unsigned name_count;
static struct iopf_policy policies[OWNERS];
static uint64_t seed, now_ns, clock_ns[OWNERS], orders;
static uint64_t said[OWNERS][IOPF_COUNTER_COUNT], warned;
static bool paused[OWNERS], retiring, apart;
static uint64_t life; /* of a broker */
static unsigned attach_count, taken_wanted, taken_seen;
static uint64_t taken[64];
static uint32_t source, owners[OWNERS];
static uint64_t shown_total, answered_total, responded_total;
static uint64_t done_total[IOPF_OPERATION_KIND_COUNT], ended_total[IOPF_ENDING_COUNT];

static unsigned draw(unsigned below)
{
	return (unsigned)(test_random(&seed) % below);
}

/* Half of the lives: mostly one owner a function. */
static int owner_for(const struct function *f)
{
	return apart && draw(32) != 0 ? (int)(f - functions) % OWNERS : (int)draw(OWNERS);
}

static uint32_t pasid_of(int pasid)
{
	return pasid == PASIDS ? IOPF_PASID_ANY :
	       pasid == PASIDS - 1 ? IOPF_PASID_NONE : (uint32_t)pasid;
}

static uint32_t rid_of(int function)
{
	return 0x100 + 8 * (uint32_t)function;
}

/* ---- The functions' end -------------------------------------------------- */

static void leave(int function, int pasid, int index, struct asked *asked, unsigned count,
		  enum iopf_code code, enum iopf_ending ending)
{
	CHECK(leaving_count < LEAVING_MAX);
	leaving[leaving_count++] = (struct leaving){
		.function = function, .pasid = pasid, .index = index, .count = count,
		.code = code, .ending = ending, .kept = asked != NULL,
		.token = asked != NULL && asked->shown ? asked->token : 0,
	};
	if (asked != NULL)
		asked->ended = true;
}

static struct name *name_of(uint64_t token)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (names[i].token == token && token != 0)
			return &names[i];
	return NULL;
}

static void fate_of(const struct asked *asked, enum fate fate)
{
	struct name *name = asked->shown ? name_of(asked->token) : NULL;

	if (asked->shown && fate == TAKEN)
		taken_wanted++;
	if (name != NULL)
		name->fate = fate;
}

static void on_taken(void *context, uint64_t token, enum iopf_ending ending)
{
	(void)context;
	(void)ending;
	taken[taken_seen++ % 64] = token;
}

static bool is_open(const struct asked *asked)
{
	return asked->live && asked->last && !asked->ended;
}

#define EACH(asked, pasid, index)                                   \
	for (int pasid = 0; pasid < PASIDS; pasid++)                \
		for (int index = 0; index < INDICES; index++)       \
			for (struct asked *asked = &f->asked[pasid][index]; \
			     asked != NULL; asked = NULL)

static void host_ends(struct function *f, int pasid, int index, enum iopf_code code,
		      enum iopf_ending ending)
{
	struct asked *asked = &f->asked[pasid][index];

	fate_of(asked, TAKEN);
	leave((int)(f - functions), pasid, index, asked, asked->count, code, ending);
}

/* The function knows nothing of it any more, and hears nothing of it. */
static void forget(struct function *f)
{
	unsigned kept = 0;

	EACH(asked, p, i) {
		if (is_open(asked))
			fate_of(asked, TAKEN);
		*asked = (struct asked){ 0 };
	}
	f->credits = 0;
	f->epoch++;
	for (unsigned i = 0; i < leaving_count; i++)
		if (&functions[leaving[i].function] != f)
			leaving[kept++] = leaving[i];
	leaving_count = kept;
}

static void drop_partials(struct function *f, int pasid)
{
	EACH(asked, p, i) {
		if (asked->live && !asked->last && (pasid < 0 || p == pasid)) {
			f->credits -= asked->count;
			*asked = (struct asked){ 0 };
		}
	}
}

/* ---- Asking -------------------------------------------------------------- */

static int lookup(const struct function *f, int pasid)
{
	if (f->attached[pasid].owner >= 0)
		return pasid;
	return pasid != PASIDS - 1 && f->attached[PASIDS].owner >= 0 ? PASIDS : -1;
}

static bool is_attached(const struct function *f, unsigned name, bool *closing)
{
	for (int p = 0; p <= PASIDS; p++)
		if (f->attached[p].owner >= 0 && f->attached[p].name == name) {
			*closing = f->attached[p].closing;
			return true;
		}
	return false;
}

static bool is_whole(enum iopf_operation_kind op)
{
	return op != IOPF_OPERATION_NONE && op != IOPF_OPERATION_DETACH &&
	       op != IOPF_OPERATION_REPLACE;
}

static enum iopf_ending verdict(const struct function *f, const struct asked *asked)
{
	bool closing = false;

	if (asked->broken)
		return IOPF_ENDING_malformed;
	if ((is_whole(f->op) && !f->fresh) || asked->epoch != f->epoch)
		return IOPF_ENDING_detach;
	if (f->state != ON || asked->owner < 0)
		return IOPF_ENDING_no_owner;
	if (!is_attached(f, asked->attached, &closing) || closing)
		return IOPF_ENDING_detach;
	if (f->out[asked->owner])
		return IOPF_ENDING_no_owner;
	return asked->over ? IOPF_ENDING_quota : IOPF_ENDING_COUNT;
}

static void begin(struct function *f, enum iopf_operation_kind kind)
{
	f->op = kind;
	f->drained = f->fresh = false;
}

static void restart_by_itself(struct function *f)
{
	if (f->state != ON)
		return;
	if ((f->op != IOPF_OPERATION_NONE && !is_whole(f->op)) || f->fresh)
		f->restart_wanted = true;
	if (f->op == IOPF_OPERATION_NONE)
		begin(f, IOPF_OPERATION_RESTART);
}

static bool is_open_elsewhere(const struct function *f, int pasid, int index)
{
	if (is_open(&f->asked[pasid][index]) || f->asked[pasid][index].ended)
		return true;
	for (int p = 0; p < PASIDS && !f->pasid_in_response; p++)
		if (p != pasid && f->asked[p][index].live)
			return true;
	return false;
}

static void closes(struct function *f, int pasid, int index)
{
	struct asked *asked = &f->asked[pasid][index];
	enum iopf_ending ending = verdict(f, asked);

	asked->last = true;
	asked->order = ++orders;
	if (ending != IOPF_ENDING_COUNT)
		leave((int)(f - functions), pasid, index, asked, asked->count,
		      IOPF_INVALID, ending);
	else
		asked->closed_ns = clock_ns[asked->owner];
}

static void beyond(struct function *f, int pasid, int index, bool last)
{
	struct asked *asked = &f->asked[pasid][index];

	if (!asked->live) {
		if (last)
			leave((int)(f - functions), pasid, index, NULL, 1, IOPF_INVALID,
			      IOPF_ENDING_malformed);
		return;
	}
	asked->broken = true;
	if (last) {
		asked->last = true;
		leave((int)(f - functions), pasid, index, asked, asked->count,
		      IOPF_INVALID, IOPF_ENDING_malformed);
	}
}

/* ---- What an owner may hold ----------------------------------------------- */

static bool is_with(const struct function *f, int owner)
{
	if (f->successor == owner)
		return true;
	for (int p = 0; p <= PASIDS; p++)
		if (f->attached[p].owner == owner)
			return true;
	return false;
}

static unsigned sharers(const struct function *f)
{
	unsigned count = 0;

	for (int owner = 0; owner < OWNERS; owner++)
		count += is_with(f, owner);
	return count;
}

static unsigned used_by(struct function *f, int owner)
{
	unsigned used = 0;

	EACH(asked, p, i)
		if (asked->live && asked->held && !asked->ended && asked->owner == owner)
			used += asked->count;
	return used;
}

static unsigned held_by(int owner)
{
	unsigned held = 0;

	for (struct function *f = functions; f < functions + FUNCTIONS; f++)
		EACH(asked, p, i)
			held += asked->live && asked->held && !asked->ended &&
				asked->owner == owner;
	return held;
}

static unsigned promised_to(const struct function *f, int owner)
{
	unsigned promised = (unsigned)policies[owner].guaranteed;

	if (promised == 0)
		promised = f->allocation / sharers(f);
	return promised < f->allocation ? promised : f->allocation;
}

static bool has_room(struct function *f, int owner)
{
	unsigned reserved = 0;

	if (sharers(f) < 2 || used_by(f, owner) < promised_to(f, owner))
		return true;
	for (int other = 0; other < OWNERS; other++)
		if (is_with(f, other) && used_by(f, other) < promised_to(f, other))
			reserved += promised_to(f, other) - used_by(f, other);
	return f->allocation - f->credits > reserved;
}

/* One more request: of a new group, or of one that is held. */
static void holds(struct function *f, struct asked *asked, int found)
{
	unsigned quota;

	if (asked->count > 0) {
		if (asked->held && !has_room(f, asked->owner)) {
			asked->held = false;
			asked->over = true;
		}
		return;
	}
	if (found < 0 || f->attached[found].closing)
		return;
	quota = (unsigned)policies[asked->owner].quota_groups;
	if (sharers(f) < 2 && quota < f->allocation)
		quota = f->allocation;
	asked->held = (policies[asked->owner].quota_groups == 0 ||
		       held_by(asked->owner) < quota) &&
		      has_room(f, asked->owner);
	asked->over = !asked->held;
}

static void asks(struct function *f, int pasid, int index, uint64_t addr, uint8_t perm,
		 bool broken, bool last)
{
	struct asked *asked = &f->asked[pasid][index];
	int found = lookup(f, pasid);

	if (f->op == IOPF_OPERATION_RESET || f->op == IOPF_OPERATION_REMOVE ||
	    f->state == FAILED)
		return;
	if (is_open_elsewhere(f, pasid, index)) {
		restart_by_itself(f);
		return;
	}
	if (f->credits == f->allocation) {
		beyond(f, pasid, index, last);
		return;
	}
	if (!asked->live && retiring &&
	    iopf_broker_gauge(broker, f->id, IOPF_GAUGE_credits_in_use) == f->credits) {
		if (last) /* a slot whose generations have run out: short of one */
			leave((int)(f - functions), pasid, index, NULL, 1, IOPF_INVALID,
			      IOPF_ENDING_quota);
		return;
	}
	if (!asked->live)
		*asked = (struct asked){ .live = true,
					 .epoch = f->epoch,
					 .owner = found < 0 ? -1 : f->attached[found].owner,
					 .attached = found < 0 ? 0 :
								 f->attached[found].name };
	holds(f, asked, found);
	asked->perm[asked->count] = perm;
	asked->addr[asked->count++] = addr;
	asked->broken |= broken;
	f->credits++;
	if (last)
		closes(f, pasid, index);
}

/* ---- Responses ----------------------------------------------------------- */

/* A page over a quota is told to try again a few times, then not any more. */
static void retried(const struct leaving *l)
{
	const struct function *f = &functions[l->function];
	const struct asked *asked = &f->asked[l->pasid][l->index];
	static struct {
		const struct function *f;
		int pasid;
		unsigned epoch;
		uint64_t life, addr, times;
	} pages[1024];
	static unsigned count;
	unsigned at = 0;

	while (at < count && (pages[at].f != f || pages[at].pasid != l->pasid ||
			      pages[at].epoch != asked->epoch || pages[at].life != life ||
			      pages[at].addr != asked->addr[0]))
		at++;
	if (at == count) {
		at = count++ % 1024;
		count = count > 1024 ? 1024 : count;
		pages[at].f = f, pages[at].pasid = l->pasid, pages[at].times = 0;
		pages[at].epoch = asked->epoch, pages[at].life = life;
		pages[at].addr = asked->addr[0];
	}
	pages[at].times++;
	CHECK(asked->owner >= 0 && pages[at].times <= policies[asked->owner].retry_max);
}

static unsigned expected(const struct iopf_response *r)
{
	for (unsigned i = 0; i < leaving_count; i++) {
		const struct leaving *l = &leaving[i];
		bool unknown = l->function == UNKNOWN;
		uint32_t pasid = pasid_of(l->pasid);

		if (!unknown && !functions[l->function].pasid_in_response)
			pasid = IOPF_PASID_NONE;
		if (r->rid == (unknown ? (uint32_t)l->token : rid_of(l->function)) &&
		    r->endpoint == (unknown ? IOPF_NO_ID : functions[l->function].id) &&
		    r->pasid == pasid && r->index == l->index &&
		    r->request_count == l->count && r->ending == l->ending &&
		    (r->code == l->code ||
		     (r->ending == IOPF_ENDING_quota && r->code == IOPF_SUCCESS)) &&
		    (unknown || l->token == 0 || l->token == r->token))
			return i;
	}
	printf("rid %x pasid %x index %u count %u code %u ending %u\n", r->rid, r->pasid,
	       r->index, r->request_count, r->code, r->ending);
	CHECK(false && "a response that nobody waits for");
	return 0;
}

static int respond(unsigned max)
{
	struct iopf_response out[LEAVING_MAX];
	int got = iopf_broker_respond(broker, source, out, max, now_ns);

	CHECK_EQ(got, leaving_count < max ? leaving_count : max);
	for (int n = 0; n < got; n++) {
		unsigned at = expected(&out[n]);
		struct leaving l = leaving[at];

		ended_total[l.ending]++;
		if (l.ending == IOPF_ENDING_quota && out[n].code == IOPF_SUCCESS)
			retried(&l);
		if (l.kept) {
			struct function *f = &functions[l.function];

			f->credits -= f->asked[l.pasid][l.index].count;
			f->asked[l.pasid][l.index] = (struct asked){ 0 };
		}
		for (leaving_count--; at < leaving_count; at++)
			leaving[at] = leaving[at + 1];
		responded_total++;
	}
	return got;
}

/* ---- After every step ---------------------------------------------------- */

static uint64_t ended(const struct iopf_stats_row *row)
{
	uint64_t sum = 0;

	for (unsigned c = IOPF_COUNTER_ended_success;
	     c <= IOPF_COUNTER_ended_response_failure; c++)
		sum += row->counter[c];
	return sum + row->counter[IOPF_COUNTER_ended_liar];
}

static void check_function(struct function *f)
{
	const struct iopf_stats_row *row = &iopf_broker_stats(broker)->row[f->id];
	unsigned gauge[IOPF_GAUGE_COUNT] = { 0 };

	if (!f->present)
		return;
	EACH(asked, p, i) {
		gauge[IOPF_GAUGE_partial] += asked->live && !asked->last;
		gauge[IOPF_GAUGE_ready] += is_open(asked) && !asked->shown;
		gauge[IOPF_GAUGE_delivered] += is_open(asked) && asked->shown;
		gauge[IOPF_GAUGE_credits_in_use] += asked->count;
	}
	for (unsigned i = 0; i < leaving_count; i++)
		gauge[IOPF_GAUGE_leaving] += &functions[leaving[i].function] == f;
	gauge[IOPF_GAUGE_granted] = f->allocation;
	for (unsigned g = 0; g < IOPF_GAUGE_COUNT; g++)
		CHECK_EQ(iopf_broker_gauge(broker, f->id, (enum iopf_gauge)g), gauge[g]);
	CHECK_EQ(f->credits, gauge[IOPF_GAUGE_credits_in_use]);
	CHECK(f->credits <= f->allocation);
	CHECK_EQ(row->counter[IOPF_COUNTER_lasts],
		 ended(row) + gauge[IOPF_GAUGE_ready] + gauge[IOPF_GAUGE_delivered] +
			 gauge[IOPF_GAUGE_leaving]);
}

static void check_world(void)
{
	const struct iopf_stats_row *row =
		&iopf_broker_stats(broker)->row[FUNCTIONS + OWNERS];
	unsigned unknown = 0;

	for (unsigned i = 0; i < FUNCTIONS; i++)
		check_function(&functions[i]);
	for (unsigned i = 0; i < leaving_count; i++)
		unknown += leaving[i].function == UNKNOWN;
	CHECK_EQ(row->counter[IOPF_COUNTER_lasts], ended(row) + unknown);
	CHECK_EQ(iopf_broker_stats(broker)
			 ->row[FUNCTIONS + 2]
			 .counter[IOPF_COUNTER_deadline_warnings],
		 warned);
	CHECK_EQ(taken_seen, taken_wanted);
	for (unsigned i = 0; i < taken_seen; i++)
		CHECK(name_of(taken[i]) == NULL || name_of(taken[i])->fate == TAKEN);
	taken_seen = taken_wanted = 0;
}

#endif
