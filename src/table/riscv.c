/* SPDX-License-Identifier: BSD-3-Clause */
/* table/riscv.c - RISC-V's row of families: what is found, walked, built and viewed. */
#include "table/riscv.h"

#include <errno.h>

#include "table/directory.h"
#include "table/family.h"
#include "table/sv_nested.h"
#include "table/words.h"

#define ADDRESS(ppn)        ((uint64_t)(ppn) << 12)

/* ---- Finding ------------------------------------------------------------------------------ */

static struct directory_format directory_of(uint8_t levels, uint8_t last, uint8_t first,
					    uint8_t entry_bytes)
{
	return (struct directory_format){ .levels = levels,
					  .bits = { last, 9, first },
					  .entry_bytes = entry_bytes,
					  .addr_shift = 2,
					  .page_count = entry_bytes == 8 * RISCV_PC_WORDS ? 1 : 2,
					  .addr = FIELD_MASK(RISCV_NL_PPN),
					  .reserved = RISCV_NL_RESERVED };
}

/* DDI0 to DDI2: indices are less where contexts are twice as long. Behind each page of
 * contexts is one of the builder's notes. */
static struct directory_format devices_of(const struct riscv_features *features, uint64_t mode)
{
	uint8_t levels = (uint8_t)(mode - 1);

	return RISCV_CAN(features, MSI_FLAT) ? directory_of(levels, 6, 9, 64) :
					       directory_of(levels, 7, 8, 32);
}

/* PDI0 to PDI2. */
static struct directory_format processes_of(uint64_t mode)
{
	return directory_of((uint8_t)mode, 8, 3, 8 * RISCV_PC_WORDS);
}

/* What a directory ends with: causes of either kind of them stand side by side. */
static unsigned directory_cause(unsigned fault, unsigned access)
{
	static_assert(IOPF_RISCV_ddt_invalid == IOPF_RISCV_ddt_access + 1 &&
			      IOPF_RISCV_pdt_invalid == IOPF_RISCV_pdt_access + 1 &&
			      IOPF_RISCV_ddt_misconfigured == IOPF_RISCV_ddt_access + 2 &&
			      IOPF_RISCV_pdt_misconfigured == IOPF_RISCV_pdt_access + 2,
		      "access, invalid, misconfigured");
	if (fault == TABLE_ADDRESS)
		return IOPF_RISCV_disallowed;
	return access + (fault == TABLE_NOT_PRESENT ? 1 : fault == TABLE_RESERVED ? 2 : 0);
}

unsigned riscv_find_dc(const struct iopf_memory *memory, const struct riscv_features *features,
		       uint64_t root, uint64_t mode, uint32_t rid, struct riscv_dc *dc)
{
	const struct directory_format format = devices_of(features, mode);
	const struct table_space space = { .memory = memory };
	uint64_t addr, more[4] = { 0 };
	struct table_result miss;
	uint32_t last;

	if (!directory_find(&space, &format, ADDRESS(root >> 12), rid, &addr, &last, &miss) ||
	    !directory_load(&space, addr, dc->word, RISCV_DC_WORDS, &miss) ||
	    (format.entry_bytes == 64 && !directory_load(&space, addr + 32, more, 4, &miss)))
		return directory_cause(miss.fault, IOPF_RISCV_ddt_access);
	if (!words_get(dc->word, RISCV_DC_V))
		return IOPF_RISCV_ddt_invalid;
	/* msiptp.MODE: interrupts are not translated here. */
	return (more[0] >> 60 | more[3]) != 0 ? IOPF_RISCV_ddt_misconfigured :
						riscv_dc_check(features, dc);
}

static struct riscv_first first_of(uint64_t satp, uint64_t pscid, uint32_t process)
{
	return (struct riscv_first){ .root = ADDRESS(satp & FIELD_BITS(0, 44)),
				     .pscid = (uint32_t)pscid,
				     .process = process,
				     .mode = (uint8_t)(satp >> 60) };
}

/* Which process counts: @pasid, the default one, or none. */
static uint32_t process_of(const struct riscv_dc *dc, uint32_t pasid)
{
	if (words_get(dc->word, RISCV_DC_MODE) == RISCV_BARE)
		return IOPF_PASID_NONE;
	return pasid == IOPF_PASID_NONE && (dc->word[0] & RISCV_BIT(DPE)) != 0 ? 0 : pasid;
}

/* "Process to locate the Process-context"; *@last: what it ends with is so up to there. */
static unsigned find_first(const struct table_space *space,
			   const struct riscv_features *features, const struct riscv_dc *dc,
			   uint32_t pasid, struct riscv_first *first, uint32_t *last,
			   struct table_result *miss)
{
	const struct directory_format format = processes_of(words_get(dc->word, RISCV_DC_MODE));
	bool pdtv = (dc->word[0] & RISCV_BIT(PDTV)) != 0;
	uint32_t process = process_of(dc, pasid);
	uint64_t addr, pc[RISCV_PC_WORDS];

	*miss = (struct table_result){ .fault = TABLE_OK };
	*last = UINT32_MAX;
	*first = (struct riscv_first){ .process = IOPF_PASID_NONE };
	if (pasid != IOPF_PASID_NONE && !pdtv)
		return IOPF_RISCV_disallowed;
	if (!pdtv)
		*first = first_of(dc->word[3], words_get(dc->word, RISCV_DC_PSCID), process);
	if (!pdtv || process == IOPF_PASID_NONE)
		return 0;
	if (!directory_find(space, &format, ADDRESS(words_get(dc->word, RISCV_DC_PPN)), process,
			    &addr, last, miss) ||
	    !directory_load(space, addr, pc, RISCV_PC_WORDS, miss))
		return directory_cause(miss->fault, IOPF_RISCV_pdt_access);
	if (!words_get(pc, RISCV_PC_V))
		return IOPF_RISCV_pdt_invalid;
	*first = first_of(pc[1], words_get(pc, RISCV_PC_PSCID), process);
	first->ens = words_get(pc, RISCV_PC_ENS);
	first->sum = words_get(pc, RISCV_PC_SUM);
	return riscv_pc_sound(features, pc) ? 0 : IOPF_RISCV_pdt_misconfigured;
}

/* ---- Both stages -------------------------------------------------------------------------- */

/* What the way of an access of @perm found, or ended with. */
static bool tell(const struct sv_nested *way, uint8_t perm, struct riscv_result *result)
{
	static const uint8_t causes[3][3] = {
		{ IOPF_RISCV_write_access, IOPF_RISCV_read_access, IOPF_RISCV_exec_access },
		{ IOPF_RISCV_write_page, IOPF_RISCV_read_page, IOPF_RISCV_exec_page },
		{ IOPF_RISCV_write_guest_page, IOPF_RISCV_read_guest_page,
		  IOPF_RISCV_exec_guest_page },
	};
	unsigned access = (perm & IOPF_EXEC) != 0 ? 2 : (perm & IOPF_READ) != 0;

	*result = (struct riscv_result){ .addr = way->addr,
					 .size_bytes = way->size_bytes,
					 .gpa = way->gpa,
					 .perm = way->perm,
					 .fault = way->fault,
					 .gpa_perm = way->gpa_perm,
					 .implicit = way->implicit,
					 .first = way->first,
					 .second = way->second };
	if (way->stage != 0)
		result->cause = causes[way->fault == TABLE_OUTSIDE ? 0 : way->stage][access];
	return way->stage == 0;
}

bool riscv_first(const struct riscv_walk *walk, uint32_t pasid, uint8_t perm,
		 struct riscv_first *first, struct riscv_result *result)
{
	const struct sv_stages stages = riscv_stages(walk->features, walk->dc, NULL);
	struct sv_second second = { .stages = &stages,
				    .memory = walk->memory,
				    .update = walk->update };
	const struct table_space space = sv_second_space(&second);
	struct sv_nested way = { 0 };
	struct table_result miss;
	uint32_t last;
	unsigned cause = find_first(&space, walk->features, walk->dc, pasid, first, &last, &miss);

	if (miss.fault == TABLE_SECOND && second.last.fault != TABLE_OUTSIDE) {
		(void)sv_second_missed(&second, true, &way);
		return tell(&way, IOPF_READ, result);
	}
	if (cause == 0 && (perm & IOPF_PRIV) != 0 && first->process != IOPF_PASID_NONE &&
	    !first->ens)
		cause = IOPF_RISCV_disallowed;
	*result = (struct riscv_result){ .cause = (uint16_t)cause };
	return cause == 0;
}

bool riscv_translate(const struct riscv_walk *walk, const struct riscv_first *first,
		     uint64_t addr, uint8_t perm, struct riscv_result *result)
{
	const struct sv_stages stages = riscv_stages(walk->features, walk->dc, first);
	struct sv_second second = { .stages = &stages,
				    .memory = walk->memory,
				    .update = walk->update };
	struct sv_nested way;

	(void)sv_nested_walk(&second, addr, perm, &way);
	return tell(&way, perm, result);
}

/* ---- Building ----------------------------------------------------------------------------- */

/* Bits that a function's door decides, whatever its address spaces are. */
#define DOOR (RISCV_BIT(EN_ATS) | RISCV_BIT(EN_PRI) | RISCV_BIT(PRPR))

struct place {
	uint64_t dc; /* where the context is, behind it the note: the directory below */
	struct riscv_dc now;
	struct directory own; /* processes of software's own */
	bool other; /* the context is not that of its own directory */
};

/* @make: what leads there, and the directory. Otherwise -ENOENT. */
static int place_of(const struct riscv_builder *builder, uint32_t rid, bool make,
		    struct place *place)
{
	const struct directory devices = { builder->memory, &builder->pages,
					   devices_of(&builder->features, RISCV_3LVL),
					   builder->root };
	const struct table_space space = { .memory = builder->memory };
	struct table_result miss;
	int error = make ? directory_make(&devices, rid, &place->dc) :
			   directory_at(&devices, rid, &place->dc);

	if (error != 0)
		return error;
	place->own = (struct directory){ builder->memory, &builder->pages,
					 processes_of(RISCV_PD20), 0 };
	if (!directory_load(&space, place->dc, place->now.word, RISCV_DC_WORDS, &miss) ||
	    !directory_load(&space, place->dc + TABLE_PAGE_BYTES, &place->own.root, 1, &miss))
		return -EFAULT;
	place->other = words_get(place->now.word, RISCV_DC_V) &&
		       words_addr(place->now.word, RISCV_DC_GPPN) != builder->identity;
	if (!make || place->own.root != 0)
		return 0;
	error = directory_create(&place->own);
	return error != 0 || memory_store64(builder->memory, place->dc + TABLE_PAGE_BYTES,
					    place->own.root) ?
		       error :
		       -EFAULT;
}

/* Nothing changes where it says the same. */
static int publish(const struct riscv_builder *builder, const struct place *place,
		   struct riscv_dc dc)
{
	dc.word[0] = (dc.word[0] & ~DOOR) | (place->now.word[0] & DOOR);
	if (riscv_dc_check(&builder->features, &dc) != 0)
		return -EINVAL;
	for (unsigned i = 1; i < RISCV_DC_WORDS; i++)
		if (dc.word[i] != place->now.word[i])
			return table_publish_words(builder->memory, place->dc, dc.word,
						   RISCV_DC_WORDS);
	return table_publish64(builder->memory, place->dc, dc.word[0]) ? 0 : -EFAULT;
}

static uint64_t second_word(const struct riscv_builder *builder, uint64_t root,
			    uint16_t domain)
{
	uint64_t modes = root != 0 ? RISCV_CAN(&builder->features, SVX4) : 0;

	return riscv_widest(modes, 4) << 60 | (uint64_t)domain << 44 | root >> 12;
}

/*
 * The context of a device with a directory of software's own. Under it an identity lies
 * where there can be a second stage: then a domain is one for every kind of address space,
 * and numbers of address spaces are the domain's own.
 */
static int publish_own(const struct family_tables *tables, const struct place *place,
		       uint16_t domain)
{
	const struct riscv_builder *builder = &tables->riscv;
	struct riscv_dc dc = { { RISCV_BIT(V) | RISCV_BIT(PDTV) | RISCV_BIT(DPE) } };

	if (tables->use.own && RISCV_CAN(&builder->features, HWAD))
		dc.word[0] |= RISCV_BIT(SADE);
	dc.word[1] = second_word(builder, builder->identity, domain);
	dc.word[3] = (uint64_t)RISCV_PD20 << 60 | place->own.root >> 12;
	return publish(builder, place, dc);
}

/* ---- The row: structures ------------------------------------------------------------------ */

static int riscv_features(const struct family_registers *registers,
			  union family_features *features)
{
	return registers->read(registers->context, 0, 8, &features->riscv.capabilities);
}

static int riscv_create(struct family_tables *tables, const struct family_setup *setup,
			const union family_features *features)
{
	struct riscv_builder *builder = &tables->riscv;
	struct sv_format second = riscv_format(
		&features->riscv, riscv_widest(RISCV_CAN(&features->riscv, SVX4), 4));
	int error;

	second.second = true;
	tables->use = setup->use;
	*builder = (struct riscv_builder){ .memory = setup->memory, .pages = setup->pages,
					   .features = features->riscv };
	if ((RISCV_CAN(&builder->features, PD) & 1 << (RISCV_PD20 - 1)) == 0)
		return -EINVAL;
	error = table_take_zeroed(setup->memory, &setup->pages, 1, &builder->root);
	if (error != 0 || setup->use.own || second.levels == 0)
		return error;
	return sv_identity(setup->memory, &setup->pages, &second, &builder->identity);
}

static uint64_t riscv_root(const struct family_tables *tables)
{
	return tables->riscv.root;
}

static uint64_t riscv_root_config(const struct family_tables *tables)
{
	(void)tables;
	return RISCV_3LVL;
}

static int riscv_endpoint(const struct family_tables *tables, uint32_t rid,
			  enum family_door door, uint32_t flags)
{
	const struct riscv_builder *builder = &tables->riscv;
	bool pasid = (flags & FAMILY_RESPONSE_PASID) != 0;
	struct place place;
	int error = place_of(builder, rid, door != FAMILY_SHUT, &place);

	if (error != 0)
		return error;
	if (door == FAMILY_SHUT) {
		if (place.own.root != 0)
			directory_clear(&place.own);
		return table_publish64(builder->memory, place.dc, 0) ? 0 : -EFAULT;
	}
	place.now.word[0] &= ~DOOR;
	if (door == FAMILY_OPEN && RISCV_CAN(&builder->features, ATS))
		place.now.word[0] |= DOOR & ~(pasid ? 0 : RISCV_BIT(PRPR));
	return place.other ? publish(builder, &place, place.now) :
			     publish_own(tables, &place,
					 (uint16_t)words_get(place.now.word, RISCV_DC_GSCID));
}

/* ---- The row: address spaces -------------------------------------------------------------- */

/* What a guest's context may say: its first stage, and that hardware marks it. Above that
 * the address space where there are no processes; then fsc. */
#define NEST_TC (RISCV_BIT(V) | RISCV_BIT(PDTV) | RISCV_BIT(DPE) | RISCV_BIT(SADE))

static struct riscv_dc dc_of(const uint64_t nest[2], uint64_t second)
{
	return (struct riscv_dc){ { (nest[0] & NEST_TC) | RISCV_BIT(V), second, nest[0] >> 32 << 12,
				    nest[1] } };
}

static int put_other(const struct riscv_builder *builder, const struct place *place,
		     const struct family_space *space)
{
	uint64_t second = second_word(builder, space->stage->sv.root, space->domain);

	return !place->other && !directory_empty(&place->own) ?
		       -EBUSY :
		       publish(builder, place, dc_of(space->nest, second));
}

static int put_first(const struct family_tables *tables, const struct place *place,
		     uint32_t pasid, const struct family_space *space)
{
	const struct sv_table *table = &space->stage->sv;
	const uint64_t pc[RISCV_PC_WORDS] = {
		FIELD_MASK(RISCV_PC_V) | FIELD_MASK(RISCV_PC_ENS) | FIELD_MASK(RISCV_PC_SUM) |
			(uint64_t)space->asid << 12,
		(uint64_t)(RISCV_SV39 + table->format.levels - RISCV_LEVELS_MIN) << 60 |
			table->root >> 12,
	};
	uint64_t at;
	int error;

	if (pasid == 0 || !field_fits(RISCV_PC_PSCID, space->asid))
		return -EINVAL;
	if (place->other)
		return -EBUSY;
	error = publish_own(tables, place, space->domain);
	if (error == 0)
		error = directory_make(&place->own, pasid == IOPF_PASID_NONE ? 0 : pasid, &at);
	return error != 0 ? error :
			    table_publish_words(tables->riscv.memory, at, pc, RISCV_PC_WORDS);
}

static int take(const struct family_tables *tables, const struct place *place, uint32_t pasid)
{
	const struct iopf_memory *memory = tables->riscv.memory;
	uint64_t at, word;

	/* With a guest's directory its entries are the guest's own. */
	if (place->other && pasid != IOPF_PASID_ANY &&
	    (pasid != IOPF_PASID_NONE || words_get(place->now.word, RISCV_DC_PDTV)))
		return -ENOENT;
	if (place->other)
		return publish_own(tables, place, 0);
	/* 0 is nobody's: that process is of who has no PASID. */
	if (pasid == IOPF_PASID_ANY || pasid == 0 || place->own.root == 0 ||
	    directory_at(&place->own, pasid == IOPF_PASID_NONE ? 0 : pasid, &at) != 0 ||
	    !table_load64(memory, at, &word) || !words_get(&word, RISCV_PC_V))
		return -ENOENT;
	return table_publish64(memory, at, 0) ? 0 : -EFAULT;
}

static int riscv_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		       const struct family_space *space)
{
	const struct riscv_builder *builder = &tables->riscv;
	bool first = space != NULL && space->stage->table == FAMILY_FIRST;
	struct place place;
	int error = place_of(builder, rid, false, &place);

	if (error != 0 || space == NULL)
		return error != 0 ? error : take(tables, &place, pasid);
	if ((space->kind == FAMILY_NESTED && first) || (space->kind == FAMILY_SHADOW && !first))
		return -EINVAL;
	if (space->stall || (!first && RISCV_CAN(&builder->features, SVX4) == 0) ||
	    (!first && space->nest[0] == 0 && pasid != IOPF_PASID_NONE))
		return -EOPNOTSUPP;
	return first ? put_first(tables, &place, pasid, space) :
		       put_other(builder, &place, space);
}

static void riscv_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	struct place place;

	(void)pasid; /* a page is looked at in no time */
	if (place_of(&tables->riscv, rid, false, &place) == 0 && place.own.root != 0)
		directory_tidy(&place.own);
}

/* ---- The row: tables ---------------------------------------------------------------------- */

static int riscv_stage_create(struct family_stage *stage, const struct family_tables *tables,
			      enum family_table table)
{
	const struct riscv_builder *builder = &tables->riscv;
	bool second = table == FAMILY_SECOND;
	uint32_t most = second ? 4 : tables->use.levels != 0 ? tables->use.levels : 5;
	uint64_t mode = second ? riscv_widest(RISCV_CAN(&builder->features, SVX4), most) :
				 riscv_widest(RISCV_CAN(&builder->features, SV), most);
	struct sv_format format = riscv_format(&builder->features, mode);

	format.second = second;
	format.supervisor = format.sum = true;
	format.update = tables->use.own && RISCV_CAN(&builder->features, HWAD);
	return mode == RISCV_BARE ? -EOPNOTSUPP :
				    family_sv_create(stage, builder->memory, &builder->pages,
						     &format);
}

const struct family family_riscv = {
	.name = "riscv",
	.guest = &family_guest_riscv,
	.first = IOPF_FORMAT_SV,
	.alone = FAMILY_FIRST,
	.asids = true,
	.caches_absent = true,
	.pasid_none = IOPF_PASID_NONE,
	.features = riscv_features,
	.create = riscv_create,
	.root = riscv_root,
	.root_config = riscv_root_config,
	.endpoint = riscv_endpoint,
	.space = riscv_space,
	.tidy = riscv_tidy,
	.stage_create = riscv_stage_create,
	.stage_destroy = family_sv_destroy,
	.stage_map = family_sv_map,
	.stage_unmap = family_sv_unmap,
	.stage_tidy = family_sv_tidy,
	.stage_walk = family_sv_walk,
};

/* ---- What a guest has ----------------------------------------------------------------------- */

static int riscv_wanted(const struct family_use *use, union family_features *features)
{
	uint64_t modes = use->levels < 3 || use->levels > 5 ? 0 : (1u << (use->levels - 2)) - 1;

	if (modes == 0 || use->pasid_bits < 1 || use->pasid_bits > 20 ||
	    use->mechanisms != 1u << IOPF_PRI)
		return -EINVAL;
	features->riscv.capabilities =
		modes << FIELD_LSB(RISCV_CAN_SV) | FIELD_MASK(RISCV_CAN_ATS) |
		FIELD_MASK(RISCV_CAN_PD) | (uint64_t)RISCV_GPA_BITS << FIELD_LSB(RISCV_CAN_PAS);
	return 0;
}

/* Hardware that marks what is used need not be told beforehand. */
static int riscv_adopt(struct family_tables *tables, const union family_features *there)
{
	struct riscv_features *own = &tables->riscv.features;
	uint64_t need = own->capabilities &
			~(FIELD_MASK(RISCV_CAN_PAS) | FIELD_MASK(RISCV_CAN_HWAD));

	if ((there->riscv.capabilities & need) != need ||
	    RISCV_CAN(&there->riscv, PAS) < RISCV_CAN(own, PAS))
		return -ENODEV;
	own->capabilities |= there->riscv.capabilities & FIELD_MASK(RISCV_CAN_HWAD);
	return 0;
}

static enum family_found riscv_read(const struct family_view *view, uint32_t rid, uint32_t pasid,
				    struct family_entry *entry, uint32_t *last)
{
	const struct riscv_features *features = &view->features.riscv;
	const struct table_space space = { .memory = &view->memory };
	struct riscv_first *first = &entry->detail.riscv;
	unsigned cause = IOPF_RISCV_off;
	struct table_result miss;
	struct riscv_dc dc;

	*last = IOPF_PASID_MAX;
	if (view->root_config > 1)
		cause = riscv_find_dc(&view->memory, features, view->root, view->root_config, rid,
				      &dc);
	if (cause == 0)
		cause = find_first(&space, features, &dc, pasid, first, last, &miss);
	if (*last > IOPF_PASID_MAX)
		*last = IOPF_PASID_MAX;
	if (cause != 0)
		return cause == IOPF_RISCV_off || cause == IOPF_RISCV_disallowed ||
				       cause == IOPF_RISCV_ddt_invalid ||
				       cause == IOPF_RISCV_pdt_invalid ?
			       FAMILY_NOTHING :
			       FAMILY_BAD;
	entry->number = first->process == IOPF_PASID_NONE ? UINT32_MAX : first->process;
	entry->value = (struct iopf_address_space){
		.root = first->root,
		.domain = first->pscid,
		.levels = riscv_levels(first->mode),
		.flags = (uint8_t)((words_get(dc.word, RISCV_DC_EN_PRI) ? IOPF_SPACE_PRE : 0) |
				   (words_get(dc.word, RISCV_DC_EN_ATS) ? IOPF_SPACE_DTE : 0) |
				   (first->ens ? IOPF_SPACE_SRE : 0) | IOPF_SPACE_ERE),
		.format = IOPF_FORMAT_SV,
		.nest = { (dc.word[0] & NEST_TC) | words_get(dc.word, RISCV_DC_PSCID) << 32,
			  dc.word[3] },
	};
	return FAMILY_FOUND;
}

static bool riscv_same(const struct family_entry *a, const struct family_entry *b)
{
	return a->detail.riscv.ens == b->detail.riscv.ens &&
	       a->detail.riscv.sum == b->detail.riscv.sum;
}

/* "Guidelines": whatever changes, also from not valid, is invalidated. */
static bool riscv_changes(const struct iopf_command *command, uint32_t *rid, uint32_t *pasid)
{
	*rid = command->granularity == IOPF_ALL ? IOPF_NO_ID : command->rid;
	*pasid = command->granularity == IOPF_ONE_PASID ? command->pasid : IOPF_PASID_ANY;
	return command->kind != IOPF_COMMAND_INVALIDATE_IOTLB;
}

/* Nothing of a guest's has a second stage that it knows of. */
static bool riscv_touches(const struct iopf_command *command, const struct family_entry *entry)
{
	if ((command->hints & IOPF_HINT_ALONE) == 0 || entry->value.levels == 0)
		return false;
	return command->granularity == IOPF_ALL || (command->hints & IOPF_HINT_ANY_ASID) != 0 ||
	       entry->value.domain == command->asid;
}

static uint32_t riscv_needs(const struct family_view *view, const struct family_entry *entry,
			    uint64_t addr, uint8_t perm, table_need *need, void *context)
{
	const struct riscv_features *features = &view->features.riscv;
	const struct riscv_first *kept = &entry->detail.riscv;
	const struct riscv_dc dc = dc_of(entry->value.nest, 0);
	const struct sv_stages stages = riscv_stages(features, &dc, kept);
	struct sv_second second = { &stages, &view->memory, false, need, context, 0, 0, { 0 } };
	const struct table_space space = sv_second_space(&second);
	struct riscv_first now;
	struct table_result miss;
	struct sv_nested way;
	uint32_t last;

	if (kept->process != IOPF_PASID_NONE)
		(void)find_first(&space, features, &dc, kept->process, &now, &last, &miss);
	return sv_nested_walk(&second, addr, perm, &way) ? 0 : family_mended(way.fault);
}

static bool riscv_walk_first(const struct family_view *view, const struct family_entry *entry,
			     uint64_t addr, uint8_t perm, bool update,
			     struct table_result *result)
{
	const struct table_space space = { .memory = &view->memory };
	const struct riscv_dc dc = dc_of(entry->value.nest, 0);
	const struct sv_stages stages =
		riscv_stages(&view->features.riscv, &dc, &entry->detail.riscv);

	return sv_walk(&space, &stages.first, stages.first_root, addr, perm, update, result);
}

const struct family_guest family_guest_riscv = {
	.wanted = riscv_wanted,
	.adopt = riscv_adopt,
	.read = riscv_read,
	.same = riscv_same,
	.changes = riscv_changes,
	.touches = riscv_touches,
	.needs = riscv_needs,
	.walk = riscv_walk_first,
};
