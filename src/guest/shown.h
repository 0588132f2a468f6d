/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/shown.h - what a guest was shown of one function: virtual indices and debts.
 *
 * A guest names a group by (rid, PASID, index) and by nothing else. So the index that
 * it sees is the host's own choice, and one that the guest may still answer is never
 * given to another group.
 *
 *   FRESH --show--> HELD --answer--> SETTLED --show--> HELD
 *                    | taken
 *                    v
 *                   OWED --answer--> SETTLED
 *                    | torn, then drained
 *                    v
 *                   FRESH <--forget-- every state
 *
 *   FRESH    an answer is unknown: nothing was shown since the queue was set up
 *   HELD     the guest has it; token is live; its bit in busy[] is set
 *   OWED     a debt: the host has ended the group; its bit in busy[] is set
 *   SETTLED  the guest has answered; an answer is a duplicate
 */
#ifndef GUEST_SHOWN_H
#define GUEST_SHOWN_H

#include "iopf/guest.h"

enum shown_state {
	SHOWN_FRESH,
	SHOWN_HELD,
	SHOWN_OWED,
	SHOWN_SETTLED,
	SHOWN_STATE_COUNT
};

struct shown_slot {
	uint64_t token;
	uint64_t owed_ns; /* OWED: since when */
	uint32_t pasid;   /* or IOPF_PASID_NONE */
	uint8_t state;    /* enum shown_state */
	bool torn;        /* OWED: its address space was torn down since */
	uint8_t rsvd[2];
};

struct shown {
	struct shown_slot slot[IOPF_GUEST_INDEX_COUNT];
	uint64_t busy[IOPF_GUEST_INDEX_COUNT / 64]; /* HELD or OWED */
	uint32_t held, owed;
	uint32_t torn;  /* of those owed */
	uint32_t known; /* indices that are not FRESH */
	uint32_t next; /* where to look for a free index: the one that rested longest */
};

#define SHOWN_NO_INDEX UINT32_MAX

void shown_create(struct shown *shown);

/* An index that the guest neither holds nor owes, or SHOWN_NO_INDEX. */
uint32_t shown_free_index(const struct shown *shown);

/* FRESH or SETTLED to HELD. */
void shown_show(struct shown *shown, uint32_t index, uint64_t token, uint32_t pasid);

/* HELD or OWED to SETTLED. */
void shown_settle(struct shown *shown, uint32_t index);

/* HELD to OWED. */
void shown_take(struct shown *shown, uint32_t index, uint64_t now_ns);

/* Any state to FRESH. */
void shown_forget(struct shown *shown, uint32_t index);

/* The address space of @pasid is torn down: its debts end with the next drain. */
void shown_tear(struct shown *shown, uint32_t pasid);

/* A drain has completed. Returns: how many debts ended. */
uint32_t shown_drain(struct shown *shown);

/* When the oldest debt became one; 0: there is none. */
uint64_t shown_oldest_debt_ns(const struct shown *shown);

#endif
