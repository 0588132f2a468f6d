/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * space.h - address spaces of a guest, in words of every family: what its structures say
 * of one, and whose stage an access misses in.
 */
#ifndef IOPF_SPACE_H
#define IOPF_SPACE_H

#include "iopf/iopf.h"

/* What a PASID entry, or the context entry above it, says beside where the table is. */
enum iopf_space_flag {
	IOPF_SPACE_SRE = 1,  /* supervisor requests are allowed */
	IOPF_SPACE_ERE = 2,  /* execute requests are honoured */
	IOPF_SPACE_WPE = 4,  /* supervisor writes respect R/W */
	IOPF_SPACE_EAFE = 8, /* extended accessed flag */
	IOPF_SPACE_PRE = 16, /* context: page requests are accepted */
	IOPF_SPACE_DTE = 32, /* context: the function may use its translation cache */
	IOPF_SPACE_PRIV = 64, /* context: requests without PASID are privileged */
	IOPF_SPACE_STALL = 128, /* transactions that fault may stall (SMMUv3, CD.S) */
};

/* Whose layout the tables of an address space have. */
enum iopf_format {
	IOPF_FORMAT_X86,  /* x86, 4 or 5 levels */
	IOPF_FORMAT_VMSA, /* Armv8, stage 1, 4 KiB granule */
	IOPF_FORMAT_SV,   /* RISC-V: Sv39, Sv48, Sv57 */
	IOPF_FORMAT_NONE, /* nobody's */
};

/* An address space that the guest announced: where its first level begins. */
struct iopf_address_space {
	uint64_t root;   /* guest-physical address of the top table */
	uint32_t domain; /* the guest's own number; SMMUv3: the ASID, RISC-V: the PSCID */
	uint8_t levels;  /* of the table (x86: 4 or 5, VMSA: 1 to 4, Sv: 3 to 5); 0:
			  * pass-through, addresses are guest-physical */
	uint8_t flags;   /* enum iopf_space_flag */
	uint8_t format;  /* enum iopf_format */
	uint8_t rsvd;
	uint64_t nest[2]; /* what the guest's entry says of the whole function, in the
			   * family's own words, for who nests it; 0: nothing. SMMUv3: words
			   * 0 and 1 of the stream table entry */
};

/* Whose stage an access missed in. */
enum iopf_stage {
	IOPF_STAGE_FIRST = 1,    /* the guest's: show it */
	IOPF_STAGE_SECOND = 2,   /* the host's: map what is missing, then look again */
	IOPF_STAGE_UNBACKED = 4, /* the guest's tables point outside of its memory */
};

#endif
