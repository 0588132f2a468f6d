/* SPDX-License-Identifier: BSD-3-Clause */
/* cli_serve_program.h - what programs in QEMU's place have in common: memory that they were
 * given, interrupts that come as lines, and what they say where something is not so. */
#ifndef CLI_SERVE_PROGRAM_H
#define CLI_SERVE_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "iopf/wire.h"

static inline _Noreturn void fail(const char *what, uint64_t got)
{
	fprintf(stderr, "machine: %s: 0x%llx\n", what, (unsigned long long)got);
	exit(1);
}

#define EXPECT(condition, got)                    \
	do {                                      \
		if (!(condition))                 \
			fail(#condition, (got)); \
	} while (0)

/* Its memory, which begins at @base as the machine sees it. Sealed: nobody can make it
 * smaller under whoever has it mapped. */
static inline struct iopf_segment memory_map(const char *path, uint64_t base)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;
	void *memory;

	EXPECT(descriptor >= 0 && fstat(descriptor, &status) == 0, (uint64_t)errno);
	EXPECT((fcntl(descriptor, F_GET_SEALS) & seals) == seals, 0);
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      descriptor, 0);
	EXPECT(memory != MAP_FAILED, (uint64_t)errno);
	close(descriptor);
	return (struct iopf_segment){ base, (uint64_t)status.st_size, memory };
}

/* What came through the socket @qtest, each line answered as QEMU does. */
static inline void interrupts_take(int qtest, void (*came)(uint64_t addr, uint32_t data))
{
	static char text[4096];
	static size_t have;
	ssize_t got = recv(qtest, text + have, sizeof(text) - 1 - have, MSG_DONTWAIT);
	char *at = text, *end;

	have += got > 0 ? (size_t)got : 0;
	text[have] = 0;
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		unsigned long long addr;
		unsigned data;

		EXPECT(sscanf(at, "writel %llx %x", &addr, &data) == 2, (uint8_t)at[0]);
		came(addr, data);
		EXPECT(send(qtest, "OK\n", 3, MSG_NOSIGNAL) == 3, (uint64_t)errno);
	}
	have -= (size_t)(at - text);
	memmove(text, at, have);
}

#endif
