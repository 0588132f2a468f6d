/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a fault's whole way into a guest and back, and whose stage it is. */
#include "guest_pair.h"
#include "table/vmsa.h"

#define ADDR UINT64_C(0x7f0012345000)

static bool mapped_all(void *context, uint64_t gpa, uint8_t perm)
{
	(void)context, (void)gpa, (void)perm;
	return true;
}

static bool mapped_none(void *context, uint64_t gpa, uint8_t perm)
{
	(void)context, (void)gpa, (void)perm;
	return false;
}

static struct iopf_route route_of(struct pair *pair, uint32_t pasid, uint64_t addr,
				  bool (*mapped)(void *, uint64_t, uint8_t))
{
	struct iopf_route route;

	CHECK_EQ(iopf_guest_route(pair->guest, PAIR_ENDPOINT, pasid, addr, IOPF_WRITE,
				  mapped, pair, &route), 0);
	return route;
}

TEST(a_fault_goes_into_the_guest_and_its_answer_comes_back)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	CHECK_EQ(route_of(pair, 1, ADDR, mapped_all).stages, IOPF_STAGE_FIRST);
	CHECK_EQ(pair_show(pair, 0x1234, 1, ADDR, 1), 0);
	CHECK_EQ(pair->interrupts, 1);
	CHECK_EQ(pair_stats(pair).held, 1);
	pair_settle(pair);
	CHECK_EQ(pair->faults, 1);
	CHECK_EQ(pair_find(pair, 'r').token, 0x1234);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(pair_stats(pair).answered, 1);
	CHECK_EQ(route_of(pair, 1, ADDR, mapped_all).stages, 0);
}

TEST(a_fault_without_pasid_uses_the_entry_of_rid_pasid)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });

	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	CHECK_EQ(pair_show(pair, 5, IOPF_PASID_NONE, ADDR, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 5);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_SUCCESS);
	CHECK_EQ(route_of(pair, IOPF_PASID_NONE, ADDR, mapped_all).stages, 0);
}

TEST(every_page_of_a_group_is_shown_and_one_answer_ends_it)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ .request_order = 3 });

	/* As stalls: of those that there are tags for. */
	uint32_t pages = pair_stalls() ? IOPF_GUEST_INDEX_COUNT : 600;

	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 600), 0);
	pair_settle(pair);
	CHECK_EQ(pair->faults, pages);
	CHECK_EQ(pair_stats(pair).shown_pages, pages);
	CHECK_EQ(pair_count(pair, 'r'), 1);
	CHECK_EQ(route_of(pair, 1, ADDR + (pages - 1) * 4096, mapped_all).stages, 0);
	CHECK_EQ(route_of(pair, 1, ADDR + pages * 4096, mapped_all).stages,
		 IOPF_STAGE_FIRST);
}

TEST(groups_interleave_and_each_gets_its_own_answer)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	for (uint64_t token = 1; token <= 20; token++)
		CHECK_EQ(pair_show(pair, token, 1, ADDR + token * 0x10000, 3), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), 20);
	for (uint32_t i = 0, token = 1; i < pair->count; i++)
		if (pair->log[i].kind == 'r')
			CHECK_EQ(pair->log[i].token, token++);
}

TEST(a_page_that_the_pager_refuses_makes_the_answer_invalid)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair->fault = -EFAULT;
	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 3), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
}

TEST(a_group_left_to_the_caller_is_answered_by_the_caller)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 2), 0);
	pair_settle(pair);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	pair_say(pair, PAIR_RID, 1, 0, IOPF_INVALID);
	/* A record a page: each is answered. */
	CHECK_EQ(pair_count(pair, 'r'), !pair_stalls());
	if (pair_stalls())
		pair_say(pair, PAIR_RID, 1, 1, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 7);
	CHECK_EQ(pair_find(pair, 'r').code, IOPF_INVALID);
}

TEST(a_page_that_wants_nothing_is_no_stop_marker)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	const struct iopf_page page = { .addr = ADDR | 0x123, .perm = 0 };
	const struct iopf_group group = { .token = 9, .endpoint = PAIR_ENDPOINT,
					  .pasid = 1, .page_count = 1 };

	CHECK_EQ(iopf_guest_show(pair->guest, &group, &page, 0), 0);
	pair_settle(pair);
	CHECK_EQ(pair_find(pair, 'r').token, 9);
}

TEST(the_second_level_is_asked_for_every_table_and_the_page)
{
	uint32_t levels = pair_levels(5) ? 5 : 4, last;
	struct pair *pair = pair_with_pasid((struct pair_options){ .levels = levels });
	uint32_t lists = route_of(pair, 1, ADDR, mapped_none).missing_count - 1;
	struct iopf_route route;

	CHECK_EQ(pair_show(pair, 7, 1, ADDR, 1), 0);
	pair_settle(pair);
	route = route_of(pair, 1, ADDR, mapped_none);
	CHECK_EQ(route.stages, IOPF_STAGE_SECOND);
	last = lists + levels; /* what leads to the tables, the tables and the page */
	CHECK_EQ(route.missing_count, last + 1);
	/* Accessed and dirty bits are not set yet: hardware writes them; x86 at every level. */
	for (uint32_t i = lists; i < last; i++)
		CHECK_EQ(route.missing[i].perm,
			 pair_family()->first == IOPF_FORMAT_X86 || i == last - 1 ?
				 IOPF_READ | IOPF_WRITE :
				 IOPF_READ);
	CHECK_EQ(route.missing[last].addr, PAIR_REGION);
	CHECK_EQ(route.missing[last].perm, IOPF_WRITE);
}

TEST(both_stages_can_miss_at_once)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_route route = route_of(pair, 1, ADDR, mapped_none);

	CHECK_EQ(route.stages, IOPF_STAGE_FIRST | IOPF_STAGE_SECOND);
	/* The top table; lists of address spaces that lie in the guest come first. */
	CHECK(route.missing_count >= 1 && route.missing_count <= 4);
	if (pair_is("vtd") || pair_is("smmuv3"))
		CHECK_EQ(route.missing_count, pair_is("vtd") ? 1 : 3);
	CHECK_EQ(route.missing[route.missing_count - 1].perm, IOPF_READ);
}

TEST(a_guest_page_outside_of_its_memory_is_unbacked)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });

	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, PAIR_MEMORY, IOPF_WRITE), 0);
	CHECK_EQ(route_of(pair, 1, ADDR, mapped_all).stages, IOPF_STAGE_UNBACKED);
}

/* The word of the top table that leads to ADDR. */
static uint64_t top_entry(struct pair *pair)
{
	struct iopf_address_space space;

	CHECK_EQ(iopf_guest_space(pair->guest, PAIR_ENDPOINT, 1, &space), 0);
	return space.root + (ADDR >> 39 & 511) * 8;
}

TEST(a_guest_table_outside_of_its_memory_is_unbacked)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t entry = pair_family()->first == IOPF_FORMAT_SV ? PAIR_MEMORY / 4 | 1 :
								  PAIR_MEMORY | 7;

	CHECK(memory_store64(&pair->memory, top_entry(pair), entry));
	CHECK_EQ(route_of(pair, 1, ADDR, mapped_all).stages, IOPF_STAGE_UNBACKED);
}

TEST(a_table_that_leads_to_itself_is_one_page)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	uint64_t entry = top_entry(pair), addr = 0;
	struct iopf_route route;
	/* Also as a page that anybody may write. */
	static const uint64_t formats[] = {
		[IOPF_FORMAT_X86] = 7,
		[IOPF_FORMAT_VMSA] = VMSA_VALID | VMSA_TABLE | VMSA_USER,
		[IOPF_FORMAT_SV] = 0, /* a table is no page there */
	};
	uint64_t bits = formats[pair_family()->first];
	uint32_t lists = route_of(pair, 1, ADDR, mapped_none).missing_count - 1;

	if (bits == 0)
		return;
	for (uint32_t level = 1; level <= 4; level++)
		addr |= (ADDR >> 39 & 511) << (3 + 9 * level);
	CHECK(memory_store64(&pair->memory, entry, (entry & ~UINT64_C(4095)) | bits));
	route = route_of(pair, 1, addr, mapped_none);
	CHECK_EQ(route.stages, IOPF_STAGE_SECOND);
	CHECK_EQ(route.missing_count, lists + 1);
	CHECK_EQ(route.missing[route.missing_count - 1].perm, IOPF_READ | IOPF_WRITE);
}

TEST(privileged_requests_without_pasid_reach_the_supervisors_pages)
{
	struct pair *pair = pair_new((struct pair_options){ 0 });
	const struct iopf_command context = { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
					      .granularity = IOPF_ALL };
	struct iopf_agent_layout layout;
	uint64_t table = 0, entry, word;

	if (!pair_is("vtd"))
		return;
	pair_attach_pasid(pair, PAIR_RID, IOPF_PASID_NONE);
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, IOPF_PASID_NONE, ADDR, PAIR_REGION,
				IOPF_WRITE | IOPF_PRIV), 0);
	CHECK_EQ(route_of(pair, IOPF_PASID_NONE, ADDR, mapped_all).stages,
		 IOPF_STAGE_FIRST);
	/* RID_PRIV of the context entry. */
	iopf_agent_layout(pair->agent, &layout);
	CHECK(memory_load64(&pair->memory, layout.root + (PAIR_RID >> 8) * 16, &table));
	entry = (table & ~UINT64_C(4095)) + (PAIR_RID & 0x7f) * 32 + 8;
	CHECK(memory_load64(&pair->memory, entry, &word));
	CHECK(memory_store64(&pair->memory, entry, word | 1 << 20));
	CHECK_EQ(iopf_agent_command(pair->agent, &context), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	CHECK_EQ(route_of(pair, IOPF_PASID_NONE, ADDR, mapped_all).stages, 0);
}

static int translate(struct pair *pair, uint64_t addr, uint8_t perm, bool update,
		     struct iopf_translation *translation)
{
	return iopf_guest_translate(pair->guest, PAIR_ENDPOINT, 1, addr, perm, update,
				    translation);
}

TEST(the_guests_tables_are_followed_alone_and_marked_where_that_is_asked_for)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	unsigned char *before = malloc(PAIR_REGION);
	struct iopf_translation found = { 0 };

	CHECK_EQ(translate(pair, ADDR, IOPF_READ, true, &found), -EFAULT);
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR, PAIR_REGION, IOPF_READ), 0);
	CHECK_EQ(iopf_agent_map(pair->agent, PAIR_RID, 1, ADDR + 4096, PAIR_REGION + 4096,
				IOPF_WRITE), 0);
	memcpy(before, pair->bytes, PAIR_REGION);
	CHECK_EQ(translate(pair, ADDR + 0x123, IOPF_READ, false, &found), 0);
	CHECK_EQ(found.gpa, PAIR_REGION + 0x123);
	CHECK_EQ(found.size_bytes, 4096);
	CHECK((found.perm & IOPF_READ) && !(found.perm & IOPF_WRITE));
	CHECK_EQ(translate(pair, ADDR, IOPF_WRITE, true, &found), -EFAULT);
	CHECK_EQ(translate(pair, ADDR + 4096, IOPF_WRITE, false, &found), 0);
	CHECK(found.perm & IOPF_WRITE);
	CHECK_EQ(memcmp(before, pair->bytes, PAIR_REGION), 0);
	/* A write marks more than a read. */
	CHECK_EQ(translate(pair, ADDR + 4096, IOPF_READ, true, &found), 0);
	CHECK(memcmp(before, pair->bytes, PAIR_REGION) != 0);
	memcpy(before, pair->bytes, PAIR_REGION);
	CHECK_EQ(translate(pair, ADDR + 4096, IOPF_WRITE, true, &found), 0);
	CHECK(memcmp(before, pair->bytes, PAIR_REGION) != 0);
	memcpy(before, pair->bytes, PAIR_REGION);
	CHECK_EQ(translate(pair, ADDR + 4096, IOPF_WRITE, true, &found), 0);
	CHECK_EQ(memcmp(before, pair->bytes, PAIR_REGION), 0);
	CHECK_EQ(iopf_guest_translate(pair->guest, PAIR_ENDPOINT, 2, ADDR, IOPF_READ, false,
				      &found), -ENOENT);
	free(before);
}

TEST(a_space_that_is_not_attached_has_no_route_and_is_shown_nothing)
{
	struct pair *pair = pair_with_pasid((struct pair_options){ 0 });
	struct iopf_route route;

	CHECK_EQ(iopf_guest_route(pair->guest, PAIR_ENDPOINT, 2, ADDR, IOPF_READ,
				  mapped_all, pair, &route), -ENOENT);
	CHECK_EQ(iopf_guest_route(pair->guest, 99, 1, ADDR, IOPF_READ, mapped_all, pair,
				  &route), -ENOENT);
	CHECK_EQ(pair_show(pair, 7, 2, ADDR, 1), -ENOENT);
	CHECK_EQ(pair_stats(pair).unshown, 1);
	CHECK_EQ(pair_stats(pair).held, 0);
}

int main(void)
{
	return pair_main();
}
