/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests through the VT-d model, and the responses to them. */
#include "vtd_world.h"

enum { USABLE = 127 };

static struct iopf_request got[256];

TEST(a_request_reaches_software_and_its_response_the_function)
{
	vtd_world_create(true);
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
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].rid, RID);
	CHECK_EQ(w.stub.response[0].pasid, PASID);
	CHECK_EQ(w.stub.response[0].index, 0x1ab);
	CHECK_EQ(w.stub.response[0].code, 1);
}

TEST(prefix_and_payload_make_one_request)
{
	const struct iopf_request request = { .addr = IOVA, .rid = RID, .pasid = PASID,
					      .index = 3, .perm = R, .flags = IOPF_LAST };

	vtd_world_create(true);
	w.up.page_request(w.up.context, RID, PASID, IOPF_EXEC,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].perm, R | IOPF_EXEC);
}

TEST(a_stop_marker_passes_and_one_of_another_type_does_not)
{
	vtd_world_create(true);
	w.up.page_request(w.up.context, RID, PASID, 0, 4);
	w.up.page_request(w.up.context, RID, PASID, 0, 4 | 1 << 3);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].flags, IOPF_STOP);
	CHECK_EQ(got[0].pasid, PASID);
	CHECK_EQ(model_iommu_stats(w.iommu).bad_messages, 1);
	CHECK_EQ(w.stub.response_count, 0);
}

TEST(without_PRE_a_request_is_refused_and_a_fault_is_recorded)
{
	vtd_world_create(false);
	page_request(IOVA, 5, 0);
	CHECK_EQ(w.stub.response_count, 0);
	page_request(IOVA, 5, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].code, 15);
	CHECK_EQ(w.stub.response[0].index, 5);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	CHECK_EQ(vtd_register(VTD_FRCD + 8, 8),
		 VTD_FRCD_F | VTD_FRCD_T2 | VTD_FRCD_PP | (uint64_t)PASID << 40 |
			 (uint64_t)VTD_REASON_PRE_CLEAR << 32 | RID);
	CHECK_EQ(model_iommu_stats(w.iommu).refused_requests, 2);
	/* A stop marker that is not let in has no answer either. */
	w.up.page_request(w.up.context, RID, PASID, 0, 4);
	CHECK_EQ(w.stub.response_count, 1);
}

TEST(an_unknown_requester_is_refused_and_nobody_is_answered)
{
	const struct iopf_request request = { .addr = IOVA, .pasid = PASID, .perm = R,
					      .flags = IOPF_LAST };

	vtd_world_create(true);
	w.up.page_request(w.up.context, RID + 1, PASID, 0,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	CHECK_EQ(vtd_register(VTD_FRCD + 8, 8) >> 32 & 0xff, VTD_REASON_CONTEXT_NOT_PRESENT);
	CHECK_EQ(w.stub.response_count, 0);
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
}

TEST(a_context_says_by_itself_whether_its_faults_are_recorded)
{
	const struct vtd_context quiet = { .pdts = 7, .ats = true, .pasid = true,
					   .quiet = true };

	vtd_world_create(false);
	CHECK_EQ(vtd_builder_context(&w.builder, RID, &quiet), 0);
	page_request(IOVA, 5, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(vtd_register(VTD_FSTS, 4), 0);
}

TEST(in_an_overflow_the_last_is_answered_success_and_others_are_dropped)
{
	vtd_world_create(true);
	for (uint16_t i = 0; i < USABLE; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 0);
	page_request(IOVA, 200, 0);
	CHECK_EQ(w.stub.response_count, 0);
	page_request(IOVA, 200, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].code, 0);
	CHECK_EQ(w.stub.response[0].index, 200);
	CHECK_EQ(w.stub.response[0].pasid, PASID);
	/* Room again, but the flag stands. */
	CHECK_EQ(iopf_driver_poll(w.driver, got, 256), USABLE);
	page_request(IOVA, 201, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 2);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 256), -EOVERFLOW);
	CHECK_EQ(iopf_driver_recover(w.driver), 0);
	page_request(IOVA, 202, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 2);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 256), 1);
	CHECK_EQ(model_iommu_stats(w.iommu).auto_success, 2);
}

TEST(without_a_queue_the_last_is_answered_invalid)
{
	vtd_world_create(true);
	CHECK_EQ(iopf_hardware_write(model_iommu_hardware(w.iommu), VTD_PQA, 8, 0), 0);
	page_request(IOVA, 9, IOPF_LAST);
	CHECK_EQ(w.stub.response_count, 1);
	CHECK_EQ(w.stub.response[0].code, 1);
	CHECK_EQ(model_iommu_stats(w.iommu).unqueued, 1);
}

TEST(a_drain_is_done_when_all_that_was_sent_is_in_the_queue)
{
	uint64_t wait;

	vtd_world_create(true);
	for (uint16_t i = 0; i < 10; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(iopf_driver_wait(w.driver, IOPF_WAIT_DRAIN | IOPF_WAIT_FENCE, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 0);
	CHECK(iopf_driver_waited(w.driver, wait));
	CHECK_EQ(vtd_register(VTD_PQT, 8), 10 * 32);
}

TEST(a_response_to_nobody_is_lost_and_counted)
{
	vtd_world_create(true);
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID + 9,
				       .pasid = IOPF_PASID_NONE });
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
	CHECK_EQ(w.stub.response_count, 0);
}

/* A function may ask again from inside its response: PCIe messages are posted. */
static void retry(void *context, uint32_t pasid, uint64_t payload)
{
	stub_response(context, pasid, payload);
	if (w.stub.response_count < 3)
		page_request(IOVA, 77, IOPF_LAST);
}

TEST(a_function_that_asks_again_inside_its_response_is_served)
{
	const struct model_downstream eager = { .context = &w.stub,
						.response = retry,
						.invalidate = stub_invalidate };

	vtd_world_create(true);
	CHECK_EQ(model_iommu_connect(w.iommu, RID, &eager), 0);
	page_request(IOVA, 77, IOPF_LAST);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
		command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID,
					       .pasid = PASID, .index = 77 });
	}
	CHECK_EQ(w.stub.response_count, 3);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
}

int main(void)
{
	return test_main();
}
