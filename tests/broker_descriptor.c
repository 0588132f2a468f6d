/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: an endpoint behind a kernel's fault descriptor: indices are the source's own,
 * its allocation is the host's alone, and no step is about its page request interface.
 */
#include "broker_world.h"

static int add(struct iopf_endpoint_options options, uint32_t *out)
{
	options.size_bytes = sizeof(options);
	options.source = source;
	options.rid = 77;
	options.descriptor = true;
	return iopf_broker_add_endpoint(broker, &options, out);
}

static uint32_t behind(uint32_t allocation)
{
	struct iopf_endpoint_options options = { .allocation = allocation,
						 .pasid_in_response = true };
	uint32_t id;

	world_alone(4);
	CHECK_EQ(add(options, &id), 0);
	CHECK_EQ(iopf_broker_attach(broker, id, 1, alice), 0);
	return id;
}

static void ask_behind(uint16_t index, uint64_t addr, uint8_t flags)
{
	struct iopf_request request = a_request(77, 1, index, addr, flags);

	CHECK_EQ(iopf_broker_request(broker, source, &request, now_ns), 0);
}

TEST(index_has_sixteen_bits)
{
	static const uint16_t indices[] = { 0, 511, 512, 1024, 65535 };

	behind(8);
	for (unsigned i = 0; i < 5; i++)
		ask_behind(indices[i], 0x1000, IOPF_LAST);
	for (unsigned i = 0; i < 5; i++) {
		struct iopf_group group = fetched(alice);

		CHECK_EQ(group.index, indices[i]);
		CHECK_EQ(iopf_broker_answer(broker, alice, group.token, IOPF_SUCCESS, now_ns),
			 0);
		CHECK_EQ(response().index, indices[i]);
	}
}

TEST(wide_index_is_malformed_elsewhere)
{
	behind(8);
	ask(1, 512, 0x1000, IOPF_LAST);
	CHECK_EQ(response().ending, IOPF_ENDING_malformed);
}

TEST(beyond_the_allocation_is_a_quota_not_a_lie)
{
	uint32_t id = behind(2);
	struct iopf_response out;

	ask_behind(1, 0x1000, IOPF_LAST);
	ask_behind(2, 0x1000, IOPF_LAST);
	ask_behind(3, 0x1000, IOPF_LAST);
	out = response();
	CHECK_EQ(out.index, 3);
	CHECK_EQ(out.code, IOPF_INVALID);
	CHECK_EQ(out.ending, IOPF_ENDING_quota);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(id), allocation_exceeded), 0);
}

TEST(group_that_outgrows_the_allocation_is_a_quota)
{
	uint32_t id = behind(2);
	struct iopf_response out;

	for (unsigned i = 0; i < 4; i++)
		ask_behind(9, i * 0x1000u, i == 3 ? IOPF_LAST : 0);
	out = response();
	CHECK_EQ(out.ending, IOPF_ENDING_quota);
	CHECK_EQ(out.request_count, 2);
	CHECK_EQ(COUNTED(ROW_ENDPOINT(id), allocation_exceeded), 0);
	CHECK_EQ(GAUGE(id, ready), 0);
	CHECK(nothing_for(alice));
}

/* What its disable asks of the caller: no PRI_OFF, no STOPPED, no PRI_RESET. */
TEST(disable_asks_for_no_step_at_the_interface)
{
	uint32_t id = behind(4);

	ask_behind(600, 0x1000, IOPF_LAST);
	CHECK_EQ(iopf_broker_disable(broker, id), 0);
	CHECK_EQ(iopf_broker_step(broker, id), IOPF_STEP_DRAIN);
	CHECK_EQ(iopf_broker_did(broker, id, 0, now_ns), IOPF_STEP_RESPOND);
	CHECK_EQ(response().ending, IOPF_ENDING_detach);
	CHECK_EQ(iopf_broker_did(broker, id, 0, now_ns), IOPF_STEP_DONE);
	CHECK_EQ(iopf_broker_enable(broker, id), 0);
}

TEST(restart_is_not_to_be_had)
{
	uint32_t id = behind(4);

	CHECK_EQ(iopf_broker_restart(broker, id), 0);
	CHECK_EQ(iopf_broker_did(broker, id, 0, now_ns), IOPF_STEP_RESPOND);
	CHECK_EQ(iopf_broker_did(broker, id, 0, now_ns), -ETIMEDOUT);
}

TEST(only_functions_of_their_own_are_behind_one)
{
	uint32_t id;

	world_alone(4);
	CHECK_EQ(add((struct iopf_endpoint_options){ .allocation = 4,
						     .mechanism = IOPF_STALLS },
		     &id),
		 -EINVAL);
	CHECK_EQ(add((struct iopf_endpoint_options){ .has_physical = true,
						     .physical = endpoint },
		     &id),
		 -EINVAL);
}

int main(void)
{
	return test_main();
}
