/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: records of Linux's fault descriptor, read and written, bit by bit. */
#include <errno.h>

#include "wire/iommufd.h"
#include "wire/record.h"

#include "vectors.h"

enum { BYTES = 40 };

static struct vector vector;

/* What a vector's words are in the memory of this machine. */
static void native(const struct iopf_layout *layout, const uint64_t *words, uint8_t *record)
{
	memset(record, 0, layout->size_bytes);
	for (uint32_t i = 0; i < layout->row_count; i++) {
		uint32_t field = layout->rows[i].field;

		iommufd_put(record, field, field_of(words[FIELD_WORD(field)], field));
	}
}

static void vector_fault_is(void)
{
	const struct iopf_iommufd_fault wanted = {
		.addr = vector_number(&vector, "addr"),
		.device = (uint32_t)vector_number(&vector, "device"),
		.pasid = (uint32_t)vector_number(&vector, "pasid"),
		.group = (uint32_t)vector_number(&vector, "index"),
		.length = (uint32_t)vector_number(&vector, "length"),
		.cookie = (uint32_t)vector_number(&vector, "cookie"),
		.perm = vector_perm(&vector, "perm"),
		.pasid_valid = vector_pasid(&vector) != IOPF_PASID_NONE,
		.last = vector_text(&vector, "flags") != NULL,
	};
	struct iopf_iommufd_fault got;
	uint8_t record[BYTES], again[BYTES];
	bool reserved = true;

	CHECK_EQ(vector.word_count, 5);
	native(&iommufd_fault_layout, vector.words, record);
	iopf_iommufd_decode_fault(record, &got, &reserved);
	CHECK(memcmp(&got, &wanted, sizeof(got)) == 0 && !reserved);
	CHECK_EQ(iopf_iommufd_encode_fault(&wanted, again), 0);
	CHECK(memcmp(again, record, BYTES) == 0);
}

static void vector_response_is(void)
{
	uint32_t cookie = (uint32_t)vector_number(&vector, "cookie"), got;
	bool success = strcmp(vector_text(&vector, "code"), "success") == 0;
	uint8_t record[8], again[8];
	enum iopf_code code;

	CHECK_EQ(vector.word_count, 1);
	native(&iommufd_response_layout, vector.words, record);
	CHECK_EQ(iopf_iommufd_decode_response(record, &got, &code), 0);
	CHECK_EQ(got, cookie);
	CHECK_EQ(code, success ? IOPF_SUCCESS : IOPF_INVALID);
	iopf_iommufd_encode_response(cookie, code, again);
	CHECK(memcmp(again, record, 8) == 0);
}

TEST(records_are_what_the_vectors_say)
{
	FILE *file = vectors_open("iommufd.txt");
	int count = 0;

	while (vector_next(file, &vector)) {
		count += strncmp(vector.record, "plain_", 6) == 0;
		if (strcmp(vector.record, "plain_fault") == 0)
			vector_fault_is();
		else if (strcmp(vector.record, "plain_response") == 0)
			vector_response_is();
	}
	fclose(file);
	CHECK_EQ(count, 7);
}

TEST(what_is_written_is_read_again)
{
	uint64_t seed = 0x1d;

	for (unsigned i = 0; i < 200000; i++) {
		struct iopf_iommufd_fault wanted, got;
		uint8_t record[BYTES];
		bool reserved;

		wanted = (struct iopf_iommufd_fault){ .addr = test_random(&seed),
						      .device = (uint32_t)test_random(&seed),
						      .pasid = (uint32_t)test_random(&seed),
						      .group = (uint32_t)test_random(&seed),
						      .length = (uint32_t)test_random(&seed),
						      .cookie = (uint32_t)test_random(&seed),
						      .perm = (uint8_t)(test_random(&seed) % 16),
						      .pasid_valid = test_random(&seed) % 2,
						      .last = test_random(&seed) % 2 };
		memset(record, 0xa5, sizeof(record));
		CHECK_EQ(iopf_iommufd_encode_fault(&wanted, record), 0);
		iopf_iommufd_decode_fault(record, &got, &reserved);
		CHECK(memcmp(&got, &wanted, sizeof(got)) == 0 && !reserved);
	}
}

TEST(right_that_there_is_not_is_not_written)
{
	const struct iopf_iommufd_fault fault = { .perm = 16 };
	uint8_t record[BYTES] = { 0xa5 };

	CHECK_EQ(iopf_iommufd_encode_fault(&fault, record), -ERANGE);
	CHECK_EQ(record[0], 0xa5);
}

/* A one through nothing, then a zero through everything. */
TEST(each_bit_of_a_fault_counts_or_is_reported)
{
	for (unsigned full = 0; full < 2; full++) {
		struct iopf_iommufd_fault base, got;
		uint8_t record[BYTES];
		bool reserved;

		memset(record, full ? 0xff : 0, sizeof(record));
		iopf_iommufd_decode_fault(record, &base, &reserved);
		CHECK_EQ(reserved, full);
		for (unsigned bit = 0; bit < 8 * BYTES; bit++) {
			bool same;

			record[bit / 8] ^= (uint8_t)(1 << bit % 8);
			iopf_iommufd_decode_fault(record, &got, &reserved);
			same = memcmp(&got, &base, sizeof(got)) == 0;
			CHECK(full || same == reserved);
			record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

TEST(each_field_has_its_own_bits)
{
	for (const struct record *at = wire_family_iommufd.records; at->name != NULL; at++) {
		const struct iopf_layout *layout = at->layout;

		for (uint32_t k = 0; k < layout->row_count; k++) {
			uint32_t field = layout->rows[k].field;
			uint8_t record[64] = { 0 };

			iommufd_put(record, field, UINT64_MAX >> (64 - FIELD_WIDTH(field)));
			for (uint32_t n = 0; n < layout->row_count; n++)
				CHECK_EQ(iommufd_get(record, layout->rows[n].field) != 0,
					 n == k);
			iommufd_put(record, field, 0);
			for (uint32_t n = 0; n < layout->size_bytes; n++)
				CHECK_EQ(record[n], 0);
		}
	}
}

TEST(kernel_takes_two_codes)
{
	uint8_t record[8];
	uint32_t cookie = 5;
	enum iopf_code code = IOPF_FAILURE;

	iopf_iommufd_encode_response(9, IOPF_FAILURE, record);
	CHECK_EQ(iopf_iommufd_decode_response(record, &cookie, &code), 0);
	CHECK_EQ(code, IOPF_INVALID);
	CHECK_EQ(cookie, 9);
	for (unsigned bit = 1; bit < 32; bit++) {
		uint32_t said = 1u << bit;

		memcpy(record + 4, &said, sizeof(said));
		CHECK_EQ(iopf_iommufd_decode_response(record, &cookie, &code), -EBADMSG);
	}
}

int main(void)
{
	return test_main();
}
