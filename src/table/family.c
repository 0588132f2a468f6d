/* SPDX-License-Identifier: BSD-3-Clause */
/* table/family.c - the list of families, and VT-d's row. */
#include "table/family.h"

#include "base/name.h"

enum {
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	ADDRESS_BITS = 48,
	SECOND_LEVELS = 4,
	DIRECTORY_SIZE = 7, /* PDTS: every PASID of 20 bits */
};

static int vtd_create(struct family_tables *tables, const struct iopf_memory *memory,
		      const struct table_pages *pages, family_read *read, void *context)
{
	struct vtd_features features;
	uint64_t cap, ecap;
	int error = read(context, VTD_CAP, 8, &cap);

	if (error == 0)
		error = read(context, VTD_ECAP, 8, &ecap);
	if (error != 0)
		return error;
	features = vtd_features_of(cap, ecap, ADDRESS_BITS);
	return vtd_builder_create(&tables->vtd, memory, pages, &features);
}

static uint64_t vtd_root(const struct family_tables *tables)
{
	return tables->vtd.root;
}

static int vtd_endpoint(const struct family_tables *tables, uint32_t rid,
			enum family_door door)
{
	const struct vtd_context context = { .rid_pasid = family_vtd.pasid_none,
					     .pdts = DIRECTORY_SIZE,
					     .ats = door == FAMILY_OPEN,
					     .pasid = true,
					     .pri = door == FAMILY_OPEN };

	return door != FAMILY_SHUT ? vtd_builder_context(&tables->vtd, rid, &context) :
				     vtd_builder_clear_context(&tables->vtd, rid);
}

static int vtd_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
		     const struct family_space *space)
{
	struct vtd_pasid value;

	if (space == NULL)
		return vtd_builder_clear_pasid(&tables->vtd, rid, pasid);
	value = (struct vtd_pasid){
		.first_root = space->first_root,
		.second_root = space->stage->vtd.root,
		.domain = space->domain,
		.pgtt = space->first_levels != 0 ? VTD_PGTT_NESTED : VTD_PGTT_SECOND,
		.first_levels = space->first_levels,
		.second_levels = SECOND_LEVELS,
		.supervisor = space->supervisor,
		.exec = space->exec && tables->vtd.features.exec,
		.write_protect = space->write_protect,
		.extended = space->extended && tables->vtd.features.extended,
	};
	return vtd_builder_pasid(&tables->vtd, rid, pasid, &value);
}

static void vtd_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	vtd_builder_tidy(&tables->vtd, rid, pasid);
}

static int vtd_stage_create(struct family_stage *stage, const struct family_tables *tables)
{
	const struct vtdss_format format = { .levels = SECOND_LEVELS,
					     .address_bits = ADDRESS_BITS,
					     .pages_2m = true,
					     .pages_1g = true };

	return vtdss_create(&stage->vtd, tables->vtd.memory, &tables->vtd.pages, &format);
}

static void vtd_stage_destroy(const struct family_stage *stage)
{
	vtdss_destroy(&stage->vtd);
}

static int vtd_stage_map(const struct family_stage *stage, uint64_t addr, uint64_t out,
			 uint8_t perm)
{
	return vtdss_map(&stage->vtd, addr, out, TABLE_PAGE_BYTES, perm);
}

static int vtd_stage_unmap(const struct family_stage *stage, uint64_t addr,
			   uint64_t size_bytes)
{
	return vtdss_unmap(&stage->vtd, addr, size_bytes);
}

static bool vtd_stage_mapped(const struct family_stage *stage, uint64_t addr, uint8_t perm)
{
	const struct table_space space = { .memory = stage->vtd.memory };
	struct table_result result;

	return vtdss_walk(&space, &stage->vtd.format, stage->vtd.root, addr,
			  perm & (IOPF_READ | IOPF_WRITE), false, &result);
}

const struct family family_vtd = {
	.name = "vtd",
	.pasid_none = IOPF_PASID_MAX,
	.create = vtd_create,
	.root = vtd_root,
	.endpoint = vtd_endpoint,
	.space = vtd_space,
	.tidy = vtd_tidy,
	.stage_create = vtd_stage_create,
	.stage_destroy = vtd_stage_destroy,
	.stage_map = vtd_stage_map,
	.stage_unmap = vtd_stage_unmap,
	.stage_mapped = vtd_stage_mapped,
};

const struct family *family_find(const char *name)
{
	static const struct family *const families[] = { &family_vtd };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (name_is(families[i]->name, name))
			return families[i];
	return NULL;
}
