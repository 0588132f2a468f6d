/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the guest's own side: tables, partial groups, detaches, limits. */
#include "guest_pair.h"
#include "guest/guest.h"

#define ADDR UINT64_C(0x7f0000000000)

/* The page that hardware would find, or -1; it marks what it uses. */
static uint64_t translate(struct pair *pair, uint32_t pasid, uint64_t addr, uint8_t perm)
{
	struct iopf_translation found;
	int error = iopf_guest_translate(pair->guest, PAIR_ENDPOINT, pasid, addr, perm,
					 true, &found);

	return error == 0 ? found.gpa : UINT64_MAX;
}

static struct iopf_agent_stats stats_of(const struct pair *pair)
{
	struct iopf_agent_stats stats;

	iopf_agent_stats(pair->agent, &stats);
	return stats;
}

TEST(a_mapped_page_translates_and_an_unmapped_one_does_not)
{
	for (uint32_t levels = 4; pair_levels(levels); levels++) {
		struct pair *pair =
			pair_with_pasid((struct pair_options){ .levels = levels });
		uint64_t ticket;

		CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, 0x900000,
					IOPF_READ), 0);
		CHECK_EQ(translate(pair, 1, ADDR + 5, IOPF_READ), 0x900005);
		CHECK_EQ(translate(pair, 1, ADDR, IOPF_WRITE), UINT64_MAX);
		CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, 0x901000,
					IOPF_WRITE), 0);
		CHECK_EQ(translate(pair, 1, ADDR, IOPF_WRITE), 0x901000);
		CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket),
			 0);
		CHECK_EQ(translate(pair, 1, ADDR, IOPF_READ), UINT64_MAX);
		pair_run(pair);
		CHECK(iopf_agent_waited(pair->agent, ticket));
	}
}

TEST(a_large_unmap_invalidates_the_whole_pasid)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR - (1 << 30), UINT64_C(2) << 30,
				  &ticket), 0);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'i'), 1 + !pair_stalls());
	CHECK_EQ(pair->log[1].command.granularity, IOPF_ONE_PASID);
	if (!pair_stalls())
		CHECK_EQ(pair->log[2].command.granularity, IOPF_ALL);
}

TEST(arguments_that_could_never_be_right_are_refused)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent *agent = pair->agent;
	uint64_t ticket;

	CHECK_EQ(iopf_agent_attach(agent, 0x999, 1, &ticket), -EINVAL);
	CHECK_EQ(iopf_agent_attach(agent, PAIR_RID, 0, &ticket), -EINVAL);
	CHECK_EQ(iopf_agent_attach(agent, PAIR_RID, 1 << 13, &ticket), -EINVAL);
	CHECK_EQ(iopf_agent_attach(agent, PAIR_RID, 1, &ticket), -EEXIST);
	CHECK_EQ(iopf_agent_detach(agent, PAIR_RID, 2), -ENOENT);
	CHECK_EQ(iopf_agent_map(agent, PAIR_RID, 2, ADDR, 0, IOPF_READ), -ENOENT);
	CHECK_EQ(iopf_agent_unmap(agent, PAIR_RID, 1, ADDR, 100, &ticket), -EINVAL);
	CHECK_EQ(iopf_agent_unmap(agent, PAIR_RID, 1, ADDR, 0, &ticket), -EINVAL);
}

TEST(a_detach_gives_back_every_page_and_the_pasid)
{
	struct pair *pair = pair_with_pasid(
		(struct pair_options){ .region_bytes = 64 * 4096, .agent_pasid_max = 1 });
	uint64_t ticket;

	CHECK_EQ(iopf_agent_attach(pair->agent, PAIR_RID, 2, &ticket), -ENOSPC);
	for (uint32_t round = 0; round < 100; round++) {
		CHECK_EQ(pair_show(pair, round, 1, ADDR + ((uint64_t)round << 32), 9), 0);
		pair_settle(pair);
		CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
		CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
		CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), -EBUSY);
		CHECK_EQ(iopf_agent_attach(pair->agent, PAIR_RID, 1, &ticket), -EBUSY);
		pair_settle(pair);
		pair_attach_pasid(pair, PAIR_RID, 1);
	}
	CHECK_EQ(stats_of(pair).drains, 100);
	CHECK_EQ(stats_of(pair).out_of_pages, 0);
}

TEST(a_guest_without_pages_answers_invalid_and_goes_on)
{
	struct pair *pair =
		pair_with_pasid((struct pair_options){ .region_bytes = 32 * 4096 });

	for (uint64_t token = 1; token < 40; token++) {
		CHECK_EQ(pair_show(pair, token, 1, ADDR + (token << 32), 1), 0);
		pair_settle(pair);
	}
	CHECK_EQ(pair_count(pair, 'r'), 39);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
	CHECK(stats_of(pair).success > 1 && stats_of(pair).out_of_pages > 0);
}

TEST(what_comes_for_a_pasid_while_it_drains_gets_invalid)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	/* In the queue before the detach; the drain is not done before it was taken. */
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 2), 0);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	CHECK_EQ(iopf_agent_poll(pair->agent, 1), 1);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -EBUSY);
	CHECK_EQ(iopf_agent_poll(pair->agent, 64), 1);
	CHECK_EQ(pair->faults, 0);
	pair_settle(pair);
	CHECK_EQ(stats_of(pair).invalid, 1 + pair_stalls());
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
	/* The detach had ended it at the host: the answer settles the debt. */
	CHECK_EQ(pair_stats(pair).refused_stale + pair_stats(pair).refused_unknown,
		 1 + pair_stalls());
}

TEST(a_drain_that_saw_an_overflow_is_done_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	if (pair_stalls())
		return;
	pair_attach_pasid(pair, PAIR_RID, 2);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	CHECK_EQ(pair_show(pair, 1, 2, ADDR, pair_queue_room(pair) + 1), -ENOSPC);
	pair_run(pair);
	pair->drained = -EAGAIN;
	pair_settle(pair);
	CHECK_EQ(stats_of(pair).overflows, 1);
	CHECK_EQ(stats_of(pair).redrains, 1);
	/* Where no wait says so, the first after a teardown drains, and it was there. */
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1),
		 pair_row()->waits_drain ? -ENOENT : -EBUSY);
	pair->drained = 0;
	pair_settle(pair);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
}

TEST(a_detach_is_not_done_before_its_drain)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair->drained = -EAGAIN;
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -EBUSY);
	pair->drained = 0;
	pair_settle(pair);
	CHECK_EQ(iopf_agent_attached(pair->agent, PAIR_RID, 1), -ENOENT);
}

TEST(a_partial_group_dies_with_its_pasid_or_by_its_stop_marker)
{
	struct iopf_request request = { .addr = ADDR, .rid = PAIR_RID, .pasid = 1,
					.index = 5, .perm = IOPF_READ };
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	if (pair_stalls())
		return; /* groups of one */
	pair->fault = -EFAULT;
	CHECK_EQ(iopf_hardware_post(pair->guest->hardware, &request), IOPF_POSTED);
	pair_settle(pair);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(stats_of(pair).partials, 1);
	pair_attach_pasid(pair, PAIR_RID, 1);
	CHECK_EQ(iopf_hardware_post(pair->guest->hardware, &request), IOPF_POSTED);
	request = (struct iopf_request){ .rid = PAIR_RID, .pasid = 1, .flags = IOPF_STOP };
	CHECK_EQ(iopf_hardware_post(pair->guest->hardware, &request), IOPF_POSTED);
	pair_settle(pair);
	CHECK_EQ(stats_of(pair).partials, 2);
	CHECK_EQ(stats_of(pair).stop_markers, 1);
	CHECK_EQ(stats_of(pair).answers, 0);
}

TEST(a_page_that_is_there_already_is_left_alone)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint8_t before[64 * 4096];
	struct iopf_agent_layout layout;

	iopf_agent_layout(pair->agent, &layout);
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, 0x900000, IOPF_WRITE), 0);
	/* Hardware sets accessed and dirty bits; they stay. */
	CHECK_EQ(translate(pair, 1, ADDR, IOPF_WRITE), 0x900000);
	memcpy(before, pair->bytes + layout.tables, sizeof(before));
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, 0x900000, IOPF_READ), 0);
	CHECK_EQ(memcmp(before, pair->bytes + layout.tables, sizeof(before)), 0);
}

TEST(a_bad_page_spoils_its_group_wherever_it_stands)
{
	for (uint32_t bad = 0; bad < 3; bad++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

		CHECK_EQ(pair_show(pair, 1, 1, ADDR, 3), 0);
		for (uint32_t i = 0; i < 3; i++) {
			pair->fault = i == bad ? -EFAULT : 0;
			CHECK_EQ(iopf_agent_poll(pair->agent, 1), 1);
		}
		pair->fault = 0;
		CHECK_EQ(pair_show(pair, 2, 1, ADDR, 3), 0);
		pair_settle(pair);
		CHECK_EQ(stats_of(pair).invalid, 1);
		CHECK_EQ(stats_of(pair).success, pair_stalls() ? 5 : 1);
	}
}

TEST(records_stay_in_the_queue_while_there_is_no_room_for_answers)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, 0x900000, IOPF_READ), 0);
	while (iopf_agent_wait(pair->agent, false, &ticket) == 0)
		;
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), 0);
	CHECK_EQ(iopf_agent_poll(pair->agent, 64), 0);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), -EAGAIN);
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket), -EAGAIN);
	CHECK_EQ(translate(pair, 1, ADDR, IOPF_READ), 0x900000);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
}

TEST(an_iommu_that_lacks_what_is_needed_is_refused)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct pair_options five = { .levels = 5 };
	void *old = pair->agent_memory;

	if (!pair_levels(5) && !pair_stalls())
		five = (struct pair_options){ .mixed = true }; /* nothing stalls there */
	if (pair_stalls())
		return; /* there is everything */
	pair_make_agent(pair, five);
	free(old);
	CHECK_EQ(iopf_agent_start(pair->agent), -ENODEV);
}

TEST(options_out_of_range_are_refused)
{
	static const uint32_t rid = 1;
	static _Alignas(4096) unsigned char region[64 * 4096];
	static _Alignas(64) unsigned char memory[1 << 20];
	const struct iopf_segment segment = { 0, sizeof(region), region };
	struct iopf_agent_options options = { .size_bytes = sizeof(options),
					      .rid_count = 1,
					      .rids = &rid,
					      .memory = { &segment, 1 },
					      .region_bytes = sizeof(region),
					      .levels = 4,
					      .pasid_max = 4,
					      .pasid_bits = 20,
					      .registers = &pair_registers,
					      .ops = &pair_agent_ops };
	struct iopf_agent *agent;

	CHECK_EQ(iopf_agent_create(&options, memory, sizeof(memory), &agent), 0);
	CHECK_EQ(iopf_agent_create(&options, memory, 100, &agent), -ENOSPC);
	options.region_bytes = 8 * 4096;
	CHECK_EQ(iopf_agent_create(&options, memory, sizeof(memory), &agent), -ENOSPC);
	options.region_bytes = sizeof(region) + 4096;
	CHECK_EQ(iopf_agent_create(&options, memory, sizeof(memory), &agent), -EINVAL);
	options.region_bytes = 100;
	CHECK_EQ(iopf_agent_size_bytes(&options), 0);
	options.region_bytes = sizeof(region);
	options.pasid_bits = 21;
	CHECK_EQ(iopf_agent_size_bytes(&options), 0);
}

int main(void)
{
	return pair_main();
}
