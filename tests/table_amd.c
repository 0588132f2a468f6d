/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: AMD's device table entries and GCR3 tables say what they were made to say. */
#include "table/family.h"

#include "table_world.h"

#define BASE  UINT64_C(0x101000)
#define RID   0x0310u
#define PASID 0x1234u
#define NONE  IOPF_PASID_NONE
#define ADDR  UINT64_C(0x12345000)
#define OUT   UINT64_C(0x7654321000)
#define K4    UINT64_C(4096)
#define R     IOPF_READ
#define W     IOPF_WRITE

static struct world world;
static struct family_tables tables;
static struct family_stage second, shadow;

/* PPR, NX, guest tables of 4 levels under PASIDs of 20 bits in three, GIOV; host tables. */
static const uint64_t amd = UINT64_C(1) << 48 | UINT64_C(19) << 32 | 2 << 14 | 1 << 4 | 1 << 3 |
			    1 << 1;

static int read_register(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	CHECK(offset == 0x30 && width == 8);
	*value = amd;
	return 0;
}

static void create(void)
{
	struct family_setup setup;

	world_create(&world, BASE);
	setup = (struct family_setup){ .memory = &world.memory,
				       .pages = world.pages,
				       .registers = { .read = read_register },
				       .use = { .pasid_bits = 20, .rid_max = RID } };
	CHECK_EQ(family_create(&family_amd, &tables, &setup), 0);
	CHECK_EQ(family_amd.stage_create(&second, &tables, FAMILY_SECOND), 0);
	CHECK_EQ(family_amd.stage_create(&shadow, &tables, FAMILY_FIRST), 0);
	CHECK_EQ(family_amd.endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
}

static int attach(uint32_t pasid, const struct family_space *space)
{
	return family_amd.space(&tables, RID, pasid, space);
}

static int detach(uint32_t pasid)
{
	return attach(pasid, NULL);
}

static struct amd_dte dte;
static struct nested_result amd_result;

/* UNTRANSLATED where addresses are as they are. */
static uint64_t amd_way(uint32_t pasid, uint64_t addr, uint8_t perm)
{
	const struct amd_features *features = &tables.amd.features;
	struct nested_tables walked;
	uint64_t cr3 = UINT64_MAX;
	uint32_t number, last;

	if (amd_find_dte(&world.memory, features, family_amd.root(&tables),
			 family_amd.root_config(&tables), RID, &dte) != AMD_EVENT_NONE ||
	    amd_find_number(features, &dte, pasid, &number) != AMD_EVENT_NONE ||
	    (number != UINT32_MAX && amd_find_gcr3(&world.memory, &dte, number, &cr3,
						   &last) != AMD_EVENT_NONE))
		return 0;
	walked = amd_tables(features, &dte, cr3);
	return nested_walk(&walked, &world.memory, addr, perm, true, &amd_result) ?
		       amd_result.addr :
		       0;
}

/* A guest's own table, at its own addresses, which are the host's here. */
static struct x86_table amd_guest_table(void)
{
	const struct x86_format format = { .levels = 4, .address_bits = 48,
					   .supervisor = true, .exec = true };
	struct x86_table table;

	CHECK_EQ(x86_create(&table, &world.memory, &world.pages, &format), 0);
	CHECK_EQ(x86_map(&table, ADDR << 4, ADDR, K4, R | W, 0), 0);
	for (uint64_t page = BASE; page < BASE + 1024 * K4; page += K4)
		CHECK_EQ(family_amd.stage_map(&second, page, page, R | W), 0);
	CHECK_EQ(family_amd.stage_map(&second, ADDR, OUT, R | W), 0);
	return table;
}

TEST(a_guests_own_tables_are_walked_over_the_host_table)
{
	struct family_space space = { .kind = FAMILY_NESTED, .stage = &second, .domain = 0x77,
				      .first_levels = 4 };
	uint64_t root;

	create();
	root = space.first_root = amd_guest_table().root;
	CHECK_EQ(attach(PASID, &space), 0);
	CHECK_EQ(amd_way(PASID, (ADDR << 4) + 5, W), OUT + 5);
	CHECK_EQ(dte.domain, 0x77);
	CHECK(dte.ats && dte.pri && dte.mode == 4);
	CHECK_EQ(family_amd.stage_unmap(&second, root & ~(K4 - 1), K4), 1);
	CHECK_EQ(amd_way(PASID, ADDR << 4, W), 0);
	CHECK_EQ(amd_result.stage, NESTED_STAGE_SECOND);
	CHECK_EQ(amd_result.gpa & ~(K4 - 1), root);
	CHECK(amd_result.table_page);
	/* One entry, one shape. */
	space.first_levels = 5;
	CHECK_EQ(attach(PASID + 1, &space), -EBUSY);
	space = (struct family_space){ .kind = FAMILY_SHADOW, .stage = &shadow };
	CHECK_EQ(attach(PASID + 1, &space), -EBUSY);
	CHECK_EQ(detach(PASID), 0);
	CHECK_EQ(attach(PASID + 1, &space), 0);
	CHECK_EQ(detach(PASID + 1), 0);
	space = (struct family_space){ .kind = FAMILY_NESTED, .stage = &second,
				       .first_levels = 5 };
	CHECK_EQ(attach(PASID, &space), -EOPNOTSUPP);
}

TEST(what_has_no_pasid_finds_the_host_table_only_where_it_was_given)
{
	struct family_space nested = { .kind = FAMILY_NESTED, .stage = &second,
				       .first_levels = 4 };
	const struct family_space alone = { .kind = FAMILY_STAGE, .stage = &second };

	create();
	nested.first_root = amd_guest_table().root;
	CHECK_EQ(amd_way(NONE, ADDR, R), 0);
	CHECK_EQ(attach(PASID, &nested), 0);
	CHECK_EQ(amd_way(NONE, ADDR, R), 0);
	CHECK_EQ(attach(NONE, &alone), 0);
	CHECK_EQ(amd_way(NONE, ADDR, R), OUT);
	CHECK_EQ(attach(PASID + 1, &nested), 0);
	CHECK_EQ(amd_way(NONE, ADDR, R), OUT);
	CHECK_EQ(amd_way(PASID + 1, ADDR << 4, R), OUT);
	CHECK_EQ(detach(NONE), 0);
	CHECK_EQ(amd_way(NONE, ADDR, R), 0);
	CHECK_EQ(amd_way(PASID, ADDR << 4, R), OUT);
	CHECK_EQ(attach(PASID, &alone), -EOPNOTSUPP);
	CHECK_EQ(attach(0, &nested), -EINVAL);
	CHECK_EQ(family_amd.space(&tables, RID, IOPF_PASID_ANY, NULL), 0);
	CHECK_EQ(amd_way(PASID, ADDR << 4, R), 0);
}

TEST(whoever_comes_next_does_not_find_the_address_spaces_of_the_last)
{
	const struct family_space space = { .kind = FAMILY_SHADOW, .stage = &shadow };

	create();
	CHECK_EQ(family_amd.stage_map(&shadow, ADDR, OUT, R), 0);
	CHECK_EQ(attach(PASID, &space), 0);
	CHECK_EQ(family_amd.endpoint(&tables, RID, FAMILY_SHUT, 0), 0);
	CHECK_EQ(family_amd.endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
	CHECK_EQ(attach(PASID + 1, &space), 0);
	CHECK_EQ(amd_way(PASID + 1, ADDR, R), OUT);
	CHECK_EQ(amd_way(PASID, ADDR, R), 0);
}

TEST(an_entry_says_what_it_was_made_to_say_bit_by_bit)
{
	const struct amd_features all = { 48, 6, 5, 3, 20, true, true, true, true, true };
	uint64_t words[AMD_DTE_WORDS], again[AMD_DTE_WORDS], random = 5;
	struct amd_dte value;

	for (unsigned i = 0; i < 10000; i++) {
		for (unsigned j = 0; j < AMD_DTE_WORDS; j++)
			words[j] = test_random(&random);
		words[0] |= 3 | UINT64_C(1) << 55; /* V, TV, GV */
		words[0] &= ~(UINT64_C(1) << 63 | 0x7c);
		words[2] = words[2] & UINT64_C(1) << 54;
		words[3] = 0;
		/* SE is read as SA, the rest of word 1 is not the walk's. */
		words[1] &= ~(UINT64_C(0x7fa) << 32 | UINT64_C(1) << 33);
		if (!amd_dte_decode(words, &all, &value))
			continue;
		CHECK_EQ(amd_dte_encode(&value, again), 0);
		CHECK(memcmp(words, again, sizeof(words)) == 0);
	}
	words[0] = 3 | 1 << 2;
	CHECK(!amd_dte_decode(words, &all, &value));
	words[0] = 3 | 7 << 9; /* seven levels */
	CHECK(!amd_dte_decode(words, &all, &value));
	words[0] = 1 << 2;
	CHECK(amd_dte_decode(words, &all, &value) && value.off);
}

TEST(tables_of_pasids_come_and_go)
{
	struct gcr3 table = { .levels = 3 };
	uint64_t cr3;
	uint32_t last;

	world_create(&world, BASE);
	CHECK_EQ(table_take_zeroed(&world.memory, &world.pages, 1, &table.root), 0);
	CHECK(gcr3_empty(&world.memory, &table));
	CHECK_EQ(gcr3_find(&world.memory, &table, PASID, &cr3, &last), TABLE_NOT_PRESENT);
	CHECK_EQ(last, PASID | 0x3ffff);
	CHECK_EQ(gcr3_put(&world.memory, &world.pages, &table, PASID, 0x5000), 0);
	CHECK_EQ(gcr3_put(&world.memory, &world.pages, &table, PASID, 0x6000), 0);
	CHECK_EQ(gcr3_find(&world.memory, &table, PASID, &cr3, &last), TABLE_OK);
	CHECK_EQ(cr3, 0x6000);
	CHECK_EQ(gcr3_find(&world.memory, &table, PASID + 1, &cr3, &last), TABLE_NOT_PRESENT);
	CHECK_EQ(last, PASID + 1);
	CHECK_EQ(gcr3_find(&world.memory, &table, 0, &cr3, &last), TABLE_NOT_PRESENT);
	CHECK_EQ(last, 0x1ff);
	CHECK(!gcr3_empty(&world.memory, &table));
	CHECK_EQ(gcr3_clear(&world.memory, &table, PASID, 1), 1);
	CHECK_EQ(gcr3_clear(&world.memory, &table, PASID, 1), 0);
	CHECK(gcr3_empty(&world.memory, &table));
	CHECK_EQ(world_taken(&world), 3);
	gcr3_tidy(&world.memory, &world.pages, &table);
	CHECK_EQ(world_taken(&world), 1);
}

int main(void)
{
	return test_main();
}
