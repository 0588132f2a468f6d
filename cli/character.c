/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/character.c - names of characters and of hostile acts. */
#include "cli/character.h"

#include <stddef.h>
#include <string.h>

#define NAME(name, ...)       #name,
#define TEXT(name, data, text) text,

static const char *const names[] = { CHARACTERS(NAME) };
static const char *const texts[] = { CHARACTERS(TEXT) };
static const char *const acts[] = { HOSTILE_ACTS(NAME) };

const char *character_name(unsigned character)
{
	return character < CHARACTER_COUNT ? names[character] : NULL;
}

const char *character_text(unsigned character)
{
	return character < CHARACTER_COUNT ? texts[character] : NULL;
}

unsigned character_find(const char *name)
{
	unsigned character = 0;

	while (character < CHARACTER_COUNT && strcmp(names[character], name) != 0)
		character++;
	return character;
}

const char *hostile_name(unsigned act)
{
	return act < HOSTILE_ACT_COUNT ? acts[act] : NULL;
}
