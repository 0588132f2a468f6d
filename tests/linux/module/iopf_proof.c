// SPDX-License-Identifier: GPL-2.0
/* iopf_proof.c - a warning of the kernel's, on purpose: does the lane see it? */
#include <linux/module.h>

static int __init proof_init(void)
{
	WARN(1, "iopf_proof: on purpose\n");
	return 0;
}

module_init(proof_init);
MODULE_DESCRIPTION("a warning on purpose");
MODULE_LICENSE("GPL");
