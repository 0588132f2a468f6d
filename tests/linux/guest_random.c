/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_random.c - everything that a driver and a kernel do to address spaces, in an
 * order that nobody thought of, while the engine works in them. Each walk has a number: the
 * same one does the same again. Environment: walk=N begins with that one, walks=N walks
 * so many.
 */
#include "guest.h"

enum {
	WALKS = 6,
	STEPS = 150,
	SPACES = 4,
	PAGES = 64, /* of a space, that jobs and unmaps are about */
	PATTERN = 0x77,
};

struct walk {
	uint64_t random;
	bool held[SPACES];
};

/* splitmix64, as in tests/test.h. */
static uint32_t below(struct walk *walk, uint32_t limit)
{
	uint64_t z = (walk->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % limit);
}

/* ---- Steps: of a space, which may be there or not ----------------------------------- */

static void toggle_space(struct walk *walk, uint32_t space)
{
	uint32_t pasid = guest.pasid + space;

	if (!guest.attached[pasid])
		CHECK_EQ(guest_attach(pasid), 0);
	else
		CHECK_EQ(guest_detach(pasid, below(walk, 4) == 0 ? IOPF_LANE_LATE : 0), 0);
	walk->held[space] = false;
}

static void toggle_hold(struct walk *walk, uint32_t space)
{
	if (!guest.attached[guest.pasid + space])
		return;
	walk->held[space] = !walk->held[space];
	CHECK_EQ(guest_hold(guest.pasid + space, walk->held[space]), 0);
}

static void answer(struct walk *walk, uint32_t space)
{
	if (guest.attached[guest.pasid + space])
		CHECK(guest_answer(guest.pasid + space, below(walk, 2)) >= 0);
}

static void take_away(struct walk *walk, uint32_t space)
{
	uint64_t page = below(walk, PAGES), pages = 1 + below(walk, PAGES / 4);

	if (guest.attached[guest.pasid + space])
		CHECK(guest_unmap(guest.pasid + space, GUEST_IOVA + page * GUEST_PAGE,
				  pages * GUEST_PAGE,
				  below(walk, 2) == 0 ? IOPF_LANE_KEEP : 0) >= 0);
}

/* Also where there is no space, or it has no such page. */
static void start_job(struct walk *walk, uint32_t space)
{
	uint32_t slot = below(walk, GUEST_SLOTS);
	uint64_t page = below(walk, PAGES), pages = 1 + below(walk, PAGES);
	uint64_t iova = below(walk, 16) == 0 ? GUEST_NOWHERE : GUEST_IOVA + page * GUEST_PAGE;

	if (device_job_status(&guest.device, slot) != MODEL_JOB_STATUS_running)
		guest_start_fill(slot, guest.pasid + space, iova, pages * GUEST_PAGE,
				 PATTERN);
}

static void reset_function(struct walk *walk, uint32_t space)
{
	(void)space;
	if (below(walk, 8) == 0)
		CHECK_EQ(guest_reset(), 0);
}

static void (*const steps[])(struct walk *walk, uint32_t space) = {
	toggle_space, toggle_hold, answer, take_away, start_job, start_job, start_job,
	reset_function,
};

/* ---- A walk -------------------------------------------------------------------------- */

static bool jobs_are_over(void)
{
	return !guest_is_in_state(BENCH_STATUS_BUSY);
}

/* Whoever holds something lets it go: all jobs end by themselves. */
static void come_to_an_end(struct walk *walk)
{
	for (uint32_t space = 0; space < SPACES; space++)
		if (guest.attached[guest.pasid + space] && walk->held[space])
			CHECK_EQ(guest_hold(guest.pasid + space, false), 0);
	CHECK_SOON(jobs_are_over());
	for (uint32_t space = 0; space < SPACES; space++)
		if (guest.attached[guest.pasid + space])
			CHECK_EQ(guest_detach(guest.pasid + space, 0), 0);
	/* Answers after their detach were unexpected, where there were any. */
	guest_pri_clear(PRI_UPRGI);
}

static void work_again(void)
{
	CHECK_EQ(guest_attach(guest.pasid), 0);
	CHECK_EQ(guest_fill(guest.pasid, GUEST_IOVA, PAGES * GUEST_PAGE, PATTERN),
		 MODEL_JOB_STATUS_done);
	CHECK(guest_holds(guest.pasid, GUEST_IOVA, PAGES * GUEST_PAGE, PATTERN));
}

static uint64_t wished(const char *word, uint64_t otherwise)
{
	const char *wish = getenv(word);

	return wish != NULL ? strtoull(wish, NULL, 0) : otherwise;
}

CASE(spaces_come_and_go_in_any_order_while_the_engine_works)
{
	uint64_t number = wished("walk", 1), end = number + wished("walks", WALKS);

	NEEDS(invalidations);
	for (; number < end; number++) {
		struct walk walk = { .random = number };

		NOTE("walk %" PRIu64, number);
		guest_begin();
		for (unsigned step = 0; step < STEPS; step++)
			steps[below(&walk, sizeof(steps) / sizeof(steps[0]))](
				&walk, below(&walk, SPACES));
		come_to_an_end(&walk);
		work_again();
		guest_end();
	}
}

int main(void)
{
	return guest_main(1024);
}
