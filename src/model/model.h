/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/model.h - the link between a device and the IOMMU above it.
 *
 * What crosses it is what crosses a PCIe link: transactions with a requester id, an
 * optional PASID prefix and a payload. Neither end sees a struct of the other. A platform
 * master's bus has stream and substream ids in their place, and untranslated accesses
 * alone.
 *
 * Order. Messages are posted: page_request() and model_function_response() return
 * nothing. Either may be called from inside the other (an IOMMU whose queue is full
 * answers a last at once; a function retries when it is answered), so both ends settle
 * their own state before they call.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "iopf/iopf.h"

/* Completion status of a non-posted request, as on the wire (PCIe 2.2.9). */
enum model_status {
	MODEL_SUCCESS = 0,
	MODEL_UR = 1, /* unsupported request: ATS off for this function, no such place */
	MODEL_CA = 4, /* completer abort: the IOMMU's structures are broken */
};

/* An ATS translation request for one page (PCIe 10.2.2). */
struct model_translation_request {
	uint64_t addr;  /* untranslated, a multiple of 4096 */
	uint32_t rid;
	uint32_t pasid; /* or IOPF_PASID_NONE */
	uint8_t perm;   /* READ always; WRITE: the no-write flag is clear; EXEC and PRIV
			 * stand in the PASID prefix and need a PASID */
};

/* A translation completion with status success (PCIe 10.2.3). Not present is a success
 * with neither READ nor WRITE. */
struct model_translation {
	uint64_t addr;       /* translated, of the first byte of the range */
	uint64_t size_bytes; /* of the range, a power of two from 4096; the page that was
			      * asked for lies in the range of that alignment */
	uint8_t perm;        /* READ, WRITE, EXEC; PRIV: granted to privileged requests */
	bool untranslated;   /* U: only untranslated accesses may be made */
	bool global;         /* the same in every PASID of the function */
};

/*
 * An untranslated memory request of a platform master, within one page of 4096. One that
 * moves no bytes (no byte enabled) is translated and checked like any other.
 */
struct model_transaction {
	uint64_t addr;
	void *buffer;        /* the master's, of @size_bytes */
	uint32_t rid;        /* stream */
	uint32_t pasid;      /* substream, or IOPF_PASID_NONE */
	uint32_t size_bytes; /* 0: nothing is moved */
	uint8_t perm;        /* READ or WRITE; EXEC: an instruction is read; PRIV */
};

/* What a device sends. Set once, at create; every member is there. */
struct model_upstream {
	void *context;
	/* @translation is written on MODEL_SUCCESS only. */
	enum model_status (*translate)(void *context,
				       const struct model_translation_request *request,
				       struct model_translation *translation);
	/* @perm: EXEC and PRIV of the prefix. @payload: bytes 8 to 15 of the message,
	 * iopf_pcie_encode_request(). A stop marker goes the same way. */
	void (*page_request)(void *context, uint32_t rid, uint32_t pasid, uint8_t perm,
			     uint64_t payload);
	/* A memory request with address type translated. Reads and writes all of
	 * @size_bytes or nothing; it never crosses a page of 4096. */
	enum model_status (*access)(void *context, uint32_t rid, uint64_t addr,
				    void *buffer, uint32_t size_bytes, bool write);
	/* @transaction is borrowed until it is over: with 0 (all bytes moved) or -EFAULT
	 * (aborted, none moved), either as result, or, after -EINPROGRESS, which says that
	 * it is held, by struct model_downstream.released. */
	int (*transact)(void *context, const struct model_transaction *transaction);
	/* A message signalled interrupt. */
	void (*interrupt)(void *context, uint32_t rid, uint64_t addr, uint32_t data);
};

/* ---- What an IOMMU and a root port send to a function -------------------------- */

struct model_function;

/* A PRG Response message: @pasid of the prefix or IOPF_PASID_NONE, bytes 8 to 15. */
void model_function_response(struct model_function *function, uint32_t pasid,
			     uint64_t payload);

/*
 * An Invalidate Request (PCIe 10.3.1): @pasid of the prefix or IOPF_PASID_NONE, and
 * the payload that model_invalidate_payload() makes. A function answers it whatever
 * its state, also where ATS is off.
 *
 * Returns: 0: completed, nothing of the range is or will be used; -EAGAIN: no
 *          completion yet: call again with the same arguments to ask.
 */
int model_function_invalidate(struct model_function *function, uint32_t pasid,
			      uint64_t payload);

/*
 * The payload of an Invalidate Request for the @size_bytes at @addr: a power of two
 * from 4096, @addr a multiple of it; 0: the whole address space. @global: in every
 * PASID.
 */
uint64_t model_invalidate_payload(uint64_t addr, uint64_t size_bytes, bool global);

/* Configuration requests: @offset 0..4095, a multiple of @size_bytes (1, 2, 4). A
 * function that is gone reads as all ones. */
uint32_t model_function_config_read(const struct model_function *function,
				    uint32_t offset, uint32_t size_bytes);
void model_function_config_write(struct model_function *function, uint32_t offset,
				 uint32_t size_bytes, uint32_t value);

#endif
