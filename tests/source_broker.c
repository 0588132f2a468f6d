/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a broker behind a fault descriptor: operations of one PASID and of a whole
 * function, in the order that iommufd.h gives; every group is answered once, the ledger and
 * the kernel end the same ones, and nothing is written after a function's reset.
 */
#include "source_kernel.h"

enum { DEVICE = 7, OTHER_DEVICE = 8, PASIDS = 3, GROUPS = 24, READ_MAX = 8, ROUNDS = 2500 };

static struct iopf_broker *broker;
static uint32_t source_id, owner, endpoints[2];
static uint64_t now_ns, seed;
static uint32_t written_after_reset; /* groups asked before it, answered by us after it */

static uint32_t add_endpoint(uint32_t device)
{
	struct iopf_endpoint_options options = { .size_bytes = sizeof(options),
						 .source = source_id,
						 .rid = device,
						 .allocation = 40,
						 .pasid_in_response = true,
						 .descriptor = true };
	uint32_t id;

	CHECK_EQ(iopf_broker_add_endpoint(broker, &options, &id), 0);
	CHECK_EQ(iopf_broker_attach(broker, id, IOPF_PASID_NONE, owner), 0);
	for (uint32_t pasid = 1; pasid < PASIDS; pasid++)
		CHECK_EQ(iopf_broker_attach(broker, id, pasid, owner), 0);
	return id;
}

static void world(void)
{
	static _Alignas(64) uint8_t memory[1 << 18];
	struct iopf_broker_options options = { .size_bytes = sizeof(options),
					       .instance = 1,
					       .source_max = 1,
					       .endpoint_max = 2,
					       .owner_max = 1,
					       .attachment_max = 8,
					       .group_max = 128 };
	struct iopf_source_options source_options = { .size_bytes = sizeof(source_options),
						      .reserve_count = READ_MAX };
	struct iopf_owner_options owner_options = { .size_bytes = sizeof(owner_options) };

	world_create(GROUPS, READ_MAX);
	now_ns = 1;
	CHECK(iopf_broker_size_bytes(&options) <= sizeof(memory));
	CHECK_EQ(iopf_broker_create(&options, memory, sizeof(memory), &broker), 0);
	CHECK_EQ(iopf_broker_add_source(broker, &source_options, &source_id), 0);
	CHECK_EQ(iopf_broker_add_owner(broker, &owner_options, &owner), 0);
	endpoints[0] = add_endpoint(DEVICE);
	endpoints[1] = add_endpoint(OTHER_DEVICE);
}

/* ---- What a host does ---------------------------------------------------------------------- */

static void leave(void)
{
	struct iopf_response out[8];
	int count;

	while ((count = iopf_broker_respond(broker, source_id, out, 8, ++now_ns)) > 0)
		CHECK_EQ(iopf_iommufd_write(source, out, (uint32_t)count), 0);
}

static void take(void)
{
	int count;

	while ((count = iopf_iommufd_read(source, &requests)) > 0) {
		CHECK_EQ(iopf_broker_requests(broker, source_id, requests, (uint32_t)count,
					      ++now_ns),
			 count);
		leave();
	}
	CHECK_EQ(count, 0);
}

/* As for source_random: nobody else's answer. */
static enum iopf_code code_of(uint32_t group)
{
	return group * 2654435761u >> 31 ? IOPF_SUCCESS : IOPF_INVALID;
}

static bool answer_one(void)
{
	struct iopf_group group;

	if (iopf_broker_fetch(broker, owner, &group, ++now_ns) != 0)
		return false;
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token,
				    code_of(group_of(group.page.addr)), ++now_ns),
		 0);
	return true;
}

static uint32_t endpoint_of(uint32_t device)
{
	return endpoints[device == OTHER_DEVICE];
}

/* The operation that was begun, when the kernel has done its part. */
static void finish(uint32_t device)
{
	uint32_t id = endpoint_of(device);
	int step;

	take();
	step = iopf_broker_did(broker, id, 0, ++now_ns);
	while (step != IOPF_STEP_DONE) {
		CHECK_EQ(iopf_iommufd_step((enum iopf_step)step), 0);
		leave();
		step = iopf_broker_did(broker, id, 0, ++now_ns);
	}
}

static void detach(uint32_t device, uint32_t pasid)
{
	CHECK_EQ(iopf_broker_detach(broker, endpoint_of(device), pasid), 0);
	kernel_detach(device, pasid);
	iopf_iommufd_forget(source, device, pasid);
	finish(device);
}

static void kernel_detach_all(uint32_t device)
{
	kernel_detach(device, IOPF_PASID_NONE);
	for (uint32_t pasid = 1; pasid < PASIDS; pasid++)
		kernel_detach(device, pasid);
	iopf_iommufd_forget(source, device, IOPF_PASID_ANY);
}

static uint32_t by_us(uint32_t device)
{
	uint32_t count = 0;

	for (uint32_t id = 0; id < kernel.group_count; id++)
		count += kernel.groups[id].device == device && kernel.groups[id].answers == 1 &&
			 !kernel.groups[id].by_kernel;
	return count;
}

/* Detach while it is alive, then reset, then attach. */
static void reset(uint32_t device)
{
	uint32_t before;

	CHECK_EQ(iopf_broker_disable(broker, endpoint_of(device)), 0);
	kernel_detach_all(device);
	finish(device);
	before = by_us(device);
	leave();
	written_after_reset += by_us(device) - before;
	CHECK_EQ(iopf_broker_enable(broker, endpoint_of(device)), 0);
}

/* ---- Cases --------------------------------------------------------------------------------- */

TEST(groups_of_a_detached_pasid_end_on_both_sides)
{
	world();
	kernel_fault(DEVICE, 1, 3, 2);
	kernel_fault(DEVICE, 2, 3, 2);
	take();
	detach(DEVICE, 1);
	CHECK(kernel.groups[0].by_kernel);
	CHECK_EQ(iopf_broker_stats(broker)->row[endpoints[0]].counter[IOPF_COUNTER_ended_detach],
		 1);
	CHECK_EQ(COUNTED(swallowed), 1);
	while (answer_one())
		leave();
	CHECK_EQ(kernel.groups[1].answers, 1);
	CHECK(!kernel.groups[1].by_kernel);
}

TEST(function_is_reset_with_nothing_open)
{
	struct iopf_group group;

	world();
	kernel_fault(DEVICE, 1, 3, 2);
	take();
	CHECK_EQ(iopf_broker_fetch(broker, owner, &group, ++now_ns), 0);
	kernel_fault(DEVICE, 1, 4, 2);
	reset(DEVICE);
	CHECK_EQ(kernel.groups[0].answers, 1);
	CHECK_EQ(kernel.groups[1].answers, 1);
	CHECK_EQ(iopf_broker_answer(broker, owner, group.token, IOPF_SUCCESS, ++now_ns), -ENOENT);
	leave();
	CHECK_EQ(kernel.writes, 0);
	kernel_fault(DEVICE, 1, 3, 1);
	take();
	CHECK(answer_one());
	leave();
	CHECK_EQ(kernel.groups[2].answers, 1);
}

TEST(function_that_was_reset_underneath_hears_nothing_of_before)
{
	world();
	kernel_fault(DEVICE, 1, 3, 2);
	kernel_fault(OTHER_DEVICE, 1, 3, 2);
	take();
	CHECK_EQ(iopf_broker_reset(broker, endpoints[0], ++now_ns), 0);
	take();
	CHECK_EQ(iopf_broker_did(broker, endpoints[0], 0, ++now_ns), IOPF_STEP_DONE);
	CHECK_EQ(iopf_iommufd_reset(source, DEVICE), 1);
	while (answer_one())
		leave();
	CHECK_EQ(kernel.groups[0].answers, 0);
	CHECK_EQ(kernel.groups[1].answers, 1);
	kernel_detach_all(DEVICE);
	CHECK_EQ(kernel.groups[0].answers, 1);
	CHECK_EQ(iopf_broker_enable(broker, endpoints[0]), 0);
	kernel_fault(DEVICE, 1, 5, 1);
	take();
	CHECK(answer_one());
}

TEST(device_that_nobody_enabled_is_answered)
{
	world();
	kernel_fault(99, 1, 3, 2);
	take();
	CHECK_EQ(kernel.groups[0].code, IOPF_IOMMUFD_INVALID);
	CHECK_EQ(kernel.groups[0].answers, 1);
}

/* ---- Any order ----------------------------------------------------------------------------- */

static uint32_t chance(uint32_t of)
{
	return (uint32_t)(test_random(&seed) % of);
}

static uint32_t a_pasid(void)
{
	uint32_t pasid = chance(PASIDS);

	return pasid == 0 ? IOPF_PASID_NONE : pasid;
}

static void step(void)
{
	uint32_t device = DEVICE + chance(2), what = chance(40), pasid = a_pasid();

	if (what == 0) {
		reset(device);
	} else if (what == 1) {
		detach(device, pasid);
		CHECK_EQ(iopf_broker_attach(broker, endpoint_of(device), pasid, owner), 0);
	} else if (what < 10) {
		take();
	} else if (what < 20) {
		answer_one();
	} else if (what < 28) {
		leave();
	} else if (kernel.group_count < KERNEL_GROUPS) {
		kernel_fault(device, pasid, chance(2), 1 + chance(6));
	}
}

TEST(every_group_is_answered_once_whatever_ends_it)
{
	uint64_t swallowed = 0, answers = 0;

	for (seed = 1; seed < 20; seed++) {
		uint64_t from = seed;

		world();
		for (unsigned i = 0; i < ROUNDS; i++)
			step();
		for (unsigned i = 0; i < 200; i++) {
			take();
			answer_one();
			leave();
		}
		for (uint32_t id = 0; id < kernel.group_count; id++) {
			CHECK_EQ(kernel.groups[id].answers, 1);
			if (kernel.groups[id].code == IOPF_IOMMUFD_SUCCESS)
				CHECK_EQ(code_of(id), IOPF_SUCCESS);
		}
		CHECK_EQ(iopf_iommufd_owed(source), 0);
		CHECK_EQ(COUNTED(refused), 0); /* everybody told */
		CHECK_EQ(COUNTED(unknown), 0);
		swallowed += COUNTED(swallowed);
		answers += COUNTED(answers);
		seed = from;
	}
	CHECK_EQ(written_after_reset, 0);
	CHECK(swallowed > 200 && answers > 2000);
}

int main(void)
{
	return test_main();
}
