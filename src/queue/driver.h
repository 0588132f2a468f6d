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
#include "table/smmuv2.h"

/* Index registers of a queue. */
struct driver_indices {
	uint32_t prod, cons;
};

/*
 * A phase of start or stop: @act once, then until @bit shows as @on (where there is a
 * bit; it is commanded after @act) and @done says 0. A phase with a @need is left out
 * where the IOMMU's capabilities (driver->capability) have nothing of it.
 */
struct driver_phase {
	int (*act)(struct iopf_driver *driver);
	int (*done)(struct iopf_driver *driver);
	uint32_t bit;
	bool on;
	uint32_t need;
};

struct driver_phases {
	const struct driver_phase *phase;
	uint32_t count;
};
#define DRIVER_PHASES(array) { (array), sizeof(array) / sizeof((array)[0]) }

/* What a family has a register for that says where something is. */
enum driver_role {
	DRIVER_COMMANDS,
	DRIVER_REQUESTS,
	DRIVER_EVENTS,
	DRIVER_ROOT,
	DRIVER_ROOT_CONFIG,
	DRIVER_ROLE_COUNT
};

/*
 * Such a register. Software that goes by the book follows the phases of start and stop;
 * this is for who writes anything at any time, a tester or a hostile guest.
 */
struct driver_place {
	uint32_t offset;
	uint8_t width;       /* bytes; 0: the family has none */
	uint8_t addr_shift;  /* an address stands so many bits lower */
	uint64_t addr, size; /* bits of the address; of a size, a mode, a shape */
	uint64_t flags;      /* of them and of others: what a driver sets beside an address */
	/* It is in force while @bits (0: always) of the register @control are set, and
	 * the one at @shows says what is set there. */
	uint8_t control_width;
	uint32_t control, shows;
	uint64_t bits;
};

/* What an IOMMU without queues has in their place. */
struct driver_direct {
	/* As iopf_driver_submit(). A wait's name will be driver->wait_submitted + 1. */
	int (*submit)(struct iopf_driver *driver, const struct iopf_command *command);
	/* See what is done by now (driver->wait_seen), and go on with what stood behind it.
	 * Returns: 0, or a register's error. */
	int (*look)(struct iopf_driver *driver);
	/* As iopf_driver_fault_backlog(). */
	int (*backlog)(struct iopf_driver *driver, uint32_t *count);
};

struct driver_family {
	const struct iopf_wire *wire;
	const struct driver_direct *direct; /* NULL: there are queues */
	struct driver_place places[DRIVER_ROLE_COUNT];
	struct ring_convention convention;
	uint8_t index_bytes; /* of an index register: 4 or 8 */
	bool size_aligned;   /* a queue lies at a multiple of its own size */
	bool status_at_zero; /* a wait may be reported at address 0 */
	uint8_t status_bytes; /* that a report has; 0: 4 */
	bool announced;  /* prod runs ahead of entries that hardware still writes: ring.h,
			  * ring_written(). Software clears what it took */
	bool look_again; /* what became pending while pending was cleared says nothing: it is
			  * looked for before the queue is left */
	struct driver_indices request, event, command;
	/* What is no index in the consumer index of the commands. */
	uint32_t command_flags;
	/* Overflow, either way. A flag in prod that hardware turns and cons has to follow
	 * (SMMUv3); or one in the 4-byte register @status, write 1 to clear, beside one
	 * that says that requests are there (VT-d). */
	uint32_t turned;
	uint32_t status, pending, overflow;
	/* Where pending bits stand in a register of their own, write 1 to clear: of requests
	 * (@pending) and of events. */
	uint32_t pending_at, event_pending;
	/* Acknowledge an overflow. NULL: by cons, or by writing @overflow to @status. */
	int (*recover)(struct iopf_driver *driver);
	/* The same of the queue of events, when it is empty. 1: there was one. NULL: by
	 * cons. */
	int (*event_recover)(struct iopf_driver *driver);
	/* Before events are taken: those that are errors are noticed. NULL: none is. */
	int (*event_look)(struct iopf_driver *driver);
	/* A control bit, others as they are; is it in force? 0, -EAGAIN. */
	int (*bit_set)(struct iopf_driver *driver, uint32_t bit, bool on);
	int (*bit_shows)(struct iopf_driver *driver, uint32_t bit, bool on);
	struct driver_phases start, stop;
	/* A command in the words that this IOMMU has: 1 or 2 at @said, which may name more
	 * and never less. NULL: as it is. */
	uint32_t (*say)(const struct iopf_driver *driver, const struct iopf_command *command,
			struct iopf_command said[2]);
	int (*errors)(struct iopf_driver *driver);
	int (*skip)(struct iopf_driver *driver);
	/* Faults out of registers; NULL: they come in the event queue. */
	int (*faults)(struct iopf_driver *driver, struct iopf_fault *faults, uint32_t max);
};

extern const struct driver_family driver_vtd;
extern const struct driver_family driver_smmuv2;
extern const struct driver_family driver_smmuv3;
extern const struct driver_family driver_amd, driver_riscv;

/* The row of the family with @wire, or NULL. */
const struct driver_family *driver_family_of(const struct iopf_wire *wire);

/* A queue that hardware fills. */
struct driver_intake {
	struct ring ring;
	struct driver_indices at;
	uint32_t tail;     /* as last read: what is before it is published */
	uint32_t head;     /* ours */
	uint32_t turned;   /* the overflow flag of prod, as last read */
	uint32_t followed; /* and what cons has of it */
	uint32_t looks;    /* at an entry that is announced and not written */
};

/*
 * The fault of a context bank (SMMUv2), as its driver has it:
 *
 *	CLOSED ---> OPEN ---> ANSWERED ---> CLOSED
 *	   |          |           |            ^
 *	   +----------+-----------+-> ENDING --+
 *
 *	CLOSED   -> OPEN     [faults]    it was read, and its interrupt masked
 *	OPEN     -> ANSWERED [respond]   RESUME stands behind waits that were submitted before
 *	ANSWERED -> CLOSED   [look]      FSR cleared, RESUME written, interrupt again
 *	any      -> ENDING   [terminate] its stream ends; whatever answers it now is refused
 *	ENDING   -> CLOSED   [look]      the same, in a bank that does not stall any more
 */
enum smmuv2_bank_state { SMMUV2_CLOSED, SMMUV2_OPEN, SMMUV2_ANSWERED, SMMUV2_ENDING };

struct smmuv2_driver {
	struct smmuv2_features features;
	uint64_t syncing; /* the newest wait that the sync under way is for; 0: none is */
	struct {
		uint64_t behind; /* ANSWERED: this wait */
		uint32_t rid;
		uint8_t state; /* enum smmuv2_bank_state */
		bool terminate;
	} bank[SMMUV2_BANK_MAX];
};

struct iopf_driver {
	const struct driver_family *family;
	struct iopf_driver_options options;

	struct driver_intake request;
	struct driver_intake event;

	struct ring command;
	uint32_t command_prod;
	uint32_t command_published; /* the tail register */
	uint32_t command_cons;      /* as last read and found possible */

	uint64_t wait_submitted; /* the last wait's name; its low half is what is written */
	uint64_t wait_seen;      /* the newest that hardware has reported */

	uint32_t silent_rid; /* did not answer an invalidation; or IOPF_NO_ID */
	uint32_t capability; /* what phases need, as read at start */
	uint32_t stall_max;
	uint32_t fault_next; /* register that the next fault is looked for in (VT-d) */
	uint32_t event_seen; /* events before it say nothing of errors any more (AMD) */
	bool event_silent;   /* but for the last of them: that was not told yet */

	uint8_t phase;  /* of start or stop */
	bool phase_begun;
	struct smmuv2_driver smmuv2;
	struct iopf_driver_stats stats;
};

int driver_read(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		uint64_t *value);
int driver_write(struct iopf_driver *driver, uint32_t offset, uint32_t width,
		 uint64_t value);

struct driver_register {
	uint32_t offset;
	uint8_t width;
	uint64_t value;
};

/* One after the other, up to the first that fails. */
int driver_write_all(struct iopf_driver *driver, const struct driver_register *registers,
		     size_t count);

/* All queues and the waits as after the registers were set to 0. */
void driver_reset(struct iopf_driver *driver);

/* driver_phase.c: one step at a time. */
int driver_run(struct iopf_driver *driver, const struct driver_phases *phases);
/* All of each of @kinds, and a wait; is it done? 0, -EAGAIN, -EIO. */
int driver_invalidate_all(struct iopf_driver *driver, const uint8_t *kinds,
			  uint32_t count);
int driver_invalidated(struct iopf_driver *driver);
/* All commands are taken, or never will be. */
int driver_commands_taken(struct iopf_driver *driver);

/* driver_intake.c: what is published now. 0, -EIO. */
int driver_tail_read(struct iopf_driver *driver, struct driver_intake *intake);

/* driver.c: read the index of the command that hardware will take next. 0, -EIO. */
int driver_command_head(struct iopf_driver *driver, uint32_t *index);

/* While the queue stands still nobody reads it: a command that does nothing in the
 * place @index; all invalidations of @rid's translation cache taken back. */
int driver_blank(struct iopf_driver *driver, uint32_t index);
int driver_take_back(struct iopf_driver *driver, uint32_t rid);

/* The queue stopped at a command: a blank takes its place, if it is one of ours. What says
 * that it may go on is the family's. */
int driver_pass_over(struct iopf_driver *driver);
/* It stopped at a wait behind an invalidation that nobody answered, whose device hardware
 * does not name: a blank takes the place of that wait, so that it says nothing; who it may
 * have been is in driver->silent_rid. */
int driver_wait_given_up(struct iopf_driver *driver);

#endif
