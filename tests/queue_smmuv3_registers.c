/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: software finds SMMUv3's registers as the architecture describes them. */
#include "test.h"

#include "queue_smmuv3.h"

/* Arm IHI 0070, chapter 6, written out once more: offset, width, value after a reset,
 * and what software may set while everything is off. OAS is 48 bits. */
static const struct {
	const char *name;
	uint32_t offset, width;
	uint64_t reset, settable;
} rows[] = {
	{ "IIDR", 0x18, 4, 0, 0 },
	{ "AIDR", 0x1c, 4, 0, 0 },
	{ "CR0", 0x20, 4, 0, 0x1f },
	{ "CR0ACK", 0x24, 4, 0, 0 },
	{ "CR1", 0x28, 4, 0, 0xfff },
	{ "CR2", 0x2c, 4, 0, 0x2 },
	{ "STATUSR", 0x40, 4, 0, 0 },
	{ "AGBPA", 0x48, 4, 0, 0 },
	{ "IRQ_CTRL", 0x50, 4, 0, 0x7 },
	{ "IRQ_CTRLACK", 0x54, 4, 0, 0 },
	{ "GERROR", 0x60, 4, 0, 0 },
	{ "GERRORN", 0x64, 4, 0, 0x1fd },
	{ "GERROR_IRQ_CFG0", 0x68, 8, 0, UINT64_C(0x0000fffffffffffc) },
	{ "GERROR_IRQ_CFG1", 0x70, 4, 0, 0xffffffff },
	{ "GERROR_IRQ_CFG2", 0x74, 4, 0, 0x3f },
	{ "STRTAB_BASE", 0x80, 8, 0, UINT64_C(0x4000ffffffffffc0) },
	{ "STRTAB_BASE_CFG", 0x88, 4, 0, 0x307ff },
	{ "CMDQ_BASE", 0x90, 8, 0, UINT64_C(0x4000ffffffffffff) },
	{ "CMDQ_PROD", 0x98, 4, 0, 0xfffff },
	{ "CMDQ_CONS", 0x9c, 4, 0, 0xfffff },
	{ "EVENTQ_BASE", 0xa0, 8, 0, UINT64_C(0x4000ffffffffffff) },
	{ "EVENTQ_IRQ_CFG0", 0xb0, 8, 0, UINT64_C(0x0000fffffffffffc) },
	{ "EVENTQ_IRQ_CFG1", 0xb8, 4, 0, 0xffffffff },
	{ "EVENTQ_IRQ_CFG2", 0xbc, 4, 0, 0x3f },
	{ "PRIQ_BASE", 0xc0, 8, 0, UINT64_C(0x4000ffffffffffff) },
	{ "PRIQ_IRQ_CFG0", 0xd0, 8, 0, UINT64_C(0x0000fffffffffffc) },
	{ "PRIQ_IRQ_CFG1", 0xd8, 4, 0, 0xffffffff },
	{ "PRIQ_IRQ_CFG2", 0xdc, 4, 0, 0x8000003f },
	{ "EVENTQ_PROD", 0x100a8, 4, 0, 0x800fffff },
	{ "EVENTQ_CONS", 0x100ac, 4, 0, 0x800fffff },
	{ "PRIQ_PROD", 0x100c8, 4, 0, 0x800fffff },
	{ "PRIQ_CONS", 0x100cc, 4, 0, 0x800fffff },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

TEST(each_register_has_its_reset_value_and_its_writable_bits)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	for (unsigned i = 0; i < ROWS; i++)
		CHECK_EQ(pair_reg(rows[i].offset, rows[i].width), rows[i].reset);
	for (unsigned i = 0; i < ROWS; i++) {
		for (unsigned bit = 0; bit < rows[i].width * 8; bit++) {
			uint64_t one = UINT64_C(1) << bit;

			pair_set(rows[i].offset, rows[i].width, one);
			CHECK_EQ(pair_reg(rows[i].offset, rows[i].width),
				 rows[i].settable == 0 ? rows[i].reset :
							 one & rows[i].settable);
		}
		pair_set(rows[i].offset, rows[i].width, 0);
	}
}

TEST(halves_of_a_register_are_written_alone)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	pair_set(SMMUV3_PRIQ_BASE, 4, 0x12345007);
	pair_set(SMMUV3_PRIQ_BASE + 4, 4, 0x00000abc);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_BASE, 8), UINT64_C(0xabc12345007));
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_BASE + 4, 4), 0xabc);
	/* Two registers in one access. */
	pair_set(SMMUV3_EVENTQ_PROD, 8, UINT64_C(0x8000000500000003));
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_PROD, 4), 3);
	CHECK_EQ(pair_reg(SMMUV3_EVENTQ_CONS, 4), 0x80000005);
}

TEST(nothing_is_read_as_0_and_written_in_vain)
{
	static const uint32_t nowhere[] = { 0x0a8, 0x0ac, 0x0e0, 0xfe0, 0x8000, 0x10000,
					    0x10020, 0x100b0, 0x100d0, 0x1fff8 };
	uint64_t value = 1;

	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		pair_set(nowhere[i], 4, UINT32_MAX);
		CHECK_EQ(pair_reg(nowhere[i], 4), 0);
	}
	CHECK_EQ(iopf_hardware_read(pair.hardware, 2, 4, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 4, 8, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 0, 2, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_read(pair.hardware, 0x20000, 4, &value), -EINVAL);
	CHECK_EQ(iopf_hardware_write(pair.hardware, UINT32_C(0xfffffffc), 4, 0), -EINVAL);
	CHECK_EQ(value, 1);
	CHECK(smmu_stats()->bad_accesses >= 15);
}

TEST(an_update_is_acknowledged)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	for (uint32_t i = 0; i < 32; i++) {
		pair_set(SMMUV3_CR0, 4, i);
		CHECK_EQ(pair_reg(SMMUV3_CR0ACK, 4), i);
		CHECK_EQ(iopf_hardware_translates(pair.hardware), i & 1);
	}
	for (uint32_t i = 0; i < 8; i++) {
		pair_set(SMMUV3_IRQ_CTRL, 4, i | 0x100);
		CHECK_EQ(pair_reg(SMMUV3_IRQ_CTRLACK, 4), i);
	}
	pair_set(SMMUV3_CR0ACK, 4, 0);
	CHECK_EQ(pair_reg(SMMUV3_CR0ACK, 4), 0x1f);
}

/* What is read-only while a bit of CR0 or IRQ_CTRL is set: "is Guarded by". */
static const struct {
	uint32_t control, bits, offset, width;
	uint64_t guarded;
} guards[] = {
	{ 0x20, 0x1, 0x28, 4, 0xfc0 },
	{ 0x20, 0x2, 0x28, 4, 0x03f },
	{ 0x20, 0x4, 0x28, 4, 0x03f },
	{ 0x20, 0x8, 0x28, 4, 0x03f },
	{ 0x20, 0x1, 0x2c, 4, 0x2 },
	{ 0x20, 0x1, 0x80, 8, UINT64_C(0x4000ffffffffffc0) },
	{ 0x20, 0x1, 0x88, 4, 0x307ff },
	{ 0x20, 0x8, 0x90, 8, UINT64_C(0x4000ffffffffffff) },
	{ 0x20, 0x8, 0x98, 4, 0 },
	{ 0x20, 0x8, 0x9c, 4, 0xfffff },
	{ 0x20, 0x4, 0xa0, 8, UINT64_C(0x4000ffffffffffff) },
	{ 0x20, 0x4, 0x100a8, 4, 0x800fffff },
	{ 0x20, 0x4, 0x100ac, 4, 0 },
	{ 0x20, 0x2, 0xc0, 8, UINT64_C(0x4000ffffffffffff) },
	{ 0x20, 0x2, 0x100c8, 4, 0x800fffff },
	{ 0x20, 0x2, 0x100cc, 4, 0 },
	{ 0x50, 0x1, 0x68, 8, UINT64_C(0x0000fffffffffffc) },
	{ 0x50, 0x1, 0x70, 4, 0xffffffff },
	{ 0x50, 0x1, 0x74, 4, 0x3f },
	{ 0x50, 0x2, 0xd0, 8, UINT64_C(0x0000fffffffffffc) },
	{ 0x50, 0x2, 0xd8, 4, 0xffffffff },
	{ 0x50, 0x2, 0xdc, 4, 0x8000003f },
	{ 0x50, 0x4, 0xb0, 8, UINT64_C(0x0000fffffffffffc) },
	{ 0x50, 0x4, 0xb8, 4, 0xffffffff },
	{ 0x50, 0x4, 0xbc, 4, 0x3f },
};

TEST(what_is_in_use_is_not_changed_and_that_is_counted)
{
	for (unsigned i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		uint32_t offset = guards[i].offset, width = guards[i].width;
		uint64_t all, bad;

		smmu_hardware(IOPF_SMMUV3_PHYSICAL);
		pair_set(offset, width, UINT64_MAX);
		all = pair_reg(offset, width);
		pair_set(guards[i].control, 4, guards[i].bits);
		bad = smmu_stats()->bad_accesses;
		/* The same again changes nothing and is none's fault. */
		pair_set(offset, width, all);
		CHECK_EQ(smmu_stats()->bad_accesses, bad);
		pair_set(offset, width, 0);
		CHECK_EQ(pair_reg(offset, width), all & guards[i].guarded);
		CHECK_EQ(smmu_stats()->bad_accesses, bad + (guards[i].guarded != 0));
		/* Everything else on: that is no reason. */
		pair_set(guards[i].control, 4, ~guards[i].bits);
		if (offset != 0x28) {
			pair_set(offset, width, 0);
			CHECK_EQ(pair_reg(offset, width), 0);
		}
	}
}

TEST(an_access_that_is_half_locked_does_the_other_half)
{
	smmu_start();
	/* PROD and CONS of the command queue at once: CONS is hardware's now. */
	pair_set(SMMUV3_CMDQ_PROD, 8, UINT64_C(0x0000000200000000));
	CHECK_EQ(pair_reg(SMMUV3_CMDQ_PROD, 8), 0);
	pair_set(SMMUV3_CMDQ_PROD, 8, UINT64_C(0x0000000200000005));
	CHECK_EQ(pair_reg(SMMUV3_CMDQ_PROD, 8), 5);
}

TEST(the_bypass_is_updated_only_when_asked_to)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4), 0x1000);
	pair_set(SMMUV3_GBPA, 4, SMMUV3_GBPA_ABORT);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4), 0x1000);
	CHECK_EQ(smmu_stats()->bad_accesses, 1);
	pair_set(SMMUV3_GBPA, 4, SMMUV3_GBPA_UPDATE | SMMUV3_GBPA_ABORT);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4), SMMUV3_GBPA_ABORT);
	pair_set(SMMUV3_GBPA, 4, UINT32_MAX);
	CHECK_EQ(pair_reg(SMMUV3_GBPA, 4), 0x001f3f1f);
	CHECK_EQ(smmu_stats()->bad_accesses, 1);
}

TEST(the_stream_table_is_where_software_put_it)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	pair_set(SMMUV3_STRTAB_BASE, 8, UINT64_C(0x4000000000007040));
	pair_set(SMMUV3_STRTAB_BASE_CFG, 4, 0x10184);
	CHECK_EQ(iopf_hardware_root(pair.hardware), 0x7040);
	CHECK_EQ(iopf_hardware_root_config(pair.hardware), 0x10184);
	CHECK_EQ(pair.roots, 2);
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN);
	CHECK_EQ(pair.on, 1);
	pair_set(SMMUV3_CR0, 4, SMMUV3_SMMUEN | SMMUV3_ATSCHK);
	pair_set(SMMUV3_CR0, 4, SMMUV3_ATSCHK);
	CHECK_EQ(pair.on, 1);
	CHECK_EQ(pair.off, 1);
}

static enum iopf_queue_change seen[8];
static bool translated[8];
static uint32_t seen_count;

static void note_change(void *context, enum iopf_queue_change change)
{
	(void)context;
	CHECK(seen_count < 8);
	translated[seen_count] = pair.on > pair.off;
	seen[seen_count++] = change;
}

TEST(queues_come_and_go_with_their_switches)
{
	static const struct iopf_hardware_ops ops = {
		pair_command, pair_interrupt, pair_root, pair_translation, note_change,
	};
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);

	options.ops = &ops;
	smmu_create(&options);
	seen_count = 0;
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	CHECK_EQ(seen_count, 2);
	CHECK_EQ(seen[0], IOPF_EVENT_QUEUE_ENABLED);
	CHECK_EQ(seen[1], IOPF_QUEUE_ENABLED);
	/* Queues first: who begins to translate can tell of faults. */
	CHECK(!translated[0] && !translated[1]);
	pair_set(SMMUV3_CR0, 4, SMMU_ON & ~(uint32_t)SMMUV3_PRIQEN);
	CHECK_EQ(seen_count, 3);
	CHECK_EQ(seen[2], IOPF_QUEUE_DISABLED);
	pair_set(SMMUV3_CR0, 4, SMMUV3_CMDQEN);
	CHECK_EQ(seen_count, 4);
	CHECK_EQ(seen[3], IOPF_EVENT_QUEUE_DISABLED);
	pair_set(SMMUV3_CR0, 4, SMMUV3_CMDQEN | SMMUV3_SMMUEN);
	CHECK_EQ(seen_count, 4);
}

TEST(what_a_missing_feature_needs_is_reserved)
{
	smmu_hardware(IOPF_SMMUV3_S1P);
	pair_set(SMMUV3_CR0, 4, UINT32_MAX);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), 0xd);
	CHECK_EQ(pair_reg(SMMUV3_CR0ACK, 4), 0xd);
	CHECK_EQ(smmu_post(1, IOPF_LAST), IOPF_POSTED_FAILURE);
	pair_set(SMMUV3_CR0, 4, 0);
	for (unsigned i = 0; i < ROWS; i++) {
		if (strncmp(rows[i].name, "PRIQ", 4) != 0 &&
		    strstr(rows[i].name, "_IRQ_CFG") == NULL)
			continue;
		pair_set(rows[i].offset, rows[i].width, UINT64_MAX);
		CHECK_EQ(pair_reg(rows[i].offset, rows[i].width), 0);
	}
	/* Page requests, but no messages: when to interrupt is still said. */
	smmu_hardware(IOPF_SMMUV3_S1P | IOPF_SMMUV3_ATS | IOPF_SMMUV3_PRI);
	pair_set(SMMUV3_PRIQ_IRQ_CFG0, 8, UINT64_MAX);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_IRQ_CFG0, 8), 0);
	pair_set(SMMUV3_PRIQ_IRQ_CFG1, 8, UINT64_MAX);
	CHECK_EQ(pair_reg(SMMUV3_PRIQ_IRQ_CFG1, 8), (uint64_t)SMMUV3_PRIQ_LO << 32);
	pair_set(SMMUV3_CR0, 4, UINT32_MAX);
	CHECK_EQ(pair_reg(SMMUV3_CR0, 4), 0x1f);
}

TEST(identification_says_what_was_asked_for)
{
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL);
	uint32_t idr[6] = { 9 };

	smmu_create(&options);
	for (uint32_t i = 0; i < 6; i++)
		CHECK_EQ(pair_reg(SMMUV3_IDR0 + 4 * i, 4), options.idr[i]);
	/* ST_LEVEL 1, STALL_MODEL 0, TTENDIAN 2, CD2L, VMID16, PRI, MSI, ASID16, NS1ATS,
	 * ATS, HTTU 2, COHACC, TTF 2, S1P, S2P. */
	CHECK_EQ(options.idr[0], 0x084d3c9b);
	CHECK_EQ(options.idr[1], 15 << 21 | 14 << 16 | 15 << 11 | 20 << 6 | 16);
	CHECK_EQ(options.idr[2], 0);
	CHECK_EQ(options.idr[3], 1 << 10); /* RIL */
	CHECK_EQ(options.idr[4], 0);
	CHECK_EQ(options.idr[5], SMMU_STALLS << 16 | 1 << 4 | 5); /* GRAN4K, 48 bits */
	CHECK_EQ(iopf_smmuv3_identification(IOPF_SMMUV3_VIRTUAL, 32, 0, 0, idr), 0);
	CHECK_EQ(idr[0] >> 24 & 3, 1); /* no stalls */
	CHECK_EQ(idr[0] & 3, 2);       /* stage 1 alone */
	CHECK_EQ(idr[1] & 0x7ff, 32);
	CHECK_EQ(idr[5] >> 16, 0);
	CHECK_EQ(iopf_smmuv3_identification(IOPF_SMMUV3_HAD | IOPF_SMMUV3_S2P |
					    IOPF_SMMUV3_PPS | IOPF_SMMUV3_XNX, 1, 0, 1, idr), 0);
	CHECK_EQ(idr[3], 1 << 2 | 1 << 4 | 1 << 5);
}

TEST(identification_that_cannot_be_is_refused)
{
	static const struct {
		uint32_t features, sid_bits, ssid_bits, stall_max;
	} wrong[] = {
		{ IOPF_SMMUV3_PHYSICAL, 0, 0, 0 },
		{ IOPF_SMMUV3_PHYSICAL, 33, 0, 0 },
		{ IOPF_SMMUV3_PHYSICAL, 16, 21, 0 },
		{ IOPF_SMMUV3_PHYSICAL, 16, 20, 0x10000 },
		{ IOPF_SMMUV3_PHYSICAL | IOPF_SMMUV3_HA, 16, 20, 0 },
		{ IOPF_SMMUV3_PHYSICAL & ~IOPF_SMMUV3_ATS, 16, 20, 0 },
		{ IOPF_SMMUV3_ATS, 16, 20, 0 },
		{ UINT32_C(1) << 31 | IOPF_SMMUV3_S1P, 16, 20, 0 },
	};
	uint32_t idr[6] = { 1, 2, 3, 4, 5, 6 };

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_EQ(iopf_smmuv3_identification(wrong[i].features, wrong[i].sid_bits,
						    wrong[i].ssid_bits, wrong[i].stall_max,
						    idr), -EINVAL);
	CHECK(idr[0] == 1 && idr[5] == 6);
}

TEST(a_hardware_end_needs_options_that_can_be)
{
	struct iopf_hardware_options options = smmu_options(IOPF_SMMUV3_PHYSICAL), right;
	struct iopf_hardware *hardware = NULL;

	right = options;
	options.idr[1] |= UINT32_C(1) << 31; /* ECMDQ */
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware),
		 -EINVAL);
	options = right;
	options.idr[1] += 5 << 11; /* PRIQS 20 */
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware),
		 -EINVAL);
	options = right;
	options.idr[5] |= 7; /* OAS */
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes, 16384, &hardware),
		 -EINVAL);
	CHECK(hardware == NULL);
	CHECK_EQ(iopf_hardware_create(&right, pair.hardware_bytes, 16, &hardware), -ENOSPC);
	CHECK_EQ(iopf_hardware_create(&right, pair.hardware_bytes, 16384, &hardware), 0);
	/* Two pages of 64 KiB are no tables of that size. */
	CHECK(iopf_hardware_size_bytes() < 16384);
}

int main(void)
{
	return test_main();
}
