/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli/layout.h - what lies where in a guest's memory, and in the address spaces that its
 * device sees. Host and guest agree on it; neither relies on the other keeping to it.
 *
 *   LAYOUT_BASE  what the guest's agent builds: structures, queues, page tables
 *   source       the bytes of the file, and zeros behind it
 *   destination  as many pages again
 */
#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

#include <stdint.h>

#define LAYOUT_PAGE UINT64_C(4096)

/* Guest-physical: not 0, so that an address that was not set leads nowhere. */
#define LAYOUT_BASE UINT64_C(0x1000000)

/* I/O virtual: the same in each address space. */
#define LAYOUT_IOVA_SOURCE      UINT64_C(0x1000000000)
#define LAYOUT_IOVA_DESTINATION UINT64_C(0x2000000000)

/* What a guest has at once; it goes from one to the next. */
#define LAYOUT_SPACE_MAX 4

/* The requester id of its function, as a guest sees it: 00:02.0. */
#define LAYOUT_RID 0x0010

/* Two copies and their tables in each of up to 64 guests: it has to fit the machine. */
#define LAYOUT_FILE_MAX (UINT64_C(1) << 30)

/* More than a device asks for at once, however small the file: a job has a middle. */
#define LAYOUT_PAGES_MIN 256

struct layout {
	uint64_t file_bytes;
	uint64_t page_count;   /* of the source: the file's, or more */
	uint64_t region_bytes; /* the agent's, from LAYOUT_BASE */
	uint64_t source;       /* guest-physical */
	uint64_t destination;
	uint64_t size_bytes;   /* of the guest's memory */
};

struct layout layout_of(uint64_t file_bytes);

#endif
