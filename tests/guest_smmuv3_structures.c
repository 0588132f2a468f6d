/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the stream table and context descriptors that a guest announces. */
#include "guest_smmuv3.h"

#define ADDR UINT64_C(0x7f0000000000)

TEST(a_new_pasid_is_attached_with_what_its_entries_say)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct found found = find(pair, 1);
	struct pair_entry entry = pair_find(pair, 'a');
	uint64_t words[SMMUV3_STE_WORDS];

	CHECK_EQ(pair_count(pair, 'a'), 1);
	CHECK_EQ(entry.endpoint, PAIR_ENDPOINT);
	CHECK_EQ(entry.pasid, 1);
	CHECK_EQ(entry.space.format, IOPF_FORMAT_VMSA);
	CHECK_EQ(entry.space.levels, 4);
	CHECK_EQ(entry.space.domain, found.cd.asid);
	CHECK(entry.space.domain != 0);
	CHECK_EQ(entry.space.root, found.cd.first.half[0].root);
	CHECK_EQ(entry.space.flags, pair_stalls() ? IOPF_SPACE_PRE | IOPF_SPACE_STALL :
						    IOPF_SPACE_PRE | IOPF_SPACE_DTE);
	CHECK_EQ(smmuv3_ste_encode(&found.ste, words), 0);
	CHECK_EQ(entry.space.nest[0], words[0]);
	CHECK_EQ(entry.space.nest[1], words[1]);
	CHECK(words_get(entry.space.nest, SMMUV3_STE_V));
	CHECK_EQ(words_get(entry.space.nest, SMMUV3_STE_CONFIG), SMMUV3_FIRST);
	CHECK_EQ(words_get(entry.space.nest, SMMUV3_STE_S1STALLD),
		 smmuv3_features_there(pair).stall_model == SMMUV3_STALL_BOTH &&
			 !pair_stalls());
}

TEST(what_is_not_announced_is_not_seen)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	change(pair, find(pair, 1).cd_addr, FIELD_MASK(SMMUV3_CD_V), 0);
	pair_run(pair);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	cfgi_cd(pair, 2);
	cfgi_cd_all(pair, PAIR_OTHER_RID);
	cfgi_ste(pair, PAIR_OTHER_RID, 0);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_stats(pair).bad_structures, 0);
}

TEST(every_invalidation_of_configuration_that_covers_an_entry_makes_it_seen)
{
	for (uint32_t way = 0; way < 5; way++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

		change(pair, find(pair, 1).cd_addr, FIELD_MASK(SMMUV3_CD_V), 0);
		if (way == 0)
			cfgi_cd(pair, 1);
		else if (way == 1)
			cfgi_cd_all(pair, PAIR_RID);
		else if (way == 2)
			cfgi_ste(pair, PAIR_RID, 0);
		else if (way == 3)
			cfgi_ste(pair, PAIR_RID & ~7u, 7);
		else
			cfgi_all(pair);
		CHECK_EQ(pair_count(pair, 'd'), 1);
		CHECK_EQ(pair_stats(pair).spaces, 0);
	}
}

TEST(a_descriptor_that_changes_is_detached_and_attached)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).cd_addr;
	struct iopf_address_space space;

	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'd'), 0);
	change(pair, addr + 8, FIELD_MASK(SMMUV3_CD_TTB0), 0x300000);
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_find(pair, 'a').space.root, 0x300000);
	/* What no value tells, and hardware would have cached. */
	change(pair, addr, 0, FIELD_MASK(SMMUV3_CD_WXN));
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'a'), 3);
	change(pair, addr, 0, FIELD_MASK(SMMUV3_CD_TBI0));
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'a'), 4);
	put(pair, addr, word(pair, addr) ^ FIELD_MASK(SMMUV3_CD_R));
	cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'a'), 5);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	cfgi_all(pair);
	CHECK_EQ(pair_count(pair, 'a'), 5);
}

TEST(a_stream_entry_taken_away_detaches_every_pasid_of_its_stream)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	for (uint32_t pasid = 1; pasid <= 4; pasid++)
		pair_attach_pasid(pair, PAIR_RID, pasid);
	pair_attach_pasid(pair, PAIR_OTHER_RID, 1);
	change(pair, find(pair, 1).ste_addr, FIELD_MASK(SMMUV3_STE_V), 0);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(pair_count(pair, 'd'), 4);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(pair_stats(pair).bad_structures, 0);
}

TEST(an_entry_that_aborts_is_no_address_space_and_none_is_counted_as_bad)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	change(pair, find(pair, 1).ste_addr, FIELD_MASK(SMMUV3_STE_CONFIG), 0);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK_EQ(pair_stats(pair).bad_structures, 0);
}

/* What an entry may not say, and where. */
TEST(illegal_entries_are_counted_and_not_attached)
{
	static const struct {
		bool cd;
		uint64_t clear, set;
	} ills[] = {
		{ true, 0, UINT64_C(1) << 6 },              /* TG0: 64 KiB */
		{ true, FIELD_MASK(SMMUV3_CD_AA64), 0 },
		{ true, FIELD_MASK(SMMUV3_CD_T0SZ), 60 },
		{ true, 0, FIELD_MASK(SMMUV3_CD_ENDI) },
		{ false, 0, UINT64_C(2) << 1 },             /* Config: stage 2 as well */
		{ false, 0, UINT64_C(31) << 59 },           /* S1CDMax */
	};

	for (uint32_t i = 0; i < sizeof(ills) / sizeof(ills[0]); i++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
		const struct found found = find(pair, 1);

		change(pair, ills[i].cd ? found.cd_addr : found.ste_addr, ills[i].clear,
		       ills[i].set);
		cfgi_ste(pair, PAIR_RID, 0);
		CHECK_EQ(pair_stats(pair).spaces, 0);
		CHECK(pair_stats(pair).bad_structures > 0);
		CHECK_EQ(stopped(pair), 0);
	}
}

TEST(a_descriptor_may_not_stall_where_its_stream_may_not)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct found found = find(pair, 1);

	change(pair, found.cd_addr, 0, FIELD_MASK(SMMUV3_CD_S));
	if (pair_stalls())
		change(pair, found.ste_addr + 8, 0, FIELD_MASK(SMMUV3_STE_S1STALLD));
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK(pair_stats(pair).bad_structures > 0);
}

TEST(a_stream_table_that_is_no_memory_leads_nowhere)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_translation(pair, false);
	iopf_guest_write(pair->guest, SMMUV3_STRTAB_BASE, 8, UINT64_C(0xfffffff00000));
	pair_translation(pair, true);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	CHECK(pair_stats(pair).bad_structures > 0);
	/* One that ends before the stream knows nothing of it. */
	pair_translation(pair, false);
	iopf_guest_write(pair->guest, SMMUV3_STRTAB_BASE_CFG, 4, 3);
	pair_translation(pair, true);
	CHECK_EQ(pair_stats(pair).spaces, 0);
}

/* S1DSS. */
TEST(accesses_without_a_substream_have_what_their_stream_says)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct iopf_address_space space;
	uint64_t addr;

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	pair_attach_pasid(pair, PAIR_RID, 1);
	addr = find(pair, 1).ste_addr + 8;
	/* Descriptor 0 is theirs alone. */
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, IOPF_PASID_NONE, &space), 0);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 0, &space), -ENOENT);
	/* Or that of PASID 0, and they end. */
	change(pair, addr, FIELD_MASK(SMMUV3_STE_S1DSS), SMMUV3_DEFAULT_TERMINATE);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, IOPF_PASID_NONE, &space),
		 -ENOENT);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 0, &space), 0);
	/* Or they are not translated. */
	change(pair, addr, FIELD_MASK(SMMUV3_STE_S1DSS), SMMUV3_DEFAULT_BYPASS);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, IOPF_PASID_NONE, &space), 0);
	CHECK_EQ(space.levels, 0);
	CHECK_EQ(words_get(space.nest, SMMUV3_STE_S1DSS), SMMUV3_DEFAULT_BYPASS);
	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	CHECK_EQ(space.levels, 4);
}

static bool mapped_none(void *context, uint64_t gpa, uint8_t perm)
{
	(void)context, (void)gpa, (void)perm;
	return false;
}

TEST(a_stream_that_bypasses_is_told_as_no_first_level)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_route route;

	change(pair, find(pair, 1).ste_addr, FIELD_MASK(SMMUV3_STE_CONFIG),
	       SMMUV3_BYPASS << 1);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(pair_find(pair, 'a').pasid, IOPF_PASID_NONE);
	CHECK_EQ(pair_find(pair, 'a').space.levels, 0);
	CHECK_EQ(iopf_guest_route(pair->guest, PAIR_ENDPOINT, IOPF_PASID_NONE, 0x5123,
				  IOPF_WRITE, mapped_none, pair, &route), 0);
	CHECK_EQ(route.stages, IOPF_STAGE_SECOND);
	CHECK_EQ(route.missing_count, 1);
	CHECK_EQ(route.missing[0].addr, 0x5000);
}

TEST(a_stream_without_substreams_has_one_descriptor)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct found found;

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	found = find(pair, IOPF_PASID_NONE);
	change(pair, found.ste_addr,
	       FIELD_MASK(SMMUV3_STE_S1CDMAX) | FIELD_MASK(SMMUV3_STE_S1CONTEXTPTR),
	       found.cd_addr);
	cfgi_ste(pair, PAIR_RID, 0);
	CHECK_EQ(pair_stats(pair).spaces, 1);
	CHECK_EQ(pair_find(pair, 'a').pasid, IOPF_PASID_NONE);
	CHECK_EQ(pair_find(pair, 'a').space.levels, 4);
}

TEST(a_scan_finds_pasids_behind_holes_of_the_table)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	pair_attach_pasid(pair, PAIR_RID, 100);
	pair_attach_pasid(pair, PAIR_RID, 8191);
	pair_translation(pair, false);
	CHECK_EQ(pair_stats(pair).spaces, 0);
	pair_translation(pair, true);
	CHECK_EQ(pair_stats(pair).spaces, 2);
}

TEST(a_table_that_leads_to_one_page_everywhere_is_bounded)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .pasid_max = 100 });
	const struct found found = find(pair, 1);
	uint64_t leaf = found.cd_addr & ~UINT64_C(4095), top = found.ste.context_addr;
	uint32_t steps = 0, runs = 0;

	for (uint32_t i = 0; i < 64; i++)
		memmove(pair->bytes + leaf + i * 64, pair->bytes + found.cd_addr, 64);
	for (uint32_t i = 0; i < 128; i++)
		put(pair, top + i * 8, word(pair, top));
	pair_cr0(pair, SMMUV3_SMMUEN, 0);
	pair_cr0(pair, 0, SMMUV3_SMMUEN);
	do {
		steps = iopf_guest_run(pair->guest, 1000, 0);
		CHECK(steps <= 1000);
	} while (steps == 1000 && ++runs < 3000);
	CHECK(runs > 5 && runs < 3000);
	CHECK_EQ(pair_stats(pair).spaces, 100);
	CHECK(pair_stats(pair).attach_refused > 5000);
}

TEST(the_second_stage_is_asked_for_descriptors_tables_and_the_page)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct found found = find(pair, 1);
	struct iopf_route route;

	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, PAIR_REGION, IOPF_WRITE), 0);
	CHECK_EQ(iopf_guest_route(pair->guest, PAIR_ENDPOINT, 1, ADDR, IOPF_WRITE,
				  mapped_none, pair, &route), 0);
	CHECK_EQ(route.stages, IOPF_STAGE_SECOND);
	CHECK_EQ(route.missing_count, 7);
	CHECK_EQ(route.missing[0].addr, found.ste.context_addr & ~UINT64_C(4095));
	CHECK_EQ(route.missing[1].addr, found.cd_addr & ~UINT64_C(4095));
	CHECK_EQ(route.missing[2].addr, found.cd.first.half[0].root);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(route.missing[i].perm, IOPF_READ);
	/* The page's own entry is marked by hardware, no other. */
	CHECK_EQ(route.missing[5].perm, IOPF_READ | IOPF_WRITE);
	CHECK_EQ(route.missing[6].addr, PAIR_REGION);
	CHECK_EQ(route.missing[6].perm, IOPF_WRITE);
}

/* IHI 0070 has no command that drains requests: the guest may reuse a PASID once its
 * descriptor is gone, that was announced, and a SYNC behind it has completed. */
TEST(after_a_teardown_a_sync_completes_when_nothing_older_can_be_shown)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t ticket, later;

	change(pair, find(pair, 1).cd_addr, FIELD_MASK(SMMUV3_CD_V), 0);
	pair->drained = -EAGAIN;
	ticket = cfgi_cd(pair, 1);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), -ENOENT);
	pair->drained = 0;
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_stats(pair).drains, 1);
	/* Others do not wait for it. */
	pair->drained = -EAGAIN;
	pair->drained_calls = 0;
	later = cfgi_cd(pair, 2);
	CHECK(iopf_agent_waited(pair->agent, later));
	CHECK_EQ(pair->drained_calls, 0);
}

TEST(a_detach_holds_the_guests_queue)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t addr = find(pair, 1).cd_addr, ticket;

	pair->detach = -EAGAIN;
	change(pair, addr, FIELD_MASK(SMMUV3_CD_V), 0);
	ticket = cfgi_cd(pair, 1);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK(iopf_guest_held(pair->guest));
	pair->detach_calls = 0;
	CHECK(iopf_guest_run(pair->guest, 1000, pair->now_ns) < 1000);
	CHECK_EQ(pair->detach_calls, 1);
	/* What the guest writes meanwhile does not change what was begun. */
	change(pair, addr, 0, FIELD_MASK(SMMUV3_CD_V));
	pair->detach = 0;
	pair_run(pair);
	CHECK(iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_stats(pair).spaces, 0);
}

TEST(a_detach_that_is_passed_over_is_told_at_the_sync_and_asked_for_again)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .hold_ns = 100 });
	uint64_t addr = find(pair, 1).cd_addr, ticket;

	pair->detach = -EAGAIN;
	change(pair, addr, FIELD_MASK(SMMUV3_CD_V), 0);
	ticket = cfgi_cd(pair, 1);
	pair->now_ns += 100;
	pair_run(pair);
	CHECK_EQ(stopped(pair), SMMUV3_CERROR_ATC_INV_SYNC);
	CHECK(!iopf_agent_waited(pair->agent, ticket));
	CHECK_EQ(pair_show(pair, 1, 1, ADDR, 1), -ENOENT);
	pair->detach = 0;
	change(pair, addr, 0, FIELD_MASK(SMMUV3_CD_V));
	CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_TIMEOUT);
	CHECK(iopf_agent_waited(pair->agent, cfgi_cd(pair, 1)));
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_count(pair, 'a'), 2);
}

TEST(with_translation_off_nothing_is_attached_and_everything_is_forgotten)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair_hold(pair, 1, 1, ADDR);
	pair_hold(pair, 2, 1, ADDR);
	CHECK_EQ(iopf_guest_taken(pair->guest, 2, 1), 0);
	pair_translation(pair, false);
	CHECK_EQ(pair_count(pair, 'f'), 1);
	CHECK_EQ(pair_find(pair, 'f').token, 1);
	CHECK_EQ(pair_stats(pair).owed, 0);
	CHECK_EQ(pair_count(pair, 'd'), 1);
	CHECK_EQ(pair_show(pair, 3, 1, ADDR, 1), -ENOENT);
	pair_translation(pair, true);
	CHECK_EQ(pair_count(pair, 'a'), 2);
	CHECK_EQ(pair_show(pair, 3, 1, ADDR, 1), 0);
}

static void submit(struct pair *pair, struct iopf_command command)
{
	(void)say(pair, command);
}

TEST(invalidations_reach_the_spaces_of_their_asid_and_no_others)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	struct iopf_command page = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				     .granularity = IOPF_PAGE,
				     .addr = ADDR,
				     .size_bytes = 8192 };

	/* ASIDs are 1, 2, 3 in this order. */
	pair_attach_pasid(pair, PAIR_RID, 1);
	pair_attach_pasid(pair, PAIR_RID, 2);
	pair_attach_pasid(pair, PAIR_OTHER_RID, 2);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ALL });
	CHECK_EQ(pair_count(pair, 'i'), 3);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_DOMAIN,
					    .hints = IOPF_HINT_FIRST });
	CHECK_EQ(pair_count(pair, 'i'), 6);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ONE_PASID, .asid = 3 });
	CHECK_EQ(pair_count(pair, 'i'), 7);
	CHECK_EQ(pair_find(pair, 'i').endpoint, PAIR_OTHER_ENDPOINT);
	CHECK_EQ(pair_find(pair, 'i').pasid, 2);
	page.asid = 2;
	submit(pair, page);
	CHECK_EQ(pair_count(pair, 'i'), 8);
	CHECK_EQ(pair_find(pair, 'i').endpoint, PAIR_ENDPOINT);
	CHECK_EQ(pair_find(pair, 'i').pasid, 2);
	CHECK_EQ(pair_find(pair, 'i').command.addr, ADDR);
	CHECK_EQ(pair_find(pair, 'i').command.size_bytes, 8192);
	CHECK_EQ(pair_find(pair, 'i').command.asid, 2);
	page.asid = 0;
	page.hints = IOPF_HINT_ANY_ASID;
	submit(pair, page);
	CHECK_EQ(pair_count(pair, 'i'), 11);
	page.hints = 0;
	page.asid = 9;
	submit(pair, page);
	CHECK_EQ(pair_count(pair, 'i'), 11);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					    .granularity = IOPF_ALL,
					    .rid = PAIR_RID, .pasid = 2 });
	CHECK_EQ(pair_count(pair, 'i'), 12);
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
					    .granularity = IOPF_ALL,
					    .rid = 0x0500, .pasid = 2 });
	CHECK_EQ(pair_count(pair, 'i'), 12);
	CHECK_EQ(pair_stats(pair).foreign_invalidations, 1);
}

TEST(a_global_page_that_was_followed_goes_with_any_asid)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	const struct table_space tables = { .memory = &pair->memory };
	const struct iopf_command page = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					   .granularity = IOPF_PAGE, .asid = 1,
					   .addr = ADDR, .size_bytes = 4096 };
	struct iopf_translation translation;
	struct table_result result;
	uint32_t before;

	pair_attach_pasid(pair, PAIR_RID, 1);
	pair_attach_pasid(pair, PAIR_RID, 2);
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 2, ADDR, PAIR_REGION, IOPF_READ), 0);
	for (uint32_t global = 0; global < 2; global++) {
		struct vmsa_format format = find(pair, 2).cd.first;

		CHECK(vmsa_walk(&tables, &format, ADDR, IOPF_READ, false, &result));
		change(pair, result.entry_addr, VMSA_NOT_GLOBAL,
		       global ? 0 : VMSA_NOT_GLOBAL);
		CHECK_EQ(iopf_guest_translate(pair->guest, PAIR_ENDPOINT, 2, ADDR, IOPF_READ,
					      false, &translation), 0);
		before = pair_count(pair, 'i');
		submit(pair, page);
		CHECK_EQ(pair_count(pair, 'i') - before, 1 + global);
	}
	/* A whole ASID is its own pages. */
	before = pair_count(pair, 'i');
	submit(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					    .granularity = IOPF_ONE_PASID, .asid = 1 });
	CHECK_EQ(pair_count(pair, 'i') - before, 1);
}

/* Commands that are illegal, as they stand in memory. */
TEST(an_illegal_command_stops_the_queue_until_the_guest_acknowledges_it)
{
	static const uint8_t ills[][16] = {
		{ 0x00 },                                   /* no command */
		{ 0x46, 0x30 },                             /* SYNC: CS 3 */
		{ 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0x30 },     /* PRI_RESP: Resp 3 */
		{ 0x28 },                                   /* TLBI_S12_VMALL: no stage 2 */
		{ 0x03, 0x04 },                             /* CFGI_STE: SSec */
	};

	for (uint32_t i = 0; i < sizeof(ills) / sizeof(ills[0]); i++) {
		struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
		uint64_t ticket;

		CHECK_EQ(iopf_agent_descriptor(pair->agent, ills[i]), 0);
		CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
		iopf_agent_kick(pair->agent);
		pair_run(pair);
		CHECK_EQ(stopped(pair), SMMUV3_CERROR_ILL);
		CHECK(!iopf_agent_waited(pair->agent, ticket));
		CHECK_EQ(iopf_agent_recover(pair->agent), IOPF_DRIVER_STOPPED);
		pair_run(pair);
		CHECK_EQ(stopped(pair), 0);
		CHECK(iopf_agent_waited(pair->agent, ticket));
	}
}

TEST(without_a_stream_that_stalls_there_is_no_stalling)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct iopf_command command = { .kind = IOPF_COMMAND_TERMINATE,
					      .rid = PAIR_RID };

	CHECK_EQ(iopf_agent_command(pair->agent, &command), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(stopped(pair), pair_stalls() ? 0 : SMMUV3_CERROR_ILL);
	CHECK_EQ(iopf_guest_read(pair->guest, SMMUV3_IDR5, 4) >> 16,
		 pair_stalls() ? 2 * IOPF_GUEST_INDEX_COUNT : 0);
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
	CHECK_EQ(iopf_guest_read(pair->guest, SMMUV3_CR0ACK, 4), 0);
	/* And another may boot. */
	pair_start(pair);
	CHECK_EQ(pair_stats(pair).spaces, 2);
}

TEST(options_out_of_range_are_refused)
{
	struct iopf_guest_endpoint endpoint = { .rid = 0x10000, .endpoint = 1 };
	struct iopf_guest_options options = { .size_bytes = sizeof(options),
					      .endpoint_count = 1,
					      .endpoints = &endpoint,
					      .pasid_max = 4,
					      .levels = 4,
					      .family = "smmuv3",
					      .ops = &pair_guest_ops };
	static _Alignas(64) unsigned char memory[1 << 20];
	struct iopf_guest *guest = NULL;

	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), -EINVAL);
	endpoint.rid = 0xffff;
	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), 0);
	endpoint.mechanism = IOPF_STALLS + 1;
	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), -EINVAL);
	endpoint.mechanism = IOPF_STALLS;
	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), 0);
	options.family = "vtd";
	CHECK_EQ(iopf_guest_create(&options, memory, sizeof(memory), &guest), -EINVAL);
	options.family = "smmuv2";
	CHECK_EQ(iopf_guest_size_bytes(&options), 0);
	options.family = "smmuv3";
	options.levels = 5;
	CHECK_EQ(iopf_guest_size_bytes(&options), 0);
}

int main(void)
{
	int result;

	pair_kind = (struct pair_kind){ "smmuv3", IOPF_PRI };
	result = test_main();
	pair_kind.mechanism = IOPF_STALLS;
	return result | test_main();
}
