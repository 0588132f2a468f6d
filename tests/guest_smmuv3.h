/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_smmuv3.h - a guest behind a virtual SMMUv3, and where its structures lie. */
#ifndef TESTS_GUEST_SMMUV3_H
#define TESTS_GUEST_SMMUV3_H

#include "guest_pair.h"

/* Bits of CR0 go and come. */
static inline void pair_cr0(struct pair *pair, uint32_t clear, uint32_t set)
{
	uint32_t now = (uint32_t)iopf_guest_read(pair->guest, SMMUV3_CR0ACK, 4);

	iopf_guest_write(pair->guest, SMMUV3_CR0, 4, (now & ~clear) | set);
}
#include "table/smmuv3_words.h"

static inline uint64_t word(const struct pair *pair, uint64_t addr)
{
	uint64_t value = 0;

	CHECK(memory_load64(&pair->memory, addr, &value));
	return value;
}

static inline void put(const struct pair *pair, uint64_t addr, uint64_t value)
{
	CHECK(memory_store64(&pair->memory, addr, value));
}

/* The bits @clear of the word at @addr, then the bits @set. */
static inline void change(const struct pair *pair, uint64_t addr, uint64_t clear,
			  uint64_t set)
{
	put(pair, addr, (word(pair, addr) & ~clear) | set);
}

/* What leads to the tables of (@rid, @pasid), by address and as value. */
struct found {
	uint64_t ste_addr, cd_addr;
	struct smmuv3_ste ste;
	struct smmuv3_cd cd;
};

static inline struct smmuv3_features smmuv3_features_there(struct pair *pair)
{
	uint32_t idr[6];

	for (uint32_t i = 0; i < 6; i++)
		idr[i] = (uint32_t)iopf_guest_read(pair->guest, SMMUV3_IDR0 + 4 * i, 4);
	return smmuv3_features_of(idr);
}

static inline struct found find_of(struct pair *pair, uint32_t rid, uint32_t pasid)
{
	const struct table_space tables = { .memory = &pair->memory };
	const struct smmuv3_features features = smmuv3_features_there(pair);
	uint64_t base = iopf_guest_read(pair->guest, SMMUV3_STRTAB_BASE, 8);
	uint64_t config = iopf_guest_read(pair->guest, SMMUV3_STRTAB_BASE_CFG, 4);
	struct table_result miss;
	struct found found;
	uint32_t index;

	CHECK_EQ(smmuv3_find_ste(&pair->memory, &features, base, config, rid,
				 &found.ste_addr, &found.ste), 0);
	CHECK_EQ(smmuv3_find_number(&found.ste, pasid, &index), 0);
	CHECK_EQ(smmuv3_find_cd(&tables, &features, &found.ste, index, &found.cd, &miss), 0);
	found.cd_addr = miss.entry_addr;
	return found;
}

static inline struct found find(struct pair *pair, uint32_t pasid)
{
	return find_of(pair, PAIR_RID, pasid);
}

/* @command and a SYNC behind it. Returns: the SYNC's ticket. */
static inline uint64_t say(struct pair *pair, struct iopf_command command)
{
	uint64_t ticket;

	CHECK_EQ(iopf_agent_command(pair->agent, &command), 0);
	CHECK_EQ(iopf_agent_wait(pair->agent, false, &ticket), 0);
	iopf_agent_kick(pair->agent);
	pair_run(pair);
	return ticket;
}

static inline uint64_t cfgi_cd(struct pair *pair, uint32_t pasid)
{
	return say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_PASID,
						.granularity = IOPF_ONE_PASID,
						.rid = PAIR_RID,
						.pasid = pasid });
}

static inline uint64_t cfgi_cd_all(struct pair *pair, uint32_t rid)
{
	return say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_PASID,
						.granularity = IOPF_DEVICE,
						.rid = rid });
}

/* @mask: bits of @rid that do not count. */
static inline uint64_t cfgi_ste(struct pair *pair, uint32_t rid, uint8_t mask)
{
	return say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
						.granularity = IOPF_DEVICE,
						.rid = rid,
						.rid_mask = mask });
}

static inline uint64_t cfgi_all(struct pair *pair)
{
	return say(pair, (struct iopf_command){ .kind = IOPF_COMMAND_INVALIDATE_CONTEXT,
						.granularity = IOPF_ALL });
}

/* What the command queue stopped with: enum smmuv3_command_error; 0: it runs. */
static inline uint32_t stopped(struct pair *pair)
{
	uint64_t active = iopf_guest_read(pair->guest, SMMUV3_GERROR, 4) ^
			  iopf_guest_read(pair->guest, SMMUV3_GERRORN, 4);
	uint64_t cons = iopf_guest_read(pair->guest, SMMUV3_CMDQ_CONS, 4);

	if (!(active & SMMUV3_CMDQ_ERR))
		return 0;
	return (uint32_t)(cons & SMMUV3_CMDQ_ERR_MASK) >> SMMUV3_CMDQ_ERR_LSB;
}

#endif
