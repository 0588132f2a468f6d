/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/nested.h - both stages together.
 *
 * The first level's tables lie at guest addresses: each entry that the walk loads, and
 * the address that it ends with, goes through the second level. So what is missing may
 * be the guest's to mend (its own tables), or the host's (a page behind the guest's
 * back, be it a page of a table or the data), and at different addresses.
 */
#ifndef TABLE_NESTED_H
#define TABLE_NESTED_H

#include "table/amdv1.h"
#include "table/vtdss.h"
#include "table/x86.h"

enum nested_kind {
	NESTED_NONE,   /* no translation is set up */
	NESTED_FIRST,  /* first level only */
	NESTED_SECOND, /* second level only */
	NESTED_BOTH,
	NESTED_PASS,   /* pass-through */
};

/* Where an address space's tables are, and how to read them. */
struct nested_tables {
	uint64_t first_root;  /* a guest address with NESTED_BOTH */
	uint64_t second_root;
	struct x86_format first;
	struct vtdss_format second;
	struct amdv1_format host; /* with levels: the second level, in place of that */
	uint8_t kind;         /* enum nested_kind */
	uint8_t address_bits; /* NESTED_PASS: the width of an address */
	uint8_t withheld;     /* rights that nobody has, whatever the tables say */
	bool interrupt_range; /* 0xfeexxxxx as output is no memory: TABLE_INTERRUPT */
};

enum nested_stage {
	NESTED_STAGE_NONE,
	NESTED_STAGE_FIRST,
	NESTED_STAGE_SECOND,
};

/* What a nested walk found. */
struct nested_result {
	uint64_t addr;       /* as memory has it */
	uint64_t size_bytes; /* of the smaller page of both */
	uint64_t gpa;        /* what went through the second level last */
	uint8_t gpa_perm;    /* and the access that was wanted there */
	uint8_t perm;        /* rights that both stages grant */
	uint8_t stage;       /* enum nested_stage: whose fault it is */
	uint8_t fault;       /* enum table_fault of that stage */
	bool table_page;     /* second stage: a table's page faulted, not the data */
	struct table_result first, second; /* each stage's last walk, where it was walked */
};

/*
 * Translate @addr for @perm as hardware does. @memory is what the second level's tables
 * and outputs lie in (and the first level's, where it stands alone). @update: accessed
 * and dirty bits are set, in both stages, as their formats say.
 *
 * Returns: true, or false: stage, fault and, in the second stage, gpa tell.
 */
bool nested_walk(const struct nested_tables *tables, const struct iopf_memory *memory,
		 uint64_t addr, uint8_t perm, bool update, struct nested_result *result);

/* The tables and the data. */
enum { NESTED_MISS_MAX = RADIX_LEVEL_MAX + 1 };

struct nested_miss {
	uint64_t gpa; /* a multiple of 4096 */
	uint8_t perm; /* what is wanted there */
	bool table_page;
};

/* What an access still needs, and from whom. */
struct nested_missing {
	struct table_result first; /* fault other than TABLE_OK: the guest's to mend */
	struct nested_miss miss[NESTED_MISS_MAX]; /* the host's to map */
	uint32_t count;
};

/*
 * Everything at once that stands between an access and its page, for software that
 * routes it. The first level is read straight from @guest (the guest's memory by its
 * guest addresses), the second from @memory; nothing is written. @update: hardware will
 * set accessed and dirty bits, so tables that lack them have to be writable.
 *
 * A page of a table counts as needed as far down as the first level could be followed.
 */
void nested_missing(const struct nested_tables *tables, const struct iopf_memory *guest,
		    const struct iopf_memory *memory, uint64_t addr, uint8_t perm,
		    bool update, struct nested_missing *missing);

#endif
