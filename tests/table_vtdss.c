/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of VT-d second-level tables let an access do. */
#include "table/vtdss.h"

#include "table_world.h"

#define BASE   UINT64_C(0x100000)
#define ADDR   UINT64_C(0x3012345000)
#define OUT    UINT64_C(0x4123000000)
#define K4     UINT64_C(4096)
#define M2     (K4 << 9)
#define G1     (M2 << 9)
#define BIT(n) (UINT64_C(1) << (n))
#define R      IOPF_READ
#define W      IOPF_WRITE

static struct world world;
static struct vtdss_table table;
static struct table_result result;

static const struct vtdss_format plain = { .levels = 4, .address_bits = 46,
					   .pages_2m = true, .pages_1g = true };

static void create(const struct vtdss_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(vtdss_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return vtdss_walk(&world.space, &table.format, table.root, addr, perm, update,
			  &result);
}

static uint64_t entry_at(uint64_t addr, unsigned level)
{
	uint64_t at = 0, in = table.root;

	for (unsigned i = table.format.levels; i >= level; i--) {
		at = in + 8 * (addr >> (12 + 9 * (i - 1)) & 511);
		in = world_load(&world, at) & UINT64_C(0x000ffffffffff000);
	}
	return at;
}

TEST(every_size_in_every_depth_and_its_width)
{
	static const uint64_t sizes[] = { K4, M2, G1 };

	for (uint8_t levels = 3; levels <= 5; levels++) {
		uint64_t width = UINT64_C(1) << (12 + 9 * levels);

		for (size_t i = 0; i < 3; i++) {
			struct vtdss_format format = plain;
			uint64_t addr = width - sizes[i], out = OUT & ~(sizes[i] - 1);

			format.levels = levels;
			create(&format);
			CHECK_EQ(vtdss_map(&table, width, out, sizes[i], R), -EINVAL);
			CHECK_EQ(vtdss_map(&table, addr, out, sizes[i], R), 0);
			CHECK(walk(width - 1, R, false));
			CHECK_EQ(result.addr, out + sizes[i] - 1);
			CHECK_EQ(result.size_bytes, sizes[i]);
			CHECK(!walk(width, R, false));
			CHECK_EQ(result.fault, TABLE_ADDRESS);
			/* There is no sign to extend. */
			CHECK(!walk(UINT64_MAX - 0xfff, R, false));
			CHECK_EQ(result.fault, TABLE_ADDRESS);
			CHECK_EQ(vtdss_unmap(&table, addr, sizes[i]), 1);
			CHECK(!walk(addr, R, false));
			CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
			CHECK_EQ(world_taken(&world), 1);
		}
	}
}

TEST(rights_are_those_of_every_level_and_no_right_is_not_present)
{
	static const struct {
		unsigned level;
		uint64_t clear;
		uint8_t wanted, fault, missing;
	} rows[] = {
		{ 1, 0, R | W, TABLE_OK, 0 },
		{ 1, 0, R | W | IOPF_EXEC | IOPF_PRIV, TABLE_OK, 0 },
		{ 1, 1, R, TABLE_PERMISSION, R }, { 1, 1, W, TABLE_OK, 0 },
		{ 1, 1, R | W | IOPF_EXEC, TABLE_PERMISSION, R | IOPF_EXEC },
		{ 2, 1, R, TABLE_PERMISSION, R }, { 3, 1, R, TABLE_PERMISSION, R },
		{ 4, 1, R, TABLE_PERMISSION, R }, { 1, 2, W, TABLE_PERMISSION, W },
		{ 1, 2, R, TABLE_OK, 0 },         { 2, 2, R | W, TABLE_PERMISSION, W },
		{ 3, 2, W, TABLE_PERMISSION, W }, { 4, 2, W, TABLE_PERMISSION, W },
		{ 1, 3, R, TABLE_NOT_PRESENT, 0 }, { 2, 3, R, TABLE_NOT_PRESENT, 0 },
		{ 3, 3, W, TABLE_NOT_PRESENT, 0 }, { 4, 3, W, TABLE_NOT_PRESENT, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at;

		create(&plain);
		CHECK_EQ(vtdss_map(&table, ADDR, OUT, K4, R | W), 0);
		at = entry_at(ADDR, rows[i].level);
		world_store(&world, at, world_load(&world, at) & ~rows[i].clear);
		CHECK_EQ(walk(ADDR, rows[i].wanted, false), rows[i].fault == TABLE_OK);
		CHECK_EQ(result.fault, rows[i].fault);
		CHECK_EQ(result.missing, rows[i].missing);
	}
}

TEST(reserved_bits_fault_at_the_level_where_they_are)
{
	static const struct {
		uint64_t size;
		unsigned level;
		uint64_t bits;
		bool small_only, reserved;
	} rows[] = {
		{ K4, 4, VTDSS_LARGE, false, true }, { K4, 1, VTDSS_LARGE, false, false },
		{ K4, 4, BIT(46), false, true },     { K4, 1, BIT(51), false, true },
		{ K4, 1, VTDSS_SNOOP, false, false }, { K4, 2, VTDSS_SNOOP, false, true },
		{ K4, 1, BIT(52) | BIT(61) | BIT(62) | BIT(63), false, false },
		{ K4, 1, 0x7c, false, false },       { K4, 4, BIT(2), false, false },
		{ M2, 2, BIT(12), false, true },     { M2, 2, BIT(20), false, true },
		{ M2, 2, VTDSS_SNOOP, false, false }, { M2, 2, 0, true, true },
		{ G1, 3, BIT(12), false, true },     { G1, 3, BIT(29), false, true },
		{ G1, 3, 0, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at, addr = ADDR & ~(rows[i].size - 1);

		create(&plain);
		CHECK_EQ(vtdss_map(&table, addr, OUT & ~(rows[i].size - 1), rows[i].size,
				   R | W), 0);
		if (rows[i].small_only)
			table.format.pages_2m = table.format.pages_1g = false;
		at = entry_at(addr, rows[i].level);
		world_store(&world, at, world_load(&world, at) | rows[i].bits);
		CHECK_EQ(walk(addr, R, false), !rows[i].reserved);
		CHECK_EQ(result.fault, rows[i].reserved ? TABLE_RESERVED : TABLE_OK);
		CHECK_EQ(result.level, rows[i].level == 4 && !rows[i].reserved
			 ? 1 : rows[i].level);
	}
}

TEST(marks_are_set_only_where_they_are_enabled)
{
	for (int enabled = 0; enabled < 2; enabled++) {
		struct vtdss_format format = plain;
		uint64_t accessed = enabled ? VTDSS_ACCESSED : 0;

		format.accessed_dirty = enabled;
		create(&format);
		CHECK_EQ(vtdss_map(&table, ADDR, OUT, K4, R | W), 0);
		CHECK(walk(ADDR, R, true));
		for (unsigned level = 1; level <= 4; level++)
			CHECK_EQ(world_load(&world, entry_at(ADDR, level)) & 0x300, accessed);
		CHECK(walk(ADDR, W, true));
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & VTDSS_DIRTY,
			 enabled ? VTDSS_DIRTY : 0);
	}
}

int main(void)
{
	return test_main();
}
