/* SPDX-License-Identifier: BSD-3-Clause */
/* base/name.h - names are compared where there is no C library. */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>

static inline bool name_is(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
