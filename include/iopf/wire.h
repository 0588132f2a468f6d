/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - records <-> plain values, for each IOMMU family. Pure functions, no state.
 *
 * A request record is what an IOMMU writes into its page request queue. A command is
 * what software writes into the IOMMU's command (invalidation) queue. Both directions
 * of both stand side by side: software decodes requests and encodes commands, a model
 * or a virtual IOMMU encodes requests and decodes commands.
 *
 * Reserved bits. In a request, which hardware writes, unknown bits are ignored and
 * reported (newer silicon). In a command they are the family's error: -EBADMSG.
 */
#ifndef IOPF_WIRE_H
#define IOPF_WIRE_H

#include "iopf/iopf.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a command is about, and behind it the members that count, by granularity.
 *
 * SMMUv3 finds its configuration by StreamID, not by domain: INVALIDATE_CONTEXT is ALL,
 * or DEVICE: rid, rid_mask; INVALIDATE_PASID is DOMAIN or DEVICE: rid, or ONE_PASID: rid,
 * pasid. Its INVALIDATE_IOTLB has asid in place of pasid. Whoever fills in both pairs
 * needs not know the family.
 *
 * AMD's are read as INVALIDATE_IOTLB where they are for ALL of everything, or for the
 * entry of a PASID, or of each PASID of a DOMAIN, and what was translated by it. Its
 * INVALIDATE_DEVICE is for one PASID or none.
 */
enum iopf_command_kind {
	IOPF_COMMAND_NONE,
	IOPF_COMMAND_RESPONSE,           /* rid, pasid, index, code, flags, private data */
	IOPF_COMMAND_INVALIDATE_CONTEXT, /* ALL; DOMAIN; DEVICE: domain, rid, rid_mask */
	IOPF_COMMAND_INVALIDATE_PASID,   /* ALL; DOMAIN; ONE_PASID: domain, pasid */
	IOPF_COMMAND_INVALIDATE_IOTLB,   /* ALL; DOMAIN; ONE_PASID: domain, pasid; PAGE:
					  * domain, pasid or none, addr, size; hints */
	IOPF_COMMAND_INVALIDATE_DEVICE,  /* the translation cache of rid. ALL: the whole
					  * address space; PAGE: addr, size. pasid, none
					  * or IOPF_PASID_ANY; pf_rid, pending_max */
	IOPF_COMMAND_WAIT,               /* wait_flags; with STATUS: status_data, _addr */
	IOPF_COMMAND_OTHER,              /* known to the family, nothing to do with paging;
					  * cannot be encoded */
	IOPF_COMMAND_TERMINATE,          /* every stalled transaction of rid: aborted */
	IOPF_COMMAND_KIND_COUNT
};

enum iopf_granularity {
	IOPF_ALL,
	IOPF_DOMAIN,
	IOPF_DEVICE,
	IOPF_ONE_PASID,
	IOPF_PAGE,
};

enum iopf_wait_flag {
	IOPF_WAIT_INTERRUPT = 1,
	IOPF_WAIT_STATUS = 2,
	IOPF_WAIT_FENCE = 4,
	IOPF_WAIT_DRAIN = 8, /* page requests sent before are in the queue first */
};

/* What an invalidation may leave out, or has to wait for. */
enum iopf_hint {
	IOPF_HINT_LEAF = 1,        /* only last-level entries changed */
	IOPF_HINT_DRAIN_READS = 2, /* done only when older DMA reads are; ... writes */
	IOPF_HINT_DRAIN_WRITES = 4,
	IOPF_HINT_FIRST = 8,     /* only what first levels (stage 1) say */
	IOPF_HINT_SECOND = 16,   /* addr is an input of the second level (stage 2) */
	IOPF_HINT_ANY_ASID = 32, /* whatever the address space of the domain */
	IOPF_HINT_ALONE = 64,    /* address spaces of no domain: with no second stage */
};

/*
 * One command, whatever the family. Members that its kind and granularity do not name
 * are 0 after decode and ignored by encode.
 */
struct iopf_command {
	uint8_t kind;        /* enum iopf_command_kind */
	uint8_t granularity; /* enum iopf_granularity */
	uint8_t wait_flags;  /* enum iopf_wait_flag */
	uint8_t code;        /* enum iopf_code */
	uint16_t index;
	uint16_t domain;
	uint32_t rid;
	uint32_t pasid;      /* or IOPF_PASID_NONE */
	uint8_t flags;       /* IOPF_PRIVATE, IOPF_STALL; IOPF_LAST where the format still
			      * carries it */
	uint8_t hints;       /* enum iopf_hint */
	uint8_t rid_mask;    /* bits of rid that do not count. VT-d: 0, 4, 6 or 7; SMMUv3:
			      * 0, 1, 3, 7, ... 255 */
	uint8_t pending_max; /* invalidations that rid can hold, 1..31; 0: 32 */
	uint32_t pf_rid;     /* the function whose invalidation queue rid shares, 0: own */
	uint32_t asid;       /* of an address space within domain, where the family has one:
			      * 16 bits, RISC-V (PSCID) 20 */
	uint32_t rsvd;
	uint64_t status_data; /* 32 bits; AMD: 64 */
	uint64_t status_addr;
	uint64_t addr;       /* first byte of the range, a multiple of its size */
	uint64_t size_bytes; /* of the range: a power of two times 4096 */
	uint64_t private_data[2];
};

/* What had to be read or written when a fault arose: SMMUv3's CLASS. */
enum iopf_fault_what {
	IOPF_FAULT_INPUT,      /* the address that the device gave */
	IOPF_FAULT_TABLE,      /* an entry of a first-level table */
	IOPF_FAULT_DESCRIPTOR, /* a context descriptor */
};

/* A fault that is no page request: of the fault recording registers (VT-d), or of the
 * event queue (SMMUv3), where a stalled transaction is one, too. */
struct iopf_fault {
	uint64_t addr;      /* input address, in bytes */
	uint64_t gpa;       /* stage 2: the page that missed there (SMMUv3, IPA); or the
			     * address of what could not be read */
	uint32_t rid;
	uint32_t pasid;     /* or IOPF_PASID_NONE */
	uint16_t index;     /* with stall: its tag; AMD, of a page request: its group */
	uint16_t reason;    /* the family's number */
	uint8_t perm;       /* enum iopf_perm: the access */
	uint8_t stage;      /* 1 or 2; 0: neither, or the record does not say */
	uint8_t what;       /* enum iopf_fault_what */
	uint8_t table_perm; /* stage 2, not an input: IOPF_READ or IOPF_WRITE, the access to
			     * the table or descriptor */
	bool request;       /* of a page request or translation request, not of an access */
	bool stall;         /* the access waits for a response */
	uint8_t type;       /* of what came in, where the record tells: the family's number */
	bool last;          /* AMD, of a page request: it closes its group */
	uint16_t domain;    /* AMD, of an access or a table, without a PASID */
	uint8_t rsvd[2];
};

/*
 * A family's records. One table each; every user goes through it. Records are copies:
 * nobody else may write them meanwhile.
 *
 * decode_request: -EBADMSG where @record is no request of this family (type unknown);
 *   otherwise 0, and *@reserved is true where bits were set that the family reserves,
 *   for this request or for all. A stop marker comes out as IOPF_STOP alone: no
 *   address, index or rights.
 * encode_request, encode_command: -ERANGE where a value does not fit its field,
 *   -EOPNOTSUPP where the family has no such request or command; nothing is written
 *   then. A request with a PASID that is last and wants nothing is -ERANGE: on the wire
 *   it would be a stop marker (PCIe 6.x, 10.4.1.2.1).
 * decode_command: -EBADMSG: reserved bits or an unknown type; the queue has to stop.
 *   Codes that the family reserves come out as IOPF_FAILURE (PCIe 6.x, 10.4.2.2).
 * decode_fault, encode_fault: as for requests; NULL where faults stand in registers.
 * Sizes: @size_bytes of a command is one of command_bytes[], else -EINVAL.
 */
struct iopf_wire {
	const char *name; /* "vtd", ... */
	uint32_t request_bytes;
	uint32_t command_bytes[2]; /* allowed sizes; 0: none */
	int (*decode_request)(const uint8_t *record, struct iopf_request *request,
			      bool *reserved);
	int (*encode_request)(const struct iopf_request *request, uint8_t *record);
	int (*decode_command)(const uint8_t *record, uint32_t size_bytes,
			      struct iopf_command *command);
	int (*encode_command)(const struct iopf_command *command, uint32_t size_bytes,
			      uint8_t *record);
	uint32_t fault_bytes; /* of a record in the event queue, or of a context bank's fault
			       * registers (SMMUv2); 0: there is neither */
	int (*decode_fault)(const uint8_t *record, struct iopf_fault *fault,
			    bool *reserved);
	int (*encode_fault)(const struct iopf_fault *fault, uint8_t *record);
};

/* The family called @name, or NULL. */
const struct iopf_wire *iopf_wire_find(const char *name);

/* Intel VT-d, scalable mode. Commands of 32 bytes, or of 16 where IQA.DW is 0. */
extern const struct iopf_wire iopf_wire_vtd;
/* Arm SMMUv3: PRI queue, event queue, commands of 16 bytes. */
extern const struct iopf_wire iopf_wire_smmuv3;
/* AMD IOMMU: PPR log, event log, commands of 16 bytes. */
extern const struct iopf_wire iopf_wire_amd;
/* RISC-V IOMMU: page-request queue, fault queue, commands of 16 bytes. */
extern const struct iopf_wire iopf_wire_riscv;

/* Arm SMMUv2: no queues; what stalls stands in registers, an image of which is the record
 * of a fault, and commands are written there. */
extern const struct iopf_wire iopf_wire_smmuv2;

/* The command that carries @response in any family. */
struct iopf_command iopf_command_from_response(const struct iopf_response *response);

/*
 * The request that the stalled transaction of @fault is: a group of one under its tag.
 * A stall that no response may let go on (an event that is not one of its family's
 * resumable ones) has lost its rights: a broker ends it as malformed, that is, aborts.
 */
struct iopf_request iopf_request_from_fault(const struct iopf_fault *fault);

/* ---- PCIe messages: what a function sends and gets ------------------------------- */

/*
 * Bytes 8..15 of a Page Request message, or of a Stop Marker. PASID, X and PRIV travel
 * beside it, in the prefix.
 *
 * Ranges: those of struct iopf_request; no stall, index to 511, addr a multiple of
 *         4096. Only the function's own model calls this: anything else is asserted.
 */
uint64_t iopf_pcie_encode_request(const struct iopf_request *request);

/*
 * The request behind @payload of function @rid; @pasid, and @perm (EXEC, PRIV), as the
 * prefix says them. Reserved bits of a marker are ignored, as a receiver has to.
 *
 * Returns: 0, -EINVAL (a stop marker of a type that is not 0; an argument).
 */
int iopf_pcie_decode_request(uint64_t payload, uint32_t rid, uint32_t pasid, uint8_t perm,
			     struct iopf_request *request);

/* A PRG Response message: destination, index, code (raw, 4 bits). */
struct iopf_prg_response {
	uint32_t rid;
	uint32_t pasid; /* or IOPF_PASID_NONE */
	uint16_t index;
	uint8_t code; /* 0 success, 1 invalid, others failure */
	uint8_t rsvd;
};

/* Bytes 8..15, the DW at offset 8 in the upper half; the PASID travels beside it.
 * Ranges are asserted. */
uint64_t iopf_pcie_encode_response(const struct iopf_prg_response *response);
/* Returns: 0, -EINVAL (@pasid). Reserved bits are ignored, as a function has to. */
int iopf_pcie_decode_response(uint64_t payload, uint32_t pasid,
			      struct iopf_prg_response *response);

/* The code of a PRG Response, which VT-d, AMD and RISC-V use as it is; and back: what
 * is neither success nor invalid is failure (PCIe 6.x, 10.4.2.2). */
uint8_t iopf_pcie_code(enum iopf_code code);
enum iopf_code iopf_pcie_meaning(uint8_t code);

/* ---- Linux's iommufd: records of a fault descriptor (iommufd.h) ----------------------- */

/* Records have the machine's byte order, and no field beyond these (docs/formats.md). */
enum iopf_iommufd_layout {
	IOPF_IOMMUFD_FAULT_BYTES = 40,
	IOPF_IOMMUFD_FAULT_FLAGS = 0,   /* 32 bits, as the next four */
	IOPF_IOMMUFD_FAULT_DEVICE = 4,
	IOPF_IOMMUFD_FAULT_PASID = 8,
	IOPF_IOMMUFD_FAULT_GROUP = 12,  /* the PRG index */
	IOPF_IOMMUFD_FAULT_PERM = 16,
	IOPF_IOMMUFD_FAULT_ADDR = 24,   /* 64 bits */
	IOPF_IOMMUFD_FAULT_LENGTH = 32, /* a hint, 0 so far */
	IOPF_IOMMUFD_FAULT_COOKIE = 36,
	IOPF_IOMMUFD_ANSWER_BYTES = 8,
	IOPF_IOMMUFD_ANSWER_COOKIE = 0,
	IOPF_IOMMUFD_ANSWER_CODE = 4,
};

/* Bits of the flags; kernels set others of their own there (7.3: bit 2). */
enum iopf_iommufd_flag {
	IOPF_IOMMUFD_PASID = 1, /* the PASID is valid */
	IOPF_IOMMUFD_LAST = 2,
};

/* What may be written. */
enum iopf_iommufd_code { IOPF_IOMMUFD_SUCCESS = 0, IOPF_IOMMUFD_INVALID = 1 };

/* A request, as the kernel says it. */
struct iopf_iommufd_fault {
	uint64_t addr;    /* in bytes; where PRI is below, of a page */
	uint32_t device;  /* the kernel's number of it */
	uint32_t pasid;   /* any 32 bits; they count where pasid_valid */
	uint32_t group;   /* PRG index or stall tag */
	uint32_t length;  /* a hint, 0: none */
	uint32_t cookie;  /* of its group */
	uint8_t perm;     /* enum iopf_perm */
	bool pasid_valid;
	bool last;
	uint8_t rsvd;
};

/*
 * @record is 40 bytes (a response's: 8), in the machine's byte order, which is the kernel's.
 * @reserved: flags or rights that are not in the kernel's own header were set.
 *
 * Returns: encode: 0, -ERANGE (perm); decode of a response: 0, -EBADMSG (a code that a
 *          kernel refuses). In a response failure becomes invalid: it cannot be said.
 */
void iopf_iommufd_decode_fault(const uint8_t *record, struct iopf_iommufd_fault *fault,
			       bool *reserved);
int iopf_iommufd_encode_fault(const struct iopf_iommufd_fault *fault, uint8_t *record);
void iopf_iommufd_encode_response(uint32_t cookie, enum iopf_code code, uint8_t *record);
int iopf_iommufd_decode_response(const uint8_t *record, uint32_t *cookie,
				 enum iopf_code *code);

/* ---- SMMUv3: numbers of events ------------------------------------------------------ */

/* X(name, number, text): every event of the architecture (IHI 0070, 7.3). Those with a
 * stall field, that a response can let go on, are 0x10 to 0x13. */
/* clang-format off */
#define IOPF_SMMUV3_EVENTS(X) \
	X(F_UUT,             0x01, "an upstream transaction that is not supported") \
	X(C_BAD_STREAMID,    0x02, "a StreamID outside of the stream table") \
	X(F_STE_FETCH,       0x03, "the stream table entry could not be read") \
	X(C_BAD_STE,         0x04, "the stream table entry is not valid") \
	X(F_BAD_ATS_TREQ,    0x05, "a translation request of a stream without ATS") \
	X(F_STREAM_DISABLED, 0x06, "the stream takes no such SubstreamID, or none without") \
	X(F_TRANSL_FORBIDDEN, 0x07, "a translated access of a stream without ATS") \
	X(C_BAD_SUBSTREAMID, 0x08, "a SubstreamID outside of the descriptor table") \
	X(F_CD_FETCH,        0x09, "the context descriptor could not be read") \
	X(C_BAD_CD,          0x0a, "the context descriptor is not valid") \
	X(F_WALK_EABT,       0x0b, "a translation table could not be read") \
	X(F_TRANSLATION,     0x10, "nothing is mapped there") \
	X(F_ADDR_SIZE,       0x11, "an address that a table gives is too large") \
	X(F_ACCESS,          0x12, "the access flag is not set") \
	X(F_PERMISSION,      0x13, "the access is not permitted") \
	X(F_TLB_CONFLICT,    0x20, "TLB entries contradict each other") \
	X(F_CFG_CONFLICT,    0x21, "stream table entries contradict each other") \
	X(E_PAGE_REQUEST,    0x24, "a device will soon want pages: a hint") \
	X(F_VMS_FETCH,       0x25, "the virtual machine structure could not be read")
/* clang-format on */
#define IOPF_SMMUV3_EVENT_ENUM(name, number, text) IOPF_SMMUV3_##name = (number),
enum iopf_smmuv3_event { IOPF_SMMUV3_EVENTS(IOPF_SMMUV3_EVENT_ENUM) };

/* ---- AMD: numbers of events ------------------------------------------------------------ */

/* X(name, number, text): events that concern translation (48882, 2.5). */
/* clang-format off */
#define IOPF_AMD_EVENTS(X) \
	X(ILLEGAL_DEV_TABLE_ENTRY, 1, "the device table entry is not valid") \
	X(IO_PAGE_FAULT,           2, "nothing is mapped there, or it is not permitted") \
	X(DEV_TAB_HARDWARE_ERROR,  3, "the device table entry could not be read") \
	X(PAGE_TAB_HARDWARE_ERROR, 4, "a page table could not be read") \
	X(ILLEGAL_COMMAND_ERROR,   5, "a command is not valid") \
	X(COMMAND_HARDWARE_ERROR,  6, "a command could not be read") \
	X(IOTLB_INV_TIMEOUT,       7, "a device did not answer an invalidation") \
	X(INVALID_DEVICE_REQUEST,  8, "a request that the device may not make") \
	X(INVALID_PPR_REQUEST,     9, "a page request that the device may not make")
/* clang-format on */
#define IOPF_AMD_EVENT_ENUM(name, number, text) IOPF_AMD_##name = (number),
enum iopf_amd_event { IOPF_AMD_EVENTS(IOPF_AMD_EVENT_ENUM) };

/* A reason is an event and, as the record has them, what it says beside. */
#define IOPF_AMD_REASON(event, flags) ((uint16_t)((event) << 12 | (flags)))
#define IOPF_AMD_EVENT(reason)        ((reason) >> 12)
enum iopf_amd_flag {
	IOPF_AMD_I = 0x008,    /* of an interrupt, not of an access */
	IOPF_AMD_PR = 0x010,   /* IO_PAGE_FAULT: it was present */
	IOPF_AMD_PE = 0x040,   /* IO_PAGE_FAULT: it lacks the right */
	IOPF_AMD_RZ = 0x080,   /* a reserved bit is set; 0: an impossible level */
	IOPF_AMD_TYPE = 0x200, /* times it: the type of the others */
};
/* ---- RISC-V: causes of faults --------------------------------------------------------- */

/* X(name, number, text): every cause of the architecture ("Fault/Event-Queue"). */
/* clang-format off */
#define IOPF_RISCV_CAUSES(X) \
	X(exec_access,        1,   "an instruction could not be read") \
	X(read_misaligned,    4,   "a read that is not aligned") \
	X(read_access,        5,   "what a read needs could not be read") \
	X(write_misaligned,   6,   "a write that is not aligned") \
	X(write_access,       7,   "what a write needs could not be read or written") \
	X(exec_page,          12,  "first stage: no page to execute") \
	X(read_page,          13,  "first stage: no page to read") \
	X(write_page,         15,  "first stage: no page to write") \
	X(exec_guest_page,    20,  "second stage: no page to execute") \
	X(read_guest_page,    21,  "second stage: no page to read") \
	X(write_guest_page,   23,  "second stage: no page to write") \
	X(off,                256, "nothing is let in") \
	X(ddt_access,         257, "a device directory entry could not be read") \
	X(ddt_invalid,        258, "a device directory entry is not valid") \
	X(ddt_misconfigured,  259, "a device directory entry is misconfigured") \
	X(disallowed,         260, "a transaction of a type that is not allowed") \
	X(msi_access,         261, "an MSI table entry could not be read") \
	X(msi_invalid,        262, "an MSI table entry is not valid") \
	X(msi_misconfigured,  263, "an MSI table entry is misconfigured") \
	X(mrif_access,        264, "an interrupt file could not be reached") \
	X(pdt_access,         265, "a process directory entry could not be read") \
	X(pdt_invalid,        266, "a process directory entry is not valid") \
	X(pdt_misconfigured,  267, "a process directory entry is misconfigured") \
	X(ddt_corrupt,        268, "a device directory entry is corrupt") \
	X(pdt_corrupt,        269, "a process directory entry is corrupt") \
	X(msi_corrupt,        270, "an MSI table entry is corrupt") \
	X(mrif_corrupt,       271, "an interrupt file is corrupt") \
	X(internal,           272, "the IOMMU's own data path failed") \
	X(msi_write,          273, "an interrupt's message could not be written") \
	X(table_corrupt,      274, "a page table is corrupt")
/* clang-format on */
#define IOPF_RISCV_CAUSE_ENUM(name, number, text) IOPF_RISCV_##name = (number),
enum iopf_riscv_cause { IOPF_RISCV_CAUSES(IOPF_RISCV_CAUSE_ENUM) };

/* ---- VT-d before scalable mode: to read old traces ---------------------------------- */

/* The 16-byte responses of "extended mode"; no hardware of today takes them. */
struct iopf_vtd_old_response {
	uint64_t addr;         /* stream response only: the page */
	uint32_t rid;
	uint32_t pasid;        /* group response: or IOPF_PASID_NONE */
	uint32_t private_data; /* 23 bits of the request, given back */
	uint16_t index;
	uint8_t code; /* enum iopf_code */
	uint8_t rsvd;
};

/* Returns: encode: 0, -ERANGE; decode: 0, -EBADMSG. @record is 16 bytes. */
int iopf_vtd_encode_stream_response(const struct iopf_vtd_old_response *response,
				    uint8_t *record);
int iopf_vtd_decode_stream_response(const uint8_t *record,
				    struct iopf_vtd_old_response *response);
int iopf_vtd_encode_old_group_response(const struct iopf_vtd_old_response *response,
				       uint8_t *record);
int iopf_vtd_decode_old_group_response(const uint8_t *record,
				       struct iopf_vtd_old_response *response);

#ifdef __cplusplus
}
#endif

#endif
