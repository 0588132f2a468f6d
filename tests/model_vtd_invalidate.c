/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what is remembered stays until it is invalidated, by every granularity. */
#include "vtd_world.h"

static uint64_t old_page, new_page;

/* IOVA is remembered as old_page; the tables say new_page. */
static void go_stale(void)
{
	old_page = guest_page();
	new_page = guest_page();
	CHECK_EQ(x86_map(&w.first, IOVA, old_page, K4, R | W, 0), 0);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
	CHECK_EQ(x86_unmap(&w.first, IOVA, K4), 1);
	CHECK_EQ(x86_map(&w.first, IOVA, new_page, K4, R | W, 0), 0);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
}

static struct iopf_command iotlb(uint8_t granularity, uint16_t domain, uint32_t pasid)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				      .granularity = granularity,
				      .domain = domain,
				      .pasid = pasid };
}

static struct iopf_command pages(uint16_t domain, uint32_t pasid, uint64_t addr,
				 uint64_t size_bytes)
{
	struct iopf_command command = iotlb(IOPF_PAGE, domain, pasid);

	command.addr = addr;
	command.size_bytes = size_bytes;
	return command;
}

#define NONE IOPF_PASID_NONE

TEST(translations_stay_until_an_invalidation_names_them)
{
	const struct {
		struct iopf_command command;
		bool fresh;
	} rows[] = {
		{ iotlb(IOPF_ALL, 0, NONE), true },
		{ iotlb(IOPF_DOMAIN, DOMAIN, NONE), true },
		{ iotlb(IOPF_DOMAIN, DOMAIN + 1, NONE), false },
		{ iotlb(IOPF_ONE_PASID, DOMAIN, PASID), true },
		{ iotlb(IOPF_ONE_PASID, DOMAIN, PASID + 1), false },
		{ iotlb(IOPF_ONE_PASID, DOMAIN + 1, PASID), false },
		{ pages(DOMAIN, PASID, IOVA, K4), true },
		{ pages(DOMAIN, PASID, IOVA & ~(64 * K4 - 1), 64 * K4), true },
		{ pages(DOMAIN, PASID, IOVA + K4, K4), false },
		{ pages(DOMAIN, PASID, IOVA - K4, K4), false },
		{ pages(DOMAIN, PASID + 1, IOVA, K4), false },
		{ pages(DOMAIN + 1, PASID, IOVA, K4), false },
		/* By pages of the second level: a nested one came through some of them. */
		{ pages(DOMAIN, NONE, 0, K4), true },
		{ pages(DOMAIN + 1, NONE, 0, K4), false },
		{ { .kind = IOPF_COMMAND_INVALIDATE_CONTEXT, .granularity = IOPF_ALL },
		  false },
		{ { .kind = IOPF_COMMAND_INVALIDATE_PASID, .granularity = IOPF_ALL },
		  false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vtd_world_create(true);
		back_all();
		go_stale();
		command(rows[i].command);
		if (asked(IOVA, R | W, rows[i].fresh ? new_page : old_page) != (R | W)) {
			printf("row %u\n", i);
			CHECK(false);
		}
	}
}

TEST(one_fragment_of_a_large_page_takes_all_fragments_with_it)
{
	struct model_translation translation;
	uint64_t base = IOVA & ~UINT64_C(0x1fffff);

	vtd_world_create(true);
	back_all();
	/* Two megabytes of the first level over small pages of the second, then both. */
	CHECK_EQ(x86_map(&w.first, base, 0x200000, 0x200000, R, 0), 0);
	CHECK_EQ(asked(base + K4, R, 0x201000), R);
	CHECK_EQ(asked(base + 2 * K4, R, 0x202000), R);
	CHECK_EQ(vtdss_unmap(&w.second, 0x200000, 0x200000), 512);
	CHECK_EQ(vtdss_map(&w.second, 0x200000, 0x800000, 0x200000, R), 0);
	command(iotlb(IOPF_DOMAIN, DOMAIN, NONE));
	w.guest_at = 0x600000;
	CHECK_EQ(ask(base + K4, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(translation.size_bytes, 0x200000);
	CHECK_EQ(translation.addr, 0x800000);
	CHECK_EQ(ask(base + 2 * K4, R, &translation), MODEL_SUCCESS);
	CHECK_EQ(x86_unmap(&w.first, base, 0x200000), 1);
	command(pages(DOMAIN, PASID, base + 2 * K4, K4));
	CHECK_EQ(asked(base + K4, R, 0), 0);
	CHECK_EQ(asked(base + 2 * K4, R, 0), 0);
}

TEST(context_entries_stay_until_invalidated)
{
	static const struct {
		uint8_t granularity;
		uint32_t rid;
		uint8_t mask;
		bool fresh;
	} rows[] = {
		{ IOPF_ALL, 0, 0, true },
		{ IOPF_DEVICE, RID, 0, true },
		{ IOPF_DEVICE, RID + 1, 0, false },
		{ IOPF_DEVICE, RID + 4, 4, true },
		{ IOPF_DEVICE, RID + 7, 7, true },
		{ IOPF_DEVICE, RID + 7, 6, false },
	};
	struct model_translation translation;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vtd_world_create(true);
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		CHECK_EQ(vtd_builder_clear_context(&w.builder, RID), 0);
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
					       .granularity = rows[i].granularity,
					       .rid = rows[i].rid,
					       .rid_mask = rows[i].mask });
		CHECK_EQ(ask(IOVA, R, &translation),
			 rows[i].fresh ? MODEL_UR : MODEL_SUCCESS);
	}
}

TEST(pasid_entries_stay_until_invalidated)
{
	static const struct {
		uint8_t granularity;
		uint16_t domain;
		uint32_t pasid;
		bool fresh;
	} rows[] = {
		{ IOPF_ALL, 0, 0, true },
		{ IOPF_DOMAIN, DOMAIN, 0, true },
		{ IOPF_DOMAIN, DOMAIN + 1, 0, false },
		{ IOPF_ONE_PASID, DOMAIN, PASID, true },
		{ IOPF_ONE_PASID, DOMAIN, PASID + 1, false },
		{ IOPF_ONE_PASID, DOMAIN + 1, PASID, false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t gpa;

		vtd_world_create(true);
		back_all();
		gpa = guest_page();
		CHECK_EQ(x86_map(&w.first, IOVA, gpa, K4, R | W, 0), 0);
		CHECK_EQ(asked(IOVA, R, gpa), R);
		CHECK_EQ(vtd_builder_clear_pasid(&w.builder, RID, PASID), 0);
		command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_PASID,
					       .granularity = rows[i].granularity,
					       .domain = rows[i].domain,
					       .pasid = rows[i].pasid });
		command(iotlb(IOPF_ALL, 0, NONE));
		CHECK_EQ(asked(IOVA, R, gpa), rows[i].fresh ? 0 : R);
	}
}

TEST(a_page_request_drops_what_hardware_remembers_of_its_page)
{
	vtd_world_create(true);
	back_all();
	go_stale();
	page_request(IOVA + K4, 1, IOPF_LAST);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
	page_request(IOVA, 2, IOPF_LAST);
	CHECK_EQ(asked(IOVA, R | W, new_page), R | W);
}

TEST(more_pages_than_lines_are_all_translated)
{
	struct model_iommu_stats stats;

	vtd_world_create(true);
	back_all();
	for (uint64_t i = 0; i < 256; i++)
		CHECK_EQ(x86_map(&w.first, IOVA + i * K4, i * K4, K4, R | W, 0), 0);
	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 256; i++)
			CHECK_EQ(asked(IOVA + i * K4, R, i * K4), R);
	}
	for (uint64_t round = 0; round < 4; round++)
		CHECK_EQ(asked(IOVA, R, 0), R);
	stats = model_iommu_stats(w.iommu);
	CHECK(stats.misses >= 3 * (256 - 64));
	CHECK(stats.hits >= 3);
}

/* ---- Device TLBs -------------------------------------------------------------------------- */

static struct iopf_command device(uint64_t addr, uint64_t size_bytes)
{
	return (struct iopf_command){
		.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
		.granularity = size_bytes == 0 ? IOPF_ALL : IOPF_PAGE,
		.rid = RID,
		.pasid = PASID,
		.addr = addr,
		.size_bytes = size_bytes,
	};
}

TEST(invalidations_of_device_tlbs_go_to_the_function)
{
	vtd_world_create(true);
	command(device(IOVA, K4));
	CHECK_EQ(w.stub.invalidations, 1);
	CHECK_EQ(w.stub.pasid, PASID);
	CHECK_EQ(w.stub.payload, model_invalidate_payload(IOVA, K4, false));
	command(device(IOVA & ~(8 * K4 - 1), 8 * K4));
	CHECK_EQ(w.stub.payload, model_invalidate_payload(IOVA & ~(8 * K4 - 1), 8 * K4,
							  false));
	command(device(0, 0));
	CHECK_EQ(w.stub.payload, model_invalidate_payload(0, 0, false));
	CHECK_EQ(model_iommu_stats(w.iommu).invalidations, 3);
}

TEST(a_function_that_is_slow_holds_the_queue_up)
{
	struct iopf_command slow = device(IOVA, K4);
	uint64_t wait;

	vtd_world_create(true);
	w.stub.result = -EAGAIN;
	CHECK_EQ(iopf_driver_submit(w.driver, &slow), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	for (uint64_t now_ns = 5000; now_ns < 6000; now_ns += 100)
		CHECK_EQ(model_iommu_run(w.iommu, 16, now_ns), 0);
	CHECK(!iopf_driver_waited(w.driver, wait));
	CHECK_EQ(iopf_driver_errors(w.driver), 0);
	w.stub.result = 0;
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5999), 2);
	CHECK(iopf_driver_waited(w.driver, wait));
}

static void no_answer(void)
{
	struct iopf_command silent = device(IOVA, K4);
	uint64_t given_up, wait;

	CHECK_EQ(iopf_driver_submit(w.driver, &silent), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5000), 0);
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5999), 0);
	/* The wait behind it is given up with it. */
	CHECK_EQ(model_iommu_run(w.iommu, 16, 6000), 2);
	CHECK(!iopf_driver_waited(w.driver, given_up));
	CHECK_EQ(iopf_driver_errors(w.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(model_iommu_stats(w.iommu).invalidation_timeouts, 1);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	CHECK_EQ(model_iommu_run(w.iommu, 16, 6000), 1);
	CHECK(iopf_driver_waited(w.driver, wait));
}

TEST(a_function_that_never_answers_holds_the_queue_up_for_a_bounded_time)
{
	vtd_world_create(true);
	w.stub.result = -EAGAIN;
	no_answer();
}

TEST(a_function_that_is_gone_does_not_answer)
{
	vtd_world_create(true);
	CHECK_EQ(model_iommu_connect(w.iommu, RID, NULL), 0);
	no_answer();
	CHECK_EQ(w.stub.invalidations, 0);
}

int main(void)
{
	return test_main();
}
