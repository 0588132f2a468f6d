/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what AMD's commands name is forgotten, and nothing else. */
#include "amd_world.h"

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

/* INVALIDATE_IOMMU_PAGES: GN with a PASID, PDE without the hint. */
static struct iopf_command pages(uint16_t domain, uint32_t pasid, uint64_t addr,
				 uint64_t size_bytes)
{
	uint8_t every = pasid != NONE ? IOPF_ONE_PASID : IOPF_DOMAIN;

	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				      .granularity = size_bytes != 0 ? IOPF_PAGE : every,
				      .domain = domain,
				      .pasid = pasid,
				      .addr = addr,
				      .size_bytes = size_bytes };
}

static struct iopf_command leaf(struct iopf_command command)
{
	command.hints = IOPF_HINT_LEAF;
	return command;
}

static const struct iopf_command all = { .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
					 .granularity = IOPF_ALL };

static struct iopf_command device(uint32_t rid)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
				      .granularity = IOPF_DEVICE,
				      .rid = rid };
}

TEST(translations_stay_until_an_invalidation_names_them)
{
	const struct {
		struct iopf_command command;
		bool fresh;
	} rows[] = {
		{ all, true },
		{ pages(DOMAIN, NONE, 0, 0), true },
		{ pages(DOMAIN + 1, NONE, 0, 0), false },
		{ pages(DOMAIN, PASID, 0, 0), true },
		{ pages(DOMAIN, PASID + 1, 0, 0), false },
		{ pages(DOMAIN + 1, PASID, 0, 0), false },
		{ leaf(pages(DOMAIN, PASID, 0, 0)), true },
		{ pages(DOMAIN, PASID, IOVA, K4), true },
		{ leaf(pages(DOMAIN, PASID, IOVA, K4)), true },
		{ pages(DOMAIN, PASID, IOVA & ~(64 * K4 - 1), 64 * K4), true },
		{ pages(DOMAIN, PASID, IOVA + K4, K4), false },
		{ pages(DOMAIN, PASID, IOVA - K4, K4), false },
		{ pages(DOMAIN, PASID + 1, IOVA, K4), false },
		{ pages(DOMAIN + 1, PASID, IOVA, K4), false },
		/* By pages of the host table: a nested one came through some of them. */
		{ pages(DOMAIN, NONE, 0, K4), true },
		{ pages(DOMAIN + 1, NONE, 0, K4), false },
		{ device(RID), false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		amd_world_create(0);
		back_all();
		go_stale();
		command(rows[i].command);
		if (asked(IOVA, R | W, rows[i].fresh ? new_page : old_page) != (R | W)) {
			printf("row %u\n", i);
			CHECK(false);
		}
	}
}

/* What came through the host table alone. */
TEST(translations_without_pasid_are_named_by_pages_without_gn)
{
	const struct {
		struct iopf_command command;
		bool fresh;
	} rows[] = {
		{ pages(DOMAIN, NONE, 0x5000, K4), true },
		{ pages(DOMAIN, NONE, 0x6000, K4), false },
		{ pages(DOMAIN + 1, NONE, 0x5000, K4), false },
		{ pages(DOMAIN, 0, 0x5000, K4), false },
		{ pages(DOMAIN, 0, 0, 0), false },
		{ pages(DOMAIN, NONE, 0, 0), true },
		{ all, true },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_translation translation;

		amd_world_create(0);
		back(0x5000, R | W);
		CHECK_EQ(ask_as(RID, NONE, 0x5000, R, &translation), MODEL_SUCCESS);
		CHECK_EQ(translation.perm, R);
		CHECK_EQ(amdv1_unmap(&w.second, 0x5000, K4), 1);
		command(rows[i].command);
		CHECK_EQ(ask_as(RID, NONE, 0x5000, R, &translation), MODEL_SUCCESS);
		if (translation.perm != (rows[i].fresh ? 0 : R)) {
			printf("row %u\n", i);
			CHECK(false);
		}
	}
}

TEST(device_table_entries_stay_until_invalidated)
{
	static const struct {
		uint32_t rid;
		bool everything, fresh;
	} rows[] = {
		{ RID, false, true },
		{ RID + 1, false, false },
		{ 0, true, true },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_translation translation;

		amd_world_create(0);
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		w.dte.ats = false;
		dte_write(RID);
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		command(rows[i].everything ? all : device(rows[i].rid));
		CHECK_EQ(ask(IOVA, R, &translation),
			 rows[i].fresh ? MODEL_UR : MODEL_SUCCESS);
	}
}

/* 2.2.6.3: entries of a GCR3 table go with what was translated by them, where more than
 * the last level has changed. */
TEST(gcr3_entries_stay_until_their_pasid_is_invalidated)
{
	const struct {
		struct iopf_command command;
		bool fresh;
	} rows[] = {
		{ all, true },
		{ pages(DOMAIN, NONE, 0, 0), true },
		{ pages(DOMAIN + 1, NONE, 0, 0), false },
		{ pages(DOMAIN, PASID, 0, 0), true },
		{ leaf(pages(DOMAIN, PASID, 0, 0)), false },
		{ leaf(pages(DOMAIN, NONE, 0, 0)), false },
		{ pages(DOMAIN, PASID + 1, 0, 0), false },
		{ pages(DOMAIN + 1, PASID, 0, 0), false },
		{ device(RID), false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t gpa;

		amd_world_create(0);
		back_all();
		gpa = guest_page();
		CHECK_EQ(x86_map(&w.first, IOVA, gpa, K4, R | W, 0), 0);
		CHECK_EQ(asked(IOVA, R, gpa), R);
		CHECK_EQ(gcr3_clear(&w.host.memory, &w.dte.gcr3, PASID, 1), 1);
		command(rows[i].command);
		/* The translation is forgotten in any case, by its page. */
		command(leaf(pages(DOMAIN, PASID, IOVA, K4)));
		if (asked(IOVA, R, gpa) != (rows[i].fresh ? 0 : R)) {
			printf("row %u\n", i);
			CHECK(false);
		}
	}
}

TEST(a_page_request_drops_what_hardware_remembers_of_its_page)
{
	amd_world_create(0);
	back_all();
	go_stale();
	page_request(IOVA + K4, 1, IOPF_LAST);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
	page_request(IOVA, 2, IOPF_LAST);
	CHECK_EQ(asked(IOVA, R | W, new_page), R | W);
}

TEST(more_pages_than_lines_are_all_translated)
{
	amd_world_create(0);
	back_all();
	for (uint64_t i = 0; i < 256; i++)
		CHECK_EQ(x86_map(&w.first, IOVA + i * K4, i * K4, K4, R | W, 0), 0);
	for (uint64_t round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 256; i++)
			CHECK_EQ(asked(IOVA + i * K4, R, i * K4), R);
	CHECK_EQ(asked(IOVA, R, 0), R);
	CHECK_EQ(asked(IOVA, R, 0), R);
	CHECK(model_iommu_stats(w.iommu).misses >= 3 * (256 - 64));
	CHECK(model_iommu_stats(w.iommu).hits >= 1);
}

/* ---- Device TLBs -------------------------------------------------------------------------- */

static struct iopf_command iotlb(uint32_t pasid, uint64_t addr, uint64_t size_bytes)
{
	return (struct iopf_command){
		.kind = IOPF_COMMAND_INVALIDATE_DEVICE,
		.granularity = size_bytes == 0 ? IOPF_ALL : IOPF_PAGE,
		.rid = RID,
		.pasid = pasid,
		.addr = addr,
		.size_bytes = size_bytes,
	};
}

TEST(invalidations_of_device_tlbs_go_to_the_function)
{
	amd_world_create(0);
	command(iotlb(PASID, IOVA, K4));
	CHECK_EQ(w.invalidations, 1);
	CHECK_EQ(w.pasid, PASID);
	CHECK_EQ(w.payload, model_invalidate_payload(IOVA, K4, false));
	command(iotlb(NONE, IOVA & ~(8 * K4 - 1), 8 * K4));
	CHECK_EQ(w.pasid, NONE);
	CHECK_EQ(w.payload, model_invalidate_payload(IOVA & ~(8 * K4 - 1), 8 * K4, false));
	command(iotlb(PASID, 0, 0));
	CHECK_EQ(w.payload, model_invalidate_payload(0, 0, false));
	CHECK_EQ(model_iommu_stats(w.iommu).invalidations, 3);
}

TEST(a_function_that_is_slow_holds_the_buffer_up)
{
	struct iopf_command slow = iotlb(PASID, IOVA, K4);
	uint64_t wait;

	amd_world_create(0);
	w.invalidate_result = -EAGAIN;
	CHECK_EQ(iopf_driver_submit(w.driver, &slow), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	for (uint64_t now_ns = 5000; now_ns < 6000; now_ns += 100)
		CHECK_EQ(model_iommu_run(w.iommu, 16, now_ns), 0);
	CHECK(!iopf_driver_waited(w.driver, wait));
	CHECK_EQ(iopf_driver_errors(w.driver), 0);
	w.invalidate_result = 0;
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5999), 2);
	CHECK(iopf_driver_waited(w.driver, wait));
}

TEST(a_function_that_does_not_answer_is_named_by_an_event)
{
	struct iopf_command silent = iotlb(PASID, IOVA, K4);
	uint64_t given_up, wait;

	amd_world_create(0);
	w.invalidate_result = -EAGAIN;
	CHECK_EQ(iopf_driver_submit(w.driver, &silent), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5000), 0);
	CHECK_EQ(model_iommu_run(w.iommu, 16, 5999), 0);
	model_iommu_run(w.iommu, 16, 6000);
	CHECK(!iopf_driver_waited(w.driver, given_up));
	CHECK_EQ(iopf_driver_errors(w.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(iopf_driver_silent(w.driver), RID);
	CHECK_EQ(only_event().reason, IOPF_AMD_REASON(IOPF_AMD_IOTLB_INV_TIMEOUT, 0));
	CHECK_EQ(model_iommu_stats(w.iommu).invalidation_timeouts, 1);
	w.invalidate_result = 0;
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 6000);
	CHECK(iopf_driver_waited(w.driver, wait));
}

/* COMPLETION_WAIT: a store of 64 bits, an interrupt, both or neither. */
TEST(a_wait_is_reported_as_it_asks)
{
	uint64_t wait;

	amd_world_create(0);
	CHECK_EQ(iopf_driver_wait(w.driver, IOPF_WAIT_INTERRUPT, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	CHECK(!iopf_driver_waited(w.driver, wait));
	model_iommu_run(w.iommu, 16, 0);
	CHECK(iopf_driver_waited(w.driver, wait));
	CHECK((reg(AMD_STATUS) & AMD_WAIT_INT) != 0);
}

int main(void)
{
	return test_main();
}
