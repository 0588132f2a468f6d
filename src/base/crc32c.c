/* SPDX-License-Identifier: BSD-3-Clause */
/* base/crc32c.c - CRC-32C, eight bytes at a time, without anything to set up. */
#include "base/crc32c.h"

#include "base/le.h"

/*
 * A remainder is linear: that of a byte is the sum of those of its bits. So the eight
 * remainders of single bits give a table of 256, at compile time. Table n holds the
 * remainders of a byte that n zero bytes follow.
 */
#define BIT(i, bit, remainder) (((i) >> (bit) & 1) * UINT32_C(remainder))
#define ENTRY(i, a, b, c, d, e, f, g, h)                                             \
	(BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^  \
	 BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))
#define FOUR(i, ...)                                                     \
	ENTRY((i), __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__),            \
	ENTRY((i) + 2, __VA_ARGS__), ENTRY((i) + 3, __VA_ARGS__)
#define SIXTEEN(i, ...)                                                  \
	FOUR((i), __VA_ARGS__), FOUR((i) + 4, __VA_ARGS__),              \
	FOUR((i) + 8, __VA_ARGS__), FOUR((i) + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...)                                               \
	SIXTEEN((i), __VA_ARGS__), SIXTEEN((i) + 16, __VA_ARGS__),       \
	SIXTEEN((i) + 32, __VA_ARGS__), SIXTEEN((i) + 48, __VA_ARGS__)
#define SLICE(...)                                                       \
	{ SIXTY_FOUR(0u, __VA_ARGS__), SIXTY_FOUR(64u, __VA_ARGS__),     \
	  SIXTY_FOUR(128u, __VA_ARGS__), SIXTY_FOUR(192u, __VA_ARGS__) }

/* Polynomial 0x1edc6f41, bits reversed: 0x82f63b78 is what bit 7 of a byte leaves. */
/* clang-format off */
static const uint32_t slice[8][256] = {
	SLICE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
	      0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	SLICE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
	      0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	SLICE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
	      0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	SLICE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
	      0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	SLICE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
	      0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	SLICE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
	      0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	SLICE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
	      0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	SLICE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
	      0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};
/* clang-format on */

static uint32_t slice_word(uint64_t word)
{
	uint32_t crc = 0;

	for (unsigned n = 0; n < 8; n++)
		crc ^= slice[7 - n][word >> 8 * n & 0xff];
	return crc;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size_bytes)
{
	const uint8_t *at = bytes;

	crc = ~crc;
	for (; size_bytes >= 8; at += 8, size_bytes -= 8)
		crc = slice_word(le64_get(at) ^ crc);
	for (; size_bytes > 0; at++, size_bytes--)
		crc = crc >> 8 ^ slice[0][(crc ^ *at) & 0xff];
	return ~crc;
}
