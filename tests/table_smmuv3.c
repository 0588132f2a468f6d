/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: from stream and substream to the entries, and every way to fail on it. */
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

TEST(words_are_those_of_the_specification)
{
	uint64_t words[SMMUV3_STE_WORDS];

	CHECK_EQ(smmuv3_ste_encode(&both, words), 0);
	/* V, Config, S1Fmt, S1ContextPtr, S1CDMax. */
	CHECK_EQ(words[0], UINT64_C(0x8000001234500000) | 1 | 7 << 1 | 1 << 4);
	/* S1DSS, S1CIR, S1COR, S1CSH, PPAR, S1STALLD, EATS, SHCFG. */
	CHECK_EQ(words[1], 2 | 1 << 2 | 1 << 4 | 3 << 6 | 1 << 18 | 1 << 27 | 1 << 28 |
				   UINT64_C(1) << 44);
	/* S2VMID, S2T0SZ, S2SL0, S2IR0, S2OR0, S2SH0, S2PS, S2AA64, S2HD, S2HA, S2R. */
	CHECK_EQ(words[2], 0xbeef | UINT64_C(20) << 32 | UINT64_C(2) << 38 | UINT64_C(1) << 40 |
			   UINT64_C(1) << 42 | UINT64_C(3) << 44 | UINT64_C(4) << 48 | BIT(51) |
			   BIT(55) | BIT(56) | BIT(58));
	CHECK_EQ(words[3], UINT64_C(0xabcdef000));
	CHECK_EQ(words[4] | words[5] | words[6] | words[7], 0);
	CHECK_EQ(smmuv3_cd_encode(&plain, words), 0);
	/* T0SZ, TG0, IR0, OR0, SH0; T1SZ, TG1, IR1, OR1, SH1; V. */
	CHECK_EQ(words[0] & UINT32_MAX, 16 | 0x3500 | 25 << 16 | 2 << 22 | 0x35u << 24 | 1u << 31);
	/* IPS, TBI1, AA64, HD, HA, R, A, ASET, ASID. */
	CHECK_EQ(words[0] >> 32, 4 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 14 |
				 1 << 15 | 0xa51du << 16);
	CHECK_EQ(words[1], UINT64_C(0x7654321000));
	CHECK_EQ(words[2], UINT64_C(0x123456000) | 2);
	CHECK_EQ(words[3], 0xff);
	CHECK_EQ(words[4] | words[5] | words[6] | words[7], 0);
}

TEST(what_is_encoded_is_decoded)
{
	uint64_t words[SMMUV3_STE_WORDS];

	CHECK_EQ(smmuv3_ste_encode(&both, words), 0);
	CHECK_EQ(smmuv3_ste_decode(words, &all, &ste), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.context_addr, both.context_addr);
	CHECK_EQ(ste.config << 16 | ste.contexts << 8 | ste.context_bits, 7 << 16 | 1 << 8 | 16);
	CHECK_EQ(ste.without << 8 | ste.ats, 0x201);
	CHECK_EQ(ste.vmid, 0xbeef);
	CHECK(ste.stall_off && ste.response_pasid && ste.record && !ste.stall);
	CHECK_EQ(ste.second.root, both.second.root);
	CHECK_EQ(ste.second.levels << 16 | ste.second.input_bits << 8 | ste.second.output_bits,
		 4 << 16 | 44 << 8 | 44);
	CHECK(ste.second.access && ste.second.dirty && !ste.second.access_off);
	CHECK_EQ(smmuv3_cd_encode(&plain, words), 0);
	CHECK_EQ(smmuv3_cd_decode(words, &all, &ste, &cd), SMMUV3_EVENT_NONE);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(cd.first.half[i].root, plain.first.half[i].root);
		CHECK_EQ(cd.first.half[i].input_bits, plain.first.half[i].input_bits);
		CHECK_EQ(cd.first.half[i].top_ignored, plain.first.half[i].top_ignored);
		CHECK_EQ(cd.first.half[i].flat, plain.first.half[i].flat);
		CHECK(!cd.first.half[i].disabled);
	}
	CHECK_EQ(cd.asid, plain.asid);
	CHECK(cd.abort && cd.record && !cd.stall && cd.first.access && cd.first.dirty);
	CHECK_EQ(cd.first.output_bits, 44);
}

/* A change of a word, or of what the SMMU can do, and what comes of it. */
struct row {
	const char *why;
	uint32_t field;
	uint64_t value;
	size_t feature; /* offset of a member; 0: none */
	uint8_t feature_value;
	bool legal;
};

#define FEATURE(name, value) offsetof(struct smmuv3_features, name) + 1, value

static void check_ste(const struct smmuv3_ste *base, const struct row *row)
{
	struct smmuv3_features features = all;
	uint64_t words[SMMUV3_STE_WORDS];
	enum smmuv3_event event;

	CHECK_EQ(smmuv3_ste_encode(base, words), 0);
	words[FIELD_WORD(row->field)] &= ~FIELD_MASK(row->field);
	words_put(words, row->field, row->value);
	if (row->feature != 0)
		((uint8_t *)&features)[row->feature - 1] = row->feature_value;
	event = smmuv3_ste_decode(words, &features, &ste);
	if (event != (row->legal ? SMMUV3_EVENT_NONE : SMMUV3_EVENT_C_BAD_STE))
		printf("row: %s\n", row->why);
	CHECK_EQ(event, row->legal ? SMMUV3_EVENT_NONE : SMMUV3_EVENT_C_BAD_STE);
}

TEST(illegal_stream_table_entries)
{
	static const struct row rows[] = {
		{ "as it is", SMMUV3_STE_V, 1, 0, 0, true },
		{ "V", SMMUV3_STE_V, 0, 0, 0, false },
		{ "Config: abort", SMMUV3_STE_CONFIG, 0, 0, 0, true },
		{ "Config: reserved", SMMUV3_STE_CONFIG, 3, 0, 0, true },
		{ "no stage 1", SMMUV3_STE_CONFIG, 7, FEATURE(first, 0), false },
		{ "no stage 1, not used", SMMUV3_STE_CONFIG, 6, FEATURE(first, 0), true },
		{ "no stage 2", SMMUV3_STE_CONFIG, 7, FEATURE(second, 0), false },
		{ "no stage 2, not used", SMMUV3_STE_CONFIG, 5, FEATURE(second, 0), true },
		{ "S1CDMax", SMMUV3_STE_S1CDMAX, 20, 0, 0, true },
		{ "S1CDMax too large", SMMUV3_STE_S1CDMAX, 21, 0, 0, false },
		{ "S1CDMax, substreams unknown", SMMUV3_STE_S1CDMAX, 21,
		  FEATURE(substream_bits, 0), true },
		{ "S1CDMax, stage 1 off", SMMUV3_STE_CONFIG, 6, FEATURE(substream_bits, 4), true },
		{ "two levels not known", SMMUV3_STE_S1FMT, 1, FEATURE(contexts_2level, 0), false },
		{ "two levels not known", SMMUV3_STE_S1FMT, 2, FEATURE(contexts_2level, 0), false },
		{ "linear", SMMUV3_STE_S1FMT, 0, FEATURE(contexts_2level, 0), true },
		{ "reserved is linear", SMMUV3_STE_S1FMT, 3, FEATURE(contexts_2level, 0), true },
		{ "one descriptor has no format", SMMUV3_STE_S1CDMAX, 0,
		  FEATURE(contexts_2level, 0), true },
		{ "S1ContextPtr", SMMUV3_STE_S1CONTEXTPTR, BIT(46) >> 6, 0, 0, false },
		{ "S1STALLD, STALL_MODEL 1", SMMUV3_STE_S1STALLD, 1, FEATURE(stall_model, 1),
		  false },
		{ "S1STALLD, STALL_MODEL 2", SMMUV3_STE_S1STALLD, 1, FEATURE(stall_model, 2),
		  false },
		{ "S1STALLD clear", SMMUV3_STE_S1STALLD, 0, FEATURE(stall_model, 1), true },
		{ "S2S clear, STALL_MODEL 2", SMMUV3_STE_S1STALLD, 0, FEATURE(stall_model, 2),
		  false },
		{ "S2S and full ATS", SMMUV3_STE_S2S, 1, 0, 0, false },
		{ "S2S, ATS unknown", SMMUV3_STE_S2S, 1, FEATURE(ats, 0), true },
		{ "split ATS", SMMUV3_STE_EATS, 2, 0, 0, true },
		{ "split ATS unknown", SMMUV3_STE_EATS, 2, FEATURE(split_ats, 0), false },
		{ "DPT unknown", SMMUV3_STE_EATS, 3, 0, 0, true },
		{ "S2AA64", SMMUV3_STE_S2AA64, 0, 0, 0, false },
		{ "S2ENDI", SMMUV3_STE_S2ENDI, 1, 0, 0, false },
		{ "S2TG 64K", SMMUV3_STE_S2TG, 1, 0, 0, false },
		{ "S2HA unknown", SMMUV3_STE_S2HD, 0, FEATURE(access, 0), false },
		{ "S2HD unknown", SMMUV3_STE_S2HA, 1, FEATURE(dirty, 0), false },
		{ "HTTU off", SMMUV3_STE_S2HD, 0, FEATURE(dirty, 0), true },
		{ "S2TTB beyond S2PS", SMMUV3_STE_S2TTB, BIT(44) >> 4, 0, 0, false },
		{ "S2TTB", SMMUV3_STE_S2TTB, BIT(43) >> 4, 0, 0, true },
		{ "S2T0SZ 17: beyond OAS", SMMUV3_STE_S2T0SZ, 17, 0, 0, false },
		{ "S2T0SZ 18", SMMUV3_STE_S2T0SZ, 18, 0, 0, true },
		{ "S2T0SZ 40", SMMUV3_STE_S2T0SZ, 40, 0, 0, false },
		{ "S2T0SZ 25, SL0 2", SMMUV3_STE_S2T0SZ, 25, 0, 0, false },
		{ "SL0 1, 44 bits", SMMUV3_STE_S2SL0, 1, 0, 0, false },
		{ "SL0 3", SMMUV3_STE_S2SL0, 3, 0, 0, false },
		{ "S2VMID", SMMUV3_STE_S2VMID, 0x100, FEATURE(vmid16, 0), false },
		{ "S2VMID of 8 bits", SMMUV3_STE_S2VMID, 0xff, FEATURE(vmid16, 0), true },
		{ "reserved bits", SMMUV3_STE_RSVD3, 1, 0, 0, true },
		{ "software's bits", SMMUV3_STE_SW, 15, 0, 0, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_ste(&both, &rows[i]);
}

TEST(what_ats_and_stalls_ask_of_one_stage)
{
	static const struct {
		uint8_t config, ats, model;
		bool stall, legal;
	} rows[] = {
		{ SMMUV3_FIRST, SMMUV3_ATS_FULL, 0, false, true },
		{ SMMUV3_FIRST, SMMUV3_ATS_SPLIT, 0, false, false },
		{ SMMUV3_SECOND, SMMUV3_ATS_FULL, 0, false, true },
		{ SMMUV3_SECOND, SMMUV3_ATS_FULL, 0, true, false },
		{ SMMUV3_SECOND, SMMUV3_ATS_SPLIT, 0, false, false },
		{ SMMUV3_SECOND, SMMUV3_ATS_OFF, 0, true, true },
		{ SMMUV3_SECOND, SMMUV3_ATS_OFF, 1, true, false },
		{ SMMUV3_SECOND, SMMUV3_ATS_OFF, 2, true, true },
		{ SMMUV3_SECOND, SMMUV3_ATS_OFF, 2, false, false },
		{ SMMUV3_BYPASS, SMMUV3_ATS_SPLIT, 2, false, true },
		{ SMMUV3_BYPASS, SMMUV3_ATS_FULL, 0, false, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smmuv3_features features = all;
		struct smmuv3_ste value = both;
		uint64_t words[SMMUV3_STE_WORDS];

		value.config = rows[i].config;
		value.ats = rows[i].ats;
		value.stall = rows[i].stall;
		value.stall_off = false;
		features.stall_model = rows[i].model;
		CHECK_EQ(smmuv3_ste_encode(&value, words), 0);
		CHECK_EQ(smmuv3_ste_decode(words, &features, &ste),
			 rows[i].legal ? SMMUV3_EVENT_NONE : SMMUV3_EVENT_C_BAD_STE);
		/* Where nothing translates, ATS is off whatever the entry says. */
		if (rows[i].config == SMMUV3_BYPASS)
			CHECK_EQ(ste.ats, SMMUV3_ATS_OFF);
	}
}

TEST(illegal_context_descriptors)
{
	static const struct {
		struct row row;
		bool stall_off;
	} rows[] = {
		{ { "as it is", SMMUV3_CD_V, 1, 0, 0, true }, false },
		{ { "V", SMMUV3_CD_V, 0, 0, 0, false }, false },
		{ { "AA64", SMMUV3_CD_AA64, 0, 0, 0, false }, false },
		{ { "ENDI", SMMUV3_CD_ENDI, 1, 0, 0, false }, false },
		{ { "S", SMMUV3_CD_S, 1, 0, 0, true }, false },
		{ { "S, S1STALLD", SMMUV3_CD_S, 1, 0, 0, false }, true },
		{ { "S, STALL_MODEL 1", SMMUV3_CD_S, 1, FEATURE(stall_model, 1), false },
		  false },
		{ { "no S, STALL_MODEL 1", SMMUV3_CD_S, 0, FEATURE(stall_model, 1),
		    true },
		  false },
		{ { "no S, STALL_MODEL 2", SMMUV3_CD_S, 0, FEATURE(stall_model, 2),
		    false },
		  false },
		{ { "S, STALL_MODEL 2", SMMUV3_CD_S, 1, FEATURE(stall_model, 2), true },
		  false },
		{ { "A, TERM_MODEL", SMMUV3_CD_A, 1, FEATURE(abort_only, 1), true },
		  false },
		{ { "no A, TERM_MODEL", SMMUV3_CD_A, 0, FEATURE(abort_only, 1), false },
		  false },
		{ { "no A", SMMUV3_CD_A, 0, 0, 0, true }, false },
		{ { "HA unknown", SMMUV3_CD_HD, 0, FEATURE(access, 0), false }, false },
		{ { "HD unknown", SMMUV3_CD_HA, 0, FEATURE(dirty, 0), false }, false },
		{ { "HA alone", SMMUV3_CD_HD, 0, FEATURE(dirty, 0), true }, false },
		{ { "ASID", SMMUV3_CD_ASID, 0x100, FEATURE(asid16, 0), false }, false },
		{ { "ASID of 8 bits", SMMUV3_CD_ASID, 0xff, FEATURE(asid16, 0), true }, false },
		{ { "T0SZ 15", SMMUV3_CD_T0SZ, 15, 0, 0, false }, false },
		{ { "T0SZ 39", SMMUV3_CD_T0SZ, 39, 0, 0, true }, false },
		{ { "T0SZ 40", SMMUV3_CD_T0SZ, 40, 0, 0, false }, false },
		{ { "T1SZ 15", SMMUV3_CD_T1SZ, 15, 0, 0, false }, false },
		{ { "T1SZ 40", SMMUV3_CD_T1SZ, 40, 0, 0, false }, false },
		{ { "TG0 64K", SMMUV3_CD_TG0, 1, 0, 0, false }, false },
		{ { "TG1 reserved", SMMUV3_CD_TG1, 0, 0, 0, false }, false },
		{ { "TTB0 beyond IPS", SMMUV3_CD_TTB0, BIT(44) >> 4, 0, 0, false }, false },
		{ { "TTB1 beyond IPS", SMMUV3_CD_TTB1, BIT(44) >> 4, 0, 0, false }, false },
		{ { "IPS beyond OAS", SMMUV3_CD_IPS, 7, 0, 0, true }, false },
		{ { "IPS 32 bits", SMMUV3_CD_IPS, 0, 0, 0, false }, false },
		{ { "reserved bits", SMMUV3_CD_RSVD4, 1, 0, 0, true }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i].row;
		struct smmuv3_features features = all;
		uint64_t words[SMMUV3_CD_WORDS];
		enum smmuv3_event event;

		ste = both;
		ste.stall_off = rows[i].stall_off;
		CHECK_EQ(smmuv3_cd_encode(&plain, words), 0);
		words[FIELD_WORD(row->field)] &= ~FIELD_MASK(row->field);
		words_put(words, row->field, row->value);
		if (row->feature != 0)
			((uint8_t *)&features)[row->feature - 1] = row->feature_value;
		event = smmuv3_cd_decode(words, &features, &ste, &cd);
		if (event != (row->legal ? SMMUV3_EVENT_NONE : SMMUV3_EVENT_C_BAD_CD))
			printf("row: %s\n", row->why);
		CHECK_EQ(event, row->legal ? SMMUV3_EVENT_NONE : SMMUV3_EVENT_C_BAD_CD);
	}
}

TEST(what_a_disabled_half_says_is_ignored)
{
	static const uint32_t fields[2][4] = {
		{ SMMUV3_CD_EPD0, SMMUV3_CD_T0SZ, SMMUV3_CD_TG0, SMMUV3_CD_TTB0 },
		{ SMMUV3_CD_EPD1, SMMUV3_CD_T1SZ, SMMUV3_CD_TG1, SMMUV3_CD_TTB1 },
	};
	uint64_t words[SMMUV3_CD_WORDS];

	ste = both;
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(smmuv3_cd_encode(&plain, words), 0);
		for (unsigned j = 1; j < 4; j++)
			words[FIELD_WORD(fields[i][j])] |= FIELD_MASK(fields[i][j]);
		CHECK_EQ(smmuv3_cd_decode(words, &all, &ste, &cd), SMMUV3_EVENT_C_BAD_CD);
		words_put(words, fields[i][0], 1);
		CHECK_EQ(smmuv3_cd_decode(words, &all, &ste, &cd), SMMUV3_EVENT_NONE);
		CHECK(cd.first.half[i].disabled && !cd.first.half[!i].disabled);
	}
	/* With both, the byte order of tables does not matter either. */
	words_put(words, SMMUV3_CD_EPD0, 1);
	words_put(words, SMMUV3_CD_ENDI, 1);
	CHECK_EQ(smmuv3_cd_decode(words, &all, &ste, &cd), SMMUV3_EVENT_NONE);
}

TEST(bases_are_taken_as_multiples_of_their_size)
{
	static const struct {
		uint8_t contexts, bits;
		uint64_t ignored;
	} rows[] = {
		{ SMMUV3_LINEAR, 0, 0 }, { SMMUV3_LINEAR, 6, 0xfc0 }, { SMMUV3_LINEAR, 10, 0xffc0 },
		{ SMMUV3_LEAF_4K, 6, 0 }, { SMMUV3_LEAF_4K, 9, 0 }, { SMMUV3_LEAF_4K, 20, 0x1ffc0 },
		{ SMMUV3_LEAF_64K, 13, 0 }, { SMMUV3_LEAF_64K, 20, 0x1fc0 },
	};
	uint64_t words[SMMUV3_STE_WORDS];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smmuv3_ste value = both;

		value.contexts = rows[i].contexts;
		value.context_bits = rows[i].bits;
		value.context_addr = UINT64_C(0x12345fffc0);
		CHECK_EQ(smmuv3_ste_encode(&value, words), 0);
		CHECK_EQ(smmuv3_ste_decode(words, &all, &ste), SMMUV3_EVENT_NONE);
		CHECK_EQ(ste.context_addr, UINT64_C(0x12345fffc0) & ~rows[i].ignored);
	}
	CHECK_EQ(smmuv3_ste_encode(&both, words), 0);
	words[3] = UINT64_C(0xabcdef3f0); /* a root of 2^5 entries */
	words_put(words, SMMUV3_STE_S2T0SZ, 0);
	words[2] = (words[2] & ~(FIELD_MASK(SMMUV3_STE_S2T0SZ))) | UINT64_C(20) << 32;
	CHECK_EQ(smmuv3_ste_decode(words, &all, &ste), SMMUV3_EVENT_NONE);
	CHECK_EQ(ste.second.root, UINT64_C(0xabcdef300));
}

TEST(which_descriptor_a_transaction_takes)
{
	static const struct {
		uint8_t config, bits, without;
		uint32_t pasid, index;
		enum smmuv3_event event;
	} rows[] = {
		{ SMMUV3_FIRST, 0, 0, IOPF_PASID_NONE, 0, 0 },
		{ SMMUV3_FIRST, 0, 2, 1, 0, SMMUV3_EVENT_C_BAD_SUBSTREAMID },
		{ SMMUV3_FIRST, 0, 0, 0, 0, SMMUV3_EVENT_C_BAD_SUBSTREAMID },
		{ SMMUV3_FIRST, 4, 0, 15, 15, 0 },
		{ SMMUV3_FIRST, 4, 0, 16, 0, SMMUV3_EVENT_C_BAD_SUBSTREAMID },
		{ SMMUV3_FIRST, 4, 0, 0, 0, 0 },
		{ SMMUV3_FIRST, 4, 0, IOPF_PASID_NONE, 0, SMMUV3_EVENT_F_STREAM_DISABLED },
		{ SMMUV3_BOTH, 4, 3, IOPF_PASID_NONE, 0, SMMUV3_EVENT_F_STREAM_DISABLED },
		{ SMMUV3_BOTH, 4, 1, IOPF_PASID_NONE, UINT32_MAX, 0 },
		{ SMMUV3_BOTH, 4, 1, 0, 0, 0 },
		{ SMMUV3_BOTH, 4, 2, IOPF_PASID_NONE, 0, 0 },
		{ SMMUV3_BOTH, 4, 2, 0, 0, SMMUV3_EVENT_F_STREAM_DISABLED },
		{ SMMUV3_BOTH, 4, 2, 1, 1, 0 },
		{ SMMUV3_SECOND, 4, 2, IOPF_PASID_NONE, UINT32_MAX, 0 },
		{ SMMUV3_SECOND, 4, 2, 1, 0, SMMUV3_EVENT_C_BAD_SUBSTREAMID },
		{ SMMUV3_BYPASS, 4, 2, IOPF_PASID_NONE, UINT32_MAX, 0 },
		{ SMMUV3_BYPASS, 4, 2, 0, 0, SMMUV3_EVENT_C_BAD_SUBSTREAMID },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct smmuv3_ste value = { .config = rows[i].config,
						  .context_bits = rows[i].bits,
						  .without = rows[i].without };
		uint32_t index = 77;

		CHECK_EQ(smmuv3_find_number(&value, rows[i].pasid, &index), rows[i].event);
		if (rows[i].event == SMMUV3_EVENT_NONE)
			CHECK_EQ(index, rows[i].index);
	}
}

TEST(streams_end_where_the_tables_end)
{
	static const struct {
		uint64_t clear, set; /* in the first level's entry */
		enum smmuv3_event event;
	} rows[] = {
		{ 0, 0, SMMUV3_EVENT_NONE },
		{ 31, 0, SMMUV3_EVENT_C_BAD_STREAMID },
		{ 31, 12, SMMUV3_EVENT_C_BAD_STREAMID },
		{ 31, 8, SMMUV3_EVENT_C_BAD_STREAMID }, /* more than SPLIT has */
		{ 31, 5, SMMUV3_EVENT_C_BAD_STREAMID }, /* 16 entries; it is the 17th */
		{ 31, 6, SMMUV3_EVENT_NONE },
		{ 0, BIT(5) | BIT(60), SMMUV3_EVENT_NONE },
		{ 0, 0x7c0, SMMUV3_EVENT_NONE }, /* below the array's size */
		{ 0, BIT(45), SMMUV3_EVENT_F_STE_FETCH },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at;

		create(&all);
		CHECK_EQ(smmuv3_builder_ste(&builder, SID, &both), 0);
		at = builder.root + (SID >> 6) * 8;
		world_store(&world, at,
			    (world_load(&world, at) & ~rows[i].clear) | rows[i].set);
		CHECK_EQ(find_ste(SID), rows[i].event);
	}
	create(&all);
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &both), 0);
	builder.root_config -= 7; /* 2^9 streams */
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_C_BAD_STREAMID);
	builder.root_config += 7;
	builder.features.stream_bits = 9;
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_C_BAD_STREAMID);
	builder.features.stream_bits = 16;
	builder.root = BIT(40);
	CHECK_EQ(find_ste(SID), SMMUV3_EVENT_F_STE_FETCH);
	CHECK_EQ(ste_addr, BIT(40) + (SID >> 6) * 8);
}

TEST(descriptors_that_cannot_be_read_are_no_illegal_ones)
{
	uint64_t at;

	create(&all);
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
	CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &plain), 0);
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_NONE);
	at = ste.context_addr + (PASID >> 6) * 8;
	world_store(&world, at, world_load(&world, at) | BIT(46));
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_C_BAD_SUBSTREAMID);
	world_store(&world, at, (world_load(&world, at) & ~BIT(46)) | BIT(45));
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_F_CD_FETCH);
	CHECK_EQ(miss.entry_addr & (BIT(45) | 0xfff), BIT(45) | (PASID & 63) * 64);
	world_store(&world, at, world_load(&world, at) & ~UINT64_C(1));
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_C_BAD_SUBSTREAMID);
	ste = both;
	CHECK_EQ(smmuv3_find_cd(&world.space, &all, &ste, PASID, &cd, &miss),
		 SMMUV3_EVENT_F_CD_FETCH);
	CHECK_EQ(miss.entry_addr, both.context_addr + (PASID >> 6) * 8);
}

TEST(leaves_of_64_kib_are_cut_at_1024_descriptors)
{
	uint64_t words[SMMUV3_CD_WORDS], l1, leaf;
	struct smmuv3_ste value = both;

	create(&all);
	value.config = SMMUV3_FIRST;
	value.contexts = SMMUV3_LEAF_64K;
	value.context_bits = 14;
	CHECK_EQ(table_take_aligned(&world.memory, &world.pages, 1, &l1), 0);
	CHECK_EQ(table_take_aligned(&world.memory, &world.pages, 16, &leaf), 0);
	CHECK_EQ(leaf % 0x10000, 0);
	value.context_addr = l1;
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &value), 0);
	world_store(&world, l1 + 4 * 8, leaf | 0xf000 | 1); /* bits below are ignored */
	CHECK_EQ(smmuv3_cd_encode(&plain, words), 0);
	for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++)
		world_store(&world, leaf + (PASID & 1023) * 64 + 8 * i, words[i]);
	CHECK_EQ(find(SID, PASID), SMMUV3_EVENT_NONE);
	CHECK_EQ(cd.asid, plain.asid);
	CHECK_EQ(find(SID, PASID + 1), SMMUV3_EVENT_C_BAD_CD);
}

TEST(values_that_fit_no_field_are_refused)
{
	uint64_t words[SMMUV3_STE_WORDS];
	struct smmuv3_ste value = both;
	struct smmuv3_cd context = plain;

	value.second.output_bits = 47;
	CHECK_EQ(smmuv3_ste_encode(&value, words), -EINVAL);
	value = both;
	value.context_addr |= 1;
	CHECK_EQ(smmuv3_ste_encode(&value, words), -EINVAL);
	value = both;
	value.second.levels = 5;
	CHECK_EQ(smmuv3_ste_encode(&value, words), -EINVAL);
	value = both;
	value.context_bits = 32;
	CHECK_EQ(smmuv3_ste_encode(&value, words), -EINVAL);
	context.first.half[1].input_bits = 49;
	CHECK_EQ(smmuv3_cd_encode(&context, words), -EINVAL);
	context = plain;
	context.first.half[0].root |= 1;
	CHECK_EQ(smmuv3_cd_encode(&context, words), -EINVAL);
	context = plain;
	context.first.output_bits = 33;
	CHECK_EQ(smmuv3_cd_encode(&context, words), -EINVAL);
}

TEST(features_are_those_of_the_registers)
{
	const uint32_t idr[6] = { 0x3 | 2 << 2 | 2 << 6 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 18 |
					  1 << 19 | 2 << 24 | 1 << 26 | 1 << 27,
				  16 | 20 << 6, 0, 1 << 2, 0, 5 };
	struct smmuv3_features features = smmuv3_features_of(idr);

	CHECK(features.first && features.second && features.access && features.dirty);
	CHECK(features.ats && features.split_ats && features.asid16 && features.vmid16);
	CHECK(features.contexts_2level && features.streams_2level && features.abort_only);
	CHECK(features.flat);
	CHECK_EQ(features.stall_model, SMMUV3_STALL_ALWAYS);
	CHECK_EQ(features.address_bits, 48);
	CHECK_EQ(features.stream_bits, 16);
	CHECK_EQ(features.substream_bits, 20);
	features = smmuv3_features_of((const uint32_t[6]){ 1 << 6 | 1 << 11 });
	CHECK(features.access && !features.dirty && !features.split_ats && !features.first);
	CHECK_EQ(features.address_bits, 32);
	CHECK_EQ(strcmp(smmuv3_event_text(0x10), "not mapped"), 0);
	CHECK_EQ(strcmp(smmuv3_event_text(0x0c), "?"), 0);
}

int main(void)
{
	return test_main();
}
