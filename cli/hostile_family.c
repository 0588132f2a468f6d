/* SPDX-License-Identifier: BSD-3-Clause */
/* cli/hostile_family.c - the families of hostile guests. */
#include "cli/hostile_family.h"

#include <string.h>

#include "cli/cli.h"

const struct hostile_family *hostile_family_find(const char *name)
{
	static const struct hostile_family *const families[] = { &hostile_vtd, &hostile_smmuv3 };

	for (size_t i = 0; i < CLI_COUNT(families); i++)
		if (strcmp(families[i]->name, name) == 0)
			return families[i];
	return NULL;
}

bool hostile_can(const char *family, unsigned act)
{
	const struct hostile_family *row = hostile_family_find(family);

	return row != NULL && !(row->lacks >> act & 1);
}
