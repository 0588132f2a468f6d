/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model/master.h - a platform device behind an SMMU: a stream with substreams, and
 * untranslated transactions. It has no configuration space, no cache of translations and
 * no page requests: where a page is missing the SMMU holds the transaction (a stall) and
 * the device learns nothing of it until it is let go.
 *
 * What works on top of it (an engine) sees a stall as a group of one page. The state of
 * a transaction's slot:
 *
 *   FREE ---> SENT ---> FREE
 *               |         ^
 *               v         |
 *             HELD -------+
 *
 *   FREE -> SENT  [model_master_translate, _access]
 *   SENT -> FREE  [it is done, or aborted]
 *   SENT -> HELD  [the SMMU holds it]; model_master_group_add() says who waits for it
 *   HELD -> FREE  [model_master_released]  the client, if any waits, learns the outcome
 *
 * A reset ends nothing that the SMMU holds: the slot stays taken, moves no bytes any
 * more, and nobody waits for it.
 */
#ifndef MODEL_MASTER_H
#define MODEL_MASTER_H

#include "model/function.h"

struct model_master;

#define MODEL_MASTER_TRANSACTION_MAX 256u

struct model_master_options {
	struct model_upstream upstream; /* copied */
	uint32_t rid;                   /* its stream id */
	uint32_t transactions;          /* held at once, 1..MODEL_MASTER_TRANSACTION_MAX */
	uint8_t pasid_width;            /* bits of a substream id, 0..20; 0: none */
	uint64_t interrupt_addr;        /* of its message, */
	uint32_t interrupt_data;
	bool interrupt;                 /* if it has one */
};

/* Returns: 0, -EINVAL (an option out of its range), -ENOMEM. */
int model_master_create(const struct model_master_options *options,
			struct model_master **master);
/* Not before it was pulled out of the IOMMU: what is held there borrows from it. */
void model_master_destroy(struct model_master *master);

/* One client; borrowed until the master is destroyed or it is replaced by NULL. */
void model_master_set_client(struct model_master *master,
			     const struct model_client *client);

/* What the IOMMU calls, struct model_downstream.released. */
void model_master_released(struct model_master *master,
			   const struct model_transaction *transaction, int result);

/* ---- Accesses, as an engine makes them ---------------------------------------------- */

/*
 * Try the page at @addr with a transaction that moves nothing.
 *
 * Returns: 0 and a use; -EFAULT: it is held now, model_master_group_add() waits for it;
 *          -EAGAIN: no slot is free, or no use; -EIO: it was aborted; -EACCES: such a
 *          PASID is not to be had, or is being stopped; -ENODEV.
 */
int model_master_translate(struct model_master *master, uint32_t pasid, uint64_t addr,
			   uint8_t perm, uint32_t *use);
/* True: nothing is cached that could have been invalidated. */
bool model_master_usable(const struct model_master *master, uint32_t use);
void model_master_release(struct model_master *master, uint32_t use);

/*
 * Move @size_bytes at @offset of the page behind @use.
 *
 * Returns: 0; -ESTALE: it is held now; release, translate again and wait; -EIO: aborted;
 *          -EAGAIN: no slot is free.
 */
int model_master_access(struct model_master *master, uint32_t use, uint32_t offset,
			void *buffer, uint32_t size_bytes, bool write);

/* As of a function's groups, of one page each. Returns: 1; -EAGAIN (no slot is free);
 * -EACCES; -ENODEV. */
int model_master_group_room(const struct model_master *master, uint32_t pasid);
int model_master_group_open(struct model_master *master, uint32_t pasid, uint32_t cookie);
/* Wait for the page @addr: a transaction held for it, or a new one. Returns: 1, -EINVAL,
 * -ENOENT. */
int model_master_group_add(struct model_master *master, uint32_t group, uint64_t addr,
			   uint8_t perm, bool last);
int model_master_group_close(struct model_master *master, uint32_t group);

/* Nothing new of @pasid until nothing of it is held. Returns: 0; -EAGAIN:
 * model_master_stopping() tells when; -ENODEV. */
int model_master_stop(struct model_master *master, uint32_t pasid);
bool model_master_stopping(const struct model_master *master, uint32_t pasid);

void model_master_interrupt(struct model_master *master);
bool model_master_decodes(const struct model_master *master);

/* ---- What happens to it ------------------------------------------------------------- */

/* All its work ends; what the SMMU holds of it is nobody's any more. */
void model_master_reset(struct model_master *master);
/* Pulled out, for good: the same, and it sends nothing. */
void model_master_remove(struct model_master *master);
/* Nothing of it is outstanding. */
bool model_master_quiet(const struct model_master *master);

/* ---- What can be seen of it --------------------------------------------------------- */

struct model_master_state {
	uint32_t rid;
	uint32_t held;          /* transactions */
	uint32_t orphans;       /* of them, from before a reset */
	bool gone;
	uint64_t transactions;  /* sent */
	uint64_t stalls;        /* of them, held at least once */
	uint64_t aborted;       /* of them, at once or after a stall */
};

void model_master_state(const struct model_master *master,
			struct model_master_state *state);
uint32_t model_master_rid(const struct model_master *master);

#endif
