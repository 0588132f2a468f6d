/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest/shown.h - what a guest was shown of one function: virtual indices and debts.
 *
 * A guest names a group by (rid, PASID, index), a stall by (stream, tag), and by nothing
 * else. So the index that it sees is the host's own choice, and one that the guest may
 * still answer is never given to another group. A tag is an index in all that follows;
 * a group that is shown as stalls has several, which are joined in a ring: it is answered
 * when all of them are, and the worst answer counts.
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
 *
 * The answer for a stall names no PASID, and its record may be read whenever the guest
 * likes: only the answer ends the debt of one, or the loss of all (SMMUv3, CMD_RESUME).
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
	uint16_t next, prev; /* HELD: the ring of its group */
	uint8_t state;    /* enum shown_state */
	uint8_t code;     /* HELD: enum iopf_code, the worst so far of its group's others */
	bool torn;        /* OWED: its address space was torn down since */
	uint8_t rsvd;
	uint16_t pages;   /* HELD: that were shown */
	uint16_t rsvd2;
};

struct shown {
	struct shown_slot slot[IOPF_GUEST_INDEX_COUNT];
	uint64_t busy[IOPF_GUEST_INDEX_COUNT / 64]; /* HELD or OWED */
	uint32_t held, owed;
	uint32_t pages; /* of those held */
	uint32_t torn;  /* of those owed */
	uint32_t known; /* indices that are not FRESH */
	uint32_t next; /* where to look for a free index: the one that rested longest */
};

#define SHOWN_NO_INDEX UINT32_MAX

void shown_create(struct shown *shown);

/* How many indices the guest neither holds nor owes. */
static inline uint32_t shown_free_count(const struct shown *shown)
{
	return IOPF_GUEST_INDEX_COUNT - shown->held - shown->owed;
}

/* An index that the guest neither holds nor owes, or SHOWN_NO_INDEX. */
uint32_t shown_free_index(const struct shown *shown);

/* FRESH or SETTLED to HELD. */
void shown_show(struct shown *shown, uint32_t index, uint64_t token, uint32_t pasid,
		uint32_t pages);

/* @index, just shown, is one more of the group of @with. */
void shown_join(struct shown *shown, uint32_t index, uint32_t with);

/*
 * HELD or OWED to SETTLED: answered with @code. Returns: another index of the same group
 * that is HELD, or SHOWN_NO_INDEX: there is none, and @*code is the group's.
 */
uint32_t shown_settle(struct shown *shown, uint32_t index, enum iopf_code *code);

/* HELD to OWED, with all of its group. Returns: how many. */
uint32_t shown_take(struct shown *shown, uint32_t index, uint64_t now_ns);

/* Any state to FRESH; from HELD with all of its group. */
void shown_forget(struct shown *shown, uint32_t index);

/* The address space of @pasid is torn down: its debts end with the next drain. */
void shown_tear(struct shown *shown, uint32_t pasid);

/* A drain has completed. Returns: how many debts ended. */
uint32_t shown_drain(struct shown *shown);

/* When the oldest debt became one; 0: there is none. */
uint64_t shown_oldest_debt_ns(const struct shown *shown);

#endif
