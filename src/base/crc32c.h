/* SPDX-License-Identifier: BSD-3-Clause */
/* base/crc32c.h - CRC-32C (Castagnoli), the checksum of RFC 3720. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what @crc covers followed by @bytes; 0 covers nothing. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size_bytes);

#endif
