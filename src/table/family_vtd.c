/* SPDX-License-Identifier: BSD-3-Clause */
/* table/family_vtd.c - VT-d's row of families: scalable mode. */
#include <errno.h>

#include "table/family.h"
#include "table/vtd_words.h"

enum {
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	SECOND_LEVELS = 4,
};

/* ---- Features ------------------------------------------------------------------------- */

static int vtd_features(const struct family_registers *registers,
			union family_features *features)
{
	uint64_t cap, ecap;
	int error = registers->read(registers->context, VTD_CAP, 8, &cap);

	if (error == 0)
		error = registers->read(registers->context, VTD_ECAP, 8, &ecap);
	if (error == 0)
		features->vtd = vtd_features_of(cap, ecap, VTD_ADDRESS_BITS);
	return error;
}

/* ---- Structures ----------------------------------------------------------------------- */

static int vtd_create(struct family_tables *tables, const struct family_setup *setup,
		      const union family_features *features)
{
	tables->use = setup->use;
	return vtd_builder_create(&tables->vtd, setup->memory, &setup->pages,
				  &features->vtd);
}

static uint64_t vtd_root(const struct family_tables *tables)
{
	return tables->vtd.root;
}

static uint64_t vtd_root_config(const struct family_tables *tables)
{
	(void)tables;
	return 0;
}

static int vtd_endpoint(const struct family_tables *tables, uint32_t rid,
			enum family_door door, uint32_t flags)
{
	const struct vtd_context context = {
		.rid_pasid = tables->use.pasid_none,
		.pdts = (uint8_t)(tables->use.pasid_bits - VTD_DIRECTORY_BITS),
		.ats = door == FAMILY_OPEN,
		.pasid = true,
		.pri = door == FAMILY_OPEN,
	};

	(void)flags; /* what hardware answers by itself carries what was asked */
	return door != FAMILY_SHUT ? vtd_builder_context(&tables->vtd, rid, &context) :
				     vtd_builder_clear_context(&tables->vtd, rid);
}

/* What the entry says of a space of each kind. */
static const struct vtd_kind {
	uint8_t pgtt;
	uint8_t table; /* enum family_table that it needs */
} vtd_kinds[] = {
	[FAMILY_STAGE] = { VTD_PGTT_SECOND, FAMILY_SECOND },
	[FAMILY_NESTED] = { VTD_PGTT_NESTED, FAMILY_SECOND },
	[FAMILY_SHADOW] = { VTD_PGTT_FIRST, FAMILY_FIRST },
};

static int vtd_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		     const struct family_space *space)
{
	struct vtd_pasid value;

	if (space == NULL && pasid == IOPF_PASID_ANY)
		return 0; /* each was taken away by itself */
	if (pasid == IOPF_PASID_NONE)
		pasid = tables->use.pasid_none;
	if (space == NULL)
		return vtd_builder_clear_pasid(&tables->vtd, rid, pasid);
	if (space->stage->table != vtd_kinds[space->kind].table)
		return -EINVAL;
	if ((space->kind == FAMILY_SHADOW && !tables->vtd.features.first) ||
	    (space->kind == FAMILY_NESTED && !tables->vtd.features.nested))
		return -EOPNOTSUPP;
	value = (struct vtd_pasid){
		.first_root = space->first_root,
		.second_root = space->stage->vtd.root,
		.domain = space->domain,
		.pgtt = vtd_kinds[space->kind].pgtt,
		.first_levels = space->first_levels,
		.second_levels = SECOND_LEVELS,
		.supervisor = space->supervisor,
		.exec = space->exec && tables->vtd.features.exec,
		.write_protect = space->write_protect,
		.extended = space->extended && tables->vtd.features.extended,
	};
	/* It has the very rights that it was given, whoever asks. */
	if (space->kind == FAMILY_SHADOW) {
		value.supervisor = tables->vtd.features.supervisor;
		value.exec = tables->vtd.features.exec;
		value.write_protect = true;
		value.first_root = space->stage->x86.root;
		value.first_levels = space->stage->x86.format.levels;
		value.extended = false;
	}
	return vtd_builder_pasid(&tables->vtd, rid, pasid, &value);
}

static void vtd_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	vtd_builder_tidy(&tables->vtd, rid,
			 pasid == IOPF_PASID_NONE ? tables->use.pasid_none : pasid);
}

static int vtd_stage_create(struct family_stage *stage,
			    const struct family_tables *tables, enum family_table table)
{
	const struct vtd_builder *vtd = &tables->vtd;
	bool own = tables->use.own;
	/* Five levels hold what a guest of another format may use: 48 bits without a sign. */
	const struct x86_format first = { .levels = vtd->features.first_5l ? 5 : 4,
					  .address_bits = VTD_ADDRESS_BITS,
					  .pages_1g = own && vtd->features.first_1g,
					  .supervisor = !own || vtd->features.supervisor,
					  .write_protect = true,
					  .exec = !own || vtd->features.exec };

	return table == FAMILY_FIRST ?
		       family_x86_create(stage, vtd->memory, &vtd->pages, &first, own) :
		       family_vtdss_create(stage, vtd->memory, &vtd->pages);
}

const struct family family_vtd = {
	.name = "vtd",
	.structures = vtd_structures,
	.guest = &family_guest_vtd,
	.first = IOPF_FORMAT_X86,
	.alone = FAMILY_SECOND,
	.pasid_none = IOPF_PASID_MAX,
	.features = vtd_features,
	.create = vtd_create,
	.root = vtd_root,
	.root_config = vtd_root_config,
	.endpoint = vtd_endpoint,
	.space = vtd_space,
	.tidy = vtd_tidy,
	.stage_create = vtd_stage_create,
	.stage_destroy = family_x86_destroy,
	.stage_map = family_x86_map,
	.stage_unmap = family_x86_unmap,
	.stage_tidy = family_x86_tidy,
	.stage_walk = family_x86_walk,
};
