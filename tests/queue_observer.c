/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: who looks over an IOMMU's shoulder sees each command once, and may hold
 * the interrupt of page requests back. */
#include "test.h"

#include "queue/vtd_hardware.h"
#include "queue_pair.h"

static struct {
	struct iopf_command command;
	uint32_t commands, messages;
	bool hold;
} seen;

static void see_command(void *context, const struct iopf_command *command)
{
	(void)context;
	seen.commands++;
	seen.command = *command;
}

static bool see_interrupt(void *context)
{
	(void)context;
	seen.messages++;
	return !seen.hold;
}

static const struct hardware_observer observer = { NULL, see_command, see_interrupt };

static void start(void)
{
	pair_start();
	memset(&seen, 0, sizeof(seen));
	hardware_observe(pair.hardware, &observer);
}

static void submit(uint64_t n)
{
	const struct iopf_command command = pair_response(n);

	CHECK_EQ(iopf_driver_submit(pair.driver, &command), 0);
	CHECK_EQ(iopf_driver_kick(pair.driver), 0);
}

TEST(a_command_that_holds_the_queue_up_is_seen_once)
{
	start();
	pair.command_result = -EAGAIN;
	submit(7);
	for (int i = 0; i < 5; i++)
		iopf_hardware_run(pair.hardware, 4);
	CHECK_EQ(seen.commands, 1);
	CHECK_EQ(seen.command.kind, IOPF_COMMAND_RESPONSE);
	CHECK_EQ(seen.command.index, 7);
	pair.command_result = 0;
	submit(8);
	iopf_hardware_run(pair.hardware, 4);
	CHECK_EQ(seen.commands, 2);
	CHECK_EQ(seen.command.index, 8);
}

TEST(nobody_is_told_once_it_looks_away)
{
	start();
	hardware_observe(pair.hardware, NULL);
	submit(1);
	iopf_hardware_run(pair.hardware, 4);
	CHECK_EQ(pair_post(1), IOPF_POSTED);
	CHECK_EQ(seen.commands + seen.messages, 0);
	CHECK_EQ(pair.interrupts, 1);
}

TEST(an_interrupt_that_is_held_back_leaves_when_it_is_let_go)
{
	start();
	seen.hold = true;
	CHECK_EQ(pair_post(1), IOPF_POSTED);
	CHECK_EQ(pair_post(2), IOPF_POSTED);
	CHECK_EQ(seen.messages, 1); /* the second found the bit set */
	CHECK_EQ(pair.interrupts, 0);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PPR);
	vtd_request_interrupt(pair.hardware);
	CHECK_EQ(pair.interrupts, 1);
	CHECK_EQ(pair.interrupt_addr, INTERRUPT_ADDR);
	CHECK_EQ(pair.interrupt_data, INTERRUPT_DATA);
}

TEST(other_interrupts_are_not_asked_about)
{
	const struct iopf_fault fault = { .rid = 1, .pasid = IOPF_PASID_NONE };

	start();
	seen.hold = true;
	pair_set(VTD_FECTL, 4, 0);
	CHECK(iopf_hardware_fault(pair.hardware, &fault));
	CHECK_EQ(seen.messages, 0);
	CHECK_EQ(pair.interrupts, 1);
}

TEST(an_overflow_can_be_said_where_nothing_was_lost)
{
	start();
	vtd_request_overflow(pair.hardware);
	vtd_request_overflow(pair.hardware);
	CHECK_EQ(pair_reg(VTD_PRS, 4), VTD_PRS_PRO);
	CHECK_EQ(pair_reg(VTD_FSTS, 4) & VTD_FSTS_PRO, VTD_FSTS_PRO);
	CHECK_EQ(iopf_hardware_stats(pair.hardware)->overflows, 1);
	CHECK_EQ(pair.interrupts, 1);
	pair_set(VTD_PRS, 4, VTD_PRS_PRO);
	CHECK_EQ(pair_reg(VTD_PRS, 4), 0);
	CHECK_EQ(pair_post(1), IOPF_POSTED);
}

int main(void)
{
	return test_main();
}
