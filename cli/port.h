/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/port.h - the doorbell between the host's process and a guest's: messages of 32
 * bytes over a pair of sequenced-packet sockets, one pair a guest.
 *
 * What a trapped register access and an interrupt are to a virtual machine. Reads are
 * answered, everything else is posted.
 *
 * The host never waits here: every call of its end says so itself, whatever flags the
 * other side sets on its descriptor. A guest that does not empty its end loses replies,
 * which it can ask for again; interrupts are bits that wait.
 *
 *   byte 0 kind | 1 width | 2..3 zero | 4..7 offset | 8..15 value | 16..23 tag | 24..31 extra
 */
#ifndef CLI_PORT_H
#define CLI_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, by the guest, text) */
/* clang-format off */
#define PORT_KINDS(X) \
	X(read,         true,  "register of the virtual IOMMU: width, offset, tag") \
	X(write,        true,  "the same: width, offset, value") \
	X(device_read,  true,  "BAR 0 of the guest's function: width, offset, tag") \
	X(device_write, true,  "the same: width, offset, value") \
	X(pass,         true,  "a job is over: offset status, width operation, value bytes, " \
			       "tag checksum, extra: what the guest found, enum port_found") \
	X(act,          true,  "offset: a hostile act; value: how many times until now; " \
			     "tag: 0 where something was not refused") \
	X(bye,          true,  "the guest has stopped") \
	X(reply,        false, "to a read: value, tag") \
	X(interrupt,    false, "value: a bit for each vector, enum port_vector") \
	X(stop,         false, "the run is over")
/* clang-format on */
#define PORT_KIND_ENUM(name, guest, text) PORT_##name,
enum port_kind { PORT_NONE, PORT_KINDS(PORT_KIND_ENUM) PORT_KIND_COUNT };

/* Interrupt messages carry a vector in their data. */
enum port_vector {
	PORT_VECTOR_REQUESTS, /* page requests are there */
	PORT_VECTOR_DEVICE,   /* a job is over */
	PORT_VECTOR_COUNT = 32
};

/* Where interrupt messages go on the platforms that VT-d is made for. */
#define PORT_INTERRUPT_ADDR UINT64_C(0xfee00000)

/* What a guest says about a job. */
enum port_found {
	PORT_FOUND_GOOD = 1,    /* the job did what it was to do */
	PORT_FOUND_CRC = 2,     /* the checksum is the guest's own, over its own memory */
};

struct port_message {
	uint8_t kind;  /* enum port_kind */
	uint8_t width; /* bytes of a register access */
	uint32_t offset;
	uint64_t value;
	uint64_t tag;
	uint64_t extra;
};

#define PORT_BYTES 32

void port_encode(const struct port_message *message, uint8_t *bytes);
/* False: not a message that a guest (@guest) or the host may send. */
bool port_decode(const uint8_t *bytes, size_t size_bytes, bool guest,
		 struct port_message *message);

/* A pair, closed on exec. Returns: 0 or a negative errno. */
int port_create(int *host, int *guest);

/* ---- The host's end: never waits --------------------------------------------------- */

/*
 * Returns: 1 and a message; 0: nothing there; -EBADMSG: something that is no message
 *          was thrown away; -ENODATA: an empty packet, or the other end is closed (who
 *          polls is told which); -EPIPE: told once where that end had not read all of
 *          what was sent; what it sent itself is still there.
 */
int port_take(int port, struct port_message *message);
/* False: no room, or nobody there. */
bool port_put(int port, const struct port_message *message);

/* ---- A guest's end ----------------------------------------------------------------- */

struct port {
	int descriptor;
	uint64_t tag;     /* of the last read */
	uint32_t vectors; /* interrupts that came and were not looked at */
	bool stop;        /* the run is over */
	bool gone;        /* and so is the host */
};

/* Send; waits for room as long as the host is there. */
void port_send(struct port *port, const struct port_message *message);

/* A register of @kind (PORT_read, PORT_device_read); all ones when the host is gone. */
uint64_t port_read(struct port *port, enum port_kind kind, uint32_t offset,
		   uint32_t width);
void port_write(struct port *port, enum port_kind kind, uint32_t offset, uint32_t width,
		uint64_t value);

/* Until a message, or @timeout_ns; not at all where an interrupt came already. */
void port_wait(struct port *port, uint64_t timeout_ns);

#endif
