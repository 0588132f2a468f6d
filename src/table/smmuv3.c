/* SPDX-License-Identifier: BSD-3-Clause */
/* table/smmuv3.c - stream table entries and context descriptors as values. */
#include "table/smmuv3.h"

#include <errno.h>

#include "table/smmuv3_words.h"

RECORD_COMPLETE8(SMMUV3_STE_FIELDS);
RECORD_COMPLETE8(SMMUV3_CD_FIELDS);
RECORD_COMPLETE1(SMMUV3_L1STD_FIELDS);
RECORD_COMPLETE1(SMMUV3_L1CD_FIELDS);
RECORD_COMPLETE1(SMMUV3_STRTAB_FIELDS);

const char *smmuv3_event_text(unsigned event)
{
#define SMMUV3_EVENT_ROW(name, number, text) { number, text },
	static const struct {
		unsigned number;
		const char *text;
	} rows[] = { SMMUV3_EVENTS(SMMUV3_EVENT_ROW) };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == event)
			return rows[i].text;
	return "?";
}

/* ---- What an SMMU can do ------------------------------------------------------------ */

#define SMMUV3_SIZE_MAX 48 /* without 52-bit addresses, which 4 KiB granules lack here */

/* OAS, IPS and S2PS: widths of addresses. */
static const uint8_t sizes[8] = {
	32, 36, 40, 42, 44, 48, SMMUV3_SIZE_MAX, SMMUV3_SIZE_MAX
};

static uint8_t size_of(uint64_t code, const struct smmuv3_features *features)
{
	return sizes[code] < features->address_bits ? sizes[code] :
						      features->address_bits;
}

static uint8_t code_of(uint8_t size_bits)
{
	uint8_t code = 0;

	while (code < sizeof(sizes) && sizes[code] != size_bits)
		code++;
	return code;
}

/* Bits of IDR0, IDR1, IDR3 and IDR5. */
/* clang-format off */
#define IDR_FIELDS(X)                \
	X(IDR0_S2P,          0,  0, 1) \
	X(IDR0_S1P,          0,  1, 1) \
	X(IDR0_HTTU,         0,  6, 2) \
	X(IDR0_ATS,          0, 10, 1) \
	X(IDR0_NS1ATS,       0, 11, 1) \
	X(IDR0_ASID16,       0, 12, 1) \
	X(IDR0_PRI,          0, 16, 1) \
	X(IDR0_VMID16,       0, 18, 1) \
	X(IDR0_CD2L,         0, 19, 1) \
	X(IDR0_STALL_MODEL,  0, 24, 2) \
	X(IDR0_TERM_MODEL,   0, 26, 1) \
	X(IDR0_ST_LEVEL,     0, 27, 2) \
	X(IDR1_SIDSIZE,      1,  0, 6) \
	X(IDR1_SSIDSIZE,     1,  6, 5) \
	X(IDR3_HAD,          3,  2, 1) \
	X(IDR5_OAS,          5,  0, 3)
/* clang-format on */
enum idr_field { IDR_FIELDS(FIELD_ENUM) };

static uint8_t idr_get(const uint32_t *idr, uint32_t field)
{
	return (uint8_t)field_of(idr[FIELD_WORD(field)], field);
}

struct smmuv3_features smmuv3_features_of(const uint32_t idr[6])
{
	uint8_t streams = idr_get(idr, IDR1_SIDSIZE);
	uint8_t substreams = idr_get(idr, IDR1_SSIDSIZE);

	return (struct smmuv3_features){
		.address_bits = sizes[idr_get(idr, IDR5_OAS)],
		.stream_bits = streams < 32 ? streams : 32,
		.substream_bits = substreams < 20 ? substreams : 20,
		.stall_model = idr_get(idr, IDR0_STALL_MODEL),
		.first = idr_get(idr, IDR0_S1P),
		.second = idr_get(idr, IDR0_S2P),
		.access = idr_get(idr, IDR0_HTTU) != 0,
		.dirty = idr_get(idr, IDR0_HTTU) > 1,
		.ats = idr_get(idr, IDR0_ATS),
		.split_ats = !idr_get(idr, IDR0_NS1ATS),
		.pri = idr_get(idr, IDR0_PRI),
		.streams_2level = idr_get(idr, IDR0_ST_LEVEL) != 0,
		.contexts_2level = idr_get(idr, IDR0_CD2L),
		.asid16 = idr_get(idr, IDR0_ASID16),
		.vmid16 = idr_get(idr, IDR0_VMID16),
		.abort_only = idr_get(idr, IDR0_TERM_MODEL),
		.flat = idr_get(idr, IDR3_HAD),
	};
}

/* ---- Stream table entries ----------------------------------------------------------- */

/* "SteIllegal()": what ATS asks for. */
static bool ats_legal(const struct smmuv3_ste *ste,
		      const struct smmuv3_features *features)
{
	if (!features->ats || ste->config == SMMUV3_BYPASS)
		return true;
	if (ste->ats == SMMUV3_ATS_SPLIT)
		return ste->config == SMMUV3_BOTH && !ste->stall && features->split_ats;
	return ste->ats == SMMUV3_ATS_OFF || !smmuv3_has_second(ste) || !ste->stall;
}

static bool first_legal(const struct smmuv3_ste *ste,
			const struct smmuv3_features *features)
{
	return features->first &&
	       !(ste->stall_off && features->stall_model != SMMUV3_STALL_BOTH) &&
	       ste->context_bits <= features->substream_bits &&
	       (!smmuv3_is_2level(ste) || features->contexts_2level) &&
	       ste->context_addr >> features->address_bits == 0;
}

/* Where stage 2's words say what is not in a value. */
static bool second_format_legal(const uint64_t *words)
{
	return words_get(words, SMMUV3_STE_S2AA64) &&
	       !words_get(words, SMMUV3_STE_S2ENDI) &&
	       words_get(words, SMMUV3_STE_S2TG) == 0;
}

static bool second_legal(const struct smmuv3_ste *ste, const struct smmuv3_features *features)
{
	const struct vmsas2_format *second = &ste->second;

	return features->second && !(ste->stall && features->stall_model == SMMUV3_STALL_NEVER) &&
	       !(!ste->stall && features->stall_model == SMMUV3_STALL_ALWAYS) &&
	       !((second->access || second->dirty) && !features->access) &&
	       !(second->dirty && !features->dirty) &&
	       second->root >> second->output_bits == 0 &&
	       second->input_bits >= VMSA_INPUT_BITS_MIN &&
	       second->input_bits <= features->address_bits &&
	       vmsas2_start_fits(second->levels, second->input_bits) &&
	       !(ste->vmid > UINT8_MAX && !features->vmid16);
}

/* Hardware takes an address as a multiple of what lies there. */
static uint64_t aligned(uint64_t addr, unsigned size_bits)
{
	return size_bits < 64 ? addr & UINT64_MAX << size_bits : 0;
}

static void decode_first(const uint64_t *words, const struct smmuv3_features *features,
			 struct smmuv3_ste *ste)
{
	unsigned top;

	ste->context_bits = (uint8_t)words_get(words, SMMUV3_STE_S1CDMAX);
	if (features->substream_bits == 0)
		ste->context_bits = 0;
	if (ste->context_bits != 0) {
		ste->contexts = (uint8_t)words_get(words, SMMUV3_STE_S1FMT);
		ste->without = (uint8_t)words_get(words, SMMUV3_STE_S1DSS);
	}
	ste->stall_off = words_get(words, SMMUV3_STE_S1STALLD);
	top = smmuv3_top_bits(ste) + (smmuv3_is_2level(ste) ? 3 : 6);
	ste->context_addr = aligned(words_addr_at(words, SMMUV3_STE_S1CONTEXTPTR), top);
}

static void decode_second(const uint64_t *words, const struct smmuv3_features *features,
			  struct smmuv3_ste *ste)
{
	unsigned root_bits;

	ste->stall = words_get(words, SMMUV3_STE_S2S);
	ste->record = words_get(words, SMMUV3_STE_S2R);
	ste->second = (struct vmsas2_format){
		.root = words_addr_at(words, SMMUV3_STE_S2TTB),
		.input_bits = (uint8_t)(64 - words_get(words, SMMUV3_STE_S2T0SZ)),
		.levels = (uint8_t)(words_get(words, SMMUV3_STE_S2SL0) + 2),
		.output_bits = size_of(words_get(words, SMMUV3_STE_S2PS), features),
		.access_off = words_get(words, SMMUV3_STE_S2AFFD),
		.access = words_get(words, SMMUV3_STE_S2HA),
		.dirty = words_get(words, SMMUV3_STE_S2HD),
	};
	if (!vmsas2_start_fits(ste->second.levels, ste->second.input_bits))
		return;
	root_bits = 3u + ste->second.input_bits - RADIX_SHIFT(ste->second.levels);
	ste->second.root = aligned(ste->second.root, root_bits);
}

enum smmuv3_event smmuv3_ste_decode(const uint64_t words[SMMUV3_STE_WORDS],
				    const struct smmuv3_features *features,
				    struct smmuv3_ste *value)
{
	struct smmuv3_ste ste = { .config = (uint8_t)words_get(words, SMMUV3_STE_CONFIG) };

	if (!words_get(words, SMMUV3_STE_V))
		return SMMUV3_EVENT_C_BAD_STE;
	ste.response_pasid = words_get(words, SMMUV3_STE_PPAR);
	if (ste.config < SMMUV3_BYPASS) {
		*value = (struct smmuv3_ste){ .config = SMMUV3_ABORT,
					      .response_pasid = ste.response_pasid };
		return SMMUV3_EVENT_NONE;
	}
	ste.ats = (uint8_t)words_get(words, SMMUV3_STE_EATS);
	if (ste.ats > SMMUV3_ATS_SPLIT) /* device permission tables, which are not here */
		ste.ats = SMMUV3_ATS_OFF;
	if (ste.config != SMMUV3_BYPASS)
		ste.vmid = (uint16_t)words_get(words, SMMUV3_STE_S2VMID);
	if (smmuv3_has_first(&ste))
		decode_first(words, features, &ste);
	if (smmuv3_has_second(&ste))
		decode_second(words, features, &ste);
	if (!ats_legal(&ste, features) ||
	    (smmuv3_has_first(&ste) && !first_legal(&ste, features)) ||
	    (smmuv3_has_second(&ste) &&
	     (!second_format_legal(words) || !second_legal(&ste, features))) ||
	    (features->second && ste.vmid > UINT8_MAX && !features->vmid16))
		return SMMUV3_EVENT_C_BAD_STE;
	if (!features->ats || ste.config == SMMUV3_BYPASS)
		ste.ats = SMMUV3_ATS_OFF;
	*value = ste;
	return SMMUV3_EVENT_NONE;
}

/* Attributes: inner and outer write-back, inner shareable. */
enum { WRITE_BACK = 1, INNER = 3, INCOMING = 1 };

static void encode_second(const struct smmuv3_ste *value, uint64_t *words)
{
	const struct vmsas2_format *second = &value->second;

	words_put(words, SMMUV3_STE_S2T0SZ, 64u - second->input_bits);
	words_put(words, SMMUV3_STE_S2SL0, second->levels - 2u);
	words_put(words, SMMUV3_STE_S2IR0, WRITE_BACK);
	words_put(words, SMMUV3_STE_S2OR0, WRITE_BACK);
	words_put(words, SMMUV3_STE_S2SH0, INNER);
	words_put(words, SMMUV3_STE_S2PS, code_of(second->output_bits));
	words_put(words, SMMUV3_STE_S2AA64, 1);
	words_put(words, SMMUV3_STE_S2AFFD, second->access_off);
	words_put(words, SMMUV3_STE_S2HA, second->access);
	words_put(words, SMMUV3_STE_S2HD, second->dirty);
	words_put(words, SMMUV3_STE_S2S, value->stall);
	words_put(words, SMMUV3_STE_S2R, value->record);
	words[FIELD_WORD(SMMUV3_STE_S2TTB)] |= second->root;
}

static void encode_first(const struct smmuv3_ste *value, uint64_t *words)
{
	words_put(words, SMMUV3_STE_S1FMT, value->contexts);
	words_put(words, SMMUV3_STE_S1CDMAX, value->context_bits);
	words_put(words, SMMUV3_STE_S1DSS, value->without);
	words_put(words, SMMUV3_STE_S1CIR, WRITE_BACK);
	words_put(words, SMMUV3_STE_S1COR, WRITE_BACK);
	words_put(words, SMMUV3_STE_S1CSH, INNER);
	words_put(words, SMMUV3_STE_S1STALLD, value->stall_off);
	words[FIELD_WORD(SMMUV3_STE_S1CONTEXTPTR)] |= value->context_addr;
}

static bool ste_fits(const struct smmuv3_ste *value)
{
	const struct vmsas2_format *second = &value->second;

	return field_fits(SMMUV3_STE_CONFIG, value->config) &&
	       field_fits(SMMUV3_STE_S1FMT, value->contexts) &&
	       field_fits(SMMUV3_STE_S1CDMAX, value->context_bits) &&
	       field_fits(SMMUV3_STE_S1DSS, value->without) &&
	       field_fits(SMMUV3_STE_EATS, value->ats) &&
	       (value->context_addr & ~FIELD_MASK(SMMUV3_STE_S1CONTEXTPTR)) == 0 &&
	       (!smmuv3_has_second(value) ||
		((second->root & ~FIELD_MASK(SMMUV3_STE_S2TTB)) == 0 &&
		 second->input_bits > 0 && second->input_bits < 64 && second->levels >= 2 &&
		 second->levels <= 4 && code_of(second->output_bits) < sizeof(sizes)));
}

int smmuv3_ste_encode(const struct smmuv3_ste *value, uint64_t words[SMMUV3_STE_WORDS])
{
	if (!ste_fits(value))
		return -EINVAL;
	for (unsigned i = 0; i < SMMUV3_STE_WORDS; i++)
		words[i] = 0;
	words_put(words, SMMUV3_STE_V, 1);
	words_put(words, SMMUV3_STE_CONFIG, value->config);
	words_put(words, SMMUV3_STE_PPAR, value->response_pasid);
	words_put(words, SMMUV3_STE_EATS, value->ats);
	words_put(words, SMMUV3_STE_SHCFG, INCOMING);
	words_put(words, SMMUV3_STE_S2VMID, value->vmid);
	if (smmuv3_has_first(value))
		encode_first(value, words);
	if (smmuv3_has_second(value))
		encode_second(value, words);
	return 0;
}

/* ---- Context descriptors ------------------------------------------------------------ */

/* The fields of a half. */
struct half_fields {
	uint32_t size, granule, attributes[3], disabled, root, top_ignored, flat;
	uint64_t granule_4k; /* the two halves number granules in different ways */
};

static const struct half_fields half_fields[2] = {
	{ SMMUV3_CD_T0SZ,
	  SMMUV3_CD_TG0,
	  { SMMUV3_CD_IR0, SMMUV3_CD_OR0, SMMUV3_CD_SH0 },
	  SMMUV3_CD_EPD0,
	  SMMUV3_CD_TTB0,
	  SMMUV3_CD_TBI0,
	  SMMUV3_CD_HAD0,
	  0 },
	{ SMMUV3_CD_T1SZ,
	  SMMUV3_CD_TG1,
	  { SMMUV3_CD_IR1, SMMUV3_CD_OR1, SMMUV3_CD_SH1 },
	  SMMUV3_CD_EPD1,
	  SMMUV3_CD_TTB1,
	  SMMUV3_CD_TBI1,
	  SMMUV3_CD_HAD1,
	  2 },
};

/* Fields of a disabled half are ignored. ("EPDx behavior") */
static bool decode_half(const uint64_t *words, const struct half_fields *fields,
			const struct smmuv3_features *features, uint8_t output_bits,
			struct vmsa_half *half)
{
	unsigned levels;

	*half = (struct vmsa_half){ .input_bits = VMSA_INPUT_BITS_MAX,
				    .top_ignored = words_get(words, fields->top_ignored) };
	half->disabled = words_get(words, fields->disabled);
	if (half->disabled)
		return true;
	half->input_bits = (uint8_t)(64 - words_get(words, fields->size));
	half->root = words_addr_at(words, fields->root);
	half->flat = features->flat && words_get(words, fields->flat);
	if (half->input_bits < VMSA_INPUT_BITS_MIN || half->input_bits > VMSA_INPUT_BITS_MAX ||
	    words_get(words, fields->granule) != fields->granule_4k ||
	    half->root >> output_bits != 0)
		return false;
	levels = vmsa_levels(half->input_bits);
	half->root = aligned(half->root, 3u + half->input_bits - RADIX_SHIFT(levels));
	return true;
}

/* "CdIllegal()", for what does not concern one half. */
static bool cd_legal(const uint64_t *words, const struct smmuv3_features *features,
		     const struct smmuv3_ste *ste, const struct smmuv3_cd *cd)
{
	bool walks = !cd->first.half[0].disabled || !cd->first.half[1].disabled;

	return words_get(words, SMMUV3_CD_AA64) && !(ste->stall_off && cd->stall) &&
	       !(features->abort_only && !cd->abort) &&
	       !(cd->stall && features->stall_model == SMMUV3_STALL_NEVER) &&
	       !(!cd->stall && features->stall_model == SMMUV3_STALL_ALWAYS) &&
	       !(walks && words_get(words, SMMUV3_CD_ENDI)) &&
	       !((cd->first.access || cd->first.dirty) && !features->access) &&
	       !(cd->first.dirty && !features->dirty) &&
	       !(cd->asid > UINT8_MAX && !features->asid16);
}

enum smmuv3_event smmuv3_cd_decode(const uint64_t words[SMMUV3_CD_WORDS],
				   const struct smmuv3_features *features,
				   const struct smmuv3_ste *ste, struct smmuv3_cd *value)
{
	struct smmuv3_cd cd = {
		.first = { .output_bits = size_of(words_get(words, SMMUV3_CD_IPS), features),
			   .access_off = words_get(words, SMMUV3_CD_AFFD),
			   .access = words_get(words, SMMUV3_CD_HA),
			   .dirty = words_get(words, SMMUV3_CD_HD),
			   .write_no_exec = words_get(words, SMMUV3_CD_WXN),
			   .private_users = words_get(words, SMMUV3_CD_PAN) },
		.asid = (uint16_t)words_get(words, SMMUV3_CD_ASID),
		.abort = words_get(words, SMMUV3_CD_A),
		.record = words_get(words, SMMUV3_CD_R),
		.stall = words_get(words, SMMUV3_CD_S),
	};

	if (!words_get(words, SMMUV3_CD_V))
		return SMMUV3_EVENT_C_BAD_CD;
	for (unsigned i = 0; i < 2; i++)
		if (!decode_half(words, &half_fields[i], features, cd.first.output_bits,
				 &cd.first.half[i]))
			return SMMUV3_EVENT_C_BAD_CD;
	if (!cd_legal(words, features, ste, &cd))
		return SMMUV3_EVENT_C_BAD_CD;
	*value = cd;
	return SMMUV3_EVENT_NONE;
}

static bool half_fits(const struct vmsa_half *half)
{
	return half->disabled || (half->input_bits >= VMSA_INPUT_BITS_MIN &&
				  half->input_bits <= VMSA_INPUT_BITS_MAX &&
				  (half->root & ~FIELD_MASK(SMMUV3_CD_TTB0)) == 0);
}

static void encode_half(uint64_t *words, const struct half_fields *fields,
			const struct vmsa_half *half)
{
	words_put(words, fields->disabled, half->disabled);
	words_put(words, fields->top_ignored, half->top_ignored);
	if (half->disabled)
		return;
	words_put(words, fields->size, 64u - half->input_bits);
	words_put(words, fields->granule, fields->granule_4k);
	words_put(words, fields->attributes[0], WRITE_BACK);
	words_put(words, fields->attributes[1], WRITE_BACK);
	words_put(words, fields->attributes[2], INNER);
	words_put(words, fields->flat, half->flat);
	words[FIELD_WORD(fields->root)] |= half->root;
}

int smmuv3_cd_encode(const struct smmuv3_cd *value, uint64_t words[SMMUV3_CD_WORDS])
{
	const struct vmsa_format *first = &value->first;

	if (!half_fits(&first->half[0]) || !half_fits(&first->half[1]) ||
	    code_of(first->output_bits) >= sizeof(sizes))
		return -EINVAL;
	for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++)
		words[i] = 0;
	for (unsigned i = 0; i < 2; i++)
		encode_half(words, &half_fields[i], &first->half[i]);
	words_put(words, SMMUV3_CD_V, 1);
	words_put(words, SMMUV3_CD_AA64, 1);
	words_put(words, SMMUV3_CD_IPS, code_of(first->output_bits));
	words_put(words, SMMUV3_CD_AFFD, first->access_off);
	words_put(words, SMMUV3_CD_WXN, first->write_no_exec);
	words_put(words, SMMUV3_CD_PAN, first->private_users);
	words_put(words, SMMUV3_CD_HA, first->access);
	words_put(words, SMMUV3_CD_HD, first->dirty);
	words_put(words, SMMUV3_CD_S, value->stall);
	words_put(words, SMMUV3_CD_R, value->record);
	words_put(words, SMMUV3_CD_A, value->abort);
	words_put(words, SMMUV3_CD_ASET, 1);
	words_put(words, SMMUV3_CD_ASID, value->asid);
	/* Attribute 0, which the editor of first levels uses: write-back. */
	words_put(words, SMMUV3_CD_MAIR, 0xff);
	return 0;
}
