/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.h - an IOMMU's queues in memory, seen from either end.
 *
 * Two queues: page requests, which hardware fills and software empties, and commands
 * (invalidations and responses), which software fills and hardware empties. The driver
 * end is software's: a host over its IOMMU, a guest over its virtual one. The hardware
 * end is the other: a model of an IOMMU, or the virtual IOMMU that a guest is shown.
 * They meet in registers and in bytes of memory, nowhere else.
 *
 * Trust. Neither end believes the other: indices and bases are checked before use,
 * an entry is copied once and only the copy is looked at, every loop has a bound.
 *
 * Threads. An end belongs to one thread. The ends may be on different ones: then a
 * register read is an acquire and a register write a release (a lock, a message or a
 * device access is both), and an entry's bytes are written before the index that
 * publishes them.
 *
 * Errors. Functions return 0 or a count, or one of these, and write outputs only on
 * success:
 *   -EINVAL      an argument could never be right
 *   -ENOSPC      the memory given is too small
 *   -EAGAIN      not now: the queue is full, or a step waits for the other side
 *   -ERANGE      a value does not fit the field it would go to
 *   -EOPNOTSUPP  this family, or this IOMMU, cannot do that
 *   -EOVERFLOW   the request queue overflowed and is empty: throw partial groups away
 *   -EIO         the other side broke the interface, or the command queue stopped
 *   -EFAULT      memory that the other side named is not there
 *   -ENXIO       no request queue is set up
 * What register accesses return is passed on.
 */
#ifndef IOPF_QUEUE_H
#define IOPF_QUEUE_H

#include "iopf/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Registers of an IOMMU: @width is 4 or 8 bytes, @offset a multiple of it. Both return
 * 0 or a negative errno. */
struct iopf_register_ops {
	int (*read)(void *context, uint32_t offset, uint32_t width, uint64_t *value);
	int (*write)(void *context, uint32_t offset, uint32_t width, uint64_t value);
};

/* ---- Driver end ------------------------------------------------------------------- */

struct iopf_driver;

struct iopf_driver_options {
	uint32_t size_bytes; /* of this struct */
	uint32_t command_bytes; /* of a command: one of the wire's sizes; 0 where it has none */
	const struct iopf_wire *wire;
	const struct iopf_register_ops *registers; /* borrowed */
	void *context;                             /* of the registers */
	const struct iopf_memory *memory; /* where the queues lie; borrowed */
	uint64_t root_addr;     /* root table; a multiple of 4096 */
	uint64_t request_addr;  /* request queue: 2^request_order pages of 4 KiB */
	uint64_t command_addr;  /* command queue: 2^command_order pages of 4 KiB */
	uint64_t status_addr;   /* 4 bytes, aligned, that waits are reported in */
	uint32_t request_order; /* 0..7 */
	uint32_t command_order; /* 0..7 */
	uint64_t interrupt_addr; /* message that says: requests are there; 0: masked */
	uint32_t interrupt_data;
	/* Once a device did not answer an invalidation, those that stand in the queue for
	 * it are taken back: the caller keeps it away from memory. */
	bool forget_silent;
	uint8_t rsvd[3];
	/* Families with an event queue. */
	uint32_t event_order; /* 0..7 */
	uint64_t event_addr;  /* event queue: 2^event_order pages of 4 KiB */
	uint64_t root_config; /* STRTAB_BASE_CFG: the stream table's format and size */
};

struct iopf_driver_stats {
	uint64_t requests;      /* taken out of the queue and decoded */
	uint64_t reserved_bits; /* of them and of faults, with bits set that are reserved */
	uint64_t undecodable;   /* records that are no requests: passed over */
	uint64_t overflows;     /* acknowledged */
	uint64_t bad_indices;   /* registers and status words that could not be */
	uint64_t commands;      /* submitted, waits included */
	uint64_t waits;
	uint64_t queue_errors;  /* commands that hardware stopped at */
	uint64_t timeouts;      /* device-TLB invalidations that were not answered */
	uint64_t taken_back;    /* those that stood behind one for the same device */
	uint64_t faults;        /* taken out of the event queue or of the registers */
	uint64_t fault_overflows; /* faults were lost; stalls never are */
	uint64_t refused;       /* SMMUv2: responses to nothing that waits: not written */
};

/* Bytes of a driver; it needs alignment to 8. */
size_t iopf_driver_size_bytes(void);

/*
 * Make a driver in @memory. Touches no register and no queue.
 *
 * Owns:    borrows @memory and what @options points to, until they are reused.
 * Ranges:  an SMMUv3's queues lie at multiples of their sizes, and its status not at 0.
 * Returns: 0, -EINVAL, -ENOSPC, -EFAULT (a queue is not in options->memory),
 *          -EOPNOTSUPP (no queue of this family is known).
 */
int iopf_driver_create(const struct iopf_driver_options *options, void *memory,
		       size_t memory_bytes, struct iopf_driver **driver);

/*
 * Bring the IOMMU up, or down: root table, command queue, request queue, caches
 * invalidated, translation. Never waits: call again while it says -EAGAIN.
 *
 * Returns: 0 when it is up (down), -EAGAIN, -EOPNOTSUPP (the IOMMU lacks what paging
 *          needs, or queues and tables of this size), -EIO, or what a register access
 *          returned.
 * Source of the order: VT-d, 6.5.2, 7.4.1, 11.4.4 (one command bit at a time); SMMUv3
 * (IHI 0070), 3.11, 6.3.9 (a bit is in force when it is acknowledged).
 */
int iopf_driver_start(struct iopf_driver *driver);
int iopf_driver_stop(struct iopf_driver *driver);

/*
 * Take up to @max requests (1..INT_MAX) out of the queue, oldest first, and release
 * their entries.
 *
 * Returns: how many, 0 when nothing is there, or (AMD) the next was announced and is still
 *          being written: iopf_driver_backlog() counts it, poll again; -EOVERFLOW: requests
 *          were lost and the queue is empty; throw partial groups away
 *          (iopf_broker_overflow()), then iopf_driver_recover(); -EIO: the tail could not
 *          be: nothing was taken.
 * Source of the rule: VT-d, 7.4.1 (pending is cleared before the tail is read).
 */
int iopf_driver_poll(struct iopf_driver *driver, struct iopf_request *requests,
		     uint32_t max);

/*
 * Acknowledge an overflow, if there is one and the queue is empty.
 *
 * Returns: 0; -EAGAIN: the queue is not empty, poll again; -EIO.
 */
int iopf_driver_recover(struct iopf_driver *driver);

/*
 * How many records are in the queue now, after those that were taken, and whether any
 * were lost since the last iopf_driver_recover().
 *
 * Returns: 0, @*count and @*lost; -EIO, or a register's error.
 */
int iopf_driver_backlog(struct iopf_driver *driver, uint32_t *count, bool *lost);

/*
 * Take up to @max faults (1..INT_MAX), oldest first, and release their entries: out of
 * the event queue, among them stalls (iopf_request_from_fault()), or out of the fault
 * recording registers, or of context banks (SMMUv2: a stall's index is its bank, and the
 * bank shows no other before it is answered). Lost ones are acknowledged and counted;
 * stalls are never lost.
 *
 * Returns: how many, 0 when nothing is there; -EINVAL; -EIO: the tail could not be:
 *          nothing was taken; or a register's error.
 * Source of the rule: SMMUv3 (IHI 0070), 7.2, 7.4; VT-d, "Fault Recording Registers".
 */
int iopf_driver_poll_faults(struct iopf_driver *driver, struct iopf_fault *faults,
			    uint32_t max);

/*
 * How many records are in the event queue now, after those that were taken. In a
 * family without one: 0; SMMUv2: context banks with a fault that was not taken.
 *
 * Returns: 0 and @*count; -EIO, or a register's error.
 */
int iopf_driver_fault_backlog(struct iopf_driver *driver, uint32_t *count);

/* Stalled transactions that the IOMMU can hold at once, all devices together, as read
 * at start. 0: it stalls none. */
uint32_t iopf_driver_stall_max(const struct iopf_driver *driver);

/* Commands that iopf_driver_submit() takes now. */
uint32_t iopf_driver_room(struct iopf_driver *driver);

/*
 * Put @command into the queue. Hardware sees it after iopf_driver_kick().
 *
 * Returns: 0, -EAGAIN (full), -ERANGE, -EOPNOTSUPP; SMMUv2: -ENOENT (a response, and
 *          nothing waits there: nothing is written), a register's error.
 */
int iopf_driver_submit(struct iopf_driver *driver, const struct iopf_command *command);

/* Publish what was submitted, once for a batch. Where there are no queues: see what is
 * done, and write what stood behind it. Returns: 0 or a register's error. */
int iopf_driver_kick(struct iopf_driver *driver);

/*
 * Submit a wait: @flags out of IOPF_WAIT_FENCE, IOPF_WAIT_DRAIN, IOPF_WAIT_INTERRUPT.
 * SMMUv3 drains nothing: there a drain is to read the backlog after the wait.
 *
 * Returns: 0 and its name in *@wait, -EAGAIN (full), -EINVAL, -EOPNOTSUPP (SMMUv3:
 *          an interrupt beside the report).
 */
int iopf_driver_wait(struct iopf_driver *driver, uint32_t flags, uint64_t *wait);

/* True once @wait and everything submitted before it is done, as hardware says. */
bool iopf_driver_waited(struct iopf_driver *driver, uint64_t wait);

enum iopf_driver_error {
	IOPF_DRIVER_STOPPED = 1, /* the queue stopped at a command: iopf_driver_skip() */
	IOPF_DRIVER_TIMEOUT = 2, /* a device did not answer an invalidation; the wait
				  * behind it was given up. Acknowledged by this call */
	/* SMMUv3; acknowledged by this call: hardware could not write a queue. */
	IOPF_DRIVER_REQUESTS_LOST = 4, /* requests got response failure, or nothing */
	IOPF_DRIVER_FAULTS_LOST = 8,   /* stalls among them: terminate what may stall */
};

/* What went wrong in the command queue: enum iopf_driver_error, or a negative errno. */
int iopf_driver_errors(struct iopf_driver *driver);

/* The device behind the last IOPF_DRIVER_TIMEOUT: its rid, or IOPF_NO_ID where nobody
 * can tell. VT-d, "Invalidation Queue Error Record Register", ITESID. SMMUv3 does not
 * say it; it is known where the wait that was given up had one device before it. */
uint32_t iopf_driver_silent(const struct iopf_driver *driver);

/*
 * Replace the command that the queue stopped at by one that does nothing, and go on.
 *
 * Returns: 0, -EINVAL (the queue has not stopped), -EIO (the head could not be).
 */
int iopf_driver_skip(struct iopf_driver *driver);

/* Borrowed: the driver's own, counting on. */
const struct iopf_driver_stats *iopf_driver_stats(const struct iopf_driver *driver);

/* ---- Hardware end ----------------------------------------------------------------- */

struct iopf_hardware;

enum iopf_queue_change {
	IOPF_QUEUE_ENABLED,  /* a request queue was set up */
	IOPF_QUEUE_REBASED,  /* it lies elsewhere now; what was in it is forgotten */
	IOPF_QUEUE_DISABLED, /* it is gone, and what was in it */
	/* The same of the queue of events, where the family has one. */
	IOPF_EVENT_QUEUE_ENABLED,
	IOPF_EVENT_QUEUE_REBASED,
	IOPF_EVENT_QUEUE_DISABLED,
};

/* What registers and commands ask of who implements the IOMMU. None may be NULL. */
struct iopf_hardware_ops {
	/* One command. 0: done. -EAGAIN: it holds the queue up, ask again at the next run.
	 * -ETIMEDOUT: a device did not answer. Others: not a command that can be done. */
	int (*command)(void *context, const struct iopf_command *command);
	void (*interrupt)(void *context, uint64_t addr, uint32_t data);
	void (*root_changed)(void *context);
	void (*translation_changed)(void *context, bool on);
	void (*queue_changed)(void *context, enum iopf_queue_change change);
};

struct iopf_hardware_options {
	uint32_t size_bytes;
	uint32_t version; /* VER or AIDR: major << 4 | minor */
	/* What it can do, in the words of its registers. VT-d: CAP and ECAP, see
	 * iopf_vtd_capability(). AMD: the extended feature registers. RISC-V: capabilities. */
	uint64_t cap, ecap;
	const struct iopf_wire *wire; /* the family */
	const struct iopf_memory *memory; /* where software's queues lie; borrowed */
	const struct iopf_hardware_ops *ops; /* borrowed */
	void *context;
	/* SMMUv3: IDR0..IDR5; see iopf_smmuv3_identification(). SMMUv2: ID0..ID2, and in the
	 * last the bits of SCTLR that are wired to 0; see iopf_smmuv2_identification(). */
	uint32_t idr[6];
	uint32_t quirks; /* AMD: enum iopf_amd_quirk */
	uint32_t rsvd;
};

struct iopf_hardware_stats {
	uint64_t posted;        /* requests written into the queue */
	uint64_t dropped;       /* not last, or a stop marker, lost in an overflow */
	uint64_t answered;      /* last, lost in an overflow: answered success */
	uint64_t overflows;     /* the overflow flag went from 0 to 1 */
	uint64_t commands;
	uint64_t queue_errors;  /* malformed command, index or base out of range */
	uint64_t timeouts;
	uint64_t aborted_waits;
	uint64_t bad_addresses; /* bases and status addresses outside of memory */
	uint64_t bad_accesses;  /* of registers: width, alignment, offset, read-only, or
				 * read-only now, because what they set up is on */
	uint64_t faults;        /* recorded */
	uint64_t lost_faults;   /* no recording register was free, or no entry */
	uint64_t refused;       /* requests answered response failure */
	uint64_t waited_faults; /* stalls that found no entry: they are tried again */
};

/* Bytes of a hardware end; it needs alignment to 8. */
size_t iopf_hardware_size_bytes(void);

/*
 * Make the hardware end in @memory (aligned to 8), as after a reset.
 *
 * Owns:    borrows @memory and what @options points to, until they are reused.
 * Returns: 0, -EINVAL (an option, or capabilities whose register offsets do not fit),
 *          -ENOSPC.
 */
int iopf_hardware_create(const struct iopf_hardware_options *options, void *memory,
			 size_t memory_bytes, struct iopf_hardware **hardware);

/*
 * A register access of software. Unknown offsets read 0; writes to them do nothing.
 *
 * Returns: 0, -EINVAL (width not 4 or 8, not aligned, outside of the register pages).
 */
int iopf_hardware_read(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
		       uint64_t *value);
int iopf_hardware_write(struct iopf_hardware *hardware, uint32_t offset, uint32_t width,
			uint64_t value);

/* The same as a driver's registers: the context is the hardware. */
extern const struct iopf_register_ops iopf_hardware_registers;

enum iopf_posted {
	IOPF_POSTED,          /* in the queue */
	IOPF_POSTED_SUCCESS,  /* lost, and the last: hardware answers success itself */
	IOPF_POSTED_NOTHING,  /* lost, and not the last, or a stop marker: no answer */
	IOPF_POSTED_FAILURE,  /* lost, last or not: hardware answers response failure */
	IOPF_POSTED_INVALID,  /* lost, and the last: hardware answers invalid request */
};

/*
 * Write @request into the request queue, as hardware does.
 *
 * Returns: enum iopf_posted, -ERANGE; VT-d: -ENXIO, -EFAULT (the queue is not in memory),
 *          which SMMUv3 answers itself: IOPF_POSTED_FAILURE.
 * Source of the rule: VT-d, 7.4.1, 7.5; SMMUv3 (IHI 0070), 8.1, 8.2 (overflow, automatic
 *          responses).
 */
int iopf_hardware_post(struct iopf_hardware *hardware,
		       const struct iopf_request *request);

/*
 * Consume up to @budget commands.
 *
 * Returns: how many were done; less than @budget when the queue is empty, stopped, off,
 *          or held up by a command.
 */
uint32_t iopf_hardware_run(struct iopf_hardware *hardware, uint32_t budget);

/*
 * Record @fault: in a fault recording register, or in the event queue.
 *
 * Returns: true: recorded; false: lost, because there is no room; or, with fault->stall,
 *          not yet: ask again when software has acted, the queue keeps nothing of it.
 * Source of the rule: VT-d, 7.3.1; SMMUv3 (IHI 0070), 7.2.1, 7.4.
 */
bool iopf_hardware_fault(struct iopf_hardware *hardware, const struct iopf_fault *fault);

/*
 * How many faults find room in the event queue now, *@room, and ever, *@size.
 *
 * Returns: false: none does, room or not: the queue is off, an error in it is not
 *          acknowledged, or the family has none.
 */
bool iopf_hardware_fault_room(const struct iopf_hardware *hardware, uint32_t *room,
			      uint32_t *size);

/* The root table register as last put into force (SMMUv3: STRTAB_BASE, without its hint);
 * translation on. */
uint64_t iopf_hardware_root(const struct iopf_hardware *hardware);
/* SMMUv3: the stream table's STRTAB_BASE_CFG; other families: 0. */
uint64_t iopf_hardware_root_config(const struct iopf_hardware *hardware);
bool iopf_hardware_translates(const struct iopf_hardware *hardware);

/* Borrowed: the hardware end's own, counting on. */
const struct iopf_hardware_stats *
iopf_hardware_stats(const struct iopf_hardware *hardware);

/* ---- VT-d capabilities ------------------------------------------------------------- */

/* X(name, register, bit, what): features that a VT-d IOMMU has or lacks. */
/* clang-format off */
#define IOPF_VTD_FEATURES(X) \
	X(CM,    cap,  7,  "caches what is not present: software invalidates that too") \
	X(FL1GP, cap,  56, "first level: 1 GiB pages") \
	X(FL5LP, cap,  60, "first level: 5 levels") \
	X(DT,    ecap, 2,  "device TLBs") \
	X(PT,    ecap, 6,  "pass-through") \
	X(NEST,  ecap, 26, "nested translation") \
	X(PRS,   ecap, 29, "page requests") \
	X(ERS,   ecap, 30, "execute requests") \
	X(SRS,   ecap, 31, "supervisor requests") \
	X(PASID, ecap, 40, "PASIDs") \
	X(PDS,   ecap, 42, "waits that drain page requests") \
	X(SMTS,  ecap, 43, "scalable mode") \
	X(SLADS, ecap, 45, "second level: accessed and dirty bits") \
	X(SLTS,  ecap, 46, "second level in scalable mode") \
	X(FLTS,  ecap, 47, "first level in scalable mode") \
	X(RPS,   ecap, 49, "a context says which PASID requests without one have") \
	X(SMS,   ecap, 58, "stop markers that find no room are dropped")
/* clang-format on */
#define IOPF_VTD_FEATURE_NUMBER(name, reg, bit, text) IOPF_VTD_FEATURE_##name,
enum iopf_vtd_feature_number { IOPF_VTD_FEATURES(IOPF_VTD_FEATURE_NUMBER) };
#define IOPF_VTD_FEATURE_ENUM(name, reg, bit, text) \
	IOPF_VTD_##name = 1 << IOPF_VTD_FEATURE_##name,
enum iopf_vtd_feature {
	IOPF_VTD_FEATURES(IOPF_VTD_FEATURE_ENUM)
	/* What a paging device under nested translation needs. */
	IOPF_VTD_PHYSICAL = IOPF_VTD_FL1GP | IOPF_VTD_FL5LP | IOPF_VTD_DT | IOPF_VTD_PT |
			    IOPF_VTD_NEST | IOPF_VTD_PRS | IOPF_VTD_ERS | IOPF_VTD_SRS |
			    IOPF_VTD_PASID | IOPF_VTD_PDS | IOPF_VTD_SMTS | IOPF_VTD_SLADS |
			    IOPF_VTD_SLTS | IOPF_VTD_FLTS | IOPF_VTD_RPS | IOPF_VTD_SMS,
	/* What a guest is shown: it owns first-level tables and says what it changes. */
	IOPF_VTD_VIRTUAL = IOPF_VTD_CM | IOPF_VTD_FL1GP | IOPF_VTD_FL5LP | IOPF_VTD_DT |
			   IOPF_VTD_PT | IOPF_VTD_PRS | IOPF_VTD_ERS | IOPF_VTD_SRS |
			   IOPF_VTD_PASID | IOPF_VTD_PDS | IOPF_VTD_SMTS | IOPF_VTD_FLTS |
			   IOPF_VTD_RPS | IOPF_VTD_SMS,
};

#define IOPF_VTD_VERSION UINT32_C(0x60)

/*
 * CAP and ECAP of an IOMMU with @features and PASIDs of @pasid_bits (1..20): 48 bit
 * second level, 16 bit domains, queued invalidation, 8 fault recording registers.
 *
 * Returns: 0, -EINVAL.
 */
int iopf_vtd_capability(uint32_t features, uint32_t pasid_bits, uint64_t *cap,
			uint64_t *ecap);

/* ---- SMMUv2 identification ----------------------------------------------------------- */

/* X(name, bit, what): features that an SMMUv2 has or lacks. */
/* clang-format off */
#define IOPF_SMMUV2_FEATURES(X) \
	X(S1,     0, "stage 1") \
	X(S2,     1, "stage 2") \
	X(VMID16, 2, "VMIDs of 16 bits") \
	X(STALL,  3, "context banks can stall: SCTLR.CFCFG is not wired to 0")
/* clang-format on */
#define IOPF_SMMUV2_FEATURE_ENUM(name, bit, text) IOPF_SMMUV2_##name = 1 << (bit),
enum iopf_smmuv2_feature {
	IOPF_SMMUV2_FEATURES(IOPF_SMMUV2_FEATURE_ENUM)
	/* What paging masters need. */
	IOPF_SMMUV2_PHYSICAL = IOPF_SMMUV2_S1 | IOPF_SMMUV2_S2 | IOPF_SMMUV2_VMID16 |
			       IOPF_SMMUV2_STALL,
};

enum iopf_smmuv2_limit {
	IOPF_SMMUV2_BANK_MAX = 32,   /* of the hardware end here */
	IOPF_SMMUV2_STREAM_MAX = 64, /* stream match registers; all there are */
};

/*
 * Identification of an SMMU with @features and @banks (1..IOPF_SMMUV2_BANK_MAX): stream
 * matching, StreamIDs of 15 bits, AArch64 tables of 4 KiB pages, addresses of 48 bits, all
 * interrupts of banks on four wires.
 *
 * Returns: 0, -EINVAL.
 */
int iopf_smmuv2_identification(uint32_t features, uint32_t banks, uint32_t idr[6]);

/* ---- SMMUv3 identification ----------------------------------------------------------- */

/* X(name, register, bit, what): features that an SMMUv3 has or lacks. */
/* clang-format off */
#define IOPF_SMMUV3_FEATURES(X) \
	X(S2P,    0, 0,  "stage 2") \
	X(S1P,    0, 1,  "stage 1") \
	X(HA,     0, 6,  "tables: access flag; not together with HD") \
	X(HD,     0, 7,  "tables: access flag and dirty state") \
	X(ATS,    0, 10, "device TLBs") \
	X(NS1ATS, 0, 11, "no ATS of stage 1 alone") \
	X(ASID16, 0, 12, "ASIDs of 16 bits") \
	X(MSI,    0, 13, "interrupts by message") \
	X(PRI,    0, 16, "page requests") \
	X(VMID16, 0, 18, "VMIDs of 16 bits") \
	X(CD2L,   0, 19, "context descriptor tables of two levels") \
	X(TERM,   0, 26, "what is terminated is aborted, never read as 0") \
	X(ST2L,   0, 27, "stream tables of two levels") \
	X(HAD,    3, 2,  "hierarchical attributes can be switched off") \
	X(XNX,    3, 4,  "stage 2: execute rights for each privilege") \
	X(PPS,    3, 5,  "automatic responses carry the request's PASID") \
	X(RIL,    3, 10, "invalidations of ranges")
/* clang-format on */
#define IOPF_SMMUV3_FEATURE_NUMBER(name, reg, bit, text) IOPF_SMMUV3_FEATURE_##name,
enum iopf_smmuv3_feature_number { IOPF_SMMUV3_FEATURES(IOPF_SMMUV3_FEATURE_NUMBER) };
#define IOPF_SMMUV3_FEATURE_ENUM(name, reg, bit, text) \
	IOPF_SMMUV3_##name = 1 << IOPF_SMMUV3_FEATURE_##name,
enum iopf_smmuv3_feature {
	IOPF_SMMUV3_FEATURES(IOPF_SMMUV3_FEATURE_ENUM)
	/* What paging devices under nested translation need. */
	IOPF_SMMUV3_PHYSICAL = IOPF_SMMUV3_S2P | IOPF_SMMUV3_S1P | IOPF_SMMUV3_HD |
			       IOPF_SMMUV3_ATS | IOPF_SMMUV3_NS1ATS | IOPF_SMMUV3_ASID16 |
			       IOPF_SMMUV3_MSI | IOPF_SMMUV3_PRI | IOPF_SMMUV3_VMID16 |
			       IOPF_SMMUV3_CD2L | IOPF_SMMUV3_ST2L | IOPF_SMMUV3_RIL,
	/* What a guest is shown: stage 1 is its own. */
	IOPF_SMMUV3_VIRTUAL = IOPF_SMMUV3_S1P | IOPF_SMMUV3_HD | IOPF_SMMUV3_ATS |
			      IOPF_SMMUV3_ASID16 | IOPF_SMMUV3_MSI | IOPF_SMMUV3_PRI |
			      IOPF_SMMUV3_CD2L | IOPF_SMMUV3_ST2L | IOPF_SMMUV3_RIL,
};

#define IOPF_SMMUV3_VERSION UINT32_C(0x00) /* SMMUv3.0; newer features by their bits */

/*
 * IDR0..IDR5 of an SMMU with @features, StreamIDs of @sid_bits (1..32), SubstreamIDs of
 * @ssid_bits (0..20) and up to @stall_max stalls at once (0..65535; 0: it cannot stall):
 * AArch64 tables of 4 KiB pages, addresses of 48 bits, little-endian, coherent.
 *
 * Returns: 0, -EINVAL.
 */
int iopf_smmuv3_identification(uint32_t features, uint32_t sid_bits, uint32_t ssid_bits,
			       uint32_t stall_max, uint32_t idr[6]);

/* Where an SMMUv3 has no message to send (its address is 0), it pulls a wire: the
 * interrupt of struct iopf_hardware_ops then has address 0 and one of these as data. */
enum iopf_smmuv3_line {
	IOPF_SMMUV3_LINE_EVENTQ,
	IOPF_SMMUV3_LINE_PRIQ,
	IOPF_SMMUV3_LINE_SYNC,
	IOPF_SMMUV3_LINE_GERROR,
};

/* ---- AMD extended features ---------------------------------------------------------- */

/* X(name, bit, what): features that an AMD IOMMU has or lacks (48882, 3.4.6). What
 * PPR_EARLY, PPR_AUTO and BLKSTOP do in detail is taken from restatements of the
 * specification and not verified: no IOMMU here has them unless it is asked for. */
/* clang-format off */
#define IOPF_AMD_FEATURES(X) \
	X(PPR,       1,  "page requests") \
	X(NX,        3,  "execute and privileged requests") \
	X(GT,        4,  "guest tables: address spaces of PASIDs") \
	X(IA,        6,  "one command invalidates everything") \
	X(GA5,       12, "guest tables of 5 levels") \
	X(US,        37, "guest tables: user and supervisor pages") \
	X(PPR_EARLY, 40, "a log says that it will soon be full") \
	X(PPR_AUTO,  41, "requests that find no room are answered") \
	X(BLKSTOP,   44, "stop markers are kept out of the log") \
	X(MSI,       46, "the MSI capability is among the registers") \
	X(GIO,       48, "requests without a PASID may be those of PASID 0") \
	X(HA,        49, "host tables: accessed bits") \
	X(EPH,       50, "responses carry the PASID where the device table says so") \
	X(HD,        52, "host tables: dirty bits")
/* clang-format on */
#define IOPF_AMD_FEATURE_NUMBER(name, bit, text) IOPF_AMD_FEATURE_##name,
enum iopf_amd_feature_number { IOPF_AMD_FEATURES(IOPF_AMD_FEATURE_NUMBER) };
#define IOPF_AMD_FEATURE_ENUM(name, bit, text) \
	IOPF_AMD_##name = 1 << IOPF_AMD_FEATURE_##name,
enum iopf_amd_feature {
	IOPF_AMD_FEATURES(IOPF_AMD_FEATURE_ENUM)
	/* What a guest is shown: guest tables are its own. */
	IOPF_AMD_VIRTUAL = IOPF_AMD_PPR | IOPF_AMD_NX | IOPF_AMD_GT | IOPF_AMD_IA |
			   IOPF_AMD_GA5 | IOPF_AMD_US | IOPF_AMD_MSI | IOPF_AMD_GIO |
			   IOPF_AMD_EPH,
	/* What a paging device under nested translation needs. */
	IOPF_AMD_PHYSICAL = IOPF_AMD_VIRTUAL | IOPF_AMD_HA | IOPF_AMD_HD,
};

/* What hardware may do besides. */
enum iopf_amd_quirk {
	/* Tails pass entries of the PPR log before they are written: at the next request, or
	 * when commands are looked for. */
	IOPF_AMD_LATE_ENTRIES = 1,
};

/*
 * The extended feature register of an AMD IOMMU with @features and PASIDs of @pasid_bits
 * (1..20): host tables of up to 6 levels, GCR3 tables of up to 3.
 *
 * Returns: 0, -EINVAL.
 */
int iopf_amd_extended(uint32_t features, uint32_t pasid_bits, uint64_t *efr);

#ifdef __cplusplus
}
#endif

#endif
