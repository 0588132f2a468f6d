/* SPDX-License-Identifier: BSD-3-Clause */
/* table/family.c - the list of families. */
#include "table/family.h"

#include "base/name.h"

const struct family *family_find(const char *name)
{
	static const struct family *const families[] = { &family_vtd, &family_smmuv3 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (name_is(families[i]->name, name))
			return families[i];
	return NULL;
}
