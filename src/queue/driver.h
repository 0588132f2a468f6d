/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/driver.h - what the driver end knows, and what differs between families.
 *
 * A family is a row: its wire, how its queues count, which registers hold the indices
 * and the flags, and the few operations that are sequences of register accesses.
 */
#ifndef QUEUE_DRIVER_H
#define QUEUE_DRIVER_H

#include "iopf/queue.h"
#include "queue/ring.h"

/* Index registers of a queue, 8 bytes wide. */
struct driver_indices {
	uint16_t prod, cons;
};

struct driver_family {
	const struct iopf_wire *wire;
	struct ring_convention convention;
	struct driver_indices request, command;
	/* The request queue's flags: a 4-byte register, write 1 to clear. */
	uint16_t status;
	uint32_t pending, overflow;
	int (*start)(struct iopf_driver *driver);
	int (*stop)(struct iopf_driver *driver);
	int (*errors)(struct iopf_driver *driver);
	int (*skip)(struct iopf_driver *driver);
};

extern const struct driver_family driver_vtd;

struct iopf_driver {
	const struct driver_family *family;
	struct iopf_driver_options options;

	struct ring request;
	uint32_t request_tail; /* as last read: what is before it is published */
	uint32_t request_head; /* ours */

	struct ring command;
	uint32_t command_prod;
	uint32_t command_published; /* the tail register */
	uint32_t command_cons;      /* as last read and found possible */

	uint64_t wait_submitted; /* the last wait's name; its low half is what is written */
	uint64_t wait_seen;      /* the newest that hardware has reported */

	uint32_t silent_rid; /* did not answer an invalidation; 0: hardware did not say */

	uint8_t phase;  /* of start or stop */
	bool phase_begun;
	struct iopf_driver_stats stats;
};

int driver_read(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		uint64_t *value);
int driver_write(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		 uint64_t value);

/* Both queues and the waits as after the registers were set to 0. */
void driver_reset(struct iopf_driver *driver);

/* Read the index of the command that hardware will take next. 0, -EIO. */
int driver_command_head(struct iopf_driver *driver, uint32_t *index);

#endif
