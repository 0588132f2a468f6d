/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: page requests through the RISC-V model, and the responses to them: every
 * row of what it answers by itself.
 */
#include "riscv_world.h"

enum { USABLE = ENTRIES - 1, INDEX = 5 };

static struct iopf_request got[2 * ENTRIES];

TEST(a_request_reaches_software_and_its_response_the_function)
{
	riscv_world_create();
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

TEST(without_PV_a_response_carries_no_pasid)
{
	riscv_world_create();
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID,
				       .pasid = NONE, .index = 3 });
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].pasid, NONE);
	CHECK_EQ(w.response[0].code, 0);
}

TEST(a_response_to_nobody_is_lost_and_counted)
{
	riscv_world_create();
	command((struct iopf_command){ .kind = IOPF_COMMAND_RESPONSE, .rid = RID + 9,
				       .pasid = NONE });
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
	CHECK_EQ(w.response_count, 0);
}

TEST(prefix_and_payload_make_one_request)
{
	const struct iopf_request request = { .addr = IOVA, .rid = RID, .pasid = PASID,
					      .index = 3, .perm = R, .flags = IOPF_LAST };

	riscv_world_create();
	w.up.page_request(w.up.context, RID, PASID, IOPF_EXEC | IOPF_PRIV,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].perm, R | IOPF_EXEC | IOPF_PRIV);
}

TEST(a_stop_marker_passes_and_one_of_another_type_does_not)
{
	riscv_world_create();
	w.up.page_request(w.up.context, RID, PASID, 0, 4);
	w.up.page_request(w.up.context, RID, PASID, 0, 4 | 1 << 3);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].flags, IOPF_STOP);
	CHECK_EQ(got[0].pasid, PASID);
	CHECK_EQ(model_iommu_stats(w.iommu).bad_messages, 1);
	CHECK_EQ(w.response_count, 0);
}

/* Whether there is such a process, and any at all, is software's business. */
TEST(only_the_device_s_context_is_asked)
{
	riscv_world_create();
	pc_write(PASID, 0, 0);
	page_request(IOVA, 1, IOPF_LAST);
	tc_set(0, TC(PDTV));
	w.dc.word[3] = 0;
	dc_write(RID);
	page_request(IOVA, 2, IOPF_LAST);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 2);
	CHECK(no_event());
	CHECK_EQ(w.response_count, 0);
}

/* ---- Automatic responses ------------------------------------------------------------------ */

static void off(void)
{
	reg_set(RISCV_DDTP, 8, RISCV_MODE_OFF);
}

static void bare(void)
{
	mode_set(RISCV_MODE_BARE);
}

/* A single level tells 7 bits of a device apart. */
static void narrow(void)
{
	mode_set(RISCV_MODE_1LVL);
}

static void lost_directory(void)
{
	world_store(&w.host, w.ddt[2], 1 | NOWHERE >> 2);
}

static void lost_leaf(void)
{
	world_store(&w.host, w.ddt[1] + (RID >> 7) * 8, 1 | NOWHERE >> 2);
}

static void empty_directory(void)
{
	world_store(&w.host, w.ddt[2], 0);
}

static void reserved_directory(void)
{
	world_store(&w.host, w.ddt[1] + (RID >> 7) * 8, 3 | w.ddt[0] >> 2);
}

static void invalid(void)
{
	tc_set(0, TC(V));
}

static void reserved(void)
{
	tc_set(1 << 12, 0);
}

static void no_ats(void)
{
	tc_set(0, TC(EN_ATS));
}

static void responses_without_requests(void)
{
	tc_set(TC(PRPR), TC(EN_PRI));
}

static void no_pri(void)
{
	tc_set(0, TC(EN_PRI) | TC(PRPR));
}

static void queue_off(void)
{
	reg_set(RISCV_PQCSR, 4, 0);
}

static void queue_lost(void)
{
	queue_off();
	reg_set(RISCV_PQB, 8, NOWHERE >> 2 | 7);
	reg_set(RISCV_PQCSR, 4, RISCV_CSR_EN);
}

static void queue_was_lost(void)
{
	queue_lost();
	page_request(IOVA, 1, 0);
	CHECK((reg(RISCV_PQCSR) & RISCV_CSR_MF) != 0);
}

static void fill(void)
{
	for (uint16_t i = 0; i < USABLE; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(reg(RISCV_PQCSR) & RISCV_CSR_OF, 0);
}

/* Room again, but nobody cleared pqof. */
static void overflowed(void)
{
	fill();
	page_request(IOVA, 300, 0);
	CHECK((reg(RISCV_PQCSR) & RISCV_CSR_OF) != 0);
	reg_set(RISCV_PQH, 4, 100);
}

/* Whether the response has the request's PASID. */
enum { ALWAYS, AS_PRPR, NEVER };

static const struct {
	const char *name;
	void (*spoil)(void);
	uint8_t code;
	uint16_t cause; /* that is recorded; 0: nothing is */
	uint8_t pasid;
	bool dtf_hides;
} automatic[] = {
	{ "Off", off, 15, IOPF_RISCV_off, ALWAYS, false },
	{ "Bare", bare, 1, IOPF_RISCV_disallowed, NEVER, false },
	{ "device too wide", narrow, 1, IOPF_RISCV_disallowed, NEVER, false },
	{ "no memory for a directory", lost_directory, 15, IOPF_RISCV_ddt_access, ALWAYS, false },
	{ "no memory for contexts", lost_leaf, 15, IOPF_RISCV_ddt_access, ALWAYS, false },
	{ "no directory", empty_directory, 15, IOPF_RISCV_ddt_invalid, ALWAYS, false },
	{ "V is 0", invalid, 15, IOPF_RISCV_ddt_invalid, ALWAYS, false },
	{ "reserved bits of a directory", reserved_directory, 15, IOPF_RISCV_ddt_misconfigured,
	  ALWAYS, false },
	{ "reserved bits", reserved, 15, IOPF_RISCV_ddt_misconfigured, ALWAYS, false },
	{ "EN_PRI without EN_ATS", no_ats, 15, IOPF_RISCV_ddt_misconfigured, ALWAYS, false },
	{ "PRPR without EN_PRI", responses_without_requests, 15, IOPF_RISCV_ddt_misconfigured,
	  ALWAYS, false },
	{ "EN_PRI is 0", no_pri, 1, IOPF_RISCV_disallowed, NEVER, true },
	{ "pqen is 0", queue_off, 15, 0, ALWAYS, false },
	{ "cannot be written", queue_lost, 15, 0, ALWAYS, false },
	{ "pqmf stands", queue_was_lost, 15, 0, ALWAYS, false },
	{ "full", fill, 0, 0, AS_PRPR, false },
	{ "pqof stands", overflowed, 0, 0, AS_PRPR, false },
};

static void check_record(unsigned row, uint32_t pasid, bool dtf)
{
	struct iopf_fault fault;

	if (automatic[row].cause == 0 || (dtf && automatic[row].dtf_hides)) {
		CHECK(no_event());
		return;
	}
	fault = only_event();
	CHECK_EQ(fault.reason, automatic[row].cause);
	CHECK_EQ(fault.rid, RID);
	CHECK_EQ(fault.pasid, pasid);
	CHECK_EQ(fault.type, 9);
	CHECK_EQ(fault.addr, 4); /* the message's code */
	CHECK(fault.request);
}

/* What comes in one world after another: the last of a group, with a PASID and without. */
static void check_automatic(unsigned row, bool prpr, bool dtf, uint32_t pasid)
{
	const struct iopf_request request = { .addr = IOVA, .rid = RID, .pasid = pasid,
					      .index = INDEX, .perm = R, .flags = IOPF_LAST };
	uint8_t has = automatic[row].pasid;

	riscv_world_create();
	tc_set((prpr ? TC(PRPR) : 0) | (dtf ? TC(DTF) : 0), TC(PRPR));
	automatic[row].spoil();
	CHECK_EQ(w.response_count, 0);
	w.up.page_request(w.up.context, RID, pasid, 0, iopf_pcie_encode_request(&request));
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].code, automatic[row].code);
	CHECK_EQ(w.response[0].rid, RID);
	CHECK_EQ(w.response[0].index, INDEX);
	CHECK_EQ(w.response[0].pasid,
		 has == ALWAYS || (has == AS_PRPR && prpr) ? pasid : NONE);
	check_record(row, pasid, dtf);
}

TEST(each_condition_has_its_code_its_pasid_and_its_record)
{
	for (unsigned i = 0; i < sizeof(automatic) / sizeof(automatic[0]); i++) {
		printf("# %s\n", automatic[i].name);
		for (unsigned how = 0; how < 8; how++)
			check_automatic(i, how & 1, how & 2, how & 4 ? NONE : PASID);
	}
}

/* They are recorded all the same, where anything is. */
TEST(what_is_not_last_and_markers_are_never_answered)
{
	for (unsigned i = 0; i < sizeof(automatic) / sizeof(automatic[0]); i++) {
		printf("# %s\n", automatic[i].name);
		riscv_world_create();
		automatic[i].spoil();
		page_request(IOVA, INDEX, 0);
		check_record(i, PASID, false);
		w.up.page_request(w.up.context, RID, PASID, 0, 4);
		check_record(i, PASID, false);
		CHECK_EQ(w.response_count, 0);
	}
}

TEST(what_is_answered_is_counted)
{
	riscv_world_create();
	no_pri();
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(model_iommu_stats(w.iommu).refused_requests, 1);
	riscv_world_create();
	queue_off();
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(model_iommu_stats(w.iommu).unqueued, 1);
	riscv_world_create();
	fill();
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(model_iommu_stats(w.iommu).auto_success, 1);
	CHECK_EQ(model_iommu_stats(w.iommu).requests, USABLE + 1);
	CHECK_EQ(model_iommu_stats(w.iommu).responses, 1);
}

TEST(after_an_overflow_what_is_queued_is_served_and_then_it_goes_on)
{
	riscv_world_create();
	fill();
	page_request(IOVA, 300, IOPF_LAST);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 2 * ENTRIES), USABLE);
	page_request(IOVA, 301, IOPF_LAST);
	CHECK_EQ(w.response_count, 2);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), -EOVERFLOW);
	while (iopf_driver_recover(w.driver) == -EAGAIN)
		model_iommu_run(w.iommu, 16, 0);
	page_request(IOVA, 302, IOPF_LAST);
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 1);
	CHECK_EQ(got[0].index, 302);
	CHECK_EQ(w.response_count, 2);
}

TEST(a_fault_queue_that_is_off_does_not_change_the_answer)
{
	riscv_world_create();
	reg_set(RISCV_FQCSR, 4, 0);
	no_pri();
	page_request(IOVA, 1, IOPF_LAST);
	CHECK_EQ(w.response_count, 1);
	CHECK_EQ(w.response[0].code, 1);
	CHECK_EQ(reg(RISCV_FQT), 0);
}

TEST(an_unknown_requester_is_refused_and_nobody_is_answered)
{
	const struct iopf_request request = { .addr = IOVA, .pasid = PASID, .perm = R,
					      .flags = IOPF_LAST };

	riscv_world_create();
	w.up.page_request(w.up.context, RID + 1, PASID, 0,
			  iopf_pcie_encode_request(&request));
	CHECK_EQ(iopf_driver_poll(w.driver, got, 8), 0);
	CHECK_EQ(only_event().rid, RID + 1);
	CHECK_EQ(w.response_count, 0);
	CHECK_EQ(model_iommu_stats(w.iommu).responses_nowhere, 1);
}

TEST(a_wait_is_done_when_all_that_was_sent_is_in_the_queue)
{
	uint64_t wait;

	riscv_world_create();
	for (uint16_t i = 0; i < 10; i++)
		page_request(IOVA + i * K4, i, IOPF_LAST);
	CHECK_EQ(iopf_driver_wait(w.driver, IOPF_WAIT_DRAIN | IOPF_WAIT_FENCE, &wait), 0);
	CHECK_EQ(iopf_driver_kick(w.driver), 0);
	model_iommu_run(w.iommu, 16, 0);
	CHECK(iopf_driver_waited(w.driver, wait));
	CHECK_EQ(reg(RISCV_PQT), 10);
}

int main(void)
{
	return test_main();
}
