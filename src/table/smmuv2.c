/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv2.c - SMMUv2's structures, and its row of families.
 *
 * A host gives each stream an SMR and a context bank of its own, from when it is let in to
 * when nothing is left of it. An address space is what the bank leads to: stage 2 alone, or
 * a first level of the host's; there are no PASIDs. A bank that leads nowhere faults every
 * access as its stream's misses do, so a transaction that is retried there never meets
 * tables that were given back, nor memory without any.
 */
#include <errno.h>

#include "table/family.h"
#include "table/words.h"

/* ---- Features --------------------------------------------------------------------------- */

/* Widths of addresses by their codes, in ID2, TCR and TCR2. */
static const uint8_t sizes[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };
enum { SIZE_CODES = 6, STREAM_BITS_MAX = 15 };

static uint8_t size_code(uint8_t bits)
{
	uint8_t code = 0;

	while (code < SIZE_CODES - 1 && sizes[code] < bits)
		code++;
	return code;
}

static uint16_t id_get(const uint32_t *id, uint32_t field)
{
	return (uint16_t)field_of(id[FIELD_WORD(field)], field);
}

struct smmuv2_features smmuv2_features_of(const uint32_t id[3])
{
	uint16_t bits = id_get(id, SMMUV2_ID0_NUMSIDB), banks = id_get(id, SMMUV2_ID1_NUMCB);

	return (struct smmuv2_features){
		.first = id_get(id, SMMUV2_ID0_S1TS),
		.second = id_get(id, SMMUV2_ID0_S2TS),
		.matches = id_get(id, SMMUV2_ID0_SMS),
		.pages_4k = id_get(id, SMMUV2_ID2_PTFS_4K),
		.vmid16 = id_get(id, SMMUV2_ID2_VMID16),
		.stream_bits = bits < STREAM_BITS_MAX ? (uint8_t)bits : STREAM_BITS_MAX,
		.page_shift = id_get(id, SMMUV2_ID1_PAGESIZE) ? 16 : 12,
		.address_bits = sizes[id_get(id, SMMUV2_ID2_OAS) & 7],
		.streams = id_get(id, SMMUV2_ID0_NUMSMRG),
		.banks = banks < SMMUV2_BANK_MAX ? banks : SMMUV2_BANK_MAX,
		.second_banks = id_get(id, SMMUV2_ID1_NUMS2CB),
		.bank_page = (uint16_t)(2u << id_get(id, SMMUV2_ID1_NUMPAGENDXB)),
		.lines = id_get(id, SMMUV2_ID0_NUMIRPT),
	};
}

static int get(const struct family_registers *registers, uint32_t offset, uint32_t width,
	       uint64_t *value)
{
	return registers->read(registers->context, offset, width, value);
}

static int put(const struct family_registers *registers, uint32_t offset, uint32_t width,
	       uint64_t value)
{
	return registers->write(registers->context, offset, width, value);
}

static int smmuv2_features(const struct family_registers *registers,
			   union family_features *features)
{
	uint32_t id[3];

	for (uint32_t i = 0; i < 3; i++) {
		uint64_t value;
		int error = get(registers, SMMUV2_ID0 + 4 * i, 4, &value);

		if (error != 0)
			return error;
		id[i] = (uint32_t)value;
	}
	features->smmuv2 = smmuv2_features_of(id);
	return 0;
}

/* ---- Streams ---------------------------------------------------------------------------- */

static int stream_read(const struct family_registers *registers, uint32_t number,
		       uint64_t *word)
{
	uint64_t match, route;
	int error = get(registers, SMMUV2_SMR + 4 * number, 4, &match);

	if (error == 0)
		error = get(registers, SMMUV2_S2CR + 4 * number, 4, &route);
	if (error == 0)
		*word = match | route << 32;
	return error;
}

/* What becomes of it is said before it is matched. */
static int stream_put(const struct smmuv2_tables *tables, uint32_t number, uint64_t word)
{
	int error = put(&tables->registers, SMMUV2_S2CR + 4 * number, 4, word >> 32);

	return error != 0 ? error :
			    put(&tables->registers, SMMUV2_SMR + 4 * number, 4,
				word & UINT32_MAX);
}

/* One match a stream: where software made two, which one counts is unpredictable. */
int smmuv2_stream_find(const struct family_registers *registers,
		       const struct smmuv2_features *features, uint32_t rid,
		       uint32_t *number, uint64_t *word)
{
	*number = SMMUV2_NONE;
	for (uint32_t i = 0; i < features->streams; i++) {
		int error = get(registers, SMMUV2_SMR + 4 * i, 4, word);
		uint64_t mask = words_get(word, SMMUV2_STREAM_MASK);

		if (error != 0)
			return error;
		if (!words_get(word, SMMUV2_STREAM_VALID) ||
		    ((words_get(word, SMMUV2_STREAM_ID) ^ rid) & ~mask) != 0)
			continue;
		*number = i;
		return stream_read(registers, i, word);
	}
	return 0;
}

/* ---- Context banks ---------------------------------------------------------------------- */

/* Where a bank's words lie; what switches it on is written last. */
static const struct {
	uint32_t offset;
	uint8_t width, word, shift;
	bool second_page;
} places[] = {
	{ SMMUV2_CBA2R, 4, 0, 32, true },
	{ SMMUV2_TCR2, 4, 1, 32, false },
	{ SMMUV2_TTBR0, 8, 2, 0, false },
	{ SMMUV2_TTBR1, 8, 3, 0, false },
	{ SMMUV2_TCR, 4, 4, 0, false },
	{ SMMUV2_MAIR, 8, 5, 0, false },
	{ SMMUV2_CBAR, 4, 0, 0, true }, /* nobody walks before there are tables */
	{ SMMUV2_SCTLR, 4, 1, 0, false },
};

/* To the registers, or from them into words that are 0. */
static int bank_move(const struct family_registers *registers,
		     const struct smmuv2_features *features, uint32_t number,
		     uint64_t words[SMMUV2_BANK_WORDS], bool out)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && error == 0; i++) {
		uint64_t *word = &words[places[i].word];
		uint64_t value = *word >> places[i].shift;
		uint32_t at = places[i].second_page ?
				      smmuv2_second_at(features, places[i].offset, number) :
				      smmuv2_bank_at(features, places[i].offset, number);

		if (places[i].width == 4)
			value &= UINT32_MAX;
		error = out ? put(registers, at, places[i].width, value) :
			      get(registers, at, places[i].width, &value);
		if (!out && error == 0)
			*word |= value << places[i].shift;
	}
	return error;
}

int smmuv2_bank_read(const struct family_registers *registers,
		     const struct smmuv2_features *features, uint32_t number,
		     uint64_t words[SMMUV2_BANK_WORDS])
{
	memset(words, 0, SMMUV2_BANK_WORDS * sizeof(*words));
	return bank_move(registers, features, number, words, false);
}

/* Tables are shared, inner, and cached; an address's sign is the bus's own highest bit. */
enum { GRANULE0_4K = 0, GRANULE1_4K = 2, SHARED = 3, CACHED = 1, UPSTREAM = 7 };
#define SAY(field, value) ((uint64_t)(value) << FIELD_LSB(field))
static const uint64_t always[SMMUV2_BANK_WORDS] = {
	[0] = SAY(SMMUV2_BANK_VA64, 1),
	[1] = SAY(SMMUV2_BANK_TRE, 1) | SAY(SMMUV2_BANK_AFE, 1) | SAY(SMMUV2_BANK_AS, 1) |
	      SAY(SMMUV2_BANK_SEP, UPSTREAM),
	[4] = SAY(SMMUV2_BANK_SH0, SHARED) | SAY(SMMUV2_BANK_IRGN0, CACHED) |
	      SAY(SMMUV2_BANK_ORGN0, CACHED),
	[5] = 0xff, /* attributes 0: write-back */
};
static const uint64_t first_always =
	SAY(SMMUV2_BANK_TG1, GRANULE1_4K) | SAY(SMMUV2_BANK_SH1, SHARED) |
	SAY(SMMUV2_BANK_IRGN1, CACHED) | SAY(SMMUV2_BANK_ORGN1, CACHED);

static bool first_decode(const uint64_t *words, struct vmsa_format *format)
{
	*format = (struct vmsa_format){
		.half = { { .root = words_get(words, SMMUV2_BANK_TTBR0),
			    .input_bits = (uint8_t)(64 - words_get(words, SMMUV2_BANK_T0SZ)),
			    .disabled = words_get(words, SMMUV2_BANK_EPD0),
			    .top_ignored = words_get(words, SMMUV2_BANK_TBI0) },
			  { .root = words_get(words, SMMUV2_BANK_TTBR1),
			    .input_bits = (uint8_t)(64 - words_get(words, SMMUV2_BANK_T1SZ)),
			    .disabled = words_get(words, SMMUV2_BANK_EPD1),
			    .top_ignored = words_get(words, SMMUV2_BANK_TBI1) } },
		.output_bits = sizes[words_get(words, SMMUV2_BANK_PASIZE)],
		.write_no_exec = words_get(words, SMMUV2_BANK_WXN),
	};
	for (unsigned i = 0; i < 2; i++) {
		const struct vmsa_half *half = &format->half[i];
		uint64_t granule =
			words_get(words, i ? SMMUV2_BANK_TG1 : SMMUV2_BANK_TG0);

		if (!half->disabled && (half->input_bits < VMSA_INPUT_BITS_MIN ||
					half->input_bits > VMSA_INPUT_BITS_MAX ||
					granule != (i ? GRANULE1_4K : GRANULE0_4K)))
			return false;
	}
	return true;
}

static bool second_decode(const uint64_t *words, struct vmsas2_format *format)
{
	uint64_t start = words_get(words, SMMUV2_BANK_EPD0) << 1 |
			 words_get(words, SMMUV2_BANK_SL0_LOW);

	*format = (struct vmsas2_format){
		.root = words_get(words, SMMUV2_BANK_TTBR0),
		.input_bits = (uint8_t)(64 - words_get(words, SMMUV2_BANK_T0SZ)),
		.levels = (uint8_t)(start + 2),
		.output_bits = sizes[words_get(words, SMMUV2_BANK_T1SZ) & 7],
	};
	return words_get(words, SMMUV2_BANK_TG0) == GRANULE0_4K &&
	       format->input_bits <= VMSA_INPUT_BITS_MAX &&
	       vmsas2_start_fits(format->levels, format->input_bits);
}

bool smmuv2_bank_decode(const uint64_t words[SMMUV2_BANK_WORDS],
			const struct smmuv2_features *features, struct smmuv2_bank *bank)
{
	uint64_t vmid = words_get(words, features->vmid16 ? SMMUV2_BANK_VMID16 :
							    SMMUV2_BANK_VMID);

	*bank = (struct smmuv2_bank){
		.type = (uint8_t)words_get(words, SMMUV2_BANK_TYPE),
		.line = (uint8_t)words_get(words, SMMUV2_BANK_IRPTNDX),
		.on = words_get(words, SMMUV2_BANK_M),
		.stall = words_get(words, SMMUV2_BANK_CFCFG),
		.interrupt = words_get(words, SMMUV2_BANK_CFIE),
		.abort = words_get(words, SMMUV2_BANK_CFRE),
		.independent = words_get(words, SMMUV2_BANK_HUPCF),
		.vmid = (uint16_t)vmid,
		.asid = (uint16_t)words_get(words, words_get(words, SMMUV2_BANK_A1) ?
							   SMMUV2_BANK_ASID1 :
							   SMMUV2_BANK_ASID0),
	};
	if (!bank->on || bank->type == SMMUV2_FIRST_FAULT)
		return true;
	if (!words_get(words, SMMUV2_BANK_VA64))
		return false;
	return bank->type == SMMUV2_SECOND ? second_decode(words, &bank->second) :
	       bank->type == SMMUV2_FIRST  ? first_decode(words, &bank->first) :
					     false;
}

static void first_encode(const struct vmsa_format *format, uint64_t *words)
{
	const struct vmsa_half *low = &format->half[0], *high = &format->half[1];

	words_put(words, SMMUV2_BANK_TTBR0, low->root);
	words_put(words, SMMUV2_BANK_TTBR1, high->root);
	words_put(words, SMMUV2_BANK_T0SZ, low->disabled ? 0 : 64u - low->input_bits);
	words_put(words, SMMUV2_BANK_T1SZ, high->disabled ? 0 : 64u - high->input_bits);
	words_put(words, SMMUV2_BANK_EPD0, low->disabled);
	words_put(words, SMMUV2_BANK_EPD1, high->disabled);
	words_put(words, SMMUV2_BANK_TBI0, low->top_ignored);
	words_put(words, SMMUV2_BANK_TBI1, high->top_ignored);
	words[FIELD_WORD(SMMUV2_BANK_TG1)] |= first_always;
	words_put(words, SMMUV2_BANK_PASIZE, size_code(format->output_bits));
	words_put(words, SMMUV2_BANK_WXN, format->write_no_exec);
}

static void second_encode(const struct vmsas2_format *format, uint64_t *words)
{
	unsigned start = format->levels - 2u;

	words_put(words, SMMUV2_BANK_TTBR0, format->root);
	words_put(words, SMMUV2_BANK_T0SZ, 64u - format->input_bits);
	words_put(words, SMMUV2_BANK_SL0_LOW, start & 1);
	words_put(words, SMMUV2_BANK_EPD0, start >> 1);
	words_put(words, SMMUV2_BANK_T1SZ, size_code(format->output_bits));
}

void smmuv2_bank_encode(const struct smmuv2_bank *bank,
			const struct smmuv2_features *features,
			uint64_t words[SMMUV2_BANK_WORDS])
{
	memcpy(words, always, sizeof(always));
	words_put(words, features->vmid16 ? SMMUV2_BANK_VMID16 : SMMUV2_BANK_VMID,
		  bank->vmid);
	words_put(words, SMMUV2_BANK_TYPE, bank->type);
	words_put(words, SMMUV2_BANK_IRPTNDX, bank->line);
	words_put(words, SMMUV2_BANK_M, bank->on);
	words_put(words, SMMUV2_BANK_CFRE, bank->abort);
	words_put(words, SMMUV2_BANK_CFIE, bank->interrupt);
	words_put(words, SMMUV2_BANK_CFCFG, bank->stall);
	words_put(words, SMMUV2_BANK_HUPCF, bank->independent);
	words_put(words, SMMUV2_BANK_ASID0, bank->asid);
	if (bank->type == SMMUV2_SECOND)
		second_encode(&bank->second, words);
	else
		first_encode(&bank->first, words);
}

/* ---- A host's: life ----------------------------------------------------------------------- */

static int smmuv2_create(struct family_tables *tables, const struct family_setup *setup,
			 const union family_features *features)
{
	if (!features->smmuv2.matches || !features->smmuv2.pages_4k)
		return -EINVAL;
	tables->use = setup->use;
	tables->smmuv2 = (struct smmuv2_tables){ .registers = setup->registers,
						 .features = features->smmuv2,
						 .memory = setup->memory,
						 .pages = setup->pages };
	return 0;
}

/* There are none. */
static uint64_t smmuv2_root(const struct family_tables *tables)
{
	(void)tables;
	return 0;
}

/* ---- Streams and their banks --------------------------------------------------------------- */

static int find(const struct smmuv2_tables *tables, uint32_t rid, uint32_t *number,
		uint64_t *word)
{
	return smmuv2_stream_find(&tables->registers, &tables->features, rid, number, word);
}

static int control_get(const struct smmuv2_tables *tables, uint32_t bank, uint64_t *value)
{
	return get(&tables->registers,
		   smmuv2_bank_at(&tables->features, SMMUV2_SCTLR, bank), 4, value);
}

static uint32_t bank_of(uint64_t word)
{
	return (uint32_t)words_get(&word, SMMUV2_STREAM_CBNDX);
}

/* A bank as it is while it leads nowhere. */
static struct smmuv2_bank nowhere(const struct smmuv2_tables *tables, uint32_t number)
{
	uint16_t lines = tables->features.lines;

	return (struct smmuv2_bank){
		.type = SMMUV2_FIRST_FAULT, .on = true, .abort = true, .independent = true,
		.line = (uint8_t)(lines != 0 ? number % lines : 0),
		.first = { .half = { { .disabled = true }, { .disabled = true } } },
	};
}

/* CFIE is its driver's: it says whether a fault is being served. A bank that has just been
 * given out has none. */
static int bank_put(const struct smmuv2_tables *tables, uint32_t number,
		    struct smmuv2_bank bank, bool fresh)
{
	const struct smmuv2_features *features = &tables->features;
	uint64_t words[SMMUV2_BANK_WORDS], value;
	int error = control_get(tables, number, &value);

	bank.interrupt = fresh || (value & SMMUV2_SCTLR_CFIE) != 0;
	smmuv2_bank_encode(&bank, features, words);
	if (error == 0)
		error = bank_move(&tables->registers, features, number, words, true);
	if (error == 0)
		error = control_get(tables, number, &value);
	/* Some are wired not to stall: they say so when they are read back. */
	if (error == 0 && bank.stall && (value & SMMUV2_SCTLR_CFCFG) == 0)
		error = -EOPNOTSUPP;
	return error;
}

/* A bank that no stream has, one that does stage 1 if there is one; and an SMR that matches
 * nothing. Returns: 0, -ENOSPC, or a register's error. */
static int find_free(const struct smmuv2_tables *tables, uint32_t *number, uint32_t *bank)
{
	const struct smmuv2_features *features = &tables->features;
	bool used[SMMUV2_BANK_MAX] = { false };
	uint32_t first = features->second_banks;

	*number = SMMUV2_NONE;
	for (uint32_t i = 0; i < features->streams; i++) {
		uint64_t word;
		int error = stream_read(&tables->registers, i, &word);

		if (error != 0)
			return error;
		if (!words_get(&word, SMMUV2_STREAM_VALID))
			*number = *number == SMMUV2_NONE ? i : *number;
		else if (bank_of(word) < SMMUV2_BANK_MAX)
			used[bank_of(word)] = true;
	}
	for (uint32_t i = 0; i < features->banks && *number != SMMUV2_NONE; i++) {
		*bank = (first + i) % features->banks;
		if (!used[*bank])
			return 0;
	}
	return -ENOSPC;
}

static uint64_t stream_word(uint32_t rid, uint32_t bank, enum smmuv2_stream_type type)
{
	uint64_t word = 0;

	words_put(&word, SMMUV2_STREAM_ID, rid);
	words_put(&word, SMMUV2_STREAM_VALID, 1);
	words_put(&word, SMMUV2_STREAM_CBNDX, bank);
	words_put(&word, SMMUV2_STREAM_TYPE, type);
	return word;
}

/* The stream gets what it needs, and is let in nowhere. */
static int take_in(const struct smmuv2_tables *tables, uint32_t rid, bool stall,
		   uint32_t *number, uint64_t *word)
{
	struct smmuv2_bank bank;
	uint32_t at;
	int error;

	if (rid >> tables->features.stream_bits != 0)
		return -EINVAL;
	error = find_free(tables, number, &at);
	if (error != 0)
		return error;
	bank = nowhere(tables, at);
	bank.stall = stall;
	error = bank_put(tables, at, bank, true);
	*word = stream_word(rid, at, SMMUV2_FAULT_ALL);
	return error != 0 ? error : stream_put(tables, *number, *word);
}

/* Tables go, what was stalled there stays stalled until somebody answers. */
static int lead_nowhere(const struct smmuv2_tables *tables, uint32_t at)
{
	struct smmuv2_bank bank = nowhere(tables, at);
	uint64_t value, type = SAY(SMMUV2_BANK_TYPE, SMMUV2_FIRST_FAULT);
	int error = control_get(tables, at, &value);

	bank.stall = (value & SMMUV2_SCTLR_CFCFG) != 0;
	if (error == 0) /* and nobody while they go */
		error = put(&tables->registers,
			    smmuv2_second_at(&tables->features, SMMUV2_CBAR, at), 4, type);
	return error != 0 ? error : bank_put(tables, at, bank, false);
}

/* Where streams were terminated, their banks do not stall any more. */
static int stall_again(const struct smmuv2_tables *tables, uint32_t at)
{
	uint64_t value;
	int error = control_get(tables, at, &value);

	if (error == 0)
		error = put(&tables->registers,
			    smmuv2_bank_at(&tables->features, SMMUV2_SCTLR, at), 4,
			    value | SMMUV2_SCTLR_CFCFG);
	if (error == 0)
		error = control_get(tables, at, &value);
	return error != 0 || (value & SMMUV2_SCTLR_CFCFG) != 0 ? error : -EOPNOTSUPP;
}

static int smmuv2_endpoint(const struct family_tables *tables, uint32_t rid,
			   enum family_door door, uint32_t flags)
{
	const struct smmuv2_tables *smmu = &tables->smmuv2;
	bool stall = (flags & FAMILY_STALLS) != 0;
	uint32_t number;
	uint64_t word;
	int error = find(smmu, rid, &number, &word);

	if (error == 0 && number == SMMUV2_NONE)
		error = door == FAMILY_SHUT ? -ENOENT :
					      take_in(smmu, rid, stall, &number, &word);
	if (error != 0)
		return error == -ENOENT ? 0 : error;
	if (door == FAMILY_OPEN && stall)
		error = stall_again(smmu, bank_of(word));
	if (error == 0)
		error = stream_put(smmu, number,
				   stream_word(rid, bank_of(word),
					       door == FAMILY_OPEN ? SMMUV2_TRANSLATE :
								     SMMUV2_FAULT_ALL));
	return error == 0 && door == FAMILY_SHUT ? lead_nowhere(smmu, bank_of(word)) : error;
}

/* ---- Address spaces ------------------------------------------------------------------------ */

static int space_put(const struct smmuv2_tables *tables, uint32_t at,
		     const struct family_space *space)
{
	const struct smmuv2_features *features = &tables->features;
	bool first = space->stage->table == FAMILY_FIRST;
	struct smmuv2_bank bank = nowhere(tables, at);

	if (space->domain > (features->vmid16 ? UINT16_MAX : UINT8_MAX) ||
	    space->asid > UINT16_MAX || (space->kind == FAMILY_SHADOW) != first)
		return -EINVAL;
	if (space->kind == FAMILY_NESTED ||
	    !(first ? features->first : features->second) ||
	    (first && at < features->second_banks))
		return -EOPNOTSUPP;
	bank.type = first ? SMMUV2_FIRST : SMMUV2_SECOND;
	bank.stall = space->stall;
	bank.vmid = space->domain;
	bank.asid = (uint16_t)space->asid;
	bank.first = space->stage->smmuv3_first.format;
	bank.second = space->stage->smmuv3.format;
	return bank_put(tables, at, bank, false);
}

static int smmuv2_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
			const struct family_space *space)
{
	const struct smmuv2_tables *smmu = &tables->smmuv2;
	uint64_t word, attributes;
	uint32_t number;
	bool there;
	int error;

	if (pasid != IOPF_PASID_NONE && pasid != IOPF_PASID_ANY)
		return space == NULL ? -ENOENT : -EOPNOTSUPP;
	error = find(smmu, rid, &number, &word);
	if (error != 0 || number == SMMUV2_NONE)
		return error != 0 ? error : -ENOENT;
	error = get(&smmu->registers,
		    smmuv2_second_at(&smmu->features, SMMUV2_CBAR, bank_of(word)), 4,
		    &attributes);
	if (error != 0)
		return error;
	there = words_get(&attributes, SMMUV2_BANK_TYPE) != SMMUV2_FIRST_FAULT;
	if (space != NULL)
		return there ? -EBUSY : space_put(smmu, bank_of(word), space);
	return there ? lead_nowhere(smmu, bank_of(word)) : -ENOENT;
}

/* The stream is nobody's any more: its bank may be another's. */
static void smmuv2_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	const struct smmuv2_tables *smmu = &tables->smmuv2;
	uint32_t number;
	uint64_t word;

	if (pasid == IOPF_PASID_ANY && find(smmu, rid, &number, &word) == 0 &&
	    number != SMMUV2_NONE)
		(void)stream_put(smmu, number,
				 (uint64_t)SMMUV2_FAULT_ALL
					 << FIELD_LSB(SMMUV2_STREAM_TYPE));
}

static int smmuv2_stage_create(struct family_stage *stage, const struct family_tables *tables,
			       enum family_table table)
{
	const struct smmuv2_tables *smmu = &tables->smmuv2;
	const struct vmsa_format first = {
		.half = { { .input_bits = VMSA_INPUT_BITS_MAX },
			  { .input_bits = VMSA_INPUT_BITS_MAX } },
		.output_bits = smmu->features.address_bits,
	};

	return family_armv8_create(stage, smmu->memory, &smmu->pages, table, &first);
}

const struct family family_smmuv2 = {
	.name = "smmuv2",
	.structures = smmuv2_structures,
	.first = IOPF_FORMAT_NONE,
	.alone = FAMILY_SECOND,
	.asids = true,
	.pasid_none = IOPF_PASID_NONE,
	.features = smmuv2_features,
	.create = smmuv2_create,
	.root = smmuv2_root,
	.root_config = smmuv2_root,
	.endpoint = smmuv2_endpoint,
	.space = smmuv2_space,
	.tidy = smmuv2_tidy,
	.stage_create = smmuv2_stage_create,
	.stage_destroy = family_armv8_destroy,
	.stage_map = family_armv8_map,
	.stage_unmap = family_armv8_unmap,
	.stage_tidy = family_armv8_tidy,
	.stage_walk = family_armv8_walk,
};
