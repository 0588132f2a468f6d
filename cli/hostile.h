/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/hostile.h - a hostile guest: acts of every kind, each in a situation in which it
 * could hurt, again and again.
 *
 * Before an act the guest is as an honest one: its IOMMU is up, its device works, it
 * holds groups. What an act leaves behind is thrown away and built anew.
 */
#ifndef CLI_HOSTILE_H
#define CLI_HOSTILE_H

#include "cli/guest.h"

enum { HOSTILE_HELD_MAX = 256 };

struct hostile {
	struct guest *guest;
	struct iopf_driver *driver; /* its agent's, whose row says what there is to hurt */
	uint64_t count[HOSTILE_ACT_COUNT];
	/* The last requests of groups that it took and did not answer. */
	struct iopf_request held[HOSTILE_HELD_MAX];
	uint32_t held_first, held_end;
};

/* The acts: each does it once or a few times, and says so. */
#define HOSTILE_DECLARE(name, text) void hostile_##name(struct hostile *hostile);
HOSTILE_ACTS(HOSTILE_DECLARE)

/* ---- hostile_answers.c ------------------------------------------------------------- */

/* Whether a guest behind an IOMMU of @family has the words for @act. */
bool hostile_can(const char *family, unsigned act);

/* ---- character_hostile.c ----------------------------------------------------------- */

/* It was done @count times more, and the host has seen it; @refused: as it should be. */
void hostile_did(struct hostile *hostile, enum hostile_act act, uint64_t count,
		 bool refused);
/* A group to play with, of a job that waits for it. False: none came. */
bool hostile_hold(struct hostile *hostile, struct iopf_request *request);
/* A few turns: the host has seen what was done. */
void hostile_turns(struct hostile *hostile, uint32_t count);
uint64_t hostile_random(struct hostile *hostile);

/* A register of its virtual IOMMU. */
void hostile_write(struct hostile *hostile, uint32_t offset, uint32_t width,
		   uint64_t value);

#endif
