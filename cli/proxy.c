/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/proxy.c - a PCI device of QEMU's that is served by another process. */
#include "cli/proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Configuration space (type 0 header; PCI 3.0, 6.1), as much of it as there is. */
enum {
	VENDOR = 0x00,
	DEVICE = 0x02,
	COMMAND = 0x04,
	COMMAND_BITS = 0x0006, /* memory space, bus master */
	COMMAND_MEMORY = 0x0002,
	BAR = 0x10,
	LINE = 0x3c,
	VENDOR_ID = 0x1234,
	DEVICE_ID = 0x5a5b,
};

/* In messages, from the end of their header. */
enum {
	CONFIG_ADDR = 0,
	CONFIG_VALUE = 4,
	CONFIG_WIDTH = 8,
	BAR_ADDR = 0,
	BAR_VALUE = 8,
	BAR_WIDTH = 16,
};

/* ---- Bytes, in the order of the machine -------------------------------------------- */

static uint32_t get32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* Configuration space is little-endian. */
static uint32_t config_get(const struct proxy *proxy, uint32_t addr, uint32_t width)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < width; i++)
		value |= (uint32_t)proxy->config[addr + i] << 8 * i;
	return value;
}

static void config_put(struct proxy *proxy, uint32_t addr, uint32_t width, uint32_t value)
{
	for (uint32_t i = 0; i < width; i++)
		proxy->config[addr + i] = (uint8_t)(value >> 8 * i);
}

/* ---- Configuration space ----------------------------------------------------------- */

/* Bits of the byte at @addr that software writes. */
static uint8_t writable(const struct proxy *proxy, uint32_t addr)
{
	if (addr == COMMAND)
		return COMMAND_BITS;
	if (addr == LINE)
		return 0xff;
	if (addr >= BAR && addr < BAR + 4)
		return (uint8_t)(~(proxy->bar_bytes - 1) >> 8 * (addr - BAR));
	return 0;
}

static bool config_fits(const uint8_t *body)
{
	uint32_t addr = get32(body + CONFIG_ADDR), width = get32(body + CONFIG_WIDTH);

	return (width == 1 || width == 2 || width == 4) &&
	       addr <= PROXY_CONFIG_BYTES - width;
}

static uint64_t on_config_read(struct proxy *proxy, const uint8_t *body)
{
	proxy->stats.configs++;
	if (!config_fits(body))
		return UINT32_MAX;
	return config_get(proxy, get32(body + CONFIG_ADDR), get32(body + CONFIG_WIDTH));
}

static uint64_t on_config_write(struct proxy *proxy, const uint8_t *body)
{
	uint32_t value = get32(body + CONFIG_VALUE), addr = get32(body + CONFIG_ADDR);
	bool was = proxy->config[COMMAND] & COMMAND_MEMORY;

	proxy->stats.configs++;
	if (!config_fits(body))
		return 0;
	for (uint32_t i = get32(body + CONFIG_WIDTH); i > 0; i--, addr++, value >>= 8) {
		uint8_t write = writable(proxy, addr);

		proxy->config[addr] = (uint8_t)((proxy->config[addr] & ~write) |
						((uint8_t)value & write));
	}
	if (!was && (proxy->config[COMMAND] & COMMAND_MEMORY))
		proxy->ops->placed(proxy->context, config_get(proxy, BAR, 4));
	return 0;
}

/* ---- The BAR ----------------------------------------------------------------------- */

/* QEMU says where on the bus an access went. False: not into the BAR. */
static bool bar_fits(const struct proxy *proxy, const uint8_t *body, uint64_t *offset)
{
	uint64_t at = get64(body + BAR_ADDR) - config_get(proxy, BAR, 4);
	uint32_t width = get32(body + BAR_WIDTH);

	*offset = at;
	return width != 0 && width <= 8 && (width & (width - 1)) == 0 &&
	       at < proxy->bar_bytes && (at & (width - 1)) == 0;
}

static uint64_t on_bar_read(struct proxy *proxy, const uint8_t *body)
{
	uint64_t offset;

	proxy->stats.reads++;
	if (bar_fits(proxy, body, &offset))
		return proxy->ops->read(proxy->context, offset, get32(body + BAR_WIDTH));
	proxy->stats.misplaced++;
	return UINT64_MAX;
}

static uint64_t on_bar_write(struct proxy *proxy, const uint8_t *body)
{
	uint64_t offset;

	proxy->stats.writes++;
	if (bar_fits(proxy, body, &offset))
		proxy->ops->write(proxy->context, offset, get32(body + BAR_WIDTH),
				  get64(body + BAR_VALUE));
	else
		proxy->stats.misplaced++;
	return 0;
}

/* ---- Messages ---------------------------------------------------------------------- */

static void config_reset(struct proxy *proxy)
{
	memset(proxy->config, 0, sizeof(proxy->config));
	config_put(proxy, VENDOR, 2, VENDOR_ID);
	config_put(proxy, DEVICE, 2, DEVICE_ID);
}

static uint64_t on_reset(struct proxy *proxy, const uint8_t *body)
{
	(void)body;
	proxy->stats.resets++;
	config_reset(proxy);
	proxy->ops->reset(proxy->context);
	return 0;
}

/* Memory is shared already, and there is no INTx: nothing to do. */
static uint64_t on_other(struct proxy *proxy, const uint8_t *body)
{
	(void)proxy;
	(void)body;
	return 0;
}

static uint64_t (*const on_message[PROXY_MESSAGE_COUNT])(struct proxy *proxy,
							 const uint8_t *body) = {
	[PROXY_memory] = on_other,
	[PROXY_config_write] = on_config_write,
	[PROXY_config_read] = on_config_read,
	[PROXY_bar_write] = on_bar_write,
	[PROXY_bar_read] = on_bar_read,
	[PROXY_interrupt] = on_other,
	[PROXY_reset] = on_reset,
};

#define PROXY_ROW(number, name, bytes, answered, text) { (bytes), (answered) },
static const struct {
	uint8_t bytes;
	bool answered;
} rows[PROXY_MESSAGE_COUNT] = { PROXY_MESSAGES(PROXY_ROW) };

/* False: no room: whoever waits for answers has at most one outstanding. */
static bool reply(const struct proxy *proxy, uint64_t value)
{
	const uint32_t command = PROXY_reply;
	const uint64_t size = sizeof(value);
	uint8_t bytes[PROXY_HEADER_BYTES + sizeof(value)] = { 0 };

	memcpy(bytes, &command, sizeof(command));
	memcpy(bytes + 8, &size, sizeof(size));
	memcpy(bytes + PROXY_HEADER_BYTES, &value, sizeof(value));
	return send(proxy->socket, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(bytes);
}

/* How many bytes the message has whose header is there; 0: it is none. */
static uint32_t message_bytes(const struct proxy *proxy)
{
	uint32_t command = get32(proxy->bytes);
	uint64_t size = get64(proxy->bytes + 8);

	if (command >= PROXY_MESSAGE_COUNT || on_message[command] == NULL ||
	    size != rows[command].bytes)
		return 0;
	return PROXY_HEADER_BYTES + rows[command].bytes;
}

static void descriptors_close(struct proxy *proxy, struct msghdr *header)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL;
	     at = CMSG_NXTHDR(header, at)) {
		size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int descriptor;

			memcpy(&descriptor, CMSG_DATA(at) + i * sizeof(int), sizeof(int));
			close(descriptor);
			proxy->stats.descriptors++;
		}
	}
}

/* Up to @want bytes of a message. Returns: 1: they are there; 0: not all of them yet;
 * -EPIPE. */
static int take(struct proxy *proxy, uint32_t want)
{
	enum { DESCRIPTORS = 32 }; /* of more than fit the kernel closes the rest */
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
	} control;

	while (proxy->have < want) {
		struct iovec part = { proxy->bytes + proxy->have, want - proxy->have };
		struct msghdr header = { .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control.bytes,
					 .msg_controllen = sizeof(control.bytes) };
		ssize_t got = recvmsg(proxy->socket, &header,
				      MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0)
			return -EPIPE;
		descriptors_close(proxy, &header);
		proxy->have += (uint32_t)got;
	}
	return 1;
}

/* Returns: 1: a message was served; 0: none is there; -EPIPE, -EBADMSG. */
static int serve_one(struct proxy *proxy)
{
	int got = take(proxy, PROXY_HEADER_BYTES);
	uint32_t bytes, command;
	uint64_t value;

	if (got != 1)
		return got == -EPIPE && proxy->have > 0 ? -EBADMSG : got;
	bytes = message_bytes(proxy);
	if (bytes == 0)
		return -EBADMSG;
	got = take(proxy, bytes);
	if (got != 1)
		return got == -EPIPE ? -EBADMSG : got;
	proxy->have = 0;
	proxy->stats.messages++;
	command = get32(proxy->bytes);
	value = on_message[command](proxy, proxy->bytes + PROXY_HEADER_BYTES);
	return !rows[command].answered || reply(proxy, value) ? 1 : -EPIPE;
}

/* ---- Create, serve, destroy -------------------------------------------------------- */

void proxy_create(struct proxy *proxy, int socket, uint32_t bar_bytes,
		  const struct proxy_ops *ops, void *context)
{
	*proxy = (struct proxy){ .ops = ops,
				 .context = context,
				 .socket = socket,
				 .bar_bytes = bar_bytes };
	config_reset(proxy);
}

void proxy_destroy(struct proxy *proxy)
{
	if (proxy->socket >= 0)
		close(proxy->socket);
	proxy->socket = -1;
}

int proxy_serve(struct proxy *proxy, uint32_t budget)
{
	int count = 0, got = 1;

	while (proxy->socket >= 0 && count < (int)budget && (got = serve_one(proxy)) == 1)
		count++;
	if (proxy->socket < 0)
		return -EPIPE;
	if (got < 0) {
		proxy->stats.broken += got == -EBADMSG;
		proxy_destroy(proxy);
		return got;
	}
	return count;
}
