/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vtd_builder.c - scalable-mode structures, written for others to find. */
#include <errno.h>

#include "table/vtd_words.h"

int vtd_builder_create(struct vtd_builder *builder, const struct iopf_memory *memory,
		       const struct table_pages *pages,
		       const struct vtd_features *features)
{
	struct vtd_builder made = { .memory = memory, .pages = *pages,
				    .features = *features };
	int error = table_take_zeroed(memory, pages, 1, &made.root);

	if (error == 0)
		*builder = made;
	return error;
}

/* Where @rid's context entry lies. -ENOENT: its context table is not there. */
static int context_at(const struct vtd_builder *builder, uint32_t rid, uint64_t *addr)
{
	uint64_t word;

	if (!table_load64(builder->memory, vtd_root_addr(builder->root, rid), &word))
		return -EFAULT;
	if (!words_get(&word, VTD_ROOT_LP))
		return -ENOENT;
	*addr = vtd_context_addr(words_addr(&word, VTD_ROOT_LCTP), rid);
	return 0;
}

static int make_context_table(const struct vtd_builder *builder, uint32_t rid)
{
	uint64_t page, word = 0;
	int error = table_take_zeroed(builder->memory, &builder->pages, 1, &page);

	if (error != 0)
		return error;
	/* Both halves of a root entry have one layout. */
	words_put(&word, VTD_ROOT_LP, 1);
	words_put(&word, VTD_ROOT_LCTP, page / TABLE_PAGE_BYTES);
	return table_publish_words(builder->memory, vtd_root_addr(builder->root, rid),
				   &word, 1);
}

/* Entries that were taken away keep their pointers: what hangs there is used again. */
static int directory_of(const struct vtd_builder *builder, uint64_t context_addr,
			uint8_t pdts, uint64_t *directory)
{
	uint32_t bytes = (uint32_t)sizeof(uint64_t) << (pdts + 7);
	uint32_t page_count = (bytes + 4095) / 4096;
	uint64_t word;

	if (!table_load64(builder->memory, context_addr, &word))
		return -EFAULT;
	*directory = words_addr(&word, VTD_CE_PASIDDIRPTR);
	if (*directory == 0)
		return table_take_zeroed(builder->memory, &builder->pages, page_count,
					 directory);
	return words_get(&word, VTD_CE_PDTS) == pdts ? 0 : -EEXIST;
}

int vtd_builder_context(const struct vtd_builder *builder, uint32_t rid,
			const struct vtd_context *value)
{
	uint64_t addr, words[VTD_CE_WORDS];
	struct vtd_context made = *value;
	int error;

	if (rid > UINT16_MAX || value->pdts > 7 || value->rid_pasid > IOPF_PASID_MAX)
		return -EINVAL;
	error = context_at(builder, rid, &addr);
	if (error == -ENOENT) {
		error = make_context_table(builder, rid);
		if (error == 0)
			error = context_at(builder, rid, &addr);
	}
	if (error == 0)
		error = directory_of(builder, addr, value->pdts, &made.directory);
	if (error == 0)
		error = vtd_context_encode(&made, words);
	return error != 0 ?
		       error :
		       table_publish_words(builder->memory, addr, words, VTD_CE_WORDS);
}

/* Where the directory entry of (@rid, @pasid) lies. */
static int directory_at(const struct vtd_builder *builder, uint32_t rid, uint32_t pasid,
			uint64_t *addr)
{
	uint64_t context_addr, word;
	int error = rid > UINT16_MAX ? -EINVAL : context_at(builder, rid, &context_addr);

	if (error != 0)
		return error;
	if (!table_load64(builder->memory, context_addr, &word))
		return -EFAULT;
	if (!words_get(&word, VTD_CE_P))
		return -ENOENT;
	if (pasid >= VTD_PDTS_PASIDS(words_get(&word, VTD_CE_PDTS)))
		return -ERANGE;
	*addr = vtd_directory_addr(words_addr(&word, VTD_CE_PASIDDIRPTR), pasid);
	return 0;
}

/* Where the PASID entry lies, by its directory entry at @addr. -ENOENT: no table. */
static int pasid_at(const struct vtd_builder *builder, uint64_t addr, uint32_t pasid,
		    uint64_t *entry_addr)
{
	uint64_t word;

	if (!table_load64(builder->memory, addr, &word))
		return -EFAULT;
	if (!words_get(&word, VTD_PDE_P))
		return -ENOENT;
	*entry_addr = vtd_pasid_addr(words_addr(&word, VTD_PDE_SMPTBLPTR), pasid);
	return 0;
}

static int make_pasid_table(const struct vtd_builder *builder, uint64_t addr)
{
	uint64_t page, word = 0;
	int error = table_take_zeroed(builder->memory, &builder->pages, 1, &page);

	if (error != 0)
		return error;
	words_put(&word, VTD_PDE_P, 1);
	words_put(&word, VTD_PDE_SMPTBLPTR, page / TABLE_PAGE_BYTES);
	return table_publish_words(builder->memory, addr, &word, VTD_PDE_WORDS);
}

int vtd_builder_pasid(const struct vtd_builder *builder, uint32_t rid, uint32_t pasid,
		      const struct vtd_pasid *value)
{
	uint64_t addr, entry_addr, words[VTD_PE_WORDS];
	int error = vtd_pasid_encode(value, words);

	if (error == 0)
		error = directory_at(builder, rid, pasid, &addr);
	if (error != 0)
		return error;
	error = pasid_at(builder, addr, pasid, &entry_addr);
	if (error == -ENOENT) {
		error = make_pasid_table(builder, addr);
		if (error == 0)
			error = pasid_at(builder, addr, pasid, &entry_addr);
	}
	return error != 0 ? error :
			    table_publish_words(builder->memory, entry_addr, words,
						VTD_PE_WORDS);
}

int vtd_builder_clear_pasid(const struct vtd_builder *builder, uint32_t rid,
			    uint32_t pasid)
{
	static const uint64_t nothing[VTD_PE_WORDS];
	uint64_t addr, entry_addr, word;
	int error = directory_at(builder, rid, pasid, &addr);

	if (error == 0)
		error = pasid_at(builder, addr, pasid, &entry_addr);
	if (error != 0)
		return error;
	if (!table_load64(builder->memory, entry_addr, &word))
		return -EFAULT;
	if (!words_get(&word, VTD_PE_P))
		return -ENOENT;
	return table_publish_words(builder->memory, entry_addr, nothing, VTD_PE_WORDS);
}

int vtd_builder_clear_context(const struct vtd_builder *builder, uint32_t rid)
{
	uint64_t addr, word;
	int error = rid > UINT16_MAX ? -EINVAL : context_at(builder, rid, &addr);

	if (error != 0)
		return error;
	if (!table_load64(builder->memory, addr, &word))
		return -EFAULT;
	if (!words_get(&word, VTD_CE_P))
		return -ENOENT;
	/* Whoever comes next at this rid must not find the address spaces of the last. */
	for (uint32_t pasid = 0;
	     pasid < VTD_PDTS_PASIDS(words_get(&word, VTD_CE_PDTS));) {
		uint64_t directory = words_addr(&word, VTD_CE_PASIDDIRPTR), entry_addr;

		if (pasid_at(builder, vtd_directory_addr(directory, pasid), pasid,
			     &entry_addr) != 0) {
			pasid += 64;
			continue;
		}
		table_publish64(builder->memory, entry_addr, 0);
		pasid++;
	}
	word &= ~FIELD_MASK(VTD_CE_P);
	return table_publish64(builder->memory, addr, word) ? 0 : -EFAULT;
}

enum { PASIDS_A_TABLE = 64 };

static bool pasid_table_empty(const struct vtd_builder *builder, uint64_t table)
{
	for (uint32_t i = 0; i < PASIDS_A_TABLE; i++) {
		uint64_t word;

		if (!table_load64(builder->memory, vtd_pasid_addr(table, i), &word) ||
		    words_get(&word, VTD_PE_P))
			return false;
	}
	return true;
}

static void tidy_table(const struct vtd_builder *builder, uint64_t directory_addr)
{
	uint64_t word, table;

	if (!table_load64(builder->memory, directory_addr, &word) ||
	    !words_get(&word, VTD_PDE_P))
		return;
	table = words_addr(&word, VTD_PDE_SMPTBLPTR);
	if (!pasid_table_empty(builder, table))
		return;
	table_publish64(builder->memory, directory_addr, 0);
	builder->pages.give(builder->pages.context, table, 1);
}

void vtd_builder_tidy(const struct vtd_builder *builder, uint32_t rid, uint32_t pasid)
{
	uint64_t addr, word, directory;
	uint32_t first = pasid, end = pasid + 1;

	if (builder->pages.give == NULL || rid > UINT16_MAX ||
	    context_at(builder, rid, &addr) != 0 ||
	    !table_load64(builder->memory, addr, &word))
		return;
	directory = words_addr(&word, VTD_CE_PASIDDIRPTR);
	if (pasid == IOPF_PASID_ANY) {
		first = 0;
		end = VTD_PDTS_PASIDS(words_get(&word, VTD_CE_PDTS));
	}
	for (; directory != 0 && first < end; first += PASIDS_A_TABLE)
		tidy_table(builder, vtd_directory_addr(directory, first));
}
