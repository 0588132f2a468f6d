/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux/guest_end.c - the machine ends while groups are open: the kernel has been shown
 * them and will not answer. Environment: end=reboot: it restarts; otherwise it stays until
 * somebody kills it. What the host makes of that, it says itself.
 */
#include "guest.h"

#include <sys/reboot.h>

/* Groups in two spaces, and jobs that wait for them. */
CASE(groups_are_open)
{
	guest_begin();
	for (uint32_t slot = 0; slot < 2; slot++) {
		CHECK_EQ(guest_attach(guest.pasid + slot), 0);
		CHECK_EQ(guest_hold(guest.pasid + slot, true), 0);
		guest_start_fill(slot, guest.pasid + slot, GUEST_IOVA, 16 * GUEST_PAGE, slot);
		CHECK_SOON(guest_state(guest.pasid + slot).waiting >= 1);
	}
	NOTE("%u and %u groups are open", guest_state(guest.pasid).waiting,
	     guest_state(guest.pasid + 1).waiting);
}

int main(void)
{
	const char *end = getenv("end");

	if (guest_main(768) != 0)
		return 1;
	if (end != NULL && strcmp(end, "reboot") == 0)
		reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
