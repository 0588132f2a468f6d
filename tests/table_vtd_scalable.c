/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: from requester and PASID to the entry, and every way to fail on it. */
#include "table/vtd_words.h"

#include "table_world.h"

#define BASE  UINT64_C(0x100000)
#define RID   0x0310u
#define PASID 0x1234u
#define R     IOPF_READ
#define W     IOPF_WRITE

static struct world world;
static struct vtd_builder builder;
static struct vtd_found found;

static const struct vtd_features all = {
	.address_bits = 46, .second_levels = 0x38, .pages_2m = true, .pages_1g = true,
	.first_1g = true, .first_5l = true, .first = true, .second = true, .nested = true,
	.pass = true, .second_ad = true, .exec = true, .supervisor = true,
	.extended = true, .rid_pasid = true,
};

static const struct vtd_context context = { .pdts = 0, .ats = true, .pasid = true,
					    .pri = true, .rid_pasid = 0x55 };
static const struct vtd_pasid nested = {
	.first_root = UINT64_C(0xabcdef000), .second_root = UINT64_C(0x123456000),
	.domain = 0xbeef, .pgtt = VTD_PGTT_NESTED, .first_levels = 5, .second_levels = 4,
	.supervisor = true, .exec = true, .write_protect = true, .extended = true,
	.second_ad = true, .page_snoop = true,
};

static void create(void)
{
	world_create(&world, BASE);
	CHECK_EQ(vtd_builder_create(&builder, &world.memory, &world.pages, &all), 0);
	CHECK_EQ(vtd_builder_context(&builder, RID, &context), 0);
	CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &nested), 0);
}

static enum vtd_reason find(uint32_t rid, uint32_t pasid, uint8_t perm, uint8_t kind)
{
	const struct vtd_request request = { .rid = rid, .pasid = pasid, .perm = perm,
					     .kind = kind };

	return vtd_find(&world.space, &builder.features, builder.root, &request, &found);
}

TEST(words_are_those_of_the_specification)
{
	uint64_t words[VTD_PE_WORDS], at;
	struct vtd_context value = context;

	value.directory = UINT64_C(0x7654321000);
	value.pdts = 5;
	value.quiet = value.rid_priv = true;
	CHECK_EQ(vtd_context_encode(&value, words), 0);
	CHECK_EQ(words[0], UINT64_C(0x7654321a1f));
	CHECK_EQ(words[1], 0x100055);
	CHECK_EQ(vtd_pasid_encode(&nested, words), 0);
	CHECK_EQ(words[0], UINT64_C(0x1234562c9));
	CHECK_EQ(words[1], 0x100beef);
	CHECK_EQ(words[2], UINT64_C(0xabcdef097));
	CHECK_EQ(words[3] | words[4] | words[5] | words[6] | words[7], 0);
	create();
	/* Bus 3; device 2, function 0: the lower half of its root entry. */
	at = world_load(&world, builder.root + 3 * 16);
	CHECK_EQ(at & 0xfff, 1);
	CHECK_EQ(world_load(&world, builder.root + 3 * 16 + 8), 0);
	CHECK_EQ(world_load(&world, at - 1 + 0x10 * 32) & 0xfff, 0x01d);
	CHECK_EQ(find(RID, PASID, R, VTD_UNTRANSLATED), VTD_REASON_NONE);
	CHECK_EQ(found.context_addr, at - 1 + 0x10 * 32);
	CHECK_EQ(found.directory_addr, found.context.directory + (PASID >> 6) * 8);
	CHECK_EQ(found.pasid_addr & 0xfff, (PASID & 63) * 64);
}

TEST(what_is_built_is_found)
{
	static const uint32_t rids[] = { 0, 0x7f, 0x80, 0xff, 0xff00, 0xff7f, 0xffff };

	create();
	for (size_t i = 0; i < sizeof(rids) / sizeof(rids[0]); i++) {
		struct vtd_context value = context;
		struct vtd_pasid entry = nested;
		uint32_t last;

		value.pdts = (uint8_t)i;
		last = VTD_PDTS_PASIDS(i) - 1;
		value.rid_pasid = last;
		entry.domain = (uint16_t)i;
		CHECK_EQ(find(rids[i], last, R, VTD_UNTRANSLATED),
			 rids[i] >> 8 == 3 ? VTD_REASON_CONTEXT_NOT_PRESENT : i == 0 ||
			 i == 2 || i == 4 || i == 6 ? VTD_REASON_ROOT_NOT_PRESENT
			 : VTD_REASON_CONTEXT_NOT_PRESENT);
		CHECK_EQ(vtd_builder_context(&builder, rids[i], &value), 0);
		CHECK_EQ(vtd_builder_pasid(&builder, rids[i], last, &entry), 0);
		CHECK_EQ(vtd_builder_pasid(&builder, rids[i], last + 1, &entry), -ERANGE);
		CHECK_EQ(find(rids[i], last, R | W, VTD_TRANSLATION), VTD_REASON_NONE);
		CHECK_EQ(found.pasid.domain, i);
		CHECK_EQ(found.context.rid_pasid, last);
		CHECK_EQ(found.number, last);
		CHECK_EQ(memcmp(&found.pasid.first_root, &nested.first_root, 16), 0);
		CHECK_EQ(find(rids[i], IOPF_PASID_NONE, R, VTD_UNTRANSLATED), VTD_REASON_NONE);
		CHECK_EQ(found.number, last);
		CHECK_EQ(find(rids[i], last + 1, R, VTD_UNTRANSLATED),
			 VTD_REASON_PASID_TOO_LARGE);
	}
	CHECK_EQ(find(RID, PASID, R, VTD_PAGE_REQUEST), VTD_REASON_NONE);
}

/* Which entry a row damages. */
enum where { ROOT, CONTEXT, DIRECTORY, ENTRY };

static const struct {
	enum where where;
	unsigned word;
	uint64_t clear, set;
	uint8_t kind, perm;
	uint32_t pasid;
	enum vtd_reason reason;
} damages[] = {
	{ ROOT, 0, 1, 0, 0, R, PASID, VTD_REASON_ROOT_NOT_PRESENT },
	{ ROOT, 0, 0, 0x800, 0, R, PASID, VTD_REASON_ROOT_RESERVED },
	{ ROOT, 0, 0, UINT64_C(1) << 46, 0, R, PASID, VTD_REASON_ROOT_RESERVED },
	{ ROOT, 0, 0, UINT64_C(1) << 45, 0, R, PASID, VTD_REASON_CONTEXT_ACCESS },
	{ CONTEXT, 0, 1, 0, 0, R, PASID, VTD_REASON_CONTEXT_NOT_PRESENT },
	{ CONTEXT, 0, 0, 0x20, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 0, 0, 0x100, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 1, 0, 1 << 21, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 2, 0, 1, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 3, 0, 1, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 0, 0, UINT64_C(1) << 63, 0, R, PASID, VTD_REASON_CONTEXT_RESERVED },
	{ CONTEXT, 0, 4, 0, VTD_TRANSLATION, R, PASID, VTD_REASON_DTE_CLEAR },
	{ CONTEXT, 0, 4, 0, VTD_UNTRANSLATED, R, PASID, VTD_REASON_NONE },
	{ CONTEXT, 0, 8, 0, 0, R, PASID, VTD_REASON_PASIDE_CLEAR },
	{ CONTEXT, 0, 8, 0, 0, R, IOPF_PASID_NONE, VTD_REASON_DIR_NOT_PRESENT },
	{ CONTEXT, 0, 16, 0, VTD_PAGE_REQUEST, R, PASID, VTD_REASON_PRE_CLEAR },
	{ CONTEXT, 0, 16, 0, VTD_TRANSLATION, R, PASID, VTD_REASON_NONE },
	{ CONTEXT, 1, 0, 0xfffff, 0, R, IOPF_PASID_NONE, VTD_REASON_RID_PASID },
	{ CONTEXT, 0, 0, 0, 0, R, 0x2000, VTD_REASON_PASID_TOO_LARGE },
	{ CONTEXT, 0, 0, UINT64_C(1) << 45, 0, R, PASID, VTD_REASON_DIR_ACCESS },
	{ DIRECTORY, 0, 1, 0, 0, R, PASID, VTD_REASON_DIR_NOT_PRESENT },
	{ DIRECTORY, 0, 0, 4, 0, R, PASID, VTD_REASON_DIR_RESERVED },
	{ DIRECTORY, 0, 0, UINT64_C(1) << 46, 0, R, PASID, VTD_REASON_DIR_RESERVED },
	{ DIRECTORY, 0, 0, UINT64_C(1) << 45, 0, R, PASID, VTD_REASON_PASID_ACCESS },
	{ ENTRY, 0, 1, 0, 0, R, PASID, VTD_REASON_PASID_NOT_PRESENT },
	{ ENTRY, 0, 0, 0x20, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 0, 0, 0x400, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 1, 0, 1 << 16, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 2, 0, 1 << 5, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 2, 0, 1 << 8, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 3, 0, 1, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 7, 0, 1, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 0, 0, UINT64_C(1) << 46, 0, R, PASID, VTD_REASON_PASID_RESERVED },
	{ ENTRY, 2, 0, UINT64_C(1) << 46, 0, R, PASID, VTD_REASON_NONE },
	{ ENTRY, 0, 0x1c0, 0x140, 0, R, PASID, VTD_REASON_PASID_INVALID },
	{ ENTRY, 0, 0x1c0, 0, 0, R, PASID, VTD_REASON_PASID_INVALID },
	{ ENTRY, 0, 0x1c, 0x10, 0, R, PASID, VTD_REASON_PASID_INVALID },
	{ ENTRY, 0, 0x1c, 0, 0, R, PASID, VTD_REASON_PASID_INVALID },
	{ ENTRY, 2, 0xc, 0x8, 0, R, PASID, VTD_REASON_PASID_INVALID },
	{ ENTRY, 2, 2, 0, 0, R | IOPF_EXEC, PASID, VTD_REASON_ERE_CLEAR },
	{ ENTRY, 2, 0, 0, 0, R | IOPF_EXEC, PASID, VTD_REASON_NONE },
	{ ENTRY, 2, 1, 0, 0, R | IOPF_PRIV, PASID, VTD_REASON_SRE_CLEAR },
	{ ENTRY, 2, 0, 0, 0, R | IOPF_PRIV, PASID, VTD_REASON_NONE },
};

TEST(every_damage_has_its_own_reason)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		uint64_t at[4];

		create();
		CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_NONE);
		at[ROOT] = vtd_root_addr(builder.root, RID);
		at[CONTEXT] = found.context_addr;
		at[DIRECTORY] = found.directory_addr;
		at[ENTRY] = found.pasid_addr;
		at[0] = at[damages[i].where] + 8 * damages[i].word;
		world_store(&world, at[0],
			    (world_load(&world, at[0]) & ~damages[i].clear) | damages[i].set);
		CHECK_EQ(find(RID, damages[i].pasid, damages[i].perm, damages[i].kind),
			 damages[i].reason);
	}
	create();
	builder.root += world.segment.size_bytes;
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_ROOT_ACCESS);
}

TEST(a_page_request_looks_at_the_context_only)
{
	const struct vtd_request request = { .rid = RID, .pasid = 7, .perm = R,
					     .kind = VTD_PAGE_REQUEST };

	create();
	CHECK_EQ(vtd_find_context(&world.space, &all, builder.root, &request, &found),
		 VTD_REASON_NONE);
	CHECK(found.context.pri);
	CHECK_EQ(find(RID, 7, R, VTD_PAGE_REQUEST), VTD_REASON_DIR_NOT_PRESENT);
}

TEST(what_the_iommu_cannot_do_an_entry_may_not_ask_for)
{
	static const struct {
		size_t offset; /* of the feature that is taken away */
		uint8_t pgtt;
		enum vtd_reason reason;
	} rows[] = {
		{ offsetof(struct vtd_features, first), VTD_PGTT_FIRST, 0x5b },
		{ offsetof(struct vtd_features, second), VTD_PGTT_SECOND, 0x5b },
		{ offsetof(struct vtd_features, nested), VTD_PGTT_NESTED, 0x5b },
		{ offsetof(struct vtd_features, pass), VTD_PGTT_PASS, 0x5b },
		{ offsetof(struct vtd_features, first_5l), VTD_PGTT_FIRST, 0x5b },
		{ offsetof(struct vtd_features, first_5l), VTD_PGTT_SECOND, 0 },
		{ offsetof(struct vtd_features, second_levels), VTD_PGTT_NESTED, 0x5b },
		{ offsetof(struct vtd_features, second_levels), VTD_PGTT_FIRST, 0 },
		{ offsetof(struct vtd_features, second_ad), VTD_PGTT_NESTED, 0x5a },
		{ offsetof(struct vtd_features, exec), VTD_PGTT_NESTED, 0x5a },
		{ offsetof(struct vtd_features, supervisor), VTD_PGTT_NESTED, 0x5a },
		{ offsetof(struct vtd_features, extended), VTD_PGTT_NESTED, 0x5a },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vtd_pasid entry = nested;

		create();
		entry.pgtt = rows[i].pgtt;
		CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &entry), 0);
		CHECK_EQ(find(RID, PASID, R, 0), 0);
		memset((uint8_t *)&builder.features + rows[i].offset, 0, 1);
		CHECK_EQ(find(RID, PASID, R, 0), rows[i].reason);
	}
}

TEST(features_are_read_from_the_capability_registers)
{
	struct vtd_features got = vtd_features_of(UINT64_C(0x1100000c00000e00),
						  UINT64_C(0xc4000040), 46);

	CHECK_EQ(got.second_levels, 0x38);
	CHECK(got.pages_2m && got.pages_1g && got.first_1g && got.first_5l);
	CHECK(got.nested && got.exec && got.supervisor && got.pass && !got.extended);
	CHECK(!vtd_features_of(0, 0, 46).second_ad);
	CHECK(vtd_features_of(0, UINT64_C(1) << 45, 46).second_ad);
	CHECK(vtd_features_of(0, UINT64_C(1) << 46, 46).second);
	CHECK(vtd_features_of(0, UINT64_C(1) << 47, 46).first);
	CHECK(vtd_features_of(0, UINT64_C(1) << 34, 46).extended);
	CHECK(vtd_features_of(0, UINT64_C(1) << 49, 46).rid_pasid);
	CHECK_EQ(vtd_features_of(UINT64_C(1) << 10, 0, 46).second_levels, 1 << 4);
}

TEST(taken_away_is_gone_and_the_next_function_finds_nothing_of_it)
{
	uint32_t used;

	create();
	CHECK_EQ(vtd_builder_clear_pasid(&builder, RID, PASID + 1), -ENOENT);
	CHECK_EQ(vtd_builder_clear_pasid(&builder, RID, PASID), 0);
	CHECK_EQ(vtd_builder_clear_pasid(&builder, RID, PASID), -ENOENT);
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_PASID_NOT_PRESENT);
	CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &nested), 0);
	used = world.used;
	CHECK_EQ(vtd_builder_clear_context(&builder, RID), 0);
	CHECK_EQ(vtd_builder_clear_context(&builder, RID), -ENOENT);
	CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &nested), -ENOENT);
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_CONTEXT_NOT_PRESENT);
	CHECK_EQ(vtd_builder_context(&builder, RID, &context), 0);
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_PASID_NOT_PRESENT);
	CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &nested), 0);
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_NONE);
	CHECK_EQ(world.used, used);
}

TEST(fpd_on_the_way_means_quiet_and_rid_priv_means_privileged)
{
	struct vtd_context value = context;
	struct vtd_pasid entry = nested;

	create();
	CHECK_EQ(find(RID, PASID, R, 0), 0);
	CHECK(!found.quiet);
	entry.quiet = true;
	CHECK_EQ(vtd_builder_pasid(&builder, RID, PASID, &entry), 0);
	CHECK_EQ(find(RID, PASID, R, 0), 0);
	CHECK(found.quiet);
	value.quiet = value.rid_priv = true;
	value.rid_pasid = PASID;
	CHECK_EQ(vtd_builder_context(&builder, RID, &value), 0);
	CHECK_EQ(find(RID, PASID + 1, R, 0), VTD_REASON_PASID_NOT_PRESENT);
	CHECK(found.quiet);
	CHECK_EQ(find(RID, IOPF_PASID_NONE, R, 0), VTD_REASON_NONE);
	CHECK_EQ(found.perm, R | IOPF_PRIV);
	CHECK_EQ(find(RID, PASID, R, 0), VTD_REASON_NONE);
	CHECK_EQ(found.perm, R);
}

TEST(walks_have_the_reasons_of_the_specification)
{
	static const struct {
		uint8_t stage, fault;
		bool table_page, root;
		uint8_t missing; /* in the stage that faults */
		unsigned reason;
	} rows[] = {
		{ NESTED_STAGE_FIRST, TABLE_NOT_PRESENT, false, false, 0, 0x71 },
		{ NESTED_STAGE_FIRST, TABLE_RESERVED, false, false, 0, 0x72 },
		{ NESTED_STAGE_FIRST, TABLE_OUTSIDE, false, false, 0, 0x70 },
		{ NESTED_STAGE_FIRST, TABLE_OUTSIDE, false, true, 0, 0x73 },
		{ NESTED_STAGE_FIRST, TABLE_ADDRESS, false, false, 0, 0x80 },
		{ NESTED_STAGE_FIRST, TABLE_PERMISSION, false, false, IOPF_PRIV, 0x81 },
		{ NESTED_STAGE_FIRST, TABLE_PERMISSION, false, false, IOPF_EXEC, 0x82 },
		{ NESTED_STAGE_FIRST, TABLE_PERMISSION, false, false, W, 0x85 },
		{ NESTED_STAGE_FIRST, TABLE_PERMISSION, false, false, R, 0x86 },
		{ NESTED_STAGE_FIRST, TABLE_UPDATE, false, false, 0, 0x91 },
		{ NESTED_STAGE_FIRST, TABLE_INTERRUPT, false, false, 0, 0x87 },
		{ NESTED_STAGE_SECOND, TABLE_NOT_PRESENT, false, false, 0, 0x79 },
		{ NESTED_STAGE_SECOND, TABLE_RESERVED, false, false, 0, 0x7a },
		{ NESTED_STAGE_SECOND, TABLE_OUTSIDE, false, false, 0, 0x78 },
		{ NESTED_STAGE_SECOND, TABLE_ADDRESS, false, false, 0, 0x84 },
		{ NESTED_STAGE_SECOND, TABLE_PERMISSION, false, false, W, 0x85 },
		{ NESTED_STAGE_SECOND, TABLE_INTERRUPT, false, false, 0, 0x87 },
		{ NESTED_STAGE_SECOND, TABLE_NOT_PRESENT, true, true, 0, 0x75 },
		{ NESTED_STAGE_SECOND, TABLE_NOT_PRESENT, true, false, 0, 0x76 },
		{ NESTED_STAGE_SECOND, TABLE_PERMISSION, true, false, W, 0x77 },
		{ NESTED_STAGE_SECOND, TABLE_PERMISSION, true, true, R, 0x75 },
		{ NESTED_STAGE_SECOND, TABLE_ADDRESS, true, false, 0, 0x74 },
		{ NESTED_STAGE_NONE, TABLE_OK, false, false, 0, 0 },
	};
	const struct nested_tables tables = vtd_tables(&nested, &all);

	CHECK_EQ(tables.kind, NESTED_BOTH);
	CHECK_EQ(tables.first.levels, 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nested_result result = { .stage = rows[i].stage,
						.fault = rows[i].fault,
						.table_page = rows[i].table_page };

		result.first.level = rows[i].root ? 5 : 2;
		result.first.fault = rows[i].stage == NESTED_STAGE_FIRST ? rows[i].fault : 0;
		result.first.missing = result.second.missing = rows[i].missing;
		CHECK_EQ(vtd_reason_of(&result, &tables), rows[i].reason);
		CHECK(strcmp(vtd_reason_text(rows[i].reason), "?") != 0);
	}
	CHECK_STR(vtd_reason_text(0xff), "?");
}

TEST(a_directory_keeps_its_size_and_values_have_to_fit)
{
	struct vtd_context value = context;
	struct vtd_pasid entry = nested;

	create();
	value.pdts = 1;
	CHECK_EQ(vtd_builder_context(&builder, RID, &value), -EEXIST);
	value.pdts = 8;
	CHECK_EQ(vtd_builder_context(&builder, RID, &value), -EINVAL);
	CHECK_EQ(vtd_builder_context(&builder, 0x10000, &context), -EINVAL);
	entry.first_root++;
	CHECK_EQ(vtd_builder_pasid(&builder, RID, 0, &entry), -EINVAL);
	entry = nested;
	entry.second_levels = 6;
	CHECK_EQ(vtd_builder_pasid(&builder, RID, 0, &entry), -EINVAL);
	entry.pgtt = 0;
	CHECK_EQ(vtd_builder_pasid(&builder, RID, 0, &entry), -EINVAL);
	CHECK_EQ(vtd_builder_pasid(&builder, 0x10000, 0, &nested), -EINVAL);
	world.limit = world.used;
	CHECK_EQ(vtd_builder_context(&builder, 0x80, &context), -ENOMEM);
	CHECK_EQ(vtd_builder_pasid(&builder, RID, 0, &nested), -ENOMEM);
}

int main(void)
{
	return test_main();
}
