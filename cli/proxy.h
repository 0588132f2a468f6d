/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/proxy.h - the other end of QEMU's proxied PCI device (-device x-pci-proxy-dev):
 * every access to its configuration space and to its one BAR comes as a message over a
 * stream socket, and QEMU's processor stands still until it is answered.
 *
 *   0..3 command | 4..7 unused | 8..15 size of what follows | 16.. what follows
 *
 * all in the byte order of the machine. Of a process that may send anything: a message
 * that is none, too long, or cut off by the socket's end makes the proxy broken, once,
 * and it is never read again. Descriptors that come along are closed.
 *
 * The device is one of no class: firmware gives its BAR a place and operating systems
 * leave it there.
 *
 * Never waits. Threads. One.
 */
#ifndef CLI_PROXY_H
#define CLI_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(number, name, bytes that follow, answered, text) */
/* clang-format off */
#define PROXY_MESSAGES(X) \
	X(0, memory,       192, false, "where guest memory is; with descriptors") \
	X(1, reply,          8, false, "to a message that is answered; never comes") \
	X(2, config_write,  12, true,  "address, value, width: 32 bits each") \
	X(3, config_read,   12, true,  "the same; the value is not used") \
	X(4, bar_write,     24, true,  "address, value: 64 bits; width: 32; memory: 8") \
	X(5, bar_read,      24, true,  "the same; the value is not used") \
	X(6, interrupt,      0, false, "how to raise INTx; with descriptors") \
	X(7, reset,          0, true,  "the machine was reset")
/* clang-format on */
#define PROXY_MESSAGE_ENUM(number, name, bytes, answered, text) PROXY_##name = (number),
enum proxy_message { PROXY_MESSAGES(PROXY_MESSAGE_ENUM) PROXY_MESSAGE_COUNT };

enum proxy_limits {
	PROXY_HEADER_BYTES = 16,
	PROXY_MESSAGE_BYTES = PROXY_HEADER_BYTES + 192, /* the longest */
	PROXY_CONFIG_BYTES = 256,
};

/* What is behind the BAR. */
struct proxy_ops {
	/* @offset in the BAR; @width_bytes 1, 2, 4 or 8. */
	uint64_t (*read)(void *context, uint64_t offset, uint32_t width_bytes);
	void (*write)(void *context, uint64_t offset, uint32_t width_bytes, uint64_t value);
	/* Memory space was enabled, with the BAR at @addr. */
	void (*placed)(void *context, uint64_t addr);
	/* The machine was reset. */
	void (*reset)(void *context);
};

/* Counters of a proxy. */
/* clang-format off */
#define PROXY_COUNTERS(X) \
	X(messages,    "that came") \
	X(reads,       "of them, from the window") \
	X(writes,      "of them, to the window") \
	X(configs,     "of them, to the device's own configuration space") \
	X(resets,      "of them, resets of the machine") \
	X(descriptors, "that came along, and were closed") \
	X(misplaced,   "accesses outside of the window, or of a width that is none") \
	X(broken,      "messages that were none")
/* clang-format on */
#define PROXY_COUNTER_MEMBER(name, text) uint64_t name;
struct proxy_stats {
	PROXY_COUNTERS(PROXY_COUNTER_MEMBER)
};

struct proxy {
	const struct proxy_ops *ops;
	void *context;
	int socket;         /* -1: closed */
	uint32_t bar_bytes; /* a power of two */
	uint32_t have;      /* bytes of a message that are there */
	uint8_t bytes[PROXY_MESSAGE_BYTES];
	uint8_t config[PROXY_CONFIG_BYTES];
	struct proxy_stats stats;
};

/* @socket becomes the proxy's own. */
void proxy_create(struct proxy *proxy, int socket, uint32_t bar_bytes,
		  const struct proxy_ops *ops, void *context);
void proxy_destroy(struct proxy *proxy);

/*
 * Serve what is there, at most @budget messages.
 *
 * Returns: how many; -EPIPE: the other end is closed; -EBADMSG: it sent what is no
 *          message. Then the socket is closed, and there is nothing more to serve.
 */
int proxy_serve(struct proxy *proxy, uint32_t budget);

#endif
