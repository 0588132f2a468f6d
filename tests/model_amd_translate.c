/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: AMD's translation requests, through device table, GCR3 table, both tables. */
#include "amd_world.h"

static uint64_t map(uint8_t perm)
{
	uint64_t gpa = guest_page();

	CHECK_EQ(x86_map(&w.first, IOVA, gpa, K4, perm, 0), 0);
	return gpa;
}

TEST(a_page_is_found_through_both_tables)
{
	struct model_translation translation;
	uint64_t gpa;

	amd_world_create(0);
	back_all();
	gpa = map(R | W);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(translation.size_bytes, K4);
	CHECK_EQ(translation.perm, R | W);
	CHECK_EQ(model_iommu_stats(w.iommu).granted, 1);
}

TEST(what_is_not_there_is_a_success_without_rights_and_no_event)
{
	struct model_translation translation;

	amd_world_create(0);
	back_all();
	CHECK_EQ(asked(IOVA, R | W, 0), 0);
	/* Not remembered: mapped, it is there at once. */
	CHECK_EQ(asked(IOVA, R | W, map(R | W)), R | W);
	/* So is a PASID without a guest table. */
	CHECK_EQ(ask_as(RID, PASID + 1, IOVA, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0);
	CHECK_EQ(gcr3_put(&w.host.memory, &w.host.pages, &w.dte.gcr3, PASID + 1,
			  w.first.root), 0);
	CHECK_EQ(ask_as(RID, PASID + 1, IOVA, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R);
	CHECK(no_event());
}

TEST(pages_that_the_host_has_not_mapped_are_not_there_either)
{
	uint64_t gpa;

	amd_world_create(0);
	gpa = map(R | W);
	/* Four tables and the page: each is missing until the host maps it. */
	for (uint64_t at = K4; at < w.guest.used * K4; at += K4) {
		CHECK_EQ(asked(IOVA, R, gpa), 0);
		back(at, R | W);
	}
	CHECK_EQ(asked(IOVA, R, gpa), R);
	CHECK(no_event());
}

TEST(no_more_rights_are_granted_than_entry_and_tables_give)
{
	uint64_t gpa;

	amd_world_create(0);
	back_all();
	gpa = map(R);
	CHECK_EQ(asked(IOVA, R | W, gpa), R);
	gpa = guest_page();
	CHECK_EQ(x86_map(&w.first, IOVA + K4, gpa, K4, R | W, 0), 0);
	CHECK_EQ(amdv1_protect(&w.second, gpa, K4, R), 1);
	CHECK_EQ(asked(IOVA + K4, R | W, gpa), R);
	CHECK(no_event());
}

TEST(IR_and_IW_withhold_rights_whatever_the_tables_grant)
{
	struct model_translation translation;

	amd_world_create(0);
	back(0x5000, R | W);
	w.dte.write = false;
	dte_write(RID);
	CHECK_EQ(ask_as(RID, NONE, 0x5000, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, R);
	CHECK_EQ(ask_as(RID, NONE, 0x5000, W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0);
	CHECK(no_event());
}

/* The host table alone: what has no PASID, unless GIOV gives it PASID 0. */
TEST(requests_without_pasid_have_the_host_table_or_pasid_0)
{
	struct model_translation translation;
	uint64_t gpa;

	amd_world_create(0);
	back_all();
	gpa = map(R | W);
	CHECK_EQ(ask_as(RID, NONE, gpa, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(translation.perm, R | W);
	w.dte.no_pasid = true;
	dte_write(RID);
	CHECK_EQ(gcr3_put(&w.host.memory, &w.host.pages, &w.dte.gcr3, 0, w.first.root), 0);
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
				       .granularity = IOPF_DEVICE, .rid = RID });
	CHECK_EQ(ask_as(RID, NONE, IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, w.guest_at + gpa);
	CHECK_EQ(ask_as(RID, NONE, gpa, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.perm, 0);
}

TEST(without_a_host_table_the_guest_table_leads_to_memory)
{
	struct model_translation translation;
	struct x86_table own;
	uint64_t page;

	amd_world_create(0);
	CHECK_EQ(x86_create(&own, &w.host.memory, &w.host.pages, &w.first.format), 0);
	page = host_pages(1);
	CHECK_EQ(x86_map(&own, IOVA, page, K4, R, 0), 0);
	w.dte.mode = 0;
	w.dte.root = 0;
	dte_write(RID);
	CHECK_EQ(gcr3_put(&w.host.memory, &w.host.pages, &w.dte.gcr3, PASID, own.root), 0);
	CHECK_EQ(ask(IOVA, R | W, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.addr, page);
	CHECK_EQ(translation.perm, R);
}

static void no_ats(void)
{
	w.dte.ats = false;
	dte_write(RID);
}

static void off(void)
{
	w.dte.off = true;
	dte_write(RID);
}

static void no_guest(void)
{
	w.dte.gcr3.levels = 0;
	dte_write(RID);
}

static void reserved_entry(void)
{
	world_store(&w.host, w.devices + RID * AMD_DTE_BYTES,
		    world_load(&w.host, w.devices + RID * AMD_DTE_BYTES) | 4);
}

static void lost_gcr3(void)
{
	w.dte.gcr3.root = UINT64_C(0x3ffffffff000);
	dte_write(RID);
}

static void reserved_table(void)
{
	/* Bits of an address that the host's memory does not have. */
	CHECK_EQ(x86_map(&w.first, IOVA, guest_page(), K4, R, 0), 0);
	world_store(&w.guest, w.first.root + (IOVA >> 39 & 511) * 8,
		    world_load(&w.guest, w.first.root + (IOVA >> 39 & 511) * 8) | 1 << 7);
}

static void lost_table(void)
{
	w.dte.root = UINT64_C(0x3ffffffff000);
	dte_write(RID);
}

static void nothing(void)
{
}

#define TYPE(n) ((n) * IOPF_AMD_TYPE)

/* Where a request ends that was not to be made, or that met what cannot be. */
TEST(what_is_refused_completes_as_software_wronged_and_is_logged)
{
	static const struct {
		const char *name;
		void (*spoil)(void);
		uint32_t rid, pasid;
		uint8_t status, event;
		uint16_t flags;
		bool located; /* the event says where the structure lies */
	} rows[] = {
		{ "beyond the device table", nothing, 0xffff, PASID, MODEL_CA,
		  IOPF_AMD_DEV_TAB_HARDWARE_ERROR, TYPE(1), true },
		{ "V is 0", off, RID, PASID, MODEL_UR, IOPF_AMD_INVALID_DEVICE_REQUEST,
		  TYPE(1), false },
		{ "I is 0", no_ats, RID, PASID, MODEL_UR, IOPF_AMD_INVALID_DEVICE_REQUEST,
		  TYPE(1), false },
		{ "GV is 0", no_guest, RID, PASID, MODEL_UR,
		  IOPF_AMD_INVALID_DEVICE_REQUEST, TYPE(1), false },
		{ "beyond the GCR3 table", nothing, RID, 1 << 18, MODEL_UR,
		  IOPF_AMD_INVALID_DEVICE_REQUEST, TYPE(1), false },
		{ "a reserved bit of the entry", reserved_entry, RID, PASID, MODEL_CA,
		  IOPF_AMD_ILLEGAL_DEV_TABLE_ENTRY, IOPF_AMD_RZ, false },
		{ "no memory for a GCR3 table", lost_gcr3, RID, PASID, MODEL_CA,
		  IOPF_AMD_PAGE_TAB_HARDWARE_ERROR, TYPE(1), true },
		{ "a reserved bit of a table", reserved_table, RID, PASID, MODEL_CA,
		  IOPF_AMD_IO_PAGE_FAULT, IOPF_AMD_RZ | IOPF_AMD_PR, false },
		{ "no memory for a host table", lost_table, RID, PASID, MODEL_CA,
		  IOPF_AMD_PAGE_TAB_HARDWARE_ERROR, TYPE(1), true },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_translation translation;
		struct iopf_fault fault;

		amd_world_create(0);
		if (rows[i].spoil != lost_table)
			back_all();
		rows[i].spoil();
		printf("# %s\n", rows[i].name);
		CHECK_EQ(ask_as(rows[i].rid, rows[i].pasid, IOVA, R, &translation),
			 rows[i].status);
		fault = only_event();
		CHECK_EQ(fault.reason, IOPF_AMD_REASON(rows[i].event, rows[i].flags));
		CHECK_EQ(fault.rid, rows[i].rid);
		CHECK(fault.request);
		CHECK_EQ(rows[i].located ? fault.gpa != 0 : fault.addr == IOVA, true);
		CHECK_EQ(model_iommu_stats(w.iommu).refused, 1);
	}
}

TEST(an_entry_may_keep_page_faults_out_of_the_log)
{
	struct model_translation translation;

	amd_world_create(0);
	back_all();
	w.dte.quiet = true;
	dte_write(RID);
	reserved_table();
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_CA);
	CHECK(no_event());
	/* But no other event. */
	CHECK_EQ(ask_as(RID, 1 << 18, IOVA, R, &translation), MODEL_UR);
	CHECK_EQ(IOPF_AMD_EVENT(only_event().reason), IOPF_AMD_INVALID_DEVICE_REQUEST);
}

TEST(a_device_table_error_says_where_the_entry_would_be)
{
	struct model_translation translation;

	amd_world_create(0);
	CHECK_EQ(ask_as(0xffff, NONE, IOVA, W, &translation), MODEL_CA);
	CHECK_EQ(only_event().gpa, w.devices + 0xffff * AMD_DTE_BYTES);
}

TEST(with_the_iommu_off_nothing_passes_and_nothing_is_logged)
{
	struct model_translation translation;
	uint8_t byte;
	int error;

	amd_world_create(0);
	while ((error = iopf_driver_stop(w.driver)) == -EAGAIN)
		model_iommu_run(w.iommu, 4, 0);
	CHECK_EQ(error, 0);
	CHECK_EQ(ask(IOVA, R, &translation), MODEL_UR);
	CHECK_EQ(w.up.access(w.up.context, RID, w.guest_at, &byte, 1, false), MODEL_UR);
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].code, 15);
	CHECK_EQ(reg(AMD_EVT_TAIL), 0);
}

TEST(translated_accesses_reach_memory_if_the_entry_lets_them)
{
	uint8_t out[64] = "hello", in[64] = "";
	uint64_t addr;

	amd_world_create(0);
	addr = w.guest_at + 0x5000;
	CHECK_EQ(w.up.access(w.up.context, RID, addr, out, 64, true), MODEL_SUCCESS);
	CHECK_EQ(w.up.access(w.up.context, RID, addr, in, 64, false), MODEL_SUCCESS);
	CHECK_STR((char *)in, "hello");
	CHECK_EQ(w.up.access(w.up.context, RID, UINT64_C(1) << 45, in, 64, false), MODEL_UR);
	CHECK(no_event());
	w.dte.ats = false;
	dte_write(RID + 1);
	CHECK_EQ(w.up.access(w.up.context, RID + 1, addr, in, 64, true), MODEL_UR);
	CHECK_EQ(only_event().reason,
		 IOPF_AMD_REASON(IOPF_AMD_INVALID_DEVICE_REQUEST, TYPE(1)));
	CHECK_EQ(model_iommu_stats(w.iommu).refused_accesses, 2);
}

TEST(options_out_of_range_are_refused)
{
	struct model_iommu_options options = {
		.family = "amd", .memory = &w.host.memory, .pasid_bits = 20,
		.address_bits = 46, .context_lines = 16, .pasid_lines = 16,
		.translation_lines = 60, .interrupt = world_interrupt,
	};
	struct model_iommu *iommu = NULL;

	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options.translation_lines = 64;
	options.pasid_bits = 21;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	options.pasid_bits = 20;
	options.rid_bits = 17;
	CHECK_EQ(model_iommu_create(&options, &iommu), -EINVAL);
	CHECK(iommu == NULL);
}

int main(void)
{
	return test_main();
}
