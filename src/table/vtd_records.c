/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/vtd_records.c - VT-d's structures in memory as records: what tools say of their
 * fields, and what is wrong with one. Strict; what hardware refuses, and with which
 * reason, is in vtd_scalable.c. ("Scalable-Mode Root Entry" to "... PASID Table Entry")
 */
#include "base/record.h"
#include "table/vtd_words.h"

static const struct record_word root_words[] = {
	RECORD_TEXT(VTD_ROOT_LP, "the lower half is there: devices 0 to 15"),
	RECORD_UNIT(VTD_ROOT_LCTP, 12, "where its context entries are"),
	RECORD_TEXT(VTD_ROOT_UP, "the upper half is there: devices 16 to 31"),
	RECORD_UNIT(VTD_ROOT_UCTP, 12, "where its context entries are"),
	RECORD_END,
};
static const struct record_rule root_rules[] = {
	RECORD_WITH(VTD_ROOT_LCTP, VTD_ROOT_LP),
	RECORD_WITH(VTD_ROOT_UCTP, VTD_ROOT_UP),
	RECORD_RULES_END,
};
static const struct iopf_layout root_layout =
	RECORD_LAYOUT("vtd_root", VTD_ROOT, 8 * VTD_ROOT_WORDS, root_words, root_rules);

static const struct record_word ce_words[] = {
	RECORD_TEXT(VTD_CE_FPD, "faults are not recorded"),
	RECORD_TEXT(VTD_CE_DTE, "translation requests are taken"),
	RECORD_TEXT(VTD_CE_PASIDE, "requests with a PASID are taken"),
	RECORD_TEXT(VTD_CE_PRE, "page requests are taken"),
	RECORD_TEXT(VTD_CE_PDTS, "the directory has 2^(n + 7) entries"),
	RECORD_UNIT(VTD_CE_PASIDDIRPTR, 12, "where it is"),
	RECORD_TEXT(VTD_CE_RID_PASID, "PASID of requests without one"),
	RECORD_TEXT(VTD_CE_RID_PRIV, "these are privileged"),
	RECORD_END,
};
/* Page requests follow translation requests (PCIe 6.x, 10.4). */
static const struct record_rule ce_rules[] = {
	RECORD_WITH(VTD_CE_PASIDDIRPTR, VTD_CE_P),
	RECORD_WITH(VTD_CE_PRE, VTD_CE_DTE),
	RECORD_RULES_END,
};
static const struct iopf_layout ce_layout =
	RECORD_LAYOUT("vtd_context", VTD_CE, 8 * VTD_CE_WORDS, ce_words, ce_rules);

static const struct record_word pde_words[] = {
	RECORD_TEXT(VTD_PDE_FPD, "faults are not recorded"),
	RECORD_UNIT(VTD_PDE_SMPTBLPTR, 12, "where 64 PASID entries are"),
	RECORD_END,
};
static const struct record_rule pde_rules[] = {
	RECORD_WITH(VTD_PDE_SMPTBLPTR, VTD_PDE_P),
	RECORD_RULES_END,
};
static const struct iopf_layout pde_layout =
	RECORD_LAYOUT("vtd_pasid_directory", VTD_PDE, 8 * VTD_PDE_WORDS, pde_words, pde_rules);

/* ---- PASID entry -------------------------------------------------------------------- */

enum {
	WITH_FIRST = 1 << VTD_PGTT_FIRST | 1 << VTD_PGTT_NESTED,
	WITH_SECOND = 1 << VTD_PGTT_SECOND | 1 << VTD_PGTT_NESTED,
};

static const struct record_word pe_words[] = {
	RECORD_TEXT(VTD_PE_FPD, "faults are not recorded"),
	RECORD_WORD(VTD_PE_AW, 1, "39_bits"),
	RECORD_WORD(VTD_PE_AW, 2, "48_bits"),
	RECORD_WORD(VTD_PE_AW, 3, "57_bits"),
	RECORD_TEXT(VTD_PE_AW, "width of the second level"),
	RECORD_WORD(VTD_PE_PGTT, VTD_PGTT_FIRST, "first"),
	RECORD_WORD(VTD_PE_PGTT, VTD_PGTT_SECOND, "second"),
	RECORD_WORD(VTD_PE_PGTT, VTD_PGTT_NESTED, "nested"),
	RECORD_WORD(VTD_PE_PGTT, VTD_PGTT_PASS, "pass_through"),
	RECORD_TEXT(VTD_PE_PGTT, "which levels translate"),
	RECORD_TEXT(VTD_PE_SLADE, "the second level has accessed and dirty bits"),
	RECORD_UNIT(VTD_PE_SLPTPTR, 12, "root of the second level"),
	RECORD_TEXT(VTD_PE_PWSNP, "walks are snooped"),
	RECORD_TEXT(VTD_PE_PGSNP, "pages are snooped"),
	RECORD_TEXT(VTD_PE_CD, "memory is not cached"),
	RECORD_TEXT(VTD_PE_EMTE, "the memory type counts"),
	RECORD_TEXT(VTD_PE_EMT, "memory type"),
	RECORD_TEXT(VTD_PE_PWT, "write-through of the root"),
	RECORD_TEXT(VTD_PE_PCD, "no caching of the root"),
	RECORD_TEXT(VTD_PE_PAT, "page attribute table"),
	RECORD_TEXT(VTD_PE_SRE, "privileged requests are taken"),
	RECORD_TEXT(VTD_PE_ERE, "execute is asked for and checked"),
	RECORD_WORD(VTD_PE_FLPM, 0, "4_levels"),
	RECORD_WORD(VTD_PE_FLPM, 1, "5_levels"),
	RECORD_TEXT(VTD_PE_FLPM, "levels of the first level"),
	RECORD_TEXT(VTD_PE_WPE, "privileged writes obey the write right"),
	RECORD_TEXT(VTD_PE_EAFE, "the first level has extended accessed bits"),
	RECORD_UNIT(VTD_PE_FLPTPTR, 12, "root of the first level"),
	RECORD_END,
};

static bool is_present_without_tables(const uint8_t *r)
{
	uint64_t pgtt = field_get(r, VTD_PE_PGTT);

	return field_get(r, VTD_PE_P) && (pgtt < VTD_PGTT_FIRST || pgtt > VTD_PGTT_PASS);
}

static bool is_without_width(const uint8_t *r)
{
	uint64_t width = field_get(r, VTD_PE_AW);

	return (WITH_SECOND >> field_get(r, VTD_PE_PGTT) & 1) != 0 &&
	       (width < 1 || width > 3);
}

static const struct record_rule pe_rules[] = {
	RECORD_CHECK(VTD_PE_PGTT, is_present_without_tables, "this value is reserved"),
	RECORD_CHECK(VTD_PE_AW, is_without_width, "this value is reserved"),
	RECORD_NAMED(VTD_PE_FLPM),
	RECORD_ONLY(VTD_PE_SLPTPTR, VTD_PE_PGTT, WITH_SECOND),
	RECORD_ONLY(VTD_PE_SLADE, VTD_PE_PGTT, WITH_SECOND),
	RECORD_ONLY(VTD_PE_FLPTPTR, VTD_PE_PGTT, WITH_FIRST),
	RECORD_WITH(VTD_PE_EMT, VTD_PE_EMTE),
	RECORD_RULES_END,
};
static const struct iopf_layout pe_layout =
	RECORD_LAYOUT("vtd_pasid", VTD_PE, 32, pe_words, pe_rules);

const struct record vtd_structures[] = {
	{ .name = "root",
	  .text = "root entry, scalable mode",
	  .layout = &root_layout,
	  .size_bytes = 8 * VTD_ROOT_WORDS },
	{ .name = "context",
	  .text = "context entry, scalable mode",
	  .layout = &ce_layout,
	  .size_bytes = 8 * VTD_CE_WORDS },
	{ .name = "pasid-directory",
	  .text = "entry of a PASID directory",
	  .layout = &pde_layout,
	  .size_bytes = 8 * VTD_PDE_WORDS },
	{ .name = "pasid",
	  .text = "entry of a PASID table",
	  .layout = &pe_layout,
	  .size_bytes = 8 * VTD_PE_WORDS },
	{ .name = NULL },
};
