/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: descriptor, stage 1 and stage 2 together: who misses what, and where. */
#include "table/smmuv3_nested.h"

#include "table_world.h"

#define K4    UINT64_C(4096)
#define M2    (K4 << 9)
#define ADDR  UINT64_C(0x7f0012345000)
#define DATA  UINT64_C(0x40000)     /* intermediate address of the page that is accessed */
#define GPA   UINT64_C(0x100000)    /* where the guest's tables begin */
#define HOST  UINT64_C(0x800000000) /* where memory has intermediate address 0 */
#define SID   7u
#define PASID 0x123u
#define R     IOPF_READ
#define W     IOPF_WRITE
#define X     IOPF_EXEC

static struct world guest, host;
static struct smmuv3_builder builder; /* the guest's */
static struct vmsa_table first;
static struct vmsas2_table second;
static struct smmuv3_cd cd;
static struct smmuv3_ste guest_ste, ste; /* as the guest wrote it, and the host's over it */
static struct smmuv3_result result;

/* What an access lacks in stage 2: two pages of descriptors, four tables, the data. */
enum { MISSES = 7 };
static struct {
	struct smmuv3_result first; /* an event: the guest's to mend */
	struct {
		uint64_t ipa;
		uint8_t perm, what;
	} miss[MISSES];
	uint32_t count;
} missing;

static uint64_t data_page[512];

/* All memory by its own addresses: stage 2's tables, the guest's structures and data. */
static struct iopf_segment segments[3];
static const struct iopf_memory memory = { .segments = segments, .count = 3 };

static const struct smmuv3_features features = {
	.address_bits = 44, .stream_bits = 6, .substream_bits = 16, .first = true,
	.second = true, .access = true, .dirty = true, .ats = true, .contexts_2level = true,
	.asid16 = true, .vmid16 = true,
};

static void create_guest(uint64_t data_size)
{
	const struct vmsa_format vmsa = { .half = { { .input_bits = 48 }, { .disabled = true } },
					  .output_bits = 44, .access = true, .dirty = true };
	const struct smmuv3_ste own = { .config = SMMUV3_FIRST, .without = SMMUV3_DEFAULT_ZERO };
	uint64_t at;

	world_create(&guest, GPA);
	CHECK_EQ(smmuv3_builder_create(&builder, &guest.memory, &guest.pages, &features), 0);
	CHECK_EQ(vmsa_create(&first, &guest.memory, &guest.pages, &vmsa), 0);
	CHECK_EQ(vmsa_map(&first, ADDR & ~(data_size - 1), DATA & ~(data_size - 1), data_size,
			  R | W | X, VMSA_DBM), 0);
	cd = (struct smmuv3_cd){ .first = first.format, .asid = 5, .abort = true,
				 .record = true };
	CHECK_EQ(smmuv3_builder_ste(&builder, SID, &own), 0);
	CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &cd), 0);
	CHECK_EQ(smmuv3_find_ste(&guest.memory, &features, builder.root, builder.root_config,
				 SID, &at, &guest_ste), SMMUV3_EVENT_NONE);
}

static void create(uint64_t data_size)
{
	const struct vmsas2_format vmsas2 = { .levels = 4, .input_bits = 44, .output_bits = 44,
					      .access = true };

	create_guest(data_size);
	world_create(&host, 0);
	CHECK_EQ(vmsas2_create(&second, &host.memory, &host.pages, &vmsas2), 0);
	segments[0] = host.segment;
	segments[1] = (struct iopf_segment){ HOST + DATA, K4, data_page };
	segments[2] = guest.segment;
	segments[2].base = HOST + GPA;
	ste = guest_ste;
	ste.config = SMMUV3_BOTH;
	ste.second = second.format;
	ste.record = true;
}

static bool walk(uint8_t perm, bool update)
{
	const struct smmuv3_walk how = { &features, &memory, &ste, update };

	return smmuv3_translate(&how, PASID, ADDR + 5, perm, &result);
}

/* A page that is needed twice (a table that leads to itself) is one page with the rights
 * of both. */
static void seek(void *context, uint64_t ipa, uint8_t perm, enum smmuv3_class what)
{
	const struct table_space space = { .memory = &memory };
	struct table_result ignored;
	uint32_t i = 0;

	CHECK_EQ(ipa % K4, 0);
	CHECK(context == &missing);
	if (vmsas2_walk(&space, &ste.second, ipa, perm, false, &ignored))
		return;
	while (i < missing.count && missing.miss[i].ipa != ipa)
		i++;
	if (i == missing.count) {
		CHECK(missing.count < MISSES);
		missing.miss[missing.count].ipa = ipa;
		missing.miss[missing.count].perm = 0;
		missing.miss[missing.count++].what = (uint8_t)what;
	}
	missing.miss[i].perm |= perm;
}

static void look_for(uint32_t pasid, uint8_t perm, bool update)
{
	const struct smmuv3_walk how = { &features, &guest.memory, &ste, update };
	uint32_t index;

	missing.count = 0;
	missing.first = (struct smmuv3_result){ 0 };
	missing.first.event = (uint8_t)smmuv3_find_number(&ste, pasid, &index);
	if (missing.first.event == SMMUV3_EVENT_NONE)
		smmuv3_needs(&how, index, NULL, ADDR + 5, perm, seek, &missing,
			     &missing.first);
}

static void look(uint8_t perm, bool update)
{
	look_for(PASID, perm, update);
}

static void back(uint64_t ipa, uint8_t perm)
{
	ipa &= ~(K4 - 1);
	CHECK_EQ(vmsas2_map(&second, ipa, HOST + ipa, K4, perm | X, VMSA_ACCESSED), 0);
}

/* What the walk reads, in turn: two levels of descriptors, four of tables. */
enum { READS = 6 };

static void chain(uint64_t at[static READS])
{
	uint64_t table = first.format.half[0].root;

	at[0] = guest_ste.context_addr + (PASID >> 6) * 8;
	at[1] = (world_load(&guest, at[0]) & ~(K4 - 1)) + (PASID & 63) * 64;
	for (unsigned level = 4; level >= 1; level--) {
		at[6 - level] = table + 8 * (ADDR >> (12 + 9 * (level - 1)) & 511);
		table = world_load(&guest, at[6 - level]) & UINT64_C(0x0000fffffffff000);
	}
}

static void back_all(uint8_t perm)
{
	uint64_t at[READS];

	chain(at);
	for (unsigned i = 0; i < READS; i++)
		back(at[i], perm);
	back(DATA, R | W);
}

TEST(each_page_that_stage_2_misses_is_named_in_turn)
{
	uint64_t at[READS];

	create(K4);
	chain(at);
	look(W, true);
	CHECK_EQ(missing.first.event, SMMUV3_EVENT_NONE);
	CHECK_EQ(missing.count, READS + 1);
	for (unsigned i = 0; i < READS; i++) {
		uint8_t what = i < 2 ? SMMUV3_CLASS_CD : SMMUV3_CLASS_TT;

		CHECK(!walk(W, true));
		CHECK_EQ(result.event, SMMUV3_EVENT_F_TRANSLATION);
		CHECK_EQ(result.stage, 2);
		CHECK_EQ(result.what, what);
		CHECK_EQ(result.ipa, at[i]);
		CHECK_EQ(result.ipa_perm, R);
		CHECK_EQ(missing.miss[i].ipa, at[i] & ~(K4 - 1));
		/* Hardware writes the leaf alone: tables have no mark. */
		CHECK_EQ(missing.miss[i].perm, i == READS - 1 ? R | W : R);
		CHECK_EQ(missing.miss[i].what, what);
		back(at[i], R);
	}
	/* The access flag is to be set in a page that may only be read. */
	CHECK(!walk(W, true));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_PERMISSION);
	CHECK_EQ(result.what, SMMUV3_CLASS_TT);
	CHECK_EQ(result.ipa, at[READS - 1]);
	CHECK_EQ(result.ipa_perm, R | W);
	CHECK_EQ(vmsas2_protect(&second, at[READS - 1] & ~(K4 - 1), K4, R | W), 1);
	CHECK(!walk(W, true));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_TRANSLATION);
	CHECK_EQ(result.what, SMMUV3_CLASS_IN);
	CHECK_EQ(result.ipa, DATA + 5);
	CHECK_EQ(result.ipa_perm, W);
	CHECK_EQ(missing.miss[READS].ipa, DATA);
	CHECK_EQ(missing.miss[READS].perm, W);
	CHECK_EQ(missing.miss[READS].what, SMMUV3_CLASS_IN);
	back(DATA, R | W);
	CHECK(walk(W, true));
	CHECK_EQ(result.addr, HOST + DATA + 5);
	CHECK_EQ(result.size_bytes, K4);
	CHECK_EQ(result.perm, R | W | X);
	CHECK_EQ(result.index, PASID);
	look(W, true);
	CHECK_EQ(missing.count, 0);
}

TEST(mapping_what_is_missing_is_enough)
{
	static const uint8_t wanted[] = { R, W, R | W, R | X };

	for (unsigned i = 0; i < 8; i++) {
		bool update = i & 1;

		create(i < 4 ? K4 : M2);
		look(wanted[i / 2], update);
		for (unsigned j = 0; j < missing.count; j++)
			back(missing.miss[j].ipa, missing.miss[j].perm);
		CHECK(walk(wanted[i / 2], update));
	}
}

TEST(marked_tables_may_lie_in_pages_that_are_read_only)
{
	create(K4);
	back_all(R);
	CHECK(walk(R, false));
	CHECK(!walk(R, true));
	look(R, true);
	CHECK_EQ(missing.count, 1);
	CHECK_EQ(missing.miss[0].perm, R | W);
	/* Software sets the flag; a read is content, a write makes dirty. */
	CHECK(vmsa_walk(&guest.space, &first.format, ADDR, R, true, &result.first));
	CHECK(walk(R, true));
	look(R, true);
	CHECK_EQ(missing.count, 0);
	CHECK(!walk(W, true));
	CHECK_EQ(result.what, SMMUV3_CLASS_TT);
	CHECK(vmsa_walk(&guest.space, &first.format, ADDR, W, true, &result.first));
	CHECK(walk(W, true));
}

TEST(the_guests_own_fault_is_told_with_what_leads_to_it)
{
	uint64_t at[READS];

	for (unsigned i = 1; i < READS; i++) {
		uint64_t entry;

		create(K4);
		back_all(R | W);
		chain(at);
		entry = world_load(&guest, at[i]);
		world_store(&guest, at[i], i == 1 ? 0 : entry & ~UINT64_C(1));
		CHECK(!walk(R, true));
		CHECK_EQ(result.event, i == 1 ? SMMUV3_EVENT_C_BAD_CD :
						SMMUV3_EVENT_F_TRANSLATION);
		CHECK_EQ(result.stage, i == 1 ? 0 : 1);
		CHECK_EQ(result.what, i == 1 ? SMMUV3_CLASS_CD : SMMUV3_CLASS_IN);
		CHECK_EQ(result.ipa, 0);
		create(K4);
		chain(at);
		world_store(&guest, at[i], i == 1 ? 0 : entry & ~UINT64_C(1));
		look(R, true);
		CHECK(missing.first.event != SMMUV3_EVENT_NONE);
		CHECK_EQ(missing.first.stage, i == 1 ? 0 : 1);
		CHECK_EQ(missing.count, i + 1); /* as far as it could be followed */
		CHECK_EQ(missing.miss[i].ipa, at[i] & ~(K4 - 1));
	}
}

TEST(what_is_done_about_a_fault_is_what_its_stage_says)
{
	static const struct {
		bool a, r, s, s2r, s2s, second; /* configuration; whose fault */
		bool stall, record, abort;
	} rows[] = {
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0 }, { 1, 0, 0, 0, 0, 0, 0, 0, 1 },
		{ 0, 1, 0, 0, 0, 0, 0, 1, 0 }, { 1, 1, 0, 0, 0, 0, 0, 1, 1 },
		{ 0, 0, 1, 0, 0, 0, 1, 1, 0 }, /* a stall is recorded whatever R says */
		{ 0, 0, 0, 1, 1, 0, 0, 0, 0 }, /* stage 2's words are not stage 1's */
		{ 1, 1, 1, 0, 0, 1, 0, 0, 1 }, { 0, 0, 0, 1, 0, 1, 0, 1, 1 },
		{ 0, 0, 0, 0, 1, 1, 1, 1, 1 }, { 0, 0, 0, 1, 1, 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		create(K4);
		cd.abort = rows[i].a;
		cd.record = rows[i].r;
		cd.stall = rows[i].s;
		CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &cd), 0);
		back_all(R | W);
		ste.record = rows[i].s2r;
		ste.stall = rows[i].s2s;
		if (rows[i].second)
			CHECK_EQ(vmsas2_unmap(&second, DATA, K4), 1);
		else
			CHECK_EQ(vmsa_unmap(&first, ADDR, K4), 1);
		CHECK(!walk(R, true));
		CHECK_EQ(result.stage, rows[i].second ? 2 : 1);
		CHECK_EQ(result.stall, rows[i].stall);
		CHECK_EQ(result.record, rows[i].record);
		CHECK_EQ(result.abort, rows[i].abort);
	}
}

TEST(faults_that_cannot_be_resumed_never_stall)
{
	uint64_t at[READS];

	create(K4);
	cd.stall = true;
	CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &cd), 0);
	ste.stall = true;
	back_all(R | W);
	chain(at);
	/* The descriptor's first level leads to where memory has nothing. */
	CHECK_EQ(vmsas2_map(&second, UINT64_C(1) << 40, UINT64_C(1) << 43, K4, R, VMSA_ACCESSED),
		 0);
	world_store(&guest, at[2], (UINT64_C(1) << 40) | 3);
	CHECK(!walk(R, true));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_WALK_EABT);
	CHECK_EQ(result.stage, 1);
	CHECK_EQ(result.what, SMMUV3_CLASS_TT);
	CHECK_EQ(result.fetch_addr, (UINT64_C(1) << 43) + (at[3] & 0xfff));
	CHECK(!result.stall && result.record && result.abort);
	world_store(&guest, at[0], (UINT64_C(1) << 40) | 1);
	CHECK(!walk(R, true));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_CD_FETCH);
	CHECK_EQ(result.stage, 0);
	CHECK_EQ(result.fetch_addr, (UINT64_C(1) << 43) + (at[1] & 0xfff));
	CHECK(!result.stall && result.record && result.abort);
	/* Stage 2's own tables lead nowhere. */
	world_store(&host, second.format.root, (UINT64_C(1) << 42) | 3);
	CHECK(!walk(R, true));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_WALK_EABT);
	CHECK_EQ(result.stage, 2);
	CHECK_EQ(result.what, SMMUV3_CLASS_CD);
	CHECK_EQ(result.fetch_addr, UINT64_C(1) << 42);
	CHECK_EQ(result.ipa, at[0]);
	CHECK(!result.stall && result.record && result.abort);
}

TEST(every_fault_of_a_stage_has_its_event)
{
	static const struct {
		bool second;
		uint64_t clear, set; /* in the leaf */
		uint8_t perm, event;
	} rows[] = {
		{ false, 1, 0, R, SMMUV3_EVENT_F_TRANSLATION },
		{ false, 0, UINT64_C(1) << 44, R, SMMUV3_EVENT_F_ADDR_SIZE },
		{ false, VMSA_DBM, 0, W, SMMUV3_EVENT_F_PERMISSION },
		{ false, VMSA_USER, 0, R, SMMUV3_EVENT_F_PERMISSION },
		{ true, 1, 0, R, SMMUV3_EVENT_F_TRANSLATION },
		{ true, 0, UINT64_C(1) << 44, R, SMMUV3_EVENT_F_ADDR_SIZE },
		{ true, VMSAS2_WRITE, 0, W, SMMUV3_EVENT_F_PERMISSION },
		{ true, 0, VMSAS2_NO_EXEC, R | X, SMMUV3_EVENT_F_PERMISSION },
		{ true, VMSA_ACCESSED, 0, R, SMMUV3_EVENT_F_ACCESS },
		{ false, VMSA_ACCESSED, 0, R, SMMUV3_EVENT_F_ACCESS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct world *world = rows[i].second ? &host : &guest;
		uint64_t leaf;

		create(K4);
		back_all(R | W);
		CHECK(walk(R | X, true));
		leaf = rows[i].second ? result.second.entry_addr : result.first.entry_addr;
		world_store(world, leaf, (world_load(world, leaf) & ~rows[i].clear) | rows[i].set);
		if (rows[i].event == SMMUV3_EVENT_F_ACCESS) {
			ste.second.access = false;
			cd.first.access = cd.first.dirty = false;
			CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &cd), 0);
		}
		CHECK(!walk(rows[i].perm, true));
		CHECK_EQ(result.event, rows[i].event);
		CHECK_EQ(result.stage, rows[i].second ? 2 : 1);
		CHECK_EQ(result.what, SMMUV3_CLASS_IN);
		CHECK(smmuv3_resumable(result.event));
		CHECK_EQ(result.ipa, rows[i].second ? DATA + 5 : 0);
	}
}

TEST(one_stage_alone_none_and_neither)
{
	const struct smmuv3_walk how = { &features, &memory, &ste, true };
	uint64_t wide = UINT64_C(1) << 44;

	create(K4);
	/* Stage 2 alone: the input is an intermediate address, and wants to be narrow. */
	ste.config = SMMUV3_SECOND;
	CHECK(!smmuv3_translate(&how, IOPF_PASID_NONE, DATA + 5, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_TRANSLATION);
	CHECK_EQ(result.stage, 2);
	CHECK_EQ(result.what, SMMUV3_CLASS_IN);
	CHECK_EQ(result.ipa, DATA + 5);
	back(DATA, R);
	CHECK(!smmuv3_translate(&how, IOPF_PASID_NONE, DATA + 5, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_PERMISSION);
	CHECK(smmuv3_translate(&how, IOPF_PASID_NONE, DATA + 5, R | IOPF_PRIV, &result));
	CHECK_EQ(result.addr, HOST + DATA + 5);
	CHECK_EQ(result.perm, R | X | IOPF_PRIV);
	CHECK_EQ(result.index, UINT32_MAX);
	CHECK(!smmuv3_translate(&how, IOPF_PASID_NONE, wide, R, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_ADDR_SIZE);
	CHECK_EQ(result.stage, 1);
	CHECK(!smmuv3_translate(&how, PASID, DATA, R, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_SUBSTREAMID);
	CHECK(result.record && result.abort && !result.stall);
	/* S1DSS 1: as that, for who has no substream. */
	ste.config = SMMUV3_BOTH;
	ste.without = SMMUV3_DEFAULT_BYPASS;
	CHECK(smmuv3_translate(&how, IOPF_PASID_NONE, DATA, R, &result));
	CHECK_EQ(result.addr, HOST + DATA);
	ste.config = SMMUV3_BYPASS;
	CHECK(smmuv3_translate(&how, IOPF_PASID_NONE, ADDR & (wide - 1), R | W, &result));
	CHECK_EQ(result.addr, ADDR & (wide - 1));
	CHECK_EQ(result.size_bytes, K4);
	CHECK(!smmuv3_translate(&how, IOPF_PASID_NONE, wide, R, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_ADDR_SIZE);
	ste.config = SMMUV3_ABORT;
	CHECK(!smmuv3_translate(&how, IOPF_PASID_NONE, DATA, R, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_NONE);
	CHECK(result.abort && !result.record && !result.stall);
}

TEST(stage_1_alone_reads_its_tables_where_they_are)
{
	const struct smmuv3_walk how = { &features, &guest.memory, &guest_ste, true };

	create(K4);
	CHECK(smmuv3_translate(&how, PASID, ADDR + 5, W, &result));
	CHECK_EQ(result.addr, DATA + 5);
	CHECK_EQ(result.index, PASID);
	CHECK(!smmuv3_translate(&how, PASID, ADDR + K4, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_TRANSLATION);
	CHECK_EQ(result.stage, 1);
	CHECK(!smmuv3_translate(&how, PASID + 1, ADDR, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_CD);
	CHECK(!smmuv3_translate(&how, PASID + 64, ADDR, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_SUBSTREAMID);
	guest_ste.context_addr = UINT64_C(1) << 43;
	CHECK(!smmuv3_translate(&how, PASID, ADDR, W, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_F_CD_FETCH);
	CHECK_EQ(result.fetch_addr, (UINT64_C(1) << 43) + (PASID >> 6) * 8);
}

TEST(a_descriptor_that_is_remembered_is_walked_from)
{
	const struct smmuv3_walk how = { &features, &memory, &ste, true };
	const struct smmuv3_walk plain = { &features, &guest.memory, &ste, true };
	struct smmuv3_cd kept;

	create(K4);
	back_all(R | W);
	CHECK(smmuv3_context(&how, PASID, &kept, &result));
	CHECK_EQ(result.index, PASID);
	CHECK_EQ(smmuv3_builder_clear_cd(&builder, SID, PASID), 0);
	CHECK(smmuv3_walk(&how, &kept, ADDR, W, &result));
	CHECK_EQ(result.addr, HOST + DATA);
	missing.count = 0;
	CHECK(smmuv3_needs(&plain, PASID, &kept, ADDR, W, seek, &missing, &result));
	CHECK_EQ(result.addr, DATA);
	CHECK(!smmuv3_needs(&plain, PASID, NULL, ADDR, W, seek, &missing, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_CD);
	CHECK(!smmuv3_context(&how, PASID, &kept, &result));
	CHECK_EQ(result.event, SMMUV3_EVENT_C_BAD_CD);
}

TEST(a_small_page_over_a_large_one_is_small)
{
	create(M2);
	look(W, true);
	CHECK_EQ(missing.count, 2 + 3 + 1); /* a table less */
	for (unsigned i = 0; i < missing.count; i++)
		back(missing.miss[i].ipa, R | W);
	CHECK(walk(W, true));
	CHECK_EQ(result.size_bytes, K4);
	CHECK_EQ(result.first.size_bytes, M2);
	CHECK_EQ(result.addr, HOST + (DATA & ~(M2 - 1)) + (ADDR + 5) % M2);
}

/* Structures of random words that look like entries more often than not. */
static uint64_t likely(uint64_t *seed)
{
	uint64_t word = test_random(seed), page = GPA + test_random(seed) % 64 * K4;

	switch (test_random(seed) % 4) {
	case 0:
		return word;
	case 1:
		return page | (word & 0xfff) | 3;
	case 2:
		return page | (word & (UINT64_C(0xfff) << 52 | 0xfff)) | 1;
	default:
		return page | (word & (UINT64_C(1) << 51 | 0xfff)) | 3 | VMSA_ACCESSED;
	}
}

TEST(hostile_structures_end_in_a_fault_or_a_translation)
{
	uint64_t seed = 3, found = 0, seen[64] = { 0 };

	create(K4);
	for (uint64_t at = GPA; at < GPA + 64 * K4; at += K4)
		if (!vmsas2_walk(&host.space, &second.format, at, R, false, &result.second))
			back(at, at % (3 * K4) != 0 ? R | W : R);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t at = GPA + test_random(&seed) % (64 * 512) * 8;
		uint8_t perm = (uint8_t)(1 + test_random(&seed) % 15);
		uint32_t pasid = (uint32_t)test_random(&seed) % 70000;
		const struct smmuv3_walk how = { &features, &memory, &ste, i % 2 };
		bool walked;

		world_store(&guest, at, likely(&seed));
		if (i % 16 == 0)
			CHECK_EQ(smmuv3_builder_cd(&builder, SID, PASID, &cd) % 1, 0);
		ste.context_addr = i % 3 ? guest_ste.context_addr : GPA + i % 64 * K4;
		ste.contexts = (uint8_t)(i % 4);
		pasid = i % 2 ? pasid : PASID;
		walked = smmuv3_translate(&how, pasid, test_random(&seed) >> (i % 40), perm,
					  &result);
		found += walked;
		CHECK(walked || result.event != SMMUV3_EVENT_NONE);
		seen[result.event]++;
		look_for(pasid, perm, i % 2);
	}
	CHECK(found > 0);
	CHECK(seen[SMMUV3_EVENT_F_TRANSLATION] > 0 && seen[SMMUV3_EVENT_F_ADDR_SIZE] > 0);
	CHECK(seen[SMMUV3_EVENT_C_BAD_CD] > 0 && seen[SMMUV3_EVENT_C_BAD_SUBSTREAMID] > 0);
}

int main(void)
{
	return test_main();
}
