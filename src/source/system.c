/* SPDX-License-Identifier: BSD-3-Clause */
/* source/system.c - a descriptor of the system's: the only file here that does I/O. */
#include "iopf/iommufd.h"

#include <errno.h>
#include <unistd.h>

static int64_t system_read(void *context, void *bytes, size_t size_bytes)
{
	ssize_t got = read(*(const int *)context, bytes, size_bytes);

	return got < 0 ? -errno : got;
}

static int64_t system_write(void *context, const void *bytes, size_t size_bytes)
{
	ssize_t put = write(*(const int *)context, bytes, size_bytes);

	return put < 0 ? -errno : put;
}

const struct iopf_iommufd_io iopf_iommufd_system = { .read = system_read,
						     .write = system_write };
