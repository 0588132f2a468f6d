/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: translation requests through the structures that registers lead to. */
#include "vtd_world.h"

static uint64_t map(uint8_t perm)
{
	uint64_t gpa = guest_page();

	CHECK_EQ(x86_map(&w.first, IOVA, gpa, K4, perm, 0), 0);
	return gpa;
}

TEST(a_page_is_found_through_both_stages)
{
	struct model_translation translation;
	uint64_t gpa;

	vtd_world_create(true);
	back_all();
	gpa = map(R | W);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(translation.size_bytes, K4);
	CHECK_EQ(translation.perm, R | W);
	CHECK_EQ(model_iommu_stats(w.iommu).granted, 1);
}

TEST(what_is_not_there_is_a_success_without_rights)
{
	vtd_world_create(true);
	back_all();
	CHECK_EQ(asked(IOVA, R | W, 0), 0);
	CHECK_EQ(vtd_register(VTD_FSTS, 4), 0);
	/* Not remembered: mapped, it is there at once. */
	CHECK_EQ(asked(IOVA, R | W, map(R | W)), R | W);
}

TEST(pages_that_the_host_has_not_mapped_are_not_there_either)
{
	uint64_t gpa;

	vtd_world_create(true);
	gpa = map(R | W);
	/* Four tables and the page: each is missing until the host maps it. */
	for (uint64_t at = K4; at < w.guest.used * K4; at += K4) {
		CHECK_EQ(asked(IOVA, R, gpa), 0);
		back(at, R | W);
	}
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK_EQ(vtd_register(VTD_FSTS, 4), 0);
}

TEST(no_more_rights_are_granted_than_both_stages_give)
{
	uint64_t gpa;

	vtd_world_create(true);
	back_all();
	gpa = map(R);
	CHECK_EQ(asked(IOVA, R | W, gpa), R);
	gpa = guest_page();
	CHECK_EQ(x86_map(&w.first, IOVA + K4, gpa, K4, R | W, 0), 0);
	CHECK_EQ(vtdss_protect(&w.second, gpa, K4, R), 1);
	CHECK_EQ(asked(IOVA + K4, R | W, gpa), R);
	/* Execute was not asked for, so it is not granted; here it is not there. */
	CHECK_EQ(asked(IOVA + K4, R | IOPF_EXEC, gpa), R);
	gpa = guest_page();
	CHECK_EQ(x86_map(&w.first, IOVA + 2 * K4, gpa, K4, R | IOPF_EXEC, 0), 0);
	CHECK_EQ(asked(IOVA + 2 * K4, R | IOPF_EXEC, gpa), R | IOPF_EXEC);
}

TEST(a_read_does_not_get_the_right_to_write_and_the_page_stays_clean)
{
	struct radix_path path;
	struct table_result result;
	struct table_space space;
	uint64_t gpa;

	vtd_world_create(true);
	back_all();
	gpa = map(R | W);
	space = (struct table_space){ .memory = &w.guest.memory };
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK(x86_walk_path(&space, &w.first.format, w.first.root, IOVA, R, &path, &result));
	CHECK((path.step[1].entry & X86_ACCESSED) != 0);
	CHECK((path.step[1].entry & X86_DIRTY) == 0);
	/* The write asks again although the page was remembered for reading. */
	CHECK_EQ(asked(IOVA, R | W, gpa), R | W);
	CHECK(x86_walk_path(&space, &w.first.format, w.first.root, IOVA, R, &path, &result));
	CHECK((path.step[1].entry & X86_DIRTY) != 0);
}

TEST(large_pages_come_as_large_as_both_stages_have_them)
{
	struct model_translation translation;
	uint64_t gpa = 0x200000;

	vtd_world_create(true);
	back_all();
	CHECK_EQ(x86_map(&w.first, IOVA & ~UINT64_C(0x1fffff), gpa, 0x200000, R | W, 0), 0);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.size_bytes, K4);
	CHECK_EQ(translation.addr, w.guest_at + gpa + (IOVA & 0x1fffff));
}

static const struct {
	const char *name;
	uint32_t rid, pasid;
	uint8_t reason;
} unknown[] = {
	{ "another bus", 0x0410, PASID, VTD_REASON_ROOT_NOT_PRESENT },
	{ "another function", RID + 1, PASID, VTD_REASON_CONTEXT_NOT_PRESENT },
	{ "a PASID beyond 20 bits", RID, 1u << 20, VTD_REASON_PASID_TOO_LARGE },
};

TEST(who_is_unknown_gets_unsupported_request_and_a_fault_is_recorded)
{
	for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct model_translation_request request = { .addr = IOVA,
							     .rid = unknown[i].rid,
							     .pasid = unknown[i].pasid,
							     .perm = R };
		struct model_translation translation;

		vtd_world_create(true);
		CHECK_EQ(w.up.translate(w.up.context, &request, &translation), MODEL_UR);
		CHECK_EQ(vtd_register(VTD_FSTS, 4), VTD_FSTS_PPF);
		CHECK_EQ(vtd_register(VTD_FRCD + 8, 8) >> 32 & 0xff, unknown[i].reason);
		CHECK_EQ(vtd_register(VTD_FRCD + 8, 8) & 0xffff, unknown[i].rid);
		CHECK_EQ(vtd_register(VTD_FRCD, 8), IOVA);
	}
}

TEST(a_pasid_without_an_entry_may_come_later)
{
	struct model_translation_request request = { .addr = IOVA, .rid = RID,
						     .pasid = PASID + 1, .perm = R };
	struct model_translation translation;

	vtd_world_create(true);
	CHECK_EQ(w.up.translate(w.up.context, &request, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0);
}

TEST(what_an_entry_lets_in_counts_when_it_is_remembered_too)
{
	struct vtd_pasid pasid;
	uint64_t gpa;

	vtd_world_create(false);
	back_all();
	pasid = nested_pasid();
	pasid.exec = false;
	CHECK_EQ(vtd_builder_pasid(&w.builder, RID, PASID, &pasid), 0);
	gpa = map(R | W | IOPF_EXEC);
	CHECK_EQ(asked(IOVA, R, gpa), R);
	/* ERE and SRE are clear: nothing is granted. */
	CHECK_EQ(asked(IOVA, R | IOPF_EXEC, gpa), 0);
	CHECK_EQ(asked(IOVA, R | IOPF_PRIV, gpa), 0);
	/* So is PRE. */
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].code, 15);
}

TEST(broken_structures_abort_and_are_told)
{
	struct model_translation translation;
	uint64_t word;

	vtd_world_create(true);
	word = world_load(&w.host, w.builder.root + 3 * 16);
	world_store(&w.host, w.builder.root + 3 * 16, word | 2);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_CA);
	CHECK_EQ(vtd_register(VTD_FRCD + 8, 8) >> 32 & 0xff, VTD_REASON_ROOT_RESERVED);
	world_store(&w.host, w.builder.root + 3 * 16, UINT64_C(0x3fffffff000) | 1);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_CA);
	CHECK_EQ(vtd_register(VTD_FRCD + 16 + 8, 8) >> 32 & 0xff,
		 VTD_REASON_CONTEXT_ACCESS);
	CHECK_EQ(model_iommu_stats(w.iommu).refused, 2);
}

TEST(with_translation_off_nothing_passes_and_nothing_is_recorded)
{
	struct model_translation translation;
	uint8_t byte;
	int error;

	vtd_world_create(true);
	while ((error = iopf_driver_stop(w.driver)) == -EAGAIN)
		model_iommu_run(w.iommu, 4, 0);
	CHECK_EQ(error, 0);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_UR);
	CHECK_EQ(w.up.access(w.up.context, RID, w.guest_at, &byte, 1, false), MODEL_UR);
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].code, 15);
}

TEST(translated_requests_reach_memory_if_the_context_lets_them)
{
	uint8_t out[64] = "hello", in[64] = "";
	uint64_t addr;

	vtd_world_create(true);
	addr = w.guest_at + 0x5000;
	CHECK_EQ(w.up.access(w.up.context, RID, addr, out, 64, true), MODEL_SUCCESS);
	CHECK_EQ(w.up.access(w.up.context, RID, addr, in, 64, false), MODEL_SUCCESS);
	CHECK_STR((char *)in, "hello");
	CHECK_EQ(w.up.access(w.up.context, RID, UINT64_C(1) << 45, in, 64, false), MODEL_UR);
	CHECK_EQ(w.up.access(w.up.context, RID + 1, addr, in, 64, false), MODEL_UR);
	CHECK_EQ(model_iommu_stats(w.iommu).refused_accesses, 2);
	CHECK_EQ(vtd_register(VTD_FRCD + 8, 8) & 0xffff, RID + 1);
}

TEST(options_out_of_range_are_refused)
{
	struct model_iommu_options options = {
		.memory = &w.host.memory, .features = IOPF_VTD_PHYSICAL, .pasid_bits = 20,
		.address_bits = 46, .context_lines = 16, .pasid_lines = 16,
		.translation_lines = 60, .interrupt = world_interrupt,
	};
	struct model_iommu *iommu = NULL;

	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options.translation_lines = 64;
	options.pasid_bits = 21;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options.pasid_bits = 20;
	options.address_bits = 60;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	CHECK(iommu == NULL);
}

int main(void)
{
	return test_main();
}
