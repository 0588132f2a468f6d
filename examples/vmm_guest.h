/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vmm_guest.h - a guest for vmm.c: a process that owns its memory, page tables in it, a
 * virtual VT-d behind messages, and a DMA engine that works in those tables.
 */
#ifndef VMM_GUEST_H
#define VMM_GUEST_H

#include <stdint.h>
#include <sys/types.h>

/* Guest-physical memory: not at 0, so that an address that was not set leads nowhere. */
#define VMM_GUEST_BASE  UINT64_C(0x1000000)
#define VMM_GUEST_BYTES UINT64_C(0x800000)
#define VMM_GUEST_RID   0x0008 /* its function, as the guest sees it: 00:01.0 */

/* What a register access and an interrupt are to a virtual machine: packets over a pair of
 * sockets. Each read gets one reply. */
enum vmm_message_kind {
	VMM_READ,
	VMM_WRITE,
	VMM_REPLY,
	VMM_INTERRUPT,
	VMM_RESET, /* what a guest's write of Initiate Function Level Reset makes of it */
};

struct vmm_message {
	uint32_t kind;
	uint32_t offset, width_bytes; /* of the virtual IOMMU's register page */
	uint32_t rsvd;
	uint64_t value;
};

/*
 * A process that is a guest: @rounds times (0: for ever) it has the engine behind @bar copy
 * a buffer of which no page is mapped, and looks at what was copied; it ends with 0 where
 * every byte was right. @memory is what lies at VMM_GUEST_BASE; *@socket is our end.
 *
 * Returns: its number. It dies with us.
 */
pid_t vmm_guest_start(void *memory, volatile void *bar, unsigned rounds, int *socket);

#endif
