/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/amd.c - AMD IOMMU: the device table, and the rows of families.
 *
 * A device's entry is about all its address spaces at once. While one of them is a first
 * level of the host's own there is no host table; otherwise that is always there, and what
 * comes without a PASID goes through entry 0 of the GCR3 table (GIOV), which is nobody
 * else's, unless it was given the host table itself.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "table/family.h"
#include "table/words.h"

RECORD_COMPLETE(AMD_DTE, 4);

enum {
	EFR_OFFSET = 0x30,
	ADDRESS_BITS = 48,
	DTES_A_PAGE = TABLE_PAGE_BYTES / AMD_DTE_BYTES,
};

/* ---- Entries as records ------------------------------------------------------------- */

#define INTERRUPTS(field) RECORD_TEXT((field), "of interrupts")
static const struct record_word dte_words[] = {
	RECORD_TEXT(AMD_DTE_V, "0: all goes through as it is"),
	RECORD_TEXT(AMD_DTE_TV, "translation counts"),
	RECORD_TEXT(AMD_DTE_HAD, "host table: 1 accessed bits are set, 3 dirty ones, too"),
	RECORD_TEXT(AMD_DTE_MODE, "levels of the host table; 0: there is none"),
	RECORD_UNIT(AMD_DTE_ROOT, 12, "host table"),
	RECORD_TEXT(AMD_DTE_PPR, "page requests"),
	RECORD_TEXT(AMD_DTE_GPRP, "the IOMMU's own page responses carry the PASID"),
	RECORD_TEXT(AMD_DTE_GIOV, "what has no PASID is of PASID 0"),
	RECORD_TEXT(AMD_DTE_GV, "GCR3 table"), RECORD_TEXT(AMD_DTE_GLX, "its levels - 1"),
	RECORD_UNIT(AMD_DTE_GCR3A, 12, "GCR3 table, bits 14:12"),
	RECORD_TEXT(AMD_DTE_IR, "reads go through"),
	RECORD_TEXT(AMD_DTE_IW, "writes go through"),
	RECORD_UNIT(AMD_DTE_GCR3B, 15, "GCR3 table, bits 30:15"),
	RECORD_TEXT(AMD_DTE_I, "ATS, and what is translated is let through"),
	RECORD_TEXT(AMD_DTE_SE, "one event for all faults"),
	RECORD_TEXT(AMD_DTE_SA, "no event for a fault"),
	RECORD_TEXT(AMD_DTE_IOCTL, "port I/O"), RECORD_TEXT(AMD_DTE_CACHE, "not used here"),
	RECORD_TEXT(AMD_DTE_SD, "snoop is not forced"),
	RECORD_TEXT(AMD_DTE_EX, "exclusion range"),
	RECORD_TEXT(AMD_DTE_SYSMGT, "system management"),
	RECORD_TEXT(AMD_DTE_SATS, "secure ATS"),
	RECORD_UNIT(AMD_DTE_GCR3C, 31, "GCR3 table, bits 51:31"), INTERRUPTS(AMD_DTE_IV),
	INTERRUPTS(AMD_DTE_INTLEN), INTERRUPTS(AMD_DTE_IG), INTERRUPTS(AMD_DTE_INTROOT),
	INTERRUPTS(AMD_DTE_INITPASS), INTERRUPTS(AMD_DTE_EINTPASS),
	INTERRUPTS(AMD_DTE_NMIPASS), INTERRUPTS(AMD_DTE_INTCTL), INTERRUPTS(AMD_DTE_LINT0),
	INTERRUPTS(AMD_DTE_LINT1), RECORD_TEXT(AMD_DTE_GPM, "guest levels - 4"),
	RECORD_TEXT(AMD_DTE_VIMUEN, "not used here"),
	RECORD_TEXT(AMD_DTE_GDEVICE, "not used here"),
	RECORD_TEXT(AMD_DTE_GUEST, "not used here"),
	RECORD_TEXT(AMD_DTE_ATTRV, "the next two count"),
	RECORD_TEXT(AMD_DTE_MODE0FC, "coherent without a table"),
	RECORD_TEXT(AMD_DTE_SNOOP, "snoop attributes"), RECORD_END,
};
static const struct record_rule dte_rules[] = {
	RECORD_MOST(AMD_DTE_MODE, 6), RECORD_ONLY(AMD_DTE_HAD, AMD_DTE_HAD, 0xb),
	RECORD_WITH(AMD_DTE_GIOV, AMD_DTE_GV), RECORD_WITH(AMD_DTE_GLX, AMD_DTE_GV),
	RECORD_MOST(AMD_DTE_GLX, 2), RECORD_MOST(AMD_DTE_GPM, 1), RECORD_RULES_END,
};
static const struct iopf_layout dte_layout =
	RECORD_LAYOUT("amd_dte", AMD_DTE, AMD_DTE_BYTES, dte_words, dte_rules);
static const struct record amd_structures[] = {
	{ .name = "dte", .text = "device table entry", .layout = &dte_layout,
	  .size_bytes = AMD_DTE_BYTES },
	{ .name = "gcr3", .text = "entry of a GCR3 table, at every level",
	  .layout = &gcr3_layout, .size_bytes = sizeof(uint64_t) },
	{ .name = NULL },
};

/* ---- Entries as values -------------------------------------------------------------- */

/* What is set asks for what is there. */
static bool supported(const struct amd_dte *dte, const struct amd_features *features)
{
	return dte->mode <= features->host_levels && dte->levels <= features->levels &&
	       dte->gcr3.levels <= features->gcr3_levels &&
	       !(dte->pri && !features->pri) && !(dte->no_pasid && !features->no_pasid) &&
	       !(dte->accessed && !features->host_accessed) &&
	       !(dte->dirty && !features->host_dirty);
}

static uint64_t gcr3_of(const uint64_t *words)
{
	return words_get(words, AMD_DTE_GCR3A) << 12 | words_get(words, AMD_DTE_GCR3B) << 15 |
	       words_get(words, AMD_DTE_GCR3C) << 31;
}

/* What is one bit, and one member. */
#define BIT(field, member) { (field), offsetof(struct amd_dte, member) }
static const struct {
	uint32_t field, at;
} bits[] = {
	BIT(AMD_DTE_IR, read), BIT(AMD_DTE_IW, write), BIT(AMD_DTE_I, ats),
	BIT(AMD_DTE_PPR, pri), BIT(AMD_DTE_GPRP, response_pasid),
	BIT(AMD_DTE_GIOV, no_pasid), BIT(AMD_DTE_SA, quiet),
};
enum { BITS = sizeof(bits) / sizeof(bits[0]) };

/* Whatever else an entry says where V or TV is 0 does not count; what it says about
 * interrupts is not looked at. */
bool amd_dte_decode(const uint64_t words[AMD_DTE_WORDS], const struct amd_features *features,
		    struct amd_dte *value)
{
	bool valid = words_get(words, AMD_DTE_V);
	uint64_t had = words_get(words, AMD_DTE_HAD);
	struct amd_dte dte = { .gcr3 = { .root = gcr3_of(words) }, .off = !valid,
			       .read = !valid, .write = !valid };

	if (valid && words_get(words, AMD_DTE_TV)) {
		for (unsigned i = 0; i < BITS; i++)
			*(bool *)((char *)&dte + bits[i].at) = words_get(words, bits[i].field);
		dte.root = words_addr(words, AMD_DTE_ROOT);
		dte.domain = (uint16_t)words_get(words, AMD_DTE_DOMAIN);
		dte.mode = (uint8_t)words_get(words, AMD_DTE_MODE);
		dte.accessed = had & 1;
		dte.dirty = had == 3;
		dte.quiet |= words_get(words, AMD_DTE_SE) != 0;
		if (words_get(words, AMD_DTE_GV)) {
			dte.gcr3.levels = (uint8_t)(1 + words_get(words, AMD_DTE_GLX));
			dte.levels = (uint8_t)(4 + words_get(words, AMD_DTE_GPM));
		}
		dte.no_pasid &= dte.levels != 0;
	}
	if (valid && (words_get(words, AMD_DTE_RSVD0) || words_get(words, AMD_DTE_RSVD1) ||
		      had == 2 || !supported(&dte, features)))
		return false;
	*value = dte;
	return true;
}

/* A GCR3 table that is not in force keeps its address. */
int amd_dte_encode(const struct amd_dte *value, uint64_t words[AMD_DTE_WORDS])
{
	bool guest = value->gcr3.levels != 0;
	uint64_t made[AMD_DTE_WORDS] = { 0 }, gcr3 = value->gcr3.root;
	const struct {
		uint32_t field;
		uint64_t value;
	} fields[] = {
		{ AMD_DTE_V, !value->off }, { AMD_DTE_TV, !value->off },
		{ AMD_DTE_HAD, value->accessed ? value->dirty ? 3 : 1 : 0 },
		{ AMD_DTE_MODE, value->mode },
		{ AMD_DTE_ROOT, value->root >> 12 },
		{ AMD_DTE_GV, guest },
		{ AMD_DTE_GLX, guest ? value->gcr3.levels - 1u : 0 },
		{ AMD_DTE_GCR3A, gcr3 >> 12 & 7 },
		{ AMD_DTE_DOMAIN, value->domain },
		{ AMD_DTE_GCR3B, gcr3 >> 15 & 0xffff },
		{ AMD_DTE_GCR3C, gcr3 >> 31 },
		{ AMD_DTE_GPM, guest ? value->levels - 4u : 0 },
	};

	if (((value->root | gcr3) & ~AMD_TABLE_ADDR) != 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!field_fits(fields[i].field, fields[i].value))
			return -EINVAL;
		words_put(made, fields[i].field, fields[i].value);
	}
	for (unsigned i = 0; i < BITS; i++)
		words_put(made, bits[i].field, *(const bool *)((const char *)value + bits[i].at));
	memcpy(words, made, sizeof(made));
	return 0;
}

/* ---- Finding ------------------------------------------------------------------------ */

/* Word by word, each once, the one with V first. */
static bool load(const struct iopf_memory *memory, uint64_t addr, uint64_t *words)
{
	bool there = true;

	for (unsigned i = 0; i < AMD_DTE_WORDS && there; i++)
		there = table_load64(memory, addr + i * sizeof(*words), &words[i]);
	return there;
}

/* 2.2.2.1: what lies beyond the table is as a table that cannot be read. */
enum amd_event amd_find_dte(const struct iopf_memory *memory,
			    const struct amd_features *features, uint64_t root,
			    uint64_t root_config, uint32_t rid, struct amd_dte *dte)
{
	uint64_t count = ((root_config & AMD_TABLE_PAGES) + 1) * DTES_A_PAGE;
	uint64_t addr = (root & AMD_TABLE_ADDR) + (uint64_t)rid * AMD_DTE_BYTES;
	uint64_t words[AMD_DTE_WORDS];

	if (rid >= count || !load(memory, addr, words))
		return AMD_EVENT_DEVICE_TABLE;
	return amd_dte_decode(words, features, dte) ? AMD_EVENT_NONE : AMD_EVENT_ILLEGAL_DTE;
}

/* IR and IW are about what goes through the entry, whichever tables there are. The host
 * table knows no privilege, and what may be read may be executed. */
struct nested_tables amd_tables(const struct amd_features *features,
				const struct amd_dte *dte, uint64_t cr3)
{
	static const uint8_t kinds[2][2] = { { NESTED_PASS, NESTED_SECOND },
					     { NESTED_FIRST, NESTED_BOTH } };
	bool guest = cr3 != UINT64_MAX, host = dte->mode != 0;

	return (struct nested_tables){
		.first_root = cr3,
		.second_root = dte->root,
		.first = { .levels = dte->levels,
			   /* A guest address may be wider than the host's. */
			   .address_bits = host ? 52 : features->address_bits,
			   .pages_1g = true,
			   .supervisor = true,
			   .write_protect = true,
			   .exec = features->exec },
		.host = { .levels = dte->mode, .address_bits = features->address_bits,
			  .no_read = !dte->read, .no_write = !dte->write,
			  .accessed = dte->accessed, .dirty = dte->dirty },
		.kind = kinds[guest][host],
		.address_bits = features->address_bits,
		.withheld = (uint8_t)((dte->read ? 0 : IOPF_READ | IOPF_EXEC) |
				      (dte->write ? 0 : IOPF_WRITE)),
	};
}

/* ---- Building ----------------------------------------------------------------------- */

static uint64_t dte_addr(const struct amd_builder *builder, uint32_t rid)
{
	return builder->root + (uint64_t)rid * AMD_DTE_BYTES;
}

/* Where the GCR3 table is, an entry says also while it is not in force. */
static int get(const struct amd_builder *builder, uint32_t rid, struct amd_dte *value)
{
	uint64_t words[AMD_DTE_WORDS];

	if (rid >= builder->count || !load(builder->memory, dte_addr(builder, rid), words))
		return -EINVAL;
	return amd_dte_decode(words, &builder->features, value) ? 0 : -EFAULT;
}

static int put(const struct amd_builder *builder, uint32_t rid, const struct amd_dte *value)
{
	const uint64_t nothing = FIELD_MASK(AMD_DTE_V) | FIELD_MASK(AMD_DTE_TV);
	uint64_t words[AMD_DTE_WORDS];

	if (rid >= builder->count || amd_dte_encode(value, words) != 0)
		return -EINVAL;
	return table_replace_words(builder->memory, dte_addr(builder, rid), words,
				   AMD_DTE_WORDS, nothing);
}

/* ---- The row: structures -------------------------------------------------------------- */

static int amd_features(const struct family_registers *registers,
			union family_features *features)
{
	uint64_t efr;
	int error = registers->read(registers->context, EFR_OFFSET, 8, &efr);

	if (error == 0)
		features->amd = amd_features_of(efr, ADDRESS_BITS);
	return error;
}

/* Nothing is let through: an entry of 0 would let everything. */
static int amd_create(struct family_tables *tables, const struct family_setup *setup,
		      const union family_features *features)
{
	uint32_t page_count = setup->use.rid_max / DTES_A_PAGE + 1;
	struct amd_builder made = { .memory = setup->memory,
				    .pages = setup->pages,
				    .features = features->amd,
				    .count = page_count * DTES_A_PAGE };
	const struct amd_dte nothing = { 0 };
	int error = setup->use.rid_max > UINT16_MAX ?
			    -EINVAL :
			    table_take_zeroed(setup->memory, &setup->pages, page_count, &made.root);

	for (uint32_t rid = 0; rid < made.count && error == 0; rid++)
		error = put(&made, rid, &nothing);
	tables->use = setup->use;
	tables->amd = made;
	return error;
}

static uint64_t amd_root(const struct family_tables *tables)
{
	return tables->amd.root;
}

static uint64_t amd_root_config(const struct family_tables *tables)
{
	return tables->amd.count / DTES_A_PAGE - 1;
}

/* The GCR3 table that @dte keeps, in force or not. */
static struct gcr3 own_gcr3(const struct family_tables *tables, const struct amd_dte *dte)
{
	uint8_t most = gcr3_levels(tables->use.pasid_bits);
	uint8_t there = tables->amd.features.gcr3_levels;

	return (struct gcr3){ .root = dte->gcr3.root,
			      .levels = dte->gcr3.root == 0 ? 0 : most < there ? most : there };
}

/* The entry leads to a GCR3 table, which is made where there is none. What comes without a
 * PASID goes there, too: it would find the host table open. */
static int with_gcr3(const struct family_tables *tables, uint8_t levels, struct amd_dte *dte)
{
	const struct amd_features *features = &tables->amd.features;
	int error = 0;

	if (!features->no_pasid || features->levels < levels)
		return -EOPNOTSUPP;
	if (dte->gcr3.root == 0)
		error = table_take_zeroed(tables->amd.memory, &tables->amd.pages, 1,
					  &dte->gcr3.root);
	dte->gcr3 = own_gcr3(tables, dte);
	dte->levels = levels;
	dte->no_pasid = dte->read = dte->write = true;
	return error;
}

/* It lets nothing through, and is what it was for what the function asks. */
static struct amd_dte shut(const struct amd_dte *dte)
{
	return (struct amd_dte){ .gcr3 = { .root = dte->gcr3.root },
				 .response_pasid = dte->response_pasid,
				 .ats = dte->ats,
				 .pri = dte->pri };
}

static int amd_endpoint(const struct family_tables *tables, uint32_t rid,
			enum family_door door, uint32_t flags)
{
	struct amd_dte dte;
	struct gcr3 list;
	int error = get(&tables->amd, rid, &dte);

	if (error != 0)
		return error;
	/* Whoever comes next at this rid must not find the address spaces of the last. */
	if (door == FAMILY_SHUT) {
		list = own_gcr3(tables, &dte);
		gcr3_clear(tables->amd.memory, &list, 0,
			   UINT32_C(1) << GCR3_LEVEL_BITS * list.levels);
		dte = shut(&dte);
	} else if (tables->use.own) {
		error = with_gcr3(tables, (uint8_t)tables->use.levels, &dte);
		dte.domain = (uint16_t)(flags >> FAMILY_DOMAIN_LSB);
	}
	dte.ats = door == FAMILY_OPEN;
	dte.pri = dte.ats && tables->amd.features.pri;
	dte.response_pasid = flags & FAMILY_RESPONSE_PASID;
	return error != 0 ? error : put(&tables->amd, rid, &dte);
}

/* ---- The row: address spaces ---------------------------------------------------------- */

/* Requests without PASID have the host table. */
static bool stands_alone(const struct amd_dte *dte)
{
	return dte->mode != 0 && !dte->no_pasid;
}

/* What comes without a PASID has entry 0 to itself. */
static int take(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	const struct amd_builder *builder = &tables->amd;
	struct amd_dte dte;
	int error = get(builder, rid, &dte), count;

	if (error != 0 || pasid == 0)
		return error != 0 ? error : -ENOENT;
	if (pasid == IOPF_PASID_ANY) {
		dte = shut(&dte);
		return put(builder, rid, &dte);
	}
	if (pasid == IOPF_PASID_NONE && stands_alone(&dte)) {
		dte.no_pasid = dte.gcr3.levels != 0;
		if (!dte.no_pasid)
			dte = shut(&dte);
		return put(builder, rid, &dte);
	}
	if (pasid == IOPF_PASID_NONE)
		pasid = 0;
	if (!gcr3_holds(&dte.gcr3, pasid))
		return -ENOENT;
	count = gcr3_clear(builder->memory, &dte.gcr3, pasid, 1);
	return count < 0 ? count : count == 0 ? -ENOENT : 0;
}

/* What the entry of a function with this address space says, others as they are. -EBUSY: that
 * does not go together with what is there. */
static int with_space(const struct family_tables *tables, const struct family_space *space,
		      bool none, struct amd_dte *dte)
{
	bool first = space->stage->table == FAMILY_FIRST;
	bool host = !first && space->kind == FAMILY_STAGE, alone = stands_alone(dte);
	uint8_t mode = first ? 0 : space->stage->amd.format.levels;
	uint8_t levels = first ? space->stage->x86.format.levels : space->first_levels;
	bool used = alone || !gcr3_empty(tables->amd.memory, &dte->gcr3);
	int error = 0;

	if (space->kind == (first ? FAMILY_NESTED : FAMILY_SHADOW))
		return -EINVAL;
	if (space->stall || (host && !none))
		return -EOPNOTSUPP; /* what has a PASID has a guest table */
	if (used && (dte->mode != mode ||
		     (!host && dte->gcr3.levels != 0 && dte->levels != levels)))
		return -EBUSY;
	dte->domain = space->domain;
	dte->mode = mode;
	dte->root = first ? 0 : space->stage->amd.root;
	dte->read = dte->write = true;
	if (!host)
		error = with_gcr3(tables, levels, dte);
	dte->no_pasid = !host && (none || !alone);
	return error;
}

static int amd_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		     const struct family_space *space)
{
	const struct amd_builder *builder = &tables->amd;
	bool none = pasid == IOPF_PASID_NONE, guest;
	uint32_t number = none ? 0 : pasid;
	struct amd_dte dte;
	int error = pasid == 0 ? -EINVAL : get(builder, rid, &dte);

	if (space == NULL)
		return take(tables, rid, pasid);
	if (error == 0)
		error = with_space(tables, space, none, &dte);
	guest = space->kind != FAMILY_STAGE || space->stage->table == FAMILY_FIRST;
	if (error == 0 && guest && !gcr3_holds(&dte.gcr3, number))
		error = -ERANGE;
	if (error == 0 && guest)
		error = gcr3_put(builder->memory, &builder->pages, &dte.gcr3, number,
				 space->kind == FAMILY_NESTED ? space->first_root :
								space->stage->x86.root);
	return error != 0 ? error : put(builder, rid, &dte);
}

static void amd_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	struct amd_dte dte;
	struct gcr3 list;

	(void)pasid;
	if (get(&tables->amd, rid, &dte) != 0 || tables->amd.pages.give == NULL)
		return;
	list = own_gcr3(tables, &dte);
	gcr3_tidy(tables->amd.memory, &tables->amd.pages, &list);
}

static int amd_stage_create(struct family_stage *stage, const struct family_tables *tables,
			    enum family_table table)
{
	const struct amd_builder *amd = &tables->amd;
	bool own = tables->use.own;
	const struct x86_format first = {
		.levels = (uint8_t)(own ? tables->use.levels : amd->features.levels),
		.address_bits = ADDRESS_BITS,
		.pages_1g = true,
		.supervisor = true,
		.write_protect = true,
		.exec = amd->features.exec,
	};

	return table == FAMILY_FIRST ?
		       family_x86_create(stage, amd->memory, &amd->pages, &first, own) :
		       family_amdv1_create(stage, amd->memory, &amd->pages);
}

/* ---- The row: a guest ------------------------------------------------------------------- */

static int amd_wanted(const struct family_use *use, union family_features *features)
{
	if ((use->levels != 4 && use->levels != 5) || use->pasid_bits < 1 ||
	    use->pasid_bits > AMD_PASID_BITS)
		return -EINVAL;
	features->amd = (struct amd_features){
		.address_bits = ADDRESS_BITS,
		.host_levels = 4,
		.levels = (uint8_t)use->levels,
		.gcr3_levels = gcr3_levels(use->pasid_bits),
		.pasid_bits = (uint8_t)use->pasid_bits,
		.pri = true,
		.no_pasid = true,
	};
	return 0;
}

static int amd_adopt(struct family_tables *tables, const union family_features *features)
{
	const struct amd_features *there = &features->amd;
	struct amd_features *own = &tables->amd.features;

	if (tables->use.mechanisms != 1u << IOPF_PRI || !there->pri || !there->no_pasid ||
	    there->levels < own->levels || there->gcr3_levels < own->gcr3_levels ||
	    there->pasid_bits < own->pasid_bits)
		return -ENODEV;
	own->exec = there->exec;
	return 0;
}

/* What no table translates is as it is; a host table of the guest's own is not followed,
 * nor half a right for the whole device. */
static enum family_found read_entry(const struct family_view *view,
				    const struct amd_dte *dte, uint32_t pasid,
				    struct family_entry *entry, uint32_t *last)
{
	uint64_t cr3 = UINT64_MAX;
	enum amd_event event =
		amd_find_number(&view->features.amd, dte, pasid, &entry->number);

	if (event != AMD_EVENT_NONE || (!dte->read && !dte->write))
		return FAMILY_NOTHING;
	if (dte->mode != 0 || !dte->read || !dte->write)
		return FAMILY_BAD;
	*last = pasid;
	if (entry->number != UINT32_MAX)
		event = amd_find_gcr3(&view->memory, dte, entry->number, &cr3, last);
	if (event != AMD_EVENT_NONE)
		return event == AMD_EVENT_PAGE_FAULT ? FAMILY_NOTHING : FAMILY_BAD;
	entry->value = (struct iopf_address_space){
		.root = cr3 == UINT64_MAX ? 0 : cr3,
		.domain = dte->domain,
		.levels = cr3 == UINT64_MAX ? 0 : dte->levels,
		.flags = (uint8_t)(IOPF_SPACE_SRE | IOPF_SPACE_WPE |
				   (view->features.amd.exec ? IOPF_SPACE_ERE : 0) |
				   (dte->pri ? IOPF_SPACE_PRE : 0) |
				   (dte->ats ? IOPF_SPACE_DTE : 0)),
		.format = IOPF_FORMAT_X86,
	};
	return FAMILY_FOUND;
}

static enum family_found amd_read(const struct family_view *view, uint32_t rid,
				  uint32_t pasid, struct family_entry *entry,
				  uint32_t *last)
{
	struct amd_dte dte;
	enum amd_event event = amd_find_dte(&view->memory, &view->features.amd, view->root,
					    view->root_config, rid, &dte);

	*last = IOPF_PASID_MAX;
	return event != AMD_EVENT_NONE ? FAMILY_BAD :
					 read_entry(view, &dte, pasid, entry, last);
}

/* One command is about translations and, as far as it is not about a range of them, about
 * GCR3 tables (2.4.3 "INVALIDATE_IOMMU_PAGES"): with NpCache whatever is added is told. */
static bool amd_changes(const struct iopf_command *command, uint32_t *rid, uint32_t *pasid)
{
	*rid = command->granularity == IOPF_DEVICE ? command->rid : IOPF_NO_ID;
	*pasid = command->granularity == IOPF_ONE_PASID ? command->pasid : IOPF_PASID_ANY;
	return command->granularity != IOPF_PAGE;
}

const struct family_guest family_guest_amd = {
	.wanted = amd_wanted,
	.adopt = amd_adopt,
	.read = amd_read,
	.changes = amd_changes,
	.touches = family_x86_touches,
	.needs = family_x86_needs,
	.walk = family_x86_first,
};

const struct family family_amd = {
	.name = "amd",
	.guest = &family_guest_amd,
	.structures = amd_structures,
	.first = IOPF_FORMAT_X86,
	.alone = FAMILY_FIRST,
	.by_device = true,
	.each_pasid = true,
	.caches_absent = true,
	.pasid_none = 0,
	.features = amd_features,
	.create = amd_create,
	.root = amd_root,
	.root_config = amd_root_config,
	.endpoint = amd_endpoint,
	.space = amd_space,
	.tidy = amd_tidy,
	.stage_create = amd_stage_create,
	.stage_destroy = family_x86_destroy,
	.stage_map = family_x86_map,
	.stage_unmap = family_x86_unmap,
	.stage_tidy = family_x86_tidy,
	.stage_walk = family_x86_walk,
};
