/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a guest's queues: overflow, off, re-based, drains, invalidations. */
#include "guest_pair.h"

#define ADDR UINT64_C(0x40000000)

TEST(a_full_queue_says_so_and_is_recovered)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	uint32_t room = pair_queue_room(pair);

	if (pair_stalls())
		return; /* stalls are never lost */
	for (uint64_t token = 1; token <= room; token++)
		CHECK_EQ(pair_show(pair, token, 1, ADDR + token * 4096, 1), 0);
	CHECK_EQ(pair_show(pair, 400, 1, ADDR, 1), -ENOSPC);
	CHECK(pair_overflowed(pair));
	/* While the flag stands everything is lost, room or not. */
	CHECK_EQ(iopf_agent_poll(pair->agent, 1), 1);
	CHECK_EQ(pair_show(pair, 401, 1, ADDR, 1), -ENOSPC);
	CHECK_EQ(pair_stats(pair).overflows, 2);
	CHECK_EQ(pair_stats(pair).held, room);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), room);
	CHECK(!pair_overflowed(pair));
	CHECK_EQ(pair_show(pair, 402, 1, ADDR, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 402);
}

TEST(a_group_cut_by_an_overflow_is_never_answered)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent_stats stats;

	if (pair_stalls())
		return;
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, pair_queue_room(pair) + 1), -ENOSPC);
	pair_settle(pair);
	iopf_agent_stats(pair->agent, &stats);
	CHECK_EQ(stats.partials, 1);
	CHECK_EQ(stats.overflows, 1);
	CHECK_EQ(stats.answers, 0);
	CHECK_EQ(pair_show(pair, 2, 1, ADDR, 100), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(pair_find(pair, 'r').token, 2);
}

TEST(a_queue_that_is_switched_off_forgets_and_shows_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	pair_hold(pair, 2, 1, ADDR);
	iopf_guest_taken(pair->guest, 2, 1);
	pair_queue_off(pair);
	CHECK_EQ(pair_count(pair, 'f'), 1);
	CHECK_EQ(pair_find(pair, 'f').token, 1);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(pair_stats(pair).owed, 0);
	CHECK_EQ(pair_stats(pair).forgotten, 2);
	CHECK_EQ(pair_show(pair, 3, 1, ADDR, 1), -ENOENT);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).refused_unknown, 1);
}

TEST(a_queue_that_is_re_based_forgets_and_goes_on_elsewhere)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	pair_queue_at(pair, PAIR_REGION + 0x10000);
	CHECK_EQ(pair_find(pair, 'f').token, 1);
	CHECK_EQ(pair_show(pair, 2, 1, ADDR, 1), 0);
	/* A base outside of memory: as if it were off. */
	pair_queue_at(pair, UINT64_C(0xfffffffff000));
	CHECK_EQ(pair_find(pair, 'f').token, 2);
	CHECK_EQ(pair_show(pair, 3, 1, ADDR, 1), -ENOENT);
}

TEST(a_drain_waits_for_the_host_and_holds_what_is_behind_it)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t drain, behind;

	if (pair_row()->waits_drain)
		return; /* no wait asks for it */
	pair->drained = -EAGAIN;
	CHECK_EQ(iopf_agent_wait(pair->agent, true, &drain), 0);
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &behind), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(iopf_guest_held(pair->guest));
	CHECK(!iopf_agent_waited(pair->agent, drain));
	pair->drained = 0;
	pair_run(pair);
	CHECK(!iopf_guest_held(pair->guest));
	CHECK(iopf_agent_waited(pair->agent, behind));
	CHECK_EQ(pair_stats(pair).holds, 1);
}

TEST(a_wait_without_the_drain_flag_does_not_drain)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	pair->drained = -EAGAIN;
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair->drained_calls, 0);
}

TEST(an_unmap_is_invalidated_at_the_host_before_its_wait_completes)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint32_t before = pair->count;
	uint64_t ticket;

	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 3), 0);
	pair_settle(pair);
	before = pair->count;
	pair->invalidated = -EAGAIN;
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 3 * 4096, &ticket), 0);
	pair_run(pair);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair->count, before + 1 + !pair_stalls());
	CHECK_EQ(pair->log[before].command.kind, IOPF_COMMAND_INVALIDATE_IOTLB);
	CHECK_EQ(pair->log[before].command.addr, ADDR);
	CHECK_EQ(pair->log[before].command.size_bytes, 4 * 4096);
	CHECK_EQ(pair->log[before].endpoint, PAIR_ENDPOINT);
	CHECK_EQ(pair->log[before].pasid, 1);
	if (!pair_stalls()) {
		CHECK_EQ(pair->log[before + 1].command.kind,
			 IOPF_COMMAND_INVALIDATE_DEVICE);
		CHECK_EQ(pair->log[before + 1].command.rid, PAIR_RID);
	}
	pair->invalidated = 0;
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
}

TEST(an_invalidation_that_finds_no_room_is_given_again_once)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	pair->invalidate = -EAGAIN;
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket), 0);
	pair_run(pair);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'i'), 0);
	pair->invalidate = 0;
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'i'), 1 + !pair_stalls());
	CHECK(iopf_agent_waited(pair->agent, ticket));
}

static void submit(struct pair *pair, struct iopf_command command)
{
	CHECK_EQ(iopf_agent_command(pair->agent, &command), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
}

TEST(invalidations_reach_what_they_name_and_nothing_else)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_command device = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
				       .granularity = IOPF_ALL, .rid = PAIR_RID };
	uint32_t domain, other, all;
	uint64_t idle;

	if (pair_family()->asids)
		return; /* guest_smmuv3_structures */
	pair_attach_pasid(pair, PAIR_RID, 2);
	pair_attach_pasid(pair, PAIR_OTHER_RID, 2);
	idle = pair_stats(pair).idle_invalidations;
	domain = pair->log[1].space.domain;
	other = pair->log[2].space.domain;
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ALL });
	CHECK_EQ(pair_count(pair, 'i'), 3);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_DOMAIN,
					    .domain = (uint16_t)domain });
	/* Its own, or its function's. */
	CHECK_EQ(pair_count(pair, 'i'), 4 + pair_family()->by_device);
	CHECK_EQ(pair_find(pair, 'i').pasid, 2);
	all = pair_count(pair, 'i');
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ONE_PASID,
					    .domain = (uint16_t)other, .pasid = 2 });
	CHECK_EQ(pair_count(pair, 'i'), all + 1);
	CHECK_EQ(pair_find(pair, 'i').endpoint, PAIR_OTHER_ENDPOINT);
	/* The PASID of another domain: nobody's. */
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ONE_PASID,
					    .domain = (uint16_t)other, .pasid = 1 });
	CHECK_EQ(pair_count(pair, 'i'), all + 1);
	CHECK_EQ(pair_stats(pair).idle_invalidations, idle + 1);
	device.pasid = 9;
	submit(pair, device);
	CHECK_EQ(pair_stats(pair).idle_invalidations, idle + 2);
	device.pasid = 1;
	submit(pair, device);
	CHECK_EQ(pair_count(pair, 'i'), all + 2);
	device.rid = 0x0500;
	submit(pair, device);
	CHECK_EQ(pair_stats(pair).foreign_invalidations, 1);
	CHECK_EQ(pair_count(pair, 'i'), all + 2);
}

TEST(a_translation_cache_is_that_of_one_function_and_one_pasid)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct iopf_command device = { .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
				       .granularity = IOPF_ALL, .rid = PAIR_RID };

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	pair_attach_pasid(pair, PAIR_RID, 2);
	pair_attach_pasid(pair, PAIR_OTHER_RID, 2);
	device.pasid = 2;
	submit(pair, device);
	CHECK_EQ(pair_count(pair, 'i'), 1);
	CHECK_EQ(pair_find(pair, 'i').endpoint, PAIR_ENDPOINT);
	CHECK_EQ(pair_find(pair, 'i').pasid, 2);
	if (pair_family()->each_pasid)
		return; /* there is no such command */
	/* All of the function's: none, 2 and, where that is one, PASID 0. */
	device.pasid = IOPF_PASID_ANY;
	submit(pair, device);
	CHECK_EQ(pair_count(pair, 'i'), pair_count(pair, 'a'));
}

TEST(an_invalidation_of_many_goes_on_where_it_was_held)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	for (uint32_t pasid = 1; pasid <= 5; pasid++)
		pair_attach_pasid(pair, PAIR_RID, pasid);
	pair->invalidate = -EAGAIN;
	pair->invalidate_room = 2;
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ALL });
	CHECK_EQ(pair_count(pair, 'i'), 2);
	pair->invalidate = 0;
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'i'), 5);
}

TEST(requests_without_pasid_share_the_translations_of_their_entry)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	if (pair_count(pair, 'a') == 1)
		return; /* nobody else has descriptor 0 */
	/* The entry is that of PASID 0: both ways in are told of. */
	CHECK_EQ(pair_count(pair, 'a'), 2);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ONE_PASID,
					    .domain = 1, .asid = 1, .pasid = 0 });
	CHECK_EQ(pair_count(pair, 'i'), 2);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					    .granularity = IOPF_ALL, .rid = PAIR_RID,
					    .pasid = IOPF_PASID_NONE });
	CHECK_EQ(pair_count(pair, 'i'), 3);
	CHECK_EQ(pair_find(pair, 'i').pasid, IOPF_PASID_NONE);
}

TEST(the_host_is_given_what_an_invalidation_is_and_no_more)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					    .granularity = IOPF_ALL, .rid = PAIR_RID,
					    .pasid = 1, .pending_max = 31,
					    .pf_rid = 0x8888 });
	CHECK_EQ(pair_find(pair, 'i').command.pasid, 1);
	CHECK_EQ(pair_find(pair, 'i').command.pending_max, 0);
	CHECK_EQ(pair_find(pair, 'i').command.pf_rid, 0);
}

TEST(a_device_that_does_not_answer_is_told_as_a_timeout_and_confirms_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 1000 });
	uint64_t ticket, later;

	pair->invalidated = -EAGAIN;
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket), 0);
	pair_run(pair);
	pair->now_ns += 999;
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).hold_timeouts, 0);
	pair->now_ns += 1;
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).hold_timeouts, 1);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_TIMEOUT);
	/* The guest's queue goes on, from the next wait on. SMMUv3 takes the same again. */
	pair->invalidated = 0;
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &later), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, later));
}

TEST(an_invalidation_that_the_host_never_takes_is_a_timeout_too)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 1000 });
	uint64_t ticket;

	pair->invalidate = -EAGAIN;
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket), 0);
	pair_run(pair);
	/* SMMUv3 tells it at the SYNC: the command between has its own time. */
	for (uint32_t i = 0; i < 2; i++) {
		pair->now_ns += 1000;
		pair_run(pair);
	}
	CHECK(iopf_driver_errors(iopf_agent_driver(pair->agent)) & IOPF_DRIVER_TIMEOUT);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
}

TEST(each_hold_has_its_own_time)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 1000 });
	uint64_t ticket;

	for (uint32_t i = 0; i < 3; i++) {
		pair->invalidated = -EAGAIN;
		CHECK_EQ(iopf_agent_wait(pair->agent, true, &ticket), 0);
		iopf_agent_kick(pair->agent);
		pair_run(pair);
		pair->now_ns += 900;
		pair_run(pair);
		CHECK(iopf_guest_held(pair->guest));
		pair->invalidated = 0;
		pair_run(pair);
		CHECK(iopf_agent_waited(pair->agent, ticket));
	}
	CHECK_EQ(pair_stats(pair).hold_timeouts, 0);
	CHECK_EQ(pair_stats(pair).holds, 3);
}

TEST(the_registers_invalidate_as_the_queue_does)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const uint64_t iotlb_all = VTD_IOTLB_IVT | UINT64_C(1) << 60;
	uint32_t iotlb = VTD_ECAP_IRO(iopf_guest_read(pair->guest, VTD_ECAP, 8)) + 8;

	if (!pair_is("vtd"))
		return; /* the others have no such registers */
	pair->invalidate = -EAGAIN;
	iopf_guest_write(pair->guest, iotlb, 8, iotlb_all);
	pair_run(pair);
	CHECK(iopf_guest_read(pair->guest, iotlb, 8) & VTD_IOTLB_IVT);
	/* Meanwhile the queue finds it busy. */
	CHECK_EQ(iopf_agent_answer(pair->agent, PAIR_RID, 1, 3, IOPF_SUCCESS), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).refused_unknown, 0);
	pair->invalidate = 0;
	pair_run(pair);
	CHECK(!(iopf_guest_read(pair->guest, iotlb, 8) & VTD_IOTLB_IVT));
	CHECK_EQ(pair_count(pair, 'i'), 1);
	CHECK_EQ(pair_stats(pair).refused_unknown, 1);
	iopf_guest_write(pair->guest, VTD_CCMD, 8, VTD_CCMD_ICC | UINT64_C(1) << 61);
	pair_run(pair);
	CHECK(!(iopf_guest_read(pair->guest, VTD_CCMD, 8) & VTD_CCMD_ICC));
}

TEST(a_queue_switched_off_below_a_held_command_works_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	pair->invalidate = -EAGAIN;
	CHECK_EQ(iopf_agent_unmap(pair->agent, PAIR_RID, 1, ADDR, 4096, &ticket), 0);
	pair_run(pair);
	pair_commands_off(pair);
	pair->invalidate = 0;
	pair_start(pair);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 1);
}

TEST(a_malformed_command_stops_the_guests_own_queue_until_it_recovers)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const uint8_t record[32] = { 0x0f }; /* no command of any family */
	uint64_t ticket;

	CHECK_EQ(iopf_agent_descriptor(pair->agent, record), 0);
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_STOPPED);
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
}

int main(void)
{
	return pair_main();
}
