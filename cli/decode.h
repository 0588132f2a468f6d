/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/decode.h - what iopf decode read, and how it is shown. */
#ifndef CLI_DECODE_H
#define CLI_DECODE_H

#include "cli/records.h"

/* Records that were read: one, or a whole queue of them. */
struct decode_dump {
	struct named_record named;
	uint8_t *bytes; /* little-endian words */
	uint32_t size_bytes; /* of one record */
	uint32_t count;
	bool queue;          /* between head and tail they are live, the others stale */
	uint64_t head, tail; /* as the registers have them */
	uint32_t first, live; /* the number of the first that is live, and how many are */
	const char *wrong;    /* with head and tail, or NULL */
};

/* Returns: problems in records that are live. */
unsigned decode_print(const struct decode_dump *dump);
unsigned decode_print_json(const struct decode_dump *dump);

#endif
