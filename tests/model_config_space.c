/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: a function's configuration space is one that software of PCI can read. */
#include <errno.h>

#include "model/config.h"
#include "model/function.h"

#include "test.h"

static struct model_function *function;

static void start(void)
{
	static const struct model_function_options options = {
		.rid = 0x0310,
		.vendor_id = 0x1234,
		.device_id = 0x5678,
		.class_code = 0x120000,
		.capacity = 64,
		.atc_entries = 64,
		.pasid_width = 20,
		.priv = true,
		.pasid_in_response = true,
	};

	model_function_destroy(function);
	function = NULL;
	CHECK_EQ(model_function_create(&options, &function), 0);
}

static uint32_t get(uint32_t offset, uint32_t size_bytes)
{
	return model_function_config_read(function, offset, size_bytes);
}

static void set(uint32_t offset, uint32_t size_bytes, uint32_t value)
{
	model_function_config_write(function, offset, size_bytes, value);
}

TEST(capability_lists_end_and_name_what_is_there)
{
	static const uint32_t wanted[] = { 0x0001, 0x000f, 0x0013, 0x001b };
	uint32_t n = 0, at = 0x100;

	start();
	CHECK_EQ(get(CONFIG_STATUS, 2) & 0x10, 0x10);
	CHECK_EQ(get(get(0x34, 1), 1), 0x10);
	CHECK_EQ(get(get(get(0x34, 1) + 1, 1), 2), 0x0005);
	while (at != 0) {
		CHECK(n < 4);
		CHECK_EQ(get(at, 4) & 0xffff, wanted[n++]);
		at = get(at, 4) >> 20;
	}
	CHECK_EQ(n, 4);
	CHECK_EQ(get(CONFIG_DEVICE_CAP2, 4) >> 21 & 1, 1);
}

/* Every register: what reads back after all ones, and then after all zeroes. */
TEST(each_bit_is_written_kept_or_cleared_as_its_table_says)
{
	static const struct {
		int number;
		uint32_t offset, size, fresh, ones, zeroes;
	} row[] = {
		{ 1, CONFIG_VENDOR, 4, 0x56781234, 0x56781234, 0x56781234 },
		{ 2, CONFIG_COMMAND, 2, 0, 0x0546, 0 },
		{ 3, CONFIG_STATUS, 2, 0x0010, 0x0010, 0x0010 },
		{ 4, CONFIG_BAR0, 4, 4, 0xfffff004, 4 },
		{ 5, CONFIG_BAR0 + 4, 4, 0, 0xffffffff, 0 },
		{ 6, CONFIG_DEVICE_CAP, 4, 0x10008021, 0x10008021, 0x10008021 },
		{ 7, CONFIG_DEVICE_CONTROL2, 2, 0, 0x8010, 0 },
		{ 8, CONFIG_MSI_CONTROL, 2, 0x0080, 0x00f1, 0x0080 },
		{ 9, CONFIG_MSI_ADDR, 4, 0, 0xfffffffc, 0 },
		{ 10, CONFIG_AER_MASK, 4, 0x00400000, 0x07fff030, 0 },
		{ 11, CONFIG_AER_UNCORRECTABLE, 4, 0, 0, 0 },
		{ 12, CONFIG_ATS_CAP, 2, 0x60, 0x60, 0x60 },
		{ 13, CONFIG_PRI_CAPACITY, 4, 64, 64, 64 },
		{ 14, CONFIG_PRI_ALLOCATION, 4, 0, 0xffffffff, 0 },
		{ 15, CONFIG_PRI_STATUS, 2, 0x8100, 0x8100, 0x8100 },
		{ 16, CONFIG_PASID_CAP, 2, 0x1404, 0x1404, 0x1404 },
		/* Execute is not supported: its enable does not exist. */
		{ 17, CONFIG_PASID_CONTROL, 2, 0, 5, 0 },
		{ 18, CONFIG_ATS_CONTROL, 2, 0, 0x801f, 0x001f },
		{ 19, 0x800, 4, 0, 0, 0 },
	};

	start();
	for (size_t n = 0; n < sizeof(row) / sizeof(row[0]); n++) {
		printf("row %d\n", row[n].number);
		CHECK_EQ(get(row[n].offset, row[n].size), row[n].fresh);
		set(row[n].offset, row[n].size, UINT32_MAX);
		CHECK_EQ(get(row[n].offset, row[n].size), row[n].ones);
		set(row[n].offset, row[n].size, 0);
		/* 18: the unit is fixed in the write that switches ATS off, too. */
		CHECK_EQ(get(row[n].offset, row[n].size), row[n].zeroes);
	}
}

TEST(a_write_changes_only_its_own_bytes)
{
	start();
	set(CONFIG_MSI_ADDR_HIGH, 4, 0x11223344);
	set(CONFIG_MSI_ADDR_HIGH + 1, 1, 0xaa);
	CHECK_EQ(get(CONFIG_MSI_ADDR_HIGH, 4), 0x1122aa44);
	set(CONFIG_MSI_ADDR_HIGH + 2, 2, 0xbbcc);
	CHECK_EQ(get(CONFIG_MSI_ADDR_HIGH, 4), 0xbbccaa44);
	CHECK_EQ(get(CONFIG_MSI_ADDR_HIGH + 3, 1), 0xbb);
	CHECK_EQ(get(CONFIG_MSI_ADDR_HIGH + 2, 2), 0xbbcc);
}

TEST(requests_that_no_bus_would_make_do_nothing)
{
	start();
	CHECK_EQ(get(1, 4), UINT32_MAX);
	CHECK_EQ(get(4096, 4), UINT32_MAX);
	CHECK_EQ(get(0, 3), UINT32_MAX);
	CHECK_EQ(get(UINT32_MAX, 1), UINT32_MAX);
	set(CONFIG_MSI_ADDR + 2, 4, 0x55555555);
	set(4096, 4, 0x55555555);
	CHECK_EQ(get(CONFIG_MSI_ADDR, 4), 0);
}

TEST(a_function_level_reset_leaves_only_error_registers)
{
	start();
	set(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_BUS_MASTER);
	set(CONFIG_AER_SEVERITY, 4, 0x00110000);
	set(CONFIG_PRI_ALLOCATION, 4, 32);
	set(CONFIG_PASID_CONTROL, 2, PASID_ENABLE);
	set(CONFIG_DEVICE_CONTROL, 2, DEVICE_CONTROL_FLR);
	CHECK_EQ(get(CONFIG_DEVICE_CONTROL, 2), 0x2810);
	CHECK_EQ(get(CONFIG_COMMAND, 2), 0);
	CHECK_EQ(get(CONFIG_PRI_ALLOCATION, 4), 0);
	CHECK_EQ(get(CONFIG_PASID_CONTROL, 2), 0);
	CHECK_EQ(get(CONFIG_VENDOR, 4), 0x56781234);
	CHECK_EQ(get(CONFIG_AER_SEVERITY, 4), 0x00110000);
}

TEST(a_function_that_is_gone_reads_as_ones)
{
	start();
	model_function_remove(function);
	CHECK_EQ(get(CONFIG_VENDOR, 4), UINT32_MAX);
	CHECK_EQ(get(CONFIG_VENDOR, 2), 0xffff);
	CHECK_EQ(get(CONFIG_VENDOR, 1), 0xff);
	CHECK(!model_function_decodes(function));
}

/* Each line of the dump, read back, is the space. */
TEST(the_dump_is_the_space)
{
	static char text[16384];
	const char *line;
	uint32_t at = 0;

	start();
	CHECK_EQ(model_function_dump(function, text, 100), -ENOSPC);
	CHECK_EQ(model_function_dump(function, text, sizeof(text)), strlen(text));
	CHECK(strncmp(text, "03:02.0 1200: 1234:5678\n00: 34 12 78 56 ", 40) == 0);
	for (line = strchr(text, '\n') + 1; *line != 0; line = strchr(line, '\n') + 1) {
		char *next;

		CHECK_EQ(strtoul(line, &next, 16), at);
		CHECK_EQ(*next++, ':');
		for (int n = 0; n < 16; n++)
			CHECK_EQ(strtoul(next, &next, 16), get(at++, 1));
	}
	CHECK_EQ(at, 4096);
}

/* PCIe 7.5.1.2.1: software finds out how much by writing ones. */
TEST(as_much_as_is_wanted_lies_behind_bar_0)
{
	const struct model_function_options options = {
		.capacity = 1, .atc_entries = 4, .bar_bytes = 65536
	};
	struct model_function *large = NULL;

	CHECK_EQ(model_function_create(&options, &large), 0);
	model_function_config_write(large, CONFIG_BAR0, 4, 0xffffffff);
	CHECK_EQ(model_function_config_read(large, CONFIG_BAR0, 4), 0xffff0004);
	model_function_config_write(large, CONFIG_BAR0, 4, 0xfe812345);
	CHECK_EQ(model_function_config_read(large, CONFIG_BAR0, 4), 0xfe810004);
	model_function_destroy(large);
}

TEST(options_out_of_range_are_refused)
{
	const struct model_function_options good = {
		.capacity = 1, .atc_entries = 4, .pasid_width = 20
	};
	struct model_function *none = NULL;
	struct model_function_options bad[10];

	for (int n = 0; n < 10; n++)
		bad[n] = good;
	bad[0].rid = 0x10000;
	bad[1].capacity = 0;
	bad[2].capacity = 65537;
	bad[3].atc_entries = 2;
	bad[4].atc_entries = 12;
	bad[5].pasid_width = 21;
	bad[6].unexpected = 3;
	bad[7].index_per_pasid = true;
	bad[8].bar_bytes = 2048;
	bad[9].bar_bytes = 12288;
	for (int n = 0; n < 10; n++)
		CHECK_EQ(model_function_create(&bad[n], &none), -EINVAL);
	CHECK(none == NULL);
	CHECK_EQ(model_function_create(&good, &none), 0);
	model_function_destroy(none);
	model_function_destroy(NULL);
}

/* With an argument: print the dump, for `lspci -F`. */
int main(int argc, char **argv)
{
	static char text[16384];
	int failed;

	(void)argv;
	if (argc > 1) {
		if (setjmp(test_escape) != 0)
			return 1;
		start();
		model_function_dump(function, text, sizeof(text));
		fputs(text, stdout);
		model_function_destroy(function);
		return 0;
	}
	failed = test_main();
	model_function_destroy(function);
	return failed;
}
