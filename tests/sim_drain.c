/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a drain is over when a whole round of it saw no overflow, and not before. */
#include "sim/world.h"

#include "sim_court.h"
#include "test.h"

enum { RID = 0x0310, OTHER_RID = 0x0318, FULL = 200, ROUNDS = 6 };

static struct world world;

static void create(void)
{
	static const struct world_function_options functions[] = {
		{ .rid = RID, .allocation = 8 }, { .rid = OTHER_RID, .allocation = 8 }
	};
	static const struct world_guest_options guests[] = {
		{ .function_count = 1, .functions = &functions[0] },
		{ .function_count = 1, .functions = &functions[1] },
	};

	CHECK_EQ(court_create(&(struct world_options){ .guest_count = 2, .guests = guests },
			      &world),
		 0);
	CHECK_EQ(world_attach(&world, 0, RID, 7), 0);
	CHECK_EQ(world_attach(&world, 1, OTHER_RID, 7), 0);
}

/* More than the queue of 128 entries holds, while the host does not look. */
static void overfill(uint64_t addr)
{
	for (uint16_t n = 0; n < FULL; n++) {
		const struct iopf_request request = { .rid = OTHER_RID,
						      .pasid = 7,
						      .index = n,
						      .addr = addr + n * UINT64_C(4096),
						      .perm = IOPF_READ,
						      .flags = IOPF_LAST };

		model_function_send_raw(world_function(&world, OTHER_RID)->function, 7, 0,
					iopf_pcie_encode_request(&request));
	}
}

static uint64_t overflows(void)
{
	return iopf_host_driver_stats(world.host)->overflows;
}

TEST(drain_goes_on_while_its_rounds_see_an_overflow)
{
	struct iopf_broker *broker;
	uint32_t endpoint;
	unsigned turns = 0;

	create();
	broker = iopf_host_broker(world.host);
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_broker_detach(broker, endpoint, 7), 0);
	while (overflows() < ROUNDS) {
		CHECK(iopf_host_busy(world.host, endpoint));
		overfill(0x100000);
		world_turn(&world);
		CHECK(++turns < 100);
	}
	CHECK(iopf_host_busy(world.host, endpoint));
	CHECK_EQ(iopf_broker_attach(broker, endpoint, 7, 0) == 0, false);
	CHECK(world_settle(&world, 100000));
	CHECK(!iopf_host_busy(world.host, endpoint));
	court_destroy(&world);
}

TEST(drain_of_a_quiet_queue_takes_one_round)
{
	uint32_t endpoint;

	create();
	endpoint = iopf_host_endpoint(world.host, RID);
	CHECK_EQ(iopf_broker_detach(iopf_host_broker(world.host), endpoint, 7), 0);
	for (unsigned n = 0; n < 6; n++)
		world_turn(&world);
	CHECK(!iopf_host_busy(world.host, endpoint));
	CHECK_EQ(overflows(), 0);
	court_destroy(&world);
}

int main(void)
{
	return test_main();
}
