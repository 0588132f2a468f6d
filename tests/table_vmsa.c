/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of Armv8 stage 1 tables let an access do, level by level. */
#include "table/vmsa.h"

#include "table_world.h"

#define BASE   UINT64_C(0x100000)
#define ADDR   UINT64_C(0x7f0012345000)
#define HIGH   UINT64_C(0xffff7f0012345000)
#define OUT    UINT64_C(0x4123000000)
#define K4     UINT64_C(4096)
#define M2     (K4 << 9)
#define G1     (M2 << 9)
#define BIT(n) (UINT64_C(1) << (n))
#define R      IOPF_READ
#define W      IOPF_WRITE
#define X      IOPF_EXEC
#define P      IOPF_PRIV

static struct world world;
static struct vmsa_table table;
static struct table_result result;

static const struct vmsa_format plain = {
	.half = { { .input_bits = 48 }, { .input_bits = 48 } }, .output_bits = 46,
};

static void create(const struct vmsa_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(vmsa_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return vmsa_walk(&world.space, &table.format, addr, perm, update, &result);
}

/* Address of the entry of @addr at @level. */
static uint64_t entry_at(uint64_t addr, unsigned level)
{
	const struct vmsa_half *half = &table.format.half[addr >> 55 & 1];
	uint64_t at = 0, in = half->root, low = addr & (BIT(half->input_bits) - 1);

	for (unsigned i = vmsa_levels(half->input_bits); i >= level; i--) {
		at = in + 8 * (low >> (12 + 9 * (i - 1)) & 511);
		in = world_load(&world, at) & UINT64_C(0x0000fffffffff000);
	}
	return at;
}

static void change(unsigned level, uint64_t clear, uint64_t set)
{
	uint64_t at = entry_at(ADDR, level);

	world_store(&world, at, (world_load(&world, at) & ~clear) | set);
}

TEST(every_size_in_every_depth_of_both_halves)
{
	static const uint64_t sizes[] = { K4, M2, G1 };
	static const uint8_t bits[] = { 25, 30, 31, 32, 39, 40, 42, 48 };

	for (size_t i = 0; i < sizeof(bits) * 3 * 2; i++) {
		struct vmsa_format format = plain;
		uint64_t size = sizes[i / 2 % 3], out = OUT & ~(size - 1), first, last;
		uint8_t width = bits[i / 6];
		bool high = i % 2;

		if (size >= BIT(width))
			continue;
		format.half[high].input_bits = width;
		create(&format);
		first = high ? UINT64_MAX << width : 0;
		last = first + (BIT(width) - 1);
		CHECK(!walk(last, R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
		CHECK_EQ(vmsa_map(&table, last - (size - 1), out, size, R | W, VMSA_ACCESSED), 0);
		CHECK(walk(last, R | W, false));
		CHECK_EQ(result.addr, out + size - 1);
		CHECK_EQ(result.size_bytes, size);
		CHECK_EQ(result.perm, R | W);
		CHECK_EQ(result.entry_addr, entry_at(last, result.level));
		CHECK_EQ(vmsa_map(&table, last - (size - 1), out, size, R, 0), -EEXIST);
		/* One step outside of the half, where that is not the other one. */
		CHECK(!walk(high ? first - 1 : last + 1, R, false));
		CHECK_EQ(result.fault, TABLE_ADDRESS);
		CHECK_EQ(vmsa_map(&table, high ? first - K4 : last + 1, out, K4, R, 0), -EINVAL);
		CHECK_EQ(vmsa_unmap(&table, last - (size - 1), size), 1);
		CHECK(!walk(last, R, false));
		CHECK_EQ(world_taken(&world), 2);
	}
}

TEST(a_half_has_tables_of_its_own_or_none)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vmsa_format format = plain;

		format.half[i].disabled = true;
		create(&format);
		CHECK_EQ(world_taken(&world), 1);
		CHECK_EQ(vmsa_map(&table, i ? HIGH : ADDR, OUT, K4, R, VMSA_ACCESSED), -EINVAL);
		CHECK_EQ(vmsa_map(&table, i ? ADDR : HIGH, OUT, K4, R, VMSA_ACCESSED), 0);
		CHECK(walk(i ? ADDR : HIGH, R, false));
		/* Nothing is looked at, be the address inside or not. */
		CHECK(!walk(i ? HIGH : ADDR, R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
		CHECK_EQ(result.entry_addr, 0);
		CHECK(!walk(i ? BIT(63) | BIT(55) : BIT(54), R, false));
		CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
	}
}

TEST(the_top_byte_counts_unless_it_is_ignored)
{
	static const struct {
		uint64_t addr;
		bool ignored[2], found;
	} rows[] = {
		{ ADDR, { false, false }, true },
		{ ADDR | BIT(60), { false, false }, false },
		{ ADDR | BIT(60), { true, false }, true },
		{ ADDR | BIT(60), { false, true }, false },
		{ ADDR | BIT(63), { true, false }, true },
		{ ADDR | BIT(54), { true, true }, false },
		{ HIGH, { false, false }, true },
		{ HIGH & ~BIT(60), { false, false }, false },
		{ HIGH & ~BIT(60), { true, false }, false },
		{ HIGH & ~BIT(60), { false, true }, true },
		{ HIGH & ~(UINT64_C(0xff) << 56), { false, true }, true },
		{ HIGH & ~BIT(54), { true, true }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsa_format format = plain;

		format.half[0].top_ignored = rows[i].ignored[0];
		format.half[1].top_ignored = rows[i].ignored[1];
		create(&format);
		CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R, VMSA_ACCESSED), 0);
		CHECK_EQ(vmsa_map(&table, HIGH, OUT, K4, R, VMSA_ACCESSED), 0);
		CHECK_EQ(walk(rows[i].addr, R, false), rows[i].found);
		CHECK_EQ(result.fault, rows[i].found ? TABLE_OK : TABLE_ADDRESS);
	}
}

TEST(rights_are_those_of_the_leaf_and_of_every_table_above)
{
	static const struct {
		unsigned level; /* whose entry is changed */
		uint64_t clear, set;
		bool flat, wxn, pan;
		uint8_t wanted, missing, granted;
	} rows[] = {
		{ 1, VMSA_UXN, 0, 0, 0, 0, R | W | X, 0, R | W | X },
		/* What users may write the privileged never execute. */
		{ 1, VMSA_PXN, 0, 0, 0, 0, R | W | X | P, X, R | W | P },
		{ 1, VMSA_PXN, VMSA_READ_ONLY, 0, 0, 0, R | X | P, 0, R | X | P },
		{ 1, VMSA_PXN | VMSA_USER, 0, 0, 0, 0, R | W | X | P, 0, R | W | X | P },
		{ 1, 0, 0, 0, 0, 0, R | X, X, R | W },
		{ 1, 0, VMSA_READ_ONLY, 0, 0, 0, W, W, R },
		{ 1, 0, VMSA_READ_ONLY, 0, 0, 0, W | P, W, R | P },
		{ 1, VMSA_USER, 0, 0, 0, 0, R, P, 0 },
		{ 1, VMSA_USER, 0, 0, 0, 0, R | W | P, 0, R | W | P },
		/* Execution alone is left to users there. */
		{ 1, VMSA_USER | VMSA_UXN, 0, 0, 0, 0, X, 0, X },
		{ 1, VMSA_USER | VMSA_UXN, 0, 0, 0, 0, R | X, R, X },
		/* A software's bits and hints mean nothing. */
		{ 1, 0, BIT(55) | BIT(58) | BIT(63) | VMSA_CONTIGUOUS | VMSA_NOT_GLOBAL | BIT(50) |
			BIT(48), 0, 0, 0, R | W, 0, R | W },
		/* APTable and XNTable, at each level, and HAD against them. */
		{ 2, 0, VMSA_TABLE_READ_ONLY, 0, 0, 0, W, W, R },
		{ 3, 0, VMSA_TABLE_READ_ONLY, 0, 0, 0, W | P, W, R | P },
		{ 4, 0, VMSA_TABLE_READ_ONLY, 0, 0, 0, R | W, W, R },
		{ 4, 0, VMSA_TABLE_READ_ONLY, 1, 0, 0, R | W, 0, R | W },
		{ 2, 0, VMSA_TABLE_NO_USER, 0, 0, 0, R, P, 0 },
		{ 3, 0, VMSA_TABLE_NO_USER, 0, 0, 0, R, P, 0 },
		{ 4, 0, VMSA_TABLE_NO_USER, 0, 0, 0, R | W | P, 0, R | W | P },
		{ 4, 0, VMSA_TABLE_NO_USER, 1, 0, 0, R, 0, R | W },
		{ 1, VMSA_UXN, 0, 0, 1, 0, R | X, X, R | W },
		{ 1, VMSA_UXN, VMSA_READ_ONLY, 0, 1, 0, R | X, 0, R | X },
		{ 1, 0, 0, 0, 0, 1, R | P, P, 0 },
		{ 1, VMSA_USER, 0, 0, 0, 1, R | W | P, 0, R | W | P },
		{ 1, 0, 0, 0, 0, 1, R | W, 0, R | W },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsa_format format = plain;

		format.half[0].flat = rows[i].flat;
		format.write_no_exec = rows[i].wxn;
		format.private_users = rows[i].pan;
		format.access = true;
		create(&format);
		CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R | W, 0), 0);
		change(rows[i].level, rows[i].clear, rows[i].set);
		CHECK_EQ(walk(ADDR, rows[i].wanted, true), rows[i].missing == 0);
		CHECK_EQ(result.fault, rows[i].missing ? TABLE_PERMISSION : TABLE_OK);
		CHECK_EQ(result.missing, rows[i].missing);
		CHECK_EQ(result.perm, rows[i].granted);
		CHECK_EQ(result.addr, OUT);
		/* What is refused leaves no mark. */
		CHECK_EQ((world_load(&world, entry_at(ADDR, 1)) & VMSA_ACCESSED) != 0,
			 rows[i].missing == 0);
	}
}

TEST(tables_deny_execution_to_users_and_to_the_privileged_apart)
{
	static const struct {
		unsigned level;
		uint64_t set;
		bool user, priv;
	} rows[] = {
		{ 2, 0, true, true },
		{ 2, VMSA_TABLE_UXN, false, true },  { 4, VMSA_TABLE_UXN, false, true },
		{ 3, VMSA_TABLE_PXN, true, false },  { 4, VMSA_TABLE_PXN, true, false },
		{ 1, VMSA_TABLE_UXN | VMSA_TABLE_PXN, true, true }, /* not there in a leaf */
		{ 1, VMSA_UXN, false, true },        { 1, VMSA_PXN, true, false },
		{ 4, VMSA_UXN | VMSA_PXN, true, true }, /* nor these in a table */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		create(&plain);
		CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R, VMSA_ACCESSED), 0);
		change(1, VMSA_UXN | VMSA_PXN, 0);
		change(rows[i].level, 0, rows[i].set);
		CHECK_EQ(walk(ADDR, R | X, false), rows[i].user);
		CHECK_EQ(walk(ADDR, R | X | P, false), rows[i].priv);
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
		{ K4, 4, VMSA_TABLE, 0, TABLE_NOT_PRESENT }, /* a block of 512 GiB */
		{ K4, 1, VMSA_TABLE, 0, TABLE_NOT_PRESENT }, /* 01 at the last level */
		{ K4, 1, VMSA_VALID, 0, TABLE_NOT_PRESENT },
		{ M2, 2, VMSA_VALID, 0, TABLE_NOT_PRESENT },
		{ K4, 4, 0, BIT(46), TABLE_SIZE },  { K4, 3, 0, BIT(47), TABLE_SIZE },
		{ K4, 2, 0, BIT(46), TABLE_SIZE },  { K4, 1, 0, BIT(47), TABLE_SIZE },
		{ M2, 2, 0, BIT(46), TABLE_SIZE },  { G1, 3, 0, BIT(46), TABLE_SIZE },
		{ K4, 1, 0, BIT(48) | BIT(49) | BIT(50), TABLE_OK },
		{ M2, 2, 0, BIT(12) | BIT(20), TABLE_OK }, /* below the block's size */
		{ G1, 3, 0, BIT(12) | BIT(29), TABLE_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t addr = ADDR & ~(rows[i].size - 1), out = OUT & ~(rows[i].size - 1), at;

		create(&plain);
		CHECK_EQ(vmsa_map(&table, addr, out, rows[i].size, R | W, VMSA_ACCESSED), 0);
		at = entry_at(addr, rows[i].level);
		world_store(&world, at,
			    (world_load(&world, at) & ~rows[i].clear) | rows[i].set);
		CHECK_EQ(walk(addr, R, false), rows[i].fault == TABLE_OK);
		CHECK_EQ(result.fault, rows[i].fault);
		if (rows[i].fault == TABLE_OK) {
			CHECK_EQ(result.addr, out);
			continue;
		}
		CHECK_EQ(result.entry_addr, at);
		CHECK_EQ(result.level, rows[i].level);
	}
}

TEST(faults_come_in_the_order_of_the_architecture)
{
	struct vmsa_format format = plain;

	create(&format);
	CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R, 0), 0);
	change(1, VMSA_VALID, BIT(46));
	CHECK(!walk(ADDR, W, true));
	CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
	change(1, 0, VMSA_VALID);
	CHECK(!walk(ADDR, W, true));
	CHECK_EQ(result.fault, TABLE_SIZE);
	change(1, BIT(46), 0);
	CHECK(!walk(ADDR, W, true));
	CHECK_EQ(result.fault, TABLE_ACCESS);
	CHECK_EQ(result.entry_addr, entry_at(ADDR, 1));
	change(1, 0, VMSA_ACCESSED);
	CHECK(!walk(ADDR, W, true));
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	change(1, VMSA_READ_ONLY, 0);
	CHECK(walk(ADDR, W, true));
}

TEST(the_access_flag_is_a_fault_ignored_or_set)
{
	for (unsigned i = 0; i < 4; i++) {
		struct vmsa_format format = plain;
		bool sets = i & 1, off = i & 2;

		format.access = sets;
		format.access_off = off;
		create(&format);
		CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R | W, 0), 0);
		CHECK_EQ(walk(ADDR, R, false), sets || off);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & VMSA_ACCESSED, 0);
		CHECK_EQ(walk(ADDR, R, true), sets || off);
		CHECK_EQ(result.fault, sets || off ? TABLE_OK : TABLE_ACCESS);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & VMSA_ACCESSED,
			 sets ? VMSA_ACCESSED : 0);
		/* A table has no access flag here. */
		CHECK_EQ(world_load(&world, entry_at(ADDR, 2)) & VMSA_ACCESSED, 0);
	}
}

TEST(a_clean_page_becomes_dirty_where_hardware_manages_that)
{
	static const struct {
		bool access, dirty;
		uint64_t clear, above;
		bool writes;
	} rows[] = {
		{ true, true, 0, 0, true },
		{ true, false, 0, 0, false },
		{ false, true, 0, 0, false },          /* HD alone is nothing */
		{ true, true, VMSA_DBM, 0, false },
		{ true, true, 0, VMSA_TABLE_READ_ONLY, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmsa_format format = plain;

		format.access = rows[i].access;
		format.dirty = rows[i].dirty;
		create(&format);
		CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R | W, VMSA_ACCESSED | VMSA_DBM), 0);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & (VMSA_DBM | VMSA_READ_ONLY),
			 VMSA_DBM | VMSA_READ_ONLY);
		change(1, rows[i].clear, 0);
		change(3, 0, rows[i].above);
		CHECK(walk(ADDR, R, true));
		CHECK_EQ(result.perm, rows[i].writes ? R | W : R);
		CHECK(world_load(&world, entry_at(ADDR, 1)) & VMSA_READ_ONLY);
		CHECK_EQ(walk(ADDR, W, false), rows[i].writes);
		CHECK(world_load(&world, entry_at(ADDR, 1)) & VMSA_READ_ONLY);
		CHECK_EQ(walk(ADDR, R | W, true), rows[i].writes);
		CHECK_EQ(!(world_load(&world, entry_at(ADDR, 1)) & VMSA_READ_ONLY),
			 rows[i].writes);
		CHECK_EQ(world_load(&world, entry_at(ADDR, 1)) & VMSA_DBM,
			 VMSA_DBM & ~rows[i].clear);
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
	struct vmsa_format format = plain;
	struct meddler meddler;
	struct table_space space;

	format.access = format.dirty = true;
	create(&format);
	CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R | W, VMSA_DBM), 0);
	meddler = (struct meddler){ entry_at(ADDR, 1), VMSA_DBM, 1 };
	space = (struct table_space){ &world.memory, meddle, &meddler };
	/* The right goes away just before the page becomes dirty. */
	CHECK(!vmsa_walk(&space, &table.format, ADDR, W, true, &result));
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	CHECK(world_load(&world, meddler.at) & VMSA_READ_ONLY);
	/* An ignored bit flips without end: the walk ends all the same. */
	change(1, 0, VMSA_DBM);
	meddler = (struct meddler){ meddler.at, BIT(55), 1000000 };
	CHECK(!vmsa_walk(&space, &table.format, ADDR, W, true, &result));
	CHECK_EQ(result.fault, TABLE_UPDATE);
	CHECK_EQ(result.entry_addr, meddler.at);
	CHECK_EQ(1000000 - meddler.times, RADIX_ATTEMPTS);
	meddler.times = 3;
	CHECK(vmsa_walk(&space, &table.format, ADDR, W, true, &result));
	CHECK(!(world_load(&world, meddler.at) & VMSA_READ_ONLY));
}

TEST(a_block_that_is_cut_stays_what_it_was_elsewhere)
{
	struct vmsa_format format = plain;
	uint64_t at = G1 + 5 * M2 + 7 * K4;

	format.access = format.dirty = true;
	create(&format);
	CHECK_EQ(vmsa_map(&table, G1, 3 * G1, G1, R | W, VMSA_DBM), 0);
	CHECK(walk(G1, W, true)); /* accessed and dirty as a whole */
	CHECK_EQ(vmsa_protect(&table, at, K4, R), 1);
	CHECK(!walk(at, W, true));
	CHECK(walk(at, R, true));
	CHECK_EQ(result.size_bytes, K4);
	CHECK(walk(at + K4, W, false));
	CHECK_EQ(result.addr, at + K4 + 2 * G1);
	CHECK_EQ(result.size_bytes, K4);
	CHECK_EQ(world_load(&world, result.entry_addr) &
			 (VMSA_TABLE | VMSA_ACCESSED | VMSA_DBM | VMSA_READ_ONLY),
		 VMSA_TABLE | VMSA_ACCESSED | VMSA_DBM);
	CHECK(walk(at + M2, W, false));
	CHECK_EQ(result.addr, at + M2 + 2 * G1);
	CHECK_EQ(result.size_bytes, M2);
	CHECK_EQ(world_load(&world, result.entry_addr) & VMSA_TABLE, 0);
	CHECK_EQ(vmsa_unmap(&table, G1, G1), 511 + 512);
	CHECK_EQ(world_taken(&world), 2);
}

TEST(loops_and_pointers_to_nowhere_end)
{
	static const uint64_t links = VMSA_VALID | VMSA_TABLE | VMSA_ACCESSED | VMSA_USER;

	create(&plain);
	for (unsigned i = 0; i < 512; i++)
		world_store(&world, table.format.half[0].root + 8 * i,
			    table.format.half[0].root | links);
	CHECK(walk(ADDR, R | W, true));
	CHECK_EQ(result.addr, table.format.half[0].root);
	world_store(&world, entry_at(ADDR, 4), (BIT(46) - K4) | links);
	CHECK(!walk(ADDR, R, true));
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
	CHECK_EQ(result.level, 3);
	table.format.half[1].root = world.base + world.segment.size_bytes;
	CHECK(!walk(HIGH, R, true));
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
	CHECK_EQ(result.level, 4);
}

TEST(what_was_unmapped_with_nobody_to_give_to_is_given_back_later)
{
	struct vmsa_table kept;

	create(&plain);
	kept = table;
	kept.pages.give = NULL;
	CHECK_EQ(vmsa_map(&table, ADDR, OUT, K4, R, 0), 0);
	CHECK_EQ(vmsa_map(&table, ADDR + G1, OUT, K4, R, 0), 0);
	CHECK_EQ(vmsa_map(&table, HIGH, OUT, K4, R, 0), 0);
	CHECK_EQ(world_taken(&world), 2 + 3 + 2 + 3);
	CHECK_EQ(vmsa_unmap(&kept, ADDR, K4), 1);
	CHECK_EQ(vmsa_unmap(&kept, HIGH, K4), 1);
	CHECK_EQ(world_taken(&world), 10);
	vmsa_tidy(&table);
	CHECK_EQ(world_taken(&world), 2 + 3);
	CHECK(!walk(ADDR, R, false));
	CHECK_EQ(result.level, 3); /* in the table that both used */
	vmsa_destroy(&table);
	CHECK_EQ(world_taken(&world), 0);
}

int main(void)
{
	return test_main();
}
