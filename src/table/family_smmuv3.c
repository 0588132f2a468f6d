/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/family_smmuv3.c - SMMUv3's row of families.
 *
 * A stream has one entry, of one shape at a time: a guest's own table of context
 * descriptors over stage 2; stage 2 alone, which takes no substreams; or a table of the
 * host's own, where each substream has a first level that the host fills.
 */
#include <errno.h>

#include "table/family.h"
#include "table/smmuv3_words.h"

enum {
	IDR_COUNT = 6,   /* from register 0 on, 4 bytes each */
	FIRST_BITS = 48, /* each half of a first level */
};

static int smmuv3_features(const struct family_registers *registers,
			   union family_features *features)
{
	uint32_t idr[IDR_COUNT];

	for (uint32_t i = 0; i < IDR_COUNT; i++) {
		uint64_t value;
		int error = registers->read(registers->context, 4 * i, 4, &value);

		if (error != 0)
			return error;
		idr[i] = (uint32_t)value;
	}
	features->smmuv3 = smmuv3_features_of(idr);
	return 0;
}

static int smmuv3_create(struct family_tables *tables, const struct family_setup *setup,
			 const union family_features *features)
{
	tables->use = setup->use;
	return smmuv3_builder_create(&tables->smmuv3, setup->memory, &setup->pages,
				     &features->smmuv3);
}

static uint64_t smmuv3_root(const struct family_tables *tables)
{
	return tables->smmuv3.root;
}

static uint64_t smmuv3_root_config(const struct family_tables *tables)
{
	return tables->smmuv3.root_config;
}

/* ---- Address spaces ----------------------------------------------------------------- */

/* A transaction without a substream has descriptor 0 to itself. */
static uint32_t index_of(uint32_t pasid)
{
	return pasid == IOPF_PASID_NONE ? 0 : pasid;
}

/* Whether the stream's misses are held. A PCIe function's never are, unless this SMMU does
 * nothing else: its transactions have to end in time. */
static bool stalls(const struct smmuv3_features *features,
		   const struct family_space *space)
{
	return space->stall || features->stall_model == SMMUV3_STALL_ALWAYS;
}

/* What every entry of a stream says, whatever shape it has. */
static struct smmuv3_ste ste_of(const struct smmuv3_features *features,
				const struct family_space *space)
{
	bool held = stalls(features, space);

	return (struct smmuv3_ste){
		.vmid = space->domain,
		/* A stall may hold a translation request up for ever: one or the other. */
		.ats = features->ats && !held ? SMMUV3_ATS_FULL : SMMUV3_ATS_OFF,
		.response_pasid = space->response_pasid,
		.stall_off = !held && features->stall_model == SMMUV3_STALL_BOTH,
		.stall = held,
		.record = true,
	};
}

/* The entry of a stream with first levels of the host's, or of a guest's own. */
static struct smmuv3_ste first_of(const struct smmuv3_features *features,
				  const struct family_space *space)
{
	struct smmuv3_ste ste = ste_of(features, space);

	ste.config = SMMUV3_FIRST;
	ste.without = SMMUV3_DEFAULT_ZERO;
	return ste;
}

/* An entry that aborts keeps everything out: translated accesses, and what is asked for. */
static int smmuv3_endpoint(const struct family_tables *tables, uint32_t rid,
			   enum family_door door, uint32_t flags)
{
	const struct smmuv3_builder *builder = &tables->smmuv3;
	const struct family_space like = { .stall = flags & FAMILY_STALLS,
					   .response_pasid = flags & FAMILY_RESPONSE_PASID };
	struct smmuv3_ste ste = first_of(&builder->features, &like);
	int error = 0;

	if (door == FAMILY_SHUT)
		error = smmuv3_builder_clear_ste(builder, rid);
	else if (tables->use.own)
		error = smmuv3_builder_ste(builder, rid, &ste);
	if (error == 0)
		error = smmuv3_builder_response(builder, rid, like.response_pasid);
	return error != 0 ? error :
			    smmuv3_builder_block(builder, rid, door == FAMILY_BLOCKED);
}

/*
 * What a guest's entry may say: where its descriptors are, how many, and what becomes of
 * transactions without a substream. Attributes, ATS and anything else are the host's.
 */
static int vet(const struct smmuv3_features *features, const uint64_t nest[2],
	       struct smmuv3_ste *guest)
{
	static const uint64_t allowed[2] = {
		FIELD_MASK(SMMUV3_STE_V) | FIELD_MASK(SMMUV3_STE_CONFIG) |
			FIELD_MASK(SMMUV3_STE_S1FMT) |
			FIELD_MASK(SMMUV3_STE_S1CONTEXTPTR) |
			FIELD_MASK(SMMUV3_STE_S1CDMAX),
		FIELD_MASK(SMMUV3_STE_S1DSS) | FIELD_MASK(SMMUV3_STE_S1STALLD),
	};
	uint64_t words[SMMUV3_STE_WORDS] = { nest[0] & allowed[0], nest[1] & allowed[1] };

	if (smmuv3_ste_decode(words, features, guest) != SMMUV3_EVENT_NONE)
		return -EINVAL;
	return guest->config == SMMUV3_FIRST ? 0 : -EPERM;
}

static int put_nested(const struct smmuv3_builder *builder, uint32_t rid,
		      const struct family_space *space)
{
	struct smmuv3_ste ste = ste_of(&builder->features, space), guest;
	int error = vet(&builder->features, space->nest, &guest);

	if (error != 0)
		return error;
	ste.config = SMMUV3_BOTH;
	ste.context_addr = guest.context_addr;
	ste.contexts = guest.contexts;
	ste.context_bits = guest.context_bits;
	ste.without = guest.without;
	ste.stall_off |= guest.stall_off;
	ste.second = space->stage->smmuv3.format;
	return smmuv3_builder_ste(builder, rid, &ste);
}

static int put_second(const struct smmuv3_builder *builder, uint32_t rid,
		      const struct family_space *space)
{
	struct smmuv3_ste ste = ste_of(&builder->features, space);

	ste.config = SMMUV3_SECOND;
	ste.second = space->stage->smmuv3.format;
	return smmuv3_builder_ste(builder, rid, &ste);
}

static int put_first(const struct smmuv3_builder *builder, uint32_t rid, uint32_t pasid,
		     const struct family_space *space)
{
	struct smmuv3_ste ste = first_of(&builder->features, space);
	const struct smmuv3_cd cd = { .first = space->stage->smmuv3_first.format,
				      .asid = (uint16_t)space->asid,
				      .abort = true,
				      .record = true,
				      .stall = ste.stall };
	int error;

	if (pasid == 0)
		return -EINVAL; /* descriptor 0 is for who has no substream */
	error = smmuv3_builder_ste(builder, rid, &ste);
	return error != 0 ? error : smmuv3_builder_cd(builder, rid, index_of(pasid), &cd);
}

/* Whether an entry of @config may take the place of what is there. */
static bool place_free(const struct smmuv3_builder *builder, uint32_t rid,
		       enum smmuv3_config config)
{
	int there = smmuv3_builder_config(builder, rid);

	if (there < SMMUV3_BYPASS || there == (int)config)
		return true;
	return config != SMMUV3_FIRST && smmuv3_builder_empty(builder, rid);
}

/* Whether a guest's entry stands over the host's stage: also where the transaction without
 * a substream bypasses the guest's stage (S1DSS), which leads the others. */
static bool nests(const struct family_space *space)
{
	return space->kind == FAMILY_NESTED ||
	       (space->kind == FAMILY_STAGE &&
		words_get(space->nest, SMMUV3_STE_CONFIG) == SMMUV3_FIRST);
}

static int put(const struct smmuv3_builder *builder, uint32_t rid, uint32_t pasid,
	       const struct family_space *space)
{
	const struct smmuv3_features *features = &builder->features;
	bool first = space->stage->table == FAMILY_FIRST;
	enum smmuv3_config config = SMMUV3_SECOND;

	if (first)
		config = SMMUV3_FIRST;
	else if (nests(space))
		config = SMMUV3_BOTH;
	if ((space->kind == FAMILY_NESTED && first) ||
	    (space->kind == FAMILY_SHADOW && !first) ||
	    (space->domain > UINT8_MAX && !features->vmid16) ||
	    space->asid > (features->asid16 ? UINT16_MAX : UINT8_MAX))
		return -EINVAL;
	if ((config != SMMUV3_SECOND && !features->first) ||
	    (config != SMMUV3_FIRST && !features->second) ||
	    (config == SMMUV3_SECOND && pasid != IOPF_PASID_NONE) ||
	    (space->stall && features->stall_model == SMMUV3_STALL_NEVER))
		return -EOPNOTSUPP;
	if (!place_free(builder, rid, config))
		return -EBUSY;
	if (first)
		return put_first(builder, rid, pasid, space);
	return config == SMMUV3_BOTH ? put_nested(builder, rid, space) :
				       put_second(builder, rid, space);
}

static int take(const struct smmuv3_builder *builder, uint32_t rid, uint32_t pasid)
{
	int config = smmuv3_builder_config(builder, rid);

	if (pasid == IOPF_PASID_ANY)
		return smmuv3_builder_clear_ste(builder, rid);
	/* Nobody's: descriptor 0 is of what comes without a PASID. */
	if (pasid == 0)
		return -ENOENT;
	if (config == SMMUV3_FIRST)
		return smmuv3_builder_clear_cd(builder, rid, index_of(pasid));
	if (config == SMMUV3_SECOND && pasid == IOPF_PASID_NONE)
		return smmuv3_builder_clear_ste(builder, rid);
	return -ENOENT; /* with SMMUV3_BOTH the descriptor is the guest's own */
}

static int smmuv3_space(const struct family_tables *tables, uint32_t rid, uint32_t pasid,
			const struct family_space *space)
{
	return space == NULL ? take(&tables->smmuv3, rid, pasid) :
			       put(&tables->smmuv3, rid, pasid, space);
}

static void smmuv3_tidy(const struct family_tables *tables, uint32_t rid, uint32_t pasid)
{
	smmuv3_builder_tidy(&tables->smmuv3, rid, index_of(pasid));
}

/* ---- The host's own tables ---------------------------------------------------------- */

/* A guest's own may lie in the low half alone; both are there where anything may come. */
static struct vmsa_format first_format(const struct family_tables *tables)
{
	const struct smmuv3_features *features = &tables->smmuv3.features;
	bool own = tables->use.own;

	return (struct vmsa_format){
		.half = { { .input_bits = FIRST_BITS },
			  { .input_bits = FIRST_BITS, .disabled = own } },
		.output_bits = features->address_bits,
		.access = own && features->access,
		.dirty = own && features->dirty,
	};
}

static int smmuv3_stage_create(struct family_stage *stage, const struct family_tables *tables,
			       enum family_table table)
{
	const struct smmuv3_builder *builder = &tables->smmuv3;
	const struct vmsa_format first = first_format(tables);

	return family_armv8_create(stage, builder->memory, &builder->pages, table, &first);
}

const struct family family_smmuv3 = {
	.name = "smmuv3",
	.structures = smmuv3_structures,
	.guest = &family_guest_smmuv3,
	.first = IOPF_FORMAT_VMSA,
	.alone = FAMILY_FIRST,
	.asids = true,
	.caches_absent = true,
	.pasid_none = IOPF_PASID_NONE,
	.features = smmuv3_features,
	.create = smmuv3_create,
	.root = smmuv3_root,
	.root_config = smmuv3_root_config,
	.endpoint = smmuv3_endpoint,
	.space = smmuv3_space,
	.tidy = smmuv3_tidy,
	.stage_create = smmuv3_stage_create,
	.stage_destroy = family_armv8_destroy,
	.stage_map = family_armv8_map,
	.stage_unmap = family_armv8_unmap,
	.stage_tidy = family_armv8_tidy,
	.stage_walk = family_armv8_walk,
};
