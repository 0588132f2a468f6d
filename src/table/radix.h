/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/radix.h - what the 64-bit formats here share: tables of 512 entries, nine bits of
 * the input a level, bits that tell an entry that maps a page from one that leads to a
 * table.
 *
 * Some formats have pages between the sizes of two levels: the same entry in as many
 * places as it covers, with its size in its address ("sized" below).
 *
 * A format is data. The walk and the editor here know no right and no privilege; the
 * format's own file says what the bits that were found allow.
 */
#ifndef TABLE_RADIX_H
#define TABLE_RADIX_H

#include "table/table.h"

enum { RADIX_LEVEL_MAX = 6 };

#define RADIX_ENTRIES 512u
#define RADIX_LARGE   (UINT64_C(1) << 7)
/* Bits of the input below what an entry of @level maps. */
#define RADIX_SHIFT(level) (12u + 9u * ((unsigned)(level)-1u))
/* Bytes that one entry of @level maps: 4 KiB at level 1, 2 MiB, 1 GiB, ... */
#define RADIX_SPAN(level) (UINT64_C(1) << RADIX_SHIFT(level))

struct radix_format {
	uint64_t present;        /* any of these bits: the entry is present */
	uint64_t address;        /* the bits of an entry that hold an address */
	uint64_t reserved;       /* 0 in every present entry */
	uint64_t reserved_table; /* 0 in an entry that leads to a table */
	uint64_t kind;           /* above level 1: page or table, by these bits */
	uint64_t kind_table;     /* their value where the entry leads to a table */
	uint64_t kind_page;      /* what the editor sets of them in a page there */
	uint64_t next_level;    /* or at any level, by these: which level's table it leads
				  * to, but what sized_page says; 0 maps a page */
	uint64_t last;          /* set at level 1, or the entry is not present */
	uint64_t large_pat;     /* not address in a large page, though below its size */
	uint64_t large_ignored; /* neither: bits below its size that mean nothing */
	uint64_t table_bits;    /* what the editor sets where an entry leads to a table */
	uint64_t sized;         /* by these bits a page's address says its size: */
	uint64_t sized_page;    /* their value there */
	bool sized_ones;        /* from bit 12 up, the first bit that is 0 is half of it;
				  * else the first that is 1 */
	uint8_t sized_levels;   /* bit n: level n may have such pages */
	uint16_t sized_counts;  /* bit n: of 2^n entries */
	uint8_t address_shift;  /* an entry's address counts shifted left by this */
	uint8_t levels;         /* 1..6 */
	uint8_t leaf_levels;    /* bit n: an entry of level n may map a page */
	uint8_t input_bits;     /* the root has as many entries as they need: up to 16
				  * times RADIX_ENTRIES, in tables that adjoin */
	uint8_t fault_reserved; /* enum table_fault of a reserved bit that is set */
	uint8_t fault_leaf;     /* and of a page at a level that maps none */
	bool sign_extended;     /* inputs are canonical, not just narrow */
};

/* The address in @entry, without what is below a page. */
static inline uint64_t radix_address(const struct radix_format *format, uint64_t entry)
{
	return (entry & format->address) << format->address_shift;
}

/* Entries of a table of @level. */
static inline uint32_t radix_entries(const struct radix_format *format, unsigned level)
{
	return level < format->levels ?
		       RADIX_ENTRIES :
		       UINT32_C(1) << (format->input_bits - RADIX_SHIFT(level));
}

/* And the pages that they fill. */
static inline uint32_t radix_pages(const struct radix_format *format, unsigned level)
{
	return (radix_entries(format, level) + RADIX_ENTRIES - 1) / RADIX_ENTRIES;
}

/* Where the entry of @addr lies in a table of @level. */
static inline uint64_t radix_entry_addr(const struct radix_format *format, uint64_t table,
					uint64_t addr, unsigned level)
{
	uint64_t index = addr >> RADIX_SHIFT(level) & (radix_entries(format, level) - 1);

	return table + sizeof(uint64_t) * index;
}

/* One entry that a walk used. */
struct radix_step {
	uint64_t addr; /* where it lies, in the tables' own address space */
	uint64_t entry;
};

/* A walk's steps, from the top down to the last that was loaded. */
struct radix_path {
	struct radix_step step[RADIX_LEVEL_MAX + 1]; /* by level */
	uint64_t all, any; /* of the steps' entries: bits in every one, in at least one */
	uint8_t level;     /* of the last step that was loaded; levels + 1: none */
	uint8_t loaded;    /* bit n: step[n] was; some formats' entries skip levels */
};

/* False: not canonical, or too wide. */
bool radix_input_fits(const struct radix_format *format, uint64_t addr);

/* What an entry that is present is. */
struct radix_entry {
	uint8_t next;  /* leads to a table of this level; 0: maps a page ... */
	uint8_t shift; /* ... of 2^shift bytes */
};

/* What @entry is at @level: TABLE_OK (and *@what), or what is wrong with it. */
enum table_fault radix_check(const struct radix_format *format, uint64_t entry,
			     unsigned level, struct radix_entry *what);

/* Down to the leaf of @addr. False: the fault is in @result. */
bool radix_walk(const struct table_space *space, const struct radix_format *format,
		uint64_t root, uint64_t addr, struct radix_path *path,
		struct table_result *result);

/* What became of the marks (accessed, dirty) on a path. */
enum radix_marked {
	RADIX_MARKED,
	RADIX_CHANGED, /* an entry is not what was loaded: walk again */
	RADIX_MISSED,  /* a table's page may not be written: told in the result */
};

/* How often a walk that sets marks starts again when the tables change below it. */
enum { RADIX_ATTEMPTS = 64 };

/* What a walk leaves in the entries that it used. */
struct radix_marks {
	uint64_t table; /* bits set in each entry that led to a table */
	uint64_t leaf;  /* bits set in the leaf */
	uint64_t clear; /* bits cleared there */
};

enum radix_marked radix_mark(const struct table_space *space, struct radix_path *path,
			     unsigned levels, const struct radix_marks *marks,
			     struct table_result *result);

/* What the last attempt means: true, or the fault is in @result. */
bool radix_marks_end(enum radix_marked marked, struct table_result *result);

/* One set of tables, for the one thread that changes them. */
struct radix_editor {
	const struct iopf_memory *memory;
	const struct table_pages *pages;
	struct radix_format format;
	uint64_t root;
};

/*
 * Map one page of @size_bytes (a size that the format has) at @addr to @out with @bits.
 * Tables that are made on the way stay there when a later one cannot be had.
 *
 * Returns: 0, -EINVAL (size, alignment, a width), -EEXIST (something is mapped there, or
 *          a table stands where the page would), -EFAULT (a table outside of memory),
 *          or what take() said.
 */
int radix_map(const struct radix_editor *editor, uint64_t addr, uint64_t out,
	      uint64_t size_bytes, uint64_t bits);

/*
 * In every page of a range (multiples of 4 KiB; large pages that it cuts are split):
 * clear the bits @clear, then set the bits @set. An entry that is 0 then was unmapped;
 * tables that become empty are given back where somebody takes them.
 *
 * Returns: the number of entries that were changed, -EINVAL, -EFAULT, -EBUSY (an entry
 *          changed at every attempt), or what take() said when splitting; entries up to
 *          that point are changed.
 */
int radix_change(const struct radix_editor *editor, uint64_t addr, uint64_t size_bytes,
		 uint64_t clear, uint64_t set);

/* Give back the tables that hold nothing, the root excepted, where somebody takes them:
 * for who unmapped with nobody to give to, now that no cache leads there. */
void radix_tidy(const struct radix_editor *editor);

/* Give back every table, the root too, where somebody takes them. Nobody walks any
 * more, and no cache leads here. */
void radix_destroy(const struct radix_editor *editor);

#endif
