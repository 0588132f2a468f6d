/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: histories of stalled transactions: a right one fires no checker, each wrong
 * one that of what it breaks, and no other. */
#include "sim/check.h"

#include "test.h"

enum { RID = 0x40, ENDPOINT = 3, SLOTS = 4, POOL = 8, PASID = 1 };

static struct {
	struct sim_check *check;
	struct model_stall_observer smmu;
	struct sim_check_reading reading;
	uint64_t now_ns;
} h;

static void note(struct iopf_note note)
{
	note.ns = h.now_ns;
	sim_check_note(h.check, &note);
}

static void space(enum iopf_note_kind kind)
{
	note((struct iopf_note){ .kind = (uint8_t)kind,
				 .guest = 0,
				 .endpoint = ENDPOINT,
				 .pasid = PASID });
}

static void begin(uint32_t pool)
{
	const struct sim_check_options options = { .stall_slots = pool,
						   .wait_turns = 4,
						   .wait_ns = 100 };

	memset(&h, 0, sizeof(h));
	CHECK_EQ(sim_check_create(&options, &h.check), 0);
	CHECK_EQ(sim_check_add(h.check, &(struct sim_check_function){ .rid = RID,
								      .honest = true,
								      .stalls = true,
								      .slots = SLOTS }),
		 0);
	h.smmu = sim_check_stalls(h.check);
	CHECK_EQ(sim_check_bind(h.check, RID, ENDPOINT), 0);
	h.reading.function[0].bound = true;
	space(IOPF_NOTE_ATTACH);
}

static void stall(uint16_t tag)
{
	const struct iopf_fault fault = { .addr = 0x7000,
					  .rid = RID,
					  .pasid = PASID,
					  .index = tag,
					  .perm = IOPF_READ,
					  .request = true,
					  .stall = true };

	h.smmu.stalled(h.smmu.context, &fault);
	h.reading.function[0].slots++;
}

static void counted(enum iopf_counter counter)
{
	h.reading.counter[counter]++;
	h.reading.function[0].counter[counter]++;
}

static void take(uint16_t tag)
{
	const struct iopf_request request = { .addr = 0x7000,
					      .rid = RID,
					      .pasid = PASID,
					      .index = tag,
					      .perm = IOPF_READ,
					      .flags = IOPF_LAST | IOPF_STALL };

	note((struct iopf_note){ .kind = IOPF_NOTE_REQUEST, .request = &request });
	counted(IOPF_COUNTER_requests);
	counted(IOPF_COUNTER_lasts);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]++;
	h.reading.function[0].gauge[IOPF_GAUGE_ready]++;
}

static void answer(uint16_t tag, enum iopf_code code)
{
	const struct iopf_group group = { .token = 0x100u + tag,
					  .endpoint = ENDPOINT,
					  .rid = RID,
					  .pasid = PASID,
					  .index = tag,
					  .page_count = 1,
					  .flags = IOPF_STALL };

	note((struct iopf_note){ .kind = IOPF_NOTE_SHOW,
				 .endpoint = ENDPOINT,
				 .pasid = PASID,
				 .token = group.token,
				 .group = &group });
	note((struct iopf_note){ .kind = IOPF_NOTE_ANSWER,
				 .endpoint = IOPF_NO_ID,
				 .pasid = IOPF_PASID_NONE,
				 .token = group.token,
				 .code = (uint8_t)code });
}

static void leave_ledger(void)
{
	h.reading.function[0].gauge[IOPF_GAUGE_ready]--;
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]--;
}

static void respond(uint16_t tag, enum iopf_code code, enum iopf_ending ending)
{
	const struct iopf_response response = { .token = 0x100u + tag,
						.endpoint = ENDPOINT,
						.rid = RID,
						.pasid = IOPF_PASID_NONE,
						.index = tag,
						.request_count = 1,
						.code = (uint8_t)code,
						.flags = IOPF_STALL,
						.ending = (uint8_t)ending };

	note((struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
				 .endpoint = ENDPOINT,
				 .response = &response });
	counted(iopf_ending_counter(ending));
	leave_ledger();
}

static void resume(uint16_t tag, enum iopf_code code, enum model_stall_verdict verdict)
{
	h.smmu.resumed(h.smmu.context, RID, tag, code, verdict);
	h.reading.function[0].slots -= verdict == MODEL_STALL_TAKEN;
}

static void whole_way(uint16_t tag, enum iopf_code code)
{
	stall(tag);
	take(tag);
	answer(tag, code);
	respond(tag, code, (enum iopf_ending)code);
	resume(tag, code, MODEL_STALL_TAKEN);
}

static void terminate(uint16_t tag)
{
	h.smmu.terminated(h.smmu.context, RID, tag);
	h.reading.function[0].slots--;
}

static void audit(enum sim_rest rest)
{
	sim_check_audit(h.check, &h.reading, rest);
}

/* Only @fired has fired; SIM_INVARIANT_COUNT: none has. */
static void end(enum sim_invariant fired)
{
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++) {
		const struct sim_check_result *result =
			sim_check_result(h.check, (enum sim_invariant)n);

		if ((result->violations > 0) != (n == fired))
			printf("%s: %" PRIu64 " violations, the first: %s\n",
			       sim_invariant_name((enum sim_invariant)n),
			       result->violations, result->first);
		CHECK_EQ(result->violations > 0, n == fired);
	}
	sim_check_destroy(h.check);
}

TEST(right_history_fires_nothing)
{
	begin(POOL);
	whole_way(7, IOPF_SUCCESS);
	stall(7); /* a tag that is free again */
	stall(8);
	audit(SIM_RUNNING);
	take(8);
	take(7);
	answer(7, IOPF_INVALID);
	respond(7, IOPF_INVALID, IOPF_ENDING_invalid);
	audit(SIM_RUNNING);
	/* An abort, whatever the family calls it. */
	resume(7, IOPF_FAILURE, MODEL_STALL_TAKEN);
	audit(SIM_AT_REST);
	respond(8, IOPF_INVALID, IOPF_ENDING_detach);
	resume(8, IOPF_INVALID, MODEL_STALL_TAKEN);
	space(IOPF_NOTE_DETACH);
	audit(SIM_OVER);
	end(SIM_INVARIANT_COUNT);
}

TEST(a_stream_that_is_terminated_leaves_nothing_anywhere)
{
	begin(POOL);
	stall(1);
	stall(2);
	take(1);
	note((struct iopf_note){ .kind = IOPF_NOTE_TERMINATE, .endpoint = ENDPOINT });
	terminate(1);
	audit(SIM_RUNNING);
	terminate(2);
	leave_ledger();
	counted(IOPF_COUNTER_ended_reset);
	audit(SIM_AT_REST);
	whole_way(1, IOPF_SUCCESS);
	audit(SIM_OVER);
	end(SIM_INVARIANT_COUNT);
}

TEST(i1_a_slot_that_the_ledger_has_given_up)
{
	begin(POOL);
	stall(1);
	stall(2);
	take(1);
	take(2);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]--; /* without a word */
	audit(SIM_RUNNING);
	end(SIM_I1);
}

TEST(i1_slots_in_use_that_nobody_stalled)
{
	begin(POOL);
	h.reading.function[0].slots = 1;
	audit(SIM_RUNNING); /* its record may be on its way */
	end(SIM_INVARIANT_COUNT);
	begin(POOL);
	h.reading.function[0].slots = 1;
	audit(SIM_AT_REST);
	end(SIM_I1);
}

TEST(i1_a_stall_without_a_slot)
{
	begin(POOL);
	stall(1);
	h.reading.function[0].slots = 0;
	audit(SIM_RUNNING);
	end(SIM_I1);
}

TEST(i2_a_second_resume_of_a_tag)
{
	begin(POOL);
	whole_way(1, IOPF_SUCCESS);
	resume(1, IOPF_SUCCESS, MODEL_STALL_SECOND);
	end(SIM_I2);
}

TEST(i2_a_resume_where_nothing_is_stalled)
{
	begin(POOL);
	resume(9, IOPF_INVALID, MODEL_STALL_UNKNOWN);
	end(SIM_I2);
}

TEST(i2_a_resume_behind_the_end_of_the_stream)
{
	begin(POOL);
	stall(1);
	take(1);
	note((struct iopf_note){ .kind = IOPF_NOTE_TERMINATE, .endpoint = ENDPOINT });
	terminate(1);
	resume(1, IOPF_INVALID, MODEL_STALL_UNKNOWN);
	end(SIM_I2);
}

TEST(i2_a_tag_that_is_stalled_twice)
{
	begin(POOL);
	stall(1);
	stall(1);
	end(SIM_I2);
}

TEST(i3_a_stream_that_ends_and_nobody_said_so)
{
	begin(POOL);
	stall(1);
	take(1);
	terminate(1);
	end(SIM_I3);
}

TEST(i3_a_retry_that_nobody_answered)
{
	begin(POOL);
	stall(1);
	take(1);
	respond(1, IOPF_SUCCESS, IOPF_ENDING_detach);
	resume(1, IOPF_SUCCESS, MODEL_STALL_TAKEN);
	end(SIM_I3);
}

TEST(i4_a_retry_where_the_ledger_said_abort)
{
	begin(POOL);
	stall(1);
	take(1);
	answer(1, IOPF_INVALID);
	respond(1, IOPF_INVALID, IOPF_ENDING_invalid);
	resume(1, IOPF_SUCCESS, MODEL_STALL_TAKEN);
	end(SIM_I4);
}

TEST(i4_a_resume_that_the_ledger_never_made)
{
	begin(POOL);
	stall(1);
	take(1);
	answer(1, IOPF_SUCCESS);
	resume(1, IOPF_SUCCESS, MODEL_STALL_TAKEN);
	end(SIM_I4);
}

TEST(i5_a_stall_that_is_open_when_its_detach_is_done)
{
	begin(POOL);
	stall(1);
	take(1);
	space(IOPF_NOTE_DETACH);
	respond(1, IOPF_INVALID, IOPF_ENDING_detach);
	end(SIM_I5);
}

TEST(i5_a_stall_that_was_shown_and_is_open_when_its_detach_is_done)
{
	begin(POOL);
	stall(1);
	take(1);
	answer(1, IOPF_SUCCESS);
	space(IOPF_NOTE_DETACH);
	end(SIM_I5);
}

TEST(a_stall_beyond_the_share_may_end_after_its_detach)
{
	begin(POOL);
	stall(1);
	take(1);
	space(IOPF_NOTE_DETACH);
	respond(1, IOPF_INVALID, IOPF_ENDING_quota);
	resume(1, IOPF_INVALID, MODEL_STALL_TAKEN);
	audit(SIM_AT_REST);
	end(SIM_INVARIANT_COUNT);
}

TEST(i6_more_slots_granted_than_the_pool_has)
{
	begin(SLOTS - 1);
	audit(SIM_RUNNING);
	end(SIM_I6);
}

TEST(i7_a_stall_that_nobody_looks_at)
{
	begin(POOL);
	stall(1);
	for (unsigned n = 0; n < 8; n++)
		sim_check_turn(h.check, h.now_ns += 100);
	end(SIM_I7);
}

TEST(i10_an_ending_that_is_not_counted)
{
	begin(POOL);
	whole_way(1, IOPF_SUCCESS);
	h.reading.counter[IOPF_COUNTER_ended_success]--;
	h.reading.counter[IOPF_COUNTER_ended_invalid]++;
	audit(SIM_RUNNING);
	end(SIM_I10);
}

int main(void)
{
	return test_main();
}
