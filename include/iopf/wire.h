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

enum iopf_command_kind {
	IOPF_COMMAND_NONE,
	IOPF_COMMAND_RESPONSE,           /* rid, pasid, index, code, private data */
	IOPF_COMMAND_INVALIDATE_CONTEXT, /* granularity: all, domain, device (rid) */
	IOPF_COMMAND_INVALIDATE_PASID,   /* granularity: all, domain, pasid */
	IOPF_COMMAND_INVALIDATE_IOTLB,   /* granularity: all, domain, pasid, page */
	IOPF_COMMAND_INVALIDATE_DEVICE,  /* device TLB of rid: pasid or none; page or all */
	IOPF_COMMAND_WAIT,               /* status write, interrupt, fence, drain */
	IOPF_COMMAND_OTHER,              /* known to the family, nothing to do with paging */
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

/* One command, whatever the family. Fields that its kind does not name are 0. */
struct iopf_command {
	uint8_t kind;        /* enum iopf_command_kind */
	uint8_t granularity; /* enum iopf_granularity */
	uint8_t wait_flags;  /* enum iopf_wait_flag */
	uint8_t code;        /* enum iopf_code */
	uint16_t index;
	uint16_t domain;
	uint32_t rid;
	uint32_t pasid;      /* or IOPF_PASID_NONE */
	uint8_t flags;       /* IOPF_PRIVATE, IOPF_LAST where the format still carries it */
	uint8_t rsvd[3];
	uint32_t status_data;
	uint64_t status_addr;
	uint64_t addr;       /* first byte of the range */
	uint64_t size_bytes; /* of the range: a power of two times 4096 */
	uint64_t private_data[2];
};

/*
 * A family's records. One table each; every user goes through it.
 *
 * decode_request: -EBADMSG where @record is no request of this family (type unknown);
 *   otherwise 0, and *@reserved is true where bits were set that the family reserves.
 * encode_request, encode_command: -ERANGE where a value does not fit its field,
 *   -EOPNOTSUPP where the family has no such command; nothing is written then.
 * decode_command: -EBADMSG: reserved bits or an unknown type; the queue has to stop.
 *   Codes that the family reserves come out as IOPF_FAILURE (PCIe 6.x, 10.4.2.2).
 * Sizes: @size_bytes of a command is one of command_bytes[].
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
};

/* The family called @name, or NULL. */
const struct iopf_wire *iopf_wire_find(const char *name);

extern const struct iopf_wire iopf_wire_vtd;

/* The command that carries @response in any family. */
struct iopf_command iopf_command_from_response(const struct iopf_response *response);

/* ---- PCIe messages: what a function sends and gets ------------------------------- */

/* Bytes 8..15 of a Page Request message. PASID, X and PRIV travel beside it (prefix). */
uint64_t iopf_pcie_encode_request(const struct iopf_request *request);
/* -EINVAL: a stop marker of a type that is not 0. */
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
uint64_t iopf_pcie_encode_response(const struct iopf_prg_response *response);
int iopf_pcie_decode_response(uint64_t payload, uint32_t pasid,
			      struct iopf_prg_response *response);
uint8_t iopf_pcie_code(enum iopf_code code);
enum iopf_code iopf_pcie_meaning(uint8_t code);

#ifdef __cplusplus
}
#endif

#endif
