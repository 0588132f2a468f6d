/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests through the AMD model, and the responses to them. */
#include "amd_world.h"

enum { USABLE = ENTRIES - 1 };

static struct iopf_request got[2 * ENTRIES];

TEST(a_request_reaches_software_and_its_response_the_function)
{
	amd_world_create(0);
	page_request(IOVA, 0x1ab, IOPF_LAST);
	CHECK_EQ(w.interrupts, 1);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].addr, IOVA);
	CHECK_EQ(got[0].rid, RID);
	CHECK_EQ(got[0].pasid, PASID);
	CHECK_EQ(got[0].index, 0x1ab);
	CHECK_EQ(got[0].perm, R | W);
	CHECK_EQ(got[0].flags, IOPF_LAST);
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID,
				       .pasid = PASID, .index = 0x1ab,
				       .code = IOPF_INVALID });
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].rid, RID);
	CHECK_EQ(w.response[0].pasid, PASID);
	CHECK_EQ(w.response[0].index, 0x1ab);
	CHECK_EQ(w.response[0].code, 1);
}

TEST(without_gn_a_response_carries_no_pasid)
{
	amd_world_create(0);
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID,
				       .pasid = NONE, .index = 3 });
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].pasid, NONE);
	CHECK_EQ(w.response[0].code, 0);
}

TEST(prefix_and_payload_make_one_request)
{
	const struct iopf_request request = { .addr = IOVA, .rid = RID, .pasid = PASID,
					      .index = 3, .perm = R, .flags = IOPF_LAST };

	amd_world_create(0);
	w.up.page_request(w.up.context, RID, PASID, IOPF_EXEC | IOPF_PRIV,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].perm, R | IOPF_EXEC | IOPF_PRIV);
}

TEST(a_stop_marker_passes_and_one_of_another_type_does_not)
{
	amd_world_create(0);
	w.up.page_request(w.up.context, RID, PASID, 0, 4);
	w.up.page_request(w.up.context, RID, PASID, 0, 4 | 1 << 3);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].flags, IOPF_STOP);
	CHECK_EQ(got[0].pasid, PASID);
	CHECK_EQ(model_iommu_stats(w.iommu).bad_messages, 1);
	CHECK_EQ(w.response_count, 0);
}

static void keep_out(bool response_pasid)
{
	amd_world_create(0);
	w.dte.pri = false;
	w.dte.response_pasid = response_pasid;
	dte_write(RID);
}

TEST(without_PPR_a_request_is_refused_answered_and_logged)
{
	struct iopf_fault fault;

	keep_out(true);
	page_request(IOVA, 5, 0);
	CHECK_EQ(w.response_count, 0);
	CHECK(!only_event().last);
	page_request(IOVA, 5, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].code, 15);
	CHECK_EQ(w.response[0].index, 5);
	CHECK_EQ(w.response[0].pasid, PASID);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_AMD_REASON(IOPF_AMD_INVALID_PPR_REQUEST, 0));
	CHECK_EQ(fault.rid, RID);
	CHECK_EQ(fault.pasid, PASID);
	CHECK_EQ(fault.index, 5);
	CHECK_EQ(fault.addr, IOVA);
	CHECK_EQ(fault.perm, R | W);
	CHECK(fault.last);
	CHECK_EQ(model_iommu_stats(w.iommu).refused_requests, 2);
	/* A stop marker that is not let in has no answer either. */
	w.up.page_request(w.up.context, RID, PASID, 0, 4);
	CHECK_EQ(w.response_count, 1);
}

TEST(the_iommu_s_own_responses_carry_the_pasid_where_GPRP_says_so)
{
	keep_out(false);
	page_request(IOVA, 5, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].pasid, NONE);
}

TEST(an_unknown_requester_is_refused_and_nobody_is_answered)
{
	const struct iopf_request request = { .addr = IOVA, .pasid = PASID, .perm = R,
					      .flags = IOPF_LAST };

	amd_world_create(0);
	w.up.page_request(w.up.context, RID + 1, PASID, 0,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	CHECK_EQ(only_event().rid, RID + 1);
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
}

/* Fill the log, and one more. */
static void overflow(void)
{
	for (uint16_t i = 0; i < USABLE; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(w.response_count, 0);
	page_request(IOVA, 300, IOPF_LAST);
	CHECK_EQ(reg(AMD_STATUS) & (AMD_PPR_OVERFLOW | AMD_PPR_RUN), AMD_PPR_OVERFLOW);
}

TEST(what_overflows_is_lost_and_the_log_starts_again_when_told)
{
	amd_world_create(0);
	overflow();
	/* Room again, but it has stopped. */
	CHECK_EQ(iopf_driver_poll(w.driver, got, 2 * ENTRIES), USABLE);
	page_request(IOVA, 301, IOPF_LAST);
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), -EOVERFLOW);
	while (iopf_driver_recover(w.driver) == -EAGAIN)
		model_iommu_run(w.iommu, 16, 0);
	page_request(IOVA, 302, IOPF_LAST);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].index, 302);
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(iopf_hardware_stats(model_iommu_hardware(w.iommu))->dropped, 2);
}

/* What the public sources restate of automatic responses; nothing here has them unless it
 * is asked for. */
TEST(automatic_responses_have_the_code_that_software_chose)
{
	static const struct {
		uint8_t code, sent;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 15, 15 } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		amd_world_create(IOPF_AMD_PPR_AUTO);
		reg_set(AMD_PPR_AUTO, rows[i].code);
		reg_set(AMD_CONTROL, reg(AMD_CONTROL) | AMD_PPR_AUTO_EN);
		overflow();
		CHECK_EQ(w.response_count, 1);
		CHECK_EQ(w.response[0].index, 300);
		CHECK_EQ(w.response[0].code, rows[i].sent);
		CHECK_EQ(w.response[0].pasid, PASID);
		page_request(IOVA, 301, 0); /* not the last: no answer */
		CHECK_EQ(w.response_count, 1);
		CHECK_EQ(model_iommu_stats(w.iommu).auto_success, rows[i].sent == 0);
	}
}

/* The same: a log that says that it will soon be full. */
TEST(early_overflow_is_told_at_the_entry_that_software_chose)
{
	amd_world_create(IOPF_AMD_PPR_EARLY);
	reg_set(AMD_PPR_EARLY, AMD_EARLY_EN | 10);
	for (uint16_t i = 0; i < 9; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(reg(AMD_STATUS) & AMD_PPR_IS_EARLY, 0);
	page_request(IOVA, 9, IOPF_LAST);
	CHECK((reg(AMD_STATUS) & AMD_PPR_IS_EARLY) != 0);
	CHECK((reg(AMD_STATUS) & AMD_PPR_RUN) != 0);
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(iopf_driver_poll(w.driver, got, ENTRIES), 10);
}

TEST(automatic_responses_and_early_overflow_are_off_unless_they_are_asked_for)
{
	amd_world_create(0);
	reg_set(AMD_CONTROL, reg(AMD_CONTROL) | AMD_PPR_AUTO_EN | AMD_PPR_AUTO_ALWAYS);
	CHECK_EQ(reg(AMD_CONTROL) & (AMD_PPR_AUTO_EN | AMD_PPR_AUTO_ALWAYS), 0);
	overflow();
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(reg(AMD_STATUS) & AMD_PPR_IS_EARLY, 0);
}

/* The tail runs ahead of what it announces: nothing is taken that is not written. */
TEST(entries_that_are_written_late_are_waited_for)
{
	quirks = IOPF_AMD_LATE_ENTRIES;
	amd_world_create(0);
	quirks = 0;
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(reg(AMD_PPR_TAIL), 16);
	CHECK_EQ(w.interrupts, 1);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	page_request(IOVA, 2, IOPF_LAST);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].index, 1);
	model_iommu_run(w.iommu, 16, 0);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].index, 2);
}

TEST(without_a_log_the_last_is_answered_failure)
{
	amd_world_create(0);
	reg_set(AMD_CONTROL, reg(AMD_CONTROL) & ~(uint64_t)AMD_PPR_EN);
	page_request(IOVA, 9, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].code, 15);
	CHECK_EQ(only_event().reason, IOPF_AMD_REASON(IOPF_AMD_INVALID_PPR_REQUEST, 0));
	CHECK_EQ(model_iommu_stats(w.iommu).unqueued, 1);
}

TEST(a_wait_is_done_when_all_that_was_sent_is_in_the_log)
{
	uint64_t wait;

	amd_world_create(0);
	for (uint16_t i = 0; i < 10; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(iopf_driver_wait(w.driver, IOPF_WAIT_DRAIN | IOPF_WAIT_FENCE, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 0);
	CHECK(iopf_driver_waited(w.driver, wait));
	CHECK_EQ(reg(AMD_PPR_TAIL), 10 * 16);
}

TEST(a_response_to_nobody_is_lost_and_counted)
{
	amd_world_create(0);
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID + 9,
				       .pasid = NONE });
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
	CHECK_EQ(w.response_count, 0);
}

int main(void)
{
	return test_main();
}
