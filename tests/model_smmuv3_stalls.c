/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: transactions of platform masters stall, and go on, or not. */
#include "smmuv3_world.h"

static struct model_transaction touches[512];

/* A master's access to page @n from IOVA on. */
static int touch(uint32_t n, uint8_t perm)
{
	touches[n] = touch_of(IOVA + n * K4, perm);
	return transact(&touches[n]);
}

static void start(void)
{
	smmuv3_world_create();
	back_all();
}

static int last_result(void)
{
	CHECK(w.released_count > 0);
	return w.released[w.released_count - 1].result;
}

/* ---- One stall ------------------------------------------------------------------------ */

TEST(a_fault_is_held_and_told_in_the_event_queue)
{
	struct model_transaction write = touch_of(IOVA + 0x123, W | IOPF_PRIV);
	struct iopf_fault fault;

	start();
	CHECK_EQ(transact(&write), -EINPROGRESS);
	fault = only_event();
	CHECK_EQ(fault.reason, IOPF_SMMUV3_F_TRANSLATION);
	CHECK(fault.stall);
	CHECK_EQ(fault.rid, STREAM);
	CHECK_EQ(fault.pasid, SUBSTREAM);
	CHECK_EQ(fault.addr, IOVA + 0x123);
	CHECK_EQ(fault.perm, W | IOPF_PRIV);
	CHECK_EQ(fault.stage, 1);
	CHECK_EQ(fault.what, IOPF_FAULT_INPUT);
	CHECK_EQ(w.released_count, 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
	CHECK_EQ(model_iommu_stalled(w.iommu, OTHER), 0);
	CHECK_EQ(w.seen_count, 1);
	CHECK_EQ(w.seen[0].index, fault.index);
}

TEST(a_retry_walks_again_and_carries_the_transaction_out)
{
	uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct model_transaction write = touch_of(IOVA + 0x10, W);
	struct iopf_fault fault;
	uint64_t gpa;

	start();
	gpa = guest_page();
	write.buffer = bytes;
	write.size_bytes = sizeof(bytes);
	CHECK_EQ(transact(&write), -EINPROGRESS);
	fault = only_event();
	map(IOVA, gpa, R | W);
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(w.released_count, 1);
	CHECK(w.released[0].transaction == &write);
	CHECK_EQ(w.released[0].result, 0);
	CHECK(memcmp((uint8_t *)guest_memory(gpa) + 0x10, bytes, sizeof(bytes)) == 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_TAKEN);
	CHECK(no_event());
}

TEST(a_retry_that_finds_nothing_is_a_stall_of_its_own)
{
	struct iopf_fault fault, again;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(w.released_count, 0);
	again = only_event();
	CHECK_EQ(again.addr, fault.addr);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
	CHECK_EQ(w.seen_count, 2);
	resume(&again, IOPF_INVALID);
	CHECK_EQ(last_result(), -EFAULT);
}

TEST(an_abort_ends_the_transaction)
{
	struct iopf_fault fault;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	map(IOVA, guest_page(), R | W);
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(last_result(), -EFAULT);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
	CHECK_EQ(stats().aborted, 1);
}

/* What is missing may be a page of the guest's tables or descriptors: told as such. */
TEST(a_page_that_stage_2_lacks_stalls_and_is_told_by_its_intermediate_address)
{
	struct iopf_fault fault;
	uint64_t gpa;

	smmuv3_world_create();
	gpa = guest_page();
	map(IOVA, gpa, R | W);
	CHECK_EQ(touch(0, W), -EINPROGRESS);
	fault = only_event();
	CHECK_EQ(fault.stage, 2);
	CHECK_EQ(fault.what, IOPF_FAULT_DESCRIPTOR);
	CHECK_EQ(fault.gpa, w.contexts);
	CHECK_EQ(fault.addr, IOVA);
	back(w.contexts, R);
	resume(&fault, IOPF_SUCCESS);
	fault = only_event();
	CHECK_EQ(fault.stage, 2);
	CHECK_EQ(fault.what, IOPF_FAULT_TABLE);
	CHECK_EQ(fault.gpa, w.first.format.half[0].root);
	for (uint64_t at = 0; at < GUEST_PAGES * K4; at += K4)
		if (at != w.contexts && at != gpa)
			back(at, R | W);
	resume(&fault, IOPF_SUCCESS);
	fault = only_event();
	CHECK_EQ(fault.what, IOPF_FAULT_INPUT);
	CHECK_EQ(fault.gpa, gpa);
	back(gpa, R | W);
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(last_result(), 0);
}

/* ---- Tags ----------------------------------------------------------------------------- */

TEST(a_second_resume_does_nothing_and_is_told)
{
	struct iopf_fault fault;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(touch(1, R), -EINPROGRESS);
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(w.resumed_count, 2);
	CHECK_EQ(w.resumed[1].verdict, MODEL_STALL_SECOND);
	CHECK_EQ(w.resumed[1].tag, fault.index);
	CHECK_EQ(stats().resumed[MODEL_STALL_SECOND], 1);
	CHECK_EQ(w.released_count, 1);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
}

TEST(a_tag_counts_only_with_its_stream)
{
	struct iopf_fault fault;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	command(resume_of(OTHER, fault.index, IOPF_SUCCESS));
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_UNKNOWN);
	command(resume_of(STREAM, (uint16_t)(fault.index + 1), IOPF_SUCCESS));
	command(resume_of(STREAM, 0xffff, IOPF_SUCCESS));
	CHECK_EQ(stats().resumed[MODEL_STALL_UNKNOWN], 3);
	CHECK_EQ(w.released_count, 0);
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(w.released_count, 1);
}

TEST(no_tag_is_used_again_before_its_answer)
{
	struct iopf_fault faults[STALL_MAX + 1];

	start();
	for (uint32_t n = 0; n < STALL_MAX; n++) {
		CHECK_EQ(touch(n, R), -EINPROGRESS);
		CHECK(event(&faults[n]));
		for (uint32_t k = 0; k < n; k++)
			CHECK(faults[k].index != faults[n].index);
	}
	resume(&faults[3], IOPF_INVALID);
	CHECK_EQ(touch(STALL_MAX, R), -EINPROGRESS);
	CHECK(event(&faults[STALL_MAX]));
	CHECK_EQ(faults[STALL_MAX].index, faults[3].index);
}

TEST(one_pool_is_shared_by_all_streams_and_nobody_overtakes)
{
	struct model_transaction other = touch_of(IOVA, R);
	struct iopf_fault fault;

	start();
	other.rid = OTHER;
	for (uint32_t n = 0; n < STALL_MAX + 2; n++)
		CHECK_EQ(touch(n, R), -EINPROGRESS);
	CHECK_EQ(transact(&other), -EINPROGRESS);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), STALL_MAX);
	CHECK_EQ(w.seen_count, STALL_MAX);
	/* Each answer lets the next one in: in the order that they came. */
	for (uint32_t n = 0; n < STALL_MAX + 3; n++) {
		CHECK(event(&fault));
		CHECK_EQ(fault.rid, n == STALL_MAX + 2 ? OTHER : STREAM);
		CHECK_EQ(fault.addr, n == STALL_MAX + 2 ? IOVA : IOVA + n * K4);
		resume(&fault, IOPF_INVALID);
	}
	CHECK(no_event());
	CHECK_EQ(w.released_count, STALL_MAX + 3);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
}

TEST(a_retry_that_faults_again_goes_to_the_end_of_the_line)
{
	struct iopf_fault fault;

	start();
	for (uint32_t n = 0; n < STALL_MAX + 1; n++)
		CHECK_EQ(touch(n, R), -EINPROGRESS);
	CHECK(event(&fault));
	CHECK_EQ(fault.addr, IOVA);
	resume(&fault, IOPF_SUCCESS);
	for (uint32_t n = 1; n < STALL_MAX + 1; n++) {
		CHECK(event(&fault));
		CHECK_EQ(fault.addr, IOVA + n * K4);
	}
	CHECK(no_event()); /* its tag was the next one's */
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(only_event().addr, IOVA);
}

/* ---- The event queue ------------------------------------------------------------------ */

static void fill_events(void)
{
	struct model_transaction bad = touch_of(IOVA, R);

	bad.pasid = 15; /* a descriptor that is not valid */
	for (uint32_t n = 0; n < EVENTS; n++)
		CHECK_EQ(transact(&bad), -EFAULT);
}

TEST(a_stall_that_finds_the_queue_full_waits_and_is_no_overflow)
{
	struct iopf_fault fault;

	start();
	fill_events();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	run();
	CHECK_EQ(w.seen_count, 0);
	CHECK_EQ(reg(SMMUV3_EVENTQ_PROD, 4) & SMMUV3_QUEUE_OVERFLOW, 0);
	for (uint32_t n = 0; n < EVENTS; n++) {
		CHECK(event(&fault));
		CHECK(!fault.stall);
	}
	CHECK(no_event());
	run();
	CHECK_EQ(w.seen_count, 1);
	fault = only_event();
	CHECK(fault.stall);
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(w.released_count, 1);
}

/* 3.12.2: it has just arrived when the queue can be written. */
TEST(what_waited_for_the_queue_may_not_need_it_any_more)
{
	start();
	fill_events();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	map(IOVA, guest_page(), R);
	run();
	CHECK_EQ(w.seen_count, 0);
	CHECK_EQ(last_result(), 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
}

TEST(nothing_is_answered_before_its_record_is_visible)
{
	start();
	fill_events();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	for (uint16_t tag = 0; tag < STALL_MAX; tag++)
		submit(resume_of(STREAM, tag, IOPF_INVALID));
	model_iommu_run(w.iommu, 64, 0);
	CHECK_EQ(stats().resumed[MODEL_STALL_UNKNOWN], STALL_MAX);
	CHECK_EQ(w.released_count, 0);
}

TEST(while_the_event_queue_is_off_stalls_wait_for_it)
{
	start();
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_EVENTQEN);
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	run();
	CHECK_EQ(w.seen_count, 0);
	CHECK_EQ(model_iommu_run(w.iommu, 64, 0), 0);
	reg_set(SMMUV3_CR0, 4, CR0_ON);
	CHECK_EQ(model_iommu_run(w.iommu, 64, 0), 1);
	CHECK_EQ(w.seen_count, 1);
}

/* ---- Configuration -------------------------------------------------------------------- */

TEST(what_does_not_stall_is_aborted_and_told_as_its_configuration_says)
{
	static const struct {
		int number;
		bool record, abort;
		int result;
	} row[] = {
		{ 1, true, true, -EFAULT },
		{ 2, false, true, -EFAULT },
		{ 3, true, false, 0 },
		{ 4, false, false, 0 },
	};

	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		uint8_t bytes[4] = { 9, 9, 9, 9 };
		struct model_transaction read = touch_of(IOVA, R);
		struct iopf_fault fault;
		struct smmuv3_cd cd;

		printf("row %d\n", row[n].number);
		start();
		cd = context_usual(STALL_ASID, false);
		cd.record = row[n].record;
		cd.abort = row[n].abort;
		context_put(SUBSTREAM, &cd);
		read.buffer = bytes;
		read.size_bytes = sizeof(bytes);
		CHECK_EQ(transact(&read), row[n].result);
		CHECK_EQ(event(&fault), row[n].record);
		CHECK(!fault.stall);
		/* RAZ/WI: a success that reads as zero. */
		CHECK_EQ(bytes[0], row[n].abort ? 9 : 0);
	}
}

TEST(a_retry_goes_by_the_configuration_of_now)
{
	struct smmuv3_cd cd;
	struct iopf_fault fault;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	cd = context_usual(STALL_ASID, false);
	context_put(SUBSTREAM, &cd);
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_PASID,
				       .granularity = IOPF_ONE_PASID,
				       .rid = STREAM,
				       .pasid = SUBSTREAM });
	CHECK_EQ(w.released_count, 0); /* an invalidation does not touch it */
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(last_result(), -EFAULT);
	fault = only_event();
	CHECK(!fault.stall);
}

TEST(a_function_never_stalls)
{
	smmuv3_world_create();
	CHECK_EQ(asked(IOVA, R | W, 0), 0);
	CHECK(no_event());
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
}

/* ---- STALL_TERM, SMMUEN --------------------------------------------------------------- */

static void terminate(uint32_t rid)
{
	command((struct iopf_command){ .kind = IOPF_COMMAND_TERMINATE, .rid = rid });
}

static void forget_entry(uint32_t rid)
{
	command((struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
				       .granularity = IOPF_DEVICE,
				       .rid = rid });
}

TEST(terminate_all_ends_every_stall_of_a_stream_that_lets_nothing_in)
{
	struct model_transaction other = touch_of(IOVA, R);
	struct iopf_fault fault;

	start();
	other.rid = OTHER;
	CHECK_EQ(transact(&other), -EINPROGRESS);
	for (uint32_t n = 0; n < STALL_MAX; n++) /* the last one has no tag yet */
		CHECK_EQ(touch(n, R), -EINPROGRESS);
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, true), 0);
	forget_entry(STREAM);
	CHECK_EQ(touch(100, R), -EFAULT);
	terminate(STREAM);
	CHECK_EQ(w.released_count, STALL_MAX);
	CHECK_EQ(w.terminated_count, STALL_MAX - 1);
	CHECK_EQ(stats().terminated, STALL_MAX - 1);
	CHECK_EQ(stats().misused, 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, OTHER), 1);
	/* Their records may be there still; answers to them are too late. */
	for (uint32_t n = 0; n < STALL_MAX; n++)
		CHECK(event(&fault));
	CHECK(no_event());
	command(resume_of(STREAM, fault.index, IOPF_SUCCESS));
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_SECOND);
}

TEST(terminate_all_in_the_wrong_order_is_misuse)
{
	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	terminate(STREAM);
	CHECK_EQ(stats().misused, 1);
	CHECK_EQ(w.released_count, 0);
	/* Written, but not yet in force: the old entry is remembered. */
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, true), 0);
	terminate(STREAM);
	CHECK_EQ(stats().misused, 2);
	forget_entry(STREAM);
	terminate(STREAM);
	CHECK_EQ(w.released_count, 1);
}

TEST(with_translation_off_everything_that_waits_is_aborted)
{
	start();
	for (uint32_t n = 0; n < STALL_MAX + 1; n++)
		CHECK_EQ(touch(n, R), -EINPROGRESS);
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_SMMUEN & ~SMMUV3_PRIQEN);
	CHECK_EQ(w.released_count, STALL_MAX + 1);
	for (uint32_t n = 0; n < w.released_count; n++)
		CHECK_EQ(w.released[n].result, -EFAULT);
	CHECK_EQ(w.terminated_count, STALL_MAX);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 0);
}

TEST(without_translation_transactions_pass_or_are_aborted_as_gbpa_says)
{
	uint8_t bytes[4] = { 0 };
	struct model_transaction read = { .buffer = bytes, .size_bytes = 4, .rid = STREAM,
					  .pasid = IOPF_PASID_NONE, .perm = R };
	uint32_t gbpa;

	start();
	read.addr = w.guest_at;
	memset(guest_memory(0), 0x77, 4);
	reg_set(SMMUV3_CR0, 4, CR0_ON & ~SMMUV3_SMMUEN & ~SMMUV3_PRIQEN);
	CHECK_EQ(transact(&read), 0);
	CHECK_EQ(bytes[3], 0x77);
	gbpa = (uint32_t)reg(SMMUV3_GBPA, 4);
	reg_set(SMMUV3_GBPA, 4, gbpa | SMMUV3_GBPA_ABORT | SMMUV3_GBPA_UPDATE);
	CHECK_EQ(transact(&read), -EFAULT);
}

/* ---- Masters that go ------------------------------------------------------------------ */

TEST(what_a_master_that_was_pulled_out_has_stalled_waits_for_its_answer)
{
	struct iopf_fault fault;

	start();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	CHECK_EQ(model_iommu_connect(w.iommu, STREAM, NULL), 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_TAKEN);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 0);
	CHECK_EQ(w.released_count, 0);
	CHECK(no_event());
}

/* ---- Options that hardware has -------------------------------------------------------- */

TEST(stalls_that_are_alike_may_have_one_record)
{
	struct model_iommu_options options = iommu_usual();
	struct iopf_fault fault;

	options.suppress_stalls = true;
	smmuv3_world_create_with(&options);
	back_all();
	for (uint32_t n = 0; n < 3; n++) {
		touches[n] = touch_of(IOVA + n * 8, R);
		CHECK_EQ(transact(&touches[n]), -EINPROGRESS);
	}
	CHECK_EQ(touch(3, R), -EINPROGRESS); /* another page */
	touches[4] = touch_of(IOVA, W);      /* another access */
	CHECK_EQ(transact(&touches[4]), -EINPROGRESS);
	CHECK_EQ(w.seen_count, 3);
	CHECK_EQ(stats().suppressed, 2);
	CHECK(event(&fault));
	/* Terminated: the others look again, and one of them speaks for the rest. */
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(w.released_count, 1);
	CHECK_EQ(w.seen_count, 4);
	CHECK(event(&fault) && event(&fault) && event(&fault));
	CHECK_EQ(fault.addr & ~(K4 - 1), IOVA);
	map(IOVA, guest_page(), R);
	resume(&fault, IOPF_SUCCESS);
	CHECK_EQ(w.released_count, 3);
	CHECK_EQ(last_result(), 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, IOPF_NO_ID), 2);
}

TEST(what_is_silent_goes_on_with_one_that_never_had_a_record)
{
	struct model_iommu_options options = iommu_usual();

	options.suppress_stalls = true;
	smmuv3_world_create_with(&options);
	back_all();
	fill_events();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	touches[1] = touch_of(IOVA + 8, R);
	CHECK_EQ(transact(&touches[1]), -EINPROGRESS);
	map(IOVA, guest_page(), R);
	run();
	CHECK_EQ(w.seen_count, 0);
	CHECK_EQ(w.released_count, 2);
	CHECK_EQ(last_result(), 0);
}

TEST(without_that_each_has_its_own)
{
	start();
	for (uint32_t n = 0; n < 3; n++) {
		touches[n] = touch_of(IOVA + n * 8, R);
		CHECK_EQ(transact(&touches[n]), -EINPROGRESS);
	}
	CHECK_EQ(w.seen_count, 3);
}

TEST(hardware_may_look_again_by_itself_and_the_tag_waits_for_its_answer)
{
	struct model_iommu_options options = iommu_usual();
	struct iopf_fault fault;

	options.retry_stalls = true;
	smmuv3_world_create_with(&options);
	back_all();
	CHECK_EQ(touch(0, R), -EINPROGRESS);
	fault = only_event();
	run();
	CHECK_EQ(w.released_count, 0);
	map(IOVA, guest_page(), R);
	run();
	CHECK_EQ(last_result(), 0);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
	resume(&fault, IOPF_INVALID);
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_TAKEN);
	CHECK_EQ(w.released_count, 1);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 0);
	CHECK(no_event());
}

/* ---- Made ones ------------------------------------------------------------------------ */

TEST(a_stall_that_is_made_takes_a_slot_until_it_is_answered)
{
	struct iopf_fault made = { .addr = IOVA, .rid = STREAM, .pasid = SUBSTREAM,
				   .perm = R, .reason = IOPF_SMMUV3_F_TRANSLATION,
				   .stage = 1 };
	uint16_t tag = 0xffff, last = 0xffff;

	start();
	CHECK_EQ(model_iommu_stall(w.iommu, &made, &tag), 0);
	CHECK_EQ(only_event().index, tag);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), 1);
	for (uint32_t n = 1; n < STALL_MAX; n++)
		CHECK_EQ(model_iommu_stall(w.iommu, &made, &last), 0);
	CHECK_EQ(model_iommu_stall(w.iommu, &made, &last), -ENOSPC);
	command(resume_of(STREAM, tag, IOPF_SUCCESS));
	CHECK_EQ(w.resumed[0].verdict, MODEL_STALL_TAKEN);
	CHECK_EQ(model_iommu_stalled(w.iommu, STREAM), STALL_MAX - 1);
	CHECK_EQ(smmuv3_builder_block(&w.builder, STREAM, true), 0);
	forget_entry(STREAM);
	CHECK_EQ(model_iommu_stall(w.iommu, &made, &last), -ENODEV);
	reg_set(SMMUV3_CR0, 4, 0);
	made.rid = OTHER;
	CHECK_EQ(model_iommu_stall(w.iommu, &made, &last), -ENODEV);
}

int main(void)
{
	int failed = test_main();

	model_iommu_destroy(w.iommu);
	return failed;
}
