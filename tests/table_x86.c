/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of x86-64 tables let an access do, level by level. */
#include "table/x86.h"

#include "table_world.h"

#define BASE    UINT64_C(0x100000)
#define ADDR    UINT64_C(0x7f0012345000)
#define ADDR5   UINT64_C(0x7f007f0012345000)
#define OUT     UINT64_C(0x4123000000)
#define K4      UINT64_C(4096)
#define M2      (K4 << 9)
#define G1      (M2 << 9)
#define BIT(n)  (UINT64_C(1) << (n))
#define R       IOPF_READ
#define W       IOPF_WRITE
#define X       IOPF_EXEC
#define P       IOPF_PRIV

static struct world world;
static struct x86_table table;
static struct table_result result;

static const struct x86_format plain = { .levels = 4, .address_bits = 46, .pages_1g = true,
					 .supervisor = true, .write_protect = true,
					 .exec = true };

static void create(const struct x86_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(x86_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return x86_walk(&world.space, &table.format, table.root, addr, perm, update,
			&result);
}

/* Address of the entry of @addr at @level. */
static uint64_t entry_at(uint64_t addr, unsigned level)
{
	uint64_t at = 0, in = table.root;

	for (unsigned i = table.format.levels; i >= level; i--) {
		at = in + 8 * (addr >> (12 + 9 * (i - 1)) & 511);
		in = world_load(&world, at) & UINT64_C(0x000ffffffffff000);
	}
	return at;
}

TEST(every_size_in_both_depths_gives_the_address_of_every_byte)
{
	static const struct {
		uint8_t levels;
		uint64_t size, addr;
	} rows[] = {
		{ 4, K4, ADDR }, { 4, M2, ADDR & ~(M2 - 1) }, { 4, G1, ADDR & ~(G1 - 1) },
		{ 4, K4, UINT64_C(0xffff800000000000) }, { 4, K4, UINT64_MAX - 0xfff },
		{ 4, G1, UINT64_MAX << 30 }, { 4, K4, 0 },
		{ 5, K4, ADDR5 & UINT64_C(0x00ffffffffffffff) }, { 5, M2, M2 }, { 5, G1, G1 },
		{ 5, K4, UINT64_MAX - 0xfff },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct x86_format format = plain;
		uint64_t out = OUT & ~(rows[i].size - 1), offset = rows[i].size - 3;

		format.levels = rows[i].levels;
		create(&format);
		CHECK(!walk(rows[i].addr, R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
		CHECK_EQ(x86_map(&table, rows[i].addr, out, rows[i].size, R | W, 0), 0);
		CHECK(walk(rows[i].addr + offset, R | W, false));
		CHECK_EQ(result.addr, out + offset);
		CHECK_EQ(result.size_bytes, rows[i].size);
		CHECK_EQ(result.perm, R | W);
		CHECK_EQ(result.entry_addr, entry_at(rows[i].addr, result.level));
		CHECK_EQ(x86_map(&table, rows[i].addr, out, rows[i].size, R, 0), -EEXIST);
		CHECK_EQ(x86_unmap(&table, rows[i].addr, rows[i].size), 1);
		CHECK(!walk(rows[i].addr, R, false));
		CHECK_EQ(world_taken(&world), 1);
	}
}

TEST(rights_are_those_of_every_level)
{
	static const struct {
		unsigned level;   /* whose entry is changed */
		uint64_t clear, set;
		bool wp, sre, exec;
		uint8_t wanted, missing, granted;
	} rows[] = {
		{ 1, 0, 0, true, true, true, R, 0, R | W | X },
		{ 1, 0, 0, true, true, true, R | W | X, 0, R | W | X },
		{ 1, 0, 0, true, true, true, R | W | X | P, 0, R | W | X | P },
		{ 1, 0, 0, true, false, true, R | P, P, 0 },
		{ 1, X86_WRITE, 0, true, true, true, W, W, R | X },
		{ 2, X86_WRITE, 0, true, true, true, W, W, R | X },
		{ 3, X86_WRITE, 0, true, true, true, R | W, W, R | X },
		{ 4, X86_WRITE, 0, true, true, true, W, W, R | X },
		{ 4, X86_WRITE, 0, true, true, true, W | P, W, R | X | P },
		{ 4, X86_WRITE, 0, false, true, true, W | P, 0, R | W | X | P },
		{ 1, X86_WRITE, 0, false, true, true, W, W, R | X },
		{ 1, X86_USER, 0, true, true, true, R, P, 0 },
		{ 2, X86_USER, 0, true, true, true, R, P, 0 },
		{ 3, X86_USER, 0, true, true, true, R, P, 0 },
		{ 4, X86_USER, 0, true, true, true, R, P, 0 },
		{ 4, X86_USER, 0, true, true, true, R | P, 0, R | W | X | P },
		{ 1, 0, X86_NO_EXEC, true, true, true, R | X, X, R | W },
		{ 2, 0, X86_NO_EXEC, true, true, true, R | X, X, R | W },
		{ 3, 0, X86_NO_EXEC, true, true, true, R | X, X, R | W },
		{ 4, 0, X86_NO_EXEC, true, true, true, R | X, X, R | W },
		{ 4, 0, X86_NO_EXEC, true, true, false, R | X, 0, R | W | X },
		{ 1, X86_WRITE, X86_NO_EXEC, true, true, true, R | W | X, W | X, R },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct x86_format format = plain;
		uint64_t at;

		format.write_protect = rows[i].wp;
		format.supervisor = rows[i].sre;
		format.exec = rows[i].exec;
		create(&format);
		CHECK_EQ(x86_map(&table, ADDR, OUT, K4, R | W | X, 0), 0);
		at = entry_at(ADDR, rows[i].level);
		world_store(&world, at,
			    (world_load(&world, at) & ~rows[i].clear) | rows[i].set);
		CHECK_EQ(walk(ADDR, rows[i].wanted, true), rows[i].missing == 0);
		CHECK_EQ(result.fault, rows[i].missing ? TABLE_PERMISSION : TABLE_OK);
		CHECK_EQ(result.missing, rows[i].missing);
		CHECK_EQ(result.perm, rows[i].granted);
		CHECK_EQ(result.addr, OUT);
		/* What is refused leaves no mark. */
		CHECK_EQ((world_load(&world, entry_at(ADDR, 1)) & X86_ACCESSED) != 0,
			 rows[i].missing == 0);
	}
}

TEST(reserved_bits_fault_at_the_level_where_they_are)
{
	static const struct {
		uint64_t size;
		unsigned level;
		uint64_t bits;
		bool no_1g;
		bool reserved;
	} rows[] = {
		{ K4, 4, X86_LARGE, false, true }, { K4, 1, X86_LARGE, false, false },
		{ K4, 4, BIT(46), false, true },   { K4, 3, BIT(51), false, true },
		{ K4, 2, BIT(48), false, true },   { K4, 1, BIT(50), false, true },
		{ K4, 1, BIT(52), false, false },  { K4, 1, BIT(62), false, false },
		{ K4, 4, BIT(52), false, false },  { K4, 1, BIT(8), false, false },
		{ K4, 1, BIT(3) | BIT(4) | BIT(9) | BIT(10) | BIT(11), false, false },
		{ M2, 2, BIT(13), false, true },   { M2, 2, BIT(20), false, true },
		{ M2, 2, X86_LARGE_PAT, false, false }, { M2, 2, BIT(47), false, true },
		{ G1, 3, BIT(13), false, true },   { G1, 3, BIT(29), false, true },
		{ G1, 3, X86_LARGE_PAT, false, false }, { G1, 3, 0, true, true },
		{ M2, 2, 0, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at, addr = ADDR & ~(rows[i].size - 1);

		create(&plain);
		CHECK_EQ(x86_map(&table, addr, OUT & ~(rows[i].size - 1), rows[i].size, R | W,
				 0), 0);
		table.format.pages_1g = !rows[i].no_1g;
		at = entry_at(addr, rows[i].level);
		world_store(&world, at, world_load(&world, at) | rows[i].bits);
		CHECK_EQ(walk(addr, R, false), !rows[i].reserved);
		if (!rows[i].reserved) {
			CHECK_EQ(result.addr, OUT & ~(rows[i].size - 1));
			continue;
		}
		CHECK_EQ(result.fault, TABLE_RESERVED);
		CHECK_EQ(result.entry_addr, at);
		CHECK_EQ(result.level, rows[i].level);
		/* In an entry that is not present, nothing is reserved. */
		world_store(&world, at, world_load(&world, at) & ~X86_PRESENT);
		CHECK(!walk(addr, R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
	}
}

TEST(inputs_have_to_be_canonical)
{
	static const struct {
		uint8_t levels;
		uint64_t addr;
		bool canonical;
	} rows[] = {
		{ 4, UINT64_C(0x00007ffffffff000), true },
		{ 4, UINT64_C(0x0000800000000000), false },
		{ 4, UINT64_C(0xffff7ffffffff000), false },
		{ 4, UINT64_C(0xffff800000000000), true },
		{ 4, BIT(63), false },
		{ 5, UINT64_C(0x0000800000000000), true },
		{ 5, UINT64_C(0x00fffffffffff000), true },
		{ 5, UINT64_C(0x0100000000000000), false },
		{ 5, UINT64_C(0xff00000000000000), true },
		{ 5, UINT64_C(0xfeff000000000000), false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct x86_format format = plain;

		format.levels = rows[i].levels;
		create(&format);
		CHECK(!walk(rows[i].addr, R, false));
		CHECK_EQ(result.fault, rows[i].canonical ? TABLE_NOT_PRESENT : TABLE_ADDRESS);
		CHECK_EQ(x86_map(&table, rows[i].addr, OUT, K4, R, 0),
			 rows[i].canonical ? 0 : -EINVAL);
	}
}

TEST(accessed_is_set_at_every_level_and_dirty_in_the_leaf_by_writes)
{
	for (int extended = 0; extended < 2; extended++) {
		struct x86_format format = plain;
		uint64_t marks = X86_ACCESSED | (extended ? X86_EXTENDED : 0);

		format.extended = extended;
		create(&format);
		CHECK_EQ(x86_map(&table, ADDR, OUT, K4, R | W, 0), 0);
		CHECK(walk(ADDR, W, false));
		for (unsigned level = 1; level <= 4; level++)
			CHECK_EQ(world_load(&world, entry_at(ADDR, level)) &
				 (marks | X86_DIRTY), 0);
		CHECK(walk(ADDR, R, true));
		for (unsigned level = 1; level <= 4; level++)
			CHECK_EQ(world_load(&world, entry_at(ADDR, level)) &
				 (X86_ACCESSED | X86_EXTENDED | X86_DIRTY), marks);
		CHECK(walk(ADDR, W, true));
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & X86_DIRTY, X86_DIRTY);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 2)) & X86_DIRTY, 0);
	}
}

/* A stage below that changes the leaf between the load and the mark. */
struct meddler {
	uint64_t at, flip;
	unsigned times;
};

static int meddle(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	struct meddler *meddler = context;

	*out = addr;
	if ((perm & IOPF_WRITE) == 0 || meddler->times == 0)
		return 0;
	meddler->times--;
	world_store(&world, meddler->at, world_load(&world, meddler->at) ^ meddler->flip);
	return 0;
}

TEST(a_mark_is_set_only_in_the_entry_that_was_checked)
{
	struct meddler meddler;
	struct table_space space;

	create(&plain);
	CHECK_EQ(x86_map(&table, ADDR, OUT, K4, R | W, 0), 0);
	CHECK(walk(ADDR, R, true));
	meddler = (struct meddler){ entry_at(ADDR, 1), X86_WRITE, 1 };
	space = (struct table_space){ &world.memory, meddle, &meddler };
	/* The right goes away just before the dirty bit is set. */
	CHECK(!x86_walk(&space, &plain, table.root, ADDR, W, true, &result));
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & X86_DIRTY, 0);
	/* An ignored bit flips without end: the walk ends all the same. */
	world_store(&world, meddler.at, world_load(&world, meddler.at) | X86_WRITE);
	meddler = (struct meddler){ meddler.at, BIT(9), 1000000 };
	CHECK(!x86_walk(&space, &plain, table.root, ADDR, W, true, &result));
	CHECK_EQ(result.fault, TABLE_UPDATE);
	CHECK_EQ(result.entry_addr, meddler.at);
	CHECK_EQ(result.addr, 0);
	CHECK_EQ(1000000 - meddler.times, RADIX_ATTEMPTS);
	/* It flips three times and rests. */
	meddler.times = 3;
	CHECK(x86_walk(&space, &plain, table.root, ADDR, W, true, &result));
	CHECK_EQ(world_load(&world, meddler.at) & X86_DIRTY, X86_DIRTY);
}

TEST(loops_and_pointers_to_nowhere_end)
{
	static const uint64_t links = X86_PRESENT | X86_WRITE | X86_USER;

	create(&plain);
	/* Every entry of the root leads to the root: level 1 finds a page there. */
	for (unsigned i = 0; i < 512; i++)
		world_store(&world, table.root + 8 * i, table.root | links);
	CHECK(walk(ADDR, R | W, true));
	CHECK_EQ(result.addr, table.root);
	world_store(&world, entry_at(ADDR, 4), (BIT(46) - K4) | links);
	CHECK(!walk(ADDR, R, true));
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
	CHECK_EQ(result.level, 3);
	table.root = world.base + world.segment.size_bytes;
	CHECK(!walk(ADDR, R, true));
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
	CHECK_EQ(result.level, 4);
}

int main(void)
{
	return test_main();
}
