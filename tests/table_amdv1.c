/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of AMD host tables let an access do. */
#include "table/amdv1.h"

#include "table_naive.h"

#define BASE   UINT64_C(0x100000)
#define OUT    UINT64_C(0x4123000000000)
#define K4     UINT64_C(4096)
#define M2     (K4 << 9)
#define BIT(n) (UINT64_C(1) << (n))
#define R      IOPF_READ
#define W      IOPF_WRITE
#define X      IOPF_EXEC

static struct world world;
static struct amdv1_table table;
static struct table_result result;

static const struct amdv1_format plain = { .levels = 4, .address_bits = 52 };

static void create(const struct amdv1_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(amdv1_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return amdv1_walk(&world.space, &table.format, table.root, addr, perm, update,
			  &result);
}

static uint64_t width_of(uint8_t levels)
{
	return levels == 6 ? 0 : BIT(12 + 9 * levels);
}

TEST(every_power_of_two_in_every_mode)
{
	for (uint8_t levels = 1; levels <= 6; levels++) {
		for (unsigned shift = 12; shift < 12u + 9 * levels && shift <= 53;
		     shift++) {
			struct amdv1_format format = plain;
			uint64_t size = BIT(shift), addr = width_of(levels) - size;
			uint64_t out = OUT & ~(size - 1);

			format.levels = levels;
			create(&format);
			CHECK_EQ(amdv1_map(&table, addr, out, size, R | W, 0), 0);
			CHECK_EQ(amdv1_map(&table, addr, out, size, R | W, 0), -EEXIST);
			CHECK(walk(addr + size - 1, R | W, false));
			CHECK_EQ(result.addr, out + size - 1);
			CHECK_EQ(result.size_bytes, size);
			CHECK(walk(addr, R, false));
			CHECK_EQ(result.addr, out);
			CHECK(!walk(addr - 1, R, false));
			CHECK_EQ(result.fault, shift == 12u + 9 * levels - 1 ||
							       size < width_of(levels) ||
							       levels == 6 ?
						       TABLE_NOT_PRESENT :
						       TABLE_ADDRESS);
			CHECK_EQ(amdv1_unmap(&table, addr, size), 1 << (shift - 12) % 9);
			CHECK(!walk(addr, R, false));
			CHECK_EQ(world_taken(&world), 1);
		}
	}
}

TEST(inputs_that_are_too_wide_are_no_inputs)
{
	for (uint8_t levels = 1; levels <= 5; levels++) {
		struct amdv1_format format = plain;
		uint64_t width = width_of(levels);

		format.levels = levels;
		create(&format);
		CHECK_EQ(amdv1_map(&table, width, OUT, K4, R, 0), -EINVAL);
		CHECK(!walk(width, R, false));
		CHECK_EQ(result.fault, TABLE_ADDRESS);
		CHECK(!walk(UINT64_MAX, R, false)); /* there is no sign */
		CHECK_EQ(result.fault, TABLE_ADDRESS);
	}
}

TEST(formats_that_do_not_exist_are_refused)
{
	static const struct amdv1_format rows[] = {
		{ .levels = 0, .address_bits = 52 },
		{ .levels = 7, .address_bits = 52 },
		{ .levels = 4, .address_bits = 31 },
		{ .levels = 4, .address_bits = 53 },
	};

	world_create(&world, BASE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(amdv1_create(&table, &world.memory, &world.pages, &rows[i]),
			 -EINVAL);
	CHECK_EQ(world_taken(&world), 0);
	create(&plain);
	CHECK_EQ(amdv1_map(&table, 0, 0, 3 * K4, R, 0), -EINVAL);
	CHECK_EQ(amdv1_map(&table, K4, 0, 2 * K4, R, 0), -EINVAL);
	CHECK_EQ(amdv1_map(&table, 0, K4, 2 * K4, R, 0), -EINVAL);
	CHECK_EQ(amdv1_map(&table, 0, 0, BIT(48), R, 0), -EINVAL);
	/* The size of a page stands in its address: half of it, at most one bit beyond. */
	table.format.levels = 5;
	CHECK_EQ(amdv1_map(&table, 0, 0, BIT(54), R, 0), -EINVAL);
	table.format.address_bits = 40;
	CHECK_EQ(amdv1_map(&table, 0, 0, BIT(42), R, 0), -EINVAL);
	CHECK_EQ(amdv1_map(&table, 0, 0, BIT(41), R, 0), 0);
	CHECK(walk(BIT(41) - 1, R, false));
	CHECK_EQ(result.addr, BIT(41) - 1);
}

/* A table at the start of each page; what leads to what is written by hand. */
static void entry(unsigned page, unsigned index, uint64_t value)
{
	world_store(&world, BASE + page * K4 + 8 * index, value);
}

static uint64_t to_table(unsigned page, unsigned level)
{
	return (BASE + page * K4) | (uint64_t)level << 9 | AMDV1_PRESENT | AMDV1_READ |
	       AMDV1_WRITE;
}

static uint64_t to_page(uint64_t out)
{
	return out | AMDV1_PRESENT | AMDV1_READ | AMDV1_WRITE;
}

TEST(an_entry_may_skip_levels_whose_input_is_0)
{
	const uint64_t addr = 5 * BIT(39) + 7 * K4 + 0x123;

	create(&plain);
	entry(0, 5, to_table(1, 1));
	entry(1, 7, to_page(OUT));
	CHECK(walk(addr, R | W, false));
	CHECK_EQ(result.addr, OUT + 0x123);
	CHECK_EQ(result.size_bytes, K4);
	CHECK_EQ(result.level, 1);
	for (unsigned bit = 21; bit < 39; bit += 3) {
		CHECK(!walk(addr | BIT(bit), R, false));
		CHECK_EQ(result.fault, TABLE_ADDRESS);
		CHECK_EQ(result.level, 4);
	}
	/* Marks go to what was used, and only there. */
	table.format.accessed = true;
	CHECK(walk(addr, W, true));
	CHECK_EQ(world_load(&world, BASE + 8 * 5), to_table(1, 1) | AMDV1_ACCESSED);
	CHECK_EQ(world_load(&world, BASE + K4 + 8 * 7), to_page(OUT) | AMDV1_ACCESSED);
	CHECK_EQ(world_load(&world, BASE), 0);
}

TEST(entries_that_lead_nowhere_lower_are_malformed)
{
	static const struct {
		unsigned levels;
		uint64_t value;
		uint8_t fault;
	} rows[] = {
		{ 4, UINT64_C(4) << 9, TABLE_RESERVED },
		{ 4, UINT64_C(5) << 9, TABLE_RESERVED },
		{ 4, UINT64_C(6) << 9, TABLE_RESERVED },
		{ 1, UINT64_C(1) << 9, TABLE_RESERVED },
		{ 1, 0, TABLE_OK },       /* a page of 4 KiB */
		{ 6, 0, TABLE_RESERVED }, /* the sixth level has no pages, */
		{ 6, UINT64_C(7) << 9, TABLE_RESERVED },           /* of no size */
		{ 1, UINT64_C(7) << 9, TABLE_OK },                 /* 8 KiB */
		{ 1, UINT64_C(7) << 9 | 0xff000, TABLE_RESERVED }, /* 2 MiB at level 1 */
		{ 1, UINT64_C(7) << 9 | 0x7f000, TABLE_OK },
		{ 2, UINT64_C(7) << 9, TABLE_RESERVED }, /* 8 KiB at level 2 */
		{ 2, UINT64_C(7) << 9 | 0xff000, TABLE_OK },
		{ 2, UINT64_C(7) << 9 | 0x1ff000, TABLE_OK },
		{ 2, 0x1000, TABLE_RESERVED }, /* not a multiple of its size */
		{ 1, BIT(52), TABLE_RESERVED },
		{ 1, BIT(58), TABLE_RESERVED },
		{ 1, AMDV1_UNTRANSLATED | AMDV1_COHERENT | BIT(63) | 0x19e, TABLE_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct amdv1_format format = plain;

		format.levels = (uint8_t)rows[i].levels;
		create(&format);
		entry(0, 0, rows[i].value | AMDV1_PRESENT | AMDV1_READ);
		walk(0, R, false);
		CHECK_EQ(result.fault, rows[i].fault);
	}
}

TEST(rights_are_those_of_the_device_table_and_of_every_level)
{
	static const struct {
		bool no_read, no_write;
		unsigned level;
		uint64_t clear;
		uint8_t wanted, missing;
	} rows[] = {
		{ false, false, 1, 0, R | W | X | IOPF_PRIV, 0 },
		{ false, false, 1, AMDV1_READ, R | W, R },
		{ false, false, 3, AMDV1_READ, R | X, R | X },
		{ false, false, 1, AMDV1_READ, W, 0 },
		{ false, false, 1, AMDV1_WRITE, R | W, W },
		{ false, false, 2, AMDV1_WRITE, W, W },
		{ false, false, 4, AMDV1_WRITE, R, 0 },
		{ true, false, 1, 0, R | W, R },
		{ false, true, 1, 0, R | W, W },
		{ true, true, 1, 0, R, R },
		/* That nothing is allowed is not that nothing is there. */
		{ false, false, 1, AMDV1_READ | AMDV1_WRITE, R, R },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct amdv1_format format = plain;

		format.no_read = rows[i].no_read;
		format.no_write = rows[i].no_write;
		create(&format);
		CHECK_EQ(amdv1_map(&table, 0, OUT, K4, R | W, 0), 0);
		for (uint64_t at = table.root, level = 4;; level--) {
			uint64_t value = world_load(&world, at);

			if (level == rows[i].level) {
				world_store(&world, at, value & ~rows[i].clear);
				break;
			}
			at = value & UINT64_C(0x000ffffffffff000);
		}
		CHECK_EQ(walk(0, rows[i].wanted, false), rows[i].missing == 0);
		CHECK_EQ(result.fault,
			 rows[i].missing == 0 ? TABLE_OK : TABLE_PERMISSION);
		CHECK_EQ(result.missing, rows[i].missing);
	}
}

/* ---- Against a walker of the test's own --------------------------------------------- */

static struct naive naive_page(struct naive naive, unsigned shift, uint64_t value,
			       uint64_t addr, uint8_t wanted, bool reads, bool writes)
{
	naive.size_bytes = BIT(shift);
	naive.addr = value & UINT64_C(0x000ffffffffff000);
	naive.addr -= naive.addr % naive.size_bytes;
	naive.addr += addr % naive.size_bytes;
	naive.perm = (uint8_t)((reads ? R | X : 0) | (writes ? W : 0));
	naive.missing = wanted & (R | W | X) & (uint8_t)~naive.perm;
	return naive_fault(naive, naive.missing != 0 ? TABLE_PERMISSION : TABLE_OK);
}

static struct naive naive_walk(uint64_t addr, uint8_t wanted)
{
	bool reads = !table.format.no_read, writes = !table.format.no_write;
	uint64_t in = table.root, reserved = BIT(59) - BIT(table.format.address_bits);
	unsigned level = table.format.levels;
	struct naive naive = { .level = 0 };

	if (level < 6 && addr >= width_of((uint8_t)level))
		return naive_fault(naive, TABLE_ADDRESS);
	for (;;) {
		unsigned low = 12 + 9 * (level - 1), next, shift;
		uint64_t value;

		naive.level = (uint8_t)level;
		if (!naive_load(&world, &naive, in + 8 * (addr >> low & 511), &value))
			return naive_fault(naive, TABLE_OUTSIDE);
		next = value >> 9 & 7;
		if ((value & 1) == 0)
			return naive_fault(naive, TABLE_NOT_PRESENT);
		if ((value & reserved) != 0)
			return naive_fault(naive, TABLE_RESERVED);
		reads &= (value & AMDV1_READ) != 0;
		writes &= (value & AMDV1_WRITE) != 0;
		for (shift = 13; next == 7 && (value >> (shift - 1) & 1) != 0;)
			shift++;
		if (next == 0)
			shift = low;
		if (next == 0 || next == 7) {
			if (level == 6 || shift < low || shift >= low + 9 ||
			    (next == 0 && value % BIT(52) / K4 * K4 % BIT(shift) != 0))
				return naive_fault(naive, TABLE_RESERVED);
			return naive_page(naive, shift, value, addr, wanted, reads,
					  writes);
		}
		if (next >= level)
			return naive_fault(naive, TABLE_RESERVED);
		for (unsigned skipped = next + 1; skipped < level; skipped++)
			if ((addr >> (12 + 9 * (skipped - 1)) & 511) != 0)
				return naive_fault(naive, TABLE_ADDRESS);
		in = value & UINT64_C(0x000ffffffffff000);
		level = next;
	}
}

/* Mostly tables and pages as they may be, some with a bit too much. */
static uint64_t random_entry(uint64_t *seed)
{
	uint64_t dice = test_random(seed), value = AMDV1_PRESENT;
	uint64_t run = BIT((dice >> 24) % 30) - 1;
	unsigned next = dice % 8;

	value |= (uint64_t)next << 9;
	value |= (dice >> 8) % 4 != 0 ? AMDV1_READ : 0;
	value |= (dice >> 16) % 4 != 0 ? AMDV1_WRITE : 0;
	if (next != 0 && next != 7)
		value |= BASE + K4 * ((dice >> 24) % NAIVE_PAGES);
	else /* a run of ones, or of zeros, from bit 12 */
		value |= (next == 7 ? run : OUT >> 12 & ~run) << 12;
	if ((dice >> 32) % 16 == 0)
		value ^= BIT((dice >> 40) % 64);
	return value;
}

/* Fields of the input are often 0, so that they may be skipped. */
static uint64_t random_addr(uint64_t *seed, unsigned levels)
{
	uint64_t addr = test_random(seed) % K4;

	for (unsigned level = 1; level <= levels; level++)
		if (test_random(seed) % 2 == 0)
			addr |= (test_random(seed) % 512) << (12 + 9 * (level - 1));
	if (test_random(seed) % 64 == 0)
		addr ^= BIT(test_random(seed) % 64);
	return addr;
}

TEST(arbitrary_tables_are_walked_as_the_rules_say)
{
	static uint64_t words[NAIVE_WORDS];
	unsigned seen[TABLE_FAULT_COUNT] = { 0 };
	uint64_t seed = 48882;

	for (unsigned round = 0; round < 48; round++) {
		struct amdv1_format format = { .levels = (uint8_t)(1 + round % 6),
					       .address_bits = round % 4 == 3 ? 44 : 52,
					       .no_read = round % 16 == 7,
					       .no_write = round % 16 == 8,
					       .accessed = round % 2 == 0,
					       .dirty = round % 4 == 0 };

		create(&format);
		for (unsigned i = 0; i < NAIVE_WORDS; i++)
			world_store(&world, BASE + 8 * i, random_entry(&seed));
		naive_copy(&world, words);
		for (unsigned i = 0; i < 4000; i++) {
			uint64_t addr = random_addr(&seed, format.levels);
			uint8_t wanted = (uint8_t)(1 + test_random(&seed) % 7);
			struct naive naive = naive_walk(addr, wanted);

			naive_compare(&naive, &result, walk(addr, wanted, false));
			seen[naive.fault]++;
			if (i % 256 != 0 || naive.fault != TABLE_OK)
				continue;
			CHECK(walk(addr, wanted, true));
			naive_check_marks(&world, &naive, words,
					  format.accessed ? AMDV1_ACCESSED : 0,
					  (format.accessed ? AMDV1_ACCESSED : 0) |
						  (format.dirty && (wanted & W) != 0 ?
							   AMDV1_DIRTY :
							   0));
		}
	}
	CHECK(seen[TABLE_OK] > 1000 && seen[TABLE_PERMISSION] > 1000);
	CHECK(seen[TABLE_RESERVED] > 1000 && seen[TABLE_ADDRESS] > 1000);
	CHECK(seen[TABLE_NOT_PRESENT] > 100);
}

int main(void)
{
	return test_main();
}
