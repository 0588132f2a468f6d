/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: page requests through an SMMU's queue, and what it answers by itself. */
#include "smmuv3_world.h"

static struct iopf_request got;

static void respond(uint16_t index, enum iopf_code code, uint32_t pasid)
{
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE,
				       .rid = RID,
				       .pasid = pasid,
				       .index = index,
				       .code = (uint8_t)code });
}

static const struct iopf_prg_response *last(void)
{
	CHECK(w.response_count > 0);
	return &w.response[w.response_count - 1];
}

TEST(a_message_becomes_a_record)
{
	smmuv3_world_create();
	page_request(IOVA, 0x155, IOPF_LAST);
	CHECK(request(&got));
	CHECK_EQ(got.addr, IOVA);
	CHECK_EQ(got.rid, RID);
	CHECK_EQ(got.pasid, PASID);
	CHECK_EQ(got.index, 0x155);
	CHECK_EQ(got.perm, R | W);
	CHECK_EQ(got.flags, IOPF_LAST);
	CHECK(!request(&got));
	CHECK_EQ(stats().requests, 1);
}

TEST(a_response_goes_to_the_function_in_its_own_numbers)
{
	static const uint8_t codes[] = { [IOPF_SUCCESS] = 0, [IOPF_INVALID] = 1,
					 [IOPF_FAILURE] = 15 };

	smmuv3_world_create();
	for (int code = 0; code < IOPF_CODE_COUNT; code++) {
		respond((uint16_t)(7 + code), (enum iopf_code)code,
			code == IOPF_INVALID ? IOPF_PASID_NONE : PASID);
		CHECK_EQ(last()->index, 7 + code);
		CHECK_EQ(last()->rid, RID);
		CHECK_EQ(last()->pasid, code == IOPF_INVALID ? IOPF_PASID_NONE : PASID);
		CHECK_EQ(last()->code, codes[code]);
	}
	CHECK_EQ(stats().responses, IOPF_CODE_COUNT);
}

TEST(a_response_to_nobody_is_lost)
{
	smmuv3_world_create();
	CHECK_EQ(model_iommu_connect(w.iommu, RID, NULL), 0);
	respond(1, IOPF_SUCCESS, PASID);
	CHECK_EQ(stats().responses_nowhere, 1);
	CHECK_EQ(w.response_count, 0);
}

/* A master takes none: it has no page requests. */
TEST(a_response_to_a_master_is_lost)
{
	smmuv3_world_create();
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = STREAM,
				       .pasid = IOPF_PASID_NONE, .index = 3 });
	CHECK_EQ(stats().responses_nowhere, 1);
}

/* ---- What the SMMU answers by itself (8.1, 8.2) ----------------------------------------- */

static void fill(void)
{
	for (uint16_t n = 0; n < REQUESTS; n++)
		page_request(IOVA + n * K4, n, IOPF_LAST);
	CHECK_EQ(w.response_count, 0);
}

TEST(in_an_overflow_a_last_is_answered_success_and_others_are_dropped)
{
	smmuv3_world_create();
	fill();
	page_request(IOVA, 100, 0);
	CHECK_EQ(w.response_count, 0);
	page_request(IOVA, 100, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(last()->code, 0);
	CHECK_EQ(last()->index, 100);
	CHECK_EQ(stats().auto_success, 1);
	/* Room alone does not end it: the overflow has to be acknowledged. */
	reg_set(SMMUV3_PRIQ_CONS, 4, REQUESTS); /* all are taken, flag as it was */
	page_request(IOVA, 101, IOPF_LAST);
	CHECK_EQ(w.response_count, 2);
	reg_set(SMMUV3_PRIQ_CONS, 4, REQUESTS | SMMUV3_QUEUE_OVERFLOW);
	page_request(IOVA, 102, IOPF_LAST);
	CHECK_EQ(w.response_count, 2);
	CHECK(request(&got));
	CHECK_EQ(got.index, 102);
}

static void overflow_with(const struct smmuv3_ste *ste, uint32_t pasid)
{
	const struct iopf_request from = { .addr = IOVA, .rid = RID, .pasid = pasid,
					   .index = 9, .perm = R, .flags = IOPF_LAST };

	fill();
	if (ste != NULL)
		entry_put(RID, ste);
	w.up.page_request(w.up.context, RID, pasid, 0, iopf_pcie_encode_request(&from));
	CHECK_EQ(w.response_count, 1);
}

TEST(a_success_of_its_own_carries_the_pasid_as_the_entry_says)
{
	struct smmuv3_ste ste;

	smmuv3_world_create();
	ste = entry_usual(false);
	overflow_with(&ste, PASID);
	CHECK_EQ(last()->pasid, PASID);
	smmuv3_world_create();
	ste = entry_usual(false);
	overflow_with(&ste, IOPF_PASID_NONE);
	CHECK_EQ(last()->pasid, IOPF_PASID_NONE);
	smmuv3_world_create();
	ste = entry_usual(false);
	ste.response_pasid = false;
	overflow_with(&ste, PASID);
	CHECK_EQ(last()->pasid, IOPF_PASID_NONE);
	CHECK_EQ(last()->code, 0);
}

TEST(with_pps_it_always_does)
{
	struct model_iommu_options options = iommu_usual();
	struct smmuv3_ste ste;

	options.features = IOPF_SMMUV3_PHYSICAL | IOPF_SMMUV3_PPS;
	smmuv3_world_create_with(&options);
	ste = entry_usual(false);
	ste.response_pasid = false;
	overflow_with(&ste, PASID);
	CHECK_EQ(last()->pasid, PASID);
}

TEST(without_a_legal_entry_it_is_a_failure_without_a_pasid)
{
	uint64_t addr;
	struct smmuv3_ste ste;

	smmuv3_world_create();
	CHECK_EQ(smmuv3_find_ste(&w.host.memory, &w.builder.features, w.builder.root,
				 w.builder.root_config, RID, &addr, &ste),
		 SMMUV3_EVENT_NONE);
	world_store(&w.host, addr, 0); /* not valid */
	overflow_with(NULL, PASID);
	CHECK_EQ(last()->code, 15);
	CHECK_EQ(last()->pasid, IOPF_PASID_NONE);
}

TEST(with_the_queue_off_every_request_is_answered_failure)
{
	static const uint32_t off[] = { CR0_ON & ~SMMUV3_PRIQEN,
					CR0_ON & ~SMMUV3_PRIQEN & ~SMMUV3_SMMUEN };

	for (size_t n = 0; n < 2; n++) {
		smmuv3_world_create();
		reg_set(SMMUV3_CR0, 4, off[n]);
		page_request(IOVA, 3, 0);
		CHECK_EQ(w.response_count, 1);
		CHECK_EQ(last()->code, 15);
		CHECK_EQ(last()->pasid, IOPF_PASID_NONE);
		page_request(IOVA, 3, IOPF_LAST);
		CHECK_EQ(w.response_count, 2);
		CHECK_EQ(stats().unqueued, 2);
	}
}

TEST(a_stop_marker_is_never_answered)
{
	const struct iopf_request marker = { .rid = RID, .pasid = PASID, .flags = IOPF_STOP };

	smmuv3_world_create();
	w.up.page_request(w.up.context, RID, PASID, 0, iopf_pcie_encode_request(&marker));
	CHECK(request(&got));
	CHECK_EQ(got.flags, IOPF_STOP);
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_PRIQEN);
	w.up.page_request(w.up.context, RID, PASID, 0, iopf_pcie_encode_request(&marker));
	CHECK_EQ(w.response_count, 0);
}

TEST(a_message_that_is_no_request_is_counted)
{
	smmuv3_world_create();
	w.up.page_request(w.up.context, RID, PASID, 0, 4 | 1 << 3); /* a marker of type 1 */
	CHECK_EQ(stats().bad_messages, 1);
	CHECK(!request(&got));
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(w.iommu);
	return failed;
}
