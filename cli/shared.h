/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/shared.h - registers that are memory of the machine's own: where accesses cannot be
 * made to wait (QEMU's arm64 has no proxied devices), they are looked at in turn.
 *
 * That is sound for registers with one writer each, whose value is what was written last:
 * an SMMUv3's are such. The list has them in the order in which either side writes them:
 * what sets something off comes behind what that looks at, what tells of something behind
 * what it tells of. What changed since the last look is handed on in this order; then each
 * is shown as it is now, unless it was written meanwhile.
 */
#ifndef CLI_SHARED_H
#define CLI_SHARED_H

#include <stdbool.h>
#include <stdint.h>

struct shared_register {
	uint32_t offset;
	uint32_t width_bytes; /* 4 or 8 */
};

enum { SHARED_MAX = 96 };

struct shared {
	uint8_t *bytes; /* borrowed; aligned to 8 */
	const struct shared_register *registers;
	uint32_t count; /* at most SHARED_MAX */
	uint64_t seen[SHARED_MAX];
	uint64_t (*read)(void *context, uint32_t offset, uint32_t width_bytes);
	void (*write)(void *context, uint32_t offset, uint32_t width_bytes, uint64_t value);
	void *context;
};

/* Hand on what was written. Returns: how many registers. */
uint32_t shared_take(struct shared *shared);

/* Show what changed. */
void shared_show(struct shared *shared);

/* What software last saw, or wrote, at @offset; 0 where no register is. */
uint64_t shared_seen(const struct shared *shared, uint32_t offset);

/* What stands there now. */
uint64_t shared_now(const struct shared *shared, uint32_t offset);

#endif
