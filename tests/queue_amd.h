/* SPDX-License-Identifier: BSD-3-Clause */
/* queue_amd.h - both ends of an AMD IOMMU's queues. */
#ifndef TESTS_QUEUE_AMD_H
#define TESTS_QUEUE_AMD_H

#include "queue_pair.h"

#include "queue/amd.h"

/* One page each; one slot stays free. */
enum { SLOTS = 256, ROOM = SLOTS - 1, EVENTS_AT = 0xc000 };

#define LOGS    (AMD_CMD_EN | AMD_EVT_LOG_EN | AMD_PPR_LOG_EN)
#define ON      (LOGS | AMD_IOMMU_EN | AMD_PPR_EN | AMD_GT_EN)
#define RUNNING (AMD_EVT_RUN | AMD_CMD_RUN | AMD_PPR_RUN)

static uint32_t silent_rid; /* does not answer invalidations */
static int (*amd_seen)(const struct iopf_command *command); /* NULL: nobody looks */

static inline int amd_command(void *context, const struct iopf_command *command)
{
	int error = amd_seen != NULL ? amd_seen(command) : pair_command(context, command);

	return command->kind == IOPF_COMMAND_INVALIDATE_DEVICE && command->rid == silent_rid ?
		       -ETIMEDOUT :
		       error;
}

static const struct iopf_hardware_ops amd_ops = {
	amd_command, pair_interrupt, pair_root, pair_translation, pair_change,
};

static inline void amd_hardware(uint32_t features, uint32_t quirks)
{
	struct iopf_hardware_options options = {
		.size_bytes = sizeof(options),
		.wire = &iopf_wire_amd,
		.memory = &pair.memory,
		.ops = &amd_ops,
		.context = &pair,
		.quirks = quirks,
	};

	silent_rid = IOPF_NO_ID;
	amd_seen = NULL;
	memset(&pair, 0, sizeof(pair));
	pair.segment = (struct iopf_segment){ 0, sizeof(pair.bytes), pair.bytes };
	pair.memory = (struct iopf_memory){ &pair.segment, 1 };
	CHECK_EQ(iopf_amd_extended(features, 20, &options.cap), 0);
	CHECK_EQ(iopf_hardware_create(&options, pair.hardware_bytes,
				      sizeof(pair.hardware_bytes), &pair.hardware), 0);
}

static inline struct iopf_driver_options amd_driver_options(void)
{
	struct iopf_driver_options options = pair_driver_options(16);

	options.wire = &iopf_wire_amd;
	options.event_addr = EVENTS_AT;
	options.root_config = 3;
	options.forget_silent = true;
	return options;
}

static inline int amd_run(int (*step)(struct iopf_driver *driver))
{
	int error, rounds = 0;

	while ((error = step(pair.driver)) == -EAGAIN && rounds++ < 100)
		iopf_hardware_run(pair.hardware, 16);
	return error;
}

static inline int amd_start_with(uint32_t features, uint32_t quirks,
				 const struct iopf_driver_options *options)
{
	int error;

	amd_hardware(features, quirks);
	CHECK_EQ(iopf_driver_create(options, pair.driver_bytes, sizeof(pair.driver_bytes),
				    &pair.driver), 0);
	error = amd_run(iopf_driver_start);
	pair.commands = pair.interrupts = 0;
	return error;
}

static inline void amd_start_quirks(uint32_t features, uint32_t quirks)
{
	const struct iopf_driver_options options = amd_driver_options();

	CHECK_EQ(amd_start_with(features, quirks, &options), 0);
}

static inline void amd_start(void)
{
	amd_start_quirks(IOPF_AMD_PHYSICAL, 0);
}

static inline int amd_post(uint64_t n, uint8_t flags)
{
	const struct iopf_request request = pair_request(n, flags);

	return iopf_hardware_post(pair.hardware, &request);
}

static inline bool amd_fault(uint64_t n)
{
	const struct iopf_fault event = {
		.addr = n << 12,
		.rid = 0x310,
		.pasid = 5,
		.perm = IOPF_READ,
		.reason = IOPF_AMD_REASON(IOPF_AMD_IO_PAGE_FAULT, 0),
		.request = true,
	};

	return iopf_hardware_fault(pair.hardware, &event);
}

static inline uint64_t amd_status(void)
{
	return pair_reg(AMD_STATUS, 8);
}

#endif
