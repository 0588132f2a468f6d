/* SPDX-License-Identifier: BSD-3-Clause */
/* table/smmuv3_builder.c - SMMUv3's structures, written for others to find. */
#include <errno.h>

#include "table/smmuv3_words.h"

/* 64 entries fill a page: the second level's size, and a leaf's of descriptors. */
enum {
	PAGE_BITS = 6,
	PAGE_ENTRIES = 1 << PAGE_BITS,
};

/* Streams that a table is made for, though an SMMU may tell more apart: those of a first
 * level of 128 KiB, or of 4 MiB of entries. Others are beyond it. */
enum {
	STREAM_BITS_MAX = 20,
	STREAM_BITS_LINEAR_MAX = 16,
};

/*
 * A note a stream, behind the entries that it belongs to: where its own table of context
 * descriptors lies, what its entry was last made to be, and whether it is blocked.
 */
#define NOTE_BLOCKED     (UINT64_C(1) << 3)
#define NOTE_CONFIG      UINT64_C(7)
#define NOTE_WRITTEN     (UINT64_C(1) << 4)
#define NOTE_TABLE       (~(TABLE_PAGE_BYTES - 1))

static bool deep(const struct smmuv3_builder *builder)
{
	return words_get(&builder->root_config, SMMUV3_STRTAB_FMT) ==
	       SMMUV3_STRTAB_2LEVEL;
}

static uint64_t stream_count(const struct smmuv3_builder *builder)
{
	return UINT64_C(1) << words_get(&builder->root_config, SMMUV3_STRTAB_LOG2SIZE);
}

static uint32_t pages_of(uint64_t size_bytes)
{
	return (uint32_t)((size_bytes + TABLE_PAGE_BYTES - 1) / TABLE_PAGE_BYTES);
}

int smmuv3_builder_create(struct smmuv3_builder *builder,
			  const struct iopf_memory *memory,
			  const struct table_pages *pages,
			  const struct smmuv3_features *features)
{
	struct smmuv3_builder made = { .memory = memory, .pages = *pages,
				       .features = *features };
	bool levels = features->streams_2level && features->stream_bits > PAGE_BITS;
	uint8_t most = levels ? STREAM_BITS_MAX : STREAM_BITS_LINEAR_MAX;
	uint8_t bits = features->stream_bits < most ? features->stream_bits : most;
	uint64_t count = UINT64_C(1) << bits;
	uint32_t page_count = pages_of(levels ? (count >> PAGE_BITS) * sizeof(uint64_t) :
						count * SMMUV3_ENTRY_BYTES);
	uint32_t twice = levels ? page_count : 2 * page_count; /* the notes' place */
	int error = table_take_aligned(memory, pages, twice, &made.root);

	if (error != 0)
		return error;
	words_put(&made.root_config, SMMUV3_STRTAB_LOG2SIZE, bits);
	if (levels) {
		words_put(&made.root_config, SMMUV3_STRTAB_SPLIT, PAGE_BITS);
		words_put(&made.root_config, SMMUV3_STRTAB_FMT, SMMUV3_STRTAB_2LEVEL);
	}
	*builder = made;
	return 0;
}

/* ---- Entries and their notes -------------------------------------------------------- */

struct place {
	uint64_t ste, note; /* addresses */
};

static int make_level2(const struct smmuv3_builder *builder, uint64_t addr,
		       uint64_t *level2)
{
	uint64_t word = 0;
	int error = table_take_zeroed(builder->memory, &builder->pages, 2, level2);

	if (error != 0)
		return error;
	words_put(&word, SMMUV3_L1STD_SPAN, PAGE_BITS + 1);
	word |= *level2;
	return table_publish_words(builder->memory, addr, &word, 1);
}

/* Where @sid's entry lies. -ENOENT: nowhere yet, and @make says not to make it. */
static int place_of(const struct smmuv3_builder *builder, uint32_t sid, bool make,
		    struct place *place)
{
	uint64_t table = builder->root, count = stream_count(builder), word, at;
	uint32_t index = sid;
	int error = 0;

	if (sid >= count)
		return -EINVAL;
	if (deep(builder)) {
		at = builder->root + (sid >> PAGE_BITS) * sizeof(word);
		if (!table_load64(builder->memory, at, &word))
			return -EFAULT;
		table = words_addr_at(&word, SMMUV3_L1STD_L2PTR);
		if (words_get(&word, SMMUV3_L1STD_SPAN) == 0)
			error = make ? make_level2(builder, at, &table) : -ENOENT;
		index %= PAGE_ENTRIES;
		count = PAGE_ENTRIES;
	}
	*place = (struct place){ .ste = table + (uint64_t)index * SMMUV3_ENTRY_BYTES,
				 .note = table + pages_of(count * SMMUV3_ENTRY_BYTES) *
							 TABLE_PAGE_BYTES +
					 index * sizeof(word) };
	return error;
}

static int note_of(const struct smmuv3_builder *builder, uint32_t sid, bool make,
		   struct place *place, uint64_t *note)
{
	int error = place_of(builder, sid, make, place);

	if (error == 0 && !memory_load64(builder->memory, place->note, note))
		error = -EFAULT;
	return error;
}

/* The entry's word 0 with what the note says in place of its configuration. */
static uint64_t configured(uint64_t word, uint64_t note)
{
	uint64_t config = (note & NOTE_BLOCKED) != 0 ? SMMUV3_ABORT : note & NOTE_CONFIG;

	word &= ~FIELD_MASK(SMMUV3_STE_CONFIG);
	words_put(&word, SMMUV3_STE_CONFIG, config);
	return word;
}

/* Nothing changes where it says the same; otherwise it aborts until it is whole. */
static int publish_ste(const struct smmuv3_builder *builder, uint64_t addr,
		       const uint64_t *words)
{
	const uint64_t abort = FIELD_MASK(SMMUV3_STE_V);
	bool same = true;

	for (unsigned i = 0; same && i < SMMUV3_STE_WORDS; i++) {
		uint64_t word;

		same = table_load64(builder->memory, addr + sizeof(word) * i, &word) &&
		       word == words[i];
	}
	if (same)
		return 0;
	if (!table_publish64(builder->memory, addr, abort))
		return -EFAULT;
	for (unsigned i = 1; i < SMMUV3_STE_WORDS; i++)
		if (!memory_store64(builder->memory, addr + sizeof(*words) * i, words[i]))
			return -EFAULT;
	return table_publish64(builder->memory, addr, words[0]) ? 0 : -EFAULT;
}

/* ---- A stream's own table of descriptors -------------------------------------------- */

/* Its shape follows from the SMMU: linear up to one page, else two levels if it can. */
static void own_shape(const struct smmuv3_builder *builder, struct smmuv3_ste *ste)
{
	const struct smmuv3_features *features = &builder->features;

	ste->context_bits = features->substream_bits;
	ste->contexts =
		features->substream_bits > PAGE_BITS && features->contexts_2level ?
			SMMUV3_LEAF_4K :
			SMMUV3_LINEAR;
}

static int make_own(const struct smmuv3_builder *builder, struct smmuv3_ste *ste)
{
	unsigned bits = smmuv3_top_bits(ste) + (smmuv3_is_2level(ste) ? 3 : 6);

	return table_take_aligned(builder->memory, &builder->pages,
				  pages_of(UINT64_C(1) << bits), &ste->context_addr);
}

/* Where descriptor @index lies. -ENOENT: its page is not there; *@l1 is where it would be
 * told, 0: there is no first level. */
static int cd_place(const struct smmuv3_builder *builder, uint64_t note, uint32_t index,
		    uint64_t *l1, uint64_t *addr)
{
	struct smmuv3_ste own = { .context_addr = note & NOTE_TABLE };
	uint64_t word;

	own_shape(builder, &own);
	*l1 = 0;
	if (index >> own.context_bits != 0)
		return -ERANGE;
	*addr = own.context_addr + (uint64_t)index * SMMUV3_ENTRY_BYTES;
	if (!smmuv3_is_2level(&own))
		return 0;
	*l1 = own.context_addr + (index >> PAGE_BITS) * sizeof(word);
	if (!table_load64(builder->memory, *l1, &word))
		return -EFAULT;
	*addr = words_addr_at(&word, SMMUV3_L1CD_L2PTR) +
		(uint64_t)(index % PAGE_ENTRIES) * SMMUV3_ENTRY_BYTES;
	return words_get(&word, SMMUV3_L1CD_V) ? 0 : -ENOENT;
}

static bool cd_valid(const struct smmuv3_builder *builder, uint64_t addr)
{
	uint64_t word;

	return table_load64(builder->memory, addr, &word) &&
	       words_get(&word, SMMUV3_CD_V);
}

/* Whether the descriptors of @index's page are all invalid. */
static bool leaf_empty(const struct smmuv3_builder *builder, uint64_t note, uint32_t index)
{
	uint32_t first = index & ~(uint32_t)(PAGE_ENTRIES - 1);
	uint64_t l1, addr;

	for (uint32_t i = first; i < first + PAGE_ENTRIES; i++)
		if (cd_place(builder, note, i, &l1, &addr) == 0 && cd_valid(builder, addr))
			return false;
	return true;
}

/* Of each page of @note's table: its first descriptor, as far as there are any. */
static uint32_t own_count(const struct smmuv3_builder *builder, uint64_t note)
{
	return (note & NOTE_TABLE) == 0 ? 0 : UINT32_C(1) << builder->features.substream_bits;
}

bool smmuv3_builder_empty(const struct smmuv3_builder *builder, uint32_t sid)
{
	struct place place;
	uint64_t note;

	if (note_of(builder, sid, false, &place, &note) != 0)
		return true;
	for (uint32_t i = 0; i < own_count(builder, note); i += PAGE_ENTRIES)
		if (!leaf_empty(builder, note, i))
			return false;
	return true;
}

static void clear_own(const struct smmuv3_builder *builder, uint64_t note)
{
	for (uint32_t i = 0; i < own_count(builder, note);) {
		uint64_t l1, addr;

		if (cd_place(builder, note, i, &l1, &addr) != 0) {
			i += PAGE_ENTRIES;
			continue;
		}
		table_publish64(builder->memory, addr, 0);
		i++;
	}
}

/* ---- Writing ------------------------------------------------------------------------ */

int smmuv3_builder_ste(const struct smmuv3_builder *builder, uint32_t sid,
		       const struct smmuv3_ste *value)
{
	struct smmuv3_ste made = *value;
	uint64_t words[SMMUV3_STE_WORDS], note;
	struct place place;
	int error = note_of(builder, sid, true, &place, &note);

	if (error != 0)
		return error;
	if (value->config == SMMUV3_FIRST && value->context_addr == 0) {
		own_shape(builder, &made);
		made.context_addr = note & NOTE_TABLE;
		if (made.context_addr == 0)
			error = make_own(builder, &made);
		if (error != 0)
			return error;
		note |= made.context_addr;
	}
	error = smmuv3_ste_encode(&made, words);
	if (error != 0)
		return error;
	note = (note & ~NOTE_CONFIG) | NOTE_WRITTEN | made.config;
	words[0] = configured(words[0], note);
	memory_store64(builder->memory, place.note, note);
	return publish_ste(builder, place.ste, words);
}

/* What its page responses carry is the function's, whatever its entry leads to: hardware
 * that answers by itself, in an overflow, looks there (8.2). */
int smmuv3_builder_response(const struct smmuv3_builder *builder, uint32_t sid,
			    bool response_pasid)
{
	uint64_t words[SMMUV3_STE_WORDS] = { 0 }, note, addr;
	struct place place;
	int error = note_of(builder, sid, true, &place, &note);

	if (error != 0)
		return error;
	addr = place.ste + sizeof(words[0]); /* word 1 */
	if (!table_load64(builder->memory, addr, &words[1]))
		return -EFAULT;
	words_put(words, SMMUV3_STE_PPAR, response_pasid);
	return table_publish64(builder->memory, addr, words[1]) ? 0 : -EFAULT;
}

static bool carries_pasid(const struct smmuv3_builder *builder, uint32_t sid)
{
	uint64_t words[SMMUV3_STE_WORDS] = { 0 }, note;
	struct place place;

	return note_of(builder, sid, false, &place, &note) == 0 &&
	       table_load64(builder->memory, place.ste + sizeof(words[0]), &words[1]) &&
	       words_get(words, SMMUV3_STE_PPAR);
}

int smmuv3_builder_clear_ste(const struct smmuv3_builder *builder, uint32_t sid)
{
	const struct smmuv3_ste nothing = { .config = SMMUV3_ABORT,
					    .response_pasid = carries_pasid(builder, sid) };
	int error = smmuv3_builder_ste(builder, sid, &nothing);
	struct place place;
	uint64_t note;

	if (error == 0)
		error = note_of(builder, sid, false, &place, &note);
	if (error == 0)
		clear_own(builder, note);
	return error;
}

int smmuv3_builder_block(const struct smmuv3_builder *builder, uint32_t sid, bool blocked)
{
	struct place place;
	uint64_t note, word;
	int error = note_of(builder, sid, true, &place, &note);

	if (error != 0)
		return error;
	note = (note & ~NOTE_BLOCKED) | NOTE_WRITTEN | (blocked ? NOTE_BLOCKED : 0);
	memory_store64(builder->memory, place.note, note);
	if (!table_load64(builder->memory, place.ste, &word))
		return -EFAULT;
	word = configured(word | FIELD_MASK(SMMUV3_STE_V), note);
	return table_publish64(builder->memory, place.ste, word) ? 0 : -EFAULT;
}

int smmuv3_builder_config(const struct smmuv3_builder *builder, uint32_t sid)
{
	struct place place;
	uint64_t note;
	int error = note_of(builder, sid, false, &place, &note);

	if (error == 0 && (note & NOTE_WRITTEN) == 0)
		error = -ENOENT;
	return error != 0 ? error : (int)(note & NOTE_CONFIG);
}

int smmuv3_builder_cd(const struct smmuv3_builder *builder, uint32_t sid, uint32_t index,
		      const struct smmuv3_cd *value)
{
	uint64_t words[SMMUV3_CD_WORDS], note, l1, addr, page, word = 0;
	struct place place;
	int error = note_of(builder, sid, false, &place, &note);

	if (error == 0)
		error = (note & NOTE_TABLE) == 0 ? -ENOENT : smmuv3_cd_encode(value, words);
	if (error != 0)
		return error;
	error = cd_place(builder, note, index, &l1, &addr);
	if (error == -ENOENT) {
		error = table_take_zeroed(builder->memory, &builder->pages, 1, &page);
		if (error != 0)
			return error;
		words_put(&word, SMMUV3_L1CD_V, 1);
		word |= page;
		addr = page + (uint64_t)(index % PAGE_ENTRIES) * SMMUV3_ENTRY_BYTES;
		error = table_publish_words(builder->memory, l1, &word, 1);
	}
	return error != 0 ? error :
			    table_publish_words(builder->memory, addr, words, SMMUV3_CD_WORDS);
}

int smmuv3_builder_clear_cd(const struct smmuv3_builder *builder, uint32_t sid,
			    uint32_t index)
{
	static const uint64_t nothing[SMMUV3_CD_WORDS];
	struct place place;
	uint64_t note, l1, addr;
	int error = note_of(builder, sid, false, &place, &note);

	if (error == 0)
		error = (note & NOTE_TABLE) == 0 ? -ENOENT :
						   cd_place(builder, note, index, &l1, &addr);
	if (error == 0 && !cd_valid(builder, addr))
		error = -ENOENT;
	return error != 0 ? error :
			    table_publish_words(builder->memory, addr, nothing, SMMUV3_CD_WORDS);
}

static void tidy_leaf(const struct smmuv3_builder *builder, uint64_t note, uint32_t index)
{
	uint64_t l1, addr;

	if (cd_place(builder, note, index, &l1, &addr) != 0 || l1 == 0 ||
	    !leaf_empty(builder, note, index))
		return;
	table_publish64(builder->memory, l1, 0);
	builder->pages.give(builder->pages.context, addr & ~(TABLE_PAGE_BYTES - 1), 1);
}

void smmuv3_builder_tidy(const struct smmuv3_builder *builder, uint32_t sid, uint32_t index)
{
	uint32_t first = index, end = index + 1, count;
	struct place place;
	uint64_t note;

	if (builder->pages.give == NULL || note_of(builder, sid, false, &place, &note) != 0)
		return;
	count = own_count(builder, note);
	if (index == IOPF_PASID_ANY) {
		first = 0;
		end = count;
	}
	for (; first < end && first < count; first += PAGE_ENTRIES)
		tidy_leaf(builder, note, first);
}
