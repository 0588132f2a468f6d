/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the configuration space that a guest sees: ATS, PASID, PRI, resets. */
#include "guest_config.h"

/* ---- ATS, PASID -------------------------------------------------------------------- */

TEST(smallest_translation_unit_is_fixed_while_ats_is_on)
{
	create(usual());
	put(ATS_AT, 2, 3 | ATS_ENABLE);
	CHECK(told_only(IOPF_CONFIG_ATS));
	CHECK_EQ(state().stu, 3);
	put(ATS_AT, 2, 5 | ATS_ENABLE);
	CHECK_EQ(state().stu, 3);
	CHECK_EQ(state().undefined, 1);
	CHECK_EQ(told_count, 0);
	put(ATS_AT, 2, 0);
	CHECK(told_only(IOPF_CONFIG_ATS));
	put(ATS_AT, 2, 5);
	CHECK_EQ(state().stu, 5);
	CHECK_EQ(told_count, 0);
	CHECK(!state().ats);
}

TEST(pasids_and_their_rights_are_told_and_may_not_change_under_ats)
{
	create(usual());
	put(PASID_AT, 2, ALL_RIGHTS);
	CHECK(told_only(IOPF_CONFIG_PASID));
	CHECK(state().pasid);
	CHECK_EQ(state().pasid_rights, IOPF_EXEC | IOPF_PRIV);
	CHECK_EQ(state().undefined, 0);
	put(ATS_AT, 2, ATS_ENABLE);
	told_count = 0;
	put(PASID_AT, 2, ALL_RIGHTS);
	CHECK_EQ(state().undefined, 0); /* no change */
	put(PASID_AT, 2, PASID_ENABLE | PASID_PRIV);
	CHECK_EQ(state().undefined, 1);
	CHECK_EQ(state().pasid_rights, IOPF_PRIV);
	CHECK(told_only(IOPF_CONFIG_PASID));
}

TEST(rights_that_are_not_supported_cannot_be_enabled)
{
	struct iopf_config_options options = usual();

	options.pasid_rights = IOPF_PRIV;
	options.pasid_bits = 8;
	create(options);
	CHECK_EQ(get(GUEST_PASID + PASID_CAP, 2), 0x0804);
	put(PASID_AT, 2, ALL_RIGHTS);
	CHECK_EQ(get(PASID_AT, 2), PASID_ENABLE | PASID_PRIV);
}

/* ---- PRI --------------------------------------------------------------------------- */

TEST(pri_is_stopped_until_it_is_enabled)
{
	create(usual());
	CHECK_EQ(get(STATUS_AT, 2), PRI_STOPPED | PRI_PASID_REQUIRED);
	put(ALLOCATION_AT, 4, 32);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK(told_only(IOPF_CONFIG_PRI));
	CHECK_EQ(get(STATUS_AT, 2), PRI_PASID_REQUIRED);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(told_count, 0);
	put(PRI_AT, 2, 0);
	CHECK(told_only(IOPF_CONFIG_PRI));
	CHECK(state().stopped);
}

TEST(where_there_is_no_pri_nothing_of_it_is_told)
{
	struct iopf_config_options options = usual();

	options.pri = false;
	create(options);
	put(PRI_AT, 2, PRI_RESET);
	put(PRI_AT, 2, PRI_ENABLE | PRI_RESET);
	CHECK_EQ(told_count, 0);
	CHECK_EQ(get(PRI_AT, 2), 0);
}

TEST(stopped_waits_for_what_was_asked)
{
	create(usual());
	put(PRI_AT, 2, PRI_ENABLE);
	iopf_config_outstanding(config, true);
	put(PRI_AT, 2, 0);
	CHECK(!state().stopped);
	iopf_config_outstanding(config, false);
	CHECK(state().stopped);
	iopf_config_outstanding(config, true);
	CHECK_EQ(state().undefined, 0);
	put(PRI_AT, 2, PRI_ENABLE); /* before Stopped: no defined result */
	CHECK_EQ(state().undefined, 1);
}

TEST(pasid_required_is_read_only_and_as_the_function_is)
{
	struct iopf_config_options options = usual();

	create(options);
	put(STATUS_AT, 2, 0xffff);
	CHECK(get(STATUS_AT, 2) & PRI_PASID_REQUIRED);
	options.pasid_in_response = false;
	create(options);
	put(STATUS_AT, 2, 0xffff);
	CHECK_EQ(get(STATUS_AT, 2), PRI_STOPPED);
}

TEST(status_bits_are_cleared_by_ones_and_by_enabling)
{
	create(usual());
	iopf_config_status(config, IOPF_STATUS_UPRGI);
	CHECK(state().uprgi && !state().rf);
	iopf_config_status(config, IOPF_STATUS_RF);
	CHECK(state().uprgi && state().rf);
	put(STATUS_AT, 2, 0);
	CHECK(state().uprgi && state().rf);
	put(STATUS_AT, 2, PRI_UPRGI);
	CHECK(!state().uprgi && state().rf);
	iopf_config_status(config, IOPF_STATUS_UPRGI);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK(!state().uprgi && !state().rf);
	iopf_config_status(config, IOPF_STATUS_UPRGI);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK(state().uprgi); /* it was on */
	put(PRI_AT, 2, 0);
	CHECK(state().uprgi);
}

TEST(allocation_is_fixed_while_pri_is_on)
{
	create(usual());
	put(ALLOCATION_AT, 4, 32);
	put(PRI_AT, 2, PRI_ENABLE);
	put(ALLOCATION_AT, 4, 32);
	CHECK_EQ(state().undefined, 0);
	put(ALLOCATION_AT, 4, 512);
	CHECK_EQ(get(ALLOCATION_AT, 4), 32);
	CHECK_EQ(state().undefined, 1);
	put(PRI_AT, 2, 0);
	put(ALLOCATION_AT, 4, 512);
	CHECK_EQ(state().allocation, 512);
}

TEST(pri_reset_reads_zero_and_counts_where_pri_is_off)
{
	create(usual());
	put(PRI_AT, 2, PRI_RESET);
	CHECK(told_only(IOPF_CONFIG_PRI_RESET));
	CHECK_EQ(get(PRI_AT, 2), 0);
	put(PRI_AT, 2, PRI_ENABLE | PRI_RESET);
	CHECK(told_only(IOPF_CONFIG_PRI));
	CHECK_EQ(get(PRI_AT, 2), PRI_ENABLE);
	put(PRI_AT, 2, PRI_RESET); /* off, and then reset */
	CHECK_EQ(told_count, 2);
	CHECK_EQ(told[0], IOPF_CONFIG_PRI);
	CHECK_EQ(told[1], IOPF_CONFIG_PRI_RESET);
}

TEST(pages_may_be_asked_for_when_everything_is_on)
{
	create(usual());
	CHECK_EQ(iopf_config_pages(config, 5), 0);
	put(PASID_AT, 2, PASID_ENABLE);
	put(ATS_AT, 2, ATS_ENABLE);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(iopf_config_pages(config, 5), 0); /* no allocation */
	put(PRI_AT, 2, 0);
	put(ALLOCATION_AT, 4, 24);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(iopf_config_pages(config, 5), 24);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_MAX), 24);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_NONE), 24);
	put(ATS_AT, 2, 0);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_NONE), 0);
	put(PASID_AT, 2, 0);
	put(ATS_AT, 2, ATS_ENABLE);
	CHECK_EQ(iopf_config_pages(config, 5), 0);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_NONE), 24);
	iopf_config_status(config, IOPF_STATUS_RF);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_NONE), 0);
	put(STATUS_AT, 2, PRI_RF);
	CHECK_EQ(iopf_config_pages(config, IOPF_PASID_NONE), 24);
}

TEST(pasids_beyond_the_width_ask_for_nothing)
{
	struct iopf_config_options options = usual();

	options.pasid_bits = 8;
	create(options);
	put(PASID_AT, 2, PASID_ENABLE);
	put(ATS_AT, 2, ATS_ENABLE);
	put(ALLOCATION_AT, 4, 24);
	put(PRI_AT, 2, PRI_ENABLE);
	CHECK_EQ(iopf_config_pages(config, 255), 24);
	CHECK_EQ(iopf_config_pages(config, 256), 0);
}

/* ---- Resets ------------------------------------------------------------------------ */

/* All that is written, in a way that changes it. */
static void write_all(void)
{
	for (uint32_t at = 0; at < IOPF_CONFIG_BYTES; at += 4) {
		uint32_t flr = at == CONTROL ? (uint32_t)DEVICE_CONTROL_FLR : 0;

		put(at, 4, ~get(at, 4) & ~flr);
	}
	iopf_config_status(config, IOPF_STATUS_RF | IOPF_STATUS_UPRGI);
}

TEST(function_level_reset_puts_every_register_back_and_reads_zero)
{
	uint8_t before[IOPF_CONFIG_BYTES];

	create(usual());
	for (uint32_t i = 0; i < IOPF_CONFIG_BYTES; i++)
		before[i] = (uint8_t)get(i, 1);
	write_all();
	told_count = 0;
	put(CONTROL, 2, 0x2930 | DEVICE_CONTROL_FLR);
	CHECK(told_only(IOPF_CONFIG_RESET)); /* and nothing of the rest */
	CHECK_EQ(state().resets, 1);
	for (uint32_t i = 0; i < IOPF_CONFIG_BYTES; i++)
		if (i != CONTROL)
			CHECK_EQ(get(i, 1), before[i]);
	CHECK_EQ(get(CONTROL, 2), 0x2810 | 0x20); /* Max Payload Size stays */
	CHECK(state().stopped);
}

TEST(what_is_asked_outlives_the_registers_until_its_owner_says_so)
{
	create(usual());
	put(PRI_AT, 2, PRI_ENABLE);
	iopf_config_outstanding(config, true);
	put(CONTROL, 2, DEVICE_CONTROL_FLR);
	CHECK(!state().stopped && !state().pri);
	iopf_config_outstanding(config, false);
	CHECK(state().stopped);
}

TEST(power_on_is_told_to_nobody)
{
	create(usual());
	write_all();
	told_count = 0;
	iopf_config_reset(config);
	CHECK_EQ(told_count, 0);
	CHECK_EQ(get(CONTROL, 2), 0x2810);
	CHECK_EQ(state().resets, 0);
}

/* ---- As a kernel does it ----------------------------------------------------------- */

TEST(kernel_that_enables_paging_in_its_order_leaves_nothing_undefined)
{
	create(usual());
	/* Found, sized, its driver bound: pci_enable_pasid, _ats, _pri, pci_set_master. */
	put(CONTROL, 2, 0x2930);
	put(PASID_AT, 2, ALL_RIGHTS);
	put(ATS_AT, 2, ATS_ENABLE);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	put(PRI_AT, 2, PRI_RESET);
	CHECK(get(STATUS_AT, 2) & PRI_STOPPED);
	put(ALLOCATION_AT, 4, 32);
	put(PRI_AT, 2, PRI_ENABLE);
	put(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER);
	CHECK_EQ(iopf_config_pages(config, 5), 32);
	/* pci_reset_function: saved, reset, put back with PRI before ATS. */
	put(CONFIG_COMMAND, 2, 0x0400);
	put(CONTROL, 2, 0xa930);
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0x5a5a1234);
	put(CONTROL, 2, 0x2930);
	put(PASID_AT, 2, ALL_RIGHTS);
	put(ALLOCATION_AT, 4, 32);
	put(PRI_AT, 2, PRI_ENABLE);
	put(ATS_AT, 2, ATS_ENABLE);
	put(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER);
	CHECK_EQ(iopf_config_pages(config, 5), 32);
	CHECK_EQ(state().undefined, 0);
	CHECK_EQ(state().resets, 1);
}

TEST(a_guest_that_writes_anything_finds_the_same_function)
{
	uint64_t random = 7;

	create(usual());
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = test_random(&random);
		uint32_t offset = (uint32_t)(r & 1 ? r >> 8 & 0x1ff : r >> 8 & 0x1fff);

		told_count = 0;
		put(offset, 1u << (r >> 32 & 3), (uint32_t)(r >> 34));
		if (i % 64 == 0)
			iopf_config_outstanding(config, r >> 63);
		CHECK(told_count <= 2);
		if (i % 256 != 0)
			continue;
		CHECK_EQ(get(CONFIG_VENDOR, 4), 0x5a5a1234);
		CHECK_EQ(get(GUEST_PRI + PRI_CAPACITY, 4), 32);
		CHECK_EQ(capability(CAPABILITY_MSI), GUEST_MSI);
		CHECK_EQ(extended(EXTENDED_PASID), GUEST_PASID);
		CHECK(!(state().pri && state().stopped));
	}
}

int main(void)
{
	return test_main();
}
