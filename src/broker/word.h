/* SPDX-License-Identifier: BSD-3-Clause */
/* broker/word.h - public structs, stored in words. */
#ifndef BROKER_WORD_H
#define BROKER_WORD_H

#include "broker/ledger.h"

/* Eight bytes of a struct, from @first on: stored at once, since stores are what a fault
 * costs. */
#define WORD_PUT(to, first, value)                                                \
	do {                                                                      \
		uint64_t word_ = (value);                                         \
		memcpy((uint8_t *)(to) + offsetof(__typeof__(*(to)), first),      \
		       &word_, sizeof(word_));                                    \
	} while (0)

/* token and opened_ns stand together wherever a group is told of. */
#define NAME_PUT(to, group) memcpy((to), (group), 16)

#define IS_WORD(type, first, next) \
	_Static_assert(offsetof(type, next) == offsetof(type, first) + 8, #first ": a word")
#define IS_NAMED(type)                                        \
	_Static_assert(offsetof(type, token) == 0 &&          \
			       offsetof(type, opened_ns) == 8, \
		       "its name comes first")

IS_NAMED(struct group);

#endif
