/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue/hardware.h - what every hardware end has, and what differs between families.
 *
 * A family is a row: which registers there are, what writing them sets off, how a page
 * request and a fault are recorded, how a command is consumed. Registers are one file
 * of words with masks, laid out by the family's tables.
 */
#ifndef QUEUE_HARDWARE_H
#define QUEUE_HARDWARE_H

#include "iopf/queue.h"
#include "queue/ring.h"

/* ---- registers.c: storage and masks ------------------------------------------------ */

enum { REGISTER_WORDS = 522 }; /* SMMUv2's, which has the most */

/* Offsets from @offset to @end are words from @word on: registers lie far apart. */
struct register_window {
	uint32_t offset, end;
	uint16_t word;
};

/* @count windows, each @stride bytes behind the one before, and @words words further; 0:
 * the same words, which nobody reads. */
struct register_repeat {
	struct register_window window;
	uint16_t count, words;
	uint32_t stride;
};

/* A register, or some of its bits. What is neither writable nor clearable (by writing
 * 1) is read-only or reserved. */
struct register_row {
	uint32_t offset;
	uint8_t width;
	uint64_t reset, writable, clearable;
};

/* While one of the bits @by is set in the 4-byte register @by_offset, the bits @bits of
 * the register at @offset are read-only. */
struct register_guard {
	uint32_t offset;
	uint64_t bits;
	uint32_t by_offset, by;
};

/* What a family's registers are. */
struct register_layout {
	uint32_t size_bytes; /* of the space they lie in: a multiple of 8 */
	const struct register_window *windows;
	uint32_t window_count;
	const struct register_repeat *repeats;
	uint32_t repeat_count;
	const struct register_row *rows;
	uint32_t row_count;
	const struct register_guard *guards;
	uint32_t guard_count;
};

/* 64-bit words: what they hold, what software may write, what it clears with a 1. */
struct register_file {
	const struct register_layout *layout;
	uint64_t value[REGISTER_WORDS];
	uint64_t writable[REGISTER_WORDS];
	uint64_t clearable[REGISTER_WORDS];
};

/* As after a reset; all of @layout's rows. */
void registers_create(struct register_file *file, const struct register_layout *layout);
/* More of a register that is there already; or less of it. */
void registers_add(struct register_file *file, const struct register_row *row);
void registers_forbid(struct register_file *file, uint32_t offset, uint64_t bits);

/* What software sees and does; @offset is aligned to @width. False: nothing is there,
 * or it is read-only, now or always. */
bool registers_read(const struct register_file *file, uint32_t offset, uint32_t width,
		    uint64_t *value);
bool registers_write(struct register_file *file, uint32_t offset, uint32_t width,
		     uint64_t value);

/* What hardware sees and does, no masks. A register of the family's: asserted. */
uint64_t registers_get(const struct register_file *file, uint32_t offset, uint32_t width);
void registers_set(struct register_file *file, uint32_t offset, uint32_t width,
		   uint64_t value);

/* ---- Families ------------------------------------------------------------------------ */

/* What writing to the registers from @offset to @end sets off. */
struct hardware_action {
	uint32_t offset, end;
	void (*written)(struct iopf_hardware *hardware);
};

/* What a virtual IOMMU is to offer its guest. */
struct hardware_offer {
	uint32_t levels;    /* of first levels, at most */
	uint32_t stall_max; /* stalls at once, all devices together */
};

struct hardware_family {
	const struct iopf_wire *wire;
	/* How devices behind it page, and how a guest behind a virtual one may be shown
	 * that (0: there is no virtual one): bits 1 << enum iopf_mechanism. */
	uint8_t mechanisms, guest_mechanisms;
	bool no_pasids; /* it knows address spaces of whole devices alone */
	uint8_t stall_reason; /* of a stall's fault: nothing is mapped there */
	uint32_t stall_max;   /* stalls at once, of all streams, that there can be at most;
			       * 0: as many as tags can name */
	uint32_t stall_each;  /* the same of one stream; 0: as many as of all */
	/* Of a virtual one: the greatest requester id; with translation goes what was asked;
	 * no wait says that it drains: each does, once something was torn down; registers
	 * whose writing takes no command away, ended by 0. */
	uint32_t rid_max;
	bool off_forgets, waits_drain;
	const uint32_t *doorbells;
	/* What the registers of a virtual one say: version, cap, ecap, idr. -EINVAL: @offer
	 * is not of this family. NULL: there is none. */
	int (*offer)(const struct hardware_offer *offer,
		     struct iopf_hardware_options *options);
	const struct hardware_action *actions;
	uint32_t action_count;
	/* Or, where many are alike: @offset was written, all of its register. */
	void (*wrote)(struct iopf_hardware *hardware, uint32_t offset);
	/* Lay the register file out. False: the options name what cannot be. */
	bool (*create)(struct iopf_hardware *hardware);
	/* @record is @request encoded. As iopf_hardware_post(). */
	int (*post)(struct iopf_hardware *hardware, const struct iopf_request *request,
		    const uint8_t *record);
	bool (*fault)(struct iopf_hardware *hardware, const struct iopf_fault *fault);
	/* NULL: there is no event queue. */
	bool (*fault_room)(const struct iopf_hardware *hardware, uint32_t *room,
			   uint32_t *size);
	/* True: one command is done with. */
	bool (*step)(struct iopf_hardware *hardware);
	uint64_t (*root)(const struct iopf_hardware *hardware);
	uint64_t (*root_config)(const struct iopf_hardware *hardware);
	bool (*translates)(const struct iopf_hardware *hardware);
};

extern const struct hardware_family hardware_vtd, hardware_smmuv2, hardware_smmuv3,
	hardware_amd, hardware_riscv;

/* Every family there is, ended by NULL; the one called @name, or NULL. */
extern const struct hardware_family *const hardware_families[];
const struct hardware_family *hardware_family_find(const char *name);
/* The first whose devices can page as @mechanism says, and that a guest can have, too. */
const struct hardware_family *hardware_family_first(enum iopf_mechanism mechanism);

static inline bool hardware_family_pages(const struct hardware_family *family,
					 enum iopf_mechanism mechanism)
{
	return (family->mechanisms >> mechanism & 1) != 0;
}

/* How a guest of @family is shown devices that page as @mechanism says: so, where its
 * family knows it. */
static inline enum iopf_mechanism
hardware_family_shown(const struct hardware_family *family, enum iopf_mechanism mechanism)
{
	return (family->guest_mechanisms >> mechanism & 1) != 0 ? mechanism : IOPF_PRI;
}

struct vtd_state {
	uint64_t root;         /* RTADDR as put into force by SRTP */
	uint64_t request_base; /* PQA as last told by queue_changed */
	uint64_t abort_end; /* IQT when an invalidation timed out: later waits cover
			     * nothing of it */
	uint32_t silent;    /* the device that did not answer it, or IOPF_NO_ID */
	bool abort_wait;    /* the next wait covers that invalidation */
	bool timed_out;     /* and nobody was told yet */
	uint8_t fault_next; /* fault recording register */
};

struct smmuv2_state {
	uint32_t asserted; /* interrupts: a bit a context bank */
	bool translates;   /* CR0.CLIENTPD as last told */
};

struct smmuv3_state {
	uint32_t enabled;    /* CR0 as in force: what CR0ACK says */
	uint32_t bypass;     /* GBPA as in force */
	bool device_failed;  /* an ATC_INV since the last SYNC was not answered */
};

struct amd_state {
	uint64_t control;      /* as it was written last */
	uint64_t request_base; /* PPR_BASE as last told by queue_changed */
	bool requests;         /* and that it is there */
	bool late;             /* the tail has passed an entry that is not written */
	uint32_t late_index;
	uint8_t late_record[16];
};

struct riscv_state {
	uint64_t ddtp;  /* as in force */
	bool held_back; /* an interrupt's message, while it is masked */
};

/* Who looks over an IOMMU's shoulder: a tester, not part of what it does. None of its
 * members may be NULL; none may call the hardware end. */
struct hardware_observer {
	void *context;
	/* A command came out of the queue, well formed, and is carried out next. */
	void (*command)(void *context, const struct iopf_command *command);
	/* VT-d: the message that requests wait is to leave. False: it is held back, until
	 * vtd_request_interrupt() sends it. */
	bool (*interrupt)(void *context);
};

struct iopf_hardware {
	const struct hardware_family *family;
	struct iopf_hardware_options options;
	struct register_file file;
	struct iopf_command held; /* taken out of the queue, not done yet */
	bool holding;
	/* hardware_commands.c: a device did not answer since the last wait, and which. */
	bool unanswered;
	uint32_t unanswered_rid;
	const struct hardware_observer *observer; /* or NULL */
	union {
		struct vtd_state vtd;
		struct smmuv2_state smmuv2;
		struct smmuv3_state smmuv3;
		struct amd_state amd;
		struct riscv_state riscv;
	};
	struct iopf_hardware_stats stats;
};

static inline uint64_t reg64(const struct iopf_hardware *hardware, uint32_t offset)
{
	return registers_get(&hardware->file, offset, 8);
}

static inline void reg64_set(struct iopf_hardware *hardware, uint32_t offset,
			     uint64_t value)
{
	registers_set(&hardware->file, offset, 8, value);
}

static inline uint32_t reg32(const struct iopf_hardware *hardware, uint32_t offset)
{
	return (uint32_t)registers_get(&hardware->file, offset, 4);
}

static inline void reg32_set(struct iopf_hardware *hardware, uint32_t offset,
			     uint32_t value)
{
	registers_set(&hardware->file, offset, 4, value);
}

/* ---- hardware_commands.c: a command queue ------------------------------------------------ */

enum hardware_stop {
	HARDWARE_ILLEGAL,
	HARDWARE_ADDRESS, /* what had to be read or written is not there */
	HARDWARE_TIMEOUT, /* a device did not answer what stands before this wait */
};

struct hardware_commands {
	uint32_t head; /* register, 4 bytes */
	/* False: the queue is off, or stands. */
	bool (*runs)(const struct iopf_hardware *hardware, struct ring *ring, uint32_t *head,
		     uint32_t *tail);
	/* What the IOMMU can do, of what decodes. */
	bool (*legal)(const struct iopf_hardware *hardware,
		      const struct iopf_command *command);
	void (*stop)(struct iopf_hardware *hardware, enum hardware_stop why);
	/* Report: 0, -EFAULT. Then, once it is consumed (NULL: nothing more). */
	int (*wait)(struct iopf_hardware *hardware, const struct iopf_command *wait);
	void (*waited)(struct iopf_hardware *hardware, const struct iopf_command *wait);
};

/* True: one command is done with. */
bool hardware_commands_step(struct iopf_hardware *hardware,
			    const struct hardware_commands *commands);

/* Borrowed until it is replaced, by NULL for instance. */
void hardware_observe(struct iopf_hardware *hardware,
		      const struct hardware_observer *observer);

/* The command in hand came out of the queue. */
void hardware_observe_command(const struct iopf_hardware *hardware);

/* What a command asks of who implements the IOMMU. */
static inline int hardware_do(struct iopf_hardware *hardware,
			      const struct iopf_command *command)
{
	return hardware->options.ops->command(hardware->options.context, command);
}

#endif
