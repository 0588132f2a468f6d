/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: address spaces that a guest announces, changes, hides and tears down. */
#include "guest_pair.h"
#include "table/vtd_scalable.h"

#define ADDR UINT64_C(0x7f0000000000)

static uint64_t word(const struct pair *pair, uint64_t addr)
{
	uint64_t value = 0;

	CHECK(memory_load64(&pair->memory, addr, &value));
	return value;
}

static void put(const struct pair *pair, uint64_t addr, uint64_t value)
{
	CHECK(memory_store64(&pair->memory, addr, value));
}

/* Where the entries of (PAIR_RID, @pasid) lie in guest memory. */
static struct vtd_found find(const struct pair *pair, uint32_t pasid)
{
	const struct table_space tables = { .memory = &pair->memory };
	const struct vtd_features features = { .address_bits = 48, .first = true,
					       .first_5l = true, .supervisor = true };
	const struct vtd_request request = { .rid = PAIR_RID, .pasid = pasid,
					     .perm = IOPF_READ };
	struct iopf_agent_layout layout;
	struct vtd_found found;

	iopf_agent_layout(pair->agent, &layout);
	CHECK_EQ(vtd_find(&tables, &features, layout.root, &request, &found), 0);
	return found;
}

static uint64_t announce(struct pair *pair, uint8_t kind, uint8_t granularity,
			 uint32_t pasid)
{
	const struct iopf_command command = { .kind = kind, .granularity = granularity,
					      .domain = 1, .pasid = pasid,
					      .rid = PAIR_RID };
	uint64_t ticket;

	CHECK_EQ(iopf_agent_command(pair->agent, &command), 0);
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	return ticket;
}

static uint64_t announce_all(struct pair *pair)
{
	return announce(pair, IOPF_COMMAND_INVALIDATE_PASID, IOPF_ALL, 0);
}

TEST(a_new_pasid_is_attached_with_what_its_entry_says)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .levels = 5 });
	struct pair_entry entry = pair_find(pair, 'a');
	struct iopf_address_space space;

	CHECK_EQ(pair_count(pair, 'a'), 1);
	CHECK_EQ(entry.endpoint, PAIR_ENDPOINT);
	CHECK_EQ(entry.pasid, 1);
	CHECK_EQ(entry.space.levels, 5);
	CHECK_EQ(entry.space.domain, 1);
	CHECK_EQ(entry.space.root, find(pair, 1).pasid.first_root);
	CHECK_EQ(entry.space.flags,
		 IOPF_SPACE_SRE | IOPF_SPACE_WPE | IOPF_SPACE_PRE | IOPF_SPACE_DTE);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	CHECK_EQ(space.root, entry.space.root);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 2, &space), -ENOENT);
}

TEST(what_is_not_announced_is_not_seen)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).pasid_addr;

	put(pair, addr, 0);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	announce(pair, IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 2);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	announce(pair, IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 1);
	CHECK_EQ(pair_count(pair, 'd'), 1);
}

TEST(a_detach_holds_the_guests_queue_and_its_wait_completes_afterwards)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).pasid_addr, ticket;
	uint32_t steps;

	pair->detach = -EAGAIN;
	put(pair, addr, 0);
	ticket = announce(pair, IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, 1);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK(iopf_guest_held(pair->guest));
	/* Asked once a run, not in a loop. */
	pair->detach_calls = 0;
	steps = iopf_guest_run(pair->guest, 1000, pair->now_ns);
	CHECK(steps < 1000);
	CHECK_EQ(pair->detach_calls, 1);
	/* What the guest writes meanwhile does not change what was begun. */
	put(pair, addr, 1);
	pair->detach = 0;
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_stats(pair).spaces, 0);
}

TEST(an_attach_that_is_not_finished_is_asked_again_with_the_same_values)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	uint64_t ticket, root;

	pair->attach = -EAGAIN;
	CHECK_EQ(iopf_agent_attach(pair->agent, PAIR_RID, 1, &ticket), 0);
	pair_run(pair);
	CHECK_EQ(pair->attach_calls, 1);
	root = find(pair, 1).pasid.first_root;
	put(pair, find(pair, 1).pasid_addr + 16, 0x666000);
	pair->attach = 0;
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_find(pair, 'a').space.root, root);
}

TEST(an_entry_that_changes_is_detached_and_attached)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).pasid_addr;

	put(pair, addr + 16, (word(pair, addr + 16) & 0xfff) | 0x300000);
	announce_all(pair);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_find(pair, 'a').space.root, 0x300000);
	announce_all(pair);
	CHECK_EQ(pair_count(pair, 'a'), 2);
}

TEST(debts_of_a_replaced_space_stay_because_its_entry_was_never_absent)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).pasid_addr, ticket;

	pair->closes = true;
	pair_hold(pair, 1, 1, ADDR);
	put(pair, addr + 16, (word(pair, addr + 16) & 0xfff) | 0x300000);
	announce_all(pair);
	CHECK_EQ(iopf_agent_wait(pair->agent, true, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).owed, 1);
}

TEST(more_address_spaces_than_promised_are_refused_and_counted)
{
	struct pair *pair = pair_new((struct pair_options){ .pasid_max = 3 });
	struct iopf_guest_stats stats;

	for (uint32_t pasid = 1; pasid <= 5; pasid++)
		pair_attach_pasid(pair, PAIR_RID, pasid);
	stats = pair_stats(pair);
	CHECK_EQ(stats.spaces, 3);
	CHECK_EQ(stats.attach_refused, 2);
	/* Room again: what is there and was refused is found when the guest says so. */
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 2), 0);
	pair_settle(pair);
	announce_all(pair);
	CHECK_EQ(pair_stats(pair).spaces, 3);
	CHECK_EQ(pair_find(pair, 'a').pasid, 4);
}

TEST(an_attach_that_the_host_refuses_is_counted_and_never_detached)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	pair->attach = -EOPNOTSUPP;
	pair_attach_pasid(pair, PAIR_RID, 1);
	CHECK_EQ(pair_stats(pair).attach_refused, 1);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK_EQ(iopf_agent_detach(pair->agent, PAIR_RID, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair->detach_calls, 0);
}

TEST(a_context_entry_taken_away_detaches_every_pasid_of_its_function)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	for (uint32_t pasid = 1; pasid <= 4; pasid++)
		pair_attach_pasid(pair, PAIR_RID, pasid);
	pair_attach_pasid(pair, PAIR_OTHER_RID, 1);
	put(pair, find(pair, 1).context_addr, 0);
	announce(pair, IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 0);
	CHECK_EQ(pair_count(pair, 'd'), 4);
	CHECK_EQ(pair_stats(pair).spaces, 1);
}

TEST(page_requests_that_the_context_does_not_enable_are_not_shown)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).context_addr;

	put(pair, addr, word(pair, addr) & ~UINT64_C(0x10));
	announce(pair, IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 0);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), -ENOENT);
}

TEST(page_requests_switched_off_and_on_leave_spaces_and_groups_alone)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).context_addr, entry = word(pair, addr);
	struct iopf_address_space space;

	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), 0);
	/* Neither PRE nor DTE. */
	put(pair, addr, entry & ~UINT64_C(0x14));
	announce(pair, IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 0);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	CHECK_EQ(space.flags, IOPF_SPACE_SRE | IOPF_SPACE_WPE);
	CHECK_EQ(pair_stats(pair).held, 1);
	put(pair, addr, entry);
	announce(pair, IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, 0);
	CHECK_EQ(pair_show(pair, 2, 1, ADDR, 1), 0);
	CHECK_EQ(pair_stats(pair).held, 2);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	CHECK_EQ(pair_count(pair, 'a'), 1);
}

TEST(with_translation_off_nothing_is_attached)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'a'), 2);
}

TEST(a_root_that_is_no_memory_or_not_scalable_leads_nowhere)
{
	static const uint64_t roots[] = { UINT64_C(0xfffffffff000) | VTD_RTADDR_SCALABLE,
					  PAIR_MEMORY - 4096 + VTD_RTADDR_SCALABLE, 0 };

	for (uint32_t i = 0; i < 3; i++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

		memset(pair->bytes + PAIR_MEMORY - 4096, 0xff, 4096);
		iopf_guest_write(pair->guest, VTD_RTADDR, 8, roots[i]);
		iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE | VTD_SRTP);
		pair_run(pair);
		CHECK_EQ(pair_stats(pair).spaces, 0);
		CHECK_EQ(pair_count(pair, 'd'), 1);
	}
}

TEST(the_root_of_another_mode_leads_nowhere_and_legacy_mode_is_counted)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_agent_layout layout;

	iopf_agent_layout(pair->agent, &layout);
	/* To abort everything is a wish like another; legacy mode is not followed. */
	iopf_guest_write(pair->guest, VTD_RTADDR, 8, layout.root | VTD_RTADDR_ABORT);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE | VTD_SRTP);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK_EQ(pair_stats(pair).bad_structures, 0);
	iopf_guest_write(pair->guest, VTD_RTADDR, 8, layout.root);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE | VTD_SRTP);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK(pair_stats(pair).bad_structures > 0);
}

TEST(a_scan_finds_pasids_behind_holes_of_the_directory)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	pair_attach_pasid(pair, PAIR_RID, 100);
	pair_attach_pasid(pair, PAIR_RID, 8191);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE);
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).spaces, 2);
}

TEST(a_directory_that_leads_to_one_table_everywhere_is_bounded)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .pasid_max = 100 });
	struct vtd_found found = find(pair, 1);
	uint64_t table = found.pasid_addr & ~UINT64_C(4095);
	uint64_t directory = found.directory_addr & ~UINT64_C(4095);
	uint8_t entry[64];
	uint32_t steps = 0, runs = 0;

	memcpy(entry, pair->bytes + found.pasid_addr, sizeof(entry));
	for (uint32_t i = 0; i < 64; i++)
		memcpy(pair->bytes + table + i * 64, entry, sizeof(entry));
	for (uint32_t i = 0; i < 512; i++)
		put(pair, directory + i * 8, word(pair, directory));
	put(pair, found.context_addr, word(pair, found.context_addr) | 7 << 9);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_QIE | VTD_TE);
	do {
		steps = iopf_guest_run(pair->guest, 1000, 0);
		CHECK(steps <= 1000);
	} while (steps == 1000 && ++runs < 3000);
	CHECK(runs > 10 && runs < 3000);
	CHECK_EQ(pair_stats(pair).spaces, 100);
	CHECK(pair_stats(pair).attach_refused > 10000);
}

TEST(bad_entries_are_counted_and_not_attached)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).pasid_addr;

	put(pair, addr, word(pair, addr) | 7 << 6); /* PGTT 7 */
	announce_all(pair);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK(pair_stats(pair).bad_structures > 0);
}

static bool mapped_none(void *context, uint64_t gpa, uint8_t perm)
{
	(void)context, (void)gpa, (void)perm;
	return false;
}

TEST(pass_through_is_told_as_no_first_level)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct iopf_route route;
	uint64_t addr;

	pair_attach_pasid(pair, PAIR_RID, 1);
	addr = find(pair, 1).pasid_addr;
	put(pair, addr + 16, 0);
	put(pair, addr, 1 | 4 << 6 | 2 << 2);
	announce_all(pair);
	CHECK_EQ(pair_find(pair, 'a').space.levels, 0);
	CHECK_EQ(pair_find(pair, 'a').space.root, 0);
	CHECK_EQ(iopf_guest_route(pair->guest, PAIR_ENDPOINT, 1, 0x5123, IOPF_WRITE,
				  mapped_none, pair, &route), 0);
	CHECK_EQ(route.stages, IOPF_STAGE_SECOND);
	CHECK_EQ(route.missing_count, 1);
	CHECK_EQ(route.missing[0].addr, 0x5000);
}

TEST(a_register_write_carries_nothing_out_by_itself)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	put(pair, find(pair, 1).pasid_addr, 0);
	iopf_guest_write(pair->guest, VTD_CCMD, 8, VTD_CCMD_ICC | UINT64_C(1) << 61);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	CHECK(iopf_guest_read(pair->guest, VTD_CCMD, 8) & VTD_CCMD_ICC);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK(!(iopf_guest_read(pair->guest, VTD_CCMD, 8) & VTD_CCMD_ICC));
}

TEST(a_guest_with_many_spaces_goes_in_many_short_calls)
{
	const struct pair_options want = { .pasid_max = 600, .agent_pasid_max = 600 };
	struct pair *pair = pair_new(want);
	uint32_t before = 0, calls = 0;

	for (uint32_t pasid = 1; pasid <= 600; pasid++)
		pair_attach_pasid(pair, PAIR_RID, pasid);
	while (iopf_guest_reset(pair->guest, 0) == -EAGAIN && calls++ < 600) {
		CHECK(pair_count(pair, 'd') - before <= 256);
		CHECK(!iopf_guest_held(pair->guest));
		before = pair_count(pair, 'd');
		/* In between the guest gets nowhere. */
		iopf_guest_write(pair->guest, VTD_CCMD, 8,
				 VTD_CCMD_ICC | UINT64_C(1) << 61);
	}
	CHECK_EQ(calls, 2);
	CHECK_EQ(pair_count(pair, 'd'), 600);
	CHECK_EQ(pair_stats(pair).spaces, 0);
}

TEST(a_detach_that_is_passed_over_is_not_confirmed_and_asked_for_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 100 });
	uint64_t entry = find(pair, 1).pasid_addr, was = word(pair, entry), ticket;
	struct iopf_address_space space;

	pair->detach = -EAGAIN;
	put(pair, entry, 0);
	ticket = announce_all(pair);
	pair->now_ns += 100;
	pair_run(pair);
	CHECK_EQ(pair_stats(pair).hold_timeouts, 1);
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), -ENOENT);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), -ENOENT);
	/* The queue goes on once the guest has seen what happened. */
	CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_TIMEOUT);
	pair_run(pair);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	/* The same entry again is not the same space: the old one goes first. */
	pair->detach = 0;
	put(pair, entry, was);
	ticket = announce_all(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), 0);
}

TEST(what_a_register_left_unfinished_is_not_confirmed_by_the_next_wait)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 100 });
	uint64_t ticket;

	pair->detach = -EAGAIN;
	put(pair, find(pair, 1).pasid_addr, 0);
	iopf_guest_write(pair->guest, VTD_GCMD, 4, VTD_TE | VTD_QIE | VTD_SRTP);
	pair_run(pair);
	pair->now_ns += 100;
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK(iopf_guest_read(pair->guest, VTD_FSTS, 4) & VTD_FSTS_ITE);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
}

TEST(a_guest_that_is_gone_leaves_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_attach_pasid(pair, PAIR_RID, 2);
	pair_hold(pair, 5, 1, ADDR);
	pair->detach = -EAGAIN;
	CHECK_EQ(iopf_guest_reset(pair->guest, 0), -EAGAIN);
	CHECK_EQ(pair_find(pair, 'f').token, 5);
	CHECK_EQ(pair_show(pair, 6, 1, ADDR, 1), -ENOENT);
	pair->detach = 0;
	CHECK_EQ(iopf_guest_reset(pair->guest, 0), 0);
	CHECK_EQ(pair_count(pair, 'd'), 2);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(iopf_guest_read(pair->guest, VTD_GSTS, 4), 0);
	CHECK_EQ(pair_show(pair, 6, 1, ADDR, 1), -ENOENT);
	/* And another may boot. */
	pair_start(pair);
	CHECK_EQ(pair_stats(pair).spaces, 2);
}

TEST(a_guest_that_is_gone_while_it_attaches_leaves_nothing_either)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket;

	pair->attach = -EAGAIN;
	CHECK_EQ(iopf_agent_attach(pair->agent, PAIR_RID, 2, &ticket), 0);
	pair_run(pair);
	CHECK_EQ(iopf_guest_reset(pair->guest, 0), -EAGAIN);
	pair->attach = 0;
	CHECK_EQ(iopf_guest_reset(pair->guest, 0), 0);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_count(pair, 'd'), 2);
	CHECK_EQ(pair_stats(pair).spaces, 0);
}

TEST(requests_without_pasid_are_privileged_where_the_context_says_so)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct iopf_address_space space;
	uint64_t addr;

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	addr = find(pair, IOPF_PASID_NONE).context_addr + 8;
	put(pair, addr, word(pair, addr) | 1 << 20);
	announce(pair, IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_ALL, 0);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, IOPF_PASID_NONE, &space), 0);
	CHECK(space.flags & IOPF_SPACE_PRIV);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 0, &space), 0);
	CHECK(!(space.flags & IOPF_SPACE_PRIV));
}

TEST(options_out_of_range_are_refused)
{
	static const struct iopf_guest_endpoint twice[] = {
		{ .rid = 1, .endpoint = 1, .mechanism = IOPF_PRI },
		{ .rid = 1, .endpoint = 2, .mechanism = IOPF_PRI },
	};
	struct iopf_guest_options options = { .size_bytes = sizeof(options),
					      .endpoint_count = 2,
					      .endpoints = twice,
					      .pasid_max = 4,
					      .levels = 4,
					      .ops = &pair_guest_ops };
	static _Alignas(64) unsigned char memory[1 << 20];
	struct iopf_guest *guest = NULL;

	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), -EINVAL);
	options.endpoint_count = 1;
	CHECK_EQ(iopf_guest_create(&options, memory + 8, sizeof(memory) - 8, &guest),
		 -EINVAL);
	CHECK_EQ(iopf_guest_create(&options, memory, 1000, &guest), -ENOSPC);
	CHECK(guest == NULL);
	options.levels = 3;
	CHECK_EQ(iopf_guest_size_bytes(&options), 0);
	options.levels = 5;
	options.pasid_max = IOPF_GUEST_PASID_MAX + 1;
	CHECK_EQ(iopf_guest_size_bytes(&options), 0);
}

int main(void)
{
	return test_main();
}
