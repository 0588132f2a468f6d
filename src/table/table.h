/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/table.h - the words of walkers and editors, and how they reach tables.
 *
 * A walker reads tables that somebody else may change while it reads, or may have built
 * to do harm: each entry is loaded once, as one 64-bit word, checked, and used from the
 * copy. A walk is as long as the format has levels, whatever the entries say.
 *
 * Threads. Any number of walkers beside one editor of the same tables. An editor makes
 * a page ready before the entry that leads to it (release), a walker loads entries with
 * acquire, accessed and dirty bits are set by compare-and-swap on both sides.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "base/memory.h"

#define TABLE_PAGE_BYTES UINT64_C(4096)

/* Why a walk ended without an address. */
enum table_fault {
	TABLE_OK,
	TABLE_NOT_PRESENT, /* an entry on the way is not present */
	TABLE_PERMISSION,  /* mapped, but not with every right that is wanted */
	TABLE_RESERVED,    /* an entry has a reserved bit set */
	TABLE_ADDRESS,     /* the input is not canonical, or too wide for the table */
	TABLE_OUTSIDE,     /* an entry would lie where there is no memory */
	TABLE_SECOND,      /* a table's page is missing in the stage below */
	TABLE_UPDATE,      /* accessed, dirty: the table changed at every attempt */
	TABLE_INTERRUPT,   /* the output lies in the interrupt range */
	TABLE_SIZE,        /* an entry's address is wider than the table may lead */
	TABLE_ACCESS, /* mapped, but not marked accessed, and hardware does not mark */
	TABLE_FAULT_COUNT
};

/* What a walk found. Written always; what its fault does not name is 0. */
struct table_result {
	uint64_t addr;       /* output of the whole input address, offset included */
	uint64_t size_bytes; /* of the page */
	uint64_t entry_addr; /* of the leaf, or of the entry that faults */
	uint64_t gpa; /* TABLE_SECOND: the address that missed in the stage below */
	uint8_t gpa_perm;    /* and the access that was wanted there */
	uint8_t fault;       /* enum table_fault */
	uint8_t level;       /* of that entry; 1: the level of 4 KiB pages; 0: none */
	uint8_t perm;        /* enum iopf_perm that this access's privilege is granted */
	uint8_t missing;     /* TABLE_PERMISSION: what is wanted and not granted;
			      * IOPF_PRIV: the page is not for this privilege */
};

/* How a walker reaches table pages. @translate (NULL: identity) takes a table's address
 * through the stage below, for @perm; negative: it is not there, and @context knows why. */
struct table_space {
	const struct iopf_memory *memory;
	int (*translate)(void *context, uint64_t addr, uint8_t perm, uint64_t *out);
	void *context;
};

/* An access needs the page of @addr in the stage below, for @perm. */
typedef void table_need(void *context, uint64_t addr, uint8_t perm);

/* Where an editor has pages from. They need not be zero, and adjoin each other.
 * @give may be NULL (empty tables stay). A page that was given back may still be looked
 * at by a walker until what caches it was invalidated: not to be used before. */
struct table_pages {
	int (*take)(void *context, uint32_t page_count, uint64_t *addr);
	void (*give)(void *context, uint64_t addr, uint32_t page_count);
	void *context;
};

/* One load with acquire, one store with release, of an aligned word.
 * False: not there, or not aligned. */
bool table_load64(const struct iopf_memory *memory, uint64_t addr, uint64_t *value);
bool table_publish64(const struct iopf_memory *memory, uint64_t addr, uint64_t value);

/* An entry of @count words: not there, then all but the first word, which says that it is
 * there, then that one. 0, -EFAULT. */
int table_publish_words(const struct iopf_memory *memory, uint64_t addr,
			const uint64_t *words, unsigned count);

/* The same of an entry that is there: nothing changes where it says the same, one word at
 * once where no other differs; else its first word is @blocked until it is whole. */
int table_replace_words(const struct iopf_memory *memory, uint64_t addr,
			const uint64_t *words, unsigned count, uint64_t blocked);

/* Where @addr of a table lies in @space's memory; false: told in @result. */
bool table_reach(const struct table_space *space, uint64_t addr, uint8_t perm,
		 uint64_t *at, struct table_result *result);

/* @page_count zeroed pages of @pages. Returns: 0, what take() said, -EFAULT (it gave
 * pages that are not in @memory). */
int table_take_zeroed(const struct iopf_memory *memory, const struct table_pages *pages,
		      uint32_t page_count, uint64_t *addr);

/* The same, the first at a multiple of its size, as the formats want that hardware
 * aligns by itself. Pages beside it go back where somebody takes them. */
int table_take_aligned(const struct iopf_memory *memory, const struct table_pages *pages,
		       uint32_t page_count, uint64_t *addr);

/* Static name of an enum table_fault, "?" out of range. */
const char *table_fault_name(unsigned fault);

/* An IOMMU's registers, as struct iopf_register_ops has them: features are read there, and
 * in some families they are the structures, too. */
typedef int family_read(void *context, uint32_t offset, uint32_t width, uint64_t *value);
typedef int family_write(void *context, uint32_t offset, uint32_t width, uint64_t value);

struct family_registers {
	family_read *read;
	family_write *write;
	void *context;
};

#endif
