/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/port.c - messages between the host's process and a guest's. */
#include "cli/port.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/le.h"
#include "cli/cli.h"

/* ---- Bytes ------------------------------------------------------------------------- */

void port_encode(const struct port_message *message, uint8_t *bytes)
{
	memset(bytes, 0, PORT_BYTES);
	bytes[0] = message->kind;
	bytes[1] = message->width;
	le32_put(bytes + 4, message->offset);
	le64_put(bytes + 8, message->value);
	le64_put(bytes + 16, message->tag);
	le64_put(bytes + 24, message->extra);
}

static bool kind_fits(uint8_t kind, bool guest)
{
#define PORT_KIND_GUEST(name, by_guest, text) [PORT_##name] = (by_guest),
	static const bool by_guest_of[] = { PORT_KINDS(PORT_KIND_GUEST) };

	return kind > PORT_NONE && kind < PORT_KIND_COUNT && by_guest_of[kind] == guest;
}

bool port_decode(const uint8_t *bytes, size_t size_bytes, bool guest,
		 struct port_message *message)
{
	if (size_bytes != PORT_BYTES || !kind_fits(bytes[0], guest) || bytes[2] != 0 ||
	    bytes[3] != 0)
		return false;
	*message = (struct port_message){
		.kind = bytes[0],
		.width = bytes[1],
		.offset = le32_get(bytes + 4),
		.value = le64_get(bytes + 8),
		.tag = le64_get(bytes + 16),
		.extra = le64_get(bytes + 24),
	};
	return true;
}

int port_create(int *host, int *guest)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	*host = pair[0];
	*guest = pair[1];
	return 0;
}

/* ---- The host's end ---------------------------------------------------------------- */

/* One message, cut off one byte behind the longest that there is: too long is seen. */
static int take(int port, bool by_guest, struct port_message *message)
{
	uint8_t bytes[PORT_BYTES + 1];
	ssize_t got = recv(port, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	if (got == 0)
		return -ENODATA;
	return port_decode(bytes, (size_t)got, by_guest, message) ? 1 : -EBADMSG;
}

int port_take(int port, struct port_message *message)
{
	return take(port, true, message);
}

bool port_put(int port, const struct port_message *message)
{
	uint8_t bytes[PORT_BYTES];

	port_encode(message, bytes);
	return send(port, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(bytes);
}

/* ---- A guest's end ----------------------------------------------------------------- */

static bool ready(const struct port *port, short events, int timeout_ms)
{
	struct pollfd wait = { .fd = port->descriptor, .events = events };

	return poll(&wait, 1, timeout_ms) > 0;
}

void port_send(struct port *port, const struct port_message *message)
{
	while (!port->gone && !port_put(port->descriptor, message)) {
		if (errno == EAGAIN || errno == ENOBUFS)
			(void)ready(port, POLLOUT, 100);
		else if (errno != EINTR)
			port->stop = port->gone = true;
	}
}

/* Take what is there; true: the reply to the last read was, and is @value. */
static bool messages_take(struct port *port, uint64_t *value)
{
	struct port_message message;
	int got;

	while ((got = take(port->descriptor, false, &message)) == 1) {
		if (message.kind == PORT_interrupt)
			port->vectors |= (uint32_t)message.value;
		else if (message.kind == PORT_stop)
			port->stop = true;
		else if (message.tag == port->tag) {
			*value = message.value;
			return true;
		}
	}
	if (got == -EPIPE || got == -ENODATA)
		port->stop = port->gone = true;
	return false;
}

uint64_t port_read(struct port *port, enum port_kind kind, uint32_t offset, uint32_t width)
{
	enum { AGAIN_MS = 1000 };
	struct port_message message = { .kind = (uint8_t)kind,
					.width = (uint8_t)width,
					.offset = offset };
	uint64_t value = UINT64_MAX;

	/* A reply that found no room is asked for again, under a new tag. */
	while (!port->gone) {
		message.tag = ++port->tag;
		port_send(port, &message);
		while (!port->gone && ready(port, POLLIN, AGAIN_MS))
			if (messages_take(port, &value))
				return value;
	}
	return UINT64_MAX;
}

void port_write(struct port *port, enum port_kind kind, uint32_t offset, uint32_t width,
		uint64_t value)
{
	const struct port_message message = { .kind = (uint8_t)kind,
					      .width = (uint8_t)width,
					      .offset = offset,
					      .value = value };

	port_send(port, &message);
}

void port_wait(struct port *port, uint64_t timeout_ns)
{
	struct pollfd wait = { .fd = port->descriptor, .events = POLLIN };
	const struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / 1000000000),
					  .tv_nsec = (long)(timeout_ns % 1000000000) };
	uint64_t unused;

	if (port->vectors == 0 && !port->gone && ppoll(&wait, 1, &timeout, NULL) > 0)
		(void)messages_take(port, &unused);
}
