/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_queue.c - requests that no engine of ours would send: straight into the
 * kernel's page request queue, past the host's ledger, to see what a stock kernel answers
 * (and that nothing of those answers reaches a function), and onto the function's link, to
 * see what the host makes of them first.
 */
#include "guest.h"

enum {
	READ_WRITE = BENCH_READ | BENCH_WRITE,
	PAGE = READ_WRITE | BENCH_LAST,
	SUCCESS = 0,
	INVALID = 1,
	FENCE = 511, /* an index that no case uses */
	ANSWER_MAX = 16,
};

/* PASIDs of a case: with a space, with another, with one that has no handler, and none. */
#define MINE    guest.pasid
#define OTHER   (guest.pasid + 1)
#define BARE    (guest.pasid + 2)
#define NOBODYS (guest.pasid + 3)

/* What the kernel answered, the fence left out. */
struct answers {
	struct device_record records[ANSWER_MAX];
	unsigned count;
};

static void post(uint32_t pasid, uint16_t index, uint64_t addr, uint32_t flags)
{
	CHECK_EQ(bench_post(&guest.device, GUEST_RID, pasid, index, addr, flags, 1), 1);
}

/*
 * All answers since the last call. Behind them a request that nobody can serve is put into
 * the queue: its answer tells that there is no other to come. Groups of a space are served
 * by a worker, in their order: the fence goes to that space.
 */
static struct answers answers_of(uint32_t pasid)
{
	struct answers answers = { .count = 0 };
	struct device_record record;

	post(pasid, FENCE, GUEST_NOWHERE, PAGE);
	for (;;) {
		CHECK(device_wait(&guest.device, &guest.log, 1 << BENCH_ANSWER, &record));
		if (record.index == FENCE)
			return answers;
		CHECK(answers.count < ANSWER_MAX);
		answers.records[answers.count++] = record;
	}
}

static void check_answer(const struct device_record *record, uint32_t pasid, uint16_t index,
			 uint8_t code)
{
	CHECK_EQ(record->rid, GUEST_RID);
	CHECK_EQ(record->pasid, pasid);
	CHECK_EQ(record->index, index);
	CHECK_EQ(record->code, code);
}

/* There is one, and this is it. */
static void check_one(uint32_t pasid, uint16_t index, uint8_t code)
{
	struct answers answers = answers_of(MINE);

	CHECK_EQ(answers.count, 1);
	check_answer(&answers.records[0], pasid, index, code);
}

static void begin(void)
{
	guest_begin();
	CHECK_EQ(guest_attach(MINE), 0);
}

/* What the host never showed, it never lets out: the function has got nothing, and the one
 * that the guest sees says what a function says of such answers. */
static void end(void)
{
	CHECK_EQ(guest_grown(BENCH_RESPONSES), 0);
	CHECK(guest_pri(PRI_STATUS) & PRI_UPRGI);
	guest_pri_clear(PRI_UPRGI);
	guest_end();
}

CASE(one_page_is_one_success)
{
	begin();
	post(MINE, 1, GUEST_IOVA, PAGE);
	check_one(MINE, 1, SUCCESS);
	CHECK(guest_phys(MINE, GUEST_IOVA) != 0);
	end();
}

CASE(a_group_of_several_pages_is_one_success)
{
	begin();
	CHECK_EQ(bench_post(&guest.device, GUEST_RID, MINE, 2, GUEST_IOVA, PAGE, 5), 5);
	check_one(MINE, 2, SUCCESS);
	CHECK_EQ(guest_state(MINE).mapped, 5);
	end();
}

CASE(a_group_with_one_bad_page_is_invalid)
{
	begin();
	post(MINE, 2, GUEST_IOVA, READ_WRITE);
	post(MINE, 2, GUEST_NOWHERE, PAGE);
	check_one(MINE, 2, INVALID);
	end();
}

CASE(an_address_of_nobody_is_invalid)
{
	begin();
	post(MINE, 3, GUEST_NOWHERE, PAGE);
	check_one(MINE, 3, INVALID);
	end();
}

CASE(a_page_to_read_is_not_given_for_writing)
{
	begin();
	CHECK_EQ(guest_allow(MINE, 0x10000, GUEST_PAGE, IOPF_LANE_READ_ONLY), 0);
	post(MINE, 3, 0x10000, PAGE);
	check_one(MINE, 3, INVALID);
	post(MINE, 4, 0x10000, BENCH_READ | BENCH_LAST);
	check_one(MINE, 4, SUCCESS);
	end();
}

CASE(an_unbound_pasid_is_invalid)
{
	begin();
	post(NOBODYS, 5, GUEST_IOVA, PAGE);
	check_one(NOBODYS, 5, INVALID);
	end();
}

CASE(a_request_without_pasid_is_invalid)
{
	begin();
	post(DEVICE_NO_PASID, 5, GUEST_IOVA, PAGE);
	check_one(DEVICE_NO_PASID, 5, INVALID);
	end();
}

CASE(an_unknown_requester_is_answered)
{
	struct answers answers;

	begin();
	CHECK_EQ(bench_post(&guest.device, 0x0010, MINE, 5, GUEST_IOVA, PAGE, 1), 1);
	answers = answers_of(MINE);
	CHECK_EQ(answers.count, 1);
	CHECK_EQ(answers.records[0].rid, 0x0010);
	CHECK_EQ(answers.records[0].code, INVALID);
	CHECK_EQ(guest_phys(MINE, GUEST_IOVA), 0);
	end();
}

CASE(an_address_that_is_not_canonical_is_invalid)
{
	begin();
	post(MINE, 5, UINT64_C(0x4000000000000000), PAGE);
	check_one(MINE, 5, INVALID);
	end();
}

/* What the function may ask for with a PASID (PCIe 6.x, 10.4.1), the driver refuses. */
CASE(a_request_to_execute_or_of_privilege)
{
	begin();
	post(MINE, 5, GUEST_IOVA, BENCH_READ | BENCH_EXEC | BENCH_LAST);
	check_one(MINE, 5, INVALID);
	post(MINE, 6, GUEST_IOVA, BENCH_READ | BENCH_PRIV | BENCH_LAST);
	check_one(MINE, 6, INVALID);
	CHECK_EQ(guest_state(MINE).mapped, 0);
	end();
}

CASE(a_stop_marker_is_not_answered)
{
	begin();
	post(MINE, 0, 0, BENCH_STOP);
	CHECK_EQ(answers_of(MINE).count, 0);
	end();
}

CASE(one_index_twice_is_two_answers)
{
	struct answers answers;

	begin();
	post(MINE, 7, GUEST_IOVA, PAGE);
	post(MINE, 7, GUEST_IOVA + GUEST_PAGE, PAGE);
	answers = answers_of(MINE);
	CHECK_EQ(answers.count, 2);
	for (unsigned i = 0; i < 2; i++)
		check_answer(&answers.records[i], MINE, 7, SUCCESS);
	CHECK_EQ(guest_state(MINE).mapped, 2);
	end();
}

/* Groups are per PASID; 6.12 and 7.3 gather them by index alone. */
CASE(a_partial_of_one_pasid_and_a_last_of_another)
{
	begin();
	CHECK_EQ(guest_attach(OTHER), 0);
	post(MINE, 6, GUEST_IOVA, READ_WRITE);
	post(OTHER, 6, GUEST_IOVA + GUEST_PAGE, PAGE);
	CHECK_SOON(guest_state(OTHER).groups == 1);
	NOTE("the last's group had %" PRIu64 " requests, %" PRIu64 " pages went to its PASID",
	     (uint64_t)guest_state(OTHER).requests, (uint64_t)guest_state(OTHER).mapped);
	check_one(OTHER, 6, SUCCESS);
	/* Whatever became of the partial, its last is answered. */
	post(MINE, 6, GUEST_IOVA, PAGE);
	check_one(MINE, 6, SUCCESS);
	NOTE("the partial's group had %" PRIu64 " requests",
	     (uint64_t)guest_state(MINE).requests - 2);
	end();
}

/* The overflow flag tells the kernel that a last may be lost: what is only begun goes. */
CASE(an_overflow_drops_partials)
{
	begin();
	post(MINE, 8, GUEST_IOVA, READ_WRITE);
	CHECK_EQ(answers_of(MINE).count, 0);
	CHECK_EQ(bench_command(&guest.device, BENCH_COMMAND_OVERFLOW), 0);
	CHECK_SOON(!guest_is_in_state(BENCH_STATUS_OVERFLOW));
	post(MINE, 8, GUEST_IOVA + GUEST_PAGE, PAGE);
	check_one(MINE, 8, SUCCESS);
	CHECK_EQ(guest_phys(MINE, GUEST_IOVA), 0);
	CHECK_EQ(guest_state(MINE).mapped, 1);
	end();
}

CASE(a_full_queue_is_answered_and_goes_on)
{
	enum { COUNT = 3000 };
	int posted;

	begin();
	CHECK_EQ(bench_command(&guest.device, BENCH_COMMAND_HOLD), 0);
	posted = bench_post(&guest.device, GUEST_RID, MINE, 0, 0, PAGE | BENCH_EACH, COUNT);
	HOST("%d of %d requests found room", posted, COUNT);
	CHECK(posted > 0 && posted < COUNT);
	CHECK_EQ(guest_grown(BENCH_OVERFLOWS), 1);
	CHECK_EQ(bench_command(&guest.device, BENCH_COMMAND_LET_GO), 0);
	CHECK_SOON(guest_grown(BENCH_GUEST_RESPONSES) == (uint64_t)posted);
	CHECK_SOON(!guest_is_in_state(BENCH_STATUS_OVERFLOW));
	guest.log = device_log_end(&guest.device);
	post(MINE, 9, GUEST_IOVA, PAGE);
	check_one(MINE, 9, SUCCESS);
	CHECK_EQ(guest_grown(BENCH_RESPONSES), 0);
	guest_pri_clear(PRI_UPRGI);
	CHECK_EQ(guest_fill(MINE, GUEST_IOVA, 8 * GUEST_PAGE, 1), MODEL_JOB_STATUS_done);
	guest_end();
}

/* A driver that attaches and does not page: the kernel answers for it. */
CASE(a_space_without_handler)
{
	struct answers answers;

	begin();
	CHECK_EQ(guest_attach_bare(BARE, IOPF_LANE_NO_HANDLER), 0);
	post(BARE, 10, GUEST_IOVA, PAGE);
	check_one(BARE, 10, INVALID);
	post(BARE, 10, GUEST_IOVA, READ_WRITE);
	post(BARE, 10, GUEST_IOVA + GUEST_PAGE, PAGE);
	answers = answers_of(MINE);
	NOTE("a group of two is answered %u times", answers.count);
	CHECK(answers.count >= 1);
	for (unsigned i = 0; i < answers.count; i++)
		check_answer(&answers.records[i], BARE, 10, INVALID);
	end();
}

/* ---- On the function's link: the host is in between -------------------------------- */

static void send(uint32_t pasid, uint16_t index, uint64_t addr, uint32_t flags,
		 uint32_t count)
{
	CHECK_EQ(bench_send(&guest.device, pasid, index, addr, flags, count), (int)count);
}

/* The next response that the function got. */
static struct device_record response(void)
{
	struct device_record record;

	CHECK(device_wait(&guest.device, &guest.log, 1 << BENCH_RESPONSE, &record));
	return record;
}

static void check_response(uint32_t pasid, uint16_t index, uint8_t code)
{
	struct device_record record = response();

	check_answer(&record, pasid, index, code);
	CHECK_EQ(record.verdict, 0);
}

CASE(a_group_on_the_link_goes_all_the_way)
{
	begin();
	send(MINE, 30, GUEST_IOVA, PAGE, 8);
	check_response(MINE, 30, SUCCESS);
	CHECK_EQ(guest_state(MINE).mapped, 8);
	CHECK_EQ(guest_grown(BENCH_GUEST_RESPONSES), 1);
	guest_end();
}

CASE(what_nobody_serves_is_invalid_on_the_link)
{
	const struct {
		uint32_t pasid;
		uint64_t addr;
	} bad[] = {
		{ MINE, GUEST_NOWHERE },
		{ MINE, UINT64_C(0x4000000000000000) },
		{ NOBODYS, GUEST_IOVA },
		{ DEVICE_NO_PASID, UINT64_C(1) << 40 }, /* let through, and no memory */
	};

	begin();
	for (uint16_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		send(bad[i].pasid, 40 + i, bad[i].addr, PAGE, 1);
		check_response(bad[i].pasid, 40 + i, INVALID);
	}
	CHECK_EQ(guest_state(MINE).mapped, 0);
	guest_end();
}

CASE(a_stop_marker_on_the_link_is_not_answered)
{
	begin();
	send(MINE, 0, 0, BENCH_STOP, 1);
	send(MINE, 31, GUEST_IOVA, PAGE, 1);
	check_response(MINE, 31, SUCCESS);
	CHECK_EQ(guest_grown(BENCH_RESPONSES), 1);
	guest_end();
}

/* What the kernel would gather into one group arrives as two: it is shown whole ones. */
CASE(groups_of_two_pasids_with_one_index_on_the_link)
{
	begin();
	CHECK_EQ(guest_attach(OTHER), 0);
	send(MINE, 32, GUEST_IOVA, READ_WRITE, 1);
	send(OTHER, 32, GUEST_IOVA + GUEST_PAGE, PAGE, 1);
	check_response(OTHER, 32, SUCCESS);
	CHECK_EQ(guest_state(OTHER).requests, 1);
	send(MINE, 32, GUEST_IOVA + GUEST_PAGE, PAGE, 1);
	check_response(MINE, 32, SUCCESS);
	CHECK_EQ(guest_state(MINE).requests, 2);
	CHECK_EQ(guest_state(MINE).mapped, 2);
	guest_end();
}

/* The kernel answers each request; the function gets the first answer, the guest's own is
 * told of the second. */
CASE(a_space_without_handler_on_the_link)
{
	begin();
	CHECK_EQ(guest_attach_bare(BARE, IOPF_LANE_NO_HANDLER), 0);
	send(BARE, 33, GUEST_IOVA, PAGE, 2);
	check_response(BARE, 33, INVALID);
	/* The first answer came before that response; what is left is the second. */
	CHECK_EQ(answers_of(MINE).count, 1);
	CHECK_EQ(guest_grown(BENCH_RESPONSES), 1);
	CHECK(guest_pri(PRI_STATUS) & PRI_UPRGI);
	guest_pri_clear(PRI_UPRGI);
	guest_end();
}

/* A function that uses an index again before its response is out of step: no response
 * could say which it answers. The host ends both groups and begins anew with it; what the
 * kernel answers to the one that it was shown, leaves no more. */
CASE(an_index_is_used_again_on_the_link)
{
	begin();
	CHECK_EQ(guest_hold(MINE, true), 0);
	send(MINE, 34, GUEST_IOVA, PAGE, 1);
	CHECK_SOON(guest_state(MINE).waiting == 1);
	send(MINE, 34, GUEST_IOVA + GUEST_PAGE, PAGE, 1);
	check_response(MINE, 34, INVALID);
	CHECK_SOON(guest_credits() == 0);
	CHECK_EQ(guest_hold(MINE, false), 0);
	CHECK_SOON(guest_grown(BENCH_GUEST_RESPONSES) == 1);
	CHECK_EQ(guest_grown(BENCH_RESPONSES), 1);
	CHECK_EQ(guest_fill(MINE, GUEST_IOVA, 4 * GUEST_PAGE, 1), MODEL_JOB_STATUS_done);
	guest_end();
}

/* More than the function was granted: the kernel never hears of it. */
CASE(a_group_beyond_the_allocation_on_the_link)
{
	begin();
	send(MINE, 35, GUEST_IOVA, PAGE, 512);
	check_response(MINE, 35, INVALID);
	CHECK_EQ(guest_grown(BENCH_SHOWN), 0);
	CHECK_SOON(guest_credits() == 0);
	CHECK_EQ(guest_fill(MINE, GUEST_IOVA, 4 * GUEST_PAGE, 1), MODEL_JOB_STATUS_done);
	guest_end();
}

int main(void)
{
	return guest_main(512);
}
