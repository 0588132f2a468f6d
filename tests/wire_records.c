/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: every record of every family: its bits, its rules, there and back. */
#include "record_keeps.h"
#include "records.h"
#include "wire/record.h"

static const struct wire_family *family;

static void each(records_check *check)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		family = wire_families[i];
		records_each(family->name, family->records, check);
	}
}

TEST(families_and_their_records_have_names_of_their_own)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		const struct wire_family *one = wire_families[i];

		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(wire_families[k]->name, one->name) != 0);
		CHECK(one->wire == iopf_wire_find(one->name));
		for (const struct record *at = one->records; at->name != NULL; at++)
			for (const struct record *before = one->records; before < at; before++)
				CHECK(strcmp(before->name, at->name) != 0);
	}
	CHECK(iopf_wire_find("pcie") == NULL && iopf_wire_find("") == NULL);
	CHECK(iopf_wire_find("vt") == NULL && iopf_wire_find("vtd ") == NULL);
}

/* The first record of each role is what the codec reads. */
TEST(codecs_and_records_have_the_same_sizes)
{
	for (size_t i = 0; wire_families[i] != NULL; i++) {
		const struct iopf_wire *wire = wire_families[i]->wire;
		const struct record *request = wire_record(wire_families[i], RECORD_REQUEST);
		const struct record *command = wire_record(wire_families[i], RECORD_COMMAND);
		const struct record *event = wire_record(wire_families[i], RECORD_EVENT);

		if (wire == NULL)
			continue;
		CHECK_EQ(wire->request_bytes, request != NULL ? request->size_bytes : 0);
		CHECK_EQ(wire->command_bytes[0], command != NULL ? command->size_bytes : 0);
		CHECK_EQ(wire->command_bytes[1], command != NULL ? command->short_bytes : 0);
		if (wire->fault_bytes != 0)
			CHECK_EQ(wire->fault_bytes, event->size_bytes);
	}
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

TEST(each_kind_has_records_in_which_nothing_is_wrong)
{
	each(records_check_clean);
}

TEST(the_documentation_has_every_field)
{
	each(records_check_documented);
}

/* ---- There and back ---------------------------------------------------------------- */

static void tell(const uint8_t *bytes, const uint8_t *again, uint32_t size_bytes)
{
	for (uint32_t i = 0; i < size_bytes; i += 8)
		printf("word %u: 0x%016" PRIx64 " came back as 0x%016" PRIx64 "\n", i / 8,
		       le64_get(bytes + i), le64_get(again + i));
}

static void keeps(const struct records_kind *kind, const uint8_t *bytes)
{
	const char *wrong = record_keeps(family, kind->record, bytes, kind->size_bytes);
	uint8_t again[RECORD_BYTES_MAX];

	if (wrong != NULL) {
		wire_again(family, kind->record, bytes, kind->size_bytes, again);
		tell(bytes, again, kind->size_bytes);
	}
	records_at = wrong;
	CHECK_KIND(wrong == NULL, kind);
}

static void check_clean_comes_back(struct records_kind *kind)
{
	uint8_t bytes[RECORD_BYTES_MAX];
	uint64_t seed = 2;

	for (unsigned round = 0; round < 20000; round++) {
		CHECK_KIND(records_random_clean(kind, &seed, bytes), kind);
		keeps(kind, bytes);
	}
}

TEST(random_records_come_back_but_for_losses_that_have_a_name)
{
	each(check_clean_comes_back);
}

static void check_strict(struct records_kind *kind)
{
	uint8_t bytes[RECORD_BYTES_MAX];
	uint64_t seed = 3;

	for (unsigned round = 0; round < 20000; round++) {
		records_random(kind, &seed, bytes);
		keeps(kind, bytes);
	}
}

TEST(what_a_codec_refuses_or_ignores_is_wrong_and_it_tells_reserved_bits)
{
	each(check_strict);
}

/* From records in which nothing is wrong: the bit is kept, or something is wrong. */
static void check_bits_count(struct records_kind *kind)
{
	uint8_t bytes[RECORD_BYTES_MAX];
	uint64_t seed = 4;

	for (unsigned round = 0; round < 50; round++) {
		CHECK_KIND(records_random_clean(kind, &seed, bytes), kind);
		for (unsigned bit = 0; bit < 8 * kind->size_bytes; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			keeps(kind, bytes);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

TEST(each_bit_counts_or_something_is_wrong)
{
	each(check_bits_count);
}

static bool is_reserved(const struct records_kind *kind, uint32_t field)
{
	return (kind->is.reserved[FIELD_WORD(field)] & FIELD_MASK(field)) != 0;
}

/* A loss that has a name happens. */
static void check_losses(struct records_kind *kind)
{
	const struct iopf_layout *layout = kind->is.layout;
	uint8_t bytes[RECORD_BYTES_MAX], again[RECORD_BYTES_MAX];
	const struct record_rule *rule = layout->rules;
	uint64_t seed = 5;

	for (; rule != NULL && rule->field != 0; rule++) {
		bool happened = rule->kind != RECORD_RULE_LOSS ||
				is_reserved(kind, rule->field) ||
				(rule->on != 0 && is_reserved(kind, rule->on));

		for (unsigned round = 0; round < 20000 && !happened; round++) {
			records_random_clean(kind, &seed, bytes);
			if (rule->on != 0 && round % 2)
				field_put(bytes, rule->on,
					  (uint64_t)__builtin_ctzll(rule->values));
			if (record_loss(layout, bytes, rule->field) != rule->text ||
			    wire_again(family, kind->record, bytes, kind->size_bytes,
				       again) < 0)
				continue;
			happened = field_get(bytes, rule->field) !=
				   field_get(again, rule->field);
		}
		records_at = rule->text;
		CHECK_KIND(happened, kind);
	}
}

TEST(losses_that_have_a_name_happen)
{
	each(check_losses);
}

int main(void)
{
	return test_main();
}
