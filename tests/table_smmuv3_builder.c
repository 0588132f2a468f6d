/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: SMMUv3 structures as software builds, blocks and empties them. */
#include "table/smmuv3_words.h"

#include "table_world.h"

#define BASE   UINT64_C(0x101000)
#define SID    0x0310u
#define PASID  0x1234u
#define K4     UINT64_C(4096)
#define BIT(n) (UINT64_C(1) << (n))

static struct world world;
static struct smmuv3_builder builder;
static struct smmuv3_ste ste;
static struct smmuv3_cd cd;
static struct table_result miss;
static uint64_t ste_addr;

static const struct smmuv3_features all = {
	.address_bits = 46, .stream_bits = 16, .substream_bits = 20, .first = true,
	.second = true, .access = true, .dirty = true, .ats = true, .split_ats = true,
	.streams_2level = true, .contexts_2level = true, .asid16 = true, .vmid16 = true,
	.flat = true,
};

static const struct smmuv3_ste both = {
	.context_addr = UINT64_C(0x1234500000), .config = SMMUV3_BOTH,
	.contexts = SMMUV3_LEAF_4K, .context_bits = 16, .without = SMMUV3_DEFAULT_ZERO,
	.ats = SMMUV3_ATS_FULL, .vmid = 0xbeef, .stall_off = true, .response_pasid = true,
	.record = true,
	.second = { .root = UINT64_C(0xabcdef000), .input_bits = 44, .levels = 4,
		    .output_bits = 44, .access = true, .dirty = true },
};

static const struct smmuv3_cd plain = {
	.first = { .half = { { .root = UINT64_C(0x7654321000), .input_bits = 48 },
			     { .root = UINT64_C(0x123456000), .input_bits = 39,
			       .top_ignored = true, .flat = true } },
		   .output_bits = 44, .access = true, .dirty = true },
	.asid = 0xa51d, .abort = true, .record = true,
};

static const struct smmuv3_ste own = { .config = SMMUV3_FIRST, .without = SMMUV3_DEFAULT_ZERO };

static void create(const struct smmuv3_features *features)
{
	world_create(&world, BASE);
	CHECK_EQ(smmuv3_builder_create(&builder, &world.memory, &world.pages, features), 0);
}

static enum smmuv3_event find_ste(uint32_t sid)
{
	return smmuv3_find_ste(&world.memory, &builder.features, builder.root,
			       builder.root_config, sid, &ste_addr, &ste);
}

/* The whole way to a descriptor. */
static enum smmuv3_event find(uint32_t sid, uint32_t pasid)
{
	enum smmuv3_event event = find_ste(sid);
	uint32_t index;

	if (event == SMMUV3_EVENT_NONE)
		event = smmuv3_find_number(&ste, pasid, &index);
	return event != SMMUV3_EVENT_NONE ? event :
					    smmuv3_find_cd(&world.space, &builder.features, &ste,
							   index, &cd, &miss);
}

TEST(what_is_built_is_found_in_tables_of_every_shape)
{
	static const struct {
		uint8_t streams, substreams;
		bool streams_2level, contexts_2level;
	} rows[] = {
		{ 16, 20, true, true }, { 16, 8, true, false }, { 10, 6, false, true },
		{ 6, 0, true, true },   { 4, 3, false, false }, { 7, 7, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smmuv3_features features = all;
		uint32_t last = (1u << rows[i].streams) - 1;
		uint32_t pasid = rows[i].substreams != 0 ? (1u << rows[i].substreams) - 1 :
							   IOPF_PASID_NONE;
		uint32_t index = pasid == IOPF_PASID_NONE ? 0 : pasid;

		features.stream_bits = rows[i].streams;
		features.substream_bits = rows[i].substreams;
		features.streams_2level = rows[i].streams_2level;
		features.contexts_2level = rows[i].contexts_2level;
		create(&features);
		CHECK(find(last, pasid) == (words_get(&builder.root_config, SMMUV3_STRTAB_FMT) ?
						    SMMUV3_EVENT_C_BAD_STREAMID :
						    SMMUV3_EVENT_C_BAD_STE));
		CHECK_EQ(find(last + 1, pasid), SMMUV3_EVENT_C_BAD_STREAMID);
		CHECK_EQ(smmuv3_builder_config(&builder, last), -ENOENT);
		CHECK_EQ(smmuv3_builder_cd(&builder, last, index, &plain), -ENOENT);
		CHECK_EQ(smmuv3_builder_ste(&builder, last + 1, &own), -EINVAL);
		CHECK_EQ(smmuv3_builder_ste(&builder, last, &own), 0);
		CHECK_EQ(smmuv3_builder_config(&builder, last), SMMUV3_FIRST);
		CHECK(smmuv3_builder_empty(&builder, last));
		CHECK_EQ(smmuv3_builder_cd(&builder, last, index, &plain), 0);
		CHECK_EQ(smmuv3_builder_cd(&builder, last, 1u << rows[i].substreams, &plain),
			 -ERANGE);
		CHECK(!smmuv3_builder_empty(&builder, last));
		CHECK_EQ(find(last, pasid), SMMUV3_EVENT_NONE);
		CHECK_EQ(cd.asid, plain.asid);
		CHECK_EQ(ste.context_bits, rows[i].substreams);
		if (pasid != IOPF_PASID_NONE && pasid > 64)
			CHECK_EQ(find(last, 3), rows[i].contexts_2level ?
							SMMUV3_EVENT_C_BAD_SUBSTREAMID :
							SMMUV3_EVENT_C_BAD_CD);
		/* The neighbour has none. */
		CHECK_EQ(find(last - 1, pasid), SMMUV3_EVENT_C_BAD_STE);
		CHECK_EQ(smmuv3_builder_clear_cd(&builder, last, index), 0);
		CHECK_EQ(smmuv3_builder_clear_cd(&builder, last, index), -ENOENT);
		CHECK_EQ(find(last, pasid), SMMUV3_EVENT_C_BAD_CD);
		CHECK(smmuv3_builder_empty(&builder, last));
	}
}

TEST(a_table_is_made_for_so_many_streams_and_no_more)
{
	struct smmuv3_features features = all;

	features.stream_bits = 32;
	create(&features);
	CHECK_EQ(world_taken(&world), 32);
	CHECK_EQ(smmuv3_builder_ste(&builder, (1u << 20) - 1, &both), 0);
	CHECK_EQ(find_ste((1u << 20) - 1), SMMUV3_EVENT_NONE);
	CHECK_EQ(smmuv3_builder_ste(&builder, 1u << 20, &both), -EINVAL);
	CHECK_EQ(find_ste(1u << 20), SMMUV3_EVENT_C_BAD_STREAMID);
	CHECK_EQ(find_ste(UINT32_MAX), SMMUV3_EVENT_C_BAD_STREAMID);
}

TEST(a_blocked_stream_aborts_and_then_is_what_was_written_last)
{
	uint64_t words[SMMUV3_STE_WORDS];

	create(&all);
	CHECK_EQ(smmuv3_builder_block(&builder, SID, false), 0);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE); /* nothing so far: an abort entry */
	CHECK_EQ(ste.config, SMMUV3_ABORT);
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &both), 0);
	CHECK_EQ(smmuv3_builder_block(&builder, SID, true), 0);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.config, SMMUV3_ABORT);
	CHECK_EQ(smmuv3_builder_config(&builder, SID), SMMUV3_BOTH);
	/* Written meanwhile: it stays shut. */
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.config, SMMUV3_ABORT);
	CHECK_EQ(smmuv3_builder_block(&builder, SID, false), 0);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.config, SMMUV3_FIRST);
	/* A cleared one stays cleared. */
	CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &plain), 0);
	CHECK_EQ(smmuv3_builder_block(&builder, SID, true), 0);
	CHECK_EQ(smmuv3_builder_clear_ste(&builder, SID), 0);
	CHECK_EQ(smmuv3_builder_block(&builder, SID, false), 0);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.config, SMMUV3_ABORT);
	CHECK(smmuv3_builder_empty(&builder, SID));
	for (unsigned i = 0; i < SMMUV3_STE_WORDS; i++)
		words[i] = world_load(&world, ste_addr + 8 * i);
	CHECK_EQ(words[0], 1);
	CHECK_EQ(words[2] | words[3], 0);
}

TEST(a_streams_own_table_serves_again_and_its_pages_come_back)
{
	uint32_t taken;

	create(&all);
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
	taken = world_taken(&world);
	for (unsigned i = 0; i < 100; i++) {
		CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID + i, &plain), 0);
		CHECK_EQ(smmuv3_builder_cd(&builder, SID, 5, &plain), 0);
		CHECK_EQ(smmuv3_builder_clear_cd(&builder, SID, PASID + i), 0);
		smmuv3_builder_tidy(&builder, SID, 5); /* in use */
		smmuv3_builder_tidy(&builder, SID, PASID + i);
		CHECK_EQ(world_taken(&world), taken + 1);
		CHECK_EQ(find(SID, PASID + i), SMMUV3_EVENT_C_BAD_SUBSTREAMID);
		CHECK_EQ(find(SID, 5), SMMUV3_EVENT_NONE);
		CHECK_EQ(smmuv3_builder_clear_ste(&builder, SID), 0);
		smmuv3_builder_tidy(&builder, SID, IOPF_PASID_ANY);
		CHECK_EQ(world_taken(&world), taken);
		/* A guest's table meanwhile; then its own again. */
		CHECK_EQ(smmuv3_builder_ste(&builder, SID, &both), 0);
		CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
		CHECK_EQ(ste.context_addr, both.context_addr);
		CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
		CHECK_EQ(find_ste(SID), SMMUV3_EVENT_NONE);
		CHECK(ste.context_addr != both.context_addr && ste.context_addr != 0);
		CHECK_EQ(world_taken(&world), taken);
	}
}

TEST(no_page_is_an_error_and_changes_nothing)
{
	for (uint32_t limit = 0; limit < 70; limit++) {
		int error;

		world_create(&world, BASE);
		world.limit = limit;
		error = smmuv3_builder_create(&builder, &world.memory, &world.pages, &all);
		CHECK(error == 0 || error == -ENOMEM);
		if (error != 0)
			continue;
		error = smmuv3_builder_ste(&builder, SID, &own);
		CHECK(error == 0 || error == -ENOMEM);
		if (error != 0)
			CHECK(find_ste(SID) != SMMUV3_EVENT_NONE);
	}
	create(&all);
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
	world.free_count = 0;
	world.limit = world.used;
	CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &plain), -ENOMEM);
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_C_BAD_SUBSTREAMID);
}

int main(void)
{
	return test_main();
}
