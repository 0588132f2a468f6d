/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/function.h - a PCI function that pages: configuration space, page requests in
 * groups, a cache of translations. What works on top of it (an engine) is its client.
 *
 * The state of a page request group (PCIe 10.4.1, 10.4.2):
 *
 *   FREE ---> OPEN ---> WAITING ---> FREE
 *               |          |          ^
 *               +----------+-> STALE -+
 *
 *   FREE    -> OPEN     [model_group_open]  an index of the function's choice
 *   OPEN    -> WAITING  [model_group_add]   the last request has left
 *   WAITING -> FREE     [a response]        the client learns how it ended
 *   WAITING -> STALE    [stop with a marker, response failure] the client has given up
 *   OPEN    -> STALE    [response failure]
 *   STALE   -> FREE     [a response]        credits and index come back, nothing else
 *   any     -> FREE     [PRI reset, FLR]    forgotten
 *
 * A virtual function pages through the interface of its physical one: credits, indices,
 * Enable, RF and UPRGI are of that (PCIe 10.5.2); a response goes to the requester id
 * that asked.
 *
 * One credit a request, not a group; all credits of a group return with its response.
 * A request that takes the last credit closes its group: otherwise nothing ever could.
 */
#ifndef MODEL_FUNCTION_H
#define MODEL_FUNCTION_H

#include "model/model.h"

struct model_function;

/* What a function does with a response that it does not expect (PCIe 10.4.2.1). */
enum model_unexpected {
	MODEL_UNEXPECTED_UPRGI,      /* status bit of the PRI capability */
	MODEL_UNEXPECTED_COMPLETION, /* the older kind: AER, unexpected completion */
	MODEL_UNEXPECTED_REQUEST,    /* the older kind: AER, unsupported request */
};

/* What a function made of a response. */
enum model_verdict {
	MODEL_TAKEN,      /* credits are back; success or invalid for the client */
	MODEL_STALE,      /* credits are back, nothing else */
	MODEL_UNEXPECTED, /* no such group waits: UPRGI or AER */
	MODEL_FAILED,     /* response failure: RF is set, the function pages no more */
	MODEL_IGNORED,    /* came after a response failure */
	MODEL_VERDICT_COUNT
};

/* How a group ended for the client. */
enum model_outcome {
	MODEL_OUTCOME_SUCCESS, /* try the translation again */
	MODEL_OUTCOME_INVALID, /* give up */
	MODEL_OUTCOME_FAILURE, /* paging is broken */
	MODEL_OUTCOME_STOPPED, /* its PASID was stopped with a marker */
	MODEL_OUTCOME_LOST,    /* PRI or function reset, removal */
};

/* Why everything was forgotten, or may be. */
enum model_reset {
	MODEL_PRI_DISABLED,
	MODEL_PRI_ENABLED,
	MODEL_PRI_RESET,
	MODEL_FLR,
	MODEL_REMOVED,
};

/* The function's end of the link, for those who judge it: each call is made when the
 * function has settled the event, before anything else can happen. No member may be
 * NULL where an observer is given; none may call the function, but for its state. */
struct model_observer {
	void *context;
	/* Every message that leaves, stop markers and raw ones too. */
	void (*request)(void *context, struct model_function *function, uint32_t pasid,
			uint8_t perm, uint64_t payload);
	void (*response)(void *context, struct model_function *function, uint32_t pasid,
			 uint64_t payload, enum model_verdict verdict);
	/* What happens to a page request interface is told for each function that has it. */
	void (*reset)(void *context, struct model_function *function,
		      enum model_reset reset);
	/* Of the interface: @function is the physical one. */
	void (*credits)(void *context, struct model_function *function, uint32_t in_use,
			uint32_t allocation);
};

/* Who uses the function. Called while it handles something: note it and return. */
struct model_client {
	void *context;
	void (*answered)(void *context, uint32_t cookie, enum model_outcome outcome);
	void (*reset)(void *context); /* FLR or removal; every group was lost before */
};

struct model_function_options {
	struct model_upstream upstream;  /* copied */
	struct model_observer observer;  /* copied; all NULL: none */
	uint32_t rid;                    /* 0..65535 */
	uint16_t vendor_id, device_id;
	uint32_t class_code;             /* 24 bits */
	uint32_t capacity;               /* outstanding page requests, 1..65536 */
	uint32_t atc_entries;            /* a power of two, 4..65536 */
	uint8_t pasid_width;             /* 1..20 bits; 0: no PASIDs */
	uint8_t unexpected;              /* enum model_unexpected */
	bool exec, priv;                 /* PASID capability: supported */
	bool pasid_in_response;          /* PRG Response PASID Required */
	bool index_per_pasid;            /* needs it: the same index in several PASIDs */
	bool stop_marker;                /* stops a PASID with a marker, does not wait */
	bool endpoint;                   /* has a link; otherwise integrated in the root */
	/* A virtual function of this one; NULL: none. It has an ATS capability and a cache
	 * of its own, and none of PRI and PASID: it pages through the physical function's
	 * interface, under its own requester id and with the physical one's choices
	 * (capacity, PASIDs, what responses carry). The physical function's reset or
	 * removal is its own, too. It is destroyed first. Its ids and its memory space are
	 * those that its owner is shown; there is no SR-IOV capability. */
	struct model_function *physical;
	uint32_t bar_bytes;              /* behind BAR 0: a power of two; 0: 4096, the least */
};

/*
 * Returns: 0, -EINVAL (an option out of its range), -ENOMEM.
 */
int model_function_create(const struct model_function_options *options,
			  struct model_function **function);
void model_function_destroy(struct model_function *function);

/* One client; borrowed until the function is destroyed or it is replaced by NULL. */
void model_function_set_client(struct model_function *function,
			       const struct model_client *client);

/* ---- Page requests ------------------------------------------------------------- */

/*
 * Returns: how many requests could be sent in @pasid now, 1 or more; -EAGAIN (no credit),
 *          -EACCES (PRI is off, this PASID is not enabled, or being stopped), -EPIPE (it
 *          got a response failure), -ENODEV.
 */
int model_group_room(const struct model_function *function, uint32_t pasid);

/*
 * Open a group in @pasid (or IOPF_PASID_NONE). @cookie comes back with its outcome.
 *
 * Returns: a group's number, or an error of model_group_room(); -EAGAIN also where no
 *          index is free.
 */
int model_group_open(struct model_function *function, uint32_t pasid, uint32_t cookie);

/*
 * Send one request of the open @group for the page @addr. It leaves as the last one
 * where @last says so or where it takes the last credit.
 *
 * Returns: 1: the group is closed; 0: it is open still; -EAGAIN: no credit;
 *          -EINVAL: @addr no page, or @perm wants nothing, executes without reading,
 *          or wants what the PASID capability does not have enabled; -ENOENT: the group
 *          is not open any more: paging or its PASID was stopped, the function reset.
 */
int model_group_add(struct model_function *function, uint32_t group, uint64_t addr,
		    uint8_t perm, bool last);

/* Close @group with its last page once more; one without a request is gone, and the
 * client told that it was stopped. Returns: 0, -ENOENT (it is not open). */
int model_group_close(struct model_function *function, uint32_t group);

/*
 * Stop a PASID: no new requests, open groups are closed. A function with a marker then
 * gives up what waits and sends the marker; one without waits for all responses.
 *
 * Returns: 0: stopped; -EAGAIN: model_function_stopping() tells when; -ENOSPC: 16 are
 *          being stopped; -ENODEV.
 */
int model_function_stop(struct model_function *function, uint32_t pasid);
bool model_function_stopping(const struct model_function *function, uint32_t pasid);

/* ---- Translations and memory --------------------------------------------------- */

/*
 * The translation of the page at @addr for @perm, from the cache or from upstream, and
 * hold on to it: an invalidation of it completes after the release.
 *
 * Returns: 0; -EFAULT: not present, or not with these rights; -EACCES: ATS or bus
 *          mastering is off, or this PASID is not enabled; -EIO: refused upstream;
 *          -EAGAIN: all entries for it are held; -ENODEV.
 */
int model_function_translate(struct model_function *function, uint32_t pasid,
			     uint64_t addr, uint8_t perm, uint32_t *use);
/* False: it was invalidated. Release it and ask again. */
bool model_function_usable(const struct model_function *function, uint32_t use);
void model_function_release(struct model_function *function, uint32_t use);

/*
 * Move @size_bytes at @offset of the page behind @use.
 *
 * Returns: 0, -ESTALE (invalidated), -EACCES (no right to, bus mastering is off), -EIO.
 */
int model_function_access(struct model_function *function, uint32_t use, uint32_t offset,
			  void *buffer, uint32_t size_bytes, bool write);

/* Send the interrupt, if the MSI capability is enabled. */
void model_function_interrupt(struct model_function *function);

/* ---- What happens to a function ------------------------------------------------ */

/* A function level reset, as the bit in Device Control does it. Of a virtual function it
 * ends its own groups alone. */
void model_function_reset(struct model_function *function);
/* Pulled out: answers nothing, reads as all ones, sends nothing. For good. */
void model_function_remove(struct model_function *function);
/* False: invalidations are not answered any more (a sick device). */
void model_function_answer_invalidations(struct model_function *function, bool answer);

/*
 * Send a page request message as it is, whatever PRI's state, credits and indices say.
 * The books follow it as well as they can: a free index opens a group, L closes it,
 * each request takes a credit. The client is told nothing.
 */
void model_function_send_raw(struct model_function *function, uint32_t pasid,
			     uint8_t perm, uint64_t payload);

/* ---- What can be seen of it ---------------------------------------------------- */

struct model_function_state {
	uint32_t rid;
	uint32_t physical_rid;   /* of the function whose interface it is */
	uint32_t allocation;     /* granted to the interface, at most the capacity */
	/* A virtual function's own; a physical one's with those of its virtual ones. */
	uint32_t credits_in_use; /* more than the allocation only by raw messages */
	uint32_t open, waiting, stale;
	bool enabled, stopped, rf, uprgi, gone;
	bool paging;             /* enabled, no response failure, not gone */
	bool pasid_in_response;
	uint64_t requests, raw_requests, stop_markers;
	uint64_t response[MODEL_VERDICT_COUNT];
	uint64_t uprgi_count;    /* unexpected responses, in whatever way reported */
	uint64_t misrouted;      /* responses to another requester id */
	uint64_t undefined;      /* what software did that has no defined result */
	uint64_t atc_hits, atc_misses, invalidations;
};

void model_function_state(const struct model_function *function,
			  struct model_function_state *state);
uint32_t model_function_rid(const struct model_function *function);
/* True where memory space is enabled: registers behind the BAR answer. */
bool model_function_decodes(const struct model_function *function);
/* config_dump() of its configuration space. */
int model_function_dump(const struct model_function *function, char *text,
			size_t size_bytes);

#endif
