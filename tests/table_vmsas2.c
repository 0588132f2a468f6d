/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of Armv8 stage 2 tables let an access do. */
#include "table/vmsas2.h"

#include "table_world.h"

#define BASE   UINT64_C(0x103000)
#define ADDR   UINT64_C(0x3012345000)
#define OUT    UINT64_C(0x4123000000)
#define K4     UINT64_C(4096)
#define M2     (K4 << 9)
#define G1     (M2 << 9)
#define BIT(n) (UINT64_C(1) << (n))
#define R      IOPF_READ
#define W      IOPF_WRITE
#define X      IOPF_EXEC

static struct world world;
static struct vmsas2_table table;
static struct table_result result;

static const struct vmsas2_format plain = { .levels = 4, .input_bits = 48, .output_bits = 46 };

static void create(const struct vmsas2_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(vmsas2_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return vmsas2_walk(&world.space, &table.format, addr, perm, update, &result);
}

static uint64_t entry_at(uint64_t addr, unsigned level)
{
	uint64_t at = 0, in = table.format.root;

	for (unsigned i = table.format.levels; i >= level; i--) {
		uint64_t index = addr >> (12 + 9 * (i - 1));

		at = in + 8 * (i == table.format.levels ? index : index & 511);
		in = world_load(&world, at) & UINT64_C(0x0000fffffffff000);
	}
	return at;
}

TEST(every_start_level_and_width_with_roots_that_adjoin)
{
	static const struct {
		uint8_t levels, input_bits;
		uint32_t root_pages; /* 0: such a table does not exist */
	} rows[] = {
		{ 4, 48, 1 }, { 4, 44, 1 }, { 4, 40, 1 }, { 4, 39, 0 },
		{ 3, 43, 16 }, { 3, 42, 8 }, { 3, 40, 2 }, { 3, 39, 1 }, { 3, 31, 1 },
		{ 3, 30, 0 }, { 3, 44, 0 },
		{ 2, 34, 16 }, { 2, 32, 4 }, { 2, 30, 1 }, { 2, 25, 1 }, { 2, 35, 0 },
		{ 5, 48, 0 }, { 1, 25, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsas2_format format = plain;
		uint64_t end = BIT(rows[i].input_bits);

		format.levels = rows[i].levels;
		format.input_bits = rows[i].input_bits;
		world_create(&world, BASE);
		CHECK_EQ(vmsas2_create(&table, &world.memory, &world.pages, &format),
			 rows[i].root_pages != 0 ? 0 : -EINVAL);
		if (rows[i].root_pages == 0)
			continue;
		CHECK_EQ(world_taken(&world), rows[i].root_pages);
		CHECK_EQ(table.format.root % (rows[i].root_pages * K4), 0);
		CHECK_EQ(vmsas2_map(&table, end - K4, OUT, K4, R, VMSA_ACCESSED), 0);
		CHECK(walk(end - 1, R, false));
		CHECK_EQ(result.addr, OUT + K4 - 1);
		CHECK_EQ(result.entry_addr, entry_at(end - 1, 1));
		CHECK(!walk(0, R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
		/* Wider than the table: there is no sign, and no other half. */
		CHECK(!walk(end, R, false));
		CHECK_EQ(result.fault, TABLE_ADDRESS);
		CHECK(!walk(UINT64_MAX - 0xfff, R, false));
		CHECK_EQ(result.fault, TABLE_ADDRESS);
		CHECK_EQ(vmsas2_map(&table, end, OUT, K4, R, 0), -EINVAL);
		CHECK_EQ(vmsas2_unmap(&table, 0, end), 1);
		CHECK_EQ(world_taken(&world), rows[i].root_pages);
	}
}

TEST(rights_are_the_leafs_alone)
{
	static const struct {
		uint64_t clear, set;
		uint8_t wanted, missing;
	} rows[] = {
		{ 0, 0, R | W | X, 0 }, { 0, 0, R | W | X | IOPF_PRIV, 0 },
		{ VMSAS2_READ, 0, R, R }, { VMSAS2_READ, 0, W, 0 },
		{ VMSAS2_READ, 0, R | W, R }, { VMSAS2_WRITE, 0, W, W },
		{ VMSAS2_WRITE, 0, R | W, W }, { VMSAS2_WRITE, 0, R | X, 0 },
		{ VMSAS2_READ | VMSAS2_WRITE, 0, R, R }, /* present all the same */
		{ 0, VMSAS2_NO_EXEC, X, X }, { 0, VMSAS2_NO_EXEC, R | W, 0 },
		{ 0, BIT(53), R | X, 0 }, /* without XNX it means nothing */
		{ 0, BIT(55) | BIT(58) | BIT(63) | VMSA_CONTIGUOUS, R | W | X, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at;

		create(&plain);
		CHECK_EQ(vmsas2_map(&table, ADDR, OUT, K4, R | W | X, VMSA_ACCESSED), 0);
		at = entry_at(ADDR, 1);
		world_store(&world, at,
			    (world_load(&world, at) & ~rows[i].clear) | rows[i].set);
		/* Bits that stage 1's tables would have. */
		at = entry_at(ADDR, 3);
		world_store(&world, at, world_load(&world, at) | UINT64_C(0xf) << 59);
		CHECK_EQ(walk(ADDR, rows[i].wanted, false), rows[i].missing == 0);
		CHECK_EQ(result.fault, rows[i].missing ? TABLE_PERMISSION : TABLE_OK);
		CHECK_EQ(result.missing, rows[i].missing);
	}
}

TEST(reserved_encodings_are_not_present_and_wide_addresses_are_told)
{
	static const struct {
		uint64_t size;
		unsigned level;
		uint64_t clear, set;
		uint8_t fault;
	} rows[] = {
		{ K4, 4, VMSA_TABLE, 0, TABLE_NOT_PRESENT },
		{ K4, 1, VMSA_TABLE, 0, TABLE_NOT_PRESENT },
		{ K4, 1, VMSA_VALID, 0, TABLE_NOT_PRESENT },
		{ K4, 4, 0, BIT(46), TABLE_SIZE }, { K4, 1, 0, BIT(47), TABLE_SIZE },
		{ M2, 2, 0, BIT(46), TABLE_SIZE }, { M2, 2, 0, BIT(12) | BIT(20), TABLE_OK },
		{ G1, 3, 0, BIT(46), TABLE_SIZE }, { G1, 3, 0, BIT(13) | BIT(29), TABLE_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at, addr = ADDR & ~(rows[i].size - 1), out = OUT & ~(rows[i].size - 1);

		create(&plain);
		CHECK_EQ(vmsas2_map(&table, addr, out, rows[i].size, R | W, VMSA_ACCESSED), 0);
		at = entry_at(addr, rows[i].level);
		world_store(&world, at,
			    (world_load(&world, at) & ~rows[i].clear) | rows[i].set);
		CHECK_EQ(walk(addr, R, false), rows[i].fault == TABLE_OK);
		CHECK_EQ(result.fault, rows[i].fault);
		CHECK_EQ(result.addr, rows[i].fault == TABLE_OK ? out : 0);
	}
}

TEST(access_and_dirty_are_set_only_where_they_are_enabled)
{
	static const struct {
		bool access, dirty, off, reads, writes;
	} rows[] = {
		{ false, false, false, false, false },
		{ false, false, true, true, false },
		{ false, true, true, true, false },
		{ true, false, false, true, false },
		{ true, true, false, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsas2_format format = plain;
		uint64_t at;

		format.access = rows[i].access;
		format.dirty = rows[i].dirty;
		format.access_off = rows[i].off;
		create(&format);
		CHECK_EQ(vmsas2_map(&table, ADDR, OUT, K4, R | W, VMSA_DBM), 0);
		at = entry_at(ADDR, 1);
		CHECK_EQ(world_load(&world, at) & (VMSA_DBM | VMSAS2_READ | VMSAS2_WRITE),
			 VMSA_DBM | VMSAS2_READ);
		CHECK_EQ(walk(ADDR, R, true), rows[i].reads);
		CHECK_EQ(result.fault, rows[i].reads ? TABLE_OK : TABLE_ACCESS);
		CHECK_EQ((world_load(&world, at) & VMSA_ACCESSED) != 0, rows[i].access);
		CHECK_EQ(walk(ADDR, W, false), rows[i].writes);
		CHECK(!(world_load(&world, at) & VMSAS2_WRITE));
		CHECK_EQ(walk(ADDR, R | W, true), rows[i].writes);
		CHECK_EQ((world_load(&world, at) & VMSAS2_WRITE) != 0, rows[i].writes);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 2)) & VMSA_ACCESSED, 0);
	}
}

TEST(a_block_is_cut_and_tables_come_back)
{
	create(&plain);
	CHECK_EQ(vmsas2_map(&table, G1, 3 * G1, G1, R | W, VMSA_ACCESSED), 0);
	CHECK_EQ(vmsas2_unmap(&table, G1 + 3 * M2 + K4, K4), 1);
	CHECK(!walk(G1 + 3 * M2 + K4, R, false));
	CHECK(walk(G1 + 3 * M2, W, false));
	CHECK_EQ(result.addr, 3 * G1 + 3 * M2);
	CHECK_EQ(result.size_bytes, K4);
	CHECK(walk(2 * G1 - 1, W, false));
	CHECK_EQ(result.addr, 4 * G1 - 1);
	CHECK_EQ(result.size_bytes, M2);
	CHECK_EQ(vmsas2_protect(&table, G1, G1, R), 511 + 511);
	CHECK(!walk(2 * G1 - 1, W, false));
	CHECK_EQ(vmsas2_unmap(&table, G1, G1), 511 + 511);
	CHECK_EQ(world_taken(&world), 1);
	vmsas2_destroy(&table);
	CHECK_EQ(world_taken(&world), 0);
}

int main(void)
{
	return test_main();
}
