/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the configuration space that a guest sees: header, accesses, interrupts. */
#include "guest_config.h"

#include <errno.h>

/* ---- What there is --------------------------------------------------------------- */

TEST(it_is_a_function_with_its_ids)
{
	create(usual());
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0x5a5a1234);
	CHECK_EQ(get(CONFIG_REVISION, 4), 0x12000003);
	CHECK_EQ(get(CONFIG_SUBSYSTEM_VENDOR, 4), 0x11001af4);
	CHECK_EQ(get(0x0e, 1), 0);                   /* header of type 0 */
	CHECK_EQ(get(CONFIG_STATUS, 2) & 0x10, 0x10); /* it has capabilities */
	CHECK_EQ(get(0x30, 4), 0);                   /* no expansion ROM */
	CHECK_EQ(get(0x3d, 1), 0);                   /* no interrupt pin */
}

TEST(capabilities_are_found_where_they_are)
{
	create(usual());
	CHECK_EQ(capability(CAPABILITY_EXPRESS), GUEST_EXPRESS);
	CHECK_EQ(capability(CAPABILITY_MSI), GUEST_MSI);
	CHECK_EQ(extended(EXTENDED_ATS), GUEST_ATS);
	CHECK_EQ(extended(EXTENDED_PRI), GUEST_PRI);
	CHECK_EQ(extended(EXTENDED_PASID), GUEST_PASID);
	CHECK_EQ(get(GUEST_EXPRESS + EXPRESS_CAP, 2), 0x0092);
	CHECK(get(GUEST_EXPRESS + EXPRESS_DEVICE_CAP, 4) & 1u << 28);  /* FLR */
	CHECK(get(GUEST_EXPRESS + EXPRESS_DEVICE_CAP2, 4) & 1u << 21); /* prefixes */
	CHECK_EQ(get(GUEST_ATS + ATS_CAP, 2), 0x0060);
	CHECK_EQ(get(GUEST_PRI + PRI_CAPACITY, 4), 32);
	CHECK_EQ(get(GUEST_PASID + PASID_CAP, 2), 0x1406);
}

TEST(capabilities_that_are_not_wanted_are_not_there)
{
	struct iopf_config_options options = usual();

	options.msi = options.msi_masking = options.pri = false;
	create(options);
	CHECK_EQ(capability(CAPABILITY_MSI), 0);
	CHECK_EQ(extended(EXTENDED_ATS), GUEST_ATS);
	CHECK_EQ(extended(EXTENDED_PRI), 0);
	CHECK_EQ(extended(EXTENDED_PASID), GUEST_PASID);
	put(PRI_AT, 2, PRI_ENABLE);
	put(MSI_AT + MSI_CONTROL, 2, MSI_ENABLE);
	iopf_config_status(config, IOPF_STATUS_RF);
	iopf_config_outstanding(config, false);
	CHECK_EQ(get(PRI_AT, 4), 0);
	CHECK_EQ(get(MSI_AT, 4), 0);
	options.ats = options.pasid = false;
	create(options);
	CHECK_EQ(get(CONFIG_EXTENDED, 4), 0);
	CHECK_EQ(told_count, 0);
}

TEST(endpoint_behind_a_port_has_a_link)
{
	struct iopf_config_options options = usual();

	options.behind_port = true;
	create(options);
	CHECK_EQ(get(GUEST_EXPRESS + EXPRESS_CAP, 2), 0x0002);
	CHECK(get(GUEST_EXPRESS + EXPRESS_LINK_CAP, 4) != 0);
	CHECK(get(GUEST_EXPRESS + EXPRESS_LINK_STATUS, 2) != 0);
}

TEST(options_out_of_range_are_refused)
{
	static uint64_t memory[2048];
	const struct iopf_config_options right = usual();
	struct iopf_config_options wrong[12];
	struct iopf_config *made = NULL;

	for (unsigned i = 0; i < 12; i++)
		wrong[i] = right;
	wrong[0].size_bytes--;
	wrong[1].class_code = 0x1000000;
	wrong[2].pasid_bits = 21;
	wrong[3].pasid_rights = IOPF_READ;
	wrong[4].msi = false;                 /* masking without it */
	wrong[5].ats = false;                 /* PRI and PASID without it */
	wrong[6].capacity = 0;
	wrong[7].bars[2].size_bytes = 0x1800; /* no power of two */
	wrong[8].bars[2].size_bytes = 64;
	wrong[9].bars[1].size_bytes = 0x1000; /* the upper half of BAR 0 */
	wrong[10].bars[5] = (struct iopf_bar){ .size_bytes = 0x1000, .flags = IOPF_BAR_64 };
	wrong[11].bars[2].size_bytes = UINT64_C(1) << 32; /* 32-bit */
	for (unsigned i = 0; i < 12; i++)
		CHECK_EQ(iopf_config_create(&wrong[i], memory, sizeof(memory), &made),
			 -EINVAL);
	CHECK_EQ(iopf_config_create(&right, (char *)memory + 4, sizeof(memory) - 4, &made),
		 -EINVAL);
	CHECK_EQ(iopf_config_create(&right, memory, iopf_config_size_bytes() - 1, &made),
		 -ENOSPC);
	CHECK(made == NULL);
	CHECK_EQ(iopf_config_create(&right, memory, sizeof(memory), &made), 0);
}

/* ---- Accesses -------------------------------------------------------------------- */

TEST(bytes_words_and_doublewords_reach_the_same_registers)
{
	create(usual());
	put(MSI_AT + MSI_ADDR, 1, 0x10);
	put(MSI_AT + MSI_ADDR + 1, 1, 0x32);
	put(MSI_AT + MSI_ADDR + 2, 2, 0xfee0);
	CHECK_EQ(get(MSI_AT + MSI_ADDR, 4), 0xfee03210);
	CHECK_EQ(get(MSI_AT + MSI_ADDR, 2), 0x3210);
	CHECK_EQ(get(MSI_AT + MSI_ADDR + 3, 1), 0xfe);
	put(PRI_AT, 1, PRI_ENABLE);
	CHECK(state().pri);
	told_count = 0;
	put(ATS_AT + 1, 1, 0x80);
	CHECK(state().ats && told_only(IOPF_CONFIG_ATS));
	put(ATS_AT - 2, 4, 0); /* both halves: the lower one is read-only */
	CHECK(!state().ats && told_only(IOPF_CONFIG_ATS));
	put(CONTROL + 1, 1, DEVICE_CONTROL_FLR >> 8);
	CHECK(told_only(IOPF_CONFIG_RESET));
	CHECK_EQ(get(ATS_AT - 2, 2), 0x0060);
}

TEST(access_that_is_misaligned_or_outside_reads_ones_and_writes_nothing)
{
	static const struct {
		uint32_t offset, width;
	} wrong[] = { { 1, 2 }, { 3, 2 }, { 2, 4 }, { 1, 4 }, { 0, 3 }, { 0, 8 }, { 0, 0 },
		      { 4096, 1 }, { 4096, 4 }, { UINT32_MAX, 1 }, { UINT32_MAX - 3, 4 } };
	uint8_t before[IOPF_CONFIG_BYTES];

	create(usual());
	for (uint32_t i = 0; i < IOPF_CONFIG_BYTES; i++)
		before[i] = (uint8_t)get(i, 1);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint32_t width = wrong[i].width;
		uint32_t ones = width == 1 ? 0xff : width == 2 ? 0xffff : 0xffffffff;

		CHECK_EQ(get(wrong[i].offset, width), ones);
		put(wrong[i].offset, width, 0xffffffff);
	}
	for (uint32_t i = 0; i < IOPF_CONFIG_BYTES; i++)
		CHECK_EQ(get(i, 1), before[i]);
	CHECK_EQ(told_count, 0);
	CHECK_EQ(get(4092, 4), 0);
}

/* Bits that software may change, of registers that have any; each alone, from both sides. */
TEST(only_bits_that_may_be_written_are)
{
	static const struct {
		uint16_t offset;
		uint8_t width;
		uint32_t writable;
	} registers[] = {
		{ CONFIG_COMMAND, 2, 0x0546 },
		{ CONFIG_CACHE_LINE, 1, 0xff },
		{ CONFIG_BAR0, 4, 0xffff0000 },
		{ CONFIG_BAR0 + 4, 4, 0xffffffff },
		{ CONFIG_BAR0 + 8, 4, 0xfffff000 },
		{ CONFIG_INTERRUPT_LINE, 1, 0xff },
		{ CONTROL, 2, 0x79ff },
		{ GUEST_EXPRESS + EXPRESS_CONTROL2, 2, 0x8010 },
		{ MSI_AT + MSI_CONTROL, 2, 0x0071 },
		{ MSI_AT + MSI_ADDR, 4, 0xfffffffc },
		{ MSI_AT + MSI_ADDR_HIGH, 4, 0xffffffff },
		{ MSI_AT + MSI_DATA, 2, 0xffff },
		{ MSI_AT + MSI_MASK, 4, 1 },
		{ ATS_AT, 2, 0x801f },
		{ PRI_AT, 2, PRI_ENABLE },
		{ ALLOCATION_AT, 4, 0xffffffff },
		{ PASID_AT, 2, ALL_RIGHTS },
	};
	uint8_t writable[IOPF_CONFIG_BYTES] = { 0 };

	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		for (unsigned n = 0; n < registers[i].width; n++)
			writable[registers[i].offset + n] =
				(uint8_t)(registers[i].writable >> 8 * n);
	for (uint32_t at = 0; at < IOPF_CONFIG_BYTES; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			uint32_t was, now;

			if (at == CONTROL + 1 && bit == 7)
				continue; /* that is the function level reset */
			create(usual());
			was = get(at, 1);
			put(at, 1, was ^ 1u << bit);
			now = get(at, 1);
			if (at == STATUS_AT + 1) /* Stopped, PASID Required: read-only */
				CHECK_EQ(now, was);
			CHECK_EQ((now ^ was) & 1u << bit,
				 writable[at] & 1u << bit);
		}
}

/* ---- Header ---------------------------------------------------------------------- */

TEST(bar_tells_its_size_to_whoever_writes_ones)
{
	create(usual());
	CHECK_EQ(get(CONFIG_BAR0, 4), 0x0000000c);
	put(CONFIG_BAR0, 4, 0xffffffff);
	put(CONFIG_BAR0 + 4, 4, 0xffffffff);
	CHECK_EQ(get(CONFIG_BAR0, 4), 0xffff000c);
	CHECK_EQ(get(CONFIG_BAR0 + 4, 4), 0xffffffff);
	put(CONFIG_BAR0 + 8, 4, 0xffffffff);
	CHECK_EQ(get(CONFIG_BAR0 + 8, 4), 0xfffff000);
	put(CONFIG_BAR0 + 12, 4, 0xffffffff);
	CHECK_EQ(get(CONFIG_BAR0 + 12, 4), 0);
}

TEST(bar_larger_than_4_gib_is_sized_in_its_upper_half)
{
	struct iopf_config_options options = usual();

	options.bars[0].size_bytes = UINT64_C(1) << 33;
	create(options);
	put(CONFIG_BAR0, 4, 0xffffffff);
	put(CONFIG_BAR0 + 4, 4, 0xffffffff);
	CHECK_EQ(get(CONFIG_BAR0, 4), 0x0000000c);
	CHECK_EQ(get(CONFIG_BAR0 + 4, 4), 0xfffffffe);
}

TEST(bars_and_the_command_register_are_told)
{
	create(usual());
	put(CONFIG_BAR0, 4, 0xe0010000);
	CHECK(told_only(IOPF_CONFIG_BARS));
	put(CONFIG_BAR0 + 4, 4, 0x12);
	CHECK(told_only(IOPF_CONFIG_BARS));
	CHECK_EQ(state().bars[0], 0x12e0010000);
	CHECK_EQ(state().bars[1], 0);
	put(CONFIG_BAR0 + 4, 4, 0x12);
	CHECK_EQ(told_count, 0); /* as it was */
	CHECK(!state().memory && !state().master);
	put(CONFIG_COMMAND, 2, COMMAND_MEMORY);
	CHECK(told_only(IOPF_CONFIG_COMMAND));
	put(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_BUS_MASTER | 0x400);
	CHECK(told_only(IOPF_CONFIG_COMMAND));
	CHECK(state().memory && state().master);
	put(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_BUS_MASTER);
	CHECK_EQ(told_count, 0); /* interrupts by wire: there are none */
}

/* ---- MSI --------------------------------------------------------------------------- */

static void program_msi(void)
{
	put(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER);
	put(MSI_AT + MSI_ADDR, 4, 0xfee01004);
	put(MSI_AT + MSI_ADDR_HIGH, 4, 0x7);
	put(MSI_AT + MSI_DATA, 2, 0x4321);
	put(MSI_AT + MSI_CONTROL, 2, MSI_ENABLE);
	told_count = 0;
}

TEST(interrupt_is_the_message_that_was_programmed)
{
	uint64_t addr = 0;
	uint32_t data = 0;

	create(usual());
	program_msi();
	CHECK(iopf_config_interrupt(config, &addr, &data));
	CHECK_EQ(addr, 0x7fee01004);
	CHECK_EQ(data, 0x4321);
	put(CONFIG_COMMAND, 2, 0);
	CHECK(!iopf_config_interrupt(config, &addr, &data)); /* a message is a write */
	put(CONFIG_COMMAND, 2, COMMAND_BUS_MASTER);
	put(MSI_AT + MSI_CONTROL, 2, 0);
	CHECK(!iopf_config_interrupt(config, &addr, &data));
	CHECK(!state().msi_pending);
}

TEST(masked_interrupt_is_pending_until_it_can_leave)
{
	uint64_t addr;
	uint32_t data;

	create(usual());
	program_msi();
	put(MSI_AT + MSI_MASK, 4, 1);
	CHECK(told_only(IOPF_CONFIG_MSI));
	CHECK(!iopf_config_interrupt(config, &addr, &data));
	CHECK_EQ(get(MSI_AT + MSI_PENDING, 4), 1);
	put(MSI_AT + MSI_PENDING, 4, 0);
	CHECK(state().msi_pending && state().msi_masked);
	put(MSI_AT + MSI_MASK, 4, 0);
	CHECK(told_only(IOPF_CONFIG_MSI));
	CHECK(state().msi_pending && !state().msi_masked);
	CHECK(iopf_config_interrupt(config, &addr, &data));
	CHECK_EQ(get(MSI_AT + MSI_PENDING, 4), 0);
}

TEST(without_masking_there_is_no_mask)
{
	struct iopf_config_options options = usual();
	uint64_t addr;
	uint32_t data;

	options.msi_masking = false;
	create(options);
	program_msi();
	put(MSI_AT + MSI_MASK, 4, 1);
	CHECK_EQ(get(MSI_AT + MSI_CONTROL, 2) & MSI_MASKING, 0);
	CHECK(iopf_config_interrupt(config, &addr, &data));
}

int main(void)
{
	return test_main();
}
