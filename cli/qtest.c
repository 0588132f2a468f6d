/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/qtest.c - writes into a machine of QEMU's, by its test protocol. */
#include "cli/qtest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void qtest_create(struct qtest *qtest, int socket)
{
	*qtest = (struct qtest){ .socket = socket };
}

void qtest_destroy(struct qtest *qtest)
{
	if (qtest->socket >= 0)
		close(qtest->socket);
	qtest->socket = -1;
}

/* The first one may be half sent: it is not joined. */
static bool joined(const struct qtest *qtest, uint64_t addr, uint32_t data)
{
	for (uint32_t i = 1; i < qtest->count; i++) {
		const struct qtest_write *at =
			&qtest->waiting[(qtest->first + i) % QTEST_WRITE_MAX];

		if (at->addr == addr && at->data == data)
			return true;
	}
	return false;
}

void qtest_put(struct qtest *qtest, uint64_t addr, uint32_t data)
{
	if (joined(qtest, addr, data)) {
		qtest->stats.joined++;
		return;
	}
	if (qtest->socket < 0 || qtest->count == QTEST_WRITE_MAX) {
		qtest->stats.lost++;
		return;
	}
	qtest->waiting[(qtest->first + qtest->count++) % QTEST_WRITE_MAX] =
		(struct qtest_write){ addr, data };
}

/* What it answers is of no use: nothing but that lines came. */
static void answers_read(struct qtest *qtest)
{
	enum { TURNS = 16 };
	char text[512];

	for (int i = 0; i < TURNS && qtest->socket >= 0; i++) {
		ssize_t got = recv(qtest->socket, text, sizeof(text), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0)
			qtest_destroy(qtest);
	}
}

static void line_begin(struct qtest *qtest)
{
	const struct qtest_write *write = &qtest->waiting[qtest->first];

	qtest->line_sent = 0;
	qtest->line_bytes = (uint32_t)snprintf(qtest->line, sizeof(qtest->line),
					       "writel 0x%" PRIx64 " 0x%" PRIx32 "\n",
					       write->addr, write->data);
}

/* False: there is no room, or nobody there. */
static bool line_send(struct qtest *qtest)
{
	if (qtest->line_bytes == 0)
		line_begin(qtest);
	while (qtest->line_sent < qtest->line_bytes) {
		ssize_t sent = send(qtest->socket, qtest->line + qtest->line_sent,
				    qtest->line_bytes - qtest->line_sent,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			qtest_destroy(qtest);
		if (sent <= 0)
			return false;
		qtest->line_sent += (uint32_t)sent;
	}
	return true;
}

uint32_t qtest_go_on(struct qtest *qtest)
{
	uint32_t count = 0;

	answers_read(qtest);
	while (qtest->socket >= 0 && qtest->count > 0 && line_send(qtest)) {
		qtest->line_bytes = 0;
		qtest->first = (qtest->first + 1) % QTEST_WRITE_MAX;
		qtest->count--;
		qtest->stats.writes++;
		count++;
	}
	if (qtest->socket < 0) {
		qtest->stats.lost += qtest->count;
		qtest->count = 0;
	}
	return count;
}

bool qtest_waits(const struct qtest *qtest)
{
	return qtest->socket >= 0 && qtest->count > 0;
}
