/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source/iommufd.h - what a fault descriptor's source keeps: groups, and their cookies.
 *
 * A slot is a group that the kernel gave a cookie, and its number is the index that the
 * broker knows it by: nobody else has it until both are done with it.
 *
 *	FREE ----> SHOWN ----> WAITING
 *	 ^  \        |  \       ^  |
 *	 |   \_______|___\_____/   |
 *	 |           v    \        |
 *	 |<-------- OVER   \       |
 *	 |__________________\______|
 *
 *	FREE    -> SHOWN    [read]    the broker is given it
 *	FREE    -> WAITING  [read]    it is answered here: no room, or not whole
 *	SHOWN   -> WAITING  [write]   the broker has responded
 *	SHOWN   -> OVER     [kernel]  the kernel ended it, and the broker will respond yet
 *	SHOWN   -> FREE     [reset]   the broker ended it without a response
 *	WAITING -> FREE     [flush]   the kernel took the answer, or refused it
 *	WAITING -> FREE     [kernel, reset]
 *	OVER    -> FREE     [write]   the response came, and is swallowed
 *	OVER    -> FREE     [reset]
 *
 *	SHOWN, WAITING  its cookie is in the map: it is the kernel's name for this group
 *	WAITING         on the line of answers, oldest first
 *	FREE            on the line of free slots: what was used last is used again last
 */
#ifndef SOURCE_IOMMUFD_H
#define SOURCE_IOMMUFD_H

#include "iopf/iommufd.h"

#include "base/map.h"
#include "iopf/wire.h"

enum {
	GROUP_MAX = 32768, /* of either: an index is 16 bits */
	BATCH = 128,       /* answers of one write */
};

enum slot_state { SLOT_FREE, SLOT_SHOWN, SLOT_WAITING, SLOT_OVER, SLOT_STATE_COUNT };

struct slot {
	uint32_t cookie;
	uint32_t device;
	uint32_t pasid; /* of its last request; IOPF_PASID_NONE */
	uint16_t next;  /* in its line */
	uint8_t state;  /* enum slot_state */
	uint8_t code;   /* WAITING: enum iopf_code */
};

/* Slots one after the other; taken at the first. */
struct line {
	uint32_t first, last, count;
};

struct iopf_iommufd {
	struct iopf_iommufd_options options;
	struct iopf_iommufd_stats stats;
	struct slot *slots;
	uint32_t slot_count; /* group_max, and as many as one read can bring */
	struct line free, waiting;
	struct map cookies;            /* of SHOWN and WAITING slots */
	struct iopf_request *requests; /* of one read, and */
	uint32_t request_count;
	uint8_t *bytes; /* its records */
	uint8_t answers[BATCH * IOPF_IOMMUFD_ANSWER_BYTES];
};

/* The only writer of a state. */
void source_move(struct slot *slot, enum slot_state to);
void source_push(struct iopf_iommufd *source, struct line *line, uint32_t at);
/* The line is not empty. */
uint32_t source_pop(struct iopf_iommufd *source, struct line *line);
void source_free(struct iopf_iommufd *source, uint32_t at);
/* The cookie of the slot is not that of its group any more. */
void source_cookie_end(struct iopf_iommufd *source, uint32_t at);
/* The same, and nothing of it is written. @responds: the broker, if it has it, will say
 * something of it yet. */
void source_over(struct iopf_iommufd *source, uint32_t at, bool responds);
/* To the end of the line of answers. */
void source_answer(struct iopf_iommufd *source, uint32_t at, enum iopf_code code);
/* Write what waits. Returns: as iopf_iommufd_write(). */
int source_flush(struct iopf_iommufd *source);
/* An errno, whatever number a function of somebody else's gave. */
int source_errno(int64_t result);
bool source_is_not_now(int64_t result);

#endif
