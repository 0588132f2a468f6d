/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: structures in memory as records: bits, words, rules of every family. */
#include "records.h"
#include "table/family.h"
#include "vector_fields.h"

static void each(records_check *check)
{
	for (size_t i = 0; family_rows[i] != NULL; i++)
		if (family_rows[i]->structures != NULL)
			records_each(family_rows[i]->name, family_rows[i]->structures,
				     check);
}

TEST(layouts_are_in_bit_order_and_every_field_has_a_meaning)
{
	each(records_check_rows);
}

TEST(words_and_rules_are_about_what_there_is)
{
	each(records_check_words);
}

TEST(each_bit_shows_in_one_field_and_a_reserved_one_is_reported)
{
	each(records_check_walk);
}

TEST(each_rule_can_be_broken)
{
	each(records_check_rules);
}

TEST(each_structure_has_values_in_which_nothing_is_wrong)
{
	each(records_check_clean);
}

TEST(the_documentation_has_every_field)
{
	each(records_check_documented);
}

static const struct record *structure(const struct record *structures, const char *name)
{
	while (structures->name != NULL && strcmp(structures->name, name) != 0)
		structures++;
	CHECK(structures->name != NULL);
	return structures;
}

/* tests/vectors/FAMILY-structures.txt: a line for each structure, and nothing wrong. */
static void check_lines(const struct family *family)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	char name[64];
	uint64_t seen = 0;
	struct vector vector;
	FILE *file;

	snprintf(name, sizeof(name), "%s-structures.txt", family->name);
	file = vectors_open(name);
	while (vector_next(file, &vector)) {
		const struct record *record = structure(family->structures, vector.record);
		uint8_t bytes[RECORD_BYTES_MAX] = { 0 };
		bool good;

		vector_bytes(&vector, bytes);
		good = vector_fields_match(&vector, record, bytes) &&
		       record_problems(record, bytes, record->size_bytes, problems) == 0;
		if (!good)
			printf("%s: not so: %s", name, vector.line);
		CHECK(good);
		seen |= UINT64_C(1) << (record - family->structures);
	}
	fclose(file);
	for (unsigned i = 0; family->structures[i].name != NULL; i++)
		CHECK(seen >> i & 1);
}

TEST(structures_are_what_the_vectors_say)
{
	for (size_t i = 0; family_rows[i] != NULL; i++)
		if (family_rows[i]->structures != NULL)
			check_lines(family_rows[i]);
}

/* What software builds for an IOMMU is what a strict reader expects. */
static unsigned problems_of(const struct record *record, const uint64_t *words)
{
	struct record_problem problems[RECORD_PROBLEMS_MAX];
	uint8_t bytes[RECORD_BYTES_MAX] = { 0 };

	for (uint32_t i = 0; i < record->size_bytes / 8; i++)
		le64_put(bytes + 8 * i, words[i]);
	return record_problems(record, bytes, record->size_bytes, problems);
}

TEST(nothing_is_wrong_with_vtd_entries_that_are_built)
{
	const struct vtd_context context = { .directory = 0x1000, .pdts = 3, .ats = true,
					     .pasid = true, .pri = true };
	static const struct vtd_pasid pasids[] = {
		{ .pgtt = VTD_PGTT_FIRST, .first_root = 0x1000, .first_levels = 4,
		  .domain = 7, .supervisor = true, .exec = true },
		{ .pgtt = VTD_PGTT_SECOND, .second_root = 0x2000, .second_levels = 4 },
		{ .pgtt = VTD_PGTT_NESTED, .first_root = 0x1000, .first_levels = 5,
		  .second_root = 0x2000, .second_levels = 5, .second_ad = true },
		{ .pgtt = VTD_PGTT_PASS },
	};
	uint64_t words[VTD_PE_WORDS];

	CHECK_EQ(vtd_context_encode(&context, words), 0);
	CHECK_EQ(problems_of(structure(vtd_structures, "context"), words), 0);
	for (size_t i = 0; i < sizeof(pasids) / sizeof(pasids[0]); i++) {
		CHECK_EQ(vtd_pasid_encode(&pasids[i], words), 0);
		CHECK_EQ(problems_of(structure(vtd_structures, "pasid"), words), 0);
	}
	words[7] = 1;
	CHECK_EQ(problems_of(structure(vtd_structures, "pasid"), words), 1);
}

TEST(nothing_is_wrong_with_smmuv3_entries_that_are_built)
{
	const struct vmsas2_format second = { .root = 0x2000, .input_bits = 48, .levels = 4,
					      .output_bits = 48, .access = true,
					      .dirty = true };
	const struct smmuv3_ste stes[] = {
		{ .config = SMMUV3_ABORT },
		{ .config = SMMUV3_BYPASS },
		{ .config = SMMUV3_FIRST, .context_addr = 0x1000, .context_bits = 10,
		  .contexts = SMMUV3_LEAF_4K, .ats = SMMUV3_ATS_FULL, .stall_off = true },
		{ .config = SMMUV3_SECOND, .second = second, .stall = true, .record = true },
		{ .config = SMMUV3_BOTH, .context_addr = 0x1000, .second = second,
		  .ats = SMMUV3_ATS_SPLIT, .vmid = 5, .response_pasid = true },
	};
	const struct smmuv3_cd cd = {
		.first = { .half = { { .root = 0x3000, .input_bits = 48 },
				     { .input_bits = 48, .disabled = true } },
			   .output_bits = 48, .access = true, .dirty = true },
		.asid = 9,
		.stall = true,
	};
	uint64_t words[SMMUV3_STE_WORDS];

	for (size_t i = 0; i < sizeof(stes) / sizeof(stes[0]); i++) {
		CHECK_EQ(smmuv3_ste_encode(&stes[i], words), 0);
		CHECK_EQ(problems_of(structure(smmuv3_structures, "ste"), words), 0);
	}
	CHECK_EQ(smmuv3_cd_encode(&cd, words), 0);
	CHECK_EQ(problems_of(structure(smmuv3_structures, "cd"), words), 0);
}

int main(void)
{
	return test_main();
}
