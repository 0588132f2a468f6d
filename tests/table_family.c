/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: what a host builds for each family leads where it should, or is refused. */
#include "table/family.h"
#include "table/smmuv3_nested.h"
#include "table/smmuv3_words.h"

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
#define X     IOPF_EXEC
#define P     IOPF_PRIV

static struct world world;
static struct family_tables tables;
static struct family_stage second, shadow;
static const struct family *family;

/* The identification registers of an SMMU, and VT-d's capabilities at their offsets. */
static uint32_t idr[6];
/* PPR, NX, guest tables of 4 levels under PASIDs of 20 bits in three, GIOV; host tables. */
static uint64_t efr;
static const uint64_t amd = UINT64_C(1) << 48 | UINT64_C(19) << 32 | 2 << 14 | 1 << 4 | 1 << 3 |
			    1 << 1;
static const uint32_t smmu[6] = { 0x3 | 2 << 2 | 2 << 6 | 1 << 10 | 1 << 12 | 1 << 18 | 1 << 19 |
					  1 << 27,
				  16 | 20 << 6, 0, 0, 0, 4 };

static int read_register(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	if (family == &family_smmuv3) {
		CHECK(width == 4 && offset % 4 == 0 && offset <= 0x14);
		*value = idr[offset / 4];
	} else {
		/* Second level of 48 bits and its large pages; first, second, nested. */
		*value = family == &family_amd ? efr :
			 offset == 0x08	       ? UINT64_C(0x100000c3c000400) | UINT64_C(1) << 60 :
					  UINT64_MAX;
	}
	return 0;
}

static void create(const char *name)
{
	struct family_setup setup;

	family = family_find(name);
	CHECK(family != NULL);
	world_create(&world, BASE);
	setup = (struct family_setup){ .memory = &world.memory,
				       .pages = world.pages,
				       .registers = { .read = read_register },
				       .use = { .pasid_bits = 20,
						.pasid_none = family->pasid_none,
						.rid_max = RID } };
	memcpy(idr, smmu, sizeof(idr));
	efr = amd;
	CHECK_EQ(family_create(family, &tables, &setup), 0);
	CHECK_EQ(family->stage_create(&second, &tables, FAMILY_SECOND), 0);
	CHECK_EQ(family->stage_create(&shadow, &tables, FAMILY_FIRST), 0);
	CHECK_EQ(family->endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
}

/* Where an access of (RID, @pasid) comes to; 0: it does not. */
static uint64_t vtd_way(uint32_t pasid, uint64_t addr, uint8_t perm)
{
	const struct vtd_features *features = &tables.vtd.features;
	const struct vtd_request request = { .rid = RID, .pasid = pasid, .perm = perm };
	struct nested_result result;
	struct nested_tables found_tables;
	struct vtd_found found;

	if (vtd_find(&world.space, features, family->root(&tables), &request, &found) !=
	    VTD_REASON_NONE)
		return 0;
	found_tables = vtd_tables(&found.pasid, features);
	return nested_walk(&found_tables, &world.memory, addr, perm, true, &result) ?
		       result.addr :
		       0;
}

static struct smmuv3_ste ste;
static struct smmuv3_result result;

static enum smmuv3_event find_ste(void)
{
	uint64_t at;

	return smmuv3_find_ste(&world.memory, &tables.smmuv3.features, family->root(&tables),
			       family->root_config(&tables), RID, &at, &ste);
}

static uint64_t smmuv3_way(uint32_t pasid, uint64_t addr, uint8_t perm)
{
	const struct smmuv3_walk how = { &tables.smmuv3.features, &world.memory, &ste, true };

	if (find_ste() != SMMUV3_EVENT_NONE)
		return 0;
	return smmuv3_translate(&how, pasid, addr, perm, &result) ? result.addr : 0;
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

	if (amd_find_dte(&world.memory, features, family->root(&tables),
			 family->root_config(&tables), RID, &dte) != AMD_EVENT_NONE ||
	    amd_find_number(features, &dte, pasid, &number) != AMD_EVENT_NONE ||
	    (number != UINT32_MAX && amd_find_gcr3(&world.memory, &dte, number, &cr3,
						   &last) != AMD_EVENT_NONE))
		return 0;
	walked = amd_tables(features, &dte, cr3);
	return nested_walk(&walked, &world.memory, addr, perm, true, &amd_result) ?
		       amd_result.addr :
		       0;
}

static uint64_t way(uint32_t pasid, uint64_t addr, uint8_t perm)
{
	if (family == &family_amd)
		return amd_way(pasid, addr, perm);
	return family == &family_smmuv3 ? smmuv3_way(pasid, addr, perm) :
					  vtd_way(pasid, addr, perm);
}

static const char *const names[] = { "vtd", "smmuv3", "amd" };
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static bool mapped(const struct family_stage *stage, uint64_t addr, uint8_t perm)
{
	struct table_result ignored;

	return family->stage_walk(stage, addr, perm, &ignored);
}

static int attach(uint32_t pasid, const struct family_space *space)
{
	return family->space(&tables, RID, pasid, space);
}

static int detach(uint32_t pasid)
{
	return attach(pasid, NULL);
}

TEST(families_have_names)
{
	CHECK(family_find("vtd") == &family_vtd);
	CHECK(family_find("smmuv3") == &family_smmuv3);
	CHECK(family_find("amd") == &family_amd);
	CHECK(family_find("smmuv9") == NULL);
	CHECK(family_find("smmuv2") == &family_smmuv2);
	CHECK_EQ(family_vtd.first, IOPF_FORMAT_X86);
	CHECK_EQ(family_smmuv3.first, IOPF_FORMAT_VMSA);
	CHECK_EQ(family_smmuv2.first, IOPF_FORMAT_NONE);
}

TEST(a_stage_of_either_kind_maps_unmaps_and_gives_back)
{
	for (unsigned i = 0; i < 2 * NAMES; i++) {
		const struct family_stage *stage = i & 1 ? &second : &shadow;
		uint64_t high = i & 1 ? ADDR << 10 : UINT64_C(0xffffffffffffe000);
		uint32_t taken;

		create(names[i / 2]);
		taken = world_taken(&world);
		CHECK(!mapped(stage, ADDR, R));
		CHECK_EQ(family->stage_map(stage, ADDR, OUT, R), 0);
		CHECK_EQ(family->stage_map(stage, ADDR, OUT, R), -EEXIST);
		CHECK_EQ(family->stage_map(stage, high, OUT, R | W), 0);
		CHECK(mapped(stage, ADDR, R));
		CHECK(!mapped(stage, ADDR, W));
		CHECK(mapped(stage, high, R | W));
		/* A second stage knows reading and writing alone. */
		CHECK_EQ(mapped(stage, ADDR, R | X), (i & 1) != 0);
		CHECK_EQ(family->stage_unmap(stage, ADDR, K4), 1);
		CHECK_EQ(family->stage_unmap(stage, ADDR, K4), 0);
		CHECK(!mapped(stage, ADDR, R));
		CHECK_EQ(family->stage_unmap(stage, 0, UINT64_MAX), 1);
		CHECK(!mapped(stage, high, R));
		CHECK(world_taken(&world) > taken); /* tables stay for who still looks */
		family->stage_tidy(stage);
		CHECK_EQ(world_taken(&world), taken);
		family->stage_destroy(stage);
		/* A root; both halves of an Armv8 one. */
		CHECK_EQ(world_taken(&world), taken - (i == 2 ? 2 : 1));
	}
}

TEST(rights_of_a_shadow_are_those_it_was_given)
{
	for (unsigned i = 0; i < NAMES; i++) {
		create(names[i]);
		CHECK_EQ(family->stage_map(&shadow, ADDR, OUT, R | W | X), 0);
		CHECK_EQ(family->stage_map(&shadow, ADDR + K4, OUT, R | P), 0);
		CHECK_EQ(family->stage_map(&shadow, ADDR + 2 * K4, OUT, R | X | P), 0);
		CHECK(mapped(&shadow, ADDR, R | W | X));
		CHECK(!mapped(&shadow, ADDR + K4, R));
		CHECK(mapped(&shadow, ADDR + K4, R | P));
		CHECK(!mapped(&shadow, ADDR + K4, R | W | P));
		CHECK(!mapped(&shadow, ADDR + K4, R | X | P));
		CHECK(mapped(&shadow, ADDR + 2 * K4, R | X | P));
	}
}

TEST(a_shadow_is_reached_under_its_pasid_and_taken_away)
{
	for (unsigned i = 0; i < NAMES; i++) {
		const struct family_space space = { .kind = FAMILY_SHADOW,
						    .stage = &shadow,
						    .domain = 7,
						    .asid = 9,
						    .exec = true,
						    .write_protect = true };
		struct family_space wrong = space;

		create(names[i]);
		CHECK_EQ(family->stage_map(&shadow, ADDR, OUT, R), 0);
		wrong.stage = &second;
		CHECK_EQ(attach(PASID, &wrong), -EINVAL);
		CHECK_EQ(attach(PASID, &space), 0);
		CHECK_EQ(attach(NONE, &space), 0);
		CHECK_EQ(way(PASID, ADDR + 5, R), OUT + 5);
		CHECK_EQ(way(NONE, ADDR + 5, R), OUT + 5);
		CHECK_EQ(way(PASID, ADDR, W), 0);
		CHECK_EQ(way(PASID + 1, ADDR, R), 0);
		CHECK_EQ(detach(PASID), 0);
		CHECK_EQ(detach(PASID), -ENOENT);
		CHECK_EQ(way(PASID, ADDR, R), 0);
		/* Nobody has PASID 0: not what comes without one. */
		CHECK_EQ(detach(0), -ENOENT);
		CHECK_EQ(way(NONE, ADDR, R), OUT);
		CHECK_EQ(detach(NONE), 0);
		CHECK_EQ(way(NONE, ADDR, R), 0);
		CHECK_EQ(family->space(&tables, RID, IOPF_PASID_ANY, NULL), 0);
	}
}

TEST(what_the_iommu_cannot_do_is_refused)
{
	struct family_space shadowed = { .kind = FAMILY_SHADOW, .stage = &shadow };
	struct family_space nested = { .kind = FAMILY_NESTED, .stage = &second,
				       .first_levels = 4 };

	create("vtd");
	tables.vtd.features.first = tables.vtd.features.nested = false;
	CHECK_EQ(attach(PASID, &shadowed), -EOPNOTSUPP);
	CHECK_EQ(attach(PASID, &nested), -EOPNOTSUPP);
	create("smmuv3");
	tables.smmuv3.features.first = false;
	CHECK_EQ(attach(PASID, &shadowed), -EOPNOTSUPP);
	CHECK_EQ(attach(PASID, &nested), -EOPNOTSUPP);
	tables.smmuv3.features.first = true;
	tables.smmuv3.features.second = false;
	CHECK_EQ(attach(NONE, &nested), -EOPNOTSUPP);
	CHECK_EQ(attach(PASID, &shadowed), 0);
}

TEST(a_stage_stands_alone_where_the_family_lets_it)
{
	for (unsigned i = 0; i < NAMES; i++) {
		struct family_space space = { .kind = FAMILY_STAGE, .domain = 7 };

		create(names[i]);
		space.stage = family->alone == FAMILY_SECOND ? &second : &shadow;
		CHECK_EQ(family->stage_map(space.stage, ADDR, OUT, R | W), 0);
		CHECK_EQ(attach(PASID, &space), 0);
		CHECK_EQ(way(PASID, ADDR, W), OUT);
		CHECK_EQ(detach(PASID), 0);
		CHECK_EQ(way(PASID, ADDR, W), 0);
	}
}

TEST(doors_keep_out_and_let_in_again)
{
	for (unsigned i = 0; i < NAMES; i++) {
		const struct family_space space = { .kind = FAMILY_SHADOW, .stage = &shadow };

		create(names[i]);
		CHECK_EQ(family->stage_map(&shadow, ADDR, OUT, R), 0);
		CHECK_EQ(attach(PASID, &space), 0);
		CHECK_EQ(family->endpoint(&tables, RID, FAMILY_BLOCKED, 0), 0);
		if (family == &family_smmuv3)
			CHECK_EQ(way(PASID, ADDR, R), 0);
		CHECK_EQ(family->endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
		CHECK_EQ(way(PASID, ADDR, R), OUT);
		CHECK_EQ(family->endpoint(&tables, RID, FAMILY_SHUT, 0), 0);
		CHECK_EQ(way(PASID, ADDR, R), 0);
		family->tidy(&tables, RID, IOPF_PASID_ANY);
		/* Whoever comes next at this number does not find the last one's spaces. */
		CHECK_EQ(family->endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
		CHECK_EQ(way(PASID, ADDR, R), 0);
		CHECK_EQ(attach(PASID, &space), 0);
		CHECK_EQ(way(PASID, ADDR, R), OUT);
	}
}

/* ---- SMMUv3 ------------------------------------------------------------------------- */

/* A guest's table of descriptors, at its own addresses ("guest"), mapped one to one. */
static uint64_t guest_table(struct vmsa_table *first, uint64_t nest[2])
{
	const struct vmsa_format format = { .half = { { .input_bits = 48 },
						      { .disabled = true } },
					    .output_bits = 44 };
	const struct smmuv3_ste entry = { .config = SMMUV3_FIRST, .context_bits = 6,
					  .without = SMMUV3_DEFAULT_ZERO, .ats = SMMUV3_ATS_FULL };
	struct smmuv3_ste value = entry;
	struct smmuv3_cd cd = { .asid = 3, .abort = true, .record = true };
	uint64_t words[SMMUV3_STE_WORDS], cds;

	CHECK_EQ(table_take_aligned(&world.memory, &world.pages, 1, &cds), 0);
	CHECK_EQ(vmsa_create(first, &world.memory, &world.pages, &format), 0);
	CHECK_EQ(vmsa_map(first, ADDR << 4, ADDR, K4, R | W, VMSA_ACCESSED), 0);
	cd.first = first->format;
	CHECK_EQ(smmuv3_cd_encode(&cd, words), 0);
	for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++) {
		world_store(&world, cds + 8 * i, words[i]);
		world_store(&world, cds + 5 * 64 + 8 * i, words[i]);
	}
	value.context_addr = cds;
	CHECK_EQ(smmuv3_ste_encode(&value, words), 0);
	nest[0] = words[0];
	nest[1] = words[1];
	for (uint64_t page = BASE; page < BASE + 2048 * K4; page += K4)
		CHECK_EQ(family->stage_map(&second, page, page, R), 0);
	CHECK_EQ(family->stage_map(&second, ADDR, OUT, R | W), 0);
	return cds;
}

TEST(a_guests_own_descriptors_are_walked_over_the_hosts_stage)
{
	struct family_space space = { .kind = FAMILY_NESTED, .stage = &second, .domain = 0x77 };
	struct vmsa_table first;
	uint64_t cds;

	create("smmuv3");
	cds = guest_table(&first, space.nest);
	CHECK_EQ(attach(NONE, &space), 0);
	CHECK_EQ(way(NONE, (ADDR << 4) + 5, R), OUT + 5);
	CHECK_EQ(way(5, (ADDR << 4) + 5, W), OUT + 5);
	CHECK_EQ(result.index, 5);
	CHECK_EQ(way(6, ADDR << 4, R), 0);
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_CD);
	CHECK_EQ(ste.vmid, 0x77);
	CHECK_EQ(ste.ats, SMMUV3_ATS_FULL);
	CHECK(ste.stall_off && !ste.stall && ste.record);
	/* Each PASID is told of; the entry is one. */
	CHECK_EQ(attach(5, &space), 0);
	CHECK_EQ(detach(5), -ENOENT); /* nothing of it is the host's */
	CHECK_EQ(way(5, ADDR << 4, R), OUT); /* the guest's own to take away */
	world_store(&world, cds + 5 * 64, 0);
	CHECK_EQ(way(5, ADDR << 4, R), 0);
	CHECK_EQ(way(NONE, ADDR << 4, R), OUT);
	CHECK_EQ(family->space(&tables, RID, IOPF_PASID_ANY, NULL), 0);
	CHECK_EQ(way(NONE, ADDR << 4, R), 0);
	CHECK_EQ(result.event, SMMUV3_EVENT_NONE); /* it aborts, and says nothing */
}

/* Its entry says so; what it says of the others counts all the same. */
TEST(a_guests_transactions_without_a_pasid_may_bypass_its_tables_beside_others)
{
	struct family_space space = { .kind = FAMILY_NESTED, .stage = &second };
	struct family_space bypass;
	struct vmsa_table first;

	create("smmuv3");
	guest_table(&first, space.nest);
	space.nest[1] &= ~FIELD_MASK(SMMUV3_STE_S1DSS);
	words_put(space.nest, SMMUV3_STE_S1DSS, SMMUV3_DEFAULT_BYPASS);
	bypass = space;
	bypass.kind = FAMILY_STAGE;
	CHECK_EQ(attach(5, &space), 0);
	CHECK_EQ(attach(NONE, &bypass), 0);
	CHECK_EQ(way(NONE, ADDR, R), OUT);
	CHECK_EQ(way(5, ADDR << 4, R), OUT);
	CHECK_EQ(detach(NONE), -ENOENT);
	CHECK_EQ(way(5, ADDR << 4, R), OUT);
}

TEST(what_a_guests_entry_may_not_say_is_masked_or_refused)
{
	static const struct {
		uint32_t field;
		uint64_t value;
		int error;
	} rows[] = {
		{ SMMUV3_STE_V, 0, -EINVAL },
		{ SMMUV3_STE_CONFIG, SMMUV3_ABORT, -EPERM },
		{ SMMUV3_STE_CONFIG, SMMUV3_BYPASS, -EPERM },
		{ SMMUV3_STE_CONFIG, SMMUV3_SECOND, -EINVAL },
		{ SMMUV3_STE_CONFIG, SMMUV3_BOTH, -EINVAL },
		{ SMMUV3_STE_S1CDMAX, 21, -EINVAL },
		{ SMMUV3_STE_S1CDMAX, 20, 0 },
		{ SMMUV3_STE_S1FMT, 1, 0 },
		{ SMMUV3_STE_S1CONTEXTPTR, UINT64_C(1) << 38, -EINVAL },
		{ SMMUV3_STE_S1DSS, 1, 0 },
		{ SMMUV3_STE_EATS, 2, 0 },    { SMMUV3_STE_EATS, 3, 0 },
		{ SMMUV3_STE_STRW, 3, 0 },    { SMMUV3_STE_PRIVCFG, 3, 0 },
		{ SMMUV3_STE_MTCFG, 1, 0 },   { SMMUV3_STE_CONT, 15, 0 },
		{ SMMUV3_STE_PPAR, 1, 0 },    { SMMUV3_STE_S1MPAM, 1, 0 },
		{ SMMUV3_STE_S1STALLD, 1, 0 }, { SMMUV3_STE_IMPDEF0, 0xfff, 0 },
	};
	struct vmsa_table first;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct family_space space = { .kind = FAMILY_NESTED, .stage = &second };
		unsigned word = FIELD_WORD(rows[i].field);
		uint64_t at, allowed, found;

		create("smmuv3");
		guest_table(&first, space.nest);
		space.nest[word] &= ~FIELD_MASK(rows[i].field);
		space.nest[word] |= rows[i].value << FIELD_LSB(rows[i].field);
		CHECK_EQ(attach(NONE, &space), rows[i].error);
		CHECK_EQ(find_ste(), SMMUV3_EVENT_NONE);
		CHECK_EQ(ste.config, rows[i].error == 0 ? SMMUV3_BOTH : SMMUV3_ABORT);
		if (rows[i].error != 0)
			continue;
		CHECK_EQ(ste.ats, SMMUV3_ATS_FULL);
		CHECK(!ste.response_pasid && ste.stall_off);
		CHECK_EQ(smmuv3_find_ste(&world.memory, &tables.smmuv3.features,
					 family->root(&tables), family->root_config(&tables),
					 RID, &at, &ste), SMMUV3_EVENT_NONE);
		/* In word 1 nothing of the guest's but S1DSS. */
		allowed = FIELD_MASK(SMMUV3_STE_S1DSS);
		found = world_load(&world, at + 8) & ~allowed;
		CHECK_EQ(found, UINT64_C(1) << 44 | 1 << 28 | 1 << 27 | 0xd4);
	}
}

TEST(streams_that_stall_and_functions_differ)
{
	static const struct {
		uint8_t model;
		bool stall;
		int error;
		bool s2s, stall_off;
		uint8_t ats;
	} rows[] = {
		{ 0, false, 0, false, true, SMMUV3_ATS_FULL },
		{ 0, true, 0, true, false, SMMUV3_ATS_OFF },
		{ 1, false, 0, false, false, SMMUV3_ATS_FULL },
		{ 1, true, -EOPNOTSUPP, false, false, 0 },
		{ 2, false, 0, true, false, SMMUV3_ATS_OFF },
		{ 2, true, 0, true, false, SMMUV3_ATS_OFF },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 3; i++) {
		struct family_space space = { .kind = (uint8_t)(i % 3), .stall = rows[i / 3].stall,
					      .response_pasid = i % 2 };
		uint32_t field = FIELD(0, 24, 2);
		struct vmsa_table first;

		create("smmuv3");
		guest_table(&first, space.nest);
		idr[0] |= (uint32_t)rows[i / 3].model << FIELD_LSB(field);
		tables.smmuv3.features = smmuv3_features_of(idr);
		space.stage = space.kind == FAMILY_SHADOW ? &shadow : &second;
		if (space.kind == FAMILY_STAGE)
			space.nest[0] = 0; /* no guest's */
		CHECK_EQ(attach(NONE, &space), rows[i / 3].error);
		if (rows[i / 3].error != 0)
			continue;
		CHECK_EQ(find_ste(), SMMUV3_EVENT_NONE);
		CHECK_EQ(ste.config, space.kind == FAMILY_SHADOW ? SMMUV3_FIRST :
				     space.kind == FAMILY_NESTED ? SMMUV3_BOTH :
								   SMMUV3_SECOND);
		CHECK_EQ(ste.ats, rows[i / 3].ats);
		CHECK_EQ(ste.response_pasid, i % 2);
		if (space.kind != FAMILY_SHADOW)
			CHECK_EQ(ste.stall, rows[i / 3].s2s);
		if (space.kind != FAMILY_STAGE)
			CHECK_EQ(ste.stall_off, rows[i / 3].stall_off);
		if (space.kind == FAMILY_SHADOW) {
			CHECK_EQ(way(NONE, ADDR, R), 0);
			CHECK_EQ(result.event, SMMUV3_EVENT_F_TRANSLATION);
			CHECK_EQ(result.stall, rows[i / 3].s2s);
		}
	}
}

TEST(one_stream_has_one_shape)
{
	struct family_space nested = { .kind = FAMILY_NESTED, .stage = &second };
	const struct family_space alone = { .kind = FAMILY_STAGE, .stage = &second };
	const struct family_space shadowed = { .kind = FAMILY_SHADOW, .stage = &shadow };
	struct family_space wide = shadowed;
	struct vmsa_table first;

	create("smmuv3");
	guest_table(&first, nested.nest);
	CHECK_EQ(attach(PASID, &alone), -EOPNOTSUPP); /* stage 2 alone takes no substreams */
	CHECK_EQ(attach(0, &shadowed), -EINVAL); /* it is who has none */
	CHECK_EQ(attach(UINT32_C(1) << 20, &shadowed), -ERANGE);
	CHECK_EQ(attach(PASID, &shadowed), 0);
	CHECK_EQ(attach(NONE, &alone), -EBUSY);
	CHECK_EQ(attach(NONE, &nested), -EBUSY);
	CHECK_EQ(detach(PASID), 0);
	CHECK_EQ(attach(NONE, &nested), 0);
	CHECK_EQ(attach(PASID, &shadowed), -EBUSY);
	CHECK_EQ(attach(NONE, &alone), 0);
	CHECK_EQ(way(NONE, ADDR, R), OUT);
	CHECK_EQ(detach(PASID), -ENOENT);
	CHECK_EQ(detach(NONE), 0);
	CHECK_EQ(way(NONE, ADDR, R), 0);
	CHECK_EQ(attach(PASID, &shadowed), 0);
	tables.smmuv3.features.vmid16 = tables.smmuv3.features.asid16 = false;
	wide.domain = 0x100;
	CHECK_EQ(attach(PASID, &wide), -EINVAL);
	wide.domain = 0;
	wide.asid = 0x100;
	CHECK_EQ(attach(PASID, &wide), -EINVAL);
}

int main(void)
{
	return test_main();
}
