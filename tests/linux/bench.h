/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/bench.h - the tester's bench of a function: registers behind its DMA engine that
 * no device has. What a tester sends is past the engine and its credits; what the
 * function received, and what software put into its queue, is kept to be read.
 *
 * BAR 0 has 64 KiB: the engine's registers (model/engine.h) from 0, the bench from
 * BENCH_AT on. Registers are 64 bits, little-endian, read and written in 8 bytes or in
 * 4; what a register sets off, the write of its lower half does. Numbers alone stand
 * here: this file is read by a program, by a guest's program and by a kernel module.
 */
#ifndef LINUX_BENCH_H
#define LINUX_BENCH_H

#define BENCH_BAR_BYTES 0x10000u
#define BENCH_AT        0x8000u

#define BENCH_MAGIC_VALUE 0x31484e4542504f49ull /* "IOPBENH1" */

/* Offsets from BENCH_AT. */
enum bench_register {
	BENCH_MAGIC = 0x000,

	/* A raw page request: what it says, then SEND. These keep what was written. */
	BENCH_TARGET = 0x008, /* enum bench_target */
	BENCH_RID = 0x010,    /* of BENCH_TARGET_QUEUE; 0 at first: the function's own */
	BENCH_PASID = 0x018,  /* all ones (in the low half): none; so at first */
	BENCH_INDEX = 0x020,  /* 0..511 */
	BENCH_ADDR = 0x028,   /* of a page */
	BENCH_FLAGS = 0x030,  /* enum bench_flag */
	BENCH_SEND = 0x038,   /* write N, 1..65536: N requests, one page after the other */
	BENCH_RESULT = 0x040, /* of the last SEND or COMMAND: how many left, or a negative
			       * errno */
	BENCH_COMMAND = 0x048, /* enum bench_command */

	/* What there is now. */
	BENCH_CREDITS = 0x050, /* in use [31:0], allocation [63:32] */
	BENCH_STATUS = 0x058,  /* enum bench_status */

	/* Counters, since the machine was switched on. */
	BENCH_RESPONSES = 0x060,       /* PRG responses that the function received */
	BENCH_INVALIDATIONS = 0x068,   /* device-TLB invalidations it received */
	BENCH_DRAINS = 0x070,          /* waits that drain page requests, in the queue */
	BENCH_RESETS = 0x078,          /* function level resets */
	BENCH_GUEST_RESPONSES = 0x080, /* page group responses in the queue: whoever has
					* the registers put them there, right or wrong */
	BENCH_REQUESTS = 0x088,        /* page requests that left the function, raw or not */
	BENCH_STOP_MARKERS = 0x090,    /* that left it */
	BENCH_UNEXPECTED = 0x098,      /* responses to nothing that waited */
	BENCH_SHOWN = 0x0a0,           /* groups that the guest was shown (guest machine) */
	BENCH_BROKEN = 0x0a8,          /* invariants that are broken (guest machine) */
	BENCH_INTERRUPTS = 0x0b0,      /* of page requests, raised; held back ones too */
	BENCH_HELD = 0x0b8,            /* of those, held back now */
	BENCH_COMMANDS = 0x0c0,        /* all that software put into the queue */
	BENCH_OVERFLOWS = 0x0c8,       /* of the page request queue */
	BENCH_POSTED = 0x0d0,          /* records written into it, raw or not */
	BENCH_QUEUE_HEAD = 0x0d8,      /* PQH and PQT, in bytes */
	BENCH_QUEUE_TAIL = 0x0e0,
	BENCH_SILENCE = 0x0e8, /* write N: it answers no invalidation for N milliseconds;
				* reads how many are left */

	/* The verdict on the programs, where the machine has no port for it (the machine
	 * with a stream, which of all these has those that stream.c of serve lists). */
	BENCH_VERDICT = 0x0f0,

	/* What happened, a ring of BENCH_LOG_MAX records. */
	BENCH_LOG_AT = 0x100,    /* the record that the window begins with */
	BENCH_LOG_COUNT = 0x108, /* records ever; the last BENCH_LOG_MAX of them are there */
	BENCH_LOG_KINDS = 0x110, /* 1 << enum bench_kind of those that are kept */

	/* BENCH_WINDOW_RECORDS of them, from LOG_AT on; what is not there reads as 0. */
	BENCH_WINDOW = 0x1000,
	BENCH_END = 0x8000,
};

enum {
	BENCH_LOG_MAX = 8192,
	BENCH_SEND_MAX = 65536,
	BENCH_RECORD_BYTES = 32,
	BENCH_WINDOW_RECORDS = (0x8000 - 0x1000) / BENCH_RECORD_BYTES,
};

/* Where a request goes. */
enum bench_target {
	BENCH_TARGET_LINK,  /* the function's own link: a PRI message */
	BENCH_TARGET_QUEUE, /* a record straight into the page request queue that software
			     * sees, past ledger and books */
};

enum bench_flag {
	BENCH_READ = 0x01,
	BENCH_WRITE = 0x02,
	BENCH_EXEC = 0x04, /* needs a PASID, as PRIV does */
	BENCH_PRIV = 0x08,
	BENCH_LAST = 0x10, /* the last of the N is the last of its group */
	BENCH_STOP = 0x20, /* a stop marker, nothing else */
	BENCH_EACH = 0x40, /* each of the N is a group of its own: INDEX, INDEX + 1, ...,
			    * modulo 512 */
};

enum bench_command {
	BENCH_COMMAND_HOLD = 1, /* interrupts of page requests are held back */
	BENCH_COMMAND_LET_GO,   /* and not any more: one that waits is raised */
	BENCH_COMMAND_OVERFLOW, /* the queue says that it lost something, though it did not */
	BENCH_COMMAND_FLR,      /* the function resets itself */
	BENCH_COMMAND_MUTE,     /* it answers no invalidations any more, */
	BENCH_COMMAND_SPEAK,    /* and does again */
};

enum bench_status {
	BENCH_STATUS_ENABLED = 0x01, /* PRI */
	BENCH_STATUS_STOPPED = 0x02,
	BENCH_STATUS_RF = 0x04,
	BENCH_STATUS_UPRGI = 0x08,
	BENCH_STATUS_GONE = 0x10,
	BENCH_STATUS_HOLDING = 0x20,  /* interrupts */
	BENCH_STATUS_OVERFLOW = 0x40, /* of the page request queue, not cleared */
	BENCH_STATUS_BUSY = 0x80,     /* the engine has work */
};

/*
 * A record, four words of 64 bits:
 *   0  kind [7:0], code [15:8], verdict [23:16], what [31:24], index [47:32]
 *   1  rid [31:0], PASID [63:32] (all ones: none)
 *   2  address; of an invalidation with its size, as the payload of the message has it
 *   3  nanoseconds since the machine was switched on
 */
enum bench_kind {
	BENCH_NOTHING,      /* no such record (any more) */
	BENCH_RESPONSE,     /* came to the function; code: 0, 1, 15; verdict: 0 taken,
			     * 1 stale, 2 unexpected, 3 failed, 4 ignored */
	BENCH_INVALIDATION, /* came to the function; verdict: 0: completed */
	BENCH_REQUEST,      /* left the function; what: enum bench_flag */
	BENCH_RESET,        /* verdict: 0 PRI disabled, 1 enabled, 2 PRI reset, 3 FLR,
			     * 4 removed */
	BENCH_ANSWER,       /* a page group response in the queue; code */
	BENCH_DRAIN,        /* a wait that drains, in the queue */
	BENCH_OTHER,        /* another command in the queue; code: 1 response,
			     * 2 context, 3 PASID, 4 IOTLB, 5 device-TLB, 6 wait; verdict:
			     * granularity: 0 all, 1 domain, 2 device, 3 PASID, 4 page */
	BENCH_KIND_COUNT,
	/* All but requests and other commands: these are many. */
	BENCH_KINDS_USUAL = 1 << BENCH_RESPONSE | 1 << BENCH_INVALIDATION |
			    1 << BENCH_RESET | 1 << BENCH_ANSWER | 1 << BENCH_DRAIN,
};

#endif
