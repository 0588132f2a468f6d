/* SPDX-License-Identifier: BSD-3-Clause */
/* table/vtd_scalable.c - scalable-mode entries as values, and how they are found. */
#include "table/vtd_scalable.h"

#include <errno.h>

#include "base/field.h"
#include "table/vtd_words.h"

RECORD_COMPLETE2(VTD_ROOT_FIELDS);
RECORD_COMPLETE4(VTD_CE_FIELDS);
RECORD_COMPLETE1(VTD_PDE_FIELDS);
RECORD_COMPLETE4(VTD_PE_FIELDS);

/* Capability bits that decide what an entry may ask for. */
enum cap_field {
	CAP_SAGAW = FIELD(0, 8, 5),
	CAP_SLLPS_2M = FIELD(0, 34, 1),
	CAP_SLLPS_1G = FIELD(0, 35, 1),
	CAP_FL1GP = FIELD(0, 56, 1),
	CAP_FL5LP = FIELD(0, 60, 1),
	ECAP_PT = FIELD(0, 6, 1),
	ECAP_NEST = FIELD(0, 26, 1),
	ECAP_ERS = FIELD(0, 30, 1),
	ECAP_SRS = FIELD(0, 31, 1),
	ECAP_EAFS = FIELD(0, 34, 1),
	ECAP_PDS = FIELD(0, 42, 1),
	ECAP_SLADS = FIELD(0, 45, 1),
	ECAP_SLTS = FIELD(0, 46, 1),
	ECAP_FLTS = FIELD(0, 47, 1),
	ECAP_RPS = FIELD(0, 49, 1),
};

struct vtd_features vtd_features_of(uint64_t cap, uint64_t ecap, uint8_t address_bits)
{
	/* SAGAW: bit 1 is three levels, bit 2 four, bit 3 five. */
	return (struct vtd_features){
		.address_bits = address_bits,
		.second_levels = (uint8_t)((field_of(cap, CAP_SAGAW) & 0xe) << 2),
		.pages_2m = field_of(cap, CAP_SLLPS_2M),
		.pages_1g = field_of(cap, CAP_SLLPS_1G),
		.first_1g = field_of(cap, CAP_FL1GP),
		.first_5l = field_of(cap, CAP_FL5LP),
		.first = field_of(ecap, ECAP_FLTS),
		.second = field_of(ecap, ECAP_SLTS),
		.nested = field_of(ecap, ECAP_NEST),
		.pass = field_of(ecap, ECAP_PT),
		.second_ad = field_of(ecap, ECAP_SLADS),
		.exec = field_of(ecap, ECAP_ERS),
		.supervisor = field_of(ecap, ECAP_SRS),
		.extended = field_of(ecap, ECAP_EAFS),
		.rid_pasid = field_of(ecap, ECAP_RPS),
		.drains = field_of(ecap, ECAP_PDS),
	};
}

/* ---- Entries as values ---------------------------------------------------------------- */

static bool too_wide(uint64_t addr, uint8_t address_bits)
{
	return addr >> address_bits != 0;
}

static bool any_set(const uint64_t *words, const uint32_t *fields, unsigned count)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < count; i++)
		set |= words_get(words, fields[i]);
	return set != 0;
}

#define ANY_SET(words, fields) \
	any_set(words, fields, sizeof(fields) / sizeof((fields)[0]))

enum vtd_reason vtd_context_decode(const uint64_t words[VTD_CE_WORDS],
				   const struct vtd_features *features,
				   struct vtd_context *value)
{
	static const uint32_t reserved[] = { VTD_CE_RSVD0, VTD_CE_RSVD1, VTD_CE_RSVD2,
					     VTD_CE_RSVD3 };
	uint64_t directory = words_addr(words, VTD_CE_PASIDDIRPTR);

	if (!words_get(words, VTD_CE_P))
		return VTD_REASON_CONTEXT_NOT_PRESENT;
	if (ANY_SET(words, reserved) || too_wide(directory, features->address_bits))
		return VTD_REASON_CONTEXT_RESERVED;
	*value = (struct vtd_context){
		.directory = directory,
		.rid_pasid = (uint32_t)words_get(words, VTD_CE_RID_PASID),
		.pdts = (uint8_t)words_get(words, VTD_CE_PDTS),
		.quiet = words_get(words, VTD_CE_FPD),
		.ats = words_get(words, VTD_CE_DTE),
		.pasid = words_get(words, VTD_CE_PASIDE),
		.pri = words_get(words, VTD_CE_PRE),
		.rid_priv = words_get(words, VTD_CE_RID_PRIV),
	};
	return VTD_REASON_NONE;
}

static bool has_first(uint64_t pgtt)
{
	return pgtt == VTD_PGTT_FIRST || pgtt == VTD_PGTT_NESTED;
}

static bool has_second(uint64_t pgtt)
{
	return pgtt == VTD_PGTT_SECOND || pgtt == VTD_PGTT_NESTED;
}

static bool pasid_reserved(const uint64_t words[VTD_PE_WORDS],
			   const struct vtd_features *features)
{
	static const uint32_t reserved[] = { VTD_PE_RSVD0, VTD_PE_RSVD1, VTD_PE_RSVD2,
					     VTD_PE_RSVD3, VTD_PE_RSVD4, VTD_PE_RSVD5 };
	uint64_t pgtt = words_get(words, VTD_PE_PGTT);

	return ANY_SET(words, reserved) || (words[4] | words[5] | words[6] | words[7]) != 0 ||
	       (!features->second_ad && words_get(words, VTD_PE_SLADE)) ||
	       (!features->supervisor && words_get(words, VTD_PE_SRE)) ||
	       (!features->exec && words_get(words, VTD_PE_ERE)) ||
	       (!features->extended && words_get(words, VTD_PE_EAFE)) ||
	       (has_second(pgtt) && too_wide(words_addr(words, VTD_PE_SLPTPTR),
					     features->address_bits)) ||
	       /* With nesting it is a guest address: the second level's width decides. */
	       (pgtt == VTD_PGTT_FIRST && too_wide(words_addr(words, VTD_PE_FLPTPTR),
						   features->address_bits));
}

static bool pasid_valid(const struct vtd_pasid *value, const struct vtd_features *features)
{
	const bool offered[] = {
		[VTD_PGTT_FIRST] = features->first,
		[VTD_PGTT_SECOND] = features->second,
		[VTD_PGTT_NESTED] = features->nested,
		[VTD_PGTT_PASS] = features->pass,
	};

	if (value->pgtt > VTD_PGTT_PASS || !offered[value->pgtt])
		return false;
	if (has_first(value->pgtt) && value->first_levels != 4 &&
	    !(value->first_levels == 5 && features->first_5l))
		return false;
	return !has_second(value->pgtt) ||
	       (value->second_levels >= 3 && value->second_levels <= 5 &&
		(features->second_levels >> value->second_levels & 1) != 0);
}

enum vtd_reason vtd_pasid_decode(const uint64_t words[VTD_PE_WORDS],
				 const struct vtd_features *features,
				 struct vtd_pasid *value)
{
	struct vtd_pasid made = {
		.first_root = words_addr(words, VTD_PE_FLPTPTR),
		.second_root = words_addr(words, VTD_PE_SLPTPTR),
		.domain = (uint16_t)words_get(words, VTD_PE_DID),
		.pgtt = (uint8_t)words_get(words, VTD_PE_PGTT),
		.first_levels = (uint8_t)(words_get(words, VTD_PE_FLPM) + 4),
		.second_levels = (uint8_t)(words_get(words, VTD_PE_AW) + 2),
		.quiet = words_get(words, VTD_PE_FPD),
		.supervisor = words_get(words, VTD_PE_SRE),
		.exec = words_get(words, VTD_PE_ERE),
		.write_protect = words_get(words, VTD_PE_WPE),
		.extended = words_get(words, VTD_PE_EAFE),
		.second_ad = words_get(words, VTD_PE_SLADE),
		.walk_snoop = words_get(words, VTD_PE_PWSNP),
		.page_snoop = words_get(words, VTD_PE_PGSNP),
	};

	if (!words_get(words, VTD_PE_P))
		return VTD_REASON_PASID_NOT_PRESENT;
	if (pasid_reserved(words, features))
		return VTD_REASON_PASID_RESERVED;
	if (!pasid_valid(&made, features))
		return VTD_REASON_PASID_INVALID;
	*value = made;
	return VTD_REASON_NONE;
}

static bool is_page(uint64_t addr)
{
	return addr % TABLE_PAGE_BYTES == 0;
}

int vtd_context_encode(const struct vtd_context *value, uint64_t words[VTD_CE_WORDS])
{
	uint64_t made[VTD_CE_WORDS] = { 0 };

	if (!is_page(value->directory) || value->rid_pasid > IOPF_PASID_MAX ||
	    value->pdts > 7)
		return -EINVAL;
	words_put(made, VTD_CE_P, 1);
	words_put(made, VTD_CE_FPD, value->quiet);
	words_put(made, VTD_CE_DTE, value->ats);
	words_put(made, VTD_CE_PASIDE, value->pasid);
	words_put(made, VTD_CE_PRE, value->pri);
	words_put(made, VTD_CE_PDTS, value->pdts);
	words_put(made, VTD_CE_PASIDDIRPTR, value->directory / TABLE_PAGE_BYTES);
	words_put(made, VTD_CE_RID_PASID, value->rid_pasid);
	words_put(made, VTD_CE_RID_PRIV, value->rid_priv);
	memcpy(words, made, sizeof(made));
	return 0;
}

int vtd_pasid_encode(const struct vtd_pasid *value, uint64_t words[VTD_PE_WORDS])
{
	bool first = has_first(value->pgtt), second = has_second(value->pgtt);
	uint64_t made[VTD_PE_WORDS] = { 0 };

	if (value->pgtt < VTD_PGTT_FIRST || value->pgtt > VTD_PGTT_PASS ||
	    (first && (!is_page(value->first_root) || value->first_levels < 4 ||
		       value->first_levels > 5)) ||
	    (second && (!is_page(value->second_root) || value->second_levels < 3 ||
			value->second_levels > 5)))
		return -EINVAL;
	words_put(made, VTD_PE_P, 1);
	words_put(made, VTD_PE_FPD, value->quiet);
	words_put(made, VTD_PE_PGTT, value->pgtt);
	words_put(made, VTD_PE_DID, value->domain);
	words_put(made, VTD_PE_PWSNP, value->walk_snoop);
	words_put(made, VTD_PE_PGSNP, value->page_snoop);
	words_put(made, VTD_PE_SRE, value->supervisor);
	words_put(made, VTD_PE_ERE, value->exec);
	words_put(made, VTD_PE_WPE, value->write_protect);
	words_put(made, VTD_PE_EAFE, value->extended);
	words_put(made, VTD_PE_SLADE, value->second_ad);
	if (first) {
		words_put(made, VTD_PE_FLPM, value->first_levels - 4u);
		words_put(made, VTD_PE_FLPTPTR, value->first_root / TABLE_PAGE_BYTES);
	}
	if (second) {
		words_put(made, VTD_PE_AW, value->second_levels - 2u);
		words_put(made, VTD_PE_SLPTPTR, value->second_root / TABLE_PAGE_BYTES);
	}
	memcpy(words, made, sizeof(made));
	return 0;
}

struct nested_tables vtd_tables(const struct vtd_pasid *value,
				const struct vtd_features *features)
{
	static const uint8_t kinds[] = {
		[VTD_PGTT_FIRST] = NESTED_FIRST,
		[VTD_PGTT_SECOND] = NESTED_SECOND,
		[VTD_PGTT_NESTED] = NESTED_BOTH,
		[VTD_PGTT_PASS] = NESTED_PASS,
	};

	return (struct nested_tables){
		.first_root = value->first_root,
		.second_root = value->second_root,
		.first = {
			.levels = value->first_levels,
			/* A guest address may be wider than the host's. */
			.address_bits = value->pgtt == VTD_PGTT_NESTED
						? 52 : features->address_bits,
			.pages_1g = features->first_1g,
			.supervisor = value->supervisor,
			.write_protect = value->write_protect,
			.exec = value->exec,
			.extended = value->extended,
		},
		.second = {
			.levels = value->second_levels,
			.address_bits = features->address_bits,
			.pages_2m = features->pages_2m,
			.pages_1g = features->pages_1g,
			.accessed_dirty = value->second_ad,
		},
		.kind = value->pgtt <= VTD_PGTT_PASS ? kinds[value->pgtt] : NESTED_NONE,
		.address_bits = features->address_bits,
		.interrupt_range = true,
	};
}

/* ---- Finding -------------------------------------------------------------------------- */

/* Word 0, which holds the present bit, first. */
static bool load_words(const struct table_space *space, uint64_t addr, uint64_t *words,
		       unsigned count)
{
	struct table_result result;
	uint64_t at;

	if (!table_reach(space, addr, IOPF_READ, &at, &result))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!table_load64(space->memory, at + sizeof(*words) * i, &words[i]))
			return false;
	return true;
}

/* The half of the root entry that leads to @rid's context entry. */
static enum vtd_reason find_root(const struct table_space *space,
				 const struct vtd_features *features, uint64_t root,
				 uint32_t rid, uint64_t *context_addr)
{
	bool upper = (rid & 0x80) != 0;
	uint64_t words[VTD_ROOT_WORDS] = { 0 }, table;

	if (!load_words(space, vtd_root_addr(root, rid), &words[upper], 1))
		return VTD_REASON_ROOT_ACCESS;
	if (!words_get(words, upper ? VTD_ROOT_UP : VTD_ROOT_LP))
		return VTD_REASON_ROOT_NOT_PRESENT;
	table = words_addr(words, upper ? VTD_ROOT_UCTP : VTD_ROOT_LCTP);
	if (words_get(words, upper ? VTD_ROOT_RSVD1 : VTD_ROOT_RSVD0) ||
	    too_wide(table, features->address_bits))
		return VTD_REASON_ROOT_RESERVED;
	*context_addr = vtd_context_addr(table, rid);
	return VTD_REASON_NONE;
}

enum vtd_reason vtd_context_admits(const struct vtd_context *context,
				   const struct vtd_request *request)
{
	if (request->kind != VTD_UNTRANSLATED && !context->ats)
		return VTD_REASON_DTE_CLEAR;
	if (request->kind == VTD_PAGE_REQUEST && !context->pri)
		return VTD_REASON_PRE_CLEAR;
	if (request->pasid == IOPF_PASID_NONE)
		return VTD_REASON_NONE;
	if (!context->pasid)
		return VTD_REASON_PASIDE_CLEAR;
	if (request->pasid >= VTD_PDTS_PASIDS(context->pdts))
		return VTD_REASON_PASID_TOO_LARGE;
	return VTD_REASON_NONE;
}

enum vtd_reason vtd_find_context(const struct table_space *space,
				 const struct vtd_features *features, uint64_t root,
				 const struct vtd_request *request,
				 struct vtd_found *found)
{
	uint64_t words[VTD_CE_WORDS];
	enum vtd_reason reason;

	*found = (struct vtd_found){ .perm = request->perm };
	reason = find_root(space, features, root, request->rid, &found->context_addr);
	if (reason != VTD_REASON_NONE)
		return reason;
	if (!load_words(space, found->context_addr, words, VTD_CE_WORDS))
		return VTD_REASON_CONTEXT_ACCESS;
	/* Fault processing is disabled by an entry that is not present as well. */
	found->quiet = words_get(words, VTD_CE_FPD);
	reason = vtd_context_decode(words, features, &found->context);
	return reason != VTD_REASON_NONE ? reason
					 : vtd_context_admits(&found->context, request);
}

static enum vtd_reason find_directory(const struct table_space *space,
				      const struct vtd_features *features,
				      struct vtd_found *found)
{
	uint64_t word, table;

	found->directory_addr = vtd_directory_addr(found->context.directory, found->number);
	if (!load_words(space, found->directory_addr, &word, VTD_PDE_WORDS))
		return VTD_REASON_DIR_ACCESS;
	found->quiet |= words_get(&word, VTD_PDE_FPD);
	if (!words_get(&word, VTD_PDE_P))
		return VTD_REASON_DIR_NOT_PRESENT;
	table = words_addr(&word, VTD_PDE_SMPTBLPTR);
	if (words_get(&word, VTD_PDE_RSVD0) || too_wide(table, features->address_bits))
		return VTD_REASON_DIR_RESERVED;
	found->pasid_addr = vtd_pasid_addr(table, found->number);
	return VTD_REASON_NONE;
}

enum vtd_reason vtd_pasid_admits(const struct vtd_pasid *pasid, uint8_t perm)
{
	if ((perm & IOPF_EXEC) != 0 && !pasid->exec)
		return VTD_REASON_ERE_CLEAR;
	if ((perm & IOPF_PRIV) != 0 && !pasid->supervisor)
		return VTD_REASON_SRE_CLEAR;
	return VTD_REASON_NONE;
}

static enum vtd_reason find_entry(const struct table_space *space,
				  const struct vtd_features *features,
				  struct vtd_found *found)
{
	uint64_t words[VTD_PE_WORDS];
	enum vtd_reason reason;

	if (!load_words(space, found->pasid_addr, words, VTD_PE_WORDS))
		return VTD_REASON_PASID_ACCESS;
	found->quiet |= words_get(words, VTD_PE_FPD);
	reason = vtd_pasid_decode(words, features, &found->pasid);
	return reason != VTD_REASON_NONE ? reason
					 : vtd_pasid_admits(&found->pasid, found->perm);
}

enum vtd_reason vtd_find_number(const struct vtd_features *features,
				const struct vtd_request *request,
				struct vtd_found *found)
{
	found->number = request->pasid;
	if (request->pasid != IOPF_PASID_NONE)
		return VTD_REASON_NONE;
	found->number = features->rid_pasid ? found->context.rid_pasid : 0;
	found->perm |= found->context.rid_priv ? IOPF_PRIV : 0;
	return found->number < VTD_PDTS_PASIDS(found->context.pdts)
		       ? VTD_REASON_NONE : VTD_REASON_RID_PASID;
}

enum vtd_reason vtd_find_pasid(const struct table_space *space,
			       const struct vtd_features *features,
			       struct vtd_found *found)
{
	enum vtd_reason reason = find_directory(space, features, found);

	return reason != VTD_REASON_NONE ? reason : find_entry(space, features, found);
}

enum vtd_reason vtd_find(const struct table_space *space,
			 const struct vtd_features *features, uint64_t root,
			 const struct vtd_request *request, struct vtd_found *found)
{
	enum vtd_reason reason = vtd_find_context(space, features, root, request, found);

	if (reason == VTD_REASON_NONE)
		reason = vtd_find_number(features, request, found);
	return reason != VTD_REASON_NONE ? reason : vtd_find_pasid(space, features, found);
}
