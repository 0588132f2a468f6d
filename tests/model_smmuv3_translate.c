/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what an SMMU says to translation requests and to accesses. */
#include "smmuv3_world.h"

static struct model_translation translation;

static enum model_status ask_as(uint32_t rid, uint32_t pasid)
{
	const struct model_translation_request from = { .addr = IOVA, .rid = rid,
							.pasid = pasid, .perm = R };

	return w.up.translate(w.up.context, &from, &translation);
}

static enum model_status reach(uint64_t addr, void *buffer, uint32_t size_bytes, bool write)
{
	return w.up.access(w.up.context, RID, addr, buffer, size_bytes, write);
}

static void start(void)
{
	smmuv3_world_create();
	back_all();
}

static void forget_all(void)
{
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
				       .granularity = IOPF_ALL });
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				       .granularity = IOPF_ALL });
}

static uint64_t leaf_of(uint64_t addr)
{
	const struct vmsa_format *format = &w.first.format;
	struct table_result result;

	CHECK(vmsa_walk(&(struct table_space){ .memory = &w.guest.memory }, format, addr, R,
			false, &result));
	return world_load(&w.guest, result.entry_addr);
}

/* ---- Translation requests ------------------------------------------------------------- */

TEST(a_translation_leads_through_both_stages)
{
	uint64_t gpa;

	start();
	gpa = guest_page();
	map(IOVA, gpa, R | W);
	CHECK_EQ(asked(IOVA, R | W, gpa), R | W);
	CHECK(no_event());
	CHECK_EQ(stats().granted, 1);
}

TEST(what_may_become_present_is_a_success_without_rights_and_no_event)
{
	uint64_t gpa;

	/* Nothing of the guest is backed: not even its descriptors. */
	smmuv3_world_create();
	gpa = guest_page();
	map(IOVA, gpa, R | W);
	CHECK_EQ(asked(IOVA, R, gpa), 0);
	back(w.contexts, R);
	CHECK_EQ(asked(IOVA, R, gpa), 0);
	for (uint64_t at = 0; at < GUEST_PAGES * K4; at += K4)
		if (at != w.contexts && at != gpa)
			back(at, R | W);
	CHECK_EQ(asked(IOVA, R, gpa), 0);
	back(gpa, R | W);
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK_EQ(asked(IOVA + K4, R, gpa), 0);
	CHECK(no_event());
}

TEST(rights_are_granted_as_far_as_both_stages_have_them)
{
	uint64_t gpa;

	start();
	gpa = guest_page();
	map(IOVA, gpa, R);
	CHECK_EQ(asked(IOVA, R | W, gpa), R);
	map(IOVA + K4, gpa, R | W | IOPF_EXEC);
	CHECK_EQ(asked(IOVA + K4, R | W, gpa), R | W);
	CHECK(vmsas2_protect(&w.second, gpa, K4, R) > 0);
	forget_all();
	CHECK_EQ(asked(IOVA + K4, R | W, gpa), R);
	map(IOVA + 2 * K4, gpa, R | W | IOPF_PRIV);
	CHECK_EQ(asked(IOVA + 2 * K4, R, gpa), 0);
	CHECK_EQ(asked(IOVA + 2 * K4, R | IOPF_PRIV, gpa), R | IOPF_PRIV);
	CHECK(no_event());
}

/* 3.9.1: the request is the only time that the flags can be set. */
TEST(access_flag_and_dirty_state_are_set_for_what_is_granted)
{
	uint64_t gpa;

	start();
	gpa = guest_page();
	CHECK_EQ(vmsa_map(&w.first, IOVA, gpa, K4, R | W, VMSA_DBM), 0);
	CHECK_EQ(leaf_of(IOVA) & (VMSA_ACCESSED | VMSA_READ_ONLY), VMSA_READ_ONLY);
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK_EQ(leaf_of(IOVA) & (VMSA_ACCESSED | VMSA_READ_ONLY),
		 VMSA_ACCESSED | VMSA_READ_ONLY);
	/* What was remembered for reading does not hide that it is written now. */
	CHECK_EQ(asked(IOVA, R | W, gpa), R | W);
	CHECK_EQ(leaf_of(IOVA) & (VMSA_ACCESSED | VMSA_READ_ONLY), VMSA_ACCESSED);
}

TEST(a_master_that_writes_makes_its_page_dirty)
{
	struct model_transaction transaction = touch_of(IOVA, R);
	uint64_t gpa;

	start();
	gpa = guest_page();
	CHECK_EQ(vmsa_map(&w.first, IOVA, gpa, K4, R | W, VMSA_DBM), 0);
	CHECK_EQ(transact(&transaction), 0);
	CHECK_EQ(leaf_of(IOVA) & VMSA_READ_ONLY, VMSA_READ_ONLY);
	transaction.perm = W;
	CHECK_EQ(transact(&transaction), 0);
	CHECK_EQ(leaf_of(IOVA) & VMSA_READ_ONLY, 0);
}

/* 3.9.1.2. */
TEST(a_broken_configuration_is_a_completer_abort_without_an_event)
{
	struct smmuv3_cd cd;

	start();
	CHECK_EQ(ask_as(RID, 15), MODEL_CA); /* its descriptor is not valid */
	CHECK_EQ(ask_as(RID, 1u << CONTEXT_BITS), MODEL_CA);
	CHECK_EQ(ask_as(RID, 0), MODEL_CA); /* descriptor 0 is for who has none */
	CHECK_EQ(ask_as(0x77, PASID), MODEL_CA); /* no such stream */
	cd = context_usual(ASID, true); /* stalls where the entry forbids it */
	context_put(PASID, &cd);
	CHECK_EQ(ask_as(RID, PASID), MODEL_CA);
	CHECK(no_event());
	CHECK_EQ(stats().refused, 5);
}

TEST(without_ats_a_translation_request_is_unsupported_and_told)
{
	struct smmuv3_ste ste;
	struct iopf_fault fault;

	start();
	CHECK_EQ(ask_as(STREAM, SUBSTREAM), MODEL_UR);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_SMMUV3_F_BAD_ATS_TREQ);
	CHECK_EQ(fault.rid, STREAM);
	CHECK(!fault.stall);
	ste = (struct smmuv3_ste){ .config = SMMUV3_BYPASS };
	entry_put(RID, &ste);
	forget_all();
	CHECK_EQ(ask_as(RID, PASID), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_F_BAD_ATS_TREQ);
	/* An entry that aborts says nothing. */
	CHECK_EQ(smmuv3_builder_block(&w.builder, RID, true), 0);
	forget_all();
	CHECK_EQ(ask_as(RID, PASID), MODEL_UR);
	CHECK(no_event());
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_SMMUEN & ~SMMUV3_PRIQEN);
	CHECK_EQ(ask_as(RID, PASID), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_F_BAD_ATS_TREQ);
}

/* S1DSS. */
TEST(who_has_no_substream_has_descriptor_0_or_no_stage_1_or_nothing)
{
	struct smmuv3_cd cd;
	struct smmuv3_ste ste;
	uint64_t gpa;

	start();
	gpa = guest_page();
	map(IOVA, gpa, R);
	cd = context_usual(ASID, false);
	context_put(0, &cd);
	CHECK_EQ(ask_as(RID, IOPF_PASID_NONE), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	ste = entry_usual(false);
	ste.without = SMMUV3_DEFAULT_TERMINATE;
	entry_put(RID, &ste);
	forget_all();
	CHECK_EQ(ask_as(RID, IOPF_PASID_NONE), MODEL_CA);
	ste.without = SMMUV3_DEFAULT_BYPASS;
	entry_put(RID, &ste);
	forget_all();
	CHECK_EQ(ask_as(RID, IOPF_PASID_NONE), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0); /* the address is a guest's then: not there */
	CHECK_EQ(ask_as(RID, PASID), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R);
}

/* ---- Translated accesses -------------------------------------------------------------- */

TEST(a_translated_access_is_let_through_by_its_entry_alone)
{
	uint8_t bytes[4] = { 1, 2, 3, 4 };
	struct smmuv3_ste ste;
	uint64_t gpa;

	start();
	gpa = guest_page();
	CHECK_EQ(reach(w.guest_at + gpa, bytes, 4, true), MODEL_SUCCESS);
	CHECK(memcmp(guest_memory(gpa), bytes, 4) == 0);
	ste = entry_usual(false);
	ste.ats = SMMUV3_ATS_OFF;
	entry_put(RID, &ste);
	forget_all();
	CHECK_EQ(reach(w.guest_at + gpa, bytes, 4, true), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_F_TRANSL_FORBIDDEN);
	CHECK_EQ(smmuv3_builder_block(&w.builder, RID, true), 0);
	forget_all();
	CHECK_EQ(reach(w.guest_at + gpa, bytes, 4, false), MODEL_UR);
	CHECK(no_event());
	/* Unchecked, they are believed. */
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_ATSCHK);
	CHECK_EQ(reach(w.guest_at + gpa, bytes, 4, true), MODEL_SUCCESS);
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_SMMUEN & ~SMMUV3_PRIQEN);
	CHECK_EQ(reach(w.guest_at + gpa, bytes, 4, true), MODEL_UR);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_F_TRANSL_FORBIDDEN);
	CHECK_EQ(stats().refused_accesses, 3);
}

/* EATS = 0b10: what is handed out are addresses between the stages. */
TEST(with_split_ats_an_access_goes_through_stage_2)
{
	struct model_iommu_options options = iommu_usual();
	struct iopf_fault fault;
	struct smmuv3_ste ste;
	uint8_t bytes[4] = { 5, 6, 7, 8 };
	uint64_t gpa;

	options.features = IOPF_SMMUV3_PHYSICAL & ~(uint32_t)IOPF_SMMUV3_NS1ATS;
	smmuv3_world_create_with(&options);
	back_all();
	gpa = guest_page();
	map(IOVA, gpa, R | W);
	ste = entry_usual(false);
	ste.ats = SMMUV3_ATS_SPLIT;
	entry_put(RID, &ste);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R | W);
	CHECK_EQ(translation.addr, gpa);
	CHECK_EQ(reach(gpa + 8, bytes, 4, true), MODEL_SUCCESS);
	CHECK(memcmp((uint8_t *)guest_memory(gpa) + 8, bytes, 4) == 0);
	CHECK_EQ(reach(GUEST_PAGES * K4, bytes, 4, true), MODEL_UR);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_SMMUV3_F_TRANSLATION);
	CHECK_EQ(fault.stage, 2);
	CHECK(!fault.stall);
	/* It depends on the checks. */
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_ATSCHK);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_UR);
}

/* ---- Transactions ---------------------------------------------------------------------- */

TEST(a_broken_configuration_aborts_a_transaction_and_is_told)
{
	static const struct {
		uint32_t rid, pasid;
		uint8_t event;
	} row[] = {
		{ STREAM, 15, IOPF_SMMUV3_C_BAD_CD },
		{ STREAM, 1u << CONTEXT_BITS, IOPF_SMMUV3_C_BAD_SUBSTREAMID },
		{ STREAM, 0, IOPF_SMMUV3_F_STREAM_DISABLED },
		{ 0x44, 0, IOPF_SMMUV3_C_BAD_STE },
	};

	start();
	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		struct model_transaction bad = touch_of(IOVA, R);
		struct iopf_fault fault;

		bad.rid = row[n].rid;
		bad.pasid = row[n].pasid;
		CHECK_EQ(transact(&bad), -EFAULT);
		fault = only_event();
		CHECK_EQ(fault.reason, row[n].event);
		CHECK_EQ(fault.rid, row[n].rid);
		CHECK(!fault.stall);
	}
}

TEST(a_stream_beyond_the_table_is_told_only_where_software_wants_it)
{
	struct model_transaction bad = touch_of(IOVA, R);

	start();
	bad.rid = 0x7777;
	CHECK_EQ(transact(&bad), -EFAULT);
	CHECK(no_event());
	reg_set(SMMUV3_CR0, 4, SMMUV3_CMDQEN | SMMUV3_EVENTQEN);
	reg_set(SMMUV3_CR2, 4, SMMUV3_CR2_RECINVSID);
	reg_set(SMMUV3_CR0, 4, CR0_ON);
	CHECK_EQ(transact(&bad), -EFAULT);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_C_BAD_STREAMID);
}

TEST(an_instruction_fetch_needs_the_right_to_execute_alone)
{
	struct model_transaction fetch = touch_of(IOVA, R | IOPF_EXEC);
	uint64_t gpa;

	start();
	gpa = guest_page();
	map(IOVA, gpa, R | IOPF_EXEC);
	CHECK_EQ(transact(&fetch), 0);
	map(IOVA + K4, gpa, R);
	fetch.addr = IOVA + K4;
	CHECK_EQ(transact(&fetch), -EINPROGRESS);
	CHECK_EQ(only_event().perm, R | IOPF_EXEC);
}

TEST(a_bypassed_stream_reaches_memory_as_it_is)
{
	const struct smmuv3_ste ste = { .config = SMMUV3_BYPASS };
	uint8_t bytes[4] = { 4, 3, 2, 1 };
	struct model_transaction write = { .buffer = bytes, .size_bytes = 4, .rid = STREAM,
					   .pasid = IOPF_PASID_NONE, .perm = W };
	uint64_t gpa;

	start();
	entry_put(STREAM, &ste);
	gpa = guest_page();
	write.addr = w.guest_at + gpa;
	CHECK_EQ(transact(&write), 0);
	CHECK(memcmp(guest_memory(gpa), bytes, 4) == 0);
	write.pasid = SUBSTREAM; /* 3.9: a substream has nothing to choose from */
	CHECK_EQ(transact(&write), -EFAULT);
	CHECK_EQ(only_event().reason, IOPF_SMMUV3_C_BAD_SUBSTREAMID);
}

TEST(a_top_byte_that_is_ignored_makes_no_second_translation)
{
	struct model_transaction touch = touch_of(IOVA | UINT64_C(0xa5) << 56, R);
	struct smmuv3_cd cd;

	start();
	map(IOVA, guest_page(), R);
	cd = context_usual(STALL_ASID, true);
	cd.first.half[0].top_ignored = true;
	context_put(SUBSTREAM, &cd);
	CHECK_EQ(transact(&touch), 0);
	touch.addr = IOVA;
	CHECK_EQ(transact(&touch), 0);
	CHECK_EQ(stats().hits, 1);
}

TEST(options_out_of_range_are_refused)
{
	struct model_iommu_options options = iommu_usual();
	struct model_iommu *iommu = NULL;

	options.translation_lines = 60;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options = iommu_usual();
	options.pasid_bits = 21;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options = iommu_usual();
	options.rid_bits = 33;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options = iommu_usual();
	options.stall_max = 65536;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options = iommu_usual();
	options.family = "smmuv1";
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	CHECK(iommu == NULL);
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(w.iommu);
	return failed;
}
