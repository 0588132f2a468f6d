/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: histories of policy and of shared interfaces: a right one fires no checker,
 * each wrong one that of what it breaks. */
#include "sim_history.h"

enum { VIRTUAL_RID = RID + 1, VIRTUAL_ENDPOINT = ENDPOINT + 1 };

static void over_quota(uint16_t index, enum iopf_code code)
{
	ask(1, index, true);
	take(1, index, true);
	respond(1, index, 1, code, IOPF_ENDING_quota);
	arrive(1, index, code);
}

TEST(three_times_try_again_and_then_no_fires_nothing)
{
	begin(QUEUE);
	for (unsigned series = 0; series < 2; series++) {
		for (uint16_t n = 0; n < 3; n++)
			over_quota(n, IOPF_SUCCESS);
		over_quota(3, IOPF_INVALID);
		audit(SIM_AT_REST);
	}
	end(SIM_INVARIANT_COUNT);
}

TEST(i6_a_fourth_time_try_again)
{
	begin(QUEUE);
	for (uint16_t n = 0; n < 4; n++)
		over_quota(n, IOPF_SUCCESS);
	end(SIM_I6);
}

TEST(i8_failure_over_the_quota)
{
	begin(QUEUE);
	ask(1, 1, true);
	take(1, 1, true);
	respond(1, 1, 1, IOPF_FAILURE, IOPF_ENDING_quota);
	end(SIM_I8);
}

TEST(i3_try_again_where_time_was_over)
{
	begin(QUEUE);
	ask(1, 1, true);
	take(1, 1, true);
	respond(1, 1, 1, IOPF_SUCCESS, IOPF_ENDING_deadline);
	end(SIM_I3);
}

TEST(i5_a_response_after_the_interface_has_failed)
{
	const struct iopf_event failed = { .kind = IOPF_EVENT_RF,
					   .endpoint = ENDPOINT,
					   .owner = IOPF_NO_ID };

	begin(QUEUE);
	reach_answer(1, IOPF_SUCCESS);
	sim_check_event(h.check, &failed);
	audit(SIM_RUNNING);
	respond(1, 1, 1, IOPF_SUCCESS, IOPF_ENDING_success);
	end(SIM_I5);
}

/* ---- A virtual function beside it ------------------------------------------------- */

static struct model_function *virtual_function;

static void begin_virtual(void)
{
	const struct model_function_options options = {
		.upstream = { .translate = translate,
			      .page_request = page_request,
			      .access = access_memory,
			      .interrupt = interrupt },
		.rid = VIRTUAL_RID,
		.capacity = ALLOCATION,
		.atc_entries = 4,
		.physical = h.function,
		.observer = sim_check_observer(h.check),
	};
	const struct sim_check_function value = { .rid = VIRTUAL_RID,
						  .honest = true,
						  .has_physical = true,
						  .physical_rid = RID };

	CHECK_EQ(sim_check_add(h.check, &value), 0);
	CHECK_EQ(model_function_create(&options, &virtual_function), 0);
	CHECK_EQ(sim_check_bind(h.check, VIRTUAL_RID, VIRTUAL_ENDPOINT), 0);
	h.reading.function[1].bound = true;
	note((struct iopf_note){ .kind = IOPF_NOTE_ATTACH,
				 .guest = 1,
				 .endpoint = VIRTUAL_ENDPOINT,
				 .pasid = 1 });
}

/* Asked by the virtual function, and taken. */
static void virtual_asks(uint16_t index)
{
	const struct iopf_request request = { .addr = 0x9000,
					      .rid = VIRTUAL_RID,
					      .pasid = 1,
					      .index = index,
					      .perm = IOPF_READ,
					      .flags = IOPF_LAST };

	model_function_send_raw(virtual_function, 1, 0, iopf_pcie_encode_request(&request));
	note((struct iopf_note){ .kind = IOPF_NOTE_REQUEST, .request = &request });
	for (unsigned n = 0; n < 2; n++) {
		enum iopf_counter counter = n ? IOPF_COUNTER_lasts : IOPF_COUNTER_requests;

		h.reading.counter[counter]++;
		h.reading.function[1].counter[counter]++;
	}
	h.reading.function[1].gauge[IOPF_GAUGE_credits_in_use]++;
	h.reading.function[1].gauge[IOPF_GAUGE_ready]++;
}

static void end_virtual(enum sim_invariant fired)
{
	model_function_destroy(virtual_function);
	end(fired);
}

TEST(credits_of_a_virtual_function_are_those_of_the_interface)
{
	begin(QUEUE);
	begin_virtual();
	ask(1, 1, true);
	take(1, 1, true);
	virtual_asks(2);
	audit(SIM_RUNNING);
	audit(SIM_AT_REST);
	end_virtual(SIM_INVARIANT_COUNT);
}

TEST(i1_a_request_of_a_virtual_function_that_the_ledger_does_not_count)
{
	begin(QUEUE);
	begin_virtual();
	virtual_asks(2);
	h.reading.function[1].gauge[IOPF_GAUGE_credits_in_use]--;
	audit(SIM_RUNNING);
	end_virtual(SIM_I1);
}

TEST(i6_credits_of_the_interface_beyond_its_allocation)
{
	begin(QUEUE);
	begin_virtual();
	for (uint16_t n = 0; n < ALLOCATION; n++) {
		ask(1, n, true);
		take(1, n, true);
	}
	virtual_asks(ALLOCATION);
	audit(SIM_RUNNING);
	CHECK(sim_check_result(h.check, SIM_I6)->violations > 0);
	model_function_destroy(virtual_function);
	model_function_destroy(h.function);
	sim_check_destroy(h.check);
}

TEST(reset_of_the_virtual_function_gives_its_credits_back)
{
	begin(QUEUE);
	begin_virtual();
	ask(1, 1, true);
	take(1, 1, true);
	virtual_asks(2);
	model_function_reset(virtual_function);
	note((struct iopf_note){ .kind = IOPF_NOTE_RESET, .endpoint = VIRTUAL_ENDPOINT });
	h.reading.function[1].gauge[IOPF_GAUGE_credits_in_use]--;
	h.reading.function[1].gauge[IOPF_GAUGE_ready]--;
	h.reading.counter[IOPF_COUNTER_ended_reset]++;
	audit(SIM_RUNNING);
	respond(1, 1, 1, IOPF_INVALID, IOPF_ENDING_detach);
	arrive(1, 1, IOPF_INVALID);
	audit(SIM_RUNNING);
	end_virtual(SIM_INVARIANT_COUNT);
}

int main(void)
{
	return test_main();
}
