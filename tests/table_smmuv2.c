/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: an SMMUv2's structures are registers: in what order, and to whom, they go. */
#include <errno.h>
#include <string.h>

#include "table/family.h"

#include "test.h"

enum { RID = 0x310, BANKS = 3, STREAMS = 4, SPACE = 0x40000 };

/* Registers that keep what they are given. */
static uint64_t file[SPACE / 8], wired;
static struct {
	uint32_t offset;
	uint64_t value;
} writes[256];
static uint32_t write_count;
static struct family_tables tables;
static const struct smmuv2_features *const features = &tables.smmuv2.features;

static unsigned shift_of(uint32_t offset)
{
	return offset % 8 * 8;
}

static int on_read(void *context, uint32_t offset, uint32_t width, uint64_t *value)
{
	(void)context;
	CHECK(offset < SPACE && offset % width == 0);
	*value = file[offset / 8] >> shift_of(offset);
	if (width == 4)
		*value &= UINT32_MAX;
	return 0;
}

static int on_write(void *context, uint32_t offset, uint32_t width, uint64_t value)
{
	uint64_t lanes = width == 8 ? UINT64_MAX :
				      (uint64_t)UINT32_MAX << shift_of(offset);

	(void)context;
	CHECK(offset < SPACE && offset % width == 0 && write_count < 256);
	writes[write_count].offset = offset;
	writes[write_count++].value = value;
	if (offset >= 0x20000 && offset % 0x1000 == SMMUV2_SCTLR)
		value &= ~wired;
	file[offset / 8] = (file[offset / 8] & ~lanes) | (value << shift_of(offset) & lanes);
	return 0;
}

/* @second_banks do stage 2 alone. */
static void start(uint32_t second_banks, bool vmid16)
{
	const struct family_setup setup = { .registers = { on_read, on_write, NULL } };

	memset(file, 0, sizeof(file));
	wired = 0;
	/* ID0: stages, matching, 15 bits; ID1: 32 pages of 4 KiB before the banks; ID2 */
	CHECK_EQ(on_write(NULL, SMMUV2_ID0, 4, 0x68001e00 | 2 << 16 | STREAMS), 0);
	CHECK_EQ(on_write(NULL, SMMUV2_ID0 + 4, 4,
			  4u << 28 | second_banks << 16 | BANKS), 0);
	CHECK_EQ(on_write(NULL, SMMUV2_ID0 + 8, 4, 0x1555 | (vmid16 ? 0x8000 : 0)), 0);
	CHECK_EQ(family_create(&family_smmuv2, &tables, &setup), 0);
	write_count = 0;
}

static int open_stream(uint32_t rid)
{
	return family_smmuv2.endpoint(&tables, rid, FAMILY_OPEN, FAMILY_STALLS);
}

static uint64_t value_at(uint32_t offset, uint32_t width)
{
	uint64_t value;

	CHECK_EQ(on_read(NULL, offset, width, &value), 0);
	return value;
}

/* The first write to @offset, or UINT32_MAX. */
static uint32_t when(uint32_t offset)
{
	for (uint32_t i = 0; i < write_count; i++)
		if (writes[i].offset == offset)
			return i;
	return UINT32_MAX;
}

TEST(features_are_what_registers_say)
{
	start(1, true);
	CHECK(features->first && features->second && features->matches && features->pages_4k);
	CHECK_EQ(features->streams, STREAMS);
	CHECK_EQ(features->banks, BANKS);
	CHECK_EQ(features->second_banks, 1);
	CHECK_EQ(features->stream_bits, 15);
	CHECK_EQ(features->bank_page, 32);
	CHECK_EQ(features->page_shift, 12);
	CHECK_EQ(features->address_bits, 48);
	CHECK_EQ(features->lines, 2);
	CHECK(features->vmid16);
	CHECK_EQ(smmuv2_bank_at(features, SMMUV2_FSR, 1), 0x21058);
	CHECK_EQ(smmuv2_second_at(features, SMMUV2_CBFRSYNRA, 2), 0x1408);
}

TEST(bank_is_the_same_when_it_is_read_again)
{
	uint64_t seed = 3;

	for (unsigned i = 0; i < 100000; i++) {
		uint8_t bits = (uint8_t)(32 + test_random(&seed) % 3 * 8);
		bool second = test_random(&seed) % 2;
		struct smmuv2_bank bank = {
			.type = second ? SMMUV2_SECOND : SMMUV2_FIRST,
			.line = (uint8_t)test_random(&seed),
			.on = true,
			.stall = test_random(&seed) % 2,
			.interrupt = test_random(&seed) % 2,
			.abort = test_random(&seed) % 2,
			.independent = test_random(&seed) % 2,
			.vmid = (uint16_t)(test_random(&seed) % 256),
			.asid = (uint16_t)test_random(&seed),
		}, got;
		uint64_t words[SMMUV2_BANK_WORDS];

		start(0, i % 2);
		if (second)
			bank.second = (struct vmsas2_format){
				.root = test_random(&seed) % 4096 * 65536,
				.input_bits = bits,
				.levels = vmsa_levels(bits),
				.output_bits = bits,
			};
		else
			bank.first = (struct vmsa_format){
				.half = { { .root = test_random(&seed) % 4096 * 4096,
					    .input_bits = bits,
					    .top_ignored = test_random(&seed) % 2 },
					  { .root = 0x1000, .input_bits = 39 } },
				.output_bits = 48,
				.write_no_exec = test_random(&seed) % 2,
			};
		smmuv2_bank_encode(&bank, features, words);
		CHECK(smmuv2_bank_decode(words, features, &got));
		CHECK(got.type == bank.type && got.line == bank.line && got.on);
		CHECK(got.stall == bank.stall && got.interrupt == bank.interrupt);
		CHECK(got.abort == bank.abort && got.independent == bank.independent);
		CHECK(got.vmid == bank.vmid && got.asid == bank.asid);
		CHECK_EQ(got.second.root, bank.second.root);
		CHECK_EQ(got.second.levels, bank.second.levels);
		CHECK_EQ(got.second.input_bits, bank.second.input_bits);
		CHECK_EQ(got.second.output_bits, bank.second.output_bits);
		for (unsigned half = 0; half < 2; half++) {
			CHECK_EQ(got.first.half[half].root, bank.first.half[half].root);
			CHECK_EQ(got.first.half[half].input_bits,
				 bank.first.half[half].input_bits);
			CHECK_EQ(got.first.half[half].top_ignored,
				 bank.first.half[half].top_ignored);
		}
		CHECK_EQ(got.first.output_bits, bank.first.output_bits);
		CHECK_EQ(got.first.write_no_exec, bank.first.write_no_exec);
	}
}

TEST(what_no_table_here_has_is_not_decoded)
{
	const struct smmuv2_bank bank = { .type = SMMUV2_FIRST, .on = true,
					  .first = { .half = { { .input_bits = 48 },
							       { .input_bits = 48 } },
						     .output_bits = 48 } };
	uint64_t words[SMMUV2_BANK_WORDS], good[SMMUV2_BANK_WORDS];
	struct smmuv2_bank got;

	start(0, true);
	smmuv2_bank_encode(&bank, features, good);
	static const uint32_t fields[] = { SMMUV2_BANK_VA64, SMMUV2_BANK_TYPE, SMMUV2_BANK_TG0,
					   SMMUV2_BANK_TG1, SMMUV2_BANK_T0SZ };
	static const uint64_t values[] = { 0, SMMUV2_BOTH, 1, 1, 63 };

	for (unsigned i = 0; i < 5; i++) {
		memcpy(words, good, sizeof(words));
		words[FIELD_WORD(fields[i])] &= ~FIELD_MASK(fields[i]);
		words[FIELD_WORD(fields[i])] |= values[i] << FIELD_LSB(fields[i]);
		CHECK(!smmuv2_bank_decode(words, features, &got));
	}
	CHECK(smmuv2_bank_decode(good, features, &got));
}

/* Nothing comes through before all of it is said. */
TEST(stream_is_matched_last_and_its_bank_is_on_before)
{
	start(0, true);
	CHECK_EQ(open_stream(RID), 0);
	CHECK(when(SMMUV2_SMR) < write_count);
	CHECK(when(SMMUV2_S2CR) < when(SMMUV2_SMR));
	CHECK_EQ(writes[when(SMMUV2_S2CR)].value >> 16 & 3, SMMUV2_FAULT_ALL);
	CHECK(when(smmuv2_bank_at(features, SMMUV2_SCTLR, 0)) < when(SMMUV2_S2CR));
	CHECK(when(smmuv2_bank_at(features, SMMUV2_TCR, 0)) <
	      when(smmuv2_bank_at(features, SMMUV2_SCTLR, 0)));
	CHECK_EQ(value_at(SMMUV2_SMR, 4), 0x80000000u | RID);
	CHECK_EQ(value_at(SMMUV2_S2CR, 4) >> 16 & 3, SMMUV2_TRANSLATE);
	CHECK_EQ(value_at(smmuv2_second_at(features, SMMUV2_CBAR, 0), 4) >> 16 & 3,
		 SMMUV2_FIRST_FAULT);
}

TEST(streams_have_banks_of_their_own_until_there_are_no_more)
{
	start(0, true);
	for (uint32_t i = 0; i < BANKS; i++) {
		CHECK_EQ(open_stream(RID + i), 0);
		CHECK_EQ(value_at(SMMUV2_S2CR + 4 * i, 4) & 0xff, i);
	}
	CHECK_EQ(open_stream(RID + BANKS), -ENOSPC);
	CHECK_EQ(open_stream(RID), 0); /* has one already */
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID + 1, FAMILY_SHUT, 0), 0);
	CHECK_EQ(open_stream(RID + BANKS), -ENOSPC); /* caches may lead there still */
	family_smmuv2.tidy(&tables, RID + 1, IOPF_PASID_NONE);
	CHECK_EQ(open_stream(RID + BANKS), -ENOSPC);
	family_smmuv2.tidy(&tables, RID + 1, IOPF_PASID_ANY);
	CHECK_EQ(open_stream(RID + BANKS), 0);
	CHECK_EQ(value_at(SMMUV2_S2CR + 4, 4) & 0xff, 1);
	CHECK_EQ(open_stream(0x8000), -EINVAL);
}

TEST(masks_of_what_others_matched_count)
{
	uint32_t number;
	uint64_t word;

	start(0, true);
	CHECK_EQ(on_write(NULL, SMMUV2_SMR + 8, 4, 0x80000000u | 0xfu << 16 | 0x300), 0);
	CHECK_EQ(smmuv2_stream_find(&tables.smmuv2.registers, features, 0x30f, &number, &word),
		 0);
	CHECK_EQ(number, 2);
	CHECK_EQ(smmuv2_stream_find(&tables.smmuv2.registers, features, 0x310, &number, &word),
		 0);
	CHECK_EQ(number, SMMUV2_NONE);
}

TEST(spaces_are_without_pasids_and_of_what_the_bank_does)
{
	const struct family_stage first = { .table = FAMILY_FIRST,
					    .smmuv3_first.format = {
						    .half = { { .root = 0x7000, .input_bits = 48 },
							      { .disabled = true } },
						    .output_bits = 48 } };
	const struct family_stage second = { .table = FAMILY_SECOND,
					     .smmuv3.format = { .root = 0x9000,
								.input_bits = 48,
								.levels = 4,
								.output_bits = 48 } };
	struct family_space space = { .kind = FAMILY_SHADOW, .stage = &first, .domain = 0x123,
				      .asid = 0x456 };

	start(2, true);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -ENOENT);
	CHECK_EQ(open_stream(RID), 0);
	CHECK_EQ(value_at(SMMUV2_S2CR, 4) & 0xff, 2); /* the one that does stage 1 */
	CHECK_EQ(family_smmuv2.space(&tables, RID, 5, &space), -EOPNOTSUPP);
	CHECK_EQ(family_smmuv2.space(&tables, RID, 5, NULL), -ENOENT);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), 0);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -EBUSY);
	CHECK_EQ(value_at(smmuv2_bank_at(features, SMMUV2_TTBR0, 2), 8),
		 UINT64_C(0x456) << 48 | 0x7000);
	CHECK_EQ(value_at(smmuv2_second_at(features, SMMUV2_CBA2R, 2), 4), 0x123u << 16 | 1);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, NULL), 0);
	CHECK_EQ(value_at(smmuv2_bank_at(features, SMMUV2_TTBR0, 2), 8), 0);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, NULL), -ENOENT);
	CHECK_EQ(open_stream(RID + 1), 0); /* stage 2 alone is left */
	CHECK_EQ(family_smmuv2.space(&tables, RID + 1, IOPF_PASID_NONE, &space), -EOPNOTSUPP);
	space = (struct family_space){ .kind = FAMILY_STAGE, .stage = &second, .domain = 1 };
	CHECK_EQ(family_smmuv2.space(&tables, RID + 1, IOPF_PASID_NONE, &space), 0);
	space.kind = FAMILY_SHADOW;
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -EINVAL);
	space = (struct family_space){ .kind = FAMILY_NESTED, .stage = &second, .domain = 1 };
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -EOPNOTSUPP);
}

TEST(numbers_are_as_wide_as_the_smmu_has_them)
{
	const struct family_stage second = { .table = FAMILY_SECOND,
					     .smmuv3.format = { .root = 0x9000,
								.input_bits = 48,
								.levels = 4,
								.output_bits = 48 } };
	struct family_space space = { .kind = FAMILY_STAGE, .stage = &second, .domain = 256 };

	start(0, false);
	CHECK_EQ(open_stream(RID), 0);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -EINVAL);
	space.domain = 255;
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), 0);
	CHECK_EQ(value_at(smmuv2_second_at(features, SMMUV2_CBAR, 0), 4) & 0xff, 255);
}

TEST(stall_that_does_not_hold_is_refused)
{
	const struct family_stage second = { .table = FAMILY_SECOND,
					     .smmuv3.format = { .root = 0x9000,
								.input_bits = 48,
								.levels = 4,
								.output_bits = 48 } };
	const struct family_space space = { .kind = FAMILY_STAGE, .stage = &second,
					    .stall = true };

	start(0, true);
	wired = SMMUV2_SCTLR_CFCFG;
	CHECK_EQ(open_stream(RID), -EOPNOTSUPP);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_OPEN, 0), 0);
	CHECK_EQ(family_smmuv2.space(&tables, RID, IOPF_PASID_NONE, &space), -EOPNOTSUPP);
}

TEST(door_is_said_at_the_stream)
{
	static const uint8_t types[] = { [FAMILY_SHUT] = SMMUV2_FAULT_ALL,
					 [FAMILY_BLOCKED] = SMMUV2_FAULT_ALL,
					 [FAMILY_OPEN] = SMMUV2_TRANSLATE };

	start(0, true);
	CHECK_EQ(family_smmuv2.endpoint(&tables, RID, FAMILY_SHUT, 0), 0); /* nothing to shut */
	CHECK_EQ(value_at(SMMUV2_SMR, 4), 0);
	for (unsigned door = FAMILY_OPEN + 1; door-- > 0;) {
		CHECK_EQ(family_smmuv2.endpoint(&tables, RID, (enum family_door)door,
						FAMILY_STALLS), 0);
		CHECK_EQ(value_at(SMMUV2_S2CR, 4) >> 16 & 3, types[door]);
	}
}

int main(void)
{
	return test_main();
}
