/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table/smmuv3_nested.h - an SMMU's whole way: context descriptor, stage 1, stage 2.
 *
 * With both stages the descriptors' table and stage 1's tables lie at intermediate
 * addresses: each entry that is loaded, and the address at the end, goes through stage 2.
 * So what is missing may be the guest's to mend, or the host's, and at another address
 * than the one that the device used. (Arm SMMUv3, "Event records")
 */
#ifndef TABLE_SMMUV3_NESTED_H
#define TABLE_SMMUV3_NESTED_H

#include "table/smmuv3.h"

/* What was being fetched, as an event's CLASS tells. */
enum smmuv3_class {
	SMMUV3_CLASS_CD, /* a context descriptor */
	SMMUV3_CLASS_TT, /* a descriptor of stage 1's tables */
	SMMUV3_CLASS_IN, /* what the input leads to */
};

/* What a walk found, or the event that it ends with. What is not named is 0. */
struct smmuv3_result {
	uint64_t addr;       /* as memory has it */
	uint64_t size_bytes; /* of the smaller page of both stages */
	uint64_t ipa;        /* stage 2's event: what missed there, to the byte */
	uint64_t fetch_addr; /* F_STE_FETCH, F_CD_FETCH, F_WALK_EABT: what is not there */
	uint32_t index;      /* of the descriptor; UINT32_MAX: none, or a given one */
	uint8_t perm;        /* rights that both stages grant */
	uint8_t ipa_perm;    /* stage 2's event: the access that was wanted there */
	uint8_t event;       /* enum smmuv3_event; none with a failure: a silent abort */
	uint8_t stage;       /* 1, 2; 0: neither */
	uint8_t what;       /* enum smmuv3_class, with a stage */
	uint8_t fault;       /* enum table_fault of that stage */
	/* What the fault's configuration says is done about one of the four events that can
	 * be resumed (A, R, S); others are recorded and abort. ("Fault configuration") */
	bool stall, record, abort;
	struct table_result first, second; /* each stage's last walk, where it was walked */
};

/* Whether an event is one of the four that may stall. */
static inline bool smmuv3_resumable(unsigned event)
{
	return event >= SMMUV3_EVENT_F_TRANSLATION && event <= SMMUV3_EVENT_F_PERMISSION;
}

/* One transaction's surroundings. */
struct smmuv3_walk {
	const struct smmuv3_features *features;
	const struct iopf_memory *memory; /* what everything lies in that no stage
					   * translates further */
	const struct smmuv3_ste *ste;
	bool update; /* access flags and dirty state are set as the entries say */
};

/*
 * The descriptor that a transaction with @pasid (or IOPF_PASID_NONE) goes through, for who
 * remembers descriptors. With result->index UINT32_MAX there is none, and @cd is not
 * written.
 *
 * Returns: true, or false: the event is in @result.
 */
bool smmuv3_context(const struct smmuv3_walk *walk, uint32_t pasid, struct smmuv3_cd *cd,
		    struct smmuv3_result *result);

/* Translate @addr for @perm through @cd, NULL: stage 1 is bypassed. Returns: as above. */
bool smmuv3_walk(const struct smmuv3_walk *walk, const struct smmuv3_cd *cd, uint64_t addr,
		 uint8_t perm, struct smmuv3_result *result);

/* Both. */
bool smmuv3_translate(const struct smmuv3_walk *walk, uint32_t pasid, uint64_t addr,
		      uint8_t perm, struct smmuv3_result *result);

/* A page that an access needs in stage 2: @ipa a multiple of 4096. */
typedef void smmuv3_need(void *context, uint64_t ipa, uint8_t perm, enum smmuv3_class what);

/*
 * Everything at once that an access needs in stage 2, for software that routes it: pages of
 * the descriptors' table up to descriptor @index (UINT32_MAX: stage 1 is bypassed), of stage
 * 1's tables, of the data; as far down as the guest's own structures could be followed. They
 * are read straight from walk->memory (the guest's, by its own addresses), nothing is
 * written, and stage 2 of walk->ste is not looked at: @need knows what is there. A page may
 * be told more than once. @kept: the descriptor as hardware may remember it, which is walked
 * from; NULL: as it is now.
 *
 * Returns: true; false: an event of stage 1 or of the configuration is in @result, the
 * guest's to mend.
 */
bool smmuv3_needs(const struct smmuv3_walk *walk, uint32_t index,
		  const struct smmuv3_cd *kept, uint64_t addr, uint8_t perm,
		  smmuv3_need *need, void *context, struct smmuv3_result *result);

#endif
