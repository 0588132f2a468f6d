/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/character_hostile.c - guests that do whatever they can. */
#include "cli/guest.h"

const struct guest_behaviour guest_hostile = { .work = guest_work };
