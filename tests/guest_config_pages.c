/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what a guest is shown, by what it has switched on in configuration space. */
#include "guest/config.h"
#include "guest_pair.h"

enum {
	ATS_AT = GUEST_ATS + ATS_CONTROL,
	PRI_AT = GUEST_PRI + PRI_CONTROL,
	STATUS_AT = GUEST_PRI + PRI_STATUS,
	ALLOCATION_AT = GUEST_PRI + PRI_ALLOCATION,
	PASID_AT = GUEST_PASID + PASID_CONTROL,
	FLR_AT = GUEST_EXPRESS + EXPRESS_CONTROL,
};

static struct pair *pair;

static void put(uint32_t offset, uint32_t width, uint32_t value)
{
	iopf_guest_config_write(pair->guest, 0, offset, width, value);
}

static uint32_t get(uint32_t offset, uint32_t width)
{
	return iopf_guest_config_read(pair->guest, 0, offset, width);
}

static void make(bool pasid_in_response)
{
	static uint64_t memory[2048];
	const struct iopf_config_options options = {
		.size_bytes = sizeof(options),
		.ats = true,
		.pri = true,
		.pasid = true,
		.pasid_bits = 13,
		.capacity = 32,
		.pasid_in_response = pasid_in_response,
	};
	struct pair_options want = { .levels = 4, .pasid_optional = !pasid_in_response };

	CHECK_EQ(iopf_config_create(&options, memory, sizeof(memory), &want.config), 0);
	pair = pair_with_pasid(want);
}

static void switch_on(uint32_t allocation)
{
	put(PASID_AT, 2, PASID_ENABLE);
	put(ATS_AT, 2, ATS_ENABLE);
	put(ALLOCATION_AT, 4, allocation);
	put(PRI_AT, 2, PRI_ENABLE);
}

TEST(function_without_a_space_reads_ones_and_is_shown_as_ever)
{
	make(true);
	CHECK_EQ(iopf_guest_config_read(pair->guest, 1, 0, 4), UINT32_MAX);
	CHECK_EQ(iopf_guest_config_read(pair->guest, 2, 0, 2), 0xffff);
	CHECK_EQ(iopf_guest_config_read(pair->guest, UINT32_MAX, 0, 1), 0xff);
	iopf_guest_config_write(pair->guest, 1, PRI_AT, 2, PRI_ENABLE);
	iopf_guest_config_write(pair->guest, 2, PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(get(GUEST_PRI + PRI_CAPACITY, 4), 32);
}

TEST(nothing_is_shown_before_the_guest_has_switched_it_on)
{
	int off = pair_stalls() ? 0 : -ENOENT;

	make(true);
	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, 1, 1, 0x1000, 1), off);
	put(PRI_AT, 2, PRI_ENABLE);
	put(PRI_AT, 2, 0);
	switch_on(0);
	CHECK_EQ(pair_show(pair, 2, 1, 0x1000, 1), off);
	put(PRI_AT, 2, 0);
	switch_on(8);
	put(PASID_AT, 2, 0);
	CHECK_EQ(pair_show(pair, 3, 1, 0x1000, 1), off);
	put(PASID_AT, 2, PASID_ENABLE);
	put(ATS_AT, 2, 0);
	CHECK_EQ(pair_show(pair, 4, 1, 0x1000, 1), off);
	put(ATS_AT, 2, ATS_ENABLE);
	CHECK_EQ(pair_show(pair, 5, 1, 0x1000, 1), 0);
	CHECK_EQ(pair_stats(pair).unshown, pair_stalls() ? 0 : 4);
}

TEST(what_the_guest_holds_when_it_switches_pri_off_is_a_debt_that_the_host_ends)
{
	uint16_t index;

	if (pair_stalls())
		return;
	make(true);
	switch_on(8);
	index = pair_hold(pair, 1, 1, 0x1000);
	pair_hold(pair, 2, 1, 0x2000);
	CHECK(!(get(STATUS_AT, 2) & PRI_STOPPED));
	put(PRI_AT, 2, 0);
	CHECK_EQ(pair_count(pair, 'f'), 2);
	CHECK_EQ(pair_stats(pair).held, 0);
	CHECK_EQ(pair_stats(pair).owed, 2);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	/* It has read them, and answers all the same: that is stale and means nothing. */
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS);
	CHECK_EQ(pair_count(pair, 'r'), 0);
	CHECK_EQ(pair_stats(pair).refused_stale, 1);
	CHECK_EQ(pair_stats(pair).owed, 1);
	CHECK(!(get(STATUS_AT, 2) & PRI_UPRGI));
	/* A debt's index is not used again, on or off. */
	put(PRI_AT, 2, PRI_RESET);
	put(PRI_AT, 2, PRI_ENABLE);
	pair_hold(pair, 3, 1, 0x3000);
	CHECK_EQ(pair_stats(pair).owed, 1);
}

TEST(what_is_shown_stays_within_the_allocation)
{
	if (pair_stalls())
		return;
	make(true);
	switch_on(4);
	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, 1, 1, 0x1000, 3), 0);
	CHECK_EQ(pair_show(pair, 2, 1, 0x8000, 2), -EAGAIN);
	CHECK_EQ(pair_show(pair, 3, 1, 0x8000, 1), 0);
	pair_settle(pair);
	CHECK_EQ(pair->faults, 4);
	CHECK_EQ(pair_show(pair, 4, 1, 0x9000, 1), -EAGAIN);
	pair_say(pair, PAIR_RID, 1, pair->index, IOPF_SUCCESS);
	CHECK_EQ(pair_show(pair, 4, 1, 0x9000, 1), 0);
	CHECK_EQ(iopf_guest_taken(pair->guest, 1, pair->now_ns), 0);
	CHECK_EQ(pair_show(pair, 5, 1, 0xa000, 3), 0);
	CHECK_EQ(pair_show(pair, 6, 1, 0xf000, 1), -EAGAIN);
}

TEST(group_that_is_larger_than_the_allocation_is_shown_in_part)
{
	if (pair_stalls())
		return;
	make(true);
	switch_on(4);
	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, 1, 1, 0x1000, 9), 0);
	pair_settle(pair);
	CHECK_EQ(pair->faults, 4);
	CHECK_EQ(pair_stats(pair).shown_pages, 4);
	pair_say(pair, PAIR_RID, 1, pair->index, IOPF_SUCCESS);
	CHECK_EQ(pair_find(pair, 'r').token, 1);
	CHECK(get(STATUS_AT, 2) == PRI_PASID_REQUIRED);
}

TEST(answer_that_fits_nothing_is_unexpected_and_one_that_fits_is_not)
{
	uint16_t index;

	if (pair_stalls())
		return;
	make(true);
	switch_on(8);
	index = pair_hold(pair, 1, 1, 0x1000);
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS);
	CHECK(!(get(STATUS_AT, 2) & PRI_UPRGI));
	pair_say(pair, PAIR_RID, 1, index, IOPF_SUCCESS); /* twice */
	CHECK(get(STATUS_AT, 2) & PRI_UPRGI);
	put(STATUS_AT, 2, PRI_UPRGI);
	CHECK(!(get(STATUS_AT, 2) & PRI_UPRGI));
	pair_say(pair, PAIR_RID, 1, 300, IOPF_SUCCESS); /* never shown */
	CHECK(get(STATUS_AT, 2) & PRI_UPRGI);
	put(STATUS_AT, 2, PRI_UPRGI);
	pair_say(pair, PAIR_OTHER_RID, 1, 300, IOPF_SUCCESS); /* another function's */
	CHECK(!(get(STATUS_AT, 2) & PRI_UPRGI));
}

TEST(failure_stops_paging_until_it_is_switched_off_and_on)
{
	uint16_t index;

	if (pair_stalls())
		return;
	make(true);
	switch_on(8);
	index = pair_hold(pair, 1, 1, 0x1000);
	pair_say(pair, PAIR_RID, 1, index, IOPF_FAILURE);
	CHECK(get(STATUS_AT, 2) & PRI_RF);
	CHECK_EQ(pair_show(pair, 2, 1, 0x1000, 1), -ENOENT);
	put(PRI_AT, 2, 0);
	CHECK(get(STATUS_AT, 2) & PRI_RF);
	put(PRI_AT, 2, PRI_RESET);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(get(STATUS_AT, 2) & (PRI_RF | PRI_STOPPED), 0);
	CHECK_EQ(pair_show(pair, 2, 1, 0x1000, 1), 0);
}

TEST(reset_of_the_machine_puts_the_registers_back)
{
	make(true);
	switch_on(8);
	CHECK_EQ(iopf_guest_reset(pair->guest, 1), 0);
	CHECK_EQ(get(PRI_AT, 2), 0);
	CHECK_EQ(get(ATS_AT, 2), 0);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
}

/* Where nobody listens, a function level reset switches PRI off like any other write. */
TEST(function_level_reset_leaves_nothing_held)
{
	make(false);
	switch_on(8);
	pair->fault = -EAGAIN;
	CHECK_EQ(pair_show(pair, 1, 1, 0x1000, 2), 0);
	put(FLR_AT, 2, DEVICE_CONTROL_FLR);
	CHECK_EQ(pair_stats(pair).held, pair_stalls() ? 2 : 0);
	CHECK_EQ(pair_count(pair, 'f'), pair_stalls() ? 0 : 1);
	CHECK_EQ(get(PRI_AT, 2), 0);
}

int main(void)
{
	return pair_main();
}
