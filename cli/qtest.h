/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/qtest.h - writes into a machine of QEMU's from outside, by its test protocol:
 * lines of text over a stream socket, "writel ADDR DATA", each answered with a line.
 * A message signalled interrupt is such a write.
 *
 * Never waits: what the socket has no room for waits in a ring; what the ring has no
 * room for is a line that is written already (an interrupt that comes twice is one), or
 * is lost and counted.
 *
 * Threads. One.
 */
#ifndef CLI_QTEST_H
#define CLI_QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QTEST_WRITE_MAX = 64 };

struct qtest_write {
	uint64_t addr;
	uint32_t data;
};

/* clang-format off */
#define QTEST_COUNTERS(X) \
	X(writes, "that were sent") \
	X(joined, "that waited already when they came again") \
	X(lost,   "for which there was no room, or nobody there")
/* clang-format on */
#define QTEST_COUNTER_MEMBER(name, text) uint64_t name;
struct qtest_stats {
	QTEST_COUNTERS(QTEST_COUNTER_MEMBER)
};

struct qtest {
	int socket; /* -1: closed */
	struct qtest_write waiting[QTEST_WRITE_MAX];
	uint32_t first, count;
	char line[64]; /* of the first, as far as it was not sent */
	uint32_t line_bytes, line_sent;
	struct qtest_stats stats;
};

/* @socket becomes its own. */
void qtest_create(struct qtest *qtest, int socket);
void qtest_destroy(struct qtest *qtest);

/* The 32 bits @data to the physical address @addr, soon. */
void qtest_put(struct qtest *qtest, uint64_t addr, uint32_t data);

/* Send what waits, and read what was answered, as far as it goes. Returns: how many
 * writes went. */
uint32_t qtest_go_on(struct qtest *qtest);

/* Something waits for room. */
bool qtest_waits(const struct qtest *qtest);

#endif
