/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what RISC-V's commands name is forgotten, and nothing else. */
#include "riscv_world.h"

static uint64_t old_page, new_page;

static void create(void)
{
	riscv_world_create();
	if (setup.second != 0)
		back_all();
}

/* IOVA is remembered as old_page; the tables say new_page. */
static void go_stale(void)
{
	old_page = map(IOVA, R | W, MARKED);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
	CHECK_EQ(sv_unmap(&w.first, IOVA, K4), 1);
	new_page = map(IOVA, R | W, MARKED);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
}

/* IOTINVAL.VMA, or with IOPF_HINT_SECOND .GVMA. */
static struct iopf_command every(uint8_t granularity, uint16_t domain, uint32_t asid,
				 uint8_t hints)
{
	return (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_IOTLB,
				      .granularity = granularity,
				      .domain = domain,
				      .asid = asid,
				      .hints = hints };
}

static struct iopf_command pages(uint16_t domain, uint32_t asid, uint8_t hints, uint64_t addr,
				 uint64_t size_bytes)
{
	struct iopf_command command = every(IOPF_PAGE, domain, asid, hints);

	command.addr = addr;
	command.size_bytes = size_bytes;
	return command;
}

/* IODIR.INVAL_DDT and .INVAL_PDT. */
static struct iopf_command directory(uint8_t kind, uint8_t granularity, uint32_t rid,
				     uint32_t pasid)
{
	return (struct iopf_command){ .kind = kind,
				      .granularity = granularity,
				      .rid = rid,
				      .pasid = pasid };
}

static struct iopf_command device(uint32_t rid)
{
	return directory(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_DEVICE, rid, 0);
}

static struct iopf_command process(uint32_t rid, uint32_t pasid)
{
	return directory(IOPF_COMMAND_INVALIDATE_PASID, IOPF_ONE_PASID, rid, pasid);
}

static struct iopf_command devices(void)
{
	return directory(IOPF_COMMAND_INVALIDATE_CONTEXT, IOPF_ALL, 0, 0);
}

enum { FIRST = IOPF_HINT_FIRST, SECOND = IOPF_HINT_SECOND, LEAF = IOPF_HINT_LEAF,
       ANY = IOPF_HINT_ANY_ASID };

struct row {
	struct iopf_command command;
	bool fresh;
};

static void check_translation(const struct row *row, unsigned number)
{
	printf("# row %u\n", number);
	create();
	go_stale();
	command(row->command);
	CHECK_EQ(asked(IOVA, R | W, row->fresh ? new_page : old_page), R | W);
}

TEST(translations_stay_until_an_invalidation_names_them)
{
	const struct row rows[] = {
		{ every(IOPF_ALL, 0, 0, 0), true },
		{ every(IOPF_ALL, 0, 0, SECOND), true },
		{ every(IOPF_ALL, 0, 0, FIRST), false }, /* of what has no second stage */
		{ every(IOPF_DOMAIN, GSCID, 0, FIRST), true },
		{ every(IOPF_DOMAIN, GSCID, 0, SECOND), true },
		{ every(IOPF_DOMAIN, GSCID + 1, 0, 0), false },
		{ every(IOPF_ONE_PASID, GSCID, PSCID, 0), true },
		{ every(IOPF_ONE_PASID, GSCID, PSCID + 1, 0), false },
		{ every(IOPF_ONE_PASID, GSCID + 1, PSCID, 0), false },
		{ pages(GSCID, PSCID, 0, IOVA, K4), true },
		{ pages(GSCID, PSCID, LEAF, IOVA, K4), true },
		{ pages(GSCID, PSCID, 0, IOVA & ~(64 * K4 - 1), 64 * K4), true },
		{ pages(GSCID, PSCID, 0, IOVA + K4, K4), false },
		{ pages(GSCID, PSCID, 0, IOVA - K4, K4), false },
		{ pages(GSCID, PSCID + 1, 0, IOVA, K4), false },
		{ pages(GSCID + 1, PSCID, 0, IOVA, K4), false },
		{ pages(GSCID, 0, ANY, IOVA, K4), true },
		{ pages(GSCID, 0, ANY, IOVA + K4, K4), false },
		{ pages(GSCID + 1, 0, ANY, IOVA, K4), false },
		/* By pages of the second stage: a nested one came through some of them. */
		{ pages(GSCID, 0, SECOND, 0, K4), true },
		{ pages(GSCID + 1, 0, SECOND, 0, K4), false },
		{ device(RID), false },
		{ process(RID, PASID), false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_translation(&rows[i], i);
}

/* An IOMMU of one stage has no domains. */
TEST(translations_of_the_first_stage_alone_are_named_without_a_domain)
{
	const struct row rows[] = {
		{ every(IOPF_ALL, 0, 0, 0), true },
		{ every(IOPF_ONE_PASID, 0, PSCID, 0), true },
		{ every(IOPF_ONE_PASID, 0, PSCID + 1, 0), false },
		{ pages(0, PSCID, 0, IOVA, K4), true },
		{ pages(0, PSCID, 0, IOVA + K4, K4), false },
		{ pages(0, PSCID + 1, 0, IOVA, K4), false },
		{ pages(0, 0, ANY, IOVA, K4), true },
		{ pages(0, 0, ANY, IOVA - K4, K4), false },
		{ device(RID), false },
	};

	setup.second = 0;
	setup.lacking = RISCV_HAS_SV39X4 | RISCV_HAS_SV48X4 | RISCV_HAS_SV57X4;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_translation(&rows[i], i);
	setup.second = 4;
	setup.lacking = 0;
}

TEST(device_contexts_stay_until_invalidated)
{
	const struct row rows[] = {
		{ devices(), true },
		{ device(RID), true },
		{ device(RID + 1), false },
		{ process(RID, PASID), false },
		{ every(IOPF_ALL, 0, 0, 0), false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_translation translation;

		printf("# row %u\n", i);
		create();
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		tc_set(0, TC(V));
		CHECK_EQ(ask(IOVA, R, &translation), MODEL_SUCCESS);
		command(rows[i].command);
		CHECK_EQ(ask(IOVA, R, &translation), rows[i].fresh ? MODEL_UR : MODEL_SUCCESS);
	}
}

TEST(process_contexts_stay_until_they_or_their_device_are_invalidated)
{
	const struct row rows[] = {
		{ devices(), true },
		{ device(RID), true },
		{ device(RID + 1), false },
		{ process(RID, PASID), true },
		{ process(RID, PASID + 1), false },
		{ process(RID + 1, PASID), false },
		{ every(IOPF_ALL, 0, 0, 0), false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t gpa;

		printf("# row %u\n", i);
		create();
		gpa = map(IOVA, R, MARKED);
		CHECK_EQ(asked(IOVA, R, gpa), R);
		pc_write(PASID, 0, 0);
		command(rows[i].command);
		/* The translation is forgotten in any case. */
		command(every(IOPF_ONE_PASID, GSCID, PSCID, 0));
		CHECK_EQ(asked(IOVA, R, gpa), rows[i].fresh ? 0 : R);
	}
}

TEST(more_pages_than_lines_are_all_translated)
{
	create();
	for (uint64_t i = 0; i < 256; i++)
		CHECK_EQ(sv_map(&w.first, IOVA + i * K4, i * K4, K4, R | W, MARKED), 0);
	for (uint64_t round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 256; i++)
			CHECK_EQ(asked(IOVA + i * K4, R, i * K4), R);
	CHECK_EQ(asked(IOVA, R, 0), R);
	CHECK_EQ(asked(IOVA, R, 0), R);
	CHECK(model_iommu_stats(w.iommu).misses >= 3 * (256 - 64));
	CHECK(model_iommu_stats(w.iommu).hits >= 1);
}

TEST(a_fence_is_done_after_what_was_before_it)
{
	const struct iopf_command all = every(IOPF_DOMAIN, GSCID, 0, SECOND);
	uint64_t wait;

	create();
	go_stale();
	CHECK_EQ(iopf_driver_submit(w.driver, &all), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	CHECK_EQ(asked(IOVA, R | W, old_page), R | W);
	CHECK_EQ(model_iommu_run(w.iommu, 1, 0), 1);
	CHECK(!iopf_driver_waited(w.driver, wait));
	CHECK_EQ(asked(IOVA, R | W, new_page), R | W);
	CHECK_EQ(model_iommu_run(w.iommu, 1, 0), 1);
	CHECK(iopf_driver_waited(w.driver, wait));
}

/* ---- Device TLBs ---------------------------------------------------------------------------- */

static struct iopf_command ats_inval(uint32_t pasid, uint64_t addr, uint64_t size_bytes)
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
	create();
	command(ats_inval(PASID, IOVA, K4));
	CHECK_EQ(w.invalidations, 1);
	CHECK_EQ(w.pasid, PASID);
	CHECK_EQ(w.payload, model_invalidate_payload(IOVA, K4, false));
	command(ats_inval(NONE, IOVA & ~(8 * K4 - 1), 8 * K4));
	CHECK_EQ(w.pasid, NONE);
	CHECK_EQ(w.payload, model_invalidate_payload(IOVA & ~(8 * K4 - 1), 8 * K4, false));
	command(ats_inval(PASID, 0, 0));
	CHECK_EQ(w.payload, model_invalidate_payload(0, 0, false));
	CHECK_EQ(model_iommu_stats(w.iommu).invalidations, 3);
}

TEST(a_function_that_is_slow_holds_the_fence_up)
{
	const struct iopf_command slow = ats_inval(PASID, IOVA, K4);
	uint64_t wait;

	create();
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

TEST(a_function_that_does_not_answer_is_reported_at_the_next_fence)
{
	const struct iopf_command silent = ats_inval(PASID, IOVA, K4);
	uint64_t given_up, wait;

	create();
	w.invalidate_result = -EAGAIN;
	CHECK_EQ(iopf_driver_submit(w.driver, &silent), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 5000);
	model_iommu_run(w.iommu, 16, 6000);
	CHECK_EQ(model_iommu_stats(w.iommu).invalidation_timeouts, 1);
	CHECK_EQ(reg(RISCV_CQCSR) & RISCV_CQCSR_TO, 0);
	CHECK_EQ(iopf_driver_errors(w.driver), 0);
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &given_up), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 6000);
	CHECK((reg(RISCV_CQCSR) & RISCV_CQCSR_TO) != 0);
	CHECK(!iopf_driver_waited(w.driver, given_up));
	CHECK_EQ(iopf_driver_errors(w.driver), IOPF_DRIVER_TIMEOUT);
	CHECK_EQ(reg(RISCV_CQCSR) & RISCV_CQCSR_TO, 0);
	w.invalidate_result = 0;
	CHECK_EQ(iopf_driver_wait(w.driver, 0, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 6000);
	CHECK(iopf_driver_waited(w.driver, wait));
	CHECK(no_event());
}

int main(void)
{
	return test_main();
}
