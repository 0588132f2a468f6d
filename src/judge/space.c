/* SPDX-License-Identifier: BSD-3-Clause */
/* judge/space.c - address spaces and their owners; what owners were shown. */
#include "judge/book.h"

#include <string.h>

static uint64_t pair_key(uint32_t endpoint, uint32_t pasid)
{
	return (uint64_t)endpoint << 32 | pasid;
}

uint32_t book_space_make(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid)
{
	uint64_t key = pair_key(endpoint, pasid);
	uint32_t number = map_find(&judge->pairs, key);
	struct book_space *space;

	if (number != MAP_NONE)
		return number;
	if (judge->space_count == judge->options.space_max) {
		judge->lost[BOOK_SPACES]++;
		return BOOK_NONE;
	}
	number = judge->space_count++;
	map_add(&judge->pairs, key, number);
	space = &judge->spaces[number];
	memset(space, 0, sizeof(*space));
	space->owner = IOPF_NO_ID;
	for (unsigned n = 0; n < IOPF_AT_COUNT; n++)
		space->list[n] = (struct book_list){ BOOK_NONE, BOOK_NONE };
	return number;
}

uint32_t book_space_of(struct iopf_judge *judge, uint32_t endpoint, uint32_t pasid)
{
	uint32_t own = map_find(&judge->pairs, pair_key(endpoint, pasid));
	uint32_t any = MAP_NONE;

	if (own != MAP_NONE && judge->spaces[own].attached)
		return own;
	if (pasid != IOPF_PASID_NONE)
		any = map_find(&judge->pairs, pair_key(endpoint, IOPF_PASID_ANY));
	if (any != MAP_NONE && judge->spaces[any].attached)
		return any;
	return own; /* MAP_NONE is BOOK_NONE */
}

struct book_show *book_show_find(struct iopf_judge *judge, uint64_t token)
{
	uint32_t number = MAP_NONE;

	if (token != 0 && token != MAP_EMPTY)
		number = map_find(&judge->tokens, token);
	return number == MAP_NONE ? NULL : &judge->shows[number];
}

static uint32_t place(struct iopf_judge *judge)
{
	uint32_t number = judge->over.first;

	if (judge->show_count < judge->options.group_max)
		return judge->show_count++;
	if (number == BOOK_NONE) {
		judge->lost[BOOK_SHOWS]++;
		return BOOK_NONE;
	}
	map_remove(&judge->tokens, judge->shows[number].token);
	judge->over.first = judge->shows[number].next;
	if (judge->over.first == BOOK_NONE)
		judge->over.last = BOOK_NONE;
	return number;
}

struct book_show *book_show_new(struct iopf_judge *judge, uint64_t token)
{
	uint32_t number = token == MAP_EMPTY ? BOOK_NONE : place(judge);
	struct book_show *show;

	if (number == BOOK_NONE)
		return NULL;
	map_add(&judge->tokens, token, number);
	show = &judge->shows[number];
	memset(show, 0, sizeof(*show));
	show->token = token;
	show->line = judge->line;
	show->owner = show->endpoint = IOPF_NO_ID;
	show->next = BOOK_NONE;
	return show;
}

void book_show_over(struct iopf_judge *judge, struct book_show *show)
{
	uint32_t number = (uint32_t)(show - judge->shows);

	if (show->ended)
		return;
	show->ended = true;
	show->end_line = judge->line;
	if (judge->over.last == BOOK_NONE)
		judge->over.first = number;
	else
		judge->shows[judge->over.last].next = number;
	judge->over.last = number;
}
