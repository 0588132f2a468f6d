/* SPDX-License-Identifier: BSD-3-Clause */
/* Description: CRC-32C gives the published values, in whatever pieces it is taken. */
#include "base/crc32c.h"

#include "test.h"

/* RFC 3720, B.4, and the usual check value. */
TEST(published_values)
{
	uint8_t bytes[32];

	CHECK_EQ(crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQ(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned n = 0; n < 32; n++)
		bytes[n] = (uint8_t)n;
	CHECK_EQ(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
	CHECK_EQ(crc32c(0, bytes, 0), 0);
}

static uint32_t by_bit(const uint8_t *bytes, size_t count)
{
	uint32_t crc = UINT32_MAX;

	for (size_t n = 0; n < count; n++) {
		crc ^= bytes[n];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1) * UINT32_C(0x82f63b78);
	}
	return ~crc;
}

TEST(any_length_at_any_alignment_agrees_with_one_bit_at_a_time)
{
	uint64_t state = 1;
	uint8_t bytes[300];

	for (size_t n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8_t)test_random(&state);
	for (size_t from = 0; from < 9; from++)
		for (size_t count = 0; from + count <= sizeof(bytes); count++)
			CHECK_EQ(crc32c(0, bytes + from, count),
				 by_bit(bytes + from, count));
}

TEST(pieces_add_up)
{
	uint64_t state = 2;
	uint8_t bytes[256];

	for (size_t n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8_t)test_random(&state);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++)
		CHECK_EQ(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut),
			 crc32c(0, bytes, sizeof(bytes)));
}

int main(void)
{
	return test_main();
}
