/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: stalls shown as page requests, and groups of pages shown as stalls. */
#include "guest_smmuv3.h"

#define ADDR UINT64_C(0x7f0000000000)

static const struct pair_kind STALLS = { "smmuv3", IOPF_STALLS };

static struct pair *pair_of(struct pair_kind kind)
{
	pair_kind = kind;
	return pair_with_pasid((struct pair_options){ 0 });
}

/* Pages as a stream of requests, some of which write. */
static int show(struct pair *pair, uint64_t token, uint16_t page_count)
{
	static struct iopf_page pages[1024];
	const struct iopf_group group = { .token = token, .endpoint = PAIR_ENDPOINT,
					  .pasid = 1, .page_count = page_count };

	for (uint32_t i = 0; i < page_count; i++)
		pages[i] = (struct iopf_page){ .addr = ADDR + 4096 * (uint64_t)i,
					       .perm = IOPF_READ | (i & 1 ? IOPF_WRITE : 0) };
	return iopf_guest_show(pair->guest, &group, pages, pair->now_ns);
}

/* The same, and the guest keeps it. */
static void hold(struct pair *pair, uint64_t token, uint16_t page_count)
{
	pair->fault = -EAGAIN;
	CHECK_EQ(show(pair, token, page_count), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), 0);
}

TEST(a_stall_shown_as_a_page_request_is_a_group_of_one_page)
{
	for (uint32_t i = 0; hardware_families[i] != NULL; i++) {
		const char *family = hardware_families[i]->wire->name;
		bool shows = hardware_families[i]->guest_mechanisms >> IOPF_PRI & 1;
		struct pair *pair;
		const struct iopf_page page = { .addr = ADDR + 0x123, .perm = IOPF_WRITE };
		const struct iopf_group group = { .token = 7, .endpoint = PAIR_ENDPOINT,
						  .pasid = 1, .page_count = 1,
						  .index = 0x8003, .flags = IOPF_STALL };
		struct iopf_agent_stats stats;

		if (!shows)
			continue;
		pair = pair_of((struct pair_kind){ family, IOPF_PRI });
		CHECK_EQ(iopf_guest_show(pair->guest, &group, &page, 0), 0);
		pair_settle(pair);
		iopf_agent_stats(pair->agent, &stats);
		CHECK_EQ(stats.groups, 1);
		CHECK_EQ(stats.requests, 1);
		CHECK_EQ(pair_find(pair, 'r').token, 7);
		CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
		/* And what cannot be made present is told to abort. */
		pair->fault = -EFAULT;
		CHECK_EQ(show(pair, 8, 1), 0);
		pair_settle(pair);
		CHECK_EQ(pair_find(pair, 'r').token, 8);
		CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
	}
}

TEST(a_group_shown_as_stalls_is_answered_when_every_page_is_and_the_worst_counts)
{
	for (uint32_t bad = 0; bad < 5; bad++) {
		struct pair *pair = pair_of(STALLS);

		hold(pair, 7, 4);
		CHECK_EQ(pair->faults, 4);
		CHECK_EQ(pair_stats(pair).shown, 1);
		CHECK_EQ(pair_stats(pair).shown_pages, 4);
		CHECK_EQ(pair_stats(pair).held, 4);
		for (uint16_t i = 0; i < 4; i++) {
			uint16_t tag = (uint16_t)((i * 3 + bad) % 4);

			CHECK_EQ(pair_count(pair, 'r'), 0);
			pair_say(pair, PAIR_RID, 1, tag,
				 tag == bad ? IOPF_INVALID : IOPF_SUCCESS);
		}
		CHECK_EQ(pair_count(pair, 'r'), 1);
		CHECK_EQ(pair_find(pair, 'r').token, 7);
		CHECK_EQ(pair_find(pair, 'r').code, bad < 4 ? IOPF_INVALID : IOPF_SUCCESS);
		CHECK_EQ(pair_stats(pair).held, 0);
		CHECK_EQ(pair_stats(pair).answered, 1);
	}
}

TEST(a_tag_answered_twice_does_not_stand_for_another_page)
{
	struct pair *pair = pair_of(STALLS);

	hold(pair, 7, 2);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_SUCCESS);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	CHECK_EQ(pair_stats(pair).refused_duplicate, 1);
	pair_say(pair, PAIR_RID, 1, 1, IOPF_SUCCESS);
	CHECK_EQ(pair_count(pair, 'r'), 1);
}

TEST(a_group_taken_in_the_middle_leaves_a_debt_for_each_page_that_is_left)
{
	struct pair *pair = pair_of(STALLS);

	hold(pair, 7, 3);
	pair_say(pair, PAIR_RID, 1, 1, IOPF_SUCCESS);
	CHECK_EQ(iopf_guest_taken(pair->guest, 7, 1), 0);
	CHECK_EQ(iopf_guest_taken(pair->guest, 7, 1), -ENOENT);
	CHECK_EQ(pair_stats(pair).taken, 1);
	CHECK_EQ(pair_stats(pair).owed, 2);
	pair_say(pair, PAIR_RID, 1, 2, IOPF_SUCCESS);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_INVALID);
	pair_say(pair, PAIR_RID, 1, 1, IOPF_INVALID);
	CHECK_EQ(pair_stats(pair).refused_stale, 2);
	CHECK_EQ(pair_stats(pair).refused_duplicate, 1);
	CHECK_EQ(pair_count(pair, 'r'), 0);
}

TEST(a_group_is_shown_whole_or_waits_whole)
{
	struct pair *pair = pair_of(STALLS);
	uint64_t before;

	pair->fault = -EAGAIN;
	CHECK_EQ(show(pair, 1, 100), 0);
	before = iopf_guest_read(pair->guest, SMMUV3_EVENTQ_PROD, 4);
	CHECK_EQ(show(pair, 2, 29), -EAGAIN);
	CHECK_EQ(iopf_guest_read(pair->guest, SMMUV3_EVENTQ_PROD, 4), before);
	CHECK_EQ(pair_stats(pair).held, 100);
	CHECK_EQ(show(pair, 3, 28), 0);
	pair_settle(pair);
	CHECK_EQ(show(pair, 2, 29), 0);
	CHECK_EQ(pair_stats(pair).held, 157);
}

TEST(of_a_group_beyond_the_queue_as_much_is_shown_as_it_holds)
{
	struct pair *pair = pair_of(STALLS);

	/* 128 entries: the function asks again for the others. */
	CHECK_EQ(show(pair, 1, 200), 0);
	CHECK_EQ(pair_stats(pair).shown_pages, 128);
	pair_settle(pair);
	CHECK_EQ(pair->faults, 128);
	CHECK_EQ(pair_find(pair, 'r').token, 1);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
}

TEST(a_group_goes_once_whichever_way_its_stream_goes)
{
	struct pair *pair = pair_of(STALLS);

	hold(pair, 7, 3);
	say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_TERMINATE, .rid = PAIR_RID });
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
	CHECK_EQ(pair_stats(pair).terminated, 3);
	pair = pair_of(STALLS);
	hold(pair, 8, 3);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_SUCCESS);
	pair_queue_off(pair);
	CHECK_EQ(pair_count(pair, 'f'), 1);
	CHECK_EQ(pair_find(pair, 'f').token, 8);
	CHECK_EQ(pair_stats(pair).held, 0);
	pair = pair_of(STALLS);
	hold(pair, 9, 3);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_stats(pair).taken, 1);
	CHECK_EQ(pair_stats(pair).owed, 3);
}

int main(void)
{
	return test_main();
}
