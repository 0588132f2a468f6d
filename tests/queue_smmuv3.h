/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_smmuv3.h - SMMUv3's hardware end, and software that is written out by hand. */
#ifndef TESTS_QUEUE_SMMUV3_H
#define TESTS_QUEUE_SMMUV3_H

#include "queue_pair.h"

#include "queue/smmuv3.h"

/* The pair's memory: stream table, then queues, each with a page to grow in. */
enum {
	SMMU_EVENTS_AT = 0xc000,
	SMMU_COMMANDS = 16, /* entries */
	SMMU_EVENTS = 8,
	SMMU_REQUESTS = 8,
	SMMU_ON = SMMUV3_SMMUEN | SMMUV3_PRIQEN | SMMUV3_EVENTQEN | SMMUV3_CMDQEN,
	SMMU_STALLS = 64,
	/* Which interrupt it was: the data of smmu_start()'s messages. */
	SMMU_EVENT_DATA = 1,
	SMMU_REQUEST_DATA = 2,
	SMMU_ERROR_DATA = 3,
};

static const uint32_t smmu_index_mask = SMMUV3_QUEUE_INDEX;

static inline struct iopf_hardware_options smmu_options(uint32_t features)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.version = IOPF_SMMUV3_VERSION,
		.wire = &iopf_wire_smmuv3,
		.memory = &pair.memory,
		.ops = &pair_ops,
		.context = &pair,
	};

	CHECK_EQ(iopf_smmuv3_identification(features, 16, 20, SMMU_STALLS, options.idr), 0);
	return options;
}

static inline void smmu_create(const struct iopf_hardware_options *options)
{
	memset(&pair, 0, sizeof(pair));
	pair.segment = (struct iopf_segment){ 0, sizeof(pair.bytes), pair.bytes };
	pair.memory = (struct iopf_memory){ &pair.segment, 1 };
	CHECK_EQ(iopf_hardware_create(options, pair.hardware_bytes,
				      sizeof(pair.hardware_bytes), &pair.hardware), 0);
}

static inline void smmu_hardware(uint32_t features)
{
	struct iopf_hardware_options options = smmu_options(features);

	smmu_create(&options);
}

/* Queues where they belong, empty, and off. */
static inline void smmu_queues(void)
{
	pair_set(SMMUV3_STRTAB_BASE, 8, ROOT_AT);
	pair_set(SMMUV3_STRTAB_BASE_CFG, 4, 6);
	pair_set(SMMUV3_CMDQ_BASE, 8, COMMANDS_AT | 4);
	pair_set(SMMUV3_EVENTQ_BASE, 8, SMMU_EVENTS_AT | 3);
	pair_set(SMMUV3_PRIQ_BASE, 8, REQUESTS_AT | 3);
}

/* Everything on, interrupts by message: their data says from where. */
static inline void smmu_start(void)
{
	smmu_hardware(IOPF_SMMUV3_PHYSICAL);
	smmu_queues();
	pair_set(SMMUV3_EVENTQ_IRQ_CFG0, 8, INTERRUPT_ADDR);
	pair_set(SMMUV3_EVENTQ_IRQ_CFG1, 4, SMMU_EVENT_DATA);
	pair_set(SMMUV3_PRIQ_IRQ_CFG0, 8, INTERRUPT_ADDR);
	pair_set(SMMUV3_PRIQ_IRQ_CFG1, 4, SMMU_REQUEST_DATA);
	pair_set(SMMUV3_GERROR_IRQ_CFG0, 8, INTERRUPT_ADDR);
	pair_set(SMMUV3_GERROR_IRQ_CFG1, 4, SMMU_ERROR_DATA);
	pair_set(SMMUV3_IRQ_CTRL, 4, 7);
	pair_set(SMMUV3_CR0, 4, SMMU_ON);
	pair.changes = 0;
}

static inline const struct iopf_hardware_stats *smmu_stats(void)
{
	return iopf_hardware_stats(pair.hardware);
}

static inline uint32_t smmu_errors(void)
{
	return (uint32_t)(pair_reg(SMMUV3_GERROR, 4) ^ pair_reg(SMMUV3_GERRORN, 4));
}

static inline void smmu_acknowledge(void)
{
	pair_set(SMMUV3_GERRORN, 4, pair_reg(SMMUV3_GERROR, 4));
}

/* The next entry of the command queue, and PROD one further. */
static inline uint8_t *smmu_slot(void)
{
	uint64_t prod = pair_reg(SMMUV3_CMDQ_PROD, 4);

	pair_set(SMMUV3_CMDQ_PROD, 4, (prod + 1) % (2 * SMMU_COMMANDS));
	return pair.bytes + COMMANDS_AT + 16 * (prod % SMMU_COMMANDS);
}

static inline void smmu_submit(const struct iopf_command *command)
{
	CHECK_EQ(iopf_wire_smmuv3.encode_command(command, 16, smmu_slot()), 0);
}

/* A response under number @n. */
static inline void smmu_respond(uint64_t n)
{
	struct iopf_command command = pair_response(n);

	smmu_submit(&command);
}

static inline void smmu_sync(uint8_t wait_flags, uint64_t addr, uint32_t data)
{
	struct iopf_command command = { .kind = IOPF_COMMAND_WAIT,
					.wait_flags = wait_flags,
					.status_addr = addr,
					.status_data = data };

	smmu_submit(&command);
}

/* The address says which it is; with a stall the tag does, too. */
static inline bool smmu_fault(uint32_t n, bool stall)
{
	struct iopf_fault fault = { .addr = (uint64_t)n << 12,
				    .rid = 0x40,
				    .pasid = 7,
				    .index = stall ? (uint16_t)n : 0,
				    .perm = IOPF_WRITE,
				    .reason = 0x10,
				    .stage = 1,
				    .stall = stall };

	return iopf_hardware_fault(pair.hardware, &fault);
}

static inline int smmu_post(uint64_t n, uint8_t flags)
{
	struct iopf_request request = pair_request(n, flags);

	return iopf_hardware_post(pair.hardware, &request);
}

static inline int smmu_stop_marker(void)
{
	struct iopf_request marker = { .rid = 0x310, .pasid = 7, .flags = IOPF_STOP };

	return iopf_hardware_post(pair.hardware, &marker);
}

#endif
