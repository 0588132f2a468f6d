/* SPDX-License-Identifier: BSD-3-Clause */
/* proof.c - cases that must not pass: does the lane see that? (lane.py --self-test) */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/reboot.h>

#include "case.h"

CASE(holds)
{
	CHECK(getpid() > 1);
}

CASE(wrong_expectation)
{
	CHECK(1 + 1 == 3);
}

CASE(hangs)
{
	for (;;)
		pause();
}

CASE(crashes)
{
	raise(SIGSEGV);
}

CASE(restarts)
{
	reboot(RB_AUTOBOOT);
}

int main(void)
{
	return case_main();
}
