/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the configuration space that a guest sees, register by register. */
#include "guest/config.h"

#include <errno.h>

#include "iopf/iopf.h"
#include "test.h"

enum {
	CONTROL = GUEST_EXPRESS + EXPRESS_CONTROL,
	MSI_AT = GUEST_MSI,
	ATS_AT = GUEST_ATS + ATS_CONTROL,
	PRI_AT = GUEST_PRI + PRI_CONTROL,
	STATUS_AT = GUEST_PRI + PRI_STATUS,
	ALLOCATION_AT = GUEST_PRI + PRI_ALLOCATION,
	PASID_AT = GUEST_PASID + PASID_CONTROL,
	ALL_RIGHTS = PASID_ENABLE | PASID_EXEC | PASID_PRIV,
};

static struct iopf_config *config;
static enum iopf_config_change told[64];
static unsigned told_count;

static void changed(void *context, enum iopf_config_change change)
{
	CHECK(context == &config);
	CHECK(told_count < 64);
	told[told_count++] = change;
}

static struct iopf_config_options usual(void)
{
	return (struct iopf_config_options){
		.size_bytes = sizeof(struct iopf_config_options),
		.vendor_id = 0x1234,
		.device_id = 0x5a5a,
		.subsystem_vendor_id = 0x1af4,
		.subsystem_id = 0x1100,
		.class_code = 0x120000,
		.revision = 3,
		.msi = true,
		.msi_masking = true,
		.ats = true,
		.pri = true,
		.pasid = true,
		.pasid_in_response = true,
		.pasid_bits = 20,
		.pasid_rights = IOPF_EXEC | IOPF_PRIV,
		.capacity = 32,
		.bars = { { .size_bytes = 0x10000, .flags = IOPF_BAR_64 | IOPF_BAR_PREFETCH },
			  { .size_bytes = 0 },
			  { .size_bytes = 0x1000 } },
		.changed = changed,
		.context = &config,
	};
}

static void create(struct iopf_config_options options)
{
	static uint64_t memory[2048];

	memset(memory, 0xa5, sizeof(memory));
	CHECK(iopf_config_size_bytes() <= sizeof(memory));
	CHECK_EQ(iopf_config_create(&options, memory, sizeof(memory), &config), 0);
	told_count = 0;
}

static uint32_t get(uint32_t offset, uint32_t width)
{
	return iopf_config_read(config, offset, width);
}

static void put(uint32_t offset, uint32_t width, uint32_t value)
{
	iopf_config_write(config, offset, width, value);
}

static struct iopf_config_state state(void)
{
	struct iopf_config_state now;

	iopf_config_state(config, &now);
	return now;
}

/* The only thing told since the last look. */
static bool told_only(enum iopf_config_change change)
{
	bool only = told_count == 1 && told[0] == change;

	told_count = 0;
	return only;
}

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

/* Every capability that is there is found once, by walking the lists as software does. */
static uint32_t extended(uint32_t id)
{
	uint32_t at = CONFIG_EXTENDED, found = 0;

	while (at != 0) {
		uint32_t header = get(at, 4);

		if ((header & 0xffff) == id) {
			CHECK_EQ(found, 0);
			found = at;
		}
		at = header >> 20;
	}
	return found;
}

static uint32_t capability(uint32_t id)
{
	uint32_t at = get(CONFIG_CAPABILITIES, 1), found = 0;

	for (; at != 0; at = get(at + 1, 1))
		if (get(at, 1) == id) {
			CHECK_EQ(found, 0);
			found = at;
		}
	return found;
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
	put(ATS_AT + 1, 1, 0x80);
	CHECK(state().ats);
	put(ATS_AT - 2, 4, 0); /* both halves: the lower one is read-only */
	CHECK(!state().ats);
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
