/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what the bits of RISC-V tables let an access do, in either stage. */
#include "table/sv.h"

#include "table_naive.h"

#define BASE   UINT64_C(0x100000)
#define OUT    UINT64_C(0x41230000000000)
#define K4     UINT64_C(4096)
#define K64    UINT64_C(65536)
#define BIT(n) (UINT64_C(1) << (n))
#define R      IOPF_READ
#define W      IOPF_WRITE
#define X      IOPF_EXEC
#define P      IOPF_PRIV
#define AD     (SV_ACCESSED | SV_DIRTY)

static struct world world;
static struct sv_table table;
static struct table_result result;

static const struct sv_format plain = { .levels = 3, .address_bits = 56 };

static void create(const struct sv_format *format)
{
	world_create(&world, BASE);
	CHECK_EQ(sv_create(&table, &world.memory, &world.pages, format), 0);
}

static bool walk(uint64_t addr, uint8_t perm, bool update)
{
	return sv_walk(&world.space, &table.format, table.root, addr, perm, update,
		       &result);
}

/* Of the page at @addr, mapped a moment ago. */
static uint64_t leaf_at(uint64_t addr)
{
	struct radix_path path;

	sv_walk_path(&world.space, &table.format, table.root, addr, R, &path, &result);
	return path.step[path.level].addr;
}

TEST(every_size_in_every_mode_and_its_width)
{
	for (unsigned i = 0; i < 6; i++) {
		struct sv_format format = { .levels = (uint8_t)(3 + i % 3),
					    .address_bits = 56,
					    .second = i >= 3 };
		unsigned bits = 12 + 9u * format.levels + (format.second ? 2 : 0);

		CHECK_EQ(sv_input_bits(&format), bits);
		for (unsigned level = 0; level < format.levels; level++) {
			uint64_t size = level == 0 ? K4 : BIT(12 + 9 * level);
			uint64_t top = format.second ? BIT(bits) : BIT(bits - 1);

			create(&format);
			CHECK_EQ(sv_map(&table, top, OUT & ~(size - 1), size, R, AD),
				 -EINVAL);
			CHECK_EQ(sv_map(&table, top - size, OUT & ~(size - 1), size, R,
					AD),
				 0);
			CHECK(walk(top - 1, R, false));
			CHECK_EQ(result.addr, (OUT & ~(size - 1)) + size - 1);
			CHECK_EQ(result.size_bytes, size);
			CHECK(!walk(top, R, false));
			CHECK_EQ(result.fault, TABLE_ADDRESS);
			/* The upper half, where there is one. */
			CHECK(!walk(UINT64_MAX, R, false));
			CHECK_EQ(result.fault,
				 format.second ? TABLE_ADDRESS : TABLE_NOT_PRESENT);
			CHECK_EQ(sv_unmap(&table, top - size, size), 1);
			CHECK_EQ(world_taken(&world), format.second ? 4 : 1);
		}
	}
}

TEST(a_second_stage_has_a_root_of_four_pages)
{
	struct sv_format format = plain;
	uint64_t addr = BIT(41) - K4;

	format.second = true;
	create(&format);
	CHECK_EQ(table.root % (4 * K4), 0);
	CHECK_EQ(sv_map(&table, addr, OUT, K4, R | W | P, AD), 0);
	CHECK(world_load(&world, table.root + 8 * 2047) != 0);
	/* Each access is a user's there, and each page. */
	CHECK(walk(addr, R | W | P, false));
	CHECK_EQ(world_load(&world, leaf_at(addr)) & SV_USER, SV_USER);
	CHECK_EQ(sv_protect(&table, addr, K4, R | P), 1);
	CHECK(walk(addr, R, false));
	world_store(&world, leaf_at(addr), world_load(&world, leaf_at(addr)) & ~SV_USER);
	CHECK(!walk(addr, R, false));
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	sv_destroy(&table);
	CHECK_EQ(world_taken(&world), 0);
}

TEST(rights_of_users_and_supervisors)
{
	static const struct {
		uint8_t page; /* what it was mapped for */
		bool supervisor, sum;
		uint8_t wanted, perm, missing;
	} rows[] = {
		{ R | W | X, true, true, R | W | X, R | W | X, 0 },
		{ R, true, true, R | W, R, W },
		{ R, true, true, X, R, X },
		{ X, true, true, R, X, R },
		{ X, true, true, X, X, 0 },
		/* A supervisor's page is no user's, */
		{ R | W | X | P, true, true, R, 0, P },
		{ R | W | X | P, true, false, R | X | P, R | W | X | P, 0 },
		/* nor anybody's if supervisors are not allowed at all. */
		{ R | W | X | P, false, true, R | P, 0, P },
		{ R | W | X, false, true, R | P, 0, P },
		/* A user's page with SUM, but not to execute. */
		{ R | W | X, true, false, R | P, 0, P },
		{ R | W | X, true, true, R | W | P, R | W | P, 0 },
		{ R | W | X, true, true, R | X | P, R | W | P, X },
		{ X, true, true, X | P, 0, P },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_format format = plain;

		format.supervisor = rows[i].supervisor;
		format.sum = rows[i].sum;
		create(&format);
		CHECK_EQ(sv_map(&table, K4, OUT, K4, rows[i].page, AD), 0);
		CHECK_EQ(walk(K4, rows[i].wanted, false), rows[i].missing == 0);
		CHECK_EQ(result.fault,
			 rows[i].missing == 0 ? TABLE_OK : TABLE_PERMISSION);
		CHECK_EQ(result.perm, rows[i].perm);
		CHECK_EQ(result.missing, rows[i].missing);
		CHECK_EQ(result.addr, OUT);
	}
}

TEST(accessed_and_dirty_are_set_by_hardware_or_are_faults)
{
	static const struct {
		uint64_t marks;
		uint8_t wanted;
		bool needed; /* a mark that is not there */
		uint8_t perm;
	} rows[] = {
		{ AD, R | W, false, R | W },
		{ AD, R, false, R | W },
		{ SV_ACCESSED, R, false, R },
		{ SV_ACCESSED, R | W, true, R },
		{ SV_ACCESSED, W, true, R },
		{ SV_DIRTY, R, true, R | W },
		{ 0, R, true, R },
		{ 0, W, true, R },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_format format = plain;
		bool write = (rows[i].wanted & W) != 0;

		create(&format);
		CHECK_EQ(sv_map(&table, K4, OUT, K4, R | W, rows[i].marks), 0);
		CHECK_EQ(walk(K4, rows[i].wanted, true), !rows[i].needed);
		CHECK_EQ(result.fault, rows[i].needed ? TABLE_ACCESS : TABLE_OK);
		CHECK_EQ(result.perm, rows[i].perm);
		CHECK_EQ(world_load(&world, leaf_at(K4)) & AD, rows[i].marks);
		table.format.update = true;
		CHECK(walk(K4, rows[i].wanted, false)); /* a look changes nothing */
		CHECK_EQ(world_load(&world, leaf_at(K4)) & AD, rows[i].marks);
		CHECK(walk(K4, rows[i].wanted, true));
		CHECK_EQ(world_load(&world, leaf_at(K4)) & AD,
			 rows[i].marks | SV_ACCESSED | (write ? SV_DIRTY : 0));
		CHECK_EQ(result.perm, write ? R | W : rows[i].perm);
	}
}

/* A stage below that lets nobody write. */
static int only_read(void *context, uint64_t addr, uint8_t perm, uint64_t *out)
{
	unsigned *writes = context;

	*writes += (perm & W) != 0;
	*out = addr;
	return (perm & W) != 0 ? -EACCES : 0;
}

TEST(an_update_needs_the_tables_page_to_be_writable)
{
	struct sv_format format = plain;
	unsigned writes = 0;

	format.update = true;
	create(&format);
	CHECK_EQ(sv_map(&table, K4, OUT, K4, R | W, SV_ACCESSED), 0);
	world.space.translate = only_read;
	world.space.context = &writes;
	CHECK(walk(K4, R, true));
	CHECK_EQ(writes, 0);
	CHECK(!walk(K4, W, true));
	CHECK_EQ(result.fault, TABLE_SECOND);
	CHECK_EQ(result.gpa_perm, R | W);
	CHECK_EQ(result.gpa, result.entry_addr);
}

TEST(sixteen_entries_map_64_kib)
{
	create(&plain);
	CHECK_EQ(sv_map(&table, 3 * K64, OUT, K64, R, AD), 0);
	for (unsigned i = 0; i < 16; i++) {
		CHECK_EQ(world_load(&world, leaf_at(3 * K64 + i * K4)),
			 (OUT | K64 / 2) >> 2 | SV_NAPOT | SV_VALID | SV_READ | SV_USER |
				 AD);
		CHECK(walk(3 * K64 + i * K4 + 5, R, false));
		CHECK_EQ(result.addr, OUT + i * K4 + 5);
		CHECK_EQ(result.size_bytes, K64);
	}
	CHECK_EQ(sv_map(&table, 3 * K64 + K4, OUT, K4, R, AD), -EEXIST);
	CHECK_EQ(sv_map(&table, K4, OUT, K64, R, AD), -EINVAL);
	CHECK_EQ(sv_map(&table, 0, OUT + K4, K64, R, AD), -EINVAL);
	CHECK_EQ(sv_map(&table, 0, OUT, 2 * K64, R, AD), -EINVAL);
	CHECK_EQ(sv_map(&table, 0, OUT, 2 * K4, R, AD), -EINVAL);
	/* One goes: the others are left, for themselves. */
	CHECK_EQ(sv_unmap(&table, 3 * K64 + 5 * K4, K4), 1);
	for (unsigned i = 0; i < 16; i++) {
		CHECK_EQ(walk(3 * K64 + i * K4, R, false), i != 5);
		CHECK_EQ(result.addr, i != 5 ? OUT + i * K4 : 0);
		CHECK_EQ(result.size_bytes, i != 5 ? K4 : 0);
	}
}

TEST(malformed_entries_are_page_faults_where_they_are)
{
	static const struct {
		unsigned level; /* 0: the page */
		uint64_t flip;
		struct sv_format format;
		uint8_t fault;
	} rows[] = {
#define WITH(...) { .levels = 3, .address_bits = 56, __VA_ARGS__ }
		{ 0, SV_VALID, WITH(0), TABLE_NOT_PRESENT },
		{ 1, SV_VALID, WITH(0), TABLE_NOT_PRESENT },
		{ 0, SV_READ, WITH(0), TABLE_RESERVED }, /* written, not read */
		{ 0, SV_READ | SV_EXEC, WITH(0), TABLE_RESERVED },
		{ 0, SV_READ | SV_WRITE, WITH(0), TABLE_RESERVED }, /* leads on */
		{ 1, SV_WRITE, WITH(0), TABLE_RESERVED },
		{ 1, SV_READ, WITH(0), TABLE_RESERVED }, /* a page, not at its multiple */
		{ 2, SV_EXEC, WITH(0), TABLE_RESERVED },
		{ 1, SV_ACCESSED, WITH(0), TABLE_RESERVED },
		{ 2, SV_DIRTY, WITH(0), TABLE_RESERVED },
		{ 1, SV_USER, WITH(0), TABLE_RESERVED },
		{ 2, SV_GLOBAL, WITH(0), TABLE_OK },
		{ 0, BIT(54), WITH(0), TABLE_RESERVED },
		{ 2, BIT(58), WITH(0), TABLE_RESERVED },
		{ 0, BIT(59), WITH(0), TABLE_RESERVED },
		{ 1, BIT(60), WITH(0), TABLE_RESERVED },
		{ 0, BIT(59) | BIT(60), WITH(.software_bits = true), TABLE_OK },
		{ 2, BIT(59), WITH(.software_bits = true), TABLE_OK },
		{ 0, BIT(8) | BIT(9), WITH(0), TABLE_OK },
		{ 0, SV_PBMT(1), WITH(0), TABLE_RESERVED },
		{ 0, SV_PBMT(1), WITH(.pbmt = true), TABLE_OK },
		{ 0, SV_PBMT(2), WITH(.pbmt = true), TABLE_OK },
		{ 0, SV_PBMT(3), WITH(.pbmt = true), TABLE_RESERVED },
		{ 1, SV_PBMT(1), WITH(.pbmt = true), TABLE_RESERVED },
		{ 0, SV_NAPOT, WITH(0), TABLE_RESERVED }, /* its size is not there */
		{ 0, SV_NAPOT | BIT(12), WITH(0), TABLE_RESERVED }, /* not 64 KiB */
		{ 0, SV_NAPOT | BIT(13), WITH(0), TABLE_OK },
		{ 1, SV_NAPOT, WITH(0), TABLE_RESERVED },
		{ 0, BIT(53), WITH(0), TABLE_OK },
		{ 0, BIT(53), { .levels = 3, .address_bits = 50 }, TABLE_SIZE },
		{ 1, BIT(53), WITH(0), TABLE_OUTSIDE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct radix_path path;
		uint64_t at;

		create(&plain);
		table.format = rows[i].format;
		CHECK_EQ(sv_map(&table, 0, 0, K4, R | W, AD), 0);
		CHECK(sv_walk_path(&world.space, &plain, table.root, 0, R, &path,
				   &result));
		at = path.step[1 + rows[i].level].addr;
		world_store(&world, at, world_load(&world, at) ^ rows[i].flip);
		CHECK_EQ(walk(0, R, false), rows[i].fault == TABLE_OK);
		CHECK_EQ(result.fault, rows[i].fault);
		if (rows[i].fault == TABLE_RESERVED)
			CHECK_EQ(result.level, 1 + rows[i].level);
		if (rows[i].fault != TABLE_OK)
			CHECK_EQ(result.addr | result.size_bytes | result.perm, 0);
	}
}

TEST(what_cannot_be_said_is_refused)
{
	static const struct sv_format rows[] = {
		{ .levels = 2, .address_bits = 56 },
		{ .levels = 6, .address_bits = 56 },
		{ .levels = 3, .address_bits = 57 },
		{ .levels = 3, .address_bits = 31 },
	};

	world_create(&world, BASE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(sv_create(&table, &world.memory, &world.pages, &rows[i]),
			 -EINVAL);
	create(&plain);
	CHECK_EQ(sv_map(&table, 0, 0, K4, 0, AD), -EINVAL);
	CHECK_EQ(sv_map(&table, 0, 0, K4, P, AD), -EINVAL);
	table.format.address_bits = 40;
	CHECK_EQ(sv_map(&table, 0, BIT(40), K4, R, AD), -EINVAL);
	CHECK_EQ(sv_map(&table, 0, BIT(39), K4, W, AD), 0); /* and is read, too */
	CHECK(walk(0, R | W, false));
	CHECK_EQ(sv_protect(&table, 0, K4, 0), -EINVAL);
	CHECK_EQ(sv_protect(&table, 0, K4, X), 1);
	CHECK(!walk(0, R, false));
	CHECK(walk(0, X, false));
}

/* ---- Against a walker of the test's own --------------------------------------------- */

static struct naive naive_page(struct naive naive, uint64_t pte, unsigned i,
			       uint64_t addr, uint8_t wanted)
{
	const struct sv_format *format = &table.format;
	uint64_t ppn = pte >> 10 & (BIT(44) - 1), size = K4 << 9 * i;
	bool user = (pte & SV_USER) != 0, marked;
	uint8_t perm = (uint8_t)((pte & SV_READ ? R : 0) | (pte & SV_WRITE ? W : 0) |
				 (pte & SV_EXEC ? X : 0));

	if (((pte >> 1 & 7) | 5) == 7 && (pte & SV_READ) == 0)
		return naive_fault(naive, TABLE_RESERVED);
	if ((pte >> 63) != 0 && (i > 0 || ppn % 16 != 8))
		return naive_fault(naive, TABLE_RESERVED);
	if ((pte >> 63) != 0)
		size = K64;
	else if (ppn % (size / K4) != 0)
		return naive_fault(naive, TABLE_RESERVED);
	if (ppn >> (format->address_bits - 12) != 0)
		return naive_fault(naive, TABLE_SIZE);
	naive.addr = ppn * K4 / size * size + addr % size;
	naive.size_bytes = size;
	if (format->second)
		wanted &= R | W | X;
	if ((wanted & P) != 0 && user)
		perm &= R | W;
	if ((wanted & P) != 0 ? !format->supervisor || (user && !format->sum) : !user)
		perm = 0;
	if ((wanted & P) != 0 && perm != 0)
		perm |= P;
	naive.perm = perm;
	naive.missing = perm == 0 ? P : wanted & (uint8_t)~perm;
	if (naive.missing != 0)
		return naive_fault(naive, TABLE_PERMISSION);
	marked = (pte & SV_ACCESSED) != 0 && ((pte & SV_DIRTY) != 0 || (wanted & W) == 0);
	if ((pte & SV_DIRTY) == 0 && !((wanted & W) != 0 && format->update))
		naive.perm &= (uint8_t)~W;
	return naive_fault(naive, marked || format->update ? TABLE_OK : TABLE_ACCESS);
}

static struct naive naive_walk(uint64_t addr, uint8_t wanted)
{
	const struct sv_format *format = &table.format;
	unsigned bits = 12 + 9u * format->levels;
	uint64_t a = table.root, pte;
	struct naive naive = { .level = 0 };

	if (format->second ?
		    addr >> (bits + 2) != 0 :
		    (uint64_t)((int64_t)(addr << (64 - bits)) >> (64 - bits)) != addr)
		return naive_fault(naive, TABLE_ADDRESS);
	for (unsigned i = format->levels - 1u;; i--) {
		unsigned top = i + 1u == format->levels && format->second ? 2048 : 512;

		naive.level = (uint8_t)(i + 1);
		if (!naive_load(&world, &naive, a + (addr >> (12 + 9 * i)) % top * 8,
				&pte))
			return naive_fault(naive, TABLE_OUTSIDE);
		if ((pte & SV_VALID) == 0)
			return naive_fault(naive, TABLE_NOT_PRESENT);
		if ((pte >> 54 & 31) != 0 || (pte >> 61 & 3) == 3 ||
		    (!format->software_bits && (pte >> 59 & 3) != 0) ||
		    (!format->pbmt && (pte >> 61 & 3) != 0))
			return naive_fault(naive, TABLE_RESERVED);
		if ((pte & (SV_READ | SV_WRITE | SV_EXEC)) != 0)
			return naive_page(naive, pte, i, addr, wanted);
		if (i == 0 || (pte & (SV_USER | AD)) != 0 || pte >> 61 != 0)
			return naive_fault(naive, TABLE_RESERVED);
		a = (pte >> 10 & (BIT(44) - 1)) * K4;
	}
}

/* Mostly tables and pages as they may be, some with a bit too much. */
static uint64_t random_entry(uint64_t *seed, unsigned index)
{
	uint64_t dice = test_random(seed), value = SV_VALID;

	if (dice % 4 != 0) {
		value |= (BASE / K4 + (dice >> 8) % NAIVE_PAGES) << 10;
	} else {
		value |= (dice >> 8) % 8 << 1 | ((dice >> 16) % 4 != 0 ? SV_USER : 0);
		value |= ((dice >> 20) % 4 != 0 ? SV_ACCESSED : 0) |
			 ((dice >> 24) % 4 != 0 ? SV_DIRTY : 0);
		value |= (OUT / K4 + ((dice >> 28) % 2 << 18)) << 10;
		if ((dice >> 32) % 4 == 0)
			value |= SV_NAPOT | BIT(13) | (uint64_t)index << 20;
	}
	if ((dice >> 40) % 16 == 0)
		value ^= BIT((dice >> 48) % 64);
	return value;
}

static struct sv_format random_format(uint64_t *seed)
{
	uint64_t dice = test_random(seed);

	return (struct sv_format){ .levels = (uint8_t)(3 + dice % 3),
				   .address_bits = (dice >> 8) % 4 == 0 ? 52 : 56,
				   .second = (dice >> 16) % 2 != 0,
				   .update = (dice >> 17) % 2 != 0,
				   .supervisor = (dice >> 18) % 2 != 0,
				   .sum = (dice >> 19) % 2 != 0,
				   .pbmt = (dice >> 20) % 2 != 0,
				   .software_bits = (dice >> 21) % 2 != 0 };
}

TEST(arbitrary_tables_are_walked_as_the_rules_say)
{
	static uint64_t words[NAIVE_WORDS];
	unsigned seen[TABLE_FAULT_COUNT] = { 0 };
	uint64_t seed = 1939;

	for (unsigned round = 0; round < 64; round++) {
		struct sv_format format = random_format(&seed);

		create(&format);
		for (unsigned i = 0; i < NAIVE_WORDS; i++)
			world_store(&world, BASE + 8 * i, random_entry(&seed, i % 512));
		naive_copy(&world, words);
		for (unsigned i = 0; i < 4000; i++) {
			unsigned bits =
				sv_input_bits(&format) - (format.second ? 0u : 1u);
			uint64_t addr = test_random(&seed) & (BIT(bits) - 1);
			uint8_t wanted = (uint8_t)(1 + test_random(&seed) % 15);
			struct naive naive;

			if (test_random(&seed) % 64 == 0)
				addr ^= BIT(test_random(&seed) % 64);
			if (test_random(&seed) % 4 == 0 && !format.second)
				addr = ~addr;
			naive = naive_walk(addr, wanted);
			naive_compare(&naive, &result, walk(addr, wanted, false));
			seen[naive.fault]++;
			if (i % 256 >= 4 || naive.fault != TABLE_OK)
				continue;
			CHECK(walk(addr, wanted, true));
			naive_check_marks(&world, &naive, words, 0,
					  !format.update    ? 0 :
					  (wanted & W) != 0 ? AD :
							      SV_ACCESSED);
		}
	}
	for (unsigned fault = 0; fault < TABLE_FAULT_COUNT; fault++)
		CHECK(seen[fault] > 200 || fault == TABLE_SECOND ||
		      fault == TABLE_UPDATE || fault == TABLE_INTERRUPT);
}

int main(void)
{
	return test_main();
}
