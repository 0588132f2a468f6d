/* SPDX-License-Identifier: BSD-3-Clause */
/* base/le.h - little-endian words in bytes: alignment and host order do not exist. */
#ifndef BASE_LE_H
#define BASE_LE_H

#include <stdint.h>
#include <string.h>

static inline uint64_t le64_host(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(value);
#else
	return value;
#endif
}

static inline uint32_t le32_host(uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap32(value);
#else
	return value;
#endif
}

static inline uint64_t le64_get(const void *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64_host(value);
}

static inline void le64_put(void *bytes, uint64_t value)
{
	value = le64_host(value);
	memcpy(bytes, &value, sizeof(value));
}

static inline uint32_t le32_get(const void *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return le32_host(value);
}

static inline void le32_put(void *bytes, uint32_t value)
{
	value = le32_host(value);
	memcpy(bytes, &value, sizeof(value));
}

#endif
