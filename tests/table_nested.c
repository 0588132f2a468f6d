/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: the first level through the second: who misses what, and where. */
#include "table/nested.h"

#include "table_world.h"

#define K4   UINT64_C(4096)
#define M2   (K4 << 9)
#define ADDR UINT64_C(0x7f0012345000)
#define DATA UINT64_C(0x40000)     /* guest address of the page that is accessed */
#define GPA  UINT64_C(0x100000)    /* where the guest's tables begin */
#define HOST UINT64_C(0x800000000) /* host address of guest address 0 */
#define R    IOPF_READ
#define W    IOPF_WRITE

static struct world guest, host;
static struct x86_table first;
static struct vtdss_table second;
static struct nested_tables tables;
static struct nested_result result;
static struct nested_missing missing;
static uint64_t data_page[512];

/* All memory by host addresses: the second level's tables, the guest's tables and data. */
static struct iopf_segment segments[3];
static const struct iopf_memory memory = { .segments = segments, .count = 3 };

static void create(uint8_t levels, uint64_t data_size)
{
	const struct x86_format x86 = { .levels = levels, .address_bits = 52,
					.pages_1g = true, .supervisor = true,
					.exec = true };
	const struct vtdss_format vtdss = { .levels = 4, .address_bits = 46,
					    .pages_2m = true, .accessed_dirty = true };

	world_create(&guest, GPA);
	world_create(&host, 0);
	CHECK_EQ(x86_create(&first, &guest.memory, &guest.pages, &x86), 0);
	CHECK_EQ(x86_map(&first, ADDR & ~(data_size - 1), DATA & ~(data_size - 1), data_size,
			 R | W | IOPF_EXEC, 0), 0);
	CHECK_EQ(vtdss_create(&second, &host.memory, &host.pages, &vtdss), 0);
	segments[0] = host.segment;
	segments[1] = (struct iopf_segment){ HOST + DATA, K4, data_page };
	segments[2] = guest.segment;
	segments[2].base = HOST + GPA;
	tables = (struct nested_tables){ .first_root = first.root,
					 .second_root = second.root,
					 .first = x86,
					 .second = vtdss,
					 .kind = NESTED_BOTH,
					 .address_bits = 46,
					 .interrupt_range = true };
}

static bool walk(uint8_t perm, bool update)
{
	return nested_walk(&tables, &memory, ADDR + 5, perm, update, &result);
}

static void look(uint8_t perm, bool update)
{
	nested_missing(&tables, &guest.memory, &memory, ADDR + 5, perm, update, &missing);
}

static void back(uint64_t gpa, uint8_t perm)
{
	gpa &= ~(K4 - 1);
	CHECK_EQ(vtdss_map(&second, gpa, HOST + gpa, K4, perm), 0);
}

/* Guest addresses of the entries that the walk uses, root first. */
static unsigned chain(uint64_t at[static 5])
{
	uint64_t table = first.root;
	unsigned count = 0;

	for (unsigned level = first.format.levels; level >= 1; level--) {
		at[count] = table + 8 * (ADDR >> (12 + 9 * (level - 1)) & 511);
		table = world_load(&guest, at[count++]) & UINT64_C(0x000ffffffffff000);
	}
	return count;
}

TEST(each_page_that_the_second_level_misses_is_named_in_turn)
{
	for (uint8_t levels = 4; levels <= 5; levels++) {
		uint64_t at[5];
		unsigned count;

		create(levels, K4);
		count = chain(at);
		look(W, true);
		CHECK_EQ(missing.first.fault, TABLE_OK);
		CHECK_EQ(missing.count, count + 1);
		CHECK_EQ(missing.miss[count].gpa, DATA);
		CHECK_EQ(missing.miss[count].perm, W);
		CHECK(!missing.miss[count].table_page);
		for (unsigned i = 0; i < count; i++) {
			CHECK(!walk(W, true));
			CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
			CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
			CHECK_EQ(result.gpa, at[i]);
			CHECK_EQ(result.gpa_perm, R);
			CHECK(result.table_page);
			CHECK_EQ(missing.miss[i].gpa, at[i] & ~(K4 - 1));
			CHECK_EQ(missing.miss[i].perm, R | W);
			CHECK(missing.miss[i].table_page);
			back(at[i], R | W);
		}
		CHECK(!walk(W, true));
		CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
		CHECK_EQ(result.gpa, DATA + 5);
		CHECK_EQ(result.gpa_perm, W);
		CHECK(!result.table_page);
		back(DATA, R | W);
		CHECK(walk(W, true));
		CHECK_EQ(result.addr, HOST + DATA + 5);
		CHECK_EQ(result.size_bytes, K4);
		look(W, true);
		CHECK_EQ(missing.count, 0);
		CHECK_EQ(missing.first.fault, TABLE_OK);
	}
}

TEST(mapping_what_is_missing_is_enough)
{
	for (unsigned bits = 0; bits < 32; bits++) {
		uint64_t at[5];

		create(4, K4);
		chain(at);
		for (unsigned i = 0; i < 4; i++)
			if ((bits >> i & 1) != 0)
				back(at[i], R | W);
		if ((bits >> 4 & 1) != 0)
			back(DATA, R | W);
		look(R, true);
		CHECK_EQ(missing.count, 5 - (unsigned)__builtin_popcount(bits));
		CHECK_EQ(walk(R, true), bits == 31);
		for (unsigned i = 0; i < missing.count; i++)
			back(missing.miss[i].gpa, missing.miss[i].perm);
		CHECK(walk(R, true));
	}
}

TEST(tables_need_write_only_where_a_mark_is_to_be_set)
{
	uint64_t at[5];

	create(4, K4);
	chain(at);
	for (unsigned i = 0; i < 4; i++)
		back(at[i], R);
	back(DATA, R | W);
	CHECK(walk(R, false));
	look(R, false);
	CHECK_EQ(missing.count, 0);
	CHECK(!walk(R, true));
	CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	CHECK_EQ(result.gpa, at[0]);
	CHECK_EQ(result.gpa_perm, R | W);
	CHECK(result.table_page);
	look(R, true);
	CHECK_EQ(missing.count, 4);
	/* Marked already: read-only tables will do, until the leaf has to become dirty. */
	for (unsigned i = 0; i < 4; i++)
		world_store(&guest, at[i], world_load(&guest, at[i]) | X86_ACCESSED);
	CHECK(walk(R, true));
	look(R, true);
	CHECK_EQ(missing.count, 0);
	CHECK(!walk(W, true));
	CHECK_EQ(result.gpa, at[3]);
	look(W, true);
	CHECK_EQ(missing.count, 1);
	CHECK_EQ(missing.miss[0].gpa, at[3] & ~(K4 - 1));
	CHECK_EQ(missing.miss[0].perm, R | W);
}

TEST(rights_and_size_are_those_of_both_stages)
{
	create(4, M2);
	CHECK_EQ(vtdss_map(&second, 0, HOST, M2, R), 0);
	CHECK(walk(R, false));
	CHECK_EQ(result.perm, R | IOPF_EXEC);
	CHECK_EQ(result.size_bytes, M2);
	CHECK_EQ(result.addr, HOST + (ADDR & (M2 - 1)) + 5);
	CHECK(!walk(R | W, false));
	CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	CHECK_EQ(result.second.missing, W);
	CHECK(!result.table_page);
	look(R | W, false);
	CHECK_EQ(missing.count, 1);
	/* Read-only to the guest itself: its stage is asked first. */
	CHECK_EQ(x86_protect(&first, ADDR & ~(M2 - 1), M2, R), 1);
	CHECK(!walk(R | W, false));
	CHECK_EQ(result.stage, NESTED_STAGE_FIRST);
	CHECK_EQ(result.fault, TABLE_PERMISSION);
	CHECK_EQ(result.perm & W, 0);
	look(R | W, false);
	CHECK_EQ(missing.first.fault, TABLE_PERMISSION);
	CHECK_EQ(missing.count, 0);
	/* Privilege is the first stage's matter only. */
	CHECK(walk(R | IOPF_PRIV, false));
	CHECK_EQ(result.perm, R | IOPF_PRIV);
	/* The smaller page of both counts, be it below or above. */
	CHECK_EQ(vtdss_protect(&second, DATA, K4, R | W), 1);
	CHECK(walk(R, false));
	CHECK_EQ(result.size_bytes, K4);
}

TEST(a_small_page_over_a_large_one_is_small)
{
	create(4, K4);
	CHECK_EQ(vtdss_map(&second, 0, HOST, K4 << 9, R | W), 0);
	CHECK(walk(R, true));
	CHECK_EQ(result.addr, HOST + DATA + 5);
	CHECK_EQ(result.size_bytes, K4);
}

TEST(the_guests_own_fault_is_told_with_the_tables_that_lead_to_it)
{
	uint64_t at[5];

	create(4, K4);
	chain(at);
	CHECK_EQ(x86_unmap(&first, ADDR, K4), 1);
	look(R, true);
	CHECK_EQ(missing.first.fault, TABLE_NOT_PRESENT);
	CHECK_EQ(missing.first.level, 4);
	CHECK_EQ(missing.count, 1);
	CHECK_EQ(missing.miss[0].perm, R);
	back(missing.miss[0].gpa, missing.miss[0].perm);
	CHECK(!walk(R, true));
	CHECK_EQ(result.stage, NESTED_STAGE_FIRST);
	CHECK_EQ(result.fault, TABLE_NOT_PRESENT);
	CHECK_EQ(result.first.entry_addr, at[0]);
}

TEST(hostile_tables_end_in_a_fault)
{
	static const uint64_t links = X86_PRESENT | X86_WRITE | X86_USER;
	uint64_t at[5];

	/* A table that leads to itself: one page is needed, not four. */
	create(4, K4);
	for (unsigned i = 0; i < 512; i++)
		world_store(&guest, first.root + 8 * i, first.root | links);
	look(W, true);
	CHECK_EQ(missing.first.fault, TABLE_OK);
	CHECK_EQ(missing.count, 1);
	CHECK_EQ(missing.miss[0].gpa, first.root);
	CHECK_EQ(missing.miss[0].perm, R | W);
	back(first.root, R | W);
	CHECK(walk(W, true));
	CHECK_EQ(result.addr, HOST + first.root + 5);
	/* Nowhere in the guest: the guest's. Wider than the second level: a fault there. */
	create(4, K4);
	chain(at);
	world_store(&guest, at[1], (UINT64_C(1) << 50) | links);
	back(at[0], R | W);
	if ((at[1] ^ at[0]) >> 12 != 0)
		back(at[1], R | W);
	look(R, true);
	CHECK_EQ(missing.first.fault, TABLE_OUTSIDE);
	CHECK(!walk(R, true));
	CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
	CHECK_EQ(result.fault, TABLE_ADDRESS);
	CHECK(result.table_page);
	/* The second level leads out of memory: the host's own mistake, yet no crash. */
	CHECK_EQ(vtdss_unmap(&second, at[0] & ~(K4 - 1), K4), 1);
	CHECK_EQ(vtdss_map(&second, at[0] & ~(K4 - 1), UINT64_C(1) << 45, K4, R | W), 0);
	CHECK(!walk(R, true));
	CHECK_EQ(result.stage, NESTED_STAGE_FIRST);
	CHECK_EQ(result.fault, TABLE_OUTSIDE);
}

TEST(one_stage_alone_none_and_pass_through)
{
	create(4, K4);
	tables.kind = NESTED_SECOND;
	CHECK(!nested_walk(&tables, &memory, DATA + 5, W, true, &result));
	CHECK_EQ(result.stage, NESTED_STAGE_SECOND);
	CHECK_EQ(result.gpa, DATA + 5);
	nested_missing(&tables, &guest.memory, &memory, DATA + 5, W, true, &missing);
	CHECK_EQ(missing.count, 1);
	CHECK_EQ(missing.miss[0].gpa, DATA);
	back(DATA, R | W);
	CHECK(nested_walk(&tables, &memory, DATA + 5, W, true, &result));
	CHECK_EQ(result.addr, HOST + DATA + 5);

	tables.kind = NESTED_FIRST;
	CHECK(nested_walk(&tables, &guest.memory, ADDR + 5, W, true, &result));
	CHECK_EQ(result.addr, DATA + 5);
	look(W, true);
	CHECK_EQ(missing.count, 0);

	tables.kind = NESTED_PASS;
	CHECK(walk(W, true) == false);
	CHECK_EQ(result.fault, TABLE_ADDRESS);
	CHECK(nested_walk(&tables, &memory, 0x1234567, R | W, true, &result));
	CHECK_EQ(result.addr, 0x1234567);
	CHECK_EQ(result.perm, R | W | IOPF_EXEC);
	nested_missing(&tables, &guest.memory, &memory, 0x1234567, W, true, &missing);
	CHECK_EQ(missing.count, 0);
	CHECK_EQ(missing.first.fault, TABLE_OK);

	tables.kind = NESTED_NONE;
	CHECK(!walk(R, true));
	CHECK_EQ(result.stage, NESTED_STAGE_FIRST);
	look(W, true);
	CHECK_EQ(missing.first.fault, TABLE_NOT_PRESENT);
	CHECK_EQ(missing.count, 0);
}

TEST(the_interrupt_range_is_no_memory)
{
	static const struct {
		uint64_t addr;
		bool memory;
	} rows[] = {
		{ 0xfedfffff, true }, { 0xfee00000, false }, { 0xfeefffff, false },
		{ 0xfef00000, true },
	};

	create(4, K4);
	tables.kind = NESTED_PASS;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_EQ(nested_walk(&tables, &memory, rows[i].addr, R, false, &result),
			 rows[i].memory);
		CHECK_EQ(result.fault, rows[i].memory ? TABLE_OK : TABLE_INTERRUPT);
	}
}

int main(void)
{
	return test_main();
}
