/* SPDX-License-Identifier: BSD-3-Clause */
/* table/family.c - the list of families. */
#include "table/family.h"

#include "base/name.h"

const struct family *const family_rows[] = { &family_vtd, &family_smmuv3, &family_amd,
					     &family_smmuv2, &family_riscv, NULL };

const struct family *family_find(const char *name)
{
	const struct family *const *family = family_rows;

	while (*family != NULL && name != NULL && !name_is((*family)->name, name))
		family++;
	return *family;
}

int family_create(const struct family *family, struct family_tables *tables,
		  const struct family_setup *setup)
{
	union family_features features;
	int error = family->features(&setup->registers, &features);

	return error != 0 ? error : family->create(tables, setup, &features);
}
