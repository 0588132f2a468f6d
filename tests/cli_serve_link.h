/* SPDX-License-Identifier: BSD-3-Clause */
/* cli_serve_link.h - QEMU's end of the proxied device's protocol, for a program in QEMU's
 * place: every access is sent, and its answer waited for. */
#ifndef CLI_SERVE_LINK_H
#define CLI_SERVE_LINK_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/proxy.h"
#include "cli_serve_program.h"

static int proxy_link;     /* the socket */
static uint32_t dies_after; /* so many accesses, the last not answered any more; 0: not */

static void send_bytes(const void *bytes, size_t size)
{
	EXPECT(send(proxy_link, bytes, size, MSG_NOSIGNAL) == (ssize_t)size, size);
}

static void message_begin(uint8_t *bytes, uint32_t command, uint64_t size)
{
	memset(bytes, 0, PROXY_MESSAGE_BYTES);
	memcpy(bytes, &command, sizeof(command));
	memcpy(bytes + 8, &size, sizeof(size));
}

static uint64_t reply_wait(void)
{
	uint8_t bytes[PROXY_HEADER_BYTES + 8];
	uint64_t value, size;
	uint32_t command;
	static uint32_t count;

	if (++count == dies_after)
		raise(SIGKILL);
	if (recv(proxy_link, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
		fail("no reply", (uint64_t)errno);
	memcpy(&command, bytes, sizeof(command));
	memcpy(&size, bytes + 8, sizeof(size));
	EXPECT(command == PROXY_reply && size == sizeof(value), command);
	memcpy(&value, bytes + PROXY_HEADER_BYTES, sizeof(value));
	return value;
}

static uint64_t config(uint32_t command, uint32_t addr, uint32_t value, uint32_t width)
{
	const uint32_t body[] = { addr, value, width };
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	message_begin(bytes, command, sizeof(body));
	memcpy(bytes + PROXY_HEADER_BYTES, body, sizeof(body));
	send_bytes(bytes, PROXY_HEADER_BYTES + sizeof(body));
	return reply_wait();
}

static uint64_t bus(uint32_t command, uint64_t addr, uint64_t value, uint32_t width)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];

	message_begin(bytes, command, 24);
	memcpy(bytes + PROXY_HEADER_BYTES, &addr, 8);
	memcpy(bytes + PROXY_HEADER_BYTES + 8, &value, 8);
	memcpy(bytes + PROXY_HEADER_BYTES + 16, &width, 4);
	send_bytes(bytes, PROXY_HEADER_BYTES + 24);
	return reply_wait();
}

static uint64_t get(uint64_t addr, uint32_t width)
{
	return bus(PROXY_bar_read, addr, 0, width);
}

static void put(uint64_t addr, uint32_t width, uint64_t value)
{
	bus(PROXY_bar_write, addr, value, width);
}

static void with_descriptors(uint32_t command, size_t size)
{
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { bytes, PROXY_HEADER_BYTES + size };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	const int descriptors[] = { 0, 1 };

	message_begin(bytes, command, size);
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(descriptors)) };
	memcpy(CMSG_DATA(&control.header), descriptors, sizeof(descriptors));
	EXPECT(sendmsg(proxy_link, &header, MSG_NOSIGNAL) == (ssize_t)part.iov_len,
	       (uint64_t)errno);
}

#endif
