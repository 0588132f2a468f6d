/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Description: a RISC-V IOMMU's contexts lead where they should, whoever wrote them, or a
 * cause says why not.
 */
#include "table/family.h"
#include "table/riscv.h"
#include "table/words.h"

#include "table_world.h"

#define BASE UINT64_C(0x101000)
#define RID  0x0310u
#define ADDR UINT64_C(0x12345000)
#define OUT  UINT64_C(0x7654321000)
#define NONE IOPF_PASID_NONE
/* Sv39 to Sv57, Sv39x4, Sv48x4, AMO_HWAD, ATS, T2GPA, 50 bits, PD8 to PD20. */
#define ALL_CAPS UINT64_C(0x1f207060e10)
#define TC(field) FIELD_MASK(RISCV_DC_##field)
#define DOOR (TC(EN_ATS) | TC(EN_PRI) | TC(PRPR))

static const struct family *const family = &family_riscv;
static struct world world;
static struct family_tables tables;
static struct family_stage second, shadow;

static int read_register(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	CHECK_EQ(offset, 0);
	CHECK_EQ(width, 8);
	*value = ALL_CAPS;
	return 0;
}

static void create(bool own)
{
	struct family_setup setup;

	world_create(&world, BASE);
	setup = (struct family_setup){ .memory = &world.memory,
				       .pages = world.pages,
				       .registers = { .read = read_register },
				       .use = { .pasid_bits = 20, .levels = 4, .own = own } };
	CHECK_EQ(family_create(family, &tables, &setup), 0);
	CHECK_EQ(family->stage_create(&second, &tables, FAMILY_SECOND), 0);
	CHECK_EQ(family->stage_create(&shadow, &tables, FAMILY_FIRST), 0);
	CHECK_EQ(family->endpoint(&tables, RID, FAMILY_OPEN, FAMILY_RESPONSE_PASID), 0);
}

static struct riscv_dc dc;
static struct riscv_first first;
static struct riscv_result result;

static unsigned way(uint32_t pasid, uint64_t addr, uint8_t perm)
{
	const struct riscv_walk walk = { &tables.riscv.features, &world.memory, &dc, true };

	result = (struct riscv_result){ 0 };
	result.cause = (uint16_t)riscv_find_dc(&world.memory, &tables.riscv.features,
					       family->root(&tables),
					       family->root_config(&tables), RID, &dc);
	if (result.cause == 0 && riscv_first(&walk, pasid, perm, &first, &result))
		(void)riscv_translate(&walk, &first, addr, perm, &result);
	return result.cause;
}

static struct family_space space_of(enum family_kind kind, const struct family_stage *stage)
{
	return (struct family_space){ .kind = (uint8_t)kind,
				      .stage = stage,
				      .domain = 7,
				      .asid = 0x54321 };
}

TEST(device_without_a_context_is_told_from_one_whose_processes_are_absent)
{
	create(false);
	CHECK_EQ(way(1, ADDR, IOPF_READ), IOPF_RISCV_pdt_invalid);
	CHECK_EQ(way(NONE, ADDR, IOPF_READ), IOPF_RISCV_pdt_invalid);
	CHECK_EQ(dc.word[0], TC(V) | DOOR | TC(PDTV) | TC(DPE));
	CHECK_EQ(family->endpoint(&tables, RID, FAMILY_BLOCKED, FAMILY_RESPONSE_PASID), 0);
	CHECK_EQ(way(1, ADDR, IOPF_READ), IOPF_RISCV_pdt_invalid);
	CHECK_EQ(dc.word[0] & DOOR, 0);
	CHECK_EQ(family->endpoint(&tables, RID, FAMILY_SHUT, 0), 0);
	CHECK_EQ(way(1, ADDR, IOPF_READ), IOPF_RISCV_ddt_invalid);
}

TEST(process_has_the_first_stage_that_it_was_given_and_none_is_process_0)
{
	struct family_space space = space_of(FAMILY_SHADOW, &shadow);

	create(false);
	CHECK_EQ(family->stage_map(&shadow, ADDR, OUT, IOPF_READ | IOPF_WRITE), 0);
	CHECK_EQ(family->space(&tables, RID, 0, &space), -EINVAL);
	CHECK_EQ(family->space(&tables, RID, 0xabcde, &space), 0);
	CHECK_EQ(family->space(&tables, RID, NONE, &space), 0);
	CHECK_EQ(way(0xabcde, ADDR + 5, IOPF_WRITE), 0);
	CHECK_EQ(result.addr, OUT + 5);
	CHECK_EQ(first.process, 0xabcde);
	CHECK_EQ(way(NONE, ADDR, IOPF_READ), 0);
	CHECK_EQ(first.process, 0);
	CHECK_EQ(way(0xabcde, ADDR, IOPF_READ | IOPF_PRIV), 0);
	CHECK_EQ(way(0xabcde, ADDR + 4096, IOPF_WRITE), IOPF_RISCV_write_page);
	CHECK_EQ(way(0xabcdf, ADDR, IOPF_READ), IOPF_RISCV_pdt_invalid);
	CHECK_EQ(family->space(&tables, RID, 0xabcde, NULL), 0);
	CHECK_EQ(family->space(&tables, RID, 0xabcde, NULL), -ENOENT);
	CHECK_EQ(way(0xabcde, ADDR, IOPF_READ), IOPF_RISCV_pdt_invalid);
	CHECK_EQ(way(NONE, ADDR, IOPF_READ), 0);
}

/* A guest's device context, in the words of an address space. */
static void nest(struct family_space *space, uint64_t tc, uint64_t fsc, uint32_t pscid)
{
	space->nest[0] = tc | TC(V) | (uint64_t)pscid << 32;
	space->nest[1] = fsc;
}

TEST(guest_context_lies_over_the_second_stage)
{
	struct family_space space = space_of(FAMILY_NESTED, &second);
	const struct sv_format format = { .levels = 4, .address_bits = 56 };
	struct sv_table table;

	create(false);
	/* The guest's table, at its own addresses: here those of memory. */
	CHECK_EQ(sv_create(&table, &world.memory, &world.pages, &format), 0);
	CHECK_EQ(sv_map(&table, ADDR, 0x5000, 4096, IOPF_READ, SV_ACCESSED), 0);
	nest(&space, 0, UINT64_C(9) << 60 | table.root >> 12, 0x54321);
	CHECK_EQ(family->space(&tables, RID, NONE, &space), 0);
	CHECK_EQ(way(NONE, ADDR, IOPF_READ), IOPF_RISCV_read_guest_page);
	CHECK(result.implicit);
	CHECK_EQ(result.gpa & ~UINT64_C(4095), table.root);
	for (uint64_t page = BASE; page < BASE + 64 * 4096; page += 4096)
		CHECK_EQ(family->stage_map(&second, page, page, IOPF_READ), 0);
	CHECK_EQ(way(NONE, ADDR + 8, IOPF_READ), IOPF_RISCV_read_guest_page);
	CHECK(!result.implicit);
	CHECK_EQ(result.gpa, 0x5008);
	CHECK_EQ(family->stage_map(&second, 0x5000, OUT, IOPF_READ), 0);
	CHECK_EQ(way(NONE, ADDR + 8, IOPF_READ), 0);
	CHECK_EQ(result.addr, OUT + 8);
	CHECK_EQ(words_get(dc.word, RISCV_DC_GSCID), 7);
	CHECK_EQ(first.pscid, 0x54321);
	CHECK_EQ(dc.word[0] & DOOR, DOOR);
	CHECK_EQ(way(1, ADDR, IOPF_READ), IOPF_RISCV_disallowed);
	space = space_of(FAMILY_SHADOW, &shadow);
	CHECK_EQ(family->space(&tables, RID, 1, &space), -EBUSY);
	CHECK_EQ(family->space(&tables, RID, IOPF_PASID_ANY, NULL), 0);
	CHECK_EQ(family->space(&tables, RID, 1, &space), 0);
	space = space_of(FAMILY_STAGE, &second);
	CHECK_EQ(family->space(&tables, RID, NONE, &space), -EBUSY);
	CHECK_EQ(family->space(&tables, RID, 1, NULL), 0);
	CHECK_EQ(family->space(&tables, RID, 1, &space), -EOPNOTSUPP);
	CHECK_EQ(family->space(&tables, RID, NONE, &space), 0);
	CHECK_EQ(way(NONE, 0x5000, IOPF_READ), 0);
	CHECK_EQ(result.addr, OUT);
	nest(&space, TC(DPE), 0, 0);
	CHECK_EQ(family->space(&tables, RID, NONE, &space), -EINVAL);
}

TEST(context_that_asks_for_what_cannot_be_is_misconfigured)
{
	static const uint64_t bad[] = { TC(EN_PRI), TC(PRPR), TC(T2GPA), TC(DPE), TC(SBE), TC(SXL),
					1 << 12, UINT64_C(1) << 32, TC(EN_ATS) | TC(PRPR),
					TC(EN_ATS) | TC(T2GPA) };
	const struct riscv_features features = { ALL_CAPS }, poor = { 0 };
	struct riscv_dc value = { { TC(V) } };

	CHECK_EQ(riscv_dc_check(&features, &value), 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value.word[0] = TC(V) | bad[i];
		CHECK_EQ(riscv_dc_check(&features, &value), IOPF_RISCV_ddt_misconfigured);
	}
	value.word[0] = TC(V) | TC(SADE);
	CHECK_EQ(riscv_dc_check(&features, &value), 0);
	CHECK_EQ(riscv_dc_check(&poor, &value), IOPF_RISCV_ddt_misconfigured);
	value.word[0] = TC(V);
	value.word[1] = UINT64_C(9) << 60 | 4;
	CHECK_EQ(riscv_dc_check(&features, &value), 0);
	value.word[1] |= 1;
	CHECK_EQ(riscv_dc_check(&features, &value), IOPF_RISCV_ddt_misconfigured);
	value.word[1] = UINT64_C(10) << 60;
	CHECK_EQ(riscv_dc_check(&features, &value), IOPF_RISCV_ddt_misconfigured);
}

static struct family_view view;
static uint32_t needed;

static void on_need(void *context, uint64_t addr, uint8_t perm)
{
	(void)context;
	(void)addr;
	needed += perm != 0;
}

TEST(guest_reads_back_what_its_software_built)
{
	struct family_space space = space_of(FAMILY_SHADOW, &shadow);
	struct family_entry entry;
	struct table_result found;
	uint32_t last;

	create(true);
	CHECK_EQ(family->stage_map(&shadow, ADDR, 0x9000, IOPF_READ | IOPF_WRITE), 0);
	CHECK_EQ(family->space(&tables, RID, 0x1234, &space), 0);
	view = (struct family_view){ .memory = world.memory,
				     .features = { .riscv = tables.riscv.features },
				     .root = family->root(&tables),
				     .root_config = family->root_config(&tables) };
	CHECK_EQ(family->guest->read(&view, RID, 0x1234, &entry, &last), FAMILY_FOUND);
	CHECK_EQ(entry.number, 0x1234);
	CHECK_EQ(entry.value.domain, 0x54321);
	CHECK_EQ(entry.value.format, IOPF_FORMAT_SV);
	CHECK_EQ(entry.value.flags,
		 IOPF_SPACE_SRE | IOPF_SPACE_ERE | IOPF_SPACE_PRE | IOPF_SPACE_DTE);
	CHECK(family->guest->walk(&view, &entry, ADDR, IOPF_READ, false, &found));
	CHECK_EQ(found.addr, 0x9000);
	needed = 0;
	CHECK_EQ(family->guest->needs(&view, &entry, ADDR, IOPF_WRITE, on_need, NULL), 0);
	CHECK_EQ(needed, 3 + entry.value.levels + 1 + 1); /* directory, tables, marks, data */
	CHECK_EQ(family->guest->needs(&view, &entry, 0, IOPF_WRITE, on_need, NULL),
		 IOPF_STAGE_FIRST);
	CHECK_EQ(family->guest->read(&view, RID, NONE, &entry, &last), FAMILY_NOTHING);
	CHECK_EQ(family->guest->read(&view, RID, 0x20000, &entry, &last), FAMILY_NOTHING);
	CHECK_EQ(last, 0x3ffff);
	CHECK_EQ(family->guest->read(&view, 0x9999, 1, &entry, &last), FAMILY_NOTHING);
	CHECK_EQ(last, IOPF_PASID_MAX);
}

int main(void)
{
	return test_main();
}
