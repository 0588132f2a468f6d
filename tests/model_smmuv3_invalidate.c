/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what an SMMU forgets: what a command names, and nothing else. */
#include "smmuv3_world.h"

enum { SECOND = 0x0044, PLAIN = 0x0045 }; /* other streams */

static uint64_t gpa;

static struct iopf_command tlb(uint8_t granularity, uint8_t hints)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				      .granularity = granularity,
				      .hints = hints,
				      .domain = VMID,
				      .asid = ASID,
				      .addr = IOVA,
				      .size_bytes = K4 };
}

/* Whether @command takes what was remembered of an access by @rid in @pasid to @addr. */
static bool forgets(uint32_t rid, uint32_t pasid, uint64_t addr,
		    const struct iopf_command *which)
{
	struct model_transaction touch = touch_of(addr, R);
	uint64_t misses;

	touch.rid = rid;
	touch.pasid = pasid;
	CHECK_EQ(transact(&touch), 0);
	misses = stats().misses;
	CHECK_EQ(transact(&touch), 0);
	CHECK_EQ(stats().misses, misses);
	command(*which);
	CHECK_EQ(transact(&touch), 0);
	return stats().misses != misses;
}

/* A nested stream with an ASID, and one that has stage 2 alone, of the same VMID. */
static void start(void)
{
	struct smmuv3_ste ste;
	struct smmuv3_cd cd;

	smmuv3_world_create();
	back_all();
	gpa = guest_page();
	map(IOVA, gpa, R | W);
	cd = context_usual(ASID, true);
	context_put(SUBSTREAM, &cd);
	ste = entry_usual(true);
	ste.config = SMMUV3_SECOND;
	entry_put(SECOND, &ste);
}

/* ---- TLB ------------------------------------------------------------------------------ */

TEST(translations_go_by_what_a_command_names)
{
	static const struct {
		int number;
		uint8_t granularity, hints;
		bool nested, second; /* whether it forgets those */
	} row[] = {
		{ 1, IOPF_ALL, 0, true, true },
		{ 2, IOPF_DOMAIN, 0, true, true },
		{ 3, IOPF_DOMAIN, IOPF_HINT_FIRST, true, false },
		{ 4, IOPF_ONE_PASID, 0, true, false },
		{ 5, IOPF_PAGE, 0, true, false },
		{ 6, IOPF_PAGE, IOPF_HINT_ANY_ASID, true, false },
		{ 7, IOPF_PAGE, IOPF_HINT_SECOND, false, true },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		struct iopf_command which = tlb(row[n].granularity, row[n].hints);

		printf("row %d\n", row[n].number);
		start();
		if (row[n].hints & IOPF_HINT_SECOND)
			which.addr = gpa;
		CHECK_EQ(forgets(STREAM, SUBSTREAM, IOVA, &which), row[n].nested);
		CHECK_EQ(forgets(SECOND, IOPF_PASID_NONE, gpa, &which), row[n].second);
	}
}

TEST(another_vmid_asid_or_page_stays)
{
	struct iopf_command which;

	start();
	for (uint8_t n = 0; n < 6; n++) {
		static const uint8_t granularities[] = { IOPF_DOMAIN, IOPF_ONE_PASID,
							 IOPF_PAGE, IOPF_ONE_PASID,
							 IOPF_PAGE, IOPF_PAGE };

		printf("row %d\n", n);
		which = tlb(granularities[n], 0);
		which.domain = (uint16_t)(VMID + (n < 3));
		which.asid = (uint16_t)(ASID + (n == 3 || n == 4));
		which.addr += n == 5 ? K4 : 0;
		CHECK(!forgets(STREAM, SUBSTREAM, IOVA, &which));
	}
	which = tlb(IOPF_PAGE, IOPF_HINT_ANY_ASID);
	which.asid++;
	CHECK(forgets(STREAM, SUBSTREAM, IOVA, &which));
}

TEST(a_range_names_every_page_in_it)
{
	struct iopf_command which;

	start();
	which = tlb(IOPF_PAGE, 0);
	which.size_bytes = 16 * K4;
	which.addr = IOVA & ~(16 * K4 - 1);
	CHECK(forgets(STREAM, SUBSTREAM, IOVA, &which));
	which.addr += 16 * K4;
	CHECK(!forgets(STREAM, SUBSTREAM, IOVA, &which));
}

TEST(streams_with_the_same_tags_share_a_translation)
{
	struct model_transaction touch = touch_of(IOVA, R);
	uint64_t hits;

	start();
	CHECK_EQ(transact(&touch), 0);
	hits = stats().hits;
	touch.rid = OTHER;
	CHECK_EQ(transact(&touch), 0);
	CHECK_EQ(stats().hits, hits + 1);
}

/* What software forgot to say stays in force. */
TEST(an_unmapped_page_is_reached_until_it_is_invalidated)
{
	struct model_transaction touch = touch_of(IOVA, R);

	start();
	CHECK_EQ(transact(&touch), 0);
	CHECK(vmsa_unmap(&w.first, IOVA, K4) > 0);
	CHECK_EQ(transact(&touch), 0);
	command(tlb(IOPF_PAGE, 0));
	CHECK_EQ(transact(&touch), -EINPROGRESS);
}

/* ---- Configuration -------------------------------------------------------------------- */

static struct iopf_command config(uint8_t kind, uint8_t granularity, uint32_t rid)
{
	return (struct iopf_command){ .kind = kind, .granularity = granularity,
				      .rid = rid, .pasid = SUBSTREAM };
}

/* After a descriptor was taken away: whether @command makes that seen. */
static bool descriptor_forgotten(const struct iopf_command *which)
{
	struct model_transaction touch = touch_of(IOVA, R);

	start();
	CHECK_EQ(transact(&touch), 0);
	world_store(&w.guest, w.contexts + SUBSTREAM * 64, 0);
	command(tlb(IOPF_ALL, 0));
	CHECK_EQ(transact(&touch), 0);
	command(*which);
	return transact(&touch) == -EFAULT;
}

TEST(descriptors_go_by_stream_and_number_or_with_their_entry)
{
	const uint8_t context = IOPF_COMMAND_INVALIDATE_CONTEXT;
	const uint8_t pasid = IOPF_COMMAND_INVALIDATE_PASID;
	struct {
		struct iopf_command command;
		bool forgotten;
	} row[] = {
		{ config(pasid, IOPF_ONE_PASID, STREAM), true },
		{ config(pasid, IOPF_DEVICE, STREAM), true },
		{ config(pasid, IOPF_DOMAIN, STREAM), true },
		{ config(context, IOPF_DEVICE, STREAM), true },
		{ config(context, IOPF_ALL, 0), true },
		{ config(pasid, IOPF_ONE_PASID, OTHER), false },
		{ config(pasid, IOPF_DEVICE, OTHER), false },
		{ config(context, IOPF_DEVICE, OTHER), false },
		{ config(pasid, IOPF_ONE_PASID, STREAM), false }, /* another number */
		{ config(context, IOPF_DEVICE, 0x40), true },     /* a range: 0x40..0x43 */
		{ tlb(IOPF_ALL, 0), false },
	};

	row[8].command.pasid = PASID;
	row[9].command.rid_mask = 3;
	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		printf("row %zu\n", n);
		CHECK_EQ(descriptor_forgotten(&row[n].command), row[n].forgotten);
	}
}

TEST(an_entry_that_changed_is_seen_when_it_is_invalidated)
{
	struct model_transaction touch = touch_of(IOVA, R);
	struct smmuv3_ste ste;

	start();
	CHECK_EQ(transact(&touch), 0);
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, true), 0);
	command(tlb(IOPF_ALL, 0));
	command(config(IOPF_COMMAND_INVALIDATE_PASID, IOPF_DEVICE, STREAM));
	CHECK_EQ(transact(&touch), 0);
	command(config(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, STREAM));
	CHECK_EQ(transact(&touch), -EFAULT);
	/* One that aborts is remembered, too. */
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, false), 0);
	CHECK_EQ(transact(&touch), -EFAULT);
	command(config(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, STREAM));
	CHECK_EQ(transact(&touch), 0);
	/* What is not valid is not. */
	touch.rid = PLAIN;
	CHECK_EQ(transact(&touch), -EFAULT);
	ste = entry_usual(true);
	entry_put(PLAIN, &ste);
	CHECK_EQ(transact(&touch), 0);
}

TEST(an_invalidation_of_configuration_leaves_translations)
{
	struct iopf_command which = config(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_ALL, 0);

	start();
	CHECK(!forgets(STREAM, SUBSTREAM, IOVA, &which));
}

/* ---- A function's cache ----------------------------------------------------------------- */

static struct iopf_command atc(uint32_t rid)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_DEVICE,
				      .granularity = IOPF_PAGE,
				      .rid = rid,
				      .pasid = PASID,
				      .addr = IOVA,
				      .size_bytes = K4 };
}

TEST(a_functions_cache_is_told)
{
	start();
	command(atc(RID));
	CHECK_EQ(w.invalidations, 1);
	CHECK_EQ(w.payload, model_invalidate_payload(IOVA, K4, false));
	CHECK_EQ(stats().invalidations, 1);
}

/* 3.9.1.4: the SYNC behind it says so, and is not consumed. */
TEST(who_does_not_answer_is_told_at_the_sync_and_no_later_than_its_time)
{
	start();
	w.invalidate_result = -EAGAIN;
	submit(atc(RID));
	sync();
	run();
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4), 0);
	w.now_ns = 999;
	run();
	CHECK_EQ(stats().invalidation_timeouts, 0);
	w.now_ns = 1000;
	run();
	CHECK_EQ(stats().invalidation_timeouts, 1);
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4) >> SMMUV3_CMDQ_ERR_LSB,
		 SMMUV3_CERROR_ATC_INV_SYNC);
	CHECK(reg(SMMUV3_GERROR, 4) != reg(SMMUV3_GERRORN, 4));
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4) & SMMUV3_QUEUE_INDEX, 1);
	reg_set(SMMUV3_GERRORN, 4, reg(SMMUV3_GERROR, 4));
	run();
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4), 2);
}

TEST(an_empty_place_does_not_answer_either)
{
	start();
	submit(atc(STREAM)); /* a master has no cache */
	sync();
	run();
	CHECK_EQ(reg(SMMUV3_CMDQ_CONS, 4), 0);
	w.now_ns = 1000;
	run();
	CHECK_EQ(stats().invalidation_timeouts, 1);
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(w.iommu);
	return failed;
}
