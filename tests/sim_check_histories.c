/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a right history fires no checker; one that is broken on purpose fires the
 * checker of what it breaks, and no other. */
#include "sim/check.h"

#include "iopf/wire.h"
#include "model/config.h"
#include "test.h"

enum { RID = 0x0310, ENDPOINT = 3, ALLOCATION = 4, QUEUE = 16 };

/* A function whose messages go nowhere: what the host would do is said by hand. */
static struct {
	struct sim_check *check;
	struct model_function *function;
	struct sim_check_reading reading;
	uint64_t now_ns;
} h;

static enum model_status translate(void *context,
				   const struct model_translation_request *request,
				   struct model_translation *translation)
{
	(void)context;
	(void)request;
	(void)translation;
	return MODEL_UR;
}

static void page_request(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			 uint64_t payload)
{
	(void)context;
	(void)rid;
	(void)pasid;
	(void)perm;
	(void)payload;
}

static enum model_status access_memory(void *context, uint32_t rid, uint64_t addr,
				       void *buffer, uint32_t size_bytes, bool write)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)buffer;
	(void)size_bytes;
	(void)write;
	return MODEL_UR;
}

static void interrupt(void *context, uint32_t rid, uint64_t addr, uint32_t data)
{
	(void)context;
	(void)rid;
	(void)addr;
	(void)data;
}

static void enable(void)
{
	model_function_config_write(h.function, CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	model_function_config_write(h.function, CONFIG_PRI_ALLOCATION, 4, ALLOCATION);
	model_function_config_write(h.function, CONFIG_PRI_CONTROL, 2, PRI_ENABLE);
}

static void note(struct iopf_note note)
{
	note.ns = h.now_ns;
	sim_check_note(h.check, &note);
}

static void attach(uint32_t pasid, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid });
}

static void detach(uint32_t pasid, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_DETACH,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid });
}

static void begin(uint32_t queue_entries)
{
	const struct sim_check_options options = { .queue_entries = queue_entries,
						   .wait_turns = 4,
						   .wait_ns = 100 };
	struct model_function_options function = {
		.upstream = { .translate = translate,
			      .page_request = page_request,
			      .access = access_memory,
			      .interrupt = interrupt },
		.rid = RID,
		.capacity = ALLOCATION,
		.atc_entries = 4,
		.pasid_width = 20,
		.pasid_in_response = true,
	};

	memset(&h, 0, sizeof(h));
	CHECK_EQ(sim_check_create(&options, &h.check), 0);
	CHECK_EQ(sim_check_add(h.check,
			       &(struct sim_check_function){ .rid = RID, .honest = true }),
		 0);
	function.observer = sim_check_observer(h.check);
	CHECK_EQ(model_function_create(&function, &h.function), 0);
	enable();
	CHECK_EQ(sim_check_bind(h.check, RID, ENDPOINT), 0);
	h.reading.function[0].bound = true;
	attach(1, 0);
}

/* The function asks. */
static void ask(uint32_t pasid, uint16_t index, bool last)
{
	const struct iopf_request request = { .addr = 0x7000,
					      .rid = RID,
					      .pasid = pasid,
					      .index = index,
					      .perm = IOPF_READ,
					      .flags = last ? IOPF_LAST : 0 };

	model_function_send_raw(h.function, pasid, 0, iopf_pcie_encode_request(&request));
}

static void counted(enum iopf_counter counter)
{
	h.reading.counter[counter]++;
	h.reading.function[0].counter[counter]++;
}

/* The host takes it out of the queue. */
static void take(uint32_t pasid, uint16_t index, bool last)
{
	const struct iopf_request request = { .addr = 0x7000,
					      .rid = RID,
					      .pasid = pasid,
					      .index = index,
					      .perm = IOPF_READ,
					      .flags = last ? IOPF_LAST : 0 };

	note((struct iopf_note){ .kind = IOPF_NOTE_REQUEST, .request = &request });
	counted(IOPF_COUNTER_requests);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]++;
	if (!last)
		return;
	counted(IOPF_COUNTER_lasts);
	h.reading.function[0].gauge[IOPF_GAUGE_ready]++;
}

static void show(uint32_t pasid, uint16_t index, uint16_t pages, uint32_t guest)
{
	const struct iopf_group group = { .token = 0x100u + index,
					  .endpoint = ENDPOINT,
					  .rid = RID,
					  .pasid = pasid,
					  .index = index,
					  .page_count = pages };

	note((struct iopf_note){ .kind = IOPF_NOTE_SHOW,
				 .guest = guest,
				 .endpoint = ENDPOINT,
				 .pasid = pasid,
				 .token = group.token,
				 .group = &group });
}

static void answer(uint16_t index, enum iopf_code code, uint32_t guest)
{
	note((struct iopf_note){ .kind = IOPF_NOTE_ANSWER,
				 .guest = guest,
				 .endpoint = IOPF_NO_ID,
				 .pasid = IOPF_PASID_NONE,
				 .token = 0x100u + index,
				 .code = (uint8_t)code });
}

static void respond(uint32_t pasid, uint16_t index, uint16_t count, enum iopf_code code,
		    enum iopf_ending ending)
{
	const struct iopf_response response = { .token = 0x100u + index,
						.endpoint = ENDPOINT,
						.rid = RID,
						.pasid = pasid,
						.index = index,
						.request_count = count,
						.code = (uint8_t)code,
						.ending = (uint8_t)ending };

	note((struct iopf_note){ .kind = IOPF_NOTE_RESPONSE,
				 .endpoint = ENDPOINT,
				 .response = &response });
	counted(iopf_ending_counter(ending));
	h.reading.function[0].gauge[IOPF_GAUGE_ready]--;
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use] -= count;
}

static void arrive(uint32_t pasid, uint16_t index, enum iopf_code code)
{
	const struct iopf_prg_response response = { .rid = RID,
						    .pasid = pasid,
						    .index = index,
						    .code = iopf_pcie_code(code) };

	model_function_response(h.function, pasid, iopf_pcie_encode_response(&response));
}

static void turn(unsigned count)
{
	while (count-- > 0)
		sim_check_turn(h.check, h.now_ns += 100);
}

/* Asked, taken, shown to guest 0 and answered; not responded. */
static void reach_answer(uint16_t index, enum iopf_code code)
{
	ask(1, index, true);
	take(1, index, true);
	show(1, index, 1, 0);
	answer(index, code, 0);
}

static void whole_way(uint16_t index, enum iopf_code code)
{
	reach_answer(index, code);
	respond(1, index, 1, code, (enum iopf_ending)code);
	arrive(1, index, code);
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
		CHECK_EQ(result->first[0] != 0, n == fired);
	}
	model_function_destroy(h.function);
	sim_check_destroy(h.check);
}

TEST(right_history_fires_nothing)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	ask(1, 6, false); /* a group of two */
	ask(1, 6, true);
	take(1, 6, false);
	audit(SIM_RUNNING);
	take(1, 6, true);
	show(1, 6, 2, 0);
	turn(2);
	answer(6, IOPF_INVALID, 0);
	respond(1, 6, 2, IOPF_INVALID, IOPF_ENDING_invalid);
	audit(SIM_RUNNING);
	arrive(1, 6, IOPF_INVALID);
	reach_answer(7, IOPF_SUCCESS);
	audit(SIM_AT_REST);
	respond(1, 7, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 7, IOPF_SUCCESS);
	whole_way(5, IOPF_SUCCESS); /* an index that is free again */
	detach(1, 0);
	attach(1, 1);
	audit(SIM_OVER);
	for (unsigned n = 0; n < SIM_INVARIANT_COUNT; n++)
		CHECK(n == SIM_I7 ||
		      sim_check_result(h.check, (enum sim_invariant)n)->checked > 0);
	end(SIM_INVARIANT_COUNT);
}

TEST(detach_answers_and_the_reset_of_a_function_does_not)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	respond(1, 5, 1, IOPF_INVALID, IOPF_ENDING_detach);
	arrive(1, 5, IOPF_INVALID);
	detach(1, 0);
	attach(1, 0);
	reach_answer(6, IOPF_SUCCESS);
	respond(1, 6, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	model_function_reset(h.function); /* while it is on its way */
	note((struct iopf_note){ .kind = IOPF_NOTE_RESET, .endpoint = ENDPOINT });
	arrive(1, 6, IOPF_SUCCESS);
	enable();
	whole_way(6, IOPF_SUCCESS);
	audit(SIM_OVER);
	end(SIM_INVARIANT_COUNT);
}

TEST(iommu_answers_what_its_queue_has_no_room_for)
{
	begin(QUEUE);
	ask(1, 5, true);
	arrive(1, 5, IOPF_SUCCESS);
	h.reading.own_responses = 1;
	audit(SIM_OVER);
	end(SIM_INVARIANT_COUNT);
}

TEST(I1_fires_where_a_last_is_not_counted)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	h.reading.counter[IOPF_COUNTER_lasts]--;
	audit(SIM_OVER);
	end(SIM_I1);
}

TEST(I1_fires_where_a_credit_is_not_given_back)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use]++;
	audit(SIM_RUNNING);
	end(SIM_I1);
}

TEST(I1_fires_where_a_request_was_lost_and_no_overflow_said_so)
{
	begin(QUEUE);
	ask(1, 5, false);
	audit(SIM_AT_REST);
	end(SIM_I1);
}

TEST(I1_fires_where_a_page_of_a_group_is_not_shown)
{
	begin(QUEUE);
	ask(1, 5, false);
	ask(1, 5, true);
	take(1, 5, false);
	take(1, 5, true);
	show(1, 5, 1, 0);
	end(SIM_I1);
}

TEST(I2_fires_at_a_second_response)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I2);
}

TEST(I2_fires_at_a_response_for_a_partial_group)
{
	begin(QUEUE);
	ask(1, 5, false);
	take(1, 5, false);
	arrive(1, 5, IOPF_INVALID);
	end(SIM_I2);
}

TEST(I2_fires_where_a_response_never_comes)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	ask(1, 6, false);
	take(1, 6, false); /* so that credits are as they should be */
	h.reading.function[0].gauge[IOPF_GAUGE_credits_in_use] = 1;
	sim_check_audit(h.check, &h.reading, SIM_RUNNING);
	CHECK_EQ(sim_check_violations(h.check), 0);
	audit(SIM_OVER);
	CHECK(sim_check_result(h.check, SIM_I2)->violations > 0);
	model_function_destroy(h.function);
	sim_check_destroy(h.check);
}

TEST(I2_fires_where_the_ledger_forgets_a_group)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	ask(1, 6, true);
	take(1, 6, true);
	respond(1, 6, 1, IOPF_INVALID, IOPF_ENDING_no_owner);
	arrive(1, 6, IOPF_INVALID);
	h.reading.function[0].gauge[IOPF_GAUGE_ready] = 0;
	h.reading.function[0].gauge[IOPF_GAUGE_partial] = 1;
	h.reading.counter[IOPF_COUNTER_ended_reset]++; /* as if by a reset */
	audit(SIM_RUNNING);
	end(SIM_I2);
}

TEST(I3_fires_where_nobody_answered)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I3);
}

TEST(I3_fires_where_somebody_else_answered)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 0);
	answer(5, IOPF_SUCCESS, 1);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I3);
}

TEST(I3_fires_where_the_host_says_success_without_a_reason)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_detach);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I3);
}

TEST(I3_fires_where_a_neighbour_is_shown_the_group)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	show(1, 5, 1, 1);
	end(SIM_I3);
}

TEST(I3_fires_where_a_partial_group_is_shown)
{
	begin(QUEUE);
	ask(1, 5, false);
	take(1, 5, false);
	show(1, 5, 1, 0);
	end(SIM_I3);
}

TEST(I4_fires_where_another_code_comes)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_INVALID);
	audit(SIM_OVER);
	end(SIM_I4);
}

TEST(I4_fires_where_the_PASID_is_another_one)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(IOPF_PASID_NONE, 5, IOPF_SUCCESS);
	end(SIM_I4);
}

TEST(I4_fires_where_the_credits_are_not_the_groups)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	respond(1, 5, 2, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I4);
}

TEST(I5_fires_where_a_detach_leaves_a_group_open)
{
	begin(QUEUE);
	ask(1, 5, true);
	take(1, 5, true);
	detach(1, 0);
	end(SIM_I5);
}

TEST(I5_fires_where_a_response_leaves_after_a_function_reset)
{
	begin(QUEUE);
	reach_answer(5, IOPF_SUCCESS);
	model_function_reset(h.function);
	note((struct iopf_note){ .kind = IOPF_NOTE_RESET, .endpoint = ENDPOINT });
	respond(1, 5, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	arrive(1, 5, IOPF_SUCCESS);
	end(SIM_I5);
}

TEST(I6_fires_where_more_is_granted_than_the_queue_holds)
{
	begin(ALLOCATION - 1);
	whole_way(5, IOPF_SUCCESS);
	audit(SIM_OVER);
	end(SIM_I6);
}

TEST(I7_fires_where_an_honest_group_is_kept_waiting)
{
	begin(QUEUE);
	ask(1, 5, true);
	turn(4);
	CHECK_EQ(sim_check_violations(h.check), 0);
	take(1, 5, true);
	turn(2);
	CHECK_EQ(sim_check_longest(h.check).turns, 6);
	CHECK_EQ(sim_check_longest(h.check).ns, 600);
	end(SIM_I7);
}

TEST(I7_promises_nothing_to_others)
{
	begin(QUEUE);
	sim_check_honest(h.check, RID, false);
	ask(1, 5, true);
	turn(100);
	end(SIM_INVARIANT_COUNT);
}

TEST(I8_fires_where_failure_leaves)
{
	begin(QUEUE);
	whole_way(5, IOPF_FAILURE);
	audit(SIM_OVER);
	end(SIM_I8);
}

TEST(I9_fires_where_a_PASID_is_given_away_with_a_question_in_the_queue)
{
	begin(QUEUE);
	ask(1, 5, true);
	detach(1, 0);
	attach(1, 1);
	take(1, 5, true);
	show(1, 5, 1, 1);
	CHECK_EQ(sim_check_result(h.check, SIM_I9)->violations, 2);
	end(SIM_I9);
}

TEST(I10_fires_where_a_refused_answer_is_not_counted)
{
	begin(QUEUE);
	whole_way(5, IOPF_SUCCESS);
	note((struct iopf_note){ .kind = IOPF_NOTE_REFUSE, .token = 0x105 });
	audit(SIM_OVER);
	end(SIM_I10);
}

TEST(I10_fires_where_an_ending_has_a_wrong_name)
{
	begin(QUEUE);
	whole_way(5, IOPF_INVALID);
	h.reading.function[0].counter[IOPF_COUNTER_ended_invalid]--;
	h.reading.function[0].counter[IOPF_COUNTER_ended_detach]++;
	audit(SIM_OVER);
	end(SIM_I10);
}

int main(void)
{
	return test_main();
}
